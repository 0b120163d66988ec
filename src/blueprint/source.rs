//! YAML in, JSON out, and the place of any path in it.
//!
//! `serde_yaml` is named in this file only. It places every error raised while it deserialises, so a path is found
//! by walking to it and raising an error there: nothing is spent on places until something is wrong.

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::value::token;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// A YAML file, read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The text and its name.
    pub file: Arc<SourceFile>,
    /// What it says.
    pub tree: Value,
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
        let deserializer = serde_yaml::Deserializer::from_str(&file.text);
        match Tree.deserialize(deserializer) {
            Ok(Value::Null) => Err(empty(&file)),
            Ok(tree) => Ok(Source { file, tree }),
            Err(error) => Err(explain(&file, &error)),
        }
    }

    /// The place of a dotted path (`networks.hub.subnets`), or of the nearest thing above it that is there.
    pub(crate) fn locate(&self, path: &str, at: At) -> Option<Span> {
        let mut path = path;
        // A mapping or list has no place of its own that says as much as its key.
        let container =
            crate::value::get_path(&self.tree, path).is_some_and(|v| v.is_object() || v.is_array());
        let mut at = if container { At::Key } else { at };
        loop {
            let walk = Walk { path, at, key: false };
            let deserializer = serde_yaml::Deserializer::from_str(&self.file.text);
            if let Err(error) = walk.deserialize(deserializer)
                && error.to_string().contains(HERE)
                && let Some(place) = error.location()
            {
                return Some(span_of(&self.file, &place));
            }
            let cut = path.rfind(['.', '['])?;
            path = &path[..cut];
            at = At::Key;
        }
    }
}

/// The span of what stands at a place; libyaml counts characters, not bytes.
fn span_of(file: &Arc<SourceFile>, place: &serde_yaml::Location) -> Span {
    let line = place.line().saturating_sub(1);
    let start: usize = file.text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = file.text[start..].lines().next().unwrap_or_default();
    let offset =
        within.char_indices().nth(place.column().saturating_sub(1)).map_or(within.len(), |(at, _)| at);
    span_at(file, start + offset, 0)
}

/// The span of the token that starts at a byte offset; `length` 0 is as long as the text there.
fn span_at(file: &Arc<SourceFile>, offset: usize, length: usize) -> Span {
    let text = &file.text;
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let rest = text[offset..].lines().next().unwrap_or_default();
    let length = match length {
        0 => token_length(rest, is_flow(&text[start..offset])).max(1),
        given => given,
    };
    Span {
        file: file.clone(),
        line: text[..offset].matches('\n').count() + 1,
        column: text[start..offset].chars().count() + 1,
        offset,
        length,
    }
}

/// Whether a `{` or `[` of this line is still open where the text ends.
fn is_flow(before: &str) -> bool {
    let count = |these: [char; 2]| before.matches(these).count();
    count(['{', '[']) > count(['}', ']'])
}

/// How many bytes of a line belong to the scalar or key that starts it.
fn token_length(rest: &str, flow: bool) -> usize {
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        _ => {
            let end = rest.find(": ").or_else(|| rest.strip_suffix(':').map(str::len)).unwrap_or(rest.len());
            let end = rest[..end].find(" #").unwrap_or(end);
            let end = rest[..end].find([',', '}', ']']).filter(|_| flow).unwrap_or(end);
            rest[..end].trim_end_matches([' ', ',', '}', ']']).len()
        }
    }
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
const HERE: &str = "\u{1}here\u{1}";

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

/// Walks to a path and raises an error there.
struct Walk<'p> {
    path: &'p str,
    at: At,
    /// Whether this reads the key whose place is wanted.
    key: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() && !self.key {
            // Raised while a value is visited, so that it carries the value's place.
            return deserializer.deserialize_any(Raise);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let wanted = self.path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let Some((index, rest)) = wanted.and_then(|(index, rest)| Some((index.parse::<usize>().ok()?, rest)))
        else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        for _ in 0..index {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        let path = rest.strip_prefix('.').unwrap_or(rest);
        items.next_element_seed(Walk { path, at: self.at, key: false })?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(rest) = entries.next_key_seed(Step { path: self.path, at: self.at })? {
            match rest {
                Some(path) => entries.next_value_seed(Walk { path, at: self.at, key: false })?,
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a key: what remains of the path when it is the next step, or an error there when the key is what is wanted.
struct Step<'p> {
    path: &'p str,
    at: At,
}

impl<'de, 'p> DeserializeSeed<'de> for Step<'p> {
    type Value = Option<&'p str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'p> Visitor<'de> for Step<'p> {
    type Value = Option<&'p str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        let Some(rest) = self.path.strip_prefix(key) else { return Ok(None) };
        if rest.is_empty() && self.at == At::Key {
            return Err(E::custom(HERE));
        }
        Ok(match rest.chars().next() {
            None | Some('[') => Some(rest),
            Some('.') => Some(&rest[1..]),
            Some(_) => None,
        })
    }

    fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<Self::Value, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<Self::Value, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, key: f64) -> Result<Self::Value, E> {
        self.visit_str(&key.to_string())
    }
}

/// Raises the error that carries the place.
struct Raise;

impl<'de> Visitor<'de> for Raise {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HERE)
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(HERE))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(HERE))
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
