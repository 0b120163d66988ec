//! Everything the simulator knows, and the steps that every type takes.

use super::call::{Call, not_found};
use super::clock::Now;
use super::error::Failure;
use super::faults::Faults;
use super::history::{GraphBudget, History};
use super::json::{Object, set, text};
use super::operation::{Act, Operation, Progress, Running};
use super::options::{CALLER_OBJECT_ID, HistoryDelay, Options, Throttling};
use super::path::{Query, decode, group_of};
use super::store::{Resource, Store};
use crate::host::Timestamp;
use crate::host::transport::{Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many items a list shows at once. Providers differ, and few say: what matters is that lists do come in pages.
const PAGE: usize = 250;

/// What happened so far, in this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests by method.
    pub requests: BTreeMap<String, u64>,
    /// Creations that were accepted, by lower-cased resource id.
    pub creates: BTreeMap<String, u64>,
    /// Updates that were accepted, by lower-cased resource id.
    pub updates: BTreeMap<String, u64>,
    /// Deletions that were accepted, by lower-cased resource id.
    pub deletes: BTreeMap<String, u64>,
    /// Requests answered with 429.
    pub throttled: u64,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A group.
    Group,
    /// An application or a managed identity.
    ServicePrincipal,
}

impl PrincipalKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            PrincipalKind::User => "User",
            PrincipalKind::Group => "Group",
            PrincipalKind::ServicePrincipal => "ServicePrincipal",
        }
    }
}

/// A principal of the directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) kind: PrincipalKind,
    /// From when on every replica of the directory knows it.
    pub(crate) known_from: Timestamp,
}

/// How a provider or a preview feature is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Registration {
    /// On its way since then, done at that time.
    Registering(Timestamp),
    Registered,
    Unregistered,
}

/// What a subscription has of its own, besides its resources, which are kept by their ids.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) providers: BTreeMap<String, Registration>,
    #[serde(default)]
    pub(crate) features: BTreeMap<String, Registration>,
}

/// What is remembered from one process to the next.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// The subscription that a request is on: the simulator's own, or while it is answered one of `others`.
    pub(crate) subscription: String,
    pub(crate) tenant: String,
    /// Further subscriptions of the tenant, by lower-cased id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) others: BTreeMap<String, Subscription>,
    pub(crate) resources: Store,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) providers: BTreeMap<String, Registration>,
    pub(crate) features: BTreeMap<String, Registration>,
    pub(crate) principals: BTreeMap<String, Principal>,
    /// Soft-deleted vaults by lower-cased name.
    pub(crate) deleted_vaults: BTreeMap<String, Object>,
    /// How often each id was created.
    pub(crate) generations: BTreeMap<String, u32>,
    pub(crate) serial: u64,
    /// The writes that Azure remembers.
    #[serde(default)]
    pub(crate) history: History,
}

/// The port to the resource types: the steps at which the state asks a type what it does about it.
///
/// The core implements none and names none; whoever makes a [`World`] brings them.
pub(crate) trait Providers: Sync + std::fmt::Debug {
    /// The body composed of the resource and its children; `None` when the body stands as it is.
    fn view(&self, world: &World, resource: &Resource) -> Option<Value>;

    /// How long an operation on a resource of this type takes, as observed on Azure.
    fn duration(&self, kind: &str, act: Act, body: &Object) -> Duration;

    /// Ends an operation as its target's type does.
    fn complete(&self, world: &mut World, operation: &Operation);

    /// A resource is about to go, and everything below it still exists.
    fn leaving(&self, world: &mut World, key: &str);

    /// A resource is gone.
    fn removed(&self, world: &mut World, resource: &Resource);
}

/// The state and what goes with it in this process.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) providers: &'static dyn Providers,
    pub(crate) now: Now,
    /// The operations that run.
    pub(crate) running: Running,
    pub(crate) counters: Counters,
    pub(crate) faults: Faults,
    /// What reads of a key answer until an instant, whatever is there.
    pub(crate) stale: BTreeMap<String, (Timestamp, Response)>,
    pub(crate) buckets: Buckets,
    /// Keys of the management locks.
    pub(crate) locks: BTreeSet<String>,
    /// Whether the state differs from what was last written.
    pub(crate) dirty: bool,
    /// When the past shows.
    pub(crate) history_delay: HistoryDelay,
    /// What is left of Resource Graph's budget.
    pub(crate) graph: GraphBudget,
    /// Whether the caller is a Reader, who may write nothing.
    pub(crate) read_only: bool,
    /// See [`Options::cores`].
    pub(crate) cores: u64,
}

impl State {
    /// Turns to another subscription of the tenant, if the path is one's; answers the id of the one before.
    ///
    /// Whoever turns turns back: every type reads and writes the subscription that a request is on.
    pub(crate) fn enter(&mut self, path: &str) -> Option<String> {
        let id = path.strip_prefix("/subscriptions/")?.split('/').next()?.to_ascii_lowercase();
        let other = self.others.remove(&id)?;
        let before = std::mem::replace(&mut self.subscription, other.id);
        let providers = std::mem::replace(&mut self.providers, other.providers);
        let features = std::mem::replace(&mut self.features, other.features);
        let left = Subscription { id: before.clone(), providers, features };
        self.others.insert(before.to_ascii_lowercase(), left);
        Some(before)
    }

    /// Turns back to what [`State::enter`] answered.
    pub(crate) fn leave(&mut self, before: Option<String>) {
        if let Some(id) = before {
            self.enter(&format!("/subscriptions/{id}"));
        }
    }

    /// Whether an id is in a subscription of the tenant.
    pub(crate) fn is_ours(&self, id: &str) -> bool {
        let own =
            id.get("/subscriptions/".len()..).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        own.eq_ignore_ascii_case(&self.subscription) || self.others.contains_key(&own.to_ascii_lowercase())
    }

    pub(crate) fn fresh(options: &Options) -> Self {
        let registered =
            options.registered.iter().map(|n| (n.to_ascii_lowercase(), Registration::Registered));
        let caller = Principal { kind: PrincipalKind::ServicePrincipal, known_from: Timestamp(0) };
        State {
            subscription: options.subscription.clone(),
            tenant: options.tenant.clone(),
            others: BTreeMap::new(),
            resources: Store::default(),
            operations: BTreeMap::new(),
            providers: registered.collect(),
            features: BTreeMap::new(),
            principals: BTreeMap::from([(CALLER_OBJECT_ID.to_owned(), caller)]),
            deleted_vaults: BTreeMap::new(),
            generations: BTreeMap::new(),
            serial: 0,
            history: History::default(),
        }
    }
}

impl World {
    pub(crate) fn new(state: State, now: Now, options: &Options, providers: &'static dyn Providers) -> Self {
        let running = state.operations.values().filter(|o| o.progress == Progress::Running).collect();
        let is_lock = |r: &Resource| r.kind == "microsoft.authorization/locks";
        let locks = state.resources.iter().filter(|(_, r)| is_lock(r)).map(|(k, _)| k.to_owned()).collect();
        World {
            state,
            providers,
            now,
            running,
            counters: Counters::default(),
            faults: Faults::default(),
            stale: BTreeMap::new(),
            buckets: Buckets::new(options.throttling),
            locks,
            dirty: false,
            history_delay: options.history,
            graph: Default::default(),
            read_only: false,
            cores: options.cores,
        }
    }

    /// Whether requests are counted against limits.
    pub(crate) const fn throttling(&self) -> Throttling {
        self.buckets.throttling
    }

    /// The next number in a row.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.state.serial += 1;
        self.state.serial
    }

    /// A GUID that follows from an id, a purpose and how often the id was created.
    pub(crate) fn uuid(&self, key: &str, purpose: &str) -> String {
        let generation = self.state.generations.get(key).copied().unwrap_or_default();
        let name = format!("{key}|{purpose}|{generation}");
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }

    /// The first hexadecimal digits of such a GUID.
    pub(crate) fn token(&self, key: &str, purpose: &str) -> String {
        self.uuid(key, purpose)[..8].to_owned()
    }

    /// A new weak entity tag.
    pub(crate) fn etag(&mut self, key: &str) -> String {
        let serial = self.next_serial();
        format!("W/\"{}\"", self.uuid(key, &format!("etag {serial}")))
    }

    /// The time now, as ARM writes it.
    pub(crate) fn time(&self) -> String {
        self.now.now().to_string()
    }

    /// The resource, or the usual 404.
    pub(crate) fn need(&self, call: &Call<'_>) -> Result<&Resource, Failure> {
        self.state.resources.get(&call.path.key).ok_or_else(|| not_found(&call.path.id))
    }

    /// Whether an id names something here: the subscription, a group or a resource.
    pub(crate) fn exists(&self, key: &str) -> bool {
        key.is_empty()
            || key.matches('/').count() == 2 && self.state.is_ours(key)
            || self.state.resources.contains(key)
    }

    /// Stores a resource that did not exist, and counts it.
    pub(crate) fn create(&mut self, resource: Resource) {
        let key = resource.key();
        *self.counters.creates.entry(key).or_default() += 1;
        self.state.resources.insert(resource);
    }

    /// The generation an id is about to enter; to be called before anything is derived from it.
    pub(crate) fn enter_generation(&mut self, key: &str) {
        *self.state.generations.entry(key.to_owned()).or_default() += 1;
    }

    /// Counts an update.
    pub(crate) fn updated(&mut self, key: &str) {
        *self.counters.updates.entry(key.to_owned()).or_default() += 1;
    }

    /// Counts a deletion.
    pub(crate) fn deleted(&mut self, key: &str) {
        *self.counters.deletes.entry(key.to_owned()).or_default() += 1;
    }

    /// Removes a resource and everything below it, telling each type that it is gone.
    pub(crate) fn remove_tree(&mut self, key: &str) {
        let mut keys: Vec<String> = self.state.resources.below(key).map(|(k, _)| k.to_owned()).collect();
        keys.reverse();
        keys.push(key.to_owned());
        for key in &keys {
            self.providers.leaving(self, key);
        }
        for key in keys {
            if let Some(resource) = self.state.resources.remove(&key) {
                self.providers.removed(self, &resource);
            }
        }
    }

    /// Sets `properties.provisioningState` and, where the body has one, a new entity tag.
    pub(crate) fn settle(&mut self, key: &str, state: &str) {
        let weak = self.etag(key);
        let quoted = weak.trim_start_matches("W/");
        let plain = quoted.trim_matches('"');
        let Some(resource) = self.state.resources.edit(key) else { return };
        set(&mut resource.body, "properties.provisioningState", state);
        // Each provider has its own way of writing the tag, and its own place for it.
        for path in ["etag", "eTag", "properties.eTag"] {
            let renewed = match text(&resource.body, path) {
                Some(old) if old.starts_with("W/") => weak.as_str(),
                Some(old) if old.starts_with('"') => quoted,
                Some(_) => plain,
                None => continue,
            };
            set(&mut resource.body, path, renewed);
        }
    }

    /// The body of a resource as `GET` answers it.
    pub(crate) fn show(&mut self, key: &str) -> Option<Bytes> {
        if let Some(bytes) = &self.state.resources.get(key)?.rendered {
            return Some(bytes.clone());
        }
        let resource = self.state.resources.get(key)?;
        let Some(view) = self.providers.view(self, resource) else { return Some(resource.body.text()) };
        let bytes = Bytes::from(serde_json::to_vec(&view).unwrap_or_default());
        self.state.resources.cached(key)?.rendered = Some(bytes.clone());
        Some(bytes)
    }

    /// The same as a tree.
    pub(crate) fn show_value(&self, key: &str) -> Option<Value> {
        let resource = self.state.resources.get(key)?;
        Some(self.providers.view(self, resource).unwrap_or_else(|| Value::Object(resource.body.members())))
    }

    /// An answer that carries the resource.
    pub(crate) fn answer(&mut self, status: u16, key: &str) -> Response {
        Response::new(status, self.show(key).unwrap_or_default())
    }

    /// A page of a collection: [`PAGE`] items, or as many as `$top` asks for if that is less, and where it goes on.
    ///
    /// `behind` gives the keys of the collection behind one of them, in their order, and at least as many as it is asked
    /// for: a page costs no walk over those before it.
    pub(crate) fn answer_page(
        &mut self,
        origin: &str,
        request: &Request,
        behind: impl FnOnce(&Self, &str, usize) -> Vec<String>,
    ) -> Response {
        let (path, query) =
            request.path_and_query().split_once('?').unwrap_or((request.path_and_query(), ""));
        let query = Query(query);
        let size = query.get("$top").and_then(|text| text.parse::<usize>().ok());
        let size = size.map_or(PAGE, |top| top.clamp(1, PAGE));
        // One more than is shown tells whether there is a next page.
        let keys = behind(self, &last_shown(&query).unwrap_or_default(), size + 1);
        let mut body = Vec::from(&b"{\"value\":["[..]);
        let mut first = true;
        for key in keys.iter().take(size) {
            let Some(item) = self.show(key) else { continue };
            if !std::mem::take(&mut first) {
                body.push(b',');
            }
            body.extend_from_slice(&item);
        }
        body.push(b']');
        if keys.len() > size {
            let kept = query.0.split('&').filter(|pair| {
                let name = decode(pair.split('=').next().unwrap_or_default());
                !name.eq_ignore_ascii_case("$skiptoken")
            });
            let kept: Vec<&str> = kept.collect();
            let token = URL_SAFE_NO_PAD.encode(&keys[size - 1]);
            let next = format!("{origin}{path}?{}&%24skiptoken={token}", kept.join("&"));
            body.extend_from_slice(format!(",\"nextLink\":{}", Value::String(next)).as_bytes());
        }
        body.push(b'}');
        Response::new(200, body)
    }

    /// Makes a principal that the directory will know everywhere only after a while.
    pub(crate) fn add_principal(&mut self, id: &str, kind: PrincipalKind, known_from: Timestamp) {
        self.state.principals.insert(id.to_ascii_lowercase(), Principal { kind, known_from });
    }

    /// The id of the resource group with the casing it was created with.
    pub(crate) fn group_id(&self, key: &str) -> Option<&str> {
        self.state.resources.get(group_of(key)?).map(|r| r.id.as_str())
    }
}

/// The key of the last item of the page before, from the token in its `nextLink`.
fn last_shown(query: &Query<'_>) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(query.get("$skiptoken")?.as_bytes()).ok()?).ok()
}

/// The token buckets of a subscription.
#[derive(Debug)]
pub(crate) struct Buckets {
    throttling: Throttling,
    levels: [(f64, Timestamp); 3],
}

/// Header name, size and refill per second of each bucket.
const BUCKETS: [(&str, f64, f64); 3] =
    [("reads", 250.0, 25.0), ("writes", 200.0, 10.0), ("deletes", 200.0, 10.0)];

impl Buckets {
    fn new(throttling: Throttling) -> Self {
        Buckets { throttling, levels: BUCKETS.map(|(_, size, _)| (size, Timestamp(0))) }
    }

    /// Takes one token: the name of the header and what is left, or the refusal.
    pub(crate) fn take(&mut self, bucket: usize, now: Timestamp) -> Result<(&'static str, u64), Failure> {
        let (name, size, refill) = BUCKETS[bucket];
        let (level, since) = &mut self.levels[bucket];
        *level = (*level + now.since(*since).as_secs_f64() * refill).min(size);
        *since = now;
        if *level < 1.0 && self.throttling == Throttling::Azure {
            let message =
                "Number of requests for subscription exceeded the limit. Please try again after '5' seconds.";
            return Err(Failure::new(429, "SubscriptionRequestsThrottled", message).retry_after(5));
        }
        *level = (*level - 1.0).max(0.0);
        Ok((name, (*level as u64).max(1)))
    }
}
