//! Resource groups.

use crate::core::behaviour::check_locks;
use crate::core::behaviour::{Answer, Behaviour, ok_list};
use crate::core::call::{Call, group_being_deleted, group_not_found, parse_body};
use crate::core::error::Failure;
use crate::core::filter::has_tag;
use crate::core::json::{Object, drop_nulls, object, set, text};
use crate::core::locations::{is_location, normal_location};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::{Query, ResourcePath, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::{Method, Request, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// The type in the store.
pub(crate) const KIND: &str = "microsoft.resources/resourcegroups";

/// A resource group, as far as it is treated like any resource.
#[derive(Debug)]
pub(crate) struct Group;

impl Behaviour for Group {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(60)
    }

    fn put(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(call.not_found())
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        finish(world, operation);
    }
}

fn finish(world: &mut World, operation: &Operation) {
    match operation.progress {
        Progress::Failed(..) => world.settle(&operation.target, "Succeeded"),
        _ => world.remove_tree(&operation.target),
    }
}

/// The groups of the subscription.
pub(crate) fn list(world: &mut World, request: &Request, origin: &str) -> Response {
    let full = request.path_and_query();
    let query = Query(full.split_once('?').map_or("", |(_, query)| query));
    let filter = query.get("$filter").unwrap_or_default();
    world.answer_page(origin, request, |world, after, most| {
        let tagged = |r: &Resource| has_tag(&filter, r.body.get("tags"));
        let groups = world.state.resources.of_kind_behind(KIND, after).filter(|(_, r)| tagged(r));
        groups.map(|(k, _)| k.to_owned()).take(most).collect()
    })
}

/// A group that a provider makes for itself.
pub(crate) fn make(world: &mut World, name: &str, location: &str, managed_by: &str, tags: Option<&Value>) {
    let id = format!("/subscriptions/{}/resourceGroups/{name}", world.state.subscription);
    let mut body = object(json!({
        "id": id, "name": name, "type": "Microsoft.Resources/resourceGroups", "location": location,
        "managedBy": managed_by, "properties": {"provisioningState": "Succeeded"},
    }));
    if let Some(tags) = tags {
        body.insert("tags".to_owned(), tags.clone());
    }
    if !world.state.resources.contains(&id.to_ascii_lowercase()) {
        world.state.resources.insert(Resource::new(&id, KIND, body));
    }
}

/// Answers a request on a group.
pub(crate) fn dispatch(
    world: &mut World,
    request: &Request,
    origin: &str,
    path: &str,
    key: &str,
    query: &Query<'_>,
) -> Answer {
    let name = last(path);
    let deleting = world.state.resources.get(key).map(|g| g.state() == Some("Deleting"));
    match request.method {
        Method::Head => Ok(Response::new(if deleting.is_some() { 204 } else { 404 }, "")),
        Method::Get if deleting.is_none() => Err(group_not_found(name)),
        Method::Get => Ok(world.answer(200, key)),
        Method::Put | Method::Patch if deleting == Some(true) => Err(group_being_deleted(name)),
        Method::Put => put(world, name, key, body_of(request)?),
        Method::Patch if deleting.is_none() => Err(group_not_found(name)),
        Method::Patch => {
            let body = body_of(request)?;
            if let (Some(tags), Some(group)) = (body.get("tags"), world.state.resources.edit(key)) {
                group.body.insert("tags".to_owned(), tags.clone());
            }
            world.updated(key);
            Ok(world.answer(200, key))
        }
        Method::Delete => delete(world, request, origin, path, key, query, deleting),
        Method::Post => ok_list(Vec::new()),
    }
}

fn body_of(request: &Request) -> Result<Object, Failure> {
    let mut body = Value::Object(parse_body(&request.body)?);
    drop_nulls(&mut body);
    Ok(object(body))
}

fn put(world: &mut World, name: &str, key: &str, body: Object) -> Answer {
    let fits = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    if name.chars().count() > 90 || name.ends_with('.') || !name.chars().all(fits) {
        let message = format!(
            "The provided resource group name '{name}' has these invalid characters or length: at most 90 letters, \
             digits, '-', '_', '.', '(' and ')', not ending with '.'."
        );
        return Err(Failure::bad("InvalidResourceGroup", message));
    }
    let location = normal_location(text(&body, "location").unwrap_or_default());
    if location.is_empty() {
        return Err(Failure::bad(
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    }
    if !is_location(&location) || location == "global" {
        let message = format!("The provided location '{location}' is not available for resource group.");
        return Err(Failure::bad("LocationNotAvailableForResourceGroup", message));
    }
    if let Some(group) = world.state.resources.get(key)
        && group.location() != location
    {
        let message = format!(
            "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
            group.location(),
        );
        return Err(Failure::new(409, "InvalidResourceGroupLocation", message));
    }
    let status = if let Some(group) = world.state.resources.edit(key) {
        match body.get("tags") {
            Some(tags) => group.body.insert("tags".to_owned(), tags.clone()),
            None => group.body.shift_remove("tags"),
        };
        world.updated(key);
        200
    } else {
        let id = format!("/subscriptions/{}/resourceGroups/{name}", world.state.subscription);
        let mut made = object(json!({
            "id": id, "name": name, "type": "Microsoft.Resources/resourceGroups", "location": location,
        }));
        for member in ["tags", "managedBy"] {
            if let Some(value) = body.get(member) {
                made.insert(member.to_owned(), value.clone());
            }
        }
        set(&mut made, "properties.provisioningState", "Succeeded");
        world.enter_generation(key);
        world.create(Resource::new(&id, KIND, made));
        201
    };
    Ok(world.answer(status, key))
}

fn delete(
    world: &mut World,
    request: &Request,
    origin: &str,
    path: &str,
    key: &str,
    query: &Query<'_>,
    deleting: Option<bool>,
) -> Answer {
    let Some(deleting) = deleting else { return Err(group_not_found(last(path))) };
    check_locks(world, key)?;
    let call = Call {
        request,
        method: request.method,
        origin,
        path: ResourcePath::other(path),
        query: *query,
        body: Object::new(),
        raw: Object::new(),
        bent: crate::core::faults::Bent::default(),
        kind: KIND.to_owned(),
        id: path.to_owned(),
        type_name: "Microsoft.Resources/resourceGroups".to_owned(),
    };
    let running = world.running_on(key).filter(|_| deleting).cloned();
    let operation = match running {
        Some(operation) => operation,
        None => {
            world.settle(key, "Deleting");
            world.deleted(key);
            world.start(&call, Work::on(Style::Location, Act::Delete, key))
        }
    };
    let mut response = Response::new(202, "");
    world.follow(&call, &operation, &mut response);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use serde_json::json;

    const RG: &str = "/resourceGroups/rg";

    #[tokio::test(start_paused = true)]
    async fn groups_are_made_found_and_tagged() {
        let bench = Bench::new().await;
        let seen =
            bench.put("/resourcegroups/RG", json!({"location": "West Europe", "tags": {"a": "b"}})).await;
        assert_eq!((seen.status, seen.at("/name")), (200, &json!("rg")));
        let moved = bench.put(RG, json!({"location": "eastus"})).await;
        assert_eq!((moved.status, moved.code()), (409, "InvalidResourceGroupLocation"));
        assert_eq!(bench.send(Method::Head, RG, None, &[]).await.status, 204);
        assert_eq!(bench.send(Method::Head, "/resourceGroups/x", None, &[]).await.status, 404);
        assert_eq!(bench.get("/resourceGroups").await.at("/value/0/tags/a"), &json!("b"));
    }

    #[tokio::test(start_paused = true)]
    async fn deleting_takes_everything_and_soft_deletes_vaults() {
        let bench = Bench::new().await;
        let vault = bench.vault().await;
        bench.subnet().await;
        let deleted = bench.delete(RG).await;
        assert_eq!((deleted.status, deleted.header("azure-asyncoperation")), (202, ""));
        let refused = bench.put(&vault, Bench::vault_body()).await;
        assert_eq!((refused.status, refused.code()), (409, "ResourceGroupBeingDeleted"));
        assert_eq!(bench.settle(&deleted).await, "Succeeded");
        assert_eq!(bench.get(RG).await.code(), "ResourceGroupNotFound");
        assert!(bench.sim.is_empty());
        let bin = bench.get("/providers/Microsoft.KeyVault/deletedVaults").await;
        assert_eq!(bin.at("/value/0/name"), &json!("kv-1"));
    }

    #[tokio::test(start_paused = true)]
    async fn locks_stand_in_the_way() {
        let bench = Bench::new().await;
        let lock = format!("{RG}/providers/Microsoft.Authorization/locks/l");
        bench.make(&lock, json!({"properties": {"level": "CanNotDelete"}})).await;
        let refused = bench.delete(RG).await;
        assert_eq!((refused.status, refused.code()), (409, "ScopeLocked"));
        assert_eq!(bench.delete(&lock).await.status, 200);
        assert_eq!(bench.delete(RG).await.status, 202);
    }
}
