//! Who changed something, as data.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What made a change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person, signed in by name.
    Person,
    /// An application with a secret, a certificate or a federation of its own.
    ServicePrincipal,
    /// The identity of a resource.
    ManagedIdentity,
    /// The identity of a policy assignment that remediates.
    Policy,
    /// Azure itself.
    Azure,
    /// Azure recorded the change, and not who made it.
    Unknown,
}

impl ActorKind {
    /// Every kind, in the order of reports.
    pub const ALL: [ActorKind; 6] = [
        ActorKind::Person,
        ActorKind::ServicePrincipal,
        ActorKind::ManagedIdentity,
        ActorKind::Policy,
        ActorKind::Azure,
        ActorKind::Unknown,
    ];

    /// The kind in words: `service principal`.
    pub const fn words(self) -> &'static str {
        match self {
            ActorKind::Person => "person",
            ActorKind::ServicePrincipal => "service principal",
            ActorKind::ManagedIdentity => "managed identity",
            ActorKind::Policy => "policy",
            ActorKind::Azure => "Azure",
            ActorKind::Unknown => "unknown",
        }
    }
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// What it is.
    pub kind: ActorKind,
    /// What it is called: a sign-in name, the name of an application, an identity or an assignment. It is foreign text.
    pub name: String,
    /// Its object id, when that is known and not the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ActorKind::Person => f.write_str(&self.name),
            ActorKind::Azure => f.write_str("Azure itself"),
            ActorKind::Unknown => f.write_str("somebody whom Azure did not record"),
            kind => write!(f, "{} {}", kind.words(), self.name),
        }
    }
}

/// Where an attribution is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The change history of Resource Graph.
    ResourceGraph,
    /// The Activity Log.
    ActivityLog,
}

/// A change that explains a drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribution {
    /// Who.
    pub actor: Actor,
    /// With what: `Azure Portal`, as Azure says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// When, as Azure says it.
    pub time: String,
    /// The permission that was used: `Microsoft.Network/virtualNetworks/write`.
    pub operation: String,
    /// What Azure's support finds the change by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Which record says so.
    pub source: Source,
    /// Whether the change came from a run of berth.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// Who changed something, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Who {
    /// A change that Azure recorded.
    Known(Attribution),
    /// Not known, for this reason.
    Unknown(String),
}

impl Who {
    /// The actor, when known.
    pub const fn actor(&self) -> Option<&Actor> {
        match self {
            Who::Known(attribution) => Some(&attribution.actor),
            Who::Unknown(_) => None,
        }
    }

    /// Whether it is a person, an application, …
    pub const fn kind(&self) -> ActorKind {
        match self {
            Who::Known(attribution) => attribution.actor.kind,
            Who::Unknown(_) => ActorKind::Unknown,
        }
    }

    /// In a line: `ada@example.com with Azure Portal at 2026-01-01T10:00:00Z (Microsoft.Network/virtualNetworks/write)`.
    pub fn in_words(&self) -> String {
        match self {
            Who::Known(known) => {
                let client = known.client.as_ref().map(|client| format!(" with {client}"));
                let own = if known.own { ", in a run of berth" } else { "" };
                let client = client.unwrap_or_default();
                format!("{}{client} at {}{own}", known.actor, known.time)
            }
            Who::Unknown(reason) => format!("not known: {reason}"),
        }
    }
}

/// Who changed some fields of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedBy {
    /// The paths of the fields; none when it is about the whole resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Who.
    pub who: Who,
}
