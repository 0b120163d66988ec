//! Bringing a resource to what is asked for.

use super::failure::{Failure, Stop};
use super::worker::{Worker, is_settled};
use crate::arm::{Conditions, Error, ErrorKind, Operation as ArmOperation, Started, transport::Method};
use crate::catalog::{Kept, UpdateMode};
use crate::plan::{Guard, Mode, Put};
use crate::state::owner_of;
use crate::value::{
    Change, ChangeKind, Comparison, Flag, beneath, changed_members, diff, get_path, merge, put_at, set_path,
    strip_read_only, without,
};
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

impl Worker {
    pub(super) async fn put(
        &self,
        put: &Put,
        left: Duration,
        sent_maybe: bool,
    ) -> Result<Option<Value>, Stop> {
        if sent_maybe {
            return self.look_again(put, left).await;
        }
        match put.mode {
            Mode::Recover => self.recover(put, left).await,
            Mode::Create => self.create(put, left).await,
            Mode::Arrive | Mode::Update | Mode::Repair => self.update(put, left).await,
        }
    }

    /// Makes what was not there when the plan was made, and is not there now.
    async fn create(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let version = put.kind.api_version;
        let conditions = match put.guard {
            Guard::Unneeded => Conditions::none(),
            Guard::IfNoneMatch => Conditions::absent(),
            Guard::Read => {
                if self.client.get(self.id.as_str(), version).await?.is_some() {
                    return Err(Stop::Refused(self.appeared()));
                }
                Conditions::none()
            }
        };
        let body = at_first(put);
        let started = match self.client.put(self.id.as_str(), version, &body, &conditions).await {
            Err(error) if error.status == Some(412) && put.guard == Guard::IfNoneMatch => {
                return Err(Stop::Refused(self.appeared()));
            }
            other => other?,
        };
        match self.finish(started, version, left).await {
            // Of a private DNS zone only the operation tells that there is one.
            Err(Stop::Error(error))
                if put.guard == Guard::IfNoneMatch && error.code.as_deref() == Some("PreconditionFailed") =>
            {
                Err(Stop::Refused(self.appeared()))
            }
            other => other,
        }
    }

    fn appeared(&self) -> Failure {
        Failure::new(
            format!("{} was not there when the plan was made, and somebody else has made it since", self.id),
            "look at it, then plan again: `berth plan` says what taking it over (`--adopt`) would change",
        )
    }

    /// After a write whose answer was lost: sees what it did before it is sent again.
    async fn look_again(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let version = put.kind.api_version;
        let Some(live) = self.client.get(self.id.as_str(), version).await? else {
            return match put.mode {
                Mode::Recover => self.recover(put, left).await,
                _ => self.write_new(put, left).await,
            };
        };
        // What was sent carries the tag; what does not was made by somebody else meanwhile.
        if put.mode == Mode::Create
            && owner_of(&put.body).is_some_and(|own| owner_of(&live.body) != Some(own))
        {
            return Err(Stop::Refused(self.appeared()));
        }
        if !is_settled(&live.body) {
            let operation = ArmOperation::watching(Method::Put, self.id.as_str(), version);
            self.accepted(&operation);
            self.client.wait(&operation, |_| {}, left).await?;
        }
        self.update(put, left).await
    }

    async fn write_new(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let version = put.kind.api_version;
        let body = at_first(put);
        let started = self.client.put(self.id.as_str(), version, &body, &Conditions::none()).await?;
        self.finish(started, version, left).await
    }

    /// Reads, merges, writes: only if something still differs.
    async fn update(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let version = put.kind.api_version;
        let Some(live) = self.client.get(self.id.as_str(), version).await? else {
            return self.write_new(put, left).await;
        };
        // A write of this run that is tried again may have put the tag on.
        let now = owner_of(&live.body);
        if let Some(seen) = put.seen_owner.as_ref().filter(|_| now.is_none() || now != owner_of(&put.body)) {
            self.still(&live.body, seen)?;
        }
        let kept = if put.mode == Mode::Repair { put.kind.kept(&live.body) } else { Vec::new() };
        let rules = put.kind.compiled();
        let wanted = wanted(put, &live.body);
        if !differs(put, &wanted, &live.body) {
            // Somebody may have written the same a moment ago.
            return self.at_rest(live.body, version, left).await;
        }
        // Only a whole PUT takes up what failed: a PATCH has nothing to say when nothing differs.
        // Nor can a PATCH take anything away.
        let removes = put.changes.iter().any(|change| change.kind == ChangeKind::Remove && !is_tag(change));
        let whole = put.mode == Mode::Repair || removes;
        let mode = if whole { UpdateMode::Put } else { put.kind.update };
        let merged = match mode {
            // What cannot be read would always look changed; a PATCH sends it only when it is.
            UpdateMode::Patch if !put.unseen => {
                merge(&live.body, &without(&wanted, rules, Flag::WriteOnly), rules, &put.changes)
            }
            _ => merge(&live.body, &wanted, rules, &put.changes),
        };
        // A weak ETag does not tell two bodies apart, and most operations know no condition.
        let etag = live.etag.as_deref().filter(|etag| put.kind.conditional && !etag.starts_with("W/"));
        let conditions = etag.map_or_else(Conditions::none, Conditions::matches);
        let started = match mode {
            UpdateMode::Patch => {
                let mut before = live.body;
                strip_read_only(&mut before, rules);
                let mut patch = changed_members(&before, &merged);
                // A PATCH replaces the tags as a whole.
                if patch.get("tags").is_some()
                    && let Some(tags) = merged.get("tags")
                {
                    set_path(&mut patch, "tags", tags.clone());
                }
                self.client.patch(self.id.as_str(), version, &patch, &Conditions::none()).await?
            }
            _ => match self
                .client
                .put_saying(self.id.as_str(), (version, put.query), &merged, &conditions)
                .await
            {
                // Somebody wrote between the read and this: what they wrote is read and kept.
                Err(error) if error.status == Some(412) => {
                    return Err(Stop::Error(Error::new(
                        ErrorKind::Busy,
                        Method::Put,
                        self.id.as_str(),
                        error.message.clone(),
                    )));
                }
                other => other?,
            },
        };
        let body = self.finish(started, version, left).await?;
        if self.has_written(put, &kept).await? {
            return Ok(body);
        }
        // No source says that what is sent again is written again; what is made anew writes it for certain.
        if let Started::Running(operation) = self.client.delete(self.id.as_str(), version, &[]).await? {
            self.accepted(&operation);
            self.client.wait(&operation, |_| {}, left).await?;
        }
        self.write_new(put, left).await
    }

    /// Whether what a repaired resource keeps elsewhere is there again, looked at for a while. What cannot be read, or was
    /// written by somebody else by now, is not missed.
    async fn has_written(&self, put: &Put, kept: &[Kept]) -> Result<bool, Stop> {
        const LOOKS: u32 = 6;
        const BETWEEN: Duration = Duration::from_secs(10);
        let Some(keeps) = put.kind.keeps.filter(|_| !kept.is_empty()) else { return Ok(true) };
        for look in 1..=LOOKS {
            let mut missing = false;
            for one in kept {
                missing |= match self.client.get(one.id.as_str(), keeps.api_version).await {
                    Ok(Some(read)) => {
                        (keeps.says)(&read.body) != one.says
                            && (keeps.other_writer)(&self.id, &read.body).is_none()
                    }
                    Ok(None) => true,
                    Err(_) => false,
                };
            }
            if !missing {
                return Ok(true);
            }
            if look < LOOKS {
                self.clock.sleep(BETWEEN).await;
            }
        }
        Ok(false)
    }

    async fn recover(&self, put: &Put, left: Duration) -> Result<Option<Value>, Stop> {
        let mut body = beneath(&put.initial, &put.body).into_owned();
        set_path(&mut body, "properties.createMode", "recover".into());
        let version = put.kind.api_version;
        let started = self.client.put(self.id.as_str(), version, &body, &Conditions::none()).await?;
        self.finish(started, version, left).await?;
        // A recover ignores everything else that the body asks for.
        self.update(put, left).await
    }
}

/// The body of a create.
fn at_first(put: &Put) -> Value {
    let mut body = beneath(&put.initial, &put.body).into_owned();
    for (path, value) in put.kind.at_first {
        if get_path(&body, path).is_some()
            && let Ok(value) = serde_json::from_str(value)
        {
            set_path(&mut body, path, value);
        }
    }
    body
}

/// Whether a change is one of tags, which a PATCH replaces as a whole.
fn is_tag(change: &Change) -> bool {
    change.path == "tags" || change.path.starts_with("tags.") || change.path.starts_with("tags[")
}

/// What is asked for of what is there: without what the plan keeps back, which stays as it is now.
fn wanted<'p>(put: &'p Put, live: &Value) -> Cow<'p, Value> {
    if put.kept_back.is_empty() {
        return Cow::Borrowed(&put.body);
    }
    let rules = put.kind.compiled();
    let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| false };
    let is_kept = |path: &str| {
        let below = |kept: &String| {
            path.strip_prefix(kept.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        put.kept_back.iter().any(below)
    };
    let mut wanted = (*put.body).clone();
    for change in diff(&put.body, live, &comparison).iter().filter(|change| is_kept(&change.path)) {
        put_at(&mut wanted, rules, &change.path, Some(&change.before).filter(|before| !before.is_null()));
    }
    Cow::Owned(wanted)
}

/// Whether anything is left to be sent.
fn differs(put: &Put, wanted: &Value, live: &Value) -> bool {
    let rules = put.kind.compiled();
    let comparison = Comparison { rules, applied: None, secret_changed: &|_, _| put.unseen };
    let drops = |change: &Change| matches!(change.kind, ChangeKind::Remove | ChangeKind::Reset);
    put.mode == Mode::Repair || !diff(wanted, live, &comparison).is_empty() || put.changes.iter().any(drops)
}
