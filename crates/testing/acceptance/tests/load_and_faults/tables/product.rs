//! The two products: what their files say of tables, how they are asked, and what a row of theirs is.
//!
//! Decides what of a row changes by itself and is not compared, and which columns a writer leaves alone. Reads `tables/*.yaml` by
//! itself, as the products' build scripts do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicUsize;

use mocktenant_acceptance::oracle::Caller;
use mocktenant_acceptance::raw::{self, Answer};
use mocktenant_schema::files::{Reader, compiled};
use mocktenant_schema::{Column, Kind, Schema, Table, Unset};
use serde_json::{Map, Value};

pub(super) type Members = Map<String, Value>;
/// Rows by their key, by their table.
pub(super) type Rows = BTreeMap<usize, BTreeMap<String, Members>>;

/// One of the two products: what its files say, and how it is asked.
pub(super) struct Product {
    pub(super) schema: Schema,
    pub(super) is_dataverse: bool,
    pub(super) caller: Caller,
    /// What is there where nobody wrote.
    pub(super) initial: Rows,
    pub(super) told: Tally,
}

/// What writers were told, by table.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) made: BTreeMap<usize, AtomicUsize>,
    pub(super) refused: AtomicUsize,
    pub(super) deleted: AtomicUsize,
    pub(super) kept: AtomicUsize,
}

impl Product {
    pub(super) fn of(caller: &Caller, is_dataverse: bool) -> Self {
        let (name, unset) = if is_dataverse { ("dataverse", Unset::Null) } else { ("aos", Unset::Empty) };
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../surfaces").join(name);
        let reader = Reader {
            table: |text| serde_saphyr::from_str(text).map_err(|why| why.to_string()),
            choices: |text| serde_saphyr::from_str(text).map_err(|why| why.to_string()),
        };
        let schema = compiled(&directory, &reader, unset).unwrap();
        let made = schema.tables().map(|table| (table.position(), AtomicUsize::new(0))).collect();
        let told = Tally { made, ..Tally::default() };
        let mut product = Self { schema, is_dataverse, caller: caller.clone(), initial: Rows::new(), told };
        product.initial = product.all();
        product
    }

    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let path = path.replace(' ', "%20");
        let (port, request) = if self.is_dataverse {
            (self.caller.dataverse, self.caller.to_dataverse(method, &path, body))
        } else {
            let all = if path.contains('?') { "&" } else { "?" };
            (self.caller.aos, self.caller.to_aos(method, &format!("{path}{all}cross-company=true"), body))
        };
        raw::send(port, &request).unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }

    pub(super) fn table(&self, at: usize) -> Table<'_> {
        self.schema.at(at).unwrap()
    }

    /// Every set, whole.
    pub(super) fn all(&self) -> Rows {
        let mut all = Rows::new();
        for table in self.schema.tables() {
            let mut rows = BTreeMap::new();
            let mut next = table.set().to_owned();
            loop {
                let page = self.ask("GET", &next, &Value::Null);
                assert_eq!(page.status, 200, "{next}: {}", page.text());
                let page = page.json();
                for row in page["value"].as_array().unwrap() {
                    let row = plain(row);
                    rows.insert(self.key(table, &row), row);
                }
                let Some(link) = page["@odata.nextLink"].as_str() else { break };
                let at = link.find(table.set()).unwrap();
                link[at..].clone_into(&mut next);
            }
            all.insert(table.position(), rows);
        }
        all
    }

    /// The key of a row as an address has it.
    pub(super) fn key(&self, table: Table<'_>, row: &Members) -> String {
        let text = |column: Column<'_>| match &row[column.name()] {
            Value::String(text) if column.kind() == Kind::Text => format!("'{}'", text.replace('\'', "''")),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if self.is_dataverse {
            return table.key().map(text).collect();
        }
        let pairs: Vec<String> =
            table.key().map(|column| format!("{}={}", column.name(), text(column))).collect();
        if let [only] = pairs.as_slice() {
            only.split_once('=').unwrap().1.to_owned()
        } else {
            pairs.join(",")
        }
    }

    /// The name of a column in a row.
    pub(super) fn property(&self, column: Column<'_>) -> String {
        if self.is_dataverse && column.kind() == Kind::Lookup {
            return format!("_{}_value", column.name());
        }
        column.name().to_owned()
    }

    /// Whether a client writes its rows.
    pub(super) fn is_written(table: Table<'_>) -> bool {
        let between = ["systemuserroles", "roleprivileges"].contains(&table.name());
        table.view().is_none() && !between
    }

    /// The set that is the same table of the product, and the columns that the two share: of this one, of the other.
    pub(super) fn twin<'s>(&'s self, table: Table<'s>) -> Option<(Table<'s>, Vec<(&'s str, &'s str)>)> {
        let (set, columns) = table.note("twin")?.split_once(':')?;
        let other = self.schema.tables().find(|other| other.set() == set)?;
        Some((other, columns.split(',').filter_map(|pair| pair.trim().split_once('=')).collect()))
    }
}

/// A row without what changes by itself.
pub(super) fn plain(row: &Value) -> Members {
    let mut row = row.as_object().unwrap().clone();
    row.retain(|name, _| {
        !name.contains('@') && !["versionnumber", "modifiedon", "modifiedby"].contains(&name.as_str())
    });
    row
}

/// Columns that mean more than their value.
pub(super) const SPECIAL: [&str; 10] = [
    "statecode",
    "statuscode",
    "ownerid",
    "VendorPartyType",
    "overriddencreatedon",
    "dataAreaId",
    "fetchxml",
    "returnedtypecode",
    "querytype",
    "PartyType",
];

/// Whether a column follows from others.
pub(super) fn is_derived(table: Table<'_>, name: &str) -> bool {
    let bare = name.strip_prefix('_').and_then(|rest| rest.strip_suffix("_value")).unwrap_or(name);
    let column = table.column(bare);
    column.is_none_or(|column| {
        column.computed().is_some() || ["transactioncurrencyid", "exchangerate"].contains(&bare)
    })
}

/// The members that two rows do not share.
pub(super) fn different(one: &Members, other: &Members) -> String {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let all = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    all.map(|name| format!("{name}: {:?} and {:?}", one.get(name), other.get(name)))
        .collect::<Vec<_>>()
        .join(", ")
}
