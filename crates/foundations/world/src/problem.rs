//! A declaration that makes no world, and an edit that was not made.
//!
//! Decides the shape of these messages; the wording stands where the problem is found. Nothing here is ever an answer
//! of an emulated product.

use std::fmt;

use mocktenant_patch::{Problem, Refusal, Refused};
use serde::Serialize;

/// A declaration that makes no world. Lists everything that is wrong with it, in the order of the declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorldError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for WorldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(formatter, &self.problems)
    }
}

impl std::error::Error for WorldError {}

impl From<Problem> for WorldError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

/// Why an edit was not made. The world it was for is unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// An edit names a place that is not there, or one that does not take it.
    Refused {
        /// Which edit of the patch, from 0.
        edit: usize,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A `test` that does not hold.
    TestFailed {
        /// Which edit of the patch, from 0.
        edit: usize,
        /// What is there instead.
        problem: Problem,
    },
    /// An edit goes beyond a budget of a patch, which the problem names; nothing of it was done.
    OverBudget {
        /// Which edit of the patch, from 0.
        edit: usize,
        /// Which budget, and how much it is.
        problem: Problem,
    },
    /// Every edit could be made, but the result is not a world.
    World(WorldError),
}

impl EditError {
    /// A refusal of a patch, with what `explained` knows about a problem.
    pub(crate) fn of(refused: Refused, explained: impl FnOnce(Problem) -> Problem) -> Self {
        let edit = refused.edit;
        match refused.refusal {
            Refusal::Place(problem) => Self::Refused { edit, problem: explained(problem) },
            Refusal::Test(problem) => Self::TestFailed { edit, problem: explained(problem) },
            Refusal::Budget(problem) => Self::OverBudget { edit, problem },
        }
    }

    /// Everything that is wrong; at least one.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused { problem, .. }
            | Self::TestFailed { problem, .. }
            | Self::OverBudget { problem, .. } => std::slice::from_ref(problem),
            Self::World(error) => &error.problems,
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { edit, problem } | Self::OverBudget { edit, problem } => {
                write!(formatter, "edit {}: {problem}", edit + 1)
            }
            Self::TestFailed { edit, problem } => {
                write!(formatter, "edit {}: test failed: {problem}", edit + 1)
            }
            Self::World(error) => write_lines(formatter, &error.problems),
        }
    }
}

impl std::error::Error for EditError {}

impl From<WorldError> for EditError {
    fn from(error: WorldError) -> Self {
        Self::World(error)
    }
}

fn write_lines(formatter: &mut fmt::Formatter<'_>, problems: &[Problem]) -> fmt::Result {
    for (index, problem) in problems.iter().enumerate() {
        if index > 0 {
            formatter.write_str("\n")?;
        }
        write!(formatter, "{problem}")?;
    }
    Ok(())
}
