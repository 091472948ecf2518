//! What AD FS writes into its own log about a refusal: another text, with another number, than the client is told.
//!
//! Two tables of data and the pairing between what is told and what is logged. `class` is the exception that stands before the
//! text and the frames below it, where a capture has them; `status` is that of the answer beside it. Where nobody has seen what
//! is logged, it is what the client is told, and the row says `inferred`. Never decides which events an answer leaves.

use mocktenant_lab::CatalogueRow;
use mocktenant_verdict::{Row, catalogue};

use super::event_text::EventText;

/// How an exception is written around a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thrown {
    /// Its class.
    pub(crate) class: &'static str,
    /// The frames of its stack, the innermost first.
    pub(crate) frames: &'static [&'static str],
}

impl Thrown {
    /// The exception as `Exception details` shows it.
    pub(crate) fn around(self, text: &str) -> String {
        let mut details = format!("{}: {text}", self.class);
        for frame in self.frames {
            details.push_str("\n   at ");
            details.push_str(frame);
        }
        details
    }
}

const fn thrown(class: &'static str) -> Thrown {
    Thrown { class, frames: &[] }
}

const INVALID_CLIENT: Thrown =
    thrown("Microsoft.IdentityServer.Web.Protocols.OAuth.Exceptions.OAuthInvalidClientException");
const INVALID_RESOURCE: Thrown =
    thrown("Microsoft.IdentityServer.Web.Protocols.OAuth.Exceptions.OAuthInvalidResourceException");
const UNAUTHORIZED_CLIENT: Thrown =
    thrown("Microsoft.IdentityServer.Web.Protocols.OAuth.Exceptions.OAuthUnauthorizedClientException");
const INVALID_REFRESH_TOKEN: Thrown =
    thrown("Microsoft.IdentityServer.Web.Protocols.OAuth.Exceptions.OAuthInvalidRefreshTokenException");
const INVALID_REQUEST: Thrown =
    thrown("Microsoft.IdentityServer.Web.Protocols.OAuth.Exceptions.OAuthInvalidRequestException");
const CREDENTIAL: &str =
    "Microsoft.IdentityServer.Web.Protocols.OAuth.Exceptions.OAuthClientCredentialAuthenticationException";

/// As captured with a client assertion.
const ASSERTION_FRAMES: &[&str] = &[
    "Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthClientSigningKeyResolver.TryResolveTokenCore(SecurityKeyIdentifierClause keyIdentifierClause, SecurityToken& token)",
    "Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthClientSigningKeyResolver.TryResolveTokenCore(SecurityKeyIdentifier keyIdentifier, SecurityToken& token)",
    "Microsoft.IdentityModel.Tokens.JSON.JsonWebSecurityTokenHandler.ReadToken(String rawToken)",
    "Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthClientJsonWebSecurityTokenHandler.ReadToken(String rawToken)",
    "Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthToken.OAuthTokenRequestContext.ValidateCore()",
    "Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthToken.OAuthClientCredentialsContext.ValidateCore()",
];

/// As captured with an authorization request that was refused; the first is that of such cases (believed).
const AUTHORIZE_FRAMES: &[&str] = &[
    "Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthAuthorization.OAuthAuthorizationRequestContext.ValidateCore()",
    "Microsoft.IdentityServer.Web.Protocols.ProtocolContext.Validate()",
    "Microsoft.IdentityServer.Web.Protocols.OAuth.OAuthAuthorization.OAuthAuthorizationProtocolHandler.PreAuthenticationProcess(ProtocolContext context)",
    "Microsoft.IdentityServer.Web.PassiveProtocolListener.OnGetContext(WrappedHttpListenerContext context)",
];

/// As captured with a loop, without the frames of the protocol in between.
const LOOP_FRAMES: &[&str] = &[
    "Microsoft.IdentityServer.Web.Protocols.PassiveProtocolHandler.UpdateLoopDetectionCookie(WrappedHttpListenerContext context)",
    "Microsoft.IdentityServer.Web.PassiveProtocolListener.OnGetContext(WrappedHttpListenerContext context)",
];

/// As captured with a path that nothing answers at.
const LISTENER_FRAMES: &[&str] = &[
    "Microsoft.IdentityServer.Web.PassiveProtocolListener.OnGetContext(WrappedHttpListenerContext context)",
];

/// What stands around a refused request.
pub(crate) const REQUEST_FAILED: &str = "Microsoft.IdentityServer.RequestFailedException";
/// What stands around a user who was refused.
pub(crate) const TOKEN_REFUSED: Thrown =
    thrown("System.IdentityModel.Tokens.SecurityTokenValidationException");
/// What Windows says about it, inside.
pub(crate) const WINDOWS: Thrown = thrown("System.ComponentModel.Win32Exception");

catalogue! {
    /// A text of the log.
    pub(crate) enum LogText(Thrown) {
        /// Beside MSIS9607.
        ClientUnknown { client: String } => {
            id: "MSIS9223", status: 400, class: INVALID_CLIENT,
            text: "MSIS9223: Received invalid OAuth authorization request. The received 'client_id' is invalid as no registered client was found with this client identifier. Make sure that the client is registered. Received client_id: '{client}'.",
            fidelity: Observed, source: "a log quoted in a blog, of an authorization request; that a token request leaves the same is inferred",
            cause: "no application group has a native or server application with this client id",
            change: "use the client id of an application in AD FS Management > Application Groups, or add one",
        }
        /// Beside any other page of the authorization endpoint.
        AuthorizeRefused { told: String } => {
            id: "MSIS9221", status: 200, class: Thrown { class: INVALID_REQUEST.class, frames: AUTHORIZE_FRAMES },
            text: "{told}",
            fidelity: Inferred, source: "the log has the page's text elsewhere",
            cause: "the page says it",
            change: "the page says it",
        }
        /// Beside a page that says MSIS9223.
        AuthorizeClientRefused { told: String } => {
            id: "MSIS9223", status: 200, class: Thrown { class: INVALID_CLIENT.class, frames: AUTHORIZE_FRAMES },
            text: "{told}",
            fidelity: Observed, source: "a log quoted in a blog (text and exception; the frames are those of another refusal)",
            cause: "the page says it",
            change: "the page says it",
        }
        /// Beside a page that says MSIS7042.
        LoopDetected { told: String } => {
            id: "MSIS7042", status: 200, class: Thrown { class: "Microsoft.IdentityServer.Web.InvalidRequestException", frames: LOOP_FRAMES },
            text: "{told}",
            fidelity: Observed, source: "several threads of Microsoft Q&A and support article 4012055 (all of WS-Federation and SAML)",
            cause: "the page says it",
            change: "the page says it",
        }
        /// Beside MSIS9622, where an assertion's key is none of the client's.
        AssertionKeyUnknown { client: String } => {
            id: "MSIS9344", status: 400, class: Thrown { class: CREDENTIAL, frames: ASSERTION_FRAMES },
            text: "MSIS9344: OAuth Client JsonWebSecurityToken validation failed for the client '{client}'. Unable to find a certificate or public key configured under the client which can validate the signature.",
            fidelity: Observed, source: "Microsoft Q&A 281994",
            cause: "the assertion is signed with the key of no certificate that the server application has",
            change: "AD FS Management > Application Groups > the server application > Credentials > Configure",
        }
        /// Beside MSIS9622, where anything else is wrong with the credential.
        CredentialRefused { told: String } => {
            id: "MSIS9622", status: 400, class: thrown(CREDENTIAL),
            text: "{told}",
            fidelity: Inferred, source: "the exception is that of MSIS9344 (Microsoft Q&A 281994); that its text is the client's is ours",
            cause: "the secret is not the server application's, its assertion does not hold, or it sent neither",
            change: "AD FS Management > Application Groups > the server application > Credentials",
        }
        /// Beside MSIS9612.
        CodeRefused => {
            id: "MSIS9247", status: 400, class: INVALID_REQUEST,
            text: "MSIS9247: Received invalid OAuth access token request. The authorization code is invalid.",
            fidelity: Observed, source: "django-auth-adfs#1 (Windows Server 2012 R2; the exception's class is inferred)",
            cause: "the code was made up, has ended, was used before or is another client's",
            change: "redeem a code once, within ten minutes, as the client that it was issued to",
        }
        /// Beside MSIS9614 and MSIS9615.
        RefreshTokenRefused { told: String } => {
            id: "MSIS9614", status: 400, class: INVALID_REFRESH_TOKEN,
            text: "{told}",
            fidelity: Inferred, source: "the exception is that of MSIS9312, quoted in translation; that its text is the client's is ours",
            cause: "the refresh token is none of this service's and client's, or has run out",
            change: "sign in again",
        }
        /// Beside MSIS9602.
        ResourceUnknown { resource: String } => {
            id: "MSIS9329", status: 400, class: INVALID_RESOURCE,
            text: "MSIS9329: Received invalid OAuth authorization request. The 'resource' parameter's value does not correspond to any valid registered relying party. Received resource: '{resource}'.",
            fidelity: Observed, source: "CRMLinqPadDriverWebAPI#8; a log quoted in a blog",
            cause: "no Web API has exactly this identifier",
            change: "AD FS Management > Application Groups > the Web API > Identifiers; the letter case and a slash at the end count",
        }
        /// Beside MSIS9605, where the Web API permits the client nothing.
        ResourceForbidden { client: String, resource: String } => {
            id: "MSIS9321", status: 400, class: UNAUTHORIZED_CLIENT,
            text: "MSIS9321: Received invalid OAuth request. The client '{client}' is forbidden to access the resource '{resource}'.",
            fidelity: Observed, source: "django-auth-adfs#31",
            cause: "the Web API permits the client nothing",
            change: "AD FS Management > Application Groups > the Web API > Client Permissions",
        }
        /// Beside MSIS9605, where a scope decided.
        ScopeForbidden { client: String, resource: String, scope: String } => {
            id: "MSIS9368", status: 400, class: UNAUTHORIZED_CLIENT,
            text: "MSIS9368: Received invalid OAuth request. The client '{client}' is forbidden to access the resource '{resource}' with scope '{scope}'.",
            fidelity: Documented, source: "Microsoft's troubleshooting of Windows Hello for Business (text and event); the exception is that of MSIS9321",
            cause: "the Web API does not permit the client this scope",
            change: "AD FS Management > Application Groups > the Web API > Client Permissions > Permitted scopes",
        }
        /// Beside any other refusal of the token endpoint.
        RequestRefused { told: String } => {
            id: "MSIS9604", status: 400, class: INVALID_REQUEST,
            text: "{told}",
            fidelity: Inferred, source: "the exception was seen with other numbers; that it stands here, and that its text is the client's, is ours",
            cause: "the request was refused before anybody was asked who sent it, or for what it wants",
            change: "what the client is told says it",
        }
        /// Beside a page that says MSIS7065.
        NoHandler { told: String } => {
            id: "MSIS7065", status: 200, class: Thrown { class: REQUEST_FAILED, frames: LISTENER_FRAMES },
            text: "{told}",
            fidelity: Observed, source: "several threads of Microsoft Q&A: the log has the page's text",
            cause: "no protocol of AD FS is spoken at this path, or the request misses what would name one",
            change: "compare the URL with /adfs/.well-known/openid-configuration",
        }
        /// Beside any other page.
        RequestFailed { told: String } => {
            id: "MSIS7012", status: 200, class: thrown(REQUEST_FAILED),
            text: "{told}",
            fidelity: Observed, source: "Microsoft Q&A: the log has the page's text, and the reason inside",
            cause: "the page says it",
            change: "the exchange says what is built instead",
        }
    }
}

catalogue! {
    /// Why Windows did not log a user on: its own words for its own error codes.
    pub(crate) enum LogonFailure(u32) {
        /// No such user, or another password.
        PasswordWrong => {
            id: "ERROR_LOGON_FAILURE", status: 400, class: 1326,
            text: "The user name or password is incorrect",
            fidelity: Observed, source: "several captures of events 411 and 342",
            cause: "no such user, or another password",
            change: "Active Directory Users and Computers > the user > Reset Password",
        }
        /// The account is disabled.
        Disabled => {
            id: "ERROR_ACCOUNT_DISABLED", status: 400, class: 1331,
            text: "This user can't sign in because this account is currently disabled",
            fidelity: Documented, source: "Windows' system error codes; that event 411 quotes it is inferred",
            cause: "the account is disabled",
            change: "Active Directory Users and Computers > the user > Enable Account",
        }
        /// The account is locked out.
        Locked => {
            id: "ERROR_ACCOUNT_LOCKED_OUT", status: 400, class: 1909,
            text: "The referenced account is currently locked out and may not be logged on to",
            fidelity: Documented, source: "Windows' system error codes; that event 411 quotes it is inferred",
            cause: "the account is locked out",
            change: "Active Directory Users and Computers > the user > Account > Unlock account",
        }
        /// The account's own time is over.
        Expired => {
            id: "ERROR_ACCOUNT_EXPIRED", status: 400, class: 1793,
            text: "The user's account has expired",
            fidelity: Documented, source: "Windows' system error codes; that event 411 quotes it is inferred",
            cause: "the account has expired",
            change: "Active Directory Users and Computers > the user > Account > Account expires",
        }
        /// The password has run out.
        PasswordExpired => {
            id: "ERROR_PASSWORD_EXPIRED", status: 400, class: 1330,
            text: "The password for this account has expired",
            fidelity: Observed, source: "a capture of event 111",
            cause: "the password has run out",
            change: "Active Directory Users and Computers > the user > Reset Password",
        }
    }
}

impl LogText {
    /// The exception and its text, as `Exception details` shows them.
    pub(crate) fn details(&self) -> String {
        self.row().class.around(&self.text())
    }

    /// The same where the authorization endpoint refuses and sends a browser back.
    pub(crate) fn details_at_authorize(&self) -> String {
        Thrown { frames: AUTHORIZE_FRAMES, ..self.row().class }.around(&self.text())
    }
}

impl LogonFailure {
    /// What a failed question about a user says of it.
    pub(crate) fn of(check: &str) -> Self {
        match check {
            "user-enabled" => Self::Disabled,
            "user-not-locked" | "user-not-locked-out" => Self::Locked,
            "user-not-expired" => Self::Expired,
            "password-in-date" => Self::PasswordExpired,
            _ => Self::PasswordWrong,
        }
    }
}

/// Everything that is logged, for documents and the control API; what is logged as it is told is a text of the other catalogue.
pub(super) fn catalogue_rows() -> impl Iterator<Item = CatalogueRow> {
    fn shown<C: Copy>(row: &Row<C>, class: fn(C) -> String) -> CatalogueRow {
        let Row { id, status, template, fidelity, source, cause, change, .. } = *row;
        let class = format!("event log, {}", class(row.class));
        CatalogueRow { id, status, class, template, fidelity, source, cause, change }
    }
    let texts = LogText::ROWS
        .iter()
        .filter(|row| row.template != "{told}")
        .map(|row| shown(row, |thrown| thrown.class.rsplit('.').next().unwrap_or_default().to_owned()));
    let logons = LogonFailure::ROWS.iter().map(|row| shown(row, |code| format!("Win32Exception {code}")));
    let events = EventText::ROWS.iter().map(|row| shown(row, |_| "message".to_owned()));
    events.chain(texts).chain(logons)
}
