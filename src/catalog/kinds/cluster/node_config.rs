//! What a node pool's nodes are told: kubelet, kernel, graphics cards, security, their own network.

use super::local_dns::LocalDnsSpec;
use super::node_pool::PoolSpec;
use super::words::words;
use crate::catalog::{Named, Reference, model};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Settings of the kubelet (`kubeletConfig`). They cannot be changed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KubeletSpec {
    /// `static` gives guaranteed pods cores of their own; `none` when absent.
    cpu_manager_policy: Option<CpuManager>,
    /// Whether limits of processors are enforced; yes when absent.
    cpu_cfs_quota: Option<bool>,
    /// Over which time they are, such as `100ms`, which is the default.
    cpu_cfs_quota_period: Option<String>,
    /// `best-effort`, `restricted` or `single-numa-node`: whether a pod's resources are close to each other; `none`
    /// when absent.
    topology_manager_policy: Option<TopologyManager>,
    /// The percentage of the disk beyond which unused images are removed; 85 when absent.
    pub(super) image_gc_high_threshold: Option<i32>,
    /// The percentage down to which they are removed; 80 when absent.
    pub(super) image_gc_low_threshold: Option<i32>,
    /// Patterns of unsafe sysctls that pods may set, such as `net.core.*`.
    allowed_unsafe_sysctls: Option<Vec<String>>,
    /// Whether a node with swap refuses to start; yes when absent. `linuxOs.swapFileSizeMb` needs `false`.
    pub(super) fail_swap_on: Option<bool>,
    /// How large a container's log gets before another is begun, in MiB; 50 when absent (`containerLogMaxSizeMB`).
    container_log_max_size_mb: Option<i32>,
    /// How many logs of a container are kept: 2 or more; 5 when absent.
    pub(super) container_log_max_files: Option<i32>,
    /// How many processes a pod may have; no limit when absent.
    pod_max_pids: Option<i32>,
}

/// Settings of Linux on the nodes (`linuxOSConfig`). They cannot be changed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LinuxOsSpec {
    /// Kernel settings by their own names, such as `net.core.somaxconn: 163849`.
    #[serde(default)]
    pub(super) sysctls: Sysctls,
    /// `always`, `madvise` or `never`: whether memory is in large pages (`transparentHugePageEnabled`).
    transparent_huge_pages: Option<HugePages>,
    /// `always`, `defer`, `defer+madvise`, `madvise` or `never`: how large pages are made room for.
    transparent_huge_page_defrag: Option<HugePageDefrag>,
    /// The size of a swap file on each node, in MiB; none when absent (`swapFileSizeMB`).
    pub(super) swap_file_size_mb: Option<i32>,
}

/// Kernel settings by their own names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Sysctls(pub(super) Named<Value>);

/// A kernel setting that Azure takes.
pub(super) struct Sysctl {
    /// The kernel's name of it.
    pub(super) name: &'static str,
    /// ARM's name of it.
    arm: &'static str,
    /// What it holds.
    pub(super) holds: Holds,
}

/// What a kernel setting holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds {
    Number,
    /// A number with bounds, both included.
    Between(i64, i64),
    Switch,
    Text,
}

const fn number(name: &'static str, arm: &'static str) -> Sysctl {
    Sysctl { name, arm, holds: Holds::Number }
}

/// The settings, with the bounds of the request's schema (API version 2026-02-01, `SysctlConfig`).
pub(super) const SYSCTLS: &[Sysctl] = &[
    number("fs.aio-max-nr", "fsAioMaxNr"),
    number("fs.file-max", "fsFileMax"),
    number("fs.inotify.max_user_watches", "fsInotifyMaxUserWatches"),
    number("fs.nr_open", "fsNrOpen"),
    number("kernel.threads-max", "kernelThreadsMax"),
    number("net.core.netdev_max_backlog", "netCoreNetdevMaxBacklog"),
    number("net.core.optmem_max", "netCoreOptmemMax"),
    number("net.core.rmem_default", "netCoreRmemDefault"),
    number("net.core.rmem_max", "netCoreRmemMax"),
    number("net.core.somaxconn", "netCoreSomaxconn"),
    number("net.core.wmem_default", "netCoreWmemDefault"),
    number("net.core.wmem_max", "netCoreWmemMax"),
    Sysctl { name: "net.ipv4.ip_local_port_range", arm: "netIpv4IpLocalPortRange", holds: Holds::Text },
    number("net.ipv4.neigh.default.gc_thresh1", "netIpv4NeighDefaultGcThresh1"),
    number("net.ipv4.neigh.default.gc_thresh2", "netIpv4NeighDefaultGcThresh2"),
    number("net.ipv4.neigh.default.gc_thresh3", "netIpv4NeighDefaultGcThresh3"),
    number("net.ipv4.tcp_fin_timeout", "netIpv4TcpFinTimeout"),
    Sysctl {
        name: "net.ipv4.tcp_keepalive_intvl",
        arm: "netIpv4TcpkeepaliveIntvl",
        holds: Holds::Between(10, 90),
    },
    number("net.ipv4.tcp_keepalive_probes", "netIpv4TcpKeepaliveProbes"),
    number("net.ipv4.tcp_keepalive_time", "netIpv4TcpKeepaliveTime"),
    number("net.ipv4.tcp_max_syn_backlog", "netIpv4TcpMaxSynBacklog"),
    number("net.ipv4.tcp_max_tw_buckets", "netIpv4TcpMaxTwBuckets"),
    Sysctl { name: "net.ipv4.tcp_tw_reuse", arm: "netIpv4TcpTwReuse", holds: Holds::Switch },
    Sysctl {
        name: "net.netfilter.nf_conntrack_buckets",
        arm: "netNetfilterNfConntrackBuckets",
        holds: Holds::Between(65_536, 524_288),
    },
    Sysctl {
        name: "net.netfilter.nf_conntrack_max",
        arm: "netNetfilterNfConntrackMax",
        holds: Holds::Between(131_072, 2_097_152),
    },
    number("vm.max_map_count", "vmMaxMapCount"),
    number("vm.swappiness", "vmSwappiness"),
    number("vm.vfs_cache_pressure", "vmVfsCachePressure"),
];

impl JsonSchema for Sysctls {
    fn schema_name() -> Cow<'static, str> {
        "Sysctls".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for sysctl in SYSCTLS {
            let holds = match sysctl.holds {
                Holds::Number => json!({ "type": "integer" }),
                Holds::Between(least, most) => {
                    json!({ "type": "integer", "minimum": least, "maximum": most })
                }
                Holds::Switch => json!({ "type": "boolean" }),
                Holds::Text => json!({ "type": "string" }),
            };
            properties.insert(sysctl.name.to_owned(), holds);
        }
        json_schema!({
            "type": "object",
            "description": "Kernel settings by their own names, such as `net.core.somaxconn: 163849`.",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

/// Graphics cards of the nodes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GpuSpec {
    /// Into which slices each card is cut: `MIG1g` to `MIG7g` (`gpuInstanceProfile`). It cannot be changed.
    instance_profile: Option<GpuInstanceProfile>,
    /// Whether AKS installs the driver: `Install` (the default) or `None`. It cannot be changed.
    driver: Option<GpuDriver>,
}

/// How nodes are guarded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeSecuritySpec {
    /// Whether each node has a virtual trusted platform module; no when absent (`enableVTPM`).
    pub(super) vtpm: Option<bool>,
    /// Whether nodes start signed software only; no when absent (`enableSecureBoot`).
    pub(super) secure_boot: Option<bool>,
    /// Who signs in by SSH: `LocalUser` (the default), or `Disabled` for nobody.
    ssh_access: Option<SshAccess>,
}

/// The network of the nodes themselves (`networkProfile`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeNetworkSpec {
    /// Ports of the nodes that are open to everybody, such as `[80/TCP, 4000-5000/UDP]` (`allowedHostPorts`).
    pub(super) allowed_ports: Option<Vec<String>>,
    /// Application security groups that the nodes belong to.
    #[schemars(extend("x-wants" = "application security group"))]
    application_security_groups: Option<Vec<Reference>>,
    /// Tags of the nodes' public addresses, such as `RoutingPreference: Internet` (`nodePublicIPTags`).
    #[serde(default)]
    pub(super) public_ip_tags: Named<String>,
}

/// A pool through which chosen pods lead out by fixed addresses (`gatewayProfile`), with `mode: Gateway`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GatewaySpec {
    /// The length of each prefix of addresses: 28 to 31; 31 when absent (`publicIPPrefixSize`).
    pub(super) prefix_size: Option<i32>,
}

words! {
    /// How processors are given to pods.
    CpuManager { "none" => None, "static" => Static, }
    /// How close a pod's resources are.
    TopologyManager {
        "none" => None,
        "best-effort" => BestEffort,
        "restricted" => Restricted,
        "single-numa-node" => SingleNumaNode,
    }
    /// Whether memory is in large pages.
    HugePages { "always" => Always, "madvise" => Madvise, "never" => Never, }
    /// How large pages are made room for.
    HugePageDefrag {
        "always" => Always,
        "defer" => Defer,
        "defer+madvise" => DeferMadvise,
        "madvise" => Madvise,
        "never" => Never,
    }
    /// Slices of a graphics card.
    GpuInstanceProfile {
        "MIG1g" => Mig1g, "MIG2g" => Mig2g, "MIG3g" => Mig3g, "MIG4g" => Mig4g, "MIG7g" => Mig7g,
    }
    /// Whether AKS installs the driver.
    GpuDriver { "Install" => Install, "None" => None, }
    /// Who signs in by SSH.
    SshAccess { "LocalUser" => LocalUser, "Disabled" => Disabled, }
}

/// First port, last port and protocol of `80/TCP` or `4000-5000/UDP`.
pub(super) fn ports(text: &str) -> Option<(u16, u16, &str)> {
    let (range, protocol) = text.split_once('/')?;
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first > 0 && first <= last && matches!(protocol, "TCP" | "UDP")).then_some((first, last, protocol))
}

impl PoolSpec {
    /// What the pool's nodes are told, as members of the pool's `properties`.
    pub(super) fn node_settings(&self) -> Value {
        let security = self.security.as_ref();
        let settings = json!({
            "kubeletConfig": self.kubelet.as_ref().map(KubeletSpec::config),
            "linuxOSConfig": self.linux_os.as_ref().map(LinuxOsSpec::config),
            "gpuInstanceProfile": self.gpu.as_ref().and_then(|gpu| gpu.instance_profile),
            "gpuProfile": self.gpu.as_ref().and_then(|gpu| gpu.driver).map(|driver| json!({ "driver": driver })),
            "securityProfile": security.map(|security| {
                json!({
                    "enableVTPM": security.vtpm,
                    "enableSecureBoot": security.secure_boot,
                    "sshAccess": security.ssh_access,
                })
            }),
            "networkProfile": self.network.as_ref().map(NodeNetworkSpec::profile),
            "gatewayProfile": self.gateway.as_ref().map(|gateway| {
                json!({ "publicIPPrefixSize": gateway.prefix_size.unwrap_or(31) })
            }),
            "nodePublicIPPrefixID": self.public_ip_prefix.as_ref().map(Reference::id),
            "hostGroupID": self.host_group.as_ref().map(Reference::id),
            "capacityReservationGroupID": self.capacity_reservation.as_ref().map(Reference::id),
            "creationData": self.snapshot.as_ref().map(|snapshot| json!({ "sourceResourceId": snapshot.id() })),
            "podIPAllocationMode": self.pod_ip_allocation,
            "localDNSProfile": self.local_dns.as_ref().map(LocalDnsSpec::profile),
            "messageOfTheDay": self.message_of_the_day,
            "powerState": self.running.map(|on| json!({ "code": if on { "Running" } else { "Stopped" } })),
        });
        model(&settings)
    }
}

impl KubeletSpec {
    fn config(&self) -> Value {
        json!({
            "cpuManagerPolicy": self.cpu_manager_policy,
            "cpuCfsQuota": self.cpu_cfs_quota,
            "cpuCfsQuotaPeriod": self.cpu_cfs_quota_period,
            "topologyManagerPolicy": self.topology_manager_policy,
            "imageGcHighThreshold": self.image_gc_high_threshold,
            "imageGcLowThreshold": self.image_gc_low_threshold,
            "allowedUnsafeSysctls": self.allowed_unsafe_sysctls,
            "failSwapOn": self.fail_swap_on,
            "containerLogMaxSizeMB": self.container_log_max_size_mb,
            "containerLogMaxFiles": self.container_log_max_files,
            "podMaxPids": self.pod_max_pids,
        })
    }
}

impl LinuxOsSpec {
    fn config(&self) -> Value {
        let known = |name: &str| SYSCTLS.iter().find(|sysctl| sysctl.name == name);
        let sysctls: Map<String, Value> = self
            .sysctls
            .0
            .iter()
            .filter_map(|(name, value)| Some((known(name)?.arm.to_owned(), value.clone())))
            .collect();
        json!({
            "sysctls": (!sysctls.is_empty()).then_some(sysctls),
            "transparentHugePageEnabled": self.transparent_huge_pages,
            "transparentHugePageDefrag": self.transparent_huge_page_defrag,
            "swapFileSizeMB": self.swap_file_size_mb,
        })
    }
}

impl NodeNetworkSpec {
    fn profile(&self) -> Value {
        let allowed = self.allowed_ports.as_ref().map(|list| {
            let port = |text: &String| {
                let (first, last, protocol) = ports(text)?;
                Some(json!({ "portStart": first, "portEnd": last, "protocol": protocol }))
            };
            list.iter().filter_map(port).collect::<Vec<_>>()
        });
        let groups = self.application_security_groups.as_ref();
        let tags = self.public_ip_tags.iter().map(|(kind, tag)| json!({ "ipTagType": kind, "tag": tag }));
        let tags: Vec<Value> = tags.collect();
        json!({
            "allowedHostPorts": allowed,
            "applicationSecurityGroups": groups.map(|list| list.iter().map(Reference::id).collect::<Vec<_>>()),
            "nodePublicIPTags": (!tags.is_empty()).then_some(tags),
        })
    }
}
