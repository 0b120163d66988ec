//! The diagnostics of what a blueprint is written in, in one list. Each is beside the code that raises it.

use super::{
    azure, each, entry, environment, evaluator, exclusive, ignore, link, messages, modules, parameters,
    refer, resolve, retirements, sections, slips, text, wants, yaml,
};
use crate::diag::Code;

/// Every diagnostic that a blueprint can cause before its entries are expanded, or when they are linked.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    CODES.iter().copied()
}

const CODES: &[&Code] = &[
    &link::ARM_ID,
    &resolve::BLUEPRINT_NAME,
    &text::CONTROL_CHARACTER,
    &link::CYCLE,
    &link::DEPENDS_ON,
    &yaml::DUPLICATE_KEY,
    &yaml::EMPTY,
    &entry::ENTRY_KEY,
    &environment::ENVIRONMENT,
    &environment::ENVIRONMENT_NAME,
    &exclusive::EXCLUSIVE_LIST,
    &ignore::IGNORE_PATH,
    &evaluator::EXPRESSION,
    &azure::FEATURE,
    &each::FOR_EACH,
    &modules::INCLUDE,
    &slips::INDENTATION,
    &yaml::MERGE_KEY,
    &messages::MISSING_FIELD,
    &modules::MODULES,
    &modules::MODULE_AZURE,
    &modules::MODULE_EARLY,
    &text::NOT_UTF8,
    &parameters::PARAMETER,
    &parameters::PARAMETER_DECLARATION,
    &refer::REFERENCE,
    &azure::REGION,
    &wants::REFERENCE_KIND,
    &text::RESERVED_CHARACTER,
    &retirements::RETIREMENT,
    &link::SAME_ID,
    &link::SECRET_ID,
    &azure::SUBSCRIPTION,
    &text::TOO_LARGE,
    &messages::UNKNOWN_FIELD,
    &environment::UNKNOWN_ENVIRONMENT,
    &link::UNKNOWN_ID,
    &parameters::UNKNOWN_PARAMETER,
    &sections::UNKNOWN_SECTION,
    &messages::UNKNOWN_VALUE,
    &yaml::UNQUOTED_EXPRESSION,
    &messages::WRONG_TYPE,
    &messages::WRONG_VALUE,
    &yaml::YAML,
];
