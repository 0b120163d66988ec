//! YAML as JSON, and what is wrong with it in a platform engineer's words.

use super::simple;
use super::span::{span_at, span_of};
use crate::diag::{Code, Diagnostic, SourceFile};
use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// What a file says.
///
/// # Errors
/// When it is not YAML, says nothing, or says what no blueprint can.
pub(super) fn tree(file: &Arc<SourceFile>) -> Result<Value, Diagnostic> {
    if let Some(tree) = simple::tree(&file.text) {
        return Ok(tree);
    }
    match library(&file.text) {
        Ok(Value::Null) => Err(empty(file)),
        Ok(tree) => Ok(tree),
        Err(error) => Err(explain(file, &error)),
    }
}

/// A small YAML value from a text.
///
/// # Errors
/// When it is not YAML.
pub(super) fn value(text: &str) -> Result<Value, Diagnostic> {
    let file = Arc::new(SourceFile { name: String::new(), text: text.to_owned() });
    library(text).map_err(|error| explain(&file, &error))
}

/// The line, from 1, at which a text stops being YAML.
pub(super) fn failing_line(text: &str) -> Option<usize> {
    library(text).err().map(|error| error.location().map_or(1, |place| place.line()))
}

/// What the YAML library makes of a text.
pub(super) fn library(text: &str) -> Result<Value, serde_yaml::Error> {
    let left = Cell::new(text.len() * 3 + REPEATED);
    (Tree { left: &left }).deserialize(serde_yaml::Deserializer::from_str(text))
}

/// How many bytes of text and values aliases may repeat in one file. Two megabytes are more than anybody reads, and a
/// few lines of aliases of aliases are worth billions.
const REPEATED: usize = 2 * 1024 * 1024;

/// Stands around what this module itself has to say, which the parser puts a path before and a place behind.
const MARK: char = '\u{1}';

/// An error with a code, a message and a remedy of its own.
fn told<E: Error>(code: &Code, message: impl fmt::Display, help: &str) -> E {
    E::custom(format_args!("{MARK}{}{MARK}{message}{MARK}{help}{MARK}", code.name))
}

pub(super) const DUPLICATE_KEY: Code = Code {
    name: "duplicate-key",
    why: "A key is twice in one mapping. Most YAML readers would silently take the second one; berth does not guess.",
    remedy: "Rename or remove one of them.",
    example: "networks: { hub: { … }, spoke: { … } }",
};

pub(super) const MERGE_KEY: Code = Code {
    name: "merge-key",
    why: "Some readers of YAML 1.1 take `<<: *name` for all fields of another mapping. A reader of the file has to know which fields win, so berth has other ways to say things once.",
    remedy: "Repeat a whole mapping as an alias `*name`, or make many entries of one with `forEach` or a module.",
    example: "identities: { app: { forEach: [blue, green] } }",
};

pub(super) const UNQUOTED_EXPRESSION: Code = Code {
    name: "unquoted-expression",
    why: "Inside `{ }` and `[ ]`, YAML reads the `{` of `${…}` as a mapping of its own.",
    remedy: "Put quotes around the expression.",
    example: "clusters: { aks: { identity: \"${identities.app}\" } }",
};

pub(super) const YAML: Code = Code {
    name: "yaml",
    why: "The file is not YAML, or YAML that no blueprint can be: an indentation that does not fit, a quote that is not closed, a tab, a tag, aliases that repeat too much, nesting without end.",
    remedy: "Look at the place and the line above it.",
    example: "networks:\n  hub:\n    addressSpace: [10.20.0.0/16]",
};

/// The remedy when only the place is known.
pub(super) const VAGUE: &str =
    "look at this line and the one above: indentation, a missing colon, or a quote that is not closed";
pub(super) const TABS: &str = "YAML takes spaces, not tabs, for indentation; a text that starts with a special character goes in quotes";

fn explain(file: &Arc<SourceFile>, error: &serde_yaml::Error) -> Diagnostic {
    let text = error.to_string();
    let span = error.location().map(|place| span_of(file, &place));
    let mut own = text.split(MARK).skip(1);
    if let (Some(code), Some(message), Some(help)) = (own.next(), own.next(), own.next()) {
        let code = [&DUPLICATE_KEY, &MERGE_KEY].into_iter().find(|known| known.name == code).unwrap_or(&YAML);
        return Diagnostic::error(code, message).at(span).help(help);
    }
    let message = text.split_once(" at line ").map_or(&*text, |(message, _)| message);
    if let Some(at) = span.as_ref().and_then(|span| bare_expression(&file.text, span.offset)) {
        return Diagnostic::error(
            &UNQUOTED_EXPRESSION,
            "an expression inside `{ }` or `[ ]` must be in quotes",
        )
        .at(Some(span_at(file, at, 2)))
        .help(
            "write \"${…}\" with double quotes around it: YAML reads a bare `{` as the start of a mapping",
        );
    }
    if message.contains("more than one document") {
        return Diagnostic::error(&YAML, "the file has more than one document")
            .at(Some(span_at(file, second_document(&file.text), 3)))
            .help("a blueprint is one YAML document: remove this line, and what is behind it");
    }
    let (message, help) = if message.contains("found character that cannot start any token") {
        (message, TABS)
    } else if message.contains("unknown anchor") {
        (
            message,
            "an alias `*name` repeats what `&name` marked before it; a text that starts with `*` goes in quotes",
        )
    } else if message.contains("recursion limit") {
        (
            "lists and mappings are nested too deep here: more than 128 in each other",
            "this limit is fixed: nest less, for example by parameters or modules; an alias cannot be in what it repeats",
        )
    } else if message.contains("repetition limit") {
        (BOMB, FEWER)
    } else {
        (message, VAGUE)
    };
    Diagnostic::error(&YAML, message).at(span.or_else(|| Some(span_at(file, 0, 1)))).help(help)
}

/// `{ a: ${x} }`: to YAML the brace after the dollar opens a mapping, and that is where it minds; or where the line is
/// in disorder for it afterwards.
fn bare_expression(text: &str, offset: usize) -> Option<usize> {
    if text[..offset].ends_with('$') && text[offset..].starts_with('{') {
        return Some(offset - 1);
    }
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let at =
        line.find("${").filter(|&at| !line[..at].contains(['"', '\'']) && line[..at].contains(['{', '[']));
    at.map(|at| start + at)
}

const BOMB: &str = "the aliases (`*name`) of this file repeat too much";
const FEWER: &str =
    "this limit is fixed: use fewer aliases of aliases; `forEach` and `modules` make many of one thing";

/// Where the line is that begins a second document: `---` when something was said before, or what follows a `...`.
fn second_document(text: &str) -> usize {
    let (mut at, mut said, mut ended) = (0, false, false);
    for line in text.split_inclusive('\n') {
        let plain = line.trim();
        let is_mark = |mark: &str| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        };
        if !plain.is_empty() && !plain.starts_with(['#', '%']) {
            if ended || (said && is_mark("---")) {
                return at;
            }
            ended = is_mark("...");
            said = true;
        }
        at += line.len();
    }
    0
}

/// The code of a file with nothing in it.
pub const EMPTY: Code = Code {
    name: "empty",
    why: "The file has nothing in it, or only comments.",
    remedy: "Begin with a name; `berth init` writes a blueprint to start from.",
    example: "blueprint: shop",
};

fn empty(file: &Arc<SourceFile>) -> Diagnostic {
    Diagnostic::error(&EMPTY, "the file says nothing")
        .at(Some(span_at(file, 0, 1)))
        .help("start with `blueprint: NAME`; `blueprints/quickstart.yaml` is an example")
}

/// Reads any YAML value as JSON.
#[derive(Clone, Copy)]
struct Tree<'a> {
    /// How many bytes more the file may be worth.
    left: &'a Cell<usize>,
}

impl Tree<'_> {
    fn spend<E: Error>(self, bytes: usize) -> Result<(), E> {
        match self.left.get().checked_sub(bytes + 1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(told(&YAML, BOMB, FEWER)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.spend(0).map(|()| value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.spend(0).map(|()| value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.spend(0).map(|()| value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.spend(value.len()).map(|()| Value::String(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.spend(0).map(|()| Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let mut members = Map::new();
        while let Some(key) = entries.next_key_seed(Key { known: &members })? {
            self.spend(key.len())?;
            members.insert(key, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(members))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(told(
            &YAML,
            "a tag (`!…`) has no meaning in a blueprint",
            "remove the tag; a text that starts with `!` goes in quotes",
        ))
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

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if self.known.contains_key(key) {
            let message = format!("the key `{key}` is here twice");
            return Err(told(&DUPLICATE_KEY, message, "keep one of the two, or give one another name"));
        }
        if key == "<<" {
            return Err(told(
                &MERGE_KEY,
                "`<<` merges nothing: it is not part of the YAML that berth reads",
                "write the fields out, give the whole mapping as an alias `*name`, or let `forEach` or a module repeat it",
            ));
        }
        Ok(key.to_owned())
    }

    fn visit_bool<E: Error>(self, key: bool) -> Result<String, E> {
        let message = format!("YAML reads this key as the truth value {key}");
        Err(told(&YAML, message, "write the key as text, in quotes"))
    }

    fn visit_i64<E: Error>(self, key: i64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_u64<E: Error>(self, key: u64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_f64<E: Error>(self, key: f64) -> Result<String, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Err(told(&YAML, "a key is missing before the colon", "write the key as text, in quotes"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        Err(told(&YAML, "a list cannot be a key", WORD))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        Err(told(&YAML, "a mapping cannot be a key", WORD))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        Err(told(&YAML, "a tag (`!…`) has no meaning in a blueprint", "write the key as text, in quotes"))
    }
}

const WORD: &str = "a key is a text: put it in quotes if it starts with `[`, `{` or `?`";
