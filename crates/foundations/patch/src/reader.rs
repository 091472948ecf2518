//! Reads structures from a JSON value and keeps where in it one was refused.
//!
//! Decides what of a value a structure is offered, as `serde_json` does and in its words, and the path that comes with a
//! refusal. A list is no structure, though: `serde_json` would take its elements for members, one after the other. Never
//! decides what a structure takes nor how a refusal is told.
//!
//! There is one reader for every structure and none around it, and the path is put together on the way back from where it
//! failed: a reader that wraps each visitor to follow the path costs as much code again as the structures themselves.

use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member of that name.
    Member(String),
    /// The element at that place of a list.
    Element(usize),
    /// What a variant holds.
    Variant,
}

/// Why a value is not read.
pub(crate) struct Unread(Box<Why>);

struct Why {
    message: String,
    /// The last step first.
    steps: Vec<Step>,
}

/// Reads a structure; what is refused comes with its message and the path to it.
pub(crate) fn read<'v, T: Deserialize<'v>>(value: &'v Value) -> Result<T, (String, Vec<Step>)> {
    T::deserialize(Reader(value)).map_err(|Unread(why)| {
        let Why { message, mut steps } = *why;
        steps.reverse();
        (message, steps)
    })
}

impl Unread {
    #[cold]
    #[inline(never)]
    fn says(message: &dyn fmt::Display) -> Self {
        Self(Box::new(Why { message: message.to_string(), steps: Vec::new() }))
    }

    /// The same, seen from one step above.
    #[cold]
    #[inline(never)]
    fn in_member(mut self, name: &str) -> Self {
        self.0.steps.push(Step::Member(name.to_owned()));
        self
    }

    #[cold]
    #[inline(never)]
    fn in_element(mut self, index: usize) -> Self {
        self.0.steps.push(Step::Element(index));
        self
    }

    #[cold]
    #[inline(never)]
    fn in_variant(mut self) -> Self {
        self.0.steps.push(Step::Variant);
        self
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Unread {}

impl de::Error for Unread {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::says(&message)
    }

    // A number that is none and `null` are called what JSON calls them.
    #[cold]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::says(&<serde_json::Error as de::Error>::invalid_type(found, expected))
    }

    #[cold]
    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::says(&<serde_json::Error as de::Error>::invalid_value(found, expected))
    }
}

/// A value of another kind than the one that was asked for.
#[cold]
#[inline(never)]
fn mistaken(value: &Value, expected: &dyn Expected) -> Unread {
    let found = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (None, Some(number)) => Unexpected::Signed(number),
            (None, None) => Unexpected::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    de::Error::invalid_type(found, expected)
}

/// One value.
#[derive(Clone, Copy)]
struct Reader<'v>(&'v Value);

impl<'v> Reader<'v> {
    fn number<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        let Value::Number(number) = self.0 else { return Err(mistaken(self.0, &visitor)) };
        if let Some(number) = number.as_u64() {
            visitor.visit_u64(number)
        } else if let Some(number) = number.as_i64() {
            visitor.visit_i64(number)
        } else {
            visitor.visit_f64(number.as_f64().unwrap_or_default())
        }
    }
}

fn list<'v, V: Visitor<'v>>(elements: &'v [Value], visitor: V) -> Result<V::Value, Unread> {
    let mut left = Elements { left: elements.iter(), next: 0 };
    let read = visitor.visit_seq(&mut left)?;
    if left.left.len() == 0 { Ok(read) } else { Err(too_many(elements.len(), &"fewer elements in array")) }
}

fn object<'v, V: Visitor<'v>>(members: &'v Map<String, Value>, visitor: V) -> Result<V::Value, Unread> {
    let mut left = Members { left: members.iter(), read: None };
    let read = visitor.visit_map(&mut left)?;
    if left.left.len() == 0 { Ok(read) } else { Err(too_many(members.len(), &"fewer elements in map")) }
}

#[cold]
#[inline(never)]
fn too_many(count: usize, expected: &dyn Expected) -> Unread {
    de::Error::invalid_length(count, expected)
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
            self.number(visitor)
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
            match self.0 {
                Value::String(text) => visitor.visit_borrowed_str(text),
                other => Err(mistaken(other, &visitor)),
            }
        }
    )*};
}

impl<'v> Deserializer<'v> for Reader<'v> {
    type Error = Unread;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(_) => self.number(visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(elements) => list(elements, visitor),
            Value::Object(members) => object(members, visitor),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_bool<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Value::Bool(value) => visitor.visit_bool(*value),
            other => Err(mistaken(other, &visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(elements) => list(elements, visitor),
            other => Err(mistaken(other, &visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            other => Err(mistaken(other, &visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unread> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unread> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Value::Array(elements) => list(elements, visitor),
            other => Err(mistaken(other, &visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'v>>(self, _length: usize, visitor: V) -> Result<V::Value, Unread> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Unread> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0 {
            Value::Object(members) => object(members, visitor),
            other => Err(mistaken(other, &visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        _members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unread> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unread> {
        let (name, holds) = match self.0 {
            Value::String(name) => (name, None),
            Value::Object(members) => match only(members) {
                Some((name, value)) => (name, Some(value)),
                None => {
                    return Err(de::Error::invalid_value(Unexpected::Map, &"map with a single key"));
                }
            },
            other => return Err(mistaken(other, &"string or map")),
        };
        visitor.visit_enum(Variant { name, holds })
    }

    fn deserialize_ignored_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        visitor.visit_unit()
    }
}

fn only(members: &Map<String, Value>) -> Option<(&String, &Value)> {
    if members.len() == 1 { members.iter().next() } else { None }
}

/// What is left of a list.
struct Elements<'v> {
    left: std::slice::Iter<'v, Value>,
    next: usize,
}

impl<'v> SeqAccess<'v> for Elements<'v> {
    type Error = Unread;

    fn next_element_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Result<Option<T::Value>, Unread> {
        let Some(value) = self.left.next() else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        match seed.deserialize(Reader(value)) {
            Ok(read) => Ok(Some(read)),
            Err(unread) => Err(unread.in_element(index)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

/// What is left of an object.
struct Members<'v> {
    left: serde_json::map::Iter<'v>,
    /// The member whose name was read last.
    read: Option<(&'v str, &'v Value)>,
}

impl<'v> MapAccess<'v> for Members<'v> {
    type Error = Unread;

    fn next_key_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Result<Option<T::Value>, Unread> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        self.read = Some((name, value));
        match seed.deserialize(Name(name)) {
            Ok(read) => Ok(Some(read)),
            Err(unread) => Err(unread.in_member(name)),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Result<T::Value, Unread> {
        let Some((name, value)) = self.read.take() else { return Err(Unread::says(&"value is missing")) };
        match seed.deserialize(Reader(value)) {
            Ok(read) => Ok(read),
            Err(unread) => Err(unread.in_member(name)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

/// A member's name: a text, unless a structure's members go by whole numbers.
#[derive(Clone, Copy)]
struct Name<'v>(&'v str);

impl<'v> Deserializer<'v> for Name<'v> {
    type Error = Unread;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unread> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unread> {
        visitor.visit_enum(Variant { name: self.0, holds: None })
    }

    fn deserialize_i64<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Unread> {
        match self.0.parse() {
            Ok(number) => visitor.visit_i64(number),
            Err(_) => Err(de::Error::invalid_value(Unexpected::Str(self.0), &"a whole number as the name")),
        }
    }

    forward_to_deserialize_any! {
        <W: Visitor<'v>>
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A variant, by its name alone or with what it holds.
struct Variant<'v> {
    name: &'v str,
    holds: Option<&'v Value>,
}

impl<'v> EnumAccess<'v> for Variant<'v> {
    type Error = Unread;
    type Variant = Held<'v>;

    fn variant_seed<T: DeserializeSeed<'v>>(self, seed: T) -> Result<(T::Value, Held<'v>), Unread> {
        Ok((seed.deserialize(Name(self.name))?, Held(self.holds)))
    }
}

/// What a variant holds.
struct Held<'v>(Option<&'v Value>);

impl<'v> VariantAccess<'v> for Held<'v> {
    type Error = Unread;

    fn unit_variant(self) -> Result<(), Unread> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(other) => Err(mistaken(other, &"unit").in_variant()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'v>>(self, seed: T) -> Result<T::Value, Unread> {
        let read = match self.0 {
            Some(value) => seed.deserialize(Reader(value)),
            None => Err(nothing_held(&"newtype variant")),
        };
        read.map_err(Unread::in_variant)
    }

    fn tuple_variant<V: Visitor<'v>>(self, _length: usize, visitor: V) -> Result<V::Value, Unread> {
        let read = match self.0 {
            // No elements are as many as a variant may have.
            Some(Value::Array(elements)) if elements.is_empty() => visitor.visit_unit(),
            Some(Value::Array(elements)) => list(elements, visitor),
            Some(other) => Err(mistaken(other, &"tuple variant")),
            None => Err(nothing_held(&"tuple variant")),
        };
        read.map_err(Unread::in_variant)
    }

    fn struct_variant<V: Visitor<'v>>(
        self,
        _members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unread> {
        let read = match self.0 {
            Some(Value::Object(members)) => object(members, visitor),
            Some(other) => Err(mistaken(other, &"struct variant")),
            None => Err(nothing_held(&"struct variant")),
        };
        read.map_err(Unread::in_variant)
    }
}

#[cold]
#[inline(never)]
fn nothing_held(expected: &dyn Expected) -> Unread {
    de::Error::invalid_type(Unexpected::UnitVariant, expected)
}

#[cfg(test)]
mod tests;
