//! One budget per subscription and operation kind, shared by everything that talks to ARM.
//!
//! ARM fills a bucket per subscription, caller and kind of operation at a fixed rate and says in every response how
//! much is left. Until it has said so nothing is held back; from then on a request waits when the bucket is empty,
//! which is cheaper than being refused. A refusal by ARM itself holds the whole kind back until the time it names.

use super::transport::{Headers, Method};
use crate::host::{Clock, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What ARM counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationClass {
    /// GET, HEAD.
    Reads,
    /// PUT, PATCH, POST.
    Writes,
    /// DELETE.
    Deletes,
}

impl OperationClass {
    /// The class that a method counts for.
    pub const fn of(method: Method) -> Self {
        match method {
            Method::Get | Method::Head => OperationClass::Reads,
            Method::Put | Method::Patch | Method::Post => OperationClass::Writes,
            Method::Delete => OperationClass::Deletes,
        }
    }

    /// Bucket size and what flows in per second, as ARM documents them.
    const fn bucket(self) -> (f64, f64) {
        match self {
            OperationClass::Reads => (250.0, 25.0),
            OperationClass::Writes | OperationClass::Deletes => (200.0, 10.0),
        }
    }

    /// The headers that say what is left: for this caller in the subscription, for all callers of it together, and for
    /// the tenant.
    const fn headers(self) -> [&'static str; 3] {
        match self {
            OperationClass::Reads => [
                "x-ms-ratelimit-remaining-subscription-reads",
                "x-ms-ratelimit-remaining-subscription-global-reads",
                "x-ms-ratelimit-remaining-tenant-reads",
            ],
            OperationClass::Writes => [
                "x-ms-ratelimit-remaining-subscription-writes",
                "x-ms-ratelimit-remaining-subscription-global-writes",
                "x-ms-ratelimit-remaining-tenant-writes",
            ],
            OperationClass::Deletes => [
                "x-ms-ratelimit-remaining-subscription-deletes",
                "x-ms-ratelimit-remaining-subscription-global-deletes",
                "x-ms-ratelimit-remaining-tenant-deletes",
            ],
        }
    }
}

/// How much room there is for requests of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headroom {
    /// Requests left; `None` until ARM has said.
    pub remaining: Option<u32>,
    /// How long ARM wants none at all.
    pub blocked_for: Duration,
}

impl Headroom {
    /// How long until `count` more requests of this class may go out; zero while nothing is known.
    pub fn free_in(&self, count: u32, class: OperationClass) -> Duration {
        let missing = self.remaining.map_or(0, |remaining| count.saturating_sub(remaining));
        self.blocked_for.max(Duration::from_secs_f64(f64::from(missing) / class.bucket().1))
    }
}

/// The shared budget. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Throttle {
    clock: Clock,
    flights: Arc<Semaphore>,
    /// Few subscriptions take part in a run, so a list is searched faster than a map.
    scopes: Arc<Mutex<Scopes>>,
}

/// The buckets of each subscription, one per class.
type Scopes = Vec<(String, [Bucket; 3])>;

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Tokens at `at`, once known; below zero are those that somebody waits for.
    tokens: Option<f64>,
    at: Timestamp,
    in_flight: u32,
    blocked_until: Timestamp,
}

impl Bucket {
    fn refill(&mut self, class: OperationClass, now: Timestamp) {
        let (size, rate) = class.bucket();
        if let Some(tokens) = &mut self.tokens {
            *tokens = (*tokens + now.since(self.at).as_secs_f64() * rate).min(size.max(*tokens));
        }
        self.at = now;
    }
}

/// The right to send one request; given back when dropped.
pub(super) struct Permit {
    throttle: Throttle,
    scope: usize,
    class: OperationClass,
    _flight: Option<OwnedSemaphorePermit>,
}

impl Throttle {
    pub(super) fn new(clock: Clock, max_in_flight: usize) -> Self {
        let flights = Arc::new(Semaphore::new(max_in_flight.clamp(1, Semaphore::MAX_PERMITS)));
        Throttle { clock, flights, scopes: Arc::default() }
    }

    /// Waits until a request may be sent.
    pub(super) async fn acquire(&self, subscription: &str, class: OperationClass) -> Permit {
        // The semaphore is never closed, so the only failure cannot happen; sending without is the lesser harm.
        let mut flight = Arc::clone(&self.flights).acquire_owned().await.ok();
        let (scope, mut pause) = self.take(subscription, class);
        while !pause.is_zero() {
            // Others may fly while this one waits for its class.
            drop(flight.take());
            self.clock.sleep(pause).await;
            flight = Arc::clone(&self.flights).acquire_owned().await.ok();
            let blocked_until = self.lock()[scope].1[class as usize].blocked_until;
            pause = blocked_until.since(self.clock.now());
        }
        self.lock()[scope].1[class as usize].in_flight += 1;
        Permit { throttle: self.clone(), scope, class, _flight: flight }
    }

    /// Takes a token, one that is still to come if need be, and says how long to wait for it.
    ///
    /// Each waits for a token of its own: were all to wait for the next one, all would wake for it.
    fn take(&self, subscription: &str, class: OperationClass) -> (usize, Duration) {
        let now = self.clock.now();
        let mut scopes = self.lock();
        let scope = match scopes.iter().position(|(name, _)| name.eq_ignore_ascii_case(subscription)) {
            Some(scope) => scope,
            None => {
                scopes.push((subscription.to_owned(), Default::default()));
                scopes.len() - 1
            }
        };
        let bucket = &mut scopes[scope].1[class as usize];
        bucket.refill(class, now);
        let mut pause = bucket.blocked_until.since(now);
        if let Some(tokens) = &mut bucket.tokens {
            *tokens -= 1.0;
            if *tokens < 0.0 {
                let missing = Duration::from_secs_f64(-*tokens / class.bucket().1);
                pause = pause.max(missing).max(Duration::from_millis(1));
            }
        }
        (scope, pause)
    }

    /// How much room there is.
    pub(super) fn headroom(&self, subscription: &str, class: OperationClass) -> Headroom {
        let now = self.clock.now();
        let mut scopes = self.lock();
        let found = scopes.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(subscription));
        let Some((_, buckets)) = found else { return Headroom::default() };
        let bucket = &mut buckets[class as usize];
        bucket.refill(class, now);
        Headroom {
            remaining: bucket.tokens.map(|tokens| tokens as u32),
            blocked_for: bucket.blocked_until.since(now),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Scopes> {
        // Numbers cannot be left half-written.
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Learns from the response what is left.
    pub(super) fn learn(&self, headers: &Headers) {
        let left = |name| headers.get(name).and_then(|value| value.trim().parse::<u32>().ok());
        // Whichever is used up first is the one that refuses.
        let Some(left) = self.class.headers().into_iter().filter_map(left).min() else { return };
        let now = self.throttle.clock.now();
        let mut scopes = self.throttle.lock();
        let bucket = &mut scopes[self.scope].1[self.class as usize];
        bucket.refill(self.class, now);
        // What is under way besides this one will still be counted.
        let free = f64::from(left.saturating_sub(bucket.in_flight.saturating_sub(1)));
        // Answers overtake each other, and regions count apart: the lower figure is the safe one. It rises by time.
        bucket.tokens = Some(bucket.tokens.map_or(free, |tokens| tokens.min(free)));
    }

    /// Holds the whole class back: ARM itself said that it is too much.
    pub(super) fn hold(&self, pause: Duration) {
        let until = self.throttle.clock.now().plus(pause);
        let mut scopes = self.throttle.lock();
        let bucket = &mut scopes[self.scope].1[self.class as usize];
        bucket.blocked_until = bucket.blocked_until.max(until);
        if bucket.tokens.is_some() {
            bucket.tokens = bucket.tokens.map(|tokens| tokens.min(0.0));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut scopes = self.throttle.lock();
        let bucket = &mut scopes[self.scope].1[self.class as usize];
        bucket.in_flight = bucket.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(count: &str) -> Headers {
        let mut headers = Headers::new();
        headers.set("x-ms-ratelimit-remaining-subscription-writes", count);
        headers
    }

    #[tokio::test(start_paused = true)]
    async fn holds_back_only_when_told_and_per_class() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 8);
        for _ in 0..1000 {
            throttle.acquire("s", OperationClass::Writes).await;
        }
        assert_eq!(clock.elapsed(), Duration::ZERO);
        throttle.acquire("S", OperationClass::Writes).await.learn(&left("1"));
        assert_eq!(throttle.headroom("s", OperationClass::Writes).remaining, Some(1));
        throttle.acquire("s", OperationClass::Writes).await;
        throttle.acquire("s", OperationClass::Reads).await;
        throttle.acquire("other", OperationClass::Writes).await;
        assert_eq!(clock.elapsed(), Duration::ZERO);
        throttle.acquire("s", OperationClass::Writes).await;
        // Ten flow in per second.
        assert!(clock.elapsed() >= Duration::from_millis(100), "{:?}", clock.elapsed());
        assert!(clock.elapsed() < Duration::from_millis(110));
    }

    #[tokio::test(start_paused = true)]
    async fn what_all_callers_have_left_counts_as_well() {
        let throttle = Throttle::new(Clock::start_at(Timestamp(0), 1.0), 8);
        let mut headers = left("150");
        headers.set("x-ms-ratelimit-remaining-subscription-global-writes", "7");
        headers.set("x-ms-ratelimit-remaining-subscription-global-reads", "3");
        throttle.acquire("s", OperationClass::Writes).await.learn(&headers);
        assert_eq!(throttle.headroom("s", OperationClass::Writes).remaining, Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_its_class_back() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 1);
        let permit = throttle.acquire("s", OperationClass::Deletes).await;
        permit.hold(Duration::from_secs(17));
        drop(permit);
        throttle.acquire("s", OperationClass::Reads).await;
        assert_eq!(clock.elapsed(), Duration::ZERO);
        throttle.acquire("s", OperationClass::Deletes).await;
        assert!(clock.elapsed() >= Duration::from_secs(17));
    }
}
