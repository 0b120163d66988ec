//! Checks of the add-ons and of Flux.

use super::super::addons::{AddonsSpec, MonitoringSpec};
use super::super::field::Toggle;
use super::super::flux::{FluxConfigurationSpec, FluxSpec, KustomizationSpec};
use super::super::network::{Plugin, PluginMode};
use super::super::pod_identity::PodIdentitySpec;
use super::super::spec::Spec;
use super::credentials::{identity, secret};
use crate::catalog::{EntryCx, Named, Problem};
use crate::diag::Code;
use crate::value::token::has_token;
use std::collections::HashSet;

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    settings(&spec.addons, cx);
    ingress(&spec.addons, cx);
    virtual_nodes(spec, cx);
    if let Some(pods) = spec.addons.pod_identity.as_ref().filter(|pods| pods.enabled) {
        pod_identity(pods, spec, cx);
    }
    if let Some(flux) = &spec.addons.flux {
        self::flux(flux, cx);
    }
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &MONITORING_WORKSPACE,
    &MONITORING_RULE,
    &SECRET_ROTATION,
    &APPLICATION_GATEWAY,
    &GATEWAY_API,
    &VIRTUAL_NODES,
    &NAMESPACE,
    &POD_IDENTITY_DEPRECATED,
    &POD_IDENTITY_KUBENET,
    &FLUX_NAME,
    &FLUX_VERSION,
    &FLUX_AUTH,
    &FLUX_REFERENCE,
    &FLUX_SOURCE,
    &FLUX_URL,
    &FLUX_DEPENDS_ON,
    &FLUX_KUSTOMIZATIONS,
];

const MONITORING_WORKSPACE: Code = Code {
    name: "monitoring-workspace",
    why: "Monitoring writes to a Log Analytics workspace, which must be said.",
    remedy: "Name one of the blueprint, or an id.",
    example: "monitoring: { workspace: \"${logWorkspaces.logs}\" }",
};

const MONITORING_RULE: Code = Code {
    name: "monitoring-rule",
    why: "Collection rules are for agents that sign in with their identity.",
    remedy: "Add `aadAuth: true`, or take `rule` out.",
    example: "monitoring: { workspace: \"${logWorkspaces.logs}\", aadAuth: true, rule: \"${dataCollectionRules.logs}\" }",
};

const SECRET_ROTATION: Code = Code {
    name: "secret-rotation",
    why: "Secrets are polled only when they are rotated.",
    remedy: "Add `rotation: true`, or leave the interval out.",
    example: "keyVaultSecretsProvider: { rotation: true, rotationPollInterval: 2m }",
};

fn settings(addons: &AddonsSpec, cx: &mut EntryCx<'_>) {
    if let Some(vaults) = addons.key_vault_secrets_provider.as_ref().and_then(Toggle::on)
        && vaults.rotation != Some(true)
        && vaults.rotation_poll_interval.is_some()
    {
        cx.problem(
            Problem::warning(
                &SECRET_ROTATION,
                "addons.keyVaultSecretsProvider.rotationPollInterval",
                "nothing is polled without rotation",
            )
            .help("add `rotation: true`"),
        );
    }
    if addons.monitoring.as_ref().and_then(Toggle::on).is_some_and(|logs| logs.workspace.is_none()) {
        cx.problem(
            Problem::error(
                &MONITORING_WORKSPACE,
                "addons.monitoring",
                "monitoring needs a workspace to write to",
            )
            .help("write `monitoring: { workspace: \"${logWorkspaces.…}\" }`"),
        );
    }
    let ruled = |logs: &MonitoringSpec| logs.rule.is_some() && logs.aad_auth != Some(true);
    if addons.monitoring.as_ref().and_then(Toggle::on).is_some_and(ruled) {
        let message = "this agent signs in with a key, and asks no collection rule what to collect";
        cx.problem(
            Problem::error(&MONITORING_RULE, "addons.monitoring.rule", message)
                .help("add `aadAuth: true`, or take `rule` out"),
        );
    }
}

const APPLICATION_GATEWAY: Code = Code {
    name: "application-gateway",
    why: "The ingress add-on works with a gateway that exists, or makes one in a subnet: never both.",
    remedy: "Keep `gateway`, or `name` with a subnet.",
    example: "addons: { applicationGateway: { gateway: /subscriptions/… } }",
};

const GATEWAY_API: Code = Code {
    name: "gateway-api",
    why: "Istio serves Gateways only where the cluster has the Gateway API.",
    remedy: "Turn it on beside the add-on.",
    example: "gatewayApi: true",
};

fn ingress(addons: &AddonsSpec, cx: &mut EntryCx<'_>) {
    if let Some(gateway) = addons.application_gateway.as_ref().and_then(Toggle::on) {
        let path = "addons.applicationGateway";
        let subnets = [gateway.subnet.is_some(), gateway.subnet_cidr.is_some()];
        let said = subnets.into_iter().filter(|said| *said).count();
        let (there, made) = (gateway.gateway.is_some(), gateway.name.is_some() || said > 0);
        if there && made {
            cx.problem(
                Problem::error(&APPLICATION_GATEWAY, path, "a gateway is there, or AKS makes it: not both")
                    .help("keep `gateway`, or `name` with `subnet` or `subnetCidr`"),
            );
        } else if !there && said != 1 {
            cx.problem(
                Problem::error(
                    &APPLICATION_GATEWAY,
                    path,
                    "the add-on needs a gateway, or one subnet to make it in",
                )
                .help("write `gateway: <id>`, or `name: agw-shop, subnet: ${networks.….subnets.…}`"),
            );
        }
    }
    let istio =
        addons.web_app_routing.as_ref().and_then(Toggle::on).is_some_and(|web| web.istio == Some(true));
    if istio && addons.gateway_api != Some(true) {
        cx.problem(
            Problem::error(
                &GATEWAY_API,
                "addons.webAppRouting.istio",
                "Istio serves Gateways, which the cluster does not have",
            )
            .help("add `gatewayApi: true` beside `webAppRouting`"),
        );
    }
}

const VIRTUAL_NODES: Code = Code {
    name: "virtual-nodes",
    why: "Container instances need a subnet of their own in the cluster's network, and do not work with the overlay.",
    remedy: "Name the subnet; use Azure CNI without overlay.",
    example: "virtualNodes: { subnetName: instances }",
};

fn virtual_nodes(spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(nodes) = spec.addons.virtual_nodes.as_ref().and_then(Toggle::on) else { return };
    let path = "addons.virtualNodes";
    if nodes.subnet_name.is_none() {
        cx.problem(
            Problem::error(&VIRTUAL_NODES, path, "container instances need a subnet of their own")
                .help("write `subnetName:` with the name of a subnet in the cluster's network"),
        );
    }
    if spec.network.plugin() != Plugin::Azure || spec.network.mode == Some(PluginMode::Overlay) {
        cx.problem(
            Problem::error(
                &VIRTUAL_NODES,
                path,
                "container instances do not reach pods outside the network's own addresses",
            )
            .help("use `network: { plugin: azure }` without `mode: overlay`, or leave `virtualNodes` out"),
        );
    }
}

const NAMESPACE: Code = Code {
    name: "namespace",
    why: "The name cannot be that of a Kubernetes namespace.",
    remedy: "Use at most 63 small letters, digits and `-`, a letter or digit at both ends.",
    example: "namespace: spboot-app",
};

const POD_IDENTITY_DEPRECATED: Code = Code {
    name: "pod-identity-deprecated",
    why: "Pod identity is retired and no longer supported. Workload identity does the same without privileged pods.",
    remedy: "Give the identity `federatedCredentials` and use workload identity.",
    example: "federatedCredentials: { app: { issuer: \"${clusters.aks.oidcIssuerUrl}\", serviceAccount: shop/app } }",
};

const POD_IDENTITY_KUBENET: Code = Code {
    name: "pod-identity-kubenet",
    why: "With kubenet pods can pretend to have the address of another, so pod identity has to be allowed there.",
    remedy: "Use `plugin: azure`, or allow it knowingly.",
    example: "network: { plugin: azure }",
};

fn pod_identity(pods: &PodIdentitySpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    cx.problem(
        Problem::warning(
            &POD_IDENTITY_DEPRECATED,
            "addons.podIdentity",
            "pod identity is deprecated and never left preview; workload identity is the way on",
        )
        .help(
            "give the identity a federated credential for the cluster's `oidcIssuerUrl`, label the pods \
             `azure.workload.identity/use: \"true\"`, then leave `podIdentity` out; both work side by side meanwhile",
        ),
    );
    if spec.network.plugin() == Plugin::Kubenet && pods.allow_kubenet != Some(true) {
        cx.problem(
            Problem::error(
                &POD_IDENTITY_KUBENET,
                "addons.podIdentity",
                "with `kubenet`, pods can take each other's identity",
            )
            .help("use `network: { plugin: azure }`, or accept it with `allowKubenet: true`"),
        );
    }
    for (name, entry) in &pods.identities {
        identity(format!("addons.podIdentity.identities.{name}.identity"), &entry.identity, cx);
    }
    let namespaces = pods.identities.iter().map(|(name, entry)| ("identities", name, &entry.namespace));
    let exceptions = pods.exceptions.iter().map(|(name, entry)| ("exceptions", name, &entry.namespace));
    for (list, name, namespace) in namespaces.chain(exceptions) {
        if !has_token(namespace) && !is_dns_label(namespace, 63) {
            let path = format!("addons.podIdentity.{list}.{name}.namespace");
            cx.problem(
                Problem::error(&NAMESPACE, path, format!("`{namespace}` cannot be a Kubernetes namespace"))
                    .help(
                        "use at most 63 small letters, digits and `-`, with a letter or digit at both ends",
                    ),
            );
        }
    }
}

/// Whether a text is a DNS label: small letters, digits and `-`, with a letter or digit at both ends.
fn is_dns_label(text: &str, longest: usize) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= longest
        && text.starts_with(inner)
        && text.ends_with(inner)
        && text.chars().all(|c| inner(c) || c == '-')
}

const FLUX_NAME: Code = Code {
    name: "flux-name",
    why: "Names of Flux configurations and kustomizations become names of Kubernetes objects.",
    remedy: "Use small letters, digits and `-`, a letter or digit at both ends.",
    example: "configurations: { cluster-config: { … } }",
};

const FLUX_VERSION: Code = Code {
    name: "flux-version",
    why: "An extension is upgraded along a release train, or stays at a version.",
    remedy: "Keep `releaseTrain` to be upgraded, or `version` to stay.",
    example: "flux: { releaseTrain: Stable }",
};

fn flux(flux: &FluxSpec, cx: &mut EntryCx<'_>) {
    if flux.version.is_some() && flux.release_train.is_some() {
        cx.problem(
            Problem::error(
                &FLUX_VERSION,
                "addons.flux.version",
                "`version` and `releaseTrain` exclude each other",
            )
            .help("keep `releaseTrain` to be upgraded, or `version` to stay"),
        );
    }
    for (key, configuration) in &flux.configurations {
        let path = format!("addons.flux.configurations.{key}");
        let name = configuration.name.as_deref().unwrap_or(key);
        if !has_token(name) && !is_dns_label(name, 30) {
            let path = if configuration.name.is_some() { format!("{path}.name") } else { path.clone() };
            cx.problem(
                Problem::error(
                    &FLUX_NAME,
                    path,
                    format!("`{name}` cannot be the name of a Flux configuration"),
                )
                .help("use at most 30 small letters, digits and `-`, with a letter or digit at both ends"),
            );
        }
        if let Some(namespace) = configuration.namespace.as_deref().filter(|text| !has_token(text))
            && !is_dns_label(namespace, 63)
        {
            cx.problem(
                Problem::error(
                    &NAMESPACE,
                    format!("{path}.namespace"),
                    format!("`{namespace}` cannot be a Kubernetes namespace"),
                )
                .help("use at most 63 small letters, digits and `-`, with a letter or digit at both ends"),
            );
        }
        source(&path, configuration, cx);
        kustomizations(&path, &configuration.kustomizations, cx);
    }
}

const FLUX_AUTH: Code = Code {
    name: "flux-auth",
    why: "A source has one way to sign in: a key, a user with a password, an account key, or a secret that is in the cluster already.",
    remedy: "Keep one of them.",
    example: "git: { url: https://github.com/example/gitops, branch: main, httpsUser: git, httpsKey: \"${param.gitToken}\" }",
};

const FLUX_REFERENCE: Code = Code {
    name: "flux-reference",
    why: "Of a repository, one thing is followed: a branch, a tag, a range of versions or a commit.",
    remedy: "Keep one of them.",
    example: "git: { url: https://github.com/example/gitops, branch: main }",
};

const FLUX_SOURCE: Code = Code {
    name: "flux-source",
    why: "A configuration has exactly one source.",
    remedy: "Keep one of `git`, `bucket`, `azureBlob` and `oci`.",
    example: "git: { url: https://github.com/example/gitops, branch: main }",
};

const FLUX_URL: Code = Code {
    name: "flux-url",
    why: "The address of the source has no form that Flux can read.",
    remedy: "Write the whole address with its scheme.",
    example: "url: https://github.com/example/gitops",
};

fn source(path: &str, configuration: &FluxConfigurationSpec, cx: &mut EntryCx<'_>) {
    let sources = configuration.sources();
    if sources.len() != 1 {
        let (message, at) = match sources.get(1) {
            None => ("a Flux configuration needs a source".to_owned(), path.to_owned()),
            Some((second, _)) => {
                (format!("`{}` and `{second}` exclude each other", sources[0].0), format!("{path}.{second}"))
            }
        };
        cx.problem(
            Problem::error(&FLUX_SOURCE, at, message)
                .help("write one of `git`, `bucket`, `azureBlob` and `oci`, such as `git: { url: https://…, branch: main }`"),
        );
    }
    if let Some(git) = &configuration.git {
        let path = format!("{path}.git");
        let references = git.references();
        if references.len() != 1 {
            let message = match references.as_slice() {
                [] => "it is not said what of the repository to follow".to_owned(),
                [(first, _), (second, _), ..] => format!("`{first}` and `{second}` exclude each other"),
                [_] => String::new(),
            };
            cx.problem(
                Problem::error(&FLUX_REFERENCE, path.clone(), message)
                    .help("write exactly one of `branch`, `tag`, `semver` and `commit`"),
            );
        }
        if !has_token(&git.url)
            && !["https://", "http://", "ssh://", "git@"].iter().any(|s| git.url.starts_with(s))
        {
            cx.problem(
                Problem::error(
                    &FLUX_URL,
                    format!("{path}.url"),
                    format!("`{}` is not the address of a repository", git.url),
                )
                .help("write `https://…`, `ssh://…` or `git@…`"),
            );
        }
        secret(format!("{path}.httpsKey"), git.https_key.as_deref(), "password", cx);
        secret(format!("{path}.sshPrivateKey"), git.ssh_private_key.as_deref(), "private key", cx);
        let others = git.https_key.is_some() || git.ssh_private_key.is_some() || git.https_user.is_some();
        if git.local_auth.is_some() && others {
            cx.problem(
                Problem::error(
                    &FLUX_AUTH,
                    format!("{path}.localAuth"),
                    "`localAuth` stands for every other credential",
                )
                .help("leave the other credentials out, or `localAuth`"),
            );
        }
    }
    if let Some(bucket) = &configuration.bucket {
        secret(format!("{path}.bucket.secretKey"), bucket.secret_key.as_deref(), "key", cx);
    }
    if let Some(blob) = &configuration.azure_blob {
        if let Some(reader) = &blob.identity {
            identity(format!("{path}.azureBlob.identity"), reader, cx);
        }
        secret(format!("{path}.azureBlob.accountKey"), blob.account_key.as_deref(), "key", cx);
        secret(format!("{path}.azureBlob.sasToken"), blob.sas_token.as_deref(), "token", cx);
    }
    if let Some(oci) = &configuration.oci {
        let said = [oci.tag.is_some(), oci.semver.is_some(), oci.digest.is_some()];
        if said.into_iter().filter(|said| *said).count() > 1 {
            cx.problem(
                Problem::error(
                    &FLUX_REFERENCE,
                    format!("{path}.oci"),
                    "`tag`, `semver` and `digest` exclude each other",
                )
                .help("keep one of them"),
            );
        }
    }
}

const FLUX_DEPENDS_ON: Code = Code {
    name: "flux-depends-on",
    why: "A kustomization waits for others of the same configuration, and they must not wait for it.",
    remedy: "Name one that is there, and leave no circle.",
    example: "kustomizations: { infra: {}, apps: { dependsOn: [infra] } }",
};

const FLUX_KUSTOMIZATIONS: Code = Code {
    name: "flux-kustomizations",
    why: "A configuration without kustomizations brings nothing into the cluster.",
    remedy: "Say at least one path of the source.",
    example: "kustomizations: { apps: { path: ./apps } }",
};

fn kustomizations(path: &str, all: &Named<KustomizationSpec>, cx: &mut EntryCx<'_>) {
    let path = format!("{path}.kustomizations");
    if all.is_empty() {
        cx.problem(
            Problem::warning(&FLUX_KUSTOMIZATIONS, path.clone(), "nothing is applied from this source")
                .help("add `kustomizations: { apps: { path: ./apps, prune: true } }`"),
        );
    }
    for (name, kustomization) in all {
        if !is_dns_label(name, 30) {
            cx.problem(
                Problem::error(
                    &FLUX_NAME,
                    format!("{path}.{name}"),
                    format!("`{name}` cannot be the name of a kustomization"),
                )
                .help("use at most 30 small letters, digits and `-`, with a letter or digit at both ends"),
            );
        }
        for (at, other) in kustomization.depends_on.iter().flatten().enumerate() {
            if !all.contains_key(other) {
                let names: Vec<&str> = all.keys().filter(|key| *key != name).map(String::as_str).collect();
                cx.problem(
                    Problem::error(
                        &FLUX_DEPENDS_ON,
                        format!("{path}.{name}.dependsOn[{at}]"),
                        format!("there is no kustomization `{other}` in this configuration"),
                    )
                    .help(format!("the others are: {}", names.join(", "))),
                );
            }
        }
    }
    if let Some(circle) = circle(all) {
        cx.problem(
            Problem::error(
                &FLUX_DEPENDS_ON,
                format!("{path}.{}.dependsOn", circle[0]),
                format!("kustomizations wait for each other: {} → {}", circle.join(" → "), circle[0]),
            )
            .help("take one of these dependencies away"),
        );
    }
}

/// Kustomizations that depend on each other in a circle, if any do.
fn circle(all: &Named<KustomizationSpec>) -> Option<Vec<&str>> {
    fn visit<'a>(
        name: &'a str,
        all: &'a Named<KustomizationSpec>,
        trail: &mut Vec<&'a str>,
        done: &mut HashSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(at) = trail.iter().position(|seen| *seen == name) {
            return Some(trail[at..].to_vec());
        }
        if done.contains(name) {
            return None;
        }
        trail.push(name);
        let below =
            all.get(name).into_iter().flat_map(|kustomization| kustomization.depends_on.iter().flatten());
        for other in below {
            if let Some(circle) = visit(other, all, trail, done) {
                return Some(circle);
            }
        }
        trail.pop();
        done.insert(name);
        None
    }

    let mut done = HashSet::new();
    all.keys().find_map(|name| visit(name, all, &mut Vec::new(), &mut done))
}
