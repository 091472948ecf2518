//! What the strict pass takes and refuses, and where everything stands.

use super::*;
use crate::fault::Position;
use crate::grammar::escaped;
use crate::tree::{Attribute, Content};

const BUDGET: Budget = Budget { bytes: 1 << 22, depth: 64, elements: 100_000, attributes: usize::MAX };

fn text(source: &str) -> Text {
    Text::decode(source.as_bytes().to_vec(), BUDGET.bytes).unwrap()
}

fn with(source: &str, budget: &Budget, prefixes: Prefixes) -> Result<(), Wrong> {
    Tree::scan(&text(source), budget, prefixes).map(|_| ()).map_err(|fault| fault.wrong)
}

fn refused(source: &str) -> Fault {
    Tree::scan(&text(source), &BUDGET, Prefixes::AsWritten).expect_err(source)
}

/// Line and column of a refusal.
fn place(source: &str) -> (u32, u32) {
    let Position { line, column } = refused(source).at;
    (line, column)
}

/// A text `count` times, each with a number in it.
fn numbered(before: &str, after: &str, count: usize) -> String {
    (0..count).map(|number| format!("{before}{number}{after}")).collect::<Vec<_>>().concat()
}

#[test]
fn elements_and_attributes_come_with_their_spans() {
    let source = "<a>\n  <p:b c='1' d = \"&amp;2\"/>\n</a >";
    let text = text(source);
    let tree = Tree::scan(&text, &BUDGET, Prefixes::AsWritten).unwrap();
    let root = tree.root();
    let children: Vec<_> = root.children().collect();
    let [b] = children[..] else { panic!("one child") };
    assert_eq!((b.qualified_name(), b.prefix(), b.name()), ("p:b", "p", "b"));
    assert_eq!((b.value("c"), b.value("d"), b.value("e")), (Some("1"), Some("&2"), None));
    let d = b.attribute("d").unwrap();
    assert_eq!((&source[d.raw()], &source[d.name_span()], d.quote()), ("&amp;2", "d", '"'));
    assert_eq!(
        (d.position(), b.position()),
        (Position { line: 2, column: 19 }, Position { line: 2, column: 3 })
    );
    assert_eq!((&source[b.opening()], b.closing()), ("<p:b c='1' d = \"&amp;2\"/>", None));
    assert_eq!((&source[root.opening()], root.closing().map(|tag| &source[tag])), ("<a>", Some("</a >")));
    assert_eq!((root.span(), b.span()), (0..source.len(), b.opening()));
    assert_eq!((b.parent(), root.parent()), (Some(root), None));
    assert_eq!(root.subtree().count(), 2);
    assert!(root.descendants().eq([b]));
    assert!(root.is_complete() && b.is_complete());
}

#[test]
fn values_are_normalised_as_xml_says() {
    let text = text("<a b='x\r\ny\tz&#10;&#x41;&lt;&gt;&quot;&apos;'>x\r\ny\rz\t&#13;&lt;</a>");
    let tree = Tree::scan(&text, &BUDGET, Prefixes::AsWritten).unwrap();
    assert_eq!(tree.root().value("b"), Some("x y z\nA<>\"'"));
    assert_eq!(tree.root().text(), "x\ny\nz\t\r<");
}

#[test]
fn escaping_is_undone_by_reading() {
    let value = "a&<>\"'\t\r\n\u{200E}\u{1F600}]]>";
    for quote in ['"', '\''] {
        let text = text(&format!("<a b={quote}{}{quote}/>", escaped(value, quote)));
        let tree = Tree::scan(&text, &BUDGET, Prefixes::AsWritten).unwrap();
        assert_eq!(tree.root().value("b"), Some(value));
    }
}

#[test]
fn text_is_one_run_between_two_tags_whatever_it_is_written_with() {
    let source = "<a>x<!-- c -->&amp;<![CDATA[<y\r\n>]]><?p?>z<b>in</b><![CDATA[]]>&#65;<c/>\n</a>";
    let text = text(source);
    let tree = Tree::scan(&text, &BUDGET, Prefixes::AsWritten).unwrap();
    let content: Vec<_> = tree
        .root()
        .content()
        .map(|content| match content {
            Content::Element(node) => (node.name().to_owned(), &source[node.span()]),
            Content::Text(run) => (format!("{:?}", run.value), &source[run.span()]),
        })
        .collect();
    let expected = [
        ("\"x&<y\\n>z\"", "x<!-- c -->&amp;<![CDATA[<y\r\n>]]><?p?>z"),
        ("b", "<b>in</b>"),
        ("\"A\"", "&#65;"),
        ("c", "<c/>"),
        ("\"\\n\"", "\n"),
    ];
    assert!(content.iter().map(|(what, at)| (what.as_str(), *at)).eq(expected), "{content:?}");
    assert_eq!(tree.root().text(), "x&<y\n>zA\n");
    assert_eq!(tree.root().children().next().map(|b| b.text().into_owned()), Some("in".to_owned()));
}

#[test]
fn a_prefix_means_what_the_nearest_declaration_says() {
    let text = text(
        "<a xmlns='urn:d' xmlns:p='urn:1' p:t='p:v' xml:lang='en'>\
         <p:b xmlns:p='urn:2' p:t='x'/>\
         <p:c><d xmlns='' p:t='y'><e xmlns:p='urn:3'/><p:f/></d></p:c>\
         </a>",
    );
    let tree = Tree::scan(&text, &BUDGET, Prefixes::Declared).unwrap();
    let found: Vec<_> = tree.root().subtree().map(|node| (node.name(), node.namespace().unwrap())).collect();
    let expected = [("a", "urn:d"), ("b", "urn:2"), ("c", "urn:1"), ("d", ""), ("e", ""), ("f", "urn:1")];
    assert_eq!(found, expected);
    let root = tree.root();
    assert_eq!(root.attribute_in("urn:1", "t").map(Attribute::value), Some("p:v"));
    assert!(root.attribute_in("urn:d", "t").is_none() && root.attribute_in("", "t").is_none());
    assert_eq!(root.attribute("xml:lang").and_then(Attribute::namespace), Some(crate::namespaces::XML));
    assert_eq!(root.attribute("xmlns").and_then(Attribute::namespace), Some(crate::namespaces::XMLNS));
    assert_eq!(root.children_in("urn:1", "c").count(), 1);
    assert_eq!(root.children_in("urn:1", "b").count(), 0);
    // values: the default namespace counts, surrounding white space does not
    assert_eq!(root.resolve(" p:v\n"), Some(("urn:1", "v")));
    assert_eq!(root.resolve("v"), Some(("urn:d", "v")));
    assert_eq!(root.resolve("q:v"), None);
    let d = root.descend(&["c", "d"])[0];
    assert_eq!(
        (d.resolve("v"), d.children().next().unwrap().resolve("p:v")),
        (Some(("", "v")), Some(("urn:3", "v")))
    );
}

#[test]
fn where_prefixes_have_to_be_declared_everything_about_them_is_checked() {
    let declared = |source: &str| with(source, &BUDGET, Prefixes::Declared);
    for (source, wrong) in [
        ("<p:a/>", Wrong::UndeclaredPrefix { prefix: "p".to_owned() }),
        ("<a p:b=''/>", Wrong::UndeclaredPrefix { prefix: "p".to_owned() }),
        ("<a><b xmlns:p='u'/><p:c/></a>", Wrong::UndeclaredPrefix { prefix: "p".to_owned() }),
        ("<a xmlns:p=''/>", Wrong::PrefixToNothing { prefix: "p".to_owned() }),
        ("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", Wrong::DuplicateAttribute { name: "q:b".to_owned() }),
        ("<a:b:c xmlns:a='u'/>", Wrong::QualifiedName { name: "a:b:c".to_owned() }),
        ("<:a/>", Wrong::QualifiedName { name: ":a".to_owned() }),
        ("<a b:=''/>", Wrong::QualifiedName { name: "b:".to_owned() }),
        ("<a xmlns:='u'/>", Wrong::QualifiedName { name: "xmlns:".to_owned() }),
        ("<a xmlns:xml='u'/>", Wrong::ReservedNamespace { prefix: "xml".to_owned() }),
        ("<a xmlns:xmlns='u'/>", Wrong::ReservedNamespace { prefix: "xmlns".to_owned() }),
        ("<xmlns:a/>", Wrong::ReservedNamespace { prefix: "xmlns".to_owned() }),
        ("<a xmlns='http://www.w3.org/2000/xmlns/'/>", Wrong::ReservedNamespace { prefix: String::new() }),
    ] {
        assert_eq!(declared(source), Err(wrong), "{source}");
        assert_eq!(with(source, &BUDGET, Prefixes::AsWritten), Ok(()), "{source}");
    }
    for source in [
        "<p:a xmlns:p='u'><p:b/></p:a>",
        "<a p:b='' b='' xmlns:p='u' xmlns='u'/>",
        "<a xml:lang='' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='u'><b xmlns=''/></a>",
    ] {
        assert_eq!(declared(source), Ok(()), "{source}");
    }
}

#[test]
fn every_budget_holds_at_its_limit_and_not_one_beyond() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let wide = |count: usize| format!("<r>{}</r>", "<a/>".repeat(count - 1));
    let many = |count: usize| format!("<a{}/>", numbered(" a", "=''", count));
    let budget = Budget { bytes: 100, depth: 3, elements: 5, attributes: 7 };
    let scanned = |source: String| with(&source, &budget, Prefixes::AsWritten);
    assert_eq!(scanned(nested(3)), Ok(()));
    assert_eq!(scanned(nested(4)), Err(Wrong::TooDeep { limit: 3 }));
    assert_eq!(scanned("<a><a><a/></a></a>".to_owned()), Ok(()));
    assert_eq!(scanned("<a><a><a><a/></a></a></a>".to_owned()), Err(Wrong::TooDeep { limit: 3 }));
    assert_eq!(scanned(wide(5)), Ok(()));
    assert_eq!(scanned(wide(6)), Err(Wrong::TooManyElements { limit: 5 }));
    assert_eq!(scanned(many(7)), Ok(()));
    assert_eq!(scanned(many(8)), Err(Wrong::TooManyAttributes { limit: 7 }));
    for read in [Text::decode, Text::utf8] {
        assert!(read(vec![b' '; 100], budget.bytes).is_ok());
        let fault = read(vec![b' '; 101], budget.bytes).unwrap_err();
        assert_eq!(fault.wrong, Wrong::TooLarge { bytes: 101, limit: 100 });
    }
}

#[test]
fn a_fault_has_its_exact_place_and_the_markup_around_it() {
    let fault = refused("<a>\n<b c='1'\n  d='&x;'/></a>");
    assert_eq!((fault.at, fault.markup), (Position { line: 3, column: 6 }, 4..24));
    assert_eq!(fault.wrong, Wrong::Entity { name: "x".to_owned() });
    assert_eq!(fault.wrong.to_string(), "&x; is not an entity of XML");
    let fault = refused("<a>\n  <b>\n    <c>\n");
    assert_eq!((fault.at, fault.markup), (Position { line: 4, column: 1 }, 18..18));
    let missing = "</c></b></a>".to_owned();
    assert_eq!(fault.wrong, Wrong::LeftOpen { open: "c".to_owned(), line: 3, missing });
    assert_eq!(place("<a>\n<add key=\"A />\n</a>"), (2, 6));
    assert_eq!(place("<a>\n</A>"), (2, 1));
    assert_eq!(place("<a>x & y</a>"), (1, 6));
}

#[test]
fn what_was_read_before_a_fault_can_be_looked_at() {
    let text = text("<?xml version='1.0' encoding='utf-8'?><a>x<b/><c>y<d e='<'/></c></a>");
    let reading = Reading::of(&text, &BUDGET, Prefixes::AsWritten);
    assert!(matches!(reading.fault, Some(Fault { wrong: Wrong::AngleBracket { .. }, .. })));
    assert_eq!(reading.declaration, Some(Declaration { span: 0..38, encoding: Some("utf-8") }));
    let tree = reading.tree.unwrap();
    let seen: Vec<_> = tree.root().subtree().map(|node| (node.name(), node.is_complete())).collect();
    assert_eq!(seen, [("a", false), ("b", true), ("c", false)]);
    assert_eq!(tree.root().children().last().map(|c| c.text().into_owned()), Some("y".to_owned()));
    let text = Text::utf8(b"<?xml version='1.0' encoding='x'?>".to_vec(), 99).unwrap();
    let reading = Reading::of(&text, &BUDGET, Prefixes::AsWritten);
    assert!(reading.tree.is_none() && reading.declaration.is_some_and(|one| one.encoding == Some("x")));
}

#[test]
fn names_in_faults_are_cut() {
    assert!(refused(&format!("<{}>", "a".repeat(1_000_000))).to_string().len() < 300);
}

/// Each of these costs minutes if anything is done again for what was read before.
#[test]
fn hostile_texts_are_read_in_linear_time() {
    let none = Budget { bytes: 1 << 22, depth: 64, elements: usize::MAX, attributes: usize::MAX };
    let declared = |source: String| assert_eq!(with(&source, &none, Prefixes::Declared), Ok(()));
    declared(format!("<a{}/>", numbered(" a", "=''", 200_000)));
    // very many declarations and as many lookups
    declared(format!("<a{}>{}</a>", numbered(" xmlns:p", "='u'", 100_000), numbered("<p", ":b/>", 100_000)));
    declared(format!("<a>{}</a>", "<p:b xmlns:p='u' p:c=''/>".repeat(100_000)));
    // every level declares the prefix, is closed again, and the outermost declaration is wanted
    let deep = format!("{}{}", "<p:b xmlns:p='u'>".repeat(62), "</p:b>".repeat(62));
    declared(format!("<a xmlns:p='u'>{deep}{}</a>", "<p:c/>".repeat(400_000)));
    // text in very many pieces
    declared(format!("<a>{}</a>", "x<!---->&amp;<![CDATA[]]>".repeat(100_000)));
    declared(format!("<a b='{}'/>", "&amp;".repeat(500_000)));
    assert!(with(&format!("<a>{}", "<".repeat(1 << 21)), &none, Prefixes::Declared).is_err());
    assert!(with(&format!("<a b='{}'", "&".repeat(1 << 21)), &none, Prefixes::Declared).is_err());
    assert!(with(&format!("<a>{}", "<!--".repeat(1 << 19)), &none, Prefixes::Declared).is_err());
}
