//! Judges linked resources by what must hold between them.

use super::super::source::At;
use super::Linker;
use crate::blueprint::entry::{Entry, EntryState};
use crate::blueprint::link::SECRET_ID;
use crate::catalog::{CheckContext, HELD_TWICE, LinkedResource, LinkedResources, Problem, held};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::graph::Dag;
use crate::ident::ArmId;
use crate::state::{DesiredResource, Provisioning};
use crate::value::secret::Secrets;
use crate::value::secret_names;
use serde_json::Value;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{HashMap, HashSet};

impl Linker<'_> {
    /// Reports what breaks a cross check. What could not be linked is left out: that has been told.
    pub(super) fn judge(
        &self,
        resources: &[Option<DesiredResource>],
        all: &LinkedResources<'_>,
        secrets: &Secrets,
        problems: &mut Diagnostics,
    ) {
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource else { continue };
            for path in secret_names(&resource.body, resource.kind.compiled()) {
                if self.is_mistaken(at) {
                    break;
                }
                let message = format!("a secret cannot be a name in `{path}` of {}", resource.address);
                problems.push(
                    Diagnostic::error(&SECRET_ID, message)
                        .at(self.place(at, None))
                        .help("names are shown in plans and paths: use a parameter that is not secret"),
                );
            }
        }
        // What a check misses may be what failed.
        let failed = self.entries.iter().any(|entry| entry.state == EntryState::Failed);
        // Two pools in one subnet break the same check once.
        let mut told = HashSet::new();
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource else { continue };
            let Some(check) = resource.kind.cross_check else { continue };
            // What was refused is missing from the body: what follows from that is not a mistake of its own.
            if self.nodes[at].entry.is_some_and(|entry| self.refused.contains_key(&entry)) {
                continue;
            }
            let mut found = Vec::new();
            check(&CheckContext::new(linked(resource), all, secrets), &mut found);
            for problem in found.into_iter().filter(|one| !failed || !one.warning) {
                if told.insert((self.nodes[at].entry, problem.path.clone(), problem.message.clone())) {
                    problems.push(self.broken(at, problem));
                }
            }
        }
    }

    /// Reports what two resources ask for and only one can have, at the second.
    pub(super) fn judge_held(&self, resources: &[Option<DesiredResource>], problems: &mut Diagnostics) {
        let mut holders: HashMap<String, usize> = HashMap::new();
        // One error for two entries, however many things they share and however many instances they have.
        let mut told = HashSet::new();
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource.as_ref().filter(|r| r.operation == Provisioning::Resource) else {
                continue;
            };
            for held in held(&linked(resource)) {
                let first = match holders.entry(held.key) {
                    Vacant(free) => {
                        free.insert(at);
                        continue;
                    }
                    Occupied(taken) => *taken.get(),
                };
                let Some(holder) = &resources[first] else { continue };
                let entries = (self.nodes[first].entry, self.nodes[at].entry);
                // Two resources with one id have an error of their own.
                if holder.id == resource.id && first != at || !told.insert(entries) {
                    continue;
                }
                let (does, address) = (held.does, &holder.address);
                let message = match first == at {
                    true => format!("it {does} twice"),
                    false => format!("`{address}` {does} too"),
                };
                problems.push(
                    self.broken(
                        at,
                        Problem::error(&HELD_TWICE, held.field, message)
                            .help("only one can have it: give this one another, or remove it"),
                    ),
                );
            }
        }
    }

    /// Edges that no reference draws: ids that are in a body as they are, vaults named by their address, what a type
    /// names by text, and the roles that an identity needs before the resource that acts with it.
    ///
    /// What a person ordered the other way round stays so: none of these edges closes a circle.
    pub(super) fn order_by_mention(
        &self,
        resources: &[Option<DesiredResource>],
        all: &LinkedResources<'_>,
        secrets: &Secrets,
        graph: &mut Dag,
    ) {
        let vaults: Vec<&ArmId> = all.of_type("Microsoft.KeyVault/vaults").map(|vault| vault.id).collect();
        let mut edges = Vec::new();
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource.as_ref().filter(|r| r.operation == Provisioning::Resource) else {
                continue;
            };
            let around = CheckContext::new(linked(resource), all, secrets);
            let named = all.named_by(&resource.id).iter().cloned().chain(vaults_in(&resource.body, &vaults));
            let also = resource.kind.also_needs.map(|needs| needs(&around)).unwrap_or_default();
            let needed = named.chain(also).filter_map(|id| self.by_id.get(&id)).copied();
            edges.extend(needed.map(|needed| (at, needed)));
        }
        // Roles come last: of two ways round a circle, what a resource names is the one that counts.
        for (at, resource) in resources.iter().enumerate() {
            let Some(resource) = resource else { continue };
            let around = CheckContext::new(linked(resource), all, secrets);
            let roles = around.needed_roles().into_iter();
            edges.extend(roles.filter_map(|id| self.by_id.get(&id)).map(|&role| (at, role)));
        }
        for (at, needed) in edges {
            let known = graph.dependencies(at).contains(&needed);
            if at != needed && !known && !needs(graph, needed, at) {
                graph.need(at, needed);
            }
        }
    }

    fn broken(&self, at: usize, problem: Problem) -> Diagnostic {
        let entry = self.nodes[at].entry.map(|entry| &self.entries[entry]);
        let span = match problem.path.as_str() {
            "" => self.place(at, None),
            below if below.starts_with('.') => {
                let origin = &self.nodes[at].draft.origin;
                let path = |e: &Entry<'_>| match origin.is_empty() {
                    true => format!("{}{below}", e.place),
                    false => format!("{}.{origin}{below}", e.place),
                };
                entry.and_then(|e| e.source.locate(&path(e), At::Value)).or_else(|| self.place(at, None))
            }
            below => entry
                .and_then(|e| e.source.locate(&format!("{}.{below}", e.place), At::Value))
                .or_else(|| self.place(at, None)),
        };
        Diagnostic {
            code: problem.code,
            severity: if problem.warning { Severity::Warning } else { Severity::Error },
            message: problem.message,
            span,
            help: problem.help,
        }
    }
}

/// The resources that could be linked.
pub(super) fn linked_resources(resources: &[Option<DesiredResource>]) -> LinkedResources<'_> {
    LinkedResources::new(resources.iter().flatten().map(linked).collect())
}

fn linked(resource: &DesiredResource) -> LinkedResource<'_> {
    let (address, id, body) = (&resource.address, &resource.id, &resource.body);
    LinkedResource { address, id, arm_type: resource.kind.arm_type, body }
}

/// Whether `node` needs `other`, directly or by way of others.
fn needs(graph: &Dag, node: usize, other: usize) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![node];
    while let Some(at) = open.pop() {
        if at == other {
            return true;
        }
        open.extend(graph.dependencies(at).iter().copied().filter(|next| seen.insert(*next)));
    }
    false
}

/// The vaults whose own address a text of a body begins with, and the key or secret in them that it goes on to.
fn vaults_in(value: &Value, vaults: &[&ArmId]) -> Vec<ArmId> {
    let mut found = Vec::new();
    if !vaults.is_empty() {
        vaults_below(value, vaults, &mut found);
    }
    found
}

fn vaults_below(value: &Value, vaults: &[&ArmId], found: &mut Vec<ArmId>) {
    match value {
        Value::String(text) => {
            let Some((host, path)) =
                text.strip_prefix("https://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
            else {
                return;
            };
            let Some((name, _)) = host.split_once(".vault.") else { return };
            let Some(vault) = vaults.iter().find(|vault| vault.name().eq_ignore_ascii_case(name)) else {
                return;
            };
            found.push((*vault).clone());
            let mut parts = path.split('/');
            if let (Some(kind @ ("keys" | "secrets")), Some(name)) = (parts.next(), parts.next())
                && !name.is_empty()
            {
                found.push(vault.child(kind, name));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| vaults_below(item, vaults, found)),
        Value::Object(members) => members.values().for_each(|member| vaults_below(member, vaults, found)),
        _ => {}
    }
}
