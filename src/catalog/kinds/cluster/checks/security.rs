//! Checks of encryption, the proxy, the mesh and the smaller groups.

use super::super::field::Toggle;
use super::super::network::{Dataplane, PluginMode};
use super::super::node_pool::Os;
use super::super::profiles::{ArtifactSource, NodeProvisioning};
use super::super::security::{HttpProxySpec, KmsAccess, KmsSpec};
use super::super::spec::{SkuName, Spec};
use super::credentials::secret;
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &TRUSTED_CERTIFICATES,
    &KMS,
    &CERTIFICATE,
    &HTTP_PROXY,
    &WINDOWS_HTTP_PROXY,
    &MESH_CERTIFICATE_AUTHORITY,
    &MESH_REVISIONS,
    &BOOTSTRAP,
    &HOSTED_SYSTEM,
    &NODE_PROVISIONING,
    &SERVICE_PRINCIPAL,
];

const TRUSTED_CERTIFICATES: Code = Code {
    name: "trusted-certificates",
    why: "Nodes trust at most ten further certificate authorities.",
    remedy: "Leave some out, or join them.",
    example: "trustedCertificates: [\"LS0tLS1CRUdJTi…\"]",
};

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    if let Some(kms) = spec.kms.as_ref().filter(|kms| kms.enabled) {
        self::kms(kms, spec, cx);
    }
    if let Some(proxy) = &spec.http_proxy {
        self::proxy(proxy, spec, cx);
    }
    if let Some(list) = &spec.trusted_certificates {
        if list.len() > 10 {
            cx.problem(
                Problem::error(
                    &TRUSTED_CERTIFICATES,
                    "trustedCertificates",
                    "Azure takes at most ten certificates",
                )
                .help("leave out those that another of them has signed"),
            );
        }
        for (at, text) in list.iter().enumerate() {
            certificate(format!("trustedCertificates[{at}]"), text, cx);
        }
    }
    mesh(spec, cx);
    provisioning(spec, cx);
    service_principal(spec, cx);
}

const KMS: Code = Code {
    name: "kms",
    why: "Encrypting the cluster's store with a key of yours needs the key's id, and for a private vault the vault, too.",
    remedy: "Write the whole id of the key with its version, and the vault when it is private.",
    example: "kms: { key: '${keyVaults.secrets.keys.etcd}' }",
};

fn kms(kms: &KmsSpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    let mut problem = |path: &str, message: String, help: &str| {
        cx.problem(Problem::error(&KMS, path, message).help(help));
    };
    let form =
        "write `key: ${keyVaults.….keys.…}`, or `key: https://{vault}.vault.azure.net/keys/{name}/{version}`";
    match kms.key.as_ref().map(|key| key.0.as_str()) {
        None => problem("kms", "encrypting secrets needs a key".into(), form),
        Some(key) if !has_token(key) && !is_versioned_key(key) => {
            problem("kms.key", format!("`{key}` is not a key with its version"), form);
        }
        Some(_) => {}
    }
    let private = kms.network_access == Some(KmsAccess::Private);
    if private && kms.vault.is_none() {
        problem(
            "kms.networkAccess",
            "a private vault is named by its id as well".into(),
            "add `vault: ${keyVaults.…}`",
        );
    }
    if !private && kms.vault.is_some() {
        problem(
            "kms.vault",
            "Azure takes the vault's id for `networkAccess: Private` only".into(),
            "leave `vault` out, or write `networkAccess: Private`",
        );
    }
    let integrated = spec.api_server.as_ref().is_some_and(|api| api.vnet_integration == Some(true));
    if private && !integrated {
        problem(
            "kms.networkAccess",
            "the API server reaches a private vault from the network only".into(),
            "add `apiServer: { vnetIntegration: true }`",
        );
    }
}

fn is_versioned_key(key: &str) -> bool {
    let path = key.strip_prefix("https://").and_then(|rest| rest.split_once("/keys/")).map(|(_, path)| path);
    path.and_then(|path| path.split_once('/'))
        .is_some_and(|(name, version)| !name.is_empty() && !version.is_empty() && !version.contains('/'))
}

const CERTIFICATE: Code = Code {
    name: "certificate",
    why: "A certificate is handed to the nodes as PEM in base64; this text is not that.",
    remedy: "Encode the whole file.",
    example: "base64 -w0 ca.pem",
};

/// Reports what is not a PEM certificate in base64.
fn certificate(path: String, text: &str, cx: &mut EntryCx<'_>) {
    if has_token(text) {
        return;
    }
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    if text.is_empty() || !text.chars().all(|c| base64(c) || c.is_ascii_whitespace()) {
        cx.problem(
            Problem::error(&CERTIFICATE, path, "this is not a certificate in base64")
                .help("encode the whole PEM file: `base64 -w0 ca.pem`"),
        );
    }
}

const HTTP_PROXY: Code = Code {
    name: "http-proxy",
    why: "The address of a proxy and of what goes around it must be one that nodes can use.",
    remedy: "Write the scheme, host and port.",
    example: "httpProxy: { http: http://proxy.example.com:3128 }",
};

const WINDOWS_HTTP_PROXY: Code = Code {
    name: "windows-http-proxy",
    why: "Windows nodes do not take the cluster's proxy.",
    remedy: "Leave the proxy or the Windows pools out.",
    example: "",
};

fn proxy(proxy: &HttpProxySpec, spec: &Spec, cx: &mut EntryCx<'_>) {
    if proxy.enabled != Some(false) && proxy.http.is_none() && proxy.https.is_none() {
        cx.problem(
            Problem::error(&HTTP_PROXY, "httpProxy", "a proxy needs an address")
                .help("write `http: http://proxy.shop.local:3128`"),
        );
    }
    for (field, url) in [("http", &proxy.http), ("https", &proxy.https)] {
        let Some(url) = url.as_deref().filter(|url| !has_token(url)) else { continue };
        let path = format!("httpProxy.{field}");
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        match rest {
            None => cx.problem(
                Problem::error(&HTTP_PROXY, path, format!("`{url}` is not the address of a proxy"))
                    .help("write `http://proxy.shop.local:3128`"),
            ),
            Some(rest) if rest.split('/').next().is_some_and(|host| host.contains('@')) => cx.problem(
                Problem::error(
                    &HTTP_PROXY,
                    path,
                    "AKS signs in to no proxy, so an account has no place in its address",
                )
                .help("let the nodes' subnet through at the proxy, and leave the account out"),
            ),
            Some(_) => {}
        }
    }
    for (at, host) in proxy.no_proxy.iter().flatten().enumerate() {
        if host.starts_with('*') {
            cx.problem(
                Problem::error(
                    &HTTP_PROXY,
                    format!("httpProxy.noProxy[{at}]"),
                    format!("`{host}`: a domain is written without `*`"),
                )
                .help(format!("write `{}`", host.trim_start_matches('*'))),
            );
        }
    }
    if let Some(text) = &proxy.trusted_ca {
        certificate("httpProxy.trustedCa".into(), text, cx);
    }
    if spec.pools().any(|(_, pool)| pool.os() == Os::Windows) {
        cx.problem(
            Problem::warning(&WINDOWS_HTTP_PROXY, "httpProxy", "Azure does not support a proxy with Windows node pools")
                .help("leave the Windows pools out, or lead out through a firewall with `outboundType: userDefinedRouting`"),
        );
    }
}

const MESH_CERTIFICATE_AUTHORITY: Code = Code {
    name: "mesh-certificate-authority",
    why: "A certificate authority of yours for the mesh is in a vault, with the names of all its objects.",
    remedy: "Add the add-on for secrets, and the fields that the message names.",
    example: "addons: { keyVaultSecretsProvider: true }",
};

const MESH_REVISIONS: Code = Code {
    name: "mesh-revisions",
    why: "A mesh runs one revision, or two during an upgrade; they are named `asm-X-Y`.",
    remedy: "`az aks mesh get-revisions` lists them.",
    example: "serviceMesh: { revisions: [asm-1-26] }",
};

fn mesh(spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(mesh) = spec.service_mesh.as_ref().and_then(Toggle::on) else { return };
    let revisions = mesh.revisions.as_deref().unwrap_or_default();
    if revisions.len() > 2 {
        cx.problem(
            Problem::error(
                &MESH_REVISIONS,
                "serviceMesh.revisions",
                "a mesh has at most two revisions at a time",
            )
            .help("keep the one that runs and the one that takes its place"),
        );
    }
    for (at, revision) in revisions.iter().enumerate().filter(|(_, revision)| !has_token(revision)) {
        let mut parts = revision.strip_prefix("asm-").unwrap_or_default().splitn(2, '-');
        if !parts.by_ref().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
            || !revision.starts_with("asm-")
            || revision.matches('-').count() != 2
        {
            cx.problem(
                Problem::error(
                    &MESH_REVISIONS,
                    format!("serviceMesh.revisions[{at}]"),
                    format!("`{revision}` is not a revision of the mesh"),
                )
                .help("write one such as `asm-1-26`; `az aks mesh get-revisions` lists them"),
            );
        }
    }
    let vaults = spec.addons.key_vault_secrets_provider.as_ref().is_some_and(|addon| addon.on().is_some());
    if mesh.certificate_authority.is_some() && !vaults {
        cx.problem(
            Problem::error(
                &MESH_CERTIFICATE_AUTHORITY,
                "serviceMesh.certificateAuthority",
                "an authority in a vault is read by the add-on `keyVaultSecretsProvider`, which is not on",
            )
            .help("add `addons: { keyVaultSecretsProvider: true }`"),
        );
    }
}

const BOOTSTRAP: Code = Code {
    name: "bootstrap",
    why: "Nodes take their images directly from Microsoft, or from a registry of yours that caches them.",
    remedy: "Say `artifactSource: Cache` with a registry, or leave the registry out.",
    example: "bootstrap: { artifactSource: Cache, registry: \"${resources.registry}\" }",
};

const HOSTED_SYSTEM: Code = Code {
    name: "hosted-system",
    why: "AKS hosts the system nodes of `Automatic` clusters only.",
    remedy: "Choose that SKU, or leave it out.",
    example: "sku: { name: Automatic }",
};

const NODE_PROVISIONING: Code = Code {
    name: "node-provisioning",
    why: "When AKS makes nodes by itself, pools have no autoscalers, no Windows, and a network that supports it.",
    remedy: "Follow the message, or write `mode: Manual`.",
    example: "nodeProvisioning: { mode: Auto }",
};

fn provisioning(spec: &Spec, cx: &mut EntryCx<'_>) {
    let automatic = spec.sku.as_ref().and_then(|sku| sku.name) == Some(SkuName::Automatic);
    if spec.node_provisioning.as_ref().is_some_and(|nodes| nodes.mode == NodeProvisioning::Auto) {
        for (key, _) in spec.pools().filter(|(_, pool)| pool.autoscale.is_some()) {
            cx.problem(
                Problem::error(
                    &NODE_PROVISIONING,
                    format!("nodePools.{key}.autoscale"),
                    "with `nodeProvisioning: { mode: Auto }` no pool has an autoscaler",
                )
                .help("give the pool a `count`, or write `mode: Manual`"),
            );
        }
        if spec.pools().any(|(_, pool)| pool.os() == Os::Windows) {
            cx.problem(
                Problem::error(
                    &NODE_PROVISIONING,
                    "nodeProvisioning.mode",
                    "AKS makes no nodes by itself beside Windows pools",
                )
                .help("leave the Windows pools out, or write `mode: Manual`"),
            );
        }
        let recommended = spec.network.mode == Some(PluginMode::Overlay)
            && spec.network.dataplane == Some(Dataplane::Cilium);
        if !automatic && !recommended {
            cx.problem(
                Problem::warning(
                    &NODE_PROVISIONING,
                    "nodeProvisioning.mode",
                    "AKS recommends overlay and Cilium with it",
                )
                .help("write `network: { mode: overlay, dataplane: cilium }`"),
            );
        }
    }
    if spec.hosted_system.as_ref().is_some_and(|hosted| hosted.enabled) && !automatic {
        cx.problem(
            Problem::error(
                &HOSTED_SYSTEM,
                "hostedSystem",
                "AKS hosts system nodes of `Automatic` clusters only",
            )
            .help("write `sku: { name: Automatic }`, or leave it out"),
        );
    }
    if let Some(bootstrap) = &spec.bootstrap
        && bootstrap.artifact_source == ArtifactSource::Direct
        && bootstrap.registry.is_some()
    {
        cx.problem(
            Problem::error(
                &BOOTSTRAP,
                "bootstrap.registry",
                "with `artifactSource: Direct` no registry is asked",
            )
            .help("write `artifactSource: Cache`, or leave `registry` out"),
        );
    }
}

const SERVICE_PRINCIPAL: Code = Code {
    name: "service-principal",
    why: "A cluster acts as a managed identity, or as a service principal whose secret expires.",
    remedy: "Keep `identity`.",
    example: "identity: ${identities.controlPlane}",
};

fn service_principal(spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(principal) = &spec.service_principal else { return };
    secret("servicePrincipal.secret".into(), Some(&principal.secret), "secret", cx);
    if spec.identity.is_some() {
        cx.problem(
            Problem::error(
                &SERVICE_PRINCIPAL,
                "servicePrincipal",
                "`servicePrincipal` and `identity` exclude each other",
            )
            .help("keep `identity`"),
        );
    }
}
