//! Peerings of virtual networks: `Microsoft.Network/virtualNetworks/virtualNetworkPeerings`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/virtualnetworks/virtualnetworkpeerings>).
//!
//! A peering is two resources, one on each network, and carries nothing until both exist. So one entry makes both.

use super::naming::{NETWORK, NameRule};
use super::network::VNET;
use super::scope::{is_no, written_id};
use crate::catalog::Refusal;
use crate::catalog::Scarce;
use crate::catalog::{
    DeleteMode, Draft, EntryCx, InStep, Lane, Listing, Problem, Reference, ResourceType, Severity, Turn,
    Weight,
};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::Rule;
use crate::value::token::{Token, display_text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A peering with another network. It is written on one of the two networks and made on both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PeeringSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The other network: `${networks.spoke}`, or an ARM id.
    #[schemars(extend("x-wants" = "network"))]
    network: Reference,
    /// Whether the other direction is made on the other network too; `true` when absent. A peering that is made in
    /// one direction alone carries no traffic until the other one exists.
    both_ways: Option<bool>,
    /// The Azure name of the other direction; this network's name when absent.
    return_name: Option<String>,
    /// Whether the networks reach each other; Azure's default (`true`) when absent.
    allow_access: Option<bool>,
    /// Whether traffic that began in neither of the networks may pass (behind a firewall); `false` when absent.
    allow_forwarded_traffic: Option<bool>,
    /// Whether the other network may use this network's gateway. Its own direction then uses it.
    #[serde(default)]
    share_gateway: bool,
    /// Whether this network uses the other one's gateway. The other direction then shares it.
    #[serde(default)]
    use_remote_gateway: bool,
}

/// One direction of a peering. SaveInput it writes to both networks.
pub static PEERING: ResourceType = ResourceType {
    cross_check: Some(super::ranges::peering),
    // It needs both networks, and each network has one: neither goes with its parent, or they would wait in a circle.
    delete: DeleteMode::Always,
    lanes: &[Lane::Ancestor(VNET), Lane::Of("/properties/remoteVirtualNetwork/id", VNET)],
    tags: false,
    rules: &[
        Rule::at("properties.remoteVirtualNetwork").immutable(),
        Rule::at("properties.remoteVirtualNetwork.id").fold_case(),
        Rule::at("properties.allowVirtualNetworkAccess").default("true"),
        Rule::at("properties.allowForwardedTraffic").default("false"),
        Rule::at("properties.allowGatewayTransit").default("false"),
        Rule::at("properties.useRemoteGateways").default("false"),
        Rule::at("properties.peeringState").read_only(),
        Rule::at("properties.peeringSyncLevel").read_only(),
        Rule::at("properties.remoteAddressSpace").read_only(),
        Rule::at("properties.remoteVirtualNetworkAddressSpace").read_only(),
        Rule::at("properties.remoteVirtualNetworkEncryption").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    in_step: &[
        InStep {
            path: "properties.peeringSyncLevel",
            good: "FullyInSync",
            bad: &["RemoteNotInSync", "LocalNotInSync", "LocalAndRemoteNotInSync"],
            mended: &["RemoteNotInSync", "LocalAndRemoteNotInSync"],
            query: &[("syncRemoteAddressSpace", "true")],
            follows: Some(("/properties/remoteVirtualNetwork/id", "properties.addressSpace.addressPrefixes")),
            help: "the other network has not taken over this one's ranges: sync the peering over there (`az network vnet peering sync`)",
        },
        InStep {
            path: "properties.peeringState",
            good: "Connected",
            bad: &["Disconnected"],
            mended: &[],
            query: &[],
            follows: None,
            help: "its other side was deleted, and Azure connects neither again: take the peering out of the blueprint for one run, so \
                   that both sides are gone, and make it anew",
        },
    ],
    severity: &[
        Weight::new(
            "properties.peeringSyncLevel",
            Turn::Any,
            Severity::High,
            "one network does not reach all ranges of the other",
        ),
        Weight::new(
            "properties.peeringState",
            Turn::Any,
            Severity::High,
            "the networks do not reach each other",
        ),
    ],
    listing: Listing::Parent("/properties/virtualNetworkPeerings"),
    expected: Duration::from_secs(10),
    expected_update: Duration::from_secs(8),
    expected_delete: Duration::from_secs(10),
    scarce: &[Scarce::Same(&["/properties/remoteVirtualNetwork/id"])],
    ..ResourceType::new(
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "2025-05-01",
        "network peering",
    )
};

/// Why a network is peered with another one once.
const TWICE: Option<Refusal> = Some(Refusal {
    code: &PEERING_TWICE,
    what: "are the same direction of one peering",
    help: "write the peering on one of the two networks: it is made on both",
});

const PEERING_TWICE: Code = Code {
    name: "peering-twice",
    why: "A peering is two resources, one in each network, and berth makes both from one of them. Written in both networks, each direction would be made twice.",
    remedy: "Write the peering in one network only, or `bothWays: false` in both.",
    example: "peerings: { spoke: { network: \"${networks.spoke}\" } }",
};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&PEERING_TWICE, &PEERING_NAME, &PEERING_GATEWAY, &PEERING_NETWORK];

const PEERING_NAME: Code = Code {
    name: "peering-name",
    why: "The name cannot be that of a peering.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "",
};

const NAME: NameRule = NameRule { code: &PEERING_NAME, what: "a network peering", ..NETWORK };

const PEERING_GATEWAY: Code = Code {
    name: "peering-gateway",
    why: "A network uses the gateway of its peer only when it has none of its own, and the peer lets it.",
    remedy: "Use one side's gateway only.",
    example: "peerings: { hub: { network: \"${networks.hub}\", useRemoteGateway: true } }",
};

const PEERING_NETWORK: Code = Code {
    name: "peering-network",
    why: "A network is peered with another one, once.",
    remedy: "Name another network.",
    example: "network: ${networks.spoke}",
};

impl PeeringSpec {
    /// The drafts of one or both directions.
    pub(super) fn expand(self, key: &str, network: &ArmId, cx: &mut EntryCx<'_>) {
        let origin = format!("peerings.{key}");
        let name = self.name.as_deref().unwrap_or(key);
        NAME.check(name, &origin, cx);
        if is_no(VNET, &self.network, cx) {
            let message = format!("`{}` is not a virtual network", display_text(&self.network.0));
            cx.problem(
                Problem::error(&PEERING_NETWORK, format!("{origin}.network"), message)
                    .help("write a reference such as `${networks.spoke}`, or the ARM id of a network"),
            );
            return;
        }
        let itself = self.network.path().as_deref() == Some(cx.address.as_str())
            || written_id(&self.network, cx).as_ref() == Some(network);
        if itself {
            cx.problem(
                Problem::error(
                    &PEERING_NETWORK,
                    format!("{origin}.network"),
                    "a network cannot be peered with itself",
                )
                .help("name another network"),
            );
            return;
        }
        if self.share_gateway && self.use_remote_gateway {
            let message = "two networks cannot use each other's gateways";
            cx.problem(
                Problem::error(&PEERING_GATEWAY, &origin, message)
                    .help("keep `shareGateway` where the gateway is, or `useRemoteGateway` where it is not"),
            );
        }
        let remote = self.network.id();
        let address = cx.address.child("peerings").child(key);
        let id = network.child("virtualNetworkPeerings", name);
        let body = self.body(&remote, self.share_gateway, self.use_remote_gateway);
        let there = Draft::new(address.clone(), id.as_str(), &PEERING, body).origin(origin.clone());
        let mut there = there.any_name(self.name.is_none());
        there = there.claims(format!("peering|{network}|{remote}"), TWICE);
        if self.both_ways == Some(false) {
            cx.also(there);
            return;
        }
        let return_name = self.return_name.clone().unwrap_or_else(|| cx.common.name.clone());
        NAME.check(&return_name, &origin, cx);
        let back_id = format!("{}/virtualNetworkPeerings/{return_name}", remote.trim_end_matches('/'));
        let body = self.body(network.as_str(), self.use_remote_gateway, self.share_gateway);
        let back = Draft::new(address.child("back"), back_id, &PEERING, body).origin(origin);
        let mut back = back.any_name(self.return_name.is_none());
        back = back.claims(format!("peering|{remote}|{network}"), TWICE);
        // The direction that uses a gateway is refused before the one that shares it exists.
        let own = Token::Reference { path: cx.address.to_string(), facet: String::new() }.encode();
        back = back.needs(own);
        match self.use_remote_gateway {
            true => there = there.needs(back.address.as_str()),
            false => back = back.needs(there.address.as_str()),
        }
        cx.also(there);
        cx.also(back);
    }

    fn body(&self, remote: &str, share: bool, use_remote: bool) -> Value {
        let mut properties = json!({ "remoteVirtualNetwork": { "id": remote } });
        for (name, value) in [
            ("allowVirtualNetworkAccess", self.allow_access),
            ("allowForwardedTraffic", self.allow_forwarded_traffic),
            ("allowGatewayTransit", share.then_some(true)),
            ("useRemoteGateways", use_remote.then_some(true)),
        ] {
            if let Some(value) = value {
                properties[name] = value.into();
            }
        }
        json!({ "properties": properties })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, wants};

    fn peered(more: Value) -> (Vec<Draft>, Vec<Problem>) {
        let mut peering = json!({ "network": reference("networks.spoke") });
        crate::catalog::merge_over(&mut peering, &more);
        expand(
            "networks",
            "hub",
            json!({ "name": "vnet-hub", "addressSpace": ["10.0.0.0/16"], "peerings": { "spoke": peering } }),
        )
    }

    #[test]
    fn one_entry_makes_both_directions() {
        let (drafts, problems) = peered(json!({ "shareGateway": true }));
        assert_eq!(problems, []);
        let hub = id(&drafts[0]);
        assert_eq!(id(&drafts[1]), format!("{hub}/virtualNetworkPeerings/spoke"));
        let spoke = wants("networks.spoke", "id");
        assert_eq!(
            drafts[1].body["properties"],
            json!({ "remoteVirtualNetwork": { "id": spoke }, "allowGatewayTransit": true })
        );
        assert_eq!(drafts[2].address.as_str(), "networks.hub.peerings.spoke.back");
        assert_eq!(id(&drafts[2]), format!("{spoke}/virtualNetworkPeerings/vnet-hub"));
        assert_eq!(
            drafts[2].body["properties"],
            json!({ "remoteVirtualNetwork": { "id": hub }, "useRemoteGateways": true })
        );
        assert!(drafts[2].depends_on.contains(&"networks.hub.peerings.spoke".to_owned()));
        let (drafts, _) = peered(json!({ "bothWays": false }));
        assert_eq!(drafts.len(), 2);
    }

    #[test]
    fn what_azure_answers_is_no_change_and_another_network_replaces() {
        let remote = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/spoke";
        let (drafts, problems) = peered(json!({ "network": remote }));
        assert_eq!(problems, []);
        let live = |remote: &str| {
            json!({ "properties": {
                "remoteVirtualNetwork": { "id": remote }, "allowVirtualNetworkAccess": true, "peeringState": "Connected",
                "allowForwardedTraffic": false, "remoteAddressSpace": { "addressPrefixes": ["10.1.0.0/16"] },
            } })
        };
        assert_eq!(changes(&drafts[1], &live(&remote.to_uppercase())), [] as [&str; 0]);
        assert_eq!(changes(&drafts[1], &live("/other")), ["properties.remoteVirtualNetwork.id!"]);
    }

    #[test]
    fn says_what_cannot_be() {
        for (more, code) in [
            (json!({ "network": reference("keyVaults.v") }), "peering-network"),
            (json!({ "network": reference("networks.hub") }), "peering-network"),
            (json!({ "network": "spoke" }), "peering-network"),
            (json!({ "shareGateway": true, "useRemoteGateway": true }), "peering-gateway"),
            (json!({ "name": "-x" }), "peering-name"),
        ] {
            assert_eq!(codes(peered(more.clone())), [code], "{more}");
        }
    }
}
