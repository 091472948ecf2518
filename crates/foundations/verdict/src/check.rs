//! One named question with its answer, as it is kept and as it travels.
//!
//! Decides the shape alone. `outcome`, and `needs` where a check was skipped, stand beside the other members; the two
//! shapes of the wire are written out here because a flattened enum costs a program far more than these lines.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Remedy, Role, Setting, Text};

/// What became of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The actual value is as expected.
    Passed,
    /// It is not.
    Failed,
    /// It could not be asked, because the named check gave no value.
    Skipped {
        /// The check it needs.
        needs: Cow<'static, str>,
    },
    /// The question does not arise for this request.
    NotApplicable,
}

/// One named question with its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Check {
    /// Stable name, kebab-case, for instance `certificate-registered`.
    pub name: Cow<'static, str>,
    /// What it is about; absent in records of an older lab.
    pub role: Option<Role>,
    /// Whether it may only repeat what a call was answered.
    pub relays: bool,
    /// What would have been accepted.
    pub expected: Text,
    /// What was there. On a passed check a word on it rather than the value, where the value is the caller's own.
    pub actual: Text,
    /// What became of it.
    pub outcome: Outcome,
    /// The declared values the answer depends on, the likeliest to be wrong first. Empty where it depends on the
    /// request alone; often empty where the check passed or could not be asked.
    pub settings: Vec<Setting>,
    /// On failure: the product's own identifier of the error, for instance `AADSTS700027`.
    pub error: Option<Cow<'static, str>>,
    /// On failure: what a person would change, in the words of web.config, wif.config or the portal.
    pub change: Option<Cow<'static, str>>,
    /// On failure: what would make it pass, as far as the one who asked knows.
    pub remedy: Option<Box<Remedy>>,
}

/// What a person is shown of it, a line each: name and outcome, expected, actual, settings.
impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, outcome, expected, actual, settings, .. } = self;
        writeln!(formatter, "{name} {outcome:?}\n  expected  {expected}\n  actual    {actual}")?;
        settings.iter().try_for_each(|setting| writeln!(formatter, "  setting   {setting}"))
    }
}

impl Check {
    /// Whether this check failed.
    pub fn failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }

    /// Whether it was asked and did not fail, or does not arise.
    pub fn holds(&self) -> bool {
        matches!(self.outcome, Outcome::Passed | Outcome::NotApplicable)
    }
}

/// A check on the wire.
#[derive(Serialize, Deserialize)]
struct Written {
    name: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(default, skip_serializing_if = "is_false")]
    relays: bool,
    expected: Text,
    actual: Text,
    outcome: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needs: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    settings: Vec<Setting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remedy: Option<Box<Remedy>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Passed,
    Failed,
    Skipped,
    NotApplicable,
}

impl From<Check> for Written {
    fn from(check: Check) -> Self {
        let (outcome, needs) = match check.outcome {
            Outcome::Passed => (Word::Passed, None),
            Outcome::Failed => (Word::Failed, None),
            Outcome::Skipped { needs } => (Word::Skipped, Some(needs)),
            Outcome::NotApplicable => (Word::NotApplicable, None),
        };
        let Check { name, role, relays, expected, actual, settings, error, change, remedy, .. } = check;
        Self { name, role, relays, expected, actual, outcome, needs, settings, error, change, remedy }
    }
}

impl From<Written> for Check {
    fn from(written: Written) -> Self {
        let Written { name, role, relays, expected, actual, outcome, needs, settings, error, change, remedy } =
            written;
        let outcome = match outcome {
            Word::Passed => Outcome::Passed,
            Word::Failed => Outcome::Failed,
            Word::Skipped => Outcome::Skipped { needs: needs.unwrap_or_default() },
            Word::NotApplicable => Outcome::NotApplicable,
        };
        Self { name, role, relays, expected, actual, outcome, settings, error, change, remedy }
    }
}
