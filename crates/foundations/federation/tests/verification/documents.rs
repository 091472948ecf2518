//! What the tests verify: a small document signed as a test wants it, our own metadata, and those of real servers.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_federation::{
    EntraMetadata, Refused, SignatureForm, Signer, signed_text, signed_tree, verify,
};
use mocktenant_keys::{Algorithm, Certificate, shipped};
use mocktenant_xml::{Canonical, Node};

pub(crate) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// A small document whose signature is made by [`signed`].
pub(crate) const TEMPLATE: &str = "<m:E xmlns:m=\"urn:m\" ID=\"_1\" xmlns:x=\"urn:x\"><ds:Signature \
    xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo><ds:CanonicalizationMethod \
    Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/><ds:SignatureMethod \
    Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/><ds:Reference URI=\"#_1\"><ds:Transforms><ds:Transform \
    Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><ds:Transform \
    Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms><ds:DigestMethod \
    Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>\
    </ds:SignedInfo><ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}\
    </ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature><m:a b=\"1\"  c='2'>text &amp; <!-- c -->more</m:a>\
    <m:d Id=\"_2\"/></m:E>";

/// The certificate of everything signed here.
pub(crate) fn trusted() -> &'static Certificate {
    shipped::token_signing().certificate()
}

/// What makes a template's `{digest}`, `{value}` and `{certificate}` true, however its profile was changed: a document
/// that is refused is so for what it says, not for a wrong value in it.
pub(crate) fn signed(template: &str) -> String {
    let text = template.replace("{certificate}", &trusted().base64_der());
    let digested = with_root(&text, |root| {
        let signature = root.subtree().find(|node| node.is(DSIG, "Signature")).unwrap();
        canonical(signature.parent().unwrap(), &listed(root, "Transform"), Some(signature))
    });
    let text = text.replace("{digest}", &STANDARD.encode(digest(&SHA256, &digested)));
    let signed_info = with_root(&text, |root| {
        let signed_info = root.subtree().find(|node| node.is(DSIG, "SignedInfo")).unwrap();
        canonical(signed_info, &listed(root, "CanonicalizationMethod"), None)
    });
    let value = shipped::token_signing().key().sign(Algorithm::Rs256, &signed_info).unwrap();
    text.replace("{value}", &STANDARD.encode(value))
}

pub(crate) fn with_root<T>(text: &str, look: impl FnOnce(Node<'_>) -> T) -> T {
    let text = signed_text(text.as_bytes().to_vec()).unwrap();
    let tree = signed_tree(&text).unwrap();
    look(tree.root())
}

pub(crate) fn canonical(node: Node<'_>, inclusive: &[&str], without: Option<Node<'_>>) -> Vec<u8> {
    node.canonical_bytes(&Canonical { inclusive, without, limit: 1 << 24 }).unwrap()
}

/// The prefixes listed for a step of the signature.
fn listed<'d>(root: Node<'d>, step: &str) -> Vec<&'d str> {
    let steps = root.subtree().filter(|node| node.is(DSIG, step)).flat_map(Node::children);
    let lists = steps.filter_map(|list| list.value("PrefixList"));
    lists.flat_map(str::split_ascii_whitespace).collect()
}

/// What a verified document says: the canonical form of its root without the signature.
pub(crate) fn verified(document: &[u8], trusted: &Certificate) -> Result<Vec<u8>, Refused> {
    let text = signed_text(document.to_vec())?;
    let tree = signed_tree(&text)?;
    let verified = verify(tree.root(), "ID", trusted)?;
    Ok(content(*verified.element()))
}

/// An element without the signature in it.
pub(crate) fn content(node: Node<'_>) -> Vec<u8> {
    canonical(node, &listed(node, "Transform"), node.children_in(DSIG, "Signature").next())
}

pub(crate) fn refused(document: &str) -> Refused {
    match verified(document.as_bytes(), trusted()) {
        Ok(_) => panic!("verified: {document}"),
        Err(refused) => refused,
    }
}

/// Metadata as this crate writes it.
pub(crate) fn own(form: SignatureForm) -> Vec<u8> {
    let identity = shipped::token_signing();
    let certificates = [identity.certificate().clone(), shipped::token_signing_next().certificate().clone()];
    let metadata = EntraMetadata {
        id: "_11111111-2222-3333-4444-555555555555",
        entity_id: "https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/",
        endpoint_base: "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee",
        signing_certificates: &certificates,
    };
    metadata.to_bytes(Signer { key: identity.key(), certificate: identity.certificate(), form }).unwrap()
}

/// A real server's metadata and the certificate in its own signature, from beside the repository; none says why.
pub(crate) fn real(version: u32) -> Option<(Vec<u8>, Certificate)> {
    let path = format!(
        "{}/../../../../shared/testdata/adfs/adfs-v{version}-metadata.xml",
        env!("CARGO_MANIFEST_DIR")
    );
    let Ok(document) = std::fs::read(&path) else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
        {
            eprintln!("skipped: adfs-v{version}-metadata.xml does not lie beside the repository");
        }
        return None;
    };
    let text = signed_text(document.clone()).unwrap();
    let tree = signed_tree(&text).unwrap();
    let certificate = certificate_of(tree.root(), &["Signature"]);
    Some((document, certificate))
}

/// The certificate in the first `KeyInfo` of what is there.
pub(crate) fn certificate_of(node: Node<'_>, path: &[&str]) -> Certificate {
    let path = [path, &["KeyInfo", "X509Data", "X509Certificate"]].concat();
    let der = STANDARD.decode(&*node.descend(&path)[0].text()).unwrap();
    Certificate::from_der(&der).unwrap()
}
