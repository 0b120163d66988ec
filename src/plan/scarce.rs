//! What only one resource can have at a time: an address range, a pair of linked things, a role at a scope.
//!
//! An old resource and a new one of the same kind that exclude each other go in that order: the old one lets go, then
//! the new one comes. Where each would have to wait for the other, the plan says so before anything is written.

use crate::catalog::{Scarce, Within};
use ipnet::IpNet;
use serde_json::Value;
use std::net::IpAddr;

/// Whether two bodies cannot stand side by side.
pub(super) fn exclude(scarce: &[Scarce], old: &Value, new: &Value) -> bool {
    scarce.iter().any(|scarce| match scarce {
        Scarce::Ranges(pointers) => {
            let (old, new) = (ranges(old, pointers), ranges(new, pointers));
            old.iter().any(|old| new.iter().any(|new| overlap(old, new)))
        }
        Scarce::Same(pointers) => pointers.iter().all(|pointer| {
            let text =
                |body: &Value| body.pointer(pointer).and_then(Value::as_str).map(str::to_ascii_lowercase);
            text(old).zip(text(new)).is_some_and(|(old, new)| old == new || same_guid(&old, &new))
        }),
        Scarce::Addresses { list, address, subnet } => {
            let at = |body: &Value| body.pointer(subnet).and_then(Value::as_str).map(str::to_ascii_lowercase);
            let (there, wanted) = (addresses(old, list, address), addresses(new, list, address));
            at(old).is_some_and(|old| at(new) == Some(old)) && there.iter().any(|one| wanted.contains(one))
        }
        Scarce::Place { .. } => true,
    })
}

/// The fixed addresses in the elements of a list.
pub(super) fn addresses(body: &Value, list: &str, address: &str) -> Vec<IpAddr> {
    let items = body.pointer(list).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.pointer(address)?.as_str()?.parse().ok()).collect()
}

/// The ranges of a resource that its parent's do not hold.
pub(super) fn outside(within: &Within, own: &Value, parent: &Value) -> Vec<IpNet> {
    let held = ranges(parent, &[within.parent]);
    if held.is_empty() {
        return Vec::new();
    }
    let lies = |range: &IpNet| held.iter().any(|held| held.contains(range));
    ranges(own, within.own).into_iter().filter(|range| !lies(range)).collect()
}

/// Whether two ids end in one GUID: a role definition has an id in every scope.
fn same_guid(a: &str, b: &str) -> bool {
    let guid = |id: &str| {
        id.starts_with('/').then(|| uuid::Uuid::try_parse(id.rsplit('/').next().unwrap_or_default()).ok())?
    };
    guid(a).is_some_and(|a| guid(b) == Some(a))
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// The ranges at pointers, each a text or a list of texts; what is not a range, or not known yet, is left out.
fn ranges(body: &Value, pointers: &[&str]) -> Vec<IpNet> {
    let texts = pointers.iter().filter_map(|pointer| body.pointer(pointer)).flat_map(|value| match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(text) => vec![text.as_str()],
        _ => Vec::new(),
    });
    texts.filter_map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ranges_and_values_exclude_each_other() {
        const RANGES: &[Scarce] = &[Scarce::Ranges(&["/p", "/ps"])];
        for (old, new, wanted) in [
            (json!({"p": "10.0.0.0/24"}), json!({"p": "10.0.0.0/25"}), true),
            (json!({"p": "10.0.0.0/25"}), json!({"ps": ["10.1.0.0/16", "10.0.0.0/24"]}), true),
            (json!({"p": "10.0.0.0/24"}), json!({"p": "10.0.1.0/24"}), false),
            (json!({"p": "10.0.0.0/24"}), json!({"p": "fd00::/64"}), false),
            (json!({"p": "10.0.0.0/24"}), json!({}), false),
        ] {
            assert_eq!(exclude(RANGES, &old, &new), wanted, "{old} {new}");
        }
        const SAME: &[Scarce] = &[Scarce::Same(&["/a", "/b"])];
        assert!(exclude(SAME, &json!({"a": "X", "b": "y"}), &json!({"a": "x", "b": "Y"})));
        assert!(!exclude(SAME, &json!({"a": "X", "b": "y"}), &json!({"a": "x", "b": "z"})));
        assert!(!exclude(SAME, &json!({}), &json!({})));
        const DEFINITION: &[Scarce] = &[Scarce::Same(&["/d"])];
        let guid = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
        let at = |scope: &str, guid: &str| json!({ "d": format!("{scope}/providers/r/{guid}") });
        assert!(exclude(DEFINITION, &at("", guid), &at("/subscriptions/s", &guid.to_uppercase())));
        assert!(!exclude(DEFINITION, &at("/a", "hub"), &at("/b", "hub")));
        const FIXED: &[Scarce] = &[Scarce::Addresses { list: "/ips", address: "/ip", subnet: "/subnet" }];
        let fixed = |subnet: &str, ip: &str| json!({ "subnet": subnet, "ips": [{ "ip": ip }] });
        for (new, wanted) in [
            (fixed("/S", "10.0.0.4"), true),
            (fixed("/s", "10.0.0.5"), false),
            (fixed("/t", "10.0.0.4"), false),
            (json!({ "subnet": "/s" }), false),
        ] {
            assert_eq!(exclude(FIXED, &fixed("/s", "10.0.0.4"), &new), wanted, "{new}");
        }
        assert!(exclude(&[Scarce::Place { help: "" }], &json!({}), &json!({})));
    }

    #[test]
    fn ranges_lie_in_their_parents() {
        let within = Within { own: &["/p"], parent: "/space" };
        let space = json!({"space": ["10.0.0.0/16", "10.2.0.0/16"]});
        assert!(outside(&within, &json!({"p": "10.2.4.0/24"}), &space).is_empty());
        assert_eq!(outside(&within, &json!({"p": "10.1.0.0/24"}), &space).len(), 1);
        assert!(outside(&within, &json!({"p": "10.1.0.0/24"}), &json!({})).is_empty());
    }
}
