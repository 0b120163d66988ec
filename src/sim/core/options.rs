//! How a simulator behaves, and who is who in it.

use super::clock::Time;
use std::time::Duration;

/// The subscription of a simulator that was not told another.
pub const SUBSCRIPTION: &str = "5ab5c819-0000-4000-8000-000000000001";
/// The tenant of a simulator that was not told another.
pub const TENANT: &str = "7e9a9700-0000-4000-8000-000000000002";
/// The object id of whoever calls the simulator.
pub const CALLER_OBJECT_ID: &str = "ca11e400-0000-4000-8000-000000000003";

/// The cores of a simulator that was not told another number: those of a subscription that asked for many.
const CORES: u64 = 10_000;

/// Whether requests are counted against ARM's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Throttling {
    /// Remaining tokens are reported, but nobody is refused.
    #[default]
    Lenient,
    /// The token buckets of a real subscription, with 429 when one is empty.
    Azure,
}

/// When the past shows, in the change history and in the Activity Log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryDelay {
    /// Minutes later, as on Azure.
    #[default]
    Azure,
    /// At once, where nobody would wait for it.
    None,
}

impl HistoryDelay {
    /// This much, or nothing.
    pub(crate) const fn of(self, usual: Duration) -> Duration {
        match self {
            HistoryDelay::Azure => usual,
            HistoryDelay::None => Duration::ZERO,
        }
    }
}

/// How a simulator behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The one subscription it has.
    pub subscription: String,
    /// The tenant of that subscription.
    pub tenant: String,
    /// Where its time comes from.
    pub time: Time,
    /// How long each answer takes, on the clock of [`Time::Host`].
    pub latency: Duration,
    /// Whether it throttles.
    pub throttling: Throttling,
    /// Provider namespaces that a fresh subscription has registered already, beyond the free ones.
    pub registered: Vec<String>,
    /// When what was written shows in the change history and in the Activity Log.
    pub history: HistoryDelay,
    /// How many cores of machines the subscription may have in a region: altogether, as Spot machines, and of each family.
    pub cores: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            subscription: SUBSCRIPTION.to_owned(),
            tenant: TENANT.to_owned(),
            time: Time::Jump,
            latency: Duration::ZERO,
            throttling: Throttling::Lenient,
            registered: Vec::new(),
            history: HistoryDelay::default(),
            cores: CORES,
        }
    }
}
