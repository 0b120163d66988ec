//! What Azure retires, and when: the rows of a calendar, and the bodies that show them.
//!
//! The dates are those that Azure announced by November 2026. A row says what shows it in the body of a resource, so that
//! whatever writes it is found: a field, `properties:`, an entry of `resources`.

use serde_json::Value;

/// Something that Azure retires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retirement {
    /// What it is: `Kubernetes 1.33`.
    pub what: &'static str,
    /// The day, as `2026-07-31`.
    pub on: &'static str,
    /// What happens then: `community support ends`.
    pub then: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Where Azure says so.
    pub source: &'static str,
    shows: Shows,
}

/// What shows a row in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// A minor version of Kubernetes 1, or one before it.
    Minor(u32),
    /// One of these texts at one of the places, of a resource of this type (any, if empty).
    Text { arm_type: &'static str, at: &'static [&'static str], is: &'static [&'static str] },
    /// A truth value.
    On { arm_type: &'static str, at: &'static str },
    /// A tag of a node pool or a cluster.
    Tag(&'static str),
    /// Network policies of Azure beside Windows nodes.
    WindowsPolicies,
    /// An API version of a type, or one before it, in an entry of `resources`.
    Version { namespace: &'static str, before: &'static str },
}

/// A row that a resource shows, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retiring {
    /// The row.
    pub row: &'static Retirement,
    /// The day for this resource: long-term support is a year more.
    pub on: String,
    /// The field of the blueprint that writes it, from the entry or part; empty when that is not known.
    pub field: &'static str,
}

const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";
const VERSIONS: &str = "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions";
const TRACKER: &str = "https://github.com/Azure/AKS/blob/master/CHANGELOG.md";
const WINDOWS: &str = "https://learn.microsoft.com/azure/aks/upgrade-windows-os";
const IMAGES: &str = "https://learn.microsoft.com/azure/aks/node-images";
const NETWORK: &str = "https://learn.microsoft.com/azure/aks/use-network-policies";
const UPDATES: &str = "https://azure.microsoft.com/updates";

const fn version(minor: u32, what: &'static str, on: &'static str) -> Retirement {
    Retirement {
        what,
        on,
        then: "community support ends",
        remedy: "upgrade one minor version at a time, or keep it a year longer with `sku: { tier: Premium }` and `supportPlan: AKSLongTermSupport`",
        source: VERSIONS,
        shows: Shows::Minor(minor),
    }
}

const fn sku(
    what: &'static str,
    name: &'static [&'static str],
    on: &'static str,
    then: &'static str,
    remedy: &'static str,
    source: &'static str,
) -> Retirement {
    Retirement {
        what,
        on,
        then,
        remedy,
        source,
        shows: Shows::Text { arm_type: "", at: &["/properties/osSKU"], is: name },
    }
}

/// The rows.
const CALENDAR: &[Retirement] = &[
    version(31, "Kubernetes 1.31 and older", "2025-11-30"),
    version(32, "Kubernetes 1.32", "2026-03-31"),
    version(33, "Kubernetes 1.33", "2026-07-31"),
    version(34, "Kubernetes 1.34", "2026-11-30"),
    version(35, "Kubernetes 1.35", "2027-03-31"),
    version(36, "Kubernetes 1.36", "2027-06-30"),
    version(37, "Kubernetes 1.37", "2027-10-31"),
    sku(
        "Windows Server 2019",
        &["Windows2019"],
        "2026-03-01",
        "support ends; its images are removed on 2027-04-01",
        "make a pool with `osSku: Windows2022` or later and move the work there",
        WINDOWS,
    ),
    sku(
        "Windows Server 2022",
        &["Windows2022"],
        "2028-06-30",
        "support ends, and it does not work with Kubernetes 1.37; its images are removed on 2029-06-30",
        "make a pool with `osSku: Windows2025` and move the work there",
        WINDOWS,
    ),
    sku(
        "the annual channel of Windows Server",
        &["WindowsAnnual"],
        "2026-05-15",
        "no new pools are made; its images are removed on 2027-05-15",
        "make a pool with `osSku: Windows2022` or later",
        WINDOWS,
    ),
    sku(
        "Flatcar Container Linux",
        &["Flatcar"],
        "2026-06-08",
        "no new pools are made; its images are removed on 2026-09-08",
        "make a pool with `osSku: AzureLinux` or `Ubuntu`",
        IMAGES,
    ),
    sku(
        "Ubuntu 22.04",
        &["Ubuntu2204"],
        "2027-06-30",
        "support ends; its images are removed on 2028-04-30",
        "write `osSku: Ubuntu2404`, or `Ubuntu` for the newest",
        IMAGES,
    ),
    Retirement {
        what: "the network plugin kubenet",
        on: "2028-03-31",
        then: "it is removed",
        remedy: "move to `network: { plugin: azure, mode: overlay }`",
        source: "https://learn.microsoft.com/azure/aks/upgrade-azure-cni",
        shows: Shows::Text {
            arm_type: CLUSTER,
            at: &["/properties/networkProfile/networkPlugin"],
            is: &["kubenet"],
        },
    },
    Retirement {
        what: "Azure's network policy manager on Windows nodes",
        on: "2026-09-30",
        then: "support ends",
        remedy: "write `network: { policy: calico }`, or `none`, for clusters with Windows nodes",
        source: NETWORK,
        shows: Shows::WindowsPolicies,
    },
    Retirement {
        what: "Azure's network policy manager on Linux nodes",
        on: "2028-09-30",
        then: "support ends",
        remedy: "move to Cilium: `network: { dataplane: cilium }`",
        source: NETWORK,
        shows: Shows::Text {
            arm_type: CLUSTER,
            at: &["/properties/networkProfile/networkPolicy"],
            is: &["azure"],
        },
    },
    Retirement {
        what: "the Basic load balancer",
        on: "2025-09-30",
        then: "it is retired, and no new ones are made",
        remedy: "write `network: { loadBalancer: { sku: Standard } }`",
        source: UPDATES,
        shows: Shows::Text {
            arm_type: CLUSTER,
            at: &["/properties/networkProfile/loadBalancerSku"],
            is: &["basic"],
        },
    },
    Retirement {
        what: "availability sets as node pools",
        on: "2025-09-30",
        then: "they are retired, and no new ones are made",
        remedy: "use scale sets, the default",
        source: TRACKER,
        shows: Shows::Text { arm_type: POOL, at: &["/properties/type"], is: &["AvailabilitySet"] },
    },
    Retirement {
        what: "the Basic public IP address",
        on: "2025-09-30",
        then: "it is retired",
        remedy: "write `sku: Standard`",
        source: UPDATES,
        shows: Shows::Text {
            arm_type: "Microsoft.Network/publicIPAddresses",
            at: &["/sku/name"],
            is: &["Basic"],
        },
    },
    Retirement {
        what: "the Open Service Mesh add-on",
        on: "2027-09-30",
        then: "it is retired",
        remedy: "move to the Istio add-on: `serviceMesh:`",
        source: TRACKER,
        shows: Shows::On { arm_type: CLUSTER, at: "/properties/addonProfiles/openServiceMesh/enabled" },
    },
    Retirement {
        what: "NGINX of application routing",
        on: "2026-11-30",
        then: "support ends",
        remedy: "move to the Gateway API: `gatewayApi:`",
        source: TRACKER,
        shows: Shows::On { arm_type: CLUSTER, at: "/properties/ingressProfile/webAppRouting/enabled" },
    },
    Retirement {
        what: "the pod identity add-on",
        on: "2025-09-30",
        then: "support ends",
        remedy: "move to workload identity: `workloadIdentity: true` and `federatedCredentials` of identities",
        source: "https://learn.microsoft.com/azure/aks/use-azure-ad-pod-identity",
        shows: Shows::On { arm_type: CLUSTER, at: "/properties/podIdentityProfile/enabled" },
    },
    Retirement {
        what: "custom certificate authorities by `enableCustomCATrust`",
        on: "2026-09-14",
        then: "the field is removed",
        remedy: "write `trustedCertificates:` of the cluster",
        source: TRACKER,
        shows: Shows::On { arm_type: POOL, at: "/properties/enableCustomCATrust" },
    },
    Retirement {
        what: "the tag aks-disable-kubelet-serving-certificate-rotation",
        on: "2027-04-01",
        then: "it does nothing",
        remedy: "remove the tag",
        source: TRACKER,
        shows: Shows::Tag("aks-disable-kubelet-serving-certificate-rotation"),
    },
    Retirement {
        what: "the tag SkipGpuDriverInstall",
        on: "2025-08-14",
        then: "it does nothing",
        remedy: "write `gpuDriver: None` of the pool",
        source: TRACKER,
        shows: Shows::Tag("SkipGpuDriverInstall"),
    },
    Retirement {
        what: "the Istio revision asm-1-27",
        on: "2026-05-31",
        then: "it is deprecated",
        remedy: "move to a newer revision: `az aks mesh get-revisions --location …` lists them",
        source: TRACKER,
        shows: Shows::Text {
            arm_type: CLUSTER,
            at: &[
                "/properties/serviceMeshProfile/istio/revisions/0",
                "/properties/serviceMeshProfile/istio/revisions/1",
            ],
            is: &[
                "asm-1-20", "asm-1-21", "asm-1-22", "asm-1-23", "asm-1-24", "asm-1-25", "asm-1-26",
                "asm-1-27",
            ],
        },
    },
    Retirement {
        what: "Application Gateway v1",
        on: "2026-04-28",
        then: "it is retired",
        remedy: "move to `Standard_v2` or `WAF_v2`",
        source: UPDATES,
        shows: Shows::Text {
            arm_type: "Microsoft.Network/applicationGateways",
            at: &["/properties/sku/tier"],
            is: &["Standard", "WAF"],
        },
    },
    Retirement {
        what: "Azure Cache for Redis",
        on: "2028-09-30",
        then: "it is retired",
        remedy: "move to Azure Managed Redis (`Microsoft.Cache/redisEnterprise`)",
        source: UPDATES,
        shows: Shows::Text {
            arm_type: "Microsoft.Cache/redis",
            at: &["/properties/sku/name"],
            is: &["Basic", "Standard", "Premium"],
        },
    },
    Retirement {
        what: "API versions of Key Vault before 2026-02-01",
        on: "2027-02-27",
        then: "they are removed",
        remedy: "write `apiVersion: \"2026-02-01\"`",
        source: "https://learn.microsoft.com/azure/key-vault/general/whats-new",
        shows: Shows::Version { namespace: "Microsoft.KeyVault", before: "2026-02-01" },
    },
];

/// Where fields of the blueprint write what a pointer leads to.
const FIELDS: &[(&str, &str)] = &[
    ("/properties/kubernetesVersion", "kubernetesVersion"),
    ("/properties/orchestratorVersion", "kubernetesVersion"),
    ("/properties/osSKU", "osSku"),
    ("/properties/networkProfile/networkPlugin", "network.plugin"),
    ("/properties/networkProfile/networkPolicy", "network.policy"),
    ("/properties/networkProfile/loadBalancerSku", "network.loadBalancer"),
    ("/properties/addonProfiles/openServiceMesh/enabled", "addons.openServiceMesh"),
    ("/properties/ingressProfile/webAppRouting/enabled", "addons.webAppRouting"),
    ("/properties/podIdentityProfile/enabled", "addons.podIdentity"),
    ("/properties/serviceMeshProfile/istio/revisions/0", "serviceMesh"),
    ("/properties/serviceMeshProfile/istio/revisions/1", "serviceMesh"),
    ("/sku/name", "sku"),
    ("/tags", "tags"),
    ("/properties/tags", "tags"),
];

/// The rows that a resource shows. `parent` is the body of what it is a part of, `written` the API version that an entry
/// of `resources` names.
pub fn retiring(
    arm_type: &str,
    body: &Value,
    parent: Option<&Value>,
    written: Option<&str>,
) -> Vec<Retiring> {
    let found = CALENDAR.iter().filter_map(|row| {
        let pointer = row.shows.at(arm_type, body, written)?;
        let field = FIELDS.iter().find(|(at, _)| *at == pointer).map_or("", |(_, field)| field);
        // A year longer, when that is paid for.
        let long = |body: &Value| {
            body.pointer("/properties/supportPlan")
                .and_then(Value::as_str)
                .is_some_and(|plan| plan.eq_ignore_ascii_case("AKSLongTermSupport"))
        };
        let year = matches!(row.shows, Shows::Minor(_)) && (long(body) || parent.is_some_and(long));
        let on = match row.on.split_at(4) {
            (start, rest) if year => format!("{}{rest}", start.parse::<u32>().unwrap_or_default() + 1),
            _ => row.on.to_owned(),
        };
        Some(Retiring { row, on, field })
    });
    found.collect()
}

impl Shows {
    fn at(self, arm_type: &str, body: &Value, written: Option<&str>) -> Option<&'static str> {
        let is = |wanted: &str| wanted.is_empty() || wanted.eq_ignore_ascii_case(arm_type);
        let text = |at: &str| body.pointer(at).and_then(Value::as_str);
        match self {
            Shows::Minor(minor) => {
                let at = match arm_type {
                    kind if kind.eq_ignore_ascii_case(CLUSTER) => "/properties/kubernetesVersion",
                    kind if kind.eq_ignore_ascii_case(POOL) => "/properties/orchestratorVersion",
                    _ => return None,
                };
                let mut parts = text(at)?.split('.').map(|part| part.parse::<u32>().ok());
                let (major, found) = (parts.next()??, parts.next()??);
                (major == 1 && (found == minor || minor == OLDEST && found < minor)).then_some(at)
            }
            Shows::Text { arm_type, at, is: values } if is(arm_type) => {
                let shown = |at: &&&str| {
                    text(at).is_some_and(|text| values.iter().any(|value| value.eq_ignore_ascii_case(text)))
                };
                at.iter().find(shown).copied()
            }
            Shows::On { arm_type, at } if is(arm_type) => (body.pointer(at)? == true).then_some(at),
            Shows::Tag(name) if arm_type.starts_with("Microsoft.ContainerService/") => {
                ["/tags", "/properties/tags"].into_iter().find(|at| {
                    let tags = body.pointer(at).and_then(Value::as_object);
                    tags.is_some_and(|tags| tags.keys().any(|tag| tag.eq_ignore_ascii_case(name)))
                })
            }
            Shows::WindowsPolicies if is(CLUSTER) => {
                let pools = body.pointer("/properties/agentPoolProfiles").and_then(Value::as_array);
                let windows =
                    pools.into_iter().flatten().any(|pool| pool["osType"].as_str() == Some("Windows"));
                let at = "/properties/networkProfile/networkPolicy";
                (windows && text(at).is_some_and(|policy| policy.eq_ignore_ascii_case("azure"))).then_some(at)
            }
            Shows::Version { namespace, before } => {
                let own = arm_type.split('/').next().unwrap_or_default();
                (own.eq_ignore_ascii_case(namespace) && written? < before).then_some("")
            }
            _ => None,
        }
    }
}

/// The oldest row of Kubernetes stands for all before it.
const OLDEST: u32 = 31;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn what(arm_type: &str, body: &Value, parent: Option<&Value>) -> Vec<(String, &'static str)> {
        retiring(arm_type, body, parent, None).into_iter().map(|found| (found.on, found.field)).collect()
    }

    #[test]
    fn every_row_has_a_day_a_remedy_and_a_source() {
        for row in CALENDAR {
            let digits = row.on.bytes().filter(u8::is_ascii_digit).count();
            assert!(row.on.len() == 10 && digits == 8, "{row:?}");
            assert!(
                row.source.starts_with("https://") && !row.remedy.is_empty() && !row.then.is_empty(),
                "{row:?}"
            );
        }
    }

    #[test]
    fn versions_are_known_in_clusters_and_pools_and_live_longer_when_that_is_paid_for() {
        let cluster = |version: &str, plan: &str| json!({ "properties": { "kubernetesVersion": version, "supportPlan": plan } });
        let pool = json!({ "properties": { "orchestratorVersion": "1.33.5" } });
        assert_eq!(
            what(CLUSTER, &cluster("1.33", "KubernetesOfficial"), None),
            [("2026-07-31".to_owned(), "kubernetesVersion")]
        );
        assert_eq!(
            what(CLUSTER, &cluster("1.28.1", ""), None),
            [("2025-11-30".to_owned(), "kubernetesVersion")]
        );
        assert_eq!(
            what(CLUSTER, &cluster("1.33", "AKSLongTermSupport"), None),
            [("2027-07-31".to_owned(), "kubernetesVersion")]
        );
        assert_eq!(
            what(POOL, &pool, Some(&cluster("1.33", "AKSLongTermSupport"))),
            [("2027-07-31".to_owned(), "kubernetesVersion")]
        );
        assert_eq!(
            what(POOL, &pool, Some(&cluster("1.33", ""))),
            [("2026-07-31".to_owned(), "kubernetesVersion")]
        );
        assert_eq!(what(CLUSTER, &cluster("1.99", ""), None), []);
        assert_eq!(what("Microsoft.Web/sites", &cluster("1.33", ""), None), []);
    }

    #[test]
    fn what_a_body_shows_is_found_whatever_its_case() {
        let policy = |os: &str| json!({ "properties": { "networkProfile": { "networkPolicy": "Azure" }, "agentPoolProfiles": [{ "osType": os }] } });
        assert_eq!(
            what(CLUSTER, &policy("Windows"), None),
            [("2026-09-30".to_owned(), "network.policy"), ("2028-09-30".to_owned(), "network.policy")]
        );
        assert_eq!(what(CLUSTER, &policy("Linux"), None), [("2028-09-30".to_owned(), "network.policy")]);
        let tagged =
            json!({ "properties": { "tags": { "SKIPgpuDriverInstall": "true" }, "osSKU": "windows2019" } });
        assert_eq!(
            what(POOL, &tagged, None),
            [("2026-03-01".to_owned(), "osSku"), ("2025-08-14".to_owned(), "tags")]
        );
        assert_eq!(
            what(CLUSTER, &json!({ "properties": { "podIdentityProfile": { "enabled": false } } }), None),
            []
        );
        let found = retiring("microsoft.keyvault/vaults", &json!({}), None, Some("2023-07-01"));
        assert_eq!(found.iter().map(|one| one.row.on).collect::<Vec<_>>(), ["2027-02-27"]);
        assert_eq!(retiring("Microsoft.KeyVault/vaults", &json!({}), None, Some("2026-02-01")), []);
    }
}
