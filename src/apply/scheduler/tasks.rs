//! A step in the words of the wire, and in those of the ledger.

use super::{Failure, Run};
use crate::apply::worker::{Put, Task, approve_task, has_unseen};
use crate::catalog::{Arrival, Provisioning};
use crate::change::{Action, DeleteMode, Outcome};
use crate::ident::ArmId;
use crate::ledger::Owned;
use crate::observe::connections_version;
use crate::plan::{Reason, Step};
use crate::state::{DesiredResource, lanes};
use crate::value::ChangeKind;
use crate::value::token::{self, Token};
use crate::value::{lookup, secret_digests};
use serde_json::Value;
use std::sync::Arc;

impl<'a> Run<'a> {
    /// Steps that send nothing: what stays, what is forgotten or adopted, what goes with its parent.
    pub(super) fn without_request(&mut self, step: &Step, action: Action) -> Option<Outcome> {
        let released = |step: &Step| step.changes.iter().all(|change| change.kind == ChangeKind::Release);
        match action {
            Action::NoOp => Some(Outcome::Done),
            Action::Forget => {
                self.gone(&step.id);
                Some(Outcome::Done)
            }
            Action::Delete if matches!(step.reason, Reason::GoesWithParent { .. }) => {
                self.gone(&step.id);
                Some(Outcome::Done)
            }
            Action::Adopt => {
                self.done(step);
                Some(Outcome::Done)
            }
            Action::Update if released(step) => {
                self.done(step);
                Some(Outcome::Done)
            }
            _ => None,
        }
    }

    /// Whether the connection of an endpoint that this run made waits for approval, although Azure was to approve it
    /// by itself: the endpoint's own body says so. A connection that the blueprint does not want approved has no step.
    pub(super) fn stays_pending(&self, step: &Step) -> bool {
        let Some(Provisioning::Approval { endpoint, .. }) =
            self.resource(step).map(|resource| &resource.operation)
        else {
            return false;
        };
        let made = ArmId::parse(endpoint).ok().and_then(|id| self.live.get(&id)?.body());
        let connections = made.and_then(|made| made.pointer("/properties/privateLinkServiceConnections"));
        connections.and_then(Value::as_array).is_some_and(|connections| {
            connections.iter().any(|connection| {
                let status = connection.pointer("/properties/privateLinkServiceConnectionState/status");
                status.and_then(Value::as_str) == Some("Pending")
            })
        })
    }

    /// The removal of what a replaced step replaces.
    pub(super) fn clearing(&self, step: &Step) -> Task {
        let known = self.ledger.resources.get(&step.id).map(|owned| owned.api_version.clone());
        let api_version =
            known.or_else(|| self.resource(step).map(|resource| resource.kind.api_version.to_owned()));
        Task::Delete {
            api_version: api_version.unwrap_or_default(),
            expected: None,
            purge: step.purge.clone(),
        }
    }

    /// Whether a resource is taken along when its parent is deleted.
    pub(super) fn goes_along(&self, step: &Step) -> bool {
        self.resource(step).is_some_and(|resource| resource.kind.delete != DeleteMode::Always)
    }

    pub(super) fn resource(&self, step: &Step) -> Option<&'a DesiredResource> {
        self.desired.by_id.get(&step.id).map(|&at| &self.desired.resources[at])
    }

    pub(super) fn lanes_of(&self, step: &Step) -> Vec<ArmId> {
        // What came with its parent is only looked at.
        if matches!(step.reason, Reason::ArrivesWithParent { .. }) {
            return Vec::new();
        }
        match (step.action, self.resource(step)) {
            (Action::Delete, _) | (_, None) => {
                let owned = self.ledger.resources.get(&step.id);
                owned.map_or_else(|| step.lanes.clone(), |owned| owned.lanes.clone())
            }
            (_, Some(resource)) => {
                lanes(resource.kind, &resource.id, &resource.operation, &self.resolved(&resource.body))
            }
        }
    }

    /// The step in the words of the wire, and what the ledger will hold for it.
    pub(super) fn task(&self, step: &Step) -> Result<(Task, Option<Owned>), Failure> {
        if step.action == Action::Delete {
            let owned = self.ledger.resources.get(&step.id);
            // What is foreign is in no ledger.
            let known = || {
                let mut foreign = self.desired.resources.iter().flat_map(DesiredResource::exclusive_children);
                let kind = foreign.find(|(_, kind)| kind.arm_type.eq_ignore_ascii_case(&step.arm_type))?.1;
                Some(kind.api_version.to_owned())
            };
            let api_version = owned.map(|owned| owned.api_version.clone()).or_else(known).unwrap_or_default();
            let group = step.id.resource_type() == "Microsoft.Resources/resourceGroups";
            let expected = group.then(|| {
                // The listing lags behind: what this run deleted may still be in it.
                let deleted = || self.plan.steps.iter().filter(|step| step.action == Action::Delete);
                self.deleted.get_or_init(|| Arc::new(deleted().map(|step| step.id.clone()).collect())).clone()
            });
            let purge = step.purge.clone();
            return Ok((Task::Delete { api_version, expected, purge }, None));
        }
        let defect = |text: &str| Failure { message: format!("{text}: a defect of berth"), code: None };
        let resource = self.resource(step).ok_or_else(|| defect("the step has no resource"))?;
        match &resource.operation {
            Provisioning::Registration => {
                let (api_version, wanted) = (resource.kind.api_version, resource.body.clone());
                Ok((Task::Register { api_version, wanted, kind: resource.kind }, None))
            }
            Provisioning::Approval { target, .. } => {
                let version = ArmId::parse(target)
                    .map(|target| connections_version(&target, Some(self.desired)))
                    .unwrap_or_default();
                let task =
                    approve_task(&resource.operation, version).ok_or_else(|| defect("a broken approval"))?;
                Ok((task, None))
            }
            Provisioning::Resource => {
                let asked = self.resolved(&resource.body);
                let mut missing = None;
                let mut claim = None;
                token::for_each(&asked, &mut |token| match token {
                    Token::Output { address, pointer } => missing = Some((address.clone(), pointer.clone())),
                    Token::Caller { claim: name } => claim = Some(name.clone()),
                    Token::Reference { .. } | Token::Secret { .. } => {}
                });
                if let Some(claim) = claim {
                    return Err(Failure {
                        message: format!(
                            "it needs the caller's {claim}, and the token says none\nhelp: write the value into the blueprint, or into a parameter"
                        ),
                        code: None,
                    });
                }
                if let Some((address, pointer)) = missing {
                    return Err(Failure {
                        message: format!(
                            "it needs a value that `{address}` does not have: {pointer} is not in what Azure returned\nhelp: check that `{address}` switches on what gives this value"
                        ),
                        code: None,
                    });
                }
                let owned = self.owned(resource, asked.clone());
                let mut body = asked;
                token::substitute(&mut body, &mut |token| match token {
                    Token::Secret { name } => {
                        self.desired.secrets.get(name).map(|secret| secret.expose().into())
                    }
                    _ => None,
                });
                let put = Put {
                    kind: resource.kind,
                    body,
                    changes: step.changes.clone(),
                    unseen: has_unseen(step),
                    arrives: match step.reason {
                        Reason::ArrivesWithParent { .. } => true,
                        Reason::ParentReplaced { .. } => resource.arrival == Arrival::WithParent,
                        _ => false,
                    },
                };
                Ok((Task::Put(Box::new(put)), Some(owned)))
            }
        }
    }

    /// What the ledger holds of a resource that was asked for with `applied`.
    pub(super) fn owned(&self, resource: &DesiredResource, applied: Value) -> Owned {
        let at = self.desired.by_id.get(&resource.id).copied().unwrap_or_default();
        let depends_on = self
            .desired
            .graph
            .dependencies(at)
            .iter()
            .map(|&at| &self.desired.resources[at])
            .filter(|needed| needed.operation == Provisioning::Resource)
            .map(|needed| needed.id.clone())
            .collect();
        Owned {
            address: resource.address.clone(),
            arm_type: resource.kind.arm_type.to_owned(),
            api_version: resource.kind.api_version.to_owned(),
            depends_on,
            digests: secret_digests(
                &applied,
                resource.kind.compiled(),
                &self.desired.secrets,
                &self.ledger.salt,
            ),
            protect: resource.protect,
            delete: resource.kind.delete,
            lanes: lanes(resource.kind, &resource.id, &resource.operation, &applied),
            applied,
        }
    }

    /// A body with the outputs put in that are known by now.
    pub(super) fn resolved(&self, body: &Value) -> Value {
        let mut body = body.clone();
        token::substitute(&mut body, &mut |token| {
            let Token::Output { address, pointer } = token else { return None };
            let &at = self.desired.by_address.get(address)?;
            let live = self.live.get(&self.desired.resources[at].id)?.body()?;
            lookup(live, pointer).filter(|value| !value.is_null()).cloned()
        });
        body
    }
}
