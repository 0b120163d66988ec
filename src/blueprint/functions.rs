//! The functions of expressions.

use crate::value::token;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use ipnet::{IpNet, Ipv4Net};
use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};
use sha2::{Digest, Sha256};

/// Name, signature and meaning of every function.
pub fn functions() -> &'static [(&'static str, &'static str, &'static str)] {
    FUNCTIONS
}

/// Name, signature and meaning of every function, for documentation and suggestions.
pub(crate) const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("lower", "lower(text)", "the text in small letters"),
    ("upper", "upper(text)", "the text in capitals"),
    ("trim", "trim(text)", "the text without spaces and line breaks around it"),
    ("replace", "replace(text, old, new)", "the text with every `old` exchanged for `new`"),
    ("split", "split(text, separator)", "the parts of the text as a list"),
    ("join", "join(list, separator)", "the elements as one text"),
    ("format", "format(template, value, …)", "the template with each `{}` exchanged for the next value"),
    ("length", "length(value)", "how many characters, elements or members it has"),
    ("keys", "keys(map)", "the keys as a list, in their order"),
    ("values", "values(map)", "the values as a list, in their order"),
    ("concat", "concat(list, …)", "the lists as one"),
    ("merge", "merge(map, …)", "the mappings as one, later over earlier; not deep"),
    ("keyBy", "keyBy(list, field)", "a mapping of the list's mappings by what that field of them says"),
    ("range", "range(from, to)", "the whole numbers from `from`, and below `to`; `range(n)` begins at 0"),
    ("min", "min(number, …)", "the least of the numbers"),
    ("max", "max(number, …)", "the greatest of the numbers"),
    ("base64", "base64(text)", "the text in Base64"),
    ("jsonencode", "jsonencode(value)", "the value as JSON, in one line"),
    (
        "uniqueString",
        "uniqueString(text, …)",
        "13 letters and digits that follow from the texts, the same every time",
    ),
    ("guid", "guid(text, …)", "a GUID that follows from the texts, the same every time"),
    ("cidrSubnet", "cidrSubnet(range, bits, n)", "the n-th subnet (from 0) with a prefix of that many bits"),
    ("cidrHost", "cidrHost(range, n)", "the n-th address (from 0) of a range"),
    ("cidrNetmask", "cidrNetmask(range)", "the netmask of a range: `255.255.0.0`"),
];

/// The widest indentation of `indent`: more is a mistake, or an attack on the memory of who reads a blueprint.
const WIDEST_INDENT: usize = 200;

/// The names of the functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    FUNCTIONS.iter().map(|(name, ..)| *name)
}

/// Whether there is a function of this name.
pub(crate) fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// Adds the functions to an environment. `range` is minijinja's.
pub(crate) fn add_to(environment: &mut Environment<'_>) {
    environment.add_function("uniqueString", unique_string);
    environment.add_function("guid", guid);
    environment.add_function("lower", |text: &str| known(text).map(str::to_lowercase));
    environment.add_function("upper", |text: &str| known(text).map(str::to_uppercase));
    environment.add_function("trim", |text: &str| known(text).map(|text| text.trim().to_owned()));
    environment.add_function("replace", replace);
    environment.add_function("split", |text: &str, separator: &str| match separator {
        "" => Err(fail("the separator is empty")),
        separator => Ok(known(text)?.split(separator).map(str::to_owned).collect::<Vec<_>>()),
    });
    environment.add_function("join", join);
    environment.add_function("format", format_text);
    environment.add_function("length", length);
    environment.add_function("keys", |map: Value| {
        Ok::<_, Error>(pairs(&map)?.into_iter().map(|(k, _)| k).collect::<Vec<_>>())
    });
    environment.add_function("values", |map: Value| {
        Ok::<_, Error>(pairs(&map)?.into_iter().map(|(_, v)| v).collect::<Vec<_>>())
    });
    environment.add_function("concat", concat);
    environment.add_function("merge", merge);
    environment.add_function("keyBy", key_by);
    environment
        .add_function("min", |all: Rest<Value>| numbers(&all)?.into_iter().min().ok_or_else(no_numbers));
    environment
        .add_function("max", |all: Rest<Value>| numbers(&all)?.into_iter().max().ok_or_else(no_numbers));
    environment.add_function("base64", |text: &str| known(text).map(|text| STANDARD.encode(text)));
    environment.add_function("jsonencode", |value: Value| {
        serde_json::to_string(&value).map_err(|error| fail(error.to_string()))
    });
    // Filters of the template language that make much of little, with limits of their own.
    environment.remove_filter("batch");
    environment.remove_filter("slice");
    environment.add_filter("replace", replace);
    environment
        .add_filter("join", |list: Value, separator: Option<&str>| join(list, separator.unwrap_or("")));
    environment.add_filter("tojson", |value: Value| {
        serde_json::to_string(&value).map_err(|error| fail(error.to_string()))
    });
    environment.add_filter("indent", |text: &str, columns: Option<usize>| {
        let columns = columns.unwrap_or(4);
        if columns > WIDEST_INDENT {
            return Err(fail(format!(
                "a text is indented by at most {WIDEST_INDENT} columns, and {columns} are asked for"
            )));
        }
        Ok(known(text)?.replace('\n', &format!("\n{}", " ".repeat(columns))))
    });
    environment.add_function("cidrSubnet", cidr_subnet);
    environment.add_function("cidrHost", cidr_host);
    environment.add_function("cidrNetmask", |text: &str| range(text).map(|net| net.netmask().to_string()));
}

fn no_numbers() -> Error {
    fail("it takes at least one number")
}

/// The numbers of some arguments, or of the one list that is given.
fn numbers(all: &Rest<Value>) -> Result<Vec<Value>, Error> {
    let all: Vec<Value> = match all.as_slice() {
        [list] if list.kind() == ValueKind::Seq => list.try_iter()?.collect(),
        several => several.to_vec(),
    };
    match all.iter().find(|value| value.kind() != ValueKind::Number) {
        Some(other) => Err(fail(format!("it takes numbers, and {} is not one", shown(other)))),
        None => Ok(all),
    }
}

/// What a value is, for messages. A text that holds a token is not shown.
fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) if token::has_token(text) => {
            "a value that is known only after apply, or secret,".to_owned()
        }
        Some(text) => format!("the text `{text}`"),
        None => match value.kind() {
            ValueKind::Seq => "a list".to_owned(),
            ValueKind::Map => "a mapping".to_owned(),
            ValueKind::None | ValueKind::Undefined => "nothing".to_owned(),
            _ => format!("`{value}`"),
        },
    }
}

fn pairs(map: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if map.kind() != ValueKind::Map {
        return Err(fail(format!("it takes a mapping, and {} is not one", shown(map))));
    }
    map.try_iter()?.map(|key| Ok((key.clone(), map.get_item(&key)?))).collect()
}

fn elements(list: &Value) -> Result<Vec<Value>, Error> {
    if !matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(fail(format!("it takes a list, and {} is not one", shown(list))));
    }
    Ok(list.try_iter()?.collect())
}

fn length(value: Value) -> Result<usize, Error> {
    match value.as_str() {
        Some(text) => Ok(known(text)?.chars().count()),
        None => value.len().ok_or_else(|| fail(format!("{} has no length", shown(&value)))),
    }
}

fn format_text(template: &str, values: Rest<Value>) -> Result<String, Error> {
    let mut values = values.iter();
    let mut parts = known(template)?.split("{}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match values.next() {
            Some(value) if matches!(value.kind(), ValueKind::Seq | ValueKind::Map) => {
                return Err(fail(format!("{} cannot be part of a text", shown(value))));
            }
            Some(value) => text.push_str(&value.to_string()),
            None => return Err(fail("the template has more `{}` than there are values")),
        }
        text.push_str(part);
    }
    match values.next() {
        Some(_) => Err(fail("there are more values than the template has `{}`")),
        None => Ok(text),
    }
}

fn concat(lists: Rest<Value>) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for list in lists.iter() {
        all.extend(elements(list)?);
    }
    Ok(all)
}

fn merge(maps: Rest<Value>) -> Result<Value, Error> {
    let mut all: IndexMap<String, Value> = IndexMap::new();
    for map in maps.iter() {
        all.extend(pairs(map)?.into_iter().map(|(key, value)| (key.to_string(), value)));
    }
    Ok(Value::from_pairs(all))
}

fn key_by(list: Value, field: &str) -> Result<Value, Error> {
    let mut all: IndexMap<String, Value> = IndexMap::new();
    for (at, element) in elements(&list)?.into_iter().enumerate() {
        let key = element.get_attr(field).ok().filter(|key| !key.is_undefined() && !key.is_none());
        let Some(key) = key else {
            return Err(fail(format!("element {at} of the list has no `{field}`")));
        };
        let key = key.to_string();
        known(&key)?;
        if all.contains_key(&key) {
            return Err(fail(format!("two elements of the list have the {field} `{key}`")));
        }
        all.insert(key, element);
    }
    Ok(Value::from_pairs(all))
}

fn fail(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Refuses a text whose value is not known before apply: nothing can be computed from it.
fn known(text: &str) -> Result<&str, Error> {
    if token::has_token(text) {
        return Err(fail(
            "a value that is known only after apply, or secret, can be passed on but not computed with",
        ));
    }
    Ok(text)
}

fn texts(parts: &Rest<Value>) -> Result<String, Error> {
    if parts.is_empty() {
        return Err(fail("it takes at least one text"));
    }
    let mut all = String::new();
    for part in parts.iter() {
        let text = part.to_string();
        known(&text)?;
        all.push_str(&text);
        all.push('\u{1f}');
    }
    Ok(all)
}

fn unique_string(parts: Rest<Value>) -> Result<String, Error> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = Sha256::digest(texts(&parts)?.as_bytes());
    let mut bits = digest.iter().take(8).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut text = String::with_capacity(13);
    for _ in 0..13 {
        text.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    Ok(text)
}

fn guid(parts: Rest<Value>) -> Result<String, Error> {
    Ok(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, texts(&parts)?.as_bytes()).to_string())
}

/// How many bytes the value of an expression may have, about.
pub(super) const LARGEST: usize = 1024 * 1024;

/// What is said of a text that is larger.
const TOO_LARGE: &str = "it makes a text of more than 1 MiB";

/// Whether a function failed because it would have made too much.
pub(super) fn is_limit(detail: &str) -> bool {
    detail.contains(TOO_LARGE)
        || detail.contains("a text is indented by at most")
        || detail.contains("range has too many elements")
        || detail.contains("repeated string is too large")
        || detail.contains("repeated sequence is too large")
}

/// Refuses to make a text that is larger than any value may be: a short expression is worth gigabytes.
fn fits(bytes: usize) -> Result<(), Error> {
    match bytes > LARGEST {
        true => Err(fail(TOO_LARGE)),
        false => Ok(()),
    }
}

fn replace(text: &str, old: &str, new: &str) -> Result<String, Error> {
    if old.is_empty() {
        return Err(fail("the text to be exchanged is empty"));
    }
    let text = known(text)?;
    fits(text.len().saturating_add(text.matches(old).count().saturating_mul(new.len())))?;
    Ok(text.replace(old, new))
}

fn join(list: Value, separator: &str) -> Result<String, Error> {
    let mut items = Vec::new();
    let mut bytes = 0usize;
    for item in elements(&list)? {
        bytes = bytes.saturating_add(separator.len()).saturating_add(item.as_str().map_or(1, str::len));
        fits(bytes)?;
        if matches!(item.kind(), ValueKind::Seq | ValueKind::Map) {
            return Err(fail(format!("{} cannot be part of a text", shown(&item))));
        }
        items.push(item.to_string());
    }
    Ok(items.join(separator))
}

fn range(text: &str) -> Result<Ipv4Net, Error> {
    match known(text)?.parse::<IpNet>() {
        Ok(IpNet::V4(net)) => Ok(net),
        _ => Err(fail(format!("`{text}` is not an IPv4 range such as 10.0.0.0/16"))),
    }
}

fn cidr_subnet(text: &str, bits: u8, n: u64) -> Result<String, Error> {
    let net = range(text)?;
    if bits < net.prefix_len() || bits > 32 {
        return Err(fail(format!("a /{} has no subnets of /{bits}", net.prefix_len())));
    }
    let count = 1u64 << (bits - net.prefix_len());
    if n >= count {
        let message = format!("`{text}` has {count} subnets of /{bits}: the last is number {}", count - 1);
        return Err(fail(message));
    }
    let start = u64::from(u32::from(net.network())) + (n << (32 - bits));
    let start = u32::try_from(start).map_err(|_| fail("the range ends before that"))?;
    Ok(format!("{}/{bits}", std::net::Ipv4Addr::from(start)))
}

fn cidr_host(text: &str, n: u32) -> Result<String, Error> {
    let net = range(text)?;
    let address = u32::from(net.network()).checked_add(n).map(std::net::Ipv4Addr::from);
    match address.filter(|address| net.contains(address)) {
        Some(address) => Ok(address.to_string()),
        None => Err(fail(format!("`{text}` has no address number {n}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(expression: &str) -> Result<String, String> {
        let mut environment = Environment::new();
        add_to(&mut environment);
        let compiled = environment.compile_expression(expression).map_err(|e| e.to_string())?;
        compiled.eval(()).map(|v| v.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn functions_compute() {
        for (expression, value) in [
            ("cidrSubnet('10.0.0.0/16', 20, 1)", "10.0.16.0/20"),
            ("cidrHost('10.0.0.0/16', 10)", "10.0.0.10"),
            ("lower('ABC')", "abc"),
            ("upper('abc')", "ABC"),
            ("join(['a', 'b'], '-')", "a-b"),
            ("cidrSubnet('10.0.0.0/16', 16, 0)", "10.0.0.0/16"),
            ("cidrSubnet('0.0.0.0/0', 32, 4294967295)", "255.255.255.255/32"),
            ("cidrNetmask('10.0.0.0/20')", "255.255.240.0"),
            ("trim('  a ')", "a"),
            ("replace('a.b.c', '.', '-')", "a-b-c"),
            ("jsonencode(split('a,b', ','))", "[\"a\",\"b\"]"),
            ("format('{}-{}!', 'a', 3)", "a-3!"),
            ("length('äö')", "2"),
            ("length([1, 2])", "2"),
            ("join(keys({'b': 1, 'a': 2}), ',')", "b,a"),
            ("join(values({'b': 1, 'a': 2}), ',')", "1,2"),
            ("jsonencode(concat([1], [2, 3], []))", "[1,2,3]"),
            ("jsonencode(merge({'a': 1, 'b': 1}, {'b': 2}))", "{\"a\":1,\"b\":2}"),
            ("jsonencode(keyBy([{'n': 'x', 'v': 1}], 'n'))", "{\"x\":{\"n\":\"x\",\"v\":1}}"),
            ("jsonencode(range(3))", "[0,1,2]"),
            ("min(3, 1, 2)", "1"),
            ("max([3, 1, 2])", "3"),
            ("base64('häh')", "aMOkaA=="),
        ] {
            assert_eq!(evaluate(expression).as_deref(), Ok(value));
        }
        let unique = evaluate("uniqueString('rg-shop-dev')").unwrap();
        assert_eq!(unique.len(), 13);
        assert_eq!(evaluate("uniqueString('rg-shop-dev')").as_deref(), Ok(unique.as_str()));
        assert_ne!(evaluate("uniqueString('rg-shop-prod')").unwrap(), unique);
    }

    #[test]
    fn impossible_ranges_are_refused() {
        assert!(evaluate("cidrSubnet('10.0.0.0/16', 17, 2)").unwrap_err().contains("the last is number 1"));
        assert!(evaluate("cidrSubnet('10.0.0.0/16', 8, 0)").is_err());
        assert!(evaluate("cidrHost('10.0.0.0/30', 4)").is_err());
        assert!(evaluate("uniqueString()").is_err());
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (expression, part) in [
            ("min()", "at least one number"),
            ("max('a')", "the text `a` is not one"),
            ("keys([1])", "it takes a mapping, and a list is not one"),
            ("concat('a')", "it takes a list"),
            ("keyBy([{'a': 1}], 'n')", "element 0 of the list has no `n`"),
            ("keyBy([{'n': 1}, {'n': 1}], 'n')", "two elements of the list have the n `1`"),
            ("format('{}')", "more `{}`"),
            ("format('', 1)", "more values"),
            ("split('a', '')", "the separator is empty"),
            ("length(3)", "has no length"),
            ("cidrSubnet('10.0.0.0/16', 33, 0)", "no subnets of /33"),
        ] {
            let message = evaluate(expression).unwrap_err();
            assert!(message.contains(part), "{expression}: {message}");
        }
    }

    #[test]
    fn the_reference_lists_every_function() {
        let page = include_str!("../../docs/reference/expressions.md");
        for (name, signature, meaning) in FUNCTIONS {
            assert!(page.contains(&format!("| `{signature}` | {meaning}")), "{name}");
        }
    }
}
