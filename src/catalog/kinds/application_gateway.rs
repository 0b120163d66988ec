//! Application gateways with a web application firewall: `Microsoft.Network/applicationGateways`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/applicationgateways>).
//!
//! A PUT replaces a gateway as a whole. Every list of it is told apart by names, and an update carries what others wrote
//! along: with `ingressController: true` that is everything about traffic, of which the first request makes the least that
//! Azure takes, and which is the controller's from then on.

use super::naming::{NETWORK, NameRule};
use super::parts::{identity, known_part, members, within};
use crate::catalog::{Draft, EntryCx, EntryKind, Facet, Lane, Merged, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::Rule;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// An application gateway.
pub struct ApplicationGateway;

/// An application gateway (WAF_v2).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The gateway's own subnet: nothing else is in it. Never changes.
    #[schemars(extend("x-wants" = "subnet"))]
    subnet: Reference,
    /// The public address at which it answers; a Standard one.
    #[schemars(extend("x-wants" = "public address"))]
    public_ip: Option<Reference>,
    /// A private address of the subnet at which it answers too.
    private_ip: Option<String>,
    /// The policy of its firewall: one with `for: applicationGateway`.
    #[schemars(extend("x-wants" = "WAF policy"))]
    waf_policy: Reference,
    /// How many instances there are; it scales by itself between `autoscale` when absent.
    capacity: Option<i64>,
    /// Between how many instances it scales; 1 to 10 when neither this nor `capacity` is said.
    autoscale: Option<AutoscaleSpec>,
    /// The availability zones of its instances. Never changes.
    #[serde(default)]
    zones: Vec<String>,
    /// User-assigned identities with which it reads certificates from key vaults.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Whether browsers may speak HTTP/2; Azure's default (`false`) when absent.
    http2: Option<bool>,
    /// The rules of TLS that Azure keeps, such as `AppGwSslPolicy20220101S`; Azure's default when absent.
    tls_policy: Option<String>,
    /// Whether an ingress controller of a cluster writes listeners, rules, backends, probes and certificates. Then none of
    /// them is written here, and what the controller writes is left alone.
    #[serde(default)]
    ingress_controller: bool,
    /// Certificates from key vaults: the ids of their secrets, without a version.
    #[serde(default)]
    certificates: IndexMap<String, String>,
    /// Where it listens.
    #[serde(default)]
    listeners: IndexMap<String, ListenerSpec>,
    /// The servers behind it.
    #[serde(default)]
    backends: IndexMap<String, BackendSpec>,
    /// Which listener leads to which servers.
    #[serde(default)]
    rules: IndexMap<String, RuleSpec>,
}

/// Between how many instances a gateway scales.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AutoscaleSpec {
    /// The least number, 0 to 100.
    min: i64,
    /// The greatest number, 2 to 125.
    max: i64,
}

/// Where a gateway listens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListenerSpec {
    /// The port; 443 for `Https` and 80 for `Http` when absent.
    port: Option<i64>,
    /// `Https`, or `Http` when absent.
    #[serde(default)]
    protocol: Protocol,
    /// The key of the certificate, for `Https`.
    certificate: Option<String>,
    /// The host names that it is for; all when absent.
    #[serde(default)]
    host_names: Vec<String>,
    /// Whether it listens at the private address; at the public one when absent.
    #[serde(default)]
    private: bool,
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
    addresses: Vec<String>,
    /// The port; 443 for `Https` and 80 for `Http` when absent.
    port: Option<i64>,
    /// `Https`, or `Http` when absent.
    #[serde(default)]
    protocol: Protocol,
    /// The host that requests name; that of the address when absent.
    host_name: Option<String>,
    /// How many seconds an answer may take; 30 when absent.
    timeout_seconds: Option<i64>,
    /// The path that answers while a server is well; `/` when absent.
    probe_path: Option<String>,
}

/// Which listener leads to which servers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSpec {
    /// Rules are tried by this number, the lowest first: 1 to 20000.
    priority: i64,
    /// The key of the listener.
    listener: String,
    /// The key of the servers.
    backend: Option<String>,
    /// The key of another listener that requests are sent on to, in place of `backend`.
    redirect_to: Option<String>,
}

const GATEWAYS: &str = "Microsoft.Network/applicationGateways";

/// The gateway.
pub static APPLICATION_GATEWAY: ResourceType = ResourceType {
    lanes: &[
        Lane::Ancestor(GATEWAYS),
        Lane::Of(
            "Microsoft.Network/virtualNetworks",
            "/properties/gatewayIPConfigurations/0/properties/subnet/id",
        ),
    ],
    conditional: true,
    rules: &[
        Rule::at("zones").set().immutable(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.sku").whole(),
        Rule::at("properties.sku.name").fold_case(),
        Rule::at("properties.sku.tier").fold_case(),
        Rule::at("properties.sku.family").read_only(),
        Rule::at("properties.autoscaleConfiguration").whole(),
        Rule::at("properties.firewallPolicy.id").fold_case(),
        Rule::at("properties.enableHttp2").default("false"),
        Rule::at("properties.sslPolicy.policyType").fold_case(),
        Rule::at("properties.sslPolicy.policyName").fold_case(),
        Rule::at("properties.gatewayIPConfigurations").keyed("name"),
        Rule::at("properties.gatewayIPConfigurations[].properties.subnet.id").fold_case().immutable(),
        Rule::at("properties.frontendIPConfigurations").keyed("name"),
        Rule::at("properties.frontendIPConfigurations[].properties.publicIPAddress.id").fold_case(),
        Rule::at("properties.frontendIPConfigurations[].properties.subnet.id").fold_case(),
        Rule::at("properties.frontendIPConfigurations[].properties.privateIPAllocationMethod").fold_case(),
        Rule::at("properties.frontendPorts").keyed("name"),
        Rule::at("properties.sslCertificates").keyed("name"),
        Rule::at("properties.httpListeners").keyed("name"),
        Rule::at("properties.httpListeners[].properties.frontendIPConfiguration.id").fold_case(),
        Rule::at("properties.httpListeners[].properties.frontendPort.id").fold_case(),
        Rule::at("properties.httpListeners[].properties.sslCertificate.id").fold_case(),
        Rule::at("properties.httpListeners[].properties.protocol").fold_case(),
        Rule::at("properties.httpListeners[].properties.hostNames").set().fold_case().default("[]"),
        Rule::at("properties.backendAddressPools").keyed("name"),
        Rule::at("properties.backendAddressPools[].properties.backendAddresses").set(),
        Rule::at("properties.backendHttpSettingsCollection").keyed("name"),
        Rule::at("properties.backendHttpSettingsCollection[].properties.probe.id").fold_case(),
        Rule::at("properties.backendHttpSettingsCollection[].properties.protocol").fold_case(),
        Rule::at("properties.backendHttpSettingsCollection[].properties.requestTimeout").default("30"),
        Rule::at("properties.probes").keyed("name"),
        Rule::at("properties.probes[].properties.protocol").fold_case(),
        Rule::at("properties.redirectConfigurations").keyed("name"),
        Rule::at("properties.redirectConfigurations[].properties.targetListener.id").fold_case(),
        Rule::at("properties.requestRoutingRules").keyed("name"),
        Rule::at("properties.requestRoutingRules[].properties.httpListener.id").fold_case(),
        Rule::at("properties.requestRoutingRules[].properties.backendAddressPool.id").fold_case(),
        Rule::at("properties.requestRoutingRules[].properties.backendHttpSettings.id").fold_case(),
        Rule::at("properties.requestRoutingRules[].properties.redirectConfiguration.id").fold_case(),
        Rule::at("properties.urlPathMaps").keyed("name"),
        Rule::at("properties.rewriteRuleSets").keyed("name"),
        Rule::at("properties.gatewayIPConfigurations[].type").read_only(),
        Rule::at("properties.gatewayIPConfigurations[].etag").read_only(),
        Rule::at("properties.gatewayIPConfigurations[].properties.provisioningState").read_only(),
        Rule::at("properties.frontendIPConfigurations[].type").read_only(),
        Rule::at("properties.frontendIPConfigurations[].etag").read_only(),
        Rule::at("properties.frontendIPConfigurations[].properties.provisioningState").read_only(),
        Rule::at("properties.frontendPorts[].type").read_only(),
        Rule::at("properties.frontendPorts[].etag").read_only(),
        Rule::at("properties.frontendPorts[].properties.provisioningState").read_only(),
        Rule::at("properties.sslCertificates[].type").read_only(),
        Rule::at("properties.sslCertificates[].etag").read_only(),
        Rule::at("properties.sslCertificates[].properties.provisioningState").read_only(),
        Rule::at("properties.httpListeners[].type").read_only(),
        Rule::at("properties.httpListeners[].etag").read_only(),
        Rule::at("properties.httpListeners[].properties.provisioningState").read_only(),
        Rule::at("properties.backendAddressPools[].type").read_only(),
        Rule::at("properties.backendAddressPools[].etag").read_only(),
        Rule::at("properties.backendAddressPools[].properties.backendIPConfigurations").read_only(),
        Rule::at("properties.backendAddressPools[].properties.provisioningState").read_only(),
        Rule::at("properties.backendHttpSettingsCollection[].type").read_only(),
        Rule::at("properties.backendHttpSettingsCollection[].etag").read_only(),
        Rule::at("properties.backendHttpSettingsCollection[].properties.provisioningState").read_only(),
        Rule::at("properties.probes[].type").read_only(),
        Rule::at("properties.probes[].etag").read_only(),
        Rule::at("properties.probes[].properties.provisioningState").read_only(),
        Rule::at("properties.redirectConfigurations[].type").read_only(),
        Rule::at("properties.redirectConfigurations[].etag").read_only(),
        Rule::at("properties.redirectConfigurations[].properties.provisioningState").read_only(),
        Rule::at("properties.requestRoutingRules[].type").read_only(),
        Rule::at("properties.requestRoutingRules[].etag").read_only(),
        Rule::at("properties.requestRoutingRules[].properties.provisioningState").read_only(),
        Rule::at("properties.urlPathMaps[].type").read_only(),
        Rule::at("properties.urlPathMaps[].etag").read_only(),
        Rule::at("properties.urlPathMaps[].properties.provisioningState").read_only(),
        Rule::at("properties.rewriteRuleSets[].type").read_only(),
        Rule::at("properties.rewriteRuleSets[].etag").read_only(),
        Rule::at("properties.rewriteRuleSets[].properties.provisioningState").read_only(),
        Rule::at("properties.operationalState").read_only(),
        Rule::at("properties.authenticationCertificates[].type").read_only(),
        Rule::at("properties.backendSettingsCollection[].type").read_only(),
        Rule::at("properties.listeners[].type").read_only(),
        Rule::at("properties.loadDistributionPolicies[].type").read_only(),
        Rule::at("properties.privateLinkConfigurations[].type").read_only(),
        Rule::at("properties.routingRules[].type").read_only(),
        Rule::at("properties.sslProfiles[].type").read_only(),
        Rule::at("properties.trustedClientCertificates[].type").read_only(),
        Rule::at("properties.trustedRootCertificates[].type").read_only(),
        Rule::at("properties.loadDistributionPolicies[].properties.loadDistributionTargets[].type")
            .read_only(),
        Rule::at("properties.privateLinkConfigurations[].properties.ipConfigurations[].type").read_only(),
        Rule::at("properties.urlPathMaps[].properties.pathRules[].type").read_only(),
        Rule::at("properties.sslCertificates[].properties.publicCertData").read_only(),
        Rule::at("properties.trustedClientCertificates[].properties.clientCertIssuerDN").read_only(),
        Rule::at("properties.trustedClientCertificates[].properties.validatedCertData").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
        Rule::at("properties.defaultPredefinedSslPolicy").read_only(),
    ],
    facets: &[Facet::new("operationalState", "/properties/operationalState", "whether it runs")],
    expected: Duration::from_secs(420),
    expected_update: Duration::from_secs(120),
    expected_delete: Duration::from_secs(300),
    ..ResourceType::new(GATEWAYS, "2025-05-01", "application gateway")
};

const CODES: &[&Code] =
    &[&APPLICATION_GATEWAY_NAME, &APPLICATION_GATEWAY_TRAFFIC, &APPLICATION_GATEWAY_SCALE];

const APPLICATION_GATEWAY_NAME: Code = Code {
    name: "application-gateway-name",
    why: "The name cannot be that of an application gateway or of the part of one.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "name: agw-shop",
};

const NAME: NameRule =
    NameRule { code: &APPLICATION_GATEWAY_NAME, what: "an application gateway", ..NETWORK };

const APPLICATION_GATEWAY_TRAFFIC: Code = Code {
    name: "application-gateway-traffic",
    why: "A gateway listens somewhere and leads somewhere, by rules of different priorities; or an ingress controller says all that.",
    remedy: "Write `listeners`, `backends` and `rules`, or `ingressController: true`.",
    example: "rules: { web: { priority: 100, listener: web, backend: shop } }",
};

const APPLICATION_GATEWAY_SCALE: Code = Code {
    name: "application-gateway-scale",
    why: "A gateway has a fixed number of instances, or scales between two numbers.",
    remedy: "Write one of `capacity` and `autoscale`.",
    example: "autoscale: { min: 2, max: 10 }",
};

impl EntryKind for ApplicationGateway {
    const SECTION: &'static str = "applicationGateways";
    const TITLE: &'static str = "application gateway";
    const ARM_TYPE: &'static str = GATEWAYS;
    const ABOUT: &'static str = "An application gateway with a web application firewall. With `ingressController: true` an \
        ingress controller of a cluster writes what it does with traffic, and that is left alone.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      gateway: { prefix: 10.20.40.0/24 }
publicIps:
  gateway: { name: pip-gateway, zones: ['1', '2', '3'] }
wafPolicies:
  gateway: { name: waf-gateway, for: applicationGateway }
applicationGateways:
  shop:
    name: agw-shop
    subnet: ${networks.hub.subnets.gateway}
    publicIp: ${publicIps.gateway}
    wafPolicy: ${wafPolicies.gateway}
    zones: ['1', '2', '3']
    autoscale: { min: 2, max: 10 }
    http2: true
    listeners:
      web: { protocol: Http, hostNames: [shop.example.com] }
    backends:
      shop: { addresses: [10.20.0.10, 10.20.0.11], port: 8080, probePath: /health }
    rules:
      web: { priority: 100, listener: web, backend: shop }
";
    const TYPES: &'static [&'static ResourceType] = &[&APPLICATION_GATEWAY];
    const MERGED: &'static [Merged] = &[
        Merged::list("certificates", "properties.sslCertificates"),
        Merged::list("listeners", "properties.frontendPorts"),
        Merged::list("listeners", "properties.httpListeners"),
        Merged::list("backends", "properties.backendAddressPools"),
        Merged::list("backends", "properties.backendHttpSettingsCollection"),
        Merged::list("backends", "properties.probes"),
        Merged::list("rules", "properties.redirectConfigurations"),
        Merged::list("rules", "properties.requestRoutingRules"),
        Merged::list("rules", "properties.urlPathMaps"),
        Merged::list("rules", "properties.rewriteRuleSets"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        spec.check(&name, cx);
        let id = cx.id(GATEWAYS, &[&name]);
        let mut properties = spec.properties(&id);
        if spec.ingress_controller {
            // What is empty at first is the controller's as well.
            for list in TRAFFIC.iter().filter(|list| properties.get(**list).is_none()).collect::<Vec<_>>() {
                properties[*list] = json!([]);
            }
        }
        let mut body = cx.tracked(properties);
        if !spec.zones.is_empty() {
            body["zones"] = json!(spec.zones);
        }
        if let Some(identity) = identity(&spec.identities, "UserAssigned") {
            body["identity"] = identity;
        }
        let mut draft = Draft::new(cx.address.clone(), id.as_str(), &APPLICATION_GATEWAY, body);
        if spec.ingress_controller {
            for list in TRAFFIC {
                draft = draft.initially(&format!("properties.{list}"));
            }
        }
        cx.main(draft);
    }
}

/// What an ingress controller writes.
const TRAFFIC: [&str; 10] = [
    "frontendPorts",
    "sslCertificates",
    "httpListeners",
    "backendAddressPools",
    "backendHttpSettingsCollection",
    "probes",
    "redirectConfigurations",
    "requestRoutingRules",
    "urlPathMaps",
    "rewriteRuleSets",
];

impl Spec {
    fn check(&self, name: &str, cx: &mut EntryCx<'_>) {
        NAME.check(name, "name", cx);
        within(self.capacity, 1..=125, "capacity", cx);
        if let Some(scale) = &self.autoscale {
            within(Some(scale.min), 0..=100, "autoscale.min", cx);
            within(Some(scale.max), 2..=125, "autoscale.max", cx);
            if self.capacity.is_some() || scale.min > scale.max {
                let message = match self.capacity {
                    Some(_) => "the gateway has a fixed number of instances and scales by itself",
                    None => "the least number of instances is greater than the greatest",
                };
                cx.problem(
                    Problem::error(&APPLICATION_GATEWAY_SCALE, "autoscale", message)
                        .help("write `capacity`, or `autoscale` with `min` not above `max`"),
                );
            }
        }
        let traffic = [
            ("certificates", self.certificates.is_empty()),
            ("listeners", self.listeners.is_empty()),
            ("backends", self.backends.is_empty()),
            ("rules", self.rules.is_empty()),
        ];
        let mut wrong = |path: String, message: String, help: &str| {
            cx.problem(Problem::error(&APPLICATION_GATEWAY_TRAFFIC, path, message).help(help));
        };
        for (field, empty) in traffic {
            if self.ingress_controller && !empty {
                let message = format!("`{field}` is what the ingress controller writes");
                wrong(field.to_owned(), message, "take it out, or `ingressController: true`");
            }
        }
        if !self.ingress_controller && self.rules.is_empty() {
            let message = "the gateway leads nowhere".to_owned();
            wrong(
                String::new(),
                message,
                "write `listeners`, `backends` and `rules`, or `ingressController: true`",
            );
        }
        if self.public_ip.is_none() && self.private_ip.is_none() {
            let message = "the gateway has no address at which it answers".to_owned();
            wrong(
                String::new(),
                message,
                "write `publicIp:`; `privateIp:` alone needs a feature of the subscription",
            );
        }
        for (key, listener) in &self.listeners {
            let path = format!("listeners.{key}");
            match (&listener.certificate, listener.protocol) {
                (None, Protocol::Https) => {
                    let message = "a listener for HTTPS has a certificate".to_owned();
                    wrong(path.clone(), message, "write `certificate:` with a key of `certificates`");
                }
                (Some(_), Protocol::Http) => {
                    let message = "a listener for HTTP has no certificate".to_owned();
                    wrong(format!("{path}.certificate"), message, "write `protocol: Https`, or take it out");
                }
                _ => {}
            }
            let there = if listener.private { self.private_ip.is_some() } else { self.public_ip.is_some() };
            if !there {
                let which = if listener.private { "private" } else { "public" };
                let message = format!("the gateway has no {which} address to listen at");
                wrong(path, message, "add the address, or change `private:` of the listener");
            }
        }
        let mut priorities = BTreeSet::new();
        for (key, rule) in &self.rules {
            if !priorities.insert(rule.priority) {
                let message = format!("`{key}` has the priority of another rule");
                wrong(format!("rules.{key}.priority"), message, "give each rule a number of its own");
            }
            if rule.backend.is_some() == rule.redirect_to.is_some() {
                let message = format!("`{key}` leads to nothing, or to two things");
                wrong(format!("rules.{key}"), message, "write one of `backend` and `redirectTo`");
            }
        }
        for (key, listener) in &self.listeners {
            if let Some(named) = &listener.certificate {
                known_part(
                    named,
                    self.certificates.keys(),
                    &format!("listeners.{key}.certificate"),
                    "certificate",
                    cx,
                );
            }
        }
        for (key, rule) in &self.rules {
            within(Some(rule.priority), 1..=20_000, &format!("rules.{key}.priority"), cx);
            known_part(
                &rule.listener,
                self.listeners.keys(),
                &format!("rules.{key}.listener"),
                "listener",
                cx,
            );
            if let Some(named) = &rule.backend {
                known_part(named, self.backends.keys(), &format!("rules.{key}.backend"), "backend", cx);
            }
            if let Some(named) = &rule.redirect_to {
                known_part(named, self.listeners.keys(), &format!("rules.{key}.redirectTo"), "listener", cx);
            }
        }
    }

    fn properties(&self, id: &ArmId) -> Value {
        let subnet = json!({ "id": self.subnet.id() });
        let part = |list: &str, name: &str| json!({ "id": format!("{}/{list}/{name}", id.as_str()) });
        let mut frontends = Vec::new();
        if let Some(public) = &self.public_ip {
            frontends.push(
                json!({ "name": "public", "properties": { "publicIPAddress": { "id": public.id() } } }),
            );
        }
        if let Some(address) = &self.private_ip {
            frontends.push(json!({ "name": "private", "properties": {
                "privateIPAddress": address, "privateIPAllocationMethod": "Static", "subnet": subnet,
            } }));
        }
        let scale = match (&self.autoscale, self.capacity) {
            (Some(scale), _) => Some(json!({ "minCapacity": scale.min, "maxCapacity": scale.max })),
            (None, Some(_)) => None,
            (None, None) => Some(json!({ "minCapacity": 1, "maxCapacity": 10 })),
        };
        let least = Least::of(self);
        let (listeners, backends, rules) = least.parts(self);
        let ports: BTreeSet<i64> = listeners.iter().map(|(_, listener)| listener.port()).collect();
        let ports: Vec<Value> = ports
            .into_iter()
            .map(|port| json!({ "name": format!("port-{port}"), "properties": { "port": port } }))
            .collect();
        let certificates: Vec<Value> = self
            .certificates
            .iter()
            .map(|(name, secret)| json!({ "name": name, "properties": { "keyVaultSecretId": secret } }))
            .collect();
        let public = self.public_ip.is_some();
        let listening = listeners.iter().map(|(name, listener)| {
            let frontend = if listener.private || !public { "private" } else { "public" };
            json!({ "name": name, "properties": members([
                ("frontendIPConfiguration", Some(part("frontendIPConfigurations", frontend))),
                ("frontendPort", Some(part("frontendPorts", &format!("port-{}", listener.port())))),
                ("protocol", Some(json!(listener.protocol))),
                ("sslCertificate", listener.certificate.as_ref().map(|name| part("sslCertificates", name))),
                ("hostNames", (!listener.host_names.is_empty()).then(|| json!(listener.host_names))),
            ]) })
        });
        let pools = backends.iter().map(|(name, backend)| {
            let address = |text: &String| match text.parse::<std::net::IpAddr>() {
                Ok(_) => json!({ "ipAddress": text }),
                Err(_) => json!({ "fqdn": text }),
            };
            let all: Vec<Value> = backend.addresses.iter().map(address).collect();
            json!({ "name": name, "properties": { "backendAddresses": all } })
        });
        let settings = backends.iter().map(|(name, backend)| {
            json!({ "name": name, "properties": members([
                ("port", Some(backend.port().into())),
                ("protocol", Some(json!(backend.protocol))),
                ("cookieBasedAffinity", Some("Disabled".into())),
                ("requestTimeout", Some(backend.timeout_seconds.unwrap_or(30).into())),
                ("hostName", backend.host_name.clone().map(Value::from)),
                ("pickHostNameFromBackendAddress", Some(backend.host_name.is_none().into())),
                ("probe", (!self.ingress_controller).then(|| part("probes", name))),
            ]) })
        });
        let probes = backends.iter().filter(|_| !self.ingress_controller).map(|(name, backend)| {
            json!({ "name": name, "properties": {
                "protocol": backend.protocol, "path": backend.probe_path.as_deref().unwrap_or("/"),
                "interval": 30, "timeout": 30, "unhealthyThreshold": 3, "pickHostNameFromBackendHttpSettings": true,
            } })
        });
        let redirects = rules.iter().filter_map(|(name, rule)| {
            let to = rule.redirect_to.as_ref()?;
            Some(json!({ "name": name, "properties": {
                "redirectType": "Permanent", "targetListener": part("httpListeners", to),
                "includePath": true, "includeQueryString": true,
            } }))
        });
        let redirects: Vec<Value> = redirects.collect();
        let routing = rules.iter().map(|(name, rule)| {
            let backend = rule.backend.as_ref();
            json!({ "name": name, "properties": members([
                ("ruleType", Some("Basic".into())),
                ("priority", Some(rule.priority.into())),
                ("httpListener", Some(part("httpListeners", &rule.listener))),
                ("backendAddressPool", backend.map(|name| part("backendAddressPools", name))),
                ("backendHttpSettings", backend.map(|name| part("backendHttpSettingsCollection", name))),
                ("redirectConfiguration", rule.redirect_to.as_ref().map(|_| part("redirectConfigurations", name))),
            ]) })
        });
        let tls =
            self.tls_policy.as_ref().map(|name| json!({ "policyType": "Predefined", "policyName": name }));
        let probes: Vec<Value> = probes.collect();
        members([
            (
                "sku",
                Some(members([
                    ("name", Some("WAF_v2".into())),
                    ("tier", Some("WAF_v2".into())),
                    ("capacity", self.capacity.map(Value::from)),
                ])),
            ),
            ("autoscaleConfiguration", scale),
            ("enableHttp2", self.http2.map(Value::from)),
            ("sslPolicy", tls),
            ("firewallPolicy", Some(json!({ "id": self.waf_policy.id() }))),
            (
                "gatewayIPConfigurations",
                Some(json!([{ "name": "gateway", "properties": { "subnet": subnet } }])),
            ),
            ("frontendIPConfigurations", Some(Value::Array(frontends))),
            ("frontendPorts", Some(Value::Array(ports))),
            ("sslCertificates", (!certificates.is_empty()).then_some(Value::Array(certificates))),
            ("httpListeners", Some(listening.collect())),
            ("backendAddressPools", Some(pools.collect())),
            ("backendHttpSettingsCollection", Some(settings.collect())),
            ("probes", (!probes.is_empty()).then_some(Value::Array(probes))),
            ("redirectConfigurations", (!redirects.is_empty()).then_some(Value::Array(redirects))),
            ("requestRoutingRules", Some(routing.collect())),
        ])
    }
}

impl ListenerSpec {
    fn port(&self) -> i64 {
        self.port.unwrap_or(if self.protocol == Protocol::Https { 443 } else { 80 })
    }
}

impl BackendSpec {
    fn port(&self) -> i64 {
        self.port.unwrap_or(if self.protocol == Protocol::Https { 443 } else { 80 })
    }
}

/// The least that Azure makes a gateway with, for an ingress controller to take over.
struct Least {
    listener: ListenerSpec,
    backend: BackendSpec,
    rule: RuleSpec,
}

type Parts<'a> =
    (Vec<(&'a str, &'a ListenerSpec)>, Vec<(&'a str, &'a BackendSpec)>, Vec<(&'a str, &'a RuleSpec)>);

impl Least {
    fn of(spec: &Spec) -> Self {
        Least {
            listener: ListenerSpec {
                port: None,
                protocol: Protocol::Http,
                certificate: None,
                host_names: Vec::new(),
                private: spec.public_ip.is_none(),
            },
            backend: BackendSpec {
                addresses: Vec::new(),
                port: None,
                protocol: Protocol::Http,
                host_name: None,
                timeout_seconds: None,
                probe_path: None,
            },
            rule: RuleSpec {
                priority: 19_500,
                listener: "default".to_owned(),
                backend: Some("default".to_owned()),
                redirect_to: None,
            },
        }
    }

    /// What the blueprint says of traffic, or the least.
    fn parts<'a>(&'a self, spec: &'a Spec) -> Parts<'a> {
        if spec.ingress_controller {
            return (
                vec![("default", &self.listener)],
                vec![("default", &self.backend)],
                vec![("default", &self.rule)],
            );
        }
        fn all<T>(map: &IndexMap<String, T>) -> Vec<(&str, &T)> {
            map.iter().map(|(key, value)| (key.as_str(), value)).collect()
        }
        (all(&spec.listeners), all(&spec.backends), all(&spec.rules))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference};

    fn fields(more: Value) -> Value {
        let mut fields = json!({
            "subnet": reference("networks.hub.subnets.gateway"), "publicIp": reference("publicIps.gateway"),
            "wafPolicy": reference("wafPolicies.gateway"),
        });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    fn traffic() -> Value {
        json!({
            "listeners": { "web": {} }, "backends": { "shop": { "addresses": ["10.20.0.10", "shop.example.com"] } },
            "rules": { "web": { "priority": 100, "listener": "web", "backend": "shop" } },
        })
    }

    #[test]
    fn what_an_ingress_controller_writes_is_left_alone() {
        let (drafts, problems) =
            expand("applicationGateways", "shop", fields(json!({ "ingressController": true })));
        assert_eq!(problems, []);
        let created = drafts[0].created();
        assert_eq!(created["properties"]["requestRoutingRules"][0]["properties"]["priority"], 19_500);
        let mut live = created;
        for list in TRAFFIC {
            live["properties"][list] = json!([{ "name": "pool-default-shop-80", "properties": {} }]);
        }
        live["properties"]["urlPathMaps"] = json!([{ "name": "url-1" }]);
        live["tags"] = json!({ "managed-by-k8s-ingress": "1.8" });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        live["properties"]["firewallPolicy"]["id"] = json!("/others");
        assert_eq!(changes(&drafts[0], &live), ["properties.firewallPolicy.id"]);
    }

    #[test]
    fn rules_lead_from_listeners_to_servers() {
        let (drafts, problems) = expand("applicationGateways", "shop", fields(traffic()));
        assert_eq!(problems, []);
        let properties = &drafts[0].body["properties"];
        assert_eq!(properties["frontendPorts"][0]["properties"]["port"], 80);
        assert_eq!(
            properties["backendAddressPools"][0]["properties"]["backendAddresses"],
            json!([{ "ipAddress": "10.20.0.10" }, { "fqdn": "shop.example.com" }])
        );
        let rule = &properties["requestRoutingRules"][0]["properties"];
        assert!(
            rule["httpListener"]["id"]
                .as_str()
                .unwrap()
                .ends_with("/applicationGateways/shop/httpListeners/web")
        );
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let with = |more: Value| {
            let mut all = traffic();
            crate::catalog::merge_over(&mut all, &more);
            fields(all)
        };
        for (fields, code) in [
            (with(json!({ "name": "-a" })), "application-gateway-name"),
            (fields(json!({})), "application-gateway-traffic"),
            (with(json!({ "ingressController": true })), "application-gateway-traffic"),
            (with(json!({ "listeners": { "web": { "protocol": "Https" } } })), "application-gateway-traffic"),
            (with(json!({ "listeners": { "web": { "private": true } } })), "application-gateway-traffic"),
            (with(json!({ "rules": { "web": { "backend": "shopp" } } })), "unknown-part"),
            (
                with(json!({ "capacity": 2, "autoscale": { "min": 2, "max": 4 } })),
                "application-gateway-scale",
            ),
            (with(json!({ "capacity": 0 })), "out-of-range"),
        ] {
            let found = codes(expand("applicationGateways", "shop", fields.clone()));
            assert_eq!(found.first(), Some(&code), "{fields}: {found:?}");
        }
    }
}
