//! User-assigned identities and their federated credentials.

use crate::core::behaviour::{Answer, Behaviour, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{list, set, text};
use crate::core::store::Resource;
use crate::core::world::{PrincipalKind, World};
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.ManagedIdentity/userAssignedIdentities`.
#[derive(Debug)]
pub(crate) struct Identity;

/// `…/federatedIdentityCredentials`.
#[derive(Debug)]
pub(crate) struct FederatedCredential;

/// How long the directory takes to know a new principal everywhere.
const PROPAGATION: Duration = Duration::from_secs(25);

/// The identity as it stands in the store; its principal becomes known after a while.
pub(crate) fn make(
    world: &mut World,
    id: &str,
    location: &str,
    tags: Value,
    isolation: Option<Value>,
) -> Resource {
    let key = id.to_ascii_lowercase();
    let (principal, client) = (world.uuid(&key, "principal"), world.uuid(&key, "client"));
    if !world.state.principals.contains_key(&principal) {
        let known_from = world.now.now().plus(PROPAGATION);
        world.add_principal(&principal, PrincipalKind::ServicePrincipal, known_from);
    }
    let body = json!({
        "location": location,
        "tags": tags,
        "id": id,
        "name": crate::core::path::last(id),
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "properties": {"tenantId": world.state.tenant, "principalId": principal, "clientId": client},
    });
    let mut body = crate::core::json::object(body);
    if let Some(isolation) = isolation {
        set(&mut body, "properties.isolationScope", isolation);
    }
    Resource::new(id, "microsoft.managedidentity/userassignedidentities", body)
}

impl Behaviour for Identity {
    fn spell(&self, id: String) -> String {
        id.replacen("/resourceGroups/", "/resourcegroups/", 1)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let name = call.path.name();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !(3..=128).contains(&name.len()) || !first || !name.chars().all(fits) {
            let message =
                format!("The resource name '{name}' is invalid: 3 to 128 letters, digits, '-' and '_'.");
            return Err(Failure::bad("InvalidResourceName", message));
        }
        let key = &call.path.key;
        if !world.state.resources.contains(key) {
            world.enter_generation(key);
        }
        let location = text(&call.body, "location").unwrap_or_default();
        let tags = call.body.get("tags").cloned().unwrap_or_else(|| json!({}));
        let isolation = crate::core::json::at(&call.body, "properties.isolationScope").cloned();
        let resource = make(world, &call.id, location, tags, isolation);
        let status = stored_and_new(world, call, resource);
        let mut response = world.answer(status, key);
        if status == 201 {
            response.headers.set("location", call.id.clone());
        }
        Ok(response)
    }
}

impl Behaviour for FederatedCredential {
    fn spell(&self, id: String) -> String {
        id.replacen("/resourceGroups/", "/resourcegroups/", 1)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let (name, key) = (call.path.name(), &call.path.key);
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !(3..=120).contains(&name.len()) || !first || !name.chars().all(fits) {
            let message = format!("The federated identity credential name '{name}' is invalid.");
            return Err(Failure::bad("InvalidResourceName", message));
        }
        for member in ["issuer", "subject"] {
            if text(&call.body, &format!("properties.{member}")).is_none_or(str::is_empty) {
                let message =
                    format!("The property '{member}' of the federated identity credential is required.");
                return Err(Failure::bad("BadRequest", message).target(format!("properties.{member}")));
            }
        }
        if list(&call.body, "properties.audiences").len() != 1 {
            let message = "The federated identity credential must have exactly one audience.";
            return Err(Failure::bad("BadRequest", message).target("properties.audiences"));
        }
        let parent = call.path.parent().unwrap_or_default();
        let siblings = format!("{parent}/federatedidentitycredentials");
        let same = |r: &Resource| {
            ["properties.issuer", "properties.subject"]
                .iter()
                .all(|m| text(&r.body, m) == text(&call.body, m))
        };
        let others: Vec<&Resource> =
            world.state.resources.members(&siblings).filter(|(k, _)| k != key).map(|(_, r)| r).collect();
        if others.len() >= 20 && !world.state.resources.contains(key) {
            let message = "Too many Federated Identity Credentials: 20 is the limit for one identity.";
            return Err(Failure::bad("TooManyFederatedIdentityCredentials", message));
        }
        if others.iter().any(|r| same(r)) {
            let message = "Issuer and subject combination already exists for this Managed Identity.";
            return Err(Failure::new(409, "Conflict", message));
        }
        let mut body = call.envelope();
        for member in ["issuer", "subject", "audiences"] {
            let path = format!("properties.{member}");
            set(&mut body, &path, crate::core::json::at(&call.body, &path).cloned().unwrap_or_default());
        }
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let mut response = world.answer(status, key);
        if status == 201 {
            response.headers.set("location", call.id.clone());
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn identities_come_at_once_with_principal_and_relative_location() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.ManagedIdentity/userAssignedIdentities/uai");
        let seen = bench.put(&id, json!({"location": "westeurope"})).await;
        let lower = id.replace("resourceGroups", "resourcegroups");
        assert_eq!((seen.status, seen.header("location")), (201, lower.as_str()));
        assert_eq!(seen.at("/id"), &json!(lower));
        let principal = seen.at("/properties/principalId").clone();
        let again = bench.put(&id, json!({"location": "westeurope"})).await;
        assert_eq!((again.status, again.header("location")), (200, ""));
        assert_eq!(again.at("/properties/principalId"), &principal);
        bench.delete(&id).await;
        let reborn = bench.put(&id, json!({"location": "westeurope"})).await;
        assert_ne!(reborn.at("/properties/principalId"), &principal, "a new life has a new principal");
    }

    #[tokio::test(start_paused = true)]
    async fn federated_credentials_are_unique_and_complete() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.ManagedIdentity/userAssignedIdentities/uai");
        bench.make(&id, json!({"location": "westeurope"})).await;
        let body = json!({"properties": {"issuer": "https://i/", "subject": "s", "audiences": ["a"]}});
        let fic = |name: &str| format!("{id}/federatedIdentityCredentials/{name}");
        assert_eq!(bench.put(&fic("fic1"), body.clone()).await.status, 201);
        assert_eq!(bench.put(&fic("fic1"), body.clone()).await.status, 200);
        assert_eq!(bench.put(&fic("fic2"), body).await.code(), "Conflict");
        assert_eq!(bench.put(&fic("fic3"), json!({"properties": {"issuer": "x"}})).await.status, 400);
    }
}
