//! What each resource type does with a request.
//!
//! A type is a [`Behaviour`]; [`table`] says which ARM type has which, and everything else that a known namespace
//! may contain is [`generic`]. The front door ([`dispatch`]) checks what ARM checks for every provider, then the
//! behaviour decides.

pub(crate) mod cluster;
mod cluster_body;
mod cluster_network;
mod cluster_offers;
mod cluster_profiles;
pub(crate) mod connection;
mod connection_rules;
mod cosmos;
mod data;
mod defaults;
mod endpoint_interface;
pub(crate) mod fields;
mod flux;
pub(crate) mod foreign_endpoint;
mod front_door;
mod gateway;
mod generic;
mod identity;
mod interface;
mod key;
pub(crate) mod key_vault;
pub(crate) mod machines;
mod maintenance;
mod messaging;
mod monitor;
mod network;
mod network_item;
mod node_pool;
mod plan;
mod policy;
mod policy_states;
mod private_dns;
mod private_endpoint;
pub(crate) mod private_link;
mod redis;
mod registry;
mod requester;
pub(crate) mod resource_group;
pub(crate) mod role;
mod role_names;
mod secret;
mod sql;
mod stacks;
mod storage;
mod subnet;
pub(crate) mod table;
mod vault_bin;
mod web;
mod zone_group;
