//! The example is what others start from, so it has to work.

#[path = "../examples/http_client.rs"]
mod example;

#[tokio::test]
async fn another_client_makes_polls_and_lists() {
    let seen = example::run().await.expect("the example runs to its end");
    let group = "/resourceGroups/rg-example";
    assert_eq!(
        seen,
        [
            "Microsoft.Network is registered",
            &format!("PUT {group}: 201 Created"),
            &format!("PUT {group}/providers/Microsoft.Network/virtualNetworks/vnet: 201 Created"),
            "the operation is InProgress",
            "the operation is Succeeded",
            "\"vnet\" is \"Succeeded\"",
            "the simulator holds 2 resources",
        ]
    );
}
