//! What is wrong with tables and rows that a declaration has for a product, in words for whoever wrote it.
//!
//! Decides the wording, for all products: an owner's mistake is told by place, message and the nearest that would do. Never an
//! answer of a product; which column a name means, and which values it takes, the product says.

use std::fmt::Write as _;

use mocktenant_schema::{Column, DefinitionError, Kind, Table, Violation};
use mocktenant_world::declaration::Records;
use mocktenant_world::nearest::{clip, one_of};
use mocktenant_world::{Problem, Setting};
use serde_json::Value;

/// Findings about the definitions that stand there.
pub fn tables(at: &Setting, findings: Vec<DefinitionError>) -> Vec<Problem> {
    let below = |finding: &DefinitionError| {
        let segments = finding.at.split('/').filter(|segment| !segment.is_empty());
        segments.fold(at.clone(), |at, segment| at.join(segment))
    };
    let problem = |finding: DefinitionError| Problem::new(below(&finding), finding.why);
    findings.into_iter().map(problem).collect()
}

/// Why a declared value is none of its row.
pub enum Wrong<'s> {
    /// The table has no such column.
    NoColumn,
    /// The column does not take it.
    Value(Violation<'s>),
}

/// What is wrong with declared rows. `records` is where those of a set stand, `kept` are the tables that rows can be declared for,
/// and `held` says whether a value is one of a table, by the name that was written.
pub fn rows<'s>(
    declared: &Records,
    records: impl Fn(&str) -> Setting,
    kept: &(impl Iterator<Item = Table<'s>> + Clone),
    held: impl Fn(Table<'s>, &str, &Value) -> Result<(), Wrong<'s>>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (set, rows) in declared {
        let at = records(set);
        let Some(table) = kept.clone().find(|table| table.set() == set) else {
            let message = format!("there is no entity set `{}` whose rows can be declared", clip(set));
            problems.push(Problem::new(at, message).hint(one_of(set, kept.clone().map(Table::set))));
            continue;
        };
        for (name, row) in rows {
            for (column, value) in row {
                let at = || at.join(name).join(column);
                match held(table, column, value) {
                    Ok(()) => {}
                    Err(Wrong::NoColumn) => problems.push(unknown_column(at(), column, table)),
                    Err(Wrong::Value(violation)) => problems.push(mistyped(at(), &violation)),
                }
            }
        }
    }
    problems
}

fn unknown_column(at: Setting, column: &str, table: Table<'_>) -> Problem {
    Problem::new(at, format!("{} have no column `{}`", table.set(), clip(column)))
        .hint(one_of(column, table.columns().map(Column::name)))
}

fn mistyped(at: Setting, violation: &Violation<'_>) -> Problem {
    let column = violation.column;
    let message = format!("`{}` is no value of {}", clip(&violation.value.to_string()), column.name());
    Problem::new(at, message).hint(takes(column))
}

/// What a column takes.
fn takes(column: Column<'_>) -> String {
    let mut text = match column.kind() {
        Kind::Text | Kind::Memo | Kind::Binary if column.length() > 0 => {
            format!("a text of at most {} characters", column.length())
        }
        Kind::Text | Kind::Memo | Kind::Binary | Kind::Virtual => "a text".to_owned(),
        Kind::Whole | Kind::Big | Kind::Version | Kind::State | Kind::Status => "a whole number".to_owned(),
        Kind::Decimal | Kind::Double | Kind::Money => "a number".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Id | Kind::Lookup => "a GUID, as in 00000000-0000-0000-0000-000000000001".to_owned(),
        Kind::Moment => "a time, as in 2026-01-31T12:00:00Z".to_owned(),
        Kind::Day => "a day, as in 2026-01-31".to_owned(),
        Kind::Choice => {
            let all = column.choices().into_iter().flat_map(mocktenant_schema::Choices::all);
            let all: Vec<String> =
                all.take(20).map(|choice| format!("{} ({})", choice.value(), choice.text())).collect();
            format!("one of {}", all.join(", "))
        }
    };
    if let Some((least, most)) = column.range() {
        let _never_fails = write!(text, " from {least} to {most}");
    }
    text
}

#[cfg(test)]
mod tests {
    use mocktenant_schema::{Schema, Unset, Whose, compile, value};
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let tables = serde_json::from_value(json!({ "box": { "set": "boxes", "columns": {
            "boxid": "id", "size": { "type": "whole", "least": 1, "most": 9 },
            "shade": { "type": "choice", "options": { "1": "Dark", "2": "Light" } },
        } } }));
        let whose = (Whose::Product, Unset::Null);
        compile(&Schema::default(), &tables.unwrap(), &mocktenant_schema::ChoiceDefinitions::new(), whose)
            .unwrap()
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_do() {
        let schema = schema();
        let table = schema.table("box").unwrap();
        let at = || Setting::fixed("/x");
        let said = |column: &str, value: serde_json::Value| {
            let violation = value::read(table.column(column).unwrap(), &value).unwrap_err();
            mistyped(at(), &violation).to_string()
        };
        assert_eq!(said("size", json!(10)), "/x: `10` is no value of size (a whole number from 1 to 9)");
        assert_eq!(said("shade", json!(3)), "/x: `3` is no value of shade (one of 1 (Dark), 2 (Light))");
        assert_eq!(
            unknown_column(at(), "sise", table).to_string(),
            "/x: boxes have no column `sise` (did you mean `size`?)"
        );
        let finding = DefinitionError { at: "/box/columns/a".to_owned(), why: "is no name".to_owned() };
        assert_eq!(tables(&at(), vec![finding])[0].to_string(), "/x/box/columns/a: is no name");
    }
}
