//! The rows of every organisation.
//!
//! Decides when rows come to be: an organisation's own with its first request, from the declaration, and again after a
//! reset; users and business units are read from the declaration each time, so that an edit shows at once. Never decides
//! who may read them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mocktenant_odata::Guid;
use mocktenant_tables::{Columns, Database, Limits, Snapshot, TableView, Transaction};
use mocktenant_world::Organization;
use serde_json::{Value, json};

use crate::schema::{Rows, TABLES, Table};

/// Rows by organisation key.
#[derive(Default)]
pub(crate) struct Store {
    organizations: Mutex<HashMap<String, Arc<Records>>>,
}

/// The rows of one organisation.
pub(crate) struct Records {
    /// The rows.
    pub(crate) database: Database,
    /// Held while a request reads what it is about to change: of two writes to one row, one waits.
    writing: Mutex<()>,
}

impl Records {
    /// Waits until no other request writes. Never to be held across an await.
    pub(crate) fn begin_write(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// The rows of an organisation, seeded with its declared records at `now` (RFC 3339) if it is new.
    pub(crate) fn records(&self, organization: &Organization, now: &str) -> Arc<Records> {
        let mut organizations = self.organizations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(records) = organizations.get(&*organization.key) {
            return Arc::clone(records);
        }
        let records = Arc::new(Records { database: seeded(organization, now), writing: Mutex::new(()) });
        organizations.insert(organization.key.to_string(), Arc::clone(&records));
        records
    }

    /// Forgets all rows.
    pub(crate) fn forget(&self) {
        self.organizations.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The database of tables whose rows come from one place.
///
/// # Panics
/// Never: the schemas are this crate's own, and a test makes this very database.
fn empty(kind: impl Fn(Rows) -> bool) -> Database {
    let schemas = TABLES.iter().filter(|table| kind(table.rows)).map(|table| table.keys_of_rows());
    Database::new(schemas, Limits::default()).unwrap_or_else(|error| unreachable!("own schemas: {error}"))
}

fn seeded(organization: &Organization, now: &str) -> Database {
    let database = empty(|rows| rows == Rows::Stored);
    let mut transaction = Transaction::begin(&database);
    for table in TABLES.iter().filter(|table| table.rows == Rows::Stored) {
        for (name, declared) in organization.records.get(table.set).into_iter().flatten() {
            let mut row = Columns::new();
            for column in table.all_columns() {
                if let Some(value) = declared.get(column.name) {
                    row.insert(column.name.to_owned(), value.clone());
                }
            }
            if !row.get(table.id).is_some_and(Value::is_string) {
                let id = Guid::from_bytes(digest(&[table.set, name]).to_be_bytes());
                row.insert(table.id.to_owned(), Value::String(id.to_string()));
            }
            for (column, value) in [
                ("_owningbusinessunit_value", json!(organization.business_unit)),
                ("createdon", json!(now)),
                ("modifiedon", json!(now)),
                ("statecode", json!(0)),
                ("statuscode", json!(1)),
            ] {
                row.entry(column).or_insert(value);
            }
            // a second row of one key cannot exist in an organisation either: the first one stays
            let _ = transaction.reserve_insert(table.set, row);
        }
    }
    let _ = transaction.commit();
    database
}

/// Users and business units as the declaration has them now.
fn views(organization: &Organization) -> Snapshot {
    let database = empty(|rows| rows != Rows::Stored);
    let mut rows: Vec<(&str, Columns)> = Vec::new();
    let mut push = |set: &'static str, row: Value| {
        if let Value::Object(row) = row {
            rows.push((set, row));
        }
    };
    for user in organization.application_users.values() {
        push(
            "systemusers",
            json!({
                "systemuserid": user.id, "fullname": format!("# {}", user.client_id), "applicationid": user.client_id,
                "isdisabled": !user.enabled, "_businessunitid_value": organization.business_unit,
            }),
        );
    }
    push(
        "businessunits",
        json!({ "businessunitid": organization.business_unit, "name": organization.name, "isdisabled": false }),
    );
    // user ids are distinct in every world, so nothing is refused
    let _ = database.replace_all(rows);
    database.snapshot()
}

/// All tables of an organisation at one moment.
pub(crate) struct Reader<'o> {
    organization: &'o Organization,
    stored: Snapshot,
    views: OnceCell<Snapshot>,
}

impl<'o> Reader<'o> {
    pub(crate) fn new(organization: &'o Organization, database: &Database) -> Self {
        Self { organization, stored: database.snapshot(), views: OnceCell::new() }
    }

    /// One table.
    ///
    /// # Panics
    /// Never: every table is in one of the two databases.
    pub(crate) fn table(&self, table: &Table) -> TableView<'_> {
        let snapshot = match table.rows {
            Rows::Stored => &self.stored,
            Rows::ApplicationUsers | Rows::BusinessUnits => {
                self.views.get_or_init(|| views(self.organization))
            }
        };
        snapshot.table(table.set).unwrap_or_else(|| unreachable!("own table {}", table.set))
    }
}

/// FNV-1a in 128 bits over texts and their ends: a stable id, no secret.
pub(crate) fn digest(texts: &[&str]) -> u128 {
    let step = |hash: u128, byte: u8| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B)
    };
    texts
        .iter()
        .flat_map(|text| text.bytes().chain([0]))
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, step)
}
