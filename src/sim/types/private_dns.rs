//! Private DNS zones, their links to networks and their records.

use super::network::missing_reference;
use crate::core::behaviour::{Answer, Behaviour, ok, ok_list, settle_or_remove, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::faults::Failing;
use crate::core::json::{Object, flag, object, set, set_default, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.Network/privateDnsZones`.
#[derive(Debug)]
pub(crate) struct Zone;

/// `Microsoft.Network/privateDnsZones/virtualNetworkLinks`.
#[derive(Debug)]
pub(crate) struct Link;

/// `Microsoft.Network/privateDnsZones/A` and its siblings.
#[derive(Debug)]
pub(crate) struct RecordSet;

fn must_be_global(call: &Call<'_>) -> Result<(), Failure> {
    if text(&call.body, "location") == Some("global") {
        return Ok(());
    }
    let message = format!("The resource '{}' must have the location 'global'.", call.path.name());
    Err(Failure::bad("LocationNotAvailableForResourceType", message))
}

/// Starts work and answers 202 with `{}`.
fn begin(world: &mut World, call: &Call<'_>, act: Act) -> Answer {
    let key = &call.path.key;
    if act == Act::Delete {
        world.deleted(key);
    }
    let operation = world.start(call, Work::on(Style::PrivateDns, act, key));
    let mut response = Response::new(202, if act == Act::Delete { "" } else { "{}" });
    world.follow(call, &operation, &mut response);
    Ok(response)
}

fn plain_etag(world: &mut World, key: &str) -> String {
    let serial = world.next_serial();
    world.uuid(key, &format!("etag {serial}"))
}

fn busy(world: &World, key: &str) -> Result<(), Failure> {
    if world.busy(key).is_none() {
        return Ok(());
    }
    let message = format!("Another operation on '{key}' is in progress.");
    Err(Failure::new(409, "Conflict", message).passing())
}

impl Behaviour for Zone {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(35)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        must_be_global(call)?;
        let (key, name) = (&call.path.key, call.path.name());
        let label = |l: &str| {
            (1..=63).contains(&l.len()) && l.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        };
        let labels: Vec<&str> = name.split('.').collect();
        if !(2..=34).contains(&labels.len()) || !labels.iter().all(|l| label(l)) {
            let message =
                format!("The zone name '{name}' is invalid: 2 to 34 labels of letters, digits, '-' and '_'.");
            return Err(Failure::bad("BadRequest", message));
        }
        busy(world, key)?;
        let exists = world.state.resources.contains(key);
        if exists && call.request.headers.get("if-none-match") == Some("*") {
            // It is accepted like any other, and only the operation tells.
            let mut failing = Call { bent: call.bent.clone(), ..copy(call) };
            let message = format!("The Zone {name} exists already and hence cannot be created again.");
            let code = "PreconditionFailed".to_owned();
            failing.bent.fails = Some(Failing { code, message, after: None });
            return begin(world, &failing, Act::Update);
        }
        call.check_etag(&world.state.resources)?;
        if !exists {
            world.enter_generation(key);
        }
        let etag = plain_etag(world, key);
        let mut body = call.envelope();
        body.insert("etag".into(), json!(etag));
        body.insert("location".into(), json!("global"));
        if let Some(tags) = call.body.get("tags") {
            body.insert("tags".into(), tags.clone());
        }
        body.insert(
            "properties".into(),
            json!({
                "maxNumberOfRecordSets": 25000,
                "maxNumberOfVirtualNetworkLinks": 1000,
                "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
                "provisioningState": if exists { "Updating" } else { "Creating" },
            }),
        );
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        begin(world, call, if exists { Act::Update } else { Act::Create })
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        busy(world, key)?;
        if let Some((_, link)) = world.state.resources.members(&format!("{key}/virtualnetworklinks")).next() {
            let nested = format!(
                "Microsoft.Network/privateDnsZones/{}/virtualNetworkLinks/{}",
                call.path.name(),
                last(&link.id)
            );
            let message = format!(
                "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: \
                 '{nested}'. Please delete all nested resources before deleting this resource."
            );
            return Err(Failure::new(409, "CannotDeleteResource", message).passing());
        }
        begin(world, call, Act::Delete)
    }

    fn view(&self, world: &World, resource: &Resource) -> Option<Value> {
        let key = resource.key();
        let links: Vec<&Resource> =
            world.state.resources.members(&format!("{key}/virtualnetworklinks")).map(|(_, r)| r).collect();
        let registering =
            links.iter().filter(|l| flag(&l.body, "properties.registrationEnabled") == Some(true)).count();
        let records = world.state.resources.below(&key).count() - links.len();
        let mut body = resource.body.members();
        set(&mut body, "properties.numberOfRecordSets", records as u64 + 1);
        set(&mut body, "properties.numberOfVirtualNetworkLinks", links.len() as u64);
        set(&mut body, "properties.numberOfVirtualNetworkLinksWithRegistration", registering as u64);
        Some(Value::Object(body))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        match operation.progress {
            // A refused update leaves the zone as it is.
            Progress::Failed(..) if operation.act == Act::Update => {}
            _ => settle_or_remove(world, operation),
        }
    }
}

fn copy<'r>(call: &Call<'r>) -> Call<'r> {
    Call {
        request: call.request,
        method: call.method,
        origin: call.origin,
        path: call.path.clone(),
        query: call.query,
        body: call.body.clone(),
        raw: call.raw.clone(),
        bent: call.bent.clone(),
        kind: call.kind.clone(),
        id: call.id.clone(),
        type_name: call.type_name.clone(),
    }
}

impl Behaviour for Link {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(40)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        must_be_global(call)?;
        let key = &call.path.key;
        let zone = call.path.parent().unwrap_or_default();
        busy(world, key)?;
        busy(world, &zone)?;
        let network = text(&call.body, "properties.virtualNetwork.id").unwrap_or_default().to_owned();
        let Some(found) = world.state.resources.get(&network.to_ascii_lowercase()) else {
            return Err(missing_reference(&network, &call.id));
        };
        let network = found.id.clone();
        let same_network = |r: &Resource| {
            text(&r.body, "properties.virtualNetwork.id").is_some_and(|i| i.eq_ignore_ascii_case(&network))
        };
        if let Some(existing) = world.state.resources.get(key)
            && !same_network(existing)
        {
            let message = "The virtual network of an existing virtual network link cannot be changed.";
            return Err(Failure::bad("BadRequest", message));
        }
        let name = last(&zone);
        let others = world
            .state
            .resources
            .of_kind(&call.kind)
            .filter(|(k, r)| *k != key && same_network(r) && last(cut(k, 2)) == name);
        if let Some((other, _)) = others.map(|(k, r)| (k.to_owned(), r)).next() {
            let message = format!(
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link \
                 virtual network with '{name}' and '{}' zones.",
                cut(&other, 2),
            );
            return Err(Failure::bad("BadRequest", message));
        }
        let exists = world.state.resources.contains(key);
        let etag = plain_etag(world, key);
        let mut body = call.tracked_envelope();
        body.insert("etag".into(), json!(format!("\"{etag}\"")));
        body.insert("properties".into(), Value::Object(call.properties()));
        set(&mut body, "properties.virtualNetwork", json!({"id": network}));
        set_default(&mut body, "properties.registrationEnabled", false);
        if name.starts_with("privatelink.") {
            set_default(&mut body, "properties.resolutionPolicy", "Default");
        }
        set(&mut body, "properties.virtualNetworkLinkState", "InProgress");
        set(&mut body, "properties.provisioningState", if exists { "Updating" } else { "Creating" });
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        begin(world, call, if exists { Act::Update } else { Act::Create })
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        busy(world, &call.path.key)?;
        begin(world, call, Act::Delete)
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        settle_or_remove(world, operation);
        if let Some(link) = world.state.resources.edit(&operation.target) {
            set(&mut link.body, "properties.virtualNetworkLinkState", "Completed");
        }
    }
}

impl Behaviour for RecordSet {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let resource = record(world, &call.id, call.properties());
        let status = stored_and_new(world, call, resource);
        Ok(world.answer(status, &call.path.key))
    }

    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        match authority(world, cut(&call.path.key, 2)) {
            Some(body) if call.path.key.ends_with("/soa/@") => ok(&body),
            _ => Err(call.not_found()),
        }
    }

    /// The one that every zone has is shown with the others: by its own type, and among all.
    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let (all, soa) = (call.kind.ends_with("/all"), call.kind.ends_with("/soa"));
        if !all && !soa {
            return None;
        }
        let zone = cut(&call.path.key, 1);
        let is_record = |kind: &str| {
            let kind = kind.strip_prefix("microsoft.network/privatednszones/");
            kind.is_some_and(|kind| kind != "virtualnetworklinks" && (all || kind == "soa"))
        };
        let stored = world.state.resources.below(zone).filter(|(_, r)| is_record(&r.kind));
        let mut value: Vec<Value> = stored.map(|(_, r)| Value::Object(r.body.members())).collect();
        let own = |one: &Value| {
            one.get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| id.to_ascii_lowercase().ends_with("/soa/@"))
        };
        if !value.iter().any(own) {
            value.extend(authority(world, zone));
        }
        Some(ok_list(value))
    }
}

/// The start of authority that Azure writes into a zone with it.
fn authority(world: &World, zone: &str) -> Option<Value> {
    let zone =
        world.state.resources.get(zone).filter(|zone| zone.kind == "microsoft.network/privatednszones")?;
    let (id, name) = (&zone.id, last(&zone.id));
    let soa = json!({
        "email": "azureprivatedns-host.microsoft.com", "expireTime": 2_419_200, "host": "azureprivatedns.net",
        "minimumTtl": 10, "refreshTime": 3600, "retryTime": 300, "serialNumber": 1,
    });
    Some(json!({
        "id": format!("{id}/SOA/@"), "name": "@", "type": "Microsoft.Network/privateDnsZones/SOA",
        "etag": text(&zone.body, "etag"),
        "properties": { "fqdn": format!("{name}."), "ttl": 3600, "isAutoRegistered": false, "soaRecord": soa },
    }))
}

/// A record set as it stands in the store.
pub(crate) fn record(world: &mut World, id: &str, properties: Object) -> Resource {
    let key = id.to_ascii_lowercase();
    let (zone, name, kind) = (last(cut(id, 2)), last(id), last(cut(id, 1)));
    let fqdn = if name == "@" { format!("{zone}.") } else { format!("{name}.{zone}.") };
    let etag = plain_etag(world, &key);
    let mut body = object(json!({
        "id": id, "name": name, "type": format!("Microsoft.Network/privateDnsZones/{kind}"), "etag": etag,
    }));
    body.insert("properties".into(), Value::Object(properties));
    set(&mut body, "properties.fqdn", fqdn);
    set(&mut body, "properties.isAutoRegistered", false);
    set_default(&mut body, "properties.ttl", 3600);
    Resource::new(id, &format!("microsoft.network/privatednszones/{kind}"), body)
}

#[cfg(test)]
mod tests {
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn zones_answer_202_and_fail_in_the_operation() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.Network/privateDnsZones/a.example");
        let body = json!({"location": "global"});
        let seen = bench.put(&id, body.clone()).await;
        assert_eq!((seen.status, seen.body.clone(), seen.header("retry-after")), (202, json!({}), "3"));
        let poll = seen.header("azure-asyncoperation").to_owned();
        let poll = crate::host::transport::path_and_query(&poll).to_owned();
        assert_eq!(bench.get(&poll).await.status, 202);
        assert_eq!(bench.get(&poll).await.body, json!({"status": "Succeeded"}));
        let again = bench.send(Method::Put, &id, Some(body.clone()), &[("if-none-match", "*")]).await;
        assert_eq!(again.status, 202);
        assert_eq!(bench.settle(&again).await, "Failed");
        assert_eq!(bench.get(&id).await.at("/properties/numberOfRecordSets"), &json!(1));
        assert_eq!(bench.put(&Bench::rid("Microsoft.Network/privateDnsZones/a"), body).await.status, 400);
    }

    #[tokio::test(start_paused = true)]
    async fn links_count_and_hold_the_zone() {
        let bench = Bench::new().await;
        let subnet = bench.subnet().await;
        let network = subnet.trim_end_matches("/subnets/s");
        let zone = Bench::rid("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
        bench.make(&zone, json!({"location": "global"})).await;
        let soa = bench.get(&format!("{zone}/SOA/@")).await;
        assert_eq!(soa.at("/properties/soaRecord/host"), &json!("azureprivatedns.net"));
        for list in ["SOA", "ALL"] {
            let all = bench.get(&format!("{zone}/{list}")).await;
            assert_eq!(
                (all.at("/value/0/name"), all.at("/value/1")),
                (&json!("@"), &serde_json::Value::Null)
            );
        }
        let link = format!("{zone}/virtualNetworkLinks/l");
        let body = json!({"location": "global", "properties": {"virtualNetwork": {"id": network}}});
        let made = bench.make(&link, body.clone()).await;
        assert_eq!(made["properties"]["virtualNetworkLinkState"], "Completed");
        assert_eq!(made["properties"]["resolutionPolicy"], "Default");
        assert_eq!(bench.get(&zone).await.at("/properties/numberOfVirtualNetworkLinks"), &json!(1));
        assert_eq!(bench.delete(&zone).await.code(), "CannotDeleteResource");
        assert_eq!(bench.put(&format!("{zone}/virtualNetworkLinks/m"), body).await.status, 400);
        let seen = bench.delete(&link).await;
        bench.settle(&seen).await;
        assert_eq!(bench.delete(&zone).await.status, 202);
    }
}
