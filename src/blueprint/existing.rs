//! Entries of `existing`: what they read, as far as that is known before ids are linked.
//!
//! Others ask for the type and the id of such an entry before it is expanded: an endpoint, which group its target has; a
//! zone's link, which network it is to. Mistakes in the entry are told where it is expanded, and not here.

use super::each::Each;
use super::evaluator::Evaluator;
use super::expression;
use super::messages::{COMMON, UNKNOWN_FIELD, WRONG_VALUE};
use super::source::At;
use crate::catalog::Kind;
use crate::diag::Diagnostic;
use crate::ident::{ArmId, Parts};
use crate::value::token::{Token, has_token, substitute_text};
use serde_json::Value;
use std::rc::Rc;

/// What an entry that only reads may say of what every entry may.
pub(crate) const READ_WORDS: &[&str] = &["name", "resourceGroup", "subscription", "forEach", "when"];

/// The section.
pub(super) const EXISTING: &str = "existing";

/// What is known of an entry of `existing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) arm_type: String,
    pub(super) id: Option<ArmId>,
}

impl Evaluator<'_> {
    /// What an entry of `existing` in this file reads; `None` when that cannot be told, or needs itself.
    pub(super) fn existing(&self, key: &str, each: Option<&Rc<Each>>) -> Option<Rc<Known>> {
        let address = match each {
            Some(each) => format!("{}{EXISTING}.{key}[{}]", self.prefix, each.key),
            None => format!("{}{EXISTING}.{key}", self.prefix),
        };
        if let Some(known) = self.shared.existing.borrow().get(&address) {
            return known.clone();
        }
        // While it is being found it is not known.
        self.shared.existing.borrow_mut().insert(address.clone(), None);
        let known = self.with_each(each.cloned(), || self.find_existing(key, each)).map(Rc::new);
        self.shared.existing.borrow_mut().insert(address, known.clone());
        known
    }

    fn find_existing(&self, key: &str, each: Option<&Rc<Each>>) -> Option<Known> {
        let raw = self.root.get(EXISTING)?.get(key)?;
        let text = |field: &str| match raw.get(field)? {
            Value::String(text) => expression::evaluate(text, self).ok()?.as_str().map(str::to_owned),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let settled = |text: &str| {
            substitute_text(text, &mut |token| match token {
                Token::Reference { path, .. } => self.known(path)?.id.as_ref().map(|id| id.as_str().into()),
                _ => None,
            })
        };
        let said = text("type");
        if raw.get("id").is_some() {
            let id = text("id").map(|id| settled(&id)).filter(|id| !has_token(id));
            let id = id.and_then(|id| ArmId::parse(&id).ok());
            let arm_type = id.as_ref().map(ArmId::resource_type).or(said)?;
            return Some(Known { arm_type, id });
        }
        let arm_type = said?;
        let unknown = |arm_type: &str| Some(Known { arm_type: arm_type.to_owned(), id: None });
        let name = match (raw.get("name"), each) {
            (Some(_), _) => text("name")?,
            (None, Some(each)) => format!("{key}-{}", each.key),
            (None, None) => key.to_owned(),
        };
        if has_token(&name) {
            return unknown(&arm_type);
        }
        let names: Vec<&str> = name.split('/').collect();
        if raw.get("parent").is_some() {
            let parent = text("parent").map(|parent| settled(&parent)).and_then(|id| ArmId::parse(&id).ok());
            let Some(parent) = parent else { return unknown(&arm_type) };
            let (above, own) = arm_type.rsplit_once('/')?;
            let id = match parent.is_of_type(above) {
                true => parent.child(own, &name),
                false => parent.provider(&arm_type, &names),
            };
            return Some(Known { id: ArmId::parse(id.as_str()).ok(), arm_type });
        }
        let of_azure = |field: &str| self.azure.borrow().get(field)?.as_str().map(str::to_owned);
        let own = of_azure("subscription");
        let said_group = text("resourceGroup");
        let (mut group, mut subscription) = (said_group.clone(), text("subscription"));
        if let Some(Token::Reference { path, .. }) = said_group.as_deref().and_then(Token::exactly) {
            let (name, elsewhere) = self.group_of(&path);
            group = name;
            subscription = subscription.or(elsewhere);
        }
        let subscription = match (subscription, own) {
            (Some(said), own) => {
                let path = format!("{EXISTING}.{key}");
                let own = own.unwrap_or_default();
                self.subscription_id(&said, &own, &path)?.or(Some(own))
            }
            (None, own) => own,
        };
        let group = group.or_else(|| of_azure("resourceGroup"));
        let (Some(subscription), Some(group)) = (subscription, group) else { return unknown(&arm_type) };
        let id = match arm_type.to_ascii_lowercase().as_str() {
            "microsoft.resources/resourcegroups" => ArmId::resource_group(&subscription, &name),
            "microsoft.resources/subscriptions" => {
                ArmId::parse(&format!("/subscriptions/{subscription}")).ok()?
            }
            _ => ArmId::resource_group(&subscription, &group).provider(&arm_type, &names),
        };
        // The parts of a type and of a name may be of different numbers: that is told where it is expanded.
        Some(Known { id: ArmId::parse(id.as_str()).ok().filter(|_| !has_token(id.as_str())), arm_type })
    }

    /// What is known of the entry of `existing` that an address begins with, in whatever file it is.
    pub(super) fn known(&self, address: &str) -> Option<Rc<Known>> {
        let parts = Parts::of(address);
        if parts.section != EXISTING {
            return None;
        }
        // An expression that names it has looked it up.
        self.shared.existing.borrow().get(parts.entry).cloned().flatten()
    }

    /// A field by which others know what an entry reads, when its id tells it.
    pub(super) fn existing_identity(&self, key: &str, each: Option<&Rc<Each>>, field: &str) -> Option<Value> {
        let id = self.existing(key, each)?.id.clone()?;
        match field {
            "name" => Some(id.name().into()),
            "resourceGroup" => id.group().map(Value::from),
            _ => None,
        }
    }

    /// Tells of fields that have no meaning in an entry that only reads.
    pub(super) fn check_reads(&self, kind: &Kind, path: &str, raw: &Value) {
        let Some(fields) = raw.as_object().filter(|_| kind.reads) else { return };
        let tell = |name: &str, code, message: String, help: &str| {
            let place = self.locate(&format!("{path}.{name}"), At::Key);
            self.tell(Diagnostic::error(code, message).at(place).help(help));
        };
        for name in fields.keys().map(String::as_str) {
            if COMMON.contains(&name) && !READ_WORDS.contains(&name) {
                let message = format!("`{name}` is for what berth makes, and `{}` only reads", kind.section);
                tell(name, &UNKNOWN_FIELD, message, "take it out");
            } else if fields.contains_key("id")
                && ["name", "resourceGroup", "subscription", "parent"].contains(&name)
            {
                let message = format!("`{name}` beside `id` says what the id says already");
                tell(name, &WRONG_VALUE, message, "take one of the two out");
            }
        }
    }
}
