//! One file a section of the blueprint, and the one line that registers it.

use super::kind::Kind;

// What has no section of its own: what several kinds share, and what the engine asks for by itself.
mod addresses;
mod builtin_policies;
pub mod builtin_roles;
pub mod key_vault_secret;
mod naming;
mod network_peering;
pub mod private_dns;
pub mod private_link;
mod ranges;
pub mod registration;
mod role_scope;
mod scope;

macro_rules! kinds {
    ($($file:ident::$kind:ident),* $(,)?) => {
        $(pub mod $file;)*
        /// Every section of the blueprint.
        pub(super) const KINDS: &[Kind] = &[$(Kind::of::<$file::$kind>()),*];
    };
}

kinds! {
    resource_group::ResourceGroup,
    network::Network,
    network_security_group::NetworkSecurityGroup,
    route_table::RouteTable,
    nat_gateway::NatGateway,
    public_ip::PublicIp,
    private_dns_zone::PrivateDnsZone,
    identity::Identity,
    key_vault::KeyVault,
    cluster::Cluster,
    private_endpoint::PrivateEndpoint,
    role_assignment::RoleAssignment,
    policy_assignment::PolicyAssignment,
    lock::Lock,
    log_workspace::LogWorkspace,
    generic::Generic,
}

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
        let mut cx = EntryCx { address, key, common, drafts: Vec::new(), problems: Vec::new() };
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
        problems.into_iter().map(|problem| problem.code).collect()
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
