//! A drift report as data.

use crate::ident::{Address, ArmId, Header};
use crate::private_link::NotOurs;
use crate::value::LeftAlone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a resource drifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// Fields differ from what was asked for.
    Changed,
    /// It is gone.
    Missing,
}

/// One field that is not as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldDrift {
    /// Where: `properties.addressSpace.addressPrefixes`.
    pub path: String,
    /// What was asked for.
    pub expected: Value,
    /// What is there; null when nothing is.
    pub actual: Value,
}

/// One resource that drifted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The resource.
    pub address: Address,
    /// Its id.
    pub id: ArmId,
    /// Its ARM type.
    #[serde(rename = "type")]
    pub arm_type: String,
    /// How it drifted.
    pub kind: DriftKind,
    /// The fields, when it changed.
    pub fields: Vec<FieldDrift>,
}

/// Everything that drifted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftReport {
    /// The version of this form.
    pub version: u32,
    /// The blueprint's name.
    pub blueprint: String,
    /// The environment's name, when the run has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What the run is for and where it works, when that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// How many owned resources were looked at.
    pub checked: usize,
    /// Those that are as they were asked for, in their order.
    pub steady: Vec<Address>,
    /// Those that drifted.
    pub drifted: Vec<Drift>,
    /// Connections on targets of the blueprint that no rule of it names. They are no drift.
    #[serde(default)]
    pub not_ours: Vec<NotOurs>,
    /// What others added to resources of the blueprint, and may. It is no drift.
    #[serde(default)]
    pub left_alone: Vec<LeftAlone>,
}
