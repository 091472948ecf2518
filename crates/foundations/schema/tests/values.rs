//! What a column takes: for each type a value that is one, and for each rule one that stands against it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::LazyLock;

use mocktenant_schema::{
    Cell, ChoiceDefinitions, Decimal, Rule, Schema, TableDefinitions, Unset, Whose, compile, value,
};
use serde_json::{Value, json};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let tables = json!({"row": {
        "states": {"0": {"label": "Active", "statuses": {"1": "Active"}}, "1": {"label": "Inactive", "statuses": {"2": "Inactive"}}},
        "columns": {
            "rowid": "id", "text": {"type": "text", "length": 3}, "memo": {"type": "memo", "length": 3}, "endless": "text",
            "whole": "whole", "ranged": {"type": "whole", "least": -1, "most": 5}, "big": "big",
            "decimal": {"type": "decimal", "least": 0, "most": 10, "precision": 2}, "money": {"type": "money", "precision": 2, "most": 100},
            "double": {"type": "double", "least": 0, "most": 1}, "flag": "flag",
            "choice": {"type": "choice", "options": {"1": "One", "7": "Seven"}}, "statecode": "state", "statuscode": "status",
            "lookup": {"type": "lookup", "to": "row"}, "moment": "moment", "day": "day", "binary": "binary", "virtual": "virtual"
        }
    }});
    let tables: TableDefinitions = serde_json::from_value(tables).unwrap();
    compile(&Schema::default(), &tables, &ChoiceDefinitions::new(), (Whose::Product, Unset::Null)).unwrap()
});

fn read(column: &str, value: &Value) -> Result<Cell, Rule> {
    let column = SCHEMA.table("row").unwrap().column(column).unwrap();
    value::read(column, value).map_err(|violation| {
        assert_eq!((violation.column, &violation.value), (column, value), "the violation names both");
        violation.rule
    })
}

const ID: &str = "c0117050-0000-4000-8000-000000000001";

#[test]
fn a_value_of_another_type_is_no_value() {
    let others = [json!(true), json!(1), json!(1.5), json!("x"), json!([]), json!({})];
    for (column, taken) in [
        ("text", &[3][..]),
        ("memo", &[3]),
        ("whole", &[1]),
        ("big", &[1]),
        ("decimal", &[1, 2]),
        ("money", &[1, 2]),
        ("double", &[1]),
        ("flag", &[0]),
        ("choice", &[1]),
        ("statecode", &[1]),
        ("statuscode", &[1]),
        ("rowid", &[]),
        ("lookup", &[]),
        ("moment", &[]),
        ("day", &[]),
        ("binary", &[3]),
        ("virtual", &[]),
    ] {
        for (at, value) in others.iter().enumerate() {
            let found = read(column, value);
            match taken.contains(&at) {
                true => assert!(found.is_ok(), "{column} {value}: {found:?}"),
                // a double of 1.5 is one, and out of its range
                false if column == "double" && at == 2 => assert_eq!(found, Err(Rule::Range)),
                false => assert_eq!(found, Err(Rule::Type), "{column} {value}"),
            }
        }
        assert_eq!(read(column, &Value::Null), Ok(Cell::Null), "{column}");
    }
    for text in
        [ID, "{c0117050-0000-4000-8000-000000000001}", "c0117050", "2026-01-01", "2026-13-01T00:00:00Z"]
    {
        assert_eq!(read("lookup", &json!(text)).is_ok(), text == ID, "{text}");
        assert_eq!(read("day", &json!(text)).is_ok(), text == "2026-01-01", "{text}");
        assert_eq!(read("moment", &json!(text)), Err(Rule::Type), "{text}");
    }
    assert!(read("moment", &json!("2026-01-01T00:00:00Z")).is_ok());
    for wide in [i64::from(i32::MAX) + 1, i64::from(i32::MIN) - 1] {
        for column in ["whole", "choice", "statuscode"] {
            assert_eq!(read(column, &json!(wide)), Err(Rule::Type), "{column} {wide}");
        }
        assert_eq!(read("big", &json!(wide)), Ok(Cell::Whole(wide)));
    }
}

#[test]
fn a_text_has_so_many_units_of_utf_16_and_no_more() {
    for column in ["text", "memo"] {
        for (text, fits) in [
            ("", true),
            ("abc", true),
            ("äöü", true),
            ("a\u{1f600}", true),
            ("abcd", false),
            ("äöüß", false),
            ("\u{1f600}\u{1f600}", false),
        ] {
            let found = read(column, &json!(text));
            assert_eq!(found, if fits { Ok(Cell::text(text)) } else { Err(Rule::Length) }, "{column} {text}");
        }
    }
    assert!(read("endless", &json!("x".repeat(100_000))).is_ok(), "where none is declared there is no bound");
}

#[test]
fn a_number_lies_within_its_range_ends_included() {
    for (column, inside, outside) in [
        ("ranged", [json!(-1), json!(5)], [json!(-2), json!(6)]),
        ("decimal", [json!(0), json!(10)], [json!(-0.001), json!(10.001)]),
        ("money", [json!(-900_000_000), json!(100)], [json!(-1_000_000_000_000_000_i64), json!(100.01)]),
        ("double", [json!(0.0), json!(1.0)], [json!(-0.001), json!(1.001)]),
    ] {
        for value in inside {
            assert!(read(column, &value).is_ok(), "{column} {value}");
        }
        for value in outside {
            assert_eq!(read(column, &value), Err(Rule::Range), "{column} {value}");
        }
    }
    assert_eq!(read("money", &json!(1e300)), Err(Rule::Range), "more than a column holds");
}

#[test]
fn a_number_is_rounded_to_the_digits_of_its_column() {
    let decimal = |text: &str| Ok(Cell::Decimal(Decimal::parse(text).unwrap()));
    for column in ["decimal", "money"] {
        assert_eq!(read(column, &json!(1.005)), decimal("1.01"), "{column}");
        assert_eq!(read(column, &json!(1.004)), decimal("1"), "{column}");
        assert_eq!(read(column, &json!(2)), decimal("2"), "{column}");
    }
}

#[test]
fn a_choice_is_one_of_those_there_are() {
    for (column, offered, others) in [("choice", [1, 7], [0, 2, 8]), ("statecode", [0, 1], [-1, 2, 100])] {
        for value in offered {
            assert_eq!(read(column, &json!(value)), Ok(Cell::Whole(value)), "{column} {value}");
        }
        for value in others {
            assert_eq!(read(column, &json!(value)), Err(Rule::Choice), "{column} {value}");
        }
    }
}
