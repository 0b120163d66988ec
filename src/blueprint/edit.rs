//! One value of a file, written where it is: comments, quotes, order and line ends stay as they are.
//!
//! A text is cut at the place of a value, in each way that YAML allows a value to end, and the first text counts that says
//! exactly what the old one said, and the new value. So a wrong cut is no edit, and never a wrong one.

use super::source::{At, Source};
use crate::diag::Place;
use crate::value::token;
use serde_json::Value;

/// A step on the way to a node of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeStep {
    /// A member of a mapping.
    Key(String),
    /// An element of a list.
    Item(usize),
}

/// The way to a node of a file.
pub type NodePath = Vec<NodeStep>;

/// The text of a file in which the node at `way` is `new`, or is not there any more.
///
/// A text, a number or a boolean takes the place of another; a list of such values takes the place of a list, element by
/// element; a member that is not there yet is added to a mapping that is. `None` when the file cannot say that by one such
/// edit: the value is an alias, is written over several lines, is the last of its mapping.
pub fn edited(source: &Source, way: &[NodeStep], new: Option<&Value>) -> Option<String> {
    let old = get(&source.tree, way);
    let has_marks = |value: &Value| value.as_str().is_some_and(|text| text.chars().any(token::is_reserved));
    if new.is_some_and(has_marks) {
        return None;
    }
    match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => list(source, way, old, new),
        _ => step(source, way, new).map(|edited| edited.file.text.clone()),
    }
}

/// Where a node is, or the nearest thing around it.
pub fn node_place(source: &Source, way: &[NodeStep]) -> Option<Place> {
    source.locate(&path_of(way), At::Value).as_ref().map(Place::from)
}

/// Whether a text of a file is evaluated before it is used.
pub fn looks_computed(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.replace("$${", "").contains("${"))
}

fn get<'v>(tree: &'v Value, way: &[NodeStep]) -> Option<&'v Value> {
    way.iter().try_fold(tree, |value, step| match step {
        NodeStep::Key(key) => value.as_object()?.get(key),
        NodeStep::Item(at) => value.as_array()?.get(*at),
    })
}

/// The tree with another node; `None` when there is nothing to put it into.
fn with(tree: &Value, way: &[NodeStep], new: Option<&Value>) -> Option<Value> {
    let mut tree = tree.clone();
    let (last, above) = way.split_last()?;
    let around = above.iter().try_fold(&mut tree, |value, step| match step {
        NodeStep::Key(key) => value.as_object_mut()?.get_mut(key),
        NodeStep::Item(at) => value.as_array_mut()?.get_mut(*at),
    })?;
    match (last, new) {
        (NodeStep::Key(key), Some(new)) => {
            around.as_object_mut()?.insert(key.clone(), new.clone());
        }
        (NodeStep::Key(key), None) => {
            around.as_object_mut()?.shift_remove(key)?;
        }
        (NodeStep::Item(at), Some(new)) => {
            let items = around.as_array_mut()?;
            match items.get_mut(*at) {
                Some(item) => *item = new.clone(),
                None => items.push(new.clone()),
            }
        }
        (NodeStep::Item(at), None) => {
            let items = around.as_array_mut()?;
            (*at < items.len()).then(|| items.remove(*at))?;
        }
    }
    Some(tree)
}

fn path_of(way: &[NodeStep]) -> String {
    way.iter().fold(String::new(), |path, step| match step {
        NodeStep::Key(key) if path.is_empty() => key.clone(),
        NodeStep::Key(key) => format!("{path}.{key}"),
        NodeStep::Item(at) => format!("{path}[{at}]"),
    })
}

/// A list: what goes is taken out, what comes is put behind the last one.
fn list(source: &Source, way: &[NodeStep], old: &[Value], new: &[Value]) -> Option<String> {
    let same = |a: &Value, b: &Value| match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    };
    let item = |at: usize| [way, &[NodeStep::Item(at)]].concat();
    let mut now = source.clone();
    let comes: Vec<&Value> = new.iter().filter(|new| !old.iter().any(|old| same(old, new))).collect();
    let goes: Vec<usize> = (0..old.len()).filter(|&at| !new.iter().any(|new| same(&old[at], new))).collect();
    let mut length = old.len();
    // The first ones take the places of those that go: so a list is never empty in between.
    let taken = goes.len().min(comes.len());
    for (at, value) in goes[..taken].iter().zip(&comes) {
        now = step(&now, &item(*at), Some(value))?;
    }
    for at in goes[taken..].iter().rev() {
        now = step(&now, &item(*at), None)?;
        length -= 1;
    }
    for value in &comes[taken..] {
        now = step(&now, &item(length), Some(value))?;
        length += 1;
    }
    Some(now.file.text.clone())
}

/// One edit, as far as a text says it.
fn step(source: &Source, way: &[NodeStep], new: Option<&Value>) -> Option<Source> {
    let expected = with(&source.tree, way, new)?;
    let tries = match (get(&source.tree, way), new) {
        (Some(_), Some(new)) => replaced(source, way, new),
        (Some(_), None) => removed(source, way),
        (None, Some(new)) => added(source, way, new),
        (None, None) => Vec::new(),
    };
    tries.into_iter().find_map(|text| {
        let read = Source::plain(&source.file.name, &text).ok()?;
        (read.tree == expected).then_some(read)
    })
}

fn replaced(source: &Source, way: &[NodeStep], new: &Value) -> Vec<String> {
    let text = &source.file.text;
    let Some(start) = source.locate(&path_of(way), At::Value).map(|span| span.offset) else {
        return Vec::new();
    };
    let style = text[start..].chars().next().unwrap_or_default();
    if matches!(style, '&' | '*' | '!' | '|' | '>') {
        return Vec::new();
    }
    let ends = ends(text, start);
    let scalars = scalars(new, style);
    let cut = |end: &usize, scalar: &String| format!("{}{scalar}{}", &text[..start], &text[*end..]);
    ends.iter().flat_map(|end| scalars.iter().map(|scalar| cut(end, scalar)).collect::<Vec<_>>()).collect()
}

fn removed(source: &Source, way: &[NodeStep]) -> Vec<String> {
    let text = &source.file.text;
    let path = path_of(way);
    let at = match way.last() {
        Some(NodeStep::Key(_)) => At::Key,
        _ => At::Value,
    };
    let (Some(start), Some(value)) = (source.locate(&path, at), source.locate(&path, At::Value)) else {
        return Vec::new();
    };
    let start = start.offset;
    let mut tries = Vec::new();
    for end in ends(text, value.offset) {
        // The line goes, with its comment.
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let until = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
        if text[line..start].trim_matches([' ', '-']).is_empty() {
            tries.push(format!("{}{}", &text[..line], &text[until..]));
        }
        // Between brackets a comma goes along: the one behind, or the one before.
        let behind = text[end..].trim_start();
        if let Some(rest) = behind.strip_prefix(',') {
            tries.push(format!("{}{}", &text[..start], rest.trim_start_matches(' ')));
        }
        if let Some(before) = text[..start].trim_end().strip_suffix(',') {
            tries.push(format!("{before}{}", &text[end..]));
        }
        tries.push(format!("{}{}", &text[..start], &text[end..]));
    }
    tries
}

fn added(source: &Source, way: &[NodeStep], new: &Value) -> Vec<String> {
    let text = &source.file.text;
    let Some((last, above)) = way.split_last() else { return Vec::new() };
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Some(around) = get(&source.tree, above) else { return Vec::new() };
    let mut tries = Vec::new();
    let prefix = |offset: usize| {
        let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        &text[line..offset]
    };
    // A whole line behind the one that an offset is in.
    let line_behind = |offset: usize, line: &str| {
        let until = text[offset..].find('\n').map_or(text.len(), |at| offset + at + 1);
        let gap = if text[..until].ends_with('\n') { "" } else { line_end };
        format!("{}{gap}{line}{line_end}{}", &text[..until], &text[until..])
    };
    for scalar in scalars(new, ' ') {
        match (last, around) {
            (NodeStep::Item(0), _) => {
                // `[]` has no element after which the new one could go.
                let Some(key) = source.locate(&path_of(above), At::Key) else { continue };
                let rest = &text[key.offset..];
                let Some(open) = rest.find('[').filter(|at| !rest[..*at].contains('\n')) else { continue };
                let at = key.offset + open + 1;
                tries.push(format!("{}{scalar}{}", &text[..at], &text[at..]));
            }
            (NodeStep::Item(at), _) => {
                let before = [above, &[NodeStep::Item(at - 1)]].concat();
                let Some(span) = source.locate(&path_of(&before), At::Value) else { continue };
                for end in ends(text, span.offset) {
                    let lead = prefix(span.offset);
                    if lead.trim() == "-" {
                        tries.push(line_behind(end, &format!("{lead}{scalar}")));
                    }
                    tries.push(format!("{}, {scalar}{}", &text[..end], &text[end..]));
                }
            }
            (NodeStep::Key(key), Value::Object(members)) => {
                let key = scalars(&Value::from(key.as_str()), ' ').remove(0);
                let place = |name: &String, at: At| {
                    let beside = [above, &[NodeStep::Key(name.clone())]].concat();
                    source.locate(&path_of(&beside), at).map(|span| span.offset)
                };
                let simple = |value: &Value| !value.is_object() && !value.is_array();
                // Behind the last member of one line, and else before the first.
                for (name, _) in members.iter().rev().filter(|(_, value)| simple(value)) {
                    let (Some(start), Some(value)) = (place(name, At::Key), place(name, At::Value)) else {
                        continue;
                    };
                    let lead = prefix(start);
                    for end in ends(text, value) {
                        if lead.trim_matches([' ', '-']).is_empty() {
                            let lead = lead.replace('-', " ");
                            tries.push(line_behind(end, &format!("{lead}{key}: {scalar}")));
                        }
                        tries.push(format!("{}, {key}: {scalar}{}", &text[..end], &text[end..]));
                    }
                }
                let Some(start) = members.keys().next().and_then(|name| place(name, At::Key)) else {
                    continue;
                };
                let lead = prefix(start);
                if lead.trim().is_empty() {
                    tries.push(format!(
                        "{}{key}: {scalar}{line_end}{lead}{}",
                        &text[..start],
                        &text[start..]
                    ));
                }
                tries.push(format!("{}{key}: {scalar}, {}", &text[..start], &text[start..]));
            }
            _ => {}
        }
    }
    tries
}

/// Where a scalar that starts at an offset may end: by its quotes, else before a comma or bracket, and at the end of its
/// line.
fn ends(text: &str, start: usize) -> Vec<usize> {
    let rest = &text[start..];
    match rest.chars().next() {
        Some('"') => {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|&(_, c)| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            });
            end.map(|(at, _)| start + at + 1).into_iter().collect()
        }
        Some('\'') => {
            let mut at = 1;
            while let Some(found) = rest[at..].find('\'') {
                at += found + 1;
                match rest[at..].starts_with('\'') {
                    true => at += 1,
                    false => return vec![start + at],
                }
            }
            Vec::new()
        }
        _ => {
            let line = rest.lines().next().unwrap_or_default();
            let line = &line[..line.find(" #").unwrap_or(line.len())];
            let mut ends: Vec<usize> =
                line.match_indices([',', '}', ']']).map(|(at, _)| line[..at].trim_end().len()).collect();
            ends.push(line.trim_end().len());
            ends.dedup();
            ends.into_iter().filter(|end| *end > 0).map(|end| start + end).collect()
        }
    }
}

/// The ways to write a value, the one that is like `style` first. Nobody's text becomes a key, a comment, an expression or
/// another line.
fn scalars(value: &Value, style: char) -> Vec<String> {
    let Value::String(text) = value else {
        return match value {
            Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
            _ => Vec::new(),
        };
    };
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '+' | '@' | '-' | '*' | ':');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/'));
    let plain = text.chars().all(is_plain)
        && begins
        && !text.ends_with(':')
        && super::yaml::value(text).is_ok_and(|read| read == *value);
    // Other readers of YAML take these for booleans.
    let word = text.to_ascii_lowercase();
    let plain = plain && !matches!(word.as_str(), "y" | "n" | "yes" | "no" | "on" | "off");
    let single = text.chars().all(|c| matches!(c, ' '..='~'));
    let mut double = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => double.push_str("\\\""),
            '\\' => double.push_str("\\\\"),
            '\n' => double.push_str("\\n"),
            '\t' => double.push_str("\\t"),
            ' '..='~' => double.push(c),
            c if c.is_alphanumeric() => double.push(c),
            c if u32::from(c) < 0x1_0000 => double.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => double.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    double.push('"');
    let mut ways = Vec::new();
    if plain && !matches!(style, '"' | '\'') {
        ways.push(text.clone());
    }
    let quoted = format!("'{}'", text.replace('\'', "''"));
    if single && style == '\'' {
        ways.push(quoted.clone());
    }
    ways.push(double);
    if single {
        ways.push(quoted);
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn way(path: &[&str]) -> NodePath {
        let step = |name: &&str| match name.parse() {
            Ok(at) => NodeStep::Item(at),
            Err(_) => NodeStep::Key((*name).to_owned()),
        };
        path.iter().map(step).collect()
    }

    fn edit(text: &str, path: &[&str], new: Option<Value>) -> Option<String> {
        edited(&Source::parse("b.yaml", text.as_bytes()).unwrap(), &way(path), new.as_ref())
    }

    #[test]
    fn only_the_value_changes() {
        for (text, path, new, expected) in [
            (
                "a:\n  b: old   # why\n  c: 1\n",
                vec!["a", "b"],
                json!("new"),
                "a:\n  b: new   # why\n  c: 1\n",
            ),
            ("a: { b: old, c: 1 } # why\n", vec!["a", "b"], json!("new"), "a: { b: new, c: 1 } # why\n"),
            ("a: { b: [x, y], c: 1 }\n", vec!["a", "c"], json!(2), "a: { b: [x, y], c: 2 }\n"),
            ("a: { b: old }\n", vec!["a", "b"], json!("new"), "a: { b: new }\n"),
            ("a: {\n  b: old,\n  c: 1,\n}\n", vec!["a", "b"], json!("new"), "a: {\n  b: new,\n  c: 1,\n}\n"),
            ("a: 'it''s'\r\nb: 1\r\n", vec!["a"], json!("isn't"), "a: 'isn''t'\r\nb: 1\r\n"),
            ("a: \"x\\\"y\" # \"\nb: 1\n", vec!["a"], json!("z"), "a: \"z\" # \"\nb: 1\n"),
            ("a: true\n", vec!["a"], json!(false), "a: false\n"),
            ("a: '42'\n", vec!["a"], json!("43"), "a: '43'\n"),
            ("a: x", vec!["a"], json!("yes"), "a: \"yes\""),
            ("a: x\n", vec!["a"], json!("true"), "a: \"true\"\n"),
            ("a: x\n", vec!["a"], json!("12"), "a: \"12\"\n"),
            ("- a: [1, 2, 3]\n", vec!["0", "a", "1"], json!(5), "- a: [1, 5, 3]\n"),
            ("\"k.x\": { 'y z': 1 }\n", vec!["k.x", "y z"], json!(2), "\"k.x\": { 'y z': 2 }\n"),
        ] {
            assert_eq!(edit(text, &path, Some(new)).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn lists_change_by_their_elements() {
        for (text, new, expected) in [
            ("a: [x, y] # c\n", json!(["x", "y", "z"]), "a: [x, y, z] # c\n"),
            ("a: [x, y]\n", json!(["y"]), "a: [y]\n"),
            ("a: [x, y]\n", json!(["x"]), "a: [x]\n"),
            ("a: [x]\n", json!([]), "a: []\n"),
            ("a: []\n", json!(["x", "w"]), "a: [x, w]\n"),
            ("a: [X, y]\n", json!(["x", "z"]), "a: [X, z]\n"),
            ("a:\n  - x # one\n  - y\nb: 1\n", json!(["x", "z"]), "a:\n  - x # one\n  - z\nb: 1\n"),
            ("a:\n- x # one\n- y\nb: 1\n", json!(["x", "y", "z"]), "a:\n- x # one\n- y\n- z\nb: 1\n"),
            ("a:\n  - x\n  - y # two\nb: 1\n", json!(["x"]), "a:\n  - x\nb: 1\n"),
            ("a:\n  - x", json!(["x", "q: r"]), "a:\n  - x\n  - \"q: r\"\n"),
        ] {
            assert_eq!(edit(text, &["a"], Some(new)).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn members_come_and_go() {
        for (text, path, new, expected) in [
            ("a:\n  b: 1 # one\n  c: 2\n", vec!["a", "b"], None, Some("a:\n  c: 2\n")),
            ("a: { b: 1, c: 2 }\n", vec!["a", "b"], None, Some("a: { c: 2 }\n")),
            ("a: { b: 1, c: 2 }\n", vec!["a", "c"], None, Some("a: { b: 1 }\n")),
            ("a:\n  b: 1\n", vec!["a", "b"], None, None),
            ("a: { b: 1 }\n", vec!["a", "b"], None, Some("a: {  }\n")),
            (
                "a:\n  b: 1 # one\n  d: { e: 1 }\n",
                vec!["a", "c"],
                Some(json!("x")),
                Some("a:\n  b: 1 # one\n  c: x\n  d: { e: 1 }\n"),
            ),
            ("a:\n  d:\n    e: 1\n", vec!["a", "c"], Some(json!("x")), Some("a:\n  c: x\n  d:\n    e: 1\n")),
            ("a: { b: 1 } # x\n", vec!["a", "c"], Some(json!(true)), Some("a: { b: 1, c: true } # x\n")),
            ("- b: 1\n", vec!["0", "c"], Some(json!(2)), Some("- b: 1\n  c: 2\n")),
            ("a: {}\n", vec!["a", "c"], Some(json!(2)), None),
        ] {
            assert_eq!(edit(text, &path, new).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn nobodys_text_becomes_anything_else() {
        let hostile = [
            "a: b",
            "a:",
            "x #y",
            "#x",
            "!x",
            "!!binary x",
            "a\nb: c",
            "- x",
            "-",
            "?",
            "*x",
            "&x",
            "[x",
            "{x",
            "x]",
            "'",
            "\"",
            "\\",
            "%x",
            "@x",
            "`x",
            "null",
            "~",
            "Yes",
            "no",
            "on",
            "1e3",
            "0x1F",
            "1_000",
            "2026-01-01",
            "12:30",
            ".inf",
            "",
            " x",
            "x ",
            "\t",
            "a\r\nb",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "é",
            "😀",
            "x, y: z",
            "}",
            "a: {",
            "<<",
            "=",
            "---",
            "...",
            "--- x",
            "|",
            ">",
            "\u{0}",
            "\u{1b}[31m",
        ];
        let texts = [
            "a: old # c\nb: 1\n",
            "a: { x: [old], y: 2 }\n",
            "a:\n  - old\n  - z\n",
            "a: 'old'\n",
            "a: \"old\"\nb: 1\n",
        ];
        for text in texts {
            let source = Source::parse("b.yaml", text.as_bytes()).unwrap();
            let path: &[&str] = match &source.tree["a"] {
                Value::Object(_) => &["a", "x", "0"],
                Value::Array(_) => &["a", "0"],
                _ => &["a"],
            };
            for new in hostile {
                let edited = edit(text, path, Some(json!(new)));
                let edited = edited.unwrap_or_else(|| panic!("{new:?} in {text}"));
                let read = Source::parse("b.yaml", edited.as_bytes()).unwrap();
                let expected = with(&source.tree, &way(path), Some(&json!(new))).unwrap();
                assert_eq!(read.tree, expected, "{edited}");
                assert_eq!(edited.lines().count(), text.lines().count(), "{edited:?}");
                assert_eq!(edited.contains("# c"), text.contains("# c"), "{edited}");
            }
        }
    }

    #[test]
    fn what_one_edit_cannot_say_is_no_edit() {
        for (text, path) in [
            ("a: &x old\nb: *x\n", vec!["a"]),
            ("a: &x old\nb: *x\n", vec!["b"]),
            ("a: |\n  two\n  lines\n", vec!["a"]),
            ("a: two\n  lines\n", vec!["a"]),
            ("a: &m { x: 1 }\nb: *m\n", vec!["b", "x"]),
            ("a: &m { x: 1 }\nb: *m\n", vec!["a", "x"]),
        ] {
            assert_eq!(edit(text, &path, Some(json!("new"))), None, "{text}");
        }
        assert_eq!(edit("a: old\n", &["a"], Some(json!("x\u{FDD0}y"))), None);
        assert!(looks_computed(&json!("x-${param.y}")) && !looks_computed(&json!("$${literal}")));
    }
}
