//! Bytes to text and back, without losing one of them.
//!
//! Decides the encoding of a file the way an XML reader does (XML 1.0 appendix F): byte order mark first, then the
//! shape of the first `<`, then the name in the XML declaration, then UTF-8. Invalid sequences are refused, never
//! replaced, so that decoding followed by encoding gives the same bytes; that is what makes an edit a splice. It never
//! guesses a code page that no declaration names.

use std::fmt;
use std::ops::Range;

use crate::artefact::Splice;
use crate::error::{Fault, Position, Problem, clip};

/// The largest file that is read, in bytes (4 MiB; a real web.config has some 30 KiB).
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

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
    SingleByte(&'static encoding_rs::Encoding),
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
            Self::SingleByte(page) => page.encode(fragment).0.into_owned(),
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
pub(crate) struct Text {
    bytes: Vec<u8>,
    decoded: String,
    encoding: Encoding,
    marks: Vec<Mark>,
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
pub(crate) struct TextEdit {
    /// What is replaced; empty for an insertion.
    pub(crate) range: Range<usize>,
    /// The replacement.
    pub(crate) with: String,
}

impl Text {
    /// Decodes a whole file.
    pub(crate) fn decode(bytes: Vec<u8>) -> Result<Self, Fault> {
        const START: Position = Position { line: 1, column: 1 };
        let fault = |problem, message: String, hint: &str| Fault {
            at: START,
            problem,
            message,
            hint: hint.to_owned(),
        };
        if bytes.len() > MAX_BYTES {
            return Err(fault(
                Problem::TooLarge,
                format!("the file has {} bytes, more than the {MAX_BYTES} that are read", bytes.len()),
                "check that this is the config file and not a log or a dump",
            ));
        }
        let encoding = detect(&bytes).map_err(|(message, hint)| fault(Problem::Encoding, message, hint))?;
        let body = &bytes[encoding.mark_length()..];
        let decoded = match encoding {
            Encoding::Utf8 { .. } => decode_utf8(body),
            Encoding::Utf16Le { .. } => decode_utf16(body, u16::from_le_bytes),
            Encoding::Utf16Be { .. } => decode_utf16(body, u16::from_be_bytes),
            Encoding::SingleByte(page) => decode_code_page(body, page),
        };
        match decoded {
            Ok(text) => {
                let marks = marks(&text, encoding);
                Ok(Self { bytes, decoded: text, encoding, marks })
            }
            Err(good) => {
                let at = marks(&good, encoding)
                    .last()
                    .map_or(START, |mark| walk(*mark, &good, encoding, good.len()).position);
                Err(Fault {
                    at,
                    problem: Problem::Encoding,
                    message: format!("the bytes here are not valid {}", encoding_name(encoding)),
                    hint: "save the file as UTF-8, or name its real encoding in the XML declaration"
                        .to_owned(),
                })
            }
        }
    }

    /// The decoded text, without byte order mark.
    pub(crate) fn as_str(&self) -> &str {
        &self.decoded
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file's encoding.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Line and column of a text offset. Offsets past the end or inside a character count as the boundary before.
    pub(crate) fn position(&self, offset: usize) -> Position {
        self.locate(offset).position
    }

    /// The bytes of the file that a range of the text came from.
    pub(crate) fn file_span(&self, range: &Range<usize>) -> Range<usize> {
        self.locate(range.start).byte..self.locate(range.end).byte
    }

    /// A fault at a text offset.
    pub(crate) fn fault(
        &self,
        offset: usize,
        problem: Problem,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Fault {
        Fault { at: self.position(offset), problem, message: message.into(), hint: hint.into() }
    }

    /// The file's bytes with these edits applied (ascending, not overlapping), and the same edits in file bytes.
    pub(crate) fn spliced(&self, edits: &[TextEdit]) -> (Vec<u8>, Vec<Splice>) {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 64);
        let mut splices = Vec::with_capacity(edits.len());
        let mut copied = 0;
        for edit in edits {
            let at = self.file_span(&edit.range);
            debug_assert!(copied <= at.start && at.start <= at.end, "edits must ascend without overlap");
            let with = self.encoding.encode(&edit.with);
            bytes.extend_from_slice(self.bytes.get(copied..at.start).unwrap_or_default());
            bytes.extend_from_slice(&with);
            copied = at.end;
            splices.push(Splice { at, with });
        }
        bytes.extend_from_slice(&self.bytes[copied..]);
        (bytes, splices)
    }

    fn locate(&self, offset: usize) -> Mark {
        let after = self.marks.partition_point(|mark| mark.offset <= offset);
        // The first mark has offset 0, so at least one mark is not after any offset.
        walk(self.marks[after - 1], &self.decoded, self.encoding, offset)
    }
}

/// The encoding of a file, or what is wrong with it and what to do.
fn detect(bytes: &[u8]) -> Result<Encoding, (String, &'static str)> {
    let declared = declared_encoding(bytes);
    let found = match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            return Err(("the file is UTF-32, which is not read".to_owned(), "save the file as UTF-8"));
        }
        [0xEF, 0xBB, 0xBF, ..] => Encoding::Utf8 { bom: true },
        [0xFF, 0xFE, ..] => Encoding::Utf16Le { bom: true },
        [0xFE, 0xFF, ..] => Encoding::Utf16Be { bom: true },
        [b'<', 0, ..] => Encoding::Utf16Le { bom: false },
        [0, b'<', ..] => Encoding::Utf16Be { bom: false },
        _ => Encoding::Utf8 { bom: false },
    };
    let (Encoding::Utf8 { bom }, Some(label)) = (found, declared) else { return Ok(found) };
    let page = encoding_rs::Encoding::for_label(label.as_bytes());
    let label = clip(label);
    match page {
        Some(page) if page == encoding_rs::UTF_8 => Ok(found),
        Some(page) if page == encoding_rs::UTF_16LE || page == encoding_rs::UTF_16BE => Err((
            format!("the XML declaration says {label}, but the file is not UTF-16"),
            "write encoding=\"utf-8\" in the XML declaration",
        )),
        // A byte order mark is stronger evidence than a name that was copied along.
        Some(_) if bom => Ok(found),
        Some(page) if page.is_single_byte() => Ok(Encoding::SingleByte(page)),
        _ => Err((
            format!("the encoding {label} of the XML declaration is not read"),
            "save the file as UTF-8",
        )),
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
fn decode_utf8(body: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(String::from_utf8_lossy(&body[..error.valid_up_to()]).into_owned()),
    }
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
fn decode_code_page(body: &[u8], page: &'static encoding_rs::Encoding) -> Result<String, String> {
    let (text, _) = page.decode_without_bom_handling(body);
    // No single-byte code page maps a byte to U+FFFD, so it marks the first undefined byte.
    if let Some(bad) = text.find('\u{FFFD}') {
        return Err(text[..bad].to_owned());
    }
    // Encoding must give the bytes back, else an edit could change more than its span.
    if page.encode(&text).0 == body { Ok(text.into_owned()) } else { Err(String::new()) }
}

fn marks(text: &str, encoding: Encoding) -> Vec<Mark> {
    let mut mark =
        Mark { offset: 0, byte: encoding.mark_length(), position: Position { line: 1, column: 1 } };
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
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Text {
        Text::decode(bytes.to_vec()).unwrap()
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn the_byte_order_mark_decides_the_encoding_and_is_not_part_of_the_text() {
        let with_mark = decoded(b"\xEF\xBB\xBF<a/>");
        assert_eq!((with_mark.encoding(), with_mark.as_str()), (Encoding::Utf8 { bom: true }, "<a/>"));
        let little = decoded(&[b"\xFF\xFE".as_slice(), &utf16("<a/>", u16::to_le_bytes)].concat());
        assert_eq!((little.encoding(), little.as_str()), (Encoding::Utf16Le { bom: true }, "<a/>"));
        let big = decoded(&[b"\xFE\xFF".as_slice(), &utf16("<a/>", u16::to_be_bytes)].concat());
        assert_eq!((big.encoding(), big.as_str()), (Encoding::Utf16Be { bom: true }, "<a/>"));
    }

    #[test]
    fn utf_16_without_a_mark_is_known_by_its_first_angle_bracket() {
        assert_eq!(decoded(&utf16("<a/>", u16::to_le_bytes)).encoding(), Encoding::Utf16Le { bom: false });
        assert_eq!(decoded(&utf16("<a/>", u16::to_be_bytes)).encoding(), Encoding::Utf16Be { bom: false });
    }

    #[test]
    fn a_declared_code_page_is_used_when_there_is_no_mark() {
        let page = decoded(b"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a b=\"\x80\"/>");
        assert!(page.as_str().contains('\u{20AC}'));
        assert_eq!(page.encoding().to_string(), "windows-1252");
        let at = page.as_str().find('\u{20AC}').unwrap();
        assert_eq!(page.file_span(&(at..at + 3)), at..at + 1);
    }

    #[test]
    fn lines_end_with_lf_cr_lf_or_a_lone_cr_and_columns_count_characters() {
        let text = decoded("a\r\nb\n\u{e9}\u{1F600}x\ry".as_bytes());
        let at = |c: char| text.position(text.as_str().find(c).unwrap());
        assert_eq!(at('b'), Position { line: 2, column: 1 });
        assert_eq!(at('x'), Position { line: 3, column: 3 });
        assert_eq!(at('y'), Position { line: 4, column: 1 });
    }

    #[test]
    fn an_invalid_sequence_is_refused_with_its_line() {
        let error = Text::decode(b"<a>\n  \xFF</a>".to_vec()).unwrap_err();
        assert_eq!((error.problem, error.at), (Problem::Encoding, Position { line: 2, column: 3 }));
        let mut odd = utf16("<a>\n</a>", u16::to_le_bytes);
        odd.push(b'x');
        assert_eq!(Text::decode(odd).unwrap_err().at, Position { line: 2, column: 5 });
        let mut lone = utf16("<a>\n", u16::to_le_bytes);
        lone.extend([0x00, 0xD8, b'x', 0]);
        assert_eq!(Text::decode(lone).unwrap_err().at, Position { line: 2, column: 1 });
    }

    #[test]
    fn a_declaration_of_utf_16_over_eight_bit_bytes_is_refused() {
        let error = Text::decode(b"<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>".to_vec()).unwrap_err();
        assert_eq!(error.problem, Problem::Encoding);
        assert!(error.hint.contains("utf-8"));
    }

    #[test]
    fn a_file_over_the_limit_is_refused_before_it_is_decoded() {
        assert_eq!(Text::decode(vec![b' '; MAX_BYTES + 1]).unwrap_err().problem, Problem::TooLarge);
        assert!(Text::decode(vec![b' '; MAX_BYTES]).is_ok());
    }

    #[test]
    fn positions_and_spans_agree_with_a_walk_from_the_start() {
        let source = "ab\u{e9}\r\n\u{1F600}".repeat(400);
        let bytes = [b"\xFF\xFE".as_slice(), &utf16(&source, u16::to_le_bytes)].concat();
        let text = decoded(&bytes);
        let first = text.marks[0];
        for (offset, _) in source.char_indices() {
            let slow = walk(first, &source, text.encoding, offset);
            assert_eq!((text.position(offset), text.locate(offset).byte), (slow.position, slow.byte));
        }
    }
}
