//! What a query asks for, bound to an entity: a condition, an order, columns and links.
//!
//! Decides in which of the product's words a query is refused that names what is not there, and records what only the product has:
//! links to entities that are not served, and operators. Mirrors the texts of Microsoft's OData library, by which the product reads
//! its queries.

use mocktenant_lab::Trail;
use mocktenant_odata::{Binder, Clock, Expand, Fault, MAX_TERMS, QueryError, QueryOptions, Selection};
use mocktenant_query::{Expression, Order};
use mocktenant_schema::{Column, Navigation, Schema};
use time::OffsetDateTime;

use super::values::told;
use super::{DIALECT, Entity, NAMESPACE, Notes};
use crate::errors::ODataError;

/// What stands for functions and operators here.
const CONDITIONS: &str =
    "comparisons, and, or, not, any, all, add, sub, mul, div, mod, and * in a text of eq and ne";
/// What stands for links that lead to other entities than are served.
const LINKS: &str = "columns of the entity, and links to entities that are served";

/// A query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) filter: Option<Expression>,
    pub(crate) order: Vec<Order>,
    pub(crate) selection: Selection,
    pub(crate) top: Option<u64>,
    pub(crate) skip: u64,
    pub(crate) count: bool,
}

/// Binds a query to an entity.
pub(crate) fn bind(
    trail: &mut Trail,
    (schema, entity): (&Schema, Entity<'_>),
    options: &QueryOptions,
    now: OffsetDateTime,
) -> Result<Asked, ODataError> {
    let aliases = |name: &str| options.alias(name).map(str::to_owned);
    let clock = || Clock::utc(now.unix_timestamp());
    let binder = Binder::new(schema, &DIALECT, &aliases, &clock);
    let selection = binder.selection(entity, options).map_err(|error| match error {
        QueryError::Fault { option, fault } => refused((trail, schema), &option, fault),
        other => ODataError::QueryInvalid { why: other.to_string() },
    })?;
    let filter = options.filter.as_ref().map(|filter| binder.filter(entity, filter)).transpose();
    let filter = filter.map_err(|fault| refused((trail, schema), "$filter", fault))?;
    let order = binder
        .order(entity, &options.orderby)
        .map_err(|fault| refused((trail, schema), "$orderby", fault))?;
    let refers = options.expand.iter().any(|item: &Expand| item.reference);
    if refers {
        trail.not_built("$ref in $expand", "whole records, and $select in the parentheses of a link");
        return Err(ODataError::QueryInvalid { why: Fault::TermNotValid("$ref".to_owned()).to_string() });
    }
    let QueryOptions { top, skip, count, .. } = *options;
    Ok(Asked { filter, order, selection, top, skip: skip.unwrap_or(0), count })
}

/// A fault in an option, in the product's words.
pub(crate) fn refused((trail, schema): (&mut Trail, &Schema), option: &str, fault: Fault) -> ODataError {
    match fault {
        Fault::PropertyNotDeclared { kind, property } => undeclared((trail, schema), option, kind, property),
        Fault::UnknownFunction(function) => {
            trail.refused(format!("the function {} in {option}", told(&function)), CONDITIONS);
            ODataError::FunctionUnknown { function }
        }
        Fault::EnumerationConstant(text) => {
            trail
                .refused(format!("{} in {option}", told(&text)), "a member of an enumeration of the service");
            ODataError::ConstantUnknown { text }
        }
        Fault::Unsupported(what) => unsupported(trail, option, &what),
        // The bound is the lab's, and the library's sentence for a condition that is too much is that for a deep one.
        Fault::TooManyTerms => {
            trail.refused(format!("the comparisons in {option}"), format!("{MAX_TERMS} at most"));
            ODataError::QueryInvalid { why: Fault::TooDeep.to_string() }
        }
        other => ODataError::QueryInvalid { why: other.to_string() },
    }
}

/// A name that is none of an entity's columns and links.
fn undeclared(
    (trail, schema): (&mut Trail, &Schema),
    option: &str,
    kind: String,
    property: String,
) -> ODataError {
    let own = kind.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix('.'));
    let entity = schema.tables().find(|table| own == Some(table.schema_name()));
    let Some(entity) = entity else { return ODataError::PropertyUnknown { property, kind } };
    if entity.links().any(|link| link == property) {
        let what = match option {
            "$expand" => format!("$expand={property}"),
            _ => format!("{option} through the link {property}"),
        };
        trail.not_built(what, LINKS);
        return ODataError::LinkRefused { link: property, option: option.to_owned() };
    }
    let expands = option == "$expand";
    let meant = if expands {
        entity.navigations().map(Navigation::name).find(|name| name.eq_ignore_ascii_case(&property))
    } else {
        entity.columns().map(Column::name).find(|name| name.eq_ignore_ascii_case(&property))
    };
    let what = if expands { "link" } else { "column" };
    let expected = meant.map_or_else(|| format!("a {what} of {}", entity.set()), str::to_owned);
    trail.refused(format!("'{}' in {option}", told(&property)), expected);
    ODataError::PropertyUnknown { property, kind }
}

/// What the library takes and the service does not.
fn unsupported(trail: &mut Trail, option: &str, what: &str) -> ODataError {
    if let Some(function) = what.strip_prefix("the function ") {
        trail.not_built(format!("the function {function} in {option}"), CONDITIONS);
        return ODataError::FunctionUnknown { function: function.to_owned() };
    }
    // Microsoft Learn, Open Data Protocol: has and in are not supported. How that is said of has is inferred.
    if what == "the operator Has" {
        trail.refused(format!("{what} in {option}"), "eq and ne");
    } else {
        trail.not_built(format!("{what} in {option}"), CONDITIONS);
    }
    ODataError::OptionUnknown { option: option.to_owned() }
}
