//! Resource providers and preview features that a subscription must have registered
//! (<https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types>).
//!
//! No section of a blueprint asks for these: they follow from the types of the other resources. Both are read with
//! GET and brought about with `POST …/register`; neither is ever taken back, since others may use them.

use crate::catalog::{DeleteMode, Draft, Listing, Provisioning, ResourceType};
use crate::ident::Address;
use crate::value::Rule;
use serde_json::json;
use std::time::Duration;

/// A resource provider, as a subscription sees it.
pub static PROVIDER: ResourceType = ResourceType {
    delete: DeleteMode::Never,
    tags: false,
    rules: &[Rule::at("registrationState").fold_case()],
    // Usually well under two minutes, now and then half an hour.
    listing: Listing::Collection,
    expected: Duration::from_secs(60),
    timeout: Duration::from_secs(45 * 60),
    ..ResourceType::new("Microsoft.Resources/providers", "2025-04-01", "resource provider")
};

/// A preview feature of a provider.
pub static FEATURE: ResourceType = ResourceType {
    delete: DeleteMode::Never,
    tags: false,
    rules: &[Rule::at("properties.state").fold_case()],
    listing: Listing::Collection,
    expected: Duration::from_secs(5 * 60),
    timeout: Duration::from_secs(45 * 60),
    ..ResourceType::new("Microsoft.Features/features", "2021-07-01", "preview feature")
};

/// The registration of a provider namespace (`Microsoft.KeyVault`) in a subscription.
pub fn provider(subscription: &str, namespace: &str) -> Draft {
    let id = subscription_scope(subscription) + "/providers/" + namespace;
    let body = json!({ "registrationState": "Registered" });
    registration(Draft::new(Address::new("providers").child(namespace), id, &PROVIDER, body))
}

impl Draft {
    /// The same of another subscription than the blueprint's, which has an address of its own.
    pub fn elsewhere(self, subscription: &str) -> Self {
        let address = Address::new(format!("{}[{subscription}]", self.address));
        Draft { address, ..self }
    }
}

/// The registration of a preview feature of a provider in a subscription.
///
/// A feature takes effect only once its provider has been registered again afterwards, which the engine does.
pub fn feature(subscription: &str, namespace: &str, name: &str) -> Draft {
    let address = Address::new("features").child(namespace).child(name);
    let scope = subscription_scope(subscription);
    let id = format!("{scope}/providers/Microsoft.Features/providers/{namespace}/features/{name}");
    registration(Draft::new(address, id, &FEATURE, json!({ "properties": { "state": "Registered" } })))
}

/// The id of a subscription, which may be a token.
pub(super) fn subscription_scope(subscription: &str) -> String {
    format!("/subscriptions/{subscription}")
}

fn registration(draft: Draft) -> Draft {
    Draft { operation: Provisioning::Registration, ..draft.shared() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::DraftId;
    use crate::value::{Comparison, diff};

    fn id(draft: &Draft) -> &str {
        match &draft.id {
            DraftId::Text(text) => text,
            DraftId::Guid { .. } => panic!("registrations have ids of their own"),
        }
    }

    #[test]
    fn registrations_are_shared_and_never_removed() {
        let provider = provider("s", "Microsoft.KeyVault");
        assert_eq!(id(&provider), "/subscriptions/s/providers/Microsoft.KeyVault");
        assert_eq!(provider.address.as_str(), "providers.Microsoft.KeyVault");
        let feature = feature("s", "Microsoft.ContainerService", "Some-Preview");
        assert_eq!(
            id(&feature),
            "/subscriptions/s/providers/Microsoft.Features/providers/Microsoft.ContainerService/features/Some-Preview"
        );
        assert_eq!(feature.address.as_str(), "features.Microsoft.ContainerService.Some-Preview");
        for draft in [provider, feature] {
            assert!(draft.shared);
            assert_eq!(draft.operation, Provisioning::Registration);
            assert_eq!(draft.kind.delete, DeleteMode::Never);
        }
    }

    #[test]
    fn a_registered_provider_is_as_asked_whatever_else_it_says() {
        let draft = provider("s", "Microsoft.KeyVault");
        let live = |state: &str| json!({ "namespace": "Microsoft.KeyVault", "registrationState": state, "resourceTypes": [{}] });
        let rules = draft.kind.compiled();
        let comparison = Comparison { rules, applied: Some(&draft.body), secret_changed: &|_, _| true };
        assert_eq!(diff(&draft.body, &live("registered"), &comparison), []);
        assert_eq!(diff(&draft.body, &live("NotRegistered"), &comparison).len(), 1);
    }
}
