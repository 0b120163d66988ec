//! What can be wrong with a network security group, and is known offline.

use crate::catalog::kinds::naming::{NETWORK, NameRule, did_you_mean};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &NETWORK_SECURITY_GROUP_NAME,
    &SECURITY_RULE_NAME,
    &SECURITY_RULE_PRIORITY,
    &SECURITY_RULE_DESCRIPTION,
    &SECURITY_RULE_PORTS,
    &SECURITY_RULE_ADDRESS,
    &SECURITY_RULE_GROUPS,
    &SERVICE_TAG,
];

const NETWORK_SECURITY_GROUP_NAME: Code = Code {
    name: "network-security-group-name",
    why: "The name cannot be that of a network security group.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "name: nsg-nodes",
};

pub(super) const NAME: NameRule =
    NameRule { code: &NETWORK_SECURITY_GROUP_NAME, what: "a network security group", ..NETWORK };

const SECURITY_RULE_NAME: Code = Code {
    name: "security-rule-name",
    why: "The name cannot be that of a rule.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "rules: { allowHttps: { … } }",
};

pub(super) const RULE_NAME: NameRule =
    NameRule { code: &SECURITY_RULE_NAME, what: "a security rule", ..NETWORK };

/// Service tags that are in rules around clusters, for telling a misspelt one
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

pub(super) const SECURITY_RULE_PRIORITY: Code = Code {
    name: "security-rule-priority",
    why: "Rules of one direction are tried by priority, 100 to 4096, and each has its own.",
    remedy: "Give it another number.",
    example: "priority: 110",
};

pub(super) const SECURITY_RULE_DESCRIPTION: Code = Code {
    name: "security-rule-description",
    why: "The description of a rule has a limit.",
    remedy: "Use at most 140 characters.",
    example: "",
};

pub(super) const SECURITY_RULE_PORTS: Code = Code {
    name: "security-rule-ports",
    why: "Ports are numbers, ranges or `*`.",
    remedy: "Write them as texts or numbers.",
    example: "ports: [443, \"8080-8090\"]",
};

pub(super) fn is_ports(text: &str, alone: bool) -> bool {
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

pub(super) const SECURITY_RULE_ADDRESS: Code = Code {
    name: "security-rule-address",
    why: "A rule takes addresses, ranges, service tags or application security groups: not all together.",
    remedy: "Write what the message says.",
    example: "rules: { web: { priority: 100, from: 10.20.0.0/20, ports: 443 } }",
};

pub(super) const SECURITY_RULE_GROUPS: Code = Code {
    name: "security-rule-groups",
    why: "A rule names application security groups or addresses on one side, and all groups of one network.",
    remedy: "Keep one of the two.",
    example: "",
};

const SERVICE_TAG: Code = Code {
    name: "service-tag",
    why: "There is no such service tag: Azure's names for ranges of its own services.",
    remedy: "Take the one that the message offers.",
    example: "rules: { probes: { priority: 110, from: AzureLoadBalancer } }",
};

/// Warns about a service tag that is nearly one that berth knows. Azure adds tags, so others are let through.
pub(super) fn misspelt(text: &str, path: &str, cx: &mut EntryCx<'_>) {
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
        let message = format!("`{text}` is not a service tag that berth knows");
        cx.problem(Problem::warning(&SERVICE_TAG, path, message).help(help));
    }
}
