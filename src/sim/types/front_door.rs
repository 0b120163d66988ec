//! Azure Front Door, Standard and Premium, and the policies of its firewall.

use super::defaults::{Asked, Defaults, Ends, Made, quick};
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, set, set_default, text};
use crate::core::path::cut;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

const PROFILE: &str = "microsoft.cdn/profiles";
const ENDPOINT: &str = "microsoft.cdn/profiles/afdendpoints";
const ROUTE: &str = "microsoft.cdn/profiles/afdendpoints/routes";
const ORIGIN_GROUP: &str = "microsoft.cdn/profiles/origingroups";
pub(super) const ORIGIN: &str = "microsoft.cdn/profiles/origingroups/origins";
const RULE_SET: &str = "microsoft.cdn/profiles/rulesets";
const DOMAIN: &str = "microsoft.cdn/profiles/customdomains";
const CERTIFICATE: &str = "microsoft.cdn/profiles/secrets";
const SECURITY: &str = "microsoft.cdn/profiles/securitypolicies";
const POLICY: &str = "microsoft.network/frontdoorwebapplicationfirewallpolicies";
const GATEWAY_POLICY: &str = "microsoft.network/applicationgatewaywebapplicationfirewallpolicies";

const ALONE: Ends = Ends::Followed(201, 0);
const AMONG: Ends = Ends::Followed(201, 1);

pub(super) const KNOWN: &[Defaults] = &[
    quick(PROFILE, fill_profile).refuses(check_profile).takes(ALONE, 60),
    quick(ENDPOINT, fill_endpoint).refuses(check_endpoint).takes(ALONE, 20),
    quick(ORIGIN_GROUP, fill_child).refuses(check_origin_group).stays(group_is_used).takes(ALONE, 20),
    quick(ORIGIN, fill_origin).refuses(check_origin).stays(origin_is_needed).takes(AMONG, 20),
    quick(ROUTE, fill_route).refuses(check_route).takes(AMONG, 20),
    quick(RULE_SET, fill_child)
        .refuses(|asked| check_rule_name(asked, 60))
        .stays(rules_are_used)
        .takes(ALONE, 10),
    quick("microsoft.cdn/profiles/rulesets/rules", fill_child).refuses(check_rule).takes(AMONG, 10),
    quick(CERTIFICATE, fill_certificate)
        .refuses(check_certificate)
        .stays(certificate_is_used)
        .takes(ALONE, 10),
    quick(DOMAIN, fill_domain).refuses(check_domain).stays(domain_is_used).takes(ALONE, 30),
    quick(SECURITY, fill_child).refuses(check_security).takes(ALONE, 20),
    quick(POLICY, fill_policy).refuses(check_policy).stays(policy_is_used).takes(ALONE, 10),
    quick(GATEWAY_POLICY, |_, body| set(body, "properties.resourceState", "Enabled"))
        .refuses(check_gateway_policy)
        .stays(gateway_policy_is_used)
        .takes(ALONE, 10),
];

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

fn alphanumeric(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn dashed(c: char) -> bool {
    alphanumeric(c) || c == '-'
}

/// The profile that a resource lies in, and whether it is Premium.
fn profile_of<'w>(world: &'w World, key: &str) -> Option<(&'w Resource, bool)> {
    let end = key.find("/microsoft.cdn/profiles/")? + "/microsoft.cdn/profiles/".len();
    let name = key[end..].split('/').next()?.len();
    let profile = world.state.resources.get(&key[..end + name])?;
    let sku = text(&profile.body, "sku.name").unwrap_or_default();
    Some((profile, sku.eq_ignore_ascii_case("Premium_AzureFrontDoor")))
}

fn check_profile(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.named(1..=260, alphanumeric, dashed, "BadRequest")?;
    asked.needs("sku.name")?;
    asked.keeps("sku.name", "BadRequest")?;
    let sku = text(asked.body, "sku.name").unwrap_or_default();
    if sku.to_ascii_lowercase().ends_with("frontdoor")
        && text(asked.body, "location").is_some_and(|place| !place.eq_ignore_ascii_case("global"))
    {
        return Err(bad("The location of a Front Door profile is 'Global'."));
    }
    let seconds = at(asked.body, "properties.originResponseTimeoutSeconds").and_then(Value::as_u64);
    if seconds.is_some_and(|seconds| !(16..=240).contains(&seconds)) {
        return Err(bad("originResponseTimeoutSeconds must be between 16 and 240."));
    }
    Ok(())
}

fn fill_profile(made: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.resourceState", "Active");
    set_default(body, "properties.frontDoorId", made.world.uuid(made.key, "front door"));
    set_default(body, "properties.originResponseTimeoutSeconds", 120);
    set(body, "location", "Global");
    set(body, "kind", "frontdoor");
}

fn fill_child(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.deploymentStatus", "NotStarted");
    lower_references(body);
}

/// Ids in answers come in small letters where nobody asked for it.
fn lower_references(body: &mut Object) {
    fn lower(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text) if name == "id" => {
                            *text = text
                                .replace("/resourceGroups/", "/resourcegroups/")
                                .replace("/originGroups/", "/origingroups/")
                                .replace("/customDomains/", "/customdomains/")
                                .replace("/ruleSets/", "/rulesets/")
                                .replace("/afdEndpoints/", "/afdendpoints/")
                        }
                        other => lower(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(lower),
            _ => {}
        }
    }
    if let Some(properties) = body.get_mut("properties") {
        lower(properties);
    }
}

fn check_endpoint(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.named(2..=46, alphanumeric, dashed, "BadRequest")?;
    asked.keeps("properties.autoGeneratedDomainNameLabelScope", "BadRequest")?;
    asked.one_of("properties.enabledState", &["Enabled", "Disabled"])
}

fn fill_endpoint(made: &Made<'_>, body: &mut Object) {
    let host = format!("{}-{}.z01.azurefd.net", made.name, made.world.token(made.key, "host"));
    set_default(body, "properties.hostName", host);
    set_default(body, "properties.enabledState", "Enabled");
    set_default(body, "properties.autoGeneratedDomainNameLabelScope", "TenantReuse");
    set(body, "location", "Global");
    fill_child(made, body);
}

fn check_origin_group(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.named(1..=90, alphanumeric, dashed, "BadRequest")?;
    asked.needs("properties.loadBalancingSettings")?;
    let number = |path: &str| at(asked.body, &format!("properties.{path}")).and_then(Value::as_u64);
    if number("healthProbeSettings.probeIntervalInSeconds").is_some_and(|s| !(1..=255).contains(&s)) {
        return Err(bad("probeIntervalInSeconds must be between 1 and 255."));
    }
    let (sample, needed) = (
        number("loadBalancingSettings.sampleSize"),
        number("loadBalancingSettings.successfulSamplesRequired"),
    );
    if needed > sample {
        return Err(bad("successfulSamplesRequired must not be greater than sampleSize."));
    }
    if at(asked.body, "properties.healthProbeSettings")
        .and_then(Value::as_object)
        .is_some_and(Object::is_empty)
    {
        return Err(bad("healthProbeSettings is empty: leave it out to switch probes off."));
    }
    Ok(())
}

/// The routes of a profile.
fn routes<'w>(world: &'w World, profile: &'w str) -> impl Iterator<Item = &'w Resource> {
    world.state.resources.below(profile).map(|(_, r)| r).filter(|r| r.kind == ROUTE)
}

fn named_by<'w>(routes: impl Iterator<Item = &'w Resource>, pointer: &str, id: &str) -> Option<&'w Resource> {
    let is =
        |value: &Value| value.get("id").and_then(Value::as_str).is_some_and(|i| i.eq_ignore_ascii_case(id));
    routes.into_iter().find(|route| match at(&route.body, pointer) {
        Some(Value::Array(all)) => all.iter().any(is),
        Some(one) => is(one),
        None => false,
    })
}

fn used(what: &Resource, by: &Resource) -> Failure {
    let message = format!("'{}' cannot be deleted because '{}' refers to it.", what.id, by.id);
    Failure::new(409, "Conflict", message)
}

fn group_is_used(world: &World, group: &Resource) -> Result<(), Failure> {
    let key = group.key();
    match named_by(routes(world, cut(&key, 2)), "properties.originGroup", &group.id) {
        Some(route) => Err(used(group, route)),
        None => Ok(()),
    }
}

/// The origins of a group.
fn origins<'w>(world: &'w World, group: &str) -> Vec<&'w Resource> {
    world.state.resources.members(&format!("{group}/origins")).map(|(_, r)| r).collect()
}

fn is_enabled(body: &Object) -> bool {
    text(body, "properties.enabledState").is_none_or(|state| state.eq_ignore_ascii_case("Enabled"))
}

fn origin_is_needed(world: &World, origin: &Resource) -> Result<(), Failure> {
    let key = origin.key();
    let (group, profile) = (cut(&key, 2), cut(&key, 4));
    let others = origins(world, group).iter().any(|other| other.key() != key && is_enabled(&other.body));
    match named_by(routes(world, profile), "properties.originGroup", cut(&origin.id, 2)) {
        Some(route) if !others => Err(used(origin, route)),
        _ => Ok(()),
    }
}

fn is_private(body: &Object) -> bool {
    text(body, "properties.sharedPrivateLinkResource.privateLink.id").is_some_and(|id| !id.is_empty())
}

fn check_origin(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.named(1..=90, alphanumeric, dashed, "BadRequest")?;
    let number = |path: &str| at(asked.body, &format!("properties.{path}")).and_then(Value::as_u64);
    if number("priority").is_some_and(|p| !(1..=5).contains(&p))
        || number("weight").is_some_and(|w| !(1..=1000).contains(&w))
    {
        return Err(bad("The priority of an origin is 1 to 5, and its weight 1 to 1000."));
    }
    let private = is_private(asked.body);
    if private {
        if at(asked.body, "properties.enforceCertificateNameCheck") == Some(&json!(false)) {
            return Err(bad("An origin with private link has to enforce the certificate name check."));
        }
        if text(asked.body, "properties.sharedPrivateLinkResource.privateLinkLocation")
            .is_none_or(str::is_empty)
        {
            return Err(bad("privateLinkLocation is required for an origin with private link."));
        }
    }
    let others = origins(asked.world, cut(asked.key, 2));
    let mixed = others.iter().any(|other| other.key() != asked.key && is_private(&other.body) != private);
    if mixed {
        return Err(bad("The origins of a group are either all private or all public."));
    }
    Ok(())
}

fn fill_origin(made: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.httpPort", 80);
    set_default(body, "properties.httpsPort", 443);
    set_default(body, "properties.priority", 1);
    set_default(body, "properties.weight", 500);
    set_default(body, "properties.enabledState", "Enabled");
    set_default(body, "properties.enforceCertificateNameCheck", true);
    set(body, "properties.originGroupName", crate::core::path::last(cut(made.key, 2)));
    set_default(body, "properties.deploymentStatus", "NotStarted");
}

fn check_route(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    asked.named(1..=90, alphanumeric, dashed, "BadRequest")?;
    asked.needs("properties.originGroup.id")?;
    let group = text(body, "properties.originGroup.id").unwrap_or_default();
    let group = asked.refers(group, ORIGIN_GROUP, "BadRequest")?.key();
    if !origins(asked.world, &group).iter().any(|origin| is_enabled(&origin.body)) {
        return Err(bad("The origin group of the route has no enabled origin."));
    }
    for (path, kind) in [("properties.customDomains", DOMAIN), ("properties.ruleSets", RULE_SET)] {
        for one in list(body, path) {
            asked.refers(one.get("id").and_then(Value::as_str).unwrap_or_default(), kind, "BadRequest")?;
        }
    }
    let protocols: Vec<&str> =
        list(body, "properties.supportedProtocols").iter().filter_map(Value::as_str).collect();
    let redirects = text(body, "properties.httpsRedirect").is_none_or(|r| r.eq_ignore_ascii_case("Enabled"));
    if redirects && !protocols.is_empty() && protocols.len() < 2 {
        return Err(bad("httpsRedirect needs both protocols, Http and Https."));
    }
    let linked =
        text(body, "properties.linkToDefaultDomain").is_some_and(|l| l.eq_ignore_ascii_case("Enabled"));
    if !linked && list(body, "properties.customDomains").is_empty() {
        return Err(bad("A route has custom domains or is linked to the default domain."));
    }
    let patterns = |body: &Object| -> Vec<String> {
        let all =
            list(body, "properties.patternsToMatch").iter().filter_map(Value::as_str).map(str::to_owned);
        let all: Vec<String> = all.collect();
        if all.is_empty() { vec!["/*".to_owned()] } else { all }
    };
    let domains = |body: &Object| -> Vec<String> {
        let all = list(body, "properties.customDomains").iter().filter_map(|d| d.get("id")?.as_str());
        let mut all: Vec<String> = all.map(str::to_ascii_lowercase).collect();
        if text(body, "properties.linkToDefaultDomain").is_some_and(|l| l.eq_ignore_ascii_case("Enabled")) {
            all.push(String::new());
        }
        all
    };
    let siblings = asked.world.state.resources.members(cut(asked.key, 1));
    for (key, other) in siblings.filter(|(key, _)| *key != asked.key) {
        let shared = patterns(&other.body).iter().any(|p| patterns(body).contains(p))
            && domains(&other.body).iter().any(|d| domains(body).contains(d));
        if shared {
            let message = format!("The route has a path and a domain that '{key}' has.");
            return Err(Failure::new(409, "Conflict", message));
        }
    }
    Ok(())
}

fn fill_route(made: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.patternsToMatch", json!(["/*"]));
    set_default(body, "properties.supportedProtocols", json!(["Http", "Https"]));
    set_default(body, "properties.forwardingProtocol", "MatchRequest");
    set_default(body, "properties.httpsRedirect", "Enabled");
    set_default(body, "properties.linkToDefaultDomain", "Disabled");
    set_default(body, "properties.enabledState", "Enabled");
    set_default(body, "properties.ruleSets", json!([]));
    set_default(body, "properties.customDomains", json!([]));
    let active = |mut domain: Value| {
        domain["isActive"] = json!(true);
        domain
    };
    let domains: Vec<Value> = list(body, "properties.customDomains").iter().cloned().map(active).collect();
    set(body, "properties.customDomains", domains);
    set(body, "properties.endpointName", crate::core::path::last(cut(made.key, 2)));
    fill_child(made, body);
}

fn check_rule_name(asked: &Asked<'_>, most: usize) -> Result<(), Failure> {
    asked.named(1..=most, alphanumeric, alphanumeric, "BadRequest")?;
    if asked.name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad("The name begins with a letter."));
    }
    Ok(())
}

fn check_rule(asked: &Asked<'_>) -> Result<(), Failure> {
    check_rule_name(asked, 260)?;
    asked.needs("properties.order")?;
    if list(asked.body, "properties.actions").is_empty() {
        return Err(bad("A rule has at least one action."));
    }
    let order = at(asked.body, "properties.order");
    let siblings = asked.world.state.resources.members(cut(asked.key, 1));
    let twice =
        siblings.filter(|(key, _)| *key != asked.key).any(|(_, r)| at(&r.body, "properties.order") == order);
    if twice { Err(bad("Two rules of a set have the same order.")) } else { Ok(()) }
}

fn rules_are_used(world: &World, set: &Resource) -> Result<(), Failure> {
    let key = set.key();
    match named_by(routes(world, cut(&key, 2)), "properties.ruleSets", &set.id) {
        Some(route) => Err(used(set, route)),
        None => Ok(()),
    }
}

fn check_domain(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.named(2..=260, alphanumeric, dashed, "BadRequest")?;
    asked.needs("properties.hostName")?;
    asked.keeps("properties.hostName", "BadRequest")?;
    asked.one_of(
        "properties.tlsSettings.certificateType",
        &["ManagedCertificate", "CustomerCertificate", "AzureFirstPartyManagedCertificate"],
    )?;
    asked.one_of("properties.tlsSettings.minimumTlsVersion", &["TLS10", "TLS12", "TLS13"])?;
    let own = text(asked.body, "properties.tlsSettings.certificateType").unwrap_or_default();
    if own.eq_ignore_ascii_case("CustomerCertificate")
        && at(asked.body, "properties.tlsSettings.secret.id").is_none()
    {
        return Err(bad("A certificate of the customer's needs a secret."));
    }
    if let Some(secret) = text(asked.body, "properties.tlsSettings.secret.id") {
        asked.refers(secret, CERTIFICATE, "BadRequest")?;
    }
    Ok(())
}

fn check_certificate(asked: &Asked<'_>) -> Result<(), Failure> {
    let kinds =
        ["CustomerCertificate", "ManagedCertificate", "AzureFirstPartyManagedCertificate", "UrlSigningKey"];
    asked.needs("properties.parameters.type")?;
    asked.one_of("properties.parameters.type", &kinds)?;
    let own = text(asked.body, "properties.parameters.type") == Some("CustomerCertificate");
    if own && text(asked.body, "properties.parameters.secretSource.id").is_none() {
        return Err(bad("A certificate of the customer's has a secret of a key vault."));
    }
    let newest = at(asked.body, "properties.parameters.useLatestVersion") == Some(&json!(true));
    match own && !newest && text(asked.body, "properties.parameters.secretVersion").is_none() {
        true => Err(bad("The certificate has neither a version nor useLatestVersion.")),
        false => Ok(()),
    }
}

fn fill_certificate(made: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.parameters.useLatestVersion", false);
    fill_child(made, body);
}

fn certificate_is_used(world: &World, certificate: &Resource) -> Result<(), Failure> {
    let key = certificate.key();
    let mut domains = world.state.resources.below(cut(&key, 2)).map(|(_, r)| r).filter(|r| r.kind == DOMAIN);
    let used = domains.any(|domain| {
        text(&domain.body, "properties.tlsSettings.secret.id").is_some_and(|id| id.eq_ignore_ascii_case(&key))
    });
    match used {
        true => Err(Failure::new(409, "Conflict", "The secret is used by a custom domain.")),
        false => Ok(()),
    }
}

fn fill_domain(made: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.tlsSettings", json!({"certificateType": "ManagedCertificate"}));
    set_default(body, "properties.tlsSettings.minimumTlsVersion", "TLS12");
    set_default(body, "properties.tlsSettings.cipherSuiteSetType", "TLS12_2022");
    set_default(body, "properties.domainValidationState", "Pending");
    let token = made.world.token(made.key, "validation");
    set(
        body,
        "properties.validationProperties",
        json!({"validationToken": token, "expirationDate": "2030-01-01T00:00:00Z"}),
    );
    fill_child(made, body);
}

fn security_of<'w>(world: &'w World, profile: &'w str) -> impl Iterator<Item = &'w Resource> {
    world.state.resources.below(profile).map(|(_, r)| r).filter(|r| r.kind == SECURITY)
}

/// The domains that a security policy is for.
fn guarded(body: &Object) -> Vec<String> {
    let associations = list(body, "properties.parameters.associations").iter();
    let domains = associations.filter_map(|one| one.get("domains")?.as_array()).flatten();
    domains.filter_map(|domain| domain.get("id")?.as_str()).map(str::to_ascii_lowercase).collect()
}

fn domain_is_used(world: &World, domain: &Resource) -> Result<(), Failure> {
    let key = domain.key();
    let profile = cut(&key, 2);
    if let Some(route) = named_by(routes(world, profile), "properties.customDomains", &domain.id) {
        return Err(used(domain, route));
    }
    match security_of(world, profile).find(|policy| guarded(&policy.body).contains(&key)) {
        Some(policy) => Err(used(domain, policy)),
        None => Ok(()),
    }
}

fn check_security(asked: &Asked<'_>) -> Result<(), Failure> {
    asked.named(1..=260, alphanumeric, dashed, "BadRequest")?;
    let policy = text(asked.body, "properties.parameters.wafPolicy.id").unwrap_or_default();
    let policy = asked.refers(policy, POLICY, "BadRequest")?;
    let own = profile_of(asked.world, asked.key).and_then(|(profile, _)| text(&profile.body, "sku.name"));
    let same =
        |a: Option<&str>, b: Option<&str>| a.unwrap_or_default().eq_ignore_ascii_case(b.unwrap_or_default());
    if !same(own, text(&policy.body, "sku.name")) {
        return Err(bad("The SKU of the WAF policy is not that of the profile."));
    }
    let domains = guarded(asked.body);
    if domains.is_empty() {
        return Err(bad("A security policy is for at least one domain."));
    }
    for domain in &domains {
        let found = asked.world.state.resources.get(domain);
        if !found.is_some_and(|found| found.kind == DOMAIN || found.kind == ENDPOINT) {
            return Err(bad(format!("The domain '{domain}' was not found.")));
        }
    }
    let siblings = asked.world.state.resources.members(cut(asked.key, 1));
    let twice = siblings
        .filter(|(key, _)| *key != asked.key)
        .any(|(_, other)| guarded(&other.body).iter().any(|domain| domains.contains(domain)));
    if twice {
        return Err(bad("A domain is in one security policy only."));
    }
    for one in list(asked.body, "properties.parameters.associations") {
        if one.get("patternsToMatch") != Some(&json!(["/*"])) {
            return Err(bad("The patterns of a security policy are [\"/*\"]."));
        }
    }
    Ok(())
}

fn check_policy(asked: &Asked<'_>) -> Result<(), Failure> {
    let body = asked.body;
    asked.named(1..=128, alphanumeric, alphanumeric, "BadRequest")?;
    if asked.name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad("The name of a WAF policy begins with a letter."));
    }
    asked.needs("sku.name")?;
    asked.keeps("sku.name", "BadRequest")?;
    asked.one_of(
        "sku.name",
        &["Standard_AzureFrontDoor", "Premium_AzureFrontDoor", "Classic_AzureFrontDoor"],
    )?;
    let premium = text(body, "sku.name").is_some_and(|s| s.eq_ignore_ascii_case("Premium_AzureFrontDoor"));
    let sets = list(body, "properties.managedRules.managedRuleSets");
    if !premium && !sets.is_empty() {
        return Err(bad("Managed rule sets are supported only by the Premium_AzureFrontDoor SKU."));
    }
    for set in sets {
        let of = |name: &str| set.get(name).and_then(Value::as_str).unwrap_or_default();
        let known = [
            "microsoft_defaultruleset",
            "microsoft_botmanagerruleset",
            "microsoft_httpddosruleset",
            "defaultruleset",
            "botprotection",
        ];
        if !known.contains(&of("ruleSetType").to_ascii_lowercase().as_str()) {
            return Err(bad(format!("The managed rule set '{}' is not supported.", of("ruleSetType"))));
        }
        let second = of("ruleSetVersion").starts_with("2.");
        if second && of("ruleSetAction").is_empty() {
            return Err(bad("ruleSetAction is required for a rule set of version 2.0 or later."));
        }
    }
    for member in ["javascriptChallengeExpirationInMinutes", "captchaExpirationInMinutes"] {
        if !premium && at(body, &format!("properties.policySettings.{member}")).is_some() {
            return Err(bad(format!("{member} is supported only by the Premium_AzureFrontDoor SKU.")));
        }
    }
    check_custom_rules(list(body, "properties.customRules.rules"), "matchValue")
}

fn check_custom_rules(rules: &[Value], values: &str) -> Result<(), Failure> {
    let mut seen: Vec<(&Value, String)> = Vec::new();
    for rule in rules {
        let of = |name: &str| rule.get(name).unwrap_or(&Value::Null);
        let name = of("name").as_str().unwrap_or_default().to_ascii_lowercase();
        if name.is_empty() || !name.chars().all(alphanumeric) {
            return Err(bad(format!("The name '{name}' of a custom rule is not valid.")));
        }
        if of("priority").as_u64().is_none() {
            return Err(bad(format!("The custom rule '{name}' has no priority.")));
        }
        if seen.iter().any(|(priority, known)| *priority == of("priority") || *known == name) {
            return Err(bad(format!("The custom rule '{name}' has the name or the priority of another.")));
        }
        let conditions = of("matchConditions").as_array().map_or(&[][..], Vec::as_slice);
        let empty = |condition: &Value| {
            let any = condition.get("operator").is_some_and(|o| o == "Any");
            !any && condition.get(values).and_then(Value::as_array).is_none_or(Vec::is_empty)
        };
        if conditions.is_empty() || conditions.iter().any(empty) {
            return Err(bad(format!("The custom rule '{name}' has no condition, or one without values.")));
        }
        let limits = of("ruleType").as_str().is_some_and(|t| t.eq_ignore_ascii_case("RateLimitRule"));
        if limits && of("rateLimitThreshold").as_u64().is_none() {
            return Err(bad(format!("The rate limit of the custom rule '{name}' has no threshold.")));
        }
        seen.push((of("priority"), name));
    }
    Ok(())
}

fn fill_policy(_: &Made<'_>, body: &mut Object) {
    set_default(body, "properties.policySettings.enabledState", "Enabled");
    set_default(body, "properties.policySettings.mode", "Prevention");
    set_default(body, "properties.policySettings.requestBodyCheck", "Enabled");
    set_default(body, "properties.policySettings.customBlockResponseStatusCode", 403);
    set_default(body, "properties.customRules.rules", json!([]));
    set_default(body, "properties.managedRules.managedRuleSets", json!([]));
    let rules = list(body, "properties.customRules.rules").to_vec();
    let shown = rules.into_iter().map(|mut rule| {
        if let Some(rule) = rule.as_object_mut() {
            set_default(rule, "enabledState", "Enabled");
        }
        rule
    });
    let shown: Vec<Value> = shown.collect();
    set(body, "properties.customRules.rules", shown);
    set(body, "properties.resourceState", "Enabled");
    for links in ["frontendEndpointLinks", "securityPolicyLinks", "routingRuleLinks"] {
        set_default(body, &format!("properties.{links}"), json!([]));
    }
    set(body, "location", "Global");
}

fn policy_is_used(world: &World, policy: &Resource) -> Result<(), Failure> {
    let uses = |r: &&Resource| {
        text(&r.body, "properties.parameters.wafPolicy.id")
            .is_some_and(|id| id.eq_ignore_ascii_case(&policy.id))
    };
    match world.state.resources.of_kind(SECURITY).map(|(_, r)| r).find(uses) {
        Some(by) => Err(used(policy, by)),
        None => Ok(()),
    }
}

fn check_gateway_policy(asked: &Asked<'_>) -> Result<(), Failure> {
    let word = |c: char| alphanumeric(c) || c == '_';
    asked.named(1..=128, word, |c| alphanumeric(c) || "-._".contains(c), "InvalidResourceName")?;
    if list(asked.body, "properties.managedRules.managedRuleSets").is_empty() {
        return Err(bad("A WAF policy of a gateway needs a managed rule set."));
    }
    for set in list(asked.body, "properties.managedRules.managedRuleSets") {
        let of = |name: &str| set.get(name).and_then(Value::as_str).unwrap_or_default();
        let known =
            ["OWASP", "Microsoft_DefaultRuleSet", "Microsoft_BotManagerRuleSet", "Microsoft_HTTPDDoSRuleSet"];
        if !known.contains(&of("ruleSetType")) || of("ruleSetVersion").is_empty() {
            return Err(bad(format!("The managed rule set '{}' is not supported.", of("ruleSetType"))));
        }
    }
    check_custom_rules(list(asked.body, "properties.customRules"), "matchValues")
}

fn gateway_policy_is_used(world: &World, policy: &Resource) -> Result<(), Failure> {
    let names = |r: &Resource| {
        Value::Object(r.body.members())
            .to_string()
            .to_ascii_lowercase()
            .contains(&format!("\"{}\"", policy.key()))
    };
    let gateways = world.state.resources.of_kind("microsoft.network/applicationgateways");
    match gateways.map(|(_, r)| r).find(|r| names(r)) {
        Some(by) => Err(used(policy, by)),
        None => Ok(()),
    }
}
