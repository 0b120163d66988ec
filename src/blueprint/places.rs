//! Where the entries of many addresses are, without a walk for each.

use super::includes::Include;
use super::source::{At, Source};
use crate::diag::Place;
use crate::ident::Address;
use crate::value::get_path;
use serde_json::Value;
use std::collections::HashMap;

/// Exact walks that are worth their time; what is left takes the place of the entry around it.
const WALKS: usize = 64;

/// The places of addresses: of the entry, or of the nearest thing around it that is in the text. What is in a module
/// has its place in the module's file.
///
/// What berth adds by itself (the registration of a provider, say) has no place.
pub fn places<'a>(
    source: &Source,
    addresses: impl IntoIterator<Item = &'a Address>,
) -> HashMap<Address, Place> {
    let mut finder = Finder { files: HashMap::new(), walks: 0 };
    addresses
        .into_iter()
        .filter_map(|address| {
            let place = finder.address(source, &without_instances(address.as_str()))?;
            Some((address.clone(), place))
        })
        .collect()
}

struct Finder<'s> {
    /// The lines of keys, by file.
    files: HashMap<&'s str, HashMap<String, (usize, usize)>>,
    walks: usize,
}

impl<'s> Finder<'s> {
    fn address(&mut self, source: &'s Source, path: &str) -> Option<Place> {
        if let Some((name, rest)) = path.strip_prefix("module.").and_then(|path| path.split_once('.')) {
            let call = format!("modules.{name}");
            let include = get_path(&source.tree, &format!("{call}.include")).and_then(Value::as_str);
            let within = match include.and_then(|include| source.includes.get(include)) {
                Some(Include::File(module)) => self.address(module, rest),
                _ => None,
            };
            // A group that the module's entry gives it is there.
            return within.or_else(|| self.path(source, &format!("{call}.azure.{rest}")));
        }
        let shared = format!("azure.{path}");
        match get_path(&source.tree, &shared) {
            // The resource group is among what all resources share.
            Some(_) => self.path(source, &shared),
            None => self.path(source, path),
        }
    }

    fn path(&mut self, source: &'s Source, path: &str) -> Option<Place> {
        let lines = self.files.entry(&source.file.name).or_insert_with(|| lines(&source.file.text));
        let mut path = path;
        loop {
            if get_path(&source.tree, path).is_some() {
                if let Some(&(line, column)) = lines.get(path) {
                    return Some(Place { file: source.file.name.clone(), line, column });
                }
                if self.walks < WALKS {
                    self.walks += 1;
                    return source.locate(path, At::Key).as_ref().map(Place::from);
                }
            }
            path = &path[..path.rfind('.')?];
        }
    }
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
pub(super) fn lines(text: &str) -> HashMap<String, (usize, usize)> {
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

    #[test]
    fn what_is_in_modules_stands_in_their_files() {
        let spoke = "networks:\n  spoke:\n    subnets:\n      nodes: { prefix: x }\nmodules:\n  deep: { include: deep.yaml }\n";
        let read = |path: &std::path::Path| {
            Ok(match path.to_str() {
                Some("spoke.yaml") => spoke.into(),
                _ => b"\nidentities: { app: {} }\n".to_vec(),
            })
        };
        let root = "modules:\n  spoke:\n    include: spoke.yaml\n    azure:\n      resourceGroup: x\n";
        let source = Source::parse("b.yaml", root.as_bytes()).unwrap().with_includes(&read);
        for (address, expected) in [
            ("module.spoke[a.b].networks.spoke.subnets.nodes", "spoke.yaml:4:7"),
            ("module.spoke[a.b].module.deep.identities.app[x]", "deep.yaml:2:15"),
            ("module.spoke[a.b].resourceGroup", "b.yaml:5:7"),
            ("module.spoke.networks.gone", "spoke.yaml:1:1"),
        ] {
            let address = Address::new(address);
            let found = places(&source, [&address]);
            assert_eq!(found.get(&address).map(ToString::to_string).as_deref(), Some(expected), "{address}");
        }
    }
}
