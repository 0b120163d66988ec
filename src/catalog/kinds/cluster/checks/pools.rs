//! Checks of the node pools.

use super::super::node_pool::{Mode, Os, OsSku, PoolSpec};
use super::super::spec::{SkuName, Spec};
use crate::catalog::{EntryCx, Problem};
use crate::value::token::has_token;
use std::collections::HashMap;

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    let mut names: HashMap<&str, &str> = HashMap::new();
    for (key, pool) in spec.pools() {
        name(key, pool, cx);
        if let Some(other) = names.insert(pool.name(key), key) {
            let message = format!("the pools `{other}` and `{key}` have the same name");
            cx.problem(
                Problem::error("pool-name", format!("nodePools.{key}.name"), message)
                    .help("give each pool a name of its own"),
            );
        }
        if pool.os == Os::Windows {
            windows(key, pool, spec, cx);
        }
        kind(key, pool, spec, cx);
        size(key, pool, spec, cx);
        version(key, pool, spec, cx);
        super::node_config::check(key, pool, spec, cx);
    }
    system(spec, cx);
}

fn name(key: &str, pool: &PoolSpec, cx: &mut EntryCx<'_>) {
    let name = pool.name(key);
    let longest = if pool.os == Os::Windows { 6 } else { 12 };
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if has_token(name) || good && name.len() <= longest {
        return;
    }
    // Without `name:` it is the key that is wrong.
    let path = if pool.name.is_some() { format!("nodePools.{key}.name") } else { format!("nodePools.{key}") };
    let (code, what) = match pool.os {
        Os::Windows => ("windows-pool-name", "a Windows node pool"),
        Os::Linux => ("pool-name", "a node pool"),
    };
    cx.problem(Problem::error(code, path, format!("`{name}` cannot be the name of {what}")).help(format!(
        "use at most {longest} small letters and digits, a letter first: `name: …` below the pool's key"
    )));
}

fn windows(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let path = format!("nodePools.{key}");
    if spec.windows.is_none() {
        cx.problem(
            Problem::error("windows-profile", path.clone(), "a Windows node pool needs an account for its nodes")
                .help("add to the cluster: `windows: { adminUsername: azureuser, adminPassword: \"${param.adminPassword}\" }`"),
        );
    }
    if pool.mode == Some(Mode::System) {
        cx.problem(
            Problem::error(
                "windows-system-pool",
                format!("{path}.mode"),
                "a Windows pool cannot be a `System` pool",
            )
            .help("leave `mode` out, and make a Linux pool the `System` pool"),
        );
    }
    let unsupported = |spec: &Spec| {
        let version = pool.kubernetes_version.as_ref().or(spec.kubernetes_version.as_ref());
        version.and_then(|version| version.minor()).filter(|minor| *minor >= (1, 33))
    };
    if pool.os_sku == Some(OsSku::Windows2019)
        && let Some((major, minor)) = unsupported(spec)
    {
        cx.problem(
            Problem::error(
                "windows-2019",
                format!("{path}.osSku"),
                format!("Kubernetes {major}.{minor} does not run on Windows Server 2019"),
            )
            .help("write `osSku: Windows2022`"),
        );
    }
    if pool.is_spot() {
        cx.problem(
            Problem::warning(
                "windows-spot",
                format!("{path}.spot"),
                "Azure may take Windows Spot nodes back at any time",
            )
            .help("make sure that what runs there may stop"),
        );
    }
}

fn kind(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let path = format!("nodePools.{key}");
    if let Some(sku) = pool.os_sku
        && sku.os() != pool.os
    {
        let help = match sku.os() {
            Os::Windows => "add `os: Windows`, or choose a Linux image",
            Os::Linux => "leave `os: Windows` out, or choose a Windows image",
        };
        cx.problem(
            Problem::error("os-sku", format!("{path}.osSku"), "the image is of another operating system")
                .help(help),
        );
    }
    if pool.is_spot() && pool.mode(key, spec) == Mode::System {
        cx.problem(
            Problem::error(
                "spot-system-pool",
                format!("{path}.spot"),
                "a `System` pool cannot be made of Spot nodes",
            )
            .help("leave `spot` out, or `mode: System`"),
        );
    }
    if pool.is_spot() && pool.upgrade.is_some() {
        cx.problem(
            Problem::error("spot-upgrade", format!("{path}.upgrade"), "Spot pools take no surge settings")
                .help("leave `upgrade` out"),
        );
    }
    if pool.outbound_nat.is_some() && pool.os != Os::Windows {
        cx.problem(
            Problem::error(
                "outbound-nat",
                format!("{path}.outboundNat"),
                "only Windows pools have this setting",
            )
            .help("leave it out"),
        );
    }
    if pool.pod_subnet.is_some() && pool.subnet.is_none() && spec.subnet.is_none() {
        cx.problem(
            Problem::error(
                "pod-subnet",
                format!("{path}.podSubnet"),
                "a subnet for pods needs one for nodes, too",
            )
            .help("add `subnet: ${networks.….subnets.…}` to the cluster or the pool"),
        );
    }
}

fn size(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let path = format!("nodePools.{key}");
    let least = if pool.mode(key, spec) == Mode::System { 1 } else { 0 };
    if let Some(scale) = &pool.autoscale {
        if scale.min < least || scale.min > scale.max || scale.max > 1000 {
            cx.problem(
                Problem::error(
                    "autoscale",
                    format!("{path}.autoscale"),
                    "the autoscaler has no room between its bounds",
                )
                .help(format!("write `{least} ≤ min ≤ max ≤ 1000`")),
            );
        } else if let Some(count) = pool.count.filter(|count| !(scale.min..=scale.max).contains(count)) {
            cx.problem(
                Problem::error(
                    "autoscale",
                    format!("{path}.count"),
                    format!("{count} is outside the autoscaler's bounds"),
                )
                .help(format!("write {} to {}, or leave `count` out", scale.min, scale.max)),
            );
        }
    } else if let Some(count) = pool.count.filter(|count| !(least..=1000).contains(count)) {
        cx.problem(
            Problem::error("pool-size", format!("{path}.count"), format!("a pool cannot have {count} nodes"))
                .help(format!("write {least} to 1000")),
        );
    }
    if let Some(pods) = pool.max_pods.filter(|pods| !(10..=250).contains(pods)) {
        cx.problem(
            Problem::error("max-pods", format!("{path}.maxPods"), format!("a node cannot run {pods} pods"))
                .help("write 10 to 250; a `System` pool needs 30"),
        );
    } else if pool.max_pods.is_some_and(|pods| pods < 30) && least == 1 {
        cx.problem(
            Problem::error(
                "max-pods",
                format!("{path}.maxPods"),
                "a `System` pool runs at least 30 pods a node",
            )
            .help("write 30 or more"),
        );
    }
}

fn version(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(version) = pool.kubernetes_version.as_ref().filter(|version| !has_token(&version.0)) else {
        return;
    };
    let path = format!("nodePools.{key}.kubernetesVersion");
    let Some((major, minor)) = version.minor() else {
        let message = format!("`{}` is not a Kubernetes version", version.0);
        cx.problem(
            Problem::error("kubernetes-version", path, message).help("write `\"1.33\"` or `\"1.33.4\"`"),
        );
        return;
    };
    let cluster = spec.kubernetes_version.as_ref().and_then(|version| version.minor());
    if let Some((cluster_major, cluster_minor)) = cluster
        && (major != cluster_major || minor > cluster_minor || minor + 3 < cluster_minor)
    {
        let message =
            format!("nodes of {major}.{minor} do not work with a cluster of {cluster_major}.{cluster_minor}");
        cx.problem(
            Problem::error("pool-version", path, message)
                .help("nodes may be up to three minor versions behind the cluster, and never ahead"),
        );
    }
}

fn system(spec: &Spec, cx: &mut EntryCx<'_>) {
    let automatic = spec.sku.as_ref().and_then(|sku| sku.name) == Some(SkuName::Automatic);
    let is_system =
        |(key, pool): (&str, &PoolSpec)| pool.os == Os::Linux && pool.mode(key, spec) == Mode::System;
    if !automatic && !spec.pools().any(is_system) {
        cx.problem(
            Problem::error(
                "system-pool",
                "nodePools",
                "a cluster needs a Linux node pool with `mode: System`",
            )
            .help("add `nodePools: { system: { mode: System, count: 2, vmSize: Standard_D4s_v5 } }`"),
        );
    }
}
