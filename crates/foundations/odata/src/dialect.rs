//! What tells one service's OData from another's.
//!
//! Decides nothing itself: a surface says what its properties are called, which types they have and which functions it serves.

use std::borrow::Cow;

use mocktenant_query::{Function, TextFunction};
use mocktenant_schema::{Column, Kind, Table};

/// How a service speaks OData.
#[expect(clippy::struct_excessive_bools, reason = "each is a way of speaking of its own")]
pub struct Dialect {
    /// The namespace of its types, `Microsoft.Dynamics.CRM`.
    pub namespace: &'static str,
    /// Whether a lookup `x` is the property `_x_value`.
    pub lookups_are_values: bool,
    /// Whether a choice is an enumeration; else a number.
    pub choices_are_members: bool,
    /// Whether a day travels as a moment.
    pub days_are_moments: bool,
    /// Whether `*` in a text that is compared stands for any characters.
    pub wildcards: bool,
    /// Whether a GUID may be written as a text.
    pub quoted_ids: bool,
    /// Whether numbers are worked out: `add` and its kin.
    pub arithmetic: bool,
    /// Functions of one text in another that are served.
    pub text_functions: &'static [TextFunction],
    /// Other functions that are served.
    pub functions: &'static [Function],
    /// The service's own query functions, by their name without the namespace.
    pub query_functions: &'static [(&'static str, QueryFunction)],
    /// Whether `any` and `all` are served.
    pub lambdas: bool,
}

/// A condition that a service has beside those of OData, on a property by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryFunction {
    /// Among values.
    In,
    /// Not among values.
    NotIn,
    /// Between two values.
    Between,
    /// Not between two values.
    NotBetween,
    /// In the last hours.
    LastXHours,
    /// In the last days, from the beginning of the first.
    LastXDays,
    /// Today.
    Today,
}

/// The type of a value as OData names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Null has none.
    Null,
    /// A primitive type, `Edm.String`.
    Primitive(&'static str),
    /// An enumeration with its namespace.
    Enumeration(String),
    /// A row, of the type with that full name.
    Row(String),
    /// Several rows.
    Rows,
}

impl Type {
    /// The name as the library's sentences have it.
    pub fn name(&self) -> String {
        match self {
            Self::Null => "<null>".to_owned(),
            Self::Primitive(name) => (*name).to_owned(),
            Self::Enumeration(name) | Self::Row(name) => name.clone(),
            Self::Rows => String::new(),
        }
    }

    /// How wide a number is; `None` for what is none.
    pub(crate) fn width(&self) -> Option<u8> {
        match self {
            Self::Primitive("Edm.Int32") => Some(1),
            Self::Primitive("Edm.Int64") => Some(2),
            Self::Primitive("Edm.Single") => Some(3),
            Self::Primitive("Edm.Double") => Some(4),
            Self::Primitive("Edm.Decimal") => Some(5),
            _ => None,
        }
    }
}

impl Dialect {
    /// The name of a table's type.
    pub fn type_name(&self, table: Table<'_>) -> String {
        let name = if self.lookups_are_values { table.name() } else { table.schema_name() };
        format!("{}.{name}", self.namespace)
    }

    /// What a column's property is called.
    pub fn property<'s>(&self, column: Column<'s>) -> Cow<'s, str> {
        if self.lookups_are_values && column.kind() == Kind::Lookup {
            Cow::Owned(format!("_{}_value", column.name()))
        } else {
            Cow::Borrowed(column.name())
        }
    }

    /// The column of a property, exactly spelt.
    pub fn column<'s>(&self, table: Table<'s>, property: &str) -> Option<Column<'s>> {
        let readable = |column: &Column<'s>| column.is_for_read();
        if !self.lookups_are_values {
            return table.column(property).filter(readable);
        }
        let lookup = |column: &Column<'s>| column.kind() == Kind::Lookup;
        let inner = property.strip_prefix('_').and_then(|rest| rest.strip_suffix("_value"));
        if let Some(column) = inner.and_then(|name| table.column(name)).filter(lookup).filter(readable) {
            return Some(column);
        }
        table.column(property).filter(|column| !lookup(column)).filter(readable)
    }

    /// The type of a column.
    pub fn type_of(&self, column: Column<'_>) -> Type {
        let name = match column.kind() {
            Kind::Text | Kind::Memo | Kind::Virtual => "Edm.String",
            Kind::Whole | Kind::State | Kind::Status => "Edm.Int32",
            Kind::Choice => match column.choices() {
                Some(choices) if self.choices_are_members => {
                    return Type::Enumeration(format!("{}.{}", self.namespace, choices.name()));
                }
                _ => "Edm.Int32",
            },
            Kind::Big | Kind::Version => "Edm.Int64",
            Kind::Decimal | Kind::Money => "Edm.Decimal",
            Kind::Double => "Edm.Double",
            Kind::Flag => "Edm.Boolean",
            Kind::Id | Kind::Lookup => "Edm.Guid",
            Kind::Moment => "Edm.DateTimeOffset",
            Kind::Day => {
                if self.days_are_moments {
                    "Edm.DateTimeOffset"
                } else {
                    "Edm.Date"
                }
            }
            Kind::Binary => "Edm.Binary",
        };
        Type::Primitive(name)
    }
}
