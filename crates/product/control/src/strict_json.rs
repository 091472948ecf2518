//! JSON in which every member is there once.
//!
//! Decides that a member that is there twice is an error, with its name and its place, instead of the last one silently
//! winning (RFC 8259 section 4 leaves that to the reader). Never decides what a member means.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not read.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is no JSON.
    Syntax(serde_json::Error),
    /// A member is there twice.
    Twice {
        /// Its name.
        name: String,
        /// RFC 6901 pointer to it.
        pointer: String,
    },
}

/// Reads a text that is JSON from beginning to end.
pub(crate) fn read(text: &[u8]) -> Result<Value, Refused> {
    let twice = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let place = Place { above: None, name: Name::Root };
    let read = Strict { place: &place, twice: &twice }.deserialize(&mut reader);
    let whole = read.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|error| match twice.take() {
        Some((name, pointer)) => Refused::Twice { name, pointer },
        None => Refused::Syntax(error),
    })
}

/// Where the reader is: a chain up to the root, put into words only when something is wrong there.
struct Place<'p> {
    above: Option<&'p Place<'p>>,
    name: Name<'p>,
}

enum Name<'p> {
    Root,
    Member(&'p str),
    Element(usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(formatter)?;
        }
        match self.name {
            Name::Root => Ok(()),
            Name::Member(name) => write!(formatter, "/{}", name.replace('~', "~0").replace('/', "~1")),
            Name::Element(index) => write!(formatter, "/{index}"),
        }
    }
}

struct Strict<'p> {
    place: &'p Place<'p>,
    twice: &'p RefCell<Option<(String, String)>>,
}

impl Strict<'_> {
    fn below<'b>(&'b self, name: Name<'b>) -> Place<'b> {
        Place { above: Some(self.place), name }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let place = self.below(Name::Element(list.len()));
            match elements.next_element_seed(Strict { place: &place, twice: self.twice })? {
                Some(element) => list.push(element),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let place = self.below(Name::Member(&name));
            if object.contains_key(&name) {
                *self.twice.borrow_mut() = Some((name.clone(), place.to_string()));
                return Err(A::Error::custom("a member is there twice"));
            }
            let member = members.next_value_seed(Strict { place: &place, twice: self.twice })?;
            object.insert(name, member);
        }
        Ok(Value::Object(object))
    }
}
