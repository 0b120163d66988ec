//! Finding drift.

use super::model::{Drift, DriftKind, DriftReport, FieldDrift};
use crate::catalog::{Lost, ResourceType, Severity, resource_type, severity, severity_of_loss};
use crate::ident::{Address, ArmId};
use crate::ledger::{Ledger, Owned};
use crate::value::secret::Secrets;
use crate::value::token::{self, Token};
use crate::value::{
    Comparison, FieldPath, Flag, Rules, diff, digest, foreign, named_there, shown_secrets, without_ignored,
};
use serde_json::Value;
use std::collections::HashMap;

/// Compares what the ledger says was asked for with what is there.
///
/// `live` answers with a resource's body, or `None` when it is gone; `kind` with its type, when it is known;
/// `approved` says whether the blueprint wants the connections of a resource approved, `ignored` what it gives away, and
/// `exclusive` names the lists in a body in which nothing may stand that was not asked for.
///
/// A connection is a promise of somebody else's, so it is in no body that was asked for: one that was rejected or cut
/// off on the target is drift, and so is one that waits, if the blueprint approves it.
pub fn detect<'a>(
    ledger: &Ledger,
    live: impl Fn(&ArmId) -> Option<&'a Value>,
    kind: impl Fn(&ArmId) -> Option<&'static ResourceType>,
    approved: impl Fn(&ArmId) -> bool,
    ignored: impl Fn(&ArmId) -> &'a [FieldPath],
    exclusive: impl Fn(&ArmId) -> Vec<&'a str>,
) -> DriftReport {
    let plain = Rules::new(&[]);
    let secret = Value::from(Token::Secret { name: String::new() }.encode());
    let (mut drifted, mut steady) = (Vec::new(), Vec::new());
    for (id, owned) in &ledger.resources {
        let drift =
            |kind, fields| Drift::new(owned.address.clone(), id.clone(), &*owned.arm_type, kind, fields);
        let Some(body) = live(id) else {
            drifted.push(drift(DriftKind::Missing, Vec::new()));
            continue;
        };
        let rules = match kind(id) {
            Some(kind) => kind.compiled(),
            None => &plain,
        };
        let shown: HashMap<String, Value> = shown_secrets(&owned.applied, body, rules).into_iter().collect();
        // What is shown of a secret is compared by its digest.
        let replaced = kind(id).and_then(|kind| kind.replaced_outside(owned.version.as_deref(), Some(body)));
        let secret_changed = |path: &str, _: &Value| {
            if replaced == Some(path) {
                return true;
            }
            let last = owned.digests.get(path).zip(shown.get(path));
            last.is_some_and(|(last, shown)| *last != digest(shown, &Secrets::default(), &ledger.salt))
        };
        let comparison = Comparison { rules, applied: None, secret_changed: &secret_changed };
        let mut asked = without_ignored(&owned.applied, ignored(id));
        if rules.has_alike() {
            named_there(asked.to_mut(), body, None, rules, id.as_str());
        }
        let mut fields: Vec<FieldDrift> = diff(&asked, body, &comparison)
            .into_iter()
            // An output that was never known was never asked for.
            .filter(|change| !token::any(&change.after, &|token| matches!(token, Token::Output { .. })))
            .map(|change| {
                let hidden = shown.contains_key(&change.path) || replaced == Some(change.path.as_str());
                let actual = if hidden { secret.clone() } else { change.before };
                FieldDrift::new(change.path, change.after, actual)
            })
            .collect();
        let foreign = foreign(&asked, body, rules, &exclusive(id)).into_iter();
        fields.extend(foreign.map(|change| {
            let hidden = shown.contains_key(&change.path);
            let there = if hidden { secret.clone() } else { change.before };
            FieldDrift::new(change.path, Value::Null, there)
        }));
        if let Some(kind) = kind(id) {
            let states = kind.connection_states(body).into_iter();
            let bad = states.filter(|(_, status)| match *status {
                "Disconnected" => true,
                // Whether it is let in is somebody else's to say when the blueprint does not approve it.
                "Pending" | "Rejected" => approved(id),
                _ => false,
            });
            fields.extend(bad.map(|(path, status)| FieldDrift::new(path, "Approved".into(), status.into())));
            let steps = kind.in_step.iter().filter_map(|word| Some((word, word.wrong(body)?)));
            fields
                .extend(steps.map(|(word, says)| FieldDrift::new(word.path, word.good.into(), says.into())));
        }
        for field in fields.iter_mut().filter(|field| field.actual.is_number() || field.expected.is_number())
        {
            field.is_instant = rules.says(&field.path, Flag::Instant);
        }
        match fields.is_empty() {
            true => steady.push(owned.address.clone()),
            false => drifted.push(drift(DriftKind::Changed, fields)),
        }
    }
    drifted.sort_by(|a, b| a.address.cmp(&b.address));
    steady.sort();
    let checked = ledger.resources.len();
    DriftReport {
        version: 1,
        blueprint: ledger.blueprint.clone(),
        environment: ledger.environment.clone(),
        header: None,
        checked,
        steady,
        drifted,
        not_ours: Vec::new(),
        left_alone: Vec::new(),
        not_ours_by: Vec::new(),
        waived: Vec::new(),
        needs: needs(ledger),
    }
}

/// What each resource of a ledger needs, by address.
fn needs(ledger: &Ledger) -> Vec<(Address, Vec<Address>)> {
    let one = |owned: &Owned| {
        let needs = owned.depends_on.iter().filter_map(|id| Some(ledger.resources.get(id)?.address.clone()));
        (owned.address.clone(), needs.collect())
    };
    ledger.resources.values().map(one).collect()
}

/// Says how grave each drift is. `kind` answers with the type of a resource, when it is known.
pub fn weigh(report: &mut DriftReport, kind: impl Fn(&ArmId) -> Option<&'static ResourceType>) {
    for drift in &mut report.drifted {
        let kind = kind(&drift.id).or_else(|| resource_type(&drift.arm_type));
        for field in &mut drift.fields {
            field.severity = severity(kind, &field.path, &field.expected, &field.actual);
        }
        drift.severity = match drift.kind {
            DriftKind::Missing => severity_of_loss(kind),
            DriftKind::Added => Severity::Medium,
            DriftKind::Changed => drift.fields.iter().map(|field| field.severity).max().unwrap_or_default(),
        };
    }
}

/// Adds what resources write elsewhere by themselves and is gone or changed there: the records of a zone group.
pub fn lost(report: &mut DriftReport, found: impl IntoIterator<Item = (Address, ArmId, String, Vec<Lost>)>) {
    for (address, id, arm_type, lost) in found {
        let field = |lost: Lost| {
            let field = FieldDrift::new(lost.kept.path, lost.kept.says, lost.there);
            FieldDrift { subject: Some(lost.kept.id), ..field }
        };
        let fields: Vec<FieldDrift> = lost.into_iter().map(field).collect();
        if fields.is_empty() {
            continue;
        }
        report.steady.retain(|steady| *steady != address);
        match report.drifted.iter_mut().find(|drift| drift.id == id) {
            Some(drift) => drift.fields.extend(fields),
            None => report.drifted.push(Drift::new(address, id, arm_type, DriftKind::Changed, fields)),
        }
    }
    report.drifted.sort_by(|a, b| a.address.cmp(&b.address));
}

/// Adds what somebody else made where nothing may be that the blueprint does not ask for. `found` has its address, id and
/// type.
pub fn added(report: &mut DriftReport, found: impl IntoIterator<Item = (Address, ArmId, String)>) {
    let found = found
        .into_iter()
        .map(|(address, id, arm_type)| Drift::new(address, id, arm_type, DriftKind::Added, Vec::new()));
    report.drifted.extend(found);
    report.drifted.sort_by(|a, b| a.address.cmp(&b.address));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::DeleteMode;
    use serde_json::json;

    #[test]
    fn tells_what_changed_and_what_is_gone() {
        let mut ledger = Ledger::new("shop", "salt");
        for name in ["a", "b", "c"] {
            let owned = Owned {
                address: Address::new(name),
                arm_type: "Microsoft.X/y".into(),
                api_version: "1".into(),
                applied: json!({ "location": "West Europe", "properties": { "size": 1 } }),
                depends_on: vec![],
                digests: Default::default(),
                version: None,
                protect: false,
                delete: DeleteMode::Own,
                lanes: vec![],
            };
            ledger.resources.insert(ArmId::resource_group("s", name), owned);
        }
        let same = json!({ "location": "westeurope", "properties": { "size": 1, "more": 2 } });
        let other = json!({ "location": "westeurope", "properties": { "size": 3 } });
        let live = |id: &ArmId| match id.name() {
            "a" => Some(&same),
            "b" => Some(&other),
            _ => None,
        };
        let report = detect(&ledger, live, |_| None, |_| false, |_| &[], |_| Vec::new());
        assert_eq!(report.checked, 3);
        assert_eq!(report.drifted.len(), 2);
        assert_eq!(report.drifted[0].fields[0].path, "properties.size");
        assert_eq!(report.drifted[0].fields[0].expected, json!(1));
        assert_eq!(report.drifted[0].fields[0].actual, json!(3));
        assert_eq!(report.drifted[1].kind, DriftKind::Missing);
    }
}
