//! Waiting for what a resource makes elsewhere, as a cluster that becomes what its Git repository says, or all that a policy
//! holds for.
//!
//! The resource itself is made by then. So nothing that goes wrong here may look as if it were not: what Azure refuses ends
//! the wait and not the resource, and what passes is looked past.

use super::failure::{Failure, Stop};
use super::worker::Worker;
use crate::arm::{Error, ErrorKind, Started};
use crate::catalog::{Judged, Verdict};
use crate::plan::Put;
use serde_json::Value;
use std::time::Duration;

/// How long between looks: it is minutes that such things take.
const POLL_INTERVAL: Duration = Duration::from_secs(15);

impl Worker {
    /// Looks at the resource until it complies, or `ends` has come; its body then.
    pub(super) async fn comply(
        &self,
        put: &Put,
        body: Option<Value>,
        ends: Duration,
    ) -> Result<Option<Value>, Stop> {
        match (put.kind.judged, put.kind.amiss) {
            (Some(judged), _) => {
                self.watching();
                self.judge(judged, ends).await?;
                self.all_complies(judged, ends).await?;
                Ok(body)
            }
            (None, Some(amiss)) => self.own_body(put.kind.api_version, amiss, ends).await,
            (None, None) => Ok(body),
        }
    }

    async fn own_body(
        &self,
        api_version: &str,
        amiss: fn(&Value) -> Option<String>,
        ends: Duration,
    ) -> Result<Option<Value>, Stop> {
        self.watching();
        loop {
            let why = match self.client.get(self.id.as_str(), api_version).await {
                Ok(Some(live)) => match amiss(&live.body) {
                    Some(why) => why,
                    None => return Ok(Some(live.body)),
                },
                Ok(None) => {
                    return Err(Failure::bare("it is gone, while its compliance was waited for").into());
                }
                Err(error) => passing(error)?,
            };
            self.pause(ends, &why).await?;
        }
    }

    /// Has Azure judge anew, and waits until it has: what it said before is about what was there before.
    async fn judge(&self, judged: &Judged, ends: Duration) -> Result<(), Stop> {
        let Some(path) = (judged.judge)(&self.id) else { return Ok(()) };
        loop {
            let left = ends.saturating_sub(self.clock.elapsed());
            let judging = match self.client.post(&path, judged.api_version, None).await {
                Ok(Started::Running(operation)) => {
                    self.client.wait(&operation, |_| {}, left).await.map(|_| ())
                }
                Ok(Started::Done(_)) => Ok(()),
                Err(error) => Err(error),
            };
            let error = match judging {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if matches!(error.kind, ErrorKind::Denied(_)) {
                return Err(Failure {
                    message: format!("Azure has it, and the caller may not have it judged: {error}"),
                    help: Some(format!(
                        "run as somebody with {}, once: then only the wait is left; or leave `wait` out",
                        judged.judge_needs
                    )),
                    code: error.code.clone(),
                }
                .into());
            }
            let why = passing(error)?;
            self.pause(ends, &why).await?;
        }
    }

    async fn all_complies(&self, judged: &Judged, ends: Duration) -> Result<(), Stop> {
        loop {
            let answer = self.client.ask(&(judged.verdict)(&self.id), judged.api_version, &[]).await;
            let why = match answer {
                Ok(answer) => match (judged.tells)(&self.id, &answer.unwrap_or_default()) {
                    // It has been judged: there is nothing that it holds for.
                    Verdict::None | Verdict::Complies => return Ok(()),
                    Verdict::Amiss(why) => why,
                },
                Err(error) => passing(error)?,
            };
            if self.may_look_again(ends).await {
                continue;
            }
            let (path, query) = ((judged.offenders)(&self.id), judged.offenders_query);
            // When the names cannot be read, the error has the number alone.
            let named = self.client.ask(&path, judged.api_version, query).await.ok().flatten();
            let named = named.map(|answer| (judged.names)(&self.id, &answer)).unwrap_or_default();
            let named = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
            return Err(self.not_in_time(&format!("{why}{named}")).into());
        }
    }

    /// Waits until the next look, if there is time for one.
    async fn pause(&self, ends: Duration, why: &str) -> Result<(), Stop> {
        if self.may_look_again(ends).await { Ok(()) } else { Err(self.not_in_time(why).into()) }
    }

    /// Waits until the next look; at once `false` when that would come too late.
    async fn may_look_again(&self, ends: Duration) -> bool {
        let in_time = self.clock.elapsed() + POLL_INTERVAL <= ends;
        if in_time {
            self.clock.sleep(POLL_INTERVAL).await;
        }
        in_time
    }

    fn not_in_time(&self, why: &str) -> Failure {
        Failure::new(
            format!(
                "Azure has it, and within {} minutes it did not become compliant: {why}",
                self.timeout.as_secs().div_ceil(60)
            ),
            "once that is put right, run again: only the wait is left; or raise the entry's `timeout`",
        )
    }
}

/// An error that passes, in words; any other ends the wait. It is never one of the create itself.
fn passing(error: Error) -> Result<String, Stop> {
    match error.kind {
        ErrorKind::Transient
        | ErrorKind::Throttled
        | ErrorKind::Propagating
        | ErrorKind::Busy
        | ErrorKind::Cancelled
        | ErrorKind::Connection
        | ErrorKind::TimedOut => Ok(error.to_string()),
        _ => {
            let Failure { message, help, code } = Failure::from(error);
            let message = format!("Azure has it, and whether it complies cannot be read: {message}");
            Err(Failure { message, help, code }.into())
        }
    }
}
