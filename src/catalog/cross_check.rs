//! What must hold between a resource and others of the same blueprint: rules that one entry alone cannot tell.

use super::Problem;
use crate::ident::{Address, ArmId};
use crate::value::at_pointer;
use crate::value::secret::Secrets;
use crate::value::token::Token;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// A resource of the blueprint, linked: ids are known, what is known only after apply is a token.
#[derive(Debug, Clone, Copy)]
pub struct LinkedResource<'a> {
    /// What the blueprint calls it.
    pub address: &'a Address,
    /// Its id.
    pub id: &'a ArmId,
    /// Its ARM type.
    pub arm_type: &'a str,
    /// What is asked for.
    pub body: &'a Value,
}

impl<'a> LinkedResource<'a> {
    /// The texts at JSON pointers; a list counts as its elements, and what is not text is left out.
    pub fn texts(&self, pointers: &[&str]) -> Vec<&'a str> {
        let mut all = Vec::new();
        for value in pointers.iter().filter_map(|pointer| at_pointer(self.body, pointer)) {
            match value {
                Value::Array(items) => all.extend(items.iter().filter_map(Value::as_str)),
                other => all.extend(other.as_str()),
            }
        }
        all
    }

    /// The first text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&'a str> {
        at_pointer(self.body, pointer).and_then(Value::as_str)
    }

    /// The ids that its body names, members' names included.
    fn ids(&self) -> Vec<ArmId> {
        let mut ids = Vec::new();
        ids_in(self.body, &mut ids);
        ids
    }

    /// Whether it is of an ARM type.
    pub fn is(&self, arm_type: &str) -> bool {
        self.arm_type.eq_ignore_ascii_case(arm_type)
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
    let (scope, id) = (scope.as_str().as_bytes(), id.as_str().as_bytes());
    let below = id.get(..scope.len()).is_some_and(|head| head.eq_ignore_ascii_case(scope));
    below && id.get(scope.len()).is_none_or(|&next| next == b'/')
}

/// The resources of a blueprint, as cross checks look them up. Made once for all checks, so that none of them walks
/// through every resource.
pub struct LinkedResources<'a> {
    all: Vec<LinkedResource<'a>>,
    /// The ids that each names.
    ids: Vec<Vec<ArmId>>,
    by_id: HashMap<&'a ArmId, usize>,
    /// By ARM type, in small letters.
    by_type: HashMap<String, Vec<usize>>,
    /// The role assignments, by the text that names the principal.
    by_principal: HashMap<&'a str, Vec<usize>>,
    /// Those that name an id.
    naming: HashMap<ArmId, Vec<usize>>,
}

impl<'a> LinkedResources<'a> {
    /// Prepares the look-ups.
    pub fn new(all: Vec<LinkedResource<'a>>) -> Self {
        let ids: Vec<Vec<ArmId>> = all.iter().map(LinkedResource::ids).collect();
        let mut by_type: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_principal: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut naming: HashMap<ArmId, Vec<usize>> = HashMap::new();
        for (at, resource) in all.iter().enumerate() {
            by_type.entry(resource.arm_type.to_ascii_lowercase()).or_default().push(at);
            if resource.is(ROLE_ASSIGNMENTS)
                && let Some(principal) = resource.text("/properties/principalId")
            {
                by_principal.entry(principal).or_default().push(at);
            }
            for id in &ids[at] {
                let users = naming.entry(id.clone()).or_default();
                if users.last() != Some(&at) {
                    users.push(at);
                }
            }
        }
        let by_id = all.iter().enumerate().map(|(at, resource)| (resource.id, at)).collect();
        LinkedResources { all, ids, by_id, by_type, by_principal, naming }
    }

    /// Every resource.
    pub fn iter(&self) -> impl Iterator<Item = LinkedResource<'a>> {
        self.all.iter().copied()
    }

    /// The resource with an id.
    pub fn find(&self, id: &ArmId) -> Option<LinkedResource<'a>> {
        self.by_id.get(id).map(|&at| self.all[at])
    }

    /// The resources of an ARM type.
    pub fn of_type(&self, arm_type: &str) -> impl Iterator<Item = LinkedResource<'a>> {
        self.some(self.by_type.get(&arm_type.to_ascii_lowercase()))
    }

    /// The resources whose bodies name an id.
    pub fn naming(&self, id: &ArmId) -> impl Iterator<Item = LinkedResource<'a>> {
        self.some(self.naming.get(id))
    }

    /// The ids that the body of a resource names, members' names included.
    pub fn named_by(&self, id: &ArmId) -> &[ArmId] {
        self.by_id.get(id).map_or(&[], |&at| &self.ids[at])
    }

    fn some(&self, at: Option<&Vec<usize>>) -> impl Iterator<Item = LinkedResource<'a>> {
        at.into_iter().flatten().map(|&at| self.all[at])
    }
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
    /// Every resource of the blueprint.
    pub all: &'a LinkedResources<'a>,
    secrets: &'a Secrets,
}

impl<'a> CheckContext<'a> {
    /// A resource, the others of its blueprint, and the secrets that bodies name.
    pub fn new(this: LinkedResource<'a>, all: &'a LinkedResources<'a>, secrets: &'a Secrets) -> Self {
        CheckContext { this, all, secrets }
    }

    /// Finds another one of the blueprint by its id.
    pub fn find(&self, id: &ArmId) -> Option<LinkedResource<'a>> {
        self.all.find(id)
    }

    /// Whether the secret at a JSON pointer of the body fails a test. No check sees the secret itself; one whose value
    /// is not known here fails nothing.
    pub fn secret_fails(&self, pointer: &str, passes: fn(&str) -> bool) -> bool {
        let text = at_pointer(self.this.body, pointer).and_then(Value::as_str);
        let Some(Token::Secret { name }) = text.and_then(Token::exactly) else { return false };
        self.secrets.get(&name).is_some_and(|secret| !passes(secret.expose()))
    }

    /// The resource whose id is at a JSON pointer of the body, when the blueprint has it.
    pub fn at(&self, pointer: &str) -> Option<LinkedResource<'a>> {
        let id = at_pointer(self.this.body, pointer)?.as_str()?;
        self.find(&ArmId::parse(id).ok()?)
    }

    /// The ids that the resource works with: those that its body names, and what the bodies of these name in turn (a
    /// subnet's route table).
    pub fn reaches(&self) -> BTreeSet<ArmId> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&ArmId> = self.all.named_by(self.this.id).iter().collect();
        while let Some(id) = open.pop() {
            if *id != *self.this.id && found.insert(id.clone()) {
                open.extend(self.all.named_by(id));
            }
        }
        found
    }

    /// The role assignments of the blueprint to a principal, by what its id says: an output of an identity.
    pub fn roles_of(&self, principal: &Token) -> impl Iterator<Item = LinkedResource<'a>> {
        self.all.some(self.all.by_principal.get(principal.encode().as_str()))
    }

    /// The identities of the blueprint with which the resource acts.
    pub fn acts_as(&self) -> Vec<LinkedResource<'a>> {
        let own = at_pointer(self.this.body, "/identity/userAssignedIdentities").and_then(Value::as_object);
        let own = own.into_iter().flat_map(|own| own.keys().map(String::as_str));
        let kubelet = self.this.text("/properties/identityProfile/kubeletidentity/resourceId");
        own.chain(kubelet).filter_map(|id| self.find(&ArmId::parse(id).ok()?)).collect()
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

    /// The parent of a resource, or the scope of an extension resource, when the blueprint has it.
    pub fn parent_of(&self, id: &ArmId) -> Option<LinkedResource<'a>> {
        self.find(&id.parent()?)
    }
}

/// Tells of what a resource needs although no reference says so.
pub type AlsoNeeds = fn(&CheckContext<'_>) -> Vec<ArmId>;

/// Judges a resource. Paths of problems go from the entry; an empty one is what asks for the resource, and one that
/// begins with `.` goes on from there.
pub type CrossCheck = fn(&CheckContext<'_>, &mut Vec<Problem>);
