//! Log alerts: `Microsoft.Insights/scheduledQueryRules`
//! (<https://learn.microsoft.com/azure/templates/microsoft.insights/scheduledqueryrules>).

use super::{
    Aggregation, AlertSeverity, DimensionSpec, Operator, dimensions, iso_or, name_rule, offered, scopes,
    spans,
};
use crate::catalog::kinds::interval::Interval;
use crate::catalog::kinds::naming::NameRule;
use crate::catalog::kinds::parts::{SYSTEM_IDENTITY, identity, members, within};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Listing, Named, Problem, Reference, ResourceType, Severity, Turn,
    Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// A log alert.
pub struct LogAlert;

/// An alert on what a query finds in logs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Where the query looks: a workspace, a resource, a group or the subscription.
    #[schemars(extend("x-wants" = "scope"))]
    targets: Vec<Reference>,
    /// The query, in KQL.
    query: String,
    /// What is made of what it finds: `Count`, `Average`, `Minimum`, `Maximum` or `Total`; `Count` when absent.
    aggregation: Option<Aggregation>,
    /// The column of numbers that is looked at; not with `Count`.
    column: Option<String>,
    /// How the value is compared: `Equals`, `GreaterThan`, `GreaterThanOrEqual`, `LessThan` or `LessThanOrEqual`;
    /// `GreaterThan` when absent.
    operator: Option<Operator>,
    /// The value that it is compared with; 0 when absent.
    threshold: Option<f64>,
    /// Columns of which each value is watched by itself.
    #[serde(default)]
    dimensions: Named<DimensionSpec>,
    /// The column with the ids of the resources that the alert is about.
    resource_id_column: Option<String>,
    /// How many of the last looks are counted; 1 when absent.
    looks: Option<i64>,
    /// In how many of them it has to hold; 1 when absent.
    failing: Option<i64>,
    /// How grave it is: `Critical`, `Error`, `Warning`, `Informational` or `Verbose`. A new one is `Informational` when
    /// absent.
    severity: Option<AlertSeverity>,
    /// Whether anybody looks; yes when absent.
    enabled: Option<bool>,
    /// The title that people see; the name when absent.
    display_name: Option<String>,
    /// What it is for, for those who are told.
    description: Option<String>,
    /// How often Azure looks: `1m`, `5m`, `10m`, `15m`, `30m`, `45m`, `1h` up to `6h`, or `1d`; `5m` when absent.
    every: Option<Interval>,
    /// Over which time: as `every`, or `2d`; `5m` when absent.
    over: Option<Interval>,
    /// Whether the alert ends by itself when it holds no more; Azure's default (`true`) when absent.
    auto_resolve: Option<bool>,
    /// How long nobody is told again, such as `1h`; only with `autoResolve: false`.
    mute: Option<Interval>,
    /// Who is told.
    #[serde(default)]
    #[schemars(extend("x-wants" = "action group"))]
    actions: Vec<Reference>,
    /// Texts that go along with an alert, by their names.
    #[serde(default)]
    custom_properties: Named<String>,
    /// Whether Azure looks whether the query can be carried out. It cannot, as long as nothing has written the table; a new
    /// alert is taken unseen when absent.
    validate_query: Option<bool>,
    /// As whom the query is carried out: `system`, or a user-assigned identity. It is whoever made the alert when absent.
    #[schemars(extend("x-wants" = "identity"))]
    identity: Option<Reference>,
}

const ARM_TYPE: &str = "Microsoft.Insights/scheduledQueryRules";

/// The alert.
pub static LOG_ALERT: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.enabled", Turn::To("false"), Severity::High, "nobody looks any more"),
        Weight::new("properties.actions", Turn::Any, Severity::High, "others are told, or nobody is"),
        Weight::new("properties.scopes", Turn::Any, Severity::High, "something else is watched"),
    ],
    rules: &[
        Rule::at("kind").fold_case().immutable().default("\"LogAlert\""),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.enabled").default("true"),
        Rule::at("properties.scopes").set(),
        Rule::at("properties.displayName").default("null"),
        Rule::at("properties.description").default("null"),
        Rule::at("properties.evaluationFrequency").duration(),
        Rule::at("properties.windowSize").duration(),
        Rule::at("properties.overrideQueryTimeRange").duration(),
        Rule::at("properties.muteActionsDuration").duration().default("null"),
        Rule::at("properties.autoMitigate").default("true"),
        Rule::at("properties.checkWorkspaceAlertsStorageConfigured").default("false"),
        Rule::at("properties.skipQueryValidation").default("false"),
        Rule::at("properties.criteria.allOf[].timeAggregation").fold_case(),
        Rule::at("properties.criteria.allOf[].failingPeriods.numberOfEvaluationPeriods").default("1"),
        Rule::at("properties.criteria.allOf[].failingPeriods.minFailingPeriodsToAlert").default("1"),
        Rule::at("properties.actions.actionGroups").set(),
        Rule::at("properties.actions.customProperties").map(),
        Rule::at("properties.actions.actionProperties").map(),
        Rule::at("properties.createdWithApiVersion").read_only(),
        Rule::at("properties.isLegacyLogAnalyticsRule").read_only(),
        Rule::at("properties.isWorkspaceAlertsStorageConfigured").read_only(),
    ],
    facets: &[Facet::new("principalId", "/identity/principalId", "the object id of its `system` identity")
        .given(&SYSTEM_IDENTITY)],
    listing: Listing::Subscription,
    ..ResourceType::new(ARM_TYPE, "2023-12-01", "log alert")
};

const NAME: NameRule = name_rule(
    "a log alert",
    |c| !c.is_control() && !"#<>%&:\\?/{}*".contains(c),
    "1 to 260 characters, none of `#<>%&:\\?/{}*`, and no `.` or space at the end",
);

const CODES: &[&Code] = &[&LOG_ALERT_QUERY, &LOG_ALERT_MUTE];

const LOG_ALERT_QUERY: Code = Code {
    name: "log-alert-query",
    why: "A log alert asks something somewhere: rows are counted, and of anything else a column of numbers is looked at.",
    remedy: "Name a target and a query; write `column` with every aggregation but `Count`.",
    example: "logAlerts: { restarts: { targets: [\"${logWorkspaces.logs}\"], query: \"KubeEvents | where Reason == 'BackOff'\" } }",
};

const LOG_ALERT_MUTE: Code = Code {
    name: "log-alert-mute",
    why: "An alert that ends by itself cannot be muted for a time: whether it fires again follows from its ending.",
    remedy: "Write `autoResolve: false`, or take `mute` out.",
    example: "autoResolve: false",
};

/// What Azure offers between two looks, in minutes.
const STEPS: &[i32] = &[1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440];
/// What it offers as a window.
const WINDOWS: &[i32] = &[1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880];

impl EntryKind for LogAlert {
    const SECTION: &'static str = "logAlerts";
    const TITLE: &'static str = "log alert";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str = "An alert on what a query finds in a workspace, or in the logs of resources.";
    const EXAMPLE: &'static str = "\
logWorkspaces:
  watched: { name: log-watched, protect: false }
actionGroups:
  oncall: { emails: { ops: ops@example.com } }
logAlerts:
  restarts:
    name: pods-restart
    targets: [\"${logWorkspaces.watched}\"]
    query: KubeEvents | where Reason == 'BackOff' | project Namespace
    threshold: 5
    dimensions: { Namespace: { include: [\"*\"] } }
    looks: 3
    failing: 2
    severity: Error
    description: Pods do not come up.
    every: 5m
    over: 15m
    autoResolve: false
    mute: 1h
    actions: [\"${actionGroups.oncall}\"]
    customProperties: { team: platform }
";
    const TYPES: &'static [&'static ResourceType] = &[&LOG_ALERT];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        spec.check(&name, cx);
        let scopes = scopes(&spec.targets, cx);
        let dimensions = dimensions(&spec.dimensions, "dimensions", cx);
        let (looks, failing) = (spec.looks.unwrap_or(1), spec.failing.unwrap_or(1));
        let criterion = members([
            ("query", Some(spec.query.into())),
            ("timeAggregation", Some(json!(spec.aggregation.unwrap_or(Aggregation::Count)))),
            ("metricMeasureColumn", spec.column.map(Value::from)),
            ("resourceIdColumn", spec.resource_id_column.map(Value::from)),
            ("operator", Some(json!(spec.operator.unwrap_or(Operator::GreaterThan)))),
            ("threshold", Some(spec.threshold.unwrap_or(0.0).into())),
            ("dimensions", Some(dimensions)),
            (
                "failingPeriods",
                Some(json!({ "numberOfEvaluationPeriods": looks, "minFailingPeriodsToAlert": failing })),
            ),
        ]);
        let groups: Vec<String> = spec.actions.iter().map(Reference::id).collect();
        let custom = (!spec.custom_properties.is_empty()).then(|| json!(spec.custom_properties));
        let severity = spec.severity.unwrap_or(AlertSeverity::Informational);
        let mut body = cx.tracked(members([
            ("displayName", spec.display_name.map(Value::from)),
            ("description", spec.description.map(Value::from)),
            ("severity", Some(severity.number())),
            ("enabled", Some(spec.enabled.unwrap_or(true).into())),
            ("scopes", Some(json!(scopes))),
            ("evaluationFrequency", Some(iso_or(spec.every.as_ref(), "PT5M"))),
            ("windowSize", Some(iso_or(spec.over.as_ref(), "PT5M"))),
            ("criteria", Some(json!({ "allOf": [criterion] }))),
            ("autoMitigate", spec.auto_resolve.map(Value::from)),
            ("muteActionsDuration", spec.mute.as_ref().map(|span| span.iso().into())),
            ("skipQueryValidation", Some((!spec.validate_query.unwrap_or(false)).into())),
            ("actions", Some(members([("actionGroups", Some(json!(groups))), ("customProperties", custom)]))),
        ]));
        body["kind"] = "LogAlert".into();
        let own: Vec<Reference> = spec.identity.into_iter().collect();
        if let Some(identity) = identity(&own, "SystemAssigned, UserAssigned") {
            body["identity"] = identity;
        }
        let id = cx.id(ARM_TYPE, &[&name]);
        let unsaid = [
            ("properties.severity", spec.severity.is_none()),
            ("properties.evaluationFrequency", spec.every.is_none()),
            ("properties.windowSize", spec.over.is_none()),
            ("properties.skipQueryValidation", spec.validate_query.is_none()),
        ];
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &LOG_ALERT, body).initially_if(&unsaid));
    }
}

impl Spec {
    fn check(&self, name: &str, cx: &mut EntryCx<'_>) {
        NAME.check(name, "name", cx);
        offered(self.every.as_ref(), STEPS, "every", cx);
        offered(self.over.as_ref(), WINDOWS, "over", cx);
        let seconds = |span: &Option<Interval>| span.as_ref().map_or(300, Interval::seconds);
        spans(seconds(&self.every), seconds(&self.over), cx);
        within(self.looks, 1..=6, "looks", cx);
        within(self.failing, 1..=self.looks.unwrap_or(1).max(1), "failing", cx);
        if self.targets.is_empty() {
            cx.problem(
                Problem::error(&LOG_ALERT_QUERY, "targets", "the alert looks nowhere")
                    .help("name where it looks, such as `[\"${logWorkspaces.logs}\"]`"),
            );
        }
        let counts = matches!(self.aggregation, None | Some(Aggregation::Count));
        if counts == self.column.is_some() {
            let (path, message, help) = match counts {
                true => ("column", "`Count` counts rows, and looks at no column", "take `column` out"),
                false => {
                    ("aggregation", "this is made of numbers, and nothing says of which", "write `column:`")
                }
            };
            cx.problem(Problem::error(&LOG_ALERT_QUERY, path, message).help(help));
        }
        if self.mute.is_some() && self.auto_resolve != Some(false) {
            cx.problem(
                Problem::error(&LOG_ALERT_MUTE, "mute", "an alert that ends by itself cannot be muted")
                    .help("write `autoResolve: false`, or take `mute` out"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference};

    #[test]
    fn what_azure_answers_is_no_change() {
        let fields = json!({
            "targets": [reference("logWorkspaces.logs")], "query": "KubeEvents", "every": "60m", "over": "24h",
            "actions": [reference("actionGroups.oncall")],
        });
        let (drafts, problems) = expand("logAlerts", "events", fields);
        assert_eq!(problems, []);
        let mut live = drafts[0].created();
        live["properties"]["windowSize"] = json!("PT24H");
        live["properties"]["autoMitigate"] = json!(true);
        live["properties"]["checkWorkspaceAlertsStorageConfigured"] = json!(false);
        live["properties"]["createdWithApiVersion"] = json!("2023-12-01");
        live["properties"]["criteria"]["allOf"][0]["threshold"] = json!(0);
        live["properties"].as_object_mut().unwrap().remove("skipQueryValidation");
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        live["properties"]["criteria"]["allOf"][0]["query"] = json!("Heartbeat");
        assert_eq!(changes(&drafts[0], &live), ["properties.criteria.allOf"]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let with = |more: Value| {
            let mut fields = json!({ "targets": [reference("logWorkspaces.logs")], "query": "KubeEvents" });
            crate::catalog::merge_over(&mut fields, &more);
            fields
        };
        for (more, code) in [
            (json!({ "targets": [] }), "log-alert-query"),
            (json!({ "aggregation": "Average" }), "log-alert-query"),
            (json!({ "column": "Value" }), "log-alert-query"),
            (json!({ "mute": "1h" }), "log-alert-mute"),
            (json!({ "every": "7m", "over": "15m" }), "alert-times"),
            (json!({ "every": "1h" }), "alert-times"),
            (json!({ "looks": 7 }), "out-of-range"),
            (json!({ "failing": 2 }), "out-of-range"),
            (json!({ "name": "a#b" }), "monitor-name"),
        ] {
            assert_eq!(codes(expand("logAlerts", "one", with(more.clone()))), [code], "{more}");
        }
    }
}
