//! What only one resource can have, whatever its type and wherever it stands: an address, a public IP address, a name in the
//! world's DNS, a role that is given, a place for logs. Azure refuses the second one, long after the first was made.

use super::LinkedResource;
use crate::diag::Code;
use crate::ident::ArmId;
use serde_json::Value;

/// Something that a resource has for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it is, to compare: in small letters.
    pub key: String,
    /// What the resource does that no other can: `asks for the address 10.0.0.4 of the subnet nodes`.
    pub does: String,
    /// The field of the entry that asks for it; the entry itself when there is no such field.
    pub field: &'static str,
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&HELD_TWICE];

/// Two resources ask for what only one can have.
pub const HELD_TWICE: Code = Code {
    name: "held-twice",
    why: "Some things Azure gives to one resource: an address, a public IP address, a name in the world's DNS.",
    remedy: "Give one of the two another one.",
    example: "ipConfigurations: { vault: { member: default, address: 10.20.1.8 } }",
};

/// What stands behind the names of a type in DNS: no two resources of the world have one there. From Azure's naming rules;
/// Service Bus and Event Hubs share theirs.
const WORLDWIDE: &[(&str, &str)] = &[
    ("Microsoft.ApiManagement/service", "azure-api.net"),
    ("Microsoft.ContainerRegistry/registries", "azurecr.io"),
    ("Microsoft.DocumentDB/databaseAccounts", "documents.azure.com"),
    ("Microsoft.EventHub/namespaces", "servicebus.windows.net"),
    ("Microsoft.KeyVault/vaults", "vault.azure.net"),
    ("Microsoft.ServiceBus/namespaces", "servicebus.windows.net"),
    ("Microsoft.Sql/servers", "database.windows.net"),
    ("Microsoft.Storage/storageAccounts", "blob.core.windows.net"),
];

/// What a resource has for itself.
pub fn held(this: &LinkedResource<'_>) -> Vec<Held> {
    let mut all = Vec::new();
    if let Some((_, suffix)) = WORLDWIDE.iter().find(|(arm_type, _)| this.is(arm_type)) {
        let host = format!("{}.{suffix}", this.id.name());
        all.push(Held {
            key: format!("host {host}"),
            does: format!("asks for the name `{host}`"),
            field: "name",
        });
    }
    match () {
        () if this.is("Microsoft.Authorization/roleAssignments") => all.extend(role(this)),
        () if this.is("Microsoft.Insights/diagnosticSettings") => all.extend(sinks(this)),
        () if this.is("Microsoft.Cdn/profiles/customDomains") => {
            all.extend(this.text("/properties/hostName").map(|host| Held {
                key: format!("front door {host}"),
                does: format!("asks for the host name `{host}` of a Front Door"),
                field: "",
            }));
        }
        () => {}
    }
    // An endpoint says once for all of its addresses in which subnet they are.
    addresses(this.body, this.text("/properties/subnet/id"), &mut all);
    all.iter_mut().for_each(|held| held.key.make_ascii_lowercase());
    all.retain(|held| !held.key.is_empty());
    all
}

/// Fixed addresses in subnets, and public IP addresses.
fn addresses(value: &Value, around: Option<&str>, all: &mut Vec<Held>) {
    let members = match value {
        Value::Array(items) => return items.iter().for_each(|item| addresses(item, around, all)),
        Value::Object(members) => members,
        _ => return,
    };
    let subnet = value.pointer("/subnet/id").and_then(Value::as_str).or(around);
    let is_dynamic = members.get("privateIPAllocationMethod").is_some_and(|method| method == "Dynamic");
    if let (Some(address), Some(subnet), false) =
        (members.get("privateIPAddress").and_then(Value::as_str), subnet, is_dynamic)
    {
        all.push(Held {
            key: format!("address {address} {subnet}"),
            does: format!("asks for the address {address} of the subnet `{}`", last(subnet)),
            field: if around.is_some() { "ipConfigurations" } else { "privateIp" },
        });
    }
    for (name, member) in members {
        let field = match name.as_str() {
            "publicIPAddress" => "publicIp",
            "publicIpAddresses" => "publicIps",
            "publicIPs" | "publicIpAddressId" => "",
            _ => {
                addresses(member, around, all);
                continue;
            }
        };
        let one = std::slice::from_ref(member);
        for item in member.as_array().map_or(one, Vec::as_slice) {
            let id = item.get("id").unwrap_or(item).as_str();
            all.extend(id.filter(|id| ArmId::parse(id).is_ok()).map(|id| Held {
                key: format!("public {id}"),
                does: format!("asks for the public IP address `{}`", last(id)),
                field,
            }));
        }
    }
}

/// A role is given once to a principal at a scope.
fn role(this: &LinkedResource<'_>) -> Option<Held> {
    let (principal, role) =
        (this.text("/properties/principalId")?, this.text("/properties/roleDefinitionId")?);
    let scope = this.id.parent().map(|scope| scope.as_str().to_owned()).unwrap_or_default();
    Some(Held {
        key: format!("role {scope} {principal} {}", last(role)),
        does: "gives the same role to the same principal at the same scope".to_owned(),
        field: "",
    })
}

/// Of a resource, a category of logs goes to one place by one setting.
fn sinks(this: &LinkedResource<'_>) -> Vec<Held> {
    let scope = this.id.parent().map(|scope| scope.as_str().to_owned()).unwrap_or_default();
    let ids = ["/properties/workspaceId", "/properties/storageAccountId", "/properties/marketplacePartnerId"];
    let lists = ["/properties/logs", "/properties/metrics"];
    let categories = lists.iter().filter_map(|list| this.body.pointer(list)?.as_array()).flatten();
    let said = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let categories =
        categories.filter(|item| item.get("enabled").is_none_or(|enabled| enabled != false)).filter_map(
            |item| said(item, "category").or_else(|| Some(format!("group {}", said(item, "categoryGroup")?))),
        );
    let categories: Vec<String> = categories.collect();
    let mut all = Vec::new();
    for sink in ids.iter().filter_map(|pointer| this.text(pointer)) {
        all.extend(categories.iter().map(|category| Held {
            key: format!("sink {scope} {sink} {category}"),
            does: format!(
                "sends `{}` of the same resource to the same place",
                category.trim_start_matches("group ")
            ),
            field: "",
        }));
    }
    all
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
