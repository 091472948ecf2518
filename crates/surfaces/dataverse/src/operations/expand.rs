//! `$expand`: related rows that come with a row.
//!
//! Decides which navigation properties can be followed (single-valued ones: those of lookups), that each of the tables may
//! be read by the caller, and how many a query may follow. A related row that is not there, or out of the caller's reach, is
//! null. Collections and options other than `$select` and `$expand` within are not built. Never looks at rows.

use mocktenant_odata::{Expand, QueryOptions};
use mocktenant_tables::Selection;
use mocktenant_world::Depth;

use super::call::Call;
use super::list::check_select;
use super::refused::unreadable;
use crate::errors::{DataverseError, cut, excerpt};
use crate::not_built;
use crate::principal::Operation;
use crate::schema::{Column, Table};

/// Navigation properties that a query may follow, nested ones included.
const LIMIT: usize = 15;

/// A navigation property to follow.
pub(crate) struct Expansion {
    /// As the request calls it.
    pub(crate) navigation: String,
    /// The lookup.
    pub(crate) column: &'static Column,
    /// Where it leads.
    pub(crate) target: &'static Table,
    /// How far the caller may read there.
    pub(crate) depth: Depth,
    /// Columns of the related row; `None` for all.
    pub(crate) select: Option<Vec<String>>,
    /// What is followed from there.
    pub(crate) inner: Vec<Self>,
}

impl Expansion {
    /// The columns, ready to be asked.
    pub(crate) fn selection(&self) -> Selection<'_> {
        Selection::of(self.select.as_deref())
    }
}

/// What a query expands.
pub(super) fn of(
    call: &mut Call<'_>,
    table: &'static Table,
    options: &QueryOptions,
) -> Result<Vec<Expansion>, DataverseError> {
    let mut left = LIMIT;
    level(call, table, options, &mut left)
}

fn level(
    call: &mut Call<'_>,
    table: &'static Table,
    options: &QueryOptions,
    left: &mut usize,
) -> Result<Vec<Expansion>, DataverseError> {
    let Some(text) = &options.expand else { return Ok(Vec::new()) };
    let items = Expand::parse(text).map_err(|error| {
        let refusal = unreadable(&error);
        if refusal == DataverseError::InvalidQueryOption {
            call.exchange.trail.not_built(error.to_string(), not_built::OPTIONS_HERE);
        }
        refusal
    })?;
    let mut found: Vec<Expansion> = Vec::with_capacity(items.len());
    for Expand { navigation, options } in items {
        *left = left.checked_sub(1).ok_or_else(|| {
            call.exchange.trail.refused("$expand", format!("at most {LIMIT} navigation properties"));
            DataverseError::QuerySyntax
        })?;
        let name = navigation.split('/').next().unwrap_or_default();
        let Some((column, target)) = table.navigation(name) else {
            if not_built::collection(table.logical, name) {
                call.exchange.trail.not_built(format!("$expand={name}"), not_built::EXPAND_HERE);
                return Err(DataverseError::InvalidQueryOption);
            }
            return Err(DataverseError::PropertyNotFound { property: cut(name), entity: table.logical });
        };
        let others = options.filter.is_some() || !options.orderby.is_empty() || options.count;
        if name != navigation || others || options.top.is_some() || options.skip.is_some() {
            let what = format!("$expand={} with more than $select and $expand", excerpt(&navigation));
            call.exchange.trail.not_built(what, not_built::EXPAND_HERE);
            return Err(DataverseError::InvalidQueryOption);
        }
        check_select(target, &options)?;
        let depth = call.authorize(target, Operation::Read)?;
        let inner = level(call, target, &options, left)?;
        found.push(Expansion { navigation, column, target, depth, select: options.select, inner });
    }
    Ok(found)
}
