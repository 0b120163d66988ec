//! Checks of the add-ons and of Flux.

use super::super::addons::AddonsSpec;
use super::super::field::Toggle;
use super::super::flux::{FluxConfigurationSpec, FluxSpec, KustomizationSpec};
use super::super::network::{Plugin, PluginMode};
use super::super::pod_identity::PodIdentitySpec;
use super::super::spec::Spec;
use super::{identity, secret};
use crate::catalog::{EntryCx, Problem};
use crate::value::token::has_token;
use indexmap::IndexMap;
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

fn settings(addons: &AddonsSpec, cx: &mut EntryCx<'_>) {
    if let Some(vaults) = addons.key_vault_secrets_provider.as_ref().and_then(Toggle::on)
        && vaults.rotation != Some(true)
        && vaults.rotation_poll_interval.is_some()
    {
        cx.problem(
            Problem::warning(
                "secret-rotation",
                "addons.keyVaultSecretsProvider.rotationPollInterval",
                "nothing is polled without rotation",
            )
            .help("add `rotation: true`"),
        );
    }
    if addons.monitoring.as_ref().and_then(Toggle::on).is_some_and(|logs| logs.workspace.is_none()) {
        cx.problem(
            Problem::error(
                "monitoring-workspace",
                "addons.monitoring",
                "monitoring needs a workspace to write to",
            )
            .help("write `monitoring: { workspace: \"${logWorkspaces.…}\" }`"),
        );
    }
}

fn ingress(addons: &AddonsSpec, cx: &mut EntryCx<'_>) {
    if let Some(gateway) = addons.application_gateway.as_ref().and_then(Toggle::on) {
        let path = "addons.applicationGateway";
        let subnets = [gateway.subnet.is_some(), gateway.subnet_cidr.is_some()];
        let said = subnets.into_iter().filter(|said| *said).count();
        let (there, made) = (gateway.gateway.is_some(), gateway.name.is_some() || said > 0);
        if there && made {
            cx.problem(
                Problem::error("application-gateway", path, "a gateway is there, or AKS makes it: not both")
                    .help("keep `gateway`, or `name` with `subnet` or `subnetCidr`"),
            );
        } else if !there && said != 1 {
            cx.problem(
                Problem::error(
                    "application-gateway",
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
                "gateway-api",
                "addons.webAppRouting.istio",
                "Istio serves Gateways, which the cluster does not have",
            )
            .help("add `gatewayApi: true` beside `webAppRouting`"),
        );
    }
}

fn virtual_nodes(spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(nodes) = spec.addons.virtual_nodes.as_ref().and_then(Toggle::on) else { return };
    let path = "addons.virtualNodes";
    if nodes.subnet_name.is_none() {
        cx.problem(
            Problem::error("virtual-nodes", path, "container instances need a subnet of their own")
                .help("write `subnetName:` with the name of a subnet in the cluster's network"),
        );
    }
    if spec.network.plugin != Plugin::Azure || spec.network.mode == Some(PluginMode::Overlay) {
        cx.problem(
            Problem::error(
                "virtual-nodes",
                path,
                "container instances do not reach pods outside the network's own addresses",
            )
            .help("use `network: { plugin: azure }` without `mode: overlay`, or leave `virtualNodes` out"),
        );
    }
}

fn pod_identity(pods: &PodIdentitySpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    cx.problem(
        Problem::warning(
            "pod-identity-deprecated",
            "addons.podIdentity",
            "pod identity is deprecated and never left preview; workload identity is the way on",
        )
        .help(
            "give the identity a federated credential for the cluster's `oidcIssuerUrl`, label the pods \
             `azure.workload.identity/use: \"true\"`, then leave `podIdentity` out; both work side by side meanwhile",
        ),
    );
    if spec.network.plugin == Plugin::Kubenet && pods.allow_kubenet != Some(true) {
        cx.problem(
            Problem::error(
                "pod-identity-kubenet",
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
                Problem::error("namespace", path, format!("`{namespace}` cannot be a Kubernetes namespace"))
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

fn flux(flux: &FluxSpec, cx: &mut EntryCx<'_>) {
    if flux.version.is_some() && flux.release_train.is_some() {
        cx.problem(
            Problem::error(
                "flux-version",
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
                    "flux-name",
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
                    "namespace",
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
            Problem::error("flux-source", at, message)
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
                Problem::error("flux-reference", path.clone(), message)
                    .help("write exactly one of `branch`, `tag`, `semver` and `commit`"),
            );
        }
        if !has_token(&git.url)
            && !["https://", "http://", "ssh://", "git@"].iter().any(|s| git.url.starts_with(s))
        {
            cx.problem(
                Problem::error(
                    "flux-url",
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
                    "flux-auth",
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
                    "flux-reference",
                    format!("{path}.oci"),
                    "`tag`, `semver` and `digest` exclude each other",
                )
                .help("keep one of them"),
            );
        }
    }
}

fn kustomizations(path: &str, all: &IndexMap<String, KustomizationSpec>, cx: &mut EntryCx<'_>) {
    let path = format!("{path}.kustomizations");
    if all.is_empty() {
        cx.problem(
            Problem::warning("flux-kustomizations", path.clone(), "nothing is applied from this source")
                .help("add `kustomizations: { apps: { path: ./apps, prune: true } }`"),
        );
    }
    for (name, kustomization) in all {
        if !is_dns_label(name, 30) {
            cx.problem(
                Problem::error(
                    "flux-name",
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
                        "flux-depends-on",
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
                "flux-depends-on",
                format!("{path}.{}.dependsOn", circle[0]),
                format!("kustomizations wait for each other: {} → {}", circle.join(" → "), circle[0]),
            )
            .help("take one of these dependencies away"),
        );
    }
}

/// Kustomizations that depend on each other in a circle, if any do.
fn circle(all: &IndexMap<String, KustomizationSpec>) -> Option<Vec<&str>> {
    fn visit<'a>(
        name: &'a str,
        all: &'a IndexMap<String, KustomizationSpec>,
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
