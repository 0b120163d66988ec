//! YAML in, JSON out, and the place of any path in it.
//!
//! `serde_yaml` is named in `yaml` and `place` only.

use super::conceal;
use super::includes::{self, Include, Includes, Open, Opened, Read};
use super::place::Index;
use super::slips::typing;
use super::{text, yaml};
use crate::diag::{Diagnostic, SourceFile, Span};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The sections that are not entries.
pub(super) const HEAD: &[&str] = &["blueprint", "parameters", "azure", "modules", "outputs"];

/// Which slip of the hand explains an error of YAML, when one does.
pub(super) type Explain = fn(&Arc<SourceFile>, &Diagnostic) -> Option<Diagnostic>;

/// A YAML file, read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The text and its name.
    pub file: Arc<SourceFile>,
    /// What it says.
    pub tree: Value,
    /// The files that its modules include.
    pub(crate) includes: Includes,
    index: OnceLock<Index>,
    /// What explains the errors of the files that it includes, as it did its own.
    pub(super) explain: Explain,
    /// Whether no line of it may be shown.
    hidden: bool,
    /// The file that this is a part of, and the path of the part.
    part_of: Option<(Arc<Source>, &'static str)>,
}

/// Which end of a mapping entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl Source {
    /// Reads a YAML text. [`parse`](super::parse) reads a blueprint, and knows more of what may be wrong with it.
    ///
    /// # Errors
    /// When it is not YAML, is larger than 16 MiB, has a key twice, or holds characters that berth keeps for itself. The
    /// excerpt shows no value: which of them are secrets is not known yet.
    pub fn parse(name: impl Into<String>, bytes: &[u8]) -> Result<Self, Diagnostic> {
        Self::explained(name.into(), bytes, typing::in_text)
    }

    /// [`Source::parse`], with what explains an error.
    pub(super) fn explained(name: String, bytes: &[u8], explain: Explain) -> Result<Self, Diagnostic> {
        let file = text::decode(name, bytes).map_err(conceal::veiled)?;
        let tree = yaml::tree(&file);
        let tree = tree.map_err(|error| explain(&file, &error).unwrap_or(error)).map_err(conceal::veiled)?;
        Ok(Self::of(file, tree, explain))
    }

    /// [`Source::parse`] for a text in which something was put right, to see whether that helps.
    pub(super) fn plain(name: &str, text: &str) -> Result<Self, Diagnostic> {
        let file = text::decode(name.to_owned(), text.as_bytes())?;
        let tree = yaml::tree(&file)?;
        Ok(Self::of(file, tree, |_, _| None))
    }

    /// The same file, taken to say something else. Its places are those of the old text.
    pub(super) fn saying(&self, tree: Value) -> Self {
        Source { tree, ..self.clone() }
    }

    fn of(file: Arc<SourceFile>, tree: Value, explain: Explain) -> Self {
        let (includes, index) = (Includes::new(), OnceLock::new());
        Source { file, tree, includes, index, explain, hidden: false, part_of: None }
    }

    /// What a file says under one of its keys, as a file of its own. Places are those of the whole file.
    pub(super) fn part(whole: &Arc<Source>, key: &'static str) -> Self {
        Source {
            file: whole.file.clone(),
            tree: whole.tree.get(key).cloned().unwrap_or_default(),
            includes: Includes::new(),
            index: OnceLock::new(),
            explain: whole.explain,
            hidden: whole.hidden,
            part_of: Some((whole.clone(), key)),
        }
    }

    /// A file of which no line is ever shown, only places: a values file, which may hold secrets.
    pub fn without_excerpts(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// The source with the files that it includes, and those that they include. `read` gets paths that are meant as the
    /// source's own name is: from the working folder.
    pub fn with_includes(self, read: Read<'_>) -> Self {
        let open = |path: &Path, _: Option<&Path>| {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            Ok(Opened { bytes: read(path)?, folder })
        };
        self.with_included_files(&open)
    }

    /// [`Source::with_includes`] for files of a disk, where links may lead out of a module's folder.
    pub fn with_included_files(mut self, open: Open<'_>) -> Self {
        includes::gather(&mut self, open);
        self
    }

    /// Every file: this one and those it includes, each once, in the order of their names.
    pub fn files(&self) -> Vec<Arc<SourceFile>> {
        self.all().into_iter().map(|source| source.file.clone()).collect()
    }

    /// [`Source::files`], read.
    pub fn all(&self) -> Vec<&Source> {
        let mut files = BTreeMap::new();
        let mut open = vec![self];
        while let Some(source) = open.pop() {
            if files.insert(source.file.name.clone(), source).is_none() {
                open.extend(source.includes.values().filter_map(|include| match include {
                    Include::File(source) => Some(&**source),
                    _ => None,
                }));
            }
        }
        files.into_values().collect()
    }

    /// The place of a dotted path (`networks.hub.subnets`), or of the nearest thing above it that is there.
    pub(crate) fn locate(&self, path: &str, at: At) -> Option<Span> {
        if let Some((whole, key)) = &self.part_of {
            let path = if path.is_empty() { (*key).to_owned() } else { format!("{key}.{path}") };
            return whole.locate(&path, at);
        }
        let path = super::written::as_written(&self.tree, path);
        let mut span = self.index.get_or_init(|| Index::new(&self.file.text)).locate(self, &path, at)?;
        if self.hidden {
            span.file = Arc::new(SourceFile { name: self.file.name.clone(), text: String::new() });
        }
        Some(span)
    }
}

/// Reads a small YAML value from a text (a `-p` value, say).
///
/// # Errors
/// When it is not YAML.
pub fn parse_value(text: &str) -> Result<Value, Diagnostic> {
    yaml::value(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = "\
blueprint: shop
networks:
  hub:
    addressSpace: [10.0.0.0/16, 10.1.0.0/16]
    subnets:
      nodes: { prefix: 10.0.0.0/20, \"a.b\": x }
list:
  - a: 1
  - b: 2
";

    #[test]
    fn reads_yaml_in_order() {
        let source = Source::parse("b.yaml", TEXT.as_bytes()).unwrap();
        assert_eq!(source.tree["list"], json!([{ "a": 1 }, { "b": 2 }]));
        assert_eq!(
            source.tree.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["blueprint", "networks", "list"]
        );
    }

    #[test]
    fn finds_the_place_of_any_path() {
        let source = Source::parse("b.yaml", TEXT.as_bytes()).unwrap();
        for (path, at, place) in [
            ("blueprint", At::Key, (1, 1)),
            ("blueprint", At::Value, (1, 12)),
            ("networks.hub", At::Key, (3, 3)),
            ("networks.hub.addressSpace[1]", At::Value, (4, 33)),
            ("networks.hub.subnets.nodes.prefix", At::Key, (6, 16)),
            ("networks.hub.subnets.nodes.prefix", At::Value, (6, 24)),
            ("networks.hub.subnets.nodes.a.b", At::Value, (6, 44)),
            ("list[1].b", At::Value, (9, 8)),
            ("list[1]", At::Value, (9, 5)),
            ("networks.hub.gone.away", At::Value, (3, 3)),
        ] {
            let span = source.locate(path, at).unwrap();
            assert_eq!((span.line, span.column), place, "{path}");
        }
    }

    #[test]
    fn mistakes_have_a_place_and_a_remedy() {
        for (text, code, place) in [
            ("a: 1\na: 2\n", "duplicate-key", "x.yaml:2:1"),
            ("a: { b: ${c.d} }\n", "unquoted-expression", "x.yaml:1:9"),
            ("a: [x, '${b}', ${c.d}]\n", "unquoted-expression", "x.yaml:1:16"),
            ("a: { b: name-${c.d}-x }\n", "unquoted-expression", "x.yaml:1:14"),
            ("a: {\n  b: c,\n  d: ${c.d},\n}\n", "unquoted-expression", "x.yaml:3:6"),
            ("a:\n  - { b: ${c['d']} }\n", "unquoted-expression", "x.yaml:2:10"),
            ("a:\n\tb: 1\n", "yaml", "x.yaml:2:1"),
            ("", "empty", "x.yaml:1:1"),
            ("a: [1\nb: 2\n", "yaml", "x.yaml:1:4"),
            ("true: 1\n", "yaml", "x.yaml:1:1"),
            ("a: \u{FDD0}\n", "reserved-character", "x.yaml:1:4"),
        ] {
            let diagnostic = Source::parse("x.yaml", text.as_bytes()).unwrap_err();
            assert_eq!(diagnostic.code.name, code, "{text}: {diagnostic:?}");
            assert_eq!(diagnostic.span.unwrap().to_string(), place, "{text}");
            assert!(diagnostic.help.is_some());
        }
        assert_eq!(Source::parse("x", b"a: \xff").unwrap_err().code.name, "not-utf8");
    }
}
