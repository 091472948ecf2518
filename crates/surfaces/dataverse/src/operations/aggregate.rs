//! `$apply`: what is worked out of many rows.
//!
//! Decides the values of groups: sums, averages, the least and the greatest, counts; of money in the currency of the first row. Never
//! over more rows than the product takes. Mirrors captured answers: each value has a formatted one and the name of its column, and
//! where all annotations are asked for of a table that is not grouped, every column of the table comes first, with null.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_odata::syntax::Syntax;
use mocktenant_odata::{Apply, Binder, Fault, MAX_TERMS, Measure, Method, QueryError, QueryOptions};
use mocktenant_query::{Expression, Path, Rows as _};
use mocktenant_schema::{Cell, CellRef, Column, Decimal, Kind, Schema, Table};
use mocktenant_tables::{At, Key, Query, Snapshot};
use mocktenant_world::Zone;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::{Call, Target};
use crate::errors::{DataverseError, OptionDefect, cut};
use crate::formatted;
use crate::principal::Operation;
use crate::representation::{Written, json_answer};
use crate::tables::{self, DIALECT};

/// Most rows that are aggregated (Microsoft Learn, Dataverse: Aggregate data, limitations).
const MOST: u64 = 50_000;

/// Columns that rows are grouped by, and values of a group, together.
const MOST_VALUES: usize = 256;

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const ATTRIBUTE: &str = "OData.Community.Display.V1.AttributeName";

/// The groups of the rows, all of them or those `within`.
pub(super) async fn answer(
    call: &mut Call<'_>,
    target: &Target<'_>,
    text: &str,
    within: Option<Expression>,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    let schema = Arc::clone(&call.schema);
    let apply = {
        let alias = |name: &str| target.options.alias(name).map(str::to_owned);
        let clock = || call.clock();
        Binder::new(&schema, &DIALECT, &alias, &clock).apply(table, text)
    };
    let apply =
        apply.map_err(|fault| call.unreadable(&QueryError::Fault { option: "$apply".to_owned(), fault }))?;
    if apply.filter.as_ref().map_or(0, Expression::terms) > MAX_TERMS {
        return Err(DataverseError::TooManyConditionsInQuery);
    }
    if apply.groups.len() + apply.measures.len() > MOST_VALUES {
        return Err(DataverseError::QueryOption { sentence: Fault::TooDeep.to_string() });
    }
    if let Some(alias) = named_twice(&schema, table, &apply) {
        return Err(DataverseError::DuplicateAlias { alias: cut(&alias) });
    }
    let measured = |by: &Syntax| matches!(by, Syntax::Path(path) if apply.measures.iter().any(|one| [one.alias.as_str()] == path.as_slice()));
    if target.options.orderby.iter().any(|(by, _)| measured(by)) {
        return Err(OptionDefect::MeasureOrdered.into());
    }
    if let Some(name) = beside(&target.options) {
        call.exchange
            .trail
            .not_built(format!("{name} beside $apply"), "filter, groupby and aggregate in $apply");
        return Err(DataverseError::InvalidQueryOption);
    }
    let depth = call.authorize(table, Operation::Read)?;
    let filter = super::list::reachable(call, table, depth, [apply.filter.clone(), within]);
    let rows = target.database.snapshot();
    let query = Query { filter: filter.as_ref(), top: Some(MOST + 1), ..Query::of(table) };
    let page = super::list::pages(call, &rows, query).await?;
    if page.rows.len() as u64 > MOST {
        return Err(DataverseError::AggregateQueryRecordLimit);
    }
    let groups = call.exchange.context.aside(|| groups(&rows, table, &apply, &page.rows));
    // as captured: the context says nothing of what is shown, and nothing is said of the definitions
    let mut head = Map::new();
    head.insert("@odata.context".to_owned(), json!(format!("{}/$metadata#{}", call.root, table.set())));
    head.extend(
        super::list::counted(call, None)
            .into_iter()
            .filter(|(name, _)| !name.ends_with("globalmetadataversion")),
    );
    let formatted = call.preferences.wants_annotation(FORMATTED);
    let attribute = call.preferences.wants_annotation(ATTRIBUTE);
    let (apply, rows, zone) = (&apply, &rows, &call.principal.zone);
    let all = call.preferences.include_annotations.as_deref().unwrap_or_default();
    let all = all.split(',').any(|one| one.trim() == "*");
    let nulls = Some(table).filter(|_| all && apply.groups.is_empty());
    let row = |group| Row { apply, group, rows, formatted, attribute, zone, nulls };
    let value: Vec<Row<'_>> = groups.iter().map(row).collect();
    let answer = call.exchange.context.aside(|| json_answer(StatusCode::OK, &Body { head, value }));
    Ok(call.applied(answer, None))
}

/// A name that two values of a group have.
fn named_twice(schema: &Schema, table: Table<'_>, apply: &Apply) -> Option<String> {
    let mut names = HashSet::new();
    let common = apply.groups.iter().filter_map(|(name, path)| {
        let end = path.hops.iter().try_fold(table, |_, hop| {
            let relationship = schema.relationship(usize::from(hop.relationship))?;
            Some(if hop.back { relationship.from() } else { relationship.to() })
        })?;
        Some(common_name(name, path, end.at(path.column)?))
    });
    let measures = apply.measures.iter().map(|measure| measure.alias.clone());
    common.chain(measures).find(|name| !names.insert(name.clone()))
}

/// What is called what the rows have in common in a column: that of a related row after the table it is in, as documented.
fn common_name(name: &str, path: &Path, column: Column<'_>) -> String {
    if path.hops.is_empty() {
        return name.to_owned();
    }
    format!("{}_{}", column.table().name(), column.name())
}

/// An option that would change the groups, if it were read.
fn beside(options: &QueryOptions) -> Option<&'static str> {
    let asked = [
        ("$select", options.select.is_some()),
        ("$filter", options.filter.is_some()),
        ("$orderby", !options.orderby.is_empty()),
        ("$top", options.top.is_some()),
        ("$expand", !options.expand.is_empty()),
        ("$count", options.count),
        ("$skiptoken", options.skiptoken.is_some()),
    ];
    asked.into_iter().find(|(_, there)| *there).map(|(name, _)| name)
}

#[derive(serde::Serialize)]
struct Body<'r> {
    #[serde(flatten)]
    head: Map<String, Value>,
    value: Vec<Row<'r>>,
}

/// Rows that have the same values in what they are grouped by.
struct Group<'r> {
    values: Vec<Cell>,
    rows: Vec<At<'r>>,
}

fn groups<'r>(
    rows: &'r Snapshot,
    table: Table<'_>,
    apply: &Apply,
    found: &'r [mocktenant_tables::Row],
) -> Vec<Group<'r>> {
    let sight = rows.sight();
    let mut groups: Vec<Group<'r>> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for row in found {
        let at = At { table: table.position(), row };
        let values: Vec<Cell> =
            apply.groups.iter().map(|(_, path)| sight.value(at, path).to_cell()).collect();
        let key = Key::of(values.iter().map(Cell::as_ref));
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(Group { values, rows: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.rows.push(at);
        }
    }
    if groups.is_empty() && apply.groups.is_empty() {
        groups.push(Group { values: Vec::new(), rows: Vec::new() });
    }
    groups
}

/// A group as it is answered.
struct Row<'r> {
    apply: &'r Apply,
    group: &'r Group<'r>,
    rows: &'r Snapshot,
    formatted: bool,
    attribute: bool,
    zone: &'r Zone,
    /// The table whose columns come with null.
    nulls: Option<Table<'r>>,
}

impl Row<'_> {
    /// The column at the end of a path, and the first row that has it: the way of others may lead nowhere.
    fn place(&self, path: &Path) -> Option<(Column<'_>, At<'_>)> {
        let sight = self.rows.sight();
        let mut ends = self
            .group
            .rows
            .iter()
            .filter_map(|row| path.hops.iter().try_fold(*row, |at, hop| sight.follow(at, *hop)));
        let at = ends.next()?;
        Some((self.rows.schema().at(at.table)?.at(path.column)?, at))
    }

    fn value(&self, measure: &Measure) -> Cell {
        let sight = self.rows.sight();
        let count = |count: usize| Cell::Whole(i64::try_from(count).unwrap_or(i64::MAX));
        let Some(path) = &measure.of else { return count(self.group.rows.len()) };
        let values =
            || self.group.rows.iter().map(|row| sight.value(*row, path)).filter(|cell| !cell.is_null());
        let text = |left: &str, right: &str| mocktenant_odata::compare_text(left, right, true);
        let best = |wanted: std::cmp::Ordering| {
            values().reduce(|best, one| if one.compare(best, text) == Some(wanted) { one } else { best })
        };
        match measure.method {
            Method::Min => best(std::cmp::Ordering::Less).map_or(Cell::Null, CellRef::to_cell),
            Method::Max => best(std::cmp::Ordering::Greater).map_or(Cell::Null, CellRef::to_cell),
            Method::Count => count(self.group.rows.len()),
            Method::CountDistinct => {
                let keys: std::collections::HashSet<Key> = values().map(|cell| Key::of([cell])).collect();
                count(keys.len())
            }
            Method::Sum | Method::Average => {
                let decimals = values().filter_map(|cell| match cell {
                    CellRef::Whole(whole) => Some(Decimal::from_whole(whole)),
                    CellRef::Decimal(decimal) => Some(decimal),
                    CellRef::Double(double) => Decimal::from_double(double),
                    _ => None,
                });
                let (sum, number) =
                    decimals.fold((Decimal::ZERO, 0), |(sum, number), one| (sum.plus(one), number + 1));
                let worked_out = match measure.method {
                    _ if number == 0 => return Cell::Null,
                    Method::Average => sum.divided_by(number),
                    _ => sum,
                };
                // as captured of FetchXML, which this is to the product: of whole numbers it is one, cut off
                let whole =
                    |(column, _): (Column<'_>, At<'_>)| matches!(column.kind(), Kind::Whole | Kind::Big);
                if self.place(path).is_some_and(whole) {
                    let units = worked_out.units() / Decimal::from_whole(1).units();
                    Cell::Whole(i64::try_from(units).unwrap_or(i64::MAX))
                } else {
                    Cell::Decimal(worked_out)
                }
            }
        }
    }

    fn entry<M: SerializeMap>(
        &self,
        map: &mut M,
        name: &str,
        (path, counts): (Option<&Path>, bool),
        cell: &Cell,
    ) -> Result<(), M::Error> {
        let place = path.and_then(|path| self.place(path));
        let text = match (cell, place) {
            // a count is no value of the column; a choice's value is
            (Cell::Whole(whole), _) if counts => Some(formatted::grouped(&whole.to_string())),
            (cell, Some((column, at))) => formatted::value(self.rows, column, at, cell.as_ref(), self.zone),
            _ => None,
        };
        if let Some((column, _)) = place.filter(|_| self.attribute) {
            map.serialize_entry(&format!("{name}@{ATTRIBUTE}"), column.name())?;
        }
        if let Some(text) = text.filter(|_| self.formatted) {
            map.serialize_entry(&format!("{name}@{FORMATTED}"), &text)?;
        }
        match place {
            Some((column, _)) => map.serialize_entry(name, &Written { column, cell: cell.as_ref() }),
            None => map.serialize_entry(name, &json!(crate::store::plain(cell))),
        }
    }

    /// What the rows have in common in columns of their own, or in those of rows that their lookups lead to; nothing is said of nulls.
    fn common<M: SerializeMap>(&self, map: &mut M, own: bool) -> Result<(), M::Error> {
        for ((name, path), value) in self.apply.groups.iter().zip(&self.group.values) {
            let place = self.place(path).filter(|_| path.hops.is_empty() == own && !value.is_null());
            let Some((column, _)) = place else { continue };
            let name = common_name(name, path, column);
            self.entry(map, &name, (Some(path), false), value)?;
        }
        Ok(())
    }
}

impl Serialize for Row<'_> {
    /// As documented: own columns, values, columns of related rows.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for column in self.nulls.into_iter().flat_map(tables::shown) {
            let name = DIALECT.property(column);
            if self.apply.measures.iter().all(|measure| measure.alias != *name) {
                map.serialize_entry(&*name, &())?;
            }
        }
        self.common(&mut map, true)?;
        for measure in &self.apply.measures {
            let counts = matches!(measure.method, Method::Count | Method::CountDistinct);
            self.entry(&mut map, &measure.alias, (measure.of.as_ref(), counts), &self.value(measure))?;
        }
        self.common(&mut map, false)?;
        map.end()
    }
}
