//! Which of Azure's codes asks for which reaction.
//!
//! [`CODES`] is the whole knowledge: a code that deserves another reaction is one line there. Codes that many
//! providers use for many things ([`Reaction::Wrapper`]) only count when nothing inside them is known, and then
//! their message decides.

use super::envelope::Envelope;
use super::error::without_query;
use super::error::{Denial, ErrorKind};
use super::transport::path_and_query;

/// What is known about a failed response or operation.
pub(super) struct Evidence<'a> {
    /// The HTTP status, if the failure is a response.
    pub status: Option<u16>,
    /// The URL or id concerned.
    pub url: &'a str,
    /// The body, read.
    pub envelope: &'a Envelope,
    /// Whether the response says when to come back.
    pub retry_after: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reaction {
    Transient,
    Throttled,
    Propagating,
    Busy,
    Conflict,
    Denied(Denial),
    Unregistered,
    Invalid,
    Gone,
    Authentication,
    Cancelled,
    /// Says nothing by itself.
    Wrapper,
}

use Reaction::{
    Authentication, Busy, Cancelled, Conflict, Denied, Gone, Invalid, Propagating, Throttled, Transient,
    Unregistered, Wrapper,
};

/// Codes by reaction; compared in any case.
const CODES: &[(Reaction, &[&str])] = &[
    (
        Wrapper,
        &[
            "BadRequest",
            "Conflict",
            "ConflictError",
            "DeploymentFailed",
            "Failed",
            "Forbidden",
            "InternalError",
            "InvalidTemplateDeployment",
            "MultipleErrorsOccurred",
            "OperationFailed",
            "OperationNotAllowed",
            "PreflightValidationCheckFailed",
            "ResourceDeploymentFailure",
            "ResourceOperationFailure",
            "ResourceValidationFailed",
        ],
    ),
    (
        Authentication,
        &[
            "AuthenticationFailed",
            "AuthenticationFailedInvalidHeader",
            "AuthenticationFailedMissingToken",
            "ExpiredAuthenticationToken",
            "InvalidAuthenticationToken",
            "InvalidAuthenticationTokenAudience",
            "InvalidAuthenticationTokenTenant",
        ],
    ),
    (
        Denied(Denial::Rbac),
        &[
            "AccessDenied",
            "AuthorizationFailed",
            "ForbiddenByRbac",
            "LinkedAccessCheckFailed",
            "LinkedAuthorizationFailed",
        ],
    ),
    (Denied(Denial::Policy), &["RequestDisallowedByAzure", "RequestDisallowedByPolicy"]),
    (Denied(Denial::DenyAssignment), &["DenyAssignmentAuthorizationFailed"]),
    (Denied(Denial::Lock), &["ScopeLocked"]),
    (
        Denied(Denial::Other),
        &[
            "DisabledSubscription",
            "ForbiddenByConnection",
            "ForbiddenByFirewall",
            "MethodNotAllowed",
            "ReadOnlyDisabledSubscription",
            "SubscriptionNotFound",
        ],
    ),
    (Unregistered, &["MissingSubscriptionRegistration", "SubscriptionNotRegistered"]),
    (
        Gone,
        &[
            "NotFound",
            "ParentResourceNotFound",
            "ResourceGroupNotFound",
            "ResourceNotFound",
            "SecretNotFound",
        ],
    ),
    (Throttled, &["RateLimiting", "SubscriptionRequestsThrottled", "Throttled", "TooManyRequests"]),
    (
        Transient,
        &[
            "ExtensionOperationFailed",
            "GatewayTimeout",
            "HelmInstallationFailed",
            "InternalServerError",
            "ServerTimeout",
            "ServiceUnavailable",
        ],
    ),
    (Propagating, &["FailedIdentityOperation", "LinkedInvalidPropertyId", "PrincipalNotFound"]),
    (
        Busy,
        &[
            "AnotherOperationInProgress",
            "CanceledAndSupersededDueToAnotherOperation",
            "CannotDeleteLoadBalancerWithPrivateLinkService",
            "CannotDeleteResource",
            "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            "ContainerBeingDeleted",
            "DatabaseIsBusy",
            "DeploymentActive",
            "EtagMismatch",
            "InUseNatGatewayCannotBeDeleted",
            "InUseNetworkSecurityGroupCannotBeDeleted",
            "InUseRouteTableCannotBeDeleted",
            "InUseSubnetCannotBeDeleted",
            "NicInUse",
            "ObjectIsBeingDeleted",
            "ObjectIsBeingRecovered",
            "OperationInProgress",
            "PublicIPAddressCannotBeDeleted",
            "QueueBeingDeleted",
            "ReferencedResourceNotProvisioned",
            "ResourceGroupBeingDeleted",
            "RetryableError",
            "RetryableErrorDueToAnotherOperation",
            "ShareBeingDeleted",
            "StorageAccountOperationInProgress",
            "VirtualNetworkNotInSucceededState",
        ],
    ),
    (
        Conflict,
        &[
            "ConditionNotMet",
            "InUsePrefixCannotBeDeleted",
            "InvalidResourceGroupLocation",
            "InvalidResourceLocation",
            "ObjectIsDeletedButRecoverable",
            "PreconditionFailed",
            "PrivateEndpointCannotBeUpdatedInDisconnectedState",
            "PropertyChangeNotAllowed",
            "RoleAssignmentExists",
            "RoleAssignmentUpdateNotPermitted",
            "RoleDefinitionHasAssignments",
            "RoleDefinitionWithSameNameExists",
            "SoftDeletedVaultDoesNotExist",
            "StorageAccountAlreadyExists",
        ],
    ),
    (Cancelled, &["Canceled", "Cancelled", "OperationCanceled", "OperationPreempted"]),
    (
        Invalid,
        &[
            "AKSCapacityHeavyUsage",
            "AllocationFailed",
            "AlreadyInUse",
            "DenyPublicEndpointEnabled",
            "DnsRecordInUse",
            "InsufficientSubnetSize",
            "InvalidApiVersionParameter",
            "InvalidCIDRNotation",
            "InvalidParameter",
            "InvalidPolicyParameters",
            "InvalidRequestContent",
            "InvalidRequestFormat",
            "InvalidRequestPropertyValue",
            "InvalidResourceName",
            "InvalidResourceNamespace",
            "InvalidResourceReference",
            "InvalidResourceType",
            "InvalidTemplate",
            "LocationNotAvailableForResourceGroup",
            "LocationNotAvailableForResourceType",
            "ManagedClusterCountExceedsQuotaLimit",
            "MissingApiVersionParameter",
            "MissingPolicyParameter",
            "NameAlreadyExists",
            "NetcfgInvalidIPAddressPrefix",
            "NetcfgInvalidSubnet",
            "NetcfgSubnetRangesOverlap",
            "NoRegisteredProviderFound",
            "NotAllAgentPoolOrchestratorVersionSpecifiedAndUnchanged",
            "PolicyDefinitionNotFound",
            "PolicyParameterValueNotAllowed",
            "PolicySetDefinitionNotFound",
            "PrivateEndpointCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled",
            "QuotaExceeded",
            "ResourceQuotaExceeded",
            "RoleAssignmentLimitExceeded",
            "RoleDefinitionDoesNotExist",
            "SecurityRuleConflict",
            "SkuNotAvailable",
            "StorageAccountAlreadyTaken",
            "UndefinedPolicyParameter",
            "UnmatchedPrincipalType",
            "VaultAlreadyExists",
            "VirtualNetworkNotValid",
            "ZonalAllocationFailed",
        ],
    ),
];

/// Words in a message that tell what a code that says little means. The first that applies wins.
///
/// Each row: the codes it concerns (none: any wrapper), what the message must contain, the reaction.
const MESSAGES: &[(&[&str], &str, Reaction)] = &[
    (&["Conflict", "ConflictError"], "deleted state", Conflict),
    (&["ConflictError"], "changed from the point the operation began", Busy),
    (&["Conflict"], "already used", Conflict),
    (&["Conflict"], "being used", Conflict),
    (&[], "cannot create more than one private dns zone group", Conflict),
    (&[], "another operation", Busy),
    (&[], "in progress", Busy),
    (&[], "not in succeeded state", Busy),
    (&[], "not in a succeeded state", Busy),
    (&[], "not succeeded", Busy),
    (&[], "concurrent", Busy),
    (&["Conflict", "ConflictError", "OperationNotAllowed"], " being ", Busy),
    (&[], "quota", Invalid),
    (&[], "invalid private link service id", Transient),
];

/// Decides how to react to a failure.
pub(super) fn classify(evidence: &Evidence<'_>) -> ErrorKind {
    let reaction = by_code(evidence)
        .or_else(|| by_message(evidence))
        .unwrap_or_else(|| by_status(evidence.status.unwrap_or(400)));
    match reaction {
        Transient => ErrorKind::Transient,
        Throttled => ErrorKind::Throttled,
        Propagating => ErrorKind::Propagating,
        Busy => ErrorKind::Busy,
        Conflict => ErrorKind::Conflict,
        Denied(denial) => ErrorKind::Denied(denial),
        Unregistered => ErrorKind::Unregistered { namespace: namespace(evidence) },
        Invalid | Wrapper => ErrorKind::Invalid,
        Gone => ErrorKind::Gone,
        Authentication => ErrorKind::AuthenticationFailed,
        Cancelled => ErrorKind::Cancelled,
    }
}

fn by_code(evidence: &Evidence<'_>) -> Option<Reaction> {
    let codes = codes(evidence.envelope);
    let known = codes.filter_map(lookup).find(|reaction| *reaction != Wrapper)?;
    Some(match (known, evidence.status) {
        // The network cancels an operation that a later one replaces.
        (Cancelled, _) if in_namespace(evidence.url, "Microsoft.Network") => Busy,
        // A provider's "not found" is about what the request names, unless it answers for the address itself.
        (Gone, Some(400)) => Invalid,
        (known, _) => known,
    })
}

fn by_message(evidence: &Evidence<'_>) -> Option<Reaction> {
    // A provider that is out of breath and says when to come back.
    if evidence.status == Some(429) && (evidence.retry_after || evidence.envelope.is_empty()) {
        return Some(Throttled);
    }
    let envelope = evidence.envelope;
    let wrapper = |code: &&str| lookup(code) == Some(Wrapper);
    if !codes(envelope).any(|code| wrapper(&code)) {
        return None;
    }
    let mut words = envelope.message.clone().unwrap_or_default();
    for detail in &envelope.details {
        words.push('\n');
        words.push_str(&detail.message);
    }
    words.make_ascii_lowercase();
    MESSAGES
        .iter()
        .find(|(concerned, phrase, _)| {
            let concerns = |code: &str| concerned.iter().any(|c| c.eq_ignore_ascii_case(code));
            words.contains(phrase) && (concerned.is_empty() || codes(envelope).any(concerns))
        })
        .map(|(_, _, reaction)| *reaction)
}

const fn by_status(status: u16) -> Reaction {
    match status {
        401 => Authentication,
        403 => Denied(Denial::Other),
        404 | 410 => Gone,
        408 => Transient,
        409 | 412 => Conflict,
        423 => Busy,
        429 => Throttled,
        500..=599 => Transient,
        _ => Invalid,
    }
}

fn codes(envelope: &Envelope) -> impl Iterator<Item = &str> {
    envelope.code.as_deref().into_iter().chain(envelope.details.iter().filter_map(|d| d.code.as_deref()))
}

fn lookup(code: &str) -> Option<Reaction> {
    CODES
        .iter()
        .find(|(_, codes)| codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
        .map(|(reaction, _)| *reaction)
}

fn in_namespace(url: &str, namespace: &str) -> bool {
    provider(url).is_some_and(|p| p.eq_ignore_ascii_case(namespace))
}

/// The namespace after the last `/providers/`.
fn provider(url: &str) -> Option<&str> {
    const MARK: &str = "/providers/";
    let path = without_query(path_and_query(url));
    let at = path.to_ascii_lowercase().rfind(MARK)? + MARK.len();
    path[at..].split('/').next().filter(|p| !p.is_empty())
}

/// The namespace that has to be registered: as target, quoted in a message, or else that of the address.
fn namespace(evidence: &Evidence<'_>) -> String {
    let envelope = evidence.envelope;
    let looks = |text: &&str| {
        text.contains('.')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
            && !text.ends_with('.')
    };
    let targets = envelope.target.iter().chain(envelope.details.iter().filter_map(|d| d.target.as_ref()));
    let messages = envelope.message.iter().chain(envelope.details.iter().map(|d| &d.message));
    targets
        .map(String::as_str)
        .find(looks)
        .or_else(|| messages.flat_map(|m| m.split(['\'', '"']).skip(1).step_by(2)).find(looks))
        .or_else(|| provider(evidence.url))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind as K;

    fn kind(status: u16, body: &str) -> ErrorKind {
        classify(&Evidence {
            status: Some(status),
            url: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c",
            envelope: &Envelope::parse(body.as_bytes()),
            retry_after: false,
        })
    }

    fn error(code: &str, message: &str) -> String {
        serde_json::json!({"error": {"code": code, "message": message}}).to_string()
    }

    #[test]
    fn no_code_has_two_reactions() {
        let mut all: Vec<String> =
            CODES.iter().flat_map(|(_, codes)| codes.iter().map(|c| c.to_ascii_lowercase())).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn codes_and_messages_decide() {
        let table: &[(u16, &str, &str, ErrorKind)] = &[
            (403, "AuthorizationFailed", "", K::Denied(Denial::Rbac)),
            (403, "requestdisallowedbypolicy", "", K::Denied(Denial::Policy)),
            (400, "LinkedAccessCheckFailed", "", K::Denied(Denial::Rbac)),
            (403, "DenyAssignmentAuthorizationFailed", "", K::Denied(Denial::DenyAssignment)),
            (409, "ScopeLocked", "", K::Denied(Denial::Lock)),
            (403, "Unheard", "", K::Denied(Denial::Other)),
            (404, "ResourceNotFound", "", K::Gone),
            (404, "SubscriptionNotFound", "", K::Denied(Denial::Other)),
            (404, "InvalidResourceType", "", K::Invalid),
            (400, "PrincipalNotFound", "", K::Propagating),
            (409, "RoleAssignmentExists", "", K::Conflict),
            (412, "PreconditionFailed", "", K::Conflict),
            (412, "EtagMismatch", "", K::Busy),
            (429, "TooManyRequests", "", K::Throttled),
            (429, "RetryableError", "", K::Busy),
            (429, "Unheard", "", K::Throttled),
            (409, "AnotherOperationInProgress", "", K::Busy),
            (409, "OperationNotAllowed", "Another operation (Updating) is in progress", K::Busy),
            (409, "OperationNotAllowed", "exceeding approved Total Regional Cores quota", K::Invalid),
            (409, "Conflict", "Cannot modify this site because another operation is in progress", K::Busy),
            (409, "Conflict", "The object is being deleted", K::Busy),
            (409, "Conflict", "Data sink 'x' is already used in 'y'", K::Conflict),
            (409, "ConflictError", "A vault with the same name already exists in deleted state", K::Conflict),
            (409, "ConflictError", "The vault has changed from the point the operation began", K::Busy),
            (400, "BadRequest", "The property 'x' is wrong", K::Invalid),
            (400, "BadRequest", "Profile is not Succeeded", K::Busy),
            (500, "InternalServerError", "", K::Transient),
            (503, "", "", K::Transient),
            (401, "ExpiredAuthenticationToken", "", K::AuthenticationFailed),
            (400, "QuotaExceeded", "", K::Invalid),
            (200, "Canceled", "", K::Cancelled),
        ];
        for (status, code, message, expected) in table {
            assert_eq!(kind(*status, &error(code, message)), *expected, "{status} {code} {message}");
        }
    }

    #[test]
    fn wrappers_are_opened() {
        let inner = r#"{\"error\":{\"code\":\"QuotaExceeded\",\"message\":\"n\"}}"#;
        let deployment = format!(
            r#"{{"error":{{"code":"DeploymentFailed","message":"m","details":[{{"code":"Conflict","message":"{inner}"}}]}}}}"#
        );
        assert_eq!(kind(409, &deployment), K::Invalid);
        let preflight = r#"{"error":{"code":"ResourceValidationFailed","message":"m","details":[{"code":"PreflightValidationCheckFailed","details":[{"code":"StorageAccountAlreadyTaken","message":"taken"}]}]}}"#;
        assert_eq!(kind(400, preflight), K::Invalid);
        let forbidden = r#"{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByFirewall"}}}"#;
        assert_eq!(kind(403, forbidden), K::Denied(Denial::Other));
    }

    #[test]
    fn unregistered_names_the_namespace() {
        for (body, expected) in [
            (
                error("MissingSubscriptionRegistration", "not registered to use namespace 'Microsoft.Flux'. See x."),
                "Microsoft.Flux",
            ),
            (
                r#"{"error":{"code":"MissingSubscriptionRegistration","details":[{"code":"MissingSubscriptionRegistration","target":"Microsoft.Cdn","message":"x"}]}}"#.to_owned(),
                "Microsoft.Cdn",
            ),
            (error("SubscriptionNotRegistered", "no"), "Microsoft.ContainerService"),
        ] {
            assert_eq!(kind(409, &body), K::Unregistered { namespace: expected.into() });
        }
    }

    #[test]
    fn throttling_is_told_by_retry_after_when_the_code_is_vague() {
        let envelope = Envelope::parse(error("OperationNotAllowed", "slow down").as_bytes());
        let mut evidence = Evidence { status: Some(429), url: "/", envelope: &envelope, retry_after: true };
        assert_eq!(classify(&evidence), K::Throttled);
        evidence.status = Some(400);
        assert_eq!(classify(&evidence), K::Invalid);
    }

    #[test]
    fn networks_cancel_what_is_superseded() {
        let envelope = Envelope::parse(error("Canceled", "superseded").as_bytes());
        let url = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v";
        assert_eq!(
            classify(&Evidence { status: None, url, envelope: &envelope, retry_after: false }),
            K::Busy
        );
    }
}
