//! What an entry expands to.

use super::{GROUP, cluster_with, expand, id_of, password, reference, shop, wanted};
use crate::catalog::{Arrival, Provisioning};
use crate::value::token::Token;
use serde_json::json;

#[test]
fn the_body_of_the_cluster_is_as_azure_wants_it() {
    let shop = expand("aks-shop", shop());
    assert_eq!(shop.problems, [("pod-identity-deprecated", "addons.podIdentity".to_owned(), true)]);
    let subnet = wanted("networks.hub.subnets.nodes", "id");
    assert_eq!(
        shop.created("clusters.aks"),
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
    assert_eq!(pool.created(), json!({ "properties": inline }));
    assert_eq!(pool.body["properties"].get("mode"), None);

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
        .filter(|draft| draft.operation == Provisioning::Registration && draft.shared)
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
        cluster.created("clusters.aks")["identity"],
        json!({ "type": "UserAssigned", "userAssignedIdentities": { key: {} } })
    );
    assert_eq!(
        cluster.created("clusters.aks")["properties"]["identityProfile"]["kubeletidentity"]["objectId"],
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
            "loadBalancer": { "backendPool": "NodeIP" },
            "natGateway": { "managedIps": 2, "idleTimeoutMinutes": 10 },
            "advanced": { "observability": true },
        },
        "aad": { "adminGroups": ["0b9a5ce2-6d0e-4b4b-9d59-5d5b5e6f7a10"], "azureRbac": true, "tenant": "t" },
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
    let mut body = cluster.created("clusters.aks");
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
                    "loadBalancerProfile": { "backendPoolType": "NodeIP" },
                    "natGatewayProfile": {
                        "managedOutboundIPProfile": { "count": 2 }, "idleTimeoutInMinutes": 10,
                    },
                    "advancedNetworking": { "enabled": true, "observability": { "enabled": true } },
                },
                "aadProfile": {
                    "managed": true, "enableAzureRBAC": true, "adminGroupObjectIDs": ["0b9a5ce2-6d0e-4b4b-9d59-5d5b5e6f7a10"], "tenantID": "t",
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
    assert_eq!(cluster.created("clusters.aks.nodePools.system")["properties"]["mode"], "System");
    assert_eq!(id_of(cluster.draft("clusters.aks.nodePools.work")).rsplit('/').next(), Some("w1"));
    assert_eq!(
        cluster.created("clusters.aks.nodePools.work")["properties"],
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
        cluster.created("clusters.aks.nodePools.calm")["properties"]["upgradeSettings"],
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
        cluster.created("clusters.aks.addons.flux")["properties"]["configurationSettings"],
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
    assert_eq!(
        body("blob")["azureBlob"],
        json!({ "url": "https://b", "containerName": "c", "sasToken": secret })
    );
    assert_eq!(
        body("oci")["ociRepository"],
        json!({ "url": "oci://r/a", "repositoryRef": { "digest": "sha256:1" }, "useWorkloadIdentity": true })
    );
}
