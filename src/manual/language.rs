//! The codes of language.

use super::codes::Code;

pub(super) const CODES: &[Code] = &[];
