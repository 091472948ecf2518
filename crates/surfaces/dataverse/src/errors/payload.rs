//! What the OData reader inside Dataverse says about a body it cannot read: the inner exception of 0x80048d19.
//!
//! Decides only wording. `Invalid JSON`, the unknown column, the undeclared property, a value where a row should be and
//! `Cannot convert the literal` are as captured answers have them; that an annotation's name needs a period is the OData
//! library's own sentence, and the others are its messages for the same situations, inferred.

use std::fmt;

use super::DataverseError;

/// Why a body is no row. Foreign text in it is cut to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadDefect {
    /// Not JSON.
    InvalidJson,
    /// Nothing at all.
    Empty,
    /// JSON, but not an object.
    NotAnObject {
        /// The reader's name of what it found.
        found: &'static str,
    },
    /// One member named twice in an object.
    DuplicateProperty {
        /// Its name.
        name: String,
    },
    /// Arrays and objects nested too deep.
    TooDeep,
    /// A column that the table does not have.
    UnknownProperty {
        /// Its name.
        name: String,
        /// Logical name of the table.
        entity: Box<str>,
    },
    /// An annotation whose name OData forbids.
    AnnotationName {
        /// Its name.
        name: String,
    },
    /// A value where a navigation property takes a row.
    ValueForNavigation {
        /// The navigation property.
        name: String,
    },
    /// A value of another type than its column's.
    CannotConvert {
        /// The value as JSON.
        literal: String,
        /// The column's type, `Edm.Int32`.
        expected: String,
    },
    /// `x@odata.bind` where the table has no such navigation property.
    UndeclaredProperty {
        /// Its name.
        name: String,
    },
    /// `x@odata.bind` with something that names no row.
    InvalidBinding {
        /// The navigation property.
        name: String,
    },
    /// A decimal as a text.
    DecimalAsText,
    /// The type of another table.
    TypeNotAssignable {
        /// The type.
        found: String,
        /// The table's own.
        expected: String,
    },
    /// One row where a collection should be, or several where one should.
    Cardinality {
        /// The navigation property.
        name: String,
        /// Whether it leads to many.
        many: bool,
    },
    /// A column alone whose value is not called `value`.
    TopLevelProperty {
        /// What it is called instead; `None` if there is nothing.
        name: Option<String>,
    },
}

impl PayloadDefect {
    /// Whether the product's words for it were captured; the others are the OData reader's, inferred.
    pub(super) fn is_captured(&self) -> bool {
        matches!(
            self,
            Self::InvalidJson
                | Self::UnknownProperty { .. }
                | Self::DecimalAsText
                | Self::TypeNotAssignable { .. }
                | Self::ValueForNavigation { .. }
                | Self::UndeclaredProperty { .. }
                | Self::CannotConvert { .. }
        )
    }
}

impl DataverseError {
    /// A body that is no row of the set, in the row that is as sure of the words as we are.
    pub(crate) fn payload(set: &str, inner: PayloadDefect) -> Self {
        if inner.is_captured() {
            Self::Payload { set: set.into(), inner }
        } else {
            Self::UncapturedPayload { set: set.into(), inner }
        }
    }
}

impl fmt::Display for PayloadDefect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::UnknownProperty { name, entity } = self {
            write!(
                formatter,
                "Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{entity}'. ---> "
            )?;
        }
        formatter.write_str("Microsoft.OData.ODataException: ")?;
        match self {
            Self::InvalidJson => {
                formatter.write_str("Invalid JSON. A token was not recognized in the JSON content.")
            }
            Self::UnknownProperty { name, entity } => write!(
                formatter,
                "The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{entity}'. Make sure to only use property names that are defined by the type."
            ),
            Self::AnnotationName { name } => write!(
                formatter,
                "'{name}' is an invalid instance annotation name. An instance annotation name must contain a period that is not at the start or end of the name."
            ),
            Self::ValueForNavigation { name } => write!(
                formatter,
                "A 'PrimitiveValue' node with non-null value was found when trying to read the value of the property '{name}'; however, a 'StartArray' node, a 'StartObject' node, or a 'PrimitiveValue' node with null value was expected."
            ),
            Self::Empty => formatter.write_str("Empty Payload. JSON content expected."),
            Self::NotAnObject { found } => write!(
                formatter,
                "An unexpected '{found}' node was found when reading from the JSON reader. A 'StartObject' node was expected."
            ),
            Self::DuplicateProperty { name } => {
                write!(
                    formatter,
                    "Multiple properties with the name '{name}' were detected in a resource value."
                )
            }
            Self::TooDeep => formatter.write_str("The depth limit of the payload was exceeded."),
            Self::CannotConvert { literal, expected } => {
                write!(formatter, "Cannot convert the literal '{literal}' to the expected type '{expected}'.")
            }
            Self::UndeclaredProperty { name } => write!(
                formatter,
                "An undeclared property '{name}' which only has property annotations in the payload but no property value was found in the payload. In OData, only declared navigation properties and declared named streams can be represented as properties without values."
            ),
            Self::InvalidBinding { name } => {
                write!(
                    formatter,
                    "The 'odata.bind' value of the property '{name}' is not a valid resource reference."
                )
            }
            Self::DecimalAsText => formatter.write_str(
                "Cannot convert a value to target type 'Edm.Decimal' because of conflict between input format string/number and parameter 'IEEE754Compatible' false/true.",
            ),
            Self::TypeNotAssignable { found, expected } => write!(
                formatter,
                "A resource with type '{found}' was found, but it is not assignable to the expected type '{expected}'. The type specified in the resource must be equal to either the expected type or a derived type."
            ),
            Self::Cardinality { name, many } => {
                let (found, expected) =
                    if *many { ("StartObject", "StartArray") } else { ("StartArray", "StartObject") };
                write!(
                    formatter,
                    "An unexpected '{found}' node was found when reading the property '{name}' from the JSON reader. A '{expected}' node was expected."
                )
            }
            Self::TopLevelProperty { name: Some(name) } => write!(
                formatter,
                "A top-level property with name '{name}' was found in the payload; however, property and collection payloads must always have a top-level property with name 'value'."
            ),
            Self::TopLevelProperty { name: None } => formatter.write_str(
                "No top-level properties were found. A top-level property or collection in Json must be represented as a JSON object with exactly one property which is not an annotation.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_lands_in_the_row_that_is_as_sure_of_its_words_as_we_are() {
        let name = || "x".to_owned();
        for (defect, captured) in [
            (PayloadDefect::InvalidJson, true),
            (PayloadDefect::UndeclaredProperty { name: name() }, true),
            (PayloadDefect::UnknownProperty { name: name(), entity: "account".into() }, true),
            (PayloadDefect::AnnotationName { name: name() }, false),
            (PayloadDefect::ValueForNavigation { name: name() }, true),
            (PayloadDefect::CannotConvert { literal: name(), expected: "Edm.Int32".to_owned() }, true),
            (PayloadDefect::Empty, false),
            (PayloadDefect::NotAnObject { found: "StartArray" }, false),
            (PayloadDefect::DuplicateProperty { name: name() }, false),
            (PayloadDefect::TooDeep, false),
            (PayloadDefect::InvalidBinding { name: name() }, false),
            (PayloadDefect::DecimalAsText, true),
            (PayloadDefect::Cardinality { name: name(), many: true }, false),
            (PayloadDefect::TopLevelProperty { name: None }, false),
        ] {
            let error = DataverseError::payload("accounts", defect);
            assert_eq!(error.row().name == "Payload", captured, "{error:?}");
            assert_eq!(error.row().name == "UncapturedPayload", !captured, "{error:?}");
        }
    }
}
