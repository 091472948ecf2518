//! `$select` and `$expand`, bound to a schema: which columns of a row are answered, and which rows with it.
//!
//! Decides which properties and steps there are, to any depth within a budget, and what is asked of the rows a step leads to.

use std::collections::HashSet;

use mocktenant_query::{Expression, Hop, Order};
use mocktenant_schema::Table;

use crate::bind::{Binder, hop};
use crate::fault::Fault;
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
        for item in &options.expand {
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
            let first = name.split('/').next().unwrap_or_default();
            if table.navigation(first).is_some() {
                if first.len() < name.len() {
                    return Err(Fault::MultiLevelSelect);
                }
                selection.links.push(name.clone());
                continue;
            }
            let property = if self.dialect.column(table, first).is_some() { name.as_str() } else { first };
            return Err(Fault::PropertyNotDeclared {
                kind: self.dialect.type_name(table),
                property: property.to_owned(),
            });
        }
        selection.columns = Some(columns);
        Ok(())
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
            let kind = self.dialect.type_name(table);
            let property = item.navigation.clone();
            let fault = if self.dialect.column(table, &item.navigation).is_some() {
                Fault::ExpandNotNavigation { property, kind }
            } else {
                Fault::PropertyNotDeclared { kind, property }
            };
            return Err(wrong("$expand", fault));
        };
        let options = item.options.as_deref().map(QueryOptions::nested).transpose()?.unwrap_or_default();
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
        })
    }
}
