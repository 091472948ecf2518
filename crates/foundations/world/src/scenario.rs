//! Scenarios: broken worlds with the steps that heal them.
//!
//! Decides how a scenario file is read (strict YAML). Built in is every file in `scenarios/`: the build finds them. A
//! scenario never says which answer to give: its edits make the world wrong, and the failure emerges. `notes` and
//! `expect` are for the documentation; no code but the documentation may read them. The order of the recipe is that of
//! the vendor's article on one-box machines deployed after 15 November 2023.

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError, Size};
use mocktenant_patch::Edit;

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
    /// What breaks the healthy world. One edit, or `reason` says why it takes more.
    pub edits: Vec<Edit>,
    /// Why it takes more than one edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The way back, step by step; all of them together give the healthy world.
    pub steps: Vec<Step>,
    /// For the documentation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// For the documentation only: what is expected to be seen, one line each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Vec<String>>,
}

/// One step of the way back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What a person does, in one line.
    pub title: String,
    /// What that changes.
    pub edits: Vec<Edit>,
    /// The environments to restart afterwards, by their short name: those that read something of this at start.
    #[serde(default)]
    pub restart: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    order: Option<u32>,
    title: String,
    symptom: String,
    edits: Vec<Edit>,
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
    let Written { order, title, symptom, edits, reason, steps, notes, expect } =
        document::read(name, yaml_text, Size::Scenario)?;
    Ok(Scenario { name: name.to_owned(), order, title, symptom, edits, reason, steps, notes, expect })
}

fn embedded(name: &str, text: &str) -> Scenario {
    // Cannot fail: the text is a constant, and a test reads every one of them.
    parse(name, text).expect("a built-in scenario reads")
}
