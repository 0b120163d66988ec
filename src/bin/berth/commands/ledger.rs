//! `berth ledger`

use super::{Whose, of_blueprint, report, with_session};
use crate::cli::{Global, LedgerCommand, OutputFormat, Owner};
use crate::connect;
use crate::exit::Exit;
use crate::terminal::Terminal;
use berth::diag::Failure;
use berth::ledger::store::{self, Store};
use berth::ops::{self, Forgotten};
use berth::value::redact::MASK;
use serde_json::{Value, json};
use std::path::Path;

/// Looks at a ledger, or changes what it owns.
pub fn run(global: &Global, terminal: &Terminal, command: LedgerCommand) -> Exit {
    match command {
        LedgerCommand::Show { owner, at, format } => {
            with_store(global, terminal, owner, async |store, whose| {
                show(terminal, store, whose, at, format).await
            })
        }
        LedgerCommand::History { owner, format } => {
            with_store(global, terminal, owner, async |store, whose| {
                history(terminal, store, whose, format).await
            })
        }
        LedgerCommand::Unlock { owner } => {
            with_store(global, terminal, owner, async |store, _| Ok(unlock(terminal, store).await?))
        }
        LedgerCommand::Resume { blueprint } => resume(global, terminal, &blueprint),
        LedgerCommand::Forget { blueprint, addresses } => {
            let owner = Owner { blueprint: Some(blueprint), name: None };
            with_store(global, terminal, owner, async |store, whose| {
                forget(terminal, store, whose, &addresses).await
            })
        }
    }
}

/// Finishes what an earlier run began.
fn resume(global: &Global, terminal: &Terminal, path: &Path) -> Exit {
    let global = &match of_blueprint(global, terminal, path) {
        Ok(global) => global,
        Err(exit) => return exit,
    };
    with_session(global, terminal, path, async |blueprint, session| {
        match ops::finish_earlier(&session, &blueprint.desired).await {
            Ok(finished) if finished.is_empty() => terminal.print("Nothing was left under way.\n"),
            Ok(finished) => {
                for step in finished {
                    let (action, address) = (step.action.word(), step.address.as_str());
                    terminal.print(&format!("No longer under way: {action} {address}\n"));
                }
            }
            Err(error) => return report(terminal, &error),
        }
        Exit::Done
    })
}

/// Opens the ledger of a blueprint and does something with it.
fn with_store(
    global: &Global,
    terminal: &Terminal,
    owner: Owner,
    act: impl AsyncFnOnce(&dyn Store, &Whose) -> Result<Exit, ops::Error>,
) -> Exit {
    let whose = match Whose::read(global, terminal, owner) {
        Ok(whose) => whose,
        Err(exit) => return exit,
    };
    connect::run(&whose.global, async {
        match connect::ledger(&whose.global, &whose.owner) {
            Ok(store) => act(&*store, &whose).await.unwrap_or_else(|error| report(terminal, &error)),
            Err(failure) => terminal.fail(&failure),
        }
    })
}

async fn show(
    terminal: &Terminal,
    store: &dyn Store,
    whose: &Whose,
    at: Option<u64>,
    format: OutputFormat,
) -> Result<Exit, ops::Error> {
    let loaded = store.load().await?;
    let Some(mut ledger) = loaded.ledger else {
        terminal.say(&format!("There is no ledger at {} yet.", store.place()));
        return Ok(Exit::Done);
    };
    whose.expect(&ledger, &store.place())?;
    let mut in_flight = loaded.in_flight;
    if let Some(serial) = at.filter(|serial| *serial != ledger.serial) {
        let Some(past) = store.history().await?.into_iter().find(|past| past.serial == serial) else {
            let message = format!("the ledger {} has no version {serial}", store.place());
            let help = "`berth ledger history` lists those that are kept";
            return Ok(terminal.fail(&Failure::new(message, help)));
        };
        ledger = past.ledger;
        in_flight.clear();
    }
    match format {
        OutputFormat::Json => match serde_json::to_value(&ledger) {
            Ok(mut value) => {
                // Who knows it can say what a requester of ours says, and be let in; and guess at the digests.
                value["salt"] = MASK.into();
                terminal.print(&berth::report::json::to_text(&value));
            }
            Err(error) => return Ok(terminal.fail(&Failure::of(&error, None))),
        },
        OutputFormat::Human => {
            let mut text = format!("{} owns {} resources:\n", ledger.owner(), ledger.resources.len());
            for (id, owned) in &ledger.resources {
                text.push_str(&format!("  {}\n    {id}\n", owned.address));
            }
            let holder = if at.is_none() { store.holder().await? } else { None };
            for step in &in_flight {
                let state = match step.operation {
                    Some(_) => "Azure works on it",
                    None => "whether Azure got it is unknown",
                };
                let when = match &holder {
                    Some(who) if !who.contains("which is dead") => "under way",
                    _ => "under way when a run died",
                };
                text.push_str(&format!("{when}: {} {} ({state})\n", step.action.word(), step.address));
                if let Some(sent) = &step.sent_as {
                    let (request, run) = (sent.request_id, &sent.correlation_id);
                    text.push_str(&format!("    client request id {request}, correlation id {run}\n"));
                }
            }
            if let Some(holder) = holder {
                text.push_str(&format!("in use by {holder}\n"));
            }
            terminal.print(&text);
        }
    }
    Ok(Exit::Done)
}

async fn history(
    terminal: &Terminal,
    store: &dyn Store,
    whose: &Whose,
    format: OutputFormat,
) -> Result<Exit, ops::Error> {
    let Some(ledger) = store.load().await?.ledger else {
        if format == OutputFormat::Json {
            terminal.print(&berth::report::json::to_text(&json!([])));
        }
        terminal.say(&format!("There is no ledger at {} yet.", store.place()));
        return Ok(Exit::Done);
    };
    whose.expect(&ledger, &store.place())?;
    if format == OutputFormat::Json {
        let now = json!({ "serial": ledger.serial, "resources": ledger.resources.len(), "replaced": null });
        let past = store.history().await?.into_iter().map(|past| {
            let (resources, until) = (past.ledger.resources.len(), past.replaced.to_string());
            json!({ "serial": past.serial, "resources": resources, "replaced": until })
        });
        let all: Vec<Value> = std::iter::once(now).chain(past).collect();
        terminal.print(&berth::report::json::to_text(&all.into()));
        return Ok(Exit::Done);
    }
    terminal.print(&format!("{:>6}  {} resources, now\n", ledger.serial, ledger.resources.len()));
    for past in store.history().await? {
        let resources = past.ledger.resources.len();
        terminal.print(&format!("{:>6}  {resources} resources, until {}\n", past.serial, past.replaced));
    }
    Ok(Exit::Done)
}

/// A lock whose holder is dead is taken over, so taking it and giving it back is all there is to do.
async fn unlock(terminal: &Terminal, store: &dyn Store) -> Result<Exit, store::Error> {
    let taken = store.lock().await?;
    store.unlock().await;
    match taken.from {
        Some(from) => terminal.say(&format!("Took the lock away from {from}. That run is dead.")),
        None => terminal.say("The ledger was not locked."),
    }
    Ok(Exit::Done)
}

async fn forget(
    terminal: &Terminal,
    store: &dyn Store,
    whose: &Whose,
    addresses: &[String],
) -> Result<Exit, ops::Error> {
    if let Some(ledger) = store.load().await?.ledger {
        whose.expect(&ledger, &store.place())?;
    }
    Ok(match ops::forget(store, addresses).await? {
        Forgotten::Unknown(unknown) => terminal.fail(&Failure::new(
            format!("the ledger does not own {}; nothing was forgotten", unknown.join(", ")),
            "`berth ledger show` lists what it owns",
        )),
        Forgotten::Done(gone) => {
            for (address, id) in gone {
                terminal.print(&format!("forgotten: {address}\n    {id}\n"));
            }
            terminal.say(
                "Azure is as it was. What the blueprint still names, the next plan wants to adopt (`--adopt`).",
            );
            Exit::Done
        }
    })
}
