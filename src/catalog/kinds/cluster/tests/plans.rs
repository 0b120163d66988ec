//! Bodies against what Azure answers.

use super::super::{AGENT_POOL, EXTENSION, FLUX_CONFIGURATION, MANAGED_CLUSTER};
use super::{expand, shop};
use crate::catalog::{ResourceType, merge_over};
use crate::value::token::{self, Token};
use crate::value::{Change, ChangeKind, Comparison, diff, merge};
use serde_json::{Value, json};

/// Puts ids in place of references.
fn linked(body: &Value) -> Value {
    let mut body = body.clone();
    token::substitute(&mut body, &mut |token| match token {
        Token::Reference { path, facet } if facet == "id" => Some(json!(format!("/{path}"))),
        Token::Reference { path, facet } => Some(json!(format!("{path}-{facet}"))),
        _ => None,
    });
    body
}

fn changes(
    kind: &'static ResourceType,
    desired: &Value,
    live: &Value,
    applied: Option<&Value>,
) -> Vec<Change> {
    diff(desired, live, &Comparison { rules: kind.compiled(), applied, secret_changed: &|_, _| false })
}

fn paths(changes: &[Change]) -> Vec<(&str, ChangeKind, bool)> {
    changes.iter().map(|change| (change.path.as_str(), change.kind, change.forces_replace)).collect()
}

/// What Azure answers about the cluster of the design's blueprint.
fn live_cluster() -> Value {
    json!({
        "id": "/subscriptions/s/resourcegroups/rg/providers/Microsoft.ContainerService/managedClusters/aks-shop",
        "name": "aks-shop",
        "type": "Microsoft.ContainerService/ManagedClusters",
        "location": "westeurope",
        "eTag": "1",
        "kind": "Base",
        "sku": { "name": "Base", "tier": "Free" },
        "identity": { "type": "SystemAssigned", "principalId": "p", "tenantId": "t" },
        "properties": {
            "provisioningState": "Succeeded",
            "powerState": { "code": "Running" },
            "kubernetesVersion": "1.33",
            "currentKubernetesVersion": "1.33.4",
            "dnsPrefix": "aks-shop",
            "fqdn": "aks-shop-x.hcp.westeurope.azmk8s.io",
            "maxAgentPools": 100,
            "agentPoolProfiles": [{ "name": "system", "count": 9 }],
            "windowsProfile": { "adminUsername": "azureuser", "enableCSIProxy": true },
            "servicePrincipalProfile": { "clientId": "msi" },
            "addonProfiles": {
                "azurePolicy": { "enabled": true, "config": { "version": "v2" }, "identity": { "objectId": "o" } },
                "azureKeyvaultSecretsProvider": {
                    "enabled": true,
                    "config": { "enableSecretRotation": "True", "rotationPollInterval": "2m" },
                    "identity": { "objectId": "o" },
                },
                "omsAgent": { "enabled": false, "config": null },
            },
            "podIdentityProfile": {
                "enabled": true,
                "userAssignedIdentities": [{
                    "name": "spboot", "namespace": "spboot-app", "bindingSelector": "spboot",
                    "identity": {
                        "resourceId": "/Identities.app", "clientId": "identities.app-clientid",
                        "objectId": "identities.app-principalId",
                    },
                    "provisioningState": "Assigned",
                }],
            },
            "nodeResourceGroup": "MC_rg_aks-shop_westeurope",
            "enableRBAC": true,
            "supportPlan": "KubernetesOfficial",
            "networkProfile": {
                "networkPlugin": "azure", "networkPluginMode": "overlay", "networkPolicy": "none",
                "networkDataplane": "azure", "loadBalancerSku": "Standard",
                "loadBalancerProfile": {
                    "managedOutboundIPs": { "count": 1 }, "effectiveOutboundIPs": [{ "id": "/x" }],
                    "backendPoolType": "nodeIPConfiguration",
                },
                "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10",
                "outboundType": "loadBalancer",
            },
            "identityProfile": { "kubeletidentity": { "objectId": "k" } },
            "securityProfile": { "workloadIdentity": { "enabled": true } },
            "oidcIssuerProfile": { "enabled": true, "issuerURL": "https://issuer/" },
            "workloadAutoScalerProfile": {},
        },
    })
}

#[test]
fn what_azure_answers_is_no_change() {
    let shop = expand("aks-shop", shop());
    let desired = linked(shop.body("clusters.aks"));
    assert_eq!(changes(&MANAGED_CLUSTER, &desired, &live_cluster(), Some(&desired)), []);

    let pool = linked(shop.body("clusters.aks.nodePools.winpl"));
    let live = json!({ "properties": {
        "count": 1, "vmSize": "Standard_D2s_v3", "osDiskSizeGB": 128, "osDiskType": "Managed",
        "kubeletDiskType": "OS", "maxPods": 30, "type": "VirtualMachineScaleSets",
        "scaleDownMode": "Delete", "provisioningState": "Succeeded", "powerState": { "code": "Running" },
        "orchestratorVersion": "1.33", "currentOrchestratorVersion": "1.33.4", "enableNodePublicIP": false,
        "mode": "User", "osType": "Windows", "osSKU": "Windows2022",
        "nodeImageVersion": "AKSWindows-2022-containerd-20348.1787.230614", "upgradeSettings": {},
        "vnetSubnetID": "/Networks.Hub.Subnets.Nodes", "eTag": "1",
    } });
    assert_eq!(changes(&AGENT_POOL, &pool, &live, Some(&pool)), []);

    let flux = shop.body("clusters.aks.addons.flux");
    let live = json!({ "properties": {
        "extensionType": "Microsoft.Flux", "autoUpgradeMinorVersion": true, "releaseTrain": "Stable", "version": null,
        "currentVersion": "1.16.2", "scope": { "cluster": { "releaseNamespace": "flux-system" } },
        "configurationSettings": {}, "configurationProtectedSettings": {}, "statuses": [],
        "aksAssignedIdentity": { "principalId": "p", "tenantId": "t", "type": null },
    } });
    assert_eq!(changes(&EXTENSION, flux, &live, Some(flux)), []);

    let configuration = shop.body("clusters.aks.addons.flux.configurations.cluster-config");
    let kustomization = |name: &str, path: &str, needs: Value, interval: u32| {
        json!({ "name": name, "path": path, "dependsOn": needs, "timeoutInSeconds": 600,
                "syncIntervalInSeconds": interval, "retryIntervalInSeconds": null, "prune": true,
                "force": false, "wait": true, "postBuild": null })
    };
    let live = json!({ "properties": {
        "scope": "cluster", "namespace": "flux-system", "sourceKind": "GitRepository", "suspend": false,
        "gitRepository": {
            "url": "https://github.com/example/gitops", "timeoutInSeconds": 600, "syncIntervalInSeconds": 600,
            "repositoryRef": { "branch": "main", "tag": null, "semver": null, "commit": null },
            "sshKnownHosts": null, "httpsUser": null, "httpsCACert": null, "localAuthRef": null,
        },
        "bucket": null,
        "kustomizations": {
            "infra": kustomization("infra", "./infrastructure", json!(null), 600),
            "apps": kustomization("apps", "./apps/staging", json!(["infra"]), 120),
        },
        "configurationProtectedSettings": {}, "statuses": [], "complianceState": "Non-Compliant",
        "errorMessage": "", "provisioningState": "Succeeded",
    } });
    assert_eq!(changes(&FLUX_CONFIGURATION, configuration, &live, Some(configuration)), []);
}

#[test]
fn a_dropped_addon_is_switched_off_and_others_are_left_alone() {
    let applied = linked(expand("aks-shop", shop()).body("clusters.aks"));
    let live = live_cluster();

    // One of two is dropped; then all are, with the whole of `addons`.
    let mut fields = shop();
    fields["addons"].as_object_mut().unwrap().remove("azurePolicy");
    let one = linked(expand("aks-shop", fields.clone()).body("clusters.aks"));
    let found = changes(&MANAGED_CLUSTER, &one, &live, Some(&applied));
    assert_eq!(paths(&found), [("properties.addonProfiles.azurepolicy", ChangeKind::Reset, false)]);
    let body = merge(&live, &one, MANAGED_CLUSTER.compiled(), &found);
    assert_eq!(
        body["properties"]["addonProfiles"],
        json!({
            "azurePolicy": { "enabled": false },
            "azureKeyvaultSecretsProvider": {
                "enabled": true, "config": { "enableSecretRotation": "true", "rotationPollInterval": "2m" },
            },
            "omsAgent": { "enabled": false },
        })
    );
    assert_eq!(body["properties"].get("agentPoolProfiles"), None, "an update leaves the pools alone");

    fields.as_object_mut().unwrap().remove("addons");
    let none = linked(expand("aks-shop", fields).body("clusters.aks"));
    let found = changes(&MANAGED_CLUSTER, &none, &live, Some(&applied));
    assert_eq!(
        paths(&found),
        [
            ("properties.addonProfiles.azurepolicy", ChangeKind::Reset, false),
            ("properties.addonProfiles.azureKeyvaultSecretsProvider", ChangeKind::Reset, false),
            ("properties.podIdentityProfile.enabled", ChangeKind::Reset, false),
            (
                "properties.podIdentityProfile.userAssignedIdentities[spboot-app,spboot]",
                ChangeKind::Remove,
                false
            ),
        ]
    );
    let body = merge(&live, &none, MANAGED_CLUSTER.compiled(), &found);
    assert_eq!(
        body["properties"]["podIdentityProfile"],
        json!({ "enabled": false, "userAssignedIdentities": [] })
    );
    let again = changes(&MANAGED_CLUSTER, &none, &body, Some(&applied));
    assert_eq!(again, [], "an add-on that is off already needs nothing");
}

#[test]
fn fixed_fields_replace_and_one_way_switches_do_too() {
    let base = |path: &str, value: Value| {
        let mut body = json!({ "properties": {} });
        crate::value::set_path(&mut body, path, value);
        body
    };
    for (kind, path, wanted, live, replace) in [
        (&MANAGED_CLUSTER, "properties.dnsPrefix", json!("a"), json!("b"), true),
        (&MANAGED_CLUSTER, "properties.nodeResourceGroup", json!("a"), json!("b"), true),
        (&MANAGED_CLUSTER, "properties.windowsProfile.adminUsername", json!("a"), json!("b"), true),
        (&MANAGED_CLUSTER, "properties.linuxProfile.adminUsername", json!("a"), json!("b"), true),
        (&MANAGED_CLUSTER, "properties.networkProfile.serviceCidr", json!("a"), json!("b"), true),
        (
            &MANAGED_CLUSTER,
            "properties.apiServerAccessProfile.enablePrivateCluster",
            json!(true),
            json!(false),
            true,
        ),
        (&MANAGED_CLUSTER, "properties.oidcIssuerProfile.enabled", json!(false), json!(true), true),
        (&MANAGED_CLUSTER, "properties.oidcIssuerProfile.enabled", json!(true), json!(false), false),
        (&MANAGED_CLUSTER, "properties.networkProfile.networkPlugin", json!("kubenet"), json!("azure"), true),
        (
            &MANAGED_CLUSTER,
            "properties.networkProfile.networkPlugin",
            json!("azure"),
            json!("kubenet"),
            false,
        ),
        (
            &MANAGED_CLUSTER,
            "properties.networkProfile.networkDataplane",
            json!("cilium"),
            json!("azure"),
            false,
        ),
        (&MANAGED_CLUSTER, "properties.kubernetesVersion", json!("1.34"), json!("1.33.2"), false),
        (&AGENT_POOL, "properties.vmSize", json!("a"), json!("b"), true),
        (&AGENT_POOL, "properties.availabilityZones", json!(["1"]), json!(["1", "2"]), true),
        (&AGENT_POOL, "properties.osSKU", json!("Windows2022"), json!("Windows2019"), true),
        (&AGENT_POOL, "properties.osSKU", json!("AzureLinux"), json!("Ubuntu"), false),
        (&AGENT_POOL, "properties.mode", json!("System"), json!("User"), false),
        (&AGENT_POOL, "properties.nodeTaints", json!(["a"]), json!(["b"]), false),
        (&EXTENSION, "properties.extensionType", json!("microsoft.flux"), json!("microsoft.dapr"), true),
        (&FLUX_CONFIGURATION, "properties.namespace", json!("a"), json!("b"), true),
        (&FLUX_CONFIGURATION, "properties.sourceKind", json!("Bucket"), json!("GitRepository"), false),
    ] {
        let found = changes(kind, &base(path, wanted), &base(path, live), None);
        assert_eq!(paths(&found), [(path, ChangeKind::Set, replace)]);
    }
    for (path, wanted, live) in [
        ("properties.kubernetesVersion", json!("1.33"), json!("1.34.1")),
        ("properties.agentPoolProfiles", json!([{ "name": "a" }]), json!([])),
        (
            "properties.apiServerAccessProfile.authorizedIPRanges",
            json!(["2.2.2.2", "1.1.1.0/24"]),
            json!(["1.1.1.0/24", "2.2.2.2/32"]),
        ),
        ("properties.networkProfile.networkPluginMode", json!("overlay"), json!("Overlay")),
    ] {
        assert_eq!(changes(&MANAGED_CLUSTER, &base(path, wanted), &base(path, live), None), [], "{path}");
    }
}

#[test]
fn another_identity_takes_the_place_of_the_first() {
    let body =
        |id: &str| json!({ "identity": { "type": "UserAssigned", "userAssignedIdentities": { id: {} } } });
    let live = json!({ "identity": {
        "type": "UserAssigned", "userAssignedIdentities": { "/A": { "clientId": "c", "principalId": "p" } },
    } });
    assert_eq!(changes(&MANAGED_CLUSTER, &body("/a"), &live, Some(&body("/a"))), []);
    let found = changes(&MANAGED_CLUSTER, &body("/b"), &live, Some(&body("/a")));
    assert_eq!(
        paths(&found),
        [
            ("identity.userAssignedIdentities[\"/b\"]", ChangeKind::Set, false),
            ("identity.userAssignedIdentities[\"/a\"]", ChangeKind::Remove, false),
        ]
    );
    assert_eq!(merge(&live, &body("/b"), MANAGED_CLUSTER.compiled(), &found), body("/b"));
}

#[test]
fn another_source_takes_the_place_of_the_first() {
    let body = |source: Value| {
        let mut body = json!({ "properties": { "namespace": "flux-system" } });
        merge_over(&mut body["properties"], &source);
        body
    };
    let git = body(json!({
        "sourceKind": "GitRepository", "gitRepository": { "url": "u", "repositoryRef": { "branch": "main" } },
    }));
    let tag = body(json!({
        "sourceKind": "GitRepository", "gitRepository": { "url": "u", "repositoryRef": { "tag": "v1" } },
    }));
    let bucket = body(json!({ "sourceKind": "Bucket", "bucket": { "url": "u", "bucketName": "b" } }));
    for wanted in [tag, bucket] {
        let found = changes(&FLUX_CONFIGURATION, &wanted, &git, Some(&git));
        assert_eq!(merge(&git, &wanted, FLUX_CONFIGURATION.compiled(), &found), wanted);
    }
}

#[test]
fn autoscaling_comes_and_goes_in_place() {
    let pool = |fields: Value| {
        let cluster = expand("aks", json!({ "nodePools": { "system": fields } }));
        cluster.body("clusters.aks.nodePools.system").clone()
    };
    let on = pool(json!({ "autoscale": { "min": 1, "max": 5 } }));
    let off = pool(json!({ "count": 2 }));
    let mut live = on.clone();
    live["properties"]["count"] = json!(4);
    assert_eq!(changes(&AGENT_POOL, &on, &live, Some(&on)), []);
    let found = changes(&AGENT_POOL, &off, &live, Some(&on));
    assert_eq!(
        paths(&found),
        [
            ("properties.count", ChangeKind::Set, false),
            // Azure takes the bounds away by itself; the plan says so.
            ("properties.maxCount", ChangeKind::Remove, false),
            ("properties.minCount", ChangeKind::Remove, false),
            ("properties.enableAutoScaling", ChangeKind::Reset, false),
        ]
    );
    let merged = merge(&live, &off, AGENT_POOL.compiled(), &found);
    assert_eq!(merged["properties"], json!({ "count": 2, "enableAutoScaling": false }));
}

#[test]
fn every_facet_points_into_a_body() {
    for kind in [&MANAGED_CLUSTER, &AGENT_POOL, &EXTENSION, &FLUX_CONFIGURATION] {
        for facet in kind.facets {
            assert!(facet.pointer.starts_with('/') && !facet.about.is_empty(), "{}", facet.name);
        }
    }
}
