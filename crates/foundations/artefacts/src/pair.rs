//! A setting that is one element with two attributes: `<add key="" value=""/>`, `<Parameter Name="" Value=""/>`.
//!
//! Decides where the value of such a setting stands, how it is replaced and taken out, and that the last of several equal
//! keys counts.
//! It never decides which elements are settings or when two keys are equal; that is the kind's own rule.

use std::collections::HashMap;
use std::ops::Range;

use mocktenant_xml::{Edit, Node, Position, escaped, layout};

use crate::artefact::Entry;

/// The names of the two attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
}

impl Pair {
    /// The entry an element makes under this key; none when it has no key. One without value has the empty value, just
    /// behind its key.
    pub(crate) fn entry(self, element: Node<'_>, key: String) -> Option<Entry> {
        let (range, value) = match element.attribute(self.value) {
            Some(attribute) => (attribute.raw(), attribute.value()),
            None => (self.behind_key(element)?, ""),
        };
        let text = element.tree().source();
        let Position { line, column } = text.position(range.start);
        let span = text.file_span(&range);
        Some(Entry { key, value: value.to_owned(), line, column, span, first: None })
    }

    /// The edit that gives an element another value.
    pub(crate) fn replace(self, element: Node<'_>, value: &str) -> Option<Edit> {
        if let Some(attribute) = element.attribute(self.value) {
            return Some(Edit { range: attribute.raw(), with: escaped(value, attribute.quote()) });
        }
        let range = self.behind_key(element)?;
        Some(Edit { range, with: format!(" {}=\"{}\"", self.value, escaped(value, '"')) })
    }

    fn behind_key(self, element: Node<'_>) -> Option<Range<usize>> {
        let end = element.attribute(self.key)?.raw().end + 1;
        Some(end..end)
    }
}

/// The last of equal keys, with the place of the first. Keys are equal when `fold` makes the same of them.
pub(crate) fn last_of_each(all: impl Iterator<Item = Entry>, fold: impl Fn(&str) -> String) -> Vec<Entry> {
    let mut entries: Vec<Option<Entry>> = Vec::new();
    let mut latest: HashMap<String, (usize, Position)> = HashMap::new();
    for mut entry in all {
        let position = Position { line: entry.line, column: entry.column };
        let place = entries.len();
        let first = latest
            .entry(fold(&entry.key))
            .and_modify(|(last, _)| {
                entries[*last] = None;
                *last = place;
            })
            .or_insert((place, position))
            .1;
        entry.first = (first != position).then_some(first);
        entries.push(Some(entry));
    }
    entries.into_iter().flatten().collect()
}

/// The edits that take elements out, in the order of the file. One inside another is gone with it.
pub(crate) fn removals<'d>(elements: impl Iterator<Item = Node<'d>>) -> Vec<Edit> {
    let mut edits: Vec<Edit> = elements.map(layout::remove).collect();
    edits.sort_by_key(|edit| edit.range.start);
    let mut end = 0;
    edits.retain(|edit| {
        let apart = edit.range.start >= end;
        end = end.max(edit.range.end);
        apart
    });
    edits
}
