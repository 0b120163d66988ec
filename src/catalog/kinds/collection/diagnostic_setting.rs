//! Diagnostic settings: `Microsoft.Insights/diagnosticSettings`
//! (<https://learn.microsoft.com/azure/templates/microsoft.insights/diagnosticsettings>).
//!
//! Azure keeps a setting when its resource is deleted, and shows it again when a resource of the same id is created. So
//! berth deletes the setting by itself, before that resource.

use crate::catalog::kinds::alerting::name_rule;
use crate::catalog::kinds::naming::NameRule;
use crate::catalog::kinds::parts::members;
use crate::catalog::kinds::scope::{scope_id, type_in};
use crate::catalog::{
    DeleteMode, Draft, EntryCx, EntryKind, Listing, Merged, Problem, Reference, ResourceType, Severity, Turn,
    Weight,
};
use crate::diag::Code;
use crate::ident::Address;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;

/// A diagnostic setting.
pub struct DiagnosticSetting;

/// Which logs and metrics of resources go where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The resource whose logs and metrics they are, or `subscription` for its activity log.
    #[schemars(extend("x-wants" = "scope"))]
    target: Option<Reference>,
    /// Several resources; each gets a setting of its own, of the same name.
    #[serde(default)]
    #[schemars(extend("x-wants" = "scope"))]
    targets: Vec<Reference>,
    /// Groups of logs: `allLogs`, `audit`.
    #[serde(default)]
    groups: Vec<String>,
    /// Logs one by one, such as `kube-audit-admin`; not together with groups.
    #[serde(default)]
    categories: Vec<String>,
    /// Whether the metrics go along; no when absent.
    #[serde(default)]
    metrics: bool,
    /// The Log Analytics workspace that they go to.
    #[schemars(extend("x-wants" = "workspace"))]
    workspace: Option<Reference>,
    /// Whether each kind of log gets a table of its own there, or all of them share `AzureDiagnostics`; as the service does
    /// it when absent. Services that have only one of the two ways ignore it.
    resource_tables: Option<bool>,
    /// The storage account that they go to.
    #[schemars(extend("x-wants" = "storage account"))]
    storage_account: Option<Reference>,
    /// The event hub that they go to.
    event_hub: Option<EventHubSpec>,
}

/// An event hub.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EventHubSpec {
    /// The namespace that it is in.
    #[schemars(extend("x-wants" = "Event Hubs namespace"))]
    namespace: Reference,
    /// Its name; one for each kind of log, which Azure makes, when absent.
    hub: Option<String>,
    /// The key that is used, by its name; `RootManageSharedAccessKey` when absent.
    key: Option<String>,
}

const ARM_TYPE: &str = "Microsoft.Insights/diagnosticSettings";

/// The setting.
pub static DIAGNOSTIC_SETTING: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.logs", Turn::Any, Severity::High, "something else is recorded"),
        Weight::new("properties.workspaceId", Turn::Any, Severity::High, "it is recorded elsewhere"),
        Weight::new("properties.storageAccountId", Turn::Any, Severity::High, "it is recorded elsewhere"),
        Weight::new(
            "properties.eventHubAuthorizationRuleId",
            Turn::Any,
            Severity::High,
            "it is recorded elsewhere",
        ),
    ],
    delete: DeleteMode::Always,
    tags: false,
    rules: &[
        // Azure lists what the resource has, with what is off.
        Rule::at("properties.logs").keyed("categoryGroup+category").azures("enabled", "false"),
        Rule::at("properties.logs[].retentionPolicy").read_only(),
        Rule::at("properties.metrics").keyed("category").azures("enabled", "false"),
        Rule::at("properties.metrics[].retentionPolicy").read_only(),
        Rule::at("properties.metrics[].timeGrain").read_only(),
        Rule::at("properties.workspaceId").default("null"),
        Rule::at("properties.storageAccountId").default("null"),
        Rule::at("properties.eventHubAuthorizationRuleId").default("null"),
        Rule::at("properties.eventHubName").default("null"),
        // Services that have one way only show nothing here, whatever was asked for.
        Rule::at("properties.logAnalyticsDestinationType").fold_case().default("\"Dedicated\""),
    ],
    listing: Listing::Collection,
    ..ResourceType::new(ARM_TYPE, "2021-05-01-preview", "diagnostic setting")
};

const NAME: NameRule = name_rule(
    "a diagnostic setting",
    |c| !c.is_control() && !"<>*%&:\\?+/".contains(c),
    "1 to 260 characters, none of `<>*%&:\\?+/`, and no `.` or space at the end",
);

const CODES: &[&Code] = &[&DIAGNOSTIC_TARGET, &DIAGNOSTIC_LOGS, &DIAGNOSTIC_SINK];

const DIAGNOSTIC_TARGET: Code = Code {
    name: "diagnostic-target",
    why: "A diagnostic setting stands on a resource, or on a subscription.",
    remedy: "Write `target`, or `targets` for several.",
    example: "diagnosticSettings: { audit: { target: \"${keyVaults.secrets}\", groups: [audit], workspace: \"${logWorkspaces.logs}\" } }",
};

const DIAGNOSTIC_LOGS: Code = Code {
    name: "diagnostic-logs",
    why: "A setting sends groups of logs, or logs one by one, and metrics; one that sends nothing is not kept.",
    remedy: "Write `groups` or `categories`, or `metrics: true`.",
    example: "groups: [allLogs]",
};

const DIAGNOSTIC_SINK: Code = Code {
    name: "diagnostic-sink",
    why: "What is sent goes to a workspace, a storage account or an event hub.",
    remedy: "Name at least one of them.",
    example: "workspace: ${logWorkspaces.logs}",
};

impl EntryKind for DiagnosticSetting {
    const SECTION: &'static str = "diagnosticSettings";
    const TITLE: &'static str = "diagnostic setting";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str = "Which logs and metrics of resources go to a workspace, a storage account or an event hub. A \
        setting outlives its resource unseen; it is deleted before that.";
    const EXAMPLE: &'static str = "\
logWorkspaces:
  audit: { name: log-audit, protect: false }
keyVaults:
  secrets: { name: \"kv-audited-${uniqueString(azure.resourceGroup)}\", protect: false }
publicIps:
  one: {}
  two: {}
diagnosticSettings:
  vault:
    name: to-audit
    target: ${keyVaults.secrets}
    categories: [AuditEvent]
    metrics: true
    workspace: ${logWorkspaces.audit}
    resourceTables: true
  addresses:
    name: to-audit
    targets: [\"${publicIps.one}\", \"${publicIps.two}\"]
    groups: [allLogs]
    workspace: ${logWorkspaces.audit}
";
    const TYPES: &'static [&'static ResourceType] = &[&DIAGNOSTIC_SETTING];
    const MERGED: &'static [Merged] = &[
        Merged::list("categories", "properties.logs"),
        Merged::list("groups", "properties.logs"),
        Merged::list("metrics", "properties.metrics"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        spec.check(cx);
        let one = spec.target.iter().map(|target| ("target".to_owned(), target, cx.address.clone()));
        let mut taken = HashSet::new();
        let several = spec.targets.iter().enumerate().map(|(at, target)| {
            (format!("targets[{at}]"), target, address_of(target, &cx.address, &mut taken))
        });
        let all: Vec<(String, &Reference, Address)> = one.chain(several).collect();
        for (path, target, address) in all {
            if target.0 == "resourceGroup" {
                let message = "a resource group has no logs of its own";
                cx.problem(
                    Problem::error(&DIAGNOSTIC_TARGET, path, message)
                        .help("name a resource, or `subscription` for its activity log"),
                );
                continue;
            }
            let account = type_in(target, cx).is_some_and(|kind| kind.eq_ignore_ascii_case(STORAGE));
            if account && !(spec.groups.is_empty() && spec.categories.is_empty()) {
                let message = "a storage account has metrics only: its services have the logs";
                cx.problem(Problem::error(&DIAGNOSTIC_TARGET, path, message).help(
                    "name a service, such as the account's id followed by `/blobServices/default`, or write `metrics: true` alone",
                ));
                continue;
            }
            let Some(scope) = scope_id(Some(target), &path, cx) else { continue };
            let id = format!("{}/providers/{ARM_TYPE}/{name}", scope.trim_end_matches('/'));
            let body = json!({ "properties": spec.properties() });
            cx.main(Draft::new(address, id, &DIAGNOSTIC_SETTING, body).origin(path));
        }
    }
}

const STORAGE: &str = "Microsoft.Storage/storageAccounts";

/// What the setting of one of several resources is called: the entry, and the entry or the name of the resource.
fn address_of(target: &Reference, entry: &Address, taken: &mut HashSet<String>) -> Address {
    let written = target.path().map(|path| path.strip_suffix(".id").unwrap_or(&path).to_owned());
    let written = written.or_else(|| Some(target.literal_id()?.name().to_owned()));
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.[]".contains(c) { c } else { '-' };
    let name: String = written.unwrap_or_else(|| target.0.clone()).chars().map(plain).collect();
    let mut unique = name.clone();
    for number in 2.. {
        if taken.insert(unique.clone()) {
            break;
        }
        unique = format!("{name}-{number}");
    }
    entry.child("targets").child(&unique)
}

impl Spec {
    fn check(&self, cx: &mut EntryCx<'_>) {
        if self.target.is_some() != self.targets.is_empty() {
            let (path, message) = match self.target {
                Some(_) => ("targets", "`target` and `targets` exclude each other"),
                None => ("", "the setting stands on nothing"),
            };
            cx.problem(
                Problem::error(&DIAGNOSTIC_TARGET, path, message)
                    .help("write `target: ${keyVaults.secrets}`, or `targets` with several"),
            );
        }
        if !self.groups.is_empty() && !self.categories.is_empty() {
            let message = "a setting has groups of logs, or logs one by one";
            let help = "keep one of them; write a second setting for the other";
            cx.problem(Problem::error(&DIAGNOSTIC_LOGS, "categories", message).help(help));
        }
        if self.groups.is_empty() && self.categories.is_empty() && !self.metrics {
            let help = "add `groups: [allLogs]`, `categories:` or `metrics: true`";
            cx.problem(Problem::error(&DIAGNOSTIC_LOGS, "", "the setting sends nothing").help(help));
        }
        if self.workspace.is_none() && self.storage_account.is_none() && self.event_hub.is_none() {
            let help = "add `workspace:`, `storageAccount:` or `eventHub:`";
            cx.problem(Problem::error(&DIAGNOSTIC_SINK, "", "what is sent goes nowhere").help(help));
        }
        if self.resource_tables.is_some() && self.workspace.is_none() {
            let help = "add `workspace:`, or take it out";
            let message = "tables are in a workspace, and the setting has none";
            cx.problem(Problem::error(&DIAGNOSTIC_SINK, "resourceTables", message).help(help));
        }
    }

    fn properties(&self) -> Value {
        let on = |member: &str, name: &String| json!({ member: name, "enabled": true });
        let groups = self.groups.iter().map(|group| on("categoryGroup", group));
        let logs: Vec<Value> =
            groups.chain(self.categories.iter().map(|category| on("category", category))).collect();
        let metrics = json!([{ "category": "AllMetrics", "enabled": true }]);
        let hub = self.event_hub.as_ref();
        members([
            ("logs", (!logs.is_empty()).then_some(Value::Array(logs))),
            ("metrics", self.metrics.then_some(metrics)),
            ("workspaceId", self.workspace.as_ref().map(|workspace| workspace.id().into())),
            ("storageAccountId", self.storage_account.as_ref().map(|account| account.id().into())),
            ("eventHubAuthorizationRuleId", hub.map(|hub| hub.authorization().into())),
            ("eventHubName", hub.and_then(|hub| hub.hub.as_deref()).map(Value::from)),
            (
                "logAnalyticsDestinationType",
                self.resource_tables.map(|own| if own { "Dedicated" } else { "AzureDiagnostics" }.into()),
            ),
        ])
    }
}

impl EventHubSpec {
    fn authorization(&self) -> String {
        let key = self.key.as_deref().unwrap_or("RootManageSharedAccessKey");
        format!("{}/authorizationRules/{key}", self.namespace.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    fn setting(more: Value) -> Value {
        let mut fields = json!({ "groups": ["allLogs"], "workspace": reference("logWorkspaces.logs") });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    #[test]
    fn each_target_has_a_setting_and_an_address() {
        let literal = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/out 1";
        let targets = json!([reference("clusters.aks"), reference("keyVaults.secrets.id"), literal, literal]);
        let (drafts, problems) =
            expand("diagnosticSettings", "audit", setting(json!({ "targets": targets })));
        assert_eq!(problems, []);
        let cluster = wants("clusters.aks", "id");
        assert_eq!(
            id(&drafts[0]),
            format!("{cluster}/providers/Microsoft.Insights/diagnosticSettings/audit")
        );
        let addresses: Vec<&str> = drafts.iter().map(|draft| draft.address.as_str()).collect();
        let start = "diagnosticSettings.audit.targets";
        assert_eq!(
            addresses,
            ["clusters.aks", "keyVaults.secrets", "out-1", "out-1-2"].map(|end| format!("{start}.{end}"))
        );
        assert!(drafts.iter().all(|draft| draft.address.is_well_formed()));
    }

    #[test]
    fn what_is_off_is_azures_own() {
        let fields = setting(json!({ "target": reference("clusters.aks"), "resourceTables": true }));
        let (drafts, problems) = expand("diagnosticSettings", "audit", fields);
        assert_eq!(problems, []);
        let off = json!({ "enabled": false, "days": 0 });
        let live = json!({ "properties": {
            "workspaceId": wants("logWorkspaces.logs", "id"), "storageAccountId": null, "logAnalyticsDestinationType": null,
            "logs": [
                { "category": null, "categoryGroup": "allLogs", "enabled": true, "retentionPolicy": off },
                { "category": null, "categoryGroup": "audit", "enabled": false, "retentionPolicy": off },
            ],
            "metrics": [{ "category": "AllMetrics", "enabled": false, "timeGrain": null, "retentionPolicy": off }],
        } });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        let mut other = live;
        other["properties"]["logs"][0]["enabled"] = json!(false);
        assert_eq!(changes(&drafts[0], &other), ["properties.logs[alllogs,].enabled"]);
    }

    #[test]
    fn an_event_hub_is_reached_with_a_key() {
        let hub = json!({ "namespace": reference("eventHubs.bus"), "hub": "logs" });
        let fields = json!({ "target": "subscription", "categories": ["Administrative"], "eventHub": hub });
        let (drafts, problems) = expand("diagnosticSettings", "activity", fields);
        assert_eq!(problems, []);
        let rule = format!("{}/authorizationRules/RootManageSharedAccessKey", wants("eventHubs.bus", "id"));
        assert_eq!(drafts[0].body["properties"]["eventHubAuthorizationRuleId"], rule);
        assert_eq!(
            id(&drafts[0]),
            "/subscriptions/sub/providers/Microsoft.Insights/diagnosticSettings/activity"
        );
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let vault = reference("keyVaults.secrets");
        for (fields, code) in [
            (setting(json!({})), "diagnostic-target"),
            (setting(json!({ "target": vault, "targets": [vault] })), "diagnostic-target"),
            (setting(json!({ "target": "resourceGroup" })), "diagnostic-target"),
            (setting(json!({ "target": vault, "categories": ["AuditEvent"] })), "diagnostic-logs"),
            (setting(json!({ "target": vault, "groups": null })), "diagnostic-logs"),
            (setting(json!({ "target": vault, "workspace": null })), "diagnostic-sink"),
            (setting(json!({ "target": vault, "name": "a:b" })), "monitor-name"),
        ] {
            assert_eq!(codes(expand("diagnosticSettings", "audit", fields.clone())), [code], "{fields}");
        }
    }
}
