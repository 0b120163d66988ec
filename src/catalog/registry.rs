//! Every kind and every resource type that there is.

use super::ResourceType;
use super::kind::Kind;
use crate::diag::Code;

/// Every section, in the order in which documentation lists them.
pub fn registry() -> &'static [Kind] {
    super::kinds::KINDS
}

/// Every diagnostic that an entry of any kind can cause.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    let of_kinds = registry().iter().flat_map(|kind| kind.codes);
    of_kinds.chain(super::kinds::SHARED_CODES).copied().flatten().copied()
}

/// The descriptor of an ARM type, in any case, when a kind makes it.
pub fn resource_type(arm_type: &str) -> Option<&'static ResourceType> {
    let made = registry().iter().flat_map(|kind| kind.types);
    let shared = [&super::kinds::registration::PROVIDER, &super::kinds::registration::FEATURE];
    made.copied().chain(shared).find(|kind| kind.arm_type.eq_ignore_ascii_case(arm_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_says_each_thing_once() {
        let mut twice = Vec::new();
        let mut look = |kind: &ResourceType, what: &str, mut all: Vec<String>| {
            all.sort();
            let repeated = all.windows(2).filter(|pair| pair[0] == pair[1]);
            twice.extend(repeated.map(|pair| format!("{} {what} {}", kind.arm_type, pair[0])));
        };
        let shared =
            [&super::super::kinds::registration::PROVIDER, &super::super::kinds::registration::FEATURE];
        for kind in registry().iter().flat_map(|kind| kind.types).copied().chain(shared) {
            for (at, rule) in kind.rules.iter().enumerate() {
                assert!(!rule.says_nothing(), "{} says nothing of {}", kind.arm_type, rule.path());
                let again = kind.rules[at + 1..].iter().find(|other| rule.repeats(other));
                assert!(again.is_none(), "{} says the same of {} twice", kind.arm_type, rule.path());
            }
            look(kind, "facet", kind.facets.iter().map(|facet| facet.name.to_owned()).collect());
            look(kind, "lane", kind.lanes.iter().map(|lane| format!("{lane:?}")).collect());
            look(kind, "connection", kind.connections.iter().map(|path| (*path).to_owned()).collect());
            look(kind, "preflight", kind.preflight.iter().map(|question| format!("{question:?}")).collect());
        }
        assert_eq!(twice, [] as [&str; 0]);
    }

    #[test]
    fn types_are_found_by_name_in_any_case_and_once() {
        let mut names: Vec<String> =
            registry().iter().flat_map(|kind| kind.types).map(|t| t.arm_type.to_ascii_lowercase()).collect();
        for name in &names {
            assert!(resource_type(name).is_some_and(|found| found.arm_type.eq_ignore_ascii_case(name)));
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(resource_type("Microsoft.Network/virtualNetworks/subnets").is_some());
        assert!(resource_type("Microsoft.Resources/providers").is_some());
        assert!(resource_type("Microsoft.Nowhere/things").is_none());
    }
}
