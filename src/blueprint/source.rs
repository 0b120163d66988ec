//! YAML in, JSON out, and the place of any path in it.
//!
//! `serde_yaml` is named here and in `place` only.

use super::includes::{self, Include, Includes, Read};
use super::place::{Index, span_at, span_of};
use crate::diag::{Diagnostic, SourceFile, Span};
use crate::value::token;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

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
    /// Reads a YAML text.
    ///
    /// # Errors
    /// When it is no YAML, has a key twice, or holds characters that berth keeps for itself.
    pub fn parse(name: impl Into<String>, bytes: &[u8]) -> Result<Self, Diagnostic> {
        let name = name.into();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            Err(error) => {
                let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
                let offset = valid.len();
                let file = Arc::new(SourceFile { name, text: valid });
                return Err(Diagnostic::error("not-utf8", "the file is not UTF-8 text")
                    .at(Some(span_at(&file, offset, 1)))
                    .help("save it as UTF-8"));
            }
        };
        let file = Arc::new(SourceFile { name, text });
        if let Some(offset) = file.text.find(token::is_reserved) {
            return Err(Diagnostic::error(
                "reserved-character",
                "a Unicode noncharacter that berth keeps for itself",
            )
            .at(Some(span_at(&file, offset, 3)))
            .help("remove the character"));
        }
        if let Some(offset) = too_deep(&file.text) {
            return Err(Diagnostic::error("yaml", "brackets stand more than 1000 deep in brackets")
                .at(Some(span_at(&file, offset, 1)))
                .help("nest less; a bracket that belongs to a text goes in quotes"));
        }
        let deserializer = serde_yaml::Deserializer::from_str(&file.text);
        match Tree.deserialize(deserializer) {
            Ok(Value::Null) => Err(empty(&file)),
            Ok(tree) => Ok(Source { file, tree, includes: Includes::new(), index: OnceLock::new() }),
            Err(error) => Err(explain(&file, &error)),
        }
    }

    /// The source with the files that it includes, and those that they include. `read` gets paths that are meant as the
    /// source's own name is: from the working folder.
    pub fn with_includes(mut self, read: Read<'_>) -> Self {
        includes::gather(&mut self, read);
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

    /// A digest (SHA-256, hexadecimal) of all files with their names: it changes when any of them does.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for file in self.files() {
            for text in [&file.name, &file.text] {
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text.as_bytes());
            }
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The place of a dotted path (`networks.hub.subnets`), or of the nearest thing above it that is there.
    pub(crate) fn locate(&self, path: &str, at: At) -> Option<Span> {
        self.index.get_or_init(|| Index::new(&self.file.text)).locate(self, path, at)
    }
}

/// Where brackets stand deeper in brackets than anything could be read: the YAML parser takes a time for them that grows
/// with the square of the depth.
///
/// Texts may hold brackets that are never closed, so a line that begins with a key counts from the beginning.
fn too_deep(text: &str) -> Option<usize> {
    const DEEPEST: usize = 1_000;
    let (mut depth, mut start) = (0usize, 0);
    for line in text.split_inclusive('\n') {
        let plain = line.trim_start();
        let key = plain.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        if key > 0 && plain[key..].starts_with(':') {
            depth = 0;
        }
        for (at, byte) in line.bytes().enumerate() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => continue,
            }
            if depth > DEEPEST {
                return Some(start + at);
            }
        }
        start += line.len();
    }
    None
}

fn explain(file: &Arc<SourceFile>, error: &serde_yaml::Error) -> Diagnostic {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let span = error.location().map(|place| span_of(file, &place));
    let line = span.as_ref().and_then(|span| file.text.lines().nth(span.line.saturating_sub(1)));
    if let Some(message) = message.strip_prefix(DUPLICATE) {
        return Diagnostic::error("duplicate-key", format!("the key `{message}` is here twice"))
            .at(span)
            .help("keep one of the two, or give one another name");
    }
    if let Some(message) = message.strip_prefix(KEY) {
        return Diagnostic::error("yaml", message.to_owned())
            .at(span)
            .help("write the key as text, in quotes");
    }
    // `{ a: ${x} }`: to YAML the brace after the dollar opens a mapping.
    let flow = |line: &str| {
        let at = line.find("${").filter(|&at| !line[..at].ends_with(['"', '\'']));
        at.is_some_and(|at| line[..at].contains(['{', '[']))
    };
    if let Some(line) = line.filter(|line| flow(line)) {
        let at = line.find("${").unwrap_or_default();
        let start = span.as_ref().map_or(0, |span| {
            file.text.lines().take(span.line - 1).map(|line| line.len() + 1).sum::<usize>()
        });
        return Diagnostic::error(
            "unquoted-expression",
            "an expression inside `{ }` or `[ ]` must be in quotes",
        )
        .at(Some(span_at(file, start + at, 2)))
        .help(
            "write \"${…}\" with double quotes around it: YAML reads a bare `{` as the start of a mapping",
        );
    }
    let help = if message.contains("found character that cannot start any token") {
        "YAML takes spaces, not tabs, for indentation; a text that starts with a special character goes in quotes"
    } else if message.contains("more than one document") {
        "a blueprint is one YAML document: remove the `---` that starts the second"
    } else if message.contains("unknown anchor") {
        "an alias `*name` repeats what `&name` marked before it; a text that starts with `*` goes in quotes"
    } else if message.contains("repetition limit") || message.contains("recursion limit") {
        "nest less, and use fewer aliases of aliases"
    } else {
        "look at this line and the one above: indentation, a missing colon, or a quote that is not closed"
    };
    let message = match message.contains("more than one document") {
        true => "the file has more than one document".to_owned(),
        false => message,
    };
    Diagnostic::error("yaml", message).at(span.or_else(|| Some(span_at(file, 0, 1)))).help(help)
}

fn empty(file: &Arc<SourceFile>) -> Diagnostic {
    Diagnostic::error("empty", "the file says nothing")
        .at(Some(span_at(file, 0, 1)))
        .help("start with `blueprint: NAME`; `blueprints/quickstart.yaml` is an example")
}

const DUPLICATE: &str = "duplicate key: ";
const KEY: &str = "key: ";

/// Reads any YAML value as JSON.
struct Tree;

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key_seed(Key { known: &members })? {
            members.insert(key, entries.next_value_seed(Tree)?);
        }
        Ok(Value::Object(members))
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(A::Error::custom("a tag (`!…`) has no meaning in a blueprint"))
    }
}

/// Reads a key, and refuses it where it would be the second of its name: there the place is still known.
struct Key<'a> {
    known: &'a Map<String, Value>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        if self.known.contains_key(key) {
            return Err(E::custom(format_args!("{DUPLICATE}{key}")));
        }
        Ok(key.to_owned())
    }

    fn visit_bool<E: serde::de::Error>(self, key: bool) -> Result<String, E> {
        Err(E::custom(format_args!("{KEY}YAML reads this key as the truth value {key}")))
    }

    fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, key: f64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<String, E> {
        Err(E::custom(format_args!("{KEY}a key is missing before the colon")))
    }
}

/// Reads a small YAML value from a text (a `-p` value, say).
///
/// # Errors
/// When it is no YAML.
pub fn parse_value(text: &str) -> Result<Value, String> {
    let deserializer = serde_yaml::Deserializer::from_str(text);
    Tree.deserialize(deserializer).map_err(|error| error.to_string())
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
            ("a:\n\tb: 1\n", "yaml", "x.yaml:2:1"),
            ("", "empty", "x.yaml:1:1"),
            ("a: [1\nb: 2\n", "yaml", "x.yaml:2:2"),
            ("true: 1\n", "yaml", "x.yaml:1:1"),
            ("a: \u{FDD0}\n", "reserved-character", "x.yaml:1:4"),
        ] {
            let diagnostic = Source::parse("x.yaml", text.as_bytes()).unwrap_err();
            assert_eq!(diagnostic.code, code, "{text}: {diagnostic:?}");
            assert_eq!(diagnostic.span.unwrap().to_string(), place, "{text}");
            assert!(diagnostic.help.is_some());
        }
        assert_eq!(Source::parse("x", b"a: \xff").unwrap_err().code, "not-utf8");
    }
}
