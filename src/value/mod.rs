//! JSON bodies, and everything berth knows about comparing them.
//!
//! Bodies are plain `serde_json::Value`s. What is not known yet, or must not be seen, stands in them as a
//! *token* ([`token`]): a text between two Unicode noncharacters that names an output of another resource, a
//! secret, or a claim of the caller. Typed request models, merging and comparing pass tokens through like any
//! other text; only the worker that sends a body puts the values in ([`token::substitute`]). So a plan, a ledger
//! or a report can hold a body without holding a secret.
//!
//! [`Rules`] say what the fields of a type mean (sets, keyed arrays, case, write-only, immutable …); [`diff`]
//! and [`merge`] are the only two functions that interpret them.

mod at;
mod diff;
mod digest;
mod duration;
mod exact;
mod exclusive;
mod field_path;
mod instant;
mod left_alone;
mod literal;
mod managed;
mod merge;
mod named_there;
mod overlay;
mod path;
mod provisioning;
mod read;
pub mod redact;
mod rules;
mod same;
pub mod secret;
mod shown;
pub mod token;

pub use at::put_at;
pub(crate) use diff::is_secret;
pub use diff::{Change, ChangeKind, Comparison, diff};
pub use digest::{digest, lookup, secret_digests};
pub use duration::parse_duration;
pub(crate) use exact::from_json;
pub use exclusive::foreign;
pub use field_path::{FieldPath, without_ignored};
pub use instant::date_of;
pub use left_alone::{LeftAlone, LeftAloneReason};
pub use literal::take_literals;
pub use managed::{conceal, managed, moved};
pub(crate) use merge::changed_members;
pub use merge::{merge, strip_read_only, without};
pub use named_there::{NamedThere, named_there};
pub use overlay::beneath;
pub use path::{at_pointer, get_path, pointer_of, set_path};
pub use provisioning::{Rest, is_at_work, provisioning_state};
pub use read::{Misfit, read};
pub use rules::{Cycles, Disturbance, Fixed, Flag, Rule, Rules};
pub use shown::{secret_names, shown_secrets};
