//! Checks of the node pools.

use super::super::node_pool::{Mode, Os, OsSku, PoolSpec};
use super::super::spec::{SkuName, Spec};
use super::node_config::POD_SUBNET;
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;
use std::collections::HashMap;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &POOL_NAME,
    &WINDOWS_POOL_NAME,
    &WINDOWS_2019,
    &WINDOWS_PROFILE,
    &WINDOWS_SPOT,
    &WINDOWS_SYSTEM_POOL,
    &OS_SKU,
    &OUTBOUND_NAT,
    &POD_SUBNET,
    &SPOT_SYSTEM_POOL,
    &SPOT_UPGRADE,
    &AUTOSCALE,
    &MAX_PODS,
    &POOL_SIZE,
    &POOL_VERSION,
    &SYSTEM_POOL,
    &VM_SIZE,
];

const POOL_NAME: Code = Code {
    name: "pool-name",
    why: "Pool names become parts of machine names: small letters and digits, at most 12.",
    remedy: "Rename the pool with `name`.",
    example: "nodePools: { linux: { … } }",
};

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    let mut names: HashMap<&str, &str> = HashMap::new();
    for (key, pool) in spec.pools() {
        name(key, pool, cx);
        if let Some(other) = names.insert(pool.name(key), key) {
            let message = format!("the pools `{other}` and `{key}` have the same name");
            cx.problem(
                Problem::error(&POOL_NAME, format!("nodePools.{key}.name"), message)
                    .help("give each pool a name of its own"),
            );
        }
        if pool.os() == Os::Windows {
            windows(key, pool, spec, cx);
        }
        kind(key, pool, spec, cx);
        size(key, pool, spec, cx);
        version(key, pool, spec, cx);
        super::node_config::check(key, pool, spec, cx);
    }
    system(spec, cx);
}

const WINDOWS_POOL_NAME: Code = Code {
    name: "windows-pool-name",
    why: "Windows computer names are short, so a pool's name has at most 6 characters.",
    remedy: "Use at most 6 small letters and digits, a letter first.",
    example: "nodePools: { winpl: { os: Windows } }",
};

fn name(key: &str, pool: &PoolSpec, cx: &mut EntryCx<'_>) {
    let name = pool.name(key);
    let longest = if pool.os() == Os::Windows { 6 } else { 12 };
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if has_token(name) || good && name.len() <= longest {
        return;
    }
    // Without `name:` it is the key that is wrong.
    let path = if pool.name.is_some() { format!("nodePools.{key}.name") } else { format!("nodePools.{key}") };
    let (code, what) = match pool.os() {
        Os::Windows => (&WINDOWS_POOL_NAME, "a Windows node pool"),
        Os::Linux => (&POOL_NAME, "a node pool"),
    };
    let small: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let help = match small.starts_with(|c: char| c.is_ascii_lowercase()) && small.len() <= longest {
        true => format!("write `{small}`: small letters and digits only, a letter first"),
        false => {
            format!(
                "use at most {longest} small letters and digits, a letter first: `name: …` below the pool's key"
            )
        }
    };
    cx.problem(Problem::error(code, path, format!("`{name}` cannot be the name of {what}")).help(help));
}

const WINDOWS_2019: Code = Code {
    name: "windows-2019",
    why: "Windows Server 2019 nodes end with Kubernetes 1.32.",
    remedy: "Choose a later image.",
    example: "osSku: Windows2022",
};

const WINDOWS_PROFILE: Code = Code {
    name: "windows-profile",
    why: "Windows nodes need an administrator, and the cluster says which when it is made.",
    remedy: "Add `windows` to the cluster, with the password as a secret parameter.",
    example: "windows: { adminUsername: azureuser, adminPassword: \"${param.adminPassword}\" }",
};

const WINDOWS_SPOT: Code = Code {
    name: "windows-spot",
    why: "AKS does not offer this for Windows.",
    remedy: "Use Linux nodes for it.",
    example: "nodePools: { cheap: { os: Linux, spot: {} } }",
};

const WINDOWS_SYSTEM_POOL: Code = Code {
    name: "windows-system-pool",
    why: "System pods run on Linux: a Windows pool cannot be the system pool.",
    remedy: "Make a Linux pool `mode: System`, and this one `mode: User`.",
    example: "nodePools: { system: { mode: System }, winpl: { os: Windows, mode: User } }",
};

fn windows(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let path = format!("nodePools.{key}");
    if spec.windows.is_none() {
        cx.problem(
            Problem::error(&WINDOWS_PROFILE, path.clone(), "a Windows node pool needs an account for its nodes")
                .help("add to the cluster: `windows: { adminUsername: azureuser, adminPassword: \"${param.adminPassword}\" }`"),
        );
    }
    if pool.mode == Some(Mode::System) {
        cx.problem(
            Problem::error(
                &WINDOWS_SYSTEM_POOL,
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
                &WINDOWS_2019,
                format!("{path}.osSku"),
                format!("Kubernetes {major}.{minor} does not run on Windows Server 2019"),
            )
            .help("write `osSku: Windows2022`"),
        );
    }
    if pool.is_spot() {
        cx.problem(
            Problem::warning(
                &WINDOWS_SPOT,
                format!("{path}.spot"),
                "Azure may take Windows Spot nodes back at any time",
            )
            .help("make sure that what runs there may stop"),
        );
    }
}

const OS_SKU: Code = Code {
    name: "os-sku",
    why: "The image is one of the other operating system, or of none that the Kubernetes version has.",
    remedy: "Choose an image of the pool's operating system.",
    example: "{ os: Windows, osSku: Windows2022 }",
};

const OUTBOUND_NAT: Code = Code {
    name: "outbound-nat",
    why: "Only Windows pools can go out without NAT on the node.",
    remedy: "Leave it out for Linux pools.",
    example: "{ os: Windows, outboundNat: false }",
};

pub(super) const KUBERNETES_VERSION: Code = Code {
    name: "kubernetes-version",
    why: "A version is `1.33` or `1.33.4`. Without quotes YAML reads `1.30` as the number 1.3.",
    remedy: "Put it in quotes.",
    example: "kubernetesVersion: \"1.33\"",
};

const SPOT_SYSTEM_POOL: Code = Code {
    name: "spot-system-pool",
    why: "Azure can take Spot nodes away at any time, so nothing that the cluster itself needs runs on them.",
    remedy: "Make the system pool of ordinary nodes.",
    example: "nodePools: { system: { mode: System }, cheap: { spot: {} } }",
};

const SPOT_UPGRADE: Code = Code {
    name: "spot-upgrade",
    why: "Spot pools are upgraded without surge nodes.",
    remedy: "Leave `maxSurge` and `maxUnavailable` out.",
    example: "nodePools: { cheap: { spot: {} } }",
};

fn kind(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let path = format!("nodePools.{key}");
    if let Some(sku) = pool.os_sku
        && sku.os() != pool.os()
    {
        let help = match sku.os() {
            Os::Windows => "add `os: Windows`, or choose a Linux image",
            Os::Linux => "leave `os: Windows` out, or choose a Windows image",
        };
        cx.problem(
            Problem::error(&OS_SKU, format!("{path}.osSku"), "the image is of another operating system")
                .help(help),
        );
    }
    if pool.is_spot() && pool.mode(key, spec) == Mode::System {
        cx.problem(
            Problem::error(
                &SPOT_SYSTEM_POOL,
                format!("{path}.spot"),
                "a `System` pool cannot be made of Spot nodes",
            )
            .help("leave `spot` out, or `mode: System`"),
        );
    }
    if let Some(upgrade) = pool.upgrade.as_ref().filter(|_| pool.is_spot()) {
        let surge = [
            ("maxSurge", upgrade.max_surge.is_some()),
            ("maxUnavailable", upgrade.max_unavailable.is_some()),
        ];
        for (field, _) in surge.iter().filter(|(_, said)| *said) {
            cx.problem(
                Problem::error(
                    &SPOT_UPGRADE,
                    format!("{path}.upgrade.{field}"),
                    "Spot pools take no surge settings",
                )
                .help(format!("leave `{field}` out; `drainTimeout`, `soak` and `undrainable` may stay")),
            );
        }
    }
    if pool.outbound_nat.is_some() && pool.os() != Os::Windows {
        cx.problem(
            Problem::error(
                &OUTBOUND_NAT,
                format!("{path}.outboundNat"),
                "only Windows pools have this setting",
            )
            .help("leave it out"),
        );
    }
    if pool.pod_subnet.is_some() && pool.subnet.is_none() && spec.subnet.is_none() {
        cx.problem(
            Problem::error(
                &POD_SUBNET,
                format!("{path}.podSubnet"),
                "a subnet for pods needs one for nodes, too",
            )
            .help("add `subnet: ${networks.….subnets.…}` to the cluster or the pool"),
        );
    }
}

const AUTOSCALE: Code = Code {
    name: "autoscale",
    why: "The autoscaler chooses the number of nodes between `min` and `max`; both must be possible for the pool.",
    remedy: "Write `min` not above `max`, and at least 1 for system pools.",
    example: "autoscale: { min: 1, max: 5 }",
};

const MAX_PODS: Code = Code {
    name: "max-pods",
    why: "Azure bounds how many pods a node can hold, by network plugin.",
    remedy: "Write 10 to 250.",
    example: "maxPods: 110",
};

const POOL_SIZE: Code = Code {
    name: "pool-size",
    why: "A pool has up to 1000 nodes, a system pool at least one.",
    remedy: "Write a number within the bounds.",
    example: "count: 2",
};

const VM_SIZE: Code = Code {
    name: "vm-size",
    why: "The sizes of virtual machines have a form: `Standard_`, the family, the number of cores, what it adds in small letters, and the version after `_v`.",
    remedy: "Write it as `az vm list-sizes --location …` prints it.",
    example: "vmSize: Standard_D4s_v5",
};

/// Whether a text has the form of a size, and if not, what was probably meant.
fn vm_size(text: &str) -> Result<(), Option<String>> {
    let parts: Vec<&str> = text.split('_').collect();
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    // Letters, digits, perhaps `-8` of the cores, letters: `D4s`, `E96-24ads`, `GS5`.
    let is_machine = |part: &str| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let cores = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let fewer = cores
            .strip_prefix('-')
            .map_or(cores, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        rest.len() < part.len() && cores.len() < rest.len() && fewer.chars().all(|c| c.is_ascii_alphabetic())
    };
    let tier = parts[0].to_ascii_lowercase();
    if let ("standard" | "basic", [_, machine, more @ ..]) = (tier.as_str(), parts.as_slice())
        && is_machine(machine)
        && more.iter().all(|part| word(part))
    {
        return Ok(());
    }
    // What is usually wrong: the tier is left out, the version has no `_`, or there are other signs between the parts.
    let plain = text.trim().replace([' ', '-', '.'], "_");
    let body = plain.strip_prefix("Standard").or_else(|| plain.strip_prefix("standard")).unwrap_or(&plain);
    let mut meant = format!("Standard_{}", body.trim_start_matches('_'));
    if let Some(at) = meant.rfind(['v', 'V'])
        && at + 1 < meant.len()
        && meant[at + 1..].chars().all(|c| c.is_ascii_digit())
        && !meant[..at].ends_with('_')
    {
        meant.replace_range(at..=at, "_v");
    }
    Err((meant != text && vm_size(&meant).is_ok()).then_some(meant))
}

fn size(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let path = format!("nodePools.{key}");
    if let Some(size) = pool.vm_size.as_ref().filter(|size| !has_token(size))
        && let Err(meant) = vm_size(size)
    {
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "write a size such as `Standard_D4s_v5`; `az vm list-sizes --location …` prints them all"
                .to_owned(),
        };
        let message = format!("`{size}` is not the size of a virtual machine");
        cx.problem(Problem::error(&VM_SIZE, format!("{path}.vmSize"), message).help(help));
    }
    let least = if pool.mode(key, spec) == Mode::System { 1 } else { 0 };
    if let Some(scale) = &pool.autoscale {
        let wrong = match () {
            () if scale.min > scale.max => {
                Some(("min", format!("`min` is {}, and `max` is {}", scale.min, scale.max)))
            }
            () if scale.min < least => {
                Some(("min", format!("`min` is {}, and this pool needs {least}", scale.min)))
            }
            () if scale.max > 1000 => {
                Some(("max", format!("`max` is {}, and Azure takes up to 1000", scale.max)))
            }
            () => None,
        };
        if let Some((field, message)) = wrong {
            cx.problem(
                Problem::error(&AUTOSCALE, format!("{path}.autoscale.{field}"), message)
                    .help(format!("write `{least} ≤ min ≤ max ≤ 1000`")),
            );
        } else if let Some(count) = pool.count.filter(|count| !(scale.min..=scale.max).contains(count)) {
            cx.problem(
                Problem::error(
                    &AUTOSCALE,
                    format!("{path}.count"),
                    format!("{count} is outside the autoscaler's bounds"),
                )
                .help(format!("write {} to {}, or leave `count` out", scale.min, scale.max)),
            );
        }
    } else if let Some(count) = pool.count.filter(|count| !(least..=1000).contains(count)) {
        cx.problem(
            Problem::error(&POOL_SIZE, format!("{path}.count"), format!("a pool cannot have {count} nodes"))
                .help(format!("write {least} to 1000")),
        );
    }
    if let Some(pods) = pool.max_pods.filter(|pods| !(10..=250).contains(pods)) {
        cx.problem(
            Problem::error(&MAX_PODS, format!("{path}.maxPods"), format!("a node cannot run {pods} pods"))
                .help("write 10 to 250; a `System` pool needs 30"),
        );
    } else if pool.max_pods.is_some_and(|pods| pods < 30) && least == 1 {
        cx.problem(
            Problem::error(
                &MAX_PODS,
                format!("{path}.maxPods"),
                "a `System` pool runs at least 30 pods a node",
            )
            .help("write 30 or more"),
        );
    }
}

const POOL_VERSION: Code = Code {
    name: "pool-version",
    why: "Nodes may be up to three minor versions behind the cluster, and never ahead of it.",
    remedy: "Choose a version in between, or leave it out.",
    example: "kubernetesVersion: \"1.33\"",
};

fn version(key: &str, pool: &PoolSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(version) = pool.kubernetes_version.as_ref().filter(|version| !has_token(&version.0)) else {
        return;
    };
    let path = format!("nodePools.{key}.kubernetesVersion");
    let Some((major, minor)) = version.minor() else {
        let message = format!("`{}` is not a Kubernetes version", version.0);
        cx.problem(
            Problem::error(&KUBERNETES_VERSION, path, message).help("write `\"1.33\"` or `\"1.33.4\"`"),
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
            Problem::error(&POOL_VERSION, path, message)
                .help("nodes may be up to three minor versions behind the cluster, and never ahead"),
        );
    }
}

const SYSTEM_POOL: Code = Code {
    name: "system-pool",
    why: "A cluster has at least one pool with `mode: System`, of Linux nodes, where its own pods run.",
    remedy: "Add one.",
    example: "nodePools: { system: { mode: System, count: 2 } }",
};

fn system(spec: &Spec, cx: &mut EntryCx<'_>) {
    let automatic = spec.sku.as_ref().and_then(|sku| sku.name) == Some(SkuName::Automatic);
    let is_system =
        |(key, pool): (&str, &PoolSpec)| pool.os() == Os::Linux && pool.mode(key, spec) == Mode::System;
    if !automatic && !spec.pools().any(is_system) {
        cx.problem(
            Problem::error(
                &SYSTEM_POOL,
                "nodePools",
                "a cluster needs a Linux node pool with `mode: System`",
            )
            .help("add `nodePools: { system: { mode: System, count: 2, vmSize: Standard_D4s_v5 } }`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_machines_have_a_form() {
        for good in [
            "Standard_D4s_v5",
            "standard_ds2_v2",
            "Standard_E96-24ads_v5",
            "Standard_M416s_8_v2",
            "Standard_NC24ads_A100_v4",
            "Standard_B2ms",
            "Standard_GS5-16",
            "Standard_D11_v2_Promo",
            "Standard_DC4ads_cc_v5",
            "Standard_ND96isr_H100_v5",
            "Standard_HB120-16rs_v3",
            "Standard_M64-32bds_1_v3",
            "Basic_A1",
            "Standard_F4",
            "Standard_PB6s",
        ] {
            assert_eq!(vm_size(good), Ok(()), "{good}");
        }
        for (wrong, meant) in [
            ("Standard_D4sv5", Some("Standard_D4s_v5")),
            ("D4s_v5", Some("Standard_D4s_v5")),
            ("Standard-D4s-v5", Some("Standard_D4s_v5")),
            ("Standard D4s v5", Some("Standard_D4s_v5")),
            ("StandardD4s_v5", Some("Standard_D4s_v5")),
            ("Standard_D", None),
            ("large", None),
        ] {
            assert_eq!(vm_size(wrong), Err(meant.map(str::to_owned)), "{wrong}");
        }
    }
}
