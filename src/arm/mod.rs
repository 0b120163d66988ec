//! The ARM client: requests, long-running operations, paging, throttling, typed errors. It knows no kinds.
//!
//! [`transport::Transport`] is the port to the outside: real HTTP, or the simulator in the same process.

pub mod transport;
