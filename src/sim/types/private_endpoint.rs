//! Private endpoints.

use super::network::{missing_reference, refuse_if_busy};
use super::{connection, private_link, subnet, zone_group};
use crate::core::behaviour::{Answer, Behaviour, begin, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, list, name_of, set, set_default, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::cut;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.Network/privateEndpoints`.
#[derive(Debug)]
pub(crate) struct PrivateEndpoint;

/// Where an endpoint keeps who shows what becomes of it.
pub(crate) const REQUESTER: &str = "requester";

const AUTOMATIC: &str = "privateLinkServiceConnections";
const MANUAL: &str = "manualPrivateLinkServiceConnections";

/// The one connection of an endpoint: the list it stands in and the element.
fn connection_of(body: &Object) -> Option<(&'static str, &Value)> {
    [AUTOMATIC, MANUAL].into_iter().find_map(|l| Some((l, list(body, &format!("properties.{l}")).first()?)))
}

fn target_of(element: &Value) -> String {
    element.pointer("/properties/privateLinkServiceId").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn group_of(element: &Value) -> &str {
    element.pointer("/properties/groupIds/0").and_then(Value::as_str).unwrap_or_default()
}

/// The key of the resource on which the connection of an endpoint arrives: an endpoint of a slot names the web app, and the
/// slot in its group.
fn arrives_at(world: &World, element: &Value) -> String {
    let target = super::gateway::target_key(world, &target_of(element));
    let slot = slot_of(group_of(element)).map(|slot| format!("{target}/slots/{slot}"));
    slot.filter(|slot| world.state.resources.contains(slot)).unwrap_or(target)
}

/// The slot, in lower case, that a group of a web app is of.
fn slot_of(group: &str) -> Option<String> {
    group.to_ascii_lowercase().strip_prefix("sites-").map(str::to_owned)
}

fn status_of(element: &Value) -> &str {
    let status = element.pointer("/properties/privateLinkServiceConnectionState/status");
    status.and_then(Value::as_str).unwrap_or_default()
}

/// What a PUT asks for, checked.
struct Wanted {
    list: &'static str,
    element: Value,
    target: String,
    subnet: String,
}

fn check(world: &World, call: &Call<'_>) -> Result<Wanted, Failure> {
    let count: usize =
        [AUTOMATIC, MANUAL].iter().map(|l| list(&call.body, &format!("properties.{l}")).len()).sum();
    let Some((list, element)) = connection_of(&call.body).filter(|_| count == 1) else {
        let message =
            format!("Private endpoint {} must have exactly one private link service connection.", call.id);
        return Err(Failure::bad("InvalidRequestFormat", message));
    };
    if name_of(element).is_empty() {
        let message =
            format!("The private link service connection of private endpoint {} has no name.", call.id);
        return Err(Failure::bad("InvalidRequestFormat", message));
    }
    let asked = text(&call.body, "properties.subnet.id").unwrap_or_default();
    let Some(subnet) = world.state.resources.get(&asked.to_ascii_lowercase()) else {
        return Err(missing_reference(asked, &call.id));
    };
    let network =
        world.state.resources.get(cut(&subnet.key(), 2)).map(Resource::location).unwrap_or_default();
    if text(&call.body, "location") != Some(network) {
        return Err(missing_reference(asked, &call.id));
    }
    if let Some(service) = subnet::delegated_to(subnet) {
        let message = format!(
            "Private endpoint {} cannot be created in subnet {asked}: it is delegated to {service}.",
            call.id
        );
        return Err(Failure::bad("PrivateEndpointCannotBeCreatedInSubnet", message));
    }
    if subnet.state() != Some("Succeeded") {
        let message = format!(
            "Cannot proceed with operation because resource {} used by resource {} is not in Succeeded state.",
            subnet.id, call.id
        );
        return Err(Failure::new(429, "ReferencedResourceNotProvisioned", message).retry_after(10));
    }
    check_addresses(world, call, asked)?;
    let target = target_of(element);
    check_target(world, call, list, element, &target)?;
    Ok(Wanted { list, element: element.clone(), target, subnet: subnet.key() })
}

fn check_target(
    world: &World,
    call: &Call<'_>,
    list: &str,
    element: &Value,
    target: &str,
) -> Result<(), Failure> {
    let key = target.to_ascii_lowercase();
    if !key.starts_with("/subscriptions/") || !world.state.is_ours(&key) {
        if list == MANUAL && !target.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Private endpoint {} call failed: PrivateLinkServiceId Invalid private link service id {target}.",
            call.id
        );
        return Err(Failure::bad("InvalidPrivateLinkServiceId", message));
    }
    let Some(found) = world.state.resources.get(&key) else {
        return Err(missing_reference(target, &call.id));
    };
    if found.state() == Some("Creating") || found.state() == Some("Deleting") {
        let message = format!(
            "Cannot proceed with operation because resource {} used by resource {} is not in Succeeded state.",
            found.id, call.id
        );
        return Err(Failure::new(429, "ReferencedResourceNotProvisioned", message).retry_after(10));
    }
    let group = group_of(element);
    check_members(call, &found.kind, group)?;
    if found.kind == "microsoft.network/privatelinkservices" {
        return Ok(());
    }
    if group.is_empty() {
        let message = format!(
            "Call to {} failed. Error message: the request is missing required parameter 'group Id'.",
            found.kind
        );
        return Err(Failure::bad("BadRequest", message));
    }
    if found.kind == "microsoft.web/sites/slots" {
        let message = format!(
            "Call to Microsoft.Web/sites failed. Error message: {target} is a slot: name the site, and the slot in the group id."
        );
        return Err(Failure::bad("BadRequest", message).target(target));
    }
    if found.kind == "microsoft.web/sites"
        && let Some(slot) = slot_of(group)
        && world.state.resources.contains(&format!("{key}/slots/{slot}"))
    {
        return Ok(());
    }
    if found.kind == "microsoft.network/applicationgateways" && !super::gateway::offers(found, group) {
        let message = format!(
            "Call to {} failed. Error message: the frontend IP configuration '{group}' of {target} has no private link configuration.",
            found.kind
        );
        return Err(Failure::bad("BadRequest", message).target(target));
    }
    let mut known = private_link::groups(&found.kind).peekable();
    let plain = group.trim_end_matches("_secondary");
    if known.peek().is_some() && !known.any(|g| g.group.eq_ignore_ascii_case(plain)) {
        let message = format!(
            "Call to {} failed. Error message: group id '{group}' is not valid for {target}.",
            found.kind
        );
        return Err(Failure::bad("BadRequest", message).target(target));
    }
    Ok(())
}

/// Refuses fixed addresses that another endpoint of the subnet has.
fn check_addresses(world: &World, call: &Call<'_>, subnet: &str) -> Result<(), Failure> {
    let fixed = |body: &Object| -> Vec<String> {
        let all = list(body, "properties.ipConfigurations").iter();
        let address = |one: &Value| one.pointer("/properties/privateIPAddress")?.as_str().map(str::to_owned);
        all.filter_map(address).collect()
    };
    let wanted = fixed(&call.body);
    if wanted.is_empty() {
        return Ok(());
    }
    let endpoints =
        world.state.resources.iter().filter(|(_, one)| one.kind == "microsoft.network/privateendpoints");
    for (other_key, other) in endpoints {
        let beside =
            text(&other.body, "properties.subnet.id").is_some_and(|id| id.eq_ignore_ascii_case(subnet));
        if !beside || other_key == call.path.key {
            continue;
        }
        let own = other.hidden.get("address").and_then(Value::as_str).map(str::to_owned);
        if let Some(taken) = fixed(&other.body).into_iter().chain(own).find(|one| wanted.contains(one)) {
            let message = format!(
                "IP configuration of {} is using the private IP address {taken} which is already allocated to resource {}.",
                call.id, other.id
            );
            return Err(Failure::bad("PrivateIPAddressIsAllocated", message));
        }
    }
    Ok(())
}

/// Refuses fixed addresses for members that the target's group does not have.
fn check_members(call: &Call<'_>, kind: &str, group: &str) -> Result<(), Failure> {
    const KNOWN: &[&str] = &[
        "microsoft.keyvault/vaults",
        "microsoft.keyvault/managedhsms",
        "microsoft.containerregistry/registries",
        "microsoft.containerservice/managedclusters",
        "microsoft.sql/servers",
        "microsoft.storage/storageaccounts",
        "microsoft.web/sites",
    ];
    if !KNOWN.contains(&kind) {
        return Ok(());
    }
    let members = super::private_link::members(kind, group);
    for configuration in list(&call.body, "properties.ipConfigurations") {
        let Some(member) = configuration.pointer("/properties/memberName").and_then(Value::as_str) else {
            continue;
        };
        let data = member.starts_with("registry_data_") && kind == "microsoft.containerregistry/registries";
        if !data && !members.iter().any(|known| known.eq_ignore_ascii_case(member)) {
            let message = format!(
                "Private endpoint {} call failed: member name {member} of group {group} is invalid. Valid member names: {}.",
                call.id,
                members.join(", ")
            );
            return Err(Failure::bad("InvalidPrivateEndpointMemberName", message));
        }
    }
    Ok(())
}

/// Refuses what cannot change on an endpoint that exists.
fn check_changes(call: &Call<'_>, existing: &Resource, wanted: &Wanted) -> Result<(), Failure> {
    let Some((list, element)) = connection_of(&existing.body) else { return Ok(()) };
    if status_of(element) == "Disconnected" {
        let message =
            format!("Private endpoint {} cannot be updated because it is in Disconnected state.", call.id);
        return Err(Failure::bad("PrivateEndpointCannotBeUpdatedInDisconnectedState", message));
    }
    let subnet = text(&existing.body, "properties.subnet.id").unwrap_or_default();
    let lower = |v: &Value| group_of(v).to_ascii_lowercase();
    let changed = [
        ("subnet", !subnet.eq_ignore_ascii_case(&wanted.subnet)),
        (
            "privateLinkServiceConnections",
            list != wanted.list || name_of(element) != name_of(&wanted.element),
        ),
        ("privateLinkServiceId", !target_of(element).eq_ignore_ascii_case(&wanted.target)),
        ("groupIds", lower(element) != lower(&wanted.element)),
    ];
    let Some((what, _)) = changed.iter().find(|(_, changed)| *changed) else { return Ok(()) };
    let message = format!("Changing property '{what}' of private endpoint {} is not allowed.", call.id);
    Err(Failure::bad("PropertyChangeNotAllowed", message).target(format!("properties.{what}")))
}

impl Behaviour for PrivateEndpoint {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(60)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let asked = text(&call.body, "properties.subnet.id").unwrap_or_default().to_ascii_lowercase();
        let network = cut(&asked, 2).to_owned();
        refuse_if_busy(world, call, &[key, &asked, &network])?;
        let wanted = check(world, call)?;
        let existing = world.state.resources.get(key).cloned();
        if let Some(existing) = &existing {
            check_changes(call, existing, &wanted)?;
        } else {
            world.enter_generation(key);
        }
        let etag = world.etag(key);
        let mut element = wanted.element.as_object().cloned().unwrap_or_default();
        element
            .insert("id".into(), json!(format!("{}/{}/{}", call.id, wanted.list, name_of(&wanted.element))));
        element.insert("etag".into(), json!(etag));
        element.insert("type".into(), json!(format!("{}/{}", call.type_name, wanted.list)));
        set(&mut element, "properties.provisioningState", "Succeeded");
        let old = existing.as_ref().and_then(|e| connection_of(&e.body)).map(|(_, c)| c);
        let service = super::gateway::target_key(world, &wanted.target);
        let service = world.state.resources.get(&service);
        let let_in = service.is_some_and(|service| super::gateway::lets_in(service, &call.id));
        let waits = wanted.list == MANUAL && !let_in || call.bent.keep_pending;
        let state = match old.and_then(|c| c.pointer("/properties/privateLinkServiceConnectionState")) {
            Some(state) => state.clone(),
            None if waits => {
                json!({"status": "Pending", "description": "Awaiting Approval", "actionsRequired": "None"})
            }
            None => json!({"status": "Approved", "description": "Auto Approved", "actionsRequired": "None"}),
        };
        set(&mut element, "properties.privateLinkServiceConnectionState", state);
        let mut body = call.tracked_envelope();
        body.insert("etag".into(), json!(etag));
        let mut properties = call.properties();
        for member in ["customDnsConfigs", "networkInterfaces", "provisioningState", "resourceGuid"] {
            properties.shift_remove(member);
        }
        body.insert("properties".into(), Value::Object(properties));
        set(&mut body, "properties.provisioningState", "Updating");
        set(&mut body, "properties.resourceGuid", world.uuid(key, "resource"));
        let empty = if wanted.list == AUTOMATIC { MANUAL } else { AUTOMATIC };
        set(&mut body, &format!("properties.{}", wanted.list), json!([element]));
        set(&mut body, &format!("properties.{empty}"), json!([]));
        set_default(&mut body, "properties.customNetworkInterfaceName", "");
        set_default(&mut body, "properties.ipConfigurations", json!([]));
        let subnet_id = world.state.resources.get(&wanted.subnet).map(|r| r.id.clone()).unwrap_or_default();
        set(&mut body, "properties.subnet", json!({"id": subnet_id}));
        let interface = interface_id(world, call, &body);
        set(&mut body, "properties.networkInterfaces", json!([{"id": interface}]));
        let dns = existing.as_ref().map(|e| list(&e.body, "properties.customDnsConfigs").to_vec());
        set(&mut body, "properties.customDnsConfigs", dns.unwrap_or_default());
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let id = call.id.clone();
        let address = subnet::join(world, &wanted.subnet, &id, true).unwrap_or_default();
        if let Some(endpoint) = world.state.resources.edit(key) {
            let fixed = list(&endpoint.body, "properties.ipConfigurations").first();
            let fixed = fixed.and_then(|c| c.pointer("/properties/privateIPAddress")?.as_str());
            let address = fixed.map_or(address, str::to_owned);
            endpoint.hidden.insert("address".into(), json!(address));
        }
        let act = if status == 201 { Act::Create } else { Act::Update };
        let locks =
            [wanted.subnet, network, wanted.target.to_ascii_lowercase() + "/privateendpointconnections"];
        begin(world, call, status, Work::on(Style::Network, act, key).locking(locks))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let subnet =
            text(&world.need(call)?.body, "properties.subnet.id").unwrap_or_default().to_ascii_lowercase();
        let network = cut(&subnet, 2).to_owned();
        refuse_if_busy(world, call, &[key, &subnet, &network])?;
        begin(world, call, 202, Work::on(Style::Network, Act::Delete, key).locking([subnet, network]))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        let key = &operation.target;
        crate::core::behaviour::settle_or_remove(world, operation);
        if !matches!(operation.progress, Progress::Succeeded(_)) || operation.act == Act::Delete {
            return;
        }
        let Some(endpoint) = world.state.resources.get(key) else { return };
        let Some((list, element)) = connection_of(&endpoint.body) else { return };
        let (id, target) = (endpoint.id.clone(), arrives_at(world, element));
        let (status, name) = (status_of(element).to_owned(), name_of(element).to_owned());
        let message =
            element.pointer("/properties/requestMessage").and_then(Value::as_str).unwrap_or_default();
        let automatic = list == AUTOMATIC && status == "Approved";
        let description = if automatic { "Auto-Approved".to_owned() } else { message.to_owned() };
        if operation.act == Act::Update && connection::find(world, &target, key).is_some() {
            return;
        }
        if let Some(kind) = world.state.resources.get(&target).map(|r| r.kind.clone()) {
            let name = connection::name_for(world, &kind, &target, &id, &name);
            connection::make(world, &target, &id, &name, &status, &description);
        }
        decide(world, key, &status, &description);
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        let subnet = text(&resource.body, "properties.subnet.id").unwrap_or_default().to_ascii_lowercase();
        subnet::leave(world, &subnet, &resource.id);
        if let Some((_, element)) = connection_of(&resource.body) {
            let target = arrives_at(world, element);
            if let Some(connection) = connection::find(world, &target, &resource.key()) {
                world.remove_tree(&connection);
            }
        }
    }

    fn loaded(&self, world: &mut World, key: &str) {
        let Some(resource) = world.state.resources.get(key) else { return };
        let subnet = text(&resource.body, "properties.subnet.id").unwrap_or_default().to_ascii_lowercase();
        let id = resource.id.clone();
        let address = list(&resource.body, "properties.customDnsConfigs")
            .first()
            .and_then(|c| c.pointer("/ipAddresses/0")?.as_str().map(str::to_owned));
        let joined = subnet::join(world, &subnet, &id, true);
        if let (Some(address), Some(endpoint)) = (address.or(joined), world.state.resources.edit(key)) {
            endpoint.hidden.insert("address".into(), json!(address));
        }
    }
}

fn interface_id(world: &World, call: &Call<'_>, body: &Object) -> String {
    let custom = text(body, "properties.customNetworkInterfaceName").filter(|n| !n.is_empty());
    let name = match custom {
        Some(name) => name.to_owned(),
        None => format!("{}.nic.{}", call.path.name(), world.uuid(&call.path.key, "interface")),
    };
    let group = world.group_id(&call.path.key).unwrap_or_default();
    format!("{group}/providers/Microsoft.Network/networkInterfaces/{name}")
}

/// Writes the target's decision into the endpoint: state, host names and DNS records.
pub(crate) fn decide(world: &mut World, key: &str, status: &str, description: &str) {
    let etag = world.etag(key);
    let Some(endpoint) = world.state.resources.get(key) else { return };
    let Some((list, element)) = connection_of(&endpoint.body) else { return };
    let (named, arrives) = (target_of(element).to_ascii_lowercase(), arrives_at(world, element));
    let hosts = match world.state.resources.get(&named) {
        Some(_) if status != "Approved" => Vec::new(),
        // A slot answers under names of its own.
        Some(site) if arrives != named => {
            let slot = arrives.rsplit('/').next().unwrap_or_default();
            let own = |host: String| host.replacen('.', &format!("-{slot}."), 1);
            private_link::host_names(site, "sites").into_iter().map(own).collect()
        }
        Some(target) => private_link::host_names(target, group_of(element)),
        None => Vec::new(),
    };
    let address = text(&endpoint.hidden, "address").unwrap_or_default().to_owned();
    let dns: Vec<Value> = hosts.iter().map(|h| json!({"fqdn": h, "ipAddresses": [address]})).collect();
    let path = format!("properties.{list}");
    let Some(endpoint) = world.state.resources.edit(key) else { return };
    let mut elements = crate::core::json::list(&endpoint.body, &path).to_vec();
    if let Some(element) = elements.first_mut().and_then(Value::as_object_mut) {
        element.insert("etag".into(), json!(etag));
        let state = json!({"status": status, "description": description, "actionsRequired": "None"});
        set(element, "properties.privateLinkServiceConnectionState", state);
    }
    set(&mut endpoint.body, &path, elements);
    set(&mut endpoint.body, "properties.customDnsConfigs", dns);
    endpoint.body.insert("etag".into(), json!(etag));
    if let Some(requester) = text(&endpoint.hidden, REQUESTER).map(str::to_owned) {
        // It shows the decision too.
        world.state.resources.edit(&requester);
    }
    zone_group::refresh(world, key);
}

#[cfg(test)]
mod tests {
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use crate::{Effect, Fault};
    use serde_json::{Value, json};

    fn body(list: &str, subnet: &str, target: &str, group: &str) -> Value {
        let connection =
            json!({"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": [group]}});
        let mut body = json!({"location": "westeurope", "properties": {"subnet": {"id": subnet}}});
        body["properties"][list] = json!([connection]);
        body
    }

    const AUTO: &str = "privateLinkServiceConnections";
    const MANUAL: &str = "manualPrivateLinkServiceConnections";
    const STATUS: &str = "/properties/privateLinkServiceConnectionState/status";

    fn endpoint() -> String {
        Bench::rid("Microsoft.Network/privateEndpoints/pe")
    }

    #[tokio::test(start_paused = true)]
    async fn automatic_connections_are_approved_and_records_written() {
        let bench = Bench::new().await;
        let (subnet, vault) = (bench.subnet().await, bench.vault().await);
        let made = bench.make(&endpoint(), body(AUTO, &subnet, &vault, "vault")).await;
        let connection = &made["properties"][AUTO][0]["properties"]["privateLinkServiceConnectionState"];
        assert_eq!(
            connection,
            &json!({"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"})
        );
        let dns = json!([{"fqdn": "kv-1.vault.azure.net", "ipAddresses": ["10.0.0.4"]}]);
        assert_eq!(made["properties"]["customDnsConfigs"], dns);
        let target = bench.get(&vault).await;
        assert_eq!(
            target.at("/properties/privateEndpointConnections/0/properties/privateEndpoint/id"),
            &json!(endpoint())
        );
        assert_eq!(bench.delete(&subnet).await.code(), "InUseSubnetCannotBeDeleted");

        // Its interface is there as one of its own, and is nobody else's to change.
        let interface = made["properties"]["networkInterfaces"][0]["id"].as_str().unwrap().to_owned();
        let shown = bench.get(&interface).await;
        let address = "/properties/ipConfigurations/0/properties/privateIPAddress";
        assert_eq!(
            (shown.at(address), shown.at("/properties/privateEndpoint/id")),
            (&json!("10.0.0.4"), &json!(endpoint()))
        );
        let all = bench.get(&Bench::rid("Microsoft.Network/networkInterfaces")).await;
        assert_eq!(all.at("/value/0/id"), &json!(interface));
        let refused = bench.put(&interface, json!({ "location": "westeurope", "properties": {} })).await;
        assert_eq!(refused.code(), "CannotModifyNicAttachedToPrivateEndpoint");

        let zone = Bench::rid("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
        bench.make(&zone, json!({"location": "global"})).await;
        let group = format!("{}/privateDnsZoneGroups/default", endpoint());
        let config = json!({"name": "z", "properties": {"privateDnsZoneId": zone}});
        let group_body = json!({"properties": {"privateDnsZoneConfigs": [config]}});
        let made = bench.make(&group, group_body.clone()).await;
        let sets = &made["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"];
        assert_eq!(sets[0]["fqdn"], "kv-1.privatelink.vaultcore.azure.net");
        let record = bench.get(&format!("{zone}/A/kv-1")).await;
        assert_eq!(record.at("/properties/aRecords/0/ipv4Address"), &json!("10.0.0.4"));
        assert_eq!(bench.get(&zone).await.at("/properties/numberOfRecordSets"), &json!(2));
        assert_eq!(bench.put(&group.replace("default", "second"), group_body).await.status, 400);

        let seen = bench.delete(&endpoint()).await;
        bench.settle(&seen).await;
        assert_eq!(bench.get(&format!("{zone}/A/kv-1")).await.status, 404);
        assert_eq!(bench.get(&interface).await.status, 404);
        assert!(bench.get(&vault).await.at("/properties/privateEndpointConnections").is_null());
        assert_eq!(bench.delete(&subnet).await.status, 202);
    }

    #[tokio::test(start_paused = true)]
    async fn manual_connections_wait_for_the_target() {
        let bench = Bench::new().await;
        let (subnet, vault) = (bench.subnet().await, bench.vault().await);
        let made = bench.make(&endpoint(), body(MANUAL, &subnet, &vault, "vault")).await;
        assert_eq!(made["properties"]["customDnsConfigs"], json!([]));
        let list = bench.get(&format!("{vault}/privateEndpointConnections")).await;
        let connection = list.at("/value/0/id").as_str().unwrap().to_owned();
        assert_eq!(list.at(&format!("/value/0{STATUS}")), &json!("Pending"));
        let decide = |status: &str| json!({"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "d"}}});
        let seen = bench.put(&connection, decide("Approved")).await;
        assert_eq!((seen.status, seen.at("/properties/provisioningState")), (200, &json!("Updating")));
        assert_eq!(bench.settle(&seen).await, "Succeeded");
        let state = |made: &Value| made["properties"][MANUAL][0].pointer(STATUS).cloned().unwrap();
        let got = bench.get(&endpoint()).await.body;
        assert_eq!(
            (state(&got), got["properties"]["customDnsConfigs"].as_array().unwrap().len()),
            (json!("Approved"), 1)
        );
        assert_eq!(bench.put(&connection, decide("Pending")).await.status, 400);
        assert_eq!(bench.delete(&connection).await.status, 200);
        assert_eq!(state(&bench.get(&endpoint()).await.body), json!("Disconnected"));
        let refused = bench.put(&endpoint(), body(MANUAL, &subnet, &vault, "vault")).await;
        assert_eq!(refused.code(), "PrivateEndpointCannotBeUpdatedInDisconnectedState");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_checked_and_faults_keep_pending() {
        let bench = Bench::new().await;
        let (subnet, vault) = (bench.subnet().await, bench.vault().await);
        let mut two = body(AUTO, &subnet, &vault, "vault");
        two["properties"][MANUAL] = two["properties"][AUTO].clone();
        for (body, code) in [
            (two, "InvalidRequestFormat"),
            (body(AUTO, "/nope", &vault, "vault"), "InvalidResourceReference"),
            (body(AUTO, &subnet, &format!("{vault}x"), "vault"), "InvalidResourceReference"),
            (body(AUTO, &subnet, &vault, "blob"), "BadRequest"),
            (body(AUTO, &subnet, &vault, ""), "BadRequest"),
        ] {
            let seen = bench.put(&endpoint(), body).await;
            assert_eq!((seen.status, seen.code()), (400, code));
        }
        bench.sim.fail_next(Fault::once(Method::Put, "/privateEndpoints/pe", Effect::KeepPending));
        let made = bench.make(&endpoint(), body(AUTO, &subnet, &vault, "vault")).await;
        assert_eq!(made["properties"][AUTO][0].pointer(STATUS), Some(&json!("Pending")));
        let other = body(AUTO, &subnet, &vault, "vault");
        assert_eq!(bench.put(&endpoint(), other).await.status, 200);
        let resources = bench.get(&format!("{vault}/privateLinkResources")).await;
        assert_eq!(
            resources.at("/value/0/properties/requiredZoneNames/0"),
            &json!("privatelink.vaultcore.azure.net")
        );
    }
}
