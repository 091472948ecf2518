//! The story as data: every value `reproduce` prints is a member of it, and so of `--json`.

use std::collections::BTreeSet;

use mocktenant_diagnosis::Explanation;
use mocktenant_lab::journal::Kind;
use mocktenant_lab::{Attempt, Lab};
use mocktenant_scenario as scenario;
use mocktenant_world::servicing::taken_away;
use mocktenant_world::{EditedBy, Errand};
use serde::Serialize;
use serde_json::{Value, json};

use super::caller::{self, Caller};
use super::chain::{self, Failed, Link};

/// One failure from end to end.
#[derive(Serialize)]
pub(super) struct Story {
    /// 1.
    pub(super) schema: u8,
    /// The scenario's name.
    pub(super) scenario: String,
    /// What is broken, in one line.
    pub(super) title: String,
    /// What the user saw.
    pub(super) saw: Saw,
    /// What servicing had taken away before: settings of single nodes with their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) serviced_away: Vec<Gone>,
    /// What happened.
    pub(super) happened: Vec<Link>,
    /// The diagnosis of it: checks, cause, other findings.
    #[serde(flatten)]
    pub(super) explanation: Option<Explanation>,
    /// The way back.
    pub(super) steps: Vec<Step>,
    /// Whether the failure appeared.
    pub(super) broke: bool,
    /// Whether the steps healed it.
    pub(super) healed: bool,
    /// Exchanges in the journal.
    pub(super) exchanges: usize,
    /// How sure the texts of the refusals are: identifier and fidelity.
    pub(super) fidelity: Vec<Sure>,
    /// From the start of the process.
    pub(super) milliseconds: f64,
}

impl Story {
    /// Broke and healed.
    pub(super) fn as_told(&self) -> bool {
        self.broke && self.healed
    }
}

/// An edit of a single node that is there no more.
#[derive(Serialize)]
pub(super) struct Gone {
    /// Its setting.
    pub(super) setting: String,
    /// What it was.
    pub(super) value: Value,
}

impl Gone {
    /// Of what a scenario broke, all that its acts after the start took away by servicing.
    pub(super) fn all(lab: &Lab, scenario: &scenario::Scenario) -> Vec<Self> {
        if scenario.after.iter().all(|act| act.servicing.is_empty()) {
            return Vec::new();
        }
        let base = lab.base_world();
        let before = lab.cast().act(&scenario.before()).ok();
        let edits = before.map(|before| before.edits_in(base, base)).unwrap_or_default();
        let Ok(broken) = base.edited(&edits, EditedBy::Control) else { return Vec::new() };
        let gone = taken_away(&broken, &lab.world()).into_iter();
        gone.map(|setting| Self {
            value: broken.get(&setting).cloned().unwrap_or_default(),
            setting: setting.to_string(),
        })
        .collect()
    }
}

/// What the user saw.
#[derive(Serialize)]
pub(super) struct Saw {
    /// What was tried.
    does: Errand,
    /// The customer it is about; absent where somebody signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// Who signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Status of the answer.
    status: u16,
    /// Lines of the message in its body.
    lines: Vec<String>,
    /// How many people it happened to; absent where one alone tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<People>,
    /// Whether the record is gone; absent where the environment does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back: Option<bool>,
}

/// Of several people who did the same.
#[derive(Clone, Copy, Serialize)]
pub(super) struct People {
    /// How many were refused.
    pub(super) refused: u32,
    /// How many there were.
    pub(super) of: u32,
}

impl People {
    fn of(attempt: &Attempt) -> Option<Self> {
        let (of, refused) = attempt.people;
        (of > 1).then_some(Self { refused, of })
    }
}

impl Saw {
    pub(super) fn new(caller: &Caller<'_>, attempt: &Attempt, rolled_back: Option<bool>) -> Self {
        let (does, user) = (caller.errand(), caller.user());
        let customer = (!does.signs_in()).then(|| caller.customer());
        let (status, lines) = (attempt.status.as_u16(), caller::lines(attempt));
        Self { does, customer, user, status, lines, people: People::of(attempt), rolled_back }
    }

    pub(super) fn does(&self) -> Errand {
        self.does
    }

    pub(super) fn customer(&self) -> &str {
        self.customer.as_deref().unwrap_or_default()
    }

    pub(super) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }

    pub(super) fn people(&self) -> Option<People> {
        self.people
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    pub(super) fn rolled_back(&self) -> Option<bool> {
        self.rolled_back
    }
}

/// One step of the way back, and what the caller got after it.
#[derive(Serialize)]
pub(super) struct Step {
    /// What a person does.
    pub(super) title: String,
    /// The same on the real product: click paths and lines of PowerShell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) how: Vec<String>,
    /// The vendor's page on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) see: Option<String>,
    /// Environments restarted.
    pub(super) restarted: Vec<String>,
    /// How many people it happened to; absent where one alone tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) people: Option<People>,
    /// What came of the next try.
    #[serde(flatten)]
    pub(super) then: Then,
}

/// What came of a try.
#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "then")]
pub(super) enum Then {
    /// It was refused.
    Refused {
        /// The exchange that decided.
        exchange: String,
        /// Which product refused.
        by: String,
        /// The product's identifier.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// The check that decided.
        #[serde(skip_serializing_if = "Option::is_none")]
        failed: Option<Failed>,
        /// The one thing to change: its setting.
        #[serde(skip_serializing_if = "Option::is_none")]
        setting: Option<String>,
        /// And in words.
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
    },
    /// The customer is there, and so is the account.
    Arrived {
        /// Every exchange of the chain.
        chain: Vec<Link>,
        /// The account as Dataverse has it.
        account: Value,
    },
    /// It was answered, and there is nothing more to look for.
    Answered {
        /// Every exchange of the chain.
        chain: Vec<Link>,
    },
    /// The customer was taken, but no account appeared.
    Lost {
        /// Every exchange of the chain.
        chain: Vec<Link>,
    },
    /// An earlier step had healed it.
    Unneeded,
}

impl Step {
    pub(super) fn unneeded(step: &scenario::Step) -> Self {
        Self::of(step, Then::Unneeded)
    }

    fn of(step: &scenario::Step, then: Then) -> Self {
        let scenario::Step { title, how, see, act } = step.clone();
        let restarted = act.servicing.into_iter().chain(act.restart).collect();
        Self { title, how, see, restarted, people: None, then }
    }

    /// Of a customer that was created, `account` is what it became in Dataverse.
    pub(super) async fn taken(
        step: &scenario::Step,
        lab: &Lab,
        attempt: &Attempt,
        errand: Errand,
        account: Option<Value>,
    ) -> Self {
        let chain = || chain::around(lab, attempt);
        let then = match (attempt.refused(), errand, account) {
            (true, ..) => refused(lab, attempt).await,
            (false, _, Some(account)) => Then::Arrived { chain: chain(), account },
            (false, Errand::CreateCustomer, None) => Then::Lost { chain: chain() },
            (false, _, None) => Then::Answered { chain: chain() },
        };
        Self { people: People::of(attempt), ..Self::of(step, then) }
    }

    /// Whether nothing is broken any more.
    pub(super) fn heals(&self) -> bool {
        matches!(self.then, Then::Arrived { .. } | Then::Answered { .. })
    }
}

/// Who refused, and why: the last exchange of the chain with a failed check is the one that decided, since whoever called
/// it only passed the refusal on.
async fn refused(lab: &Lab, attempt: &Attempt) -> Then {
    let explanation = caller::explanation(lab, attempt).await;
    let cause = explanation.as_ref().and_then(|explanation| explanation.cause.as_ref());
    let (setting, cause) =
        (cause.map(|cause| cause.setting.to_string()), cause.map(mocktenant_diagnosis::Cause::to_line));
    let checks = explanation.as_ref().map(|explanation| explanation.checks.as_slice()).unwrap_or_default();
    let last = checks.iter().rev().find(|explained| explained.check.failed());
    let exchange = last.map_or(attempt.exchange.as_str(), |explained| explained.exchange.as_str()).to_owned();
    let deciding = checks.iter().find(|explained| explained.exchange == exchange && explained.check.failed());
    let record = lab.journal().find(&exchange);
    let surface =
        deciding.map(|deciding| &deciding.surface).or_else(|| record.as_ref().map(|record| &record.surface));
    let error = deciding.and_then(|deciding| deciding.check.error.as_ref()).map(ToString::to_string);
    Then::Refused {
        by: lab.title(surface.map_or("", |surface| surface)).to_owned(),
        error: error.or_else(|| record.and_then(|record| record.error.as_ref().map(ToString::to_string))),
        failed: deciding.map(|deciding| Failed::of(&deciding.check, &mocktenant_lab::Mask::default())),
        exchange,
        setting,
        cause,
    }
}

/// How sure the texts under one identifier are.
#[derive(Serialize)]
pub(super) struct Sure {
    /// The product's identifier.
    pub(super) id: String,
    /// `observed`, `documented` or `inferred`, as the catalogue says.
    pub(super) fidelity: String,
}

/// Requests answered so far.
pub(super) fn exchanges(lab: &Lab) -> usize {
    lab.journal().records().iter().filter(|record| record.kind == Kind::Request).count()
}

/// What was refused on the way.
#[derive(Default)]
pub(super) struct Tally {
    refusals: Vec<(String, String)>,
}

impl Tally {
    /// Notes the refusals around one attempt.
    pub(super) fn note(&mut self, lab: &Lab, attempt: &Attempt) {
        let tree = lab.journal().tree();
        let below = tree.below(&attempt.exchange);
        let mut about: Vec<_> = tree.get(&attempt.exchange).into_iter().chain(below).collect();
        about.sort_unstable_by_key(|record| record.sequence);
        for record in about {
            if let Some(error) = &record.error {
                let refusal = (record.surface.to_string(), error.to_string());
                if !self.refusals.contains(&refusal) {
                    self.refusals.push(refusal);
                }
            }
        }
    }

    /// Each refusal with the fidelity of its rows in the catalogue.
    pub(super) fn fidelity(&self, lab: &Lab) -> Vec<Sure> {
        let catalogues = lab.catalogues();
        let words = |surface: &str, id: &str| {
            let rows = catalogues.iter().filter(|(name, _)| *name == surface).flat_map(|(_, rows)| rows);
            let words = rows
                .filter(|row| row.id == id)
                .map(|row| json!(row.fidelity).as_str().unwrap_or_default().to_owned());
            words.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" or ")
        };
        let sure =
            self.refusals.iter().map(|(surface, id)| Sure { id: id.clone(), fidelity: words(surface, id) });
        sure.filter(|sure| !sure.fidelity.is_empty()).collect()
    }
}
