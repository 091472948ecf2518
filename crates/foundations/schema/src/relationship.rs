//! Where rows lead: relationships, and the navigation properties that are their two sides.
//!
//! Decides nothing: it reads an [`Image`].

use crate::column::Column;
use crate::definition::Deletion;
use crate::image::{Image, NONE, RelationshipRow, Run, Span, TableRow};
use crate::schema::Table;

/// A relationship.
#[derive(Clone, Copy, Debug)]
pub struct Relationship<'s> {
    pub(crate) image: &'s Image,
    pub(crate) row: &'s RelationshipRow,
}

impl<'s> Relationship<'s> {
    fn table(self, at: u16) -> Table<'s> {
        // compilation put in positions of tables alone
        let row = self.image.tables.get(usize::from(at)).unwrap_or(&NO_TABLE);
        Table { image: self.image, row, at }
    }

    /// Its name.
    pub fn name(self) -> &'s str {
        self.image.text(self.row.name)
    }

    /// The table whose rows lead to others.
    pub fn from(self) -> Table<'s> {
        self.table(self.row.from)
    }

    /// The table whose rows they lead to.
    pub fn to(self) -> Table<'s> {
        self.table(self.row.to)
    }

    /// Ordinals that are equal, in `from` and in `to`; where many lead to many, those of the table between that lead to
    /// `from` and to `to`.
    pub fn pairs(self) -> impl ExactSizeIterator<Item = (u16, u16)> + Clone {
        self.row.pairs.of(&self.image.pairs).iter().copied()
    }

    /// The table between, where many lead to many.
    pub fn through(self) -> Option<Table<'s>> {
        (self.row.through != NONE).then(|| self.table(self.row.through))
    }

    /// Whether many lead to many.
    pub fn is_many_to_many(self) -> bool {
        self.row.through != NONE
    }

    /// Its position among all relationships.
    pub fn position(self) -> usize {
        let mut all = self.image.relationships.iter();
        all.position(|row| std::ptr::eq(row, self.row)).unwrap_or_default()
    }

    /// The lookup column it is, if it is one.
    pub fn column(self) -> Option<Column<'s>> {
        let (own, _) = self.pairs().next().filter(|_| self.row.lookup)?;
        self.from().at(own)
    }

    /// The navigation property from one row to the other; empty if there is none.
    pub fn navigation(self) -> &'s str {
        self.image.text(self.row.navigation)
    }

    /// And back; empty if there is none.
    pub fn back(self) -> &'s str {
        self.image.text(self.row.back)
    }

    /// Whether the row that the columns name has to be there.
    pub fn is_enforced(self) -> bool {
        self.row.enforced
    }

    /// What happens when it goes.
    pub fn delete(self) -> Deletion {
        match self.row.delete {
            1 => Deletion::Cascade,
            2 => Deletion::Restrict,
            3 => Deletion::Nothing,
            _ => Deletion::RemoveLink,
        }
    }
}

static NO_TABLE: TableRow = TableRow {
    name: Span(0, 0),
    set: Span(0, 0),
    schema_name: Span(0, 0),
    label: Span(0, 0),
    plural: Span(0, 0),
    view: Span(0, 0),
    code: 0,
    owned: false,
    declared: false,
    name_column: NONE,
    columns: Run(0, 0),
    by_name: Run(0, 0),
    key: Run(0, 0),
    indexes: Run(0, 0),
    keys: Run(0, 0),
    states: Run(0, 0),
    notes: Run(0, 0),
};

/// A navigation property: a relationship seen from one of its sides.
#[derive(Clone, Copy, Debug)]
pub struct Navigation<'s> {
    pub(crate) relationship: Relationship<'s>,
    pub(crate) back: bool,
}

impl<'s> Navigation<'s> {
    /// Its name.
    pub fn name(self) -> &'s str {
        self.relationship.image.text(self.span())
    }

    pub(crate) fn span(self) -> Span {
        let row = self.relationship.row;
        if self.back { row.back } else { row.navigation }
    }

    /// The name of the property that leads back; empty if there is none.
    pub fn partner(self) -> &'s str {
        if self.back { self.relationship.navigation() } else { self.relationship.back() }
    }

    /// The relationship it is a side of.
    pub fn relationship(self) -> Relationship<'s> {
        self.relationship
    }

    /// Whether it leads back, against the columns.
    pub fn is_back(self) -> bool {
        self.back
    }

    /// The table it leads to.
    pub fn target(self) -> Table<'s> {
        if self.back { self.relationship.from() } else { self.relationship.to() }
    }

    /// Whether it leads to many rows.
    pub fn is_many(self) -> bool {
        self.relationship.is_many_to_many() || self.back && !self.relationship.row.single
    }
}
