//! The answer to a query that is XML: its rows, or the groups worked out of them.
//!
//! Decides names and annotations of values, and what the context lists. A column without value is left out. Values of links are
//! `alias.column`, those with a name of their own are called by it, each with the name of its column as an annotation. Mirrors
//! captured answers: the context lists the columns that the first row has, then the others, then what lookups lead to.

use mocktenant_lab::Listing;
use mocktenant_odata::Preferences;
use mocktenant_schema::{Cell, CellRef, Column, Kind, Schema};
use mocktenant_tables::{At, Row, Snapshot};
use mocktenant_world::Zone;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::aggregate::Group;
use super::join::Joined;
use super::lower::{Aggregation, Level, Output, Plan, What};
use crate::formatted;
use crate::representation::Written;
use crate::tables::DIALECT;

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const ATTRIBUTE: &str = "OData.Community.Display.V1.AttributeName";
const FIELD: &str = "OData.Community.Display.V1.CurrentEntityField";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// Which annotations a request asks for; decided once.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "five annotations, each asked for on its own")]
struct Wanted {
    formatted: bool,
    attribute: bool,
    field: bool,
    navigation: bool,
    logical_name: bool,
}

impl Wanted {
    fn of(preferences: &Preferences) -> Self {
        Self {
            formatted: preferences.wants_annotation(FORMATTED),
            attribute: preferences.wants_annotation(ATTRIBUTE),
            field: preferences.wants_annotation(FIELD),
            navigation: preferences.wants_annotation(NAVIGATION),
            logical_name: preferences.wants_annotation(LOGICAL_NAME),
        }
    }
}

/// What is written.
pub(crate) struct Writer<'w> {
    pub(crate) plan: &'w Plan,
    pub(crate) rows: &'w Snapshot,
    wanted: Wanted,
    /// The columns of the entity that are answered under their own names: found once, a page has many rows.
    own: Vec<Column<'w>>,
    /// Of whoever asks.
    zone: Zone,
}

impl<'w> Writer<'w> {
    pub(crate) fn new(plan: &'w Plan, rows: &'w Snapshot, preferences: &Preferences, zone: Zone) -> Self {
        let wanted = Wanted::of(preferences);
        Self { plan, rows, wanted, own: plan.own_columns(rows.schema()), zone }
    }

    fn schema(&self) -> &'w Schema {
        self.rows.schema()
    }

    /// What stands behind `#` in the context.
    pub(crate) fn context(&self, first: Option<&Joined>) -> String {
        let Some(level) = self.plan.levels.first() else { return String::new() };
        let set = self.schema().at(level.table).map_or("", mocktenant_schema::Table::set);
        if level.all || self.plan.aggregation.is_some() {
            return set.to_owned();
        }
        let columns = self.own.clone();
        let row = first.and_then(|tuple| tuple.first()).and_then(Option::as_ref);
        let there = |column: &Column<'_>| row.is_some_and(|row| !cell(row, *column).is_null());
        let (has, has_not): (Vec<Column<'_>>, Vec<Column<'_>>) = columns.into_iter().partition(there);
        let (mut names, mut links) = (Vec::new(), Vec::new());
        for column in has.into_iter().chain(has_not) {
            names.push(DIALECT.property(column).into_owned());
            if column.kind() == Kind::Lookup {
                let mut steps: Vec<&str> =
                    column.lookups().map(mocktenant_schema::Relationship::navigation).collect();
                steps.dedup();
                names.extend(steps.iter().map(|step| (*step).to_owned()));
                links.extend(steps.iter().map(|step| format!("{step}()")));
            }
        }
        names.extend(links);
        if names.is_empty() { set.to_owned() } else { format!("{set}({})", names.join(",")) }
    }

    /// What the head says of links: the column each goes out from.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let mut head = Map::new();
        for level in self.plan.levels.iter().filter(|_| self.wanted.field) {
            let Some(join) = level.join.as_ref().filter(|join| join.parent == 0) else { continue };
            let base = self.plan.levels.first().and_then(|base| self.schema().at(base.table));
            let lookup =
                base.and_then(|table| table.at(join.to)).filter(|column| column.kind() == Kind::Lookup);
            if let Some(column) = lookup {
                head.insert(format!("@{}.{FIELD}", level.alias), json!(column.name()));
            }
        }
        head
    }

    /// Writes rows as long as the answer takes them; false once it does not.
    pub(crate) fn push(&self, listing: &mut Listing, some: &[Joined]) -> bool {
        some.iter().all(|tuple| listing.push(&Line { writer: self, tuple }))
    }

    /// The same of groups.
    pub(crate) fn push_groups(
        &self,
        aggregation: &Aggregation,
        listing: &mut Listing,
        some: &[Group],
    ) -> bool {
        some.iter().all(|group| listing.push(&Grouped { writer: self, aggregation, group }))
    }
}

/// The value of a column, its version among them.
fn cell<'r>(row: &'r Row, column: Column<'r>) -> CellRef<'r> {
    match column.kind() {
        Kind::Version => CellRef::Whole(i64::try_from(row.version()).unwrap_or(i64::MAX)),
        _ => row.value(column),
    }
}

/// A value and what it is called.
struct Entry<'e> {
    name: &'e str,
    column: Column<'e>,
    at: At<'e>,
    cell: CellRef<'e>,
    /// Whether the name of its column is said beside it.
    aliased: bool,
}

impl Entry<'_> {
    fn write<M: SerializeMap>(&self, map: &mut M, writer: &Writer<'_>) -> Result<(), M::Error> {
        let Self { name, column, at, cell, aliased } = *self;
        if cell.is_null() {
            return Ok(());
        }
        let Wanted { formatted, attribute, navigation, logical_name, .. } = writer.wanted;
        if aliased && attribute {
            map.serialize_entry(&format!("{name}@{ATTRIBUTE}"), column.name())?;
        }
        if column.kind() == Kind::Lookup {
            let asked = formatted || navigation || logical_name;
            if let Some(named) = asked.then(|| formatted::named(writer.rows, column, cell)).flatten() {
                if let Some(text) = named.name.filter(|_| formatted) {
                    map.serialize_entry(&format!("{name}@{FORMATTED}"), &text)?;
                }
                if navigation && !aliased && !matches!(column.name(), "createdby" | "modifiedby") {
                    map.serialize_entry(&format!("{name}@{NAVIGATION}"), named.navigation)?;
                }
                if logical_name {
                    map.serialize_entry(&format!("{name}@{LOGICAL_NAME}"), named.table)?;
                }
            }
        } else if let Some(text) =
            formatted.then(|| formatted::value(writer.rows, column, at, cell, &writer.zone)).flatten()
        {
            map.serialize_entry(&format!("{name}@{FORMATTED}"), &text)?;
        }
        map.serialize_entry(name, &Written { column, cell })
    }
}

/// A row.
struct Line<'l> {
    writer: &'l Writer<'l>,
    tuple: &'l Joined,
}

impl Line<'_> {
    fn level<M: SerializeMap>(&self, map: &mut M, number: usize, level: &Level) -> Result<(), M::Error> {
        let table = self.writer.schema().at(level.table);
        let row = self.tuple.get(number).and_then(Option::as_ref);
        let (Some(table), Some(row)) = (table, row) else { return Ok(()) };
        let at = At { table: level.table, row };
        for shown in &level.shown {
            let Some(column) = table.at(shown.column) else { continue };
            let Some(name) = shown.name(number, level, table) else { continue };
            Entry { name: &name, column, at, cell: cell(row, column), aliased: true }
                .write(map, self.writer)?;
        }
        Ok(())
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let plan = self.writer.plan;
        let own = &self.writer.own;
        if let (Some(level), Some(row)) = (plan.levels.first(), self.tuple.first().and_then(Option::as_ref)) {
            let at = At { table: level.table, row };
            let key = self.writer.schema().at(level.table).and_then(mocktenant_schema::Table::id);
            // rows that are told apart by some of their columns are no rows of the table any more
            if key.is_some_and(|key| own.contains(&key)) {
                map.serialize_entry("@odata.etag", &row.etag())?;
            }
            for column in own.iter().copied() {
                let name = DIALECT.property(column);
                Entry { name: &name, column, at, cell: cell(row, column), aliased: false }
                    .write(&mut map, self.writer)?;
            }
        }
        for (number, level) in plan.levels.iter().enumerate() {
            self.level(&mut map, number, level)?;
        }
        map.end()
    }
}

/// A group.
struct Grouped<'g> {
    writer: &'g Writer<'g>,
    aggregation: &'g Aggregation,
    group: &'g Group,
}

impl Grouped<'_> {
    fn output<M: SerializeMap>(&self, map: &mut M, output: &Output, cell: &Cell) -> Result<(), M::Error> {
        let writer = self.writer;
        let level = writer.plan.levels.get(output.level);
        let column = level.and_then(|level| writer.schema().at(level.table)?.at(output.column));
        let Some(column) = column else { return Ok(()) };
        let row = self.group.first.as_ref().and_then(|tuple| tuple.get(output.level)?.as_ref());
        let counted = matches!(output.what, What::Count | What::CountColumn { .. } | What::Group(Some(_)));
        let name = &output.alias;
        match (cell, row, level) {
            // a count, or a part of a moment, is no value of the column
            (Cell::Whole(whole), ..) if counted => {
                if writer.wanted.attribute {
                    map.serialize_entry(&format!("{name}@{ATTRIBUTE}"), column.name())?;
                }
                if writer.wanted.formatted {
                    map.serialize_entry(
                        &format!("{name}@{FORMATTED}"),
                        &formatted::grouped(&whole.to_string()),
                    )?;
                }
                map.serialize_entry(name, whole)
            }
            (cell, Some(row), Some(level)) => {
                let at = At { table: level.table, row };
                Entry { name, column, at, cell: cell.as_ref(), aliased: true }.write(map, writer)
            }
            (Cell::Null, ..) => Ok(()),
            // what is worked out of no row at all
            (cell, ..) => map.serialize_entry(name, &Written { column, cell: cell.as_ref() }),
        }
    }
}

impl Serialize for Grouped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (output, cell) in self.aggregation.outputs.iter().zip(&self.group.cells) {
            self.output(&mut map, output, cell)?;
        }
        map.end()
    }
}
