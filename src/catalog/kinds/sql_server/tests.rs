use crate::catalog::Arrival;
use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, secret};
use serde_json::{Value, json};

fn fields(more: Value) -> Value {
    let admin = json!({ "login": "admins", "principal": reference("identities.admin"), "only": true });
    let mut fields = json!({ "entraAdmin": admin });
    crate::catalog::merge_over(&mut fields, &more);
    fields
}

#[test]
fn a_server_comes_with_its_administrator_and_without_passwords() {
    let more = json!({ "databases": { "orders": { "sku": "S0" } }, "publicAccess": false });
    let (drafts, problems) = expand("sqlServers", "orders", fields(more));
    assert_eq!(problems, []);
    let server = &drafts[0].body["properties"];
    assert_eq!(server["administrators"]["azureADOnlyAuthentication"], true);
    assert_eq!(
        (&server["administratorLogin"], &server["publicNetworkAccess"]),
        (&Value::Null, &json!("Disabled"))
    );
    let ids: Vec<&str> = drafts.iter().map(|draft| id(draft).split("/servers/").last().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "orders",
            "orders/administrators/ActiveDirectory",
            "orders/azureADOnlyAuthentications/Default",
            "orders/databases/orders"
        ]
    );
    assert!(drafts[1..3].iter().all(|draft| draft.arrival == Arrival::WithParent));
}

#[test]
fn what_azure_answers_is_no_change() {
    let (drafts, _) = expand("sqlServers", "orders", fields(json!({})));
    let live = json!({
        "location": "westeurope", "kind": "v12.0",
        "properties": {
            "administratorLogin": "CloudSA1a2b3c4d", "version": "12.0", "state": "Ready",
            "administrators": { "login": "others" }, "publicNetworkAccess": "Enabled",
        },
    });
    assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
}

#[test]
fn refuses_what_azure_refuses() {
    for (fields_, code) in [
        (fields(json!({ "name": "SQL" })), "sql-server-name"),
        (fields(json!({ "entraAdmin": { "only": false } })), "sql-server-admin"),
        (json!({}), "sql-server-admin"),
        (json!({ "adminLogin": "a" }), "sql-server-admin"),
        (json!({ "adminPassword": secret("p") }), "sql-server-admin"),
        (json!({ "adminLogin": "a", "adminPassword": "Passw0rd!" }), "secret-in-clear"),
        (fields(json!({ "minTls": "1.0" })), "sql-server-rules"),
        (fields(json!({ "databases": { "a:b": {} } })), "sql-database-name"),
        (
            fields(json!({ "publicAccess": false, "firewallRules": { "a": { "from": "1.2.3.4" } } })),
            "sql-server-rules",
        ),
        (fields(json!({ "firewallRules": { "a": { "from": "1.2.3.0/24" } } })), "sql-server-rules"),
        (fields(json!({ "databases": { "a": { "elasticPool": "b" } } })), "unknown-part"),
        (fields(json!({ "databases": { "a": { "backups": { "days": 36 } } } })), "out-of-range"),
        (fields(json!({ "databases": { "a": { "backups": { "weekly": "4 weeks" } } } })), "sql-server-data"),
        (
            fields(json!({ "databases": { "a": { "backups": { "differentialHours": 6 } } } })),
            "sql-server-data",
        ),
        (fields(json!({ "auditing": { "monitor": false } })), "sql-server-data"),
        (fields(json!({ "auditing": { "days": 30 } })), "sql-server-data"),
        (
            fields(json!({
                "elasticPools": { "p": { "sku": "GP_Gen5", "capacity": 4, "minPerDatabase": 2, "maxPerDatabase": 1 } }
            })),
            "sql-server-data",
        ),
    ] {
        assert_eq!(codes(expand("sqlServers", "orders", fields_.clone())), [code], "{fields_}");
    }
}
