//! Enveloped XML signatures, verified: the one way to a [`Verified`] element.
//!
//! Decides whether an element carries a signature of the owner of a *given* certificate over all of it, in the one profile
//! that AD FS and Entra write: one signature in the document, a child of the element, with one reference to the
//! element's own id, the enveloped-signature transform and then exclusive canonicalisation, SHA-256, RSA with SHA-256
//! (XML Signature 1.1, as narrowed by SAML 2.0 core section 5.4). Whatever else there could be is refused by name before anything is
//! digested: what a signature may say is what attacks are made of. The certificate in `KeyInfo` has to be the given one,
//! and no key is ever taken from there.
//!
//! Never decides who is trusted, knows no time (a certificate's dates are its owner's affair) and fetches nothing. What it
//! takes and costs is bounded by [`MAX_SIGNED_BYTES`].

use std::collections::HashSet;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::{Algorithm, Certificate};
use mocktenant_xml::{
    Attribute, Canonical, Content, Fault, Node, Prefixes, Reading, Text, Tree, Uncanonical, Wrong, clip,
};

use crate::names::{DSIG, ENVELOPED, EXC_C14N, RSA_SHA256, SHA256};
use crate::reader::{BUDGET, MAX_METADATA_BYTES, is_foreign};

/// Largest accepted document: 2 MiB.
pub const MAX_SIGNED_BYTES: usize = MAX_METADATA_BYTES;
/// Most bytes of a canonical form; escapes and declarations make it longer than the text, repeated ones without end.
const MAX_CANONICAL_BYTES: usize = 4 * MAX_SIGNED_BYTES;
/// Most prefixes in a `PrefixList`.
const MAX_PREFIXES: usize = 16;
/// Attributes that some schema makes an id, besides those called `id` in whatever case and namespace.
const IDS: [&str; 3] = ["AssertionID", "RequestID", "ResponseID"];

/// An element whose signature was verified; there is no other way to one than [`verify`].
///
/// What the signature covers is the element's canonical form without the signature: names, attributes and text. A prefix that
/// only a value uses (`xsi:type="fed:..."`) is covered as text, its declaration is not, and neither is anything around the
/// element.
///
/// ```compile_fail,E0423
/// let made = mocktenant_federation::Verified("anything");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Verified<Element>(Element);

impl<Element> Verified<Element> {
    /// The element.
    pub fn element(&self) -> &Element {
        &self.0
    }
}

/// Why an element is not verified. Texts from the document are cut to a readable length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    // the text
    /// More than [`MAX_SIGNED_BYTES`].
    #[error("the document has {bytes} bytes, more than {MAX_SIGNED_BYTES}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not UTF-8, or it declares another encoding.
    #[error("the document is not in UTF-8")]
    NotUtf8,
    /// There is a document type declaration.
    #[error("a document type declaration is not accepted")]
    Doctype,
    /// There is an entity other than the five of XML.
    #[error("the entity {name} is not accepted")]
    Entity {
        /// Its name.
        name: String,
    },
    /// It is not well-formed, or holds too much.
    #[error("the document cannot be read: {0}")]
    Unreadable(Fault),
    /// What is signed has no canonical form here.
    #[error(transparent)]
    Canonical(#[from] Uncanonical),

    // what is signed by what
    /// The document has no signature.
    #[error("there is no signature")]
    NoSignature,
    /// The document has more than one signature.
    #[error("there are {count} signatures")]
    Signatures {
        /// How many.
        count: usize,
    },
    /// The signature is not a child of the element.
    #[error("the signature is not a child of the element it should sign")]
    SignatureElsewhere,
    /// The element has no id.
    #[error("the element has no {attribute}")]
    NoId {
        /// The attribute looked for.
        attribute: String,
    },
    /// An id stands twice in the document.
    #[error("the id {id} stands twice")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// Not one reference.
    #[error("the signature has {count} references")]
    References {
        /// How many.
        count: usize,
    },
    /// The reference does not point to the element.
    #[error("the signature's reference {uri:?} is not to the element it is in")]
    ReferenceElsewhere {
        /// What it says; empty for none.
        uri: String,
    },

    // how
    /// A part of the signature has other parts, attributes or text than it should, or in another order.
    #[error("{element} of the signature holds something else than it should")]
    Shape {
        /// The part.
        element: &'static str,
    },
    /// The canonicalisation of `SignedInfo` is not the exclusive one without comments.
    #[error("the canonicalisation {algorithm:?} is not accepted")]
    Canonicalization {
        /// What it is.
        algorithm: String,
    },
    /// The signature is not RSA with SHA-256.
    #[error("the signature method {algorithm:?} is not accepted")]
    SignatureMethod {
        /// What it is.
        algorithm: String,
    },
    /// The digest is not SHA-256.
    #[error("the digest method {algorithm:?} is not accepted")]
    DigestMethod {
        /// What it is.
        algorithm: String,
    },
    /// The transforms are not the enveloped-signature one and then exclusive canonicalisation without comments.
    #[error("the transforms {} are not accepted", .algorithms.join(", "))]
    Transforms {
        /// What they are; no more than the first four.
        algorithms: Vec<String>,
    },
    /// A value is not base64.
    #[error("{element} is not base64")]
    Base64 {
        /// The part.
        element: &'static str,
    },

    // by whom
    /// The certificate in the signature is not the trusted one.
    #[error("the certificate in the signature is not the trusted one")]
    OtherCertificate,
    /// The trusted certificate's key cannot verify.
    #[error("the trusted certificate's key cannot be used: {0}")]
    TrustedKey(String),
    /// The signature value is not one of the trusted key over `SignedInfo`.
    #[error("the signature does not verify with the trusted certificate")]
    SignatureMismatch,
    /// The element is not what was signed.
    #[error("the element is not what was signed: its digest is another one")]
    DigestMismatch,
}

/// The text of a document with something signed in it.
pub fn signed_text(bytes: Vec<u8>) -> Result<Text, Refused> {
    Text::utf8(bytes, BUDGET.bytes).map_err(unreadable)
}

/// Its tree, if it is XML within bounds.
pub fn signed_tree(text: &Text) -> Result<Tree<'_>, Refused> {
    let reading = Reading::of(text, &BUDGET, Prefixes::Declared);
    if reading.declaration.as_ref().is_some_and(is_foreign) {
        return Err(Refused::NotUtf8);
    }
    reading.complete().map_err(unreadable)
}

fn unreadable(fault: Fault) -> Refused {
    match fault.wrong {
        Wrong::TooLarge { bytes, .. } => Refused::TooLarge { bytes },
        Wrong::Undecodable { .. } => Refused::NotUtf8,
        Wrong::Doctype | Wrong::BrokenDoctype => Refused::Doctype,
        Wrong::Entity { name } => Refused::Entity { name },
        _ => Refused::Unreadable(fault),
    }
}

/// Verifies the signature of an element with a trusted certificate. `id_attribute` names the element's id: `ID` in SAML
/// 2.0 and metadata, `AssertionID` in SAML 1.1.
pub fn verify<'d>(
    element: Node<'d>,
    id_attribute: &str,
    trusted: &Certificate,
) -> Result<Verified<Node<'d>>, Refused> {
    let bytes = element.tree().source().bytes().len();
    if bytes > MAX_SIGNED_BYTES {
        return Err(Refused::TooLarge { bytes });
    }
    let signature = signature_of(element)?;
    let id = id_of(element, id_attribute)?;
    let [signed_info, value, key_info] =
        parts(signature, "Signature", ["SignedInfo", "SignatureValue", "KeyInfo"])?;
    let profile = Profile::read(signed_info, id)?;
    let value = base64(value, "SignatureValue")?;
    if certificate_in(key_info)? != trusted.der() {
        return Err(Refused::OtherCertificate);
    }

    let key = trusted.public_key().map_err(|error| Refused::TrustedKey(error.to_string()))?;
    let limit = MAX_CANONICAL_BYTES;
    let form = Canonical { inclusive: &profile.of_signed_info, without: None, limit };
    if !key.verify(Algorithm::Rs256, &signed_info.canonical_bytes(&form)?, &value) {
        return Err(Refused::SignatureMismatch);
    }
    let form = Canonical { inclusive: &profile.of_element, without: Some(signature), limit };
    let canonical = element.canonical_bytes(&form)?;
    if digest::digest(&digest::SHA256, &canonical).as_ref() != profile.digest {
        return Err(Refused::DigestMismatch);
    }
    Ok(Verified(element))
}

/// The one signature of the document, which is the element's.
fn signature_of(element: Node<'_>) -> Result<Node<'_>, Refused> {
    let mut all = element.tree().root().subtree().filter(|node| node.is(DSIG.uri(), "Signature"));
    let signature = all.next().ok_or(Refused::NoSignature)?;
    let more = all.count();
    if more > 0 {
        return Err(Refused::Signatures { count: 1 + more });
    }
    if signature.parent() != Some(element) {
        return Err(Refused::SignatureElsewhere);
    }
    Ok(signature)
}

/// The element's id, if no id of the document stands twice. Which one a reference is taken to mean must not depend on who looks.
fn id_of<'d>(element: Node<'d>, id_attribute: &str) -> Result<&'d str, Refused> {
    let id = element
        .value(id_attribute)
        .filter(|id| !id.is_empty())
        .ok_or_else(|| Refused::NoId { attribute: clip(id_attribute) })?;
    let mut seen = HashSet::new();
    for attribute in element.tree().root().subtree().flat_map(Node::attributes) {
        let name = attribute.name();
        let is_id = name.eq_ignore_ascii_case("id") || name == id_attribute || IDS.contains(&name);
        if is_id && !is_declaration(attribute.qualified_name()) && !seen.insert(attribute.value()) {
            return Err(Refused::DuplicateId { id: clip(attribute.value()) });
        }
    }
    Ok(id)
}

/// What `SignedInfo` says, once it is what it may be.
struct Profile<'d> {
    /// The inclusive prefixes of the canonical form of `SignedInfo` itself.
    of_signed_info: Vec<&'d str>,
    /// The same of the element.
    of_element: Vec<&'d str>,
    digest: Vec<u8>,
}

impl<'d> Profile<'d> {
    fn read(signed_info: Node<'d>, id: &str) -> Result<Self, Refused> {
        let shape = Refused::Shape { element: "SignedInfo" };
        let children = children(signed_info, "SignedInfo", &[])?;
        let [canonicalization, method, references @ ..] = children.as_slice() else { return Err(shape) };
        let named = canonicalization.is(DSIG.uri(), "CanonicalizationMethod")
            && method.is(DSIG.uri(), "SignatureMethod")
            && references.iter().all(|reference| reference.is(DSIG.uri(), "Reference"));
        if !named {
            return Err(shape);
        }
        let [reference] = references else {
            return Err(Refused::References { count: references.len() });
        };

        if algorithm(*canonicalization) != EXC_C14N {
            return Err(Refused::Canonicalization { algorithm: clip(algorithm(*canonicalization)) });
        }
        let of_signed_info = inclusive_prefixes(*canonicalization, "CanonicalizationMethod")?;
        if algorithm(*method) != RSA_SHA256 {
            return Err(Refused::SignatureMethod { algorithm: clip(algorithm(*method)) });
        }
        childless(*method, "SignatureMethod", &["Algorithm"])?;

        let uri = reference.value("URI").unwrap_or_default();
        if uri.strip_prefix('#') != Some(id) {
            return Err(Refused::ReferenceElsewhere { uri: clip(uri) });
        }
        let [transforms, digest_method, digest] =
            named_children(*reference, "Reference", &["URI"], ["Transforms", "DigestMethod", "DigestValue"])?;
        let of_element = transforms_of(transforms)?;
        if algorithm(digest_method) != SHA256 {
            return Err(Refused::DigestMethod { algorithm: clip(algorithm(digest_method)) });
        }
        childless(digest_method, "DigestMethod", &["Algorithm"])?;
        Ok(Self { of_signed_info, of_element, digest: base64(digest, "DigestValue")? })
    }
}

/// The inclusive prefixes of the last of the two transforms.
fn transforms_of(transforms: Node<'_>) -> Result<Vec<&str>, Refused> {
    let children = children(transforms, "Transforms", &[])?;
    if !children.iter().all(|child| child.is(DSIG.uri(), "Transform")) {
        return Err(Refused::Shape { element: "Transforms" });
    }
    let [enveloped, canonical] = children.as_slice() else { return Err(other_transforms(&children)) };
    if (algorithm(*enveloped), algorithm(*canonical)) != (ENVELOPED, EXC_C14N) {
        return Err(other_transforms(&children));
    }
    childless(*enveloped, "Transform", &["Algorithm"])?;
    inclusive_prefixes(*canonical, "Transform")
}

fn other_transforms(transforms: &[Node<'_>]) -> Refused {
    let algorithms = transforms.iter().take(4).map(|transform| clip(algorithm(*transform)));
    Refused::Transforms { algorithms: algorithms.collect() }
}

fn algorithm(node: Node<'_>) -> &str {
    node.value("Algorithm").unwrap_or_default()
}

/// The prefixes of `InclusiveNamespaces`, the only parameter of exclusive canonicalisation (its section 3).
fn inclusive_prefixes<'d>(node: Node<'d>, name: &'static str) -> Result<Vec<&'d str>, Refused> {
    let children = children(node, name, &["Algorithm"])?;
    let shape = Refused::Shape { element: "InclusiveNamespaces" };
    match children.as_slice() {
        [] => Ok(Vec::new()),
        [list] if list.is(EXC_C14N, "InclusiveNamespaces") => {
            childless(*list, "InclusiveNamespaces", &["PrefixList"])?;
            let prefixes: Vec<_> =
                list.value("PrefixList").ok_or(shape.clone())?.split_ascii_whitespace().collect();
            if prefixes.len() > MAX_PREFIXES { Err(shape) } else { Ok(prefixes) }
        }
        _ => Err(Refused::Shape { element: name }),
    }
}

/// The certificate that `KeyInfo` carries, which is all it may carry.
fn certificate_in(key_info: Node<'_>) -> Result<Vec<u8>, Refused> {
    let [data] = parts(key_info, "KeyInfo", ["X509Data"])?;
    let [certificate] = parts(data, "X509Data", ["X509Certificate"])?;
    base64(certificate, "X509Certificate")
}

/// The children of a part of the signature that has just these and no attributes.
fn parts<'d, const N: usize>(
    node: Node<'d>,
    element: &'static str,
    names: [&'static str; N],
) -> Result<[Node<'d>; N], Refused> {
    named_children(node, element, &[], names)
}

fn named_children<'d, const N: usize>(
    node: Node<'d>,
    element: &'static str,
    attributes: &[&str],
    names: [&'static str; N],
) -> Result<[Node<'d>; N], Refused> {
    let found = children(node, element, attributes)?;
    let found = <[Node<'d>; N]>::try_from(found).map_err(|_| Refused::Shape { element })?;
    let as_named = found.iter().zip(names).all(|(child, name)| child.is(DSIG.uri(), name));
    if as_named { Ok(found) } else { Err(Refused::Shape { element }) }
}

/// All children, if there is nothing but white space between them and no attribute but these and declarations.
fn children<'d>(
    node: Node<'d>,
    element: &'static str,
    attributes: &[&str],
) -> Result<Vec<Node<'d>>, Refused> {
    let blank = |run: &str| run.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
    let no_text = node.content().all(|content| match content {
        Content::Element(_) => true,
        Content::Text(run) => blank(run.value),
    });
    if no_text && only_attributes(node, attributes) {
        Ok(node.children().collect())
    } else {
        Err(Refused::Shape { element })
    }
}

fn childless(node: Node<'_>, element: &'static str, attributes: &[&str]) -> Result<(), Refused> {
    if children(node, element, attributes)?.is_empty() { Ok(()) } else { Err(Refused::Shape { element }) }
}

fn only_attributes(node: Node<'_>, allowed: &[&str]) -> bool {
    node.attributes()
        .map(Attribute::qualified_name)
        .all(|name| is_declaration(name) || allowed.contains(&name))
}

fn is_declaration(attribute: &str) -> bool {
    attribute == "xmlns" || attribute.starts_with("xmlns:")
}

/// The octets in a part that holds nothing but base64 and white space.
fn base64(node: Node<'_>, element: &'static str) -> Result<Vec<u8>, Refused> {
    if node.children().next().is_some() || !only_attributes(node, &[]) {
        return Err(Refused::Shape { element });
    }
    let text: String = node.text().split_ascii_whitespace().collect();
    STANDARD.decode(text).map_err(|_| Refused::Base64 { element })
}
