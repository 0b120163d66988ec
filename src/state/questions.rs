//! What a plan would like to know before its first write.

use serde_json::Value;
use std::collections::BTreeMap;

/// A question to Azure that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// Every lock of a subscription: a list.
    Locks {
        /// The subscription.
        subscription: String,
    },
    /// Whether a name is free.
    Name {
        /// Where it is asked: a path.
        path: String,
        /// In which API version.
        api_version: String,
        /// The name.
        name: String,
        /// The ARM type that is to have it.
        arm_type: String,
    },
    /// How much of its quotas a subscription uses in a region: a list.
    Usages {
        /// The subscription.
        subscription: String,
        /// The region.
        location: String,
    },
    /// Which sizes of machines a region has for a subscription, and in which zones: a list.
    Sizes {
        /// The subscription.
        subscription: String,
        /// The region.
        location: String,
    },
    /// Which versions of Kubernetes a region has: a body with `values`.
    Versions {
        /// The subscription.
        subscription: String,
        /// The region.
        location: String,
    },
    /// Which types a provider has, and in which regions: its body.
    Provider {
        /// The subscription.
        subscription: String,
        /// `Microsoft.KeyVault`.
        namespace: String,
    },
    /// Whether a resource group is there that the blueprint does not make: its body, or nothing.
    Group {
        /// Its id.
        id: String,
    },
    /// What the caller may do at a scope: a list.
    Permissions {
        /// The scope.
        scope: String,
    },
}

/// The answers that came: of lists an array, of a name the body.
pub type Answers = BTreeMap<Query, Value>;
