//! Any type of a known namespace that has no behaviour of its own: stored as sent, at once.

use super::defaults::{self, Asked, Defaults, Ends, Made};
use super::fields;
use crate::core::behaviour::{Answer, Behaviour, begin, merge_patch, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, object_at, set, text};
use crate::core::operation::{Act, Style, Work};
use crate::core::path::cut;
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
    "storageaccountaccesskey",
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
        let key = &call.path.key;
        let known = defaults::of(&call.kind);
        refuse_if_busy(world, &known, key)?;
        fields::check(call)?;
        let mut body = call.envelope();
        for (name, value) in &call.body {
            if !matches!(name.as_str(), "id" | "name" | "type" | "etag" | "systemData") {
                body.insert(name.clone(), value.clone());
            }
        }
        let before = world.state.resources.get(key).map(|r| r.body.members());
        let asked = Asked { world, key, name: call.path.name(), body: &body, before: before.as_ref() };
        (known.check)(&asked)?;
        let mut value = Value::Object(body);
        drop_secrets(&mut value);
        let mut body = crate::core::json::object(value);
        if before.is_none() {
            world.enter_generation(key);
        }
        fill_identity(world, key, &mut body);
        if call.kind == "microsoft.keyvault/vaults/keys" {
            address_key(world, key, &mut body);
        }
        let act = if before.is_none() { Act::Create } else { Act::Update };
        let state = match (known.ends, act) {
            (Ends::Followed(..), Act::Update) => "Updating",
            (Ends::Followed(..) | Ends::ByLocation, Act::Create) => "Creating",
            _ => "Succeeded",
        };
        set(&mut body, "properties.provisioningState", state);
        (known.fill)(&Made { world, key, name: call.path.name().to_ascii_lowercase() }, &mut body);
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let status = if known.plain { 200 } else { status };
        match known.ends {
            Ends::ByLocation if act == Act::Create => {
                let operation = world.start(call, Work::on(Style::Location, Act::Create, key));
                let mut response = Response::new(202, "");
                world.follow(call, &operation, &mut response);
                Ok(response)
            }
            Ends::Followed(accepted, _) => {
                let status = if act == Act::Create { accepted } else { status };
                begin(world, call, status, followed(&known, act, key))
            }
            _ => Ok(world.answer(status, key)),
        }
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let known = defaults::of(&call.kind);
        refuse_if_busy(world, &known, key)?;
        fields::check(call)?;
        let before = world.need(call)?.body.members();
        merge_patch(world, call);
        let mut body = world.need(call)?.body.members();
        let asked = Asked { world, key, name: call.path.name(), body: &body, before: Some(&before) };
        let checked = (known.check)(&asked);
        if checked.is_ok() {
            let mut value = Value::Object(body);
            drop_secrets(&mut value);
            body = crate::core::json::object(value);
            fill_identity(world, key, &mut body);
            (known.fill)(&Made { world, key, name: call.path.name().to_ascii_lowercase() }, &mut body);
        }
        if let Some(resource) = world.state.resources.edit(key) {
            resource.body = if checked.is_ok() { body } else { before }.into();
        }
        checked?;
        world.updated(key);
        match known.ends {
            Ends::Followed(..) => {
                world.settle(key, "Updating");
                // Of an update that takes its time ACR says 201, and the others 202.
                let status = if call.kind == "microsoft.containerregistry/registries" { 201 } else { 202 };
                begin(world, call, status, followed(&known, Act::Update, key))
            }
            _ => Ok(world.answer(200, key)),
        }
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let known = defaults::of(&call.kind);
        refuse_if_busy(world, &known, key)?;
        (known.leave)(world, world.need(call)?)?;
        match known.ends {
            Ends::Followed(..) => begin(world, call, 202, followed(&known, Act::Delete, key)),
            _ => {
                world.remove_tree(key);
                world.deleted(key);
                Ok(Response::new(200, ""))
            }
        }
    }
}

/// The work on a resource whose writes take their time.
fn followed<'w>(known: &Defaults, act: Act, key: &'w str) -> Work<'w> {
    let work = Work::on(Style::Provider, act, key);
    match known.ends {
        Ends::Followed(_, above) if above > 0 => work.locking([cut(key, 2 * above).to_owned()]),
        _ => work,
    }
}

/// Refuses what comes while another write goes on that nothing else can go beside.
fn refuse_if_busy(world: &World, known: &Defaults, key: &str) -> Result<(), Failure> {
    let Ends::Followed(_, above) = known.ends else { return Ok(()) };
    let keys = [key, cut(key, 2 * above)];
    if !keys.iter().any(|key| world.busy(key).is_some()) {
        return Ok(());
    }
    let message = format!("Another operation on '{}' is in progress. Try again later.", keys[1]);
    Err(Failure::new(409, "Conflict", message).retry_after(10))
}

fn drop_secrets(value: &mut Value) {
    match value {
        Value::Object(object) => {
            // `secret` may also be a reference to one.
            object.retain(|name, value| {
                let name = name.to_ascii_lowercase();
                !SECRETS.contains(&name.as_str()) || name == "secret" && value.is_object()
            });
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
