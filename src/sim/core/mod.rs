//! What every type is made of: the state, its time, operations, faults, and what a type does with a request.

pub(crate) mod api_versions;
pub(crate) mod behaviour;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod cidr;
pub(crate) mod clock;
pub(crate) mod error;
pub(crate) mod faults;
pub(crate) mod filter;
pub(crate) mod history;
pub(crate) mod json;
pub(crate) mod locations;
pub(crate) mod namespaces;
pub(crate) mod operation;
pub(crate) mod options;
pub(crate) mod path;
pub(crate) mod store;
pub(crate) mod world;
