//! The network profile of a cluster.

use super::field::as_model;
use super::words::words;
use crate::catalog::{Reference, merge_over, model};
use crate::models::container_service as models;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The cluster's network.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkSpec {
    /// What gives pods their addresses; `azure` in a new cluster when absent. Windows node pools need `azure`.
    pub(super) plugin: Option<Plugin>,
    /// `overlay` gives pods addresses of a range of their own instead of the subnet's. It cannot be taken back.
    pub(super) mode: Option<PluginMode>,
    /// What enforces network policies. When absent Azure chooses: `cilium` with `dataplane: cilium`, else nothing does.
    pub(super) policy: Option<Policy>,
    /// What moves packets between pods; `cilium` cannot be taken back and knows no Windows nodes.
    pub(super) dataplane: Option<Dataplane>,
    /// The range of the pods' addresses, with `mode: overlay` or `plugin: kubenet`; `10.244.0.0/16` when absent.
    pub(super) pod_cidr: Option<String>,
    /// The ranges of the pods' addresses, one of each family, in place of `podCidr`.
    pub(super) pod_cidrs: Option<Vec<String>>,
    /// The range of the services' addresses; `10.0.0.0/16` when absent. It cannot be changed.
    pub(super) service_cidr: Option<String>,
    /// The ranges of the services' addresses, one of each family, in place of `serviceCidr`. They cannot be changed.
    pub(super) service_cidrs: Option<Vec<String>>,
    /// The address of the cluster's DNS service, inside `serviceCidr`; `10.0.0.10` when both are absent.
    pub(super) dns_service_ip: Option<String>,
    /// How the cluster reaches the internet; `loadBalancer` when absent.
    pub(super) outbound_type: Option<OutboundType>,
    /// The load balancer's kind; `standard` when absent. It cannot be changed.
    pub(super) load_balancer_sku: Option<LoadBalancerSku>,
    /// How the load balancer leads out.
    pub(super) load_balancer: Option<LoadBalancerSpec>,
    /// How AKS's own NAT gateway leads out, with `outboundType: managedNATGateway`.
    pub(super) nat_gateway: Option<NatGatewaySpec>,
    /// `[IPv4]`, or both for dual stack. It cannot be changed.
    pub(super) ip_families: Option<Vec<String>>,
    /// Whether chosen pods may lead out by fixed addresses, through node pools with `mode: Gateway`
    /// (`staticEgressGatewayProfile`).
    pub(super) static_egress_gateway: Option<bool>,
    /// Advanced container networking.
    pub(super) advanced: Option<AdvancedSpec>,
}

/// How the load balancer leads out: by managed addresses, by your addresses or by your prefixes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LoadBalancerSpec {
    /// How many addresses AKS makes; 1 when there are no addresses or prefixes of yours.
    pub(super) managed_ips: Option<i32>,
    /// How many IPv6 addresses AKS makes besides, on dual stack (`countIPv6`).
    pub(super) managed_ipv6s: Option<i32>,
    /// Whether there may be several load balancers (`enableMultipleStandardLoadBalancers`).
    pub(super) multiple: Option<bool>,
    /// Public addresses of yours.
    #[schemars(extend("x-wants" = "public address"))]
    pub(super) ips: Option<Vec<Reference>>,
    /// Public address prefixes of yours.
    #[schemars(extend("x-wants" = "public address prefix"))]
    pub(super) ip_prefixes: Option<Vec<Reference>>,
    /// Ports for each node; 0 lets Azure choose.
    pub(super) allocated_ports: Option<i32>,
    /// How long an idle flow is kept, in minutes (4 to 120); 30 when absent.
    pub(super) idle_timeout_minutes: Option<i32>,
    /// What the load balancer sends to.
    pub(super) backend_pool: Option<BackendPool>,
}

/// How AKS's own NAT gateway leads out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NatGatewaySpec {
    /// How many addresses AKS makes (1 to 16); 1 when absent.
    pub(super) managed_ips: Option<i32>,
    /// How long an idle flow is kept, in minutes (4 to 120); 4 when absent.
    pub(super) idle_timeout_minutes: Option<i32>,
}

/// Advanced container networking.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AdvancedSpec {
    /// Whether flows are observed.
    pub(super) observability: Option<bool>,
    /// Whether policies know names and protocols; needs `dataplane: cilium`.
    pub(super) security: Option<bool>,
    /// What policies know besides addresses: `L7`, `FQDN` or `None`; needs `security` (`advancedNetworkPolicies`).
    pub(super) policies: Option<AdvancedPolicies>,
    /// Whether traffic between nodes is encrypted: `WireGuard` or `None`; needs `security` (`transitEncryption`).
    pub(super) encryption: Option<Encryption>,
    /// How packets are sped up: `BpfVeth` or `None`; needs `dataplane: cilium` (`accelerationMode`).
    pub(super) acceleration: Option<Acceleration>,
}

words! {
    /// What gives pods their addresses.
    PluginMode { "overlay" => Overlay, }
    /// What enforces network policies.
    Policy { "none" => None, "azure" => Azure, "calico" => Calico, "cilium" => Cilium, }
    /// What moves packets between pods.
    Dataplane { "azure" => Azure, "cilium" => Cilium, }
    /// How a cluster reaches the internet.
    OutboundType {
        "loadBalancer" => LoadBalancer,
        "userDefinedRouting" => UserDefinedRouting,
        "managedNATGateway" => ManagedNatGateway,
        "userAssignedNATGateway" => UserAssignedNatGateway,
        "none" => None,
        "block" => Block,
    }
    /// Kinds of load balancers.
    LoadBalancerSku { "standard" => Standard, "basic" => Basic, }
    /// What policies know besides addresses.
    AdvancedPolicies { "L7" => L7, "FQDN" => Fqdn, "None" => None, }
    /// Encryption between nodes.
    Encryption { "WireGuard" => WireGuard, "None" => None, }
    /// How packets are sped up.
    Acceleration { "BpfVeth" => BpfVeth, "None" => None, }
    /// What a load balancer sends to.
    BackendPool { "NodeIPConfiguration" => IpConfiguration, "NodeIP" => Ip, }
}

/// What gives pods their addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Plugin {
    /// Azure CNI.
    #[default]
    Azure,
    /// A range behind each node; on its way out.
    Kubenet,
    /// A plugin of yours.
    None,
}

impl NetworkSpec {
    /// What gives pods of a new cluster their addresses.
    pub(super) fn plugin(&self) -> Plugin {
        self.plugin.unwrap_or_default()
    }

    /// What enforces network policies, where the blueprint says it or Azure has but one answer: Cilium moves the packets
    /// and enforces policies itself.
    fn policy(&self) -> Option<Policy> {
        let cilium = self.dataplane == Some(Dataplane::Cilium);
        self.policy.or(cilium.then_some(Policy::Cilium))
    }

    /// Whether the blueprint says what gives pods their addresses: some parts are of one plugin only.
    pub(super) fn says_plugin(&self) -> bool {
        self.plugin.is_some() || self.mode.is_some() || self.dataplane == Some(Dataplane::Cilium)
    }

    /// The `networkProfile` of a request.
    pub(super) fn profile(&self) -> Value {
        let profile = models::ContainerServiceNetworkProfile {
            network_plugin: as_model(&self.plugin()),
            network_plugin_mode: as_model(&self.mode),
            network_policy: as_model(&self.policy()),
            pod_cidr: self.pod_cidr.clone(),
            service_cidr: self.service_cidr.clone(),
            dns_service_ip: self.dns_service_ip.clone(),
            outbound_type: as_model(&self.outbound_type),
            load_balancer_sku: as_model(&self.load_balancer_sku),
            nat_gateway_profile: self.nat_gateway.as_ref().and_then(|nat| {
                as_model(&json!({
                    "managedOutboundIPProfile": nat.managed_ips.map(|count| json!({ "count": count })),
                    "idleTimeoutInMinutes": nat.idle_timeout_minutes,
                }))
            }),
            ip_families: self.ip_families.clone().unwrap_or_default(),
            ..Default::default()
        };
        let mut profile = model(&profile);
        if let Some(dataplane) = self.dataplane {
            profile["networkDataplane"] = json!(dataplane);
        }
        if let Some(balancer) = &self.load_balancer {
            let leads_out = self.outbound_type.is_none_or(|way| way == OutboundType::LoadBalancer);
            profile["loadBalancerProfile"] = balancer.profile(leads_out);
        }
        let newer = json!({
            "advancedNetworking": self.advanced.as_ref().map(AdvancedSpec::profile),
            "podCidrs": self.pod_cidrs,
            "serviceCidrs": self.service_cidrs,
            "staticEgressGatewayProfile": self.static_egress_gateway.map(|enabled| json!({ "enabled": enabled })),
        });
        merge_over(&mut profile, &model(&newer));
        profile
    }
}

impl AdvancedSpec {
    fn profile(&self) -> Value {
        let on = |part: Option<bool>| part.map(|enabled| json!({ "enabled": enabled }));
        let secured = self.security.is_some() || self.policies.is_some() || self.encryption.is_some();
        let fast = self.acceleration.is_some_and(|mode| mode != Acceleration::None);
        json!({
            "enabled": self.observability == Some(true) || self.security == Some(true) || fast,
            "observability": on(self.observability),
            "security": secured.then(|| {
                json!({
                    "enabled": self.security,
                    "advancedNetworkPolicies": self.policies,
                    "transitEncryption": self.encryption.map(|kind| json!({ "type": kind })),
                })
            }),
            "performance": self.acceleration.map(|mode| json!({ "accelerationMode": mode })),
        })
    }
}

impl LoadBalancerSpec {
    /// Where the load balancer leads out, exactly one source of addresses is always said: what it has otherwise would stay
    /// beside it.
    fn profile(&self, leads_out: bool) -> Value {
        let ids = |references: &[Reference]| -> Vec<Value> {
            references.iter().map(|reference| json!({ "id": reference.id() })).collect()
        };
        let (ips, prefixes) = (self.ips.as_deref(), self.ip_prefixes.as_deref());
        let none = leads_out && ips.is_none() && prefixes.is_none();
        let managed = self.managed_ips.or(none.then_some(1));
        model(&json!({
            "managedOutboundIPs": managed.map(|count| json!({ "count": count, "countIPv6": self.managed_ipv6s })),
            "enableMultipleStandardLoadBalancers": self.multiple,
            "outboundIPs": ips.map(|ips| json!({ "publicIPs": ids(ips) })),
            "outboundIPPrefixes": prefixes.map(|prefixes| json!({ "publicIPPrefixes": ids(prefixes) })),
            "allocatedOutboundPorts": self.allocated_ports,
            "idleTimeoutInMinutes": self.idle_timeout_minutes,
            "backendPoolType": self.backend_pool,
        }))
    }
}
