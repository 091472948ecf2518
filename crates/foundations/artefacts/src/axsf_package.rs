//! `AXSF.Package.1.0.xml`: the parameters an on-premises AOS starts with, as Service Fabric keeps them on each node.
//!
//! Decides which settings the file holds: each `Parameter` with a name, directly in a `Section` with a name, is the key
//! `Section.Parameter`. Sections count at any depth and in any namespace, and nothing else in the file counts. Keys compare
//! without regard to ASCII letter case, and the last of several equal keys counts, be they in one section or in two of one
//! name; both are inferred from what a web.config does, not captured. It never decrypts: a parameter with `IsEncrypted` has
//! the cipher text as its value, and an edit leaves the attribute alone. Never judges a value.
//!
//! Two things are read that Service Fabric would not write, because people have them from Microsoft's article on
//! authentication in on-premises environments, which prints this file. It prints a *fragment*, sections without a root
//! around them. And a replacement of product names went through it, so that `Microsoft Entra IDTenantId` stands where the
//! file has `AADTenantId`: both are the same key. An entry always has the name that the AOS asks for; the file keeps the one
//! it has, which [`AxsfPackage::written`] gives. A new parameter gets the name that the AOS asks for.
//!
//! Mirrors the `Settings` of a Service Fabric configuration package. `AXSF.Package.Current.xml` is the same format.

use std::borrow::Cow;
use std::collections::HashMap;

use mocktenant_xml::{Edit, Fault as XmlFault, Node, Splice, Text, Tree, Wrong, clip, layout};

use crate::artefact::{BUDGET, ConfigFile, Entry, Kind, Located, Value, edit, parse};
use crate::error::{EditError, Fault, ParseError, Problem};
use crate::pair::{Pair, last_of_each, removals};
use crate::wording;

const SECTION: &str = "Section";
const PARAMETER: &str = "Parameter";
const PAIR: Pair = Pair { key: "Name", value: "Value" };

/// The longest name of a section, in bytes. It is in the key of each of its parameters, so a hostile one would be kept
/// a hundred thousand times.
const LONGEST_SECTION: usize = 256;

/// What the names of an AOS begin with, and what the article has in its place.
const ABBREVIATED: &str = "AAD";
const REPLACED: &str = "Microsoft Entra ID";

/// An AXSF.Package.1.0.xml as found.
#[derive(Debug, Clone)]
pub struct AxsfPackage {
    name: String,
    text: Text,
    entries: Vec<Entry>,
    /// The name of the parameter that counts as the file has it, by folded key.
    written: HashMap<String, String>,
}

impl AxsfPackage {
    /// Reads an AXSF.Package.1.0.xml. `name` is what messages call it, usually `AXSF.Package.1.0.xml`.
    ///
    /// Refuses what [`ParseError`] lists; a file without any `Section` is another file.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, ParseError> {
        parse(name, bytes)
    }

    /// The name messages use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        self.text.bytes()
    }

    /// The value of a key such as `Aad.AADTenantId`, in any letter case and either spelling, with the place of the one
    /// that counts. A parameter without `Value` has the empty value.
    pub fn get(&self, key: &str) -> Option<Located<&str>> {
        let key = canonical(key);
        let entry = self.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(&key))?;
        Some(Located {
            value: &entry.value,
            line: entry.line,
            column: entry.column,
            span: entry.span.clone(),
            first: entry.first,
        })
    }

    /// The keys in their canonical spelling, each once, in the order of the values that count.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// The name of the parameter that counts for a key as the file has it, without its section: `AADTenantId`, or
    /// `Microsoft Entra IDTenantId`.
    pub fn written(&self, key: &str) -> Option<&str> {
        self.written.get(&folded(key)).map(String::as_str)
    }

    /// Gives a key a value. Where the key exists, only the value that counts changes; else a new `<Parameter/>` goes
    /// before `</Section>`, or a new section with it after the last one, written like their neighbours. The section is what
    /// stands before the first dot of the key. Returns the changed places, none when the value is there already.
    pub fn set(&mut self, key: &str, value: &str) -> Result<Vec<Splice>, EditError> {
        edit(self, key, Some(&Value::Text(value.to_owned())))
    }

    /// Removes every parameter of a key, with its line if it stands alone on it. Returns the changed places, none when
    /// the key is absent.
    pub fn remove(&mut self, key: &str) -> Result<Vec<Splice>, EditError> {
        edit(self, key, None)
    }
}

impl ConfigFile for AxsfPackage {
    const KIND: Kind = Kind::AxsfPackage;

    fn read(name: String, text: Text) -> Result<Self, ParseError> {
        let (entries, written) =
            Self::scan(&text).and_then(|tree| read(&tree)).map_err(|fault| fault.in_file(&name))?;
        Ok(Self { name, text, entries, written })
    }

    fn file_name(&self) -> &str {
        &self.name
    }

    fn text(&self) -> &Text {
        &self.text
    }

    fn scan(text: &Text) -> Result<Tree<'_>, Fault> {
        let worded = |fault: XmlFault| wording::of(&fault, Some(text));
        let tree = Tree::scan_fragment(text, &BUDGET).map_err(worded)?;
        // Only sections may stand side by side; two roots of anything else are a file that went wrong.
        let roots: Vec<Node<'_>> = tree.root().children().collect();
        let other = roots.iter().position(|root| root.name() != SECTION).map(|at| at.max(1));
        if let Some(second) = other.and_then(|at| roots.get(at)) {
            let fault =
                XmlFault { at: second.position(), markup: second.opening(), wrong: Wrong::SecondRoot };
            return Err(worded(fault));
        }
        drop(roots);
        Ok(tree)
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }

    fn value(&self, key: &str) -> Option<Located<Value>> {
        let Located { value, line, column, span, first } = self.get(key)?;
        Some(Located { value: Value::Text(value.to_owned()), line, column, span, first })
    }

    fn same_key(one: &str, other: &str) -> bool {
        canonical(one).eq_ignore_ascii_case(&canonical(other))
    }

    fn written(&self, key: &str) -> Option<String> {
        self.written(key).map(str::to_owned)
    }

    fn plan(&self, tree: &Tree<'_>, key: &str, value: Option<&Value>) -> Result<Vec<Edit>, EditError> {
        if key.is_empty() {
            return Err(EditError::EmptyKey { file: self.name.clone() });
        }
        let same =
            parameters(tree).filter(|found| Self::same_key(&found.key(), key)).map(|found| found.element);
        match value {
            None => Ok(removals(same)),
            Some(Value::List(_)) => Err(EditError::WrongShape {
                file: self.name.clone(),
                key: key.to_owned(),
                expected: "one text",
            }),
            Some(Value::Text(value)) => match same.last() {
                Some(parameter) => Ok(PAIR.replace(parameter, value).into_iter().collect()),
                None => self.plan_insertion(tree, key, value),
            },
        }
    }
}

impl AxsfPackage {
    fn plan_insertion(&self, tree: &Tree<'_>, key: &str, value: &str) -> Result<Vec<Edit>, EditError> {
        let canonical = canonical(key);
        let named =
            canonical.split_once('.').filter(|(section, name)| !section.is_empty() && !name.is_empty());
        let Some((section, name)) = named else {
            return Err(EditError::WrongKey {
                file: self.name.clone(),
                key: key.to_owned(),
                expected: "a section and a parameter, as in Aad.AADTenantId",
            });
        };
        let is_named =
            |one: &Node<'_>| one.value(PAIR.key).is_some_and(|name| name.eq_ignore_ascii_case(section));
        let all = || sections(tree);
        if let Some(section) = all().filter(is_named).last() {
            let neighbour = neighbour(section);
            let new = new_parameter(section, neighbour, name, value);
            return Ok(vec![layout::insert_last(section, neighbour, &[new])]);
        }
        let Some(last) = all().last().map(outermost) else {
            return Err(EditError::NoSection { file: self.name.clone(), key: key.to_owned(), path: SECTION });
        };
        let neighbour = neighbour(last);
        let inner = new_parameter(last, neighbour, name, value);
        // A sibling does not have the prefixes that the last section declares for itself.
        let declared = last.attributes().filter(|attribute| {
            let name = attribute.qualified_name();
            name == "xmlns" || name.starts_with("xmlns:")
        });
        let mut attributes = vec![(PAIR.key, section)];
        attributes.extend(declared.map(|attribute| (attribute.qualified_name(), attribute.value())));
        let new = layout::element_around(last, neighbour, &attributes, &inner);
        Ok(vec![layout::insert_after(last, &[new])])
    }
}

/// The entries of an AXSF.Package.1.0.xml and what it calls them, or why it is none.
fn read(tree: &Tree<'_>) -> Result<(Vec<Entry>, HashMap<String, String>), Fault> {
    if sections(tree).next().is_none() {
        let first = tree.root().children().next().map(Node::name).unwrap_or_default();
        return Err(Fault::new(
            tree.source().position(0),
            Problem::WrongFile,
            format!("no Section with a Name is in the file, which begins with <{}>", clip(first)),
            "an AXSF.Package.1.0.xml has <Section Name=\"Aad\"> with <Parameter Name=\"...\" Value=\"...\" /> in it; \
             check the file",
        ));
    }
    let too_long =
        |section: &Node<'_>| section_name(*section).is_some_and(|name| name.len() > LONGEST_SECTION);
    if let Some(section) = sections(tree).find(too_long) {
        return Err(Fault::new(
            section.position(),
            Problem::WrongFile,
            format!("the name of this Section has more than {LONGEST_SECTION} bytes"),
            "no section of an AOS has such a name; check that this is the right file",
        ));
    }
    let written = parameters(tree).map(|found| (folded(&found.key()), found.name.to_owned())).collect();
    let all =
        parameters(tree).filter_map(|found| PAIR.entry(found.element, canonical(&found.key()).into_owned()));
    Ok((last_of_each(all, folded), written))
}

/// Every section with a name, in document order.
fn sections<'d>(tree: &'d Tree<'_>) -> impl Iterator<Item = Node<'d>> {
    tree.root().descendants().filter(|element| section_name(*element).is_some())
}

/// The name of a section.
fn section_name(element: Node<'_>) -> Option<&str> {
    if element.name() != SECTION {
        return None;
    }
    element.value(PAIR.key).filter(|name| !name.is_empty())
}

/// A parameter that counts.
struct Parameter<'d> {
    element: Node<'d>,
    section: &'d str,
    name: &'d str,
}

impl Parameter<'_> {
    /// Its key with the name as written.
    fn key(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// Every parameter that counts, in document order. Each section is asked for its name once, however many attributes a
/// hostile one has.
fn parameters<'d>(tree: &'d Tree<'_>) -> impl Iterator<Item = Parameter<'d>> {
    let start = |element: Node<'_>| element.span().start;
    let sections: HashMap<usize, &str> =
        sections(tree).filter_map(|section| Some((start(section), section_name(section)?))).collect();
    tree.root().descendants().filter_map(move |element| {
        let section = sections.get(&start(element.parent()?))?;
        Some(Parameter { element, section, name: parameter_name(element)? })
    })
}

fn parameter_name(element: Node<'_>) -> Option<&str> {
    if element.name() != PARAMETER {
        return None;
    }
    element.value(PAIR.key).filter(|name| !name.is_empty())
}

/// A key in the spelling of the AOS.
fn canonical(key: &str) -> Cow<'_, str> {
    let Some((section, name)) = key.split_once('.') else { return Cow::Borrowed(key) };
    match (name.get(..REPLACED.len()), name.get(REPLACED.len()..)) {
        (Some(begin), Some(rest)) if begin.eq_ignore_ascii_case(REPLACED) => {
            Cow::Owned(format!("{section}.{ABBREVIATED}{rest}"))
        }
        _ => Cow::Borrowed(key),
    }
}

/// What equal keys have in common.
fn folded(key: &str) -> String {
    canonical(key).to_ascii_lowercase()
}

/// The parameter that a new one in this section is written like: the last one in it, or in a section beside it.
fn neighbour(section: Node<'_>) -> Option<Node<'_>> {
    let beside =
        || section.parent()?.children().filter(|child| child.name() == SECTION).filter_map(last_in).last();
    last_in(section).or_else(beside)
}

fn last_in(section: Node<'_>) -> Option<Node<'_>> {
    section.children().filter(|child| parameter_name(*child).is_some()).last()
}

/// A new parameter, in the namespace of its section.
fn new_parameter(section: Node<'_>, neighbour: Option<Node<'_>>, name: &str, value: &str) -> String {
    let element = match section.prefix() {
        "" => PARAMETER.to_owned(),
        prefix => format!("{prefix}:{PARAMETER}"),
    };
    layout::element(&element, neighbour, &[(PAIR.key, name), (PAIR.value, value)])
}

/// The section around sections, where they are nested.
fn outermost(section: Node<'_>) -> Node<'_> {
    let around = std::iter::successors(Some(section), |inner| inner.parent());
    around.take_while(|element| element.name() == SECTION).last().unwrap_or(section)
}

#[cfg(test)]
mod tests;
