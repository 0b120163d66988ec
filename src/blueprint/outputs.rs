//! `outputs:` of the blueprint, and of its modules.

use super::evaluator::Evaluator;
use super::expression::Fault;
use super::messages::UNKNOWN_FIELD;
use super::messages::WRONG_TYPE;
use super::source::At;
use crate::diag::{Diagnostic, did_you_mean};
use crate::value::token::{self, Token};
use serde_json::{Map, Value};

/// One output, evaluated but not linked.
#[derive(Debug, Clone)]
pub(crate) struct RawOutput {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) secret: bool,
}

/// What is known of an output.
pub(super) enum Known {
    /// It is being evaluated.
    Busy,
    /// It has a mistake, which is told.
    Failed,
    /// It is this.
    Value(RawOutput),
}

impl Evaluator<'_> {
    fn declared_outputs(&self) -> Option<&Map<String, Value>> {
        self.root.get("outputs").and_then(Value::as_object)
    }

    /// Every output that has no mistake.
    pub(super) fn all_outputs(&self) -> Vec<RawOutput> {
        if let Some(outputs) = self.root.get("outputs")
            && !outputs.is_object()
            && !outputs.is_null()
        {
            self.tell(
                Diagnostic::error(&WRONG_TYPE, "`outputs` must be a mapping of names to values")
                    .at(self.locate("outputs", At::Value))
                    .help("write `outputs: { issuer: \"${clusters.aks.oidcIssuerUrl}\" }`"),
            );
        }
        let names = self.declared_outputs().into_iter().flat_map(Map::keys);
        names.filter_map(|name| self.output(name).ok()).collect()
    }

    /// One output. A mistake in it is told where it is.
    pub(super) fn output(&self, name: &str) -> Result<RawOutput, Fault> {
        match self.outputs.borrow().get(name) {
            Some(Known::Value(known)) => return Ok(known.clone()),
            Some(Known::Failed) => return Err(Fault::follows()),
            Some(Known::Busy) => {
                return Err(Fault::new(
                    format!("the value of `{}outputs.{name}` needs itself", self.prefix),
                    "break the circle: let one of the modules do without the other's output",
                ));
            }
            None => {}
        }
        let outputs = self.declared_outputs();
        let Some(raw) = outputs.and_then(|outputs| outputs.get(name)) else {
            let names: Vec<&str> = outputs.into_iter().flat_map(Map::keys).map(String::as_str).collect();
            let of = format!("output of `{}` named", self.prefix.trim_end_matches('.'));
            return Err(Fault::unknown(&of, name, names.into_iter()));
        };
        self.outputs.borrow_mut().insert(name.to_owned(), Known::Busy);
        let outer = self.shared.saw_secret.replace(false);
        let found = self.with_each(None, || self.one_output(name, raw));
        let inner = self.shared.saw_secret.replace(outer);
        let found = found.map(|mut found| {
            found.secret |= inner;
            found
        });
        let known = found.clone().map_or(Known::Failed, Known::Value);
        self.outputs.borrow_mut().insert(name.to_owned(), known);
        found.ok_or_else(Fault::follows)
    }

    fn one_output(&self, name: &str, raw: &Value) -> Option<RawOutput> {
        const FIELDS: &[&str] = &["value", "secret", "description"];
        let path = format!("outputs.{name}");
        let long = raw.as_object().filter(|long| long.contains_key("value"));
        let (raw, path, secret) = match long {
            Some(long) => {
                for field in long.keys().filter(|field| !FIELDS.contains(&field.as_str())) {
                    let help = match did_you_mean(field, FIELDS.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if field == "forEach" => {
                            "give a list, `${clusters.aks[*].id}`, or a mapping of values".to_owned()
                        }
                        None => format!("an output has: {}", FIELDS.join(", ")),
                    };
                    self.tell(
                        Diagnostic::error(&UNKNOWN_FIELD, format!("unknown field `{field}`"))
                            .at(self.locate(&format!("{path}.{field}"), At::Key))
                            .help(help),
                    );
                }
                let secret = match long.get("secret") {
                    None | Some(Value::Null) => false,
                    Some(Value::Bool(secret)) => *secret,
                    Some(_) => {
                        self.tell(
                            Diagnostic::error(&WRONG_TYPE, "`secret` must be true or false")
                                .at(self.locate(&format!("{path}.secret"), At::Value))
                                .help("write `secret: true`"),
                        );
                        true
                    }
                };
                (long.get("value").unwrap_or(raw), format!("{path}.value"), secret)
            }
            None => (raw, path, false),
        };
        let value = self.try_evaluate(raw, &path)?;
        let holds_secret = token::any(&value, &|token| matches!(token, Token::Secret { .. }));
        Some(RawOutput { name: name.to_owned(), value, secret: secret || holds_secret })
    }
}
