//! An ordered list of named questions, and the first refusal among the answers.
//!
//! Decides that the first failure decides, and that everything which can be asked is recorded. Never evaluates
//! anything itself. [`Switches`] lets a test turn single checks off: it is handed to whoever builds a lab (the
//! surfaces' own tests, `testkit`'s builder), and no flag, file or control call reaches it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::{Check, Outcome, Question, Remedy, Setting, Text};

/// The checks a test turned off, and how much is recorded. The default everywhere else.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    off: BTreeSet<String>,
    every_setting: bool,
}

impl Switches {
    /// Turns the named checks off. For tests only.
    pub fn off<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { off: names.into_iter().map(Into::into).collect(), every_setting: false }
    }

    /// Records the settings of passed checks too, where a list would leave them out. For generated documents.
    pub fn every_setting() -> Self {
        Self { off: BTreeSet::new(), every_setting: true }
    }

    fn is_off(&self, name: &str) -> bool {
        !self.off.is_empty() && self.off.contains(name)
    }
}

/// The answer to one question, as the asking code found it.
pub enum Finding<E> {
    /// As expected.
    Pass {
        /// What was there.
        actual: Text,
    },
    /// Not as expected.
    Fail {
        /// What was there.
        actual: Text,
        /// The product's error.
        error: E,
        /// What would make it pass; absent where all that is wrong is what was presented.
        remedy: Option<Box<Remedy>>,
    },
    /// Cannot be asked without the value the named check would have given.
    Skip {
        /// The check it needs.
        needs: &'static str,
    },
    /// Does not arise.
    NotApplicable {
        /// Why not, in a few words.
        why: Text,
    },
}

impl<E> Finding<E> {
    /// As expected, with the actual value.
    pub fn pass(actual: impl Into<Text>) -> Self {
        Self::Pass { actual: actual.into() }
    }

    /// Not as expected: the actual value and the product's error.
    pub fn fail(actual: impl Into<Text>, error: E) -> Self {
        Self::Fail { actual: actual.into(), error, remedy: None }
    }

    /// With what would make it pass, made only for a failure.
    #[must_use]
    pub fn mended_by<R: Into<Remedy>>(mut self, made: impl FnOnce() -> R) -> Self {
        if let Self::Fail { remedy, .. } = &mut self {
            *remedy = Some(Box::new(made().into()));
        }
        self
    }

    /// Passes with `held`, or fails with what `refused` says was there and the product's error: what a refusal shows is
    /// made only for a refusal.
    pub fn held<T: Into<Text>>(holds: bool, held: impl Into<Text>, refused: impl FnOnce() -> (T, E)) -> Self {
        if holds {
            return Self::pass(held);
        }
        let (actual, error) = refused();
        Self::fail(actual, error)
    }

    /// Passes when `holds`, else fails with the error made by `error`.
    pub fn when(holds: bool, actual: impl Into<Text>, error: impl FnOnce() -> E) -> Self {
        if holds { Self::pass(actual) } else { Self::fail(actual, error()) }
    }

    /// Cannot be asked without `needs`.
    pub fn skip(needs: &'static str) -> Self {
        Self::Skip { needs }
    }

    /// Does not arise.
    pub fn not_applicable(why: impl Into<Text>) -> Self {
        Self::NotApplicable { why: why.into() }
    }
}

/// The settings of a question: a list, or how to make one. What is made is made only when somebody will look for what to
/// change: a passed check on the token path costs no pointer.
pub trait Settings {
    /// The settings; may be empty where they are not `wanted`.
    fn list(self, wanted: bool) -> Vec<Setting>;
}

impl Settings for Vec<Setting> {
    fn list(self, _wanted: bool) -> Vec<Setting> {
        self
    }
}

impl<F: FnOnce() -> Vec<Setting>> Settings for F {
    fn list(self, wanted: bool) -> Vec<Setting> {
        if wanted { self() } else { Vec::new() }
    }
}

/// The answer to a question: found already, or how to find it once it is known that the question can be asked.
pub trait Answers<E> {
    /// The answer.
    fn answer(self) -> Finding<E>;
}

impl<E> Answers<E> for Finding<E> {
    fn answer(self) -> Finding<E> {
        self
    }
}

impl<E, F: FnOnce() -> Finding<E>> Answers<E> for F {
    fn answer(self) -> Finding<E> {
        self()
    }
}

/// An ordered list of checks being asked. `E` is the surface's own error.
pub struct Checklist<'s, E> {
    switches: &'s Switches,
    checks: Vec<Check>,
    refusal: Option<E>,
    /// Whether any question asked so far does not hold.
    broken: bool,
    describe: fn(&E) -> (&'static str, &'static str),
}

impl<'s, E> Checklist<'s, E> {
    /// A new list. `describe` gives a refusal's product identifier and change text (usually from its catalogue row).
    pub fn new(switches: &'s Switches, describe: fn(&E) -> (&'static str, &'static str)) -> Self {
        Self { switches, checks: Vec::with_capacity(14), refusal: None, broken: false, describe }
    }

    /// Asks one question and records the answer. The first failure is kept as the refusal.
    ///
    /// A question that needs one which does not hold is not asked: it is recorded as skipped, and its finding is not made.
    /// Returns whether the question holds: `true` for passed and not applicable, `false` for failed and skipped. A check
    /// a test turned off is recorded as not applicable and holds.
    pub fn ask(
        &mut self,
        question: &'static Question,
        expected: impl Into<Text>,
        settings: impl Settings,
        finding: impl Answers<E>,
    ) -> bool {
        let finding = match self.unmet(question) {
            Some(needs) => Finding::Skip { needs },
            None => finding.answer(),
        };
        self.record(question, expected.into(), settings, finding)
    }

    /// Records a question as skipped, for the one it waits for.
    pub fn skip(&mut self, question: &'static Question, needs: &'static Question) {
        self.record(question, Text::default(), Vec::new(), Finding::skip(needs.name));
    }

    /// The first question this one needs that was asked here and does not hold.
    fn unmet(&self, question: &Question) -> Option<&'static str> {
        if !self.broken {
            return None;
        }
        let unmet = |needed: &&&'static Question| {
            self.checks.iter().any(|check| {
                check.name == needed.name
                    && matches!(check.outcome, Outcome::Failed | Outcome::Skipped { .. })
            })
        };
        question.needs.iter().find(unmet).map(|needed| needed.name)
    }

    fn record(
        &mut self,
        question: &'static Question,
        expected: Text,
        settings: impl Settings,
        finding: Finding<E>,
    ) -> bool {
        let passes = matches!(finding, Finding::Pass { .. } | Finding::NotApplicable { .. });
        let mut check = Check {
            name: Cow::Borrowed(question.name),
            role: Some(question.role),
            relays: question.relays,
            expected,
            actual: Text::default(),
            outcome: Outcome::Passed,
            settings: settings.list(!passes || self.switches.every_setting),
            error: None,
            change: None,
            remedy: None,
        };
        let holds = match finding {
            Finding::Fail { actual, .. } if self.switches.is_off(question.name) => {
                check.actual = actual;
                check.outcome = Outcome::NotApplicable;
                true
            }
            Finding::Pass { actual } => {
                check.actual = actual;
                true
            }
            Finding::Fail { actual, error, remedy } => {
                let (id, change) = (self.describe)(&error);
                check.actual = actual;
                check.outcome = Outcome::Failed;
                check.error = Some(Cow::Borrowed(id));
                let advice = remedy.as_ref().and_then(|remedy| remedy.advice.clone());
                check.change = advice.or_else(|| (!change.is_empty()).then_some(Cow::Borrowed(change)));
                check.remedy = remedy;
                self.refusal.get_or_insert(error);
                false
            }
            Finding::Skip { needs } => {
                check.outcome = Outcome::Skipped { needs: Cow::Borrowed(needs) };
                false
            }
            Finding::NotApplicable { why } => {
                check.actual = why;
                check.outcome = Outcome::NotApplicable;
                true
            }
        };
        self.broken |= !holds;
        self.checks.push(check);
        holds
    }

    /// The first refusal so far.
    pub fn refusal(&self) -> Option<&E> {
        self.refusal.as_ref()
    }

    /// The checks in the order asked, and the first refusal.
    pub fn finish(self) -> (Vec<Check>, Option<E>) {
        (self.checks, self.refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the list describes errors by reference")]
    fn describe(error: &u32) -> (&'static str, &'static str) {
        if *error == 1 { ("E1", "change one") } else { ("E2", "") }
    }

    static A: Question = Question::new("a", Role::Request);
    static B: Question = Question::new("b", Role::Client).needs(&[&A]);
    static C: Question = Question::new("c", Role::Key);
    static D: Question = Question::new("d", Role::Time).needs(&[&A, &B]);

    #[test]
    fn the_first_failure_decides_and_the_rest_is_still_recorded() {
        let switches = Switches::default();
        let mut list = Checklist::new(&switches, describe);
        assert!(list.ask(&A, "x", vec![], Finding::pass("x")));
        let remedy = || Remedy::instead(["z"]).advice("do z");
        assert!(!list.ask(&B, "x", vec![], Finding::fail("y", 1).mended_by(remedy)));
        assert!(!list.ask(&C, "x", vec![], Finding::fail("z", 2)));
        let never = || -> Finding<u32> { unreachable!("its need does not hold") };
        assert!(!list.ask(&D, "x", vec![], never));
        let (checks, refusal) = list.finish();
        assert_eq!(refusal, Some(1));
        assert_eq!(checks.len(), 4);
        assert_eq!((checks[1].error.as_deref(), checks[1].change.as_deref()), (Some("E1"), Some("do z")));
        assert_eq!(checks[1].remedy.as_deref(), Some(&remedy()));
        assert_eq!(checks[1].role, Some(Role::Client));
        assert_eq!(checks[3].outcome, Outcome::Skipped { needs: "b".into() });
    }

    #[test]
    fn a_check_turned_off_by_a_test_refuses_nothing_and_holds_for_those_that_need_it() {
        let switches = Switches::off(["b"]);
        let mut list = Checklist::new(&switches, describe);
        assert!(list.ask(&B, "x", vec![], Finding::fail("y", 1)));
        assert!(list.ask(&D, "x", vec![], || Finding::pass("asked")));
        assert_eq!(list.finish().1, None);
    }
}
