//! What an AOS writes into its own log when it refuses an id_token: the sentences of Microsoft's token library.
//!
//! Decides their wording and which refusal has which. None of it is ever told a browser. The numbers and the beginning of each
//! are as the library has them; that the real AOS logs exactly these is inferred.

use mocktenant_verdict::catalogue;

catalogue! {
    /// A line of the log.
    pub(crate) enum LogText(&'static str) {
        /// No key fits.
        Signature { header: String } => {
            id: "IDX10501", status: 500, class: "log",
            text: "IDX10501: Signature validation failed. Unable to match key: kid: '{header}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens, LogMessages; the end of the sentence differs by version",
            cause: "", change: "",
        }
        /// Another issuer.
        Issuer { sent: String, expected: String } => {
            id: "IDX10205", status: 500, class: "log",
            text: "IDX10205: Issuer validation failed. Issuer: '{sent}'. Did not match: validationParameters.ValidIssuer: '{expected}' or validationParameters.ValidIssuers: 'null'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens, LogMessages",
            cause: "", change: "",
        }
        /// Another audience.
        Audience { sent: String, expected: String } => {
            id: "IDX10214", status: 500, class: "log",
            text: "IDX10214: Audience validation failed. Audiences: '{sent}'. Did not match: validationParameters.ValidAudience: '{expected}' or validationParameters.ValidAudiences: 'null'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens, LogMessages",
            cause: "", change: "",
        }
        /// Not in time.
        Lifetime { now: String } => {
            id: "IDX10222", status: 500, class: "log",
            text: "IDX10222: Lifetime validation failed. The token is not yet valid or has expired. Current time: '{now}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens, LogMessages, IDX10222 and IDX10223 in one",
            cause: "", change: "",
        }
        /// No nonce to compare with.
        NonceNull => {
            id: "IDX10311", status: 500, class: "log",
            text: "IDX10311: RequireNonce is 'true' (default) but validationContext.Nonce is null. A nonce cannot be validated. If you don't need to check the nonce, set OpenIdConnectProtocolValidator.RequireNonce to 'false'.",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot on-premises deployments (the first sentence); Microsoft.IdentityModel.Protocol.Extensions",
            cause: "", change: "",
        }
    }
}
