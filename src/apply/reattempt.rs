//! Whether a step is tried again, and when: by the type of its error, never by its text.

use crate::arm::{Error, ErrorKind};
use std::time::Duration;

/// How long a step is tried again for each kind of trouble.
#[derive(Debug, Default)]
pub(super) struct Reattempts {
    /// Whether what is needed was made a moment ago, so that it may not be known everywhere yet.
    fresh: bool,
    attempts: u32,
    waited: Duration,
}

/// Another attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) attempt: u32,
    pub(super) wait: Duration,
    pub(super) reason: String,
}

impl Reattempts {
    /// For a step that needs something that the same run made, or for one that needs only what was there.
    pub(super) fn new(fresh: bool) -> Self {
        Reattempts { fresh, ..Reattempts::default() }
    }

    /// Decides about an error. `None` is the end of the step.
    pub(super) fn after(&mut self, error: &Error, budget: Duration) -> Option<Again> {
        let (first, longest, limit, why) = match &error.kind {
            // A new principal is known everywhere after 0 to 120 s, a role takes effect within 10 minutes.
            ErrorKind::Propagating if self.fresh => {
                (5, 30, Duration::from_secs(600), "what it needs is not known everywhere yet")
            }
            // What this run did not make was made by another one two minutes ago at most, or does not exist.
            ErrorKind::Propagating => {
                (5, 30, Duration::from_secs(120), "what it needs is not known everywhere yet")
            }
            // The other operation ends by itself; a cluster's may take most of an hour.
            ErrorKind::Busy => {
                (5, 60, budget.min(Duration::from_secs(45 * 60)), "another operation is under way")
            }
            ErrorKind::Transient | ErrorKind::Throttled | ErrorKind::Connection => {
                (5, 60, Duration::from_secs(300), "Azure did not answer as it should")
            }
            _ => return None,
        };
        if self.waited >= limit {
            return None;
        }
        let doubled = first * 2u64.saturating_pow(self.attempts.min(10));
        let wait = error.retry_after.unwrap_or(Duration::from_secs(doubled.min(longest)));
        // Azure, or what answers in its place, may ask for any time.
        if wait > budget {
            return None;
        }
        self.attempts += 1;
        self.waited += wait;
        let code = error.code.as_deref().unwrap_or(error.kind.as_str());
        Some(Again { attempt: self.attempts, wait, reason: format!("{why} ({code})") })
    }

    /// How often it was tried again.
    pub(super) fn count(&self) -> u32 {
        self.attempts
    }

    /// How long it waited in all.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::transport::Method;

    #[test]
    fn waits_grow_and_end() {
        let error = Error::new(ErrorKind::Propagating, Method::Put, "https://x/y", "not there");
        let mut reattempts = Reattempts::new(true);
        let waits: Vec<u64> = std::iter::from_fn(|| reattempts.after(&error, Duration::MAX))
            .map(|again| again.wait.as_secs())
            .collect();
        assert_eq!(waits[..4], [5, 10, 20, 30]);
        assert!(waits.iter().sum::<u64>() <= 630);
        assert_eq!(reattempts.count() as usize, waits.len());
        // What this run did not make is not waited for so long.
        let mut reattempts = Reattempts::new(false);
        let waits: Vec<u64> = std::iter::from_fn(|| reattempts.after(&error, Duration::MAX))
            .map(|again| again.wait.as_secs())
            .collect();
        assert_eq!(waits, [5, 10, 20, 30, 30, 30]);
    }

    #[test]
    fn no_wait_outlasts_the_time_that_is_left() {
        let mut error = Error::new(ErrorKind::Throttled, Method::Put, "https://x/y", "later");
        for (seconds, waits) in [(599, true), (601, false), (u64::MAX, false)] {
            error.retry_after = Some(Duration::from_secs(seconds));
            let again = Reattempts::default().after(&error, Duration::from_secs(600));
            assert_eq!(again.is_some(), waits, "{seconds}");
        }
    }

    #[test]
    fn what_is_wrong_is_not_tried_again() {
        for kind in [ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::Cancelled] {
            let error = Error::new(kind, Method::Put, "https://x/y", "no");
            assert_eq!(Reattempts::default().after(&error, Duration::MAX), None);
        }
    }
}
