//! Private DNS zones with their links and records: `Microsoft.Network/privateDnsZones`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/privatednszones>).

use super::addresses::Texts;
use super::naming::{NETWORK, NameRule};
use super::network::VNET;
use super::private_dns::{LINKED_TWICE, PRIVATE_DNS_ZONE, ZONE, ZONE_LINK, global, link_claim, zone_claim};
use super::scope::type_of;
use crate::catalog::Refusal;
use crate::catalog::{
    Draft, EntryCx, EntryKind, Lane, Members, Merged, Nested, Problem, Reference, ResourceType,
};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// A private DNS zone.
pub struct PrivateDnsZone;

/// A private DNS zone with the networks that ask it and the names in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The networks whose machines ask this zone, by key.
    #[serde(default)]
    links: IndexMap<String, LinkSpec>,
    /// Names in the zone, by key. Names that others registered (private endpoints do) stay.
    #[serde(default)]
    records: IndexMap<String, RecordSpec>,
}

/// The use of a zone by a network.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LinkSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The network: `${networks.hub}`, or an ARM id.
    network: Reference,
    /// Whether machines of the network are registered here by their names; `false` when absent. A network has one zone
    /// at most in which they are.
    #[serde(default)]
    registration: bool,
    /// What happens when a `privatelink` zone does not know a name: nothing (`Default`), or public DNS is asked
    /// (`NxDomainRedirect`).
    resolution: Option<Resolution>,
}

/// What happens to names that a zone does not know.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
pub enum Resolution {
    /// They do not exist.
    Default,
    /// Public DNS is asked.
    NxDomainRedirect,
}

/// A name in a zone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RecordSpec {
    /// The name within the zone; the key when absent. `@` is the zone itself, `*` whatever has no name of its own.
    name: Option<String>,
    /// `A` (the default), `AAAA`, `CNAME` or `TXT`.
    #[serde(default, rename = "type")]
    kind: RecordKind,
    /// How long an answer may be kept, in seconds; 3600 when absent.
    ttl: Option<u32>,
    /// The answers: addresses, one name for a `CNAME`, or texts.
    values: Texts,
}

/// The type of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// An IPv4 address.
    #[default]
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Texts.
    Txt,
}

impl RecordKind {
    fn kind(self) -> (&'static str, &'static ResourceType) {
        match self {
            RecordKind::A => ("A", &RECORD_A),
            RecordKind::Aaaa => ("AAAA", &RECORD_AAAA),
            RecordKind::Cname => ("CNAME", &RECORD_CNAME),
            RecordKind::Txt => ("TXT", &RECORD_TXT),
        }
    }
}

const API_VERSION: &str = "2024-06-01";

const RECORD_RULES: &[Rule] = &[
    Rule::at("properties.ttl").default("3600"),
    Rule::at("properties.metadata").map(),
    Rule::at("properties.aRecords").set(),
    Rule::at("properties.aaaaRecords").set(),
    Rule::at("properties.txtRecords").set(),
    Rule::at("properties.cnameRecord.cname").fold_case(),
    Rule::at("properties.fqdn").read_only(),
    Rule::at("properties.isAutoRegistered").read_only(),
];

/// What the types of records have in common. They go with their zone.
const fn record(arm_type: &'static str) -> ResourceType {
    ResourceType {
        lanes: &[Lane::Ancestor(ZONE)],
        tags: false,
        rules: RECORD_RULES,
        // Those of machines in linked networks, and those of private endpoints.
        azure_managed: &["/properties/isAutoRegistered", "/properties/metadata/creator"],
        expected: Duration::from_secs(2),
        conditional: true,
        ..ResourceType::new(arm_type, API_VERSION, "DNS record")
    }
}

/// Records with IPv4 addresses.
pub static RECORD_A: ResourceType = record("Microsoft.Network/privateDnsZones/A");
/// Records with IPv6 addresses.
pub static RECORD_AAAA: ResourceType = record("Microsoft.Network/privateDnsZones/AAAA");
/// Records with another name.
pub static RECORD_CNAME: ResourceType = record("Microsoft.Network/privateDnsZones/CNAME");
/// Records with texts.
pub static RECORD_TXT: ResourceType = record("Microsoft.Network/privateDnsZones/TXT");

const DNS_LINK_NAME: Code = Code {
    name: "dns-link-name",
    why: "The name of a link between zone and network cannot be that.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "links: { hub: { network: \"${networks.hub}\" } }",
};

const LINK_NAME: NameRule = NameRule { code: &DNS_LINK_NAME, what: "a link of a zone", ..NETWORK };

const DNS_RECORD_TWICE: Code = Code {
    name: "dns-record-twice",
    why: "The same record stands twice in the zone.",
    remedy: "Put all values of one name into one record.",
    example: "records: { api: { type: A, values: [10.20.0.4, 10.20.0.5] } }",
};

impl EntryKind for PrivateDnsZone {
    const SECTION: &'static str = "privateDnsZones";
    const TITLE: &'static str = "private DNS zone";
    const ARM_TYPE: &'static str = ZONE;
    const ABOUT: &'static str = "A private DNS zone: names that only the networks linked to it can ask for. An entry's \
        `name` is the zone, such as `shop.internal`. Private endpoints with `dns: auto` use a zone that is declared \
        here instead of making their own.";
    const EXAMPLE: &'static str = "\
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
privateDnsZones:
  internal:
    name: shop.internal
    links:
      hub: { network: '${networks.hub}', registration: true }
    records:
      api: { values: 10.20.0.10 }
      www: { type: CNAME, values: api.shop.internal }
      '@': { type: TXT, values: ['owner=shop'] }
";
    const NESTED: &'static [Nested] = &[Nested::at("links.*"), Nested::at("records.*")];
    const MERGED: &'static [Merged] = &[
        Merged { within: "", name: "links", members: Members::Children(&[&super::private_dns::ZONE_LINK]) },
        Merged {
            within: "",
            name: "records",
            members: Members::Children(&[&RECORD_A, &RECORD_AAAA, &RECORD_CNAME, &RECORD_TXT]),
        },
    ];
    const CODES: &'static [&'static [&'static Code]] = &[&[
        &DNS_LINK_NAME,
        &DNS_RECORD_TWICE,
        &DNS_ZONE_NAME,
        &DNS_LINK_NETWORK,
        &DNS_LINK_RESOLUTION,
        &DNS_REGISTRATION_TWICE,
        &DNS_RECORD_NAME,
        &DNS_RECORD_VALUE,
    ]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        check_zone(&name, cx);
        let zone = cx.id(ZONE, &[&name]);
        let draft = Draft::new(cx.address.clone(), zone.as_str(), &PRIVATE_DNS_ZONE, global(cx, None));
        cx.main(draft.claims(zone_claim(&name), None));
        for (key, link) in spec.links {
            link.expand(&key, &zone, cx);
        }
        let mut seen: Vec<(RecordKind, String)> = Vec::new();
        for (key, record) in spec.records {
            let name = record.name.clone().unwrap_or_else(|| key.clone()).to_ascii_lowercase();
            let origin = format!("records.{key}");
            let alias = |kind| kind == RecordKind::Cname;
            let clash = |(kind, other): &(RecordKind, String)| {
                *other == name && (*kind == record.kind || alias(*kind) || alias(record.kind))
            };
            if seen.iter().any(clash) {
                let message = format!("another record answers for `{name}`");
                cx.problem(
                    Problem::error(&DNS_RECORD_TWICE, &origin, message)
                        .help("put their values together; a CNAME stands alone under its name"),
                );
            }
            seen.push((record.kind, name));
            record.expand(&key, &zone, cx);
        }
    }
}

const DNS_ZONE_NAME: Code = Code {
    name: "dns-zone-name",
    why: "The name of the zone is no DNS name.",
    remedy: "Use at least two labels.",
    example: "name: shop.internal",
};

/// Reports what cannot be a zone.
fn check_zone(name: &str, cx: &mut EntryCx<'_>) {
    let labels: Vec<&str> = name.split('.').collect();
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if !has_token(name) && (!(2..=34).contains(&labels.len()) || !labels.iter().all(label)) {
        let message = format!("`{name}` cannot be the name of a private DNS zone");
        cx.problem(
            Problem::error(&DNS_ZONE_NAME, "name", message)
                .help("write `name: shop.internal`: 2 to 34 labels of letters, digits, `-` and `_`"),
        );
    }
}

const DNS_LINK_NETWORK: Code = Code {
    name: "dns-link-network",
    why: "A zone is linked to networks.",
    remedy: "Name a network of the blueprint, or its id.",
    example: "network: ${networks.hub}",
};

const DNS_LINK_RESOLUTION: Code = Code {
    name: "dns-link-resolution",
    why: "Falling back to public DNS is possible for the zones of private endpoints only.",
    remedy: "Leave `resolution` out.",
    example: "links: { hub: { network: \"${networks.hub}\" } }",
};

impl LinkSpec {
    fn expand(self, key: &str, zone: &ArmId, cx: &mut EntryCx<'_>) {
        let origin = format!("links.{key}");
        let name = self.name.as_deref().unwrap_or(key);
        LINK_NAME.check(name, &origin, cx);
        if !type_of(&self.network).is_some_and(|kind| kind.eq_ignore_ascii_case(VNET)) {
            let message = format!("`{}` is no virtual network", display_text(&self.network.0));
            cx.problem(
                Problem::error(&DNS_LINK_NETWORK, format!("{origin}.network"), message)
                    .help("write a reference such as `${networks.hub}`, or the ARM id of a network"),
            );
            return;
        }
        if self.resolution.is_some() && !zone.name().starts_with("privatelink.") && !has_token(zone.name()) {
            let message = "only zones that start with `privatelink.` take a `resolution`";
            cx.problem(
                Problem::error(&DNS_LINK_RESOLUTION, format!("{origin}.resolution"), message)
                    .help("remove it"),
            );
        }
        let network = self.network.id();
        let mut properties =
            json!({ "virtualNetwork": { "id": network }, "registrationEnabled": self.registration });
        if let Some(resolution) = self.resolution {
            properties["resolutionPolicy"] = json!(resolution);
        }
        let address = cx.address.child("links").child(key);
        let id = zone.child("virtualNetworkLinks", name);
        let body = global(cx, Some(properties));
        let mut draft = Draft::new(address, id.as_str(), &ZONE_LINK, body)
            .claims(link_claim(zone.as_str(), &network), LINKED_TWICE);
        if self.registration {
            draft = draft.claims(format!("registration|{network}"), REGISTERED_TWICE);
        }
        cx.also(draft.origin(origin));
    }
}

const DNS_REGISTRATION_TWICE: Code = Code {
    name: "dns-registration-twice",
    why: "A network registers its machines in one zone only.",
    remedy: "Leave `registration` on for one zone.",
    example: "links: { hub: { network: \"${networks.hub}\", registration: true } }",
};

/// Why a network registers its machines in one zone.
const REGISTERED_TWICE: Option<Refusal> = Some(Refusal {
    code: &DNS_REGISTRATION_TWICE,
    what: "both register the machines of the same network",
    help: "keep `registration: true` on one of them: a network has one such zone",
});

const DNS_RECORD_NAME: Code = Code {
    name: "dns-record-name",
    why: "The name of a record in a zone cannot be that.",
    remedy: "Use labels of letters, digits, `_` and `-`, `@` for the zone itself, `*` alone at the beginning.",
    example: "records: { root: { type: A, name: \"@\", values: [10.20.0.4] } }",
};

const DNS_RECORD_VALUE: Code = Code {
    name: "dns-record-value",
    why: "The value is not one that this type of record holds.",
    remedy: "Write what the message says.",
    example: "records: { api: { type: A, values: [10.20.0.4] } }",
};

impl RecordSpec {
    fn expand(self, key: &str, zone: &ArmId, cx: &mut EntryCx<'_>) {
        let origin = format!("records.{key}");
        let name = self.name.as_deref().unwrap_or(key);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        let labels = name.strip_prefix("*.").unwrap_or(name);
        if !has_token(name) && !matches!(name, "@" | "*") && !labels.split('.').all(label) {
            let message = format!("`{name}` cannot be a name in a zone");
            cx.problem(
                Problem::error(&DNS_RECORD_NAME, &origin, message)
                    .help("write labels of letters, digits, `-` and `_`, `@` for the zone itself, or `*`"),
            );
        }
        self.check_values(&origin, cx);
        let (kind, resource) = self.kind.kind();
        let values = self.values.0;
        let records = |member: &str| values.iter().map(|value| json!({ member: value })).collect::<Value>();
        let (member, value) = match self.kind {
            RecordKind::A => ("aRecords", records("ipv4Address")),
            RecordKind::Aaaa => ("aaaaRecords", records("ipv6Address")),
            RecordKind::Cname => ("cnameRecord", json!({ "cname": values.first() })),
            // A text longer than 255 bytes is several pieces of one record.
            RecordKind::Txt => {
                ("txtRecords", values.iter().map(|text| json!({ "value": pieces(text) })).collect())
            }
        };
        let body = json!({ "properties": { "ttl": self.ttl.unwrap_or(3600), member: value } });
        let address = cx.address.child("records").child(key);
        let id = zone.child(kind, name);
        cx.also(Draft::new(address, id.as_str(), resource, body).origin(origin));
    }

    fn check_values(&self, origin: &str, cx: &mut EntryCx<'_>) {
        let path = format!("{origin}.values");
        let wrong = |value: &&String| {
            !has_token(value)
                && match self.kind {
                    RecordKind::A => value.parse::<Ipv4Addr>().is_err(),
                    RecordKind::Aaaa => value.parse::<Ipv6Addr>().is_err(),
                    RecordKind::Cname => value.is_empty() || value.contains([' ', '/', ':']),
                    RecordKind::Txt => false,
                }
        };
        let (what, help) = match self.kind {
            RecordKind::A => ("IPv4 address", "write addresses such as `10.20.0.10`, or name another `type`"),
            RecordKind::Aaaa => {
                ("IPv6 address", "write addresses such as `fd00::10`, or name another `type`")
            }
            RecordKind::Cname => ("name", "write one name, such as `api.shop.internal`"),
            RecordKind::Txt => ("text", "write a text"),
        };
        if let Some(value) = self.values.0.iter().find(wrong) {
            let message = format!("`{value}` is no {what}");
            cx.problem(Problem::error(&DNS_RECORD_VALUE, &path, message).help(help));
        }
        let count = self.values.0.len();
        if count == 0 || count > 1 && self.kind == RecordKind::Cname {
            let message = if count == 0 { "a record needs an answer" } else { "a CNAME is one name" };
            cx.problem(Problem::error(&DNS_RECORD_VALUE, &path, message).help(help));
        }
    }
}

/// A text in pieces of at most 255 bytes, cut between characters.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        if pieces.last().is_some_and(|piece| piece.len() + c.len_utf8() > 255) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    fn zone(more: Value) -> (Vec<Draft>, Vec<Problem>) {
        let mut fields = json!({ "name": "shop.internal" });
        crate::catalog::merge_over(&mut fields, &more);
        expand("privateDnsZones", "z", fields)
    }

    #[test]
    fn a_zone_its_links_and_its_names() {
        let (drafts, problems) = zone(json!({
            "links": { "hub": { "network": reference("networks.hub"), "registration": true } },
            "records": { "api": { "values": ["10.0.0.4"] }, "www": { "type": "CNAME", "values": "api.shop.internal" } },
        }));
        assert_eq!(problems, []);
        let zone = id(&drafts[0]);
        assert_eq!(
            zone,
            "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/shop.internal"
        );
        assert_eq!(drafts[0].body, json!({ "location": "global" }));
        assert_eq!(id(&drafts[1]), format!("{zone}/virtualNetworkLinks/hub"));
        assert_eq!(
            drafts[1].body["properties"],
            json!({ "virtualNetwork": { "id": wants("networks.hub", "id") }, "registrationEnabled": true })
        );
        assert_eq!(id(&drafts[2]), format!("{zone}/A/api"));
        assert_eq!(
            drafts[2].body["properties"],
            json!({ "ttl": 3600, "aRecords": [{ "ipv4Address": "10.0.0.4" }] })
        );
        assert_eq!(id(&drafts[3]), format!("{zone}/CNAME/www"));
        let live = json!({ "properties": { "ttl": 3600, "fqdn": "api.shop.internal.", "isAutoRegistered": false,
            "metadata": { "creator": "x" }, "aRecords": [{ "ipv4Address": "10.0.0.4" }] } });
        assert_eq!(changes(&drafts[2], &live), [] as [&str; 0]);
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(pieces("a"), ["a"]);
        let long = "ä".repeat(200);
        let cut = pieces(&long);
        assert_eq!(cut.concat(), long);
        assert!(cut.len() == 2 && cut.iter().all(|piece| piece.len() <= 255));
    }

    #[test]
    fn says_what_cannot_be() {
        let record = |record: Value| zone(json!({ "records": { "r": record } }));
        for (found, code) in [
            (zone(json!({ "name": "internal" })), "dns-zone-name"),
            (zone(json!({ "name": "a..b" })), "dns-zone-name"),
            (zone(json!({ "links": { "l": { "network": reference("keyVaults.v") } } })), "dns-link-network"),
            (
                zone(
                    json!({ "links": { "l": { "network": reference("networks.v"), "resolution": "NxDomainRedirect" } } }),
                ),
                "dns-link-resolution",
            ),
            (zone(json!({ "links": { "-": { "network": reference("networks.v") } } })), "dns-link-name"),
            (record(json!({ "values": "fd00::1" })), "dns-record-value"),
            (record(json!({ "type": "CNAME", "values": ["a.b", "c.d"] })), "dns-record-value"),
            (record(json!({ "values": [] })), "dns-record-value"),
            (record(json!({ "name": "a b", "values": "10.0.0.1" })), "dns-record-name"),
            (record(json!({ "type": "MX", "values": "10.0.0.1" })), "shape"),
            (
                zone(
                    json!({ "records": { "a": { "values": "10.0.0.1" }, "b": { "name": "A", "type": "CNAME", "values": "x.y" } } }),
                ),
                "dns-record-twice",
            ),
        ] {
            assert_eq!(codes(found), [code]);
        }
    }
}
