//! What can be said of a cluster without asking Azure.

mod addons;
mod maintenance;
mod network;
mod node_config;
mod pools;
mod security;

use super::body::dns_prefix;
use super::spec::{Channel, NodeOsChannel, SkuName, Spec, SupportPlan, Tier};
use crate::catalog::{EntryCx, Problem, Reference};
use crate::value::token::has_token;

/// Reports everything that is wrong with a cluster.
pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    names(spec, cx);
    version(spec, cx);
    accounts(spec, cx);
    plans(spec, cx);
    network::check(spec, cx);
    pools::check(spec, cx);
    addons::check(spec, cx);
    security::check(spec, cx);
    maintenance::check(spec, cx);
}

/// Whether a text is made of letters, digits and `others`, with a letter or digit at both ends.
fn is_label(text: &str, longest: usize, others: &[char]) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= longest
        && ends(text.chars().next())
        && ends(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(&c))
}

/// Reports a password, key or token that stands in the blueprint as it is.
fn secret(path: String, text: Option<&str>, what: &str, cx: &mut EntryCx<'_>) {
    if text.is_some_and(|text| !has_token(text)) {
        let message =
            format!("a {what} stands in the blueprint in clear text; use a parameter with `secret: true`");
        let field = path.rsplit('.').next().unwrap_or_default();
        let help = format!(
            "declare `{field}: {{ type: string, secret: true }}` under `parameters` and write `${{param.{field}}}` here"
        );
        cx.problem(Problem::error("secret-in-clear", path, message).help(help));
    }
}

/// Reports an identity of which more than the id is needed, when only its id was written.
fn identity(path: String, reference: &Reference, cx: &mut EntryCx<'_>) {
    if !has_token(&reference.0) {
        cx.problem(
            Problem::error(
                "identity-reference",
                path,
                "Azure asks for this identity's client and object id as well",
            )
            .help("declare the identity under `identities` and write `${identities.…}` here"),
        );
    }
}

fn names(spec: &Spec, cx: &mut EntryCx<'_>) {
    let name = cx.common.name.clone();
    if !has_token(&name) {
        if !is_label(&name, 63, &['-', '_']) {
            cx.problem(
                Problem::error("cluster-name", "name", format!("`{name}` cannot be the name of a cluster"))
                    .help("use 1 to 63 letters, digits, `-` and `_`, with a letter or digit at both ends"),
            );
        }
        let upper = name.to_ascii_uppercase();
        let reserved = ["MICROSOFT", "WINDOWS"].into_iter().find(|word| upper.contains(word));
        let reserved = reserved.or_else(|| upper.starts_with("LOGIN").then_some("LOGIN"));
        if let Some(word) = reserved {
            cx.problem(
                Problem::error("reserved-name", "name", format!("`{name}` holds the reserved word `{word}`"))
                    .help("Azure refuses names with `MICROSOFT` or `WINDOWS` in them and names that start with `LOGIN`"),
            );
        }
    }
    match (dns_prefix(spec, cx), &spec.fqdn_subdomain) {
        (Some(_), Some(_)) => cx.problem(
            Problem::error("dns-prefix", "fqdnSubdomain", "`dnsPrefix` and `fqdnSubdomain` exclude each other")
                .help("keep `fqdnSubdomain` only with a private DNS zone of yours"),
        ),
        (Some(prefix), None) if !has_token(&prefix) && !is_label(&prefix, 54, &['-']) => cx.problem(
            Problem::error("dns-prefix", "dnsPrefix", format!("`{prefix}` cannot be a DNS prefix"))
                .help("write `dnsPrefix:` with 1 to 54 letters, digits and `-`, with a letter or digit at both ends"),
        ),
        _ => {}
    }
    if let Some(group) = spec.node_resource_group.as_deref().filter(|group| !has_token(group))
        && (group.is_empty() || group.len() > 80)
    {
        cx.problem(
            Problem::error(
                "node-resource-group",
                "nodeResourceGroup",
                "the group's name is too long or empty",
            )
            .help("use 1 to 80 characters"),
        );
    }
}

fn version(spec: &Spec, cx: &mut EntryCx<'_>) {
    if let Some(version) = &spec.kubernetes_version
        && !has_token(&version.0)
        && version.minor().is_none()
    {
        let message = format!("`{}` is not a Kubernetes version", version.0);
        cx.problem(
            Problem::error("kubernetes-version", "kubernetesVersion", message)
                .help("write `\"1.33\"` for the newest patch of 1.33, or `\"1.33.4\"` for exactly that one"),
        );
    }
}

/// Names that Windows keeps for itself.
const WINDOWS_NAMES: &[&str] = &[
    "1",
    "123",
    "a",
    "actuser",
    "adm",
    "admin",
    "admin1",
    "admin2",
    "administrator",
    "aspnet",
    "backup",
    "console",
    "david",
    "guest",
    "john",
    "owner",
    "root",
    "server",
    "sql",
    "support",
    "support_388945a0",
    "sys",
    "test",
    "test1",
    "test2",
    "test3",
    "user",
    "user1",
    "user2",
    "user3",
    "user4",
    "user5",
];

fn accounts(spec: &Spec, cx: &mut EntryCx<'_>) {
    if let Some(windows) = &spec.windows {
        let name = &windows.admin_username;
        let good = (1..=20).contains(&name.chars().count())
            && !name.ends_with('.')
            && !WINDOWS_NAMES.contains(&name.to_ascii_lowercase().as_str());
        if !has_token(name) && !good {
            cx.problem(
                Problem::error(
                    "windows-username",
                    "windows.adminUsername",
                    format!("Windows does not take `{name}` as the name of an administrator"),
                )
                .help("use 1 to 20 characters that do not end in `.`, and no common name such as `admin`; `azureuser` is fine"),
            );
        }
        secret("windows.adminPassword".into(), Some(&windows.admin_password), "password", cx);
    }
    if let Some(linux) = &spec.linux {
        let name = &linux.admin_username;
        let good = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !has_token(name) && !good {
            cx.problem(
                Problem::error(
                    "linux-username",
                    "linux.adminUsername",
                    format!("`{name}` cannot be an account"),
                )
                .help("use a letter, then letters, digits, `-` and `_`"),
            );
        }
        if linux.ssh_keys.len() != 1 {
            cx.problem(
                Problem::error("ssh-keys", "linux.sshKeys", "Azure takes exactly one SSH key for the nodes")
                    .help("keep one public key; leave `linux` out for nodes without an account"),
            );
        }
    }
    if spec.disable_local_accounts == Some(true) && spec.aad.is_none() {
        cx.problem(
            Problem::error(
                "local-accounts",
                "disableLocalAccounts",
                "without local accounts nobody could sign in",
            )
            .help("add `aad: { adminGroups: [<group's object id>] }`"),
        );
    }
    if spec.aad.as_ref().is_some_and(|aad| !aad.managed) {
        cx.problem(
            Problem::error("aad-legacy", "aad.managed", "the unmanaged integration with Entra ID is retired")
                .help("leave `managed` out"),
        );
    }
    for (at, group) in spec.aad.iter().flat_map(|aad| aad.admin_groups.iter().flatten()).enumerate() {
        if !has_token(group) && uuid::Uuid::try_parse(group).is_err() {
            cx.problem(
                Problem::error(
                    "aad-group",
                    format!("aad.adminGroups[{at}]"),
                    format!("`{group}` is not the object id of a group"),
                )
                .help("write the id: `az ad group show --group <name> --query id` tells it"),
            );
        }
    }
    if spec.workload_identity && !spec.oidc_issuer {
        cx.problem(
            Problem::error(
                "workload-identity",
                "workloadIdentity",
                "workload identity needs the OIDC issuer",
            )
            .help("leave `oidcIssuer: false` out, or write `workloadIdentity: false` as well"),
        );
    }
    if let Some(kubelet) = &spec.kubelet_identity {
        identity("kubeletIdentity".into(), kubelet, cx);
    }
    if spec.kubelet_identity.is_some() && spec.identity.is_none() {
        cx.problem(
            Problem::error(
                "kubelet-identity",
                "kubeletIdentity",
                "nodes with an identity of yours need `identity`, too",
            )
            .help(
                "add `identity: ${identities.…}` and give it the role Managed Identity Operator on this one",
            ),
        );
    }
}

fn plans(spec: &Spec, cx: &mut EntryCx<'_>) {
    let tier = spec.sku.as_ref().and_then(|sku| sku.tier);
    let automatic = spec.sku.as_ref().and_then(|sku| sku.name) == Some(SkuName::Automatic);
    if spec.support_plan == Some(SupportPlan::LongTerm) && tier != Some(Tier::Premium) {
        cx.problem(
            Problem::error("support-plan", "supportPlan", "long-term support needs the tier `Premium`")
                .help("write `sku: { tier: Premium }`"),
        );
    }
    if spec.cost_analysis == Some(true) && !automatic && matches!(tier, None | Some(Tier::Free)) {
        cx.problem(
            Problem::error(
                "cost-analysis",
                "costAnalysis",
                "cost analysis needs the tier `Standard` or `Premium`",
            )
            .help("write `sku: { tier: Standard }`"),
        );
    }
    if let Some(upgrade) = &spec.auto_upgrade
        && upgrade.channel == Some(Channel::NodeImage)
        && upgrade.node_os_channel.is_some_and(|channel| channel != NodeOsChannel::NodeImage)
    {
        cx.problem(
            Problem::error(
                "node-os-channel",
                "autoUpgrade.nodeOsChannel",
                "the channel `node-image` upgrades the nodes' images itself",
            )
            .help("write `nodeOsChannel: NodeImage`, or leave it out"),
        );
    }
    if let Some(hours) = spec.image_cleaner.as_ref().and_then(|cleaner| cleaner.interval_hours)
        && !(24..=2160).contains(&hours)
    {
        cx.problem(
            Problem::error(
                "image-cleaner",
                "imageCleaner.intervalHours",
                "images are removed every 24 to 2160 hours",
            )
            .help("168 is once a week"),
        );
    }
}
