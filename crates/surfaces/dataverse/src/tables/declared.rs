//! Tables that an organisation declares beside the product's, and columns added to those.
//!
//! Decides what such a table has without a word of it, as every table made in the product has: an id, owners, who made and changed
//! a row and when, state and status, a version, and for money its currency and its amount in the base currency; and what a
//! table needs to be one here. Columns and names of relationships are those of the documentation's custom tables; the number of a
//! table, and that a name without a prefix is taken, are ours. What is written stands: nothing of it is replaced.

use std::sync::LazyLock;

use mocktenant_schema::definition::{Ownership, StateDefinition, TableDefinition};
use mocktenant_schema::{
    ColumnDefinition, ColumnDefinitions, DefinitionError, Kind, Requirement, Schema, Table, TableDefinitions,
};

/// What every table has, what one that users own has besides, and what one with money has; `{table}` stands for its name.
static EVERY: LazyLock<ColumnDefinitions> = LazyLock::new(|| read(include_str!("every_table.json")));
static OWNED: LazyLock<ColumnDefinitions> = LazyLock::new(|| read(include_str!("owned_table.json")));
static MONEY: LazyLock<ColumnDefinitions> = LazyLock::new(|| read(include_str!("money_table.json")));

/// A file of ours; a test reads every one.
fn read(text: &str) -> ColumnDefinitions {
    serde_json::from_str(text).unwrap_or_default()
}

/// The number of the first declared table; the product's own begin at 10,000.
const FIRST_CODE: u32 = 10_500;

/// Where a column's value comes from that nobody gives, as far as a declaration may say it.
const COMPUTED: [&str; 3] = ["base", "exchangerate", "fullname"];

/// What was written, with what every table of the product has.
pub(super) fn completed(product: &Schema, declared: &TableDefinitions) -> TableDefinitions {
    let mut code = FIRST_CODE;
    let one = |(name, definition): (&String, &TableDefinition)| {
        let mut definition = definition.clone();
        match product.table(name) {
            Some(there) => money(name, &mut definition, |column| there.column(column).is_some()),
            None => {
                definition.code.get_or_insert(code);
                code += 1;
                complete(name, &mut definition);
            }
        }
        (name.clone(), definition)
    };
    declared.iter().map(one).collect()
}

fn complete(name: &str, definition: &mut TableDefinition) {
    definition.set.get_or_insert_with(|| set_of(name));
    if definition.key.is_empty() {
        let id = format!("{name}id");
        if !definition.columns.contains_key(&id) {
            let label = definition.label.clone();
            let column = ColumnDefinition {
                kind: Kind::Id.name().to_owned(),
                label,
                required: Requirement::System,
                update: false,
                ..ColumnDefinition::plain()
            };
            definition.columns.shift_insert(0, id, column);
        }
    }
    named(name, definition);
    if definition.states.is_empty() {
        definition.states = [(0, state("Active", 1)), (1, state("Inactive", 2))].into_iter().collect();
    }
    add(name, definition, &EVERY, |_| false);
    if definition.owner == Ownership::User {
        add(name, definition, &OWNED, |_| false);
    }
    money(name, definition, |_| false);
}

/// The column that names a row: `new_name` of `new_box`.
fn named(name: &str, definition: &mut TableDefinition) {
    if definition.name.is_some() {
        return;
    }
    let own = name.split_once('_').map_or_else(|| "name".to_owned(), |(prefix, _)| format!("{prefix}_name"));
    if !definition.columns.contains_key(&own) {
        let column = ColumnDefinition {
            kind: Kind::Text.name().to_owned(),
            label: Some("Name".to_owned()),
            length: Some(100),
            required: Requirement::Application,
            ..ColumnDefinition::plain()
        };
        definition.columns.insert(own.clone(), column);
    }
    definition.name = Some(own);
}

fn state(label: &str, status: i64) -> StateDefinition {
    StateDefinition { label: label.to_owned(), statuses: [(status, label.to_owned())].into_iter().collect() }
}

/// Adds columns that are not there.
fn add(
    name: &str,
    definition: &mut TableDefinition,
    columns: &ColumnDefinitions,
    there: impl Fn(&str) -> bool,
) {
    for (column, one) in columns {
        if there(column) || definition.columns.contains_key(column) {
            continue;
        }
        let mut one = one.clone();
        for lookup in one.to.values_mut() {
            lookup.relationship = lookup.relationship.as_ref().map(|of| of.replace("{table}", name));
        }
        definition.columns.insert(column.clone(), one);
    }
}

/// What comes with amounts of money: their currency, its rate, and each amount in the base currency.
fn money(name: &str, definition: &mut TableDefinition, there: impl Fn(&str) -> bool) {
    let is_money = |column: &ColumnDefinition| column.kind == Kind::Money.name() && column.computed.is_none();
    let amounts: Vec<(String, ColumnDefinition)> = definition
        .columns
        .iter()
        .filter(|(_, column)| is_money(column))
        .map(|(name, column)| (name.clone(), column.clone()))
        .collect();
    if amounts.is_empty() {
        return;
    }
    add(name, definition, &MONEY, &there);
    for (amount, column) in amounts {
        let label = column.label.unwrap_or_else(|| amount.clone());
        let base = ColumnDefinition {
            kind: column.kind,
            label: Some(format!("{label} (Base)")),
            precision: Some(4),
            create: false,
            update: false,
            computed: Some("base".to_owned()),
            ..ColumnDefinition::plain()
        };
        let columns = [(format!("{amount}_base"), base)].into_iter().collect();
        add(name, definition, &columns, &there);
    }
}

/// How the set of a table is called: `s` after its name, `es` after a hiss, `ies` for a `y` after a consonant.
pub(crate) fn set_of(name: &str) -> String {
    if let Some(stem) = name.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].into_iter().any(|end| name.ends_with(end));
    format!("{name}{}", if hisses { "es" } else { "s" })
}

/// What keeps declared tables and columns from being an organisation's.
pub(super) fn findings(schema: &Schema) -> Vec<DefinitionError> {
    let mut findings = Vec::new();
    let mut wrong = |at: String, why: &str| findings.push(DefinitionError { at, why: why.to_owned() });
    for table in schema.tables() {
        let at = format!("/{}", table.name());
        if table.is_declared() {
            if !in_lower_case(table.name()) {
                wrong(at.clone(), "a table's logical name is in lower case; `schema_name` has any");
            }
            if table.id().is_none_or(|id| id.kind() != Kind::Id) {
                wrong(
                    format!("{at}/key"),
                    "a row of an organisation has one id: the key is a column of the type id",
                );
            }
        }
        for column in table.columns().filter(|column| column.is_declared()) {
            let at = format!("{at}/columns/{}", column.name());
            if !in_lower_case(column.name()) {
                wrong(at.clone(), "a column's logical name is in lower case");
            }
            if column.computed().is_some_and(|computed| !COMPUTED.contains(&computed)) {
                wrong(
                    format!("{at}/computed"),
                    "is nothing that the product works out: base, exchangerate or fullname",
                );
            }
            if !has_its_states(table, column.kind(), column.name()) {
                wrong(
                    format!("{at}/type"),
                    "states are those of statecode, and their reasons those of statuscode",
                );
            }
        }
    }
    findings
}

fn in_lower_case(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn has_its_states(table: Table<'_>, kind: Kind, name: &str) -> bool {
    match kind {
        Kind::State => name == "statecode" && table.states().len() > 0,
        Kind::Status => name == "statuscode" && table.states().len() > 0,
        _ => !matches!(name, "statecode" | "statuscode"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::tables::SCHEMAS;

    fn made(tables: Value) -> Result<Arc<Schema>, Vec<String>> {
        let declared: TableDefinitions = serde_json::from_value(tables).unwrap();
        let found = SCHEMAS.of(&Arc::new(declared));
        found.map_err(|findings| findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_table_has_what_every_table_has_without_a_word_of_it() {
        let schema = made(json!({ "new_box": { "label": "Box", "owner": "user", "columns": {
            "new_price": "money", "new_depth": { "type": "whole", "least": 1 },
        } } }))
        .unwrap();
        let table = schema.table("new_box").unwrap();
        let names: Vec<&str> = table.columns().map(mocktenant_schema::Column::name).collect();
        assert_eq!((table.set(), table.code()), ("new_boxes", FIRST_CODE));
        assert_eq!(names[..4], ["new_boxid", "new_price", "new_depth", "new_name"]);
        for name in EVERY.keys().chain(OWNED.keys()).chain(MONEY.keys()) {
            assert!(names.contains(&name.as_str()), "{name}");
        }
        assert!(names.contains(&"new_price_base"));
        assert_eq!(table.states().len(), 2);
        assert_eq!(table.name_column().map(mocktenant_schema::Column::name), Some("new_name"));
        let by = table.navigation("createdby").unwrap();
        assert_eq!((by.target().name(), by.relationship().name()), ("systemuser", "lk_new_box_createdby"));
    }

    #[test]
    fn what_is_written_stands() {
        let schema = made(
            json!({ "rel_thing": { "set": "rel_stuff", "code": 12_000, "name": "rel_title", "columns": {
            "rel_title": "text", "createdon": { "type": "moment", "label": "Begun" },
        } } }),
        )
        .unwrap();
        let table = schema.table("rel_thing").unwrap();
        assert_eq!((table.set(), table.code()), ("rel_stuff", 12_000));
        assert_eq!(table.column("createdon").unwrap().label(), "Begun");
        assert!(table.column("rel_name").is_none() && table.column("ownerid").is_none());
    }

    #[test]
    fn a_column_of_money_added_to_accounts_has_its_amount_in_the_base_currency() {
        let schema =
            made(json!({ "account": { "columns": { "new_debt": { "type": "money", "label": "Debt" } } } }))
                .unwrap();
        let table = schema.table("account").unwrap();
        let base = table.column("new_debt_base").unwrap();
        assert_eq!(
            (base.label(), base.computed(), base.is_for_create()),
            ("Debt (Base)", Some("base"), false)
        );
        let product = SCHEMAS.base().table("account").unwrap().columns().len();
        assert_eq!(table.columns().len(), product + 2);
    }

    #[test]
    fn what_is_no_table_of_an_organisation_is_said() {
        for (tables, finding) in [
            (json!({ "New_Box": {} }), "/New_Box: a table's logical name is in lower case"),
            (
                json!({ "new_box": { "key": ["new_code"], "columns": { "new_code": "text" } } }),
                "/new_box/key: a row",
            ),
            (
                json!({ "account": { "columns": { "new_x": { "type": "text", "computed": "address" } } } }),
                "/account/columns/new_x/computed: is nothing",
            ),
            (
                json!({ "account": { "columns": { "new_x": "state" } } }),
                "/account/columns/new_x/type: states are",
            ),
            (
                json!({ "account": { "columns": { "name": "text" } } }),
                "/account/columns/name: is a column of the",
            ),
            (json!({ "account": { "label": "Firm" } }), "/account: is a table of the product"),
            (json!({ "new_box": { "view": "users" } }), "/new_box/view: "),
            (
                json!({ "account": { "columns": { "contact_customer_accounts": "text" } } }),
                "/account/columns/contact_customer_accounts: is a property",
            ),
        ] {
            let found = made(tables).unwrap_err();
            assert!(found[0].starts_with(finding), "{found:?}");
        }
    }

    /// A table's file as somebody writes one; nothing else names it.
    const FILE: &str = "
set: new_widgets
schema_name: new_Widget
label: Widget
plural: Widgets
code: 10700
owner: organization
name: new_name
states:
  0: {label: Active, statuses: {1: Active}}
  1: {label: Inactive, statuses: {2: Inactive}}
columns:
  new_widgetid: {type: id, label: Widget, required: system, update: false}
  new_name: {type: text, length: 20, label: Name}
  new_shade: {type: choice, label: Shade, options: {1: Dark, 2: Light}}
  new_accountid: {type: lookup, label: Account, to: account}
";

    #[test]
    fn a_new_file_among_the_tables_is_a_table_with_no_other_line_and_a_declaration_takes_it_too() {
        use mocktenant_schema::Unset;
        use mocktenant_schema::files::{Reader, compiled};

        fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
            serde_saphyr::from_str(text).map_err(|why| why.to_string())
        }
        let directory = std::env::temp_dir().join(format!("mocktenant-tables-{}", std::process::id()));
        let tables = directory.join("tables");
        std::fs::create_dir_all(&tables).unwrap();
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tables")).unwrap() {
            let path = file.unwrap().path();
            std::fs::copy(&path, tables.join(path.file_name().unwrap())).unwrap();
        }
        std::fs::write(tables.join("new_widget.yaml"), FILE).unwrap();
        let reader = Reader { table: read, choices: read };
        let built = Arc::new(compiled(&directory, &reader, Unset::Null).unwrap());
        std::fs::remove_dir_all(&directory).unwrap();

        let definition: TableDefinition = read(FILE).unwrap();
        let written: Vec<String> = definition.columns.keys().cloned().collect();
        let declared: TableDefinitions = [("new_widget".to_owned(), definition)].into_iter().collect();
        let declared = SCHEMAS.of(&Arc::new(declared)).unwrap();
        for schema in [&built, &declared] {
            let table = schema.by_set("new_widgets").unwrap();
            let facts = |column: &str| {
                let column = table.column(column).unwrap();
                let target = column.lookups().next().map(|one| one.to().name().to_owned());
                let choices =
                    column.choices().into_iter().flat_map(|all| all.all().map(|one| one.text().to_owned()));
                (
                    column.kind(),
                    column.label().to_owned(),
                    column.length(),
                    target,
                    choices.collect::<Vec<_>>(),
                )
            };
            assert_eq!(facts("new_name"), (Kind::Text, "Name".to_owned(), 20, None, vec![]));
            assert_eq!(facts("new_shade").4, ["Dark", "Light"]);
            assert_eq!(facts("new_accountid").3.as_deref(), Some("account"));
            assert!(written.iter().all(|name| table.column(name).is_some()));
            assert_eq!(crate::tables::made(crate::principal::Operation::Read, table), "prvReadnew_Widget");
            let definition = crate::metadata::entity(table);
            assert_eq!(
                (&definition["EntitySetName"], &definition["ObjectTypeCode"]),
                (&json!("new_widgets"), &json!(10_700))
            );
            let document = crate::csdl::document(schema, false);
            let document = std::str::from_utf8(&document).unwrap();
            assert!(document.contains(r#"<EntitySet Name="new_widgets""#));
            assert!(document.contains(r#"<NavigationProperty Name="new_accountid" Type="mscrm.account""#));
        }
    }

    #[test]
    fn the_files_are_read() {
        for columns in [&EVERY, &OWNED, &MONEY] {
            assert!(!columns.is_empty());
        }
    }
}
