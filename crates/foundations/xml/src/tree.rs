//! A parsed text as a tree: elements, attributes and text, each with its place.
//!
//! Decides how a caller walks a text that [`crate::Reading`] found well-formed. All nodes lie in one arena in document
//! order and borrow the text; a [`Node`] is a number with a reference, free to copy. Values come with references and white
//! space resolved, spans are what stands in the text. Comments and processing instructions are no nodes;
//! where the latter stand is kept, because a canonical form would have them. A tree is never changed: an edit is a splice
//! of its text.

use std::borrow::Cow;
use std::ops::Range;

use crate::fault::{Fault, Position};
use crate::namespaces::{Declarations, XML, XMLNS, split};
use crate::scan::{Budget, Prefixes, Reading, Roots};
use crate::text::Text;

/// A range in 32 bits; texts are shorter than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(range: &Range<usize>) -> Self {
        Self { start: narrow(range.start), end: narrow(range.end) }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// An offset or index in 32 bits. No text has as many bytes as would not fit, and no tree more items than its text bytes.
pub(crate) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// A text as a program sees it, and where that stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    /// As it stands in the text.
    Source(Span),
    /// In the arena's own buffer, because references or line ends were resolved.
    Resolved(Span),
}

/// One element or run of text.
#[derive(Debug)]
pub(crate) struct Item {
    /// From the first byte to after the last.
    pub(crate) span: Span,
    /// The element around it; itself for the root, which is the first.
    pub(crate) parent: u32,
    /// Index after its last descendant.
    pub(crate) end: u32,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Element {
        name: Span,
        opening_end: u32,
        closing: Closing,
        /// Indices of its attributes.
        attributes: Span,
    },
    Text(Value),
}

/// How an element ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Closing {
    /// The text went wrong inside it.
    Open,
    /// `<a/>`.
    Empty,
    /// The offset of `</a>`.
    At(u32),
}

#[derive(Debug)]
pub(crate) struct AttributeItem {
    pub(crate) name: Span,
    /// What stands between the quotes.
    pub(crate) raw: Span,
    pub(crate) value: Value,
}

/// A parsed text.
#[derive(Debug)]
pub struct Tree<'t> {
    pub(crate) text: &'t Text,
    pub(crate) items: Vec<Item>,
    pub(crate) attributes: Vec<AttributeItem>,
    pub(crate) resolved: String,
    pub(crate) declarations: Declarations<'t>,
    /// Whether its prefixes were held to be declared.
    pub(crate) prefixes: Prefixes,
    /// Offsets of the processing instructions inside the root, in order.
    pub(crate) instructions: Vec<u32>,
}

/// An element of a tree.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d> {
    pub(crate) tree: &'d Tree<'d>,
    pub(crate) index: u32,
}

/// An attribute of an element, namespace declarations included.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'d> {
    node: Node<'d>,
    item: &'d AttributeItem,
}

/// What an element directly contains.
#[derive(Debug, Clone, Copy)]
pub enum Content<'d> {
    /// An element.
    Element(Node<'d>),
    /// Text between elements.
    Text(Run<'d>),
}

/// Text between two tags; comments and processing instructions in it are skipped.
#[derive(Debug, Clone, Copy)]
pub struct Run<'d> {
    /// The text with references and line ends resolved, CDATA sections taken in.
    pub value: &'d str,
    span: Span,
}

impl Run<'_> {
    /// From its first byte to after its last one, in offsets of the text.
    pub fn span(&self) -> Range<usize> {
        self.span.range()
    }
}

impl<'t> Tree<'t> {
    /// Reads a whole text or says what is wrong with it first.
    pub fn scan(text: &'t Text, budget: &Budget, prefixes: Prefixes) -> Result<Self, Fault> {
        Reading::of(text, budget, prefixes).complete()
    }

    /// Reads a whole text that may have several outermost elements, its names as written. The root of the tree is then a
    /// made-up element around them: it has no name, spans the text, and its closing tag is the empty end of it.
    pub fn scan_fragment(text: &'t Text, budget: &Budget) -> Result<Self, Fault> {
        Reading::with_roots(text, budget, Prefixes::AsWritten, Roots::Several).complete()
    }

    /// The text this is the tree of.
    pub fn source(&self) -> &'t Text {
        self.text
    }

    /// The outermost element.
    pub fn root(&self) -> Node<'_> {
        // A tree is made only once an element was read, and the root is its first item.
        Node { tree: self, index: 0 }
    }

    pub(crate) fn value(&self, value: Value) -> &str {
        match value {
            Value::Source(span) => &self.text.as_str()[span.range()],
            Value::Resolved(span) => &self.resolved[span.range()],
        }
    }

    /// What a prefix stands for at an element.
    pub(crate) fn lookup(&self, index: u32, prefix: &str) -> Option<&str> {
        match prefix {
            "xml" => Some(XML),
            "xmlns" => Some(XMLNS),
            _ => match self.declarations.find(&self.items, index, prefix) {
                Some(uri) => Some(self.value(uri)),
                None => prefix.is_empty().then_some(""),
            },
        }
    }

    pub(crate) fn attribute_value(&self, attribute: &AttributeItem) -> &str {
        self.value(attribute.value)
    }

    pub(crate) fn written(&self, span: Span) -> &'t str {
        &self.text.as_str()[span.range()]
    }
}

impl PartialEq for Node<'_> {
    /// Whether both are the same element of the same tree.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.index == other.index
    }
}

impl Eq for Node<'_> {}

impl<'d> Node<'d> {
    /// The tree it is an element of.
    pub fn tree(self) -> &'d Tree<'d> {
        self.tree
    }

    /// The name as written, prefix included.
    pub fn qualified_name(self) -> &'d str {
        match self.item().kind {
            Kind::Element { name, .. } => self.tree.written(name),
            // A node is only ever made of an element.
            Kind::Text(_) => "",
        }
    }

    /// The name without prefix.
    pub fn name(self) -> &'d str {
        split(self.qualified_name()).1
    }

    /// The prefix; empty when there is none.
    pub fn prefix(self) -> &'d str {
        split(self.qualified_name()).0
    }

    /// The namespace, empty for none. `None` when the prefix is not declared, which [`Prefixes::Declared`] rules out.
    pub fn namespace(self) -> Option<&'d str> {
        self.tree.lookup(self.index, self.prefix())
    }

    /// Whether this is the element `name` of that namespace.
    pub fn is(self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == Some(namespace)
    }

    /// A qualified name in a *value*, such as that of `xsi:type`, as namespace and local name; the default namespace counts
    /// (XML Schema part 2, `QName`). `None` when its prefix is not declared here.
    pub fn resolve<'v>(self, value: &'v str) -> Option<(&'d str, &'v str)> {
        let value = value.trim_matches([' ', '\t', '\r', '\n']);
        let (prefix, local) = value.split_once(':').unwrap_or(("", value));
        Some((self.tree.lookup(self.index, prefix)?, local))
    }

    /// The attributes in the order written.
    pub fn attributes(self) -> impl DoubleEndedIterator<Item = Attribute<'d>> {
        let attributes = match self.item().kind {
            Kind::Element { attributes, .. } => attributes.range(),
            Kind::Text(_) => 0..0,
        };
        self.tree.attributes[attributes].iter().map(move |item| Attribute { node: self, item })
    }

    /// The attribute that is written with exactly this name; a name without prefix is in no namespace.
    pub fn attribute(self, name: &str) -> Option<Attribute<'d>> {
        self.attributes().find(|attribute| attribute.qualified_name() == name)
    }

    /// The attribute of that namespace, whatever its prefix.
    pub fn attribute_in(self, namespace: &str, name: &str) -> Option<Attribute<'d>> {
        self.attributes()
            .find(|attribute| attribute.name() == name && attribute.namespace() == Some(namespace))
    }

    /// The value of the attribute that is written with exactly this name.
    pub fn value(self, name: &str) -> Option<&'d str> {
        self.attribute(name).map(Attribute::value)
    }

    /// The element around this one.
    pub fn parent(self) -> Option<Self> {
        (self.index > 0).then(|| Self { index: self.item().parent, ..self })
    }

    /// The elements directly in this one, in order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.content().filter_map(|content| match content {
            Content::Element(node) => Some(node),
            Content::Text(_) => None,
        })
    }

    /// The elements directly in this one that have this name in that namespace.
    pub fn children_in(self, namespace: &str, name: &str) -> impl Iterator<Item = Self> {
        self.children().filter(move |child| child.is(namespace, name))
    }

    /// The elements reached from this one by these child names, whatever their namespaces, in document order.
    pub fn descend(self, path: &[&str]) -> Vec<Self> {
        path.iter().fold(vec![self], |parents, name| {
            parents.into_iter().flat_map(Self::children).filter(|child| child.name() == *name).collect()
        })
    }

    /// The elements below this one, at any depth, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        self.subtree().skip(1)
    }

    /// This element and those below it, in document order.
    pub fn subtree(self) -> impl Iterator<Item = Self> {
        let elements = |index: &u32| matches!(self.tree.items[*index as usize].kind, Kind::Element { .. });
        (self.index..self.item().end).filter(elements).map(move |index| Self { index, ..self })
    }

    /// What stands directly in this element, in order.
    pub fn content(self) -> impl Iterator<Item = Content<'d>> {
        let end = self.item().end;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let index = next;
            let item = &self.tree.items[index as usize];
            next = item.end;
            Some(match item.kind {
                Kind::Element { .. } => Content::Element(Self { index, ..self }),
                Kind::Text(value) => Content::Text(Run { value: self.tree.value(value), span: item.span }),
            })
        })
    }

    /// The text directly in this element, without that of elements in it.
    pub fn text(self) -> Cow<'d, str> {
        let mut runs = self.content().filter_map(|content| match content {
            Content::Text(run) => Some(run.value),
            Content::Element(_) => None,
        });
        let first = runs.next().unwrap_or_default();
        runs.fold(Cow::Borrowed(first), |mut text, run| {
            text.to_mut().push_str(run);
            text
        })
    }

    /// From `<` of the opening tag to `>` of the last one.
    pub fn span(self) -> Range<usize> {
        self.item().span.range()
    }

    /// The opening tag, `<` to `>`.
    pub fn opening(self) -> Range<usize> {
        let span = self.span();
        match self.item().kind {
            Kind::Element { opening_end, .. } => span.start..opening_end as usize,
            Kind::Text(_) => span,
        }
    }

    /// The closing tag; none when the element is written `<a/>` or was not read to its end.
    pub fn closing(self) -> Option<Range<usize>> {
        match self.item().kind {
            Kind::Element { closing: Closing::At(start), .. } => Some(start as usize..self.span().end),
            _ => None,
        }
    }

    /// Whether the element was read to its end; false only in what a [`Reading`] read before a fault.
    pub fn is_complete(self) -> bool {
        !matches!(self.item().kind, Kind::Element { closing: Closing::Open, .. })
    }

    /// Line and column of its `<`.
    pub fn position(self) -> Position {
        self.tree.text.position(self.span().start)
    }

    fn item(self) -> &'d Item {
        &self.tree.items[self.index as usize]
    }
}

impl<'d> Attribute<'d> {
    /// The name as written, prefix included.
    pub fn qualified_name(self) -> &'d str {
        self.node.tree.written(self.item.name)
    }

    /// The name without prefix.
    pub fn name(self) -> &'d str {
        split(self.qualified_name()).1
    }

    /// The namespace; empty without a prefix, whatever the default namespace is. `None` when the prefix is not declared.
    pub fn namespace(self) -> Option<&'d str> {
        match split(self.qualified_name()) {
            ("", "xmlns") => Some(XMLNS),
            ("", _) => Some(""),
            (prefix, _) => self.node.tree.lookup(self.node.index, prefix),
        }
    }

    /// The value as a program sees it: references and white space resolved (XML 1.0 section 3.3.3).
    pub fn value(self) -> &'d str {
        self.node.tree.attribute_value(self.item)
    }

    /// What stands between the quotes.
    pub fn raw(self) -> Range<usize> {
        self.item.raw.range()
    }

    /// The name, in offsets of the text.
    pub fn name_span(self) -> Range<usize> {
        self.item.name.range()
    }

    /// The quotation mark around the value.
    pub fn quote(self) -> char {
        // What is before the value is its opening quote, one of two characters of one byte.
        if self.node.tree.text.as_str().as_bytes()[self.raw().start - 1] == b'\'' { '\'' } else { '"' }
    }

    /// Line and column of the value's first character.
    pub fn position(self) -> Position {
        self.node.tree.text.position(self.raw().start)
    }
}
