//! Role assignments and role definitions.

use super::role_names::ROLES;
use crate::core::behaviour::{Answer, Behaviour, ok_list, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{at, object, set, text};
use crate::core::options::CALLER_OBJECT_ID;
use crate::core::path::last;
use crate::core::path::quoted;
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};

/// `Microsoft.Authorization/roleAssignments`.
#[derive(Debug)]
pub(crate) struct RoleAssignment;

/// `Microsoft.Authorization/roleDefinitions`.
#[derive(Debug)]
pub(crate) struct RoleDefinition;

const MARK: &str = "/providers/microsoft.authorization/roleassignments/";

impl Behaviour for RoleAssignment {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let name = call.path.name();
        if uuid::Uuid::try_parse(name).is_err() {
            let message = format!(
                "The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."
            );
            return Err(Failure::bad("InvalidRoleAssignmentId", message));
        }
        let Some(principal) = text(&call.body, "properties.principalId").map(str::to_ascii_lowercase) else {
            return Err(Failure::bad("InvalidPrincipalId", "The principal ID is missing."));
        };
        if uuid::Uuid::try_parse(&principal).is_err() {
            let message =
                format!("The Principal ID '{principal}' is not valid. Principal ID must be a GUID.");
            return Err(Failure::bad("InvalidPrincipalId", message));
        }
        let role = text(&call.body, "properties.roleDefinitionId").map_or("", last).to_ascii_lowercase();
        let definition = format!(
            "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            world.state.subscription
        );
        if !role_exists(world, &role) {
            let message =
                format!("The specified role definition with ID '{}' does not exist.", role.replace('-', ""));
            return Err(Failure::bad("RoleDefinitionDoesNotExist", message));
        }
        let asked = text(&call.body, "properties.principalType");
        let principal_type = check_principal(world, &principal, asked)?;
        let key = &call.path.key;
        let scope = call.id[..call.path.scope.len()].to_owned();
        check_uniqueness(world, call, &principal, &role)?;
        let now = world.time();
        let existing = world.state.resources.get(key);
        let created = existing.and_then(|r| text(&r.body, "properties.createdOn")).unwrap_or(&now).to_owned();
        let given =
            |member: &str| at(&call.body, &format!("properties.{member}")).cloned().unwrap_or_default();
        let version = match (given("condition"), given("conditionVersion")) {
            (Value::Null, other) => other,
            (_, Value::Null) => json!("2.0"),
            (_, other) => other,
        };
        let body = json!({
            "properties": {
                "roleDefinitionId": definition,
                "principalId": principal,
                "principalType": principal_type,
                "scope": scope,
                "condition": given("condition"),
                "conditionVersion": version,
                "createdOn": created,
                "updatedOn": now,
                "createdBy": CALLER_OBJECT_ID,
                "updatedBy": CALLER_OBJECT_ID,
                "delegatedManagedIdentityResourceId": given("delegatedManagedIdentityResourceId"),
                "description": given("description"),
            },
            "id": call.id, "type": call.type_name, "name": name,
        });
        let body = object(body);
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body.clone()));
        if status == 201 {
            // The first answer does not know yet who created it.
            let mut body = body;
            set(&mut body, "properties.createdBy", Value::Null);
            return Ok(Response::new(201, Value::Object(body).to_string()));
        }
        Ok(world.answer(status, key))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let body = world.show(&call.path.key).unwrap_or_default();
        world.remove_tree(&call.path.key);
        world.deleted(&call.path.key);
        Ok(Response::new(200, body))
    }

    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let scope = &call.path.scope;
        if !world.exists(scope) {
            return Some(Err(crate::core::call::not_found(&call.path.id[..scope.len()])));
        }
        let filter = call.query.get("$filter").unwrap_or_default();
        let lower = filter.to_ascii_lowercase();
        let assigned =
            lower.find("assignedto('").map(|at| filter[at + 12..].split('\'').next().unwrap_or_default());
        let principal = quoted(&filter, "principalId").or_else(|| assigned.map(str::to_owned));
        let exact = lower.contains("atscope()");
        let prefix =
            |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let matches = |key: &str, resource: &Resource| {
            let Some(at) = key.find(MARK) else { return false };
            let here = &key[..at];
            let in_scope = prefix(here, scope) || (!exact && prefix(scope, here));
            let theirs = || text(&resource.body, "properties.principalId").unwrap_or_default();
            in_scope && principal.as_ref().is_none_or(|p| p.eq_ignore_ascii_case(theirs()))
        };
        Some(Ok(world.answer_page(call.origin, call.request, |world, after, most| {
            // Assignments above the scope stand at few places: those are looked up, the rest is one range.
            let mut keys: Vec<String> = Vec::new();
            let mut above = scope.as_str();
            while !above.is_empty() {
                let collection = format!("{above}{}", MARK.trim_end_matches('/'));
                if above != scope || exact {
                    let here = world.state.resources.members_behind(&collection, after);
                    keys.extend(here.filter(|(k, r)| matches(k, r)).take(most).map(|(k, _)| k.to_owned()));
                }
                above = crate::core::path::cut(above, 1);
            }
            if !exact {
                let below = world.state.resources.below_behind(scope, after);
                keys.extend(below.filter(|(k, r)| matches(k, r)).take(most).map(|(k, _)| k.to_owned()));
            }
            keys.sort_unstable();
            keys.truncate(most);
            keys
        })))
    }
}

fn check_principal(world: &World, principal: &str, asked: Option<&str>) -> Result<String, Failure> {
    let known = world.state.principals.get(principal);
    let Some(known) = known else {
        // People and groups come from the tenant's directory, which is not simulated: any may exist. A service principal
        // whose type is said is not looked up, so that one which is not replicated yet can have a role.
        if let Some(kind @ ("User" | "Group" | "ForeignGroup" | "Device" | "ServicePrincipal")) = asked {
            return Ok(kind.to_owned());
        }
        return Err(principal_not_found(world, principal));
    };
    match asked {
        None if known.known_from > world.now.now() => Err(principal_not_found(world, principal).passing()),
        None => Ok(known.kind.as_str().to_owned()),
        Some(asked) if asked.eq_ignore_ascii_case(known.kind.as_str()) || principal == CALLER_OBJECT_ID => {
            Ok(asked.to_owned())
        }
        Some(asked) => {
            let message = format!(
                "The PrincipalId '{principal}' has type '{}', which is different from specified PrinciaplType '{asked}'.",
                known.kind.as_str(),
            );
            Err(Failure::bad("UnmatchedPrincipalType", message))
        }
    }
}

fn principal_not_found(world: &World, principal: &str) -> Failure {
    let message = format!(
        "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. \
         If you are creating this principal and then immediately assigning a role, this error might be related to a \
         replication delay. In this case, set the role assignment principalType property to a value, such as \
         ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        principal.replace('-', ""),
        world.state.tenant,
    );
    Failure::bad("PrincipalNotFound", message)
}

fn check_uniqueness(world: &World, call: &Call<'_>, principal: &str, role: &str) -> Result<(), Failure> {
    let same = |r: &Resource| {
        text(&r.body, "properties.principalId") == Some(principal)
            && text(&r.body, "properties.roleDefinitionId").map_or("", last) == role
    };
    let key = &call.path.key;
    if let Some(existing) = world.state.resources.get(key) {
        if !same(existing) {
            let message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
            return Err(Failure::bad("RoleAssignmentUpdateNotPermitted", message));
        }
        return Ok(());
    }
    let collection = crate::core::path::cut(key, 1);
    if let Some((other, _)) = world.state.resources.members(collection).find(|(_, r)| same(r)) {
        let message = format!(
            "The role assignment already exists. The ID of the existing role assignment is {}.",
            last(other).replace('-', ""),
        );
        return Err(Failure::new(409, "RoleAssignmentExists", message));
    }
    Ok(())
}

fn role_exists(world: &World, role: &str) -> bool {
    let custom = format!(
        "/subscriptions/{}/providers/microsoft.authorization/roledefinitions/{role}",
        world.state.subscription
    );
    ROLES.iter().any(|(_, guid)| *guid == role)
        || world.state.resources.contains(&custom.to_ascii_lowercase())
}

/// A principal that goes with its resource: assignments to it stay behind, as they do in Azure.
pub(crate) fn forget_principals(world: &mut World, resource: &Resource) {
    if resource.kind.starts_with("microsoft.authorization/") {
        return;
    }
    for path in ["identity.principalId", "properties.principalId"] {
        if let Some(principal) = text(&resource.body, path) {
            world.state.principals.remove(principal);
        }
    }
}

fn definition(world: &World, scope: &str, name: &str, guid: &str) -> Value {
    let at =
        if scope.is_empty() { String::new() } else { format!("/subscriptions/{}", world.state.subscription) };
    json!({
        "id": format!("{at}/providers/Microsoft.Authorization/roleDefinitions/{guid}"),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": guid,
        "properties": {
            "roleName": name, "type": "BuiltInRole", "description": name, "assignableScopes": ["/"],
            "permissions": [{"actions": [], "notActions": [], "dataActions": [], "notDataActions": []}],
        },
    })
}

impl Behaviour for RoleDefinition {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let Some(name) = text(&call.body, "properties.roleName").map(str::to_owned) else {
            return Err(Failure::bad("InvalidRoleDefinition", "The role definition has no role name."));
        };
        let key = &call.path.key;
        let same = |n: &str| n.eq_ignore_ascii_case(&name);
        let custom = |r: &Resource| r.key() != *key && text(&r.body, "properties.roleName").is_some_and(same);
        if ROLES.iter().any(|(n, _)| same(n))
            || world.state.resources.of_kind(&call.kind).any(|(_, r)| custom(r))
        {
            let message =
                format!("A custom role with the same name '{name}' already exists in this directory.");
            return Err(Failure::new(409, "RoleDefinitionWithSameNameExists", message));
        }
        let mut body = call.envelope();
        body.insert("properties".into(), Value::Object(call.properties()));
        set(&mut body, "properties.type", "CustomRole");
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        Ok(world.answer(201, key))
    }

    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let guid = call.path.name().to_ascii_lowercase();
        if let Some((name, guid)) = ROLES.iter().find(|(_, g)| *g == guid) {
            return crate::core::behaviour::ok(&definition(world, &call.path.scope, name, guid));
        }
        let message =
            format!("The specified role definition with ID '{}' does not exist.", guid.replace('-', ""));
        Err(Failure::new(404, "RoleDefinitionDoesNotExist", message))
    }

    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let filter = call.query.get("$filter").unwrap_or_default();
        let (name, kind) = (quoted(&filter, "roleName"), quoted(&filter, "type"));
        let wanted = |n: &str, k: &str| {
            name.as_ref().is_none_or(|w| w.eq_ignore_ascii_case(n))
                && kind.as_ref().is_none_or(|w| w.eq_ignore_ascii_case(k))
        };
        let built_in = ROLES.iter().filter(|(n, _)| wanted(n, "BuiltInRole"));
        let mut value: Vec<Value> =
            built_in.map(|(n, g)| definition(world, &call.path.scope, n, g)).collect();
        let custom =
            world.state.resources.of_kind(&call.kind).filter(|(_, r)| {
                wanted(text(&r.body, "properties.roleName").unwrap_or_default(), "CustomRole")
            });
        value.extend(custom.map(|(_, r)| Value::Object(r.body.members())));
        Some(ok_list(value))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    const READER: &str =
        "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7";
    const A: &str = "aaaaaaaa-0000-4000-8000-000000000000";
    const B: &str = "bbbbbbbb-0000-4000-8000-000000000000";

    fn assignment(name: &str) -> String {
        Bench::rid(&format!("Microsoft.Authorization/roleAssignments/{name}"))
    }

    fn body(principal: &Value, kind: Option<&str>) -> Value {
        json!({"properties": {"roleDefinitionId": READER, "principalId": principal, "principalType": kind}})
    }

    #[tokio::test(start_paused = true)]
    async fn new_principals_need_their_type_or_time() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.ManagedIdentity/userAssignedIdentities/uai");
        let principal =
            bench.put(&id, json!({"location": "westeurope"})).await.at("/properties/principalId").clone();
        let seen = bench.put(&assignment(A), body(&principal, None)).await;
        assert_eq!((seen.status, seen.code()), (400, "PrincipalNotFound"));
        let mut tries = 0;
        while bench.put(&assignment(A), body(&principal, None)).await.status != 201 {
            tries += 1;
            assert!(tries < 5);
        }
        let got = bench.get(&assignment(A)).await;
        assert_eq!(got.at("/properties/principalType"), &json!("ServicePrincipal"));
        assert!(got.body["properties"]["description"].is_null());
        assert!(got.at("/properties/roleDefinitionId").as_str().unwrap().starts_with("/subscriptions/"));
        let wrong = bench.put(&assignment(B), body(&principal, Some("User"))).await;
        assert_eq!(wrong.code(), "UnmatchedPrincipalType");
        let unknown = bench.put(&assignment(B), body(&json!(B), None)).await;
        assert_eq!(unknown.code(), "PrincipalNotFound");
        let said = bench.put(&assignment(B), body(&json!(B), Some("ServicePrincipal"))).await;
        assert_eq!(said.status, 201);
    }

    #[tokio::test(start_paused = true)]
    async fn a_role_is_given_on_a_namespace_of_a_cluster() {
        let bench = Bench::new().await;
        let cluster = Bench::rid("Microsoft.ContainerService/managedClusters/mc");
        let at = |scope: &str| format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{A}");
        let said = body(&json!(B), Some("Group"));
        let none = bench.put(&at(&format!("{cluster}/namespaces/shop")), said.clone()).await;
        assert_eq!(none.status, 404);
        bench.make(&cluster, Bench::cluster_body()).await;
        assert_eq!(bench.put(&at(&format!("{cluster}/namespaces/shop")), said).await.status, 201);
    }

    #[tokio::test(start_paused = true)]
    async fn tuples_are_unique_and_fixed() {
        let bench = Bench::new().await;
        let caller = json!(crate::CALLER_OBJECT_ID);
        let sp = Some("ServicePrincipal");
        let first = bench.put(&assignment(A), body(&caller, sp)).await;
        assert_eq!((first.status, first.at("/properties/createdBy")), (201, &Value::Null));
        assert_eq!(bench.put(&assignment(A), body(&caller, sp)).await.status, 200);
        let twin = bench.put(&assignment(B), body(&caller, sp)).await;
        assert_eq!((twin.status, twin.code()), (409, "RoleAssignmentExists"));
        assert!(twin.at("/error/message").as_str().unwrap().contains(&A.replace('-', "")));
        let other = bench.put(&assignment(A), body(&json!(B), Some("Group"))).await;
        assert_eq!((other.status, other.code()), (400, "RoleAssignmentUpdateNotPermitted"));
        let mut unknown = body(&caller, sp);
        unknown["properties"]["roleDefinitionId"] = json!(format!("/x/{B}"));
        assert_eq!(bench.put(&assignment(B), unknown).await.code(), "RoleDefinitionDoesNotExist");
        let list = |filter: &str| format!("{}?$filter={filter}", assignment("").trim_end_matches('/'));
        let count = |seen: crate::testing::Seen| seen.body["value"].as_array().unwrap().len();
        assert_eq!(count(bench.get(&list("atScope()")).await), 1);
        assert_eq!(count(bench.get(&list(&format!("principalId eq '{B}'"))).await), 0);
        assert_eq!(count(bench.get("/providers/Microsoft.Authorization/roleAssignments").await), 1);
        assert_eq!(bench.delete(&assignment(A)).await.status, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn definitions_are_found_by_name_and_guid() {
        let bench = Bench::new().await;
        let by_name =
            "/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'Key Vault Secrets User'";
        let seen = bench.get(by_name).await;
        assert_eq!(seen.at("/value/0/name"), &json!("4633458b-17de-408a-b874-0445c86b69e6"));
        assert_eq!(bench.get(READER).await.at("/properties/roleName"), &json!("Reader"));
        let unknown = format!("/providers/Microsoft.Authorization/roleDefinitions/{B}");
        assert_eq!(bench.get(&unknown).await.code(), "RoleDefinitionDoesNotExist");
    }
}
