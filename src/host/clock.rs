//! The clock, and instants that serialise.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The instant `duration` later.
    pub const fn plus(self, duration: Duration) -> Self {
        Timestamp(self.0.saturating_add(duration.as_millis() as u64))
    }

    /// How long after `earlier` this is; zero when it is not.
    pub const fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// RFC 3339 in UTC with milliseconds, as ARM writes times.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = (self.0 / 86_400_000) as i64;
        let of_day = self.0 % 86_400_000;
        // Civil date from days since the epoch (proleptic Gregorian), counted in 400-year eras from 0000-03-01.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        let (h, m, s, ms) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60, of_day % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z")
    }
}

/// How fast the clock runs, and from when.
#[derive(Debug, Clone)]
pub struct Clock {
    started: tokio::time::Instant,
    origin: Timestamp,
    speed: f64,
}

impl Clock {
    /// A clock that runs `speed` times as fast as the world (1.0 is real time), starting now.
    ///
    /// On a runtime whose time is paused it is virtual, whatever the speed.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's time")]
    pub fn start(speed: f64) -> Self {
        let origin = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::start_at(Timestamp(origin.as_millis() as u64), speed)
    }

    /// A clock that starts at a given instant.
    pub fn start_at(origin: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Clock { started: tokio::time::Instant::now(), origin, speed }
    }

    /// The time now, on this clock.
    pub fn now(&self) -> Timestamp {
        self.origin.plus(self.elapsed())
    }

    /// The time since the clock started, on this clock.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed().mul_f64(self.speed)
    }

    /// Waits for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.speed)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_as_rfc_3339() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_226_096_789, "2026-11-21T01:54:56.789Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn paused_time_jumps_and_speed_scales() {
        let clock = Clock::start_at(Timestamp(0), 10.0);
        clock.sleep(Duration::from_secs(3600)).await;
        assert!(clock.elapsed() >= Duration::from_secs(3600));
        assert!(clock.elapsed() < Duration::from_secs(3601));
    }
}
