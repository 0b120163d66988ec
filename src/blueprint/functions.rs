//! The functions of expressions.

use crate::value::token;
use ipnet::{IpNet, Ipv4Net};
use minijinja::value::{Rest, Value};
use minijinja::{Environment, Error, ErrorKind};
use sha2::{Digest, Sha256};

/// Name, signature and meaning of every function, for documentation and suggestions.
pub(crate) const FUNCTIONS: &[(&str, &str, &str)] = &[
    (
        "uniqueString",
        "uniqueString(text, …)",
        "13 letters and digits that follow from the texts, the same every time",
    ),
    ("guid", "guid(text, …)", "a GUID that follows from the texts, the same every time"),
    ("lower", "lower(text)", "the text in small letters"),
    ("upper", "upper(text)", "the text in capitals"),
    ("join", "join(list, separator)", "the elements as one text"),
    ("cidrSubnet", "cidrSubnet(range, bits, n)", "the n-th subnet (from 0) with a prefix of that many bits"),
    ("cidrHost", "cidrHost(range, n)", "the n-th address (from 0) of a range"),
];

/// Adds the functions to an environment.
pub(crate) fn add_to(environment: &mut Environment<'_>) {
    environment.add_function("uniqueString", unique_string);
    environment.add_function("guid", guid);
    environment.add_function("lower", |text: &str| known(text).map(str::to_lowercase));
    environment.add_function("upper", |text: &str| known(text).map(str::to_uppercase));
    environment.add_function("join", join);
    environment.add_function("cidrSubnet", cidr_subnet);
    environment.add_function("cidrHost", cidr_host);
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

fn join(list: Value, separator: &str) -> Result<String, Error> {
    let items: Vec<String> = list.try_iter()?.map(|item| item.to_string()).collect();
    Ok(items.join(separator))
}

fn range(text: &str) -> Result<Ipv4Net, Error> {
    match known(text)?.parse::<IpNet>() {
        Ok(IpNet::V4(net)) => Ok(net),
        _ => Err(fail(format!("`{text}` is no IPv4 range such as 10.0.0.0/16"))),
    }
}

fn cidr_subnet(text: &str, bits: u8, n: usize) -> Result<String, Error> {
    let net = range(text)?;
    let mut subnets =
        net.subnets(bits).map_err(|_| fail(format!("a /{} has no subnets of /{bits}", net.prefix_len())))?;
    let count = 1usize << (bits - net.prefix_len()).min(31);
    subnets.nth(n).map(|net| net.to_string()).ok_or_else(|| {
        fail(format!("`{text}` has {count} subnets of /{bits}: the last is number {}", count - 1))
    })
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
}
