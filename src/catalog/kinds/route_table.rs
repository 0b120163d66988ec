//! Route tables: `Microsoft.Network/routeTables`
//! (<https://learn.microsoft.com/azure/templates/microsoft.network/routetables>).
//!
//! A PUT of a table replaces all of its routes. Routes are told apart by name, and an update carries those of others
//! along: a cluster with kubenet writes one for each of its nodes.

use super::addresses::cidr;
use super::naming::{NETWORK, NameRule};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Lane, Merged, Named, Problem, ResourceType, Severity, Turn, Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::has_token;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;

/// A route table.
pub struct RouteTable;

/// A route table with its routes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The routes by name. Routes that others made in the table (a cluster's `aks-…`) stay.
    #[serde(default)]
    routes: Named<RouteSpec>,
    /// Whether routes of on-premises networks are taken over from a gateway; Azure's default (`true`) when absent.
    bgp_propagation: Option<bool>,
}

/// A route.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RouteSpec {
    /// Where the traffic goes to: a CIDR block such as `0.0.0.0/0`, or a service tag.
    prefix: String,
    /// Where it is sent: `VirtualAppliance`, `VirtualNetworkGateway`, `VnetLocal`, `Internet`, or `None` to drop it.
    next_hop: NextHop,
    /// The address of the appliance, for `nextHop: VirtualAppliance`.
    next_hop_ip: Option<String>,
}

/// Where a route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum NextHop {
    /// A firewall or router at an address.
    VirtualAppliance,
    /// The gateway of the network.
    VirtualNetworkGateway,
    /// The network itself.
    VnetLocal,
    /// The internet.
    Internet,
    /// Nowhere: it is dropped.
    None,
}

pub(super) const TABLE: &str = "Microsoft.Network/routeTables";
/// How many routes Azure lets a table have
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits>).
const MOST_ROUTES: usize = 400;

/// The table with its routes.
pub static ROUTE_TABLE: ResourceType = ResourceType {
    severity: &[Weight::new("properties.routes", Turn::Any, Severity::High, "traffic takes another way")],
    lanes: &[Lane::Ancestor(TABLE)],
    rules: &[
        Rule::at("properties.disableBgpRoutePropagation").default("false"),
        Rule::at("properties.routes").keyed("name").alike(),
        Rule::at("properties.routes[].id").read_only(),
        Rule::at("properties.routes[].type").read_only(),
        // An address of a next hop stays behind when the hop changes its type, unless a route is sent as a whole.
        Rule::at("properties.routes[].properties").whole(),
        Rule::at("properties.routes[].properties.addressPrefix").cidr().fold_case(),
        Rule::at("properties.routes[].properties.nextHopType").fold_case(),
        Rule::at("properties.routes[].properties.hasBgpOverride").read_only(),
        Rule::at("properties.subnets").read_only(),
        Rule::at("properties.resourceGuid").read_only(),
    ],
    expected: Duration::from_secs(6),
    ..ResourceType::new(TABLE, "2025-05-01", "route table")
};

const ROUTE_TABLE_NAME: Code = Code {
    name: "route-table-name",
    why: "The name cannot be that of a route table.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "name: rt-nodes",
};

const NAME: NameRule = NameRule { code: &ROUTE_TABLE_NAME, what: "a route table", ..NETWORK };
const ROUTE_NAME: Code = Code {
    name: "route-name",
    why: "The name cannot be that of a route.",
    remedy: "Use 1 to 80 letters, digits, `_`, `.` and `-`.",
    example: "routes: { out: { … } }",
};

const ROUTE_NAMES: NameRule = NameRule { code: &ROUTE_NAME, what: "a route", ..NETWORK };

const ROUTE_COUNT: Code = Code {
    name: "route-count",
    why: "A route table holds at most 400 routes.",
    remedy: "Join ranges, or use a second table.",
    example: "",
};

const ROUTE_TWICE: Code = Code {
    name: "route-twice",
    why: "Two routes of a table are for the same range.",
    remedy: "Remove one.",
    example: "",
};

impl EntryKind for RouteTable {
    const SECTION: &'static str = "routeTables";
    const TITLE: &'static str = "route table";
    const ARM_TYPE: &'static str = TABLE;
    const TYPES: &'static [&'static ResourceType] = &[&ROUTE_TABLE];
    const ABOUT: &'static str = "A route table, for subnets whose traffic takes another way than Azure's own. Routes \
        that others put into the table stay.";
    const EXAMPLE: &'static str = "\
routeTables:
  egress:
    name: rt-shop-egress
    routes:
      default: { prefix: 0.0.0.0/0, nextHop: VirtualAppliance, nextHopIp: 10.20.200.4 }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20, routeTable: '${routeTables.egress}' }
";
    const MERGED: &'static [Merged] = &[Merged::list("routes", "properties.routes")];
    const CODES: &'static [&'static [&'static Code]] =
        &[&[&ROUTE_TABLE_NAME, &ROUTE_NAME, &ROUTE_COUNT, &ROUTE_TWICE, &ROUTE_NEXT_HOP]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        if spec.routes.len() > MOST_ROUTES {
            let message =
                format!("a route table has at most {MOST_ROUTES} routes, these are {}", spec.routes.len());
            cx.problem(
                Problem::error(&ROUTE_COUNT, "routes", message)
                    .help("put several ranges together, or spread them over tables of several subnets"),
            );
        }
        let mut prefixes: Vec<(String, String)> = Vec::new();
        let mut routes = Vec::new();
        for (key, route) in spec.routes {
            let path = format!("routes.{key}");
            ROUTE_NAMES.check(&key, &path, cx);
            let folded = route.prefix.to_ascii_lowercase();
            if let Some((_, other)) = prefixes.iter().find(|(prefix, _)| *prefix == folded) {
                let message = format!("the routes `{other}` and `{key}` are for the same prefix");
                cx.problem(
                    Problem::error(&ROUTE_TWICE, format!("{path}.prefix"), message)
                        .help("remove one of the two"),
                );
            }
            routes.push(json!({ "name": key, "properties": route.properties(&path, cx) }));
            prefixes.push((folded, key));
        }
        let mut properties = json!({ "routes": routes });
        if let Some(propagation) = spec.bgp_propagation {
            properties["disableBgpRoutePropagation"] = (!propagation).into();
        }
        let body = cx.tracked(properties);
        let id = cx.id(TABLE, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &ROUTE_TABLE, body));
    }
}

const ROUTE_NEXT_HOP: Code = Code {
    name: "route-next-hop",
    why: "Where a route leads is a type, and for appliances an address.",
    remedy: "Write what the message says.",
    example: "routes: { out: { prefix: 0.0.0.0/0, nextHopIp: 10.20.1.4 } }",
};

impl RouteSpec {
    fn properties(&self, path: &str, cx: &mut EntryCx<'_>) -> Value {
        if !self.prefix.starts_with(|c: char| c.is_ascii_alphabetic()) || self.prefix.contains(['/', ':']) {
            cidr(&self.prefix, &format!("{path}.prefix"), cx);
        }
        let ip = format!("{path}.nextHopIp");
        match (&self.next_hop_ip, self.next_hop) {
            (None, NextHop::VirtualAppliance) => cx.problem(
                Problem::error(
                    &ROUTE_NEXT_HOP,
                    path,
                    "a route to an appliance needs the appliance's address",
                )
                .help("add `nextHopIp: 10.0.0.4` with the address of the firewall or router"),
            ),
            (Some(_), NextHop::VirtualAppliance) | (None, _) => {}
            (Some(_), _) => cx.problem(
                Problem::error(&ROUTE_NEXT_HOP, ip.clone(), "only a route to an appliance has an address")
                    .help("remove `nextHopIp`, or write `nextHop: VirtualAppliance`"),
            ),
        }
        if let Some(text) = self.next_hop_ip.as_deref()
            && !has_token(text)
            && text.parse::<IpAddr>().is_err()
        {
            let message = format!("`{text}` is not an address");
            cx.problem(
                Problem::error(&ROUTE_NEXT_HOP, ip, message).help("write one address, such as `10.20.200.4`"),
            );
        }
        let mut properties = json!({ "addressPrefix": self.prefix, "nextHopType": self.next_hop });
        if let Some(text) = &self.next_hop_ip {
            properties["nextHopIpAddress"] = text.as_str().into();
        }
        properties
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};
    use crate::value::merge;

    fn table(routes: Value) -> (Vec<Draft>, Vec<Problem>) {
        expand("routeTables", "egress", json!({ "routes": routes, "bgpPropagation": false }))
    }

    #[test]
    fn a_route_of_a_cluster_survives_and_a_hop_changes_as_a_whole() {
        let (drafts, problems) =
            table(json!({ "default": { "prefix": "0.0.0.0/0", "nextHop": "Internet" } }));
        assert_eq!(problems, []);
        let live = json!({ "location": "westeurope", "properties": { "disableBgpRoutePropagation": true, "routes": [
            { "name": "aks-nodepool1-1", "properties": { "addressPrefix": "10.244.0.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.20.0.4" } },
            { "name": "Default", "properties": { "provisioningState": "Succeeded", "addressPrefix": "0.0.0.0/0",
                "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.1.1.1", "hasBgpOverride": false } },
        ] } });
        assert_eq!(changes(&drafts[0], &live), ["properties.routes[default].properties.nextHopType"]);
        let merged = merge(&live, &drafts[0].body, drafts[0].kind.compiled(), &[]);
        assert_eq!(merged["properties"]["routes"][0]["name"], "aks-nodepool1-1");
        assert_eq!(
            merged["properties"]["routes"][1]["properties"],
            json!({ "addressPrefix": "0.0.0.0/0", "nextHopType": "Internet" })
        );
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (route, code) in [
            (json!({ "prefix": "0.0.0.0/0", "nextHop": "VirtualAppliance" }), "route-next-hop"),
            (
                json!({ "prefix": "0.0.0.0/0", "nextHop": "Internet", "nextHopIp": "10.0.0.4" }),
                "route-next-hop",
            ),
            (
                json!({ "prefix": "0.0.0.0/0", "nextHop": "VirtualAppliance", "nextHopIp": "fw" }),
                "route-next-hop",
            ),
            (json!({ "prefix": "10.0.0.1/8", "nextHop": "None" }), "cidr"),
            (json!({ "prefix": "10.0.0.0/8", "nextHop": "Firewall" }), "shape"),
        ] {
            assert_eq!(codes(table(json!({ "r": route.clone() }))), [code], "{route}");
        }
        let route = json!({ "prefix": "AzureCloud", "nextHop": "Internet" });
        assert_eq!(codes(table(json!({ "r": route }))), [] as [&str; 0]);
        assert_eq!(codes(table(json!({ "a": route, "b": route }))), ["route-twice"]);
        assert_eq!(codes(table(json!({ "-a": route }))), ["route-name"]);
    }
}
