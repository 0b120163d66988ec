//! Resources that ask for connections through an endpoint which Microsoft makes for them, in a subscription of its own.

use super::foreign_endpoint::{self, Asking};
use super::generic::Generic;
use crate::core::behaviour::{Answer, Behaviour};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, text};
use crate::core::operation::Act;
use crate::core::path::cut;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::Value;
use std::time::Duration;

/// A shared private link, a managed private endpoint, an origin behind private link.
#[derive(Debug)]
pub(crate) struct Requester;

/// Microsoft's own subscription, in which managed endpoints are.
const SUBSCRIPTION: &str = "13c75f0e-0000-4000-8000-00000000a5fd";

/// Where a body has the target, the group and the message.
fn paths(kind: &str) -> [&'static str; 3] {
    match kind {
        "microsoft.cdn/profiles/origingroups/origins" => [
            "properties.sharedPrivateLinkResource.privateLink.id",
            "properties.sharedPrivateLinkResource.groupId",
            "properties.sharedPrivateLinkResource.requestMessage",
        ],
        _ => ["properties.privateLinkResourceId", "properties.groupId", "properties.requestMessage"],
    }
}

/// Whose endpoint it is: the requester's own, or, of origins, that of all in the profile that lead to the same.
fn owner(kind: &str, key: &str, body: &Object) -> String {
    if !kind.starts_with("microsoft.cdn/") {
        return key.to_owned();
    }
    let [target, group, _] = paths(kind);
    let of = |path: &str| text(body, path).unwrap_or_default().to_ascii_lowercase();
    let place = of("properties.sharedPrivateLinkResource.privateLinkLocation").replace(' ', "");
    format!("{}|{}|{}|{place}", cut(key, 4), of(target), of(group))
}

/// The managed endpoint of an owner.
fn endpoint_id(world: &World, owner: &str) -> String {
    let guid = world.uuid(owner, "managed endpoint");
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/eafd-Prod-{}", &guid[..8]);
    format!("{group}/providers/Microsoft.Network/privateEndpoints/{guid}")
}

/// Whose endpoint a requester that is there asks through.
fn owner_of(world: &World, key: &str) -> Option<String> {
    let resource = world.state.resources.get(key)?;
    Some(owner(&resource.kind, key, &resource.body.members()))
}

/// The other requesters that ask through the endpoint of an owner.
fn others(world: &World, key: &str, own: &str) -> Vec<String> {
    let Some((profile, _)) = own.split_once('|') else { return Vec::new() };
    let within = format!("{profile}/");
    let origins = world.state.resources.of_kind("microsoft.cdn/profiles/origingroups/origins");
    let keys =
        origins.map(|(key, _)| key.to_owned()).filter(|other| other != key && other.starts_with(&within));
    keys.filter(|other| owner_of(world, other).as_deref() == Some(own)).collect()
}

/// Takes an endpoint away that no other requester asks through.
fn abandon(world: &mut World, key: &str, own: &str) {
    if others(world, key, own).is_empty() {
        let endpoint = endpoint_id(world, own).to_ascii_lowercase();
        world.remove_tree(&endpoint);
    }
}

impl Behaviour for Requester {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let [target, group, message] = paths(&call.kind);
        let of = |path: &str| text(&call.body, path).unwrap_or_default().to_owned();
        let (target, group, message) = (of(target), of(group), of(message));
        if call.kind.starts_with("microsoft.cdn/") && !target.is_empty() {
            let profile = world.state.resources.get(cut(key, 4));
            let sku = profile.and_then(|profile| text(&profile.body, "sku.name")).unwrap_or_default();
            if !sku.eq_ignore_ascii_case("Premium_AzureFrontDoor") {
                let text = "Private link is supported only by profiles of the Premium_AzureFrontDoor SKU.";
                return Err(Failure::bad("BadRequest", text));
            }
        }
        if !target.is_empty() && !world.state.resources.contains(&target.to_ascii_lowercase()) {
            let text = format!("The private link resource '{target}' could not be found.");
            return Err(Failure::bad("InvalidResourceReference", text));
        }
        if message.chars().count() > 140 {
            return Err(Failure::bad("BadRequest", "The request message has more than 140 characters."));
        }
        let before = owner_of(world, key);
        let answer = Generic.put(world, call)?;
        let own = owner(&call.kind, key, &call.body);
        if let Some(before) = before.filter(|before| *before != own) {
            abandon(world, key, &before);
        }
        if target.is_empty() {
            return Ok(answer);
        }
        let id = endpoint_id(world, &own);
        let asked = id.to_ascii_lowercase();
        let said = foreign_endpoint::message(world, &asked);
        // Where others ask through it already, it goes on saying what it said first.
        let settled = said.is_some() && !others(world, key, &own).is_empty();
        if !settled && said.as_deref() != Some(message.as_str()) {
            world.remove_tree(&asked);
            let name = call.path.name().to_owned();
            foreign_endpoint::ask(
                world,
                &Asking {
                    id: &id,
                    name: &name,
                    target: &target,
                    group: &group,
                    message: &message,
                    requester: Some(key),
                },
            );
        }
        Ok(answer)
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        Generic.patch(world, call)
    }

    fn duration(&self, kind: &str, act: Act, body: &Object) -> Duration {
        Generic.duration(kind, act, body)
    }

    /// What asks from a service shows what the target's owner decided; an origin of a Front Door does not.
    fn view(&self, world: &World, resource: &Resource) -> Option<Value> {
        if resource.kind.starts_with("microsoft.cdn/") {
            return None;
        }
        let status =
            foreign_endpoint::status(world, &endpoint_id(world, &resource.key()).to_ascii_lowercase())?;
        let mut body = resource.body.members();
        crate::core::json::set(&mut body, "properties.status", status);
        Some(Value::Object(body))
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        let (key, body) = (resource.key(), resource.body.members());
        let own = owner(&resource.kind, &key, &body);
        abandon(world, &key, &own);
    }
}
