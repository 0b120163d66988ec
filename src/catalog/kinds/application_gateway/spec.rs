//! What a blueprint says of an application gateway.

use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An application gateway (WAF_v2).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The gateway's own subnet: nothing else is in it. Never changes.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Reference,
    /// The public address at which it answers; a Standard one.
    #[schemars(extend("x-wants" = "public address"))]
    pub(super) public_ip: Option<Reference>,
    /// A private address of the subnet at which it answers too.
    pub(super) private_ip: Option<String>,
    /// The policy of its firewall: one with `for: applicationGateway`.
    #[schemars(extend("x-wants" = "gateway WAF policy"))]
    pub(super) waf_policy: Reference,
    /// How many instances there are; it scales by itself between `autoscale` when absent.
    pub(super) capacity: Option<i64>,
    /// Between how many instances it scales; 1 to 10 when neither this nor `capacity` is said.
    pub(super) autoscale: Option<AutoscaleSpec>,
    /// The availability zones of its instances. Never changes.
    #[serde(default)]
    pub(super) zones: Vec<String>,
    /// User-assigned identities with which it reads certificates from key vaults.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identities: Vec<Reference>,
    /// Whether browsers may speak HTTP/2; Azure's default (`false`) when absent.
    pub(super) http2: Option<bool>,
    /// The rules of TLS that Azure keeps, such as `AppGwSslPolicy20220101S`; Azure's default when absent.
    pub(super) tls_policy: Option<String>,
    /// Whether an ingress controller of a cluster writes listeners, rules, backends, probes and certificates. Then none of
    /// them is written here, and what the controller writes is left alone.
    #[serde(default)]
    pub(super) ingress_controller: bool,
    /// Certificates from key vaults: the ids of their secrets, without a version.
    #[serde(default)]
    pub(super) certificates: Named<String>,
    /// Where it listens.
    #[serde(default)]
    pub(super) listeners: Named<ListenerSpec>,
    /// Lets others reach the gateway through private endpoints, which an entry of `approvals` lets in.
    pub(super) private_link: Option<PrivateLinkSpec>,
    /// Changes to the headers of requests and answers, by name; a rule names one.
    #[serde(default)]
    pub(super) rewrites: Named<RewriteSpec>,
    /// The servers behind it.
    #[serde(default)]
    pub(super) backends: Named<BackendSpec>,
    /// Which listener leads to which servers.
    #[serde(default)]
    pub(super) rules: Named<RuleSpec>,
}

/// How others reach a gateway through private endpoints.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PrivateLinkSpec {
    /// The subnet from which their traffic comes: another than the gateway's, with
    /// `privateLinkServiceNetworkPolicies: false`.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Reference,
    /// Whether they reach the private address; the public one when absent.
    #[serde(default)]
    pub(super) private: bool,
}

/// Changes to headers. A header of an empty text is taken out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RewriteSpec {
    /// Headers of the request, and what they say then, such as `{http_req_host}`.
    #[serde(default)]
    pub(super) request_headers: Named<String>,
    /// Headers of the answer, and what they say then.
    #[serde(default)]
    pub(super) response_headers: Named<String>,
}

/// Between how many instances a gateway scales.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AutoscaleSpec {
    /// The least number, 0 to 100.
    pub(super) min: i64,
    /// The greatest number, 2 to 125.
    pub(super) max: i64,
}

/// Where a gateway listens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListenerSpec {
    /// The port; 443 for `Https` and 80 for `Http` when absent.
    pub(super) port: Option<i64>,
    /// `Https`, or `Http` when absent.
    #[serde(default)]
    pub(super) protocol: Protocol,
    /// The key of the certificate, for `Https`.
    pub(super) certificate: Option<String>,
    /// The host names that it is for; all when absent.
    #[serde(default)]
    pub(super) host_names: Vec<String>,
    /// Whether it listens at the private address; at the public one when absent.
    #[serde(default)]
    pub(super) private: bool,
}

/// A protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    /// In clear text.
    #[default]
    Http,
    /// Encrypted.
    Https,
}

/// Servers behind a gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BackendSpec {
    /// Their host names and addresses.
    pub(super) addresses: Vec<String>,
    /// The port; 443 for `Https` and 80 for `Http` when absent.
    pub(super) port: Option<i64>,
    /// `Https`, or `Http` when absent.
    #[serde(default)]
    pub(super) protocol: Protocol,
    /// The host that requests name; that of the address when absent.
    pub(super) host_name: Option<String>,
    /// How many seconds an answer may take; 30 when absent.
    pub(super) timeout_seconds: Option<i64>,
    /// The path that answers while a server is well; `/` when absent.
    pub(super) probe_path: Option<String>,
    /// How many seconds pass between two probes: 1 to 86400; 30 when absent.
    pub(super) probe_seconds: Option<i64>,
    /// Which statuses say that a server is well, such as `200-399`; Azure's default (200 to 399) when absent.
    #[serde(default)]
    pub(super) probe_statuses: Vec<String>,
    /// Whether a browser is served by the same server each time, by a cookie; `false` when absent.
    #[serde(default)]
    pub(super) cookie_affinity: bool,
    /// How many seconds a server that is taken out may finish its requests: 1 to 3600; not at all when absent.
    pub(super) drain_seconds: Option<i64>,
}

/// Which listener leads to which servers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSpec {
    /// Rules are tried by this number, the lowest first: 1 to 20000.
    pub(super) priority: i64,
    /// The key of the listener.
    pub(super) listener: String,
    /// The key of the servers.
    pub(super) backend: Option<String>,
    /// The key of another listener that requests are sent on to, in place of `backend`.
    pub(super) redirect_to: Option<String>,
    /// Requests for some paths that other servers answer; `backend` answers the rest.
    #[serde(default)]
    pub(super) paths: Named<PathSpec>,
    /// The key of the changes to headers.
    pub(super) rewrite: Option<String>,
}

/// Requests for some paths.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PathSpec {
    /// The paths, such as `/images/*`.
    pub(super) paths: Vec<String>,
    /// The key of the servers.
    pub(super) backend: String,
}
