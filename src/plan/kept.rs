//! What the ledger has, the blueprint no longer makes, and that stays all the same.
//!
//! An entry that moves to `existing` gives its resource away: it is never deleted, by no plan and no destroy, whether or
//! not the move was applied before. Its own parts stay with it, and so does what it needs to go on working: its group,
//! its subnet, the zone of its names. What moves from a resource of its own into the body of its parent stays too.

use super::model::Reason;
use crate::catalog::{registry, resource_type};
use crate::ident::{Address, ArmId, Parts};
use crate::ledger::Ledger;
use crate::state::{Desired, Provisioning};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// What stays, with the reason.
pub(super) type Kept = HashMap<ArmId, Reason>;

/// What is kept because `existing` only reads it: by id, the entry that does.
pub(super) fn released(existing: &[(Address, ArmId)], ledger: &Ledger) -> Kept {
    let mut kept = Kept::new();
    let readers: HashMap<&ArmId, &Address> = existing.iter().map(|(entry, id)| (id, entry)).collect();
    for (id, owned) in &ledger.resources {
        if let Some(entry) = readers.get(id) {
            kept.insert(id.clone(), Reason::NowExisting { entry: (*entry).clone() });
            // The parts of the entry that it was.
            for (part, other) in &ledger.resources {
                let is_part = other.address != owned.address
                    && other.address.is_within(owned.address.as_str())
                    || part.is_part_of(id);
                if is_part && !readers.contains_key(part) {
                    kept.entry(part.clone())
                        .or_insert_with(|| Reason::NowExisting { entry: (*entry).clone() });
                }
            }
        }
    }
    // What that needs, and what those need.
    let mut needing: Vec<(ArmId, Address)> =
        existing.iter().map(|(entry, id)| (id.clone(), entry.clone())).collect();
    needing.extend(kept.iter().filter_map(|(id, reason)| match reason {
        Reason::NowExisting { entry } => Some((id.clone(), entry.clone())),
        _ => None,
    }));
    needing.sort_by(|a, b| (&a.1, a.0.as_str()).cmp(&(&b.1, b.0.as_str())));
    let mut seen: HashSet<ArmId> = HashSet::new();
    while let Some((id, entry)) = needing.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let owned = ledger.resources.get(&id);
        let mut needs: Vec<ArmId> = owned.map(|owned| owned.depends_on.clone()).unwrap_or_default();
        needs.extend(id.ancestors());
        // What berth made beside an entry has no entry of its own: all of it stays, as the links of a zone.
        if owned.is_some_and(|owned| is_by_product(&owned.address)) {
            needs.extend(ledger.resources.keys().filter(|part| part.is_part_of(&id)).cloned());
        }
        for need in needs.into_iter().filter(|need| ledger.resources.contains_key(need)) {
            if !readers.contains_key(&need) {
                kept.entry(need.clone()).or_insert_with(|| Reason::NeededByExisting { entry: entry.clone() });
            }
            needing.push((need, entry.clone()));
        }
    }
    kept
}

/// What is kept because the body of its parent asks for it: a subnet or a node pool that had an entry of its own.
pub(super) fn now_in_parent(desired: &Desired, ledger: &Ledger) -> Kept {
    let mut kept = Kept::new();
    for (id, owned) in ledger.resources.iter().filter(|(id, _)| !desired.by_id.contains_key(*id)) {
        let parent =
            id.parent().and_then(|parent| desired.by_id.get(&parent)).map(|&at| &desired.resources[at]);
        let Some(parent) = parent.filter(|parent| parent.operation == Provisioning::Resource) else {
            continue;
        };
        if mentions(&parent.body, &owned.arm_type, id.name()) {
            kept.insert(id.clone(), Reason::NowInParent { parent: parent.address.clone() });
        }
    }
    kept
}

/// Whether a body asks for a child of a type, as an element of the list that shows such children.
fn mentions(body: &Value, arm_type: &str, name: &str) -> bool {
    let leaf = arm_type.rsplit('/').next().unwrap_or_default();
    let by_leaf = format!("/properties/{leaf}");
    let shown = resource_type(arm_type).and_then(|kind| kind.listing.in_parent());
    let lists =
        shown.into_iter().chain([by_leaf.as_str()]).filter_map(|pointer| body.pointer(pointer)?.as_array());
    let named = |item: &Value| {
        item.get("name").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    lists.flatten().any(named)
}

/// Whether an address is of something that berth makes beside an entry: its section is none that people write.
fn is_by_product(address: &Address) -> bool {
    let parts = Parts::of(address.as_str());
    !registry().iter().any(|kind| kind.section == parts.section)
}
