//! The bodies of a key vault.

use super::checks::PERMISSIONS;
use super::spec::{Authorization, Bypass, DefaultAction, NetworkRulesSpec, PolicySpec, Sku, Spec};
use crate::catalog::model;
use crate::models::key_vault as models;
use serde_json::{Value, json};

impl Spec {
    /// Who decides about access to what is in a new vault.
    pub(super) fn authorization(&self) -> Authorization {
        self.authorization.unwrap_or_default()
    }

    pub(super) fn properties(&self, tenant: &str) -> Value {
        let sku = match self.sku.unwrap_or_default() {
            Sku::Standard => models::sku::Name::Standard,
            Sku::Premium => models::sku::Name::Premium,
        };
        let policies: Vec<_> = self.access_policies.values().map(|policy| policy.entry(tenant)).collect();
        let properties = models::VaultProperties {
            access_policies: policies,
            // Said in every case: what it means to leave it out differs between API versions.
            enable_rbac_authorization: Some(self.authorization() == Authorization::Rbac),
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
        if self.authorization == Some(Authorization::AccessPolicies) && self.access_policies.is_empty() {
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

pub(super) fn say_empty(object: &mut Value, list: &str) {
    if object[list].is_null() {
        object[list] = json!([]);
    }
}

impl PolicySpec {
    pub(super) fn entry(&self, tenant: &str) -> models::AccessPolicyEntry {
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
    pub(super) fn rule_set(&self) -> models::NetworkRuleSet {
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
