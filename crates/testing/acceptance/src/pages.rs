//! Pages that are true: what they say to type, or to do in a browser, is done by a test, and what they say is seen was seen.
//!
//! Decides where a block of a page begins and ends, what in an output differs from run to run, and that a page that is stale
//! fails unless `UPDATE_README=1` has it written. Never runs anything.

use std::path::{Path, PathBuf};

use crate::binary::must;

/// The root of the work tree.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    must(root.canonicalize(), "the root of the work tree")
}

/// Whether pages are written rather than compared.
pub fn are_written() -> bool {
    std::env::var_os("UPDATE_README").is_some()
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// What stands behind its first fence.
    pub language: String,
    /// Its lines.
    pub text: String,
}

/// Every fenced block, in the order of the page.
///
/// # Panics
/// If one has no end.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                open = Some(Block { language: language.to_owned(), text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of the page has no end");
    blocks
}

/// Where a reader does what a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Lines of `console` blocks that begin with `$ `.
    Console,
    /// Lines of `browser` blocks that begin with `> `.
    Browser,
}

impl Place {
    fn of_block(language: &str) -> Option<Self> {
        match language {
            "console" => Some(Self::Console),
            "browser" => Some(Self::Browser),
            _ => None,
        }
    }

    fn prompt(self) -> &'static str {
        match self {
            Self::Console => "$ ",
            Self::Browser => "> ",
        }
    }
}

/// The page after everything it says to do was done: `seen` is told the line, where it stands and what the page shows below
/// it, and gives what was seen. A line that ends in a backslash goes on in the next.
pub fn typed(page: &str, mut seen: impl FnMut(Place, &str, &str) -> String) -> String {
    let mut written = String::new();
    let mut lines = page.lines().peekable();
    let mut block: Option<Option<Place>> = None;
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        if let Some(language) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(Place::of_block(language)) };
            continue;
        }
        let Some(place) = block.flatten() else { continue };
        let Some(first) = line.strip_prefix(place.prompt()) else { continue };
        let mut command = first.to_owned();
        while command.ends_with('\\') {
            let Some(more) = lines.next() else { break };
            written.push_str(more);
            written.push('\n');
            command.push('\n');
            command.push_str(more);
        }
        let mut shown = String::new();
        while let Some(line) =
            lines.next_if(|line| !line.starts_with(place.prompt()) && !line.starts_with("```"))
        {
            shown.push_str(line);
            shown.push('\n');
        }
        let seen = seen(place, &command, &shown);
        written.push_str(&seen);
        if !seen.is_empty() && !seen.ends_with('\n') {
            written.push('\n');
        }
    }
    written
}

/// Writes the page where that is asked for; else it has to be what it is.
///
/// # Panics
/// If it is stale; the message has what was expected and how it is written.
pub fn compare(path: &Path, page: &str, how: &str) {
    let there = must(std::fs::read_to_string(path), &path.display().to_string());
    if are_written() {
        if there != page {
            must(std::fs::write(path, page), &path.display().to_string());
        }
        return;
    }
    assert!(there == page, "{} is stale; run: {how}\n{}", path.display(), difference(&there, page));
}

/// The first lines in which two texts differ.
fn difference(there: &str, seen: &str) -> String {
    let (there, seen): (Vec<&str>, Vec<&str>) = (there.lines().collect(), seen.lines().collect());
    let at = there.iter().zip(&seen).take_while(|(left, right)| left == right).count();
    let some = |lines: &[&str]| lines.iter().skip(at).take(12).copied().collect::<Vec<_>>().join("\n");
    format!("from line {} on it says\n{}\nand seen was\n{}", at + 1, some(&there), some(&seen))
}

/// An output without what differs from run to run: exchange ids, times of the day, durations. Nothing else may differ.
pub fn stable(output: &str) -> String {
    output.lines().map(|line| of_line(line).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn of_line(line: &str) -> String {
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
    for (before, unit, always) in [(" exchanges, ", " ms", "60"), ("Ran 2 tests in ", "s", "0.1")] {
        if let Some((front, after)) = words.split_once(before)
            && let Some((_, after)) = after.split_once(unit)
        {
            words = format!("{front}{before}{always}{unit}{after}");
        }
    }
    if words.starts_with(EVENT_DATE) {
        return format!("{EVENT_DATE}1/1/2026 12:00:00 PM");
    }
    ALWAYS.iter().fold(words, |words, (form, always)| of_form(&words, form, always))
}

/// Event Viewer's line with the time of an event, whose numbers have one digit or two.
const EVENT_DATE: &str = "Date:          ";

/// What differs by its form: `d` is a digit, `h` a hexadecimal one, `H` one in capitals, anything else itself.
const ALWAYS: &[(&str, &str)] = &[
    ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "00000000-0000-0000-0000-000000000000"),
    ("{HHHHHHHH-HHHH-HHHH-HHHH-HHHHHHHHHHHH}", "{00000000-0000-0000-0000-000000000000}"),
    ("dddd-dd-dd dd:dd:ddZ", "2026-01-01 12:00:00Z"),
    ("dd:dd:ddZ", "12:00:00Z"),
    ("DE-ddddddddddddd", "DE-1764000000000"),
];

/// How ids begin that are published, and so the same in every run.
const PUBLISHED: &[&str] = &["c0117050-0000-4000-", "5741d100-0000-4000-", "d8230a86-015d-4c14-", "000000"];

fn of_form(line: &str, form: &str, always: &str) -> String {
    let mut written = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let here = rest.get(..form.len()).filter(|here| is_of_form(here, form));
        if let Some(here) = here {
            let published = PUBLISHED.iter().any(|start| here.starts_with(start));
            written.push_str(if published { here } else { always });
            rest = &rest[form.len()..];
        } else {
            written.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    written
}

fn is_of_form(text: &str, form: &str) -> bool {
    text.bytes().zip(form.bytes()).all(|(is, like)| match like {
        b'd' => is.is_ascii_digit(),
        b'h' => is.is_ascii_digit() || (b'a'..=b'f').contains(&is),
        b'H' => is.is_ascii_digit() || (b'A'..=b'F').contains(&is),
        like => is == like,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_times_and_durations_are_the_same_in_every_run_and_nothing_else_is() {
        for (output, always) in [
            ("22:09:54Z 200 entra   11/11 x-SCVX00B.1  ", "12:00:00Z 200 entra   11/11 x-0000000.1"),
            ("Date:          11/29/2026 1:19:22 AM", "Date:          1/1/2026 12:00:00 PM"),
            ("x-mocktenant 30 exchanges, 83 ms", "x-mocktenant 30 exchanges, 60 ms"),
            ("Ran 2 tests in 0.312s", "Ran 2 tests in 0.1s"),
            (
                "Timestamp: 2026-11-28 22:18:21Z of DE-1795904301123",
                "Timestamp: 2026-01-01 12:00:00Z of DE-1764000000000",
            ),
            (
                "c0117050-0000-4000-8000-00000000a002 é DE-010",
                "c0117050-0000-4000-8000-00000000a002 é DE-010",
            ),
            ("ID {2E7DF0F8-1BFD-43C9-8E81-BB2D88CC21E1}F", "ID {00000000-0000-0000-0000-000000000000}F"),
            ("ID: 5b1c9a0e-7e2f-4c11-9c1d-0123456789ab", "ID: 00000000-0000-0000-0000-000000000000"),
        ] {
            assert_eq!(stable(output), always);
        }
    }

    #[test]
    fn what_was_seen_stands_below_each_line_that_was_typed() {
        let page = "a\n```console\n$ one \\\n    more\nold\n> \n$ two\n```\n$ three\n```text\n$ four\n```\n\
                    ```browser\n> five\n$ old\n```\n";
        let mut commands = Vec::new();
        let written = typed(page, |place, command, shown| {
            commands.push(format!("{place:?} {command}|{shown}"));
            String::from("new")
        });
        assert_eq!(commands, ["Console one \\\n    more|old\n> \n", "Console two|", "Browser five|$ old\n"]);
        let right = page.replace("$ old\n", "new\n").replace("old\n> \n", "new\n");
        assert_eq!(written, right.replace("$ two\n", "$ two\nnew\n"));
    }
}
