//! A small element tree with two serialisers: the document as sent, and its exclusive canonical form.
//!
//! Decides which namespace declarations each form carries, in which order attributes stand and how characters are escaped
//! (Exclusive XML Canonicalization 1.0 without comments and without an inclusive prefix list; Canonical XML 1.0
//! section 2.3). The two differ on purpose: a document may declare a prefix that only an attribute *value* uses, such
//! as `xsi:type="fed:..."`, where the canonical form drops the declaration until a name uses it. Digests are taken over
//! the canonical form of exactly this tree, so that no canonicalisation of parsed text is ever needed to sign.
//! Never parses. A [`Document`] cannot be made from a tree that has no XML form.

use std::fmt;

/// Deepest accepted nesting of elements, the root being level 1.
pub const MAX_DEPTH: usize = 64;

const XML_URI: &str = "http://www.w3.org/XML/1998/namespace";

/// A namespace with the prefix it is written with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Namespace {
    prefix: &'static str,
    uri: &'static str,
}

impl Namespace {
    /// No namespace: unprefixed attributes, and elements outside any namespace.
    pub const NONE: Self = Self { prefix: "", uri: "" };

    /// The namespace `uri`, written as the default namespace. For elements only.
    pub const fn default_of(uri: &'static str) -> Self {
        Self { prefix: "", uri }
    }

    /// The namespace `uri`, written with `prefix`.
    pub const fn prefixed(prefix: &'static str, uri: &'static str) -> Self {
        Self { prefix, uri }
    }

    /// The prefix; empty for the default namespace.
    pub const fn prefix(self) -> &'static str {
        self.prefix
    }

    /// The namespace name; empty for no namespace.
    pub const fn uri(self) -> &'static str {
        self.uri
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
    local: &'static str,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
}

/// An element under construction. Names come from the program, values from anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    namespace: Namespace,
    local: &'static str,
    declared: Vec<Namespace>,
    attributes: Vec<Attribute>,
    children: Vec<Node>,
}

impl Element {
    /// An element without attributes or content.
    pub fn new(namespace: Namespace, local: &'static str) -> Self {
        Self { namespace, local, declared: Vec::new(), attributes: Vec::new(), children: Vec::new() }
    }

    /// Declares a namespace here in the document, in the order called, whether or not a name here uses it. Has no effect
    /// on the canonical form.
    #[must_use]
    pub fn declare(mut self, namespace: Namespace) -> Self {
        self.declared.push(namespace);
        self
    }

    /// Adds an attribute in no namespace.
    #[must_use]
    pub fn attribute(self, local: &'static str, value: impl Into<String>) -> Self {
        self.attribute_in(Namespace::NONE, local, value)
    }

    /// Adds an attribute in a namespace, which needs a prefix.
    #[must_use]
    pub fn attribute_in(
        mut self,
        namespace: Namespace,
        local: &'static str,
        value: impl Into<String>,
    ) -> Self {
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

    /// The prefixes its own names use, each once: what exclusive canonicalisation calls visibly utilised.
    fn used_namespaces(&self) -> Vec<Namespace> {
        let mut used = vec![self.namespace];
        for attribute in &self.attributes {
            if attribute.namespace != Namespace::NONE && !used.contains(&attribute.namespace) {
                used.push(attribute.namespace);
            }
        }
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
        element: &'static str,
        /// The code point.
        character: u32,
    },
    /// A name, prefix or namespace is not usable where it stands.
    #[error("{element} uses a name that XML does not allow: {name}")]
    Name {
        /// The element.
        element: &'static str,
        /// The name.
        name: &'static str,
    },
    /// One prefix would mean two namespaces on one element.
    #[error("{element} binds the prefix \"{prefix}\" twice")]
    Prefix {
        /// The element.
        element: &'static str,
        /// The prefix.
        prefix: &'static str,
    },
    /// An element has two attributes of one name.
    #[error("{element} has the attribute {attribute} twice")]
    Attribute {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
    /// Elements nest deeper than [`MAX_DEPTH`].
    #[error("elements nest more than {MAX_DEPTH} deep")]
    Depth,
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

    /// The document in UTF-8 on one line, attributes in the order added, with or without
    /// `<?xml version="1.0" encoding="utf-8"?>` before it. No byte order mark.
    pub fn to_bytes(&self, declaration: bool) -> Vec<u8> {
        let mut out = String::new();
        if declaration {
            out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
        }
        Writer { out: &mut out, scope: Vec::new(), canonical: false }.element(&self.root);
        out.into_bytes()
    }

    /// The exclusive canonical form of the root element: what a digest covers.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut out = String::new();
        Writer { out: &mut out, scope: Vec::new(), canonical: true }.element(&self.root);
        out.into_bytes()
    }
}

fn check(element: &Element, depth: usize) -> Result<(), Unwritable> {
    let name = element.local;
    if depth > MAX_DEPTH {
        return Err(Unwritable::Depth);
    }
    check_name(name, element.local)?;
    check_namespace(name, element.namespace)?;
    let mut bound = vec![element.namespace];
    let attribute_namespaces =
        element.attributes.iter().map(|attribute| attribute.namespace).filter(|ns| *ns != Namespace::NONE);
    for namespace in element.declared.iter().copied().chain(attribute_namespaces) {
        check_namespace(name, namespace)?;
        match bound.iter().find(|other| other.prefix == namespace.prefix) {
            Some(other) if other.uri != namespace.uri => {
                return Err(Unwritable::Prefix { element: name, prefix: namespace.prefix });
            }
            Some(_) => {}
            None => bound.push(namespace),
        }
    }
    for (index, attribute) in element.attributes.iter().enumerate() {
        check_name(name, attribute.local)?;
        // an unprefixed attribute is in no namespace, whatever the default namespace is
        let unprefixed_in_namespace =
            attribute.namespace.prefix.is_empty() && attribute.namespace != Namespace::NONE;
        if unprefixed_in_namespace || (attribute.namespace == Namespace::NONE && attribute.local == "xmlns") {
            return Err(Unwritable::Name { element: name, name: attribute.local });
        }
        let same = |other: &Attribute| {
            other.local == attribute.local && other.namespace.uri == attribute.namespace.uri
        };
        if element.attributes[..index].iter().any(same) {
            return Err(Unwritable::Attribute { element: name, attribute: attribute.local });
        }
        check_characters(name, &attribute.value)?;
    }
    element.children.iter().try_for_each(|child| match child {
        Node::Element(child) => check(child, depth + 1),
        Node::Text(text) => check_characters(name, text),
    })
}

/// Names are written in the program, all in ASCII, so the ASCII part of `NCName` is enough.
fn check_name(element: &'static str, name: &'static str) -> Result<(), Unwritable> {
    if is_ascii_ncname(name) { Ok(()) } else { Err(Unwritable::Name { element, name }) }
}

/// Whether a text is a name without a colon, in ASCII (Namespaces in XML 1.0, `NCName`).
pub(crate) fn is_ascii_ncname(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn check_namespace(element: &'static str, namespace: Namespace) -> Result<(), Unwritable> {
    let prefix = namespace.prefix;
    let usable = match prefix {
        "" => namespace.uri != XML_URI,
        "xml" => namespace.uri == XML_URI,
        "xmlns" => false,
        _ => is_ascii_ncname(prefix) && !namespace.uri.is_empty() && namespace.uri != XML_URI,
    };
    if usable && namespace.uri.chars().all(is_xml_character) {
        Ok(())
    } else {
        Err(Unwritable::Name { element, name: prefix })
    }
}

fn check_characters(element: &'static str, text: &str) -> Result<(), Unwritable> {
    match text.chars().find(|character| !is_xml_character(*character)) {
        Some(character) => Err(Unwritable::Character { element, character: character.into() }),
        None => Ok(()),
    }
}

/// Whether XML 1.0 can carry a character (section 2.2, production `Char`).
pub(crate) fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

struct Writer<'o> {
    out: &'o mut String,
    /// The namespaces declared by the ancestors written so far, innermost last.
    scope: Vec<Namespace>,
    canonical: bool,
}

impl Writer<'_> {
    fn element(&mut self, element: &Element) {
        let outer = self.scope.len();
        self.out.push('<');
        self.name(element.namespace, element.local);
        if self.canonical {
            let mut declarations = self.missing(element.used_namespaces());
            declarations.sort_unstable_by_key(|namespace| namespace.prefix);
            self.declarations(declarations);
            let mut attributes: Vec<&Attribute> = element.attributes.iter().collect();
            attributes.sort_unstable_by_key(|attribute| (attribute.namespace.uri, attribute.local));
            for attribute in attributes {
                self.attribute(attribute);
            }
        } else {
            for attribute in &element.attributes {
                self.attribute(attribute);
            }
            let mut wanted = element.declared.clone();
            wanted.extend(element.used_namespaces());
            let declarations = self.missing(wanted);
            self.declarations(declarations);
        }
        if element.children.is_empty() && !self.canonical {
            self.out.push_str(" />");
        } else {
            self.out.push('>');
            for child in &element.children {
                match child {
                    Node::Element(child) => self.element(child),
                    Node::Text(text) => self.text(text),
                }
            }
            self.out.push_str("</");
            self.name(element.namespace, element.local);
            self.out.push('>');
        }
        self.scope.truncate(outer);
    }

    /// Those of the wanted namespaces whose prefix means something else so far, each once.
    fn missing(&self, wanted: Vec<Namespace>) -> Vec<Namespace> {
        let mut missing = Vec::new();
        for namespace in wanted {
            let current = match self.scope.iter().rev().find(|other| other.prefix == namespace.prefix) {
                Some(other) => other.uri,
                None if namespace.prefix == "xml" => XML_URI,
                None => "",
            };
            if current != namespace.uri && !missing.contains(&namespace) {
                missing.push(namespace);
            }
        }
        missing
    }

    fn declarations(&mut self, namespaces: Vec<Namespace>) {
        for namespace in namespaces {
            self.out.push_str(" xmlns");
            if !namespace.prefix.is_empty() {
                self.out.push(':');
                self.out.push_str(namespace.prefix);
            }
            self.value(namespace.uri);
            self.scope.push(namespace);
        }
    }

    fn attribute(&mut self, attribute: &Attribute) {
        self.out.push(' ');
        self.name(attribute.namespace, attribute.local);
        self.value(&attribute.value);
    }

    fn name(&mut self, namespace: Namespace, local: &str) {
        if !namespace.prefix.is_empty() {
            self.out.push_str(namespace.prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    /// Canonical XML 1.0 section 2.3, attribute nodes; the document uses the same escapes.
    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        for character in value.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#x9;"),
                '\n' => self.out.push_str("&#xA;"),
                '\r' => self.out.push_str("&#xD;"),
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }

    /// Canonical XML 1.0 section 2.3, text nodes; the document uses the same escapes.
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\r' => self.out.push_str("&#xD;"),
                other => self.out.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bergshamra_c14n::{C14nMode, canonicalize};
    use proptest::prelude::*;

    const MD: Namespace = Namespace::default_of("urn:md");
    const FED: Namespace = Namespace::prefixed("fed", "urn:fed");
    const XSI: Namespace = Namespace::prefixed("xsi", "urn:xsi");

    fn both(root: Element) -> (String, String) {
        let document = Document::new(root).unwrap();
        let text = String::from_utf8(document.to_bytes(true)).unwrap();
        let canonical = String::from_utf8(document.canonical_bytes()).unwrap();
        let independent = canonicalize::<&str>(&text, C14nMode::Exclusive, None, &[]).unwrap();
        assert_eq!(canonical, String::from_utf8(independent).unwrap(), "of {text}");
        (text, canonical)
    }

    #[test]
    fn a_prefix_used_only_in_a_value_stays_in_the_document_and_leaves_the_canonical_form() {
        let root = Element::new(MD, "Entity").child(
            Element::new(MD, "Role")
                .attribute_in(XSI, "type", "fed:Sts")
                .attribute("a", "1")
                .declare(XSI)
                .declare(FED)
                .child(Element::new(FED, "Offered"))
                .child(Element::new(FED, "Passive")),
        );
        let (text, canonical) = both(root);
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Entity xmlns=\"urn:md\"><Role xsi:type=\"fed:Sts\" a=\"1\" \
             xmlns:xsi=\"urn:xsi\" xmlns:fed=\"urn:fed\"><fed:Offered /><fed:Passive /></Role></Entity>"
        );
        assert_eq!(
            canonical,
            "<Entity xmlns=\"urn:md\"><Role xmlns:xsi=\"urn:xsi\" a=\"1\" xsi:type=\"fed:Sts\">\
             <fed:Offered xmlns:fed=\"urn:fed\"></fed:Offered><fed:Passive xmlns:fed=\"urn:fed\"></fed:Passive></Role></Entity>"
        );
    }

    #[test]
    fn a_prefix_declared_by_an_ancestor_that_does_not_use_it_is_declared_where_it_is_used() {
        let root = Element::new(MD, "A").declare(FED).child(
            Element::new(FED, "B").child(Element::new(FED, "C").child(Element::new(Namespace::NONE, "D"))),
        );
        let (_, canonical) = both(root);
        assert_eq!(
            canonical,
            "<A xmlns=\"urn:md\"><fed:B xmlns:fed=\"urn:fed\"><fed:C><D xmlns=\"\"></D></fed:C></fed:B></A>"
        );
    }

    #[test]
    fn every_special_character_survives_in_both_forms() {
        let nasty = "a&b<c>d\"e'f\tg\nh\ri]]>\u{85}\u{2028}\u{1f600}";
        let (text, _) = both(Element::new(MD, "A").attribute("v", nasty).text(nasty));
        let tree = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(tree.root_element().text(), Some(nasty));
        assert_eq!(tree.root_element().attribute("v"), Some(nasty));
    }

    #[test]
    fn a_tree_without_an_xml_form_is_refused() {
        let refused = |root: Element| Document::new(root).unwrap_err();
        assert!(matches!(
            refused(Element::new(MD, "A").text("\u{0}")),
            Unwritable::Character { character: 0, .. }
        ));
        assert!(matches!(
            refused(Element::new(MD, "A").attribute("v", "\u{ffff}")),
            Unwritable::Character { .. }
        ));
        assert!(matches!(refused(Element::new(MD, "A b")), Unwritable::Name { .. }));
        assert!(matches!(refused(Element::new(MD, "A").attribute("xmlns", "x")), Unwritable::Name { .. }));
        assert!(matches!(refused(Element::new(MD, "A").attribute_in(MD, "v", "x")), Unwritable::Name { .. }));
        assert!(matches!(
            refused(Element::new(MD, "A").attribute("v", "1").attribute("v", "2")),
            Unwritable::Attribute { attribute: "v", .. }
        ));
        let other = Namespace::prefixed("fed", "urn:other");
        assert!(matches!(
            refused(Element::new(FED, "A").declare(other)),
            Unwritable::Prefix { prefix: "fed", .. }
        ));
        let nested =
            |levels| (1..levels).fold(Element::new(MD, "A"), |inner, _| Element::new(MD, "A").child(inner));
        assert_eq!(refused(nested(MAX_DEPTH + 1)), Unwritable::Depth);
        assert!(Document::new(nested(MAX_DEPTH)).is_ok());
    }

    fn namespace() -> impl Strategy<Value = Namespace> {
        prop::sample::select(vec![
            Namespace::NONE,
            Namespace::default_of("urn:a"),
            Namespace::default_of("urn:b"),
            Namespace::prefixed("p", "urn:a"),
            Namespace::prefixed("p", "urn:b"),
            Namespace::prefixed("q", "urn:a"),
            Namespace::prefixed("q", "urn:c"),
        ])
    }

    fn text() -> impl Strategy<Value = String> {
        "[a-c&<>\"' \t\n\r\u{e9}\u{1f600}]{0,6}"
    }

    fn element() -> impl Strategy<Value = Element> {
        let attributes =
            || prop::collection::vec((namespace(), prop::sample::select(vec!["x", "y", "z"]), text()), 0..4);
        let shell = move || {
            (namespace(), prop::collection::vec(namespace(), 0..3), attributes()).prop_map(
                |(own, declared, attributes)| {
                    let mut element = Element::new(own, "e");
                    // declarations and attributes that would be refused are left out, so that most trees can be written
                    for namespace in declared {
                        let candidate = element.clone().declare(namespace);
                        if check(&candidate, 1).is_ok() {
                            element = candidate;
                        }
                    }
                    for (namespace, local, value) in attributes {
                        let candidate = element.clone().attribute_in(namespace, local, value);
                        if check(&candidate, 1).is_ok() {
                            element = candidate;
                        }
                    }
                    element
                },
            )
        };
        shell().prop_recursive(4, 24, 4, move |inner| {
            (shell(), prop::collection::vec(prop_oneof![inner.prop_map(Ok), text().prop_map(Err)], 0..4))
                .prop_map(|(element, children)| {
                    children.into_iter().fold(element, |element, child| match child {
                        Ok(child) => element.child(child),
                        Err(text) => element.text(text),
                    })
                })
        })
    }

    proptest! {
        #[test]
        fn the_canonical_form_of_any_tree_equals_an_independent_canonicalisation(root in element()) {
            both(root);
        }
    }
}
