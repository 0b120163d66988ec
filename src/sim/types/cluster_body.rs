//! The body of a managed cluster: rules, defaults, and what follows from the id.

use super::{cluster_profiles, generic::fill_identity};
use crate::core::call::Call;
use crate::core::cidr::Cidr;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, list, object_at, set, set_default, text};
use crate::core::path::{group_of, last};
use crate::core::store::Resource;
use crate::core::world::World;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// Minor versions and the newest patch of each.
pub(crate) const VERSIONS: &[(&str, &str)] = &[
    ("1.30", "1.30.14"),
    ("1.31", "1.31.13"),
    ("1.32", "1.32.9"),
    ("1.33", "1.33.5"),
    ("1.34", "1.34.1"),
    ("1.35", "1.35.0"),
];

/// The patches of a minor version, by its position; none of one that there is not.
pub(crate) fn patches(at: usize) -> Vec<String> {
    let Some((minor, newest)) = VERSIONS.get(at) else { return Vec::new() };
    let newest: u32 = newest.rsplit('.').next().and_then(|patch| patch.parse().ok()).unwrap_or_default();
    (0..=newest).map(|patch| format!("{minor}.{patch}")).collect()
}

/// The minor version that has nothing but long-term support.
pub(crate) const LONG_TERM: &str = "1.30";

/// The minor version of a cluster that asked for none.
pub(crate) const DEFAULT_MINOR: &str = "1.34";

/// Add-ons that get an identity of their own.
pub(crate) const IDENTITY_ADDONS: &[&str] = &[
    "azurepolicy",
    "azureKeyvaultSecretsProvider",
    "omsagent",
    "ingressApplicationGateway",
    "aciConnectorLinux",
    "httpApplicationRouting",
];

fn invalid(target: &str, message: impl Into<String>) -> Failure {
    Failure::bad("InvalidParameter", message).target(target).flat()
}

fn parts(version: &str) -> Vec<u32> {
    version.split('.').map_while(|p| p.parse().ok()).collect()
}

/// The exact version behind an alias, if the region offers it.
pub(crate) fn resolve(version: &str) -> Option<String> {
    if version.is_empty() {
        return resolve(DEFAULT_MINOR);
    }
    let wanted = parts(version);
    let (minor, patch) = VERSIONS.iter().find(|(m, _)| wanted.starts_with(&parts(m)))?;
    match wanted.len() {
        2 => Some((*patch).to_owned()),
        3 if wanted <= parts(patch) => Some(version.to_owned()),
        _ => None.filter(|_: &String| minor.is_empty()),
    }
}

fn check_version(body: &Object, existing: Option<&Resource>) -> Result<(), Failure> {
    let version = text(body, "properties.kubernetesVersion").unwrap_or_default();
    // A version that is retired meanwhile stays until somebody upgrades.
    let has =
        |path: &str| existing.and_then(|e| text(&e.body, path)).is_some_and(|running| running == version);
    if has("properties.kubernetesVersion") || has("properties.currentKubernetesVersion") {
        return Ok(());
    }
    let Some(exact) = resolve(version) else {
        let message = format!(
            "Version {version} is not supported in this region. Please use [az aks get-versions] command to get the \
             supported version list in this region. For more information, please check https://aka.ms/supported-version-list"
        );
        return Err(Failure::bad("K8sVersionNotSupported", message).flat());
    };
    let long = text(body, "properties.supportPlan")
        .is_some_and(|plan| plan.eq_ignore_ascii_case("AKSLongTermSupport"));
    if parts(&exact).starts_with(&parts(LONG_TERM)) && !long {
        let message = format!(
            "Kubernetes version {exact} is only available for Long-Term Support (LTS). Use the Premium tier and the LTS \
             support plan, or a version of [az aks get-versions]."
        );
        return Err(Failure::bad("K8sVersionNotSupported", message).flat());
    }
    let Some(running) = existing.and_then(|e| text(&e.body, "properties.currentKubernetesVersion")) else {
        return Ok(());
    };
    let (from, to) = (parts(running), parts(&exact));
    if version.matches('.').count() == 1 && from.starts_with(&parts(version)) {
        return Ok(());
    }
    if to < from {
        let message = format!(
            "Downgrading cluster from {running} to {exact} is not allowed. Available upgrades: newer versions."
        );
        return Err(Failure::bad("OperationNotAllowed", message).flat());
    }
    if to.get(1) > from.get(1).map(|m| m + 1).as_ref() {
        let message = format!(
            "Upgrading Kubernetes version {running} to {exact} is not allowed: only one minor version at a time."
        );
        return Err(Failure::bad("OperationNotAllowed", message).flat());
    }
    Ok(())
}

/// Whether a Windows password is long and mixed enough.
fn is_strong(password: &str) -> bool {
    let classes: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_ascii_alphanumeric(),
    ];
    (14..=123).contains(&password.chars().count())
        && classes.iter().filter(|c| password.chars().any(c)).count() >= 3
}

/// Checks the merged body.
pub(crate) fn check(
    world: &World,
    call: &Call<'_>,
    body: &Object,
    existing: Option<&Resource>,
) -> Result<(), Failure> {
    check_names(call, body)?;
    check_version(body, existing)?;
    check_identity(world, call, body)?;
    check_profiles(call, body, existing)?;
    check_pod_identity(body)?;
    cluster_profiles::check(&call.body, body)?;
    let Some(existing) = existing else {
        let group = node_group(call, body);
        let key = format!("/subscriptions/{}/resourcegroups/{group}", world.state.subscription)
            .to_ascii_lowercase();
        if world.state.resources.contains(&key) {
            let message = format!("The node resource group '{group}' exists already.");
            return Err(invalid("properties.nodeResourceGroup", message));
        }
        return Ok(());
    };
    const FIXED: &[&str] = &[
        "dnsPrefix",
        "fqdnSubdomain",
        "nodeResourceGroup",
        "enableRBAC",
        "diskEncryptionSetID",
        "linuxProfile.adminUsername",
        "windowsProfile.adminUsername",
        "apiServerAccessProfile.enablePrivateCluster",
        "networkProfile.serviceCidr",
        "networkProfile.dnsServiceIP",
        "networkProfile.podCidr",
        "networkProfile.networkMode",
        "networkProfile.loadBalancerSku",
    ];
    for name in FIXED {
        let path = format!("properties.{name}");
        if let (Some(before), Some(after)) = (at(&existing.body, &path), at(body, &path)) {
            let same = match (before.as_str(), after.as_str()) {
                (Some(b), Some(a)) => b.eq_ignore_ascii_case(a),
                _ => before == after,
            };
            // With its API server in the network, a cluster is made private and public in place.
            let integrated = flag(&existing.body, "properties.apiServerAccessProfile.enableVnetIntegration");
            let open = *name == "apiServerAccessProfile.enablePrivateCluster" && integrated == Some(true);
            if !same && !open {
                return Err(not_changeable(&path));
            }
        }
    }
    let plugin = |b: &Object| {
        text(b, "properties.networkProfile.networkPlugin").unwrap_or_default().to_ascii_lowercase()
    };
    let overlay = text(body, "properties.networkProfile.networkPluginMode")
        .is_some_and(|m| m.eq_ignore_ascii_case("overlay"));
    if plugin(&existing.body) != plugin(body) && !(plugin(&existing.body) == "kubenet" && overlay) {
        return Err(not_changeable("properties.networkProfile.networkPlugin"));
    }
    cluster_profiles::check_changes(&existing.body, body)?;
    if flag(&existing.body, "properties.oidcIssuerProfile.enabled") == Some(true)
        && flag(body, "properties.oidcIssuerProfile.enabled") == Some(false)
    {
        let message = "OIDC issuer feature cannot be disabled once enabled.";
        return Err(invalid("properties.oidcIssuerProfile.enabled", message));
    }
    if text(&existing.body, "properties.powerState.code") == Some("Stopped") {
        let message = "The managed cluster is in power state Stopped: start it before changing it.";
        return Err(Failure::bad("OperationNotAllowed", message).flat());
    }
    Ok(())
}

/// The refusal of a change to what is fixed.
pub(crate) fn not_changeable(path: &str) -> Failure {
    Failure::bad("PropertyChangeNotAllowed", format!("Changing property '{path}' is not allowed."))
        .target(path)
        .flat()
}

fn check_names(call: &Call<'_>, body: &Object) -> Result<(), Failure> {
    let edges = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let name = call.path.name();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !(1..=63).contains(&name.len()) || !edges(name) || !name.chars().all(fits) {
        let message = format!("The resource name '{name}' is invalid: 1 to 63 letters, digits, '-' and '_'.");
        return Err(invalid("resourceName", message));
    }
    let prefix = text(body, "properties.dnsPrefix");
    let subdomain = text(body, "properties.fqdnSubdomain");
    match (prefix, subdomain) {
        (None, None) => {
            return Err(invalid("properties.dnsPrefix", "Required parameter dnsPrefix is missing (null)."));
        }
        (Some(_), Some(_)) => {
            return Err(invalid("properties.dnsPrefix", "dnsPrefix and fqdnSubdomain cannot both be given."));
        }
        _ => {}
    }
    let prefix = prefix.or(subdomain).unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !(1..=54).contains(&prefix.len()) || !edges(prefix) || !prefix.chars().all(fits) {
        let message = format!(
            "The value of parameter dnsPrefix '{prefix}' is invalid: 1 to 54 letters, digits and '-'."
        );
        return Err(invalid("properties.dnsPrefix", message));
    }
    Ok(())
}

fn check_identity(world: &World, call: &Call<'_>, body: &Object) -> Result<(), Failure> {
    let kind = text(body, "identity.type").unwrap_or_default().to_ascii_lowercase();
    let principal = text(body, "properties.servicePrincipalProfile.clientId");
    match kind.as_str() {
        "systemassigned" => Ok(()),
        "userassigned" => {
            let ids = at(body, "identity.userAssignedIdentities")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            if ids.len() != 1 {
                let message = "Exactly one user-assigned identity must be given.";
                return Err(invalid("identity.userAssignedIdentities", message));
            }
            for (id, value) in &ids {
                if value.as_object().is_some_and(|v| !v.is_empty()) {
                    let message = "The principalId and clientId of a user-assigned identity cannot be set.";
                    return Err(Failure::bad("InvalidIdentityValues", message).flat());
                }
                if !world.state.resources.contains(&id.to_ascii_lowercase()) {
                    let message = format!("The user-assigned identity '{id}' was not found.");
                    return Err(Failure::bad("FailedIdentityOperation", message).flat());
                }
            }
            Ok(())
        }
        _ if principal.is_some_and(|p| p != "msi") && call.body.get("identity").is_none() => Ok(()),
        _ => {
            let message = "Provisioning of resource(s) needs either an identity or a service principal.";
            Err(invalid("identity", message))
        }
    }
}

fn check_profiles(call: &Call<'_>, body: &Object, existing: Option<&Resource>) -> Result<(), Failure> {
    let plugin = text(body, "properties.networkProfile.networkPlugin").unwrap_or("azure");
    if at(&call.body, "properties.windowsProfile").is_some() {
        let stored = existing.is_some_and(|e| at(&e.body, "properties.windowsProfile").is_some());
        let password = text(&call.body, "properties.windowsProfile.adminPassword");
        if !plugin.eq_ignore_ascii_case("azure") {
            return Err(invalid(
                "properties.windowsProfile",
                "Windows profiles need the network plugin azure.",
            ));
        }
        if password.is_some_and(|p| !is_strong(p)) || (password.is_none() && !stored) {
            let message =
                "The Windows admin password must have 14 to 123 characters of at least three kinds.";
            return Err(invalid("properties.windowsProfile.adminPassword", message));
        }
        if text(body, "properties.windowsProfile.adminUsername").is_none_or(str::is_empty) {
            return Err(invalid(
                "properties.windowsProfile.adminUsername",
                "The Windows admin user name is required.",
            ));
        }
    }
    let oidc = flag(body, "properties.oidcIssuerProfile.enabled");
    if flag(body, "properties.securityProfile.workloadIdentity.enabled") == Some(true) && oidc == Some(false)
    {
        let message = "Workload identity requires the OIDC issuer to be enabled.";
        return Err(invalid("properties.securityProfile.workloadIdentity", message));
    }
    if flag(body, "properties.disableLocalAccounts") == Some(true)
        && at(body, "properties.aadProfile").is_none()
        && !is_automatic(body)
    {
        let message = "Local accounts can be disabled only on clusters with an aadProfile.";
        return Err(invalid("properties.disableLocalAccounts", message));
    }
    let service = text(body, "properties.networkProfile.serviceCidr").map(Cidr::parse);
    let dns = text(body, "properties.networkProfile.dnsServiceIP");
    match (service, dns) {
        (Some(None), _) => {
            Err(invalid("properties.networkProfile.serviceCidr", "The service CIDR is invalid."))
        }
        (Some(Some(range)), Some(dns)) if !range.holds(dns) || range.nth(1) == dns => {
            let message =
                format!("DNS service IP {dns} is not in the service CIDR, or is its first address.");
            Err(Failure::bad("DnsServiceIpOutOfServiceCidr", message).flat())
        }
        _ => Ok(()),
    }
}

fn check_pod_identity(body: &Object) -> Result<(), Failure> {
    if flag(body, "properties.podIdentityProfile.enabled") != Some(true) {
        return Ok(());
    }
    let kubenet = text(body, "properties.networkProfile.networkPlugin")
        .is_some_and(|p| p.eq_ignore_ascii_case("kubenet"));
    if kubenet && flag(body, "properties.podIdentityProfile.allowNetworkPluginKubenet") != Some(true) {
        let message = "Network plugin kubenet is not supported to use with PodIdentity addon unless it is explicitly allowed.";
        return Err(invalid("properties.podIdentityProfile", message));
    }
    for item in list(body, "properties.podIdentityProfile.userAssignedIdentities") {
        let has = |path: &str| item.pointer(path).and_then(Value::as_str).is_some_and(|v| !v.is_empty());
        let needed =
            ["/name", "/namespace", "/identity/resourceId", "/identity/clientId", "/identity/objectId"];
        if let Some(missing) = needed.iter().find(|p| !has(p)) {
            let message =
                format!("A pod identity lacks '{}'.", missing.trim_start_matches('/').replace('/', "."));
            return Err(invalid("properties.podIdentityProfile.userAssignedIdentities", message));
        }
    }
    Ok(())
}

/// Sets the state of every pod identity.
pub(crate) fn assign_pod_identities(body: &mut Object, state: &str) {
    const PATH: &str = "properties.podIdentityProfile.userAssignedIdentities";
    if at(body, PATH).is_none() {
        return;
    }
    let mut identities = list(body, PATH).to_vec();
    for identity in &mut identities {
        identity["provisioningState"] = json!(state);
    }
    set(body, PATH, identities);
}

/// The resource group of the nodes.
fn node_group(call: &Call<'_>, body: &Object) -> String {
    if let Some(group) = text(body, "properties.nodeResourceGroup").filter(|g| !g.is_empty()) {
        return group.to_owned();
    }
    let group = group_of(&call.path.id).map_or("", last);
    let name = format!("MC_{group}_{}_{}", call.path.name(), text(body, "location").unwrap_or_default());
    name.chars().take(80).collect()
}

/// Adds what AKS adds, and puts values into the form it answers with.
pub(crate) fn fill(
    world: &mut World,
    call: &Call<'_>,
    merged: Object,
    existing: Option<&Resource>,
) -> Result<Object, Failure> {
    let key = &call.path.key;
    let mut body = call.envelope();
    body.insert("type".into(), json!("Microsoft.ContainerService/ManagedClusters"));
    let old_etag = world.etag(key);
    body.extend(merged);
    body.insert("eTag".into(), json!(old_etag.trim_start_matches("W/").trim_matches('"')));
    fill_identity(world, key, &mut body);
    let location = text(&body, "location").unwrap_or_default().to_owned();
    let version = text(&body, "properties.kubernetesVersion").unwrap_or_default().to_owned();
    let version = if version.is_empty() { DEFAULT_MINOR.to_owned() } else { version };
    let running =
        existing.and_then(|e| text(&e.body, "properties.currentKubernetesVersion")).map(str::to_owned);
    let exact = match running {
        Some(running) if parts(&running).starts_with(&parts(&version)) => running,
        _ => resolve(&version).unwrap_or_default(),
    };
    let (token, prefix) = (
        world.token(key, "host"),
        text(&body, "properties.dnsPrefix").or_else(|| text(&body, "properties.fqdnSubdomain")),
    );
    let host = format!("{}-{token}", prefix.unwrap_or_default());
    let group = node_group(call, &body);
    set(&mut body, "properties.provisioningState", if existing.is_some() { "Updating" } else { "Creating" });
    set_default(&mut body, "properties.powerState", json!({"code": "Running"}));
    set(&mut body, "properties.kubernetesVersion", version.clone());
    set(&mut body, "properties.currentKubernetesVersion", exact);
    set(&mut body, "properties.fqdn", format!("{host}.hcp.{location}.azmk8s.io"));
    set(&mut body, "properties.azurePortalFQDN", format!("{host}.portal.hcp.{location}.azmk8s.io"));
    if flag(&body, "properties.apiServerAccessProfile.enablePrivateCluster") == Some(true) {
        let zone = world.uuid(key, "zone");
        set(&mut body, "properties.privateFQDN", format!("{host}.{zone}.privatelink.{location}.azmk8s.io"));
        set_default(&mut body, "properties.apiServerAccessProfile.privateDNSZone", "system");
    }
    set(&mut body, "properties.nodeResourceGroup", group);
    set_default(&mut body, "properties.servicePrincipalProfile", json!({"clientId": "msi"}));
    set_default(&mut body, "properties.enableRBAC", true);
    set_default(&mut body, "properties.supportPlan", "KubernetesOfficial");
    set_default(&mut body, "properties.maxAgentPools", 100);
    set_default(
        &mut body,
        "properties.resourceUID",
        world.uuid(key, "uid").replace('-', "")[..24].to_owned(),
    );
    set_default(&mut body, "sku", json!({"name": "Base", "tier": "Free"}));
    let automatic = is_automatic(&body);
    set_default(&mut body, "kind", if automatic { "Automatic" } else { "Base" });
    if automatic {
        fill_automatic(&mut body);
    }
    fill_network(&mut body);
    fill_secrets_and_access(world, &mut body);
    fill_profiles(world, key, &location, &version, &mut body);
    cluster_profiles::fill(&mut body);
    assign_pod_identities(&mut body, "Updating");
    Ok(body)
}

fn is_automatic(body: &Object) -> bool {
    text(body, "sku.name").is_some_and(|name| name.eq_ignore_ascii_case("Automatic"))
}

/// What AKS Automatic has without being asked.
fn fill_automatic(body: &mut Object) {
    let on = json!({"enabled": true});
    for (path, value) in [
        ("addonProfiles.azureKeyvaultSecretsProvider.enabled", json!(true)),
        ("addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation", json!("true")),
        ("addonProfiles.azurepolicy", json!({"enabled": true, "config": null})),
        ("networkProfile.networkPlugin", json!("azure")),
        ("networkProfile.networkPluginMode", json!("overlay")),
        ("networkProfile.networkPolicy", json!("cilium")),
        ("networkProfile.networkDataplane", json!("cilium")),
        ("networkProfile.outboundType", json!("managedNATGateway")),
        ("aadProfile.adminUsers", Value::Null),
        ("aadProfile.enableAzureRBAC", json!(true)),
        ("apiServerAccessProfile.enablePrivateCluster", json!(false)),
        ("apiServerAccessProfile.enableVnetIntegration", json!(true)),
        ("apiServerAccessProfile.subnetId", json!("")),
        ("autoUpgradeProfile.upgradeChannel", json!("stable")),
        ("disableLocalAccounts", json!(true)),
        ("securityProfile.imageCleaner", json!({"enabled": true, "intervalHours": 168})),
        ("securityProfile.workloadIdentity", on.clone()),
        ("oidcIssuerProfile.enabled", json!(true)),
        (
            "ingressProfile.webAppRouting",
            json!({
                "enabled": true, "dnsZoneResourceIds": null, "identity": null,
                "nginx": {"defaultIngressControllerType": "AnnotationControlled"},
            }),
        ),
        ("workloadAutoScalerProfile.keda", on.clone()),
        ("workloadAutoScalerProfile.verticalPodAutoscaler", on),
        ("nodeResourceGroupProfile.restrictionLevel", json!("ReadOnly")),
        ("nodeProvisioningProfile", json!({"mode": "Auto", "defaultNodePools": "Auto"})),
    ] {
        set_default(body, &format!("properties.{path}"), value);
    }
}

fn fill_network(body: &mut Object) {
    let network = object_at(body, "properties.networkProfile");
    if network.is_empty() {
        // Nothing was asked: new clusters get the overlay.
        set_default(network, "networkPluginMode", "overlay");
    }
    set_default(network, "networkPlugin", "azure");
    let kubenet = text(network, "networkPlugin").is_some_and(|p| p.eq_ignore_ascii_case("kubenet"));
    let overlay = text(network, "networkPluginMode").is_some_and(|m| m.eq_ignore_ascii_case("overlay"));
    set_default(network, "networkDataplane", "azure");
    let cilium = text(network, "networkDataplane").is_some_and(|plane| plane.eq_ignore_ascii_case("cilium"));
    set_default(network, "networkPolicy", if cilium { "cilium" } else { "none" });
    set_default(network, "loadBalancerSku", "standard");
    set_default(network, "outboundType", "loadBalancer");
    if text(network, "outboundType") == Some("loadBalancer") {
        let own = ["outboundIPs", "outboundIPPrefixes"];
        if !own.iter().any(|o| at(network, &format!("loadBalancerProfile.{o}")).is_some()) {
            set_default(network, "loadBalancerProfile.managedOutboundIPs", json!({"count": 1}));
        }
        set_default(network, "loadBalancerProfile.backendPoolType", "nodeIPConfiguration");
    }
    if text(network, "outboundType") == Some("managedNATGateway") {
        set_default(network, "loadBalancerProfile.backendPoolType", "nodeIPConfiguration");
        set_default(network, "natGatewayProfile.managedOutboundIPProfile.count", 1);
        set_default(network, "natGatewayProfile.idleTimeoutInMinutes", 4);
    }
    if kubenet || overlay {
        set_default(network, "podCidr", "10.244.0.0/16");
    }
    set_default(network, "serviceCidr", "10.0.0.0/16");
    set_default(network, "dnsServiceIP", "10.0.0.10");
    if let Some(pods) = text(network, "podCidr").map(str::to_owned) {
        set_default(network, "podCidrs", json!([pods]));
    }
    let services = text(network, "serviceCidr").unwrap_or_default().to_owned();
    set_default(network, "serviceCidrs", json!([services]));
    set_default(network, "ipFamilies", json!(["IPv4"]));
}

fn fill_secrets_and_access(world: &World, body: &mut Object) {
    for secret in
        ["windowsProfile.adminPassword", "servicePrincipalProfile.secret", "aadProfile.serverAppSecret"]
    {
        crate::core::json::remove(body, &format!("properties.{secret}"));
    }
    if at(body, "properties.windowsProfile").is_some() {
        set_default(body, "properties.windowsProfile.enableCSIProxy", true);
    }
    if at(body, "properties.aadProfile").is_some() {
        set_default(body, "properties.aadProfile.managed", true);
        set_default(body, "properties.aadProfile.tenantID", world.state.tenant.clone());
        set_default(body, "properties.aadProfile.adminGroupObjectIDs", Value::Null);
        set_default(body, "properties.aadProfile.enableAzureRBAC", false);
    }
    if at(body, "properties.apiServerAccessProfile.authorizedIPRanges").is_some() {
        let ranges: Vec<String> = list(body, "properties.apiServerAccessProfile.authorizedIPRanges")
            .iter()
            .filter_map(Value::as_str)
            .map(|r| if r.contains('/') { r.to_owned() } else { format!("{r}/32") })
            .collect();
        set(body, "properties.apiServerAccessProfile.authorizedIPRanges", ranges);
    }
}

fn fill_profiles(world: &World, key: &str, location: &str, version: &str, body: &mut Object) {
    let modern = parts(version) >= vec![1, 34];
    set_default(body, "properties.oidcIssuerProfile.enabled", modern);
    if flag(body, "properties.oidcIssuerProfile.enabled") == Some(true) {
        let (tenant, guid) = (&world.state.tenant, world.uuid(key, "issuer"));
        let url = format!("https://{location}.oic.prod-aks.azure.com/{tenant}/{guid}/");
        set_default(body, "properties.oidcIssuerProfile.issuerURL", url);
    }
    object_at(body, "properties.securityProfile");
    for (driver, on) in [("diskCSIDriver", true), ("fileCSIDriver", true), ("snapshotController", true)] {
        set_default(body, &format!("properties.storageProfile.{driver}"), json!({"enabled": on}));
    }
    set_default(body, "properties.autoUpgradeProfile.nodeOSUpgradeChannel", "NodeImage");
    object_at(body, "properties.workloadAutoScalerProfile");
    set_default(body, "properties.metricsProfile.costAnalysis.enabled", false);
    set_default(body, "properties.nodeProvisioningProfile.mode", "Manual");
    set_default(body, "properties.bootstrapProfile.artifactSource", "Direct");
    set_default(body, "properties.hostedSystemProfile.enabled", false);
    for empty in ["tags", "properties.addonProfiles"] {
        if at(body, empty).and_then(Value::as_object).is_some_and(Object::is_empty) {
            crate::core::json::remove(body, empty);
        }
    }
}

/// A kubeconfig that leads nowhere. `format` is how people sign in who have no certificate; on a cluster that does not
/// know Entra ID everybody has one.
pub(crate) fn kubeconfig(cluster: &Resource, name: &str, format: Option<&str>) -> Value {
    let host = text(&cluster.body, "properties.fqdn")
        .or_else(|| text(&cluster.body, "properties.privateFQDN"))
        .unwrap_or_default();
    let tenant = text(&cluster.body, "properties.aadProfile.tenantID").unwrap_or_default();
    let has_entra = at(&cluster.body, "properties.aadProfile").is_some_and(Value::is_object);
    let cluster = last(&cluster.id);
    let made_up = |what: &str| BASE64_STANDARD.encode(format!("{what} of {cluster}"));
    const SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
    const CLIENT: &str = "80faf920-1908-4b52-b5ef-a6a6b5c8b1be";
    let user = match format.filter(|_| has_entra) {
        Some(format) if format.eq_ignore_ascii_case("exec") => format!(
            "    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      command: kubelogin\n      args:\n      \
             - get-token\n      - --environment\n      - AzurePublicCloud\n      - --server-id\n      - {SERVER}\n      \
             - --client-id\n      - {CLIENT}\n      - --tenant-id\n      - {tenant}\n      - --login\n      \
             - devicecode\n      env: null\n      provideClusterInfo: false\n"
        ),
        Some(_) => format!(
            "    auth-provider:\n      name: azure\n      config:\n        apiserver-id: {SERVER}\n        \
             client-id: {CLIENT}\n        config-mode: '1'\n        environment: AzurePublicCloud\n        \
             tenant-id: {tenant}\n"
        ),
        None => format!(
            "    client-certificate-data: {}\n    client-key-data: {}\n    token: {}\n",
            made_up("certificate"),
            made_up("key"),
            made_up("token")
        ),
    };
    let config = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: {cluster}\n  cluster:\n    certificate-authority-data: {}\n    \
         server: https://{host}:443\ncontexts:\n- name: {cluster}\n  context:\n    cluster: {cluster}\n    \
         user: {name}_{cluster}\ncurrent-context: {cluster}\npreferences: {{}}\nusers:\n- name: {name}_{cluster}\n  user:\n{user}",
        made_up("authority")
    );
    json!({"kubeconfigs": [{"name": name, "value": BASE64_STANDARD.encode(config)}]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_resolve_to_patches() {
        assert_eq!(resolve("1.33").as_deref(), Some("1.33.5"));
        assert_eq!(resolve("1.33.2").as_deref(), Some("1.33.2"));
        assert_eq!(resolve(""), resolve(DEFAULT_MINOR));
        assert_eq!(resolve("1.20"), None);
        assert_eq!(resolve("1.33.99"), None);
    }

    #[test]
    fn passwords_need_length_and_three_classes() {
        assert!(is_strong("Abcdefgh123456"));
        assert!(!is_strong("abcdefgh123456"));
        assert!(!is_strong("Abc1!"));
    }
}
