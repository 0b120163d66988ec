//! What Service Bus and Event Hubs namespaces have both: names, and who may reach them.

use super::addresses::public_range;
use super::naming::{NameRule, alphanumeric};
use super::parts::members;
use crate::catalog::{Arrival, DeleteMode, Draft, EntryCx, Lane, Merged, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use crate::value::Rule;
use crate::value::token::has_token;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const API_VERSION: &str = "2026-01-01";

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&NAMESPACE_NAME, &NAMESPACE_ACCESS];

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
        let message = "the rules let nobody in";
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
