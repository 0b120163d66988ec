//! From drafts to [`Desired`]: ids, shared resources, references, dependencies, cycles.
//!
//! A reference in a body becomes the known value it stands for, or an output of a resource; either way it becomes an
//! edge. Further edges come from ARM's own order (a child after its parent), from the providers that must be
//! registered first, and from `dependsOn`.

mod claims;
mod cross_checks;

use super::azure::Azure;
use super::entry::{Entry, EntryState};
use super::modules::Group;
use super::outputs::RawOutput;
use super::refer::Referent;
use super::source::{At, Source};
use super::written::is_within;
use crate::catalog::kinds::approval::{APPROVAL_ENDPOINT, APPROVAL_FROM, APPROVAL_VERSION};
use crate::catalog::kinds::existing::EXISTING_TYPE;
use crate::catalog::kinds::{registration, resource_group};
use crate::catalog::{self, Draft, DraftId, Exclusive, Given, Provisioning};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean};
use crate::graph::Dag;
use crate::ident::{Address, ArmId, Owner};
use crate::private_link::{Policy, Rule, Task, Who};
use crate::state::{self, Approval, Desired, DesiredResource, Named, OWNER_TAG, Output, Requester};
use crate::value::secret::Secrets;
use crate::value::token::{self, Token};
use crate::value::{at_pointer, get_path, set_path};
use serde_json::Value;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What was evaluated and expanded.
pub(crate) struct Unlinked<'a> {
    pub(crate) owner: Owner,
    pub(crate) azure: Azure,
    /// The resource groups of modules that have their own.
    pub(crate) groups: Vec<Group>,
    pub(crate) entries: Vec<Entry<'a>>,
    pub(crate) outputs: Vec<RawOutput>,
    pub(crate) secrets: Secrets,
}

/// What an entry of `resources` needs for a `principalId`.
static OPEN_IDENTITY: Given = Given {
    pointer: "/identity/type",
    holds: "SystemAssigned",
    by_default: false,
    unless: None,
    why: "its `body` asks for no identity",
    remedy: "add `identity: { type: SystemAssigned }` to its `body`, or name an entry of `identities` instead",
};

/// Namespaces that need no registration.
const FREE: &[&str] = &["Microsoft.Resources", "Microsoft.Authorization", "Microsoft.Features"];

/// Links drafts. `None` when a problem leaves nothing to work with; problems are in the bag either way.
pub(crate) fn link(source: &Source, unlinked: Unlinked<'_>, problems: &mut Diagnostics) -> Option<Desired> {
    let Unlinked { owner, azure, groups, mut entries, outputs, secrets } = unlinked;
    let drafts: Vec<Vec<Draft>> = entries.iter_mut().map(|entry| std::mem::take(&mut entry.drafts)).collect();
    let tag = owner.to_string();
    let mut linker = Linker::new(source, &entries, &tag, azure.register_providers);
    // A node is large: a list that grows by doubling would be copied, and hold twice as much at the end.
    linker.reserve(drafts.iter().map(Vec::len).sum());
    for (at, drafts) in drafts.into_iter().enumerate() {
        drafts.into_iter().for_each(|draft| linker.add(draft, Some(at)));
    }
    linker.check_wanted(false, problems);
    linker.settle_claims(problems);
    linker.find_ids(problems);
    linker.add_implicit(&azure, &groups);
    linker.find_ids(problems);
    linker.settle_ids(problems);
    linker.check_wanted(true, problems);
    linker.sort_addresses();
    linker.give_requesters_words(problems);
    let mut graph = Dag::new(linker.nodes.len());
    let mut resources = Vec::with_capacity(linker.nodes.len());
    for at in 0..linker.nodes.len() {
        let body = std::mem::take(&mut linker.nodes[at].draft.body);
        let resource = linker.resource(at, body, &mut graph, problems);
        resources.push(resource);
    }
    linker.check_failed(problems);
    let linked = cross_checks::linked_resources(&resources);
    linker.judge(&resources, &linked, &secrets, problems);
    linker.judge_held(&resources, problems);
    linker.order_by_arm(&resources, &mut graph);
    linker.order_by_mention(&resources, &linked, &secrets, &mut graph);
    // Whatever looks at what is asked for has seen it whole.
    resources.iter_mut().flatten().for_each(DesiredResource::give_away);
    let outputs = linker.outputs(outputs, problems);
    if problems.has_errors() || linker.failed.get() {
        return None;
    }
    if let Err(cycle) = graph.order() {
        problems.push(linker.cycle(&cycle));
        return None;
    }
    let resources: Vec<DesiredResource> = resources.into_iter().flatten().collect();
    let by_address = resources.iter().enumerate().map(|(at, r)| (r.address.clone(), at)).collect();
    let by_id = resources.iter().enumerate().map(|(at, r)| (r.id.clone(), at)).collect();
    Some(Desired {
        blueprint: owner.blueprint,
        environment: owner.environment,
        subscription: azure.subscription,
        resources,
        graph,
        outputs,
        secrets,
        by_address,
        by_id,
    })
}

pub(super) struct Node {
    pub(super) draft: Draft,
    /// Outputs that the blueprint itself tells, by their names: they are what is asked for.
    pub(super) known: HashMap<&'static str, Value>,
    /// Outputs that it does not have, because the blueprint does not ask for what gives them.
    pub(super) lacking: HashMap<&'static str, &'static Given>,
    pub(super) entry: Option<usize>,
    pub(super) id: Option<ArmId>,
}

/// What several requesters have together that ask through one endpoint.
struct Shared {
    /// The first of them, by whose address their message is called.
    first: usize,
    /// Whose message it is.
    seed: String,
}

pub(super) struct Linker<'a> {
    pub(super) source: &'a Source,
    pub(super) entries: &'a [Entry<'a>],
    /// The value of the ownership tag.
    owner: &'a str,
    /// Whether provider namespaces are registered; else the subscription is taken to have them.
    register: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) by_address: HashMap<Address, usize>,
    by_id: HashMap<ArmId, usize>,
    /// Whether something could not be linked, told here or elsewhere.
    failed: Cell<bool>,
    /// By entry, what it wrote where that cannot be, told already.
    pub(super) refused: HashMap<usize, HashSet<String>>,
    /// Requesters that ask through one endpoint.
    shared: HashMap<usize, Shared>,
    /// Every address, sorted: what is below one is a range.
    sorted: Vec<(Address, usize)>,
}

/// The subscription that a draft goes to, as far as its id or its scope tells.
fn subscription_of(node: &Node) -> Option<&str> {
    let (DraftId::Text(text) | DraftId::Guid { scope: text, .. }) = &node.draft.id;
    let rest = text.strip_prefix("/subscriptions/")?;
    let id = rest.split('/').next()?;
    uuid::Uuid::try_parse(id).is_ok().then_some(id)
}

pub(super) const ARM_ID: Code = Code {
    name: "arm-id",
    why: "Azure wants the id of a resource here, and the text is not one. Ids begin with `/subscriptions/`.",
    remedy: "Write a reference to an entry, or copy the id from the portal or `az … show --query id`.",
    example: "subnet: ${networks.hub.subnets.nodes}",
};

pub(super) const CYCLE: Code = Code {
    name: "cycle",
    why: "Things that each wait for the other: none of them could be made first.",
    remedy: "Break the circle: let one do without the other's reference or `dependsOn`.",
    example: "dependsOn: [identities.app]   # and nothing that leads back",
};

pub(super) const DEPENDS_ON: Code = Code {
    name: "depends-on",
    why: "`dependsOn` names something that is not in the blueprint. It takes addresses, not Azure names or ids.",
    remedy: "Write the section and the key of an entry, or the address of a part of it.",
    example: "dependsOn: [clusters.aks, networks.hub.subnets.nodes]",
};

pub(super) const SAME_ID: Code = Code {
    name: "same-id",
    why: "Two entries would be the same resource in Azure: each apply would undo what the other wants.",
    remedy: "Give one of them another `name`, or remove it.",
    example: "clusters: { blue: { name: aks-blue }, green: { name: aks-green } }",
};

pub(super) const SECRET_ID: Code = Code {
    name: "secret-id",
    why: "The name or scope of a resource must not come from a secret: ids are in ledgers, plans and Azure's logs.",
    remedy: "Use a parameter without `secret: true` for it.",
    example: "name: kv-${param.environment}",
};

pub(super) const UNKNOWN_ID: Code = Code {
    name: "unknown-id",
    why: "The expression wants a value that Azure makes, in a place where berth has to know it before: a name, a number of things, a condition.",
    remedy: "Name the resource itself, or write the value.",
    example: "scope: ${keyVaults.secrets}",
};

/// Calls `each` with the literal ids in a body: what begins like one and is in a field for one, or is a key.
fn each_id(value: &Value, is_id: bool, each: &mut dyn FnMut(&str)) {
    const START: &str = "/subscriptions/";
    let begins = |text: &str| {
        text.get(..START.len()).is_some_and(|start| start.eq_ignore_ascii_case(START))
            && !token::has_token(text)
    };
    match value {
        Value::String(text) if is_id && begins(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| each_id(item, is_id, each)),
        Value::Object(members) => {
            for (name, member) in members {
                if begins(name) {
                    each(name);
                }
                let folded = name.to_ascii_lowercase();
                let is_id = ["id", "ids", "scope", "scopes"].iter().any(|end| folded.ends_with(end));
                each_id(member, is_id, each);
            }
        }
        _ => {}
    }
}

impl<'a> Linker<'a> {
    fn new(source: &'a Source, entries: &'a [Entry<'a>], owner: &'a str, register: bool) -> Self {
        Linker {
            source,
            entries,
            owner,
            register,
            nodes: Vec::new(),
            by_address: HashMap::new(),
            by_id: HashMap::new(),
            failed: Cell::new(false),
            refused: HashMap::new(),
            shared: HashMap::new(),
            sorted: Vec::new(),
        }
    }

    /// Makes room for so many nodes, and for what is added to them.
    fn reserve(&mut self, drafts: usize) {
        const IMPLICIT: usize = 64;
        self.nodes.reserve_exact(drafts + IMPLICIT);
        self.by_address.reserve(drafts + IMPLICIT);
        self.by_id.reserve(drafts + IMPLICIT);
    }

    fn sort_addresses(&mut self) {
        self.sorted = self.by_address.iter().map(|(address, &at)| (address.clone(), at)).collect();
        self.sorted.sort();
    }

    /// The nodes at an address and below it.
    fn within(&self, path: &str) -> impl Iterator<Item = usize> {
        let from = self.sorted.partition_point(|(address, _)| address.as_str() < path);
        self.sorted[from..]
            .iter()
            .take_while(move |(address, _)| address.as_str().starts_with(path))
            .filter(move |(address, _)| address.is_within(path))
            .map(|&(_, at)| at)
    }

    fn add(&mut self, draft: Draft, entry: Option<usize>) {
        if !self.register && is_provider(draft.address.as_str()) {
            return;
        }
        // What several entries share is made once; its address is the same whoever asks for it.
        if draft.shared && self.by_address.contains_key(&draft.address) {
            return;
        }
        self.by_address.insert(draft.address.clone(), self.nodes.len());
        let told = draft.known.iter().map(|(name, value)| (*name, Value::from(value.clone())));
        let mut known: HashMap<&'static str, Value> = told.collect();
        let mut lacking = HashMap::new();
        if draft.kind.open
            && draft.operation == Provisioning::Resource
            && !draft.body.get("identity").is_some_and(Value::is_object)
        {
            lacking.insert("principalId", &OPEN_IDENTITY);
        }
        if !draft.kind.open {
            // What is only said when it is made counts too.
            let created =
                draft.kind.facets.iter().any(|facet| facet.given.is_some()).then(|| draft.created());
            for facet in draft.kind.facets {
                let given = facet
                    .given
                    .filter(|given| created.as_ref().is_some_and(|created| !given.is_met(created)));
                lacking.extend(given.map(|given| (facet.name, given)));
                let asked = at_pointer(&draft.body, facet.pointer).filter(|value| match value {
                    Value::String(text) => !token::has_token(text),
                    Value::Number(_) | Value::Bool(_) => true,
                    _ => false,
                });
                known.extend(asked.map(|value| (facet.name, value.clone())));
            }
        }
        self.nodes.push(Node { draft, known, lacking, entry, id: None });
    }

    /// The default resource groups, and the registrations of the namespaces in use.
    fn add_implicit(&mut self, azure: &Azure, groups: &[Group]) {
        let own = match (&azure.resource_group, &azure.location) {
            (Some(name), Some(location)) => Some(Group {
                prefix: String::new(),
                name: name.clone(),
                location: location.clone(),
                tags: azure.tags.clone(),
            }),
            _ => None,
        };
        // A decision on connections makes nothing, and so does what only reads: neither needs a group.
        let makes = |node: &&Node| {
            !matches!(node.draft.operation, Provisioning::Approval(_) | Provisioning::Existing)
        };
        // A group that is only read is not made.
        let declares = |node: &&Node| makes(node) || node.draft.operation == Provisioning::Existing;
        let declared: HashSet<&ArmId> =
            self.nodes.iter().filter(declares).filter_map(|node| node.id.as_ref()).collect();
        let used: HashSet<ArmId> =
            self.nodes.iter().filter(makes).filter_map(|node| node.id.as_ref()?.group_id()).collect();
        let own_subscription = azure.subscription.as_str();
        let mut subscriptions: Vec<&str> =
            self.nodes.iter().filter(|node| makes(node)).filter_map(subscription_of).collect();
        subscriptions.sort_unstable();
        subscriptions.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        subscriptions.retain(|id| !id.eq_ignore_ascii_case(own_subscription));
        subscriptions.insert(0, own_subscription);
        let mut added = HashSet::new();
        let mut drafts = Vec::new();
        for &subscription in &subscriptions {
            // What is in the blueprint's own subscription has the plain address.
            let placed = |draft: Draft| match subscription == own_subscription {
                true => draft,
                false => draft.elsewhere(subscription),
            };
            for group in own.iter().chain(groups) {
                let id = ArmId::resource_group(subscription, &group.name);
                if used.contains(&id) && !declared.contains(&id) && added.insert(id) {
                    let mut draft =
                        resource_group::implicit(subscription, &group.name, &group.location, &group.tags);
                    draft.address = Address::new(format!("{}{}", group.prefix, draft.address));
                    drafts.push(placed(draft));
                }
            }
            if azure.register_providers {
                let mut namespaces: Vec<&str> = self
                    .nodes
                    .iter()
                    .filter(|node| node.draft.operation == Provisioning::Resource)
                    .filter(|node| {
                        let id = subscription_of(node).unwrap_or(own_subscription);
                        id.eq_ignore_ascii_case(subscription)
                    })
                    .map(|node| node.draft.kind.namespace())
                    .filter(|namespace| !FREE.iter().any(|free| free.eq_ignore_ascii_case(namespace)))
                    .collect();
                namespaces.sort_unstable();
                namespaces.dedup();
                let registered =
                    namespaces.into_iter().map(|namespace| registration::provider(subscription, namespace));
                drafts.extend(registered.map(placed));
            }
        }
        let asked =
            azure.providers.iter().map(|namespace| registration::provider(own_subscription, namespace));
        let features = azure.features.iter().filter_map(|feature| feature.split_once('/'));
        let features =
            features.map(|(namespace, name)| registration::feature(own_subscription, namespace, name));
        drafts.extend(asked.chain(features));
        drafts.into_iter().for_each(|draft| self.add(draft, None));
    }

    /// Finds the id of every node that has none yet.
    fn find_ids(&mut self, problems: &mut Diagnostics) {
        for at in 0..self.nodes.len() {
            let mut path = Vec::new();
            if let Err(diagnostic) = self.id_of(at, &mut path) {
                self.failed.set(true);
                if let Some(diagnostic) = diagnostic.filter(|_| !self.is_mistaken(at)) {
                    problems.push(diagnostic);
                }
            }
        }
    }

    fn id_of(&mut self, at: usize, path: &mut Vec<usize>) -> Result<ArmId, Option<Diagnostic>> {
        if let Some(id) = &self.nodes[at].id {
            return Ok(id.clone());
        }
        if path.contains(&at) {
            path.push(at);
            return Err(Some(
                self.cycle(&path[path.iter().position(|&p| p == at).unwrap_or(0)..path.len() - 1]),
            ));
        }
        path.push(at);
        let text = match self.nodes[at].draft.id.clone() {
            DraftId::Text(text) => self.with_known(at, &text, path, false)?,
            DraftId::Guid { scope, seeds } => {
                let scope = self.with_known(at, &scope, path, false)?;
                let scope = scope.trim_end_matches('/').to_owned();
                let mut all = Vec::new();
                for seed in &seeds {
                    all.push(self.with_known(at, seed, path, true)?.to_lowercase());
                }
                let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, all.join("|").as_bytes());
                let arm_type = self.nodes[at].draft.kind.arm_type;
                let (namespace, leaf) = arm_type.split_once('/').unwrap_or((arm_type, ""));
                format!("{scope}/providers/{namespace}/{leaf}/{name}")
            }
        };
        path.pop();
        // Others need the id too; what follows from another mistake is not told by them either.
        let id = ArmId::parse(&text).map_err(|error| {
            (!self.is_mistaken(at)).then(|| {
                Diagnostic::error(&ARM_ID, error.to_string())
                    .at(self.place(at, None))
                    .help("write a reference such as `${keyVaults.secrets}`, or a whole ARM id")
            })
        })?;
        let node = &self.nodes[at];
        let (said, found) = (node.draft.kind.arm_type, id.resource_type());
        if node.draft.operation == Provisioning::Existing && !found.eq_ignore_ascii_case(said) {
            let message = format!("`type` is `{said}`, and the id names a `{found}`");
            return Err(Some(
                Diagnostic::error(&EXISTING_TYPE, message)
                    .at(self.place(at, None))
                    .help("take `type:` out, or correct the id"),
            ));
        }
        self.nodes[at].id = Some(id.clone());
        Ok(id)
    }

    /// A text with its references replaced. What only Azure knows is an error in an id; in a seed it stands for where
    /// it comes from.
    fn with_known(
        &mut self,
        at: usize,
        text: &str,
        path: &mut Vec<usize>,
        seed: bool,
    ) -> Result<String, Option<Diagnostic>> {
        if !token::has_token(text) {
            return Ok(text.to_owned());
        }
        let mut tokens = Vec::new();
        token::for_each_in(text, &mut |token| tokens.push(token.clone()));
        let mut known = HashMap::new();
        for token in tokens {
            let value = match &token {
                Token::Reference { path: reference, facet } => {
                    // The target's id first: the answer may be that id.
                    if let Some((target, _)) = self.target(reference) {
                        self.id_of(target, path)?;
                    }
                    match self.refer(at, reference, facet)? {
                        Referent::Known(Value::String(text), _) => text,
                        Referent::Known(other, _) => other.to_string(),
                        Referent::Output(target, pointer) if seed => {
                            let id =
                                self.nodes[target].id.as_ref().map(ToString::to_string).unwrap_or_default();
                            format!("{id}#{pointer}")
                        }
                        Referent::Output(..) => {
                            let message = format!(
                                "`{reference}` is known only after apply and cannot be part of an id"
                            );
                            return Err(Some(
                                Diagnostic::error(&UNKNOWN_ID, message)
                                    .at(self.place(at, Some(reference)))
                                    .help("name a resource of the blueprint instead, or write the value"),
                            ));
                        }
                    }
                }
                Token::Caller { claim } if seed => format!("caller#{claim}"),
                Token::Secret { name } => {
                    let message = format!("the secret `{name}` cannot be part of an id");
                    return Err(Some(
                        Diagnostic::error(&SECRET_ID, message)
                            .at(self.place(at, None))
                            .help("use a parameter that is not secret"),
                    ));
                }
                other => other.to_string(),
            };
            known.insert(token, value);
        }
        Ok(token::substitute_text(text, &mut |token| known.get(token).cloned().map(Value::String)))
    }

    /// Ids must differ; what is shared was merged by address before.
    fn settle_ids(&mut self, problems: &mut Diagnostics) {
        for at in 0..self.nodes.len() {
            let Some(id) = self.nodes[at].id.clone() else { continue };
            match self.by_id.get(&id) {
                None => {
                    self.by_id.insert(id, at);
                }
                Some(&first) => {
                    problems.push(self.same_id(first, at, &id));
                    // Of several instances one is enough to show what is wrong.
                    if self.same_entry(first, at) {
                        return;
                    }
                }
            }
        }
    }

    /// What is said of two nodes with one id.
    fn same_id(&self, first: usize, second: usize, id: &ArmId) -> Diagnostic {
        let reads = |at: usize| self.nodes[at].draft.operation == Provisioning::Existing;
        let address = |at: usize| &self.nodes[at].draft.address;
        let reader = [second, first].into_iter().find(|&at| reads(at));
        if let Some(reader) = reader {
            let maker = if reader == second { first } else { second };
            let (reader_address, maker_address) = (address(reader), address(maker));
            let message =
                format!("`{reader_address}` reads what `{maker_address}` makes in this blueprint: {id}");
            let help = match self.nodes[maker].entry {
                Some(_) => format!("refer to `${{{maker_address}}}`, and take `{reader_address}` out"),
                None => format!("take `{reader_address}` out: berth makes it by itself"),
            };
            return Diagnostic::error(&SAME_ID, message).at(self.place(reader, None)).help(help);
        }
        let message =
            format!("`{}` and `{}` are the same Azure resource: {id}", address(first), address(second));
        Diagnostic::error(&SAME_ID, message).at(self.place(second, None)).help(
            match self.same_entry(first, second) {
                true => "let the names differ: put `${each.key}` into `name:`",
                false => "give one of them another `name:`, or remove it",
            },
        )
    }

    /// A node as a resource, its references linked and its edges drawn.
    fn resource(
        &self,
        at: usize,
        mut body: Value,
        graph: &mut Dag,
        problems: &mut Diagnostics,
    ) -> Option<DesiredResource> {
        let node = &self.nodes[at];
        let draft = &node.draft;
        let mut edges = Vec::new();
        self.link_value(at, &mut body, &mut edges, problems);
        self.check_ids(at, &body, problems);
        let mut initial = draft.initial.clone();
        self.link_value(at, &mut initial, &mut edges, problems);
        let id_texts: Vec<&String> = match &draft.id {
            DraftId::Text(text) => vec![text],
            DraftId::Guid { scope, seeds } => std::iter::once(scope).chain(seeds).collect(),
        };
        for text in id_texts {
            token::for_each_in(text, &mut |token| {
                if let Token::Reference { path, .. } = token
                    && let Some((target, _)) = self.target(path)
                {
                    edges.push(target);
                }
            });
        }
        let operation = match &draft.operation {
            Provisioning::Approval(draft) => {
                state::Provisioning::Approval(Box::new(self.approval(at, draft, &mut edges, problems)))
            }
            Provisioning::Resource => state::Provisioning::Resource,
            Provisioning::Existing => state::Provisioning::Existing,
            Provisioning::Registration => state::Provisioning::Registration,
        };
        for needed in &draft.depends_on {
            let path = match Token::exactly(needed) {
                Some(Token::Reference { path, .. }) => path,
                _ => needed.clone(),
            };
            let before = edges.len();
            // What is below an address needs the resource of that address, and not what is beside it.
            match draft.address.is_within(&path) {
                true => edges.extend(self.by_address.get(path.as_str())),
                false => edges.extend(self.within(&path)),
            }
            // What is switched off is not an obstacle, and what failed is told where it failed.
            let idle = || {
                let idle = |e: &Entry<'_>| e.state != EntryState::Expanded;
                let near = |e: &Entry<'_>| is_within(&path, &e.path) || is_within(&e.path, &path);
                let off = |e: &Entry<'_>| e.off.iter().any(|off| is_within(&path, off));
                self.entries.iter().any(|entry| idle(entry) && near(entry) || off(entry))
            };
            if edges.len() == before && !idle() && (self.register || !is_provider(&path)) {
                let known = self.by_address.keys().map(Address::as_str);
                let named = self.nodes.iter().find(|node| {
                    node.entry.is_some() && node.id.as_ref().is_some_and(|id| id.name() == path)
                });
                let named = named.map(|node| node.draft.address.as_str());
                let help = match named.or_else(|| did_you_mean(&path, known)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write the address of an entry, such as `clusters.aks`".to_owned(),
                };
                problems.push(
                    Diagnostic::error(
                        &DEPENDS_ON,
                        format!("`dependsOn` names `{path}`, which is not in the blueprint"),
                    )
                    .at(self.place(at, Some(&path)))
                    .help(help),
                );
            }
        }
        edges.into_iter().for_each(|edge| graph.need(at, edge));
        if draft.kind.tags && draft.operation == Provisioning::Resource {
            crate::value::set_path(&mut body, &format!("tags.{OWNER_TAG}"), self.owner.into());
        }
        Some(DesiredResource {
            address: draft.address.clone(),
            id: node.id.clone()?,
            kind: draft.kind,
            body: Arc::new(body),
            initial: Arc::new(initial),
            operation,
            arrival: draft.arrival,
            protect: draft.protect.unwrap_or(draft.kind.stateful),
            adopt: draft.adopt,
            timeout: draft.timeout.unwrap_or(draft.kind.timeout),
            awaited: draft.awaited,
            exclusive: draft.exclusive.clone(),
            shared: {
                let is_own = |list: &Exclusive| draft.exclusive.iter().any(|own| own.name == list.name);
                draft.lists.iter().filter(|list| !is_own(list)).cloned().collect()
            },
            ignore: draft.ignore.clone(),
            named: match draft.id {
                DraftId::Guid { .. } => Named::Content,
                DraftId::Text(_) if draft.any_name => Named::Content,
                DraftId::Text(_) => Named::Blueprint,
            },
            named_there: Vec::new(),
            explicit_protect: draft.protect,
        })
    }

    /// Who may connect to what, by ids.
    fn approval(
        &self,
        at: usize,
        draft: &catalog::Approval,
        edges: &mut Vec<usize>,
        problems: &mut Diagnostics,
    ) -> Approval {
        let mut link = |text: &str| {
            let mut value = Value::String(text.to_owned());
            self.link_value(at, &mut value, edges, problems);
            let text = value.as_str().unwrap_or_default().to_owned();
            // A text with a token in it is an id that only Azure can complete.
            let id = ArmId::parse(&text).ok();
            edges.extend(id.as_ref().and_then(|id| self.by_id.get(id)));
            (text, id)
        };
        let target = link(&draft.target).1;
        let endpoints: Vec<(String, Option<ArmId>)> = draft.endpoints.iter().map(|text| link(text)).collect();
        let requester = draft.requester.as_deref().and_then(|text| link(&Token::want(text, "id")).1);
        let requester = requester.and_then(|id| {
            let node = *self.by_id.get(&id)?;
            let shared = self.shared.get(&node);
            let seed = shared.map_or_else(|| id.as_str().to_owned(), |shared| shared.seed.clone());
            let named = shared.map_or(node, |shared| shared.first);
            let message = message_of(&self.nodes[named].draft.address);
            Some(Requester { id, message, seed })
        });
        let is_endpoint = |id: &ArmId| id.is_of_type(PRIVATE_ENDPOINTS);
        for ((text, id), written) in endpoints.iter().zip(&draft.endpoints) {
            // A reference to something of another kind has its error already, and no text.
            if text.is_empty() || token::has_token(text) || id.as_ref().is_some_and(is_endpoint) {
                continue;
            }
            // Nobody would be let in, and nothing would say so.
            let message = format!("`{}` is not the id of a private endpoint", token::display_text(text));
            let named = match Token::exactly(written) {
                Some(Token::Reference { path, .. }) => Some(path),
                _ => None,
            };
            problems.push(
                Diagnostic::error(&APPROVAL_ENDPOINT, message)
                    .at(self.place(at, named.as_deref()))
                    .help("write the endpoint's whole ARM id, or refer to an entry of `privateEndpoints`"),
            );
        }
        let endpoints: Vec<Option<ArmId>> = endpoints.into_iter().map(|(_, id)| id).collect();
        let known = endpoints.iter().all(Option::is_some);
        let endpoint = endpoints.first().cloned().flatten().filter(|_| draft.own);
        let endpoints = endpoints.into_iter().flatten().map(Who::Endpoint);
        let subscriptions = draft.subscriptions.iter().cloned().map(Who::Subscription);
        let rule = Rule {
            target: target.clone(),
            who: endpoints.chain(subscriptions).chain(draft.agreed.clone().map(Who::Text)).collect(),
            group: draft.group.clone(),
            message: draft.message.clone(),
            at_most: draft.at_most,
        };
        let policy = Policy {
            task: if draft.rejects { Task::Reject } else { Task::Approve },
            rule,
            wait: draft.wait,
            description: draft.description.clone(),
            keeps_words: draft.agreed.is_some() || draft.requester.is_some() || draft.message.is_some(),
        };
        let own = || {
            let target = &self.nodes[*self.by_id.get(target.as_ref()?)?].draft;
            (target.operation == Provisioning::Resource).then_some(target.kind.api_version)
        };
        let api_version = draft
            .api_version
            .clone()
            .or_else(|| target.as_ref().and_then(|target| catalog::connections_version(target, own())));
        if let (Some(target), None, false) = (&target, &api_version, self.is_mistaken(at)) {
            let arm_type = target.resource_type();
            let message =
                format!("berth does not know in which API version a {arm_type} shows its connections");
            problems.push(
                Diagnostic::error(&APPROVAL_VERSION, message).at(self.field_place(at, "target")).help(
                    "write `apiVersion:` in this entry; `az provider show` lists the versions of a type",
                ),
            );
        }
        Approval { target, policy: known.then_some(policy), endpoint, requester, api_version }
    }

    /// Has each requester that an approval names say what it is recognised by.
    fn give_requesters_words(&mut self, problems: &mut Diagnostics) {
        for at in 0..self.nodes.len() {
            let Provisioning::Approval(approval) = &self.nodes[at].draft.operation else { continue };
            let Some(text) = approval.requester.clone() else { continue };
            let Some(Token::Reference { path, .. }) = Token::exactly(&text) else { continue };
            // What is not there is told where the reference is linked.
            let Some((target, rest)) = self.target(&path) else { continue };
            // A facet is not a resource; that is told where the field says what it wants.
            if !(rest.is_empty() || rest == "id") {
                continue;
            }
            let kind = self.nodes[target].draft.kind;
            // All that ask through its endpoint say what it says: who asks first asks for all.
            let sharing = self.sharing(target);
            let refusal = match kind.request_message {
                None => Some((
                    format!("a {} sends no message by which its request could be recognised", kind.arm_type),
                    "name its private endpoint by its id under `endpoints`, once it has asked".to_owned(),
                )),
                Some(field) if !asks(&self.nodes[target].draft.body, field) => Some((
                    format!("`{path}` asks for no private link, and so for no connection"),
                    "give it a private link to the target, or remove the approval".to_owned(),
                )),
                Some(field) => {
                    let words = message_of(&self.nodes[sharing[0]].draft.address);
                    let words = Token::Secret { name: words }.encode();
                    let own = |&node: &usize| match get_path(&self.nodes[node].draft.body, field) {
                        Some(Value::String(own)) if *own != words => {
                            Some(self.nodes[node].draft.address.clone())
                        }
                        _ => None,
                    };
                    match sharing.iter().find_map(own) {
                        Some(address) => Some((
                            format!(
                                "`{address}` has a request message of its own, which everybody could repeat"
                            ),
                            format!("take `{field}` out: berth writes one that cannot be guessed"),
                        )),
                        None => {
                            for &node in &sharing {
                                set_path(&mut self.nodes[node].draft.body, field, words.clone().into());
                            }
                            None
                        }
                    }
                }
            };
            if let Some((message, help)) = refusal {
                let place = self.field_place(at, "from");
                problems.push(Diagnostic::error(&APPROVAL_FROM, message).at(place).help(help));
            }
        }
    }

    /// Every resource that asks through the endpoint through which this one asks, this one among them.
    fn sharing(&mut self, at: usize) -> Vec<usize> {
        let Some(key) = self.shared_key(at) else { return vec![at] };
        let all: Vec<usize> =
            (0..self.nodes.len()).filter(|&other| self.shared_key(other).as_ref() == Some(&key)).collect();
        for &node in &all {
            self.shared.insert(node, Shared { first: all[0], seed: key.join("|") });
        }
        all
    }

    /// What tells the endpoint through which a resource asks, when several may ask through one.
    fn shared_key(&self, at: usize) -> Option<Vec<String>> {
        let node = &self.nodes[at];
        let shared = node.draft.kind.shared_request?;
        let within = node.id.as_ref()?.ancestor_of_type(shared.within)?;
        let body = &node.draft.body;
        get_path(body, shared.by.first()?)?;
        let text = |path: &&str| {
            let text = get_path(body, path).and_then(Value::as_str).unwrap_or_default();
            let id = match Token::exactly(text) {
                Some(Token::Reference { path, .. }) => {
                    self.target(&path).and_then(|(at, _)| self.nodes[at].id.clone())
                }
                _ => None,
            };
            id.map_or_else(|| text.to_ascii_lowercase(), |id| id.as_str().to_ascii_lowercase())
        };
        let within = within.as_str().to_ascii_lowercase();
        Some(std::iter::once(within).chain(shared.by.iter().map(text)).collect())
    }

    /// What a body refers to by a literal id is where the id says: Azure, or what is before it, must not read another
    /// place out of it.
    fn check_ids(&self, at: usize, body: &Value, problems: &mut Diagnostics) {
        let mut wrong: Vec<String> = Vec::new();
        each_id(body, false, &mut |text| {
            if let Err(error) = ArmId::parse(text)
                && !wrong.contains(&error.to_string())
            {
                wrong.push(error.to_string());
            }
        });
        for message in wrong.into_iter().filter(|_| !self.is_mistaken(at)) {
            problems.push(
                Diagnostic::error(&ARM_ID, message)
                    .at(self.place(at, None))
                    .help("write a reference such as `${keyVaults.secrets}`, or a whole ARM id"),
            );
        }
    }

    fn link_value(&self, at: usize, value: &mut Value, edges: &mut Vec<usize>, problems: &mut Diagnostics) {
        token::substitute(value, &mut |token| {
            let Token::Reference { path, facet } = token else { return None };
            match self.refer(at, path, facet) {
                Ok(Referent::Known(value, target)) => {
                    edges.push(target);
                    Some(value)
                }
                Ok(Referent::Output(target, pointer)) => {
                    edges.push(target);
                    let address = self.nodes[target].draft.address.clone();
                    Some(Token::Output { address, pointer }.encode().into())
                }
                Err(diagnostic) => {
                    self.failed.set(true);
                    if let Some(diagnostic) = diagnostic {
                        problems.push(diagnostic);
                    }
                    Some(Value::Null)
                }
            }
        });
    }

    /// Looks up what entries refer to that have other mistakes, so that everything is told at once.
    fn check_failed(&self, problems: &mut Diagnostics) {
        for entry in self.entries.iter().filter(|entry| entry.state == EntryState::Failed) {
            token::for_each(&entry.evaluated, &mut |token| {
                if let Token::Reference { path, facet } = token
                    && let Err(Some(diagnostic)) = self.refer(usize::MAX, path, facet)
                {
                    problems.push(Diagnostic { span: entry.mentioning(path), ..diagnostic });
                }
            });
        }
    }

    /// Edges that follow from ARM's own order.
    fn order_by_arm(&self, resources: &[Option<DesiredResource>], graph: &mut Dag) {
        // By subscription and namespace, without case.
        let key = |resource: &DesiredResource, namespace: &str| {
            let subscription = resource.id.subscription().unwrap_or_default();
            format!("{subscription}/{namespace}").to_ascii_lowercase()
        };
        let mut providers: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, resource) in resources.iter().enumerate() {
            if let Some(resource) = resource
                && resource.operation == state::Provisioning::Registration
            {
                // A feature decides what its provider takes.
                let path = resource.id.as_str().split("/features/").next().unwrap_or_default();
                let namespace = path.rsplit('/').next().unwrap_or_default();
                providers.entry(key(resource, namespace)).or_default().push(at);
            }
        }
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource else { continue };
            if resource.operation == state::Provisioning::Registration {
                continue;
            }
            if resource.kind.guard.is_some() {
                self.after_all_below(at, resource, resources, graph);
            }
            if let Some(&parent) = resource.id.ancestors().find_map(|id| self.by_id.get(&id)) {
                graph.need(at, parent);
            }
            let registered = providers.get(&key(resource, resource.kind.namespace()));
            for &provider in registered.into_iter().flatten() {
                graph.need(at, provider);
            }
        }
    }

    /// A lock comes after everything at and below its scope, except for other locks.
    fn after_all_below(
        &self,
        at: usize,
        lock: &DesiredResource,
        resources: &[Option<DesiredResource>],
        graph: &mut Dag,
    ) {
        let id = lock.id.as_str().to_ascii_lowercase();
        let Some(end) = id.rfind(&format!("/providers/{}/", lock.kind.arm_type.to_ascii_lowercase())) else {
            return;
        };
        let scope = &id[..end];
        for (other, resource) in resources.iter().enumerate() {
            let Some(resource) = resource.as_ref().filter(|r| r.kind.guard.is_none()) else { continue };
            let folded = resource.id.as_str().to_ascii_lowercase();
            if folded.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                graph.need(at, other);
            }
        }
    }

    fn outputs(&self, outputs: Vec<RawOutput>, problems: &mut Diagnostics) -> Vec<Output> {
        let mut all = Vec::new();
        for output in outputs {
            let mut value = output.value;
            token::substitute(&mut value, &mut |token| {
                let Token::Reference { path, facet } = token else { return None };
                match self.refer(usize::MAX, path, facet) {
                    Ok(Referent::Known(value, _)) => Some(value),
                    Ok(Referent::Output(target, pointer)) => {
                        let address = self.nodes[target].draft.address.clone();
                        Some(Token::Output { address, pointer }.encode().into())
                    }
                    Err(diagnostic) => {
                        self.failed.set(true);
                        if let Some(diagnostic) = diagnostic {
                            let place = self.source.locate(&format!("outputs.{}", output.name), At::Value);
                            problems.push(Diagnostic { span: place, ..diagnostic });
                        }
                        Some(Value::Null)
                    }
                }
            });
            all.push(Output { name: output.name, value, secret: output.secret });
        }
        all
    }

    fn cycle(&self, cycle: &[usize]) -> Diagnostic {
        let mut names: Vec<String> =
            cycle.iter().map(|&at| self.nodes[at].draft.address.to_string()).collect();
        names.extend(names.first().cloned());
        Diagnostic::error(&CYCLE, format!("these need each other: {}", names.join(" → ")))
            .at(cycle.iter().find_map(|&at| self.place(at, None)))
            .help("remove one of the references or `dependsOn` on this path")
    }
}

/// The type of what `endpoints` names.
const PRIVATE_ENDPOINTS: &str = "Microsoft.Network/privateEndpoints";

/// Whether the resource with this body asks for a connection: what its message is a part of is there.
fn asks(body: &Value, field: &str) -> bool {
    field.rsplit_once('.').is_none_or(|(part, _)| part == "properties" || get_path(body, part).is_some())
}

/// What the request message of a requester is called among the secrets. No parameter has such a name.
fn message_of(requester: &Address) -> String {
    format!("requestMessage:{requester}")
}

/// Whether an address is that of a provider registration.
fn is_provider(address: &str) -> bool {
    address.starts_with("providers.")
}
