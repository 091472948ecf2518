//! The one XML room: text as found, scanned into a tree with places, edited by splices, written from a tree.
//!
//! [`Text`] holds bytes in whatever encoding they came and counts lines; [`Tree`] is one strict pass over it within a
//! [`Budget`]: elements, attributes and text with their byte spans, namespaces to look up; [`Edit`] and [`layout`]
//! change a text and leave every other byte alone; [`Element`] is a tree under construction with two serialisers, the
//! document and its exclusive canonical form; [`Canonical`] is the same form of an element that was read.
//!
//! This crate decides what is XML and where a text stops being it ([`Fault`]). It never decides what an element means, how
//! a fault is worded for the owner of a certain file, or how much a certain document may hold: that belongs to its
//! callers. It resolves nothing outside the text and keeps no state.
//!
//! Mirrors XML 1.0 (fifth edition) and Namespaces in XML 1.0 as .NET's `XmlReader` holds to them with
//! `DtdProcessing.Prohibit`.

mod canonical;
mod fault;
mod grammar;
pub mod layout;
mod namespaces;
mod scan;
mod seen;
mod text;
mod tree;
mod writer;

pub use canonical::{Canonical, Uncanonical};
pub use fault::{Fault, Position, Wrong, clip};
pub use grammar::{escaped, is_ncname, is_xml_character};
pub use scan::{Budget, Declaration, Prefixes, Reading};
pub use text::{CodePage, Edit, Encoding, Splice, Text};
pub use tree::{Attribute, Content, Node, Run, Tree};
pub use writer::{Document, Element, MAX_DEPTH, Namespace, Spelling, Unwritable};
