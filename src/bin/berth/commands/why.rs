//! `berth why`

use super::{Loaded, leave, load, of_blueprint, report};
use crate::cli::Global;
use crate::connect;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::blueprint::places;
use berth::diag::{Failure, did_you_mean};
use berth::ident::Address;
use berth::ledger::Ledger;
use berth::ledger::store::{self, Store};
use berth::ops;
use berth::value::get_path;
use std::path::Path;

/// Tells where an address comes from: the line, what it needs, and which version of the ledger wrote it last.
pub fn run(global: &Global, terminal: &Terminal, path: &Path, asked: &str) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    let blueprint = match load(global, terminal, path) {
        Ok(blueprint) => blueprint,
        Err(exit) => return exit,
    };
    let (nodes, graph) = ops::graph(&blueprint.desired);
    let is_within = |address: &str| {
        asked.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let found = (0..nodes.len()).filter(|&at| is_within(nodes[at].0.as_str()));
    let Some(at) = found.max_by_key(|&at| nodes[at].0.as_str().len()) else {
        let near = did_you_mean(asked, nodes.iter().map(|(address, _)| address.as_str()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`berth graph` shows all addresses".to_owned(),
        };
        return terminal.fail(&Failure::new(format!("the blueprint has no `{asked}`"), help));
    };
    let (address, title) = &nodes[at];
    let names = |list: &[usize]| {
        let mut names: Vec<&str> = list.iter().map(|&at| nodes[at].0.as_str()).collect();
        names.sort_unstable();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let mut told = format!("{address}  {title}\n");
    let place = |address: &Address| places(&blueprint.source, [address]).remove(address);
    let written = place(address);
    match &written {
        Some(place) => told.push_str(&format!("  written    {place}\n")),
        None => told.push_str("  written    nowhere: berth adds it, because others need it\n"),
    }
    if asked != address.as_str() {
        told.push_str(&field(&blueprint, address, asked));
    }
    told.push_str(&format!("  needs      {}\n", names(graph.dependencies(at))));
    told.push_str(&format!("  needed by  {}\n", names(graph.dependants(at))));
    let exit = connect::run(global, async {
        let store = match connect::ledger(global, &blueprint.desired.owner()) {
            Ok(store) => store,
            Err(failure) => return terminal.fail(&failure),
        };
        match kept(&*store, address).await {
            Ok(text) => {
                told.push_str(&format!("  ledger     {text}\n"));
                terminal.print(&told);
                Exit::Done
            }
            Err(error) => report(terminal, &error.into()),
        }
    });
    leave(blueprint);
    exit
}

/// Where a field of an entry is written, and as what.
fn field(blueprint: &Loaded, entry: &Address, asked: &str) -> String {
    let name = &asked[entry.as_str().len() + 1..];
    let full = Address::new(asked);
    let all = places(&blueprint.source, [entry, &full]);
    let written = all.get(&full).filter(|place| Some(*place) != all.get(entry));
    let section = asked.split('.').next().unwrap_or_default();
    match written {
        Some(place) => {
            let value = get_path(&blueprint.source.tree, asked);
            let shown = value.filter(|value| !value.is_object()).map(|value| format!(", as {value}"));
            format!("  {name}\n             {place}{}\n", shown.unwrap_or_default())
        }
        None => {
            format!("  {name}\n             not written: `berth explain {section}` says what is taken then\n")
        }
    }
}

/// What the ledger knows of an address: the version that wrote it last, of those that are kept.
async fn kept(store: &dyn Store, address: &Address) -> Result<String, store::Error> {
    let place = store.place();
    let Some(ledger) = store.load().await?.ledger else {
        return Ok(format!("there is none yet at {place}: the next apply makes it"));
    };
    let of = |ledger: &Ledger| {
        let found = ledger.resources.iter().find(|(_, owned)| owned.address == *address);
        found.map(|(id, owned)| (id.clone(), owned.applied.clone()))
    };
    let Some((id, applied)) = of(&ledger) else {
        return Ok(format!("{place} does not own it: the next apply makes it or takes it over"));
    };
    let mut history = store.history().await?;
    history.sort_by_key(|past| std::cmp::Reverse(past.serial));
    let mut wrote = ledger.serial;
    let mut older = history.iter();
    for past in older.by_ref() {
        match of(&past.ledger) {
            Some((other, same)) if other == id && same == applied => wrote = past.serial,
            _ => break,
        }
    }
    Ok(format!("version {wrote} of {place} wrote it last, as\n             {id}"))
}
