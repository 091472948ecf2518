//! Values of columns, each in its own type.
//!
//! Decides what a value is once it has been let in; how one is read from JSON is [`crate::value`]'s, how one is written a
//! surface's. Moments have whole seconds, which is what both products answer with.

use std::cmp::Ordering;

use crate::decimal::Decimal;
use crate::guid::Guid;

/// A value that is held by whoever holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// No value.
    #[default]
    Null,
    /// Yes or no.
    Flag(bool),
    /// A whole number; of a choice, its value.
    Whole(i64),
    /// A decimal number.
    Decimal(Decimal),
    /// A double.
    Double(f64),
    /// A text.
    Text(Box<str>),
    /// A GUID; of a lookup, the key of the row it leads to.
    Id(Guid),
    /// A moment, in seconds since 1970 in UTC.
    Moment(i64),
    /// A day, in days since 1970.
    Day(i32),
}

/// A value in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum CellRef<'r> {
    /// No value.
    #[default]
    Null,
    /// Yes or no.
    Flag(bool),
    /// A whole number; of a choice, its value.
    Whole(i64),
    /// A decimal number.
    Decimal(Decimal),
    /// A double.
    Double(f64),
    /// A text.
    Text(&'r str),
    /// A GUID.
    Id(Guid),
    /// A moment, in seconds since 1970 in UTC.
    Moment(i64),
    /// A day, in days since 1970.
    Day(i32),
}

impl Cell {
    /// A text.
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(text.into())
    }

    /// The same, seen.
    pub fn as_ref(&self) -> CellRef<'_> {
        match self {
            Self::Null => CellRef::Null,
            Self::Flag(value) => CellRef::Flag(*value),
            Self::Whole(value) => CellRef::Whole(*value),
            Self::Decimal(value) => CellRef::Decimal(*value),
            Self::Double(value) => CellRef::Double(*value),
            Self::Text(text) => CellRef::Text(text),
            Self::Id(id) => CellRef::Id(*id),
            Self::Moment(seconds) => CellRef::Moment(*seconds),
            Self::Day(day) => CellRef::Day(*day),
        }
    }

    /// Whether there is none.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'r> CellRef<'r> {
    /// The same, held.
    pub fn to_cell(self) -> Cell {
        match self {
            Self::Null => Cell::Null,
            Self::Flag(value) => Cell::Flag(value),
            Self::Whole(value) => Cell::Whole(value),
            Self::Decimal(value) => Cell::Decimal(value),
            Self::Double(value) => Cell::Double(value),
            Self::Text(text) => Cell::text(text),
            Self::Id(id) => Cell::Id(id),
            Self::Moment(seconds) => Cell::Moment(seconds),
            Self::Day(day) => Cell::Day(day),
        }
    }

    /// Whether there is none.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is one.
    pub fn as_text(self) -> Option<&'r str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The GUID, if it is one.
    pub fn as_id(self) -> Option<Guid> {
        if let Self::Id(id) = self { Some(id) } else { None }
    }

    /// The whole number, if it is one.
    pub fn as_whole(self) -> Option<i64> {
        if let Self::Whole(value) = self { Some(value) } else { None }
    }

    /// The number as a double, of whichever type it is.
    #[expect(clippy::cast_precision_loss, reason = "numbers of different types compare as doubles do")]
    pub fn as_double(self) -> Option<f64> {
        match self {
            Self::Whole(value) => Some(value as f64),
            Self::Decimal(value) => Some(value.to_double()),
            Self::Double(value) => Some(value),
            _ => None,
        }
    }

    /// Which of two values comes first: null before all, texts as `text` says. `None` for values of types that do not
    /// compare.
    pub fn compare(self, other: Self, text: impl Fn(&str, &str) -> Ordering) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            (Self::Null, _) => Some(Ordering::Less),
            (_, Self::Null) => Some(Ordering::Greater),
            (Self::Flag(left), Self::Flag(right)) => Some(left.cmp(&right)),
            (Self::Text(left), Self::Text(right)) => Some(text(left, right)),
            (Self::Id(left), Self::Id(right)) => Some(left.cmp(&right)),
            (Self::Moment(left), Self::Moment(right)) => Some(left.cmp(&right)),
            (Self::Day(left), Self::Day(right)) => Some(left.cmp(&right)),
            (Self::Moment(left), Self::Day(right)) => Some(left.cmp(&(i64::from(right) * 86_400))),
            (Self::Day(left), Self::Moment(right)) => Some((i64::from(left) * 86_400).cmp(&right)),
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            (Self::Decimal(left), Self::Decimal(right)) => Some(left.cmp(&right)),
            (Self::Whole(left), Self::Decimal(right)) => Some(Decimal::from_whole(left).cmp(&right)),
            (Self::Decimal(left), Self::Whole(right)) => Some(left.cmp(&Decimal::from_whole(right))),
            _ => self.as_double()?.partial_cmp(&other.as_double()?),
        }
    }
}

impl<'r> From<&'r Cell> for CellRef<'r> {
    fn from(cell: &'r Cell) -> Self {
        cell.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_comes_first_and_numbers_of_two_types_compare() {
        let compare = |left: CellRef<'_>, right: CellRef<'_>| left.compare(right, str::cmp);
        assert_eq!(compare(CellRef::Null, CellRef::Flag(false)), Some(Ordering::Less));
        assert_eq!(compare(CellRef::Whole(2), CellRef::Double(2.5)), Some(Ordering::Less));
        assert_eq!(
            compare(CellRef::Decimal(Decimal::from_whole(2)), CellRef::Whole(2)),
            Some(Ordering::Equal)
        );
        assert_eq!(compare(CellRef::Day(1), CellRef::Moment(86_400)), Some(Ordering::Equal));
        assert_eq!(compare(CellRef::Text("a"), CellRef::Whole(1)), None);
        assert_eq!(compare(CellRef::Double(f64::NAN), CellRef::Double(1.0)), None);
    }
}
