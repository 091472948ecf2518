//! Bytes to text and back, without losing one of them.
//!
//! Decides the encoding of a file the way an XML reader does (XML 1.0 appendix F): byte order mark first, then the
//! shape of the first `<`, then the name in the XML declaration, then UTF-8. Invalid sequences are refused, never
//! replaced, so that decoding followed by encoding gives the same bytes; that is what makes an edit a splice. It never
//! guesses a code page that no declaration names.

use std::fmt;
use std::ops::Range;

pub use self::code_pages::CodePage;
use crate::fault::{Fault, Position, Wrong, clip};

mod code_pages;

/// More than any budget may allow: offsets are kept in 32 bits, and a text can have three times the bytes of its code page.
const MOST_BYTES: usize = 1 << 30;

/// How far the walk to a position may be: one remembered place per this many bytes of text.
const MARK_EVERY: usize = 256;

/// How a file turns characters into bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8 {
        /// Whether the file begins with `EF BB BF`.
        bom: bool,
    },
    /// UTF-16, low byte first.
    Utf16Le {
        /// Whether the file begins with `FF FE`.
        bom: bool,
    },
    /// UTF-16, high byte first.
    Utf16Be {
        /// Whether the file begins with `FE FF`.
        bom: bool,
    },
    /// A single-byte code page named by the XML declaration, such as windows-1252.
    SingleByte(&'static CodePage),
}

impl Encoding {
    /// Bytes of the byte order mark.
    fn mark_length(self) -> usize {
        match self {
            Self::Utf8 { bom: true } => 3,
            Self::Utf16Le { bom: true } | Self::Utf16Be { bom: true } => 2,
            _ => 0,
        }
    }

    /// Bytes one character of the file takes.
    fn width(self, c: char) -> usize {
        match self {
            Self::Utf8 { .. } => c.len_utf8(),
            Self::Utf16Le { .. } | Self::Utf16Be { .. } => 2 * c.len_utf16(),
            Self::SingleByte(_) => 1,
        }
    }

    /// Encodes a fragment of XML. What a code page lacks becomes a character reference, which means the same.
    fn encode(self, fragment: &str) -> Vec<u8> {
        match self {
            Self::Utf8 { .. } => fragment.as_bytes().to_vec(),
            Self::Utf16Le { .. } => fragment.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be { .. } => fragment.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::SingleByte(page) => {
                let mut bytes = Vec::with_capacity(fragment.len());
                for c in fragment.chars() {
                    match page.encode(c) {
                        Some(byte) => bytes.push(byte),
                        None => bytes.extend_from_slice(format!("&#{};", u32::from(c)).as_bytes()),
                    }
                }
                bytes
            }
        }
    }
}

impl fmt::Display for Encoding {
    /// Writes the name people know: `UTF-8 with BOM`, `UTF-16 LE without BOM`, `windows-1252`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bom) = match *self {
            Self::Utf8 { bom } => ("UTF-8", bom),
            Self::Utf16Le { bom } => ("UTF-16 LE", bom),
            Self::Utf16Be { bom } => ("UTF-16 BE", bom),
            Self::SingleByte(page) => return f.write_str(page.name()),
        };
        write!(f, "{name} {} BOM", if bom { "with" } else { "without" })
    }
}

/// A file's bytes and the text they spell. Offsets are bytes of the *text*; spans in the file come from
/// [`Text::file_span`].
#[derive(Debug, Clone)]
pub struct Text {
    source: Source,
    encoding: Encoding,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone)]
enum Source {
    /// The bytes are the text, byte order mark included.
    Same(String),
    /// The bytes spell another string.
    Decoded { bytes: Vec<u8>, text: String },
}

/// One character boundary, in all four ways of counting.
#[derive(Debug, Clone, Copy)]
struct Mark {
    offset: usize,
    byte: usize,
    position: Position,
}

/// A change of the text, in text offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub range: Range<usize>,
    /// The replacement.
    pub with: String,
}

/// One changed place of a file. Several belong together, ascend and do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// The bytes that were replaced, counted in the file *before* the edit; empty for an insertion.
    pub at: Range<usize>,
    /// What stands there now, in the file's encoding; empty for a removal.
    pub with: Vec<u8>,
}

impl Text {
    /// Decodes a whole file of at most `limit` bytes, in the encoding it shows.
    pub fn decode(bytes: Vec<u8>, limit: usize) -> Result<Self, Fault> {
        refuse_larger(&bytes, limit)?;
        let encoding = detect(&bytes).map_err(|wrong| Fault { at: Position::START, markup: 0..0, wrong })?;
        Self::in_encoding(bytes, encoding)
    }

    /// Decodes UTF-8 of at most `limit` bytes, with or without byte order mark, whatever its XML declaration says: for
    /// documents whose encoding is settled elsewhere.
    pub fn utf8(bytes: Vec<u8>, limit: usize) -> Result<Self, Fault> {
        refuse_larger(&bytes, limit)?;
        let bom = bytes.starts_with(b"\xEF\xBB\xBF");
        Self::in_encoding(bytes, Encoding::Utf8 { bom })
    }

    fn in_encoding(bytes: Vec<u8>, encoding: Encoding) -> Result<Self, Fault> {
        let mark = encoding.mark_length();
        let decoded =
            match encoding {
                Encoding::Utf8 { .. } => decode_utf8(bytes, mark),
                Encoding::Utf16Le { .. } => decode_utf16(&bytes[mark..], u16::from_le_bytes)
                    .map(|text| Source::Decoded { bytes, text }),
                Encoding::Utf16Be { .. } => decode_utf16(&bytes[mark..], u16::from_be_bytes)
                    .map(|text| Source::Decoded { bytes, text }),
                Encoding::SingleByte(page) => {
                    decode_code_page(&bytes, page).map(|text| Source::Decoded { bytes, text })
                }
            };
        match decoded {
            Ok(source) => {
                let mut text = Self { source, encoding, marks: Vec::new() };
                text.marks = marks(text.as_str(), encoding);
                Ok(text)
            }
            Err(good) => {
                let at = marks(&good, encoding)
                    .last()
                    .map_or(Position::START, |mark| walk(*mark, &good, encoding, good.len()).position);
                let wrong = Wrong::Undecodable { encoding: encoding_name(encoding) };
                Err(Fault { at, markup: 0..0, wrong })
            }
        }
    }

    /// The decoded text, without byte order mark.
    pub fn as_str(&self) -> &str {
        match &self.source {
            Source::Same(whole) => &whole[self.encoding.mark_length()..],
            Source::Decoded { text, .. } => text,
        }
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.source {
            Source::Same(whole) => whole.as_bytes(),
            Source::Decoded { bytes, .. } => bytes,
        }
    }

    /// The file's encoding.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Line and column of a text offset. Offsets past the end or inside a character count as the boundary before.
    pub fn position(&self, offset: usize) -> Position {
        self.locate(offset).position
    }

    /// The bytes of the file that a range of the text came from.
    pub fn file_span(&self, range: &Range<usize>) -> Range<usize> {
        self.locate(range.start).byte..self.locate(range.end).byte
    }

    /// The file's bytes with these edits applied (ascending, not overlapping), and the same edits in file bytes.
    pub fn spliced(&self, edits: &[Edit]) -> (Vec<u8>, Vec<Splice>) {
        let old = self.bytes();
        let mut bytes = Vec::with_capacity(old.len() + 64);
        let mut splices = Vec::with_capacity(edits.len());
        let mut copied = 0;
        for edit in edits {
            let at = self.file_span(&edit.range);
            debug_assert!(copied <= at.start && at.start <= at.end, "edits must ascend without overlap");
            let with = self.encoding.encode(&edit.with);
            bytes.extend_from_slice(old.get(copied..at.start).unwrap_or_default());
            bytes.extend_from_slice(&with);
            copied = at.end;
            splices.push(Splice { at, with });
        }
        bytes.extend_from_slice(&old[copied..]);
        (bytes, splices)
    }

    fn locate(&self, offset: usize) -> Mark {
        let after = self.marks.partition_point(|mark| mark.offset <= offset);
        // The first mark has offset 0, so at least one mark is not after any offset.
        walk(self.marks[after - 1], self.as_str(), self.encoding, offset)
    }
}

fn refuse_larger(bytes: &[u8], limit: usize) -> Result<(), Fault> {
    let limit = limit.min(MOST_BYTES);
    if bytes.len() <= limit {
        return Ok(());
    }
    Err(Fault { at: Position::START, markup: 0..0, wrong: Wrong::TooLarge { bytes: bytes.len(), limit } })
}

/// The encoding of a file, or what is wrong with it.
fn detect(bytes: &[u8]) -> Result<Encoding, Wrong> {
    let declared = declared_encoding(bytes);
    let found = match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => return Err(Wrong::Utf32),
        [0xEF, 0xBB, 0xBF, ..] => Encoding::Utf8 { bom: true },
        [0xFF, 0xFE, ..] => Encoding::Utf16Le { bom: true },
        [0xFE, 0xFF, ..] => Encoding::Utf16Be { bom: true },
        [b'<', 0, ..] => Encoding::Utf16Le { bom: false },
        [0, b'<', ..] => Encoding::Utf16Be { bom: false },
        _ => Encoding::Utf8 { bom: false },
    };
    let (Encoding::Utf8 { bom }, Some(label)) = (found, declared) else { return Ok(found) };
    if code_pages::is_one_of(label, code_pages::UTF_8) {
        return Ok(found);
    }
    if code_pages::is_one_of(label, code_pages::UTF_16) {
        return Err(Wrong::NotUtf16 { label: clip(label) });
    }
    // A byte order mark is stronger evidence than a name that was copied along.
    match CodePage::for_label(label) {
        Some(_) if bom => Ok(found),
        Some(page) => Ok(Encoding::SingleByte(page)),
        None => Err(Wrong::UnknownEncoding { label: clip(label) }),
    }
}

/// The encoding's name in the XML declaration of a file whose declaration is spelt in ASCII.
fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).strip_prefix(b"<?xml")?;
    let head = &bytes[..bytes.len().min(256)];
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&head[..end]).ok()?;
    let (_, after) = declaration.split_once("encoding")?;
    let quoted = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    quoted[1..].split(quote).next()
}

/// The name used in messages about invalid bytes.
fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 { .. } => "UTF-8",
        Encoding::Utf16Le { .. } | Encoding::Utf16Be { .. } => "UTF-16",
        Encoding::SingleByte(page) => page.name(),
    }
}

/// Text, or the part before the first invalid sequence.
fn decode_utf8(bytes: Vec<u8>, mark: usize) -> Result<Source, String> {
    String::from_utf8(bytes).map(Source::Same).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        String::from_utf8_lossy(&error.as_bytes()[mark..good]).into_owned()
    })
}

/// Text, or the part before the first lone surrogate or half unit.
fn decode_utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (pairs, rest) = body.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match decoded {
            Ok(c) => text.push(c),
            Err(_) => return Err(text),
        }
    }
    if rest.is_empty() { Ok(text) } else { Err(text) }
}

/// Text, or the part before the first byte that the code page does not define.
fn decode_code_page(body: &[u8], page: &CodePage) -> Result<String, String> {
    let mut text = String::with_capacity(body.len());
    for byte in body {
        match page.decode(*byte) {
            Some(c) => text.push(c),
            None => return Err(text),
        }
    }
    Ok(text)
}

fn marks(text: &str, encoding: Encoding) -> Vec<Mark> {
    let mut mark = Mark { offset: 0, byte: encoding.mark_length(), position: Position::START };
    let mut marks = Vec::with_capacity(text.len() / MARK_EVERY + 1);
    marks.push(mark);
    let mut next = MARK_EVERY;
    while next < text.len() {
        mark = walk(mark, text, encoding, next);
        marks.push(mark);
        next += MARK_EVERY;
    }
    marks
}

/// Steps from a known place to the last character boundary at or before `offset`.
fn walk(mut mark: Mark, text: &str, encoding: Encoding, offset: usize) -> Mark {
    let mut rest = text[mark.offset..].chars().peekable();
    while let Some(c) = rest.next() {
        if mark.offset + c.len_utf8() > offset {
            break;
        }
        mark.offset += c.len_utf8();
        mark.byte += encoding.width(c);
        if c == '\n' || (c == '\r' && rest.peek() != Some(&'\n')) {
            mark.position = Position { line: mark.position.line + 1, column: 1 };
        } else {
            mark.position.column += 1;
        }
    }
    mark
}

#[cfg(test)]
mod tests;
