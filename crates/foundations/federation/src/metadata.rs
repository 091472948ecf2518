//! FederationMetadata.xml as Entra serves it.
//!
//! Decides the document's shape: an XML declaration, the signature first, the security token service's role, then the application
//! role, then the SAML identity provider; no service provider role; endpoint references with the prefix `wsa`; everything on one
//! line. The order and the names are those of the public Entra sample in the tests of Microsoft's identity model
//! extensions for .NET (`ReferenceMetadata.cs`, `AADCommonMetadata`; observed). The descriptions of the claim types are
//! worded here (inferred): consumers do not read them. Never decides which keys, hosts or tenant it speaks of.

use mocktenant_keys::Certificate;
use mocktenant_xml::{Element, Spelling};

use crate::names::{FED, FED_URI, HTTP_POST, HTTP_REDIRECT, METADATA, SAML2_PROTOCOL, WSA};
use crate::parts::{claim_type, endpoint, entity, key_descriptors, role, service};
use crate::signature::{SignError, Signer};

/// What an Entra tenant's FederationMetadata.xml says.
#[derive(Clone, Copy)]
pub struct EntraMetadata<'a> {
    /// The document's ID: `_` and a GUID.
    pub id: &'a str,
    /// The issuer, `https://sts.windows.net/{tid}/` with the final slash.
    pub entity_id: &'a str,
    /// Origin and tenant segment of the endpoints without a final slash, for instance
    /// `https://login.microsoftonline.com/{tid}`; `/wsfed` and `/saml2` are put behind it.
    pub endpoint_base: &'a str,
    /// The token-signing certificates, the current one first. At least one.
    pub signing_certificates: &'a [Certificate],
}

/// Why metadata cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// There is no signing certificate.
    #[error("metadata needs at least one signing certificate")]
    NoCertificate,
    /// The document cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl EntraMetadata<'_> {
    /// The signed document in UTF-8, without a byte order mark. Entra writes its signature unprefixed
    /// ([`crate::SignatureForm::Unprefixed`]).
    pub fn to_bytes(&self, signer: Signer<'_>) -> Result<Vec<u8>, MetadataError> {
        if self.signing_certificates.is_empty() {
            return Err(MetadataError::NoCertificate);
        }
        Ok(signer.envelop(self.entity_descriptor(), "ID")?.to_bytes(Spelling::Declared))
    }

    fn entity_descriptor(&self) -> Element {
        entity(self.id, self.entity_id)
            .child(self.token_service_role())
            .child(self.application_role())
            .child(self.identity_provider())
    }

    fn token_service_role(&self) -> Element {
        let wsfed = self.wsfed();
        let claim_types =
            CLAIM_TYPES.iter().map(|(uri, name, description)| claim_type(uri, name, description));
        role("fed:SecurityTokenServiceType", FED_URI)
            .children(self.keys())
            .child(Element::new(FED, "ClaimTypesOffered").children(claim_types))
            .child(endpoint("SecurityTokenServiceEndpoint", &WSA, &wsfed))
            .child(endpoint("PassiveRequestorEndpoint", &WSA, &wsfed))
    }

    fn application_role(&self) -> Element {
        let wsfed = self.wsfed();
        role("fed:ApplicationServiceType", FED_URI)
            .children(self.keys())
            .child(endpoint("TargetScopes", &WSA, self.entity_id))
            .child(endpoint("ApplicationServiceEndpoint", &WSA, &wsfed))
            .child(endpoint("PassiveRequestorEndpoint", &WSA, &wsfed))
    }

    fn identity_provider(&self) -> Element {
        let saml2 = format!("{}/saml2", self.endpoint_base);
        Element::new(METADATA, "IDPSSODescriptor")
            .attribute("protocolSupportEnumeration", SAML2_PROTOCOL)
            .children(self.keys())
            .child(service("SingleLogoutService", HTTP_REDIRECT, &saml2))
            .child(service("SingleSignOnService", HTTP_REDIRECT, &saml2))
            .child(service("SingleSignOnService", HTTP_POST, &saml2))
    }

    fn keys(&self) -> impl Iterator<Item = Element> {
        key_descriptors("signing", self.signing_certificates)
    }

    fn wsfed(&self) -> String {
        format!("{}/wsfed", self.endpoint_base)
    }
}

/// Identifier, display name (both observed) and our description of each claim type Entra offers.
const CLAIM_TYPES: &[(&str, &str, &str)] = &[
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "Name", "Shown name; may change."),
    (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
        "Subject",
        "Who the token is about, one value for each application.",
    ),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "Given Name", "Given name."),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "Surname", "Family name."),
    ("http://schemas.microsoft.com/identity/claims/displayname", "Display Name", "Name for display."),
    ("http://schemas.microsoft.com/identity/claims/nickname", "Nick Name", "Nickname."),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/authenticationinstant",
        "Authentication Instant",
        "When the user signed in, in UTC.",
    ),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/authenticationmethod",
        "Authentication Method",
        "How the user signed in.",
    ),
    (
        "http://schemas.microsoft.com/identity/claims/objectidentifier",
        "ObjectIdentifier",
        "Object id in the directory; never changes.",
    ),
    ("http://schemas.microsoft.com/identity/claims/tenantid", "TenantId", "Tenant of the user."),
    (
        "http://schemas.microsoft.com/identity/claims/identityprovider",
        "IdentityProvider",
        "Who vouched for the user.",
    ),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "Email", "E-mail address."),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", "Groups", "Groups the user is in."),
    (
        "http://schemas.microsoft.com/identity/claims/accesstoken",
        "External Access Token",
        "Access token of an external identity provider.",
    ),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/expiration",
        "External Access Token Expiration",
        "When the external access token ends, in UTC.",
    ),
    (
        "http://schemas.microsoft.com/identity/claims/openid2_id",
        "External OpenID 2.0 Identifier",
        "OpenID 2.0 identifier at an external identity provider.",
    ),
    (
        "http://schemas.microsoft.com/claims/groups.link",
        "GroupsOverageClaim",
        "Where to ask for the groups when they are too many to list.",
    ),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "Role Claim", "Application roles held."),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/wids",
        "RoleTemplate Id Claim",
        "Template ids of the directory roles held.",
    ),
];
