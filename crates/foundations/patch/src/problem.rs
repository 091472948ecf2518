//! One thing that is wrong, and where.
//!
//! Decides the shape of these messages; the wording stands where the problem is found. Nothing here is ever an answer
//! of an emulated product.

use std::fmt;

use mocktenant_verdict::Setting;
use serde::Serialize;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The declared value it is about.
    pub pointer: Setting,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What would be right: the nearest valid name or value, or where to put it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// `message` about what stands at `pointer`.
    pub fn new(pointer: Setting, message: impl Into<String>) -> Self {
        Self { pointer, message: message.into(), hint: None }
    }

    /// With what would be right, if that is known.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.as_str().is_empty() { "/" } else { self.pointer.as_str() };
        write!(formatter, "{pointer}: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, " ({hint})"),
            None => Ok(()),
        }
    }
}
