//! One edit of the declaration: what a person sends, and what a remedy proposes.
//!
//! Decides how an RFC 6902 operation is written and which members it must have. Never decides what it does to a document:
//! that is `patch`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::Setting;
use crate::foreign::excerpt;

/// A pointer longer than this names nothing in any declaration.
const MAX_POINTER: usize = 4096;

/// What an edit does (RFC 6902 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Puts a member or element there; an existing member is replaced.
    Add,
    /// Takes it away; it must exist.
    Remove,
    /// Changes it; it must exist.
    Replace,
    /// Takes it from `from`.
    Move,
    /// Copies it from `from`.
    Copy,
    /// Fails unless it is equal to `value`.
    Test,
}

/// One edit: an RFC 6902 operation, as JSON or as YAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub struct Edit {
    /// What it does.
    pub op: Operation,
    /// Where. `/-` at the end of a list appends.
    pub path: Setting,
    /// For `move` and `copy`: from where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Setting>,
    /// For `add`, `replace` and `test`: the value. `Some(Null)` is the value null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

impl Edit {
    /// Puts `value` at `path`.
    pub fn add(path: Setting, value: impl Into<Value>) -> Self {
        Self { op: Operation::Add, path, from: None, value: Some(value.into()) }
    }

    /// Takes away what is at `path`.
    pub fn remove(path: Setting) -> Self {
        Self { op: Operation::Remove, path, from: None, value: None }
    }

    /// Changes what is at `path`.
    pub fn replace(path: Setting, value: impl Into<Value>) -> Self {
        Self { op: Operation::Replace, path, from: None, value: Some(value.into()) }
    }

    /// Copies what is at `from` to `path`.
    pub fn copy(from: Setting, path: Setting) -> Self {
        Self { op: Operation::Copy, path, from: Some(from), value: None }
    }

    /// About what it occupies, in bytes.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.path.as_str().len()
            + self.from.as_ref().map_or(0, |from| from.as_str().len())
            + self.value.as_ref().map_or(0, heap_of)
    }
}

/// An edit as written, before it is known to have what its operation needs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    op: Operation,
    path: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
}

/// A `value` that is written as null is there; serde alone would take it for absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl TryFrom<Written> for Edit {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { op, path, from, value } = written;
        let name = op.name();
        let (takes_value, takes_from) = op.takes();
        match (takes_value, value.is_some(), takes_from, from.is_some()) {
            (true, false, ..) => return Err(format!("`{name}` needs a `value`")),
            (false, true, ..) => return Err(format!("`{name}` takes no `value`")),
            (.., true, false) => return Err(format!("`{name}` needs a `from`")),
            (.., false, true) => return Err(format!("`{name}` takes no `from`")),
            _ => {}
        }
        for pointer in [Some(&path), from.as_ref()].into_iter().flatten() {
            pointer_tokens(pointer)?;
        }
        Ok(Self { op, path: Setting::from_pointer(path), from: from.map(Setting::from_pointer), value })
    }
}

impl Operation {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Test => "test",
        }
    }

    /// Whether it takes `value`, and whether it takes `from`.
    fn takes(self) -> (bool, bool) {
        match self {
            Self::Add | Self::Replace | Self::Test => (true, false),
            Self::Move | Self::Copy => (false, true),
            Self::Remove => (false, false),
        }
    }
}

/// The raw segments of an RFC 6901 pointer.
pub fn pointer_tokens(pointer: &str) -> Result<Vec<String>, String> {
    if pointer.len() > MAX_POINTER {
        return Err(format!("a pointer has at most {MAX_POINTER} bytes"));
    }
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = pointer.strip_prefix('/') else {
        return Err(format!("`{}` is not a JSON pointer: it must begin with `/`", excerpt(pointer, 96)));
    };
    rest.split('/')
        .map(|segment| {
            let mut token = String::with_capacity(segment.len());
            let mut characters = segment.chars();
            while let Some(character) = characters.next() {
                token.push(match character {
                    '~' => match characters.next() {
                        Some('0') => '~',
                        Some('1') => '/',
                        _ => {
                            return Err(
                                "in a JSON pointer `~` is written `~0` and `/` is written `~1`".to_owned()
                            );
                        }
                    },
                    other => other,
                });
            }
            Ok(token)
        })
        .collect()
}

/// About what a JSON value occupies besides itself, in bytes. It comes from a parsed document, so its depth is bounded by
/// the parser's.
pub fn heap_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(|element| size_of::<Value>() + heap_of(element)).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| size_of::<(String, Value)>() + name.len() + heap_of(member))
            .sum(),
    }
}
