//! Scripted faults: which requests they strike, how often, and what happens to those.

use super::error::Failure;
use super::path::{ResourcePath, last};
use crate::host::transport::{Method, Request, path_and_query};
use globset::{GlobBuilder, GlobMatcher};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The request is refused with this error and nothing is done.
    Answer {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Error message.
        message: String,
        /// The `Retry-After` header.
        retry_after: Option<Duration>,
    },
    /// The request is refused because another operation is at work, in the words of the provider.
    Busy,
    /// The request is refused because of a policy assignment of this name.
    Denied {
        /// Name of the assignment and of its definition.
        policy: String,
    },
    /// The connection breaks before anything is done.
    DropBefore,
    /// The request is carried out and the connection breaks before the answer.
    DropAfter,
    /// The operation that the request starts fails.
    FailOperation {
        /// Error code.
        code: String,
        /// Error message.
        message: String,
        /// How long it runs before it fails; to its usual end when `None`.
        after: Option<Duration>,
    },
    /// The private endpoint's connection stays `Pending` although it asked for automatic approval.
    KeepPending,
    /// The request is carried out at once and the answer keeps the client waiting.
    Stall(Duration),
    /// The request is carried out, and for so long reads of what it wrote answer what was there before.
    Stale(Duration),
}

/// A fault waiting for its requests.
#[derive(Debug, Clone)]
pub struct Fault {
    methods: Vec<Method>,
    path: Path,
    /// ARM type in lower case.
    arm_type: Option<String>,
    effect: Effect,
    /// How many of the matching requests go through first.
    skip: u32,
    /// Strikes every so many matching requests.
    every: u32,
    /// How many requests it still strikes; no end when `None`.
    times: Option<u32>,
    /// How often a resource is struck at most.
    per_resource: Option<u32>,
    /// How likely a matching request is struck, in millionths.
    millionths: u32,
    seen: u32,
    struck: HashMap<String, u32>,
}

/// Which paths are meant.
#[derive(Debug, Clone)]
enum Path {
    Any,
    /// How the path ends, in lower case.
    Ends(String),
    Glob(GlobMatcher),
}

impl Fault {
    /// A fault that strikes every request there is.
    pub fn new(effect: Effect) -> Self {
        Fault {
            methods: Vec::new(),
            path: Path::Any,
            arm_type: None,
            effect,
            skip: 0,
            every: 1,
            times: None,
            per_resource: None,
            millionths: 1_000_000,
            seen: 0,
            struck: HashMap::new(),
        }
    }

    /// A fault that strikes the next request of this method on a path that ends so, in any case of letters.
    pub fn once(method: Method, suffix: impl Into<String>, effect: Effect) -> Self {
        let path = Path::Ends(suffix.into().to_ascii_lowercase());
        Fault { methods: vec![method], path, ..Fault::new(effect) }.times(1)
    }

    /// The same fault, so many times in all.
    pub fn times(self, times: u32) -> Self {
        Fault { times: Some(times), ..self }
    }

    /// The same fault, for these methods only.
    pub fn methods(self, methods: impl Into<Vec<Method>>) -> Self {
        Fault { methods: methods.into(), ..self }
    }

    /// The same fault, for paths that match a pattern with `*` and `?`, in any case of letters; without the query.
    ///
    /// # Errors
    /// When the pattern is none.
    pub fn path(self, pattern: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(pattern).case_insensitive(true).build();
        let glob = glob.map_err(|error| error.kind().to_string())?;
        Ok(Fault { path: Path::Glob(glob.compile_matcher()), ..self })
    }

    /// The same fault, for resources of this ARM type only, and for actions on them.
    pub fn arm_type(self, arm_type: &str) -> Self {
        Fault { arm_type: Some(arm_type.to_ascii_lowercase()), ..self }
    }

    /// The same fault, after so many matching requests went through.
    pub fn skip(self, skip: u32) -> Self {
        Fault { skip, ..self }
    }

    /// The same fault, for every so many matching requests: 2 lets the first through and strikes the second.
    pub fn every(self, every: u32) -> Self {
        Fault { every: every.max(1), ..self }
    }

    /// The same fault, at most so often for one path.
    pub fn per_resource(self, times: u32) -> Self {
        Fault { per_resource: Some(times), ..self }
    }

    /// The same fault, with this probability for each matching request.
    pub fn probability(self, probability: f64) -> Self {
        // Not negative and at most a million: nothing is lost.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
        let millionths = (probability.clamp(0.0, 1.0) * 1e6).round() as u32;
        Fault { millionths, ..self }
    }

    fn matches(&self, method: Method, path: &str) -> bool {
        (self.methods.is_empty() || self.methods.contains(&method))
            && match &self.path {
                Path::Any => true,
                Path::Ends(end) => path.ends_with(end.as_str()),
                Path::Glob(glob) => glob.is_match(path),
            }
            && self.arm_type.as_ref().is_none_or(|wanted| type_of(path).is_some_and(|is| is == *wanted))
    }

    /// Whether it strikes this matching request; counts it.
    fn strikes(&mut self, path: &str, random: impl FnOnce() -> u64) -> bool {
        if self.times == Some(0) {
            return false;
        }
        self.seen += 1;
        if self.seen <= self.skip || !(self.seen - self.skip).is_multiple_of(self.every) {
            return false;
        }
        if self.millionths < 1_000_000 && random() % 1_000_000 >= u64::from(self.millionths) {
            return false;
        }
        if let Some(most) = self.per_resource {
            let struck = self.struck.entry(path.to_owned()).or_default();
            if *struck >= most {
                return false;
            }
            *struck += 1;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

/// The ARM type that a path in lower case names, of the resource for an action on one.
fn type_of(path: &str) -> Option<String> {
    let path = ResourcePath::parse(path)?;
    let mut kind = path.kind();
    if !path.is_resource()
        && path.types.len() > 1
        && let Some((above, _)) = kind.rsplit_once('/')
    {
        kind.truncate(above.len());
    }
    Some(kind)
}

/// The faults still to come, in the order they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    /// State of the generator of chances.
    chance: u64,
}

/// What faults do to one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bent {
    pub(crate) fails: Option<Failing>,
    pub(crate) keep_pending: bool,
    pub(crate) drop_after: bool,
    pub(crate) stall: Duration,
    pub(crate) stale: Option<Duration>,
}

/// How an operation fails.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) after: Option<Duration>,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn seed(&mut self, seed: u64) {
        self.chance = seed;
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The effect of the first fault that strikes this request.
    pub(crate) fn strike(&mut self, request: &Request) -> Option<Effect> {
        let path = path_and_query(&request.url);
        let path = path.split_once('?').map_or(path, |(path, _)| path).to_ascii_lowercase();
        let chance = &mut self.chance;
        let at = self.faults.iter_mut().position(|fault| {
            fault.matches(request.method, &path) && fault.strikes(&path, || next_random(chance))
        })?;
        let effect = self.faults[at].effect.clone();
        if self.faults[at].times == Some(0) {
            self.faults.remove(at);
        }
        Some(effect)
    }
}

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>): the same seed gives the same faults on every machine.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The refusal of a resource that is said to be busy: AKS answers 409 in its own envelope, the network provider 429, and
/// others 409 with ARM's code.
pub(crate) fn busy(request: &Request) -> Failure {
    let path = path_and_query(&request.url);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let lower = path.to_ascii_lowercase();
    if lower.contains("/microsoft.containerservice/") {
        let message = format!(
            "Operation is not allowed: Another operation (Updating) is in progress on the managed cluster {}. \
             Please wait for it to finish before starting a new operation. \
             See https://aka.ms/aks-pending-operation for details.",
            last(path),
        );
        return Failure::new(409, "OperationNotAllowed", message).flat().passing();
    }
    let message = "Another operation on this or dependent resource is in progress.";
    let status = if lower.contains("/microsoft.network/") { 429 } else { 409 };
    let detail = json!({"code": "RetryableErrorDueToAnotherOperation", "message": format!(
        "Operation on {path} is still running.")});
    Failure::new(status, "AnotherOperationInProgress", message).detail(detail).retry_after(10)
}

/// The refusal by a policy (<https://learn.microsoft.com/azure/governance/policy/troubleshoot/general>).
pub(crate) fn denied(request: &Request, subscription: &str, policy: &str) -> Failure {
    let path = path_and_query(&request.url);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let scope = format!("/subscriptions/{subscription}");
    let authorization = format!("{scope}/providers/Microsoft.Authorization");
    let (assignment, definition) = (
        format!("{authorization}/policyAssignments/{policy}"),
        format!("{authorization}/policyDefinitions/{policy}"),
    );
    let identifiers = json!([{
        "policyAssignment": {"name": policy, "id": assignment},
        "policyDefinition": {"name": policy, "id": definition},
    }]);
    let message =
        format!("Resource '{}' was disallowed by policy. Policy identifiers: '{identifiers}'.", last(path));
    let info = json!({"type": "PolicyViolation", "info": {
        "policyDefinitionDisplayName": policy, "policyDefinitionName": policy, "policyDefinitionId": definition,
        "policyDefinitionEffect": "deny", "policyAssignmentDisplayName": policy, "policyAssignmentName": policy,
        "policyAssignmentId": assignment, "policyAssignmentScope": scope, "policyAssignmentParameters": {},
    }});
    Failure::new(403, "RequestDisallowedByPolicy", message).target(last(path)).additional(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, path: &str) -> Request {
        Request::new(method, format!("https://h{path}?api-version=1"))
    }

    /// Which of so many of the same request are struck.
    fn struck(fault: Fault, request: &Request, count: usize) -> Vec<usize> {
        let mut faults = Faults::default();
        faults.push(fault);
        (1..=count).filter(|_| faults.strike(request).is_some()).collect()
    }

    #[test]
    fn strikes_only_what_matches_and_as_often_as_told() {
        let mut faults = Faults::default();
        faults.push(Fault::once(Method::Put, "/vaults/KV", Effect::DropBefore).times(2));
        let put = request(Method::Put, "/x/vaults/kv");
        assert_eq!(faults.strike(&request(Method::Get, "/x/vaults/kv")), None);
        assert_eq!(faults.strike(&put), Some(Effect::DropBefore));
        assert_eq!(faults.strike(&put), Some(Effect::DropBefore));
        assert_eq!(faults.strike(&put), None);
        assert!(faults.is_empty());
    }

    #[test]
    fn counts_and_chances() {
        let put = request(Method::Put, "/subscriptions/s/x");
        let all = || Fault::new(Effect::DropBefore);
        assert_eq!(struck(all(), &put, 3), [1, 2, 3]);
        assert_eq!(struck(all().times(2), &put, 4), [1, 2]);
        assert_eq!(struck(all().every(2), &put, 5), [2, 4]);
        assert_eq!(struck(all().skip(2), &put, 4), [3, 4]);
        assert_eq!(struck(all().skip(1).every(2).times(1), &put, 9), [3]);
        assert_eq!(struck(all().per_resource(1), &put, 4), [1]);
        assert_eq!(struck(all().probability(0.0), &put, 50), [0usize; 0]);
        let some = struck(all().probability(0.3), &put, 1000);
        assert!((250..350).contains(&some.len()), "{}", some.len());
        assert_eq!(some, struck(all().probability(0.3), &put, 1000), "the same seed, the same faults");
    }

    #[test]
    fn paths_and_types() {
        let cluster =
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks";
        let is = |fault: &Fault, path: &str| fault.matches(Method::Put, &path.to_ascii_lowercase());
        let typed = Fault::new(Effect::Busy).arm_type("microsoft.containerservice/managedclusters");
        assert!(is(&typed, cluster));
        assert!(is(&typed, &format!("{cluster}/stop")), "an action is on the cluster");
        assert!(!is(&typed, &format!("{cluster}/agentPools/system")));
        assert!(!is(&typed, "/subscriptions/s/resourceGroups/rg"));
        let globbed = Fault::new(Effect::Busy).path("*/MANAGEDclusters/a?s/*").unwrap();
        assert!(is(&globbed, &format!("{cluster}/agentPools/system")));
        assert!(!is(&globbed, cluster));
        assert!(Fault::new(Effect::Busy).path("[").is_err());
    }
}
