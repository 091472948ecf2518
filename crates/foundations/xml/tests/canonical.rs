//! The canonical form of what was read, beside an independent canonicalisation.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use std::fmt::Write as _;

use bergshamra_c14n::{C14nMode, canonicalize};
use mocktenant_xml::{Attribute, Budget, Canonical, Node, Prefixes, Reading, Text, Tree, Uncanonical};
use proptest::prelude::*;

const BUDGET: Budget = Budget { bytes: 1 << 20, depth: 64, elements: 10_000, attributes: 64 };
const PLAIN: Canonical<'_> = Canonical { inclusive: &[], without: None, limit: 1 << 20 };

fn scanned(source: &str) -> Text {
    Text::utf8(source.as_bytes().to_vec(), BUDGET.bytes).unwrap()
}

fn form(source: &str, form: &Canonical<'_>) -> Result<String, Uncanonical> {
    let text = scanned(source);
    let tree = Tree::scan(&text, &BUDGET, Prefixes::Declared).unwrap();
    tree.root().canonical_bytes(form).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn independent(source: &str, inclusive: &[&str]) -> String {
    // It knows the default namespace by its empty prefix.
    let inclusive: Vec<_> = inclusive.iter().map(|one| if *one == "#default" { "" } else { one }).collect();
    String::from_utf8(canonicalize(source, C14nMode::Exclusive, None, &inclusive).unwrap()).unwrap()
}

#[test]
fn comments_go_and_sections_references_quotes_and_line_ends_become_plain() {
    let source = "<?xml version='1.0'?><!-- a --><?outside?>\r\n<a  b = 'x\"&#9;\n&#xD;&lt;>' ><!-- b -->1<![CDATA[<&]]>\r\n\
                  2<!-- 3 -->&gt;&#13;<c/>\r</a >\n<!-- c -->";
    let wanted = "<a b=\"x&quot;&#x9; &#xD;&lt;>\">1&lt;&amp;\n2&gt;&#xD;<c></c>\n</a>";
    assert_eq!(form(source, &PLAIN).unwrap(), wanted);
}

#[test]
fn attributes_stand_by_namespace_then_name_and_declarations_by_prefix() {
    let source = "<z:e xmlns:z='urn:3' xmlns:y='urn:1' xmlns:x='urn:2' xmlns='urn:0' x:a='' y:b='' c='' xml:lang='' b=''/>";
    let wanted = "<z:e xmlns:x=\"urn:2\" xmlns:y=\"urn:1\" xmlns:z=\"urn:3\" b=\"\" c=\"\" xml:lang=\"\" y:b=\"\" x:a=\"\"></z:e>";
    assert_eq!(form(source, &PLAIN).unwrap(), wanted);
    assert_eq!(independent(source, &[]), wanted);
}

#[test]
fn a_listed_prefix_is_declared_where_it_is_in_scope_and_others_where_a_name_uses_them() {
    let source =
        "<a xmlns='urn:d' xmlns:p='urn:1' xmlns:q='urn:2'><p:b xmlns:q='urn:3' t='q:x'/><c xmlns=''/></a>";
    for (inclusive, wanted) in [
        (&[][..], "<a xmlns=\"urn:d\"><p:b xmlns:p=\"urn:1\" t=\"q:x\"></p:b><c xmlns=\"\"></c></a>"),
        (
            &["q", "unknown"],
            "<a xmlns=\"urn:d\" xmlns:q=\"urn:2\"><p:b xmlns:p=\"urn:1\" xmlns:q=\"urn:3\" t=\"q:x\"></p:b><c xmlns=\"\"></c></a>",
        ),
    ] {
        assert_eq!(form(source, &Canonical { inclusive, ..PLAIN }).unwrap(), wanted);
        assert_eq!(independent(source, inclusive), wanted);
    }
    let text = scanned(source);
    let tree = Tree::scan(&text, &BUDGET, Prefixes::Declared).unwrap();
    let inner = tree.root().children().next().unwrap();
    // What is around an element is declared in it when it comes first.
    let listed = inner.canonical_bytes(&Canonical { inclusive: &["#default", "q"], ..PLAIN }).unwrap();
    let wanted = "<p:b xmlns=\"urn:d\" xmlns:p=\"urn:1\" xmlns:q=\"urn:3\" t=\"q:x\"></p:b>";
    assert_eq!(String::from_utf8(listed).unwrap(), wanted);
    let prefixed = "<p:a xmlns='urn:d' xmlns:p='urn:1'><p:b xmlns=''/></p:a>";
    let wanted = "<p:a xmlns=\"urn:d\" xmlns:p=\"urn:1\"><p:b xmlns=\"\"></p:b></p:a>";
    assert_eq!(form(prefixed, &Canonical { inclusive: &["#default"], ..PLAIN }).unwrap(), wanted);
}

#[test]
fn what_has_no_canonical_form_says_why() {
    assert_eq!(form("<a><b><?pi x?></b></a>", &PLAIN), Err(Uncanonical::Instruction));
    assert!(form("<?pi x?><a/><?pi x?>", &PLAIN).is_ok());
    let text = scanned("<a><b><?pi x?></b>1</a>");
    let tree = Tree::scan(&text, &BUDGET, Prefixes::Declared).unwrap();
    let without = tree.root().children().next();
    assert_eq!(tree.root().canonical_bytes(&Canonical { without, ..PLAIN }).unwrap(), b"<a>1</a>");

    let text = scanned("<a><b/>");
    let reading = Reading::of(&text, &BUDGET, Prefixes::Declared);
    let tree = reading.tree.unwrap();
    assert_eq!(tree.root().canonical_bytes(&PLAIN), Err(Uncanonical::Incomplete));
    assert!(tree.root().children().next().unwrap().canonical_bytes(&PLAIN).is_ok());
    let text = scanned("<a/>");
    let tree = Tree::scan(&text, &BUDGET, Prefixes::AsWritten).unwrap();
    assert_eq!(tree.root().canonical_bytes(&PLAIN), Err(Uncanonical::AsWritten));

    assert_eq!(form("<a/>", &Canonical { limit: 6, ..PLAIN }), Err(Uncanonical::TooLarge { limit: 6 }));
    assert!(form("<a/>", &Canonical { limit: 7, ..PLAIN }).is_ok());
}

#[test]
fn a_long_namespace_that_many_elements_use_is_written_no_further_than_the_limit() {
    let source = format!("<a xmlns:p='urn:{}'>{}</a>", "x".repeat(300_000), "<p:b/>".repeat(9_000));
    let limit = 1 << 22;
    assert_eq!(form(&source, &Canonical { limit, ..PLAIN }), Err(Uncanonical::TooLarge { limit }));
}

/// An element as people write them: any quotes, spaces, references, sections and comments, prefixes declared anew.
fn element() -> impl Strategy<Value = String> {
    let prefix = || prop::sample::select(vec!["", "p:", "q:"]);
    let declaration = prop::sample::select(vec![
        " xmlns='urn:a'",
        " xmlns=\"\"",
        " xmlns=\"urn:b\"",
        "\n xmlns:p='urn:a'",
        " xmlns:p = 'urn:b&amp;'",
        " xmlns:q='urn:a'",
        " xmlns:q=\"urn:c\"",
    ]);
    // No bare tabs and line ends: the other crate leaves those of a value as they are, against section 3.3.3 of XML 1.0.
    let value = "([a-c ]|&#9;|&#10;|&#xD;|&amp;|&lt;|&quot;|>|\u{e9}|\u{1f600}){0,4}";
    let attribute = (prop::sample::select(vec!["", "p:", "q:", "xml:"]), value);
    let tag = (prefix(), "[ef]", prop::option::of(declaration), prop::collection::vec(attribute, 0..4));
    let tag = tag.prop_map(|(prefix, name, declaration, attributes)| {
        let mut opening = format!("<{prefix}{name}{}", declaration.unwrap_or_default());
        for (at, (prefix, value)) in attributes.iter().enumerate() {
            // Backwards, so that order is not by chance the canonical one.
            write!(opening, " {prefix}a{}='{value}'", 9 - at).unwrap();
        }
        (opening, format!("</{prefix}{name}>"))
    });
    let text = "([a-c ]|&#13;|&amp;|&gt;|'|\"|\n|<!-- c -->|<!\\[CDATA\\[<&\\]\\]>|\u{e9}){0,4}";
    let leaf = tag.clone().prop_map(|(opening, _)| format!("{opening} />"));
    leaf.prop_recursive(4, 24, 4, move |inner| {
        (tag.clone(), prop::collection::vec(prop_oneof![inner, text.prop_map(String::from)], 0..4))
            .prop_map(|((opening, closing), content)| format!("{opening}>{}{closing}", content.concat()))
    })
}

fn document() -> impl Strategy<Value = String> {
    (element(), prop::sample::select(vec![" xmlns='urn:z'", ""]))
        .prop_map(|(element, default)| format!("<r{default} xmlns:p='urn:p' xmlns:q='urn:q'>{element}</r>"))
}

fn list() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(vec!["p", "q", "#default", "s"], 0..4)
}

/// The text of an element as a document of its own: what is declared around it is declared in it.
fn alone(node: Node<'_>) -> String {
    let source = node.tree().source().as_str();
    let mut opening = format!("<{}", node.qualified_name());
    for attribute in node.attributes() {
        let (name, value, q) = (attribute.qualified_name(), &source[attribute.raw()], attribute.quote());
        write!(opening, " {name}={q}{value}{q}").unwrap();
    }
    let mut seen: Vec<_> = node.attributes().map(Attribute::qualified_name).collect();
    for attribute in std::iter::successors(node.parent(), |node| node.parent()).flat_map(Node::attributes) {
        let name = attribute.qualified_name();
        if (name == "xmlns" || name.starts_with("xmlns:")) && !seen.contains(&name) {
            let (value, q) = (&source[attribute.raw()], attribute.quote());
            write!(opening, " {name}={q}{value}{q}").unwrap();
            seen.push(name);
        }
    }
    match node.closing() {
        Some(closing) => format!("{opening}>{}", &source[node.opening().end..closing.end]),
        None => opening + "/>",
    }
}

proptest! {
    #[test]
    fn the_canonical_form_of_any_text_equals_an_independent_canonicalisation(source in document(), inclusive in list()) {
        let ours = form(&source, &Canonical { inclusive: &inclusive, ..PLAIN }).unwrap();
        prop_assert_eq!(ours, independent(&source, &inclusive), "{} {:?}", source, inclusive);
    }

    #[test]
    fn so_does_that_of_any_element_in_it(source in document(), inclusive in list(), which in any::<prop::sample::Index>()) {
        let text = scanned(&source);
        let tree = Tree::scan(&text, &BUDGET, Prefixes::Declared).unwrap();
        let nodes: Vec<_> = tree.root().subtree().collect();
        let node = nodes[which.index(nodes.len())];
        let ours = node.canonical_bytes(&Canonical { inclusive: &inclusive, ..PLAIN }).unwrap();
        let alone = alone(node);
        prop_assert_eq!(String::from_utf8(ours).unwrap(), independent(&alone, &inclusive), "{} of {}", alone, source);
    }

    #[test]
    fn an_element_left_out_leaves_what_the_text_without_it_has(source in document(), which in any::<prop::sample::Index>()) {
        let text = scanned(&source);
        let tree = Tree::scan(&text, &BUDGET, Prefixes::Declared).unwrap();
        let nodes: Vec<_> = tree.root().descendants().collect();
        let left_out = nodes[which.index(nodes.len())];
        let ours = tree.root().canonical_bytes(&Canonical { without: Some(left_out), ..PLAIN }).unwrap();
        let mut without = source.clone();
        without.replace_range(left_out.span(), "");
        prop_assert_eq!(String::from_utf8(ours).unwrap(), independent(&without, &[]), "{}", source);
    }

    #[test]
    fn the_canonical_form_of_a_canonical_form_is_itself(source in document()) {
        let once = form(&source, &PLAIN).unwrap();
        prop_assert_eq!(form(&once, &PLAIN).unwrap(), once);
    }
}
