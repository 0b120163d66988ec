//! Role assignments: `Microsoft.Authorization/roleAssignments`
//! (<https://learn.microsoft.com/azure/templates/microsoft.authorization/roleassignments>).
//!
//! The name of an assignment is a GUID that follows from who, what and where, so that the same blueprint always means
//! the same assignment. A change of any of the three is another assignment; Azure would refuse it in place.

use super::builtin_roles::{BUILTIN_ROLES, builtin_role};
use super::naming::did_you_mean;
use super::scope::{scope_id, subscription_of};
use crate::catalog::Scarce;
use crate::catalog::{
    DeleteMode, Draft, DraftId, EntryCx, EntryKind, Listing, Preflight, Problem, Reference, ResourceType,
    Severity, Turn, Weight,
};
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use crate::value::Rule;
use crate::value::token::{Token, display_text, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// A role assignment.
pub struct RoleAssignment;

/// A role of a principal at a scope.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Who gets the role: an identity of the blueprint, `${caller.objectId}`, or an object id.
    #[schemars(extend("x-wants" = "principal"))]
    principal: Reference,
    /// What the principal is. An identity of the blueprint is a `ServicePrincipal`; for an object id it must be said.
    principal_type: Option<PrincipalType>,
    /// The role: the name of a built-in one, such as `Key Vault Secrets User`, or the GUID or id of any.
    role: String,
    /// What the role is for: a resource of the blueprint, `resourceGroup` (the default), `subscription`, or an ARM id.
    #[schemars(extend("x-wants" = "scope"))]
    scope: Option<Reference>,
    /// What the assignment is for, for those who read it.
    description: Option<String>,
    /// An expression that narrows down what the role allows
    /// (<https://learn.microsoft.com/azure/role-based-access-control/conditions-format>).
    condition: Option<String>,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PrincipalType {
    /// An application or a managed identity.
    ServicePrincipal,
    /// A person.
    User,
    /// A group.
    Group,
    /// A group of another tenant.
    ForeignGroup,
    /// A device.
    Device,
}

impl PrincipalType {
    fn as_str(self) -> &'static str {
        match self {
            PrincipalType::ServicePrincipal => "ServicePrincipal",
            PrincipalType::User => "User",
            PrincipalType::Group => "Group",
            PrincipalType::ForeignGroup => "ForeignGroup",
            PrincipalType::Device => "Device",
        }
    }
}

const ARM_TYPE: &str = "Microsoft.Authorization/roleAssignments";
const DEFINITION: &str = "Microsoft.Authorization/roleDefinitions";
/// The only version of the language of conditions.
const CONDITION_VERSION: &str = "2.0";

/// A role assignment.
pub static ROLE_ASSIGNMENT: ResourceType = ResourceType {
    severity: &[Weight::new(
        "properties",
        Turn::Any,
        Severity::High,
        "somebody else has the role, or it holds elsewhere",
    )],
    cross_check: Some(super::role_scope::cross_check),
    grants: Some(super::role_words::grant),
    delete: DeleteMode::Always,
    tags: false,
    rules: &[
        // Ids compare without case, and the id that is sent has the form in which Azure answers.
        // A definition is one in every subscription, and Azure answers with the one of the scope.
        Rule::at("properties.roleDefinitionId").immutable().fold_case().guid(),
        Rule::at("properties.principalId").immutable().fold_case(),
        Rule::at("properties.principalType").immutable().fold_case(),
        Rule::at("properties.delegatedManagedIdentityResourceId").immutable().fold_case(),
        // A PUT replaces the assignment whole: what it leaves out is gone
        // (<https://learn.microsoft.com/rest/api/authorization/role-assignments/create>).
        Rule::at("properties.description").default("null"),
        Rule::at("properties.condition").default("null"),
        Rule::at("properties.conditionVersion").default("null"),
        Rule::at("properties.scope").read_only(),
        Rule::at("properties.createdOn").read_only(),
        Rule::at("properties.createdBy").read_only(),
        Rule::at("properties.updatedOn").read_only(),
        Rule::at("properties.updatedBy").read_only(),
    ],
    // A principal made in the same run takes a while to be known everywhere.
    listing: Listing::Scope,
    preflight: &[Preflight::Permission("Microsoft.Authorization/roleAssignments/write")],
    expected: Duration::from_secs(20),
    scarce: &[Scarce::Same(&["/properties/principalId", "/properties/roleDefinitionId"])],
    ..ResourceType::new(ARM_TYPE, "2022-04-01", "role assignment")
};

impl EntryKind for RoleAssignment {
    const SECTION: &'static str = "roleAssignments";
    const TITLE: &'static str = "role assignment";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str = "Assigns a role to a principal at a scope. Its Azure name is a GUID that follows from these \
        three; an entry's `name` is only for taking over an assignment that has another one.";
    const EXAMPLE: &'static str = "\
identities:
  app: { name: id-shop-app }
keyVaults:
  secrets:
    name: kv-shop-${uniqueString(azure.resourceGroup)}
roleAssignments:
  vaultReader:
    principal: ${identities.app}
    role: Key Vault Secrets User
    scope: ${keyVaults.secrets}
";
    const TYPES: &'static [&'static ResourceType] = &[&ROLE_ASSIGNMENT];
    const CODES: &'static [&'static [&'static Code]] =
        &[&[&ROLE, &PRINCIPAL, &PRINCIPAL_TYPE, &ROLE_ASSIGNMENT_NAME]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let scope = scope_id(spec.scope.as_ref(), "scope", cx);
        let role = role_id(&spec.role, cx);
        let principal = principal(&spec.principal, spec.principal_type, "", cx);
        let own_name = own_name(cx);
        let (Some(scope), Some(role), Some((principal, principal_type))) = (scope, role, principal) else {
            return;
        };

        let definition = match &role {
            Role::Guid(guid) => definition_id(&scope, guid, cx),
            Role::Token(id) => id.clone(),
        };
        let mut properties = json!({ "roleDefinitionId": definition, "principalId": principal });
        for (name, value) in [
            ("principalType", principal_type.map(|kind| kind.as_str().to_owned())),
            ("description", spec.description),
            ("conditionVersion", spec.condition.as_ref().map(|_| CONDITION_VERSION.to_owned())),
            ("condition", spec.condition),
        ] {
            if let Some(value) = value {
                properties[name] = Value::String(value);
            }
        }
        let seed = match role {
            Role::Guid(guid) => guid.to_string(),
            Role::Token(id) => id,
        };
        let id = match own_name {
            Some(guid) => DraftId::Text(format!("{scope}/providers/{ARM_TYPE}/{guid}")),
            None => DraftId::Guid { seeds: vec![scope.clone(), principal, seed], scope },
        };
        let draft = Draft::new(cx.address.clone(), "", &ROLE_ASSIGNMENT, json!({ "properties": properties }));
        cx.main(Draft { id, ..draft });
    }
}

/// A built-in role for somebody on something, which an entry of another section gives along with what it makes.
///
/// # Panics
/// When there is no built-in role of this name.
pub(super) fn given(
    address: Address,
    role: &'static str,
    scope: String,
    principal: (String, Option<PrincipalType>),
    cx: &EntryCx<'_>,
) -> Draft {
    let guid = builtin_role(role).unwrap_or_else(|| panic!("there is no built-in role `{role}`"));
    let (principal, principal_type) = principal;
    let mut properties =
        json!({ "roleDefinitionId": definition_id(&scope, &guid, cx), "principalId": principal });
    if let Some(kind) = principal_type {
        properties["principalType"] = kind.as_str().into();
    }
    let id = DraftId::Guid { seeds: vec![scope.clone(), principal, guid.to_string()], scope };
    Draft { id, ..Draft::new(address, "", &ROLE_ASSIGNMENT, json!({ "properties": properties })) }
}

/// A role as the blueprint names it.
enum Role {
    /// By its GUID.
    Guid(Uuid),
    /// By something that is not known yet: the text that becomes the id of its definition.
    Token(String),
}

const ROLE: Code = Code {
    name: "role",
    why: "There is no built-in role of this name.",
    remedy: "Take the one that the message offers, or write the definition's id.",
    example: "role: Key Vault Secrets User",
};

fn role_id(text: &str, cx: &mut EntryCx<'_>) -> Option<Role> {
    if has_token(text) {
        return Some(Role::Token(Token::want(text, "id")));
    }
    let last = ArmId::parse(text).ok().map(|id| id.name().to_owned());
    let found = builtin_role(text).or_else(|| Uuid::try_parse(last.as_deref().unwrap_or(text)).ok());
    if found.is_none() {
        let help = did_you_mean(text, BUILTIN_ROLES.iter().map(|(name, _)| *name));
        let help = help.unwrap_or_else(|| {
            "write the role's GUID, which `az role definition list --name` shows, when it is not a common one".into()
        });
        cx.problem(
            Problem::error(&ROLE, "role", format!("berth knows no built-in role `{text}`")).help(help),
        );
    }
    found.map(Role::Guid)
}

/// The id of a role's definition in the form in which Azure answers: below the subscription that the scope lies in.
fn definition_id(scope: &str, role: &Uuid, cx: &EntryCx<'_>) -> String {
    let guid = role.to_string();
    match subscription_of(scope, cx) {
        Some(subscription) => format!("/subscriptions/{subscription}/providers/{DEFINITION}/{guid}"),
        None => format!("/providers/{DEFINITION}/{guid}"),
    }
}

const PRINCIPAL: Code = Code {
    name: "principal",
    why: "A role is assigned to a principal: a reference to an identity or to a part of a cluster, or an object id.",
    remedy: "Write one of them.",
    example: "principal: ${identities.app}",
};

const PRINCIPAL_TYPE: Code = Code {
    name: "principal-type",
    why: "An object id does not tell whether it is a user, a group or an application; Azure wants to know, or waits for the directory.",
    remedy: "Add it.",
    example: "principalType: ServicePrincipal",
};

/// The principal's object id and what it is, which ARM looks up by itself when nothing is said.
///
/// Looking up fails for a principal that is some seconds old, so it is said wherever it is known: an identity of the
/// blueprint is a service principal. A caller has been there before, and is a person on one machine and a service
/// principal in a pipeline.
///
/// `path` is where the two fields stand: empty, or with a dot at its end.
pub(super) fn principal(
    principal: &Reference,
    principal_type: Option<PrincipalType>,
    path: &str,
    cx: &mut EntryCx<'_>,
) -> Option<(String, Option<PrincipalType>)> {
    let text = principal.facet("principalId");
    let implied = match Token::exactly(&text) {
        Some(Token::Reference { .. }) => Some(PrincipalType::ServicePrincipal),
        Some(_) => None,
        None if has_token(&text) || Uuid::try_parse(&text).is_ok() => {
            if principal_type.is_none() {
                cx.problem(
                    Problem::error(
                        &PRINCIPAL_TYPE,
                        format!("{path}principal"),
                        "an object id does not tell what the principal is",
                    )
                    .help("write `principalType: User`, `Group` or `ServicePrincipal`"),
                );
                return None;
            }
            None
        }
        None => {
            let message = format!("`{}` is not a principal", display_text(&text));
            cx.problem(
                Problem::error(&PRINCIPAL, format!("{path}principal"), message)
                    .help("write a reference such as `${identities.app}`, or the object id, which is a GUID"),
            );
            return None;
        }
    };
    Some((text, principal_type.or(implied)))
}

const ROLE_ASSIGNMENT_NAME: Code = Code {
    name: "role-assignment-name",
    why: "Role assignments are named by GUIDs; berth makes one from scope, principal and role.",
    remedy: "Leave `name` out.",
    example: "",
};

/// The GUID that an entry says is its name; a name that is the key was not said.
fn own_name(cx: &mut EntryCx<'_>) -> Option<String> {
    let name = cx.common.name.clone();
    if name == cx.key {
        return None;
    }
    if !has_token(&name) && Uuid::try_parse(&name).is_err() {
        cx.problem(
            Problem::error(&ROLE_ASSIGNMENT_NAME, "name", format!("`{name}` cannot name a role assignment"))
                .help("leave `name` out, or write the GUID of an assignment that exists"),
        );
        return None;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    const USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
    const GUID: &str = "cfb2fee4-724f-455e-9bd7-d180bd9332a0";

    fn fields(more: Value) -> Value {
        let mut fields =
            json!({ "principal": reference("identities.app"), "role": "Key Vault Secrets User" });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    fn seeds(draft: &Draft) -> (&str, Vec<&str>) {
        match &draft.id {
            DraftId::Guid { scope, seeds } => (scope, seeds.iter().map(String::as_str).collect()),
            DraftId::Text(text) => panic!("{text} is not made of seeds"),
        }
    }

    #[test]
    fn the_name_follows_from_who_what_and_where() {
        let more = json!({ "scope": reference("keyVaults.secrets"), "description": "d", "condition": "c" });
        let (drafts, problems) = expand("roleAssignments", "reader", fields(more));
        assert_eq!(problems, []);
        let (scope, principal) = (wants("keyVaults.secrets", "id"), wants("identities.app", "principalId"));
        assert_eq!(seeds(&drafts[0]), (scope.as_str(), vec![scope.as_str(), principal.as_str(), USER]));
        assert_eq!(
            drafts[0].body,
            json!({ "properties": {
                "roleDefinitionId":
                    format!("/subscriptions/sub/providers/Microsoft.Authorization/roleDefinitions/{USER}"),
                "principalId": principal,
                "principalType": "ServicePrincipal",
                "description": "d",
                "conditionVersion": "2.0",
                "condition": "c",
            } })
        );
    }

    #[test]
    fn scopes_in_every_form() {
        let group = "/subscriptions/sub/resourceGroups/rg";
        let elsewhere = "/subscriptions/other/resourceGroups/rg";
        let management = "/providers/Microsoft.Management/managementGroups/mg";
        for (scope, expected, definition) in [
            (Value::Null, group, "/subscriptions/sub/providers"),
            (json!("resourceGroup"), group, "/subscriptions/sub/providers"),
            (json!("subscription"), "/subscriptions/sub", "/subscriptions/sub/providers"),
            (json!(elsewhere), elsewhere, "/subscriptions/other/providers"),
            (json!(management), management, "/providers"),
        ] {
            let (drafts, problems) = expand("roleAssignments", "x", fields(json!({ "scope": scope })));
            assert_eq!(problems, []);
            assert_eq!(seeds(&drafts[0]).0, expected);
            let id = drafts[0].body["properties"]["roleDefinitionId"].as_str().unwrap();
            assert_eq!(id, format!("{definition}/Microsoft.Authorization/roleDefinitions/{USER}"));
        }
    }

    #[test]
    fn roles_in_every_form_are_one_role() {
        for role in [
            "KEY VAULT SECRETS USER".to_owned(),
            USER.to_uppercase(),
            format!("/providers/Microsoft.Authorization/roleDefinitions/{USER}"),
            format!("/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/{USER}"),
        ] {
            let (drafts, problems) = expand("roleAssignments", "x", fields(json!({ "role": role })));
            assert_eq!(problems, [], "{role}");
            assert_eq!(seeds(&drafts[0]).1[2], USER);
        }
        let custom = reference("resources.role");
        let (drafts, _) = expand("roleAssignments", "x", fields(json!({ "role": custom })));
        assert_eq!(drafts[0].body["properties"]["roleDefinitionId"], wants("resources.role", "id"));
    }

    #[test]
    fn an_object_id_must_say_what_it_is_and_a_caller_need_not() {
        let body = |fields: Value| expand("roleAssignments", "x", fields).0.remove(0).body;
        let group = body(fields(json!({ "principal": GUID, "principalType": "Group" })));
        assert_eq!(group["properties"]["principalType"], "Group");
        let caller = Token::Caller { claim: "objectId".into() }.encode();
        let caller = body(fields(json!({ "principal": caller })));
        assert_eq!(caller["properties"].get("principalType"), None);
    }

    #[test]
    fn an_assignment_that_exists_can_be_taken_over() {
        let (drafts, problems) = expand("roleAssignments", "x", fields(json!({ "name": GUID })));
        assert_eq!(problems, []);
        let DraftId::Text(id) = &drafts[0].id else { panic!("the name was said") };
        let group = "/subscriptions/sub/resourceGroups/rg";
        assert_eq!(id, &format!("{group}/providers/Microsoft.Authorization/roleAssignments/{GUID}"));
    }

    #[test]
    fn what_azure_answers_is_no_change_and_another_role_replaces() {
        let more = json!({ "principal": GUID, "principalType": "ServicePrincipal" });
        let (drafts, _) = expand("roleAssignments", "x", fields(more));
        let live = |role: &str, description: Value| {
            json!({ "name": "n", "type": "Microsoft.Authorization/roleAssignments", "properties": {
                "roleDefinitionId":
                    format!("/subscriptions/SUB/providers/Microsoft.Authorization/RoleDefinitions/{role}"),
                "principalId": GUID.to_uppercase(), "principalType": "ServicePrincipal",
                "scope": "/subscriptions/sub/resourceGroups/RG", "condition": null, "conditionVersion": null,
                "createdOn": "2001-02-03T04:05:06Z", "createdBy": null, "description": description,
                "delegatedManagedIdentityResourceId": null,
            } })
        };
        assert_eq!(changes(&drafts[0], &live(USER, Value::Null)), [] as [&str; 0]);
        assert_eq!(changes(&drafts[0], &live(GUID, Value::Null)), ["properties.roleDefinitionId!"]);
        let described =
            json!({ "principal": GUID, "principalType": "ServicePrincipal", "description": "new" });
        let (drafts, _) = expand("roleAssignments", "x", fields(described));
        assert_eq!(changes(&drafts[0], &live(USER, json!("old"))), ["properties.description"]);
    }

    #[test]
    fn says_what_cannot_be() {
        for (more, code) in [
            (json!({ "role": "Key Vault Secret User" }), "role"),
            (json!({ "role": "/subscriptions/x" }), "role"),
            (json!({ "principal": "me" }), "principal"),
            (json!({ "principal": GUID }), "principal-type"),
            (json!({ "principalType": "Person" }), "shape"),
            (json!({ "scope": "vault" }), "scope"),
            (json!({ "name": "reader" }), "role-assignment-name"),
        ] {
            assert_eq!(codes(expand("roleAssignments", "x", fields(more.clone()))), [code], "{more}");
        }
        let (_, problems) =
            expand("roleAssignments", "x", fields(json!({ "role": "Key Vault Secret User" })));
        assert_eq!(problems[0].help.as_deref(), Some("did you mean `Key Vault Secrets User`?"));
    }
}
