//! Secrets in XML and HTML, by the names of elements and attributes.
//!
//! Decides where the content of an element or the value of an attribute ends, as leniently as it takes for what is broken
//! or cut: what has no end goes to the end. Reads no XML for its meaning; that is done elsewhere.

use std::ops::Range;

use super::finder::hidden_part;
use super::names::{Names, Sensitivity};

type Found = Vec<Range<usize>>;

/// Elements of HTML that have no content.
const VOID: &[&[u8]] = &[b"input", b"meta", b"link", b"param", b"add"];

/// One start tag.
struct Tag<'t> {
    /// Without prefix.
    name: &'t [u8],
    attributes: Vec<(&'t [u8], Range<usize>)>,
    start: usize,
    /// Just after it.
    end: usize,
    empty: bool,
}

/// Every secret by name.
pub(super) fn find(names: &Names, text: &[u8], found: &mut Found) {
    let mut from = 0;
    while let Some(tag) = next_tag(text, &mut from) {
        let named = |name: &[u8]| names.field(&String::from_utf8_lossy(name));
        let value_of = |wanted: &[&[u8]]| {
            let is = |name: &[u8]| wanted.iter().any(|one| one.eq_ignore_ascii_case(name));
            tag.attributes.iter().find(|(name, _)| is(local(name))).map(|(_, value)| value.clone())
        };
        for (name, value) in &tag.attributes {
            if let Some(sensitivity) = named(local(name))
                && !value.is_empty()
            {
                found.push(hidden_part(sensitivity, text, value.clone()));
            }
        }
        // `<input name="client_secret" value="...">`, `<add key="X.Password" value="..."/>`
        let described = value_of(&[b"name", b"key"]).and_then(|name| {
            let name = String::from_utf8_lossy(&text[name]).into_owned();
            if tag.name.eq_ignore_ascii_case(b"input") { names.form_field(&name) } else { names.field(&name) }
        });
        if let Some(sensitivity) = described
            && let Some(value) = value_of(&[b"value", b"content"])
            && !value.is_empty()
        {
            found.push(hidden_part(sensitivity, text, value));
        }
        let void = tag.empty || VOID.iter().any(|void| void.eq_ignore_ascii_case(tag.name));
        if let Some(sensitivity) = named(tag.name).or(described)
            && !void
        {
            // Looked at once: what stands in it is hidden, or is the head of a token.
            from = content(text, &tag, sensitivity, found);
        }
    }
}

/// Hides what an element holds; gives where that ends.
fn content(text: &[u8], tag: &Tag<'_>, sensitivity: Sensitivity, found: &mut Found) -> usize {
    let content = tag.end..end_of(text, tag);
    let inside = &text[content.clone()];
    let start = inside.len() - inside.trim_ascii_start().len();
    let shown = content.start + start..content.start + inside.trim_ascii_end().len().max(start);
    if !shown.is_empty() {
        found.push(hidden_part(sensitivity, text, shown));
    }
    content.end
}

/// What of markup is text: between tags, and the values of attributes.
pub(super) fn texts(text: &[u8]) -> Vec<Range<usize>> {
    let (mut texts, mut from, mut after) = (Vec::new(), 0, 0);
    while let Some(tag) = next_tag(text, &mut from) {
        texts.push(after..tag.start);
        texts.extend(tag.attributes.into_iter().map(|(_, value)| value));
        after = tag.end;
    }
    texts.push(after..text.len());
    // Text between tags also holds end tags, which part nothing that was written together.
    texts.into_iter().flat_map(|part| between_tags(text, part)).collect()
}

fn between_tags(text: &[u8], part: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = part.start;
    for at in part.clone() {
        if text[at] == b'<' {
            parts.push(start..at);
            start = at + 1;
        }
    }
    parts.push(start..part.end);
    parts.retain(|part| !part.is_empty());
    parts
}

fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || byte >= 0x80
}

/// The next start tag from a place on, which moves behind it.
fn next_tag<'t>(text: &'t [u8], from: &mut usize) -> Option<Tag<'t>> {
    loop {
        let open = *from + text.get(*from..)?.iter().position(|byte| *byte == b'<')?;
        *from = open + 1;
        if !text
            .get(open + 1)
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_' || *byte >= 0x80)
        {
            continue;
        }
        let name_end = end_while(text, open + 1, is_name);
        let mut tag = Tag {
            name: local(&text[open + 1..name_end]),
            attributes: Vec::new(),
            start: open,
            end: name_end,
            empty: false,
        };
        loop {
            tag.end = end_while(text, tag.end, |byte| byte.is_ascii_whitespace());
            match text.get(tag.end) {
                None => break,
                Some(b'>') => {
                    tag.end += 1;
                    break;
                }
                Some(b'/') => {
                    tag.empty = text.get(tag.end + 1) == Some(&b'>');
                    tag.end += 1;
                }
                // The tag was never closed.
                Some(b'<') => break,
                Some(_) => attribute(text, &mut tag),
            }
        }
        *from = tag.end;
        return Some(tag);
    }
}

fn attribute<'t>(text: &'t [u8], tag: &mut Tag<'t>) {
    let start = tag.end;
    let name_end = end_while(text, start, |byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>' | b'/' | b'<')
    });
    // A sign that begins no name is passed over.
    tag.end = name_end.max(start + 1);
    let equals = end_while(text, name_end, |byte| byte.is_ascii_whitespace());
    // Nor has it a value, which would swallow the attribute behind it.
    if name_end == start || text.get(equals) != Some(&b'=') {
        return;
    }
    let value = end_while(text, equals + 1, |byte| byte.is_ascii_whitespace());
    let value = match text.get(value) {
        Some(quote @ (b'"' | b'\'')) => {
            let end = end_while(text, value + 1, |byte| byte != *quote);
            tag.end = (end + 1).min(text.len());
            value + 1..end
        }
        _ => {
            let end = end_while(text, value, |byte| !byte.is_ascii_whitespace() && byte != b'>');
            tag.end = end;
            value..end
        }
    };
    tag.attributes.push((&text[start..name_end], value));
}

fn end_while(text: &[u8], from: usize, holds: impl Fn(u8) -> bool) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take_while(|byte| holds(**byte)).count()
}

/// Where the content of an element ends: at its end tag, whatever prefix that has.
fn end_of(text: &[u8], tag: &Tag<'_>) -> usize {
    let (mut depth, mut from) = (1_usize, tag.end);
    while let Some(open) = text.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'<')) {
        let open = from + open;
        let closing = text.get(open + 1) == Some(&b'/');
        let name = open + 1 + usize::from(closing);
        let name_end = end_while(text, name, is_name);
        from = open + 1;
        if !local(&text[name.min(text.len())..name_end.max(name).min(text.len())])
            .eq_ignore_ascii_case(tag.name)
        {
            continue;
        }
        depth = if closing { depth - 1 } else { depth + usize::from(!is_empty(text, name_end)) };
        if depth == 0 {
            return open;
        }
    }
    text.len()
}

/// Whether a start tag whose name ends here closes itself.
fn is_empty(text: &[u8], name_end: usize) -> bool {
    let end = end_while(text, name_end, |byte| byte != b'>');
    text[..end].ends_with(b"/")
}
