//! Namespaces of Service Bus and Event Hubs, and API Management services.

use super::defaults::{Asked, Defaults, Ends, Made, quick};
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, set, set_default, text};
use crate::core::path::cut;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

const BUS: &str = "microsoft.servicebus/namespaces";
const HUBS: &str = "microsoft.eventhub/namespaces";
const APIM: &str = "microsoft.apimanagement/service";
const SUBNET: &str = "microsoft.network/virtualnetworks/subnets";

const NAMESPACE: Ends = Ends::Followed(201, 0);

pub(super) const KNOWN: &[Defaults] = &[
    quick(BUS, fill_namespace).refuses(check_bus).takes(NAMESPACE, 60),
    quick("microsoft.servicebus/namespaces/networkrulesets", fill_rules).refuses(check_rules).plain(),
    quick("microsoft.servicebus/namespaces/queues", fill_queue).refuses(check_entity).plain(),
    quick("microsoft.servicebus/namespaces/topics", fill_queue).refuses(check_topic).plain(),
    quick("microsoft.servicebus/namespaces/topics/subscriptions", fill_queue).refuses(check_entity).plain(),
    quick("microsoft.servicebus/namespaces/topics/subscriptions/rules", fill_filter)
        .refuses(check_filter)
        .plain(),
    quick("microsoft.servicebus/namespaces/authorizationrules", |_, _| {}).refuses(check_keys).plain(),
    quick("microsoft.eventhub/namespaces/authorizationrules", |_, _| {}).refuses(check_keys).plain(),
    quick(HUBS, fill_namespace).refuses(check_hubs).takes(NAMESPACE, 60),
    quick("microsoft.eventhub/namespaces/networkrulesets", fill_rules).refuses(check_rules).plain(),
    quick("microsoft.eventhub/namespaces/eventhubs", fill_hub).refuses(check_hub).plain(),
    quick("microsoft.eventhub/namespaces/eventhubs/consumergroups", |_, _| {}).refuses(check_group).plain(),
    quick(APIM, fill_apim).refuses(check_apim).takes(Ends::Followed(201, 0), 1800),
];

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

fn check_name(asked: &Asked<'_>) -> Result<(), Failure> {
    let alnum = |c: char| c.is_ascii_alphanumeric();
    asked.named(6..=50, alnum, |c| c.is_ascii_alphanumeric() || c == '-', "InvalidNamespaceName")?;
    if asked.name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad("The namespace name begins with a letter."));
    }
    // One domain for both.
    asked.alone_in_the_world(BUS, "NamespaceUnavailable")?;
    asked.alone_in_the_world(HUBS, "NamespaceUnavailable")?;
    asked.one_of("sku.name", &["Basic", "Standard", "Premium"])?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled", "SecuredByPerimeter"])?;
    let premium =
        |body: &Object| text(body, "sku.name").is_some_and(|sku| sku.eq_ignore_ascii_case("Premium"));
    if asked.before.is_some_and(|before| premium(before) != premium(asked.body)) {
        return Err(bad("A namespace cannot be moved between Premium and the other SKUs."));
    }
    Ok(())
}

fn sku(body: &Object) -> String {
    text(body, "sku.name").unwrap_or("Standard").to_ascii_lowercase()
}

fn is_closed(body: &Object) -> bool {
    text(body, "properties.publicNetworkAccess").is_some_and(|access| access.eq_ignore_ascii_case("Disabled"))
}

fn check_bus(asked: &Asked<'_>) -> Result<(), Failure> {
    check_name(asked)?;
    asked.keeps("properties.premiumMessagingPartitions", "BadRequest")?;
    let capacity = at(asked.body, "sku.capacity").and_then(Value::as_u64);
    let premium = sku(asked.body) == "premium";
    if premium && capacity.is_some_and(|units| ![1, 2, 4, 8, 16].contains(&units)) {
        return Err(bad("The capacity of a Premium namespace is 1, 2, 4, 8 or 16."));
    }
    if !premium && is_closed(asked.body) {
        return Err(bad("Public network access can be disabled only for Premium namespaces."));
    }
    Ok(())
}

fn check_hubs(asked: &Asked<'_>) -> Result<(), Failure> {
    check_name(asked)?;
    if sku(asked.body) == "basic" && is_closed(asked.body) {
        return Err(bad("Public network access cannot be disabled for Basic namespaces."));
    }
    let most = at(asked.body, "properties.maximumThroughputUnits").and_then(Value::as_u64).unwrap_or(0);
    let inflates = at(asked.body, "properties.isAutoInflateEnabled") == Some(&json!(true));
    let units = at(asked.body, "sku.capacity").and_then(Value::as_u64).unwrap_or(1);
    if inflates && (most < units || most > 40) {
        return Err(bad("maximumThroughputUnits is between the capacity and 40."));
    }
    let had = asked.before.is_some_and(|before| at(before, "identity.type").is_some());
    if had && at(asked.body, "identity.type").is_none() {
        return Err(bad("The identity of a namespace cannot be removed."));
    }
    Ok(())
}

fn fill_namespace(made: &Made<'_>, body: &mut Object) {
    let tier = text(body, "sku.name").unwrap_or("Standard").to_owned();
    set_default(body, "sku.name", tier.clone());
    set_default(body, "sku.tier", tier.clone());
    set_default(body, "sku.capacity", 1);
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.disableLocalAuth", false);
    set_default(body, "properties.minimumTlsVersion", "1.2");
    set_default(body, "properties.zoneRedundant", true);
    set(body, "properties.serviceBusEndpoint", format!("https://{}.servicebus.windows.net:443/", made.name));
    set(body, "properties.metricId", format!("{}:{}", made.world.state.subscription, made.name));
    set(body, "properties.status", "Active");
    if made.key.contains("/microsoft.eventhub/") {
        set_default(body, "properties.isAutoInflateEnabled", false);
        set_default(body, "properties.maximumThroughputUnits", 0);
        set(body, "properties.kafkaEnabled", tier != "Basic");
    } else if tier == "Premium" {
        set_default(body, "properties.premiumMessagingPartitions", 1);
    }
}

/// What something is below, so many levels up.
fn above<'w>(asked: &Asked<'w>, levels: usize) -> Option<&'w Resource> {
    asked.world.state.resources.get(cut(asked.key, 2 * levels))
}

fn check_rules(asked: &Asked<'_>) -> Result<(), Failure> {
    let namespace = above(asked, 1);
    let premium = namespace.is_some_and(|n| sku(&n.body) == "premium");
    let bus = asked.key.contains("/microsoft.servicebus/");
    let basic = namespace.is_some_and(|n| sku(&n.body) == "basic");
    if bus && !premium || basic {
        return Err(bad("Network rules are not supported for the SKU of the namespace."));
    }
    if namespace.is_some_and(|n| is_closed(&n.body)) && !is_closed(asked.body) {
        return Err(bad("publicNetworkAccess of the rule set is not that of the namespace."));
    }
    for rule in list(asked.body, "properties.virtualNetworkRules") {
        let id = rule.pointer("/subnet/id").and_then(Value::as_str).unwrap_or_default();
        asked.refers(id, SUBNET, "BadRequest")?;
    }
    Ok(())
}

fn fill_rules(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.defaultAction", "Allow");
    set_default(body, "properties.ipRules", json!([]));
    set_default(body, "properties.virtualNetworkRules", json!([]));
    set_default(body, "properties.trustedServiceAccessEnabled", false);
}

/// Keys are for something, and who manages does the rest too.
fn check_keys(asked: &Asked<'_>) -> Result<(), Failure> {
    let rights: Vec<&str> = list(asked.body, "properties.rights").iter().filter_map(Value::as_str).collect();
    let known = rights.iter().all(|right| ["Listen", "Send", "Manage"].contains(right));
    let whole = !rights.contains(&"Manage") || rights.len() == 3;
    if rights.is_empty() || !known || !whole {
        return Err(bad("The rights of the authorization rule are Listen, Send, both, or all with Manage."));
    }
    Ok(())
}

fn check_filter(asked: &Asked<'_>) -> Result<(), Failure> {
    let said = |path: &str| text(asked.body, path).is_some_and(|text| !text.is_empty());
    match text(asked.body, "properties.filterType").unwrap_or("SqlFilter") {
        "SqlFilter"
            if at(asked.body, "properties.sqlFilter").is_some()
                && !said("properties.sqlFilter.sqlExpression") =>
        {
            Err(bad("The SQL expression of the filter is empty."))
        }
        "CorrelationFilter" if at(asked.body, "properties.correlationFilter").is_none() => {
            Err(bad("The rule has no correlation filter."))
        }
        "SqlFilter" | "CorrelationFilter" => Ok(()),
        other => Err(bad(format!("The filter type '{other}' is not valid."))),
    }
}

fn fill_filter(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.filterType", "SqlFilter");
    if text(body, "properties.filterType") == Some("SqlFilter") {
        set_default(body, "properties.sqlFilter.sqlExpression", "1=1");
        set_default(body, "properties.sqlFilter.compatibilityLevel", 20);
    }
    set_default(body, "properties.action", json!({}));
}

/// The seconds of a duration of ISO 8601.
fn seconds(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    let mut total = 0;
    for (part, units) in [(days, "D"), (time, "HMS")] {
        let mut number = String::new();
        for c in part.chars() {
            if c.is_ascii_digit() {
                number.push(c);
                continue;
            }
            let unit = match c {
                _ if !units.contains(c) => return None,
                'D' => 86_400,
                'H' => 3_600,
                'M' => 60,
                _ => 1,
            };
            total += number.parse::<u64>().ok()?.checked_mul(unit)?;
            number.clear();
        }
        if !number.is_empty() {
            return None;
        }
    }
    Some(total)
}

fn check_entity(asked: &Asked<'_>) -> Result<(), Failure> {
    for member in [
        "lockDuration",
        "defaultMessageTimeToLive",
        "duplicateDetectionHistoryTimeWindow",
        "autoDeleteOnIdle",
    ] {
        let Some(said) = text(asked.body, &format!("properties.{member}")) else { continue };
        // What Azure shows for `never` is longer than any.
        let whole = said.split('.').next().unwrap_or_default();
        let good = match (member, seconds(whole)) {
            ("lockDuration", Some(time)) => (5..=300).contains(&time),
            ("autoDeleteOnIdle", Some(time)) => time >= 300,
            ("duplicateDetectionHistoryTimeWindow", Some(time)) => (20..=604_800).contains(&time),
            (_, Some(time)) => time >= 1,
            (_, None) => said.contains('.'),
        };
        if !good {
            return Err(bad(format!("The value '{said}' of '{member}' is not valid.")));
        }
    }
    let (start, _) = asked.key.split_once("/namespaces/").unwrap_or_default();
    let name = asked.key[start.len()..].split('/').nth(2).unwrap_or_default();
    for member in ["forwardTo", "forwardDeadLetteredMessagesTo"] {
        let Some(to) = text(asked.body, &format!("properties.{member}")).filter(|to| !to.is_empty()) else {
            continue;
        };
        let there = ["queues", "topics"].iter().any(|list| {
            let key = format!("{start}/namespaces/{name}/{list}/{}", to.to_ascii_lowercase());
            asked.world.state.resources.contains(&key)
        });
        if !there {
            return Err(bad(format!("The entity '{to}' that messages are forwarded to was not found.")));
        }
    }
    asked.keeps("properties.requiresSession", "BadRequest")?;
    asked.keeps("properties.requiresDuplicateDetection", "BadRequest")
}

fn check_topic(asked: &Asked<'_>) -> Result<(), Failure> {
    if above(asked, 1).is_some_and(|namespace| sku(&namespace.body) == "basic") {
        return Err(bad("Topics are not supported by Basic namespaces."));
    }
    check_entity(asked)
}

fn fill_queue(made: &Made<'_>, body: &mut Object) {
    let long = "P10675199DT2H48M5.4775807S";
    let subscription = made.key.contains("/subscriptions/") && made.key.contains("/topics/");
    if subscription || made.key.contains("/queues/") {
        set_default(body, "properties.lockDuration", "PT1M");
        set_default(body, "properties.deadLetteringOnMessageExpiration", false);
    }
    if !subscription {
        set_default(body, "properties.maxSizeInMegabytes", 1024);
        set_default(body, "properties.duplicateDetectionHistoryTimeWindow", "PT10M");
    }
    set_default(body, "properties.defaultMessageTimeToLive", long);
    set_default(body, "properties.autoDeleteOnIdle", long);
    set_default(body, "properties.enableBatchedOperations", true);
    let topic = !subscription && !made.key.contains("/queues/");
    if !topic {
        set_default(body, "properties.maxDeliveryCount", 10);
        set_default(body, "properties.requiresSession", false);
    }
    if !subscription {
        set_default(body, "properties.requiresDuplicateDetection", false);
        set_default(body, "properties.sizeInBytes", 0);
    }
    set_default(body, "properties.status", "Active");
}

fn check_hub(asked: &Asked<'_>) -> Result<(), Failure> {
    let premium = above(asked, 1).is_some_and(|namespace| sku(&namespace.body) == "premium");
    if !premium {
        asked.keeps("properties.partitionCount", "BadRequest")?;
    }
    let partitions = at(asked.body, "properties.partitionCount").and_then(Value::as_u64).unwrap_or(4);
    let captures = at(asked.body, "properties.captureDescription.enabled") == Some(&json!(true));
    if captures && above(asked, 1).is_some_and(|namespace| sku(&namespace.body) == "basic") {
        return Err(bad("Capture is not supported by Basic namespaces."));
    }
    for (member, limits) in [("intervalInSeconds", 60..=900), ("sizeLimitInBytes", 10_485_760..=524_288_000)]
    {
        let said = at(asked.body, &format!("properties.captureDescription.{member}")).and_then(Value::as_u64);
        if said.is_some_and(|said| !limits.contains(&said)) {
            return Err(bad(format!("'{member}' of the capture description is out of range.")));
        }
    }
    if !(1..=1024).contains(&partitions) || !premium && partitions > 32 {
        return Err(bad("The number of partitions is not supported for the SKU of the namespace."));
    }
    Ok(())
}

fn fill_hub(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.partitionCount", 4);
    let hours = at(body, "properties.retentionDescription.retentionTimeInHours")
        .and_then(Value::as_u64)
        .unwrap_or(168);
    set_default(body, "properties.retentionDescription.cleanupPolicy", "Delete");
    if text(body, "properties.retentionDescription.cleanupPolicy") == Some("Delete") {
        set_default(body, "properties.retentionDescription.retentionTimeInHours", hours);
    }
    if at(body, "properties.captureDescription").is_some() {
        set_default(body, "properties.captureDescription.intervalInSeconds", 300);
        set_default(body, "properties.captureDescription.sizeLimitInBytes", 314_572_800);
        set_default(body, "properties.captureDescription.skipEmptyArchives", false);
    }
    set(body, "properties.messageRetentionInDays", hours.div_ceil(24));
    let number = at(body, "properties.partitionCount").and_then(Value::as_u64).unwrap_or(4);
    set(body, "properties.partitionIds", (0..number).map(|n| n.to_string()).collect::<Vec<_>>());
    set_default(body, "properties.status", "Active");
}

fn check_group(asked: &Asked<'_>) -> Result<(), Failure> {
    if above(asked, 2).is_some_and(|namespace| sku(&namespace.body) == "basic") {
        return Err(bad("Consumer groups are not supported by Basic namespaces."));
    }
    Ok(())
}

/// Whether a connection to a target has been approved.
fn has_approved(world: &World, key: &str) -> bool {
    let collection = format!("{key}/privateendpointconnections");
    let mut all = world.state.resources.members(&collection);
    all.any(|(_, c)| text(&c.body, "properties.privateLinkServiceConnectionState.status") == Some("Approved"))
}

fn check_apim(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    let alnum = |c: char| c.is_ascii_alphanumeric();
    asked.named(1..=50, alnum, |c| c.is_ascii_alphanumeric() || c == '-', "ValidationError")?;
    asked.alone_in_the_world(APIM, "ServiceAlreadyExists")?;
    asked.needs("properties.publisherEmail")?;
    asked.needs("properties.publisherName")?;
    asked.needs("sku.name")?;
    let known = [
        "Consumption",
        "Developer",
        "Basic",
        "Standard",
        "Premium",
        "Isolated",
        "BasicV2",
        "StandardV2",
        "PremiumV2",
    ];
    asked.one_of("sku.name", &known)?;
    let edition = |body: &Object| text(body, "sku.name").unwrap_or_default().to_ascii_lowercase();
    let now = edition(body);
    if asked.before.is_some_and(|before| edition(before).ends_with("v2") != now.ends_with("v2")) {
        return Err(bad("A service cannot be moved between the classic tiers and those of version 2."));
    }
    if is_closed(body) && !has_approved(asked.world, asked.key) {
        let message =
            "Public network access can be disabled only when a private endpoint connection is approved.";
        return Err(Failure::bad("PublicNetworkAccessCannotBeDisabled", message));
    }
    let kind = text(body, "properties.virtualNetworkType").unwrap_or("None");
    if kind.eq_ignore_ascii_case("None") {
        return Ok(());
    }
    if !["developer", "premium", "isolated", "standardv2", "premiumv2"].contains(&now.as_str()) {
        return Err(bad(format!("The tier '{now}' does not support virtual networks.")));
    }
    let id = text(body, "properties.virtualNetworkConfiguration.subnetResourceId").unwrap_or_default();
    let subnet = asked.refers(id, SUBNET, "ValidationError")?;
    let delegated = super::subnet::delegated_to(subnet);
    if !now.ends_with("v2") && delegated.is_some() {
        return Err(bad("The subnet of a classic service must not be delegated."));
    }
    if now == "standardv2"
        && !delegated.is_some_and(|to| to.eq_ignore_ascii_case("Microsoft.Web/serverFarms"))
    {
        return Err(bad("The subnet is not delegated to Microsoft.Web/serverFarms."));
    }
    Ok(())
}

fn fill_apim(made: &Made<'_>, body: &mut Object) {
    let (world, name) = (made.world, &made.name);
    let closed = text(body, "sku.name") == Some("Consumption");
    set_default(body, "sku.capacity", i32::from(!closed));
    set(body, "properties.gatewayUrl", format!("https://{name}.azure-api.net"));
    let place = text(body, "location").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    set(body, "properties.gatewayRegionalUrl", format!("https://{name}-{place}-01.regional.azure-api.net"));
    set(body, "properties.managementApiUrl", format!("https://{name}.management.azure-api.net"));
    set(body, "properties.developerPortalUrl", format!("https://{name}.developer.azure-api.net"));
    set(body, "properties.scmUrl", format!("https://{name}.scm.azure-api.net"));
    set_default(body, "properties.publicNetworkAccess", "Enabled");
    set_default(body, "properties.virtualNetworkType", "None");
    set_default(body, "properties.disableGateway", false);
    set_default(body, "properties.createdAtUtc", world.time());
    set(body, "properties.platformVersion", "stv2.1");
    set(body, "properties.targetProvisioningState", "");
    let number = world.uuid(made.key, "address");
    let part = |at: usize| u8::from_str_radix(&number[at..at + 2], 16).unwrap_or(1);
    let public = format!("20.{}.{}.{}", part(0), part(2), part(4));
    set(body, "properties.publicIPAddresses", json!([public]));
    set(body, "properties.outboundPublicIPAddresses", json!([public]));
    let internal =
        text(body, "properties.virtualNetworkType").is_some_and(|t| t.eq_ignore_ascii_case("Internal"));
    set(body, "properties.privateIPAddresses", if internal { json!(["10.20.48.4"]) } else { json!([]) });
    let protocols = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols";
    let mut switches =
        at(body, "properties.customProperties").and_then(Value::as_object).cloned().unwrap_or_default();
    for version in ["Tls10", "Tls11", "Ssl30"] {
        switches.entry(format!("{protocols}.{version}")).or_insert(json!("False"));
    }
    set(body, "properties.customProperties", Value::Object(switches));
    let own = json!({
        "type": "Proxy", "hostName": format!("{name}.azure-api.net"), "negotiateClientCertificate": false,
        "defaultSslBinding": true, "certificateSource": "BuiltIn",
    });
    set_default(body, "properties.hostnameConfigurations", json!([own]));
    set(
        body,
        "location",
        crate::core::locations::display_name(text(body, "location").unwrap_or_default()).to_owned(),
    );
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    #[tokio::test(start_paused = true)]
    async fn refuses_what_azure_refuses() {
        let bench = Bench::new().await;
        for namespace in ["ServiceBus", "EventHub", "ApiManagement"] {
            bench.post(&format!("/providers/Microsoft.{namespace}/register")).await;
            bench.get(&format!("/providers/Microsoft.{namespace}")).await;
        }
        let body = |sku: &str, properties: Value| json!({"location": "westeurope", "sku": {"name": sku}, "properties": properties});
        let closed = json!({"publicNetworkAccess": "Disabled"});
        let publisher = json!({"publisherEmail": "a@example.com", "publisherName": "a", "publicNetworkAccess": "Disabled"});
        for (path, body) in [
            ("Microsoft.ServiceBus/namespaces/sb", body("Premium", json!({}))),
            ("Microsoft.ServiceBus/namespaces/sb-shop", body("Standard", closed.clone())),
            ("Microsoft.EventHub/namespaces/evh-shop", body("Basic", closed)),
            ("Microsoft.ApiManagement/service/apim", body("Developer", publisher)),
            ("Microsoft.ApiManagement/service/apim", body("Developer", json!({}))),
        ] {
            assert_eq!(bench.put(&Bench::rid(path), body.clone()).await.status, 400, "{path} {body}");
        }
        let id = Bench::rid("Microsoft.ServiceBus/namespaces/sb-shop");
        bench.make(&id, body("Premium", json!({}))).await;
        let moved = bench.put(&id, body("Standard", json!({}))).await;
        assert_eq!(moved.status, 400, "{}", moved.body);
        // One domain for both.
        let twin = bench
            .put(&Bench::rid("Microsoft.EventHub/namespaces/sb-shop"), body("Standard", json!({})))
            .await;
        assert_eq!(twin.code(), "NamespaceUnavailable");
    }
}
