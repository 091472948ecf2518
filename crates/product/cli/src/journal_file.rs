//! The journal file: a line of JSON per exchange, written while a lab serves and read when it is gone.
//!
//! Decides that a file is appended to, that what came faster than it was written, or while it could not be written, is a
//! line with a count, and how much of a file is read: lines are bounded, of a long file the newest are kept, and whatever is
//! not read is said. A line may be cut off anywhere: a lab was killed there, or its disk was full. Whoever appends next ends
//! that line first, and a reader goes on behind it. Never explains anything.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use mocktenant_lab::Tree;
use mocktenant_lab::journal::{Journal, Record, RecordDocument};
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::console;
use crate::failure::{Exit, Failure};

/// Longest line read, in bytes: more than a record with both bodies at their budget, every byte of them escaped.
const LINE_BUDGET: usize = 4 * MIB;
/// How much of a file is kept, in bytes.
const FILE_BUDGET: usize = 64 * MIB;
const MIB: usize = 1024 * 1024;

/// The member of a line that says how many exchanges are missing there.
const DROPPED: &str = "dropped";

/// How many exchanges are missing where this line is.
fn missing(line: &Value) -> Option<u64> {
    line.as_object().filter(|members| members.len() == 1)?.get(DROPPED)?.as_u64()
}

/// A file that is appended to.
#[derive(Debug)]
pub(crate) struct Appended {
    file: File,
    /// What it ends in is no whole line.
    torn: bool,
    /// Exchanges that could not be written, not told yet.
    missing: u64,
}

/// Opens it to append; it is the owner's alone.
pub(crate) fn open(path: &Path) -> Result<Appended, Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot write the journal file {}", path.display())).because(&error)
    })?;
    Ok(Appended { file, torn: ends_torn(path).unwrap_or(false), missing: 0 })
}

/// Whether a file that an earlier lab left behind ends in the middle of a line.
fn ends_torn(path: &Path) -> io::Result<bool> {
    // What cannot be measured (a pipe, a terminal) has no end to look at, and reading it would wait.
    let found = std::fs::metadata(path)?;
    if !found.is_file() || found.len() == 0 {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0_u8];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

impl Appended {
    fn exchange(&mut self, line: &Value) -> io::Result<()> {
        let written = self.line(line);
        if written.is_err() {
            self.missing = self.missing.saturating_add(1);
        }
        written
    }

    fn dropped(&mut self, dropped: u64) -> io::Result<()> {
        self.missing = self.missing.saturating_add(dropped);
        self.tell_missing()
    }

    fn line(&mut self, line: &Value) -> io::Result<()> {
        self.tell_missing()?;
        self.append(format!("{line}\n"))
    }

    fn tell_missing(&mut self) -> io::Result<()> {
        if self.missing > 0 {
            self.append(format!("{}\n", json!({ DROPPED: self.missing })))?;
            self.missing = 0;
        }
        Ok(())
    }

    /// A line that could not be written to its end is ended by the next one.
    fn append(&mut self, mut text: String) -> io::Result<()> {
        if self.torn {
            text.insert(0, '\n');
        }
        self.torn = true;
        self.file.write_all(text.as_bytes())?;
        self.torn = false;
        Ok(())
    }
}

/// Appends a line of JSON per exchange, those of the start first, until the lab is gone. A file that cannot be written, on
/// a full disk for instance, is tried again with the next exchange.
pub(crate) fn write(mut file: Appended, journal: &Journal) -> io::Result<JoinHandle<()>> {
    // Followed before it is read, so that nothing falls between the two.
    let mut exchanges = journal.follow();
    let begun = journal.records();
    let written = begun.last().map_or(0, |record| record.sequence);
    let mut begun = begun.into_iter();
    let mut next = move || match begun.next() {
        Some(record) => Ok(record),
        None => exchanges.blocking_recv(),
    };
    std::thread::Builder::new().name(String::from("journal-file")).spawn(move || {
        let mut last = 0;
        let mut well = true;
        loop {
            let outcome = match next() {
                // Both read and followed.
                Ok(record) if record.sequence <= written && last >= record.sequence => continue,
                Ok(record) => {
                    last = last.max(record.sequence);
                    file.exchange(&json!(record.document()))
                }
                Err(RecvError::Lagged(dropped)) => file.dropped(dropped),
                Err(RecvError::Closed) => {
                    // The last chance to say so; whether it fails has been said.
                    let _ = file.tell_missing();
                    return;
                }
            };
            match outcome {
                Err(error) if well => {
                    console::note(&format!("the journal file cannot be written: {error}"));
                    well = false;
                }
                Err(_) => {}
                Ok(()) if !well => {
                    console::note("the journal file is written again");
                    well = true;
                }
                Ok(()) => {}
            }
        }
    })
}

/// What a journal file holds.
#[derive(Debug)]
pub(crate) struct JournalFile {
    /// Its exchanges.
    pub(crate) tree: Tree,
    /// What it does not hold or was not read, for a person.
    pub(crate) notes: Vec<String>,
}

/// Reads a file: all of it, or its newest lines.
pub(crate) fn read(path: &Path) -> Result<JournalFile, Failure> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
    Lines::read(&name, BufReader::new(file), FILE_BUDGET)?.parse(&name)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("cannot read the journal file {name}")).because(error)
}

fn no_exchange(name: &str, line: u64, why: String) -> Failure {
    Failure::new(Exit::Usage, format!("line {line} of {name} is no exchange"))
        .because(&io::Error::other(why))
        .hint("a journal file is what `mocktenant serve --journal-file FILE` writes: one exchange as JSON per line")
}

/// The newest lines of a file, with their numbers from 1.
struct Lines {
    kept: VecDeque<(u64, Vec<u8>)>,
    left_out: u64,
}

impl Lines {
    fn read(name: &str, mut reader: impl BufRead, budget: usize) -> Result<Self, Failure> {
        let mut lines = Self { kept: VecDeque::new(), left_out: 0 };
        let mut bytes = 0;
        for number in 1.. {
            let mut line = Vec::new();
            let limit = LINE_BUDGET as u64 + 1;
            let read = reader.by_ref().take(limit).read_until(b'\n', &mut line);
            if read.map_err(|error| unreadable(name, &error))? == 0 {
                break;
            }
            if line.len() > LINE_BUDGET {
                let why = format!("it is longer than {} MiB", LINE_BUDGET / MIB);
                return Err(no_exchange(name, number, why));
            }
            bytes += line.len();
            lines.kept.push_back((number, line));
            while bytes > budget && lines.kept.len() > 1 {
                bytes -= lines.kept.pop_front().map_or(0, |(_, line)| line.len());
                lines.left_out += 1;
            }
        }
        Ok(lines)
    }

    fn parse(mut self, name: &str) -> Result<JournalFile, Failure> {
        let mut records = Vec::new();
        let mut notes = Vec::new();
        if self.left_out > 0 {
            let newest = FILE_BUDGET / MIB;
            notes.push(format!(
                "only the newest {newest} MiB of {name} were read: {} older lines were left out",
                self.left_out
            ));
        }
        let (mut dropped, mut torn) = (0_u64, 0_u64);
        while let Some((number, line)) = self.kept.pop_front() {
            let text = line.trim_ascii_end();
            if text.is_empty() {
                continue;
            }
            // By way of a value: the shape is read in one way in this program.
            let read = serde_json::from_slice::<Value>(text);
            if let Some(missing) = read.as_ref().ok().and_then(missing) {
                dropped = dropped.saturating_add(missing);
                continue;
            }
            let outcome = read.and_then(|line| RecordDocument::deserialize(&line));
            // Where nobody ended a line that was cut off, the next one follows in it.
            let (outcome, cut) = match outcome {
                Err(error) => match behind_a_cut(text) {
                    Some(document) => (Ok(document), true),
                    None => (Err(error), false),
                },
                whole => (whole, false),
            };
            torn += u64::from(cut);
            match outcome {
                // A file goes on where another lab began to count anew: order is that of the lines.
                Ok(document) => {
                    records.push(Arc::new(Record::from(RecordDocument { sequence: number, ..document })));
                }
                Err(error) if error.is_eof() && self.kept.is_empty() && !line.ends_with(b"\n") => {
                    notes.push(format!("the last line of {name} is cut off and was left out"));
                }
                Err(error) if error.is_eof() && is_cut(text) => torn += 1,
                Err(error) => {
                    // It counts lines within the line, which is one.
                    let said = error.to_string();
                    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
                    let column = match error.column() {
                        0 => String::new(),
                        column => format!(" (column {column})"),
                    };
                    return Err(no_exchange(name, number, format!("{what}{column}")));
                }
            }
        }
        if torn > 0 {
            notes.push(format!("{torn} lines of {name} are cut off and were left out"));
        }
        if dropped > 0 {
            notes
                .push(format!("{dropped} exchanges are not in {name}: they came faster than it was written, or it could not be"));
        }
        if records.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("{name} holds no exchange"))
                .hint("`mocktenant serve --journal-file FILE` writes one as soon as a lab has started"));
        }
        Ok(JournalFile { tree: Tree::of(records), notes })
    }
}

/// What an exchange's line begins with. Inside one it cannot stand: quotes there are escaped.
const BEGINNING: &[u8] = br#"{"sequence":"#;

/// Whether that is the beginning of a line of ours, however little of it.
fn is_cut(text: &[u8]) -> bool {
    let begins = |whole: &[u8]| text.starts_with(whole) || whole.starts_with(text);
    begins(BEGINNING) || begins(br#"{"dropped":"#)
}

/// The whole exchange at the end of a line that begins with a part of another one.
fn behind_a_cut(line: &[u8]) -> Option<RecordDocument> {
    let at = line.windows(BEGINNING.len()).rposition(|bytes| bytes == BEGINNING).filter(|at| *at > 0)?;
    let (cut, behind) = line.split_at(at);
    if !is_cut(cut) {
        return None;
    }
    let document = serde_json::from_slice::<Value>(behind).ok()?;
    RecordDocument::deserialize(&document).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str) -> String {
        format!(
            r#"{{"sequence":1,"id":"{id}","parent":null,"kind":"start","at":"2026-11-22T12:00:00Z","surface":"aos","endpoint":"","error":null,"checks":[],"facts":[],"activities":{{}},"micros":0,"generation":1}}"#
        )
    }

    fn read(text: &str, budget: usize) -> Result<JournalFile, Failure> {
        Lines::read("f", text.as_bytes(), budget)?.parse("f")
    }

    fn ids(file: &JournalFile) -> Vec<&str> {
        file.tree.records().iter().map(|record| &*record.id).collect()
    }

    #[test]
    fn lines_are_read_in_order_with_what_is_missing_between_them() {
        let text =
            format!("{}\n\n{{\"dropped\":3}}\r\n{}\r\n{{\"dropped\":4}}\n", record("x-1"), record("x-2"));
        let file = read(&text, FILE_BUDGET).unwrap();
        assert_eq!(ids(&file), ["x-1", "x-2"]);
        assert_eq!(
            file.notes,
            ["7 exchanges are not in f: they came faster than it was written, or it could not be"]
        );
        assert!(file.tree.get("x-1").unwrap().sequence < file.tree.get("x-2").unwrap().sequence);
    }

    #[test]
    fn a_line_that_is_no_exchange_is_named_by_its_number() {
        for (line, why) in [
            ("garbage", "expected value (column 1)"),
            ("{\"dropped\":-1}", "missing field `sequence`"),
            ("{}", "missing field `sequence`"),
        ] {
            let failure =
                read(&format!("{}\n{line}\n{}\n", record("x-1"), record("x-2")), FILE_BUDGET).unwrap_err();
            let said = failure.to_string();
            assert_eq!(failure.exit_code(), 2);
            assert!(said.starts_with("error: line 2 of f is no exchange\ncaused by: "), "{said}");
            assert!(said.contains(why) && said.contains("\nhint: "), "{said}");
        }
        let long = read(&"x".repeat(LINE_BUDGET + 1), FILE_BUDGET).unwrap_err().to_string();
        assert!(long.contains("line 1 of f") && long.contains("longer than 4 MiB"), "{long}");
        for nothing in ["", "\n \n", "{\"dropped\":1}\n"] {
            let failure = read(nothing, FILE_BUDGET).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(failure.to_string().starts_with("error: f holds no exchange"), "{failure}");
        }
    }

    #[test]
    fn a_file_that_a_killed_lab_left_is_read_up_to_where_it_was_cut() {
        let whole = format!("{}\n{}", record("x-1"), record("x-2"));
        assert_eq!(ids(&read(&whole, FILE_BUDGET).unwrap()), ["x-1", "x-2"]);
        let cut = read(&whole[..whole.len() - 1], FILE_BUDGET).unwrap();
        assert_eq!(ids(&cut), ["x-1"]);
        assert_eq!(cut.notes, ["the last line of f is cut off and was left out"]);
        assert!(read(&format!("{}\ngarbage", record("x-1")), FILE_BUDGET).is_err());
    }

    #[test]
    fn what_was_cut_off_within_a_file_is_said_and_what_follows_is_read() {
        let (one, two, three) = (record("x-1"), record("x-2"), record("x-3"));
        for cut in [1, 13, 40, one.len() - 1] {
            // As a later lab leaves it, which ended the line, and as an earlier version did, which went on in it.
            for between in ["\n", ""] {
                let text = format!("{two}\n{}{between}{three}\n", &one[..cut]);
                let file = read(&text, FILE_BUDGET).unwrap();
                assert_eq!(ids(&file), ["x-2", "x-3"], "{cut} {between:?}");
                assert_eq!(file.notes, ["1 lines of f are cut off and were left out"]);
            }
        }
    }

    #[test]
    fn a_file_that_ends_in_a_torn_line_is_ended_before_anything_is_appended() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("lab.jsonl");
        for (left, expected) in [("", "{}\n"), ("{}\n", "{}\n{}\n"), ("{\"seq", "{\"seq\n{}\n")] {
            std::fs::write(&path, left).unwrap();
            open(&path).unwrap().exchange(&json!({})).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_could_not_be_written_is_counted_once_it_can() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("lab.jsonl");
        let mut full = open(Path::new("/dev/full")).unwrap();
        full.exchange(&json!({})).unwrap_err();
        full.exchange(&json!({})).unwrap_err();
        full.file = open(&path).unwrap().file;
        full.exchange(&json!({})).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\n{\"dropped\":2}\n{}\n");
    }

    #[test]
    fn of_a_long_file_the_newest_lines_are_kept_and_the_rest_is_said() {
        let lines: String = (0..100).map(|number| record(&format!("x-{number:02}")) + "\n").collect();
        let file = read(&format!("no exchange\n{lines}"), lines.len() / 10).unwrap();
        assert_eq!(ids(&file).first(), Some(&"x-90"));
        assert_eq!(ids(&file).last(), Some(&"x-99"));
        assert_eq!(file.notes, ["only the newest 64 MiB of f were read: 91 older lines were left out"]);
    }
}
