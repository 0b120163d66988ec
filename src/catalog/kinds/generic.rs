//! Any ARM resource, as it is (<https://learn.microsoft.com/azure/templates>).
//!
//! Nobody waits for berth to learn a type: the body goes out as it is written, and the entry can say the little about
//! its fields that a comparison needs.

use super::scope::{scope_id, type_in};
use crate::catalog::{DeleteMode, Draft, EntryCx, EntryKind, Lane, Named, Problem, Reference, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// Any ARM resource.
pub struct Generic;

/// A resource of any ARM type, written as ARM takes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The full ARM type, such as `Microsoft.ContainerRegistry/registries`.
    #[serde(rename = "type")]
    arm_type: String,
    /// The API version to speak to it, such as `2025-11-01`.
    api_version: String,
    /// The parent, when it is not the resource group: the parent resource for a type of several parts, any resource
    /// for an extension such as a lock, or `subscription`.
    #[schemars(extend("x-wants" = "scope"))]
    parent: Option<Reference>,
    /// The body as ARM takes it, `location` included where the type has one.
    body: Map<String, Value>,
    /// Fields that ARM takes and never returns, as dotted paths: `properties.adminPassword`.
    #[serde(default)]
    write_only: Vec<String>,
    /// Fields that cannot be changed in place, as dotted paths: a change of them plans a replacement.
    #[serde(default)]
    immutable: Vec<String>,
    /// Lists that are really maps: the path of the list, and the member that tells its elements apart, as in
    /// `properties.rules: name`.
    #[serde(default)]
    keys: Named<String>,
}

impl EntryKind for Generic {
    const SECTION: &'static str = "resources";
    const TITLE: &'static str = "resource";
    // Each entry says its own.
    const ARM_TYPE: &'static str = "";
    const TYPES: &'static [&'static ResourceType] = &[];
    const ABOUT: &'static str = "A resource of any ARM type, for what berth has no section for. Its Azure name is the \
        entry's `name`; below several parents without `parent`, all names are written with `/` between. Every field \
        that Azure answers with is an output, such as `${resources.registry.properties.loginServer}`.";
    const EXAMPLE: &'static str = "\
resources:
  registry:
    name: crshop${uniqueString(azure.resourceGroup)}
    type: Microsoft.ContainerRegistry/registries
    apiVersion: '2025-11-01'
    body:
      location: ${azure.location}
      sku: { name: Premium }
      properties: { adminUserEnabled: false }
  keep:
    type: Microsoft.Authorization/locks
    apiVersion: '2020-05-01'
    parent: ${resources.registry}
    body: { properties: { level: CanNotDelete } }
";
    const CODES: &'static [&'static [&'static Code]] =
        &[&[&RESOURCE_API_VERSION, &RESOURCE_BODY, &RESOURCE_NAME, &RESOURCE_PARENT, &RESOURCE_TYPE]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        if !spec.check(cx) {
            return;
        }
        let Some(id) = id_of(&spec.arm_type, spec.parent.as_ref(), cx) else { return };
        let mut body = spec.body.clone();
        // What lies somewhere carries tags; those of the blueprint are for it too.
        // But for types that lie somewhere and carry none, as a section knows.
        let section = crate::catalog::resource_type(&spec.arm_type);
        let tracked = (body.contains_key("location") || body.contains_key("tags"))
            && section.is_none_or(|kind| kind.tags);
        if tracked && !cx.common.tags.is_empty() {
            let mut tags = cx.common.tags.clone();
            if let Some(Value::Object(own)) = body.get("tags") {
                tags.extend(own.clone());
            }
            body.insert("tags".into(), Value::Object(tags));
        }
        let kind = spec.resource_type(tracked);
        cx.main(Draft::new(cx.address.clone(), id, kind, Value::Object(body)));
    }
}

const RESOURCE_API_VERSION: Code = Code {
    name: "resource-api-version",
    why: "ARM's versions are dates.",
    remedy: "Write a date, with `-preview` behind it where there is.",
    example: "apiVersion: \"2025-11-01\"",
};

const RESOURCE_BODY: Code = Code {
    name: "resource-body",
    why: "The body of a resource does not hold what its id says already.",
    remedy: "Leave `id`, `name` and `type` out of it.",
    example: "body: { location: \"${azure.location}\", properties: {} }",
};

const RESOURCE_NAME: Code = Code {
    name: "resource-name",
    why: "A resource below several others has a name for each of them.",
    remedy: "Write as many names as the type has parts, with `/` between, or `parent`.",
    example: "name: registry/replication",
};

const RESOURCE_PARENT: Code = Code {
    name: "resource-parent",
    why: "The parent is not of the type that the resource's own type goes below.",
    remedy: "Refer to a parent of that type.",
    example: "parent: ${resources.registry}",
};

const RESOURCE_TYPE: Code = Code {
    name: "resource-type",
    why: "An ARM type is a namespace and one or more words, with `/` between.",
    remedy: "Write the whole type.",
    example: "type: Microsoft.ContainerRegistry/registries",
};

impl Spec {
    /// Reports what is wrong with type and version; whether nothing is.
    fn check(&self, cx: &mut EntryCx<'_>) -> bool {
        let before = cx.problems.len();
        if !is_arm_type(&self.arm_type) {
            let message = format!("`{}` is not an ARM type", display_text(&self.arm_type));
            cx.problem(
                Problem::error(&RESOURCE_TYPE, "type", message)
                    .help("write namespace and type, such as `Microsoft.ContainerRegistry/registries`"),
            );
        }
        if !is_api_version(&self.api_version) {
            let message = format!("`{}` is not an API version", display_text(&self.api_version));
            cx.problem(
                Problem::error(&RESOURCE_API_VERSION, "apiVersion", message)
                    .help("write a date such as `2025-11-01`, with `-preview` behind it where Azure has it"),
            );
        }
        for name in ["id", "name", "type"] {
            if self.body.contains_key(name) {
                let message = format!("`{name}` follows from the entry and has no place in the body");
                let help = match name {
                    "name" => "write `name:` beside `body:`, not in it",
                    "type" => "remove it: `type:` beside `body:` says it already",
                    _ => "remove it: it is made of `parent:`, `type:` and `name:`",
                };
                cx.problem(Problem::error(&RESOURCE_BODY, format!("body.{name}"), message).help(help));
            }
        }
        cx.problems.len() == before
    }

    /// The types below the namespace.
    fn type_parts(&self) -> Vec<&str> {
        self.arm_type.split('/').skip(1).collect()
    }

    /// The descriptor of the type, as this entry describes it. Those that are the same are one.
    fn resource_type(&self, tracked: bool) -> &'static ResourceType {
        static KNOWN: RwLock<BTreeMap<String, &'static ResourceType>> = RwLock::new(BTreeMap::new());
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.sort();
        // A lock would keep its scope from being deleted, and most extensions outlive their scope.
        let extension = self.parent.is_some() && self.type_parts().len() == 1;
        let [mut write_only, mut immutable] = [self.write_only.clone(), self.immutable.clone()];
        write_only.sort();
        immutable.sort();
        let description = format!(
            "{}\n{}\n{tracked}\n{extension}\n{keys:?}\n{write_only:?}\n{immutable:?}",
            self.arm_type, self.api_version
        );
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(description).or_insert_with(|| {
            let keyed = keys.iter().map(|(path, key)| Rule::at(forever(path)).keyed(forever(key)));
            let write_only = write_only.iter().map(|path| Rule::at(forever(path)).write_only());
            let immutable = immutable.iter().map(|path| Rule::at(forever(path)).immutable());
            // Azure's own in every type that has them: connections are approved, not written.
            let azures = [
                "properties.provisioningState",
                "properties.privateEndpointConnections",
                "properties.resourceGuid",
            ];
            let azures = azures.into_iter().map(|path| Rule::at(path).read_only());
            // Regions that Azure answers with by their names for people: `West Europe`.
            let regions =
                ["properties.locations[].locationName", "properties.additionalLocations[].location"];
            let regions = regions.into_iter().map(|path| Rule::at(path).location());
            // AKS taints the nodes of Spot pools by itself.
            let taints = Rule::at("properties.nodeTaints").set().at_least();
            let arm_type = forever(&self.arm_type);
            // A type that has a section is known field by field.
            let of_section = crate::catalog::resource_type(arm_type).map_or(&[][..], |kind| kind.rules);
            let known = azures.chain(regions).chain(of_section.iter().copied());
            let known = known.chain((arm_type.ends_with("/agentPools")).then_some(taints));
            let rules: Vec<Rule> = known.chain(keyed).chain(write_only).chain(immutable).collect();
            // Children of one resource seldom like being written at once.
            let top = match self.type_parts().len() {
                1 => None,
                _ => arm_type.match_indices('/').nth(1).map(|(at, _)| &arm_type[..at]),
            };
            let lanes: Vec<Lane> = top.map(Lane::Ancestor).into_iter().collect();
            Box::leak(Box::new(ResourceType {
                tags: tracked,
                open: true,
                rules: rules.leak(),
                lanes: lanes.leak(),
                request_message: super::requesters::request_message(arm_type),
                shared_request: super::requesters::shared_request(arm_type),
                delete: if extension { DeleteMode::Always } else { DeleteMode::Own },
                ..ResourceType::new(arm_type, forever(&self.api_version), "resource")
            }))
        })
    }
}

/// The id of what an entry names by its type, its name and what it hangs on; `None` after a problem was reported.
pub(super) fn id_of(arm_type: &str, parent: Option<&Reference>, cx: &mut EntryCx<'_>) -> Option<String> {
    let name = cx.common.name.clone();
    let parts: Vec<&str> = arm_type.split('/').skip(1).collect();
    let Some(parent) = parent else {
        // A token's text can have slashes of its own.
        let names: Vec<&str> = if has_token(&name) { vec![&name] } else { name.split('/').collect() };
        if names.len() != parts.len() || names.contains(&"") {
            let message = format!("a {arm_type} has {} names, `{name}` is not as many", parts.len());
            let message = if parts.len() == 1 { format!("`{name}` is not a name") } else { message };
            cx.problem(Problem::error(&RESOURCE_NAME, "name", message).help(match parts.len() {
                1 => "write one name, without `/`; its parent resource goes into `parent`",
                _ => "write `parent:`, or all names with `/` between them",
            }));
            return None;
        }
        return Some(cx.id(arm_type, &names).as_str().to_owned());
    };
    if !has_token(&name) && (name.is_empty() || name.contains('/')) {
        cx.problem(
            Problem::error(&RESOURCE_NAME, "name", format!("`{name}` is not a name"))
                .help("write one name, without `/`: the others are the parent's"),
        );
        return None;
    }
    let above = scope_id(Some(parent), "parent", cx)?;
    let [.., own] = &parts[..] else { return None };
    if parts.len() == 1 {
        let found = type_in(parent, cx).filter(|found| !found.eq_ignore_ascii_case(GROUP));
        if let (Some(found), true) = (found, lies_in_a_group(arm_type)) {
            let message = format!("a {arm_type} lies in a resource group, and this is a {found}");
            let help = "write `resourceGroup:` and take `parent:` out, or refer to a resource group";
            cx.problem(Problem::error(&RESOURCE_PARENT, "parent", message).help(help));
            return None;
        }
        return Some(format!("{above}/providers/{arm_type}/{name}"));
    }
    let expected = arm_type.rsplit_once('/').map_or("", |(parent, _)| parent);
    match type_in(parent, cx) {
        Some(found) if !found.eq_ignore_ascii_case(expected) => {
            let message = format!("the parent of a {arm_type} is a {expected}, and this is a {found}");
            let help = format!("name a {expected}, or change `type:`");
            cx.problem(Problem::error(&RESOURCE_PARENT, "parent", message).help(help));
            None
        }
        _ => Some(format!("{above}/{own}/{name}")),
    }
}

const GROUP: &str = "Microsoft.Resources/resourceGroups";

/// Whether resources of a type lie in resource groups and are no extensions of others, as far as berth knows the type.
fn lies_in_a_group(arm_type: &str) -> bool {
    const EXTENSIONS: &[&str] = &["Microsoft.Authorization", "Microsoft.KubernetesConfiguration"];
    let namespace = arm_type.split('/').next().unwrap_or_default();
    !EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(namespace))
        && crate::catalog::resource_type(arm_type).is_some()
}

/// Whether a text can be an ARM type.
pub(super) fn is_arm_type(text: &str) -> bool {
    let mut parts = text.split('/');
    let namespace = parts.next().unwrap_or_default();
    let part = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    part(namespace) && namespace.contains('.') && parts.clone().count() > 0 && parts.all(part)
}

/// A text that lives as long as the program, as descriptors do. There are as many as types in blueprints.
pub(super) fn forever(text: &str) -> &'static str {
    String::leak(text.to_owned())
}

pub(super) fn is_api_version(text: &str) -> bool {
    let date = text.strip_suffix("-preview").unwrap_or(text);
    date.len() == 10
        && date.char_indices().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};
    use serde_json::json;

    fn registry(more: Value) -> Value {
        let mut fields = json!({
            "type": "Microsoft.ContainerRegistry/registries", "apiVersion": "2025-11-01",
            "body": { "location": "westeurope", "sku": { "name": "Premium" } },
        });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    #[test]
    fn the_body_goes_out_as_it_is() {
        let fields = registry(json!({ "tags": { "team": "a" }, "body": { "tags": { "own": "b" } } }));
        let (drafts, problems) = expand("resources", "crshop", fields);
        assert_eq!(problems, []);
        assert_eq!(
            id(&drafts[0]),
            "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/crshop"
        );
        assert_eq!(
            drafts[0].body,
            json!({ "location": "westeurope", "sku": { "name": "Premium" }, "tags": { "team": "a", "own": "b" } })
        );
        let kind = drafts[0].kind;
        assert_eq!(
            (kind.arm_type, kind.api_version, kind.namespace()),
            ("Microsoft.ContainerRegistry/registries", "2025-11-01", "Microsoft.ContainerRegistry")
        );
        assert!(kind.tags);
    }

    #[test]
    fn ids_stand_on_parents_scopes_and_groups() {
        let vnet = "/subscriptions/sub/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub";
        let peerings = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";
        let hub = wants("networks.hub", "id");
        let group = "/subscriptions/sub/resourceGroups/rg/providers";
        let lock = "providers/Microsoft.Authorization/locks/x";
        for (arm_type, name, parent, expected) in [
            (peerings, "x", json!(vnet), format!("{vnet}/virtualNetworkPeerings/x")),
            (peerings, "x", json!(reference("networks.hub")), format!("{hub}/virtualNetworkPeerings/x")),
            (
                peerings,
                "hub/x",
                Value::Null,
                format!("{group}/Microsoft.Network/virtualNetworks/hub/virtualNetworkPeerings/x"),
            ),
            ("Microsoft.Authorization/locks", "x", json!(reference("networks.hub")), format!("{hub}/{lock}")),
            (
                "Microsoft.Authorization/locks",
                "x",
                json!("subscription"),
                format!("/subscriptions/sub/{lock}"),
            ),
        ] {
            let fields = json!({
                "type": arm_type, "name": name, "apiVersion": "2025-05-01", "parent": parent, "body": {},
            });
            let (drafts, problems) = expand("resources", "x", fields);
            assert_eq!(problems, []);
            assert_eq!(id(&drafts[0]), expected);
            // An extension is deleted before the resource that it extends.
            let wanted = if arm_type == peerings { DeleteMode::Own } else { DeleteMode::Always };
            assert_eq!(drafts[0].kind.delete, wanted, "{arm_type}");
            assert!(!drafts[0].kind.tags);
        }
    }

    #[test]
    fn what_the_entry_says_of_its_fields_holds() {
        let fields = registry(json!({
            "body": { "properties": { "password": "x", "rules": [{ "name": "a", "v": 1 }], "zone": 1 } },
            "writeOnly": ["properties.password"], "immutable": ["properties.zone"], "keys": { "properties.rules": "name" },
        }));
        let (drafts, _) = expand("resources", "cr", fields.clone());
        let live = |zone: u8| {
            json!({ "location": "West Europe", "sku": { "name": "Premium", "tier": "Premium" }, "properties": {
                "rules": [{ "name": "foreign" }, { "name": "A", "v": 1 }], "zone": zone,
            } })
        };
        assert_eq!(changes(&drafts[0], &live(1)), [] as [&str; 0]);
        assert_eq!(changes(&drafts[0], &live(2)), ["properties.zone!"]);
        let again = &expand("resources", "other", fields).0[0];
        assert!(std::ptr::eq(drafts[0].kind, again.kind), "one description is one descriptor");
        let other = &expand("resources", "other", registry(json!({}))).0[0];
        assert!(!std::ptr::eq(drafts[0].kind, other.kind));
    }

    #[test]
    fn says_what_cannot_be() {
        let vault = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v";
        for (more, code) in [
            (json!({ "type": "registries" }), "resource-type"),
            (json!({ "type": "Microsoft.X/" }), "resource-type"),
            (json!({ "apiVersion": "latest" }), "resource-api-version"),
            (json!({ "apiVersion": "2025-11-01-beta" }), "resource-api-version"),
            (json!({ "name": "a/b" }), "resource-name"),
            (json!({ "type": "Microsoft.X/a/b" }), "resource-name"),
            (json!({ "type": "Microsoft.X/a/b", "parent": vault }), "resource-parent"),
            (json!({ "parent": "vault" }), "scope"),
            (json!({ "body": { "name": "x" } }), "resource-body"),
            (json!({ "boby": {} }), "shape"),
        ] {
            assert_eq!(codes(expand("resources", "x", registry(more.clone()))), [code], "{more}");
        }
    }
}
