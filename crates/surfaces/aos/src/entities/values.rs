//! Values of columns in JSON: what a body may put into one, and how one is answered.
//!
//! Decides how a value that was sent is held (a day at whatever hour it came, a text cut to its column's length) and which are
//! refused; and the form in which each is answered. Never decides whether a value makes sense. Mirrors the product's mapping of its
//! own types to those of OData: a column is never null, but for an enumeration that has no member of the value 0.

use std::borrow::Cow;

use mocktenant_odata::Literal;
use mocktenant_schema::moment::{DAY, day_text, moment_text, parse_moment};
use mocktenant_schema::value::{Rule, day_of, read};
use mocktenant_schema::{Cell, CellRef, Choice, Choices, Kind};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::{Member, NAMESPACE, names_a_company};

/// The value as a row holds it; `None` for what is not of the column's type. Null is what the column holds unset.
pub(super) fn take(column: Member<'_>, value: &Value) -> Option<Cell> {
    if value.is_null() {
        return Some(column.default().unwrap_or_default().to_cell());
    }
    match column.kind() {
        Kind::Choice => {
            let member = column.choices()?.named(value.as_str()?)?;
            Some(Cell::Whole(member.value()))
        }
        Kind::Day => {
            let moment = value.as_str().filter(|text| text.len() > "2026-07-14".len())?;
            Some(Cell::Day(day_of(parse_moment(moment)?)))
        }
        _ => match read(column, value) {
            Ok(Cell::Text(text)) if names_a_company(column) => Some(Cell::text(text.to_lowercase())),
            Ok(cell) => Some(cell),
            // Lengths are nowhere in `$metadata`, and defaults are cut without a word. [inferred: no capture]
            Err(violation) if violation.rule == Rule::Length => {
                Some(Cell::text(begin(value.as_str()?, column.length())))
            }
            Err(_) => None,
        },
    }
}

/// The first characters of a text, in UTF-16 units as the product counts them; 0: all of it.
pub(super) fn begin(text: &str, most: u32) -> &str {
    let mut left = most as usize;
    let end = text.char_indices().find(|(_, letter)| match left.checked_sub(letter.len_utf16()) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    match end {
        Some((at, _)) if most > 0 => text.get(..at).unwrap_or(text),
        _ => text,
    }
}

/// A value as it is answered.
pub(super) struct Shown<'r>(pub(super) Member<'r>, pub(super) CellRef<'r>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            CellRef::Null => serializer.serialize_unit(),
            CellRef::Flag(flag) => serializer.serialize_bool(flag),
            CellRef::Whole(value) => match self.0.choices().filter(|_| self.0.kind() == Kind::Choice) {
                Some(choices) => match choices.of(value) {
                    Some(choice) => serializer.serialize_str(choice.text()),
                    None => serializer.serialize_unit(),
                },
                None => serializer.serialize_i64(value),
            },
            CellRef::Decimal(number) => match number.to_whole() {
                Some(whole) => serializer.serialize_i64(whole),
                // JSON numbers are doubles to whoever reads them, and this is the shortest text of one
                None => serializer.serialize_f64(number.to_double()),
            },
            CellRef::Double(number) => serializer.serialize_f64(number),
            CellRef::Text(text) => serializer.serialize_str(text),
            CellRef::Id(id) => serializer.collect_str(&id),
            CellRef::Moment(seconds) => serializer.serialize_str(&moment_text(seconds)),
            CellRef::Day(day) => serializer.serialize_str(&noon(day)),
        }
    }
}

/// A day travels as a moment: noon of that day.
fn noon(day: i32) -> String {
    format!("{}T12:00:00Z", day_text(day))
}

/// A value as an address spells it.
pub(super) fn spelt(column: Member<'_>, cell: CellRef<'_>) -> String {
    match cell {
        CellRef::Null => "null".to_owned(),
        CellRef::Flag(flag) => flag.to_string(),
        CellRef::Whole(value) => {
            match column.choices().and_then(|choices| Some((choices, choices.of(value)?))) {
                Some((choices, choice)) => format!("{NAMESPACE}.{}'{}'", choices.name(), choice.text()),
                None => value.to_string(),
            }
        }
        CellRef::Decimal(number) => number.to_string(),
        CellRef::Double(number) => number.to_string(),
        CellRef::Text(text) => Literal::String(text.to_owned()).to_string(),
        CellRef::Id(id) => id.to_string(),
        CellRef::Moment(seconds) => moment_text(seconds),
        CellRef::Day(day) => noon(day),
    }
}

/// A value that an address spells, as a row holds it; `None` for what is not of the column's type.
pub(super) fn of_literal(column: Member<'_>, literal: &Literal) -> Option<Cell> {
    Some(match (column.kind(), literal) {
        (Kind::Text | Kind::Memo, Literal::String(text)) => Cell::text(text.as_str()),
        (Kind::Whole | Kind::Big, Literal::Integer(whole)) => Cell::Whole(*whole),
        (Kind::Decimal, Literal::Integer(whole)) => {
            Cell::Decimal(mocktenant_schema::Decimal::from_whole(*whole))
        }
        (Kind::Decimal, Literal::Decimal(text)) => Cell::Decimal(mocktenant_schema::Decimal::parse(text)?),
        (Kind::Flag, Literal::Bool(flag)) => Cell::Flag(*flag),
        (Kind::Id, Literal::Guid(id)) => Cell::Id(*id),
        (Kind::Moment, Literal::DateTime(text)) => Cell::Moment(parse_moment(text)?),
        (Kind::Day, Literal::DateTime(text)) => Cell::Day(day_of(parse_moment(text)?)),
        (Kind::Choice, Literal::Enum { type_name, member }) => {
            let choices = column.choices()?;
            let own = type_name.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix('.'));
            Cell::Whole(choices.named(member).filter(|_| own == Some(choices.name()))?.value())
        }
        _ => return None,
    })
}

/// Whether nobody would call it a value: an empty text, nought.
pub(super) fn is_blank(cell: CellRef<'_>) -> bool {
    match cell {
        CellRef::Null => true,
        CellRef::Text(text) => text.trim().is_empty(),
        CellRef::Decimal(number) => number == mocktenant_schema::Decimal::ZERO,
        _ => false,
    }
}

/// What a body may hold, for a person.
pub(super) fn expected(column: Member<'_>) -> String {
    match column.kind() {
        Kind::Whole => "a whole number of 32 bits".to_owned(),
        Kind::Big | Kind::Version => "a whole number of 64 bits".to_owned(),
        Kind::Decimal | Kind::Money | Kind::Double => "a number".to_owned(),
        Kind::Day | Kind::Moment => "a moment as text, 2026-07-14T00:00:00Z".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Id | Kind::Lookup => "a GUID as text".to_owned(),
        Kind::Choice => column.choices().map(members).unwrap_or_default(),
        _ => "text".to_owned(),
    }
}

fn members(choices: Choices<'_>) -> String {
    /// Enough to see what is meant.
    const SHOWN: usize = 8;
    let shown: Vec<&str> = choices.all().take(SHOWN).map(Choice::text).collect();
    let more = if choices.all().len() > SHOWN { ", ..." } else { "" };
    format!("a member of {}: {}{more}", choices.name(), shown.join(", "))
}

/// The type as full metadata writes it beside a value; not for what JSON tells by itself.
pub(super) fn annotation(column: Member<'_>) -> Option<String> {
    match column.kind() {
        Kind::Decimal | Kind::Money => Some("#Decimal".to_owned()),
        Kind::Big | Kind::Version => Some("#Int64".to_owned()),
        Kind::Day | Kind::Moment => Some("#DateTimeOffset".to_owned()),
        Kind::Id | Kind::Lookup => Some("#Guid".to_owned()),
        Kind::Choice => Some(format!("#{NAMESPACE}.{}", column.choices()?.name())),
        _ => None,
    }
}

/// What a stranger sent, as a fact tells it: whole, or how much it was. A part of it might be half of a secret, which nobody
/// would recognise as one.
pub(crate) fn told(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 128;
    match text.chars().count() {
        0..=LONGEST => Cow::Borrowed(text),
        characters => Cow::Owned(format!("({characters} characters)")),
    }
}

/// A value as a fact shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", told(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// A value of a row as a fact shows it.
pub(super) fn shown_cell(column: Member<'_>, cell: CellRef<'_>) -> String {
    match cell {
        CellRef::Text(text) => format!("'{}'", told(text)),
        other => spelt(column, other),
    }
}

/// The moment a clock shows, as a cell's seconds, and its day.
pub(super) fn now_and_today(now: time::OffsetDateTime) -> (i64, i32) {
    let seconds = now.unix_timestamp();
    (seconds, i32::try_from(seconds.div_euclid(DAY)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::SCHEMA;

    fn column(name: &str) -> Member<'static> {
        SCHEMA.by_set("CustomersV3").unwrap().column(name).unwrap()
    }

    fn answered(column: Member<'_>, cell: CellRef<'_>) -> Value {
        serde_json::to_value(Shown(column, cell)).unwrap()
    }

    #[test]
    fn an_unset_column_is_never_null_but_for_an_enumeration_without_a_member_0() {
        for (name, empty) in [
            ("SalesMemo", json!("")),
            ("CreditLimit", json!(0)),
            ("ConsolidationDay", json!(0)),
            ("AddressRecordId", json!(0)),
            ("CredManCustomerSince", json!("1900-01-01T12:00:00Z")),
            ("AddressValidFrom", json!("1900-01-01T00:00:00Z")),
            ("IsOneTimeCustomer", json!("No")),
            ("AddressTimeZone", json!(null)),
        ] {
            assert_eq!(answered(column(name), column(name).default().unwrap_or_default()), empty, "{name}");
        }
    }

    #[test]
    fn a_value_is_answered_in_the_product_s_form_whichever_form_it_was_sent_in() {
        for (name, sent, held) in [
            ("CreditLimit", json!(10.0), Some(json!(10))),
            ("CreditLimit", json!(0.75), Some(json!(0.75))),
            ("CreditLimit", json!("10"), None),
            ("ConsolidationDay", json!(2_147_483_648_i64), None),
            ("ConsolidationDay", json!(7), Some(json!(7))),
            ("AddressRecordId", json!(1.5), None),
            ("CredManCustomerSince", json!("2026-07-14T23:30:00-02:00"), Some(json!("2026-07-15T12:00:00Z"))),
            ("AddressValidFrom", json!("2026-07-14T01:02:03.5+01:00"), Some(json!("2026-07-14T00:02:03Z"))),
            ("CredManCustomerSince", json!("tomorrow"), None),
            ("CredManCustomerSince", json!("2026-07-14"), None),
            ("IsOneTimeCustomer", json!("Yes"), Some(json!("Yes"))),
            ("IsOneTimeCustomer", json!("yes"), None),
            ("IsOneTimeCustomer", json!(1), None),
            ("IsOneTimeCustomer", json!(null), Some(json!("No"))),
            ("SalesMemo", json!(5), None),
            ("dataAreaId", json!("USMF"), Some(json!("usmf"))),
            ("CustomerAccount", json!("x".repeat(21)), Some(json!("x".repeat(20)))),
        ] {
            let column = column(name);
            let taken = take(column, &sent).map(|cell| answered(column, cell.as_ref()));
            assert_eq!(taken, held, "{name} {sent}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(begin("Söhne", 2), "Sö");
        assert_eq!(begin("a😀b", 2), "a");
        assert_eq!(begin("a😀b", 3), "a😀");
        assert_eq!(begin("abc", 0), "abc");
        assert_eq!(begin("abc", 3), "abc");
    }

    #[test]
    fn a_long_text_is_told_by_its_length_and_never_by_half() {
        assert_eq!(shown(&json!("much")), "'much'");
        assert_eq!(shown(&json!("é".repeat(128))).chars().count(), 130);
        assert_eq!(shown(&json!("é".repeat(129))), "'(129 characters)'");
    }

    #[test]
    fn what_would_have_been_taken_is_said_with_the_first_members() {
        assert_eq!(expected(column("IsOneTimeCustomer")), "a member of NoYes: No, Yes");
        assert!(expected(column("AddressTimeZone")).ends_with(", ..."));
    }
}
