//! What an AOS on-premises writes into its own log: the sentences of Microsoft's token library.
//!
//! Decides their wording and which refusal has which. None of it is ever told a browser. The sentences are the library's, as its
//! resources have them; that the real AOS logs exactly these, of exactly that version, and shows values where the library hides
//! them by default, is inferred. Where the article on troubleshooting quotes an older sentence, that one stands here.

use mocktenant_verdict::catalogue;

catalogue! {
    /// A line of the log.
    pub(crate) enum LogText(&'static str) {
        /// The key it names is none of those known.
        KeyUnknown { kid: String, keys: String } => {
            id: "IDX10503", status: 500, class: "log",
            text: "IDX10503: Signature validation failed. The token's kid is: '{kid}', but did not match any keys in TokenValidationParameters or Configuration. Keys tried: '{keys}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens 8, resources",
            cause: "", change: "",
        }
        /// It names none.
        KeyUnnamed { keys: String } => {
            id: "IDX10517", status: 500, class: "log",
            text: "IDX10517: Signature validation failed. The token's kid is missing. Keys tried: '{keys}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens 8, resources",
            cause: "", change: "",
        }
        /// The signature is another's, or the text is.
        Signature { keys: String } => {
            id: "IDX10511", status: 500, class: "log",
            text: "IDX10511: Signature validation failed. Keys tried: '{keys}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens 8, resources",
            cause: "", change: "",
        }
        /// Another issuer.
        Issuer { sent: String, expected: String } => {
            id: "IDX10205", status: 500, class: "log",
            text: "IDX10205: Issuer validation failed. Issuer: '{sent}'. Did not match: validationParameters.ValidIssuer: 'null' or validationParameters.ValidIssuers: '{expected}' or validationParameters.ConfigurationManager.CurrentConfiguration.Issuer: 'Null'. For more details, see https://aka.ms/IdentityModel/issuer-validation.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens 8, resources",
            cause: "", change: "",
        }
        /// Another audience.
        Audience { sent: String, expected: String } => {
            id: "IDX10214", status: 500, class: "log",
            text: "IDX10214: Audience validation failed. Audiences: '{sent}'. Did not match: validationParameters.ValidAudience: '{expected}' or validationParameters.ValidAudiences: 'null'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens 8, resources",
            cause: "", change: "",
        }
        /// Too early.
        NotYetValid { from: String, now: String } => {
            id: "IDX10222", status: 500, class: "log",
            text: "IDX10222: Lifetime validation failed. The token is not yet valid. ValidFrom (UTC): '{from}', Current time (UTC): '{now}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens 8, resources",
            cause: "", change: "",
        }
        /// Too late.
        Expired { until: String, now: String } => {
            id: "IDX10223", status: 500, class: "log",
            text: "IDX10223: Lifetime validation failed. The token is expired. ValidTo (UTC): '{until}', Current time (UTC): '{now}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Tokens 8, resources",
            cause: "", change: "",
        }
        /// No nonce to compare with.
        NonceNull => {
            id: "IDX10311", status: 500, class: "log",
            text: "IDX10311: RequireNonce is 'true' (default) but validationContext.Nonce is null. A nonce cannot be validated. If you don't need to check the nonce, set OpenIdConnectProtocolValidator.RequireNonce to 'false'.",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot on-premises deployments (the first sentence); Microsoft.IdentityModel.Protocol.Extensions",
            cause: "", change: "",
        }
        /// Another nonce.
        NonceOther => {
            id: "IDX21321", status: 500, class: "log",
            text: "IDX21321: The 'nonce' found in the jwt token did not match the expected nonce.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Protocols.OpenIdConnect 8, resources",
            cause: "", change: "",
        }
        /// A document did not come, or not as one.
        Document { address: String, why: String } => {
            id: "IDX20803", status: 500, class: "log",
            text: "IDX20803: Unable to obtain configuration from: '{address}'. Exception: 'System.IO.IOException: IDX20804: Unable to retrieve document from: '{address}'. ---> {why}'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Protocols 8, resources, without the time of the next try: a node does not try again",
            cause: "", change: "",
        }
        /// The machine does not trust the certificate that came with it.
        Untrusted { address: String } => {
            id: "IDX20803 trust", status: 500, class: "log",
            text: "IDX20803: Unable to obtain configuration from: '{address}'. Exception: 'System.IO.IOException: IDX20804: Unable to retrieve document from: '{address}'. ---> System.Net.WebException: The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure channel.'.",
            fidelity: Inferred, source: "Microsoft.IdentityModel.Protocols 8, resources; the last sentence: Microsoft Learn, finance and operations: Troubleshoot on-premises deployments",
            cause: "", change: "",
        }
    }
}
