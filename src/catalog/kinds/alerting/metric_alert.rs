//! Metric alerts: `Microsoft.Insights/metricAlerts`
//! (<https://learn.microsoft.com/azure/templates/microsoft.insights/metricalerts>).

use super::{
    Aggregation, AlertSeverity, DimensionSpec, Operator, actions, dimensions, iso_or, name_rule, offered,
    scopes, spans,
};
use crate::catalog::kinds::interval::Interval;
use crate::catalog::kinds::naming::NameRule;
use crate::catalog::kinds::parts::members;
use crate::catalog::kinds::scope::type_in;
use crate::catalog::{
    Draft, EntryCx, EntryKind, Listing, Merged, Named, Problem, Reference, ResourceType, Severity, Turn,
    Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A metric alert.
pub struct MetricAlert;

/// An alert on metrics: it fires while all of its criteria hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// What is watched: resources of one type and one region, or a group or the subscription with all of them in it.
    #[schemars(extend("x-wants" = "scope"))]
    targets: Vec<Reference>,
    /// What to look for, of clusters, by a word: `nodeNotReady`, `nodeCpu`, `nodeMemory`, `nodeDisk`, `podsFailed` or
    /// `podsUnschedulable`.
    condition: Option<Condition>,
    /// What to look for, each by a name of its own. All of them have to hold.
    #[serde(default)]
    criteria: Named<CriterionSpec>,
    /// How grave it is: `Critical`, `Error`, `Warning`, `Informational` or `Verbose`. A new one has that of its word, or
    /// `Informational`, when absent.
    severity: Option<AlertSeverity>,
    /// Whether anybody looks; yes when absent.
    enabled: Option<bool>,
    /// What it is for, for those who are told.
    description: Option<String>,
    /// How often Azure looks: `1m`, `5m`, `15m`, `30m` or `1h`; `1m` when absent.
    every: Option<Interval>,
    /// Over which time: `1m`, `5m`, `15m`, `30m`, `1h`, `6h`, `12h` or `1d`; `5m` when absent.
    over: Option<Interval>,
    /// Whether the alert ends by itself when the criteria hold no more; Azure's default (`true`) when absent.
    auto_resolve: Option<bool>,
    /// Who is told.
    #[serde(default)]
    #[schemars(extend("x-wants" = "action group"))]
    actions: Vec<Reference>,
    /// The type of what is watched, such as `Microsoft.KeyVault/vaults`, where the targets do not tell it.
    target_type: Option<String>,
    /// The region of what is watched, where that is a group, the subscription or several resources; the entry's when absent.
    target_region: Option<String>,
}

/// Something that a metric shows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CriterionSpec {
    /// The metric, as Azure calls it: `node_cpu_usage_percentage`.
    metric: String,
    /// The namespace of the metric; the type of what is watched when absent.
    namespace: Option<String>,
    /// What is made of the values of the window: `Average`, `Count`, `Minimum`, `Maximum` or `Total`.
    aggregation: Aggregation,
    /// How the value is compared: `Equals`, `GreaterThan`, `GreaterThanOrEqual`, `LessThan` or `LessThanOrEqual`. With
    /// `dynamic` it is there.
    operator: Option<Operator>,
    /// The value that it is compared with.
    threshold: Option<f64>,
    /// A threshold that Azure learns, in place of `operator` and `threshold`.
    dynamic: Option<DynamicSpec>,
    /// Which values of the metric's dimensions count.
    #[serde(default)]
    dimensions: Named<DimensionSpec>,
}

/// A threshold that Azure learns from what was usual.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DynamicSpec {
    /// On which side of what is usual: `GreaterThan`, `LessThan` or `GreaterOrLessThan`.
    operator: Side,
    /// How little is unusual: `Low`, `Medium` or `High`; `Medium` when absent.
    sensitivity: Option<Sensitivity>,
    /// How many of the last looks are counted; 4 when absent.
    #[schemars(range(min = 1, max = 6))]
    looks: Option<i64>,
    /// In how many of them it has to be unusual; 4 when absent.
    #[schemars(range(min = 1, max = 6))]
    failing: Option<i64>,
}

/// A side of what is usual.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Side {
    /// Above it.
    GreaterThan,
    /// Below it.
    LessThan,
    /// Either.
    GreaterOrLessThan,
}

/// How little is unusual.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Sensitivity {
    /// Only what is far off.
    Low,
    /// What is well off.
    Medium,
    /// What is a little off.
    High,
}

/// What to look for in clusters, by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// A node is not ready, or nobody knows whether it is.
    NodeNotReady,
    /// A node uses more than 95 % of its cores.
    NodeCpu,
    /// A node uses more memory than it has for pods.
    NodeMemory,
    /// A disk of a node is filled by more than 80 %.
    NodeDisk,
    /// Pods have failed.
    PodsFailed,
    /// There is no room for pods, and the autoscaler makes none.
    PodsUnschedulable,
}

/// What a word stands for: metric, aggregation, threshold (above which it holds), dimension and its values, dimension of
/// which each value is watched by itself, severity.
type Meaning = (
    &'static str,
    Aggregation,
    f64,
    Option<(&'static str, &'static [&'static str])>,
    &'static str,
    AlertSeverity,
);

impl Condition {
    /// After the alert rules that Microsoft recommends for clusters
    /// (<https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-metric-alerts>,
    /// <https://azure.github.io/azure-monitor-baseline-alerts/services/ContainerService/managedClusters>).
    const fn meaning(self) -> Meaning {
        match self {
            Condition::NodeNotReady => (
                "kube_node_status_condition",
                Aggregation::Total,
                0.0,
                Some(("status2", &["NotReady", "Unknown"])),
                "node",
                AlertSeverity::Error,
            ),
            Condition::NodeCpu => (
                "node_cpu_usage_percentage",
                Aggregation::Average,
                95.0,
                None,
                "node",
                AlertSeverity::Warning,
            ),
            Condition::NodeMemory => (
                "node_memory_working_set_percentage",
                Aggregation::Average,
                100.0,
                None,
                "node",
                AlertSeverity::Warning,
            ),
            Condition::NodeDisk => (
                "node_disk_usage_percentage",
                Aggregation::Average,
                80.0,
                None,
                "node",
                AlertSeverity::Warning,
            ),
            Condition::PodsFailed => (
                "kube_pod_status_phase",
                Aggregation::Average,
                0.0,
                Some(("phase", &["Failed"])),
                "namespace",
                AlertSeverity::Warning,
            ),
            Condition::PodsUnschedulable => (
                "cluster_autoscaler_unschedulable_pods_count",
                Aggregation::Average,
                0.0,
                None,
                "",
                AlertSeverity::Warning,
            ),
        }
    }

    fn criterion(self) -> CriterionSpec {
        let (metric, aggregation, threshold, narrowed, each, _) = self.meaning();
        let values = |values: &[&str]| DimensionSpec {
            include: values.iter().map(|value| (*value).to_owned()).collect(),
            exclude: Vec::new(),
        };
        let narrowed = narrowed.map(|(name, wanted)| (name.to_owned(), values(wanted)));
        let each = (!each.is_empty()).then(|| (each.to_owned(), values(&["*"])));
        CriterionSpec {
            metric: metric.to_owned(),
            namespace: Some(CLUSTERS.to_owned()),
            aggregation,
            operator: Some(Operator::GreaterThan),
            threshold: Some(threshold),
            dynamic: None,
            dimensions: narrowed.into_iter().chain(each).collect(),
        }
    }
}

const ARM_TYPE: &str = "Microsoft.Insights/metricAlerts";
const CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";
/// The form of criteria that takes one resource or many, and both kinds of thresholds. Azure never changes the form.
const FORM: &str = "Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria";

/// The alert.
pub static METRIC_ALERT: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.enabled", Turn::To("false"), Severity::High, "nobody looks any more"),
        Weight::new("properties.actions", Turn::Any, Severity::High, "others are told, or nobody is"),
        Weight::new("properties.scopes", Turn::Any, Severity::High, "something else is watched"),
    ],
    rules: &[
        Rule::at("properties.enabled").default("true"),
        Rule::at("properties.scopes").set(),
        Rule::at("properties.evaluationFrequency").duration(),
        Rule::at("properties.windowSize").duration(),
        Rule::at("properties.targetResourceType").fold_case(),
        Rule::at("properties.targetResourceRegion").location(),
        Rule::at("properties.autoMitigate").default("true"),
        Rule::at("properties.description").default("null"),
        Rule::at("properties.criteria.allOf").keyed("name"),
        Rule::at("properties.criteria.allOf[].metricNamespace").fold_case(),
        Rule::at("properties.criteria.allOf[].dimensions").keyed("name"),
        Rule::at("properties.criteria.allOf[].dimensions[].values").set(),
        Rule::at("properties.actions").keyed("actionGroupId"),
        Rule::at("properties.actions[].webHookProperties").map(),
        Rule::at("properties.lastUpdatedTime").read_only(),
        Rule::at("properties.isMigrated").read_only(),
    ],
    obstacle: Some(another_form),
    listing: Listing::Subscription,
    ..ResourceType::new(ARM_TYPE, "2018-03-01", "metric alert")
};

/// Azure refuses to change the form of criteria in place.
fn another_form(live: &Value, wanted: &Value, replaces: bool) -> Option<(String, String)> {
    let form = |body: &Value| {
        body.pointer("/properties/criteria/odata.type").and_then(Value::as_str).map(str::to_owned)
    };
    let (live, wanted) = (form(live)?, form(wanted)?);
    (!replaces && !live.eq_ignore_ascii_case(&wanted)).then(|| {
        (
            format!("the criteria of this alert have the form `{live}`, which Azure never changes"),
            "give the alert another `name`, or delete the one that is there".to_owned(),
        )
    })
}

const NAME: NameRule = name_rule(
    "a metric alert",
    |c| !c.is_control() && !"*#&+:<>?@%{}\\/".contains(c),
    "1 to 260 characters, none of `*#&+:<>?@%{}\\/`, and no `.` or space at the end",
);

const CODES: &[&Code] = &[&ALERT_TARGETS, &ALERT_CRITERIA];

const ALERT_TARGETS: Code = Code {
    name: "alert-targets",
    why: "An alert watches something, and a metric belongs to a type of resource.",
    remedy: "Name resources of one type; where a group or the subscription is watched, say the type too.",
    example: "metricAlerts: { nodes: { targets: [\"${clusters.aks}\"], condition: nodeNotReady } }",
};

const ALERT_CRITERIA: Code = Code {
    name: "alert-criteria",
    why: "A metric alert looks for something: by a word for clusters, or by metrics with a threshold.",
    remedy: "Write `condition` or `criteria`; a criterion has `operator` and `threshold`, or `dynamic`.",
    example: "criteria: { cpu: { metric: node_cpu_usage_percentage, aggregation: Average, operator: GreaterThan, threshold: 80 } }",
};

impl EntryKind for MetricAlert {
    const SECTION: &'static str = "metricAlerts";
    const TITLE: &'static str = "metric alert";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str = "An alert on metrics of resources. For clusters, common ones have a word: a node that is not \
        ready, cores, memory and disks that run out, pods that fail or find no room. It is in no region.";
    const EXAMPLE: &'static str = "\
keyVaults:
  watched:
    name: kv-watched-${uniqueString(azure.resourceGroup)}
    protect: false
actionGroups:
  oncall: { emails: { ops: ops@example.com } }
metricAlerts:
  vault:
    name: vault-latency
    targets: [\"${keyVaults.watched}\"]
    criteria:
      latency:
        metric: ServiceApiLatency
        aggregation: Average
        operator: GreaterThan
        threshold: 1000
        dimensions: { ActivityName: { include: [\"*\"] } }
      calls:
        metric: ServiceApiHit
        aggregation: Count
        dynamic: { operator: GreaterThan, sensitivity: Low }
    severity: Warning
    description: The vault answers slowly.
    every: 5m
    over: 15m
    autoResolve: false
    actions: [\"${actionGroups.oncall}\"]
";
    const TYPES: &'static [&'static ResourceType] = &[&METRIC_ALERT];
    const MERGED: &'static [Merged] = &[
        Merged::list("actions", "properties.actions"),
        Merged::list("criteria", "properties.criteria.allOf"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        offered(spec.every.as_ref(), &[1, 5, 15, 30, 60], "every", cx);
        offered(spec.over.as_ref(), &[1, 5, 15, 30, 60, 360, 720, 1440], "over", cx);
        let seconds = |span: &Option<Interval>, or: i32| span.as_ref().map_or(or, Interval::seconds);
        spans(seconds(&spec.every, 60), seconds(&spec.over, 300), cx);
        let arm_type = spec.check_targets(cx);
        let all = spec.all_criteria(arm_type.as_deref(), cx);
        let scopes = scopes(&spec.targets, cx);
        let several = scopes.len() > 1 || spec.targets.iter().any(is_wide);
        let region = spec.target_region.clone().unwrap_or_else(|| cx.common.location.clone());
        let severity = spec.severity.or(spec.condition.map(|word| word.meaning().5));
        let mut body = cx.tracked(members([
            ("severity", Some(severity.unwrap_or(AlertSeverity::Informational).number())),
            ("enabled", Some(spec.enabled.unwrap_or(true).into())),
            ("description", spec.description.map(Value::from)),
            ("scopes", Some(json!(scopes))),
            ("evaluationFrequency", Some(iso_or(spec.every.as_ref(), "PT1M"))),
            ("windowSize", Some(iso_or(spec.over.as_ref(), "PT5M"))),
            ("targetResourceType", arm_type.filter(|_| several).map(Value::from)),
            ("targetResourceRegion", several.then(|| region.into())),
            ("criteria", Some(json!({ "odata.type": FORM, "allOf": all }))),
            ("autoMitigate", spec.auto_resolve.map(Value::from)),
            ("actions", Some(actions(&spec.actions))),
        ]));
        body["location"] = "global".into();
        let id = cx.id(ARM_TYPE, &[&name]);
        let unsaid = [
            ("properties.severity", spec.severity.is_none()),
            ("properties.evaluationFrequency", spec.every.is_none()),
            ("properties.windowSize", spec.over.is_none()),
        ];
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &METRIC_ALERT, body).initially_if(&unsaid));
    }
}

/// Whether a target holds many resources.
fn is_wide(target: &Reference) -> bool {
    let is_group = |id: &crate::ident::ArmId| {
        id.resource_type().to_ascii_lowercase().starts_with("microsoft.resources/")
    };
    matches!(target.0.as_str(), "subscription" | "resourceGroup")
        || target.literal_id().as_ref().is_some_and(is_group)
}

impl Spec {
    /// The type of what is watched, after it was reported that there is none, or more than one.
    fn check_targets(&self, cx: &mut EntryCx<'_>) -> Option<String> {
        if self.targets.is_empty() {
            cx.problem(
                Problem::error(&ALERT_TARGETS, "targets", "the alert watches nothing")
                    .help("name what it watches, such as `[\"${clusters.aks}\"]`"),
            );
        }
        let mut found: Option<String> =
            self.target_type.clone().or(self.condition.map(|_| CLUSTERS.to_owned()));
        for (at, target) in self.targets.iter().enumerate().filter(|(_, target)| !is_wide(target)) {
            let Some(own) = type_in(target, cx) else { continue };
            match &found {
                Some(known) if !known.eq_ignore_ascii_case(&own) => {
                    let what = if self.condition.is_some() {
                        "`condition` is about clusters".to_owned()
                    } else {
                        format!("the alert is about {known}")
                    };
                    let message = format!("this is a {own}, and {what}");
                    cx.problem(
                        Problem::error(&ALERT_TARGETS, format!("targets[{at}]"), message)
                            .help("write one alert for each type of resource"),
                    );
                }
                _ => found = Some(own),
            }
        }
        if found.is_none() && self.targets.iter().any(is_wide) {
            let message = "nothing says which resources in the group or the subscription are watched";
            cx.problem(
                Problem::error(&ALERT_TARGETS, "targets", message)
                    .help("write `targetType:`, such as `Microsoft.KeyVault/vaults`"),
            );
        }
        found
    }

    fn all_criteria(&self, arm_type: Option<&str>, cx: &mut EntryCx<'_>) -> Vec<Value> {
        let problem =
            |path: &str, message: &str, help: &str| Problem::error(&ALERT_CRITERIA, path, message).help(help);
        match (self.condition, self.criteria.is_empty()) {
            (None, true) => {
                let help = "write `condition: nodeNotReady`, or `criteria:` with a metric and a threshold";
                cx.problem(problem("", "the alert looks for nothing", help));
            }
            (Some(_), false) => {
                let help = "keep one of them; write a second alert for the other";
                cx.problem(problem("condition", "`condition` and `criteria` exclude each other", help));
            }
            _ => {}
        }
        let by_word = self.condition.map(|word| ("condition".to_owned(), word.criterion()));
        let word = by_word.iter().map(|(name, one)| (name, one));
        let mut all = Vec::new();
        for (name, one) in word.chain(&self.criteria) {
            let path = format!("criteria.{name}");
            if one.namespace.is_none() && arm_type.is_none() {
                let help = "write `namespace:`, such as `Microsoft.KeyVault/vaults`";
                cx.problem(problem(&path, "nothing says to which type of resource the metric belongs", help));
            }
            let fixed = one.operator.is_some() || one.threshold.is_some();
            let whole = one.operator.is_some() && one.threshold.is_some();
            if one.dynamic.is_some() == fixed || fixed && !whole {
                let help = "write `operator` and `threshold`, or `dynamic`";
                cx.problem(problem(&path, "a criterion has one threshold", help));
            }
            let dimensions = dimensions(&one.dimensions, &format!("{path}.dimensions"), cx);
            all.push(one.body(name, arm_type, dimensions));
        }
        all
    }
}

impl CriterionSpec {
    fn body(&self, name: &str, arm_type: Option<&str>, dimensions: Value) -> Value {
        let namespace = self.namespace.as_deref().or(arm_type).unwrap_or_default();
        let dynamic = self.dynamic.as_ref();
        let kind = if dynamic.is_some() { "DynamicThresholdCriterion" } else { "StaticThresholdCriterion" };
        let operator = match dynamic {
            Some(dynamic) => Some(json!(dynamic.operator)),
            None => self.operator.map(|operator| json!(operator)),
        };
        members([
            ("name", Some(name.into())),
            ("criterionType", Some(kind.into())),
            ("metricName", Some(self.metric.as_str().into())),
            ("metricNamespace", Some(namespace.into())),
            ("timeAggregation", Some(json!(self.aggregation))),
            ("operator", operator),
            ("threshold", self.threshold.filter(|_| dynamic.is_none()).map(Value::from)),
            (
                "alertSensitivity",
                dynamic.map(|dynamic| json!(dynamic.sensitivity.unwrap_or(Sensitivity::Medium))),
            ),
            (
                "failingPeriods",
                dynamic.map(|dynamic| {
                    json!({
                        "numberOfEvaluationPeriods": dynamic.looks.unwrap_or(4),
                        "minFailingPeriodsToAlert": dynamic.failing.or(dynamic.looks).unwrap_or(4),
                    })
                }),
            ),
            ("dimensions", Some(dimensions)),
            // A resource that is a minute old has sent no metric yet, and Azure would refuse the alert.
            ("skipMetricValidation", Some(true.into())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    fn cluster() -> Value {
        json!([reference("clusters.aks")])
    }

    #[test]
    fn a_word_stands_for_what_microsoft_recommends() {
        let fields = json!({ "targets": cluster(), "condition": "nodeNotReady", "actions": [reference("actionGroups.oncall")] });
        let (drafts, problems) = expand("metricAlerts", "nodes", fields);
        assert_eq!(problems, []);
        let body = drafts[0].created();
        assert_eq!(body["location"], "global");
        assert_eq!(
            body["properties"],
            json!({
                "severity": 1, "evaluationFrequency": "PT1M", "windowSize": "PT5M",
                "enabled": true, "scopes": [wants("clusters.aks", "id")],
                "criteria": { "odata.type": FORM, "allOf": [{
                    "name": "condition", "criterionType": "StaticThresholdCriterion",
                    "metricName": "kube_node_status_condition",
                    "metricNamespace": "Microsoft.ContainerService/managedClusters",
                    "timeAggregation": "Total", "operator": "GreaterThan", "threshold": 0.0,
                    "dimensions": [
                        { "name": "status2", "operator": "Include", "values": ["NotReady", "Unknown"] },
                        { "name": "node", "operator": "Include", "values": ["*"] },
                    ],
                    "skipMetricValidation": true,
                }] },
                "actions": [{ "actionGroupId": wants("actionGroups.oncall", "id") }],
            })
        );
    }

    #[test]
    fn several_resources_say_their_type_and_region() {
        let fields =
            json!({ "targets": ["resourceGroup"], "condition": "nodeCpu", "targetRegion": "northeurope" });
        let (drafts, problems) = expand("metricAlerts", "cpu", fields);
        assert_eq!(problems, []);
        let properties = &drafts[0].body["properties"];
        assert_eq!(properties["targetResourceType"], CLUSTERS);
        assert_eq!(properties["targetResourceRegion"], "northeurope");
        assert_eq!(properties["scopes"], json!(["/subscriptions/sub/resourceGroups/rg"]));
    }

    #[test]
    fn what_azure_answers_is_no_change_and_another_form_stands_in_the_way() {
        let fields =
            json!({ "targets": cluster(), "condition": "podsFailed", "every": "60m", "over": "24h" });
        let (drafts, problems) = expand("metricAlerts", "pods", fields);
        assert_eq!(problems, []);
        let mut live = drafts[0].created();
        live["location"] = json!("global");
        live["properties"]["evaluationFrequency"] = json!("PT60M");
        live["properties"]["windowSize"] = json!("PT24H");
        live["properties"]["autoMitigate"] = json!(true);
        live["properties"]["isMigrated"] = json!(false);
        live["properties"]["criteria"]["allOf"][0]["metricNamespace"] =
            json!("microsoft.containerservice/managedclusters");
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        live["properties"]["criteria"]["odata.type"] =
            json!("Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria");
        assert!(another_form(&live, &drafts[0].body, false).is_some());
        assert!(another_form(&live, &drafts[0].body, true).is_none());
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let vault = reference("keyVaults.secrets");
        let criterion = |more: Value| {
            let mut one =
                json!({ "metric": "m", "aggregation": "Average", "operator": "LessThan", "threshold": 1 });
            crate::catalog::merge_over(&mut one, &more);
            json!({ "targets": [vault], "criteria": { "one": one } })
        };
        for (fields, code) in [
            (json!({ "targets": [], "condition": "nodeCpu" }), "alert-targets"),
            (json!({ "targets": [vault], "condition": "nodeCpu" }), "alert-targets"),
            (json!({ "targets": cluster() }), "alert-criteria"),
            (json!({ "targets": cluster(), "condition": "nodeCpu", "name": "a*" }), "monitor-name"),
            (json!({ "targets": cluster(), "condition": "nodeCpu", "every": "2m" }), "alert-times"),
            (
                json!({ "targets": cluster(), "condition": "nodeCpu", "every": "30m", "over": "5m" }),
                "alert-times",
            ),
            (criterion(json!({ "threshold": null })), "alert-criteria"),
            (criterion(json!({ "dynamic": { "operator": "LessThan" } })), "alert-criteria"),
            (criterion(json!({ "dimensions": { "d": {} } })), "alert-dimension"),
        ] {
            assert_eq!(codes(expand("metricAlerts", "one", fields.clone())), [code], "{fields}");
        }
        let wide = json!({ "targets": ["subscription"], "criteria": { "one": { "metric": "m", "aggregation": "Average", "operator": "Equals", "threshold": 1 } } });
        assert_eq!(codes(expand("metricAlerts", "one", wide)), ["alert-targets", "alert-criteria"]);
    }
}
