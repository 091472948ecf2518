//! A row: its version, its number, and the values it does not share with every other row.
//!
//! Decides how a row lies in memory: in one piece, values by position of their column, each with its type and as short as it can
//! be. What became of it since it was put there lies in the two highest bits of its version, which no counter reaches. What a
//! column holds by default lies in no row. Mirrors SQL Server's `rowversion` (one counter per database, moved by every change) and
//! the record numbers of Finance and Operations (one sequence per table).

use std::sync::Arc;

use mocktenant_schema::{Cell, CellRef, Column, Decimal, Guid, Table};

/// Where the record numbers of a table begin. [inferred: the decoded entity tags of a Finance and Operations sample
/// hold numbers that begin with 5637144]
pub const FIRST_RECID: i64 = 5_637_144_576;

/// A committed row. Cheap to clone; never changes.
#[derive(Clone, PartialEq, Eq)]
pub struct Row(Arc<[u8]>);

/// What became of a row since it was put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The database began with it.
    First,
    /// A transaction made it.
    Made,
    /// A transaction changed it, whoever made it.
    Changed,
}

/// Values of a row that is being made, by position of their column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Vec<(u16, Cell)>);

/// Bytes of version and number.
const HEAD: usize = 16;

/// The bits of a version that count; those above tell a row's standing.
const COUNTED: u64 = u64::MAX >> 2;

/// Bytes of a column's position and of its value's type.
const COLUMN: usize = 3;

/// The types of values as they stand in a row.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const NO: u8 = 1;
    pub(super) const YES: u8 = 2;
    pub(super) const SHORT: u8 = 3;
    pub(super) const WHOLE: u8 = 4;
    pub(super) const AMOUNT: u8 = 5;
    pub(super) const DECIMAL: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const WORD: u8 = 8;
    pub(super) const TEXT: u8 = 9;
    pub(super) const ID: u8 = 10;
    pub(super) const MOMENT: u8 = 11;
    pub(super) const DAY: u8 = 12;
}

impl Values {
    /// The value of a column; `None` if nobody gave one.
    pub fn get(&self, column: u16) -> Option<&Cell> {
        let at = self.0.binary_search_by_key(&column, |(one, _)| *one).ok()?;
        self.0.get(at).map(|(_, cell)| cell)
    }

    /// Gives a column a value.
    pub fn set(&mut self, column: u16, cell: Cell) {
        match self.0.binary_search_by_key(&column, |(one, _)| *one) {
            Ok(at) => {
                if let Some((_, there)) = self.0.get_mut(at) {
                    *there = cell;
                }
            }
            Err(at) => self.0.insert(at, (column, cell)),
        }
    }

    /// Takes a value away, so that the column holds its default.
    pub fn remove(&mut self, column: u16) -> Option<Cell> {
        let at = self.0.binary_search_by_key(&column, |(one, _)| *one).ok()?;
        Some(self.0.remove(at).1)
    }

    /// All values, by position of their column.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Cell)> {
        self.0.iter().map(|(column, cell)| (*column, cell))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes away what a column holds anyway: its default, or null where it has none.
    pub(crate) fn drop_defaults(&mut self, table: Table<'_>) {
        self.0.retain(|(column, cell)| {
            let default = table.at(*column).and_then(Column::default).unwrap_or_default();
            cell.as_ref() != default
        });
    }

    /// The value a row of these has in a column, its default if nobody gave one.
    pub fn value<'v>(&'v self, column: Column<'v>) -> CellRef<'v> {
        match self.get(column.ordinal()) {
            Some(cell) => cell.as_ref(),
            None => column.default().unwrap_or_default(),
        }
    }
}

impl FromIterator<(u16, Cell)> for Values {
    fn from_iter<I: IntoIterator<Item = (u16, Cell)>>(all: I) -> Self {
        let mut values = Self::default();
        for (column, cell) in all {
            values.set(column, cell);
        }
        values
    }
}

impl Row {
    pub(crate) fn new((version, standing): (u64, Standing), recid: i64, values: &Values) -> Self {
        let mut bytes = Vec::with_capacity(Self::size_of(values));
        let standing = match standing {
            Standing::First => 0,
            Standing::Made => 1,
            Standing::Changed => 2,
        };
        bytes.extend((version & COUNTED | standing << COUNTED.count_ones()).to_le_bytes());
        bytes.extend(recid.to_le_bytes());
        for (column, cell) in values.iter() {
            bytes.extend(column.to_le_bytes());
            push(&mut bytes, cell);
        }
        Self(bytes.into())
    }

    /// Bytes that a row of these values takes.
    pub(crate) fn size_of(values: &Values) -> usize {
        HEAD + values.iter().map(|(_, cell)| COLUMN + size_of_cell(cell)).sum::<usize>()
    }

    /// Grows with every change anywhere in the database, so no two states of rows share one. Never 0.
    pub fn version(&self) -> u64 {
        self.head() & COUNTED
    }

    /// What became of it since it was put there.
    pub fn standing(&self) -> Standing {
        match self.head() >> COUNTED.count_ones() {
            0 => Standing::First,
            1 => Standing::Made,
            _ => Standing::Changed,
        }
    }

    fn head(&self) -> u64 {
        u64::from_le_bytes(array(&self.0, 0))
    }

    /// The row's number within its table, from [`FIRST_RECID`], kept by updates; insertion order follows it.
    pub fn recid(&self) -> i64 {
        i64::from_le_bytes(array(&self.0, 8))
    }

    /// The weak entity tag of the row's version, `W/"123"`.
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.version())
    }

    /// The version in an entity tag as [`Row::etag`] writes it, also without `W/`; `None` for any other text.
    pub fn version_of_etag(etag: &str) -> Option<u64> {
        let etag = etag.trim();
        let digits = etag.strip_prefix("W/").unwrap_or(etag).strip_prefix('"')?.strip_suffix('"')?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    }

    /// The values that are no defaults, by position of their column.
    pub fn cells(&self) -> Cells<'_> {
        Cells { rest: self.0.get(HEAD..).unwrap_or_default() }
    }

    /// The value of a column that is no default.
    pub fn get(&self, column: u16) -> Option<CellRef<'_>> {
        let mut cells = self.cells();
        // those before it are passed over, not read
        std::iter::from_fn(|| cells.step())
            .find(|(one, ..)| *one >= column)
            .filter(|(one, ..)| *one == column)
            .map(read)
    }

    /// The value of a column.
    pub fn value<'r>(&'r self, column: Column<'r>) -> CellRef<'r> {
        match self.get(column.ordinal()) {
            Some(cell) => cell,
            None => column.default().unwrap_or_default(),
        }
    }

    /// Its values, to be changed.
    pub fn values(&self) -> Values {
        Values(self.cells().map(|(column, cell)| (column, cell.to_cell())).collect())
    }

    /// Bytes it takes.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Row {} {} ", self.version(), self.recid())?;
        formatter.debug_map().entries(self.cells()).finish()
    }
}

/// Bytes from a place on; zeros beyond the end, where none of ours reads.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

/// Bytes that [`push`] appends behind the type.
fn size_of_cell(cell: &Cell) -> usize {
    match cell {
        Cell::Null | Cell::Flag(_) => 0,
        Cell::Whole(whole) if i32::try_from(*whole).is_ok() => 4,
        Cell::Whole(_) | Cell::Double(_) | Cell::Moment(_) => 8,
        Cell::Decimal(decimal) if i64::try_from(decimal.units()).is_ok() => 8,
        Cell::Decimal(_) | Cell::Id(_) => 16,
        Cell::Text(text) if u8::try_from(text.len()).is_ok() => 1 + text.len(),
        Cell::Text(text) => 4 + text.len(),
        Cell::Day(_) => 4,
    }
}

fn push(bytes: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => bytes.push(tag::NULL),
        Cell::Flag(flag) => bytes.push(if *flag { tag::YES } else { tag::NO }),
        Cell::Whole(whole) => match i32::try_from(*whole) {
            Ok(short) => {
                bytes.push(tag::SHORT);
                bytes.extend(short.to_le_bytes());
            }
            Err(_) => {
                bytes.push(tag::WHOLE);
                bytes.extend(whole.to_le_bytes());
            }
        },
        Cell::Decimal(decimal) => match i64::try_from(decimal.units()) {
            Ok(amount) => {
                bytes.push(tag::AMOUNT);
                bytes.extend(amount.to_le_bytes());
            }
            Err(_) => {
                bytes.push(tag::DECIMAL);
                bytes.extend(decimal.units().to_le_bytes());
            }
        },
        Cell::Double(double) => {
            bytes.push(tag::DOUBLE);
            bytes.extend(double.to_le_bytes());
        }
        Cell::Text(text) => {
            match u8::try_from(text.len()) {
                Ok(length) => bytes.extend([tag::WORD, length]),
                Err(_) => {
                    bytes.push(tag::TEXT);
                    // rows are bounded far below that
                    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                }
            }
            bytes.extend(text.as_bytes());
        }
        Cell::Id(id) => {
            bytes.push(tag::ID);
            bytes.extend(id.as_bytes());
        }
        Cell::Moment(seconds) => {
            bytes.push(tag::MOMENT);
            bytes.extend(seconds.to_le_bytes());
        }
        Cell::Day(day) => {
            bytes.push(tag::DAY);
            bytes.extend(day.to_le_bytes());
        }
    }
}

/// The values of a row.
#[derive(Clone, Debug)]
pub struct Cells<'r> {
    rest: &'r [u8],
}

/// A value that is not read yet: its column, its type, its bytes.
type Unread<'r> = (u16, u8, &'r [u8]);

impl<'r> Cells<'r> {
    fn step(&mut self) -> Option<Unread<'r>> {
        let column = u16::from_le_bytes(array(self.rest.get(..2)?, 0));
        let kind = *self.rest.get(2)?;
        let rest = self.rest.get(COLUMN..).unwrap_or_default();
        let length = match kind {
            tag::SHORT | tag::DAY => 4,
            tag::WHOLE | tag::AMOUNT | tag::DOUBLE | tag::MOMENT => 8,
            tag::DECIMAL | tag::ID => 16,
            tag::WORD => 1 + usize::from(rest.first().copied().unwrap_or_default()),
            tag::TEXT => 4 + u32::from_le_bytes(array(rest, 0)) as usize,
            _ => 0,
        };
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((column, kind, bytes))
    }
}

impl<'r> Iterator for Cells<'r> {
    type Item = (u16, CellRef<'r>);

    fn next(&mut self) -> Option<Self::Item> {
        let unread = self.step()?;
        Some((unread.0, read(unread)))
    }
}

fn read((_, kind, bytes): Unread<'_>) -> CellRef<'_> {
    match kind {
        tag::NO => CellRef::Flag(false),
        tag::YES => CellRef::Flag(true),
        tag::SHORT => CellRef::Whole(i64::from(i32::from_le_bytes(array(bytes, 0)))),
        tag::WHOLE => CellRef::Whole(i64::from_le_bytes(array(bytes, 0))),
        tag::AMOUNT => CellRef::Decimal(Decimal::from_units(i128::from(i64::from_le_bytes(array(bytes, 0))))),
        tag::DECIMAL => CellRef::Decimal(Decimal::from_units(i128::from_le_bytes(array(bytes, 0)))),
        tag::DOUBLE => CellRef::Double(f64::from_le_bytes(array(bytes, 0))),
        tag::WORD => text(bytes, 1),
        tag::TEXT => text(bytes, 4),
        tag::ID => CellRef::Id(Guid::from_bytes(array(bytes, 0))),
        tag::MOMENT => CellRef::Moment(i64::from_le_bytes(array(bytes, 0))),
        tag::DAY => CellRef::Day(i32::from_le_bytes(array(bytes, 0))),
        _ => CellRef::Null,
    }
}

/// A text behind its length. It was one when it was put in, and is looked at again: a cheap question beside forbidding none.
fn text(bytes: &[u8], behind: usize) -> CellRef<'_> {
    let bytes = bytes.get(behind..).unwrap_or_default();
    CellRef::Text(std::str::from_utf8(bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_as_they_went_in() {
        let all = [
            (0, Cell::Null),
            (1, Cell::Flag(true)),
            (2, Cell::Flag(false)),
            (3, Cell::Whole(-7)),
            (4, Cell::Whole(i64::MAX)),
            (5, Cell::Decimal(Decimal::parse("12.5").unwrap())),
            (6, Cell::Decimal(Decimal::parse("922337203685477.5807").unwrap())),
            (7, Cell::Double(0.25)),
            (8, Cell::text("Söhne")),
            (9, Cell::text("x".repeat(1_000))),
            (300, Cell::Id(Guid::from_bytes([7; 16]))),
            (301, Cell::Moment(-1)),
            (302, Cell::Day(20_000)),
        ];
        let values: Values = all.iter().rev().cloned().collect();
        let row = Row::new((42, Standing::Made), FIRST_RECID, &values);
        assert_eq!((row.version(), row.recid()), (42, FIRST_RECID));
        assert_eq!(row.size(), Row::size_of(&values));
        let out: Vec<(u16, Cell)> = row.cells().map(|(column, cell)| (column, cell.to_cell())).collect();
        assert_eq!(out, all);
        assert_eq!(row.values(), values);
        assert_eq!(row.get(9).and_then(CellRef::as_text).map(str::len), Some(1_000));
        assert_eq!(row.get(10), None);
        assert_eq!(row.get(302), Some(CellRef::Day(20_000)));
    }

    #[test]
    fn what_became_of_a_row_takes_no_bytes_and_is_no_part_of_its_version() {
        for standing in [Standing::First, Standing::Made, Standing::Changed] {
            let row = Row::new((7, standing), FIRST_RECID, &Values::default());
            assert_eq!((row.version(), row.standing(), row.size()), (7, standing, HEAD));
        }
    }

    #[test]
    fn an_entity_tag_reads_back_and_nothing_else_does() {
        let row = Row::new((42, Standing::Changed), FIRST_RECID, &Values::default());
        assert_eq!(row.etag(), "W/\"42\"");
        assert_eq!(Row::version_of_etag(&row.etag()), Some(42));
        assert_eq!(Row::version_of_etag("\"42\""), Some(42));
        for text in ["", "*", "W/42", "W/\"\"", "W/\"+4\"", "W/\"99999999999999999999\""] {
            assert_eq!(Row::version_of_etag(text), None, "{text}");
        }
    }
}
