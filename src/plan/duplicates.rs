//! The same thing under another name: what somebody else made where Azure lets there be only one.
//!
//! A role is given once to a principal at a scope, whatever the assignment is called; a range, a linked network and the zone
//! group of an endpoint are there once too. What berth would make is then refused, so it is looked for before.

use super::model::{Adoption, Conflict};
use super::scarce::exclude;
use crate::catalog::{ResourceType, Scarce};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::state::{Desired, DesiredResource, Named, Observation, Observed, Provisioning};
use crate::value::token::{self, Token};
use crate::value::{Comparison, NamedThere, diff, lookup, named_there};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Where something stands, what its type is, and what stands there, in a fixed order.
type Places<'a> = HashMap<(ArmId, String), BTreeMap<String, &'a ArmId>>;

/// What is there, by place and type.
struct Beside<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    places: Places<'a>,
}

impl<'a> Beside<'a> {
    fn new(desired: &'a Desired, observed: &'a Observed) -> Self {
        Beside { desired, observed, places: places(desired, observed).unwrap_or_default() }
    }

    /// What is there beside a resource, which is not, and has what only one can have.
    fn duplicate(&self, resource: &DesiredResource) -> Option<(&'a ArmId, Scarce)> {
        let key = (resource.id.parent()?, resource.kind.arm_type.to_ascii_lowercase());
        let beside = self.places.get(&key)?;
        let wanted = resource.for_creation(&resource.body).into_owned();
        let wanted = shown(self.desired, self.observed, wanted);
        beside.values().find_map(|&id| {
            let live = self.observed.get(id).and_then(Observation::body)?;
            let clash = |scarce: &&Scarce| exclude(std::slice::from_ref(*scarce), live, &wanted);
            let scarce = resource.kind.scarce.iter().find(clash)?;
            (!self.desired.by_id.contains_key(id)).then_some((id, *scarce))
        })
    }
}

impl Beside<'_> {
    /// Whether what is there is as a resource asks for it, whatever their parts are called.
    fn says_the_same(&self, resource: &DesiredResource, id: &ArmId) -> bool {
        let Some(live) = self.observed.get(id).and_then(Observation::body) else { return false };
        let rules = resource.kind.compiled();
        let mut wanted = shown(self.desired, self.observed, resource.body.as_ref().clone());
        named_there(&mut wanted, live, None, rules, id.as_str());
        let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
        diff(&wanted, live, &comparison).is_empty()
    }
}

fn places<'a>(desired: &Desired, observed: &'a Observed) -> Option<Places<'a>> {
    let mut places: Places<'_> = HashMap::new();
    for resource in desired.resources.iter().filter(|resource| is_to_be_made(resource, observed)) {
        let key = (resource.id.parent()?, resource.kind.arm_type.to_ascii_lowercase());
        places.entry(key).or_default();
    }
    if places.is_empty() {
        return None;
    }
    for (id, seen) in observed {
        let (Some(parent), Some(_)) = (id.parent(), seen.body()) else { continue };
        if let Some(beside) = places.get_mut(&(parent, id.resource_type().to_ascii_lowercase())) {
            beside.insert(id.as_str().to_ascii_lowercase(), id);
        }
    }
    Some(places)
}

fn is_to_be_made(resource: &DesiredResource, observed: &Observed) -> bool {
    !resource.kind.scarce.is_empty() && observed.get(&resource.id).and_then(Observation::body).is_none()
}

/// A body with what is there put in for its references.
fn shown(desired: &Desired, observed: &Observed, mut body: Value) -> Value {
    token::substitute(&mut body, &mut |token| {
        let Token::Output { address, pointer } = token else { return None };
        let at = *desired.by_address.get(address)?;
        lookup(observed.get(&desired.resources[at].id)?.body()?, pointer).cloned()
    });
    body
}

/// The same blueprint, but that what berth names has the name under which it is there: the parts of bodies, and what
/// stands for itself when the ledger has it by that name, or when it may be taken over.
pub fn as_found<'d>(
    desired: &'d Desired,
    ledger: &Ledger,
    observed: &Observed,
    adoption: Adoption,
) -> Cow<'d, Desired> {
    let mut found = resources_as_found(desired, ledger, observed, adoption);
    parts_of_all(&mut found, ledger, observed, &|kind| kind.names_part.is_empty());
    // What names a part of another resource calls it as that does; so it comes after that.
    let named: Vec<(usize, &str, String)> = found
        .resources
        .iter()
        .enumerate()
        .flat_map(|(at, resource)| resource.kind.names_part.iter().map(move |part| (at, resource, part)))
        .filter_map(|(at, resource, part)| {
            let text = |pointer| resource.body.pointer(pointer).and_then(Value::as_str);
            let other = found.by_id.get(&ArmId::parse(text(part.of)?).ok()?)?;
            let name = text(part.at)?;
            let to =
                found.resources[*other].named_there.iter().find_map(|own| own.name_of(part.list, name))?;
            Some((at, part.at, to.to_owned()))
        })
        .collect();
    for (at, pointer, name) in named {
        let body = Arc::make_mut(&mut found.to_mut().resources[at].body);
        if let Some(value) = body.pointer_mut(pointer) {
            *value = name.into();
        }
    }
    parts_of_all(&mut found, ledger, observed, &|kind| !kind.names_part.is_empty());
    found
}

/// Has the parts of bodies have the names that they have in Azure, in the types that are asked for.
fn parts_of_all(
    found: &mut Cow<'_, Desired>,
    ledger: &Ledger,
    observed: &Observed,
    of: &dyn Fn(&ResourceType) -> bool,
) {
    let named: Vec<(usize, Value, Vec<NamedThere>)> = found
        .resources
        .iter()
        .enumerate()
        .filter(|(_, resource)| {
            resource.operation == Provisioning::Resource
                && of(resource.kind)
                && resource.kind.compiled().has_alike()
        })
        .filter_map(|(at, resource)| {
            let live = observed.get(&resource.id).and_then(Observation::body)?;
            let applied = ledger.resources.get(&resource.id).map(|owned| &owned.applied);
            let (body, named) = parts_as_found(found, observed, resource, live, applied);
            (!named.is_empty()).then_some((at, body, named))
        })
        .collect();
    for (at, body, named) in named {
        let resource = &mut found.to_mut().resources[at];
        (resource.body, resource.named_there) = (Arc::new(body), named);
    }
}

/// A body in which each part has the name that it has in Azure, with those that got another one.
fn parts_as_found(
    desired: &Desired,
    observed: &Observed,
    resource: &DesiredResource,
    live: &Value,
    applied: Option<&Value>,
) -> (Value, Vec<NamedThere>) {
    let (rules, id) = (resource.kind.compiled(), resource.id.as_str());
    let mut body = Value::clone(&resource.body);
    let mut known = shown(desired, observed, body.clone());
    let mut named = Vec::new();
    // What was asked for last time tells which part is which, also when the blueprint says something else of it now.
    if let Some(applied) = applied {
        named = named_there(&mut applied.clone(), live, None, rules, id);
        named.retain(|part| {
            let fits = part.fits(&known);
            if fits {
                part.apply(&mut known, id);
            }
            fits
        });
    }
    named.extend(named_there(&mut known, live, applied, rules, id));
    named.iter().for_each(|part| part.apply(&mut body, id));
    (body, named)
}

/// The same blueprint, but that what berth names by its content has the name under which it is there: when the ledger has
/// it by that name, or when it may be taken over.
fn resources_as_found<'d>(
    desired: &'d Desired,
    ledger: &Ledger,
    observed: &Observed,
    adoption: Adoption,
) -> Cow<'d, Desired> {
    let by_content =
        |resource: &&DesiredResource| resource.named == Named::Content && is_to_be_made(resource, observed);
    if !desired.resources.iter().any(|resource| by_content(&resource)) {
        return Cow::Borrowed(desired);
    }
    let beside = Beside::new(desired, observed);
    let mut names: BTreeMap<usize, ArmId> = BTreeMap::new();
    for (at, resource) in desired.resources.iter().enumerate().filter(|(_, resource)| by_content(resource)) {
        let Some((id, scarce)) = beside.duplicate(resource) else { continue };
        // What there is one of may be for something else.
        if matches!(scarce, Scarce::Place { .. }) && !beside.says_the_same(resource, id) {
            continue;
        }
        let ours = match ledger.resources.get(id) {
            Some(owned) => owned.address == resource.address,
            None => adoption == Adoption::Allowed || resource.adopt,
        };
        // One thing cannot be two of the blueprint's.
        if ours && !names.values().any(|named| named == id) {
            names.insert(at, id.clone());
        }
    }
    if names.is_empty() {
        return Cow::Borrowed(desired);
    }
    let mut found = desired.clone();
    for (at, id) in names {
        let was = std::mem::replace(&mut found.resources[at].id, id.clone());
        found.by_id.remove(&was);
        found.by_id.insert(id, at);
        found.resources[at].named = Named::Found;
    }
    Cow::Owned(found)
}

/// Why a resource that is not there cannot be made: somebody else's has what only one can have.
pub(super) fn in_the_way(
    desired: &Desired,
    ledger: &Ledger,
    observed: &Observed,
) -> BTreeMap<ArmId, Conflict> {
    let beside = Beside::new(desired, observed);
    let mut found = BTreeMap::new();
    for resource in desired.resources.iter().filter(|resource| is_to_be_made(resource, observed)) {
        let Some((id, scarce)) = beside.duplicate(resource) else { continue };
        // What is the blueprint's own gives way, in the order that Azure allows, and so does what may not be there.
        let parent = resource.id.parent().and_then(|id| desired.by_id.get(&id));
        let goes = parent.is_some_and(|&at| {
            let mut lists = desired.resources[at].exclusive_children();
            lists.any(|(_, kind)| kind.arm_type.eq_ignore_ascii_case(resource.kind.arm_type))
        });
        if goes || ledger.resources.contains_key(id) {
            continue;
        }
        let (name, title) = (id.name(), resource.kind.title);
        let (message, help) = match scarce {
            Scarce::Same(_) if resource.named == Named::Content => (
                format!("somebody else made the same {title}, as `{name}`, and Azure lets there be one"),
                "to take that one over, run with `--adopt` or write `adopt: true` in its entry; or take the entry out".to_owned(),
            ),
            Scarce::Same(_) => (
                format!("somebody else made the same {title}, as `{name}`, and Azure lets there be one"),
                format!("to take that one over, write `name: {name}` in its entry and run with `--adopt`; or take the entry out"),
            ),
            Scarce::Ranges(_) => (
                format!("the {title} `{name}`, which somebody else made, has addresses of its range"),
                "choose a range that is free".to_owned(),
            ),
            Scarce::Addresses { .. } => (
                format!("the {title} `{name}`, which somebody else made, has an address of it"),
                "choose an address that is free, or leave it to Azure".to_owned(),
            ),
            Scarce::Place { help } => (
                format!("somebody else made a {title}, `{name}`, and Azure lets there be one here"),
                help.to_owned(),
            ),
        };
        let conflict = Conflict { address: resource.address.clone(), id: resource.id.clone(), message, help };
        found.insert(resource.id.clone(), conflict);
    }
    found
}
