//! How a value that one product uses at another is declared: so that "refused there" finds "came from here".
//!
//! Decides nothing. A product says it once per start for each setting it makes calls with; the refusing product knows
//! nothing of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Change, Role, Text};

/// What a value read from a setting is used as, and how another one would be put there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// What it is used as at the product that is called.
    pub role: Role,
    /// How a value is written in the setting: `{}` stands for it, for instance `spn:{}`.
    pub written: Cow<'static, str>,
    /// While this stands out, another value is used in its place: what switches the setting on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Box<Change>>,
    /// Values for the whole setting that the world knows to be right, the likeliest first. Empty where it knows none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Text>,
}

impl Input {
    /// A value that is written as it is.
    pub fn new(role: Role) -> Self {
        Self { role, written: Cow::Borrowed("{}"), switch: None, known: Vec::new() }
    }

    /// How a value is written in the setting; `{}` stands for it.
    #[must_use]
    pub fn written(mut self, format: &'static str) -> Self {
        self.written = Cow::Borrowed(format);
        self
    }

    /// What has to be switched on before it is used at all.
    #[must_use]
    pub fn switched_on_by(mut self, change: Change) -> Self {
        self.switch = Some(Box::new(change));
        self
    }

    /// What the world knows the setting should be.
    #[must_use]
    pub fn known<T: Into<Text>>(mut self, known: impl IntoIterator<Item = T>) -> Self {
        self.known.extend(known.into_iter().map(Into::into));
        self
    }

    /// A value of the role as it stands in the setting.
    pub fn write(&self, value: &str) -> String {
        self.written.replace("{}", value)
    }

    /// About what it occupies, in bytes.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.written.len()
            + self.switch.as_ref().map_or(0, |change| size_of::<Change>() + change.setting.as_str().len())
            + self.known.iter().map(|known| size_of::<Text>() + known.len()).sum::<usize>()
    }
}
