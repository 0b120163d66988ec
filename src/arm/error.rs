//! What went wrong with a request or an operation, typed by how the caller should react.

use super::advice;
use super::transport::{Method, path_and_query};
use super::violation::Violation;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// How a caller reacts to a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service stumbled; the same request may work later. Already retried here.
    Transient,
    /// Too many requests, and waiting as told was not enough.
    Throttled,
    /// Something just created is not visible everywhere yet; repeat the step for some minutes.
    Propagating,
    /// Another operation holds the resource or its parent; wait for it, then repeat the step.
    Busy,
    /// The world is not as the request assumes; read again and plan again.
    Conflict,
    /// Not allowed.
    Denied(Denial),
    /// The resource provider is not registered with the subscription.
    Unregistered {
        /// The provider namespace (`Microsoft.ContainerService`), empty when Azure did not say.
        namespace: String,
    },
    /// The request itself is wrong, or asks for what cannot be had.
    Invalid,
    /// The resource, or something it needs, does not exist.
    Gone,
    /// No token, or one that Azure does not accept.
    AuthenticationFailed,
    /// The operation was cancelled.
    Cancelled,
    /// The operation had not ended when the time was up.
    TimedOut,
    /// No response came back.
    Connection,
    /// The response is not what ARM's contract allows.
    Protocol,
}

impl ErrorKind {
    /// The kind as one lower-case word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            ErrorKind::Transient => "transient",
            ErrorKind::Throttled => "throttled",
            ErrorKind::Propagating => "propagating",
            ErrorKind::Busy => "busy",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Denied(_) => "denied",
            ErrorKind::Unregistered { .. } => "unregistered",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Gone => "gone",
            ErrorKind::AuthenticationFailed => "authentication-failed",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::TimedOut => "timed-out",
            ErrorKind::Connection => "connection",
            ErrorKind::Protocol => "protocol",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What denied a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// A policy with the effect deny.
    Policy,
    /// A missing role.
    Rbac,
    /// A management lock.
    Lock,
    /// A deny assignment, such as the one on a locked node resource group.
    DenyAssignment,
    /// Something else: a disabled subscription, a firewall, purge protection.
    Other,
}

/// One of the inner errors that Azure lists under `details`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// Azure's code.
    pub code: Option<String>,
    /// Azure's words.
    pub message: String,
    /// The property or resource concerned.
    pub target: Option<String>,
}

/// Everything that is known about a failure.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was attempted.
    pub method: Method,
    /// On what: the URL without its query.
    pub url: String,
    /// The HTTP status; `None` when no response came back.
    pub status: Option<u16>,
    /// How to react.
    pub kind: ErrorKind,
    /// Azure's outermost code.
    pub code: Option<String>,
    /// Azure's message, or ours when Azure sent none.
    pub message: String,
    /// The property or resource concerned.
    pub target: Option<String>,
    /// Inner errors, outermost first.
    pub details: Vec<Detail>,
    /// The policies that denied the request.
    pub policies: Vec<Violation>,
    /// How long Azure asks to wait.
    pub retry_after: Option<Duration>,
    /// The provider's id of the request, for support.
    pub request_id: Option<String>,
    /// The id that groups the calls of one run in the activity log.
    pub correlation_id: Option<String>,
    /// What to do next, where the one who failed knows better than Azure's code tells.
    pub remedy: Option<String>,
    /// How often the request was sent.
    pub attempts: u32,
    /// How long all of it took.
    pub elapsed: Duration,
}

/// A failed request or operation. Its fields are those of [`Failure`], by dereference.
#[derive(Debug, Clone)]
pub struct Error(Box<Failure>);

/// Codes of a 404 that speak of something else than the resource addressed.
const ELSEWHERE: &[&str] = &[
    "AuthorizationFailed",
    "DisallowedProvider",
    "HttpResourceNotFound",
    "InvalidApiVersionParameter",
    "InvalidAuthenticationTokenTenant",
    "InvalidResourceNamespace",
    "InvalidResourceType",
    "InvalidSubscriptionId",
    "MissingApiVersionParameter",
    "MissingSubscriptionRegistration",
    "NoRegisteredProviderFound",
    "ResourceProviderNotFound",
    "SubscriptionNotFound",
    "SubscriptionNotRegistered",
    "TenantNotFound",
    "UnsupportedApiVersion",
];

/// Whether a code is written as ARM and its providers write theirs: `ResourceNotFound`.
fn is_arm_code(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_uppercase())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/'))
}

/// The result of talking to ARM.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure that is not an answer of Azure.
    pub fn new(kind: ErrorKind, method: Method, url: &str, message: impl Into<String>) -> Self {
        Error(Box::new(Failure {
            method,
            url: without_query(url).to_owned(),
            status: None,
            kind,
            code: None,
            message: message.into(),
            target: None,
            details: Vec::new(),
            policies: Vec::new(),
            retry_after: None,
            request_id: None,
            correlation_id: None,
            remedy: None,
            attempts: 1,
            elapsed: Duration::ZERO,
        }))
    }

    /// Nobody could sign in for a request.
    pub(super) fn signing_in(method: Method, url: &str, error: &super::sign_in::IdentityError) -> Self {
        let mut failure = Error::new(ErrorKind::AuthenticationFailed, method, url, error.to_string());
        failure.remedy = Some(error.hint());
        failure
    }

    /// Whether it says that what was addressed does not exist.
    ///
    /// A 404 says so in ARM's own form, whatever its code, unless it speaks of the subscription, the provider, the type or
    /// the address. One in another form is a proxy's, a gateway's or a wrong server's, and says nothing of Azure.
    pub fn is_absence(&self) -> bool {
        matches!(self.status, Some(404 | 410))
            && self.code.as_deref().is_some_and(is_arm_code)
            && !ELSEWHERE.iter().any(|code| self.has_code(code))
            && !self.message.contains("No HTTP resource was found")
    }

    /// Whether it is an answer in ARM's form, or no answer at all came.
    pub fn is_arms(&self) -> bool {
        self.status.is_none() || self.code.as_deref().is_some_and(is_arm_code)
    }

    /// Whether any of Azure's codes, outer or inner, is `code`, in any case.
    pub fn has_code(&self, code: &str) -> bool {
        let is = |c: &Option<String>| c.as_deref().is_some_and(|c| c.eq_ignore_ascii_case(code));
        is(&self.code) || self.details.iter().any(|d| is(&d.code))
    }

    /// The next step, in the imperative, where one is likely right.
    pub fn hint(&self) -> Option<String> {
        if self.remedy.is_some() {
            return self.remedy.clone();
        }
        let text: String = match &self.kind {
            ErrorKind::Throttled => "lower --parallelism, or run again in a few minutes".into(),
            ErrorKind::Denied(Denial::Policy) => match self.policies.as_slice() {
                [] => "change the blueprint to comply with the policy, or ask for an exemption".into(),
                policies => {
                    let names: Vec<String> = policies.iter().map(|p| format!("'{}'", p.policy)).collect();
                    format!("comply with, or ask for an exemption from, the policy {}", names.join(", "))
                }
            },
            ErrorKind::Denied(Denial::Rbac) => {
                advice::missing_permission(&self.message).unwrap_or_else(|| {
                    "grant the caller a role that allows the action, at or above the scope named".into()
                })
            }
            ErrorKind::Denied(Denial::Lock) => advice::locked(&self.message),
            ErrorKind::Denied(Denial::DenyAssignment) => {
                "change the resource through the service that manages it, as a deny assignment protects it"
                    .into()
            }
            ErrorKind::Unregistered { namespace } if !namespace.is_empty() => {
                format!("register the provider: `az provider register --namespace {namespace}`")
            }
            ErrorKind::AuthenticationFailed if self.has_code("InvalidAuthenticationTokenTenant") => {
                advice::wrong_tenant(&self.message)
            }
            ErrorKind::AuthenticationFailed if self.has_code("ExpiredAuthenticationToken") => {
                "check the clock of this machine: Azure takes a token that was just given out for expired; \
                 with a token of `az`, sign in again with `az login`"
                    .into()
            }
            ErrorKind::AuthenticationFailed => "sign in again (az login), or check the credentials".into(),
            _ if self.has_code("SubscriptionNotFound") => {
                "check the subscription's id, and that the signed-in identity has a role in it; \
                 `az account list --all` shows the subscriptions that it can see"
                    .into()
            }
            ErrorKind::Connection | ErrorKind::Protocol
                if self.status.is_none() && self.message.contains("invalid peer certificate") =>
            {
                advice::certificate(&self.message).into()
            }
            ErrorKind::TimedOut => {
                "run again to go on waiting: the operation continues in Azure; or raise the entry's timeout"
                    .into()
            }
            ErrorKind::Connection => "check the network, the proxy and --endpoint, then run again".into(),
            ErrorKind::Busy => "wait until the other operation has ended, then run again".into(),
            ErrorKind::Conflict if self.status == Some(412) => {
                "plan again: the resource has changed since it was read".into()
            }
            _ if let Some(help) = advice::of_code(|code| self.has_code(code)) => help.into(),
            ErrorKind::Invalid if self.message.to_ascii_lowercase().contains("quota") => {
                "ask for more quota (portal: Quotas), or take less of it".into()
            }
            // Stumbles of Azure's own front end have no code either.
            _ if self.status.is_some_and(|status| status < 500) && !self.is_arms() => {
                advice::NOT_AZURE.into()
            }
            _ => return None,
        };
        Some(text)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == ErrorKind::AuthenticationFailed && self.status.is_none() {
            // Signing in is not what was asked for: no request was made.
            return f.write_str(&self.message);
        }
        let verb = match self.kind {
            ErrorKind::Denied(_) | ErrorKind::Invalid | ErrorKind::Unregistered { .. } => "was refused",
            ErrorKind::Cancelled => "was cancelled",
            ErrorKind::TimedOut => "did not end in time",
            _ => "failed",
        };
        write!(f, "{} {} {verb}", self.method, path_and_query(&self.url))?;
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        let message = match self.policies.as_slice() {
            [] => self.message.as_str(),
            // The same policies again, as JSON.
            _ => self.message.split(" Policy identifiers: ").next().unwrap_or_default().trim_end_matches('.'),
        };
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        for detail in &self.details {
            if !detail.message.is_empty() && !self.message.contains(&detail.message) {
                write!(f, "; {}", detail.message)?;
            }
        }
        for policy in &self.policies {
            write!(f, "; denied by {policy}")?;
        }
        if self.attempts > 1 {
            write!(f, " (after {} attempts in {} s)", self.attempts, self.elapsed.as_secs())?;
        }
        match &self.correlation_id {
            Some(id) if self.is_for_support() => write!(f, "; correlation id {id}"),
            _ => Ok(()),
        }
    }
}

impl Failure {
    /// Whether the activity log, or Azure's support, is the place to learn more: nobody said what to do otherwise.
    fn is_for_support(&self) -> bool {
        match self.kind {
            ErrorKind::Transient | ErrorKind::TimedOut | ErrorKind::Cancelled => true,
            // An operation that failed after it was accepted.
            ErrorKind::Invalid => self.status.is_none(),
            _ => false,
        }
    }
}

impl std::error::Error for Error {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error(Box::new(failure))
    }
}

impl Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Failure {
        &mut self.0
    }
}

/// A URL without its query: polling URLs carry signed tokens there.
pub(super) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_fragment_without_query() {
        let mut error = Error::new(
            ErrorKind::Denied(Denial::Policy),
            Method::Put,
            "https://management.azure.com/subscriptions/s?api-version=1&s=signed",
            "Resource 'x' was disallowed by policy. Policy identifiers: '[{}]'.",
        );
        error.status = Some(403);
        error.code = Some("RequestDisallowedByPolicy".into());
        let scope = Some("/subscriptions/s".to_owned());
        error.policies = vec![Violation { policy: "Allowed locations".into(), scope, reason: None }];
        error.attempts = 2;
        error.elapsed = Duration::from_secs(3);
        assert_eq!(
            error.to_string(),
            "PUT /subscriptions/s was refused (403 RequestDisallowedByPolicy): \
             Resource 'x' was disallowed by policy; denied by 'Allowed locations', assigned at /subscriptions/s \
             (after 2 attempts in 3 s)"
        );
        assert!(error.hint().unwrap().contains("'Allowed locations'"));
        error.correlation_id = Some("c-1".into());
        assert!(!error.to_string().contains("c-1"), "what to do is known: {error}");
        error.kind = ErrorKind::Transient;
        assert!(error.to_string().ends_with("; correlation id c-1"), "{error}");
        assert!(error.has_code("requestdisallowedbypolicy"));
    }
}
