//! Why a policy denied a request, out of the error's `additionalInfo`.

use super::members::{member, text};
use serde_json::Value;
use std::fmt;

/// A policy that denied a request
/// (<https://learn.microsoft.com/azure/governance/policy/troubleshoot/general>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The name that people see: of the assignment, or else of the definition.
    pub policy: String,
    /// Where the policy is assigned, if Azure says so.
    pub scope: Option<String>,
    /// What the request has and the policy forbids: in the words of whoever assigned it, or else as Azure evaluated it.
    pub reason: Option<String>,
}

impl Violation {
    /// Reads an entry of `additionalInfo`; `None` for anything but a violation.
    pub(super) fn parse(entry: &Value) -> Option<Self> {
        if !text(entry, "type")?.eq_ignore_ascii_case("PolicyViolation") {
            return None;
        }
        let info = member(entry, "info")?;
        let names = [
            "policyAssignmentDisplayName",
            "policyDefinitionDisplayName",
            "policyAssignmentName",
            "policyDefinitionName",
            "policyAssignmentId",
        ];
        Some(Violation {
            policy: names.iter().find_map(|name| text(info, name))?.to_owned(),
            scope: text(info, "policyAssignmentScope").map(str::to_owned),
            reason: text(info, "nonComplianceMessage").map(str::to_owned).or_else(|| evaluated(info)),
        })
    }
}

/// What Azure evaluated to true: those conditions together are what the policy denies.
fn evaluated(info: &Value) -> Option<String> {
    let details = member(info, "evaluationDetails")?;
    let Value::Array(expressions) = member(details, "evaluatedExpressions")? else { return None };
    let conditions: Vec<String> = expressions
        .iter()
        .filter(|expression| match member(expression, "result") {
            Some(Value::String(result)) => result.eq_ignore_ascii_case("true"),
            result => result == Some(&Value::Bool(true)),
        })
        // That the type is the policy's is true of every request that it looks at.
        .filter(|expression| !text(expression, "expression").is_some_and(|e| e.eq_ignore_ascii_case("type")))
        .filter_map(|expression| {
            let path = text(expression, "path").or_else(|| text(expression, "expression"))?;
            let found = member(expression, "expressionValue").unwrap_or(&Value::Null);
            let wanted = member(expression, "targetValue").unwrap_or(&Value::Null);
            let operator = text(expression, "operator").unwrap_or("matches");
            Some(format!("{path} is {found}, denied if {operator} {wanted}"))
        })
        .collect();
    (!conditions.is_empty()).then(|| conditions.join("; "))
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.policy)?;
        if let Some(scope) = &self.scope {
            write!(f, ", assigned at {scope}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {}", reason.trim_end_matches('.'))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn says_which_policy_where_and_why() {
        let info = |more: Value| {
            let mut info = json!({
                "policyAssignmentDisplayName": "Allowed locations", "policyAssignmentName": "x",
                "policyAssignmentScope": "/subscriptions/s",
            });
            info.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"type": "policyviolation", "info": info})
        };
        let expression = |path: &str, result: &str, found: Value, wanted: Value| {
            json!({"result": result, "expressionKind": "Field", "expression": path, "path": path,
                "expressionValue": found, "targetValue": wanted, "operator": "NotIn"})
        };
        let expressions = json!([
            expression("type", "True", json!("Microsoft.Network/virtualNetworks"), json!("x")),
            expression("location", "True", json!("northeurope"), json!(["westeurope"])),
            expression("name", "False", json!("a"), json!(["b"])),
        ]);
        let head = "'Allowed locations', assigned at /subscriptions/s";
        for (more, expected) in [
            (json!({}), head.to_owned()),
            (json!({"nonComplianceMessage": "Only Europe."}), format!("{head}: Only Europe")),
            (
                json!({"evaluationDetails": {"evaluatedExpressions": expressions}}),
                format!("{head}: location is \"northeurope\", denied if NotIn [\"westeurope\"]"),
            ),
        ] {
            assert_eq!(Violation::parse(&info(more)).unwrap().to_string(), expected);
        }
        assert_eq!(Violation::parse(&json!({"type": "Other", "info": {"policyAssignmentName": "x"}})), None);
        assert_eq!(Violation::parse(&json!({"type": "PolicyViolation", "info": {}})), None);
    }
}
