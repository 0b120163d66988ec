//! Resources that come from outside, as `GET` shows them.

use super::{connection, resource_group, table};
use crate::host::Timestamp;
use crate::sim::json::text;
use crate::sim::path::{ResourcePath, group_of, last};
use crate::sim::state_file::Error;
use crate::sim::store::Resource;
use crate::sim::world::{PrincipalKind, Registration, World};
use serde_json::Value;

/// Puts resources into the store as they are.
pub(crate) fn load(world: &mut World, resources: Vec<Value>) -> Result<(), Error> {
    let mut parsed = Vec::new();
    for value in resources {
        let Value::Object(body) = value else { return Err(no_id(&value)) };
        let Some(id) = text(&body, "id").map(str::to_owned) else { return Err(no_id(&Value::Object(body))) };
        let kind = match ResourcePath::parse(&id) {
            Some(path) if path.is_resource() => path.kind(),
            _ if group_of(&id).is_some_and(|g| g.len() == id.len()) => resource_group::KIND.to_owned(),
            _ => return Err(no_id(&Value::Object(body))),
        };
        parsed.push(Resource::new(&id, &kind, body));
    }
    let mut keys = Vec::new();
    for resource in parsed {
        let key = resource.key();
        if let Some(group) = group_of(&resource.id)
            && !world.state.resources.contains(&group.to_ascii_lowercase())
            && resource.kind != resource_group::KIND
        {
            resource_group::make(world, last(group), resource.location(), "", None);
        }
        for path in ["properties.principalId", "identity.principalId"] {
            if let Some(principal) = text(&resource.body, path) {
                let kind = match text(&resource.body, "properties.principalType") {
                    Some("User") => PrincipalKind::User,
                    Some("Group") => PrincipalKind::Group,
                    _ => PrincipalKind::ServicePrincipal,
                };
                world.add_principal(principal, kind, Timestamp(0));
            }
        }
        if let Some(path) = ResourcePath::parse(&key) {
            world.state.providers.insert(path.namespace, Registration::Registered);
        }
        world.state.resources.insert(resource);
        keys.push(key);
    }
    // Networks first: endpoints and pools join their subnets.
    keys.sort_by_key(|key| !key.contains("/virtualnetworks/"));
    for key in keys {
        let Some(kind) = world.state.resources.get(&key).map(|r| r.kind.clone()) else { continue };
        connection::split(world, &key);
        table::behaviour(&kind).loaded(world, &key);
    }
    Ok(())
}

fn no_id(value: &Value) -> Error {
    Error::NoId { resource: value.to_string().chars().take(120).collect() }
}
