//! Where rows lead: lookups and relationships, once all tables are there.
//!
//! Decides what they are called where nothing is said, that their tables and columns are there, and that no two properties of a
//! table have one name.

use super::{Compiler, MOST_OPTIONS, run};
use crate::definition::{
    ColumnDefinition, Deletion, LookupDefinition, RelationshipDefinition, TableDefinition,
};
use crate::image::{NONE, RelationshipRow, Run, Span};

/// What else is to be said of a relationship.
struct Rules {
    enforced: bool,
    single: bool,
    lookup: bool,
    through: u16,
}

impl Default for Rules {
    fn default() -> Self {
        Self { enforced: false, single: false, lookup: false, through: NONE }
    }
}

impl Compiler {
    /// Lookups, once all tables are there.
    pub(super) fn lookups(&mut self, name: &str, definition: &TableDefinition) {
        let Some(from) = self.position(name) else { return };
        for (column, one) in &definition.columns {
            for (target, lookup) in &one.to {
                self.lookup(name, from, (column, one), (target, lookup));
            }
        }
    }

    /// Relationships, once all lookups are there.
    pub(super) fn links(&mut self, name: &str, definition: &TableDefinition) {
        let Some(from) = self.position(name) else { return };
        for (relationship, one) in &definition.relationships {
            let at = format!("/{name}/relationships/{relationship}");
            let Some(to) = self.position(&one.to) else {
                self.wrong(format!("{at}/to"), format!("there is no table {}", one.to));
                continue;
            };
            if let Some(through) = &one.through {
                self.through(&at, relationship, (from, to), (through, one));
                continue;
            }
            let start = self.pairs.len();
            for (own, other) in &one.columns {
                let columns = |at: usize| self.tables.get(at).map(|row| row.columns).unwrap_or_default();
                let pair = (self.ordinal(columns(from), own), self.ordinal(columns(to), other));
                match pair {
                    (Some(own), Some(other)) => self.pairs.push((own, other)),
                    (None, _) => self.wrong(format!("{at}/columns"), format!("{own} is no column of {name}")),
                    (_, None) => {
                        self.wrong(format!("{at}/columns"), format!("{other} is no column of {}", one.to));
                    }
                }
            }
            let pairs = run(start, self.pairs.len());
            let navigation = self.keep(one.navigation.as_deref().unwrap_or_default());
            let back = self.keep(one.back.as_deref().unwrap_or_default());
            if pairs.1 == 0 {
                self.wrong(
                    format!("{at}/columns"),
                    "name no columns of both tables, and `through` no table between them",
                );
            }
            self.link(
                &at,
                relationship,
                (from, to),
                pairs,
                (navigation, back),
                one.delete,
                Rules { enforced: one.enforced, single: one.single, ..Rules::default() },
            );
        }
    }

    /// Many lead to many: by the rows of a table between them, which leads to both.
    fn through(
        &mut self,
        at: &str,
        name: &str,
        (from, to): (usize, usize),
        (through, one): (&str, &RelationshipDefinition),
    ) {
        let at = format!("{at}/through");
        let Some(between) = self.position(through).and_then(|at| u16::try_from(at).ok()) else {
            self.wrong(at, format!("there is no table {through}"));
            return;
        };
        let leads = |to: usize| {
            let lookups = self.relationships.iter();
            let lookups =
                lookups.filter(move |row| row.from == between && usize::from(row.to) == to && row.lookup);
            lookups.filter_map(|row| row.pairs.of(&self.pairs).first()).map(|(own, _)| *own)
        };
        // rows of one table lead to each other by two lookups, the first of them to the row itself
        let (left, right) = (leads(from).next(), leads(to).nth(usize::from(from == to)));
        let (Some(left), Some(right)) = (left, right) else {
            let why = if from == to { "no two lookups to the table" } else { "no lookups to both tables" };
            self.wrong(at, format!("{through} has {why}"));
            return;
        };
        let start = self.pairs.len();
        self.pairs.push((left, right));
        let pairs = run(start, self.pairs.len());
        let names = (
            self.keep(one.navigation.as_deref().unwrap_or_default()),
            self.keep(one.back.as_deref().unwrap_or_default()),
        );
        self.link(
            &at,
            name,
            (from, to),
            pairs,
            names,
            one.delete,
            Rules { through: between, ..Rules::default() },
        );
    }

    fn lookup(
        &mut self,
        name: &str,
        from: usize,
        (column, one): (&str, &ColumnDefinition),
        (target, lookup): (&str, &LookupDefinition),
    ) {
        let at = format!("/{name}/columns/{column}/to/{target}");
        let Some(to) = self.position(target) else {
            self.wrong(at, format!("there is no table {target}"));
            return;
        };
        let own = self.tables.get(from).and_then(|row| self.ordinal(row.columns, column));
        let key = self.tables.get(to).and_then(|row| match row.key.of(&self.ordinals) {
            [only] => Some(*only),
            _ => None,
        });
        let (Some(own), Some(key)) = (own, key) else {
            self.wrong(at, format!("{target} has a key of several columns: a lookup leads to one"));
            return;
        };
        let navigation = match &lookup.navigation {
            Some(navigation) => navigation.clone(),
            None if one.to.len() == 1 => column.to_owned(),
            None => format!("{column}_{target}"),
        };
        let relationship = lookup.relationship.clone().unwrap_or_else(|| format!("{name}_{navigation}"));
        let back = lookup.many.clone().unwrap_or_else(|| relationship.clone());
        let start = self.pairs.len();
        self.pairs.push((own, key));
        let pairs = run(start, self.pairs.len());
        let names = (self.keep(&navigation), self.keep(&back));
        self.link(
            &at,
            &relationship,
            (from, to),
            pairs,
            names,
            lookup.delete,
            Rules { lookup: true, ..Rules::default() },
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the members of one record, in one place for lookups and relationships"
    )]
    fn link(
        &mut self,
        at: &str,
        name: &str,
        (from, to): (usize, usize),
        pairs: Run,
        (navigation, back): (Span, Span),
        delete: Deletion,
        Rules { enforced, single, lookup, through }: Rules,
    ) {
        let (Ok(from), Ok(to)) = (u16::try_from(from), u16::try_from(to)) else { return };
        let taken = |compiler: &Self, table: u16, span: Span| {
            let column = compiler.tables.get(usize::from(table)).map(|row| row.columns).unwrap_or_default();
            let column_of = |pairs: Run| pairs.of(&compiler.pairs).first().map(|(own, _)| *own);
            // one property may lead to rows of several tables, where it is one lookup's
            let shared = |row: &RelationshipRow| {
                row.lookup && lookup && row.from == from && column_of(row.pairs) == column_of(pairs)
            };
            let links = compiler.relationships.iter().any(|row| {
                row.from == table && row.navigation == span && !shared(row)
                    || row.to == table && row.back == span
            });
            // a lookup's navigation property may be called as its column is
            let called = compiler.ordinal(column, compiler.read(span));
            let own = lookup && table == from && span == navigation && called == column_of(pairs);
            span.1 > 0 && (links || !own && called.is_some())
        };
        for (table, span) in [(from, navigation), (to, back)] {
            if taken(self, table, span) {
                let name = self.read(span).to_owned();
                self.wrong(at, format!("{name} is a property of the table already"));
            }
        }
        if self.relationships.len() >= MOST_OPTIONS {
            self.wrong(at, format!("is one relationship more than {MOST_OPTIONS}"));
            return;
        }
        let delete = match delete {
            Deletion::RemoveLink => 0,
            Deletion::Cascade => 1,
            Deletion::Restrict => 2,
            Deletion::Nothing => 3,
        };
        let name = self.keep(name);
        self.relationships.push(RelationshipRow {
            name,
            from,
            to,
            pairs,
            through,
            navigation,
            back,
            delete,
            enforced,
            single,
            lookup,
        });
    }
}
