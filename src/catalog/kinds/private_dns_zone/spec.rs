//! What a blueprint says of a private DNS zone.

use super::types::{RECORD_A, RECORD_AAAA, RECORD_CNAME, RECORD_TXT};
use crate::catalog::kinds::addresses::Texts;
use crate::catalog::{Named, Reference, ResourceType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A private DNS zone with the networks that ask it and the names in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The networks whose machines ask this zone, by key.
    #[serde(default)]
    pub(super) links: Named<LinkSpec>,
    /// Names in the zone, by key. Names that others registered (private endpoints do) stay.
    #[serde(default)]
    pub(super) records: Named<RecordSpec>,
}

/// The use of a zone by a network.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LinkSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// The network: `${networks.hub}`, or an ARM id.
    #[schemars(extend("x-wants" = "network"))]
    pub(super) network: Reference,
    /// Whether machines of the network are registered here by their names; by a new link they are not when absent. A
    /// network has one zone at most in which they are.
    pub(super) registration: Option<bool>,
    /// What happens when a `privatelink` zone does not know a name: nothing (`Default`), or public DNS is asked
    /// (`NxDomainRedirect`).
    pub(super) resolution: Option<Resolution>,
}

/// What happens to names that a zone does not know.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
pub enum Resolution {
    /// They do not exist.
    Default,
    /// Public DNS is asked.
    NxDomainRedirect,
}

/// A name in a zone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RecordSpec {
    /// The name within the zone; the key when absent. `@` is the zone itself, `*` whatever has no name of its own.
    pub(super) name: Option<String>,
    /// `A` (the default), `AAAA`, `CNAME` or `TXT`.
    #[serde(default, rename = "type")]
    pub(super) kind: RecordKind,
    /// How long an answer may be kept, in seconds; 3600 when absent.
    pub(super) ttl: Option<u32>,
    /// The answers: addresses, one name for a `CNAME`, or texts.
    pub(super) values: Texts,
}

/// The type of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// An IPv4 address.
    #[default]
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Texts.
    Txt,
}

impl RecordKind {
    pub(super) fn kind(self) -> (&'static str, &'static ResourceType) {
        match self {
            RecordKind::A => ("A", &RECORD_A),
            RecordKind::Aaaa => ("AAAA", &RECORD_AAAA),
            RecordKind::Cname => ("CNAME", &RECORD_CNAME),
            RecordKind::Txt => ("TXT", &RECORD_TXT),
        }
    }
}
