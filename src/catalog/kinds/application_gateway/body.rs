//! The body of an application gateway.

use super::spec::{BackendSpec, ListenerSpec, PrivateLinkSpec, Protocol, RewriteSpec, RuleSpec, Spec};
use crate::catalog::Named;
use crate::catalog::kinds::parts::{members, switch};
use crate::ident::ArmId;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Spec {
    pub(super) fn properties(&self, id: &ArmId) -> Value {
        let subnet = json!({ "id": self.subnet.id() });
        let part = |list: &str, name: &str| json!({ "id": format!("{}/{list}/{name}", id.as_str()) });
        let offered = self.private_link.as_ref().map(|link| if link.private { "private" } else { "public" });
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
        for frontend in frontends.iter_mut().filter(|one| offered.is_some_and(|name| one["name"] == name)) {
            frontend["properties"]["privateLinkConfiguration"] =
                part("privateLinkConfigurations", offered.unwrap_or_default());
        }
        let links: Vec<Value> =
            self.private_link.iter().zip(offered).map(|(link, name)| link.body(name)).collect();
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
                ("cookieBasedAffinity", Some(switch(backend.cookie_affinity))),
                ("connectionDraining", backend.drain_seconds.map(|seconds| json!({
                    "enabled": true, "drainTimeoutInSec": seconds,
                }))),
                ("requestTimeout", Some(backend.timeout_seconds.unwrap_or(30).into())),
                ("hostName", backend.host_name.clone().map(Value::from)),
                ("pickHostNameFromBackendAddress", Some(backend.host_name.is_none().into())),
                ("probe", (!self.ingress_controller).then(|| part("probes", name))),
            ]) })
        });
        let probes = backends.iter().filter(|_| !self.ingress_controller).map(|(name, backend)| {
            let statuses = (!backend.probe_statuses.is_empty())
                .then(|| json!({ "statusCodes": backend.probe_statuses }));
            json!({ "name": name, "properties": members([
                ("protocol", Some(json!(backend.protocol))),
                ("path", Some(backend.probe_path.as_deref().unwrap_or("/").into())),
                ("interval", Some(backend.probe_seconds.unwrap_or(30).into())),
                ("timeout", Some(30.into())),
                ("unhealthyThreshold", Some(3.into())),
                ("pickHostNameFromBackendHttpSettings", Some(true.into())),
                ("match", statuses),
            ]) })
        });
        let pool = |name: &String| part("backendAddressPools", name);
        let setting = |name: &String| part("backendHttpSettingsCollection", name);
        let rewritten = |rule: &RuleSpec| rule.rewrite.as_ref().map(|name| part("rewriteRuleSets", name));
        let maps = rules.iter().filter(|(_, rule)| !rule.paths.is_empty()).map(|(name, rule)| {
            let paths = rule.paths.iter().map(|(key, path)| {
                json!({ "name": key, "properties": members([
                    ("paths", Some(json!(path.paths))),
                    ("backendAddressPool", Some(pool(&path.backend))),
                    ("backendHttpSettings", Some(setting(&path.backend))),
                    ("rewriteRuleSet", rewritten(rule)),
                ]) })
            });
            json!({ "name": name, "properties": members([
                ("defaultBackendAddressPool", rule.backend.as_ref().map(pool)),
                ("defaultBackendHttpSettings", rule.backend.as_ref().map(setting)),
                ("defaultRewriteRuleSet", rewritten(rule)),
                ("pathRules", Some(paths.collect())),
            ]) })
        });
        let maps: Vec<Value> = maps.collect();
        let rewrites: Vec<Value> = self.rewrites.iter().map(|(name, rewrite)| rewrite.body(name)).collect();
        let redirects = rules.iter().filter_map(|(name, rule)| {
            let to = rule.redirect_to.as_ref()?;
            Some(json!({ "name": name, "properties": {
                "redirectType": "Permanent", "targetListener": part("httpListeners", to),
                "includePath": true, "includeQueryString": true,
            } }))
        });
        let redirects: Vec<Value> = redirects.collect();
        let routing = rules.iter().map(|(name, rule)| {
            let by_path = !rule.paths.is_empty();
            let backend = rule.backend.as_ref().filter(|_| !by_path);
            json!({ "name": name, "properties": members([
                ("ruleType", Some(if by_path { "PathBasedRouting" } else { "Basic" }.into())),
                ("priority", Some(rule.priority.into())),
                ("httpListener", Some(part("httpListeners", &rule.listener))),
                ("backendAddressPool", backend.map(pool)),
                ("backendHttpSettings", backend.map(setting)),
                ("urlPathMap", by_path.then(|| part("urlPathMaps", name))),
                ("rewriteRuleSet", rewritten(rule).filter(|_| !by_path)),
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
            ("urlPathMaps", (!maps.is_empty()).then_some(Value::Array(maps))),
            ("rewriteRuleSets", (!rewrites.is_empty()).then_some(Value::Array(rewrites))),
            ("privateLinkConfigurations", (!links.is_empty()).then_some(Value::Array(links))),
            ("requestRoutingRules", Some(routing.collect())),
        ])
    }
}

impl PrivateLinkSpec {
    /// The configuration is called as the frontend is, which is the group that endpoints name.
    fn body(&self, name: &str) -> Value {
        let address = json!({ "name": "one", "properties": {
            "subnet": { "id": self.subnet.id() }, "primary": true, "privateIPAllocationMethod": "Dynamic",
        } });
        json!({ "name": name, "properties": { "ipConfigurations": [address] } })
    }
}

impl RewriteSpec {
    fn body(&self, name: &str) -> Value {
        let headers = |all: &Named<String>| -> Option<Value> {
            let all: Vec<Value> =
                all.iter().map(|(name, says)| json!({ "headerName": name, "headerValue": says })).collect();
            (!all.is_empty()).then_some(Value::Array(all))
        };
        let actions = members([
            ("requestHeaderConfigurations", headers(&self.request_headers)),
            ("responseHeaderConfigurations", headers(&self.response_headers)),
        ]);
        let rule = json!({ "name": name, "ruleSequence": 100, "actionSet": actions });
        json!({ "name": name, "properties": { "rewriteRules": [rule] } })
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
                probe_seconds: None,
                probe_statuses: Vec::new(),
                cookie_affinity: false,
                drain_seconds: None,
            },
            rule: RuleSpec {
                priority: 19_500,
                listener: "default".to_owned(),
                backend: Some("default".to_owned()),
                redirect_to: None,
                paths: Named::new(),
                rewrite: None,
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
        fn all<T>(map: &Named<T>) -> Vec<(&str, &T)> {
            map.iter().map(|(key, value)| (key.as_str(), value)).collect()
        }
        (all(&spec.listeners), all(&spec.backends), all(&spec.rules))
    }
}
