//! A query bound to the tables of an organisation: names become positions.
//!
//! Decides which tables, columns and relationships a query means, under which names its values are answered, in which order its
//! rows come, and which conditions can only be asked of rows that are joined. Never looks at rows.

use std::collections::HashSet;

use mocktenant_query::{Expression, Hop, Path};
use mocktenant_schema::{Column, Kind, Schema, Table};

use super::Unanswerable;
use super::conditions::{Asker, bound, column};
use super::fetch::{Attribute, Body, Fetch, Filter, Link, Ordered, Term};
use crate::errors::{DataverseError, FetchDefect, cut};
use crate::formatted;
use crate::tables::{self, DIALECT};

/// A query that can be asked of rows.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The tables: that of the entity first, then those of links, each behind the one around it.
    pub(crate) levels: Vec<Level>,
    /// What is asked of rows once they are joined.
    pub(crate) tests: Vec<Test>,
    pub(crate) sorts: Vec<Sort>,
    pub(crate) distinct: bool,
    /// What is worked out, in the place of rows.
    pub(crate) aggregation: Option<Aggregation>,
}

/// What is asked of one table.
#[derive(Debug)]
pub(crate) struct Level {
    /// By its position in the schema.
    pub(crate) table: usize,
    pub(crate) alias: String,
    /// How it is joined; the first is not.
    pub(crate) join: Option<Join>,
    pub(crate) filter: Option<Expression>,
    pub(crate) shown: Vec<Shown>,
    /// Whether no columns are named, so that all are answered.
    pub(crate) all: bool,
}

/// How a table is joined.
#[derive(Debug)]
pub(crate) struct Join {
    /// The level it is joined to.
    pub(crate) parent: usize,
    /// The column there.
    pub(crate) to: u16,
    pub(crate) way: Way,
    /// Whether a row without any is answered all the same.
    pub(crate) outer: bool,
}

/// How the rows are found that belong to a row.
#[derive(Debug)]
pub(crate) enum Way {
    /// By a relationship.
    Hop(Hop),
    /// By a column of theirs that has the value.
    Column(u16),
}

/// A column that is answered, and its own name if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) column: u16,
    pub(crate) alias: Option<String>,
}

impl Shown {
    /// What its values are called; `None` for those of the entity that have no name of their own.
    pub(crate) fn name(&self, number: usize, level: &Level, table: Table<'_>) -> Option<String> {
        match &self.alias {
            Some(alias) => Some(alias.clone()),
            None if number == 0 => None,
            None => Some(format!("{}.{}", level.alias, table.at(self.column)?.name())),
        }
    }
}

/// A condition on joined rows.
#[derive(Debug)]
pub(crate) enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    Of(usize, Expression),
}

/// One item of an order.
#[derive(Debug)]
pub(crate) struct Sort {
    pub(crate) level: usize,
    pub(crate) column: u16,
    pub(crate) by: By,
    pub(crate) descending: bool,
}

/// By what of a column rows are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Value,
    /// What a person reads: the label of a choice, the name of a lookup's row.
    Reading,
}

/// Groups, and what is worked out of each.
#[derive(Debug)]
pub(crate) struct Aggregation {
    pub(crate) outputs: Vec<Output>,
    /// By outputs.
    pub(crate) order: Vec<(usize, bool)>,
    /// A limit below the product's own.
    pub(crate) limit: Option<u64>,
}

/// One value of a group.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) level: usize,
    pub(crate) column: u16,
    pub(crate) alias: String,
    pub(crate) what: What,
    /// Whether parts of a moment are those of UTC.
    pub(crate) utc: bool,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// What the group has in common.
    Group(Option<Part>),
    Count,
    CountColumn {
        distinct: bool,
    },
    Sum,
    Average,
    Least,
    Greatest,
}

/// A part of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Day,
    Month,
    Quarter,
    Year,
}

/// Binds a query.
pub(crate) fn lower(schema: &Schema, asker: &Asker, fetch: &Fetch) -> Result<Plan, Unanswerable> {
    let mut lowering = Lowering { schema, asker, fetch, levels: Vec::new() };
    lowering.entity()?;
    let bodies = lowering.bodies();
    let mut tests = Vec::new();
    for (level, body) in &bodies {
        for filter in &body.filters {
            lowering.filter(*level, filter, &mut tests)?;
        }
    }
    let (sorts, aggregation) = if fetch.aggregate {
        (Vec::new(), Some(lowering.aggregation(&bodies)?))
    } else {
        (lowering.sorts(&bodies)?, None)
    };
    let plan = Plan { levels: lowering.levels, tests, sorts, distinct: fetch.distinct, aggregation };
    match plan.named_twice(schema) {
        Some(alias) => Err(DataverseError::DuplicateAlias { alias: cut(&alias) }.into()),
        None => Ok(plan),
    }
}

struct Lowering<'f> {
    schema: &'f Schema,
    asker: &'f Asker,
    fetch: &'f Fetch,
    levels: Vec<Level>,
}

impl<'f> Lowering<'f> {
    fn table(&self, name: &str) -> Result<Table<'f>, Unanswerable> {
        if let Some(table) = self.schema.table(name) {
            return Ok(table);
        }
        if crate::not_built::table(name) {
            return Err(Unanswerable::not_built(format!("the table {name} in FetchXML")));
        }
        Err(DataverseError::FetchUnknownEntity { name: cut(name) }.into())
    }

    fn of(&self, level: usize) -> Result<Table<'f>, Unanswerable> {
        let table = self.levels.get(level).and_then(|level| self.schema.at(level.table));
        // a level is made of a table alone
        table.ok_or_else(|| DataverseError::Unexpected.into())
    }

    fn entity(&mut self) -> Result<(), Unanswerable> {
        let table = self.table(&self.fetch.entity)?;
        let body = &self.fetch.body;
        let level = self.level(table, table.name().to_owned(), None, body)?;
        self.levels.push(level);
        self.links(0, &body.links)
    }

    fn links(&mut self, parent: usize, links: &'f [Link]) -> Result<(), Unanswerable> {
        for link in links {
            let (around, table) = (self.of(parent)?, self.table(&link.entity)?);
            let (from, to) = (column(table, &link.from)?, column(around, &link.to)?);
            let join = Join { parent, to: to.ordinal(), way: way(from, to), outer: link.outer };
            let number = self.levels.len();
            // the product numbers tables that nobody names (inferred)
            let alias = link.alias.clone().unwrap_or_else(|| format!("{}{number}", table.name()));
            let level = self.level(table, alias, Some(join), &link.body)?;
            self.levels.push(level);
            self.links(number, &link.body.links)?;
        }
        Ok(())
    }

    fn level(
        &self,
        table: Table<'_>,
        alias: String,
        join: Option<Join>,
        body: &Body,
    ) -> Result<Level, Unanswerable> {
        let mut shown: Vec<Shown> = Vec::new();
        let all = !self.fetch.aggregate && (body.all || (body.attributes.is_empty() && join.is_none()));
        if all {
            shown.extend(tables::shown(table).map(|column| Shown { column: column.ordinal(), alias: None }));
        }
        for attribute in &body.attributes {
            if self.fetch.aggregate {
                break;
            }
            if attribute.aggregate.is_some() || attribute.grouped {
                return Err(Unanswerable::not_built(
                    "aggregate and groupby without aggregate='true' of FetchXML",
                ));
            }
            let column = column(table, &attribute.name)?.ordinal();
            let there = shown.iter().any(|one| one.column == column && one.alias == attribute.alias);
            if !there {
                shown.push(Shown { column, alias: attribute.alias.clone() });
            }
        }
        Ok(Level { table: table.position(), alias, join, filter: None, shown, all })
    }

    /// What is asked of each level, in their order.
    fn bodies(&self) -> Vec<(usize, &'f Body)> {
        fn walk<'f>(body: &'f Body, all: &mut Vec<(usize, &'f Body)>) {
            all.push((all.len(), body));
            for link in &body.links {
                walk(&link.body, all);
            }
        }
        let mut all = Vec::with_capacity(self.levels.len());
        walk(&self.fetch.body, &mut all);
        all
    }

    /// The level that a name means, as it is seen from another.
    fn named(&self, level: usize, name: Option<&str>) -> Result<usize, Unanswerable> {
        let Some(name) = name else { return Ok(level) };
        let by_alias = self.levels.iter().position(|one| one.alias == name);
        let by_table = || {
            self.levels
                .iter()
                .position(|one| self.schema.at(one.table).is_some_and(|table| table.name() == name))
        };
        by_alias
            .or_else(by_table)
            .ok_or_else(|| DataverseError::FetchUnknownAlias { alias: cut(name) }.into())
    }

    /// A filter becomes a condition on the rows of its table, or, if it asks for others too, one on joined rows.
    fn filter(&mut self, level: usize, filter: &Filter, tests: &mut Vec<Test>) -> Result<(), Unanswerable> {
        match self.test(level, filter)? {
            None => {}
            Some(Test::Of(same, expression)) if same == level => {
                if let Some(level) = self.levels.get_mut(level) {
                    level.filter = Some(match level.filter.take() {
                        Some(before) => before.and(expression),
                        None => expression,
                    });
                }
            }
            Some(_) if level > 0 => {
                return Err(Unanswerable::not_built("entityname in the filter of a link-entity of FetchXML"));
            }
            Some(test) => tests.push(test),
        }
        Ok(())
    }

    /// `None` for a filter without conditions, which asks nothing.
    fn test(&self, level: usize, filter: &Filter) -> Result<Option<Test>, Unanswerable> {
        let mut all = Vec::new();
        for term in &filter.terms {
            match term {
                Term::Filter(inner) => all.extend(self.test(level, inner)?),
                Term::Condition(condition) => {
                    let of = self.named(level, condition.entity.as_deref())?;
                    let table = self.of(of)?;
                    let column = column(table, &condition.attribute)?;
                    all.push(Test::Of(of, bound(self.asker, table, column, condition)?));
                }
            }
        }
        let first = match all.first() {
            None => return Ok(None),
            Some(Test::Of(of, _)) => Some(*of),
            Some(_) => None,
        };
        let same = all.iter().all(|one| matches!(one, Test::Of(of, _) if Some(*of) == first));
        let Some(of) = first.filter(|_| same) else {
            return Ok(Some(if filter.any { Test::Any(all) } else { Test::All(all) }));
        };
        let mut expressions: Vec<Expression> = all
            .into_iter()
            .filter_map(|one| if let Test::Of(_, expression) = one { Some(expression) } else { None })
            .collect();
        let expression = match (expressions.len(), filter.any) {
            (1, _) => expressions.remove(0),
            (_, true) => Expression::Or(expressions),
            (_, false) => Expression::And(expressions),
        };
        Ok(Some(Test::Of(of, expression)))
    }

    /// The order: that of the entity, then those of links.
    fn sorts(&self, bodies: &[(usize, &'f Body)]) -> Result<Vec<Sort>, Unanswerable> {
        let mut sorts = Vec::new();
        for (level, body) in bodies {
            for order in &body.orders {
                sorts.push(self.sort(*level, order)?);
            }
        }
        Ok(sorts)
    }

    fn sort(&self, level: usize, order: &Ordered) -> Result<Sort, Unanswerable> {
        let level = self.named(level, order.entity.as_deref())?;
        let table = self.of(level)?;
        let column = match (&order.attribute, &order.alias) {
            (Some(name), _) => column(table, name)?,
            (None, Some(alias)) => {
                let shown = self.levels.get(level).map(|level| level.shown.as_slice()).unwrap_or_default();
                let found = shown.iter().find(|one| one.alias.as_deref() == Some(alias));
                let found = found.and_then(|one| table.at(one.column));
                found.ok_or_else(|| DataverseError::FetchUnknownAlias { alias: cut(alias) })?
            }
            (None, None) => {
                return Err(FetchDefect::Missing { element: "order", attribute: "attribute" }.into());
            }
        };
        let by = match column.kind() {
            Kind::Choice | Kind::State | Kind::Status if !self.fetch.raw_order => By::Reading,
            Kind::Lookup => By::Reading,
            _ => By::Value,
        };
        Ok(Sort { level, column: column.ordinal(), by, descending: order.descending })
    }

    fn aggregation(&self, bodies: &[(usize, &'f Body)]) -> Result<Aggregation, Unanswerable> {
        let mut outputs: Vec<Output> = Vec::new();
        for (level, body) in bodies {
            for attribute in &body.attributes {
                outputs.push(self.output(*level, attribute)?);
            }
        }
        let mut order = Vec::new();
        for ordered in bodies.iter().flat_map(|(_, body)| &body.orders) {
            let Some(alias) = &ordered.alias else {
                return Err(Unanswerable::not_built("order without alias in an aggregate of FetchXML"));
            };
            let at = outputs.iter().position(|output| output.alias == *alias);
            let at = at.ok_or_else(|| DataverseError::FetchUnknownAlias { alias: cut(alias) })?;
            order.push((at, ordered.descending));
        }
        Ok(Aggregation { outputs, order, limit: self.fetch.aggregate_limit })
    }

    fn output(&self, level: usize, attribute: &Attribute) -> Result<Output, Unanswerable> {
        let xml = || attribute.xml.clone();
        let what = match (attribute.aggregate.as_deref(), attribute.grouped) {
            (Some("count"), _) => What::Count,
            (Some("countcolumn"), _) => What::CountColumn { distinct: attribute.distinct },
            (Some("sum"), _) => What::Sum,
            (Some("avg"), _) => What::Average,
            (Some("min"), _) => What::Least,
            (Some("max"), _) => What::Greatest,
            (Some(other), _) => {
                return Err(Unanswerable::not_built(format!("aggregate='{}' of FetchXML", cut(other))));
            }
            (None, true) => What::Group(part(attribute.grouping.as_deref())?),
            (None, false) => return Err(DataverseError::FetchAttributeWithAggregate { xml: xml() }.into()),
        };
        let Some(alias) = attribute.alias.clone() else {
            return Err(DataverseError::FetchNoAlias { xml: xml() }.into());
        };
        let table = self.of(level)?;
        let column = column(table, &attribute.name)?;
        let number =
            matches!(column.kind(), Kind::Whole | Kind::Big | Kind::Decimal | Kind::Double | Kind::Money);
        if matches!(what, What::Sum | What::Average) && !number {
            let function = attribute.aggregate.clone().unwrap_or_default();
            return Err(FetchDefect::NotNumeric { function, attribute: column.name().to_owned() }.into());
        }
        Ok(Output { level, column: column.ordinal(), alias, what, utc: attribute.utc })
    }
}

fn part(name: Option<&str>) -> Result<Option<Part>, Unanswerable> {
    Ok(match name {
        None => None,
        Some("day") => Some(Part::Day),
        Some("month") => Some(Part::Month),
        Some("quarter") => Some(Part::Quarter),
        Some("year") => Some(Part::Year),
        Some(other) => {
            return Err(Unanswerable::not_built(format!("dategrouping='{}' of FetchXML", cut(other))));
        }
    })
}

/// How rows with this column are found from rows with that one.
fn way(from: Column<'_>, to: Column<'_>) -> Way {
    let leads = |here: Column<'_>, there: Column<'_>| {
        let pair = (here.ordinal(), there.ordinal());
        let mut all =
            here.table().outgoing().filter(|one| !one.is_many_to_many() && one.to() == there.table());
        let found = all.find(|one| one.pairs().len() == 1 && one.pairs().next() == Some(pair))?;
        u16::try_from(found.position()).ok()
    };
    if let Some(relationship) = leads(to, from) {
        return Way::Hop(Hop { relationship, back: false });
    }
    match leads(from, to) {
        Some(relationship) => Way::Hop(Hop { relationship, back: true }),
        None => Way::Column(from.ordinal()),
    }
}

impl Plan {
    /// A name that two of its joined tables have, or two values of what is answered.
    fn named_twice(&self, schema: &Schema) -> Option<String> {
        let mut tables = HashSet::new();
        let joined = self.levels.iter().filter(|level| level.join.is_some());
        if let Some(level) = joined.into_iter().find(|level| !tables.insert(level.alias.as_str())) {
            return Some(level.alias.clone());
        }
        let mut values: HashSet<String> = HashSet::new();
        if let Some(aggregation) = &self.aggregation {
            let mut outputs = aggregation.outputs.iter();
            return outputs.find(|one| !values.insert(one.alias.clone())).map(|one| one.alias.clone());
        }
        let own = self.own_columns(schema).into_iter().map(|column| DIALECT.property(column).into_owned());
        values.extend(own);
        let named = self.levels.iter().enumerate().flat_map(|(number, level)| {
            let table = schema.at(level.table);
            level.shown.iter().filter_map(move |shown| shown.name(number, level, table?))
        });
        named.into_iter().find(|name| !values.insert(name.clone()))
    }

    /// The order as the database takes it; `None` where it needs what is read, or other tables.
    pub(crate) fn order(&self) -> Option<Vec<mocktenant_query::Order>> {
        let own = |sort: &Sort| sort.level == 0 && sort.by == By::Value;
        self.sorts.iter().all(own).then(|| {
            let item = |sort: &Sort| mocktenant_query::Order {
                by: Path::own(sort.column),
                descending: sort.descending,
            };
            self.sorts.iter().map(item).collect()
        })
    }

    /// Whether its rows are those of one table as they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.levels.len() == 1 && self.aggregation.is_none() && !self.distinct && self.order().is_some()
    }

    /// Whether every row of the entity is answered once at most, so that a page can go on behind one.
    pub(crate) fn is_one_to_one(&self) -> bool {
        let one = |level: &Level| match &level.join {
            None => true,
            Some(join) => matches!(join.way, Way::Hop(hop) if !hop.back),
        };
        self.levels.iter().all(one) && !self.distinct && self.aggregation.is_none()
    }

    /// The columns of the entity's rows that are answered under their own names: those asked for, the currency of amounts, and
    /// the key.
    pub(crate) fn own_columns<'s>(&self, schema: &'s Schema) -> Vec<Column<'s>> {
        let Some((level, table)) =
            self.levels.first().and_then(|level| Some((level, schema.at(level.table)?)))
        else {
            return Vec::new();
        };
        let named = level.shown.iter().filter(|one| one.alias.is_none());
        let mut columns: Vec<Column<'s>> = named.filter_map(|one| table.at(one.column)).collect();
        let asked = level.shown.iter().filter_map(|one| table.at(one.column));
        let amounts = asked.clone().any(formatted::is_amount);
        let mut add = |column: Option<Column<'s>>| {
            if let Some(column) = column.filter(|column| !columns.contains(column)) {
                columns.push(column);
            }
        };
        if amounts && !self.distinct {
            add(table.column("transactioncurrencyid"));
        }
        if !self.distinct {
            add(table.id());
        }
        columns
    }
}
