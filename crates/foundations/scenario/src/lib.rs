//! Scenarios: broken worlds with the steps that heal them.
//!
//! Decides how a scenario file is read (strict YAML). Built in is every file in `scenarios/`: the build finds and reads them. A
//! scenario never says which answer to give: its edits make the world wrong, and the failure emerges. Its pointers and
//! values name roles ([`Cast`]), so that it breaks other worlds than the default one. `notes` and `expect` are for the
//! documentation; no code but the documentation may read them. The order of the recipe is that of the vendor's article
//! on one-box machines deployed after 15 November 2023.

mod cast;

use mocktenant_patch::{Edit, Operation};
use mocktenant_verdict::Setting;
use serde::{Deserialize, Serialize, Serializer};
use time::Duration;

use mocktenant_patch::document::{self, DocumentError, Size};
use mocktenant_world::pointers::{self, end_of};
use mocktenant_world::{Errand, World, clock_offset, servicing};
use serde_json::json;

pub use cast::{Cast, Part, Vacant};

/// A scenario file that is not what it should be: line, column, message and the nearest valid member.
pub type ScenarioError = DocumentError;

/// The built-in scenarios, in the order they are listed. The first is the default. A new one is a file in `scenarios/`.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// A broken world and the way back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scenario {
    /// Its name, kebab-case: the file's name.
    pub name: String,
    /// Where it is listed among the built-in ones, which all have one: the lowest is the default.
    #[serde(skip_serializing)]
    pub order: Option<u32>,
    /// One line on what is broken.
    pub title: String,
    /// What a person sees, in one line.
    pub symptom: String,
    /// What the caller does while it is told, where that is not what the world says; absent means what it says. It is a setting,
    /// and no step changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub does: Option<Errand>,
    /// The environment it works at while it is told, and whose application its browser opens, where that is not the world's: a
    /// role. Settings too, and no step changes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What breaks the healthy world before anything starts. One edit, or `reason` says why it takes more.
    pub edits: Vec<Edit>,
    /// What is done after the start: the world moved, and a running product may not have noticed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Act>,
    /// Why it takes more than one edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The way back, step by step; all of them together give the healthy world, but for what the caller does and where.
    pub steps: Vec<Step>,
    /// For the documentation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// For the documentation only: what is expected to be seen, one line each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Vec<String>>,
}

/// What is done to a running lab, in the order of its members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenAct")]
pub struct Act {
    /// Pointers at which the world becomes again what it was in the beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<Setting>,
    /// What changes besides. A removal of what is not there is done already.
    pub edits: Vec<Edit>,
    /// How long the lab's clock moves on.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "waited")]
    pub wait: Option<Duration>,
    /// Environments that are serviced, by their short names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servicing: Vec<String>,
    /// What is restarted: an environment by its short name, or one node of it, `environment/node`.
    pub restart: Vec<String>,
}

/// One step of the way back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenStep")]
pub struct Step {
    /// What a person does, in one line; roles stand here too.
    pub title: String,
    /// The same on the real product: a click path or a command of PowerShell each, which may have several lines; roles
    /// stand here too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub how: Vec<String>,
    /// The vendor's page on it, an https address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub see: Option<String>,
    /// The same for the lab.
    #[serde(flatten)]
    pub act: Act,
}

impl Scenario {
    /// What is done before the start, as the rest is done after it.
    pub fn before(&self) -> Act {
        let caller = pointers::caller();
        let does = self.does.map(|does| Edit::add(caller.does(), json!(does)));
        let at = self.at.iter().flat_map(|at| {
            let of = |setting: Setting| Edit::add(setting, at.as_str());
            [of(caller.environment()), of(caller.sign_in().provider())]
        });
        let edits = does.into_iter().chain(at).chain(self.edits.iter().cloned()).collect();
        Act { edits, ..Act::default() }
    }
}

impl Act {
    /// The edits that this is in `world`, which began as `base`. Roles are names by now.
    pub fn edits_in(&self, world: &World, base: &World) -> Vec<Edit> {
        let restored = self.restore.iter().filter_map(|pointer| restored(pointer, world, base));
        let mut edits: Vec<Edit> = restored.collect();
        let comes_back = |path: &Setting| {
            self.restore.iter().any(|pointer| path.is_within(pointer)) && base.get(path).is_some()
        };
        let needed = |edit: &&Edit| {
            edit.op != Operation::Remove || world.get(&edit.path).is_some() || comes_back(&edit.path)
        };
        edits.extend(self.edits.iter().filter(needed).cloned());
        let serviced = self.servicing.iter().filter_map(|name| world.environment(name));
        edits.extend(serviced.flat_map(|environment| servicing::edits(environment)));
        edits
    }
}

/// The edit that makes a pointer what it is in `base`; none where it is that.
fn restored(pointer: &Setting, world: &World, base: &World) -> Option<Edit> {
    let (now, then) = (world.get(pointer), base.get(pointer));
    if now == then {
        return None;
    }
    let Some(then) = then else { return Some(Edit::remove(pointer.clone())) };
    let (parent, _) = pointer.as_str().rsplit_once('/')?;
    let parent = Setting::from_pointer(parent);
    // An element of a list is addressed by its own value, and comes back at the end.
    let in_list = base.get(&parent).is_some_and(serde_json::Value::is_array);
    Some(Edit::add(if in_list { end_of(&parent) } else { pointer.clone() }, then.clone()))
}

#[expect(clippy::ref_option, reason = "serde hands a member over as it is")]
fn waited<S: Serializer>(wait: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = wait.map(clock_offset::to_text).unwrap_or_default();
    serializer.serialize_str(text.trim_start_matches('+'))
}

/// An edit whose roles there are.
#[derive(Deserialize)]
#[serde(try_from = "Edit")]
struct Line(Edit);

impl TryFrom<Edit> for Line {
    type Error = String;

    fn try_from(edit: Edit) -> Result<Self, String> {
        cast::known_in(&edit).map(|()| Self(edit))
    }
}

/// A pointer, likewise.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Place(Setting);

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(pointer: String) -> Result<Self, String> {
        mocktenant_verdict::pointer_tokens(&pointer)?;
        cast::known(&pointer).map(|()| Self(Setting::from_pointer(pointer)))
    }
}

/// What is restarted, likewise.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Machine(String);

impl TryFrom<String> for Machine {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        cast::known(&name).map(|()| Self(name))
    }
}

/// One line for a person, likewise.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Words(String);

impl TryFrom<String> for Words {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() || text.contains(char::is_control) {
            return Err(format!("{text:?} is not one line of words"));
        }
        cast::known(&text).map(|()| Self(text))
    }
}

/// What a person does by hand: words, or lines to paste as they stand.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ByHand(String);

impl TryFrom<String> for ByHand {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.lines().try_for_each(|line| Words::try_from(line.to_owned()).map(drop))?;
        // A text without any line has no words either.
        if text.is_empty() { Words::try_from(text).map(|words| Self(words.0)) } else { Ok(Self(text)) }
    }
}

/// The address of a page.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Page(String);

impl TryFrom<String> for Page {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let host = text.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if printable && host.is_some_and(|host| !host.is_empty()) {
            return Ok(Self(text));
        }
        Err(format!("{text:?} is no https address of a page"))
    }
}

/// A time to wait.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Wait(Duration);

impl TryFrom<String> for Wait {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let unsigned = !text.starts_with(['+', '-']);
        let read = unsigned.then(|| clock_offset::parse(&format!("+{text}"), &Setting::fixed("")).ok());
        let why = || format!("`{text}` is no time to wait, as `10m` or `1d2h30m` are");
        read.flatten().filter(|time| time.is_positive()).map(Self).ok_or_else(why)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAct {
    #[serde(default)]
    restore: Vec<Place>,
    #[serde(default)]
    edits: Vec<Line>,
    #[serde(default)]
    wait: Option<Wait>,
    #[serde(default)]
    servicing: Vec<Machine>,
    #[serde(default)]
    restart: Vec<Machine>,
}

impl TryFrom<WrittenAct> for Act {
    type Error = String;

    fn try_from(written: WrittenAct) -> Result<Self, String> {
        let act = Self {
            restore: written.restore.into_iter().map(|Place(pointer)| pointer).collect(),
            edits: written.edits.into_iter().map(|Line(edit)| edit).collect(),
            wait: written.wait.map(|Wait(time)| time),
            servicing: written.servicing.into_iter().map(|Machine(name)| name).collect(),
            restart: written.restart.into_iter().map(|Machine(name)| name).collect(),
        };
        if act == Self::default() {
            return Err(
                "nothing is done here: `restore`, `edits`, `wait`, `servicing` or `restart` is missing"
                    .to_owned(),
            );
        }
        Ok(act)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    title: String,
    #[serde(default)]
    how: Vec<ByHand>,
    #[serde(default)]
    see: Option<Page>,
    #[serde(default)]
    restore: Vec<Place>,
    #[serde(default)]
    edits: Vec<Line>,
    #[serde(default)]
    wait: Option<Wait>,
    #[serde(default)]
    servicing: Vec<Machine>,
    #[serde(default)]
    restart: Vec<Machine>,
}

impl TryFrom<WrittenStep> for Step {
    type Error = String;

    fn try_from(
        WrittenStep { title, how, see, restore, edits, wait, servicing, restart }: WrittenStep,
    ) -> Result<Self, Self::Error> {
        cast::known(&title)?;
        Ok(Self {
            title,
            how: how.into_iter().map(|ByHand(lines)| lines).collect(),
            see: see.map(|Page(address)| address),
            act: WrittenAct { restore, edits, wait, servicing, restart }.try_into()?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    order: Option<u32>,
    title: String,
    symptom: String,
    #[serde(default)]
    does: Option<Errand>,
    #[serde(default)]
    at: Option<Words>,
    edits: Vec<Line>,
    #[serde(default)]
    after: Vec<Act>,
    #[serde(default)]
    reason: Option<String>,
    steps: Vec<Step>,
    #[serde(default)]
    notes: Option<String>,
    #[serde(default)]
    expect: Option<Vec<String>>,
}

/// The built-in scenarios, the default one first.
pub fn all() -> Vec<Scenario> {
    EMBEDDED.iter().map(|(name, text)| embedded(name, text)).collect()
}

/// The built-in scenario of this name.
pub fn find(name: &str) -> Option<Scenario> {
    EMBEDDED.iter().find(|(known, _)| *known == name).map(|(name, text)| embedded(name, text))
}

/// The names of the built-in scenarios, the default one first.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// The name of the default scenario.
pub fn default_name() -> &'static str {
    // Cannot fail: a build without a scenario is none.
    names().next().expect("there is a built-in scenario")
}

/// Reads a scenario file. `name` is the scenario's name, and the document's in an error.
pub fn parse(name: &str, yaml_text: &str) -> Result<Scenario, ScenarioError> {
    Ok(scenario(name, document::read(name, yaml_text, Size::Scenario)?))
}

fn scenario(name: &str, written: Written) -> Scenario {
    let Written { order, title, symptom, does, at, edits, after, reason, steps, notes, expect } = written;
    let (name, edits) = (name.to_owned(), edits.into_iter().map(|Line(edit)| edit).collect());
    let at = at.map(|Words(at)| at);
    Scenario { name, order, title, symptom, does, at, edits, after, reason, steps, notes, expect }
}

fn embedded(name: &str, json: &str) -> Scenario {
    // Cannot fail: the text is a constant, and a test reads every one of them.
    scenario(name, document::built(name, json).expect("a built-in scenario reads"))
}
