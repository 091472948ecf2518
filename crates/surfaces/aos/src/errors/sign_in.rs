//! Why a sign-in on-premises ends: what the browser shows, and the identifier of each reason.
//!
//! Decides wording and status. Every technical reason ends in the same 500 page, which is observed; who signed in at AD FS and is
//! no user here is told so in a documented sentence. What the real product writes into its own log is in `log`. That the
//! second page comes with 401 is inferred.

use mocktenant_verdict::catalogue;

use super::page::paragraphs;

catalogue! {
    /// Why a sign-in ends, in the order asked.
    pub(crate) enum SignInError(&'static str) {
        /// What came back belongs to no sign-in that began here.
        StateUnknown => {
            id: "500 state", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the state that came back from AD FS was not made by this environment, or more than an hour ago",
            change: "Begin again at the application's URL.",
        }
        /// AD FS sent its user back with an error.
        ProviderRefused { error: String } => {
            id: "500 {error}", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "AD FS refused the request of the AOS, and sent the browser back with an error",
            change: "Look at AD FS > Admin in the event log, and compare the application group with OpenIDConnect in AXSF.Package.1.0.xml.",
        }
        /// There is no id_token.
        TokenMissing => {
            id: "500 id-token-present", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "what was posted to the redirect URI has no id_token",
            change: "Begin again at the application's URL.",
        }
        /// It is no token.
        TokenMalformed => {
            id: "500 id-token-well-formed", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the id_token is not one signed token of three base64url parts",
            change: "Begin again at the application's URL.",
        }
        /// No RSA key verifies the header's algorithm.
        AlgorithmRefused => {
            id: "500 id-token-algorithm", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the id_token's header names an algorithm that no key of AD FS verifies",
            change: "Begin again at the application's URL.",
        }
        /// The signature does not hold against the keys fetched at start.
        SignatureInvalid => {
            id: "500 id-token-signature", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the id_token is not signed by a key that AD FS published when the AOS started",
            change: "After a rollover of the token-signing certificate of AD FS restart the AOS (AxService.exe).",
        }
        /// Issued by somebody else.
        IssuerUnknown => {
            id: "500 id-token-issuer", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the id_token's issuer is not the one of the openid-configuration the AOS fetched when it started",
            change: "Restart the AOS (AxService.exe), or correct OpenIDConnect / Metadata in AXSF.Package.1.0.xml.",
        }
        /// Issued for somebody else.
        AudienceWrong => {
            id: "500 id-token-audience", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the id_token was issued for another client than OpenIDConnect / ClientID",
            change: "Begin again at the application's URL; compare OpenIDConnect / ClientID in AXSF.Package.1.0.xml with the application group.",
        }
        /// Expired, or not yet valid.
        TimeInvalid => {
            id: "500 id-token-time", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the id_token's times do not hold at the AOS machine's clock, five minutes of skew allowed",
            change: "Compare the clocks of the AD FS server and of the AOS machine.",
        }
        /// The browser did not bring the nonce's cookie.
        NonceLost => {
            id: "500 id-token-nonce", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot on-premises deployments (RequireNonce is 'true' but validationContext.Nonce is null)",
            cause: "the browser did not bring the OpenIdConnect.nonce cookie that belongs to the id_token",
            change: "Let the browser keep the cookies of the application's URL; begin again there and use one address for it.",
        }
        /// The nonce's cookie is not this environment's.
        NonceForged => {
            id: "500 id-token-nonce forged", status: 500, class: "sign-in",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Inferred, source: "the 500 page as for a lost nonce",
            cause: "the OpenIdConnect.nonce cookie was not made by this environment for the nonce in the id_token",
            change: "Delete the cookies of the application's URL and begin again there.",
        }
        /// Nobody of that name.
        NoSuchUser => {
            id: "401 user-known", status: 401, class: "sign-in",
            text: "You are not authorized to login with your current credentials. You will be redirected to the login page in a few seconds.",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot on-premises deployments; the status is inferred",
            cause: "no row of UserInfo has the id_token's upn as NetworkAlias",
            change: "In Finance & Operations add the user under System administration > Users.",
        }
        /// A user of another identity provider.
        OtherProvider => {
            id: "401 user-identity-provider", status: 401, class: "sign-in",
            text: "You are not authorized to login with your current credentials. You will be redirected to the login page in a few seconds.",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot on-premises deployments; the status is inferred",
            cause: "IdentityProvider of the user's row in UserInfo is not the Federation Service Identifier of AD FS",
            change: "Set the provider of the user under System administration > Users to the Federation Service Identifier (Get-AdfsProperties).",
        }
        /// The user is switched off.
        DisabledUser => {
            id: "401 user-enabled", status: 401, class: "sign-in",
            text: "You are not authorized to login with your current credentials. You will be redirected to the login page in a few seconds.",
            fidelity: Inferred, source: "as documented for a user who is not known; the status is inferred",
            cause: "the user's row in UserInfo is not enabled",
            change: "In Finance & Operations enable the user under System administration > Users.",
        }
    }
}

impl SignInError {
    /// Identifier and change, for a checklist.
    pub(crate) fn describe(error: &Self) -> (&'static str, &'static str) {
        let row = error.row();
        (row.id, row.change)
    }

    /// The page: the sentences in plain markup.
    pub(crate) fn page(&self) -> String {
        paragraphs(&self.text())
    }
}
