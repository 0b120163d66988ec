//! `berth output`

use super::{Whose, report};
use crate::ci::{self, Ci};
use crate::cli::{Global, OutputArgs, OutputsFormat, Owner};
use crate::connect;
use crate::exit::Exit;
use crate::settings;
use crate::terminal::{Terminal, redactor};
use berth::blueprint::Missing;
use berth::diag::Failure;
use berth::ops;
use berth::report::ci::{Handed, OutputSyntax, outputs};
use berth::report::{guarded, json};
use indexmap::IndexMap;
use serde_json::Value;

/// Shows the outputs of the last apply, from the ledger.
pub fn run(global: &Global, terminal: &Terminal, args: &OutputArgs) -> Exit {
    let owner = Owner { blueprint: Some(args.blueprint.clone()), name: None };
    let whose = match Whose::read(global, terminal, owner) {
        Ok(whose) => whose,
        Err(exit) => return exit,
    };
    if args.secret_outputs && args.format == OutputsFormat::Human {
        return terminal.fail(&Failure::new(
            "`--secret-outputs` is for programs",
            "add `--format env`, `json`, `azure-devops` or `github`",
        ));
    }
    let global = &whose.global;
    connect::run(global, async {
        let kept = match kept(global, terminal, &whose).await {
            Ok(kept) => kept,
            Err(exit) => return exit,
        };
        let mut all: IndexMap<String, (Value, bool)> =
            kept.into_iter().map(|(name, value)| (name, (value, false))).collect();
        if args.secret_outputs {
            match secret(&whose, args.name.as_deref()) {
                Ok(secret) => all.extend(secret.into_iter().map(|(name, value)| (name, (value, true)))),
                Err(failure) => return terminal.fail(&failure),
            }
        }
        if let Some(name) = &args.name {
            all.retain(|known, _| known == name || args.format == OutputsFormat::Human);
            if !all.contains_key(name) {
                let known: Vec<&str> = all.keys().map(String::as_str).collect();
                let help = match known.is_empty() {
                    true => "`berth apply` makes the outputs; secret ones are never kept".to_owned(),
                    false => format!("there are: {}", known.join(", ")),
                };
                return terminal.fail(&Failure::new(format!("there is no output `{name}`"), help));
            }
        }
        show(terminal, args, &all)
    })
}

/// The outputs that the ledger has.
async fn kept(
    global: &Global,
    terminal: &Terminal,
    whose: &Whose,
) -> Result<impl IntoIterator<Item = (String, Value)> + use<>, Exit> {
    let store = connect::ledger(global, &whose.owner).map_err(|failure| terminal.fail(&failure))?;
    let loaded = store.load().await;
    let loaded = loaded.map_err(|error| terminal.fail(&Failure::of(&error, Some(error.hint()))))?;
    let Some(ledger) = loaded.ledger else {
        return Err(terminal.fail(&Failure::new(
            format!("no outputs: the ledger {} does not exist", store.place()),
            "check `--ledger`, `-e` and the blueprint's name; `berth apply` writes the outputs",
        )));
    };
    whose.expect(&ledger, &store.place()).map_err(|error| report(terminal, &error))?;
    let is_empty = ledger.resources.is_empty() && loaded.in_flight.is_empty();
    if is_empty && whose.desired(Missing::MakeUp).is_none_or(|all| !all.desired.resources.is_empty()) {
        let (place, owner) = (store.place(), whose.owner.to_string());
        return Err(report(terminal, &ops::Error::EmptyLedger { place, owner }));
    }
    Ok(ledger.outputs)
}

/// The secret outputs, or the one of this name, from the blueprint and its parameters.
///
/// # Errors
/// When the blueprint cannot be evaluated here, or when Azure alone knows a value.
fn secret(whose: &Whose, only: Option<&str>) -> Result<Vec<(String, Value)>, Failure> {
    let missing = if whose.global.sim.is_some() { Missing::MakeUp } else { Missing::Refuse };
    let blueprint = whose.desired(missing).ok_or_else(|| {
        Failure::new(
            "secret outputs are taken from the blueprint, and that cannot be evaluated here",
            "give its parameters as for `berth apply`; `berth validate` says what is wrong with it",
        )
    })?;
    let asked = blueprint.desired.outputs.iter().filter(|output| output.secret);
    let asked = asked.filter(|output| only.is_none_or(|name| output.name == name));
    asked
        .map(|output| match ops::revealed(&output.value, Some(&blueprint.desired.secrets)) {
            Some(value) => Ok((output.name.clone(), value)),
            None => Err(Failure::new(
                format!("the secret output `{}` holds a value that only Azure knows", output.name),
                "`berth apply --secret-outputs` hands it on to a build server",
            )),
        })
        .collect()
}

fn show(terminal: &Terminal, args: &OutputArgs, all: &IndexMap<String, (Value, bool)>) -> Exit {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let syntax = match args.format {
        OutputsFormat::Human => {
            match args.name.as_ref().and_then(|name| all.get(name)) {
                Some((value, _)) => terminal.print(&format!("{}\n", plain(value))),
                None => all
                    .iter()
                    .for_each(|(name, (value, _))| terminal.print(&format!("{name} = {}\n", plain(value)))),
            }
            return Exit::Done;
        }
        OutputsFormat::Json => {
            let text = match args.name.as_ref().and_then(|name| all.get(name)) {
                Some((value, _)) => json::to_line(value),
                None => {
                    let all = all.iter().map(|(name, (value, _))| (name.clone(), value.clone()));
                    json::to_text(&Value::Object(all.collect()))
                }
            };
            // JSON is escaped already; the doorway would take out the secrets that were asked for.
            if args.secret_outputs {
                terminal.print_own(&text)
            } else {
                terminal.print(&text)
            }
            return Exit::Done;
        }
        OutputsFormat::Env => OutputSyntax::Shell,
        OutputsFormat::AzureDevops => OutputSyntax::AzureDevops,
        OutputsFormat::Github => OutputSyntax::GithubFile,
    };
    let mut handed: Vec<Handed> =
        all.iter().map(|(name, (value, secret))| Handed::new(name, value, *secret)).collect();
    let mut left = Vec::new();
    let file = settings::ci(crate::cli::CiChoice::Github).filter(Ci::has_outputs);
    match (args.format, file) {
        (OutputsFormat::Github, Some(ci)) => match ci.set(&handed) {
            Ok(found) => left = found,
            Err(failure) => return terminal.fail(&failure),
        },
        _ => {
            if args.format == OutputsFormat::Github {
                // The form has no escapes, and what is printed may end in a log.
                handed.retain(|output| {
                    let harmless = output.secret || guarded(&output.value, redactor(), false) == output.value;
                    if !harmless {
                        left.push((output.name.clone(), "its value would speak to who reads it in a log"));
                    }
                    harmless
                });
            }
            let written = outputs(syntax, &handed, &ci::delimiter());
            left.extend(written.left);
            ci::write(&written.masks);
            terminal.print_own(&written.text);
        }
    }
    match left.as_slice() {
        [] => Exit::Done,
        left => {
            let all: Vec<String> = left.iter().map(|(name, why)| format!("  {name}: {why}")).collect();
            let message = format!("these outputs cannot be written this way:\n{}", all.join("\n"));
            terminal.fail(&Failure::bare(message))
        }
    }
}
