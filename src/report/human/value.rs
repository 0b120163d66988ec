//! Values for people: texts in quotes, ids short, tokens as what they stand for, large things over several lines.

use crate::ident::ArmId;
use crate::report::names::Names;
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::{chop, disarmed, escape, is_unsafe, width};
use crate::report::words::shown_path;
use crate::value::token;
use serde_json::Value;
use std::fmt::Write;

/// How far a column of labels may push its values to the right.
const LABELS: usize = 30;
/// How many lines one long text may take.
const TEXT_LINES: usize = 6;

/// How values of one resource are shown.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// The id of the resource: others in its group are said relative to it.
    pub(crate) base: Option<&'a ArmId>,
    /// What the resources of the blueprint are called.
    pub(crate) names: Option<&'a Names<'a>>,
    /// How it looks.
    pub(crate) style: &'a Style,
}

impl Shown<'_> {
    /// A value on one line, however long.
    pub(crate) fn inline(&self, value: &Value) -> String {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) if items.is_empty() => "[]".to_owned(),
            Value::Object(members) if members.is_empty() => "{}".to_owned(),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.inline(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, member)| format!("{}: {}", self.name(name), self.inline(member)))
                    .collect();
                format!("{{ {} }}", members.join(", "))
            }
            other => other.to_string(),
        }
    }

    /// A text: bare when it is one token or an id, otherwise in quotes.
    fn text(&self, text: &str) -> String {
        if let Some(token) = token::Token::exactly(text) {
            return escape(&token.to_string()).into_owned();
        }
        self.short_id(text).unwrap_or_else(|| quote(&token::display_text(text)))
    }

    /// A member's name as it is in a path; ids are names too (user-assigned identities).
    fn name(&self, name: &str) -> String {
        self.short_id(name).unwrap_or_else(|| member_name(name))
    }

    /// A path without what nearly all paths have, and with its ids short.
    pub(crate) fn path(&self, path: &str) -> String {
        let path = token::display_text(shown_path(path));
        let mut shown = String::new();
        for (at, part) in path.split("[\"").enumerate() {
            match part.split_once("\"]") {
                Some((name, rest)) if at > 0 => {
                    let _ = write!(shown, "[{}]{}", self.name(name), escape(rest));
                }
                _ => shown.push_str(&escape(part)),
            }
        }
        shown
    }

    /// An id as the address of what it names, or without what it shares with the resource that holds it. Never with less:
    /// two ids must not look the same. `None` when the text is not an id.
    fn short_id(&self, text: &str) -> Option<String> {
        let is_id = text.starts_with("/subscriptions/") || text.starts_with("/providers/");
        let id = is_id.then(|| ArmId::parse(text).ok()).flatten()?;
        if self.base != Some(&id)
            && let Some(name) = self.names.and_then(|names| names.name(&id))
        {
            return Some(name);
        }
        let text = token::display_text(text);
        let segments: Vec<&str> = text.split('/').skip(1).collect();
        let same = |prefix: usize| {
            self.base.is_some_and(|base| {
                let theirs: Vec<&str> = base.as_str().split('/').skip(1).take(prefix).collect();
                theirs.len() == prefix
                    && segments.len() >= prefix
                    && theirs.iter().zip(&segments).all(|(a, b)| a.eq_ignore_ascii_case(b))
            })
        };
        // After the last `providers/Namespace` come pairs of type and name.
        let typed = segments
            .iter()
            .rposition(|segment| segment.eq_ignore_ascii_case("providers"))
            .map(|at| at + 2)
            .filter(|at| at + 2 <= segments.len());
        let group = id.group().is_some();
        let start = match typed {
            _ if !same(2) => 0,
            _ if group && !same(4) => 2,
            Some(typed) => typed,
            None if group => 2,
            None => 0,
        };
        Some(match start {
            0 => escape(&text).into_owned(),
            _ => format!("{}/{}", self.style.ellipsis(), escape(&segments[start..].join("/"))),
        })
    }

    /// `label = value` for every field of a body, on as few lines as read well.
    pub(crate) fn body(&self, page: &mut Page<'_>, indent: usize, body: &Value) {
        let Value::Object(members) = body else {
            return self.entries(page, indent, vec![("value".to_owned(), body)]);
        };
        let mut found = Vec::new();
        for (name, member) in members {
            match member {
                Value::Object(inner) if name == "properties" => {
                    let room = self.style.width.saturating_sub(indent);
                    inner
                        .iter()
                        .for_each(|(name, member)| self.spread(self.name(name), member, room, &mut found));
                }
                _ => self.spread(
                    member_name(name),
                    member,
                    self.style.width.saturating_sub(indent),
                    &mut found,
                ),
            }
        }
        self.entries(page, indent, found);
    }

    /// [`Shown::body`] as a text.
    pub(crate) fn body_text(&self, body: &Value) -> String {
        let mut page = Page::new(self.style);
        self.body(&mut page, 0, body);
        page.finish()
    }

    /// Lists of objects become one entry an element, and an object with one member is said in one breath.
    fn spread<'v>(&self, label: String, value: &'v Value, room: usize, found: &mut Vec<(String, &'v Value)>) {
        if self.fits(&label, value, room) {
            return found.push((label, value));
        }
        match value {
            Value::Array(items) if items.iter().all(Value::is_object) => {
                let keys: Vec<Option<&str>> =
                    items.iter().map(|item| item.get("name").and_then(Value::as_str)).collect();
                for (index, item) in items.iter().enumerate() {
                    let key = keys[index].filter(|key| keys.iter().filter(|k| **k == Some(key)).count() == 1);
                    let key =
                        key.map_or(index.to_string(), |key| escape(&token::display_text(key)).into_owned());
                    self.spread(format!("{label}[{key}]"), item, room, found);
                }
            }
            Value::Object(members) if members.len() == 1 => {
                for (name, member) in members {
                    self.spread(format!("{label}.{}", self.name(name)), member, room, found);
                }
            }
            _ => found.push((label, value)),
        }
    }

    /// Whether a value reads well on the line of its label.
    fn fits(&self, label: &str, value: &Value, room: usize) -> bool {
        let small = match value {
            Value::Object(_) => depth(value) <= 2 && leaves(value) <= 4,
            Value::Array(items) if items.iter().any(Value::is_object) => {
                depth(value) <= 2 && leaves(value) <= 3
            }
            _ => true,
        };
        let short = match value {
            Value::String(text) => width(&self.text(text)),
            _ if small => width(&self.inline(value)),
            _ => return false,
        };
        width(label) + 3 + short <= room
    }

    fn entries(&self, page: &mut Page<'_>, indent: usize, entries: Vec<(String, &Value)>) {
        let room = self.style.width.saturating_sub(indent);
        let column = entries
            .iter()
            .filter(|(label, value)| width(label) <= LABELS && self.fits(label, value, room))
            .map(|(label, _)| width(label))
            .max()
            .unwrap_or(0);
        for (label, value) in entries {
            if self.fits(&label, value, room) {
                // A value that only fits next to its label gives up the column.
                let aligned = self.fits(&" ".repeat(column.max(width(&label))), value, room);
                let pad = if aligned { column } else { 0 };
                let shown = self.inline(value);
                let line = Line::indented(indent).plain(label).pad_to(indent + pad).add(Tone::Dim, " = ");
                page.line(line.add(value_tone(value), shown));
                continue;
            }
            match value {
                Value::Object(members) => {
                    page.line(Line::indented(indent).plain(label.as_str()));
                    let mut found = Vec::new();
                    for (name, member) in
                        members.iter().filter(|(name, member)| !is_key(&label, name, member))
                    {
                        self.spread(self.name(name), member, room.saturating_sub(2), &mut found);
                    }
                    self.entries(page, indent + 2, found);
                }
                Value::Array(items) => {
                    page.line(Line::indented(indent).plain(label).add(Tone::Dim, " = ").plain("["));
                    items.iter().for_each(|item| self.long(page, Line::indented(indent + 2), item));
                    page.line(Line::indented(indent).plain("]"));
                }
                _ => {
                    page.line(Line::indented(indent).plain(label).add(Tone::Dim, " ="));
                    self.long(page, Line::indented(indent + 4), value);
                }
            }
        }
    }

    /// A value after `head`, going on below its own beginning when it is long.
    pub(crate) fn long(&self, page: &mut Page<'_>, head: Line, value: &Value) {
        let column = head.width();
        let room = self.style.width.saturating_sub(column).max(10);
        let shown = match value {
            Value::String(text) => {
                let shown = self.text(text);
                if !shown.starts_with('"') {
                    return page.line(head.add(value_tone(value), shown));
                }
                shown
            }
            _ => self.inline(value),
        };
        let pieces = chop(&shown, if self.style.folds { room } else { usize::MAX });
        let mut head = Some(head);
        for piece in pieces.iter().take(TEXT_LINES) {
            let line = head.take().unwrap_or_else(|| Line::indented(column));
            page.line(line.plain(piece.as_str()));
        }
        if pieces.len() > TEXT_LINES {
            let all = shown.chars().count();
            let text = format!("{} ({all} characters in all)", self.style.ellipsis());
            page.line(Line::indented(column).add(Tone::Dim, text));
        }
    }
}

/// Whether a member is the name that its element is called by already: `agentPoolProfiles[system]`.
fn is_key(label: &str, name: &str, member: &Value) -> bool {
    let key = label.strip_suffix(']').filter(|_| name == "name").zip(member.as_str());
    key.is_some_and(|(label, key)| label.ends_with(&format!("[{}", escape(&token::display_text(key)))))
}

/// Tokens stand back: they say what is not known.
pub(crate) fn value_tone(value: &Value) -> Tone {
    match value {
        Value::String(text) if token::Token::exactly(text).is_some() => Tone::Dim,
        _ => Tone::Plain,
    }
}

/// What is said of a secret in place of its value.
pub(crate) fn secret_words(change: &crate::value::Change) -> &'static str {
    if change.before.is_null() { "(secret, new)" } else { "(secret, changed)" }
}

/// Whether a value is or holds a secret.
pub(crate) fn is_secret(value: &Value) -> bool {
    token::any(value, &|token| matches!(token, token::Token::Secret { .. }))
}

/// A member's name as it is in a path.
pub(crate) fn member_name(name: &str) -> String {
    let name = token::display_text(name);
    if name.contains(['.', '/', ' ', ':']) || name.is_empty() {
        quote(&name)
    } else {
        escape(&name).into_owned()
    }
}

/// A text in quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if is_unsafe(c) => quoted.push_str(&escape(c.encode_utf8(&mut [0; 4]))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    disarmed(&quoted).into_owned()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(leaves).sum::<usize>().max(1),
        Value::Object(members) => members.values().map(leaves).sum::<usize>().max(1),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::token::Token;
    use serde_json::json;

    const SUBNET: &str = "/subscriptions/s/resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/nodes";

    fn inline(base: Option<&str>, value: Value) -> String {
        let base = base.map(|text| ArmId::parse(text).unwrap());
        Shown { base: base.as_ref(), names: None, style: &Style::plain(80) }.inline(&value)
    }

    #[test]
    fn ids_are_said_relative_to_the_resource_that_holds_them() {
        let near = "/subscriptions/S/resourcegroups/RG-SHOP/providers/Microsoft.Network/privateEndpoints/p";
        assert_eq!(inline(Some(near), json!(SUBNET)), "…/virtualNetworks/vnet-hub/subnets/nodes");
        let group = "/subscriptions/s/resourceGroups/other/providers/Microsoft.Network/privateEndpoints/p";
        let far =
            "…/resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/nodes";
        assert_eq!(inline(Some(group), json!(SUBNET)), far);
        assert_eq!(inline(None, json!(SUBNET)), SUBNET);
        assert_eq!(
            inline(Some(near), json!("/subscriptions/s/resourceGroups/rg-shop")),
            "…/resourceGroups/rg-shop"
        );
    }

    #[test]
    fn tokens_are_words_and_texts_are_quoted() {
        let secret = Token::Secret { name: "password".into() }.encode();
        let output =
            Token::Output { address: crate::ident::Address::new("a.b"), pointer: "/x".into() }.encode();
        assert_eq!(inline(None, json!(secret)), "(secret)");
        assert_eq!(inline(None, json!(format!("https://{output}/x"))), "\"https://(known after apply)/x\"");
        assert_eq!(
            inline(None, json!({ "a": "4", "b": [4, null, true], "c d": {} })),
            r#"{ a: "4", b: [4, null, true], "c d": {} }"#
        );
        assert_eq!(inline(None, json!("\u{1b}[31m\"x\\")), r#""\u{1b}[31m\"x\\""#);
    }
}
