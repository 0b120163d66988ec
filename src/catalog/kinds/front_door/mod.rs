//! Front Doors, Standard and Premium: `Microsoft.Cdn/profiles`
//! (<https://learn.microsoft.com/azure/templates/microsoft.cdn/profiles>).
//!
//! One entry is a profile with its endpoints, origin groups, origins, routes, rule sets, custom domains and security
//! policies, each a resource of its own. An origin with private link reaches its target through an endpoint that Microsoft
//! makes in a subscription of its own; an entry of `approvals` recognises it by the message that berth has it send.

mod body;
mod checks;
pub(super) mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub use types::{
    CERTIFICATE, CUSTOM_DOMAIN, ENDPOINT, FRONT_DOOR, ORIGIN, ORIGIN_GROUP, ROUTE, RULE, RULE_SET,
    SECURITY_POLICY,
};

use crate::catalog::{Draft, EntryCx, EntryKind, Merged, Nested, ResourceType};
use crate::diag::Code;
use serde_json::json;

/// A Front Door.
pub struct FrontDoor;

impl EntryKind for FrontDoor {
    const SECTION: &'static str = "frontDoors";
    const TITLE: &'static str = "Front Door";
    const ARM_TYPE: &'static str = types::PROFILES;
    const ABOUT: &'static str = "A Front Door (Standard or Premium) with its endpoints, origins, routes, rule sets, custom \
        domains and the policies of its firewall. An origin with `privateLink` (Premium only) asks its target for a connection, \
        which an entry of `approvals` with `from: ${frontDoors.….origins.…}` approves; a route with `dependsOn: \
        [approvals.…]` takes traffic only after that.";
    const EXAMPLE: &'static str = "\
appServicePlans:
  web: { name: asp-shop, sku: P0v3 }
webApps:
  shop:
    name: app-shop-${uniqueString(azure.resourceGroup)}
    plan: ${appServicePlans.web}
    publicAccess: false
wafPolicies:
  edge: { name: wafshop, sku: Premium }
keyVaults:
  certificates: { name: 'kv-${uniqueString(azure.resourceGroup)}' }
frontDoors:
  edge:
    name: afd-shop
    sku: Premium
    endpoints:
      shop: { name: 'shop-${uniqueString(azure.resourceGroup)}' }
    originGroups:
      web:
        probe: { path: /health, intervalSeconds: 100 }
    origins:
      shop:
        hostName: ${webApps.shop.hostName}
        privateLink: { target: '${webApps.shop}' }
    ruleSets:
      headers:
        rules:
          hsts:
            order: 1
            actions:
              - name: ModifyResponseHeader
                parameters: { headerAction: Overwrite, headerName: Strict-Transport-Security, value: max-age=31536000 }
    identities: [system]
    certificates:
      shop: { vault: '${keyVaults.certificates}', certificate: shop-example-com }
    customDomains:
      www: { hostName: www.example.com }
      shop: { hostName: shop.example.com, certificate: shop }
    routes:
      all: { ruleSets: [headers], customDomains: [www, shop], dependsOn: [approvals.edge] }
    securityPolicies:
      waf: { policy: '${wafPolicies.edge}', endpoints: [shop], customDomains: [www] }
approvals:
  edge: { target: '${webApps.shop}', from: '${frontDoors.edge.origins.shop}', wait: 30m }
";
    const TYPES: &'static [&'static ResourceType] = &[
        &FRONT_DOOR,
        &ENDPOINT,
        &ORIGIN_GROUP,
        &ORIGIN,
        &ROUTE,
        &RULE_SET,
        &RULE,
        &CERTIFICATE,
        &CUSTOM_DOMAIN,
        &SECURITY_POLICY,
    ];
    const NESTED: &'static [Nested] = &[
        Nested::at("endpoints.*"),
        Nested::at("originGroups.*"),
        Nested::at("origins.*"),
        Nested::at("routes.*"),
        Nested::at("ruleSets.*"),
        Nested::at("ruleSets.*.rules.*"),
        Nested::at("certificates.*"),
        Nested::at("customDomains.*"),
        Nested::at("securityPolicies.*"),
    ];
    const MERGED: &'static [Merged] =
        &[Merged::list("customDomains", "properties.customDomains").within("routes.*")];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let before = cx.problems.len();
        spec.check(cx);
        if cx.problems[before..].iter().any(|problem| !problem.warning) {
            return;
        }
        let profile = cx.id(types::PROFILES, &[&cx.common.name]);
        let address = cx.address.clone();
        let part = |section: &str, key: &str| (address.child(section).child(key), format!("{section}.{key}"));
        let all = body::Names { profile: &profile, spec: &spec };
        cx.main(Draft::new(address.clone(), profile.as_str(), &FRONT_DOOR, body::profile(&spec, cx)));
        for (key, endpoint) in &spec.endpoints {
            let (address, origin) = part("endpoints", key);
            let body = body::endpoint(endpoint, cx);
            cx.also(Draft::new(address, all.endpoint(key).as_str(), &ENDPOINT, body).origin(origin));
        }
        for (key, group) in &spec.origin_groups {
            let (address, origin) = part("originGroups", key);
            let unsaid = [("properties.loadBalancingSettings", group.load_balancing.is_none())];
            let draft =
                Draft::new(address, all.group(key).as_str(), &ORIGIN_GROUP, body::origin_group(group));
            cx.also(draft.initially_if(&unsaid).origin(origin));
        }
        for (key, origin) in &spec.origins {
            let (address, place) = part("origins", key);
            let group = all.group(spec.group_of(origin.group.as_deref()));
            let id = group.child("origins", origin.name(key));
            let body = body::origin(origin, cx);
            let draft = Draft::new(address, id.as_str(), &ORIGIN, body);
            let group = part("originGroups", spec.group_of(origin.group.as_deref())).0;
            cx.also(draft.needs(group.as_str()).origin(place));
        }
        for (key, set) in &spec.rule_sets {
            let (address, place) = part("ruleSets", key);
            let id = all.rule_set(key);
            cx.also(
                Draft::new(address.clone(), id.as_str(), &RULE_SET, json!({ "properties": {} }))
                    .origin(place.clone()),
            );
            for (name, rule) in &set.rules {
                let own = Draft::new(
                    address.child("rules").child(name),
                    id.child("rules", rule.name(name)).as_str(),
                    &RULE,
                    body::rule(rule),
                );
                cx.also(own.needs(address.as_str()).origin(format!("{place}.rules.{name}")));
            }
        }
        for (key, certificate) in &spec.certificates {
            let (address, place) = part("certificates", key);
            let id = all.certificate(key);
            let body = body::certificate(certificate);
            cx.also(Draft::new(address, id.as_str(), &CERTIFICATE, body).origin(place));
        }
        for (key, domain) in &spec.custom_domains {
            let (address, place) = part("customDomains", key);
            let body = body::domain(domain, &all);
            let draft = Draft::new(address, all.domain(key).as_str(), &CUSTOM_DOMAIN, body).origin(place);
            let needed = domain.certificate.as_ref().map(|key| part("certificates", key).0);
            cx.also(needed.iter().fold(draft, |draft, address| draft.needs(address.as_str())));
        }
        for (key, route) in &spec.routes {
            let (address, place) = part("routes", key);
            let endpoint = spec.endpoint_of(route.endpoint.as_deref());
            let id = all.endpoint(endpoint).child("routes", route.name(key));
            let mut draft = Draft::new(address, id.as_str(), &ROUTE, body::route(route, &all)).origin(place);
            let group = spec.group_of(route.origin_group.as_deref());
            // Azure refuses a route without an origin, and what it names is told by ids that say nothing of keys.
            let origins =
                spec.origins.iter().filter(|(_, origin)| spec.group_of(origin.group.as_deref()) == group);
            for (key, _) in origins {
                draft = draft.needs(part("origins", key).0.as_str());
            }
            for key in &route.rule_sets {
                let rules = spec.rule_sets.get(key).map(|set| &set.rules).into_iter().flatten();
                let set = part("ruleSets", key).0;
                draft = draft.needs(set.as_str());
                for (name, _) in rules {
                    draft = draft.needs(set.child("rules").child(name).as_str());
                }
            }
            for key in &route.custom_domains {
                draft = draft.needs(part("customDomains", key).0.as_str());
            }
            draft = draft
                .needs(part("endpoints", endpoint).0.as_str())
                .needs(part("originGroups", group).0.as_str());
            cx.also(draft);
        }
        for (key, policy) in &spec.security_policies {
            let (address, place) = part("securityPolicies", key);
            let id = profile.child("securityPolicies", policy.name(key));
            let mut draft = Draft::new(address, id.as_str(), &SECURITY_POLICY, body::security(policy, &all))
                .origin(place);
            for key in &policy.endpoints {
                draft = draft.needs(part("endpoints", key).0.as_str());
            }
            for key in &policy.custom_domains {
                draft = draft.needs(part("customDomains", key).0.as_str());
            }
            cx.also(draft);
        }
    }
}
