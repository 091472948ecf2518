//! Why text is not OData, and where.
//!
//! Decides the words of our own reports (journal, log, tests). A surface maps the kinds to its product's texts and
//! never sends these.

/// Text that is not what the grammar asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}")]
pub struct SyntaxError {
    /// Byte offset into the text that was handed in, before any percent-decoding.
    pub offset: usize,
    /// What is wrong there.
    pub kind: SyntaxErrorKind,
}

impl SyntaxError {
    pub(crate) fn new(offset: usize, kind: SyntaxErrorKind) -> Self {
        Self { offset, kind }
    }
}

/// What a parser found instead of what the grammar asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// The text is longer than the parser reads.
    #[error("the text is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Parentheses or `not` nest too deep.
    #[error("the expression nests deeper than {limit} levels")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// The text ends too early.
    #[error("the text ends where {expected} should stand")]
    UnexpectedEnd {
        /// What the grammar asks for.
        expected: &'static str,
    },
    /// Something else stands there.
    #[error("'{found}' stands where {expected} should")]
    Unexpected {
        /// What the grammar asks for.
        expected: &'static str,
        /// The character found.
        found: char,
    },
    /// A string has no closing quote.
    #[error("the string is not closed")]
    UnterminatedString,
    /// A word that begins like a number, date or GUID is none.
    #[error("'{text}' is no number, date or GUID")]
    InvalidLiteral {
        /// The word, cut at 64 characters.
        text: String,
    },
    /// A number outside what a double holds.
    #[error("the number is out of range")]
    NumberOutOfRange,
    /// A qualified name used as a path segment (type cast) or a typed literal of another OData version.
    #[error("'{text}' is not supported here")]
    UnsupportedName {
        /// The name.
        text: String,
    },
    /// One name given twice in a key or argument list.
    #[error("'{name}' is given twice")]
    RepeatedName {
        /// The name.
        name: String,
    },
    /// `%` without two hexadecimal digits.
    #[error("a percent sign without two hexadecimal digits")]
    InvalidEscape,
    /// The decoded bytes are not UTF-8.
    #[error("the decoded text is not UTF-8")]
    InvalidUtf8,
}

/// Cuts text for a report, so that an error never carries a whole request.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
