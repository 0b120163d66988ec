//! What berth tells of itself: kinds and their fields, diagnostic codes, starter blueprints.
//!
//! * [`explain`] answers `berth explain`: a kind, a field of it, or a code;
//! * `fields` reads the fields of a kind from its JSON Schema, and [`probe`](field_in_arm) finds out by expanding an
//!   entry where a field goes in ARM's body, so that what is told of ARM cannot be wrong about the code;
//! * [`TOPICS`] are what is neither a kind nor a code: the head of a blueprint, functions, roles, policies;
//! * [`page`] is a kind's page of the reference; [`codes()`] are the diagnostics;
//! * [`TEMPLATES`] are the blueprints that `berth init` writes.
//!
//! Everything is a pure function of what is compiled in, and gives Markdown or plain text; nothing is printed here.

mod about;
mod codes;
mod fields;
mod pages;
mod probe;
mod templates;
mod topics;

pub use about::explain;
pub use codes::{code, codes};
pub use fields::{FieldDoc, fields};
pub use pages::{code_page, drift_page, page, page_name};
pub use probe::{InArm, field_in_arm};
pub use templates::{TEMPLATES, Template};
pub use topics::{TOPICS, Topic, topic_page};
