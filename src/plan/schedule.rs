//! How long a program takes, what makes it so long, and what goes first.
//!
//! One schedule answers all three, played with the expected times: units start in the order of what hangs on them, never
//! two in one lane, and no faster than the limits of their subscription let requests through. `apply` keeps the same
//! order. How many requests may be in flight at once is left out: that many are never needed.

use super::program::{Requests, Unit};
use crate::ident::ArmId;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// The first tokens of a subscription, and what flows in per second, as ARM documents them for reads, writes and
/// deletes. What a subscription has left when applying begins is not known yet.
const LIMITS: [(f64, f64); 3] = [(250.0, 25.0), (200.0, 10.0), (200.0, 10.0)];

/// See [`super::Program::critical_path`].
pub(super) fn critical_path(units: &[Unit]) -> (Vec<usize>, u64) {
    let play = Play::of(units);
    let scopes = scopes(units);
    let requests: Vec<(usize, Requests)> =
        units.iter().zip(scopes).map(|(unit, scope)| (scope, unit.work.first_requests())).collect();
    let played = play.run(&play.priorities(), Some(&requests));
    let until = |at: usize| played.until[at];
    let Some(last) = (0..units.len()).max_by_key(|&at| (until(at), Reverse(at))) else {
        return (Vec::new(), 0);
    };
    let path = std::iter::successors(Some(last), |&at| played.before[at]);
    let mut path: Vec<usize> = path.filter(|&at| units[at].expected_ms > 0).collect();
    path.reverse();
    (path, until(last))
}

/// See [`super::Program::priorities`].
pub(super) fn priorities(units: &[Unit]) -> Vec<u64> {
    Play::of(units).priorities()
}

/// The subscription of each unit, as a number.
fn scopes(units: &[Unit]) -> Vec<usize> {
    let mut names: Vec<&str> = Vec::new();
    let mut number = |unit| {
        let name = ArmId::subscription(unit).unwrap_or_default();
        names.iter().position(|known| known.eq_ignore_ascii_case(name)).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
    };
    units.iter().map(|unit| number(&unit.id)).collect()
}

/// What is to be scheduled.
#[derive(Debug, Clone)]
struct Play {
    /// What each waits for.
    needs: Vec<Vec<usize>>,
    /// What waits for each.
    users: Vec<Vec<usize>>,
    /// The lanes of each, by number.
    lanes: Vec<Vec<usize>>,
    count_of_lanes: usize,
    times: Vec<u64>,
}

/// How a schedule went.
#[derive(Debug)]
struct Played {
    /// When each ended.
    until: Vec<u64>,
    /// What each waited for last.
    before: Vec<Option<usize>>,
}

impl Play {
    fn of(units: &[Unit]) -> Self {
        let mut numbers: HashMap<&ArmId, usize> = HashMap::new();
        let mut users = vec![Vec::new(); units.len()];
        let mut lanes = Vec::with_capacity(units.len());
        for (at, unit) in units.iter().enumerate() {
            unit.after.iter().for_each(|&need| users[need].push(at));
            // What takes no time is in nobody's way.
            let own: &[ArmId] = if unit.expected_ms > 0 { &unit.lanes } else { &[] };
            let mut number = |lane| {
                let next = numbers.len();
                *numbers.entry(lane).or_insert(next)
            };
            lanes.push(own.iter().map(&mut number).collect());
        }
        Play {
            needs: units.iter().map(|unit| unit.after.clone()).collect(),
            users,
            lanes,
            count_of_lanes: numbers.len(),
            times: units.iter().map(|unit| unit.expected_ms).collect(),
        }
    }

    /// How long it is from the start of each to the end of all that hangs on it, those behind it in its lanes included:
    /// the schedule played backwards, from the end to the beginning.
    fn priorities(&self) -> Vec<u64> {
        let mut backwards = Play { needs: self.users.clone(), users: self.needs.clone(), ..self.clone() };
        // Of those in one lane the one that can begin last goes last.
        let heads = self.heads();
        // What takes no time still comes before what needs it.
        backwards.times.iter_mut().for_each(|time| *time += 1);
        backwards.run(&heads, None).until
    }

    /// When each could end at the earliest.
    fn heads(&self) -> Vec<u64> {
        let mut heads = vec![0; self.times.len()];
        let mut open: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..open.len()).filter(|&at| open[at] == 0).collect();
        while let Some(at) = ready.pop() {
            heads[at] += self.times[at];
            for &user in &self.users[at] {
                heads[user] = heads[user].max(heads[at]);
                open[user] -= 1;
                if open[user] == 0 {
                    ready.push(user);
                }
            }
        }
        heads
    }

    /// Plays the schedule, the highest priority first.
    fn run(&self, priority: &[u64], requests: Option<&[(usize, Requests)]>) -> Played {
        let count = self.times.len();
        let mut played = Played { until: vec![0; count], before: vec![None; count] };
        let mut open: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let place = |at: usize| (priority[at], Reverse(at));
        let mut ready: BinaryHeap<_> = (0..count).filter(|&at| open[at] == 0).map(place).collect();
        let mut ends: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let mut taken: Vec<bool> = vec![false; self.count_of_lanes];
        let mut freed_by: Vec<Option<usize>> = vec![None; self.count_of_lanes];
        let mut parked: Vec<BinaryHeap<(u64, Reverse<usize>)>> = vec![BinaryHeap::new(); self.count_of_lanes];
        let mut budgets: Vec<Budget> = Vec::new();
        let mut now = 0;
        loop {
            let mut wake = None;
            while let Some((_, Reverse(at))) = ready.pop() {
                if let Some(&lane) = self.lanes[at].iter().find(|&&lane| taken[lane]) {
                    parked[lane].push(place(at));
                    // Another may have the lanes that this one leaves free.
                    for &other in self.lanes[at].iter().filter(|&&other| !taken[other]) {
                        if let Some((key, Reverse(behind))) = parked[other].pop() {
                            played.before[behind] = freed_by[other].or(played.before[behind]);
                            ready.push((key, Reverse(behind)));
                        }
                    }
                    continue;
                }
                if let Some((scope, asked)) = requests.map(|requests| requests[at]) {
                    if budgets.len() <= scope {
                        budgets.resize(scope + 1, Budget::default());
                    }
                    if let Some(pause) = budgets[scope].take(asked, now) {
                        ready.push(place(at));
                        wake = Some(now + pause);
                        break;
                    }
                }
                played.until[at] = now + self.times[at];
                if self.times[at] == 0 {
                    // What hangs on it may be more urgent than what else is ready now.
                    self.release(at, &mut open, &mut played, |user| ready.push(place(user)));
                    continue;
                }
                self.lanes[at].iter().for_each(|&lane| taken[lane] = true);
                ends.push(Reverse((played.until[at], at)));
            }
            let next = ends.peek().map(|&Reverse((end, _))| end);
            let Some(next) = next.into_iter().chain(wake).min() else { return played };
            now = next;
            while let Some(&Reverse((end, at))) = ends.peek()
                && end <= now
            {
                ends.pop();
                for &lane in &self.lanes[at] {
                    taken[lane] = false;
                    freed_by[lane] = Some(at);
                    if let Some((key, Reverse(behind))) = parked[lane].pop() {
                        played.before[behind] = Some(at);
                        ready.push((key, Reverse(behind)));
                    }
                }
                self.release(at, &mut open, &mut played, |user| ready.push(place(user)));
            }
        }
    }

    /// Tells those that wait for a unit that it is done. The ones that wait for nothing else are ready.
    fn release(&self, at: usize, open: &mut [usize], played: &mut Played, mut ready: impl FnMut(usize)) {
        for &user in &self.users[at] {
            open[user] -= 1;
            if open[user] == 0 {
                played.before[user] = Some(at);
                ready(user);
            }
        }
    }
}

/// What a subscription has left.
#[derive(Debug, Clone, Copy)]
struct Budget {
    tokens: [f64; 3],
    at: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { tokens: LIMITS.map(|(size, _)| size), at: 0 }
    }
}

impl Budget {
    /// Takes what a unit asks for, or says in how many milliseconds it is there.
    fn take(&mut self, asked: Requests, now: u64) -> Option<u64> {
        let flown = (now - self.at) as f64 / 1000.0;
        self.at = now;
        let wanted = [asked.reads, asked.writes, asked.deletes].map(|asked| f64::from(u8::from(asked)));
        let mut pause: f64 = 0.0;
        for ((tokens, (size, rate)), wanted) in self.tokens.iter_mut().zip(LIMITS).zip(wanted) {
            *tokens = (*tokens + flown * rate).min(size);
            pause = pause.max((wanted - *tokens) / rate);
        }
        if pause > 1e-9 {
            return Some(((pause * 1000.0).ceil() as u64).max(1));
        }
        self.tokens.iter_mut().zip(wanted).for_each(|(tokens, wanted)| *tokens -= wanted);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units as what they need, their lanes and their time in seconds.
    fn play(units: &[(&[usize], &[usize], u64)]) -> Play {
        let mut users = vec![Vec::new(); units.len()];
        for (at, (needs, ..)) in units.iter().enumerate() {
            needs.iter().for_each(|&need| users[need].push(at));
        }
        Play {
            needs: units.iter().map(|(needs, ..)| needs.to_vec()).collect(),
            users,
            lanes: units.iter().map(|(_, lanes, _)| lanes.to_vec()).collect(),
            count_of_lanes: 4,
            times: units.iter().map(|(.., seconds)| seconds * 1000).collect(),
        }
    }

    fn makespan(play: &Play) -> u64 {
        play.run(&play.priorities(), None).until.into_iter().max().unwrap_or(0) / 1000
    }

    #[test]
    fn what_a_lane_waits_for_goes_first() {
        // Three links in one lane, each behind a network of its own, count for more than the longer chain beside them.
        let units: [(&[usize], &[usize], u64); 5] =
            [(&[], &[1], 5), (&[], &[1], 5), (&[0], &[0], 40), (&[1], &[0], 40), (&[], &[], 50)];
        let play = play(&units);
        let priorities = play.priorities();
        assert!(priorities[0].max(priorities[1]) >= 85_000, "{priorities:?}");
        assert!(priorities[4] < 51_000, "{priorities:?}");
        assert_eq!(makespan(&play), 85);
    }

    #[test]
    fn a_lane_that_is_left_free_is_offered_on() {
        // The first of lane 0 waits for lane 1 as well: the second need not wait for it.
        let units: [(&[usize], &[usize], u64); 4] =
            [(&[], &[0], 10), (&[], &[1], 100), (&[], &[0, 1], 90), (&[], &[0], 20)];
        assert_eq!(makespan(&play(&units)), 190);
    }

    #[test]
    fn the_limits_count_per_subscription() {
        let units: Vec<(&[usize], &[usize], u64)> = vec![(&[], &[], 5); 400];
        let play = play(&units);
        let writes = Requests { writes: true, ..Requests::default() };
        let last = |requests: &[(usize, Requests)]| {
            play.run(&play.priorities(), Some(requests)).until.into_iter().max().unwrap()
        };
        let one: Vec<_> = (0..400).map(|_| (0, writes)).collect();
        assert!((25_000..25_100).contains(&last(&one)), "{}", last(&one));
        let two: Vec<_> = (0..400).map(|at| (at % 2, writes)).collect();
        assert_eq!(last(&two), 5000);
    }
}
