//! `wif.config`: the audiences an AOS accepts on interactive tokens, and the issuers it trusts by thumbprint.
//!
//! Decides which audiences a wif.config holds, in the order of the file: the first one stays first ("MUST be first
//! element; updated at web role instance startup", says the comment in the shipped file), so a new one goes after the
//! last. Values compare exactly. It never judges them: `spn:MY_APP_ID_HERE` is a fine audience here.
//!
//! Mirrors Windows Identity Foundation's `system.identityModel`, alone in its file or under `configuration`. The path
//! to the audiences is `identityConfiguration/securityTokenHandlers/securityTokenHandlerConfiguration/audienceUris`,
//! the issuers are `issuerNameRegistry/authority/keys/add@thumbprint`.

use mocktenant_xml::{Attribute, Edit, Node, Splice, Text, Tree, clip, escaped, layout};

use crate::artefact::{ConfigFile, Entry, Kind, Located, Value, edit, parse, scan};
use crate::collection::additions;
use crate::encrypted;
use crate::error::{EditError, Fault, ParseError, Problem};

/// The one key of a wif.config: the list of audiences.
pub const AUDIENCE_URIS: &str = "audienceUris";

const PATH: [&str; 4] =
    ["identityConfiguration", "securityTokenHandlers", "securityTokenHandlerConfiguration", AUDIENCE_URIS];

/// A wif.config as found.
#[derive(Debug, Clone)]
pub struct WifConfig {
    name: String,
    text: Text,
    audiences: Vec<Entry>,
    authorities: Vec<Authority>,
}

/// An issuer of the `issuerNameRegistry`, trusted by the thumbprints of its certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The issuer's name, for instance `https://fakeacs.accesscontrol.windows.net/`; empty when it has none.
    pub name: String,
    /// The thumbprints as written, in order.
    pub thumbprints: Vec<Located<String>>,
}

impl WifConfig {
    /// Reads a wif.config. `name` is what messages call it, usually `wif.config`.
    ///
    /// Refuses what [`ParseError`] lists; a file without `audienceUris` is fine and has no audiences.
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

    /// The audiences in order, each with its place. An audience written twice is there twice.
    pub fn audience_uris(&self) -> impl Iterator<Item = Located<&str>> {
        self.audiences.iter().map(|entry| Located {
            value: entry.value.as_str(),
            line: entry.line,
            column: entry.column,
            span: entry.span.clone(),
            first: entry.first,
        })
    }

    /// The issuers trusted by thumbprint, in order.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Adds an audience after the last one, unless it is there. Returns the changed places.
    pub fn add_audience(&mut self, value: &str) -> Result<Vec<Splice>, EditError> {
        let mut list = self.list();
        if !list.iter().any(|audience| audience == value) {
            list.push(value.to_owned());
        }
        edit(self, AUDIENCE_URIS, Some(&Value::List(list)))
    }

    /// Removes an audience wherever it stands, with its line if it is alone on it. Returns the changed places, none
    /// when it is absent.
    pub fn remove_audience(&mut self, value: &str) -> Result<Vec<Splice>, EditError> {
        let mut list = self.list();
        list.retain(|audience| audience != value);
        edit(self, AUDIENCE_URIS, Some(&Value::List(list)))
    }

    fn list(&self) -> Vec<String> {
        self.audiences.iter().map(|entry| entry.value.clone()).collect()
    }
}

impl ConfigFile for WifConfig {
    const KIND: Kind = Kind::WifConfig;

    fn read(name: String, text: Text) -> Result<Self, ParseError> {
        let (audiences, authorities) =
            scan(&text).and_then(|tree| read(&tree)).map_err(|fault| fault.in_file(&name))?;
        Ok(Self { name, text, audiences, authorities })
    }

    fn file_name(&self) -> &str {
        &self.name
    }

    fn text(&self) -> &Text {
        &self.text
    }

    fn entries(&self) -> Vec<Entry> {
        self.audiences.clone()
    }

    fn value(&self, key: &str) -> Option<Located<Value>> {
        let (first, last) = (self.audiences.first()?, self.audiences.last()?);
        (key == AUDIENCE_URIS).then(|| Located {
            value: Value::List(self.list()),
            line: first.line,
            column: first.column,
            span: first.span.start..last.span.end,
            first: None,
        })
    }

    fn same_key(one: &str, other: &str) -> bool {
        one == other
    }

    fn plan(&self, tree: &Tree<'_>, key: &str, value: Option<&Value>) -> Result<Vec<Edit>, EditError> {
        if key != AUDIENCE_URIS {
            return Err(EditError::UnknownKey {
                file: self.name.clone(),
                key: key.to_owned(),
                known: AUDIENCE_URIS.to_owned(),
            });
        }
        let wanted = match value {
            None => &[],
            Some(Value::List(items)) => items.as_slice(),
            Some(Value::Text(_)) => {
                return Err(EditError::WrongShape {
                    file: self.name.clone(),
                    key: key.to_owned(),
                    expected: "a list of texts",
                });
            }
        };
        let containers = containers(section(tree).unwrap_or(tree.root()));
        let Some(&container) = containers.last() else {
            return Err(EditError::NoSection {
                file: self.name.clone(),
                key: key.to_owned(),
                path: "system.identityModel/identityConfiguration/securityTokenHandlers/\
                       securityTokenHandlerConfiguration/audienceUris",
            });
        };
        Ok(plan_list(container, &additions(&containers, "value"), wanted))
    }
}

/// Audiences and issuers of a wif.config, or why it is none.
fn read(tree: &Tree<'_>) -> Result<(Vec<Entry>, Vec<Authority>), Fault> {
    let Some(section) = section(tree) else {
        return Err(Fault::new(
            tree.source().position(0),
            Problem::WrongFile,
            format!("the file begins with <{}>", clip(tree.root().name())),
            "a wif.config begins with <system.identityModel>; check the file",
        ));
    };
    encrypted::refuse([tree.root()])?;
    encrypted::refuse(section.subtree())?;
    Ok((audiences(tree.source(), section), authorities(tree.source(), section)))
}

/// Turns the present audiences into the wanted ones, leaving alone what both begin and end with.
fn plan_list(container: Node<'_>, adds: &[Node<'_>], wanted: &[String]) -> Vec<Edit> {
    let is = |add: &Node<'_>, value: &String| add.value("value") == Some(value.as_str());
    let front = adds.iter().zip(wanted).take_while(|(add, value)| is(add, value)).count();
    let (adds_left, wanted_left) = (&adds[front..], &wanted[front..]);
    let back = adds_left
        .iter()
        .rev()
        .zip(wanted_left.iter().rev())
        .take_while(|(add, value)| is(add, value))
        .count();
    let old = &adds_left[..adds_left.len() - back];
    let new = &wanted_left[..wanted_left.len() - back];
    let mut edits: Vec<Edit> = old
        .iter()
        .zip(new)
        .filter_map(|(add, value)| {
            let attribute = add.attribute("value")?;
            Some(Edit { range: attribute.raw(), with: escaped(value, attribute.quote()) })
        })
        .collect();
    edits.extend(old.iter().skip(new.len()).map(|add| layout::remove(*add)));
    if let Some(added) = new.get(old.len()..).filter(|added| !added.is_empty()) {
        // After the element before them, else before the one after them, else into the empty collection.
        let before = adds[..front + old.len()].last().copied();
        let neighbour = before.or(adds.first().copied());
        let new: Vec<String> =
            added.iter().map(|value| layout::element("add", neighbour, &[("value", value)])).collect();
        edits.push(match (before, adds.first()) {
            (Some(before), _) => layout::insert_after(before, &new),
            (None, Some(first)) => layout::insert_before(*first, &new),
            (None, None) => layout::insert_last(container, None, &new),
        });
    }
    edits
}

/// `system.identityModel` itself, or under `configuration`.
fn section<'d>(tree: &'d Tree<'_>) -> Option<Node<'d>> {
    const SECTION: &str = "system.identityModel";
    match tree.root().name() {
        SECTION => Some(tree.root()),
        "configuration" => tree.root().descend(&[SECTION]).first().copied(),
        _ => None,
    }
}

fn containers(section: Node<'_>) -> Vec<Node<'_>> {
    section.descend(&PATH)
}

fn audiences(text: &Text, section: Node<'_>) -> Vec<Entry> {
    additions(&containers(section), "value")
        .into_iter()
        .filter_map(|add| add.attribute("value"))
        .map(|attribute| {
            let Located { value, line, column, span, first } = located(text, attribute);
            Entry { key: AUDIENCE_URIS.to_owned(), value, line, column, span, first }
        })
        .collect()
}

fn authorities(text: &Text, section: Node<'_>) -> Vec<Authority> {
    section
        .subtree()
        .filter(|element| element.name() == "issuerNameRegistry")
        .flat_map(|registry| registry.descend(&["authority"]))
        .map(|authority| Authority {
            name: authority.value("name").unwrap_or_default().to_owned(),
            thumbprints: additions(&authority.descend(&["keys"]), "thumbprint")
                .into_iter()
                .filter_map(|add| add.attribute("thumbprint"))
                .map(|attribute| located(text, attribute))
                .collect(),
        })
        .collect()
}

fn located(text: &Text, attribute: Attribute<'_>) -> Located<String> {
    let position = attribute.position();
    Located {
        value: attribute.value().to_owned(),
        line: position.line,
        column: position.column,
        span: text.file_span(&attribute.raw()),
        first: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "<?xml version=\"1.0\"?>\n<system.identityModel>\n<identityConfiguration><securityTokenHandlers>\n<securityTokenHandlerConfiguration>\n  <audienceUris>\n";
    const END: &str = "  </audienceUris>\n  <issuerNameRegistry>\n    <authority name=\"https://fakeacs.accesscontrol.windows.net/\">\n      <keys><add thumbprint=\"AB\" /><add thumbprint=\"CD\" /></keys>\n    </authority>\n  </issuerNameRegistry>\n</securityTokenHandlerConfiguration>\n</securityTokenHandlers></identityConfiguration></system.identityModel>\n";

    fn config(audiences: &str) -> WifConfig {
        WifConfig::parse("wif.config", format!("{START}{audiences}{END}").into_bytes()).unwrap()
    }

    fn audiences_of(file: &WifConfig) -> &str {
        let source = std::str::from_utf8(file.bytes()).unwrap();
        source.strip_prefix(START).and_then(|rest| rest.strip_suffix(END)).unwrap()
    }

    fn list(items: &[&str]) -> Value {
        Value::List(items.iter().map(|item| (*item).to_owned()).collect())
    }

    const TWO: &str =
        "    <!-- first -->\n    <add value=\"spn:1\" />\n    <add value=\"spn:2\" /> <!-- ours -->\n";

    #[test]
    fn audiences_are_read_in_order_with_their_places() {
        let file = config(TWO);
        let found: Vec<_> =
            file.audience_uris().map(|found| (found.value, found.line, found.column)).collect();
        assert_eq!(found, [("spn:1", 7, 17), ("spn:2", 8, 17)]);
        assert_eq!(file.value(AUDIENCE_URIS).unwrap().value, list(&["spn:1", "spn:2"]));
        assert!(file.value("Aad.Realm").is_none());
    }

    #[test]
    fn trusted_issuers_are_read_with_their_thumbprints() {
        let file = config(TWO);
        let [authority] = file.authorities() else { panic!("one authority") };
        assert_eq!(authority.name, "https://fakeacs.accesscontrol.windows.net/");
        let found: Vec<_> =
            authority.thumbprints.iter().map(|found| (found.value.as_str(), found.line)).collect();
        assert_eq!(found, [("AB", 12), ("CD", 12)]);
    }

    #[test]
    fn a_new_audience_goes_after_the_last_and_leaves_comments_alone() {
        let mut file = config(TWO);
        file.add_audience("spn:3").unwrap();
        assert_eq!(audiences_of(&file), format!("{TWO}    <add value=\"spn:3\" />\n"));
        assert_eq!(file.add_audience("spn:1").unwrap(), []);
        file.remove_audience("spn:3").unwrap();
        assert_eq!(audiences_of(&file), TWO);
    }

    #[test]
    fn an_empty_collection_takes_audiences() {
        let mut file = config("");
        file.add_audience("spn:1").unwrap();
        assert_eq!(audiences_of(&file), "    <add value=\"spn:1\" />\n");
        let source = "<system.identityModel><identityConfiguration><securityTokenHandlers><securityTokenHandlerConfiguration>\n<audienceUris mode=\"Always\"/>\n</securityTokenHandlerConfiguration></securityTokenHandlers></identityConfiguration></system.identityModel>";
        let mut file = WifConfig::parse("wif.config", source.as_bytes().to_vec()).unwrap();
        edit(&mut file, AUDIENCE_URIS, Some(&list(&["a", "b"]))).unwrap();
        let edited = std::str::from_utf8(file.bytes()).unwrap();
        assert!(edited.contains("\n<audienceUris mode=\"Always\">\n  <add value=\"a\" />\n  <add value=\"b\" />\n</audienceUris>\n"));
    }

    #[test]
    fn setting_the_list_changes_only_what_differs() {
        for (wanted, expected) in [
            (
                &["spn:1", "x", "spn:2"][..],
                TWO.replace("    <add value=\"spn:2", "    <add value=\"x\" />\n    <add value=\"spn:2"),
            ),
            (
                &["x", "spn:1", "spn:2"],
                TWO.replace("    <add value=\"spn:1", "    <add value=\"x\" />\n    <add value=\"spn:1"),
            ),
            (&["spn:2"], TWO.replace("    <add value=\"spn:1\" />\n", "")),
            (&["x"], TWO.replace("spn:1", "x").replace("<add value=\"spn:2\" />", "")),
            (&["spn:1", "y", "z"], TWO.replace("spn:2", "y") + "    <add value=\"z\" />\n"),
        ] {
            let mut file = config(TWO);
            edit(&mut file, AUDIENCE_URIS, Some(&list(wanted))).unwrap();
            assert_eq!(audiences_of(&file), expected);
        }
    }

    #[test]
    fn other_keys_and_shapes_are_refused() {
        let mut file = config(TWO);
        assert!(matches!(edit(&mut file, "x", Some(&list(&["y"]))), Err(EditError::UnknownKey { .. })));
        let text = Value::Text("y".to_owned());
        assert!(matches!(edit(&mut file, AUDIENCE_URIS, Some(&text)), Err(EditError::WrongShape { .. })));
        let mut bare = WifConfig::parse("wif.config", b"<system.identityModel/>".to_vec()).unwrap();
        assert!(matches!(bare.add_audience("y"), Err(EditError::NoSection { .. })));
    }

    #[test]
    fn the_section_may_sit_in_a_configuration_but_not_in_another_file() {
        let inner = config(TWO);
        let source = std::str::from_utf8(inner.bytes()).unwrap().replace("<?xml version=\"1.0\"?>\n", "");
        let wrapped = format!("<configuration>{source}</configuration>");
        assert_eq!(WifConfig::parse("x", wrapped.into_bytes()).unwrap().audience_uris().count(), 2);
        let error = WifConfig::parse("x", b"<configuration/>".to_vec()).unwrap_err();
        assert_eq!(error.problem, Problem::WrongFile);
    }
}
