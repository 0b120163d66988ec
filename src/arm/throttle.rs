//! One budget per subscription and operation kind, shared by everything that talks to ARM.
//!
//! ARM fills a bucket per region, subscription, caller and kind of operation at a fixed rate and says in every response
//! how much is left. Until it has said so nothing is held back; from then on a request waits when the bucket is empty,
//! which is cheaper than being refused. What ARM says last counts, whether it is more or less than was reckoned here.
//! A refusal by ARM itself holds the whole kind back until the time it names.
//!
//! A client signs in as one caller, so callers have budgets apart because they have clients apart.
//!
//! A look at an operation is patient: it leaves the last tokens to what begins something. Else the looks at a few hundred
//! operations would take every token as it comes, and nothing new would ever begin.

use super::transport::{Headers, Method};
use crate::host::{Clock, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What ARM counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Requests that have their place already, sent or waiting for their turn: `remaining` is without them.
    pub claimed: u32,
}

impl Headroom {
    /// How long until `count` more requests of this class may go out; zero while nothing is known.
    pub fn free_in(&self, count: u32, class: OperationClass) -> Duration {
        let missing = self.remaining.map_or(0, |remaining| count.saturating_sub(remaining));
        self.blocked_for.max(Duration::from_secs_f64(f64::from(missing) / class.bucket().1))
    }
}

/// How urgent a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It takes the next token.
    Usual,
    /// It leaves the last tokens to others, for a while.
    Patient,
}

/// How long a patient request leaves tokens to others, at most.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest sleep before the budget is looked at again: it may have risen.
const NAP: Duration = Duration::from_secs(1);
/// How much more than reckoned ARM may say is left without being believed.
const ROUNDING: f64 = 5.0;
/// How long the figure of a region counts that has not been heard from since.
const REMEMBERED: Duration = Duration::from_secs(60);

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

#[derive(Debug, Default)]
struct Bucket {
    /// What each region has left; ARM's regions count apart, and a connection may end in any of them.
    views: Vec<View>,
    at: Timestamp,
    /// Requests that have their place and no answer yet.
    claimed: u32,
    /// How many have taken a place so far.
    taken: u64,
    /// Patient requests that wait.
    patient: u32,
    blocked_until: Timestamp,
}

/// What one region of ARM has left.
#[derive(Debug)]
struct View {
    region: String,
    /// Tokens at [`Bucket::at`]; below zero are those that somebody waits for.
    tokens: f64,
    heard: Timestamp,
    /// The place of the request that was answered last.
    place: u64,
}

impl Bucket {
    fn refill(&mut self, class: OperationClass, now: Timestamp) {
        let (size, rate) = class.bucket();
        let flown = now.since(self.at).as_secs_f64() * rate;
        for view in &mut self.views {
            view.tokens = (view.tokens + flown).min(size.max(view.tokens));
        }
        self.at = now;
        if self.views.len() > 1 {
            let newest = self.views.iter().map(|view| view.heard).max().unwrap_or_default();
            self.views.retain(|view| view.heard == newest || now.since(view.heard) <= REMEMBERED);
        }
    }

    /// What is left where the least is left; `None` until ARM has said.
    fn tokens(&self) -> Option<f64> {
        self.views.iter().map(|view| view.tokens).reduce(f64::min)
    }

    /// How long until the request that took this place has a token.
    fn pause(&self, place: u64, class: OperationClass, now: Timestamp) -> Duration {
        let behind = (self.taken - place) as f64;
        let missing = self.tokens().map_or(0.0, |tokens| -(tokens + behind));
        let pause = match missing > 0.0 {
            true => Duration::from_secs_f64(missing / class.bucket().1).max(Duration::from_millis(1)),
            false => Duration::ZERO,
        };
        pause.max(self.blocked_until.since(now))
    }
}

/// The right to send one request; given back when dropped.
pub(super) struct Permit {
    throttle: Throttle,
    scope: usize,
    class: OperationClass,
    place: u64,
    _flight: Option<OwnedSemaphorePermit>,
}

impl Throttle {
    pub(super) fn new(clock: Clock, max_in_flight: usize) -> Self {
        let flights = Arc::new(Semaphore::new(max_in_flight.clamp(1, Semaphore::MAX_PERMITS)));
        Throttle { clock, flights, scopes: Arc::default() }
    }

    /// Waits until a request may be sent.
    pub(super) async fn acquire(
        &self,
        subscription: &str,
        class: OperationClass,
        urgency: Urgency,
    ) -> Permit {
        let scope = self.scope(subscription);
        if urgency == Urgency::Patient {
            self.give_way(scope, class).await;
        }
        let mut permit = self.take(scope, class);
        loop {
            let now = self.clock.now();
            let pause = {
                let mut scopes = self.lock();
                let bucket = &mut scopes[scope].1[class as usize];
                bucket.refill(class, now);
                bucket.pause(permit.place, class, now)
            };
            if !pause.is_zero() {
                // Others may fly while this one waits for its class.
                permit._flight = None;
                self.clock.sleep(pause.min(NAP)).await;
            } else if permit._flight.is_some() {
                return permit;
            } else {
                // The semaphore is never closed, so the only failure cannot happen; sending without is the lesser harm.
                let Ok(flight) = Arc::clone(&self.flights).acquire_owned().await else { return permit };
                permit._flight = Some(flight);
            }
        }
    }

    /// Waits until a second's worth of tokens is left to others.
    async fn give_way(&self, scope: usize, class: OperationClass) {
        struct Waiting<'a>(&'a Throttle, usize, OperationClass);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.lock()[self.1].1[self.2 as usize].patient -= 1;
            }
        }
        let rate = class.bucket().1;
        let until = self.clock.now().plus(PATIENCE);
        let mut waiting = None;
        loop {
            let now = self.clock.now();
            let missing = {
                let mut scopes = self.lock();
                let bucket = &mut scopes[scope].1[class as usize];
                bucket.refill(class, now);
                let missing = bucket.tokens().map_or(0.0, |tokens| rate + 1.0 - tokens);
                if missing > 0.0 && waiting.is_none() {
                    bucket.patient += 1;
                    waiting = Some(Waiting(self, scope, class));
                    missing + f64::from(bucket.patient - 1)
                } else {
                    missing
                }
            };
            let left = until.since(now);
            if missing <= 0.0 || left.is_zero() {
                return;
            }
            let pause = Duration::from_secs_f64(missing / rate).clamp(Duration::from_millis(1), left);
            self.clock.sleep(pause).await;
        }
    }

    fn scope(&self, subscription: &str) -> usize {
        let mut scopes = self.lock();
        match scopes.iter().position(|(name, _)| name.eq_ignore_ascii_case(subscription)) {
            Some(scope) => scope,
            None => {
                scopes.push((subscription.to_owned(), Default::default()));
                scopes.len() - 1
            }
        }
    }

    /// Takes a token, one that is still to come if need be.
    ///
    /// Each waits for a token of its own: were all to wait for the next one, all would wake for it.
    fn take(&self, scope: usize, class: OperationClass) -> Permit {
        let now = self.clock.now();
        let mut scopes = self.lock();
        let bucket = &mut scopes[scope].1[class as usize];
        bucket.refill(class, now);
        bucket.views.iter_mut().for_each(|view| view.tokens -= 1.0);
        bucket.claimed += 1;
        bucket.taken += 1;
        Permit { throttle: self.clone(), scope, class, place: bucket.taken, _flight: None }
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
            remaining: bucket.tokens().map(|tokens| tokens as u32),
            blocked_for: bucket.blocked_until.since(now),
            claimed: bucket.claimed,
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
        // `WESTEUROPE:20261126T120000Z:guid`: where ARM counted.
        let region = headers.get("x-ms-routing-request-id").and_then(|id| id.split(':').next()).unwrap_or("");
        let now = self.throttle.clock.now();
        let mut scopes = self.throttle.lock();
        let bucket = &mut scopes[self.scope].1[self.class as usize];
        bucket.refill(self.class, now);
        // What has its place besides this one will still be counted.
        let free = f64::from(left) - f64::from(bucket.claimed.saturating_sub(1));
        match bucket.views.iter_mut().find(|view| view.region.eq_ignore_ascii_case(region)) {
            Some(view) => {
                // Answers overtake each other: an older one may lower the figure, and only a newer one may raise it. ARM
                // rounds, and up near the end: a little more than was reckoned is no news.
                let raises = self.place > view.place && free > view.tokens + ROUNDING;
                view.tokens = if raises { free } else { view.tokens.min(free) };
                view.place = view.place.max(self.place);
                view.heard = now;
            }
            None => {
                let region = region.to_owned();
                bucket.views.push(View { region, tokens: free, heard: now, place: self.place });
            }
        }
    }

    /// Holds the whole class back: ARM itself said that it is too much.
    pub(super) fn hold(&self, pause: Duration) {
        let until = self.throttle.clock.now().plus(pause);
        let mut scopes = self.throttle.lock();
        let bucket = &mut scopes[self.scope].1[self.class as usize];
        bucket.blocked_until = bucket.blocked_until.max(until);
        bucket.views.iter_mut().for_each(|view| view.tokens = view.tokens.min(0.0));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut scopes = self.throttle.lock();
        let bucket = &mut scopes[self.scope].1[self.class as usize];
        bucket.claimed = bucket.claimed.saturating_sub(1);
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
            throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await;
        }
        assert_eq!(clock.elapsed(), Duration::ZERO);
        throttle.acquire("S", OperationClass::Writes, Urgency::Usual).await.learn(&left("1"));
        assert_eq!(throttle.headroom("s", OperationClass::Writes).remaining, Some(1));
        throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await;
        throttle.acquire("s", OperationClass::Reads, Urgency::Usual).await;
        throttle.acquire("other", OperationClass::Writes, Urgency::Usual).await;
        assert_eq!(clock.elapsed(), Duration::ZERO);
        throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await;
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
        throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await.learn(&headers);
        assert_eq!(throttle.headroom("s", OperationClass::Writes).remaining, Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_its_class_back() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 1);
        let permit = throttle.acquire("s", OperationClass::Deletes, Urgency::Usual).await;
        permit.hold(Duration::from_secs(17));
        drop(permit);
        throttle.acquire("s", OperationClass::Reads, Urgency::Usual).await;
        assert_eq!(clock.elapsed(), Duration::ZERO);
        throttle.acquire("s", OperationClass::Deletes, Urgency::Usual).await;
        assert!(clock.elapsed() >= Duration::from_secs(17));
    }

    /// As [`left`], counted in a region.
    fn left_in(region: &str, count: &str) -> Headers {
        let mut headers = left(count);
        headers.set("x-ms-routing-request-id", format!("{region}:20261126T120000Z:0"));
        headers
    }

    fn remaining(throttle: &Throttle) -> Option<u32> {
        throttle.headroom("s", OperationClass::Writes).remaining
    }

    #[tokio::test(start_paused = true)]
    async fn a_figure_that_rises_is_believed() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 8);
        // Somebody answers who is more generous than ARM: a thousand writes go through at once.
        for _ in 0..1000 {
            throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await.learn(&left("190"));
        }
        assert_eq!(clock.elapsed(), Duration::ZERO);
        throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await.learn(&left("3"));
        assert_eq!(remaining(&throttle), Some(3));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_go_on_when_the_figure_rises() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 100);
        let first = throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await;
        throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await.learn(&left("1"));
        let waiting: Vec<_> =
            (0..90).map(|_| throttle.acquire("s", OperationClass::Writes, Urgency::Usual)).collect();
        let learnt = async {
            clock.sleep(Duration::from_millis(500)).await;
            throttle.acquire("s", OperationClass::Deletes, Urgency::Usual).await;
            drop(first);
            // The place of this one is newer than all that is known.
            let newest = throttle.take(0, OperationClass::Writes);
            newest.learn(&left("199"));
        };
        futures::join!(futures::future::join_all(waiting), learnt);
        assert!(clock.elapsed() <= Duration::from_millis(1500), "{:?}", clock.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_overtaken_raises_nothing() {
        let throttle = Throttle::new(Clock::start_at(Timestamp(0), 1.0), 8);
        let older = throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await;
        let newer = throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await;
        newer.learn(&left("5"));
        drop(newer);
        older.learn(&left("190"));
        assert_eq!(remaining(&throttle), Some(4));
    }

    #[tokio::test(start_paused = true)]
    async fn the_region_with_the_least_counts_until_it_is_long_silent() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 8);
        let learn = async |region, count| {
            let permit = throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await;
            permit.learn(&left_in(region, count));
        };
        learn("WESTEUROPE", "3").await;
        learn("NORTHEUROPE", "190").await;
        assert_eq!(remaining(&throttle), Some(2));
        learn("westeurope", "150").await;
        assert_eq!(remaining(&throttle), Some(150));
        learn("WESTEUROPE", "0").await;
        clock.sleep(Duration::from_secs(61)).await;
        learn("NORTHEUROPE", "120").await;
        assert_eq!(remaining(&throttle), Some(120));
    }

    #[tokio::test(start_paused = true)]
    async fn subscriptions_have_budgets_apart() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 8);
        throttle.acquire("s", OperationClass::Writes, Urgency::Usual).await.learn(&left("0"));
        throttle.acquire("other", OperationClass::Writes, Urgency::Usual).await.learn(&left("200"));
        for _ in 0..200 {
            throttle.acquire("other", OperationClass::Writes, Urgency::Usual).await;
        }
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn looks_leave_the_last_tokens_to_others() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let throttle = Throttle::new(clock.clone(), 1000);
        let mut headers = Headers::new();
        headers.set("x-ms-ratelimit-remaining-subscription-reads", "20");
        throttle.acquire("s", OperationClass::Reads, Urgency::Usual).await.learn(&headers);
        let looks = (0..300).map(|_| throttle.acquire("s", OperationClass::Reads, Urgency::Patient));
        let other = async {
            clock.sleep(Duration::from_secs(3)).await;
            let before = clock.elapsed();
            throttle.acquire("s", OperationClass::Reads, Urgency::Usual).await;
            assert_eq!(clock.elapsed(), before);
        };
        futures::join!(futures::future::join_all(looks), other);
        // Their patience ends: twelve seconds' worth of tokens is there by then.
        assert!(clock.elapsed() <= PATIENCE + Duration::from_secs(3), "{:?}", clock.elapsed());
    }
}
