//! How far a machine's clock is from the lab's time, as a declaration spells it: `+20m`, `-1h30m`, `+0s`.
//!
//! Decides the spelling in both directions: a sign, then numbers with the units `d`, `h`, `m`, `s`, each at most once and
//! in this order. Never knows what time it is, and never decides what a wrong clock does.

use std::fmt::Write as _;

use mocktenant_verdict::Setting;
use time::Duration;

use mocktenant_patch::Problem;
use mocktenant_patch::nearest::clip;

/// A clock that is further off than a hundred years is a mistake, and dates would run out.
const FARTHEST: Duration = Duration::days(36_500);

const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The offset that `text`, which is declared at `at`, stands for.
pub fn parse(text: &str, at: &Setting) -> Result<Duration, Problem> {
    let Some(seconds) = seconds(text) else {
        let folded: String = text.chars().take(40).filter(|c| !c.is_whitespace()).collect();
        let folded = folded.to_ascii_lowercase().replace('\u{2212}', "-");
        let nearest = [folded.clone(), format!("+{folded}")].into_iter().find(|near| seconds(near).is_some());
        let hint = match nearest {
            Some(near) => format!("write it as `{near}`"),
            None => "a sign, then numbers with the units d, h, m, s: `+20m`, `-1h30m`, `+0s`".to_owned(),
        };
        let message = format!("`{}` is not an offset of a clock", clip(text));
        return Err(Problem::new(at.clone(), message).hint(hint));
    };
    let offset = Duration::seconds(seconds);
    if offset.abs() > FARTHEST {
        return Err(Problem::new(at.clone(), format!("`{}` is too far from the lab's time", clip(text)))
            .hint(format!("at most {} days either way", FARTHEST.whole_days())));
    }
    Ok(offset)
}

/// The usual spelling of an offset, in whole seconds.
pub fn to_text(offset: Duration) -> String {
    let mut rest = offset.whole_seconds().unsigned_abs();
    let mut text = String::from(if offset.whole_seconds() < 0 { "-" } else { "+" });
    for (unit, length) in UNITS {
        let length = length.unsigned_abs();
        if rest >= length {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.len() == 1 {
        text.push_str("0s");
    }
    text
}

fn seconds(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut units = UNITS.iter();
    let mut total = 0_i64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        // The iterator goes on where it stopped: a unit that was there, or a larger one, is not found again.
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(*length)?)?;
        rest = &rest[end + 1..];
    }
    (text.len() > 1).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Duration, String> {
        parse(text, &Setting::fixed("/tenants/x/clock")).map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_offset_is_a_sign_and_numbers_with_units() {
        for (text, seconds) in [
            ("+20m", 1_200),
            ("-1h30m", -5_400),
            ("+0s", 0),
            ("-0s", 0),
            ("+90m", 5_400),
            ("+1d2h3m4s", 93_784),
            ("-36500d", -3_153_600_000),
        ] {
            assert_eq!(read(text), Ok(Duration::seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_offset_is_told_with_the_nearest_one_that_is() {
        let refused = |text: &str| read(text).unwrap_err();
        assert_eq!(
            refused("20m"),
            "/tenants/x/clock: `20m` is not an offset of a clock (write it as `+20m`)"
        );
        assert!(refused("- 1H 30M").ends_with("(write it as `-1h30m`)"));
        assert_eq!(
            refused("+36501d"),
            "/tenants/x/clock: `+36501d` is too far from the lab's time (at most 36500 days either way)"
        );
        for text in
            ["", "+", "-", "+m", "+5", "+5w", "+1m1h", "+1m1m", "+1.5h", "++5m", "+5m ago", "é", "+5é"]
        {
            assert!(refused(text).contains("is not an offset of a clock"), "{text}");
        }
        assert!(refused(&format!("+{}d", i64::MAX)).contains("offset of a clock"));
        assert!(refused(&format!("+{}s", i64::MAX)).contains("too far"));
        assert!(refused(&"+1d".repeat(10_000)).len() < 400);
    }

    #[test]
    fn an_offset_is_written_in_one_way_and_read_back() {
        for (seconds, text) in [
            (0, "+0s"),
            (1_200, "+20m"),
            (-5_400, "-1h30m"),
            (86_400, "+1d"),
            (93_784, "+1d2h3m4s"),
            (-1, "-1s"),
        ] {
            assert_eq!(to_text(Duration::seconds(seconds)), text);
            assert_eq!(read(text), Ok(Duration::seconds(seconds)));
        }
        assert_eq!(to_text(Duration::milliseconds(-1_900)), "-1s");
        assert_eq!(to_text(Duration::milliseconds(-900)), "+0s");
    }
}
