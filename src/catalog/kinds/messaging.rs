//! What Service Bus and Event Hubs namespaces have both: names, and who may reach them.

use super::addresses::public_range;
use super::naming::{NameRule, alphanumeric};
use super::parts::members;
use crate::catalog::{
    Arrival, DeleteMode, Draft, EntryCx, Lane, Merged, Named, Problem, Reference, ResourceType,
};
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) const API_VERSION: &str = "2026-01-01";

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&NAMESPACE_NAME, &NAMESPACE_ACCESS, &NAMESPACE_PART];

const NAMESPACE_NAME: Code = Code {
    name: "namespace-name",
    why: "The name of a namespace is part of a DNS name that all of Azure shares, and parts of one have names of their own.",
    remedy: "Use 6 to 50 letters, digits and `-`, starting with a letter; `uniqueString` keeps it apart from others.",
    example: "name: sb-shop-${uniqueString(azure.resourceGroup)}",
};

pub(super) const NAME: NameRule = NameRule {
    code: &NAMESPACE_NAME,
    what: "a namespace",
    min: 6,
    max: 50,
    first: |c| c.is_ascii_alphabetic(),
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "6 to 50 letters, digits and `-`, starting with a letter, not ending with `-`; names of namespaces are taken \
           worldwide, so `${uniqueString(azure.resourceGroup)}` helps",
};

pub(super) const PART: NameRule = NameRule {
    code: &NAMESPACE_NAME,
    what: "a part of a namespace",
    min: 1,
    max: 256,
    first: alphanumeric,
    inner: |c| alphanumeric(c) || "-._/~".contains(c),
    last: |c| alphanumeric(c) || c == '_',
    says: "1 to 256 letters, digits, `.`, `-` and `_`, a letter or digit at both ends",
};

const NAMESPACE_ACCESS: Code = Code {
    name: "namespace-access",
    why: "Private endpoints and rules about who may reach a namespace are for the larger SKUs, and rules are about public addresses.",
    remedy: "Write it as the message says.",
    example: "networkRules: { ips: [203.0.113.0/24] }",
};

pub(super) const NAMESPACE_PART: Code = Code {
    name: "namespace-part",
    why: "A queue, a topic, a hub or a key of a namespace says something that Azure refuses, or that has no effect.",
    remedy: "Write it as the message says.",
    example: "queues: { orders: { lock: PT1M, timeToLive: P14D } }",
};

/// What a key of a namespace is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Right {
    /// To receive.
    Listen,
    /// To send.
    Send,
    /// To do everything; goes with both others.
    Manage,
}

/// A pair of keys that sign in to a namespace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessKeySpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// What they are for: `Listen`, `Send`, or all three of `Listen`, `Send` and `Manage`.
    rights: Vec<Right>,
}

const KEY_RULES: &[Rule] = &[Rule::at("location").read_only(), Rule::at("properties.rights").set()];

/// The type of a namespace's keys.
pub(super) const fn access_key(arm_type: &'static str, lanes: &'static [Lane]) -> ResourceType {
    ResourceType {
        tags: false,
        lanes,
        rules: KEY_RULES,
        ..ResourceType::new(arm_type, API_VERSION, "keys of a namespace")
    }
}

/// The keys of a namespace.
pub(super) fn access_keys(
    all: &Named<AccessKeySpec>,
    local_auth: Option<bool>,
    place: (&ArmId, &str),
    kind: &'static ResourceType,
    cx: &mut EntryCx<'_>,
) {
    let (namespace, list) = place;
    for (key, spec) in all {
        let at = format!("accessKeys.{key}");
        let name = spec.name.as_deref().unwrap_or(key);
        PART.check(name, &at, cx);
        let has = |right: Right| spec.rights.contains(&right);
        let whole = !has(Right::Manage) || has(Right::Listen) && has(Right::Send);
        if spec.rights.is_empty() || !whole {
            let message =
                if whole { "the keys are for nothing" } else { "`Manage` goes with `Listen` and `Send`" };
            cx.problem(
                Problem::error(&NAMESPACE_PART, format!("{at}.rights"), message)
                    .help("write `[Listen]`, `[Send]`, both, or `[Listen, Send, Manage]`"),
            );
        }
        if local_auth == Some(false) {
            let message = "with `localAuth: false` no key signs anybody in";
            cx.problem(
                Problem::warning(&NAMESPACE_PART, at.clone(), message)
                    .help("drop the keys, or `localAuth: false`"),
            );
        }
        let id = namespace.child(list, name);
        let own = cx.address.child("accessKeys").child(key);
        let body = json!({ "properties": { "rights": spec.rights } });
        cx.also(Draft::new(own, id.as_str(), kind, body).origin(at));
    }
}

/// Reports a text that is no duration of ISO 8601 with days, hours, minutes and seconds, or an empty one.
pub(super) fn lasting(text: Option<&String>, path: &str, cx: &mut EntryCx<'_>) {
    let Some(text) = text.filter(|text| !has_token(text) && !is_duration(text)) else { return };
    let message = format!("`{}` is not a duration", display_text(text));
    cx.problem(
        Problem::error(&NAMESPACE_PART, path, message)
            .help("write one of ISO 8601, such as `P14D`, `PT1M` or `PT30S`"),
    );
}

fn is_duration(text: &str) -> bool {
    fn parts(mut rest: &str, units: &str) -> bool {
        let mut units = units.chars();
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).filter(|&end| end > 0);
            let Some((end, unit)) = end.zip(rest[end.unwrap_or_default()..].chars().next()) else {
                return false;
            };
            if !units.any(|known| known == unit) {
                return false;
            }
            rest = &rest[end + 1..];
        }
        true
    }
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    let whole = !(rest.ends_with('T') || days.is_empty() && time.is_empty());
    whole && parts(days, "D") && parts(time, "HMS") && text.contains(|c: char| ('1'..='9').contains(&c))
}

/// Who may reach a namespace on public networks: what is not allowed here is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkRulesSpec {
    /// Public addresses or CIDR blocks that are let in.
    #[serde(default)]
    ips: Vec<String>,
    /// Subnets that are let in; each needs the service endpoint of the service.
    #[serde(default)]
    #[schemars(extend("x-wants" = "subnet"))]
    subnets: Vec<Reference>,
    /// Whether Azure's own services pass all the same; Azure's default (`false`) when absent.
    trusted_services: Option<bool>,
}

/// The type of a namespace's network rules.
pub(super) const fn network_rules(arm_type: &'static str, lanes: &'static [Lane]) -> ResourceType {
    ResourceType {
        delete: DeleteMode::WithParent,
        tags: false,
        lanes,
        rules: RULES,
        ..ResourceType::new(arm_type, API_VERSION, "network rules of a namespace")
    }
}

const RULES: &[Rule] = &[
    Rule::at("location").read_only(),
    Rule::at("properties.defaultAction").fold_case().default("\"Allow\""),
    Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
    Rule::at("properties.trustedServiceAccessEnabled").default("false"),
    Rule::at("properties.ipRules").keyed("ipMask"),
    Rule::at("properties.ipRules[].action").fold_case().default("\"Allow\""),
    Rule::at("properties.virtualNetworkRules").keyed("subnet.id"),
    Rule::at("properties.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint").default("false"),
];

/// The lists of the rules that others can add to.
pub(super) const MERGED: &[Merged] = &[
    Merged::list("ips", "properties.ipRules").within("networkRules"),
    Merged::list("subnets", "properties.virtualNetworkRules").within("networkRules"),
];

impl NetworkRulesSpec {
    /// The rule set, which every namespace has.
    pub(super) fn draft(&self, address: &Address, namespace: &ArmId, kind: &'static ResourceType) -> Draft {
        let id = namespace.child("networkRuleSets", "default");
        let mut draft = Draft::new(address.child("networkRules"), id.as_str(), kind, self.body());
        draft.arrival = Arrival::WithParent;
        draft.origin("networkRules")
    }

    fn body(&self) -> Value {
        let ips = self.ips.iter().map(|ip| json!({ "ipMask": ip, "action": "Allow" }));
        let subnets = self.subnets.iter().map(
            |subnet| json!({ "subnet": { "id": subnet.id() }, "ignoreMissingVnetServiceEndpoint": false }),
        );
        json!({ "properties": members([
            ("publicNetworkAccess", Some("Enabled".into())),
            ("defaultAction", Some("Deny".into())),
            ("ipRules", Some(ips.collect())),
            ("virtualNetworkRules", Some(subnets.collect())),
            ("trustedServiceAccessEnabled", self.trusted_services.map(Value::from)),
        ]) })
    }
}

/// Reports what cannot be of who may reach a namespace.
pub(super) fn check(
    rules: Option<&NetworkRulesSpec>,
    public_access: Option<bool>,
    sku_takes: (bool, &str),
    cx: &mut EntryCx<'_>,
) {
    let (takes, help) = sku_takes;
    for (field, said) in [("publicAccess", public_access == Some(false)), ("networkRules", rules.is_some())] {
        if said && !takes {
            let message = format!("`{field}` is not for the SKU of this namespace");
            cx.problem(Problem::error(&NAMESPACE_ACCESS, field, message).help(help));
        }
    }
    let Some(rules) = rules else { return };
    if public_access == Some(false) {
        let message = "with `publicAccess: false` no address and no subnet is let in, whatever the rules say";
        cx.problem(
            Problem::error(&NAMESPACE_ACCESS, "networkRules", message)
                .help("drop the rules, or `publicAccess: false`"),
        );
    }
    if rules.ips.is_empty() && rules.subnets.is_empty() {
        let message = "the rules allow no access at all";
        cx.problem(
            Problem::error(&NAMESPACE_ACCESS, "networkRules", message)
                .help("name `ips` or `subnets`, or write `publicAccess: false` in place of the rules"),
        );
    }
    for (index, ip) in rules.ips.iter().enumerate().filter(|(_, ip)| !has_token(ip)) {
        if let Err((message, help)) = public_range(ip) {
            let path = format!("networkRules.ips[{index}]");
            cx.problem(Problem::error(&NAMESPACE_ACCESS, path, message).help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_iso_8601() {
        for (text, expected) in [
            ("P14D", true),
            ("PT1M", true),
            ("P1DT12H30M5S", true),
            ("P", false),
            ("PT", false),
            ("P1DT", false),
            ("P0D", false),
            ("PT1D", false),
            ("PTM", false),
            ("P1M", false),
            ("1m", false),
            ("PT5S3M", false),
        ] {
            assert_eq!(is_duration(text), expected, "{text}");
        }
    }
}
