//! DNS zone groups: they keep the records of an endpoint.

use super::network::{missing_reference, refuse_if_busy};
use super::{private_dns, private_link};
use crate::core::behaviour::{Answer, Behaviour, begin, settle_or_remove, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, list, name_of, object, set, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.Network/privateEndpoints/privateDnsZoneGroups`.
#[derive(Debug)]
pub(crate) struct ZoneGroup;

/// The zone that an element refers to.
fn zone_of(config: &Value) -> &str {
    config.pointer("/properties/privateDnsZoneId").and_then(Value::as_str).unwrap_or_default()
}

/// The elements in the form the group answers with; record sets follow from the endpoint's host names.
fn configs(world: &World, endpoint: &str, id: &str, etag: &str, state: &str, wanted: &[Value]) -> Vec<Value> {
    let hosts =
        world.state.resources.get(endpoint).map(|e| list(&e.body, "properties.customDnsConfigs").to_vec());
    let hosts = hosts.unwrap_or_default();
    let one = |config: &Value| {
        let (name, zone) = (name_of(config), zone_of(config));
        let records: Vec<Value> = hosts
            .iter()
            .filter_map(|host| {
                let record = private_link::record_name(last(zone), host.get("fqdn")?.as_str()?)?;
                Some(json!({
                    "recordType": "A", "recordSetName": record, "fqdn": format!("{record}.{}", last(zone)), "ttl": 10,
                    "provisioningState": state, "ipAddresses": host.get("ipAddresses")?,
                }))
            })
            .collect();
        json!({
            "name": name, "id": format!("{id}/privateDnsZoneConfigs/{name}"), "etag": etag,
            "type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/privateDnsZoneConfigs",
            "properties": {"provisioningState": state, "privateDnsZoneId": zone, "recordSets": records},
        })
    };
    wanted.iter().map(one).collect()
}

const CONFIGS: &str = "properties.privateDnsZoneConfigs";

impl Behaviour for ZoneGroup {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(15)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let endpoint = call.path.parent().unwrap_or_default();
        refuse_if_busy(world, call, &[key, &endpoint])?;
        let group_exists = world.state.resources.contains(key);
        let siblings = world.state.resources.members(cut(key, 1)).filter(|(k, _)| k != key).count();
        if siblings > 0 && !group_exists {
            let message = format!(
                "Cannot create more than one private dns zone groups in the private endpoint {endpoint}."
            );
            return Err(Failure::bad("PrivateEndpointCannotHaveMoreThanOnePrivateDnsZoneGroup", message));
        }
        let wanted = list(&call.body, CONFIGS);
        if wanted.len() > 5 {
            let message = format!("Private DNS zone group {} has more than 5 zone configurations.", call.id);
            return Err(Failure::bad("InvalidRequestFormat", message));
        }
        let old = world.state.resources.get(key).map(|r| list(&r.body, CONFIGS).to_vec()).unwrap_or_default();
        for config in wanted {
            let (name, zone) = (name_of(config), zone_of(config));
            if !world.state.resources.contains(&zone.to_ascii_lowercase()) {
                return Err(missing_reference(zone, &call.id));
            }
            let before = old.iter().find(|c| name_of(c) == name);
            if before.is_some_and(|c| !zone_of(c).eq_ignore_ascii_case(zone)) {
                let message = format!(
                    "Changing property 'privateDnsZoneId' of private dns zone config {name} is not allowed."
                );
                return Err(Failure::bad("PrivateDnsZoneIdCannotBeChanged", message).target(CONFIGS));
            }
        }
        if !group_exists {
            world.enter_generation(key);
        }
        let etag = world.etag(key);
        let made = configs(world, &endpoint, &call.id, &etag, "Updating", wanted);
        let mut body = call.envelope();
        body.insert("etag".into(), json!(etag));
        set(&mut body, "properties.provisioningState", "Updating");
        set(&mut body, CONFIGS, made);
        erase(world, key);
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let act = if status == 201 { Act::Create } else { Act::Update };
        begin(world, call, status, Work::on(Style::Network, act, key).locking([endpoint]))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let (key, endpoint) = (&call.path.key, call.path.parent().unwrap_or_default());
        refuse_if_busy(world, call, &[key, &endpoint])?;
        begin(world, call, 202, Work::on(Style::Network, Act::Delete, key).locking([endpoint]))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        settle_or_remove(world, operation);
        if matches!(operation.progress, Progress::Succeeded(_)) && operation.act != Act::Delete {
            refresh(world, cut(&operation.target, 2));
        }
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        erase_of(world, resource);
    }
}

fn erase(world: &mut World, key: &str) {
    if let Some(group) = world.state.resources.get(key).cloned() {
        erase_of(world, &group);
    }
}

/// Removes the records that a group wrote, whoever else may want them.
fn erase_of(world: &mut World, group: &Resource) {
    for record in group.hidden.get("records").and_then(Value::as_array).into_iter().flatten() {
        if let Some(key) = record.as_str() {
            world.remove_tree(key);
        }
    }
}

/// Writes the records that follow from the endpoint as it is now.
pub(crate) fn refresh(world: &mut World, endpoint: &str) {
    let collection = format!("{endpoint}/privatednszonegroups");
    let keys: Vec<String> = world.state.resources.members(&collection).map(|(k, _)| k.to_owned()).collect();
    for key in keys {
        erase(world, &key);
        let Some(group) = world.state.resources.get(&key).cloned() else { continue };
        let etag = world.etag(&key);
        let made = configs(world, endpoint, &group.id, &etag, "Succeeded", list(&group.body, CONFIGS));
        let mut records = Vec::new();
        for config in &made {
            let zone = world.state.resources.get(&zone_of(config).to_ascii_lowercase()).map(|z| z.id.clone());
            let Some(zone) = zone else { continue };
            for set in
                config.pointer("/properties/recordSets").and_then(Value::as_array).into_iter().flatten()
            {
                let id = format!("{zone}/A/{}", set["recordSetName"].as_str().unwrap_or_default());
                let addresses = set["ipAddresses"].as_array().into_iter().flatten();
                let addresses: Vec<Value> = addresses.map(|a| json!({"ipv4Address": a})).collect();
                let creator = format!("created by private endpoint {}", last(endpoint));
                let properties = json!({"metadata": {"creator": creator}, "ttl": 10, "aRecords": addresses});
                let record = private_dns::record(world, &id, object(properties));
                records.push(json!(record.key()));
                world.state.resources.insert(record);
            }
        }
        if let Some(group) = world.state.resources.edit(&key) {
            set(&mut group.body, CONFIGS, made);
            if text(&group.body, "etag").is_some() {
                group.body.insert("etag".into(), json!(etag));
            }
            group.hidden.insert("records".into(), Value::Array(records));
        }
    }
}
