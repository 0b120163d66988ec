//! Tokens whose values are known by now.

use super::secret::{Secret, Secrets};
use super::{Comparison, Rules, diff, token};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The value at a JSON pointer; members that Azure re-cased (addon keys) are found all the same.
pub fn lookup<'v>(body: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.split('/').skip(1).try_fold(body, |value, part| match value {
        Value::Object(members) => members.get(part).or_else(|| {
            members.iter().find(|(key, _)| key.eq_ignore_ascii_case(part)).map(|(_, member)| member)
        }),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Salted digests, by path, of everything in a body that is write-only or secret.
///
/// The body still holds its secrets as tokens; `secrets` has their values.
pub fn secret_digests(
    body: &Value,
    rules: &Rules,
    secrets: &Secrets,
    salt: &str,
) -> BTreeMap<String, String> {
    let digests = RefCell::new(BTreeMap::new());
    let note = |path: &str, value: &Value| {
        digests.borrow_mut().insert(path.to_owned(), digest(value, secrets, salt));
        false
    };
    let comparison = Comparison { rules, applied: None, secret_changed: &note };
    diff(body, &Value::Null, &comparison);
    digests.into_inner()
}

/// The salted digest of one value, its secrets put in.
pub fn digest(value: &Value, secrets: &Secrets, salt: &str) -> String {
    let mut exposed = value.clone();
    token::substitute(&mut exposed, &mut |token| match token {
        token::Token::Secret { name } => secrets.get(name).map(|secret| secret.expose().into()),
        _ => None,
    });
    let text = exposed.as_str().map_or_else(|| exposed.to_string(), str::to_owned);
    Secret::new(text).digest(salt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_find_re_cased_members_and_elements() {
        let body = json!({ "properties": { "addonProfiles": { "omsAgent": { "ids": ["a", "b"] } } } });
        assert_eq!(lookup(&body, "/properties/addonprofiles/omsagent/ids/1"), Some(&json!("b")));
        assert_eq!(lookup(&body, "/properties/none"), None);
    }
}
