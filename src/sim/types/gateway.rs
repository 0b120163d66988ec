//! What application gateways and private link services refuse, and what they fill.

use super::subnet;
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, name_of, set, set_default, text};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

const SUBNET: &str = "microsoft.network/virtualnetworks/subnets";

fn bad(code: &str, message: impl Into<String>) -> Failure {
    Failure::bad(code, message)
}

/// The lists of a gateway, whose elements refer to each other by ids below the gateway.
const LISTS: &[&str] = &[
    "gatewayIPConfigurations",
    "frontendIPConfigurations",
    "frontendPorts",
    "sslCertificates",
    "httpListeners",
    "backendAddressPools",
    "backendHttpSettingsCollection",
    "probes",
    "redirectConfigurations",
    "requestRoutingRules",
    "urlPathMaps",
    "rewriteRuleSets",
    "privateLinkConfigurations",
    "sslProfiles",
    "trustedRootCertificates",
];

/// Whether a frontend of a gateway can be reached through private endpoints; a gateway that is played loosely offers all.
pub(super) fn offers(gateway: &Resource, frontend: &str) -> bool {
    let body = &gateway.body;
    let own = list(body, "properties.frontendIPConfigurations");
    own.is_empty()
        || own.iter().any(|one| {
            name_of(one).eq_ignore_ascii_case(frontend)
                && one.pointer("/properties/privateLinkConfiguration/id").is_some()
        })
}

/// The subnet that a body names at a place.
fn subnet_at<'w>(world: &'w World, body: &Object, pointer: &str) -> Result<&'w Resource, Failure> {
    let id =
        at(body, "properties").and_then(|p| p.pointer(pointer)).and_then(Value::as_str).unwrap_or_default();
    let found = world.state.resources.get(&id.to_ascii_lowercase()).filter(|r| r.kind == SUBNET);
    found.ok_or_else(|| bad("InvalidResourceReference", format!("The subnet '{id}' was not found.")))
}

/// Where the subnet of a gateway stands.
const OF_GATEWAY: &str = "/gatewayIPConfigurations/0/properties/subnet/id";
/// Where that of a private link service stands.
const OF_SERVICE: &str = "/ipConfigurations/0/properties/subnet/id";

/// Whether a gateway is one of version 2 with a firewall; others are played loosely.
fn is_modern(body: &Object) -> bool {
    text(body, "properties.sku.name").is_some_and(|sku| sku.eq_ignore_ascii_case("WAF_v2"))
}

pub(super) fn check_gateway(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    let body = &call.body;
    if !is_modern(body) {
        return Ok(());
    }
    let subnet = subnet_at(world, body, OF_GATEWAY)?;
    let others = subnet::users(subnet).keys().any(|user| !user.eq_ignore_ascii_case(&call.id));
    if others {
        let message = format!("The subnet '{}' of the gateway has something else in it.", subnet.id);
        return Err(bad("ApplicationGatewaySubnetInUseByOtherResource", message));
    }
    if let Some(before) = world.state.resources.get(&call.path.key) {
        let was = at(&before.body, "properties").and_then(|p| p.pointer(OF_GATEWAY)).and_then(Value::as_str);
        if was.is_some_and(|was| !was.eq_ignore_ascii_case(&subnet.id)) {
            return Err(bad(
                "ApplicationGatewaySubnetCannotBeChanged",
                "The subnet of a running gateway cannot be changed.",
            ));
        }
    }
    let scales = at(body, "properties.autoscaleConfiguration").is_some();
    if scales == at(body, "properties.sku.capacity").is_some() {
        let message = "A gateway has either a capacity or an autoscale configuration.";
        return Err(bad("ApplicationGatewayInvalidCapacity", message));
    }
    if text(body, "properties.firewallPolicy.id").is_none() {
        return Err(bad(
            "ApplicationGatewayFirewallPolicyMissing",
            "A WAF_v2 gateway needs a firewall policy.",
        ));
    }
    for needed in [
        "frontendIPConfigurations",
        "frontendPorts",
        "httpListeners",
        "backendAddressPools",
        "requestRoutingRules",
    ] {
        if list(body, &format!("properties.{needed}")).is_empty() {
            return Err(bad("InvalidRequestFormat", format!("The gateway has no {needed}.")));
        }
    }
    let mut priorities = Vec::new();
    for rule in list(body, "properties.requestRoutingRules") {
        let priority = rule.pointer("/properties/priority").and_then(Value::as_u64);
        let Some(priority) = priority.filter(|priority| (1..=20_000).contains(priority)) else {
            let message = format!("The rule '{}' has no priority between 1 and 20000.", name_of(rule));
            return Err(bad("ApplicationGatewayRequestRoutingRulePriorityCannotBeEmpty", message));
        };
        if priorities.contains(&priority) {
            return Err(bad(
                "ApplicationGatewayRequestRoutingRulePriorityNotUnique",
                "Two rules have one priority.",
            ));
        }
        priorities.push(priority);
    }
    for configuration in list(body, "properties.privateLinkConfigurations") {
        let id = configuration.pointer("/properties/ipConfigurations/0/properties/subnet/id");
        let id = id.and_then(Value::as_str).unwrap_or_default();
        let found = world.state.resources.get(&id.to_ascii_lowercase()).filter(|r| r.kind == SUBNET);
        let Some(subnet) = found else {
            return Err(bad("InvalidResourceReference", format!("The subnet '{id}' was not found.")));
        };
        let policies =
            text(&subnet.body, "properties.privateLinkServiceNetworkPolicies").unwrap_or("Enabled");
        if !policies.eq_ignore_ascii_case("Disabled") {
            let message = format!(
                "Private link service network policies must be disabled in the subnet '{}'.",
                subnet.id
            );
            return Err(bad(
                "PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled",
                message,
            ));
        }
    }
    check_references(call, body)
}

/// What is referred to below the gateway is in the same body.
fn check_references(call: &Call<'_>, body: &Object) -> Result<(), Failure> {
    fn ids<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, member)| match member {
                Value::String(text) if name == "id" => found.push(text),
                other => ids(other, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    for name in LISTS {
        for element in list(body, &format!("properties.{name}")) {
            ids(element.get("properties").unwrap_or(&Value::Null), &mut all);
        }
    }
    let own = format!("{}/", call.path.key);
    for id in all {
        let lower = id.to_ascii_lowercase();
        let Some(rest) = lower.strip_prefix(&own) else { continue };
        let Some((kind, name)) = rest.split_once('/') else { continue };
        let there = LISTS.iter().filter(|list| list.eq_ignore_ascii_case(kind)).any(|kind| {
            list(body, &format!("properties.{kind}")).iter().any(|e| name_of(e).eq_ignore_ascii_case(name))
        });
        if !there {
            return Err(bad(
                "InvalidResourceReference",
                format!("Resource {id} referenced by the gateway was not found."),
            ));
        }
    }
    Ok(())
}

pub(super) fn fill_gateway(call: &Call<'_>, etag: &str, body: &mut Object) {
    for name in LISTS {
        super::network_item::children(call, etag, body, name);
    }
    set(body, "properties.operationalState", "Running");
    set_default(body, "properties.enableHttp2", false);
    if is_modern(body) {
        set(body, "properties.sku.family", "Generation_1");
        set_default(body, "properties.defaultPredefinedSslPolicy", "AppGwSslPolicy20220101");
    }
}

/// Joins the subnet that a gateway or a service is in.
pub(super) fn join(world: &mut World, key: &str, id: &str) {
    let pointers = [OF_GATEWAY, OF_SERVICE];
    let found = world.state.resources.get(key).and_then(|r| at(&r.body, "properties").cloned());
    let Some(properties) = found else { return };
    for subnet in pointers.iter().filter_map(|pointer| properties.pointer(pointer)?.as_str()) {
        subnet::join(world, &subnet.to_ascii_lowercase(), id, false);
    }
}

/// Leaves it.
pub(super) fn leave(world: &mut World, resource: &Resource) {
    let Some(properties) = at(&resource.body, "properties").cloned() else { return };
    for subnet in [OF_GATEWAY, OF_SERVICE].iter().filter_map(|pointer| properties.pointer(pointer)?.as_str())
    {
        subnet::leave(world, &subnet.to_ascii_lowercase(), &resource.id);
    }
}

pub(super) fn check_service(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    let body = &call.body;
    if list(body, "properties.ipConfigurations").is_empty() {
        // Loaded by tests of its connections, which are about nothing else.
        return Ok(());
    }
    let subnet = subnet_at(world, body, OF_SERVICE)?;
    let policies = text(&subnet.body, "properties.privateLinkServiceNetworkPolicies").unwrap_or("Enabled");
    if !policies.eq_ignore_ascii_case("Disabled") {
        let message =
            format!("Private link service network policies must be disabled in the subnet '{}'.", subnet.id);
        return Err(bad("PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled", message));
    }
    let frontends = !list(body, "properties.loadBalancerFrontendIpConfigurations").is_empty();
    if frontends == at(body, "properties.destinationIPAddress").is_some() {
        let message =
            "A private link service has either frontends of a load balancer or a destination address.";
        return Err(bad("InvalidRequestFormat", message));
    }
    let subscriptions =
        |path: &str| -> Vec<&str> { list(body, path).iter().filter_map(Value::as_str).collect() };
    let seen = subscriptions("properties.visibility.subscriptions");
    let approved = subscriptions("properties.autoApproval.subscriptions");
    if !seen.contains(&"*") && approved.iter().any(|one| !seen.contains(one)) {
        let message = "The subscriptions of autoApproval are among those of visibility.";
        return Err(bad("PrivateLinkServiceAutoApprovalNotVisible", message));
    }
    Ok(())
}

pub(super) fn fill_service(call: &Call<'_>, etag: &str, body: &mut Object) {
    super::network_item::children(call, etag, body, "ipConfigurations");
    set_default(body, "properties.enableProxyProtocol", false);
    set_default(body, "properties.visibility.subscriptions", json!([]));
    set_default(body, "properties.autoApproval.subscriptions", json!([]));
    set_default(body, "properties.fqdns", json!([]));
    set_default(body, "properties.networkInterfaces", json!([]));
}

/// A service that others are connected to stays.
pub(super) fn check_unconnected(world: &World, key: &str) -> Result<(), Failure> {
    let connected =
        world.state.resources.members(&format!("{key}/privateendpointconnections")).next().is_some();
    if connected {
        let message = "The private link service has private endpoint connections; delete them first.";
        return Err(bad("PrivateLinkServiceCannotBeDeletedBecauseItHasConnections", message));
    }
    Ok(())
}

/// The key of the target that an endpoint names: by its id, or a private link service by its alias.
pub(super) fn target_key(world: &World, named: &str) -> String {
    if named.starts_with('/') {
        return named.to_ascii_lowercase();
    }
    let is = |r: &&Resource| {
        text(&r.body, "properties.alias").is_some_and(|alias| alias.eq_ignore_ascii_case(named))
    };
    let services = world.state.resources.of_kind("microsoft.network/privatelinkservices");
    let found = services.map(|(_, r)| r).find(is);
    found.map_or_else(|| named.to_ascii_lowercase(), Resource::key)
}

/// Whether the owner of a private link service lets a subscription in without being asked.
pub(super) fn lets_in(service: &Resource, endpoint: &str) -> bool {
    let subscription = endpoint.split('/').nth(2).unwrap_or_default();
    let all = list(&service.body, "properties.autoApproval.subscriptions");
    all.iter().filter_map(Value::as_str).any(|one| one == "*" || one.eq_ignore_ascii_case(subscription))
}
