//! The command line: what can be said, with its help.

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Brings up Azure Kubernetes Service and everything around it from one YAML blueprint.
#[derive(Debug, Parser)]
#[command(name = "berth", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// Reads the command line.
///
/// # Errors
/// What clap says of it; a wish for help or the version is one of them.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&with_exit_codes(Cli::command()).try_get_matches()?)
}

/// The exit codes are the same for every command, and every command says so.
pub fn with_exit_codes(command: clap::Command) -> clap::Command {
    command.after_help(crate::exit::HELP).mut_subcommands(with_exit_codes)
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Give a parameter its value; may be repeated.
    #[arg(short = 'p', long = "param", value_name = "KEY=VALUE", global = true)]
    pub params: Vec<String>,
    /// Take parameters from a YAML file of names and values; may be repeated, later ones win.
    #[arg(long, value_name = "FILE", global = true)]
    pub values: Vec<PathBuf>,
    /// Rehearse against the embedded simulator, whose state is kept in FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, global = true,
          default_missing_value = ".berth/sim.json")]
    pub sim: Option<PathBuf>,
    /// Let simulated time run N times as fast as Azure's, instead of not waiting at all.
    #[arg(long, value_name = "N", requires = "sim", global = true)]
    pub sim_speed: Option<f64>,
    /// The folder of the ledgers.
    #[arg(long, value_name = "DIR", default_value = ".berth/ledgers", global = true)]
    pub ledger: PathBuf,
    /// How many steps at once.
    #[arg(long, value_name = "N", default_value_t = 16, global = true,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=256))]
    pub parallelism: usize,
    /// Talk to this ARM endpoint, such as `http://127.0.0.1:8080` of `berth sim serve`.
    #[arg(long, value_name = "URL", conflicts_with = "sim", global = true)]
    pub endpoint: Option<String>,
    /// Sign in here instead of at the cloud's own address; HTTPS only.
    #[arg(long, value_name = "URL", conflicts_with = "sim", global = true)]
    pub authority: Option<String>,
    /// Trust the certificate authorities of this PEM file too; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "sim", global = true)]
    pub ca_file: Vec<PathBuf>,
    /// The Azure cloud: public, usgov or china.
    #[arg(long, value_name = "NAME", default_value = "public", global = true)]
    pub cloud: String,
    /// How to sign in: auto, azure-pipelines, workload-identity, client-secret, client-certificate,
    /// managed-identity or azure-cli.
    #[arg(long, value_name = "METHOD", default_value = "auto", global = true)]
    pub auth: String,
    /// Write every exchange with Azure as a line of JSON, secrets and tokens removed.
    #[arg(long, value_name = "FILE", global = true)]
    pub trace_http: Option<PathBuf>,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log what happens inside; twice for more.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// When to use colour.
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: When,
    /// Plain lines instead of progress bars.
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal that has not said no.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to show a plan or drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For pull requests.
    Markdown,
    /// For browsers.
    Html,
}

/// How to show a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Mermaid, as Markdown viewers draw it.
    Mermaid,
}

/// How to show outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// Policies to judge a plan by.
#[derive(Debug, Clone, Default, Args)]
pub struct Policies {
    /// Judge the plan by the Rego policies in this file or folder; may be repeated.
    #[arg(long = "policy", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a blueprint, offline: everything that is wrong with it, at once.
    Validate {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        #[command(flatten)]
        policies: Policies,
    },
    /// Draw what depends on what.
    Graph {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// How to draw it.
        #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
        format: GraphFormat,
    },
    /// Show what would be done; exits with 2 when something would.
    Plan {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
        /// Save the plan, for `berth apply FILE`.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Take over resources that exist and that no blueprint owns.
        #[arg(long)]
        adopt: bool,
        /// Let the saved plan replace this protected resource; may be repeated.
        #[arg(long, value_name = "ADDRESS", requires = "out")]
        allow_replace: Vec<String>,
        /// Let the saved plan delete this protected resource; may be repeated.
        #[arg(long, value_name = "ADDRESS", requires = "out")]
        allow_delete: Vec<String>,
        #[command(flatten)]
        policies: Policies,
    },
    /// Bring Azure to what the blueprint says, or carry out a saved plan.
    Apply {
        /// The blueprint, a YAML file; or a plan that `berth plan --out` saved, which is carried out without asking.
        #[arg(value_name = "BLUEPRINT|PLAN")]
        blueprint: PathBuf,
        /// Do not ask.
        #[arg(long)]
        auto_approve: bool,
        /// Take over resources that exist and that no blueprint owns.
        #[arg(long)]
        adopt: bool,
        /// Allow this protected resource to be replaced; may be repeated.
        #[arg(long, value_name = "ADDRESS")]
        allow_replace: Vec<String>,
        /// Allow this protected resource to be deleted; may be repeated.
        #[arg(long, value_name = "ADDRESS")]
        allow_delete: Vec<String>,
        #[command(flatten)]
        policies: Policies,
    },
    /// Delete everything that the blueprint owns.
    Destroy {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// Do not ask.
        #[arg(long)]
        auto_approve: bool,
        /// Allow this protected resource to be deleted; may be repeated.
        #[arg(long, value_name = "ADDRESS")]
        allow_delete: Vec<String>,
    },
    /// Report what somebody else changed; exits with 2 when something was.
    Drift {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Show the outputs of the last apply.
    Output {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// Only this one.
        name: Option<String>,
        /// How to show them.
        #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
        format: OutputFormat,
    },
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
    /// Write a starter blueprint into a folder; nothing that is there is overwritten.
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
    /// Tell about a kind, a field of it, or the code of a diagnostic; without a subject, list the kinds.
    Explain {
        /// What to tell about, such as `clusters`, `clusters.network.plugin` or `unknown-field`.
        #[arg(value_name = "KIND[.FIELD…]|CODE")]
        subject: Option<String>,
    },
    /// Print the JSON Schema of a blueprint, for editors.
    Schema,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Commands on the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show what the blueprint owns, and what a run that died left under way.
    Show {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
        format: OutputFormat,
    },
}

/// Where the simulator keeps its state.
#[derive(Debug, Clone, Args)]
pub struct SimState {
    /// The simulator's file.
    #[arg(long, value_name = "FILE", default_value = ".berth/sim.json")]
    pub state: PathBuf,
}

/// How the simulator is served.
#[derive(Debug, Clone, Args)]
pub struct Door {
    /// Serve HTTPS, with a certificate authority made at start.
    #[arg(long)]
    pub tls: bool,
    /// Write the certificate of that authority here, for clients to trust; its key is written nowhere.
    #[arg(long = "write-ca", value_name = "FILE", requires = "tls")]
    pub write_ca: Option<PathBuf>,
    /// Answer only requests with a token from the simulator's own directory. With SECRET, applications get one for
    /// this secret only; without, for any.
    #[arg(long, value_name = "SECRET", num_args = 0..=1, require_equals = true)]
    pub sign_in: Option<Option<String>>,
    /// How many seconds a token is good.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub token_lifetime: u64,
    /// Answer each request this many milliseconds late.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// Write every exchange as a line of JSON, secrets and tokens removed.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// Commands on the simulator.
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// Serve the simulator on HTTP or HTTPS, for any ARM client on this machine.
    Serve {
        /// Where to listen; port 0 takes a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
        listen: std::net::SocketAddr,
        /// Let time run N times as fast as Azure's. Without it, time jumps to the end of an operation when somebody
        /// asks about it.
        #[arg(long, value_name = "N")]
        speed: Option<f64>,
        #[command(flatten)]
        door: Door,
        #[command(flatten)]
        state: SimState,
    },
    /// List the resources in the simulator.
    Show {
        #[command(flatten)]
        state: SimState,
    },
    /// Print the store as a JSON list of ARM resources.
    Export {
        #[command(flatten)]
        state: SimState,
    },
    /// Put resources from a JSON list of ARM resources into the store, as they are.
    Load {
        /// The JSON file; `-` is standard input.
        file: PathBuf,
        #[command(flatten)]
        state: SimState,
    },
    /// Empty the store.
    Reset {
        #[command(flatten)]
        state: SimState,
    },
}
