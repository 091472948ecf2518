//! What AD FS says to a client, one row each.
//!
//! A table of data. `observed` texts were seen in the place named by `source`, `documented` ones are printed by Microsoft,
//! `inferred` ones are ours where only the number or the meaning is known. What AD FS writes into its event log about the
//! same refusal is another text with another number: `log`.

use mocktenant_verdict::catalogue;

/// In which shape a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// `error` of a JSON body with `error` and `error_description` (RFC 6749 section 5.2).
    OAuth(&'static str),
    /// `error` of a `WWW-Authenticate` header (RFC 6750 section 3); the body is empty.
    Bearer(&'static str),
    /// The error page.
    Page,
}

use Told::{Bearer, OAuth, Page};

catalogue! {
    /// A refusal by AD FS.
    pub enum AdfsError(Told) {
        // --- who asks ---
        /// No such client.
        ClientUnknown => {
            id: "MSIS9607", status: 400, class: OAuth("invalid_client"),
            text: "MSIS9607: The 'client_id' parameter in the request is invalid. No registered client is found with this identifier.",
            fidelity: Observed, source: "recorded answers of source-academy/backend",
            cause: "no application group has a native or server application with this client id",
            change: "use the client id of an application in AD FS Management > Application Groups, or add one",
        }
        /// A wrong credential, or none where one is needed.
        ClientRefused => {
            id: "MSIS9622", status: 400, class: OAuth("invalid_client"),
            text: "MSIS9622: Client authentication failed. Please verify the credential provided for client authentication is valid.",
            fidelity: Observed, source: "Microsoft Q&A 281994; ADAL's AdfsTokenClient",
            cause: "the secret is not the server application's, its assertion does not hold, or it sent neither",
            change: "AD FS Management > Application Groups > the server application > Credentials",
        }
        // --- what it sends ---
        /// A parameter that has to be there.
        ParameterMissing { name: String } => {
            id: "MSIS9658", status: 400, class: OAuth("invalid_request"),
            text: "MSIS9658: Received invalid OAuth request. The '{name}' parameter is missing in the request.",
            fidelity: Inferred, source: "another project's imitation shows it (text); OAuth error inferred",
            cause: "the form has no such parameter, or an empty one",
            change: "send the parameter",
        }
        /// A form nobody can read, or one with a parameter twice.
        FormMalformed => {
            id: "MSIS9604", status: 400, class: OAuth("invalid_request"),
            text: "MSIS9604: An error occurred. The authorization server was not able to fulfill the request.",
            fidelity: Inferred, source: "the text is that of MSIS9604 (Microsoft Q&A 425685); that a form which cannot be read gets it is inferred",
            cause: "the body is no form, is too long, or names a parameter twice",
            change: "send application/x-www-form-urlencoded, each parameter once",
        }
        /// A grant that is not switched on for the client, or that nobody has.
        GrantUnsupported => {
            id: "MSIS9611", status: 400, class: OAuth("unsupported_grant_type"),
            text: "MSIS9611: The authorization server does not support the requested 'grant_type'. The authorization server only supports 'authorization_code' or 'refresh_token'.",
            fidelity: Inferred, source: "captures show number, OAuth error and the end of the text; its beginning is ours",
            cause: "the grant_type is none of AD FS's",
            change: "use client_credentials, password, refresh_token, authorization_code, urn:ietf:params:oauth:grant-type:jwt-bearer or, from Windows Server 2019 on, urn:ietf:params:oauth:grant-type:device_code",
        }
        // --- whom it is about ---
        /// A user or password that is wrong, and a user who may not sign in: nobody is told which.
        PasswordWrong => {
            id: "MSIS9659", status: 400, class: OAuth("invalid_grant"),
            text: "MSIS9659: Invalid 'username' or 'password'.",
            fidelity: Observed, source: "several captures of the password grant; that locked and expired users get it too is inferred",
            cause: "no such user, another password, or an account that is disabled, locked or expired",
            change: "Active Directory Users and Computers > the user > Account",
        }
        /// A code that is none of this service's, has ended, was used, or is another client's.
        CodeInvalid => {
            id: "MSIS9612", status: 400, class: OAuth("invalid_grant"),
            text: "MSIS9612: The authorization code received in 'code' parameter is invalid. ",
            fidelity: Observed, source: "recorded answers of source-academy/backend",
            cause: "the code was made up, is older than ten minutes, was used before, or was issued to another client",
            change: "redeem a code once, within ten minutes, as the client that it was issued to",
        }
        /// Another redirect URI than the code was sent to.
        RedirectUriDiffers => {
            id: "MSIS9609", status: 400, class: OAuth("invalid_request"),
            text: "MSIS9609: The 'redirect_uri' parameter is invalid. No redirect uri with the specified value is registered for the received 'client_id'. ",
            fidelity: Observed, source: "recorded answers of source-academy/backend",
            cause: "the token request names another redirect URI than the authorization request, or none",
            change: "send the same redirect_uri in both",
        }
        /// A verifier that the challenge does not follow from.
        VerifierWrong => {
            id: "MSIS9720", status: 400, class: OAuth("invalid_grant"),
            text: "MSIS9720: The received 'code_verifier' parameter is invalid.",
            fidelity: Inferred, source: "the number is known, the text is ours",
            cause: "the code was asked for with a code_challenge, and the verifier is missing or another's",
            change: "send the code_verifier of the same sign-in; a wrong one has used the code up",
        }
        /// A refresh token that is none of this service's, or not this client's.
        RefreshTokenInvalid => {
            id: "MSIS9614", status: 400, class: OAuth("invalid_grant"),
            text: "MSIS9614: The refresh token received in 'refresh_token' parameter is invalid.",
            fidelity: Observed, source: "a reply quoted in a comment of public source code",
            cause: "the refresh token was made up, changed, issued to another client or by another federation service, or before a reset",
            change: "sign in again; present a refresh token to the service and as the client that it was issued to",
        }
        /// A refresh token that has run out.
        RefreshTokenExpired => {
            id: "MSIS9615", status: 401, class: OAuth("invalid_grant"),
            text: "MSIS9615: The refresh token received in refresh_token parameter has expired",
            fidelity: Documented, source: "Microsoft's AD FS scenarios for developers (text and status; other invalid_grant answers are 400)",
            cause: "the sign-in session that the refresh token is of is over",
            change: "sign in again; Set-AdfsProperties -SsoLifetime makes sessions longer",
        }
        // --- on whose behalf ---
        /// A use that nobody has.
        TokenUseUnknown => {
            id: "MSIS9604", status: 400, class: OAuth("invalid_request"),
            text: "MSIS9604: An error occurred. The authorization server was not able to fulfill the request.",
            fidelity: Inferred, source: "the text is that of MSIS9604 (Microsoft Q&A 425685); that it is used here is inferred",
            cause: "requested_token_use is neither on_behalf_of nor logon_cert",
            change: "send requested_token_use=on_behalf_of",
        }
        /// An assertion that no user's token comes of.
        UserTokenFailed => {
            id: "MSIS9453", status: 400, class: OAuth("invalid_grant"),
            text: "MSIS9453: Received invalid OAuth JWT Bearer request. A problem occurred while creating the user token. Inner exception for details have been logged in the debug log. ",
            fidelity: Observed, source: "a capture of an on-behalf-of request (text; OAuth error, and which refusals besides that of the audience have it, are inferred)",
            cause: "the assertion is not an access token that this service issued to the client for a user who may sign in, or has run out",
            change: "the failed check says what is wrong with the assertion",
        }
        /// An assertion without the scope for this.
        NoImpersonation => {
            id: "MSIS9650", status: 400, class: OAuth("invalid_grant"),
            text: "MSIS9650: Received invalid OAuth request. Access token in the 'assertion' parameter value doesn't contain required scope claim with value 'user_impersonation'.",
            fidelity: Observed, source: "MicrosoftDocs/windowsserverdocs#3000 (text; OAuth error inferred)",
            cause: "the access token was asked for without the scope user_impersonation, or the Web API does not permit it",
            change: "permit the first client user_impersonation on the Web API, and ask for it when the user signs in",
        }
        /// No resource where one has to be named.
        ResourceMissing => {
            id: "MSIS9601", status: 400, class: OAuth("invalid_request"),
            text: "MSIS9601: The 'resource' parameter is missing in the request. Send the 'resource' parameter that contains the resource identifier's value.",
            fidelity: Observed, source: "microsoft-authentication-library-for-dotnet#1678, on-behalf-of at AD FS 2019 (text; OAuth error inferred)",
            cause: "an on-behalf-of request names no resource",
            change: "send the resource: the identifier of the Web API that is to be called",
        }
        // --- on another device ---
        /// A device whose user has not answered yet.
        DevicePending => {
            id: "authorization_pending", status: 400, class: OAuth("authorization_pending"),
            text: "The authorization request is still pending.",
            fidelity: Inferred, source: "RFC 8628 section 3.5, in whose words the text is ours; one client is known to wait for this error",
            cause: "nobody has confirmed the user code yet",
            change: "open the verification URI, type the code, sign in; poll again after `interval` seconds",
        }
        /// A device that asks too often.
        DeviceTooEarly => {
            id: "slow_down", status: 400, class: OAuth("slow_down"),
            text: "The authorization request is still pending and polling should continue at a longer interval.",
            fidelity: Inferred, source: "RFC 8628 section 3.5, in whose words the text is ours",
            cause: "the device asked before its interval was over; each time makes it five seconds longer",
            change: "wait `interval` seconds between two polls; a clock that stands still makes every poll the same moment",
        }
        /// A device whose user said no.
        DeviceDenied => {
            id: "access_denied", status: 400, class: OAuth("access_denied"),
            text: "The authorization request was denied.",
            fidelity: Inferred, source: "RFC 8628 section 3.5, in whose words the text is ours",
            cause: "somebody canceled on the page for devices",
            change: "begin again",
        }
        /// A device code that has run out.
        DeviceExpired => {
            id: "expired_token", status: 400, class: OAuth("expired_token"),
            text: "The device code has expired.",
            fidelity: Inferred, source: "RFC 8628 section 3.5, in whose words the text is ours",
            cause: "nobody signed in for the device within a quarter of an hour",
            change: "begin again",
        }
        /// A device code that is none of this service's, was redeemed, or is another client's.
        DeviceCodeInvalid => {
            id: "MSIS9604", status: 400, class: OAuth("invalid_grant"),
            text: "MSIS9604: An error occurred. The authorization server was not able to fulfill the request.",
            fidelity: Inferred, source: "the text is that of MSIS9604 (Microsoft Q&A 425685); that it is used here is inferred",
            cause: "the device code was made up, changed, redeemed before, issued to another client or before a reset, or its user may not sign in",
            change: "the failed check says which; begin again",
        }
        /// No such Web API, where a device begins.
        DeviceResourceUnknown => {
            id: "MSIS9602", status: 400, class: OAuth("invalid_request"),
            text: "MSIS9602: The received 'resource' parameter is invalid. The authorization server can not find a registered resource with the specified identifier.",
            fidelity: Inferred, source: "a capture has the OAuth error; the text is that of the token endpoint",
            cause: "no Web API has exactly this identifier",
            change: "AD FS Management > Application Groups > the Web API > Identifiers; a slash at its end and the letter case count",
        }
        /// A user code that no device waits with.
        UserCodeUnknown => {
            id: "user_code", status: 200, class: Page,
            text: "The code is not valid or has expired. Check the code on your device and enter it again.",
            fidelity: Inferred, source: "the page asks again; its words are ours",
            cause: "no device waits with this code: it was mistyped, has ended, or was answered before",
            change: "type the code that the device shows; where it has ended, begin again on the device",
        }
        // --- what it wants ---
        /// No such Web API.
        ResourceUnknown => {
            id: "MSIS9602", status: 400, class: OAuth("invalid_resource"),
            text: "MSIS9602: The received 'resource' parameter is invalid. The authorization server can not find a registered resource with the specified identifier.",
            fidelity: Observed, source: "ADAL's AdfsTokenClient; django-auth-adfs#13",
            cause: "no Web API has exactly this identifier",
            change: "AD FS Management > Application Groups > the Web API > Identifiers; a slash at its end and the letter case count",
        }
        /// The client has no permission on the Web API.
        ResourceForbidden => {
            id: "MSIS9605", status: 400, class: OAuth("access_denied"),
            text: "MSIS9605: The client is not allowed to access the requested resource.",
            fidelity: Observed, source: "captured redirects; the OAuth error at the token endpoint is inferred",
            cause: "the Web API permits the client nothing, or not the scope that was asked for",
            change: "AD FS Management > Application Groups > the Web API > Client Permissions",
        }
        /// Scopes that nobody defined.
        ScopeUnknown => {
            id: "MSIS9603", status: 400, class: OAuth("invalid_scope"),
            text: "MSIS9603: The received 'scope' parameter is invalid. The authorization server does not support the specified scope.",
            fidelity: Observed, source: "a capture of a refresh",
            cause: "none of the scopes is one of the scope descriptions, and no resource is named",
            change: "AD FS Management > Service > Scope Descriptions",
        }
        /// A resource inside `scope`, which Windows Server 2016 does not take.
        ResourceInScope => {
            id: "MSIS9712", status: 400, class: OAuth("invalid_scope"),
            text: "MSIS9712: The received 'scope' parameter is invalid.",
            fidelity: Inferred, source: "the number is known from one farm of Windows Server 2016; OAuth error and text are ours",
            cause: "AD FS of Windows Server 2016 takes the resource from `resource` alone",
            change: "send `resource`, or raise the farm to Windows Server 2019",
        }
        // --- how it wants it ---
        /// Tokens from the authorization endpoint, for whoever could ask the token endpoint.
        TokenOfConfidential => {
            id: "MSIS9358", status: 302, class: OAuth("unsupported_response_type"),
            text: "MSIS9358: The authorization server does not support the response type 'token' for confidential clients.",
            fidelity: Observed, source: "a capture (text; OAuth error inferred)",
            cause: "a server application asks the authorization endpoint for an access token",
            change: "ask for response_type code",
        }
        /// A response type that nobody has.
        ResponseTypeUnsupported => {
            id: "MSIS9604", status: 302, class: OAuth("unsupported_response_type"),
            text: "MSIS9604: An error occurred. The authorization server was not able to fulfill the request.",
            fidelity: Inferred, source: "the text is that of MSIS9604 (Microsoft Q&A 425685); that it is used here is inferred",
            cause: "response_type is none of code, id_token, code id_token",
            change: "ask for response_type code",
        }
        /// A response mode, a challenge or a moment that cannot be meant.
        AuthorizeUnfit => {
            id: "MSIS9604", status: 302, class: OAuth("invalid_request"),
            text: "MSIS9604: An error occurred. The authorization server was not able to fulfill the request.",
            fidelity: Inferred, source: "the text is that of MSIS9604 (Microsoft Q&A 425685); that it is used here is inferred",
            cause: "response_mode, code_challenge, code_challenge_method or max_age has a value that it cannot have",
            change: "the failed check names the parameter",
        }
        /// Somebody would have to type something, and nobody may be asked.
        InteractionRequired => {
            id: "interaction_required", status: 302, class: OAuth("interaction_required"),
            text: "",
            fidelity: Inferred, source: "OpenID Connect Core 3.1.2.6; AD FS's own answer is not known",
            cause: "prompt=none, and the browser has no session that is good enough",
            change: "ask without prompt=none",
        }
        // --- userinfo ---
        /// No token.
        UserinfoMissing => {
            id: "401 userinfo-token", status: 401, class: Bearer(""),
            text: "",
            fidelity: Inferred, source: "RFC 6750 section 3",
            cause: "the request has no bearer token",
            change: "send the access token as `Authorization: Bearer`",
        }
        /// A token that is not this service's, or has run out.
        UserinfoTokenInvalid => {
            id: "401 userinfo-token-invalid", status: 401, class: Bearer("invalid_token"),
            text: "",
            fidelity: Inferred, source: "RFC 6750 section 3.1; AD FS's own text is not known",
            cause: "the access token was not issued by this federation service, has run out, or was changed",
            change: "ask for a new token, without a resource",
        }
        /// A token for somebody else.
        UserinfoAudience { audience: String } => {
            id: "MSIS9921", status: 401, class: Bearer("invalid_token"),
            text: "MSIS9921: Received invalid UserInfo request. Audience '{audience}' in the access token is not same as the identifier of the UserInfo relying party trust 'urn:microsoft:userinfo'.",
            fidelity: Observed, source: "a capture of the answer's header",
            cause: "the access token is for a Web API; userinfo takes tokens that were asked for without a resource",
            change: "ask for the token without `resource`, with scope `openid`",
        }
        // --- pages ---
        /// Nothing answers at this path, or not to this method.
        NoHandler { path: String } => {
            id: "MSIS7065", status: 200, class: Page,
            text: "MSIS7065: There are no registered protocol handlers on path {path} to process the incoming request.",
            fidelity: Observed, source: "several threads of Microsoft Q&A (text; the status is from one of them)",
            cause: "no protocol of AD FS is spoken at this path, or the request misses what would name one",
            change: "compare the URL with /adfs/.well-known/openid-configuration",
        }
        /// What the real service has and this lab has not.
        NotFulfilled => {
            id: "MSIS7012", status: 200, class: Page,
            text: "MSIS7012: An error occurred while processing the request. Contact your administrator for details.",
            fidelity: Observed, source: "Microsoft Q&A (text); that it is used here is ours: it is the product's own for cannot",
            cause: "this lab has not built what was asked for",
            change: "the exchange says what is built instead",
        }
        /// No such client, at the authorization endpoint.
        AuthorizeClientUnknown { client: String } => {
            id: "MSIS9223", status: 200, class: Page,
            text: "MSIS9223: Received invalid OAuth authorization request. The received 'client_id' is invalid as no registered client was found with this client identifier. Make sure that the client is registered. Received client_id: '{client}'.",
            fidelity: Observed, source: "a log quoted in a blog (text; that the page and not a redirect answers is from one thread)",
            cause: "no application group has a native or server application with this client id",
            change: "use the client id of an application in AD FS Management > Application Groups, or add one",
        }
        /// A redirect URI that the client has not registered.
        RedirectUriUnknown { client: String, redirect_uri: String } => {
            id: "MSIS9224", status: 200, class: Page,
            text: "MSIS9224: Received invalid OAuth authorization request. The received 'redirect_uri' parameter is not a valid registered redirect URI for the client identifier: '{client}'. Received redirect_uri: '{redirect_uri}'.",
            fidelity: Observed, source: "Microsoft Q&A 763044",
            cause: "the application has registered no redirect URI that is the same text",
            change: "AD FS Management > Application Groups > the application > Redirect URI; a slash at its end and the letter case of the path count",
        }
        /// No redirect URI where the client has several, or none.
        RedirectUriMissing => {
            id: "MSIS9221", status: 200, class: Page,
            text: "MSIS9221: Received invalid OAuth authorization request. The received 'redirect_uri' parameter is empty.",
            fidelity: Inferred, source: "abridged by its one source: the number and the end of the text are known",
            cause: "the request names no redirect URI",
            change: "send the redirect_uri",
        }
        /// A browser that is sent here again and again.
        Loop { tokens: u32, seconds: i64 } => {
            id: "MSIS7042", status: 200, class: Page,
            text: "MSIS7042: The same client browser session has made '{tokens}' requests in the last '{seconds}' seconds. Contact your administrator for details.",
            fidelity: Observed, source: "Microsoft's troubleshooting of AD FS loops; several captures of event 364, all of WS-Federation and SAML",
            cause: "an application sends its users back to AD FS whatever it is sent",
            change: "look at why the application refuses the token; Set-AdfsProperties -EnableLoopDetection",
        }
        /// A browser that is signed out and goes nowhere; the page says nothing of it.
        LogoutStays => {
            id: "554", status: 200, class: Page,
            text: "",
            fidelity: Observed, source: "a capture: the signed-out page stays, and event 554 says why",
            cause: "post_logout_redirect_uri came without an id_token_hint of this service, or the application has not registered it",
            change: "send the id token as id_token_hint, and register the address among the application's redirect URIs",
        }
        /// Parameters that cannot be read.
        AuthorizeMalformed => {
            id: "MSIS7009", status: 200, class: Page,
            text: "MSIS7009: The request was malformed or not valid.",
            fidelity: Observed, source: "Microsoft Q&A 34092 (what follows there is not known; that it is used here is inferred)",
            cause: "a parameter stands twice, or is no text",
            change: "send each parameter once, URL-encoded",
        }
        // --- the service itself ---
        /// A defect.
        ServerError => {
            id: "MSIS9604", status: 500, class: OAuth("server_error"),
            text: "MSIS9604: An error occurred. The authorization server was not able to fulfill the request.",
            fidelity: Observed, source: "Microsoft Q&A 425685, as a redirect; the status is inferred",
            cause: "the lab could not make the answer",
            change: "report it: this is a defect of the lab",
        }
    }
}
