//! Building bodies from the azure_mgmt models.

use serde::Serialize;
use serde_json::{Map, Value};

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

/// Puts `over` over `body`: objects are merged, null takes a member away, everything else is replaced (JSON merge patch,
/// RFC 7396; Azure's schemas accept no null). This is how properties newer than the models, and a user's `properties:`,
/// get into a body.
pub fn merge_over(body: &mut Value, over: &Value) {
    let Value::Object(over) = over else {
        *body = over.clone();
        return;
    };
    if !body.is_object() {
        *body = Value::Object(Map::new());
    }
    let Value::Object(members) = body else { return };
    for (name, over) in over {
        match over {
            Value::Null => {
                members.shift_remove(name);
            }
            over => merge_over(members.entry(name.clone()).or_insert(Value::Null), over),
        }
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
        merge_over(&mut body, &json!({ "a": { "b": null, "x": null }, "e": { "f": null, "g": 1 } }));
        assert_eq!(body, json!({ "a": { "c": [2, 3] }, "d": true, "e": { "g": 1 } }));
    }
}
