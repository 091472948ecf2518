//! What a column takes: a JSON value becomes a cell, or a violation says which rule stands against it.
//!
//! Decides the rules of types, lengths, ranges, precision and choices. Never words a refusal: that is the surface's, in its
//! product's own sentence, from the rule, the column, the value and the bound. Who may write a column is the surface's too.

use serde_json::Value;

use crate::cell::Cell;
use crate::column::Column;
use crate::decimal::Decimal;
use crate::guid::Guid;
use crate::kind::Kind;
use crate::moment::{parse_day, parse_moment, split};

/// A value that a column does not take.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation<'s> {
    /// The rule.
    pub rule: Rule,
    /// The column.
    pub column: Column<'s>,
    /// The value.
    pub value: Value,
}

/// The rules of values; the bounds are the column's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Not of the column's type.
    Type,
    /// More characters than it takes.
    Length,
    /// Outside its range.
    Range,
    /// None of its choices.
    Choice,
}

/// Reads a value of a column. Null is one, whatever the type.
///
/// A number finer than the column's precision is rounded; texts count UTF-16 units, as .NET and SQL Server do.
///
/// # Errors
/// The first rule that stands against it.
pub fn read<'s>(column: Column<'s>, value: &Value) -> Result<Cell, Violation<'s>> {
    let no = |rule| Violation { rule, column, value: value.clone() };
    let mistyped = || no(Rule::Type);
    let text = || value.as_str().ok_or_else(mistyped);
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match column.kind() {
        Kind::Text | Kind::Memo => {
            let text = text()?;
            let most = column.length() as usize;
            // no text has more UTF-16 units than bytes
            if most > 0 && text.len() > most && text.encode_utf16().count() > most {
                return Err(no(Rule::Length));
            }
            Cell::text(text)
        }
        Kind::Whole => {
            let whole = value.as_i64().filter(|whole| i32::try_from(*whole).is_ok()).ok_or_else(mistyped)?;
            within(column, Decimal::from_whole(whole)).ok_or_else(|| no(Rule::Range))?;
            Cell::Whole(whole)
        }
        Kind::Big | Kind::Version => Cell::Whole(value.as_i64().ok_or_else(mistyped)?),
        Kind::Choice => {
            let choices = column.choices();
            let offered = |value: i64| choices.is_some_and(|choices| choices.of(value).is_some());
            let whole = value.as_i64().filter(|whole| i32::try_from(*whole).is_ok()).ok_or_else(mistyped)?;
            if !offered(whole) {
                return Err(no(Rule::Choice));
            }
            Cell::Whole(whole)
        }
        Kind::State => {
            let whole = value.as_i64().ok_or_else(mistyped)?;
            if !column.table().states().any(|state| state.value() == whole) {
                return Err(no(Rule::Choice));
            }
            Cell::Whole(whole)
        }
        // which of them its state has is known with the row
        Kind::Status => {
            Cell::Whole(value.as_i64().filter(|one| i32::try_from(*one).is_ok()).ok_or_else(mistyped)?)
        }
        Kind::Decimal | Kind::Money => {
            let number = match value {
                Value::Number(number) => {
                    Decimal::parse(&number.to_string()).ok_or_else(|| no(Rule::Range))?
                }
                _ => return Err(mistyped()),
            };
            within(column, number).ok_or_else(|| no(Rule::Range))?;
            Cell::Decimal(if column.precision() > 0 { number.rounded(column.precision()) } else { number })
        }
        Kind::Double => {
            let double = value.as_f64().ok_or_else(mistyped)?;
            if column
                .range()
                .is_some_and(|(least, most)| double < least.to_double() || double > most.to_double())
            {
                return Err(no(Rule::Range));
            }
            Cell::Double(double)
        }
        Kind::Flag => Cell::Flag(value.as_bool().ok_or_else(mistyped)?),
        Kind::Id | Kind::Lookup => Cell::Id(Guid::parse(text()?).ok_or_else(mistyped)?),
        Kind::Moment => {
            Cell::Moment(parse_moment(text()?).filter(|_| is_moment(value)).ok_or_else(mistyped)?)
        }
        Kind::Day => Cell::Day(parse_day(text()?).ok_or_else(mistyped)?),
        Kind::Binary => Cell::text(text()?),
        Kind::Virtual => return Err(mistyped()),
    })
}

/// Whether a text names a time, not a date alone.
fn is_moment(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() > "2026-11-22".len())
}

fn within(column: Column<'_>, number: Decimal) -> Option<()> {
    let fits = column.range().is_none_or(|(least, most)| (least..=most).contains(&number));
    fits.then_some(())
}

/// The day that a moment lies in, in UTC.
pub fn day_of(moment: i64) -> i32 {
    split(moment).0
}
