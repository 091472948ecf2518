//! The two serialisers: the document as sent, and the exclusive canonical form.
//!
//! Decides declarations, order and escapes of a tree that was checked before; it cannot fail and never reads.

use super::{Attribute, Element, Namespace, Node, Spelling};
use crate::grammar::{push_canonical_text, push_canonical_value};
use crate::namespaces::XML;
use crate::seen::Seen;

/// Writes an element and all it contains, spelt like that or in the canonical form.
pub(super) fn write(root: &Element, spelling: Option<Spelling>, out: &mut String) {
    Writer { out, scope: Vec::new(), spelling }.element(root);
}

struct Writer<'e> {
    out: &'e mut String,
    /// The namespaces declared by the ancestors written so far, innermost last.
    scope: Vec<&'e Namespace>,
    spelling: Option<Spelling>,
}

impl<'e> Writer<'e> {
    fn element(&mut self, element: &'e Element) {
        let outer = self.scope.len();
        self.out.push('<');
        self.name(&element.namespace, &element.local);
        if self.spelling.is_none() {
            let mut declarations = self.missing(element.used_namespaces());
            declarations.sort_unstable_by_key(|namespace| namespace.prefix());
            self.declarations(declarations);
            let mut attributes: Vec<_> = element.attributes.iter().collect();
            attributes.sort_unstable_by_key(|attribute| (attribute.namespace.uri(), &*attribute.local));
            for attribute in attributes {
                self.attribute(attribute);
            }
        } else {
            for attribute in &element.attributes {
                self.attribute(attribute);
            }
            let mut wanted: Vec<_> = element.declared.iter().collect();
            wanted.extend(element.used_namespaces());
            let declarations = self.missing(wanted);
            self.declarations(declarations);
        }
        match self.spelling {
            Some(Spelling::Declared) if element.children.is_empty() => self.out.push_str(" />"),
            Some(Spelling::Bare) if element.children.is_empty() => self.out.push_str("/>"),
            _ => self.content_and_end(element),
        }
        self.scope.truncate(outer);
    }

    fn content_and_end(&mut self, element: &'e Element) {
        self.out.push('>');
        for child in &element.children {
            match child {
                Node::Element(child) => self.element(child),
                Node::Text(text) => push_canonical_text(text, self.out),
            }
        }
        self.out.push_str("</");
        self.name(&element.namespace, &element.local);
        self.out.push('>');
    }

    /// Those of the wanted namespaces whose prefix means something else so far, each once.
    fn missing(&self, wanted: Vec<&'e Namespace>) -> Vec<&'e Namespace> {
        let mut seen = Seen::new();
        let means_something_else = |namespace: &&Namespace| {
            let current = match self.scope.iter().rev().find(|other| other.prefix() == namespace.prefix()) {
                Some(other) => other.uri(),
                None if namespace.prefix() == "xml" => XML,
                None => "",
            };
            current != namespace.uri()
        };
        wanted.into_iter().filter(means_something_else).filter(|namespace| seen.insert(*namespace)).collect()
    }

    fn declarations(&mut self, namespaces: Vec<&'e Namespace>) {
        for namespace in namespaces {
            self.out.push_str(" xmlns");
            if !namespace.prefix().is_empty() {
                self.out.push(':');
                self.out.push_str(namespace.prefix());
            }
            self.value(namespace.uri());
            self.scope.push(namespace);
        }
    }

    fn attribute(&mut self, attribute: &Attribute) {
        self.out.push(' ');
        self.name(&attribute.namespace, &attribute.local);
        self.value(&attribute.value);
    }

    fn name(&mut self, namespace: &Namespace, local: &str) {
        if !namespace.prefix().is_empty() {
            self.out.push_str(namespace.prefix());
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    /// The document uses the escapes of the canonical form.
    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        push_canonical_value(value, self.out);
        self.out.push('"');
    }
}
