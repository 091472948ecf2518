//! `docs/clients.md`, which three tests write: each its own part of it.
//!
//! Decides where the parts are that `default_options` and `adfs_clients` write, that a line of a flow that ran is in the
//! page as it is, and that every flow has a line. Never decides what a part says. What stands outside the comments around
//! the parts is `first_token`'s.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::binary::must;
use crate::programs::Language;

const END: &str = "<!-- to here -->\n";

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/clients.md")
}

/// The page as it is.
pub fn text() -> String {
    std::fs::read_to_string(file()).unwrap_or_default()
}

/// Whether the page is to be written rather than compared.
pub fn is_to_be_written() -> bool {
    std::env::var_os("UPDATE_CLIENTS").is_some()
}

/// Writes the page.
///
/// # Panics
/// If that is not possible.
pub fn write(page: &str) {
    must(std::fs::write(file(), page), "docs/clients.md");
}

/// A part of the page that a test of its own writes.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    test: &'static str,
}

/// Programs that run with nothing changed.
pub const UNCHANGED: Part = Part { test: "default_options" };
/// Clients of AD FS.
pub const ADFS: Part = Part { test: "adfs_clients" };
/// Operations of the clients of Dataverse, one by one.
pub const OPERATIONS: Part = Part { test: "operations" };

impl Part {
    fn command(self) -> String {
        format!("UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test {}", self.test)
    }

    fn begin(self) -> String {
        format!("<!-- written by `{}` -->\n", self.command())
    }

    /// What a page has of it.
    pub fn of(self, page: &str) -> &str {
        let begin = self.begin();
        let from = page.find(&begin).map(|at| at + begin.len());
        let part = from.and_then(|from| page.get(from..)).and_then(|rest| rest.split_once(END));
        part.map_or("", |(part, _)| part)
    }

    /// That with the comments that mark it.
    pub fn marked(self, part: &str) -> String {
        format!("{}{part}{END}", self.begin())
    }

    /// Writes the part if asked to; else the lines of what ran are there, and a line for everything else.
    ///
    /// # Panics
    /// If it is stale.
    pub fn is_written<'r>(self, head: &str, rows: impl IntoIterator<Item = &'r Row>, notes: &str) {
        let page = text();
        let there = self.of(&page);
        let mut part = String::from(head);
        for row in rows {
            row.write(&mut part, there);
        }
        part.push_str(notes);
        part.push('\n');
        if is_to_be_written() {
            let (old, new) = (self.marked(there), self.marked(&part));
            assert!(
                page.contains(&old),
                "docs/clients.md has no place for it; let first_token write the page first"
            );
            write(&page.replacen(&old, &new, 1));
            return;
        }
        let other = |one: &str, other: &str| -> String {
            let lines = one.lines().filter(|line| !other.lines().any(|same| same == *line));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert!(
            there == part,
            "docs/clients.md is stale; run: {}\nit has:\n{}\nthis run has:\n{}",
            self.command(),
            other(there, &part),
            other(&part, there)
        );
    }
}

/// What came of a flow.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It ran as it should; what was seen.
    Ran(String),
    /// It cannot be run here.
    Missing(String),
}

/// A client in a table of the page, and what came of its flows.
#[derive(Debug)]
pub struct Row {
    name: &'static str,
    version: String,
    path: String,
    flows: Vec<&'static str>,
    outcomes: Mutex<BTreeMap<usize, Outcome>>,
}

impl Row {
    /// Of a client, its version, its program below `clients/`, and the names of its flows.
    pub fn new(
        name: &'static str,
        version: String,
        language: Language,
        file: &str,
        flows: Vec<&'static str>,
    ) -> Self {
        let inside = match language {
            Language::Go => "/main.go",
            Language::Rust => "/src/main.rs",
            _ => "",
        };
        let path = format!("crates/testing/acceptance/clients/{file}{inside}");
        Self { name, version, path, flows, outcomes: Mutex::default() }
    }

    /// What came of a flow.
    pub fn note(&self, flow: usize, outcome: Outcome) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(flow, outcome);
    }

    fn outcome(&self, flow: usize) -> Option<Outcome> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).get(&flow).cloned()
    }

    /// Whether any of its flows has run.
    pub fn has_run(&self) -> bool {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.values().any(|outcome| matches!(outcome, Outcome::Ran(_)))
    }

    fn write(&self, part: &mut String, there: &str) {
        let client = format!("[{}](../{})", self.name, self.path);
        for (number, flow) in self.flows.iter().enumerate() {
            let line = |result: &str| format!("| {client} | {} | {flow} | {result} |", self.version);
            let is_it = |line: &&str| {
                let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
                matches!(cells.as_slice(), [it, _, as_it, _] if *it == client && as_it == flow)
            };
            let new = match self.outcome(number) {
                Some(Outcome::Ran(said)) => line(&said),
                Some(Outcome::Missing(why)) if is_to_be_written() => {
                    line(&format!("not run where this was written: {why}"))
                }
                // Its own test has said what is wrong, or nobody asked for it.
                _ => there.lines().find(is_it).map_or_else(|| line("not run"), str::to_owned),
            };
            let _ = writeln!(part, "{new}");
        }
    }
}
