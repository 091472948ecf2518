//! Keys in canonical form: what makes two rows the same row.
//!
//! Decides equality and order of key values: texts by their lower case (so GUIDs too), whole numbers and booleans by
//! value, different types never equal. Dates are texts here: one instant spelled in two zones is two keys.

use std::fmt;
use std::sync::Arc;

use mocktenant_odata::{Literal, fold_case};
use serde_json::Value;

/// One column's value within a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyPart {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text in lower case; make it with [`KeyPart::text`].
    Text(String),
}

impl KeyPart {
    /// A text or GUID in any case.
    pub fn text(text: &str) -> Self {
        Self::Text(fold_case(text))
    }

    /// The part for a row's value; `None` for null, fractions, arrays and objects.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Number(number) => number.as_i64().map(Self::Integer),
            Value::String(text) => Some(Self::text(text)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The part for a value from a URL; `None` for null and fractions.
    pub fn from_literal(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Null | Literal::Decimal(_) => None,
            Literal::Bool(value) => Some(Self::Bool(*value)),
            Literal::Integer(value) => Some(Self::Integer(*value)),
            Literal::String(text) | Literal::DateTime(text) => Some(Self::text(text)),
            Literal::Guid(guid) => Some(Self::Text(guid.to_string())),
            Literal::Enum { member, .. } => Some(Self::text(member)),
        }
    }
}

impl fmt::Display for KeyPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Text(text) => write!(formatter, "'{text}'"),
        }
    }
}

/// The values of a key's columns, in the order the schema lists them. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<[KeyPart]>);

impl Key {
    /// A key of these parts.
    pub fn new(parts: impl IntoIterator<Item = KeyPart>) -> Self {
        Self(parts.into_iter().collect())
    }

    /// A key of one text or GUID column.
    pub fn text(text: &str) -> Self {
        Self::new([KeyPart::text(text)])
    }

    /// A key of several text columns, in the schema's order.
    pub fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::new(texts.into_iter().map(KeyPart::text))
    }

    /// The parts.
    pub fn parts(&self) -> &[KeyPart] {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(")?;
        for (index, part) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(formatter, "{comma}{part}")?;
        }
        formatter.write_str(")")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A row named by one of its table's keys; see [`crate::Schema::reference`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By primary key.
    Primary(Key),
    /// By the alternate key of that index in [`crate::Schema::alternate_keys`].
    Alternate {
        /// Position of the alternate key in the schema.
        index: usize,
        /// Its values.
        key: Key,
    },
}

impl From<Key> for Reference {
    fn from(key: Key) -> Self {
        Self::Primary(key)
    }
}

#[cfg(test)]
mod tests {
    use mocktenant_odata::Guid;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_guid_of_the_url_equals_the_text_of_the_row_in_any_case() {
        let guid = Guid::parse("A0000000-0000-0000-0000-00000000000B").unwrap();
        assert_eq!(
            KeyPart::from_literal(&Literal::Guid(guid)),
            KeyPart::from_json(&json!("a0000000-0000-0000-0000-00000000000b"))
        );
        assert_eq!(Key::text("US-001"), Key::text("us-001"));
    }

    #[test]
    fn types_are_told_apart_and_some_make_no_key() {
        assert_ne!(KeyPart::from_json(&json!("1")), KeyPart::from_json(&json!(1)));
        for value in [json!(null), json!(1.5), json!([]), json!({}), json!(u64::MAX)] {
            assert_eq!(KeyPart::from_json(&value), None, "{value}");
        }
        assert_eq!(Key::new([KeyPart::text("DAT"), KeyPart::Integer(3)]).to_string(), "('dat',3)");
    }
}
