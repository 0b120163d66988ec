//! Who may connect to what is ours: the private endpoint connections that a blueprint approves, and that it rejects
//! (<https://learn.microsoft.com/azure/private-link/manage-private-endpoint>).
//!
//! An entry is nothing in Azure. It is a step that approves connections on its target which others caused, and with
//! `otherwise: reject` a second one that rejects what no rule names. Its id is below the target, under a provider that
//! Azure does not have, so that no request can ever be sent to it.

mod checks;
mod spec;
#[cfg(test)]
mod tests;

pub use checks::{APPROVAL_ENDPOINT, APPROVAL_FROM, APPROVAL_VERSION};
pub use spec::{Otherwise, Spec, Wait};

use crate::catalog::{Approval, DeleteMode, Draft, EntryCx, EntryKind, Provisioning, ResourceType};
use crate::diag::Code;
use serde_json::json;
use std::time::Duration;

/// Who may connect to a resource.
pub struct Approvals;

const ARM_TYPE: &str = "Berth.Approvals/approvals";

/// What an entry is: a decision, which nothing in Azure stands for.
pub static APPROVAL: ResourceType = ResourceType {
    delete: DeleteMode::Never,
    tags: false,
    expected: Duration::from_secs(15),
    ..ResourceType::new(ARM_TYPE, "2026-11-01", "approval of connections")
};

impl EntryKind for Approvals {
    const SECTION: &'static str = "approvals";
    const TITLE: &'static str = "approval of connections";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str = "Who may connect to a resource through a private endpoint. Connections that others cause \
        wait on the target until its owner decides; an entry names those that berth approves, by who asks. What no entry \
        names stays as it is, and plans and drift reports list it. A connection that the target's owner rejected stays \
        rejected until a person names it with `berth approve run --id`. Private endpoints of the blueprint need no \
        entry: their own connections are approved with them.";
    const EXAMPLE: &'static str = "\
keyVaults:
  secrets:
    name: kv-shop-${uniqueString(azure.resourceGroup)}
    publicAccess: false
approvals:
  analytics:
    target: ${keyVaults.secrets}
    endpoints: [/subscriptions/22222222-0000-4000-8000-000000000002/resourceGroups/rg-analytics/providers/Microsoft.Network/privateEndpoints/pe-shop]
  partner:
    target: ${keyVaults.secrets}
    subscriptions: [33333333-0000-4000-8000-000000000003]
    message: ticket OPS-*
    atMost: 2
";
    const TYPES: &'static [&'static ResourceType] = &[&APPROVAL];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let before = cx.problems.len();
        spec.check(cx);
        if cx.problems.len() > before {
            return;
        }
        let target = spec.target.id();
        let named = spec.names_somebody();
        let agreed = spec.message.clone().filter(|_| !named);
        // Only one endpoint answers to a message that berth made up.
        let only_requester =
            spec.from.is_some() && spec.endpoints.is_empty() && spec.subscriptions.is_empty();
        let rule = Approval {
            endpoints: spec.endpoints.iter().map(|endpoint| endpoint.id()).collect(),
            subscriptions: spec.subscriptions.clone(),
            requester: spec.from.as_ref().map(|from| from.0.clone()),
            group: spec.group.clone(),
            message: spec.message.clone().filter(|_| named),
            at_most: spec.at_most.or(only_requester.then_some(1)),
            wait: spec.wait.map(|wait| wait.0),
            description: format!("Approved by berth for {}", cx.address),
            ..common(&spec, &target)
        };
        // Ids are unique; addresses are too, and have characters that ids cannot have.
        let name: String =
            cx.address.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let id = |name: &str| format!("{}/providers/{ARM_TYPE}/{name}", target.trim_end_matches('/'));
        if named || agreed.is_some() {
            // Who comes at the last moment still has to be decided on.
            let longest = rule.wait.map(|wait| wait.max(APPROVAL.timeout) + APPROVAL.timeout);
            let timeout = cx.common.timeout.or(longest);
            let operation = Provisioning::Approval(Box::new(Approval { agreed, ..rule }));
            cx.main(Draft {
                operation,
                timeout,
                ..Draft::new(cx.address.clone(), id(&name), &APPROVAL, json!({}))
            });
        }
        if spec.otherwise == Otherwise::Reject {
            let address = if named || spec.message.is_some() {
                cx.address.child("otherwise")
            } else {
                cx.address.clone()
            };
            let rejects = Approval {
                rejects: true,
                description: format!("Rejected by berth: no rule of {} names it", cx.address),
                ..common(&spec, &target)
            };
            let draft = Draft::new(address, id(&format!("{name}-otherwise")), &APPROVAL, json!({}));
            cx.also(Draft {
                operation: Provisioning::Approval(Box::new(rejects)),
                ..draft.origin("otherwise")
            });
        }
    }
}

fn common(spec: &Spec, target: &str) -> Approval {
    Approval { target: target.to_owned(), api_version: spec.api_version.clone(), ..Approval::default() }
}
