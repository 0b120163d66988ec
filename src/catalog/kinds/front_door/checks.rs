//! What can be wrong with a Front Door, and is known offline.

use super::spec::{OriginSpec, Sku, Spec};
use crate::catalog::kinds::naming::{NameRule, alphanumeric};
use crate::catalog::kinds::parts::{known_part, within};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::display_text;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &FRONT_DOOR_NAME,
    &FRONT_DOOR_PRIVATE_LINK,
    &FRONT_DOOR_ORIGINS,
    &FRONT_DOOR_ROUTE,
    &FRONT_DOOR_GUARDED,
    &FRONT_DOOR_CERTIFICATE,
];

const FRONT_DOOR_NAME: Code = Code {
    name: "front-door-name",
    why: "The name cannot be that of a Front Door or of the part of one.",
    remedy: "Use letters, digits and `-`, a letter or digit at both ends; rule sets and rules have letters and digits only.",
    example: "name: afd-shop",
};

const fn rule(what: &'static str, min: usize, max: usize) -> NameRule {
    NameRule {
        code: &FRONT_DOOR_NAME,
        what,
        min,
        max,
        first: alphanumeric,
        inner: |c| alphanumeric(c) || c == '-',
        last: alphanumeric,
        says: "letters, digits and `-`, not starting or ending with `-`, and not too many",
    }
}

const NAME: NameRule = rule("a Front Door", 1, 90);
const ENDPOINT: NameRule = rule("an endpoint of a Front Door", 2, 46);
const PART: NameRule = rule("a part of a Front Door", 1, 90);
const DOMAIN: NameRule = rule("a custom domain of a Front Door", 2, 260);
const RULES: NameRule = NameRule {
    first: |c| c.is_ascii_alphabetic(),
    inner: alphanumeric,
    says: "1 to 60 letters and digits, starting with a letter",
    ..rule("a rule set or rule of a Front Door", 1, 60)
};

const FRONT_DOOR_PRIVATE_LINK: Code = Code {
    name: "front-door-private-link",
    why: "Private link is for Premium Front Doors, checks the certificate's name, and all origins of a group have it or none.",
    remedy: "Write `sku: Premium`, or take `privateLink` out.",
    example: "frontDoors: { edge: { sku: Premium } }",
};

const FRONT_DOOR_ORIGINS: Code = Code {
    name: "front-door-origins",
    why: "Azure refuses a route to a group that has no origin which is on.",
    remedy: "Add an origin to the group, or take the route out.",
    example: "origins: { shop: { group: web, hostName: shop.example.com } }",
};

const FRONT_DOOR_ROUTE: Code = Code {
    name: "front-door-route",
    why: "A route is for some name and some protocol, and its redirect to HTTPS needs both protocols.",
    remedy: "Write it as the message says.",
    example: "routes: { all: { protocols: [Http, Https], httpsRedirect: true } }",
};

const FRONT_DOOR_CERTIFICATE: Code = Code {
    name: "front-door-certificate",
    why: "A Front Door reads certificates from key vaults with an identity of its own.",
    remedy: "Write `identities: [system]`.",
    example: "certificates: { shop: { vault: '${keyVaults.certificates}', certificate: shop-example-com } }",
};

const FRONT_DOOR_GUARDED: Code = Code {
    name: "front-door-guarded",
    why: "A security policy guards one name at least, and a name has one security policy.",
    remedy: "Name endpoints or custom domains, each in one security policy.",
    example: "securityPolicies: { waf: { policy: '${wafPolicies.edge}', endpoints: [shop] } }",
};

impl Spec {
    pub(super) fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        within(self.response_timeout_seconds, 16..=240, "responseTimeoutSeconds", cx);
        for (key, endpoint) in &self.endpoints {
            ENDPOINT.check(endpoint.name(key), &format!("endpoints.{key}"), cx);
        }
        for (key, group) in &self.origin_groups {
            PART.check(group.name(key), &format!("originGroups.{key}"), cx);
            let interval = group.probe.as_ref().and_then(|probe| probe.interval_seconds);
            within(interval, 1..=255, &format!("originGroups.{key}.probe.intervalSeconds"), cx);
        }
        for (key, set) in &self.rule_sets {
            RULES.check(set.name(key), &format!("ruleSets.{key}"), cx);
            for (name, rule) in &set.rules {
                RULES.check(rule.name(name), &format!("ruleSets.{key}.rules.{name}"), cx);
            }
        }
        for (key, domain) in &self.custom_domains {
            DOMAIN.check(&domain.azure_name(), &format!("customDomains.{key}"), cx);
            if let Some(named) = &domain.certificate {
                let path = format!("customDomains.{key}.certificate");
                known_part(named, self.certificates.keys(), &path, "certificate", cx);
            }
        }
        if !self.certificates.is_empty() && self.identities.is_empty() {
            let message = "no identity of the Front Door could read its certificates";
            cx.problem(Problem::error(&FRONT_DOOR_CERTIFICATE, "certificates", message).help(
                "write `identities: [system]`, and give it the role Key Vault Secrets User on the vault",
            ));
        }
        for (key, origin) in &self.origins {
            self.check_origin(origin, key, cx);
        }
        self.check_routes(cx);
        self.check_security(cx);
    }

    fn check_origin(&self, origin: &OriginSpec, key: &str, cx: &mut EntryCx<'_>) {
        let at = format!("origins.{key}");
        PART.check(origin.name(key), &at, cx);
        within(origin.priority, 1..=5, &format!("{at}.priority"), cx);
        within(origin.weight, 1..=1000, &format!("{at}.weight"), cx);
        let group = self.meant(origin.group.as_deref(), &at, "group", cx);
        let Some(link) = &origin.private_link else { return };
        let path = format!("{at}.privateLink");
        if link.target.path().is_none() && link.target.literal_id().is_none() {
            let message = format!("`{}` is not a resource", display_text(&link.target.0));
            cx.problem(
                Problem::error(&FRONT_DOOR_PRIVATE_LINK, format!("{path}.target"), message)
                    .help("write a reference such as `${webApps.shop}`, or an ARM id"),
            );
        }
        if self.sku == Sku::Standard {
            let message = "a Standard Front Door has no private link";
            cx.problem(
                Problem::error(&FRONT_DOOR_PRIVATE_LINK, path.clone(), message)
                    .help("write `sku: Premium`; a Standard one cannot become Premium in place"),
            );
        }
        if origin.check_certificate == Some(false) {
            let message = "an origin with private link has the name of its certificate checked";
            cx.problem(
                Problem::error(&FRONT_DOOR_PRIVATE_LINK, format!("{at}.checkCertificate"), message)
                    .help("take `checkCertificate: false` out"),
            );
        }
        let length = link.message.as_deref().map_or(0, |message| message.chars().count());
        if length > 140 {
            let message = format!("the message has {length} characters, and Azure takes 140");
            cx.problem(
                Problem::error(&FRONT_DOOR_PRIVATE_LINK, format!("{path}.message"), message)
                    .help("write a shorter one, or leave it out"),
            );
        }
        let mixed = self.origins.iter().find(|(_, other)| {
            other.private_link.is_none() && self.group_of(other.group.as_deref()) == group
        });
        if let Some((other, _)) = mixed {
            let message = format!("`{key}` has private link and `{other}` of the same group has not");
            cx.problem(
                Problem::error(&FRONT_DOOR_PRIVATE_LINK, path, message)
                    .help("put them into two groups, or give both `privateLink`"),
            );
        }
    }

    /// The key of the origin group that a part means; reports one that there is not, or that is left open.
    fn meant<'a>(&'a self, said: Option<&'a str>, at: &str, field: &str, cx: &mut EntryCx<'_>) -> &'a str {
        let groups = &self.origin_groups;
        match said {
            Some(key) => known_part(key, groups.keys(), &format!("{at}.{field}"), "origin group", cx),
            None if groups.len() != 1 => {
                let message = format!("there are {} origin groups, and this names none", groups.len());
                let help = format!("write `{field}:` with the key of one of `originGroups`");
                cx.problem(Problem::error(&FRONT_DOOR_ORIGINS, at, message).help(help));
            }
            None => {}
        }
        self.group_of(said)
    }

    fn check_routes(&self, cx: &mut EntryCx<'_>) {
        for (key, route) in &self.routes {
            let at = format!("routes.{key}");
            PART.check(route.name(key), &at, cx);
            let group = self.meant(route.origin_group.as_deref(), &at, "originGroup", cx);
            match &route.endpoint {
                Some(endpoint) => {
                    known_part(endpoint, self.endpoints.keys(), &format!("{at}.endpoint"), "endpoint", cx);
                }
                None if self.endpoints.len() != 1 => {
                    let message =
                        format!("there are {} endpoints, and this names none", self.endpoints.len());
                    let help = "write `endpoint:` with the key of one of `endpoints`";
                    cx.problem(Problem::error(&FRONT_DOOR_ROUTE, at.clone(), message).help(help));
                }
                None => {}
            }
            for (field, keys, all, what) in [
                (
                    "customDomains",
                    &route.custom_domains,
                    self.custom_domains.keys().collect::<Vec<_>>(),
                    "custom domain",
                ),
                ("ruleSets", &route.rule_sets, self.rule_sets.keys().collect(), "rule set"),
            ] {
                for (index, named) in keys.iter().enumerate() {
                    known_part(named, all.iter().copied(), &format!("{at}.{field}[{index}]"), what, cx);
                }
            }
            let serves = |origin: &OriginSpec| {
                origin.enabled != Some(false) && self.group_of(origin.group.as_deref()) == group
            };
            if !self.origins.values().any(serves) {
                let message = format!("the origin group `{group}` of this route has no origin that is on");
                cx.problem(
                    Problem::error(&FRONT_DOOR_ORIGINS, at.clone(), message)
                        .help("add one to `origins`, or take the route out"),
                );
            }
            if route.https_redirect != Some(false) && route.protocols.len() == 1 {
                let message = "a redirect to HTTPS needs both protocols";
                cx.problem(
                    Problem::error(&FRONT_DOOR_ROUTE, format!("{at}.protocols"), message)
                        .help("write `httpsRedirect: false`, or both protocols"),
                );
            }
            if route.default_domain == Some(false) && route.custom_domains.is_empty() {
                let message = "the route is for no name at all";
                cx.problem(
                    Problem::error(&FRONT_DOOR_ROUTE, format!("{at}.defaultDomain"), message)
                        .help("name `customDomains`, or take `defaultDomain: false` out"),
                );
            }
        }
    }

    fn check_security(&self, cx: &mut EntryCx<'_>) {
        let mut seen: Vec<(&str, &str, &str)> = Vec::new();
        for (key, policy) in &self.security_policies {
            let at = format!("securityPolicies.{key}");
            PART.check(policy.name(key), &at, cx);
            if policy.endpoints.is_empty() && policy.custom_domains.is_empty() {
                let message = "this security policy guards nothing";
                cx.problem(
                    Problem::error(&FRONT_DOOR_GUARDED, at.clone(), message)
                        .help("name `endpoints` or `customDomains`"),
                );
            }
            for (field, keys, all, what) in [
                ("endpoints", &policy.endpoints, self.endpoints.keys().collect::<Vec<_>>(), "endpoint"),
                (
                    "customDomains",
                    &policy.custom_domains,
                    self.custom_domains.keys().collect(),
                    "custom domain",
                ),
            ] {
                for (index, named) in keys.iter().enumerate() {
                    let path = format!("{at}.{field}[{index}]");
                    known_part(named, all.iter().copied(), &path, what, cx);
                    if let Some((_, _, other)) =
                        seen.iter().find(|(of, name, _)| of == &field && name == named)
                    {
                        let message = format!("`{named}` is guarded by `{other}` already");
                        cx.problem(
                            Problem::error(&FRONT_DOOR_GUARDED, path, message)
                                .help("take it out of one of them"),
                        );
                    }
                    seen.push((field, named, key));
                }
            }
        }
    }
}
