//! What can be wrong with a private endpoint, and is known offline.

use super::spec::{Dns, MOST_ZONES, Spec};
use super::types::{AUTO_TARGET, GATEWAYS, MANUAL_TARGET, SUBNET};
use crate::catalog::kinds::naming::{NETWORK, NameRule};
use crate::catalog::kinds::private_link::Target;
use crate::catalog::kinds::scope::{type_in, written_id};
use crate::catalog::{CheckContext, EntryCx, Problem, Reference};
use crate::diag::Code;
use crate::value::token::{display_text, has_token};
use serde_json::Value;

const LONGEST_MESSAGE: usize = 140;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &PRIVATE_ENDPOINT_NAME,
    &PRIVATE_ENDPOINT_GROUP,
    &PRIVATE_ENDPOINT_TARGET,
    &PRIVATE_ENDPOINT_ALIAS,
    &PRIVATE_ENDPOINT_MEMBER,
    &PRIVATE_ENDPOINT_MESSAGE,
    &PRIVATE_ENDPOINT_SUBNET,
    &PRIVATE_ENDPOINT_ZONE,
    &PRIVATE_ENDPOINT_DNS,
    &PRIVATE_ENDPOINT_NETWORK,
];

const PRIVATE_ENDPOINT_NAME: Code = Code {
    name: "private-endpoint-name",
    why: "The name cannot be that of a private endpoint.",
    remedy: "Use 2 to 64 letters, digits, `_`, `.` and `-`.",
    example: "name: pe-vault",
};

const NAME: NameRule = NameRule { code: &PRIVATE_ENDPOINT_NAME, what: "a private endpoint", ..NETWORK };

pub(super) const PRIVATE_ENDPOINT_GROUP: Code = Code {
    name: "private-endpoint-group",
    why: "A target offers its parts as groups: `vault`, `blob`, `registry`.",
    remedy: "`az network private-link-resource list` shows them.",
    example: "group: blob",
};

pub(super) const PRIVATE_ENDPOINT_TARGET: Code = Code {
    name: "private-endpoint-target",
    why: "The target is not something that private endpoints lead to.",
    remedy: "Refer to a vault, a cluster, a registry, or write an id.",
    example: "target: ${keyVaults.secrets}",
};

const PRIVATE_ENDPOINT_ALIAS: Code = Code {
    name: "private-endpoint-alias",
    why: "A target named by an alias belongs to another owner, who has to approve.",
    remedy: "Write `manual: true`.",
    example: "manual: true",
};

const PRIVATE_ENDPOINT_MESSAGE: Code = Code {
    name: "private-endpoint-message",
    why: "The message to who approves has a limit, and is for `manual: true`.",
    remedy: "Use at most 140 characters.",
    example: "requestMessage: shop asks for the vault",
};

const PRIVATE_ENDPOINT_SUBNET: Code = Code {
    name: "private-endpoint-subnet",
    why: "An endpoint has an address of a subnet.",
    remedy: "Refer to a subnet.",
    example: "subnet: ${networks.hub.subnets.endpoints}",
};

const PRIVATE_ENDPOINT_ZONE: Code = Code {
    name: "private-endpoint-zone",
    why: "The names of an endpoint are written into zones that fit its target.",
    remedy: "Write `dns: auto`, or name zones.",
    example: "dns: auto",
};

/// What must hold between an endpoint and the rest of the blueprint: its subnet, and the frontend of a gateway.
pub(super) fn around(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    crate::catalog::kinds::ranges::private_endpoint(around, problems);
    let connection = [AUTO_TARGET, MANUAL_TARGET].into_iter().find_map(|target| {
        let groups = target.replace("privateLinkServiceId", "groupIds/0");
        Some((around.at(target)?, around.this.text(&groups).unwrap_or_default()))
    });
    let Some((gateway, group)) = connection.filter(|(target, _)| target.is(GATEWAYS)) else { return };
    // Of a gateway that is only read, Azure alone knows what it offers.
    let Some(frontends) = gateway.body.pointer("/properties/frontendIPConfigurations") else { return };
    let frontends = frontends.as_array();
    let private = |frontend: &&Value| frontend.pointer("/properties/privateLinkConfiguration/id").is_some();
    let offered = frontends.into_iter().flatten().filter(private);
    let offered: Vec<&str> = offered.filter_map(|frontend| frontend["name"].as_str()).collect();
    if offered.iter().any(|name| name.eq_ignore_ascii_case(group)) {
        return;
    }
    let (message, help) = match offered.first() {
        None => (
            format!("`{}` offers no private link", gateway.address),
            "give the gateway `privateLink:` with a subnet".to_owned(),
        ),
        Some(name) => (
            format!("`{}` has no frontend `{}` with private link", gateway.address, display_text(group)),
            format!("write `group: {name}`, or leave `group` out"),
        ),
    };
    problems.push(Problem::error(&PRIVATE_ENDPOINT_GROUP, "target", message).help(help));
}

impl Spec {
    pub(super) fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        if self.is_alias() && !self.manual {
            let message = "a connection to the alias of a private link service can only be asked for";
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_ALIAS, "manual", message).help("write `manual: true`"),
            );
        }
        let literal = written_id(&self.subnet, cx);
        let other = literal.as_ref().is_some_and(|id| !id.is_of_type(SUBNET));
        if !is_resource(&self.subnet) || other {
            let message = format!("`{}` is not a subnet", display_text(&self.subnet.0));
            cx.problem(
                Problem::error(&PRIVATE_ENDPOINT_SUBNET, "subnet", message).help(
                    "write a reference such as `${networks.hub.subnets.endpoints}`, or a subnet's ARM id",
                ),
            );
        }
        self.check_members(cx);
        let length = self.request_message.as_deref().map_or(0, |message| message.chars().count());
        if length > LONGEST_MESSAGE {
            cx.problem(
                Problem::error(
                    &PRIVATE_ENDPOINT_MESSAGE,
                    "requestMessage",
                    format!("the message has {length} characters"),
                )
                .help(format!("say it in {LONGEST_MESSAGE}")),
            );
        }
        if let Some(Dns::Zones(zones)) = &self.dns {
            for (at, zone) in zones.iter().enumerate().filter(|(_, zone)| !is_resource(zone)) {
                let message = format!("`{}` is not a private DNS zone", display_text(&zone.0));
                cx.problem(
                    Problem::error(&PRIVATE_ENDPOINT_ZONE, format!("dns[{at}]"), message)
                        .help("write a reference such as `${resources.zone}`, or a zone's ARM id"),
                );
            }
            if zones.len() > MOST_ZONES {
                let message = format!("an endpoint keeps records in {MOST_ZONES} zones at most");
                let help = "take out those that the target's name is not answered in";
                cx.problem(Problem::error(&PRIVATE_ENDPOINT_ZONE, "dns", message).help(help));
            }
        }
    }
}

const PRIVATE_ENDPOINT_MEMBER: Code = Code {
    name: "private-endpoint-member",
    why: "A fixed address is for a member of what the endpoint connects to, which has names of its own: that of a vault is `default`.",
    remedy: "Write the member that the message names, or leave `ipConfigurations` out.",
    example: "ipConfigurations: { one: { address: 10.20.16.10, member: default } }",
};

impl Spec {
    /// Reports members that the target is known not to have, and two addresses for one.
    fn check_members(&self, cx: &mut EntryCx<'_>) {
        let target = type_in(&self.target, cx).as_deref().and_then(Target::of);
        let group = match (&self.group, target) {
            (Some(group), _) => Some(group.as_str()),
            (None, Some(target)) => target.groups.first().map(|group| group.name),
            (None, None) => None,
        };
        let known = target.zip(group).and_then(|(target, group)| members(target.arm_type, group));
        let mut seen: Vec<&str> = Vec::new();
        for (key, ip) in &self.ip_configurations {
            let Some(member) = ip.member.as_deref().filter(|member| !has_token(member)) else { continue };
            let path = format!("ipConfigurations.{key}.member");
            let is = |known: &&&str| match known.strip_suffix('*') {
                Some(start) => member.to_ascii_lowercase().starts_with(start),
                None => known.eq_ignore_ascii_case(member),
            };
            if let Some(known) = known
                && !known.iter().any(|name| is(&name))
            {
                let names: Vec<String> =
                    known.iter().map(|name| format!("`{}`", name.replace('*', "<region>"))).collect();
                let message =
                    format!("`{}` of this target has no member `{member}`", group.unwrap_or_default());
                cx.problem(
                    Problem::error(&PRIVATE_ENDPOINT_MEMBER, path, message)
                        .help(format!("write {}", names.join(" or "))),
                );
            } else if seen.iter().any(|other| other.eq_ignore_ascii_case(member)) {
                cx.problem(
                    Problem::error(&PRIVATE_ENDPOINT_MEMBER, path, format!("`{member}` has two addresses"))
                        .help("keep one of them"),
                );
            }
            seen.push(member);
        }
    }
}

/// The members of a group, where they are known; `*` stands for a region.
fn members(arm_type: &str, group: &str) -> Option<&'static [&'static str]> {
    let own: &[&str] = match (arm_type, group.to_ascii_lowercase().as_str()) {
        ("Microsoft.KeyVault/vaults" | "Microsoft.KeyVault/managedHSMs", _) => &["default"],
        ("Microsoft.ContainerRegistry/registries", "registry") => &["registry", "registry_data_*"],
        ("Microsoft.ContainerService/managedClusters", _) => &["management"],
        ("Microsoft.Sql/servers", _) => &["sqlServer"],
        ("Microsoft.Web/sites", "sites") => &["sites"],
        ("Microsoft.Storage/storageAccounts", "blob") => &["blob"],
        ("Microsoft.Storage/storageAccounts", "file") => &["file"],
        ("Microsoft.Storage/storageAccounts", "queue") => &["queue"],
        ("Microsoft.Storage/storageAccounts", "table") => &["table"],
        ("Microsoft.Storage/storageAccounts", "web") => &["web"],
        ("Microsoft.Storage/storageAccounts", "dfs") => &["dfs"],
        _ => return None,
    };
    Some(own)
}

/// Whether a reference names something at all.
pub(super) fn is_resource(reference: &Reference) -> bool {
    reference.path().is_some() || reference.literal_id().is_some()
}

pub(super) const PRIVATE_ENDPOINT_DNS: Code = Code {
    name: "private-endpoint-dns",
    why: "berth knows the DNS zones of many services, and not those of this target.",
    remedy: "Name the zones, or leave names alone.",
    example: "dns: none",
};

pub(super) const PRIVATE_ENDPOINT_NETWORK: Code = Code {
    name: "private-endpoint-network",
    why: "Zones that berth makes are linked to the endpoint's network, so it has to know which that is.",
    remedy: "Refer to a subnet of the blueprint, or write its id.",
    example: "subnet: ${networks.hub.subnets.endpoints}",
};
