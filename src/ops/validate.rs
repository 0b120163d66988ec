//! Looking at a blueprint without asking Azure anything.

use super::Error;
use crate::blueprint::{Blueprint, Inputs, Source, is_blueprint_name, load};
use crate::graph::Dag;
use crate::ident::Address;
use crate::state::Desired;
use crate::state::Provisioning;

/// The name that a blueprint gives itself, even when the rest of it cannot be understood, or is no YAML.
pub fn blueprint_name(bytes: &[u8]) -> Option<String> {
    let is_name = |name: &&str| is_blueprint_name(name);
    if let Ok(source) = Source::parse("", bytes) {
        let name = source.tree.get("blueprint").and_then(serde_json::Value::as_str);
        return name.filter(is_name).map(str::to_owned);
    }
    let text = String::from_utf8_lossy(bytes);
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut values = lines.filter_map(|line| line.strip_prefix("blueprint:"));
    let value = values.next()?.split(" #").next()?.trim();
    let quotes: &[char] = &['"', '\''];
    // Two names are none.
    Some(value.trim_matches(quotes)).filter(is_name).filter(|_| values.next().is_none()).map(str::to_owned)
}

/// Reads a blueprint and finds everything that is wrong with it.
///
/// # Errors
/// Every mistake, with its place.
pub fn validate(name: &str, bytes: &[u8], inputs: &Inputs) -> Result<Blueprint, Error> {
    validate_source(&parse(name, bytes)?, inputs)
}

/// Reads the text of a blueprint, which needs nothing but the text.
///
/// # Errors
/// When it is no YAML.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Source, Error> {
    Source::parse(name, bytes).map_err(|diagnostic| Error::Blueprint(diagnostic.into()))
}

/// [`validate`] for a text that was read before.
///
/// # Errors
/// Every mistake, with its place.
pub fn validate_source(source: &Source, inputs: &Inputs) -> Result<Blueprint, Error> {
    load(source, inputs).map_err(Error::Blueprint)
}

/// The resources with what a person calls their types, and their graph; registrations are left out, since nearly
/// everything depends on them.
pub fn graph(desired: &Desired) -> (Vec<(Address, &'static str)>, Dag) {
    let shown: Vec<usize> = (0..desired.resources.len())
        .filter(|&at| desired.resources[at].operation != Provisioning::Registration)
        .collect();
    let mut position = vec![None; desired.resources.len()];
    shown.iter().enumerate().for_each(|(to, &from)| position[from] = Some(to));
    let mut graph = Dag::new(shown.len());
    for (to, &from) in shown.iter().enumerate() {
        for dependency in desired.graph.dependencies(from).iter().filter_map(|&at| position[at]) {
            graph.need(to, dependency);
        }
    }
    let nodes = shown
        .iter()
        .map(|&at| (desired.resources[at].address.clone(), desired.resources[at].kind.title))
        .collect();
    (nodes, graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whatever_else_is_wrong() {
        for (text, name) in [
            ("blueprint: shop\n", Some("shop")),
            ("\u{feff}# a comment\r\nblueprint: 'shop' # mine\r\nnetworks: 5\r\n", Some("shop")),
            ("{\"blueprint\": \"shop\", \"networks\": {}}", Some("shop")),
            ("\"blueprint\": shop\nnetwrks: {}\n", Some("shop")),
            ("blueprint: shop\nazure: [\n", Some("shop")),
            ("blueprint: shop\nblueprint: other\nazure: [\n", None),
            ("blueprint: ../etc\n", None),
            ("blueprint: 5\n", None),
            ("", None),
        ] {
            assert_eq!(blueprint_name(text.as_bytes()).as_deref(), name, "{text:?}");
        }
    }
}
