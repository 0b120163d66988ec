//! Where the entries of many addresses stand, without a walk for each.

use super::source::{At, Source};
use crate::diag::Place;
use crate::ident::Address;
use crate::value::get_path;
use std::collections::HashMap;

/// Exact walks that are worth their time; what is left takes the place of the entry around it.
const WALKS: usize = 64;

/// The places of addresses: of the entry, or of the nearest thing around it that stands in the text.
///
/// What berth adds by itself (the registration of a provider, say) has no place.
pub fn places<'a>(
    source: &Source,
    addresses: impl IntoIterator<Item = &'a Address>,
) -> HashMap<Address, Place> {
    let lines = lines(&source.file.text);
    let mut walks = 0;
    let mut find = |path: &str| {
        let mut path = path;
        loop {
            if get_path(&source.tree, path).is_some() {
                if let Some(&(line, column)) = lines.get(path) {
                    return Some(Place { file: source.file.name.clone(), line, column });
                }
                if walks < WALKS {
                    walks += 1;
                    return source.locate(path, At::Key).as_ref().map(Place::from);
                }
            }
            path = &path[..path.rfind('.')?];
        }
    };
    addresses
        .into_iter()
        .filter_map(|address| {
            let path = without_instances(address.as_str());
            let shared = format!("azure.{path}");
            let place = match get_path(&source.tree, &shared) {
                // The resource group stands among what all resources share.
                Some(_) => find(&shared),
                None => find(&path),
            }?;
            Some((address.clone(), place))
        })
        .collect()
}

/// `clusters.aks[westeurope].nodePools.x` is written at `clusters.aks.nodePools.x`.
fn without_instances(address: &str) -> String {
    let mut depth = 0;
    address
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '[');
            let keep = depth == 0;
            depth -= i32::from(*c == ']');
            keep
        })
        .collect()
}

/// The lines and columns of keys in block style, by dotted path; the first of each path. What looks like a key within
/// a text is in it too, at a path that the tree does not have.
fn lines(text: &str) -> HashMap<String, (usize, usize)> {
    let mut found = HashMap::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let rest = line.trim_start_matches(' ');
        let indent = line.len() - rest.len();
        let Some((key, after)) = rest.split_once(':') else { continue };
        let key = key.trim_matches(['"', '\'']);
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        if !is_key || !(after.is_empty() || after.starts_with([' ', '\t', '\r'])) {
            continue;
        }
        while above.last().is_some_and(|(outer, _)| *outer >= indent) {
            above.pop();
        }
        let path = above.last().map_or_else(|| key.to_owned(), |(_, path)| format!("{path}.{key}"));
        found.entry(path.clone()).or_insert((at + 1, indent + 1));
        above.push((indent, path));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_in_block_and_flow_style() {
        let text = "\
# networks:
azure:
  resourceGroup: rg
networks:
  hub:
    note: |
      hub:
        subnets: none
    subnets: { a: { prefix: x },
      b: { prefix: y } }
  \"two\":
    addressSpace: []
";
        let source = Source::parse("b.yaml", text.as_bytes()).unwrap();
        let addresses: Vec<Address> = [
            "networks.hub",
            "networks.hub.subnets.b",
            "networks.two[west].peerings.x",
            "resourceGroup",
            "providers.x",
        ]
        .map(Address::new)
        .to_vec();
        let found = places(&source, &addresses);
        let place = |at: usize| found.get(&addresses[at]).map(ToString::to_string);
        assert_eq!(place(0).as_deref(), Some("b.yaml:5:3"));
        assert_eq!(place(1).as_deref(), Some("b.yaml:10:7"));
        assert_eq!(place(2).as_deref(), Some("b.yaml:11:3"));
        assert_eq!(place(3).as_deref(), Some("b.yaml:3:3"));
        assert_eq!(place(4), None);
    }
}
