//! What has room: reports have limits, of the place that shows them or of who reads them.
//!
//! Every report keeps its counts. Of the rest it drops details first, those of the least grave first, then whole entries,
//! and it says how many of each.

/// How many entries have room, and how many of those with their details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// How many entries are shown.
    pub(super) shown: usize,
    /// How many of them with their details.
    pub(super) detailed: usize,
}

/// Fits entries into so many bytes, in their order. Of each the size without details, and the size of the details.
pub(super) fn fit(entries: &[(usize, usize)], room: usize) -> Fit {
    let mut used = 0;
    let mut shown = 0;
    for (short, _) in entries {
        if used + short > room {
            break;
        }
        used += short;
        shown += 1;
    }
    let mut detailed = 0;
    for (_, detail) in &entries[..shown] {
        if used + detail > room {
            break;
        }
        used += detail;
        detailed += 1;
    }
    Fit { shown, detailed }
}

/// An entry of a report that keeps its own order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// How much it matters: those of the lowest rank are kept longest.
    pub(super) rank: u8,
    /// Its size without details.
    pub(super) short: usize,
    /// The size of its details.
    pub(super) detail: usize,
}

/// How an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Showing {
    Dropped,
    Short,
    Whole,
}

/// Fits entries into so many bytes by their rank, without changing their order: how each is shown.
pub(super) fn fit_by_rank(entries: &[Entry], room: usize) -> (Fit, Vec<Showing>) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&at| entries[at].rank);
    let sizes: Vec<(usize, usize)> =
        order.iter().map(|&at| (entries[at].short, entries[at].detail)).collect();
    let fitted = fit(&sizes, room);
    let mut showing = vec![Showing::Dropped; entries.len()];
    for (place, &at) in order.iter().enumerate().take(fitted.shown) {
        showing[at] = if place < fitted.detailed { Showing::Whole } else { Showing::Short };
    }
    (fitted, showing)
}

/// What was dropped, in words; nothing when nothing was.
pub(super) fn dropped(fit: Fit, all: usize) -> Option<String> {
    let (entries, details) = (all - fit.shown, fit.shown - fit.detailed);
    let resources = |number: usize| super::text::count(number, "resource");
    match (entries, details) {
        (0, 0) => None,
        (0, details) => Some(format!(
            "the details of {} are left out: this report has no room for them",
            resources(details)
        )),
        (entries, 0) => {
            Some(format!("{} are not listed: this report has no room for them", resources(entries)))
        }
        (entries, details) => Some(format!(
            "{} are not listed, and of {} only the first line: this report has no room for more",
            resources(entries),
            resources(details)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_go_before_entries() {
        let entries = [(10, 100); 5];
        for (room, shown, detailed) in
            [(1000, 5, 5), (550, 5, 5), (549, 5, 4), (50, 5, 0), (49, 4, 0), (0, 0, 0)]
        {
            assert_eq!(fit(&entries, room), Fit { shown, detailed }, "{room}");
        }
        assert_eq!(dropped(Fit { shown: 5, detailed: 5 }, 5), None);
        assert!(
            dropped(Fit { shown: 4, detailed: 1 }, 5)
                .unwrap()
                .starts_with("1 resource are not listed, and of 3")
        );
    }
}
