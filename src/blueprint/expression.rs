//! `${…}`: minijinja expressions in texts.
//!
//! A text that is exactly one expression keeps the type of its value; within a longer text the value is put in as
//! text; `$${` stands for `${`. What another entry of the blueprint gives comes in as a token, so expressions are
//! pure, and what they mention can be read off their results.

use super::{chain, functions};
use crate::diag::did_you_mean;
use crate::value::token::{self, Piece};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: String,
    /// Whether it follows from a mistake that is told elsewhere, so that nothing needs to be said here.
    pub(crate) follows: bool,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Fault { message: message.into(), help: help.into(), follows: false }
    }

    /// The value is missing because of a mistake that is told elsewhere.
    pub(crate) fn follows() -> Self {
        Fault { message: String::new(), help: String::new(), follows: true }
    }

    /// `name` is not known; the near ones are suggested, else all are listed.
    pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let help = match did_you_mean(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let all: Vec<&str> = known.take(12).collect();
                if all.is_empty() {
                    match what.split_once("entry in `").and_then(|(_, rest)| rest.split_once('`')) {
                        Some((section, _)) => format!("add it: `{section}: {{ {name}: {{ … }} }}`"),
                        None if what == "parameter" => {
                            format!("declare it: `parameters: {{ {name}: {{ type: string }} }}`")
                        }
                        None => "the blueprint has none of these".to_owned(),
                    }
                } else {
                    format!("there are: {}", all.join(", "))
                }
            }
        };
        Fault::new(format!("there is no {what} `{name}`"), help)
    }
}

/// Where names in expressions come from.
pub(crate) trait Scope {
    /// The value of a dotted path, at least one segment.
    ///
    /// A key of `forEach` is in brackets in its segment: `["clusters", "aks[westeurope]", "id"]`.
    fn lookup(&self, path: &[&str]) -> Result<Value, Fault>;

    /// Whether what is under this first segment are entries, of which there may be several of one name.
    fn holds_entries(&self, root: &str) -> bool;
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(STEPS));
    functions::add_to(&mut environment);
    environment
});

/// Whether a text has an expression, or an escape, in it.
pub(crate) fn is_expression(text: &str) -> bool {
    text.contains("${")
}

/// The segments of `section.key.snet-nodes`: names with hyphens inside, and nothing else.
fn hyphenated_chain(expression: &str) -> Option<Vec<&str>> {
    let is_segment = |segment: &&str| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        segment.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && segment.ends_with(word)
            && segment.chars().all(|c| word(c) || c == '-')
    };
    let path: Vec<&str> = expression.split('.').collect();
    (expression.contains('-') && path.len() >= 2 && !path[0].contains('-') && path.iter().all(is_segment))
        .then_some(path)
}

/// The value of a text.
pub(crate) fn evaluate(text: &str, scope: &dyn Scope) -> Result<Value, Fault> {
    if !is_expression(text) {
        return Ok(Value::String(text.to_owned()));
    }
    let parts = split(text)?;
    if let [Part::Expression(expression)] = parts[..] {
        return evaluate_expression(expression, scope, 0);
    }
    let mut result = String::with_capacity(text.len());
    for part in parts {
        match part {
            Part::Text(plain) => result.push_str(plain),
            Part::Escape => result.push_str("${"),
            Part::Expression(expression) => match evaluate_expression(expression, scope, 0)? {
                Value::String(value) => result.push_str(&value),
                Value::Null => {}
                value @ (Value::Array(_) | Value::Object(_)) => {
                    let what = if value.is_array() { "a list" } else { "a mapping" };
                    return Err(Fault::new(
                        format!("`{}` is {what} and cannot be part of a text", expression.trim()),
                        "make the expression the whole value, or use `join(…, \",\")`",
                    ));
                }
                value => result.push_str(&value.to_string()),
            },
        }
    }
    Ok(Value::String(result))
}

enum Part<'a> {
    Text(&'a str),
    Escape,
    Expression(&'a str),
}

fn split(text: &str) -> Result<Vec<Part<'_>>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            if at > 1 {
                parts.push(Part::Text(&rest[..at - 1]));
            }
            parts.push(Part::Escape);
            rest = &rest[at + 2..];
            continue;
        }
        if at > 0 {
            parts.push(Part::Text(&rest[..at]));
        }
        let inner = &rest[at + 2..];
        let end = closing_brace(inner).ok_or_else(|| {
            Fault::new(
                "an expression is not closed",
                "write the closing brace: `${…}`; a literal `${` is written `$${`",
            )
        })?;
        parts.push(Part::Expression(&inner[..end]));
        rest = &inner[end + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

/// Where the brace that closes an expression is; braces inside quotes and mappings do not count.
fn closing_brace(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0u32, None);
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn evaluate_expression(expression: &str, scope: &dyn Scope, depth: usize) -> Result<Value, Fault> {
    let expression = expression.trim();
    if expression.is_empty() {
        return Err(Fault::new(
            "an expression is empty",
            "write what it stands for, such as `${param.environment}`",
        ));
    }
    // Most expressions are one dotted name: no need for a parser.
    if is_dotted_name(expression) {
        let path: Vec<&str> = expression.split('.').collect();
        return scope.lookup(&path);
    }
    // A key may have a hyphen, which is minus elsewhere: a chain of names that begins with a section is a name.
    if let Some(path) = hyphenated_chain(expression)
        && scope.holds_entries(path[0])
    {
        return scope.lookup(&path);
    }
    let mut context = Map::new();
    let mut has_token = false;
    let written = expression;
    let replaced = match expression.contains('[') {
        true => {
            let inner = |inner: &str, depth| evaluate_expression(inner, scope, depth);
            let (replaced, values) = chain::replace(expression, scope, &inner, depth)?;
            // A name with brackets and nothing else.
            if let [(name, value)] = values.as_slice()
                && *name == replaced
            {
                return Ok(value.clone());
            }
            for (name, value) in values {
                let is_condition = conditions(&replaced).iter().any(|part| part.contains(name.as_str()));
                if token::any(&value, &|_| true) {
                    has_token = true;
                    if is_condition {
                        return Err(computes(written));
                    }
                }
                context.insert(name, value);
            }
            Some(replaced)
        }
        false => None,
    };
    let expression = replaced.as_deref().unwrap_or(written);
    if operators(expression) > MOST_OPERATORS {
        return Err(Fault::new(
            format!("an expression has more than {MOST_OPERATORS} operators"),
            "this limit is fixed: compute parts of it as parameters, modules or outputs of their own",
        ));
    }
    let compiled = ENVIRONMENT.compile_expression(expression).map_err(|error| syntax(written, &error))?;
    let conditions = conditions(expression);
    let mut names: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
    names.sort();
    for name in &names {
        let path: Vec<&str> = name.split('.').collect();
        if context.contains_key(path[0]) && name.starts_with("__name") {
            continue;
        }
        if path.len() == 1 && functions::is_known(name) {
            continue;
        }
        if path.len() == 1 && expression.contains(&format!("{name}(")) {
            return Err(Fault::unknown("function", name, functions::names()));
        }
        // A longer name below has been, or will be, put in by itself.
        if names.iter().any(|other| other.len() > name.len() && other.starts_with(&format!("{name}."))) {
            continue;
        }
        let value = scope.lookup(&path)?;
        if token::any(&value, &|_| true) {
            has_token = true;
            if conditions.iter().any(|condition| condition.contains(name.as_str())) {
                return Err(computes(written));
            }
        }
        insert(&mut context, &path, value);
    }
    let value = compiled.eval(minijinja::value::Serde(&context)).map_err(|error| runtime(written, &error))?;
    let value = serde_json::to_value(&value).map_err(|error| {
        Fault::new(
            format!("`{written}` has no plain value: {error}"),
            "make it a text, number, list or mapping",
        )
    })?;
    if weight(&value, functions::LARGEST) > functions::LARGEST {
        return Err(Fault::new(format!("the value of `{written}` is larger than 1 MiB"), FIXED_SIZE));
    }
    // A token that an operation took apart, compared or measured would be a wrong value: nothing is known of it yet.
    let chosen = expression.contains(" if ");
    if has_token && (!is_whole(&value) || (!chosen && !token::any(&value, &|_| true))) {
        return Err(computes(written));
    }
    Ok(value)
}

/// How many bytes a value has, about; what is beyond `most` is not counted.
fn weight(value: &Value, most: usize) -> usize {
    let mut sum = 8;
    match value {
        Value::String(text) => sum += text.len(),
        Value::Array(items) => {
            for item in items {
                sum += weight(item, most);
                if sum > most {
                    break;
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                sum += name.len() + weight(member, most);
                if sum > most {
                    break;
                }
            }
        }
        _ => {}
    }
    sum
}

fn computes(expression: &str) -> Fault {
    Fault::new(
        format!("`{expression}` computes with a value that is known only after apply, or secret"),
        "pass such a value on as it is, or put it into a text: `prefix-${…}`",
    )
}

/// What is between `if` and `else`: there a value must be known to be of use.
fn conditions(expression: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find(" if ") {
        let after = &rest[at + 4..];
        let end = after.find(" else ").unwrap_or(after.len());
        found.push(&after[..end]);
        rest = &after[end..];
    }
    found
}

fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }) && !matches!(text, "true" | "false" | "none" | "True" | "False" | "None")
}

fn insert(context: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [last] => {
            context.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let entry = context.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(members) = entry {
                insert(members, rest, value);
            }
        }
        [] => {}
    }
}

/// How many steps one expression may take.
const STEPS: u64 = 100_000;

/// The remedy for a value that is too large.
const FIXED_SIZE: &str = "this limit is fixed, and nothing that Azure takes is so large: split the value, or compute it outside and give it as a parameter";

/// How many operators one expression may have: each of them makes the parser go one deeper.
const MOST_OPERATORS: usize = 250;

/// How many operators are outside of the texts of an expression.
fn operators(expression: &str) -> usize {
    let (mut count, mut quote, mut escaped, mut word) = (0, None, false, String::new());
    for c in expression.chars().chain([' ']) {
        if let Some(open) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == open => quote = None,
                _ => {}
            }
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        count += usize::from(["not", "and", "or", "if", "in", "is"].contains(&word.as_str()));
        word.clear();
        match c {
            '"' | '\'' => quote = Some(c),
            '+' | '-' | '*' | '/' | '%' | '~' | '|' | '<' | '>' | '=' | '(' | '[' | '{' | '.' => count += 1,
            _ => {}
        }
    }
    count
}

/// Whether every token in a value is whole.
fn is_whole(value: &Value) -> bool {
    match value {
        Value::String(text) => !token::pieces(text).contains(&Piece::Broken),
        Value::Array(items) => items.iter().all(is_whole),
        Value::Object(members) => members.values().all(is_whole),
        _ => true,
    }
}

fn syntax(expression: &str, error: &minijinja::Error) -> Fault {
    let detail = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    if detail.contains("recursion limit") {
        return Fault::new(
            "brackets are nested too deep",
            "this limit is fixed: give the inner values names, as parameters",
        );
    }
    Fault::new(
        format!("`{expression}` is not an expression: {detail}"),
        "names are written `section.key.field`, texts in quotes",
    )
}

fn runtime(expression: &str, error: &minijinja::Error) -> Fault {
    use minijinja::ErrorKind;
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownFunction | ErrorKind::UnknownFilter => {
            let name = detail.split_whitespace().find(|word| !["filter", "function"].contains(word));
            let name = name.unwrap_or(expression).trim_matches(['`', '\'', '"']);
            Fault::unknown("function", name, functions::names())
        }
        ErrorKind::OutOfFuel => Fault::new(
            format!("`{expression}` takes more than {STEPS} steps to compute"),
            "this limit is fixed: use shorter lists, or compute the value outside and give it as a parameter",
        ),
        _ if functions::is_limit(detail) => {
            Fault::new(format!("`{expression}` cannot be computed: {detail}"), FIXED_SIZE)
        }
        _ => {
            let why = if detail.is_empty() { error.to_string() } else { detail.to_owned() };
            let why = why.split(" (in ").next().unwrap_or_default();
            Fault::new(format!("`{expression}` cannot be computed: {why}"), usage(expression))
        }
    }
}

/// How the function is called that an expression calls, or where to look.
fn usage(expression: &str) -> String {
    let called = functions::FUNCTIONS.iter().filter_map(|(name, signature, meaning)| {
        let at = expression.find(&format!("{name}("))?;
        let whole = !expression[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        whole.then_some((at, format!("`{signature}` is {meaning}")))
    });
    called.min_by_key(|(at, _)| *at).map_or_else(
        || {
            "check the types of the values in it; `berth explain functions` lists what can be computed"
                .to_owned()
        },
        |(_, help)| help,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::token::Token;
    use serde_json::json;

    struct Names;

    impl Scope for Names {
        fn lookup(&self, path: &[&str]) -> Result<Value, Fault> {
            Ok(match path {
                ["param", "env"] => json!("dev"),
                ["param", "count"] => json!(3),
                ["param", "list"] => json!(["a", "b"]),
                ["networks", ..] => {
                    json!(Token::Reference { path: path.join("."), facet: String::new() }.encode())
                }
                _ => return Err(Fault::unknown("name", path[0], ["param", "networks"].into_iter())),
            })
        }

        fn holds_entries(&self, root: &str) -> bool {
            root == "networks"
        }
    }

    #[test]
    fn expressions_keep_types_and_texts_take_values_in() {
        for (text, value) in [
            ("plain", json!("plain")),
            ("${param.env}", json!("dev")),
            ("${param.count}", json!(3)),
            ("${ param.count + 1 }", json!(4)),
            ("rg-${param.env}-${param.count}", json!("rg-dev-3")),
            ("$${literal}", json!("${literal}")),
            ("a$${b}${param.env}", json!("a${b}dev")),
            ("${param.list}", json!(["a", "b"])),
            ("${param.list[1]}", json!("b")),
            ("${ {'a': param.env} }", json!({ "a": "dev" })),
            ("${ 'x}' ~ param.env }", json!("x}dev")),
            ("${ 'big' if param.count > 2 else 'small' }", json!("big")),
            ("${upper(param.env)}", json!("DEV")),
            ("${join(param.list, ',')}", json!("a,b")),
        ] {
            assert_eq!(evaluate(text, &Names), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_other_entries_give_stays_a_token() {
        let value = evaluate("x-${networks.hub.id}", &Names).unwrap();
        let token = Token::Reference { path: "networks.hub.id".into(), facet: String::new() };
        assert_eq!(value, json!(format!("x-{}", token.encode())));
        assert_eq!(evaluate("${ 'a' if param.count > 2 else networks.hub.id }", &Names), Ok(json!("a")));
        for text in [
            "${ 'a' if networks.hub.id == 'x' else 'b' }",
            "${networks.hub.id | upper}",
            "${networks.hub.id == 'a'}",
            "${upper(networks.hub)}",
        ] {
            assert!(evaluate(text, &Names).unwrap_err().message.contains("known only after apply"), "{text}");
        }
    }

    #[test]
    fn a_key_in_brackets_belongs_to_the_name() {
        let token = |path: &str| Token::Reference { path: path.to_owned(), facet: String::new() }.encode();
        for (text, value) in [
            ("${networks.hub['eu'].id}", json!(token("networks.hub[eu].id"))),
            ("${ networks.hub[param.env] }", json!(token("networks.hub[dev]"))),
            ("${networks.hub[param.env ~ ']'].name}", json!(token("networks.hub[dev]].name"))),
            (
                "x-${networks.hub[\"a\"].subnets['nodes'].id}",
                json!(format!("x-{}", token("networks.hub[a].subnets.nodes.id"))),
            ),
            ("${networks.hub.addressSpace[0]}", json!(token("networks.hub.addressSpace[0]"))),
            (
                "${ [networks.a['x'], networks.b[param.list[0]]] }",
                json!([token("networks.a[x]"), token("networks.b[a]")]),
            ),
            ("${ 'networks.a[0]' ~ param.env }", json!("networks.a[0]dev")),
            ("${param.list[0]}", json!("a")),
            ("${ networks.a['x'] if param.env == 'dev' else 'none' }", json!(token("networks.a[x]"))),
        ] {
            assert_eq!(evaluate(text, &Names), Ok(value), "{text}");
        }
        for (text, message) in [
            ("${networks.hub[networks.a.id]}", "cannot be a key"),
            ("${networks.hub['a'}", "closing bracket"),
            ("${networks.hub[param.list]}", "is not a key"),
            ("${ 1 if networks.hub['a'] == 'x' else 2 }", "known only after apply"),
        ] {
            assert!(evaluate(text, &Names).unwrap_err().message.contains(message), "{text}");
        }
        let deep = format!("${{{}1{}}}", "networks.a[".repeat(3000), "]".repeat(3000));
        assert!(evaluate(&deep, &Names).unwrap_err().message.contains("too deep"));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        for (text, message, help) in [
            ("${", "an expression is not closed", "closing brace"),
            ("${}", "an expression is empty", "${param.environment}"),
            ("${parm.env}", "there is no name `parm`", "did you mean `param`?"),
            ("x${param.list}", "`param.list` is a list", "join"),
            ("${1 +}", "is not an expression", "section.key"),
            ("${uniquString('a')}", "there is no", "uniqueString"),
        ] {
            let fault = evaluate(text, &Names).unwrap_err();
            assert!(fault.message.contains(message), "{text}: {fault:?}");
            assert!(fault.help.contains(help), "{text}: {fault:?}");
        }
    }
}
