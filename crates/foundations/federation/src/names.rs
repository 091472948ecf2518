//! The namespaces and algorithm identifiers of federation documents.
//!
//! Decides their spelling and the prefix each is written with. Names only.

use mocktenant_xml::Namespace;

/// SAML 2.0 metadata, the default namespace of a metadata document.
pub(crate) const METADATA: Namespace = Namespace::default_of("urn:oasis:names:tc:SAML:2.0:metadata");
/// XML Signature, unprefixed.
pub(crate) const DSIG: Namespace = Namespace::default_of(DSIG_URI);
/// XML Signature with the prefix AD FS gives it.
pub(crate) const DS: Namespace = Namespace::prefixed("ds", DSIG_URI);
const DSIG_URI: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Schema instance: `xsi:type`.
pub(crate) const XSI: Namespace = Namespace::prefixed("xsi", "http://www.w3.org/2001/XMLSchema-instance");
/// WS-Federation 1.2. Consumers that compare text expect the prefix `fed`.
pub(crate) const FED: Namespace = Namespace::prefixed("fed", FED_URI);
/// The same as a protocol identifier.
pub(crate) const FED_URI: &str = "http://docs.oasis-open.org/wsfed/federation/200706";
/// WS-Federation authorization: claim types.
pub(crate) const AUTH: Namespace =
    Namespace::prefixed("auth", "http://docs.oasis-open.org/wsfed/authorization/200706");
/// WS-Addressing 1.0: endpoint references.
pub(crate) const WSA: Namespace = Namespace::prefixed("wsa", WSA_URI);
/// The same, unprefixed.
pub(crate) const WSA_DEFAULT: Namespace = Namespace::default_of(WSA_URI);
const WSA_URI: &str = "http://www.w3.org/2005/08/addressing";
/// WS-MetadataExchange, unprefixed.
pub(crate) const MEX: Namespace = Namespace::default_of(MEX_URI);
/// The same with the prefix of a metadata section.
pub(crate) const WSX: Namespace = Namespace::prefixed("wsx", MEX_URI);
/// The same as a dialect.
pub(crate) const MEX_URI: &str = "http://schemas.xmlsoap.org/ws/2004/09/mex";
/// XML Schema.
pub(crate) const XSD: Namespace = Namespace::prefixed("xsd", "http://www.w3.org/2001/XMLSchema");
/// SAML 2.0 assertions, unprefixed.
pub(crate) const ASSERTION: Namespace = Namespace::default_of(SAML2_ASSERTION);

/// Exclusive XML Canonicalization 1.0 without comments.
pub(crate) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// The enveloped signature transform.
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// RSASSA-PKCS1-v1_5 with SHA-256.
pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
/// SHA-256.
pub(crate) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// SAML 2.0 as a protocol identifier.
pub(crate) const SAML2_PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// SAML 2.0 assertions as a token type.
pub(crate) const SAML2_ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// SAML 1.1 assertions as a token type.
pub(crate) const SAML1_ASSERTION: &str = "urn:oasis:names:tc:SAML:1.0:assertion";
/// SAML 2.0 HTTP redirect binding.
pub(crate) const HTTP_REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
/// SAML 2.0 HTTP POST binding.
pub(crate) const HTTP_POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
/// SAML 2.0 HTTP artifact binding.
pub(crate) const HTTP_ARTIFACT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact";
