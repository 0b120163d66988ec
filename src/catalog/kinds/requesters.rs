//! Resources that connect to other people's through a private endpoint that Microsoft makes for them in a subscription of
//! its own. The endpoint's id says nothing to a target's owner, so such a request is told by its message.

use crate::catalog::SharedRequest;

/// A type, and the dotted path of the message in its body.
const REQUESTERS: &[(&str, &str)] = &[
    ("Microsoft.Cdn/profiles/originGroups/origins", "properties.sharedPrivateLinkResource.requestMessage"),
    ("Microsoft.Search/searchServices/sharedPrivateLinkResources", "properties.requestMessage"),
    ("Microsoft.SignalRService/signalR/sharedPrivateLinkResources", "properties.requestMessage"),
    ("Microsoft.SignalRService/webPubSub/sharedPrivateLinkResources", "properties.requestMessage"),
    ("Microsoft.Kusto/clusters/managedPrivateEndpoints", "properties.requestMessage"),
    ("Microsoft.Dashboard/grafana/managedPrivateEndpoints", "properties.requestMessage"),
    ("Microsoft.DatabaseWatcher/watchers/sharedPrivateLinkResources", "properties.requestMessage"),
];

/// Origins of one profile that lead to the same share an endpoint.
pub(super) const ORIGINS: SharedRequest = SharedRequest {
    within: "Microsoft.Cdn/profiles",
    by: &[
        "properties.sharedPrivateLinkResource.privateLink.id",
        "properties.sharedPrivateLinkResource.groupId",
        "properties.sharedPrivateLinkResource.privateLinkLocation",
    ],
};

/// Which resources of a type ask through one endpoint.
pub(super) fn shared_request(arm_type: &str) -> Option<SharedRequest> {
    arm_type.eq_ignore_ascii_case("Microsoft.Cdn/profiles/originGroups/origins").then_some(ORIGINS)
}

/// Where a type has its request message; `None` when it sends none.
pub(super) fn request_message(arm_type: &str) -> Option<&'static str> {
    REQUESTERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(arm_type)).map(|(_, path)| *path)
}
