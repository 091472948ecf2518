//! Values as a person reads them: the `FormattedValue` annotations.
//!
//! Decides the text of choices, states, yes and no, money and dates, as an organisation in English (United States) writes
//! them; times are UTC, which is what application users have (inferred). Never decides whether a request asks for them.
//! Names of related rows are `representation`'s.

use mocktenant_tables::{Key, Row};
use serde_json::Value;
use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::payload::day;
use crate::schema::{Column, Kind, Table, by_set};
use crate::store::Reader;

/// What a currency without a symbol of its own and a precision has: the base currency's.
const BASE: (&str, usize) = ("$", 2);

/// The formatted value of a column; `None` where it has none.
pub(crate) fn value(
    reader: &Reader<'_>,
    table: &Table,
    column: &Column,
    row: &Row,
    value: &Value,
) -> Option<String> {
    match column.kind {
        Kind::Choice(options) => label(options, value.as_i64()?),
        Kind::State => table.state(value.as_i64()?).map(|state| state.label.to_owned()),
        Kind::Status => {
            let status = value.as_i64()?;
            table.states.iter().find_map(|state| label(state.statuses, status))
        }
        Kind::Flag => Some(if value.as_bool()? { "Yes" } else { "No" }.to_owned()),
        Kind::Money => money(value, currency(reader, row)),
        Kind::Moment => moment(value.as_str()?),
        Kind::Day => {
            let format = format_description!("[month padding:none]/[day padding:none]/[year]");
            day(value.as_str()?)?.format(format).ok()
        }
        _ => None,
    }
}

fn label(options: &[(i64, &str)], value: i64) -> Option<String> {
    options.iter().find(|(option, _)| *option == value).map(|(_, label)| (*label).to_owned())
}

/// `4/18/2023 1:00 PM`.
fn moment(text: &str) -> Option<String> {
    let format = format_description!(
        "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute] [period]"
    );
    OffsetDateTime::parse(text, &Rfc3339).ok()?.to_offset(UtcOffset::UTC).format(format).ok()
}

/// Symbol and precision of the row's currency.
fn currency(reader: &Reader<'_>, row: &Row) -> (String, usize) {
    let found = || {
        let id = row.text("_transactioncurrencyid_value")?;
        let currency = reader.table(by_set("transactioncurrencies")?).get(&Key::text(id))?.clone();
        let symbol = currency.text("currencysymbol").unwrap_or(BASE.0).to_owned();
        let precision = currency.get("currencyprecision").and_then(Value::as_u64);
        Some((
            symbol,
            precision.and_then(|digits| usize::try_from(digits).ok()).map_or(BASE.1, |digits| digits.min(10)),
        ))
    };
    found().unwrap_or_else(|| (BASE.0.to_owned(), BASE.1))
}

/// `$80,000.00`; what is owed stands in parentheses.
fn money(value: &Value, (symbol, precision): (String, usize)) -> Option<String> {
    let amount = value.as_f64()?;
    let digits = format!("{:.precision$}", amount.abs());
    let (whole, fraction) = digits.split_once('.').map_or((digits.as_str(), None), |(a, b)| (a, Some(b)));
    let mut grouped = String::with_capacity(whole.len() * 4 / 3 + 1);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction = fraction.map(|digits| format!(".{digits}")).unwrap_or_default();
    let text = format!("{symbol}{grouped}{fraction}");
    Some(if amount < 0.0 { format!("({text})") } else { text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn money_has_its_symbol_its_groups_and_its_fraction() {
        let dollars = || ("$".to_owned(), 2);
        for (amount, text) in [
            (json!(80_000), "$80,000.00"),
            (json!(5_000_000.5), "$5,000,000.50"),
            (json!(999), "$999.00"),
            (json!(0), "$0.00"),
            (json!(-1_234.5), "($1,234.50)"),
        ] {
            assert_eq!(money(&amount, dollars()).as_deref(), Some(text));
        }
        assert_eq!(money(&json!(1_000), ("¥".to_owned(), 0)).as_deref(), Some("¥1,000"));
    }

    #[test]
    fn a_moment_is_read_as_an_american_reads_it() {
        assert_eq!(moment("2023-04-18T13:05:00Z").as_deref(), Some("4/18/2023 1:05 PM"));
        assert_eq!(moment("2023-12-01T00:00:00+01:00").as_deref(), Some("11/30/2023 11:00 PM"));
        assert_eq!(moment("x"), None);
    }
}
