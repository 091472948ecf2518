//! What a signature may say: everything else is refused by name, however well it is signed.

use mocktenant_federation::{MAX_SIGNED_BYTES, Refused, signed_text, signed_tree, verify};
use mocktenant_keys::Certificate;
use mocktenant_xml::{Budget, Prefixes, Text, Tree, Uncanonical};

use crate::documents::{EXC_C14N, TEMPLATE, refused, signed, trusted, verified};

/// The template with a change, signed.
fn changed(from: &str, to: &str) -> String {
    assert!(TEMPLATE.contains(from), "{from}");
    signed(&TEMPLATE.replacen(from, to, 1))
}

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

#[test]
fn the_template_verifies_as_it_stands_and_with_white_space_and_comments() {
    assert!(verified(signed(TEMPLATE).as_bytes(), trusted()).is_ok());
    let spaced = TEMPLATE.replace("<ds:", "\n  <!-- c --><ds:").replace("</ds:KeyInfo>", "\n</ds:KeyInfo>");
    let spaced = signed(&format!("<?xml version='1.0' encoding='UTF-8'?><?pi?><!-- c -->{spaced}<?pi?>"));
    assert!(verified(spaced.as_bytes(), trusted()).is_ok());
    assert!(verified(format!("\u{feff}{}", signed(TEMPLATE)).as_bytes(), trusted()).is_ok());
}

#[test]
fn inclusive_prefixes_are_those_of_the_step_that_lists_them() {
    let list = |prefixes: &str| {
        format!("><x:InclusiveNamespaces xmlns:x=\"{EXC_C14N}\" PrefixList=\"{prefixes}\"/></ds:")
    };
    let of_signed_info = format!("{}CanonicalizationMethod><ds:SignatureMethod", list("x #default m"));
    let of_element = format!("{}Transform></ds:Transforms>", list("\n x\tunknown "));
    for (from, to) in
        [("/><ds:SignatureMethod", of_signed_info.as_str()), ("/></ds:Transforms>", of_element.as_str())]
    {
        let document = changed(from, to);
        assert!(verified(document.as_bytes(), trusted()).is_ok(), "{to}");
        // A listed prefix is signed although no name uses it, and so is what it stands for.
        let other = document.replacen("xmlns:x=\"urn:x\"", "xmlns:x=\"urn:y\"", 1);
        assert!(matches!(refused(&other), Refused::SignatureMismatch | Refused::DigestMismatch));
    }
    let unlisted = signed(TEMPLATE).replacen("xmlns:x=\"urn:x\"", "xmlns:x=\"urn:y\"", 1);
    assert!(verified(unlisted.as_bytes(), trusted()).is_ok());

    let shape = Refused::Shape { element: "InclusiveNamespaces" };
    let many = format!("{}Transform></ds:Transforms>", list(&"p ".repeat(17)));
    assert_eq!(refused(&changed("/></ds:Transforms>", &many)), shape);
    let none = of_element.replace("PrefixList", "Prefixes");
    assert_eq!(refused(&changed("/></ds:Transforms>", &none)), shape);
}

#[test]
fn every_other_algorithm_is_refused_by_name() {
    let canonicalization = |algorithm: &str| {
        let from = format!("<ds:CanonicalizationMethod Algorithm=\"{EXC_C14N}\"");
        refused(&changed(&from, &format!("<ds:CanonicalizationMethod Algorithm=\"{algorithm}\"")))
    };
    for algorithm in [
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "",
    ] {
        assert_eq!(
            canonicalization(algorithm),
            Refused::Canonicalization { algorithm: algorithm.to_owned() }
        );
    }
    for algorithm in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    ] {
        let wanted = Refused::SignatureMethod { algorithm: algorithm.to_owned() };
        assert_eq!(refused(&changed(RSA_SHA256, algorithm)), wanted);
    }
    for algorithm in [
        "http://www.w3.org/2000/09/xmldsig#sha1",
        "http://www.w3.org/2001/04/xmlenc#sha512",
        SHA256.trim_end_matches('6'),
    ] {
        let wanted = Refused::DigestMethod { algorithm: algorithm.to_owned() };
        assert_eq!(refused(&changed(SHA256, algorithm)), wanted);
    }
}

#[test]
fn transforms_are_the_two_in_their_order_and_no_more() {
    let transform = |algorithm: &str| format!("<ds:Transform Algorithm=\"{algorithm}\"/>");
    let both = transform(ENVELOPED) + &transform(EXC_C14N);
    for algorithms in [
        vec![],
        vec![ENVELOPED],
        vec![EXC_C14N],
        vec![EXC_C14N, ENVELOPED],
        vec![ENVELOPED, ENVELOPED],
        vec![ENVELOPED, EXC_C14N, EXC_C14N],
        vec![ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116", EXC_C14N],
        vec!["http://www.w3.org/TR/1999/REC-xpath-19991116", EXC_C14N],
        vec![ENVELOPED, "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"],
    ] {
        let to: String = algorithms.iter().map(|algorithm| transform(algorithm)).collect();
        let algorithms = algorithms.into_iter().map(str::to_owned).collect();
        assert_eq!(refused(&changed(&both, &to)), Refused::Transforms { algorithms });
    }
}

#[test]
fn one_reference_to_the_element_itself_is_what_there_may_be() {
    let start = TEMPLATE.find("<ds:Reference ").unwrap();
    let end = TEMPLATE.find("</ds:SignedInfo>").unwrap();
    let reference = &TEMPLATE[start..end];
    assert_eq!(refused(&changed(reference, "")), Refused::References { count: 0 });
    let second = reference.replace("#_1", "#_2");
    assert_eq!(
        refused(&changed(reference, &format!("{reference}{second}"))),
        Refused::References { count: 2 }
    );
    assert_eq!(
        refused(&changed(reference, &format!("{second}{reference}"))),
        Refused::References { count: 2 }
    );
    for uri in
        ["", "#", "#_2", "_1", "#_1 ", "#xpointer(/)", "#xpointer(id('_1'))", "http://localhost/x.xml#_1"]
    {
        let wanted = Refused::ReferenceElsewhere { uri: uri.to_owned() };
        assert_eq!(refused(&changed("\"#_1\"", &format!("\"{uri}\""))), wanted);
    }
    let wanted = Refused::ReferenceElsewhere { uri: String::new() };
    assert_eq!(refused(&changed(" URI=\"#_1\"", "")), wanted);
    assert_eq!(refused(&changed(" ID=\"_1\"", "")), Refused::NoId { attribute: "ID".to_owned() });
    assert_eq!(refused(&changed(" ID=\"_1\"", " ID=\"\"")), Refused::NoId { attribute: "ID".to_owned() });
}

#[test]
fn a_part_that_holds_something_else_is_named() {
    for (from, to, element) in [
        ("<ds:KeyInfo>", "text<ds:KeyInfo>", "Signature"),
        ("xmldsig#\"><ds:SignedInfo", "xmldsig#\" Id=\"s\"><ds:SignedInfo", "Signature"),
        ("<ds:SignedInfo>", "<ds:SignedInfo Id=\"s\">", "SignedInfo"),
        ("</ds:SignedInfo>", "<ds:Manifest/></ds:SignedInfo>", "SignedInfo"),
        ("<ds:Reference URI", "<ds:Reference Type=\"x\" URI", "Reference"),
        ("<ds:Transforms>", "<ds:Transforms><ds:Other/>", "Transforms"),
        (
            "rsa-sha256\"/>",
            "rsa-sha256\"><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>",
            "SignatureMethod",
        ),
        ("enveloped-signature\"/>", "enveloped-signature\"><ds:XPath/></ds:Transform>", "Transform"),
        ("sha256\"/><ds:DigestValue", "sha256\" x:a=\"\"/><ds:DigestValue", "DigestMethod"),
        ("<ds:DigestValue>", "<ds:DigestValue a=\"\">", "DigestValue"),
        (
            "c14n#\"/><ds:SignatureMethod",
            "c14n#\"><ds:Other/></ds:CanonicalizationMethod><ds:SignatureMethod",
            "CanonicalizationMethod",
        ),
    ] {
        assert_eq!(refused(&changed(from, to)), Refused::Shape { element }, "{to}");
    }
}

#[test]
fn keys_come_from_nowhere_but_the_trusted_certificate() {
    let key_info = "<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>";
    for (to, element) in [
        ("", "KeyInfo"),
        ("<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>", "KeyInfo"),
        ("<ds:KeyName>a</ds:KeyName>", "KeyInfo"),
        ("<ds:RetrievalMethod URI=\"http://localhost/\"/>", "KeyInfo"),
        ("<ds:X509Data><ds:X509SubjectName/></ds:X509Data>", "X509Data"),
        ("<ds:X509Data/>", "X509Data"),
    ] {
        assert_eq!(refused(&changed(key_info, to)), Refused::Shape { element });
        if !to.is_empty() {
            assert_eq!(
                refused(&changed(key_info, &(key_info.to_owned() + to))),
                Refused::Shape { element: "KeyInfo" }
            );
        }
    }
    assert_eq!(
        refused(&changed(&format!("<ds:KeyInfo>{key_info}</ds:KeyInfo>"), "")),
        Refused::Shape { element: "Signature" }
    );
    let other = mocktenant_keys::shipped::token_signing_next().certificate();
    let swapped = TEMPLATE.replace("{certificate}", &other.base64_der());
    assert_eq!(refused(&signed(&swapped)), Refused::OtherCertificate);
    // Signed by one and trusted is another, whose certificate it carries.
    assert_eq!(verified(signed(&swapped).as_bytes(), other), Err(Refused::SignatureMismatch));

    let elliptic = include_str!("../../../keys/testdata/p256-certificate.pem");
    let elliptic = Certificate::from_pem(elliptic).unwrap();
    let carried = TEMPLATE.replace("{certificate}", &elliptic.base64_der());
    assert!(matches!(verified(signed(&carried).as_bytes(), &elliptic), Err(Refused::TrustedKey(_))));
}

#[test]
fn values_are_base64_and_right() {
    for (from, element) in
        [("{digest}", "DigestValue"), ("{value}", "SignatureValue"), ("{certificate}", "X509Certificate")]
    {
        for wrong in ["AAA", "AA=A", "A-_A", "AAAB=", "AB=="] {
            assert_eq!(refused(&changed(from, wrong)), Refused::Base64 { element }, "{wrong}");
        }
    }
    assert_eq!(refused(&changed("{value}", "")), Refused::SignatureMismatch);
    assert_eq!(refused(&changed("{value}", "AAAA")), Refused::SignatureMismatch);
    assert_eq!(refused(&changed("{digest}", "")), Refused::DigestMismatch);
    assert_eq!(refused(&changed("{digest}", "AAAA")), Refused::DigestMismatch);
    assert_eq!(refused(&signed(TEMPLATE).replace("more</m:a>", "less</m:a>")), Refused::DigestMismatch);
    assert_eq!(refused(&signed(TEMPLATE).replace("b=\"1\"", "b=\"2\"")), Refused::DigestMismatch);
    let broken = signed(TEMPLATE).replace("<ds:Reference URI", "<ds:Reference  xmlns:a=\"\u{e9}\" URI");
    assert!(verified(broken.as_bytes(), trusted()).is_ok(), "a declaration that no name uses is not signed");
}

#[test]
fn a_document_without_signature_or_with_it_elsewhere_is_refused() {
    assert_eq!(refused("<a ID=\"_1\"/>"), Refused::NoSignature);
    let other = signed(TEMPLATE).replace("http://www.w3.org/2000/09/xmldsig#\">", "urn:other\">");
    assert_eq!(refused(&other), Refused::NoSignature);
    let moved = format!("<a ID=\"_0\">{}</a>", signed(TEMPLATE));
    assert_eq!(refused(&moved), Refused::SignatureElsewhere);
}

#[test]
fn what_is_no_document_within_bounds_is_refused() {
    let document = signed(TEMPLATE);
    let with = |before: &str| verified(format!("{before}{document}").as_bytes(), trusted()).unwrap_err();
    assert_eq!(with("<!DOCTYPE a [<!ATTLIST a b ID #IMPLIED>]>"), Refused::Doctype);
    assert_eq!(with("<!DOCTYPE a"), Refused::Doctype);
    assert_eq!(with("<?xml version=\"1.0\" encoding=\"utf-16\"?>"), Refused::NotUtf8);
    assert_eq!(
        refused(&document.replace("more</m:a>", "&e;</m:a>")),
        Refused::Entity { name: "e".to_owned() }
    );
    assert_eq!(verified(b"<a>\xff</a>", trusted()), Err(Refused::NotUtf8));
    assert!(matches!(refused("<a>"), Refused::Unreadable(_)));
    assert!(matches!(refused(&"<a>".repeat(100_000)), Refused::Unreadable(_)));
    assert_eq!(
        verified(&vec![b' '; MAX_SIGNED_BYTES + 1], trusted()),
        Err(Refused::TooLarge { bytes: MAX_SIGNED_BYTES + 1 })
    );
    let instruction = document.replace("more</m:a>", "<?p?></m:a>");
    assert_eq!(refused(&instruction), Refused::Canonical(Uncanonical::Instruction));
}

#[test]
fn bounds_hold_for_a_tree_that_others_have_read() {
    let budget = Budget { bytes: 1 << 24, depth: 1_000, elements: usize::MAX, attributes: 64 };
    let document = format!("{}{}", signed(TEMPLATE), " ".repeat(MAX_SIGNED_BYTES));
    let text = Text::utf8(document.into_bytes(), budget.bytes).unwrap();
    let tree = Tree::scan(&text, &budget, Prefixes::Declared).unwrap();
    assert!(matches!(verify(tree.root(), "ID", trusted()), Err(Refused::TooLarge { .. })));
    let text = signed_text(signed(TEMPLATE).into_bytes()).unwrap();
    let tree = Tree::scan(&text, &budget, Prefixes::AsWritten).unwrap();
    assert_eq!(verify(tree.root(), "ID", trusted()).unwrap_err(), Refused::Canonical(Uncanonical::AsWritten));
}

#[test]
fn a_document_made_to_be_slow_is_refused_before_it_is() {
    let long = format!(" xmlns:y=\"{}\"", "y".repeat(1_000_000));
    let many = format!("{}</m:a>", "<y:b/>".repeat(150_000));
    let document = signed(TEMPLATE).replacen(" xmlns:x=", &format!("{long} xmlns:x="), 1);
    let document = document.replacen("</m:a>", &many, 1);
    assert!(document.len() < MAX_SIGNED_BYTES);
    assert!(matches!(refused(&document), Refused::Canonical(Uncanonical::TooLarge { .. })));

    let ids: String =
        (0..100_000).flat_map(|id| ["<a id=\"".to_owned(), id.to_string(), "\"/>".to_owned()]).collect();
    let document = signed(&TEMPLATE.replacen("</m:a>", &format!("{ids}</m:a>"), 1));
    let text = signed_text(document.into_bytes()).unwrap();
    assert!(verify(signed_tree(&text).unwrap().root(), "ID", trusted()).is_ok());
}
