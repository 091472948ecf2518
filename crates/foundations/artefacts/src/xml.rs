//! One strict pass over an XML text, giving every element and attribute with its place.
//!
//! Decides whether a text is well-formed XML 1.0 as .NET's configuration reader wants it, and says where it is not and
//! what to do. It refuses what no config file needs and an attacker likes: document type declarations, entities of
//! one's own, deep nesting, huge element counts. It never resolves anything outside the text, checks no namespaces and
//! repeats no attribute values in its messages.
//!
//! Tokens come from quick-xml with their byte positions; names, attributes and references are checked here, because a
//! splice needs their spans.

mod grammar;
mod scan;

use std::ops::Range;

use crate::error::{Fault, Problem, clip};
use crate::text::Text;

pub(crate) use grammar::{escaped, is_xml_character};
pub(crate) use scan::scan;

/// The elements of one text in document order. All ranges are offsets into that text.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Every element; the root is the first.
    pub(crate) elements: Vec<Element>,
    attributes: Vec<Attribute>,
}

/// One element.
#[derive(Debug)]
pub(crate) struct Element {
    name: Range<usize>,
    /// The whole opening tag, `<` to `>`.
    pub(crate) opening: Range<usize>,
    /// The whole closing tag; none when the element is written `<a/>`.
    pub(crate) closing: Option<Range<usize>>,
    /// Index after this element's last descendant.
    subtree_end: usize,
    attributes: Range<usize>,
}

/// One attribute.
#[derive(Debug)]
pub(crate) struct Attribute {
    name: Range<usize>,
    /// What stands between the quotes.
    pub(crate) raw: Range<usize>,
    /// The value after references and white space are resolved, where that differs from what stands there.
    resolved: Option<Box<str>>,
}

impl Element {
    /// From `<` of the opening tag to `>` of the last one.
    pub(crate) fn span(&self) -> Range<usize> {
        self.opening.start..self.closing.as_ref().map_or(self.opening.end, |closing| closing.end)
    }
}

impl Document {
    /// An element's name without namespace prefix.
    pub(crate) fn name<'t>(&self, text: &'t Text, element: usize) -> &'t str {
        let name = &text.as_str()[self.elements[element].name.clone()];
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// The attribute of that exact name.
    pub(crate) fn attribute(&self, text: &Text, element: usize, name: &str) -> Option<&Attribute> {
        self.attributes[self.elements[element].attributes.clone()]
            .iter()
            .find(|attribute| &text.as_str()[attribute.name.clone()] == name)
    }

    /// The value of an attribute of that exact name.
    pub(crate) fn value<'d>(&'d self, text: &'d Text, element: usize, name: &str) -> Option<&'d str> {
        self.attribute(text, element, name).map(|attribute| attribute.value(text))
    }

    /// The direct children of an element, in order.
    pub(crate) fn children(&self, element: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.elements[element].subtree_end;
        let mut next = element + 1;
        std::iter::from_fn(move || {
            let child = next;
            (child < end).then(|| {
                next = self.elements[child].subtree_end;
                child
            })
        })
    }

    /// The element and everything below it, in document order.
    pub(crate) fn subtree(&self, element: usize) -> Range<usize> {
        element..self.elements[element].subtree_end
    }

    /// Every element reached from `start` by these child names, in document order.
    pub(crate) fn descend(&self, text: &Text, start: usize, path: &[&str]) -> Vec<usize> {
        path.iter().fold(vec![start], |parents, name| {
            parents
                .iter()
                .flat_map(|parent| self.children(*parent))
                .filter(|child| self.name(text, *child) == *name)
                .collect()
        })
    }

    /// Refuses an element that a configuration tool encrypted, in whole or in part.
    pub(crate) fn refuse_encrypted(&self, text: &Text, elements: Range<usize>) -> Result<(), Fault> {
        for element in elements {
            let encrypted = self.name(text, element) == "EncryptedData"
                || self.attribute(text, element, "configProtectionProvider").is_some();
            if encrypted {
                return Err(text.fault(
                    self.elements[element].opening.start,
                    Problem::Encrypted,
                    format!("<{}> is encrypted", clip(self.name(text, element))),
                    "decrypt a copy of the file first: Microsoft.Dynamics.AX.Framework.ConfigEncryptor.exe -decrypt \
                     (in WebRoot\\bin) for what the AOS tool encrypted, aspnet_regiis -pdf for a protected section",
                ));
            }
        }
        Ok(())
    }
}

impl Attribute {
    /// The value as a program sees it.
    pub(crate) fn value<'a>(&'a self, text: &'a Text) -> &'a str {
        self.resolved.as_deref().unwrap_or_else(|| &text.as_str()[self.raw.clone()])
    }
}

#[cfg(test)]
mod tests;
