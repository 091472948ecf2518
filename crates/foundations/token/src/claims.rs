//! What a token claims, read as leniently as real clients write it.
//!
//! Decides how a time may be written (integer, float as MSAL for Python, numeric string as MSAL.NET) and bounds it to the
//! years 1 to 9999, so that no skew added to it can overflow. Never judges a claim: see [`crate::bearer::TimeWindow`].

use std::fmt;

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use crate::strict_json::excerpt;

/// A view of a token's claims.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'t>(&'t Map<String, Value>);

/// A moment from a token: seconds since 1970 (RFC 7519 section 2), within the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate(OffsetDateTime);

impl NumericDate {
    /// The moment, in UTC, with the fraction it was sent with.
    pub fn datetime(self) -> OffsetDateTime {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// A moment that is within the years 1 to 9999, `None` otherwise.
    pub fn new(moment: OffsetDateTime) -> Option<Self> {
        (1..=9999).contains(&moment.year()).then_some(Self(moment))
    }

    fn from_seconds(seconds: i64) -> Option<Self> {
        OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(Self::new)
    }

    fn from_float(seconds: f64) -> Option<Self> {
        let since = Duration::checked_seconds_f64(seconds)?;
        OffsetDateTime::UNIX_EPOCH.checked_add(since).and_then(Self::new)
    }
}

impl fmt::Display for NumericDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // seconds are what a person finds in the token itself
        write!(formatter, "{}", self.unix_seconds())
    }
}

/// Why a time claim cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadTimeReason {
    /// Neither a number nor a string holding one.
    NotANumber,
    /// A number outside the years 1 to 9999.
    OutOfRange,
}

impl fmt::Display for BadTimeReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotANumber => "not a number of seconds",
            Self::OutOfRange => "outside the years 1 to 9999",
        })
    }
}

/// A time claim that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {text}, which is {reason}")]
pub struct BadTime {
    /// The claim.
    pub name: String,
    /// Its JSON, cut to 64 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: BadTimeReason,
}

/// The `aud` claim (RFC 7519 section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience<'t> {
    /// A single string.
    One(&'t str),
    /// An array of strings, possibly empty or with one entry.
    Many(Vec<&'t str>),
    /// There is none, or it is null.
    Missing,
    /// Something else.
    Invalid,
}

impl<'t> Audience<'t> {
    /// The only audience: the string, or the entry of an array with exactly one.
    pub fn sole(&self) -> Option<&'t str> {
        match self {
            Self::One(one) => Some(one),
            Self::Many(many) if many.len() == 1 => Some(many[0]),
            _ => None,
        }
    }

    /// Every audience, in the order sent.
    pub fn all(&self) -> &[&'t str] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
            Self::Missing | Self::Invalid => &[],
        }
    }
}

impl<'t> Claims<'t> {
    /// A view of claims parsed elsewhere.
    pub fn new(members: &'t Map<String, Value>) -> Self {
        Self(members)
    }

    /// The claims, in the order sent.
    pub fn members(self) -> &'t Map<String, Value> {
        self.0
    }

    /// A claim of any type; null reads as absent.
    pub fn get(self, name: &str) -> Option<&'t Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that is a string; any other type reads as absent.
    pub fn text(self, name: &str) -> Option<&'t str> {
        self.0.get(name)?.as_str()
    }

    /// A time claim: an integer, a float, or a string holding one. Absent and null give `None`.
    pub fn time(self, name: &str) -> Result<Option<NumericDate>, BadTime> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let read = match value {
            Value::Number(number) => match number.as_i64() {
                Some(seconds) => NumericDate::from_seconds(seconds),
                None => number.as_f64().and_then(NumericDate::from_float),
            }
            .ok_or(BadTimeReason::OutOfRange),
            Value::String(text) => numeric_text(text),
            _ => Err(BadTimeReason::NotANumber),
        };
        read.map(Some).map_err(|reason| BadTime {
            name: excerpt(name),
            text: excerpt(&value.to_string()),
            reason,
        })
    }

    /// The audience.
    pub fn audience(self) -> Audience<'t> {
        match self.get("aud") {
            None => Audience::Missing,
            Some(Value::String(one)) => Audience::One(one),
            Some(Value::Array(items)) => items
                .iter()
                .map(Value::as_str)
                .collect::<Option<Vec<_>>>()
                .map_or(Audience::Invalid, Audience::Many),
            Some(_) => Audience::Invalid,
        }
    }

    /// A claim that lists strings, such as `roles`; a single string is a list of one. Entries of another type are left out.
    pub fn list(self, name: &str) -> Vec<&'t str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

fn numeric_text(text: &str) -> Result<NumericDate, BadTimeReason> {
    if let Ok(seconds) = text.parse::<i64>() {
        return NumericDate::from_seconds(seconds).ok_or(BadTimeReason::OutOfRange);
    }
    // Rust's grammar of floats knows words such as `inf` and `nan`; JSON's does not
    let no_words =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    let seconds = text.parse::<f64>().ok().filter(|_| no_words).ok_or(BadTimeReason::NotANumber)?;
    NumericDate::from_float(seconds).ok_or(BadTimeReason::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn time(value: &Value) -> Result<Option<i64>, BadTimeReason> {
        let Value::Object(members) = json!({ "exp": value }) else { panic!("an object") };
        match Claims::new(&members).time("exp") {
            Ok(date) => Ok(date.map(NumericDate::unix_seconds)),
            Err(error) => {
                assert!(error.to_string().len() < 160, "{error}");
                Err(error.reason)
            }
        }
    }

    #[test]
    fn times_are_read_as_integer_float_and_numeric_string() {
        assert_eq!(time(&json!(1_700_000_000)), Ok(Some(1_700_000_000)));
        assert_eq!(time(&json!(1_700_000_000.75)), Ok(Some(1_700_000_000)));
        assert_eq!(time(&json!("1700000000")), Ok(Some(1_700_000_000)));
        assert_eq!(time(&json!("1700000000.5")), Ok(Some(1_700_000_000)));
        assert_eq!(time(&json!(-1.5)), Ok(Some(-2)));
        assert_eq!(time(&json!(null)), Ok(None));
    }

    #[test]
    fn huge_numbers_are_out_of_range_and_never_overflow() {
        for value in [
            json!(1e300),
            json!(-1e300),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!("9223372036854775808"),
            json!("1e999"),
            json!(253_402_300_800_i64),
            json!(-62_135_596_801_i64),
        ] {
            assert_eq!(time(&value), Err(BadTimeReason::OutOfRange), "{value}");
        }
        assert_eq!(time(&json!(253_402_300_799_i64)), Ok(Some(253_402_300_799)));
        assert_eq!(time(&json!(-62_135_596_800_i64)), Ok(Some(-62_135_596_800)));
    }

    #[test]
    fn what_is_no_number_is_named_so() {
        for value in [
            json!("soon"),
            json!(""),
            json!("inf"),
            json!("NaN"),
            json!(" 1"),
            json!(true),
            json!([1]),
            json!({}),
        ] {
            assert_eq!(time(&value), Err(BadTimeReason::NotANumber), "{value}");
        }
        assert_eq!(time(&json!("x".repeat(50_000))), Err(BadTimeReason::NotANumber));
    }

    #[test]
    fn the_audience_keeps_the_form_it_was_sent_in() {
        let audience = |value: Value| {
            let Value::Object(members) = json!({ "aud": value }) else { panic!("an object") };
            let audience = Claims::new(&members).audience();
            (format!("{audience:?}"), audience.sole().map(str::to_owned), audience.all().len())
        };
        assert_eq!(audience(json!("a")), ("One(\"a\")".to_owned(), Some("a".to_owned()), 1));
        assert_eq!(audience(json!(["a"])), ("Many([\"a\"])".to_owned(), Some("a".to_owned()), 1));
        assert_eq!(audience(json!(["a", "b"])), ("Many([\"a\", \"b\"])".to_owned(), None, 2));
        assert_eq!(audience(json!([])), ("Many([])".to_owned(), None, 0));
        assert_eq!(audience(json!(["a", 1])), ("Invalid".to_owned(), None, 0));
        assert_eq!(audience(json!(7)), ("Invalid".to_owned(), None, 0));
        assert_eq!(audience(json!(null)), ("Missing".to_owned(), None, 0));
    }

    #[test]
    fn a_list_may_be_a_single_string() {
        let Value::Object(members) = json!({ "roles": ["A", 1, "B"], "scp": "user", "n": 1 }) else {
            panic!("an object")
        };
        let claims = Claims::new(&members);
        assert_eq!(claims.list("roles"), ["A", "B"]);
        assert_eq!(claims.list("scp"), ["user"]);
        assert!(claims.list("n").is_empty() && claims.list("missing").is_empty());
        assert_eq!(claims.text("n"), None);
    }
}
