//! The steps in which types differ, with what most of them do.

use super::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, merge};
use crate::core::operation::{Act, Operation, Progress, USUAL, Work};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// What a request comes to.
pub(crate) type Answer = Result<Response, Failure>;

/// One resource type.
pub(crate) trait Behaviour: Sync + std::fmt::Debug {
    /// The id as this provider spells it.
    fn spell(&self, id: String) -> String {
        id
    }

    /// Creates or replaces; the front door has checked group, parent, provider, location and entity tag.
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer;

    /// Changes in part: tags only, which is all that ARM itself asks for.
    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        world.need(call)?;
        replace_tags(world, call);
        world.updated(&call.path.key);
        Ok(world.answer(200, &call.path.key))
    }

    /// Removes; the front door has answered 204 when there is nothing.
    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        world.remove_tree(&call.path.key);
        world.deleted(&call.path.key);
        Ok(Response::new(200, ""))
    }

    /// Reads what is not in the store under this path.
    fn get(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(call.not_found())
    }

    /// Lists what is not simply the members of the collection.
    fn list(&self, _world: &mut World, _call: &Call<'_>) -> Option<Answer> {
        None
    }

    /// Carries out a POST; `call.path` is the resource, not the action.
    fn act(&self, _world: &mut World, call: &Call<'_>, action: &str) -> Answer {
        Err(unknown_action(call, action))
    }

    /// The body composed of the resource and its children; `None` when the body stands as it is.
    fn view(&self, _world: &World, _resource: &Resource) -> Option<Value> {
        None
    }

    /// How long an operation takes, as observed on Azure.
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        USUAL
    }

    /// Ends an operation.
    fn complete(&self, world: &mut World, operation: &Operation) {
        settle_or_remove(world, operation);
    }

    /// Takes note that a resource is about to go, while everything below it still stands.
    fn leaving(&self, _world: &mut World, _key: &str) {}

    /// Tidies up elsewhere after a resource is gone.
    fn removed(&self, _world: &mut World, _resource: &Resource) {}

    /// Fits a resource in that was put into the store from outside.
    fn loaded(&self, _world: &mut World, _key: &str) {}
}

/// The ordinary end: succeeded, failed, or gone.
pub(crate) fn settle_or_remove(world: &mut World, operation: &Operation) {
    match (&operation.progress, operation.act) {
        (Progress::Failed(..), _) => world.settle(&operation.target, "Failed"),
        (_, Act::Delete) => world.remove_tree(&operation.target),
        _ => world.settle(&operation.target, "Succeeded"),
    }
}

/// Replaces the tags by those of the body, if it has any.
pub(crate) fn replace_tags(world: &mut World, call: &Call<'_>) {
    if let Some(tags) = call.body.get("tags")
        && let Some(resource) = world.state.resources.edit(&call.path.key)
    {
        resource.body.insert("tags".to_owned(), tags.clone());
    }
}

/// Merges tags (as a whole) and properties (member by member) into the resource.
pub(crate) fn merge_patch(world: &mut World, call: &Call<'_>) {
    let Some(resource) = world.state.resources.edit(&call.path.key) else { return };
    for (name, value) in &call.raw {
        match (name.as_str(), value) {
            ("id" | "name" | "type" | "location", _) => {}
            ("properties", Value::Object(properties)) => {
                merge(crate::core::json::object_at(&mut resource.body, "properties"), properties);
            }
            (_, Value::Null) => {
                resource.body.shift_remove(name);
            }
            _ => {
                resource.body.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Stores what a PUT made: 201 when it is new, 200 when it replaces.
pub(crate) fn stored_and_new(world: &mut World, call: &Call<'_>, resource: Resource) -> u16 {
    let key = &call.path.key;
    if world.state.resources.contains(key) {
        world.updated(key);
        world.state.resources.insert(resource);
        200
    } else {
        world.create(resource);
        201
    }
}

/// Starts work and answers with the resource, or with 202 when it is to go.
pub(crate) fn begin(world: &mut World, call: &Call<'_>, status: u16, work: Work<'_>) -> Answer {
    let (act, key) = (work.act, work.key.to_owned());
    if act == Act::Delete {
        world.settle(&key, "Deleting");
        world.deleted(&key);
    }
    let operation = world.start(call, work);
    let mut response = if act == Act::Delete { Response::new(202, "") } else { world.answer(status, &key) };
    world.follow(call, &operation, &mut response);
    Ok(response)
}

pub(crate) fn unknown_action(call: &Call<'_>, action: &str) -> Failure {
    let message = format!("The requested action '{action}' is not supported on '{}'.", call.type_name);
    Failure::new(404, "InvalidResourceType", message)
}

/// A JSON answer.
pub(crate) fn ok(body: &Value) -> Answer {
    Ok(Response::new(200, body.to_string()))
}

/// A list answer of ready items.
pub(crate) fn ok_list(value: Vec<Value>) -> Answer {
    ok(&json!({"value": value}))
}

/// Refuses a deletion that a management lock forbids: one on the resource, above it, or below it.
pub(crate) fn check_locks(world: &World, key: &str) -> Result<(), Failure> {
    if key.contains("/providers/microsoft.authorization/locks/") || world.locks.is_empty() {
        return Ok(());
    }
    const LOCKS: &str = "/providers/microsoft.authorization/locks/";
    let locked = world.locks.iter().find_map(|k| {
        let scope = &k[..k.find(LOCKS)?];
        let covers = |a: &str, b: &str| b == a || b.strip_prefix(a).is_some_and(|rest| rest.starts_with('/'));
        (covers(scope, key) || covers(key, scope)).then(|| scope.to_owned())
    });
    let Some(scope) = locked else { return Ok(()) };
    let id = world.state.resources.get(key).map_or(key, |r| &r.id);
    let message = format!(
        "The scope '{id}' cannot perform delete operation because following scope(s) are locked: '{scope}'. \
         Please remove the lock and try again."
    );
    Err(Failure::new(409, "ScopeLocked", message))
}
