//! Rounds of requests until every question is answered.

use super::children::collection;
use super::question::{self, Question};
use super::{CONNECTIONS, LISTED, WIDE, connections};
use crate::arm::{Client, Error, ErrorKind, ListEnd, Resource};
use crate::catalog::Listing;
use crate::ident::ArmId;
use crate::private_link::Connection;
use crate::state::{Observation, Observed, owner_in};
use futures::StreamExt;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// What becomes of a question next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The list of the whole subscription may show it.
    Subscription,
    /// The list of its siblings may show it.
    Collection,
    /// The body of its parent shows it.
    Parent,
    /// The connections of a target show it.
    Connection,
    /// It is asked for by itself.
    Single,
    /// It is looked for among the soft-deleted.
    Deleted,
    /// It is answered.
    Known,
}

/// A request of one round.
#[derive(Debug)]
enum Request {
    One(usize),
    Deleted(usize),
    List(List),
    Connections { target: ArmId, api_version: String, wanted: Vec<usize> },
}

/// A list and whom it may show.
#[derive(Debug)]
struct List {
    path: String,
    api_version: String,
    at_scope: bool,
    wanted: Vec<usize>,
    /// How many pages it is read for: beyond, asking singly is quicker.
    pages: usize,
}

/// What a request came to.
#[derive(Debug)]
enum Answer {
    One(usize, Option<Resource>),
    /// What Azure refused to show.
    Refused(Vec<usize>, Error),
    /// Whether it may not be purged, and what its tag says, when it is there.
    Deleted(usize, Option<(bool, Option<String>)>),
    List {
        list: List,
        found: Vec<(usize, Value)>,
        /// What stands beside them and nobody asked for.
        strangers: Vec<Value>,
        end: End,
    },
    Connections {
        wanted: Vec<usize>,
        /// `None` when the target is not there.
        connections: Option<Vec<Value>>,
    },
}

/// How a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    Cut,
    /// What it is a list of does not exist, and so nothing in it.
    Gone,
    Refused,
}

/// The state between rounds.
pub(super) struct Reader<'a> {
    client: &'a Client,
    questions: Vec<Question<'a>>,
    /// Where the question about an id stands.
    at: HashMap<&'a ArmId, usize>,
    next: Vec<Next>,
    observed: Observed,
}

impl<'a> Reader<'a> {
    pub(super) fn new(client: &'a Client, questions: Vec<Question<'a>>) -> Self {
        let at = questions.iter().enumerate().map(|(at, question)| (question.id, at)).collect();
        let next = questions.iter().map(|question| match (&question.connections, question.listing) {
            (Some(_), _) => Next::Connection,
            (None, Listing::None) => Next::Single,
            (None, Listing::Collection) => Next::Collection,
            (None, Listing::Subscription | Listing::Scope) => Next::Subscription,
            (None, Listing::Parent(_) | Listing::ParentProfiles(_)) => Next::Parent,
        });
        let (next, observed) = (next.collect(), Observed::with_capacity(questions.len()));
        Reader { client, questions, at, next, observed }
    }

    pub(super) async fn read(
        mut self,
        at_once: usize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Observed, Error> {
        let mut told = 0;
        let mut refusal = None;
        let mut pending: Vec<usize> = (0..self.questions.len()).collect();
        for round in 0.. {
            let requests = self.round(&pending, round > 0);
            let mut answers = futures::stream::iter(
                requests.into_iter().map(|request| ask(self.client, &self.questions, &self.at, request)),
            )
            .buffer_unordered(at_once);
            let (mut next, mut observed) =
                (std::mem::take(&mut self.next), std::mem::take(&mut self.observed));
            let mut sink = Sink { questions: &self.questions, next: &mut next, observed: &mut observed };
            while let Some(answer) = answers.next().await {
                let answer = answer?;
                if let Answer::Refused(_, error) = &answer {
                    refusal.get_or_insert_with(|| error.clone());
                }
                sink.take(answer);
                let done = sink.observed.len();
                if done / 64 > told / 64 || done == self.questions.len() && done > told {
                    told = done;
                    progress(done, self.questions.len());
                }
            }
            drop(answers);
            (self.next, self.observed) = (next, observed);
            pending.retain(|&at| self.next[at] != Next::Known);
            if pending.is_empty() {
                break;
            }
        }
        if self.observed.len() > told {
            progress(self.observed.len(), self.questions.len());
        }
        // A caller who may see nothing at all is told so once.
        let nothing = |seen: &Observation| matches!(seen, Observation::Unreadable { .. });
        match refusal {
            Some(error) if self.observed.values().all(nothing) => Err(error),
            _ => Ok(self.observed),
        }
    }

    /// The requests of a round. After the first, what lies below something that is not there needs none, and what
    /// lies below something that is still being asked for waits.
    fn round(&mut self, pending: &[usize], later: bool) -> Vec<Request> {
        let known = self.observed.len();
        let (mut ready, mut waiting) = (Vec::with_capacity(pending.len()), Vec::new());
        for &at in pending {
            if later && self.below_nothing(at) || self.shown_by_another(at) {
                continue;
            }
            if self.waits(at, later) {
                waiting.push(at);
            } else {
                ready.push(at);
            }
        }
        if ready.is_empty() && self.observed.len() == known {
            // They wait for each other: nothing in Azure does, but a read must end.
            for at in waiting {
                if self.questions[at].connections.is_none() {
                    self.next[at] = Next::Single;
                }
                ready.push(at);
            }
        }
        self.requests(ready)
    }

    /// The questions about what this one lies below, nearest first.
    fn above(&self, at: usize) -> impl Iterator<Item = usize> {
        self.questions[at].id.ancestors().filter_map(|id| self.at.get(&id).copied())
    }

    fn waits(&self, at: usize, later: bool) -> bool {
        let open = |id: &ArmId| self.at.get(id).is_some_and(|&at| self.next[at] != Next::Known);
        match (self.next[at], &self.questions[at].connections) {
            (_, Some(connections)) => open(&connections.target),
            (Next::Parent, None) => self.questions[at].id.parent().is_some_and(|id| open(&id)),
            (Next::Deleted, None) => false,
            _ => later && self.above(at).any(|above| self.next[above] != Next::Known),
        }
    }

    /// Notes the absence of what lies below something absent.
    fn below_nothing(&mut self, at: usize) -> bool {
        let is_absent = |id: &ArmId| matches!(self.observed.get(id), Some(Observation::Absent));
        let nothing = self.next[at] != Next::Deleted
            && self.questions[at].connections.is_none()
            && self.questions[at].id.ancestors().any(|id| is_absent(&id));
        if nothing {
            let mut sink =
                Sink { questions: &self.questions, next: &mut self.next, observed: &mut self.observed };
            sink.absent(at);
        }
        nothing && self.next[at] == Next::Known
    }

    /// Answers a question from the body of another resource, if that has been read and shows it.
    fn shown_by_another(&mut self, at: usize) -> bool {
        let question = &self.questions[at];
        let observation = match (self.next[at], &question.connections) {
            (_, Some(asked)) => match self.observed.get(&asked.target) {
                Some(Observation::Absent | Observation::SoftDeleted { .. }) => Some(Observation::Absent),
                // A body without any may be one that leaves them out: the list knows.
                Some(Observation::Present { body, .. }) => {
                    let shown = body.pointer(CONNECTIONS).and_then(Value::as_array);
                    shown.filter(|shown| !shown.is_empty()).map(|shown| on_target(asked, shown))
                }
                _ => None,
            },
            (Next::Parent, None) => {
                let Some(parent) = question.id.parent() else { return false };
                let same_version = |&at: &usize| self.questions[at].api_version == question.api_version;
                let read = self.at.get(&parent).filter(|at| same_version(at));
                match read.and_then(|_| self.observed.get(&parent)) {
                    Some(Observation::Present { body, .. }) => {
                        let is_it = |item: &Cow<'_, Value>| id_of(item).is_some_and(|id| id == *question.id);
                        let shown = |kind| question.listing.shown(kind, &parent, body).find(is_it);
                        match question.kind.and_then(shown) {
                            Some(item) => Some(present(item.into_owned())),
                            None if question.owned => None,
                            None => Some(Observation::Absent),
                        }
                    }
                    Some(Observation::Absent | Observation::SoftDeleted { .. }) => Some(Observation::Absent),
                    Some(Observation::Unreadable { .. }) | None => None,
                }
            }
            _ => None,
        };
        match observation {
            Some(observation) => {
                self.observed.insert(question.id.clone(), observation);
                self.next[at] = Next::Known;
                true
            }
            None => {
                // Its parent is not read, or does not show it.
                let parent = |id: ArmId| self.at.get(&id).copied();
                if self.next[at] == Next::Parent
                    && question.id.parent().and_then(parent).is_none_or(|at| self.next[at] == Next::Known)
                {
                    self.next[at] = Next::Collection;
                }
                false
            }
        }
    }

    /// What is sent for the questions: lists where they spare requests.
    fn requests(&mut self, ready: Vec<usize>) -> Vec<Request> {
        let mut requests = Vec::new();
        // Ordered, so that a rehearsal repeats itself exactly.
        let mut wide: BTreeMap<(String, &str), BTreeMap<String, Vec<usize>>> = BTreeMap::new();
        let mut siblings: BTreeMap<(String, &str), Vec<usize>> = BTreeMap::new();
        let mut targets: BTreeMap<(&ArmId, &str), Vec<usize>> = BTreeMap::new();
        for at in ready {
            let question = &self.questions[at];
            if let Some(asked) = &question.connections {
                targets.entry((&asked.target, &asked.api_version)).or_default().push(at);
                continue;
            }
            let version = question.api_version;
            let lower = |path: String| path.to_ascii_lowercase();
            match self.next[at] {
                Next::Subscription => {
                    let collections = wide.entry((lower(everywhere(question.id)), version)).or_default();
                    collections.entry(lower(collection(question.id))).or_default().push(at);
                }
                Next::Collection => {
                    siblings.entry((lower(collection(question.id)), version)).or_default().push(at);
                }
                Next::Deleted => requests.push(Request::Deleted(at)),
                Next::Single | Next::Parent | Next::Connection => requests.push(Request::One(at)),
                Next::Known => {}
            }
        }
        let mut next = std::mem::take(&mut self.next);
        for ((_, version), collections) in wide {
            if collections.len() >= WIDE {
                let wanted = collections.into_values().flatten().collect();
                requests.push(self.list(everywhere, version, wanted, false));
            } else {
                for (path, wanted) in collections {
                    wanted.iter().for_each(|&at| next[at] = Next::Collection);
                    siblings.entry((path, version)).or_default().extend(wanted);
                }
            }
        }
        for ((_, version), wanted) in siblings {
            if wanted.len() >= LISTED || wanted.iter().any(|&at| is_of_a_parent(&self.questions[at])) {
                let at_scope = wanted.iter().any(|&at| self.questions[at].listing == Listing::Scope);
                requests.push(self.list(collection, version, wanted, at_scope));
            } else {
                wanted.iter().for_each(|&at| next[at] = Next::Single);
                requests.extend(wanted.into_iter().map(Request::One));
            }
        }
        self.next = next;
        for ((target, version), wanted) in targets {
            let (target, api_version) = (target.clone(), version.to_owned());
            requests.push(Request::Connections { target, api_version, wanted });
        }
        requests
    }

    fn list(
        &self,
        path: fn(&ArmId) -> String,
        version: &str,
        mut wanted: Vec<usize>,
        at_scope: bool,
    ) -> Request {
        wanted.sort_unstable();
        let pages = 3 + wanted.len() / 50;
        let path = wanted.first().map(|&at| path(self.questions[at].id)).unwrap_or_default();
        Request::List(List { path, api_version: version.to_owned(), at_scope, wanted, pages })
    }
}

/// The path of the list that everything of the id's type in its subscription is on.
fn everywhere(id: &ArmId) -> String {
    match id.subscription() {
        Some(subscription) => format!("/subscriptions/{subscription}/providers/{}", id.resource_type()),
        None => collection(id),
    }
}

fn present(body: Value) -> Observation {
    let Resource { body, etag } = Resource::listed(body);
    Observation::Present { body, etag }
}

fn id_of(item: &Value) -> Option<ArmId> {
    ArmId::parse(item.get("id")?.as_str()?).ok()
}

/// The connections of a target: the list, and the status of those of the endpoint that is meant above all, as one: that
/// which most needs somebody to act.
fn on_target(asked: &question::Connections, connections: &[Value]) -> Observation {
    let urgency = |connection: &Connection| match connection.status.as_str() {
        "Pending" => 4,
        "Rejected" => 3,
        "Approved" => 1,
        "Disconnected" => 0,
        _ => 2,
    };
    let mut body = json!({ "value": connections });
    let own = Connection::all(&asked.target, connections).into_iter();
    let own = own.filter(|connection| asked.endpoint.is_some() && connection.endpoint == asked.endpoint);
    if let Some(found) = own.max_by_key(urgency) {
        body["properties"] = json!({ "privateLinkServiceConnectionState": { "status": found.status } });
    }
    Observation::Present { body, etag: None }
}

async fn ask(
    client: &Client,
    questions: &[Question<'_>],
    at: &HashMap<&ArmId, usize>,
    request: Request,
) -> Result<Answer, Error> {
    match request {
        Request::One(at) => {
            let question = &questions[at];
            match client.get(question.id.as_str(), question.api_version).await {
                Err(error) if is_refusal(&error) => Ok(Answer::Refused(vec![at], error)),
                found => Ok(Answer::One(at, found?)),
            }
        }
        Request::Deleted(at) => {
            let question = &questions[at];
            let Some(deleted) = &question.deleted else { return Ok(Answer::Deleted(at, None)) };
            // Who may not look among the deleted is told when the create fails: not here.
            let found = client.get(&deleted.path, question.api_version).await;
            let found = found.ok().flatten().filter(|found| is_of(&found.body, question.id));
            Ok(Answer::Deleted(
                at,
                found.map(|found| {
                    let tags = found.body.pointer(deleted.deletion.tags_when_deleted);
                    let owner = tags.and_then(owner_in).map(str::to_owned);
                    (deleted.deletion.keeps_deleted(&found.body), owner)
                }),
            ))
        }
        Request::List(list) => {
            let query: &[(&str, &str)] = if list.at_scope { &[("$filter", "atScope()")] } else { &[] };
            let (mut found, mut strangers) = (Vec::new(), Vec::new());
            let within = list.wanted.first().is_some_and(|&at| is_of_a_parent(&questions[at]));
            let take = |page: Vec<Value>| {
                let known = |item: &Value| at.get(&id_of(item)?).copied();
                for item in page {
                    match known(&item) {
                        Some(at) if list.wanted.binary_search(&at).is_ok() => found.push((at, item)),
                        None if within => strangers.push(item),
                        _ => {}
                    }
                }
            };
            let end = match client.pages(&list.path, &list.api_version, query, list.pages, take).await {
                Ok(ListEnd::Complete) => End::Complete,
                Ok(ListEnd::Cut) => End::Cut,
                Err(error) if error.is_absence() => End::Gone,
                Err(error) => match error.kind {
                    ErrorKind::AuthenticationFailed
                    | ErrorKind::Throttled
                    | ErrorKind::Transient
                    | ErrorKind::Connection => return Err(error),
                    _ => End::Refused,
                },
            };
            Ok(Answer::List { list, found, strangers, end })
        }
        Request::Connections { target, api_version, wanted } => {
            match connections(client, &target, &api_version).await {
                // That there is no list although there is a target is about this target.
                Err(error) if is_refusal(&error) || error.is_absence() => Ok(Answer::Refused(wanted, error)),
                connections => Ok(Answer::Connections { wanted, connections: connections? }),
            }
        }
    }
}

/// Whether its siblings are a list of their own, below one resource: it takes no longer to read than one of them.
fn is_of_a_parent(question: &Question<'_>) -> bool {
    let below = question.kind.is_some_and(|kind| kind.arm_type.matches('/').count() > 1);
    below && question.listing == Listing::Collection
}

/// Whether Azure itself said no to a read of one thing: others may be read all the same.
fn is_refusal(error: &Error) -> bool {
    // A 404 that is not an absence is about the subscription or the type, and so about everything.
    let about_it = !matches!(error.status, Some(404 | 410))
        && matches!(
            error.kind,
            ErrorKind::Denied(_)
                | ErrorKind::Invalid
                | ErrorKind::Gone
                | ErrorKind::Conflict
                | ErrorKind::Unregistered { .. }
        );
    about_it && error.status.is_some() && error.is_arms()
}

/// A deleted vault of this name may have been another group's: then recovering would bring back that one.
fn is_of(deleted: &Value, id: &ArmId) -> bool {
    deleted
        .pointer("/properties/vaultId")
        .and_then(Value::as_str)
        .and_then(|text| ArmId::parse(text).ok())
        .is_none_or(|was| was == *id)
}

/// Where answers go.
struct Sink<'s, 'a> {
    questions: &'s [Question<'a>],
    next: &'s mut [Next],
    observed: &'s mut Observed,
}

impl Sink<'_, '_> {
    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::One(at, Some(resource)) => {
                self.know(at, Observation::Present { body: resource.body, etag: resource.etag });
            }
            Answer::One(at, None) => self.absent(at),
            Answer::Refused(refused, error) => {
                for at in refused {
                    let help = error.hint().unwrap_or_else(|| "ask who runs the subscription why".to_owned());
                    self.know(at, Observation::Unreadable { message: error.to_string(), help });
                }
            }
            Answer::Deleted(at, found) => {
                let seen = found
                    .map_or(Observation::Absent, |(kept, owner)| Observation::SoftDeleted { kept, owner });
                self.know(at, seen);
            }
            Answer::List { list, found, strangers, end } => {
                super::children::note(strangers, self.observed);
                for (at, body) in found {
                    self.know(at, present(body));
                }
                for at in list.wanted.iter().copied() {
                    if self.next[at] != Next::Known {
                        self.unseen(at, end);
                    }
                }
            }
            Answer::Connections { wanted, connections } => {
                for at in wanted {
                    let asked = self.questions[at].connections.as_ref().zip(connections.as_ref());
                    let found = asked.map(|(asked, connections)| on_target(asked, connections));
                    self.know(at, found.unwrap_or(Observation::Absent));
                }
            }
        }
    }

    /// A list did not show it.
    fn unseen(&mut self, at: usize, end: End) {
        let question = &self.questions[at];
        // What is listed straight below a subscription holds only what the caller is allowed to see.
        let proves = question.id.parent().is_some_and(|parent| parent.group().is_some());
        match (self.next[at], end) {
            (Next::Subscription, _) => self.next[at] = Next::Collection,
            (_, End::Gone) => self.absent(at),
            (_, End::Complete) if proves && !question.owned => self.absent(at),
            _ => self.next[at] = Next::Single,
        }
    }

    fn absent(&mut self, at: usize) {
        match (&self.questions[at].deleted, self.next[at]) {
            (Some(_), next) if next != Next::Deleted => self.next[at] = Next::Deleted,
            _ => self.know(at, Observation::Absent),
        }
    }

    fn know(&mut self, at: usize, observation: Observation) {
        self.observed.insert(self.questions[at].id.clone(), observation);
        self.next[at] = Next::Known;
    }
}
