//! Reports: plans, drift, summaries, diagnostics and events in, text out.
//!
//! Nothing here prints, decides or reads anything: every function returns a text or a JSON value, and every
//! progress listener writes to what it was given. What a person reads ([`human`], [`markdown`], [`html`]) and what a machine
//! reads ([`json`]) are views of the same value.
//!
//! * [`Style`] says how wide, how colourful and in which characters; meaning never depends on colour.
//! * Texts from a blueprint or from Azure are escaped wherever they are shown: they can neither move the cursor of
//!   a terminal nor break out of a Markdown block.
//! * Secrets and values that are known only after apply are tokens in the data, and stay words in every report.

pub mod card;
pub mod ci;
mod document;
mod drift_page;
mod fit;
pub mod gitlab;
pub mod graph;
pub mod graph_page;
mod guard;
mod header;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod kubeconfig;
mod left_alone;
pub mod markdown;
mod markup;
pub mod metrics;
mod names;
#[cfg(feature = "otlp")]
pub mod otlp;
mod picture;
pub mod progress;
pub mod sarif;
mod style;
mod text;
mod waivers;
mod words;
pub mod yaml;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod sample;

/// Where things are in the blueprint, by their addresses.
pub type Places = std::collections::HashMap<crate::ident::Address, crate::diag::Place>;

pub use document::{
    ChangeDocument, FORMAT_VERSION, OutputDocument, PlanDocument, Stage, StepDocument, document, schema,
};
pub use guard::{Guarded, guarded};
pub use markdown::Host;
pub use style::Style;
pub use text::{duration, escape_lines};
