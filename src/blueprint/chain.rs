//! Names with brackets in expressions: `clusters.aks['westeurope'].id`, `clusters.aks[each.key]`, `clusters.aks[*].id`.
//!
//! minijinja would take such a name apart step by step, and the steps of a reference have no values. So these names
//! are found first, looked up as a whole, and put into the expression as variables.

use super::expression::{Fault, Scope};
use serde_json::Value;

/// How deep brackets may be nested.
const DEEPEST: usize = 8;

/// Replaces every name with brackets that begins with something that holds entries; answers the new expression and
/// the values of its new variables.
///
/// # Errors
/// When a name is not known, or what is in brackets has no plain value.
pub(super) fn replace(
    expression: &str,
    scope: &dyn Scope,
    evaluate: &dyn Fn(&str, usize) -> Result<Value, Fault>,
    depth: usize,
) -> Result<(String, Vec<(String, Value)>), Fault> {
    let mut result = String::with_capacity(expression.len());
    let mut values = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let end = closing_quote(rest).unwrap_or(rest.len());
            result.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if is_start(first) && !result.ends_with('.') {
            let plain = plain_chain(rest);
            let root = plain.split('.').next().unwrap_or_default();
            if rest[plain.len()..].starts_with('[') && scope.holds_entries(root) {
                if depth >= DEEPEST {
                    return Err(Fault::new(
                        "brackets are nested too deep",
                        "this limit is fixed: name the inner value by a parameter or an output of a module",
                    ));
                }
                let (path, length) = whole_chain(rest, &|inner| evaluate(inner, depth + 1))?;
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                let name = format!("__name{}", values.len());
                result.push_str(&name);
                values.push((name, scope.lookup(&path)?));
                rest = &rest[length..];
            } else {
                result.push_str(plain);
                rest = &rest[plain.len()..];
            }
        } else {
            result.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok((result, values))
}

/// The segments of a name and its length in bytes. A key in brackets behind the second segment belongs to the second
/// segment (`aks[westeurope]`); further back it is a member, or the number of an element.
fn whole_chain(
    text: &str,
    evaluate: &dyn Fn(&str) -> Result<Value, Fault>,
) -> Result<(Vec<String>, usize), Fault> {
    let plain = plain_chain(text);
    let mut path: Vec<String> = plain.split('.').map(str::to_owned).collect();
    let mut at = plain.len();
    loop {
        let rest = &text[at..];
        if let Some(inner) = rest.strip_prefix('[') {
            let end = closing_bracket(inner).ok_or_else(|| {
                Fault::new(format!("`{}` has no closing bracket", text.trim()), "write `]` behind the key")
            })?;
            let key = match inner[..end].trim() {
                "*" => Value::String("*".to_owned()),
                inner => evaluate(inner)?,
            };
            let (key, number) = match key {
                Value::String(key) => (key, false),
                Value::Number(number) => (number.to_string(), true),
                Value::Bool(truth) => (truth.to_string(), false),
                _ => {
                    return Err(Fault::new(
                        format!("`{}` is not a key", inner[..end].trim()),
                        "a key in brackets is a text in quotes, `each.key`, or `*` for all of them",
                    ));
                }
            };
            if crate::value::token::has_token(&key) {
                return Err(Fault::new(
                    format!(
                        "`{}` is known only after apply, or secret, and cannot be a key",
                        inner[..end].trim()
                    ),
                    "a key in brackets is a text in quotes, `each.key`, or `*` for all of them",
                ));
            }
            let segments = path.len();
            match path.last_mut() {
                Some(last) if segments == 2 || number || key == "*" => {
                    last.push('[');
                    last.push_str(&key);
                    last.push(']');
                }
                _ => path.push(key),
            }
            at += end + 2;
        } else if rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(is_start)) {
            let more = plain_chain(&rest[1..]);
            path.extend(more.split('.').map(str::to_owned));
            at += 1 + more.len();
        } else {
            return Ok((path, at));
        }
    }
}

/// The dotted name that starts a text.
fn plain_chain(text: &str) -> &str {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        end += rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        match text[end..].strip_prefix('.') {
            Some(rest) if rest.starts_with(is_start) => end += 1,
            _ => return &text[..end],
        }
    }
}

fn is_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// The length of the quoted text that starts a text.
fn closing_quote(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next()?;
    let mut escaped = false;
    for (at, c) in characters {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Where the bracket that closes is.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' | '\'' => {
                at += closing_quote(&text[at..])?;
                continue;
            }
            '[' => depth += 1,
            ']' if depth == 0 => return Some(at),
            ']' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}
