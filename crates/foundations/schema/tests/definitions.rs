//! Definitions that do not hold together: each is refused by where it is and by what is wrong, and none takes long.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::{Duration, Instant};

use mocktenant_schema::{ChoiceDefinitions, Schema, TableDefinitions, Unset, Whose, compile};
use serde_json::{Map, Value, json};

/// A build without optimisation on a busy machine.
const SOON: Duration = Duration::from_secs(60);

fn definitions(tables: Value) -> TableDefinitions {
    serde_json::from_value(tables).unwrap()
}

fn product() -> Schema {
    let tables = json!({
        "account": {"columns": {
            "accountid": "id", "name": {"type": "text", "length": 10}, "parentid": {"type": "lookup", "to": "account"}
        }},
        "contact": {"columns": {"contactid": "id", "code": "whole"}},
        "pair": {"key": ["left", "right"], "columns": {"left": "id", "right": "id"}}
    });
    let whose = (Whose::Product, Unset::Null);
    compile(&Schema::default(), &definitions(tables), &ChoiceDefinitions::new(), whose).unwrap()
}

/// What is said of a declaration on top of that.
fn findings(tables: Value) -> Vec<(String, String)> {
    let began = Instant::now();
    let whose = (Whose::Declaration, Unset::Null);
    let found = compile(&product(), &definitions(tables), &ChoiceDefinitions::new(), whose).unwrap_err();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    found.into_iter().map(|one| (one.at, one.why)).collect()
}

/// A table of the name `t` with these columns beside its key.
#[expect(clippy::needless_pass_by_value, reason = "it is made where it is passed")]
fn columns(columns: Value) -> Value {
    let mut all = json!({"tid": "id"});
    all.as_object_mut().unwrap().extend(columns.as_object().unwrap().clone());
    json!({"t": {"columns": all}})
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_kind_of_wrong_definition_is_named_by_its_place() {
    let table = |more: Value| {
        let mut table = json!({"columns": {"tid": "id", "name": "text"}});
        table.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "t": table })
    };
    let long = "n".repeat(129);
    for (tables, at, why) in [
        (json!({"1t": {"columns": {"1tid": "id"}}}), "/1t", "is no name"),
        (json!({&long: {"key": ["x"], "columns": {"x": "id"}}}), format!("/{long}").as_str(), "is no name"),
        (json!({"t": {"columns": {"name": "text"}}}), "/t/key", "tid is no column"),
        (table(json!({"key": ["tid", "tid"]})), "/t/key", "tid stands there twice"),
        (table(json!({"set": "accounts"})), "/t/set", "accounts is another table's"),
        (table(json!({"set": "a b"})), "/t/set", "is no name"),
        (table(json!({"schema_name": ""})), "/t/schema_name", "is no name"),
        (table(json!({"name": "nothing"})), "/t/name", "nothing is no column"),
        (table(json!({"indexes": ["nothing"]})), "/t/indexes", "nothing is no column"),
        (
            table(json!({"keys": {"k": {"columns": ["nothing"]}}})),
            "/t/keys/k/columns",
            "nothing is no column",
        ),
        (table(json!({"keys": {"k": {"columns": []}}})), "/t/keys/k", "has no column"),
        (table(json!({"keys": {"k-k": {"columns": ["name"]}}})), "/t/keys/k-k", "is no name"),
        (table(json!({"states": {"0": {"label": "x", "statuses": {}}}})), "/t/states/0", "has no status"),
        (
            table(json!({"states": {"4294967296": {"label": "x", "statuses": {"1": "x"}}}})),
            "/t/states/4294967296",
            "is no whole number of 32 bits",
        ),
        (columns(json!({"a b": "text"})), "/t/columns/a b", "is no name"),
        (columns(json!({"a": "nothing"})), "/t/columns/a/type", "nothing is neither a type"),
        (columns(json!({"a": "choice"})), "/t/columns/a/options", "has no option"),
        (
            columns(json!({"a": {"type": "choice", "options": {"9999999999": "x"}}})),
            "/t/columns/a/options/9999999999",
            "32 bits",
        ),
        (
            columns(json!({"a": {"type": "whole", "least": 5, "most": 4}})),
            "/t/columns/a/least",
            "is above the greatest",
        ),
        (
            columns(json!({"a": {"type": "whole", "most": 1e300}})),
            "/t/columns/a/most",
            "is no number that a column can hold",
        ),
        (
            columns(json!({"a": {"type": "whole", "default": "x"}})),
            "/t/columns/a/default",
            "is no value of a column",
        ),
        (
            columns(json!({"a": {"type": "flag", "default": 1}})),
            "/t/columns/a/default",
            "is no value of a column",
        ),
        (columns(json!({"a": {"type": "lookup"}})), "/t/columns/a/to", "a lookup leads to a table"),
        (
            columns(json!({"a": {"type": "lookup", "to": "nothing"}})),
            "/t/columns/a/to/nothing",
            "there is no table",
        ),
        (
            columns(json!({"a": {"type": "lookup", "to": "pair"}})),
            "/t/columns/a/to/pair",
            "key of several columns",
        ),
        (
            columns(json!({"a": {"type": "lookup", "to": {"account": {"many": "name"}}}})),
            "/t/columns/a/to/account",
            "name is a property of the table already",
        ),
        (
            columns(json!({"a": {"type": "lookup", "to": {"contact": {"navigation": "tid"}}}})),
            "/t/columns/a/to/contact",
            "tid is a property of the table already",
        ),
        (
            table(json!({"relationships": {"r": {"to": "nothing"}}})),
            "/t/relationships/r/to",
            "there is no table",
        ),
        (
            table(json!({"relationships": {"r": {"to": "account"}}})),
            "/t/relationships/r/columns",
            "name no columns of both",
        ),
        (
            table(json!({"relationships": {"r": {"to": "account", "columns": {"x": "name"}}}})),
            "/t/relationships/r/columns",
            "x is no column of t",
        ),
        (
            table(json!({"relationships": {"r": {"to": "account", "columns": {"name": "x"}}}})),
            "/t/relationships/r/columns",
            "x is no column of account",
        ),
        (
            table(json!({"relationships": {"r": {"to": "account", "through": "nothing"}}})),
            "/t/relationships/r/through",
            "there is no table nothing",
        ),
        (
            table(json!({"relationships": {"r": {"to": "account", "through": "contact"}}})),
            "/t/relationships/r/through",
            "contact has no lookups to both",
        ),
        (
            json!({"account": {"columns": {"name": "memo"}}}),
            "/account/columns/name",
            "neither changed nor removed",
        ),
        (json!({"account": {"label": "Firm"}}), "/account", "columns can be added to it, and nothing else"),
        (json!({"account": {"keys": {"k": {"columns": ["name"]}}}}), "/account", "and nothing else"),
    ] {
        let found = findings(tables.clone());
        assert!(
            found.iter().any(|(place, said)| place == at && said.contains(why)),
            "{tables}: {at}: {why}: {found:?}"
        );
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let found = findings(json!({
        "a": {"columns": {"aid": "id", "x": "nothing"}},
        "b": {"columns": {"bid": "id", "x": {"type": "lookup", "to": "c"}}}
    }));
    let places: Vec<&str> = found.iter().map(|(at, _)| at.as_str()).collect();
    assert!(places.contains(&"/a/columns/x/type") && places.contains(&"/b/columns/x/to/c"), "{found:?}");
}

#[test]
fn what_is_no_definition_is_not_read() {
    for text in [
        r#"{"t": {"colums": {}}}"#,
        r#"{"t": {"columns": {"a": {"kind": "text"}}}}"#,
        r#"{"t": {"columns": {"a": 5}}}"#,
        r#"{"t": {"columns": {"a": {"type": "text", "length": -1}}}}"#,
        r#"{"t": {"columns": {"a": {"type": "text", "length": 4294967296}}}}"#,
        r#"{"t": {"columns": {"a": {"type": "text", "required": "perhaps"}}}}"#,
        r#"{"t": {"columns": {"a": {"type": "lookup", "to": {"account": {"delete": "all"}}}}}}"#,
        r#"{"t": {"states": {"x": {"label": "x", "statuses": {}}}}}"#,
        r#"["account"]"#,
    ] {
        assert!(serde_json::from_str::<TableDefinitions>(text).is_err(), "{text}");
    }
}

#[test]
fn schemas_without_end_are_refused_and_soon() {
    let texts = |table: &str, count: usize| -> Value {
        let names = (0..count).map(|n| (format!("{table}_{n}"), json!({"type": "text", "length": n + 1})));
        let own = (format!("{table}id"), json!("id"));
        Value::Object(std::iter::once(own).chain(names).collect())
    };
    let tables = |count: usize, columns: usize| -> Value {
        let one = |n: usize| (format!("t{n}"), json!({ "columns": texts(&format!("t{n}"), columns) }));
        Value::Object((0..count).map(one).collect::<Map<String, Value>>())
    };
    let says = |found: &[(String, String)], why: &str| {
        assert!(found.iter().any(|(_, said)| said.contains(why)), "{why}");
    };
    says(&findings(tables(998, 0)), "is one table more than 1000");
    says(&findings(tables(1, 1_000)), "are more than 1000");
    says(&findings(tables(100, 500)), "are more than 50000 of all tables");
    let options: Map<String, Value> = (0..20_001).map(|n| (n.to_string(), json!("x"))).collect();
    says(
        &findings(columns(json!({"a": {"type": "choice", "options": options}}))),
        "are more than 20000 options",
    );
    // and as much as there may be holds together, bounds and all
    let began = Instant::now();
    let whose = (Whose::Declaration, Unset::Null);
    let schema =
        compile(&product(), &definitions(tables(99, 499)), &ChoiceDefinitions::new(), whose).unwrap();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    for (table, column, length) in [("t0", "t0_0", 1), ("t50", "t50_250", 251), ("t98", "t98_498", 499)] {
        assert_eq!(schema.table(table).unwrap().column(column).unwrap().length(), length);
    }
}
