//! What must hold between a resource and others of the same blueprint: rules that one entry alone cannot tell.

use super::Problem;
use crate::ident::{Address, ArmId};
use crate::value::secret::Secrets;
use crate::value::token::Token;
use serde_json::Value;

/// A resource of the blueprint, linked: ids are known, what is known only after apply is a token.
#[derive(Debug, Clone, Copy)]
pub struct LinkedResource<'a> {
    /// What the blueprint calls it.
    pub address: &'a Address,
    /// Its id.
    pub id: &'a ArmId,
    /// What is asked for.
    pub body: &'a Value,
}

impl<'a> LinkedResource<'a> {
    /// The texts at JSON pointers; a list counts as its elements, and what is no text is left out.
    pub fn texts(&self, pointers: &[&str]) -> Vec<&'a str> {
        let mut all = Vec::new();
        for value in pointers.iter().filter_map(|pointer| self.body.pointer(pointer)) {
            match value {
                Value::Array(items) => all.extend(items.iter().filter_map(Value::as_str)),
                other => all.extend(other.as_str()),
            }
        }
        all
    }
}

/// A resource among the others of its blueprint.
pub struct CheckContext<'a> {
    /// The resource that is judged.
    pub this: LinkedResource<'a>,
    /// Finds another one of the blueprint by its id.
    pub find: &'a dyn Fn(&ArmId) -> Option<LinkedResource<'a>>,
    secrets: &'a Secrets,
}

impl<'a> CheckContext<'a> {
    /// A resource, how others are found, and the secrets that bodies name.
    pub fn new(
        this: LinkedResource<'a>,
        find: &'a dyn Fn(&ArmId) -> Option<LinkedResource<'a>>,
        secrets: &'a Secrets,
    ) -> Self {
        CheckContext { this, find, secrets }
    }

    /// Whether the secret at a JSON pointer of the body fails a test. No check sees the secret itself; one whose value
    /// is not known here fails nothing.
    pub fn secret_fails(&self, pointer: &str, passes: fn(&str) -> bool) -> bool {
        let text = self.this.body.pointer(pointer).and_then(Value::as_str);
        let Some(Token::Secret { name }) = text.and_then(Token::exactly) else { return false };
        self.secrets.get(&name).is_some_and(|secret| !passes(secret.expose()))
    }

    /// The resource whose id stands at a JSON pointer of the body, when the blueprint has it.
    pub fn at(&self, pointer: &str) -> Option<LinkedResource<'a>> {
        let id = self.this.body.pointer(pointer)?.as_str()?;
        (self.find)(&ArmId::parse(id).ok()?)
    }

    /// The resource that another one stands on, when the blueprint has it.
    pub fn parent_of(&self, id: &ArmId) -> Option<LinkedResource<'a>> {
        (self.find)(&id.parent()?)
    }
}

/// Judges a resource. Paths of problems go from the entry; an empty one is what asks for the resource.
pub type CrossCheck = fn(&CheckContext<'_>, &mut Vec<Problem>);
