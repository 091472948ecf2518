//! Metadata as written, and as a consumer reads it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use bergshamra_c14n::{C14nMode, canonicalize};
use mocktenant_federation::{
    EntraMetadata, MAX_METADATA_BYTES, MetadataError, ReadErrorKind, SignError, SignatureForm, Signer,
    read_metadata,
};
use mocktenant_keys::{Algorithm, Certificate, shipped};
use proptest::prelude::*;

const ID: &str = "_11111111-2222-3333-4444-555555555555";
const ENTITY: &str = "https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/";
const BASE: &str = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee";

fn certificates() -> Vec<Certificate> {
    vec![shipped::token_signing().certificate().clone(), shipped::token_signing_next().certificate().clone()]
}

fn signer(form: SignatureForm) -> Signer<'static> {
    let identity = shipped::token_signing();
    Signer { key: identity.key(), certificate: identity.certificate(), form }
}

fn written(form: SignatureForm) -> String {
    let certificates = certificates();
    let metadata =
        EntraMetadata { id: ID, entity_id: ENTITY, endpoint_base: BASE, signing_certificates: &certificates };
    String::from_utf8(metadata.to_bytes(signer(form)).unwrap()).unwrap()
}

/// A document with the given content in its token service role.
fn with_role(content: &str) -> String {
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"urn:x\">\n\
         <RoleDescriptor xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:wf=\"http://docs.oasis-open.org/wsfed/federation/200706\" \
         i:type=\"wf:SecurityTokenServiceType\">\n{content}</RoleDescriptor></EntityDescriptor>"
    )
}

fn refused(text: impl AsRef<[u8]>) -> (usize, ReadErrorKind) {
    match read_metadata(text.as_ref()) {
        Ok(_) => panic!("read"),
        Err(error) => (error.line, error.kind),
    }
}

#[test]
fn what_is_written_is_read() {
    for form in [SignatureForm::Unprefixed, SignatureForm::Prefixed] {
        let read = read_metadata(written(form).as_bytes()).unwrap();
        assert_eq!(read.entity_id, ENTITY);
        assert_eq!(read.passive_endpoint.as_deref(), Some(format!("{BASE}/wsfed").as_str()));
        let thumbprints: Vec<_> = read.signing_certificates.iter().map(Certificate::thumbprint).collect();
        assert_eq!(thumbprints, certificates().iter().map(Certificate::thumbprint).collect::<Vec<_>>());
    }
}

#[test]
fn the_document_has_the_shape_of_entras() {
    let text = written(SignatureForm::Unprefixed);
    let start = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EntityDescriptor ID=\"{ID}\" entityID=\"{ENTITY}\" \
         xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"><Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo>\
         <CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\" /><SignatureMethod "
    );
    assert!(text.starts_with(&start), "{}", &text[..400]);
    assert!(!text.contains('\n'));
    assert!(text.contains(
        "<RoleDescriptor xsi:type=\"fed:SecurityTokenServiceType\" \
         protocolSupportEnumeration=\"http://docs.oasis-open.org/wsfed/federation/200706\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:fed=\"http://docs.oasis-open.org/wsfed/federation/200706\"><KeyDescriptor use=\"signing\">\
         <KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>MII"
    ));
    assert!(text.contains(&format!(
        "<fed:PassiveRequestorEndpoint><wsa:EndpointReference xmlns:wsa=\"http://www.w3.org/2005/08/addressing\">\
         <wsa:Address>{BASE}/wsfed</wsa:Address></wsa:EndpointReference></fed:PassiveRequestorEndpoint>"
    )));
    let tree = roxmltree::Document::parse(&text).unwrap();
    let children: Vec<_> =
        tree.root_element().children().map(|node| node.tag_name().name().to_owned()).collect();
    assert_eq!(children, ["Signature", "RoleDescriptor", "RoleDescriptor", "IDPSSODescriptor"]);
    let parts = |index: usize| {
        let role = tree.root_element().children().nth(index).unwrap();
        role.children().map(|node| node.tag_name().name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        parts(1),
        [
            "KeyDescriptor",
            "KeyDescriptor",
            "ClaimTypesOffered",
            "SecurityTokenServiceEndpoint",
            "PassiveRequestorEndpoint"
        ]
    );
    assert_eq!(
        parts(2),
        [
            "KeyDescriptor",
            "KeyDescriptor",
            "TargetScopes",
            "ApplicationServiceEndpoint",
            "PassiveRequestorEndpoint"
        ]
    );
    assert_eq!(
        parts(3),
        [
            "KeyDescriptor",
            "KeyDescriptor",
            "SingleLogoutService",
            "SingleSignOnService",
            "SingleSignOnService"
        ]
    );
}

#[test]
fn digest_and_signature_hold_over_an_independent_canonicalisation() {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    for (form, prefix) in [(SignatureForm::Unprefixed, ""), (SignatureForm::Prefixed, "ds:")] {
        let text = written(form);
        let between = |from: String, to: String| {
            let start = text.find(&from).unwrap();
            let end = start + text[start..].find(&to).unwrap() + to.len();
            start..end
        };
        let value = |element: &str| {
            let range = between(format!("<{prefix}{element}>"), format!("</{prefix}{element}>"));
            let inner = &text[range];
            inner[inner.find('>').unwrap() + 1..inner.rfind('<').unwrap()].to_owned()
        };
        let c14n = |xml: &str| canonicalize::<&str>(xml, C14nMode::Exclusive, None, &[]).unwrap();

        let signature = between(format!("<{prefix}Signature "), format!("</{prefix}Signature>"));
        let mut unsigned = text.clone();
        unsigned.replace_range(signature, "");
        assert_eq!(value("DigestValue"), STANDARD.encode(digest(&SHA256, &c14n(&unsigned))));

        let signed_info = between(format!("<{prefix}SignedInfo>"), format!("</{prefix}SignedInfo>"));
        let declaration =
            prefix.strip_suffix(':').map_or_else(|| "xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
        let standalone = text[signed_info].replacen(
            "SignedInfo>",
            &format!("SignedInfo {declaration}=\"http://www.w3.org/2000/09/xmldsig#\">"),
            1,
        );
        let bytes = STANDARD.decode(value("SignatureValue")).unwrap();
        assert!(shipped::token_signing().key().public().verify(Algorithm::Rs256, &c14n(&standalone), &bytes));
    }
}

#[test]
fn the_prefixed_form_declares_the_namespace_again_for_key_info() {
    let text = written(SignatureForm::Prefixed);
    assert!(
        text.contains("<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo><ds:Can")
    );
    assert!(
        text.contains("</ds:SignatureValue><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>")
    );
    assert!(text.contains("</KeyInfo></ds:Signature><RoleDescriptor "));
}

#[test]
fn metadata_that_cannot_be_signed_is_refused() {
    let certificates = certificates();
    let with = |id, entity_id, signing_certificates| {
        EntraMetadata { id, entity_id, endpoint_base: BASE, signing_certificates }
            .to_bytes(signer(SignatureForm::Unprefixed))
            .unwrap_err()
    };
    assert_eq!(with(ID, ENTITY, &[]), MetadataError::NoCertificate);
    assert_eq!(with("1 2", ENTITY, &certificates), MetadataError::Sign(SignError::NoId { attribute: "ID" }));
    assert!(matches!(with(ID, "a\u{0}", &certificates), MetadataError::Sign(SignError::Unwritable(_))));
}

#[test]
fn the_role_is_found_by_its_resolved_name_whatever_the_prefix() {
    let read = read_metadata(with_role("<KeyDescriptor/>").as_bytes()).unwrap();
    assert_eq!(read.entity_id, "urn:x");
    assert!(read.signing_certificates.is_empty() && read.passive_endpoint.is_none());

    // the familiar spelling in another namespace is another type
    let other = with_role("").replace("http://docs.oasis-open.org/wsfed/federation/200706", "urn:other");
    assert_eq!(refused(other).1, ReadErrorKind::NoTokenService);
}

#[test]
fn only_signing_keys_and_the_first_passive_address_of_the_token_service_count() {
    let certificate = shipped::token_signing().certificate().base64_der();
    let key = |attributes: &str| {
        format!(
            "<KeyDescriptor{attributes}><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>\n  \
             {certificate}&#xA;</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        )
    };
    let passive = |address: &str| {
        format!(
            "<wf:PassiveRequestorEndpoint><EndpointReference xmlns=\"http://www.w3.org/2005/08/addressing\"><Address>\
             {address}</Address></EndpointReference></wf:PassiveRequestorEndpoint>"
        )
    };
    let content = [
        key(" use=\"encryption\""),
        key(" use=\"signing\""),
        key(""),
        passive(" https://a.example/?x=1&amp;y=<![CDATA[2]]> "),
        passive("https://b.example/"),
    ]
    .concat();
    let read = read_metadata(with_role(&content).as_bytes()).unwrap();
    assert_eq!(read.signing_certificates.len(), 2);
    assert_eq!(read.passive_endpoint.as_deref(), Some("https://a.example/?x=1&y=2"));
}

#[test]
fn bad_metadata_is_refused_with_its_line() {
    let start = "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"urn:x\">";
    assert_eq!(refused("").1, ReadErrorKind::NotMetadata);
    assert_eq!(refused("<html/>"), (1, ReadErrorKind::NotMetadata));
    assert_eq!(refused("\n<EntityDescriptor entityID=\"x\"/>"), (2, ReadErrorKind::NotMetadata));
    assert_eq!(refused(start.replace("urn:x", "") + "</EntityDescriptor>").1, ReadErrorKind::NoEntityId);
    assert_eq!(refused(format!("{start}</EntityDescriptor>")), (1, ReadErrorKind::NoTokenService));
    assert_eq!(refused(format!("\n<!DOCTYPE a [<!ENTITY b \"c\">]>{start}")), (2, ReadErrorKind::Dtd));
    assert_eq!(refused("a\nb\n\u{0}"), (3, ReadErrorKind::NotWellFormed("the character U+0000".to_owned())));
    assert_eq!(refused(b"a\nb\n\xff"), (3, ReadErrorKind::NotUtf8));
    assert_eq!(refused("<?xml version=\"1.0\" encoding=\"utf-16\"?>").1, ReadErrorKind::NotUtf8);
    assert_eq!(refused([0xff, 0xfe, b'<', 0]).1, ReadErrorKind::NotUtf8);
    assert_eq!(
        refused(vec![b' '; MAX_METADATA_BYTES + 1]).1,
        ReadErrorKind::TooLarge { bytes: MAX_METADATA_BYTES + 1 }
    );
    let deep = format!("{start}{}", "<a>".repeat(100_000));
    assert_eq!(refused(deep).1, ReadErrorKind::TooDeep);
    let attributes: String =
        ('a'..='z').flat_map(|a| ('a'..='z').map(move |b| [' ', a, b, '=', '"', '"'])).flatten().collect();
    assert_eq!(
        refused(format!("{start}<a{attributes}/></EntityDescriptor>")).1,
        ReadErrorKind::TooMany("attributes")
    );
    for (line, text) in [
        (1, start.to_owned()),
        (2, format!("{start}\n</Other>")),
        (2, format!("{start}\n&bomb;</EntityDescriptor>")),
        (1, format!("{start}&#0;</EntityDescriptor>")),
        (1, format!("{start}<x:a/></EntityDescriptor>")),
        (1, format!("{start}<a x:b=\"\"/></EntityDescriptor>")),
        (1, format!("{start}<a b=\"\" b=\"\"/></EntityDescriptor>")),
        (1, format!("{start}<a b=\"<\"/></EntityDescriptor>")),
        (1, format!("{start}<a b=\"&bomb;\"/></EntityDescriptor>")),
        (1, format!("{start}<a xmlns:b=\"\"/></EntityDescriptor>")),
        (2, format!("{start}</EntityDescriptor>\n{start}</EntityDescriptor>")),
        (1, format!("{start}</EntityDescriptor>rest")),
        (1, with_role("").replace("wf:Security", "unknown:Security").replace('\n', "")),
    ] {
        let (found, kind) = refused(&text);
        assert!(matches!(kind, ReadErrorKind::NotWellFormed(_)), "{kind} for {text}");
        assert_eq!(found, line, "{kind} for {text}");
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_named_with_its_line() {
    for broken in ["not base64!", "AAAA", ""] {
        let (line, kind) = refused(with_role(&format!(
            "<KeyDescriptor><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\n\
             <X509Certificate>{broken}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        )));
        assert!(matches!(kind, ReadErrorKind::Certificate(_)), "{kind}");
        assert_eq!(line, 4);
    }
}

#[test]
fn a_byte_order_mark_is_no_obstacle() {
    let text = format!("\u{feff}{}", written(SignatureForm::Unprefixed));
    assert!(read_metadata(text.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn reading_anything_never_panics(bytes in any::<Vec<u8>>()) {
        let _ = read_metadata(&bytes);
    }

    #[test]
    fn reading_damaged_metadata_never_panics(at in 0_usize..2_000, cut in 0_usize..40, junk in "[<>&;/\"'a-z:= !\\[\\]#0x-]{0,12}") {
        let mut text = with_role("<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
            <X509Certificate>AAAA</X509Certificate></X509Data></KeyInfo></KeyDescriptor><wf:PassiveRequestorEndpoint/>");
        let start = at % text.len();
        let end = (start + cut).min(text.len());
        text.replace_range(start..end, &junk);
        let _ = read_metadata(text.as_bytes());
    }
}
