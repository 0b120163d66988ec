//! What of a blueprint Azure retires, at its place.

use super::places::places;
use super::source::{At, Source};
use crate::catalog::retiring;
use crate::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::ident::{Address, ArmId};
use crate::state::Desired;

pub(super) const RETIREMENT: Code = Code {
    name: "retirement",
    why: "Azure ends the support of something that the blueprint asks for, or takes it away.",
    remedy: "Move to what replaces it before that day; `berth doctor --until DATE` looks further ahead.",
    example: "kubernetesVersion: \"1.36\"",
};

/// What Azure retires on or before a day (`2027-06-30`), each at the field that asks for it.
pub fn retirements(source: &Source, desired: &Desired, until: &str) -> Diagnostics {
    let mut found = Diagnostics::new();
    let parent = |id: &ArmId| {
        let at = desired.by_id.get(&id.parent()?)?;
        Some(&*desired.resources[*at].body)
    };
    for resource in &desired.resources {
        let written = resource.kind.open.then_some(resource.kind.api_version);
        for one in retiring(resource.kind.arm_type, &resource.body, parent(&resource.id), written) {
            if one.on.as_str() > until {
                continue;
            }
            let message =
                format!("{}: {} on {}, in `{}`", one.row.what, one.row.then, one.on, resource.address);
            let help = format!("{}; see {}", one.row.remedy, one.row.source);
            found.push(Diagnostic {
                severity: Severity::Warning,
                ..Diagnostic::error(&RETIREMENT, message)
                    .at(place(source, &resource.address, one.field))
                    .help(help)
            });
        }
    }
    found.sort();
    found
}

/// Where a field of a resource is written, or the entry that it is in.
fn place(source: &Source, address: &Address, field: &str) -> Option<crate::diag::Span> {
    let place = places(source, [address]).remove(address)?;
    let file = source.all().into_iter().find(|file| file.file.name == place.file)?;
    let mut path = String::new();
    let mut depth = 0;
    for c in address.as_str().chars() {
        depth += i32::from(c == '[');
        if depth == 0 {
            path.push(c);
        }
        depth -= i32::from(c == ']');
    }
    // In a module the address begins with the module's own.
    while let Some(rest) = path.strip_prefix("module.") {
        path = rest.split_once('.').map_or("", |(_, rest)| rest).to_owned();
    }
    let full = if field.is_empty() { path } else { format!("{path}.{field}") };
    file.locate(&full, At::Value)
}
