//! What verifies: the metadata of three real AD FS servers and what this crate signs.

use bergshamra_c14n::{C14nMode, canonicalize};
use mocktenant_federation::{
    Refused, SignatureForm, read_metadata, read_verified, signed_text, signed_tree, verify,
};
use mocktenant_keys::{Certificate, shipped};
use mocktenant_xml::Node;

use crate::documents::{DSIG, canonical, content, own, real, trusted, verified, with_root};

#[test]
fn the_metadata_of_three_real_servers_verifies_with_the_certificate_of_each_and_no_other() {
    for version in 2..=4 {
        let Some((document, certificate)) = real(version) else { return };
        assert!(verified(&document, &certificate).is_ok(), "AD FS metadata {version}");
        assert_eq!(verified(&document, trusted()), Err(Refused::OtherCertificate));
    }
}

#[test]
fn what_this_crate_signs_verifies_in_both_forms() {
    for form in [SignatureForm::Unprefixed, SignatureForm::Prefixed] {
        assert!(verified(&own(form), trusted()).is_ok(), "{form:?}");
        let next = shipped::token_signing_next().certificate();
        assert_eq!(verified(&own(form), next), Err(Refused::OtherCertificate));
    }
}

#[test]
fn what_is_read_of_a_verified_element_is_what_is_read_of_the_document() {
    let ours = own(SignatureForm::Prefixed);
    let mut documents = vec![(ours, trusted().clone())];
    documents.extend((2..=4).filter_map(real));
    for (document, certificate) in documents {
        let text = signed_text(document.clone()).unwrap();
        let tree = signed_tree(&text).unwrap();
        let verified = verify(tree.root(), "ID", &certificate).unwrap();
        let (read, plain) = (read_verified(&verified).unwrap(), read_metadata(&document).unwrap());
        let thumbprints = |all: &[Certificate]| all.iter().map(Certificate::thumbprint).collect::<Vec<_>>();
        assert_eq!(read.entity_id, plain.entity_id);
        assert_eq!(read.passive_endpoint, plain.passive_endpoint);
        assert_eq!(thumbprints(&read.signing_certificates), thumbprints(&plain.signing_certificates));
        assert!(!read.signing_certificates.is_empty());
    }
}

/// The text with a node's markup taken out.
fn without(root: Node<'_>, node: Node<'_>) -> String {
    let mut source = root.tree().source().as_str().to_owned();
    source.replace_range(node.span(), "");
    source
}

#[test]
fn the_canonical_form_of_real_metadata_equals_an_independent_canonicalisation() {
    for (document, _) in (2..=4).filter_map(real) {
        with_root(std::str::from_utf8(&document).unwrap(), |root| {
            let signature = root.children_in(DSIG, "Signature").next().unwrap();
            let independent =
                canonicalize::<&str>(&without(root, signature), C14nMode::Exclusive, None, &[]).unwrap();
            assert_eq!(content(root), independent);
            let listed = ["#default", "fed", "xsi", "auth"];
            let independent = canonicalize(
                &without(root, signature),
                C14nMode::Exclusive,
                None,
                &["", "fed", "xsi", "auth"],
            );
            assert_eq!(canonical(root, &listed, Some(signature)), independent.unwrap());
        });
    }
}
