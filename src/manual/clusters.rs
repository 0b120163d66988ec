//! The codes of clusters.

use super::codes::Code;

pub(super) const CODES: &[Code] = &[];
