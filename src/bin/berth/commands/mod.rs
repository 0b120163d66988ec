//! One file a command; what they share.

mod apply;
mod approve;
mod complete;
mod console;
mod destroy;
mod doctor;
mod drift;
mod fmt;
mod graph;
mod init;
mod ledger;
mod output;
mod plan;
mod policy;
mod reports;
mod saved;
mod settle;
mod sim;
mod surroundings;
mod validate;
mod why;

use crate::cli::{Cli, Command, Global, Owner};
use crate::connect::{self, Connection};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::{self, Terminal};
use berth::blueprint::{Blueprint, Environment, Inputs, Missing, Source, places};
use berth::diag::{Diagnostic, Failure};
use berth::ident::{self, Address, ArmId};
use berth::ledger::{Estate, Ledger};
use berth::ops::{self, Planned, Session};
use berth::plan::{PlanTarget, Saved};
use berth::report::{PlanDocument, Stage, document, human};
use clap::CommandFactory;
use std::path::{Path, PathBuf};

/// Carries out a command, and says how it ended to the build server that waits for it.
pub fn run(cli: Cli) -> Exit {
    let terminal = Terminal::new(&cli.global);
    #[cfg(feature = "otlp")]
    let (traces, global) = (crate::traces::Traces::begin(&cli), cli.global.clone());
    #[cfg(feature = "otlp")]
    let terminal = terminal.beside(traces.as_ref().map(crate::traces::Traces::listener));
    let exit = terminal::written(carry_out(cli, &terminal));
    #[cfg(feature = "otlp")]
    if let Some(traces) = &traces {
        traces.send(&global, &terminal, exit);
    }
    if let Some(ci) = &terminal.ci {
        ci.close(exit);
    }
    exit
}

fn carry_out(cli: Cli, terminal: &Terminal) -> Exit {
    let Cli { command, global, .. } = cli;
    let is_about_no_blueprint = matches!(
        command,
        Command::Sim { .. }
            | Command::Show { .. }
            | Command::Init { .. }
            | Command::Explain { .. }
            | Command::Fmt { .. }
            | Command::Schema
            | Command::Man { .. }
            | Command::Completions { .. }
    );
    if is_about_no_blueprint && global.environment.is_some() {
        return terminal.fail(&Failure::new(
            "`--environment` is for commands that take a blueprint, and this one takes none",
            "leave it out",
        ));
    }
    match command {
        Command::Validate { blueprints, format, policies } => {
            validate::run(&global, terminal, &blueprints, format, &policies)
        }
        Command::Graph { blueprint, format } => graph::run(&global, terminal, &blueprint, format),
        Command::Plan(args) => plan::run(&global, terminal, &args),
        Command::Show { plan, format, summary } => {
            saved::show(terminal, &plan, plan::Form { format, summary, on_page: false, files: &[] })
        }
        Command::Apply(args) => apply::run(&global, terminal, &args),
        Command::Destroy(args) => destroy::run(&global, terminal, args),
        Command::Drift { blueprint, settle, .. } if !settle.accept.is_empty() => {
            settle::accept(&global, terminal, &blueprint, &settle.accept)
        }
        Command::Drift { blueprint, format, settle, .. } if !settle.revert.is_empty() => {
            settle::revert(&global, terminal, &blueprint, format, &settle)
        }
        Command::Drift { blueprint, format, reports, waivers, .. } => {
            drift::run(&global, terminal, &blueprint, format, &reports, waivers.as_deref())
        }
        Command::Doctor { blueprint, until, offline, format } => {
            let asked = doctor::Asked { until: until.map(|day| day.0), offline, format };
            doctor::run(&global, terminal, &blueprint, &asked)
        }
        Command::Approve { command } => approve::run(&global, terminal, command),
        Command::Output(args) => output::run(&global, terminal, &args),
        Command::Kubeconfig(args) => surroundings::kubeconfig(&global, terminal, &args),
        Command::Manifests(args) => surroundings::manifests(&global, terminal, &args),
        Command::Ledger { command } => ledger::run(&global, terminal, command),
        Command::Sim { command } => sim::run(&global, terminal, command),
        Command::Init { dir, template, list } => init::run(terminal, &dir, &template, list),
        Command::Explain { subject } => match berth::manual::explain(subject.as_deref()) {
            Ok(text) => {
                terminal.print_own(&text);
                Exit::Done
            }
            Err(failure) => terminal.fail(&failure),
        },
        Command::Fmt { files, check } => fmt::run(terminal, &files, check),
        Command::Console { blueprint } => console::run(&global, terminal, &blueprint),
        Command::Why { blueprint, address } => why::run(&global, terminal, &blueprint, &address),
        Command::Schema => {
            terminal.print_own(&berth::report::json::to_text(&berth::blueprint::schema()));
            Exit::Done
        }
        Command::Man { dir } => {
            let written = std::fs::create_dir_all(&dir)
                .and_then(|()| clap_mangen::generate_to(crate::cli::with_exit_codes(Cli::command()), &dir));
            match written {
                Ok(()) => Exit::Done,
                Err(error) => terminal.fail(&Failure::new(
                    format!("{}: {error}", dir.display()),
                    "name a folder that can be written",
                )),
            }
        }
        Command::Completions { shell } => complete::script(terminal, shell),
        Command::Addresses { blueprint } => complete::addresses(&global, terminal, &blueprint),
    }
}

/// A blueprint whose text is read while something else, such as connecting, goes on.
struct PendingSource(std::thread::JoinHandle<Result<Result<Source, ops::Error>, Failure>>);

impl PendingSource {
    fn read(path: &Path) -> Self {
        let path = path.to_owned();
        PendingSource(std::thread::spawn(move || {
            let bytes = settings::read(&path)?;
            Ok(Self::parse(&path, &bytes))
        }))
    }

    /// A text that was read already.
    fn of(path: &Path, bytes: Vec<u8>) -> Self {
        let path = path.to_owned();
        PendingSource(std::thread::spawn(move || Ok(Self::parse(&path, &bytes))))
    }

    /// The blueprint of a saved plan.
    fn saved(saved: &Saved) -> Self {
        let saved = ops::saved_source(saved);
        PendingSource(std::thread::spawn(move || Ok(saved)))
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Source, ops::Error> {
        let parsed = ops::parse(&path.display().to_string(), bytes);
        parsed.map(|source| source.with_included_files(&settings::open_include))
    }

    /// Checks the blueprint before signing in, so that what is wrong with it does not wait for that; the simulator
    /// asks for no sign-in.
    fn checked(
        self,
        global: &Global,
        terminal: &Terminal,
        prepare: &impl Fn(&Source, &mut Inputs) -> Result<(), Failure>,
    ) -> Result<Self, Exit> {
        if global.sim.is_some() {
            return Ok(self);
        }
        connect::expect_flags(global).map_err(|failure| terminal.fail(&failure))?;
        let read = self.0.join().expect("reading a text does not panic");
        // A file that is not there, or is not YAML, needs no signing in.
        let source = match &read {
            Err(failure) => return Err(terminal.fail(failure)),
            Ok(Err(error)) => return Err(report(terminal, error)),
            Ok(Ok(source)) => source,
        };
        // What depends on who is signed in cannot be judged yet.
        if !source.files().iter().any(|file| file.text.contains("caller.")) {
            let limit = settings::blueprint_memory().map_err(|failure| terminal.fail(&failure))?;
            let _watch = Watch::start(terminal, limit);
            let mut inputs = settings::inputs(global).map_err(|failure| terminal.fail(&failure))?;
            prepare(source, &mut inputs).map_err(|failure| terminal.fail(&failure))?;
            if let Err(error) = ops::validate_source(source, &inputs) {
                return Err(report(terminal, &error));
            }
        }
        Ok(PendingSource(std::thread::spawn(move || read)))
    }

    /// The blueprint, when all is right with it; shows its warnings, or everything that is wrong.
    fn load(
        self,
        terminal: &Terminal,
        mut inputs: Inputs,
        prepare: impl FnOnce(&Source, &mut Inputs) -> Result<(), Failure>,
    ) -> Result<Loaded, Exit> {
        let limit = settings::blueprint_memory().map_err(|failure| terminal.fail(&failure))?;
        let _watch = Watch::start(terminal, limit);
        let source = self.0.join().expect("reading a text does not panic");
        let source = source.map_err(|failure| terminal.fail(&failure))?;
        let source = source.map_err(|error| report(terminal, &error))?;
        prepare(&source, &mut inputs).map_err(|failure| terminal.fail(&failure))?;
        match ops::validate_source(&source, &inputs) {
            Ok(blueprint) => {
                if !blueprint.warnings.is_empty() {
                    terminal.say(human::diagnostics(&blueprint.warnings, &terminal.err).trim_end());
                    blueprint.warnings.iter().for_each(|warning| terminal.issue(warning.into()));
                }
                Ok(Loaded { blueprint, source, inputs })
            }
            Err(error) => Err(report(terminal, &error)),
        }
    }
}

/// Ends the process when reading a blueprint takes more memory than it may: a short expression, or a module in a module,
/// can be worth any amount.
struct Watch {
    /// Its end tells the watch to stop.
    _stop: std::sync::mpsc::Sender<()>,
}

impl Watch {
    /// Watches until it is dropped.
    fn start(terminal: &Terminal, limit: u64) -> Self {
        let (sender, stopped) = std::sync::mpsc::channel();
        let terminal = terminal.clone();
        let before = policy::resident().unwrap_or_default();
        std::thread::spawn(move || {
            let tick = std::time::Duration::from_millis(20);
            while stopped.recv_timeout(tick) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                if policy::resident().is_some_and(|now| now.saturating_sub(before) > limit) {
                    terminal.fail(&Failure::new(
                        format!("the blueprint takes more than {} MiB of memory to read", limit >> 20),
                        "let its expressions and modules make less; BERTH_BLUEPRINT_MIB raises the limit",
                    ));
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the thread that takes the memory cannot be asked to stop"
                    )]
                    std::process::exit(1);
                }
            }
        });
        Watch { _stop: sender }
    }
}

/// A blueprint with what it was read from.
struct Loaded {
    blueprint: Blueprint,
    source: Source,
    inputs: Inputs,
}

impl std::ops::Deref for Loaded {
    type Target = Blueprint;

    fn deref(&self) -> &Blueprint {
        &self.blueprint
    }
}

impl Loaded {
    /// With whom and as whom this run is.
    fn setting(&self, global: &Global) -> PlanTarget {
        PlanTarget {
            target: settings::target(global),
            subscription: self.desired.subscription.clone(),
            tenant: self.inputs.caller.as_ref().and_then(|caller| caller.tenant_id.clone()),
        }
    }

    /// A plan for programs.
    fn document(&self, planned: &Planned) -> PlanDocument {
        let places = places(&self.source, planned.plan.steps.iter().map(|step| &step.address));
        document(&planned.plan, Stage::Plan, &planned.details(&self.desired), &places)
    }
}

/// Connects, does what a command does, and takes leave of the connection: what the simulator holds is written down,
/// unless the command got nowhere (an error of `act`).
fn with_connection(
    global: &Global,
    terminal: &Terminal,
    act: impl AsyncFnOnce(&Connection, Inputs) -> Result<Exit, Exit>,
) -> Exit {
    connect::run(global, async {
        let mut inputs = match settings::inputs(global) {
            Ok(inputs) => inputs,
            Err(failure) => return terminal.fail(&failure),
        };
        let connection = match connect::connect(global, &inputs).await {
            Ok(connection) => connection,
            Err(failure) => return terminal.fail(&failure),
        };
        if let Some(problem) = other_tenant(global, &connection) {
            report(terminal, &ops::Error::Blueprint(problem.into()));
            return Exit::Blocked;
        }
        connection.fill(&mut inputs);
        let exit = match act(&connection, inputs).await {
            Ok(exit) => exit,
            Err(exit) => return exit,
        };
        match connection.close() {
            Ok(()) => {
                leave(connection);
                exit
            }
            Err(failure) => terminal.fail(&failure),
        }
    })
}

/// That who is signed in is of another tenant than the environment is for.
fn other_tenant(global: &Global, connection: &Connection) -> Option<Diagnostic> {
    let chosen = global.chosen.as_ref().filter(|_| global.sim.is_none())?;
    let own = chosen.tenant.as_ref()?;
    let found = connection.caller.as_ref()?.tenant_id.as_ref()?;
    let help = "sign in to that tenant (`az login --tenant`, AZURE_TENANT_ID), or name another environment";
    (!own.eq_ignore_ascii_case(found)).then(|| chosen.other("tenant", own, found, help))
}

/// Opens the ledger of a blueprint over a connection.
fn session(
    global: &Global,
    terminal: &Terminal,
    connection: &Connection,
    owner: &ident::Owner,
) -> Result<Session, Exit> {
    let listener = connection.listener(global, terminal);
    connection.session(global, owner, listener).map_err(|error| report(terminal, &error.into()))
}

/// The options of a run for a blueprint, with what its environment says.
fn of_blueprint(global: &Global, terminal: &Terminal, path: &Path) -> Result<Global, Exit> {
    if global.environment.is_none() {
        let beside = settings::environments_beside(path);
        if !beside.is_empty() {
            let names = beside.join(", ");
            terminal.say(&format!(
                "note: this run is for no environment; beside the blueprint there are: {names} (`-e NAME`)"
            ));
        }
    }
    settings::with_environment(global, path)
        .map_err(|problems| report(terminal, &ops::Error::Blueprint(problems)))
}

/// Connects, reads the blueprint, and does what a command does with the two.
fn with_session(
    global: &Global,
    terminal: &Terminal,
    path: &Path,
    act: impl AsyncFnOnce(&Loaded, Session) -> Exit,
) -> Exit {
    with_session_of(global, terminal, PendingSource::read(path), |_, _| Ok(()), act)
}

/// [`with_session`] for a blueprint that is read already; `prepare` sets what it is read with.
fn with_session_of(
    global: &Global,
    terminal: &Terminal,
    ahead: PendingSource,
    prepare: impl Fn(&Source, &mut Inputs) -> Result<(), Failure>,
    act: impl AsyncFnOnce(&Loaded, Session) -> Exit,
) -> Exit {
    let ahead = match ahead.checked(global, terminal, &prepare) {
        Ok(ahead) => ahead,
        Err(exit) => return exit,
    };
    with_connection(global, terminal, async |connection, inputs| {
        let blueprint = ahead.load(terminal, inputs, prepare)?;
        connection.know(&blueprint.desired);
        let session = session(global, terminal, connection, &blueprint.desired.owner())?;
        let exit = act(&blueprint, session).await;
        leave(blueprint);
        Ok(exit)
    })
}

/// Reads a blueprint, for a command that asks Azure nothing: what only Azure can tell is made up.
fn load(global: &Global, terminal: &Terminal, path: &Path) -> Result<Loaded, Exit> {
    let ahead = PendingSource::read(path);
    let inputs = settings::inputs(global).map_err(|failure| terminal.fail(&failure))?;
    ahead.load(terminal, Inputs { missing: Missing::MakeUp, ..inputs }, |_, _| Ok(()))
}

/// Whose ledger is meant, as far as that is known without evaluating the blueprint: it may have mistakes, or be gone.
struct Whose {
    owner: ident::Owner,
    /// The options, with what the environment says.
    global: Global,
    /// The text of the blueprint and its path, when it is there.
    source: Option<(PathBuf, Vec<u8>)>,
}

impl Whose {
    /// Finds out.
    fn read(global: &Global, terminal: &Terminal, owner: Owner) -> Result<Self, Exit> {
        let help = "give `--name NAME` instead of the file; NAME is what the file says after `blueprint:`";
        let (name, source) = match (owner.name, owner.blueprint) {
            (Some(name), _) if ident::is_name(&name) => (name, None),
            (Some(name), _) => {
                let message = format!("`{}` cannot be the name of a blueprint", name.escape_debug());
                let help = "a name has small letters, digits and `-`, and starts with a letter";
                return Err(terminal.fail(&Failure::new(message, help)));
            }
            (None, Some(path)) => {
                let bytes = settings::read(&path).map_err(|failure| {
                    let help = failure.help.iter().map(String::as_str).chain([help]);
                    let help = help.collect::<Vec<_>>().join("; or ");
                    terminal.fail(&failure.help(help))
                })?;
                let name = ops::blueprint_name(&bytes).ok_or_else(|| {
                    let path = path.display();
                    let message = format!("{path}: no line `blueprint: NAME` says whose ledger to open");
                    terminal.fail(&Failure::new(message, help))
                })?;
                (name, Some((path, bytes)))
            }
            (None, None) => {
                let help = "name its file, or give `--name NAME`";
                return Err(terminal.fail(&Failure::new("no blueprint was named", help)));
            }
        };
        let global = match (&source, &global.environment) {
            (Some((path, _)), _) => of_blueprint(global, terminal, path)?,
            (None, Some(environment)) => Environment::without_file(environment)
                .and_then(|chosen| settings::within(global, chosen))
                .map_err(|problems| report(terminal, &ops::Error::Blueprint(problems)))?,
            (None, None) => global.clone(),
        };
        Ok(Whose { owner: global.owner(&name), global, source })
    }

    /// The subscription that the blueprint is for, when that can be known.
    fn subscription(&self) -> Option<String> {
        if self.global.sim.is_some() {
            return None;
        }
        let chosen = self.global.chosen.as_ref().and_then(|chosen| chosen.subscription.clone());
        chosen.or_else(|| {
            let (_, bytes) = self.source.as_ref()?;
            let written = ops::blueprint_subscription(bytes, &settings::environment());
            written.or_else(|| Some(self.desired(Missing::Refuse)?.desired.subscription))
        })
    }

    /// The blueprint, when it has no mistakes and everything that it needs is given.
    fn desired(&self, missing: Missing) -> Option<Blueprint> {
        let (path, bytes) = self.source.as_ref()?;
        let inputs = Inputs { missing, ..settings::inputs(&self.global).ok()? };
        ops::validate_source(&PendingSource::parse(path, bytes).ok()?, &inputs).ok()
    }

    /// What the blueprint only reads, which is never deleted; nothing when a name was given in place of a file.
    ///
    /// A blueprint with mistakes may be destroyed by its ledger, unless it reads something: then what that is has to be
    /// known before.
    fn existing(&self, terminal: &Terminal, inputs: &Inputs) -> Result<Vec<(Address, ArmId)>, Exit> {
        let Some((path, bytes)) = &self.source else { return Ok(Vec::new()) };
        let may_read = |text: &str| text.contains("existing") || text.contains("include:");
        let (error, reads) = match PendingSource::parse(path, bytes) {
            Ok(source) => match ops::validate_source(&source, inputs) {
                Ok(blueprint) => return Ok(blueprint.desired.existing()),
                Err(error) => (error, source.files().iter().any(|file| may_read(&file.text))),
            },
            Err(error) => (error, may_read(&String::from_utf8_lossy(bytes))),
        };
        if !reads {
            return Ok(Vec::new());
        }
        report(terminal, &error);
        let message = "nothing was deleted: with these mistakes berth cannot tell which resources the blueprint only reads";
        let help = "mend them, or give what it needs; `--name NAME` deletes everything that the ledger has";
        Err(terminal.fail(&Failure::new(message, help)))
    }

    /// Refuses a ledger that was written for something else, by what is known without a connection.
    fn expect(&self, ledger: &Ledger, place: &str) -> Result<(), ops::Error> {
        if self.global.move_ledger {
            return Ok(());
        }
        let known = ledger.estate.clone().unwrap_or_default();
        let subscription = self.subscription().or(known.subscription.clone());
        ops::expect(ledger, &self.owner, &Estate { subscription, ..known }, place)
    }
}

/// Shows why a use case could not be carried out.
fn report(terminal: &Terminal, error: &ops::Error) -> Exit {
    match error {
        ops::Error::Blueprint(problems) => {
            let text = human::diagnostics(problems, &terminal.err);
            terminal.tell(&text);
            problems.iter().for_each(|problem| terminal.issue(problem.into()));
            Exit::Error
        }
        ops::Error::Blocked(blocked) => {
            let mut message = String::from("the plan may not be applied as it is; nothing was done");
            // The plan was shown, with what is in its way.
            let told: Vec<&str> =
                blocked.iter().filter(|block| block.in_plan).map(|block| block.address.as_str()).collect();
            if !told.is_empty() {
                message.push_str(&format!("\n  in its way, as the plan says: {}", told.join(", ")));
            }
            for block in blocked.iter().filter(|block| !block.in_plan) {
                message.push_str(&format!("\n  {}: {}", block.address, block.message));
                message.push_str(&format!("\n    help: {}", block.help));
            }
            terminal.fail(&Failure::bare(message));
            Exit::Blocked
        }
        ops::Error::Stale(moved) => {
            let mut message = error.to_string();
            for moved in moved {
                let field = moved.field.as_ref().map(|field| format!(" {field}")).unwrap_or_default();
                message.push_str(&format!("\n  {}{field}: was {}, is {}", moved.what, moved.was, moved.now));
            }
            terminal.fail(&Failure::of(&message, error.hint()));
            Exit::Blocked
        }
        ops::Error::OtherLedger { .. } => {
            terminal.fail(&Failure::of(error, error.hint()));
            Exit::Blocked
        }
        ops::Error::Ledger(inner) => {
            terminal.fail(&Failure::of(error, error.hint()));
            match inner.kind {
                berth::ledger::store::ErrorKind::Locked(_) => Exit::Blocked,
                _ => Exit::Error,
            }
        }
        _ => terminal.fail(&Failure::of(error, error.hint())),
    }
}

/// Leaves a value to the end of the process, which is near: the system takes memory back at once, not piece by piece.
fn leave<T>(value: T) {
    std::mem::forget(value);
}
