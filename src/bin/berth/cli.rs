//! The command line: what can be said, with its help.

use berth::approve::Allowances;
use berth::blueprint::Environment;
use berth::diag::Failure;
use berth::ident;
use berth::ops::Session;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;

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

/// How to show a plan or drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For programs that read lines.
    #[value(skip)]
    JsonLine,
    /// For pull requests.
    Markdown,
    /// For browsers.
    Html,
}

/// A form in which drift, a plan or the end of a run is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For programs.
    Json,
    /// For a comment on GitHub.
    Markdown,
    /// For a comment in Azure Repos.
    #[value(name = "markdown-azure-repos")]
    MarkdownAzureRepos,
    /// For a comment on GitLab.
    #[value(name = "markdown-gitlab")]
    MarkdownGitLab,
    /// For a comment in Bitbucket.
    MarkdownBitbucket,
    /// For the summary of a run, on GitHub or in Azure Pipelines.
    MarkdownSummary,
    /// For browsers.
    Html,
    /// For build servers, as tests.
    Junit,
    /// For code hosts, beside the lines of the blueprint.
    Sarif,
    /// For the widget of a merge request on GitLab (`artifacts:reports:terraform`).
    #[value(name = "gitlab")]
    GitLab,
    /// For Prometheus, as its node exporter reads figures from a file.
    Prometheus,
    /// For a webhook of Teams, as an Adaptive Card.
    Card,
    /// For people, as on the terminal.
    Text,
}

/// A report and the file it is written to: `junit=drift.xml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// The form.
    pub format: ReportFormat,
    /// The file.
    pub file: PathBuf,
}

impl std::str::FromStr for ReportFile {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let formats = || {
            let names = ReportFormat::value_variants()
                .iter()
                .filter_map(|f| Some(f.to_possible_value()?.get_name().to_owned()));
            names.collect::<Vec<_>>().join(", ")
        };
        let (format, file) = text.split_once('=').unwrap_or((text, ""));
        match ReportFormat::from_str(format, false) {
            Err(_) => {
                Err(Failure::bare(format!("unknown report format `{format}`; there are {}", formats())))
            }
            Ok(_) if file.is_empty() => {
                Err(Failure::bare(format!("it needs a file, such as `{format}=report.{format}`")))
            }
            Ok(format) => Ok(ReportFile { format, file: PathBuf::from(file) }),
        }
    }
}

/// How to show a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Mermaid, as Markdown viewers draw it.
    Mermaid,
    /// For browsers, as a page with what is done, how long it takes and what makes it so long.
    Html,
    /// For programs, with the same.
    Json,
}

/// How to show outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// How to show the outputs of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputsFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For a shell: `eval "$(berth output FILE --format env)"`.
    Env,
    /// Commands that set variables of the step, on standard output.
    AzureDevops,
    /// Lines for the file that GITHUB_OUTPUT names; written to it, when the environment does.
    Github,
}

/// `berth output`.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// The blueprint, a YAML file.
    pub blueprint: PathBuf,
    /// Only this one.
    pub name: Option<String>,
    /// How to show them.
    #[arg(long, value_enum, default_value_t = OutputsFormat::Human)]
    pub format: OutputsFormat,
    /// Secret outputs as well. They are kept nowhere: the blueprint is evaluated again, with the parameters of this run.
    #[arg(long)]
    pub secret_outputs: bool,
}

/// Which kubeconfig.
#[derive(Debug, Clone, Args)]
pub struct KubeconfigArgs {
    /// The blueprint, a YAML file.
    pub blueprint: PathBuf,
    /// The cluster, by its address or its key; the only one when absent.
    #[arg(long, value_name = "ADDRESS")]
    pub cluster: Option<String>,
    /// How kubelogin signs in.
    #[arg(long, value_enum, default_value_t = LoginWord::Azurecli)]
    pub login: LoginWord,
    /// The administrator's, who passes by Entra ID; it needs `--out`.
    #[arg(long, conflicts_with = "login")]
    pub admin: bool,
    /// Write it to this file, which only you can read, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How kubelogin signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LoginWord {
    /// As the Azure CLI is signed in.
    Azurecli,
    /// A person, with a code in a browser of any machine.
    Devicecode,
    /// A person, in the browser of this machine.
    Interactive,
    /// A workload with a federated token, such as a job of a pipeline.
    Workloadidentity,
    /// A service principal, from the environment.
    Spn,
    /// The managed identity of the machine.
    Msi,
}

impl From<LoginWord> for berth::report::kubeconfig::Login {
    fn from(word: LoginWord) -> Self {
        match word {
            LoginWord::Azurecli => Self::AzureCli,
            LoginWord::Devicecode => Self::DeviceCode,
            LoginWord::Interactive => Self::Interactive,
            LoginWord::Workloadidentity => Self::WorkloadIdentity,
            LoginWord::Spn => Self::ServicePrincipal,
            LoginWord::Msi => Self::ManagedIdentity,
        }
    }
}

/// Whose manifests.
#[derive(Debug, Clone, Args)]
pub struct ManifestsArgs {
    /// The blueprint, a YAML file.
    pub blueprint: PathBuf,
    /// The cluster, by its address or its key; the only one when absent.
    #[arg(long, value_name = "ADDRESS")]
    pub cluster: Option<String>,
}

/// Policies to judge a plan by.
#[derive(Debug, Clone, Default, Args)]
pub struct Policies {
    /// Judge the plan by the Rego policies in PATH; may be repeated.
    #[arg(long = "policy", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// How far a plan goes.
#[derive(Debug, Clone, Args)]
pub struct Extent {
    /// Only this address, with what it needs; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// Purge what Azure would keep, soft-deleted.
    ///
    /// Names are free at once, and what was in it is gone for good.
    #[arg(long)]
    pub purge: bool,
}

impl Extent {
    /// Has a session plan as far as this and no further.
    pub fn limit(&self, session: &mut Session) {
        session.targets.clone_from(&self.target);
        session.purge = self.purge;
    }
}

/// What becomes of a drift.
#[derive(Debug, Clone, Default, Args)]
pub struct Settle {
    /// Write what is there now into the blueprint, where its value is; may be repeated.
    ///
    /// Nothing else of the file changes. FIELD is the field as the report shows it.
    #[arg(long, value_name = "ADDRESS.FIELD", conflicts_with_all = ["revert", "reports", "waivers", "format"])]
    pub accept: Vec<String>,
    /// Plan to set this back, and nothing else; may be repeated.
    #[arg(long, value_name = "ADDRESS[.FIELD]", conflicts_with_all = ["reports", "waivers"])]
    pub revert: Vec<String>,
    /// Save that plan, for `berth apply FILE`.
    #[arg(long, value_name = "FILE", requires = "revert")]
    pub out: Option<PathBuf>,
    /// Let the saved plan replace this protected resource; may be repeated.
    #[arg(long, value_name = "ADDRESS", requires = "out", hide_short_help = true)]
    pub allow_replace: Vec<String>,
    /// Let the saved plan delete this protected resource; may be repeated.
    #[arg(long, value_name = "ADDRESS", requires = "out", hide_short_help = true)]
    pub allow_delete: Vec<String>,
}

/// `berth plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The blueprint, a YAML file.
    pub blueprint: PathBuf,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Show one line a resource, without fields.
    #[arg(long, conflicts_with = "format")]
    pub summary: bool,
    /// Show what `berth destroy` would delete.
    #[arg(long, conflicts_with_all = ["out", "adopt", "paths"])]
    pub destroy: bool,
    /// Save the plan, for `berth show FILE` and `berth apply FILE`; `-` is standard output, and the plan is then shown on
    /// standard error.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Take over resources that exist and that no blueprint owns.
    #[arg(long)]
    pub adopt: bool,
    /// Let the saved plan replace this protected resource; may be repeated.
    #[arg(long, value_name = "ADDRESS", requires = "out", hide_short_help = true)]
    pub allow_replace: Vec<String>,
    /// Let the saved plan delete this protected resource; may be repeated.
    #[arg(long, value_name = "ADDRESS", requires = "out", hide_short_help = true)]
    pub allow_delete: Vec<String>,
    /// Write it to a file as well; may be repeated. There are json, markdown (GitHub), markdown-azure-repos, markdown-gitlab,
    /// markdown-summary, html, junit, sarif, gitlab and text.
    #[arg(long = "report", value_name = "FORMAT=FILE", hide_short_help = true)]
    pub reports: Vec<ReportFile>,
    #[command(flatten)]
    pub policies: Policies,
    #[command(flatten)]
    pub extent: Extent,
}

/// `berth apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// The blueprint, a YAML file, or a plan that `berth plan --out` saved.
    ///
    /// A saved plan is shown again, and carried out as it is or not at all.
    #[arg(value_name = "BLUEPRINT|PLAN")]
    pub blueprint: PathBuf,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// How to show the run: `json` writes the plan, every event and the summary as a line of JSON each.
    #[arg(long, value_enum, default_value_t = OutputFormat::Human, hide_short_help = true)]
    pub format: OutputFormat,
    /// Take over resources that exist and that no blueprint owns.
    #[arg(long)]
    pub adopt: bool,
    /// Allow this protected resource to be replaced; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub allow_replace: Vec<String>,
    /// Allow this protected resource to be deleted; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub allow_delete: Vec<String>,
    /// Hand secret outputs on to the build server as well, masked. One that is like ordinary text is not handed on.
    #[arg(long, hide_short_help = true)]
    pub secret_outputs: bool,
    /// Write how it ended to a file; may be repeated. There are json, markdown (GitHub), markdown-azure-repos,
    /// markdown-gitlab, markdown-summary, junit, sarif and text.
    #[arg(long = "report", value_name = "FORMAT=FILE", hide_short_help = true)]
    pub reports: Vec<ReportFile>,
    #[command(flatten)]
    pub policies: Policies,
    #[command(flatten)]
    pub extent: Extent,
}

impl ApplyArgs {
    /// What may be replaced and deleted.
    pub fn allowances(&self) -> Allowances {
        Allowances { replace: self.allow_replace.clone(), delete: self.allow_delete.clone() }
    }
}

/// `berth destroy`.
#[derive(Debug, Clone, Args)]
pub struct DestroyArgs {
    /// Whose ledger is meant.
    #[command(flatten)]
    pub owner: Owner,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// Allow this protected resource to be deleted; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub allow_delete: Vec<String>,
    #[command(flatten)]
    pub extent: Extent,
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

/// Which connections are meant.
#[derive(Debug, Clone, Args)]
pub struct Connections {
    /// Resources whose connections are meant: ARM ids, or addresses of the blueprint.
    ///
    /// Without any, those that the blueprint's private endpoints connect to and that its approvals are about.
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// All resources of this group that can have connections; needs the subscription.
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub resource_group: Option<String>,
    /// All resources of this subscription that can have connections, or with `--resource-group` the group's.
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub subscription: Option<String>,
    /// A blueprint: its addresses, and the connections that it lets berth approve.
    #[arg(long, value_name = "FILE")]
    pub blueprint: Option<PathBuf>,
    /// Rule: this private endpoint's connection, by the endpoint's ARM id, on the targets; may be repeated.
    #[arg(long = "from-endpoint", alias = "endpoint-id", value_name = "ID")]
    pub endpoints: Vec<String>,
    /// Rule: connections of private endpoints in this subscription; may be repeated.
    #[arg(long = "from-subscription", value_name = "ID")]
    pub subscriptions: Vec<String>,
    /// Rule: connections of anyone, in any subscription and any tenant. Needs `--at-most`.
    #[arg(long, hide_short_help = true)]
    pub any: bool,
    /// Narrows the rules to requests that say this; `*` stands for any characters. It gives nobody access by itself.
    #[arg(long, value_name = "TEXT", hide_short_help = true)]
    pub message: Option<String>,
    /// Narrows the rules to this group of the target, such as `vault` or `blob`.
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub group: Option<String>,
    /// How many connections the rules let in on a target, with those that are approved already. When more ask, none is.
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub at_most: Option<usize>,
    /// Rule: this connection, by its own ARM id (`…/privateEndpointConnections/NAME`); may be repeated.
    #[arg(long = "id", value_name = "ID")]
    pub ids: Vec<String>,
    /// The API version of the targets, for a type that berth does not know.
    #[arg(long, value_name = "DATE", hide_short_help = true)]
    pub api_version: Option<String>,
    /// Wait this long for a connection that the rules name, such as `10m`.
    #[arg(long, value_name = "DURATION", value_parser = duration, hide_short_help = true)]
    pub wait: Option<std::time::Duration>,
    /// How to show them.
    #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
    pub format: OutputFormat,
}

/// A day, as `2027-06-30`; of a month its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day(pub String);

impl std::str::FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('-').collect();
        let is = |part: &str, digits: usize, last: u32| {
            part.len() == digits && part.parse::<u32>().is_ok_and(|number| (1..=last).contains(&number))
        };
        match parts.as_slice() {
            // Days are compared as texts: no month has more.
            [year, month] if is(year, 4, 9999) && is(month, 2, 12) => Ok(Day(format!("{text}-31"))),
            [year, month, day] if is(year, 4, 9999) && is(month, 2, 12) && is(day, 2, 31) => {
                Ok(Day(text.to_owned()))
            }
            _ => Err("write a month such as `2027-06`, or a day such as `2027-06-30`".to_owned()),
        }
    }
}

fn speed(text: &str) -> Result<f64, Failure> {
    let speed = text.parse::<f64>().ok().filter(|speed| speed.is_finite() && *speed > 0.0);
    speed
        .ok_or_else(|| Failure::bare("write a number above 0, such as `60`; without it nothing waits at all"))
}

fn duration(text: &str) -> Result<std::time::Duration, Failure> {
    berth::value::parse_duration(text)
        .ok_or_else(|| Failure::bare("write a duration such as `90s`, `10m` or `1h30m`"))
}

/// How connections are decided on.
#[derive(Debug, Clone, Args)]
pub struct Deciding {
    #[command(flatten)]
    pub connections: Connections,
    /// Do nothing, and say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
}

/// Commands on private endpoint connections.
#[derive(Debug, Subcommand)]
pub enum ApproveCommand {
    /// List connections; exits with 2 when one waits for a decision, whosever it is.
    List {
        #[command(flatten)]
        connections: Connections,
    },
    /// Approve the connections that the rules name and no other, after asking; exits with 2 when others still wait.
    Run {
        #[command(flatten)]
        deciding: Deciding,
        /// What the target shows as the reason.
        #[arg(long, value_name = "TEXT", default_value = "approved by berth", hide_short_help = true)]
        description: String,
    },
    /// Reject the connections that the rules name and that wait, after asking; one that is approved only by `--id`.
    Reject {
        #[command(flatten)]
        deciding: Deciding,
        /// What the target shows as the reason.
        #[arg(long, value_name = "TEXT", default_value = "rejected by berth", hide_short_help = true)]
        description: String,
    },
    /// Take the connections that `--id` names off their targets, after asking. Their endpoints never connect again.
    Remove {
        #[command(flatten)]
        deciding: Deciding,
    },
}

/// Whose ledger is meant. Of the blueprint only the name is read, so that it may have mistakes.
#[derive(Debug, Clone, Args)]
pub struct Owner {
    /// The blueprint, a YAML file.
    #[arg(required_unless_present = "name")]
    pub blueprint: Option<PathBuf>,
    /// The blueprint's name, when its file is gone.
    #[arg(long, value_name = "NAME", conflicts_with = "blueprint")]
    pub name: Option<String>,
}

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
