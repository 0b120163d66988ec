//! What YAML reads otherwise than people write it: `1.30` is 1.3, `012` a text, and `yes` no longer a truth value.

use super::messages::WRONG_TYPE;
use super::source::{At, Source};
use crate::diag::{Diagnostic, Diagnostics, Severity, Span};
use serde_json::Value;

/// The text at a path, as it is in the file.
fn raw<'s>(source: &'s Source, path: &str) -> Option<(&'s str, crate::diag::Span)> {
    let span = source.locate(path, At::Value)?;
    // The source itself, or a file with another part of the blueprint in it.
    let text = source.file.text.get(span.offset..span.offset + span.length)?;
    Some((text, span))
}

/// Puts right what is told of texts in the notation of another tool: `$NAME`, `$(a.b)`, `{{ a.b }}`, and of list items that
/// YAML joins to one text, because the second dash is indented deeper.
pub(super) fn explain(problems: &mut Diagnostics) {
    for one in problems.iter_mut().filter(|one| one.severity == Severity::Error) {
        let Some(span) = &one.span else { continue };
        let Some(raw) = span.file.text.get(span.offset..span.offset + span.length) else { continue };
        if let Some(help) = other_notation(raw.trim_matches(['"', '\''])) {
            // A name of the blueprint that was found is the better help.
            if !one.help.as_deref().is_some_and(|help| help.starts_with("did you mean `${")) {
                one.help = Some(help);
            }
        } else if let Some((place, indent)) = joined_item(span) {
            one.message =
                "this `- ` is indented deeper than the item before it, and YAML joins the two lines"
                    .to_owned();
            one.help = Some(format!("indent it with {indent} spaces"));
            one.span = Some(place);
        }
    }
}

/// What to write in place of a text in the notation of a shell, of Azure Pipelines or of templates.
fn other_notation(text: &str) -> Option<String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    let written = |name: &str| match name.contains('.') {
        true => format!("an expression has braces: `${{{name}}}`"),
        false => format!("an environment variable is `${{env.{name}}}`, a parameter `${{param.{name}}}`"),
    };
    if let Some(name) =
        text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')).filter(|name| is_name(name))
    {
        return Some(written(name));
    }
    if let Some(name) = text.strip_prefix('$').filter(|name| is_name(name)) {
        return Some(written(name));
    }
    if text.starts_with("${") && text.ends_with("}}") && text.matches('{').count() < text.matches('}').count()
    {
        return Some("remove the last `}`".to_owned());
    }
    let inner = text.split_once("{{")?.1.split_once("}}")?.0.trim();
    is_name(inner).then(|| format!("an expression has a dollar and one pair of braces: `${{{inner}}}`"))
}

/// The place of a list item that stands deeper than the one before it, at whose value a span is; and how deep it belongs.
fn joined_item(span: &Span) -> Option<(Span, usize)> {
    let text = &span.file.text;
    let start = text[..span.offset].rfind('\n').map_or(0, |at| at + 1);
    let mut lines = text[start..].split('\n');
    let (first, second) = (lines.next()?, lines.next()?);
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let value = first.trim_start().strip_prefix("- ")?;
    let plain = !value.starts_with(['"', '\'', '{', '[', '|', '>', '&', '*']) && !value.contains(": ");
    let deeper = second.trim_start().starts_with("- ") && indent(second) > indent(first);
    (plain && deeper).then(|| {
        let offset = start + first.len() + 1 + indent(second);
        let place = Span {
            offset,
            length: 1,
            line: span.line + 1,
            column: indent(second) + 1,
            file: span.file.clone(),
        };
        (place, indent(first))
    })
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

/// See [`remedy`]: `raw` is what is in the file.
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
    if wanted.starts_with("a length of time") {
        return length_of_time(bare);
    }
    if found == "sequence" && wanted == "a map" {
        return Some("give each element a key of its own: `KEY: { … }`".to_owned());
    }
    if let (true, true, Some(number)) = (integer, is_text, number_with_unit(bare)) {
        return Some(format!("write the number alone: {number}"));
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

/// The number that a unit of letters follows: `128GB`.
fn number_with_unit(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = text[end..].trim_start();
    let is_unit = !unit.is_empty() && unit.chars().all(|c| c.is_ascii_alphabetic());
    text[..end].parse().ok().filter(|_| is_unit)
}

/// A length of time as berth reads it, of a number alone or one with a word.
fn length_of_time(text: &str) -> Option<String> {
    if text.parse::<u64>().is_ok() {
        return Some(format!("write its unit too: `{text}m` for minutes, `{text}s` for seconds"));
    }
    let number = number_with_unit(text)?;
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim();
    let unit = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hour" | "hours" => "h",
        "d" | "day" | "days" => return Some(format!("write `{}h`", number.checked_mul(24)?)),
        _ => return None,
    };
    Some(format!("write `{number}{unit}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_notations_are_told_from_ours() {
        for (text, says) in [
            (
                "$AZURE_RG",
                Some("an environment variable is `${env.AZURE_RG}`, a parameter `${param.AZURE_RG}`"),
            ),
            ("$(networks.hub.id)", Some("an expression has braces: `${networks.hub.id}`")),
            (
                "{{ azure.location }}-app",
                Some("an expression has a dollar and one pair of braces: `${azure.location}`"),
            ),
            ("${azure.location}", None),
            ("${azure.location}}", Some("remove the last `}`")),
            ("$", None),
            ("a$b", None),
            ("{{ a b }}", None),
        ] {
            assert_eq!(other_notation(text).as_deref(), says, "{text}");
        }
    }

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
            ("128GB", "string \"128GB\"", "u32", Some("write the number alone: 128")),
            (
                "2",
                "integer `2`",
                "a length of time with its unit",
                Some("write its unit too: `2m` for minutes, `2s` for seconds"),
            ),
            ("2 minutes", "string \"2 minutes\"", "a length of time with its unit", Some("write `2m`")),
            ("2 days", "string \"2 days\"", "a length of time with its unit", Some("write `48h`")),
            ("soon", "string \"soon\"", "a length of time with its unit", None),
            ("[]", "sequence", "a map", Some("give each element a key of its own: `KEY: { … }`")),
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
