//! Everything that is printed.
//!
//! Decides that nothing a stranger sent reaches a terminal as a control character, or as one that reorders or hides its
//! neighbours. Lines about exchanges come from the journal, which a thread of their own looks at now and then:
//! what it cannot keep up with is dropped with a count, and no exchange ever waits for a terminal or wakes anybody.

use std::io::{self, Write as _};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) use mocktenant_diagnosis::shell_word as quoted;
use mocktenant_lab::journal::{Batch, Reader, Record};
pub(crate) use mocktenant_verdict::foreign::harmless;

use crate::advice::Advisor;
use crate::exchange_line::ExchangeLine;
use crate::failure::Failure;
use crate::screen::Screen;

/// [`harmless`], line by line. Only for texts that are meant to have lines: a value within a line is made [`harmless`]
/// before the line is put together, or its line ends would pass for the text's.
pub(crate) fn harmless_lines(text: &str) -> String {
    text.lines().map(|line| harmless(line)).collect::<Vec<_>>().join("\n")
}

/// Prints to stdout and adds a line end. An error means that nobody reads any more.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Prints bytes to stdout as they are.
pub(crate) fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints a failure to stderr.
pub(crate) fn failure(failure: &Failure) {
    note(&failure.to_string());
}

/// Prints a remark to stderr, where it does not disturb what a script reads.
pub(crate) fn note(text: &str) {
    // Without a stderr there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", harmless_lines(text));
}

/// Prints to stderr what was made [`harmless`] part by part, with its colours.
pub(crate) fn aside(text: &str) {
    // Without a stderr there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How often the console looks for new exchanges. A commit never wakes it: answering comes first.
const TICK: Duration = Duration::from_millis(40);
/// Lines in hand for a burst, and the lines each tick adds: 200 per second is more than a person reads.
const BURST: usize = 2_000;
const PER_TICK: usize = 8;
/// How often dropped lines are mentioned.
const MENTION_EVERY: Duration = Duration::from_secs(1);

/// Prints what opens the screen, and a line per exchange until the lab is gone; what comes faster than anybody reads is
/// counted instead. Only this thread ever waits for stdout.
pub(crate) fn print_exchanges(
    opening: String,
    mut exchanges: Reader,
    mut advisor: Option<Advisor>,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(String::from("console")).spawn(move || {
        // Nobody reading the screen is no reason not to serve.
        let _ = line(&opening);
        let screen = Screen::of_stdout();
        let mut allowance = BURST;
        let mut dropped = 0_u64;
        let mut mentioned = Instant::now();
        loop {
            let Batch { records, missed, ended } = exchanges.read(allowance);
            allowance -= records.len();
            dropped += missed;
            let mut told = |record: &Record| {
                let cause = advisor.as_mut().and_then(|advisor| advisor.cause(record));
                ExchangeLine::of(record).with_cause(cause).to_text(screen)
            };
            let mut lines: Vec<String> = records.iter().map(|record| told(record)).collect();
            drop(records);
            if dropped > 0 && (ended || mentioned.elapsed() >= MENTION_EVERY) {
                lines.push(format!("... {dropped} lines dropped: mocktenant journal"));
                dropped = 0;
                mentioned = Instant::now();
            }
            if (!lines.is_empty() && line(&lines.join("\n")).is_err()) || ended {
                return;
            }
            std::thread::sleep(TICK);
            allowance = (allowance + PER_TICK).min(BURST);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_strangers_never_reach_the_terminal() {
        assert_eq!(harmless_lines("a\nb\x07"), "a\nb\\u{7}");
    }
}
