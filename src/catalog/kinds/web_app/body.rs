//! The bodies of a web app, its slots and their configuration.

use super::spec::{Access, ConfigSpec, LogsSpec, RestrictionSpec, SlotSpec, Spec};
use crate::catalog::kinds::app_service_plan::Os;
use crate::catalog::kinds::parts::{identity, members, switch};
use crate::catalog::{EntryCx, Named, Reference};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an app and a slot have both.
pub(super) struct App<'a> {
    pub(super) public_access: Option<bool>,
    pub(super) https_only: Option<bool>,
    pub(super) client_affinity: Option<bool>,
    pub(super) subnet: Option<&'a Reference>,
    pub(super) route_all: Option<bool>,
    pub(super) identities: &'a [Reference],
    pub(super) key_vault_identity: Option<&'a Reference>,
    pub(super) config: &'a ConfigSpec,
    pub(super) app_settings: &'a BTreeMap<String, String>,
    pub(super) access_restrictions: &'a Named<RestrictionSpec>,
}

impl<'a> App<'a> {
    pub(super) fn of(spec: &'a Spec) -> Self {
        App {
            public_access: spec.public_access,
            https_only: spec.https_only,
            client_affinity: spec.client_affinity,
            subnet: spec.subnet.as_ref(),
            route_all: spec.route_all,
            identities: &spec.identities,
            key_vault_identity: spec.key_vault_identity.as_ref(),
            config: &spec.config,
            app_settings: &spec.app_settings,
            access_restrictions: &spec.access_restrictions,
        }
    }

    pub(super) fn of_slot(slot: &'a SlotSpec) -> Self {
        App {
            public_access: slot.public_access,
            https_only: slot.https_only,
            client_affinity: slot.client_affinity,
            subnet: slot.subnet.as_ref(),
            route_all: slot.route_all,
            identities: &slot.identities,
            key_vault_identity: slot.key_vault_identity.as_ref(),
            config: &slot.config,
            app_settings: &slot.app_settings,
            access_restrictions: &slot.access_restrictions,
        }
    }

    /// The site or slot, with everything that is configured in it.
    pub(super) fn site(&self, plan: &Reference, os: Os, cx: &EntryCx<'_>) -> Value {
        let linux = os == Os::Linux;
        let mut config = self.config(os);
        if !self.app_settings.is_empty() {
            let settings =
                self.app_settings.iter().map(|(name, value)| json!({ "name": name, "value": value }));
            config["appSettings"] = settings.collect();
        }
        let configured = config.as_object().is_some_and(|config| !config.is_empty());
        let properties = members([
            ("serverFarmId", Some(plan.id().into())),
            ("reserved", Some(linux.into())),
            ("httpsOnly", Some(self.https_only.unwrap_or(true).into())),
            ("clientAffinityEnabled", self.client_affinity.map(Value::from)),
            ("publicNetworkAccess", self.public_access.map(switch)),
            ("virtualNetworkSubnetId", self.subnet.map(|subnet| subnet.id().into())),
            ("outboundVnetRouting", self.route_all.map(|all| json!({ "allTraffic": all }))),
            ("keyVaultReferenceIdentity", self.key_vault_identity.map(vault_identity)),
            ("siteConfig", configured.then_some(config)),
        ]);
        let mut body = cx.tracked(properties);
        body["kind"] = json!(if linux { "app,linux" } else { "app" });
        if let Some(identity) = identity(self.identities, "SystemAssigned, UserAssigned") {
            body["identity"] = identity;
        }
        body
    }

    /// What is configured in the site, as `config/web` shows it.
    pub(super) fn config(&self, os: Os) -> Value {
        let config = self.config;
        let runtime = |of: Os| config.runtime.clone().filter(|_| os == of).map(Value::from);
        let rules: Vec<Value> =
            self.access_restrictions.iter().map(|(name, rule)| restriction(name, rule)).collect();
        members([
            ("linuxFxVersion", runtime(Os::Linux)),
            ("windowsFxVersion", runtime(Os::Windows)),
            ("appCommandLine", config.start_command.clone().map(Value::from)),
            ("alwaysOn", config.always_on.map(Value::from)),
            ("http20Enabled", config.http2.map(Value::from)),
            ("webSocketsEnabled", config.web_sockets.map(Value::from)),
            ("minTlsVersion", config.min_tls.clone().map(Value::from)),
            ("ftpsState", config.ftps.map(|ftps| json!(ftps))),
            ("healthCheckPath", config.health_check_path.clone().map(Value::from)),
            ("acrUseManagedIdentityCreds", config.pull_with_identity.map(Value::from)),
            (
                "cors",
                config.cors.as_ref().map(|cors| {
                    members([
                        ("allowedOrigins", Some(json!(cors.origins))),
                        ("supportCredentials", cors.credentials.map(Value::from)),
                    ])
                }),
            ),
            ("numberOfWorkers", config.workers.map(Value::from)),
            ("scmMinTlsVersion", config.deployment_min_tls.clone().map(Value::from)),
            ("ipSecurityRestrictions", (!rules.is_empty()).then_some(Value::Array(rules))),
            ("ipSecurityRestrictionsDefaultAction", config.default_access.map(|access| json!(access))),
        ])
    }
}

fn vault_identity(identity: &Reference) -> Value {
    match identity.0.as_str() {
        "system" => "SystemAssigned".into(),
        _ => identity.id().into(),
    }
}

/// A rule about who may reach an app.
fn restriction(name: &str, rule: &RestrictionSpec) -> Value {
    let tag = rule.service_tag.clone().or_else(|| rule.front_door.as_ref().map(|_| FRONT_DOOR.to_owned()));
    let address = match &rule.ip {
        // Azure takes ranges only.
        Some(ip) if !ip.contains('/') && ip.parse::<std::net::Ipv4Addr>().is_ok() => Some(format!("{ip}/32")),
        Some(ip) if !ip.contains('/') && ip.parse::<std::net::Ipv6Addr>().is_ok() => {
            Some(format!("{ip}/128"))
        }
        Some(ip) => Some(ip.clone()),
        None => tag.clone(),
    };
    let through = rule.front_door.as_ref().map(|door| json!({ "x-azure-fdid": [door.facet("frontDoorId")] }));
    members([
        ("name", Some(name.into())),
        ("priority", Some(rule.priority.into())),
        ("action", Some(json!(rule.action))),
        ("ipAddress", address.map(Value::from)),
        ("tag", tag.map(|_| "ServiceTag".into())),
        ("vnetSubnetResourceId", rule.subnet.as_ref().map(|subnet| subnet.id().into())),
        ("headers", through),
        ("description", rule.description.clone().map(Value::from)),
    ])
}

/// The addresses that every Front Door calls its origins from.
const FRONT_DOOR: &str = "AzureFrontDoor.Backend";

/// Whether somebody is refused whatever the rules say, so that a rule would never let anybody in.
pub(super) fn refuses_all(app: &App<'_>) -> bool {
    app.config.default_access == Some(Access::Deny) && app.access_restrictions.is_empty()
}

/// What an app writes down.
pub(super) fn logs(logs: &LogsSpec) -> Value {
    let requests = logs.request_days.map(|days| {
        json!({ "fileSystem": {
            "enabled": true, "retentionInDays": days, "retentionInMb": logs.request_mb.unwrap_or(35),
        } })
    });
    json!({ "properties": members([
        ("applicationLogs", logs.level.map(|level| json!({ "fileSystem": { "level": level } }))),
        ("httpLogs", requests),
        ("detailedErrorMessages", logs.error_pages.map(|on| json!({ "enabled": on }))),
    ]) })
}
