//! A drift report as data.

use super::attribution::{ChangedBy, Who};
use super::waivers::Waived;
use crate::catalog::Severity;
use crate::ident::{Address, ArmId, Header};
use crate::private_link::NotOurs;
use crate::value::LeftAlone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// How a resource drifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// Fields differ from what was asked for.
    Changed,
    /// It is gone.
    Missing,
    /// Somebody else made it, where nothing may be that the blueprint does not ask for.
    Added,
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
    /// The resource that was written to, when it is not the one that drifted: a connection on its target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<ArmId>,
    /// How grave it is.
    #[serde(default)]
    pub severity: Severity,
    /// Whether it is a point in time in seconds since 1970, which people read as a date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_instant: bool,
}

impl FieldDrift {
    /// A field of the resource itself.
    pub fn new(path: impl Into<String>, expected: Value, actual: Value) -> Self {
        FieldDrift {
            path: path.into(),
            expected,
            actual,
            subject: None,
            severity: Severity::default(),
            is_instant: false,
        }
    }
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
    /// How grave it is: as its gravest field.
    #[serde(default)]
    pub severity: Severity,
    /// The fields, when it changed.
    pub fields: Vec<FieldDrift>,
    /// Who did it, as far as Azure knows; empty when it was not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_by: Vec<ChangedBy>,
    /// Whether a waiver covers all of it.
    #[serde(skip)]
    pub waived: bool,
}

impl Drift {
    /// A drift of which nobody knows yet who made it.
    pub fn new(
        address: Address,
        id: ArmId,
        arm_type: impl Into<String>,
        kind: DriftKind,
        fields: Vec<FieldDrift>,
    ) -> Self {
        let severity = Severity::default();
        Drift {
            address,
            id,
            arm_type: arm_type.into(),
            kind,
            severity,
            fields,
            changed_by: Vec::new(),
            waived: false,
        }
    }
}

/// Everything that drifted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// What others added to resources of the blueprint, and may. It is not drift.
    #[serde(default)]
    pub left_alone: Vec<LeftAlone>,
    /// Who made each of those, in the same order; empty when it was not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_ours_by: Vec<Who>,
    /// The waivers, and what became of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<Waived>,
    /// What each resource needs, by address: for the picture, and for what a drift may reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<(Address, Vec<Address>)>,
}

impl DriftReport {
    /// What drifted, the gravest first.
    pub fn worst_first(&self) -> Vec<&Drift> {
        let mut all: Vec<&Drift> = self.drifted.iter().collect();
        all.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.address.cmp(&b.address)));
        all
    }

    /// How many drifted of each severity, the gravest first; none is left out.
    pub fn by_severity(&self) -> Vec<(Severity, usize)> {
        let of = |severity| self.drifted.iter().filter(|drift| drift.severity == severity).count();
        Severity::ALL.into_iter().map(|severity| (severity, of(severity))).collect()
    }

    /// How many drifted in each way.
    pub fn count(&self, kind: DriftKind) -> usize {
        self.drifted.iter().filter(|drift| drift.kind == kind).count()
    }

    /// What needs something that drifted, directly or by others: by position in `needs`.
    pub fn reached(&self) -> Vec<bool> {
        let at: HashMap<&Address, usize> =
            self.needs.iter().enumerate().map(|(at, (address, _))| (address, at)).collect();
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.needs.len()];
        for (own, (_, needs)) in self.needs.iter().enumerate() {
            needs.iter().filter_map(|need| at.get(need)).for_each(|&need| users[need].push(own));
        }
        let mut reached = vec![false; self.needs.len()];
        let mut open: Vec<usize> =
            self.drifted.iter().filter_map(|drift| at.get(&drift.address).copied()).collect();
        while let Some(next) = open.pop() {
            for &user in &users[next] {
                if !std::mem::replace(&mut reached[user], true) {
                    open.push(user);
                }
            }
        }
        reached
    }
}
