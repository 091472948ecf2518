//! Tables and columns as they are asked for.
//!
//! Decides nothing: it reads an [`Image`]. Everything it hands out is a position and a reference, cheap to copy.

use crate::column::{Choices, Column, Key, NOWHERE, State};
use crate::image::{Image, NONE, Run, Span, TableRow};
use crate::relationship::{Navigation, Relationship};

/// The tables of one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    pub(crate) image: Image,
}

impl Schema {
    /// A schema that was made before.
    pub const fn of(image: Image) -> Self {
        Self { image }
    }

    /// What it is made of.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// All tables.
    pub fn tables(&self) -> impl Iterator<Item = Table<'_>> + Clone {
        (0..self.image.tables.len()).filter_map(|at| self.at(at))
    }

    /// The table at a position.
    pub fn at(&self, at: usize) -> Option<Table<'_>> {
        table_at(&self.image, at)
    }

    /// The table of this name, exactly spelt.
    pub fn table(&self, name: &str) -> Option<Table<'_>> {
        find(&self.image, &self.image.by_name, name, |row| row.name)
    }

    /// The table of this entity set, exactly spelt.
    pub fn by_set(&self, set: &str) -> Option<Table<'_>> {
        find(&self.image, &self.image.by_set, set, |row| row.set)
    }

    /// All sets of choices that have a name.
    pub fn choices(&self) -> impl Iterator<Item = Choices<'_>> {
        let all = self.image.choices.iter().map(|row| Choices { image: &self.image, row });
        all.filter(|choices| !choices.name().is_empty())
    }

    /// The relationship at a position.
    pub fn relationship(&self, at: usize) -> Option<Relationship<'_>> {
        self.image.relationships.get(at).map(|row| Relationship { image: &self.image, row })
    }

    /// Every relationship.
    pub fn relationships(&self) -> impl Iterator<Item = Relationship<'_>> {
        self.image.relationships.iter().map(|row| Relationship { image: &self.image, row })
    }
}

fn table_at(image: &Image, at: usize) -> Option<Table<'_>> {
    Some(Table { image, row: image.tables.get(at)?, at: u16::try_from(at).ok()? })
}

fn find<'s>(
    image: &'s Image,
    sorted: &[u16],
    name: &str,
    by: impl Fn(&TableRow) -> Span,
) -> Option<Table<'s>> {
    let of = |at: &u16| image.tables.get(usize::from(*at)).map_or("", |row| image.text(by(row)));
    let found = sorted.binary_search_by(|at| of(at).cmp(name)).ok()?;
    table_at(image, usize::from(*sorted.get(found)?))
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table<'s> {
    pub(crate) image: &'s Image,
    pub(crate) row: &'s TableRow,
    pub(crate) at: u16,
}

impl PartialEq for Table<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && self.name() == other.name()
    }
}

impl Eq for Table<'_> {}

impl<'s> Table<'s> {
    /// Its position among the tables.
    pub fn position(self) -> usize {
        usize::from(self.at)
    }

    /// The table at a position of the same schema.
    pub fn beside(self, at: usize) -> Option<Self> {
        table_at(self.image, at)
    }

    /// The table of this entity set in the same schema, exactly spelt.
    pub fn beside_by_set(self, set: &str) -> Option<Self> {
        find(self.image, &self.image.by_set, set, |row| row.set)
    }

    /// The relationship at a position of its schema.
    pub fn relationship(self, at: usize) -> Option<Relationship<'s>> {
        self.image.relationships.get(at).map(|row| Relationship { image: self.image, row })
    }

    /// Its name, `account`.
    pub fn name(self) -> &'s str {
        self.image.text(self.row.name)
    }

    /// Its entity set, `accounts`.
    pub fn set(self) -> &'s str {
        self.image.text(self.row.set)
    }

    /// Its name with letter case, `Account`.
    pub fn schema_name(self) -> &'s str {
        self.image.text(self.row.schema_name)
    }

    /// Its display name.
    pub fn label(self) -> &'s str {
        self.image.text(self.row.label)
    }

    /// The display name of many.
    pub fn plural(self) -> &'s str {
        self.image.text(self.row.plural)
    }

    /// The product's number for it; 0 if it has none.
    pub fn code(self) -> u32 {
        self.row.code
    }

    /// Whether users own its rows.
    pub fn is_owned(self) -> bool {
        self.row.owned
    }

    /// Whether a declaration made it.
    pub fn is_declared(self) -> bool {
        self.row.declared
    }

    /// The view of the declaration that its rows are.
    pub fn view(self) -> Option<&'s str> {
        Some(self.image.text(self.row.view)).filter(|view| !view.is_empty())
    }

    /// Its columns, in the product's order.
    pub fn columns(self) -> impl ExactSizeIterator<Item = Column<'s>> + Clone {
        let (table, rows) = (self, self.row.columns.of(&self.image.columns));
        rows.iter().enumerate().map(move |(at, row)| Column {
            table,
            row,
            // there are at most as many as a run counts
            ordinal: u16::try_from(at).unwrap_or(NONE),
        })
    }

    /// The column at a position.
    pub fn at(self, ordinal: u16) -> Option<Column<'s>> {
        let row = self.row.columns.of(&self.image.columns).get(usize::from(ordinal))?;
        Some(Column { table: self, row, ordinal })
    }

    /// The column of this name, exactly spelt.
    pub fn column(self, name: &str) -> Option<Column<'s>> {
        let sorted = self.row.by_name.of(&self.image.ordinals);
        let rows = self.row.columns.of(&self.image.columns);
        let of = |at: &u16| rows.get(usize::from(*at)).map_or("", |row| self.image.text(row.name));
        let found = sorted.binary_search_by(|at| of(at).cmp(name)).ok()?;
        self.at(*sorted.get(found)?)
    }

    pub(crate) fn those(self, run: Run) -> impl ExactSizeIterator<Item = Column<'s>> + Clone {
        let ordinals = run.of(&self.image.ordinals);
        // positions in a run are those of columns: compilation put them there
        ordinals.iter().map(move |ordinal| {
            self.at(*ordinal).unwrap_or(Column { table: self, row: &NOWHERE, ordinal: NONE })
        })
    }

    /// The columns of the primary key.
    pub fn key(self) -> impl ExactSizeIterator<Item = Column<'s>> + Clone {
        self.those(self.row.key)
    }

    /// The column of the primary key, where it is one.
    pub fn id(self) -> Option<Column<'s>> {
        let mut key = self.key();
        key.next().filter(|_| key.next().is_none())
    }

    /// The column that names a row for people.
    pub fn name_column(self) -> Option<Column<'s>> {
        self.at(self.row.name_column)
    }

    /// Further unique keys.
    pub fn keys(self) -> impl ExactSizeIterator<Item = Key<'s>> + Clone {
        self.row.keys.of(&self.image.keys).iter().map(move |row| Key { table: self, row })
    }

    /// Columns by which rows are often sought, beside keys and lookups.
    pub fn indexes(self) -> impl ExactSizeIterator<Item = Column<'s>> + Clone {
        self.those(self.row.indexes)
    }

    /// The states of a row, that of a new one first.
    pub fn states(self) -> impl ExactSizeIterator<Item = State<'s>> + Clone {
        self.row.states.of(&self.image.states).iter().map(move |row| State { image: self.image, row })
    }

    /// Relationships in which its rows lead to others, those of many with many among them.
    pub fn outgoing(self) -> impl Iterator<Item = Relationship<'s>> + Clone {
        let all = self.image.relationships.iter().map(move |row| Relationship { image: self.image, row });
        all.filter(move |one| one.row.from == self.at)
    }

    /// Relationships in which rows lead to its.
    pub fn incoming(self) -> impl Iterator<Item = Relationship<'s>> + Clone {
        let all = self.image.relationships.iter().map(move |row| Relationship { image: self.image, row });
        all.filter(move |one| one.row.to == self.at)
    }

    /// The navigation property of this name, exactly spelt.
    pub fn navigation(self, name: &str) -> Option<Navigation<'s>> {
        // most names have another length, which is told without them
        self.navigations().find(|one| usize::from(one.span().1) == name.len() && one.name() == name)
    }

    /// All navigation properties: to one row, then to many.
    pub fn navigations(self) -> impl Iterator<Item = Navigation<'s>> + Clone {
        let there = self.outgoing().filter(|one| one.row.navigation.1 > 0);
        let back = self.incoming().filter(|one| one.row.back.1 > 0);
        let there = there.map(|relationship| Navigation { relationship, back: false });
        there.chain(back.map(|relationship| Navigation { relationship, back: true }))
    }

    /// A fact that means something to the product alone.
    pub fn note(self, name: &str) -> Option<&'s str> {
        note(self.image, self.row.notes, name)
    }
}

pub(crate) fn note<'s>(image: &'s Image, run: Run, name: &str) -> Option<&'s str> {
    let found = run.of(&image.notes).iter().find(|(one, _)| image.text(*one) == name)?;
    Some(image.text(found.1))
}
