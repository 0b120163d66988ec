//! Judges linked resources by what must hold between them.

use super::super::source::At;
use super::Linker;
use crate::blueprint::link::SECRET_ID;
use crate::catalog::{CheckContext, LinkedResource, Problem};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::ident::ArmId;
use crate::state::DesiredResource;
use crate::value::secret::Secrets;
use crate::value::secret_names;
use std::collections::HashSet;

impl Linker<'_> {
    /// Reports what breaks a cross check. What could not be linked is left out: that has been told.
    pub(super) fn judge(
        &self,
        resources: &[Option<DesiredResource>],
        secrets: &Secrets,
        problems: &mut Diagnostics,
    ) {
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource else { continue };
            for path in secret_names(&resource.body, resource.kind.compiled()) {
                let message = format!("a secret cannot be a name in `{path}` of {}", resource.address);
                problems.push(
                    Diagnostic::error(&SECRET_ID, message)
                        .at(self.place(at, None))
                        .help("names are shown in plans and paths: use a parameter that is not secret"),
                );
            }
        }
        let find = |id: &ArmId| resources.get(*self.by_id.get(id)?)?.as_ref().map(linked);
        // Two pools in one subnet break the same check once.
        let mut told = HashSet::new();
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource else { continue };
            let Some(check) = resource.kind.cross_check else { continue };
            let mut found = Vec::new();
            check(&CheckContext::new(linked(resource), &find, secrets), &mut found);
            for problem in found {
                if told.insert((self.nodes[at].entry, problem.path.clone(), problem.message.clone())) {
                    problems.push(self.broken(at, problem));
                }
            }
        }
    }

    fn broken(&self, at: usize, problem: Problem) -> Diagnostic {
        let entry = self.nodes[at].entry.map(|entry| &self.entries[entry]);
        let span = match problem.path.as_str() {
            "" => self.place(at, None),
            below => entry.and_then(|e| e.source.locate(&format!("{}.{below}", e.place), At::Value)),
        };
        Diagnostic {
            code: problem.code,
            severity: if problem.warning { Severity::Warning } else { Severity::Error },
            message: problem.message,
            span,
            help: problem.help,
        }
    }
}

fn linked(resource: &DesiredResource) -> LinkedResource<'_> {
    LinkedResource { address: &resource.address, id: &resource.id, body: &resource.body }
}
