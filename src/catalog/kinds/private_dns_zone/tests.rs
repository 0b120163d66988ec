//! A private DNS zone, expanded.

use super::checks::pieces;
use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};
use crate::catalog::{Draft, Problem};
use serde_json::{Value, json};

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
    assert_eq!(drafts[0].created(), json!({ "location": "global" }));
    assert_eq!(id(&drafts[1]), format!("{zone}/virtualNetworkLinks/hub"));
    assert_eq!(
        drafts[1].created()["properties"],
        json!({ "virtualNetwork": { "id": wants("networks.hub", "id") }, "registrationEnabled": true })
    );
    assert_eq!(id(&drafts[2]), format!("{zone}/A/api"));
    assert_eq!(
        drafts[2].created()["properties"],
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
