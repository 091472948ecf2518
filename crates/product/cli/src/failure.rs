//! Why a verb could not do what it was asked: `error:`, `caused by:`, `hint:` and an exit code.
//!
//! Decides the exit codes of the process contract: 0 fine, 1 a finding or refusal, 2 usage or configuration, 3 cannot
//! listen or reach.

use std::error::Error;
use std::fmt;

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
}

/// What a verb gives: its exit code, or why it failed.
pub(crate) type Outcome = Result<u8, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<String>) -> Self {
        Self { exit, error: error.into(), causes: Vec::new(), hint: None }
    }

    /// With everything that led to it.
    pub(crate) fn because(mut self, cause: &dyn Error) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// With what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit as u8
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.error)?;
        for cause in &self.causes {
            write!(formatter, "\ncaused by: {cause}")?;
        }
        match &self.hint {
            Some(hint) => write!(formatter, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Nobody reads our output any more: nothing is left to do, and nothing is wrong.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Finding, "cannot write the output").because(&error)
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
}
