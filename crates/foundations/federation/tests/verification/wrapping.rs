//! Signature wrapping: a document made of signed and unsigned parts, so that one is verified and another used.

use mocktenant_federation::{Refused, signed_text, signed_tree, verify};

use crate::documents::{TEMPLATE, content, refused, signed, trusted, with_root};

/// The parts of a signed document that a forger has to build with.
struct Parts {
    /// All of it.
    whole: String,
    signature: String,
    /// The element without its signature.
    bare: String,
}

impl Parts {
    fn of(whole: String) -> Self {
        let start = whole.find("<ds:Signature ").unwrap();
        let end = whole.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
        let bare = format!("{}{}", &whole[..start], &whole[end..]);
        let signature = whole[start..end].to_owned();
        Self { whole, signature, bare }
    }

    /// The signature with something more at the end of the part that this closing tag closes.
    fn signature_with(&self, closing: &str, content: &str) -> String {
        self.signature.replacen(closing, &format!("{content}{closing}"), 1)
    }
}

/// What the forger wants to be used.
fn forged(attributes: &str, content: &str) -> String {
    format!("<m:E xmlns:m=\"urn:m\"{attributes}>{content}<m:a>forged</m:a></m:E>")
}

/// The eight: where the forged element, the signature and the signed one stand, and why each is refused.
fn variants() -> Vec<(&'static str, String, Refused)> {
    let parts = Parts::of(signed(TEMPLATE));
    let Parts { whole, signature, bare } = &parts;
    let shape = |element| Refused::Shape { element };
    let elsewhere = || Refused::ReferenceElsewhere { uri: "#_1".to_owned() };
    let object = |content: &str| format!("<ds:Object>{content}</ds:Object>");
    vec![
        (
            "the forged element around the signed one and its signature",
            forged(" ID=\"_9\"", whole),
            Refused::SignatureElsewhere,
        ),
        (
            "the signature in the forged element, the signed one beside it",
            forged(" ID=\"_9\"", &format!("{signature}{bare}")),
            elsewhere(),
        ),
        (
            "the same with the signed one's id on both",
            forged(" ID=\"_1\"", &format!("{signature}{bare}")),
            Refused::DuplicateId { id: "_1".to_owned() },
        ),
        (
            "the same with no id on the forged one",
            forged("", &format!("{signature}{bare}")),
            Refused::NoId { attribute: "ID".to_owned() },
        ),
        (
            "the signed element in an Object of the forged one's signature",
            forged(" ID=\"_9\"", &parts.signature_with("</ds:Signature>", &object(bare))),
            shape("Signature"),
        ),
        (
            "the signed element in KeyInfo of the forged one's signature",
            forged(" ID=\"_9\"", &parts.signature_with("</ds:KeyInfo>", bare)),
            elsewhere(),
        ),
        (
            "the signed element with its signature in an extension of the forged one",
            forged(" ID=\"_9\"", &format!("<m:Extensions>{whole}</m:Extensions>")),
            Refused::SignatureElsewhere,
        ),
        (
            "the forged element in an Object of the signed one's signature",
            whole.replace(
                signature,
                &parts.signature_with("</ds:Signature>", &object(&forged(" ID=\"_9\"", ""))),
            ),
            shape("Signature"),
        ),
    ]
}

#[test]
fn eight_ways_to_wrap_a_signed_element_are_refused_by_name() {
    let variants = variants();
    assert_eq!(variants.len(), 8);
    for (name, document, wanted) in variants {
        assert_eq!(refused(&document), wanted, "{name}");
    }
}

#[test]
fn in_a_wrapped_document_nothing_but_the_signed_element_itself_verifies() {
    let signed_content = with_root(&signed(TEMPLATE), content);
    let mut unwrapped = 0;
    for (name, document, _) in variants() {
        let text = signed_text(document.into_bytes()).unwrap();
        let tree = signed_tree(&text).unwrap();
        for node in tree.root().subtree() {
            if let Ok(verified) = verify(node, "ID", trusted()) {
                assert_eq!(content(*verified.element()), signed_content, "{name}");
                assert_ne!(node, tree.root(), "{name}");
                unwrapped += 1;
            }
        }
    }
    // The two that leave the signed element and its signature as they are: whoever picks it has what was signed.
    assert_eq!(unwrapped, 2);
}

#[test]
fn what_was_added_to_a_signature_is_refused_wherever_it_stands() {
    let parts = Parts::of(signed(TEMPLATE));
    for (closing, element) in [
        ("</ds:Signature>", "Signature"),
        ("</ds:SignedInfo>", "SignedInfo"),
        ("</ds:Reference>", "Reference"),
        ("</ds:Transforms>", "Transforms"),
        ("</ds:DigestValue>", "DigestValue"),
        ("</ds:SignatureValue>", "SignatureValue"),
        ("</ds:KeyInfo>", "KeyInfo"),
        ("</ds:X509Data>", "X509Data"),
        ("</ds:X509Certificate>", "X509Certificate"),
    ] {
        let document = parts.whole.replace(&parts.signature, &parts.signature_with(closing, &forged("", "")));
        assert_eq!(refused(&document), Refused::Shape { element });
    }
}

#[test]
fn a_second_signature_is_refused_wherever_it_stands() {
    let Parts { whole, signature, .. } = Parts::of(signed(TEMPLATE));
    for document in [
        whole.replace(&signature, &signature.repeat(2)),
        whole.replace("<m:d Id", &format!("<m:d>{signature}</m:d><m:d Id")),
        whole.replace("</ds:KeyInfo>", &format!("</ds:KeyInfo><ds:Object>{signature}</ds:Object>")),
        whole.replace("<m:d Id", "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/><m:d Id"),
    ] {
        assert_eq!(refused(&document), Refused::Signatures { count: 2 });
    }
}

#[test]
fn an_id_that_stands_twice_is_refused_whatever_the_attribute_is_called() {
    for attribute in ["ID", "Id", "id", "iD", "xml:id", "x:Id", "AssertionID", "RequestID", "ResponseID"] {
        let template = TEMPLATE.replace("<m:d Id=\"_2\"/>", &format!("<m:d {attribute}=\"_1\"/>"));
        let document = signed(&template);
        assert_eq!(refused(&document), Refused::DuplicateId { id: "_1".to_owned() }, "{attribute}");
    }
    let other = signed(&TEMPLATE.replace("<m:d Id=\"_2\"/>", "<m:d Id=\"_2\" id=\"_2\"/>"));
    assert_eq!(refused(&other), Refused::DuplicateId { id: "_2".to_owned() });
}
