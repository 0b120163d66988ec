//! Managed clusters: what a request may do, and what happens when the work is done.

use super::{
    cluster_body as bodies, cluster_network as network, cluster_offers, identity, machines, node_pool,
    resource_group,
};
use crate::core::behaviour::{Answer, Behaviour, begin, ok, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, flag, list, merge, name_of, object_at, put_back, set, take_list, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.ContainerService/managedClusters`.
#[derive(Debug)]
pub(crate) struct Cluster;

/// Refuses a write while anything on the cluster is being changed.
pub(crate) fn refuse_if_busy(world: &World, cluster: &str) -> Result<(), Failure> {
    let Some(operation) = world.busy(cluster) else { return Ok(()) };
    let word = match operation.act {
        Act::Create => "Creating",
        Act::Delete => "Deleting",
        Act::Start => "Starting",
        Act::Stop => "Stopping",
        _ => "Updating",
    };
    let message = format!(
        "Operation is not allowed: Another operation ({word}) is in progress on the managed cluster {}. \
         Please wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for details.",
        last(cluster),
    );
    Err(Failure::new(409, "OperationNotAllowed", message).flat().passing())
}

/// The versions that a region offers.
pub(crate) fn versions(location: &str, what: &str) -> Option<Answer> {
    if !what.eq_ignore_ascii_case("kubernetesVersions") || !crate::core::locations::is_location(location) {
        return None;
    }
    let values = bodies::VERSIONS.iter().enumerate().map(|(at, (minor, _))| {
        let (own, next) = (bodies::patches(at), bodies::patches(at + 1));
        let mut versions = Object::new();
        for (at, patch) in own.iter().enumerate() {
            let upgrades: Vec<&String> = own[at + 1..].iter().chain(&next).collect();
            versions.insert(patch.clone(), json!({ "upgrades": upgrades }));
        }
        let plans = match *minor == bodies::LONG_TERM {
            true => json!(["AKSLongTermSupport"]),
            false => json!(["KubernetesOfficial", "AKSLongTermSupport"]),
        };
        json!({
            "version": minor, "isDefault": *minor == bodies::DEFAULT_MINOR, "patchVersions": versions,
            "capabilities": {"supportPlan": plans},
        })
    });
    let values: Vec<Value> = values.collect();
    Some(ok(&json!({"values": values})))
}

/// Keys of a cluster's pools.
pub(crate) fn pools(world: &World, cluster: &str) -> Vec<String> {
    world.state.resources.members(&format!("{cluster}/agentpools")).map(|(k, _)| k.to_owned()).collect()
}

impl Behaviour for Cluster {
    fn duration(&self, _kind: &str, act: Act, _body: &Object) -> Duration {
        match act {
            Act::Create => seconds(480),
            Act::Update | Act::Start | Act::Stop => seconds(150),
            Act::Delete | Act::Purge => seconds(180),
        }
    }

    fn spell(&self, id: String) -> String {
        id.replacen("/resourceGroups/", "/resourcegroups/", 1)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        refuse_if_busy(world, key)?;
        let existing = world.state.resources.get(key).cloned();
        let merged = merged(call, existing.as_ref())?;
        bodies::check(world, call, &merged, existing.as_ref())?;
        if existing.is_none() {
            world.enter_generation(key);
        }
        let body = bodies::fill(world, call, merged, existing.as_ref())?;
        let facts = node_pool::Facts::of(&body, &call.id);
        let wanted = wanted_pools(world, call, &facts, existing.is_some())?;
        if let Some(wanted) = &wanted {
            node_pool::check_all(&facts, wanted)?;
            machines::check_quota(world, &facts.location, &wanted.iter().collect::<Vec<_>>())?;
        }
        check_network(world, key, &body, wanted.as_deref(), call.body.get("properties"))?;
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        for pool in wanted.into_iter().flatten() {
            node_pool::store(world, pool);
        }
        let (act, state) =
            if existing.is_some() { (Act::Update, "Updating") } else { (Act::Create, "Creating") };
        for pool in pools(world, key) {
            world.settle(&pool, state);
        }
        begin(world, call, status, Work::on(Style::Cluster, act, key))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        refuse_if_busy(world, key)?;
        crate::core::behaviour::replace_tags(world, call);
        world.updated(key);
        world.settle(key, "Updating");
        begin(world, call, 200, Work::on(Style::Cluster, Act::Update, key))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        if let Some(running) = world.running_on(key).filter(|o| o.act == Act::Delete).cloned() {
            let mut response = Response::new(202, "");
            world.follow(call, &running, &mut response);
            return Ok(response);
        }
        refuse_if_busy(world, key)?;
        begin(world, call, 202, Work::on(Style::Cluster, Act::Delete, key))
    }

    fn get(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(call.not_found())
    }

    fn act(&self, world: &mut World, call: &Call<'_>, action: &str) -> Answer {
        let key = &call.path.key;
        let cluster = world.need(call)?;
        let stopped = text(&cluster.body, "properties.powerState.code") == Some("Stopped");
        match action.to_ascii_lowercase().as_str() {
            "listclusteradmincredential"
                if flag(&cluster.body, "properties.disableLocalAccounts") == Some(true) =>
            {
                let message = "Getting static credential is not allowed because this cluster is set to disable local accounts.";
                Err(Failure::bad("BadRequest", message).flat())
            }
            "listclusteradmincredential" => ok(&bodies::kubeconfig(cluster, "clusterAdmin", None)),
            "listclustermonitoringusercredential" => {
                ok(&bodies::kubeconfig(cluster, "clusterMonitoringUser", None))
            }
            "listclusterusercredential" => {
                let format = call.query.get("format").unwrap_or_else(|| "azure".into());
                if !["azure", "exec"].iter().any(|known| known.eq_ignore_ascii_case(&format)) {
                    let message = format!("The value of parameter format is invalid: {format}.");
                    return Err(Failure::bad("InvalidParameter", message).flat());
                }
                ok(&bodies::kubeconfig(cluster, "clusterUser", Some(&format)))
            }
            "start" | "stop" => {
                refuse_if_busy(world, key)?;
                let stop = action.eq_ignore_ascii_case("stop");
                if stop == stopped {
                    let power = if stopped { "Stopped" } else { "Running" };
                    let verb = if stop { "stopping" } else { "starting" };
                    let message = format!(
                        "managed cluster is in Provisioning State(Succeeded) and Power State({power}), {verb} cannot be performed"
                    );
                    return Err(Failure::bad("OperationNotAllowed", message).flat());
                }
                let (act, state) = if stop { (Act::Stop, "Stopping") } else { (Act::Start, "Starting") };
                world.settle(key, state);
                let operation = world.start(call, Work::on(Style::Cluster, act, key));
                let mut response = Response::new(202, "");
                world.follow(call, &operation, &mut response);
                Ok(response)
            }
            "runcommand" => cluster_offers::run(world, call, cluster),
            _ => Err(crate::core::behaviour::unknown_action(call, action)),
        }
    }

    fn view(&self, world: &World, resource: &Resource) -> Option<Value> {
        let collection = format!("{}/agentpools", resource.key());
        let pools: Vec<Value> = world
            .state
            .resources
            .members(&collection)
            .map(|(_, pool)| {
                let mut profile = Object::new();
                profile.insert("name".into(), json!(last(&pool.id)));
                profile.extend(
                    pool.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default(),
                );
                Value::Object(profile)
            })
            .collect();
        let mut body = resource.body.members();
        put_back(&mut body, "properties.agentPoolProfiles", pools);
        Some(Value::Object(body))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        let key = &operation.target;
        let failed = matches!(operation.progress, Progress::Failed(..));
        if operation.act == Act::Delete && !failed {
            world.remove_tree(key);
            return;
        }
        let state = if failed { "Failed" } else { "Succeeded" };
        world.settle(key, state);
        for pool in pools(world, key) {
            world.settle(&pool, state);
        }
        if failed {
            return;
        }
        let power = match operation.act {
            Act::Stop => Some("Stopped"),
            Act::Start => Some("Running"),
            _ => None,
        };
        if let (Some(power), Some(cluster)) = (power, world.state.resources.edit(key)) {
            set(&mut cluster.body, "properties.powerState.code", power);
        }
        furnish(world, key);
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        let group = text(&resource.body, "properties.nodeResourceGroup").unwrap_or_default();
        let key = format!("/subscriptions/{}/resourcegroups/{group}", world.state.subscription)
            .to_ascii_lowercase();
        let managed = world.state.resources.get(&key).and_then(|g| text(&g.body, "managedBy"));
        if managed.is_some_and(|m| m.eq_ignore_ascii_case(&resource.id)) {
            world.remove_tree(&key);
        }
    }

    fn loaded(&self, world: &mut World, key: &str) {
        let Some(cluster) = world.state.resources.edit(key) else { return };
        let id = cluster.id.clone();
        for profile in take_list(&mut cluster.body, "properties.agentPoolProfiles") {
            let pool = format!("{id}/agentPools/{}", name_of(&profile));
            if world.state.resources.contains(&pool.to_ascii_lowercase()) {
                continue;
            }
            let mut properties = profile.as_object().cloned().unwrap_or_default();
            properties.shift_remove("name");
            node_pool::store(world, node_pool::resource(&pool, properties));
        }
    }
}

/// Checks the network of a cluster with the pools of the request, or those that it has.
fn check_network(
    world: &World,
    cluster: &str,
    body: &Object,
    wanted: Option<&[Resource]>,
    sent: Option<&Value>,
) -> Result<(), Failure> {
    let stored: Vec<Resource> = match wanted {
        Some(_) => Vec::new(),
        None => {
            pools(world, cluster).iter().filter_map(|key| world.state.resources.get(key).cloned()).collect()
        }
    };
    let all = wanted.unwrap_or(&stored).iter();
    let all: Vec<&Object> =
        all.filter_map(|pool| pool.body.get("properties").and_then(Value::as_object)).collect();
    network::check_room(world, body, &all)?;
    network::check_outbound(world, body, &all)?;
    network::check_virtual_nodes(world, body, &all)?;
    if sent.is_some_and(|sent| sent.pointer("/apiServerAccessProfile/authorizedIPRanges").is_some()) {
        network::check_authorized(body)?;
    }
    Ok(())
}

/// What the request comes to: on an update, profiles that it leaves out stay as they are.
fn merged(call: &Call<'_>, existing: Option<&Resource>) -> Result<Object, Failure> {
    let mut sent = call.properties();
    sent.shift_remove("agentPoolProfiles");
    let mut body = Object::new();
    for member in ["location", "tags", "sku", "identity", "kind", "extendedLocation"] {
        if let Some(value) = call.body.get(member) {
            body.insert(member.to_owned(), value.clone());
        }
    }
    let mut properties = match existing {
        Some(existing) => {
            existing.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
        }
        None => Object::new(),
    };
    let addons = sent.shift_remove("addonProfiles");
    super::cluster_profiles::make_room(&mut properties, &sent);
    merge(&mut properties, &sent);
    if let Some(Value::Object(addons)) = addons {
        let stored = object_at(&mut properties, "addonProfiles");
        let mut seen: Vec<String> = Vec::new();
        for (name, addon) in addons {
            if seen.iter().any(|s| s.eq_ignore_ascii_case(&name)) {
                let message = format!("The add-on '{name}' is given twice with different casing.");
                return Err(Failure::bad("InvalidParameter", message).target("properties.addonProfiles"));
            }
            let stored_name = stored.keys().find(|k| k.eq_ignore_ascii_case(&name)).cloned();
            let mut addon = addon.as_object().cloned().unwrap_or_default();
            addon.shift_remove("identity");
            if flag(&addon, "enabled") == Some(false) {
                addon.insert("config".into(), Value::Null);
            }
            let target = object_at(stored, stored_name.as_deref().unwrap_or(&name));
            if flag(&addon, "enabled") == Some(false) {
                target.shift_remove("identity");
            }
            if let Some(config) = addon.get("config").filter(|c| c.is_object()) {
                target.insert("config".into(), config.clone());
            }
            target.extend(addon);
            seen.push(name);
        }
    }
    body.insert("properties".into(), Value::Object(properties));
    Ok(body)
}

/// The pools of the request; `None` when it has none, which an update may.
fn wanted_pools(
    world: &mut World,
    call: &Call<'_>,
    facts: &node_pool::Facts,
    update: bool,
) -> Result<Option<Vec<Resource>>, Failure> {
    let profiles = list(&call.body, "properties.agentPoolProfiles");
    if profiles.is_empty() {
        if update {
            return Ok(None);
        }
        let message = "The value of parameter agentPoolProfiles is invalid: at least one system agent pool is required.";
        return Err(Failure::bad("InvalidParameter", message).target("properties.agentPoolProfiles"));
    }
    let mut wanted: Vec<Resource> = Vec::new();
    for profile in profiles {
        let mut properties = profile.as_object().cloned().unwrap_or_default();
        properties.shift_remove("name");
        let id = format!("{}/agentPools/{}", call.id, name_of(profile));
        let pool = node_pool::build(world, facts, &id, properties)?;
        if wanted.iter().any(|w| w.key() == pool.key()) {
            let message = format!("The agent pool name '{}' is given twice.", name_of(profile));
            return Err(Failure::bad("InvalidParameter", message).target("properties.agentPoolProfiles"));
        }
        wanted.push(pool);
    }
    let missing = pools(world, &call.path.key).into_iter().find(|p| !wanted.iter().any(|w| w.key() == *p));
    if let Some(missing) = missing {
        let message = format!(
            "The agent pool '{}' is missing from agentPoolProfiles: all or none must be given.",
            last(&missing)
        );
        return Err(Failure::bad("InvalidParameter", message).target("properties.agentPoolProfiles"));
    }
    Ok(Some(wanted))
}

/// Makes what AKS makes by itself once a cluster stands: its group, identities and outbound address.
fn furnish(world: &mut World, key: &str) {
    let Some(cluster) = world.state.resources.get(key).cloned() else { return };
    let group = text(&cluster.body, "properties.nodeResourceGroup").unwrap_or_default().to_owned();
    let (name, location) = (last(&cluster.id), cluster.location().to_owned());
    resource_group::make(world, &group, &location, &cluster.id, cluster.body.get("tags"));
    let mut body = cluster.body.members();
    let own_kubelet = text(&body, "properties.identityProfile.kubeletidentity.resourceId").is_some();
    if !own_kubelet {
        let profile = node_identity(world, &group, &format!("{name}-agentpool"), &location);
        set(&mut body, "properties.identityProfile.kubeletidentity", profile);
    }
    let addons =
        body["properties"].get("addonProfiles").and_then(Value::as_object).cloned().unwrap_or_default();
    for (addon, profile) in &addons {
        let enabled = profile.get("enabled").and_then(Value::as_bool) == Some(true);
        let has_identity = bodies::IDENTITY_ADDONS.iter().any(|a| a.eq_ignore_ascii_case(addon));
        if enabled && has_identity && profile.get("identity").is_none() {
            let made =
                node_identity(world, &group, &format!("{}-{name}", addon.to_ascii_lowercase()), &location);
            set(&mut body, &format!("properties.addonProfiles.{addon}.identity"), made);
        }
        if !enabled && has_identity {
            let id = node_id(world, &group, &format!("{}-{name}", addon.to_ascii_lowercase()));
            world.remove_tree(&id.to_ascii_lowercase());
        }
    }
    // Its add-on is named by a profile of its own.
    const ROUTING: &str = "properties.ingressProfile.webAppRouting";
    let routed = crate::core::json::flag(&body, &format!("{ROUTING}.enabled")) == Some(true);
    if routed && text(&body, &format!("{ROUTING}.identity.resourceId")).is_none() {
        let made = node_identity(world, &group, &format!("webapprouting-{name}"), &location);
        set(&mut body, &format!("{ROUTING}.identity"), made);
    }
    const GATEWAY: &str = "properties.addonProfiles.ingressApplicationGateway.config";
    if let Some(config) = crate::core::json::at(&body, GATEWAY).and_then(Value::as_object) {
        let made = text(config, "applicationGatewayName").map(|gateway| {
            let subscription = &world.state.subscription;
            format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/applicationGateways/{gateway}")
        });
        let gateway = text(config, "applicationGatewayId").map(str::to_owned).or(made);
        if let Some(gateway) = gateway {
            set(&mut body, &format!("{GATEWAY}.effectiveApplicationGatewayId"), gateway);
        }
    }
    let balanced = text(&body, "properties.networkProfile.outboundType") == Some("loadBalancer");
    if balanced && text(&body, "properties.networkProfile.loadBalancerSku").is_some() {
        let address = world.uuid(key, "outbound");
        let id = format!(
            "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Network/publicIPAddresses/{address}",
            world.state.subscription
        );
        set(
            &mut body,
            "properties.networkProfile.loadBalancerProfile.effectiveOutboundIPs",
            json!([{"id": id}]),
        );
    }
    bodies::assign_pod_identities(&mut body, "Assigned");
    if let Some(cluster) = world.state.resources.edit(key) {
        cluster.body = body.into();
    }
}

fn node_id(world: &World, group: &str, name: &str) -> String {
    let subscription = &world.state.subscription;
    format!(
        "/subscriptions/{subscription}/resourcegroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    )
}

/// An identity in the node resource group, in the form in which the cluster refers to it.
fn node_identity(world: &mut World, group: &str, name: &str, location: &str) -> Value {
    let id = node_id(world, group, name);
    let key = id.to_ascii_lowercase();
    if !world.state.resources.contains(&key) {
        world.enter_generation(&key);
        let made = identity::make(world, &id, location, json!({}), None);
        world.state.resources.insert(made);
    }
    let body = world.state.resources.get(&key).map(|r| r.body.members()).unwrap_or_default();
    let of = |member: &str| text(&body, member).unwrap_or_default().to_owned();
    json!({"resourceId": id, "clientId": of("properties.clientId"), "objectId": of("properties.principalId")})
}

/// The cluster that a pool or an extension belongs to.
pub(crate) fn cluster_of(child: &str) -> &str {
    cut(child, 2)
}

#[cfg(test)]
mod tests {
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use crate::{Effect, Fault};
    use serde_json::{Value, json};

    fn id() -> String {
        Bench::rid("Microsoft.ContainerService/managedClusters/mc")
    }

    fn with(path: &str, value: Value) -> Value {
        let mut body = Bench::cluster_body();
        crate::core::json::set(body.as_object_mut().unwrap(), path, value);
        body
    }

    #[tokio::test(start_paused = true)]
    async fn clusters_come_with_their_own_group_and_identities() {
        let bench = Bench::new().await;
        let addons = json!({"azurepolicy": {"enabled": true}, "azureKeyvaultSecretsProvider": {"enabled": true, "config": {"enableSecretRotation": "true"}}});
        let seen = bench.put(&id(), with("properties.addonProfiles", addons)).await;
        assert_eq!((seen.status, seen.at("/properties/provisioningState")), (201, &json!("Creating")));
        assert!(seen.header("azure-asyncoperation").ends_with("api-version=2016-03-30"));
        assert_eq!(seen.header("retry-after"), "");
        assert_eq!(seen.at("/id").as_str().unwrap(), id().replace("resourceGroups", "resourcegroups"));
        assert_eq!(seen.at("/type"), &json!("Microsoft.ContainerService/ManagedClusters"));
        assert!(seen.at("/properties/identityProfile").is_null());
        let busy = bench.put(&id(), Bench::cluster_body()).await;
        assert_eq!((busy.status, busy.body["code"].as_str()), (409, Some("OperationNotAllowed")));
        assert_eq!(bench.settle(&seen).await, "Succeeded");
        let got = bench.get(&id()).await;
        assert_eq!(got.at("/properties/agentPoolProfiles/0/provisioningState"), &json!("Succeeded"));
        let group = "/resourceGroups/MC_rg_mc_westeurope";
        assert_eq!(bench.get(group).await.at("/managedBy"), got.at("/id"));
        let kubelet =
            got.at("/properties/identityProfile/kubeletidentity/resourceId").as_str().unwrap().to_owned();
        assert_eq!(
            bench.get(&kubelet).await.at("/properties/principalId"),
            got.at("/properties/identityProfile/kubeletidentity/objectId")
        );
        let addon = got.at("/properties/addonProfiles/azureKeyvaultSecretsProvider/identity/resourceId");
        assert!(addon.as_str().unwrap().ends_with("/azurekeyvaultsecretsprovider-mc"));
        assert!(got.at("/properties/oidcIssuerProfile/issuerURL").as_str().unwrap().ends_with('/'));
        let credentials = bench.post(&format!("{}/listClusterUserCredential", id())).await;
        assert_eq!(credentials.at("/kubeconfigs/0/name"), &json!("clusterUser"));
        assert_eq!(bench.post(&format!("{}/listClusterUserCredential?format=pdf", id())).await.status, 400);
        let deleted = bench.delete(&id()).await;
        assert_eq!(deleted.status, 202);
        bench.settle(&deleted).await;
        assert_eq!(bench.get(group).await.status, 404);
        assert_eq!(bench.delete(&id()).await.status, 204);
    }

    #[tokio::test(start_paused = true)]
    async fn creation_is_checked() {
        let bench = Bench::new().await;
        let pool = |name: &str, mode: &str, os: &str| json!([{"name": name, "mode": mode, "osType": os, "count": 1}]);
        let pods = json!({"enabled": true, "userAssignedIdentities": [{"name": "a", "namespace": "b", "identity": {"resourceId": "x"}}]});
        for (body, what) in [
            (with("properties.dnsPrefix", json!("-x")), "dnsPrefix"),
            (with("identity", json!({"type": "UserAssigned", "userAssignedIdentities": {}})), "identity"),
            (with("properties.agentPoolProfiles", json!([])), "no pool"),
            (with("properties.agentPoolProfiles", pool("user", "User", "Linux")), "no system pool"),
            (with("properties.agentPoolProfiles", pool("win", "System", "Windows")), "windows system pool"),
            (with("properties.agentPoolProfiles", pool("Upper", "System", "Linux")), "pool name"),
            (with("properties.kubernetesVersion", json!("1.20.1")), "version"),
            (
                with("properties.windowsProfile", json!({"adminUsername": "a", "adminPassword": "short"})),
                "password",
            ),
            (with("properties.podIdentityProfile", pods), "pod identity"),
            (
                with(
                    "properties.networkProfile",
                    json!({"serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.1.0.10"}),
                ),
                "dns",
            ),
        ] {
            let seen = bench.put(&id(), body).await;
            assert_eq!(seen.status, 400, "{what}: {}", seen.body);
            assert!(seen.body.get("error").is_none(), "{what} is flat");
        }
        assert_eq!(bench.get(&id()).await.status, 404);
    }

    #[tokio::test(start_paused = true)]
    async fn updates_keep_what_they_leave_out_and_refuse_what_is_fixed() {
        let bench = Bench::new().await;
        let mut body = with("properties.kubernetesVersion", json!("1.33"));
        body["properties"]["windowsProfile"] =
            json!({"adminUsername": "a", "adminPassword": "Abcdefgh12345678"});
        body["properties"]["apiServerAccessProfile"] = json!({"authorizedIPRanges": ["1.2.3.4"]});
        let made = bench.make(&id(), body.clone()).await;
        assert_eq!(
            made["properties"]["windowsProfile"],
            json!({"adminUsername": "a", "enableCSIProxy": true})
        );
        assert_eq!(made["properties"]["apiServerAccessProfile"]["authorizedIPRanges"], json!(["1.2.3.4/32"]));
        assert_eq!(
            (&made["properties"]["kubernetesVersion"], &made["properties"]["currentKubernetesVersion"]),
            (&json!("1.33"), &json!("1.33.5"))
        );
        let fixed = bench.put(&id(), with("properties.dnsPrefix", json!("y"))).await;
        assert_eq!(
            (fixed.status, fixed.body["code"].as_str(), fixed.body["target"].as_str()),
            (400, Some("PropertyChangeNotAllowed"), Some("properties.dnsPrefix"))
        );
        let down = bench.put(&id(), with("properties.kubernetesVersion", json!("1.32"))).await;
        assert_eq!(down.status, 400);
        let mut small = Bench::cluster_body();
        small["properties"].as_object_mut().unwrap().shift_remove("agentPoolProfiles");
        small["properties"]["addonProfiles"] = json!({"azurePolicy": {"enabled": true}});
        let updated = bench.make(&id(), small).await;
        assert_eq!(updated["properties"]["kubernetesVersion"], "1.33");
        assert!(updated["properties"]["addonProfiles"]["azurePolicy"]["identity"]["objectId"].is_string());
        assert_eq!(updated["properties"]["agentPoolProfiles"].as_array().unwrap().len(), 1);
        let tags = bench.patch(&id(), json!({"tags": {"a": "b"}})).await;
        assert_eq!((tags.status, bench.settle(&tags).await.as_str()), (200, "Succeeded"));
        assert!(!serde_json::to_string(&bench.sim.export()).unwrap().contains("Abcdefgh"));
    }

    #[tokio::test(start_paused = true)]
    async fn failed_creation_leaves_a_failed_cluster_that_can_be_repaired() {
        let bench = Bench::new().await;
        let effect = Effect::FailOperation {
            code: "AKSCapacityHeavyUsage".into(),
            message: "full".into(),
            after: None,
        };
        bench.sim.fail_next(Fault::once(Method::Put, "/managedClusters/mc", effect));
        let seen = bench.put(&id(), Bench::cluster_body()).await;
        assert_eq!(bench.settle(&seen).await, "Failed");
        assert_eq!(bench.get(&id()).await.at("/properties/provisioningState"), &json!("Failed"));
        assert_eq!(bench.get("/resourceGroups/MC_rg_mc_westeurope").await.status, 404);
        let made = bench.make(&id(), Bench::cluster_body()).await;
        assert_eq!(made["properties"]["provisioningState"], "Succeeded");
        assert_eq!(bench.get("/resourceGroups/MC_rg_mc_westeurope").await.status, 200);
    }
}
