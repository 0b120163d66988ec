//! What watches others: alerts and whom they tell, collection rules, diagnostic settings, Azure Monitor workspaces, Grafana.

use super::defaults::{Asked, Defaults, Ends, Made, quick};
use super::endpoint_interface::endpoint;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, list, set, set_default, text};
use crate::core::path::{cut, group_of, last};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

const RULES: &str = "microsoft.insights/datacollectionrules";
const ENDPOINTS: &str = "microsoft.insights/datacollectionendpoints";
const ASSOCIATIONS: &str = "microsoft.insights/datacollectionruleassociations";
const GROUPS: &str = "microsoft.insights/actiongroups";
const WORKSPACES: &str = "microsoft.operationalinsights/workspaces";
const ACCOUNTS: &str = "microsoft.monitor/accounts";
const SETTINGS: &str = "microsoft.insights/diagnosticsettings";
const GRAFANA: &str = "microsoft.dashboard/grafana";

pub(super) const KNOWN: &[Defaults] = &[
    quick("microsoft.insights/metricalerts", fill_metric_alert).refuses(check_metric_alert).plain(),
    quick(GROUPS, fill_group).refuses(check_group),
    quick("microsoft.insights/scheduledqueryrules", fill_log_alert).refuses(check_log_alert),
    quick(SETTINGS, fill_setting).refuses(check_setting).plain(),
    quick(ENDPOINTS, fill_endpoint),
    quick(RULES, fill_rule).refuses(check_rule).stays(leave_rule),
    quick(ASSOCIATIONS, |_, _| {}).refuses(check_association),
    quick("microsoft.alertsmanagement/prometheusrulegroups", fill_prometheus).refuses(check_prometheus),
    quick(ACCOUNTS, fill_account).refuses(check_account).takes(Ends::Followed(201, 0), 20),
    quick(GRAFANA, fill_grafana).refuses(check_grafana).takes(Ends::Followed(201, 0), 480),
];

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

fn texts<'v>(body: &'v Object, path: &str) -> impl Iterator<Item = &'v str> {
    list(body, path).iter().filter_map(Value::as_str)
}

/// Whether there is a resource, also one that Azure makes along with another: the interface of a private endpoint, the
/// rule and the endpoint of an account.
fn is_there(world: &World, key: &str) -> bool {
    let of_an_account = |account: &Resource| {
        ["dataCollectionRuleResourceId", "dataCollectionEndpointResourceId"].into_iter().any(|member| {
            text(&account.body, &format!("properties.defaultIngestionSettings.{member}"))
                .is_some_and(|id| id.eq_ignore_ascii_case(key))
        })
    };
    world.exists(key)
        || endpoint(world, key).is_some()
        || key.contains("/providers/microsoft.insights/")
            && world.state.resources.of_kind(ACCOUNTS).any(|(_, account)| of_an_account(account))
}

/// Refuses scopes that there are none of.
fn check_scopes(asked: &Asked<'_>) -> Result<(), Failure> {
    if list(asked.body, "properties.scopes").is_empty() {
        return Err(bad("The rule must have at least one scope."));
    }
    match texts(asked.body, "properties.scopes").find(|id| !is_there(asked.world, &id.to_ascii_lowercase())) {
        Some(id) => Err(Failure::new(404, "ResourceNotFound", format!("The resource '{id}' was not found."))),
        None => Ok(()),
    }
}

/// Refuses action groups that there are none of.
fn check_groups<'v>(asked: &Asked<'_>, mut ids: impl Iterator<Item = &'v str>) -> Result<(), Failure> {
    ids.try_for_each(|id| asked.refers(id, GROUPS, "BadRequest").map(|_| ()))
}

/// An ISO duration of days, hours, minutes and seconds, in seconds.
fn seconds(text: &str) -> Option<u32> {
    let (mut total, mut number, mut clock) = (0, String::new(), false);
    for c in text.strip_prefix('P')?.chars() {
        match c {
            'T' => clock = true,
            '0'..='9' => number.push(c),
            _ => {
                let unit = match (c, clock) {
                    ('D', false) => 86_400,
                    ('H', true) => 3600,
                    ('M', true) => 60,
                    ('S', true) => 1,
                    _ => return None,
                };
                total += std::mem::take(&mut number).parse::<u32>().ok()? * unit;
            }
        }
    }
    number.is_empty().then_some(total)
}

/// Refuses a duration that is none, or that is not offered, in minutes.
fn check_span(body: &Object, path: &str, offered: &[u32]) -> Result<u32, Failure> {
    let found = text(body, path).and_then(seconds);
    found
        .filter(|found| offered.is_empty() || offered.iter().any(|minutes| minutes * 60 == *found))
        .ok_or_else(|| {
            bad(format!("The value '{}' of '{path}' is not supported.", text(body, path).unwrap_or_default()))
        })
}

fn check_severity(body: &Object) -> Result<(), Failure> {
    let severity = at(body, "properties.severity").and_then(Value::as_u64);
    match severity {
        Some(0..=4) => Ok(()),
        _ => Err(bad("The severity must be a number from 0 to 4.")),
    }
}

fn check_metric_alert(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    let form =
        |body: &Object| at(body, "properties.criteria")?.get("odata.type")?.as_str().map(str::to_owned);
    // What asks an Azure Monitor workspace is where that is.
    if !text(body, "location").is_some_and(|place| place.eq_ignore_ascii_case("global"))
        && !form(body).is_some_and(|form| form.contains("PromQL"))
    {
        return Err(bad("A metric alert is in the location 'global'."));
    }
    check_severity(body)?;
    check_scopes(asked)?;
    let Some(now) = form(body) else { return Err(bad("The criteria have no 'odata.type'.")) };
    if asked.before.and_then(form).is_some_and(|before| before != now) {
        return Err(bad("The criteria type of an existing metric alert cannot be changed."));
    }
    if now.ends_with("PromQLCriteria") {
        return Ok(());
    }
    let every = check_span(body, "properties.evaluationFrequency", &[1, 5, 15, 30, 60])?;
    let over = check_span(body, "properties.windowSize", &[1, 5, 15, 30, 60, 360, 720, 1440])?;
    if over < every {
        return Err(bad("The window size must not be smaller than the evaluation frequency."));
    }
    let wide = list(body, "properties.scopes").len() > 1
        || texts(body, "properties.scopes").any(|id| !id.to_ascii_lowercase().contains("/providers/"));
    if wide
        && !now.contains("Webtest")
        && (text(body, "properties.targetResourceType").is_none()
            || text(body, "properties.targetResourceRegion").is_none())
    {
        return Err(bad("A rule over several resources needs targetResourceType and targetResourceRegion."));
    }
    let criteria = list(body, "properties.criteria.allOf");
    if criteria.is_empty() && !now.contains("Webtest") {
        return Err(bad("The rule has no criteria."));
    }
    for one in criteria {
        let dynamic = one["criterionType"] == "DynamicThresholdCriterion";
        if dynamic && now.contains("SingleResource") {
            return Err(bad("Criteria of a single resource have static thresholds."));
        }
        if !dynamic && !one["threshold"].is_number() {
            return Err(bad("A static criterion has a threshold."));
        }
    }
    let groups =
        list(body, "properties.actions").iter().filter_map(|action| action["actionGroupId"].as_str());
    check_groups(asked, groups)
}

fn fill_metric_alert(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.actions", json!([]));
    set_default(body, "properties.autoMitigate", true);
}

const RECEIVERS: &[&str] = &[
    "emailReceivers",
    "smsReceivers",
    "webhookReceivers",
    "itsmReceivers",
    "azureAppPushReceivers",
    "automationRunbookReceivers",
    "voiceReceivers",
    "logicAppReceivers",
    "azureFunctionReceivers",
    "armRoleReceivers",
    "eventHubReceivers",
];

fn check_group(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.needs("properties.groupShortName")?;
    asked.needs("properties.enabled")?;
    let short = text(asked.body, "properties.groupShortName").unwrap_or_default();
    if !(1..=12).contains(&short.chars().count()) {
        return Err(bad("The group short name must have 1 to 12 characters."));
    }
    for kind in RECEIVERS {
        let names: Vec<&str> = list(asked.body, &format!("properties.{kind}"))
            .iter()
            .map(|one| one["name"].as_str().unwrap_or_default())
            .collect();
        let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
        if twice || names.contains(&"") {
            return Err(bad(format!("The receivers in '{kind}' need names of their own.")));
        }
    }
    // A rehearsal makes up what is secret, and a made-up text is no URI.
    let mut hooks = list(asked.body, "properties.webhookReceivers").iter();
    if hooks.any(|hook| hook["serviceUri"].as_str().is_none_or(str::is_empty)) {
        return Err(bad("A webhook receiver has a service URI."));
    }
    Ok(())
}

fn fill_group(_: &Made<'_>, body: &mut Object) {
    for kind in RECEIVERS {
        set_default(body, &format!("properties.{kind}"), json!([]));
    }
    for kind in ["emailReceivers", "smsReceivers"] {
        let mut all = list(body, &format!("properties.{kind}")).to_vec();
        all.iter_mut().for_each(|one| one["status"] = "Enabled".into());
        set(body, &format!("properties.{kind}"), all);
    }
    let mut hooks = list(body, "properties.webhookReceivers").to_vec();
    for hook in &mut hooks {
        if hook.get("useAadAuth").is_none() {
            hook["useAadAuth"] = false.into();
        }
    }
    set(body, "properties.webhookReceivers", hooks);
    set(body, "location", "Global");
}

fn check_log_alert(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    check_severity(body)?;
    check_scopes(asked)?;
    asked.keeps("kind", "BadRequest")?;
    let criteria = list(body, "properties.criteria.allOf");
    if criteria.len() != 1 {
        return Err(bad("The rule has one criterion."));
    }
    if body.get("kind") == Some(&json!("SimpleLogAlert")) {
        return Ok(());
    }
    const STEPS: &[u32] = &[1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880];
    let every = check_span(body, "properties.evaluationFrequency", &STEPS[..STEPS.len() - 1])?;
    let over = check_span(body, "properties.windowSize", STEPS)?;
    if over < every {
        return Err(bad("The window size must not be smaller than the evaluation frequency."));
    }
    let one = &criteria[0];
    let counts = one["timeAggregation"] == "Count";
    if counts == one["metricMeasureColumn"].is_string() {
        return Err(bad("A measure column goes with every aggregation but Count."));
    }
    let query = one["query"].as_str().unwrap_or_default();
    if flag(body, "properties.skipQueryValidation") != Some(true) && query.contains("_CL") {
        return Err(bad(format!("The query could not be validated: a table in '{query}' does not exist.")));
    }
    // A rule that resolves by itself is not muted.
    if text(body, "properties.muteActionsDuration").is_some()
        && at(body, "properties.resolveConfiguration").is_none()
        && flag(body, "properties.autoMitigate") == Some(true)
    {
        return Err(bad("Actions cannot be muted when alerts are resolved automatically."));
    }
    check_groups(asked, texts(body, "properties.actions.actionGroups"))
}

fn fill_log_alert(_: &Made<'_>, body: &mut Object) {
    let muted = text(body, "properties.muteActionsDuration").is_some();
    set_default(body, "properties.autoMitigate", !muted);
    set_default(body, "properties.checkWorkspaceAlertsStorageConfigured", false);
    set(body, "properties.createdWithApiVersion", "2023-12-01");
    set(body, "properties.isLegacyLogAnalyticsRule", false);
    set(body, "properties.isWorkspaceAlertsStorageConfigured", false);
    body.entry("kind").or_insert(json!("LogAlert"));
}

/// What there is to record, of the types of which that is documented
/// (<https://learn.microsoft.com/azure/azure-monitor/reference/logs-index>).
const CATEGORIES: &[(&str, &[&str])] = &[
    (
        "microsoft.containerservice/managedclusters",
        &[
            "kube-apiserver",
            "kube-audit",
            "kube-audit-admin",
            "kube-controller-manager",
            "kube-scheduler",
            "cluster-autoscaler",
            "guard",
            "cloud-controller-manager",
            "csi-azuredisk-controller",
            "csi-azurefile-controller",
            "csi-snapshot-controller",
        ],
    ),
    ("microsoft.keyvault/vaults", &["AuditEvent", "AzurePolicyEvaluationDetails"]),
    (
        "microsoft.containerregistry/registries",
        &["ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"],
    ),
    (
        "microsoft.cdn/profiles",
        &["FrontDoorAccessLog", "FrontDoorHealthProbeLog", "FrontDoorWebApplicationFirewallLog"],
    ),
    (
        "microsoft.network/applicationgateways",
        &["ApplicationGatewayAccessLog", "ApplicationGatewayPerformanceLog", "ApplicationGatewayFirewallLog"],
    ),
    (
        "microsoft.network/networksecuritygroups",
        &["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"],
    ),
    ("microsoft.storage/storageaccounts", &[]),
];

/// Where a setting stands: the key of the resource and its type.
fn stands_on<'w>(world: &'w World, key: &'w str) -> (&'w str, &'w str) {
    let scope = key.find("/providers/microsoft.insights/diagnosticsettings/").map_or(key, |at| &key[..at]);
    (scope, world.state.resources.get(scope).map_or("", |resource| resource.kind.as_str()))
}

fn categories_of(kind: &str) -> Option<&'static [&'static str]> {
    CATEGORIES.iter().find(|(known, _)| *known == kind).map(|(_, all)| *all)
}

/// What a setting records, and where it goes: a category and a sink.
fn recorded(body: &Object) -> Vec<(String, String)> {
    let sinks = ["workspaceId", "storageAccountId", "eventHubAuthorizationRuleId"];
    let sinks: Vec<String> = sinks
        .iter()
        .filter_map(|sink| text(body, &format!("properties.{sink}")))
        .filter(|id| !id.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let logs = list(body, "properties.logs").iter().chain(list(body, "properties.metrics"));
    let on = logs.filter(|one| one["enabled"] == true).filter_map(|one| {
        one["category"].as_str().or_else(|| one["categoryGroup"].as_str()).map(str::to_ascii_lowercase)
    });
    on.flat_map(|category| sinks.iter().map(move |sink| (category.clone(), sink.clone()))).collect()
}

fn check_setting(asked: &Asked<'_>) -> Result<(), Failure> {
    let (body, world) = (asked.body, asked.world);
    let (scope, kind) = stands_on(world, asked.key);
    let mine = recorded(body);
    let has_sink = [
        "workspaceId",
        "storageAccountId",
        "eventHubAuthorizationRuleId",
        "marketplacePartnerId",
        "serviceBusRuleId",
    ]
    .iter()
    .any(|sink| text(body, &format!("properties.{sink}")).is_some_and(|id| !id.is_empty()));
    if !has_sink {
        return Err(bad("At least one data sink needs to be specified."));
    }
    let workspace = text(body, "properties.workspaceId").filter(|id| !id.is_empty());
    if let Some(id) = workspace {
        asked.refers(id, WORKSPACES, "ResourceNotFound")?;
    }
    if let Some(id) = text(body, "properties.storageAccountId").filter(|id| !id.is_empty()) {
        asked.refers(id, "microsoft.storage/storageaccounts", "ResourceNotFound")?;
    }
    let logs = list(body, "properties.logs");
    let on = |member: &str| logs.iter().any(|one| one[member].is_string() && one["enabled"] == true);
    if on("category") && on("categoryGroup") {
        return Err(bad("Categories and category groups cannot be used in one diagnostic setting."));
    }
    for one in logs.iter().chain(list(body, "properties.metrics")) {
        if one["retentionPolicy"]["days"].as_u64().is_some_and(|days| days > 0) {
            return Err(bad("Diagnostic settings retention is not supported any more."));
        }
    }
    for one in logs {
        let category = one["category"].as_str().unwrap_or_default();
        let known = categories_of(kind).filter(|_| !category.is_empty());
        if known.is_some_and(|known| !known.iter().any(|known| known.eq_ignore_ascii_case(category))) {
            return Err(bad(format!("Category '{category}' is not supported.")));
        }
        if one["categoryGroup"].is_string() && categories_of(kind).is_some_and(<[_]>::is_empty) {
            return Err(bad("The resource type has no category groups."));
        }
    }
    let start = format!("{scope}/providers/{SETTINGS}/");
    let others: Vec<&Resource> = world
        .state
        .resources
        .below(scope)
        .filter(|(key, _)| key.starts_with(&start) && *key != asked.key)
        .map(|(_, one)| one)
        .collect();
    if others.len() >= 5 {
        return Err(Failure::new(409, "Conflict", "The resource has five diagnostic settings already."));
    }
    for other in others {
        let theirs = recorded(&other.body.members());
        if let Some((category, sink)) = mine.iter().find(|one| theirs.contains(one)) {
            let name = last(&other.id);
            let message = format!(
                "Data sink '{sink}' is already used in diagnostic setting '{name}' for category '{category}'. Data \
                 sinks can't be reused in different settings on the same category for the same resource."
            );
            return Err(Failure::new(409, "Conflict", message));
        }
    }
    Ok(())
}

/// Azure shows everything that there is to record, and what of it is off.
fn fill_setting(made: &Made<'_>, body: &mut Object) {
    let (_, kind) = stands_on(made.world, made.key);
    let groups = list(body, "properties.logs").iter().any(|one| one["categoryGroup"].is_string());
    let known: Vec<&str> = match groups {
        true => vec!["allLogs", "audit"],
        false => categories_of(kind).unwrap_or_default().to_vec(),
    };
    let member = if groups { "categoryGroup" } else { "category" };
    let off = json!({"enabled": false, "days": 0});
    let mut logs = list(body, "properties.logs").to_vec();
    for name in known {
        let named = |one: &Value| one[member].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name));
        if !logs.iter().any(named) {
            logs.push(json!({member: name, "enabled": false}));
        }
    }
    let mut metrics = list(body, "properties.metrics").to_vec();
    if metrics.is_empty() && !kind.is_empty() {
        metrics.push(json!({"category": "AllMetrics", "enabled": false}));
    }
    for one in logs.iter_mut().chain(&mut metrics) {
        one["retentionPolicy"] = off.clone();
    }
    for one in &mut logs {
        for member in ["category", "categoryGroup"] {
            if one.get(member).is_none() {
                one[member] = Value::Null;
            }
        }
    }
    set(body, "properties.logs", logs);
    set(body, "properties.metrics", metrics);
    for member in [
        "storageAccountId",
        "serviceBusRuleId",
        "workspaceId",
        "eventHubAuthorizationRuleId",
        "eventHubName",
        "logAnalyticsDestinationType",
    ] {
        let path = format!("properties.{member}");
        if at(body, &path).is_none() {
            set(body, &path, Value::Null);
        }
    }
    // Azure stores no state of it.
    if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut) {
        properties.shift_remove("provisioningState");
    }
}

fn fill_endpoint(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, name } = made;
    set_default(body, "properties.networkAcls.publicNetworkAccess", "Enabled");
    set(body, "properties.immutableId", format!("dce-{}", world.token(key, "immutable")));
    let place = text(body, "location").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    for (member, service) in [
        ("configurationAccess", "handler.control"),
        ("logsIngestion", "ingest"),
        ("metricsIngestion", "metrics.ingest"),
    ] {
        let url = format!("https://{name}-sim1.{place}-1.{service}.monitor.azure.com");
        set(body, &format!("properties.{member}.endpoint"), url);
    }
    body.insert("etag".into(), json!(format!("\"{}\"", world.uuid(key, "etag"))));
}

fn check_rule(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    let invalid = |message: String| Failure::bad("InvalidPayload", message);
    asked.keeps("kind", "InvalidPayload")?;
    if let Some(id) = text(body, "properties.dataCollectionEndpointId") {
        refers_to_collection(asked, id, ENDPOINTS)?;
    }
    let mut declared: Vec<&str> = Vec::new();
    let here = text(body, "location").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    for (member, id, kind) in [
        ("logAnalytics", "workspaceResourceId", WORKSPACES),
        ("monitoringAccounts", "accountResourceId", ACCOUNTS),
    ] {
        for one in list(body, &format!("properties.destinations.{member}")) {
            declared.extend(one["name"].as_str());
            let found = asked.refers(one[id].as_str().unwrap_or_default(), kind, "InvalidPayload")?;
            let there = found.location().replace(' ', "").to_ascii_lowercase();
            if there != here && kind == WORKSPACES {
                let message = format!(
                    "Data collection rule and its destination must be in the same region: '{here}' and '{there}'."
                );
                return Err(invalid(message));
            }
        }
    }
    let others =
        ["eventHubsDirect", "eventHubs", "storageBlobsDirect", "storageTablesDirect", "storageAccounts"];
    for member in others {
        let all = list(body, &format!("properties.destinations.{member}"));
        declared.extend(all.iter().filter_map(|one| one["name"].as_str()));
    }
    declared.extend(text(body, "properties.destinations.azureMonitorMetrics.name"));
    for flow in list(body, "properties.dataFlows") {
        let to = flow["destinations"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in to {
            if !declared.contains(&name) {
                return Err(invalid(format!("The destination '{name}' of a data flow is not declared.")));
            }
        }
    }
    Ok(())
}

fn fill_rule(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, .. } = made;
    set(body, "properties.immutableId", format!("dcr-{}", world.token(key, "immutable")));
    for (member, id, pointer, own) in [
        ("logAnalytics", "workspaceResourceId", "properties.customerId", "workspaceId"),
        ("monitoringAccounts", "accountResourceId", "properties.accountId", "accountId"),
    ] {
        let path = format!("properties.destinations.{member}");
        let mut all = list(body, &path).to_vec();
        for one in &mut all {
            let key = one[id].as_str().unwrap_or_default().to_ascii_lowercase();
            let found = world.state.resources.get(&key).and_then(|to| text(&to.body, pointer));
            one[own] = found.unwrap_or_default().into();
        }
        if !all.is_empty() {
            set(body, &path, all);
        }
    }
    body.insert("etag".into(), json!(format!("\"{}\"", world.uuid(key, "etag"))));
}

/// A rule cannot go while something is collected by it.
fn leave_rule(world: &World, rule: &Resource) -> Result<(), Failure> {
    let key = rule.id.to_ascii_lowercase();
    let joined = world.state.resources.iter().find(|(_, one)| {
        one.kind == ASSOCIATIONS
            && text(&one.body, "properties.dataCollectionRuleId")
                .is_some_and(|id| id.to_ascii_lowercase() == key)
    });
    match joined {
        Some((_, one)) => Err(Failure::bad(
            "AssociatedResourceExists",
            format!("The data collection rule is associated: '{}'. Delete the association first.", one.id),
        )),
        None => Ok(()),
    }
}

/// Refuses a rule or endpoint that is not there: those that Azure makes with an Azure Monitor workspace are.
fn refers_to_collection(asked: &Asked<'_>, id: &str, kind: &str) -> Result<(), Failure> {
    let Some((path, ..)) = COMES_WITH_ACCOUNT.iter().find(|(.., own)| *own == kind) else { return Ok(()) };
    let mut accounts = asked.world.state.resources.of_kind(ACCOUNTS);
    if accounts.any(|(_, account)| text(&account.body, path).is_some_and(|own| own.eq_ignore_ascii_case(id)))
    {
        return Ok(());
    }
    asked.refers(id, kind, "InvalidPayload").map(|_| ())
}

fn check_association(asked: &Asked<'_>) -> Result<(), Failure> {
    let rule = text(asked.body, "properties.dataCollectionRuleId");
    let endpoint = text(asked.body, "properties.dataCollectionEndpointId");
    match (rule, endpoint) {
        (Some(id), None) => refers_to_collection(asked, id, RULES),
        (None, Some(id)) => {
            if !asked.name.eq_ignore_ascii_case("configurationAccessEndpoint") {
                let message = "An association with an endpoint is called 'configurationAccessEndpoint'.";
                return Err(Failure::bad("InvalidPayload", message));
            }
            refers_to_collection(asked, id, ENDPOINTS)
        }
        _ => Err(Failure::bad("InvalidPayload", "An association is with a rule or with an endpoint.")),
    }
}

fn check_prometheus(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    check_scopes(asked)?;
    let first = texts(body, "properties.scopes").next().unwrap_or_default();
    asked.refers(first, ACCOUNTS, "BadRequest")?;
    if text(body, "properties.interval").is_some() {
        let every = check_span(body, "properties.interval", &[])?;
        if !(60..=900).contains(&every) {
            return Err(bad("The interval must be between 1 and 15 minutes."));
        }
    }
    let rules = list(body, "properties.rules");
    if rules.is_empty() {
        return Err(bad("The rule group has no rules."));
    }
    for rule in rules {
        if rule["record"].is_string() == rule["alert"].is_string() || !rule["expression"].is_string() {
            return Err(bad("A rule has an expression, and either 'record' or 'alert'."));
        }
        let groups = rule["actions"].as_array().into_iter().flatten();
        check_groups(asked, groups.filter_map(|action| action["actionGroupId"].as_str()))?;
    }
    Ok(())
}

fn fill_prometheus(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.enabled", true);
    set_default(body, "properties.interval", "PT1M");
    let mut rules = list(body, "properties.rules").to_vec();
    for rule in &mut rules {
        if rule.get("enabled").is_none() {
            rule["enabled"] = true.into();
        }
    }
    set(body, "properties.rules", rules);
    if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut) {
        properties.shift_remove("provisioningState");
    }
}

fn check_account(asked: &Asked<'_>) -> Result<(), Failure> {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    asked.named(2..=63, |c| c.is_ascii_alphanumeric(), inner, "InvalidResourceName")?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled"])
}

/// What Azure makes with an Azure Monitor workspace: where its body has the id, and what it is.
const COMES_WITH_ACCOUNT: &[(&str, &str, &str)] = &[
    ("properties.defaultIngestionSettings.dataCollectionRuleResourceId", "dataCollectionRules", RULES),
    (
        "properties.defaultIngestionSettings.dataCollectionEndpointResourceId",
        "dataCollectionEndpoints",
        ENDPOINTS,
    ),
];

fn fill_account(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, name } = made;
    let place = text(body, "location").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.accountId", world.uuid(key, "account"));
    set_default(body, "properties.metrics.enableAccessUsingResourcePermissions", false);
    set(
        body,
        "properties.metrics.prometheusQueryEndpoint",
        format!("https://{name}-sim1.{place}.prometheus.monitor.azure.com"),
    );
    set(body, "properties.metrics.internalId", format!("mac_{}", world.uuid(key, "account")));
    // Azure makes a group of its own for each.
    let subscription = cut(group_of(key).unwrap_or(key), 2);
    let group =
        format!("{subscription}/resourceGroups/MA_{name}_{place}_managed/providers/Microsoft.Insights");
    for (path, kind, _) in COMES_WITH_ACCOUNT {
        set(body, path, format!("{group}/{kind}/{name}"));
    }
}

fn check_grafana(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    asked.named(2..=30, |c| c.is_ascii_alphanumeric(), inner, "InvalidResourceName")?;
    if !asked.name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(Failure::bad("InvalidResourceName", "The name starts with a letter."));
    }
    asked.needs("sku.name")?;
    asked.one_of("sku.name", &["Standard"])?;
    for path in ["sku.name", "sku.size", "properties.zoneRedundancy"] {
        asked.keeps(path, "BadRequest")?;
    }
    let identity = text(body, "identity.type").unwrap_or("None");
    if identity.contains(',') {
        return Err(bad("Grafana has a system-assigned or a user-assigned identity, not both."));
    }
    asked.keeps("identity.type", "BadRequest")?;
    let integrations = list(body, "properties.grafanaIntegrations.azureMonitorWorkspaceIntegrations");
    for one in integrations {
        let id = one["azureMonitorWorkspaceResourceId"].as_str().unwrap_or_default();
        asked.refers(id, ACCOUNTS, "BadRequest")?;
    }
    Ok(())
}

fn fill_grafana(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, name } = made;
    let place = text(body, "location").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    let hash: String = world.token(key, "grafana").chars().take(8).collect();
    set_default(body, "sku.size", "X1");
    set_default(body, "properties.zoneRedundancy", "Disabled");
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.apiKey", "Disabled");
    set_default(body, "properties.deterministicOutboundIP", "Disabled");
    set_default(body, "properties.autoGeneratedDomainNameLabelScope", "TenantReuse");
    set_default(body, "properties.creatorCanAdmin", "Enabled");
    set_default(body, "properties.grafanaMajorVersion", "12");
    let version = format!("{}.1.0", text(body, "properties.grafanaMajorVersion").unwrap_or("12"));
    set(body, "properties.grafanaVersion", version);
    set(body, "properties.endpoint", format!("https://{name}-{hash}.{place}.grafana.azure.com"));
    set_default(body, "properties.privateEndpointConnections", json!([]));
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    async fn bench() -> Bench {
        let bench = Bench::new().await;
        for namespace in
            ["Insights", "OperationalInsights", "Monitor", "AlertsManagement", "Dashboard", "KeyVault"]
        {
            bench.post(&format!("/providers/Microsoft.{namespace}/register")).await;
            bench.get(&format!("/providers/Microsoft.{namespace}")).await;
        }
        bench
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_comes_with_a_rule_that_alerts_can_watch() {
        let bench = bench().await;
        let account = Bench::rid("Microsoft.Monitor/accounts/metrics");
        let made = bench.make(&account, json!({"location": "westeurope", "properties": {}})).await;
        let rule =
            made["properties"]["defaultIngestionSettings"]["dataCollectionRuleResourceId"].as_str().unwrap();
        let group = Bench::id("/resourceGroups/MA_metrics_westeurope_managed");
        assert_eq!(rule, format!("{group}/providers/Microsoft.Insights/dataCollectionRules/metrics"));
        let alert = json!({"location": "global", "properties": {
            "severity": 2, "enabled": true, "scopes": [rule], "evaluationFrequency": "PT5M", "windowSize": "PT15M",
            "criteria": {
                "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                "allOf": [{
                    "name": "one", "metricName": "m", "operator": "GreaterThan", "threshold": 1,
                    "timeAggregation": "Total", "criterionType": "StaticThresholdCriterion",
                }],
            },
        }});
        bench.make(&Bench::rid("Microsoft.Insights/metricAlerts/rule"), alert).await;
        let with = format!("{account}/providers/Microsoft.Insights/dataCollectionRuleAssociations/one");
        bench.make(&with, json!({ "properties": { "dataCollectionRuleId": rule } })).await;
        let other = json!({ "properties": { "dataCollectionRuleId": format!("{rule}x") } });
        assert_eq!(bench.put(&with, other).await.code(), "InvalidPayload");
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_what_azure_refuses() {
        let bench = bench().await;
        let logs = Bench::rid("Microsoft.OperationalInsights/workspaces/logs");
        bench.make(&logs, json!({"location": "westeurope", "properties": {}})).await;
        let group = Bench::rid("Microsoft.Insights/actionGroups/oncall");
        let body = json!({"location": "Global", "properties": {"groupShortName": "oncall", "enabled": true}});
        bench.make(&group, body).await;
        let alert = |more: Value| {
            let mut properties = json!({
                "severity": 2, "enabled": true, "scopes": [logs], "evaluationFrequency": "PT5M", "windowSize": "PT15M",
                "criteria": {
                    "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                    "allOf": [{
                        "name": "one", "metricName": "m", "operator": "GreaterThan", "threshold": 1,
                        "timeAggregation": "Total", "criterionType": "StaticThresholdCriterion",
                    }],
                },
            });
            for (name, value) in more.as_object().unwrap() {
                properties[name] = value.clone();
            }
            json!({"location": "global", "properties": properties})
        };
        let id = Bench::rid("Microsoft.Insights/metricAlerts/one");
        assert_eq!(bench.put(&id, alert(json!({}))).await.status, 200);
        let other = json!({"odata.type": "Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria", "allOf": [{"threshold": 1}]});
        for (more, status) in [
            (json!({"severity": 5}), 400),
            (json!({"windowSize": "PT1M"}), 400),
            (json!({"evaluationFrequency": "PT2M"}), 400),
            (json!({"scopes": [Bench::rid("Microsoft.KeyVault/vaults/none")]}), 404),
            (json!({"scopes": [logs, group]}), 400),
            (json!({"actions": [{"actionGroupId": format!("{group}x")}]}), 400),
            (json!({"criteria": other}), 400),
        ] {
            assert_eq!(bench.put(&id, alert(more.clone())).await.status, status, "{more}");
        }
        let long =
            json!({"location": "Global", "properties": {"groupShortName": "thirteen-long", "enabled": true}});
        assert_eq!(bench.put(&group, long).await.status, 400);
    }

    #[tokio::test(start_paused = true)]
    async fn settings_show_what_is_off_and_share_no_sink() {
        let bench = bench().await;
        let logs = Bench::rid("Microsoft.OperationalInsights/workspaces/logs");
        bench.make(&logs, json!({"location": "westeurope", "properties": {}})).await;
        let vault = Bench::rid("Microsoft.KeyVault/vaults/kv-sim-1");
        let tenant = "5ab5c819-0000-4000-8000-000000000002";
        let body = json!({"location": "westeurope", "properties": {
            "tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
        }});
        bench.make(&vault, body).await;
        let setting = |name: &str| format!("{vault}/providers/Microsoft.Insights/diagnosticSettings/{name}");
        let body = |properties: Value| json!({"properties": properties});
        let audit = json!({"workspaceId": logs, "logs": [{"category": "AuditEvent", "enabled": true}]});
        let made = bench.put(&setting("one"), body(audit.clone())).await;
        assert_eq!(made.status, 200, "{}", made.body);
        assert_eq!(made.at("/properties/logs/1/category"), "AzurePolicyEvaluationDetails");
        assert_eq!(made.at("/properties/logs/1/enabled"), false);
        assert_eq!(bench.put(&setting("two"), body(audit)).await.code(), "Conflict");
        for wrong in [
            json!({"logs": [{"category": "AuditEvent", "enabled": true}]}),
            json!({"workspaceId": logs, "logs": [{"category": "kube-audit", "enabled": true}]}),
            json!({"workspaceId": format!("{logs}x"), "logs": [{"category": "AuditEvent", "enabled": true}]}),
            json!({"workspaceId": logs, "logs": [
                {"category": "AuditEvent", "enabled": true}, {"categoryGroup": "audit", "enabled": true},
            ]}),
        ] {
            assert_eq!(bench.put(&setting("three"), body(wrong.clone())).await.status, 400, "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rule_stays_while_it_is_associated_and_is_where_its_workspace_is() {
        let bench = bench().await;
        let logs = Bench::rid("Microsoft.OperationalInsights/workspaces/logs");
        bench.make(&logs, json!({"location": "westeurope", "properties": {}})).await;
        let id = Bench::rid("Microsoft.Insights/dataCollectionRules/rule");
        let rule = |place: &str, to: &str| {
            json!({"location": place, "kind": "Linux", "properties": {
                "destinations": {"logAnalytics": [{"name": "central", "workspaceResourceId": logs}]},
                "dataFlows": [{"streams": ["Microsoft-Syslog"], "destinations": [to]}],
            }})
        };
        assert_eq!(bench.put(&id, rule("northeurope", "central")).await.code(), "InvalidPayload");
        assert_eq!(bench.put(&id, rule("westeurope", "elsewhere")).await.code(), "InvalidPayload");
        assert_eq!(bench.put(&id, rule("westeurope", "central")).await.status, 201);
        let joined = format!("{logs}/providers/Microsoft.Insights/dataCollectionRuleAssociations/one");
        let body = |id: &str| json!({"properties": {"dataCollectionRuleId": id}});
        assert_eq!(bench.put(&joined, body("/x")).await.status, 400);
        assert_eq!(bench.put(&joined, body(&id)).await.status, 201);
        assert_eq!(bench.delete(&id).await.code(), "AssociatedResourceExists");
        assert_eq!(bench.delete(&joined).await.status, 200);
        assert_eq!(bench.delete(&id).await.status, 200);
    }
}
