//! Azure Managed Grafana: `Microsoft.Dashboard/grafana`
//! (<https://learn.microsoft.com/azure/templates/microsoft.dashboard/grafana>).
//!
//! Who may use it, and what it may read, are role assignments: an integration alone gives nothing.

use super::naming::{NameRule, alphanumeric};
use super::parts::{OTHER_IDENTITY, identity, is_none_of, members, switch};
use super::role_assignment::{PrincipalType, given, principal};
use super::scope::scope_id;
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Listing, Merged, Named, Nested, Problem, Reference, ResourceType,
    Severity, Turn, Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::display_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A Managed Grafana.
pub struct Grafana;

/// A Managed Grafana.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The version of Grafana: `\"12\"` or `\"13\"`; Azure's newest for a new one when absent. Azure raises it by itself.
    version: Option<String>,
    /// Its size, `X1` or `X2`; Azure's default (`X1`) when absent. Never changes.
    size: Option<Size>,
    /// Whether it runs in several zones; Azure's default (`false`) when absent. Never changes.
    zone_redundant: Option<bool>,
    /// Whether it answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when absent.
    public_access: Option<bool>,
    /// Whether keys and service accounts sign programs in; Azure's default (`false`) when absent.
    api_keys: Option<bool>,
    /// Whether it reaches others from fixed addresses; Azure's default (`false`) when absent.
    fixed_outbound_addresses: Option<bool>,
    /// With which identity it reads: `system`, or one user-assigned identity; `system` when absent. Never changes.
    #[schemars(extend("x-wants" = "identity"))]
    identity: Option<Reference>,
    /// The Azure Monitor workspaces that it shows, each by a name of its own. Its identity gets the role Monitoring Data
    /// Reader on each.
    #[serde(default)]
    #[schemars(extend("x-wants" = "monitor workspace"))]
    monitor_workspaces: Named<Reference>,
    /// What else it may read, each by a name of its own: `subscription`, `resourceGroup` or a resource. Its identity gets
    /// the role Monitoring Reader on each.
    #[serde(default)]
    #[schemars(extend("x-wants" = "scope"))]
    reads: Named<Reference>,
    /// Who may use it, and as what.
    #[serde(default)]
    access: Named<AccessSpec>,
    /// Plugins that are installed, by their ids.
    #[serde(default)]
    plugins: Vec<String>,
}

/// The size of a Grafana.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Size {
    /// The smaller.
    X1,
    /// The larger.
    X2,
}

/// Somebody who may use it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessSpec {
    /// Who: an identity of the blueprint, `${caller.objectId}`, or an object id.
    #[schemars(extend("x-wants" = "principal"))]
    principal: Reference,
    /// What the principal is. An identity of the blueprint is a `ServicePrincipal`; for an object id it must be said.
    principal_type: Option<PrincipalType>,
    /// As what: `Admin`, `Editor` or `Viewer`.
    role: Role,
}

/// What somebody may do in Grafana.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum Role {
    /// Everything.
    Admin,
    /// Change dashboards and alerts.
    Editor,
    /// Look at dashboards.
    Viewer,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Role::Admin => "Grafana Admin",
            Role::Editor => "Grafana Editor",
            Role::Viewer => "Grafana Viewer",
        }
    }
}

const GRAFANA: &str = "Microsoft.Dashboard/grafana";

/// The instance.
pub static MANAGED_GRAFANA: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.apiKey", Turn::To("Enabled"), Severity::High, "takes keys beside identities"),
        Weight::new(
            "properties.grafanaIntegrations",
            Turn::Any,
            Severity::Medium,
            "it shows the metrics of others, or none",
        ),
    ],
    lost: Some("dashboards that people made in it are lost"),
    stateful: true,
    lanes: &[Lane::Ancestor(GRAFANA)],
    rules: &[
        Rule::at("sku.name").fold_case().immutable().default("\"Standard\""),
        Rule::at("sku.size").fold_case().immutable().default("\"X1\""),
        Rule::at("identity.type").fold_case().immutable(),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.zoneRedundancy").fold_case().immutable().default("\"Disabled\""),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.apiKey").fold_case().default("\"Disabled\""),
        Rule::at("properties.creatorCanAdmin").fold_case(),
        Rule::at("properties.deterministicOutboundIP").fold_case().default("\"Disabled\""),
        Rule::at("properties.autoGeneratedDomainNameLabelScope").fold_case().default("\"TenantReuse\""),
        Rule::at("properties.grafanaMajorVersion").at_least(),
        Rule::at("properties.grafanaIntegrations.azureMonitorWorkspaceIntegrations")
            .keyed("azureMonitorWorkspaceResourceId"),
        Rule::at("properties.grafanaPlugins").map(),
        Rule::at("properties.grafanaPlugins.*.pluginId").read_only(),
        Rule::at("properties.grafanaVersion").read_only(),
        Rule::at("properties.endpoint").read_only(),
        Rule::at("properties.outboundIPs").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("endpoint", "/properties/endpoint", "the URL at which people open it"),
        Facet::new("principalId", "/identity/principalId", "the object id of its `system` identity")
            .given(&OTHER_IDENTITY),
        Facet::new("version", "/properties/grafanaVersion", "the exact version that it runs"),
    ],
    listing: Listing::Subscription,
    expected: Duration::from_secs(480),
    expected_update: Duration::from_secs(120),
    expected_delete: Duration::from_secs(300),
    ..ResourceType::new(GRAFANA, "2025-08-01", "Managed Grafana")
};

const CODES: &[&Code] = &[&GRAFANA_NAME, &GRAFANA_VERSION];

const GRAFANA_NAME: Code = Code {
    name: "grafana-name",
    why: "The name of a Managed Grafana is part of its URL.",
    remedy: "Use 2 to 30 letters, digits and `-`, the first a letter, the last a letter or digit.",
    example: "name: graf-shop",
};

const GRAFANA_VERSION: Code = Code {
    name: "grafana-version",
    why: "Azure runs some major versions of Grafana, and has retired the others.",
    remedy: "Write one that the message names, or leave it out.",
    example: "version: \"12\"",
};

const NAME: NameRule = NameRule {
    code: &GRAFANA_NAME,
    what: "a Managed Grafana",
    min: 2,
    max: 30,
    first: |c| c.is_ascii_alphabetic(),
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "2 to 30 letters, digits and `-`, the first a letter, the last a letter or digit",
};

/// The major versions that Azure takes (November 2026).
const VERSIONS: &[&str] = &["12", "13"];

impl EntryKind for Grafana {
    const SECTION: &'static str = "grafana";
    const TITLE: &'static str = "Managed Grafana";
    const ARM_TYPE: &'static str = GRAFANA;
    const ABOUT: &'static str = "A Managed Grafana, with the Azure Monitor workspaces that it shows, what else it may read, and who \
        may use it: each of these is a role assignment. Dashboards that people make in it are in it alone, so it is deleted or \
        replaced only when somebody names it.";
    const EXAMPLE: &'static str = "\
identities:
  ops: { name: id-ops }
monitorWorkspaces:
  metrics: { name: amw-metrics, protect: false }
grafana:
  shop:
    name: graf-shop
    version: \"12\"
    size: X1
    zoneRedundant: true
    publicAccess: true
    apiKeys: false
    monitorWorkspaces: { metrics: \"${monitorWorkspaces.metrics}\" }
    reads: { group: resourceGroup }
    access:
      ops: { principal: \"${identities.ops}\", role: Admin }
";
    const TYPES: &'static [&'static ResourceType] = &[&MANAGED_GRAFANA];
    const NESTED: &'static [Nested] = &[Nested::at("access.*")];
    const MERGED: &'static [Merged] = &[
        Merged::list("monitorWorkspaces", "properties.grafanaIntegrations.azureMonitorWorkspaceIntegrations"),
        Merged::list("plugins", "properties.grafanaPlugins"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        NAME.check(&name, "name", cx);
        if let Some(version) = spec.version.as_deref().filter(|version| is_none_of(version, VERSIONS)) {
            let message = format!("Azure runs no Grafana `{}`", display_text(version));
            let help = format!("write one of {}, or take it out", VERSIONS.join(", "));
            cx.problem(Problem::error(&GRAFANA_VERSION, "version", message).help(help));
        }
        let id = cx.id(GRAFANA, &[&name]);
        let mut body = cx.tracked(spec.properties());
        body["sku"] =
            members([("name", Some("Standard".into())), ("size", spec.size.map(|size| json!(size)))]);
        let own = spec.identity.clone().unwrap_or_else(|| Reference("system".to_owned()));
        if let Some(identity) = identity(std::slice::from_ref(&own), "") {
            body["identity"] = identity;
        }
        let unsaid = [("properties.grafanaMajorVersion", true), ("identity.type", spec.identity.is_none())];
        let unsaid = if spec.version.is_some() { &unsaid[1..] } else { &unsaid[..] };
        cx.main(Draft::new(address.clone(), id.as_str(), &MANAGED_GRAFANA, body).initially_if(unsaid));

        let reader = match own.0.as_str() {
            "system" => Reference(
                crate::value::token::Token::Reference {
                    path: address.as_str().to_owned(),
                    facet: String::new(),
                }
                .encode(),
            ),
            _ => own,
        };
        let reader = (reader.facet("principalId"), Some(PrincipalType::ServicePrincipal));
        for (key, workspace) in &spec.monitor_workspaces {
            let origin = format!("monitorWorkspaces.{key}");
            let Some(scope) = scope_id(Some(workspace), &origin, cx) else { continue };
            let at = address.child("monitorWorkspaces").child(key);
            let draft = given(at, "Monitoring Data Reader", scope, reader.clone(), cx);
            cx.also(draft.needs(address.as_str()).origin(origin));
        }
        for (key, what) in &spec.reads {
            let origin = format!("reads.{key}");
            let Some(scope) = scope_id(Some(what), &origin, cx) else { continue };
            let at = address.child("reads").child(key);
            let draft = given(at, "Monitoring Reader", scope, reader.clone(), cx);
            cx.also(draft.needs(address.as_str()).origin(origin));
        }
        for (key, one) in &spec.access {
            let origin = format!("access.{key}");
            let who = principal(&one.principal, one.principal_type, &format!("{origin}."), cx);
            let Some(who) = who else { continue };
            let at = address.child("access").child(key);
            let draft = given(at, one.role.name(), id.as_str().to_owned(), who, cx);
            cx.also(draft.needs(address.as_str()).origin(origin));
        }
    }
}

impl Spec {
    fn properties(&self) -> Value {
        let integration =
            |workspace: &Reference| json!({ "azureMonitorWorkspaceResourceId": workspace.id() });
        let integrations: Vec<Value> = self.monitor_workspaces.values().map(integration).collect();
        let plugins: Map<String, Value> =
            self.plugins.iter().map(|plugin| (plugin.clone(), json!({}))).collect();
        members([
            ("grafanaMajorVersion", self.version.as_deref().map(Value::from)),
            ("zoneRedundancy", self.zone_redundant.map(switch)),
            ("publicNetworkAccess", self.public_access.map(switch)),
            ("apiKey", self.api_keys.map(switch)),
            ("deterministicOutboundIP", self.fixed_outbound_addresses.map(switch)),
            (
                "grafanaIntegrations",
                (!integrations.is_empty())
                    .then(|| json!({ "azureMonitorWorkspaceIntegrations": integrations })),
            ),
            ("grafanaPlugins", (!plugins.is_empty()).then_some(Value::Object(plugins))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::DraftId;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    #[test]
    fn what_it_shows_and_who_may_use_it_are_roles() {
        let fields = json!({
            "monitorWorkspaces": { "metrics": reference("monitorWorkspaces.metrics") }, "reads": { "all": "subscription" },
            "access": { "ops": { "principal": reference("identities.ops"), "role": "Viewer" } },
        });
        let (drafts, problems) = expand("grafana", "shop", fields);
        assert_eq!(problems, []);
        let own = wants("grafana.shop", "principalId");
        let roles: Vec<(String, &str)> = drafts[1..]
            .iter()
            .map(|draft| match &draft.id {
                DraftId::Guid { scope, seeds } => (scope.clone(), seeds[1].as_str()),
                DraftId::Text(text) => panic!("{text}"),
            })
            .collect();
        let (workspace, ops) =
            (wants("monitorWorkspaces.metrics", "id"), wants("identities.ops", "principalId"));
        let id = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Dashboard/grafana/shop";
        assert_eq!(
            roles,
            [
                (workspace, own.as_str()),
                ("/subscriptions/sub".to_owned(), own.as_str()),
                (id.to_owned(), ops.as_str()),
            ]
        );
        let mut live = drafts[0].created();
        live["sku"]["size"] = json!("X1");
        live["properties"]["grafanaMajorVersion"] = json!("13");
        live["properties"]["publicNetworkAccess"] = json!("Enabled");
        live["properties"]["endpoint"] = json!("https://x");
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let who = "5ab5c819-0000-4000-8000-00000000abcd";
        for (fields, code) in [
            (json!({ "name": "1x" }), "grafana-name"),
            (json!({ "version": "9" }), "grafana-version"),
            (json!({ "access": { "x": { "principal": who, "role": "Admin" } } }), "principal-type"),
        ] {
            assert_eq!(codes(expand("grafana", "shop", fields.clone())), [code], "{fields}");
        }
    }
}
