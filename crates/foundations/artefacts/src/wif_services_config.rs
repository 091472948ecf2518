//! `wif.services.config`: where an AOS sends a person to sign in (the passive part of WS-Federation).
//!
//! Decides which attributes `federationConfiguration/wsFederation` has: each is one key, `wsFederation@issuer`. The
//! configuration without a name counts, because an AOS asks for no other. Names of attributes have letter case, as in
//! System.Configuration. It never judges a value: an issuer nobody answers at is a fine wif.services.config.
//!
//! Mirrors Windows Identity Foundation's `system.identityModel.services`, alone in its file (the `configSource` of a
//! web.config) or under `configuration`.

use mocktenant_xml::{Attribute, Edit, Node, Splice, Text, Tree, clip, escaped};

use crate::artefact::{ConfigFile, Entry, Kind, Located, Value, edit, parse, scan};
use crate::encrypted;
use crate::error::{EditError, Fault, ParseError, Problem};

/// Attributes a wif.services.config may be given; one that stands in the file may be changed whatever its name.
const KNOWN: [&str; 5] = ["issuer", "passiveRedirectEnabled", "realm", "reply", "requireHttps"];
/// What a key begins with.
const ELEMENT: &str = "wsFederation@";

/// A wif.services.config as found.
#[derive(Debug, Clone)]
pub struct WifServicesConfig {
    name: String,
    text: Text,
    entries: Vec<Entry>,
}

impl WifServicesConfig {
    /// Reads a wif.services.config. `name` is what messages call it.
    ///
    /// Refuses what [`ParseError`] lists; a file without `wsFederation` is fine and has no keys.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, ParseError> {
        parse(name, bytes)
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        self.text.bytes()
    }

    /// The URL of the sign-in service, `wsFederation@issuer`.
    pub fn issuer(&self) -> Option<Located<&str>> {
        let entry = self.entries.iter().find(|entry| entry.key == "wsFederation@issuer")?;
        let Entry { line, column, first, .. } = *entry;
        Some(Located { value: entry.value.as_str(), line, column, span: entry.span.clone(), first })
    }

    /// Gives `wsFederation@issuer` a value. Returns the changed places.
    pub fn set_issuer(&mut self, url: &str) -> Result<Vec<Splice>, EditError> {
        edit(self, "wsFederation@issuer", Some(&Value::Text(url.to_owned())))
    }
}

impl ConfigFile for WifServicesConfig {
    const KIND: Kind = Kind::WifServicesConfig;

    fn read(name: String, text: Text) -> Result<Self, ParseError> {
        let entries = scan(&text).and_then(|tree| read(&tree)).map_err(|fault| fault.in_file(&name))?;
        Ok(Self { name, text, entries })
    }

    fn file_name(&self) -> &str {
        &self.name
    }

    fn text(&self) -> &Text {
        &self.text
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }

    fn value(&self, key: &str) -> Option<Located<Value>> {
        let Entry { value, line, column, span, first, .. } =
            self.entries.iter().find(|entry| entry.key == key)?.clone();
        Some(Located { value: Value::Text(value), line, column, span, first })
    }

    fn same_key(one: &str, other: &str) -> bool {
        one == other
    }

    fn plan(&self, tree: &Tree<'_>, key: &str, value: Option<&Value>) -> Result<Vec<Edit>, EditError> {
        let (file, key) = (|| self.name.clone(), key.to_owned());
        let element = section(tree).and_then(ws_federation);
        let attribute = key.strip_prefix(ELEMENT).unwrap_or_default();
        let present = element.and_then(|element| element.attribute(attribute));
        if present.is_none() && !KNOWN.contains(&attribute) {
            let known = KNOWN.map(|name| format!("{ELEMENT}{name}")).join(", ");
            return Err(EditError::UnknownKey { file: file(), key, known });
        }
        let Some(element) = element else {
            let path = "system.identityModel.services/federationConfiguration/wsFederation";
            return Err(EditError::NoSection { file: file(), key, path });
        };
        Ok(match (value, present) {
            (Some(Value::List(_)), _) => {
                return Err(EditError::WrongShape { file: file(), key, expected: "one text" });
            }
            (Some(Value::Text(value)), Some(present)) => {
                vec![Edit { range: present.raw(), with: escaped(value, present.quote()) }]
            }
            (Some(Value::Text(value)), None) => {
                let at = end_of_attributes(element);
                vec![Edit { range: at..at, with: format!(" {attribute}=\"{}\"", escaped(value, '"')) }]
            }
            (None, Some(present)) => vec![removal(element, present)],
            (None, None) => Vec::new(),
        })
    }
}

/// The entries of a wif.services.config, or why it is none.
fn read(tree: &Tree<'_>) -> Result<Vec<Entry>, Fault> {
    let Some(section) = section(tree) else {
        return Err(Fault::new(
            tree.source().position(0),
            Problem::WrongFile,
            format!("the file begins with <{}>", clip(tree.root().name())),
            "a wif.services.config begins with <system.identityModel.services>; check the file",
        ));
    };
    encrypted::refuse([tree.root()])?;
    encrypted::refuse(section.subtree())?;
    let attributes = ws_federation(section).into_iter().flat_map(Node::attributes);
    Ok(attributes.map(|attribute| entry(tree.source(), attribute)).collect())
}

/// `system.identityModel.services` itself, or under `configuration`.
fn section<'d>(tree: &'d Tree<'_>) -> Option<Node<'d>> {
    const SECTION: &str = "system.identityModel.services";
    match tree.root().name() {
        SECTION => Some(tree.root()),
        "configuration" => tree.root().descend(&[SECTION]).first().copied(),
        _ => None,
    }
}

/// `wsFederation` of the configuration without a name.
fn ws_federation(section: Node<'_>) -> Option<Node<'_>> {
    let configurations = section.descend(&["federationConfiguration"]);
    let unnamed = |node: &&Node<'_>| node.value("name").unwrap_or_default().is_empty();
    configurations.iter().find(unnamed)?.descend(&["wsFederation"]).first().copied()
}

fn entry(text: &Text, attribute: Attribute<'_>) -> Entry {
    let position = attribute.position();
    Entry {
        key: format!("{ELEMENT}{}", attribute.qualified_name()),
        value: attribute.value().to_owned(),
        line: position.line,
        column: position.column,
        span: text.file_span(&attribute.raw()),
        first: None,
    }
}

/// Behind the closing quote of the last attribute, or behind the element's name.
fn end_of_attributes(element: Node<'_>) -> usize {
    match element.attributes().next_back() {
        Some(last) => last.raw().end + 1,
        None => element.opening().start + 1 + element.qualified_name().len(),
    }
}

/// The attribute with the white space before it.
fn removal(element: Node<'_>, attribute: Attribute<'_>) -> Edit {
    let before = &element.tree().source().as_str()[..attribute.name_span().start];
    Edit { range: before.trim_end().len()..attribute.raw().end + 1, with: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "<?xml version=\"1.0\"?>\r\n<system.identityModel.services>\r\n  <federationConfiguration>\r\n    <wsFederation passiveRedirectEnabled=\"false\"\r\n      issuer='https://login.example/?a=1&amp;b=2' realm=\"spn:1\" />\r\n  </federationConfiguration>\r\n</system.identityModel.services>\r\n";

    fn config(text: &str) -> WifServicesConfig {
        WifServicesConfig::parse("wif.services.config", text.as_bytes().to_vec()).unwrap()
    }

    fn text(file: &WifServicesConfig) -> &str {
        std::str::from_utf8(file.bytes()).unwrap()
    }

    #[test]
    fn each_attribute_is_a_key_with_its_place() {
        let file = config(FILE);
        let found: Vec<_> =
            file.entries.iter().map(|entry| (&*entry.key, &*entry.value, entry.line)).collect();
        assert_eq!(
            found,
            [
                ("wsFederation@passiveRedirectEnabled", "false", 4),
                ("wsFederation@issuer", "https://login.example/?a=1&b=2", 5),
                ("wsFederation@realm", "spn:1", 5),
            ]
        );
        assert_eq!(file.issuer().map(|issuer| issuer.column), Some(15));
        assert_eq!(file.value("wsFederation@Issuer"), None, "names have letter case");
    }

    #[test]
    fn an_edit_touches_one_value_and_no_other_byte() {
        let mut file = config(FILE);
        file.set_issuer("https://adfs.example/ls/?x='&").unwrap();
        let old = "https://login.example/?a=1&amp;b=2";
        assert_eq!(text(&file), FILE.replace(old, "https://adfs.example/ls/?x=&apos;&amp;"));
        edit(
            &mut file,
            "wsFederation@issuer",
            Some(&Value::Text("https://login.example/?a=1&b=2".to_owned())),
        )
        .unwrap();
        assert_eq!(text(&file), FILE);
    }

    #[test]
    fn an_attribute_comes_after_the_others_and_goes_with_its_blank() {
        let mut file = config(FILE);
        let reply = Value::Text("https://usnconeboxax1aos.cloud.onebox.dynamics.com/".to_owned());
        edit(&mut file, "wsFederation@reply", Some(&reply)).unwrap();
        let there = "realm=\"spn:1\" reply=\"https://usnconeboxax1aos.cloud.onebox.dynamics.com/\" />";
        assert_eq!(text(&file), FILE.replace("realm=\"spn:1\" />", there));
        edit(&mut file, "wsFederation@reply", None).unwrap();
        assert_eq!(text(&file), FILE);
        let mut bare = config(
            "<configuration><system.identityModel.services><federationConfiguration><wsFederation/></federationConfiguration></system.identityModel.services></configuration>",
        );
        bare.set_issuer("https://x").unwrap();
        assert!(text(&bare).contains("<wsFederation issuer=\"https://x\"/>"));
    }

    #[test]
    fn a_named_configuration_is_not_the_one_that_counts() {
        let named = "<federationConfiguration name=\"other\"><wsFederation issuer=\"https://no\"/></federationConfiguration>";
        let file = config(
            &FILE.replace("  <federationConfiguration>", &format!("{named}<federationConfiguration>")),
        );
        assert!(file.issuer().is_some_and(|issuer| issuer.value.starts_with("https://login")));
    }

    #[test]
    fn other_keys_shapes_and_files_are_refused() {
        let mut file = config(FILE);
        let text = Value::Text("x".to_owned());
        for key in ["issuer", "wsFederation@", "wsFederation@color", "audienceUris"] {
            let refused = edit(&mut file, key, Some(&text));
            assert!(matches!(refused, Err(EditError::UnknownKey { .. })), "{key}: {refused:?}");
        }
        let list = Value::List(vec!["x".to_owned()]);
        let refused = edit(&mut file, "wsFederation@realm", Some(&list));
        assert!(matches!(refused, Err(EditError::WrongShape { .. })));
        let mut bare = config("<system.identityModel.services/>");
        assert!(matches!(bare.set_issuer("x"), Err(EditError::NoSection { .. })));
        let wrong = WifServicesConfig::parse("x", b"<system.identityModel/>".to_vec()).unwrap_err();
        assert_eq!(wrong.problem, Problem::WrongFile);
    }
}
