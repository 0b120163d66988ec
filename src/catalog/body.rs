//! Building bodies from the azure_mgmt models.

use serde::Serialize;
use serde_json::Value;

/// The JSON of a request model, without what is null or an empty object that nobody set.
///
/// # Panics
/// When a model does not serialise, which the generated ones always do.
pub fn model(model: &impl Serialize) -> Value {
    let mut body = serde_json::to_value(model).expect("a generated model serialises");
    prune(&mut body);
    body
}

/// Takes away nulls; the generated models leave some behind.
fn prune(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

/// Puts `over` over `body`: objects are merged, everything else is replaced. This is how properties newer than the
/// models, and a user's `properties:`, get into a body.
pub fn merge_over(body: &mut Value, over: &Value) {
    match (body, over) {
        (Value::Object(members), Value::Object(over)) => {
            for (name, over) in over {
                merge_over(members.entry(name.clone()).or_insert(Value::Null), over);
            }
        }
        (body, over) => *body = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_merge_and_the_rest_is_replaced() {
        let mut body = json!({ "a": { "b": 1, "c": [1] } });
        merge_over(&mut body, &json!({ "a": { "c": [2, 3] }, "d": true }));
        assert_eq!(body, json!({ "a": { "b": 1, "c": [2, 3] }, "d": true }));
    }
}
