//! `berth init`

use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::diag::Failure;
use berth::manual::{TEMPLATES, Template};
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Writes a template into a folder, or lists the templates.
pub fn run(terminal: &Terminal, dir: &Path, name: &str, list: bool) -> Exit {
    if list {
        let width = TEMPLATES.iter().map(|template| template.name.len()).max().unwrap_or(0);
        let lines =
            TEMPLATES.iter().map(|template| format!("{:width$}  {}\n", template.name, template.about()));
        terminal.print(&lines.collect::<String>());
        return Exit::Done;
    }
    let Some(template) = TEMPLATES.iter().find(|template| template.name == name) else {
        let names = || TEMPLATES.iter().map(|template| template.name);
        let help = match berth::diag::did_you_mean(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the templates are {}", names().collect::<Vec<_>>().join(", ")),
        };
        return terminal.fail(&Failure::new(format!("there is no template `{name}`"), help));
    };
    match write(dir, template) {
        Ok(()) => {
            terminal.print(&next(dir, template));
            Exit::Done
        }
        Err(failure) => terminal.fail(&failure),
    }
}

/// What to do when the files cannot be written where they were to go.
const ANOTHER: &str = "name another folder, as in `berth init DIR`";

/// The schema for editors, which is beside the blueprint.
const SCHEMA: &str = "berth.schema.json";

/// Writes every file of a template, or none of them.
fn write(dir: &Path, template: &Template) -> Result<(), Failure> {
    let schema = berth::report::json::to_text(&berth::blueprint::schema());
    let text = format!("# yaml-language-server: $schema=./{SCHEMA}\n{}", template.text);
    let main = (format!("{}.yaml", template.name), text.as_str());
    let beside = template.beside.iter().map(|(name, text)| ((*name).to_owned(), *text));
    let mut files: Vec<_> =
        std::iter::once(main).chain(beside).map(|(name, text)| (dir.join(name), text)).collect();
    // That of an earlier template is as good.
    let of_editors = (dir.join(SCHEMA), schema.as_str());
    if of_editors.0.symlink_metadata().is_err() {
        files.push(of_editors);
    }
    if let Some((there, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(Failure::new(
            format!("{} exists already; nothing was written", there.display()),
            ANOTHER,
        ));
    }
    let mut made = Vec::new();
    let written = write_all(&files, &mut made);
    if written.is_err() {
        // Files in part, or a template in part, would be in the way of the next try.
        made.iter().for_each(|path| drop(std::fs::remove_file(path)));
    }
    written
}

/// Writes files that are not there yet, and tells which it made.
fn write_all<'f>(files: &'f [(PathBuf, &str)], made: &mut Vec<&'f Path>) -> Result<(), Failure> {
    for (path, text) in files {
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot write {}: {error}", path.display()), ANOTHER)
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        // Somebody may have written it just now.
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
        let mut file = opened.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Failure::new(format!("{} exists already", path.display()), ANOTHER),
            _ => failed(error),
        })?;
        made.push(path);
        file.write_all(text.as_bytes()).map_err(failed)?;
    }
    Ok(())
}

fn next(dir: &Path, template: &Template) -> String {
    let path = match dir == Path::new(".") {
        true => Path::new(template.name).with_extension("yaml"),
        false => dir.join(template.name).with_extension("yaml"),
    };
    let path = path.display();
    let mut out = format!("Wrote {path}. What to do next:\n\n");
    for (command, about) in [
        ("validate", "check it, offline"),
        ("plan", "what would be made, on the simulator"),
        ("apply", "make it there; no subscription is needed"),
    ] {
        let command = format!("berth {command} {path} --sim");
        let _ = writeln!(out, "  {command:<44}  {about}");
    }
    out.push_str(
        "\nThen read it, put your own names in, set AZURE_SUBSCRIPTION_ID, and leave out `--sim`. `berth explain` tells \
         what else it can say.\n",
    );
    out
}
