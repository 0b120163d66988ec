//! The bodies of a private DNS zone.

use super::checks::{
    DNS_LINK_NETWORK, DNS_LINK_RESOLUTION, DNS_RECORD_NAME, DNS_REGISTRATION_TWICE, LINK_NAME, pieces,
};
use super::spec::{LinkSpec, RecordKind, RecordSpec};
use crate::catalog::kinds::network::VNET;
use crate::catalog::kinds::private_dns::{LINKED_TWICE, ZONE_LINK, global, link_claim};
use crate::catalog::kinds::scope::is_no;
use crate::catalog::{Draft, EntryCx, Problem, Refusal};
use crate::ident::ArmId;
use crate::value::token::{display_text, has_token};
use serde_json::{Value, json};

impl LinkSpec {
    pub(super) fn expand(self, key: &str, zone: &ArmId, cx: &mut EntryCx<'_>) {
        let origin = format!("links.{key}");
        let name = self.name.as_deref().unwrap_or(key);
        LINK_NAME.check(name, &origin, cx);
        if is_no(VNET, &self.network, cx) {
            let message = format!("`{}` is not a virtual network", display_text(&self.network.0));
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
        let mut properties = json!({ "virtualNetwork": { "id": network }, "registrationEnabled": self.registration == Some(true) });
        if let Some(resolution) = self.resolution {
            properties["resolutionPolicy"] = json!(resolution);
        }
        let address = cx.address.child("links").child(key);
        let id = zone.child("virtualNetworkLinks", name);
        let body = global(cx, Some(properties));
        let mut draft = Draft::new(address, id.as_str(), &ZONE_LINK, body)
            .any_name(self.name.is_none())
            .claims(link_claim(zone.as_str(), &network), LINKED_TWICE)
            .initially_if(&[("properties.registrationEnabled", self.registration.is_none())]);
        if self.registration == Some(true) {
            draft = draft.claims(format!("registration|{network}"), REGISTERED_TWICE);
        }
        cx.also(draft.origin(origin));
    }
}

/// Why a network registers its machines in one zone.
pub(super) const REGISTERED_TWICE: Option<Refusal> = Some(Refusal {
    code: &DNS_REGISTRATION_TWICE,
    what: "both register the machines of the same network",
    help: "keep `registration: true` on one of them: a network has one such zone",
});

impl RecordSpec {
    pub(super) fn expand(self, key: &str, zone: &ArmId, cx: &mut EntryCx<'_>) {
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
}
