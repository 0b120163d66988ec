//! Node pools of a cluster.

use super::field::{NumberOrText, Settings, Toggle, Version, as_model};
use super::local_dns::LocalDnsSpec;
use super::node_config::{GatewaySpec, GpuSpec, KubeletSpec, LinuxOsSpec, NodeNetworkSpec, NodeSecuritySpec};
use super::spec::Spec;
use super::words::words;
use crate::catalog::kinds::interval::Interval;
use crate::catalog::{Named, Reference, merge_over, model};
use crate::models::container_service as models;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What AKS puts on the nodes of a Spot pool.
const SPOT_TAINT: &str = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule";

/// A node pool.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PoolSpec {
    /// The Azure name; the key when absent. Small letters and digits, a letter first: at most 12 characters, and at
    /// most 6 on Windows.
    pub(super) name: Option<String>,
    /// `System` pools run what the cluster itself needs, `User` pools run the rest. When absent: of new pools, the first
    /// Linux pool is `System` where none says so, every other is `User`.
    pub(super) mode: Option<Mode>,
    /// The operating system; `Linux` for a new pool when absent.
    pub(super) os: Option<Os>,
    /// The image: `Ubuntu`, `AzureLinux`, `Windows2022` and others; Azure's default when absent.
    pub(super) os_sku: Option<OsSku>,
    /// The size of the nodes, such as `Standard_D4s_v5`; Azure chooses when absent.
    pub(super) vm_size: Option<String>,
    /// How many nodes; a new pool has 1 when absent. With `autoscale`, how many there are at first.
    pub(super) count: Option<i32>,
    /// Between which sizes the autoscaler moves the pool; a new pool has no autoscaler when absent.
    pub(super) autoscale: Option<AutoscaleSpec>,
    /// The subnet of the nodes; the cluster's when absent.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Option<Reference>,
    /// The subnet of the pods; that of the nodes when absent.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) pod_subnet: Option<Reference>,
    /// How many pods a node runs at most.
    pub(super) max_pods: Option<i32>,
    /// The availability zones, such as `[1, 2, 3]`.
    pub(super) zones: Option<Vec<NumberOrText>>,
    /// Labels of the nodes.
    #[serde(default)]
    pub(super) labels: Named<String>,
    /// Taints of the nodes, such as `sku=gpu:NoSchedule`.
    pub(super) taints: Option<Vec<String>>,
    /// Cheap nodes that Azure may take back at any time: `true`, or the conditions.
    pub(super) spot: Option<Toggle<SpotSpec>>,
    /// The disk of the operating system.
    pub(super) os_disk: Option<OsDiskSpec>,
    /// Where container data is kept: `OS` or `Temporary`.
    pub(super) kubelet_disk: Option<KubeletDisk>,
    /// The Kubernetes version of the nodes, at least; the cluster's when absent.
    pub(super) kubernetes_version: Option<Version>,
    /// How upgrades go through the pool.
    pub(super) upgrade: Option<UpgradeSpec>,
    /// What becomes of nodes that are not needed: `Delete` (the default) or `Deallocate`.
    pub(super) scale_down_mode: Option<ScaleDownMode>,
    /// What the nodes run: `OCIContainer` (the default), `WasmWasi` or `KataVmIsolation`.
    pub(super) workload_runtime: Option<WorkloadRuntime>,
    /// Whether each node has a public address.
    pub(super) public_ip: Option<bool>,
    /// Whether disks are encrypted on the host.
    pub(super) encryption_at_host: Option<bool>,
    /// Whether ultra disks can be attached.
    pub(super) ultra_disks: Option<bool>,
    /// Whether the image is a FIPS one.
    pub(super) fips: Option<bool>,
    /// Whether Windows nodes lead out through the cluster's outbound type; `false` needs a NAT gateway or routes of
    /// yours. Yes when absent.
    pub(super) outbound_nat: Option<bool>,
    /// The prefix that the public addresses of the nodes are of; needs `publicIp`. It cannot be changed.
    #[schemars(extend("x-wants" = "public address prefix"))]
    pub(super) public_ip_prefix: Option<Reference>,
    /// How pods get addresses of `podSubnet`: `DynamicIndividual` (the default) or `StaticBlock`. It cannot be
    /// changed.
    pub(super) pod_ip_allocation: Option<PodIpAllocation>,
    /// Settings of the kubelet.
    pub(super) kubelet: Option<KubeletSpec>,
    /// Settings of Linux.
    pub(super) linux_os: Option<LinuxOsSpec>,
    /// Graphics cards.
    pub(super) gpu: Option<GpuSpec>,
    /// How nodes are guarded.
    pub(super) security: Option<NodeSecuritySpec>,
    /// The network of the nodes themselves.
    pub(super) network: Option<NodeNetworkSpec>,
    /// A DNS server on each node.
    pub(super) local_dns: Option<LocalDnsSpec>,
    /// The addresses of a pool with `mode: Gateway`.
    pub(super) gateway: Option<GatewaySpec>,
    /// Whether the pool runs: `false` stops its nodes and keeps them. A `System` pool cannot be stopped.
    pub(super) running: Option<bool>,
    /// What a person reads who signs in to a node, in base64. It cannot be changed.
    pub(super) message_of_the_day: Option<String>,
    /// The dedicated hosts of the nodes (`hostGroupID`). It cannot be changed.
    #[schemars(extend("x-wants" = "host group"))]
    pub(super) host_group: Option<Reference>,
    /// The capacity reservation group that nodes are taken from. It cannot be changed.
    #[schemars(extend("x-wants" = "capacity reservation group"))]
    pub(super) capacity_reservation: Option<Reference>,
    /// The node pool snapshot that image and version are taken from. It cannot be changed.
    #[schemars(extend("x-wants" = "node pool snapshot"))]
    pub(super) snapshot: Option<Reference>,
    /// The proximity placement group of the nodes.
    #[schemars(extend("x-wants" = "proximity placement group"))]
    pub(super) proximity_placement_group: Option<Reference>,
    /// Tags of the pool and what it is made of.
    #[serde(default)]
    pub(super) tags: Named<String>,
    /// Merged over the pool's `properties` as berth builds them: for fields that are missing here.
    pub(super) properties: Option<serde_json::Map<String, Value>>,
}

/// Between which sizes the autoscaler moves a pool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AutoscaleSpec {
    /// How many nodes at least.
    pub(super) min: i32,
    /// How many nodes at most.
    pub(super) max: i32,
}

/// Cheap nodes that Azure may take back at any time.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SpotSpec {
    /// The price in US dollars an hour beyond which nodes are given back; -1, for a new pool when absent, is up to the
    /// full price.
    max_price: Option<f64>,
    /// What becomes of nodes that are taken back: `Delete` or `Deallocate`; `Delete` for a new pool when absent.
    eviction: Option<Eviction>,
}

impl Settings for SpotSpec {}

/// The disk of the operating system.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OsDiskSpec {
    /// `Ephemeral` is on the host, `Managed` is not.
    r#type: Option<OsDiskType>,
    /// Its size in GiB.
    pub(super) size_gb: Option<i32>,
}

/// How upgrades go through a pool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UpgradeSpec {
    /// How many nodes are added meanwhile: a number or a percentage such as `33%`.
    pub(super) max_surge: Option<NumberOrText>,
    /// How many nodes may be missing meanwhile: a number or a percentage.
    pub(super) max_unavailable: Option<NumberOrText>,
    /// How long pods get to leave a node, such as `30m`.
    pub(super) drain_timeout: Option<Interval>,
    /// How long to wait after each node, such as `5m`.
    pub(super) soak: Option<Interval>,
    /// What becomes of a node that pods do not leave: `Cordon` or `Schedule`.
    undrainable: Option<Undrainable>,
}

words! {
    /// What a pool is for.
    Mode { "System" => System, "User" => User, "Gateway" => Gateway, }
    /// The image of nodes.
    OsSku {
        "Ubuntu" => Ubuntu,
        "Ubuntu2204" => Ubuntu2204,
        "Ubuntu2404" => Ubuntu2404,
        "AzureLinux" => AzureLinux,
        "AzureLinux3" => AzureLinux3,
        "CBLMariner" => CblMariner,
        "Windows2019" => Windows2019,
        "Windows2022" => Windows2022,
        "Windows2025" => Windows2025,
    }
    /// What becomes of Spot nodes that are taken back.
    Eviction { "Delete" => Delete, "Deallocate" => Deallocate, }
    /// Where the disk of the operating system is.
    OsDiskType { "Managed" => Managed, "Ephemeral" => Ephemeral, }
    /// Where container data is kept.
    KubeletDisk { "OS" => Os, "Temporary" => Temporary, }
    /// What becomes of a node that pods do not leave.
    Undrainable { "Cordon" => Cordon, "Schedule" => Schedule, }
    /// What becomes of nodes that are not needed.
    ScaleDownMode { "Delete" => Delete, "Deallocate" => Deallocate, }
    /// How pods get addresses.
    PodIpAllocation { "DynamicIndividual" => DynamicIndividual, "StaticBlock" => StaticBlock, }
    /// What nodes run.
    WorkloadRuntime { "OCIContainer" => OciContainer, "WasmWasi" => WasmWasi, "KataVmIsolation" => KataVmIsolation, }
}

/// An operating system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Os {
    /// Linux.
    #[default]
    Linux,
    /// Windows Server.
    Windows,
}

impl OsSku {
    /// The operating system of the image.
    pub(super) fn os(self) -> Os {
        match self {
            OsSku::Windows2019 | OsSku::Windows2022 | OsSku::Windows2025 => Os::Windows,
            _ => Os::Linux,
        }
    }
}

impl PoolSpec {
    /// The Azure name.
    pub(super) fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(key)
    }

    /// What the pool is for, as the other pools leave it.
    pub(super) fn mode(&self, key: &str, spec: &Spec) -> Mode {
        self.mode.unwrap_or_else(|| {
            let none_says = !spec.pools().any(|(_, pool)| pool.mode == Some(Mode::System));
            let candidate =
                |pool: &PoolSpec| pool.os() == Os::Linux && pool.mode.is_none() && !pool.is_spot();
            let first = spec.pools().find(|(_, pool)| candidate(pool)).map(|(key, _)| key);
            if none_says && first == Some(key) { Mode::System } else { Mode::User }
        })
    }

    /// The operating system of a new pool.
    pub(super) fn os(&self) -> Os {
        self.os.unwrap_or_default()
    }

    /// What the blueprint leaves out and a new pool is given all the same: paths in its `properties`.
    pub(super) fn unsaid(&self) -> Vec<&'static str> {
        let spot = self.spot_settings();
        let choices = [
            ("type", true),
            ("count", self.count.is_none()),
            ("enableAutoScaling", self.autoscale.is_none()),
            ("mode", self.mode.is_none()),
            ("osType", self.os.is_none()),
            ("scaleSetEvictionPolicy", spot.is_some_and(|spot| spot.eviction.is_none())),
            ("spotMaxPrice", spot.is_some_and(|spot| spot.max_price.is_none())),
        ];
        choices.into_iter().filter(|(_, unsaid)| *unsaid).map(|(path, _)| path).collect()
    }

    /// Whether Azure may take its nodes back.
    pub(super) fn is_spot(&self) -> bool {
        self.spot_settings().is_some()
    }

    fn spot_settings(&self) -> Option<&SpotSpec> {
        self.spot.as_ref().and_then(Toggle::on)
    }

    /// The `properties` of the pool, which are also what is inline in a new cluster.
    pub(super) fn properties(&self, key: &str, spec: &Spec) -> Value {
        let spot = self.spot_settings();
        let disk = self.os_disk.as_ref();
        let version = self.kubernetes_version.as_ref().or(spec.kubernetes_version.as_ref());
        let count = self.count.or(self.autoscale.as_ref().map(|scale| scale.min.max(1))).unwrap_or(1);
        let properties = models::ManagedClusterAgentPoolProfileProperties {
            count: Some(count),
            vm_size: self.vm_size.clone(),
            // Zero asks Azure to choose, which is the same as not asking.
            os_disk_size_gb: disk.and_then(|disk| disk.size_gb).filter(|size| *size > 0),
            os_disk_type: disk.and_then(|disk| as_model(&disk.r#type)),
            kubelet_disk_type: as_model(&self.kubelet_disk),
            workload_runtime: as_model(&self.workload_runtime),
            vnet_subnet_id: self.subnet.as_ref().or(spec.subnet.as_ref()).map(Reference::id),
            pod_subnet_id: self.pod_subnet.as_ref().map(Reference::id),
            max_pods: self.max_pods,
            os_type: as_model(&self.os()),
            os_sku: as_model(&self.os_sku),
            min_count: self.autoscale.as_ref().map(|scale| scale.min),
            max_count: self.autoscale.as_ref().map(|scale| scale.max),
            enable_auto_scaling: Some(self.autoscale.is_some()),
            scale_down_mode: as_model(&self.scale_down_mode),
            type_: as_model(&"VirtualMachineScaleSets"),
            mode: as_model(&self.mode(key, spec)),
            orchestrator_version: version.map(|version| version.0.clone()),
            availability_zones: self.zones.iter().flatten().map(|zone| zone.0.clone()).collect(),
            enable_node_public_ip: self.public_ip,
            scale_set_priority: spot.and_then(|_| as_model(&"Spot")),
            scale_set_eviction_policy: spot
                .and_then(|spot| as_model(&spot.eviction.unwrap_or(Eviction::Delete))),
            spot_max_price: spot.map(|spot| spot.max_price.unwrap_or(-1.0)),
            tags: (!self.tags.is_empty()).then(|| json!(self.tags)),
            node_labels: (!self.labels.is_empty()).then(|| json!(self.labels)),
            proximity_placement_group_id: self.proximity_placement_group.as_ref().map(Reference::id),
            enable_encryption_at_host: self.encryption_at_host,
            enable_ultra_ssd: self.ultra_disks,
            enable_fips: self.fips,
            windows_profile: self
                .outbound_nat
                .map(|nat| models::AgentPoolWindowsProfile { disable_outbound_nat: Some(!nat) }),
            ..Default::default()
        };
        let mut properties = model(&properties);
        if let Some(taints) = &self.taints {
            let mut taints = taints.clone();
            // AKS adds its own to Spot nodes; the list is compared as a whole.
            if spot.is_some() && !taints.iter().any(|taint| taint == SPOT_TAINT) {
                taints.push(SPOT_TAINT.to_owned());
            }
            properties["nodeTaints"] = json!(taints);
        }
        merge_over(&mut properties, &self.node_settings());
        if let Some(upgrade) = &self.upgrade {
            properties["upgradeSettings"] = upgrade.settings();
        }
        if let Some(over) = &self.properties {
            merge_over(&mut properties, &Value::Object(over.clone()));
        }
        properties
    }
}

impl UpgradeSpec {
    fn settings(&self) -> Value {
        model(&json!({
            "maxSurge": self.max_surge,
            "maxUnavailable": self.max_unavailable,
            "drainTimeoutInMinutes": self.drain_timeout.as_ref().map(Interval::minutes),
            "nodeSoakDurationInMinutes": self.soak.as_ref().map(Interval::minutes),
            "undrainableNodeBehavior": self.undrainable,
        }))
    }
}
