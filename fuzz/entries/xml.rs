//! What the XML room has to keep: bytes as found, spans that nest inside the text, values that agree with what stands there,
//! and an edit that changes its place alone.

use mocktenant_xml::{Budget, Content, Edit, Fault, Node, Prefixes, Reading, Text, Tree, Wrong, layout};

const BUDGET: Budget = Budget { bytes: 1 << 20, depth: 64, elements: 10_000, attributes: 1_000 };

type Decode = fn(Vec<u8>, usize) -> Result<Text, Fault>;

/// Reads the bytes as XML, with and without namespaces, and edits what is XML.
pub(crate) fn xml(data: &[u8]) {
    for decode in [Text::decode as Decode, Text::utf8] {
        let Ok(text) = decode(data.to_vec(), BUDGET.bytes) else { continue };
        assert_eq!(text.bytes(), data, "a text is kept as found");
        assert_eq!(text.spliced(&[]).0, data);
        for prefixes in [Prefixes::AsWritten, Prefixes::Declared] {
            let reading = Reading::of(&text, &BUDGET, prefixes);
            if let Some(fault) = &reading.fault {
                assert!(text.as_str().get(fault.markup.clone()).is_some(), "{fault}");
                assert!(fault.at.line > 0 && fault.at.column > 0 && fault.to_string().len() < 10_000);
            }
            if let Some(tree) = &reading.tree {
                tree.root().subtree().for_each(|node| inspect(&text, node, prefixes));
                assert!(reading.fault.is_some() || tree.root().subtree().all(Node::is_complete));
            }
            if let Ok(tree) = reading.complete() {
                edit(decode, &text, &tree);
            }
        }
    }
}

fn inspect(text: &Text, node: Node<'_>, prefixes: Prefixes) {
    let source = text.as_str();
    let (span, opening) = (node.span(), node.opening());
    assert!(source[opening.clone()].starts_with('<') && source[opening.clone()].ends_with('>'));
    assert!(source[opening.start + 1..].starts_with(node.qualified_name()));
    assert!(node.closing().is_none_or(|tag| source[tag].starts_with("</")));
    assert!(prefixes == Prefixes::AsWritten || node.namespace().is_some());
    let mut before = opening.start;
    for attribute in node.attributes() {
        assert!(before < attribute.name_span().start && attribute.raw().end < opening.end);
        before = attribute.raw().end;
        let raw = &source[attribute.raw()];
        assert!(raw.contains(['&', '\t', '\n', '\r']) || raw == attribute.value());
        assert!(prefixes == Prefixes::AsWritten || attribute.namespace().is_some());
        let _ = (attribute.position(), node.resolve(attribute.value()));
    }
    let mut before = opening.end;
    for content in node.content() {
        let at = match content {
            Content::Element(child) => {
                assert_eq!(child.parent(), Some(node));
                child.span()
            }
            Content::Text(run) => run.span(),
        };
        assert!(before <= at.start && at.start <= at.end, "{at:?} in order");
        before = at.end;
    }
    assert!(!node.is_complete() || before <= span.end);
    let file = text.file_span(&span);
    assert!(file.start <= file.end && file.end <= text.bytes().len());
}

fn edit(decode: Decode, text: &Text, tree: &Tree<'_>) {
    let root = tree.root();
    let count = root.subtree().count();
    let new = [layout::element("added", root.children().last(), &[("a", "<&\"'>\u{20ac}")])];
    let mut edits: Vec<(Edit, usize)> =
        vec![(layout::insert_last(root, root.children().last(), &new), count + 1)];
    for child in root.children().take(3) {
        edits.push((layout::insert_before(child, &new), count + 1));
        edits.push((layout::insert_after(child, &new), count + 1));
        edits.push((layout::remove(child), count - child.subtree().count()));
    }
    for (edit, expected) in edits {
        let (bytes, splices) = text.spliced(&[edit]);
        let [splice] = &splices[..] else { panic!("one edit, one splice") };
        assert!(bytes.starts_with(&text.bytes()[..splice.at.start]));
        assert!(bytes.ends_with(&text.bytes()[splice.at.end..]));
        let again = decode(bytes, 2 * BUDGET.bytes).expect("an edited text is text");
        let again = Tree::scan(&again, &BUDGET, Prefixes::AsWritten);
        let found = again.map(|tree| tree.root().subtree().count());
        // What stood on both sides of a removed element may make `]]>`; who edits a file reads it again.
        let joined = found.as_ref().is_err_and(|fault| fault.wrong == Wrong::SectionEnd);
        let full = count >= BUDGET.elements;
        assert!(found == Ok(expected) || joined || full, "{found:?}");
    }
}
