//! FederationMetadata.xml as a WIF-based consumer reads it.
//!
//! Decides what such a consumer learns: the issuer, and from the role whose `xsi:type` *resolves* to
//! `SecurityTokenServiceType` in the WS-Federation namespace, whatever its prefix, the signing certificates and the passive
//! endpoint. Other roles, and anything unknown, are skipped. A document type declaration, entities beyond the five of XML,
//! deep nesting and oversized input are refused. The signature is *not* verified yet, so what is read is only as
//! trustworthy as the connection it came over. Never fetches anything.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mocktenant_keys::Certificate;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{PrefixDeclaration, QName, ResolveResult};
use quick_xml::reader::NsReader;

use crate::canonical::is_xml_character;
use crate::names::{DSIG, FED, METADATA, WSA, XSI};

/// Largest accepted document: 2 MiB.
pub const MAX_METADATA_BYTES: usize = 2 * 1024 * 1024;
/// Deepest accepted nesting, the root being level 1.
const MAX_DEPTH: usize = 64;
/// Most attributes on one element; comparing them with each other costs the square.
const MAX_ATTRIBUTES: usize = 64;
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
    let at_line = |line, kind| ReadError { line, kind };
    if bytes.len() > MAX_METADATA_BYTES {
        return Err(at_line(1, ReadErrorKind::TooLarge { bytes: bytes.len() }));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            // everything before the fault is UTF-8, and a line feed is one byte in it
            return Err(at_line(line_at(bytes, error.valid_up_to()), ReadErrorKind::NotUtf8));
        }
    };
    if let Some((position, character)) =
        text.char_indices().find(|(_, character)| !is_xml_character(*character))
    {
        let kind = ReadErrorKind::NotWellFormed(format!("the character U+{:04X}", u32::from(character)));
        return Err(at_line(line_at(text.as_bytes(), position), kind));
    }
    Reading::new(text).run()
}

fn line_at(bytes: &[u8], position: usize) -> usize {
    1 + bytes.iter().take(position).filter(|byte| **byte == b'\n').count()
}

/// Where the reading stands: only the places something is read from have a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Entity,
    TokenService,
    SigningKey,
    KeyInfo,
    X509Data,
    Certificate,
    Passive,
    EndpointReference,
    Address,
    Elsewhere,
}

struct Reading<'t> {
    text: &'t str,
    reader: NsReader<&'t [u8]>,
    /// The open elements, innermost last.
    places: Vec<Place>,
    /// The text of the certificate or address being read.
    content: String,
    entity_id: Option<String>,
    token_service_seen: bool,
    certificates: Vec<Certificate>,
    passive_endpoint: Option<String>,
}

impl<'t> Reading<'t> {
    fn new(text: &'t str) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_comments = true;
        Self {
            text,
            reader,
            places: Vec::new(),
            content: String::new(),
            entity_id: None,
            token_service_seen: false,
            certificates: Vec::new(),
            passive_endpoint: None,
        }
    }

    fn run(mut self) -> Result<FederationMetadata, ReadError> {
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let position = self.reader.error_position();
                    return Err(self.error_at(position, ReadErrorKind::NotWellFormed(error.to_string())));
                }
            };
            let done = matches!(event, Event::Eof);
            self.event(event).map_err(|kind| self.error_at(self.reader.buffer_position(), kind))?;
            if done {
                break;
            }
        }
        let end = self.reader.buffer_position();
        match self.entity_id.take() {
            Some(entity_id) if self.token_service_seen => Ok(FederationMetadata {
                entity_id,
                signing_certificates: self.certificates,
                passive_endpoint: self.passive_endpoint,
            }),
            Some(_) => Err(self.error_at(end, ReadErrorKind::NoTokenService)),
            None => Err(self.error_at(end, ReadErrorKind::NotMetadata)),
        }
    }

    fn error_at(&self, position: u64, kind: ReadErrorKind) -> ReadError {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        ReadError { line: line_at(self.text.as_bytes(), position), kind }
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), ReadErrorKind> {
        match event {
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
                None => Ok(()),
                Some(_) => Err(ReadErrorKind::NotUtf8),
            },
            Event::DocType(_) => Err(ReadErrorKind::Dtd),
            Event::Start(start) => self.start(&start),
            Event::End(_) => self.end(),
            Event::Text(text) => self.characters(&text.xml10_content()),
            Event::CData(text) => {
                if self.places.is_empty() {
                    return Err(not_well_formed("a CDATA section outside the root element"));
                }
                self.characters(&text.xml10_content())
            }
            Event::GeneralRef(reference) => {
                if self.places.is_empty() {
                    return Err(not_well_formed("a reference outside the root element"));
                }
                let character = match &*reference {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => reference
                        .resolve_char_ref()
                        .ok()
                        .flatten()
                        .filter(|character| is_xml_character(*character))
                        .ok_or_else(|| not_well_formed("a reference to an unknown entity or character"))?,
                };
                self.content_for_current(|content| content.push(character));
                Ok(())
            }
            Event::Eof if !self.places.is_empty() => {
                Err(not_well_formed("the document ends inside an element"))
            }
            Event::Eof | Event::Comment(_) | Event::PI(_) | Event::Empty(_) => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), ReadErrorKind> {
        if self.places.len() >= MAX_DEPTH {
            return Err(ReadErrorKind::TooDeep);
        }
        if self.places.is_empty() && self.entity_id.is_some() {
            return Err(not_well_formed("a second root element"));
        }
        let attributes = self.attributes(start)?;
        let (namespace, local) = self.reader.resolver().resolve_element(start.name());
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.into_inner(),
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(prefix) => return Err(undeclared(&prefix)),
        };
        let is = |expected: &str, name: &str| namespace == expected && local.into_inner() == name;
        let place = match self.places.last() {
            None if is(METADATA.uri(), "EntityDescriptor") => Place::Entity,
            None => return Err(ReadErrorKind::NotMetadata),
            Some(Place::Entity)
                if is(METADATA.uri(), "RoleDescriptor") && self.is_token_service(&attributes)? =>
            {
                Place::TokenService
            }
            Some(Place::TokenService) if is(METADATA.uri(), "KeyDescriptor") && attributes.signs => {
                Place::SigningKey
            }
            Some(Place::SigningKey) if is(DSIG.uri(), "KeyInfo") => Place::KeyInfo,
            Some(Place::KeyInfo) if is(DSIG.uri(), "X509Data") => Place::X509Data,
            Some(Place::X509Data) if is(DSIG.uri(), "X509Certificate") => Place::Certificate,
            Some(Place::TokenService) if is(FED.uri(), "PassiveRequestorEndpoint") => Place::Passive,
            Some(Place::Passive) if is(WSA.uri(), "EndpointReference") => Place::EndpointReference,
            Some(Place::EndpointReference) if is(WSA.uri(), "Address") => Place::Address,
            Some(_) => Place::Elsewhere,
        };
        match place {
            Place::Entity => {
                let id = attributes.entity_id.filter(|id| !id.is_empty()).ok_or(ReadErrorKind::NoEntityId)?;
                self.entity_id = Some(id);
            }
            Place::TokenService => self.token_service_seen = true,
            Place::Certificate | Place::Address => self.content.clear(),
            _ => {}
        }
        self.places.push(place);
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReadErrorKind> {
        match self.places.pop() {
            Some(Place::Certificate) => {
                if self.certificates.len() >= MAX_CERTIFICATES {
                    return Err(ReadErrorKind::TooMany("certificates"));
                }
                let base64: String = self.content.split_ascii_whitespace().collect();
                let der =
                    BASE64.decode(base64).map_err(|error| ReadErrorKind::Certificate(error.to_string()))?;
                let certificate = Certificate::from_der(&der)
                    .map_err(|error| ReadErrorKind::Certificate(error.to_string()))?;
                self.certificates.push(certificate);
            }
            Some(Place::Address) if self.passive_endpoint.is_none() => {
                self.passive_endpoint = Some(self.content.trim().to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn characters(&mut self, text: &str) -> Result<(), ReadErrorKind> {
        if self.places.is_empty() && !text.chars().all(|character| character.is_ascii_whitespace()) {
            return Err(not_well_formed("text outside the root element"));
        }
        self.content_for_current(|content| content.push_str(text));
        Ok(())
    }

    fn content_for_current(&mut self, append: impl FnOnce(&mut String)) {
        if matches!(self.places.last(), Some(Place::Certificate | Place::Address)) {
            append(&mut self.content);
        }
    }

    /// The attributes anything depends on; all of them are checked.
    fn attributes(&self, start: &BytesStart<'_>) -> Result<Attributes, ReadErrorKind> {
        let mut read = Attributes { entity_id: None, xsi_type: None, signs: true };
        for (index, attribute) in start.attributes().enumerate() {
            if index >= MAX_ATTRIBUTES {
                return Err(ReadErrorKind::TooMany("attributes"));
            }
            let attribute = attribute.map_err(|error| not_well_formed(&error.to_string()))?;
            if attribute.value.contains('<') {
                return Err(not_well_formed("< in an attribute value"));
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| not_well_formed(&error.to_string()))?;
            if let Some(declared) = attribute.key.as_namespace_binding() {
                // unbinding a prefix is not part of Namespaces in XML 1.0
                if matches!(declared, PrefixDeclaration::Named(_)) && value.is_empty() {
                    return Err(not_well_formed("a prefix bound to nothing"));
                }
                continue;
            }
            let (namespace, local) = self.reader.resolver().resolve_attribute(attribute.key);
            match (namespace, local.into_inner()) {
                (ResolveResult::Unknown(prefix), _) => return Err(undeclared(&prefix)),
                (ResolveResult::Unbound, "entityID") => read.entity_id = Some(value.into_owned()),
                (ResolveResult::Unbound, "use") => read.signs = &*value == "signing",
                (ResolveResult::Bound(namespace), "type") if namespace.into_inner() == XSI.uri() => {
                    read.xsi_type = Some(value.into_owned());
                }
                _ => {}
            }
        }
        Ok(read)
    }

    /// Resolves the value of `xsi:type` as a qualified name, the default namespace included (XML Schema part 2, `QName`).
    fn is_token_service(&self, attributes: &Attributes) -> Result<bool, ReadErrorKind> {
        let Some(value) = &attributes.xsi_type else { return Ok(false) };
        let (namespace, local) = self.reader.resolver().resolve_element(QName(value.trim()));
        match namespace {
            ResolveResult::Bound(namespace) => {
                Ok(namespace.into_inner() == FED.uri() && local.into_inner() == "SecurityTokenServiceType")
            }
            ResolveResult::Unbound => Ok(false),
            ResolveResult::Unknown(prefix) => Err(undeclared(&prefix)),
        }
    }
}

struct Attributes {
    entity_id: Option<String>,
    xsi_type: Option<String>,
    /// Whether `use` is absent or `signing`.
    signs: bool,
}

/// Standard base64; Windows tools sometimes leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn not_well_formed(why: &str) -> ReadErrorKind {
    ReadErrorKind::NotWellFormed(why.to_owned())
}

fn undeclared(prefix: &str) -> ReadErrorKind {
    let short: String = prefix.chars().take(64).collect();
    ReadErrorKind::NotWellFormed(format!("the prefix {short} is not declared"))
}
