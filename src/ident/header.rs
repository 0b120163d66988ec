//! What a run is for, and where it works.

use super::Owner;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What plans, questions and reports open with. It holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// The blueprint's name.
    pub blueprint: String,
    /// The environment's name; absent when the run has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Which Azure: `public`, `usgov` or `china`; `simulator`; `loopback` for an address of this machine; or the host of
    /// the endpoint that was named.
    pub azure: String,
    /// The tenant of the caller, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The subscription's id, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The subscription's name, when the caller may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_name: Option<String>,
    /// Where the ledger is.
    pub ledger: String,
    /// Who is signed in, as the token says; absent when no sign-in was needed, or the token does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

impl Header {
    /// What it says, for people: a name and a text a line.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let azure = match self.azure.as_str() {
            "simulator" => "the simulator: nothing happens in Azure".to_owned(),
            "loopback" => "an endpoint on this machine, not Azure".to_owned(),
            "public" => "the public cloud".to_owned(),
            "usgov" => "the cloud of the US government".to_owned(),
            "china" => "the cloud of China".to_owned(),
            host => format!("the endpoint {host}"),
        };
        let unknown = || "not known".to_owned();
        let subscription = match (&self.subscription, &self.subscription_name) {
            (Some(id), Some(name)) => format!("{name} ({id})"),
            (Some(id), None) => id.clone(),
            (None, _) => unknown(),
        };
        vec![
            ("Blueprint", Owner::new(self.blueprint.clone()).within(self.environment.clone()).in_words()),
            ("Azure", azure),
            ("Tenant", self.tenant.clone().unwrap_or_else(unknown)),
            ("Subscription", subscription),
            ("Ledger", self.ledger.clone()),
            ("Signed in", self.caller.clone().unwrap_or_else(unknown)),
        ]
    }

    /// What it says in a question: `shop, environment prod, in the subscription Production (…)`.
    pub fn in_words(&self) -> String {
        let owner = Owner::new(self.blueprint.clone()).within(self.environment.clone()).in_words();
        let place = match (&self.azure[..], &self.subscription_name, &self.subscription) {
            ("simulator", ..) => " on the simulator".to_owned(),
            (_, Some(name), Some(id)) => format!(", in the subscription {name} ({id})"),
            (_, None, Some(id)) => format!(", in the subscription {id}"),
            _ => String::new(),
        };
        format!("{owner}{place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_a_run_is_for() {
        let header = Header {
            blueprint: "shop".into(),
            environment: Some("prod".into()),
            azure: "public".into(),
            tenant: Some("t".into()),
            subscription: Some("s".into()),
            subscription_name: Some("Production".into()),
            ledger: "azblob://a/b/shop.prod".into(),
            caller: Some("ada@example.com".into()),
        };
        let rows: Vec<String> =
            header.rows().into_iter().map(|(name, text)| format!("{name}: {text}")).collect();
        assert_eq!(
            rows,
            [
                "Blueprint: shop, environment prod",
                "Azure: the public cloud",
                "Tenant: t",
                "Subscription: Production (s)",
                "Ledger: azblob://a/b/shop.prod",
                "Signed in: ada@example.com",
            ]
        );
        assert_eq!(header.in_words(), "shop, environment prod, in the subscription Production (s)");
        let little = Header { blueprint: "shop".into(), azure: "simulator".into(), ..Header::default() };
        assert_eq!(little.in_words(), "shop on the simulator");
        assert_eq!(little.rows()[3].1, "not known");
    }
}
