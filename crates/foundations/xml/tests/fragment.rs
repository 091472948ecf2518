//! Texts with several outermost elements: pieces cut out of a document.

use mocktenant_xml::{Budget, Fault, Node, Position, Prefixes, Text, Tree, Wrong};

const BUDGET: Budget = Budget { bytes: 1 << 20, depth: 3, elements: 5, attributes: 9 };

fn text(source: &str) -> Text {
    Text::decode(source.as_bytes().to_vec(), BUDGET.bytes).expect(source)
}

fn refused(source: &str) -> Fault {
    Tree::scan_fragment(&text(source), &BUDGET).expect_err(source)
}

#[test]
fn several_roots_stand_in_one_made_up_element() {
    let source = "<?xml version='1.0'?>\n<!-- x -->\n<a b='1'>t</a>\n<p:c><d/></p:c >\n<e/>\n";
    let text = text(source);
    let tree = Tree::scan_fragment(&text, &BUDGET).unwrap();
    let root = tree.root();
    assert_eq!((root.qualified_name(), root.parent(), root.is_complete()), ("", None, true));
    assert_eq!((root.span(), root.opening()), (0..source.len(), 0..0));
    assert_eq!(root.closing(), Some(source.len()..source.len()));
    assert_eq!((root.attributes().count(), root.text().as_ref()), (0, ""));
    let spans: Vec<_> = root.children().map(|child| &source[child.span()]).collect();
    assert_eq!(spans, ["<a b='1'>t</a>", "<p:c><d/></p:c >", "<e/>"]);
    assert!(root.children().all(|child| child.parent() == Some(root)));
    let names: Vec<_> = root.descendants().map(|node| (node.name(), node.position().line)).collect();
    assert_eq!(names, [("a", 3), ("c", 4), ("d", 4), ("e", 5)]);
}

#[test]
fn one_root_is_a_fragment_too_and_several_are_still_no_document() {
    let one = text("<a><b/></a>");
    let tree = Tree::scan_fragment(&one, &BUDGET).unwrap();
    assert!(tree.root().descend(&["a", "b"]).len() == 1 && tree.root().children().count() == 1);
    let several = text("<a/>\n<b/>");
    let fault = Tree::scan(&several, &BUDGET, Prefixes::AsWritten).unwrap_err();
    assert_eq!((fault.wrong, fault.at), (Wrong::SecondRoot, Position { line: 2, column: 1 }));
}

#[test]
fn a_prefix_of_one_root_means_nothing_in_the_next() {
    let text = text("<p:a xmlns:p='u'><p:b/></p:a><p:a/>");
    let tree = Tree::scan_fragment(&text, &BUDGET).unwrap();
    let found: Vec<_> = tree.root().descendants().map(Node::namespace).collect();
    assert_eq!(found, [Some("u"), Some("u"), None]);
}

#[test]
fn what_else_stands_between_roots_is_refused_where_it_stands() {
    for (source, wrong, line, column) in [
        ("x<a/>", Wrong::TextBefore, 1, 1),
        ("<a/>\n x <b/>", Wrong::TextOutside, 2, 2),
        ("<a/>\n&#32;", Wrong::TextOutside, 2, 1),
        ("<a/>\n<?xml version='1.0'?><b/>", Wrong::DeclarationPlace, 2, 1),
        ("<a/>\n<!DOCTYPE a><b/>", Wrong::Doctype, 2, 1),
        ("<a/>\n</a>", Wrong::NotOpen { name: "a".to_owned() }, 2, 1),
        ("\n", Wrong::NoElement, 2, 1),
        ("", Wrong::NoElement, 1, 1),
        // the made-up element is no level and no element of the budget
        ("<a><a><a/></a></a>\n<a><a><a><a/></a></a></a>", Wrong::TooManyElements { limit: 5 }, 2, 7),
        ("<a/>\n<a><a><a><a/></a></a></a>", Wrong::TooDeep { limit: 3 }, 2, 10),
    ] {
        let fault = refused(source);
        assert_eq!((fault.wrong, fault.at), (wrong, Position { line, column }), "{source}");
    }
}
