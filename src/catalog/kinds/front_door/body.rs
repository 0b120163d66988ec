//! The bodies of a Front Door.

use super::spec::{
    CertificateSpec, DomainSpec, EndpointSpec, Forwarding, OriginGroupSpec, OriginSpec, ProbeMethod,
    Protocol, RouteSpec, RuleSpec, SecuritySpec, Spec,
};
use crate::catalog::EntryCx;
use crate::catalog::kinds::parts::{identity, members, switch};
use crate::catalog::kinds::private_link::Target;
use crate::catalog::kinds::scope::type_in;
use crate::ident::ArmId;
use serde_json::{Map, Value, json};

/// The ids of the parts.
pub(super) struct Names<'a> {
    pub(super) profile: &'a ArmId,
    pub(super) spec: &'a Spec,
}

impl Names<'_> {
    pub(super) fn endpoint(&self, key: &str) -> ArmId {
        let name = self.spec.endpoints.get(key).map_or(key, |endpoint| endpoint.name(key));
        self.profile.child("afdEndpoints", name)
    }

    pub(super) fn group(&self, key: &str) -> ArmId {
        let name = self.spec.origin_groups.get(key).map_or(key, |group| group.name(key));
        self.profile.child("originGroups", name)
    }

    pub(super) fn rule_set(&self, key: &str) -> ArmId {
        let name = self.spec.rule_sets.get(key).map_or(key, |set| set.name(key));
        self.profile.child("ruleSets", name)
    }

    pub(super) fn domain(&self, key: &str) -> ArmId {
        let name = self.spec.custom_domains.get(key).map_or_else(|| key.to_owned(), DomainSpec::azure_name);
        self.profile.child("customDomains", &name)
    }

    pub(super) fn certificate(&self, key: &str) -> ArmId {
        let name = self.spec.certificates.get(key).and_then(|one| one.name.as_deref()).unwrap_or(key);
        self.profile.child("secrets", name)
    }
}

impl DomainSpec {
    /// The name in Azure: by custom that of the host.
    pub(super) fn azure_name(&self) -> String {
        self.name(&self.host_name.replace('.', "-")).to_owned()
    }
}

pub(super) fn profile(spec: &Spec, cx: &EntryCx<'_>) -> Value {
    let seconds = spec.response_timeout_seconds.map(Value::from);
    let mut body = cx.tracked(members([("originResponseTimeoutSeconds", seconds)]));
    body["location"] = json!("Global");
    body["sku"] = json!({ "name": spec.sku.name() });
    if let Some(identity) = identity(&spec.identities, "SystemAssigned,UserAssigned") {
        body["identity"] = identity;
    }
    body
}

pub(super) fn endpoint(endpoint: &EndpointSpec, cx: &EntryCx<'_>) -> Value {
    let mut body = cx.tracked(members([("enabledState", endpoint.enabled.map(switch))]));
    body["location"] = json!("Global");
    body
}

pub(super) fn origin_group(group: &OriginGroupSpec) -> Value {
    let probe = group.probe.as_ref().map(|probe| {
        json!({
            "probePath": probe.path.as_deref().unwrap_or("/"),
            "probeRequestType": probe.method.unwrap_or(ProbeMethod::Head),
            "probeProtocol": probe.protocol.unwrap_or(Protocol::Https),
            "probeIntervalInSeconds": probe.interval_seconds.unwrap_or(100),
        })
    });
    let balancing = group.load_balancing.as_ref();
    let number = |of: fn(&super::spec::LoadBalancingSpec) -> Option<i64>, usual: i64| {
        balancing.and_then(of).unwrap_or(usual)
    };
    json!({ "properties": members([
        ("loadBalancingSettings", Some(json!({
            "sampleSize": number(|b| b.sample_size, 4),
            "successfulSamplesRequired": number(|b| b.successful_samples, 3),
            "additionalLatencyInMilliseconds": number(|b| b.additional_latency_ms, 50),
        }))),
        ("healthProbeSettings", probe),
        ("sessionAffinityState", group.session_affinity.map(switch)),
    ]) })
}

pub(super) fn origin(origin: &OriginSpec, cx: &EntryCx<'_>) -> Value {
    let location = &cx.common.location;
    let private = origin.private_link.as_ref().map(|link| {
        let target = type_in(&link.target, cx);
        let usual = target.as_deref().and_then(Target::of).and_then(|target| target.groups.first());
        let group = link.group.clone().or_else(|| usual.map(|group| group.name.to_owned()));
        members([
            ("privateLink", Some(json!({ "id": link.target.id() }))),
            ("privateLinkLocation", Some(link.location.as_deref().unwrap_or(location).into())),
            ("groupId", group.map(Value::from)),
            ("requestMessage", link.message.clone().map(Value::from)),
        ])
    });
    json!({ "properties": members([
        ("hostName", Some(origin.host_name.clone().into())),
        ("originHostHeader", Some(origin.host_header.as_ref().unwrap_or(&origin.host_name).clone().into())),
        ("httpPort", origin.http_port.map(Value::from)),
        ("httpsPort", origin.https_port.map(Value::from)),
        ("priority", origin.priority.map(Value::from)),
        ("weight", origin.weight.map(Value::from)),
        ("enabledState", origin.enabled.map(switch)),
        // Said where it has to be so, whatever Azure takes for granted.
        ("enforceCertificateNameCheck", origin.check_certificate.or(private.as_ref().map(|_| true)).map(Value::from)),
        ("sharedPrivateLinkResource", private),
    ]) })
}

pub(super) fn route(route: &RouteSpec, names: &Names<'_>) -> Value {
    let spec = names.spec;
    let ids = |all: Vec<ArmId>| -> Option<Value> {
        let all: Vec<Value> = all.into_iter().map(|id| json!({ "id": id.as_str() })).collect();
        (!all.is_empty()).then_some(Value::Array(all))
    };
    let cache = route.cache.as_ref().map(|cache| {
        let compression = (!cache.compress.is_empty())
            .then(|| json!({ "isCompressionEnabled": true, "contentTypesToCompress": cache.compress }));
        members([
            ("queryStringCachingBehavior", Some(json!(cache.query))),
            ("queryParameters", (!cache.parameters.is_empty()).then(|| cache.parameters.join(",").into())),
            ("compressionSettings", compression),
        ])
    });
    let group = names.group(spec.group_of(route.origin_group.as_deref()));
    json!({ "properties": members([
        ("originGroup", Some(json!({ "id": group.as_str() }))),
        ("originPath", route.origin_path.clone().map(Value::from)),
        ("patternsToMatch", (!route.patterns.is_empty()).then(|| json!(route.patterns))),
        ("supportedProtocols", (!route.protocols.is_empty()).then(|| json!(route.protocols))),
        ("forwardingProtocol", Some(json!(route.forwarding.unwrap_or(Forwarding::HttpsOnly)))),
        ("httpsRedirect", route.https_redirect.map(switch)),
        ("linkToDefaultDomain", Some(switch(route.default_domain.unwrap_or(true)))),
        ("enabledState", route.enabled.map(switch)),
        ("cacheConfiguration", cache),
        ("ruleSets", ids(route.rule_sets.iter().map(|key| names.rule_set(key)).collect())),
        ("customDomains", ids(route.custom_domains.iter().map(|key| names.domain(key)).collect())),
    ]) })
}

pub(super) fn rule(rule: &RuleSpec) -> Value {
    let typed = |all: &[Map<String, Value>], action: bool| -> Value {
        all.iter().map(|one| with_type_name(one, action)).collect()
    };
    json!({ "properties": members([
        ("order", Some(rule.order.into())),
        ("conditions", (!rule.conditions.is_empty()).then(|| typed(&rule.conditions, false))),
        ("actions", Some(typed(&rule.actions, true))),
        ("matchProcessingBehavior", rule.stop.map(|stop| if stop { "Stop" } else { "Continue" }.into())),
    ]) })
}

/// A condition or an action with the word for its parameters' form, which follows from its name.
fn with_type_name(one: &Map<String, Value>, action: bool) -> Value {
    let mut one = one.clone();
    let name = one.get("name").and_then(Value::as_str).unwrap_or_default();
    let word = match (action, name) {
        (true, "ModifyRequestHeader" | "ModifyResponseHeader") => "HeaderAction".to_owned(),
        (true, name) => format!("{name}Action"),
        (false, "UrlPath") => "UrlPathMatchCondition".to_owned(),
        (false, "UrlFileExtension") => "UrlFileExtensionMatchCondition".to_owned(),
        (false, "UrlFileName") => "UrlFilenameCondition".to_owned(),
        (false, name) => format!("{name}Condition"),
    };
    if let Some(parameters) = one.get_mut("parameters").and_then(Value::as_object_mut) {
        parameters.entry("typeName").or_insert_with(|| format!("DeliveryRule{word}Parameters").into());
    }
    Value::Object(one)
}

pub(super) fn domain(domain: &DomainSpec, names: &Names<'_>) -> Value {
    let own = domain.certificate.as_ref().map(|key| json!({ "id": names.certificate(key).as_str() }));
    let kind = if own.is_some() { "CustomerCertificate" } else { "ManagedCertificate" };
    json!({ "properties": members([
        ("hostName", Some(domain.host_name.clone().into())),
        ("tlsSettings", Some(members([
            ("certificateType", Some(kind.into())),
            ("minimumTlsVersion", Some(json!(domain.min_tls.unwrap_or_default()))),
            ("secret", own),
        ]))),
        ("azureDnsZone", domain.dns_zone.as_ref().map(|zone| json!({ "id": zone.id() }))),
    ]) })
}

pub(super) fn certificate(spec: &CertificateSpec) -> Value {
    json!({ "properties": { "parameters": members([
        ("type", Some("CustomerCertificate".into())),
        ("secretSource", Some(json!({ "id": format!("{}/secrets/{}", spec.vault.id(), spec.certificate) }))),
        ("secretVersion", spec.version.clone().map(Value::from)),
        ("useLatestVersion", Some(spec.version.is_none().into())),
    ]) } })
}

pub(super) fn security(policy: &SecuritySpec, names: &Names<'_>) -> Value {
    let endpoints = policy.endpoints.iter().map(|key| names.endpoint(key));
    let domains = endpoints.chain(policy.custom_domains.iter().map(|key| names.domain(key)));
    let domains: Vec<Value> = domains.map(|id| json!({ "id": id.as_str() })).collect();
    json!({ "properties": { "parameters": {
        "type": "WebApplicationFirewall",
        "wafPolicy": { "id": policy.policy.id() },
        "associations": [{ "domains": domains, "patternsToMatch": ["/*"] }],
    } } })
}
