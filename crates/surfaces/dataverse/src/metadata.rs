//! Definitions of tables and columns as the Web API shows them: `EntityMetadata`, `AttributeMetadata`, option sets.
//!
//! Decides the properties, all from the one schema; ids are the lab's own, the same in every lab, but for those of tables
//! that the product's documentation prints. Never decides which definitions a request asks for. Names as the schema has
//! them: the letter case of columns' schema names, and display names of columns, are not known here.

mod attribute;
mod entity;

use serde_json::{Map, Value, json};

use crate::store::own_id;

pub(crate) use attribute::{attribute, cast, casts, defined, id as attribute_id, option_set};
pub(crate) use entity::{entity, id as entity_id};

/// A definition's members.
pub(crate) type Definition = Map<String, Value>;

/// A text in the organisation's one language. `of` is what its id is made of.
fn label(text: &str, of: &[&str]) -> Value {
    let localized = json!({
        "Label": text, "LanguageCode": 1033, "IsManaged": true, "MetadataId": own_id(of), "HasChanged": null,
    });
    json!({ "LocalizedLabels": [localized], "UserLocalizedLabel": localized })
}

/// No text.
fn no_label() -> Value {
    json!({ "LocalizedLabels": [], "UserLocalizedLabel": null })
}

/// A setting that a solution could lock.
fn managed(value: impl Into<Value>, name: &str) -> Value {
    json!({ "Value": value.into(), "CanBeChanged": true, "ManagedPropertyLogicalName": name })
}

/// An object's members.
fn members(value: Value) -> Definition {
    match value {
        Value::Object(members) => members,
        _ => Definition::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::not_built;
    use crate::tables::built_in;

    #[test]
    fn every_definition_has_an_id_of_its_own() {
        let mut ids = HashSet::new();
        for table in built_in().tables() {
            assert!(ids.insert(entity_id(table)), "{}", table.name());
            for column in defined(table) {
                assert!(ids.insert(attribute_id(column)), "{} {}", table.name(), column.name());
                if let Some(options) = option_set(column) {
                    let id = options["MetadataId"].as_str().unwrap().to_owned();
                    assert!(ids.insert(id), "{} {}", table.name(), column.name());
                }
            }
        }
    }

    #[test]
    fn no_property_is_said_not_to_be_built_that_is() {
        for table in built_in().tables() {
            for name in entity(table).keys() {
                assert!(!not_built::entity_property(name), "{name}");
            }
            for column in defined(table) {
                for name in attribute(column).keys() {
                    assert!(!not_built::attribute_property(name), "{name}");
                }
            }
        }
    }
}
