//! Finds what is secret in a text, in whatever it is wrapped.
//!
//! Decides by structure (pairs of forms and connection strings, members of JSON, elements and attributes of markup,
//! signatures of JWTs, private keys) and by value, in the text as it stands and in what it stands for when escapes are
//! undone. Gives places in the text as it stands. Errs on the side of hiding too much. Never changes a text.

use std::ops::Range;

use super::layers::{DECODERS, base64_decoded, base64_runs, decoded};
use super::markup;
use super::names::{DELIMITERS, Names, Sensitivity};
use super::values::Matcher;

/// How many wrappings are undone.
pub(super) const DEPTH: u8 = 3;

/// What is looked for besides values, signatures and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing: a text that says something about a request in words of ours.
    Words,
    /// Forms, addresses, JSON and markup.
    Sent,
    /// The same in an address, where a fragment begins something new.
    Address,
    /// The same in a text of JSON, where `code` with a number is no authorization code.
    Member,
}

/// `<pwd>x</pwd>`, in bytes.
const SHORTEST_MARKUP: usize = 12;

type Found = Vec<Range<usize>>;

/// What a private key begins with.
const HYPHEN: u8 = b'-';

/// Bytes with which something begins that is looked for: of most texts it is known at once that there is none of it.
const MARKED: &[u8] = b"%\\&<-";

/// Which of those stand in a text.
#[derive(Clone, Copy)]
struct Marks(u8);

impl Marks {
    /// A bit for each of them.
    const BITS: [u8; 256] = {
        let mut bits = [0; 256];
        let mut at = 0;
        while at < MARKED.len() {
            bits[MARKED[at] as usize] = 1 << at;
            at += 1;
        }
        bits
    };

    fn of(text: &[u8]) -> Self {
        static BITS: [u8; 256] = Marks::BITS;
        Self(text.iter().fold(0, |marks, byte| marks | BITS[usize::from(*byte)]))
    }

    /// Whether a byte may be there; of one that is none of those it is not known.
    fn has(self, byte: u8) -> bool {
        !MARKED.contains(&byte) || self.0 & Self::BITS[usize::from(byte)] != 0
    }
}

/// What is looked for.
pub(super) struct Finder<'f> {
    pub(super) names: &'f Names,
    pub(super) values: Option<&'f Matcher>,
}

impl Finder<'_> {
    /// Every place that may not be seen.
    pub(super) fn find(&self, text: &[u8], shape: Shape, depth: u8, found: &mut Found) {
        if let Some(values) = self.values {
            values.find(text, found);
        }
        signatures(text, found);
        let there = Marks::of(text);
        if there.has(HYPHEN) {
            private_keys(text, found);
        }
        if shape != Shape::Words {
            self.structure(text, shape, there, found);
        }
        let Some(depth) = depth.checked_sub(1) else { return };
        for decoder in DECODERS.into_iter().filter(|(first, _)| there.has(*first)) {
            if let Some(layer) = decoded(text, decoder) {
                let mut below = Found::new();
                self.find(&layer.text, shape, depth, &mut below);
                found.extend(below.iter().map(|part| layer.origin(part)));
            }
        }
        for run in base64_runs(text, self.shortest()) {
            if base64_decoded(&text[run.clone()]).any(|inside| self.is_secret(&inside, depth)) {
                found.push(run);
            }
        }
    }

    /// How many bytes of something wrapped can be secret: a value, or an element with its content.
    pub(super) fn shortest(&self) -> usize {
        self.values.map_or(usize::MAX, Matcher::shortest).min(SHORTEST_MARKUP)
    }

    /// Whether what was wrapped in Base64 holds a secret: by value, as markup, or a private key. Names of its members are no
    /// sign: the claims of a token may be seen.
    fn is_secret(&self, inside: &[u8], depth: u8) -> bool {
        let mut found = Found::new();
        if let Some(values) = self.values {
            values.find(inside, &mut found);
        }
        let there = Marks::of(inside);
        if there.has(HYPHEN) {
            private_keys(inside, &mut found);
        }
        if there.has(b'<') {
            markup::find(self.names, inside, &mut found);
        }
        if !found.is_empty() {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else { return false };
        let mut layers = DECODERS
            .into_iter()
            .filter(|(first, _)| there.has(*first))
            .filter_map(|decoder| decoded(inside, decoder));
        let mut runs = base64_runs(inside, self.shortest()).into_iter();
        layers.any(|layer| self.is_secret(&layer.text, depth))
            || runs.any(|run| base64_decoded(&inside[run]).any(|deeper| self.is_secret(&deeper, depth)))
    }

    fn structure(&self, text: &[u8], shape: Shape, there: Marks, found: &mut Found) {
        if there.has(b'<') {
            markup::find(self.names, text, found);
        }
        if text.trim_ascii_start().starts_with(b"<") {
            for part in markup::texts(text) {
                let mut inside = Found::new();
                self.pairs(&text[part.clone()], shape, &mut inside);
                self.members(&text[part.clone()], &mut inside);
                found.extend(inside.iter().map(|place| part.start + place.start..part.start + place.end));
            }
        } else {
            self.pairs(text, shape, found);
            self.members(text, found);
        }
    }

    /// `name=value`, up to the next `&`: to a form whatever else stands there may be the rest of the secret.
    fn pairs(&self, text: &[u8], shape: Shape, found: &mut Found) {
        let mut from = 0;
        while let Some(equals) = position(text, from, |byte| byte == b'=') {
            from = equals + 1;
            let Some(sensitivity) = self.names.written_field(name_before(text, equals)) else { continue };
            let ends = |byte: u8| byte == b'&' || (byte == b'#' && shape == Shape::Address);
            let end = position(text, equals, ends).unwrap_or(text.len());
            let value = equals + 1..end;
            let number = || value.len() < 9 && text[value.clone()].iter().all(u8::is_ascii_digit);
            let is_code = || name_before(text, equals).to_ascii_lowercase().ends_with(b"code");
            if value.is_empty() || shape == Shape::Member && is_code() && number() {
                continue;
            }
            found.push(hidden_part(sensitivity, text, value));
            from = end;
        }
    }

    /// `"name": value`, also of JSON that is broken, cut, or stands in the middle of something.
    fn members(&self, text: &[u8], found: &mut Found) {
        let mut from = 0;
        while let Some(colon) = position(text, from, |byte| byte == b':') {
            from = colon + 1;
            let Some(name) = quoted_before(text, colon) else { continue };
            let Some(sensitivity) = self.names.field(&String::from_utf8_lossy(name)) else { continue };
            let start = position(text, from, |byte| !byte.is_ascii_whitespace()).unwrap_or(text.len());
            let value = match text.get(start) {
                None => continue,
                Some(b'"') => start + 1..end_of_string(text, start + 1),
                // `id_token` is also the name of an object that asks for claims.
                Some(b'{' | b'[') if sensitivity == Sensitivity::Token => continue,
                // Where it ends cannot be told for sure in what may be broken.
                Some(b'{' | b'[') => start..text.len(),
                Some(_) => {
                    let ends = |byte: u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                    start..position(text, start, ends).unwrap_or(text.len())
                }
            };
            if value.is_empty() || text[value.clone()] == *b"null" {
                continue;
            }
            from = value.end;
            found.push(hidden_part(sensitivity, text, value));
        }
    }
}

/// The first byte from a place on for which something holds.
fn position(text: &[u8], from: usize, holds: impl Fn(u8) -> bool) -> Option<usize> {
    Some(from + text.get(from..)?.iter().position(|byte| holds(*byte))?)
}

/// What stands before an equals sign up to whatever parts it from the pair before.
fn name_before(text: &[u8], equals: usize) -> &[u8] {
    let before = text[..equals].trim_ascii_end();
    let before = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
    before.rsplit(|byte| DELIMITERS.contains(&char::from(*byte))).next().unwrap_or_default()
}

/// The text between quotes just before a colon.
fn quoted_before(text: &[u8], colon: usize) -> Option<&[u8]> {
    let before = text[..colon].trim_ascii_end().strip_suffix(b"\"")?;
    let mut parts = before.rsplit(|byte| *byte == b'"');
    let name = parts.next();
    // Without a part before it there is no quote that opens it.
    parts.next().and(name)
}

fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'"' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn is_url_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Where the claims of a JWT end that begins here: its dot. What stands after the claims is never shown, so that a
/// signature cannot be had from a token someone damaged either.
fn claims_end(text: &[u8]) -> Option<usize> {
    let part = |from: usize| {
        let length = text.get(from..)?.iter().take_while(|byte| is_url_base64(**byte)).count();
        (length > 0 && text.get(from + length) == Some(&b'.')).then_some(from + length)
    };
    text.starts_with(b"ey").then(|| part(part(0)? + 1)).flatten()
}

/// Of a value that is a secret or a token, what may not be seen.
pub(super) fn hidden_part(sensitivity: Sensitivity, text: &[u8], value: Range<usize>) -> Range<usize> {
    match claims_end(&text[value.clone()]) {
        Some(dot) if sensitivity == Sensitivity::Token => value.start + dot + 1..value.end,
        _ => value,
    }
}

/// The signature of every JWT.
fn signatures(text: &[u8], found: &mut Found) {
    let mut at = 0;
    while let Some(start) = position(text, at, |byte| byte == b'e') {
        at = start + 1;
        let inside = start.checked_sub(1).is_some_and(|before| is_url_base64(text[before]));
        if inside || text.get(start + 1) != Some(&b'y') {
            continue;
        }
        if let Some(dot) = claims_end(&text[start..]) {
            let from = start + dot + 1;
            let rest = text[from..].iter().take_while(|byte| is_url_base64(**byte) || **byte == b'.').count();
            // Nothing, where there is no signature.
            found.push(from..from + rest);
            at = from + rest;
        }
    }
}

/// Every private key in PEM; one that has no end, to the end.
fn private_keys(text: &[u8], found: &mut Found) {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const KEY: &[u8] = b"PRIVATE KEY";
    const END: &[u8] = b"-----END ";
    let mut from = 0;
    while let Some(begin) = substring(text, from, BEGIN) {
        from = begin + BEGIN.len();
        let label_end = text.len().min(from + 40);
        let Some(label) = substring(&text[..label_end], from, KEY) else { continue };
        let end = substring(text, label, END).map_or(text.len(), |end| end + END.len());
        found.push(begin..end);
        from = end;
    }
}

fn substring(text: &[u8], from: usize, part: &[u8]) -> Option<usize> {
    let first = part.first()?;
    let mut from = from;
    loop {
        let at = position(text, from, |byte| byte == *first)?;
        if text.get(at..)?.starts_with(part) {
            return Some(at);
        }
        from = at + 1;
    }
}
