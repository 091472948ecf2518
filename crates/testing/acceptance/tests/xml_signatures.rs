//! Our verifier of XML signatures beside xmlsec1, signxml and .NET's `SignedXml`: on metadata of real servers and our own, as found
//! and with a byte changed, and on what xmlsec1 signs.
//!
//! Decides nothing but that all say the same. Metadata of real servers lies beside the repository or is passed over.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mocktenant_acceptance::judges::{self, Judge};
use mocktenant_acceptance::tools;
use mocktenant_federation::{
    AdfsMetadata, ClaimType, EntraMetadata, Refused, SignatureForm, Signer, signed_text, signed_tree, verify,
};
use mocktenant_keys::{Certificate, shipped};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor";

/// A document that is signed, and by whom.
struct Signed {
    whose: String,
    issuer: String,
    document: Vec<u8>,
    trusted: Certificate,
}

fn own(whose: &str, issuer: &str, document: Vec<u8>) -> Signed {
    let trusted = shipped::token_signing().certificate().clone();
    Signed { whose: whose.to_owned(), issuer: issuer.to_owned(), document, trusted }
}

fn entra(form: SignatureForm) -> Signed {
    let identity = shipped::token_signing();
    let metadata = EntraMetadata {
        id: "_11111111-2222-3333-4444-555555555555",
        entity_id: "https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/",
        endpoint_base: "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee",
        signing_certificates: &[identity.certificate().clone()],
    };
    let signer = Signer { key: identity.key(), certificate: identity.certificate(), form };
    own(&format!("our Entra, {form:?}"), metadata.entity_id, metadata.to_bytes(signer).unwrap())
}

/// Ours as AD FS, with two token-signing certificates and a name that XML has to escape.
fn adfs() -> Signed {
    let identities = [shipped::token_signing(), shipped::token_signing_next()];
    let claim_types: Vec<_> = ClaimType::of_2016().collect();
    let metadata = AdfsMetadata {
        id: "_11111111-2222-3333-4444-666666666666",
        entity_id: "http://ADFS.contoso.com/adfs/services/trust",
        origin: "https://adfs.contoso.com",
        display_name: "Contoso \"A & B\" <AD FS> \u{e9}",
        signing_certificates: &identities.map(|identity| identity.certificate().clone()),
        decrypting_certificate: shipped::sample_client().certificate(),
        claim_types: &claim_types,
    };
    own("our AD FS", metadata.entity_id, metadata.to_bytes(identities[0].key()).unwrap())
}

/// The metadata of real servers that lies beside the repository, each with the certificate of its signature.
fn real() -> Vec<Signed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/testdata/adfs");
    let documents = (2..=4).filter_map(|version| {
        let document = fs::read(folder.join(format!("adfs-v{version}-metadata.xml"))).ok()?;
        Some((format!("a real AD FS, {version}"), document))
    });
    documents
        .map(|(whose, document)| {
            let text = std::str::from_utf8(&document).unwrap();
            let base64 = text.split("<X509Certificate>").nth(1).unwrap().split('<').next().unwrap();
            let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
            let trusted = Certificate::from_any(pem.as_bytes()).unwrap();
            let issuer = text.split("entityID=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            Signed { whose, issuer, document, trusted }
        })
        .collect()
}

fn ours(document: &[u8], trusted: &Certificate) -> Result<(), Refused> {
    let text = signed_text(document.to_vec())?;
    verify(signed_tree(&text)?.root(), "ID", trusted).map(|_| ())
}

/// The same document with a byte changed in so many places all over it, but in the certificate it brings along: who was given
/// one does not look at that, and our verifier does.
fn changed(document: &[u8]) -> Vec<Vec<u8>> {
    let text = std::str::from_utf8(document).unwrap();
    let key_info = text.find("<KeyInfo").unwrap()..text.find("</KeyInfo>").unwrap() + 10;
    let places = (0..document.len()).step_by(document.len() / 24).filter(|at| !key_info.contains(at));
    let change = |at: usize| {
        let mut changed = document.to_vec();
        changed[at] ^= 1;
        changed
    };
    places.map(change).collect()
}

/// Asks others about each document as it is and changed: the first is taken, no other, by them as by us.
fn others_take_what_we_take(mut theirs: impl FnMut(&Signed, &[PathBuf]) -> Vec<bool>) {
    let scratch = tempfile::tempdir().unwrap();
    let own = [entra(SignatureForm::Prefixed), entra(SignatureForm::Unprefixed), adfs()];
    for signed in real().into_iter().chain(own) {
        let mut versions = vec![signed.document.clone()];
        versions.extend(changed(&signed.document));
        let files: Vec<_> =
            (0..versions.len()).map(|index| scratch.path().join(format!("{index}.xml"))).collect();
        for (file, version) in files.iter().zip(&versions) {
            fs::write(file, version).unwrap();
        }
        let wanted: Vec<_> = (0..versions.len()).map(|index| index == 0).collect();
        let taken: Vec<_> = versions.iter().map(|version| ours(version, &signed.trusted).is_ok()).collect();
        assert_eq!(taken, wanted, "{}, by us", signed.whose);
        assert_eq!(theirs(&signed, &files), wanted, "{}, by others", signed.whose);
    }
}

fn judged(judge: &Judge) {
    others_take_what_we_take(|signed, files| judge.takes(&signed.trusted, &signed.issuer, files));
}

#[test]
fn xmlsec1_and_our_verifier_take_the_same_metadata() {
    let Some(judge) = tools::there_or_skip(judges::xmlsec1()) else { return };
    judged(&judge);
}

#[test]
fn signxml_and_our_verifier_take_the_same_metadata() {
    let Some(judge) = tools::there_or_skip(judges::signxml()) else { return };
    judged(&judge);
}

#[test]
fn signed_xml_of_dotnet_and_our_verifier_take_the_same_metadata() {
    if tools::csharp().is_none() {
        return;
    }
    judged(&judges::signed_xml().unwrap());
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
