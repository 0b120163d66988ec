//! The ARM client: requests, long-running operations, paging, throttling, typed errors. It knows no kinds.
//!
//! [`Transport`] is the port to the outside: real HTTP ([`HttpTransport`]), or the simulator in the same process.
//! [`TokenSource`] is the port to whoever signs in: [`Identity`], or [`StaticToken`].
//!
//! [`Client`] sends one request at a time through a fixed series of concerns, a file each:
//!
//! ```text
//! request ─▶ retry ─▶ token ─▶ throttle ─▶ trace ─▶ Transport
//!              ▲                   ▲                    │
//!              └─ error ◀─ codes ◀─┴─ envelope ◀────────┘
//! ```
//!
//! A write answers with [`Started`]: done, or an [`Operation`] that [`Client::wait`] follows and that may be written
//! down, for a later process to follow.
//!
//! This room repeats *requests*: when the service stumbles, when it is too much, when the line breaks. It never
//! repeats *steps*: a busy parent or a principal that is not known everywhere yet comes back as a typed [`Error`],
//! and who knows the plan decides. A token goes to ARM's own host only, encrypted or not leaving the machine.

mod advice;
mod certificate;
mod client;
mod cloud;
mod codes;
mod credential;
mod endpoint;
mod envelope;
mod error;
mod http;
pub mod identity;
mod lro;
mod members;
mod options;
mod pager;
mod poll;
mod request;
mod resource_graph;
mod retry;
#[cfg(test)]
mod scripted;
mod send;
mod sign_in;
mod throttle;
mod token;
mod trace;
#[cfg(test)]
mod url_tricks;
mod violation;

pub use crate::host::transport::{self, Transport};
pub use client::{Client, Resource, Started};
pub use cloud::{Cloud, UnknownCloud};
pub use endpoint::{is_loopback, protects_tokens};
pub use error::{Denial, Detail, Error, ErrorKind, Failure, Result};
pub(crate) use http::use_ring;
pub use http::{HttpTransport, HttpsError, Limits, Proxies};
pub use identity::{AuthSettings, Identity};
pub use lro::{Finish, Operation, Poll};
pub use options::Options;
pub use options::is_run;
pub use pager::ListEnd;
pub use poll::{Finished, Progress};
pub use request::Conditions;
pub use resource_graph::GraphPage;
pub use retry::RetryOptions;
pub use sign_in::{AuthMethod, IdentityError};
pub use throttle::{Headroom, OperationClass};
pub use token::{Caller, StaticToken, Token, TokenSource};
pub use trace::{Exchange, Removed, Trace};
pub use violation::Violation;
