//! Entities that an environment declares beside the product's, and columns added to those.
//!
//! Decides what such an entity has without a word of it (a company where its key has one, the table its entity tag is of), and which
//! of what can be written a data entity of Finance and Operations has not. Mirrors an entity of an extension that was deployed; that
//! a deployment needs a restart is not played.

use mocktenant_schema::definition::TableDefinition;
use mocktenant_schema::{
    ColumnDefinition, DefinitionError, Kind, Requirement, Schema, Table, TableDefinitions,
};

use crate::entities::COMPANY;

/// The type of a choice that has no name: Finance and Operations has enumerations alone.
const NAMELESS: &str = "a choice is of a named enumeration of the product, as in `type: NoYes`";

/// What was written, with what every entity of the product has.
pub(super) fn completed(product: &Schema, declared: &TableDefinitions) -> TableDefinitions {
    let one = |(name, definition): (&String, &TableDefinition)| {
        let mut definition = definition.clone();
        if product.table(name).is_none() {
            complete(name, &mut definition);
        }
        (name.clone(), definition)
    };
    declared.iter().map(one).collect()
}

fn complete(name: &str, definition: &mut TableDefinition) {
    definition.set.get_or_insert_with(|| name.to_owned());
    definition.schema_name.get_or_insert_with(|| singular(name));
    definition.notes.entry("written".to_owned()).or_insert_with(|| "0".to_owned());
    if definition.key.iter().any(|column| column == COMPANY) && !definition.columns.contains_key(COMPANY) {
        let column = ColumnDefinition {
            kind: Kind::Text.name().to_owned(),
            label: Some("Company".to_owned()),
            length: Some(4),
            required: Requirement::Mandatory,
            update: false,
            ..ColumnDefinition::plain()
        };
        definition.columns.shift_insert(0, COMPANY.to_owned(), column);
    }
}

/// What one record of a set is called: `Category` of `Categories`.
fn singular(set: &str) -> String {
    match (set.strip_suffix("ies"), set.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) => stem.to_owned(),
        (None, None) => format!("{set}Entity"),
    }
}

/// What keeps declared entities and columns from being an environment's.
pub(super) fn findings(schema: &Schema) -> Vec<DefinitionError> {
    let mut findings = Vec::new();
    for column in schema.tables().flat_map(Table::columns).filter(|column| column.is_declared()) {
        let at = format!("/{}/columns/{}/type", column.table().name(), column.name());
        let why = match column.kind() {
            Kind::Lookup | Kind::State | Kind::Status | Kind::Version | Kind::Virtual => {
                "no data entity has columns of this type: relations go by the columns of a key"
            }
            Kind::Choice if column.choices().is_none_or(|choices| choices.name().is_empty()) => NAMELESS,
            _ => continue,
        };
        findings.push(DefinitionError { at, why: why.to_owned() });
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::schema::SCHEMAS;

    fn made(tables: Value) -> Result<Arc<Schema>, Vec<String>> {
        let declared: TableDefinitions = serde_json::from_value(tables).unwrap();
        let found = SCHEMAS.of(&Arc::new(declared));
        found.map_err(|findings| findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_entity_has_its_company_and_the_name_of_one_record_without_a_word_of_them() {
        let schema = made(json!({ "MyCategories": { "key": ["dataAreaId", "CategoryId"], "columns": {
            "CategoryId": { "type": "text", "length": 10 }, "Blocked": "NoYes",
        } } }))
        .unwrap();
        let entity = schema.by_set("MyCategories").unwrap();
        assert_eq!((entity.schema_name(), entity.columns().len()), ("MyCategory", 3));
        assert_eq!(
            entity.key().map(mocktenant_schema::Column::name).collect::<Vec<_>>(),
            [COMPANY, "CategoryId"]
        );
        let blocked = entity.column("Blocked").unwrap();
        assert_eq!(blocked.choices().map(mocktenant_schema::Choices::name), Some("NoYes"));
        assert_eq!((singular("Boxes"), singular("Data")), ("Boxe".to_owned(), "DataEntity".to_owned()));
    }

    #[test]
    fn what_no_data_entity_has_is_said() {
        for (column, said) in [
            (json!({ "type": "choice", "options": { "1": "Dark" } }), NAMELESS),
            (json!({ "type": "lookup", "to": "VendorGroups" }), "a lookup leads to one"),
            (json!("version"), "no data entity has"),
            (json!("colour"), "neither a type"),
        ] {
            let found = made(json!({ "VendorGroups": { "columns": { "MyColumn": column } } })).unwrap_err();
            assert!(found[0].contains(said), "{found:?}");
        }
        let found = made(json!({ "MySet": { "columns": { "Id": "text" } } })).unwrap_err();
        assert!(found[0].starts_with("/MySet/key"), "{found:?}");
    }
}
