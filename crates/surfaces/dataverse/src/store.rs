//! What an organisation's tables hold.
//!
//! Decides which rows an organisation begins with: its records, and the rows that are views of its settings (users with theirs, business
//! units, roles), which the lab keeps in step with them. Never decides who may read them.

use mocktenant_lab::DeclaredRow;
use mocktenant_lab::declared::{self, Wrong};
use mocktenant_odata::Guid;
use mocktenant_schema::{Cell, Column, Schema, Table, Violation, value};
use mocktenant_world::{Organization, Problem, World};
use serde_json::Value;

use crate::principal::Users;
use crate::queries::{self, views::View};
use crate::roles;
use crate::tables::{self, DIALECT};

/// The declared rows of an organisation, complete; `now` (seconds since 1970) is when they were created.
pub(crate) fn declared(organization: &Organization, world: &World, now: i64) -> Vec<DeclaredRow> {
    let schema = tables::of(organization);
    let mut rows = views(&schema, Users { organization, world, rows: None }, now);
    rows.extend(roles::declared(&schema, organization, now));
    for table in schema.tables().filter(|table| tables::is_stored(*table)) {
        for (name, declared) in organization.records.get(table.set()).into_iter().flatten() {
            let mut row = Declared::of(table, name);
            for (property, value) in declared {
                // what a declaration has that no row can hold is a finding
                let Some(column) = DIALECT.column(table, property) else { continue };
                if let Ok(cell) = held(column, value) {
                    row.set(column.name(), cell);
                }
            }
            if let Some(id) = table.id() {
                let digest = digest(&[table.set(), name]);
                row.or(id.name(), Cell::Id(Guid::from_bytes(digest.to_be_bytes())));
            }
            row.or("owningbusinessunit", id(&organization.business_unit));
            row.or("createdon", Cell::Moment(now));
            row.or("modifiedon", Cell::Moment(now));
            if let Some(state) = table.states().next() {
                row.or("statecode", Cell::Whole(state.value()));
                if let Some(status) = state.statuses().next() {
                    row.or("statuscode", Cell::Whole(status.value()));
                }
            }
            if let Some(owner) = row.get("ownerid") {
                row.or("owninguser", owner);
            }
            rows.push(row.row);
        }
    }
    rows.extend(own_views(&schema, organization, now));
    rows
}

/// What a declared value is in its column: also a text that is longer than a client could write.
fn held<'s>(column: Column<'s>, value: &Value) -> Result<Cell, Violation<'s>> {
    value::read(column, value).or_else(|violation| match value {
        Value::String(text) if column.kind().is_text() => Ok(Cell::text(text.as_str())),
        _ => Err(violation),
    })
}

/// What is wrong with the tables and records that an organisation declares.
pub(crate) fn findings(organization: &Organization) -> Vec<Problem> {
    let pointer = &organization.pointer;
    let findings = tables::findings(organization);
    if !findings.is_empty() {
        return declared::tables(&pointer.tables(), findings);
    }
    let schema = tables::of(organization);
    let stored = schema.tables().filter(|table| tables::is_stored(*table));
    declared::rows(
        &organization.records,
        |set| pointer.records(set),
        &stored,
        |table, property, value| {
            let column = DIALECT.column(table, property).ok_or(Wrong::NoColumn)?;
            held(column, value).map(drop).map_err(Wrong::Value)
        },
    )
}

/// The views an organisation comes with. A declared row of the same id stands before them.
fn own_views(schema: &Schema, organization: &Organization, now: i64) -> Vec<DeclaredRow> {
    let Some(table) = schema.table("savedquery") else { return Vec::new() };
    let row = |view: &View| {
        let mut row = Declared::of(table, &view.name);
        row.set("savedqueryid", id(&view.id));
        row.set("name", Cell::text(view.name.as_str()));
        row.set("returnedtypecode", Cell::text(view.entity.as_str()));
        row.set("fetchxml", Cell::text(view.fetch_xml.as_str()));
        row.set("querytype", Cell::Whole(0));
        row.set("iscustom", Cell::Flag(false));
        row.set("isuserdefined", Cell::Flag(false));
        row.set("organizationid", id(&organization.id));
        row.set("createdon", Cell::Moment(now));
        row.set("modifiedon", Cell::Moment(now));
        row.set("statecode", Cell::Whole(0));
        row.set("statuscode", Cell::Whole(1));
        row.row
    };
    queries::views::all().iter().map(row).collect()
}

/// A declared row in the making.
pub(crate) struct Declared<'s> {
    table: Table<'s>,
    pub(crate) row: DeclaredRow,
}

impl<'s> Declared<'s> {
    pub(crate) fn of(table: Table<'s>, name: &str) -> Self {
        let row = DeclaredRow { table: table.name().to_owned(), name: name.to_owned(), cells: Vec::new() };
        Self { table, row }
    }

    fn get(&self, name: &str) -> Option<Cell> {
        self.row.cells.iter().find(|(one, _)| one == name).map(|(_, cell)| cell.clone())
    }

    pub(crate) fn set(&mut self, name: &str, cell: Cell) {
        self.row.cells.push((name.to_owned(), cell));
    }

    /// A value where none is declared and the table has the column.
    pub(crate) fn or(&mut self, name: &str, cell: Cell) {
        if self.get(name).is_none() && self.table.column(name).is_some() {
            self.set(name, cell);
        }
    }
}

/// The rows that are views of settings.
fn views(schema: &Schema, users: Users<'_>, now: i64) -> Vec<DeclaredRow> {
    let organization = users.organization;
    let mut rows = Vec::new();
    for table in schema.tables() {
        match table.view() {
            Some("users") => {
                let clients = organization.declared.application_users.keys();
                for user in clients.filter_map(|client| organization.application_users.get(client)) {
                    let client = &user.client_id;
                    let mut row = Declared::of(table, client);
                    row.set("systemuserid", id(&user.id));
                    row.set("fullname", Cell::text(users.full_name(client)));
                    row.set("applicationid", id(client));
                    row.set("azureactivedirectoryobjectid", users.object_id(client).map_or(Cell::Null, id));
                    row.set("isdisabled", Cell::Flag(!user.enabled));
                    row.set("businessunitid", id(&organization.business_unit));
                    row.or("accessmode", Cell::Whole(NON_INTERACTIVE));
                    row.or("ownerid", id(&user.id));
                    rows.push(row.row);
                }
            }
            Some("user-settings") => {
                let clients = organization.declared.application_users.keys();
                for user in clients.filter_map(|client| organization.application_users.get(client)) {
                    let mut row = Declared::of(table, &user.client_id);
                    row.set("systemuserid", id(&user.id));
                    row.set("businessunitid", id(&organization.business_unit));
                    for language in ["uilanguageid", "helplanguageid", "localeid"] {
                        row.or(language, Cell::Whole(ENGLISH));
                    }
                    row.or(
                        "timezonecode",
                        user.zone.code.map_or(Cell::Null, |code| Cell::Whole(code.into())),
                    );
                    row.or("timezonebias", Cell::Whole(-user.zone.standard()));
                    rows.push(row.row);
                }
            }
            Some("business-units") => {
                let mut row = Declared::of(table, "root");
                row.set("businessunitid", id(&organization.business_unit));
                row.set("name", Cell::text(organization.name.as_str()));
                row.set("isdisabled", Cell::Flag(false));
                rows.push(row.row);
            }
            Some("organization") => {
                let mut row = Declared::of(table, "organization");
                row.set("organizationid", id(&organization.id));
                row.or("name", Cell::text(organization.name.as_str()));
                row.or("createdon", Cell::Moment(now));
                rows.push(row.row);
            }
            _ => {}
        }
    }
    rows
}

/// The access mode of application users.
const NON_INTERACTIVE: i64 = 4;

/// English (United States).
const ENGLISH: i64 = 1033;

/// A declared id; null where it is none.
pub(crate) fn id(text: &str) -> Cell {
    Guid::parse(text).map_or(Cell::Null, Cell::Id)
}

/// An id of the lab's own for something that has one in every organisation: the same in every lab, and it looks like it.
pub(crate) fn own_id(of: &[&str]) -> String {
    format!("c0117050-0000-4000-8000-{:012x}", digest(of) & 0xffff_ffff_ffff)
}

/// The id of a row of the table between two rows: whoever joins them, it is the same row.
pub(crate) fn link_id(through: Table<'_>, one: &str, other: &str) -> Cell {
    id(&own_id(&[through.name(), &one.to_ascii_lowercase(), &other.to_ascii_lowercase()]))
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

/// A value as the Web API writes it where it is a plain one; numbers with decimals are the representation's.
pub(crate) fn plain(cell: &Cell) -> Value {
    use mocktenant_schema::moment::{day_text, moment_text};
    match cell {
        Cell::Null => Value::Null,
        Cell::Flag(flag) => Value::Bool(*flag),
        Cell::Whole(whole) => Value::from(*whole),
        Cell::Decimal(decimal) => Value::from(decimal.to_double()),
        Cell::Double(double) => Value::from(*double),
        Cell::Text(text) => Value::from(&**text),
        Cell::Id(id) => Value::from(id.to_string()),
        Cell::Moment(moment) => Value::from(moment_text(*moment)),
        Cell::Day(day) => Value::from(day_text(*day)),
    }
}
