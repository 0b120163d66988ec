//! A role assignment in words: who may do what on what, where Azure says three GUIDs.

use super::builtin_roles::BUILTIN_ROLES;
use crate::catalog::resource_type;
use crate::change::Grant;
use crate::ident::ArmId;
use crate::value::token::{Token, display_text, has_token};
use serde_json::Value;
use uuid::Uuid;

/// Roles that can change everything at their scope.
const ALL: &[&str] = &["Contributor", "Owner"];
/// Roles that can give roles to others, and so everything.
const GIVES: &[&str] = &["Owner", "Role Based Access Control Administrator", "User Access Administrator"];

/// What an assignment says.
pub(super) fn grant(id: &ArmId, body: &Value) -> Option<Grant> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let role = role(text("/properties/roleDefinitionId")?);
    let principal = principal(text("/properties/principalId")?, text("/properties/principalType"));
    let scope = id.parent();
    let (scope, is_wide, is_group) = match &scope {
        Some(scope) => (place(scope), is_wide(scope), scope.group().is_some_and(|_| is_group(scope))),
        None => ("everything".to_owned(), true, false),
    };
    let gives = GIVES.contains(&role.as_str());
    let reach = match (is_wide, gives, ALL.contains(&role.as_str())) {
        (true, true, _) => Some(format!("{principal} can then assign any role to anyone on {scope}")),
        (true, false, true) => Some(format!("{principal} can then change and delete everything on {scope}")),
        (false, true, _) if is_group => {
            Some(format!("{principal} can then assign any role to anyone on {scope}"))
        }
        _ => None,
    };
    Some(Grant { role, principal, scope, reach })
}

fn role(definition: &str) -> String {
    if has_token(definition) {
        return of_the_blueprint(definition).unwrap_or_else(|| display_text(definition));
    }
    let last = definition.rsplit('/').next().unwrap_or(definition);
    let guid = Uuid::try_parse(last).ok();
    let known = BUILTIN_ROLES.iter().find(|(_, known)| Some(*known) == guid);
    known.map_or_else(|| format!("the role {last}"), |(name, _)| (*name).to_owned())
}

fn principal(text: &str, what: Option<&str>) -> String {
    if has_token(text) {
        return of_the_blueprint(text).unwrap_or_else(|| display_text(text));
    }
    let what = match what {
        Some("User") => "the user",
        Some("Group" | "ForeignGroup") => "the group",
        Some("Device") => "the device",
        Some("ServicePrincipal") => "the service principal",
        _ => "the principal",
    };
    format!("{what} {text}")
}

/// The address that a text refers to.
fn of_the_blueprint(text: &str) -> Option<String> {
    match Token::exactly(text)? {
        Token::Output { address, .. } => Some(address.to_string()),
        Token::Reference { path, .. } => Some(path),
        _ => None,
    }
}

fn place(scope: &ArmId) -> String {
    let (name, arm_type) = (scope.name(), scope.resource_type());
    if is_subscription(scope) {
        return format!("the subscription {name}");
    }
    if is_group(scope) {
        return format!("the resource group {name}");
    }
    match arm_type.to_ascii_lowercase().as_str() {
        "microsoft.management/managementgroups" => format!("the management group {name}"),
        _ => match resource_type(&arm_type) {
            Some(kind) => format!("the {} {name}", kind.title),
            None => format!("{arm_type} {name}"),
        },
    }
}

fn is_subscription(scope: &ArmId) -> bool {
    scope.as_str().trim_matches('/').split('/').count() == 2 && scope.subscription().is_some()
}

fn is_group(scope: &ArmId) -> bool {
    scope.as_str().trim_matches('/').split('/').count() == 4 && scope.group().is_some()
}

/// Whether a scope holds resource groups.
fn is_wide(scope: &ArmId) -> bool {
    is_subscription(scope) || scope.subscription().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Address;
    use serde_json::json;

    #[test]
    fn three_guids_are_said_in_words() {
        const SUBSCRIPTION: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001";
        let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
        let reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
        let contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c";
        let app = Token::Output {
            address: Address::new("identities.app"),
            pointer: "/properties/principalId".into(),
        };
        let group = format!("{SUBSCRIPTION}/resourceGroups/rg");
        let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/kv");
        let management = "/providers/Microsoft.Management/managementGroups/root";
        for (scope, role, principal, kind, words, reaches) in [
            (
                SUBSCRIPTION,
                owner,
                app.encode(),
                "ServicePrincipal",
                "Owner for identities.app on the subscription 5ab5c819-0000-4000-8000-000000000001",
                true,
            ),
            (
                management,
                contributor,
                "4".into(),
                "Group",
                "Contributor for the group 4 on the management group root",
                true,
            ),
            (&group, owner, "4".into(), "User", "Owner for the user 4 on the resource group rg", true),
            (
                &group,
                contributor,
                "4".into(),
                "User",
                "Contributor for the user 4 on the resource group rg",
                false,
            ),
            (
                SUBSCRIPTION,
                reader,
                "4".into(),
                "User",
                "Reader for the user 4 on the subscription 5ab5c819-0000-4000-8000-000000000001",
                false,
            ),
            (&vault, owner, "4".into(), "", "Owner for the principal 4 on the key vault kv", false),
            (
                &vault,
                "6f0a1b2c-0000-4000-8000-00000000abcd",
                "4".into(),
                "",
                "the role 6f0a1b2c-0000-4000-8000-00000000abcd for the principal 4 on the key vault kv",
                false,
            ),
        ] {
            let id =
                ArmId::parse(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{reader}"))
                    .unwrap();
            let body = json!({ "properties": {
                "roleDefinitionId": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
                "principalId": principal, "principalType": kind,
            } });
            let grant = grant(&id, &body).unwrap();
            assert_eq!((grant.words().as_str(), grant.reach.is_some()), (words, reaches));
        }
    }
}
