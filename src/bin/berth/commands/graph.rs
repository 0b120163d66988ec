//! `berth graph`

use super::{leave, load, of_blueprint};
use crate::cli::{Global, GraphFormat};
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::ops;
use berth::report::graph::{GraphNode, dot, mermaid};
use std::path::Path;

/// Draws what depends on what.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, format: GraphFormat) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let blueprint = match load(global, terminal, path) {
        Ok(blueprint) => blueprint,
        Err(exit) => return exit,
    };
    let (nodes, graph) = ops::graph(&blueprint.desired);
    let nodes: Vec<GraphNode> =
        nodes.into_iter().map(|(address, title)| GraphNode::new(address, title)).collect();
    terminal.print(&match format {
        GraphFormat::Dot => dot(&nodes, &graph),
        GraphFormat::Mermaid => mermaid(&nodes, &graph),
    });
    leave((blueprint, nodes, graph));
    Exit::Done
}
