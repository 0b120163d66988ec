//! Key vaults and their access policies.

use super::vault_bin;
use crate::core::behaviour::{Answer, Behaviour, merge_patch, ok, replace_tags, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, list, object_at, remove, set, set_default, text};
use crate::core::operation::{Act, Style, Work, seconds};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.KeyVault/vaults`.
#[derive(Debug)]
pub(crate) struct Vault;

/// `Microsoft.KeyVault/vaults/accessPolicies`, which are written and never read.
#[derive(Debug)]
pub(crate) struct AccessPolicies;

const KIND: &str = "microsoft.keyvault/vaults";

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (3..=24).contains(&name.len())
        && name.chars().all(fits)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--")
}

/// The vault of this name anywhere in the subscription.
fn named<'w>(world: &'w World, name: &str) -> Option<&'w Resource> {
    let end = format!("/{KIND}/{}", name.to_ascii_lowercase());
    world.state.resources.of_kind(KIND).find(|(key, _)| key.ends_with(&end)).map(|(_, vault)| vault)
}

/// Whether a vault name is free.
pub(crate) fn check_name(world: &World, call: &Call<'_>) -> Answer {
    let name = text(&call.body, "name").unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let body = if !is_name(name) {
        let message = "The vault name is invalid: 3 to 24 letters, digits and single dashes.";
        json!({"nameAvailable": false, "reason": "AccountNameInvalid", "message": message})
    } else if named(world, name).is_some() || world.state.deleted_vaults.contains_key(&lower) {
        let message = format!("The vault name '{name}' is already in use.");
        json!({"nameAvailable": false, "reason": "AlreadyExists", "message": message})
    } else {
        json!({"nameAvailable": true})
    };
    ok(&body)
}

fn check(call: &Call<'_>, existing: Option<&Resource>) -> Result<(), Failure> {
    let body = &call.body;
    if text(body, "properties.tenantId").is_none_or(|t| uuid::Uuid::try_parse(t).is_err()) {
        return Err(bad("The parameter tenantId is not specified or is not a GUID."));
    }
    let sku = text(body, "properties.sku.name").unwrap_or_default();
    if !["standard", "premium"].contains(&sku.to_ascii_lowercase().as_str()) {
        return Err(bad("The parameter sku is not specified or its name is neither standard nor premium."));
    }
    check_changes(body, existing)?;
    let version = call.query.get("api-version").unwrap_or_default();
    let rbac = flag(body, "properties.enableRbacAuthorization").unwrap_or(version.as_str() >= "2026-02-01");
    if !rbac && at(body, "properties.accessPolicies").is_none() {
        return Err(bad("The parameter accessPolicies is not specified."));
    }
    Ok(())
}

/// The rules that hold for PUT and PATCH alike.
fn check_changes(body: &Object, existing: Option<&Resource>) -> Result<(), Failure> {
    if flag(body, "properties.enableSoftDelete") == Some(false) {
        return Err(bad(
            "The property \"enableSoftDelete\" can be set to false only for creating new vault. Enabling the 'soft delete' functionality is an irreversible action.",
        ));
    }
    if flag(body, "properties.enablePurgeProtection") == Some(false) {
        return Err(bad(
            "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.",
        ));
    }
    if let Some(days) = at(body, "properties.softDeleteRetentionInDays") {
        if !days.as_u64().is_some_and(|d| (7..=90).contains(&d)) {
            return Err(bad("The property \"softDeleteRetentionInDays\" must be between 7 and 90."));
        }
        let stored = existing.and_then(|r| at(&r.body, "properties.softDeleteRetentionInDays"));
        if stored.is_some_and(|s| s != days) {
            return Err(bad(
                "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.",
            ));
        }
    }
    Ok(())
}

/// Puts firewall rules into the form the vault answers with, and checks the networks they name.
fn normalise_acls(world: &World, body: &mut Object) -> Result<(), Failure> {
    if at(body, "properties.networkAcls").is_none() {
        return Ok(());
    }
    set_default(body, "properties.networkAcls.bypass", "AzureServices");
    set_default(body, "properties.networkAcls.defaultAction", "Allow");
    let addresses: Vec<Value> = list(body, "properties.networkAcls.ipRules")
        .iter()
        .filter_map(|r| r.get("value")?.as_str())
        .map(|v| json!({"value": if v.contains('/') { v.to_owned() } else { format!("{v}/32") }}))
        .collect();
    let mut networks = Vec::new();
    for rule in list(body, "properties.networkAcls.virtualNetworkRules") {
        let id = rule.get("id").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let ignore = rule.get("ignoreMissingVnetServiceEndpoint").and_then(Value::as_bool) == Some(true);
        let has_endpoint = |r: &Resource| {
            let services = list(&r.body, "properties.serviceEndpoints").iter();
            services
                .filter_map(|s| s.get("service")?.as_str())
                .any(|s| s.eq_ignore_ascii_case("Microsoft.KeyVault"))
        };
        if !ignore && !world.state.resources.get(&id).is_some_and(has_endpoint) {
            let message = format!(
                "Operation on Virtual Network could not be performed. StatusCode: 400 (BadRequest). Error Code: \
                 SubnetsHaveNoServiceEndpointsConfigured. Error Message: Subnets {id} do not have ServiceEndpoints for \
                 Microsoft.KeyVault resources configured."
            );
            return Err(Failure::bad("VirtualNetworkNotValid", message));
        }
        let mut rule = rule.as_object().cloned().unwrap_or_default();
        rule.insert("id".into(), json!(id));
        networks.push(Value::Object(rule));
    }
    set(body, "properties.networkAcls.ipRules", addresses);
    set(body, "properties.networkAcls.virtualNetworkRules", networks);
    Ok(())
}

impl Behaviour for Vault {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(15)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let (key, name) = (&call.path.key, call.path.name());
        let lower = name.to_ascii_lowercase();
        if !is_name(name) {
            let message = format!(
                "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The \
                 name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens."
            );
            return Err(Failure::bad("VaultNameNotValid", message));
        }
        let recover =
            text(&call.body, "properties.createMode").is_some_and(|m| m.eq_ignore_ascii_case("recover"));
        let exists = world.state.resources.contains(key);
        if !exists && world.state.deleted_vaults.contains_key(&lower) {
            if recover {
                return vault_bin::recover(world, call, &lower);
            }
            return Err(vault_bin::name_is_held());
        }
        if recover && !exists {
            let message = "Recovery failed because a soft deleted vault with this name could not be found.";
            return Err(Failure::new(404, "SoftDeletedVaultDoesNotExist", message));
        }
        if !exists && named(world, name).is_some() {
            let message = format!(
                "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the \
                 name is already taken. If you are sure that the vault name was not taken then it is possible that a \
                 vault with the same name was recently deleted but not purged after being placed in a recoverable state. \
                 If the vault is in a recoverable state then the vault will need to be purged before reusing the name."
            );
            return Err(Failure::new(409, "VaultAlreadyExists", message));
        }
        let existing = world.state.resources.get(key);
        check(call, existing)?;
        check_firewall(world, call)?;
        let mut body = call.envelope();
        body.insert("location".into(), call.body.get("location").cloned().unwrap_or_default());
        body.insert("tags".into(), call.body.get("tags").cloned().unwrap_or_else(|| json!({})));
        body.insert("systemData".into(), system_data(world, existing));
        body.insert("properties".into(), Value::Object(call.properties()));
        for member in ["createMode", "privateEndpointConnections", "hsmPoolResourceId"] {
            object_at(&mut body, "properties").shift_remove(member);
        }
        if existing.is_some_and(|r| flag(&r.body, "properties.enablePurgeProtection") == Some(true)) {
            set(&mut body, "properties.enablePurgeProtection", true);
        }
        let retention = existing.and_then(|r| at(&r.body, "properties.softDeleteRetentionInDays")).cloned();
        let stored_rbac = existing.map(|r| at(&r.body, "properties.enableRbacAuthorization").cloned());
        normalise_acls(world, &mut body)?;
        let version = call.query.get("api-version").unwrap_or_default();
        match stored_rbac {
            None if version.as_str() >= "2026-02-01" => {
                set_default(&mut body, "properties.enableRbacAuthorization", true);
            }
            Some(Some(rbac)) => set_default(&mut body, "properties.enableRbacAuthorization", rbac),
            _ => {}
        }
        set_default(&mut body, "properties.accessPolicies", json!([]));
        set_default(&mut body, "properties.enabledForDeployment", false);
        set_default(&mut body, "properties.enableSoftDelete", true);
        set_default(
            &mut body,
            "properties.softDeleteRetentionInDays",
            retention.unwrap_or_else(|| json!(90)),
        );
        set_default(&mut body, "properties.publicNetworkAccess", "Enabled");
        set(&mut body, "properties.vaultUri", format!("https://{lower}.vault.azure.net/"));
        set(&mut body, "properties.provisioningState", if exists { "Succeeded" } else { "RegisteringDns" });
        if !exists {
            world.enter_generation(key);
        }
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        if exists {
            return Ok(world.answer(200, key));
        }
        world.start(call, Work::on(Style::Silent, Act::Create, key));
        // The very first answer has no slash at the end of the URI yet; every later one has.
        let mut body = world.need(call)?.body.members();
        set(&mut body, "properties.vaultUri", format!("https://{lower}.vault.azure.net"));
        Ok(Response::new(200, Value::Object(body).to_string()))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        check_changes(&call.body, world.state.resources.get(key))?;
        let before = world.need(call)?.body.members();
        merge_patch(world, call);
        replace_tags(world, call);
        let mut body = world.need(call)?.body.members();
        for fixed in ["provisioningState", "vaultUri"] {
            let path = format!("properties.{fixed}");
            set(&mut body, &path, at(&before, &path).cloned().unwrap_or_default());
        }
        remove(&mut body, "properties.createMode");
        remove(&mut body, "properties.privateEndpointConnections");
        let checked = normalise_acls(world, &mut body);
        if let Some(resource) = world.state.resources.edit(key) {
            resource.body = if checked.is_ok() { body } else { before }.into();
        }
        checked?;
        world.updated(key);
        Ok(world.answer(200, key))
    }

    fn act(&self, _world: &mut World, call: &Call<'_>, action: &str) -> Answer {
        Err(crate::core::behaviour::unknown_action(call, action))
    }

    fn leaving(&self, world: &mut World, key: &str) {
        vault_bin::soft_delete(world, key);
    }
}

/// Who wrote to a vault, and when.
fn system_data(world: &World, existing: Option<&Resource>) -> Value {
    let now = world.time();
    let before = existing.and_then(|r| text(&r.body, "systemData.createdAt")).unwrap_or(&now);
    let (caller, kind) = (crate::core::options::CALLER_OBJECT_ID, "Application");
    json!({
        "createdBy": caller, "createdByType": kind, "createdAt": before,
        "lastModifiedBy": caller, "lastModifiedByType": kind, "lastModifiedAt": now,
    })
}

/// What identifies an access policy.
fn policy_key(policy: &Value) -> [String; 3] {
    ["tenantId", "objectId", "applicationId"]
        .map(|m| policy.get(m).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase())
}

impl Behaviour for AccessPolicies {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let vault = cut(&call.path.key, 2).to_owned();
        let sent = list(&call.body, "properties.accessPolicies").to_vec();
        let Some(resource) = world.state.resources.get(&vault) else { return Err(call.not_found()) };
        let mut policies = list(&resource.body, "properties.accessPolicies").to_vec();
        match call.path.name().to_ascii_lowercase().as_str() {
            "replace" => policies = sent,
            "remove" => policies.retain(|p| !sent.iter().any(|s| policy_key(s) == policy_key(p))),
            "add" => {
                for policy in sent {
                    match policies.iter_mut().find(|p| policy_key(p) == policy_key(&policy)) {
                        Some(existing) => add_permissions(existing, &policy),
                        None => policies.push(policy),
                    }
                }
            }
            other => {
                return Err(bad(format!("The operation kind '{other}' is none of add, replace, remove.")));
            }
        }
        if let Some(resource) = world.state.resources.edit(&vault) {
            set(&mut resource.body, "properties.accessPolicies", policies.clone());
        }
        world.updated(&vault);
        ok(&json!({
            "id": format!("{}/", cut(&call.id, 1)),
            "type": "Microsoft.KeyVault/vaults/accessPolicies",
            "properties": {"accessPolicies": policies},
        }))
    }
}

/// Refuses rules for addresses that are not public, and for subnets without the service endpoint.
fn check_firewall(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    for rule in list(&call.body, "properties.networkAcls.ipRules") {
        let address = rule.get("value").and_then(Value::as_str).unwrap_or_default();
        if super::cluster_network::is_private(address) {
            return Err(bad(format!(
                "The value '{address}' of an IP rule is not valid: only public IPv4 addresses and ranges are allowed."
            )));
        }
    }
    for rule in list(&call.body, "properties.networkAcls.virtualNetworkRules") {
        if rule.get("ignoreMissingVnetServiceEndpoint").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        let id = rule.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some(subnet) = world.state.resources.get(&id.to_ascii_lowercase()) else { continue };
        let has = list(&subnet.body, "properties.serviceEndpoints").iter().any(|endpoint| {
            let service = endpoint.get("service").and_then(Value::as_str);
            service.is_some_and(|service| service.eq_ignore_ascii_case("Microsoft.KeyVault"))
        });
        if !has {
            let (name, network) = (last(id), last(cut(id, 2)));
            let message = format!(
                "Subnets {name} of virtual network {network} do not have ServiceEndpoints for Microsoft.KeyVault resources \
                 configured. Add Microsoft.KeyVault to subnet's ServiceEndpoints collection before trying to ACL \
                 Microsoft.KeyVault resources to these subnets.."
            );
            return Err(Failure::bad("SubnetsHaveNoServiceEndpointsConfigured", message));
        }
    }
    Ok(())
}

/// Adds permissions that the policy does not have yet.
fn add_permissions(policy: &mut Value, more: &Value) {
    let Some(kinds) = more.get("permissions").and_then(Value::as_object) else { return };
    for (kind, wanted) in kinds {
        let has = policy["permissions"].get(kind).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut has: Vec<Value> = has;
        for permission in wanted.as_array().into_iter().flatten() {
            let same = |p: &Value| {
                let lower = |v: &Value| v.as_str().unwrap_or_default().to_ascii_lowercase();
                lower(p) == lower(permission)
            };
            if !has.iter().any(same) {
                has.push(permission.clone());
            }
        }
        policy["permissions"][kind] = Value::Array(has);
    }
}

#[cfg(test)]
mod tests {
    use crate::TENANT;
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn creation_answers_200_and_registers_dns() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.KeyVault/vaults/kv-1");
        let seen = bench.put(&id, Bench::vault_body()).await;
        assert_eq!((seen.status, seen.header("azure-asyncoperation")), (200, ""));
        assert_eq!(seen.at("/properties/vaultUri"), &json!("https://kv-1.vault.azure.net"));
        assert_eq!(bench.get(&id).await.at("/properties/provisioningState"), &json!("RegisteringDns"));
        let got = bench.get(&id).await;
        assert_eq!(got.at("/properties/provisioningState"), &json!("Succeeded"));
        assert_eq!(got.at("/properties/vaultUri"), &json!("https://kv-1.vault.azure.net/"));
        assert_eq!(got.at("/properties/enableRbacAuthorization"), &json!(true), "the default of 2026-02-01");
    }

    #[tokio::test(start_paused = true)]
    async fn rules_hold() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.KeyVault/vaults/kv-1");
        for (member, value) in [
            ("enableSoftDelete", json!(false)),
            ("enablePurgeProtection", json!(false)),
            ("softDeleteRetentionInDays", json!(3)),
            ("tenantId", json!(null)),
            ("sku", json!(null)),
        ] {
            let mut body = Bench::vault_body();
            body["properties"][member] = value;
            assert_eq!(bench.put(&id, body).await.status, 400, "{member}");
        }
        let bad = Bench::rid("Microsoft.KeyVault/vaults/1--x");
        assert_eq!(bench.put(&bad, Bench::vault_body()).await.code(), "VaultNameNotValid");
        bench.vault().await;
        let patch = json!({"properties": {"softDeleteRetentionInDays": 7}});
        assert_eq!(bench.patch(&id, patch).await.status, 400);
        let patched = bench
            .patch(&id, json!({"properties": {"publicNetworkAccess": "Disabled"}, "tags": {"a": "b"}}))
            .await;
        assert_eq!(patched.at("/properties/publicNetworkAccess"), &json!("Disabled"));
        assert_eq!(patched.at("/properties/sku/name"), &json!("standard"), "the rest stays");
        bench.put("/resourceGroups/rg2", json!({"location": "westeurope"})).await;
        let twin = bench.put(&id.replace("/rg/", "/rg2/"), Bench::vault_body()).await;
        assert_eq!((twin.status, twin.code()), (409, "VaultAlreadyExists"));
    }

    #[tokio::test(start_paused = true)]
    async fn access_policies_are_added_and_wiped() {
        let bench = Bench::new().await;
        let id = bench.vault().await;
        let policy = |secret: &str| {
            let policy =
                json!({"tenantId": TENANT, "objectId": TENANT, "permissions": {"secrets": [secret]}});
            json!({"properties": {"accessPolicies": [policy]}})
        };
        bench.put(&format!("{id}/accessPolicies/add"), policy("get")).await;
        bench.put(&format!("{id}/accessPolicies/add"), policy("list")).await;
        let got = bench.get(&id).await;
        assert_eq!(got.at("/properties/accessPolicies/0/permissions/secrets"), &json!(["get", "list"]));
        bench.put(&id, Bench::vault_body()).await;
        assert_eq!(bench.get(&id).await.at("/properties/accessPolicies"), &json!([]));
    }

    #[tokio::test(start_paused = true)]
    async fn deleted_names_are_held_until_recovered_or_purged() {
        let bench = Bench::new().await;
        let id = bench.vault().await;
        let secret = format!("{id}/secrets/s");
        bench.make(&secret, json!({"properties": {"value": "v"}})).await;
        assert_eq!(bench.delete(&id).await.status, 200);
        assert_eq!(bench.get(&id).await.status, 404);
        let refused = bench.put(&id, Bench::vault_body()).await;
        assert_eq!((refused.status, refused.code()), (409, "ConflictError"));
        let bin = "/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-1";
        assert_eq!(bench.get(bin).await.at("/properties/vaultId"), &json!(id));
        let mut recover = Bench::vault_body();
        recover["properties"]["createMode"] = json!("recover");
        assert_eq!(bench.put(&id, recover.clone()).await.status, 200);
        assert_eq!(bench.get(&secret).await.status, 200, "content comes back");
        bench.delete(&id).await;
        let purged = bench.post(&format!("{bin}/purge")).await;
        assert_eq!(purged.status, 202);
        bench.settle(&purged).await;
        assert_eq!(bench.get(bin).await.status, 404);
        assert_eq!(bench.put(&id, recover).await.code(), "SoftDeletedVaultDoesNotExist");
        assert_eq!(bench.put(&id, Bench::vault_body()).await.status, 200);
    }
}
