//! Comparing values: literals with the JSON of a row, and rows with each other.
//!
//! Decides equality and order by the types OData compares (URL conventions 5.1.1.1), given that JSON spells GUIDs,
//! dates and enum members as strings. Values of types that do not compare are different and in no order.

use std::cmp::Ordering;

use serde_json::Value;

use mocktenant_query::compare_text;
use mocktenant_schema::Guid;
use crate::instant::Instant;
use crate::literal::Literal;

/// How texts compare. The default tells case apart, as OData does on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evaluation {
    /// Texts and enum members compare without regard to case, as under the SQL collations of both products.
    pub ignore_case: bool,
    /// `*` in a text that a column is compared with by `eq` or `ne` stands for any characters, as Finance and Operations
    /// has it.
    pub wildcards: bool,
}

impl Evaluation {
    /// As a case-insensitive SQL collation compares.
    pub const CASE_INSENSITIVE: Self = Self { ignore_case: true, wildcards: false };
}

/// A value of either side, by what it compares as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparable<'v> {
    Null,
    Bool(bool),
    Whole(i128),
    Double(f64),
    Text(&'v str),
    Guid(Guid),
    Instant(Instant),
    Member(&'v str),
    /// Arrays, objects: nothing compares with them.
    Opaque,
}

impl<'v> From<&'v Literal> for Comparable<'v> {
    fn from(literal: &'v Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Integer(value) => Self::Whole(i128::from(*value)),
            Literal::Decimal(text) => match (text.parse(), text.parse()) {
                (Ok(whole), _) => Self::Whole(whole),
                (_, Ok(double)) => Self::Double(double),
                _ => Self::Opaque,
            },
            Literal::String(text) => Self::Text(text),
            Literal::Guid(guid) => Self::Guid(*guid),
            Literal::DateTime(text) => Instant::parse(text).map_or(Self::Opaque, Self::Instant),
            Literal::Enum { member, .. } => Self::Member(member),
        }
    }
}

impl<'v> From<&'v Value> for Comparable<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => {
                if let Some(whole) = number.as_i64() {
                    Self::Whole(i128::from(whole))
                } else if let Some(whole) = number.as_u64() {
                    Self::Whole(i128::from(whole))
                } else {
                    number.as_f64().map_or(Self::Opaque, Self::Double)
                }
            }
            Value::String(text) => Self::Text(text),
            Value::Array(_) | Value::Object(_) => Self::Opaque,
        }
    }
}

/// The order of two values that are not null; `None` if their types do not compare.
pub(crate) fn order(left: Comparable<'_>, right: Comparable<'_>, how: Evaluation) -> Option<Ordering> {
    use Comparable::{Bool, Double, Guid as Identifier, Instant as Moment, Member, Text, Whole};
    match (left, right) {
        (Bool(left), Bool(right)) => Some(left.cmp(&right)),
        (Whole(left), Whole(right)) => Some(left.cmp(&right)),
        (Double(left), Double(right)) => left.partial_cmp(&right),
        (Whole(left), Double(right)) => whole_with_double(left, right),
        (Double(left), Whole(right)) => whole_with_double(right, left).map(Ordering::reverse),
        (Text(left), Text(right)) => match (Guid::parse(left), Guid::parse(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => Some(compare_text(left, right, how.ignore_case)),
        },
        (Identifier(left), Identifier(right)) => Some(left.cmp(&right)),
        (Identifier(left), Text(right)) => Guid::parse(right).map(|right| left.cmp(&right)),
        (Text(left), Identifier(right)) => Guid::parse(left).map(|left| left.cmp(&right)),
        (Moment(left), Moment(right)) => Some(left.cmp(&right)),
        (Moment(left), Text(right)) => Instant::parse(right).map(|right| left.cmp(&right)),
        (Text(left), Moment(right)) => Instant::parse(left).map(|left| left.cmp(&right)),
        // members have names or numbers and no order: equal or different
        (Member(member), Text(other) | Member(other)) | (Text(other), Member(member)) => {
            (compare_text(member, other, how.ignore_case) == Ordering::Equal).then_some(Ordering::Equal)
        }
        (Member(member), Whole(number)) | (Whole(number), Member(member)) => {
            (member.parse() == Ok(number)).then_some(Ordering::Equal)
        }
        _ => None,
    }
}

/// Compares exactly: 9007199254740993 is more than 9007199254740992.0, which a conversion to double would hide.
fn whole_with_double(whole: i128, double: f64) -> Option<Ordering> {
    const BOUND: f64 = 1e30;
    if double.is_nan() {
        return None;
    }
    if double.abs() >= BOUND && whole.unsigned_abs() < 10_u128.pow(30) {
        return Some(if double > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "floor is a whole number; beyond i128 the cast saturates"
    )]
    let floor = double.floor() as i128;
    Some(whole.cmp(&floor).then(if double.fract() == 0.0 { Ordering::Equal } else { Ordering::Less }))
}

/// A total order of JSON values for `$orderby`: null first (URL conventions, protocol 11.2.5.2), then booleans,
/// numbers, texts, and everything else as one.
pub fn compare_values(left: &Value, right: &Value, how: Evaluation) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    };
    rank(left).cmp(&rank(right)).then_with(|| match (left, right) {
        (Value::String(left), Value::String(right)) => compare_text(left, right, how.ignore_case),
        _ => order(left.into(), right.into(), how).unwrap_or(Ordering::Equal),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_and_doubles_compare_exactly() {
        assert_eq!(
            whole_with_double(9_007_199_254_740_993, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(whole_with_double(2, 2.5), Some(Ordering::Less));
        assert_eq!(whole_with_double(-2, -2.5), Some(Ordering::Greater));
        assert_eq!(whole_with_double(3, 3.0), Some(Ordering::Equal));
        assert_eq!(whole_with_double(0, 1e300), Some(Ordering::Less));
        assert_eq!(whole_with_double(0, f64::NAN), None);
    }

    #[test]
    fn sorting_puts_null_first_and_ignores_case_only_when_told() {
        let how = Evaluation::CASE_INSENSITIVE;
        assert_eq!(compare_values(&json!(null), &json!(false), how), Ordering::Less);
        assert_eq!(compare_values(&json!("b"), &json!("A"), how), Ordering::Greater);
        assert_eq!(compare_values(&json!("b"), &json!("B"), how), Ordering::Equal);
        assert_eq!(compare_values(&json!("a"), &json!("B"), Evaluation::default()), Ordering::Greater);
        assert_eq!(compare_values(&json!(1), &json!(1.5), how), Ordering::Less);
    }
}
