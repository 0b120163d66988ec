//! Agent pools.

use super::cluster::{cluster_of, pools, refuse_if_busy};
use super::cluster_body::{not_changeable, resolve};
use super::{machines, subnet};
use crate::core::behaviour::{Answer, Behaviour, begin};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, object_at, set, set_default, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::{cut, group_of, last};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.ContainerService/managedClusters/agentPools`.
#[derive(Debug)]
pub(crate) struct NodePool;

/// What a pool must know of its cluster.
#[derive(Debug)]
pub(crate) struct Facts {
    cluster: String,
    pub(crate) location: String,
    version: String,
    exact: String,
    azure: bool,
    overlay: bool,
    kubenet: bool,
    windows: bool,
}

impl Facts {
    /// The facts in a cluster's body.
    pub(crate) fn of(body: &Object, id: &str) -> Self {
        let is = |path: &str, wanted: &str| text(body, path).is_some_and(|v| v.eq_ignore_ascii_case(wanted));
        let of = |path: &str| text(body, path).unwrap_or_default().to_owned();
        Facts {
            cluster: id.to_ascii_lowercase(),
            location: of("location"),
            version: of("properties.kubernetesVersion"),
            exact: of("properties.currentKubernetesVersion"),
            azure: is("properties.networkProfile.networkPlugin", "azure"),
            overlay: is("properties.networkProfile.networkPluginMode", "overlay"),
            kubenet: is("properties.networkProfile.networkPlugin", "kubenet"),
            windows: at(body, "properties.windowsProfile").is_some(),
        }
    }
}

const KIND: &str = "microsoft.containerservice/managedclusters/agentpools";

/// A pool as it stands in the store.
pub(crate) fn resource(id: &str, properties: Object) -> Resource {
    let mut body = Object::new();
    body.insert("id".into(), json!(id));
    body.insert("name".into(), json!(last(id)));
    body.insert("type".into(), json!("Microsoft.ContainerService/managedClusters/agentPools"));
    body.insert("properties".into(), Value::Object(properties));
    Resource::new(id, KIND, body)
}

/// Stores a pool and lets it join its subnet.
pub(crate) fn store(world: &mut World, pool: Resource) {
    let (id, subnet) = (pool.id.clone(), subnet_of(&pool));
    world.state.resources.insert(pool);
    if let Some(subnet) = subnet {
        subnet::join(world, &subnet, &id, false);
    }
}

fn subnet_of(pool: &Resource) -> Option<String> {
    text(&pool.body, "properties.vnetSubnetID").filter(|s| !s.is_empty()).map(str::to_ascii_lowercase)
}

fn is_windows(properties: &Object) -> bool {
    text(properties, "osType").is_some_and(|os| os.eq_ignore_ascii_case("windows"))
}

fn is_system(pool: &Resource) -> bool {
    text(&pool.body, "properties.mode").is_some_and(|m| m.eq_ignore_ascii_case("system"))
}

fn invalid(target: &str, message: impl Into<String>) -> Failure {
    Failure::bad("InvalidParameter", message).target(target).flat()
}

/// Members that cannot change on a pool.
const FIXED: &[&str] = &[
    "vmSize",
    "osType",
    "type",
    "osDiskSizeGB",
    "osDiskType",
    "kubeletDiskType",
    "vnetSubnetID",
    "podSubnetID",
    "maxPods",
    "availabilityZones",
    "enableFIPS",
    "enableEncryptionAtHost",
    "enableUltraSSD",
    "enableNodePublicIP",
    "nodePublicIPPrefixID",
    "kubeletConfig",
    "linuxOSConfig",
    "scaleSetPriority",
    "scaleSetEvictionPolicy",
    "spotMaxPrice",
    "workloadRuntime",
    "gpuInstanceProfile",
    "gpuProfile",
    "hostGroupID",
    "proximityPlacementGroupID",
    "capacityReservationGroupID",
    "creationData",
    "gatewayProfile",
    "messageOfTheDay",
    "podIPAllocationMode",
    "windowsProfile",
];

/// Images that take each other's place on the nodes of a pool.
const LINUX_IMAGES: &[&str] =
    &["ubuntu", "ubuntu2204", "ubuntu2404", "azurelinux", "azurelinux3", "cblmariner"];

/// The pool that the properties describe, with defaults; its state is still that of before.
pub(crate) fn build(
    world: &mut World,
    facts: &Facts,
    id: &str,
    mut properties: Object,
) -> Result<Resource, Failure> {
    let name = last(id).to_owned();
    let key = id.to_ascii_lowercase();
    let windows = is_windows(&properties);
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let longest = if windows { 6 } else { 12 };
    if name.is_empty()
        || name.len() > longest
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.chars().all(lower)
    {
        let message = format!(
            "The agent pool name '{name}' is invalid: lower-case letters and digits, starting with a letter, at most {longest}."
        );
        return Err(invalid("agentPoolProfile.name", message));
    }
    for read_only in
        ["provisioningState", "nodeImageVersion", "currentOrchestratorVersion", "eTag", "status", "name"]
    {
        properties.shift_remove(read_only);
    }
    check_windows(facts, &properties)?;
    check_scaling(&properties)?;
    check_settings(&properties)?;
    check_subnet(world, facts, &properties, &key)?;
    let existing = world.state.resources.get(&key).cloned();
    // Asking for "choose for me" is the same as not asking.
    for choice in ["vmSize", "orchestratorVersion", "osSKU", "osDiskSizeGB", "maxPods"] {
        if matches!(properties.get(choice), Some(v) if v == &json!("") || v == &json!(0)) {
            properties.shift_remove(choice);
        }
    }
    let regular = text(&properties, "scaleSetPriority").is_none_or(|p| p.eq_ignore_ascii_case("regular"));
    if regular {
        for silent in ["scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice"] {
            properties.shift_remove(silent);
        }
    }
    if properties.get("nodeTaints").is_some_and(|t| t.as_array().is_some_and(Vec::is_empty)) {
        properties.shift_remove("nodeTaints");
    }
    if let Some(existing) = &existing {
        let stored = existing.body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for member in FIXED {
            let before = stored.get(*member);
            match (before, properties.get(*member)) {
                (Some(before), None) => {
                    properties.insert((*member).to_owned(), before.clone());
                }
                (before, Some(after)) if !same(before, after) => {
                    return Err(not_changeable(&format!("properties.{member}")));
                }
                _ => {}
            }
        }
        let image = |body: &Object| text(body, "osSKU").unwrap_or_default().to_ascii_lowercase();
        let (before, after) = (image(&stored), image(&properties));
        let both = [&before, &after].iter().all(|image| LINUX_IMAGES.contains(&image.as_str()));
        if !after.is_empty() && before != after && !both {
            return Err(not_changeable("properties.osSKU"));
        }
        for kept in ["osSKU", "orchestratorVersion", "powerState", "count"] {
            if let Some(value) = stored.get(kept) {
                properties.entry(kept).or_insert_with(|| value.clone());
            }
        }
    }
    if existing.is_none() {
        machines::check(&facts.location, &name, &properties)?;
    }
    let version = text(&properties, "orchestratorVersion").unwrap_or(&facts.version).to_owned();
    // A version that is retired meanwhile stays, on the pool and for new pools of its cluster.
    let stored = |name: &str| {
        let pool = existing.as_ref()?;
        text(&pool.body, &format!("properties.{name}")).map(str::to_owned)
    };
    let kept =
        [Some(facts.version.clone()), stored("orchestratorVersion"), stored("currentOrchestratorVersion")];
    let running = || {
        let is_kept = kept.iter().flatten().any(|kept| *kept == version);
        is_kept.then(|| stored("currentOrchestratorVersion").unwrap_or_else(|| facts.exact.clone()))
    };
    let Some(mut exact) = resolve(&version).or_else(running) else {
        let message = format!(
            "Version {version} is not supported in this region. Please use [az aks get-versions] command to get the supported version list."
        );
        return Err(Failure::bad("AgentPoolK8sVersionNotSupported", message).flat());
    };
    if version == facts.version || facts.exact.starts_with(&format!("{version}.")) {
        exact.clone_from(&facts.exact);
    }
    let minor = |v: &str| v.split('.').nth(1).and_then(|m| m.parse::<u32>().ok()).unwrap_or_default();
    if minor(&exact) > minor(&facts.exact) || minor(&exact) + 3 < minor(&facts.exact) {
        let message =
            format!("Node pool version {exact} and control plane version {} are incompatible.", facts.exact);
        return Err(Failure::bad("NodePoolMcVersionIncompatible", message).flat());
    }
    fill(facts, windows, &version, &exact, &mut properties);
    mark_spot(&mut properties);
    let state = existing.as_ref().map_or("Creating", |_| "Updating");
    properties.insert("provisioningState".into(), json!(state));
    let etag = world.etag(&key);
    properties.insert("eTag".into(), json!(etag.trim_start_matches("W/").trim_matches('"')));
    if existing.is_none() {
        world.enter_generation(&key);
    }
    Ok(resource(id, properties))
}

fn same(before: Option<&Value>, after: &Value) -> bool {
    let sorted = |v: &Value| {
        let mut items: Vec<String> = v.as_array().into_iter().flatten().map(Value::to_string).collect();
        items.sort();
        items
    };
    match (before, after) {
        (Some(Value::String(b)), Value::String(a)) => b.eq_ignore_ascii_case(a),
        (Some(b @ Value::Array(_)), a @ Value::Array(_)) => sorted(b) == sorted(a),
        (Some(Value::Object(b)), Value::Object(a)) => a.iter().all(|(name, a)| same(b.get(name), a)),
        (Some(Value::Number(b)), Value::Number(a)) => b.as_f64() == a.as_f64(),
        (Some(b), a) => b == a,
        // What is so anyway may be said.
        (None, Value::Object(a)) => a.values().all(|a| same(None, a)),
        (None, a) => {
            matches!(a, Value::Bool(false))
                || a.as_array().is_some_and(Vec::is_empty)
                || matches!(a.as_str(), Some("Install" | "OCIContainer"))
        }
    }
}

/// What AKS puts on the nodes of a Spot pool.
fn mark_spot(properties: &mut Object) {
    const MARK: &str = "kubernetes.azure.com/scalesetpriority";
    if !text(properties, "scaleSetPriority").is_some_and(|priority| priority.eq_ignore_ascii_case("spot")) {
        return;
    }
    set_default(properties, "scaleSetEvictionPolicy", "Delete");
    set_default(properties, "spotMaxPrice", -1.0);
    // A label's name has dots in it: no path leads to it.
    object_at(properties, "nodeLabels").insert(MARK.to_owned(), json!("spot"));
    let taint = json!(format!("{MARK}=spot:NoSchedule"));
    let mut taints = crate::core::json::list(properties, "nodeTaints").to_vec();
    if !taints.contains(&taint) {
        taints.push(taint);
    }
    set(properties, "nodeTaints", taints);
}

fn check_settings(properties: &Object) -> Result<(), Failure> {
    let is =
        |path: &str, wanted: &str| text(properties, path).is_some_and(|v| v.eq_ignore_ascii_case(wanted));
    if is("mode", "System") {
        if is("scaleSetPriority", "Spot") {
            return Err(invalid(
                "agentPoolProfile.scaleSetPriority",
                "A system agent pool cannot be a Spot pool.",
            ));
        }
        if is("powerState.code", "Stopped") {
            return Err(invalid("agentPoolProfile.powerState", "A system agent pool cannot be stopped."));
        }
        if properties.get("maxPods").and_then(Value::as_i64).is_some_and(|pods| (1..30).contains(&pods)) {
            return Err(invalid(
                "agentPoolProfile.maxPods",
                "A system agent pool needs maxPods of at least 30.",
            ));
        }
    }
    let spot = is("scaleSetPriority", "Spot");
    for member in ["maxSurge", "maxUnavailable"] {
        if spot && at(properties, &format!("upgradeSettings.{member}")).is_some_and(|value| !value.is_null())
        {
            let message = format!("{member} is not allowed on Spot agent pools.");
            return Err(invalid("agentPoolProfile.upgradeSettings", message));
        }
    }
    if is("mode", "Gateway") && at(properties, "gatewayProfile.publicIPPrefixSize").is_none() {
        let message = "gatewayProfile.publicIPPrefixSize is required for agent pools of mode Gateway.";
        return Err(invalid("agentPoolProfile.gatewayProfile", message));
    }
    if is_windows(properties) && at(properties, "linuxOSConfig").is_some() {
        return Err(invalid(
            "agentPoolProfile.linuxOSConfig",
            "linuxOSConfig is not allowed on Windows agent pools.",
        ));
    }
    let swap = at(properties, "linuxOSConfig.swapFileSizeMB").and_then(Value::as_i64).unwrap_or_default();
    if swap > 0 && flag(properties, "kubeletConfig.failSwapOn") != Some(false) {
        let message = "failSwapOn must be false when swapFileSizeMB is set.";
        return Err(invalid("agentPoolProfile.kubeletConfig.failSwapOn", message));
    }
    Ok(())
}

fn fill(facts: &Facts, windows: bool, version: &str, exact: &str, properties: &mut Object) {
    set_default(properties, "count", 1);
    set_default(properties, "vmSize", "Standard_D4ds_v5");
    set_default(properties, "osDiskSizeGB", 128);
    set_default(properties, "osDiskType", "Managed");
    set_default(properties, "kubeletDiskType", "OS");
    let pods = if facts.overlay {
        250
    } else if facts.kubenet {
        110
    } else {
        30
    };
    set_default(properties, "maxPods", pods);
    set_default(properties, "type", "VirtualMachineScaleSets");
    set_default(properties, "scaleDownMode", "Delete");
    set_default(properties, "powerState", json!({"code": "Running"}));
    properties.insert("orchestratorVersion".into(), json!(version));
    properties.insert("currentOrchestratorVersion".into(), json!(exact));
    set_default(properties, "enableNodePublicIP", false);
    set_default(properties, "mode", "User");
    set_default(properties, "osType", "Linux");
    set_default(properties, "osSKU", if windows { "Windows2022" } else { "Ubuntu" });
    let image = match text(properties, "osSKU").unwrap_or_default() {
        "Windows2022" => "AKSWindows-2022-containerd-20348.4171.250910",
        "Windows2025" => "AKSWindows-2025-containerd-26100.6584.250910",
        "AzureLinux" | "AzureLinux3" => "AKSAzureLinux-V3gen2-202511.07.0",
        _ => "AKSUbuntu-2204gen2containerd-202511.07.0",
    };
    properties.insert("nodeImageVersion".into(), json!(image));
    if !windows && text(properties, "scaleSetPriority").is_none() {
        set_default(properties, "upgradeSettings.maxSurge", "10%");
        set_default(properties, "upgradeSettings.maxUnavailable", "0");
    }
    set_default(properties, "enableFIPS", false);
    if !windows {
        let security = object_at(properties, "securityProfile");
        set_default(security, "sshAccess", "LocalUser");
        set_default(security, "enableVTPM", false);
        set_default(security, "enableSecureBoot", false);
    }
}

fn check_windows(facts: &Facts, properties: &Object) -> Result<(), Failure> {
    if !is_windows(properties) {
        return Ok(());
    }
    if !facts.azure {
        return Err(invalid(
            "networkProfile.networkPlugin",
            "Windows agent pools need the network plugin azure.",
        ));
    }
    if !facts.windows {
        let message = "Windows agent pools need a windowsProfile on the managed cluster.";
        return Err(invalid("windowsProfile", message));
    }
    if text(properties, "mode").is_some_and(|m| m.eq_ignore_ascii_case("system")) {
        return Err(invalid("agentPoolProfile.mode", "A system agent pool must be a Linux pool."));
    }
    Ok(())
}

fn check_scaling(properties: &Object) -> Result<(), Failure> {
    let number = |member: &str| properties.get(member).and_then(Value::as_i64);
    let (min, max) = (number("minCount"), number("maxCount"));
    if flag(properties, "enableAutoScaling") == Some(true) {
        let (Some(min), Some(max)) = (min, max) else {
            let message = "minCount and maxCount are required when enableAutoScaling is true.";
            return Err(invalid("agentPoolProfile.minCount", message));
        };
        let least =
            if text(properties, "mode").is_some_and(|m| m.eq_ignore_ascii_case("system")) { 1 } else { 0 };
        if min < least || max < min || max > 1000 {
            let message = format!(
                "minCount {min} and maxCount {max} are not in the order {least} <= minCount <= maxCount <= 1000."
            );
            return Err(invalid("agentPoolProfile.minCount", message));
        }
    } else if min.is_some() || max.is_some() {
        let message = "minCount and maxCount must be null when enableAutoScaling is false.";
        return Err(invalid("agentPoolProfile.enableAutoScaling", message));
    }
    if number("count").is_some_and(|c| !(0..=1000).contains(&c)) {
        return Err(invalid("agentPoolProfile.count", "The count must be between 0 and 1000."));
    }
    Ok(())
}

fn check_subnet(world: &World, facts: &Facts, properties: &Object, pool: &str) -> Result<(), Failure> {
    let Some(subnet) = text(properties, "vnetSubnetID").filter(|s| !s.is_empty()) else { return Ok(()) };
    let key = subnet.to_ascii_lowercase();
    let Some(found) = world.state.resources.get(&key) else {
        let message = format!("The subnet '{subnet}' of the agent pool does not exist.");
        return Err(invalid("agentPoolProfile.vnetSubnetID", message));
    };
    if let Some(service) = subnet::delegated_to(found) {
        let message = format!("The subnet '{subnet}' is delegated to {service} and cannot hold nodes.");
        return Err(invalid("agentPoolProfile.vnetSubnetID", message));
    }
    if found.state() != Some("Succeeded") {
        let message = format!("The virtual network of subnet '{subnet}' is not in Succeeded state.");
        return Err(Failure::new(409, "VirtualNetworkNotInSucceededState", message).flat().passing());
    }
    let network = |s: &str| cut(s, 2).to_ascii_lowercase();
    let others = pools(world, &facts.cluster).into_iter().filter(|k| k != pool);
    let elsewhere = others
        .filter_map(|k| subnet_of(world.state.resources.get(&k)?))
        .find(|other| network(other) != network(&key));
    if let Some(other) = elsewhere {
        let message =
            format!("All agent pools must be in one virtual network, but '{subnet}' and '{other}' are not.");
        return Err(invalid("agentPoolProfile.vnetSubnetID", message));
    }
    Ok(())
}

/// Checks the pools of a cluster together.
pub(crate) fn check_all(facts: &Facts, wanted: &[Resource]) -> Result<(), Failure> {
    if !wanted.iter().any(is_system) {
        let message =
            format!("The managed cluster {} must have at least one system agent pool.", last(&facts.cluster));
        return Err(invalid("properties.agentPoolProfiles", message));
    }
    let networks: Vec<String> = wanted.iter().filter_map(subnet_of).map(|s| cut(&s, 2).to_owned()).collect();
    if networks.iter().any(|n| *n != networks[0]) {
        let message = "All agent pools must be in one virtual network.";
        return Err(invalid("properties.agentPoolProfiles.vnetSubnetID", message));
    }
    Ok(())
}

/// Refuses a pool that does not fit beside the others of its cluster.
fn check_room(world: &World, cluster: &str, pool: &Resource) -> Result<(), Failure> {
    let Some(parent) = world.state.resources.get(cluster) else { return Ok(()) };
    let others = pools(world, cluster).into_iter().filter(|key| *key != pool.key());
    let others = others.filter_map(|key| world.state.resources.get(&key));
    let all: Vec<&Object> = others
        .chain([pool])
        .filter_map(|pool| pool.body.get("properties").and_then(Value::as_object))
        .collect();
    super::cluster_network::check_room(world, &parent.body, &all)?;
    super::cluster_network::check_outbound(world, &parent.body, &all)
}

fn last_system(world: &World, pool: &str) -> Result<(), Failure> {
    let others = pools(world, cluster_of(pool)).into_iter().filter(|k| k != pool);
    if others.filter_map(|k| world.state.resources.get(&k)).any(is_system) {
        return Ok(());
    }
    let message = "There has to be at least one system agent pool in the managed cluster.";
    Err(Failure::bad("OperationNotAllowed", message).target("agentPoolProfile.mode").flat())
}

impl Behaviour for NodePool {
    fn duration(&self, _kind: &str, act: Act, body: &Object) -> Duration {
        let windows = text(body, "properties.osType").is_some_and(|os| os.eq_ignore_ascii_case("windows"));
        match act {
            Act::Create if windows => seconds(360),
            Act::Create => seconds(240),
            Act::Delete => seconds(180),
            Act::Update | Act::Start | Act::Stop | Act::Purge => seconds(60),
        }
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let cluster = cluster_of(key).to_owned();
        refuse_if_busy(world, &cluster)?;
        let Some(parent) = world.state.resources.get(&cluster) else { return Err(call.not_found()) };
        let facts = Facts::of(&parent.body, &parent.id);
        let exists = world.state.resources.contains(key);
        let pool = build(world, &facts, &call.id, call.properties())?;
        check_room(world, &cluster, &pool)?;
        machines::check_quota(world, &facts.location, &[&pool])?;
        if exists && !is_system(&pool) && world.state.resources.get(key).is_some_and(is_system) {
            last_system(world, key)?;
        }
        if exists {
            world.updated(key);
        } else {
            *world.counters.creates.entry(key.clone()).or_default() += 1;
        }
        store(world, pool);
        let (act, status) = if exists { (Act::Update, 200) } else { (Act::Create, 201) };
        begin(world, call, status, Work::on(Style::Cluster, act, key).locking([cluster]))
    }

    fn patch(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        let message = format!("The method 'PATCH' is not allowed on '{}'.", call.type_name);
        Err(Failure::new(405, "MethodNotAllowed", message).flat())
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let cluster = cluster_of(key).to_owned();
        refuse_if_busy(world, &cluster)?;
        if is_system(world.need(call)?) {
            last_system(world, key)?;
        }
        begin(world, call, 202, Work::on(Style::Cluster, Act::Delete, key).locking([cluster]))
    }

    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        if !world.state.resources.contains(cluster_of(&call.path.key)) {
            return Err(call.not_found());
        }
        let group = group_of(&call.path.id).map_or("", last);
        let message = format!(
            "Could not find the agentpool: {} in subscription: {}, resourceGroup: {group}, resourceName: {}.",
            call.path.name(),
            world.state.subscription,
            last(cluster_of(&call.path.id)),
        );
        Err(Failure::new(404, "NotFound", message).subcode("GetAgentPool_NotFound"))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        crate::core::behaviour::settle_or_remove(world, operation);
        if matches!(operation.progress, Progress::Succeeded(_))
            && let Some(pool) = world.state.resources.edit(&operation.target)
        {
            set(&mut pool.body, "properties.provisioningState", "Succeeded");
        }
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        if let Some(subnet) = subnet_of(resource) {
            subnet::leave(world, &subnet, &resource.id);
        }
    }

    fn loaded(&self, world: &mut World, key: &str) {
        if let Some(pool) = world.state.resources.get(key).cloned() {
            store(world, pool);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    fn cluster() -> String {
        Bench::rid("Microsoft.ContainerService/managedClusters/mc")
    }

    fn pool(name: &str) -> String {
        format!("{}/agentPools/{name}", cluster())
    }

    fn with(value: Value) -> Value {
        json!({"properties": value})
    }

    #[tokio::test(start_paused = true)]
    async fn pools_are_children_and_profiles() {
        let bench = Bench::new().await;
        bench.make(&cluster(), Bench::cluster_body()).await;
        let seen = bench.put(&pool("user"), with(json!({"count": 2, "mode": "User", "nodeTaints": [], "scaleSetPriority": "Regular", "spotMaxPrice": -1}))).await;
        assert_eq!((seen.status, seen.at("/properties/provisioningState")), (201, &json!("Creating")));
        assert!(
            seen.at("/properties/nodeTaints").is_null() && seen.at("/properties/scaleSetPriority").is_null()
        );
        let busy = bench.put(&pool("other"), with(json!({"count": 1}))).await;
        assert_eq!(busy.body["code"], "OperationNotAllowed");
        bench.settle(&seen).await;
        let both = bench.get(&cluster()).await;
        assert_eq!(both.at("/properties/agentPoolProfiles/1/count"), &json!(2));
        for (name, body) in [
            ("user", json!({"count": 1, "vmSize": "Standard_Other"})),
            ("user", json!({"count": 1, "minCount": 1, "maxCount": 2})),
            ("user", json!({"enableAutoScaling": true})),
            ("system", json!({"count": 1, "mode": "User"})),
            ("windows", json!({"count": 1, "osType": "Windows"})),
            ("win", json!({"count": 1, "osType": "Windows"})),
            ("net", json!({"count": 1, "vnetSubnetID": "/nope"})),
        ] {
            let seen = bench.put(&pool(name), with(body.clone())).await;
            assert_eq!(seen.status, 400, "{body}: {}", seen.body);
        }
        assert_eq!(bench.delete(&pool("system")).await.body["code"], "OperationNotAllowed");
        let gone = bench.delete(&pool("user")).await;
        assert_eq!(gone.status, 202);
        bench.settle(&gone).await;
        let missing = bench.get(&pool("user")).await;
        assert_eq!((missing.status, &missing.body["subcode"]), (404, &json!("GetAgentPool_NotFound")));
    }

    #[tokio::test(start_paused = true)]
    async fn pools_hold_their_subnet() {
        let bench = Bench::new().await;
        let subnet = bench.subnet().await;
        let mut body = Bench::cluster_body();
        body["properties"]["agentPoolProfiles"][0]["vnetSubnetID"] = json!(subnet);
        bench.make(&cluster(), body).await;
        assert_eq!(bench.delete(&subnet).await.code(), "InUseSubnetCannotBeDeleted");
        let gone = bench.delete(&cluster()).await;
        bench.settle(&gone).await;
        assert_eq!(bench.delete(&subnet).await.status, 202);
    }
}
