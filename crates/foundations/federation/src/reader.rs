//! FederationMetadata.xml as a WIF-based consumer reads it.
//!
//! Decides what such a consumer learns: the issuer, and from the role whose `xsi:type` *resolves* to
//! `SecurityTokenServiceType` in the WS-Federation namespace, whatever its prefix, the signing certificates and the passive
//! endpoint. Other roles, and anything unknown, are skipped. A document type declaration, entities beyond the five of XML,
//! deep nesting and oversized input are refused; the first thing wrong in the order of the document is what is said. The
//! signature is looked at only where a consumer has a certificate to hold it to and comes with a
//! [`Verified`](crate::Verified) element; otherwise what is read is only as trustworthy as the connection it came over.
//! Never fetches anything.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mocktenant_keys::Certificate;
use mocktenant_xml::{Budget, Declaration, Fault, Namespace, Node, Prefixes, Reading, Text, Wrong, clip};

use crate::names::{DSIG, FED, METADATA, WSA, XSI};
use crate::verification::Verified;

/// Largest accepted document: 2 MiB.
pub const MAX_METADATA_BYTES: usize = 2 * 1024 * 1024;
/// Deepest accepted nesting, the root being level 1.
const MAX_DEPTH: usize = 64;
/// What a document may hold; its bytes bound its elements.
pub(crate) const BUDGET: Budget =
    Budget { bytes: MAX_METADATA_BYTES, depth: MAX_DEPTH, elements: usize::MAX, attributes: 64 };
/// Most certificates read.
const MAX_CERTIFICATES: usize = 64;

/// What a consumer learns from federation metadata.
#[derive(Clone)]
pub struct FederationMetadata {
    /// `EntityDescriptor/@entityID`: the issuer.
    pub entity_id: String,
    /// The certificates of the token service's key descriptors for signing (those without `use` count), in document
    /// order. Possibly none.
    pub signing_certificates: Vec<Certificate>,
    /// The address of the first passive endpoint of the token service, if there is one.
    pub passive_endpoint: Option<String>,
}

/// Why federation metadata cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub kind: ReadErrorKind,
}

/// What is wrong with federation metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadErrorKind {
    /// More than [`MAX_METADATA_BYTES`].
    #[error("the document has {bytes} bytes, more than {MAX_METADATA_BYTES}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not UTF-8, or it declares another encoding.
    #[error("the document is not in UTF-8")]
    NotUtf8,
    /// Not well-formed XML with namespaces: what the parser says.
    #[error("not well-formed: {0}")]
    NotWellFormed(String),
    /// There is a document type declaration.
    #[error("a document type declaration is not accepted")]
    Dtd,
    /// Elements nest too deeply.
    #[error("elements nest more than {MAX_DEPTH} deep")]
    TooDeep,
    /// An element has more than 64 attributes, or the token service more than 64 certificates.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// The root is not `EntityDescriptor` of SAML 2.0 metadata.
    #[error("the root element is not an EntityDescriptor of SAML 2.0 metadata")]
    NotMetadata,
    /// The root has no `entityID`, or an empty one.
    #[error("EntityDescriptor has no entityID")]
    NoEntityId,
    /// No role is a WS-Federation security token service.
    #[error("no RoleDescriptor is of the type SecurityTokenServiceType")]
    NoTokenService,
    /// A certificate of the token service cannot be read.
    #[error("an X509Certificate cannot be read: {0}")]
    Certificate(String),
}

/// Reads a document.
pub fn read_metadata(bytes: &[u8]) -> Result<FederationMetadata, ReadError> {
    if bytes.len() > MAX_METADATA_BYTES {
        return Err(ReadError { line: 1, kind: ReadErrorKind::TooLarge { bytes: bytes.len() } });
    }
    let text = Text::utf8(bytes.to_vec(), BUDGET.bytes)
        .map_err(|fault| ReadError { line: fault.at.line as usize, kind: kind_of(&fault.wrong) })?;
    let Reading { declaration, tree, fault } = Reading::of(&text, &BUDGET, Prefixes::Declared);
    if let Some(declaration) = declaration.filter(is_foreign) {
        return Err(error_at(&text, declaration.span.end, ReadErrorKind::NotUtf8));
    }
    let mut learnt = Learnt::default();
    if let Some(tree) = &tree {
        // What was read before a fault stands before it in the document, so what is wrong there comes first.
        learnt.entity(tree.root())?;
    }
    if let Some(fault) = fault {
        return Err(error_at(&text, place_of(&fault), kind_of(&fault.wrong)));
    }
    learnt.complete().map_err(|kind| error_at(&text, text.as_str().len(), kind))
}

/// Reads what the owner of a certificate has signed.
pub fn read_verified(metadata: &Verified<Node<'_>>) -> Result<FederationMetadata, ReadError> {
    let root = *metadata.element();
    let mut learnt = Learnt::default();
    learnt.entity(root)?;
    let text = root.tree().source();
    learnt.complete().map_err(|kind| error_at(text, text.as_str().len(), kind))
}

/// Whether a declaration names another encoding than the one that is read.
pub(crate) fn is_foreign(declaration: &Declaration<'_>) -> bool {
    declaration.encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("utf-8"))
}

/// Where a fault is said to be: the end of the markup it is in, but the beginning of a closing tag.
fn place_of(fault: &Fault) -> usize {
    match fault.wrong {
        Wrong::NotOpen { .. }
        | Wrong::ClosingTag { .. }
        | Wrong::ClosedOutside { .. }
        | Wrong::Mismatched { .. } => fault.markup.start,
        _ => fault.markup.end,
    }
}

/// What the XML room found, in the words of this reader.
fn kind_of(wrong: &Wrong) -> ReadErrorKind {
    match wrong {
        Wrong::TooLarge { bytes, .. } => ReadErrorKind::TooLarge { bytes: *bytes },
        Wrong::Undecodable { .. } => ReadErrorKind::NotUtf8,
        Wrong::Doctype => ReadErrorKind::Dtd,
        Wrong::TooDeep { .. } => ReadErrorKind::TooDeep,
        Wrong::TooManyAttributes { .. } => ReadErrorKind::TooMany("attributes"),
        Wrong::NoElement => ReadErrorKind::NotMetadata,
        Wrong::Character(c) => ReadErrorKind::NotWellFormed(format!("the character U+{:04X}", u32::from(*c))),
        wrong => ReadErrorKind::NotWellFormed(wrong.to_string()),
    }
}

fn error_at(text: &Text, offset: usize, kind: ReadErrorKind) -> ReadError {
    ReadError { line: text.position(offset).line as usize, kind }
}

/// An error of an element's opening tag, on the line where the tag ends.
fn error_in_tag(node: Node<'_>, kind: ReadErrorKind) -> ReadError {
    error_at(node.tree().source(), node.opening().end, kind)
}

/// What was learnt so far.
#[derive(Default)]
struct Learnt {
    entity_id: Option<String>,
    token_service_seen: bool,
    certificates: Vec<Certificate>,
    passive_endpoint: Option<String>,
}

impl Learnt {
    fn entity(&mut self, root: Node<'_>) -> Result<(), ReadError> {
        if !root.is(METADATA.uri(), "EntityDescriptor") {
            return Err(error_in_tag(root, ReadErrorKind::NotMetadata));
        }
        let entity_id = root.value("entityID").filter(|id| !id.is_empty());
        let entity_id = entity_id.ok_or_else(|| error_in_tag(root, ReadErrorKind::NoEntityId))?;
        self.entity_id = Some(entity_id.to_owned());
        for role in root.children_in(METADATA.uri(), "RoleDescriptor") {
            if is_token_service(role)? {
                self.token_service(role)?;
            }
        }
        Ok(())
    }

    fn token_service(&mut self, role: Node<'_>) -> Result<(), ReadError> {
        self.token_service_seen = true;
        for part in role.children() {
            if part.is(METADATA.uri(), "KeyDescriptor")
                && part.value("use").is_none_or(|purpose| purpose == "signing")
            {
                for certificate in
                    below(part, &[(DSIG, "KeyInfo"), (DSIG, "X509Data"), (DSIG, "X509Certificate")])
                {
                    self.certificate(certificate)?;
                }
            } else if part.is(FED.uri(), "PassiveRequestorEndpoint") && self.passive_endpoint.is_none() {
                let addresses = below(part, &[(WSA, "EndpointReference"), (WSA, "Address")]);
                self.passive_endpoint = addresses.first().map(|address| address.text().trim().to_owned());
            }
        }
        Ok(())
    }

    fn certificate(&mut self, node: Node<'_>) -> Result<(), ReadError> {
        let error = |kind| error_at(node.tree().source(), node.span().end, kind);
        let unreadable = |why: String| error(ReadErrorKind::Certificate(why));
        if self.certificates.len() >= MAX_CERTIFICATES {
            return Err(error(ReadErrorKind::TooMany("certificates")));
        }
        let base64: String = node.text().split_ascii_whitespace().collect();
        let der = BASE64.decode(base64).map_err(|error| unreadable(error.to_string()))?;
        let certificate = Certificate::from_der(&der).map_err(|error| unreadable(error.to_string()))?;
        self.certificates.push(certificate);
        Ok(())
    }

    fn complete(self) -> Result<FederationMetadata, ReadErrorKind> {
        match self.entity_id {
            Some(entity_id) if self.token_service_seen => Ok(FederationMetadata {
                entity_id,
                signing_certificates: self.certificates,
                passive_endpoint: self.passive_endpoint,
            }),
            Some(_) => Err(ReadErrorKind::NoTokenService),
            None => Err(ReadErrorKind::NotMetadata),
        }
    }
}

/// Every element reached by these child names, in document order, that was read to its end.
fn below<'d>(node: Node<'d>, path: &[(Namespace, &str)]) -> Vec<Node<'d>> {
    let mut found = path.iter().fold(vec![node], |parents, (namespace, name)| {
        parents.into_iter().flat_map(|parent| parent.children_in(namespace.uri(), name)).collect()
    });
    found.retain(|node| node.is_complete());
    found
}

/// Resolves the value of `xsi:type` as a qualified name.
fn is_token_service(role: Node<'_>) -> Result<bool, ReadError> {
    let Some(xsi_type) = role.attribute_in(XSI.uri(), "type") else { return Ok(false) };
    match role.resolve(xsi_type.value()) {
        Some((namespace, local)) => Ok(namespace == FED.uri() && local == "SecurityTokenServiceType"),
        None => {
            let prefix = xsi_type.value().trim().split(':').next().unwrap_or_default();
            let undeclared = Wrong::UndeclaredPrefix { prefix: clip(prefix) };
            Err(error_in_tag(role, kind_of(&undeclared)))
        }
    }
}

/// Standard base64; Windows tools sometimes leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
