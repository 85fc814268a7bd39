//! Points in time as text.

use std::time::{SystemTime, UNIX_EPOCH};

/// `time` as RFC 3339 text in UTC, to the second: `2026-07-30T09:05:00Z`. Times before 1970 become 1970.
pub fn rfc3339_utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of the month, `days` after 1 January 1970, in the Gregorian calendar.
///
/// Years are counted from 1 March, so that a leap day ends one; five months from March on, and again from August on,
/// then have 153 days.
fn civil_date(days: u64) -> (u64, u64, u64) {
    const FROM_MARCH_0000: u64 = 719_468;
    const CYCLE: u64 = 146_097; // 400 years
    let days = days + FROM_MARCH_0000;
    let (cycle, day) = (days / CYCLE, days % CYCLE);
    // Leap days are every 4 years (1460 days apart), but not every 100 (36524), and at the end of the 400.
    let year = (day - day / 1460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (400 * cycle + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Counted day by day, with nothing but the definition of the Gregorian calendar.
    #[test]
    fn dates_agree_with_a_calendar_counted_day_by_day() {
        let is_leap = |year: u64| {
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
        };
        let length = |year, month| match month {
            2 if is_leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let mut date = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(civil_date(days), date);
            let (year, month, day) = date;
            date = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                _ if day == length(year, month) => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn known_instants_read_as_their_text() {
        let at = |seconds| rfc3339_utc(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(at(1_000_000_000), "2001-09-09T01:46:40Z");
    }
}
