//! `docs/clients.md`, which two tests write: each its own part of it.
//!
//! Decides where the part is that `default_options` writes, and whether anything is to be written. Never decides what a
//! part says. What stands outside the two comments is `first_token`'s.

use std::path::{Path, PathBuf};

use crate::binary::must;

const BEGIN: &str =
    "<!-- written by `UPDATE_CLIENTS=1 cargo test -p mocktenant-acceptance --test default_options` -->\n";
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

/// What a page has of programs that run with nothing changed.
pub fn unchanged_of(page: &str) -> &str {
    let from = page.find(BEGIN).map(|at| at + BEGIN.len());
    let part = from.and_then(|from| page.get(from..)).and_then(|rest| rest.split_once(END));
    part.map_or("", |(part, _)| part)
}

/// That part with the comments that mark it.
pub fn marked(part: &str) -> String {
    format!("{BEGIN}{part}{END}")
}
