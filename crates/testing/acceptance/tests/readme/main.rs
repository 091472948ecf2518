//! The README is true: what it says to type works as it stands, and it shows real output, what `mocktenant reproduce` prints,
//! with ids and times blanked out.
//!
//! `UPDATE_README=1` writes the output; otherwise the test compares.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod page;
mod run;

use std::process::Command;

use mocktenant_acceptance::{binary, pages};

const BEGIN: &str =
    "<!-- reproduce: written by `UPDATE_README=1 cargo test -p mocktenant-acceptance --test readme` -->\n";
const END: &str = "<!-- end of reproduce -->";

#[test]
fn the_readme_shows_what_reproduce_prints() {
    let state = tempfile::tempdir().unwrap();
    let output = Command::new(binary::path())
        .args(["reproduce", "--state"])
        .arg(state.path())
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = pages::stable(&String::from_utf8(output.stdout).unwrap());
    let block = format!("{BEGIN}```console\n$ mocktenant reproduce\n{shown}\n```\n");

    let readme = pages::root().join("README.md");
    let text = page::text();
    let begin = text.find(BEGIN).unwrap();
    let end = text.find(END).unwrap();
    if pages::are_written() {
        std::fs::write(&readme, format!("{}{block}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    assert_eq!(
        text[begin..end],
        block,
        "README.md is stale; run: UPDATE_README=1 cargo test -p mocktenant-acceptance --test readme"
    );
}
