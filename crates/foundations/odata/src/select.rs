//! `$select` and `$expand`, bound to a schema: which columns of a row are answered, and which rows with it.
//!
//! Decides which properties and steps there are, to any depth within a budget, and what is asked of the rows a step leads to.

use std::collections::HashSet;

use mocktenant_query::{Expression, Hop, Order};
use mocktenant_schema::Table;

use crate::Fault;
use crate::bind::{Binder, hop};
use crate::query::{Expand, QueryError, QueryOptions};
use crate::{MAX_EXPAND, MAX_EXPAND_DEPTH};

/// Which columns of a row are answered, and which rows with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Columns by position, in the order asked for; `None`: all.
    pub columns: Option<Vec<u16>>,
    /// Navigation properties that were named among them.
    pub links: Vec<String>,
    /// Rows.
    pub expand: Vec<Expansion>,
}

/// Rows that come with a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Expansion {
    /// The navigation property.
    pub navigation: String,
    /// The step.
    pub hop: Hop,
    /// The table it leads to, by its position.
    pub table: usize,
    /// Whether it leads to many.
    pub many: bool,
    /// Only their addresses.
    pub reference: bool,
    /// What is answered of them.
    pub selection: Selection,
    /// Which of them.
    pub filter: Option<Expression>,
    /// Their order.
    pub order: Vec<Order>,
    /// How many are left out.
    pub skip: u64,
    /// At most so many.
    pub top: Option<u64>,
    /// Whether they are counted.
    pub count: bool,
    /// What was written in its parentheses, option by option.
    pub written: Vec<String>,
}

impl Selection {
    /// Whether a column is answered.
    pub fn has(&self, column: u16) -> bool {
        self.columns.as_ref().is_none_or(|columns| columns.contains(&column))
    }
}

impl Binder<'_> {
    /// Which columns of a table's rows are answered, and which rows with them.
    ///
    /// # Errors
    /// The option it is in, and what is wrong with it.
    pub fn selection(&self, table: Table<'_>, options: &QueryOptions) -> Result<Selection, QueryError> {
        let mut budget = MAX_EXPAND;
        self.level(table, options, 0, &mut budget)
    }

    fn level(
        &self,
        table: Table<'_>,
        options: &QueryOptions,
        depth: usize,
        budget: &mut usize,
    ) -> Result<Selection, QueryError> {
        let mut selection = Selection::default();
        if let Some(names) = &options.select {
            self.select(table, names, &mut selection)
                .map_err(|fault| QueryError::Fault { option: "$select".to_owned(), fault })?;
        }
        for item in &crate::terms::each_once(&options.expand)? {
            selection.expand.push(self.expansion(table, item, depth, budget)?);
        }
        Ok(selection)
    }

    fn select(&self, table: Table<'_>, names: &[String], selection: &mut Selection) -> Result<(), Fault> {
        if names.iter().any(|name| name == "*") {
            return Ok(());
        }
        let (mut columns, mut seen) = (Vec::new(), HashSet::new());
        for name in names {
            if let Some(column) = self.dialect.column(table, name) {
                if seen.insert(column.ordinal()) {
                    columns.push(column.ordinal());
                }
                continue;
            }
            let mut steps = name.split('/');
            let first = steps.next().unwrap_or_default();
            let second = steps.next();
            if table.navigation(first).is_some() && second.is_none() {
                selection.links.push(name.clone());
                continue;
            }
            return Err(self.unselectable(table, first, second));
        }
        selection.columns = Some(columns);
        Ok(())
    }

    /// Why that is no path of a selection.
    fn unselectable(&self, table: Table<'_>, first: &str, second: Option<&str>) -> Fault {
        let kind = self.dialect.type_name(table);
        let navigation = table.navigation(first).is_some();
        let counted = second == Some("$count");
        if first == "$count" {
            Fault::CountFirst
        } else if navigation && counted {
            Fault::CountOfNavigation(first.to_owned())
        } else if self.dialect.column(table, first).is_some() && counted {
            Fault::CountOfOne
        } else if navigation || self.dialect.column(table, first).is_some() {
            Fault::MultiLevelSelect
        } else if first.starts_with('@') || !first.contains('.') {
            Fault::PropertyNotDeclared { kind, property: first.to_owned() }
        } else if first.strip_suffix(".*").is_some_and(|namespace| namespace == self.dialect.namespace) {
            Fault::Unsupported(format!("{first} in $select"))
        } else if self.named(first).is_none_or(|named| named.position() == table.position()) {
            Fault::Unresolved(first.to_owned())
        } else {
            Fault::InvalidCast { to: first.to_owned(), kind }
        }
    }

    /// The table of a type's full name.
    pub(crate) fn named(&self, name: &str) -> Option<Table<'_>> {
        self.schema.tables().find(|table| self.dialect.type_name(*table) == name)
    }

    /// Why that is no path of an expansion.
    fn unexpandable(&self, table: Table<'_>, first: &str, second: Option<&str>) -> Fault {
        let (kind, property) = (self.dialect.type_name(table), first.to_owned());
        let column = self.dialect.column(table, first).is_some();
        match second {
            _ if first == "*" => Fault::Unsupported("* in $expand".to_owned()),
            Some("$count") if table.navigation(first).is_some() => {
                Fault::Unsupported("/$count in $expand".to_owned())
            }
            Some(_) if table.navigation(first).is_some() => Fault::SeveralNavigations,
            Some(second) if column => Fault::SegmentInExpand(second.to_owned()),
            Some(_) if first.contains('.') && self.named(first).is_none() => Fault::TypeNotDefined(property),
            _ if column => Fault::ExpandNotNavigation { property, kind },
            _ => Fault::PropertyNotDeclared { kind, property },
        }
    }

    fn expansion(
        &self,
        table: Table<'_>,
        item: &Expand,
        depth: usize,
        budget: &mut usize,
    ) -> Result<Expansion, QueryError> {
        let wrong = |option: &str, fault| QueryError::Fault { option: option.to_owned(), fault };
        if depth >= MAX_EXPAND_DEPTH {
            return Err(wrong("$expand", Fault::ExpandDepth { found: depth + 1, most: MAX_EXPAND_DEPTH }));
        }
        let Some(left) = budget.checked_sub(1) else {
            return Err(wrong("$expand", Fault::ExpandCount { found: MAX_EXPAND + 1, most: MAX_EXPAND }));
        };
        *budget = left;
        let Some(step) = table.navigation(&item.navigation) else {
            let mut steps = item.navigation.split('/');
            let first = steps.next().unwrap_or_default();
            return Err(wrong("$expand", self.unexpandable(table, first, steps.next())));
        };
        let options = item.options.as_deref().map(QueryOptions::nested).transpose()?.unwrap_or_default();
        let written = item.options.as_deref().map(crate::terms::options).transpose();
        let written = written.map_err(|fault| wrong("$expand", fault))?.unwrap_or_default();
        let target = step.target();
        let filter = options.filter.as_ref().map(|filter| self.filter(target, filter)).transpose();
        Ok(Expansion {
            navigation: item.navigation.clone(),
            hop: hop(step),
            table: target.position(),
            many: step.is_many(),
            reference: item.reference,
            selection: self.level(target, &options, depth + 1, budget)?,
            filter: filter.map_err(|fault| wrong("$filter", fault))?,
            order: self.order(target, &options.orderby).map_err(|fault| wrong("$orderby", fault))?,
            skip: options.skip.unwrap_or(0),
            top: options.top,
            count: options.count,
            written: written.into_iter().map(|(name, value)| format!("{name}={}", value.trim())).collect(),
        })
    }
}
