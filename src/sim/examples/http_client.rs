//! A local Azure for the tests of any client: starts the simulator on a free port and talks plain HTTP to it.
//!
//! ```sh
//! cargo run -p berth-sim --example http_client
//! ```
//!
//! The client here is [`ureq`]; nothing of it knows berth. It makes a resource group and a network, follows the
//! operation that Azure starts for that, and lists what is there.

use berth_sim::{Options, SUBSCRIPTION, Serving, Simulator, serve};
use serde_json::{Value, json};
use std::error::Error;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
#[allow(dead_code, reason = "the test of this example calls what is below")]
#[expect(clippy::print_stdout, reason = "an example shows what it did")]
async fn main() -> Result<()> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}

/// Serves a simulator, uses it, and stops it: what was seen.
pub async fn run() -> Result<Vec<String>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let simulator = Simulator::new(Options::default());
    let serving = tokio::spawn(serve(simulator.clone(), listener, Serving::default(), async {
        // An error means that the sender is gone: then it is time to stop as well.
        let _ = stopped.await;
    }));
    let seen = tokio::task::spawn_blocking(move || use_it(&base)).await?;
    let _ = stop.send(());
    serving.await??;
    let mut seen = seen?;
    // The test that embeds a simulator can also look into it.
    seen.push(format!("the simulator holds {} resources", simulator.len()));
    Ok(seen)
}

/// What any client of Azure Resource Manager does.
fn use_it(base: &str) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    let url = |path: &str| format!("{base}/subscriptions/{SUBSCRIPTION}{path}?api-version=2025-05-01");

    // As with Azure, a subscription registers a provider before its types can be made.
    ureq::post(url("/providers/Microsoft.Network/register")).send_empty()?;
    loop {
        let provider: Value = get(&url("/providers/Microsoft.Network"))?;
        if provider["registrationState"] == "Registered" {
            break;
        }
    }
    seen.push("Microsoft.Network is registered".to_owned());

    let group = "/resourceGroups/rg-example";
    let answer = ureq::put(url(group)).send_json(json!({ "location": "westeurope" }))?;
    seen.push(format!("PUT {group}: {}", answer.status()));

    let network = format!("{group}/providers/Microsoft.Network/virtualNetworks/vnet");
    let body = json!({
        "location": "westeurope",
        "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } },
    });
    let answer = ureq::put(url(&network)).send_json(body)?;
    seen.push(format!("PUT {network}: {}", answer.status()));

    // Networks take a while. Time jumps when it is asked about, so that nobody waits for it.
    let operation = answer.headers().get("azure-asyncoperation").ok_or("no operation")?.to_str()?.to_owned();
    let status = loop {
        let operation: Value = get(&operation)?;
        let status = operation["status"].as_str().unwrap_or_default().to_owned();
        seen.push(format!("the operation is {status}"));
        if status != "InProgress" {
            break status;
        }
    };
    if status != "Succeeded" {
        return Err(format!("the network was not made: {status}").into());
    }

    let list: Value = get(&url(&format!("{group}/providers/Microsoft.Network/virtualNetworks")))?;
    for network in list["value"].as_array().into_iter().flatten() {
        seen.push(format!("{} is {}", network["name"], network["properties"]["provisioningState"]));
    }
    Ok(seen)
}

fn get(url: &str) -> Result<Value> {
    Ok(ureq::get(url).call()?.body_mut().read_json()?)
}
