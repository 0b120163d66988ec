//! What can be wrong with an approval, and is known offline.

use super::spec::{Otherwise, Spec};
use crate::catalog::kinds::generic::is_api_version;
use crate::catalog::kinds::scope::type_in;
use crate::catalog::{EntryCx, Problem, Reference};
use crate::diag::Code;
use crate::private_link::AGREED_LENGTH;
use crate::value::token::{display_text, has_token};

/// Azure's limit of a request message.
const LONGEST_MESSAGE: usize = 140;

const ENDPOINT: &str = "Microsoft.Network/privateEndpoints";

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[
    &APPROVAL_TARGET,
    &APPROVAL_NOBODY,
    &APPROVAL_FROM,
    &APPROVAL_ENDPOINT,
    &APPROVAL_SUBSCRIPTION,
    &APPROVAL_MESSAGE,
    &APPROVAL_AT_MOST,
    &APPROVAL_VERSION,
];

const APPROVAL_TARGET: Code = Code {
    name: "approval-target",
    why: "Connections are approved on the resource that they lead to.",
    remedy: "Refer to an entry, or write an ARM id.",
    example: "target: ${keyVaults.secrets}",
};

const APPROVAL_NOBODY: Code = Code {
    name: "approval-nobody",
    why: "A rule has to say who may connect: an endpoint, a subscription, or a resource of the blueprint. A message or a group only narrows, because everybody can write any message.",
    remedy: "Name who may connect, or write `otherwise: reject` to refuse everybody.",
    example: "subscriptions: [22222222-0000-4000-8000-000000000002]",
};

/// `from` names something that cannot be recognised.
pub const APPROVAL_FROM: Code = Code {
    name: "approval-from",
    why: "`from` takes a resource of the blueprint that connects through an endpoint of Microsoft's and sends a message of berth's with its request.",
    remedy: "Refer to such a resource, or name the endpoint under `endpoints`.",
    example: "from: ${resources.origin}",
};

/// What is named is not a private endpoint.
pub const APPROVAL_ENDPOINT: Code = Code {
    name: "approval-endpoint",
    why: "`endpoints` takes private endpoints, each whole: no names, no patterns.",
    remedy: "Write the ARM id of the endpoint, or refer to an entry of `privateEndpoints`.",
    example: "endpoints: [/subscriptions/…/providers/Microsoft.Network/privateEndpoints/pe-shop]",
};

const APPROVAL_SUBSCRIPTION: Code = Code {
    name: "approval-subscription",
    why: "`subscriptions` takes ids of subscriptions, each whole.",
    remedy: "Write the id that `az account show` tells.",
    example: "subscriptions: [22222222-0000-4000-8000-000000000002]",
};

const APPROVAL_MESSAGE: Code = Code {
    name: "approval-message",
    why: "A message that decides who may connect works like a password: it has to be whole, long, and of limited use.",
    remedy: "Write at least 20 characters without `*`, and `atMost`.",
    example: "message: shop and search agreed on 7Qm2",
};

const APPROVAL_AT_MOST: Code = Code {
    name: "approval-at-most",
    why: "Rules that many could meet have a limit.",
    remedy: "Write how many connections are expected.",
    example: "atMost: 1",
};

/// The version is not known.
pub const APPROVAL_VERSION: Code = Code {
    name: "approval-version",
    why: "Each type shows its connections in API versions of its own, and a wrong one is refused by Azure.",
    remedy: "Write the version of the target's type.",
    example: "apiVersion: \"2025-09-01\"",
};

impl Spec {
    /// Whether it says who may connect.
    pub(super) fn names_somebody(&self) -> bool {
        self.from.is_some() || !self.endpoints.is_empty() || !self.subscriptions.is_empty()
    }

    pub(super) fn check(&self, cx: &mut EntryCx<'_>) {
        if !is_resource(&self.target) {
            let message = format!("`{}` is not a resource", display_text(&self.target.0));
            cx.problem(
                Problem::error(&APPROVAL_TARGET, "target", message)
                    .help("write a reference such as `${keyVaults.secrets}`, or an ARM id"),
            );
        }
        if let Some(from) = self.from.as_ref().filter(|from| from.path().is_none()) {
            let message = format!("`{}` is not a resource of the blueprint", display_text(&from.0));
            cx.problem(
                Problem::error(&APPROVAL_FROM, "from", message).help(
                    "write a reference such as `${resources.origin}`; an endpoint goes under `endpoints`",
                ),
            );
        }
        for (at, endpoint) in self.endpoints.iter().enumerate() {
            let other =
                type_in(endpoint, cx).is_some_and(|arm_type| !arm_type.eq_ignore_ascii_case(ENDPOINT));
            if !is_resource(endpoint) || other {
                let message = format!("`{}` is not a private endpoint", display_text(&endpoint.0));
                cx.problem(Problem::error(&APPROVAL_ENDPOINT, format!("endpoints[{at}]"), message).help(
                    "write its ARM id, `/subscriptions/…/providers/Microsoft.Network/privateEndpoints/NAME`",
                ));
            }
        }
        for (at, subscription) in self.subscriptions.iter().enumerate() {
            if uuid::Uuid::try_parse(subscription).is_err() || subscription.len() != 36 {
                let message = format!("`{}` is not the id of a subscription", display_text(subscription));
                cx.problem(
                    Problem::error(&APPROVAL_SUBSCRIPTION, format!("subscriptions[{at}]"), message)
                        .help("write a GUID such as `22222222-0000-4000-8000-000000000002`"),
                );
            }
        }
        if !self.names_somebody() {
            self.check_agreed(cx);
        }
        self.check_message(cx);
        let open = !self.subscriptions.is_empty() || !self.names_somebody() && self.message.is_some();
        if self.at_most == Some(0) {
            let message = "`atMost: 0` allows no connection";
            cx.problem(
                Problem::error(&APPROVAL_AT_MOST, "atMost", message)
                    .help("write 1 or more; `otherwise: reject` alone refuses everybody"),
            );
        } else if self.at_most.is_none() && self.wait.is_some() && open {
            let message = "it waits for connections, and does not say how many";
            cx.problem(
                Problem::error(&APPROVAL_AT_MOST, "wait", message)
                    .help("write `atMost:`: connections that arrive while berth waits are not in the plan"),
            );
        }
        if self.api_version.as_ref().is_some_and(|version| !is_api_version(version)) {
            let message = "this is not an API version";
            cx.problem(
                Problem::error(&APPROVAL_VERSION, "apiVersion", message)
                    .help("write a date such as `2025-09-01`, with `-preview` behind it where Azure has it"),
            );
        }
    }

    /// Without anybody named the message has to tell who asks.
    fn check_agreed(&self, cx: &mut EntryCx<'_>) {
        let Some(message) = &self.message else {
            if self.otherwise == Otherwise::Leave || self.group.is_some() || self.wait.is_some() {
                cx.problem(
                    Problem::error(&APPROVAL_NOBODY, "", "the entry does not say who may connect").help(
                        "write `from`, `endpoints` or `subscriptions`; `otherwise: reject` alone refuses everybody",
                    ),
                );
            }
            return;
        };
        let length = message.chars().count();
        if message.contains('*') {
            let text =
                "a pattern alone cannot say who may connect: everybody can write a message that matches";
            cx.problem(Problem::error(&APPROVAL_MESSAGE, "message", text).help(
                "name `endpoints` or `subscriptions` beside it, or write the whole text that was agreed on",
            ));
        } else if length < AGREED_LENGTH && !has_token(message) {
            let text = format!("the text has {length} characters, which can be guessed");
            cx.problem(
                Problem::error(&APPROVAL_MESSAGE, "message", text)
                    .help(format!("agree on a text of at least {AGREED_LENGTH} characters")),
            );
        }
        if self.at_most.is_none() {
            let text = "everybody who knows the text may connect, and there is no limit";
            cx.problem(Problem::error(&APPROVAL_AT_MOST, "message", text).help("write `atMost:`, usually 1"));
        }
    }

    fn check_message(&self, cx: &mut EntryCx<'_>) {
        let Some(message) = &self.message else { return };
        let length = message.chars().count();
        if length > LONGEST_MESSAGE {
            let text = format!("the message has {length} characters, and Azure takes {LONGEST_MESSAGE}");
            cx.problem(
                Problem::error(&APPROVAL_MESSAGE, "message", text).help("write a shorter one, or `*` in it"),
            );
        }
        if has_token(message) {
            let text = "the message is known only after apply, or is secret";
            cx.problem(
                Problem::error(&APPROVAL_MESSAGE, "message", text)
                    .help("write a text, or a parameter that is not secret"),
            );
        }
    }
}

/// Whether a reference names something at all.
fn is_resource(reference: &Reference) -> bool {
    reference.path().is_some()
        || reference
            .literal_id()
            .is_some_and(|id| id.subscription().is_some() && id.as_str().contains("/providers/"))
}
