//! Strict YAML, and where in it something is wrong.
//!
//! Decides that unknown members and repeated keys are errors, that an error names line, column and the nearest valid
//! member, and how large a document may be. Never opens a file and never fills in anything.

use std::fmt;

use mocktenant_verdict::foreign::excerpt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_saphyr::budget::BudgetBreach;

use mocktenant_patch::nearest::{clip, did_you_mean, one_of, plain};

/// How large a document may be. Beyond it, it is a mistake or an attack.
#[derive(Clone, Copy)]
pub enum Size {
    /// A scenario: the longest has a few hundred.
    Scenario,
    /// A declaration: 10,000 tenants are about two million.
    Declaration,
}

/// Levels of maps and lists, as of a document that is edited.
const MAX_DEPTH: usize = mocktenant_patch::budget::MAX_DEPTH;

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
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| located(name, error.without_snippet(), size))
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
    let (line, column) = error.location().map_or((0, 0), |location| {
        (u32::try_from(location.line()).unwrap_or(0), u32::try_from(location.column()).unwrap_or(0))
    });
    // What is wrong with what an alias stands for is wrong where the alias is.
    let mut wrong = error;
    while let serde_saphyr::Error::AliasError { error, .. } = wrong {
        wrong = error;
    }
    let (message, hint) = match wrong {
        serde_saphyr::Error::Budget { breach, .. } => beyond(breach, size),
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
            // The scanner, which looks ahead, came to the end of its own before the budget.
            if text.starts_with("recursion limit exceeded") {
                beyond(&BudgetBreach::Depth { depth: MAX_DEPTH }, size)
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
    plain(&excerpt(line, 400)).into_owned()
}

/// The nearest of the names a serde message offers: ``unknown field `x`, expected one of `a`, `b` ``.
pub(crate) fn hint_in(message: &str) -> Option<String> {
    let (refused, offered) = message.split_once("expected ")?;
    let refused = refused.split('`').nth(1)?;
    let offered: Vec<&str> = offered.split('`').skip(1).step_by(2).collect();
    did_you_mean(refused, offered.iter().copied()).or_else(|| one_of(refused, offered.iter().copied()))
}
