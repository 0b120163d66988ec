//! Policy assignments: `Microsoft.Authorization/policyAssignments`
//! (<https://learn.microsoft.com/azure/templates/microsoft.authorization/policyassignments>).

use super::builtin_policies::{Policy, SYSTEM_NAMESPACES, builtin_policy, names};
use super::naming::did_you_mean;
use super::policy_states::POLICY_STATES;
use super::registration;
use super::scope::scope_id;
use crate::catalog::{
    CheckContext, DeleteMode, Draft, EntryCx, EntryKind, Facet, Given, Merged, Problem, Reference,
    ResourceType, Severity, SpokenOf, Turn, Weight, covers,
};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::Rule;
use crate::value::token::{Token, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A policy assignment.
pub struct PolicyAssignment;

/// A policy or an initiative that holds for a scope.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The policy or initiative: the display name of a built-in one, a short name such as `noPrivilegedContainers`, or
    /// the ARM id of any.
    policy: String,
    /// For what it holds: a resource of the blueprint, `resourceGroup` (the default), `subscription`, or an ARM id.
    #[schemars(extend("x-wants" = "scope"))]
    scope: Option<Reference>,
    /// What happens to what is not as it should be, such as `Audit`, `Deny` or `Disabled`; the policy's own default
    /// when absent.
    effect: Option<String>,
    /// The policy's parameters besides `effect`, by name.
    #[serde(default)]
    parameters: Map<String, Value>,
    /// Namespaces of clusters that are left alone, besides those that the policy leaves alone by itself.
    #[serde(default)]
    exclude_namespaces: Vec<String>,
    /// Whether the effect is carried out, or what would happen is only told. A new assignment is carried out when absent;
    /// a later change is drift only where this is written.
    enforce: Option<bool>,
    /// The title that people see.
    display_name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// The message for people whose resource the policy refuses.
    message: Option<String>,
    /// Ids below the scope for which it does not hold. Left out, what others exclude stays and is reported; an empty list
    /// excludes nothing.
    #[schemars(extend("x-wants" = "scope"))]
    exclude_scopes: Option<Vec<Reference>>,
    /// As whom the policy changes or deploys things: `system`, or a user-assigned identity of the blueprint.
    #[schemars(extend("x-wants" = "identity"))]
    identity: Option<Reference>,
    /// `compliant`: a run ends only once Azure has judged all that it holds for as it should be, within the entry's
    /// `timeout` (`30m`).
    wait: Option<Wait>,
}

/// What a run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Wait {
    /// `compliant`
    #[serde(rename = "compliant")]
    Compliant,
}

const ARM_TYPE: &str = "Microsoft.Authorization/policyAssignments";

/// What an assignment needs for a `principalId`.
static SYSTEM_IDENTITY: Given = Given {
    pointer: "/identity/type",
    holds: "SystemAssigned",
    by_default: false,
    unless: None,
    why: "it has no identity of its own",
    remedy: "write `identity: system` in the assignment, or refer to the entry of `identities` that it names",
};

/// A policy assignment.
pub static POLICY_ASSIGNMENT: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.enforcementMode", Turn::Any, Severity::High, "the policy no longer denies"),
        Weight::new("properties.notScopes", Turn::Any, Severity::High, "the policy holds elsewhere"),
    ],
    cross_check: Some(addon_is_on),
    delete: DeleteMode::Always,
    tags: false,
    rules: &[
        Rule::at("properties.policyDefinitionId").immutable().fold_case(),
        Rule::at("properties.parameters").map(),
        // A list that a definition takes is what it looks for, in whatever order.
        Rule::at("properties.parameters.*.value").set(),
        Rule::at("properties.enforcementMode").default("\"Default\"").fold_case(),
        Rule::at("properties.notScopes").set().fold_case(),
        Rule::at("properties.nonComplianceMessages").default("[]"),
        Rule::at("properties.scope").read_only(),
        Rule::at("properties.instanceId").read_only(),
        Rule::at("properties.latestDefinitionVersion").read_only(),
        Rule::at("properties.effectiveDefinitionVersion").read_only(),
        Rule::at("properties.metadata.createdBy").read_only(),
        Rule::at("properties.metadata.createdOn").read_only(),
        Rule::at("properties.metadata.updatedBy").read_only(),
        Rule::at("properties.metadata.updatedOn").read_only(),
        Rule::at("identity").whole(),
        Rule::at("identity.type").fold_case(),
        Rule::at("identity.userAssignedIdentities").map(),
    ],
    facets: &[Facet::new("principalId", "/identity/principalId", "the object id of its `system` identity")
        .given(&SYSTEM_IDENTITY)],
    expected: Duration::from_secs(5),
    spoken_of: Some(SpokenOf {
        arm_type: "Microsoft.Authorization/policyExemptions",
        api_version: "2026-01-01-preview",
        about: "/properties/policyAssignmentId",
        called: "exemptions",
    }),
    judged: Some(&POLICY_STATES),
    watched: &["properties.notScopes", "properties.overrides", "properties.resourceSelectors"],
    ..ResourceType::new(ARM_TYPE, "2025-11-01", "policy assignment")
};

impl EntryKind for PolicyAssignment {
    const SECTION: &'static str = "policyAssignments";
    const TITLE: &'static str = "policy assignment";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const TYPES: &'static [&'static ResourceType] = &[&POLICY_ASSIGNMENT];
    const ABOUT: &'static str = "A policy or an initiative that holds for a scope. Built-in ones are named by their \
        display name or a short name, and their effect and parameters are checked. Policies inside clusters need the \
        cluster's `azurePolicy` addon.";
    const EXAMPLE: &'static str = "\
policyAssignments:
  podSecurity:
    name: shop-pod-security
    policy: podSecurityBaseline
    effect: Deny
    excludeNamespaces: [flux-system]
    message: Pods must follow the baseline of pod security.
  locations:
    policy: Allowed locations
    parameters: { listOfAllowedLocations: [westeurope, northeurope] }
";
    const MERGED: &'static [Merged] = &[Merged::list("parameters", "properties.parameters")];
    const CODES: &'static [&'static [&'static Code]] = &[&[
        &POLICY,
        &POLICY_ADDON,
        &POLICY_ASSIGNMENT_NAME,
        &POLICY_EFFECT,
        &POLICY_IDENTITY,
        &POLICY_NAMESPACES,
        &POLICY_PARAMETER,
        &POLICY_WAIT,
    ]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        let scope = scope_id(spec.scope.as_ref(), "scope", cx);
        check_name(&name, scope.as_deref(), cx);
        let Some((definition, policy)) = definition(&spec.policy, cx) else { return };
        if let Some(policy) = policy {
            check(&spec, policy, cx);
        }
        let Some(scope) = scope else { return };

        let mut parameters = spec.parameters;
        if let Some(effect) = spec.effect {
            parameters.insert("effect".into(), effect.into());
        }
        if !spec.exclude_namespaces.is_empty() {
            let own = SYSTEM_NAMESPACES.iter().map(|name| (*name).to_owned());
            let mut all: Vec<String> = own.chain(spec.exclude_namespaces).collect();
            let mut seen = std::collections::HashSet::new();
            all.retain(|name| seen.insert(name.clone()));
            parameters.insert("excludedNamespaces".into(), all.into());
        }
        let parameters: Map<String, Value> =
            parameters.into_iter().map(|(name, value)| (name, json!({ "value": value }))).collect();
        let not_scopes = spec.exclude_scopes.as_deref();
        let not_scopes = not_scopes.map(|scopes| scopes.iter().map(Reference::id).collect::<Vec<_>>());
        let mut properties = json!({ "policyDefinitionId": definition });
        for (name, value) in [
            ("displayName", spec.display_name.map(Value::from)),
            ("description", spec.description.map(Value::from)),
            (
                "enforcementMode",
                Some(if spec.enforce == Some(false) { "DoNotEnforce" } else { "Default" }.into()),
            ),
            ("parameters", (!parameters.is_empty()).then_some(Value::Object(parameters))),
            ("notScopes", not_scopes.map(Value::from)),
            ("nonComplianceMessages", spec.message.map(|text| json!([{ "message": text }]))),
        ] {
            if let Some(value) = value {
                properties[name] = value;
            }
        }
        let mut body = json!({ "properties": properties });
        if let Some(identity) = spec.identity {
            body["location"] = cx.common.location.clone().into();
            body["identity"] = match identity.0.as_str() {
                "system" => json!({ "type": "SystemAssigned" }),
                _ => json!({ "type": "UserAssigned", "userAssignedIdentities": { identity.id(): {} } }),
            };
        }
        let id = format!("{}/providers/{ARM_TYPE}/{name}", scope.trim_end_matches('/'));
        let unsaid = [("properties.enforcementMode", spec.enforce.is_none())];
        let mut draft = Draft::new(cx.address.clone(), id, &POLICY_ASSIGNMENT, body).initially_if(&unsaid);
        if spec.wait.is_some() {
            draft = awaited(draft, &scope, cx);
        }
        cx.main(draft);
    }
}

const POLICY_WAIT: Code = Code {
    name: "policy-wait",
    why: "Azure can be asked to judge a subscription or a resource group at once. A management group it judges only once a day, which no run waits for.",
    remedy: "Leave `wait` out, or assign the policy to a subscription.",
    example: "scope: subscription",
};

/// The draft, waited for until all complies. Only a registered subscription says whether it does.
fn awaited(draft: Draft, scope: &str, cx: &mut EntryCx<'_>) -> Draft {
    if scope.to_ascii_lowercase().starts_with("/providers/") {
        let message = "a run cannot wait for what a management group holds";
        cx.problem(
            Problem::error(&POLICY_WAIT, "wait", message)
                .help("leave `wait` out, or assign the policy to a subscription"),
        );
        return draft;
    }
    let subscription = cx.common.subscription.clone();
    let provider = registration::provider(&subscription, "Microsoft.PolicyInsights");
    let provider = if cx.common.elsewhere { provider.elsewhere(&subscription) } else { provider };
    let address = provider.address.clone();
    cx.also(provider);
    draft.needs(address.as_str()).awaited(true)
}

const POLICY_ADDON: Code = Code {
    name: "policy-addon",
    why: "Policies for what is inside clusters are carried out by the cluster's add-on for Azure Policy. Without it the assignment does nothing there.",
    remedy: "Switch the add-on on.",
    example: "addons: { azurePolicy: true }",
};

/// Warns of clusters below the scope of a policy for their inside that have no add-on which would carry it out.
fn addon_is_on(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let Some(definition) = around.this.text("/properties/policyDefinitionId") else { return };
    let guid = definition.rsplit('/').next().and_then(|guid| uuid::Uuid::parse_str(guid).ok());
    let policy =
        guid.and_then(|guid| super::builtin_policies::POLICIES.iter().find(|policy| policy.id == guid));
    let Some(scope) =
        around.this.id.parent().filter(|_| policy.is_some_and(|policy| !policy.common.is_empty()))
    else {
        return;
    };
    let below = around
        .all
        .of_type("Microsoft.ContainerService/managedClusters")
        .filter(|cluster| covers(&scope, cluster.id));
    for cluster in below {
        let on =
            cluster.body.pointer("/properties/addonProfiles/azurepolicy/enabled") == Some(&Value::Bool(true));
        let automatic = cluster.text("/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("Automatic"));
        if !on && !automatic {
            problems.push(
                Problem::warning(
                    &POLICY_ADDON,
                    "policy",
                    format!(
                        "`{}` has no add-on for Azure Policy, so this policy does nothing in it",
                        cluster.address
                    ),
                )
                .help(format!("write `addons: {{ azurePolicy: true }}` in `{}`", cluster.address)),
            );
        }
    }
}

const POLICY: Code = Code {
    name: "policy",
    why: "There is no built-in policy of this name that berth knows.",
    remedy: "Take one that the message offers, or write the definition's id.",
    example: "policy: podSecurityBaseline",
};

/// The id of the definition, and what is known of it.
fn definition(text: &str, cx: &mut EntryCx<'_>) -> Option<(String, Option<&'static Policy>)> {
    if has_token(text) {
        return Some((Token::want(text, "id"), None));
    }
    let id = ArmId::parse(text).ok();
    if let Some(id) = &id {
        let kind = id.resource_type().to_ascii_lowercase();
        if matches!(
            kind.as_str(),
            "microsoft.authorization/policydefinitions" | "microsoft.authorization/policysetdefinitions"
        ) {
            let builtin = text.to_ascii_lowercase().starts_with("/providers/microsoft.authorization/");
            return Some((text.to_owned(), builtin.then(|| builtin_policy(id.name())).flatten()));
        }
    }
    let Some(policy) = builtin_policy(text) else {
        let help = did_you_mean(text, names()).unwrap_or_else(|| {
            "write the id of the definition, which `az policy definition list` shows, when it is not a common one"
                .into()
        });
        let message = format!("berth knows no built-in policy `{text}`");
        cx.problem(Problem::error(&POLICY, "policy", message).help(help));
        return None;
    };
    let kind = if policy.initiative { "policySetDefinitions" } else { "policyDefinitions" };
    Some((format!("/providers/Microsoft.Authorization/{kind}/{}", policy.id), Some(policy)))
}

const POLICY_ASSIGNMENT_NAME: Code = Code {
    name: "policy-assignment-name",
    why: "The name cannot be that of a policy assignment.",
    remedy: "Use 1 to 24 characters at management groups, 64 elsewhere, without those that Azure refuses.",
    example: "name: pod-security",
};

fn check_name(name: &str, scope: Option<&str>, cx: &mut EntryCx<'_>) {
    let management = scope.is_some_and(|scope| scope.to_ascii_lowercase().contains("/managementgroups/"));
    let longest = if management { 24 } else { 64 };
    let bad = |c: char| c.is_control() || "<>%&:\\?/".contains(c);
    let fine =
        (1..=longest).contains(&name.chars().count()) && !name.contains(bad) && !name.ends_with(['.', ' ']);
    if !fine && !has_token(name) {
        let message = format!("`{name}` cannot be the name of a policy assignment");
        let help =
            format!("use at most {longest} characters, none of `<>%&:\\?/`, and no `.` or space at the end");
        cx.problem(Problem::error(&POLICY_ASSIGNMENT_NAME, "name", message).help(help));
    }
}

const POLICY_EFFECT: Code = Code {
    name: "policy-effect",
    why: "The policy does not offer this effect.",
    remedy: "Take one that the message lists.",
    example: "effect: deny",
};

const POLICY_IDENTITY: Code = Code {
    name: "policy-identity",
    why: "A policy that changes or deploys things does it as an identity with roles.",
    remedy: "Give the assignment one.",
    example: "identity: ${identities.policy}",
};

const POLICY_NAMESPACES: Code = Code {
    name: "policy-namespaces",
    why: "Namespaces are left out by the policies for Kubernetes only, and by name.",
    remedy: "Write names of namespaces.",
    example: "excludeNamespaces: [kube-system]",
};

const POLICY_PARAMETER: Code = Code {
    name: "policy-parameter",
    why: "The policy has no such parameter, or not with this value.",
    remedy: "Take what the message offers.",
    example: "parameters: { allowedContainerImagesRegex: \".*\" }",
};

/// What can be said of an assignment of a policy that is known.
fn check(spec: &Spec, policy: &Policy, cx: &mut EntryCx<'_>) {
    let given = |name: &str| spec.parameters.keys().any(|key| key.eq_ignore_ascii_case(name));
    if let Some(effect) = spec.effect.as_deref().filter(|effect| !has_token(effect)) {
        if policy.effects.is_empty() {
            cx.problem(
                Problem::error(
                    &POLICY_EFFECT,
                    "effect",
                    "this policy has one effect, which cannot be chosen",
                )
                .help("remove `effect`"),
            );
        } else if !policy.effects.contains(&effect) {
            let help = did_you_mean(effect, policy.effects.iter().copied());
            let all = policy.effects.iter().filter(|e| e.starts_with(|c: char| c.is_ascii_uppercase()));
            let all = all.copied().collect::<Vec<_>>().join("`, `");
            cx.problem(
                Problem::error(
                    &POLICY_EFFECT,
                    "effect",
                    format!("`{effect}` is not an effect of this policy"),
                )
                .help(help.unwrap_or_else(|| format!("write one of `{all}`"))),
            );
        }
    }
    for name in spec.parameters.keys() {
        let path = format!("parameters.{name}");
        if name.eq_ignore_ascii_case("effect") {
            cx.problem(
                Problem::error(&POLICY_PARAMETER, path, "the effect has a field of its own")
                    .help("write `effect:` beside `parameters:`"),
            );
        } else if !policy.parameters().any(|known| known.eq_ignore_ascii_case(name)) {
            let help = did_you_mean(name, policy.parameters()).unwrap_or_else(|| {
                match policy.parameters().collect::<Vec<_>>() {
                    all if all.is_empty() => "remove it: this policy takes none".to_owned(),
                    all => format!("it takes {}", all.join(", ")),
                }
            });
            let message = format!("this policy has no parameter `{name}`");
            cx.problem(Problem::error(&POLICY_PARAMETER, path, message).help(help));
        }
    }
    for name in policy.required.iter().filter(|name| !given(name)) {
        let message = format!("this policy needs the parameter `{name}`");
        cx.problem(
            Problem::error(&POLICY_PARAMETER, "parameters", message)
                .help(format!("add `parameters: {{ {name}: … }}`")),
        );
    }
    if !spec.exclude_namespaces.is_empty() && (!policy.common.contains('n') || given("excludedNamespaces")) {
        let message = "this policy takes no namespaces to leave alone here";
        cx.problem(Problem::error(&POLICY_NAMESPACES, "excludeNamespaces", message).help(
            "remove it; only policies inside clusters have it, and a parameter of that name overrides it",
        ));
    }
    let disabled = spec.effect.as_deref().is_some_and(|effect| effect.eq_ignore_ascii_case("disabled"));
    if policy.acts && spec.identity.is_none() && !disabled {
        cx.problem(
            Problem::error(
                &POLICY_IDENTITY,
                "",
                "this policy changes things, and needs an identity to do so",
            )
            .help("add `identity: system`, and a role assignment for `${policyAssignments.…}`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    fn assigned(fields: Value) -> (Vec<Draft>, Vec<Problem>) {
        expand("policyAssignments", "p", fields)
    }

    #[test]
    fn a_policy_by_name_with_its_effect_and_namespaces() {
        let (drafts, problems) = assigned(json!({
            "policy": "podSecurityBaseline", "effect": "Deny", "excludeNamespaces": ["flux-system", "kube-system"],
            "enforce": false, "message": "m",
        }));
        assert_eq!(problems, []);
        assert_eq!(
            id(&drafts[0]),
            "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Authorization/policyAssignments/p"
        );
        assert_eq!(
            drafts[0].created(),
            json!({ "properties": {
                "policyDefinitionId":
                    "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d",
                "enforcementMode": "DoNotEnforce",
                "parameters": {
                    "effect": { "value": "Deny" },
                    "excludedNamespaces": { "value": [
                        "kube-system", "gatekeeper-system", "azure-arc", "azure-extensions-usage-system", "flux-system",
                    ] },
                },
                "nonComplianceMessages": [{ "message": "m" }],
            } })
        );
    }

    #[test]
    fn a_policy_that_acts_has_an_identity() {
        let acting = |identity: Value| {
            assigned(
                json!({ "policy": "inheritTag", "parameters": { "tagName": "team" }, "identity": identity }),
            )
        };
        let (drafts, problems) = acting(json!("system"));
        assert_eq!(problems, []);
        assert_eq!(
            (&drafts[0].body["location"], &drafts[0].body["identity"]),
            (&json!("westeurope"), &json!({ "type": "SystemAssigned" }))
        );
        let (drafts, _) = acting(json!(reference("identities.p")));
        let key = wants("identities.p", "id");
        assert_eq!(
            drafts[0].created()["identity"],
            json!({ "type": "UserAssigned", "userAssignedIdentities": { key: {} } })
        );
    }

    #[test]
    fn what_azure_answers_is_no_change_and_another_policy_replaces() {
        let (drafts, _) = assigned(
            json!({ "policy": "Allowed locations", "parameters": { "listOfAllowedLocations": ["westeurope"] } }),
        );
        let live = |guid: &str| {
            json!({ "id": "x", "properties": {
                "policyDefinitionId": format!("/providers/microsoft.authorization/policyDefinitions/{guid}"),
                "definitionVersion": "1.*.*", "enforcementMode": "Default", "notScopes": [], "scope": "s", "instanceId": "i",
                "metadata": { "createdBy": "c" }, "parameters": { "listOfAllowedLocations": { "value": ["westeurope"] } },
            } })
        };
        assert_eq!(changes(&drafts[0], &live("E56962a6-4747-49cd-b67b-bf8b01975c4c")), [] as [&str; 0]);
        assert_eq!(changes(&drafts[0], &live("x")), ["properties.policyDefinitionId!"]);
    }

    #[test]
    fn says_what_cannot_be() {
        for (fields, code) in [
            (json!({ "policy": "Allowed location" }), "policy"),
            (json!({ "policy": "/subscriptions/s" }), "policy"),
            (json!({ "policy": "podSecurityBaseline", "effect": "Block" }), "policy-effect"),
            (json!({ "policy": "noPrivilegeEscalation", "effect": "deny" }), "policy-effect"),
            (
                json!({ "policy": "requireTag", "effect": "Deny", "parameters": { "tagName": "a" } }),
                "policy-effect",
            ),
            (
                json!({ "policy": "podSecurityBaseline", "parameters": { "effect": "Deny" } }),
                "policy-parameter",
            ),
            (
                json!({ "policy": "podSecurityBaseline", "parameters": { "excludedNamespace": [] } }),
                "policy-parameter",
            ),
            (json!({ "policy": "requireTag" }), "policy-parameter"),
            (
                json!({ "policy": "requireTag", "parameters": { "tagName": "a" }, "excludeNamespaces": ["a"] }),
                "policy-namespaces",
            ),
            (json!({ "policy": "inheritTag", "parameters": { "tagName": "a" } }), "policy-identity"),
            (json!({ "policy": "podSecurityBaseline", "name": "a/b" }), "policy-assignment-name"),
            (
                json!({ "policy": "podSecurityBaseline", "wait": "compliant",
                        "scope": "/providers/Microsoft.Management/managementGroups/m" }),
                "policy-wait",
            ),
        ] {
            assert_eq!(codes(assigned(fields.clone())), [code], "{fields}");
        }
    }
}
