//! DNS on each node: `localDNSProfile` of a pool.

use super::node_pool::{Os, PoolSpec};
use super::words::words;
use crate::catalog::{EntryCx, Named, Problem, model};
use crate::diag::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A DNS server on each node, which answers pods and the kubelet and keeps what it was told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LocalDnsSpec {
    /// `Required` has it on every node, `Preferred` where the Kubernetes version allows it, `Disabled` has none.
    pub(super) mode: LocalDnsMode,
    /// How names of a zone are asked for by pods with `dnsPolicy: Default` and by the kubelet; `.` is every other zone
    /// (`vnetDNSOverrides`).
    #[serde(default)]
    pub(super) vnet: Named<DnsZoneSpec>,
    /// The same by pods with `dnsPolicy: ClusterFirst` (`kubeDNSOverrides`).
    #[serde(default)]
    pub(super) kube: Named<DnsZoneSpec>,
}

/// How names of a zone are asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DnsZoneSpec {
    /// Which questions are logged: `Error` or `Log`.
    query_logging: Option<QueryLogging>,
    /// `PreferUDP` or `ForceTCP`.
    protocol: Option<DnsProtocol>,
    /// Who is asked: `ClusterCoreDNS` or `VnetDNS`.
    forward_destination: Option<DnsDestination>,
    /// In which order servers are asked: `Sequential`, `RoundRobin` or `Random`.
    forward_policy: Option<DnsForwardPolicy>,
    /// How many questions are under way at most; 1000 when absent.
    max_concurrent: Option<i64>,
    /// How long an answer is kept, in seconds; 3600 when absent.
    cache_duration_in_seconds: Option<i64>,
    /// How long an old answer is still given, in seconds; 3600 when absent.
    serve_stale_duration_in_seconds: Option<i64>,
    /// When an old answer is given: `Verify`, `Immediate` or `Disable`.
    serve_stale: Option<ServeStale>,
}

words! {
    /// Where the server runs.
    LocalDnsMode { "Preferred" => Preferred, "Required" => Required, "Disabled" => Disabled, }
    /// Which questions are logged.
    QueryLogging { "Error" => Error, "Log" => Log, }
    /// How servers are asked.
    DnsProtocol { "PreferUDP" => PreferUdp, "ForceTCP" => ForceTcp, }
    /// Who is asked.
    DnsDestination { "ClusterCoreDNS" => ClusterCoreDns, "VnetDNS" => VnetDns, }
    /// In which order servers are asked.
    DnsForwardPolicy { "Sequential" => Sequential, "RoundRobin" => RoundRobin, "Random" => Random, }
    /// When an old answer is given.
    ServeStale { "Verify" => Verify, "Immediate" => Immediate, "Disable" => Disable, }
}

pub(super) const CODES: &[&Code] = &[&LOCAL_DNS];

const LOCAL_DNS: Code = Code {
    name: "local-dns",
    why: "Names of the cluster are known to its own DNS only, and all others to that of the network; an old answer cannot be verified over TCP.",
    remedy: "Send `cluster.local` to `ClusterCoreDNS`, and `.` under `vnet` to `VnetDNS`.",
    example: "localDns: { mode: Required, vnet: { '.': { forwardDestination: VnetDNS } } }",
};

impl LocalDnsSpec {
    pub(super) fn profile(&self) -> Value {
        let zones = |zones: &Named<DnsZoneSpec>| {
            let all: Map<String, Value> =
                zones.iter().map(|(zone, settings)| (zone.clone(), model(&settings.settings()))).collect();
            (!all.is_empty()).then_some(all)
        };
        model(&json!({
            "mode": self.mode,
            "vnetDNSOverrides": zones(&self.vnet),
            "kubeDNSOverrides": zones(&self.kube),
        }))
    }
}

impl DnsZoneSpec {
    fn settings(&self) -> Value {
        json!({
            "queryLogging": self.query_logging,
            "protocol": self.protocol,
            "forwardDestination": self.forward_destination,
            "forwardPolicy": self.forward_policy,
            "maxConcurrent": self.max_concurrent,
            "cacheDurationInSeconds": self.cache_duration_in_seconds,
            "serveStaleDurationInSeconds": self.serve_stale_duration_in_seconds,
            "serveStale": self.serve_stale,
        })
    }
}

/// Reports what Azure refuses; `path` is that of the pool.
pub(super) fn check(path: &str, pool: &PoolSpec, cx: &mut EntryCx<'_>) {
    let Some(dns) = &pool.local_dns else { return };
    let mut wrong = |field: String, message: &str, help: &str| {
        cx.problem(Problem::error(&LOCAL_DNS, format!("{path}.localDns{field}"), message).help(help));
    };
    if pool.os() == Os::Windows && dns.mode != LocalDnsMode::Disabled {
        wrong(String::new(), "Windows nodes have no DNS server of their own", "leave `localDns` out");
    }
    for (side, zones) in [("vnet", &dns.vnet), ("kube", &dns.kube)] {
        for (zone, settings) in zones {
            let at = |field: &str| format!(".{side}.{zone}.{field}");
            let to = settings.forward_destination;
            if zone.trim_end_matches('.').eq_ignore_ascii_case("cluster.local")
                && to == Some(DnsDestination::VnetDns)
            {
                wrong(
                    at("forwardDestination"),
                    "names of the cluster are not known to the DNS of the network",
                    "write `ClusterCoreDNS`",
                );
            }
            if side == "vnet" && zone == "." && to == Some(DnsDestination::ClusterCoreDns) {
                wrong(
                    at("forwardDestination"),
                    "questions of nodes do not go to the DNS of the cluster",
                    "write `VnetDNS`",
                );
            }
            if settings.protocol == Some(DnsProtocol::ForceTcp)
                && settings.serve_stale == Some(ServeStale::Verify)
            {
                wrong(
                    at("serveStale"),
                    "an old answer is not verified over TCP",
                    "write `Immediate` or `Disable`, or `protocol: PreferUDP`",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::kinds::testing::{codes, expand};
    use serde_json::{Value, json};

    fn pool(dns: Value, os: &str) -> Value {
        json!({
            "windows": { "adminUsername": "azureuser", "adminPassword": crate::catalog::kinds::testing::secret("p") },
            "nodePools": { "system": { "mode": "System", "count": 1 }, "work": { "os": os, "localDns": dns } },
        })
    }

    #[test]
    fn zones_are_sent_by_their_names() {
        let dns = json!({ "mode": "Required", "vnet": { ".": { "forwardDestination": "VnetDNS", "maxConcurrent": 500 } } });
        let (drafts, problems) = expand("clusters", "aks", pool(dns, "Linux"));
        assert_eq!(problems, []);
        let work =
            drafts.iter().find(|draft| draft.address.as_str() == "clusters.aks.nodePools.work").unwrap();
        assert_eq!(
            work.body["properties"]["localDNSProfile"],
            json!({ "mode": "Required", "vnetDNSOverrides": { ".": { "forwardDestination": "VnetDNS", "maxConcurrent": 500 } } })
        );
    }

    #[test]
    fn says_what_cannot_be() {
        for (dns, os) in [
            (
                json!({ "mode": "Required", "kube": { "cluster.local": { "forwardDestination": "VnetDNS" } } }),
                "Linux",
            ),
            (
                json!({ "mode": "Required", "vnet": { ".": { "forwardDestination": "ClusterCoreDNS" } } }),
                "Linux",
            ),
            (
                json!({ "mode": "Required", "vnet": { ".": { "protocol": "ForceTCP", "serveStale": "Verify" } } }),
                "Linux",
            ),
            (json!({ "mode": "Preferred" }), "Windows"),
        ] {
            assert_eq!(codes(expand("clusters", "aks", pool(dns.clone(), os))), ["local-dns"], "{dns}");
        }
    }
}
