//! Graphs for Graphviz and Mermaid.
//!
//! An arrow points from a resource to what it needs; arrows that others imply are left out. The groups of the nodes
//! become boxes, in the order in which they first occur.

use super::text::escape;
use crate::graph::Dag;
use crate::ident::Address;
use std::fmt::Write;

/// A node of a graph to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphNode {
    /// The resource.
    pub address: Address,
    /// What a person calls one of its type: `virtual network`.
    pub title: String,
    /// The box that it is in: `networks`. Empty is none.
    pub group: String,
}

impl GraphNode {
    /// A node in the box of its section, which is the first part of its address.
    pub fn new(address: Address, title: impl Into<String>) -> Self {
        let section = address.as_str().split(['.', '[']).next().unwrap_or_default();
        let group = if section == address.as_str() { String::new() } else { section.to_owned() };
        GraphNode { address, title: title.into(), group }
    }
}

/// The graph in Graphviz' language. Node `i` of the graph is `nodes[i]`.
pub fn dot(nodes: &[GraphNode], graph: &Dag) -> String {
    let quote = |text: &str| format!("\"{}\"", escape(text).replace('\\', "\\\\").replace('"', "\\\""));
    let mut text =
        String::from("digraph berth {\n  rankdir = \"RL\";\n  node [shape = box, style = rounded];\n");
    for (at, (group, members)) in groups(nodes).into_iter().enumerate() {
        let indent = if group.is_empty() { "  " } else { "    " };
        if !group.is_empty() {
            let _ = writeln!(text, "  subgraph \"cluster_{at}\" {{\n    label = {};", quote(group));
        }
        for node in members {
            let GraphNode { address, title, .. } = &nodes[node];
            // `\n` is Graphviz' own line break, so it is put in after quoting.
            let label = match title.is_empty() {
                true => quote(address.as_str()),
                false => {
                    let (address, title) = (quote(address.as_str()), quote(title));
                    format!("{}\\n{}", address.trim_end_matches('"'), &title[1..])
                }
            };
            let _ = writeln!(text, "{indent}{} [label = {label}];", quote(address.as_str()));
        }
        if !group.is_empty() {
            text.push_str("  }\n");
        }
    }
    for (node, dependency) in edges(nodes, graph) {
        let (node, dependency) = (nodes[node].address.as_str(), nodes[dependency].address.as_str());
        let _ = writeln!(text, "  {} -> {};", quote(node), quote(dependency));
    }
    text.push_str("}\n");
    text
}

/// The graph in Mermaid's language, for Markdown. Node `i` of the graph is `nodes[i]`.
pub fn mermaid(nodes: &[GraphNode], graph: &Dag) -> String {
    let mut text = String::from("flowchart RL\n");
    for (at, (group, members)) in groups(nodes).into_iter().enumerate() {
        let indent = if group.is_empty() { "  " } else { "    " };
        if !group.is_empty() {
            let _ = writeln!(text, "  subgraph g{at}[\"{}\"]", entities(group));
        }
        for node in members {
            let GraphNode { address, title, .. } = &nodes[node];
            let title = if title.is_empty() { String::new() } else { format!("<br/>{}", entities(title)) };
            let _ = writeln!(text, "{indent}n{node}[\"{}{title}\"]", entities(address.as_str()));
        }
        if !group.is_empty() {
            text.push_str("  end\n");
        }
    }
    for (node, dependency) in edges(nodes, graph) {
        let _ = writeln!(text, "  n{node} --> n{dependency}");
    }
    text
}

/// A text inside a quoted Mermaid label, where `#…;` is a character by its number or name.
fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '`' | ';' | '\\' | '|' => {
                let _ = write!(safe, "#{};", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// The groups with their nodes, in the order in which they first occur.
fn groups(nodes: &[GraphNode]) -> Vec<(&str, Vec<usize>)> {
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        match groups.iter_mut().find(|(group, _)| *group == node.group) {
            Some((_, members)) => members.push(at),
            None => groups.push((&node.group, vec![at])),
        }
    }
    groups
}

fn edges(nodes: &[GraphNode], graph: &Dag) -> Vec<(usize, usize)> {
    let mut edges = graph.reduced_edges();
    edges.retain(|&(node, dependency)| node < nodes.len() && dependency < nodes.len());
    edges.sort_unstable();
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Vec<GraphNode>, Dag) {
        let nodes = [
            ("resourceGroup", "resource group"),
            ("networks.hub", "virtual network"),
            ("networks.hub.subnets.nodes", "subnet"),
            ("clusters.a\"ks\n", "managed cluster #1"),
        ];
        let mut graph = Dag::new(4);
        [(1, 0), (2, 0), (2, 1), (3, 0), (3, 2)].into_iter().for_each(|(node, on)| graph.need(node, on));
        (nodes.map(|(address, title)| GraphNode::new(Address::new(address), title)).to_vec(), graph)
    }

    #[test]
    fn graphviz_gets_boxes_and_the_arrows_that_matter() {
        let (nodes, graph) = sample();
        insta::assert_snapshot!(dot(&nodes, &graph));
    }

    #[test]
    fn mermaid_gets_boxes_and_the_arrows_that_matter() {
        let (nodes, graph) = sample();
        insta::assert_snapshot!(mermaid(&nodes, &graph));
    }
}
