//! Outputs for those who asked for secrets.

use crate::value::secret::Secrets;
use crate::value::token::{self, Token};
use serde_json::Value;

/// A value with its secrets put in; nothing when it holds what is not known, or a secret that was not asked for.
pub fn revealed(value: &Value, secrets: Option<&Secrets>) -> Option<Value> {
    let mut value = value.clone();
    token::substitute(&mut value, &mut |token| match token {
        Token::Secret { name } => secrets?.get(name).map(|secret| secret.expose().into()),
        _ => None,
    });
    (!token::any(&value, &|_| true)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::secret::Secret;
    use serde_json::json;

    #[test]
    fn a_secret_is_put_in_for_those_who_ask_and_what_is_unknown_stays_so() {
        let mut secrets = Secrets::default();
        secrets.insert("password", Secret::new("hunter2"));
        let secret = json!({ "a": format!("x-{}", Token::Secret { name: "password".into() }.encode()) });
        assert_eq!(revealed(&secret, Some(&secrets)), Some(json!({ "a": "x-hunter2" })));
        assert_eq!(revealed(&secret, None), None);
        let unknown = Token::Output { address: crate::ident::Address::new("a.b"), pointer: "/x".into() };
        assert_eq!(revealed(&json!([unknown.encode()]), Some(&secrets)), None);
        assert_eq!(revealed(&json!(1), None), Some(json!(1)));
    }
}
