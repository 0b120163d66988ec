//! What a build server is told: issues beside the lines of a blueprint, groups in its log, progress, variables, a result.
//!
//! Every function returns commands of one system as text, complete lines. Texts from a blueprint or from Azure are
//! escaped twice: as in every report, and by the rules of the system, so that they stay data of the command that holds
//! them. A value that is handed on as a variable is not changed; the rules of the system alone hold it together.
//!
//! * [`System`] says who reads the log, and writes the commands.
//! * [`Issues`] keeps to the number of issues that a system shows.
//! * [`Grouped`] wraps the progress of a run in a group, with percents.
//! * [`is_maskable`] decides which secrets a build server may be asked to mask.

mod grouped;
mod issues;
mod mask;
mod outputs;
mod summary;
mod system;

#[cfg(test)]
mod agents;

pub use grouped::Grouped;
pub use issues::{Issue, Issues, Level};
pub use mask::{is_maskable, masks};
pub use outputs::{Handed, OutputSyntax, Written, is_variable_name, outputs, shell_quoted};
pub use summary::applied;
pub use system::{Finished, System};
