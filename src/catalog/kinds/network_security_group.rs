//! Network security groups: `Microsoft.Network/networkSecurityGroups`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/networksecuritygroups>).
//!
//! A PUT of a group replaces all of its rules. Rules are therefore told apart by name, and an update carries those that
//! somebody else made along.

use super::addresses::{Texts, is_address};
use super::naming::{NETWORK, NameRule, did_you_mean};
use crate::catalog::{Draft, EntryCx, EntryKind, Lane, Merged, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::has_token;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// A network security group.
pub struct NetworkSecurityGroup;

/// A network security group with its rules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The rules by name. Rules that others made in the group stay.
    #[serde(default)]
    rules: IndexMap<String, RuleSpec>,
    /// Whether connections that are open are judged anew when a rule changes; Azure's default (`false`) when absent.
    flush_connection: Option<bool>,
}

/// A rule of a group. Of all rules that fit, the one with the lowest number decides.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSpec {
    /// Its place in the order, 100 (first) to 4096; no two rules of one direction have the same.
    priority: i64,
    /// Whether it is for what comes in or for what goes out.
    direction: Direction,
    /// Whether what fits may pass.
    access: Access,
    /// `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah`, or `*` (the default) for all of them.
    #[serde(default)]
    protocol: Protocol,
    /// Where it comes from: addresses, CIDR blocks, or one service tag such as `Internet`; anywhere when absent.
    from: Option<Texts>,
    /// The ports it comes from, such as `[80, 8080-8090]`; all of them when absent.
    from_ports: Option<Texts>,
    /// The application security groups it comes from, instead of `from`.
    #[serde(default)]
    from_groups: Vec<Reference>,
    /// Where it goes to: addresses, CIDR blocks, or one service tag such as `VirtualNetwork`; anywhere when absent.
    to: Option<Texts>,
    /// The ports it goes to, such as `[80, 8080-8090]`; all of them when absent.
    ports: Option<Texts>,
    /// The application security groups it goes to, instead of `to`.
    #[serde(default)]
    to_groups: Vec<Reference>,
    /// What it is for, in at most 140 characters.
    description: Option<String>,
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

pub(super) const GROUP: &str = "Microsoft.Network/networkSecurityGroups";

/// The group with its rules.
pub static NETWORK_SECURITY_GROUP: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(GROUP)],
    rules: &[
        Rule::at("properties.flushConnection").default("false"),
        Rule::at("properties.securityRules").keyed("name"),
        Rule::at("properties.securityRules[].id").read_only(),
        Rule::at("properties.securityRules[].type").read_only(),
        // One address and several stand in different members, and Azure refuses both: a rule is sent as a whole.
        Rule::at("properties.securityRules[].properties").whole(),
        Rule::at("properties.securityRules[].properties.protocol").fold_case(),
        Rule::at("properties.securityRules[].properties.access").fold_case(),
        Rule::at("properties.securityRules[].properties.direction").fold_case(),
        Rule::at("properties.securityRules[].properties.sourceAddressPrefix").fold_case().cidr(),
        Rule::at("properties.securityRules[].properties.destinationAddressPrefix").fold_case().cidr(),
        Rule::at("properties.securityRules[].properties.sourceAddressPrefixes").set().cidr(),
        Rule::at("properties.securityRules[].properties.destinationAddressPrefixes").set().cidr(),
        Rule::at("properties.securityRules[].properties.sourcePortRanges").set(),
        Rule::at("properties.securityRules[].properties.destinationPortRanges").set(),
        Rule::at("properties.securityRules[].properties.sourceApplicationSecurityGroups").set(),
        Rule::at("properties.securityRules[].properties.destinationApplicationSecurityGroups").set(),
        Rule::at("properties.defaultSecurityRules").read_only(),
        Rule::at("properties.networkInterfaces").read_only(),
        Rule::at("properties.subnets").read_only(),
        Rule::at("properties.flowLogs").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    expected: Duration::from_secs(6),
    ..ResourceType::new(GROUP, "2025-05-01", "network security group")
};

const NETWORK_SECURITY_GROUP_NAME: Code = Code {
    name: "network-security-group-name",
    why: "The name cannot be that of a network security group.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "name: nsg-nodes",
};

const NAME: NameRule =
    NameRule { code: &NETWORK_SECURITY_GROUP_NAME, what: "a network security group", ..NETWORK };
const SECURITY_RULE_NAME: Code = Code {
    name: "security-rule-name",
    why: "The name cannot be that of a rule.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "rules: { allowHttps: { … } }",
};

const RULE_NAME: NameRule = NameRule { code: &SECURITY_RULE_NAME, what: "a security rule", ..NETWORK };

/// Service tags that stand in rules around clusters, for telling a misspelt one
/// (<https://learn.microsoft.com/azure/virtual-network/service-tags-overview>).
const TAGS: &[&str] = &[
    "ActionGroup",
    "ApiManagement",
    "AppConfiguration",
    "AppService",
    "AzureActiveDirectory",
    "AzureArcInfrastructure",
    "AzureBackup",
    "AzureCloud",
    "AzureContainerRegistry",
    "AzureCosmosDB",
    "AzureDNS",
    "AzureFrontDoor.Backend",
    "AzureFrontDoor.FirstParty",
    "AzureFrontDoor.Frontend",
    "AzureKeyVault",
    "AzureLoadBalancer",
    "AzureMonitor",
    "AzurePlatformDNS",
    "AzurePlatformIMDS",
    "AzurePlatformLKM",
    "AzurePolicy",
    "AzureResourceManager",
    "AzureTrafficManager",
    "EventHub",
    "GatewayManager",
    "Internet",
    "MicrosoftContainerRegistry",
    "ServiceBus",
    "Sql",
    "Storage",
    "VirtualNetwork",
];

const SECURITY_RULE_PRIORITY: Code = Code {
    name: "security-rule-priority",
    why: "Rules of one direction are tried by priority, 100 to 4096, and each has its own.",
    remedy: "Give it another number.",
    example: "priority: 110",
};

impl EntryKind for NetworkSecurityGroup {
    const SECTION: &'static str = "networkSecurityGroups";
    const TITLE: &'static str = "network security group";
    const ARM_TYPE: &'static str = GROUP;
    const ABOUT: &'static str = "A network security group: the rules about who may talk to whom. A subnet names the \
        group that holds for it. Rules that others put into the group stay.";
    const EXAMPLE: &'static str = "\
networkSecurityGroups:
  nodes:
    name: nsg-shop-nodes
    rules:
      allowHttps:
        { priority: 100, direction: Inbound, access: Allow, protocol: Tcp, from: Internet, ports: [80, 443] }
      denySsh:
        { priority: 4000, direction: Inbound, access: Deny, protocol: Tcp, from: [192.0.2.0/24, 198.51.100.7], ports: 22 }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20, networkSecurityGroup: '${networkSecurityGroups.nodes}' }
";
    const MERGED: &'static [Merged] = &[Merged::list("rules", "properties.securityRules")];
    const CODES: &'static [&'static [&'static Code]] = &[&[
        &NETWORK_SECURITY_GROUP_NAME,
        &SECURITY_RULE_NAME,
        &SECURITY_RULE_PRIORITY,
        &SECURITY_RULE_DESCRIPTION,
        &SECURITY_RULE_PORTS,
        &SECURITY_RULE_ADDRESS,
        &SECURITY_RULE_GROUPS,
        &SERVICE_TAG,
    ]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        let mut taken: HashMap<(Direction, i64), String> = HashMap::new();
        let mut rules = Vec::new();
        for (key, rule) in spec.rules {
            let path = format!("rules.{key}");
            RULE_NAME.check(&key, &path, cx);
            if let Some(other) = taken.insert((rule.direction, rule.priority), key.clone()) {
                let message = format!("the rules `{other}` and `{key}` have the same priority and direction");
                cx.problem(
                    Problem::error(&SECURITY_RULE_PRIORITY, format!("{path}.priority"), message)
                        .help("give one of them a priority of its own"),
                );
            }
            rules.push(json!({ "name": key, "properties": rule.into_properties(&path, cx) }));
        }
        let mut properties = json!({ "securityRules": rules });
        if let Some(flush) = spec.flush_connection {
            properties["flushConnection"] = flush.into();
        }
        let body = cx.tracked(properties);
        let id = cx.id(GROUP, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &NETWORK_SECURITY_GROUP, body));
    }
}

const SECURITY_RULE_DESCRIPTION: Code = Code {
    name: "security-rule-description",
    why: "The description of a rule has a limit.",
    remedy: "Use at most 140 characters.",
    example: "",
};

impl RuleSpec {
    fn into_properties(self, path: &str, cx: &mut EntryCx<'_>) -> Value {
        if !(100..=4096).contains(&self.priority) {
            let message = format!("a rule cannot have the priority {}", self.priority);
            cx.problem(
                Problem::error(&SECURITY_RULE_PRIORITY, format!("{path}.priority"), message)
                    .help("write a number from 100 (decides first) to 4096"),
            );
        }
        let length = self.description.as_deref().map_or(0, |text| text.chars().count());
        if length > 140 {
            let message = format!("the description of a rule has at most 140 characters, this has {length}");
            cx.problem(
                Problem::error(&SECURITY_RULE_DESCRIPTION, format!("{path}.description"), message)
                    .help("shorten it"),
            );
        }
        let mut all = Map::new();
        all.insert("priority".into(), self.priority.into());
        all.insert("direction".into(), json!(self.direction));
        all.insert("access".into(), json!(self.access));
        all.insert("protocol".into(), json!(self.protocol));
        all.extend(self.description.map(|text| ("description".to_owned(), text.into())));
        ports(self.from_ports, "source", &format!("{path}.fromPorts"), &mut all, cx);
        ports(self.ports, "destination", &format!("{path}.ports"), &mut all, cx);
        side(self.from, &self.from_groups, "source", &format!("{path}.from"), &mut all, cx);
        side(self.to, &self.to_groups, "destination", &format!("{path}.to"), &mut all, cx);
        Value::Object(all)
    }
}

/// One in the singular member, several in the plural one, which is how Azure shows them.
fn put(mut texts: Vec<String>, name: &str, all: &mut Map<String, Value>) {
    match texts.len() {
        1 => all.insert(name.to_owned(), texts.remove(0).into()),
        _ => {
            let plural = if name.ends_with('x') { format!("{name}es") } else { format!("{name}s") };
            all.insert(plural, texts.into())
        }
    };
}

const SECURITY_RULE_PORTS: Code = Code {
    name: "security-rule-ports",
    why: "Ports are numbers, ranges or `*`.",
    remedy: "Write them as texts or numbers.",
    example: "ports: [443, \"8080-8090\"]",
};

fn ports(texts: Option<Texts>, end: &str, path: &str, all: &mut Map<String, Value>, cx: &mut EntryCx<'_>) {
    let texts = texts.map_or_else(|| vec!["*".to_owned()], |texts| texts.0);
    for text in texts.iter().filter(|text| !is_ports(text, texts.len() == 1)) {
        let message = format!("`{text}` is no port and no range of ports");
        cx.problem(
            Problem::error(&SECURITY_RULE_PORTS, path, message)
                .help("write ports of 0 to 65535, as in `[443, 8080-8090]`, or `*` alone for all of them"),
        );
    }
    if texts.is_empty() {
        cx.problem(
            Problem::error(&SECURITY_RULE_PORTS, path, "a rule without ports fits nothing")
                .help("name a port, or leave the field out for all of them"),
        );
    }
    put(texts, &format!("{end}PortRange"), all);
}

fn is_ports(text: &str, alone: bool) -> bool {
    if has_token(text) || text == "*" {
        return text != "*" || alone;
    }
    let port = |text: &str| text.parse::<u16>().ok();
    match text.split_once('-') {
        Some((first, last)) => {
            matches!((port(first), port(last)), (Some(first), Some(last)) if first <= last)
        }
        None => port(text).is_some(),
    }
}

const SECURITY_RULE_ADDRESS: Code = Code {
    name: "security-rule-address",
    why: "A rule takes addresses, ranges, service tags or application security groups: not all together.",
    remedy: "Write what the message says.",
    example: "rules: { web: { priority: 100, from: 10.20.0.0/20, ports: 443 } }",
};

const SECURITY_RULE_GROUPS: Code = Code {
    name: "security-rule-groups",
    why: "A rule names application security groups or addresses on one side, and all groups of one network.",
    remedy: "Keep one of the two.",
    example: "",
};

/// One end of the traffic: addresses or application security groups.
fn side(
    texts: Option<Texts>,
    groups: &[Reference],
    end: &str,
    path: &str,
    all: &mut Map<String, Value>,
    cx: &mut EntryCx<'_>,
) {
    if !groups.is_empty() {
        if texts.is_some() {
            let message = "one end of a rule is either addresses or application security groups";
            cx.problem(
                Problem::error(&SECURITY_RULE_GROUPS, path, message)
                    .help("remove the one or the other, or write two rules"),
            );
        }
        let ids: Vec<Value> = groups.iter().map(|group| json!({ "id": group.id() })).collect();
        all.insert(format!("{end}ApplicationSecurityGroups"), ids.into());
        return;
    }
    let texts = texts.map_or_else(|| vec!["*".to_owned()], |texts| texts.0);
    let tag = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    for text in texts.iter().filter(|text| !has_token(text) && !is_address(text)) {
        if text != "*" && !tag(text) {
            let message = format!("`{text}` is no address, no range of addresses and no service tag");
            cx.problem(
                Problem::error(&SECURITY_RULE_ADDRESS, path, message)
                    .help("write a CIDR block such as `10.20.0.0/16`, or a service tag such as `Internet`"),
            );
        } else if texts.len() > 1 {
            // The plural members take addresses only.
            let message = format!("`{text}` cannot stand beside other addresses in one rule");
            cx.problem(
                Problem::error(&SECURITY_RULE_ADDRESS, path, message)
                    .help("write a rule of its own for it: only addresses and ranges can be several"),
            );
        } else if text != "*" {
            misspelt(text, path, cx);
        }
    }
    if texts.is_empty() {
        cx.problem(
            Problem::error(&SECURITY_RULE_ADDRESS, path, "a rule without addresses fits nothing")
                .help("name an address, or leave the field out for all of them"),
        );
    }
    put(texts, &format!("{end}AddressPrefix"), all);
}

const SERVICE_TAG: Code = Code {
    name: "service-tag",
    why: "There is no such service tag: Azure's names for ranges of its own services.",
    remedy: "Take the one that the message offers.",
    example: "rules: { probes: { priority: 110, from: AzureLoadBalancer } }",
};

/// Warns about a service tag that is nearly one that berth knows. Azure adds tags, so others are let through.
fn misspelt(text: &str, path: &str, cx: &mut EntryCx<'_>) {
    // A tag may be narrowed down to a region: `Storage.WestEurope`.
    let known = |tag: &&str| {
        text.eq_ignore_ascii_case(tag)
            || text.len() > tag.len()
                && text.is_char_boundary(tag.len())
                && text[..tag.len()].eq_ignore_ascii_case(tag)
                && text[tag.len()..].starts_with('.')
    };
    if TAGS.iter().any(known) {
        return;
    }
    if let Some(help) = did_you_mean(text, TAGS.iter().copied()) {
        let message = format!("`{text}` is no service tag that berth knows");
        cx.problem(Problem::warning(&SERVICE_TAG, path, message).help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};
    use crate::value::merge;

    fn rule(more: Value) -> Value {
        let mut rule = json!({ "priority": 100, "direction": "Inbound", "access": "Allow" });
        crate::catalog::merge_over(&mut rule, &more);
        rule
    }

    fn group(rules: Value) -> (Vec<Draft>, Vec<Problem>) {
        expand("networkSecurityGroups", "nodes", json!({ "rules": rules }))
    }

    #[test]
    fn one_stands_in_the_singular_and_several_in_the_plural() {
        let (drafts, problems) = group(json!({
            "web": rule(json!({ "protocol": "Tcp", "from": "Internet", "to": ["10.0.0.0/24", "10.1.0.4"], "ports": [443, "80-81"] })),
        }));
        assert_eq!(problems, []);
        assert_eq!(
            drafts[0].body["properties"]["securityRules"],
            json!([{ "name": "web", "properties": {
                "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
                "sourcePortRange": "*", "destinationPortRanges": ["443", "80-81"],
                "sourceAddressPrefix": "Internet", "destinationAddressPrefixes": ["10.0.0.0/24", "10.1.0.4"],
            } }])
        );
    }

    fn live() -> Value {
        let rule = |name: &str, prefixes: Value| {
            json!({ "name": name, "id": format!("x/{name}"), "etag": "e", "type": "t", "properties": {
                "provisioningState": "Succeeded", "priority": 100, "direction": "Inbound", "access": "Allow",
                "protocol": "*", "sourcePortRange": "*", "sourcePortRanges": [], "destinationPortRange": "*",
                "destinationPortRanges": [], "sourceAddressPrefixes": prefixes, "destinationAddressPrefix": "*",
                "destinationAddressPrefixes": [],
            } })
        };
        json!({ "location": "westeurope", "properties": {
            "defaultSecurityRules": [{ "name": "AllowVnetInBound" }],
            "securityRules": [rule("theirs", json!(["1.1.1.1"])), rule("Mine", json!(["10.2.0.0/24", "10.1.0.4/32"]))],
        } })
    }

    #[test]
    fn what_azure_answers_is_no_change_and_the_rules_of_others_stay() {
        let (drafts, _) = group(json!({ "mine": rule(json!({ "from": ["10.1.0.4", "10.2.0.0/24"] })) }));
        assert_eq!(changes(&drafts[0], &live()), [] as [&str; 0]);
        let (drafts, _) = group(json!({ "mine": rule(json!({ "from": "Internet" })) }));
        assert_eq!(
            changes(&drafts[0], &live()),
            ["properties.securityRules[mine].properties.sourceAddressPrefix"]
        );
        let merged = merge(&live(), &drafts[0].body, drafts[0].kind.compiled(), &[]);
        let rules = merged["properties"]["securityRules"].as_array().unwrap();
        assert_eq!(rules.len(), 2, "{merged}");
        assert_eq!(rules[1]["properties"]["sourceAddressPrefix"], "Internet");
        assert_eq!(rules[1]["properties"].get("sourceAddressPrefixes"), None, "not both");
        assert_eq!(merged["properties"].get("defaultSecurityRules"), None);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (more, code) in [
            (json!({ "priority": 99 }), "security-rule-priority"),
            (json!({ "priority": 4097 }), "security-rule-priority"),
            (json!({ "ports": "http" }), "security-rule-ports"),
            (json!({ "ports": "90-80" }), "security-rule-ports"),
            (json!({ "ports": [80, "*"] }), "security-rule-ports"),
            (json!({ "ports": 70000 }), "security-rule-ports"),
            (json!({ "from": "10.0.0.0/33" }), "security-rule-address"),
            (json!({ "from": ["10.0.0.0/24", "Internet"] }), "security-rule-address"),
            (json!({ "from": [] }), "security-rule-address"),
            (
                json!({ "from": "*", "fromGroups": ["/subscriptions/s/resourceGroups/g"] }),
                "security-rule-groups",
            ),
            (json!({ "to": "Internt" }), "service-tag"),
            (json!({ "description": "x".repeat(141) }), "security-rule-description"),
            (json!({ "direction": "In" }), "shape"),
        ] {
            assert_eq!(codes(group(json!({ "r": rule(more.clone()) }))), [code], "{more}");
        }
        for fine in ["Storage.WestEurope", "virtualnetwork", "SomethingNew", "*", "10.0.0.4"] {
            assert_eq!(
                codes(group(json!({ "r": rule(json!({ "from": fine })) }))),
                [] as [&str; 0],
                "{fine}"
            );
        }
        assert_eq!(codes(group(json!({ "-": rule(json!({})) }))), ["security-rule-name"]);
        let same = json!({ "a": rule(json!({})), "b": rule(json!({})) });
        assert_eq!(codes(group(same)), ["security-rule-priority"]);
        let two = json!({ "a": rule(json!({})), "b": rule(json!({ "direction": "Outbound" })) });
        assert_eq!(codes(group(two)), [] as [&str; 0]);
    }
}
