//! What an exchange writes: checks, facts, the ids people paste, and how many calls it made.
//!
//! Decides that the error of the first failed check is the exchange's. What a start already holds is put on a trail as
//! [`SharedFacts`], not copied. Nothing here reads anything: that is [`crate::Context`], so that a check may hold on to
//! what it asked about while its answer is written down.

use std::borrow::Cow;
use std::sync::Arc;

use mocktenant_verdict::{Check, Input, Role, Setting, Text, heap_of};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::masking;
use crate::record::bound;

/// The fact that the lab has not what was asked for.
pub const NOT_BUILT: &str = "not-built";
/// The fact that says what it has instead.
pub const BUILT_HERE: &str = "built-here";
/// The fact that names which part of a request was refused, and as what it stood there.
pub const REFUSED: &str = "refused";
/// The fact that says what would have been taken.
pub const EXPECTED: &str = "expected";

/// Something an exchange learnt or used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Stable name, kebab-case, for instance `client-id`.
    pub name: Cow<'static, str>,
    /// Its value as a person reads it.
    pub value: Text,
    /// The setting it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// For a value read at the last start: the setting's value then (`null` when it was absent).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "masked",
        deserialize_with = "present"
    )]
    pub read_at_start: Option<Value>,
    /// What it is used as; a question of the same role may depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// For a value that calls are made with: how another one would be declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Arc<Input>>,
}

/// Facts keep what was read, so that a later change can be told; what leaves memory is masked.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn masked<S: Serializer>(read: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    read.as_ref().map(masking::setting_value).serialize(serializer)
}

/// A `null` that is there was read as `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Fact {
    /// A fact that came from no setting.
    pub fn new(name: &'static str, value: impl Into<Text>) -> Self {
        let (name, value) = (Cow::Borrowed(name), value.into());
        Self { name, value, setting: None, read_at_start: None, role: None, input: None }
    }

    /// With what it is used as.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// With how calls use it, and so with what it is used as.
    #[must_use]
    pub fn used(mut self, input: Input) -> Self {
        self.role = Some(input.role);
        self.input = Some(Arc::new(input));
        self
    }

    /// What was read at the start and what is declared now, private keys masked, as they may be shown.
    pub fn shown(value: &Value) -> Value {
        masking::setting_value(value)
    }

    /// With the setting it came from, as it is in the current world.
    #[must_use]
    pub fn from(mut self, setting: Setting) -> Self {
        self.setting = Some(setting);
        self
    }

    /// With the setting it came from as it stood at the last start; `read` is its value then.
    #[must_use]
    pub fn read(mut self, setting: Setting, read: Value) -> Self {
        self.setting = Some(setting);
        self.read_at_start = Some(read);
        self
    }

    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>()
            + self.name.len()
            + self.value.len()
            + self.setting.as_ref().map_or(0, |setting| setting.as_str().len())
            + self.read_at_start.as_ref().map_or(0, heap_of)
            + self.input.as_ref().map_or(0, |input| input.weight())
    }
}

/// Facts that a start holds for every exchange after it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SharedFacts {
    facts: Arc<[Fact]>,
    weight: usize,
}

impl SharedFacts {
    /// Every fact.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }
}

impl FromIterator<Fact> for SharedFacts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        let facts: Arc<[Fact]> = facts.into_iter().collect();
        let weight = facts.iter().map(Fact::weight).sum();
        Self { facts, weight }
    }
}

#[derive(Clone, Debug)]
enum Entry {
    One(Fact),
    Shared(SharedFacts),
}

/// Facts in the order learnt.
#[derive(Clone, Debug, Default)]
pub struct Facts(Vec<Entry>);

impl Facts {
    /// Every fact.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter().flat_map(|entry| match entry {
            Entry::One(fact) => std::slice::from_ref(fact),
            Entry::Shared(shared) => &shared.facts,
        })
    }

    /// The first fact of this name.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.iter().find(|fact| fact.name == name)
    }

    /// Cuts every value to the journal's budget. What a start holds is the world's text, not a caller's.
    pub(crate) fn bound(&mut self) {
        for entry in &mut self.0 {
            if let Entry::One(fact) = entry {
                bound(&mut fact.value);
            }
        }
    }

    /// About what they occupy, in bytes. What is shared counts in full: the journal may be the last to hold it.
    pub(crate) fn weight(&self) -> usize {
        let weights = self.0.iter().map(|entry| match entry {
            Entry::One(fact) => size_of::<Entry>() + fact.weight(),
            Entry::Shared(shared) => size_of::<Entry>() + shared.weight,
        });
        weights.sum()
    }
}

impl<'f> IntoIterator for &'f Facts {
    type Item = &'f Fact;
    type IntoIter = Box<dyn Iterator<Item = &'f Fact> + 'f>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl FromIterator<Fact> for Facts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        Self(facts.into_iter().map(Entry::One).collect())
    }
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for fact in self.iter() {
            list.serialize_element(fact)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Fact>::deserialize(deserializer).map(|facts| facts.into_iter().collect())
    }
}

/// What one exchange has written so far.
#[derive(Debug, Default)]
pub struct Trail {
    pub(crate) checks: Vec<Check>,
    pub(crate) facts: Facts,
    pub(crate) error: Option<Cow<'static, str>>,
    pub(crate) activities: Vec<(Cow<'static, str>, Box<str>)>,
    pub(crate) calls: u32,
}

impl Trail {
    /// Records checks. The error of the first failed one becomes the exchange's error.
    pub fn record_checks(&mut self, checks: Vec<Check>) {
        if self.error.is_none() {
            self.error = checks.iter().find(|check| check.failed()).and_then(|check| check.error.clone());
        }
        if self.checks.is_empty() {
            self.checks = checks;
        } else {
            self.checks.extend(checks);
        }
    }

    /// Records the product's identifier of a refusal that no check decided.
    pub fn record_error(&mut self, id: impl Into<Cow<'static, str>>) {
        self.error.get_or_insert(id.into());
    }

    /// Records a fact.
    pub fn fact(&mut self, name: &'static str, value: impl Into<Text>) {
        self.facts.0.push(Entry::One(Fact::new(name, value)));
    }

    /// The first fact of this name, of those learnt so far.
    pub fn learnt(&self, name: &str) -> Option<&Fact> {
        self.facts.get(name)
    }

    /// Records a fact that came from a setting in the current world.
    pub fn fact_from(&mut self, name: &'static str, value: impl Into<Text>, setting: Setting) {
        self.facts.0.push(Entry::One(Fact::new(name, value).from(setting)));
    }

    /// Records that the real product has `what` and this lab has not; `built` says what it has instead. The answer is the
    /// product's own for "cannot", and this is how a person is told: the journal, the log and `explain` say so. Nothing
    /// that changes the meaning of a request is passed over instead.
    pub fn not_built(&mut self, what: impl Into<Text>, built: impl Into<Text>) {
        self.fact(NOT_BUILT, what);
        let built = built.into();
        if !built.is_empty() {
            self.fact(BUILT_HERE, built);
        }
    }

    /// Records which part of a request the product would not take, and what it takes there: its own answer often names
    /// neither.
    pub fn refused(&mut self, what: impl Into<Text>, expected: impl Into<Text>) {
        self.fact(REFUSED, what);
        self.fact(EXPECTED, expected);
    }

    /// Takes over what was written about a part of the request, as if it had been written here.
    pub fn absorb(&mut self, part: Trail) {
        let Trail { checks, facts, error, activities, calls } = part;
        self.record_checks(checks);
        self.facts.0.extend(facts.0);
        if let Some(error) = error {
            self.record_error(error);
        }
        self.activities.extend(activities);
        self.calls = self.calls.saturating_add(calls);
    }

    /// Records facts that a start holds.
    pub fn share(&mut self, facts: &SharedFacts) {
        self.facts.0.push(Entry::Shared(facts.clone()));
    }

    /// Records an id people paste, for instance `("request-id", guid)`: Microsoft's words are request id, correlation id
    /// and activity id.
    pub fn activity(&mut self, name: &'static str, value: impl Into<Box<str>>) {
        self.activities.push((Cow::Borrowed(name), value.into()));
    }

    /// The id of this kind that was recorded already.
    pub fn activity_called(&self, name: &str) -> Option<&str> {
        self.activities.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shared_facts_stand_where_they_were_put_and_weigh_like_others() {
        let held: SharedFacts =
            [Fact::new("a", "1").read(Setting::fixed("/a"), json!("one"))].into_iter().collect();
        let mut trail = Trail::default();
        trail.fact("first", "x");
        trail.share(&held);
        trail.fact("last", "y");
        let names: Vec<_> = trail.facts.iter().map(|fact| &*fact.name).collect();
        assert_eq!(names, ["first", "a", "last"]);
        assert_eq!(trail.facts.get("a").unwrap().read_at_start, Some(json!("one")));
        let alone: Facts =
            [Fact::new("a", "1").read(Setting::fixed("/a"), json!("one"))].into_iter().collect();
        let mut shared = Trail::default();
        shared.share(&held);
        assert_eq!(shared.facts, alone);
        assert_eq!(shared.facts.weight(), alone.weight());
    }

    #[test]
    fn facts_read_back_what_they_wrote() {
        let facts: Facts = [
            Fact::new("a", "1"),
            Fact::new("b", "2").from(Setting::fixed("/b")),
            Fact::new("c", "").read(Setting::fixed("/c"), Value::Null),
        ]
        .into_iter()
        .collect();
        let written = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Facts>(&written).unwrap(), facts, "{written}");
    }
}
