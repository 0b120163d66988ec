//! What a blueprint says of a Front Door.

use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A Front Door with everything in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// `Standard`, or `Premium` for private link and managed rules of the firewall. Never changes.
    pub(super) sku: Sku,
    /// How long an origin may take to answer, 16 to 240 seconds; Azure's default when absent.
    pub(super) response_timeout_seconds: Option<i64>,
    /// The identities with which the Front Door reads certificates: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identities: Vec<Reference>,
    /// Host names of Azure's under which it answers.
    #[serde(default)]
    pub(super) endpoints: Named<EndpointSpec>,
    /// Groups of origins that serve the same.
    #[serde(default)]
    pub(super) origin_groups: Named<OriginGroupSpec>,
    /// The servers behind it.
    #[serde(default)]
    pub(super) origins: Named<OriginSpec>,
    /// Which requests go to which group.
    #[serde(default)]
    pub(super) routes: Named<RouteSpec>,
    /// Rules that change requests and answers.
    #[serde(default)]
    pub(super) rule_sets: Named<RuleSetSpec>,
    /// Host names of one's own.
    #[serde(default)]
    pub(super) custom_domains: Named<DomainSpec>,
    /// Certificates of one's own, from key vaults. An identity of the Front Door reads them.
    #[serde(default)]
    pub(super) certificates: Named<CertificateSpec>,
    /// Which policy of the firewall guards which names.
    #[serde(default)]
    pub(super) security_policies: Named<SecuritySpec>,
}

/// The edition of a Front Door or of a policy of its firewall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Sku {
    /// Without private link.
    Standard,
    /// With everything.
    Premium,
}

impl Sku {
    /// As Azure writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sku::Standard => "Standard_AzureFrontDoor",
            Sku::Premium => "Premium_AzureFrontDoor",
        }
    }
}

macro_rules! named {
    ($($spec:ident)*) => {
        $(impl $spec {
            /// The name in Azure.
            pub(super) fn name<'a>(&'a self, key: &'a str) -> &'a str {
                self.name.as_deref().unwrap_or(key)
            }
        })*
    };
}

named!(EndpointSpec OriginGroupSpec OriginSpec RouteSpec RuleSetSpec RuleSpec DomainSpec SecuritySpec);

/// An endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EndpointSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Whether it answers; Azure's default (`true`) when absent.
    pub(super) enabled: Option<bool>,
}

/// A group of origins.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OriginGroupSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// How origins are asked whether they are well; not at all when absent.
    pub(super) probe: Option<ProbeSpec>,
    /// How requests are spread; a new group judges by 3 of 4 samples and takes 50 ms more for the same when absent.
    pub(super) load_balancing: Option<LoadBalancingSpec>,
    /// Whether a browser is served by the same origin each time; Azure's default when absent.
    pub(super) session_affinity: Option<bool>,
}

/// How origins are asked whether they are well.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProbeSpec {
    /// The path that is asked for; `/` when absent.
    pub(super) path: Option<String>,
    /// `GET`, or `HEAD` when absent.
    pub(super) method: Option<ProbeMethod>,
    /// `Http`, or `Https` when absent.
    pub(super) protocol: Option<Protocol>,
    /// How often each place of Azure's network asks, in seconds: 1 to 255; 100 when absent.
    pub(super) interval_seconds: Option<i64>,
}

/// The method of a probe.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum ProbeMethod {
    /// With the answer's body.
    #[serde(rename = "GET")]
    Get,
    /// Without.
    #[serde(rename = "HEAD")]
    Head,
}

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    /// In clear text.
    Http,
    /// Encrypted.
    Https,
}

/// How requests are spread.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LoadBalancingSpec {
    /// By how many samples an origin is judged; 4 when absent.
    pub(super) sample_size: Option<i64>,
    /// How many of them have to succeed; 3 when absent.
    pub(super) successful_samples: Option<i64>,
    /// How many milliseconds slower than the fastest an origin may be and still get requests; 50 when absent.
    pub(super) additional_latency_ms: Option<i64>,
}

/// A server behind a Front Door.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OriginSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The key of its group; the only one when absent.
    pub(super) group: Option<String>,
    /// The host that is called, such as `${webApps.shop.hostName}`.
    pub(super) host_name: String,
    /// The host that the request names; `hostName` when absent.
    pub(super) host_header: Option<String>,
    /// The port for HTTP; Azure's default (80) when absent.
    pub(super) http_port: Option<i64>,
    /// The port for HTTPS; Azure's default (443) when absent.
    pub(super) https_port: Option<i64>,
    /// Origins of a lower number are used first: 1 to 5; Azure's default (1) when absent.
    pub(super) priority: Option<i64>,
    /// Its share among those of the same priority: 1 to 1000; Azure's default (500) when absent.
    pub(super) weight: Option<i64>,
    /// Whether it gets requests; Azure's default (`true`) when absent.
    pub(super) enabled: Option<bool>,
    /// Whether its certificate has to be for its host name; Azure's default (`true`) when absent. Private link needs it.
    pub(super) check_certificate: Option<bool>,
    /// Reaches the origin through a private endpoint, in place of public networks.
    pub(super) private_link: Option<PrivateLinkSpec>,
}

/// How an origin is reached through private link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PrivateLinkSpec {
    /// What is connected to: a web app, a storage account, an API Management service, a private link service.
    #[schemars(extend("x-wants" = "origin"))]
    pub(super) target: Reference,
    /// What of the target: `sites`, `blob`, `web`, `Gateway`; the usual one of the target when absent.
    pub(super) group: Option<String>,
    /// The region of the private endpoint, which Front Door must have private link in; the entry's when absent.
    pub(super) location: Option<String>,
    /// What the request says to the target's owner. Leave it out when an entry of `approvals` names this origin: berth
    /// then writes a random text, which only this origin's request carries.
    pub(super) message: Option<String>,
}

/// Which requests go to which origin group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RouteSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The key of the endpoint; the only one when absent.
    pub(super) endpoint: Option<String>,
    /// The key of the origin group; the only one when absent.
    pub(super) origin_group: Option<String>,
    /// The paths of the requests; `/*` when absent.
    #[serde(default)]
    pub(super) patterns: Vec<String>,
    /// The protocols of the requests; both when absent.
    #[serde(default)]
    pub(super) protocols: Vec<Protocol>,
    /// How origins are called; `HttpsOnly` for a new route when absent.
    pub(super) forwarding: Option<Forwarding>,
    /// Whether requests without encryption are sent on to HTTPS; Azure's default (`true`) when absent.
    pub(super) https_redirect: Option<bool>,
    /// Whether the endpoint's own host name takes it; `true` when absent.
    pub(super) default_domain: Option<bool>,
    /// Keys of `customDomains` that take it too.
    #[serde(default)]
    pub(super) custom_domains: Vec<String>,
    /// Keys of `ruleSets`, in the order in which they are applied.
    #[serde(default)]
    pub(super) rule_sets: Vec<String>,
    /// The path at the origin that takes the place of what the pattern matches.
    pub(super) origin_path: Option<String>,
    /// Keeps answers at the edge; not at all when absent.
    pub(super) cache: Option<CacheSpec>,
    /// Whether it is on; Azure's default (`true`) when absent.
    pub(super) enabled: Option<bool>,
}

/// How origins are called.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Forwarding {
    /// In clear text.
    HttpOnly,
    /// Encrypted.
    HttpsOnly,
    /// As the request came.
    MatchRequest,
}

/// How answers are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CacheSpec {
    /// What of the query tells answers apart; `UseQueryString` when absent.
    #[serde(default)]
    pub(super) query: QueryCaching,
    /// The parameters that `query` is about.
    #[serde(default)]
    pub(super) parameters: Vec<String>,
    /// The types of content that are compressed; nothing is when absent.
    #[serde(default)]
    pub(super) compress: Vec<String>,
}

/// What of a query tells answers apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum QueryCaching {
    /// All of it.
    #[default]
    UseQueryString,
    /// Nothing.
    IgnoreQueryString,
    /// All but `parameters`.
    IgnoreSpecifiedQueryStrings,
    /// Only `parameters`.
    IncludeSpecifiedQueryStrings,
}

/// A set of rules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSetSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The rules.
    #[serde(default)]
    pub(super) rules: Named<RuleSpec>,
}

/// A rule: what is done when every condition holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Rules are applied by this number, the lowest first.
    pub(super) order: i64,
    /// The conditions, as Azure writes them: `name` and `parameters`; `typeName` is added. Always when absent.
    #[serde(default)]
    pub(super) conditions: Vec<Map<String, Value>>,
    /// What is done, as Azure writes it: `name` and `parameters`; `typeName` is added.
    pub(super) actions: Vec<Map<String, Value>>,
    /// Whether no further rule is applied after this one; Azure's default (`false`) when absent.
    pub(super) stop: Option<bool>,
}

/// A host name of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DomainSpec {
    /// The Azure name; the host name with `-` for `.` when absent.
    name: Option<String>,
    /// The host name, such as `www.example.com`. Never changes.
    pub(super) host_name: String,
    /// The key of the certificate; Azure makes and renews one when absent.
    pub(super) certificate: Option<String>,
    /// The oldest version of TLS that is accepted: `TLS12` or `TLS13`; `TLS12` when absent.
    pub(super) min_tls: Option<MinTls>,
    /// A public DNS zone of Azure's that has the name, in which Azure may prove that it is the owner's.
    #[schemars(extend("x-wants" = "DNS zone"))]
    pub(super) dns_zone: Option<Reference>,
}

/// A certificate from a key vault.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CertificateSpec {
    /// The Azure name; the key when absent.
    pub(super) name: Option<String>,
    /// The key vault.
    #[schemars(extend("x-wants" = "key vault"))]
    pub(super) vault: Reference,
    /// The name of the certificate there.
    pub(super) certificate: String,
    /// Exactly this version; always the newest when absent.
    pub(super) version: Option<String>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub enum MinTls {
    /// 1.2.
    #[default]
    TLS12,
    /// 1.3.
    TLS13,
}

/// Which policy of the firewall guards which names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SecuritySpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The policy.
    #[schemars(extend("x-wants" = "Front Door WAF policy"))]
    pub(super) policy: Reference,
    /// Keys of `endpoints` that it guards.
    #[serde(default)]
    pub(super) endpoints: Vec<String>,
    /// Keys of `customDomains` that it guards.
    #[serde(default)]
    pub(super) custom_domains: Vec<String>,
}

impl Spec {
    /// The key of the origin group that is meant.
    pub(super) fn group_of<'a>(&'a self, said: Option<&'a str>) -> &'a str {
        said.or_else(|| self.origin_groups.keys().next().map(String::as_str)).unwrap_or_default()
    }

    /// The key of the endpoint that is meant.
    pub(super) fn endpoint_of<'a>(&'a self, said: Option<&'a str>) -> &'a str {
        said.or_else(|| self.endpoints.keys().next().map(String::as_str)).unwrap_or_default()
    }
}
