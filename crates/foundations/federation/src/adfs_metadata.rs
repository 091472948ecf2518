//! FederationMetadata.xml as AD FS of Windows Server 2016 serves it.
//!
//! Decides the document's shape: no XML declaration, the signature first and with `ds:`, then the application role, the token
//! service's role, the SAML service provider and identity provider, and a contact who says nothing; every claim type three
//! times; endpoint references without a prefix; everything on one line. The names, their order and the claim types are those
//! of a real server's document in the tests of Microsoft's identity model extensions for .NET (`adfs-v4-metadata.xml`;
//! observed), which a test makes again byte for byte. That a secondary signing certificate stands behind the
//! primary one wherever that does is inferred: the server had but one. Never decides which keys, hosts or service it speaks of.

use mocktenant_keys::{Certificate, SigningKey};
use mocktenant_xml::{Element, Namespace, Spelling};

use crate::metadata::MetadataError;
use crate::names::{
    ASSERTION, FED, HTTP_ARTIFACT, HTTP_POST, HTTP_REDIRECT, METADATA, MEX, MEX_URI, SAML1_ASSERTION,
    SAML2_ASSERTION, SAML2_PROTOCOL, WSA_DEFAULT, WSX, XSD,
};
use crate::parts::{claim_type, endpoint, entity, key_descriptors, reference, role, service};
use crate::signature::{SignatureForm, Signer};

/// What both roles of WS-Federation say they speak.
const PROTOCOLS: &str = "http://docs.oasis-open.org/ws-sx/ws-trust/200512 http://schemas.xmlsoap.org/ws/2005/02/trust \
                         http://docs.oasis-open.org/wsfed/federation/200706";
const NAME_FORMATS: [&str; 3] = [
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
];

/// What an AD FS farm's FederationMetadata.xml says.
#[derive(Clone, Copy)]
pub struct AdfsMetadata<'a> {
    /// The document's ID: `_` and a GUID.
    pub id: &'a str,
    /// The Federation Service identifier, for instance `http://adfs.contoso.com/adfs/services/trust`.
    pub entity_id: &'a str,
    /// The origin of every endpoint without a final slash, for instance `https://adfs.contoso.com`.
    pub origin: &'a str,
    /// The Federation Service's display name.
    pub display_name: &'a str,
    /// The token-signing certificates, the primary one first. At least one.
    pub signing_certificates: &'a [Certificate],
    /// The token-decrypting certificate.
    pub decrypting_certificate: &'a Certificate,
    /// The claim types offered and asked for.
    pub claim_types: &'a [ClaimType<'a>],
}

/// A claim description of AD FS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimType<'a> {
    /// Its identifier.
    pub uri: &'a str,
    /// What it is shown as; the friendly name of its SAML attribute is the same.
    pub display_name: &'a str,
    /// What it means.
    pub description: &'a str,
}

impl ClaimType<'static> {
    /// Those of a real server of 2016, in its order.
    pub fn of_2016() -> impl Iterator<Item = Self> {
        // One text instead of a table of texts: three pointers a row would weigh more than what they point to.
        include_str!("adfs_claim_types.tsv").lines().filter_map(|line| {
            let (uri, shown) = line.split_once('\t')?;
            let (display_name, description) = shown.split_once('\t')?;
            Some(Self { uri, display_name, description })
        })
    }
}

impl AdfsMetadata<'_> {
    /// The document in UTF-8, without a byte order mark, signed with the key of the primary certificate.
    pub fn to_bytes(&self, key: &SigningKey) -> Result<Vec<u8>, MetadataError> {
        let certificate = self.signing_certificates.first().ok_or(MetadataError::NoCertificate)?;
        let signer = Signer { key, certificate, form: SignatureForm::Prefixed };
        Ok(signer.envelop(self.entity_descriptor(), "ID")?.to_bytes(Spelling::Bare))
    }

    fn entity_descriptor(&self) -> Element {
        entity(self.id, self.entity_id)
            .child(self.application_role())
            .child(self.token_service_role())
            .child(self.service_provider())
            .child(self.identity_provider())
            .child(Element::new(METADATA, "ContactPerson").attribute("contactType", "support"))
    }

    fn application_role(&self) -> Element {
        let issued_token =
            |trust: &str, keys: &str| self.trust(&format!("{trust}/issuedtokenmixed{keys}basic256"));
        let active = issued_token("2005", "asymmetric");
        let scopes = [
            &active,
            &issued_token("2005", "symmetric"),
            &issued_token("13", "asymmetric"),
            &issued_token("13", "symmetric"),
            &self.passive(),
            self.entity_id,
        ];
        role("fed:ApplicationServiceType", PROTOCOLS)
            .attribute("ServiceDisplayName", self.display_name)
            .children(self.encryption_key())
            .child(self.claim_types("ClaimTypesRequested"))
            .child(
                Element::new(FED, "TargetScopes")
                    .children(scopes.map(|scope| reference(&WSA_DEFAULT, scope))),
            )
            .child(endpoint("ApplicationServiceEndpoint", &WSA_DEFAULT, &active))
            .child(endpoint("PassiveRequestorEndpoint", &WSA_DEFAULT, &self.passive()))
    }

    fn token_service_role(&self) -> Element {
        let token_type = |uri: &'static str| Element::new(FED, "TokenType").attribute("Uri", uri);
        let token_types = [SAML2_ASSERTION, SAML1_ASSERTION].map(token_type);
        let active = reference(&WSA_DEFAULT, &self.trust("2005/certificatemixed"))
            .child(Element::new(WSA_DEFAULT, "Metadata").child(self.metadata_exchange()));
        role("fed:SecurityTokenServiceType", PROTOCOLS)
            .attribute("ServiceDisplayName", self.display_name)
            .children(self.signing_keys())
            .child(Element::new(FED, "TokenTypesOffered").children(token_types))
            .child(self.claim_types("ClaimTypesOffered"))
            .child(Element::new(FED, "SecurityTokenServiceEndpoint").child(active))
            .child(endpoint("PassiveRequestorEndpoint", &WSA_DEFAULT, &self.passive()))
    }

    /// Where the policies of the active endpoints are to be had, with the declarations as they are written there.
    fn metadata_exchange(&self) -> Element {
        let address = Element::new(WSA_DEFAULT, "Address").text(self.trust("mex"));
        let section = Element::new(WSX, "MetadataSection")
            .attribute("Dialect", MEX_URI)
            .declare(Namespace::NONE)
            .child(Element::new(WSX, "MetadataReference").child(address));
        Element::new(MEX, "Metadata").declare(MEX).declare(XSD).declare(WSX).child(section)
    }

    fn service_provider(&self) -> Element {
        let consumer = |binding, index: &str| {
            service("AssertionConsumerService", binding, &self.passive()).attribute("index", index)
        };
        Element::new(METADATA, "SPSSODescriptor")
            .attribute("WantAssertionsSigned", "true")
            .attribute("protocolSupportEnumeration", SAML2_PROTOCOL)
            .children(self.saml_keys_and_logout())
            .child(consumer(HTTP_POST, "0").attribute("isDefault", "true"))
            .child(consumer(HTTP_ARTIFACT, "1"))
            .child(consumer(HTTP_REDIRECT, "2"))
    }

    fn identity_provider(&self) -> Element {
        let attribute = |claim: &ClaimType<'_>| {
            Element::new(ASSERTION, "Attribute")
                .attribute("Name", claim.uri)
                .attribute("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri")
                .attribute("FriendlyName", claim.display_name)
        };
        Element::new(METADATA, "IDPSSODescriptor")
            .attribute("protocolSupportEnumeration", SAML2_PROTOCOL)
            .children(self.saml_keys_and_logout())
            .child(service("SingleSignOnService", HTTP_REDIRECT, &self.passive()))
            .child(service("SingleSignOnService", HTTP_POST, &self.passive()))
            .children(self.claim_types.iter().map(attribute))
    }

    /// What both SAML roles begin with.
    fn saml_keys_and_logout(&self) -> impl Iterator<Item = Element> {
        let logout = [HTTP_REDIRECT, HTTP_POST]
            .map(|binding| service("SingleLogoutService", binding, &self.passive()));
        let formats = NAME_FORMATS.map(|format| Element::new(METADATA, "NameIDFormat").text(format));
        self.encryption_key().chain(self.signing_keys()).chain(logout).chain(formats)
    }

    fn encryption_key(&self) -> impl Iterator<Item = Element> {
        key_descriptors("encryption", std::slice::from_ref(self.decrypting_certificate))
    }

    fn signing_keys(&self) -> impl Iterator<Item = Element> {
        key_descriptors("signing", self.signing_certificates)
    }

    fn claim_types(&self, local: &'static str) -> Element {
        let claim_types = self.claim_types.iter().map(|claim| {
            claim_type(claim.uri, claim.display_name, claim.description).attribute("Optional", "true")
        });
        Element::new(FED, local).children(claim_types)
    }

    fn passive(&self) -> String {
        format!("{}/adfs/ls/", self.origin)
    }

    fn trust(&self, path: &str) -> String {
        format!("{}/adfs/services/trust/{path}", self.origin)
    }
}
