//! What ARM does before and after the provider: existence, registration, location, entity tags, lists.

use super::provider;
use crate::core::behaviour::{Answer, Behaviour, check_locks};
use crate::core::call::{Call, not_found};
use crate::core::error::Failure;
use crate::core::json::{Object, text};
use crate::core::locations::{normal_location, regions_of};
use crate::core::operation::{Act, Operation};
use crate::core::path::{ResourcePath, group_of, last};
use crate::core::store::Resource;
use crate::core::world::{Providers, World};
use crate::host::transport::{Method, Response};
use crate::types::table::{self, Entry};
use crate::types::{key_vault, private_link, role};
use serde_json::{Value, json};
use std::time::Duration;

/// Answers a request on a resource, a collection or an action.
pub(crate) fn dispatch(world: &mut World, call: &mut Call<'_>) -> Answer {
    if call.method == Method::Post {
        return act(world, call);
    }
    let entry = table::find(&call.path)?;
    call.type_name = table::type_name(&entry, &call.path);
    let result = match (call.method, call.path.is_resource()) {
        (Method::Get, false) => list(world, call, entry.behaviour),
        (Method::Get | Method::Head, true) => get(world, call, entry.behaviour),
        (Method::Put | Method::Patch, true) => write(world, call, &entry),
        (Method::Delete, true) => delete(world, call, &entry),
        _ => {
            let message = format!("The method '{}' is not allowed on a collection.", call.method);
            Err(Failure::new(405, "MethodNotAllowed", message))
        }
    };
    result.map_err(|failure| {
        // AKS writes its own errors without an envelope; what ARM says for it has one.
        let aks = call.kind.starts_with("microsoft.containerservice/");
        const BY_ARM: &[&str] = &[
            "InvalidResource",
            "Location",
            "MethodNotAllowed",
            "Missing",
            "ParentResource",
            "ResourceNotFound",
        ];
        if aks && !BY_ARM.iter().any(|start| failure.code.starts_with(start)) {
            failure.flat()
        } else {
            failure
        }
    })
}

fn get(world: &mut World, call: &mut Call<'_>, behaviour: &dyn Behaviour) -> Answer {
    if call.method == Method::Head {
        let status = if world.state.resources.contains(&call.path.key) { 204 } else { 404 };
        return Ok(Response::new(status, ""));
    }
    behaviour.get(world, call)
}

fn list(world: &mut World, call: &mut Call<'_>, behaviour: &dyn Behaviour) -> Answer {
    let owner = call.path.owner();
    if let Some(owner) = &owner
        && call.path.scope.contains("/resourcegroups/")
        && !world.state.resources.contains(&owner.key)
    {
        let what = &owner.id;
        let message = format!("The Resource '{what}' was not found, so nothing below it can be listed.");
        return Err(Failure::new(404, "ParentResourceNotFound", message));
    }
    if let Some(answer) = behaviour.list(world, call) {
        return answer;
    }
    let everywhere = owner.is_none() && group_of(&call.path.key).is_none();
    Ok(world.answer_page(call.origin, call.request, |world, after, most| {
        if everywhere {
            // All groups of the subscription.
            let all = world.state.resources.of_kind_behind(&call.kind, after);
            all.map(|(k, _)| k.to_owned()).take(most).collect()
        } else {
            let members = world.state.resources.members_behind(&call.path.key, after);
            members.map(|(k, _)| k.to_owned()).take(most).collect()
        }
    }))
}

fn act(world: &mut World, call: &mut Call<'_>) -> Answer {
    let action = call.path.types.last().cloned().unwrap_or_default();
    let Some(owner) = call.path.owner() else {
        if call.path.is_resource() {
            let message = "The method 'POST' is not allowed on a resource.";
            return Err(Failure::new(405, "MethodNotAllowed", message));
        }
        return match (call.path.namespace.to_ascii_lowercase().as_str(), action.to_ascii_lowercase().as_str())
        {
            ("microsoft.keyvault", "checknameavailability") => key_vault::check_name(world, call),
            (_, "checknameavailability") => {
                Ok(Response::new(200, json!({"nameAvailable": true}).to_string()))
            }
            _ => {
                Err(Failure::new(404, "InvalidResourceType", format!("There is no action '{action}' here.")))
            }
        };
    };
    let entry = table::find(&owner)?;
    call.type_name = table::type_name(&entry, &owner);
    call.kind = owner.kind();
    call.path = owner;
    check_read_only(world, &call.path.key, &call.path.id)?;
    entry.behaviour.act(world, call, &action)
}

fn write(world: &mut World, call: &mut Call<'_>, entry: &Entry) -> Answer {
    provider::require(world, &call.path.namespace)?;
    check_name(call)?;
    let scope_id = check_scope(world, call)?;
    check_read_only(world, &call.path.key, &call.path.id)?;
    call.id = match world.state.resources.get(&call.path.key) {
        Some(existing) => existing.id.clone(),
        None => entry.behaviour.spell(spelled(&call.path, &call.type_name, &scope_id)),
    };
    if call.method == Method::Put && entry.tracked {
        check_location(world, call)?;
    }
    if !entry.own_etag {
        call.check_etag(&world.state.resources)?;
    }
    match call.method {
        Method::Patch => {
            if !world.state.resources.contains(&call.path.key) {
                return Err(call.not_found());
            }
            entry.behaviour.patch(world, call)
        }
        _ => entry.behaviour.put(world, call),
    }
}

fn delete(world: &mut World, call: &mut Call<'_>, entry: &Entry) -> Answer {
    let Some(existing) = world.state.resources.get(&call.path.key) else {
        return Ok(Response::new(204, ""));
    };
    call.id = existing.id.clone();
    call.check_etag(&world.state.resources)?;
    check_locks(world, &call.path.key)?;
    entry.behaviour.delete(world, call)
}

/// A read-only lock on the resource or on anything above stands in the way of writing and of actions.
fn check_read_only(world: &World, key: &str, id: &str) -> Result<(), Failure> {
    const LOCKS: &str = "/providers/microsoft.authorization/locks/";
    if world.locks.is_empty() || key.contains(LOCKS) {
        return Ok(());
    }
    let read_only = |lock: &&String| {
        let level = world.state.resources.get(lock).and_then(|r| text(&r.body, "properties.level"));
        level.is_some_and(|level| level.eq_ignore_ascii_case("ReadOnly"))
    };
    let scope = world.locks.iter().filter(read_only).find_map(|lock| {
        let scope = &lock[..lock.find(LOCKS)?];
        key.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')).then_some(scope)
    });
    let Some(scope) = scope else { return Ok(()) };
    let message = format!(
        "The scope '{id}' cannot perform write operation because following scope(s) are locked: '{scope}'. \
         Please remove the lock and try again."
    );
    Err(Failure::new(409, "ScopeLocked", message))
}

/// The id of the scope or parent as stored, which must exist.
fn check_scope(world: &World, call: &Call<'_>) -> Result<String, Failure> {
    if let Some(parent) = call.path.parent() {
        return match world.state.resources.get(&parent) {
            Some(resource) => Ok(resource.id.clone()),
            None if table::is_virtual(&parent) => Ok(call.path.id[..parent.len()].to_owned()),
            None => {
                let parent = &call.path.id[..parent.len()];
                let message = format!(
                    "Failed to perform 'write' on resource(s) of type '{}', because the parent resource '{parent}' \
                     could not be found.",
                    call.path.types.join("/"),
                );
                Err(Failure::new(404, "ParentResourceNotFound", message))
            }
        };
    }
    let scope = &call.path.scope;
    if let Some(resource) = world.state.resources.get(scope) {
        return Ok(resource.id.clone());
    }
    let written = call.path.id[..scope.len()].to_owned();
    if world.exists(scope) || scope.starts_with("/providers/microsoft.management/") {
        return Ok(written);
    }
    // A namespace in a cluster is not a resource of ARM's, and roles are given on it all the same.
    let cluster = scope
        .find("/managedclusters/")
        .and_then(|at| scope[at + 1..].match_indices('/').nth(1).map(|(end, _)| at + 1 + end));
    let in_cluster = cluster.is_some_and(|end| world.state.resources.contains(&scope[..end]));
    if in_cluster && call.kind == "microsoft.authorization/roleassignments" {
        return Ok(written);
    }
    Err(not_found(&written))
}

fn spelled(path: &ResourcePath, type_name: &str, base: &str) -> String {
    let name = path.name();
    if path.names.len() > 1 {
        format!("{base}/{}/{name}", last(type_name))
    } else {
        format!("{base}/providers/{type_name}/{name}")
    }
}

fn check_name(call: &Call<'_>) -> Result<(), Failure> {
    let name = call.path.name();
    let bad = |c: char| c.is_control() || "<>%&:\\?/".contains(c);
    if name.chars().count() <= 260 && !name.contains(bad) {
        return Ok(());
    }
    let message =
        format!("The name '{name}' of the resource contains characters that are not allowed or is too long.");
    Err(Failure::bad("InvalidResourceName", message))
}

fn check_location(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    let location = text(&call.body, "location").unwrap_or_default();
    if location.is_empty() {
        return Err(Failure::bad(
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    }
    let regions: Vec<String> = regions_of(&call.kind).into_iter().map(normal_location).collect();
    if !regions.contains(&normal_location(location)) {
        let message = format!(
            "The provided location '{location}' is not available for resource type '{}'. \
             List of available regions for the resource type is '{}'.",
            call.type_name,
            regions.join(","),
        );
        return Err(Failure::bad("LocationNotAvailableForResourceType", message));
    }
    let existing = world.state.resources.get(&call.path.key);
    let Some(existing) = existing.map(|r| normal_location(r.location())).filter(|l| l != location) else {
        return Ok(());
    };
    let group = group_of(&call.path.id).map_or("", last);
    let message = format!(
        "The resource '{}' already exists in location '{existing}' in resource group '{group}'. \
         A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
        call.path.name(),
    );
    Err(Failure::new(409, "InvalidResourceLocation", message))
}

/// The resource types, as the core asks for them.
#[derive(Debug)]
pub(crate) struct ByTable;

impl Providers for ByTable {
    fn view(&self, world: &World, resource: &Resource) -> Option<Value> {
        let own = table::behaviour(&resource.kind).view(world, resource);
        private_link::with_connections(world, resource, own)
    }

    fn duration(&self, kind: &str, act: Act, body: &Object) -> Duration {
        table::behaviour(kind).duration(kind, act, body)
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        let stored = world.state.resources.get(&operation.target).map(|r| r.kind.clone());
        let parsed = || ResourcePath::parse(&operation.target).map_or_else(String::new, |p| p.kind());
        let kind = stored.unwrap_or_else(parsed);
        table::behaviour(&kind).complete(world, operation);
    }

    fn leaving(&self, world: &mut World, key: &str) {
        let Some(kind) = world.state.resources.get(key).map(|r| r.kind.clone()) else { return };
        table::behaviour(&kind).leaving(world, key);
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        role::forget_principals(world, resource);
        table::behaviour(&resource.kind).removed(world, resource);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    #[tokio::test(start_paused = true)]
    async fn lists_come_in_pages_that_keep_their_query() {
        let bench = Bench::new().await;
        let kind = "Microsoft.ManagedIdentity/userAssignedIdentities";
        let all = (0..600).map(|at| {
            let id = Bench::rid(&format!("{kind}/id-{at}"));
            json!({ "id": id, "name": format!("id-{at}"), "type": kind, "location": "westeurope", "properties": {} })
        });
        bench.sim.load(all.collect()).unwrap();
        let mut path = Bench::rid(kind);
        let (mut sizes, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
        loop {
            let page = bench.get(&path).await;
            let items = page.at("/value").as_array().unwrap().clone();
            sizes.push(items.len());
            seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.at("/nextLink").as_str() else { break };
            let (_, query) = next.split_once('?').unwrap();
            assert!(next.starts_with("https://") && query.contains("api-version="), "{next}");
            assert_eq!(query.matches("skiptoken").count(), 1, "{next}");
            path = format!("{}?%24skiptoken={}", Bench::rid(kind), query.rsplit('=').next().unwrap());
        }
        assert_eq!((sizes, seen.len()), (vec![250, 250, 100], 600));
        let few = bench.get(&format!("{}?$top=10", Bench::rid(kind))).await;
        assert_eq!(few.at("/value").as_array().map(Vec::len), Some(10));
        assert_ne!(few.at("/nextLink"), &Value::Null);
    }
}
