//! The options of decisions on connections.

use super::formats::OutputFormat;
use super::values::duration;
use clap::{Args, Subcommand};
use std::path::PathBuf;

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
    /// Narrows the rules to requests that say this; `*` matches any characters. By itself it approves no connection.
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
