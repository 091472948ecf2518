//! The mocktenant command: a Microsoft tenant on localhost, for tests.
//!
//! Decides nothing itself: reads the command line, runs one verb and turns its outcome into an exit code. Only this crate
//! prints.

mod advice;
mod args;
mod client_variables;
mod console;
mod descriptors;
mod exchange_line;
mod failure;
mod find_lab;
mod give_back;
mod huge_pages;
mod journal_file;
mod log;
mod named;
mod screen;
mod settings_format;
mod signals;
mod verbs;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;

/// glibc's allocator hands out what was freed longest ago. Between the rows of a full database such places are many and far
/// apart, and every request, whatever it asks, took half as long again at a million rows; this one gives back what was freed
/// last, and the time is nearly that of an empty one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let began = Instant::now();
    huge_pages::without();
    let cli = match args::Cli::try_parse_from(args::with_default_verb(std::env::args_os())) {
        Ok(cli) => cli,
        // Prints help and version on stdout, mistakes on stderr; exits 0 or 2.
        Err(error) => error.exit(),
    };
    match verbs::run(cli, began) {
        Ok(code) => ExitCode::from(code),
        Err(failure) if failure.nobody_reads() => ExitCode::SUCCESS,
        Err(failure) => {
            console::failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
