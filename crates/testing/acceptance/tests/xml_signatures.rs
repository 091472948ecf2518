//! Our verifier of XML signatures beside xmlsec1: on metadata of real servers and our own, as found and with a byte changed,
//! and on what xmlsec1 signs.
//!
//! Decides nothing but that both say the same. Metadata of real servers lies beside the repository or is passed over.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use mocktenant_acceptance::tools;
use mocktenant_federation::{
    EntraMetadata, Refused, SignatureForm, Signer, signed_text, signed_tree, verify,
};
use mocktenant_keys::{Certificate, shipped};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor";

fn own(form: SignatureForm) -> Vec<u8> {
    let identity = shipped::token_signing();
    let metadata = EntraMetadata {
        id: "_11111111-2222-3333-4444-555555555555",
        entity_id: "https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/",
        endpoint_base: "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee",
        signing_certificates: &[identity.certificate().clone()],
    };
    metadata.to_bytes(Signer { key: identity.key(), certificate: identity.certificate(), form }).unwrap()
}

/// The metadata of real servers that lies beside the repository, each with the certificate of its signature.
fn real() -> Vec<(Vec<u8>, Certificate)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/testdata/adfs");
    let documents =
        (2..=4).filter_map(|version| fs::read(folder.join(format!("adfs-v{version}-metadata.xml"))).ok());
    documents
        .map(|document| {
            let text = String::from_utf8(document.clone()).unwrap();
            let base64 = text.split("<X509Certificate>").nth(1).unwrap().split('<').next().unwrap();
            let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
            (document, Certificate::from_any(pem.as_bytes()).unwrap())
        })
        .collect()
}

fn ours(document: &[u8], trusted: &Certificate) -> Result<(), Refused> {
    let text = signed_text(document.to_vec())?;
    verify(signed_tree(&text)?.root(), "ID", trusted).map(|_| ())
}

fn theirs(program: &Path, scratch: &Path, document: &[u8], trusted: &Certificate) -> bool {
    let (file, certificate) = (scratch.join("document.xml"), scratch.join("certificate.pem"));
    fs::write(&file, document).unwrap();
    fs::write(&certificate, trusted.pem()).unwrap();
    let mut command = Command::new(program);
    command.args(["--verify", "--id-attr:ID", METADATA, "--pubkey-cert-pem"]).arg(certificate).arg(file);
    tools::output(&mut command).status.success()
}

#[test]
fn xmlsec1_and_our_verifier_take_the_same_metadata() {
    let Some(program) = tools::or_skip("xmlsec1") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut documents = real();
    let trusted = shipped::token_signing().certificate();
    documents.push((own(SignatureForm::Prefixed), trusted.clone()));
    documents.push((own(SignatureForm::Unprefixed), trusted.clone()));
    for (document, trusted) in &documents {
        assert_eq!(ours(document, trusted), Ok(()));
        assert!(theirs(&program, scratch.path(), document, trusted));
        let text = std::str::from_utf8(document).unwrap();
        // xmlsec1 does not look at a certificate in the document once it was given one.
        let key_info = text.find("<KeyInfo").unwrap()..text.find("</KeyInfo>").unwrap() + 10;
        let places = (0..document.len()).step_by(document.len() / 24).filter(|at| !key_info.contains(at));
        for at in places {
            let mut changed = document.clone();
            changed[at] ^= 1;
            let (we, they) = (ours(&changed, trusted), theirs(&program, scratch.path(), &changed, trusted));
            assert_eq!(we.is_ok(), they, "byte {at} of {}: {we:?}", document.len());
            assert!(we.is_err(), "byte {at} of {}", document.len());
        }
    }
}

/// Whatever canonicalisation has to do with, and inclusive prefixes in both places.
const TEMPLATE: &str = "<?xml version='1.0'?>\r\n<!-- a --><md:EntityDescriptor ID='_1' b:z='1' xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' \
    xmlns:b='urn:b' xmlns='urn:d' xmlns:c='urn:c' a = '&#9;&lt;&quot;\r\n\u{e9}'>\r\n\
    <md:a xmlns='' xmlns:c='urn:e' t='c:x'><![CDATA[<&>]]>&#13;<!-- b --> <b xml:lang='en'/><c:d c:y='' b:y='' y=''/></md:a>\
    <ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:SignedInfo>\n<ds:CanonicalizationMethod \
    Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'><i:InclusiveNamespaces xmlns:i='http://www.w3.org/2001/10/xml-exc-c14n#' \
    PrefixList='#default b'/></ds:CanonicalizationMethod><!-- c --><ds:SignatureMethod \
    Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/><ds:Reference URI='#_1'><ds:Transforms><ds:Transform \
    Algorithm='http://www.w3.org/2000/09/xmldsig#enveloped-signature'/><ds:Transform \
    Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'><i:InclusiveNamespaces xmlns:i='http://www.w3.org/2001/10/xml-exc-c14n#' \
    PrefixList='c #default unknown'/></ds:Transform></ds:Transforms><ds:DigestMethod \
    Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
    <ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature></md:EntityDescriptor>\n<!-- d -->";

#[test]
fn what_xmlsec1_signs_with_inclusive_prefixes_and_every_kind_of_markup_verifies_here() {
    let Some(program) = tools::or_skip("xmlsec1") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let identity = shipped::token_signing();
    let paths = ["template.xml", "key.pem", "certificate.pem"].map(|name| scratch.path().join(name));
    let [template, key, certificate] = &paths;
    fs::write(template, TEMPLATE).unwrap();
    fs::write(key, identity.key_pem()).unwrap();
    fs::write(certificate, identity.certificate().pem()).unwrap();
    let mut command = Command::new(&program);
    command.args(["--sign", "--id-attr:ID", METADATA, "--privkey-pem"]);
    command.arg(format!("{},{}", key.display(), certificate.display())).arg(template);
    let output = tools::output(&mut command);
    assert!(output.status.success(), "{}", tools::said(&output));
    let document = String::from_utf8(output.stdout).unwrap();
    assert_eq!(ours(document.as_bytes(), identity.certificate()), Ok(()), "{document}");
    for (from, to, wanted) in [
        ("xmlns:c=\"urn:c\"", "xmlns:c=\"urn:x\"", Refused::DigestMismatch),
        ("xmlns:c=\"urn:e\"", "xmlns:c=\"urn:x\"", Refused::DigestMismatch),
        ("xmlns:b=\"urn:b\"", "xmlns:b=\"urn:x\"", Refused::SignatureMismatch),
        ("xml:lang=\"en\"", "xml:lang=\"de\"", Refused::DigestMismatch),
    ] {
        assert!(document.contains(from), "{document}");
        let changed = document.replacen(from, to, 1);
        assert_eq!(ours(changed.as_bytes(), identity.certificate()), Err(wanted), "{to}");
    }
}
