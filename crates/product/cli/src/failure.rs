//! Why a verb could not do what it was asked: `error:`, `caused by:`, `hint:` and an exit code.
//!
//! Decides the exit codes of the process contract: 0 fine, 1 a finding or refusal, 2 usage or configuration, 3 cannot
//! listen or reach.

use std::error::Error;
use std::fmt;

use crate::console::harmless_lines;

/// What kind of failure, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// A finding, or the lab refused.
    Finding = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// Cannot listen, or the lab cannot be reached.
    Unreachable = 3,
}

/// One failure for a person.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: String,
    causes: Vec<String>,
    hint: Option<String>,
    nobody_reads: bool,
}

/// What a verb gives: its exit code, or why it failed.
pub(crate) type Outcome = Result<u8, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<String>) -> Self {
        Self { exit, error: error.into(), causes: Vec::new(), hint: None, nobody_reads: false }
    }

    /// With everything that led to it. A cause whose words stand above it already adds nothing and is left out.
    pub(crate) fn because(mut self, cause: &dyn Error) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            let text = cause.to_string();
            let told = std::iter::once(&self.error).chain(&self.causes).any(|above| above.ends_with(&text));
            if !told {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// With a line below it.
    pub(crate) fn cause(mut self, line: String) -> Self {
        self.causes.push(line);
        self
    }

    /// With another exit code: the verb knows better what a refusal means.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// With what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the reader of our output has gone, as `head` does: there is nothing to complain about.
    pub(crate) fn nobody_reads(&self) -> bool {
        self.nobody_reads
    }

    /// With one more thing to do.
    pub(crate) fn and_hint(mut self, more: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(question) if question.ends_with('?') => format!("{question} {more}"),
            Some(hint) => format!("{hint}; {more}"),
            None => more.to_owned(),
        });
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit as u8
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", indented(&self.error))?;
        for cause in &self.causes {
            write!(formatter, "\ncaused by: {}", indented(cause))?;
        }
        match &self.hint {
            Some(hint) => write!(formatter, "\nhint: {}", indented(hint)),
            None => Ok(()),
        }
    }
}

/// The text, harmless, with its further lines indented: none of them passes for a line of ours.
fn indented(text: &str) -> String {
    harmless_lines(text).replace('\n', "\n    ")
}

/// Nobody reads our output any more: nothing is left to do, and nothing is wrong.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let nobody_reads = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self { nobody_reads, ..Self::new(Exit::Finding, "cannot write the output").because(&error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_error_causes_and_hint_on_lines_of_their_own() {
        let cause = std::io::Error::other("the disk is full");
        let failure = Failure::new(Exit::Unreachable, "cannot listen").because(&cause).hint("use --port 0");
        assert_eq!(
            failure.to_string(),
            "error: cannot listen\ncaused by: the disk is full\nhint: use --port 0"
        );
        assert_eq!(failure.exit_code(), 3);
    }

    #[test]
    fn what_was_said_is_not_said_again_and_no_value_passes_for_a_line_of_ours() {
        let cause = std::io::Error::other("no such value");
        let failure = Failure::new(Exit::Finding, "no such value").because(&cause).with_exit(Exit::Usage);
        assert_eq!(failure.to_string(), "error: no such value");
        assert_eq!(failure.exit_code(), 2);
        let failure = Failure::new(Exit::Finding, "a\nhint: b\u{202e}");
        assert_eq!(failure.to_string(), "error: a\n    hint: b\\u{202e}");
    }
}
