//! What must be there, and what is.
//!
//! Decides by what all writers know of their rows what every set holds once they are quiet, and says of each row that is otherwise
//! how. Never asks a writer's answers again: what it was told is in its rows.

use std::collections::BTreeSet;

use mocktenant_schema::Table;

use super::Lane;
use super::between::roles_held;
use super::product::{Members, Product, different};

/// The key of what is in the other set beside a row.
pub(super) fn twin_key(product: &Product, other: Table<'_>, pairs: &[(&str, &str)], row: &Members) -> String {
    let members = pairs.iter().map(|(own, there)| ((*there).to_owned(), row[*own].clone()));
    product.key(other, &members.collect())
}

/// Everything that is not as the writers know it.
pub(super) fn differences(product: &Product, lanes: &[Lane<'_>]) -> (usize, Vec<String>) {
    let (there, mut found, mut judged) = (product.all(), Vec::new(), 0);
    for table in product.schema.tables() {
        if table.name() == "systemuserroles" {
            let (rows, more) = roles_held(product, table, &there[&table.position()], lanes);
            judged += rows;
            found.extend(more);
            continue;
        }
        let initial = &product.initial[&table.position()];
        let mut expected = initial.clone();
        for lane in lanes {
            expected.extend(lane.rows.get(&table.position()).cloned().unwrap_or_default());
        }
        let there = &there[&table.position()];
        let keys: BTreeSet<&String> = expected.keys().chain(there.keys()).collect();
        for key in keys {
            judged += 1;
            match (expected.get(key), there.get(key)) {
                (Some(one), Some(other)) if one == other => {}
                // what is declared is made when an organisation begins, after a reset anew
                (Some(one), Some(other))
                    if initial.contains_key(key)
                        && different(one, other).starts_with("createdon: ")
                        && !different(one, other).contains(", ") => {}
                (Some(one), Some(other)) => {
                    found.push(format!("{}({key}): {}", table.set(), different(one, other)));
                }
                (Some(_), None) => found.push(format!("{}({key}) is lost", table.set())),
                (None, _) => found.push(format!("{}({key}) is there", table.set())),
            }
        }
    }
    (judged, found)
}
