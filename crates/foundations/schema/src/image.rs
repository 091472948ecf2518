//! A schema as flat tables of plain records over one text.
//!
//! Decides the form in which definitions lie in a binary: no pointer but those of the arrays themselves, so that they are
//! constants which nobody parses or relocates at a start, and pages that nobody reads stay out of memory. What a person asks
//! of them is [`crate::schema`]'s; made they are by [`crate::compile`], at build time or from a declaration.

use std::borrow::Cow;

use crate::kind::Kind;
use crate::moment::DAY;

/// No position.
pub const NONE: u16 = u16::MAX;

/// A piece of [`Image::text`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span(pub u32, pub u16);

/// A run of records: where it begins and how many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run(pub u32, pub u16);

impl Run {
    pub(crate) fn of<T>(self, all: &[T]) -> &[T] {
        let start = self.0 as usize;
        all.get(start..start + usize::from(self.1)).unwrap_or_default()
    }
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableRow {
    pub name: Span,
    pub set: Span,
    pub schema_name: Span,
    pub label: Span,
    pub plural: Span,
    pub view: Span,
    pub code: u32,
    /// Whether users own its rows.
    pub owned: bool,
    /// Whether a declaration made it.
    pub declared: bool,
    /// The column that names a row.
    pub name_column: u16,
    pub columns: Run,
    /// Ordinals, in [`Image::ordinals`]: sorted by name, of the primary key, of further indexes.
    pub by_name: Run,
    pub key: Run,
    pub indexes: Run,
    pub keys: Run,
    pub states: Run,
    pub notes: Run,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnRow {
    pub name: Span,
    pub label: Span,
    pub kind: u8,
    pub bits: u8,
    /// In [`Image::details`].
    pub detail: u16,
    /// In [`Image::defaults`].
    pub default: u16,
    pub notes: Run,
}

/// What [`ColumnRow::bits`] say.
pub mod bits {
    /// A new row may be given a value.
    pub const CREATE: u8 = 1;
    /// A row may be given another value.
    pub const UPDATE: u8 = 2;
    /// It is shown with rows.
    pub const READ: u8 = 4;
    /// A declaration added it.
    pub const DECLARED: u8 = 8;
    /// Where the requirement begins: three bits.
    pub const REQUIRED: u8 = 16;
    /// How much of what begins there is the requirement.
    pub const REQUIREMENT: u8 = 7;
    /// Without a value it holds the empty one of its type, and is never null.
    pub const EMPTY: u8 = 128;
}

/// What a type needs to be said of it; the same for many columns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DetailRow {
    pub length: u32,
    pub precision: u8,
    /// Whether there is a range.
    pub ranged: bool,
    /// In ten-thousand-millionths.
    pub least: i128,
    pub most: i128,
    pub format: Span,
    pub computed: Span,
    /// In [`Image::choices`].
    pub choices: u16,
}

/// A set of choices; one without a name is a column's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChoicesRow {
    pub name: Span,
    pub options: Run,
    pub notes: Run,
}

/// One choice, by value: with a member's name or with a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionRow {
    pub value: i32,
    pub text: Span,
}

/// A unique key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyRow {
    pub name: Span,
    pub label: Span,
    pub columns: Run,
}

/// A state and what statuses it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateRow {
    pub value: i32,
    pub label: Span,
    pub statuses: Run,
}

/// A relationship: rows of `from` lead to one row of `to`, or many to many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelationshipRow {
    pub name: Span,
    pub from: u16,
    pub to: u16,
    /// In [`Image::pairs`]. Where many lead to many: the columns of the table between that lead to `from` and to `to`.
    pub pairs: Run,
    /// The table between where many lead to many.
    pub through: u16,
    /// From `from` to `to`; empty: there is none.
    pub navigation: Span,
    /// And back.
    pub back: Span,
    pub delete: u8,
    pub enforced: bool,
    /// Whether `back` leads to one row.
    pub single: bool,
    /// Whether it is a lookup column's.
    pub lookup: bool,
}

/// What a new row holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultRow {
    Flag(bool),
    Whole(i64),
    /// In ten-thousand-millionths.
    Decimal(i128),
    Text(Span),
    /// The GUID of zeros.
    NoId,
    Moment(i64),
    Day(i32),
}

/// The day without a value: the first of 1900.
const EMPTY_DAY: i32 = -25_567;

impl DefaultRow {
    /// The empty value of a type; `None` for choices that have no member of the value 0, whose empty value is null.
    pub(crate) fn empty(kind: Kind, has_zero: bool) -> Option<Self> {
        Some(match kind {
            Kind::Text | Kind::Memo | Kind::Binary => Self::Text(Span::default()),
            Kind::Whole | Kind::Big | Kind::Version => Self::Whole(0),
            Kind::Decimal | Kind::Money | Kind::Double => Self::Decimal(0),
            Kind::Flag => Self::Flag(false),
            Kind::Id | Kind::Lookup => Self::NoId,
            Kind::Moment => Self::Moment(i64::from(EMPTY_DAY) * DAY),
            Kind::Day => Self::Day(EMPTY_DAY),
            Kind::Choice | Kind::State | Kind::Status | Kind::Virtual if has_zero => Self::Whole(0),
            Kind::Choice | Kind::State | Kind::Status | Kind::Virtual => return None,
        })
    }
}

/// A whole schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    pub text: Cow<'static, str>,
    pub tables: Cow<'static, [TableRow]>,
    /// Positions of tables, sorted by name and by entity set.
    pub by_name: Cow<'static, [u16]>,
    pub by_set: Cow<'static, [u16]>,
    pub columns: Cow<'static, [ColumnRow]>,
    pub ordinals: Cow<'static, [u16]>,
    pub details: Cow<'static, [DetailRow]>,
    pub choices: Cow<'static, [ChoicesRow]>,
    pub options: Cow<'static, [OptionRow]>,
    pub keys: Cow<'static, [KeyRow]>,
    pub states: Cow<'static, [StateRow]>,
    pub relationships: Cow<'static, [RelationshipRow]>,
    pub pairs: Cow<'static, [(u16, u16)]>,
    pub defaults: Cow<'static, [DefaultRow]>,
    pub notes: Cow<'static, [(Span, Span)]>,
}

impl Image {
    pub(crate) fn text(&self, span: Span) -> &str {
        let start = span.0 as usize;
        self.text.get(start..start + usize::from(span.1)).unwrap_or_default()
    }
}
