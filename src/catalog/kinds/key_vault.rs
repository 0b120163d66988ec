//! Key vaults and their secrets: `Microsoft.KeyVault/vaults`
//! (<https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults>).
//!
//! Secrets are written through ARM (`vaults/secrets`), not through the vault's own endpoint: that works while the
//! vault is closed to public networks and asks for no role on its data. ARM never returns a secret's value and cannot
//! delete one, so values are compared by digest and a dropped secret stays until its vault goes.

use super::key_vault_secret;
use super::key_vault_secret::SecretSpec;
use super::naming::{NameRule, alphanumeric, did_you_mean};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Listing, Merged, Nested, Problem, Reference, ResourceType,
    UpdateMode, model,
};
use crate::catalog::{Preflight, SoftDeletion};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use azure_mgmt_keyvault::package_preview_2022_02::models;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A key vault.
pub struct KeyVault;

/// A key vault with its secrets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Who may use what is in the vault: by Azure roles (`rbac`, the default) or by `accessPolicies`.
    #[serde(default)]
    authorization: Authorization,
    /// Whether the vault answers on public networks; `false` leaves private endpoints only. Azure's default (`true`)
    /// when absent.
    public_access: Option<bool>,
    /// `standard` (the default), or `premium` for keys in hardware.
    #[serde(default)]
    sku: Sku,
    /// How many days a deleted vault can be recovered, 7 to 90; Azure's default (90) when absent. Never changes.
    soft_delete_retention_days: Option<i32>,
    /// Whether a deleted vault is kept until its retention ends, whoever wants it purged. Once on it stays on, so
    /// `false` is the same as leaving it out.
    #[serde(default)]
    purge_protection: bool,
    /// Who may do what, by key; for `authorization: accessPolicies`.
    #[serde(default)]
    access_policies: IndexMap<String, PolicySpec>,
    /// From where on public networks the vault may be reached.
    network_rules: Option<NetworkRulesSpec>,
    /// Whether virtual machines may fetch certificates that are stored as secrets.
    enabled_for_deployment: Option<bool>,
    /// Whether Azure Disk Encryption may fetch secrets and unwrap keys.
    enabled_for_disk_encryption: Option<bool>,
    /// Whether Azure Resource Manager may fetch secrets for templates.
    enabled_for_template_deployment: Option<bool>,
    /// Secrets in the vault, by key. One that is dropped here stays in the vault, which is all that ARM allows.
    #[serde(default)]
    secrets: IndexMap<String, SecretSpec>,
}

/// Who decides about access to what is in a vault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Authorization {
    /// Azure roles on the vault.
    #[default]
    Rbac,
    /// The vault's own access policies.
    AccessPolicies,
}

/// The edition of a vault.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Sku {
    /// Keys are protected by software.
    #[default]
    Standard,
    /// Keys can be kept in hardware security modules.
    Premium,
}

/// What a principal may do with what is in the vault.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PolicySpec {
    /// Who: an identity of the blueprint, or the object id of a user, group or service principal.
    principal: Reference,
    /// The application that must act for the principal; any when absent.
    application_id: Option<String>,
    /// What may be done with secrets, such as `[get, list]`.
    #[serde(default)]
    secrets: Vec<String>,
    /// What may be done with keys, such as `[get, wrapKey, unwrapKey]`.
    #[serde(default)]
    keys: Vec<String>,
    /// What may be done with certificates, such as `[get, import]`.
    #[serde(default)]
    certificates: Vec<String>,
    /// What may be done with managed storage accounts.
    #[serde(default)]
    storage: Vec<String>,
}

/// The firewall of a vault: what is not allowed here is refused, unless `defaultAction` says otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkRulesSpec {
    /// What happens to everybody else; `Deny` when absent.
    #[serde(default)]
    default_action: DefaultAction,
    /// Who passes whatever the rules say: `AzureServices` (the default) or `None`.
    #[serde(default)]
    bypass: Bypass,
    /// Public addresses or CIDR blocks that are let in.
    #[serde(default)]
    ips: Vec<String>,
    /// Subnets that are let in; each needs the service endpoint `Microsoft.KeyVault`.
    #[serde(default)]
    subnets: Vec<Reference>,
    /// Whether subnets without that service endpoint are accepted all the same.
    #[serde(default)]
    ignore_missing_service_endpoint: bool,
}

/// What a firewall does with those it has no rule for.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub enum DefaultAction {
    /// They are refused.
    #[default]
    Deny,
    /// They are let in.
    Allow,
}

/// Who need not pass a firewall.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
pub enum Bypass {
    /// The services of Azure that Microsoft trusts.
    #[default]
    AzureServices,
    /// Nobody.
    None,
}

pub(super) const API_VERSION: &str = "2026-02-01";
pub(super) const VAULT: &str = "Microsoft.KeyVault/vaults";

/// The vault itself.
pub static KEY_VAULT: ResourceType = ResourceType {
    // A PUT replaces the access policies of others; a PATCH changes what it names.
    update: UpdateMode::Patch,
    stateful: true,
    soft_deleted: Some(SoftDeletion {
        path: "/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}",
        kept_by: "/properties/enablePurgeProtection",
        kept_when_deleted: "/properties/purgeProtectionEnabled",
    }),
    lanes: &[Lane::Ancestor(VAULT)],
    rules: &[
        Rule::at("properties.tenantId").immutable().fold_case(),
        Rule::at("properties.sku.family").fold_case(),
        Rule::at("properties.sku.name").fold_case(),
        Rule::at("properties.accessPolicies").keyed("tenantId+objectId+applicationId"),
        Rule::at("properties.accessPolicies[].permissions.secrets").set().fold_case(),
        Rule::at("properties.accessPolicies[].permissions.keys").set().fold_case(),
        Rule::at("properties.accessPolicies[].permissions.certificates").set().fold_case(),
        Rule::at("properties.accessPolicies[].permissions.storage").set().fold_case(),
        // Vaults from before the flag existed have none, and go by access policies.
        Rule::at("properties.enableRbacAuthorization").default("false"),
        // No default, though Azure has one: to drop the field must not mean to replace the vault.
        Rule::at("properties.softDeleteRetentionInDays").immutable(),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.networkAcls.bypass").fold_case().default("\"AzureServices\""),
        Rule::at("properties.networkAcls.defaultAction").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.ipRules").set().default("[]"),
        Rule::at("properties.networkAcls.ipRules[].value").cidr(),
        Rule::at("properties.networkAcls.virtualNetworkRules").set().default("[]"),
        Rule::at("properties.networkAcls.virtualNetworkRules[].id").fold_case(),
        Rule::at("properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint")
            .default("false"),
        Rule::at("properties.networkAcls.virtualNetworkRules[].state").read_only(),
        Rule::at("properties.enabledForDeployment").default("false"),
        Rule::at("properties.enabledForDiskEncryption").default("false"),
        Rule::at("properties.enabledForTemplateDeployment").default("false"),
        Rule::at("properties.createMode").create_only(),
        Rule::at("properties.vaultUri").read_only(),
        Rule::at("properties.hsmPoolResourceId").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[Facet::new("uri", "/properties/vaultUri", "the URL of the vault's own endpoint")],
    listing: Listing::Subscription,
    preflight: &[Preflight::Name {
        path: "Microsoft.KeyVault/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(25),
    expected_update: Duration::from_secs(8),
    expected_delete: Duration::from_secs(15),
    ..ResourceType::new(VAULT, API_VERSION, "key vault")
};

const KEY_VAULT_NAME: Code = Code {
    name: "key-vault-name",
    why: "Vault names are part of a DNS name that all of Azure shares.",
    remedy: "Use 3 to 24 letters, digits and `-`; `uniqueString` keeps it apart from others.",
    example: "name: kv-shop-${uniqueString(azure.subscription)}",
};

const NAME: NameRule = NameRule {
    code: &KEY_VAULT_NAME,
    what: "a key vault",
    min: 3,
    max: 24,
    first: |c| c.is_ascii_alphabetic(),
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "3 to 24 letters, digits and `-`, starting with a letter, not ending with `-`, and no `--`; \
           vault names are taken worldwide, so `${uniqueString(azure.resourceGroup)}` helps",
};

/// What can be permitted, by what it is permitted on.
const PERMISSIONS: [(&str, &[&str]); 4] = [
    ("secrets", &["all", "get", "list", "set", "delete", "backup", "restore", "recover", "purge"]),
    (
        "keys",
        &[
            "all",
            "encrypt",
            "decrypt",
            "wrapKey",
            "unwrapKey",
            "sign",
            "verify",
            "get",
            "list",
            "create",
            "update",
            "import",
            "delete",
            "backup",
            "restore",
            "recover",
            "purge",
            "release",
            "rotate",
            "getrotationpolicy",
            "setrotationpolicy",
        ],
    ),
    (
        "certificates",
        &[
            "all",
            "get",
            "list",
            "delete",
            "create",
            "import",
            "update",
            "managecontacts",
            "getissuers",
            "listissuers",
            "setissuers",
            "deleteissuers",
            "manageissuers",
            "recover",
            "purge",
            "backup",
            "restore",
        ],
    ),
    (
        "storage",
        &[
            "all",
            "get",
            "list",
            "delete",
            "set",
            "update",
            "regeneratekey",
            "recover",
            "purge",
            "backup",
            "restore",
            "setsas",
            "listsas",
            "getsas",
            "deletesas",
        ],
    ),
];

impl EntryKind for KeyVault {
    const SECTION: &'static str = "keyVaults";
    const TITLE: &'static str = "key vault";
    const ARM_TYPE: &'static str = VAULT;
    const ABOUT: &'static str = "A key vault and the secrets that the blueprint puts into it. A deleted vault keeps its \
        name until it is purged; when berth meets such a name it plans to recover the vault.";
    const EXAMPLE: &'static str = "\
parameters:
  databasePassword: { type: string, secret: true }
identities:
  app: { name: id-shop-app }
keyVaults:
  secrets:
    name: kv-shop-${uniqueString(azure.resourceGroup)}
    publicAccess: false
    purgeProtection: true
    secrets:
      databasePassword:
        name: database-password
        value: ${param.databasePassword}
        contentType: text/plain
  legacy:
    name: kv-old-${uniqueString(azure.resourceGroup)}
    authorization: accessPolicies
    accessPolicies:
      app: { principal: '${identities.app}', secrets: [get, list] }
    networkRules:
      ips: [203.0.113.7]
";
    const TYPES: &'static [&'static ResourceType] = &[&KEY_VAULT, &super::key_vault_secret::SECRET];
    const NESTED: &'static [Nested] = &[Nested::at("secrets.*")];
    const MERGED: &'static [Merged] = &[Merged::list("accessPolicies", "properties.accessPolicies")];
    const CODES: &'static [&'static [&'static Code]] = &[
        &[
            &KEY_VAULT_NAME,
            &KEY_VAULT_IP,
            &KEY_VAULT_POLICIES_UNUSED,
            &KEY_VAULT_RETENTION,
            &KEY_VAULT_RULES_UNUSED,
            &KEY_VAULT_PERMISSION,
            &KEY_VAULT_PRINCIPAL,
        ],
        key_vault_secret::CODES,
    ];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        if NAME.allows(&name) && name.contains("--") {
            cx.problem(
                Problem::error(NAME.code, "name", format!("`{}` has two `-` in a row", display_text(&name)))
                    .help("use one `-` at a time"),
            );
        }
        spec.check(cx);
        let body = cx.tracked(spec.properties(&cx.common.tenant));
        let vault = cx.id(VAULT, &[&name]);
        cx.main(Draft::new(cx.address.clone(), vault.as_str(), &KEY_VAULT, body));
        for (key, secret) in spec.secrets {
            secret.expand(&key, &vault, cx);
        }
    }
}

const KEY_VAULT_IP: Code = Code {
    name: "key-vault-ip",
    why: "A vault's rules take public IPv4 addresses and ranges; private ones come through endpoints.",
    remedy: "Write a public address or range.",
    example: "networkRules: { ips: [203.0.113.0/24] }",
};

const KEY_VAULT_POLICIES_UNUSED: Code = Code {
    name: "key-vault-policies-unused",
    why: "A vault goes by Azure roles or by its own access policies: with roles, policies have no effect.",
    remedy: "Write `authorization: accessPolicies`, or use roleAssignments.",
    example: "authorization: rbac",
};

const KEY_VAULT_RETENTION: Code = Code {
    name: "key-vault-retention",
    why: "A deleted vault is kept for 7 to 90 days, which cannot be changed later.",
    remedy: "Write a number within.",
    example: "softDeleteRetentionDays: 90",
};

const KEY_VAULT_RULES_UNUSED: Code = Code {
    name: "key-vault-rules-unused",
    why: "Without public access nobody is let in by a rule: only private endpoints lead to the vault.",
    remedy: "Drop the rules, or `publicAccess: false`.",
    example: "publicAccess: false",
};

impl Spec {
    fn check(&self, cx: &mut EntryCx<'_>) {
        if let Some(days) = self.soft_delete_retention_days.filter(|days| !(7..=90).contains(days)) {
            cx.problem(
                Problem::error(
                    &KEY_VAULT_RETENTION,
                    "softDeleteRetentionDays",
                    format!("a deleted vault cannot be kept for {days} days"),
                )
                .help("write 7 to 90, or leave it out for 90"),
            );
        }
        if self.authorization == Authorization::Rbac && !self.access_policies.is_empty() {
            cx.problem(
                Problem::warning(
                    &KEY_VAULT_POLICIES_UNUSED,
                    "accessPolicies",
                    "the vault goes by Azure roles, so its access policies have no effect",
                )
                .help("write `authorization: accessPolicies`, or roleAssignments in place of the policies"),
            );
        }
        for (key, policy) in &self.access_policies {
            policy.check(key, cx);
        }
        let Some(rules) = &self.network_rules else { return };
        if self.public_access == Some(false) && !(rules.ips.is_empty() && rules.subnets.is_empty()) {
            cx.problem(
                Problem::warning(
                    &KEY_VAULT_RULES_UNUSED,
                    "networkRules",
                    "with `publicAccess: false` no address and no subnet is let in, whatever the rules say",
                )
                .help("drop the rules, or `publicAccess: false`"),
            );
        }
        for (at, ip) in rules.ips.iter().enumerate().filter(|(_, ip)| !has_token(ip) && !is_ipv4(ip)) {
            cx.problem(
                Problem::error(
                    &KEY_VAULT_IP,
                    format!("networkRules.ips[{at}]"),
                    format!("`{ip}` is no address"),
                )
                .help("write a public IPv4 address or a CIDR block, such as `203.0.113.0/24`"),
            );
        }
    }

    fn properties(&self, tenant: &str) -> Value {
        let sku = match self.sku {
            Sku::Standard => models::sku::Name::Standard,
            Sku::Premium => models::sku::Name::Premium,
        };
        let policies: Vec<_> = self.access_policies.values().map(|policy| policy.entry(tenant)).collect();
        let properties = models::VaultProperties {
            access_policies: policies,
            // Said in every case: what it means to leave it out differs between API versions.
            enable_rbac_authorization: Some(self.authorization == Authorization::Rbac),
            soft_delete_retention_in_days: self.soft_delete_retention_days,
            // Azure takes no `false`.
            enable_purge_protection: self.purge_protection.then_some(true),
            // Alone it closes the vault; the firewall's rules are no longer asked then.
            public_network_access: self
                .public_access
                .map(|public| if public { "Enabled" } else { "Disabled" }.to_owned()),
            network_acls: self.network_rules.as_ref().map(NetworkRulesSpec::rule_set),
            enabled_for_deployment: self.enabled_for_deployment,
            enabled_for_disk_encryption: self.enabled_for_disk_encryption,
            enabled_for_template_deployment: self.enabled_for_template_deployment,
            ..models::VaultProperties::new(tenant.to_owned(), models::Sku::new(models::sku::Family::A, sku))
        };
        let mut properties = model(&properties);
        // The models leave empty lists out. Here they say something: that nothing is permitted any more.
        if self.authorization == Authorization::AccessPolicies && self.access_policies.is_empty() {
            properties["accessPolicies"] = json!([]);
        }
        for policy in properties.get_mut("accessPolicies").and_then(Value::as_array_mut).into_iter().flatten()
        {
            for (on, _) in PERMISSIONS {
                say_empty(&mut policy["permissions"], on);
            }
        }
        if let Some(rules) = properties.get_mut("networkAcls") {
            say_empty(rules, "ipRules");
            say_empty(rules, "virtualNetworkRules");
        }
        properties
    }
}

fn say_empty(object: &mut Value, list: &str) {
    if object[list].is_null() {
        object[list] = json!([]);
    }
}

const KEY_VAULT_PERMISSION: Code = Code {
    name: "key-vault-permission",
    why: "The permission is not one that this kind of object has.",
    remedy: "Take one that the message lists.",
    example: "accessPolicies: { app: { principal: \"${identities.app}\", secrets: [get, list] } }",
};

const KEY_VAULT_PRINCIPAL: Code = Code {
    name: "key-vault-principal",
    why: "An access policy is for a principal, named by its object id.",
    remedy: "Refer to an identity, or write the GUID.",
    example: "principal: ${identities.app}",
};

impl PolicySpec {
    fn permissions(&self) -> [&[String]; 4] {
        [&self.secrets, &self.keys, &self.certificates, &self.storage]
    }

    fn check(&self, key: &str, cx: &mut EntryCx<'_>) {
        if self.principal.path().is_none()
            && !has_token(&self.principal.0)
            && uuid::Uuid::try_parse(&self.principal.0).is_err()
        {
            cx.problem(
                Problem::error(
                    &KEY_VAULT_PRINCIPAL,
                    format!("accessPolicies.{key}.principal"),
                    format!("`{}` is no principal", self.principal.0),
                )
                .help("write a reference such as `${identities.app}`, or the object id, which is a GUID"),
            );
        }
        for ((on, known), written) in PERMISSIONS.iter().zip(self.permissions()) {
            for (at, permission) in written.iter().enumerate() {
                if has_token(permission) || known.iter().any(|known| known.eq_ignore_ascii_case(permission)) {
                    continue;
                }
                let path = format!("accessPolicies.{key}.{on}[{at}]");
                let message = format!("`{permission}` is nothing that can be permitted on {on}");
                let help = did_you_mean(permission, known.iter().copied());
                let help = help.unwrap_or_else(|| format!("write some of {}", known.join(", ")));
                cx.problem(Problem::error(&KEY_VAULT_PERMISSION, path, message).help(help));
            }
        }
    }

    fn entry(&self, tenant: &str) -> models::AccessPolicyEntry {
        models::AccessPolicyEntry {
            application_id: self.application_id.clone(),
            ..models::AccessPolicyEntry::new(
                tenant.to_owned(),
                self.principal.facet("principalId"),
                models::Permissions {
                    keys: self.keys.clone(),
                    secrets: self.secrets.clone(),
                    certificates: self.certificates.clone(),
                    storage: self.storage.clone(),
                },
            )
        }
    }
}

impl NetworkRulesSpec {
    fn rule_set(&self) -> models::NetworkRuleSet {
        let ignore_missing = self.ignore_missing_service_endpoint.then_some(true);
        models::NetworkRuleSet {
            bypass: Some(match self.bypass {
                Bypass::AzureServices => models::network_rule_set::Bypass::AzureServices,
                Bypass::None => models::network_rule_set::Bypass::None,
            }),
            default_action: Some(match self.default_action {
                DefaultAction::Deny => models::network_rule_set::DefaultAction::Deny,
                DefaultAction::Allow => models::network_rule_set::DefaultAction::Allow,
            }),
            ip_rules: self.ips.iter().map(|ip| models::IpRule::new(ip.clone())).collect(),
            virtual_network_rules: self
                .subnets
                .iter()
                .map(|subnet| models::VirtualNetworkRule {
                    ignore_missing_vnet_service_endpoint: ignore_missing,
                    ..models::VirtualNetworkRule::new(subnet.id())
                })
                .collect(),
        }
    }
}

/// Whether a text is an IPv4 address or CIDR block.
fn is_ipv4(text: &str) -> bool {
    let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
    address.parse::<std::net::Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    const NONE: [&str; 0] = [];

    #[test]
    fn a_vault_goes_by_roles_and_says_so() {
        let (drafts, problems) = expand(
            "keyVaults",
            "secrets",
            json!({ "name": "kv-shop", "publicAccess": false, "purgeProtection": true, "tags": { "team": "a" } }),
        );
        assert_eq!(problems, []);
        assert_eq!(
            id(&drafts[0]),
            "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-shop"
        );
        assert_eq!(
            drafts[0].body,
            json!({ "location": "westeurope", "tags": { "team": "a" }, "properties": {
                "tenantId": "tenant",
                "sku": { "family": "A", "name": "standard" },
                "enableRbacAuthorization": true,
                "enablePurgeProtection": true,
                "publicNetworkAccess": "Disabled",
            } })
        );
        let (drafts, _) = expand("keyVaults", "vault", json!({ "purgeProtection": false, "sku": "premium" }));
        assert_eq!(drafts[0].body["properties"].get("enablePurgeProtection"), None);
        assert_eq!(drafts[0].body["properties"]["sku"]["name"], "premium");
    }

    #[test]
    fn access_policies_and_rules() {
        let (drafts, problems) = expand(
            "keyVaults",
            "old",
            json!({
                "authorization": "accessPolicies",
                "accessPolicies": { "app": { "principal": reference("identities.app"), "secrets": ["get"] } },
                "networkRules": { "ips": ["1.2.3.4"], "subnets": [reference("networks.hub.subnets.nodes")] },
            }),
        );
        assert_eq!(problems, []);
        let properties = &drafts[0].body["properties"];
        assert_eq!(properties["enableRbacAuthorization"], false);
        assert_eq!(
            properties["accessPolicies"],
            json!([{
                "tenantId": "tenant",
                "objectId": wants("identities.app", "principalId"),
                "permissions": { "secrets": ["get"], "keys": [], "certificates": [], "storage": [] },
            }])
        );
        assert_eq!(
            properties["networkAcls"],
            json!({
                "bypass": "AzureServices", "defaultAction": "Deny",
                "ipRules": [{ "value": "1.2.3.4" }],
                "virtualNetworkRules": [{ "id": wants("networks.hub.subnets.nodes", "id") }],
            })
        );
        // Azure asks for the list in this mode, even when there is nothing in it.
        let (drafts, _) = expand("keyVaults", "old", json!({ "authorization": "accessPolicies" }));
        assert_eq!(drafts[0].body["properties"]["accessPolicies"], json!([]));
    }

    fn live(properties: Value) -> Value {
        let mut body = json!({
            "id": "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/vault",
            "name": "vault", "type": "Microsoft.KeyVault/vaults", "location": "westeurope", "tags": {},
            "systemData": { "createdAt": "2001-02-03T04:05:06Z" },
            "properties": {
                "sku": { "family": "A", "name": "Standard" }, "tenantId": "tenant", "accessPolicies": [],
                "enabledForDeployment": false, "enableSoftDelete": true, "softDeleteRetentionInDays": 90,
                "vaultUri": "https://vault.vault.azure.net/", "provisioningState": "Succeeded",
                "publicNetworkAccess": "Enabled",
                "privateEndpointConnections": [{ "id": "x", "properties": {} }],
            },
        });
        crate::catalog::merge_over(&mut body["properties"], &properties);
        body
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let rbac = live(json!({ "enableRbacAuthorization": true }));
        for fields in [
            json!({}),
            json!({ "publicAccess": true, "softDeleteRetentionDays": 90, "enabledForDiskEncryption": false }),
        ] {
            let (drafts, problems) = expand("keyVaults", "vault", fields);
            assert_eq!(problems, []);
            assert_eq!(changes(&drafts[0], &rbac), NONE);
        }
        let principal = "2f826ae1-0000-0000-0000-000000000001";
        let subnet = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub/subnets/Nodes";
        let (drafts, _) = expand(
            "keyVaults",
            "vault",
            json!({
                "authorization": "accessPolicies",
                "accessPolicies": { "app": { "principal": principal, "secrets": ["get", "list"] } },
                "networkRules": { "ips": ["1.2.3.4"], "subnets": [subnet] },
            }),
        );
        let mut answer = live(json!({
            "accessPolicies": [
                { "tenantId": "tenant", "objectId": "somebody else", "permissions": { "keys": ["all"] } },
                { "tenantId": "tenant", "objectId": principal, "permissions": { "secrets": ["List", "Get"] } },
            ],
            "networkAcls": {
                "bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [{ "value": "1.2.3.4/32" }],
                "virtualNetworkRules": [{ "id": subnet.to_lowercase(), "ignoreMissingVnetServiceEndpoint": false }],
            },
        }));
        assert_eq!(changes(&drafts[0], &answer), NONE);
        answer["properties"]["accessPolicies"][1]["permissions"]["keys"] = json!(["get"]);
        answer["properties"]["networkAcls"]["ipRules"] =
            json!([{ "value": "1.2.3.4/32" }, { "value": "9.9.9.9/32" }]);
        assert_eq!(changes(&drafts[0], &answer).len(), 2, "more than was asked for is open");
    }

    #[test]
    fn what_cannot_change_replaces() {
        let (drafts, _) = expand("keyVaults", "vault", json!({ "softDeleteRetentionDays": 7 }));
        let found = changes(&drafts[0], &live(json!({ "enableRbacAuthorization": true })));
        assert_eq!(found, ["properties.softDeleteRetentionInDays!"]);
        let (drafts, _) = expand("keyVaults", "vault", json!({}));
        assert_eq!(changes(&drafts[0], &live(json!({}))), ["properties.enableRbacAuthorization"]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "name": "kv" }), "key-vault-name"),
            (json!({ "name": "kv--shop" }), "key-vault-name"),
            (json!({ "name": "1kv" }), "key-vault-name"),
            (json!({ "name": "kv-shop-" }), "key-vault-name"),
            (json!({ "name": "kv_shop" }), "key-vault-name"),
            (json!({ "softDeleteRetentionDays": 5 }), "key-vault-retention"),
            (
                json!({ "accessPolicies": { "a": { "principal": reference("identities.app") } } }),
                "key-vault-policies-unused",
            ),
            (
                json!({ "authorization": "accessPolicies", "accessPolicies": { "a": { "principal": "me" } } }),
                "key-vault-principal",
            ),
            (json!({ "networkRules": { "ips": ["10.0.0.0/33"] } }), "key-vault-ip"),
            (
                json!({ "publicAccess": false, "networkRules": { "ips": ["1.2.3.4"] } }),
                "key-vault-rules-unused",
            ),
        ] {
            assert_eq!(codes(expand("keyVaults", "vault", fields.clone())), [code], "{fields}");
        }
    }

    #[test]
    fn a_misspelt_permission_is_put_right() {
        let policy = json!({ "principal": reference("identities.app"), "keys": ["Get", "wrapkeys"] });
        let fields = json!({ "authorization": "accessPolicies", "accessPolicies": { "a": policy } });
        let (_, problems) = expand("keyVaults", "vault", fields);
        assert_eq!(problems[0].path, "accessPolicies.a.keys[1]");
        assert_eq!(problems[0].help.as_deref(), Some("did you mean `wrapKey`?"));
    }
}
