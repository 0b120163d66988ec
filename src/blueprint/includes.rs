//! The files that a blueprint includes: found, read through a function of the caller's, and parsed before anything is
//! evaluated.

use super::conceal::is_blueprint_text;
use super::source::{Explain, Source};
use crate::diag::{Diagnostic, Failure};
use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// How many bytes all included files may have: as many as one blueprint, twice.
const LARGEST: usize = 32 * 1024 * 1024;

/// How deep files may include files.
const DEEPEST: usize = 32;

/// What became of an `include:`.
#[derive(Debug, Clone)]
pub(crate) enum Include {
    /// The file.
    File(Arc<Source>),
    /// The file is there and cannot be read as YAML.
    Unreadable(Box<Diagnostic>),
    /// There is no file to read.
    Missing {
        /// Why.
        message: String,
        /// What to do.
        help: String,
    },
}

/// The included files of one file, by what is behind `include:`.
pub(crate) type Includes = BTreeMap<String, Include>;

/// Reads a file.
pub type Read<'a> = &'a dyn Fn(&Path) -> Result<Vec<u8>, Failure>;

/// Opens and reads a file, which lies below a folder if one is given: the file that was opened, whatever links lead to
/// it. The error is as that of [`Read`].
pub type Open<'a> = &'a dyn Fn(&Path, Option<&Path>) -> Result<Opened, Failure>;

/// A file that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The folder in which it really is: links are followed.
    pub folder: PathBuf,
}

/// Reads what a source includes, and what that includes, every file once.
pub(super) fn gather(source: &mut Source, open: Open<'_>) {
    let path = normal(Path::new(&source.file.name));
    let mut stack = vec![path];
    Gather { open, known: HashMap::new(), bytes: 0 }.fill(source, None, &mut stack);
}

struct Gather<'a> {
    open: Open<'a>,
    /// What was read, by its path and by the folder that it must lie below.
    known: HashMap<(PathBuf, Option<PathBuf>), Include>,
    /// How many bytes were read.
    bytes: usize,
}

impl Gather<'_> {
    /// `real` is the folder in which the source really is, when it is a module: it reads nothing that is not below.
    fn fill(&mut self, source: &mut Source, real: Option<&Path>, stack: &mut Vec<PathBuf>) {
        let mut wanted: Vec<String> = wanted(source).map(str::to_owned).collect();
        wanted.sort();
        wanted.dedup();
        let folder = Path::new(&source.file.name).parent().unwrap_or(Path::new("")).to_owned();
        for include in wanted {
            let path = normal(&folder.join(&include));
            let found = match stack.iter().position(|open| *open == path) {
                Some(at) => circle(&stack[at..], &path),
                // What a module includes is its author's, who may be somebody else than who runs berth.
                None if stack.len() > 1 && !path.starts_with(normal(&folder)) => Include::Missing {
                    message: format!("`{include}` lies outside of the folder of the module that includes it"),
                    help: "a module includes only what lies below its own folder: move the file there"
                        .to_owned(),
                },
                None if stack.len() >= DEEPEST => Include::Missing {
                    message: format!("`{include}` is the {DEEPEST}th file in a row that includes the next"),
                    help: "this limit is fixed: include the inner files from one nearer to the blueprint"
                        .to_owned(),
                },
                None => match self.known.get(&(path.clone(), real.map(Path::to_owned))) {
                    Some(known) => known.clone(),
                    None => {
                        let found = self.one(&path, real, stack, source.explain);
                        self.known.insert((path, real.map(Path::to_owned)), found.clone());
                        found
                    }
                },
            };
            source.includes.insert(include, found);
        }
    }

    fn one(
        &mut self,
        path: &Path,
        real: Option<&Path>,
        stack: &mut Vec<PathBuf>,
        explain: Explain,
    ) -> Include {
        let Opened { bytes, folder } = match (self.open)(path, real) {
            Ok(opened) => opened,
            Err(Failure { message, help, .. }) => {
                let help = help.as_deref().unwrap_or("check the path and its permissions");
                let help = match message.contains("no such file") {
                    true => format!("{help}: it is relative to the folder of this file"),
                    false => help.to_owned(),
                };
                return Include::Missing { message, help };
            }
        };
        self.bytes += bytes.len();
        if self.bytes > LARGEST {
            return Include::Missing {
                message: format!("the files that are included have more than {} MiB together", LARGEST >> 20),
                help: "this limit is fixed: include less, and make several blueprints of it".to_owned(),
            };
        }
        match Source::explained(path.display().to_string(), &bytes, explain) {
            Ok(source) if !source.tree.is_object() => Include::Missing {
                message: format!("{} is not a YAML mapping, and so not a module", path.display()),
                help: "check the path: a module is a file with `parameters:`, sections and `outputs:`"
                    .to_owned(),
            },
            Ok(mut source) => {
                stack.push(path.to_owned());
                self.fill(&mut source, Some(&folder), stack);
                stack.pop();
                Include::File(Arc::new(source))
            }
            Err(diagnostic) if is_blueprint_text(&String::from_utf8_lossy(&bytes)) => {
                Include::Unreadable(Box::new(diagnostic))
            }
            // It may be any file of this machine: nothing of it is shown, the names of its fields neither.
            Err(diagnostic) => {
                let place =
                    diagnostic.span.as_ref().map_or_else(|| path.display().to_string(), ToString::to_string);
                Include::Missing {
                    message: format!("{place}: the file is not a module, and cannot be read as YAML"),
                    help: "check the path: a module is a file with `parameters:`, sections and `outputs:`"
                        .to_owned(),
                }
            }
        }
    }
}

/// What the modules of a file include; a path with an expression in it is refused later.
fn wanted(source: &Source) -> impl Iterator<Item = &str> {
    let modules = source.tree.get("modules").and_then(serde_json::Value::as_object);
    modules
        .into_iter()
        .flat_map(|modules| modules.values())
        .filter_map(|module| module.get("include")?.as_str())
        .filter(|include| !include.is_empty() && !super::expression::is_expression(include))
}

fn circle(open: &[PathBuf], last: &Path) -> Include {
    let names: Vec<String> =
        open.iter().map(PathBuf::as_path).chain([last]).map(|path| path.display().to_string()).collect();
    Include::Missing {
        message: match names.as_slice() {
            [one, _] => format!("`{one}` includes itself"),
            _ => format!("these files include each other: {}", names.join(" → ")),
        },
        help: "put what both need into a third file".to_owned(),
    }
}

/// A path without `.` and without the `..` that can be taken away by looking at it.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, files: &[(&str, &str)]) -> Source {
        let read = |path: &Path| {
            let name = path.display().to_string();
            let found = files.iter().find(|(file, _)| *file == name);
            found
                .map(|(_, text)| text.as_bytes().to_vec())
                .ok_or_else(|| Failure::new(format!("{name}: there is no such file"), "check the path"))
        };
        let text = files.iter().find(|(file, _)| *file == name).unwrap().1;
        Source::parse(name, text.as_bytes()).unwrap().with_includes(&read)
    }

    fn missing(include: &Include) -> &str {
        match include {
            Include::Missing { message, .. } => message,
            _ => panic!("{include:?}"),
        }
    }

    #[test]
    fn paths_are_meant_from_the_including_file() {
        let root = source(
            "live/shop.yaml",
            &[
                (
                    "live/shop.yaml",
                    "modules: { a: { include: ../lib/spoke.yaml }, b: { include: ./gone.yaml } }",
                ),
                ("lib/spoke.yaml", "modules: { c: { include: parts/x.yaml } }"),
                ("lib/parts/x.yaml", "outputs: {}"),
            ],
        );
        let Include::File(spoke) = &root.includes["../lib/spoke.yaml"] else { panic!() };
        assert_eq!(spoke.file.name, "lib/spoke.yaml");
        assert!(
            matches!(&spoke.includes["parts/x.yaml"], Include::File(x) if x.file.name == "lib/parts/x.yaml")
        );
        assert_eq!(missing(&root.includes["./gone.yaml"]), "live/gone.yaml: there is no such file");
    }

    #[test]
    fn a_module_stays_below_its_folder_and_other_files_show_nothing() {
        let root = source(
            "live/shop.yaml",
            &[
                (
                    "live/shop.yaml",
                    "modules: { a: { include: lib/a.yaml }, s: { include: ../etc/shadow }, t: { include: ../etc/text }, b: { include: b.yaml } }",
                ),
                (
                    "live/lib/a.yaml",
                    "modules: { u: { include: ../up.yaml }, e: { include: /etc/shadow }, d: { include: sub/d.yaml } }",
                ),
                ("live/lib/sub/d.yaml", "outputs: {}"),
                ("live/up.yaml", "outputs: {}"),
                ("etc/shadow", "root:$y$j9T$HUSH:19000:0:99999:7:::\ndaemon: x: y\n"),
                ("etc/text", "HUSH"),
                ("live/b.yaml", "outputs:\n  a: [\n"),
            ],
        );
        let Include::File(a) = &root.includes["lib/a.yaml"] else { panic!() };
        assert!(matches!(&a.includes["sub/d.yaml"], Include::File(_)));
        for outside in ["../up.yaml", "/etc/shadow"] {
            assert!(missing(&a.includes[outside]).contains("outside of the folder"), "{outside}");
        }
        for other in ["../etc/shadow", "../etc/text"] {
            assert!(!format!("{:?}", root.includes[other]).contains("HUSH"), "{other}");
        }
        // What is meant as a blueprint shows its line.
        assert!(matches!(&root.includes["b.yaml"], Include::Unreadable(_)));
    }

    #[test]
    fn circles_are_found() {
        let root = source(
            "a.yaml",
            &[
                ("a.yaml", "modules: { b: { include: b.yaml }, a: { include: ./a.yaml } }"),
                ("b.yaml", "modules: { a: { include: x/../a.yaml } }"),
            ],
        );
        assert_eq!(missing(&root.includes["./a.yaml"]), "`a.yaml` includes itself");
        let Include::File(b) = &root.includes["b.yaml"] else { panic!() };
        assert_eq!(
            missing(&b.includes["x/../a.yaml"]),
            "these files include each other: a.yaml → b.yaml → a.yaml"
        );
    }
}
