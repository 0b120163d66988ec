//! What Azure says, in a place of its own, about whether resources that a run waits for are as they say: the compliance of
//! policy assignments.

use crate::arm::{Client, Error, ErrorKind};
use crate::catalog::{Judged, Verdict};
use crate::host::Timestamp;
use crate::state::{Desired, Observation, Observed};
use futures::StreamExt;
use serde_json::Value;
use std::time::Duration;

/// Adds the verdicts on what is there, each with one request. Where Azure has nothing to say of a resource that it has had the
/// time to judge, there is nothing to judge, and none is added.
///
/// # Errors
/// A verdict that cannot be read, but for one that the caller may not see.
pub(super) async fn add(
    client: &Client,
    desired: &Desired,
    at_once: usize,
    observed: &mut Observed,
) -> Result<(), Error> {
    let mut asked = Vec::new();
    for resource in desired.resources.iter().filter(|resource| resource.awaited) {
        if let Some(judged) = resource.kind.judged
            && let Some(body) = observed.get(&resource.id).and_then(Observation::body)
        {
            asked.push((&resource.id, judged, fresh(judged, body, client.now())));
        }
    }
    let answers = asked.into_iter().map(|(id, judged, fresh)| async move {
        let answer = match client.ask(&(judged.verdict)(id), judged.api_version, &[]).await {
            Err(error) if is_silence(&error) => None,
            other => other?,
        };
        let body = answer.unwrap_or_default();
        let nothing = !fresh && (judged.tells)(id, &body) == Verdict::None;
        Ok::<_, Error>((!nothing).then(|| ((judged.id)(id), body)))
    });
    let mut answers = futures::stream::iter(answers).buffer_unordered(at_once);
    let mut found: Vec<(_, Value)> = Vec::new();
    while let Some(answer) = answers.next().await {
        found.extend(answer?);
    }
    drop(answers);
    observed.extend(found.into_iter().map(|(id, body)| (id, Observation::Present { body, etag: None })));
    Ok(())
}

/// Whether a resource was written so lately that Azure may not have judged it.
fn fresh(judged: &Judged, body: &Value, now: Timestamp) -> bool {
    let since = Timestamp(now.0.saturating_sub(Duration::from_secs(judged.hours * 3600).as_millis() as u64))
        .to_string();
    // Both are RFC 3339 in UTC, which sort as text; Azure writes more digits of a second.
    judged.written_at(body).is_some_and(|at| at.get(..19) > since.get(..19))
}

/// Whether an error says no more than that there is nothing to be read, for this caller or for anybody.
fn is_silence(error: &Error) -> bool {
    error.is_absence() || matches!(error.kind, ErrorKind::Denied(_) | ErrorKind::Unregistered { .. })
}
