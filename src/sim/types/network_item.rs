//! Network resources that stand alone: security groups, route tables, NAT gateways, public addresses and so on.

use super::gateway;
use super::generic::fill_identity;
use super::network::refuse_if_busy;
use crate::core::behaviour::{Answer, Behaviour, begin, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, name_of, set, set_default, text};
use crate::core::operation::{Act, Style, USUAL, Work, seconds};
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// Any network resource that is neither a network nor an endpoint.
#[derive(Debug)]
pub(crate) struct NetworkItem;

impl Behaviour for NetworkItem {
    fn duration(&self, kind: &str, act: Act, _body: &Object) -> Duration {
        match kind {
            "microsoft.network/natgateways" => seconds(20),
            "microsoft.network/applicationgateways" if act == Act::Create => seconds(420),
            _ => USUAL,
        }
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        refuse_if_busy(world, call, &[key])?;
        if !world.state.resources.contains(key) {
            world.enter_generation(key);
        }
        match call.kind.as_str() {
            "microsoft.network/applicationgateways" => gateway::check_gateway(world, call)?,
            "microsoft.network/privatelinkservices" => gateway::check_service(world, call)?,
            _ => {}
        }
        let etag = world.etag(key);
        let mut body = call.tracked_envelope();
        body.insert("etag".into(), json!(etag));
        for member in ["sku", "zones", "identity", "extendedLocation"] {
            if let Some(value) = call.body.get(member) {
                body.insert(member.to_owned(), value.clone());
            }
        }
        body.insert("properties".into(), Value::Object(call.properties()));
        fill_identity(world, key, &mut body);
        set(&mut body, "properties.provisioningState", "Updating");
        set(&mut body, "properties.resourceGuid", world.uuid(key, "resource"));
        match call.kind.as_str() {
            "microsoft.network/publicipaddresses" => public_address(world, key, &mut body)?,
            "microsoft.network/networksecuritygroups" => security_group(call, &etag, &mut body)?,
            "microsoft.network/routetables" => {
                set_default(&mut body, "properties.disableBgpRoutePropagation", false);
                children(call, &etag, &mut body, "routes");
            }
            "microsoft.network/natgateways" => {
                set_default(&mut body, "properties.idleTimeoutInMinutes", 4);
                if text(&body, "sku.name").is_none() {
                    let message = format!("The sku of NAT gateway {} is missing.", call.path.name());
                    return Err(Failure::bad("InvalidRequestFormat", message));
                }
            }
            "microsoft.network/privatelinkservices" => {
                let (guid, location) =
                    (world.uuid(key, "alias"), text(&body, "location").unwrap_or_default());
                let alias = format!("{}.{guid}.{location}.azure.privatelinkservice", call.path.name());
                set(&mut body, "properties.alias", alias);
                gateway::fill_service(call, &etag, &mut body);
            }
            "microsoft.network/applicationgateways" => gateway::fill_gateway(call, &etag, &mut body),
            _ => {}
        }
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let act = if status == 201 { Act::Create } else { Act::Update };
        gateway::join(world, key, &call.id);
        begin(world, call, status, Work::on(Style::Network, act, key))
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        gateway::leave(world, resource);
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        refuse_if_busy(world, call, &[key])?;
        check_unused(world, call)?;
        if call.kind == "microsoft.network/privatelinkservices" {
            gateway::check_unconnected(world, key)?;
        }
        begin(world, call, 202, Work::on(Style::Network, Act::Delete, key))
    }
}

fn public_address(world: &World, key: &str, body: &mut Object) -> Result<(), Failure> {
    set_default(body, "sku", json!({"name": "Standard", "tier": "Regional"}));
    set_default(body, "sku.tier", "Regional");
    set_default(body, "properties.publicIPAddressVersion", "IPv4");
    set_default(body, "properties.publicIPAllocationMethod", "Static");
    set_default(body, "properties.idleTimeoutInMinutes", 4);
    set_default(body, "properties.ipTags", json!([]));
    let standard = text(body, "sku.name").is_some_and(|n| !n.eq_ignore_ascii_case("basic"));
    let dynamic =
        text(body, "properties.publicIPAllocationMethod").is_some_and(|m| m.eq_ignore_ascii_case("dynamic"));
    if standard && dynamic {
        let message = format!("Standard sku publicIp {key} must have AllocationMethod set to Static.");
        return Err(Failure::bad("PublicIPAndPublicIPPrefixSkuMismatch", message));
    }
    let bytes = *uuid::Uuid::try_parse(&world.uuid(key, "address")).unwrap_or_default().as_bytes();
    set(body, "properties.ipAddress", format!("20.{}.{}.{}", bytes[0], bytes[1], bytes[2].clamp(1, 254)));
    if let Some(label) = text(body, "properties.dnsSettings.domainNameLabel") {
        let fqdn = format!("{label}.{}.cloudapp.azure.com", text(body, "location").unwrap_or_default());
        set(body, "properties.dnsSettings.fqdn", fqdn);
    }
    Ok(())
}

fn security_group(call: &Call<'_>, etag: &str, body: &mut Object) -> Result<(), Failure> {
    let mut seen: Vec<(&Value, &Value)> = Vec::new();
    for rule in list(&call.body, "properties.securityRules") {
        let (Some(priority), Some(direction)) =
            (rule.pointer("/properties/priority"), rule.pointer("/properties/direction"))
        else {
            let message = format!("Security rule {} has no priority or direction.", name_of(rule));
            return Err(Failure::bad("InvalidRequestFormat", message));
        };
        if seen.contains(&(priority, direction)) {
            let message = format!(
                "Security rule {} conflicts with another rule: same priority {priority} and direction {direction}.",
                name_of(rule)
            );
            return Err(Failure::bad("SecurityRuleConflict", message));
        }
        seen.push((priority, direction));
    }
    children(call, etag, body, "securityRules");
    for rule in body["properties"]["securityRules"].as_array_mut().into_iter().flatten() {
        let Some(properties) = rule.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        for plural in [
            "sourcePortRanges",
            "destinationPortRanges",
            "sourceAddressPrefixes",
            "destinationAddressPrefixes",
        ] {
            set_default(properties, plural, json!([]));
        }
    }
    let default = |name: &str, priority: u32, direction: &str, access: &str, from: &str, to: &str| {
        json!({
            "name": name, "id": format!("{}/defaultSecurityRules/{name}", call.id), "etag": etag,
            "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "provisioningState": "Succeeded", "priority": priority, "direction": direction, "access": access,
                "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
                "sourceAddressPrefix": from, "destinationAddressPrefix": to,
            },
        })
    };
    let rules = json!([
        default("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
        default("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
        default("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
        default("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
        default("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
        default("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
    ]);
    set(body, "properties.defaultSecurityRules", rules);
    Ok(())
}

/// Gives the elements of an inline collection their id, type, entity tag and state.
pub(super) fn children(call: &Call<'_>, etag: &str, body: &mut Object, collection: &str) {
    let path = format!("properties.{collection}");
    let made: Vec<Value> = list(body, &path)
        .iter()
        .map(|element| {
            let mut element = element.as_object().cloned().unwrap_or_default();
            let name = element.get("name").and_then(Value::as_str).unwrap_or_default();
            let id = format!("{}/{collection}/{name}", call.id);
            element.insert("id".into(), json!(id));
            element.insert("etag".into(), json!(etag));
            element.insert("type".into(), json!(format!("{}/{collection}", call.type_name)));
            set(&mut element, "properties.provisioningState", "Succeeded");
            Value::Object(element)
        })
        .collect();
    set(body, &path, made);
}

/// Refuses to delete what a subnet or a NAT gateway refers to.
fn check_unused(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    let (member, code) = match call.kind.as_str() {
        "microsoft.network/networksecuritygroups" => {
            ("networkSecurityGroup", "InUseNetworkSecurityGroupCannotBeDeleted")
        }
        "microsoft.network/routetables" => ("routeTable", "InUseRouteTableCannotBeDeleted"),
        "microsoft.network/natgateways" => ("natGateway", "InUseNatGatewayCannotBeDeleted"),
        "microsoft.network/publicipaddresses" => ("publicIpAddresses", "PublicIPAddressCannotBeDeleted"),
        _ => return Ok(()),
    };
    let path = format!("properties.{member}");
    let is_this = |id: &Value| id.as_str().is_some_and(|i| i.eq_ignore_ascii_case(&call.path.key));
    let refers = |r: &Resource| match at(&r.body, &path) {
        Some(Value::Array(many)) => many.iter().any(|v| v.get("id").is_some_and(is_this)),
        Some(one) => one.get("id").is_some_and(is_this),
        None => false,
    };
    let user = world.state.resources.iter().find(|(k, r)| k.contains("/microsoft.network/") && refers(r));
    let Some((_, user)) = user else { return Ok(()) };
    let message = format!(
        "{} {} cannot be deleted because it is in use by {}.",
        last(&call.type_name),
        call.id,
        user.id
    );
    Err(Failure::bad(code, message))
}
