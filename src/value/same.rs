//! Whether two values mean the same to Azure.

use super::diff::{is_empty, is_newer, is_secret, member};
use super::rules::{Flag, NOTHING, Node};
use crate::ident::normalize_location;
use serde_json::Value;
use std::net::IpAddr;

/// Whether an element is as wanted: everything that `wanted` mentions is in `item`.
pub(super) fn covers(wanted: &Value, item: &Value, element: &Node, array: &Node) -> bool {
    match (wanted, item) {
        (Value::Object(wanted), Value::Object(item)) => wanted.iter().all(|(name, wanted)| {
            let below = element.member(name);
            let hidden = [Flag::ReadOnly, Flag::WriteOnly].iter().any(|flag| below.is(*flag));
            hidden || covers_member(wanted, member(item, name, element), below)
        }),
        // The rules of a list of texts may be written at the list itself.
        (Value::String(_), _) => same(wanted, Some(item), element) || same(wanted, Some(item), array),
        _ => covers_member(wanted, Some(item), element),
    }
}

/// Whether a list whose elements have no key is as wanted.
pub(super) fn same_list(wanted: &[Value], items: &[Value], node: &Node) -> bool {
    let element = node.element();
    if !node.is(Flag::Set) && node.key.is_none() {
        return wanted.len() == items.len()
            && wanted.iter().zip(items).all(|(wanted, item)| covers(wanted, item, element, node));
    }
    let mut left: Vec<&Value> = items.iter().collect();
    // Some lists Azure adds to.
    (wanted.len() == items.len() || node.is(Flag::AtLeast) && wanted.len() < items.len())
        && wanted.iter().all(|wanted| {
            let found = left.iter().position(|item| covers(wanted, item, element, node));
            found.map(|at| left.swap_remove(at)).is_some()
        })
}

/// Whether a member, there, is as wanted.
pub(super) fn same_member(wanted: &Value, there: &Value, node: &Node) -> bool {
    covers_member(wanted, Some(there), node)
}

fn covers_member(wanted: &Value, item: Option<&Value>, node: &Node) -> bool {
    match (wanted, item) {
        (Value::Object(_), Some(item @ Value::Object(_))) => covers(wanted, item, node, &NOTHING),
        (Value::Array(wanted), Some(Value::Array(items))) => same_list(wanted, items, node),
        (wanted, item) => same(wanted, item, node),
    }
}

/// Whether two leaves mean the same.
pub(super) fn same(wanted: &Value, live: Option<&Value>, node: &Node) -> bool {
    if is_secret(wanted) {
        // Whether it changed is told by its digest, whatever Azure shows of it.
        return true;
    }
    let Some(live) = live.filter(|live| !is_empty(live)) else {
        return is_empty(wanted) || node.default.as_ref().is_some_and(|default| default == wanted);
    };
    // An empty value means "choose for me".
    if is_empty(wanted) || wanted == live {
        return true;
    }
    match (wanted, live) {
        (Value::String(a), Value::String(b)) => same_text(a, b, node),
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        // Addon settings are texts on the wire: "true" and true are one thing.
        (Value::String(a), b @ (Value::Bool(_) | Value::Number(_))) => a.eq_ignore_ascii_case(&b.to_string()),
        (a @ (Value::Bool(_) | Value::Number(_)), Value::String(b)) => b.eq_ignore_ascii_case(&a.to_string()),
        _ => false,
    }
}

fn same_text(a: &str, b: &str, node: &Node) -> bool {
    if (a.starts_with('/') && b.starts_with('/') || node.is(Flag::FoldCase)) && a.eq_ignore_ascii_case(b) {
        return true;
    }
    if node.is(Flag::Location) && normalize_location(a) == normalize_location(b) {
        return true;
    }
    if node.is(Flag::AtLeast) && is_newer(b, a) {
        return true;
    }
    if node.is(Flag::VersionAlias) {
        return b.strip_prefix(a).is_some_and(|rest| rest.starts_with('.'));
    }
    node.is(Flag::Cidr) && both(a, b, block)
        || node.is(Flag::Duration) && both(a, b, milliseconds)
        || node.is(Flag::Quantity) && both(a, b, amount)
        || node.is(Flag::Base64) && both(a, b, bytes)
        || node.is(Flag::Guid) && both(a, b, guid)
}

/// The GUID that an id ends with.
fn guid(id: &str) -> Option<uuid::Uuid> {
    uuid::Uuid::try_parse(id.rsplit('/').next()?).ok()
}

/// Whether both texts can be read that way, and say the same.
fn both<T: PartialEq>(a: &str, b: &str, read: fn(&str) -> Option<T>) -> bool {
    read(a).is_some_and(|a| read(b) == Some(a))
}

/// A CIDR block: its first address and how many bits are fixed. A bare address is a block of one.
fn block(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.trim().parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(width), |bits| bits.trim().parse().ok()).filter(|bits| *bits <= width)?;
    let first = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    };
    Some((first, bits))
}

/// A duration, as Go writes it (`1h30m`, `90s`) or as ISO 8601 does (`PT1H30M`, `P1D`).
fn milliseconds(text: &str) -> Option<u128> {
    let text = text.trim();
    let (iso, mut rest) = match text.strip_prefix(['P', 'p']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut clock = !iso;
    let mut all: f64 = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['T', 't']).filter(|_| iso && !clock) {
            (clock, rest) = (true, after);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let count: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters =
            rest.find(|c: char| !c.is_ascii_alphabetic() || iso && "Tt".contains(c)).unwrap_or(rest.len());
        // A second number may follow without a space: `1h30m`; in ISO 8601 a unit is one letter.
        let letters = if iso { letters.min(1) } else { letters };
        let unit = match (&*rest[..letters].to_ascii_lowercase(), clock) {
            ("ms", true) if !iso => 1.0,
            ("s", true) => 1_000.0,
            ("m", true) => 60_000.0,
            ("h", true) => 3_600_000.0,
            ("d", _) => 86_400_000.0,
            ("w", false) => 604_800_000.0,
            // Nothing of anything is nothing: `0`.
            ("", _) if !iso && count == 0.0 => 0.0,
            _ => return None,
        };
        rest = &rest[letters..];
        all += count * unit;
    }
    Some(all.round() as u128)
}

/// An amount as Kubernetes writes it: `0.5`, `500m`, `1Gi`, `1024Mi`; in thousandths.
fn amount(text: &str) -> Option<i128> {
    const UNITS: &[(&str, f64)] = &[
        ("Ki", 1024.0),
        ("Mi", 1024.0 * 1024.0),
        ("Gi", 1024.0 * 1024.0 * 1024.0),
        ("Ti", 1024.0 * 1024.0 * 1024.0 * 1024.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("", 1.0),
    ];
    let text = text.trim();
    let (unit, factor) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: f64 = text[..text.len() - unit.len()].parse().ok()?;
    number.is_finite().then(|| (number * factor * 1000.0).round() as i128)
}

/// The content of a text in base64, whatever its line breaks, its padding and which of the two alphabets it uses.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut all = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace() && *c != b'=') {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            all.push((bits >> held & 0xff) as u8);
        }
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::rules::Rules;
    use super::*;
    use serde_json::json;

    #[test]
    fn spellings_of_one_thing_are_the_same_where_the_rules_say_so() {
        let rules = Rules::new(&[
            Rule::at("cidr").cidr(),
            Rule::at("time").duration(),
            Rule::at("much").quantity(),
            Rule::at("data").base64(),
        ]);
        for (name, a, b, expected) in [
            ("cidr", "10.0.0.4", "10.0.0.4/32", true),
            ("cidr", "10.0.0.9/24", "10.0.0.0/24", true),
            ("cidr", "2001:DB8::/32", "2001:0db8:0:0::/32", true),
            ("cidr", "::1", "::1/128", true),
            ("cidr", "0.0.0.0/0", "1.2.3.4/0", true),
            ("cidr", "10.0.0.0/24", "10.0.0.0/25", false),
            ("cidr", "10.0.0.0/33", "10.0.0.0/33 ", false),
            ("cidr", "Internet", "internet", false),
            ("time", "90s", "1m30s", true),
            ("time", "2m", "PT2M", true),
            ("time", "PT1H30M", "PT90M", true),
            ("time", "P1D", "PT24H", true),
            ("time", "P1W", "P7D", true),
            ("time", "0", "0s", true),
            ("time", "1.5s", "1500ms", true),
            ("time", "PT1M", "P1M", false),
            ("time", "2m", "2h", false),
            ("time", "soon", "later", false),
            ("much", "0.5", "500m", true),
            ("much", "1Gi", "1024Mi", true),
            ("much", "1G", "1Gi", false),
            ("much", "a", "b", false),
            ("data", "aGFsbG8=", "aGFs\nbG8", true),
            ("data", "aGFsbG8=", "aGFsbG9v", false),
            ("data", "not base64!", "not  base64!", false),
            ("none", "1m", "60s", false),
        ] {
            let node = rules.root().member(name);
            assert_eq!(same(&json!(a), Some(&json!(b)), node), expected, "{name}: {a} and {b}");
            assert_eq!(same(&json!(b), Some(&json!(a)), node), expected, "{name}: {b} and {a}");
        }
    }
}
