//! What belongs to a row: the rows that come with it, where the rest of them is, and the addresses of everything else.
//!
//! Decides which rows of a navigation property come, and how they are written. Mirrors documented and captured answers: rows of a
//! list have an address beside each collection that comes with them. Where one level is expanded it is that of the whole collection,
//! and each of its rows has the lookup it came by; where expansions nest, collections come in pages, and it is that of the next page.
//! A row on its own has no such address.

use mocktenant_odata::{Expansion, percent_encode};
use mocktenant_query::{Expression, Rows as _};
use mocktenant_schema::{CellRef, Column, Kind, Table};
use mocktenant_tables::{At, Row};
use mocktenant_world::Depth;
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::{Value, json};

use super::{Detail, Reach, Shape, address};
use crate::operations::next_page;

/// Most rows that come with a row at one navigation property (Microsoft Learn: Join tables using OData).
const MOST: u64 = 5_000;

/// What the links of a navigation property take in an answer, in columns.
const LINKS: usize = 10;

/// What OData calls the type of a value, where JSON does not say it.
pub(super) fn kind(column: Column<'_>) -> Option<&'static str> {
    Some(match column.kind() {
        Kind::Id | Kind::Lookup => "#Guid",
        Kind::Decimal | Kind::Money => "#Decimal",
        Kind::Moment => "#DateTimeOffset",
        Kind::Day => "#Date",
        Kind::Big | Kind::Version => "#Int64",
        Kind::Binary => "#Binary",
        _ => return None,
    })
}

impl<'a> Shape<'a> {
    /// The rows that come with a row at a navigation property, those in reach, and at most so many.
    fn related(&self, expansion: &Expansion, depth: Depth, at: At<'a>) -> Vec<At<'a>> {
        let sight = self.rows.sight();
        let table = self.rows.schema().at(expansion.table);
        let mut rows = Vec::new();
        sight.many(at, expansion.hop, &mut |row| {
            let holds = |filter: &Expression| filter.holds(&sight, row);
            let value = |name: &str| {
                let column = table.and_then(|table| table.column(name));
                column.map_or(CellRef::Null, |column| sight.cell(row, column.ordinal()))
            };
            let looked = self.budget.look();
            let seen = looked && table.is_some_and(|table| self.principal.reaches(table, depth, value));
            if row.table == expansion.table && seen && expansion.filter.as_ref().is_none_or(holds) {
                rows.push(row);
            }
            looked
        });
        if !expansion.order.is_empty() {
            rows.sort_by(|left, right| {
                mocktenant_query::compare_rows(&sight, &expansion.order, *left, *right)
            });
        } else if self.pages().is_some() {
            // the order in which the next page goes on
            rows.sort_by_cached_key(|row| self.rows.key_of(*row));
        }
        let length = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let most = expansion.top.unwrap_or(MOST).min(self.pages().unwrap_or(MOST)).min(MOST);
        rows.into_iter().skip(length(expansion.skip)).take(length(most)).collect()
    }

    /// How large the pages of collections are, where they come in pages.
    fn pages(&self) -> Option<u64> {
        self.list.filter(|_| self.nested)
    }

    /// What is answered of the rows that come with a row. As captured, and documented under Join tables using OData: the one row a
    /// lookup leads to has no entity tag in a list, and no row has where expansions nest.
    fn below(&self, expansion: &'a Expansion, reach: Option<&'a Reach>, link: Option<Column<'a>>) -> Self {
        Self {
            selection: &expansion.selection,
            reach: reach.map_or(&[], |reach| &reach.below),
            tagged: self.tagged && !self.nested && (expansion.many || self.list.is_none()),
            link,
            ..*self
        }
    }

    /// Writes the rows that come with a row, or their addresses.
    pub(super) fn expanded<M: SerializeMap>(
        &self,
        map: &mut M,
        (table, at): (Table<'a>, At<'a>),
        expansion: &'a Expansion,
        reach: Option<&'a Reach>,
    ) -> Result<(), M::Error> {
        let depth = reach.map_or(Depth::Basic, |reach| reach.depth);
        let mut rows = self.related(expansion, depth, at);
        let whole = |there: Table<'_>| {
            let links = if self.detail == Detail::Full { there.navigations().count() } else { 0 };
            there.columns().len() + links * LINKS
        };
        let all = self.rows.schema().at(expansion.table).map_or(0, whole);
        let columns = expansion.selection.columns.as_ref().map_or(all, Vec::len);
        let count = rows.len();
        let fits = rows.iter().take_while(|row| self.budget.carry(row.row.size(), columns)).count();
        rows.truncate(fits);
        let name = &expansion.navigation;
        if expansion.reference {
            let there = self.rows.schema().at(expansion.table).zip(rows.first());
            return map.serialize_entry(name, &there.map(|(table, at)| self.reference(table, at.row)));
        }
        if !expansion.many {
            let below = self.below(expansion, reach, None);
            return map.serialize_entry(name, &rows.first().map(|row| below.members(*row)));
        }
        let whole = self.list.is_some() && !self.nested;
        let link = table.navigation(name).filter(|_| whole).and_then(|step| step.relationship().column());
        let below = self.below(expansion, reach, link);
        if expansion.count {
            map.serialize_entry(&format!("{name}@odata.count"), &count)?;
        }
        map.serialize_entry(name, &Rows { below, rows: &rows })?;
        match self.rest((table, at.row), expansion, &rows) {
            Some(rest) => map.serialize_entry(&format!("{name}@odata.nextLink"), &rest),
            None => Ok(()),
        }
    }

    /// The address of a row in place of it.
    pub(crate) fn reference(&self, table: Table<'_>, row: &Row) -> Value {
        json!({ "@odata.id": format!("{}/{}", self.root, address(table, row)) })
    }

    /// Where the collection is of which these rows come with a row of a list, or its next page.
    fn rest(
        &self,
        (table, row): (Table<'_>, &Row),
        expansion: &Expansion,
        rows: &[At<'a>],
    ) -> Option<String> {
        self.list?;
        let mut asked: Vec<String> =
            expansion.written.iter().map(|one| percent_encode(one, "$=,()';/@*:")).collect();
        if let Some(size) = self.pages() {
            let there = self.rows.schema().at(expansion.table)?;
            let (first, last) = (rows.first()?, rows.last().filter(|_| rows.len() as u64 >= size)?);
            asked.push(format!("$skiptoken={}", next_page(there, first.row, last.row)));
        }
        let query = if asked.is_empty() { String::new() } else { format!("?{}", asked.join("&")) };
        Some(format!("{}/{}/{}{query}", self.root, address(table, row), expansion.navigation))
    }

    /// Writes the addresses of what a row's navigation properties lead to: of those asked for, if columns were.
    pub(super) fn links<M: SerializeMap>(
        &self,
        map: &mut M,
        table: Table<'_>,
        address: &str,
    ) -> Result<(), M::Error> {
        let asked = |name: &str| {
            let selection = self.selection;
            selection.columns.is_none()
                || selection.links.iter().any(|link| link == name)
                || selection.expand.iter().any(|expansion| expansion.navigation == name)
        };
        let mut told: Vec<&str> = Vec::new();
        for step in table.navigations().filter(|step| asked(step.name())) {
            // a lookup of several tables has one property for all of them
            if told.contains(&step.name()) {
                continue;
            }
            told.push(step.name());
            let (name, there) = (step.name(), format!("{}/{address}/{}", self.root, step.name()));
            map.serialize_entry(&format!("{name}@odata.associationLink"), &format!("{there}/$ref"))?;
            map.serialize_entry(&format!("{name}@odata.navigationLink"), &there)?;
        }
        Ok(())
    }
}

/// Rows of a collection.
struct Rows<'a> {
    below: Shape<'a>,
    rows: &'a [At<'a>],
}

impl Serialize for Rows<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| self.below.members(*row)))
    }
}
