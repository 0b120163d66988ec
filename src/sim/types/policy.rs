//! Policy assignments, policy definitions and locks.

use super::generic::fill_identity;
use crate::core::behaviour::{Answer, Behaviour, merge_patch, ok, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, set, set_default, text};
use crate::core::options::CALLER_OBJECT_ID;
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

/// `Microsoft.Authorization/policyAssignments`.
#[derive(Debug)]
pub(crate) struct PolicyAssignment;

/// `Microsoft.Authorization/policyDefinitions` and `policySetDefinitions`.
#[derive(Debug)]
pub(crate) struct PolicyDefinition;

/// `Microsoft.Authorization/policyExemptions`.
#[derive(Debug)]
pub(crate) struct PolicyExemption;

/// `Microsoft.Authorization/locks`.
#[derive(Debug)]
pub(crate) struct Lock;

/// What hangs on a scope and on everything below it: a list there shows all of them, and `atScope()` those of the scope alone.
fn within(world: &mut World, call: &Call<'_>, wanted: impl Fn(&Resource) -> bool) -> Answer {
    let scope = &call.path.scope;
    if !world.exists(scope) {
        return Err(crate::core::call::not_found(&call.path.id[..scope.len()]));
    }
    let exact =
        call.query.get("$filter").is_some_and(|filter| filter.to_ascii_lowercase().contains("atscope()"));
    Ok(world.answer_page(call.origin, call.request, |world, after, most| {
        let fits = |key: &str, resource: &Resource| {
            let here = key.rfind("/providers/").map_or("", |at| &key[..at]);
            resource.kind == call.kind && (!exact || here == scope) && wanted(resource)
        };
        let below = world.state.resources.below_behind(scope, after);
        below
            .filter(|(key, resource)| fits(key, resource))
            .map(|(key, _)| key.to_owned())
            .take(most)
            .collect()
    }))
}

impl Behaviour for PolicyAssignment {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let Some(definition) = text(&call.body, "properties.policyDefinitionId").map(str::to_owned) else {
            let message = "The policy assignment create request is invalid. Policy definition ID is missing.";
            return Err(Failure::bad("InvalidCreatePolicyAssignmentRequest", message));
        };
        let lower = definition.to_ascii_lowercase();
        let known = if lower.starts_with("/providers/microsoft.authorization/") {
            uuid::Uuid::try_parse(last(&lower)).is_ok() || !last(&lower).is_empty()
        } else {
            world.state.resources.contains(&lower)
        };
        if !known {
            let message = format!("The policy definition '{definition}' could not be found.");
            return Err(Failure::new(404, "PolicyDefinitionNotFound", message));
        }
        let has_identity = text(&call.body, "identity.type").is_some_and(|t| !t.eq_ignore_ascii_case("none"));
        if has_identity && text(&call.body, "location").is_none_or(str::is_empty) {
            let message = "The policy assignment has an identity and must have a location.";
            return Err(Failure::bad("InvalidCreatePolicyAssignmentRequest", message));
        }
        let existing = world.state.resources.get(key);
        let was = existing.and_then(|r| text(&r.body, "properties.policyDefinitionId"));
        if was.is_some_and(|w| !w.eq_ignore_ascii_case(&definition)) {
            let message = "The policy definition of an existing policy assignment cannot be changed.";
            return Err(Failure::bad("InvalidPolicyAssignmentUpdate", message));
        }
        let created =
            existing.and_then(|r| text(&r.body, "properties.metadata.createdOn")).map(str::to_owned);
        if existing.is_none() {
            world.enter_generation(key);
        }
        let mut body: Object = Object::new();
        for member in ["identity", "location"] {
            if let Some(value) = call.body.get(member) {
                body.insert(member.to_owned(), value.clone());
            }
        }
        body.insert("properties".into(), Value::Object(call.properties()));
        body.extend(call.envelope());
        fill_identity(world, key, &mut body);
        let now = world.time();
        set(&mut body, "properties.scope", call.id[..call.path.scope.len()].to_owned());
        set_default(&mut body, "properties.enforcementMode", "Default");
        set_default(&mut body, "properties.definitionVersion", "1.*.*");
        set_default(&mut body, "properties.parameters", json!({}));
        set_default(&mut body, "properties.notScopes", json!([]));
        set(&mut body, "properties.assignmentType", "Custom");
        set(&mut body, "properties.instanceId", world.uuid(key, "instance"));
        set(&mut body, "properties.metadata.createdBy", CALLER_OBJECT_ID);
        set(&mut body, "properties.metadata.createdOn", created.clone().unwrap_or_else(|| now.clone()));
        let update = created.is_some();
        set(
            &mut body,
            "properties.metadata.updatedBy",
            if update { json!(CALLER_OBJECT_ID) } else { Value::Null },
        );
        set(&mut body, "properties.metadata.updatedOn", if update { json!(now) } else { Value::Null });
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        Ok(world.answer(201, key))
    }

    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        Some(within(world, call, |_| true))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        merge_patch(world, call);
        world.updated(&call.path.key);
        Ok(world.answer(200, &call.path.key))
    }
}

impl Behaviour for PolicyDefinition {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let mut body = call.envelope();
        body.insert("properties".into(), Value::Object(call.properties()));
        set_default(&mut body, "properties.policyType", "Custom");
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        Ok(world.answer(201, &call.path.key))
    }

    /// Built-in definitions are not listed here; any GUID at tenant scope is taken for one.
    fn get(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        let name = call.path.name();
        if !call.path.scope.is_empty() || uuid::Uuid::try_parse(name).is_err() {
            let message = format!("The policy definition '{name}' could not be found.");
            return Err(Failure::new(404, "PolicyDefinitionNotFound", message));
        }
        let id = format!("/providers/{}/{name}", call.type_name);
        let properties = json!({"policyType": "BuiltIn", "displayName": name, "version": "1.0.0"});
        ok(&json!({"id": id, "name": name, "type": call.type_name, "properties": properties}))
    }
}

impl Behaviour for PolicyExemption {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let category = text(&call.body, "properties.exemptionCategory").unwrap_or_default();
        if !["Waiver", "Mitigated"].iter().any(|one| one.eq_ignore_ascii_case(category)) {
            let message = format!("The policy exemption category '{category}' is invalid.");
            return Err(Failure::bad("InvalidPolicyExemptionCategory", message));
        }
        let assignment = text(&call.body, "properties.policyAssignmentId").unwrap_or_default().to_owned();
        let lower = assignment.to_ascii_lowercase();
        // One of a management group is not simulated, and may be there.
        if !lower.starts_with("/providers/") && !world.state.resources.contains(&lower) {
            let message = format!("The policy assignment '{assignment}' could not be found.");
            return Err(Failure::new(404, "PolicyAssignmentNotFound", message));
        }
        let mut body = call.envelope();
        body.insert("properties".into(), Value::Object(call.properties()));
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        Ok(world.answer(status, &call.path.key))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        merge_patch(world, call);
        world.updated(&call.path.key);
        Ok(world.answer(200, &call.path.key))
    }

    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let filter = call.query.get("$filter").unwrap_or_default();
        let assignment = crate::core::path::quoted(&filter, "policyAssignmentId");
        Some(within(world, call, |resource| {
            let of = text(&resource.body, "properties.policyAssignmentId").unwrap_or_default();
            assignment.as_ref().is_none_or(|assignment| assignment.eq_ignore_ascii_case(of))
        }))
    }
}

impl Behaviour for Lock {
    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        Some(within(world, call, |_| true))
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let level = text(&call.body, "properties.level").unwrap_or_default();
        if !["CanNotDelete", "ReadOnly"].iter().any(|l| l.eq_ignore_ascii_case(level)) {
            let message = format!(
                "The lock level '{level}' is invalid. Valid levels are 'CanNotDelete' and 'ReadOnly'."
            );
            return Err(Failure::bad("InvalidLockLevel", message));
        }
        let mut body = call.envelope();
        body.insert("properties".into(), Value::Object(call.properties()));
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        world.locks.insert(call.path.key.clone());
        Ok(world.answer(status, &call.path.key))
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        world.locks.remove(&resource.key());
    }

    fn loaded(&self, world: &mut World, key: &str) {
        world.locks.insert(key.to_owned());
    }
}
