//! Numbers that the product draws for a record which comes without one.
//!
//! Decides how a number looks (the company in capitals where a pattern has `DAT`, then digits) and which is next: that behind as
//! many records as there are, or the first free one above. The product's number sequences are set up by people, per company, and
//! may skip; that they begin at 1 here is a choice. Never decides that a number is free: whoever reserves the record finds out.

use mocktenant_schema::{Cell, CellRef};
use mocktenant_tables::{Key, Snapshot, TableError, Transaction, Values};

use super::values::is_blank;
use super::{Entity, Member, Notes};

/// Where a pattern has the company.
const COMPANY_IN: &str = "DAT";

/// The key column whose number has to be drawn.
pub(super) fn open_key<'s>(entity: Entity<'s>, values: &Values) -> Option<Member<'s>> {
    entity.key().find(|column| column.note("drawn").is_some() && is_blank(values.value(*column)))
}

/// Draws numbers that are no part of the key: a party has one, whichever entity it is of. The number of the next change is one
/// that no other record has.
pub(super) fn draw_others(entity: Entity<'_>, values: &mut Values, snapshot: &Snapshot) {
    for column in entity.columns() {
        let Some(pattern) = column.note("drawn").filter(|_| is_blank(values.value(column))) else { continue };
        if entity.key().any(|part| part == column) {
            continue;
        }
        let number = number(pattern, entity, values, snapshot.version().saturating_add(1));
        values.set(column.ordinal(), Cell::text(number));
    }
}

/// Draws the number of a key, from the `from`th on; gives its place, to go on behind it.
pub(super) fn draw_key(
    entity: Entity<'_>,
    column: Member<'_>,
    values: &mut Values,
    transaction: &Transaction,
    from: u64,
) -> Result<u64, TableError> {
    let pattern = column.note("drawn").unwrap_or_default();
    let mut at = from;
    loop {
        values.set(column.ordinal(), Cell::text(number(pattern, entity, values, at)));
        let key = Key::of(entity.key().map(|part| values.value(part)));
        if transaction.get(entity, 0, &key)?.is_none() {
            return Ok(at);
        }
        at = at.saturating_add(1);
    }
}

/// `DAT-000000` as the seventh number of the company usmf: `USMF-000007`.
fn number(pattern: &str, entity: Entity<'_>, values: &Values, at: u64) -> String {
    let company = entity.company().map(|column| values.value(column)).and_then(CellRef::as_text);
    let (begin, width) = match pattern.strip_prefix(COMPANY_IN) {
        Some(rest) => {
            let digits = rest.chars().filter(char::is_ascii_digit).count();
            let between: String = rest.chars().filter(|letter| !letter.is_ascii_digit()).collect();
            (format!("{}{between}", company.unwrap_or(COMPANY_IN).to_uppercase()), digits)
        }
        None => (String::new(), pattern.len()),
    };
    format!("{begin}{at:0width$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SCHEMA;

    #[test]
    fn a_number_has_the_company_in_capitals_and_as_many_digits_as_its_pattern() {
        let customers = SCHEMA.by_set("CustomersV3").unwrap();
        let values =
            Values::from_iter([(customers.column("dataAreaId").unwrap().ordinal(), Cell::text("usmf"))]);
        assert_eq!(number("DAT-000000", customers, &values, 7), "USMF-000007");
        assert_eq!(number("000000000", customers, &values, 12), "000000012");
        assert_eq!(number("DAT-000000", customers, &values, 1_234_567), "USMF-1234567");
    }
}
