//! Moments and days as both products write them.
//!
//! Decides what text is one (RFC 3339, and what OData's `dateTimeOffsetValue` allows beside it) and how it is written: in UTC
//! with whole seconds. Years and zones are those of .NET's `DateTimeOffset`, which both products hold them in: 1 to 9999, in
//! UTC too, and fourteen hours to either side. That Dataverse's columns begin at 1753 is a rule of its own.

use std::fmt::Write as _;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// The first second of the year 1.
const FIRST: i64 = -719_162 * DAY;

/// The last second of the year 9999.
const LAST: i64 = 2_932_897 * DAY - 1;

/// As far as a clock may be from UTC, in seconds.
const FARTHEST: i64 = 14 * 3_600;

/// Reads `2026-11-22T08:50:01.5+01:00` as seconds since 1970 in UTC, fractions cut off; a date alone is its midnight.
pub fn parse_moment(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let days = i64::from(parse_day(date)?);
    let Some(time) = time else { return Some(days * DAY) };
    let (clock, offset) = split_offset(time)?;
    let clock = match clock.split_once('.') {
        Some((clock, fraction)) => {
            let digits =
                (1..=12).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
            if !digits {
                return None;
            }
            clock
        }
        None => clock,
    };
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2, 23)?;
    let minute = number(parts.next()?, 2, 59)?;
    let second = match parts.next() {
        Some(second) => number(second, 2, 59)?,
        None if time.contains('.') => return None,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    let moment = days * DAY + hour * 3_600 + minute * 60 + second - offset;
    (FIRST..=LAST).contains(&moment).then_some(moment)
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
    let offset = number(hours, 2, 14)? * 3_600 + number(minutes, 2, 59)? * 60;
    (offset <= FARTHEST).then_some((clock, sign * offset))
}

/// Reads `2026-11-22` as days since 1970 in the proleptic Gregorian calendar, by Howard Hinnant's `days_from_civil`.
pub fn parse_day(date: &str) -> Option<i32> {
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4, 9_999)?;
    let month = number(parts.next()?, 2, 12)?;
    let day = number(parts.next()?, 2, 31)?;
    if parts.next().is_some() || year == 0 || month == 0 || day == 0 || day > days_in(year, month) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
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
    digits.parse().ok().filter(|value| *value <= largest)
}

/// Year, month and day of a day, by Howard Hinnant's `civil_from_days`.
pub fn civil(day: i32) -> (i64, u8, u8) {
    let days = i64::from(day) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// The day a moment lies in, and its second of that day.
pub fn split(moment: i64) -> (i32, u32) {
    let (day, second) = (moment.div_euclid(DAY), moment.rem_euclid(DAY));
    (i32::try_from(day).unwrap_or(i32::MAX), u32::try_from(second).unwrap_or_default())
}

/// `2026-11-22`.
pub fn day_text(day: i32) -> String {
    let (year, month, day) = civil(day);
    let mut text = String::with_capacity(20);
    if (0..10_000).contains(&year) {
        push_two(&mut text, year / 100);
        push_two(&mut text, year % 100);
    } else {
        // Writing to a String cannot fail.
        let _ = write!(text, "{year:04}");
    }
    for (before, number) in [('-', month), ('-', day)] {
        text.push(before);
        push_two(&mut text, number);
    }
    text
}

/// A number below a hundred in two digits.
fn push_two(text: &mut String, number: impl TryInto<u8>) {
    let number = number.try_into().unwrap_or_default();
    text.push(char::from(b'0' + number / 10 % 10));
    text.push(char::from(b'0' + number % 10));
}

/// `2026-11-22T08:50:01Z`.
pub fn moment_text(moment: i64) -> String {
    let (day, second) = split(moment);
    let mut text = day_text(day);
    for (before, number) in [('T', second / 3_600), (':', second / 60 % 60), (':', second % 60)] {
        text.push(before);
        push_two(&mut text, number);
    }
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_agrees_with_known_days_and_goes_both_ways() {
        for (text, day) in
            [("1970-01-01", 0), ("2000-02-29", 11_016), ("1900-01-01", -25_567), ("0001-01-01", -719_162)]
        {
            assert_eq!(parse_day(text), Some(day), "{text}");
            assert_eq!(day_text(day), text);
        }
        for day in (-700_000..2_900_000).step_by(997) {
            assert_eq!(parse_day(&day_text(day)), Some(day));
        }
    }

    #[test]
    fn a_moment_is_read_in_any_zone_and_written_in_utc() {
        for (text, written) in [
            ("2023-04-19T03:00:00+07:00", "2023-04-18T20:00:00Z"),
            ("2026-11-22T01:30+01:30", "2026-11-22T00:00:00Z"),
            ("2026-11-22T00:00:00.999Z", "2026-11-22T00:00:00Z"),
            ("1900-01-01", "1900-01-01T00:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("0001-01-01T14:00:00+14:00", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59Z"),
            ("9999-12-31T09:59:59-14:00", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(parse_moment(text).map(moment_text).as_deref(), Some(written), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-11-22T",
            "2026-11-22T08:50",
            "2026-11-22T24:00Z",
            "2026-11-22T08:50.5Z",
            "2026-11-22T08:50:00.Z",
            "26-11-22",
            "2026-11-22T08:50:00+1:00",
            "2026-1é-01",
            "2026-11-22 08:50:00Z",
            "0000-01-01",
            "0000-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+00:01",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-12:00",
            "9999-12-31T23:59:59-00:01",
            "2026-11-22T08:50:00+15:00",
            "2026-11-22T08:50:00+14:01",
            "2026-11-22T08:50:00-23:59",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }
}
