//! Tests of the whole kind: specs to drafts, specs to problems, bodies against what Azure answers.

use super::{AGENT_POOL, EXTENSION, FLUX_CONFIGURATION, MANAGED_CLUSTER};
use crate::catalog::{Arrival, Common, Draft, DraftId, EntryCx, Operation, ResourceType, merge_over, registry};
use crate::ident::Address;
use crate::value::token::{self, Token};
use crate::value::{Change, ChangeKind, Comparison, diff, merge};
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/s/resourceGroups/rg";

fn reference(path: &str) -> String {
    Token::Reference { path: path.into(), facet: String::new() }.encode()
}

fn wanted(path: &str, facet: &str) -> String {
    Token::Reference { path: path.into(), facet: facet.into() }.encode()
}

fn password() -> String {
    Token::Secret { name: "adminPassword".into() }.encode()
}

/// What one entry expands to.
struct Expanded {
    drafts: Vec<Draft>,
    /// Code, path and whether it is a warning.
    problems: Vec<(&'static str, String, bool)>,
}

fn expand(name: &str, fields: Value) -> Expanded {
    let mut cx = EntryCx {
        address: Address::new("clusters.aks"),
        key: "aks",
        common: Common {
            name: name.into(),
            subscription: "s".into(),
            resource_group: "rg".into(),
            location: "westeurope".into(),
            ..Common::default()
        },
        drafts: Vec::new(),
        problems: Vec::new(),
    };
    let kind = registry().iter().find(|kind| kind.section == "clusters").unwrap();
    (kind.expand)(fields, &mut cx);
    for problem in &cx.problems {
        assert!(problem.help.is_some() || problem.code == "shape", "{problem:?} says no remedy");
        assert!(!problem.message.ends_with('.'), "{problem:?}");
    }
    let problems = cx.problems.iter().map(|p| (p.code, p.path.clone(), p.warning)).collect();
    Expanded { drafts: cx.drafts, problems }
}

impl Expanded {
    fn draft(&self, address: &str) -> &Draft {
        self.drafts.iter().find(|draft| draft.address.as_str() == address).unwrap()
    }

    fn body(&self, address: &str) -> &Value {
        &self.draft(address).body
    }
}

fn id_of(draft: &Draft) -> &str {
    let DraftId::Text(id) = &draft.id else { panic!("a text") };
    id
}

/// The entry of the design's blueprint.
fn shop() -> Value {
    json!({
        "kubernetesVersion": "1.33",
        "subnet": reference("networks.hub.subnets.nodes"),
        "windows": { "adminUsername": "azureuser", "adminPassword": password() },
        "addons": {
            "azurePolicy": true,
            "keyVaultSecretsProvider": { "rotation": true, "rotationPollInterval": "2m" },
            "podIdentity": {
                "identities": { "spboot": { "namespace": "spboot-app", "identity": reference("identities.app") } },
            },
            "flux": { "configurations": { "cluster-config": {
                "git": { "url": "https://github.com/example/gitops", "branch": "main" },
                "kustomizations": {
                    "infra": { "path": "./infrastructure", "prune": true },
                    "apps": { "path": "./apps/staging", "prune": true, "dependsOn": ["infra"], "interval": "2m" },
                },
            } } },
        },
        "nodePools": {
            "system": { "mode": "System", "count": 2, "vmSize": "Standard_D4s_v5" },
            "winpl": { "os": "Windows", "osSku": "Windows2022", "count": 1 },
        },
    })
}

/// A small cluster with other fields put over it.
fn cluster_with(over: Value) -> Value {
    let mut fields = json!({ "nodePools": { "system": { "mode": "System" } } });
    merge_over(&mut fields, &over);
    fields
}

#[test]
fn the_body_of_the_cluster_is_as_azure_wants_it() {
    let shop = expand("aks-shop", shop());
    assert_eq!(shop.problems, [("pod-identity-deprecated", "addons.podIdentity".to_owned(), true)]);
    let subnet = wanted("networks.hub.subnets.nodes", "id");
    assert_eq!(
        *shop.body("clusters.aks"),
        json!({
            "location": "westeurope",
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "kubernetesVersion": "1.33",
                "dnsPrefix": "aks-shop",
                "enableRBAC": true,
                "windowsProfile": { "adminUsername": "azureuser", "adminPassword": password() },
                "networkProfile": { "networkPlugin": "azure" },
                "oidcIssuerProfile": { "enabled": true },
                "securityProfile": { "workloadIdentity": { "enabled": true } },
                "addonProfiles": {
                    "azurepolicy": { "enabled": true, "config": { "version": "v2" } },
                    "azureKeyvaultSecretsProvider": {
                        "enabled": true,
                        "config": { "enableSecretRotation": "true", "rotationPollInterval": "2m" },
                    },
                },
                "podIdentityProfile": {
                    "enabled": true,
                    "userAssignedIdentities": [{
                        "name": "spboot",
                        "namespace": "spboot-app",
                        "identity": {
                            "resourceId": wanted("identities.app", "id"),
                            "clientId": wanted("identities.app", "clientId"),
                            "objectId": wanted("identities.app", "principalId"),
                        },
                    }],
                },
                "agentPoolProfiles": [
                    {
                        "name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4s_v5",
                        "osType": "Linux", "type": "VirtualMachineScaleSets", "enableAutoScaling": false,
                        "orchestratorVersion": "1.33", "vnetSubnetID": subnet,
                    },
                    {
                        "name": "winpl", "mode": "User", "count": 1, "osType": "Windows", "osSKU": "Windows2022",
                        "type": "VirtualMachineScaleSets", "enableAutoScaling": false,
                        "orchestratorVersion": "1.33", "vnetSubnetID": subnet,
                    },
                ],
            },
        })
    );
}

#[test]
fn pools_extension_and_configurations_are_resources_of_their_own() {
    let shop = expand("aks-shop", shop());
    let cluster = format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-shop");
    assert_eq!(id_of(shop.draft("clusters.aks")), cluster);

    let pool = shop.draft("clusters.aks.nodePools.winpl");
    assert_eq!(id_of(pool), format!("{cluster}/agentPools/winpl"));
    assert_eq!(pool.arrival, Arrival::WithParent);
    let mut inline = shop.body("clusters.aks")["properties"]["agentPoolProfiles"][1].clone();
    inline.as_object_mut().unwrap().remove("name");
    assert_eq!(pool.body, json!({ "properties": inline }));

    let flux = shop.draft("clusters.aks.addons.flux");
    assert_eq!(id_of(flux), format!("{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/flux"));
    assert_eq!(
        flux.body,
        json!({ "properties": {
            "extensionType": "microsoft.flux",
            "autoUpgradeMinorVersion": true,
            "scope": { "cluster": { "releaseNamespace": "flux-system" } },
        } })
    );

    let configuration = shop.draft("clusters.aks.addons.flux.configurations.cluster-config");
    let tail = "providers/Microsoft.KubernetesConfiguration/fluxConfigurations/cluster-config";
    assert_eq!(id_of(configuration), format!("{cluster}/{tail}"));
    assert_eq!(configuration.depends_on, ["clusters.aks.addons.flux"]);
    assert_eq!(
        configuration.body,
        json!({ "properties": {
            "namespace": "flux-system",
            "scope": "cluster",
            "sourceKind": "GitRepository",
            "gitRepository": {
                "url": "https://github.com/example/gitops",
                "repositoryRef": { "branch": "main" },
            },
            "kustomizations": {
                "infra": { "path": "./infrastructure", "prune": true },
                "apps": {
                    "path": "./apps/staging", "prune": true, "dependsOn": ["infra"], "syncIntervalInSeconds": 120,
                },
            },
        } })
    );
}

#[test]
fn registrations_come_before_the_cluster() {
    let shop = expand("aks-shop", shop());
    let registrations: Vec<&str> = shop
        .drafts
        .iter()
        .filter(|draft| draft.operation == Operation::Registration && draft.shared)
        .map(|draft| draft.address.as_str())
        .collect();
    assert_eq!(
        registrations,
        [
            "providers.Microsoft.Compute",
            "providers.Microsoft.Network",
            "providers.Microsoft.Storage",
            "providers.Microsoft.ManagedIdentity",
            "providers.Microsoft.PolicyInsights",
            "features.Microsoft.ContainerService.EnablePodIdentityPreview",
        ]
    );
    assert_eq!(shop.draft("clusters.aks").depends_on, registrations);
    let plain = expand("aks", cluster_with(json!({ "addons": { "azurePolicy": { "enabled": false } } })));
    assert_eq!(plain.draft("clusters.aks").depends_on, registrations[..4]);
}

#[test]
fn an_identity_is_a_key_and_brings_nothing_else() {
    let fields = cluster_with(json!({
        "identity": reference("identities.controlPlane"),
        "kubeletIdentity": reference("identities.kubelet"),
    }));
    let cluster = expand("aks", fields);
    assert_eq!(cluster.problems, []);
    let key = wanted("identities.controlPlane", "id");
    assert_eq!(
        cluster.body("clusters.aks")["identity"],
        json!({ "type": "UserAssigned", "userAssignedIdentities": { key: {} } })
    );
    assert_eq!(
        cluster.body("clusters.aks")["properties"]["identityProfile"]["kubeletidentity"]["objectId"],
        wanted("identities.kubelet", "principalId")
    );
}

#[test]
fn every_other_field_finds_its_place() {
    let fields = cluster_with(json!({
        "sku": { "name": "Base", "tier": "Premium" },
        "supportPlan": "AKSLongTermSupport",
        "dnsPrefix": "shop",
        "nodeResourceGroup": "rg-nodes",
        "nodeResourceGroupLock": "ReadOnly",
        "linux": { "adminUsername": "azureuser", "sshKeys": ["ssh-rsa AAAA"] },
        "windows": {
            "adminUsername": "azureuser", "adminPassword": password(), "licenseType": "Windows_Server",
            "csiProxy": false, "gmsa": { "dnsServer": "10.0.0.4", "rootDomain": "shop.local" },
        },
        "network": {
            "mode": "overlay", "policy": "cilium", "dataplane": "cilium", "podCidr": "10.244.0.0/16",
            "serviceCidr": "10.0.0.0/16", "dnsServiceIp": "10.0.0.10", "outboundType": "managedNATGateway",
            "loadBalancerSku": "standard", "ipFamilies": ["IPv4"],
            "loadBalancer": { "ips": [reference("publicIps.out")], "idleTimeoutMinutes": 4, "backendPool": "NodeIP" },
            "natGateway": { "managedIps": 2, "idleTimeoutMinutes": 10 },
            "advanced": { "observability": true },
        },
        "aad": { "adminGroups": ["g"], "azureRbac": true, "tenant": "t" },
        "disableLocalAccounts": true,
        "apiServer": { "authorizedIpRanges": [], "runCommand": false, "vnetIntegration": true,
                       "subnet": reference("networks.hub.subnets.api") },
        "autoUpgrade": { "channel": "patch", "nodeOsChannel": "NodeImage" },
        "autoscaler": { "scanInterval": "20s", "skipNodesWithSystemPods": "false", "expander": "least-waste" },
        "imageCleaner": { "intervalHours": 48 },
        "defender": { "workspace": reference("logAnalytics.logs") },
        "storage": { "blobs": true },
        "costAnalysis": true,
        "diskEncryptionSet": "/subscriptions/s/x",
        "addons": {
            "azurePolicy": false,
            "keyVaultSecretsProvider": true,
            "monitoring": { "workspace": reference("logAnalytics.logs"), "aadAuth": true },
            "webAppRouting": { "dnsZones": [reference("dnsZones.shop")] },
            "keda": true,
            "podIdentity": {
                "enabled": false,
                "exceptions": { "kube": { "namespace": "kube-system", "podLabels": { "app": "x" } } },
            },
        },
    }));
    let cluster = expand("aks", fields);
    assert_eq!(cluster.problems, []);
    let mut body = cluster.body("clusters.aks").clone();
    body["properties"].as_object_mut().unwrap().remove("agentPoolProfiles");
    assert_eq!(
        body,
        json!({
            "location": "westeurope",
            "identity": { "type": "SystemAssigned" },
            "sku": { "name": "Base", "tier": "Premium" },
            "properties": {
                "supportPlan": "AKSLongTermSupport",
                "dnsPrefix": "shop",
                "enableRBAC": true,
                "nodeResourceGroup": "rg-nodes",
                "nodeResourceGroupProfile": { "restrictionLevel": "ReadOnly" },
                "linuxProfile": {
                    "adminUsername": "azureuser", "ssh": { "publicKeys": [{ "keyData": "ssh-rsa AAAA" }] },
                },
                "windowsProfile": {
                    "adminUsername": "azureuser", "adminPassword": password(), "licenseType": "Windows_Server",
                    "enableCSIProxy": false,
                    "gmsaProfile": { "enabled": true, "dnsServer": "10.0.0.4", "rootDomainName": "shop.local" },
                },
                "networkProfile": {
                    "networkPlugin": "azure", "networkPluginMode": "overlay", "networkPolicy": "cilium",
                    "networkDataplane": "cilium", "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16",
                    "dnsServiceIP": "10.0.0.10", "outboundType": "managedNATGateway", "loadBalancerSku": "standard",
                    "ipFamilies": ["IPv4"],
                    "loadBalancerProfile": {
                        "outboundIPs": { "publicIPs": [{ "id": wanted("publicIps.out", "id") }] },
                        "idleTimeoutInMinutes": 4, "backendPoolType": "NodeIP",
                    },
                    "natGatewayProfile": {
                        "managedOutboundIPProfile": { "count": 2 }, "idleTimeoutInMinutes": 10,
                    },
                    "advancedNetworking": { "enabled": true, "observability": { "enabled": true } },
                },
                "aadProfile": {
                    "managed": true, "enableAzureRBAC": true, "adminGroupObjectIDs": ["g"], "tenantID": "t",
                },
                "disableLocalAccounts": true,
                "apiServerAccessProfile": {
                    "authorizedIPRanges": [], "disableRunCommand": true, "enableVnetIntegration": true,
                    "subnetId": wanted("networks.hub.subnets.api", "id"),
                },
                "autoUpgradeProfile": { "upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage" },
                "autoScalerProfile": {
                    "scan-interval": "20s", "skip-nodes-with-system-pods": "false", "expander": "least-waste",
                },
                "oidcIssuerProfile": { "enabled": true },
                "securityProfile": {
                    "workloadIdentity": { "enabled": true },
                    "imageCleaner": { "enabled": true, "intervalHours": 48 },
                    "defender": {
                        "logAnalyticsWorkspaceResourceId": wanted("logAnalytics.logs", "id"),
                        "securityMonitoring": { "enabled": true },
                    },
                },
                "storageProfile": { "blobCSIDriver": { "enabled": true } },
                "metricsProfile": { "costAnalysis": { "enabled": true } },
                "diskEncryptionSetID": "/subscriptions/s/x",
                "addonProfiles": {
                    "azurepolicy": { "enabled": false },
                    "azureKeyvaultSecretsProvider": { "enabled": true },
                    "omsagent": {
                        "enabled": true,
                        "config": {
                            "logAnalyticsWorkspaceResourceID": wanted("logAnalytics.logs", "id"),
                            "useAADAuth": "true",
                        },
                    },
                },
                "ingressProfile": {
                    "webAppRouting": { "enabled": true, "dnsZoneResourceIds": [wanted("dnsZones.shop", "id")] },
                },
                "workloadAutoScalerProfile": { "keda": { "enabled": true } },
                "podIdentityProfile": {
                    "enabled": false,
                    "userAssignedIdentityExceptions": [
                        { "name": "kube", "namespace": "kube-system", "podLabels": { "app": "x" } },
                    ],
                },
            },
        })
    );
}

#[test]
fn every_field_of_a_pool_finds_its_place() {
    let cluster = expand(
        "aks",
        json!({
            "kubernetesVersion": "1.34",
            "subnet": reference("networks.hub.subnets.nodes"),
            "nodePools": {
                "system": {},
                "work": {
                    "name": "w1", "osSku": "AzureLinux3", "vmSize": "Standard_D2s_v5",
                    "autoscale": { "min": 2, "max": 5 }, "subnet": reference("networks.hub.subnets.work"),
                    "podSubnet": reference("networks.hub.subnets.pods"), "maxPods": 50, "zones": [1, "2"],
                    "labels": { "app": "x" }, "taints": ["a=b:NoSchedule"], "spot": { "maxPrice": 0.5 },
                    "osDisk": { "type": "Ephemeral", "sizeGb": 64 }, "kubeletDisk": "OS", "kubernetesVersion": "1.33",
                    "scaleDownMode": "Deallocate", "publicIp": false, "encryptionAtHost": true,
                    "ultraDisks": true, "fips": true, "tags": { "team": "a" },
                    "properties": { "gpuProfile": { "driver": "None" } },
                },
                "calm": {
                    "upgrade": { "maxSurge": 1, "maxUnavailable": "5%", "drainTimeout": "1h", "soak": "90s",
                                 "undrainable": "Cordon" },
                },
            },
        }),
    );
    assert_eq!(cluster.problems, []);
    assert_eq!(cluster.body("clusters.aks.nodePools.system")["properties"]["mode"], "System");
    assert_eq!(id_of(cluster.draft("clusters.aks.nodePools.work")).rsplit('/').next(), Some("w1"));
    assert_eq!(
        cluster.body("clusters.aks.nodePools.work")["properties"],
        json!({
            "mode": "User", "osType": "Linux", "osSKU": "AzureLinux3", "vmSize": "Standard_D2s_v5", "count": 2,
            "minCount": 2, "maxCount": 5, "enableAutoScaling": true, "type": "VirtualMachineScaleSets",
            "vnetSubnetID": wanted("networks.hub.subnets.work", "id"),
            "podSubnetID": wanted("networks.hub.subnets.pods", "id"),
            "maxPods": 50, "availabilityZones": ["1", "2"], "nodeLabels": { "app": "x" },
            "nodeTaints": ["a=b:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"],
            "scaleSetPriority": "Spot", "scaleSetEvictionPolicy": "Delete", "spotMaxPrice": 0.5,
            "osDiskType": "Ephemeral", "osDiskSizeGB": 64, "kubeletDiskType": "OS", "orchestratorVersion": "1.33",
            "scaleDownMode": "Deallocate", "enableNodePublicIP": false, "enableEncryptionAtHost": true,
            "enableUltraSSD": true, "enableFIPS": true, "tags": { "team": "a" },
            "gpuProfile": { "driver": "None" },
        })
    );
    assert_eq!(
        cluster.body("clusters.aks.nodePools.calm")["properties"]["upgradeSettings"],
        json!({ "maxSurge": "1", "maxUnavailable": "5%", "drainTimeoutInMinutes": 60,
                "nodeSoakDurationInMinutes": 2, "undrainableNodeBehavior": "Cordon" })
    );
}

#[test]
fn flux_sources_keep_their_secrets_apart() {
    let secret = Token::Secret { name: "key".into() }.encode();
    let kustomizations = json!({ "all": { "substitute": { "a": "b" }, "retryInterval": "1m",
        "substituteFrom": [{ "kind": "ConfigMap", "name": "c" }] } });
    let cluster = expand(
        "aks",
        cluster_with(json!({ "addons": { "flux": {
            "settings": { "image-automation-controller.enabled": "true" },
            "configurations": {
                "git": { "git": { "url": "git@github.com:a/b", "tag": "v1", "sshPrivateKey": secret,
                                  "httpsUser": "u", "timeout": "5m", "provider": "Generic" },
                         "kustomizations": kustomizations, "namespace": "x", "scope": "namespace" },
                "bucket": { "bucket": { "url": "https://s3", "name": "b", "accessKey": "k", "secretKey": secret },
                            "kustomizations": kustomizations },
                "blob": { "azureBlob": { "url": "https://b", "container": "c", "sasToken": secret },
                          "kustomizations": kustomizations },
                "oci": { "oci": { "url": "oci://r/a", "digest": "sha256:1", "workloadIdentity": true },
                         "kustomizations": kustomizations },
            },
        } } })),
    );
    assert_eq!(cluster.problems, []);
    assert_eq!(
        cluster.body("clusters.aks.addons.flux")["properties"]["configurationSettings"],
        json!({ "image-automation-controller.enabled": "true" })
    );
    let body = |key: &str| {
        let mut body =
            cluster.body(&format!("clusters.aks.addons.flux.configurations.{key}"))["properties"].clone();
        let all = body.as_object_mut().unwrap();
        assert_eq!(
            all.remove("kustomizations"),
            Some(json!({ "all": {
                "retryIntervalInSeconds": 60,
                "postBuild": {
                    "substitute": { "a": "b" },
                    "substituteFrom": [{ "kind": "ConfigMap", "name": "c", "optional": false }],
                },
            } }))
        );
        body
    };
    assert_eq!(
        body("git"),
        json!({
            "namespace": "x", "scope": "namespace", "sourceKind": "GitRepository",
            "gitRepository": { "url": "git@github.com:a/b", "repositoryRef": { "tag": "v1" },
                               "timeoutInSeconds": 300, "httpsUser": "u", "provider": "Generic" },
            "configurationProtectedSettings": { "sshPrivateKey": secret },
        })
    );
    assert_eq!(body("bucket")["configurationProtectedSettings"], json!({ "bucketSecretKey": secret }));
    assert_eq!(body("bucket")["bucket"]["bucketName"], "b");
    assert_eq!(body("blob")["azureBlob"], json!({ "url": "https://b", "containerName": "c", "sasToken": secret }));
    assert_eq!(
        body("oci")["ociRepository"],
        json!({ "url": "oci://r/a", "repositoryRef": { "digest": "sha256:1" }, "useWorkloadIdentity": true })
    );
}

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
        (cluster_with(json!({ "kubernetesVersion": "v1.33" })), vec![("kubernetes-version", "kubernetesVersion")]),
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
        (cluster_with(json!({ "disableLocalAccounts": true })), vec![("local-accounts", "disableLocalAccounts")]),
        (cluster_with(json!({ "oidcIssuer": false })), vec![("workload-identity", "workloadIdentity")]),
        (cluster_with(json!({ "oidcIssuer": false, "workloadIdentity": false })), vec![]),
        (cluster_with(json!({ "supportPlan": "AKSLongTermSupport" })), vec![("support-plan", "supportPlan")]),
        (
            cluster_with(json!({ "autoUpgrade": { "channel": "node-image", "nodeOsChannel": "None" } })),
            vec![("node-os-channel", "autoUpgrade.nodeOsChannel")],
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
        (pools(json!({ "b": { "autoscale": { "min": 3, "max": 1 } } })), vec![("autoscale", "nodePools.b.autoscale")]),
        (
            pools(json!({ "b": { "count": 9, "autoscale": { "min": 0, "max": 3 } } })),
            vec![("autoscale", "nodePools.b.count")],
        ),
        (pools(json!({ "b": { "count": 0 } })), vec![]),
        (json!({ "nodePools": { "a": { "count": 0 } } }), vec![("pool-size", "nodePools.a.count")]),
        (pools(json!({ "b": { "maxPods": 5 } })), vec![("max-pods", "nodePools.b.maxPods")]),
        (
            cluster_with(json!({ "kubernetesVersion": "1.33", "nodePools": { "b": { "kubernetesVersion": "1.34" } } })),
            vec![("pool-version", "nodePools.b.kubernetesVersion")],
        ),
        // Network and API server.
        (
            cluster_with(json!({ "windows": windows, "network": { "plugin": "kubenet" } })),
            vec![("windows-network", "network.plugin")],
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
            cluster_with(json!({ "apiServer": { "privateCluster": true, "authorizedIpRanges": ["1.2.3.4"] } })),
            vec![("private-ip-ranges", "apiServer.authorizedIpRanges")],
        ),
        (
            cluster_with(json!({ "apiServer": { "authorizedIpRanges": ["1.2.3.4/24", "here"] } })),
            vec![("cidr", "apiServer.authorizedIpRanges[1]")],
        ),
        (
            cluster_with(json!({ "apiServer": { "privateCluster": true, "privateDnsZone": "/zone" } })),
            vec![("private-dns-zone", "apiServer.privateDnsZone")],
        ),
        (cluster_with(json!({ "apiServer": { "privateCluster": true, "privateDnsZone": "system" } })), vec![]),
        // Add-ons.
        (cluster_with(json!({ "addons": { "monitoring": true } })), vec![("monitoring-workspace", "addons.monitoring")]),
        (cluster_with(json!({ "addons": { "azurePolicy": "yes" } })), vec![("shape", "addons.azurePolicy")]),
        (
            cluster_with(json!({ "addons": { "keyVaultSecretsProvider": { "rotation": true, "rotationPollInterval": 2 } } })),
            vec![("shape", "addons.keyVaultSecretsProvider.rotationPollInterval")],
        ),
        (flux(json!({ "kustomizations": kustomizations })), vec![("flux-source", "addons.flux.configurations.c")]),
        (
            flux(json!({ "git": { "url": "https://x" }, "kustomizations": kustomizations })),
            vec![("flux-reference", "addons.flux.configurations.c.git")],
        ),
        (
            flux(json!({ "git": { "url": "x", "branch": "a", "tag": "b" }, "kustomizations": kustomizations })),
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
            flux(json!({ "git": { "url": "https://x", "branch": "b", "httpsKey": "k" }, "kustomizations": kustomizations })),
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

fn changes(kind: &'static ResourceType, desired: &Value, live: &Value, applied: Option<&Value>) -> Vec<Change> {
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
            "omsAgent": { "enabled": false, "config": null },
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
        (&MANAGED_CLUSTER, "properties.apiServerAccessProfile.enablePrivateCluster", json!(true), json!(false), true),
        (&MANAGED_CLUSTER, "properties.oidcIssuerProfile.enabled", json!(false), json!(true), true),
        (&MANAGED_CLUSTER, "properties.oidcIssuerProfile.enabled", json!(true), json!(false), false),
        (&MANAGED_CLUSTER, "properties.networkProfile.networkPlugin", json!("kubenet"), json!("azure"), true),
        (&MANAGED_CLUSTER, "properties.networkProfile.networkPlugin", json!("azure"), json!("kubenet"), false),
        (&MANAGED_CLUSTER, "properties.networkProfile.networkDataplane", json!("cilium"), json!("azure"), false),
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
        ("properties.apiServerAccessProfile.authorizedIPRanges", json!(["2.2.2.2", "1.1.1.0/24"]), json!(["1.1.1.0/24", "2.2.2.2/32"])),
        ("properties.networkProfile.networkPluginMode", json!("overlay"), json!("Overlay")),
    ] {
        assert_eq!(changes(&MANAGED_CLUSTER, &base(path, wanted), &base(path, live), None), [], "{path}");
    }
}

#[test]
fn another_identity_takes_the_place_of_the_first() {
    let body = |id: &str| json!({ "identity": { "type": "UserAssigned", "userAssignedIdentities": { id: {} } } });
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
fn every_facet_points_into_a_body() {
    for kind in [&MANAGED_CLUSTER, &AGENT_POOL, &EXTENSION, &FLUX_CONFIGURATION] {
        for facet in kind.facets {
            assert!(facet.pointer.starts_with('/') && !facet.about.is_empty(), "{}", facet.name);
        }
    }
}
