//! Points in time as OData writes them: `Edm.Date` and `Edm.DateTimeOffset` (ABNF `dateValue`, `dateTimeOffsetValue`).
//!
//! Decides whether text is one, and which of two is earlier. Never knows what time it is.

/// A point in time: seconds since 1970-01-01T00:00:00Z and picoseconds, since OData allows twelve fractional digits.
/// A date without a time is its midnight in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    seconds: i64,
    picoseconds: u64,
}

impl Instant {
    /// Reads `2026-11-22`, `2026-11-22T08:50Z`, `2026-11-22T08:50:01.5+01:00`; years have four digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let days = days(date)?;
        let Some(time) = time else {
            return Some(Self { seconds: days * 86_400, picoseconds: 0 });
        };
        let (clock, offset) = split_offset(time)?;
        let (clock, picoseconds) = match clock.split_once('.') {
            Some((clock, fraction)) => (clock, picoseconds(fraction)?),
            None => (clock, 0),
        };
        let mut parts = clock.split(':');
        let hour = number(parts.next()?, 2, 23)?;
        let minute = number(parts.next()?, 2, 59)?;
        let second = match parts.next() {
            Some(second) => number(second, 2, 59)?,
            None if picoseconds == 0 && !time.contains('.') => 0,
            None => return None,
        };
        if parts.next().is_some() {
            return None;
        }
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        Some(Self { seconds, picoseconds })
    }
}

/// Splits the zone off and gives it in seconds east of UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let at = time.rfind(['+', '-'])?;
    let (clock, zone) = time.split_at_checked(at)?;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some((clock, sign * (number(hours, 2, 23)? * 3_600 + number(minutes, 2, 59)? * 60)))
}

fn picoseconds(fraction: &str) -> Option<u64> {
    if fraction.is_empty() || fraction.len() > 12 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<12}").parse().ok()
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, by Howard Hinnant's `days_from_civil`.
fn days(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4, 9_999)?;
    let month = number(parts.next()?, 2, 12)?;
    let day = number(parts.next()?, 2, 31)?;
    if parts.next().is_some() || month == 0 || day == 0 || day > days_in(year, month) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Exactly `width` ASCII digits, at most `largest`.
fn number(digits: &str, width: usize, largest: i64) -> Option<i64> {
    if digits.len() != width || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|&value| value <= largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        Instant::parse(text).unwrap().seconds
    }

    #[test]
    fn the_calendar_agrees_with_known_days() {
        assert_eq!(seconds("1970-01-01"), 0);
        assert_eq!(seconds("2000-02-29"), 951_782_400);
        assert_eq!(seconds("2026-11-22T00:00:00Z"), 1_795_305_600);
        assert_eq!(seconds("0001-01-01"), -62_135_596_800);
        assert_eq!(seconds("1900-01-01"), -2_208_988_800);
    }

    #[test]
    fn one_instant_in_two_zones_is_one_instant() {
        assert_eq!(Instant::parse("2026-11-22T01:30+01:30"), Instant::parse("2026-11-22T00:00:00.000Z"));
        assert!(Instant::parse("2026-11-22T00:00:00.1Z") > Instant::parse("2026-11-22T00:00:00.09Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "1900-02-29",
            "2026-11-22T",
            "2026-11-22T08",
            "2026-11-22T08:50",
            "2026-11-22T24:00Z",
            "2026-11-22T08:50.5Z",
            "2026-11-22T08:50:00.Z",
            "26-11-22",
            "2026-11-22T08:50:00+1:00",
            "2026-11-22T08:50:00:00Z",
            "2026-00-10",
            "2026-1é-01",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
