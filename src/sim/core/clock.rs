//! The simulator's time.

use crate::host::{Clock, Timestamp};
use std::time::Duration;

/// Where the simulator's time comes from.
#[derive(Debug, Clone)]
pub enum Time {
    /// Time passes as on this clock; an operation ends when its time has come.
    Host(Clock),
    /// Time stands still until somebody asks about an operation: the first question is answered "still running"
    /// and moves time to its end.
    Jump,
}

/// 2026-01-01T00:00:00Z, where time starts that follows no clock.
const START: Timestamp = Timestamp(1_767_225_600_000);

/// The time, never running backwards.
#[derive(Debug)]
pub(crate) struct Now {
    time: Time,
    /// How far the time is ahead of the clock; under `Jump` counted from [`START`].
    ahead: Duration,
}

impl Now {
    pub(crate) fn new(time: Time) -> Self {
        Now { time, ahead: Duration::ZERO }
    }

    fn base(&self) -> Timestamp {
        match &self.time {
            Time::Host(clock) => clock.now(),
            Time::Jump => START,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.base().plus(self.ahead)
    }

    /// Whether time moves by being asked.
    pub(crate) fn jumps(&self) -> bool {
        matches!(self.time, Time::Jump)
    }

    /// Moves to an instant, unless it has passed.
    pub(crate) fn reach(&mut self, instant: Timestamp) {
        self.ahead += instant.since(self.now());
    }

    /// Waits in real or virtual time.
    pub(crate) fn latency(&self) -> Option<Clock> {
        match &self.time {
            Time::Host(clock) => Some(clock.clone()),
            Time::Jump => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let mut now = Now::new(Time::Jump);
        now.reach(START.plus(Duration::from_secs(5)));
        now.reach(START);
        assert_eq!(now.now(), START.plus(Duration::from_secs(5)));
    }
}
