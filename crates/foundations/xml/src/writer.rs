//! A small element tree with two serialisers: the document as sent, and its exclusive canonical form.
//!
//! Decides which namespace declarations each form carries, in which order attributes stand and how characters are escaped
//! (Exclusive XML Canonicalization 1.0 without comments and without an inclusive prefix list; Canonical XML 1.0
//! section 2.3). The two differ on purpose: a document may declare a prefix that only an attribute *value* uses, such
//! as `xsi:type="fed:..."`, where the canonical form drops the declaration until a name uses it. Digests are taken over
//! the canonical form of exactly this tree, so that no canonicalisation of parsed text is ever needed to sign.
//! Never parses. A [`Document`] cannot be made from a tree that has no XML form.

mod form;

use std::borrow::Cow;
use std::fmt;

use crate::grammar::{is_ncname, is_xml_character};
use crate::namespaces::{XML, XMLNS};
use crate::seen::Seen;

/// Deepest accepted nesting of elements, the root being level 1.
pub const MAX_DEPTH: usize = 64;

/// A name that is usually written in the program and sometimes made.
type Name = Cow<'static, str>;

/// A namespace with the prefix it is written with. Made of constants it owns nothing, and copying it is free.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Namespace {
    prefix: Name,
    uri: Name,
}

impl Namespace {
    /// No namespace: unprefixed attributes, and elements outside any namespace.
    pub const NONE: Self = Self { prefix: Name::Borrowed(""), uri: Name::Borrowed("") };

    /// The namespace `uri`, written as the default namespace. For elements only.
    pub const fn default_of(uri: &'static str) -> Self {
        Self { prefix: Name::Borrowed(""), uri: Name::Borrowed(uri) }
    }

    /// The namespace `uri`, written with `prefix`.
    pub const fn prefixed(prefix: &'static str, uri: &'static str) -> Self {
        Self { prefix: Name::Borrowed(prefix), uri: Name::Borrowed(uri) }
    }

    /// The namespace `uri`, written with `prefix`, both known only at run time. The empty prefix makes it the default one.
    pub fn made(prefix: impl Into<Name>, uri: impl Into<Name>) -> Self {
        Self { prefix: prefix.into(), uri: uri.into() }
    }

    /// The prefix; empty for the default namespace.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The namespace name; empty for no namespace.
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

impl From<&Self> for Namespace {
    fn from(namespace: &Self) -> Self {
        namespace.clone()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{}}}{}", self.uri, self.prefix)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    namespace: Namespace,
    local: Name,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
}

/// An element under construction. Which names and namespaces there are the program decides; values come from anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    namespace: Namespace,
    local: Name,
    declared: Vec<Namespace>,
    attributes: Vec<Attribute>,
    children: Vec<Node>,
}

impl Element {
    /// An element without attributes or content.
    pub fn new(namespace: impl Into<Namespace>, local: impl Into<Name>) -> Self {
        let (namespace, local) = (namespace.into(), local.into());
        Self { namespace, local, declared: Vec::new(), attributes: Vec::new(), children: Vec::new() }
    }

    /// Declares a namespace here in the document, in the order called, whether or not a name here uses it. Has no effect
    /// on the canonical form.
    #[must_use]
    pub fn declare(mut self, namespace: impl Into<Namespace>) -> Self {
        self.declared.push(namespace.into());
        self
    }

    /// Adds an attribute in no namespace.
    #[must_use]
    pub fn attribute(self, local: impl Into<Name>, value: impl Into<String>) -> Self {
        self.attribute_in(Namespace::NONE, local, value)
    }

    /// Adds an attribute in a namespace, which needs a prefix.
    #[must_use]
    pub fn attribute_in(
        mut self,
        namespace: impl Into<Namespace>,
        local: impl Into<Name>,
        value: impl Into<String>,
    ) -> Self {
        let (namespace, local) = (namespace.into(), local.into());
        self.attributes.push(Attribute { namespace, local, value: value.into() });
        self
    }

    /// Adds a child element.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds child elements.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Puts a child element before everything else in this one.
    pub fn insert_first(&mut self, child: Self) {
        self.children.insert(0, Node::Element(child));
    }

    /// The value of an attribute in no namespace.
    pub fn attribute_value(&self, local: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.namespace == Namespace::NONE && attribute.local == local)
            .map(|attribute| attribute.value.as_str())
    }

    /// The namespaces its own names use, each once: what exclusive canonicalisation calls visibly utilised.
    fn used_namespaces(&self) -> Vec<&Namespace> {
        let mut used = vec![&self.namespace];
        let mut seen = Seen::new();
        seen.insert(&self.namespace);
        let of_attributes = self.attributes.iter().map(|attribute| &attribute.namespace);
        used.extend(
            of_attributes.filter(|namespace| **namespace != Namespace::NONE && seen.insert(namespace)),
        );
        used
    }
}

/// Why a tree has no XML form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A text or attribute value holds a character XML 1.0 cannot carry (section 2.2), such as U+0000.
    #[error("{element} holds the character U+{character:04X}, which XML cannot carry")]
    Character {
        /// The element.
        element: String,
        /// The code point.
        character: u32,
    },
    /// A name, prefix or namespace is not usable where it stands.
    #[error("{element} uses a name that XML does not allow: {name}")]
    Name {
        /// The element.
        element: String,
        /// The name.
        name: String,
    },
    /// One prefix would mean two namespaces on one element.
    #[error("{element} binds the prefix \"{prefix}\" twice")]
    Prefix {
        /// The element.
        element: String,
        /// The prefix.
        prefix: String,
    },
    /// An element has two attributes of one name.
    #[error("{element} has the attribute {attribute} twice")]
    Attribute {
        /// The element.
        element: String,
        /// The attribute.
        attribute: String,
    },
    /// Elements nest deeper than [`MAX_DEPTH`].
    #[error("elements nest more than {MAX_DEPTH} deep")]
    Depth,
}

/// How a document is spelt where XML leaves the choice: .NET's two kinds of writer differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// Behind `<?xml version="1.0" encoding="utf-8"?>`, and what is empty is `<a />`.
    Declared,
    /// Without a declaration, and what is empty is `<a/>`.
    Bare,
}

/// A tree that has been checked and can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    root: Element,
}

impl Document {
    /// Checks a tree once, so that writing it cannot fail.
    pub fn new(root: Element) -> Result<Self, Unwritable> {
        check(&root, 1)?;
        Ok(Self { root })
    }

    /// The root element.
    pub fn root(&self) -> &Element {
        &self.root
    }

    /// The tree back, to be changed and checked again.
    pub fn into_root(self) -> Element {
        self.root
    }

    /// The document in UTF-8 on one line, attributes in the order added. No byte order mark.
    pub fn to_bytes(&self, spelling: Spelling) -> Vec<u8> {
        let mut out = String::new();
        if spelling == Spelling::Declared {
            out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        }
        form::write(&self.root, Some(spelling), &mut out);
        out.into_bytes()
    }

    /// The exclusive canonical form of the root element: what a digest covers.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut out = String::new();
        form::write(&self.root, None, &mut out);
        out.into_bytes()
    }
}

fn check(element: &Element, depth: usize) -> Result<(), Unwritable> {
    if depth > MAX_DEPTH {
        return Err(Unwritable::Depth);
    }
    let name = &*element.local;
    check_name(name, name)?;
    let (mut prefixes, mut bindings) = (Seen::new(), Seen::new());
    let attribute_namespaces =
        element.attributes.iter().map(|attribute| &attribute.namespace).filter(|ns| **ns != Namespace::NONE);
    for namespace in [&element.namespace].into_iter().chain(&element.declared).chain(attribute_namespaces) {
        check_namespace(name, namespace)?;
        let (prefix, uri) = (namespace.prefix(), namespace.uri());
        let new_prefix = prefixes.insert(prefix);
        if bindings.insert((prefix, uri)) && !new_prefix {
            return Err(Unwritable::Prefix { element: name.to_owned(), prefix: prefix.to_owned() });
        }
    }
    let mut seen = Seen::new();
    for attribute in &element.attributes {
        let local = &*attribute.local;
        check_name(name, local)?;
        // an unprefixed attribute is in no namespace, whatever the default namespace is
        let in_none = attribute.namespace == Namespace::NONE;
        if (attribute.namespace.prefix.is_empty() && !in_none) || (in_none && local == "xmlns") {
            return Err(Unwritable::Name { element: name.to_owned(), name: local.to_owned() });
        }
        if !seen.insert((attribute.namespace.uri(), local)) {
            return Err(Unwritable::Attribute { element: name.to_owned(), attribute: local.to_owned() });
        }
        check_characters(name, &attribute.value)?;
    }
    element.children.iter().try_for_each(|child| match child {
        Node::Element(child) => check(child, depth + 1),
        Node::Text(text) => check_characters(name, text),
    })
}

fn check_name(element: &str, name: &str) -> Result<(), Unwritable> {
    if is_ncname(name) {
        Ok(())
    } else {
        Err(Unwritable::Name { element: element.to_owned(), name: name.to_owned() })
    }
}

fn check_namespace(element: &str, namespace: &Namespace) -> Result<(), Unwritable> {
    let (prefix, uri) = (namespace.prefix(), namespace.uri());
    let usable = match prefix {
        "" => uri != XML,
        "xml" => uri == XML,
        "xmlns" => false,
        _ => is_ncname(prefix) && !uri.is_empty() && uri != XML,
    };
    if usable && uri != XMLNS && uri.chars().all(is_xml_character) {
        Ok(())
    } else {
        Err(Unwritable::Name { element: element.to_owned(), name: prefix.to_owned() })
    }
}

fn check_characters(element: &str, text: &str) -> Result<(), Unwritable> {
    match text.chars().find(|character| !is_xml_character(*character)) {
        Some(character) => {
            Err(Unwritable::Character { element: element.to_owned(), character: character.into() })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
