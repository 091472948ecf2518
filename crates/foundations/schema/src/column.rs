//! A column as it is asked for, and what belongs to one: choices, states, unique keys.
//!
//! Decides nothing: it reads an [`Image`].

use crate::cell::CellRef;
use crate::decimal::Decimal;
use crate::definition::Requirement;
use crate::guid::Guid;
use crate::image::{
    ChoicesRow, ColumnRow, DefaultRow, DetailRow, Image, KeyRow, NONE, OptionRow, Run, Span, StateRow, bits,
};
use crate::kind::{KINDS, Kind};
use crate::relationship::Relationship;
use crate::schema::{Table, note};

pub(crate) static NOWHERE: ColumnRow = ColumnRow {
    name: Span(0, 0),
    label: Span(0, 0),
    kind: Kind::Virtual as u8,
    bits: 0,
    detail: NONE,
    default: NONE,
    notes: Run(0, 0),
};

static PLAIN: DetailRow = DetailRow {
    length: 0,
    precision: 0,
    ranged: false,
    least: 0,
    most: 0,
    format: Span(0, 0),
    computed: Span(0, 0),
    choices: NONE,
};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'s> {
    pub(crate) table: Table<'s>,
    pub(crate) row: &'s ColumnRow,
    pub(crate) ordinal: u16,
}

impl PartialEq for Column<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.ordinal == other.ordinal && self.table == other.table
    }
}

impl Eq for Column<'_> {}

impl<'s> Column<'s> {
    /// Its table.
    pub fn table(self) -> Table<'s> {
        self.table
    }

    /// Its position among the columns of its table.
    pub fn ordinal(self) -> u16 {
        self.ordinal
    }

    /// Its name.
    pub fn name(self) -> &'s str {
        self.table.image.text(self.row.name)
    }

    /// Its display name.
    pub fn label(self) -> &'s str {
        self.table.image.text(self.row.label)
    }

    /// Its type.
    pub fn kind(self) -> Kind {
        KINDS.get(usize::from(self.row.kind)).copied().unwrap_or(Kind::Virtual)
    }

    fn detail(self) -> &'s DetailRow {
        self.table.image.details.get(usize::from(self.row.detail)).unwrap_or(&PLAIN)
    }

    /// Most characters of a text; 0: no bound is known.
    pub fn length(self) -> u32 {
        self.detail().length
    }

    /// Digits after the point.
    pub fn precision(self) -> u8 {
        self.detail().precision
    }

    /// Least and greatest number.
    pub fn range(self) -> Option<(Decimal, Decimal)> {
        let detail = self.detail();
        detail.ranged.then(|| (Decimal::from_units(detail.least), Decimal::from_units(detail.most)))
    }

    /// What kind of text or moment it is; empty if nothing is said.
    pub fn format(self) -> &'s str {
        self.table.image.text(self.detail().format)
    }

    /// What works it out.
    pub fn computed(self) -> Option<&'s str> {
        Some(self.table.image.text(self.detail().computed)).filter(|how| !how.is_empty())
    }

    /// The choices of a choice.
    pub fn choices(self) -> Option<Choices<'s>> {
        let row = self.table.image.choices.get(usize::from(self.detail().choices))?;
        Some(Choices { image: self.table.image, row })
    }

    /// What a new row holds where nobody gives a value.
    pub fn default(self) -> Option<CellRef<'s>> {
        self.table.image.defaults.get(usize::from(self.row.default)).map(|row| self.shown(row))
    }

    /// What it holds once its value is taken away, whatever a new row holds.
    pub fn cleared(self) -> CellRef<'s> {
        if !self.has(bits::EMPTY) {
            return CellRef::Null;
        }
        let zero = self.choices().is_some_and(|choices| choices.of(0).is_some());
        DefaultRow::empty(self.kind(), zero).map_or(CellRef::Null, |row| self.shown(&row))
    }

    fn shown(self, row: &DefaultRow) -> CellRef<'s> {
        match row {
            DefaultRow::Flag(value) => CellRef::Flag(*value),
            DefaultRow::Whole(value) => CellRef::Whole(*value),
            DefaultRow::Decimal(units) => CellRef::Decimal(Decimal::from_units(*units)),
            DefaultRow::Text(span) => CellRef::Text(self.table.image.text(*span)),
            DefaultRow::NoId => CellRef::Id(Guid::from_bytes([0; 16])),
            DefaultRow::Moment(seconds) => CellRef::Moment(*seconds),
            DefaultRow::Day(day) => CellRef::Day(*day),
        }
    }

    fn has(self, bit: u8) -> bool {
        self.row.bits & bit != 0
    }

    /// Whether a new row may be given a value.
    pub fn is_for_create(self) -> bool {
        self.has(bits::CREATE)
    }

    /// Whether a row may be given another value.
    pub fn is_for_update(self) -> bool {
        self.has(bits::UPDATE)
    }

    /// Whether it is shown with rows.
    pub fn is_for_read(self) -> bool {
        self.has(bits::READ)
    }

    /// Whether a declaration added it.
    pub fn is_declared(self) -> bool {
        self.has(bits::DECLARED)
    }

    /// Whether it has to be given.
    pub fn requirement(self) -> Requirement {
        const ALL: [Requirement; 5] = [
            Requirement::None,
            Requirement::Recommended,
            Requirement::Application,
            Requirement::System,
            Requirement::Mandatory,
        ];
        ALL.get(usize::from((self.row.bits / bits::REQUIRED) & bits::REQUIREMENT))
            .copied()
            .unwrap_or_default()
    }

    /// The relationships of a lookup.
    pub fn lookups(self) -> impl Iterator<Item = Relationship<'s>> + Clone {
        self.table
            .outgoing()
            .filter(move |one| one.row.lookup && one.pairs().any(|(own, _)| own == self.ordinal))
    }

    /// A fact that means something to the product alone.
    pub fn note(self, name: &str) -> Option<&'s str> {
        note(self.table.image, self.row.notes, name)
    }
}

/// A unique key beside the primary one.
#[derive(Clone, Copy, Debug)]
pub struct Key<'s> {
    pub(crate) table: Table<'s>,
    pub(crate) row: &'s KeyRow,
}

impl<'s> Key<'s> {
    /// Its name.
    pub fn name(self) -> &'s str {
        self.table.image.text(self.row.name)
    }

    /// Its display name.
    pub fn label(self) -> &'s str {
        self.table.image.text(self.row.label)
    }

    /// Its columns.
    pub fn columns(self) -> impl ExactSizeIterator<Item = Column<'s>> + Clone {
        self.table.those(self.row.columns)
    }
}

/// A state of rows.
#[derive(Clone, Copy, Debug)]
pub struct State<'s> {
    pub(crate) image: &'s Image,
    pub(crate) row: &'s StateRow,
}

impl<'s> State<'s> {
    /// Its value.
    pub fn value(self) -> i64 {
        i64::from(self.row.value)
    }

    /// Its display name.
    pub fn label(self) -> &'s str {
        self.image.text(self.row.label)
    }

    /// The statuses it has; the first is the one it takes by itself.
    pub fn statuses(self) -> impl ExactSizeIterator<Item = Choice<'s>> + Clone {
        self.row.statuses.of(&self.image.options).iter().map(move |row| Choice { image: self.image, row })
    }
}

/// A set of choices.
#[derive(Clone, Copy, Debug)]
pub struct Choices<'s> {
    pub(crate) image: &'s Image,
    pub(crate) row: &'s ChoicesRow,
}

impl<'s> Choices<'s> {
    /// Its name; empty where it is a column's own.
    pub fn name(self) -> &'s str {
        self.image.text(self.row.name)
    }

    /// The choices, in the product's order.
    pub fn all(self) -> impl ExactSizeIterator<Item = Choice<'s>> + Clone {
        self.row.options.of(&self.image.options).iter().map(move |row| Choice { image: self.image, row })
    }

    /// The first choice of this value.
    pub fn of(self, value: i64) -> Option<Choice<'s>> {
        self.all().find(|choice| choice.value() == value)
    }

    /// The choice of this member's name or label, exactly spelt.
    pub fn named(self, text: &str) -> Option<Choice<'s>> {
        self.all().find(|choice| choice.text() == text)
    }

    /// A fact that means something to the product alone.
    pub fn note(self, name: &str) -> Option<&'s str> {
        note(self.image, self.row.notes, name)
    }
}

/// One choice.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'s> {
    pub(crate) image: &'s Image,
    pub(crate) row: &'s OptionRow,
}

impl<'s> Choice<'s> {
    /// Its value.
    pub fn value(self) -> i64 {
        i64::from(self.row.value)
    }

    /// Its member's name or its label.
    pub fn text(self) -> &'s str {
        self.image.text(self.row.text)
    }
}
