//! Tests that are made of a table: their names, what a missing toolchain is, and a page that is judged after all of them.
//!
//! Decides nothing about what they test.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::programs::Missing;
use crate::tools;

/// Letters and digits of a name, and one line between them.
pub fn plain(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_").to_ascii_lowercase()
}

/// A row that says why what it stands for is not run.
pub fn skipped(name: &str, missing: &Missing) -> Trial {
    let why = missing.why.clone();
    let is_failure = missing.is_required && tools::are_required();
    let run = move || Err(Failed::from(format!("{why}, and MOCKTENANT_REQUIRE_CLIENTS is set")));
    Trial::test(format!("{name}: skipped, {}", missing.why), run).with_ignored_flag(!is_failure)
}

/// Runs them all, then the one about the page: only then it is known what came of everybody. `page` judges it and gives
/// something if anybody has run.
pub fn run(
    arguments: &Arguments,
    all: Vec<Trial>,
    name: &'static str,
    page: impl FnOnce() -> Option<()> + Send + 'static,
) -> ExitCode {
    let ran = libtest_mimic::run(arguments, all);
    let mut arguments = arguments.clone();
    if !arguments.list {
        arguments.filter = None;
        arguments.skip.clear();
    }
    let judge = move || {
        let _ = page();
        Ok(())
    };
    let written = libtest_mimic::run(&arguments, vec![Trial::test(name, judge)]);
    if ran.has_failed() || written.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
