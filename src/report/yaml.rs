//! YAML for other programs: what is not certain to be a plain text is quoted, as JSON quotes.

use serde_json::Value;

/// Values as the documents of one file.
pub fn documents(values: &[Value]) -> String {
    values.iter().map(|value| format!("---\n{}", document(value))).collect()
}

/// A value as a document.
pub fn document(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                out.push_str(&indent);
                out.push_str(&scalar(name));
                out.push(':');
                below(out, value, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&indent);
                out.push('-');
                match item {
                    Value::Object(fields) if !fields.is_empty() => {
                        let mut inner = String::new();
                        write(&mut inner, item, depth + 1);
                        out.push(' ');
                        out.push_str(inner.trim_start());
                    }
                    item => below(out, item, depth + 1),
                }
            }
        }
        value => {
            out.push_str(&indent);
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
}

/// What is after `name:` or `-`.
fn below(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('\n');
            write(out, value, depth);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            write(out, value, depth);
        }
        Value::String(text) if is_block(text) => {
            out.push_str(" |\n");
            for line in text.lines() {
                out.push_str(&"  ".repeat(depth));
                out.push_str(line);
                out.push('\n');
            }
        }
        value => {
            out.push(' ');
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        value => value.to_string(),
    }
}

/// Whether a text can be shown in lines of its own.
fn is_block(text: &str) -> bool {
    let is_plain = |line: &str| !line.is_empty() && line.chars().all(|c| (' '..='~').contains(&c));
    text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n'])
        && text.lines().all(is_plain)
}

/// A text that YAML reads as this text, whatever its version.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
        && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
            .contains(&text.to_ascii_lowercase().as_str());
    match is_plain {
        true => text.to_owned(),
        false => escaped(&Value::from(text).to_string()),
    }
}

/// JSON in which nothing breaks a line of YAML, or is left out of it.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_is_read_back_as_it_was() {
        for value in [
            json!({"a": "b", "c": ["d", {"e": "f", "g": [1, true, null]}, []], "h": {}, "i": {"j": ["k"]}}),
            json!({"yes": "no", "n": "0x1", "t": "12:30", "e": "", "#": "a # b", "d": "a: b", "s": " x "}),
            json!({"block": "array:\n  - |\n    objectName: x\n", "not": "a\n\n", "nor": "a\u{85}b\n", "bad": "\u{1b}[0m\u{2028}\u{7f}"}),
            json!([["a", ["b"]], {"c": {"d": "e\nf\n"}}]),
        ] {
            let text = document(&value);
            let read = crate::blueprint::parse_value(&text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(read, value, "{text}");
        }
        assert_eq!(documents(&[json!({"a": 1}), json!({"b": "c"})]), "---\na: 1\n---\nb: c\n");
    }
}
