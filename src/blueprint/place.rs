//! The place of any path in a YAML text.
//!
//! `serde_yaml` places every error raised while it deserialises, so a path is found by walking to it and raising an
//! error there: nothing is spent on places until something is wrong. A walk reads the text from its beginning, which
//! takes long in a large file with many mistakes; so the lines at which entries begin are found once, and the walk goes
//! through the lines of one entry. Where even that would be too long, lines alone tell the place.

use super::source::{At, Source};
use super::span::{is_flow, token_length};
use crate::diag::{SourceFile, Span};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

const HERE: &str = "\u{1}here\u{1}";

/// Where the lines of a text begin, and those of its entries.
#[derive(Debug, Clone)]
pub(super) struct Index {
    /// The byte offset of every line.
    lines: Vec<usize>,
    /// The lines of `section.key`, first and behind the last, from 0. Only what is in lines of its own is here.
    entries: HashMap<String, (usize, usize)>,
    /// How many bytes were walked through so far.
    walked: Arc<AtomicUsize>,
    /// The lines and columns, from 1, of keys in block style; found when walking has become too long.
    keys: OnceLock<HashMap<String, (usize, usize)>>,
}

/// How many bytes are walked through before places are looked up by lines alone. What is walked to is exact; a text
/// that is worth more walks than this has more mistakes than anybody reads.
const WALKED: usize = 8 * 1024 * 1024;

impl Index {
    pub(super) fn new(text: &str) -> Self {
        let mut lines = vec![0];
        lines.extend(text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(at, _)| at + 1));
        let (walked, keys) = (Arc::default(), OnceLock::new());
        let mut index = Index { lines, entries: HashMap::new(), walked, keys };
        index.find_entries(text);
        index
    }

    /// Small texts are walked from the beginning; that is certain to be right.
    fn find_entries(&mut self, text: &str) {
        if text.len() < 64 * 1024 {
            return;
        }
        let mut section = "";
        let mut indent = 0;
        let mut open: Option<(String, usize)> = None;
        for at in 0..self.lines.len() {
            let line = self.line(text, at);
            let plain = line.trim_start_matches(' ');
            if plain.is_empty() || plain.starts_with(['#', '\r']) {
                continue;
            }
            let depth = line.len() - plain.len();
            let ends = depth == 0 || section.is_empty() || (indent > 0 && depth <= indent);
            if ends && let Some((path, from)) = open.take() {
                self.entries.insert(path, (from, at));
            }
            let key = plain
                .split_once(':')
                .map(|(key, _)| key)
                .filter(|key| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            if depth == 0 {
                section = key.unwrap_or_default();
                indent = 0;
            } else if !section.is_empty() && (indent == 0 || depth == indent) {
                indent = depth;
                open = key.map(|key| (format!("{section}.{key}"), at));
            }
        }
        if let Some((path, from)) = open {
            self.entries.insert(path, (from, self.lines.len()));
        }
    }

    fn line<'t>(&self, text: &'t str, at: usize) -> &'t str {
        let end = self.lines.get(at + 1).map_or(text.len(), |end| end - 1);
        &text[self.lines[at]..end]
    }

    /// See [`Source::locate`].
    pub(super) fn locate(&self, source: &Source, path: &str, at: At) -> Option<Span> {
        // A mapping or list has no place of its own that says as much as its key.
        let container =
            crate::value::get_path(&source.tree, path).is_some_and(|v| v.is_object() || v.is_array());
        let at = if container { At::Key } else { at };
        let text = &source.file.text;
        let mut dots = path.match_indices(['.', '[']).map(|(at, _)| at);
        let entry = &path[..dots.nth(1).unwrap_or(path.len())];
        if let Some((section, _)) = entry.split_once('.')
            && let Some(&(from, to)) = self.entries.get(entry)
        {
            let end = self.lines.get(to).copied().unwrap_or(text.len());
            let slice = &text[self.lines[from]..end];
            if self.is_far(slice.len()) {
                return self.near(source, path, at);
            }
            if let Some((line, column)) = walk(slice, &path[section.len() + 1..], at) {
                return Some(self.span(&source.file, from + line, column));
            }
        }
        if self.is_far(text.len()) {
            return self.near(source, path, at);
        }
        let (line, column) = walk(text, path, at)?;
        Some(self.span(&source.file, line, column))
    }

    /// Whether walking through so many bytes more would be too long.
    fn is_far(&self, bytes: usize) -> bool {
        self.walked.fetch_add(bytes, Ordering::Relaxed) > WALKED
    }

    /// The place of a path, or of what is around it, as far as lines tell.
    fn near(&self, source: &Source, path: &str, mut at: At) -> Option<Span> {
        let text = &source.file.text;
        let keys = self.keys.get_or_init(|| super::places::lines(text));
        let mut path = path;
        loop {
            let is_there = crate::value::get_path(&source.tree, path).is_some();
            if let Some(&(line, column)) = keys.get(path).filter(|_| is_there) {
                let (line, column) = (line - 1, column - 1);
                let key = self.line(text, line).get(column..).unwrap_or_default();
                let value = key
                    .find(": ")
                    .map(|at| at + 1 + (key[at + 1..].len() - key[at + 1..].trim_start().len()));
                // Keys have one byte for each character, and nothing but spaces before them.
                let plain =
                    |at: &usize| !key[*at..].starts_with(['|', '>', '&', '*', '!', '#']) && *at < key.len();
                let within = value.filter(plain).filter(|_| at == At::Value && key.is_ascii()).unwrap_or(0);
                return Some(self.span(&source.file, line, column + within));
            }
            let Some(cut) = path.rfind(['.', '[']) else { return Some(self.span(&source.file, 0, 0)) };
            path = &path[..cut];
            at = At::Key;
        }
    }

    /// The span of what is at a line and column, both from 0; libyaml counts characters, not bytes.
    fn span(&self, file: &Arc<SourceFile>, line: usize, column: usize) -> Span {
        let line = line.min(self.lines.len() - 1);
        let within = self.line(&file.text, line);
        let offset = within.char_indices().nth(column).map_or(within.len(), |(at, _)| at);
        let rest = &within[offset..];
        let length = token_length(rest.trim_end_matches('\r'), is_flow(&within[..offset])).max(1);
        Span {
            file: file.clone(),
            line: line + 1,
            column: within[..offset].chars().count() + 1,
            offset: self.lines[line] + offset,
            length,
        }
    }
}

/// Line and column, from 0, of a path or of the nearest thing above it.
fn walk(text: &str, path: &str, mut at: At) -> Option<(usize, usize)> {
    let mut path = path;
    loop {
        let walk = Walk { path, at, key: false };
        let deserializer = serde_yaml::Deserializer::from_str(text);
        if let Err(error) = walk.deserialize(deserializer)
            && error.to_string().contains(HERE)
            && let Some(place) = error.location()
        {
            return Some((place.line().saturating_sub(1), place.column().saturating_sub(1)));
        }
        let cut = path.rfind(['.', '['])?;
        path = &path[..cut];
        at = At::Key;
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
