//! What the real AD FS has and this lab has not: endpoints and grants.
//!
//! Decides which of what was refused nobody has, and which is only missing here; the answer is AD FS's error page for
//! "cannot", and what is missing is said beside it ([`mocktenant_lab::Trail::not_built`]). A line leaves its table when the
//! thing is built.

/// What stands in for it.
const BUILT: &str = "discovery, keys, FederationMetadata.xml, webfinger, userinfo and the token endpoint for \
                     client_credentials, password, refresh_token, authorization_code, device_code and on-behalf-of; \
                     sign-in by code, by id_token and for devices; signing out";

/// Endpoints, folded.
const ENDPOINTS: &[(&str, &str)] = &[
    ("/adfs/ls", "AD FS sign-in by WS-Federation and SAML"),
    ("/adfs/portal/updatepassword", "AD FS's page to change a password"),
];

/// What begins an endpoint that goes on.
const ENDPOINTS_BEGIN: &[(&str, &str)] = &[
    ("/adfs/services/trust", "WS-Trust of AD FS"),
    ("/adfs/ls/", "AD FS sign-in by WS-Federation and SAML"),
];

/// Grants by `grant_type`.
const GRANTS: &[(&str, &str)] =
    &[("srv_challenge", "the server challenge of AD FS"), ("implicit", "the implicit grant of AD FS")];

/// Something that is missing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing(&'static str);

impl Missing {
    /// Says so beside the answer.
    pub(crate) fn record(self, trail: &mut mocktenant_lab::Trail) {
        trail.not_built(self.0, BUILT);
    }
}

/// Tokens straight from the authorization endpoint.
pub(crate) const IMPLICIT: Missing = Missing("the response type token of AD FS");

/// Windows integrated authentication of a client.
pub(crate) const WINDOWS: Missing = Missing("windows_client_authentication of AD FS");

/// Certificates to log on with, where a token is asked for on behalf of somebody.
pub(crate) const LOGON_CERTIFICATE: Missing = Missing("logon certificates of AD FS");

/// A signed request of a registered device, instead of an assertion.
pub(crate) const PRIMARY_REFRESH_TOKEN: Missing = Missing("primary refresh tokens of AD FS");

/// What a path would be.
pub(crate) fn endpoint(folded_path: &str) -> Option<Missing> {
    let exact = ENDPOINTS.iter().find(|(path, _)| *path == folded_path);
    let begun = || ENDPOINTS_BEGIN.iter().find(|(begin, _)| folded_path.starts_with(begin));
    exact.or_else(begun).map(|(_, what)| Missing(what))
}

/// What a grant would be.
pub(crate) fn grant(name: &str) -> Option<Missing> {
    GRANTS.iter().find(|(grant, _)| *grant == name).map(|(_, what)| Missing(what))
}
