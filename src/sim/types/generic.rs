//! Any type of a known namespace that has no behaviour of its own: stored as sent, at once.

use super::defaults::{self, Made};
use crate::core::behaviour::{Answer, Behaviour, merge_patch, stored_and_new};
use crate::core::call::Call;
use crate::core::json::{Object, object_at, set, text};
use crate::core::operation::{Act, Style, Work};
use crate::core::store::Resource;
use crate::core::world::{PrincipalKind, World};
use crate::host::transport::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// A type that is stored as sent.
#[derive(Debug)]
pub(crate) struct Generic;

/// Members that are accepted and never kept, wherever they stand.
const SECRETS: &[&str] = &[
    "administratorloginpassword",
    "adminpassword",
    "password",
    "secret",
    "sharedkey",
    "connectionstring",
    "protectedsettings",
    "publishingpassword",
];

/// The addresses of a key: Azure makes a version with it.
fn address_key(world: &World, key: &str, body: &mut Object) {
    let mut parts = key.rsplit('/');
    let (name, vault) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    let uri = format!("https://{vault}.vault.azure.net/keys/{name}");
    let version = world.uuid(key, "version").replace('-', "");
    set(body, "properties.keyUri", uri.clone());
    set(body, "properties.keyUriWithVersion", format!("{uri}/{version}"));
}

impl Behaviour for Generic {
    fn duration(&self, kind: &str, _act: Act, _body: &Object) -> Duration {
        defaults::of(kind).takes
    }

    /// Log Analytics answers in lower case where nobody asked for it.
    fn spell(&self, id: String) -> String {
        const MARK: &str = "/providers/Microsoft.OperationalInsights/";
        if !id.contains(MARK) {
            return id;
        }
        id.replacen("/resourceGroups/", "/resourcegroups/", 1).replacen(MARK, &MARK.to_ascii_lowercase(), 1)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let mut body = call.envelope();
        for (name, value) in &call.body {
            if !matches!(name.as_str(), "id" | "name" | "type" | "etag" | "systemData") {
                body.insert(name.clone(), value.clone());
            }
        }
        let mut value = Value::Object(body);
        drop_secrets(&mut value);
        let mut body = crate::core::json::object(value);
        let key = &call.path.key;
        if !world.state.resources.contains(key) {
            world.enter_generation(key);
        }
        fill_identity(world, key, &mut body);
        if call.kind == "microsoft.keyvault/vaults/keys" {
            address_key(world, key, &mut body);
        }
        let known = defaults::of(&call.kind);
        let slow = known.slow && !world.state.resources.contains(key);
        set(&mut body, "properties.provisioningState", if slow { "Creating" } else { "Succeeded" });
        (known.fill)(&Made { world, key, name: call.path.name().to_ascii_lowercase() }, &mut body);
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        if slow {
            // Nothing but a location, which ends by answering with the account.
            let operation = world.start(call, Work::on(Style::Location, Act::Create, key));
            let mut response = Response::new(202, "");
            world.follow(call, &operation, &mut response);
            return Ok(response);
        }
        // Some providers never say 201: clients refuse it from them.
        let plain = [
            "microsoft.web/",
            "microsoft.storage/",
            "microsoft.insights/metricalerts",
            "microsoft.operationalinsights/",
        ];
        let status = if plain.iter().any(|p| call.kind.starts_with(p)) { 200 } else { status };
        Ok(world.answer(status, key))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        merge_patch(world, call);
        if let Some(resource) = world.state.resources.edit(&call.path.key) {
            let mut value = Value::Object(std::mem::take(&mut resource.body));
            drop_secrets(&mut value);
            resource.body = crate::core::json::object(value).into();
        }
        world.updated(&call.path.key);
        Ok(world.answer(200, &call.path.key))
    }
}

fn drop_secrets(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| !SECRETS.contains(&name.to_ascii_lowercase().as_str()));
            object.values_mut().for_each(drop_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_secrets),
        _ => {}
    }
}

/// Gives the principals that `identity` asks for.
pub(crate) fn fill_identity(world: &mut World, key: &str, body: &mut Object) {
    let kind = text(body, "identity.type").unwrap_or_default().to_ascii_lowercase();
    if kind.contains("systemassigned") {
        let principal = system_principal(world, key);
        let tenant = world.state.tenant.clone();
        let identity = object_at(body, "identity");
        identity.insert("principalId".into(), json!(principal));
        identity.insert("tenantId".into(), json!(tenant));
    }
    if kind.contains("userassigned") {
        let identities = object_at(body, "identity.userAssignedIdentities");
        for (id, value) in identities.iter_mut() {
            let found = world.state.resources.get(&id.to_ascii_lowercase());
            let of = |member: &str| found.and_then(|r| text(&r.body, member)).unwrap_or_default();
            *value =
                json!({"principalId": of("properties.principalId"), "clientId": of("properties.clientId")});
        }
    }
}

/// The principal of a resource's own identity, made known to the directory when it is new.
pub(crate) fn system_principal(world: &mut World, key: &str) -> String {
    let principal = world.uuid(key, "principal");
    if !world.state.principals.contains_key(&principal) {
        let known_from = world.now.now().plus(Duration::from_secs(25));
        world.add_principal(&principal, PrincipalKind::ServicePrincipal, known_from);
    }
    principal
}
