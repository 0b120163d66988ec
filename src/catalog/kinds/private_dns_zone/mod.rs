//! Private DNS zones with their links and records: `Microsoft.Network/privateDnsZones`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/privatednszones>).

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub use types::{RECORD_A, RECORD_AAAA, RECORD_CNAME, RECORD_TXT};

use crate::catalog::kinds::private_dns::{PRIVATE_DNS_ZONE, ZONE, global, zone_claim};
use crate::catalog::{Draft, EntryCx, EntryKind, Members, Merged, Nested, Problem, ResourceType};
use crate::diag::Code;
use checks::{DNS_RECORD_TWICE, check_zone};
use spec::RecordKind;

/// A private DNS zone.
pub struct PrivateDnsZone;

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
    const TYPES: &'static [&'static ResourceType] = &[
        &PRIVATE_DNS_ZONE,
        &super::private_dns::ZONE_LINK,
        &RECORD_A,
        &RECORD_AAAA,
        &RECORD_CNAME,
        &RECORD_TXT,
    ];
    const NESTED: &'static [Nested] = &[Nested::at("links.*"), Nested::at("records.*")];
    const MERGED: &'static [Merged] = &[
        Merged { within: "", name: "links", members: Members::Children(&[&super::private_dns::ZONE_LINK]) },
        Merged {
            within: "",
            name: "records",
            members: Members::Children(&[&RECORD_A, &RECORD_AAAA, &RECORD_CNAME, &RECORD_TXT]),
        },
    ];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
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
