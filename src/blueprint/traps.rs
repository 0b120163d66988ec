//! What YAML reads otherwise than people write it: `1.30` is 1.3, `012` a text, and `yes` no longer a truth value.

use super::messages::WRONG_TYPE;
use super::source::{At, Source};
use crate::diag::Diagnostic;
use serde_json::Value;

/// The text at a path, as it stands in the file.
fn raw<'s>(source: &'s Source, path: &str) -> Option<(&'s str, crate::diag::Span)> {
    let span = source.locate(path, At::Value)?;
    // The source itself, or a file with another part of the blueprint in it.
    let text = source.file.text.get(span.offset..span.offset + span.length)?;
    Some((text, span))
}

/// A number or a truth value where a text is wanted, if it would not be the text that was written.
pub(super) fn altered(source: &Source, path: &str, value: &Value) -> Option<Diagnostic> {
    if !matches!(value, Value::Number(_) | Value::Bool(_)) {
        return None;
    }
    let (raw, span) = raw(source, path)?;
    let read = value.to_string();
    // What an expression gives, or an alias, is as it is.
    if raw == read || super::yaml::value(raw).as_ref() != Ok(value) {
        return None;
    }
    let kind = if value.is_number() { "number" } else { "truth value" };
    let message = format!("YAML reads `{raw}` as the {kind} {read}");
    Some(Diagnostic::error(&WRONG_TYPE, message).at(Some(span)).help(format!("put it in quotes: \"{raw}\"")))
}

/// What to write instead of a value of another type, where that can be told; `wanted` and `found` are serde's words.
pub(super) fn remedy(source: &Source, path: &str, found: &str, wanted: &str) -> Option<String> {
    let (raw, _) = raw(source, path)?;
    if raw.contains("${") {
        return None;
    }
    remedy_for(raw, found, wanted)
}

/// See [`remedy`]: `raw` is what stands in the file.
pub(super) fn remedy_for(raw: &str, found: &str, wanted: &str) -> Option<String> {
    let bare = raw.trim_matches(['"', '\'']);
    let quoted = bare.len() != raw.len();
    let is_text = found.starts_with("string");
    let integer =
        matches!(wanted, "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize");
    if wanted == "a boolean" && is_text {
        let meant = match bare.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => "true",
            "false" | "no" | "off" | "n" => "false",
            _ => return None,
        };
        return Some(match quoted || matches!(bare.to_ascii_lowercase().as_str(), "true" | "false") {
            true => format!("write `{meant}`, without quotes and in small letters"),
            false => format!("write `{meant}`: in YAML 1.2, `{bare}` is a text"),
        });
    }
    if integer && is_text {
        let digits = bare.replace('_', "");
        let number: u64 = digits.parse().ok()?;
        return Some(match (quoted, digits.starts_with('0') && digits.len() > 1) {
            (false, true) => match u64::from_str_radix(&digits, 8) {
                Ok(octal) => {
                    format!("write {number}, or 0o{} if {octal} is meant", digits.trim_start_matches('0'))
                }
                Err(_) => format!("write {number}"),
            },
            (true, _) => format!("write {number}, without quotes"),
            (false, false) => format!("write {number}"),
        });
    }
    if integer && found.starts_with("floating point") {
        let number: f64 = bare.parse().ok()?;
        let whole = number.fract() == 0.0 && number.abs() < 1e15;
        return whole.then(|| format!("write {number}"));
    }
    let is_scalar = ["integer", "floating point", "boolean"].iter().any(|kind| found.starts_with(kind));
    if is_scalar && !quoted && !integer && wanted != "a boolean" && !wanted.starts_with("f") {
        let is_one = !wanted.starts_with("a sequence")
            && !wanted.starts_with("a map")
            && !wanted.starts_with("struct");
        return is_one.then(|| format!("put it in quotes: \"{raw}\""));
    }
    (wanted == "a sequence" && is_text).then(|| format!("put it in brackets: [{raw}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_say_what_to_write() {
        for (raw, found, wanted, says) in [
            ("yes", "string \"yes\"", "a boolean", Some("write `true`: in YAML 1.2, `yes` is a text")),
            ("Off", "string \"Off\"", "a boolean", Some("write `false`: in YAML 1.2, `Off` is a text")),
            (
                "\"true\"",
                "string \"true\"",
                "a boolean",
                Some("write `true`, without quotes and in small letters"),
            ),
            ("maybe", "string \"maybe\"", "a boolean", None),
            ("012", "string \"012\"", "u32", Some("write 12, or 0o12 if 10 is meant")),
            ("089", "string \"089\"", "u32", Some("write 89")),
            ("1_000", "string \"1_000\"", "i64", Some("write 1000")),
            ("'3'", "string \"3\"", "u8", Some("write 3, without quotes")),
            ("three", "string \"three\"", "u8", None),
            ("1e2", "floating point `100.0`", "u32", Some("write 100")),
            ("1.5", "floating point `1.5`", "u32", None),
            ("1.30", "floating point `1.3`", "a string", Some("put it in quotes: \"1.30\"")),
            ("on", "boolean `true`", "a string", Some("put it in quotes: \"on\"")),
            ("1", "integer `1`", "a sequence", None),
            (
                "10.0.0.0/16",
                "string \"10.0.0.0/16\"",
                "a sequence",
                Some("put it in brackets: [10.0.0.0/16]"),
            ),
        ] {
            assert_eq!(remedy_for(raw, found, wanted).as_deref(), says, "{raw}");
        }
    }

    #[test]
    fn only_what_changes_is_told() {
        let text = "tags: { a: 1.10, b: 7, c: 0x1F, d: True, e: true, f: 1e3, g: 1.5, h: \"${x}\" }\n";
        let source = Source::parse("b.yaml", text.as_bytes()).unwrap();
        let told = |key: &str| {
            let path = format!("tags.{key}");
            altered(&source, &path, &source.tree["tags"][key]).map(|told| told.message)
        };
        assert_eq!(told("a").as_deref(), Some("YAML reads `1.10` as the number 1.1"));
        assert_eq!(told("c").as_deref(), Some("YAML reads `0x1F` as the number 31"));
        assert_eq!(told("d").as_deref(), Some("YAML reads `True` as the truth value true"));
        assert_eq!(told("f").as_deref(), Some("YAML reads `1e3` as the number 1000.0"));
        for same in ["b", "e", "g", "h"] {
            assert_eq!(told(same), None, "{same}");
        }
        // An expression gave this one.
        assert!(altered(&source, "tags.h", &Value::from(1.5)).is_none());
    }
}
