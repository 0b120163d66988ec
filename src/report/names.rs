//! What plans call the resources that a value refers to: by their addresses.

use super::text::escape;
use crate::change::Action;
use crate::drift::FieldDrift;
use crate::ident::{Address, ArmId};
use crate::plan::{Plan, Step};
use crate::value::{date_of, get_path, set_path};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// The addresses of what a blueprint makes and reads, by id.
#[derive(Default)]
pub(crate) struct Names<'p>(HashMap<&'p ArmId, &'p Address>);

impl<'p> Names<'p> {
    /// Of everything that is there once the plan is carried out.
    pub(crate) fn of(plan: &'p Plan) -> Self {
        let stays = plan.steps.iter().filter(|step| !matches!(step.action, Action::Delete | Action::Forget));
        Names(stays.map(|step| (&step.id, &step.address)).collect())
    }

    /// What a resource is called, or the nearest one above it with the rest of the id.
    pub(crate) fn name(&self, id: &ArmId) -> Option<String> {
        let name = |id: &ArmId| self.0.get(id).map(|address| escape(address.as_str()).into_owned());
        name(id).or_else(|| {
            // A group is above everything in it, and says little.
            let above = id.ancestors().find(|above| self.0.contains_key(above))?;
            let rest = id.as_str().get(above.as_str().len()..)?;
            (above.group_id() != Some(above.clone()) && !rest.contains("/providers/"))
                .then(|| name(&above).map(|name| format!("{name}{}", escape(rest))))?
        })
    }
}

/// What drifted, a point in time as a date, as people write it.
pub(crate) fn dated_field(field: &FieldDrift) -> Cow<'_, FieldDrift> {
    let date = |value: &Value| value.as_i64().and_then(date_of).map(Value::from);
    if !field.is_instant {
        return Cow::Borrowed(field);
    }
    let mut dated = field.clone();
    for value in [&mut dated.expected, &mut dated.actual] {
        if let Some(date) = date(value) {
            *value = date;
        }
    }
    Cow::Owned(dated)
}

/// A step whose points in time are dates, as people write them.
pub(crate) fn dated(step: &Step) -> Cow<'_, Step> {
    if step.dates.is_empty() {
        return Cow::Borrowed(step);
    }
    let date = |value: &Value| value.as_i64().and_then(date_of).map(Value::from);
    let mut dated = step.clone();
    for path in &step.dates {
        if let Some(date) = get_path(&step.desired, path).and_then(date) {
            set_path(&mut dated.desired, path, date);
        }
        for change in dated.changes.iter_mut().filter(|change| change.path == *path) {
            for value in [&mut change.before, &mut change.after] {
                if let Some(date) = date(value) {
                    *value = date;
                }
            }
        }
    }
    Cow::Owned(dated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drifted_in_time_is_a_date() {
        let field = FieldDrift::new("properties.attributes.exp", 1_801_353_600.into(), Value::Null);
        assert_eq!(*dated_field(&field), field);
        let field = FieldDrift { is_instant: true, ..field };
        let shown = dated_field(&field);
        assert_eq!((shown.expected.as_str(), &shown.actual), (Some("2027-01-31"), &Value::Null));
    }
}
