//! How long a program takes, and what makes it so long.

use super::program::Unit;
use crate::ident::ArmId;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// See [`super::Program::critical_path`].
pub(super) fn critical_path(units: &[Unit]) -> (Vec<usize>, u64) {
    let mut before: Vec<Option<usize>> = vec![None; units.len()];
    let mut until = vec![0_u64; units.len()];
    let mut open: Vec<usize> = units.iter().map(|unit| unit.after.len()).collect();
    let mut users = vec![Vec::new(); units.len()];
    for (at, unit) in units.iter().enumerate() {
        unit.after.iter().for_each(|&need| users[need].push(at));
    }
    // The last unit that got a lane.
    let mut lanes: HashMap<&ArmId, usize> = HashMap::new();
    let ready = (0..units.len()).filter(|&at| open[at] == 0);
    let mut ready: BinaryHeap<Reverse<(u64, usize)>> = ready.map(|at| Reverse((0, at))).collect();
    while let Some(Reverse((start, at))) = ready.pop() {
        let unit = &units[at];
        let own: &[ArmId] = if unit.expected_ms > 0 { &unit.lanes } else { &[] };
        let held = own.iter().filter_map(|lane| lanes.get(lane).copied()).max_by_key(|&b| (until[b], b));
        if let Some(held) = held.filter(|&held| until[held] > start) {
            before[at] = Some(held);
            ready.push(Reverse((until[held], at)));
            continue;
        }
        until[at] = start + unit.expected_ms;
        lanes.extend(own.iter().map(|lane| (lane, at)));
        for &user in &users[at] {
            open[user] -= 1;
            if open[user] == 0 {
                let latest = units[user].after.iter().copied().max_by_key(|&b| (until[b], b));
                before[user] = latest;
                ready.push(Reverse((latest.map_or(0, |b| until[b]), user)));
            }
        }
    }
    let Some(last) = (0..units.len()).max_by_key(|&at| (until[at], Reverse(at))) else {
        return (Vec::new(), 0);
    };
    let path = std::iter::successors(Some(last), |&at| before[at]);
    let mut path: Vec<usize> = path.filter(|&at| units[at].expected_ms > 0).collect();
    path.reverse();
    (path, until[last])
}
