//! Reading a document into structures: strict YAML and JSON, and where in it something is wrong.
//!
//! Decides that unknown members and repeated keys are errors, that an error names line, column and the nearest valid
//! member, and how large a document may be. Never opens a file and never fills in anything, nor guesses: a number is no
//! text, because YAML would write it otherwise than it stands there.
//!
//! A document becomes a JSON value first and is read from that as an edit is, so that both are refused in the same words.
//! Where in the text a refused value stands is looked for afterwards, in a second reading. Reading YAML straight into
//! forty structures made forty copies of the reader, a twentieth of the binary.

use std::fmt;

use mocktenant_verdict::Setting;
use mocktenant_verdict::foreign::excerpt;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize as _, Deserializer, Serialize};
use serde_json::Value;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Location, Spanned};

use crate::Problem;
use crate::nearest::{clip, did_you_mean, one_of, plain};
use crate::reader::{self, Step};

/// How large a document may be. Beyond it, it is a mistake or an attack.
#[derive(Clone, Copy)]
pub enum Size {
    /// A scenario: the longest has a few hundred.
    Scenario,
    /// A declaration: 10,000 tenants are about two million.
    Declaration,
}

/// Levels of maps and lists, as of a document that is edited.
const MAX_DEPTH: usize = crate::budget::MAX_DEPTH;

impl Size {
    /// Bytes as they stand in the file.
    const fn bytes(self) -> usize {
        match self {
            Self::Scenario => 1024 * 1024,
            Self::Declaration => 64 * 1024 * 1024,
        }
    }

    /// Maps, lists and scalars, aliases written out.
    const fn values(self) -> usize {
        match self {
            Self::Scenario => 100_000,
            Self::Declaration => 5_000_000,
        }
    }

    /// Bytes of scalars, aliases written out.
    const fn text(self) -> usize {
        match self {
            Self::Scenario => 8 * 1024 * 1024,
            Self::Declaration => self.bytes(),
        }
    }
}

/// A YAML document that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentError {
    /// The document's name, as given by the caller.
    pub name: String,
    /// Line, from 1; 0 when the reader could not tell.
    pub line: u32,
    /// Column, from 1; 0 when the reader could not tell.
    pub column: u32,
    /// What is wrong, without a full stop.
    pub message: String,
    /// The nearest valid member or value, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}: {}", self.name, self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DocumentError {}

/// Reads one document.
pub fn read<T: DeserializeOwned>(name: &str, text: &str, size: Size) -> Result<T, DocumentError> {
    if text.len() > size.bytes() {
        let (message, hint) = over("bytes", size.bytes(), "a document of this kind is not that long");
        return Err(DocumentError { name: name.to_owned(), line: 0, column: 0, message, hint });
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: size.values(),
            max_events: 2 * size.values(),
            max_total_scalar_bytes: size.text(),
            max_documents: 1,
        },
        with_snippet: false,
    };
    let value: Value = serde_saphyr::from_str_with_options(text, options.clone())
        .map_err(|error| located(name, error.without_snippet(), size))?;
    reader::read(&value).map_err(|(message, path)| {
        let (message, hint) = said(&unquoted(&message));
        let at_key = message.starts_with(NO_MEMBER);
        let found = Where { path: &path, at_key };
        let place = serde_saphyr::with_deserializer_from_str_with_options(text, options, |reader| {
            found.deserialize(reader)
        });
        let (line, column) = place.ok().map_or((0, 0), |place| line_and_column(&place));
        DocumentError { name: name.to_owned(), line, column, message, hint }
    })
}

/// Reads what a build made of a document of ours: the same in JSON, so that what ships needs no reader of YAML.
pub fn built<T: DeserializeOwned>(name: &str, json: &str) -> Result<T, DocumentError> {
    let wrong =
        |message: String| DocumentError { name: name.to_owned(), line: 0, column: 0, message, hint: None };
    let value: Value = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
    reader::read(&value).map_err(|(message, _)| wrong(message))
}

/// Reads one part of the view; the error names the pointer inside it and the nearest valid member.
pub fn part<T: DeserializeOwned>(value: &Value, pointer: impl FnOnce() -> Setting) -> Result<T, Problem> {
    reader::read(value).map_err(|(message, path)| {
        let mut at = pointer();
        for step in path {
            match step {
                Step::Member(name) => at = at.join(&name),
                // An element of a list has no name while it is not a text.
                Step::Element(_) | Step::Variant => break,
            }
        }
        let message = unquoted(&message);
        let hint = hint_in(&message);
        // serde goes on to list every member; the hint says it better.
        let message = message.split_once(", expected one of").map_or(message.as_str(), |(start, _)| start);
        Problem::new(at, message).hint(hint)
    })
}

/// serde's message without the text that was found where none belongs: that may be a whole file, with what is secret in it.
fn unquoted(message: &str) -> String {
    const SAYS_IT_ALL: [&str; 2] = ["invalid type: string \"", "invalid value: string \""];
    let Some(start) = SAYS_IT_ALL.into_iter().find(|start| message.starts_with(start)) else {
        return message.to_owned();
    };
    let (_, expected) = message.rsplit_once("\", expected ").unwrap_or_default();
    let (kind, _) = start.split_once('"').unwrap_or_default();
    format!("{}, expected {expected}", kind.trim_end())
}

/// Whether the problem is that there is no such member.
pub fn is_unknown(problem: &Problem) -> bool {
    ["unknown field", NO_MEMBER].into_iter().any(|start| problem.message.starts_with(start))
}

/// How the message about a member that does not exist begins.
pub const NO_MEMBER: &str = "there is no member";

/// What serde says of a value, in our words, and the nearest that would do.
fn said(message: &str) -> (String, Option<String>) {
    let quoted = |text: &str| text.split('`').nth(1).map(clip).unwrap_or_default();
    let hint = hint_in(message);
    if message.starts_with("unknown field") {
        (format!("{NO_MEMBER} `{}` here", quoted(message)), hint)
    } else if message.starts_with("unknown variant") {
        (format!("`{}` is not a value here", quoted(message)), hint)
    } else if message.starts_with("missing field") {
        (format!("the member `{}` is missing", quoted(message)), None)
    } else {
        let text = first_line(message);
        let hint =
            if text.contains(", expected a string") && !text.contains("map") && !text.contains("sequence") {
                Some("write it in quotes".to_owned())
            } else {
                hint
            };
        // What is offered stands in the hint.
        let said = text.split_once(", expected one of ").map_or(&*text, |(said, _)| said);
        (said.to_owned(), hint)
    }
}

fn line_and_column(location: &Location) -> (u32, u32) {
    (u32::try_from(location.line()).unwrap_or(0), u32::try_from(location.column()).unwrap_or(0))
}

/// Looks for the place of one value.
#[derive(Clone, Copy)]
struct Where<'p> {
    path: &'p [Step],
    /// The place of the last member's name, not of its value.
    at_key: bool,
}

impl<'de> DeserializeSeed<'de> for Where<'_> {
    type Value = Location;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Location, D::Error> {
        match self.path {
            [Step::Member(_), ..] => reader.deserialize_map(self),
            [Step::Element(_), ..] => reader.deserialize_seq(self),
            // Below a value of several kinds there is no path.
            _ => Spanned::<IgnoredAny>::deserialize(reader).map(|found| found.referenced),
        }
    }
}

impl<'de> Visitor<'de> for Where<'_> {
    type Value = Location;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the document that was read before")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Location, A::Error> {
        let mut place = None;
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            match self.path {
                [Step::Member(wanted)] if self.at_key && *wanted == key.value => {
                    place = Some(key.referenced);
                    map.next_value::<IgnoredAny>()?;
                }
                [Step::Member(wanted), path @ ..] if *wanted == key.value => {
                    place = Some(map.next_value_seed(Where { path, ..self })?);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        place.ok_or_else(|| A::Error::custom("it is not there"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Location, A::Error> {
        let [Step::Element(index), path @ ..] = self.path else {
            return Err(A::Error::custom("it is not there"));
        };
        for _ in 0..*index {
            list.next_element::<IgnoredAny>()?;
        }
        let place = list.next_element_seed(Where { path, ..self })?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        place.ok_or_else(|| A::Error::custom("it is not there"))
    }
}

/// The message of a budget, and what to do about it.
fn over(budget: &str, limit: usize, hint: &str) -> (String, Option<String>) {
    (format!("the budget `{budget}` is {limit} for this document, and it goes beyond"), Some(hint.to_owned()))
}

/// The budget a document is beyond.
fn beyond(breach: &BudgetBreach, size: Size) -> (String, Option<String>) {
    const WRITTEN_OUT: &str = "aliases count as if they were written out";
    match breach {
        BudgetBreach::Depth { .. } => over("depth", MAX_DEPTH, "maps and lists nest a few levels"),
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
            over("values", size.values(), WRITTEN_OUT)
        }
        BudgetBreach::ScalarBytes { .. } => over("text", size.text(), WRITTEN_OUT),
        BudgetBreach::Documents { .. } => {
            over("documents", 1, "one file is one document, without `---` between")
        }
        _ => (
            "the document is too large, or its aliases make it so".to_owned(),
            Some("write aliases out".to_owned()),
        ),
    }
}

fn located(name: &str, error: &serde_saphyr::Error, size: Size) -> DocumentError {
    let (line, column) = error.location().map_or((0, 0), |location| line_and_column(&location));
    // What is wrong with what an alias stands for is wrong where the alias is.
    let mut wrong = error;
    while let serde_saphyr::Error::AliasError { error, .. } = wrong {
        wrong = error;
    }
    let (message, hint) = match wrong {
        serde_saphyr::Error::Budget { breach, .. } => beyond(breach, size),
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map_or_else(|| "a member".to_owned(), |key| format!("`{}`", clip(key)));
            (format!("{key} stands here for the second time"), None)
        }
        other => {
            let text = first_line(&other.to_string());
            // The scanner, which looks ahead, came to the end of its own before the budget.
            if text.starts_with("recursion limit exceeded") {
                beyond(&BudgetBreach::Depth { depth: MAX_DEPTH }, size)
            } else {
                (text, None)
            }
        }
    };
    DocumentError { name: name.to_owned(), line, column, message, hint }
}

/// The reader's own message, without what it adds for people who have no editor.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("cannot be read");
    // The place is in the error already.
    let line = line.split_once(" at line ").map_or(line, |(message, _)| message);
    plain(&excerpt(line, 400)).into_owned()
}

/// The nearest of the names a serde message offers: ``unknown field `x`, expected one of `a`, `b` ``.
pub(crate) fn hint_in(message: &str) -> Option<String> {
    let (refused, offered) = message.split_once("expected ")?;
    let refused = refused.split('`').nth(1)?;
    let offered: Vec<&str> = offered.split('`').skip(1).step_by(2).collect();
    did_you_mean(refused, offered.iter().copied()).or_else(|| one_of(refused, offered.iter().copied()))
}
