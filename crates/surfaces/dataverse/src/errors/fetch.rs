//! What the reader of FetchXML inside Dataverse says about a query whose parts do not fit together.
//!
//! Decides only wording. The sentences are those that public code of other hands expects of the product (test doubles of its
//! SDK, clients that read its answers); which of them answers what here is inferred, as the catalogue says.

use std::fmt;

/// What does not fit in a query that is XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchDefect {
    /// A condition without the value its operator compares with.
    NoValue {
        /// The column, `account.name`.
        attribute: String,
    },
    /// A value that is none of the column's type.
    ValueType {
        /// The column.
        attribute: String,
    },
    /// A moment that cannot be read.
    Moment {
        /// The column.
        attribute: String,
    },
    /// More values, or fewer, than the operator takes.
    ValueCount {
        /// The operator.
        operator: String,
        /// How many it takes.
        needed: usize,
        /// How many there are.
        given: usize,
        /// The column.
        attribute: String,
    },
    /// An operator that nobody has.
    Operator {
        /// What is written.
        operator: String,
    },
    /// A sum or an average of what is no number.
    NotNumeric {
        /// The function.
        function: String,
        /// The column.
        attribute: String,
    },
    /// `top`, `count` or `page` that is no number above zero.
    NotPositive {
        /// The attribute.
        attribute: &'static str,
        /// What it says.
        value: String,
    },
    /// An attribute that has to be there.
    Missing {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
}

impl fmt::Display for FetchDefect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValue { attribute } => write!(
                formatter,
                "Condition for attribute '{attribute}': null is not a valid value for an attribute. Use 'Null' or 'NotNull' conditions instead."
            ),
            Self::ValueType { attribute } => write!(
                formatter,
                "Condition for attribute '{attribute}': expected argument(s) of a different type but received 'System.String'."
            ),
            Self::Moment { attribute } => write!(
                formatter,
                "The date-time format for {attribute} is invalid, or value is outside the supported range."
            ),
            Self::ValueCount { operator, needed, given, attribute } => write!(
                formatter,
                "The ConditionOperator.{operator} requires {needed} value/s, not {given}. Parameter Name: {attribute}."
            ),
            Self::Operator { operator } => write!(
                formatter,
                "The 'operator' attribute is invalid - The value '{operator}' is invalid according to its datatype 'String' - The Enumeration constraint failed."
            ),
            Self::NotNumeric { function, attribute } => {
                write!(
                    formatter,
                    "The aggregate function {function} isn't allowed for attribute '{attribute}'."
                )
            }
            Self::NotPositive { attribute, value } => write!(
                formatter,
                "The value '{value}' of attribute '{attribute}' is not valid. The value must be greater than zero."
            ),
            Self::Missing { element, attribute } => {
                write!(formatter, "The '{attribute}' attribute of the '{element}' element was not specified.")
            }
        }
    }
}
