//! Strict YAML, and where in it something is wrong.
//!
//! Decides that unknown members and repeated keys are errors, that an error names line, column and the nearest valid
//! member, and how large a document may be. Never opens a file and never fills in anything.

use std::fmt;

use mocktenant_verdict::foreign::excerpt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use mocktenant_patch::nearest::{clip, did_you_mean, one_of};

/// How many nodes a document may have, aliases written out. Beyond it, it is a mistake or an attack.
#[derive(Clone, Copy)]
pub enum Size {
    /// A scenario: the longest has a few hundred.
    Scenario,
    /// A declaration: 10,000 tenants are about two million.
    Declaration,
}

impl Size {
    const fn nodes(self) -> usize {
        match self {
            Self::Scenario => 100_000,
            Self::Declaration => 5_000_000,
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
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: size.nodes(), max_events: 2 * size.nodes() },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| located(name, error.without_snippet()))
}

fn located(name: &str, error: &serde_saphyr::Error) -> DocumentError {
    let (line, column) = error.location().map_or((0, 0), |location| {
        (u32::try_from(location.line()).unwrap_or(0), u32::try_from(location.column()).unwrap_or(0))
    });
    let (message, hint) = match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            (format!("there is no member `{}` here", clip(field)), one_of(field, expected.iter().copied()))
        }
        serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("`{}` is not a value here", clip(variant)), one_of(variant, expected.iter().copied()))
        }
        serde_saphyr::Error::SerdeMissingField { field, .. } => {
            (format!("the member `{field}` is missing"), None)
        }
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map_or_else(|| "a member".to_owned(), |key| format!("`{}`", clip(key)));
            (format!("{key} stands here for the second time"), None)
        }
        other => {
            let text = first_line(&other.to_string());
            // Asked of the text, because an alias wraps the error it runs into.
            if text.starts_with("budget breached") {
                ("the document is too large, or its aliases make it so".to_owned(), None)
            } else {
                let hint = hint_in(&text);
                // What is offered stands in the hint.
                let said = text.split_once(", expected one of ").map_or(&*text, |(said, _)| said);
                (said.to_owned(), hint)
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
    excerpt(line, 400).into_owned()
}

/// The nearest of the names a serde message offers: ``unknown field `x`, expected one of `a`, `b` ``.
pub(crate) fn hint_in(message: &str) -> Option<String> {
    let (refused, offered) = message.split_once("expected ")?;
    let refused = refused.split('`').nth(1)?;
    let offered: Vec<&str> = offered.split('`').skip(1).step_by(2).collect();
    did_you_mean(refused, offered.iter().copied()).or_else(|| one_of(refused, offered.iter().copied()))
}
