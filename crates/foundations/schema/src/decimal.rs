//! Decimal numbers: money and other amounts, exact to ten digits after the point.
//!
//! Decides how a number is read, rounded and written. Both products keep amounts as decimals, never as doubles: Dataverse up to
//! ten digits after the point, Finance and Operations six in most tables. What is finer is rounded away.

use std::fmt;

/// A decimal number: a whole number of ten-thousand-millionths, so that adding and comparing are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// Digits after the point.
const DIGITS: u32 = 10;
/// One.
const ONE: i128 = 10_i128.pow(DIGITS);
/// The greatest whole part that is read, either side of zero.
const LARGEST: f64 = 1e24;

impl Decimal {
    /// Nought.
    pub const ZERO: Self = Self(0);

    /// A whole number.
    pub const fn from_whole(whole: i64) -> Self {
        // An i64 has 19 digits, with ten more it stays below the 38 of an i128.
        Self(whole as i128 * ONE)
    }

    /// A number of ten-thousand-millionths, as [`Decimal::units`] gives it.
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// The number in ten-thousand-millionths.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// Reads `-12.50` or `1e3`; `None` for what is no number, is infinite or has more than 24 digits before the point.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        // The place of the first digit, seen from ten digits after the point.
        let scale = i32::try_from(DIGITS)
            .ok()?
            .checked_add(exponent)?
            .checked_add(i32::try_from(whole.len()).ok()?)?;
        let mut value: i128 = 0;
        let mut place = scale;
        let mut round = false;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = i128::from(digit - b'0');
            place -= 1;
            if place >= 0 {
                if digit != 0 && place > 37 {
                    return None;
                }
                let power = 10_i128.checked_pow(u32::try_from(place).ok()?);
                let part = if digit == 0 { 0 } else { power?.checked_mul(digit)? };
                value = value.checked_add(part)?;
            } else {
                round = place == -1 && digit >= 5 || round && place < -1;
                if place < -1 {
                    break;
                }
            }
        }
        value += i128::from(round);
        if value > 10_i128.pow(DIGITS + 24) {
            return None;
        }
        Some(Self(if text.starts_with('-') { -value } else { value }))
    }

    /// The nearest decimal to a double; `None` if there is none.
    pub fn from_double(double: f64) -> Option<Self> {
        if !double.is_finite() || double.abs() > LARGEST {
            return None;
        }
        // The shortest text that reads back as the double is the number a person meant.
        Self::parse(&format!("{double}"))
    }

    /// The nearest double.
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    pub fn to_double(self) -> f64 {
        (self.0 / ONE) as f64 + (self.0 % ONE) as f64 / ONE as f64
    }

    /// The whole number, if it is one of 64 bits.
    pub fn to_whole(self) -> Option<i64> {
        if self.0 % ONE == 0 { i64::try_from(self.0 / ONE).ok() } else { None }
    }

    /// With so many digits after the point, halves away from zero as SQL Server rounds.
    #[must_use]
    pub fn rounded(self, digits: u8) -> Self {
        if u32::from(digits) >= DIGITS {
            return self;
        }
        let unit = 10_i128.pow(DIGITS - u32::from(digits));
        let half = unit / 2 * self.0.signum();
        Self((self.0 + half) / unit * unit)
    }

    /// The sum, kept within what can be held.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The quotient by a count.
    #[must_use]
    pub fn divided_by(self, count: u64) -> Self {
        if count == 0 { self } else { Self(self.0 / i128::from(count)) }
    }

    /// With exactly so many digits after the point, `5000000.0000`.
    pub fn fixed(self, digits: u8) -> String {
        let rounded = self.rounded(digits).0;
        let sign = if rounded < 0 { "-" } else { "" };
        let (magnitude, one) = (rounded.unsigned_abs(), ONE.unsigned_abs());
        let mut text = format!("{sign}{}", magnitude / one);
        if digits == 0 {
            return text;
        }
        // less than one, which has 34 bits
        let mut fraction = u64::try_from(magnitude % one).unwrap_or_default();
        let mut places = [b'0'; DIGITS as usize];
        for place in places.iter_mut().rev() {
            *place += (fraction % 10) as u8;
            fraction /= 10;
        }
        text.push('.');
        let zeros = std::iter::repeat(b'0');
        text.extend(places.into_iter().chain(zeros).take(usize::from(digits)).map(char::from));
        text
    }
}

impl fmt::Display for Decimal {
    /// The shortest form: `10`, `0.75`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.fixed(10);
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_written() {
        for (text, shortest) in [
            ("0", "0"),
            ("10.0", "10"),
            ("-0.75", "-0.75"),
            ("389.45", "389.45"),
            ("1e3", "1000"),
            ("1.5E-2", "0.015"),
            ("922337203685477.5807", "922337203685477.5807"),
            ("0.00000000005", "0.0000000001"),
            (".5", "0.5"),
            ("-100000000000", "-100000000000"),
            ("0.00000000004", "0"),
            ("0.99999999999", "1"),
        ] {
            assert_eq!(
                Decimal::parse(text).map(|decimal| decimal.to_string()).as_deref(),
                Some(shortest),
                "{text}"
            );
        }
        for text in [
            "",
            ".",
            "-",
            "1.2.3",
            "1e",
            "1e999999999999",
            "x",
            "1e40",
            "NaN",
            "1,5",
            "9".repeat(40).as_str(),
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse(&format!("0e{}", i32::MAX)), None);
        assert_eq!(Decimal::parse(&format!("1e-{}", 100_000)), Some(Decimal::ZERO));
    }

    #[test]
    fn doubles_come_and_go() {
        for double in [0.0, 0.1, -2.5, 80_000.0, 1.0 / 3.0, 123_456_789.125] {
            let decimal = Decimal::from_double(double).unwrap();
            assert!((decimal.to_double() - double).abs() < 1e-9, "{double}");
        }
        assert_eq!(Decimal::from_double(f64::INFINITY), None);
        assert_eq!(Decimal::from_double(1e300), None);
    }

    #[test]
    fn rounding_goes_away_from_zero_and_fixed_keeps_its_digits() {
        let decimal = |text| Decimal::parse(text).unwrap();
        assert_eq!(decimal("2.345").rounded(2), decimal("2.35"));
        assert_eq!(decimal("-2.345").rounded(2), decimal("-2.35"));
        assert_eq!(decimal("5000000").fixed(4), "5000000.0000");
        assert_eq!(decimal("0.05").fixed(1), "0.1");
        assert_eq!(decimal("-0.004").fixed(2), "0.00");
        assert_eq!(decimal("7.5").fixed(0), "8");
        assert_eq!(decimal("7").to_whole(), Some(7));
        assert_eq!(decimal("7.1").to_whole(), None);
        assert_eq!(decimal("490400").divided_by(8), decimal("61300"));
    }
}
