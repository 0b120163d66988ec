//! One file for each section of the blueprint, its `mod` line, and the line of `KINDS` that registers it.

use super::kind::Kind;
use crate::diag::Code;

mod addresses;
pub mod alerting;
pub mod api_management;
pub mod app_service_plan;
pub mod application_gateway;
pub mod approval;
pub mod builtin_policies;
pub mod builtin_roles;
pub mod cluster;
pub mod collection;
pub mod container_registry;
pub mod cosmos_account;
pub mod event_hubs;
pub mod existing;
pub mod front_door;
pub mod generic;
pub mod grafana;
pub mod identity;
mod interval;
pub mod key_vault;
pub mod key_vault_key;
pub mod key_vault_secret;
pub mod lock;
pub mod log_workspace;
mod messaging;
pub mod monitor_workspace;
mod naming;
pub mod nat_gateway;
pub mod network;
mod network_peering;
pub mod network_security_group;
mod parts;
pub mod policy_assignment;
mod policy_states;
pub mod private_dns;
pub mod private_dns_zone;
pub mod private_endpoint;
pub mod private_link;
pub mod private_link_service;
pub mod public_ip;
mod ranges;
pub mod redis;
pub mod registration;
mod requesters;
pub mod resource_group;
pub mod role_assignment;
mod role_scope;
mod role_words;
pub mod route_table;
mod scope;
pub mod service_bus;
pub mod sql_server;
pub mod storage_account;
mod subnets;
pub mod waf_policy;
pub mod web_app;

/// Every section of the blueprint, in the order of the reference.
pub(super) const KINDS: &[Kind] = &[
    Kind::of::<resource_group::ResourceGroup>(),
    Kind::of::<network::Network>(),
    Kind::of::<network_security_group::NetworkSecurityGroup>(),
    Kind::of::<route_table::RouteTable>(),
    Kind::of::<nat_gateway::NatGateway>(),
    Kind::of::<public_ip::PublicIp>(),
    Kind::of::<private_dns_zone::PrivateDnsZone>(),
    Kind::of::<identity::Identity>(),
    Kind::of::<key_vault::KeyVault>(),
    Kind::of::<cluster::Cluster>(),
    Kind::of::<app_service_plan::AppServicePlan>(),
    Kind::of::<web_app::WebApp>(),
    Kind::of::<waf_policy::WafPolicy>(),
    Kind::of::<front_door::FrontDoor>(),
    Kind::of::<sql_server::SqlServer>(),
    Kind::of::<container_registry::ContainerRegistry>(),
    Kind::of::<storage_account::StorageAccount>(),
    Kind::of::<private_link_service::PrivateLinkService>(),
    Kind::of::<application_gateway::ApplicationGateway>(),
    Kind::of::<api_management::ApiManagement>(),
    Kind::of::<cosmos_account::CosmosAccount>(),
    Kind::of::<service_bus::ServiceBus>(),
    Kind::of::<event_hubs::EventHubs>(),
    Kind::of::<redis::Redis>(),
    Kind::of::<private_endpoint::PrivateEndpoint>(),
    Kind::of::<approval::Approvals>(),
    Kind::of::<role_assignment::RoleAssignment>(),
    Kind::of::<policy_assignment::PolicyAssignment>(),
    Kind::of::<lock::Lock>(),
    Kind::of::<log_workspace::LogWorkspace>(),
    Kind::of::<monitor_workspace::MonitorWorkspace>(),
    Kind::of::<collection::endpoint::Endpoint>(),
    Kind::of::<collection::rule::CollectionRule>(),
    Kind::of::<collection::diagnostic_setting::DiagnosticSetting>(),
    Kind::of::<alerting::action_group::ActionGroup>(),
    Kind::of::<alerting::metric_alert::MetricAlert>(),
    Kind::of::<alerting::log_alert::LogAlert>(),
    Kind::of::<alerting::prometheus_rules::PrometheusRules>(),
    Kind::of::<grafana::Grafana>(),
    Kind::of::<generic::Generic>(),
    Kind::of::<existing::Existing>(),
];

/// The diagnostics that several kinds can cause.
pub(super) const SHARED_CODES: &[&[&Code]] = &[
    addresses::CODES,
    alerting::CODES,
    collection::CODES,
    messaging::CODES,
    naming::CODES,
    parts::CODES,
    private_dns::CODES,
    ranges::CODES,
    role_scope::CODES,
    scope::CODES,
    super::entry::CODES,
    super::held::CODES,
];

/// What the tests of kinds share.
#[cfg(test)]
pub(crate) mod testing {
    use crate::catalog::{Common, Draft, DraftId, EntryCx, Problem, registry};
    use crate::ident::Address;
    use crate::value::token::Token;
    use crate::value::{Comparison, diff};
    use serde_json::Value;

    /// Expands an entry of a section: subscription `sub`, tenant `tenant`, group `rg` in `westeurope`.
    ///
    /// Of the fields of every entry it takes `name`, `location`, `tags`, `properties` and `resourceGroup` out.
    pub(crate) fn expand(section: &str, key: &str, mut fields: Value) -> (Vec<Draft>, Vec<Problem>) {
        let kind = registry().iter().find(|kind| kind.section == section).unwrap();
        let members = fields.as_object_mut().unwrap();
        let mut text = |name: &str, or: &str| match members.shift_remove(name) {
            Some(value) => value.as_str().unwrap().to_owned(),
            None => or.to_owned(),
        };
        let common = Common {
            name: text("name", key),
            subscription: "sub".into(),
            tenant: "tenant".into(),
            resource_group: text("resourceGroup", "rg"),
            location: text("location", "westeurope"),
            tags: members
                .shift_remove("tags")
                .map(|tags| tags.as_object().unwrap().clone())
                .unwrap_or_default(),
            properties: members.shift_remove("properties"),
            ..Common::default()
        };
        let address = Address::new(section).child(key);
        let mut cx = EntryCx {
            address,
            key,
            common,
            types: &|_| None,
            ids: &|_| None,
            drafts: Vec::new(),
            problems: Vec::new(),
        };
        (kind.expand)(fields, &mut cx);
        (cx.drafts, cx.problems)
    }

    /// A reference into the blueprint, as an expression gives it.
    pub(crate) fn reference(path: &str) -> String {
        Token::Reference { path: path.to_owned(), facet: String::new() }.encode()
    }

    /// A reference that wants a facet.
    pub(crate) fn wants(path: &str, facet: &str) -> String {
        Token::want(&reference(path), facet)
    }

    /// A secret parameter, as an expression gives it.
    pub(crate) fn secret(name: &str) -> String {
        Token::Secret { name: name.to_owned() }.encode()
    }

    /// The codes of the problems.
    pub(crate) fn codes((_, problems): (Vec<Draft>, Vec<Problem>)) -> Vec<&'static str> {
        problems.into_iter().map(|problem| problem.code.name).collect()
    }

    /// The id of a draft that has one of its own.
    pub(crate) fn id(draft: &Draft) -> &str {
        match &draft.id {
            DraftId::Text(text) => text,
            DraftId::Guid { .. } => panic!("the id of {} is made of seeds", draft.address),
        }
    }

    /// The paths at which a live body is not as a draft asks; those that replace have a `!` behind them.
    pub(crate) fn changes(draft: &Draft, live: &Value) -> Vec<String> {
        let rules = draft.kind.compiled();
        let comparison = Comparison { rules, applied: Some(&draft.body), secret_changed: &|_, _| false };
        let mark = |replaces| if replaces { "!" } else { "" };
        diff(&draft.body, live, &comparison)
            .into_iter()
            .map(|change| change.path + mark(change.forces_replace))
            .collect()
    }
}
