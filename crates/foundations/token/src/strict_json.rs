//! JSON objects read strictly: no duplicate member at any depth, bounded nesting, nothing after the end.
//!
//! Decides what counts as one unambiguous JSON object: a token's header and claims, or a body a resource reads. Never repairs: `serde_json` alone keeps the last of two `alg`
//! members, so that two readers of one token could disagree about it (RFC 7515 section 4 lets a reader refuse).

use std::cell::RefCell;
use std::fmt;

use mocktenant_verdict::foreign;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest accepted nesting of arrays and objects, the outermost object being level 1.
pub const MAX_DEPTH: usize = 32;

/// Why bytes are not one strict JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// Not JSON (or not UTF-8): the parser's words with line and column.
    #[error("{0}")]
    Syntax(String),
    /// JSON, but not an object: what it is instead.
    #[error("it is {0}, no JSON object")]
    NotAnObject(&'static str),
    /// The named member appears twice in one object.
    #[error("member {0:?} stands twice in one object")]
    Duplicate(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("it is nested deeper than {MAX_DEPTH}")]
    TooDeep,
}

/// Reads one JSON object. Member order is kept.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Defect> {
    let defect = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { level: 1, defect: &defect }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Array(_)) => Err(Defect::NotAnObject("an array")),
        Ok(Value::String(_)) => Err(Defect::NotAnObject("a string")),
        Ok(Value::Number(_)) => Err(Defect::NotAnObject("a number")),
        Ok(Value::Bool(_)) => Err(Defect::NotAnObject("a boolean")),
        Ok(Value::Null) => Err(Defect::NotAnObject("null")),
        Err(error) => Err(defect.into_inner().unwrap_or_else(|| Defect::Syntax(error.to_string()))),
    }
}

/// How many characters of a foreign text are shown.
pub(crate) const SHOWN: usize = 64;

/// At most 64 characters of a foreign text, so that an error message stays short whatever was sent.
pub fn excerpt(text: &str) -> String {
    foreign::excerpt(text, SHOWN).into_owned()
}

#[derive(Clone, Copy)]
struct Strict<'d> {
    /// Level an array or object would have if one comes next.
    level: usize,
    /// Where the precise reason is left; serde's own error carries only text.
    defect: &'d RefCell<Option<Defect>>,
}

impl Strict<'_> {
    fn refuse<E: de::Error>(self, defect: Defect) -> E {
        self.defect.borrow_mut().get_or_insert(defect);
        E::custom("refused")
    }

    fn enter<E: de::Error>(self) -> Result<Self, E> {
        if self.level > MAX_DEPTH {
            return Err(self.refuse(Defect::TooDeep));
        }
        Ok(Self { level: self.level + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inner = self.enter()?;
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.enter()?;
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(self.refuse(Defect::Duplicate(excerpt(&name))));
            }
            let value = entries.next_value_seed(inner)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_member_is_refused_at_every_depth() {
        for text in [
            r#"{"alg":"RS256","alg":"none"}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":[{"b":1},{"b":[{"b":1,"\u0062":2}]}]}"#,
        ] {
            assert!(matches!(object(text.as_bytes()), Err(Defect::Duplicate(_))), "{text}");
        }
        assert!(object(br#"{"a":{"b":1},"b":2}"#).is_ok());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested =
            |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(object(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(object(nested(MAX_DEPTH + 1).as_bytes()), Err(Defect::TooDeep));
        assert_eq!(object(nested(20_000).as_bytes()), Err(Defect::TooDeep));
    }

    #[test]
    fn only_one_object_and_nothing_after_it_is_accepted() {
        assert_eq!(object(b"[]"), Err(Defect::NotAnObject("an array")));
        assert_eq!(object(b"null"), Err(Defect::NotAnObject("null")));
        assert!(matches!(object(b"{} {}"), Err(Defect::Syntax(_))));
        assert!(matches!(object(b"{\"a\":\"\xff\"}"), Err(Defect::Syntax(_))));
        assert!(matches!(object(b"\xef\xbb\xbf{}"), Err(Defect::Syntax(_))));
        assert!(matches!(object(b"{\"a\":1e400}"), Err(Defect::Syntax(_))));
        assert!(matches!(object(b""), Err(Defect::Syntax(_))));
    }

    #[test]
    fn member_order_is_kept() {
        let members = object(br#"{"z":1,"a":2,"m":3}"#).unwrap();
        assert_eq!(members.keys().collect::<Vec<_>>(), ["z", "a", "m"]);
    }
    #[test]
    fn every_kind_of_value_is_read_as_what_it_is() {
        let text = r#"{"b":[true,false],"i":-7,"u":18446744073709551615,"f":1.5,"s":"plain","e":"a\nb","n":null,"l":[1,{"x":2}]}"#;
        let members = object(text.as_bytes()).unwrap();
        assert_eq!(members["b"], Value::Array(vec![Value::Bool(true), Value::Bool(false)]));
        assert_eq!((members["i"].as_i64(), members["u"].as_u64()), (Some(-7), Some(u64::MAX)));
        assert_eq!((members["f"].as_f64(), &members["n"]), (Some(1.5), &Value::Null));
        assert_eq!((members["s"].as_str(), members["e"].as_str()), (Some("plain"), Some("a\nb")));
        assert_eq!(Value::Object(members).to_string(), text, "written again it is the same");
    }

    #[test]
    fn what_stands_in_place_of_an_object_is_named() {
        for (text, kind) in [("\"a\"", "a string"), ("1", "a number"), ("true", "a boolean")] {
            assert_eq!(object(text.as_bytes()), Err(Defect::NotAnObject(kind)), "{text}");
        }
    }
}
