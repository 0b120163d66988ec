//! What can be said of a cluster without asking Azure.

mod addons;
mod credentials;
mod maintenance;
mod network;
mod node_config;
mod pools;
mod security;

use self::credentials::{identity, secret};
use super::body::dns_prefix;
use super::spec::{Channel, NodeOsChannel, SkuName, Spec, SupportPlan, Tier};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
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

/// The diagnostics of clusters, a list for each file of checks.
pub(super) const CODES: &[&[&Code]] = &[
    OWN_CODES,
    addons::CODES,
    maintenance::CODES,
    network::CODES,
    node_config::CODES,
    pools::CODES,
    security::CODES,
    super::extension::CODES,
    super::local_dns::CODES,
    super::passwords::CODES,
    super::cross::CODES[0],
    super::cross::CODES[1],
    super::cross::CODES[2],
    super::cross::CODES[3],
    super::cross::CODES[4],
];

const OWN_CODES: &[&Code] = &[
    &credentials::IDENTITY_REFERENCE,
    &CLUSTER_NAME,
    &DNS_PREFIX,
    &NODE_RESOURCE_GROUP,
    &RESERVED_NAME,
    &pools::KUBERNETES_VERSION,
    &AAD_GROUP,
    &AAD_LEGACY,
    &KUBELET_IDENTITY,
    &LINUX_USERNAME,
    &LOCAL_ACCOUNTS,
    &SSH_KEYS,
    &WINDOWS_USERNAME,
    &WORKLOAD_IDENTITY,
    &COST_ANALYSIS,
    &IMAGE_CLEANER,
    &NODE_OS_CHANNEL,
    &SUPPORT_PLAN,
];

const CLUSTER_NAME: Code = Code {
    name: "cluster-name",
    why: "Azure takes 1 to 63 letters, digits, `_` and `-` as the name of a cluster, a letter or digit at both ends.",
    remedy: "Give the entry such a `name`.",
    example: "name: aks-shop-prod",
};

const DNS_PREFIX: Code = Code {
    name: "dns-prefix",
    why: "The prefix becomes the first label of the API server's name in DNS, so it is a host name; a cluster has one prefix or one subdomain.",
    remedy: "Use 1 to 54 letters, digits and `-`, a letter or digit at both ends.",
    example: "dnsPrefix: aks-shop",
};

const NODE_RESOURCE_GROUP: Code = Code {
    name: "node-resource-group",
    why: "The group that AKS makes for the nodes has a name with a limit.",
    remedy: "Use 1 to 80 characters.",
    example: "nodeResourceGroup: rg-shop-nodes",
};

const RESERVED_NAME: Code = Code {
    name: "reserved-name",
    why: "Azure refuses names with trademarks and some other words in them.",
    remedy: "Choose a name without the word that the message says.",
    example: "name: aks-shop",
};

fn names(spec: &Spec, cx: &mut EntryCx<'_>) {
    let name = cx.common.name.clone();
    if !has_token(&name) {
        if !is_label(&name, 63, &['-', '_']) {
            cx.problem(
                Problem::error(&CLUSTER_NAME, "name", format!("`{name}` cannot be the name of a cluster"))
                    .help("use 1 to 63 letters, digits, `-` and `_`, with a letter or digit at both ends"),
            );
        }
        let upper = name.to_ascii_uppercase();
        let reserved = ["MICROSOFT", "WINDOWS"].into_iter().find(|word| upper.contains(word));
        let reserved = reserved.or_else(|| upper.starts_with("LOGIN").then_some("LOGIN"));
        if let Some(word) = reserved {
            cx.problem(
                Problem::error(&RESERVED_NAME, "name", format!("`{name}` holds the reserved word `{word}`"))
                    .help("Azure refuses names with `MICROSOFT` or `WINDOWS` in them and names that start with `LOGIN`"),
            );
        }
    }
    match (dns_prefix(spec, cx), &spec.fqdn_subdomain) {
        (Some(_), Some(_)) => cx.problem(
            Problem::error(&DNS_PREFIX, "fqdnSubdomain", "`dnsPrefix` and `fqdnSubdomain` exclude each other")
                .help("keep `fqdnSubdomain` only with a private DNS zone of yours"),
        ),
        (Some(prefix), None) if !has_token(&prefix) && !is_label(&prefix, 54, &['-']) => cx.problem(
            Problem::error(&DNS_PREFIX, "dnsPrefix", format!("`{prefix}` cannot be a DNS prefix"))
                .help("write `dnsPrefix:` with 1 to 54 letters, digits and `-`, with a letter or digit at both ends"),
        ),
        _ => {}
    }
    if let Some(group) = spec.node_resource_group.as_deref().filter(|group| !has_token(group))
        && (group.is_empty() || group.len() > 80)
    {
        cx.problem(
            Problem::error(
                &NODE_RESOURCE_GROUP,
                "nodeResourceGroup",
                "the group's name is too long or empty",
            )
            .help("use 1 to 80 characters"),
        );
    }
}

/// The newest minor version of Kubernetes 1 that AKS had when this was written, in November 2026.
const NEWEST: u32 = 37;
/// How many minor versions may have come since: two years' worth.
const SINCE: u32 = 6;

/// Whether Kubernetes cannot have such a version yet.
fn is_from_the_future((major, minor): (u32, u32)) -> bool {
    major == 1 && minor > NEWEST + SINCE
}

fn version(spec: &Spec, cx: &mut EntryCx<'_>) {
    if let Some(version) = &spec.kubernetes_version
        && let Some(minor) =
            version.minor().filter(|&minor| !has_token(&version.0) && is_from_the_future(minor))
    {
        let message = format!("AKS has no Kubernetes {}.{}", minor.0, minor.1);
        let help =
            format!("the newest is 1.{NEWEST}; `az aks get-versions --location …` lists what a region has");
        cx.problem(Problem::error(&pools::KUBERNETES_VERSION, "kubernetesVersion", message).help(help));
    }
    if let Some(version) = &spec.kubernetes_version
        && !has_token(&version.0)
        && version.minor().is_none()
    {
        let message = format!("`{}` is not a Kubernetes version", version.0);
        cx.problem(
            Problem::error(&pools::KUBERNETES_VERSION, "kubernetesVersion", message)
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

const AAD_GROUP: Code = Code {
    name: "aad-group",
    why: "Groups that administer a cluster are named by the object ids that Microsoft Entra ID gave them; names can change and are not unique.",
    remedy: "`az ad group show --group NAME --query id` prints it.",
    example: "aad: { adminGroups: [0f5dd1b4-0000-4000-8000-000000000001] }",
};

const AAD_LEGACY: Code = Code {
    name: "aad-legacy",
    why: "The old integration with an application of its own for client and server is retired. AKS manages the integration now.",
    remedy: "Leave its fields out and write `aad` with groups or Azure RBAC.",
    example: "aad: { azureRbac: true }",
};

const KUBELET_IDENTITY: Code = Code {
    name: "kubelet-identity",
    why: "An identity for the kubelet needs one for the control plane, which hands it out.",
    remedy: "Add `identity`, and give it the role `Managed Identity Operator` on the kubelet's.",
    example: "identity: ${identities.controlPlane}",
};

const LINUX_USERNAME: Code = Code {
    name: "linux-username",
    why: "The administrator of Linux nodes needs a name that Linux takes.",
    remedy: "Use small letters, digits, `_` and `-`, a letter first.",
    example: "linux: { adminUsername: azureuser, sshKeys: [\"ssh-ed25519 AAAA…\"] }",
};

const LOCAL_ACCOUNTS: Code = Code {
    name: "local-accounts",
    why: "Without local accounts, people sign in through Microsoft Entra ID; without both there is no way to sign in.",
    remedy: "Say which groups administer the cluster.",
    example: "aad: { adminGroups: [0f5dd1b4-0000-4000-8000-000000000001] }",
};

const SSH_KEYS: Code = Code {
    name: "ssh-keys",
    why: "Linux nodes take public keys only, in OpenSSH's form.",
    remedy: "Paste the content of the `.pub` file.",
    example: "sshKeys: [\"ssh-ed25519 AAAAC3… me@example.com\"]",
};

const WINDOWS_USERNAME: Code = Code {
    name: "windows-username",
    why: "Windows refuses some names for its administrator, `administrator` among them, and names that are too long.",
    remedy: "Choose another.",
    example: "windows: { adminUsername: azureuser }",
};

const WORKLOAD_IDENTITY: Code = Code {
    name: "workload-identity",
    why: "Workload identity trusts tokens of the cluster, so it needs the cluster's OIDC issuer.",
    remedy: "Leave `oidcIssuer` on.",
    example: "oidcIssuer: true",
};

fn accounts(spec: &Spec, cx: &mut EntryCx<'_>) {
    if let Some(windows) = &spec.windows {
        let name = &windows.admin_username;
        let good = (1..=20).contains(&name.chars().count())
            && !name.ends_with('.')
            && !WINDOWS_NAMES.contains(&name.to_ascii_lowercase().as_str());
        if !has_token(name) && !good {
            cx.problem(
                Problem::error(
                    &WINDOWS_USERNAME,
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
                    &LINUX_USERNAME,
                    "linux.adminUsername",
                    format!("`{name}` cannot be an account"),
                )
                .help("use a letter, then letters, digits, `-` and `_`"),
            );
        }
        if linux.ssh_keys.len() != 1 {
            cx.problem(
                Problem::error(&SSH_KEYS, "linux.sshKeys", "Azure takes exactly one SSH key for the nodes")
                    .help("keep one public key; leave `linux` out for nodes without an account"),
            );
        }
    }
    if spec.disable_local_accounts == Some(true) && spec.aad.is_none() {
        cx.problem(
            Problem::error(
                &LOCAL_ACCOUNTS,
                "disableLocalAccounts",
                "without local accounts and without Entra ID there is no way to sign in",
            )
            .help("add `aad: { adminGroups: [<group's object id>] }`"),
        );
    }
    if spec.aad.as_ref().is_some_and(|aad| !aad.managed) {
        cx.problem(
            Problem::error(&AAD_LEGACY, "aad.managed", "the unmanaged integration with Entra ID is retired")
                .help("leave `managed` out"),
        );
    }
    for (at, group) in spec.aad.iter().flat_map(|aad| aad.admin_groups.iter().flatten()).enumerate() {
        if !has_token(group) && uuid::Uuid::try_parse(group).is_err() {
            cx.problem(
                Problem::error(
                    &AAD_GROUP,
                    format!("aad.adminGroups[{at}]"),
                    format!("`{group}` is not the object id of a group"),
                )
                .help("write the id: `az ad group show --group <name> --query id` tells it"),
            );
        }
    }
    if spec.has_workload_identity() && !spec.issues_tokens() {
        cx.problem(
            Problem::error(&WORKLOAD_IDENTITY, "workloadIdentity", "workload identity needs the OIDC issuer")
                .help("leave `oidcIssuer: false` out, or write `workloadIdentity: false` as well"),
        );
    }
    if let Some(kubelet) = &spec.kubelet_identity {
        identity("kubeletIdentity".into(), kubelet, cx);
    }
    if spec.identity.as_ref().is_some_and(|identity| identity.0 == "system") {
        let message = "a cluster without `identity` has one of its own";
        cx.problem(
            Problem::error(&credentials::IDENTITY_REFERENCE, "identity", message)
                .help("take `identity` out, or name an entry of `identities`"),
        );
    }
    if spec.kubelet_identity.is_some() && spec.identity.is_none() {
        cx.problem(
            Problem::error(
                &KUBELET_IDENTITY,
                "kubeletIdentity",
                "nodes with an identity of yours need `identity`, too",
            )
            .help(
                "add `identity: ${identities.…}` and give it the role Managed Identity Operator on this one",
            ),
        );
    }
}

const COST_ANALYSIS: Code = Code {
    name: "cost-analysis",
    why: "Cost analysis is part of the paid tiers.",
    remedy: "Choose the tier `Standard` or `Premium`.",
    example: "sku: { tier: Standard }",
};

const IMAGE_CLEANER: Code = Code {
    name: "image-cleaner",
    why: "The image cleaner looks for old images at an interval that Azure bounds.",
    remedy: "Write a whole number of hours within the bounds that the message says.",
    example: "imageCleaner: { intervalHours: 48 }",
};

const NODE_OS_CHANNEL: Code = Code {
    name: "node-os-channel",
    why: "Two channels would upgrade the images of the nodes.",
    remedy: "Leave one of them out.",
    example: "autoUpgrade: { channel: patch, nodeOsChannel: NodeImage }",
};

const SUPPORT_PLAN: Code = Code {
    name: "support-plan",
    why: "Long-term support comes with the tier `Premium`.",
    remedy: "Choose the tier.",
    example: "sku: { tier: Premium }",
};

fn plans(spec: &Spec, cx: &mut EntryCx<'_>) {
    let tier = spec.sku.as_ref().and_then(|sku| sku.tier);
    let automatic = spec.sku.as_ref().and_then(|sku| sku.name) == Some(SkuName::Automatic);
    if spec.support_plan == Some(SupportPlan::LongTerm) && tier != Some(Tier::Premium) {
        cx.problem(
            Problem::error(&SUPPORT_PLAN, "supportPlan", "long-term support needs the tier `Premium`")
                .help("write `sku: { tier: Premium }`"),
        );
    }
    if spec.cost_analysis == Some(true) && !automatic && matches!(tier, None | Some(Tier::Free)) {
        cx.problem(
            Problem::error(
                &COST_ANALYSIS,
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
                &NODE_OS_CHANNEL,
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
                &IMAGE_CLEANER,
                "imageCleaner.intervalHours",
                "images are removed every 24 to 2160 hours",
            )
            .help("168 is once a week"),
        );
    }
}
