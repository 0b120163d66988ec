//! What each resource type does with a request.
//!
//! A type is a [`Behaviour`]; [`table`] says which ARM type has which, and everything else that a known namespace
//! may contain is [`generic`]. The front door ([`dispatch`]) checks what ARM checks for every provider, then the
//! behaviour decides.

mod behaviour;
pub(crate) mod cluster;
mod cluster_body;
mod cluster_profiles;
mod connection;
mod dispatch;
mod flux;
mod generic;
mod identity;
mod key_vault;
mod load;
mod maintenance;
mod network;
mod network_item;
mod node_pool;
mod policy;
pub(crate) mod preflight;
mod private_dns;
mod private_endpoint;
mod private_link;
pub(crate) mod provider;
pub(crate) mod resource_group;
mod role;
mod role_names;
mod secret;
mod subnet;
mod table;
mod vault_bin;
mod zone_group;

pub(crate) use behaviour::Answer;
pub(crate) use dispatch::{complete, dispatch, leaving, removed, view};
pub(crate) use load::load;
pub(crate) use table::is_proxy;
