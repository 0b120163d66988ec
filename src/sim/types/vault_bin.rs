//! Soft-deleted vaults.

use crate::core::behaviour::{Answer, Behaviour, ok, ok_list};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, object, remove, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work};
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::Timestamp;
use crate::host::transport::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.KeyVault/locations/deletedVaults`.
#[derive(Debug)]
pub(crate) struct DeletedVault;

/// The refusal to create a vault whose name a deleted one holds.
pub(crate) fn name_is_held() -> Failure {
    let message = "A vault with the same name already exists in deleted state. You need to either recover or purge \
                   existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more \
                   information on soft delete.";
    Failure::new(409, "ConflictError", message)
}

/// Keeps a vault that is about to go, with its secrets.
pub(crate) fn soft_delete(world: &mut World, key: &str) {
    let Some(vault) = world.state.resources.get(key) else { return };
    let secrets =
        world.state.resources.below(key).filter(|(_, r)| r.kind == "microsoft.keyvault/vaults/secrets");
    let secrets: Vec<Value> = secrets.filter_map(|(_, r)| serde_json::to_value(r).ok()).collect();
    let now = world.now.now();
    let days = at(&vault.body, "properties.softDeleteRetentionInDays").and_then(Value::as_u64).unwrap_or(90);
    let purge = now.plus(Duration::from_secs(days * 86_400));
    let entry = json!({
        "vault": serde_json::to_value(vault).unwrap_or_default(),
        "secrets": secrets,
        "deleted": now,
        "purged": purge,
    });
    world.state.deleted_vaults.insert(last(key).to_owned(), object(entry));
}

/// Brings a vault back as it was; role assignments and private endpoint connections are lost.
pub(crate) fn recover(world: &mut World, call: &Call<'_>, name: &str) -> Answer {
    let entry = world.state.deleted_vaults.get(name).cloned().unwrap_or_default();
    let restored: Option<Resource> = entry.get("vault").and_then(|v| serde_json::from_value(v.clone()).ok());
    let Some(mut vault) = restored else { return Err(name_is_held()) };
    let location = text(&call.body, "location").unwrap_or_default();
    if vault.location() != location || vault.key() != call.path.key {
        return Err(name_is_held());
    }
    if let Some(state) = vault.body.get_mut("properties").and_then(Value::as_object_mut) {
        state.insert("provisioningState".into(), json!("Succeeded"));
    }
    remove(&mut vault.body, "properties.privateEndpointConnections");
    world.state.deleted_vaults.remove(name);
    world.create(vault);
    for secret in entry.get("secrets").and_then(Value::as_array).into_iter().flatten() {
        if let Ok(secret) = serde_json::from_value::<Resource>(secret.clone()) {
            world.state.resources.insert(secret);
        }
    }
    Ok(world.answer(200, &call.path.key))
}

fn show(world: &World, name: &str, entry: &Object) -> Value {
    let of = |path: &str| at(entry, path).cloned().unwrap_or_default();
    let location = text(entry, "vault.body.location").unwrap_or_default();
    let time = |member: &str| {
        let at: Option<Timestamp> = entry.get(member).and_then(|v| serde_json::from_value(v.clone()).ok());
        at.unwrap_or_default().to_string()
    };
    let (base, shown) = (&world.state.subscription, text(entry, "vault.body.name").unwrap_or(name));
    let mut properties = json!({
        "vaultId": of("vault.id"), "location": location, "tags": of("vault.body.tags"),
        "deletionDate": time("deleted"), "scheduledPurgeDate": time("purged"),
    });
    if let Some(true) = flag(entry, "vault.body.properties.enablePurgeProtection") {
        properties["purgeProtectionEnabled"] = json!(true);
    }
    json!({
        "id": format!("/subscriptions/{base}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{shown}"),
        "name": shown, "type": "Microsoft.KeyVault/deletedVaults", "properties": properties,
    })
}

/// The deleted vault that a path names, if its location is right.
fn entry<'w>(world: &'w World, call: &Call<'_>) -> Option<(String, &'w Object)> {
    let name = call.path.name().to_ascii_lowercase();
    let entry = world.state.deleted_vaults.get(&name)?;
    let location =
        crate::core::locations::normal_location(call.path.names.first().map_or("", String::as_str));
    (text(entry, "vault.body.location") == Some(&location)).then_some((name, entry))
}

impl Behaviour for DeletedVault {
    fn put(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(Failure::new(405, "MethodNotAllowed", format!("'{}' cannot be written.", call.type_name)))
    }

    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let Some((name, entry)) = entry(world, call) else {
            let message = format!("The specified deleted vault '{}' does not exist.", call.path.name());
            return Err(Failure::new(404, "DeletedVaultNotFound", message));
        };
        ok(&show(world, &name, entry))
    }

    fn list(&self, world: &mut World, _call: &Call<'_>) -> Option<Answer> {
        Some(ok_list(world.state.deleted_vaults.iter().map(|(n, e)| show(world, n, e)).collect()))
    }

    fn act(&self, world: &mut World, call: &Call<'_>, action: &str) -> Answer {
        if !action.eq_ignore_ascii_case("purge") {
            return Err(crate::core::behaviour::unknown_action(call, action));
        }
        let Some((_, entry)) = entry(world, call) else {
            let message = format!("The specified deleted vault '{}' does not exist.", call.path.name());
            return Err(Failure::new(404, "DeletedVaultNotFound", message));
        };
        if flag(entry, "vault.body.properties.enablePurgeProtection") == Some(true) {
            return Err(Failure::bad("MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed."));
        }
        let operation = world.start(call, Work::on(Style::Location, Act::Purge, &call.path.key));
        let mut response = Response::new(202, "");
        world.follow(call, &operation, &mut response);
        Ok(response)
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        if matches!(operation.progress, Progress::Succeeded(_)) {
            world.state.deleted_vaults.remove(last(&operation.target));
        }
    }
}
