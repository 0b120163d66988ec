//! What can be wrong with a web app, and is known offline.

use super::body::{App, refuses_all};
use super::spec::{RestrictionSpec, Spec};
use crate::catalog::kinds::addresses::is_address;
use crate::catalog::kinds::naming::{NameRule, alphanumeric};
use crate::catalog::kinds::parts::{is_none_of, within};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::{display_text, has_token};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&WEB_APP_NAME, &WEB_APP_ACCESS, &WEB_APP_TLS];

const WEB_APP_NAME: Code = Code {
    name: "web-app-name",
    why: "The name of a web app or slot is part of a DNS name that all of Azure shares.",
    remedy: "Use 2 to 60 letters, digits and `-`; `uniqueString` keeps it apart from others.",
    example: "name: app-shop-${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &WEB_APP_NAME,
    what: "a web app",
    min: 2,
    max: 60,
    first: alphanumeric,
    inner: |c| alphanumeric(c) || c == '-',
    last: alphanumeric,
    says: "2 to 60 letters, digits and `-`, not starting or ending with `-`; names of web apps are taken worldwide, so \
           `${uniqueString(azure.resourceGroup)}` helps",
};

const WEB_APP_ACCESS: Code = Code {
    name: "web-app-access",
    why: "A rule about who may reach a web app is about one thing: an address, a service tag, a subnet or a Front Door.",
    remedy: "Write one of `ip`, `serviceTag`, `subnet` and `frontDoor` in each rule.",
    example: "accessRestrictions: { edge: { priority: 100, frontDoor: '${frontDoors.edge}' } }",
};

const WEB_APP_TLS: Code = Code {
    name: "web-app-tls",
    why: "The versions of TLS are 1.0 to 1.3.",
    remedy: "Write `1.2` or `1.3`, as a text.",
    example: "config: { minTls: '1.2' }",
};

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    NAME.check(&cx.common.name.clone(), "name", cx);
    check_app(&App::of(spec), "", cx);
    if let Some(logs) = &spec.logs {
        within(logs.request_days, 1..=99_999, "logs.requestDays", cx);
        within(logs.request_mb, 25..=100, "logs.requestMb", cx);
    }
    for (key, slot) in &spec.slots {
        let name = slot.name(key);
        NAME.check(name, &format!("slots.{key}"), cx);
        if name.eq_ignore_ascii_case("production") {
            let message = "`production` is what Azure calls the web app itself, among its slots";
            let path = format!("slots.{key}");
            cx.problem(Problem::error(&WEB_APP_NAME, path, message).help("give the slot another name"));
        }
        check_app(&App::of_slot(slot), &format!("slots.{key}."), cx);
    }
}

fn check_app(app: &App<'_>, at: &str, cx: &mut EntryCx<'_>) {
    let versions = [("minTls", &app.config.min_tls), ("deploymentMinTls", &app.config.deployment_min_tls)];
    for (field, version) in
        versions.into_iter().filter_map(|(field, version)| Some((field, version.as_ref()?)))
    {
        if is_none_of(version, &["1.0", "1.1", "1.2", "1.3"]) {
            let message = format!("`{}` is not a version of TLS", display_text(version));
            cx.problem(
                Problem::error(&WEB_APP_TLS, format!("{at}config.{field}"), message)
                    .help("write `1.2` or `1.3` in quotes"),
            );
        }
    }
    within(app.config.workers, 1..=30, &format!("{at}config.workers"), cx);
    if refuses_all(app) && app.public_access != Some(false) {
        let message = "the default refuses all requests and no rule allows any";
        cx.problem(
            Problem::warning(&WEB_APP_ACCESS, format!("{at}config.defaultAccess"), message)
                .help("write `publicAccess: false`, which says the same, or add `accessRestrictions`"),
        );
    }
    for (key, rule) in app.access_restrictions {
        check_rule(rule, &format!("{at}accessRestrictions.{key}"), cx);
    }
}

fn check_rule(rule: &RestrictionSpec, path: &str, cx: &mut EntryCx<'_>) {
    within(Some(rule.priority), 1..=2_147_483_646, &format!("{path}.priority"), cx);
    let said =
        [rule.ip.is_some(), rule.service_tag.is_some(), rule.subnet.is_some(), rule.front_door.is_some()];
    let number = said.iter().filter(|said| **said).count();
    if number != 1 {
        let what = if number == 0 { "nothing" } else { "several things" };
        let message = format!("this rule is about {what}");
        cx.problem(
            Problem::error(&WEB_APP_ACCESS, path, message)
                .help("write exactly one of `ip`, `serviceTag`, `subnet` and `frontDoor`"),
        );
    }
    if let Some(ip) = rule.ip.as_deref().filter(|ip| !has_token(ip) && !is_address(ip)) {
        let message = format!("`{}` is not an address or a range of addresses", display_text(ip));
        cx.problem(
            Problem::error(&WEB_APP_ACCESS, format!("{path}.ip"), message)
                .help("write an address or a CIDR block, such as `203.0.113.0/24`"),
        );
    }
}
