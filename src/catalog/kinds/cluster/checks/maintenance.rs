//! Checks of the maintenance windows.

use super::super::maintenance::{MaintenanceSpec, WindowSpec};
use super::super::spec::{Channel, NodeOsChannel, Spec};
use crate::catalog::{EntryCx, Problem};
use crate::diag::Code;
use crate::value::token::has_token;

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] =
    &[&MAINTENANCE, &MAINTENANCE_HOURS, &MAINTENANCE_SCHEDULE, &MAINTENANCE_TIME];

const MAINTENANCE: Code = Code {
    name: "maintenance",
    why: "A window without upgrades that heed it does nothing.",
    remedy: "Choose a channel of upgrades, or leave the window out.",
    example: "autoUpgrade: { channel: patch, nodeOsChannel: NodeImage }",
};

pub(super) fn check(spec: &Spec, cx: &mut EntryCx<'_>) {
    let Some(maintenance) = &spec.maintenance else { return };
    releases(maintenance, cx);
    for (key, _, window) in maintenance.windows() {
        self::window(key, window, cx);
    }
    let upgrade = spec.auto_upgrade.as_ref();
    let channel = upgrade.and_then(|upgrade| upgrade.channel);
    if maintenance.upgrades.is_some() && matches!(channel, None | Some(Channel::None)) {
        cx.problem(
            Problem::warning(
                &MAINTENANCE,
                "maintenance.upgrades",
                "nothing is upgraded by itself, in this window or another",
            )
            .help("add `autoUpgrade: { channel: patch }`"),
        );
    }
    let channel = upgrade.and_then(|upgrade| upgrade.node_os_channel);
    if maintenance.node_os.is_some()
        && matches!(channel, Some(NodeOsChannel::None | NodeOsChannel::Unmanaged))
    {
        cx.problem(
            Problem::warning(
                &MAINTENANCE,
                "maintenance.nodeOs",
                "the channel of the nodes' images heeds no window",
            )
            .help("write `autoUpgrade: { nodeOsChannel: NodeImage }`, or `SecurityPatch`"),
        );
    }
}

const MAINTENANCE_HOURS: Code = Code {
    name: "maintenance-hours",
    why: "Hours and lengths of windows are whole hours of a day, in Azure's bounds.",
    remedy: "Write hours from 0 to 23 and a length of 4 to 24.",
    example: "maintenance: { upgrades: { weekly: { day: Sunday }, start: \"01:00\", hours: 4 } }",
};

fn releases(maintenance: &MaintenanceSpec, cx: &mut EntryCx<'_>) {
    let Some(releases) = &maintenance.releases else { return };
    for (at, day) in releases.allowed.iter().enumerate() {
        let path = format!("maintenance.releases.allowed[{at}]");
        if let Some(hour) = day.hours.iter().find(|hour| **hour > 23) {
            cx.problem(
                Problem::error(
                    &MAINTENANCE_HOURS,
                    format!("{path}.hours"),
                    format!("a day has no hour {hour}"),
                )
                .help("write 0 to 23; 1 is from 1:00 to 2:00 UTC"),
            );
        }
        if releases.allowed[..at].iter().any(|other| other.day == day.day) {
            cx.problem(
                Problem::error(&MAINTENANCE_HOURS, path, "this day has hours already")
                    .help("write all hours of a day in one list"),
            );
        }
    }
}

const MAINTENANCE_SCHEDULE: Code = Code {
    name: "maintenance-schedule",
    why: "A window comes back daily, weekly, on a day of the month or on a weekday of it: one of these, as often as Azure takes.",
    remedy: "Keep one of `daily`, `weekly`, `monthly` and `monthlyByWeek`.",
    example: "weekly: { day: Sunday, every: 1 }",
};

const MAINTENANCE_TIME: Code = Code {
    name: "maintenance-time",
    why: "A time of day or a date of a window cannot be read.",
    remedy: "Write a time as `01:00`, a date as `2027-01-31`, in quotes.",
    example: "start: \"01:00\"",
};

fn window(key: &str, window: &WindowSpec, cx: &mut EntryCx<'_>) {
    let path = format!("maintenance.{key}");
    let schedules = window.schedules();
    if schedules.len() != 1 {
        let (at, message) = match schedules.get(1) {
            None => (path.clone(), "a window comes again by a schedule".to_owned()),
            Some(second) => {
                (format!("{path}.{second}"), format!("`{}` and `{second}` exclude each other", schedules[0]))
            }
        };
        cx.problem(
            Problem::error(&MAINTENANCE_SCHEDULE, at, message)
                .help("write one of `daily`, `weekly`, `monthly` and `monthlyByWeek`, such as `weekly: { day: Sunday }`"),
        );
    }
    if window.daily.is_some() && key != "nodeOs" {
        cx.problem(
            Problem::error(
                &MAINTENANCE_SCHEDULE,
                format!("{path}.daily"),
                "Azure takes daily windows for the nodes' images only",
            )
            .help("write `weekly: { day: Sunday }`, or use the window `nodeOs`"),
        );
    }
    let every = [
        ("daily", window.daily.as_ref().map(|daily| daily.every), 7),
        ("weekly", window.weekly.as_ref().map(|weekly| weekly.every), 4),
        ("monthly", window.monthly.as_ref().map(|monthly| monthly.every), 6),
        ("monthlyByWeek", window.monthly_by_week.as_ref().map(|monthly| monthly.every), 6),
    ];
    for (name, every, most) in every {
        if let Some(every) = every.filter(|every| !(1..=most).contains(every)) {
            cx.problem(
                Problem::error(
                    &MAINTENANCE_SCHEDULE,
                    format!("{path}.{name}.every"),
                    format!("{every} is not how often a window comes"),
                )
                .help(format!("write 1 to {most}")),
            );
        }
    }
    if window.monthly.as_ref().is_some_and(|monthly| !(1..=31).contains(&monthly.day)) {
        cx.problem(
            Problem::error(&MAINTENANCE_SCHEDULE, format!("{path}.monthly.day"), "a month has no such day")
                .help("write 1 to 31"),
        );
    }
    if !(4..=24).contains(&window.hours) {
        cx.problem(
            Problem::error(
                &MAINTENANCE_HOURS,
                format!("{path}.hours"),
                format!("a window of {} hours is not one that Azure takes", window.hours),
            )
            .help("write 4 to 24"),
        );
    }
    let mut read = |field: &str, text: &str, good: bool, help: &str| {
        if !has_token(text) && !good {
            cx.problem(
                Problem::error(
                    &MAINTENANCE_TIME,
                    format!("{path}.{field}"),
                    format!("`{text}` cannot be read"),
                )
                .help(help),
            );
        }
    };
    read("start", &window.start, is_time(&window.start), "write hours and minutes: `\"02:00\"`");
    if let Some(offset) = &window.utc_offset {
        let good = offset.strip_prefix(['+', '-']).is_some_and(is_time);
        read("utcOffset", offset, good, "write a sign, hours and minutes: `\"+01:00\"`");
    }
    let dates = window.not_allowed.iter().enumerate().flat_map(|(at, dates)| {
        [(format!("notAllowed[{at}].start"), &dates.start), (format!("notAllowed[{at}].end"), &dates.end)]
    });
    let first = window.start_date.iter().map(|date| ("startDate".to_owned(), date));
    for (field, date) in first.chain(dates) {
        read(&field, date, is_date(date), "write year, month and day: `\"2026-12-24\"`");
    }
}

fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Whether a text is hours and minutes.
fn is_time(text: &str) -> bool {
    text.split_once(':').is_some_and(|(hours, minutes)| {
        number(hours, 2).is_some_and(|hours| hours < 24)
            && number(minutes, 2).is_some_and(|minutes| minutes < 60)
    })
}

/// Whether a text is year, month and day.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    number(year, 4).is_some()
        && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
}
