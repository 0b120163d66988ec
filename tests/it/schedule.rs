//! How close a run comes to what is possible: nothing is faster than the longest chain of steps, than the work of one
//! exclusive lane, and than the limits of the subscription.

use crate::support::{Rehearsal, estate, quickstart};
use berth::apply::Applied;
use berth::approve::Allowances;
use berth::change::{Action, StepResult};
use berth::ops::{self, Planned};
use berth::plan::Adoption;
use berth::sim::{Options, Throttling};
use std::collections::HashMap;
use std::time::Duration;

/// Clusters with pools, their network and a vault with an endpoint, as many times as asked.
fn fleet(clusters: usize) -> String {
    estate::fleet(clusters, "none")
}

/// Very many resources that Azure makes at once: only the limits take time.
fn crowd(identities: usize) -> String {
    let mut text = String::from(
        "blueprint: crowd\nazure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-crowd }\nidentities:\n",
    );
    (0..identities).for_each(|n| text.push_str(&format!("  i{n}: {{ name: id-{n} }}\n")));
    text
}

/// How long fifty clusters take when nothing is in their way: eight minutes, their networks, and their providers.
const FLEET: Duration = Duration::from_secs(537);

/// A run with what it took.
struct Ran {
    makespan: Duration,
    /// What no schedule can beat: the longest chain of steps, each as long as it took.
    bound: Duration,
    /// What comes before anything else: the providers are registered.
    head: Duration,
    requests: HashMap<&'static str, u64>,
    throttled: u64,
    /// What the plan said before.
    estimate: Duration,
}

async fn measure(text: &str, throttling: Throttling, parallelism: usize) -> Ran {
    let mut rehearsal = Rehearsal::with(Options { throttling, ..Options::default() });
    rehearsal.session.engine.parallelism = parallelism;
    let desired = rehearsal.desired(text);
    let mut planned = None;
    let keep = |plan: &Planned, _: bool| {
        planned = Some(plan.plan.clone());
        true
    };
    let before = rehearsal.simulator.counters().requests;
    assert!(before.is_empty());
    let applied: Applied =
        ops::apply(&rehearsal.session, &desired, Adoption::Refused, &Allowances::default(), keep)
            .await
            .unwrap()
            .unwrap();
    assert!(applied.summary.is_complete(), "{:#?}", applied.summary);
    let counters = rehearsal.simulator.counters();
    let of = |methods: &[&str]| methods.iter().filter_map(|method| counters.requests.get(*method)).sum();
    let plan = planned.unwrap();
    let took: HashMap<&str, &StepResult> =
        applied.summary.steps.iter().map(|step| (step.address.as_str(), step)).collect();
    let mut ends: Vec<u64> = Vec::new();
    let mut lanes: HashMap<String, (u64, u64)> = HashMap::new();
    for step in &plan.steps {
        let own = took.get(step.address.as_str()).map_or(0, |step| step.elapsed_ms);
        let begin = step.after.iter().map(|&before| ends[before]).max().unwrap_or(0);
        ends.push(begin + own);
        // A cluster and its pools and extensions go one after the other.
        if let Some(cluster) = step.address.as_str().strip_prefix("clusters.") {
            let cluster = cluster.split('.').next().unwrap_or_default().to_owned();
            let lane = lanes.entry(cluster).or_insert((begin, 0));
            lane.0 = lane.0.min(begin);
            lane.1 += own;
        }
    }
    let registrations = applied.summary.steps.iter().filter(|step| step.action == Action::Register);
    let registering = registrations.map(|step| step.elapsed_ms).max().unwrap_or(0);
    let chain = ends.iter().copied().max().unwrap_or(0);
    let lane = lanes.values().map(|(head, sum)| head + sum).max().unwrap_or(0);
    Ran {
        makespan: Duration::from_millis(applied.summary.elapsed_ms),
        bound: Duration::from_millis(chain.max(lane)),
        head: Duration::from_millis(registering),
        requests: HashMap::from([("reads", of(&["GET", "HEAD"])), ("writes", of(&["PUT", "PATCH", "POST"]))]),
        throttled: counters.throttled,
        estimate: Duration::from_millis(plan.critical_path().1),
    }
}

/// The time that the buckets of a subscription need to let so many requests through.
fn buckets(requests: &HashMap<&'static str, u64>) -> Duration {
    let wait = |name, size: u64, rate: f64| {
        Duration::from_secs_f64(requests[name].saturating_sub(size) as f64 / rate)
    };
    wait("reads", 250, 25.0).max(wait("writes", 200, 10.0))
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_that_need_not() {
    // A cluster takes eight minutes, and what comes before and after it is known too: virtual time is exact.
    // Operations that Azure works on hold no place, so that a handful of requests at once is enough.
    for (text, parallelism, seconds) in [(quickstart(), 16, 1020), (fleet(50), 4, FLEET.as_secs())] {
        let ran = measure(&text, Throttling::Lenient, parallelism).await;
        let (makespan, bound) = (ran.makespan, ran.bound);
        assert!(makespan <= bound.mul_f64(1.05), "{makespan:?} for a bound of {bound:?}");
        assert!(makespan.as_secs() <= seconds, "{makespan:?}, and it was {seconds} s before");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_are_used_up_and_not_run_into() {
    for (text, parallelism) in [(fleet(50), 16), (crowd(900), 64)] {
        limited(&text, parallelism).await;
    }
}

async fn limited(text: &str, parallelism: usize) {
    let free = measure(text, Throttling::Lenient, parallelism).await;
    let ran = measure(text, Throttling::Azure, parallelism).await;
    let bound = free.bound.min(FLEET).max(free.head + buckets(&free.requests));
    assert_eq!(ran.throttled, 0, "{:?}", ran.requests);
    assert!(
        ran.makespan <= bound.mul_f64(1.1),
        "{:?} for a bound of {bound:?}, {:?}",
        ran.makespan,
        free.requests
    );
}

/// With `dns: auto`, 400 are 6 % off as well; that takes a quarter of a minute to play.
#[tokio::test(start_paused = true)]
async fn the_plan_says_how_long_it_takes() {
    for (clusters, dns) in [(1, "none"), (50, "none"), (400, "none"), (1, "auto"), (50, "auto")] {
        let ran = measure(&estate::fleet(clusters, dns), Throttling::Azure, 64).await;
        let ratio = ran.estimate.as_secs_f64() / ran.makespan.as_secs_f64();
        assert!(
            (0.9..=1.1).contains(&ratio),
            "{clusters} {dns}: {:?} for an estimate of {:?}",
            ran.makespan,
            ran.estimate
        );
    }
}
