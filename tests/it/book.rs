//! `docs/reference/error-messages.md` shows exactly what berth prints.
//!
//! Each test brings an error about, takes what changes from run to run out of the message, and compares it with the
//! block under the heading of that name. With `INSTA_UPDATE=always` the block is written instead.

use crate::support::{Azure, Berth, SECRET, application, root};
use berth::arm::transport::Method;
use berth::host::files::write_atomic;
use berth::sim::{CALLER_OBJECT_ID, Effect, Fault, SUBSCRIPTION, SignIn, TENANT};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

const PAGE: &str = "docs/reference/error-messages.md";

/// Only one test at a time may write the page.
static WRITING: Mutex<()> = Mutex::new(());

/// Where the block under a heading is: the bytes between its fences.
#[track_caller]
fn block(page: &str, heading: &str) -> std::ops::Range<usize> {
    let at = page.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{PAGE} has no {heading:?}"));
    let start = at + page[at..].find("```text\n").unwrap() + "```text\n".len();
    start..start + page[start..].find("```").unwrap()
}

/// Compares what a command prints with the page: the report of an apply, and what is on standard error.
#[track_caller]
fn holds(heading: &str, code: i32, mut command: Command, azure: Option<&Azure>) {
    let output = command.output().unwrap();
    let mut said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    if let Some(at) = said.find("\nFailed to ") {
        // Of an apply, what it says about the step that failed.
        said = said[at + 1..].split("\n\n").next().unwrap().to_owned() + "\n";
    }
    if let Some(azure) = azure {
        said = said.replace(&azure.url, "https://127.0.0.1:8443");
    }
    said = times_taken_out(&said);
    let _turn = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = root().join(PAGE);
    let mut page = std::fs::read_to_string(&path).unwrap();
    let shown = block(&page, heading);
    if std::env::vars().any(|(name, value)| name == "INSTA_UPDATE" && value == "always") {
        page.replace_range(shown, &said);
        write_atomic(&path, page.as_bytes()).unwrap();
        return;
    }
    assert_eq!(said, page[shown], "what berth says is not what {PAGE} shows under {heading:?}");
}

/// Puts one time in place of all, those of ARM's messages about tokens and how long a step took; and one read in place
/// of whichever was refused first.
fn times_taken_out(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let mut line = line.to_owned();
        if let (true, Some(at)) = (line.starts_with("Failed to "), line.find(" after ")) {
            line.replace_range(at.., " after 0.1s\n");
        }
        // Reads go out together, and any of them may be the first to be refused.
        if let Some(rest) = line.strip_prefix("error: GET /subscriptions/")
            && let Some((subscription, rest)) = rest.split_once('/')
            && let Some((_, said)) = rest.split_once(' ')
        {
            let network = "resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks/hub";
            line = format!("error: GET /subscriptions/{subscription}/{network} {said}");
        }
        for mark in ["expiry UTC time '", "current UTC time '"] {
            if let Some(at) = line.find(mark) {
                let start = at + mark.len();
                let end = start + line[start..].find('\'').unwrap();
                line.replace_range(start..end, "11/21/2026 5:00:00 AM");
            }
        }
        out.push_str(&line);
    }
    out
}

const SMALL: &str = "\
blueprint: shop
azure:
  subscription: ${env.AZURE_SUBSCRIPTION_ID}
  location: westeurope
  resourceGroup: rg-shop
networks:
  hub:
    addressSpace: [10.0.0.0/16]
";

fn shop() -> Berth {
    Berth::new().blueprint(SMALL)
}

const PLAN: [&str; 4] = ["plan", "blueprint.yaml", "--auth", "client-secret"];

#[test]
fn wrong_secret() {
    let (azure, berth) = (Azure::new(), shop());
    let mut command = azure.signed_in(&berth, PLAN);
    command.env("AZURE_CLIENT_SECRET", "another");
    holds("A wrong secret", 1, command, Some(&azure));
}

#[test]
fn expired_secret() {
    let azure = Azure::with(SignIn { expired_secret: Some("of-yore".to_owned()), ..SignIn::default() });
    let berth = shop();
    let mut command = azure.signed_in(&berth, PLAN);
    command.env("AZURE_CLIENT_SECRET", "of-yore");
    holds("An expired secret", 1, command, Some(&azure));
}

#[test]
fn unknown_tenant() {
    let (azure, berth) = (Azure::new(), shop());
    let mut command = azure.signed_in(&berth, PLAN);
    command.env("AZURE_TENANT_ID", "0b5e55ed-0000-4000-8000-000000000009");
    holds("A tenant that does not exist", 1, command, Some(&azure));
}

#[test]
fn nothing_to_sign_in_with() {
    let berth = shop();
    let mut command = berth.command(["plan", "blueprint.yaml"]);
    command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION).env("PATH", "/nowhere");
    command.env("AZURE_TENANT_ID", TENANT);
    holds("Nothing to sign in with", 1, command, None);
}

#[test]
fn expired_token() {
    let azure = Azure::with(SignIn { lifetime: Duration::ZERO, ..SignIn::default() });
    let berth = shop();
    holds("An expired token", 1, azure.signed_in(&berth, PLAN), Some(&azure));
}

#[test]
fn wrong_subscription() {
    let (azure, berth) = (Azure::new(), shop());
    let mut command = azure.signed_in(&berth, PLAN);
    command.env("AZURE_SUBSCRIPTION_ID", "0b5e55ed-0000-4000-8000-00000000000a");
    holds("A wrong subscription", 1, command, Some(&azure));
}

#[test]
fn subscription_of_another_tenant() {
    let (azure, berth) = (Azure::new(), shop());
    let message = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{TENANT}/'. It must match the tenant \
         'https://sts.windows.net/0b5e55ed-0000-4000-8000-000000000009/' associated with this subscription."
    );
    let refusal = Effect::Answer {
        status: 401,
        code: "InvalidAuthenticationTokenTenant".to_owned(),
        message,
        retry_after: None,
    };
    azure.simulator.fail_next(Fault::new(refusal).times(100));
    holds("A subscription of another tenant", 1, azure.signed_in(&berth, PLAN), Some(&azure));
}

#[test]
fn missing_permission() {
    let (azure, berth) = (Azure::new(), shop());
    let network = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks/hub"
    );
    let message = format!(
        "The client 'a9911ca7-0000-4000-8000-000000000004' with object id '{CALLER_OBJECT_ID}' does not have \
         authorization to perform action 'Microsoft.Network/virtualNetworks/write' over scope '{network}' or the \
         scope is invalid. If access was recently granted, please refresh your credentials."
    );
    let refusal =
        Effect::Answer { status: 403, code: "AuthorizationFailed".to_owned(), message, retry_after: None };
    azure.simulator.fail_next(Fault::once(Method::Put, "/virtualNetworks/hub", refusal).times(100));
    holds("A missing permission", 3, azure.signed_in(&berth, APPLY), Some(&azure));
}

#[test]
fn missing_permission_on_what_is_referred_to() {
    let (azure, berth) = (Azure::new(), shop());
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups");
    let vault = format!("{group}/rg-shop/providers/Microsoft.KeyVault/vaults/kv-shop-7");
    berth.write(
        "blueprint.yaml",
        format!(
            "{SMALL}    subnets: {{ endpoints: {{ prefix: 10.0.8.0/24 }} }}
keyVaults: {{ secrets: {{ name: kv-shop-7 }} }}
privateEndpoints:
  vault: {{ target: '${{keyVaults.secrets}}', subnet: '${{networks.hub.subnets.endpoints}}', dns: none }}
"
        )
        .as_bytes(),
    );
    let message = format!(
        "The client 'a9911ca7-0000-4000-8000-000000000004' with object id '{CALLER_OBJECT_ID}' has permission to \
         perform action 'Microsoft.Network/privateEndpoints/write' on scope \
         '{group}/rg-shop/providers/Microsoft.Network/privateEndpoints/vault'; however, it does not have permission \
         to perform action 'PrivateEndpointConnectionsApproval/action' on the linked scope(s) '{vault}' or the \
         linked scope(s) are invalid."
    );
    let code = "LinkedAuthorizationFailed".to_owned();
    let refusal = Effect::Answer { status: 403, code, message, retry_after: None };
    azure.simulator.fail_next(Fault::once(Method::Put, "/privateEndpoints/vault", refusal).times(100));
    holds("A missing permission on something else", 3, azure.signed_in(&berth, APPLY), Some(&azure));
}

/// Registrations are looked at every ten seconds, of this speed.
const APPLY: [&str; 7] =
    ["apply", "blueprint.yaml", "--auth", "client-secret", "--auto-approve", "--sim-speed", "50"];

#[test]
fn denied_by_policy() {
    let (azure, berth) = (Azure::new(), shop());
    let denial = Effect::Denied { policy: "allowed-locations".to_owned() };
    azure.simulator.fail_next(Fault::once(Method::Put, "/virtualNetworks/hub", denial).times(100));
    holds("A policy that says no", 3, azure.signed_in(&berth, APPLY), Some(&azure));
}

#[test]
fn locked_scope() {
    let (azure, berth) = (Azure::new(), shop());
    assert!(azure.signed_in(&berth, APPLY).status().unwrap().success());
    let lock = "providers/Microsoft.Authorization/locks/freeze";
    let lock = serde_json::json!({
        "id": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/{lock}"),
        "name": "freeze",
        "type": "Microsoft.Authorization/locks",
        "properties": { "level": "ReadOnly" },
    });
    azure.simulator.load(vec![lock]).unwrap();
    berth.edit("addressSpace: [10.0.0.0/16]", "addressSpace: [10.0.0.0/16, 10.1.0.0/16]");
    holds("A lock", 4, azure.signed_in(&berth, APPLY), Some(&azure));
}

#[test]
fn provider_that_may_not_be_registered() {
    let (azure, berth) = (Azure::new(), shop());
    let message = format!(
        "The client 'a9911ca7-0000-4000-8000-000000000004' with object id '{CALLER_OBJECT_ID}' does not have \
         authorization to perform action 'Microsoft.Network/register/action' over scope \
         '/subscriptions/{SUBSCRIPTION}' or the scope is invalid. If access was recently granted, please refresh \
         your credentials."
    );
    let refusal =
        Effect::Answer { status: 403, code: "AuthorizationFailed".to_owned(), message, retry_after: None };
    azure
        .simulator
        .fail_next(Fault::once(Method::Post, "/providers/Microsoft.Network/register", refusal).times(100));
    holds("A provider that may not be registered", 3, azure.signed_in(&berth, APPLY), Some(&azure));
}

#[test]
fn provider_that_is_not_registered() {
    let (azure, berth) = (Azure::new(), shop());
    berth.edit("  resourceGroup: rg-shop\n", "  resourceGroup: rg-shop\n  registerProviders: false\n");
    holds("A provider that is not registered", 3, azure.signed_in(&berth, APPLY), Some(&azure));
}

#[test]
fn untrusted_certificate() {
    let (azure, berth) = (Azure::new(), shop());
    let mut command = berth.command(PLAN);
    command.args(["--endpoint", &azure.url, "--authority", &azure.url]);
    application(&mut command).env("AZURE_CLIENT_SECRET", SECRET).env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION);
    holds("A server that nobody vouches for", 1, command, Some(&azure));
}

#[test]
fn unencrypted_endpoint() {
    let berth = shop();
    let mut command = berth.command(PLAN);
    command.args(["--endpoint", "http://arm.example.com"]);
    command.env("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION);
    holds("A token that would travel unencrypted", 1, command, None);
}
