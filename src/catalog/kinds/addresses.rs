//! Ranges of addresses, and fields that take one text or several.

use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;
use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// One text or a list of texts; a number stands for its digits (a port).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Texts, E> {
                Ok(Texts(vec![number.to_string()]))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Texts, E> {
                Ok(Texts(vec![number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
                let mut all = Vec::new();
                while let Some(Texts(texts)) = items.next_element()? {
                    all.extend(texts);
                }
                Ok(Texts(all))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": ["string", "integer"] },
                { "type": "array", "items": { "type": ["string", "integer"] } },
            ],
        })
    }
}

/// Whether a text is an address or a range of addresses.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok()
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&CIDR, &IDLE_TIMEOUT];

pub(crate) const CIDR: Code = Code {
    name: "cidr",
    why: "A range of addresses is an address, `/`, and how many bits of it are fixed; the rest of its bits are zero.",
    remedy: "Write the range as the message says.",
    example: "prefix: 10.20.0.0/20",
};

/// Reads a CIDR block, whose address must be its first one; reports one that cannot be read. A token is not judged.
pub(super) fn cidr(text: &str, path: &str, cx: &mut EntryCx<'_>) -> Option<IpNet> {
    if has_token(text) {
        return None;
    }
    let (message, help) = match text.parse::<IpNet>() {
        Ok(range) if range.addr() == range.network() => return Some(range),
        Ok(range) => (
            format!("`{text}` has bits set beyond its length of {}", range.prefix_len()),
            format!("write `{}`", range.trunc()),
        ),
        Err(_) => not_a_block(text, "10.20.0.0/16"),
    };
    cx.problem(Problem::error(&CIDR, path, message).help(help));
    None
}

/// What is wrong with a text that is no CIDR block, and what to write.
pub(super) fn not_a_block(text: &str, example: &str) -> (String, String) {
    if let Ok(address) = text.parse::<IpAddr>() {
        let length = if address.is_ipv4() { 24 } else { 64 };
        return (
            format!("`{text}` is an address, and a CIDR block has a length too"),
            format!("write the length, as in `{text}/{length}`"),
        );
    }
    let ends = text.split_once('-').map(|(from, to)| (from.trim().parse(), to.trim().parse()));
    if let Some((Ok(IpAddr::V4(from)), Ok(IpAddr::V4(to)))) = ends
        && let Some(count) =
            (u32::from(to)).checked_sub(u32::from(from)).and_then(|count| count.checked_add(1))
        && count.is_power_of_two()
        && u32::from(from).is_multiple_of(count)
    {
        let length = 32 - count.trailing_zeros();
        return (format!("`{text}` is not a CIDR block"), format!("write `{from}/{length}`"));
    }
    (format!("`{text}` is not a CIDR block"), format!("write a CIDR block, such as `{example}`"))
}

/// Addresses that no caller on the internet has, so that a rule which names them lets nothing in
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>).
const NOT_PUBLIC: &[(&str, &str)] = &[
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("100.64.0.0/10", "shared by providers"),
    ("127.0.0.0/8", "the machine itself"),
    ("169.254.0.0/16", "of one link"),
    ("224.0.0.0/4", "of groups"),
    ("240.0.0.0/4", "reserved"),
    ("fc00::/7", "private"),
    ("fe80::/10", "of one link"),
];

/// Reads an address or a range for a rule that public addresses alone can match; says what is wrong with another.
pub(super) fn public_range(text: &str) -> Result<IpNet, (String, String)> {
    let form = "write `203.0.113.7` or `203.0.113.0/24`".to_owned();
    let range = match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
        // Bits beyond the length do not count, for Azure either.
        (Ok(range), _) => range.trunc(),
        (Err(_), Ok(address)) => IpNet::from(address),
        (Err(_), Err(_)) => {
            return Err((format!("`{text}` is not an address or a range of addresses"), form));
        }
    };
    let own =
        NOT_PUBLIC.iter().find(|(known, _)| known.parse::<IpNet>().is_ok_and(|known| known.contains(&range)));
    match own {
        Some((known, what)) => Err((
            format!(
                "`{text}` is not a public address: those of `{known}` are {what}, and no caller on the internet has one"
            ),
            "write the public address that callers leave from, such as `203.0.113.7`".to_owned(),
        )),
        None => Ok(range),
    }
}

/// Whether two ranges share addresses.
pub(super) fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

pub(crate) const IDLE_TIMEOUT: Code = Code {
    name: "idle-timeout",
    why: "Azure bounds how long idle connections are kept.",
    remedy: "Write a number of minutes within the bounds that the message says.",
    example: "idleTimeoutMinutes: 10",
};

/// Reports a number of minutes out of its bounds.
pub(super) fn idle_timeout(minutes: Option<i64>, most: i64, path: &str, cx: &mut EntryCx<'_>) {
    if let Some(minutes) = minutes.filter(|minutes| !(4..=most).contains(minutes)) {
        let message = format!("an idle connection cannot be kept for {minutes} minutes");
        cx.problem(
            Problem::error(&IDLE_TIMEOUT, path, message)
                .help(format!("write 4 to {most}, or leave it out for 4")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_one_or_several_and_numbers_too() {
        let read = |value: serde_json::Value| serde_json::from_value::<Texts>(value).map(|texts| texts.0);
        assert_eq!(read(json!("a")).unwrap(), ["a"]);
        assert_eq!(read(json!(443)).unwrap(), ["443"]);
        assert_eq!(read(json!([443, "8080-8090"])).unwrap(), ["443", "8080-8090"]);
        assert_eq!(read(json!([])).unwrap(), [] as [&str; 0]);
        assert!(read(json!(true)).is_err());
        assert!(read(json!({})).is_err());
    }

    #[test]
    fn rules_for_the_internet_take_public_addresses() {
        for text in ["203.0.113.7", "198.51.100.0/24", "0.0.0.0/32", "2001:db8::/32", "172.32.0.0/16"] {
            assert!(public_range(text).is_ok(), "{text}");
        }
        for text in ["1.2.3.4/33", "office", "10.0.0.0/8", "10.1.2.3", "192.168.1.0/24", "fd00::1"] {
            assert!(public_range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        let range = |text: &str| text.parse::<IpNet>().unwrap();
        assert!(overlap(&range("10.0.0.0/8"), &range("10.1.0.0/16")));
        assert!(overlap(&range("10.1.0.0/16"), &range("10.0.0.0/8")));
        assert!(!overlap(&range("10.0.0.0/16"), &range("10.1.0.0/16")));
        assert!(!overlap(&range("10.0.0.0/8"), &range("fd00::/8")));
    }
}
