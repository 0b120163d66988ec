//! Points in time, as people write them.

/// The date of a number of seconds since 1970, with the time of day in UTC when that is not midnight. `None` outside the
/// years 1970 to 9999.
pub fn date_of(seconds: i64) -> Option<String> {
    const DAY: i64 = 86_400;
    if !(0..253_402_300_800).contains(&seconds) {
        return None;
    }
    let (days, time) = (seconds / DAY, seconds % DAY);
    // The civil calendar by eras of 400 years, counting years from March so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let date = format!("{year:04}-{month:02}-{day:02}");
    Some(match time {
        0 => date,
        time => format!("{date}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates() {
        for (seconds, date) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_801_353_600, "2027-01-31"),
            (1_801_353_601, "2027-01-31T00:00:01Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(date_of(seconds).as_deref(), Some(date), "{seconds}");
        }
        for seconds in [-1, 253_402_300_800, i64::MAX, i64::MIN] {
            assert_eq!(date_of(seconds), None, "{seconds}");
        }
    }
}
