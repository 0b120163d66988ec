//! What Azure fixes: every such field plans a replacement that names it, and what only goes one way goes that way.

use super::super::{AGENT_POOL, MAINTENANCE_CONFIGURATION, MANAGED_CLUSTER};
use crate::catalog::ResourceType;
use crate::value::{Comparison, diff, merge};
use serde_json::{Value, json};

fn base(path: &str, value: &Value) -> Value {
    path.rsplit('.').fold(value.clone(), |value, name| json!({ name: value }))
}

fn replaces(kind: &'static ResourceType, path: &str, live: &Value, wanted: &Value) -> Option<bool> {
    let rules = kind.compiled();
    let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
    let found = diff(&base(path, wanted), &base(path, live), &comparison);
    found.iter().find(|change| change.path == path).map(|change| change.forces_replace)
}

/// Fields that cannot be changed once they have a value, below `properties`.
const CLUSTER: &[&str] = &[
    "dnsPrefix",
    "fqdnSubdomain",
    "nodeResourceGroup",
    "linuxProfile.adminUsername",
    "windowsProfile.adminUsername",
    "diskEncryptionSetID",
    "identityProfile.kubeletidentity.resourceId",
    "networkProfile.serviceCidr",
    "networkProfile.serviceCidrs",
    "networkProfile.dnsServiceIP",
    "networkProfile.networkMode",
    "networkProfile.loadBalancerSku",
    "networkProfile.ipFamilies",
    "networkProfile.podCidr",
    "networkProfile.podCidrs",
    "apiServerAccessProfile.subnetId",
    "apiServerAccessProfile.privateDNSZone",
];

/// The same of a node pool.
const POOL: &[&str] = &[
    "vmSize",
    "osType",
    "type",
    "osDiskSizeGB",
    "osDiskType",
    "kubeletDiskType",
    "vnetSubnetID",
    "podSubnetID",
    "podIPAllocationMode",
    "maxPods",
    "availabilityZones",
    "enableFIPS",
    "enableEncryptionAtHost",
    "enableUltraSSD",
    "enableNodePublicIP",
    "nodePublicIPPrefixID",
    "kubeletConfig.podMaxPids",
    "linuxOSConfig.swapFileSizeMB",
    "linuxOSConfig.sysctls.vmSwappiness",
    "scaleSetPriority",
    "scaleSetEvictionPolicy",
    "spotMaxPrice",
    "gpuInstanceProfile",
    "gpuProfile.driver",
    "hostGroupID",
    "proximityPlacementGroupID",
    "capacityReservationGroupID",
    "workloadRuntime",
    "creationData.sourceResourceId",
    "gatewayProfile.publicIPPrefixSize",
    "messageOfTheDay",
    "windowsProfile.disableOutboundNat",
];

#[test]
fn what_is_fixed_is_replaced() {
    for (kind, fields) in [(&MANAGED_CLUSTER, CLUSTER), (&AGENT_POOL, POOL)] {
        for field in fields {
            let path = format!("properties.{field}");
            for (live, wanted) in [
                (json!("one"), json!("another")),
                (json!(["one"]), json!(["another"])),
                (json!(1), json!(2)),
                (json!(true), json!(false)),
            ] {
                assert_eq!(
                    replaces(kind, &path, &live, &wanted),
                    Some(true),
                    "{path} from {live} to {wanted}"
                );
            }
        }
    }
    for path in ["location", "extendedLocation"] {
        assert_eq!(replaces(&MANAGED_CLUSTER, path, &json!("one"), &json!("two")), Some(true), "{path}");
    }
}

#[test]
fn some_ways_are_open_and_others_closed() {
    const ROWS: &[(&str, &str, &str, bool)] = &[
        ("networkProfile.networkPlugin", "kubenet", "azure", true),
        ("networkProfile.networkPlugin", "azure", "kubenet", false),
        ("networkProfile.networkPlugin", "none", "azure", false),
        ("networkProfile.networkPluginMode", "", "overlay", true),
        ("networkProfile.networkDataplane", "", "cilium", true),
        ("networkProfile.networkDataplane", "cilium", "azure", false),
        ("networkProfile.networkPolicy", "", "calico", true),
        ("networkProfile.networkPolicy", "none", "cilium", true),
        ("networkProfile.networkPolicy", "Calico", "cilium", true),
        ("networkProfile.networkPolicy", "azure", "calico", false),
        ("networkProfile.networkPolicy", "cilium", "none", false),
        ("networkProfile.outboundType", "loadBalancer", "managedNATGateway", true),
        ("networkProfile.outboundType", "managedNATGateway", "loadBalancer", false),
        ("networkProfile.outboundType", "managedNATGateway", "none", true),
        ("networkProfile.outboundType", "userDefinedRouting", "userAssignedNATGateway", true),
        ("networkProfile.outboundType", "userDefinedRouting", "managedNATGateway", false),
        ("networkProfile.podCidr", "", "10.244.0.0/17", true),
        ("windowsProfile.adminUsername", "", "azureuser", true),
        ("apiServerAccessProfile.privateDNSZone", "system", "none", true),
        ("apiServerAccessProfile.privateDNSZone", "none", "system", false),
        ("servicePrincipalProfile.clientId", "msi", "4c9f", false),
        ("servicePrincipalProfile.clientId", "4c9f", "msi", true),
    ];
    for (field, live, wanted, open) in ROWS {
        let found = replaces(&MANAGED_CLUSTER, &format!("properties.{field}"), &json!(live), &json!(wanted));
        assert_eq!(found, Some(!open), "{field} from {live} to {wanted}");
    }
    for (live, wanted, open) in [
        ("Ubuntu", "AzureLinux3", true),
        ("AzureLinux", "Ubuntu2404", true),
        ("Windows2019", "Windows2022", false),
        ("Windows2022", "Windows2025", false),
    ] {
        let found = replaces(&AGENT_POOL, "properties.osSKU", &json!(live), &json!(wanted));
        assert_eq!(found, Some(!open), "{live} to {wanted}");
    }
    for (path, on) in [
        ("properties.oidcIssuerProfile.enabled", true),
        ("properties.aadProfile.managed", true),
        ("properties.apiServerAccessProfile.enableVnetIntegration", true),
    ] {
        assert_eq!(replaces(&MANAGED_CLUSTER, path, &json!(on), &json!(!on)), Some(true), "{path}");
        assert_eq!(replaces(&MANAGED_CLUSTER, path, &json!(!on), &json!(on)), Some(false), "{path}");
    }
}

#[test]
fn a_private_cluster_is_one_for_good_unless_it_is_in_the_network() {
    let access = |private: bool, integrated: bool| json!({ "enablePrivateCluster": private, "enableVnetIntegration": integrated });
    for integrated in [false, true] {
        let body = |private| base("properties.apiServerAccessProfile", &access(private, integrated));
        let rules = MANAGED_CLUSTER.compiled();
        let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
        let found = diff(&body(true), &body(false), &comparison);
        assert_eq!(found.iter().map(|change| change.forces_replace).collect::<Vec<_>>(), [!integrated]);
    }
}

#[test]
fn a_window_is_sent_without_the_day_on_which_it_began() {
    let window = |value: Value| base("properties.maintenanceWindow", &value);
    let live = window(json!({
        "schedule": { "weekly": { "intervalWeeks": 1, "dayOfWeek": "Sunday" } }, "durationHours": 4,
        "startTime": "02:00", "startDate": "2026-01-01",
    }));
    let wanted = window(json!({
        "schedule": { "daily": { "intervalDays": 1 } }, "durationHours": 4, "startTime": "02:00", "utcOffset": "+00:00",
    }));
    let rules = MAINTENANCE_CONFIGURATION.compiled();
    let comparison = Comparison { rules, applied: Some(&live), secret_changed: &|_, _| false };
    let found = diff(&wanted, &live, &comparison);
    assert_eq!(merge(&live, &wanted, rules, &found), wanted);
}
