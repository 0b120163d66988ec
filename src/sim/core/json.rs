//! Small steps over JSON trees.

use serde_json::{Map, Value};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// The value below a path of member names (`properties.sku.name`).
pub(crate) fn at<'v>(object: &'v Object, path: &str) -> Option<&'v Value> {
    let mut parts = path.split('.');
    let mut value = object.get(parts.next()?)?;
    for part in parts {
        value = value.as_object()?.get(part)?;
    }
    Some(value)
}

/// The text below a path.
pub(crate) fn text<'v>(object: &'v Object, path: &str) -> Option<&'v str> {
    at(object, path)?.as_str()
}

/// The flag below a path.
pub(crate) fn flag(object: &Object, path: &str) -> Option<bool> {
    at(object, path)?.as_bool()
}

/// The elements of the list below a path; none when there is no list.
pub(crate) fn list<'v>(object: &'v Object, path: &str) -> &'v [Value] {
    at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The object below a path, made when it is not there.
pub(crate) fn object_at<'v>(object: &'v mut Object, path: &str) -> &'v mut Object {
    let mut object = object;
    for part in path.split('.') {
        let value = object.entry(part).or_insert_with(|| Value::Object(Map::new()));
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
        object = value.as_object_mut().expect("it was just made an object");
    }
    object
}

/// Sets the value below a path.
pub(crate) fn set(object: &mut Object, path: &str, value: impl Into<Value>) {
    match path.rsplit_once('.') {
        Some((parent, name)) => object_at(object, parent).insert(name.to_owned(), value.into()),
        None => object.insert(path.to_owned(), value.into()),
    };
}

/// Sets the value below a path unless there is one.
pub(crate) fn set_default(object: &mut Object, path: &str, value: impl Into<Value>) {
    if at(object, path).is_none_or(Value::is_null) {
        set(object, path, value);
    }
}

/// Removes the value below a path.
pub(crate) fn remove(object: &mut Object, path: &str) -> Option<Value> {
    match path.rsplit_once('.') {
        Some((parent, name)) => {
            at(object, parent)?;
            object_at(object, parent).shift_remove(name)
        }
        None => object.shift_remove(path),
    }
}

/// Takes the elements out of the list below a path. Their names stay, so that [`put_back`] finds their places.
pub(crate) fn take_list(object: &mut Object, path: &str) -> Vec<Value> {
    let mut parts = path.split('.');
    let mut found = parts.next().and_then(|name| object.get_mut(name));
    for part in parts {
        found = found.and_then(|value| value.get_mut(part));
    }
    let Some(list) = found.and_then(Value::as_array_mut) else { return Vec::new() };
    let names = list.iter().map(|element| serde_json::json!({"name": called(element)})).collect();
    std::mem::replace(list, names)
}

/// Puts elements where a list was before: those that were in it in their order, others behind them.
pub(crate) fn put_back(object: &mut Object, path: &str, mut elements: Vec<Value>) {
    let places: Vec<&str> = list(object, path).iter().map(called).collect();
    if !places.is_empty() {
        let place = |element: &Value| {
            let name = called(element);
            places.iter().position(|place| place.eq_ignore_ascii_case(name)).unwrap_or(places.len())
        };
        elements.sort_by_cached_key(place);
    }
    set(object, path, elements);
}

/// What an element of a list is called: some have an id only.
fn called(element: &Value) -> &str {
    let member = |name| element.get(name).and_then(Value::as_str);
    member("name").or_else(|| member("id").map(super::path::last)).unwrap_or_default()
}

/// Removes every member that is null, at any depth.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, v| !v.is_null());
            object.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// JSON merge patch (RFC 7396).
pub(crate) fn merge(target: &mut Object, patch: &Object) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.shift_remove(name);
            }
            Value::Object(inner) => merge(object_at(target, name), inner),
            other => {
                target.insert(name.clone(), other.clone());
            }
        }
    }
}

/// The object in a value that is known to be one.
pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The name of a list's element.
pub(crate) fn name_of(element: &Value) -> &str {
    element.get("name").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_read_write_and_remove() {
        let mut body = object(json!({"a": {"b": 1}}));
        set(&mut body, "a.c.d", "x");
        set_default(&mut body, "a.b", 2);
        assert_eq!(remove(&mut body, "a.b"), Some(json!(1)));
        assert_eq!(remove(&mut body, "q.b"), None);
        assert_eq!(Value::Object(body), json!({"a": {"c": {"d": "x"}}}));
    }

    #[test]
    fn merge_removes_nulls_and_keeps_the_rest() {
        let mut body = object(json!({"a": {"b": 1, "c": 2}, "d": [1]}));
        merge(&mut body, &object(json!({"a": {"b": null}, "d": [2]})));
        assert_eq!(Value::Object(body), json!({"a": {"c": 2}, "d": [2]}));
    }
}
