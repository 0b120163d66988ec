//! An approval, expanded.

use crate::catalog::kinds::testing::{codes, expand, id, reference, wants};
use crate::catalog::{Approval, Provisioning};
use serde_json::{Value, json};
use std::time::Duration;

const SUBSCRIPTION: &str = "22222222-0000-4000-8000-000000000002";

fn endpoint() -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/pe"
    )
}

fn fields(more: Value) -> Value {
    let mut fields = json!({ "target": reference("keyVaults.secrets") });
    crate::catalog::merge_over(&mut fields, &more);
    fields
}

#[test]
fn an_entry_is_a_rule_and_with_otherwise_two() {
    let more = json!({ "endpoints": [endpoint()], "group": "vault", "wait": "30m", "otherwise": "reject" });
    let (drafts, problems) = expand("approvals", "partner", fields(more));
    assert_eq!(problems, []);
    let [rule, rest] = &drafts[..] else { panic!("{drafts:#?}") };
    let target = wants("keyVaults.secrets", "id");
    assert_eq!(id(rule), format!("{target}/providers/Berth.Approvals/approvals/approvals-partner"));
    let expected = Approval {
        target: target.clone(),
        endpoints: vec![endpoint()],
        group: Some("vault".to_owned()),
        wait: Some(Duration::from_secs(1800)),
        description: "Approved by berth for approvals.partner".to_owned(),
        ..Approval::default()
    };
    assert_eq!(rule.operation, Provisioning::Approval(Box::new(expected)));
    assert_eq!(rest.address.as_str(), "approvals.partner.otherwise");
    let rejects = |operation: &Provisioning| matches!(operation, Provisioning::Approval(a) if a.rejects);
    assert!(rejects(&rest.operation));
    // Nobody at all: the entry itself rejects.
    let (drafts, problems) = expand("approvals", "nobody", fields(json!({ "otherwise": "reject" })));
    assert_eq!((problems, drafts.len()), (vec![], 1));
    assert_eq!(drafts[0].address.as_str(), "approvals.nobody");
    assert!(rejects(&drafts[0].operation));
}

#[test]
fn a_message_decides_only_when_it_is_whole_and_long_and_limited() {
    let agreed = |fields_: Value| match &expand("approvals", "x", fields(fields_)).0[0].operation {
        Provisioning::Approval(approval) => (approval.agreed.clone(), approval.message.clone()),
        other => panic!("{other:?}"),
    };
    let text = "shop and search agreed on 7Qm2";
    assert_eq!(agreed(json!({ "message": text, "atMost": 1 })), (Some(text.to_owned()), None));
    let narrows = json!({ "message": text, "subscriptions": [SUBSCRIPTION] });
    assert_eq!(agreed(narrows), (None, Some(text.to_owned())));
    // A requester of the blueprint has one endpoint.
    let (drafts, _) = expand("approvals", "x", fields(json!({ "from": reference("resources.origin") })));
    let Provisioning::Approval(approval) = &drafts[0].operation else { panic!() };
    assert_eq!(approval.at_most, Some(1));
}

#[test]
fn says_what_cannot_be() {
    let vault = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v";
    for (more, expected) in [
        (json!({ "target": "vault", "otherwise": "reject" }), "approval-target"),
        (json!({ "target": "/subscriptions/s", "otherwise": "reject" }), "approval-target"),
        (json!({}), "approval-nobody"),
        (json!({ "group": "vault", "atMost": 2 }), "approval-nobody"),
        (json!({ "endpoints": [vault] }), "approval-endpoint"),
        (json!({ "endpoints": ["pe-shop"] }), "approval-endpoint"),
        (json!({ "endpoints": [reference("keyVaults.other")] }), "approval-endpoint"),
        (json!({ "from": endpoint() }), "approval-from"),
        (json!({ "subscriptions": ["shop"] }), "approval-subscription"),
        (json!({ "subscriptions": ["*"] }), "approval-subscription"),
        (json!({ "subscriptions": ["222222220000400080000000000000002"] }), "approval-subscription"),
        (json!({ "message": "ticket OPS-*, agreed on by all", "atMost": 1 }), "approval-message"),
        (json!({ "message": "please", "atMost": 1 }), "approval-message"),
        (json!({ "message": "shop and search agreed on 7Qm2" }), "approval-at-most"),
        (json!({ "message": "x".repeat(141), "atMost": 1 }), "approval-message"),
        (json!({ "subscriptions": [SUBSCRIPTION], "atMost": 0 }), "approval-at-most"),
        (json!({ "subscriptions": [SUBSCRIPTION], "wait": "5m" }), "approval-at-most"),
        (json!({ "subscriptions": [SUBSCRIPTION], "apiVersion": "latest" }), "approval-version"),
        (json!({ "subscriptions": [SUBSCRIPTION], "wait": "5" }), "shape"),
        (json!({ "subscriptions": [SUBSCRIPTION], "otherwise": "approve" }), "shape"),
    ] {
        assert_eq!(codes(expand("approvals", "x", fields(more.clone()))), [expected], "{more}");
    }
}
