//! ARM's front door: from a request to the type that answers it, and what ARM answers by itself.

pub(crate) mod dispatch;
pub(crate) mod history;
pub(crate) mod kusto;
pub(crate) mod load;
pub(crate) mod microsoft_graph;
pub(crate) mod preflight;
pub(crate) mod provider;
pub(crate) mod router;
pub(crate) mod subscription;

use crate::core::world::Providers;

/// Every resource type, for the core.
pub(crate) const PROVIDERS: &dyn Providers = &dispatch::ByTable;
