//! What is wrong with an entry.

use super::{cluster_with, expand, password, wanted};
use crate::catalog::registry;
use serde_json::{Value, json};

#[test]
fn what_azure_would_refuse_is_a_problem_before() {
    let windows = json!({ "adminUsername": "azureuser", "adminPassword": password() });
    let pools = |pools: Value| cluster_with(json!({ "windows": windows, "nodePools": pools }));
    let flux = |configuration: Value| {
        cluster_with(json!({ "addons": { "flux": { "configurations": { "c": configuration } } } }))
    };
    let git = json!({ "url": "https://x", "branch": "main" });
    let kustomizations = json!({ "a": { "prune": true } });
    for (fields, expected) in [
        (
            cluster_with(json!({ "kubernetesVersion": "v1.33" })),
            vec![("kubernetes-version", "kubernetesVersion")],
        ),
        (cluster_with(json!({ "kubernetesVersion": 1.3 })), vec![("shape", "kubernetesVersion")]),
        (cluster_with(json!({ "dnsPrefix": "a_b" })), vec![("dns-prefix", "dnsPrefix")]),
        (
            cluster_with(json!({ "windows": { "adminUsername": "admin", "adminPassword": "P@ssw0rd" } })),
            vec![("windows-username", "windows.adminUsername"), ("secret-in-clear", "windows.adminPassword")],
        ),
        (
            cluster_with(json!({ "linux": { "adminUsername": "1x", "sshKeys": [] } })),
            vec![("linux-username", "linux.adminUsername"), ("ssh-keys", "linux.sshKeys")],
        ),
        (
            cluster_with(json!({ "disableLocalAccounts": true })),
            vec![("local-accounts", "disableLocalAccounts")],
        ),
        (cluster_with(json!({ "oidcIssuer": false })), vec![("workload-identity", "workloadIdentity")]),
        (cluster_with(json!({ "oidcIssuer": false, "workloadIdentity": false })), vec![]),
        (cluster_with(json!({ "supportPlan": "AKSLongTermSupport" })), vec![("support-plan", "supportPlan")]),
        (
            cluster_with(json!({ "autoUpgrade": { "channel": "node-image", "nodeOsChannel": "None" } })),
            vec![("node-os-channel", "autoUpgrade.nodeOsChannel")],
        ),
        (
            cluster_with(json!({ "kubeletIdentity": "/subscriptions/s/x" })),
            vec![("identity-reference", "kubeletIdentity"), ("kubelet-identity", "kubeletIdentity")],
        ),
        // Pools.
        (json!({}), vec![("system-pool", "nodePools")]),
        (json!({ "nodePools": { "a": { "mode": "User" } } }), vec![("system-pool", "nodePools")]),
        (
            json!({ "windows": windows, "nodePools": { "win": { "os": "Windows" } } }),
            vec![("system-pool", "nodePools")],
        ),
        (json!({ "nodePools": { "a": {}, "b": {} } }), vec![]),
        (pools(json!({ "windows": { "os": "Windows" } })), vec![("windows-pool-name", "nodePools.windows")]),
        (pools(json!({ "b": { "name": "Bad-Name" } })), vec![("pool-name", "nodePools.b.name")]),
        (pools(json!({ "abcdefghijklm": {} })), vec![("pool-name", "nodePools.abcdefghijklm")]),
        (pools(json!({ "b": { "name": "system" } })), vec![("pool-name", "nodePools.b.name")]),
        (
            cluster_with(json!({ "nodePools": { "win": { "os": "Windows" } } })),
            vec![("windows-profile", "nodePools.win")],
        ),
        (
            pools(json!({ "win": { "os": "Windows", "mode": "System" } })),
            vec![("windows-system-pool", "nodePools.win.mode")],
        ),
        (
            cluster_with(json!({ "windows": windows, "kubernetesVersion": "1.33",
                                 "nodePools": { "win": { "os": "Windows", "osSku": "Windows2019" } } })),
            vec![("windows-2019", "nodePools.win.osSku")],
        ),
        (pools(json!({ "b": { "osSku": "Windows2022" } })), vec![("os-sku", "nodePools.b.osSku")]),
        (
            json!({ "nodePools": { "a": { "mode": "System", "spot": true } } }),
            vec![("spot-system-pool", "nodePools.a.spot")],
        ),
        (
            pools(json!({ "b": { "autoscale": { "min": 3, "max": 1 } } })),
            vec![("autoscale", "nodePools.b.autoscale.min")],
        ),
        (
            pools(json!({ "b": { "count": 9, "autoscale": { "min": 0, "max": 3 } } })),
            vec![("autoscale", "nodePools.b.count")],
        ),
        (pools(json!({ "b": { "count": 0 } })), vec![]),
        (json!({ "nodePools": { "a": { "count": 0 } } }), vec![("pool-size", "nodePools.a.count")]),
        (pools(json!({ "b": { "maxPods": 5 } })), vec![("max-pods", "nodePools.b.maxPods")]),
        (
            cluster_with(
                json!({ "kubernetesVersion": "1.33", "nodePools": { "b": { "kubernetesVersion": "1.34" } } }),
            ),
            vec![("pool-version", "nodePools.b.kubernetesVersion")],
        ),
        // Network and API server.
        (
            cluster_with(json!({ "windows": windows, "network": { "plugin": "kubenet" } })),
            vec![("windows-network", "network.plugin"), ("kubenet-retires", "network.plugin")],
        ),
        (
            cluster_with(json!({ "windows": windows, "network": { "dataplane": "cilium" },
                                 "nodePools": { "win": { "os": "Windows" } } })),
            vec![("windows-cilium", "network.dataplane")],
        ),
        (
            cluster_with(json!({ "network": { "serviceCidr": "10.0.0.0/16" } })),
            vec![("dns-service-ip", "network.dnsServiceIp")],
        ),
        (
            cluster_with(json!({ "network": { "serviceCidr": "10.0.0.0/16", "dnsServiceIp": "10.1.0.10" } })),
            vec![("dns-service-ip", "network.dnsServiceIp")],
        ),
        (
            cluster_with(json!({ "network": { "serviceCidr": "10.0.0.0/16", "dnsServiceIp": "10.0.0.0" } })),
            vec![("dns-service-ip", "network.dnsServiceIp")],
        ),
        (cluster_with(json!({ "network": { "podCidr": "10.0.0.0" } })), vec![("cidr", "network.podCidr")]),
        (
            cluster_with(json!({ "network": { "loadBalancer": { "managedIps": 1, "ips": ["/a"] } } })),
            vec![("load-balancer", "network.loadBalancer")],
        ),
        (
            cluster_with(
                json!({ "apiServer": { "privateCluster": true, "authorizedIpRanges": ["1.2.3.4"] } }),
            ),
            vec![("private-ip-ranges", "apiServer.authorizedIpRanges")],
        ),
        (
            cluster_with(json!({ "apiServer": { "authorizedIpRanges": ["1.2.3.0/24", "here"] } })),
            vec![("cidr", "apiServer.authorizedIpRanges[1]")],
        ),
        (
            cluster_with(
                json!({ "apiServer": { "privateCluster": true, "privateDnsZone": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.westeurope.azmk8s.io" } }),
            ),
            vec![("private-dns-zone", "apiServer.privateDnsZone")],
        ),
        (
            cluster_with(json!({ "apiServer": { "privateCluster": true, "privateDnsZone": "system" } })),
            vec![],
        ),
        // Add-ons.
        (
            cluster_with(json!({ "addons": { "monitoring": true } })),
            vec![("monitoring-workspace", "addons.monitoring")],
        ),
        (cluster_with(json!({ "addons": { "azurePolicy": "yes" } })), vec![("shape", "addons.azurePolicy")]),
        (
            cluster_with(
                json!({ "addons": { "keyVaultSecretsProvider": { "rotation": true, "rotationPollInterval": 2 } } }),
            ),
            vec![("shape", "addons.keyVaultSecretsProvider.rotationPollInterval")],
        ),
        (
            flux(json!({ "kustomizations": kustomizations })),
            vec![("flux-source", "addons.flux.configurations.c")],
        ),
        (
            flux(json!({ "git": { "url": "https://x" }, "kustomizations": kustomizations })),
            vec![("flux-reference", "addons.flux.configurations.c.git")],
        ),
        (
            flux(
                json!({ "git": { "url": "x", "branch": "a", "tag": "b" }, "kustomizations": kustomizations }),
            ),
            vec![
                ("flux-reference", "addons.flux.configurations.c.git"),
                ("flux-url", "addons.flux.configurations.c.git.url"),
            ],
        ),
        (
            flux(json!({ "name": "Config", "git": git, "kustomizations": kustomizations })),
            vec![("flux-name", "addons.flux.configurations.c.name")],
        ),
        (
            flux(
                json!({ "git": { "url": "https://x", "branch": "b", "httpsKey": "k" }, "kustomizations": kustomizations }),
            ),
            vec![("secret-in-clear", "addons.flux.configurations.c.git.httpsKey")],
        ),
        (
            flux(json!({ "git": git, "kustomizations": { "a": { "dependsOn": ["b"] } } })),
            vec![("flux-depends-on", "addons.flux.configurations.c.kustomizations.a.dependsOn[0]")],
        ),
        (
            flux(json!({ "git": git, "kustomizations": {
                "a": { "dependsOn": ["b"] }, "b": { "dependsOn": ["c"] }, "c": { "dependsOn": ["b"] } } })),
            vec![("flux-depends-on", "addons.flux.configurations.c.kustomizations.b.dependsOn")],
        ),
    ] {
        let found = expand("aks", fields.clone()).problems;
        let found: Vec<(&str, &str)> = found.iter().map(|(code, path, _)| (*code, path.as_str())).collect();
        assert_eq!(found, expected, "{fields}");
    }
}

#[test]
fn names_of_clusters_are_checked() {
    let long = "a".repeat(64);
    for (name, code) in [
        ("aks_shop-1", None),
        ("-aks", Some("cluster-name")),
        (long.as_str(), Some("cluster-name")),
        ("my-windows-aks", Some("reserved-name")),
        ("login-aks", Some("reserved-name")),
    ] {
        let found = expand(name, cluster_with(json!({ "dnsPrefix": "x" }))).problems;
        assert_eq!(found.first().map(|problem| problem.0), code, "{name}");
    }
    let token = wanted("networks.hub", "name");
    assert_eq!(expand(&token, cluster_with(json!({}))).problems, [], "what is not known yet is not checked");
}

#[test]
fn the_schema_knows_the_fields_as_people_write_them() {
    let kind = registry().iter().find(|kind| kind.section == "clusters").unwrap();
    let mut generator = schemars::SchemaGenerator::default();
    (kind.schema)(&mut generator);
    let all = Value::Object(generator.take_definitions(true));
    for (pointer, said) in [
        ("/Spec/properties/kubernetesVersion/description", true),
        ("/AutoscalerSpec/properties/scanInterval/description", true),
        ("/AutoscalerSpec/properties/scan-interval", false),
        ("/PoolSpec/properties/osSku/description", true),
        ("/OsDiskSpec/properties/type/description", true),
        ("/AzurePolicySpecOrSwitch/anyOf/1", true),
    ] {
        assert_eq!(all.pointer(pointer).is_some(), said, "{pointer}");
    }
}
