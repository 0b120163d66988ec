//! Collection rules with their associations: `Microsoft.Insights/dataCollectionRules`
//! (<https://learn.microsoft.com/azure/templates/microsoft.insights/datacollectionrules>).
//!
//! A rule is in the region of the workspaces that it writes to.

use super::endpoint::{ENDPOINT, ENDPOINTS, Os};
use super::sources::{
    COUNTERS, ContainerInsightsSpec, CountersSpec, METRICS, PrometheusSpec, SYSLOG, SyslogSpec,
    WINDOWS_EVENTS, WindowsEventsSpec,
};
use super::{API_VERSION, ASSOCIATION, RULE_NAME, association, shortened};
use crate::catalog::kinds::parts::members;
use crate::catalog::kinds::scope::{region_of, scope_id, type_in};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Listing, Merged, Named, Nested, Problem, Reference, ResourceType,
    Severity, Turn, Weight,
};
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use crate::value::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// A collection rule.
pub struct CollectionRule;

/// What is collected, from what, and where it goes: every log to every workspace, every metric to every Azure Monitor
/// workspace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The system of the agents, `Linux` or `Windows`. It has to be said for clusters.
    kind: Option<Os>,
    /// What it is for.
    description: Option<String>,
    /// The endpoint that agents send to, which Prometheus needs.
    #[schemars(extend("x-wants" = "collection endpoint"))]
    endpoint: Option<Reference>,
    /// Logs, inventory and events of clusters.
    container_insights: Option<ContainerInsightsSpec>,
    /// Metrics of clusters: `{}`.
    prometheus: Option<PrometheusSpec>,
    /// What Linux machines write to syslog.
    #[serde(default)]
    syslog: Named<SyslogSpec>,
    /// Counters of machines.
    #[serde(default)]
    counters: Named<CountersSpec>,
    /// What Windows machines write to their event log.
    #[serde(default)]
    windows_events: Named<WindowsEventsSpec>,
    /// The Log Analytics workspaces that logs go to, each by a name of its own.
    #[serde(default)]
    #[schemars(extend("x-wants" = "workspace"))]
    workspaces: Named<Reference>,
    /// The Azure Monitor workspaces that metrics go to, each by a name of its own.
    #[serde(default)]
    #[schemars(extend("x-wants" = "monitor workspace"))]
    monitor_workspaces: Named<Reference>,
    /// What is collected from.
    #[serde(default)]
    associations: Named<AssociationSpec>,
}

/// A resource that is collected from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AssociationSpec {
    /// The resource.
    #[schemars(extend("x-wants" = "target"))]
    target: Reference,
    /// The Azure name; the one that agents look for when they collect from containers, else the name of the rule, when
    /// absent.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
}

const RULES: &str = "Microsoft.Insights/dataCollectionRules";
/// The name by which the agent of container insights finds its rule.
pub(super) const INSIGHTS: &str = "ContainerInsightsExtension";

/// The rule.
pub static COLLECTION_RULE: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.dataSources", Turn::Any, Severity::High, "something else is collected"),
        Weight::new("properties.destinations", Turn::Any, Severity::High, "it goes elsewhere, or nowhere"),
        Weight::new("properties.dataFlows", Turn::Any, Severity::High, "it goes elsewhere, or nowhere"),
    ],
    rules: &[
        Rule::at("kind").fold_case().immutable(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.description").default("null"),
        Rule::at("properties.dataCollectionEndpointId").default("null"),
        Rule::at("properties.immutableId").read_only(),
        Rule::at("properties.endpoints").read_only(),
        Rule::at("properties.metadata").read_only(),
        Rule::at("properties.dataSources.extensions").keyed("name"),
        Rule::at("properties.dataSources.extensions[].streams").set(),
        Rule::at("properties.dataSources.extensions[].extensionSettings.dataCollectionSettings.interval")
            .duration(),
        Rule::at("properties.dataSources.extensions[].extensionSettings.dataCollectionSettings.namespaces")
            .set()
            .default("[]"),
        Rule::at("properties.dataSources.prometheusForwarder").keyed("name"),
        Rule::at("properties.dataSources.syslog").keyed("name"),
        Rule::at("properties.dataSources.syslog[].facilityNames").set(),
        Rule::at("properties.dataSources.syslog[].logLevels").set(),
        Rule::at("properties.dataSources.performanceCounters").keyed("name"),
        Rule::at("properties.dataSources.performanceCounters[].counterSpecifiers").set(),
        Rule::at("properties.dataSources.windowsEventLogs").keyed("name"),
        Rule::at("properties.dataSources.windowsEventLogs[].xPathQueries").set(),
        Rule::at("properties.destinations.logAnalytics").keyed("name"),
        Rule::at("properties.destinations.logAnalytics[].workspaceId").read_only(),
        Rule::at("properties.destinations.monitoringAccounts").keyed("name"),
        Rule::at("properties.destinations.monitoringAccounts[].accountId").read_only(),
        Rule::at("properties.dataFlows").set(),
        Rule::at("properties.dataFlows[].streams").set(),
        Rule::at("properties.dataFlows[].destinations").set(),
    ],
    facets: &[
        Facet::new("immutableId", "/properties/immutableId", "the id by which programs send data to it"),
        Facet::new("logsIngestion", "/properties/endpoints/logsIngestion", "the URL that takes logs"),
    ],
    listing: Listing::Subscription,
    ..ResourceType::new(RULES, API_VERSION, "collection rule")
};

const CODES: &[&Code] = &[&COLLECTION_RULE_FLOW, &COLLECTION_RULE_NAMESPACES];

const COLLECTION_RULE_FLOW: Code = Code {
    name: "collection-rule-flow",
    why: "A rule collects something and sends it somewhere: logs to workspaces, metrics to Azure Monitor workspaces.",
    remedy: "Add what the message names.",
    example: "dataCollectionRules: { logs: { kind: Linux, containerInsights: {}, workspaces: { central: \"${logWorkspaces.logs}\" } } }",
};

const COLLECTION_RULE_NAMESPACES: Code = Code {
    name: "collection-rule-namespaces",
    why: "Namespaces are collected from that are named, or all but those that are named.",
    remedy: "Keep `includeNamespaces` or `excludeNamespaces`.",
    example: "containerInsights: { excludeNamespaces: [kube-system] }",
};

impl EntryKind for CollectionRule {
    const SECTION: &'static str = "dataCollectionRules";
    const TITLE: &'static str = "collection rule";
    const ARM_TYPE: &'static str = RULES;
    const ABOUT: &'static str = "What is collected, from what, and where it goes. Every log goes to every workspace of the rule, \
        every metric to every Azure Monitor workspace; a rule is in their region, which follows from the first of them. For \
        a cluster, `addons.monitoring.aadAuth` and `addons.prometheus.workspace` make a rule by themselves.";
    const EXAMPLE: &'static str = "\
logWorkspaces:
  central: { name: log-central, protect: false }
monitorWorkspaces:
  metrics: { name: amw-central, protect: false }
dataCollectionEndpoints:
  metrics: { name: dce-central }
keyVaults:
  vault: { name: \"kv-watched-${uniqueString(azure.resourceGroup)}\", protect: false }
dataCollectionRules:
  machines:
    name: dcr-machines
    kind: Linux
    description: What all machines tell.
    endpoint: ${dataCollectionEndpoints.metrics}
    containerInsights: { every: 5m, excludeNamespaces: [kube-system] }
    prometheus: {}
    syslog:
      base: { facilities: [auth, daemon], levels: [Warning, Error] }
    counters:
      memory: { counters: [\"\\\\Memory\\\\Available Bytes\"], every: 60s }
    workspaces: { central: \"${logWorkspaces.central}\" }
    monitorWorkspaces: { metrics: \"${monitorWorkspaces.metrics}\" }
    associations:
      vault: { target: \"${keyVaults.vault}\", description: an example }
";
    const TYPES: &'static [&'static ResourceType] = &[&COLLECTION_RULE, &ASSOCIATION];
    const NESTED: &'static [Nested] = &[Nested::at("associations.*")];
    const MERGED: &'static [Merged] = &[
        Merged::list("containerInsights", "properties.dataSources.extensions"),
        Merged::list("prometheus", "properties.dataSources.prometheusForwarder"),
        Merged::list("syslog", "properties.dataSources.syslog"),
        Merged::list("counters", "properties.dataSources.performanceCounters"),
        Merged::list("windowsEvents", "properties.dataSources.windowsEventLogs"),
        Merged::list("workspaces", "properties.destinations.logAnalytics"),
        Merged::list("monitorWorkspaces", "properties.destinations.monitoringAccounts"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        RULE_NAME.check(&name, "name", cx);
        spec.check(cx);
        let mut body = cx.tracked(spec.properties());
        if let Some(kind) = spec.kind {
            body["kind"] = json!(kind);
        }
        let first = spec.workspaces.values().chain(spec.monitor_workspaces.values()).next();
        if let Some(region) = first.and_then(region_of) {
            body["location"] = region.into();
        }
        let id = cx.id(RULES, &[&name]);
        cx.main(Draft::new(address.clone(), id.as_str(), &COLLECTION_RULE, body));
        for (key, one) in &spec.associations {
            let origin = format!("associations.{key}");
            let Some(target) = scope_id(Some(&one.target), &format!("{origin}.target"), cx) else { continue };
            let clusters = "Microsoft.ContainerService/managedClusters";
            let contains = spec.container_insights.is_some()
                && type_in(&one.target, cx).is_some_and(|kind| kind.eq_ignore_ascii_case(clusters));
            let usual = if contains { INSIGHTS } else { &name };
            let own = one.name.as_deref().unwrap_or(usual);
            RULE_NAME.check(own, &origin, cx);
            let mut draft = association(address.child("associations").child(key), &target, own, id.as_str());
            if let Some(text) = &one.description {
                draft.body["properties"]["description"] = text.as_str().into();
            }
            cx.also(draft.needs(address.as_str()).origin(origin));
        }
    }
}

impl Spec {
    fn check(&self, cx: &mut EntryCx<'_>) {
        let logs = self.container_insights.is_some()
            || !self.syslog.is_empty()
            || !self.counters.is_empty()
            || !self.windows_events.is_empty();
        let metrics = self.prometheus.is_some();
        let mut problem = |path: &str, message: &str, help: &str| {
            cx.problem(Problem::error(&COLLECTION_RULE_FLOW, path, message).help(help));
        };
        if !logs && !metrics {
            problem(
                "",
                "the rule collects nothing",
                "add `containerInsights: {}`, `prometheus: {}` or another source",
            );
        }
        if logs && self.workspaces.is_empty() {
            let help = "add `workspaces: { central: \"${logWorkspaces.…}\" }`";
            problem("workspaces", "logs are collected, and go nowhere", help);
        }
        if metrics && self.monitor_workspaces.is_empty() {
            let help = "add `monitorWorkspaces: { metrics: \"${monitorWorkspaces.…}\" }`";
            problem("monitorWorkspaces", "metrics are collected, and go nowhere", help);
        }
        if metrics && self.endpoint.is_none() {
            let help = "add an entry of `dataCollectionEndpoints` and name it here";
            problem("endpoint", "Prometheus metrics are sent to an endpoint, and there is none", help);
        }
        let both = |insights: &ContainerInsightsSpec| {
            !insights.include_namespaces.is_empty() && !insights.exclude_namespaces.is_empty()
        };
        if self.container_insights.as_ref().is_some_and(both) {
            let message = "`includeNamespaces` and `excludeNamespaces` exclude each other";
            let path = "containerInsights.excludeNamespaces";
            cx.problem(Problem::error(&COLLECTION_RULE_NAMESPACES, path, message).help("keep one of them"));
        }
        if let Some(every) = self.container_insights.as_ref().and_then(|insights| insights.every.as_ref())
            && !(60..=1800).contains(&every.seconds())
        {
            let message =
                format!("containers are looked at every 1 to 30 minutes, not every `{}`", every.text());
            let path = "containerInsights.every";
            cx.problem(Problem::error(&COLLECTION_RULE_FLOW, path, message).help("write `1m` to `30m`"));
        }
    }

    fn properties(&self) -> Value {
        let named = |all: Vec<Value>| (!all.is_empty()).then_some(Value::Array(all));
        let syslog = self.syslog.iter().map(|(name, one)| one.source(name)).collect();
        let counters = self.counters.iter().map(|(name, one)| one.source(name)).collect();
        let windows = self.windows_events.iter().map(|(name, one)| one.source(name)).collect();
        let sources = members([
            ("extensions", self.container_insights.as_ref().map(|insights| json!([insights.source()]))),
            ("prometheusForwarder", self.prometheus.as_ref().map(|prometheus| json!([prometheus.source()]))),
            ("syslog", named(syslog)),
            ("performanceCounters", named(counters)),
            ("windowsEventLogs", named(windows)),
        ]);
        let mut logs: Vec<String> =
            self.container_insights.as_ref().map(ContainerInsightsSpec::streams).unwrap_or_default();
        for (stream, said) in [
            (SYSLOG, !self.syslog.is_empty()),
            (COUNTERS, !self.counters.is_empty()),
            (WINDOWS_EVENTS, !self.windows_events.is_empty()),
        ] {
            logs.extend(said.then(|| stream.to_owned()));
        }
        let metrics: Vec<String> = self.prometheus.iter().map(|_| METRICS.to_owned()).collect();
        let to = |all: &Named<Reference>, member: &str| {
            let one =
                |(name, workspace): (&String, &Reference)| json!({ "name": name, member: workspace.id() });
            named(all.iter().map(one).collect())
        };
        let flow = |streams: &[String], all: &Named<Reference>| {
            let names: Vec<&String> = all.keys().collect();
            (!streams.is_empty() && !names.is_empty())
                .then(|| json!({ "streams": streams, "destinations": names }))
        };
        let flows = [flow(&logs, &self.workspaces), flow(&metrics, &self.monitor_workspaces)];
        members([
            ("description", self.description.as_deref().map(Value::from)),
            ("dataCollectionEndpointId", self.endpoint.as_ref().map(|endpoint| endpoint.id().into())),
            ("dataSources", Some(sources)),
            (
                "destinations",
                Some(members([
                    ("logAnalytics", to(&self.workspaces, "workspaceResourceId")),
                    ("monitoringAccounts", to(&self.monitor_workspaces, "accountResourceId")),
                ])),
            ),
            ("dataFlows", named(flows.into_iter().flatten().collect())),
        ])
    }
}

/// Where what a cluster's add-on collects goes.
struct Collected<'a> {
    /// The address of the add-on.
    addon: Address,
    cluster: &'a ArmId,
    /// How names of what is made for it begin.
    start: &'a str,
    /// The workspace that it goes to.
    workspace: &'a Reference,
}

impl Collected<'_> {
    /// The name as Azure's own clients make it, and the region, which is that of the workspace.
    fn name_and_region(&self, longest: usize, cx: &EntryCx<'_>) -> (String, Value) {
        let Self { cluster, start, workspace, .. } = self;
        let full = format!("{start}-{}-{}", cx.common.location, cluster.name());
        let region = region_of(workspace).unwrap_or_else(|| cx.common.location.clone());
        (shortened(&full, longest), region.into())
    }

    /// Adds the rule, and joins it to the cluster under a name.
    fn rule(&self, spec: &Spec, name: Option<&str>, origin: &str, cx: &mut EntryCx<'_>) {
        let (own, region) = self.name_and_region(64, cx);
        let mut body = cx.tracked(spec.properties());
        body["location"] = region;
        body["kind"] = json!(spec.kind);
        let id = cx.id(RULES, &[&own]);
        let at = self.addon.child("rule");
        cx.also(Draft::new(at.clone(), id.as_str(), &COLLECTION_RULE, body).origin(origin));
        let joined = self.addon.child("association");
        let draft = association(joined, self.cluster.as_str(), name.unwrap_or(&own), id.as_str());
        cx.also(draft.needs(at.as_str()).origin(origin));
    }
}

/// What the agent of container insights needs besides the add-on, when it signs in with its identity: a rule that says what
/// it collects, and the association by which it finds that rule. Without them it collects nothing.
pub(in crate::catalog::kinds) fn container_insights(
    cluster: &ArmId,
    workspace: &Reference,
    own_rule: Option<&Reference>,
    cx: &mut EntryCx<'_>,
) {
    let (addon, origin) = (cx.address.child("addons").child("monitoring"), "addons.monitoring");
    if let Some(rule) = own_rule {
        let draft = association(addon.child("association"), cluster.as_str(), INSIGHTS, &rule.id());
        return cx.also(draft.origin(origin));
    }
    let spec = Spec {
        container_insights: Some(ContainerInsightsSpec::default()),
        workspaces: [("ciworkspace".to_owned(), workspace.clone())].into(),
        ..Spec::of_linux()
    };
    let collected = Collected { addon, cluster, start: "MSCI", workspace };
    collected.rule(&spec, Some(INSIGHTS), origin, cx);
}

/// What managed Prometheus needs besides the add-on: an endpoint, a rule and its association. Without them nothing is
/// taken in.
pub(in crate::catalog::kinds) fn prometheus(cluster: &ArmId, workspace: &Reference, cx: &mut EntryCx<'_>) {
    let (addon, origin) = (cx.address.child("addons").child("prometheus"), "addons.prometheus");
    let collected = Collected { addon: addon.clone(), cluster, start: "MSProm", workspace };
    let (name, region) = collected.name_and_region(44, cx);
    let mut body = cx.tracked(json!({}));
    body["location"] = region;
    body["kind"] = json!(Os::Linux);
    let id = cx.id(ENDPOINTS, &[&name]);
    let at = addon.child("endpoint");
    cx.also(Draft::new(at, id.as_str(), &ENDPOINT, body).origin(origin));
    let spec = Spec {
        endpoint: Some(Reference(id.as_str().to_owned())),
        prometheus: Some(PrometheusSpec::default()),
        monitor_workspaces: [("MonitoringAccount1".to_owned(), workspace.clone())].into(),
        ..Spec::of_linux()
    };
    collected.rule(&spec, None, origin, cx);
    // An id in a body is no dependency.
    let endpoint = addon.child("endpoint");
    let rule = addon.child("rule");
    if let Some(draft) = cx.drafts.iter_mut().find(|draft| draft.address == rule) {
        draft.depends_on.push(endpoint.as_str().to_owned());
    }
}

impl Spec {
    /// A rule for agents on Linux that collects nothing yet.
    fn of_linux() -> Self {
        Spec {
            kind: Some(Os::Linux),
            description: None,
            endpoint: None,
            container_insights: None,
            prometheus: None,
            syslog: Named::new(),
            counters: Named::new(),
            windows_events: Named::new(),
            workspaces: Named::new(),
            monitor_workspaces: Named::new(),
            associations: Named::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    fn logs(more: Value) -> Value {
        let mut fields = json!({
            "kind": "Linux", "containerInsights": {}, "workspaces": { "central": reference("logWorkspaces.logs") },
        });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    #[test]
    fn a_rule_is_where_its_workspace_is_and_is_found_by_the_agent() {
        let more = json!({ "associations": { "aks": { "target": reference("clusters.aks") } } });
        let (drafts, problems) = expand("dataCollectionRules", "logs", logs(more));
        assert_eq!(problems, []);
        assert_eq!(drafts[0].body["location"], wants("logWorkspaces.logs", "location"));
        assert_eq!(
            drafts[0].body["properties"]["dataFlows"],
            json!([{ "streams": ["Microsoft-ContainerInsights-Group-Default"], "destinations": ["central"] }])
        );
        let cluster = wants("clusters.aks", "id");
        let association =
            "providers/Microsoft.Insights/dataCollectionRuleAssociations/ContainerInsightsExtension";
        assert_eq!(id(&drafts[1]), format!("{cluster}/{association}"));
        let mut live = drafts[0].body.clone();
        live["properties"]["immutableId"] = json!("dcr-1");
        live["properties"]["dataFlows"][0]["transformKql"] = json!("source");
        live["properties"]["destinations"]["logAnalytics"][0]["workspaceId"] = json!("x");
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses_and_what_goes_nowhere() {
        let both = json!({ "containerInsights": { "includeNamespaces": ["a"], "excludeNamespaces": ["b"] } });
        for (fields, code) in [
            (json!({ "kind": "Linux" }), "collection-rule-flow"),
            (logs(json!({ "workspaces": {} , "name": "x" })), ""),
            (logs(json!({ "name": "a b" })), "collection-name"),
            (logs(json!({ "containerInsights": { "every": "1h" } })), "collection-rule-flow"),
            (logs(both), "collection-rule-namespaces"),
        ] {
            let found = codes(expand("dataCollectionRules", "logs", fields.clone()));
            assert_eq!(found, Vec::from_iter((!code.is_empty()).then_some(code)), "{fields}");
        }
        let nowhere = json!({ "kind": "Linux", "containerInsights": {}, "prometheus": {} });
        assert_eq!(codes(expand("dataCollectionRules", "logs", nowhere)), ["collection-rule-flow"; 3]);
    }
}
