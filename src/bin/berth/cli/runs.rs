//! The options of runs: plan, apply, destroy and what is made from their results.

use super::formats::{Format, OutputFormat, OutputsFormat, ReportFile};
use berth::approve::Allowances;
use berth::ops::Session;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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
