//! The same text without one kind of escape, and where each of its bytes came from.
//!
//! Decides what `%41`, `\u0041`, `&#65;` and Base64 stand for, as leniently as the most lenient reader would. Never decides
//! what is secret in it.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A text after one decoding.
pub(super) struct Layer {
    pub(super) text: Vec<u8>,
    /// For each byte, what it was made from.
    origins: Vec<(u32, u32)>,
}

impl Layer {
    /// What a part of this text was made from.
    pub(super) fn origin(&self, part: &Range<usize>) -> Range<usize> {
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        match (self.origins.get(part.start), self.origins.get(part.end.saturating_sub(1))) {
            (Some((start, _)), Some((_, end))) if part.start < part.end => place(*start)..place(*end),
            _ => 0..0,
        }
    }
}

/// One escape: what it stands for, how much of that counts, and how long it is.
type Escape = ([u8; 4], usize, usize);

/// One kind of escapes: what they begin with, and how one is read.
type Decoder = (u8, fn(&[u8]) -> Option<Escape>);

/// The kinds of escapes.
pub(super) const DECODERS: [Decoder; 3] = [(b'%', percent), (b'\\', backslash), (b'&', entity)];

/// A text without escapes of one kind; `None` if there are none in it.
pub(super) fn decoded(text: &[u8], (first, escape): Decoder) -> Option<Layer> {
    // Positions are kept small; nothing of a record is as long as that.
    u32::try_from(text.len()).ok().filter(|_| text.contains(&first))?;
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut layer = Layer { text: Vec::with_capacity(text.len()), origins: Vec::with_capacity(text.len()) };
    let (mut at, mut found) = (0, false);
    while let Some(&byte) = text.get(at) {
        let (bytes, count, length) = if byte == first { escape(&text[at..]) } else { None }
            .inspect(|_| found = true)
            .unwrap_or(([byte, 0, 0, 0], 1, 1));
        for byte in &bytes[..count] {
            layer.text.push(*byte);
            layer.origins.push((place(at), place(at + length)));
        }
        at += length;
    }
    found.then_some(layer)
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

fn character(code: u32, length: usize) -> Option<Escape> {
    let mut bytes = [0; 4];
    let count = char::from_u32(code)?.encode_utf8(&mut bytes).len();
    Some((bytes, count, length))
}

fn percent(text: &[u8]) -> Option<Escape> {
    let byte = u8::try_from(hex(text.get(1..3)?)?).ok()?;
    Some(([byte, 0, 0, 0], 1, 3))
}

fn backslash(text: &[u8]) -> Option<Escape> {
    let plain = |byte: u8| Some(([byte, 0, 0, 0], 1, 2));
    match text.get(1)? {
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'b' => plain(8),
        b'f' => plain(12),
        other @ (b'"' | b'\\' | b'/' | b'\'') => plain(*other),
        b'x' => character(hex(text.get(2..4)?)?, 4),
        b'u' => {
            let unit = hex(text.get(2..6)?)?;
            let low = || hex(text.get(6..8).filter(|mark| *mark == b"\\u").and_then(|_| text.get(8..12))?);
            match (unit, low()) {
                (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                    character(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00), 12)
                }
                _ => character(unit, 6),
            }
        }
        _ => None,
    }
}

fn entity(text: &[u8]) -> Option<Escape> {
    let length = text.iter().take(12).position(|byte| *byte == b';')? + 1;
    let code = match &text[1..length - 1] {
        b"amp" => 0x26,
        b"lt" => 0x3C,
        b"gt" => 0x3E,
        b"quot" => 0x22,
        b"apos" => 0x27,
        [b'#', b'x' | b'X', digits @ ..] => hex(digits)?,
        [b'#', digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok()?,
        _ => return None,
    };
    character(code, length)
}

/// Every stretch of a text that may be Base64 of so many bytes or more, of either alphabet, in lines or in one.
pub(super) fn base64_runs(text: &[u8], shortest: usize) -> Vec<Range<usize>> {
    let shortest = shortest.saturating_mul(4).div_ceil(3).max(1);
    let mut runs = Vec::new();
    let mut at = 0_usize;
    while let Some(first) = at.checked_add(shortest).and_then(|end| text.get(at..end)) {
        // one that begins before what can be in none is too short
        let may_be_in_one = |byte: &u8| is_base64(*byte) || matches!(byte, b'\r' | b'\n');
        if let Some(other) = first.iter().rposition(|byte| !may_be_in_one(byte)) {
            at += other + 1;
            continue;
        }
        let start = at;
        while at < text.len() && (is_base64(text[at]) || breaks_a_line(&text[at..]) && at > start) {
            at += 1;
        }
        if at - start >= shortest {
            let end = at + text[at..].iter().take(2).take_while(|byte| **byte == b'=').count();
            runs.push(start..end);
        }
        at = at.max(start + 1);
    }
    runs
}

/// The letters of both alphabets: asked of every byte of what is looked through.
static LETTERS: [bool; 256] = {
    let mut letters = [false; 256];
    let mut byte = u8::MIN;
    loop {
        letters[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        match byte.checked_add(1) {
            Some(next) => byte = next,
            None => break,
        }
    }
    letters
};

fn is_base64(byte: u8) -> bool {
    LETTERS[usize::from(byte)]
}

/// Whether a line of Base64 goes on in the next one.
fn breaks_a_line(text: &[u8]) -> bool {
    match text {
        [b'\r', b'\n', next, ..] | [b'\n', next, ..] => is_base64(*next),
        _ => false,
    }
}

/// Takes whatever may be meant.
static LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a stretch of Base64 may stand for: wherever in it the first group begins.
pub(super) fn base64_decoded(run: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let letters: Vec<u8> = run
        .iter()
        .filter(|byte| is_base64(**byte))
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    (0..4).filter_map(move |offset| {
        let letters = letters.get(offset..)?;
        // One letter too many is no byte.
        let whole = if letters.len() % 4 == 1 { letters.len() - 1 } else { letters.len() };
        LENIENT.decode(&letters[..whole]).ok().filter(|bytes| !bytes.is_empty())
    })
}
