//! Who may connect: az shows what berth decided, and berth what az did.

use crate::session::{Session, has, text};
use berth::sim::SUBSCRIPTION;
use serde_json::{Value, json};

const BLUEPRINT: &str = "\
blueprint: approver
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-approver }
keyVaults:
  v: { name: kv-approver-1, protect: false }
approvals:
  partner:
    target: '${keyVaults.v}'
    endpoints:
      - '/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-partner/providers/Microsoft.Network/privateEndpoints/wanted'
      - '/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-partner/providers/Microsoft.Network/privateEndpoints/later'
";

const STATUS: &str = "/properties/privateLinkServiceConnectionState/status";

/// The connection of an endpoint, as az lists it.
fn of<'v>(listed: &'v Value, endpoint: &str) -> Option<&'v Value> {
    let end = format!("/privateEndpoints/{endpoint}");
    listed.as_array().unwrap().iter().find(|c| text(c, "/properties/privateEndpoint/id").ends_with(&end))
}

#[test]
fn decisions_are_seen_from_both_sides() {
    let Some(session) = Session::start("decisions_are_seen_from_both_sides") else { return };
    session.berth.write("blueprint.yaml", BLUEPRINT.as_bytes());
    let apply = ["apply", "blueprint.yaml", "--auto-approve"];
    let _ = session.run(&apply).exits(0);
    let target = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-approver/providers/Microsoft.KeyVault/vaults/kv-approver-1"
    );
    session.az("group create --name rg-partner --location westeurope");
    session.register(&["Microsoft.Network"]);
    session
        .az("network vnet create --resource-group rg-partner --name vnet --address-prefixes 10.30.0.0/16 \
         --subnet-name endpoints --subnet-prefixes 10.30.0.0/24");
    let ask = |name: &str| {
        session.az(&format!(
            "network private-endpoint create --resource-group rg-partner --vnet-name vnet --subnet endpoints \
             --private-connection-resource-id {target} --group-id vault --location westeurope --name {name} \
             --connection-name {name} --manual-request true --request-message please"
        ))
    };
    for name in ["wanted", "stranger", "nuisance"] {
        ask(name);
    }
    // berth decides, and az shows it: on the target, and on the endpoint.
    session.run(&apply).exits(0).says(&["approvals.partner"]);
    let list = format!("network private-endpoint-connection list --id {target}");
    let listed = session.az(&list);
    has(of(&listed, "wanted").unwrap(), &[(STATUS, json!("Approved"))]);
    let says =
        text(of(&listed, "wanted").unwrap(), "/properties/privateLinkServiceConnectionState/description");
    assert!(says.contains("berth"), "{says}");
    for name in ["stranger", "nuisance"] {
        has(of(&listed, name).unwrap(), &[(STATUS, json!("Pending"))]);
    }
    let endpoint = session.az("network private-endpoint show --resource-group rg-partner --name wanted");
    let state = "/manualPrivateLinkServiceConnections/0/privateLinkServiceConnectionState/status";
    has(&endpoint, &[(state, json!("Approved"))]);

    // az decides, and berth shows it.
    let id = |name: &str| text(of(&listed, name).unwrap(), "/id").to_owned();
    let connection = |verb: &str, name: &str, more: &str| {
        session.az(&format!("network private-endpoint-connection {verb} --id {} {more}", id(name)))
    };
    connection("approve", "stranger", "--description welcome");
    connection("reject", "nuisance", "--description no");
    let seen = |code: i32| -> Vec<(String, String)> {
        let listed = session.run(&["approve", "list", &target, "--format", "json"]).exits(code).json();
        let all = listed["targets"][0]["connections"].as_array().unwrap().clone();
        let mut all: Vec<(String, String)> = all
            .iter()
            .map(|c| {
                let endpoint = c["endpoint"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
                (endpoint, c["status"].as_str().unwrap().to_owned())
            })
            .collect();
        all.sort();
        all
    };
    let pair = |name: &str, status: &str| (name.to_owned(), status.to_owned());
    assert_eq!(
        seen(0),
        [pair("nuisance", "Rejected"), pair("stranger", "Approved"), pair("wanted", "Approved")]
    );
    // Nobody here named the stranger: that az let it in is listed, and no drift.
    session.run(&["drift", "blueprint.yaml"]).exits(0).says(&["stranger", "Approved"]);

    // What az rejects, berth leaves rejected although it is named; what az removed asks no more.
    ask("later");
    let _ = session.run(&apply).exits(0);
    let listed = session.az(&list);
    let later = text(of(&listed, "later").unwrap(), "/id").to_owned();
    has(of(&listed, "later").unwrap(), &[(STATUS, json!("Approved"))]);
    session.az(&format!("network private-endpoint-connection reject --id {later} --description no"));
    session.run(&["plan", "blueprint.yaml"]).exits(4).says(&["later", "reject"]);
    let _ = session.run(&apply);
    connection("delete", "wanted", "--yes");
    assert_eq!(
        seen(0),
        [pair("later", "Rejected"), pair("nuisance", "Rejected"), pair("stranger", "Approved")]
    );
    let endpoint = session.az("network private-endpoint show --resource-group rg-partner --name wanted");
    has(&endpoint, &[(state, json!("Disconnected"))]);
    // A person who names the connection overrules what was rejected, and az shows that too.
    let _ = session.run(&["approve", "run", "--id", &later, "--auto-approve"]);
    has(of(&session.az(&list), "later").unwrap(), &[(STATUS, json!("Approved"))]);
}
