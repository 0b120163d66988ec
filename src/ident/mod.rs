//! Names parsed once: ARM ids, addresses, types, locations. The case rules of Azure live here and nowhere else.
//!
//! ARM matches ids, types and locations without regard to ASCII case, and its own answers re-case them, so
//! [`ArmId`] compares and hashes that way. [`Address`] is berth's own name for a resource (`clusters.aks.nodePools.winpl`)
//! and is compared exactly. [`Owner`] says whose a resource is: a blueprint, in an environment.

mod address;
mod arm_id;
mod header;
mod location;
mod owner;

pub use address::{Address, Parts, above, is_logical_name, segments};
pub use arm_id::{ArmId, ArmIdError};
pub use header::Header;
pub use location::{RegionCloud, meant_region, normalize_location};
pub use owner::{Owner, is_name};
