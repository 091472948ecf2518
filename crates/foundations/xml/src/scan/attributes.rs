//! The attributes of one tag: their syntax, their values, and what their prefixes stand for.
//!
//! Decides the faults inside a tag. It never decides what an attribute means, other than that it declares a namespace.

use std::ops::Range;

use super::{Prefixes, Scan};
use crate::fault::{Fault, Wrong, clip};
use crate::grammar::{is_name, is_ncname, is_space, name_at, resolve};
use crate::namespaces::{XML, XMLNS, declared_prefix, split};
use crate::seen::Seen;
use crate::tree::{AttributeItem, Span, Value, narrow};

impl<'t> Scan<'t, '_> {
    /// Reads the attributes in a range of a tag and appends them.
    pub(super) fn attributes(&mut self, markup: &Range<usize>, range: Range<usize>) -> Result<(), Fault> {
        let limit = self.budget.attributes;
        let mut seen = Seen::new();
        let mut at = range.start;
        loop {
            let rest = self.source(at..range.end);
            let trimmed = rest.trim_start_matches(is_space);
            if trimmed.is_empty() {
                return Ok(());
            }
            let spaces = rest.len() - trimmed.len();
            let start = at + spaces;
            let fault = |wrong| self.fault(start, markup.clone(), wrong);
            if seen.len() >= limit {
                return Err(fault(Wrong::TooManyAttributes { limit }));
            }
            let name = name_at(trimmed);
            if !is_name(name) {
                return Err(fault(Wrong::AttributeName));
            }
            if spaces == 0 {
                return Err(fault(Wrong::AttributeSpace { name: clip(name) }));
            }
            let after_name = trimmed[name.len()..].trim_start_matches(is_space);
            let quoted = after_name.strip_prefix('=').map(|value| value.trim_start_matches(is_space));
            let quote = quoted.and_then(|value| value.chars().next()).filter(|c| matches!(c, '"' | '\''));
            let (Some(quoted), Some(quote)) = (quoted, quote) else {
                return Err(fault(Wrong::AttributeUnquoted { name: clip(name) }));
            };
            let raw_start = range.end - quoted.len() + 1;
            let Some(length) = quoted[1..].find(quote) else {
                return Err(fault(Wrong::UnclosedValue));
            };
            let raw = raw_start..raw_start + length;
            let value = self.value(markup, start, name, &raw)?;
            if !seen.insert(name) {
                let wrong = Wrong::DuplicateAttribute { name: clip(name) };
                return Err(self.fault(start, markup.clone(), wrong));
            }
            at = raw.end + 1;
            let name = Span::new(&(start..start + name.len()));
            self.tree.attributes.push(AttributeItem { name, raw: Span::new(&raw), value });
        }
    }

    /// The value after references and white space (section 3.3.3).
    fn value(
        &mut self,
        markup: &Range<usize>,
        attribute: usize,
        name: &str,
        raw: &Range<usize>,
    ) -> Result<Value, Fault> {
        let source = self.source(raw.clone());
        if let Some(bracket) = source.find('<') {
            if source[..bracket].contains(['\n', '\r']) {
                return Err(self.fault(attribute, markup.clone(), Wrong::UnclosedValue));
            }
            let pair = source[bracket..].contains('>');
            let wrong = Wrong::AngleBracket { name: clip(name), attribute, pair };
            return Err(self.fault(raw.start + bracket, markup.clone(), wrong));
        }
        if !source.contains(['&', '\t', '\n', '\r']) {
            return Ok(Value::Source(Span::new(raw)));
        }
        let begins = narrow(self.tree.resolved.len());
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            let c = match c {
                '&' => {
                    let at = raw.end - rest.len() - 1;
                    let (name, after) = rest.split_once(';').unwrap_or(("", ""));
                    rest = after;
                    resolve(name).map_err(|wrong| self.reference_fault(at, markup.clone(), name, wrong))?
                }
                '\r' => {
                    rest = rest.strip_prefix('\n').unwrap_or(rest);
                    ' '
                }
                '\t' | '\n' => ' ',
                c => c,
            };
            self.tree.resolved.push(c);
        }
        Ok(Value::Resolved(Span { start: begins, end: narrow(self.tree.resolved.len()) }))
    }

    /// Takes in the namespace declarations among the newest attributes and, where prefixes have to be declared, checks
    /// the element's name and theirs.
    pub(super) fn namespaces(
        &mut self,
        markup: &Range<usize>,
        element: u32,
        name: Range<usize>,
        first: usize,
    ) -> Result<(), Fault> {
        let checked = self.prefixes == Prefixes::Declared;
        for index in first..self.tree.attributes.len() {
            let (written, uri) = (self.tree.attributes[index].name, self.tree.attributes[index].value);
            let Some(prefix) = declared_prefix(self.source(written.range())) else { continue };
            if checked {
                let uri = self.tree.attribute_value(&self.tree.attributes[index]);
                check_declaration(prefix, uri)
                    .map_err(|wrong| self.fault(written.start as usize, markup.clone(), wrong))?;
            }
            self.tree.declarations.declare(&self.tree.items, element, prefix, uri);
        }
        if !checked {
            return Ok(());
        }
        let mut seen = Seen::new();
        for attribute in &self.tree.attributes[first..] {
            let at = attribute.name.start as usize;
            let fault = |wrong| self.fault(at, markup.clone(), wrong);
            let written = self.source(attribute.name.range());
            if declared_prefix(written).is_some() {
                continue;
            }
            let (prefix, local) = self.check_name(element, written).map_err(fault)?;
            if !prefix.is_empty() && !seen.insert((self.tree.lookup(element, prefix), local)) {
                return Err(fault(Wrong::DuplicateAttribute { name: clip(written) }));
            }
        }
        let at = name.start;
        self.check_name(element, self.source(name))
            .map(|_| ())
            .map_err(|wrong| self.fault(at, markup.clone(), wrong))
    }

    /// Prefix and local part of a name whose prefix is declared.
    fn check_name(&self, element: u32, name: &'t str) -> Result<(&'t str, &'t str), Wrong> {
        let (prefix, local) = split(name);
        if (name.contains(':') && !is_ncname(prefix)) || !is_ncname(local) {
            return Err(Wrong::QualifiedName { name: clip(name) });
        }
        match self.tree.lookup(element, prefix) {
            // Only declarations have it, and they are no names of anything.
            _ if prefix == "xmlns" => Err(Wrong::ReservedNamespace { prefix: clip(prefix) }),
            Some(_) => Ok((prefix, local)),
            None => Err(Wrong::UndeclaredPrefix { prefix: clip(prefix) }),
        }
    }
}

/// Section 2.2 and 3 of Namespaces in XML 1.0: what may be bound to what.
fn check_declaration(prefix: &str, uri: &str) -> Result<(), Wrong> {
    let shown = || clip(prefix);
    match (prefix, uri) {
        ("xml", XML) => Ok(()),
        ("xml" | "xmlns", _) | (_, XML | XMLNS) => Err(Wrong::ReservedNamespace { prefix: shown() }),
        ("", _) => Ok(()),
        (_, "") => Err(Wrong::PrefixToNothing { prefix: shown() }),
        _ if is_ncname(prefix) => Ok(()),
        _ => Err(Wrong::QualifiedName { name: shown() }),
    }
}
