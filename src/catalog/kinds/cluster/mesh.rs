//! The service mesh of a cluster: Istio as AKS runs it.

use super::field::{Settings, Toggle};
use super::words::words;
use crate::catalog::{Named, Reference, model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Istio as AKS runs it (`serviceMeshProfile`).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MeshSpec {
    /// Whether it is on; yes when absent.
    enabled: Option<bool>,
    /// The revision, such as `[asm-1-26]`; two of them while one takes the place of the other. Azure's default when
    /// absent.
    pub(super) revisions: Option<Vec<String>>,
    /// The gateways by which traffic comes in.
    pub(super) ingress: Option<IngressGatewaysSpec>,
    /// The gateways by which traffic leaves, by their names.
    #[serde(default)]
    pub(super) egress: Named<EgressGatewaySpec>,
    /// How traffic of pods is led through the mesh: `InitContainers` (the default) or `CNIChaining`.
    pub(super) redirection: Option<Redirection>,
    /// The authority that signs the certificates of workloads, from a vault; one of the mesh's own when absent.
    pub(super) certificate_authority: Option<CertificateAuthoritySpec>,
}

impl Settings for MeshSpec {
    fn enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }
}

/// The gateways by which traffic comes in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IngressGatewaysSpec {
    /// Whether there is one with a public address.
    external: Option<bool>,
    /// Whether there is one with an address of the network.
    internal: Option<bool>,
}

/// A gateway by which traffic leaves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EgressGatewaySpec {
    /// Whether it is on; yes when absent.
    #[serde(default = "yes")]
    enabled: bool,
    /// Its Kubernetes namespace; `aks-istio-egress` when absent.
    namespace: Option<String>,
    /// The `StaticGatewayConfiguration` beside it that gives it its addresses (`gatewayConfigurationName`).
    configuration: Option<String>,
}

/// A certificate authority in a vault. The add-on `keyVaultSecretsProvider` reads it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateAuthoritySpec {
    /// The vault.
    #[schemars(extend("x-wants" = "key vault"))]
    vault: Reference,
    /// The name of the secret with the intermediate certificate (`certObjectName`).
    certificate: String,
    /// The name of the secret with its private key (`keyObjectName`).
    key: String,
    /// The name of the secret with the root certificate (`rootCertObjectName`).
    root_certificate: String,
    /// The name of the secret with the chain of certificates (`certChainObjectName`).
    chain: String,
}

words! {
    /// How traffic of pods is led through the mesh.
    Redirection { "InitContainers" => InitContainers, "CNIChaining" => CniChaining, }
}

fn yes() -> bool {
    true
}

/// `serviceMeshProfile`.
pub(super) fn profile(mesh: &Toggle<MeshSpec>) -> Value {
    let Toggle::On(mesh) = mesh else { return json!({ "mode": "Disabled" }) };
    let ingress = mesh.ingress.as_ref().map(|gateways| {
        let gateway = |mode, on: Option<bool>| on.map(|enabled| json!({ "mode": mode, "enabled": enabled }));
        [gateway("External", gateways.external), gateway("Internal", gateways.internal)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    });
    let egress: Vec<Value> = mesh
        .egress
        .iter()
        .map(|(name, gateway)| {
            json!({
                "name": name,
                "enabled": gateway.enabled,
                "namespace": gateway.namespace,
                "gatewayConfigurationName": gateway.configuration,
            })
        })
        .collect();
    let components = model(&json!({
        "ingressGateways": ingress,
        "egressGateways": (!egress.is_empty()).then_some(egress),
        "proxyRedirectionMechanism": mesh.redirection,
    }));
    let authority = mesh.certificate_authority.as_ref().map(|authority| {
        json!({ "plugin": {
            "keyVaultId": authority.vault.id(),
            "certObjectName": authority.certificate,
            "keyObjectName": authority.key,
            "rootCertObjectName": authority.root_certificate,
            "certChainObjectName": authority.chain,
        } })
    });
    let istio = model(&json!({
        "revisions": mesh.revisions,
        "components": components.as_object().is_some_and(|parts| !parts.is_empty()).then_some(components),
        "certificateAuthority": authority,
    }));
    let istio = istio.as_object().is_some_and(|parts| !parts.is_empty()).then_some(istio);
    model(&json!({ "mode": "Istio", "istio": istio }))
}
