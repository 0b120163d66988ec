//! Looking at a blueprint without asking Azure anything.

use super::Error;
use crate::blueprint::{self, Blueprint, Inputs, Source, load};
use crate::graph::Dag;
use crate::ident::{Address, is_name};
use crate::state::Desired;
use crate::state::Provisioning;
use std::collections::BTreeMap;

/// The name that a blueprint gives itself, even when the rest of it cannot be understood, or is not YAML.
pub fn blueprint_name(bytes: &[u8]) -> Option<String> {
    let is_name = |name: &&str| is_name(name);
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

/// The subscription that a blueprint is for, as far as that is known without evaluating it: an id, or the environment
/// variable that holds one.
pub fn blueprint_subscription(bytes: &[u8], environment: &BTreeMap<String, String>) -> Option<String> {
    let source = Source::parse("", bytes).ok()?;
    let text = source.tree.get("azure")?.get("subscription")?.as_str()?;
    let variable = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).map(str::trim);
    let text = match variable {
        Some(expression) => environment.get(expression.strip_prefix("env.")?)?,
        None => text,
    };
    uuid::Uuid::try_parse(text).ok().map(|_| text.to_owned())
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
/// When it is not YAML.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Source, Error> {
    blueprint::parse(name, bytes).map_err(|diagnostic| Error::Blueprint(diagnostic.into()))
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
    fn the_subscription_is_known_when_it_is_written_or_in_a_variable() {
        let id = "5ab5c819-0000-4000-8000-000000000001";
        let environment =
            BTreeMap::from([("SUB".to_owned(), id.to_owned()), ("X".to_owned(), "x".to_owned())]);
        for (text, known) in [
            (format!("azure: {{ subscription: {id} }}"), true),
            ("azure: { subscription: '${env.SUB}' }".to_owned(), true),
            ("azure: { subscription: '${ env.SUB }' }".to_owned(), true),
            ("azure: { subscription: '${env.X}' }".to_owned(), false),
            ("azure: { subscription: '${env.NONE}' }".to_owned(), false),
            ("azure: { subscription: '${param.SUB}' }".to_owned(), false),
            ("azure: { subscription: sub }".to_owned(), false),
            ("azure: {}".to_owned(), false),
            ("azure: [".to_owned(), false),
        ] {
            let found = blueprint_subscription(text.as_bytes(), &environment);
            assert_eq!(found.as_deref(), known.then_some(id), "{text}");
        }
    }

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
