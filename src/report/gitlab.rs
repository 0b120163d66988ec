//! The figures that GitLab shows in a merge request (`artifacts:reports:terraform`).

use crate::drift::{DriftKind, DriftReport};
use crate::plan::Plan;
use serde_json::{Value, json};

/// What an apply would do about a drift: make what is gone, change what changed, delete what was added.
pub fn drift(report: &DriftReport) -> Value {
    json!({
        "create": report.count(DriftKind::Missing),
        "update": report.count(DriftKind::Changed),
        "delete": report.count(DriftKind::Added),
    })
}

/// What a plan does; what is replaced is both made and deleted.
pub fn plan(plan: &Plan) -> Value {
    let counts = plan.counts();
    json!({
        "create": counts.create + counts.recover + counts.replace,
        "update": counts.update + counts.adopt + counts.approve + counts.reject,
        "delete": counts.delete + counts.replace,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn figures_are_whole_numbers_under_three_names() {
        assert_eq!(drift(&sample::drift()), json!({ "create": 1, "update": 1, "delete": 1 }));
        let plan = plan(&sample::plan());
        assert_eq!(plan.as_object().map(|members| members.len()), Some(3));
    }
}
