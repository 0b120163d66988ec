//! The graph of a plan with what is done, how long it takes and what makes it so long: as data, and as one page.

use super::drift_page::shell;
use super::markup::{header, text};
use super::picture::{Tile, svg};
use super::text::about;
use super::words::shown_type;
use crate::change::Action;
use crate::graph::Dag;
use crate::plan::{Plan, Step};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt::Write;

/// How many boxes the picture has at most.
const MOST: usize = 200;
/// How many lines the table has at most.
const ROWS: usize = 5_000;

/// The graph of a plan.
struct Graph<'p> {
    plan: &'p Plan,
    /// The steps that are shown, by position in the plan: registrations are left out, since nearly everything needs them.
    shown: Vec<usize>,
    /// What each needs, by position among those that are shown, without what others imply.
    edges: Vec<(usize, usize)>,
    /// The steps that make the plan as long as it is, by position in the plan.
    path: Vec<usize>,
    /// How long it takes, in milliseconds.
    total: u64,
}

impl<'p> Graph<'p> {
    fn of(plan: &'p Plan) -> Self {
        let (path, total) = plan.critical_path();
        let shown: Vec<usize> = (0..plan.steps.len())
            .filter(|&at| !is_registration(&plan.steps[at]) && !plan.steps[at].told_elsewhere)
            .collect();
        let mut position = vec![None; plan.steps.len()];
        shown.iter().enumerate().for_each(|(to, &from)| position[from] = Some(to));
        let mut dag = Dag::new(shown.len());
        for (own, &at) in shown.iter().enumerate() {
            let needs = plan.steps[at].after.iter().filter_map(|&need| *position.get(need)?);
            needs.filter(|&need| need != own).for_each(|need| dag.need(own, need));
        }
        let mut edges = dag.reduced_edges();
        edges.sort_unstable();
        Graph { plan, shown, edges, path, total }
    }

    fn step(&self, own: usize) -> &Step {
        &self.plan.steps[self.shown[own]]
    }
}

fn is_registration(step: &Step) -> bool {
    step.action == Action::Register || step.address.as_str().starts_with("providers.")
}

/// The graph for programs.
///
/// ```text
/// { "format": "berth-graph", "version": 1, "blueprint": "shop", "environment": null,
///   "expectedMs": 480000, "criticalPath": ["networks.hub", "clusters.aks"],
///   "nodes": [{ "address": "networks.hub", "type": "Microsoft.Network/virtualNetworks", "id": "/subscriptions/…",
///               "action": "create", "expectedMs": 8000, "critical": true, "needs": ["resourceGroup"] }] }
/// ```
pub fn json(plan: &Plan) -> Value {
    let graph = Graph::of(plan);
    let critical: HashSet<usize> = graph.path.iter().copied().collect();
    let mut needs: Vec<Vec<&str>> = vec![Vec::new(); graph.shown.len()];
    for &(own, need) in &graph.edges {
        needs[own].push(graph.step(need).address.as_str());
    }
    let nodes: Vec<Value> = graph
        .shown
        .iter()
        .zip(needs)
        .map(|(&at, needs)| {
            let step = &plan.steps[at];
            json!({
                "address": step.address, "type": step.arm_type, "id": step.id, "action": step.action,
                "expectedMs": if works(step) { step.expected_ms } else { 0 },
                "critical": critical.contains(&at), "needs": needs,
            })
        })
        .collect();
    let path: Vec<&str> = graph.path.iter().map(|&at| plan.steps[at].address.as_str()).collect();
    json!({
        "format": "berth-graph", "version": 1, "blueprint": plan.blueprint, "environment": plan.environment,
        "expectedMs": graph.total, "criticalPath": path, "nodes": nodes,
    })
}

fn works(step: &Step) -> bool {
    !matches!(step.action, Action::NoOp | Action::Forget | Action::Adopt | Action::Release)
}

/// The graph as one page, which needs nothing else.
pub fn html(plan: &Plan) -> String {
    let graph = Graph::of(plan);
    let critical: HashSet<usize> = graph.path.iter().copied().collect();
    let title = format!("Graph of {}", plan.blueprint);
    let mut body = String::new();
    let _ = write!(
        body,
        "<header>\n<h1>{}</h1>\n{}</header>\n<main>\n",
        text(&title),
        header(plan.header.as_ref())
    );
    let busy = graph.shown.iter().filter(|&&at| works(&plan.steps[at])).count();
    let _ = writeln!(
        body,
        "<section class=\"counts\" aria-label=\"Counts\"><p class=\"totals\"><b>{busy}</b> of {} change, in about <b>{}</b></p></section>",
        graph.shown.len(),
        text(&about(graph.total))
    );
    if !graph.path.is_empty() {
        body.push_str("<h2>What makes it so long</h2>\n<ol>\n");
        for &at in &graph.path {
            let step = &plan.steps[at];
            let _ = writeln!(
                body,
                "<li><b class=\"address\">{}</b> <span class=\"dim\">{} {}</span></li>",
                text(step.address.as_str()),
                step.action.word(),
                text(&about(step.expected_ms))
            );
        }
        body.push_str("</ol>\n");
    }
    // When not all have room, those that make it so long come first, then what changes.
    let mut chosen: Vec<usize> = (0..graph.shown.len()).collect();
    chosen.sort_by_key(|&own| (!critical.contains(&graph.shown[own]), !works(graph.step(own)), own));
    chosen.truncate(MOST);
    chosen.sort_unstable();
    let mut place = vec![None; graph.shown.len()];
    chosen.iter().enumerate().for_each(|(to, &from)| place[from] = Some(to));
    let edges: Vec<(usize, usize)> =
        graph.edges.iter().filter_map(|&(own, need)| Some((place[own]?, place[need]?))).collect();
    let tiles: Vec<Tile> = chosen
        .iter()
        .map(|&own| {
            let step = graph.step(own);
            let time =
                if works(step) { format!(", about {}", about(step.expected_ms)) } else { String::new() };
            Tile {
                class: match (critical.contains(&graph.shown[own]), works(step)) {
                    (true, _) => "hit high",
                    (false, true) => "reached",
                    (false, false) => "rest",
                }
                .to_owned(),
                label: step.address.as_str().to_owned(),
                told: format!("{}{time}", step.action.word()),
                link: (own < ROWS).then(|| format!("#s{own}")),
            }
        })
        .collect();
    body.push_str("<h2>What needs what</h2>\n<p class=\"dim\">A thick box is one of those that make it so long, a dashed box changes too, a thin box stays as it is; a line leads from what is needed to what needs it.</p>\n");
    body.push_str(&svg(&tiles, &edges, "Picture of what needs what", &title));
    if graph.shown.len() > MOST {
        let _ = writeln!(body, "<p class=\"dim\">{} more are not drawn.</p>", graph.shown.len() - MOST);
    }
    body.push_str("<h2>Every step</h2>\n<table class=\"steps\"><thead><tr><th>resource</th><th>type</th><th>action</th><th>about</th><th>needs</th></tr></thead><tbody>\n");
    let mut needs: Vec<Vec<&str>> = vec![Vec::new(); graph.shown.len()];
    for &(own, need) in &graph.edges {
        needs[own].push(graph.step(need).address.as_str());
    }
    for (own, needs) in needs.iter().enumerate().take(ROWS) {
        let step = graph.step(own);
        let mark = if critical.contains(&graph.shown[own]) {
            " <span class=\"badge high\">longest</span>"
        } else {
            ""
        };
        let time = if works(step) { about(step.expected_ms) } else { String::new() };
        let _ = writeln!(
            body,
            "<tr id=\"s{own}\"><td><b class=\"address\">{}</b>{mark}</td><td class=\"dim\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            text(step.address.as_str()),
            text(shown_type(&step.arm_type)),
            step.action.word(),
            text(&time),
            text(&needs.join(", "))
        );
    }
    body.push_str("</tbody></table>\n");
    if graph.shown.len() > ROWS {
        let _ = writeln!(
            body,
            "<p class=\"note\" role=\"note\">{} more are not listed.</p>",
            graph.shown.len() - ROWS
        );
    }
    body.push_str("</main>\n<footer class=\"dim\">Made by berth. Times are how long such steps usually take.</footer>\n");
    shell(&title, &body, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Address;
    use crate::report::sample;

    #[test]
    fn the_graph_says_what_is_done_and_what_makes_it_long() {
        let plan = sample::plan();
        let told = json(&plan);
        let nodes = told["nodes"].as_array().unwrap();
        assert_eq!(told["format"], "berth-graph");
        assert!(!nodes.is_empty() && nodes.len() <= plan.steps.len());
        let path: Vec<&str> =
            told["criticalPath"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for node in nodes {
            let address = node["address"].as_str().unwrap();
            assert_eq!(node["critical"].as_bool(), Some(path.contains(&address)), "{address}");
            for need in node["needs"].as_array().unwrap() {
                assert!(nodes.iter().any(|other| other["address"] == *need), "{need}");
            }
        }
        assert_eq!(told["expectedMs"], plan.critical_path().1);
    }

    #[test]
    fn the_page_is_one_file_without_a_script_and_nobodys_text_is_markup() {
        let mut plan = sample::plan();
        plan.blueprint = "<script>alert(1)</script>".into();
        plan.steps[1].address = Address::new("<img onerror=x>");
        let page = html(&plan);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        for reference in ["src=", "http://", "https://", "@import", "url("] {
            assert!(!page.contains(reference), "the page has {reference}");
        }
        assert!(page.contains("script-src 'none'") && page.contains("<svg"), "{page}");
        assert!(!page.contains("hunter2"));
    }

    #[test]
    fn a_large_plan_stays_a_page() {
        let mut plan = sample::plan();
        let step = plan.steps.iter().find(|step| step.action == Action::Create).unwrap().clone();
        plan.steps = (0..6_000)
            .map(|at| crate::plan::Step {
                address: Address::new(format!("identities.i{at}")),
                after: Vec::new(),
                ..step.clone()
            })
            .collect();
        plan.program = Default::default();
        let page = html(&plan);
        assert!(page.len() < 4_000_000, "{}", page.len());
        assert!(page.contains("1000 more are not listed") && page.contains("5800 more are not drawn"));
    }
}
