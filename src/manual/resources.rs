//! The codes of resources.

use super::codes::Code;

pub(super) const CODES: &[Code] = &[];
