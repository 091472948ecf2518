//! What can be wrong with a text, and where.
//!
//! Decides the kinds of faults and a sentence for each that fits any document. It gives no advice: what the owner of a file
//! should do is worded by the crate that knows the file. No sentence repeats a *value* (it may be a password); names are
//! repeated, cut to a readable length.

use std::fmt;
use std::ops::Range;

use thiserror::Error;

/// A place in a text as an editor shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, counted from 1. A line ends with LF, CR LF or a lone CR.
    pub line: u32,
    /// Column, counted from 1 in characters (not bytes, not UTF-16 units).
    pub column: u32,
}

impl Position {
    /// Where every text begins.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    /// Writes `line:column`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The first thing that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{at}: {wrong}")]
pub struct Fault {
    /// The exact place.
    pub at: Position,
    /// The markup it was found in, in offsets of the text: the whole tag or run of text where its end is known, else
    /// nothing at the place where it begins.
    pub markup: Range<usize>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong. Names in it are cut to a readable length.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the words of the sentence above each variant")]
pub enum Wrong {
    // the bytes
    /// More bytes than the budget.
    #[error("the text has {bytes} bytes, more than the {limit} that are read")]
    TooLarge { bytes: usize, limit: usize },
    /// UTF-32, which nobody writes.
    #[error("the text is UTF-32, which is not read")]
    Utf32,
    /// The declaration says UTF-16 over bytes that are not.
    #[error("the XML declaration says {label}, but the text is not UTF-16")]
    NotUtf16 { label: String },
    /// The declaration names an encoding that is not read.
    #[error("the encoding {label} of the XML declaration is not read")]
    UnknownEncoding { label: String },
    /// The bytes are not text in the encoding they claim.
    #[error("the bytes here are not valid {encoding}")]
    Undecodable { encoding: &'static str },
    /// A character XML 1.0 does not allow (section 2.2), such as U+0000.
    #[error("the character U+{:04X} is not allowed in XML", u32::from(*.0))]
    Character(char),
    /// U+FEFF after the byte order mark.
    #[error("a second byte order mark")]
    SecondMark,

    // budgets
    /// Elements nested deeper than the budget.
    #[error("elements are nested deeper than {limit}")]
    TooDeep { limit: usize },
    /// More elements than the budget.
    #[error("more than {limit} elements")]
    TooManyElements { limit: usize },
    /// More attributes on one element than the budget.
    #[error("more than {limit} attributes on one element")]
    TooManyAttributes { limit: usize },

    // around the root
    /// A document type declaration, which can hide an entity bomb.
    #[error("a document type declaration (<!DOCTYPE>) is not read")]
    Doctype,
    /// One that does not even end.
    #[error("a document type declaration is not read")]
    BrokenDoctype,
    /// An XML declaration after the beginning.
    #[error("the XML declaration is not at the very beginning")]
    DeclarationPlace,
    /// An XML declaration of something other than XML 1.0.
    #[error("the XML declaration does not begin with version=\"1.0\"")]
    DeclarationVersion,
    /// `<??>`, or an XML declaration in capitals.
    #[error("a processing instruction without a proper name")]
    Instruction,
    /// Two roots.
    #[error("a second outermost element")]
    SecondRoot,
    /// Text before the root.
    #[error("text before the first element")]
    TextBefore,
    /// Text after the root.
    #[error("text after the last element")]
    TextAfter,
    /// Text after a root, where others may follow.
    #[error("text outside the elements")]
    TextOutside,
    /// No root.
    #[error("the text holds no element")]
    NoElement,

    // tags
    /// `<` before something that is no name.
    #[error("`<` is not followed by the name of an element")]
    ElementName,
    /// A closing tag without an opening one.
    #[error("</{name}> closes an element that is not open")]
    NotOpen { name: String },
    /// A closing tag with more than a name.
    #[error("</{name}> holds more than a name")]
    ClosingTag { name: String },
    /// A closing tag of an outer element.
    #[error("<{open}>, opened on line {line}, is not closed before </{closing}>")]
    ClosedOutside { open: String, line: u32, closing: String },
    /// A closing tag of no open element.
    #[error("</{closing}> does not close <{open}>, opened on line {line}")]
    Mismatched { open: String, line: u32, closing: String },
    /// The text ends inside elements; `missing` would close them all.
    #[error("the text ends, but <{open}>, opened on line {line}, is not closed")]
    LeftOpen { open: String, line: u32, missing: String },
    /// `<a` to the end of the text.
    #[error("the tag opened here is not closed")]
    UnclosedTag,
    /// A quotation mark that stays open, in a tag that cannot be read further.
    #[error("a quotation mark in the tag opened here is not closed")]
    UnclosedQuote,

    // attributes
    /// Something in a tag that is no attribute.
    #[error("this is not the name of an attribute")]
    AttributeName,
    /// `a="1"b="2"`.
    #[error("no space before the attribute {name}")]
    AttributeSpace { name: String },
    /// `a`, `a=1`.
    #[error("the attribute {name} has no quoted value")]
    AttributeUnquoted { name: String },
    /// A quotation mark that stays open, where its attribute is known.
    #[error("the quotation mark of an attribute value opened here is not closed")]
    UnclosedValue,
    /// One attribute twice, by name or by what its prefix stands for.
    #[error("the attribute {name} stands twice in one element")]
    DuplicateAttribute { name: String },
    /// `<` in a value; whether `>` follows there, and where the attribute begins in the text.
    #[error("the attribute {name} contains `<`")]
    AngleBracket { name: String, attribute: usize, pair: bool },

    // text
    /// `&` that begins no reference.
    #[error("`&` stands alone")]
    BareAmpersand,
    /// A reference to anything but the five predefined entities or a character.
    #[error("&{name}; is not an entity of XML")]
    Entity { name: String },
    /// A reference to a character XML does not allow.
    #[error("&{name}; names a character that XML does not allow")]
    CharacterReference { name: String },
    /// The end of a CDATA section outside one.
    #[error("`]]>` outside a CDATA section")]
    SectionEnd,
    /// A comment to the end of the text.
    #[error("the comment opened here is not closed")]
    UnclosedComment,
    /// A CDATA section to the end of the text.
    #[error("the CDATA section opened here is not closed")]
    UnclosedSection,
    /// A processing instruction or declaration to the end of the text.
    #[error("the instruction opened here is not closed")]
    UnclosedInstruction,
    /// `--` in a comment.
    #[error("`--` inside a comment")]
    DoubleHyphen,
    /// `<!` and nothing XML knows.
    #[error("this is not XML")]
    NotXml,

    // namespaces
    /// A prefix without a declaration.
    #[error("the prefix {prefix} is not declared")]
    UndeclaredPrefix { prefix: String },
    /// A name with a colon where none may be.
    #[error("{name} is not a name with at most one prefix")]
    QualifiedName { name: String },
    /// `xmlns:p=""`.
    #[error("the prefix {prefix} is bound to nothing")]
    PrefixToNothing { prefix: String },
    /// `xml`, `xmlns` or their namespaces bound to something else.
    #[error("the prefix {prefix} or its namespace is reserved")]
    ReservedNamespace { prefix: String },
}

/// A name out of a text, cut so that a hostile text cannot make a message of megabytes.
pub fn clip(name: &str) -> String {
    const LONGEST: usize = 80;
    let mut clipped: String =
        name.chars().take(LONGEST).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if name.chars().nth(LONGEST).is_some() {
        clipped.push_str("...");
    }
    clipped
}
