//! The commands on the ledger and on the simulator.

use super::formats::OutputFormat;
use super::runs::Owner;
use super::values::speed;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Commands on the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show what the blueprint owns, and what a run that died left under way.
    Show {
        /// Whose ledger is meant.
        #[command(flatten)]
        owner: Owner,
        /// Show the version with this serial instead, of those that `berth ledger history` lists.
        #[arg(long, value_name = "SERIAL")]
        at: Option<u64>,
        /// How to show it.
        #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
        format: OutputFormat,
    },
    /// List the versions of the ledger that are kept.
    History {
        /// Whose ledger is meant.
        #[command(flatten)]
        owner: Owner,
        /// How to show them.
        #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
        format: OutputFormat,
    },
    /// Take the lock away from a run that died, and say whose it was; who is alive keeps it.
    Unlock {
        /// Whose ledger is meant.
        #[command(flatten)]
        owner: Owner,
    },
    /// Wait for what a run that died or was cancelled left under way, and write down what came of it. Nothing new is begun:
    /// a plan can be saved again afterwards.
    Resume {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
    },
    /// Stop owning resources; nothing changes in Azure.
    Forget {
        /// The blueprint, a YAML file.
        blueprint: PathBuf,
        /// What to forget, by address.
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
}

/// Where the simulator keeps its state.
#[derive(Debug, Clone, Args)]
pub struct SimState {
    /// The simulator's file; `--sim=FILE` says the same.
    #[arg(long, value_name = "FILE", default_value = ".berth/sim.json", conflicts_with = "sim")]
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
    #[arg(long, value_name = "SECRET", num_args = 0..=1, require_equals = true, hide_short_help = true)]
    pub sign_in: Option<Option<String>>,
    /// How many seconds a token is good.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, hide_short_help = true)]
    pub token_lifetime: u64,
    /// Refuse every write and every action, as Azure does to a caller who is a Reader and nothing else.
    #[arg(long)]
    pub reader: bool,
    /// Answer each request this many milliseconds late.
    #[arg(long, value_name = "MS", default_value_t = 0, hide_short_help = true)]
    pub latency: u64,
    /// Write every exchange as a line of JSON, secrets and tokens removed.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Take the value of this environment variable out of the record, wherever it is; may be given several times.
    ///
    /// The simulator knows what Azure never shows. What it shows, and is a secret all the same, it must be told.
    #[arg(long, value_name = "VARIABLE", hide_short_help = true)]
    pub redact_env: Vec<String>,
}

/// Commands on the simulator.
#[derive(Debug, Subcommand)]
pub enum SimCommand {
    /// Serve the simulator on HTTP or HTTPS, for any ARM client on this machine.
    Serve {
        /// Where to listen; port 0 takes a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
        listen: std::net::SocketAddr,
        /// Let time run N times as fast as Azure's. Without it, time jumps to the end of an operation when a client
        /// asks about it.
        #[arg(long, value_name = "N", value_parser = speed)]
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
