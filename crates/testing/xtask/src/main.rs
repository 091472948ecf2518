//! `cargo xtask`: what the repository makes from its own code.
//!
//! `generate` writes the documents below `docs/reference/` and the README's table of scenarios; `generate --check`
//! names the ones that are stale and fails.

use std::process::ExitCode;

use mocktenant_xtask::documents::{self, Document};

const USAGE: &str = "usage: cargo xtask generate [--check]";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer's tool talks to its terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["generate"] => documents::write().map(|written| {
            for Document { path, .. } in written {
                println!("wrote {path}");
            }
            ExitCode::SUCCESS
        }),
        ["generate", "--check"] => documents::stale().map(|stale| {
            for path in &stale {
                eprintln!("stale: {path}");
            }
            if stale.is_empty() {
                ExitCode::SUCCESS
            } else {
                eprintln!("run: cargo xtask generate");
                ExitCode::FAILURE
            }
        }),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
