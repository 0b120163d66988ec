//! What every command takes.

use super::values::speed;
use berth::blueprint::Environment;
use berth::ident;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Give a parameter its value; may be repeated.
    #[arg(short = 'p', long = "param", value_name = "KEY=VALUE", global = true, help_heading = "Blueprint")]
    pub params: Vec<String>,
    /// Take parameters from a YAML file of names and values; may be repeated, later ones win.
    #[arg(long, value_name = "FILE", global = true, help_heading = "Blueprint", hide_short_help = true)]
    pub values: Vec<PathBuf>,
    /// Work on this environment of the blueprint.
    ///
    /// `environments/NAME.yaml` beside the blueprint says its values, subscription, ledger and policies.
    #[arg(short = 'e', long, value_name = "NAME", global = true, help_heading = "Blueprint")]
    pub environment: Option<String>,
    /// What the file of the environment says; filled in when the blueprint is known.
    #[arg(skip)]
    pub chosen: Option<Arc<Environment>>,
    /// Rehearse against the simulator, which keeps its state in FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, global = true,
          default_missing_value = ".berth/sim.json", help_heading = "Simulator")]
    pub sim: Option<PathBuf>,
    /// Let simulated time run N times as fast as Azure's, instead of not waiting at all; for `--sim`, and for an
    /// `--endpoint` on this machine where `berth sim serve --speed N` runs.
    #[arg(long, value_name = "N", global = true, value_parser = speed, help_heading = "Simulator", hide_short_help = true)]
    pub sim_speed: Option<f64>,
    /// Let the simulator count requests against limits.
    #[arg(long = "limits", value_name = "LIMITS", value_enum, default_value_t = Limits::None, global = true, help_heading = "Simulator", hide_short_help = true)]
    pub limits: Limits,
    /// Let things go wrong in the simulator, as this file says; with `--sim` and for `berth sim serve`.
    #[arg(long, value_name = "FILE", global = true, help_heading = "Simulator", hide_short_help = true)]
    pub faults: Option<PathBuf>,
    /// Where the ledgers are: a folder, azblob://ACCOUNT/CONTAINER/PREFIX, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX.
    /// An environment's file and BERTH_LEDGER say it as well, in this order. Under `--sim` the simulator's own ledgers are used.
    #[arg(long, value_name = "URL", global = true, help_heading = "Ledger", hide_short_help = true)]
    pub ledger: Option<String>,
    /// Take over a ledger that was written for another blueprint, environment, cloud, tenant or subscription: the blueprint has moved.
    #[arg(long, global = true, help_heading = "Ledger", hide_short_help = true)]
    pub move_ledger: bool,
    /// How long the lock of a ledger in an object store holds without being renewed, in seconds.
    #[arg(long, value_name = "SECONDS", hide = true, default_value_t = 60, global = true,
          value_parser = clap::value_parser!(u64).range(1..=90), help_heading = "Ledger", hide_short_help = true)]
    pub ledger_lease: u64,
    /// How many requests may be under way at once, at most; fewer when Azure's limits are near. Operations that Azure
    /// works on do not count.
    #[arg(long, value_name = "N", default_value_t = 64, global = true,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=256), help_heading = "Azure", hide_short_help = true)]
    pub parallelism: usize,
    /// Talk to this ARM endpoint, such as `http://127.0.0.1:8080` of `berth sim serve`.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "sim",
        global = true,
        help_heading = "Azure",
        hide_short_help = true
    )]
    pub endpoint: Option<String>,
    /// Sign in here instead of at the cloud's own address; HTTPS only.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "sim",
        global = true,
        help_heading = "Azure",
        hide_short_help = true
    )]
    pub authority: Option<String>,
    /// Trust the certificate authorities of this PEM file too; may be repeated.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "sim",
        global = true,
        help_heading = "Azure",
        hide_short_help = true
    )]
    pub ca_file: Vec<PathBuf>,
    /// The Azure cloud: public (which is the default), usgov or china.
    #[arg(long, value_name = "NAME", global = true, help_heading = "Azure", hide_short_help = true)]
    pub cloud: Option<String>,
    /// How to sign in: auto, azure-pipelines, workload-identity, client-secret, client-certificate,
    /// managed-identity or azure-cli.
    #[arg(
        long,
        value_name = "METHOD",
        default_value = "auto",
        global = true,
        help_heading = "Azure",
        hide_short_help = true
    )]
    pub auth: String,
    /// Write every exchange with Azure as a line of JSON, secrets and tokens removed.
    #[arg(long, value_name = "FILE", global = true, help_heading = "Output", hide_short_help = true)]
    pub trace_http: Option<PathBuf>,
    /// Show nothing but results and errors.
    #[arg(short, long, global = true, help_heading = "Output", hide_short_help = true)]
    pub quiet: bool,
    /// Log what happens inside; twice for more.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output", hide_short_help = true)]
    pub verbose: u8,
    /// When to use colour.
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub color: When,
    /// Plain lines instead of progress bars.
    #[arg(long, global = true, help_heading = "Output", hide_short_help = true)]
    pub no_progress: bool,
    /// Which build server to speak to besides: with `auto` the one whose agent set the environment. It shows errors and
    /// warnings beside their lines, progress, a summary and the result, and `apply` sets the outputs as variables.
    #[arg(
        long,
        value_name = "SYSTEM",
        value_enum,
        default_value_t = CiChoice::Auto,
        global = true,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub ci: CiChoice,
}

impl Global {
    /// The name of the cloud: that of `--cloud` or else of the environment.
    pub fn cloud(&self) -> &str {
        let chosen = self.chosen.as_ref().and_then(|chosen| chosen.cloud.as_deref());
        self.cloud.as_deref().or(chosen).unwrap_or("public")
    }

    /// Whose ledger a run for a blueprint of this name works with.
    pub fn owner(&self, blueprint: &str) -> ident::Owner {
        ident::Owner::new(blueprint).within(self.environment.clone())
    }
}

/// Which limits the simulator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Limits {
    /// The rest is counted and shown, and no request is refused.
    None,
    /// The token buckets of a real subscription: 429 when one is empty.
    Azure,
}

impl From<Limits> for berth::sim::Throttling {
    fn from(limits: Limits) -> Self {
        match limits {
            Limits::None => berth::sim::Throttling::Lenient,
            Limits::Azure => berth::sim::Throttling::Azure,
        }
    }
}

/// Which build server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CiChoice {
    /// The one whose agent set the environment.
    Auto,
    /// Azure Pipelines.
    AzureDevops,
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// None.
    None,
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
