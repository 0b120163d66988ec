//! berth brings up Azure Kubernetes Service and everything around it from one YAML blueprint.
//!
//! The library is the whole product and never prints; `src/bin/berth` reads arguments, wires a transport, a
//! ledger store and a clock together, and renders what the library returns. The rooms, and which may use which,
//! are drawn in `docs/concepts/architecture.md` and held by `tests/it/rooms/mod.rs`. Two of them are crates of their own,
//! which others can use without berth: [`host`] is `berth-host`, [`sim`] is `berth-sim`.
//!
//! Data flows one way:
//!
//! ```text
//! YAML → blueprint ──▶ plan ──▶ approve ──▶ apply ──▶ ledger        apply, observe ──▶ event ──▶ report
//!         ▲    ▲        ▲                     │
//!    catalog  graph   observe ◀──── arm ◀─────┘     arm::Transport ◀── real HTTP | sim
//! ```
//!
//! * vocabulary (data only): [`ident`], [`value`], [`diag`], [`change`], [`event`]
//! * pure domain: [`graph`], [`catalog`], [`state`], [`blueprint`]
//! * pure decisions: [`plan`], [`drift`], [`approve`], [`policy`], [`private_link`]
//! * edges (I/O behind ports, each with a fake): [`host`], [`arm`], [`ledger`], [`sim`]
//! * engine: [`observe`], [`apply`]
//! * use cases and faces: [`ops`], [`report`], [`manual`]

pub mod apply;
pub mod approve;
pub mod arm;
pub mod blueprint;
pub mod catalog;
pub mod change;
pub mod diag;
pub mod drift;
pub mod event;
pub mod graph;
pub mod ident;
pub mod ledger;
pub mod manual;
pub mod observe;
pub mod ops;
pub mod plan;
pub mod policy;
pub mod private_link;
pub mod report;
pub mod state;
pub mod value;

pub use berth_host as host;
use berth_models as models;
pub use berth_sim as sim;
