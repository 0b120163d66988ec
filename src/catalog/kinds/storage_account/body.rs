//! The bodies of a storage account.

use super::spec::{ContainerSpec, NetworkRulesSpec};
use serde_json::{Value, json};

impl ContainerSpec {
    pub(super) fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(key)
    }
}

impl NetworkRulesSpec {
    pub(super) fn body(&self) -> Value {
        // Azure takes no prefix of a single address.
        let alone = |ip: &String| ip.strip_suffix("/32").unwrap_or(ip).to_owned();
        let ips = self.ips.iter().map(|ip| json!({ "value": alone(ip), "action": "Allow" }));
        let subnets = self.subnets.iter().map(|subnet| json!({ "id": subnet.id(), "action": "Allow" }));
        json!({
            "defaultAction": "Deny",
            "bypass": if self.trusted_services { "AzureServices" } else { "None" },
            "ipRules": ips.collect::<Vec<_>>(),
            "virtualNetworkRules": subnets.collect::<Vec<_>>(),
        })
    }
}
