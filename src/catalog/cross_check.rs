//! What must hold between a resource and others of the same blueprint: rules that one entry alone cannot tell.

use super::Problem;
use crate::ident::{Address, ArmId};
use crate::value::secret::Secrets;
use crate::value::token::Token;
use serde_json::Value;
use std::collections::BTreeSet;

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

    /// The first text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&'a str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }

    /// The ids that its body names, members' names included.
    pub fn ids(&self) -> Vec<ArmId> {
        let mut ids = Vec::new();
        ids_in(self.body, &mut ids);
        ids
    }

    /// Whether it is of an ARM type.
    pub fn is(&self, arm_type: &str) -> bool {
        self.id.resource_type().eq_ignore_ascii_case(arm_type)
    }
}

fn ids_in(value: &Value, ids: &mut Vec<ArmId>) {
    match value {
        Value::String(text) if text.starts_with('/') => ids.extend(ArmId::parse(text)),
        Value::Array(items) => items.iter().for_each(|item| ids_in(item, ids)),
        Value::Object(members) => {
            for (name, member) in members {
                if name.starts_with('/') {
                    ids.extend(ArmId::parse(name));
                }
                ids_in(member, ids);
            }
        }
        _ => {}
    }
}

/// Whether a scope is a resource or what that lies in.
pub fn covers(scope: &ArmId, id: &ArmId) -> bool {
    let (scope, id) = (scope.as_str().to_ascii_lowercase(), id.as_str().to_ascii_lowercase());
    id.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

const ROLE_ASSIGNMENTS: &str = "Microsoft.Authorization/roleAssignments";

/// What a role assignment says of an identity of the blueprint, whose object id Azure makes.
pub fn principal_of(identity: &Address) -> Token {
    Token::Output { address: identity.clone(), pointer: "/properties/principalId".to_owned() }
}

/// A resource among the others of its blueprint.
pub struct CheckContext<'a> {
    /// The resource that is judged.
    pub this: LinkedResource<'a>,
    /// Finds another one of the blueprint by its id.
    pub find: &'a dyn Fn(&ArmId) -> Option<LinkedResource<'a>>,
    /// Every resource of the blueprint.
    pub all: &'a [LinkedResource<'a>],
    secrets: &'a Secrets,
}

impl<'a> CheckContext<'a> {
    /// A resource, how others are found, and the secrets that bodies name.
    pub fn new(
        this: LinkedResource<'a>,
        find: &'a dyn Fn(&ArmId) -> Option<LinkedResource<'a>>,
        all: &'a [LinkedResource<'a>],
        secrets: &'a Secrets,
    ) -> Self {
        CheckContext { this, find, all, secrets }
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

    /// The ids that the resource works with: those that its body names, and what the bodies of these name in turn (a
    /// subnet's route table).
    pub fn reaches(&self) -> BTreeSet<ArmId> {
        let mut found = BTreeSet::new();
        let mut open = self.this.ids();
        while let Some(id) = open.pop() {
            if id != *self.this.id && found.insert(id.clone()) {
                open.extend((self.find)(&id).iter().flat_map(LinkedResource::ids));
            }
        }
        found
    }

    /// The role assignments of the blueprint to a principal, by what its id says: an output of an identity.
    pub fn roles_of(&self, principal: &Token) -> impl Iterator<Item = LinkedResource<'a>> {
        let theirs = move |role: &LinkedResource<'a>| {
            role.is(ROLE_ASSIGNMENTS)
                && role.text("/properties/principalId").and_then(Token::exactly).as_ref() == Some(principal)
        };
        self.all.iter().copied().filter(theirs)
    }

    /// The identities of the blueprint with which the resource acts.
    pub fn acts_as(&self) -> Vec<LinkedResource<'a>> {
        let own = self.this.body.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
        let own = own.into_iter().flat_map(|own| own.keys().map(String::as_str));
        let kubelet = self.this.text("/properties/identityProfile/kubeletidentity/resourceId");
        own.chain(kubelet).filter_map(|id| (self.find)(&ArmId::parse(id).ok()?)).collect()
    }

    /// The role assignments that the resource needs before it is made: those of its identities on what it works with.
    pub fn needed_roles(&self) -> Vec<ArmId> {
        let identities = self.acts_as();
        if identities.is_empty() {
            return Vec::new();
        }
        let reaches = self.reaches();
        let mut roles = Vec::new();
        for identity in identities {
            let principal = principal_of(identity.address);
            let on_them = self.roles_of(&principal).filter(|role| {
                let scope = role.id.parent();
                scope.is_some_and(|scope| reaches.iter().any(|id| *id != *identity.id && covers(&scope, id)))
            });
            roles.extend(on_them.map(|role| role.id.clone()));
        }
        roles
    }

    /// The resource that another one stands on, when the blueprint has it.
    pub fn parent_of(&self, id: &ArmId) -> Option<LinkedResource<'a>> {
        (self.find)(&id.parent()?)
    }
}

/// Tells of what a resource needs although no reference says so.
pub type AlsoNeeds = fn(&CheckContext<'_>) -> Vec<ArmId>;

/// Judges a resource. Paths of problems go from the entry; an empty one is what asks for the resource, and one that
/// begins with `.` goes on from there.
pub type CrossCheck = fn(&CheckContext<'_>, &mut Vec<Problem>);
