//! The table between users and roles, which writers fill by giving roles of theirs to the caller and taking them.
//!
//! Decides what is in it by what was given, was not taken, and has a role still. Its rows have ids that nobody knows before: pairs
//! are compared.

use std::collections::{BTreeMap, BTreeSet};

use mocktenant_schema::Table;
use serde_json::{Value, json};

use super::Lane;
use super::product::{Members, Product};

/// The caller.
const USER: &str = "systemusers(c0117050-0000-4000-8000-0000000d1001)";

impl Lane<'_> {
    /// A role is given to the caller, or taken.
    pub(super) fn role(&mut self) {
        let table = self.product.schema.table("role").unwrap();
        let own: Vec<String> =
            self.rows.get(&table.position()).into_iter().flatten().map(|(key, _)| key.clone()).collect();
        let Some(key) = self.pick(&own) else { return };
        let gives = self.dice.below(2) == 0;
        let answer = if gives {
            let body = json!({ "@odata.id": format!("http://localhost/api/data/v9.2/roles({key})") });
            self.product.ask("POST", &format!("{USER}/systemuserroles_association/$ref"), &body)
        } else {
            self.product.ask(
                "DELETE",
                &format!("{USER}/systemuserroles_association({key})/$ref"),
                &Value::Null,
            )
        };
        if answer.status != 204 && answer.status != 404 {
            self.differs(format!("a role {key}, given: {gives}: {} {:.200}", answer.status, answer.text()));
        }
        let held = self.product.ask(
            "GET",
            &format!("{USER}/systemuserroles_association?$filter=roleid eq {key}"),
            &Value::Null,
        );
        let held = held.json()["value"].as_array().is_some_and(|rows| !rows.is_empty());
        if held != gives {
            self.differs(format!("a role {key}, given: {gives}, held: {held}"));
        }
        if gives {
            self.held.insert(key);
        } else {
            self.held.remove(&key);
        }
    }
}

/// The table between users and roles: its rows have ids that nobody knows before, so pairs are compared. What was given and was
/// not taken is there, until its role is deleted.
pub(super) fn roles_held(
    product: &Product,
    table: Table<'_>,
    there: &BTreeMap<String, Members>,
    lanes: &[Lane<'_>],
) -> (usize, Vec<String>) {
    let pair = |row: &Members| {
        let text = |name: &str| {
            let value = row.get(name).or_else(|| row.get(&format!("_{name}_value")));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        (text("systemuserid"), text("roleid"))
    };
    let roles = product.schema.table("role").unwrap().position();
    let user = USER.trim_start_matches("systemusers(").trim_end_matches(')');
    let mut expected: BTreeSet<_> = product.initial[&table.position()].values().map(pair).collect();
    for lane in lanes {
        let left = |role: &&String| lane.rows.get(&roles).is_some_and(|rows| rows.contains_key(*role));
        expected.extend(lane.held.iter().filter(left).map(|role| (user.to_owned(), role.clone())));
    }
    let found: BTreeSet<_> = there.values().map(pair).collect();
    let odd = expected.symmetric_difference(&found);
    let odd = odd.map(|(user, role)| {
        format!("{}: {user} and {role}, held: {}", table.set(), found.contains(&(user.clone(), role.clone())))
    });
    (expected.len(), odd.collect())
}
