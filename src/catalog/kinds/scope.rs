//! The scope of an extension resource.

use super::registration::subscription_scope;
use crate::catalog::{EntryCx, Problem, Reference, registry};
use crate::diag::Code;
use crate::ident::{ArmId, Parts};
use crate::value::token::display_text;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&SCOPE];

const SCOPE: Code = Code {
    name: "scope",
    why: "A scope is where something applies: a resource, a group, the subscription.",
    remedy: "Refer to an entry, or write `subscription`, `resourceGroup` or an id.",
    example: "scope: ${keyVaults.secrets}",
};

/// The id that a scope names: a resource of the blueprint, `subscription`, `resourceGroup`, or a literal id.
///
/// The entry's resource group when nothing is said. Anything else is reported, and `None`.
pub(super) fn scope_id(scope: Option<&Reference>, path: &str, cx: &mut EntryCx<'_>) -> Option<String> {
    let Some(scope) = scope else { return Some(cx.group().as_str().to_owned()) };
    if scope.path().is_some() {
        return Some(scope.id());
    }
    match scope.0.as_str() {
        "subscription" => Some(subscription_scope(&cx.common.subscription)),
        "resourceGroup" => Some(cx.group().as_str().to_owned()),
        _ if scope.literal_id().is_some() => Some(scope.0.trim_end_matches('/').to_owned()),
        text => {
            let message = format!("`{}` is not a resource", display_text(text));
            cx.problem(Problem::error(&SCOPE, path, message).help(
                "write a reference such as `${keyVaults.secrets}`, `subscription`, `resourceGroup`, or an ARM id",
            ));
            None
        }
    }
}

/// The ARM type of what a reference names, when it can be told offline: a literal id, or an entry's main resource.
fn type_of(reference: &Reference) -> Option<String> {
    if let Some(id) = reference.literal_id() {
        return Some(id.resource_type());
    }
    let path = reference.path()?;
    let parts = Parts::of(&path);
    let kind = registry().iter().find(|kind| kind.section == parts.section)?;
    // `networks.hub.subnets.nodes` is something below an entry.
    (parts.entry == path && !parts.key.is_empty() && !kind.arm_type.is_empty())
        .then(|| kind.arm_type.to_owned())
}

/// [`type_of`], with the types that entries of `resources` and `existing` say.
pub(super) fn type_in(reference: &Reference, cx: &EntryCx<'_>) -> Option<String> {
    type_of(reference).or_else(|| {
        let path = reference.path()?;
        (Parts::of(&path).entry == path).then(|| (cx.types)(&path))?
    })
}

/// The id of what a reference names, when it is written: as itself, or in an entry of `existing`.
pub(super) fn written_id(reference: &Reference, cx: &EntryCx<'_>) -> Option<ArmId> {
    reference.literal_id().or_else(|| {
        let path = reference.path()?;
        (Parts::of(&path).entry == path).then(|| (cx.ids)(&path))?
    })
}

/// The text that becomes the region of what is referred to; `None` of an id, which does not tell it.
pub(super) fn region_of(reference: &Reference) -> Option<String> {
    reference.path().map(|_| reference.facet("location"))
}

/// Whether a reference is to an entry of `existing`.
pub(super) fn is_existing(reference: &Reference) -> bool {
    reference.path().is_some_and(|path| Parts::of(&path).section == "existing")
}

/// Whether a reference is none to a resource of a type, as far as that can be told before ids are known.
pub(super) fn is_no(arm_type: &str, reference: &Reference, cx: &EntryCx<'_>) -> bool {
    match type_in(reference, cx) {
        Some(found) => !found.eq_ignore_ascii_case(arm_type),
        // What an entry of these two says is compared when references are linked.
        None => {
            let path = reference.path();
            !path.is_some_and(|path| matches!(Parts::of(&path).section, "existing" | "resources"))
        }
    }
}

/// The subscription that a scope lies in; `None` above all subscriptions (management groups).
pub(super) fn subscription_of(scope: &str, cx: &EntryCx<'_>) -> Option<String> {
    match ArmId::parse(scope) {
        Ok(id) => id.subscription().map(str::to_owned),
        Err(_) => Some(cx.common.subscription.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::reference;

    #[test]
    fn the_type_follows_from_the_section_or_the_id() {
        let group = "/subscriptions/s/resourceGroups/g";
        for (text, expected) in [
            (reference("networks.hub"), Some("Microsoft.Network/virtualNetworks")),
            (reference("networks.hub[a.b]"), Some("Microsoft.Network/virtualNetworks")),
            (reference("module.spoke[a.b].networks.hub"), Some("Microsoft.Network/virtualNetworks")),
            (reference("module.spoke.networks.hub.subnets.nodes"), None),
            (reference("networks.hub.subnets.nodes"), None),
            (reference("networks.hub[a].subnets.nodes"), None),
            (reference("unheardOf.x"), None),
            (format!("{group}/providers/Microsoft.KeyVault/vaults/v"), Some("Microsoft.KeyVault/vaults")),
            ("nonsense".to_owned(), None),
        ] {
            assert_eq!(type_of(&Reference(text.clone())).as_deref(), expected, "{text}");
        }
    }
}
