//! `web.config`: the `appSettings` an AOS reads at start.
//!
//! Decides which keys a web.config holds and which value counts, as ASP.NET does it: keys compare without regard to
//! letter case (`AppSettings` is a `NameValueCollection` with an invariant, case-insensitive comparer; only ASCII
//! letters are folded here), the last of several equal keys wins, `<clear/>` and `<remove key=""/>` undo what stands
//! before them. `appSettings` counts wherever it sits under `configuration`. It never follows `file` or `configSource`
//! to another file and never judges a value: `Aad.Realm` with a typing error is a fine web.config.

use mocktenant_xml::{Edit, Node, Splice, Text, Tree, clip, layout};

use crate::artefact::{ConfigFile, Entry, Kind, Located, Value, edit, parse, scan};
use crate::collection::additions;
use crate::encrypted;
use crate::error::{EditError, Fault, ParseError, Problem};
use crate::pair::{Pair, last_of_each, removals};

const PAIR: Pair = Pair { key: "key", value: "value" };

/// A web.config as found.
#[derive(Debug, Clone)]
pub struct WebConfig {
    name: String,
    text: Text,
    entries: Vec<Entry>,
}

impl WebConfig {
    /// Reads a web.config. `name` is what messages call it, usually `web.config`.
    ///
    /// Refuses what [`ParseError`] lists; a file without `appSettings` is fine and has no keys.
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

    /// The value of a key, in any letter case, with the place of the one that counts. An `<add/>` without `value` has
    /// the empty value.
    pub fn get(&self, key: &str) -> Option<Located<&str>> {
        let entry = self.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))?;
        Some(Located {
            value: &entry.value,
            line: entry.line,
            column: entry.column,
            span: entry.span.clone(),
            first: entry.first,
        })
    }

    /// The keys as written, each once, in the order of the values that count.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// Gives a key a value. Where the key exists, only the value that counts changes; else a new `<add/>` goes before
    /// `</appSettings>`, written like its neighbours. Returns the changed places, none when the value is there already.
    pub fn set(&mut self, key: &str, value: &str) -> Result<Vec<Splice>, EditError> {
        edit(self, key, Some(&Value::Text(value.to_owned())))
    }

    /// Removes every `<add/>` of a key, with its line if it stands alone on it. Returns the changed places, none when
    /// the key is absent.
    pub fn remove(&mut self, key: &str) -> Result<Vec<Splice>, EditError> {
        edit(self, key, None)
    }
}

impl ConfigFile for WebConfig {
    const KIND: Kind = Kind::WebConfig;

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
        let Located { value, line, column, span, first } = self.get(key)?;
        Some(Located { value: Value::Text(value.to_owned()), line, column, span, first })
    }

    fn same_key(one: &str, other: &str) -> bool {
        one.eq_ignore_ascii_case(other)
    }

    fn plan(&self, tree: &Tree<'_>, key: &str, value: Option<&Value>) -> Result<Vec<Edit>, EditError> {
        if key.is_empty() {
            return Err(EditError::EmptyKey { file: self.name.clone() });
        }
        let sections = sections(tree);
        let adds = additions(&sections, "key");
        let mut same = adds
            .iter()
            .copied()
            .filter(|add| add.value("key").is_some_and(|written| Self::same_key(written, key)));
        match value {
            None => Ok(removals(same)),
            Some(Value::List(_)) => Err(EditError::WrongShape {
                file: self.name.clone(),
                key: key.to_owned(),
                expected: "one text",
            }),
            Some(Value::Text(value)) => match same.next_back() {
                Some(add) => Ok(PAIR.replace(add, value).into_iter().collect()),
                None => self.plan_insertion(tree, &sections, key, value),
            },
        }
    }
}

impl WebConfig {
    fn plan_insertion(
        &self,
        tree: &Tree<'_>,
        sections: &[Node<'_>],
        key: &str,
        value: &str,
    ) -> Result<Vec<Edit>, EditError> {
        let own = tree.root().descend(&["appSettings"]);
        let Some(&section) = own.last().or_else(|| sections.last()) else {
            return Err(EditError::NoSection {
                file: self.name.clone(),
                key: key.to_owned(),
                path: "configuration/appSettings",
            });
        };
        let neighbour = section.children().filter(|child| child.name() == "add").last();
        let new = layout::element("add", neighbour, &[("key", key), ("value", value)]);
        Ok(vec![layout::insert_last(section, neighbour, &[new])])
    }
}

/// The entries of a web.config, or why it is none.
fn read(tree: &Tree<'_>) -> Result<Vec<Entry>, Fault> {
    let root = tree.root();
    if root.name() != "configuration" {
        return Err(Fault::new(
            tree.source().position(0),
            Problem::WrongFile,
            format!("the file begins with <{}>", clip(root.name())),
            "a web.config begins with <configuration>; check the file",
        ));
    }
    encrypted::refuse([root])?;
    encrypted::refuse(root.descend(&["EncryptedData"]))?;
    let sections = sections(tree);
    let mut refused = 0;
    for section in &sections {
        // What is inside a section that was looked through needs no second look.
        if section.span().start >= refused {
            encrypted::refuse(section.subtree())?;
            refused = section.span().end;
        }
        if let Some(source) = section.attribute("configSource") {
            return Err(Fault::new(
                source.position(),
                Problem::Elsewhere,
                "the section <appSettings> is kept in another file",
                "put the content of that file here and delete configSource",
            ));
        }
    }
    Ok(entries(&sections))
}

/// Every `appSettings` under the root, in document order.
fn sections<'d>(tree: &'d Tree<'_>) -> Vec<Node<'d>> {
    tree.root().subtree().filter(|element| element.name() == "appSettings").collect()
}

/// One entry per key: the last one, with the place of the first.
fn entries(sections: &[Node<'_>]) -> Vec<Entry> {
    let adds = additions(sections, PAIR.key).into_iter();
    let entry = |add: Node<'_>| PAIR.entry(add, add.value(PAIR.key)?.to_owned());
    last_of_each(adds.filter_map(entry), str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(source: &str) -> WebConfig {
        WebConfig::parse("web.config", source.as_bytes().to_vec()).unwrap()
    }

    fn source(file: &WebConfig) -> &str {
        std::str::from_utf8(file.bytes()).unwrap()
    }

    const PLAIN: &str = "<configuration>\r\n  <appSettings>\r\n    <add key=\"Aad.Realm\" value=\"spn:1\" /> <!-- own -->\r\n    <add key='B' value='2'/>\r\n  </appSettings>\r\n</configuration>\r\n";

    #[test]
    fn a_value_is_found_in_any_letter_case_with_its_place() {
        let file = config(PLAIN);
        let realm = file.get("aad.realm").unwrap();
        assert_eq!((realm.value, realm.line, realm.column), ("spn:1", 3, 33));
        assert_eq!(&PLAIN[realm.span], "spn:1");
        assert_eq!(file.keys().collect::<Vec<_>>(), ["Aad.Realm", "B"]);
        assert!(file.get("C").is_none());
    }

    #[test]
    fn setting_a_value_changes_its_span_alone() {
        let mut file = config(PLAIN);
        let splices = file.set("AAD.REALM", "a\"<&>'b").unwrap();
        assert_eq!(source(&file), PLAIN.replace("spn:1", "a&quot;&lt;&amp;&gt;'b"));
        assert_eq!(splices.len(), 1);
        file.set("B", "it's \"2\"").unwrap();
        assert!(source(&file).contains("value='it&apos;s \"2\"'/>"));
        assert_eq!(file.set("B", "it's \"2\"").unwrap(), []);
    }

    #[test]
    fn a_new_key_is_written_like_its_neighbour() {
        let mut file = config(PLAIN);
        file.set("C", "3").unwrap();
        assert_eq!(source(&file), PLAIN.replace("  </app", "    <add key='C' value='3'/>\r\n  </app"));
    }

    #[test]
    fn a_new_key_finds_a_place_in_any_layout() {
        for (before, after) in [
            ("<appSettings/>", "<appSettings><add key=\"C\" value=\"3\" /></appSettings>"),
            ("<appSettings></appSettings>", "<appSettings><add key=\"C\" value=\"3\" /></appSettings>"),
            (
                "\n  <appSettings />\n",
                "\n  <appSettings>\n    <add key=\"C\" value=\"3\" />\n  </appSettings>\n",
            ),
            (
                "\r\t<appSettings>\r\t</appSettings>\r",
                "\r\t<appSettings>\r\t  <add key=\"C\" value=\"3\" />\r\t</appSettings>\r",
            ),
            (
                "\n<appSettings>\n\t<add key=\"A\"\n\tvalue=\"1\"/>\n<!-- x --></appSettings>",
                "\n<appSettings>\n\t<add key=\"A\"\n\tvalue=\"1\"/>\n<!-- x --><add key=\"C\" value=\"3\"/></appSettings>",
            ),
        ] {
            let wrap = |inner: &str| format!("<configuration>{inner}</configuration>");
            let mut file = config(&wrap(before));
            file.set("C", "3").unwrap();
            assert_eq!(source(&file), wrap(after));
        }
    }

    #[test]
    fn removing_a_key_takes_its_line_only_when_nothing_else_stands_there() {
        let mut file = config(PLAIN);
        file.remove("b").unwrap();
        assert_eq!(source(&file), PLAIN.replace("    <add key='B' value='2'/>\r\n", ""));
        file.remove("Aad.Realm").unwrap();
        assert!(source(&file).contains("\r\n     <!-- own -->\r\n"));
        assert_eq!(file.remove("Aad.Realm").unwrap(), []);
    }

    #[test]
    fn the_last_of_equal_keys_counts_and_the_first_is_reported() {
        let mut file = config(
            "<configuration><appSettings>\n<add key=\"A\" value=\"1\"/>\n<add key=\"B\" value=\"2\"/>\n<add key=\"a\" value=\"3\"/>\n</appSettings></configuration>",
        );
        let found = file.get("A").unwrap();
        assert_eq!((found.value, found.line, found.first.map(|at| at.line)), ("3", 4, Some(2)));
        assert_eq!(file.get("B").unwrap().first, None);
        file.set("A", "4").unwrap();
        assert!(source(&file).contains("<add key=\"A\" value=\"1\"/>"));
        assert_eq!(file.get("A").unwrap().value, "4");
        assert_eq!(file.remove("A").unwrap().len(), 2);
        assert_eq!(file.keys().collect::<Vec<_>>(), ["B"]);
    }

    #[test]
    fn clear_and_remove_elements_undo_what_stands_before_them() {
        let file = config(
            "<configuration><appSettings><add key='A' value='1'/><clear/><add key='B' value='2'/><add key='C' value='3'/><remove key='b'/></appSettings></configuration>",
        );
        assert_eq!(file.keys().collect::<Vec<_>>(), ["C"]);
    }

    #[test]
    fn settings_count_wherever_their_section_sits_under_the_root() {
        let file = config(
            "<configuration><location path='.'><appSettings><add key='A' value='1'/></appSettings></location></configuration>",
        );
        assert_eq!(file.get("A").unwrap().value, "1");
    }

    #[test]
    fn a_key_without_value_has_the_empty_one_and_can_be_given_one() {
        let mut file = config("<configuration><appSettings><add key='A' /></appSettings></configuration>");
        assert_eq!(file.get("A").unwrap().value, "");
        file.set("A", "1").unwrap();
        assert!(source(&file).contains("<add key='A' value=\"1\" />"));
    }

    #[test]
    fn commented_settings_do_not_count() {
        let file = config(
            "<configuration><appSettings><!-- <add key='A' value='1'/> --></appSettings></configuration>",
        );
        assert!(file.get("A").is_none());
    }

    #[test]
    fn an_encrypted_section_is_refused_with_the_tools_name_and_without_content() {
        for source in [
            "<configuration>\n<appSettings configProtectionProvider='X'><EncryptedData>5ecre7</EncryptedData></appSettings></configuration>",
            "<configuration>\n<appSettings><EncryptedData>5ecre7</EncryptedData></appSettings></configuration>",
            "<configuration>\n<EncryptedData>5ecre7</EncryptedData></configuration>",
        ] {
            let error = WebConfig::parse("web.config", source.as_bytes().to_vec()).unwrap_err();
            assert_eq!((error.problem, error.line), (Problem::Encrypted, 2));
            assert!(error.hint.contains("ConfigEncryptor") && !error.to_string().contains("5ecre7"));
        }
        config(
            "<configuration><connectionStrings configProtectionProvider='X'><EncryptedData/></connectionStrings></configuration>",
        );
    }

    #[test]
    fn edits_that_cannot_be_are_refused_and_change_nothing() {
        let mut file = config("<configuration/>");
        assert!(matches!(file.set("A", "1"), Err(EditError::NoSection { .. })));
        let mut file = config(PLAIN);
        assert!(matches!(file.set("A", "\u{0}"), Err(EditError::ForbiddenCharacter { code: 0, .. })));
        assert!(matches!(file.set("", "1"), Err(EditError::EmptyKey { .. })));
        let too_long = "x".repeat(crate::MAX_BYTES);
        assert!(matches!(file.set("A", &too_long), Err(EditError::Unverified { .. })));
        assert_eq!(source(&file), PLAIN);
    }

    #[test]
    fn a_key_in_sections_in_one_another_is_removed_everywhere() {
        for inner in [
            "<appSettings><add key='A'/></appSettings><add key='A'/>",
            "<add key='A'><appSettings><add key='A'/></appSettings></add>",
        ] {
            let source = format!("<configuration><appSettings>{inner}</appSettings></configuration>");
            let mut file = config(&source);
            file.remove("A").unwrap();
            assert!(file.get("A").is_none() && file.text.as_str().contains("appSettings></configuration>"));
        }
    }

    /// Each removal looks at the white space around it and not at the whole line.
    #[test]
    fn a_key_that_stands_very_often_on_one_long_line_is_removed_in_linear_time() {
        let source =
            |adds: String| format!("<configuration><appSettings>{adds}</appSettings></configuration>");
        let mut file = config(&source("<add key='A' value=''/>".repeat(90_000)));
        assert_eq!(file.remove("A").unwrap().len(), 90_000);
        assert_eq!(super::tests::source(&file), source(String::new()));
    }

    #[test]
    fn another_file_is_refused_by_its_root() {
        let error = WebConfig::parse("web.config", b"<system.identityModel/>".to_vec()).unwrap_err();
        assert_eq!(error.problem, Problem::WrongFile);
        let error = WebConfig::parse(
            "web.config",
            b"<configuration><appSettings configSource='app.config'/></configuration>".to_vec(),
        );
        assert_eq!(error.unwrap_err().problem, Problem::Elsewhere);
    }
}
