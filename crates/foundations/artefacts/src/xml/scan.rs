//! The pass itself: tokens in, elements with their places out, or the first fault.
//!
//! Decides well-formedness and every message about it. Nothing is kept of a text that has a fault.

use std::collections::HashSet;
use std::ops::Range;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;

use super::grammar::{WrongReference, is_name, is_space, is_xml_character, name_at, resolve};
use super::{Attribute, Document, Element};
use crate::error::{Fault, Problem, clip};
use crate::text::Text;

/// Deepest nesting of elements that is read; real config files have about 10.
const MAX_DEPTH: usize = 64;
/// Most elements that are read; a real web.config has a few hundred.
const MAX_ELEMENTS: usize = 100_000;

/// Reads the whole text or says what is wrong with it first.
pub(crate) fn scan(text: &Text) -> Result<Document, Fault> {
    let source = text.as_str();
    if let Some((offset, c)) = source.char_indices().find(|(_, c)| !is_xml_character(*c)) {
        return Err(text.fault(
            offset,
            Problem::Character,
            format!("the character U+{:04X} is not allowed in XML", u32::from(c)),
            "delete it",
        ));
    }
    if source.starts_with('\u{FEFF}') {
        return Err(text.fault(0, Problem::Malformed, "a second byte order mark", "keep only one"));
    }
    let mut reader = Reader::from_str(source);
    let config = reader.config_mut();
    config.check_comments = true;
    // Tags are matched here, where the line each one was opened on is known.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut scan = Scan { text, document: Document::default(), open: Vec::new() };
    loop {
        let start = offset(source, reader.buffer_position());
        let event = reader.read_event();
        let end = offset(source, reader.buffer_position());
        match event {
            Ok(Event::Eof) => return scan.finish(),
            Ok(event) => scan.event(&event, start..end)?,
            Err(error) => return Err(scan.syntax(&error, offset(source, reader.error_position()))),
        }
    }
}

/// A reader position as an offset: inside the text and on a character boundary.
fn offset(source: &str, position: u64) -> usize {
    let position = usize::try_from(position).unwrap_or(usize::MAX).min(source.len());
    (0..=position).rev().find(|at| source.is_char_boundary(*at)).unwrap_or(0)
}

struct Scan<'t> {
    text: &'t Text,
    document: Document,
    open: Vec<usize>,
}

impl<'t> Scan<'t> {
    fn source(&self, range: Range<usize>) -> &'t str {
        self.text.as_str().get(range).unwrap_or_default()
    }

    fn event(&mut self, event: &Event<'_>, at: Range<usize>) -> Result<(), Fault> {
        match event {
            Event::Start(_) => {
                let element = self.opening(at.clone(), at.end.saturating_sub(1))?;
                self.open.push(element);
                if self.open.len() > MAX_DEPTH {
                    return Err(self.text.fault(
                        at.start,
                        Problem::TooDeep,
                        format!("elements are nested deeper than {MAX_DEPTH}"),
                        "no config file needs that; check that this is the right file",
                    ));
                }
                Ok(())
            }
            Event::Empty(_) => self.opening(at.clone(), at.end.saturating_sub(2)).map(|_| ()),
            Event::End(_) => self.closing(at),
            Event::Text(_) => self.characters(at),
            Event::GeneralRef(_) => {
                let name = self.source(at.start + 1..at.end.saturating_sub(1));
                resolve(name).map_err(|wrong| self.reference_fault(at.start, name, wrong))?;
                self.inside_root(at.start)
            }
            Event::CData(_) => self.inside_root(at.start),
            Event::Comment(_) | Event::Eof => Ok(()),
            Event::Decl(_) => self.declaration(at),
            Event::PI(_) => {
                let target = name_at(self.source(at.start + 2..at.end));
                if is_name(target) && !target.eq_ignore_ascii_case("xml") {
                    return Ok(());
                }
                Err(self.text.fault(
                    at.start,
                    Problem::Malformed,
                    "a processing instruction without a proper name",
                    "delete it",
                ))
            }
            Event::DocType(_) => Err(self.text.fault(
                at.start,
                Problem::Doctype,
                "a document type declaration (<!DOCTYPE>) is not read",
                "delete it, with the entities it declares; config files need none",
            )),
        }
    }

    fn declaration(&self, at: Range<usize>) -> Result<(), Fault> {
        if at.start != 0 {
            return Err(self.text.fault(
                at.start,
                Problem::Malformed,
                "the XML declaration is not at the very beginning",
                "delete what stands before it, blank lines too",
            ));
        }
        let mut attributes = Vec::new();
        self.attributes(at.start + 5..at.end.saturating_sub(2), &mut attributes)?;
        let first = attributes.first().map(|a| (self.source(a.name.clone()), a.value(self.text)));
        if first == Some(("version", "1.0")) {
            return Ok(());
        }
        Err(self.text.fault(
            at.start,
            Problem::Malformed,
            "the XML declaration does not begin with version=\"1.0\"",
            "write <?xml version=\"1.0\" encoding=\"utf-8\"?>",
        ))
    }

    /// Takes in an opening tag whose content ends at `inner_end` (before `>` or `/>`).
    fn opening(&mut self, at: Range<usize>, inner_end: usize) -> Result<usize, Fault> {
        if self.open.is_empty() && !self.document.elements.is_empty() {
            return Err(self.text.fault(
                at.start,
                Problem::Malformed,
                "a second outermost element",
                "a file has one; check the closing tags before this place",
            ));
        }
        let index = self.document.elements.len();
        if index >= MAX_ELEMENTS {
            return Err(self.text.fault(
                at.start,
                Problem::TooManyElements,
                format!("more than {MAX_ELEMENTS} elements"),
                "no config file needs that; check that this is the right file",
            ));
        }
        let name_start = at.start + 1;
        let name = name_at(self.source(name_start..inner_end));
        if !is_name(name) {
            return Err(self.text.fault(
                at.start,
                Problem::Malformed,
                "`<` is not followed by the name of an element",
                "write &lt; for the character itself, or delete it",
            ));
        }
        let mut attributes = std::mem::take(&mut self.document.attributes);
        let first = attributes.len();
        self.attributes(name_start + name.len()..inner_end, &mut attributes)?;
        self.document.elements.push(Element {
            name: name_start..name_start + name.len(),
            opening: at,
            closing: None,
            subtree_end: index + 1,
            attributes: first..attributes.len(),
        });
        self.document.attributes = attributes;
        Ok(index)
    }

    fn closing(&mut self, at: Range<usize>) -> Result<(), Fault> {
        let inner = self.source(at.start + 2..at.end.saturating_sub(1));
        let name = name_at(inner);
        let found = clip(name);
        let Some(&innermost) = self.open.last() else {
            return Err(self.text.fault(
                at.start,
                Problem::Mismatched,
                format!("</{found}> closes an element that is not open"),
                "delete it, or add the opening tag",
            ));
        };
        if !inner[name.len()..].trim().is_empty() {
            return Err(self.text.fault(
                at.start,
                Problem::Malformed,
                format!("</{found}> holds more than a name"),
                "a closing tag is just </name>",
            ));
        }
        if self.full_name(innermost) != name {
            let open = clip(self.full_name(innermost));
            let line = self.line_of(innermost);
            let outer = self.open.iter().any(|element| self.full_name(*element) == name);
            return Err(if outer {
                self.text.fault(
                    at.start,
                    Problem::Unclosed,
                    format!("<{open}>, opened on line {line}, is not closed before </{found}>"),
                    format!("add </{open}> before this place"),
                )
            } else {
                self.text.fault(
                    at.start,
                    Problem::Mismatched,
                    format!("</{found}> does not close <{open}>, opened on line {line}"),
                    format!("write </{open}> here, spelt as it was opened, capitals included"),
                )
            });
        }
        self.open.pop();
        let end = self.document.elements.len();
        let element = &mut self.document.elements[innermost];
        element.closing = Some(at);
        element.subtree_end = end;
        Ok(())
    }

    fn characters(&self, at: Range<usize>) -> Result<(), Fault> {
        let characters = self.source(at.clone());
        if self.open.is_empty() {
            let Some(visible) = characters.find(|c| !is_space(c)) else { return Ok(()) };
            return self.inside_root(at.start + visible);
        }
        let Some(bad) = characters.find("]]>") else { return Ok(()) };
        Err(self.text.fault(
            at.start + bad,
            Problem::Malformed,
            "`]]>` outside a CDATA section",
            "write ]]&gt;",
        ))
    }

    fn inside_root(&self, offset: usize) -> Result<(), Fault> {
        if !self.open.is_empty() {
            return Ok(());
        }
        let (place, hint) = if self.document.elements.is_empty() {
            ("before the first element", "the file should begin with `<`; delete what stands before it")
        } else {
            ("after the last element", "delete it, or check the closing tags before this place")
        };
        Err(self.text.fault(offset, Problem::Malformed, format!("text {place}"), hint))
    }

    fn finish(self) -> Result<Document, Fault> {
        let end = self.text.as_str().len();
        if let Some(&innermost) = self.open.last() {
            let mut missing = String::new();
            for element in self.open.iter().rev() {
                missing.extend(["</", &clip(self.full_name(*element)), ">"]);
            }
            return Err(self.text.fault(
                end,
                Problem::Unclosed,
                format!(
                    "the file ends, but <{}>, opened on line {}, is not closed",
                    clip(self.full_name(innermost)),
                    self.line_of(innermost)
                ),
                format!("add {missing} at the end, or restore what was cut off"),
            ));
        }
        if self.document.elements.is_empty() {
            return Err(self.text.fault(
                end,
                Problem::Malformed,
                "the file holds no element",
                "check that this is the right file and that it was saved",
            ));
        }
        Ok(self.document)
    }

    /// Reads the attributes in a range of a tag and appends them.
    fn attributes(&self, range: Range<usize>, into: &mut Vec<Attribute>) -> Result<(), Fault> {
        let first = into.len();
        let mut seen = HashSet::new();
        let mut at = range.start;
        loop {
            let rest = self.source(at..range.end);
            let trimmed = rest.trim_start_matches(is_space);
            if trimmed.is_empty() {
                return Ok(());
            }
            let spaces = rest.len() - trimmed.len();
            let start = at + spaces;
            let name = name_at(trimmed);
            let fault =
                |message: String, hint: String| self.text.fault(start, Problem::Malformed, message, hint);
            if !is_name(name) {
                return Err(fault(
                    "this is not the name of an attribute".to_owned(),
                    "inside a tag stand only name=\"value\" pairs; check the quotes before this place"
                        .to_owned(),
                ));
            }
            let shown = clip(name);
            if spaces == 0 {
                return Err(fault(
                    format!("no space before the attribute {shown}"),
                    "put a space between attributes; check the quotes before this place".to_owned(),
                ));
            }
            let after_name = trimmed[name.len()..].trim_start_matches(is_space);
            let quoted = after_name.strip_prefix('=').map(|value| value.trim_start_matches(is_space));
            let quote = quoted.and_then(|value| value.chars().next()).filter(|c| matches!(c, '"' | '\''));
            let (Some(quoted), Some(quote)) = (quoted, quote) else {
                return Err(fault(
                    format!("the attribute {shown} has no quoted value"),
                    format!("write {shown}=\"...\""),
                ));
            };
            let raw_start = range.end - quoted.len() + 1;
            let Some(length) = quoted[1..].find(quote) else {
                return Err(self.unclosed_quote(start));
            };
            let raw = raw_start..raw_start + length;
            let resolved = self.resolve_value(start, raw.clone(), || self.subject(&into[first..], name))?;
            if !seen.insert(name) {
                return Err(self.text.fault(
                    start,
                    Problem::DuplicateAttribute,
                    format!("the attribute {shown} stands twice in one element"),
                    "delete one of them",
                ));
            }
            at = raw.end + 1;
            into.push(Attribute { name: start..start + name.len(), raw, resolved });
        }
    }

    /// What a message calls the value of an attribute: by the setting's key when one was read before it.
    fn subject(&self, before: &[Attribute], name: &str) -> String {
        let key =
            before.iter().find(|attribute| matches!(self.source(attribute.name.clone()), "key" | "name"));
        match key {
            Some(key) => format!("the value of {}", clip(key.value(self.text))),
            None => format!("the attribute {}", clip(name)),
        }
    }

    /// The value after references and white space (section 3.3.3), or `None` when it is what stands there.
    fn resolve_value(
        &self,
        attribute: usize,
        raw: Range<usize>,
        subject: impl FnOnce() -> String,
    ) -> Result<Option<Box<str>>, Fault> {
        let source = self.source(raw.clone());
        if let Some(bracket) = source.find('<') {
            return Err(self.bracket_fault(attribute, raw.start + bracket, source, bracket, subject));
        }
        if !source.contains(['&', '\t', '\n', '\r']) {
            return Ok(None);
        }
        let mut value = String::with_capacity(source.len());
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '&' => {
                    let at = raw.end - rest.len() - 1;
                    let (name, after) = rest.split_once(';').unwrap_or(("", ""));
                    value.push(resolve(name).map_err(|wrong| self.reference_fault(at, name, wrong))?);
                    rest = after;
                }
                '\r' => {
                    rest = rest.strip_prefix('\n').unwrap_or(rest);
                    value.push(' ');
                }
                '\t' | '\n' => value.push(' '),
                c => value.push(c),
            }
        }
        Ok(Some(value.into_boxed_str()))
    }

    fn bracket_fault(
        &self,
        attribute: usize,
        at: usize,
        source: &str,
        bracket: usize,
        subject: impl FnOnce() -> String,
    ) -> Fault {
        if source[..bracket].contains(['\n', '\r']) {
            return self.unclosed_quote(attribute);
        }
        let hint = if source[bracket..].contains('>') {
            "take the angle brackets out and write only what belongs between them"
        } else {
            "write &lt; for the character itself"
        };
        self.text.fault(at, Problem::AngleBracket, format!("{} contains `<`", subject()), hint)
    }

    fn unclosed_quote(&self, at: usize) -> Fault {
        self.text.fault(
            at,
            Problem::Unclosed,
            "the quotation mark of an attribute value opened here is not closed",
            "add the missing quotation mark at the end of the value",
        )
    }

    fn reference_fault(&self, at: usize, name: &str, wrong: WrongReference) -> Fault {
        let (message, hint) = match wrong {
            WrongReference::Bare => ("`&` stands alone".to_owned(), "write &amp; for the character itself"),
            WrongReference::Undefined => (
                format!("&{}; is not an entity of XML", clip(name)),
                "only &amp; &lt; &gt; &quot; &apos; and character references are read; write &amp; for `&` itself",
            ),
            WrongReference::Character => {
                (format!("&{}; names a character that XML does not allow", clip(name)), "delete it")
            }
        };
        self.text.fault(at, Problem::Entity, message, hint)
    }

    fn syntax(&self, error: &Error, at: usize) -> Fault {
        let quote = matches!(
            error,
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                    | SyntaxError::UnclosedDoubleQuotedAttributeValue
            )
        );
        if quote {
            // The reader only knows the tag; reading on as attributes finds the one whose quote is missing.
            let name_start = at + 1;
            let source = self.source(name_start..self.text.as_str().len());
            let after_name = name_start + name_at(source).len();
            if let Err(fault) = self.attributes(after_name..self.text.as_str().len(), &mut Vec::new()) {
                return fault;
            }
        }
        let (problem, message, hint) = match error {
            Error::Syntax(SyntaxError::UnclosedDoctype)
            | Error::IllFormed(IllFormedError::MissingDoctypeName) => {
                (Problem::Doctype, "a document type declaration is not read", "delete it")
            }
            Error::Syntax(SyntaxError::UnclosedComment) => {
                (Problem::Unclosed, "the comment opened here is not closed", "add -->")
            }
            Error::Syntax(SyntaxError::UnclosedCData) => {
                (Problem::Unclosed, "the CDATA section opened here is not closed", "add ]]>")
            }
            Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
                (Problem::Unclosed, "the instruction opened here is not closed", "add ?>")
            }
            Error::Syntax(SyntaxError::UnclosedTag) => {
                (Problem::Unclosed, "the tag opened here is not closed", "add >")
            }
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => (
                Problem::Unclosed,
                "a quotation mark in the tag opened here is not closed",
                "add the missing quotation mark at the end of the value",
            ),
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => (
                Problem::Malformed,
                "`--` inside a comment",
                "XML allows it only at the comment's end; delete it",
            ),
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                return self.reference_fault(at, "", WrongReference::Bare);
            }
            _ => (Problem::Malformed, "this is not XML", "check the tags and quotes before this place"),
        };
        self.text.fault(at, problem, message, hint)
    }

    fn full_name(&self, element: usize) -> &'t str {
        self.source(self.document.elements[element].name.clone())
    }

    fn line_of(&self, element: usize) -> u32 {
        self.text.position(self.document.elements[element].opening.start).line
    }
}
