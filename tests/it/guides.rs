//! Guides are run: their files are written, their commands are carried out, and what they show is what berth says.

use crate::support::{Berth, Run, root};

/// The blocks of a page: what stands behind the fence, and the lines.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Writes the files of a guide (blocks that begin with `# PATH`) and runs its commands, in its order. Lines below a command
/// must be in what it prints; `# exits with N` says how it ends, if not with 0.
fn follow(guide: &str) {
    let page = std::fs::read_to_string(root().join("docs/guides").join(guide)).unwrap();
    let berth = Berth::new();
    let mut ran = 0;
    for (language, text) in blocks(&page) {
        let first = text.lines().next().and_then(|line| line.strip_prefix("# "));
        match (language.as_str(), first) {
            ("console", _) => ran += console(&berth, &text),
            (_, Some(path)) if !path.contains(' ') => berth.write(path, text.as_bytes()),
            _ => {}
        }
    }
    assert!(ran > 0, "{guide} has no commands");
}

fn console(berth: &Berth, text: &str) -> usize {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, Vec::new())),
            None => commands.last_mut().expect("a command comes first").1.push(line),
        }
    }
    for (command, said) in &commands {
        let (command, code) = match command.split_once("# exits with ") {
            Some((command, code)) => (command, code.trim().parse().unwrap()),
            None => (*command, 0),
        };
        let mut words: Vec<&str> = command.split_whitespace().collect();
        // `NAME=VALUE` before a command, as in a shell.
        let is_variable =
            |word: &&str| word.contains('=') && word.starts_with(|c: char| c.is_ascii_uppercase());
        let variables: Vec<(&str, &str)> = words
            .iter()
            .take_while(|word| is_variable(word))
            .filter_map(|word| word.split_once('='))
            .collect();
        words.drain(..variables.len());
        match words[..] {
            ["mv", from, to] => std::fs::rename(berth.path(from), berth.path(to)).unwrap(),
            ["berth", ..] => {
                let output = berth.command(words[1..].iter().copied()).envs(variables).output().unwrap();
                let ended = Run::of(&words, output).exits(code);
                let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                let all = one_line(&format!("{} {}", ended.stdout, ended.stderr));
                for line in said {
                    assert!(all.contains(&one_line(line)), "{line:?} is not in {ended:?}");
                }
            }
            _ => panic!("a guide runs berth and `mv`, not {command:?}"),
        }
    }
    commands.len()
}

#[test]
fn drift_on_a_schedule_says_what_the_guide_says() {
    follow("drift-on-a-schedule.md");
}

#[test]
fn every_task_has_a_guide_that_holds() {
    for guide in [
        "windows-pools",
        "gitops",
        "monitoring",
        "private-everything",
        "pipelines",
        "coming-from",
        "leaving-berth",
    ] {
        follow(&format!("{guide}.md"));
    }
}

#[test]
fn two_environments() {
    follow("environments.md");
}

#[test]
fn an_editor() {
    follow("editor.md");
}
