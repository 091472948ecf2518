//! The journal file: a line of JSON per exchange, written while a lab serves and read when it is gone.
//!
//! Decides that a file is appended to, that what came faster than it was written is a line with a count, and how much of a
//! file is read: lines are bounded, of a long file the newest are kept, and whatever is not read is said. A file may be cut
//! off in its last line, where its lab was killed. Never explains anything.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use mocktenant_lab::Tree;
use mocktenant_lab::journal::{Record, RecordDocument};
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
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

/// Opens it to append; it is the owner's alone.
pub(crate) fn open(path: &Path) -> Result<File, Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot write the journal file {}", path.display())).because(&error)
    })
}

/// Appends a line of JSON per exchange, those of the start first, until the lab is gone.
pub(crate) fn write(
    mut file: File,
    begun: Vec<Arc<Record>>,
    mut exchanges: Receiver<Arc<Record>>,
) -> io::Result<JoinHandle<()>> {
    let written = begun.last().map_or(0, |record| record.sequence);
    let mut begun = begun.into_iter();
    let mut next = move || match begun.next() {
        Some(record) => Ok(record),
        None => exchanges.blocking_recv(),
    };
    std::thread::Builder::new().name(String::from("journal-file")).spawn(move || {
        let mut last = 0;
        loop {
            let line = match next() {
                // Both read and followed.
                Ok(record) if record.sequence <= written && last >= record.sequence => continue,
                Ok(record) => {
                    last = last.max(record.sequence);
                    json!(record.document())
                }
                Err(RecvError::Lagged(dropped)) => json!({ DROPPED: dropped }),
                Err(RecvError::Closed) => return,
            };
            if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
                console::note(&format!("the journal file cannot be written any more: {error}"));
                return;
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
        let mut dropped = 0_u64;
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
            match read.and_then(|line| RecordDocument::deserialize(&line)) {
                // A file goes on where another lab began to count anew: order is that of the lines.
                Ok(document) => {
                    records.push(Arc::new(Record::from(RecordDocument { sequence: number, ..document })));
                }
                Err(error) if error.is_eof() && self.kept.is_empty() && !line.ends_with(b"\n") => {
                    notes.push(format!("the last line of {name} is cut off and was left out"));
                }
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
        if dropped > 0 {
            notes
                .push(format!("{dropped} exchanges are not in {name}: they came faster than it was written"));
        }
        if records.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("{name} holds no exchange"))
                .hint("`mocktenant serve --journal-file FILE` writes one as soon as a lab has started"));
        }
        Ok(JournalFile { tree: Tree::of(records), notes })
    }
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
        assert_eq!(file.notes, ["7 exchanges are not in f: they came faster than it was written"]);
        assert!(file.tree.get("x-1").unwrap().sequence < file.tree.get("x-2").unwrap().sequence);
    }

    #[test]
    fn a_line_that_is_no_exchange_is_named_by_its_number() {
        for (line, why) in [
            ("garbage", "expected value (column 1)"),
            ("{\"dropped\":-1}", "missing field `sequence`"),
            ("{}", "missing field `sequence`"),
            ("{\"sequence\":1", "EOF while parsing an object (column 13)"),
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
    fn of_a_long_file_the_newest_lines_are_kept_and_the_rest_is_said() {
        let lines: String = (0..100).map(|number| record(&format!("x-{number:02}")) + "\n").collect();
        let file = read(&format!("no exchange\n{lines}"), lines.len() / 10).unwrap();
        assert_eq!(ids(&file).first(), Some(&"x-90"));
        assert_eq!(ids(&file).last(), Some(&"x-99"));
        assert_eq!(file.notes, ["only the newest 64 MiB of f were read: 91 older lines were left out"]);
    }
}
