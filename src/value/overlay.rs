//! One value laid over another.

use serde_json::Value;
use std::borrow::Cow;

/// `over`, and beneath it what only `under` says: objects are merged, everything else of `over` stays as it is.
pub fn beneath<'v>(under: &Value, over: &'v Value) -> Cow<'v, Value> {
    if under.is_null() {
        return Cow::Borrowed(over);
    }
    let mut all = over.clone();
    fill(&mut all, under);
    Cow::Owned(all)
}

fn fill(over: &mut Value, under: &Value) {
    let (Value::Object(over), Value::Object(under)) = (over, under) else { return };
    for (name, under) in under {
        match over.get_mut(name) {
            Some(over) => fill(over, under),
            None => {
                over.insert(name.clone(), under.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_said_stays_and_what_is_not_is_filled_in() {
        let said = json!({ "a": { "b": 1 }, "c": [1] });
        let under = json!({ "a": { "b": 2, "d": 3 }, "c": [2], "e": true });
        assert_eq!(*beneath(&under, &said), json!({ "a": { "b": 1, "d": 3 }, "c": [1], "e": true }));
        assert!(matches!(beneath(&Value::Null, &said), Cow::Borrowed(_)));
    }
}
