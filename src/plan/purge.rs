//! Purging: what a plan deletes softly is deleted for good, when that is asked for.

use super::model::{Conflict, Impact, Plan, Reason, Step};
use super::ownership::{Standing, Tags};
use crate::catalog::{ResourceType, resource_type};
use crate::change::Action;
use crate::ident::Owner;
use crate::ledger::Ledger;
use crate::state::{Observation, Observed};
use serde_json::Value;

/// Has everything purged that the plan deletes or replaces and that Azure would keep, soft-deleted; also what an earlier
/// run deleted and did not purge. What may not be purged is warned of.
pub fn purge(plan: &mut Plan, ledger: &Ledger, observed: &Observed) {
    let tags = Tags::new(&Owner::new(plan.blueprint.clone()).within(plan.environment.clone()), ledger);
    for step in &mut plan.steps {
        let Some(kind) = resource_type(&step.arm_type) else { continue };
        let Some(deletion) = &kind.soft_deleted else { continue };
        let Some(found) = observed.get(&step.id) else { continue };
        let replaced = step.action == Action::Replace;
        let kept = match (step.action, found) {
            (Action::Delete | Action::Replace, Observation::Present { body, .. }) => deletion.keeps(body),
            (Action::Forget, Observation::SoftDeleted { kept, .. }) => *kept,
            _ => continue,
        };
        let deleted = match found {
            Observation::SoftDeleted { owner, .. } => Some(tags.standing(owner.as_deref(), kind.tags, true)),
            _ => None,
        };
        // Somebody else made one of this name since, and deleted it: what is in it is theirs.
        if let Some(Standing::Theirs(owner)) = deleted {
            step.reason = Reason::OwnedByAnother { owner };
            continue;
        }
        if kept {
            // A replacement is in its own way then, which was told as that.
            if !replaced {
                plan.warnings.push(kept_warning(step, kind));
            }
            continue;
        }
        let applied = ledger.resources.get(&step.id).map(|owned| &owned.applied);
        let body = found.body().or(applied).unwrap_or(&Value::Null);
        step.purge = Some(deletion.path_of(&step.id, body));
        if step.action == Action::Forget {
            step.action = Action::Delete;
            step.reason = Reason::SoftDeleted;
            step.impact = Impact::Destructive;
            step.protected = matches!(deleted, Some(Standing::Bare | Standing::Formerly(_)))
                || ledger.resources.get(&step.id).is_some_and(|owned| owned.protect);
        }
        step.expected_ms += USUAL_MS;
    }
}

/// Puts in the way what is to be replaced, is not purged, and would stand in its own successor's way: Azure keeps it,
/// soft-deleted, with its name.
pub fn soft_delete_conflicts(plan: &mut Plan, observed: &Observed) {
    let replaced = plan.steps.iter().filter(|step| step.action == Action::Replace && step.purge.is_none());
    let conflict = |step: &Step| {
        let kind = resource_type(&step.arm_type)?;
        let deletion = kind.soft_deleted.as_ref()?;
        let kept = deletion.keeps(observed.get(&step.id)?.body()?);
        let name = step.id.name();
        let keeps =
            format!("Azure keeps a deleted {} and its name, so `{name}` cannot be made again", kind.title);
        let (message, help) = match kept {
            true => (
                format!("{keeps} before the retention ends: it has purge protection, which cannot be lifted"),
                "take back what forces the replacement, or choose another `name:`".to_owned(),
            ),
            false => (
                format!("{keeps} while the old one is kept"),
                "run again with `--purge`, which deletes the old one for good, with what is in it; or choose another `name:`"
                    .to_owned(),
            ),
        };
        Some(Conflict { address: step.address.clone(), id: step.id.clone(), message, help })
    };
    let found: Vec<Conflict> = replaced.filter_map(conflict).collect();
    plan.conflicts.extend(found);
}

/// How long a purge usually takes.
const USUAL_MS: u64 = 30_000;

fn kept_warning(step: &Step, kind: &ResourceType) -> Conflict {
    Conflict {
        address: step.address.clone(),
        id: step.id.clone(),
        message: format!(
            "the {} {} has purge protection: Azure keeps it, soft-deleted, until its retention ends, and its name with it",
            kind.title,
            step.id.name()
        ),
        help: "nothing can shorten that; a blueprint with this name again recovers it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Address, ArmId};
    use crate::ledger::Owned;
    use crate::plan::plan_destroy;
    use serde_json::json;

    const VAULT: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-1";
    const BIN: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-1";

    fn planned(found: Option<Observation>) -> Plan {
        let id = ArmId::parse(VAULT).unwrap();
        let mut ledger = Ledger::new("shop", "salt");
        let owned = Owned {
            address: Address::new("keyVaults.main"),
            arm_type: "Microsoft.KeyVault/vaults".to_owned(),
            api_version: "2022-07-01".to_owned(),
            applied: json!({"location": "westeurope", "tags": {"berth-blueprint": "shop"}}),
            depends_on: Vec::new(),
            digests: Default::default(),
            version: None,
            protect: true,
            delete: crate::change::DeleteMode::Own,
            lanes: Vec::new(),
        };
        ledger.resources.insert(id.clone(), owned);
        let observed: Observed = found.into_iter().map(|found| (id.clone(), found)).collect();
        let mut plan = plan_destroy(&ledger.owner(), &[], &ledger, &observed);
        purge(&mut plan, &ledger, &observed);
        plan
    }

    #[test]
    fn what_is_deleted_softly_is_purged_unless_azure_keeps_it() {
        let present = |kept: Value| Observation::Present {
            body: json!({"location": "westeurope", "tags": {"berth-blueprint": "shop"}, "properties": {"enablePurgeProtection": kept}}),
            etag: None,
        };
        let deleted = |kept: bool, owner: Option<&str>| Observation::SoftDeleted {
            kept,
            owner: owner.map(str::to_owned),
        };
        for (found, action, purged, warned) in [
            (Some(present(Value::Null)), Action::Delete, true, false),
            (Some(present(json!(true))), Action::Delete, false, true),
            (Some(deleted(false, Some("shop"))), Action::Delete, true, false),
            (Some(deleted(false, None)), Action::Delete, true, false),
            (Some(deleted(true, Some("shop"))), Action::Forget, false, true),
            // Another's is left in the bin.
            (Some(deleted(false, Some("shop/dev"))), Action::Forget, false, false),
            (Some(deleted(true, Some("bank"))), Action::Forget, false, false),
            (Some(Observation::Absent), Action::Forget, false, false),
            (None, Action::Forget, false, false),
        ] {
            let text = format!("{found:?}");
            let plan = planned(found);
            let step = &plan.steps[0];
            assert_eq!((step.action, plan.warnings.len()), (action, usize::from(warned)), "{text}");
            assert_eq!(step.purge.as_deref(), purged.then_some(BIN), "{text}");
            // What is lost for good needs as much permission as what is deleted.
            assert_eq!(step.protected, action == Action::Delete, "{text}");
        }
    }
}
