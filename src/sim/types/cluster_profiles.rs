//! The smaller profiles of a managed cluster: what they take, how they change, what AKS fills in.

use super::cluster_body::not_changeable;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, list, object_at, remove, set, set_default, text};
use serde_json::{Value, json};

/// The revision of the mesh on a cluster that asked for none.
const MESH_REVISION: &str = "asm-1-26";

fn invalid(target: &str, message: impl Into<String>) -> Failure {
    Failure::bad("InvalidParameter", message).target(target).flat()
}

fn is(body: &Object, path: &str, wanted: &str) -> bool {
    text(body, path).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
}

/// Checks what was sent, and what it comes to.
pub(crate) fn check(sent: &Object, body: &Object) -> Result<(), Failure> {
    const KMS: &str = "properties.securityProfile.azureKeyVaultKms";
    if let Some(kms) = at(sent, KMS).and_then(Value::as_object) {
        let has = |member: &str| text(kms, member).is_some_and(|value| !value.is_empty());
        let private = is(kms, "keyVaultNetworkAccess", "Private");
        match flag(kms, "enabled") {
            Some(true) if !has("keyId") => {
                return Err(invalid(
                    KMS,
                    "keyId is required when Azure Key Vault key management service is enabled.",
                ));
            }
            Some(true) if private != has("keyVaultResourceId") => {
                let message =
                    "keyVaultResourceId is required with, and only with, keyVaultNetworkAccess Private.";
                return Err(invalid(KMS, message));
            }
            Some(false) if has("keyId") => {
                let message = "keyId must be empty when Azure Key Vault key management service is disabled.";
                return Err(invalid(KMS, message));
            }
            _ => {}
        }
    }
    const BALANCER: &str = "properties.networkProfile.loadBalancerProfile";
    if let Some(balancer) = at(sent, BALANCER).and_then(Value::as_object) {
        let sources = ["managedOutboundIPs", "outboundIPs", "outboundIPPrefixes"];
        if sources.iter().filter(|name| balancer.get(**name).is_some_and(|v| !v.is_null())).count() > 1 {
            let message = "Only one of managedOutboundIPs, outboundIPs and outboundIPPrefixes may be given.";
            return Err(invalid(BALANCER, message));
        }
    }
    if is(body, "properties.networkProfile.outboundType", "none")
        && !is(body, "properties.bootstrapProfile.artifactSource", "Cache")
    {
        let message = "Outbound type none requires the bootstrap artifact source Cache.";
        return Err(invalid("properties.networkProfile.outboundType", message));
    }
    let free = text(body, "sku.tier").is_none_or(|tier| tier.eq_ignore_ascii_case("Free"));
    let automatic = is(body, "sku.name", "Automatic");
    if flag(body, "properties.metricsProfile.costAnalysis.enabled") == Some(true) && free && !automatic {
        let message = "Cost analysis requires the tier Standard or Premium.";
        return Err(invalid("properties.metricsProfile.costAnalysis", message));
    }
    if is(body, "properties.supportPlan", "AKSLongTermSupport") && !is(body, "sku.tier", "Premium") {
        return Err(invalid("properties.supportPlan", "AKSLongTermSupport requires the tier Premium."));
    }
    if is(body, "properties.networkProfile.networkPolicy", "cilium")
        && !is(body, "properties.networkProfile.networkDataplane", "cilium")
    {
        let message = "Network policy cilium requires the network dataplane cilium.";
        return Err(invalid("properties.networkProfile.networkPolicy", message));
    }
    if flag(body, "properties.networkProfile.advancedNetworking.security.enabled") == Some(true)
        && !is(body, "properties.networkProfile.networkDataplane", "cilium")
    {
        let message = "Advanced networking security requires the network dataplane cilium.";
        return Err(invalid("properties.networkProfile.advancedNetworking.security", message));
    }
    let revisions = list(body, "properties.serviceMeshProfile.istio.revisions");
    if revisions.len() > 2 {
        return Err(invalid(
            "properties.serviceMeshProfile.istio.revisions",
            "At most two revisions may be given.",
        ));
    }
    if flag(body, "properties.httpProxyConfig.enabled") == Some(true)
        && text(body, "properties.httpProxyConfig.httpProxy").is_none()
        && text(body, "properties.httpProxyConfig.httpsProxy").is_none()
    {
        return Err(invalid("properties.httpProxyConfig", "httpProxy or httpsProxy is required."));
    }
    Ok(())
}

/// A text that changes only along some ways: path, what it is when absent, from and to.
type Way = (&'static str, &'static str, &'static [(&'static str, &'static [&'static str])]);

const WAYS: &[Way] = &[
    ("networkProfile.networkPluginMode", "", &[("", &["overlay"])]),
    ("networkProfile.networkDataplane", "azure", &[("azure", &["cilium"])]),
    (
        "networkProfile.networkPolicy",
        "none",
        &[
            ("none", &["azure", "calico", "cilium"]),
            ("azure", &["cilium", "none"]),
            ("calico", &["cilium", "none"]),
        ],
    ),
    (
        "networkProfile.outboundType",
        "loadbalancer",
        &[
            (
                "loadbalancer",
                &["managednatgateway", "userassignednatgateway", "userdefinedrouting", "none", "block"],
            ),
            ("managednatgateway", &["none", "block"]),
            ("userassignednatgateway", &["loadbalancer", "userdefinedrouting", "none"]),
            ("userdefinedrouting", &["loadbalancer", "userassignednatgateway", "none"]),
            (
                "none",
                &[
                    "loadbalancer",
                    "managednatgateway",
                    "userassignednatgateway",
                    "userdefinedrouting",
                    "block",
                ],
            ),
            ("block", &["none"]),
        ],
    ),
];

/// Refuses changes of what only goes one way.
pub(crate) fn check_changes(before: &Object, after: &Object) -> Result<(), Failure> {
    for (name, absent, ways) in WAYS {
        let path = format!("properties.{name}");
        let of = |body: &Object| {
            text(body, &path).filter(|t| !t.is_empty()).unwrap_or(absent).to_ascii_lowercase()
        };
        let (from, to) = (of(before), of(after));
        let open = ways.iter().any(|(start, ends)| *start == from && ends.contains(&to.as_str()));
        if from != to && !open {
            return Err(not_changeable(&path));
        }
    }
    let lower = |body: &Object, name: &str| {
        text(body, &format!("properties.networkProfile.{name}")).unwrap_or_default().to_ascii_lowercase()
    };
    if lower(before, "networkPluginMode") != "overlay" && lower(after, "networkPluginMode") == "overlay" {
        const MODE: &str = "networkProfile.networkPluginMode";
        let engine = lower(before, "networkPolicy");
        if matches!(engine.as_str(), "azure" | "calico") {
            let message = format!(
                "Upgrading to Azure CNI Overlay is not allowed while network policy {engine} is enabled: uninstall it first."
            );
            return Err(Failure::bad("OperationNotAllowed", message).target(MODE).flat());
        }
        if lower(before, "networkDataplane") != "cilium" && lower(after, "networkDataplane") == "cilium" {
            let message = "networkPluginMode and networkDataplane cannot be changed in one operation.";
            return Err(Failure::bad("OperationNotAllowed", message).target(MODE).flat());
        }
    }
    const ZONE: &str = "properties.apiServerAccessProfile.privateDNSZone";
    if let (Some(from), Some(to)) = (text(before, ZONE), text(after, ZONE))
        && !from.eq_ignore_ascii_case(to)
        && !to.eq_ignore_ascii_case("none")
    {
        return Err(not_changeable(ZONE));
    }
    for path in ["properties.apiServerAccessProfile.enableVnetIntegration", "properties.aadProfile.managed"] {
        if flag(before, path) == Some(true) && flag(after, path) == Some(false) {
            return Err(not_changeable(path));
        }
    }
    const KUBELET: &str = "properties.identityProfile.kubeletidentity.resourceId";
    const PRINCIPAL: &str = "properties.servicePrincipalProfile.clientId";
    for path in [KUBELET, PRINCIPAL] {
        let fixed = path == KUBELET || text(before, path) == Some("msi");
        if let (Some(from), Some(to)) = (text(before, path), text(after, path))
            && fixed
            && !from.eq_ignore_ascii_case(to)
        {
            return Err(not_changeable(path));
        }
    }
    for member in ["ipFamilies", "podCidrs", "serviceCidrs"] {
        let path = format!("properties.networkProfile.{member}");
        let (before, after) = (list(before, &path), list(after, &path));
        if !before.is_empty() && !after.is_empty() && before != after {
            return Err(not_changeable(&path));
        }
    }
    Ok(())
}

/// Takes out of the stored profiles what the request puts something else in place of.
pub(crate) fn make_room(stored: &mut Object, sent: &Object) {
    // A load balancer's profile is taken as it is sent, with defaults for the rest.
    if at(sent, "networkProfile.loadBalancerProfile").is_some() {
        remove(stored, "networkProfile.loadBalancerProfile");
    }
    // With another way out, what belonged to the old one goes.
    let way = "networkProfile.outboundType";
    if let Some(new) = text(sent, way)
        && !text(stored, way).is_some_and(|old| old.eq_ignore_ascii_case(new))
    {
        for profile in ["networkProfile.loadBalancerProfile", "networkProfile.natGatewayProfile"] {
            if at(sent, profile).is_none() {
                remove(stored, profile);
            }
        }
    }
    if flag(sent, "securityProfile.azureKeyVaultKms.enabled").is_some() {
        remove(stored, "securityProfile.azureKeyVaultKms");
    }
    if is(sent, "serviceMeshProfile.mode", "Disabled") {
        remove(stored, "serviceMeshProfile");
    }
}

/// What the autoscaler does when nobody says.
const AUTOSCALER: &[(&str, &str)] = &[
    ("balance-similar-node-groups", "false"),
    ("expander", "random"),
    ("max-empty-bulk-delete", "10"),
    ("max-graceful-termination-sec", "600"),
    ("max-node-provision-time", "15m"),
    ("max-total-unready-percentage", "45"),
    ("new-pod-scale-up-delay", "0s"),
    ("ok-total-unready-count", "3"),
    ("scan-interval", "10s"),
    ("scale-down-delay-after-add", "10m"),
    ("scale-down-delay-after-failure", "3m"),
    ("scale-down-unneeded-time", "10m"),
    ("scale-down-unready-time", "20m"),
    ("scale-down-utilization-threshold", "0.5"),
    ("skip-nodes-with-local-storage", "false"),
    ("skip-nodes-with-system-pods", "true"),
];

/// Adds what AKS adds to the profiles that are there.
pub(crate) fn fill(body: &mut Object) {
    let there = |body: &Object, path: &str| at(body, &format!("properties.{path}")).is_some();
    if there(body, "autoScalerProfile") {
        let profile = object_at(body, "properties.autoScalerProfile");
        for (name, value) in AUTOSCALER {
            set_default(profile, name, *value);
        }
        let interval = text(profile, "scan-interval").unwrap_or("10s").to_owned();
        set_default(profile, "scale-down-delay-after-delete", interval);
    }
    if flag(body, "properties.securityProfile.imageCleaner.enabled") == Some(true) {
        set_default(body, "properties.securityProfile.imageCleaner.intervalHours", 168);
    }
    if flag(body, "properties.securityProfile.azureKeyVaultKms.enabled") == Some(true) {
        set_default(body, "properties.securityProfile.azureKeyVaultKms.keyVaultNetworkAccess", "Public");
    }
    if there(body, "httpProxyConfig") {
        set_default(body, "properties.httpProxyConfig.enabled", true);
        let mut hosts = list(body, "properties.httpProxyConfig.noProxy").to_vec();
        for host in ["localhost", "127.0.0.1", "168.63.129.16", "169.254.169.254", "konnectivity"] {
            if !hosts.iter().any(|known| known == host) {
                hosts.insert(0, json!(host));
            }
        }
        set(body, "properties.httpProxyConfig.noProxy", hosts);
    }
    if is(body, "properties.serviceMeshProfile.mode", "Istio") {
        set_default(body, "properties.serviceMeshProfile.istio.revisions", json!([MESH_REVISION]));
    }
    if flag(body, "properties.ingressProfile.webAppRouting.enabled") == Some(true) {
        const NGINX: &str = "properties.ingressProfile.webAppRouting.nginx.defaultIngressControllerType";
        set_default(body, NGINX, "AnnotationControlled");
    }
    if flag(body, "properties.apiServerAccessProfile.enablePrivateCluster") == Some(true) {
        set_default(body, "properties.apiServerAccessProfile.enablePrivateClusterPublicFQDN", true);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    fn id() -> String {
        Bench::rid("Microsoft.ContainerService/managedClusters/mc")
    }

    fn body(more: Value) -> Value {
        let mut body = Bench::cluster_body();
        crate::core::json::merge(body["properties"].as_object_mut().unwrap(), more.as_object().unwrap());
        body
    }

    #[tokio::test(start_paused = true)]
    async fn profiles_are_filled_in() {
        let bench = Bench::new().await;
        let made = bench
            .make(
                &id(),
                body(json!({
                    "autoScalerProfile": {"scan-interval": "20s"},
                    "httpProxyConfig": {"httpProxy": "http://p:1", "noProxy": ["shop.local"]},
                    "securityProfile": {
                        "imageCleaner": {"enabled": true},
                        "azureKeyVaultKms": {"enabled": true, "keyId": "https://v/keys/k/1"},
                    },
                    "serviceMeshProfile": {"mode": "Istio"},
                    "ingressProfile": {"webAppRouting": {"enabled": true}},
                })),
            )
            .await;
        let properties = &made["properties"];
        assert_eq!(properties["autoScalerProfile"]["scale-down-delay-after-delete"], "20s");
        assert_eq!(properties["autoScalerProfile"]["expander"], "random");
        assert!(properties["httpProxyConfig"]["noProxy"].as_array().unwrap().contains(&json!("localhost")));
        assert_eq!(properties["securityProfile"]["imageCleaner"]["intervalHours"], 168);
        assert_eq!(properties["securityProfile"]["azureKeyVaultKms"]["keyVaultNetworkAccess"], "Public");
        assert_eq!(properties["serviceMeshProfile"]["istio"]["revisions"], json!(["asm-1-26"]));
        assert!(properties["ingressProfile"]["webAppRouting"]["identity"]["objectId"].is_string());

        let off = body(json!({
            "securityProfile": {"azureKeyVaultKms": {"enabled": false}},
            "serviceMeshProfile": {"mode": "Disabled"},
        }));
        let made = bench.make(&id(), off).await;
        assert_eq!(made["properties"]["securityProfile"]["azureKeyVaultKms"], json!({"enabled": false}));
        assert_eq!(made["properties"]["serviceMeshProfile"], json!({"mode": "Disabled"}));
    }

    #[tokio::test(start_paused = true)]
    async fn what_azure_refuses_is_refused() {
        let bench = Bench::new().await;
        for wrong in [
            json!({"securityProfile": {"azureKeyVaultKms": {"enabled": true}}}),
            json!({"securityProfile": {"azureKeyVaultKms": {"enabled": true, "keyId": "k", "keyVaultNetworkAccess": "Private"}}}),
            json!({"securityProfile": {"azureKeyVaultKms": {"enabled": false, "keyId": "k"}}}),
            json!({"networkProfile": {"outboundType": "none"}}),
            json!({"networkProfile": {"networkPolicy": "cilium"}}),
            json!({"networkProfile": {"loadBalancerProfile": {"managedOutboundIPs": {"count": 1}, "outboundIPs": {"publicIPs": []}}}}),
            json!({"metricsProfile": {"costAnalysis": {"enabled": true}}}),
            json!({"supportPlan": "AKSLongTermSupport"}),
        ] {
            let seen = bench.put(&id(), body(wrong.clone())).await;
            assert_eq!((seen.status, seen.body["code"].as_str()), (400, Some("InvalidParameter")), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn some_ways_are_closed() {
        for (before, after, open) in [
            (json!({"networkPolicy": "azure"}), json!({"networkPolicy": "calico"}), false),
            (json!({"networkPolicy": "none"}), json!({"networkPolicy": "calico"}), true),
            (json!({"networkPluginMode": "overlay"}), json!({"networkPluginMode": "Overlay"}), true),
            (json!({"outboundType": "managedNATGateway"}), json!({"outboundType": "loadBalancer"}), false),
            (json!({"networkDataplane": "cilium"}), json!({"networkDataplane": "azure"}), false),
        ] {
            let bench = Bench::new().await;
            bench.make(&id(), body(json!({"networkProfile": before}))).await;
            let seen = bench.put(&id(), body(json!({"networkProfile": after}))).await;
            assert_eq!(seen.status == 200, open, "{before} to {after}: {}", seen.body);
        }
        for (integrated, open) in [(false, false), (true, true)] {
            let bench = Bench::new().await;
            let access = |private: bool| {
                body(
                    json!({"apiServerAccessProfile": {"enablePrivateCluster": private, "enableVnetIntegration": integrated}}),
                )
            };
            bench.make(&id(), access(false)).await;
            assert_eq!(bench.put(&id(), access(true)).await.status == 200, open);
        }
    }
}
