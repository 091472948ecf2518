//! What the organisation itself writes into a row: owner, business unit, times, and columns that follow from others.
//!
//! Decides those values and nothing about whether the row may be written.

use mocktenant_tables::Columns;
use serde_json::{Value, json};

use super::call::Call;
use crate::schema::Table;

/// The columns a new row has whatever the request says; its state is settled later.
pub(super) fn defaults(call: &Call<'_>, now: &str) -> Columns {
    let user = &call.principal.id;
    let members = json!({
        "_ownerid_value": user, "_owninguser_value": user,
        "_owningbusinessunit_value": call.organization.business_unit,
        "_createdby_value": user, "_modifiedby_value": user,
        "createdon": now, "modifiedon": now,
    });
    let mut columns = members.as_object().cloned().unwrap_or_default();
    for column in ["_createdonbehalfby_value", "_modifiedonbehalfby_value"] {
        columns.insert(column.to_owned(), on_behalf(call));
    }
    columns
}

/// Who really called, where one user acts as another.
pub(super) fn on_behalf(call: &Call<'_>) -> Value {
    call.principal.by.as_ref().map_or(Value::Null, |caller| Value::String(caller.id.clone()))
}

/// Columns that follow from others: a contact's full name.
pub(super) fn derive(table: &Table, before: Option<&Columns>, columns: &mut Columns) {
    if table.logical != "contact" {
        return;
    }
    let part = |name: &str| {
        let value = columns.get(name).or_else(|| before.and_then(|row| row.get(name)));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let name = format!("{} {}", part("firstname"), part("lastname"));
    columns.insert("fullname".to_owned(), Value::String(name.trim().to_owned()));
}

/// The values of a row's alternate keys: what is left to tell of once the row has gone into a write.
pub(super) fn key_values(table: &Table, row: &Columns) -> Columns {
    let names = table.keys.iter().flat_map(|key| key.columns);
    names.filter_map(|name| Some(((*name).to_owned(), row.get(*name)?.clone()))).collect()
}
