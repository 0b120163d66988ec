//! When Azure may work on a cluster: its maintenance configurations
//! (<https://learn.microsoft.com/azure/templates/microsoft.containerservice/managedclusters/maintenanceconfigurations>).

use super::types::MAINTENANCE_CONFIGURATION;
use super::words::words;
use crate::catalog::{Draft, EntryCx, model};
use crate::ident::ArmId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// When Azure may work on the cluster by itself. What is absent is at any time.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MaintenanceSpec {
    /// The hours of AKS's own releases (the configuration `default`).
    pub(super) releases: Option<ReleasesSpec>,
    /// The window of `autoUpgrade.channel` (the configuration `aksManagedAutoUpgradeSchedule`).
    pub(super) upgrades: Option<WindowSpec>,
    /// The window of `autoUpgrade.nodeOsChannel` (the configuration `aksManagedNodeOSUpgradeSchedule`).
    pub(super) node_os: Option<WindowSpec>,
}

/// The hours of AKS's own releases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReleasesSpec {
    /// The hours of the week, in UTC.
    pub(super) allowed: Vec<HoursSpec>,
    /// Times when nothing may be done whatever the hour, in UTC.
    #[serde(default)]
    pub(super) not_allowed: Vec<TimesSpec>,
}

/// Hours of a day of the week.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HoursSpec {
    /// The day.
    pub(super) day: Day,
    /// The hours that may be used, in UTC: 1 is from 1:00 to 2:00 (`hourSlots`).
    pub(super) hours: Vec<u8>,
}

/// From one time to another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TimesSpec {
    /// The first instant, such as `2026-12-24T00:00:00Z`.
    pub(super) start: String,
    /// The last instant.
    pub(super) end: String,
}

/// A window that comes again and again: by one of `daily`, `weekly`, `monthly` and `monthlyByWeek`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WindowSpec {
    /// Every so many days; only of `nodeOs`.
    pub(super) daily: Option<DailySpec>,
    /// On a day of the week.
    pub(super) weekly: Option<WeeklySpec>,
    /// On a day of the month (`absoluteMonthly`).
    pub(super) monthly: Option<MonthlySpec>,
    /// On a day of a week of the month, such as the last Sunday (`relativeMonthly`).
    pub(super) monthly_by_week: Option<MonthlyByWeekSpec>,
    /// When it opens: `"02:00"` (`startTime`).
    pub(super) start: String,
    /// How long it is open, in hours: 4 to 24 (`durationHours`).
    pub(super) hours: i32,
    /// How far the clock of `start` is from UTC: `"+01:00"`; `"+00:00"` when absent.
    pub(super) utc_offset: Option<String>,
    /// The first day: `2026-12-01`; at once when absent.
    pub(super) start_date: Option<String>,
    /// Days on which it stays shut (`notAllowedDates`).
    #[serde(default)]
    pub(super) not_allowed: Vec<DatesSpec>,
}

/// Every so many days.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DailySpec {
    /// How many days from one to the next: 1 to 7; 1 when absent.
    #[serde(default = "one")]
    pub(super) every: i32,
}

/// On a day of the week.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WeeklySpec {
    /// How many weeks from one to the next: 1 to 4; 1 when absent.
    #[serde(default = "one")]
    pub(super) every: i32,
    /// The day.
    pub(super) day: Day,
}

/// On a day of the month.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MonthlySpec {
    /// How many months from one to the next: 1 to 6; 1 when absent.
    #[serde(default = "one")]
    pub(super) every: i32,
    /// The day: 1 to 31.
    pub(super) day: i32,
}

/// On a day of a week of the month.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MonthlyByWeekSpec {
    /// How many months from one to the next: 1 to 6; 1 when absent.
    #[serde(default = "one")]
    pub(super) every: i32,
    /// Which of the month: `First` to `Fourth`, or `Last` (`weekIndex`).
    pub(super) week: Week,
    /// The day.
    pub(super) day: Day,
}

/// From one day to another, both included.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DatesSpec {
    /// The first day: `2026-12-20`.
    pub(super) start: String,
    /// The last day.
    pub(super) end: String,
}

words! {
    /// A day of the week.
    Day {
        "Monday" => Monday,
        "Tuesday" => Tuesday,
        "Wednesday" => Wednesday,
        "Thursday" => Thursday,
        "Friday" => Friday,
        "Saturday" => Saturday,
        "Sunday" => Sunday,
    }
    /// A week of the month.
    Week { "First" => First, "Second" => Second, "Third" => Third, "Fourth" => Fourth, "Last" => Last, }
}

fn one() -> i32 {
    1
}

impl MaintenanceSpec {
    /// The windows, by their names in a blueprint and in Azure.
    pub(super) fn windows(&self) -> impl Iterator<Item = (&'static str, &'static str, &WindowSpec)> {
        [
            ("upgrades", "aksManagedAutoUpgradeSchedule", &self.upgrades),
            ("nodeOs", "aksManagedNodeOSUpgradeSchedule", &self.node_os),
        ]
        .into_iter()
        .filter_map(|(key, name, window)| Some((key, name, window.as_ref()?)))
    }

    /// Adds a configuration for each.
    pub(super) fn expand(&self, cluster: &ArmId, cx: &mut EntryCx<'_>) {
        let releases = self.releases.as_ref().map(|releases| ("releases", "default", releases.properties()));
        let windows = self.windows().map(|(key, name, window)| (key, name, window.properties()));
        for (key, name, properties) in releases.into_iter().chain(windows) {
            let address = cx.address.child("maintenance").child(key);
            let id = cluster.child("maintenanceConfigurations", name);
            let body = json!({ "properties": properties });
            cx.also(
                Draft::new(address, id.as_str(), &MAINTENANCE_CONFIGURATION, body)
                    .origin(format!("maintenance.{key}")),
            );
        }
    }
}

impl ReleasesSpec {
    fn properties(&self) -> Value {
        let allowed = self.allowed.iter().map(|hours| json!({ "day": hours.day, "hourSlots": hours.hours }));
        let mut properties = json!({ "timeInWeek": allowed.collect::<Vec<_>>() });
        if !self.not_allowed.is_empty() {
            let times =
                self.not_allowed.iter().map(|times| json!({ "start": times.start, "end": times.end }));
            properties["notAllowedTime"] = times.collect();
        }
        properties
    }
}

impl WindowSpec {
    /// Which schedules it has, by their names in a blueprint.
    pub(super) fn schedules(&self) -> Vec<&'static str> {
        [
            ("daily", self.daily.is_some()),
            ("weekly", self.weekly.is_some()),
            ("monthly", self.monthly.is_some()),
            ("monthlyByWeek", self.monthly_by_week.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, said)| said.then_some(name))
        .collect()
    }

    fn properties(&self) -> Value {
        let schedule = json!({
            "daily": self.daily.as_ref().map(|daily| json!({ "intervalDays": daily.every })),
            "weekly": self.weekly.as_ref().map(|weekly| {
                json!({ "intervalWeeks": weekly.every, "dayOfWeek": weekly.day })
            }),
            "absoluteMonthly": self.monthly.as_ref().map(|monthly| {
                json!({ "intervalMonths": monthly.every, "dayOfMonth": monthly.day })
            }),
            "relativeMonthly": self.monthly_by_week.as_ref().map(|monthly| {
                json!({ "intervalMonths": monthly.every, "weekIndex": monthly.week, "dayOfWeek": monthly.day })
            }),
        });
        let dates = self.not_allowed.iter().map(|dates| json!({ "start": dates.start, "end": dates.end }));
        let dates: Vec<Value> = dates.collect();
        model(&json!({ "maintenanceWindow": {
            "schedule": schedule,
            "durationHours": self.hours,
            "startTime": self.start,
            "utcOffset": self.utc_offset,
            "startDate": self.start_date,
            "notAllowedDates": (!dates.is_empty()).then_some(dates),
        } }))
    }
}
