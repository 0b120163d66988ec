//! What is there and belongs to others: read by its id, never written.
//!
//! The descriptor of an entry has what the catalog knows of its type, without anything that is about writing, and every
//! member of what Azure answers is an output of it.

use super::generic::{forever, id_of, is_api_version, is_arm_type};
use super::private_link::connection_types;
use super::resource_group::name_problem;
use crate::catalog::{
    Draft, EntryCx, EntryKind, Problem, Provisioning, Reference, ResourceType, resource_type,
};
use crate::diag::{Code, did_you_mean};
use crate::ident::ArmId;
use crate::value::token::{Token, display_text, has_token, substitute_text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// Something that is there and belongs to others.
pub struct Existing;

/// Something that is there: by its id, or by its type and name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The whole ARM id. It contains subscription, group and name: leave those fields out.
    #[schemars(example = &"${param.hubNetwork}")]
    id: Option<String>,
    /// The ARM type, such as `Microsoft.Network/virtualNetworks`. Beside `id`, it is needed only when the id does not tell
    /// it before Azure is asked.
    #[serde(rename = "type")]
    #[schemars(example = &"Microsoft.Network/virtualNetworks")]
    arm_type: Option<String>,
    /// The parent, when it is not the resource group: the parent resource for a type of several parts, or any resource
    /// for an extension. Without it, a type of several parts takes all names with `/` between: `vnet-hub/snet-nodes`.
    #[schemars(extend("x-wants" = "scope"))]
    parent: Option<Reference>,
    /// The API version to read it in, for a type that berth does not know.
    #[schemars(example = &"2025-05-01")]
    api_version: Option<String>,
}

const GROUP: &str = "Microsoft.Resources/resourceGroups";
const SUBSCRIPTION: &str = "Microsoft.Resources/subscriptions";

/// What fields refer to and no section makes: type, API version, and what a person calls one.
const OTHERS: &[(&str, &str, &str)] = &[
    ("Microsoft.Authorization/policyDefinitions", "2023-04-01", "policy definition"),
    ("Microsoft.Authorization/policySetDefinitions", "2023-04-01", "policy initiative"),
    ("Microsoft.Authorization/roleDefinitions", "2022-04-01", "role definition"),
    ("Microsoft.Compute/capacityReservationGroups", "2024-11-01", "capacity reservation group"),
    ("Microsoft.Compute/diskEncryptionSets", "2024-03-02", "disk encryption set"),
    ("Microsoft.Compute/hostGroups", "2024-11-01", "dedicated host group"),
    ("Microsoft.Compute/proximityPlacementGroups", "2024-11-01", "proximity placement group"),
    ("Microsoft.ContainerService/snapshots", "2025-04-01", "node pool snapshot"),
    ("Microsoft.KeyVault/managedHSMs", "2024-11-01", "managed HSM"),
    ("Microsoft.Network/applicationSecurityGroups", "2025-05-01", "application security group"),
    ("Microsoft.Network/azureFirewalls", "2025-05-01", "firewall"),
    ("Microsoft.Network/ddosProtectionPlans", "2025-05-01", "DDoS protection plan"),
    ("Microsoft.Network/dnsZones", "2018-05-01", "DNS zone"),
    ("Microsoft.Network/publicIPPrefixes", "2025-05-01", "public IP prefix"),
    ("Microsoft.Network/serviceEndpointPolicies", "2025-05-01", "service endpoint policy"),
    (SUBSCRIPTION, "2022-12-01", "subscription"),
];

impl EntryKind for Existing {
    const SECTION: &'static str = "existing";
    const TITLE: &'static str = "existing resource";
    // Each entry says its own.
    const ARM_TYPE: &'static str = "";
    const TYPES: &'static [&'static ResourceType] = &[];
    const ABOUT: &'static str = "Something that is there and belongs to others: a hub network, a shared zone, the vault of \
        another team. It is read with every plan and never written or deleted; it is in no ledger. Every field that takes a \
        reference to a resource of its type takes `${existing.KEY}`. Its outputs are those of its type, and every member of \
        what Azure answers, such as `${existing.hub.location}` or `${existing.hub.properties.provisioningState}`. When it is \
        not there, the plan says so before anything is written, and drift reports it as missing.";
    const EXAMPLE: &'static str = "\
existing:
  hub:
    type: Microsoft.Network/virtualNetworks
    name: vnet-hub
    resourceGroup: rg-hub
    subscription: 5ab5c819-0000-4000-8000-000000000002
  endpoints:
    type: Microsoft.Network/virtualNetworks/subnets
    parent: ${existing.hub}
    name: snet-endpoints
  vault:
    id: /subscriptions/5ab5c819-0000-4000-8000-000000000002/resourceGroups/rg-hub/providers/Microsoft.KeyVault/vaults/kv-hub
";
    const READS: bool = true;
    const CODES: &'static [&'static [&'static Code]] =
        &[&[&EXISTING_API_VERSION, &EXISTING_ID, &EXISTING_TYPE, &EXISTING_WHAT]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let Some((arm_type, id)) = spec.what(cx) else { return };
        let Some(kind) = described(&arm_type, spec.api_version.as_deref(), cx) else { return };
        // Two entries may read the same, as a blueprint and its module.
        let draft = Draft::new(cx.address.clone(), id.clone(), kind, json!({}));
        let draft = draft.shared().claims(format!("existing|{id}"), None);
        cx.drafts.push(Draft { operation: Provisioning::Existing, ..draft });
    }
}

const EXISTING_API_VERSION: Code = Code {
    name: "existing-api-version",
    why: "berth reads what it knows in the API version that it knows. Of any other type it has to be told one; a guess would be refused, or shown in another form.",
    remedy: "Add `apiVersion:`; `az provider show --namespace NAMESPACE` lists those of a type.",
    example: "apiVersion: \"2025-05-01\"",
};

const EXISTING_ID: Code = Code {
    name: "existing-id",
    why: "`existing` names a resource by its whole ARM id, or by type and name. This text is not a whole ARM id.",
    remedy: "Copy the id from the portal or `az … show --query id`, or write `type:` and `name:` in its place.",
    example: "id: /subscriptions/…/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub",
};

/// Raised here for an id that is written, and when ids are linked for one that is put together.
pub const EXISTING_TYPE: Code = Code {
    name: "existing-type",
    why: "The type says which fields take the reference, so it has to be known before Azure is asked, and to be that of the id.",
    remedy: "Write namespace and type, or leave `type:` out beside an id that says it.",
    example: "type: Microsoft.Network/virtualNetworks",
};

const EXISTING_WHAT: Code = Code {
    name: "existing-what",
    why: "An entry of `existing` says what is read: by an id, or by a type and a name.",
    remedy: "Write `id:`, or `type:` and, where they are not those of `azure:`, `name:`, `resourceGroup:` and `subscription:`.",
    example: "existing: { hub: { type: Microsoft.Network/virtualNetworks, name: vnet-hub, resourceGroup: rg-hub } }",
};

impl Spec {
    /// The type and the id, or `None` after a problem was reported.
    fn what(&self, cx: &mut EntryCx<'_>) -> Option<(String, String)> {
        if let Some(arm_type) = &self.arm_type
            && !is_arm_type(arm_type)
        {
            let message = format!("`{}` is not an ARM type", display_text(arm_type));
            let section = crate::catalog::registry()
                .iter()
                .find(|kind| kind.section == arm_type || kind.title.eq_ignore_ascii_case(arm_type))
                .filter(|kind| !kind.arm_type.is_empty());
            let help = match section {
                Some(kind) => format!("write `{}`", kind.arm_type),
                None => "write namespace and type, such as `Microsoft.Network/virtualNetworks`".to_owned(),
            };
            cx.problem(Problem::error(&EXISTING_TYPE, "type", message).help(help));
            return None;
        }
        match (&self.id, &self.arm_type) {
            (Some(id), arm_type) => self.by_id(id, arm_type.as_deref(), cx),
            (None, Some(arm_type)) if arm_type.eq_ignore_ascii_case(GROUP) => {
                let name = cx.common.name.clone();
                if let Some(problem) = name_problem(&name) {
                    cx.problem(Problem { path: "name".to_owned(), ..problem });
                    return None;
                }
                let id = ArmId::resource_group(&cx.common.subscription, &name);
                Some((arm_type.clone(), id.as_str().to_owned()))
            }
            (None, Some(arm_type)) if arm_type.eq_ignore_ascii_case(SUBSCRIPTION) => {
                Some((arm_type.clone(), format!("/subscriptions/{}", cx.common.subscription)))
            }
            (None, Some(arm_type)) => Some((arm_type.clone(), id_of(arm_type, self.parent.as_ref(), cx)?)),
            (None, None) => {
                cx.problem(
                    Problem::error(&EXISTING_WHAT, "", format!("`{}` does not say what to read", cx.key))
                        .help("write `id:`, or `type:` and `name:`"),
                );
                None
            }
        }
    }

    fn by_id(&self, text: &str, said: Option<&str>, cx: &mut EntryCx<'_>) -> Option<(String, String)> {
        // The ids of other entries of `existing` are known.
        let settled = substitute_text(text, &mut |token| match token {
            Token::Reference { path, .. } => (cx.ids)(path).map(|id| id.as_str().into()),
            _ => None,
        });
        if has_token(&settled) {
            if said.is_none() {
                let message =
                    "what this id names is known only when all ids are, and its type is wanted before";
                cx.problem(
                    Problem::error(&EXISTING_TYPE, "id", message)
                        .help("write `type:` beside it, such as `type: Microsoft.Network/virtualNetworks`"),
                );
            }
            // Whether the id is of this type is compared when it is known.
            return Some((said?.to_owned(), text.to_owned()));
        }
        let id = match ArmId::parse(&settled) {
            Ok(id) if id.subscription().is_some() || settled.starts_with("/providers/") => id,
            Ok(_) => {
                cx.problem(
                    Problem::error(
                        &EXISTING_ID,
                        "id",
                        format!("`{}` is not the id of a resource", display_text(text)),
                    )
                    .help("write the whole id, `/subscriptions/…`"),
                );
                return None;
            }
            Err(error) => {
                let help = "write the whole id, `/subscriptions/…`, or `type:` and `name:` in its place";
                cx.problem(Problem::error(&EXISTING_ID, "id", error.to_string()).help(help));
                return None;
            }
        };
        let found = id.resource_type();
        if let Some(said) = said
            && !said.eq_ignore_ascii_case(&found)
        {
            let message = format!("`type` is `{said}`, and the id names a `{found}`");
            cx.problem(
                Problem::error(&EXISTING_TYPE, "type", message).help("take `type:` out, or correct the id"),
            );
            return None;
        }
        Some((found, id.as_str().to_owned()))
    }
}

/// The version in which a type is read when the entry says none, and what one is called.
fn known(arm_type: &str) -> Option<(&'static str, &'static str)> {
    let other = OTHERS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(arm_type));
    let target = || connection_types().find(|(known, _)| known.eq_ignore_ascii_case(arm_type));
    other
        .map(|(_, version, title)| (*version, *title))
        .or_else(|| target().map(|(_, version)| (version, "resource")))
}

/// The descriptor of a type that is only read; `None` after a problem was reported.
fn described(arm_type: &str, said: Option<&str>, cx: &mut EntryCx<'_>) -> Option<&'static ResourceType> {
    static KNOWN: RwLock<BTreeMap<(String, String), &'static ResourceType>> = RwLock::new(BTreeMap::new());
    if let Some(said) = said
        && !is_api_version(said)
    {
        let message = format!("`{}` is not an API version", display_text(said));
        cx.problem(
            Problem::error(&EXISTING_API_VERSION, "apiVersion", message)
                .help("write a date such as `2025-11-01`, with `-preview` behind it where Azure has it"),
        );
        return None;
    }
    let made = resource_type(arm_type);
    let other = known(arm_type);
    let usual = made.map(|made| made.api_version).or(other.map(|(version, _)| version));
    let Some(version) = said.or(usual) else {
        let all = OTHERS.iter().map(|(known, ..)| *known);
        let types = crate::catalog::registry().iter().flat_map(|kind| kind.types).map(|kind| kind.arm_type);
        let help = match did_you_mean(arm_type, all.chain(types)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let namespace = arm_type.split('/').next().unwrap_or_default();
                format!(
                    "add `apiVersion:`; `az provider show --namespace {namespace}` lists those of its types"
                )
            }
        };
        let message = format!("berth does not know in which API version a {arm_type} is read");
        cx.problem(Problem::error(&EXISTING_API_VERSION, "", message).help(help));
        return None;
    };
    let mut all = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let kind = all.entry((arm_type.to_ascii_lowercase(), version.to_owned())).or_insert_with(|| {
        let written = made.map_or_else(|| forever(arm_type), |made| made.arm_type);
        let title = made.map(|made| made.title).or(other.map(|(_, title)| title)).unwrap_or("resource");
        // Another version may show a list otherwise: then each is read by itself.
        let listing = made.filter(|made| made.api_version == version).map(|made| made.listing);
        let plain = ResourceType::new(written, forever(version), title);
        Box::leak(Box::new(ResourceType {
            tags: made.is_some_and(|made| made.tags),
            facets: made.map_or(&[], |made| made.facets),
            listing: listing.unwrap_or(plain.listing),
            open: true,
            ..plain
        }))
    });
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Listing;
    use crate::catalog::kinds::testing::{codes, expand, id, reference};

    #[test]
    fn what_is_read_is_named_by_id_or_by_type_and_name() {
        let group = "/subscriptions/sub/resourceGroups/rg";
        let vnet = format!("{group}/providers/Microsoft.Network/virtualNetworks/hub");
        for (fields, expected, arm_type) in [
            (json!({ "id": vnet }), vnet.clone(), "Microsoft.Network/virtualNetworks"),
            (
                json!({ "type": "microsoft.network/virtualnetworks" }),
                vnet.clone(),
                "Microsoft.Network/virtualNetworks",
            ),
            (
                json!({ "type": "Microsoft.Network/virtualNetworks", "id": vnet }),
                vnet.clone(),
                "Microsoft.Network/virtualNetworks",
            ),
            (
                json!({ "type": "Microsoft.Network/virtualNetworks/subnets", "name": "hub/nodes" }),
                format!("{vnet}/subnets/nodes"),
                "Microsoft.Network/virtualNetworks/subnets",
            ),
            (
                json!({ "type": "Microsoft.Network/virtualNetworks/subnets", "name": "nodes", "parent": vnet }),
                format!("{vnet}/subnets/nodes"),
                "Microsoft.Network/virtualNetworks/subnets",
            ),
            (
                json!({ "type": GROUP, "name": "rg-other" }),
                "/subscriptions/sub/resourceGroups/rg-other".to_owned(),
                GROUP,
            ),
            (json!({ "id": "/subscriptions/sub" }), "/subscriptions/sub".to_owned(), SUBSCRIPTION),
        ] {
            let (drafts, problems) = expand("existing", "hub", fields);
            assert_eq!(problems, []);
            let [draft] = &drafts[..] else { panic!("{drafts:?}") };
            assert_eq!(id(draft).to_ascii_lowercase(), expected.to_ascii_lowercase());
            assert_eq!((draft.kind.arm_type, &draft.operation), (arm_type, &Provisioning::Existing));
            assert!(draft.kind.open && !draft.kind.stateful && draft.kind.lanes.is_empty());
        }
    }

    #[test]
    fn a_type_that_berth_makes_gives_what_it_always_gives() {
        let (drafts, _) =
            expand("existing", "app", json!({ "type": "Microsoft.ManagedIdentity/userAssignedIdentities" }));
        assert!(drafts[0].kind.facets.iter().any(|facet| facet.name == "principalId"));
        let other =
            json!({ "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2018-11-30" });
        let (other, _) = expand("existing", "app", other);
        assert_eq!((other[0].kind.api_version, other[0].kind.listing), ("2018-11-30", Listing::None));
    }

    #[test]
    fn says_what_cannot_be() {
        let vnet = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub";
        for (fields, code) in [
            (json!({}), "existing-what"),
            (json!({ "name": "hub" }), "existing-what"),
            (json!({ "id": "hub" }), "existing-id"),
            (json!({ "id": "/tenants" }), "existing-id"),
            (json!({ "id": format!("{vnet}/../x") }), "existing-id"),
            (json!({ "id": format!("{vnet}?x=1") }), "existing-id"),
            (json!({ "id": vnet, "type": "Microsoft.KeyVault/vaults" }), "existing-type"),
            (json!({ "id": reference("networks.hub") }), "existing-type"),
            (json!({ "type": "networks" }), "existing-type"),
            (json!({ "type": "Microsoft.Network/virtualNetwork" }), "existing-api-version"),
            (json!({ "type": "Contoso.Things/things" }), "existing-api-version"),
            (json!({ "type": "Contoso.Things/things", "apiVersion": "latest" }), "existing-api-version"),
            (json!({ "type": "Microsoft.Network/virtualNetworks/subnets" }), "resource-name"),
            (json!({ "type": GROUP, "name": "rg." }), "resource-group-name"),
        ] {
            assert_eq!(codes(expand("existing", "hub", fields.clone())), [code], "{fields}");
        }
    }
}
