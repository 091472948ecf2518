//! A table as a person writes it: a file in a surface's `tables/`, and a table of the declaration.
//!
//! Decides the shape of the text alone; what holds together is [`crate::compile`]'s. Names are those of the products: logical
//! names for Dataverse, public names for Finance and Operations. A collection is a map keyed by the name people use, in the
//! order in which the product lists it.

use std::fmt;

use indexmap::IndexMap;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Named sets of choices that several columns share: `NoYes`.
pub type ChoiceDefinitions = IndexMap<String, ChoiceDefinition>;

/// Tables by name: logical name, or entity set.
pub type TableDefinitions = IndexMap<String, TableDefinition>;

/// Columns by name, in the order the product answers them.
pub type ColumnDefinitions = IndexMap<String, ColumnDefinition>;

/// One table, or what is added to one that is there: then only columns, choices and relationships.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableDefinition {
    /// Entity set, `accounts`; absent: the name with an `s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// Name with letter case, `Account`, `CustomerV3`: of its type, and within the names of its privileges; absent: the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_name: Option<String>,
    /// Display name; absent: the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Display name of many; absent: the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plural: Option<String>,
    /// The product's number for it, the object type code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Who owns its rows.
    pub owner: Ownership,
    /// Its rows are no rows but a view of the declaration, by this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// The column that names a row for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The columns of the primary key; absent: `<name>id`.
    pub key: Vec<String>,
    /// Further unique keys.
    pub keys: IndexMap<String, KeyDefinition>,
    /// Columns by which rows are often sought, beside keys and lookups.
    pub indexes: Vec<String>,
    /// States by `statecode`; the first is that of a new row.
    pub states: IndexMap<i64, StateDefinition>,
    /// Its columns.
    pub columns: ColumnDefinitions,
    /// Relationships that are no lookup column's own.
    pub relationships: IndexMap<String, RelationshipDefinition>,
    /// Facts that mean something to the product alone.
    pub notes: IndexMap<String, String>,
}

/// Who owns rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// The organisation: a privilege reaches all of them or none.
    #[default]
    Organization,
    /// Users and teams: a privilege has a depth.
    User,
}

/// A unique key beside the primary one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDefinition {
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its columns.
    pub columns: Vec<String>,
}

/// One state of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateDefinition {
    /// Display name.
    pub label: String,
    /// Every `statuscode` it can have with its label; the first is the one it takes by itself.
    pub statuses: IndexMap<i64, String>,
}

/// Choices: either options by value, or members by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChoiceDefinition {
    /// Labels by value.
    pub options: IndexMap<i64, String>,
    /// Values by the member's name; two members may have one value.
    pub members: IndexMap<String, i64>,
    /// Facts that mean something to the product alone; `NAME/FACT` is one of a member.
    pub notes: IndexMap<String, String>,
}

/// One column: its type alone, or a map.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ColumnDefinition {
    /// The type's name, see [`TYPES`]; any other word is a named set of choices.
    #[serde(rename = "type")]
    pub kind: String,
    /// Display name; absent: the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Most characters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// What kind of text or moment it is, `email`, `date_only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Least number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<serde_json::Number>,
    /// Greatest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<serde_json::Number>,
    /// Digits after the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<u8>,
    /// Labels of a choice by value, for a column whose choices are its own.
    pub options: IndexMap<i64, String>,
    /// What a new row holds where nobody gives a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether it has to be given.
    pub required: Requirement,
    /// Whether a new row may be given a value.
    pub create: bool,
    /// Whether a row that is there may be given another.
    pub update: bool,
    /// Whether it is shown with rows; what is not is known to definitions alone.
    pub read: bool,
    /// What works it out, by a name the product knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed: Option<String>,
    /// The tables a lookup leads to.
    pub to: IndexMap<String, LookupDefinition>,
    /// Facts that mean something to the product alone.
    pub notes: IndexMap<String, String>,
}

/// Whether a column has to be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// No.
    #[default]
    None,
    /// People should.
    Recommended,
    /// Forms ask for it, the service does not.
    Application,
    /// The service has it always.
    System,
    /// The service refuses a row without it.
    Mandatory,
}

/// One table that a lookup leads to. All that is absent follows from the names: the navigation is the column's, with
/// `_<table>` where the lookup leads to several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LookupDefinition {
    /// Navigation property from the row to the one it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub navigation: Option<String>,
    /// Name of the relationship; absent: `<table>_<navigation>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship: Option<String>,
    /// Navigation property back, to many; absent: the relationship's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub many: Option<String>,
    /// What happens when the row goes that it leads to.
    pub delete: Deletion,
}

/// What a deletion does to the rows that lead to the one that goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// They stay and lead nowhere.
    #[default]
    RemoveLink,
    /// They go too.
    Cascade,
    /// While there are any the row stays.
    Restrict,
    /// They stay as they are.
    Nothing,
}

/// A relationship by columns of both tables, or of many with many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelationshipDefinition {
    /// The other table.
    pub to: String,
    /// Columns of this table with the columns of the other they equal; none where many lead to many.
    pub columns: IndexMap<String, String>,
    /// The table between, where many lead to many: it has a lookup to either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Navigation property to the other table; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub navigation: Option<String>,
    /// Navigation property back; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back: Option<String>,
    /// Whether the property back leads to one row, though several may lead here: then to the first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
    /// Whether a row has to be there that the columns name, unless they are empty.
    pub enforced: bool,
    /// What happens when that row goes.
    pub delete: Deletion,
}

/// The types of columns by name.
pub const TYPES: &[&str] = &[
    "text", "memo", "whole", "big", "decimal", "double", "money", "flag", "choice", "state", "status", "id",
    "lookup", "moment", "day", "version", "binary", "virtual",
];

impl<'de> Deserialize<'de> for ColumnDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TypeOrMap;
        impl<'de> Visitor<'de> for TypeOrMap {
            type Value = ColumnDefinition;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a column's type, or a map with its `type`")
            }

            fn visit_str<E: de::Error>(self, kind: &str) -> Result<ColumnDefinition, E> {
                Ok(ColumnDefinition { kind: kind.to_owned(), ..ColumnDefinition::plain() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnDefinition, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
            }
        }
        deserializer.deserialize_any(TypeOrMap)
    }
}

impl ColumnDefinition {
    /// A column that can be read and written.
    pub fn plain() -> Self {
        Self { create: true, update: true, read: true, ..Self::default() }
    }
}

/// A column as a map.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    label: Option<String>,
    length: Option<u32>,
    format: Option<String>,
    least: Option<serde_json::Number>,
    most: Option<serde_json::Number>,
    precision: Option<u8>,
    #[serde(default)]
    options: IndexMap<i64, String>,
    default: Option<Value>,
    #[serde(default)]
    required: Requirement,
    #[serde(default = "yes")]
    create: bool,
    #[serde(default = "yes")]
    update: bool,
    #[serde(default = "yes")]
    read: bool,
    computed: Option<String>,
    #[serde(default)]
    to: Targets,
    #[serde(default)]
    notes: IndexMap<String, String>,
}

fn yes() -> bool {
    true
}

/// One table's name, or several with what is said of each.
#[derive(Default)]
struct Targets(IndexMap<String, LookupDefinition>);

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMap;
        impl<'de> Visitor<'de> for NameOrMap {
            type Value = Targets;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a table's name, or a map of tables")
            }

            fn visit_str<E: de::Error>(self, table: &str) -> Result<Targets, E> {
                Ok(Targets(IndexMap::from([(table.to_owned(), LookupDefinition::default())])))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Targets, A::Error> {
                IndexMap::deserialize(MapAccessDeserializer::new(map)).map(Targets)
            }
        }
        deserializer.deserialize_any(NameOrMap)
    }
}

impl From<Written> for ColumnDefinition {
    fn from(written: Written) -> Self {
        let Written {
            kind,
            label,
            length,
            format,
            least,
            most,
            precision,
            options,
            default,
            required,
            create,
            update,
            read,
            computed,
            to: Targets(to),
            notes,
        } = written;
        Self {
            kind,
            label,
            length,
            format,
            least,
            most,
            precision,
            options,
            default,
            required,
            create,
            update,
            read,
            computed,
            to,
            notes,
        }
    }
}
