//! The engine: runs the program of an approved plan, and decides nothing about Azure.
//!
//! `scheduler` is one loop that owns all state: what is done, what runs, which lanes are taken, the ledger. It
//! starts the ready unit with the longest path still hanging on it, never two in one lane, and none for whose request the
//! subscription's budget has no room left by Azure's own count. What is bounded beyond that is requests: a unit that Azure
//! has accepted and works on only looks now and then, and takes nobody's place.
//! A `worker` is a task that carries out one unit (`put`, `remove`, `register`, `approval`) and sends messages; it owns nothing. `reattempt` says, from the
//! type of an error, whether a step is tried again and when: `arm` repeats requests, this room repeats steps, and
//! nothing else repeats anything.
//!
//! ```text
//! scheduler ──spawn──▶ worker ──▶ arm
//!     ▲  │                │
//!     │  └─▶ journal ◀────┤ (intent before, acceptance, outcome after: through the scheduler)
//!     └──── messages ─────┘
//! ```
//!
//! The first interrupt starts nothing new and waits for what runs; the second stops waiting. Either way everything
//! known is in the journal, and the next run goes on from there.
//!
//! What is lost if the process dies here: nothing, however many operations are under way. Each has its intent in the
//! journal before its first request and its operation's address after Azure's answer. The next run follows the addresses
//! to their ends; of an intent without one it reads the resource and waits until Azure is no longer at work on it.

mod approval;
mod comply;
mod failure;
mod put;
mod reattempt;
mod register;
mod remove;
mod resume;
mod scheduler;
mod worker;

pub use approval::{Approach, Approving, remove};
pub use failure::{Failure, Stop};
pub use resume::resume;
pub use scheduler::{Applied, Engine, apply};
