//! What the machine gives: time, files, Ctrl-C. Each can be replaced, so nothing else touches them directly.
//!
//! [`Clock`] is the only clock of the product. Its time may be real, run faster than real, or be *virtual*: on a
//! current-thread tokio runtime whose time is paused, tokio moves time to the next timer as soon as every task
//! waits, so an hour of polling takes milliseconds and is the same every time.

mod clock;
pub mod crash;
pub mod files;
mod interrupt;
pub mod transport;

pub use clock::{Clock, Timestamp};
pub use interrupt::Interrupt;
