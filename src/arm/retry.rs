//! When a request is sent again, and after how long.

use super::error::ErrorKind;
use super::transport::{Headers, Method};
use crate::host::Timestamp;
use std::time::Duration;

/// How stubborn the client is.
#[derive(Debug, Clone)]
pub struct RetryOptions {
    /// How often a request is sent at most when the service stumbles.
    pub attempts: u32,
    /// How often a request is sent at most when the service says it is too much.
    pub throttled_attempts: u32,
    /// The first pause.
    pub first: Duration,
    /// The longest pause that Azure did not ask for.
    pub longest: Duration,
    /// The longest pause that Azure may ask for; beyond it the request fails.
    pub longest_retry_after: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        RetryOptions {
            attempts: 6,
            throttled_attempts: 20,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            longest_retry_after: Duration::from_secs(600),
        }
    }
}

/// What the decision to repeat a request depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub method: Method,
    pub number: u32,
    pub status: Option<u16>,
    pub kind: &'a ErrorKind,
    pub retry_after: Option<Duration>,
    /// Makes the pauses of requests that failed together differ, and repeatably so.
    pub seed: u64,
}

impl RetryOptions {
    /// The pause before the next attempt; `None` when there is none.
    pub(super) fn pause(&self, attempt: &Attempt<'_>) -> Option<Duration> {
        let most = match (attempt.kind, attempt.status) {
            // Nothing was done, so even an action may be repeated.
            (ErrorKind::Throttled, Some(429)) => self.throttled_attempts,
            // It may have been carried out; only who knows what it does can tell.
            _ if matches!(attempt.method, Method::Post | Method::Put | Method::Patch) => return None,
            (ErrorKind::Connection, None) => self.attempts,
            (ErrorKind::Transient, Some(408 | 500 | 502..=504 | 506..=599)) => self.attempts,
            (ErrorKind::Throttled, Some(503)) => self.throttled_attempts,
            _ => return None,
        };
        if attempt.number >= most {
            return None;
        }
        match attempt.retry_after {
            Some(asked) if asked > self.longest_retry_after => None,
            // Never earlier than asked: that would start the waiting anew.
            Some(asked) if !asked.is_zero() => Some(asked + asked.mul_f64(0.1 * fraction(attempt))),
            _ => Some(self.backoff(attempt)),
        }
    }

    /// Whether a request would be repeated, had Azure not asked to wait longer than is granted.
    pub(super) fn asks_too_much(&self, attempt: &Attempt<'_>) -> bool {
        attempt.retry_after.is_some_and(|asked| asked > self.longest_retry_after)
            && self.pause(&Attempt { retry_after: None, ..*attempt }).is_some()
    }

    /// Doubles with each attempt, give or take a fifth.
    fn backoff(&self, attempt: &Attempt<'_>) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempt.number.saturating_sub(1).min(16));
        doubled.mul_f64(0.8 + 0.4 * fraction(attempt)).min(self.longest)
    }
}

/// A number in 0..1 out of the request and the attempt.
fn fraction(attempt: &Attempt<'_>) -> f64 {
    (mix(attempt.seed.wrapping_add(u64::from(attempt.number))) >> 11) as f64 / (1u64 << 53) as f64
}

/// The step of SplitMix64: neighbouring numbers give distant ones.
pub(super) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The shortest pause between two looks at an operation, unless Azure counts in milliseconds.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
/// The shortest pause between two looks at an operation, whatever Azure says.
pub(super) const FINEST: Duration = Duration::from_millis(20);

/// How long to wait for the next look at an operation, as far as a response says so.
///
/// A pause in whole seconds is kept as it is, but for zero; only who writes milliseconds means less than a second.
pub(super) fn next_look(headers: &Headers, now: Timestamp) -> Option<Duration> {
    match in_milliseconds(headers) {
        Some(asked) => Some(asked.max(FINEST)),
        None => retry_after(headers, now).map(|asked| asked.max(SHORTEST)),
    }
}

fn in_milliseconds(headers: &Headers) -> Option<Duration> {
    let asked = |name| headers.get(name).and_then(|value| value.trim().parse().ok());
    ["retry-after-ms", "x-ms-retry-after-ms"].into_iter().find_map(asked).map(Duration::from_millis)
}

/// How long a response asks to wait: seconds, milliseconds, or an HTTP date.
pub(super) fn retry_after(headers: &Headers, now: Timestamp) -> Option<Duration> {
    if let Some(asked) = in_milliseconds(headers) {
        return Some(asked);
    }
    let Some(value) = headers.get("retry-after").map(str::trim) else { return quota_reset(headers) };
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    http_date(value).map(|at| at.since(now))
}

/// When Resource Graph takes the caller's next query, which it says as `hh:mm:ss`: at once when it takes one now.
pub(super) fn quota_reset(headers: &Headers) -> Option<Duration> {
    if headers.get("x-ms-user-quota-remaining")?.trim() != "0" {
        return None;
    }
    let mut parts = headers.get("x-ms-user-quota-resets-after")?.trim().split(':');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (hours, minutes, seconds) = (number()?, number()?, number()?);
    Some(Duration::from_secs((hours * 60 + minutes) * 60 + seconds))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that is still sent.
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split([' ', ':']);
    let number = |parts: &mut std::str::Split<'_, [char; 2]>| parts.next()?.parse::<u64>().ok();
    let day = number(&mut parts)?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name))? as u64 + 1;
    let year = number(&mut parts)?;
    let (hour, minute, second) = (number(&mut parts)?, number(&mut parts)?, number(&mut parts)?);
    if parts.next() != Some("GMT") || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from the civil date, years starting in March so that the leap day comes last.
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)?;
    Some(Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_comes_in_three_forms() {
        let now = Timestamp(784_111_777_000);
        for (name, value, expected) in [
            ("Retry-After", "17", Some(17_000)),
            ("Retry-After", " 0 ", Some(0)),
            ("Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT", Some(10_000)),
            ("Retry-After", "Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("Retry-After", "Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400_000 - 784_111_777_000)),
            ("Retry-After", "soon", None),
            ("Retry-After", "-5", None),
            ("Retry-After", "Sun, 06 Foo 1994 08:49:47 GMT", None),
            ("x-ms-retry-after-ms", "250", Some(250)),
            ("Other", "17", None),
        ] {
            let mut headers = Headers::new();
            headers.set(name, value);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_millis), "{name}: {value}");
        }
    }

    #[test]
    fn looks_follow_each_other_within_a_second_only_when_azure_counts_so() {
        for (name, value, expected) in [
            ("Retry-After", "17", Some(17_000)),
            ("Retry-After", "0", Some(1000)),
            ("retry-after-ms", "0", Some(20)),
            ("x-ms-retry-after-ms", "250", Some(250)),
            ("retry-after-ms", "soon", None),
            ("Other", "17", None),
        ] {
            let mut headers = Headers::new();
            headers.set(name, value);
            let seen = next_look(&headers, Timestamp(0));
            assert_eq!(seen, expected.map(Duration::from_millis), "{name}: {value}");
        }
    }

    #[test]
    fn only_what_may_be_repeated_is() {
        let options = RetryOptions::default();
        let table: &[(Method, Option<u16>, ErrorKind, bool)] = &[
            (Method::Get, Some(503), ErrorKind::Transient, true),
            (Method::Put, Some(500), ErrorKind::Transient, false),
            (Method::Delete, Some(408), ErrorKind::Transient, true),
            (Method::Put, None, ErrorKind::Connection, false),
            (Method::Patch, Some(503), ErrorKind::Transient, false),
            (Method::Delete, None, ErrorKind::Connection, true),
            (Method::Put, Some(501), ErrorKind::Transient, false),
            (Method::Post, Some(503), ErrorKind::Transient, false),
            (Method::Post, None, ErrorKind::Connection, false),
            (Method::Post, Some(429), ErrorKind::Throttled, true),
            (Method::Put, Some(429), ErrorKind::Throttled, true),
            (Method::Put, Some(429), ErrorKind::Busy, false),
            (Method::Put, Some(409), ErrorKind::Busy, false),
            (Method::Put, Some(400), ErrorKind::Propagating, false),
            (Method::Put, Some(400), ErrorKind::Invalid, false),
        ];
        for (method, status, kind, expected) in table {
            let attempt =
                Attempt { method: *method, number: 1, status: *status, kind, retry_after: None, seed: 7 };
            assert_eq!(options.pause(&attempt).is_some(), *expected, "{method} {status:?} {kind}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let options = RetryOptions { attempts: 12, ..RetryOptions::default() };
        let attempt = |number, retry_after| Attempt {
            method: Method::Get,
            number,
            status: Some(503),
            kind: &ErrorKind::Transient,
            retry_after,
            seed: 42,
        };
        for number in 1..12 {
            let pause = options.pause(&attempt(number, None)).unwrap().as_secs_f64();
            let middle = f64::from(1 << (number - 1)).min(75.0);
            assert!(
                pause >= 0.8 * middle.min(60.0) && pause <= (1.2 * middle).min(60.0),
                "{number}: {pause}"
            );
            assert_eq!(options.pause(&attempt(number, None)), options.pause(&attempt(number, None)));
        }
        assert_eq!(options.pause(&attempt(12, None)), None);
        let pause = options.pause(&attempt(1, Some(Duration::from_secs(10)))).unwrap();
        assert!(pause >= Duration::from_secs(10) && pause <= Duration::from_secs(11));
        assert_eq!(options.pause(&attempt(1, Some(Duration::from_secs(3600)))), None);
    }
}
