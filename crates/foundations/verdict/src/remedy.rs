//! What would make a failed question pass.
//!
//! Decides the shape of a remedy and nothing else: the product that refused says what can be changed on its own side, and
//! what could have been presented instead; which of the two is the cause is for the diagnosis, which also knows where the
//! presented value came from. Remedies are made only for failures, and hold nothing secret.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Edit, Operation, Setting, Text};

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// It has the wrong value.
    Wrong,
    /// What should be declared there is not.
    Missing,
}

/// An edit whose value the world cannot know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// What the edit does.
    pub op: Operation,
    /// Where.
    pub path: Setting,
    /// What a person has to supply, in a few words.
    pub what: Text,
    /// Edits with a made-up value that a rehearsal goes on with. Empty where nothing can stand in.
    #[serde(skip)]
    pub stand_in: Vec<Edit>,
}

impl Need {
    /// Something that has to be added at `path`.
    pub fn add(path: Setting, what: impl Into<Text>) -> Self {
        Self { op: Operation::Add, path, what: what.into(), stand_in: Vec::new() }
    }

    /// With the edits that stand in for it.
    #[must_use]
    pub fn stand_in(mut self, edits: impl IntoIterator<Item = Edit>) -> Self {
        self.stand_in.extend(edits);
        self
    }
}

/// A change of what is declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What is wrong.
    pub fault: Fault,
    /// The one setting to name.
    pub setting: Setting,
    /// What it should be, where the question's own words do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Text>,
    /// What it is, where the question's own words do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<Text>,
    /// What can be sent as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// What only a person can fill in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

impl Change {
    fn new(fault: Fault, setting: Setting) -> Self {
        Self { fault, setting, expected: None, actual: None, edits: Vec::new(), needs: Vec::new() }
    }

    /// A setting with the wrong value; how it is changed is added.
    pub fn wrong(setting: impl Into<Setting>) -> Self {
        Self::new(Fault::Wrong, setting.into())
    }

    /// Something that is not declared; how it is changed is added.
    pub fn missing(setting: impl Into<Setting>) -> Self {
        Self::new(Fault::Missing, setting.into())
    }

    /// A setting that should have this value (`add` also replaces, RFC 6902 section 4.1).
    pub fn set(setting: impl Into<Setting>, value: impl Into<serde_json::Value>) -> Self {
        let setting = setting.into();
        let edit = Edit::add(setting.clone(), value);
        Self::wrong(setting).edit(edit)
    }

    /// What it should be.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<Text>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// What it is.
    #[must_use]
    pub fn actual(mut self, actual: impl Into<Text>) -> Self {
        self.actual = Some(actual.into());
        self
    }

    /// With an edit that can be sent as it is.
    #[must_use]
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edits.push(edit);
        self
    }

    /// With an edit that only a person can complete.
    #[must_use]
    pub fn need(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// About what it occupies beside itself, in bytes.
    fn heap(&self) -> usize {
        let text = |text: &Option<Text>| text.as_ref().map_or(0, |text| text.len());
        let edits = self.edits.iter().map(Edit::weight).sum::<usize>();
        let needs = self.needs.iter().map(|need| {
            size_of::<Need>()
                + need.path.as_str().len()
                + need.what.len()
                + need.stand_in.iter().map(Edit::weight).sum::<usize>()
        });
        self.setting.as_str().len() + text(&self.expected) + text(&self.actual) + edits + needs.sum::<usize>()
    }
}

/// What would make a failed question pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remedy {
    /// A change on the side that refused; absent where nothing declared there is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub here: Option<Change>,
    /// What the refusing side knows could have been presented instead, the likeliest first. Never anything secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead: Vec<Text>,
    /// What a person would do, where the words of the product's error do not say it well enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Cow<'static, str>>,
}

impl Remedy {
    /// A change on the side that refused.
    pub fn here(change: Change) -> Self {
        Self { here: Some(change), ..Self::default() }
    }

    /// Nothing declared on this side is wrong: something else has to be presented, for instance this.
    pub fn instead<T: Into<Text>>(known: impl IntoIterator<Item = T>) -> Self {
        Self { instead: known.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// This, or one of these presented instead.
    #[must_use]
    pub fn or_instead<T: Into<Text>>(mut self, known: impl IntoIterator<Item = T>) -> Self {
        self.instead.extend(known.into_iter().map(Into::into));
        self
    }

    /// In the words of the product's own screens and files.
    #[must_use]
    pub fn advice(mut self, advice: &'static str) -> Self {
        self.advice = Some(Cow::Borrowed(advice));
        self
    }

    /// About what it occupies, in bytes.
    pub fn weight(&self) -> usize {
        let instead = self.instead.iter().map(|known| size_of::<Text>() + known.len()).sum::<usize>();
        size_of::<Self>()
            + self.here.as_ref().map_or(0, Change::heap)
            + instead
            + self.advice.as_ref().map_or(0, |advice| advice.len())
    }
}

impl From<Change> for Remedy {
    fn from(change: Change) -> Self {
        Self::here(change)
    }
}

/// Nothing to say is a remedy too: then all that is wrong is what was presented.
impl From<Option<Change>> for Remedy {
    fn from(change: Option<Change>) -> Self {
        change.map(Self::here).unwrap_or_default()
    }
}
