//! Checks of what a pool's nodes are told.

use super::super::network::OutboundType;
use super::super::node_config::{Holds, LinuxOsSpec, SYSCTLS, ports};
use super::super::node_pool::{Mode, Os, OsSku, PoolSpec, WorkloadRuntime};
use super::super::spec::Spec;
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;
use serde_json::Value;

pub(super) fn check(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let path = format!("nodePools.{key}");
    systems(&path, pool, spec, cx);
    kubelet(&path, pool, cx);
    if let Some(linux) = &pool.linux_os {
        sysctls(&path, linux, cx);
    }
    places(&path, pool, cx);
    kinds(&path, key, pool, spec, cx);
    texts(&path, pool, cx);
    upgrade(&path, pool, cx);
}

pub(super) const POD_SUBNET: Code = Code {
    name: "pod-subnet",
    why: "Pods with a subnet of their own need nodes with one, and only they get addresses of it.",
    remedy: "Name both subnets, of the same network.",
    example: "{ subnet: \"${networks.hub.subnets.nodes}\", podSubnet: \"${networks.hub.subnets.pods}\" }",
};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &KATA,
    &LINUX_ONLY,
    &WINDOWS_OUTBOUND_NAT,
    &CONTAINER_LOGS,
    &IMAGE_GC,
    &SWAP_FILE,
    &SYSCTL,
    &PORTS,
    &PROXIMITY_ZONES,
    &PUBLIC_IP_PREFIX,
    &ZONES,
    &GATEWAY_POOL,
    &STOPPED_SYSTEM_POOL,
    &LABEL,
    &OS_DISK,
    &TAINT,
    &UPGRADE,
];

const KATA: Code = Code {
    name: "kata",
    why: "Pods in virtual machines of their own run on Azure Linux only.",
    remedy: "Choose that OS SKU.",
    example: "{ osSku: AzureLinux, workloadRuntime: KataVmIsolation }",
};

const LINUX_ONLY: Code = Code {
    name: "linux-only",
    why: "This setting is one of Linux nodes.",
    remedy: "Leave it out for Windows pools.",
    example: "{ os: Linux, linuxOs: { swapFileSizeMb: 1500 } }",
};

const WINDOWS_OUTBOUND_NAT: Code = Code {
    name: "windows-outbound-nat",
    why: "Windows nodes can go out without NAT only where a NAT gateway or a route of yours takes what leaves.",
    remedy: "Choose another way out for the cluster.",
    example: "network: { outboundType: userAssignedNATGateway }",
};

/// What only one operating system has.
fn systems(path: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    crate::catalog::kinds::cluster::local_dns::check(path, pool, cx);
    if pool.os() == Os::Windows {
        let guarded = pool.security.as_ref().filter(|s| s.vtpm == Some(true) || s.secure_boot == Some(true));
        for (field, said) in [
            ("linuxOs", pool.linux_os.is_some()),
            ("kubelet", pool.kubelet.is_some()),
            ("security", guarded.is_some()),
            ("messageOfTheDay", pool.message_of_the_day.is_some()),
            ("gateway", pool.gateway.is_some()),
            ("ultraDisks", false),
        ] {
            if said {
                cx.problem(
                    Problem::error(
                        &LINUX_ONLY,
                        format!("{path}.{field}"),
                        "only Linux pools have this setting",
                    )
                    .help("leave it out"),
                );
            }
        }
        let routed = matches!(
            spec.network.outbound_type,
            Some(
                OutboundType::ManagedNatGateway
                    | OutboundType::UserAssignedNatGateway
                    | OutboundType::UserDefinedRouting
            )
        );
        if pool.outbound_nat == Some(false) && !routed {
            cx.problem(
                Problem::error(
                    &WINDOWS_OUTBOUND_NAT,
                    format!("{path}.outboundNat"),
                    "without it, Windows nodes lead out through a NAT gateway or routes of yours only",
                )
                .help(
                    "write `network: { outboundType: userAssignedNATGateway }`, or leave `outboundNat` out",
                ),
            );
        }
    }
    let kata = pool.workload_runtime == Some(WorkloadRuntime::KataVmIsolation);
    if kata && !matches!(pool.os_sku, Some(OsSku::AzureLinux | OsSku::AzureLinux3)) {
        cx.problem(
            Problem::error(&KATA, format!("{path}.workloadRuntime"), "isolated pods run on Azure Linux only")
                .help("write `osSku: AzureLinux`"),
        );
    }
}

const CONTAINER_LOGS: Code = Code {
    name: "container-logs",
    why: "The kubelet turns logs over and needs at least two files for it.",
    remedy: "Write 2 or more.",
    example: "kubelet: { containerLogMaxFiles: 5 }",
};

const IMAGE_GC: Code = Code {
    name: "image-gc",
    why: "Images are removed from the higher percentage of a full disk down to the lower one.",
    remedy: "Put the lower one below the higher one.",
    example: "kubelet: { imageGcHighThreshold: 85, imageGcLowThreshold: 80 }",
};

const SWAP_FILE: Code = Code {
    name: "swap-file",
    why: "The kubelet refuses to start on a node with swap unless `failSwapOn` is false.",
    remedy: "Add the setting.",
    example: "kubelet: { failSwapOn: false }",
};

fn kubelet(path: &str, pool: &PoolSpec, cx: &mut EntryCx<'_>) {
    let kubelet = pool.kubelet.as_ref();
    if let Some(kubelet) = kubelet {
        let (high, low) = (kubelet.image_gc_high_threshold, kubelet.image_gc_low_threshold);
        let percent = |value: Option<i32>| value.is_none_or(|value| (0..=100).contains(&value));
        if low.unwrap_or(80) >= high.unwrap_or(85) || !percent(high) || !percent(low) {
            cx.problem(
                Problem::error(
                    &IMAGE_GC,
                    format!("{path}.kubelet"),
                    "images are removed from the higher percentage down to the lower one",
                )
                .help("write `imageGcLowThreshold` below `imageGcHighThreshold`; they are 80 and 85 when absent"),
            );
        }
        if kubelet.container_log_max_files.is_some_and(|files| files < 2) {
            cx.problem(
                Problem::error(
                    &CONTAINER_LOGS,
                    format!("{path}.kubelet.containerLogMaxFiles"),
                    "a container has at least two logs",
                )
                .help("write 2 or more"),
            );
        }
    }
    let swap =
        pool.linux_os.as_ref().is_some_and(|linux| linux.swap_file_size_mb.is_some_and(|size| size > 0));
    if swap && kubelet.is_none_or(|kubelet| kubelet.fail_swap_on != Some(false)) {
        cx.problem(
            Problem::error(
                &SWAP_FILE,
                format!("{path}.linuxOs.swapFileSizeMb"),
                "the kubelet refuses to start on a node with swap",
            )
            .help("add `kubelet: { failSwapOn: false }`"),
        );
    }
}

const SYSCTL: Code = Code {
    name: "sysctl",
    why: "The setting of the kernel is not one that AKS lets through, or out of its bounds.",
    remedy: "`berth explain clusters.nodePools.linuxOs` lists them.",
    example: "linuxOs: { sysctls: { vm.max_map_count: 262144 } }",
};

fn sysctls(path: &str, linux: &LinuxOsSpec, cx: &mut EntryCx<'_>) {
    for (name, value) in &linux.sysctls.0 {
        let at = format!("{path}.linuxOs.sysctls");
        let Some(sysctl) = SYSCTLS.iter().find(|sysctl| sysctl.name == name) else {
            let near = SYSCTLS.iter().map(|sysctl| (strsim::jaro_winkler(sysctl.name, name), sysctl.name));
            let near = near.max_by(|a, b| a.0.total_cmp(&b.0)).map_or("net.core.somaxconn", |(_, name)| name);
            cx.problem(
                Problem::error(&SYSCTL, at, format!("AKS sets no kernel setting `{name}`"))
                    .help(format!("the nearest that it sets is `{near}`; pods may set others themselves, with `kubelet: {{ allowedUnsafeSysctls: […] }}`")),
            );
            continue;
        };
        let token = value.as_str().is_some_and(has_token);
        let help = match (sysctl.holds, value) {
            _ if token => continue,
            (Holds::Number, Value::Number(_))
            | (Holds::Switch, Value::Bool(_))
            | (Holds::Text, Value::String(_)) => {
                continue;
            }
            (Holds::Between(least, most), Value::Number(number))
                if number.as_i64().is_some_and(|number| (least..=most).contains(&number)) =>
            {
                continue;
            }
            (Holds::Number, _) => "write a whole number".to_owned(),
            (Holds::Between(least, most), _) => format!("write {least} to {most}"),
            (Holds::Switch, _) => "write `true` or `false`".to_owned(),
            (Holds::Text, _) => "write a text, such as `\"32768 60999\"`".to_owned(),
        };
        cx.problem(Problem::error(&SYSCTL, at, format!("`{name}` does not hold `{value}`")).help(help));
    }
}

const PORTS: Code = Code {
    name: "ports",
    why: "Ports that nodes open are numbers or ranges, with their protocol.",
    remedy: "Write it as in the example.",
    example: "allowedPorts: [\"80/TCP\", \"4000-5000/UDP\"]",
};

const PROXIMITY_ZONES: Code = Code {
    name: "proximity-zones",
    why: "A proximity group keeps machines close together; zones keep them apart.",
    remedy: "Keep one zone, or leave the group out.",
    example: "zones: [\"1\"]",
};

const PUBLIC_IP_PREFIX: Code = Code {
    name: "public-ip-prefix",
    why: "Addresses of nodes come from a prefix only when nodes have addresses.",
    remedy: "Add `publicIp: true` to the pool.",
    example: "nodePools: { edge: { publicIp: true, publicIpPrefix: /subscriptions/… } }",
};

const ZONES: Code = Code {
    name: "zones",
    why: "A region has the zones 1, 2 and 3.",
    remedy: "Write them as texts.",
    example: "zones: [\"1\", \"2\", \"3\"]",
};

/// Where nodes are.
fn places(path: &str, pool: &PoolSpec, cx: &mut EntryCx<'_>) {
    let zones = pool.zones.as_deref().unwrap_or_default();
    for (at, zone) in zones.iter().enumerate().filter(|(_, zone)| !has_token(&zone.0)) {
        if !matches!(zone.0.as_str(), "1" | "2" | "3") {
            cx.problem(
                Problem::error(
                    &ZONES,
                    format!("{path}.zones[{at}]"),
                    format!("there is no zone `{}`", zone.0),
                )
                .help("write `1`, `2` or `3`"),
            );
        }
    }
    if pool.proximity_placement_group.is_some() && zones.len() > 1 {
        cx.problem(
            Problem::error(
                &PROXIMITY_ZONES,
                format!("{path}.proximityPlacementGroup"),
                "nodes of several zones are not close to each other",
            )
            .help("keep one zone, or leave the group out"),
        );
    }
    if pool.public_ip_prefix.is_some() && pool.public_ip != Some(true) {
        cx.problem(
            Problem::error(
                &PUBLIC_IP_PREFIX,
                format!("{path}.publicIpPrefix"),
                "these nodes have no public addresses",
            )
            .help("add `publicIp: true`"),
        );
    }
    if pool.network.as_ref().is_some_and(|network| !network.public_ip_tags.is_empty())
        && pool.public_ip != Some(true)
    {
        cx.problem(
            Problem::error(
                &PUBLIC_IP_PREFIX,
                format!("{path}.network.publicIpTags"),
                "these nodes have no public addresses",
            )
            .help("add `publicIp: true`"),
        );
    }
    if pool.pod_ip_allocation.is_some() && pool.pod_subnet.is_none() {
        cx.problem(
            Problem::error(
                &POD_SUBNET,
                format!("{path}.podIpAllocation"),
                "only pods with a subnet of their own get addresses of it",
            )
            .help("add `podSubnet: ${networks.….subnets.…}`"),
        );
    }
    let allowed = pool.network.as_ref().and_then(|network| network.allowed_ports.as_deref());
    for (at, text) in allowed.unwrap_or_default().iter().enumerate() {
        if !has_token(text) && ports(text).is_none() {
            cx.problem(
                Problem::error(
                    &PORTS,
                    format!("{path}.network.allowedPorts[{at}]"),
                    format!("`{text}` is not a port with its protocol"),
                )
                .help("write `80/TCP`, or a range such as `4000-5000/UDP`"),
            );
        }
    }
}

const GATEWAY_POOL: Code = Code {
    name: "gateway-pool",
    why: "A pool with `mode: Gateway` sends out what leaves by the static egress gateway, and serves nothing else.",
    remedy: "Turn the gateway on for the cluster, and keep `gateway` for such pools.",
    example: "network: { staticEgressGateway: true }",
};

const STOPPED_SYSTEM_POOL: Code = Code {
    name: "stopped-system-pool",
    why: "A cluster without running system nodes is down.",
    remedy: "Stop another pool.",
    example: "nodePools: { batch: { mode: User, running: false } }",
};

/// What only one kind of pool has.
fn kinds(path: &str, key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let mode = pool.mode(key, spec);
    if pool.gateway.is_some() && mode != Mode::Gateway {
        cx.problem(
            Problem::error(
                &GATEWAY_POOL,
                format!("{path}.gateway"),
                "only a pool with `mode: Gateway` has these addresses",
            )
            .help("add `mode: Gateway`, or leave `gateway` out"),
        );
    }
    if mode == Mode::Gateway {
        if spec.network.static_egress_gateway != Some(true) {
            cx.problem(
                Problem::error(
                    &GATEWAY_POOL,
                    format!("{path}.mode"),
                    "a `Gateway` pool needs the static egress gateway",
                )
                .help("add `network: { staticEgressGateway: true }`"),
            );
        }
        let size = pool.gateway.as_ref().and_then(|gateway| gateway.prefix_size);
        if size.is_some_and(|size| !(28..=31).contains(&size)) {
            cx.problem(
                Problem::error(
                    &GATEWAY_POOL,
                    format!("{path}.gateway.prefixSize"),
                    "a prefix is 28 to 31 bits long",
                )
                .help("write 28 to 31; 31 is two addresses"),
            );
        }
    }
    if pool.running == Some(false) && mode == Mode::System {
        cx.problem(
            Problem::error(
                &STOPPED_SYSTEM_POOL,
                format!("{path}.running"),
                "a `System` pool cannot be stopped",
            )
            .help("leave `running` out; the whole cluster is stopped with `az aks stop`"),
        );
    }
}

const LABEL: Code = Code {
    name: "label",
    why: "Labels are Kubernetes labels; AKS keeps some prefixes for itself.",
    remedy: "Use a prefix and name of letters, digits, `.`, `_` and `-`, and none of the reserved prefixes.",
    example: "labels: { team: shop }",
};

const OS_DISK: Code = Code {
    name: "os-disk",
    why: "The disk of a node has a size that Azure takes, and ephemeral disks must fit on the machine.",
    remedy: "Write 30 to 2048 GB, or leave it out.",
    example: "osDisk: { sizeGb: 128 }",
};

const TAINT: Code = Code {
    name: "taint",
    why: "A taint is `key=value:Effect`.",
    remedy: "Use `NoSchedule`, `PreferNoSchedule` or `NoExecute`.",
    example: "taints: [\"os=windows:NoSchedule\"]",
};

fn texts(path: &str, pool: &PoolSpec, cx: &mut EntryCx<'_>) {
    for label in pool.labels.keys().filter(|label| label.starts_with("kubernetes.azure.com/")) {
        cx.problem(
            Problem::error(&LABEL, format!("{path}.labels"), format!("`{label}` is a label of AKS's own"))
                .help("choose a label outside `kubernetes.azure.com/`"),
        );
    }
    for (at, taint) in pool.taints.iter().flatten().enumerate().filter(|(_, taint)| !has_token(taint)) {
        let effect =
            taint.rsplit_once(':').filter(|(key, _)| !key.is_empty() && !key.starts_with('=')).map(|t| t.1);
        if !matches!(effect, Some("NoSchedule" | "PreferNoSchedule" | "NoExecute")) {
            cx.problem(
                Problem::error(&TAINT, format!("{path}.taints[{at}]"), format!("`{taint}` is not a taint"))
                    .help("write `key=value:NoSchedule`; the effect may be `PreferNoSchedule` or `NoExecute`, too"),
            );
        }
    }
    let size = pool.os_disk.as_ref().and_then(|disk| disk.size_gb);
    if size.is_some_and(|size| size != 0 && !(30..=2048).contains(&size)) {
        cx.problem(
            Problem::error(&OS_DISK, format!("{path}.osDisk.sizeGb"), "no disk of a node has this size")
                .help("write 30 to 2048, or leave it out for one that suits the nodes"),
        );
    }
}

const UPGRADE: Code = Code {
    name: "upgrade",
    why: "How an upgrade proceeds has bounds: numbers of nodes or percentages, and times that Azure waits.",
    remedy: "Write it as the message says.",
    example: "upgrade: { maxSurge: 33%, drainTimeout: 30m }",
};

fn upgrade(path: &str, pool: &PoolSpec, cx: &mut EntryCx<'_>) {
    let Some(upgrade) = &pool.upgrade else { return };
    for (field, text) in [("maxSurge", &upgrade.max_surge), ("maxUnavailable", &upgrade.max_unavailable)] {
        let Some(text) = text.as_ref().map(|text| text.0.as_str()).filter(|text| !has_token(text)) else {
            continue;
        };
        let good = match text.strip_suffix('%') {
            Some(share) => share.parse::<u32>().is_ok_and(|share| share <= 100),
            None => text.parse::<u32>().is_ok(),
        };
        if !good {
            cx.problem(
                Problem::error(
                    &UPGRADE,
                    format!("{path}.upgrade.{field}"),
                    format!("`{text}` is not a number of nodes"),
                )
                .help("write a number, or a percentage such as `33%`"),
            );
        }
    }
    let lengths = [
        ("drainTimeout", upgrade.drain_timeout.as_ref().map(|time| time.minutes()), 0, 1440),
        ("soak", upgrade.soak.as_ref().map(|time| time.minutes()), 0, 30),
    ];
    for (field, minutes, least, most) in lengths {
        if minutes.is_some_and(|minutes| !(least..=most).contains(&minutes)) {
            cx.problem(
                Problem::error(
                    &UPGRADE,
                    format!("{path}.upgrade.{field}"),
                    "Azure does not wait as long as this",
                )
                .help(format!("write {least}m to {most}m")),
            );
        }
    }
}
