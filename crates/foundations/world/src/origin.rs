//! Where a declared value came from.
//!
//! Decides the origin of every setting: the file and line of an artefact, whoever edited it last, or what the world
//! began with. Never decides where a person would change it in the real products: that is [`crate::place`].

use std::collections::{BTreeMap, VecDeque};

use mocktenant_verdict::Setting;
use serde::{Deserialize, Serialize};

/// Where a declared value came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A config file. For a key that is not in it: the last entry of the list it would belong to.
    File {
        /// The file's name.
        file: String,
        /// Line, from 1; 0 if the list has no entry at all.
        line: u32,
        /// Column, from 1, in characters; 0 if the list has no entry at all.
        column: u32,
    },
    /// A call of the control API.
    Control,
    /// A scenario, by its name.
    Scenario(String),
    /// The default world.
    #[default]
    Default,
    /// Nothing says it: the lab assumed it, because no file holds it.
    Assumed,
}

/// Who makes an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditedBy {
    /// A call of the control API.
    Control,
    /// The scenario of this name.
    Scenario(String),
}

impl From<EditedBy> for Origin {
    fn from(by: EditedBy) -> Self {
        match by {
            EditedBy::Control => Self::Control,
            EditedBy::Scenario(name) => Self::Scenario(name),
        }
    }
}

/// The side table of origins. What it does not name has the origin of the nearest pointer above that it does name, and
/// else the world's own.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    world: Origin,
    noted: BTreeMap<String, Origin>,
    /// Those of the noted settings that are not there, the one that went first first.
    gone: VecDeque<String>,
}

/// Of how many settings that are not there it is kept who took them away. Else a lab that adds and removes all day would
/// remember every name it ever had.
const GONE: usize = 64;

impl Origins {
    /// Everything comes from `world` until noted otherwise.
    pub fn all_from(world: Origin) -> Self {
        Self { world, noted: BTreeMap::new(), gone: VecDeque::new() }
    }

    /// Notes the origin of a setting and of everything below it, replacing what was noted there.
    pub fn note(&mut self, setting: &Setting, origin: Origin) {
        self.forget_below(setting);
        self.gone.retain(|gone| gone != setting.as_str());
        self.noted.insert(setting.as_str().to_owned(), origin);
    }

    /// Notes who took a setting away. The last ones are kept, for whoever asks why it is not there.
    pub(crate) fn note_gone(&mut self, setting: &Setting, origin: Origin) {
        self.note(setting, origin);
        self.gone.push_back(setting.as_str().to_owned());
        while self.gone.len() > GONE {
            if let Some(oldest) = self.gone.pop_front() {
                self.noted.remove(&oldest);
            }
        }
    }

    /// How many settings are noted.
    pub(crate) fn len(&self) -> usize {
        self.noted.len()
    }

    /// Puts a setting and everything below it back to what `base` says of them.
    pub(crate) fn restore(&mut self, setting: &Setting, base: &Self) {
        self.forget_below(setting);
        self.gone.retain(|gone| gone != setting.as_str());
        self.noted.remove(setting.as_str());
        let own = base.noted.get_key_value(setting.as_str());
        let noted = own.into_iter().chain(base.below(setting));
        let noted: Vec<_> = noted.map(|(setting, origin)| (setting.clone(), origin.clone())).collect();
        self.gone
            .extend(base.gone.iter().filter(|gone| noted.iter().any(|(noted, _)| noted == *gone)).cloned());
        self.noted.extend(noted);
    }

    /// What is noted below a setting.
    fn below(&self, setting: &Setting) -> impl Iterator<Item = (&String, &Origin)> {
        let below = format!("{setting}/");
        let first = (std::ops::Bound::Included(below.clone()), std::ops::Bound::Unbounded);
        self.noted.range::<String, _>(first).take_while(move |(noted, _)| noted.starts_with(&below))
    }

    fn forget_below(&mut self, setting: &Setting) {
        let stale: Vec<String> = self.below(setting).map(|(noted, _)| noted.clone()).collect();
        for noted in stale {
            self.gone.retain(|gone| *gone != noted);
            self.noted.remove(&noted);
        }
    }

    /// The origin of a setting that is in no artefact.
    pub fn of(&self, setting: &Setting) -> &Origin {
        let mut pointer = setting.as_str();
        loop {
            if let Some(origin) = self.noted.get(pointer) {
                return origin;
            }
            match pointer.rfind('/') {
                Some(end) => pointer = &pointer[..end],
                None => return &self.world,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_pointer_above_decides_and_a_later_note_covers_what_is_below() {
        let mut origins = Origins::all_from(Origin::Default);
        origins.note(&Setting::fixed("/a/b/c"), Origin::Control);
        assert_eq!(origins.of(&Setting::fixed("/a/b/c/d")), &Origin::Control);
        assert_eq!(origins.of(&Setting::fixed("/a/b/cc")), &Origin::Default);
        assert_eq!(origins.of(&Setting::fixed("/a/b")), &Origin::Default);
        origins.note(&Setting::fixed("/a/b"), Origin::Scenario("x".into()));
        assert_eq!(origins.of(&Setting::fixed("/a/b/c")), &Origin::Scenario("x".into()));
    }
}
