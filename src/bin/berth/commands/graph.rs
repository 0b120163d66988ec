//! `berth graph`

use super::{leave, load, of_blueprint};
use crate::cli::{Global, GraphFormat};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;
use berth::diag::Failure;
use berth::ops;
use berth::plan::{Saved, is_saved};
use berth::report::graph::{GraphNode, dot, mermaid};
use berth::report::{graph_page, json};
use std::path::Path;

/// Draws what depends on what.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, format: GraphFormat) -> Exit {
    if let Some(exit) = of_plan(terminal, path, format) {
        return exit;
    }
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
        GraphFormat::Html => graph_page::html(&ops::plan_offline(&blueprint.desired).0),
        GraphFormat::Json => json::to_text(&graph_page::json(&ops::plan_offline(&blueprint.desired).0)),
    });
    leave((blueprint, nodes, graph));
    Exit::Done
}

/// Draws a saved plan; nothing when the file is none.
fn of_plan(terminal: &Terminal, path: &Path, format: GraphFormat) -> Option<Exit> {
    // Standard input is read once, and a plan is a file.
    let bytes = (path.as_os_str() != "-").then(|| settings::read(path).ok()).flatten()?;
    if !is_saved(&bytes) {
        return None;
    }
    let plan = match Saved::parse(&bytes) {
        Ok(saved) => saved.plan,
        Err(error) => {
            return Some(terminal.fail(&Failure::new(format!("{}: {error}", path.display()), error.hint())));
        }
    };
    terminal.print(&match format {
        GraphFormat::Html => graph_page::html(&plan),
        GraphFormat::Json => json::to_text(&graph_page::json(&plan)),
        GraphFormat::Dot | GraphFormat::Mermaid => {
            return Some(terminal.fail(&Failure::new(
                "a saved plan is drawn as `html` or `json`",
                "add `--format html`, or name the blueprint",
            )));
        }
    });
    Some(Exit::Done)
}
