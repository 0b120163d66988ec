//! Private DNS zones and their links to networks, as private endpoints ask for them:
//! `Microsoft.Network/privateDnsZones` (<https://learn.microsoft.com/azure/templates/microsoft.network/privatednszones>).
//!
//! They come with an endpoint's `dns: auto`, and endpoints of one zone share them; or from `privateDnsZones`, and then
//! `dns: auto` uses those.

use super::naming::word;
use crate::catalog::Refusal;
use crate::catalog::Scarce;
use crate::catalog::{DeleteMode, Draft, EntryCx, Lane, Listing, ResourceType};
use crate::diag::Code;
use crate::ident::Address;
use crate::value::Rule;
use crate::value::token::Token;
use serde_json::{Map, Value, json};
use std::time::Duration;

const API_VERSION: &str = "2024-06-01";
pub(super) const ZONE: &str = "Microsoft.Network/privateDnsZones";

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
    expected: Duration::from_secs(35),
    expected_update: Duration::from_secs(10),
    expected_delete: Duration::from_secs(30),
    conditional: true,
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
    expected: Duration::from_secs(40),
    expected_update: Duration::from_secs(10),
    expected_delete: Duration::from_secs(30),
    conditional: true,
    scarce: &[Scarce::Same(&["/properties/virtualNetwork/id"])],
    ..ResourceType::new(
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        API_VERSION,
        "private DNS zone link",
    )
};

/// What a zone is that answers for a name: `dns: auto` uses the one that the blueprint declares, if it does.
pub(super) fn zone_claim(name: &str) -> String {
    format!("zone|{name}")
}

/// What a link of a zone to a network is; Azure lets there be one.
pub(super) fn link_claim(zone_id: &str, network_id: &str) -> String {
    format!("link|{zone_id}|{network_id}")
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&DNS_LINK_TWICE];

const DNS_LINK_TWICE: Code = Code {
    name: "dns-link-twice",
    why: "Azure takes one link between a zone and a network.",
    remedy: "Remove one of the two.",
    example: "links: { hub: { network: \"${networks.hub}\" } }",
};

/// Why a network is linked to a zone once.
pub(super) const LINKED_TWICE: Option<Refusal> = Some(Refusal {
    code: &DNS_LINK_TWICE,
    what: "link the same network to the same zone",
    help: "remove one of the two: Azure lets a network have one link to a zone",
});

/// Adds a zone and its link to a network; the zone's id, as a text that is known once everything is linked, and its
/// address. The zone lies in the group of the first entry that asks for it, unless the blueprint declares it.
pub(super) fn linked_zone(
    zone: &str,
    network: &str,
    network_id: &str,
    cx: &mut EntryCx<'_>,
) -> (String, Address) {
    let address = Address::new("privateDns").child(zone);
    let id = cx.id(ZONE, &[zone]);
    let draft = Draft::new(address.clone(), id.as_str(), &PRIVATE_DNS_ZONE, global(cx, None));
    cx.also(draft.shared().claims(zone_claim(zone), None).origin("dns"));

    let id = Token::Reference { path: address.to_string(), facet: "id".to_owned() }.encode();
    let link = format!("{id}/virtualNetworkLinks/link-{}", dashed(network));
    let properties = json!({ "virtualNetwork": { "id": network_id }, "registrationEnabled": false });
    let link_address = address.child("links").child(network);
    let draft = Draft::new(link_address, link, &ZONE_LINK, global(cx, Some(properties)));
    cx.also(draft.any_name(true).shared().claims(link_claim(&id, network_id), LINKED_TWICE).origin("dns"));
    (id, address)
}

/// The body of something that lies in no region.
pub(super) fn global(cx: &EntryCx<'_>, properties: Option<Value>) -> Value {
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
