//! Groups of Prometheus rules: `Microsoft.AlertsManagement/prometheusRuleGroups`
//! (<https://learn.microsoft.com/azure/templates/microsoft.alertsmanagement/prometheusrulegroups>).

use super::{AlertSeverity, actions, name_rule};
use crate::catalog::kinds::interval::Interval;
use crate::catalog::kinds::naming::NameRule;
use crate::catalog::kinds::parts::members;
use crate::catalog::kinds::scope::written_id;
use crate::catalog::{
    Draft, EntryCx, EntryKind, Merged, Named, Problem, Reference, ResourceType, Severity, Turn, Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// A group of Prometheus rules.
pub struct PrometheusRules;

/// Rules that are worked out in the order in which they stand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The Azure Monitor workspace whose metrics they are about.
    #[schemars(extend("x-wants" = "monitor workspace"))]
    workspace: Reference,
    /// The cluster that they are about; all that write to the workspace when absent.
    #[schemars(extend("x-wants" = "cluster"))]
    cluster: Option<Reference>,
    /// Whether they are worked out; yes when absent.
    enabled: Option<bool>,
    /// What they are for.
    description: Option<String>,
    /// How often they are worked out, `1m` to `15m`; Azure's default (`1m`) when absent.
    every: Option<Interval>,
    /// The rules.
    rules: Vec<RuleSpec>,
}

/// A rule: a metric that is recorded, or an alert.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSpec {
    /// The name of the metric that is recorded.
    record: Option<String>,
    /// The name of the alert.
    alert: Option<String>,
    /// What is worked out, in PromQL.
    expression: String,
    /// Whether it is worked out; yes when absent.
    enabled: Option<bool>,
    /// How long it has to hold before an alert fires; at once when absent.
    #[serde(rename = "for")]
    lasting: Option<Interval>,
    /// Labels that are added.
    #[serde(default)]
    labels: Named<String>,
    /// Texts that go along with an alert.
    #[serde(default)]
    annotations: Named<String>,
    /// How grave an alert is: `Critical`, `Error`, `Warning`, `Informational` or `Verbose`; `Informational` when absent.
    severity: Option<AlertSeverity>,
    /// After which time an alert ends by itself, once it holds no more; Azure's default when absent.
    resolve_after: Option<Interval>,
    /// Who is told of an alert.
    #[serde(default)]
    #[schemars(extend("x-wants" = "action group"))]
    actions: Vec<Reference>,
}

const ARM_TYPE: &str = "Microsoft.AlertsManagement/prometheusRuleGroups";

/// The group.
pub static PROMETHEUS_RULES: ResourceType = ResourceType {
    severity: &[
        Weight::new(
            "properties.enabled",
            Turn::To("false"),
            Severity::High,
            "nothing is worked out any more",
        ),
        Weight::new(
            "properties.rules",
            Turn::Any,
            Severity::High,
            "something else is alerted on, or others are told",
        ),
    ],
    rules: &[
        Rule::at("properties.enabled").default("true"),
        Rule::at("properties.description").default("null"),
        Rule::at("properties.clusterName").default("null"),
        Rule::at("properties.scopes").set(),
        Rule::at("properties.interval").duration().default("\"PT1M\""),
        Rule::at("properties.rules").keyed("alert+record"),
        Rule::at("properties.rules[].enabled").default("true"),
        Rule::at("properties.rules[].for").duration().default("\"PT0S\""),
        Rule::at("properties.rules[].labels").map(),
        Rule::at("properties.rules[].annotations").map(),
        Rule::at("properties.rules[].severity").default("3"),
        Rule::at("properties.rules[].resolveConfiguration.autoResolved").default("true"),
        // Microsoft Learn, "Azure Monitor managed service for Prometheus rule groups", in the table of alerting rules.
        Rule::at("properties.rules[].resolveConfiguration.timeToResolve").duration().default("\"PT5M\""),
        Rule::at("properties.rules[].actions").keyed("actionGroupId"),
    ],
    ..ResourceType::new(ARM_TYPE, "2023-03-01", "group of Prometheus rules")
};

const NAME: NameRule = name_rule(
    "a group of Prometheus rules",
    |c| !c.is_control() && !":@/#{}%&+*<>?".contains(c),
    "1 to 260 characters, none of `:@/#{}%&+*<>?`, and no `.` or space at the end",
);

const CODES: &[&Code] = &[&PROMETHEUS_RULE];

const PROMETHEUS_RULE: Code = Code {
    name: "prometheus-rule",
    why: "A rule records a metric or is an alert; only an alert lasts, tells somebody, and ends.",
    remedy: "Write `record` or `alert`, and what belongs to it.",
    example: "rules: [{ alert: NodeDown, expression: up == 0, for: 5m }]",
};

impl EntryKind for PrometheusRules {
    const SECTION: &'static str = "prometheusRuleGroups";
    const TITLE: &'static str = "group of Prometheus rules";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str =
        "Rules over the metrics of an Azure Monitor workspace: metrics that are recorded, and alerts.";
    const EXAMPLE: &'static str = "\
monitorWorkspaces:
  watched: { name: amw-watched }
actionGroups:
  oncall: { emails: { ops: ops@example.com } }
prometheusRuleGroups:
  nodes:
    name: nodes
    workspace: ${monitorWorkspaces.watched}
    description: Nodes that are down or full.
    every: 5m
    rules:
      - record: instance:node_load1:avg
        expression: avg by (instance) (node_load1)
        labels: { team: platform }
      - alert: NodeDown
        expression: up{job=\"node\"} == 0
        for: 5m
        severity: Error
        annotations: { summary: A node is down. }
        resolveAfter: 10m
        actions: [\"${actionGroups.oncall}\"]
";
    const TYPES: &'static [&'static ResourceType] = &[&PROMETHEUS_RULES];
    const MERGED: &'static [Merged] = &[Merged::list("rules", "properties.rules")];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        let every = spec.every.as_ref().map_or(60, Interval::seconds);
        if !(60..=900).contains(&every) {
            let message = "rules are worked out every 1 to 15 minutes";
            cx.problem(Problem::error(&PROMETHEUS_RULE, "every", message).help("write `1m` to `15m`"));
        }
        if spec.rules.is_empty() {
            let message = "a group has at least one rule";
            cx.problem(Problem::error(&PROMETHEUS_RULE, "rules", message).help("add a rule"));
        }
        let named = |rule: &RuleSpec| (rule.alert.clone(), rule.record.clone());
        for (at, rule) in spec.rules.iter().enumerate() {
            // Without a name it is told that it needs one.
            let is_named = rule.alert.is_some() || rule.record.is_some();
            if is_named && spec.rules[..at].iter().any(|before| named(before) == named(rule)) {
                let message = "another rule of the group has this name, and they could not be told apart";
                let problem = Problem::error(&PROMETHEUS_RULE, format!("rules[{at}]"), message);
                cx.problem(problem.help("give it another name"));
            }
        }
        let rules: Vec<Value> =
            spec.rules.iter().enumerate().map(|(at, rule)| rule.body(&format!("rules[{at}]"), cx)).collect();
        let scopes = std::iter::once(&spec.workspace).chain(&spec.cluster).map(Reference::id);
        let cluster = spec.cluster.as_ref().map(|cluster| match written_id(cluster, cx) {
            Some(id) => id.name().to_owned(),
            None => cluster.facet("name"),
        });
        let mut body = cx.tracked(members([
            ("scopes", Some(scopes.collect())),
            ("clusterName", cluster.map(Value::from)),
            ("enabled", Some(spec.enabled.unwrap_or(true).into())),
            ("description", spec.description.map(Value::from)),
            ("interval", spec.every.as_ref().map(|span| span.iso().into())),
            ("rules", Some(rules.into())),
        ]));
        // Rules are where the metrics are.
        if let Some(region) = super::super::scope::region_of(&spec.workspace) {
            body["location"] = region.into();
        }
        let id = cx.id(ARM_TYPE, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &PROMETHEUS_RULES, body));
    }
}

impl RuleSpec {
    fn body(&self, path: &str, cx: &mut EntryCx<'_>) -> Value {
        let problem = |field: &str, message: &str, help: &str| {
            let path = if field.is_empty() { path.to_owned() } else { format!("{path}.{field}") };
            Problem::error(&PROMETHEUS_RULE, path, message).help(help)
        };
        if self.record.is_some() == self.alert.is_some() {
            let help = "write `record: name:of:metric`, or `alert: NameOfAlert`";
            cx.problem(problem("", "a rule records a metric or is an alert", help));
        }
        let of_alerts = [
            ("for", self.lasting.is_some()),
            ("annotations", !self.annotations.is_empty()),
            ("severity", self.severity.is_some()),
            ("resolveAfter", self.resolve_after.is_some()),
            ("actions", !self.actions.is_empty()),
        ];
        if self.record.is_some() && self.alert.is_none() {
            for (field, _) in of_alerts.iter().filter(|(_, said)| *said) {
                let help = "take it out, or write `alert` in place of `record`";
                cx.problem(problem(field, "only an alert has this", help));
            }
        }
        let texts = |all: &Named<String>| (!all.is_empty()).then(|| json!(all));
        let ends = |span: &Interval| json!({ "autoResolved": true, "timeToResolve": span.iso() });
        let alert = self.alert.is_some();
        members([
            ("record", self.record.as_deref().map(Value::from)),
            ("alert", self.alert.as_deref().map(Value::from)),
            ("expression", Some(self.expression.trim_end().into())),
            ("enabled", Some(self.enabled.unwrap_or(true).into())),
            ("for", self.lasting.as_ref().map(|span| span.iso().into())),
            ("labels", texts(&self.labels)),
            ("annotations", texts(&self.annotations)),
            ("severity", alert.then(|| self.severity.unwrap_or(AlertSeverity::Informational).number())),
            ("resolveConfiguration", self.resolve_after.as_ref().map(ends)),
            ("actions", alert.then(|| actions(&self.actions))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    #[test]
    fn rules_stand_where_their_workspace_is() {
        let fields = json!({
            "workspace": reference("monitorWorkspaces.metrics"), "cluster": reference("clusters.aks"),
            "rules": [{ "alert": "Down", "expression": "up == 0", "for": "60m" }],
        });
        let (drafts, problems) = expand("prometheusRuleGroups", "nodes", fields);
        assert_eq!(problems, []);
        let body = &drafts[0].body;
        assert_eq!(body["location"], wants("monitorWorkspaces.metrics", "location"));
        assert_eq!(body["properties"]["clusterName"], wants("clusters.aks", "name"));
        let mut live = drafts[0].created();
        live["properties"]["rules"][0]["for"] = json!("PT1H");
        live["properties"]["rules"][0]["resolveConfiguration"] =
            json!({ "autoResolved": true, "timeToResolve": "PT5M" });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let with =
            |rules: Value| json!({ "workspace": reference("monitorWorkspaces.metrics"), "rules": rules });
        let mut slow = with(json!([{ "alert": "a", "expression": "e" }]));
        slow["every"] = json!("16m");
        for (fields, code) in [
            (with(json!([])), "prometheus-rule"),
            (with(json!([{ "expression": "e" }])), "prometheus-rule"),
            (with(json!([{ "record": "r", "alert": "a", "expression": "e" }])), "prometheus-rule"),
            (with(json!([{ "record": "r", "expression": "e", "for": "1m" }])), "prometheus-rule"),
            (
                with(json!([{ "alert": "a", "expression": "e" }, { "alert": "a", "expression": "f" }])),
                "prometheus-rule",
            ),
            (slow, "prometheus-rule"),
        ] {
            assert_eq!(codes(expand("prometheusRuleGroups", "nodes", fields.clone())), [code], "{fields}");
        }
    }
}
