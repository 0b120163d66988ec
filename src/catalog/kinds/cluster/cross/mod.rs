//! What must hold between a cluster and what it refers to.

mod capacity;
mod collected;
mod egress;
mod roles;
mod virtual_nodes;

pub(crate) use capacity::subnet;
pub(super) use virtual_nodes::also_needs;

use crate::catalog::{CheckContext, Problem};
use crate::diag::Code;

/// The diagnostics of this folder, a list a file.
pub(super) const CODES: &[&[&Code]] =
    &[capacity::CODES, collected::CODES, egress::CODES, roles::CODES, virtual_nodes::CODES];

/// Reports what Azure would refuse of a cluster as the rest of the blueprint is.
pub(super) fn cluster(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    super::passwords::cross_check(around, problems);
    capacity::pods(around, problems);
    capacity::api_server(around, problems);
    collected::check(around, problems);
    egress::check(around, problems);
    roles::check(around, problems);
    virtual_nodes::check(around, problems);
}
