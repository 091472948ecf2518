//! One exchange as it is kept.
//!
//! Decides what a record holds, how much of a body, and what it weighs in the journal's budget. A record is made in one
//! place, from a context and its trail. It holds what was sent as it was sent; secrets and tokens are masked when it leaves
//! memory ([`crate::journal::RecordDocument`]).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use mocktenant_verdict::{Check, Setting, Text};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::masking::{Mask, Masking};
use crate::trail::{Fact, Facts};
use crate::{Context, Entrance, Machine, Request, Trail};

/// Bodies longer than this are cut in the journal, in bytes.
pub const BODY_BUDGET: usize = 64 * 1024;

/// A longer `Host` is cut in the journal, in bytes: with more than 253 it is no name, and so nobody's.
pub(crate) const HOST_BUDGET: usize = 512;

/// Texts of checks and facts, and ids people paste, are cut to so many bytes: a caller can write a body into each of them.
pub(crate) const TEXT_BUDGET: usize = 4 * 1024;

/// What kind of thing a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A request and its answer.
    Request,
    /// A start of an environment.
    Start,
    /// A call that reached nobody.
    Call,
    /// A token that was made because a test ordered it.
    Forged,
    /// A token that was judged without a request.
    Judged,
}

impl Kind {
    /// What it is called where no method and target say it.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Request | Self::Call => None,
            Self::Start => Some("start"),
            Self::Forged => Some("forged"),
            Self::Judged => Some("judged"),
        }
    }
}

/// One exchange as the journal keeps it.
#[derive(Clone)]
pub struct Record {
    /// Position in the journal, from 1, never reused.
    pub sequence: u64,
    /// `x-01JD7P`; a child is `x-01JD7P.1`.
    pub id: Arc<str>,
    /// The exchange this was made because of.
    pub parent: Option<Arc<str>>,
    /// What it is.
    pub kind: Kind,
    /// Lab time of the answering machine.
    pub at: OffsetDateTime,
    /// Surface, or empty where no surface answered.
    pub surface: Cow<'static, str>,
    /// The port it came by; none for what began inside the lab.
    pub entrance: Option<Entrance>,
    /// The machine that answered, started or called; none where no machine was named.
    pub machine: Option<Machine>,
    /// Endpoint name, or empty.
    pub endpoint: Cow<'static, str>,
    /// Method.
    pub method: http::Method,
    /// `https` or `http`.
    pub scheme: Cow<'static, str>,
    /// Host as sent.
    pub host: Box<str>,
    /// Target as sent.
    pub target: Box<str>,
    /// Header lines of the request.
    pub request_headers: Box<str>,
    /// Body of the request, cut.
    pub request_body: Bytes,
    /// Status answered; 0 for what has none.
    pub status: u16,
    /// Header lines of the answer.
    pub response_headers: Box<str>,
    /// Body of the answer, cut.
    pub response_body: Bytes,
    /// Checks in the order asked.
    pub checks: Vec<Check>,
    /// Facts in the order learnt.
    pub facts: Facts,
    /// The product's identifier of the refusal, for instance `AADSTS700016`.
    pub error: Option<Cow<'static, str>>,
    /// Ids people paste: request id, correlation id, activity id.
    pub activities: Vec<(Cow<'static, str>, Box<str>)>,
    /// Microseconds from dispatch to commit.
    pub micros: u64,
    /// World generation it ran against.
    pub generation: u64,
    /// What its lab hides; none for a record that was read back, which was hidden when it was written.
    pub(crate) masking: Option<Arc<Masking>>,
}

/// As it may be shown: what prints a record shows no secret.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.document(), formatter)
    }
}

impl Record {
    /// The first failed check: the one that decided.
    pub fn failed_check(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.failed())
    }

    /// Whether the answer was a refusal or a failure.
    pub fn refused(&self) -> bool {
        self.error.is_some() || self.status >= 400 || self.checks.iter().any(Check::failed)
    }

    /// Whether it is what a client was refused by, and nobody's call. A judgement that a person asked for refuses nobody, nor
    /// does an icon that is not there: a browser asks for one by itself behind every page, the one that says what was refused too.
    pub fn is_refusal(&self) -> bool {
        let is_icon = self.method == http::Method::GET && &*self.target == "/favicon.ico";
        self.parent.is_none() && self.kind != Kind::Judged && !is_icon && self.refused()
    }

    /// The first fact of this name.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.get(name)
    }

    /// The request as it came, to be asked again; `None` for what was none, and for one whose body is not kept whole.
    pub fn request(&self) -> Option<Request> {
        if self.kind != Kind::Request || self.request_body.len() >= BODY_BUDGET {
            return None;
        }
        let entrance = self.entrance.clone()?;
        let mut request = Request::new(self.method.clone(), &self.host, &self.target, entrance);
        request.arrival.secure = self.scheme == "https";
        request.body = Ok(self.request_body.clone());
        for line in self.request_headers.lines() {
            let (name, value) = line.split_once(": ")?;
            request.headers.append(
                http::HeaderName::from_bytes(name.as_bytes()).ok()?,
                http::HeaderValue::from_str(value).ok()?,
            );
        }
        Some(request)
    }

    /// What hides the secrets in whatever is shown of it.
    pub fn mask(&self) -> Mask {
        self.masking.as_ref().map(|masking| masking.mask()).unwrap_or_default()
    }

    /// What was asked for, secrets masked, as it may be shown.
    pub fn shown_target(&self) -> String {
        self.mask().target(&self.target)
    }

    /// A value of the request's or answer's header lines, if present.
    pub fn response_header(&self, name: &str) -> Option<&str> {
        self.response_headers.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The record of what a context did and its trail says: the one place where a record is made. A request adds itself and
    /// its answer.
    pub(crate) fn of(kind: Kind, context: &Context, trail: Trail, began: Instant) -> Self {
        let Trail { mut checks, mut facts, error, mut activities, .. } = trail;
        for check in &mut checks {
            bound(&mut check.expected);
            bound(&mut check.actual);
            if let Some(change) = check.change.as_mut().filter(|change| change.len() > TEXT_BUDGET) {
                *change = bounded(change.to_string(), TEXT_BUDGET).into();
            }
        }
        facts.bound();
        for (_, id) in activities.iter_mut().filter(|(_, id)| id.len() > TEXT_BUDGET) {
            *id = bounded(id.to_string(), TEXT_BUDGET).into();
        }
        Self {
            id: Arc::clone(&context.id),
            parent: context.parent.clone(),
            surface: Cow::Borrowed(context.surface_name()),
            entrance: context.entrance.clone(),
            machine: context.machine.clone(),
            checks,
            facts,
            error,
            activities,
            micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            generation: context.snapshot.world.generation(),
            masking: Some(Arc::clone(context.lab.masking())),
            ..Self::blank(kind, context.now)
        }
    }

    pub(crate) fn blank(kind: Kind, at: OffsetDateTime) -> Self {
        Self {
            sequence: 0,
            id: Arc::default(),
            parent: None,
            kind,
            at,
            surface: Cow::Borrowed(""),
            entrance: None,
            machine: None,
            endpoint: Cow::Borrowed(""),
            method: http::Method::GET,
            scheme: Cow::Borrowed("https"),
            host: Box::default(),
            target: Box::default(),
            request_headers: Box::default(),
            request_body: Bytes::new(),
            status: 0,
            response_headers: Box::default(),
            response_body: Bytes::new(),
            checks: Vec::new(),
            facts: Facts::default(),
            error: None,
            activities: Vec::new(),
            micros: 0,
            generation: 0,
            masking: None,
        }
    }

    /// About what the record occupies, in bytes: all that a client, a world or a surface can make longer counts.
    pub(crate) fn weight(&self) -> usize {
        let settings = |settings: &[Setting]| -> usize {
            settings.iter().map(|setting| size_of::<Setting>() + setting.as_str().len()).sum()
        };
        let length = |text: &Option<Cow<'static, str>>| text.as_ref().map_or(0, |text| text.len());
        let checks: usize = self
            .checks
            .iter()
            .map(|check| {
                size_of::<Check>()
                    + check.name.len()
                    + check.expected.len()
                    + check.actual.len()
                    + settings(&check.settings)
                    + length(&check.error)
                    + length(&check.change)
                    + check.remedy.as_ref().map_or(0, |remedy| remedy.weight())
            })
            .sum();
        let activities: usize = self
            .activities
            .iter()
            .map(|(_, value)| size_of::<(Cow<'static, str>, Box<str>)>() + value.len())
            .sum();
        size_of::<Self>()
            + self.id.len()
            + self.parent.as_ref().map_or(0, |parent| parent.len())
            + self.method.as_str().len()
            + self.host.len()
            + self.target.len()
            + self.request_headers.len()
            + self.request_body.len()
            + self.response_headers.len()
            + self.response_body.len()
            + checks
            + self.facts.weight()
            + length(&self.error)
            + activities
    }

    /// Whether it carries this request, correlation or activity id. Ids have no letter case.
    pub fn carries(&self, id: &str) -> bool {
        self.activities.iter().any(|(_, value)| value.eq_ignore_ascii_case(id))
    }
}

/// Header lines as the journal keeps them: `name: value`, one per line. `Host` has a place of its own.
pub(crate) fn header_lines(headers: &http::HeaderMap) -> Box<str> {
    let kept = || headers.iter().filter(|(name, _)| *name != http::header::HOST);
    let length = kept().map(|(name, value)| name.as_str().len() + value.len() + 3).sum();
    let mut lines = Vec::with_capacity(length);
    for (name, value) in kept() {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.push(b'\n');
    }
    // Looked at once and together. A value that is no text spoils only itself: what is not UTF-8 is replaced.
    let lines = String::from_utf8(lines);
    lines.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()).into_boxed_str()
}

/// A text cut to so many bytes, and `...` where there was more.
pub(crate) fn bounded(mut text: String, budget: usize) -> String {
    if text.len() > budget {
        let end = (0..=budget).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// A text of a check or a fact, cut to its budget.
pub(crate) fn bound(text: &mut Text) {
    if text.len() > TEXT_BUDGET {
        *text = bounded(text.as_str().to_owned(), TEXT_BUDGET).into();
    }
}

/// A body cut to the journal's budget. One within it is kept as it is, for it is nobody else's: a server copies the bodies
/// of requests out of its connections' buffers, and what a surface answers was made for the answer or lives with the world.
/// Of a longer one that others hold too, a document of the world, a part is kept, and of one made for this answer a copy.
pub(crate) fn cut(body: &Bytes) -> Bytes {
    if body.len() <= BODY_BUDGET {
        body.clone()
    } else if body.is_unique() {
        Bytes::copy_from_slice(&body[..BODY_BUDGET])
    } else {
        body.slice(..BODY_BUDGET)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::{ACCEPT, HOST, HeaderValue};

    use super::*;

    #[test]
    fn texts_are_cut_between_characters_and_what_fits_is_left_as_it_is() {
        assert_eq!(bounded("\u{e4}\u{f6}".to_owned(), 3), "\u{e4}...");
        assert_eq!(bounded("abc".to_owned(), 3), "abc");
        let mut fixed = Text::from("fixed");
        bound(&mut fixed);
        assert!(!fixed.is_made());
        let mut long = Text::from("x".repeat(1024 * 1024));
        bound(&mut long);
        assert_eq!(long.len(), TEXT_BUDGET + 3);
    }

    #[test]
    fn header_lines_keep_every_value_but_the_host_and_replace_what_is_no_text() {
        let mut headers = http::HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        headers.append(ACCEPT, HeaderValue::from_bytes(b"a\xe4").unwrap());
        headers.append(ACCEPT, HeaderValue::from_bytes("\u{e4}".as_bytes()).unwrap());
        assert_eq!(&*header_lines(&headers), "accept: a\u{fffd}\naccept: \u{e4}\n");
        assert_eq!(&*header_lines(&http::HeaderMap::new()), "");
    }

    #[test]
    fn of_a_long_body_a_part_is_kept_that_keeps_nothing_else_alive() {
        let made = Bytes::from(vec![7; BODY_BUDGET + 1]);
        let kept = cut(&made);
        assert_eq!(kept.len(), BODY_BUDGET);
        assert_ne!(kept.as_ptr(), made.as_ptr(), "an answer of a megabyte would stay for its beginning");
        let shelved = made.clone();
        assert_eq!(cut(&made).as_ptr(), shelved.as_ptr(), "what the world keeps is there once");
        let short = Bytes::from(vec![7; BODY_BUDGET]);
        assert_eq!(cut(&short).as_ptr(), short.as_ptr());
    }
}
