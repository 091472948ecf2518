//! The README is true: what it says to type works as it stands, and it shows real output, what `mocktenant reproduce` prints,
//! with ids and times blanked out.
//!
//! `UPDATE_README=1` writes the output; otherwise the test compares.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod page;
mod run;

use std::process::Command;

use mocktenant_acceptance::binary;

const BEGIN: &str =
    "<!-- reproduce: written by `UPDATE_README=1 cargo test -p mocktenant-acceptance --test readme` -->\n";
const END: &str = "<!-- end of reproduce -->";

/// Exchange ids and durations differ from run to run; nothing else may.
fn stable(output: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in output.lines() {
        let mut words = String::new();
        let mut rest = line;
        while let Some(at) = rest.find("x-") {
            let (before, id) = rest.split_at(at);
            words.push_str(before);
            let end = id[2..]
                .find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit())
                .map_or(id.len(), |end| end + 2);
            if end > 6 {
                words.push_str("x-");
                words.extend(std::iter::repeat_n('0', end - 2));
            } else {
                words.push_str(&id[..end]);
            }
            rest = &id[end..];
        }
        words.push_str(rest);
        if let Some((before, after)) = words.split_once(" exchanges, ")
            && let Some((_, after)) = after.split_once(" ms")
        {
            words = format!("{before} exchanges, 60 ms{after}");
        }
        lines.push(words.trim_end().to_owned());
    }
    lines.join("\n")
}

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
    let shown = stable(&String::from_utf8(output.stdout).unwrap());
    let block = format!("{BEGIN}```console\n$ mocktenant reproduce\n{shown}\n```\n");

    let readme = page::root().join("README.md");
    let text = page::text();
    let begin = text.find(BEGIN).unwrap();
    let end = text.find(END).unwrap();
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&readme, format!("{}{block}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    assert_eq!(
        text[begin..end],
        block,
        "README.md is stale; run: UPDATE_README=1 cargo test -p mocktenant-acceptance --test readme"
    );
}
