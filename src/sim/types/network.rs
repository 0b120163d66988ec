//! Virtual networks, and what every network write has in common.

use super::subnet;
use crate::core::behaviour::{Answer, Behaviour, begin, settle_or_remove, stored_and_new};
use crate::core::call::Call;
use crate::core::cidr::Cidr;
use crate::core::error::Failure;
use crate::core::json::{Object, list, name_of, put_back, set, set_default, take_list};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.Network/virtualNetworks`.
#[derive(Debug)]
pub(crate) struct VirtualNetwork;

/// Refuses a write while an operation holds one of the keys.
pub(crate) fn refuse_if_busy(world: &World, call: &Call<'_>, keys: &[&str]) -> Result<(), Failure> {
    let Some(operation) = keys.iter().find_map(|key| world.busy(key)) else { return Ok(()) };
    let uri = format!(
        "{}/subscriptions/{}/providers/Microsoft.Network/locations/{}/operations/{}?api-version={}",
        call.origin,
        world.state.subscription,
        operation.location,
        operation.id,
        call.query.get("api-version").unwrap_or_default(),
    );
    let message = format!(
        "Another operation on this or dependent resource is in progress. \
         To retrieve status of the operation use uri: {uri}."
    );
    let detail = json!({"code": "RetryableErrorDueToAnotherOperation", "message": format!(
        "Operation on {} is still running.", operation.target_id)});
    Err(Failure::new(429, "AnotherOperationInProgress", message).detail(detail).retry_after(10))
}

/// The 400 for a reference to something that is not there.
pub(crate) fn missing_reference(what: &str, by: &str) -> Failure {
    let message = format!(
        "Resource {what} referenced by resource {by} was not found. Please make sure that the referenced resource \
         exists, and that both resources are in the same region."
    );
    Failure::bad("InvalidResourceReference", message)
}

/// The address ranges of a network, or what is wrong with them.
fn address_space(call: &Call<'_>) -> Result<Vec<Cidr>, Failure> {
    let prefixes = list(&call.body, "properties.addressSpace.addressPrefixes");
    // Or a pool of addresses gives them.
    if prefixes.is_empty() && list(&call.body, "properties.addressSpace.ipamPoolPrefixAllocations").is_empty()
    {
        let message = format!("Virtual network {} must have at least one address prefix.", call.id);
        return Err(Failure::bad("InvalidRequestFormat", message));
    }
    let ranges: Vec<Cidr> = prefixes.iter().map(subnet::parse_range).collect::<Result<_, _>>()?;
    for (at, range) in ranges.iter().enumerate() {
        if ranges[..at].iter().any(|r| r.overlaps(range)) {
            let message = format!("Address prefixes of virtual network {} overlap.", call.path.name());
            return Err(Failure::bad("NetcfgInvalidVirtualNetworkSite", message));
        }
    }
    Ok(ranges)
}

impl Behaviour for VirtualNetwork {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(6)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        refuse_if_busy(world, call, &[key])?;
        let ranges = address_space(call)?;
        let etag = world.etag(key);
        let asked = call.body.get("properties").and_then(|p| p.get("subnets"));
        let wanted: Option<Vec<Resource>> = match asked {
            // Absent and null keep what is there; an empty list clears it.
            None => None,
            Some(_) => Some(subnets(world, call, &etag)?),
        };
        let collection = format!("{key}/subnets");
        let existing: Vec<Resource> =
            world.state.resources.members(&collection).map(|(_, r)| r.clone()).collect();
        subnet::check_layout(call.path.name(), &ranges, wanted.as_ref().unwrap_or(&existing))?;
        let wanted = wanted.unwrap_or_default();
        if asked.is_some() {
            let gone = |r: &&Resource| !wanted.iter().any(|w| w.key() == r.key());
            let leaving: Vec<&Resource> = existing.iter().filter(gone).collect();
            for old in &leaving {
                subnet::check_unused(old)?;
            }
            for old in leaving {
                world.remove_tree(&old.key());
            }
        }
        let spaces = |body: &Object| {
            let mut ranges: Vec<String> =
                list(body, "properties.addressSpace.addressPrefixes").iter().map(Value::to_string).collect();
            ranges.sort();
            ranges
        };
        let before = world.state.resources.get(key).map(|r| spaces(&r.body.members()));
        if !world.state.resources.contains(key) {
            world.enter_generation(key);
        }
        let mut body = call.tracked_envelope();
        body.insert("etag".into(), json!(etag));
        let mut properties = call.properties();
        for composed in ["subnets", "virtualNetworkPeerings", "resourceGuid", "provisioningState"] {
            properties.shift_remove(composed);
        }
        body.insert("properties".into(), Value::Object(properties));
        set(&mut body, "properties.provisioningState", "Updating");
        set(&mut body, "properties.resourceGuid", world.uuid(key, "resource"));
        if body["properties"].get("dhcpOptions").is_some() {
            set_default(&mut body, "properties.dhcpOptions.dnsServers", json!([]));
        }
        set_default(&mut body, "properties.enableDdosProtection", false);
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        for subnet in wanted {
            world.state.resources.insert(subnet);
        }
        if before.is_some_and(|before| before != spaces(&call.body)) {
            subnet::ranges_changed(world, key);
        }
        let act = if status == 201 { Act::Create } else { Act::Update };
        begin(world, call, status, Work::on(Style::Network, act, key))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        refuse_if_busy(world, call, &[key])?;
        for (_, resource) in world.state.resources.members(&format!("{key}/subnets")) {
            subnet::check_unused(resource)?;
        }
        begin(world, call, 202, Work::on(Style::Network, Act::Delete, key))
    }

    fn view(&self, world: &World, resource: &Resource) -> Option<Value> {
        let key = resource.key();
        let children = |collection: &str, show: &dyn Fn(&Resource) -> Value| -> Vec<Value> {
            world.state.resources.members(&format!("{key}/{collection}")).map(|(_, r)| show(r)).collect()
        };
        let mut body = resource.body.members();
        let subnets = children("subnets", &subnet::shown);
        let peerings = children("virtualnetworkpeerings", &|r| Value::Object(r.body.members()));
        put_back(&mut body, "properties.subnets", subnets);
        put_back(&mut body, "properties.virtualNetworkPeerings", peerings);
        Some(Value::Object(body))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        settle_or_remove(world, operation);
        let state = if matches!(operation.progress, Progress::Failed(..)) { "Failed" } else { "Succeeded" };
        let collection = format!("{}/subnets", operation.target);
        let busy = |r: &Resource| r.state() != Some("Succeeded");
        let keys: Vec<String> = world
            .state
            .resources
            .members(&collection)
            .filter(|(_, r)| busy(r))
            .map(|(k, _)| k.to_owned())
            .collect();
        for key in keys {
            world.settle(&key, state);
        }
    }

    /// A network as `GET` shows it has its subnets inline: they are taken out and stored as children.
    fn loaded(&self, world: &mut World, key: &str) {
        let Some(resource) = world.state.resources.edit(key) else { return };
        let id = resource.id.clone();
        let subnets = take_list(&mut resource.body, "properties.subnets");
        let peerings = take_list(&mut resource.body, "properties.virtualNetworkPeerings");
        for (kind, elements) in [("subnets", subnets), ("virtualNetworkPeerings", peerings)] {
            for element in elements {
                let child = format!("{id}/{kind}/{}", name_of(&element));
                if world.state.resources.contains(&child.to_ascii_lowercase()) {
                    continue;
                }
                let mut body = element.as_object().cloned().unwrap_or_default();
                body.insert("id".into(), json!(child));
                let kind = format!("microsoft.network/virtualnetworks/{kind}");
                world.state.resources.insert(Resource::new(&child, &kind, body));
                subnet::drop_users(world, &child.to_ascii_lowercase());
            }
        }
    }
}

/// The subnets that the body wants.
fn subnets(world: &mut World, call: &Call<'_>, etag: &str) -> Result<Vec<Resource>, Failure> {
    let mut wanted: Vec<Resource> = Vec::new();
    for element in list(&call.body, "properties.subnets") {
        let name = name_of(element);
        if name.is_empty() {
            let message = format!("A subnet of virtual network {} has no name.", call.id);
            return Err(Failure::bad("InvalidRequestFormat", message));
        }
        let id = match world
            .state
            .resources
            .get(&format!("{}/subnets/{name}", call.path.key).to_ascii_lowercase())
        {
            Some(existing) => existing.id.clone(),
            None => format!("{}/subnets/{name}", call.id),
        };
        let properties: Object =
            element.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let subnet = subnet::build(world, &id, last(&id), properties, etag)?;
        if wanted.iter().any(|w| w.key() == subnet.key()) {
            let message = format!("Subnet names of virtual network {} are not unique: '{name}'.", call.id);
            return Err(Failure::bad("InvalidRequestFormat", message));
        }
        wanted.push(subnet);
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    fn body(subnets: Option<Value>) -> Value {
        let mut body = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}});
        if let Some(subnets) = subnets {
            body["properties"]["subnets"] = subnets;
        }
        body
    }

    fn subnet(name: &str, prefix: &str) -> Value {
        json!({"name": name, "properties": {"addressPrefix": prefix}})
    }

    #[tokio::test(start_paused = true)]
    async fn subnets_are_one_thing_in_two_views() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.Network/virtualNetworks/v");
        let seen = bench.put(&id, body(Some(json!([subnet("a", "10.0.0.0/24")])))).await;
        assert_eq!((seen.status, seen.at("/properties/provisioningState")), (201, &json!("Updating")));
        assert_eq!(
            seen.at("/properties/subnets/0/properties/privateEndpointNetworkPolicies"),
            &json!("Disabled")
        );
        let busy = bench
            .put(&format!("{id}/subnets/b"), json!({"properties": {"addressPrefix": "10.0.1.0/24"}}))
            .await;
        assert_eq!((busy.status, busy.code()), (429, "AnotherOperationInProgress"));
        assert_eq!(bench.settle(&seen).await, "Succeeded");
        let made = bench
            .make(&format!("{id}/subnets/b"), json!({"properties": {"addressPrefix": "10.0.1.0/24"}}))
            .await;
        assert_eq!(made["properties"]["provisioningState"], "Succeeded");
        let count = |v: &Value| v["properties"]["subnets"].as_array().unwrap().len();
        assert_eq!(count(&bench.make(&id, body(None)).await), 2, "absent keeps");
        assert_eq!(count(&bench.make(&id, body(Some(Value::Null))).await), 2, "null keeps");
        assert_eq!(
            count(&bench.make(&id, body(Some(json!([subnet("b", "10.0.1.0/24")])))).await),
            1,
            "present replaces"
        );
        assert_eq!(bench.get(&format!("{id}/subnets/a")).await.status, 404);
        assert_eq!(count(&bench.make(&id, body(Some(json!([])))).await), 0, "empty clears");
        let list = bench.get(&format!("{id}/subnets")).await;
        assert_eq!(list.body, json!({"value": []}));
    }

    #[tokio::test(start_paused = true)]
    async fn ranges_are_checked() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.Network/virtualNetworks/v");
        for (subnets, code) in [
            (json!([subnet("a", "10.1.0.0/24")]), "NetcfgInvalidSubnet"),
            (json!([subnet("a", "10.0.0.0/24"), subnet("b", "10.0.0.128/25")]), "NetcfgSubnetRangesOverlap"),
            (json!([subnet("a", "10.0.0.1/24")]), "InvalidCIDRNotation"),
            (json!([subnet("a", "10.0.0.0/30")]), "NetcfgInvalidSubnet"),
        ] {
            let seen = bench.put(&id, body(Some(subnets))).await;
            assert_eq!((seen.status, seen.code()), (400, code));
        }
        assert_eq!(bench.get(&id).await.status, 404);
    }

    #[tokio::test(start_paused = true)]
    async fn put_of_a_subnet_detaches_what_it_leaves_out() {
        let bench = Bench::new().await;
        let subnet = bench.subnet().await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        bench.make(&nsg, json!({"location": "westeurope"})).await;
        let with = json!({"properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": nsg.to_uppercase()}}});
        let made = bench.make(&subnet, with).await;
        assert_eq!(made["properties"]["networkSecurityGroup"]["id"], nsg);
        assert_eq!(bench.delete(&nsg).await.code(), "InUseNetworkSecurityGroupCannotBeDeleted");
        let made = bench.make(&subnet, json!({"properties": {"addressPrefix": "10.0.0.0/24"}})).await;
        assert!(made["properties"].get("networkSecurityGroup").is_none());
        assert_eq!(bench.delete(&nsg).await.status, 202);
        let missing = json!({"properties": {"addressPrefix": "10.0.0.0/24", "routeTable": {"id": "/nope"}}});
        assert_eq!(bench.put(&subnet, missing).await.code(), "InvalidResourceReference");
    }
}
