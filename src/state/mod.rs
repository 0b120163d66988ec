//! What is wanted, what is there, and what may be asked: the values that planning starts from.
//!
//! `blueprint` makes a [`Desired`], `observe` an [`Observed`] and the [`Answers`] to each [`Query`]; `plan` and `drift`
//! compare them. No room that makes one of them needs to know what is done with it.

mod desired;
mod lanes;
mod observed;
mod questions;

pub use desired::{
    Approval, Desired, DesiredResource, Named, OWNER_TAG, Output, Provisioning, Requester, owner_in, owner_of,
};
pub use lanes::lanes;
pub use observed::{Observation, Observed};
pub use questions::{Answers, Query};
