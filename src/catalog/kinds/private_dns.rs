//! Private DNS zones and their links to networks, as private endpoints ask for them:
//! `Microsoft.Network/privateDnsZones` (<https://learn.microsoft.com/azure/templates/microsoft.network/privatednszones>).
//!
//! Nobody writes these down: they come with an endpoint's `dns: auto`, and endpoints of one zone share them.

use super::naming::word;
use crate::catalog::{DeleteMode, Draft, EntryCx, Lane, Listing, ResourceType};
use crate::ident::{Address, ArmId};
use crate::value::Rule;
use serde_json::{Map, Value, json};
use std::time::Duration;

const API_VERSION: &str = "2024-06-01";
const ZONE: &str = "Microsoft.Network/privateDnsZones";

/// A private DNS zone.
pub static PRIVATE_DNS_ZONE: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(ZONE)],
    rules: &[
        Rule::at("properties.maxNumberOfRecordSets").read_only(),
        Rule::at("properties.numberOfRecordSets").read_only(),
        Rule::at("properties.maxNumberOfVirtualNetworkLinks").read_only(),
        Rule::at("properties.numberOfVirtualNetworkLinks").read_only(),
        Rule::at("properties.maxNumberOfVirtualNetworkLinksWithRegistration").read_only(),
        Rule::at("properties.numberOfVirtualNetworkLinksWithRegistration").read_only(),
        Rule::at("properties.internalId").read_only(),
    ],
    listing: Listing::Subscription,
    usual: Duration::from_secs(35),
    ..ResourceType::new(ZONE, API_VERSION, "private DNS zone")
};

/// The use of a zone by a network.
pub static ZONE_LINK: ResourceType = ResourceType {
    // A zone that still has links is not deleted: they go first.
    delete: DeleteMode::Always,
    lanes: &[Lane::Ancestor(ZONE)],
    rules: &[
        Rule::at("properties.virtualNetwork").immutable(),
        Rule::at("properties.virtualNetwork.id").fold_case(),
        Rule::at("properties.registrationEnabled").default("false"),
        Rule::at("properties.resolutionPolicy").fold_case().default("\"Default\""),
        Rule::at("properties.virtualNetworkLinkState").read_only(),
    ],
    listing: Listing::Collection,
    usual: Duration::from_secs(40),
    ..ResourceType::new(
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        API_VERSION,
        "private DNS zone link",
    )
};

/// Adds a zone in the entry's group and its link to a network; the zone's id and address.
pub(super) fn linked_zone(
    zone: &str,
    network: &str,
    network_id: &str,
    cx: &mut EntryCx<'_>,
) -> (ArmId, Address) {
    let address = Address::new("privateDns").child(zone);
    let id = cx.id(ZONE, &[zone]);
    let draft = Draft::new(address.clone(), id.as_str(), &PRIVATE_DNS_ZONE, global(cx, None));
    cx.also(draft.shared().origin("dns"));

    let link = id.child("virtualNetworkLinks", &format!("link-{}", dashed(network)));
    let properties = json!({ "virtualNetwork": { "id": network_id }, "registrationEnabled": false });
    let link_address = address.child("links").child(network);
    let draft = Draft::new(link_address, link.as_str(), &ZONE_LINK, global(cx, Some(properties)));
    cx.also(draft.shared().origin("dns"));
    (id, address)
}

/// The body of something that lies in no region.
fn global(cx: &EntryCx<'_>, properties: Option<Value>) -> Value {
    let mut body = Map::new();
    body.insert("location".into(), "global".into());
    if !cx.common.tags.is_empty() {
        body.insert("tags".into(), Value::Object(cx.common.tags.clone()));
    }
    body.extend(properties.map(|properties| ("properties".to_owned(), properties)));
    Value::Object(body)
}

/// A text with `-` for what names do not hold.
pub(super) fn dashed(text: &str) -> String {
    let dashed: String = text.chars().map(|c| if word(c) { c } else { '-' }).collect();
    dashed.trim_matches('-').to_owned()
}
