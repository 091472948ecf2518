//! The exclusive canonical form of an element that was read: what the digest of a signature covers.
//!
//! Decides which declarations the form carries, the order of attributes and the escapes (Exclusive XML Canonicalization 1.0
//! without comments, with or without a list of inclusive prefixes). Its output is bounded by the caller, because a long
//! namespace name that many elements use is written at each of them; otherwise it costs what it writes, and it does not
//! recurse. Elements with processing instructions in them have none here: nobody signs such, and a tree does not keep
//! what they say. Never digests, and never judges who wrote the text.

use std::collections::HashMap;

use crate::grammar::{push_canonical_text, push_canonical_value};
use crate::namespaces::{declared_prefix, split};
use crate::scan::Prefixes;
use crate::tree::{Attribute, Kind, Node};

/// How an element's canonical form is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Canonical<'a> {
    /// The inclusive prefixes as a `PrefixList` has them; `#default` is the default namespace.
    pub inclusive: &'a [&'a str],
    /// An element in it that is left out with all it contains: an enveloped signature.
    pub without: Option<Node<'a>>,
    /// Most bytes written.
    pub limit: usize,
}

/// Why an element has no canonical form here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Uncanonical {
    /// The tree was read with [`Prefixes::AsWritten`], so that its names mean nothing.
    #[error("the text was read without looking at its namespaces")]
    AsWritten,
    /// The text went wrong inside it.
    #[error("the element was not read to its end")]
    Incomplete,
    /// It holds a processing instruction.
    #[error("the element holds a processing instruction")]
    Instruction,
    /// The form is longer than asked for.
    #[error("the canonical form has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl Node<'_> {
    /// The canonical form of this element, in UTF-8.
    pub fn canonical_bytes(self, form: &Canonical<'_>) -> Result<Vec<u8>, Uncanonical> {
        if self.tree.prefixes != Prefixes::Declared {
            return Err(Uncanonical::AsWritten);
        }
        if !self.is_complete() {
            return Err(Uncanonical::Incomplete);
        }
        let without = form.without.filter(|without| std::ptr::eq(self.tree, without.tree));
        let left_out = without.map(Node::span).unwrap_or_default();
        let span = self.span();
        let begins = self.tree.instructions.partition_point(|at| (*at as usize) < span.start);
        let mut inside =
            self.tree.instructions[begins..].iter().map(|at| *at as usize).take_while(|at| *at < span.end);
        if inside.any(|at| !left_out.contains(&at)) {
            return Err(Uncanonical::Instruction);
        }
        let mut writer = Writer {
            apex: self,
            form,
            out: String::new(),
            rendered: HashMap::new(),
            declared: Vec::new(),
            open: Vec::new(),
        };
        let without = without.map(|without| without.index);
        let items = &self.tree.items;
        let (mut next, end) = (self.index, items[self.index as usize].end);
        while next < end {
            writer.close_before(next);
            let item = &items[next as usize];
            if without == Some(next) {
                next = item.end;
                continue;
            }
            match item.kind {
                Kind::Element { .. } => writer.opening(Node { index: next, ..self })?,
                Kind::Text(value) => push_canonical_text(self.tree.value(value), &mut writer.out),
            }
            writer.within_limit()?;
            next += 1;
        }
        writer.close_before(end);
        writer.within_limit()?;
        Ok(writer.out.into_bytes())
    }
}

struct Writer<'d, 'a> {
    apex: Node<'d>,
    form: &'a Canonical<'a>,
    out: String,
    /// What each prefix stands for in what was written around this place, innermost last.
    rendered: HashMap<&'d str, Vec<&'d str>>,
    /// The prefixes declared by the elements that are open, in the order written.
    declared: Vec<&'d str>,
    open: Vec<Open<'d>>,
}

/// An element whose closing tag is not written yet.
struct Open<'d> {
    name: &'d str,
    /// The item after its last descendant.
    end: u32,
    /// How many prefixes were declared before it.
    declared: usize,
}

impl<'d> Writer<'d, '_> {
    fn within_limit(&self) -> Result<(), Uncanonical> {
        let limit = self.form.limit;
        if self.out.len() > limit { Err(Uncanonical::TooLarge { limit }) } else { Ok(()) }
    }

    /// Writes the closing tags of what ended before this item.
    fn close_before(&mut self, item: u32) {
        while let Some(open) = self.open.pop_if(|open| open.end <= item) {
            self.out.extend(["</", open.name, ">"]);
            for prefix in self.declared.drain(open.declared..) {
                self.rendered.get_mut(prefix).and_then(Vec::pop);
            }
        }
    }

    fn opening(&mut self, node: Node<'d>) -> Result<(), Uncanonical> {
        let name = node.qualified_name();
        self.out.extend(["<", name]);
        let end = node.tree.items[node.index as usize].end;
        let declared = self.declared.len();
        for (prefix, uri) in self.wanted(node) {
            self.out.push_str(" xmlns");
            if !prefix.is_empty() {
                self.out.extend([":", prefix]);
            }
            self.value(uri);
            self.rendered.entry(prefix).or_default().push(uri);
            self.declared.push(prefix);
            self.within_limit()?;
        }
        let mut attributes: Vec<_> = own(node).collect();
        attributes
            .sort_by_cached_key(|attribute| (attribute.namespace().unwrap_or_default(), attribute.name()));
        for attribute in attributes {
            self.out.extend([" ", attribute.qualified_name()]);
            self.value(attribute.value());
        }
        self.out.push('>');
        self.open.push(Open { name, end, declared });
        Ok(())
    }

    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        push_canonical_value(value, &mut self.out);
        self.out.push('"');
    }

    /// The declarations an element needs, by prefix: of the prefixes its names use and of the listed ones, those that
    /// stand for something else in what was written around it.
    fn wanted(&self, node: Node<'d>) -> Vec<(&'d str, &'d str)> {
        let mut prefixes = vec![node.prefix()];
        prefixes.extend(own(node).map(prefix).filter(|prefix| !prefix.is_empty()));
        if !self.form.inclusive.is_empty() {
            // A listed prefix can only change its meaning where it is declared, but for the first element, around which
            // nothing was written.
            if node == self.apex {
                let listed = self.form.inclusive.iter().filter_map(|listed| in_scope(node, listed));
                prefixes.extend(listed);
            }
            let here = node.attributes().filter_map(|attribute| declared_prefix(attribute.qualified_name()));
            prefixes.extend(here.filter(|prefix| {
                let listed = if prefix.is_empty() { "#default" } else { prefix };
                self.form.inclusive.contains(&listed)
            }));
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        // `xml` is declared nowhere, and a tree whose prefixes are declared knows all others.
        let meant = prefixes.into_iter().filter(|prefix| *prefix != "xml");
        let meant = meant.filter_map(|prefix| Some((prefix, node.tree.lookup(node.index, prefix)?)));
        meant.filter(|(prefix, uri)| self.around(prefix) != *uri).collect()
    }

    fn around(&self, prefix: &str) -> &'d str {
        self.rendered.get(prefix).and_then(|meanings| meanings.last()).copied().unwrap_or_default()
    }
}

/// The attributes that are no declarations.
fn own(node: Node<'_>) -> impl Iterator<Item = Attribute<'_>> {
    node.attributes().filter(|attribute| declared_prefix(attribute.qualified_name()).is_none())
}

fn prefix(attribute: Attribute<'_>) -> &str {
    split(attribute.qualified_name()).0
}

/// The listed prefix as some element around this one, or itself, declares it.
fn in_scope<'d>(node: Node<'d>, listed: &str) -> Option<&'d str> {
    let listed = if listed == "#default" { "" } else { listed };
    let around = std::iter::successors(Some(node), |node| node.parent());
    let mut declared = around.flat_map(Node::attributes);
    declared.find_map(|attribute| declared_prefix(attribute.qualified_name()).filter(|one| *one == listed))
}
