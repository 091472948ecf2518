//! FederationMetadata.xml as AD FS serves it: made again as a real server made it, verified, and read as consumers do.

use std::fmt::Write as _;

use mocktenant_federation::{
    AdfsMetadata, ClaimType, MetadataError, Refused, SignError, read_metadata, read_verified, signed_text,
    signed_tree, verify,
};
use mocktenant_keys::{Certificate, shipped};
use mocktenant_xml::Node;

use crate::documents::{certificate_of, real, trusted, verified, with_root};

const ID: &str = "_11111111-2222-3333-4444-555555555555";
const ISSUER: &str = "http://ADFS.contoso.com/adfs/services/trust";
const ORIGIN: &str = "https://adfs.contoso.com";
const NAME: &str = "Contoso \"A & B\" <AD FS>";
const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

/// A line for each element of a real server's document of 2016, of each list of claim types the first.
const SKELETON: &str = include_str!("adfs_2016.txt");

/// What a farm says during a rollover of its token-signing certificate.
fn farm(
    write: impl FnOnce(AdfsMetadata<'_>) -> Result<Vec<u8>, MetadataError>,
) -> Result<Vec<u8>, MetadataError> {
    let claim_types: Vec<_> = ClaimType::of_2016().collect();
    write(AdfsMetadata {
        id: ID,
        entity_id: ISSUER,
        origin: ORIGIN,
        display_name: NAME,
        signing_certificates: &[trusted().clone(), shipped::token_signing_next().certificate().clone()],
        decrypting_certificate: shipped::sample_client().certificate(),
        claim_types: &claim_types,
    })
}

fn written() -> String {
    let key = shipped::token_signing().key();
    String::from_utf8(farm(|farm| farm.to_bytes(key)).unwrap()).unwrap()
}

fn value_of<'d>(node: Node<'d>, name: &str) -> &'d str {
    node.value(name).unwrap()
}

fn role<'d>(root: Node<'d>, xsi_type: &str) -> Node<'d> {
    let mut roles = root.children_in(MD, "RoleDescriptor");
    roles.find(|role| role.value("xsi:type") == Some(xsi_type)).unwrap()
}

/// What a server says of itself, once it is known who it is; every other word is a value of the product.
fn skeleton(document: &str) -> String {
    with_root(document, |root| {
        let name = value_of(role(root, "fed:ApplicationServiceType"), "ServiceDisplayName");
        let passive = root.descend(&["SPSSODescriptor", "SingleLogoutService"]);
        let origin = value_of(passive[0], "Location").strip_suffix("/adfs/ls/").unwrap();
        let known = [
            (name, "{name}"),
            (value_of(root, "entityID"), "{issuer}"),
            (origin, "{origin}"),
            (value_of(root, "ID"), "{id}"),
        ];
        let own = |text: &str| known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let mut lines = String::new();
        elements(root, 0, &own, &mut lines);
        lines
    })
}

fn elements(node: Node<'_>, depth: usize, own: &dyn Fn(&str) -> String, lines: &mut String) {
    write!(lines, "{:depth$}{}", "", node.qualified_name()).unwrap();
    for attribute in node.attributes() {
        write!(lines, " {}={:?}", attribute.qualified_name(), own(attribute.value())).unwrap();
    }
    if node.children().next().is_none() && !node.text().is_empty() {
        let computed = matches!(node.name(), "X509Certificate" | "DigestValue" | "SignatureValue");
        let text = if computed { "...".to_owned() } else { own(&node.text()) };
        write!(lines, " {text}").unwrap();
    }
    lines.push('\n');
    let mut before = "";
    for child in node.children() {
        if !(matches!(child.name(), "ClaimType" | "Attribute") && child.name() == before) {
            elements(child, depth + 1, own, lines);
        }
        before = child.name();
    }
}

fn thumbprints(certificates: &[Certificate]) -> Vec<String> {
    certificates.iter().map(|certificate| certificate.thumbprint().to_string()).collect()
}

/// The text with what is between the tags of the signature's value taken out.
fn without_value(document: &str) -> String {
    let mut document = document.to_owned();
    let start = document.find("<ds:SignatureValue>").unwrap();
    let end = document.find("</ds:SignatureValue>").unwrap();
    document.replace_range(start..end, "");
    document
}

#[test]
fn a_real_servers_document_is_made_again_byte_for_byte_but_for_the_value_of_its_signature() {
    let Some((document, certificate)) = real(4) else { return };
    let document = String::from_utf8(document).unwrap();
    let again = with_root(&document, |root| {
        let application = role(root, "fed:ApplicationServiceType");
        let passive = root.descend(&["IDPSSODescriptor", "SingleSignOnService"])[0];
        let claim_types: Vec<_> = ClaimType::of_2016().collect();
        let metadata = AdfsMetadata {
            id: value_of(root, "ID"),
            entity_id: value_of(root, "entityID"),
            origin: value_of(passive, "Location").strip_suffix("/adfs/ls/").unwrap(),
            display_name: value_of(application, "ServiceDisplayName"),
            signing_certificates: &[certificate],
            decrypting_certificate: &certificate_of(application, &["KeyDescriptor"]),
            claim_types: &claim_types,
        };
        metadata.to_bytes(shipped::token_signing().key()).unwrap()
    });
    let again = String::from_utf8(again).unwrap();
    // the digest is in it, so that the canonical form is the real server's too
    assert_eq!(without_value(&again), without_value(&document));
    assert_ne!(again, document);
}

#[test]
fn a_document_has_the_elements_attributes_and_values_of_a_real_servers_in_its_order() {
    // one signing certificate, as the real server had
    let key = shipped::token_signing().key();
    let one = farm(|farm| {
        AdfsMetadata { signing_certificates: &farm.signing_certificates[..1], ..farm }.to_bytes(key)
    });
    assert_eq!(skeleton(&String::from_utf8(one.unwrap()).unwrap()), SKELETON);
    if let Some((document, _)) = real(4) {
        assert_eq!(skeleton(&String::from_utf8(document).unwrap()), SKELETON);
    }
}

#[test]
fn the_document_is_one_line_without_a_declaration_and_the_same_whenever_it_is_made() {
    let document = written();
    let start = format!(
        "<EntityDescriptor ID=\"{ID}\" entityID=\"{ISSUER}\" xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">\
         <ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo><ds:CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/><ds:SignatureMethod "
    );
    assert!(document.starts_with(&start), "{}", &document[..400]);
    assert!(!document.contains(['\n', '\r', '\u{feff}']) && !document.contains(" />"));
    assert_eq!(document, written());
}

#[test]
fn it_verifies_with_the_primary_certificate_alone() {
    let document = written();
    assert!(verified(document.as_bytes(), trusted()).is_ok());
    let secondary = shipped::token_signing_next().certificate();
    assert_eq!(verified(document.as_bytes(), secondary), Err(Refused::OtherCertificate));
    let changed = document.replacen("ADFS.contoso.com", "ADFS.contoso.net", 1);
    assert_eq!(verified(changed.as_bytes(), trusted()), Err(Refused::DigestMismatch));
}

#[test]
fn a_consumer_learns_issuer_endpoint_and_both_certificates_of_a_rollover() {
    let document = written().into_bytes();
    let text = signed_text(document.clone()).unwrap();
    let tree = signed_tree(&text).unwrap();
    let signed = read_verified(&verify(tree.root(), "ID", trusted()).unwrap()).unwrap();
    for read in [read_metadata(&document).unwrap(), signed] {
        assert_eq!(read.entity_id, ISSUER);
        assert_eq!(read.passive_endpoint.as_deref(), Some("https://adfs.contoso.com/adfs/ls/"));
        let both = [trusted().clone(), shipped::token_signing_next().certificate().clone()];
        assert_eq!(thumbprints(&read.signing_certificates), thumbprints(&both));
    }
}

#[test]
fn in_a_rollover_the_secondary_certificate_stands_behind_the_primary_one_wherever_that_does() {
    let (primary, secondary) = (trusted(), shipped::token_signing_next().certificate());
    let decrypting = ("encryption", shipped::sample_client().certificate().base64_der());
    let signing = [primary, secondary].map(|certificate| ("signing", certificate.base64_der()));
    let saml = [vec![decrypting.clone()], signing.to_vec()].concat();
    with_root(&written(), |root| {
        let keys = |role: Node<'_>| {
            let keys = role.children_in(MD, "KeyDescriptor");
            let text = |key: Node<'_>| {
                key.descend(&["KeyInfo", "X509Data", "X509Certificate"])[0].text().into_owned()
            };
            keys.map(|key| (value_of(key, "use").to_owned(), text(key))).collect::<Vec<_>>()
        };
        let wanted = |keys: &[(&str, String)]| {
            keys.iter().map(|(purpose, key)| ((*purpose).to_owned(), key.clone())).collect::<Vec<_>>()
        };
        assert_eq!(keys(role(root, "fed:ApplicationServiceType")), wanted(std::slice::from_ref(&decrypting)));
        assert_eq!(keys(role(root, "fed:SecurityTokenServiceType")), wanted(&signing));
        for local in ["SPSSODescriptor", "IDPSSODescriptor"] {
            assert_eq!(keys(root.children_in(MD, local).next().unwrap()), wanted(&saml), "{local}");
        }
        // and who signed this
        let embedded = certificate_of(root, &["Signature"]);
        assert_eq!(embedded.thumbprint(), primary.thumbprint());
    });
}

#[test]
fn every_claim_type_is_asked_for_offered_and_an_attribute() {
    let all: Vec<_> = ClaimType::of_2016().collect();
    assert_eq!(all.len(), 63);
    with_root(&written(), |root| {
        let uris: Vec<_> = all.iter().map(|claim| claim.uri).collect();
        let named = |path: &[&str], attribute: &str| {
            root.descend(path).into_iter().map(|node| value_of(node, attribute)).collect::<Vec<_>>()
        };
        for list in ["ClaimTypesRequested", "ClaimTypesOffered"] {
            assert_eq!(named(&["RoleDescriptor", list, "ClaimType"], "Uri"), uris, "{list}");
        }
        assert_eq!(named(&["IDPSSODescriptor", "Attribute"], "Name"), uris);
        let mut unique = uris.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), 63);
        let shown = root.descend(&["RoleDescriptor", "ClaimTypesOffered", "ClaimType", "Description"]);
        assert!(shown.iter().zip(&all).all(|(node, claim)| node.text() == claim.description));
    });
}

#[test]
fn metadata_that_cannot_be_signed_is_refused() {
    let key = shipped::token_signing().key();
    let without = farm(|farm| AdfsMetadata { signing_certificates: &[], ..farm }.to_bytes(key));
    assert_eq!(without, Err(MetadataError::NoCertificate));
    let nameless = farm(|farm| AdfsMetadata { id: "1 2", ..farm }.to_bytes(key));
    assert_eq!(nameless, Err(MetadataError::Sign(SignError::NoId { attribute: "ID" })));
    let unwritable = farm(|farm| AdfsMetadata { display_name: "a\u{0}", ..farm }.to_bytes(key));
    assert!(matches!(unwritable, Err(MetadataError::Sign(SignError::Unwritable(_)))));
}
