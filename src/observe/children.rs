//! What stands below a resource whose children are the blueprint's alone, asked for or not.

use crate::arm::{Client, Error, Resource};
use crate::catalog::ResourceType;
use crate::ident::ArmId;
use crate::state::{Desired, Observation, Observed};
use futures::StreamExt;
use serde_json::Value;
use std::borrow::Cow;

/// A list of children that has to be read.
struct Children {
    path: String,
    api_version: &'static str,
}

/// The path of the list of a resource's children of a type: below it, or as an extension of it.
fn path(parent: &ArmId, own_type: &str, kind: &ResourceType) -> String {
    let below = kind.arm_type.strip_prefix(own_type).and_then(|rest| rest.strip_prefix('/'));
    match below {
        Some(rest) => format!("{parent}/{rest}"),
        None => format!("{parent}/providers/{}", kind.arm_type),
    }
}

/// Reads them; what the bodies of their parents show needs no request, see [`shown`].
///
/// # Errors
/// A list that cannot be read: without it the plan would be silent about what is to go.
pub(super) async fn listed(
    client: &Client,
    desired: Option<&Desired>,
    at_once: usize,
) -> Result<Vec<Value>, Error> {
    let mut wanted = Vec::new();
    for resource in desired.iter().flat_map(|desired| &desired.resources) {
        for (_, kind) in resource.exclusive_children() {
            if kind.listing.in_parent().is_none() {
                let path = path(&resource.id, resource.kind.arm_type, kind);
                wanted.push(Children { path, api_version: kind.api_version });
            }
        }
    }
    let lists = wanted.into_iter().map(|list| async move {
        match client.list(&list.path, list.api_version, &[]).await {
            // Its parent is not there, and so nothing below it.
            Err(error) if error.is_absence() => Ok(Vec::new()),
            other => other,
        }
    });
    let mut lists = futures::stream::iter(lists).buffer_unordered(at_once);
    let mut found = Vec::new();
    while let Some(list) = lists.next().await {
        found.extend(list?);
    }
    Ok(found)
}

/// Adds the children to what was observed: those of the lists, and those that the bodies of their parents show.
pub(super) fn add(desired: &Desired, listed: Vec<Value>, observed: &mut Observed) {
    let mut found = listed;
    for resource in &desired.resources {
        let Some(body) = observed.get(&resource.id).and_then(Observation::body) else { continue };
        for (_, kind) in resource.exclusive_children().chain(resource.shared_children()) {
            let shown = kind.listing.shown(kind, &resource.id, body);
            let id =
                |child: &Value| child.get("id").and_then(Value::as_str).and_then(|id| ArmId::parse(id).ok());
            let is_new = |child: &Cow<'_, Value>| id(child).is_some_and(|id| !observed.contains_key(&id));
            found.extend(shown.filter(is_new).map(Cow::into_owned));
        }
    }
    note(found, observed);
}

/// The path of the list that an id's siblings are on.
pub(super) fn collection(id: &ArmId) -> String {
    let text = id.as_str();
    text[..text.rfind('/').unwrap_or(text.len())].to_owned()
}

/// Adds what a list shows, as far as it is not known from elsewhere.
pub(super) fn note(found: Vec<Value>, observed: &mut Observed) {
    for child in found {
        let id = child.get("id").and_then(Value::as_str).and_then(|id| ArmId::parse(id).ok());
        if let Some(id) = id.filter(|id| !observed.contains_key(id)) {
            let Resource { body, etag } = Resource::listed(child);
            observed.insert(id, Observation::Present { body, etag });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::resource_type;

    #[test]
    fn children_are_below_their_parent_or_extend_it() {
        let vnet = "Microsoft.Network/virtualNetworks";
        let id = ArmId::resource_group("s", "g").provider(vnet, &["hub"]);
        let subnet = resource_type("Microsoft.Network/virtualNetworks/subnets").unwrap();
        assert_eq!(path(&id, vnet, subnet), format!("{id}/subnets"));
        let flux = resource_type("Microsoft.KubernetesConfiguration/fluxConfigurations").unwrap();
        let expected = format!("{id}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations");
        assert_eq!(path(&id, vnet, flux), expected);
    }
}
