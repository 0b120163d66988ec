//! Subnets and peerings.

use super::network::{missing_reference, refuse_if_busy};
use crate::core::behaviour::{Answer, Behaviour, begin, settle_or_remove, stored_and_new};
use crate::core::call::Call;
use crate::core::cidr::Cidr;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, object_at, set, set_default, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.Network/virtualNetworks/subnets`.
#[derive(Debug)]
pub(crate) struct Subnet;

/// `Microsoft.Network/virtualNetworks/virtualNetworkPeerings`.
#[derive(Debug)]
pub(crate) struct Peering;

/// An address range in a body.
pub(crate) fn parse_range(value: &Value) -> Result<Cidr, Failure> {
    let text = value.as_str().unwrap_or_default();
    Cidr::parse(text).ok_or_else(|| {
        let message = format!("The address prefix {text} has an invalid CIDR notation.");
        Failure::bad("InvalidCIDRNotation", message)
    })
}

fn ranges(body: &Object) -> Result<Vec<Cidr>, Failure> {
    let many = list(body, "properties.addressPrefixes");
    let one = at(body, "properties.addressPrefix");
    if many.is_empty() {
        one.into_iter().map(parse_range).collect()
    } else {
        many.iter().map(parse_range).collect()
    }
}

/// The subnet that the properties describe, in state `Updating`, with the users it had.
pub(crate) fn build(
    world: &mut World,
    id: &str,
    name: &str,
    properties: Object,
    etag: &str,
) -> Result<Resource, Failure> {
    let key = id.to_ascii_lowercase();
    let mut body = Object::new();
    body.insert("name".into(), json!(name));
    body.insert("id".into(), json!(id));
    body.insert("etag".into(), json!(etag));
    body.insert("properties".into(), Value::Object(properties));
    body.insert("type".into(), json!("Microsoft.Network/virtualNetworks/subnets"));
    let read_only =
        ["provisioningState", "privateEndpoints", "ipConfigurations", "purpose", "resourceNavigationLinks"];
    for member in read_only.iter().chain(&["serviceAssociationLinks", "ipConfigurationProfiles"]) {
        object_at(&mut body, "properties").shift_remove(*member);
    }
    let (one, many) = (text(&body, "properties.addressPrefix"), list(&body, "properties.addressPrefixes"));
    match (one, many) {
        // A pool of addresses gives it its range.
        (None, []) if !list(&body, "properties.ipamPoolPrefixAllocations").is_empty() => {}
        (None, []) => {
            let message = format!("Subnet {name} has no address prefix.");
            return Err(Failure::bad("InvalidRequestFormat", message));
        }
        (Some(one), many @ [_, ..]) if many != [json!(one)] => {
            let message =
                format!("Subnet {name} has both addressPrefix and addressPrefixes, and they differ.");
            return Err(Failure::bad("InvalidRequestFormat", message));
        }
        _ => {}
    }
    let smallest = |range: &Cidr| if range.is_six() { range.bits() == 64 } else { range.bits() <= 29 };
    if !ranges(&body)?.iter().all(smallest) {
        let network = last(cut(&key, 2));
        let message = format!("Subnet '{name}' is not valid in virtual network '{network}'.");
        return Err(Failure::bad("NetcfgInvalidSubnet", message));
    }
    for reference in ["networkSecurityGroup", "routeTable", "natGateway"] {
        if let Some(other) = text(&body, &format!("properties.{reference}.id")) {
            let Some(found) = world.state.resources.get(&other.to_ascii_lowercase()) else {
                return Err(missing_reference(other, id));
            };
            let found = found.id.clone();
            set(&mut body, &format!("properties.{reference}"), json!({"id": found}));
        }
    }
    set(&mut body, "properties.provisioningState", "Updating");
    let delegations: Vec<Value> =
        list(&body, "properties.delegations").iter().map(|d| delegation(id, etag, d)).collect();
    set(&mut body, "properties.delegations", delegations);
    if !list(&body, "properties.serviceEndpoints").is_empty() {
        let endpoints: Vec<Value> =
            list(&body, "properties.serviceEndpoints").iter().map(service_endpoint).collect();
        set(&mut body, "properties.serviceEndpoints", endpoints);
    }
    set_default(&mut body, "properties.privateEndpointNetworkPolicies", "Disabled");
    set_default(&mut body, "properties.privateLinkServiceNetworkPolicies", "Enabled");
    let mut resource = Resource::new(id, "microsoft.network/virtualnetworks/subnets", body);
    if let Some(existing) = world.state.resources.get(&key) {
        let moved = ranges(&existing.body)? != ranges(&resource.body)?;
        if moved && let Some(user) = users(existing).keys().next() {
            let old = text(&existing.body, "properties.addressPrefix").unwrap_or_default();
            let message = format!(
                "IpPrefix {old} on Subnet {name} has active allocations and cannot be deleted. It is used by {user}."
            );
            return Err(Failure::bad("InUsePrefixCannotBeDeleted", message));
        }
        resource.hidden = existing.hidden.clone();
    } else {
        world.enter_generation(&key);
    }
    Ok(resource)
}

fn delegation(id: &str, etag: &str, element: &Value) -> Value {
    let name = crate::core::json::name_of(element);
    let service = element.pointer("/properties/serviceName").and_then(Value::as_str).unwrap_or_default();
    let action = if service.eq_ignore_ascii_case("Microsoft.Web/serverFarms")
        || service.eq_ignore_ascii_case("Microsoft.ContainerInstance/containerGroups")
    {
        "Microsoft.Network/virtualNetworks/subnets/action"
    } else {
        "Microsoft.Network/virtualNetworks/subnets/join/action"
    };
    json!({
        "name": name, "id": format!("{id}/delegations/{name}"), "etag": etag,
        "properties": {"provisioningState": "Succeeded", "serviceName": service, "actions": [action]},
        "type": "Microsoft.Network/virtualNetworks/subnets/delegations",
    })
}

fn service_endpoint(element: &Value) -> Value {
    let mut element = element.as_object().cloned().unwrap_or_default();
    element.insert("provisioningState".into(), json!("Succeeded"));
    set_default(&mut element, "locations", json!(["*"]));
    Value::Object(element)
}

/// Checks that subnets lie in the network and do not overlap.
pub(crate) fn check_layout(network: &str, space: &[Cidr], subnets: &[Resource]) -> Result<(), Failure> {
    let mut seen: Vec<(&str, Cidr)> = Vec::new();
    for subnet in subnets {
        let name = last(&subnet.id);
        for range in ranges(&subnet.body)? {
            if !space.iter().any(|s| s.contains(&range)) {
                let message = format!("Subnet '{name}' is not valid in virtual network '{network}'.");
                return Err(Failure::bad("NetcfgInvalidSubnet", message));
            }
            if let Some((other, _)) = seen.iter().find(|(_, r)| r.overlaps(&range)) {
                let message = format!(
                    "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet '{other}' in virtual network '{network}'."
                );
                return Err(Failure::bad("NetcfgSubnetRangesOverlap", message));
            }
            seen.push((name, range));
        }
    }
    Ok(())
}

/// Who uses a subnet: id to the number of the address taken, 0 for none.
pub(crate) fn users(subnet: &Resource) -> Object {
    subnet.hidden.get("users").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Takes an address of the subnet for a user; `None` when there is no such subnet.
pub(crate) fn join(world: &mut World, subnet: &str, user: &str, with_address: bool) -> Option<String> {
    let resource = world.state.resources.edit(subnet)?;
    let range = *ranges(&resource.body).ok()?.first()?;
    let users = object_at(&mut resource.hidden, "users");
    if let Some(number) = users.get(user).and_then(Value::as_u64) {
        return Some(range.nth(u128::from(number)));
    }
    // Azure keeps the first four addresses for itself.
    let taken = |n: u64| users.values().any(|v| v.as_u64() == Some(n));
    let number = if with_address { (4..).find(|n| !taken(*n))? } else { 0 };
    users.insert(user.to_owned(), json!(number));
    Some(range.nth(u128::from(number)))
}

/// Gives the user's address back.
pub(crate) fn leave(world: &mut World, subnet: &str, user: &str) {
    if let Some(resource) = world.state.resources.edit(subnet) {
        object_at(&mut resource.hidden, "users").shift_remove(user);
    }
}

/// Takes the users out of a body that came from outside; they join again when they are loaded themselves.
pub(crate) fn drop_users(world: &mut World, key: &str) {
    if let Some(resource) = world.state.resources.edit(key) {
        for member in ["privateEndpoints", "ipConfigurations"] {
            object_at(&mut resource.body, "properties").shift_remove(member);
        }
    }
}

/// The body with its users.
pub(crate) fn shown(subnet: &Resource) -> Value {
    let mut body = subnet.body.members();
    let users = users(subnet);
    let endpoints: Vec<Value> = users
        .keys()
        .filter(|id| id.to_ascii_lowercase().contains("/privateendpoints/"))
        .map(|id| json!({"id": id}))
        .collect();
    if !endpoints.is_empty() {
        set(&mut body, "properties.privateEndpoints", endpoints);
    }
    Value::Object(body)
}

/// Refuses to delete a subnet that is in use.
pub(crate) fn check_unused(subnet: &Resource) -> Result<(), Failure> {
    let users = users(subnet);
    if users.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = users.keys().map(String::as_str).collect();
    let message = format!(
        "Subnet {} is in use by {} and cannot be deleted. In order to delete the subnet, delete all the resources \
         within the subnet. See aka.ms/deletesubnet.",
        last(&subnet.id),
        ids.join(", "),
    );
    Err(Failure::bad("InUseSubnetCannotBeDeleted", message).passing())
}

impl Behaviour for Subnet {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(4)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let parent = call.path.parent().unwrap_or_default();
        refuse_if_busy(world, call, &[key, &parent])?;
        let etag = world.etag(&parent);
        let subnet = build(world, &call.id, last(&call.id), call.properties(), &etag)?;
        let (network, space) = {
            let network = world.state.resources.get(&parent).ok_or_else(|| call.not_found())?;
            let space = list(&network.body, "properties.addressSpace.addressPrefixes");
            (last(&network.id).to_owned(), space.iter().map(parse_range).collect::<Result<Vec<_>, _>>()?)
        };
        let siblings = world.state.resources.members(cut(key, 1)).filter(|(k, _)| k != key);
        let mut all: Vec<Resource> = siblings.map(|(_, r)| r.clone()).collect();
        all.push(subnet.clone());
        check_layout(&network, &space, &all)?;
        let status = stored_and_new(world, call, subnet);
        world.settle(&parent, "Updating");
        let act = if status == 201 { Act::Create } else { Act::Update };
        begin(world, call, status, Work::on(Style::Network, act, key).locking([parent]))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let parent = call.path.parent().unwrap_or_default();
        refuse_if_busy(world, call, &[key, &parent])?;
        check_unused(world.need(call)?)?;
        world.settle(&parent, "Updating");
        begin(world, call, 202, Work::on(Style::Network, Act::Delete, key).locking([parent]))
    }

    fn view(&self, _world: &World, resource: &Resource) -> Option<Value> {
        Some(shown(resource))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        settle_or_remove(world, operation);
        world.settle(cut(&operation.target, 2), "Succeeded");
    }

    fn loaded(&self, world: &mut World, key: &str) {
        drop_users(world, key);
    }
}

impl Behaviour for Peering {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let parent = call.path.parent().unwrap_or_default();
        let remote = text(&call.body, "properties.remoteVirtualNetwork.id").unwrap_or_default().to_owned();
        let far = remote.to_ascii_lowercase();
        refuse_if_busy(world, call, &[key, &parent, &far])?;
        let Some(other) = world.state.resources.get(&far) else {
            return Err(missing_reference(&remote, &call.id));
        };
        let space = at(&other.body, "properties.addressSpace").cloned().unwrap_or_default();
        let back = world.state.resources.members(&format!("{far}/virtualnetworkpeerings")).find(|(_, r)| {
            text(&r.body, "properties.remoteVirtualNetwork.id")
                .is_some_and(|i| i.eq_ignore_ascii_case(&parent))
        });
        let back = back.map(|(k, _)| k.to_owned());
        let etag = world.etag(key);
        let mut body = call.envelope();
        body.insert("etag".into(), json!(etag));
        body.insert("properties".into(), Value::Object(call.properties()));
        set(&mut body, "properties.provisioningState", "Updating");
        set(&mut body, "properties.peeringState", if back.is_some() { "Connected" } else { "Initiated" });
        // Only one that is new, or is told to, looks at the other network's ranges.
        let syncs =
            call.query.get("syncRemoteAddressSpace").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let before = world.state.resources.get(key).filter(|_| !syncs).map(|r| r.body.members());
        let kept = |name: &str, fresh: Value| {
            let before = before.as_ref().and_then(|before| at(before, &format!("properties.{name}")));
            before.cloned().unwrap_or(fresh)
        };
        set(&mut body, "properties.peeringSyncLevel", kept("peeringSyncLevel", json!("FullyInSync")));
        set(&mut body, "properties.remoteAddressSpace", kept("remoteAddressSpace", space.clone()));
        let remote_space = kept("remoteVirtualNetworkAddressSpace", space);
        set(&mut body, "properties.remoteVirtualNetworkAddressSpace", remote_space);
        set_default(&mut body, "properties.allowVirtualNetworkAccess", true);
        for off in ["allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways"] {
            set_default(&mut body, &format!("properties.{off}"), false);
        }
        if let Some(back) = back.and_then(|k| world.state.resources.edit(&k)) {
            set(&mut back.body, "properties.peeringState", "Connected");
            if syncs {
                // The other side sees that its ranges were taken over.
                let level = match text(&back.body, "properties.peeringSyncLevel") {
                    Some("LocalAndRemoteNotInSync" | "RemoteNotInSync") => "RemoteNotInSync",
                    _ => "FullyInSync",
                };
                set(&mut back.body, "properties.peeringSyncLevel", level);
            }
        }
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let act = if status == 201 { Act::Create } else { Act::Update };
        begin(world, call, status, Work::on(Style::Network, act, key).locking([parent, far]))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let (key, parent) = (&call.path.key, call.path.parent().unwrap_or_default());
        refuse_if_busy(world, call, &[key, &parent])?;
        begin(world, call, 202, Work::on(Style::Network, Act::Delete, key).locking([parent]))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        if matches!(operation.progress, Progress::Succeeded(_)) && operation.act == Act::Delete {
            let body =
                world.state.resources.get(&operation.target).map(|r| r.body.members()).unwrap_or_default();
            let far =
                text(&body, "properties.remoteVirtualNetwork.id").unwrap_or_default().to_ascii_lowercase();
            let near = cut(&operation.target, 2);
            let pointing = |r: &Resource| {
                text(&r.body, "properties.remoteVirtualNetwork.id")
                    .is_some_and(|i| i.eq_ignore_ascii_case(near))
            };
            let collection = format!("{far}/virtualnetworkpeerings");
            let back = world
                .state
                .resources
                .members(&collection)
                .find(|(_, r)| pointing(r))
                .map(|(k, _)| k.to_owned());
            if let Some(back) = back.and_then(|k| world.state.resources.edit(&k)) {
                set(&mut back.body, "properties.peeringState", "Disconnected");
            }
        }
        settle_or_remove(world, operation);
    }
}

/// Notes in the peerings of a network, and in those that lead to it, that its ranges have changed.
pub(crate) fn ranges_changed(world: &mut World, network: &str) {
    let leads_here = |r: &Resource| {
        text(&r.body, "properties.remoteVirtualNetwork.id").is_some_and(|id| id.eq_ignore_ascii_case(network))
    };
    let own = format!("{network}/virtualnetworkpeerings/");
    let peerings = world
        .state
        .resources
        .iter()
        .filter(|(_, r)| r.kind == "microsoft.network/virtualnetworks/virtualnetworkpeerings");
    let touched: Vec<(String, bool)> = peerings
        .filter_map(|(key, r)| match (key.starts_with(&own), leads_here(r)) {
            (true, _) => Some((key.to_owned(), true)),
            (false, true) => Some((key.to_owned(), false)),
            (false, false) => None,
        })
        .collect();
    for (key, is_local) in touched {
        let Some(peering) = world.state.resources.edit(&key) else { continue };
        let level = text(&peering.body, "properties.peeringSyncLevel").unwrap_or_default();
        let level = match (level, is_local) {
            ("LocalAndRemoteNotInSync", _) | ("LocalNotInSync", false) | ("RemoteNotInSync", true) => {
                "LocalAndRemoteNotInSync"
            }
            (_, true) => "LocalNotInSync",
            (_, false) => "RemoteNotInSync",
        };
        set(&mut peering.body, "properties.peeringSyncLevel", level);
    }
}

/// The service that a subnet is delegated to.
pub(crate) fn delegated_to(subnet: &Resource) -> Option<&str> {
    list(&subnet.body, "properties.delegations").first()?.pointer("/properties/serviceName")?.as_str()
}
