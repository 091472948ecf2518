//! Values as a person reads them: the `FormattedValue` annotations.
//!
//! Decides the text of choices, states, yes and no, numbers, money and dates, as an organisation in English (United States)
//! writes them, in the time zone of whoever asks. Never decides whether a request asks for them.
//! Names of related rows are `representation`'s.

use mocktenant_schema::moment::{civil, split};
use mocktenant_schema::{CellRef, Column, Decimal, Kind};
use mocktenant_tables::{At, Key, Snapshot};
use mocktenant_world::Zone;

use crate::tables;

/// What a currency without a symbol of its own and a precision has: the base currency's.
const BASE: (&str, u8) = ("$", 2);

/// The formatted value of a column for somebody in a time zone; `None` where it has none.
pub(crate) fn value(
    rows: &Snapshot,
    column: Column<'_>,
    at: At<'_>,
    cell: CellRef<'_>,
    zone: &Zone,
) -> Option<String> {
    let table = column.table();
    match (column.kind(), cell) {
        (Kind::Choice, CellRef::Whole(value)) => Some(column.choices()?.of(value)?.text().to_owned()),
        (Kind::State, CellRef::Whole(value)) => {
            table.states().find(|state| state.value() == value).map(|state| state.label().to_owned())
        }
        (Kind::Status, CellRef::Whole(value)) => {
            let mut all = table.states().flat_map(mocktenant_schema::State::statuses);
            all.find(|status| status.value() == value).map(|status| status.text().to_owned())
        }
        (Kind::Flag, CellRef::Flag(flag)) => {
            let own = column.choices().and_then(|choices| choices.of(i64::from(flag)));
            Some(own.map_or(if flag { "Yes" } else { "No" }, |choice| choice.text()).to_owned())
        }
        (Kind::Money, CellRef::Decimal(amount)) => Some(money(amount, &currency(rows, at))),
        (Kind::Decimal, CellRef::Decimal(number)) => Some(grouped(&number.fixed(column.precision()))),
        (Kind::Whole | Kind::Big | Kind::Version, CellRef::Whole(number)) => {
            Some(grouped(&number.to_string()))
        }
        (Kind::Moment, CellRef::Moment(moment)) => {
            let local = zone.local(moment);
            Some(if column.format() == "date_only" { day(split(local).0) } else { instant(local) })
        }
        (Kind::Day, CellRef::Day(number)) => Some(day(number)),
        _ => None,
    }
}

/// `4/18/2023`.
fn day(number: i32) -> String {
    let (year, month, day) = civil(number);
    format!("{month}/{day}/{year}")
}

/// `4/18/2023 1:00 PM`.
fn instant(moment: i64) -> String {
    let (number, second) = split(moment);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!("{} {hour}:{minute:02} {half}", day(number))
}

/// Symbol and precision of the row's currency.
fn currency(rows: &Snapshot, at: At<'_>) -> (String, u8) {
    let found = || {
        let table = rows.schema().at(at.table)?;
        let id = at.row.value(table.column("transactioncurrencyid")?);
        let currencies = rows.schema().by_set("transactioncurrencies")?;
        let row = rows.get(currencies, &Key::of([id]))?;
        let symbol = row.value(currencies.column("currencysymbol")?).as_text().unwrap_or(BASE.0).to_owned();
        let precision = row.value(currencies.column("currencyprecision")?).as_whole();
        Some((
            symbol,
            precision.and_then(|digits| u8::try_from(digits).ok()).map_or(BASE.1, |one| one.min(10)),
        ))
    };
    found().unwrap_or_else(|| (BASE.0.to_owned(), BASE.1))
}

/// `$80,000.00`; what is owed stands in parentheses.
pub(crate) fn money(amount: Decimal, (symbol, precision): &(String, u8)) -> String {
    let digits = amount.fixed(*precision);
    let owed = digits.strip_prefix('-');
    let text = format!("{symbol}{}", grouped(owed.unwrap_or(&digits)));
    if owed.is_some() { format!("({text})") } else { text }
}

/// A number with a comma between thousands.
pub(crate) fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 2);
    text.push_str(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// What a lookup's row is called: the name of the row it leads to, and how.
pub(crate) struct Named<'s> {
    pub(crate) navigation: &'s str,
    pub(crate) table: &'s str,
    pub(crate) name: Option<String>,
}

/// The row that a lookup leads to, among all tables it may lead to.
pub(crate) fn named<'s>(rows: &'s Snapshot, column: Column<'s>, cell: CellRef<'_>) -> Option<Named<'s>> {
    let mut first = None;
    for relationship in column.lookups() {
        let target = relationship.to();
        let found = rows.get(target, &Key::of([cell]));
        let name = found.and_then(|row| target.name_column().map(|column| row.value(column)));
        let name = name.map(|name| name.as_text().unwrap_or_default().to_owned());
        let one = Named { navigation: relationship.navigation(), table: target.name(), name };
        if found.is_some() {
            return Some(one);
        }
        first.get_or_insert(one);
    }
    first
}

/// Whether a column's value is computed from a currency.
pub(crate) fn is_amount(column: Column<'_>) -> bool {
    column.kind() == Kind::Money
        && column.table().column("transactioncurrencyid").is_some_and(tables::is_shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_its_symbol_its_groups_and_its_fraction() {
        let dollars = ("$".to_owned(), 2);
        for (amount, text) in [
            ("80000", "$80,000.00"),
            ("5000000.5", "$5,000,000.50"),
            ("999", "$999.00"),
            ("0", "$0.00"),
            ("-1234.5", "($1,234.50)"),
        ] {
            assert_eq!(money(Decimal::parse(amount).unwrap(), &dollars), text);
        }
        assert_eq!(money(Decimal::from_whole(1_000), &("¥".to_owned(), 0)), "¥1,000");
        assert_eq!(grouped("2819170"), "2,819,170");
        assert_eq!(grouped("-950"), "-950");
    }

    #[test]
    fn a_moment_is_read_as_an_american_reads_it() {
        let moment = |text| mocktenant_schema::moment::parse_moment(text).unwrap();
        assert_eq!(instant(moment("2023-04-18T13:05:00Z")), "4/18/2023 1:05 PM");
        assert_eq!(instant(moment("2023-12-01T00:00:00+01:00")), "11/30/2023 11:00 PM");
        assert_eq!(instant(moment("2023-12-01T00:30:00Z")), "12/1/2023 12:30 AM");
    }
}
