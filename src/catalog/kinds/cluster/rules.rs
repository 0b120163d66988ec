//! What the fields of a cluster and of a node pool mean.

use super::disturbance::{
    API_SERVER, API_SERVER_MOVES, CONTROL_PLANE, POD_NETWORK, POWER, PROXY, REIMAGED, UPGRADED, WAY_OUT,
};
use crate::value::Rule;

/// The fields of a cluster.
pub(super) const CLUSTER_RULES: &[Rule] = &[
    Rule::at("eTag").read_only(),
    Rule::at("kind").read_only(),
    Rule::at("sku.name").fold_case().default("\"Base\""),
    Rule::at("sku.tier").fold_case().default("\"Free\""),
    Rule::at("extendedLocation").immutable(),
    Rule::at("identity.type").fold_case(),
    Rule::at("identity.userAssignedIdentities").map(),
    // What AKS tells and does not take.
    Rule::at("properties.powerState").read_only(),
    Rule::at("properties.maxAgentPools").read_only(),
    Rule::at("properties.currentKubernetesVersion").read_only(),
    Rule::at("properties.fqdn").read_only(),
    Rule::at("properties.privateFQDN").read_only(),
    Rule::at("properties.azurePortalFQDN").read_only(),
    Rule::at("properties.resourceUID").read_only(),
    Rule::at("properties.privateLinkResources").read_only(),
    Rule::at("properties.status").read_only(),
    Rule::at("properties.oidcIssuerProfile.issuerURL").read_only(),
    Rule::at("properties.ingressProfile.webAppRouting.identity").read_only(),
    Rule::at("properties.addonProfiles.*.config.effectiveApplicationGatewayId").read_only(),
    Rule::at("properties.addonProfiles.*.config.HTTPApplicationRoutingZoneName").read_only(),
    // Pools come up with the cluster in one operation; from then on they are resources of their own, and an update
    // that leaves them out keeps them.
    Rule::at("properties.agentPoolProfiles").create_only(),
    // What is fixed at creation.
    Rule::at("properties.dnsPrefix").immutable(),
    Rule::at("properties.fqdnSubdomain").immutable(),
    Rule::at("properties.nodeResourceGroup").immutable().fold_case(),
    // From an identity there is no way back to a service principal.
    Rule::at("properties.servicePrincipalProfile.clientId").fold_case().lasting("\"msi\""),
    Rule::at("properties.servicePrincipalProfile.secret").write_only().on_change(),
    Rule::at("properties.enableRBAC").immutable().default("true"),
    Rule::at("properties.diskEncryptionSetID").immutable(),
    // The account stays; its key changes in place since API version 2022-09-02.
    Rule::at("properties.linuxProfile.adminUsername").set_once(),
    Rule::at("properties.linuxProfile.ssh.publicKeys").set(),
    Rule::at("properties.identityProfile.kubeletidentity").immutable(),
    // A cluster is never moved to a lower version, and an automatic upgrade moves it on its own.
    Rule::at("properties.kubernetesVersion").version_alias().at_least(),
    Rule::at("properties.supportPlan").fold_case().default("\"KubernetesOfficial\""),
    Rule::at("properties.disableLocalAccounts").default("false"),
    Rule::at("properties.publicNetworkAccess").fold_case(),
    Rule::at("properties.nodeResourceGroupProfile.restrictionLevel").fold_case().default("\"Unrestricted\""),
    // Windows.
    Rule::at("properties.windowsProfile.adminUsername").set_once(),
    Rule::at("properties.windowsProfile.adminPassword").write_only().on_change(),
    Rule::at("properties.windowsProfile.licenseType").fold_case().default("\"None\""),
    Rule::at("properties.windowsProfile.enableCSIProxy").default("true"),
    Rule::at("properties.windowsProfile.gmsaProfile.enabled").default("false"),
    // Add-ons: AKS keeps what a request leaves out, so one that is dropped is switched off.
    Rule::at("properties.addonProfiles").map(),
    Rule::at("properties.addonProfiles.*").default("{\"enabled\":false}"),
    Rule::at("properties.addonProfiles.*.enabled").default("false"),
    Rule::at("properties.addonProfiles.*.config").map(),
    Rule::at("properties.addonProfiles.*.config.*").fold_case(),
    Rule::at("properties.addonProfiles.*.config.rotationPollInterval").fold_case().duration(),
    Rule::at("properties.addonProfiles.*.identity").read_only(),
    Rule::at("properties.podIdentityProfile.enabled").default("false"),
    Rule::at("properties.podIdentityProfile.allowNetworkPluginKubenet").default("false"),
    Rule::at("properties.podIdentityProfile.userAssignedIdentities").keyed("namespace+name"),
    Rule::at("properties.podIdentityProfile.userAssignedIdentities[].identity.clientId").fold_case(),
    Rule::at("properties.podIdentityProfile.userAssignedIdentities[].identity.objectId").fold_case(),
    Rule::at("properties.podIdentityProfile.userAssignedIdentities[].provisioningState").read_only(),
    Rule::at("properties.podIdentityProfile.userAssignedIdentities[].provisioningInfo").read_only(),
    Rule::at("properties.podIdentityProfile.userAssignedIdentityExceptions").keyed("namespace+name"),
    Rule::at("properties.podIdentityProfile.userAssignedIdentityExceptions[].podLabels").map(),
    Rule::at("properties.oidcIssuerProfile.enabled").lasting("true").default("false"),
    Rule::at("properties.securityProfile.workloadIdentity.enabled").default("false"),
    Rule::at("properties.securityProfile.imageCleaner.enabled").default("false"),
    Rule::at("properties.securityProfile.imageCleaner.intervalHours").default("168"),
    Rule::at("properties.securityProfile.defender.securityMonitoring.enabled").default("false"),
    // A key is refused while the encryption is off.
    Rule::at("properties.securityProfile.azureKeyVaultKms").whole().default("{\"enabled\":false}"),
    Rule::at("properties.securityProfile.azureKeyVaultKms.enabled").default("false"),
    Rule::at("properties.securityProfile.azureKeyVaultKms.keyVaultNetworkAccess")
        .fold_case()
        .default("\"Public\""),
    Rule::at("properties.securityProfile.customCATrustCertificates").set().base64().default("[]"),
    Rule::at("properties.workloadAutoScalerProfile.keda.enabled").default("false"),
    Rule::at("properties.workloadAutoScalerProfile.verticalPodAutoscaler.enabled").default("false"),
    Rule::at("properties.ingressProfile.webAppRouting.enabled").default("false"),
    Rule::at("properties.ingressProfile.webAppRouting.dnsZoneResourceIds").set().default("[]"),
    Rule::at("properties.ingressProfile.webAppRouting.nginx.defaultIngressControllerType").fold_case(),
    Rule::at("properties.ingressProfile.webAppRouting.nginx.defaultIngressControllerType")
        .default("\"AnnotationControlled\""),
    Rule::at("properties.ingressProfile.webAppRouting.gatewayAPIImplementations.appRoutingIstio.mode")
        .fold_case()
        .default("\"Disabled\""),
    Rule::at("properties.ingressProfile.gatewayAPI.installation").fold_case().default("\"Disabled\""),
    Rule::at("properties.azureMonitorProfile.metrics.enabled").default("false"),
    Rule::at("properties.azureMonitorProfile.metrics.kubeStateMetrics.metricLabelsAllowlist").default("\"\""),
    Rule::at("properties.azureMonitorProfile.metrics.kubeStateMetrics.metricAnnotationsAllowList")
        .default("\"\""),
    Rule::at("properties.azureMonitorProfile.appMonitoring.autoInstrumentation.enabled").default("false"),
    Rule::at("properties.aiToolchainOperatorProfile.enabled").default("false"),
    Rule::at("properties.nodeProvisioningProfile.mode").fold_case().default("\"Manual\""),
    Rule::at("properties.nodeProvisioningProfile.defaultNodePools").fold_case(),
    Rule::at("properties.bootstrapProfile.artifactSource").fold_case().default("\"Direct\""),
    Rule::at("properties.hostedSystemProfile.enabled").default("false"),
    // Istio with its gateways.
    Rule::at("properties.serviceMeshProfile.mode").fold_case().default("\"Disabled\""),
    Rule::at("properties.serviceMeshProfile.istio.revisions").set(),
    Rule::at("properties.serviceMeshProfile.istio.components.ingressGateways").keyed("mode"),
    Rule::at("properties.serviceMeshProfile.istio.components.ingressGateways[].enabled").default("false"),
    Rule::at("properties.serviceMeshProfile.istio.components.egressGateways").keyed("name"),
    Rule::at("properties.serviceMeshProfile.istio.components.egressGateways[].namespace")
        .default("\"aks-istio-egress\""),
    Rule::at("properties.serviceMeshProfile.istio.components.proxyRedirectionMechanism")
        .fold_case()
        .default("\"InitContainers\""),
    Rule::at("properties.metricsProfile.costAnalysis.enabled").default("false"),
    Rule::at("properties.storageProfile.diskCSIDriver.enabled").default("true"),
    Rule::at("properties.storageProfile.fileCSIDriver.enabled").default("true"),
    Rule::at("properties.storageProfile.snapshotController.enabled").default("true"),
    Rule::at("properties.storageProfile.blobCSIDriver.enabled").default("false"),
    // Who may sign in.
    Rule::at("properties.aadProfile.managed").lasting("true"),
    Rule::at("properties.aadProfile.enableAzureRBAC").default("false"),
    Rule::at("properties.aadProfile.adminGroupObjectIDs").set().fold_case().default("[]"),
    Rule::at("properties.aadProfile.tenantID").fold_case(),
    Rule::at("properties.aadProfile.serverAppSecret").write_only().on_change(),
    Rule::at("properties.apiServerAccessProfile.authorizedIPRanges").set().cidr().default("[]"),
    // A cluster whose API server is in its network is made private and public in place.
    Rule::at("properties.apiServerAccessProfile.enablePrivateCluster")
        .immutable()
        .unless("enableVnetIntegration")
        .default("false"),
    // A zone can be given up, and not be taken up or exchanged.
    Rule::at("properties.apiServerAccessProfile.privateDNSZone")
        .fold_case()
        .default("\"system\"")
        .steps(&[("*", "none")]),
    Rule::at("properties.apiServerAccessProfile.enablePrivateClusterPublicFQDN").default("true"),
    Rule::at("properties.apiServerAccessProfile.subnetId").set_once(),
    Rule::at("properties.apiServerAccessProfile.disableRunCommand").default("false"),
    Rule::at("properties.apiServerAccessProfile.enableVnetIntegration").lasting("true").default("false"),
    Rule::at("properties.autoUpgradeProfile.upgradeChannel").fold_case().default("\"none\""),
    Rule::at("properties.autoUpgradeProfile.nodeOSUpgradeChannel").fold_case(),
    Rule::at("properties.upgradeSettings.overrideSettings.forceUpgrade").default("false"),
    Rule::at("properties.upgradeSettings.overrideSettings.until").default("null"),
    Rule::at("properties.httpProxyConfig.trustedCa").base64(),
    Rule::at("properties.httpProxyConfig.enabled").default("true"),
    // Azure adds what a cluster needs itself.
    Rule::at("properties.httpProxyConfig.noProxy").set().at_least(),
    // The network: most of it goes one way or not at all.
    Rule::at("properties.networkProfile.networkPlugin").fold_case().steps(&[("kubenet", "azure")]),
    Rule::at("properties.networkProfile.networkPluginMode").fold_case().steps(&[("", "overlay")]),
    Rule::at("properties.networkProfile.networkDataplane")
        .fold_case()
        .default("\"azure\"")
        .steps(&[("azure", "cilium")]),
    Rule::at("properties.networkProfile.networkPolicy")
        .fold_case()
        .default("\"none\"")
        .steps(&[("none", "*"), ("azure|calico", "none|cilium")]),
    Rule::at("properties.networkProfile.networkMode").immutable().fold_case(),
    Rule::at("properties.networkProfile.loadBalancerSku").immutable().fold_case().default("\"standard\""),
    // The gateway that AKS makes is not given up for a load balancer again.
    Rule::at("properties.networkProfile.outboundType").fold_case().default("\"loadBalancer\"").steps(&[
        ("loadBalancer|none", "*"),
        ("managedNATGateway", "none|block"),
        (
            "userAssignedNATGateway|userDefinedRouting",
            "loadBalancer|userAssignedNATGateway|userDefinedRouting|none",
        ),
        ("block", "none"),
    ]),
    Rule::at("properties.networkProfile.podCidr").set_once().cidr(),
    Rule::at("properties.networkProfile.podCidrs").set_once().set().cidr(),
    Rule::at("properties.networkProfile.serviceCidr").immutable().cidr(),
    Rule::at("properties.networkProfile.serviceCidrs").immutable().set().cidr(),
    Rule::at("properties.networkProfile.dnsServiceIP").immutable(),
    Rule::at("properties.networkProfile.ipFamilies").immutable().set().default("[\"IPv4\"]"),
    Rule::at("properties.networkProfile.advancedNetworking.enabled").default("false"),
    Rule::at("properties.networkProfile.advancedNetworking.observability.enabled").default("false"),
    Rule::at("properties.networkProfile.advancedNetworking.security.enabled").default("false"),
    Rule::at("properties.networkProfile.advancedNetworking.security.advancedNetworkPolicies")
        .default("\"None\""),
    Rule::at("properties.networkProfile.advancedNetworking.security.transitEncryption.type")
        .default("\"None\""),
    Rule::at("properties.networkProfile.advancedNetworking.performance.accelerationMode").default("\"None\""),
    Rule::at("properties.networkProfile.staticEgressGatewayProfile.enabled").default("false"),
    // Managed addresses, addresses and prefixes exclude each other.
    Rule::at("properties.networkProfile.loadBalancerProfile").whole(),
    Rule::at("properties.networkProfile.loadBalancerProfile.backendPoolType").fold_case(),
    Rule::at("properties.networkProfile.loadBalancerProfile.allocatedOutboundPorts").default("0"),
    Rule::at("properties.networkProfile.loadBalancerProfile.idleTimeoutInMinutes").default("30"),
    Rule::at("properties.networkProfile.loadBalancerProfile.enableMultipleStandardLoadBalancers")
        .default("false"),
    Rule::at("properties.networkProfile.loadBalancerProfile.outboundIPs.publicIPs").keyed("id"),
    Rule::at("properties.networkProfile.loadBalancerProfile.outboundIPPrefixes.publicIPPrefixes").keyed("id"),
    Rule::at("properties.networkProfile.loadBalancerProfile.effectiveOutboundIPs").read_only(),
    Rule::at("properties.networkProfile.natGatewayProfile.idleTimeoutInMinutes").default("4"),
    Rule::at("properties.networkProfile.natGatewayProfile.managedOutboundIPProfile.count").default("1"),
    Rule::at("properties.networkProfile.natGatewayProfile.effectiveOutboundIPs").read_only(),
    // The autoscaler's settings are texts; these are the ones that AKS fills in.
    Rule::at("properties.autoScalerProfile.balance-similar-node-groups").fold_case().default("\"false\""),
    Rule::at("properties.autoScalerProfile.expander").fold_case().default("\"random\""),
    Rule::at("properties.autoScalerProfile.max-empty-bulk-delete").default("\"10\""),
    Rule::at("properties.autoScalerProfile.max-graceful-termination-sec").default("\"600\""),
    Rule::at("properties.autoScalerProfile.max-node-provision-time").duration().default("\"15m\""),
    Rule::at("properties.autoScalerProfile.max-total-unready-percentage").default("\"45\""),
    Rule::at("properties.autoScalerProfile.new-pod-scale-up-delay").duration().default("\"0s\""),
    Rule::at("properties.autoScalerProfile.ok-total-unready-count").default("\"3\""),
    Rule::at("properties.autoScalerProfile.scan-interval").duration().default("\"10s\""),
    Rule::at("properties.autoScalerProfile.scale-down-delay-after-add").duration().default("\"10m\""),
    Rule::at("properties.autoScalerProfile.scale-down-delay-after-failure").duration().default("\"3m\""),
    Rule::at("properties.autoScalerProfile.scale-down-unneeded-time").duration().default("\"10m\""),
    Rule::at("properties.autoScalerProfile.scale-down-unready-time").duration().default("\"20m\""),
    Rule::at("properties.autoScalerProfile.scale-down-utilization-threshold").quantity().default("\"0.5\""),
    Rule::at("properties.autoScalerProfile.skip-nodes-with-local-storage").fold_case(),
    Rule::at("properties.autoScalerProfile.skip-nodes-with-system-pods").fold_case().default("\"true\""),
    // What running pods and clients notice.
    Rule::at("properties.kubernetesVersion").disturbs(&CONTROL_PLANE),
    Rule::at("properties.networkProfile.networkPlugin").disturbs(&POD_NETWORK),
    Rule::at("properties.networkProfile.networkPluginMode").disturbs(&POD_NETWORK),
    Rule::at("properties.networkProfile.networkDataplane").disturbs(&POD_NETWORK),
    Rule::at("properties.networkProfile.networkPolicy").disturbs(&POD_NETWORK),
    Rule::at("properties.networkProfile.outboundType").disturbs(&WAY_OUT),
    Rule::at("properties.httpProxyConfig").disturbs(&PROXY),
    Rule::at("properties.apiServerAccessProfile.enableVnetIntegration").disturbs(&API_SERVER_MOVES),
    Rule::at("properties.apiServerAccessProfile.enablePrivateCluster").disturbs(&API_SERVER),
    Rule::at("properties.apiServerAccessProfile.privateDNSZone").disturbs(&API_SERVER),
];

/// The fields of a node pool.
pub(super) const POOL_RULES: &[Rule] = &[
    Rule::at("properties.eTag").read_only(),
    Rule::at("properties.currentOrchestratorVersion").read_only(),
    Rule::at("properties.nodeImageVersion").read_only(),
    Rule::at("properties.status").read_only(),
    Rule::at("properties.virtualMachineNodesStatus").read_only(),
    Rule::at("properties.orchestratorVersion").version_alias().at_least(),
    Rule::at("properties.count").autoscaled(),
    Rule::at("properties.enableAutoScaling").default("false"),
    // With autoscaling off, an update takes both bounds away.
    Rule::at("properties.minCount").default("null"),
    Rule::at("properties.maxCount").default("null"),
    Rule::at("properties.mode").fold_case(),
    Rule::at("properties.vmSize").immutable().fold_case(),
    Rule::at("properties.osType").immutable().fold_case().default("\"Linux\""),
    // Linux images are changed in place, Windows generations are not.
    Rule::at("properties.osSKU").fold_case().steps(&[(
        "Ubuntu|Ubuntu2204|Ubuntu2404|AzureLinux|AzureLinux3|CBLMariner",
        "Ubuntu|Ubuntu2204|Ubuntu2404|AzureLinux|AzureLinux3|CBLMariner",
    )]),
    Rule::at("properties.type").immutable().fold_case().default("\"VirtualMachineScaleSets\""),
    Rule::at("properties.osDiskSizeGB").immutable(),
    Rule::at("properties.osDiskType").immutable().fold_case(),
    Rule::at("properties.kubeletDiskType").immutable().fold_case(),
    Rule::at("properties.workloadRuntime").immutable().fold_case().default("\"OCIContainer\""),
    Rule::at("properties.localDNSProfile.state").read_only(),
    Rule::at("properties.localDNSProfile.vnetDNSOverrides").map(),
    Rule::at("properties.localDNSProfile.kubeDNSOverrides").map(),
    Rule::at("properties.messageOfTheDay").immutable().base64(),
    Rule::at("properties.vnetSubnetID").immutable(),
    Rule::at("properties.podSubnetID").immutable(),
    Rule::at("properties.podIPAllocationMode").immutable().fold_case(),
    Rule::at("properties.maxPods").immutable(),
    Rule::at("properties.availabilityZones").immutable().set(),
    Rule::at("properties.enableNodePublicIP").immutable().default("false"),
    Rule::at("properties.nodePublicIPPrefixID").immutable(),
    Rule::at("properties.enableFIPS").immutable().default("false"),
    Rule::at("properties.enableEncryptionAtHost").immutable().default("false"),
    Rule::at("properties.enableUltraSSD").immutable().default("false"),
    Rule::at("properties.kubeletConfig").immutable(),
    Rule::at("properties.linuxOSConfig").immutable(),
    // Accepted on every pool, returned on Spot pools only.
    Rule::at("properties.scaleSetPriority").immutable().fold_case().default("\"Regular\""),
    Rule::at("properties.scaleSetEvictionPolicy").immutable().fold_case().default("\"Delete\""),
    Rule::at("properties.spotMaxPrice").immutable().default("-1.0"),
    Rule::at("properties.gpuInstanceProfile").immutable().fold_case(),
    Rule::at("properties.gpuProfile.driver").immutable().fold_case().default("\"Install\""),
    Rule::at("properties.hostGroupID").immutable(),
    Rule::at("properties.proximityPlacementGroupID").immutable(),
    Rule::at("properties.capacityReservationGroupID").immutable(),
    Rule::at("properties.creationData").immutable(),
    Rule::at("properties.gatewayProfile").immutable(),
    Rule::at("properties.windowsProfile.disableOutboundNat").immutable().default("false"),
    Rule::at("properties.scaleDownMode").fold_case().default("\"Delete\""),
    Rule::at("properties.nodeLabels").map(),
    Rule::at("properties.nodeTaints").set().default("[]"),
    Rule::at("properties.tags").map(),
    Rule::at("properties.upgradeSettings.drainTimeoutInMinutes").default("30"),
    Rule::at("properties.upgradeSettings.nodeSoakDurationInMinutes").default("0"),
    Rule::at("properties.upgradeSettings.undrainableNodeBehavior").fold_case(),
    Rule::at("properties.networkProfile.applicationSecurityGroups").set().default("[]"),
    Rule::at("properties.networkProfile.allowedHostPorts").keyed("portStart+portEnd+protocol"),
    Rule::at("properties.networkProfile.nodePublicIPTags").keyed("ipTagType"),
    Rule::at("properties.securityProfile.enableVTPM").default("false"),
    Rule::at("properties.securityProfile.enableSecureBoot").default("false"),
    Rule::at("properties.securityProfile.sshAccess").fold_case().default("\"LocalUser\""),
    Rule::at("properties.powerState.code").fold_case().default("\"Running\"").disturbs(&POWER),
    // What running pods notice.
    Rule::at("properties.orchestratorVersion").disturbs(&UPGRADED),
    Rule::at("properties.osSKU").disturbs(&REIMAGED),
    Rule::at("properties.securityProfile.enableVTPM").disturbs(&REIMAGED),
    Rule::at("properties.securityProfile.enableSecureBoot").disturbs(&REIMAGED),
    Rule::at("properties.securityProfile.sshAccess").disturbs(&REIMAGED),
    Rule::at("properties.localDNSProfile").disturbs(&REIMAGED),
];

/// The fields of a maintenance configuration.
pub(super) const MAINTENANCE_RULES: &[Rule] = &[
    Rule::at("properties.timeInWeek").keyed("day"),
    Rule::at("properties.timeInWeek[].hourSlots").set(),
    Rule::at("properties.notAllowedTime").keyed("start+end"),
    // Another kind of schedule takes the place of the first.
    Rule::at("properties.maintenanceWindow.schedule").whole(),
    Rule::at("properties.maintenanceWindow.utcOffset").default("\"+00:00\""),
    // Azure fills it in with today, and refuses it once it has passed.
    Rule::at("properties.maintenanceWindow.startDate").on_change(),
    Rule::at("properties.maintenanceWindow.notAllowedDates").keyed("start+end"),
];
