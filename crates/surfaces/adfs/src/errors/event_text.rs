//! What AD FS's event providers say for each event id.
//!
//! A table of data. `class` is the event's id, `status` is that of the answer beside it, and `%1` in a text stands for
//! the event's first value, as a provider's messages have it: what fills it is in [`crate::events`].

use mocktenant_verdict::catalogue;

catalogue! {
    /// A message.
    pub(crate) enum EventText(u16) {
        /// The security token service refuses a request.
        WsTrustRequest => {
            id: "event 111", status: 400, class: 111,
            text: "The Federation Service encountered an error while processing the WS-Trust request. \nRequest type: %1 \n\nAdditional Data \nException details: \n%2",
            fidelity: Observed, source: "Microsoft's support articles and several threads of Microsoft Q&A",
            cause: "the user was refused, or issuance failed", change: "what stands inside says it",
        }
        /// A page was answered.
        PassiveRequest => {
            id: "event 364", status: 200, class: 364,
            text: "Encountered error during federation passive request. \n\nAdditional Data \n\nProtocol Name: \n%1 \n\nRelying Party: \n%2 \n\nException details: \n%3",
            fidelity: Observed, source: "django-auth-adfs#31; several threads of Microsoft Q&A",
            cause: "a page was answered, or the user was refused", change: "what stands inside says it",
        }
        /// A token, here a name with a password, does not hold.
        TokenValidation => {
            id: "event 411", status: 400, class: 411,
            text: "Token validation failed. See inner exception for more details. \n\nAdditional Data \n\nActivity ID: %1 \n\nToken Type: \n%2 \n\nClient IP: \n%3 \n\nError message: \n%4 \n\nException details: \n%5",
            fidelity: Observed, source: "several captures; the order of the values is inferred",
            cause: "no such user, another password, or an account that may not sign in", change: "what stands inside says it",
        }
        /// Who made a request that failed.
        CallerOfRequest => {
            id: "event 1000", status: 400, class: 1000,
            text: "An error occurred during processing of a token request. The data in this event may have the identity of the caller (application) that made this request. The data includes an Activity ID that you can cross-reference to error or warning events to help diagnose the problem that caused this error. \n\nAdditional Data \n\nCaller: \n%1 \n\nOnBehalfOf user: \n%2 \n\nActAs user: \n%3 \n\nTarget Relying Party: \n%4 \n\nDevice identity: \n%5 \n\nUser action: \nUse the Activity ID data in this message to search and correlate the data to events in the Event log using Event Viewer. This Activity ID will also be shown as additional information in the error page when an error occurs in the federation passive Web application.",
            fidelity: Observed, source: "a thread of Microsoft Q&A, with 111 and 364 around it",
            cause: "a token request failed; 111 says why", change: "look for the other events with this Activity ID",
        }
        /// A browser that was signed out stays where it is.
        LogoutStays => {
            id: "event 554", status: 200, class: 554,
            text: "The specified redirect URL did not match any of the OAuth client's redirect URIs. The logout was successful but the client will not be redirected. ",
            fidelity: Observed, source: "a capture of the event (its severity is inferred)",
            cause: "post_logout_redirect_uri came without an id_token_hint of this service, or the application has not registered it",
            change: "send the id token as id_token_hint, and register the address: AD FS Management > Application Groups > the application > Redirect URI",
        }
        /// OAuth refuses a token request.
        TokenRequest => {
            id: "event 1021", status: 400, class: 1021,
            text: "Encountered error during OAuth token request. \n\nAdditional Data \n\nException details: \n%1",
            fidelity: Observed, source: "Microsoft Q&A 281994",
            cause: "the client, its credential, the resource or the scope was refused", change: "what stands inside says it",
        }
        /// A token was issued.
        TokenIssued => {
            id: "event 1200", status: 200, class: 1200,
            text: "The Federation Service issued a valid token. See XML for details. \n\nActivity ID: %1 \n\nAdditional Data \nXML: %2",
            fidelity: Observed, source: "audits quoted in public documents",
            cause: "a token was issued", change: "nothing",
        }
        /// A token was not issued.
        TokenNotIssued => {
            id: "event 1201", status: 400, class: 1201,
            text: "The Federation Service failed to issue a valid token. See XML for failure details. \n\nActivity ID: %1 \n\nAdditional Data \nXML: %2",
            fidelity: Inferred, source: "Microsoft's list of audits has its beginning; the rest is that of 1203",
            cause: "the client may not have what it asked for", change: "1021 beside it says why",
        }
        /// Somebody proved who he is.
        CredentialValid => {
            id: "event 1202", status: 200, class: 1202,
            text: "The Federation Service validated a new credential. See XML for details. \n\nActivity ID: %1 \n\nAdditional Data \nXML: %2",
            fidelity: Observed, source: "oauth2-proxy#106",
            cause: "a user signed in with a password", change: "nothing",
        }
        /// Somebody did not prove who he is.
        CredentialNotValid => {
            id: "event 1203", status: 400, class: 1203,
            text: "The Federation Service failed to validate a new credential. See XML for failure details. \n\nActivity ID: %1 \n\nAdditional Data \nXML: %2",
            fidelity: Observed, source: "an audit quoted in the documents of a log collector",
            cause: "a user was refused", change: "411 beside it says why",
        }
    }
}
