//! How the values of options are read.

use berth::diag::Failure;

/// A day, as `2027-06-30`; of a month its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day(pub String);

impl std::str::FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('-').collect();
        let is = |part: &str, digits: usize, last: u32| {
            part.len() == digits && part.parse::<u32>().is_ok_and(|number| (1..=last).contains(&number))
        };
        match parts.as_slice() {
            // Days are compared as texts: no month has more.
            [year, month] if is(year, 4, 9999) && is(month, 2, 12) => Ok(Day(format!("{text}-31"))),
            [year, month, day] if is(year, 4, 9999) && is(month, 2, 12) && is(day, 2, 31) => {
                Ok(Day(text.to_owned()))
            }
            _ => Err("write a month such as `2027-06`, or a day such as `2027-06-30`".to_owned()),
        }
    }
}

pub(super) fn speed(text: &str) -> Result<f64, Failure> {
    let speed = text.parse::<f64>().ok().filter(|speed| speed.is_finite() && *speed > 0.0);
    speed
        .ok_or_else(|| Failure::bare("write a number above 0, such as `60`; without it nothing waits at all"))
}

pub(super) fn duration(text: &str) -> Result<std::time::Duration, Failure> {
    berth::value::parse_duration(text)
        .ok_or_else(|| Failure::bare("write a duration such as `90s`, `10m` or `1h30m`"))
}
