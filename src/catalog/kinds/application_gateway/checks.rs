//! What can be wrong with an application gateway, and is known offline.

use super::spec::{Protocol, Spec};
use crate::catalog::kinds::naming::{NETWORK, NameRule};
use crate::catalog::kinds::parts::{known_part, within};
use crate::catalog::kinds::subnets;
use crate::catalog::{CheckContext, EntryCx, Problem};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::token::{display_text, has_token};
use std::collections::BTreeSet;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] =
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

/// What must hold between a gateway and the subnet in which its private link service gets addresses.
pub(super) fn around(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    let own = "/properties/gatewayIPConfigurations/0/properties/subnet/id";
    let link = "/properties/privateLinkConfigurations/0/properties/ipConfigurations/0/properties/subnet/id";
    let id = |pointer: &str| ArmId::parse(around.this.text(pointer)?).ok();
    if id(own).is_some_and(|own| id(link) == Some(own)) {
        let message = "nothing else can be in the subnet of the gateway";
        let told = Problem::error(&APPLICATION_GATEWAY_TRAFFIC, "privateLink.subnet", message);
        problems.push(told.help("name another subnet"));
    } else {
        subnets::takes_link_services(around, link, "privateLink.subnet", problems);
    }
}

impl Spec {
    pub(super) fn check(&self, name: &str, cx: &mut EntryCx<'_>) {
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
        if let Some(policy) =
            self.tls_policy.as_ref().filter(|name| !has_token(name) && !name.starts_with("AppGwSslPolicy"))
        {
            let message =
                format!("`{}` is not the name of rules of TLS that Azure keeps", display_text(policy));
            cx.problem(
                Problem::error(&APPLICATION_GATEWAY_TRAFFIC, "tlsPolicy", message)
                    .help("write one such as `AppGwSslPolicy20220101S`"),
            );
        }
        for (key, backend) in &self.backends {
            within(backend.probe_seconds, 1..=86_400, &format!("backends.{key}.probeSeconds"), cx);
            within(backend.drain_seconds, 1..=3_600, &format!("backends.{key}.drainSeconds"), cx);
            within(backend.timeout_seconds, 1..=86_400, &format!("backends.{key}.timeoutSeconds"), cx);
        }
        let traffic = [
            ("rewrites", self.rewrites.is_empty()),
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
        if let Some(link) = &self.private_link {
            let there = if link.private { self.private_ip.is_some() } else { self.public_ip.is_some() };
            if !there {
                let which = if link.private { "private" } else { "public" };
                let message = format!("the gateway has no {which} address that could be offered");
                wrong("privateLink".to_owned(), message, "add the address, or change `privateLink.private`");
            }
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
            if rule.redirect_to.is_some() && !rule.paths.is_empty() {
                let message = format!("`{key}` sends everything on, and has paths all the same");
                wrong(format!("rules.{key}.paths"), message, "write `backend:` in place of `redirectTo`");
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
            for (at, path) in &rule.paths {
                let place = format!("rules.{key}.paths.{at}.backend");
                known_part(&path.backend, self.backends.keys(), &place, "backend", cx);
            }
            if let Some(named) = &rule.rewrite {
                known_part(named, self.rewrites.keys(), &format!("rules.{key}.rewrite"), "rewrite", cx);
            }
            if let Some(named) = &rule.redirect_to {
                known_part(named, self.listeners.keys(), &format!("rules.{key}.redirectTo"), "listener", cx);
            }
        }
    }
}
