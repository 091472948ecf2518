//! The result of a diagnosis, as JSON (a stable contract) and a cause as one line. The text for a person is `telling`'s.

use std::borrow::Cow;

use mocktenant_lab::Mask;
use mocktenant_verdict::{Check, Need, Setting};
use mocktenant_world::{Edit, World, place, servicing};
use serde::Serialize;
use time::OffsetDateTime;

use crate::ladder::Rung;
use crate::telling::visible;

/// What was found out about one exchange.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// 1.
    pub schema: u8,
    /// Whether it was explained against a world; absent in JSON where it was. Without one (a journal file) the cause is the
    /// deciding check's own: it has `advice` instead of `origin`, no `change`, and `also` is empty.
    #[serde(skip_serializing_if = "is_true")]
    pub world: bool,
    /// The root exchange.
    pub exchange: String,
    /// What the user saw: the message of the answer.
    pub symptom: String,
    /// The nine steps of the sign-in it belongs to, on-premises; empty where it belongs to none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<Rung>,
    /// Every check of the exchange and its children, whoever called before whom it called.
    pub checks: Vec<ExplainedCheck>,
    /// The one thing to change; absent if nothing was refused and nothing is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What would be refused next if the cause were mended, in the order of refusal: each was tried out.
    pub also: Vec<Cause>,
    /// When it was asked, by the lab's clock: what a time is told against.
    #[serde(skip)]
    pub(crate) at: OffsetDateTime,
    /// Whether it was refused; if not, a cause is an edit that waits for a restart.
    #[serde(skip)]
    pub(crate) refused: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
fn is_true(value: &bool) -> bool {
    *value
}

/// A check with the exchange it was asked in.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedCheck {
    /// Exchange id.
    pub exchange: String,
    /// Surface.
    pub surface: Cow<'static, str>,
    /// The check.
    #[serde(flatten)]
    pub check: Check,
}

/// What kind of change heals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A setting has the wrong value.
    Setting,
    /// Something that should be declared is not there.
    Missing,
    /// The setting is right now, but the AOS read it before: restart.
    Restart,
    /// The request itself is wrong.
    Caller,
    /// Time heals it.
    Wait,
    /// The real product has it, and this lab has not: nothing is wrong with the request or the world.
    Unbuilt,
}

/// Where a setting stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Origin {
    /// In a file.
    File {
        /// File name.
        file: String,
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
    },
    /// In a portal, a database table or a tool.
    Place {
        /// In the words of its screens.
        place: String,
    },
}

/// One thing to change.
#[derive(Clone, Debug, Serialize)]
pub struct Cause {
    /// What kind of change.
    pub kind: Kind,
    /// The setting.
    pub setting: Setting,
    /// Where it stands; absent without a world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
    /// Without a world: what a person would change, in the deciding check's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Cow<'static, str>>,
    /// RFC 6902 operations that heal it, to be sent as they are.
    pub change: Vec<Edit>,
    /// Operations whose value the world cannot know, each with what a person has to supply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// Whether something made up had to stand in for what is needed, to find out what would be refused next.
    #[serde(skip_serializing_if = "is_false")]
    pub assumed: bool,
    /// The same at the other of two sides that have to agree: either of them mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub or: Option<Box<Cause>>,
    /// The node that still runs with what was, where the environment has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Whether the next servicing of the environment takes the change away again.
    #[serde(skip_serializing_if = "is_false")]
    pub serviced_away: bool,
    /// Whether nothing is declared there: what mends it is an addition.
    #[serde(skip)]
    pub(crate) absent: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Origin {
    fn of(setting: &Setting, world: &World) -> Self {
        match world.origin(setting) {
            mocktenant_world::Origin::File { file, line, column } => Self::File { file, line, column },
            _ => Self::Place {
                place: place(setting, world).unwrap_or_else(|| format!("mocktenant set {setting}")),
            },
        }
    }
}

impl Cause {
    /// Its setting as this world has it: where a person would look for it.
    pub(crate) fn stands_in(&mut self, world: &World) {
        self.origin = Some(Origin::of(&self.setting, world));
        self.absent = world.get(&self.setting).is_none();
        if let Some(or) = &mut self.or {
            or.stands_in(world);
        }
    }

    pub(crate) fn new(kind: Kind, setting: Setting, world: Option<&World>) -> Self {
        let origin = world.map(|world| Origin::of(&setting, world));
        let absent = world.is_some_and(|world| world.get(&setting).is_none());
        let serviced_away = world.is_some() && servicing::reverts(&setting);
        Self {
            node: None,
            serviced_away,
            kind,
            setting,
            origin,
            expected: String::new(),
            actual: String::new(),
            advice: None,
            change: Vec::new(),
            needs: Vec::new(),
            assumed: false,
            or: None,
            absent,
        }
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    pub(crate) fn actual(mut self, actual: impl Into<String>) -> Self {
        self.actual = actual.into();
        self
    }

    pub(crate) fn change(mut self, edit: Edit) -> Self {
        self.change.push(edit);
        self
    }

    pub(crate) fn need(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    pub(crate) fn or(mut self, other: Self) -> Self {
        self.or = Some(Box::new(other));
        self
    }

    /// Something met this and no longer would: there is nothing left to change.
    pub(crate) fn mended(mut self) -> Self {
        self.kind = Kind::Wait;
        self.change.clear();
        self.needs.clear();
        self.or = None;
        self
    }

    /// Every edit that heals it, with stand-ins for what only a person knows; `None` where nothing can stand in.
    pub(crate) fn tried(&self) -> Option<Vec<Edit>> {
        let possible = self.needs.iter().all(|need| !need.stand_in.is_empty());
        let mut edits = self.change.clone();
        edits.extend(self.needs.iter().flat_map(|need| need.stand_in.iter().cloned()));
        (possible && !edits.is_empty()).then_some(edits)
    }

    fn mask(&mut self, mask: &Mask) {
        self.expected = mask.text(&self.expected).into_owned();
        self.actual = mask.text(&self.actual).into_owned();
        self.advice = self.advice.take().map(|advice| Cow::Owned(mask.text(&advice).into_owned()));
        let holds_a_secret = |edit: &mut Edit| mask.all(&edit.value) != edit.value;
        for Edit { path, .. } in self.change.extract_if(.., holds_a_secret) {
            self.needs.push(Need::add(path, "the value, which is secret"));
        }
        if let Some(or) = &mut self.or {
            or.mask(mask);
        }
    }

    /// The last segment of the setting: `Infrastructure.S2SCertThumbprint`.
    pub fn name(&self) -> String {
        self.setting.segments().last().unwrap_or_default()
    }

    /// `web.config:41` or the place; without a world the setting's own name.
    pub fn whereabouts(&self) -> String {
        match &self.origin {
            Some(Origin::File { file, line, .. }) => format!("{file}:{line}"),
            Some(Origin::Place { place }) => place.clone(),
            None => self.name(),
        }
    }

    /// One line: where, what, expected and actual.
    pub fn to_line(&self) -> String {
        let name = visible(&self.name());
        let whereabouts = visible(&self.whereabouts());
        let shown = |text: &str| if text.is_empty() { "empty".to_owned() } else { visible(text) };
        let (expected, actual) = (shown(&self.expected), shown(&self.actual));
        match self.kind {
            Kind::Restart if self.origin.is_none() => {
                format!("restart: {name}: expected {expected}, got {actual}")
            }
            Kind::Restart if self.node.is_some() => {
                let node = visible(self.node.as_deref().unwrap_or_default());
                format!(
                    "restart {node}: {name} ({whereabouts}) is {expected} now, it still runs with {actual}"
                )
            }
            Kind::Setting if self.origin.is_none() => format!("{name}: expected {expected}, got {actual}"),
            Kind::Restart => {
                format!("restart: {name} ({whereabouts}) is {expected} now, it still runs with {actual}")
            }
            Kind::Missing => format!("{whereabouts}: {expected} is missing ({actual})"),
            Kind::Caller if name == "caller" => {
                format!("the request: expected {expected}, got {actual}")
            }
            Kind::Caller => format!("the request, {name}: expected {expected}, got {actual}"),
            Kind::Unbuilt if self.expected.is_empty() => format!("{actual}: not built in this lab"),
            Kind::Unbuilt => format!("{actual}: not built in this lab; built here: {expected}"),
            Kind::Setting => format!("{whereabouts}  {name}: expected {expected}, is {actual}"),
            Kind::Wait => {
                format!("mended since ({whereabouts}  {name}: {expected}, was {actual}): call again")
            }
        }
    }
}

impl Explanation {
    /// Without secrets: an edit that would show one becomes something that a person has to supply.
    pub(crate) fn masked(mut self, mask: &Mask) -> Self {
        self.symptom = mask.sent(&self.symptom).into_owned();
        for explained in &mut self.checks {
            if let Some(check) = mask.all(&Some(explained.check.clone())) {
                explained.check = check;
            }
        }
        let causes = self.cause.iter_mut().chain(&mut self.also);
        causes.for_each(|cause| cause.mask(mask));
        self
    }

    /// Whether it was refused.
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether there is something to change.
    pub fn explained(&self) -> bool {
        self.cause.is_some()
    }
}
