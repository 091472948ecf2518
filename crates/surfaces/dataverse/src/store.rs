//! What an organisation's tables hold.
//!
//! Decides which rows an organisation begins with; the lab keeps them, and says when they begin again. Users and business
//! units are read from the declaration each time, so that an edit shows at once. Never decides who may read them.

use std::cell::OnceCell;
use std::sync::Arc;

use mocktenant_lab::{DeclaredRow, Tables};
use mocktenant_odata::Guid;
use mocktenant_tables::{Columns, Database, Limits, Schema, Snapshot, TableView};
use mocktenant_world::{Organization, World};
use serde_json::{Value, json};

use crate::principal::Users;
use crate::schema::{Rows, TABLES, Table};

fn schemas(kind: impl Fn(Rows) -> bool) -> Vec<Schema> {
    TABLES.iter().filter(|table| kind(table.rows)).map(|table| table.keys_of_rows()).collect()
}

/// The tables whose rows clients write.
pub(crate) fn tables() -> Tables {
    Tables { schemas: schemas(|rows| rows == Rows::Stored), limits: Limits::default() }
}

/// The declared rows of an organisation, complete; `now` (RFC 3339) is when they were created.
pub(crate) fn declared(organization: &Organization, now: &str) -> Vec<DeclaredRow> {
    let mut rows = Vec::new();
    for table in TABLES.iter().filter(|table| table.rows == Rows::Stored) {
        for (name, declared) in organization.records.get(table.set).into_iter().flatten() {
            let mut columns = Columns::new();
            for column in table.all_columns() {
                if let Some(value) = declared.get(column.name) {
                    columns.insert(column.name.to_owned(), value.clone());
                }
            }
            if !columns.get(table.id).is_some_and(Value::is_string) {
                let id = Guid::from_bytes(digest(&[table.set, name]).to_be_bytes());
                columns.insert(table.id.to_owned(), Value::String(id.to_string()));
            }
            for (column, value) in [
                ("_owningbusinessunit_value", json!(organization.business_unit)),
                ("createdon", json!(now)),
                ("modifiedon", json!(now)),
            ] {
                columns.entry(column).or_insert(value);
            }
            let first = table.states.first();
            if let Some((state, (status, _))) = first.and_then(|state| Some((state, state.statuses.first()?)))
            {
                columns.entry("statecode").or_insert(json!(state.code));
                columns.entry("statuscode").or_insert(json!(status));
            }
            if let Some(owner) = columns.get("_ownerid_value").cloned() {
                columns.entry("_owninguser_value").or_insert(owner);
            }
            rows.push(DeclaredRow { table: table.set, name: name.clone(), columns });
        }
    }
    rows
}

/// Users and business units as the declaration has them now.
///
/// # Panics
/// Never: the schemas are this crate's own, and a test makes this very database.
fn views(users: Users<'_>) -> Snapshot {
    let organization = users.organization;
    let database = Database::new(schemas(|rows| rows != Rows::Stored), Limits::default())
        .unwrap_or_else(|error| unreachable!("own schemas: {error}"));
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
                "systemuserid": user.id, "fullname": users.full_name(&user.client_id),
                "applicationid": user.client_id,
                "azureactivedirectoryobjectid": users.object_id(&user.client_id),
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
    world: Arc<World>,
    stored: Snapshot,
    views: OnceCell<Snapshot>,
}

impl<'o> Reader<'o> {
    pub(crate) fn new(organization: &'o Organization, world: &Arc<World>, database: &Database) -> Self {
        let world = Arc::clone(world);
        Self { organization, world, stored: database.snapshot(), views: OnceCell::new() }
    }

    /// One table.
    ///
    /// # Panics
    /// Never: every table is in one of the two databases.
    pub(crate) fn table(&self, table: &Table) -> TableView<'_> {
        let found = self.snapshot(table).table(table.set);
        found.unwrap_or_else(|| unreachable!("own table {}", table.set))
    }

    /// The rows a table is among.
    pub(crate) fn snapshot(&self, table: &Table) -> &Snapshot {
        match table.rows {
            Rows::Stored => &self.stored,
            Rows::ApplicationUsers | Rows::BusinessUnits => {
                let users = || Users { organization: self.organization, world: &self.world };
                self.views.get_or_init(|| views(users()))
            }
        }
    }
}

/// An id of the lab's own for something that has one in every organisation: the same in every lab, and it looks like it.
pub(crate) fn own_id(of: &[&str]) -> String {
    format!("c0117050-0000-4000-8000-{:012x}", digest(of) & 0xffff_ffff_ffff)
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
