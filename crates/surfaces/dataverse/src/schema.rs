//! Entity definitions as data: which tables and columns an organisation has, and what their values may be.
//!
//! Decides names, types, lengths, lookups and alternate keys. Never decides whether a request may touch a table. Names and
//! types are those of the Dataverse table reference and of the Dual Write maps; only the columns that the maps and the
//! usual samples use are here, so a column a real organisation has may be missing, and is then refused as unknown.

/// The privileges on a table, by its schema name as they spell it: `Account` in `prvCreateAccount`.
macro_rules! privileges {
    ($name:literal) => {
        $crate::schema::Privileges {
            create: concat!("prvCreate", $name),
            read: concat!("prvRead", $name),
            write: concat!("prvWrite", $name),
            delete: concat!("prvDelete", $name),
            assign: concat!("prvAssign", $name),
        }
    };
}

mod account;
mod choices;
mod contact;
mod reference;

use mocktenant_tables::Schema;

/// Names of the privileges on one table.
pub(crate) struct Privileges {
    pub(crate) create: &'static str,
    pub(crate) read: &'static str,
    pub(crate) write: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) assign: &'static str,
}

/// One table.
pub(crate) struct Table {
    /// Logical name, `account`.
    pub(crate) logical: &'static str,
    /// Entity set, `accounts`.
    pub(crate) set: &'static str,
    /// Primary key column, `accountid`.
    pub(crate) id: &'static str,
    /// Primary name column.
    pub(crate) name: &'static str,
    /// The privileges on it.
    pub(crate) privileges: Privileges,
    /// Object type code, the OTC of privilege texts. Those of custom tables differ per organisation.
    pub(crate) type_code: u32,
    /// Display name, the LocalizedName of privilege texts.
    pub(crate) label: &'static str,
    /// Whether users own its rows, so that privileges on it have a depth.
    pub(crate) owned: bool,
    /// What `statecode` and `statuscode` can be; the first state is that of a new row. Empty where it has neither.
    pub(crate) states: &'static [State],
    /// Columns in the order they are answered, the primary key among them.
    pub(crate) columns: &'static [Column],
    /// Unique keys beside the primary one.
    pub(crate) keys: &'static [AlternateKey],
    /// Where its rows come from.
    pub(crate) rows: Rows,
}

/// Where the rows of a table come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// The organisation's database.
    Stored,
    /// The application users of the declaration: read only.
    ApplicationUsers,
    /// The root business unit of the declaration: read only.
    BusinessUnits,
}

/// The options of a choice column with their labels.
pub(crate) type Choices = &'static [(i64, &'static str)];

/// One state of a row.
pub(crate) struct State {
    /// `statecode`.
    pub(crate) code: i64,
    /// Its label.
    pub(crate) label: &'static str,
    /// Every `statuscode` it can have, its default first.
    pub(crate) statuses: Choices,
}

/// The states of most tables.
const ACTIVE: &[State] = &[
    State { code: 0, label: "Active", statuses: &[(1, "Active")] },
    State { code: 1, label: "Inactive", statuses: &[(2, "Inactive")] },
];

/// A unique key beside the primary one.
pub(crate) struct AlternateKey {
    /// Display name, as duplicate-key texts have it.
    pub(crate) name: &'static str,
    /// Its columns.
    pub(crate) columns: &'static [&'static str],
    /// Their display names, as duplicate-key texts have them.
    pub(crate) labels: &'static str,
}

/// One column.
pub(crate) struct Column {
    /// Name in the Web API: the logical name, `_name_value` for a lookup.
    pub(crate) name: &'static str,
    /// Type.
    pub(crate) kind: Kind,
    /// Whether a request may set it; a value for a column it may not set is ignored, as Dataverse does.
    pub(crate) writable: bool,
}

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Edm.String` of at most so many characters.
    Text(u32),
    /// `Edm.Int32` within a range.
    Whole {
        /// Least value.
        least: i64,
        /// Greatest value.
        most: i64,
    },
    /// `Edm.Decimal`.
    Decimal,
    /// `Edm.Decimal`, in the currency of its row.
    Money,
    /// `Edm.Boolean`.
    Flag,
    /// `Edm.Int32`, one of these.
    Choice(Choices),
    /// `statecode`: what the table's states are.
    State,
    /// `statuscode`: what the states of the table have.
    Status,
    /// `Edm.Guid`.
    Identifier,
    /// `Edm.DateTimeOffset`.
    Moment,
    /// `Edm.Date`.
    Day,
    /// `Edm.Int64`.
    Version,
    /// `Edm.Guid`, set by `<navigation>@odata.bind`.
    Lookup {
        /// Single-valued navigation property.
        navigation: &'static str,
        /// Logical name of the table it points to.
        target: &'static str,
        /// The other navigation property and table, of a lookup to one of two.
        or: Option<(&'static str, &'static str)>,
    },
}

impl Kind {
    /// Its primitive type as OData texts name it.
    pub(crate) fn edm(self) -> &'static str {
        match self {
            Self::Text(_) => "Edm.String",
            Self::Whole { .. } | Self::Choice(_) | Self::State | Self::Status => "Edm.Int32",
            Self::Decimal | Self::Money => "Edm.Decimal",
            Self::Flag => "Edm.Boolean",
            Self::Identifier | Self::Lookup { .. } => "Edm.Guid",
            Self::Moment => "Edm.DateTimeOffset",
            Self::Day => "Edm.Date",
            Self::Version => "Edm.Int64",
        }
    }
}

/// Shorthand of the definition files.
const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, writable: true }
}

/// A column that only the organisation writes.
const fn read_only(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, writable: false }
}

/// A lookup.
const fn lookup(name: &'static str, navigation: &'static str, target: &'static str) -> Column {
    Column { name, kind: Kind::Lookup { navigation, target, or: None }, writable: true }
}

/// A lookup to a row of one of two tables.
const fn either(
    name: &'static str,
    (navigation, target): (&'static str, &'static str),
    or: (&'static str, &'static str),
) -> Column {
    Column { name, kind: Kind::Lookup { navigation, target, or: Some(or) }, writable: true }
}

/// A lookup that only the organisation writes.
const fn owned_lookup(name: &'static str, navigation: &'static str, target: &'static str) -> Column {
    Column { name, kind: Kind::Lookup { navigation, target, or: None }, writable: false }
}

/// The columns every stored table has beside its own, in the order they are answered.
pub(crate) const COMMON: &[Column] = &[
    lookup("_ownerid_value", "ownerid", "systemuser"),
    owned_lookup("_owningbusinessunit_value", "owningbusinessunit", "businessunit"),
    owned_lookup("_createdby_value", "createdby", "systemuser"),
    owned_lookup("_owninguser_value", "owninguser", "systemuser"),
    owned_lookup("_modifiedby_value", "modifiedby", "systemuser"),
    owned_lookup("_createdonbehalfby_value", "createdonbehalfby", "systemuser"),
    owned_lookup("_modifiedonbehalfby_value", "modifiedonbehalfby", "systemuser"),
    read_only("createdon", Kind::Moment),
    read_only("modifiedon", Kind::Moment),
    column("statecode", Kind::State),
    column("statuscode", Kind::Status),
    read_only("versionnumber", Kind::Version),
];

/// Every table of an organisation. A table whose rows refer to others comes after them.
pub(crate) const TABLES: &[&Table] = &[
    &reference::SYSTEM_USER,
    &reference::BUSINESS_UNIT,
    &reference::COMPANY,
    &reference::CURRENCY,
    &reference::PAYMENT_TERM,
    &reference::PAYMENT_METHOD,
    &reference::CUSTOMER_GROUP,
    &account::ACCOUNT,
    &contact::CONTACT,
    &contact::TASK,
];

impl Table {
    /// Its own columns, then the common ones.
    pub(crate) fn all_columns(&self) -> impl Iterator<Item = &'static Column> {
        let common = if self.rows == Rows::Stored { COMMON } else { &[] };
        self.columns.iter().chain(common)
    }

    /// The column of this name, exactly spelt.
    pub(crate) fn column(&self, name: &str) -> Option<&'static Column> {
        self.all_columns().find(|column| column.name == name)
    }

    /// The lookup with this navigation property, exactly spelt, and the table it leads to.
    pub(crate) fn navigation(&self, name: &str) -> Option<(&'static Column, &'static Table)> {
        self.all_columns().find_map(|column| {
            let Kind::Lookup { navigation, target, or } = column.kind else { return None };
            let target = match or {
                _ if navigation == name => target,
                Some((other, target)) if other == name => target,
                _ => return None,
            };
            Some((column, by_logical(target)?))
        })
    }

    /// Schema name, `Account`; that of an activity is not the privileges'.
    pub(crate) fn schema_name(&self) -> &'static str {
        match self.logical {
            "task" => "Task",
            _ => self.privileges.create.trim_start_matches("prvCreate"),
        }
    }

    /// The state of this `statecode`.
    pub(crate) fn state(&self, code: i64) -> Option<&'static State> {
        self.states.iter().find(|state| state.code == code)
    }

    /// The table's keys for the database.
    pub(crate) fn keys_of_rows(&self) -> Schema {
        self.keys.iter().fold(Schema::new(self.set, [self.id]), |schema, key| {
            schema.alternate_key(key.name, key.columns.iter().copied())
        })
    }
}

/// The table of this entity set. Entity set names have letter case.
pub(crate) fn by_set(set: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.set == set)
}

/// The table of this logical name.
pub(crate) fn by_logical(logical: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.logical == logical)
}

#[cfg(test)]
mod tests {
    use mocktenant_tables::{Database, Limits};

    use super::*;

    #[test]
    fn every_definition_holds_together() {
        for table in TABLES {
            let names: Vec<&str> = table.all_columns().map(|column| column.name).collect();
            for name in [table.id, table.name] {
                assert!(names.contains(&name), "{} has no column {name}", table.set);
            }
            for (index, name) in names.iter().enumerate() {
                assert!(!names[..index].contains(name), "{} has {name} twice", table.set);
            }
            for column in table.keys.iter().flat_map(|key| key.columns) {
                assert!(names.contains(column), "{} has no key column {column}", table.set);
            }
            for column in table.all_columns() {
                if let Kind::Lookup { target, or, .. } = column.kind {
                    assert!(or.is_none_or(|(_, target)| by_logical(target).is_some()), "{}", column.name);
                    assert!(by_logical(target).is_some(), "{} points to no table {target}", column.name);
                    assert!(
                        column.name.starts_with('_') && column.name.ends_with("_value"),
                        "{}",
                        column.name
                    );
                }
            }
        }
        let schemas = TABLES.iter().map(|table| table.keys_of_rows());
        assert!(Database::new(schemas, Limits::default()).is_ok());
    }
}
