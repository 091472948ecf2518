//! What can be wrong with a file or with an edit to it, and where.
//!
//! Decides the shape of these messages only. Their wording is this project's own: no text of a Microsoft product is
//! imitated here, because none of them reads a broken file this helpfully. No message repeats a *value* of the file (it
//! may be a password); names of elements, attributes and keys are repeated, cut to a readable length.

use mocktenant_xml::Position;
use thiserror::Error;

/// The kind of fault a file has, for code that reacts to it; people read [`ParseError::message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// The file is larger than [`MAX_BYTES`](crate::MAX_BYTES).
    TooLarge,
    /// The bytes are not text in the encoding they claim.
    Encoding,
    /// A character XML 1.0 does not allow (section 2.2), such as U+0000.
    Character,
    /// A document type declaration, which no config file needs and which can hide an entity bomb.
    Doctype,
    /// A reference to anything but the five predefined entities or a character, or a bare `&`.
    Entity,
    /// Elements nested deeper than 64.
    TooDeep,
    /// More than 100,000 elements.
    TooManyElements,
    /// The same attribute twice in one element.
    DuplicateAttribute,
    /// `<` inside an attribute value, usually a placeholder's angle brackets left in.
    AngleBracket,
    /// An element or a quoted value that is never closed.
    Unclosed,
    /// A closing tag that fits no open element.
    Mismatched,
    /// Anything else XML 1.0 does not allow.
    Malformed,
    /// The section is encrypted by a configuration tool.
    Encrypted,
    /// The section is kept in another file (`configSource`).
    Elsewhere,
    /// Well-formed, but not the file it was said to be.
    WrongFile,
}

/// A file that cannot be read as what it is said to be: the place, what is wrong there, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {message}; {hint}")]
pub struct ParseError {
    /// The file's name as given by the caller.
    pub file: String,
    /// Line of the fault, from 1.
    pub line: u32,
    /// Column of the fault, from 1, in characters.
    pub column: u32,
    /// The kind of fault.
    pub problem: Problem,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do, without a full stop.
    pub hint: String,
}

/// An edit that was refused. The artefact is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// This kind of file has no such key.
    #[error("{file} has no setting {key:?}; it has: {known}")]
    UnknownKey {
        /// The file's name.
        file: String,
        /// The key asked for.
        key: String,
        /// The keys that exist, comma separated.
        known: String,
    },
    /// The key is empty.
    #[error("{file}: a setting needs a name")]
    EmptyKey {
        /// The file's name.
        file: String,
    },
    /// A new key that does not say where in the file it belongs.
    #[error("{file}: {key:?} does not say where it belongs; write {expected}")]
    WrongKey {
        /// The file's name.
        file: String,
        /// The key.
        key: String,
        /// What a key looks like.
        expected: &'static str,
    },
    /// A text where a list belongs, or the other way round.
    #[error("{file}: {key} takes {expected}")]
    WrongShape {
        /// The file's name.
        file: String,
        /// The key.
        key: String,
        /// `one text` or `a list of texts`.
        expected: &'static str,
    },
    /// The value or key holds a character that XML 1.0 cannot carry, not even escaped.
    #[error("{file}: {key} cannot hold the character U+{code:04X}: XML does not allow it")]
    ForbiddenCharacter {
        /// The file's name.
        file: String,
        /// The key.
        key: String,
        /// The character's code point.
        code: u32,
    },
    /// The file lacks the element a new setting would be put into.
    #[error("{file}: there is no {path} to put {key} into; add that element first")]
    NoSection {
        /// The file's name.
        file: String,
        /// The key.
        key: String,
        /// The missing element, as a path from the root.
        path: &'static str,
    },
    /// The edited file would not read back as intended, so it was not edited.
    #[error("{file}: {key} was not changed: {reason}")]
    Unverified {
        /// The file's name.
        file: String,
        /// The key.
        key: String,
        /// What came out wrong.
        reason: String,
    },
}

/// A fault inside one text, before it is known which file that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where.
    pub(crate) at: Position,
    /// What kind.
    pub(crate) problem: Problem,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
}

impl Fault {
    /// A fault of the file's meaning, found in a text that is XML.
    pub(crate) fn new(
        at: Position,
        problem: Problem,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { at, problem, message: message.into(), hint: hint.into() }
    }

    /// Names the file.
    pub(crate) fn in_file(self, file: &str) -> ParseError {
        ParseError {
            file: file.to_owned(),
            line: self.at.line,
            column: self.at.column,
            problem: self.problem,
            message: self.message,
            hint: self.hint,
        }
    }
}
