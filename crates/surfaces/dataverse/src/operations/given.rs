//! What the organisation itself writes into a row: owner, business unit, times, and columns that follow from others.
//!
//! Decides those values and nothing about whether the row may be written. Mirrors what a real organisation fills in: a contact's
//! full name, the currency of a row with money and the amounts in the base currency, the lines of an address in one.

use mocktenant_schema::{Cell, CellRef, Column, Decimal, Kind, Table};
use mocktenant_tables::{Key, Row, Snapshot, Transaction, Values};

use super::call::Call;
use crate::store;

/// The columns a new row has whatever the request says; its state is settled later.
pub(super) fn defaults(call: &Call<'_>, table: Table<'_>) -> Values {
    let user = store::id(&call.principal.id);
    let mut values = Values::default();
    for (name, cell) in [
        ("ownerid", user.clone()),
        ("owninguser", user.clone()),
        ("owningbusinessunit", store::id(&call.organization.business_unit)),
        ("createdby", user.clone()),
        ("modifiedby", user),
        ("createdon", Cell::Moment(call.now())),
        ("modifiedon", Cell::Moment(call.now())),
        ("createdonbehalfby", on_behalf(call)),
        ("modifiedonbehalfby", on_behalf(call)),
    ] {
        set(table, &mut values, name, cell);
    }
    values
}

/// What a change of a row leaves behind: who made it, and when.
pub(super) fn touched(call: &Call<'_>, table: Table<'_>, values: &mut Values) {
    set(table, values, "modifiedonbehalfby", on_behalf(call));
    set(table, values, "modifiedon", Cell::Moment(call.now()));
    set(table, values, "modifiedby", store::id(&call.principal.id));
}

/// Gives a column a value, if the table has it.
fn set(table: Table<'_>, values: &mut Values, name: &str, cell: Cell) {
    if let Some(column) = table.column(name).filter(|column| column.kind() != Kind::Virtual) {
        values.set(column.ordinal(), cell);
    }
}

/// Who really called, where one user acts as another.
fn on_behalf(call: &Call<'_>) -> Cell {
    call.principal.by.as_ref().map_or(Cell::Null, |caller| store::id(&caller.id))
}

/// Columns that follow from others, of a row that is about to be written.
pub(super) fn derive(
    (rows, transaction): (&Snapshot, &Transaction),
    table: Table<'_>,
    before: Option<&Row>,
    values: &mut Values,
) {
    amounts(rows, table, before, values);
    for column in table.columns() {
        match column.computed() {
            Some("fullname") => {
                let name = joined(table, before, values, &["firstname", "lastname"], " ");
                values.set(column.ordinal(), text(&name));
            }
            Some("address") => {
                let composite = address(table, column, before, values);
                values.set(column.ordinal(), text(&composite));
            }
            Some("derived") => derived(transaction, column, before, values),
            _ => {}
        }
    }
}

/// A text; nothing of an empty one.
fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Null } else { Cell::text(text) }
}

/// The value a column will have.
fn will_be(column: Column<'_>, before: Option<&Row>, values: &Values) -> Cell {
    match (values.get(column.ordinal()), before) {
        (Some(cell), _) => cell.clone(),
        (None, Some(row)) => row.value(column).to_cell(),
        (None, None) => column.default().unwrap_or_default().to_cell(),
    }
}

fn joined(table: Table<'_>, before: Option<&Row>, values: &Values, names: &[&str], between: &str) -> String {
    let part = |name: &&str| {
        let cell = table.column(name).map(|column| will_be(column, before, values))?;
        cell.as_ref().as_text().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    names.iter().filter_map(part).collect::<Vec<_>>().join(between)
}

/// The lines of an address in one text, as an organisation in English (United States) writes them.
fn address(table: Table<'_>, column: Column<'_>, before: Option<&Row>, values: &Values) -> String {
    let prefix = column.name().trim_end_matches("composite");
    let part = |name: &str| joined(table, before, values, &[&format!("{prefix}{name}")], "");
    let region = [part("stateorprovince"), part("postalcode")];
    let region = region.iter().filter(|one| !one.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let place = [part("city"), region];
    let place = place.iter().filter(|one| !one.is_empty()).cloned().collect::<Vec<_>>().join(", ");
    let lines = [part("line1"), part("line2"), part("line3"), place, part("country")];
    lines.iter().filter(|one| !one.is_empty()).cloned().collect::<Vec<_>>().join("\r\n")
}

/// The account, or the contact, that a contact's customer is.
fn derived(transaction: &Transaction, column: Column<'_>, before: Option<&Row>, values: &mut Values) {
    let Some(customer) = column.table().column("parentcustomerid") else { return };
    let id = will_be(customer, before, values);
    let there = |table: Table<'_>| {
        let found = transaction.get(table, 0, &Key::of([id.as_ref()]));
        found.is_ok_and(|row| row.is_some())
    };
    let leads = !id.is_null() && column.lookups().any(|relationship| there(relationship.to()));
    values.set(column.ordinal(), if leads { id } else { Cell::Null });
}

/// The currency of a row with money, its rate, and its amounts in the base currency.
fn amounts(rows: &Snapshot, table: Table<'_>, before: Option<&Row>, values: &mut Values) {
    let Some(currency) = table.column("transactioncurrencyid") else { return };
    if table.set() == "transactioncurrencies" {
        return;
    }
    let base = |column: &Column<'_>| column.computed() == Some("base");
    let money = || table.columns().filter(|column| column.kind() == Kind::Money);
    let amount = |values: &Values, column: Column<'_>| match will_be(column, before, values) {
        Cell::Decimal(amount) => Some(amount),
        _ => None,
    };
    let has_money = money().filter(|column| !base(column)).any(|column| amount(values, column).is_some());
    if !has_money && will_be(currency, before, values).is_null() {
        return;
    }
    if will_be(currency, before, values).is_null()
        && let Some(own) = base_currency(rows)
    {
        values.set(currency.ordinal(), own);
    }
    let rate = rate(rows, will_be(currency, before, values).as_ref());
    if let Some(column) = table.column("exchangerate") {
        values.set(column.ordinal(), Cell::Decimal(rate));
    }
    for column in money().filter(base) {
        let of = table.column(column.name().trim_end_matches("_base"));
        let own = of.and_then(|of| amount(values, of));
        let divided = own.and_then(|own| Decimal::from_double(own.to_double() / rate.to_double()));
        let exact = if rate == Decimal::from_whole(1) { own } else { divided };
        values.set(column.ordinal(), exact.map_or(Cell::Null, |amount| Cell::Decimal(amount.rounded(4))));
    }
}

/// The organisation's own currency: US dollars, or the first there is.
fn base_currency(rows: &Snapshot) -> Option<Cell> {
    let table = rows.schema().by_set("transactioncurrencies")?;
    let (id, code) = (table.id()?, table.column("isocurrencycode")?);
    let dollars = |row: &&Row| row.value(code).as_text() == Some("USD");
    let row = rows.all(table).find(dollars).or_else(|| rows.all(table).next())?;
    Some(row.value(id).to_cell())
}

/// How much of a currency is worth one of the base currency.
fn rate(rows: &Snapshot, currency: CellRef<'_>) -> Decimal {
    let found = || {
        let table = rows.schema().by_set("transactioncurrencies")?;
        let row = rows.get(table, &Key::of([currency]))?;
        match row.value(table.column("exchangerate")?) {
            CellRef::Decimal(rate) if rate > Decimal::ZERO => Some(rate),
            _ => None,
        }
    };
    found().unwrap_or(Decimal::from_whole(1))
}
