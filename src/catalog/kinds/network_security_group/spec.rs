//! What a blueprint says of a network security group.

use crate::catalog::kinds::addresses::Texts;
use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A network security group with its rules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The rules by name. Rules that others made in the group stay.
    #[serde(default)]
    pub(super) rules: Named<RuleSpec>,
    /// Whether connections that are open are judged anew when a rule changes; Azure's default (`false`) when absent.
    pub(super) flush_connection: Option<bool>,
}

/// A rule of a group. Of all rules that fit, the one with the lowest number decides.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSpec {
    /// Its place in the order, 100 (first) to 4096; no two rules of one direction have the same.
    pub(super) priority: i64,
    /// Whether it is for what comes in or for what goes out.
    pub(super) direction: Direction,
    /// Whether what fits may pass.
    pub(super) access: Access,
    /// `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah`, or `*` (the default) for all of them.
    #[serde(default)]
    pub(super) protocol: Protocol,
    /// Where it comes from: addresses, CIDR blocks, or one service tag such as `Internet`; anywhere when absent.
    pub(super) from: Option<Texts>,
    /// The ports it comes from, such as `[80, 8080-8090]`; all of them when absent.
    pub(super) from_ports: Option<Texts>,
    /// The application security groups it comes from, instead of `from`.
    #[serde(default)]
    #[schemars(extend("x-wants" = "application security group"))]
    pub(super) from_groups: Vec<Reference>,
    /// Where it goes to: addresses, CIDR blocks, or one service tag such as `VirtualNetwork`; anywhere when absent.
    pub(super) to: Option<Texts>,
    /// The ports it goes to, such as `[80, 8080-8090]`; all of them when absent.
    pub(super) ports: Option<Texts>,
    /// The application security groups it goes to, instead of `to`.
    #[serde(default)]
    #[schemars(extend("x-wants" = "application security group"))]
    pub(super) to_groups: Vec<Reference>,
    /// What it is for, in at most 140 characters.
    pub(super) description: Option<String>,
}

/// The direction of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum Direction {
    /// Into the subnet.
    Inbound,
    /// Out of the subnet.
    Outbound,
}

/// What happens to traffic.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
pub enum Access {
    /// It may pass.
    Allow,
    /// It is dropped.
    Deny,
}

/// A protocol.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
pub enum Protocol {
    /// Any protocol.
    #[default]
    #[serde(rename = "*")]
    Any,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp,
    /// Encapsulating security payload.
    Esp,
    /// Authentication header.
    Ah,
}
