//! One unit, from its first request to its end.

use super::failure::{Failure, Stop};
use super::reattempt::Reattempts;
use crate::arm::{Client, Error, ErrorKind, Operation as ArmOperation, Started, transport::Method};
use crate::host::Clock;
use crate::ident::ArmId;
use crate::plan::{Mode, Work};
use crate::value::{Rest, is_at_work, provisioning_state};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// What a worker tells the scheduler on the way.
#[derive(Debug)]
pub(super) enum Message {
    /// Azure accepted a request and works on it.
    Accepted { unit: usize, operation: Value },
    /// The unit only looks from time to time how far Azure is.
    Watching { unit: usize },
    /// The unit waits and tries again.
    Waiting { unit: usize, reason: String, attempt: u32, wait: Duration },
}

/// How a unit ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) unit: usize,
    pub(super) result: Result<Option<Value>, Failure>,
    /// Whether Azure refused to make it, so that nothing of it can be there.
    pub(super) refused: bool,
    pub(super) retries: u32,
    pub(super) waited: Duration,
}

/// How much longer than its timeout a unit may take that waits for an answer.
const GRACE: Duration = Duration::from_secs(60);

/// Everything that one unit needs, taken along so that it shares nothing.
pub(super) struct Worker {
    pub(super) unit: usize,
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) messages: UnboundedSender<Message>,
    pub(super) id: ArmId,
    /// With every value put in, secrets among them: it goes to Azure and nowhere else.
    pub(super) work: Work,
    pub(super) timeout: Duration,
    /// Whether it needs something that the same run makes.
    pub(super) fresh: bool,
}

impl Worker {
    /// Carries the unit out, as often as its errors say.
    pub(super) async fn run(self) -> Ended {
        let mut reattempts = Reattempts::new(self.fresh);
        let started = self.clock.elapsed();
        let mut last = None;
        let mut sent_maybe = false;
        let mut refused = false;
        let result = loop {
            let left = (started + self.timeout).saturating_sub(self.clock.elapsed());
            let attempt = tokio::select! {
                biased;
                attempt = self.attempt(left, sent_maybe) => attempt,
                // Waits inside an attempt end in time by themselves; this is for an answer that never comes.
                () = self.clock.sleep(left + GRACE) => Err(Stop::Failed(self.too_late())),
            };
            match attempt {
                Ok(body) => break Ok(body),
                Err(Stop::Failed(failure)) => break Err(failure.after(last)),
                Err(Stop::Refused(failure)) => {
                    refused = !sent_maybe;
                    break Err(failure);
                }
                Err(Stop::Error(error)) => match reattempts.after(&error, self.timeout) {
                    Some(again)
                        if again.wait < (started + self.timeout).saturating_sub(self.clock.elapsed()) =>
                    {
                        last = Some(error.to_string());
                        sent_maybe |= may_have_acted(&error);
                        let (reason, attempt, wait) = (again.reason, again.attempt, again.wait);
                        // The scheduler outlives its workers; without one there is nothing to tell.
                        let _ =
                            self.messages.send(Message::Waiting { unit: self.unit, reason, attempt, wait });
                        self.clock.sleep(wait).await;
                    }
                    Some(_) => break Err(self.too_late().after(Some(error.to_string()))),
                    None if error.kind == ErrorKind::TimedOut => break Err(Failure::from(error).after(last)),
                    None => {
                        refused = self.creates() && !sent_maybe && is_refusal(&error);
                        break Err(Failure::from(error));
                    }
                },
            }
        };
        Ended { unit: self.unit, result, refused, retries: reattempts.count(), waited: reattempts.waited() }
    }

    fn creates(&self) -> bool {
        matches!(&self.work, Work::Put(put) if put.mode == Mode::Create)
    }

    fn too_late(&self) -> Failure {
        Failure::new(
            format!("it did not end within its timeout of {} minutes", self.timeout.as_secs().div_ceil(60)),
            "run again to go on with it; or raise the entry's `timeout`",
        )
    }

    /// `sent_maybe`: whether an earlier attempt may have been carried out although its answer was lost.
    async fn attempt(&self, left: Duration, sent_maybe: bool) -> Result<Option<Value>, Stop> {
        match &self.work {
            // These send nothing, and the scheduler ends them by itself.
            Work::Idle | Work::Record | Work::Forget => Ok(None),
            Work::Watch { api_version } => self.watch(api_version, left).await,
            Work::Put(put) => {
                let ends = self.clock.elapsed() + left;
                let body = self.put(put, left, sent_maybe).await?;
                if put.awaited { self.comply(put, body, ends).await } else { Ok(body) }
            }
            Work::Delete(delete) => self.delete(delete, left).await.map(|()| None),
            Work::Register(register) => self.register(register).await,
            Work::Approve(approve) => self.approve(approve).await.map(Some),
        }
    }

    /// Waits until Azure is no longer at work on the resource; its body then.
    async fn watch(&self, api_version: &str, left: Duration) -> Result<Option<Value>, Stop> {
        self.watching();
        let operation = ArmOperation::watching(Method::Put, self.id.as_str(), api_version);
        let finished = self.client.wait(&operation, |_| {}, left).await?;
        Ok(finished.body)
    }

    /// Follows what Azure answered to a write until it is at rest; the body then, when there is one.
    pub(super) async fn finish(
        &self,
        started: Started,
        api_version: &str,
        left: Duration,
    ) -> Result<Option<Value>, Stop> {
        match started {
            Started::Done(Some(body)) if is_settled(&body) => Ok(Some(body)),
            Started::Done(_) => self.read_at_rest(api_version, left).await,
            Started::Running(operation) => {
                self.accepted(&operation);
                let finished = self.client.wait(&operation, |_| {}, left).await?;
                match finished.body {
                    Some(body) => Ok(Some(body)),
                    None if operation.method == Method::Delete => Ok(None),
                    None => self.read_at_rest(api_version, left).await,
                }
            }
        }
    }

    async fn read_at_rest(&self, api_version: &str, left: Duration) -> Result<Option<Value>, Stop> {
        match self.client.get(self.id.as_str(), api_version).await? {
            Some(found) => self.at_rest(found.body, api_version, left).await,
            None => Ok(None),
        }
    }

    /// The resource as it is read once no operation of Azure is under way on it.
    pub(super) async fn at_rest(
        &self,
        body: Value,
        api_version: &str,
        left: Duration,
    ) -> Result<Option<Value>, Stop> {
        if is_at_work(&body) { self.watch(api_version, left).await } else { Ok(Some(body)) }
    }

    /// Tells that from now on this unit only looks how far Azure is: others may send.
    pub(super) fn watching(&self) {
        let _ = self.messages.send(Message::Watching { unit: self.unit });
    }

    pub(super) fn accepted(&self, operation: &ArmOperation) {
        if let Ok(operation) = serde_json::to_value(operation) {
            let _ = self.messages.send(Message::Accepted { unit: self.unit, operation });
        }
    }
}

/// Whether a write that failed may have been carried out all the same.
fn may_have_acted(error: &Error) -> bool {
    matches!(error.method, Method::Put | Method::Patch)
        && error.status.is_none_or(|status| status >= 500 || status == 408)
}

/// Whether Azure answered a write with a final no.
fn is_refusal(error: &Error) -> bool {
    error.method == Method::Put && error.status.is_some_and(|status| (400..500).contains(&status))
}

/// Whether a body is a resource's, and says that nothing is going on any more.
pub(super) fn is_settled(body: &Value) -> bool {
    body.get("id").is_some()
        && provisioning_state(body).is_none_or(|state| Rest::of(state) == Rest::Succeeded)
}
