//! The command line: what can be said, with its help.

mod approving;
mod formats;
mod global;
mod runs;
mod stores;
mod values;

pub use approving::{ApproveCommand, Connections, Deciding};
pub use formats::{Format, GraphFormat, OutputFormat, OutputsFormat, ReportFile, ReportFormat};
pub use global::{CiChoice, Global, When};
pub use runs::{
    ApplyArgs, DestroyArgs, KubeconfigArgs, ManifestsArgs, OutputArgs, Owner, PlanArgs, Policies, Settle,
};
pub use stores::{Door, LedgerCommand, SimCommand, SimState};
pub use values::Day;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;

/// Brings up Azure Kubernetes Service and everything around it from one YAML blueprint.
#[derive(Debug, Parser)]
#[command(name = "berth", version, disable_version_flag = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print the version.
    // clap's own flag cannot be left out of the short help, which has to fit a screen.
    #[arg(short = 'V', long, action = clap::ArgAction::Version, hide_short_help = true)]
    pub version: Option<bool>,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// Reads the command line.
///
/// # Errors
/// What clap says of it; a request for help or the version is one of them.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&with_exit_codes(Cli::command()).try_get_matches()?)
}

/// The exit codes are the same for every command, and every command says so.
pub fn with_exit_codes(command: clap::Command) -> clap::Command {
    let more = "Further options, in groups, and the exit codes: --help";
    // The list of all commands takes the whole screen by itself.
    let command = if command.get_name() == "berth" { command } else { command.after_help(more) };
    command.after_long_help(crate::exit::HELP).mut_subcommands(with_exit_codes)
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a blueprint, offline.
    ///
    /// Everything that is wrong with it is reported at once.
    Validate {
        /// The blueprints, YAML files; `-` is standard input.
        #[arg(required = true, value_name = "BLUEPRINT")]
        blueprints: Vec<PathBuf>,
        /// How to show what is wrong.
        #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
        format: OutputFormat,
        #[command(flatten)]
        policies: Policies,
    },
    /// Draw what depends on what.
    ///
    /// Azure is not asked. `html` and `json` say what is done as well: of a saved plan what it does, of a blueprint what is
    /// done where nothing is yet.
    Graph {
        /// The blueprint, a YAML file, or a plan that `berth plan --out` saved.
        #[arg(value_name = "BLUEPRINT|PLAN")]
        blueprint: PathBuf,
        /// How to draw it.
        #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
        format: GraphFormat,
    },
    /// Show what would be done; exit code 2 when something would.
    Plan(PlanArgs),
    /// Show a saved plan.
    ///
    /// Azure is not asked: it is the plan as `berth plan --out` wrote it.
    Show {
        /// The plan.
        #[arg(value_name = "PLAN")]
        plan: PathBuf,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
        /// Show one line a resource, without fields.
        #[arg(long, conflicts_with = "format")]
        summary: bool,
    },
    /// Apply a blueprint, or a saved plan.
    Apply(ApplyArgs),
    /// Delete everything that the blueprint owns.
    ///
    /// The ledger alone says what that is: of the blueprint only its name and its subscription are read.
    Destroy(DestroyArgs),
    /// Report changes made outside berth; exit code 2 when there are any.
    Drift {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
        /// Write it to a file as well; may be repeated. There are json, markdown (GitHub), markdown-azure-repos,
        /// markdown-gitlab, markdown-bitbucket, markdown-summary, html, junit, sarif, gitlab, prometheus, card and text.
        #[arg(long = "report", value_name = "FORMAT=FILE")]
        reports: Vec<ReportFile>,
        /// Accept what this file of waivers lists, each until its day: `waivers: [{ address, field, until, reason }]`.
        #[arg(long, value_name = "FILE")]
        waivers: Option<PathBuf>,
        #[command(flatten)]
        settle: Settle,
    },
    /// Check a blueprint's set-up, and what of it Azure retires.
    ///
    /// Retirements come from a calendar that is a part of berth. With `--offline` nothing else is looked at; without it,
    /// signing in, the ledger, rights, quotas and registrations are. Exit code 2 when there is something to do.
    Doctor {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// Look ahead to the end of this month, or to this day; 90 days when absent.
        #[arg(long, value_name = "YYYY-MM[-DD]")]
        until: Option<Day>,
        /// Ask Azure nothing.
        #[arg(long)]
        offline: bool,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
        format: OutputFormat,
    },
    /// List, approve, reject and remove private endpoint connections.
    ///
    /// Those of a blueprint, or of any resource.
    Approve {
        /// What to do.
        #[command(subcommand)]
        command: ApproveCommand,
    },
    /// Show the outputs of the last apply.
    Output(OutputArgs),
    /// Write a kubeconfig for a cluster of the blueprint.
    ///
    /// It holds no secret: kubelogin signs in, in the way that `--login` names. `--admin` writes the administrator's instead,
    /// which holds a key.
    Kubeconfig(KubeconfigArgs),
    /// Show the manifests that workloads of a cluster need.
    ///
    /// A ServiceAccount for each workload identity, an AzureIdentity with its AzureIdentityBinding for each pod identity, and
    /// a SecretProviderClass for each vault that one of them may read. Nothing is written to the cluster.
    Manifests(ManifestsArgs),
    /// Look at what a blueprint owns.
    Ledger {
        /// What to do.
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// The simulator as a server, and its store.
    Sim {
        /// What to do.
        #[command(subcommand)]
        command: SimCommand,
    },
    /// Write a starter blueprint into a folder.
    ///
    /// Nothing that is there is overwritten.
    Init {
        /// The folder; made when it is not there.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Which blueprint.
        #[arg(long, value_name = "NAME", default_value = "quickstart")]
        template: String,
        /// List the templates instead.
        #[arg(long)]
        list: bool,
    },
    /// Explain a kind, a field, or the code of a diagnostic.
    ///
    /// Without a subject it lists the kinds.
    Explain {
        /// What to tell about, such as `clusters`, `clusters.network.plugin` or `unknown-field`.
        #[arg(value_name = "KIND[.FIELD…]|CODE")]
        subject: Option<String>,
    },
    /// Give blueprints their canonical layout; comments stay.
    ///
    /// Two spaces a level, one space where spaces are, one empty line at most. A file never says anything else
    /// afterwards: one of which that is not certain is left alone, with exit code 1.
    Fmt {
        /// The files; `-` is standard input, and the result goes to standard output.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Write nothing, name the files that have another layout, and exit with 2 if there are any.
        #[arg(long)]
        check: bool,
    },
    /// Evaluate expressions with the values of a blueprint.
    ///
    /// Each line of standard input is an expression, or a text with `${…}` in it. Secrets are not shown, and what only
    /// Azure knows is named.
    Console {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
    },
    /// Tell where an address of a blueprint comes from.
    ///
    /// The line that it is written in, what it needs and what needs it, and which version of the ledger wrote it last.
    Why {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// The address, or a field below it: `clusters.aks.kubernetesVersion`.
        #[arg(value_name = "ADDRESS[.FIELD]")]
        address: String,
    },
    /// Print the JSON Schema of a blueprint, for editors.
    Schema,
    /// Write a manual page for every command into a folder.
    Man {
        /// The folder; made when it is not there.
        dir: PathBuf,
    },
    /// Print a completion script for a shell.
    ///
    /// In bash, zsh and fish it completes addresses of the blueprint that the command line names.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// List the addresses of a blueprint, for completion scripts.
    #[command(hide = true)]
    Addresses {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
    },
}
