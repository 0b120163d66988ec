//! serde's words, put into a platform engineer's.

use super::source::{At, Source};
use super::traps;
use crate::diag::{Code, Diagnostic, did_you_mean, meant_field};

/// The fields that every entry has, beside those of its kind.
pub(crate) const COMMON: &[&str] = &[
    "name",
    "location",
    "resourceGroup",
    "subscription",
    "tags",
    "properties",
    "dependsOn",
    "forEach",
    "when",
    "protect",
    "adopt",
    "timeout",
    "exclusive",
    "ignore",
];

pub(super) const MISSING_FIELD: Code = Code {
    name: "missing-field",
    why: "Something that Azure cannot do without is not said.",
    remedy: "Add the field that the message names; `berth explain KIND.FIELD` says what it holds.",
    example: "subnets: { nodes: { prefix: 10.20.0.0/20 } }",
};

pub(super) const UNKNOWN_FIELD: Code = Code {
    name: "unknown-field",
    why: "The kind has no such field. Nothing is ignored: a misspelt field would otherwise silently do nothing.",
    remedy: "Take the field that the message offers; `berth explain KIND` lists all; `properties:` takes what ARM has and berth has no field for.",
    example: "network: { plugin: azure }",
};

pub(super) const UNKNOWN_VALUE: Code = Code {
    name: "unknown-value",
    why: "The field takes one of a few words, and this is not one of them.",
    remedy: "Take one of those that the message lists.",
    example: "mode: System",
};

pub(super) const WRONG_TYPE: Code = Code {
    name: "wrong-type",
    why: "The value is of another type: a text in place of a number, a list in place of a mapping. YAML reads `no` and `1.30` as something else than texts.",
    remedy: "Write it as the message says, in quotes when it is to be a text.",
    example: "kubernetesVersion: \"1.30\"",
};

pub(super) const WRONG_VALUE: Code = Code {
    name: "wrong-value",
    why: "The value has the right type and still cannot be.",
    remedy: "The message says what it may be; `berth explain KIND.FIELD` too.",
    example: "timeout: 30m",
};

/// A diagnostic for a field that could not be read: `base` is the path of the entry, `path` the field's below it.
///
/// `words` are further fields that are known there.
pub(crate) fn shape(
    source: &Source,
    base: &str,
    path: &str,
    message: &str,
    words: &[&'static str],
) -> Diagnostic {
    let path = if path == "." { "" } else { path };
    let join = |tail: &str| match (path.is_empty(), tail.is_empty()) {
        // A whole file.
        (true, _) if base.is_empty() => tail.to_owned(),
        (false, true) if base.is_empty() => path.to_owned(),
        (false, false) if base.is_empty() => format!("{path}.{tail}"),
        (true, true) => base.to_owned(),
        (true, false) => format!("{base}.{tail}"),
        (false, true) => format!("{base}.{path}"),
        (false, false) => format!("{base}.{path}.{tail}"),
    };
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field") {
        let (field, known) = quoted.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        // Whether the path already ends in the field depends on who noticed it.
        let place =
            if path == field || path.ends_with(&format!(".{field}")) { join("") } else { join(field) };
        // At the top of an entry, `section.key`, the fields of every entry are known too.
        let is_entry =
            base.contains('.') && !base.starts_with("parameters.") && (path.is_empty() || path == field);
        let known: Vec<&str> = match is_entry {
            true => known.iter().chain(COMMON).copied().collect(),
            false => known.iter().chain(words).copied().collect(),
        };
        let help = match meant_field(field, known.iter().copied()) {
            _ if field == "forEach" => {
                "`forEach` belongs in an entry, or in a part whose key you choose (a node pool, a subnet, a rule): \
                 the keys here are berth's own"
                    .to_owned()
            }
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "remove it".to_owned(),
            None => format!("known here are: {}", known.join(", ")),
        };
        return Diagnostic::error(&UNKNOWN_FIELD, format!("unknown field `{field}`"))
            .at(source.locate(&place, At::Key))
            .help(help);
    }
    if message.starts_with("missing field") {
        let field = quoted.first().copied().unwrap_or_default();
        let whole = join("");
        let name = whole.rsplit('.').next().unwrap_or_default();
        return Diagnostic::error(&MISSING_FIELD, format!("`{name}` needs `{field}`"))
            .at(source.locate(&whole, At::Key))
            .help(format!("add `{field}: …` here"));
    }
    if message.starts_with("unknown variant") {
        let (value, known) = quoted.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let help = match did_you_mean(value, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? Possible are: {}", known.join(", ")),
            None => format!("possible are: {}", known.join(", ")),
        };
        return Diagnostic::error(&UNKNOWN_VALUE, format!("`{value}` is not possible here"))
            .at(source.locate(&join(""), At::Value))
            .help(help);
    }
    let place = source.locate(&join(""), At::Value);
    match message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) {
        Some(rest) => {
            let (found, wanted) = rest.split_once(", expected ").unwrap_or((rest, "something else"));
            let remedy = traps::remedy(source, &join(""), found, wanted);
            let otherwise = match found == "sequence" && wanted.starts_with("struct") {
                true => "write `name: value` pairs, indented or between `{` and `}`".to_owned(),
                false => format!("write {}", in_words(wanted)),
            };
            let (found, wanted) = (in_words(found), in_words(wanted));
            Diagnostic::error(&WRONG_TYPE, format!("expected {wanted}, found {found}"))
                .at(place)
                .help(remedy.unwrap_or(otherwise))
        }
        None => Diagnostic::error(&WRONG_VALUE, message.to_owned())
            .at(place)
            .help("`berth explain` and the documentation of the kind say what is possible here"),
    }
}

fn in_words(text: &str) -> String {
    let mut words = text.to_owned();
    for (rust, plain) in [
        ("string ", "the text "),
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", "the truth value "),
        ("unit value", "nothing"),
        ("a string", "a text"),
        ("a sequence", "a list"),
        ("sequence", "a list"),
        ("a map", "a mapping"),
        ("a boolean", "true or false"),
    ] {
        if let Some(rest) = words.strip_prefix(rust) {
            words = format!("{plain}{rest}");
            break;
        }
    }
    match words.as_str() {
        "map" => "a mapping".to_owned(),
        "null" => "nothing".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        word if word.starts_with("struct ") => "a mapping".to_owned(),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_errors_become_sentences_with_places() {
        let text = "networks:\n  hub:\n    adressSpace: [10.0.0.0/8]\n    subnets: { a: { prefix: 3 } }\n";
        let source = Source::parse("b.yaml", text.as_bytes()).unwrap();
        for (path, message, place, told, help) in [
            (
                "",
                "unknown field `adressSpace`, expected one of `addressSpace`, `subnets`",
                "b.yaml:3:5",
                "unknown field `adressSpace`",
                "did you mean `addressSpace`?",
            ),
            (
                "",
                "unknown field `loction`, expected `addressSpace`",
                "b.yaml:2:3",
                "unknown field `loction`",
                "did you mean `location`?",
            ),
            (
                "",
                "missing field `addressSpace`",
                "b.yaml:2:3",
                "`hub` needs `addressSpace`",
                "add `addressSpace: …` here",
            ),
            (
                "subnets.a.prefix",
                "invalid type: integer `3`, expected a string",
                "b.yaml:4:29",
                "expected a text, found the number `3`",
                "put it in quotes: \"3\"",
            ),
        ] {
            let found = shape(&source, "networks.hub", path, message, &[]);
            assert_eq!(found.span.unwrap().to_string(), place);
            assert_eq!(found.message, told);
            assert_eq!(found.help.as_deref(), Some(help));
        }
    }
}
