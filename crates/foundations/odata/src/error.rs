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
    /// A filter has too many comparisons and other terms.
    #[error("the expression has more than {limit} terms")]
    TooManyTerms {
        /// The limit.
        limit: usize,
    },
    /// A list has too many items.
    #[error("the list has more than {limit} items")]
    TooManyItems {
        /// The limit.
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
    /// A word where `eq`, `and` or another operator should stand.
    #[error("'{text}' is no operator of this grammar")]
    UnknownOperator {
        /// The word, cut at 64 characters.
        text: String,
    },
    /// A function call other than those of one text in another.
    #[error("the function '{name}' is not supported")]
    UnsupportedFunction {
        /// The function's name.
        name: String,
    },
    /// A qualified name used as a path segment (type cast) or a typed literal of another OData version.
    #[error("'{text}' is not supported here")]
    UnsupportedName {
        /// The name.
        text: String,
    },
    /// `not a eq b`: `not` binds tighter than a comparison (URL conventions 5.1.1.9), so this compares a negation.
    #[error("what 'not' negates needs parentheses")]
    AmbiguousNot,
    /// A comparison of a comparison, `(a eq b) eq true`.
    #[error("the result of an expression cannot be compared")]
    ComparedExpression,
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

/// A query option that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("query option '{option}': {kind} at offset {offset}")]
pub struct QueryError {
    /// The option's decoded name, `$filter`; empty if not even the name could be read. Cut at 64 characters.
    pub option: String,
    /// Byte offset into the raw query string.
    pub offset: usize,
    /// What is wrong there.
    pub kind: QueryErrorKind,
}

/// What is wrong with a query option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryErrorKind {
    /// A name that begins with `$` and is none of `$select $filter $top $skip $orderby $count $expand`.
    #[error("the option is unknown")]
    Unknown,
    /// A `$` option or parameter alias given a second time.
    #[error("the option is given twice")]
    Repeated,
    /// More options than are read.
    #[error("there are more than {limit} options")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// `$top`, `$skip` or `$count` with a value of another type.
    #[error("the value is not {expected}")]
    InvalidValue {
        /// What the value should be.
        expected: &'static str,
    },
    /// The value does not follow the option's grammar.
    #[error(transparent)]
    Syntax(#[from] SyntaxErrorKind),
}

/// Cuts text for a report, so that an error never carries a whole request.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
