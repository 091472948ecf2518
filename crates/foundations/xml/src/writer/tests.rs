//! Both forms, and what has none.

use std::collections::BTreeMap;

use super::*;
use crate::{Budget, Canonical, Content, Prefixes, Text, Tree};
use bergshamra_c14n::{C14nMode, canonicalize};
use proptest::prelude::*;

const MD: Namespace = Namespace::default_of("urn:md");
const FED: Namespace = Namespace::prefixed("fed", "urn:fed");
const XSI: Namespace = Namespace::prefixed("xsi", "urn:xsi");

fn both(root: Element) -> (String, String) {
    let document = Document::new(root).unwrap();
    let text = String::from_utf8(document.to_bytes(Spelling::Declared)).unwrap();
    let canonical = String::from_utf8(document.canonical_bytes()).unwrap();
    let independent = canonicalize::<&str>(&text, C14nMode::Exclusive, None, &[]).unwrap();
    assert_eq!(canonical, String::from_utf8(independent).unwrap(), "of {text}");
    let source = Text::utf8(text.clone().into_bytes(), 1 << 20).unwrap();
    let budget = Budget { bytes: 1 << 20, depth: MAX_DEPTH, elements: 1_000, attributes: 100 };
    let tree = Tree::scan(&source, &budget, Prefixes::Declared).unwrap();
    let read =
        tree.root().canonical_bytes(&Canonical { inclusive: &[], without: None, limit: 1 << 20 }).unwrap();
    assert_eq!(canonical, String::from_utf8(read).unwrap(), "read back from {text}");
    (text, canonical)
}

#[test]
fn a_prefix_used_only_in_a_value_stays_in_the_document_and_leaves_the_canonical_form() {
    let root = Element::new(MD, "Entity").child(
        Element::new(MD, "Role")
            .attribute_in(XSI, "type", "fed:Sts")
            .attribute("a", "1")
            .declare(XSI)
            .declare(FED)
            .child(Element::new(FED, "Offered"))
            .child(Element::new(FED, "Passive")),
    );
    let (text, canonical) = both(root);
    assert_eq!(
        text,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Entity xmlns=\"urn:md\"><Role xsi:type=\"fed:Sts\" a=\"1\" \
         xmlns:xsi=\"urn:xsi\" xmlns:fed=\"urn:fed\"><fed:Offered /><fed:Passive /></Role></Entity>"
    );
    assert_eq!(
        canonical,
        "<Entity xmlns=\"urn:md\"><Role xmlns:xsi=\"urn:xsi\" a=\"1\" xsi:type=\"fed:Sts\">\
         <fed:Offered xmlns:fed=\"urn:fed\"></fed:Offered><fed:Passive xmlns:fed=\"urn:fed\"></fed:Passive></Role></Entity>"
    );
}

#[test]
fn a_document_is_spelt_with_a_declaration_or_without() {
    let document = Document::new(Element::new(MD, "A").child(Element::new(MD, "B"))).unwrap();
    let spelt = |spelling| String::from_utf8(document.to_bytes(spelling)).unwrap();
    assert_eq!(
        spelt(Spelling::Declared),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><A xmlns=\"urn:md\"><B /></A>"
    );
    assert_eq!(spelt(Spelling::Bare), "<A xmlns=\"urn:md\"><B/></A>");
}

#[test]
fn a_prefix_declared_by_an_ancestor_that_does_not_use_it_is_declared_where_it_is_used() {
    let root = Element::new(MD, "A").declare(FED).child(
        Element::new(FED, "B").child(Element::new(FED, "C").child(Element::new(Namespace::NONE, "D"))),
    );
    let (_, canonical) = both(root);
    assert_eq!(
        canonical,
        "<A xmlns=\"urn:md\"><fed:B xmlns:fed=\"urn:fed\"><fed:C><D xmlns=\"\"></D></fed:C></fed:B></A>"
    );
}

#[test]
fn every_special_character_survives_in_both_forms() {
    let nasty = "a&b<c>d\"e'f\tg\nh\ri]]>\u{85}\u{2028}\u{1f600}";
    let (text, _) = both(Element::new(MD, "A").attribute("v", nasty).text(nasty));
    let tree = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(tree.root_element().text(), Some(nasty));
    assert_eq!(tree.root_element().attribute("v"), Some(nasty));
}

#[test]
fn a_tree_without_an_xml_form_is_refused() {
    let refused = |root: Element| Document::new(root).unwrap_err();
    assert!(matches!(
        refused(Element::new(MD, "A").text("\u{0}")),
        Unwritable::Character { character: 0, .. }
    ));
    assert!(matches!(
        refused(Element::new(MD, "A").attribute("v", "\u{ffff}")),
        Unwritable::Character { .. }
    ));
    assert!(matches!(refused(Element::new(MD, "A b")), Unwritable::Name { .. }));
    assert!(matches!(refused(Element::new(MD, "A").attribute("xmlns", "x")), Unwritable::Name { .. }));
    assert!(matches!(refused(Element::new(MD, "A").attribute_in(MD, "v", "x")), Unwritable::Name { .. }));
    assert!(matches!(
        refused(Element::new(MD, "A").attribute("v", "1").attribute("v", "2")),
        Unwritable::Attribute { attribute, .. } if attribute == "v"
    ));
    let other = Namespace::prefixed("fed", "urn:other");
    assert!(matches!(
        refused(Element::new(FED, "A").declare(other)),
        Unwritable::Prefix { prefix, .. } if prefix == "fed"
    ));
    let nested =
        |levels| (1..levels).fold(Element::new(MD, "A"), |inner, _| Element::new(MD, "A").child(inner));
    assert_eq!(refused(nested(MAX_DEPTH + 1)), Unwritable::Depth);
    assert!(Document::new(nested(MAX_DEPTH)).is_ok());
}

fn namespace() -> impl Strategy<Value = Namespace> {
    prop::sample::select(vec![
        Namespace::NONE,
        Namespace::default_of("urn:a"),
        Namespace::default_of("urn:b"),
        Namespace::prefixed("p", "urn:a"),
        Namespace::prefixed("p", "urn:b"),
        Namespace::prefixed("q", "urn:a"),
        Namespace::prefixed("q", "urn:c"),
    ])
}

fn text() -> impl Strategy<Value = String> {
    "[a-c&<>\"' \t\n\r\u{e9}\u{1f600}]{0,6}"
}

fn element() -> impl Strategy<Value = Element> {
    let attributes =
        || prop::collection::vec((namespace(), prop::sample::select(vec!["x", "y", "z"]), text()), 0..4);
    let shell = move || {
        (namespace(), prop::collection::vec(namespace(), 0..3), attributes()).prop_map(
            |(own, declared, attributes)| {
                let mut element = Element::new(own, "e");
                // declarations and attributes that would be refused are left out, so that most trees can be written
                for namespace in declared {
                    let candidate = element.clone().declare(namespace);
                    if check(&candidate, 1).is_ok() {
                        element = candidate;
                    }
                }
                for (namespace, local, value) in attributes {
                    let candidate = element.clone().attribute_in(namespace, local, value);
                    if check(&candidate, 1).is_ok() {
                        element = candidate;
                    }
                }
                element
            },
        )
    };
    shell().prop_recursive(4, 24, 4, move |inner| {
        (shell(), prop::collection::vec(prop_oneof![inner.prop_map(Ok), text().prop_map(Err)], 0..4))
            .prop_map(|(element, children)| {
                children.into_iter().fold(element, |element, child| match child {
                    Ok(child) => element.child(child),
                    Err(text) => element.text(text),
                })
            })
    })
}

/// A tree without what its written form cannot keep: prefixes, the order of attributes, where one text became two.
#[derive(Debug, PartialEq)]
struct Plain {
    name: (String, String),
    attributes: BTreeMap<(String, String), String>,
    content: Vec<Result<Self, String>>,
}

impl Plain {
    fn push_text(content: &mut Vec<Result<Self, String>>, text: &str) {
        match content.last_mut() {
            _ if text.is_empty() => {}
            Some(Err(before)) => before.push_str(text),
            _ => content.push(Err(text.to_owned())),
        }
    }

    fn written(element: &Element) -> Self {
        let name = |namespace: &Namespace, local: &str| (namespace.uri().to_owned(), local.to_owned());
        let attributes = element.attributes.iter();
        let attributes =
            attributes.map(|one| (name(&one.namespace, &one.local), one.value.clone())).collect();
        let mut content = Vec::new();
        for child in &element.children {
            match child {
                Node::Element(child) => content.push(Ok(Self::written(child))),
                Node::Text(text) => Self::push_text(&mut content, text),
            }
        }
        Self { name: name(&element.namespace, &element.local), attributes, content }
    }

    fn read(node: crate::Node<'_>) -> Self {
        let name = |namespace: Option<&str>, local: &str| (namespace.unwrap().to_owned(), local.to_owned());
        let attributes = node.attributes().filter(|one| one.namespace() != Some(XMLNS));
        let attributes =
            attributes.map(|one| (name(one.namespace(), one.name()), one.value().to_owned())).collect();
        let mut content = Vec::new();
        for child in node.content() {
            match child {
                Content::Element(child) => content.push(Ok(Self::read(child))),
                Content::Text(run) => Self::push_text(&mut content, run.value),
            }
        }
        Self { name: name(node.namespace(), node.name()), attributes, content }
    }
}

#[test]
fn names_can_be_made_at_run_time() {
    let prefix = format!("p{}", 1);
    let made = Namespace::made(prefix.clone(), "urn:made");
    let root =
        Element::new(&made, format!("a{prefix}")).attribute_in(&made, "b".to_owned(), "1").declare(&FED);
    let (text, _) = both(root);
    assert!(text.ends_with("<p1:ap1 p1:b=\"1\" xmlns:fed=\"urn:fed\" xmlns:p1=\"urn:made\" />"), "{text}");
}

proptest! {
    #[test]
    fn what_is_written_is_scanned_back(root in element()) {
        let wanted = Plain::written(&root);
        let document = Document::new(root).unwrap();
        let budget = Budget { bytes: 1 << 20, depth: MAX_DEPTH, elements: 1_000, attributes: 100 };
        for bytes in [
            document.to_bytes(Spelling::Declared),
            document.to_bytes(Spelling::Bare),
            document.canonical_bytes(),
        ] {
            let text = Text::decode(bytes, budget.bytes).unwrap();
            let tree = Tree::scan(&text, &budget, Prefixes::Declared).unwrap();
            prop_assert_eq!(&Plain::read(tree.root()), &wanted, "{}", text.as_str());
        }
    }

    #[test]
    fn the_canonical_form_of_any_tree_equals_an_independent_canonicalisation(root in element()) {
        both(root);
    }
}
