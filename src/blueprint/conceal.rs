//! What may be a secret although nothing says so yet: an excerpt of a file with mistakes must not show it.
//!
//! A secret is known once its declaration is understood. A file with a mistake may never come so far: `sekret: true` is
//! a typing error, and the default beside it is still a password. So where a file is wrong, every value that may be a
//! secret is taken for one ([`suspects`]); where it is not YAML at all, every value is ([`veiled`]).

use super::includes::Include;
use super::source::{HEAD, Source};
use crate::catalog::registry;
use crate::diag::{Diagnostic, SourceFile, did_you_mean};
use crate::value::redact::Redactor;
use serde_json::Value;
use std::sync::Arc;

/// How the names of fields end that hold a secret, in small letters.
const ENDINGS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "credentials",
    "connectionstring",
    "secretkey",
    "accesskey",
    "accountkey",
    "privatekey",
    "httpskey",
    "apikey",
    "sharedkey",
    "primarykey",
    "secondarykey",
    "sas",
];

/// The fields of berth that hold a secret: one that is nearly called so was meant to be it.
const FIELDS: &[&str] =
    &["adminPassword", "secret", "httpsKey", "sshPrivateKey", "secretKey", "accountKey", "sasToken"];

/// What people write where `modules:` is meant.
const MODULES: [&str; 3] = ["include", "includes", "module"];

/// The fields of a secret in a vault that hold none.
const BESIDE: &[&str] = &["name", "contentType", "notBefore", "expires", "enabled", "tags"];

/// Whether a field of this name holds a secret, or was meant to.
fn is_secret_name(name: &str) -> bool {
    let folded: String =
        name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    ENDINGS.iter().any(|ending| folded.ends_with(ending))
        || FIELDS.iter().any(|field| strsim::osa_distance(&field.to_ascii_lowercase(), &folded) <= 2)
}

/// Has a redactor learn what may be a secret in a blueprint that is wrong, and in its modules.
pub(super) fn learn(source: &Source, redactor: &Redactor) {
    for source in source.all() {
        for value in suspects(source) {
            each_literal(value, &mut |text| redactor.learn(text));
        }
    }
}

/// Calls `each` with what is literally in a value: an expression itself says nothing, the texts in it do.
fn each_literal(value: &Value, each: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) if text.contains("${") => {
            text.split(['\'', '"']).skip(1).step_by(2).for_each(each);
        }
        // So short a text is in every other: to take it out would leave nothing to read.
        Value::String(text) if text.chars().count() < 4 => {}
        Value::String(text) => each(text),
        Value::Number(number) if number.to_string().len() < 6 => {}
        Value::Number(number) => each(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| each_literal(item, each)),
        Value::Object(members) => members.values().for_each(|member| each_literal(member, each)),
        Value::Bool(_) | Value::Null => {}
    }
}

/// The values of a file that may be secrets.
fn suspects(source: &Source) -> Vec<&Value> {
    let mut found = Vec::new();
    let Some(root) = source.tree.as_object() else { return found };
    let sections = || HEAD.iter().copied().chain(registry().iter().map(|kind| kind.section));
    for (section, entries) in root {
        match section.as_str() {
            "parameters" => each_member(entries, |_, declaration| {
                if !declaration.is_object() {
                    found.push(declaration);
                } else if is_secret_declaration(declaration) {
                    found.extend(["default", "allowed"].iter().filter_map(|field| declaration.get(field)));
                }
            }),
            "modules" => each_member(entries, |_, module| {
                let file = module.get("include").and_then(Value::as_str);
                let declared = file.and_then(|file| match source.includes.get(file)? {
                    Include::File(file) => file.tree.get("parameters"),
                    _ => None,
                });
                each_member(module.get("parameters").unwrap_or(&Value::Null), |name, value| {
                    match declared.and_then(|declared| declared.get(name)) {
                        Some(declaration) if !is_secret_declaration(declaration) => {}
                        _ => found.push(value),
                    }
                });
            }),
            // Nothing is known of it: it may be a file of another kind.
            _ if sections().all(|known| known != section)
                && did_you_mean(section, sections().chain(MODULES)).is_none() =>
            {
                found.push(entries);
            }
            _ => {}
        }
        // `secret: true` of a declaration is not a field that holds one.
        if section != "parameters" {
            below(entries, &mut found);
        }
        if section == "keyVaults" {
            each_member(entries, |_, vault| {
                each_member(vault.get("secrets").unwrap_or(&Value::Null), |_, secret| match secret {
                    Value::Object(fields) => found.extend(
                        fields
                            .iter()
                            .filter(|(name, _)| !BESIDE.contains(&name.as_str()))
                            .map(|(_, value)| value),
                    ),
                    other => found.push(other),
                });
            });
        }
        if section == "resources" {
            each_member(entries, |_, resource| {
                let hidden = resource.get("writeOnly").and_then(Value::as_array).into_iter().flatten();
                let body = resource.get("body").unwrap_or(&Value::Null);
                found.extend(
                    hidden
                        .filter_map(Value::as_str)
                        .filter_map(|path| body.pointer(&format!("/{}", path.replace('.', "/")))),
                );
            });
        }
    }
    found
}

fn each_member<'v>(value: &'v Value, mut each: impl FnMut(&'v str, &'v Value)) {
    for (name, member) in value.as_object().into_iter().flatten() {
        each(name, member);
    }
}

/// Whether a declaration says that its parameter is secret, or tries to.
fn is_secret_declaration(declaration: &Value) -> bool {
    declaration.as_object().is_none_or(|fields| {
        fields.iter().any(|(name, value)| {
            *value != Value::Bool(false) && (name == "secret" || did_you_mean(name, ["secret"]).is_some())
        })
    })
}

/// The values of fields that hold secrets by their name, anywhere below.
fn below<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::Object(_) => below(member, found),
                    // `secret: true` declares; it is none.
                    Value::Bool(_) | Value::Null => {}
                    // What an access policy allows.
                    Value::Array(_) if name == "secrets" => {}
                    _ if is_secret_name(name) => found.push(member),
                    _ => below(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| below(item, found)),
        _ => {}
    }
}

/// A diagnostic about a text that could not be read: of a blueprint it shows names and marks and no value, of another
/// file nothing.
pub(super) fn veiled(mut diagnostic: Diagnostic) -> Diagnostic {
    if let Some(span) = &mut diagnostic.span {
        let text = match is_blueprint_text(&span.file.text) {
            true => veil(&span.file.text, span.offset, &mut span.offset),
            false => String::new(),
        };
        span.offset = span.offset.min(text.len());
        span.length = span.length.min(text.len() - span.offset).max(1);
        span.file = Arc::new(SourceFile { name: span.file.name.clone(), text });
    }
    diagnostic
}

/// Whether a text has a section of a blueprint in it, so that it was meant as one, whatever is wrong with it.
pub(super) fn is_blueprint_text(text: &str) -> bool {
    let sections = || HEAD.iter().copied().chain(registry().iter().map(|kind| kind.section));
    text.lines().any(|line| {
        let Some((name, rest)) = line.split_once(':') else { return false };
        (rest.is_empty() || rest.starts_with(char::is_whitespace))
            && sections().any(|section| section == name)
    })
}

/// The text that replaces a value.
const VEIL: &str = "···";

/// A YAML text without its values, and where in it a place of the text has come to lie.
///
/// Names, expressions without texts in them, truth values and the marks of YAML stay: they are what a mistake of syntax
/// is about. Comments go.
fn veil(text: &str, offset: usize, moved: &mut usize) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut start, mut found) = (0, None);
    // The indentation of the name whose text of many lines is being passed over.
    let mut block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        let within = offset.checked_sub(start).filter(|at| *at < line.len());
        let indent = bare.len() - bare.trim_start_matches(' ').len();
        if block.is_some_and(|block| indent > block || bare.trim().is_empty()) {
            if !bare.trim().is_empty() {
                shown.push_str(&bare[..indent]);
                shown.push_str(VEIL);
            }
            found = found.or(within.map(|_| shown.len()));
        } else {
            let mark = bare.split(" #").next().unwrap_or_default().trim_end();
            let mark = mark.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
            let is_block = mark.strip_suffix(['|', '>']).is_some_and(|rest| rest.ends_with([' ', ':', '-']));
            block = is_block.then_some(indent);
            let at = line_without_values(bare, &mut shown, within);
            found = found.or(at);
        }
        shown.push_str(&line[bare.len()..]);
        start += line.len();
    }
    *moved = found.unwrap_or(shown.len());
    shown
}

/// How long the word is that a text begins with: a colon in it belongs to it, one behind it does not.
fn word(text: &str) -> usize {
    let ends = |(at, c): (usize, char)| {
        c.is_whitespace()
            || ",[]{}\"'#".contains(c)
            || c == ':' && text[at + 1..].chars().next().is_none_or(char::is_whitespace)
    };
    text.char_indices().find(|found| ends(*found)).map_or(text.len(), |(at, _)| at)
}

/// Puts a line without its values behind what is shown; answers where a byte of it is now.
fn line_without_values(line: &str, shown: &mut String, within: Option<usize>) -> Option<usize> {
    let mut found = None;
    // Whether what comes next may be a name: at the start of a line, behind `- `, and behind `{` or `,` in brackets.
    let (mut named, mut depth, mut at) = (true, 0usize, 0);
    while at < line.len() {
        let rest = &line[at..];
        let c = rest.chars().next().unwrap_or_default();
        let value = word(rest);
        let expression = rest.strip_prefix("${").and_then(|inner| {
            let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || "._[]- ".contains(c)))?;
            inner[end..].starts_with('}').then_some(end + 3)
        });
        let (length, keep) = match c {
            _ if c.is_whitespace() => (c.len_utf8(), true),
            '#' if at == 0 || line[..at].ends_with(' ') => (rest.len(), false),
            '{' | '[' => {
                (depth, named) = (depth + 1, true);
                (1, true)
            }
            '}' | ']' => {
                (depth, named) = (depth.saturating_sub(1), false);
                (1, true)
            }
            ',' => {
                named = depth > 0;
                (1, true)
            }
            '-' if value == 1 => (1, true),
            '|' | '>' if rest[1..value].chars().all(|c| c.is_ascii_digit() || "+-".contains(c)) => {
                (value, true)
            }
            ':' | '|' | '>' | '&' | '*' | '!' | '?' | '"' | '\'' | '$'
                if expression.is_none() && value <= 1 =>
            {
                (1, true)
            }
            _ if expression.is_some() => (expression.unwrap_or(1), true),
            _ => {
                let length = value.max(c.len_utf8());
                let word = &rest[..length];
                let is_name = named
                    && rest[length..].starts_with(':')
                    && (word == "<<" || word.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)));
                named = false;
                (length, is_name || matches!(word, "true" | "false" | "null"))
            }
        };
        if let Some(wanted) = within.filter(|wanted| (at..at + length).contains(wanted)) {
            found = Some(shown.len() + if keep { wanted - at } else { 0 });
        }
        match keep {
            true => shown.push_str(&rest[..length]),
            // One veil for several words: how many there are is nobody's business.
            false if shown.trim_end_matches(' ').ends_with(VEIL) => {
                let end = shown.trim_end_matches(' ').len();
                shown.truncate(end);
                found = found.map(|found| found.min(end));
            }
            false => shown.push_str(VEIL),
        }
        at += length;
    }
    found.or(within.map(|_| shown.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Inputs, load};

    fn veil_of(text: &str) -> String {
        veil(text, 0, &mut 0)
    }

    #[test]
    fn a_text_that_cannot_be_read_shows_names_and_marks() {
        for (text, shown) in [
            (
                "  pw: { type: string, secret: true, default: HUSH \n",
                "  pw: { type: ···, secret: true, default: ··· \n",
            ),
            ("a: [x, '${b.c}', ${c.d}]", "a: [···, '${b.c}', ${c.d}]"),
            ("a: HUSH: x", "a: ···: ···"),
            ("a: \"HUSH\\\"x, y: z\"", "a: \"···\"···, ···: ···\""),
            ("a: |\n  HUSH: x\n  y\n\n  z\nb: 1", "a: |\n  ···\n  ···\n\n  ···\nb: ···"),
            ("a: >-\n    HUSH", "a: >-\n    ···"),
            ("- - HUSH word word # HUSH", "- - ···"),
            ("x: https://u:HUSH@h/x?sig=HUSH", "x: ···"),
            ("x: ${'HUSH' | indent(2)}", "x: ${'···' | ···}"),
            ("a: &mark HUSH", "a: ···"),
        ] {
            assert_eq!(veil_of(text), shown, "{text}");
        }
    }

    /// Whatever is there, and however it is wrong: a value is not shown, and the place lies within the text.
    #[test]
    fn no_mistake_of_syntax_shows_a_value() {
        let head = "blueprint: shop\nparameters:\n";
        for declared in [
            "  pw: { secret: true, default: HUSH1 \n",
            "  pw:\n    secret: true\n    default: \"HUSH1\n  more\n",
            "  pw:\n    default: 'HUSH1\n",
            "  pw:\n    default: |\n      HUSH1: HUSH1\n     HUSH1\n\tx",
            "  pw: { default: HUSH1, default: HUSH1 }\n",
            "  pw: { default: ${'HUSH1'} }\n",
            "  pw: { default: HUSH1 }\n  pw: { default: HUSH1 }\n",
            "  pw: { default: *HUSH1 }\n",
            "  pw: { default: !HUSH1 x }\n",
            "  pw: { default: !x HUSH1 }\n",
            "  pw: default: HUSH1\n",
            "  pw: [ HUSH1, {a: HUSH1}\n",
            "  pw: @HUSH1\n",
            "  pw: ü HUSH1 %HUSH1 `HUSH1`: [\n",
            "  pw: \u{7}HUSH1\n",
            "  pw: {a: https://u:HUSH1@h/x}}\n",
            "  # HUSH1\n  pw: [\n",
            "---\na: HUSH1\n",
        ] {
            let text = format!("{head}{declared}");
            let diagnostic = Source::parse("b.yaml", text.as_bytes()).unwrap_err();
            let span = diagnostic.span.clone().unwrap();
            assert!(!span.file.text.contains("HUSH1"), "{declared}: {}", span.file.text);
            assert!(span.file.text.is_char_boundary(span.offset), "{declared}");
            assert_eq!(
                span.line,
                span.file.text[..span.offset].matches('\n').count() + 1,
                "{declared}: {}",
                span.file.text
            );
        }
        let other = Source::parse("shadow", b"root:$y$HUSH:1:2\nx: y: HUSH\n").unwrap_err();
        assert_eq!(other.span.unwrap().file.text, "");
    }

    /// Everything that may be a secret is known as one, whatever is wrong beside it.
    #[test]
    fn a_blueprint_that_is_wrong_shows_nothing_that_may_be_a_secret() {
        const HEAD: &str = "blueprint: shop\nazure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: g }\n";
        for text in [
            "parameters: { p: { type: string, sekret: true, default: HUSHa } }",
            "parameters: { p: { type: string, secret: 'true', default: HUSHa } }",
            "parameters: { p: { type: string, secret: yes, default: HUSHa } }",
            "parameters: { p: { type: string, secret: 1, allowed: [HUSHa], x: 1 } }",
            "parameters: { p: HUSHa }",
            "clusters: { aks: { windows: { adminUsernam: x, adminPassword: HUSHa } } }",
            "clusters: { aks: { windows: { adminUsername: x, adminPassword: [HUSHa] } } }",
            "clusters: { aks: { windows: { adminUsername: x, adminPasword: HUSHa } } }",
            "clusters: { aks: { windows: { adminUsername: x, adminPassword: \"${'HUSHa'\" } } }",
            "clusters: { aks: { servicePrincipal: { clientId: x, secrets: HUSHa } } }",
            "clusters: { aks: { addons: { flux: { configurations: { a: { git: { url: x, httpKey: HUSHa } } } } } } }",
            "keyVaults: { k: { secrets: { a: HUSHa } } }",
            "keyVaults: { k: { secrets: { a: { valeu: HUSHa } } } }",
            "keyVaults: { k: { secrets: { a: { value: HUSHa, foo: 1 } } } }",
            "modules: { m: { include: ./gone.yaml, parameters: { pw: HUSHa } } }",
            "resources: { r: { type: X, writeOnly: [properties.pw], body: { properties: { pw: HUSHa } } } }",
            "resources: { r: { type: X, body: { properties: { dbPassword: HUSHa } } } }",
            "pasword: HUSHa",
            "auths: { registry: { auth: HUSHa } }",
        ] {
            let source = Source::parse("b.yaml", format!("{HEAD}{text}\n").as_bytes()).unwrap();
            let inputs = Inputs::default();
            assert!(load(&source, &inputs).is_err(), "{text}");
            assert_eq!(inputs.redactor.text("<HUSHa>"), "<(secret)>", "{text}");
        }
    }
}
