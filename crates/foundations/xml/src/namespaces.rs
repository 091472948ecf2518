//! What prefixes stand for, at every element of a tree.
//!
//! Decides lookups along ancestors (Namespaces in XML 1.0, section 6): the innermost declaration wins, the default
//! namespace may be undone, `xml` and `xmlns` need no declaration. A lookup costs the logarithm of the declarations of that
//! prefix and at most one step per level of nesting, however hostile the text. Never judges whether a prefix *should* be declared.

use std::collections::HashMap;

use crate::tree::{Item, Value};

/// The namespace of `xml:lang` and its like.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations themselves.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Every declaration of a text, by prefix; the default namespace has the empty one.
#[derive(Debug, Default)]
pub(crate) struct Declarations<'t> {
    by_prefix: HashMap<&'t str, Vec<Declared>>,
}

/// One declaration.
#[derive(Debug)]
struct Declared {
    /// The item of the element that carries it.
    element: u32,
    /// The namespace; empty where the default one is undone.
    uri: Value,
    /// The declaration of the same prefix that counts around that element.
    outer: Option<u32>,
}

impl<'t> Declarations<'t> {
    /// Takes in a declaration of an element. Elements come in document order.
    pub(crate) fn declare(&mut self, items: &[Item], element: u32, prefix: &'t str, uri: Value) {
        let declared = self.by_prefix.entry(prefix).or_default();
        let outer = innermost(declared, items, element).and_then(|outer| u32::try_from(outer).ok());
        declared.push(Declared { element, uri, outer });
    }

    /// What the empty or any other prefix stands for at an element; none when nothing declares it.
    pub(crate) fn find(&self, items: &[Item], element: u32, prefix: &str) -> Option<Value> {
        let declared = self.by_prefix.get(prefix)?;
        innermost(declared, items, element).map(|at| declared[at].uri)
    }
}

/// Which of the declarations of one prefix counts at an element.
fn innermost(declared: &[Declared], items: &[Item], element: u32) -> Option<usize> {
    let before = declared.partition_point(|one| one.element <= element);
    let mut at = before.checked_sub(1)?;
    loop {
        // An element that is being read is not among the items yet, and inside nothing but itself.
        let holder = items.get(declared[at].element as usize);
        if holder.is_none_or(|holder| element < holder.end) {
            return Some(at);
        }
        at = declared[at].outer? as usize;
    }
}

/// A name's prefix and what follows it.
pub(crate) fn split(name: &str) -> (&str, &str) {
    name.rsplit_once(':').unwrap_or(("", name))
}

/// The prefix that an attribute declares; empty for the default namespace.
pub(crate) fn declared_prefix(attribute: &str) -> Option<&str> {
    match attribute.strip_prefix("xmlns")? {
        "" => Some(""),
        rest => rest.strip_prefix(':').filter(|prefix| !prefix.is_empty()),
    }
}
