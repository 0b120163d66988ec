//! Resource groups: `Microsoft.Resources/resourceGroups`
//! (<https://learn.microsoft.com/azure/templates/microsoft.resources/resourcegroups>).
//!
//! The group of `azure.resourceGroup` is made without being asked for ([`implicit`]); the section is for further ones.

use super::naming::NameRule;
use crate::catalog::{DeleteMode, Draft, EntryCx, EntryKind, Listing, Problem, ResourceType};
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use crate::value::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A resource group.
pub struct ResourceGroup;

/// A resource group besides the one of the blueprint.
///
/// What it is called, where it lies and its tags are fields of every entry; entries are put into it with their
/// `resourceGroup`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {}

const ARM_TYPE: &str = "Microsoft.Resources/resourceGroups";

/// A resource group.
pub static RESOURCE_GROUP: ResourceType = ResourceType {
    // What is in it is deleted with it, so it is asked for by name, after the engine has looked for what is foreign.
    delete: DeleteMode::Always,
    rules: &[Rule::at("managedBy").immutable()],
    listing: Listing::Collection,
    expected: Duration::from_secs(3),
    expected_update: Duration::from_secs(2),
    expected_delete: Duration::from_secs(60),
    // A delete waits for everything inside.
    timeout: Duration::from_secs(90 * 60),
    ..ResourceType::new(ARM_TYPE, "2025-04-01", "resource group")
};

const RESOURCE_GROUP_NAME: Code = Code {
    name: "resource-group-name",
    why: "The name cannot be that of a resource group.",
    remedy: "Use 1 to 90 letters, digits, `_`, `(`, `)`, `-` and `.`, no `.` at the end.",
    example: "resourceGroup: rg-shop-dev",
};

const NAME: NameRule = NameRule {
    code: &RESOURCE_GROUP_NAME,
    what: "a resource group",
    min: 1,
    max: 90,
    first: part,
    inner: |c| part(c) || c == '.',
    last: part,
    says: "1 to 90 letters, digits, `-`, `_`, `.`, `(` and `)`, not ending in `.`",
};

fn part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '(' | ')')
}

/// What is wrong with the name of a group that no entry writes, if anything.
pub fn name_problem(name: &str) -> Option<Problem> {
    NAME.problem(name, "")
}

/// The resource group that the blueprint names in `azure.resourceGroup`, and that no entry writes.
pub fn implicit(subscription: &str, name: &str, location: &str, tags: &Map<String, Value>) -> Draft {
    draft(Address::new("resourceGroup"), subscription, name, location, tags).shared()
}

fn draft(
    address: Address,
    subscription: &str,
    name: &str,
    location: &str,
    tags: &Map<String, Value>,
) -> Draft {
    let mut body = json!({ "location": location });
    if !tags.is_empty() {
        body["tags"] = Value::Object(tags.clone());
    }
    Draft::new(address, ArmId::resource_group(subscription, name).as_str(), &RESOURCE_GROUP, body)
}

impl EntryKind for ResourceGroup {
    const SECTION: &'static str = "resourceGroups";
    const TITLE: &'static str = "resource group";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str = "A resource group besides the one of the blueprint, which needs no entry.";
    const EXAMPLE: &'static str = "\
resourceGroups:
  dns:
    name: rg-shop-dns
    location: northeurope
";
    const TYPES: &'static [&'static ResourceType] = &[&RESOURCE_GROUP];
    const CODES: &'static [&'static [&'static Code]] = &[&[&RESOURCE_GROUP_NAME]];
    type Spec = Spec;

    fn expand(_: Spec, cx: &mut EntryCx<'_>) {
        let common = &cx.common;
        let (address, name) = (cx.address.clone(), common.name.clone());
        let draft = draft(address, &common.subscription, &name, &common.location, &common.tags);
        NAME.check(&name, "name", cx);
        cx.main(draft);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, expand, id};

    #[test]
    fn an_entry_is_one_group() {
        let fields = json!({ "name": "rg-dns", "location": "West US 2", "tags": { "team": "a" } });
        let (drafts, problems) = expand("resourceGroups", "dns", fields);
        assert_eq!(problems, []);
        assert_eq!(id(&drafts[0]), "/subscriptions/sub/resourceGroups/rg-dns");
        assert_eq!(drafts[0].body, json!({ "location": "West US 2", "tags": { "team": "a" } }));
        // A policy added tags, and the location came back in its other spelling.
        let live = json!({
            "id": "/subscriptions/sub/resourceGroups/rg-dns", "name": "rg-dns", "type": "Microsoft.Resources/resourceGroups",
            "location": "westus2", "tags": { "Team": "a", "StorageType": "Standard_LRS" },
            "properties": { "provisioningState": "Succeeded" },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn the_group_of_the_blueprint_is_shared() {
        let draft = implicit("sub", "rg", "westeurope", &Map::new());
        assert_eq!((draft.address.as_str(), draft.shared), ("resourceGroup", true));
        assert_eq!(draft.body, json!({ "location": "westeurope" }));
    }

    #[test]
    fn refuses_names_that_azure_refuses() {
        for (name, good) in [("rg-(a).b_c", true), ("rg.", false), ("", false), ("a b", false)] {
            let (_, problems) = expand("resourceGroups", "x", json!({ "name": name }));
            assert_eq!(problems.is_empty(), good, "{name}");
        }
    }
}
