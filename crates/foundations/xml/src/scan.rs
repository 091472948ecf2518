//! The pass itself: one strict walk over a text, giving every element, attribute and run of text with its place.
//!
//! Decides whether a text is well-formed XML 1.0 and, where the caller wants it, whether its prefixes are declared
//! (Namespaces in XML 1.0); the first fault ends the pass, and what was read before it can still be looked at. It
//! refuses what no document here needs and an attacker likes: document type declarations, entities of one's own, and
//! whatever is over the caller's [`Budget`]. It never resolves anything outside the text. Every step costs what it
//! reads: nothing is compared, searched or copied more often for a hostile text than for a plain one.
//!
//! Tokens come from quick-xml with their byte positions; names, attributes and references are checked here, because a
//! splice needs their spans.

mod attributes;

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;

use crate::fault::{Fault, Wrong, clip};
use crate::grammar::{WrongReference, is_name, is_space, is_xml_character, name_at, resolve};
use crate::namespaces::Declarations;
use crate::text::Text;
use crate::tree::{Closing, Item, Kind, Span, Tree, Value, narrow};

/// How much a document may hold. The limit itself is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of the file; [`Text::decode`] and [`Text::utf8`] hold to it before anything is read.
    pub bytes: usize,
    /// Levels of elements, the root being the first.
    pub depth: usize,
    /// Elements.
    pub elements: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
}

/// Whether prefixes have to mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefixes {
    /// Every prefix is declared and no attribute stands twice by namespace: documents that speak in namespaces.
    Declared,
    /// Names are taken as written: files whose readers compare names.
    AsWritten,
}

/// How many outermost elements a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roots {
    /// One, as XML says.
    One,
    /// Any number, inside a made-up element that spans the text and has no name: pieces cut out of a document.
    Several,
}

/// The XML declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration<'t> {
    /// From `<?xml` to `?>`.
    pub span: Range<usize>,
    /// The encoding it names. [`Text::decode`] has followed it already; [`Text::utf8`] has not.
    pub encoding: Option<&'t str>,
}

/// A text as far as it could be read: all of it, or all before its first fault.
#[derive(Debug)]
pub struct Reading<'t> {
    /// The XML declaration.
    pub declaration: Option<Declaration<'t>>,
    /// The tree; none when no element was read. After a fault the elements around it are not complete, and the tag the
    /// fault is in is not part of it.
    pub tree: Option<Tree<'t>>,
    /// What is wrong.
    pub fault: Option<Fault>,
}

impl<'t> Reading<'t> {
    /// Reads a text up to its end or its first fault.
    pub fn of(text: &'t Text, budget: &Budget, prefixes: Prefixes) -> Self {
        Self::with_roots(text, budget, prefixes, Roots::One)
    }

    pub(crate) fn with_roots(text: &'t Text, budget: &Budget, prefixes: Prefixes, roots: Roots) -> Self {
        let tree = Tree {
            text,
            items: if roots == Roots::Several { vec![around(text)] } else { Vec::new() },
            attributes: Vec::new(),
            resolved: String::new(),
            declarations: Declarations::default(),
            prefixes,
            instructions: Vec::new(),
        };
        let mut scan =
            Scan { text, budget, prefixes, roots, tree, declaration: None, open: Vec::new(), elements: 0 };
        let fault = scan.run().err();
        let Scan { mut tree, declaration, elements, .. } = scan;
        let end = narrow(tree.items.len());
        for item in &mut tree.items {
            item.end = item.end.min(end);
        }
        Self { declaration, tree: Some(tree).filter(|_| elements > 0), fault }
    }

    /// The tree of a text without fault.
    pub fn complete(self) -> Result<Tree<'t>, Fault> {
        match (self.fault, self.tree) {
            (None, Some(tree)) => Ok(tree),
            (Some(fault), _) => Err(fault),
            // A text without element has a fault.
            (None, None) => unreachable!("a reading without tree has a fault"),
        }
    }
}

/// The made-up element around several roots.
fn around(text: &Text) -> Item {
    let end = narrow(text.as_str().len());
    let none = Span { start: 0, end: 0 };
    let kind = Kind::Element { name: none, opening_end: 0, closing: Closing::At(end), attributes: none };
    Item { span: Span { start: 0, end }, parent: 0, end: u32::MAX, kind }
}

/// A reader position as an offset: inside the text and on a character boundary.
fn offset(source: &str, position: u64) -> usize {
    let position = usize::try_from(position).unwrap_or(usize::MAX).min(source.len());
    (0..=position).rev().find(|at| source.is_char_boundary(*at)).unwrap_or(0)
}

struct Scan<'t, 'b> {
    text: &'t Text,
    budget: &'b Budget,
    prefixes: Prefixes,
    roots: Roots,
    tree: Tree<'t>,
    declaration: Option<Declaration<'t>>,
    /// The elements around this place, innermost last.
    open: Vec<u32>,
    elements: usize,
}

impl<'t> Scan<'t, '_> {
    fn run(&mut self) -> Result<(), Fault> {
        let source = self.text.as_str();
        if let Some((at, c)) = source.char_indices().find(|(_, c)| !is_xml_character(*c)) {
            return Err(self.fault(at, at..at, Wrong::Character(c)));
        }
        if source.starts_with('\u{FEFF}') {
            return Err(self.fault(0, 0..0, Wrong::SecondMark));
        }
        let mut reader = Reader::from_str(source);
        let config = reader.config_mut();
        config.check_comments = true;
        // Tags are matched here, where the line each one was opened on is known.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        loop {
            let start = offset(source, reader.buffer_position());
            let event = reader.read_event();
            let end = offset(source, reader.buffer_position());
            match event {
                Ok(Event::Eof) => return self.finish(),
                Ok(event) => self.event(&event, start..end)?,
                Err(error) => return Err(self.syntax(&error, offset(source, reader.error_position()))),
            }
        }
    }

    fn fault(&self, at: usize, markup: Range<usize>, wrong: Wrong) -> Fault {
        Fault { at: self.text.position(at), markup, wrong }
    }

    fn source(&self, range: Range<usize>) -> &'t str {
        self.text.as_str().get(range).unwrap_or_default()
    }

    fn event(&mut self, event: &Event<'_>, at: Range<usize>) -> Result<(), Fault> {
        match event {
            Event::Start(_) => {
                let inner_end = at.end.saturating_sub(1);
                let element = self.opening(at, inner_end, Closing::Open)?;
                self.open.push(element);
                Ok(())
            }
            Event::Empty(_) => {
                let inner_end = at.end.saturating_sub(2);
                let element = self.opening(at, inner_end, Closing::Empty)?;
                self.tree.items[element as usize].end = element + 1;
                Ok(())
            }
            Event::End(_) => self.closing(at),
            Event::Text(_) => self.characters(at),
            Event::GeneralRef(_) => {
                let name = self.source(at.start + 1..at.end.saturating_sub(1));
                let c =
                    resolve(name).map_err(|wrong| self.reference_fault(at.start, at.clone(), name, wrong))?;
                self.inside_root(at.start, at.clone())?;
                self.append(at, Piece::Character(c));
                Ok(())
            }
            Event::CData(_) => {
                self.inside_root(at.start, at.clone())?;
                // Between `<![CDATA[` and `]]>`.
                let content = self.source(at.start + 9..at.end.saturating_sub(3));
                self.append(at, Piece::Section(content));
                Ok(())
            }
            Event::Comment(_) | Event::Eof => Ok(()),
            Event::Decl(_) => self.declaration(at),
            Event::PI(_) => {
                let inside = self.source(at.start + 2..at.end.saturating_sub(2));
                let target = name_at(inside);
                // XML 1.0, production 16: white space, or nothing more.
                let ends =
                    inside[target.len()..].chars().next().is_none_or(|next| next.is_ascii_whitespace());
                if ends && is_name(target) && !target.eq_ignore_ascii_case("xml") {
                    if !self.open.is_empty() {
                        self.tree.instructions.push(narrow(at.start));
                    }
                    return Ok(());
                }
                Err(self.fault(at.start, at, Wrong::Instruction))
            }
            Event::DocType(_) => Err(self.fault(at.start, at, Wrong::Doctype)),
        }
    }

    fn declaration(&mut self, at: Range<usize>) -> Result<(), Fault> {
        if at.start != 0 {
            return Err(self.fault(at.start, at, Wrong::DeclarationPlace));
        }
        self.attributes(&at, at.start + 5..at.end.saturating_sub(2))?;
        let read: Vec<_> = self
            .tree
            .attributes
            .iter()
            .map(|one| {
                (self.source(one.name.range()), self.source(one.raw.range()), self.tree.attribute_value(one))
            })
            .collect();
        let is_1_0 = read.first().is_some_and(|(name, _, value)| (*name, *value) == ("version", "1.0"));
        // XML 1.0, production 23: in this order, and nothing else.
        let mut others = read.iter().skip(1).map(|(name, ..)| *name).peekable();
        for known in ["encoding", "standalone"] {
            others.next_if_eq(&known);
        }
        let is_1_0 = is_1_0 && others.next().is_none();
        let encoding = read.iter().find(|(name, ..)| *name == "encoding").map(|(_, raw, _)| *raw);
        self.declaration = Some(Declaration { span: at.clone(), encoding });
        self.tree.attributes.clear();
        self.tree.resolved.clear();
        if is_1_0 { Ok(()) } else { Err(self.fault(at.start, at, Wrong::DeclarationVersion)) }
    }

    /// Takes in an opening tag whose content ends at `inner_end` (before `>` or `/>`).
    fn opening(&mut self, at: Range<usize>, inner_end: usize, closing: Closing) -> Result<u32, Fault> {
        if self.roots == Roots::One && self.open.is_empty() && self.elements > 0 {
            return Err(self.fault(at.start, at, Wrong::SecondRoot));
        }
        let &Budget { depth, elements, .. } = self.budget;
        if self.elements >= elements {
            return Err(self.fault(at.start, at, Wrong::TooManyElements { limit: elements }));
        }
        if self.open.len() >= depth {
            return Err(self.fault(at.start, at, Wrong::TooDeep { limit: depth }));
        }
        let name_start = at.start + 1;
        let name = name_at(self.source(name_start..inner_end));
        if !is_name(name) {
            return Err(self.fault(at.start, at, Wrong::ElementName));
        }
        let name = name_start..name_start + name.len();
        let first = self.tree.attributes.len();
        self.attributes(&at, name.end..inner_end)?;
        let element = narrow(self.tree.items.len());
        self.namespaces(&at, element, name.clone(), first)?;
        self.tree.items.push(Item {
            span: Span::new(&at),
            parent: self.open.last().copied().unwrap_or(0),
            end: u32::MAX,
            kind: Kind::Element {
                name: Span::new(&name),
                opening_end: narrow(at.end),
                closing,
                attributes: Span::new(&(first..self.tree.attributes.len())),
            },
        });
        self.elements += 1;
        Ok(element)
    }

    fn closing(&mut self, at: Range<usize>) -> Result<(), Fault> {
        let inner = self.source(at.start + 2..at.end.saturating_sub(1));
        let name = name_at(inner);
        let Some(&innermost) = self.open.last() else {
            return Err(self.fault(at.start, at, Wrong::NotOpen { name: clip(name) }));
        };
        if !inner[name.len()..].trim().is_empty() {
            return Err(self.fault(at.start, at, Wrong::ClosingTag { name: clip(name) }));
        }
        if self.name_of(innermost) != name {
            let open = clip(self.name_of(innermost));
            let line = self.line_of(innermost);
            let closing = clip(name);
            let outer = self.open.iter().any(|element| self.name_of(*element) == name);
            let wrong = if outer {
                Wrong::ClosedOutside { open, line, closing }
            } else {
                Wrong::Mismatched { open, line, closing }
            };
            return Err(self.fault(at.start, at, wrong));
        }
        self.open.pop();
        let end = narrow(self.tree.items.len());
        let item = &mut self.tree.items[innermost as usize];
        item.end = end;
        item.span.end = narrow(at.end);
        if let Kind::Element { closing, .. } = &mut item.kind {
            *closing = Closing::At(narrow(at.start));
        }
        Ok(())
    }

    fn characters(&mut self, at: Range<usize>) -> Result<(), Fault> {
        let characters = self.source(at.clone());
        if self.open.is_empty() {
            let Some(visible) = characters.find(|c| !is_space(c)) else { return Ok(()) };
            return self.inside_root(at.start + visible, at);
        }
        if let Some(bad) = characters.find("]]>") {
            return Err(self.fault(at.start + bad, at, Wrong::SectionEnd));
        }
        self.append(at, Piece::Plain(characters));
        Ok(())
    }

    fn inside_root(&self, offset: usize, markup: Range<usize>) -> Result<(), Fault> {
        if !self.open.is_empty() {
            return Ok(());
        }
        let wrong = match self.roots {
            _ if self.elements == 0 => Wrong::TextBefore,
            Roots::One => Wrong::TextAfter,
            // What is outside one element here may still come before another.
            Roots::Several => Wrong::TextOutside,
        };
        Err(self.fault(offset, markup, wrong))
    }

    /// Adds text to the run at this place, or begins one.
    fn append(&mut self, at: Range<usize>, piece: Piece<'_>) {
        let Some(&parent) = self.open.last() else { return };
        let Tree { text, items, resolved, .. } = &mut self.tree;
        let index = narrow(items.len());
        if let Some(Item { span, parent: around, kind: Kind::Text(value), .. }) = items.last_mut()
            && *around == parent
        {
            // The run is the newest text of all, so what is resolved of it is the end of the buffer.
            let start = match *value {
                Value::Resolved(place) => place.start,
                Value::Source(place) => {
                    let start = narrow(resolved.len());
                    resolved.push_str(&text.as_str()[place.range()]);
                    start
                }
            };
            piece.resolve(resolved);
            *value = Value::Resolved(Span { start, end: narrow(resolved.len()) });
            span.end = narrow(at.end);
            return;
        }
        let value = match piece {
            Piece::Plain(characters) if !characters.contains('\r') => Value::Source(Span::new(&at)),
            Piece::Section("") => return,
            piece => {
                let start = narrow(resolved.len());
                piece.resolve(resolved);
                Value::Resolved(Span { start, end: narrow(resolved.len()) })
            }
        };
        items.push(Item { span: Span::new(&at), parent, end: index + 1, kind: Kind::Text(value) });
    }

    fn finish(&self) -> Result<(), Fault> {
        let end = self.text.as_str().len();
        if let Some(&innermost) = self.open.last() {
            let mut missing = String::new();
            for element in self.open.iter().rev() {
                missing.extend(["</", &clip(self.name_of(*element)), ">"]);
            }
            let open = clip(self.name_of(innermost));
            let line = self.line_of(innermost);
            return Err(self.fault(end, end..end, Wrong::LeftOpen { open, line, missing }));
        }
        if self.elements == 0 {
            return Err(self.fault(end, end..end, Wrong::NoElement));
        }
        Ok(())
    }

    fn reference_fault(&self, at: usize, markup: Range<usize>, name: &str, wrong: WrongReference) -> Fault {
        let wrong = match wrong {
            WrongReference::Bare => Wrong::BareAmpersand,
            WrongReference::Undefined => Wrong::Entity { name: clip(name) },
            WrongReference::Character => Wrong::CharacterReference { name: clip(name) },
        };
        self.fault(at, markup, wrong)
    }

    fn syntax(&mut self, error: &Error, at: usize) -> Fault {
        let wrong = match error {
            Error::Syntax(
                SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => {
                // The reader only knows the tag; reading on as attributes finds the one whose quote is missing.
                let end = self.text.as_str().len();
                let name_start = at + 1;
                let after_name = name_start + name_at(self.source(name_start..end)).len();
                if let Err(fault) = self.attributes(&(at..at), after_name..end) {
                    return fault;
                }
                Wrong::UnclosedQuote
            }
            Error::Syntax(SyntaxError::UnclosedDoctype) => Wrong::BrokenDoctype,
            Error::IllFormed(IllFormedError::MissingDoctypeName) => Wrong::BrokenDoctype,
            Error::Syntax(SyntaxError::UnclosedComment) => Wrong::UnclosedComment,
            Error::Syntax(SyntaxError::UnclosedCData) => Wrong::UnclosedSection,
            Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
                Wrong::UnclosedInstruction
            }
            Error::Syntax(SyntaxError::UnclosedTag) => Wrong::UnclosedTag,
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => Wrong::DoubleHyphen,
            Error::IllFormed(IllFormedError::UnclosedReference) => Wrong::BareAmpersand,
            _ => Wrong::NotXml,
        };
        self.fault(at, at..at, wrong)
    }

    fn name_of(&self, element: u32) -> &'t str {
        match self.tree.items[element as usize].kind {
            Kind::Element { name, .. } => self.source(name.range()),
            Kind::Text(_) => "",
        }
    }

    fn line_of(&self, element: u32) -> u32 {
        self.text.position(self.tree.items[element as usize].span.start as usize).line
    }
}

/// A part of a run of text.
#[derive(Clone, Copy)]
enum Piece<'t> {
    /// Characters as written.
    Plain(&'t str),
    /// What stands in a CDATA section.
    Section(&'t str),
    /// What a reference stands for.
    Character(char),
}

impl Piece<'_> {
    /// Writes it with line ends as a program sees them (section 2.11).
    fn resolve(self, into: &mut String) {
        let (Self::Plain(written) | Self::Section(written)) = self else {
            if let Self::Character(c) = self {
                into.push(c);
            }
            return;
        };
        let mut lines = written.split('\r');
        into.push_str(lines.next().unwrap_or_default());
        for line in lines {
            into.push('\n');
            into.push_str(line.strip_prefix('\n').unwrap_or(line));
        }
    }
}

#[cfg(test)]
mod tests;
