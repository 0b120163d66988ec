//! What kinds that keep data have in common.

use super::defaults::Asked;
use crate::core::error::Failure;
use crate::core::json::{Object, list, text};
use crate::core::path::cut;
use crate::core::store::Resource;

pub(super) const SUBNET: &str = "microsoft.network/virtualnetworks/subnets";

pub(super) fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

pub(super) fn small(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

pub(super) fn is_disabled(body: &Object) -> bool {
    text(body, "properties.publicNetworkAccess").is_some_and(|access| access.eq_ignore_ascii_case("Disabled"))
}

/// Whether a subnet has the endpoint of a service.
pub(super) fn serves(subnet: &Resource, service: &str) -> bool {
    let services = list(&subnet.body, "properties.serviceEndpoints").iter();
    services.filter_map(|s| s.get("service")?.as_str()).any(|s| s.to_ascii_lowercase().starts_with(service))
}

/// The server that something is below.
pub(super) fn server<'w>(asked: &Asked<'w>) -> Option<&'w Resource> {
    asked.world.state.resources.get(cut(asked.key, 2))
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    async fn bench() -> Bench {
        let bench = Bench::new().await;
        for namespace in ["Sql", "Storage", "ContainerRegistry", "DocumentDB", "Cache"] {
            bench.post(&format!("/providers/Microsoft.{namespace}/register")).await;
            bench.get(&format!("/providers/Microsoft.{namespace}")).await;
        }
        bench
    }

    #[tokio::test(start_paused = true)]
    async fn a_sql_server_hears_of_its_entra_administrator_once() {
        let bench = bench().await;
        let id = Bench::rid("Microsoft.Sql/servers/sql-1");
        let admin = |login: &str| json!({"login": login, "sid": crate::TENANT, "tenantId": crate::TENANT, "azureADOnlyAuthentication": true});
        let body =
            |login: &str| json!({"location": "westeurope", "properties": {"administrators": admin(login)}});
        let made = bench.make(&id, body("first")).await;
        assert!(made["properties"]["administratorLogin"].as_str().unwrap().starts_with("CloudSA"));
        assert_eq!(bench.make(&id, body("second")).await["properties"]["administrators"]["login"], "first");
        let own = bench.get(&format!("{id}/administrators/ActiveDirectory")).await;
        assert_eq!(own.at("/properties/login"), "first");
        let only = bench.get(&format!("{id}/azureADOnlyAuthentications/Default")).await;
        assert_eq!(only.at("/properties/azureADOnlyAuthentication"), &json!(true));
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_what_azure_refuses() {
        let bench = bench().await;
        let at = |kind: &str, name: &str| Bench::rid(&format!("Microsoft.{kind}/{name}"));
        let place = |more: Value| {
            let mut body = json!({"location": "westeurope"});
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        let login =
            |password: &str| json!({"administratorLogin": "a", "administratorLoginPassword": password});
        let closed = json!({"publicNetworkAccess": "Disabled"});
        let zone = json!({"locations": [{"locationName": "westeurope", "failoverPriority": 1}], "databaseAccountOfferType": "Standard"});
        for (path, body, code) in [
            (at("Sql/servers", "sql-1"), json!({"properties": {}}), "InvalidParameterValue"),
            (at("Sql/servers", "sql-1"), json!({"properties": login("short")}), "PasswordNotComplex"),
            (
                at("ContainerRegistry/registries", "crshop"),
                json!({"sku": {"name": "Basic"}, "properties": closed}),
                "NotSupportedForSku",
            ),
            (
                at("Storage/storageAccounts", "St"),
                json!({"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}),
                "AccountNameInvalid",
            ),
            (at("DocumentDB/databaseAccounts", "cosmos"), json!({"properties": zone}), "BadRequest"),
            (
                at("Cache/redisEnterprise", "redis"),
                json!({"sku": {"name": "Balanced_B5"}}),
                "MissingRequiredProperty",
            ),
        ] {
            let seen = bench.put(&path, place(body.clone())).await;
            assert_eq!((seen.status, seen.code()), (400, code), "{path} {body}");
        }
        let id = at("Sql/servers", "sql-2");
        let mut server = login("Passw0rd!x");
        server["publicNetworkAccess"] = json!("Disabled");
        bench.make(&id, place(json!({"properties": server}))).await;
        let rule = json!({"properties": {"startIpAddress": "1.2.3.4", "endIpAddress": "1.2.3.4"}});
        assert_eq!(
            bench.put(&format!("{id}/firewallRules/a"), rule).await.code(),
            "DenyPublicEndpointEnabled"
        );
    }
}
