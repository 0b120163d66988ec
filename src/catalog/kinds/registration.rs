//! Provider namespaces and preview features that must be registered before a resource can be made.

use crate::catalog::{DeleteMode, Draft, Operation, ResourceType, UpdateMode};
use crate::ident::Address;
use serde_json::json;
use std::time::Duration;

/// A provider namespace of a subscription.
pub static PROVIDER: ResourceType = ResourceType {
    update: UpdateMode::Never,
    delete: DeleteMode::Never,
    tags: false,
    usual: Duration::from_secs(30),
    ..ResourceType::new("Microsoft.Resources/providers", "2021-04-01", "provider registration")
};

/// A preview feature of a subscription.
pub static FEATURE: ResourceType = ResourceType {
    update: UpdateMode::Never,
    delete: DeleteMode::Never,
    tags: false,
    usual: Duration::from_secs(60),
    ..ResourceType::new("Microsoft.Features/providers/features", "2021-07-01", "feature registration")
};

/// The registration of a provider namespace, shared by everything that needs it.
pub fn provider(subscription: &str, namespace: &str) -> Draft {
    let address = Address::new(format!("providers.{namespace}"));
    let id = format!("/subscriptions/{subscription}/providers/{namespace}");
    registration(Draft::new(address, id, &PROVIDER, json!({})))
}

/// The registration of a preview feature, shared by everything that needs it.
pub fn feature(subscription: &str, namespace: &str, name: &str) -> Draft {
    let address = Address::new(format!("features.{namespace}.{name}"));
    let id = format!(
        "/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features/{name}"
    );
    registration(Draft::new(address, id, &FEATURE, json!({})))
}

fn registration(mut draft: Draft) -> Draft {
    draft.operation = Operation::Registration;
    draft.shared()
}
