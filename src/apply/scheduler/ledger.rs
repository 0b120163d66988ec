//! What a run leaves in the ledger, and the values that become known on the way.

use super::Run;
use crate::apply::failure::Failure;
use crate::change::Action;
use crate::ident::ArmId;
use crate::ledger::{Owned, Record};
use crate::plan::{Approve, Holding, Mode, Put, Reason, Work};
use crate::private_link;
use crate::value::token::{self, Token};
use crate::value::{lookup, secret_digests};
use serde_json::{Value, json};
use std::sync::Arc;

impl Run<'_> {
    /// The work of a unit with every value put in, and what the ledger holds once it is done.
    pub(super) fn ready(&self, at: usize) -> Result<(Work, Option<Owned>), Failure> {
        let unit = self.unit(at);
        let Work::Put(put) = &unit.work else { return Ok((unit.work.clone(), None)) };
        let asked = self.resolved(&put.body);
        let mut initial = self.resolved(&put.initial);
        let mut missing = None;
        let mut claim = None;
        let mut look = |token: &Token| match token {
            Token::Output { address, pointer } => missing = Some((address.clone(), pointer.clone())),
            Token::Caller { claim: name } => claim = Some(name.clone()),
            Token::Reference { .. } | Token::Secret { .. } => {}
        };
        token::for_each(&asked, &mut look);
        // What is set once is of no account to what is there already.
        if matches!(put.mode, Mode::Create | Mode::Recover) {
            token::for_each(&initial, &mut look);
        }
        if let Some(claim) = claim {
            return Err(Failure::new(
                format!("it needs the caller's {claim}, which the token does not contain"),
                "write the value into the blueprint, or into a parameter",
            ));
        }
        if let Some((address, pointer)) = missing {
            return Err(Failure::new(
                format!(
                    "it needs a value that `{address}` does not have: {pointer} is not in what Azure returned"
                ),
                format!("check that `{address}` switches on what gives this value"),
            ));
        }
        let mut body = asked.clone();
        let mut secret = |token: &Token| match token {
            Token::Secret { name } => self.secrets.get(name).map(|secret| secret.expose().into()),
            _ => None,
        };
        token::substitute(&mut body, &mut secret);
        token::substitute(&mut initial, &mut secret);
        let mut written = asked;
        put.named_there.iter().rev().for_each(|part| part.undo(&mut written, unit.id.as_str()));
        let owned = unit.record.as_ref().map(|holding| self.owned(holding, written));
        Ok((Work::Put(Put { body: Arc::new(body), initial: Arc::new(initial), ..put.clone() }), owned))
    }

    /// What the ledger holds of a resource that was asked for with `applied`.
    pub(super) fn owned(&self, holding: &Holding, applied: Value) -> Owned {
        let kind = holding.kind;
        Owned {
            address: holding.address.clone(),
            arm_type: kind.arm_type.to_owned(),
            api_version: kind.api_version.to_owned(),
            depends_on: holding.depends_on.clone(),
            digests: secret_digests(&applied, kind.compiled(), self.secrets, &self.ledger.salt),
            version: None,
            protect: holding.protect,
            delete: kind.delete,
            lanes: holding.lanes.clone(),
            applied,
        }
    }

    /// What the ledger holds of a resource that is as asked.
    fn as_it_is(&self, holding: &Holding, id: &ArmId) -> Owned {
        let live = self.live.get(id).and_then(|live| live.body());
        let version = holding.kind.version_in(live);
        Owned { version, ..self.owned(holding, self.resolved(&holding.body)) }
    }

    /// A value with the outputs put in that are known by now.
    pub(super) fn resolved(&self, value: &Value) -> Value {
        let mut value = value.clone();
        token::substitute(&mut value, &mut |token| {
            let Token::Output { address, pointer } = token else { return None };
            let live = self.live.get(self.plan.program.sources.get(address)?)?.body()?;
            lookup(live, pointer).filter(|value| !value.is_null()).cloned()
        });
        value
    }

    /// Writes down that a unit's resource is owned as asked.
    pub(super) fn done(&mut self, at: usize) {
        let unit = self.unit(at);
        let owned = unit.record.as_ref().map(|holding| self.as_it_is(holding, &unit.id));
        let record = Record::Done { id: unit.id.clone(), owned: owned.clone().map(Box::new) };
        self.unwritten.push(record);
        if let Some(owned) = owned {
            self.ledger.own(unit.id.clone(), owned);
        }
    }

    /// Writes down that a unit failed. What it may have begun stays owned: the next plan reads how far it came.
    pub(super) fn failed(&mut self, at: usize) {
        let unit = self.unit(at);
        self.unwritten.push(Record::Failed { id: unit.id.clone() });
        if let (Work::Put(_), Some(holding)) = (&unit.work, &unit.record) {
            let owned = self.owned(holding, json!({}));
            self.ledger.resources.entry(unit.id.clone()).or_insert(owned);
        }
    }

    /// Writes down that a resource is owned no longer.
    pub(super) fn gone(&mut self, id: &ArmId) {
        self.unwritten.push(Record::Gone { id: id.clone(), released: false });
        self.ledger.disown(id, false);
    }

    /// Writes down that a unit's resource is forgotten, and whether it stays with the tag on it.
    pub(super) fn forgotten(&mut self, at: usize) {
        let unit = self.unit(at);
        let reason = &self.plan.steps[unit.step].reason;
        let released = matches!(reason, Reason::NowExisting { .. } | Reason::NeededByExisting { .. });
        self.unwritten.push(Record::Gone { id: unit.id.clone(), released });
        self.ledger.disown(&unit.id, released);
    }

    /// Whether the connection of an endpoint that this run made waits for approval, although Azure was to approve it by
    /// itself: the endpoint's own body says so.
    pub(super) fn stays_pending(&self, approve: &Approve) -> bool {
        let endpoint = approve.endpoint.as_ref().and_then(|id| self.live.get(id)?.body());
        let connections =
            endpoint.and_then(|endpoint| endpoint.pointer("/properties/privateLinkServiceConnections"));
        let mut connections = connections.and_then(Value::as_array).into_iter().flatten();
        connections.any(|connection| private_link::status(connection) == Some("Pending"))
    }

    /// What stayed as it is may have another address or order by now, or be asked for in more detail.
    pub(super) fn refresh_unchanged(&mut self) {
        if self.plan.destroy {
            return;
        }
        for at in 0..self.plan.program.units.len() {
            let unit = self.unit(at);
            if matches!(unit.work, Work::Idle | Work::Watch { .. })
                && let Some(holding) = &unit.record
                && self.plan.steps[unit.step].reason != Reason::Blocked
                && self.plan.steps[unit.step].action != Action::Adopt
            {
                let owned = self.as_it_is(holding, &unit.id);
                self.ledger.resources.insert(unit.id.clone(), owned);
            }
        }
    }
}
