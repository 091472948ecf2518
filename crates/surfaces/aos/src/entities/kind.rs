//! The types of columns: what an empty one holds, and what a body may put into one.
//!
//! Decides how a value that was sent is held (a date at noon, a number in its shortest form) and which are refused. Never
//! decides whether a value makes sense. Mirrors the product's mapping of its own types to those of OData: a column is never
//! null, but for an enumeration that has no member of the value 0.

use std::borrow::Cow;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// An enumeration.
#[derive(Debug)]
pub(crate) struct Enumeration {
    /// Its name.
    pub(crate) name: &'static str,
    /// Members and values, in the product's order.
    pub(crate) members: &'static [(&'static str, i32)],
}

/// The type of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// `Edm.Decimal`.
    Real,
    /// `Edm.Int32`.
    Int32,
    /// `Edm.Int64`.
    Int64,
    /// A day, which travels as a moment: noon of that day.
    Date,
    /// A moment.
    DateTime,
    /// A member of an enumeration, by its name.
    Member(&'static Enumeration),
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// Columns as `name: type`; a type that is none of [`Kind`]'s names an enumeration.
macro_rules! columns {
    (@kind Text) => { $crate::entities::kind::Kind::Text };
    (@kind Real) => { $crate::entities::kind::Kind::Real };
    (@kind Int32) => { $crate::entities::kind::Kind::Int32 };
    (@kind Int64) => { $crate::entities::kind::Kind::Int64 };
    (@kind Date) => { $crate::entities::kind::Kind::Date };
    (@kind DateTime) => { $crate::entities::kind::Kind::DateTime };
    (@kind $enumeration:ident) => {
        $crate::entities::kind::Kind::Member(&$crate::entities::enumerations::$enumeration)
    };
    ($($name:ident: $kind:ident),* $(,)?) => {
        &[$($crate::entities::kind::Column { name: stringify!($name), kind: columns!(@kind $kind) }),*]
    };
}
pub(super) use columns;

/// Enumerations as `Name { Member = value }`.
macro_rules! enumerations {
    ($($name:ident { $($member:ident = $value:literal),* $(,)? })*) => {
        $(pub(super) static $name: Enumeration = Enumeration {
            name: stringify!($name),
            members: &[$((stringify!($member), $value)),*],
        };)*
    };
}
pub(super) use enumerations;

impl Enumeration {
    /// What an unset column holds: the member of the value 0, null where there is none.
    fn empty(&self) -> Value {
        let zero = self.members.iter().find(|(_, value)| *value == 0);
        zero.map_or(Value::Null, |(member, _)| Value::from(*member))
    }
}

impl Kind {
    /// What a column holds that nobody set.
    pub(super) fn empty(self) -> Value {
        match self {
            Self::Text => Value::from(""),
            Self::Real | Self::Int32 | Self::Int64 => Value::from(0),
            Self::Date => Value::from("1900-01-01T12:00:00Z"),
            Self::DateTime => Value::from("1900-01-01T00:00:00Z"),
            Self::Member(enumeration) => enumeration.empty(),
        }
    }

    /// The value as a row holds it; `None` for what is not of this type. Null is what the column holds unset.
    pub(super) fn take(self, value: Value) -> Option<Value> {
        match (self, value) {
            (_, Value::Null) => Some(self.empty()),
            (Self::Text, Value::String(text)) => Some(Value::String(text)),
            (Self::Real, Value::Number(number)) => Some(Value::Number(shortest(number))),
            (Self::Int32, Value::Number(number)) => {
                let whole = number.as_i64().and_then(|number| i32::try_from(number).ok());
                whole.map(Value::from)
            }
            (Self::Int64, Value::Number(number)) => number.as_i64().map(Value::from),
            (Self::Date, Value::String(text)) => {
                let date = moment(&text)?.date();
                let (year, month, day) = date.to_calendar_date();
                Some(Value::from(format!("{year:04}-{:02}-{day:02}T12:00:00Z", u8::from(month))))
            }
            (Self::DateTime, Value::String(text)) => {
                moment(&text)?.replace_nanosecond(0).ok()?.format(&Rfc3339).ok().map(Value::from)
            }
            (Self::Member(enumeration), Value::String(member)) => {
                let known = enumeration.members.iter().any(|(known, _)| *known == member);
                known.then_some(Value::String(member))
            }
            _ => None,
        }
    }

    /// What a body may hold, for a person.
    pub(super) fn expected(self) -> String {
        /// Enough to see what is meant.
        const SHOWN: usize = 8;
        match self {
            Self::Text => "text".to_owned(),
            Self::Real => "a number".to_owned(),
            Self::Int32 => "a whole number of 32 bits".to_owned(),
            Self::Int64 => "a whole number of 64 bits".to_owned(),
            Self::Date | Self::DateTime => "a moment as text, 2026-07-14T00:00:00Z".to_owned(),
            Self::Member(Enumeration { name, members }) => {
                let shown: Vec<&str> = members.iter().take(SHOWN).map(|(member, _)| *member).collect();
                let more = if members.len() > SHOWN { ", ..." } else { "" };
                format!("a member of {name}: {}{more}", shown.join(", "))
            }
        }
    }

    /// The type as full metadata writes it beside a value; not for what JSON tells by itself.
    pub(super) fn annotation(self) -> Option<String> {
        match self {
            Self::Text | Self::Int32 => None,
            Self::Real => Some("#Decimal".to_owned()),
            Self::Int64 => Some("#Int64".to_owned()),
            Self::Date | Self::DateTime => Some("#DateTimeOffset".to_owned()),
            Self::Member(enumeration) => Some(format!("#{}.{}", super::NAMESPACE, enumeration.name)),
        }
    }
}

/// What a stranger sent, as a fact tells it: whole, or how much it was. A part of it might be half of a secret, which nobody
/// would recognise as one.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 128;
    match text.chars().count() {
        0..=LONGEST => Cow::Borrowed(text),
        characters => Cow::Owned(format!("({characters} characters)")),
    }
}

/// A value as a fact shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", told(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// `10.0` is `10`.
fn shortest(number: serde_json::Number) -> serde_json::Number {
    /// Beyond it not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(double) if number.is_f64() && double.fract() == 0.0 && double.abs() < EXACT => {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
            let whole = double as i64;
            whole.into()
        }
        _ => number,
    }
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::enumerations::{NoYes, Timezone};
    use super::*;

    #[test]
    fn an_unset_column_is_never_null_but_for_an_enumeration_without_a_member_0() {
        assert_eq!(Kind::Text.empty(), "");
        assert_eq!(Kind::Int64.empty(), 0);
        assert_eq!(Kind::Date.empty(), "1900-01-01T12:00:00Z");
        assert_eq!(Kind::DateTime.empty(), "1900-01-01T00:00:00Z");
        assert_eq!(Kind::Member(&NoYes).empty(), "No");
        assert_eq!(Kind::Member(&Timezone).empty(), Value::Null);
    }

    #[test]
    fn a_value_is_held_in_the_form_the_product_answers_with() {
        for (kind, sent, held) in [
            (Kind::Real, json!(10.0), Some(json!(10))),
            (Kind::Real, json!(0.75), Some(json!(0.75))),
            (Kind::Real, json!("10"), None),
            (Kind::Int32, json!(2_147_483_648_i64), None),
            (Kind::Int32, json!(7), Some(json!(7))),
            (Kind::Int64, json!(1.5), None),
            (Kind::Date, json!("2026-07-14T23:30:00-02:00"), Some(json!("2026-07-15T12:00:00Z"))),
            (Kind::DateTime, json!("2026-07-14T01:02:03.5+01:00"), Some(json!("2026-07-14T00:02:03Z"))),
            (Kind::DateTime, json!("0000-01-01T00:00:00+23:59"), None),
            (Kind::Date, json!("tomorrow"), None),
            (Kind::Member(&NoYes), json!("Yes"), Some(json!("Yes"))),
            (Kind::Member(&NoYes), json!("yes"), None),
            (Kind::Member(&NoYes), json!(1), None),
            (Kind::Member(&NoYes), json!(null), Some(json!("No"))),
            (Kind::Text, json!(5), None),
        ] {
            assert_eq!(kind.take(sent.clone()), held, "{kind:?} {sent}");
        }
    }

    #[test]
    fn a_long_text_is_told_by_its_length_and_never_by_half() {
        assert_eq!(shown(&json!("much")), "'much'");
        assert_eq!(shown(&json!("é".repeat(128))).chars().count(), 130);
        assert_eq!(shown(&json!("é".repeat(129))), "'(129 characters)'");
    }

    #[test]
    fn what_would_have_been_taken_is_said_with_the_first_members() {
        assert_eq!(Kind::Member(&NoYes).expected(), "a member of NoYes: No, Yes");
        assert!(Kind::Member(&Timezone).expected().ends_with(", ..."));
    }
}
