//! Delete rules where several meet, where a column is never null, and where rows of one table lead to each other.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::sync::Arc;

use common::{insert, schema, schema_with, values};
use mocktenant_query::{Hop, Rows as _};
use mocktenant_schema::{Cell, CellRef, Guid, Schema, Table, Unset};
use mocktenant_tables::{At, Database, Key, Limits, Precondition, Reserved, TableError, Transaction};

struct Rows {
    database: Database,
    schema: Arc<Schema>,
}

impl Rows {
    fn of(schema: Arc<Schema>) -> Self {
        Self { database: Database::new(Arc::clone(&schema), Limits::default()), schema }
    }

    fn table(&self, name: &str) -> Table<'_> {
        self.schema.table(name).unwrap()
    }

    fn put<'c>(&self, table: &str, cells: impl IntoIterator<Item = (&'c str, Cell)>) {
        let table = self.table(table);
        insert(Transaction::begin(&self.database), table, values(table, cells));
    }

    fn delete(&self, table: &str, key: &Key) -> Result<usize, TableError> {
        let mut transaction = Transaction::begin(&self.database);
        let gone: Vec<Reserved> =
            transaction.reserve_deletion(self.table(table), key, Precondition::MustExist, 100)?;
        transaction.commit().unwrap();
        Ok(gone.len())
    }

    fn value(&self, table: &str, key: &Key, column: &str) -> Cell {
        let (snapshot, table) = (self.database.snapshot(), self.table(table));
        snapshot.get(table, key).unwrap().value(table.column(column).unwrap()).to_cell()
    }
}

fn id(row: u8) -> Guid {
    Guid::from_bytes([row; 16])
}

fn key(row: u8) -> Key {
    Key::of([CellRef::Id(id(row))])
}

fn text_key(text: &str) -> Key {
    Key::of([CellRef::Text(text)])
}

#[test]
fn a_link_that_is_removed_leaves_what_the_column_holds_without_a_value() {
    let tables = "
group:
  key: [code]
  columns: {code: text, number: whole}
member:
  key: [name]
  columns: {name: text, code: {type: text, default: '10'}, number: whole, at: moment}
  relationships:
    member_group: {to: group, columns: {code: code, number: number}, delete: remove_link}
";
    for (unset, text, number) in
        [(Unset::Empty, Cell::text(""), Cell::Whole(0)), (Unset::Null, Cell::Null, Cell::Null)]
    {
        let rows = Rows::of(schema_with(tables, unset));
        rows.put("group", [("code", Cell::text("20")), ("number", Cell::Whole(7))]);
        rows.put(
            "member",
            [("name", Cell::text("Ada")), ("code", Cell::text("20")), ("number", Cell::Whole(7))],
        );
        assert_eq!(rows.delete("group", &text_key("20")), Ok(1));
        let value = |column| rows.value("member", &text_key("Ada"), column);
        // never the default: that is a new row's
        assert_eq!((value("code"), value("number")), (text, number));
    }
}

#[test]
fn what_keeps_a_row_there_does_so_though_it_would_go_along_whichever_rule_is_written_first() {
    let restrict = "kept: {type: lookup, to: {account: {delete: restrict}}}";
    let cascade = "taken: {type: lookup, to: {account: {delete: cascade}}}";
    for rules in [[restrict, cascade], [cascade, restrict]] {
        let tables = format!(
            "
account:
  columns: {{accountid: id, parent: {{type: lookup, to: {{account: {{delete: cascade}}}}}}}}
order:
  columns:
    orderid: id
    {}
    {}
",
            rules[0], rules[1]
        );
        let rows = Rows::of(schema(&tables));
        let restricted = Err(TableError::Restricted {
            table: "account".into(),
            by: "order".into(),
            relationship: "order_kept".into(),
        });
        rows.put("account", [("accountid", Cell::Id(id(1)))]);
        rows.put("account", [("accountid", Cell::Id(id(2))), ("parent", Cell::Id(id(1)))]);
        let order = |row, kept, taken| {
            let cells = [("orderid", Cell::Id(id(row))), ("kept", kept), ("taken", taken)];
            rows.put("order", cells);
        };
        order(10, Cell::Id(id(1)), Cell::Id(id(1)));
        assert_eq!(rows.delete("account", &key(1)), restricted, "by both rules at once");
        rows.delete("order", &key(10)).unwrap();
        order(11, Cell::Id(id(2)), Cell::Id(id(1)));
        assert_eq!(rows.delete("account", &key(1)), restricted, "gone with one, and keeps another that goes");
        rows.delete("order", &key(11)).unwrap();
        order(12, Cell::Null, Cell::Id(id(2)));
        assert_eq!(rows.delete("account", &key(1)), Ok(3));
    }
}

#[test]
fn no_row_keeps_itself_and_the_one_that_was_asked_to_go_keeps_nobody() {
    let rows = Rows::of(schema(
        "
account:
  columns:
    accountid: id
    parent: {type: lookup, to: {account: {delete: cascade}}}
    payer: {type: lookup, to: {account: {delete: restrict}}}
",
    ));
    let account = |row, parent, payer| {
        let cells = [("accountid", Cell::Id(id(row))), ("parent", parent), ("payer", payer)];
        rows.put("account", cells);
    };
    account(1, Cell::Null, Cell::Id(id(1)));
    assert_eq!(rows.delete("account", &key(1)), Ok(1));
    // the first is paid for by one that goes along with it
    account(2, Cell::Null, Cell::Id(id(3)));
    account(3, Cell::Id(id(2)), Cell::Id(id(3)));
    assert_eq!(rows.delete("account", &key(2)), Ok(2));
    // behind those two another one does
    account(5, Cell::Null, Cell::Id(id(6)));
    account(6, Cell::Id(id(5)), Cell::Id(id(6)));
    account(7, Cell::Null, Cell::Id(id(6)));
    let kept = TableError::Restricted {
        table: "account".into(),
        by: "account".into(),
        relationship: "account_payer".into(),
    };
    assert_eq!(rows.delete("account", &key(5)), Err(kept));
    rows.delete("account", &key(7)).unwrap();
    assert_eq!(rows.delete("account", &key(5)), Ok(2));
}

#[test]
fn rows_of_one_table_lead_to_many_of_the_same_by_two_lookups() {
    let rows = Rows::of(schema(
        "
product:
  columns: {productid: id}
  relationships:
    substitutes: {to: product, through: substitute, navigation: substitutes, back: substituted}
substitute:
  columns:
    substituteid: id
    for: {type: lookup, to: {product: {delete: cascade}}}
    by: {type: lookup, to: {product: {delete: cascade}}}
",
    ));
    for product in [1, 2, 3] {
        rows.put("product", [("productid", Cell::Id(id(product)))]);
    }
    for (link, one, other) in [(11, 1, 2), (12, 1, 3), (13, 3, 2)] {
        let cells = [("substituteid", link), ("for", one), ("by", other)];
        rows.put("substitute", cells.map(|(column, row)| (column, Cell::Id(id(row)))));
    }
    let related = |row: u8, name: &str| -> Vec<u8> {
        let (snapshot, table) = (rows.database.snapshot(), rows.table("product"));
        let step = table.navigation(name).unwrap();
        let relationship = u16::try_from(step.relationship().position()).unwrap();
        let hop = Hop { relationship, back: step.is_back() };
        let row = snapshot.get(table, &key(row)).unwrap();
        let found = snapshot.related(At { table: table.position(), row }, hop);
        let own = table.id().unwrap();
        let all = (1..=3).filter(|one| found.iter().any(|at| at.row.value(own) == CellRef::Id(id(*one))));
        all.collect()
    };
    assert_eq!((related(1, "substitutes"), related(1, "substituted")), (vec![2, 3], vec![]));
    assert_eq!((related(2, "substitutes"), related(2, "substituted")), (vec![], vec![1, 3]));
    assert_eq!((related(3, "substitutes"), related(3, "substituted")), (vec![2], vec![1]));
    assert_eq!(rows.delete("product", &key(3)), Ok(3), "with the links of both its sides");
    assert_eq!((related(1, "substitutes"), related(2, "substituted")), (vec![2], vec![1]));
}

#[test]
fn a_property_back_to_one_leads_to_the_first_by_its_key() {
    let rows = Rows::of(schema(
        "
currency:
  key: [code]
  columns: {code: text}
rate:
  key: [number]
  columns: {number: whole, code: text}
  relationships:
    rate_currency: {to: currency, columns: {code: code}, navigation: currency, back: rate, single: true}
",
    ));
    rows.put("currency", [("code", Cell::text("EUR"))]);
    rows.put("currency", [("code", Cell::text("USD"))]);
    for number in [3, 1, 2] {
        rows.put("rate", [("number", Cell::Whole(number)), ("code", Cell::text("eur"))]);
    }
    let (snapshot, table) = (rows.database.snapshot(), rows.table("currency"));
    let step = table.navigation("rate").unwrap();
    assert!(!step.is_many() && step.is_back());
    let relationship = u16::try_from(step.relationship().position()).unwrap();
    let hop = Hop { relationship, back: true };
    let number = rows.table("rate").column("number").unwrap();
    let followed = |code: &str| {
        let row = snapshot.get(table, &text_key(code)).unwrap();
        let found = snapshot.sight().follow(At { table: table.position(), row }, hop);
        found.map(|at| at.row.value(number).to_cell())
    };
    assert_eq!(followed("EUR"), Some(Cell::Whole(1)));
    assert_eq!(followed("USD"), None);
}
