//! What a person must allow before a plan is applied. It decides what to ask, and never does the asking.
//!
//! Only this room makes an [`Approved`] plan, and only an approved plan can be applied.

use crate::change::Action;
use crate::ident::Address;
use crate::plan::Plan;

/// What the person allowed by name.
#[derive(Debug, Clone, Default)]
pub struct Allowances {
    /// Addresses that may be replaced.
    pub replace: Vec<String>,
    /// Addresses that may be deleted.
    pub delete: Vec<String>,
}

/// Why a step may not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The resource.
    pub address: Address,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// Whether the plan itself says so: a conflict.
    pub in_plan: bool,
}

/// A plan that may be applied.
#[derive(Debug, Clone)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// The plan.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// Approves a plan, or says what is in the way.
///
/// # Errors
/// Every step that is protected and was not allowed by name, and every conflict.
pub fn approve(plan: Plan, allowances: &Allowances) -> Result<Approved<Plan>, Vec<Blocked>> {
    let blocked = blocks(&plan, allowances);
    if blocked.is_empty() { Ok(Approved(plan)) } else { Err(blocked) }
}

/// What is in the way of applying a plan.
pub fn blocks(plan: &Plan, allowances: &Allowances) -> Vec<Blocked> {
    let allowed = |list: &[String], address: &Address| list.iter().any(|allowed| allowed == address.as_str());
    let conflicts = plan.conflicts.iter().map(|conflict| Blocked {
        address: conflict.address.clone(),
        message: format!("{} ({})", conflict.message, conflict.id),
        help: conflict.help.clone(),
        in_plan: true,
    });
    let protected =
        plan.steps.iter().filter(|step| step.protected && !step.told_elsewhere).filter_map(|step| {
            let (list, flag, word) = match step.action {
                Action::Replace => (&allowances.replace, "--allow-replace", "replaced"),
                _ => (&allowances.delete, "--allow-delete", "deleted"),
            };
            (!allowed(list, &step.address)).then(|| Blocked {
                address: step.address.clone(),
                message: format!("it is protected and would be {word}"),
                help: format!("if that is meant, run again with `{flag} {}`", step.address.argument()),
                in_plan: false,
            })
        });
    conflicts.chain(protected).collect()
}
