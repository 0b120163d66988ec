//! Progress: listeners that tell a person, or a machine, what the engine is doing.
//!
//! * [`Plain`] writes a line for everything worth one: logs, pipelines, terminals that cannot redraw.
//! * [`Bars`] redraws a spinner a running resource and a bar for the whole, and leaves nothing but finished lines.
//! * [`Jsonl`] writes every event as a line of JSON.
//! * [`Tee`] tells two others of everything.
//! * [`Redacted`] takes secrets out of events for another listener, such as one that draws by itself.
//!
//! All of them write to what they were given. Times are the engine's own: under the simulator they are virtual.

mod bars;
mod jsonl;
mod plain;
mod redacted;
mod tee;

pub use bars::{Bars, Now, target};
pub use jsonl::Jsonl;
pub use plain::Plain;
pub use redacted::Redacted;
pub use tee::Tee;

#[cfg(test)]
pub(super) use plain::tests;
