//! The texts of the endpoints that hand out tokens of managed identities, one row each.
//!
//! A table of data. IMDS and App Service refuse the same thing in different words and in different bodies, so most rows
//! come in pairs. What Entra refuses behind them has its own rows, in Entra's catalogue. Never decides which error a
//! request deserves.

use mocktenant_verdict::catalogue;

/// The body a row is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// IMDS: `error` with a code, `error_description` with the text.
    Imds(&'static str),
    /// IMDS beyond its identity endpoint: `error` with the text.
    Bare,
    /// App Service: `StatusCode`, `Message`, `CorrelationId`.
    AppService,
}

/// What IMDS calls nearly everything.
const INVALID_REQUEST: Body = Body::Imds("invalid_request");

catalogue! {
    /// A refusal by IMDS or App Service.
    pub enum ManagedIdentityError(Body) {
        // --- IMDS ---
        /// No `Metadata: true`.
        MetadataMissing => {
            id: "400 metadata-header", status: 400, class: INVALID_REQUEST,
            text: "Required metadata header not specified",
            fidelity: Observed, source: "captures of the endpoint as SDKs probe it (azure-sdk-for-js#11369); the article on acquiring tokens calls it bad_request_102",
            cause: "the request has no header Metadata: true, which tells it from one that was led here by somebody else",
            change: "send the header `Metadata: true`, in lower case",
        }
        /// It says that it was forwarded.
        Forwarded => {
            id: "400 not-forwarded", status: 400, class: INVALID_REQUEST,
            text: "Bad request. X-Forwarded-For header is not allowed",
            fidelity: Inferred, source: "the article on the Instance Metadata Service says that such requests are rejected; status and wording are ours",
            cause: "the request came through a proxy that says so",
            change: "ask without a proxy, or through one that adds no X-Forwarded-For",
        }
        /// A query nobody can read.
        QueryMalformed => {
            id: "400 query-readable", status: 400, class: INVALID_REQUEST,
            text: "Bad request. The query cannot be read",
            fidelity: Inferred, source: "ours",
            cause: "a parameter stands twice, or is no text",
            change: "send each parameter once, URL-encoded",
        }
        /// No version, or one there is not.
        ApiVersion => {
            id: "400 api-version", status: 400, class: INVALID_REQUEST,
            text: "Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds",
            fidelity: Inferred, source: "azure-compute-docs#289 shows the text for the service's other documents; that the identity endpoint says the same, in its own body, is inferred",
            cause: "the request has no api-version, or one that the service never had",
            change: "ask with `api-version=2018-02-01`",
        }
        /// No resource.
        ResourceMissing => {
            id: "400 resource-given", status: 400, class: INVALID_REQUEST,
            text: "Required query variable 'resource' is missing",
            fidelity: Observed, source: "aad-pod-identity#450, a capture beside it",
            cause: "the request does not say what the token is for",
            change: "send `resource` with the URL or application ID URI of what is called, without /.default",
        }
        /// No such identity here.
        IdentityNotFound => {
            id: "400 identity-assigned", status: 400, class: INVALID_REQUEST,
            text: "Identity not found",
            fidelity: Observed, source: "azure-docs#21322; msal-dotnet#5423",
            cause: "the machine has no identity, or not the one that was named",
            change: "assign the identity to the machine, or name one that is (Azure portal: virtual machine, Identity)",
        }
        /// Several, and none is the machine's own.
        IdentityAmbiguous => {
            id: "400 identity-unambiguous", status: 400, class: INVALID_REQUEST,
            text: "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
            fidelity: Observed, source: "captures of the endpoint (several issues of SDKs)",
            cause: "the machine has several user-assigned identities and none of its own, and the request names none",
            change: "name one by client_id, object_id or msi_res_id",
        }
        /// No such document.
        NotFound => {
            id: "404", status: 404, class: Body::Bare,
            text: "Not found",
            fidelity: Inferred, source: "the article on the Instance Metadata Service names the status; terraform-azurerm-consul#38 shows a longer text in this body",
            cause: "the service has no such document",
            change: "ask /metadata/identity/oauth2/token",
        }
        /// Our own defect.
        Unknown => {
            id: "500", status: 500, class: Body::Imds("unknown"),
            text: "Failed to retrieve token from the Active directory.",
            fidelity: Inferred, source: "the article on acquiring tokens names error and beginning of the text, which goes on with a path of the machine",
            cause: "a defect of this lab",
            change: "report the exchange",
        }

        // --- App Service ---
        /// Not the header the app was given.
        HeaderWrong => {
            id: "401 identity-header", status: 401, class: Body::AppService,
            text: "Unauthorized",
            fidelity: Inferred, source: "the article on App Service says that the header is required; status and wording are ours",
            cause: "X-IDENTITY-HEADER is missing, or is not what the app was given as IDENTITY_HEADER",
            change: "send the value of IDENTITY_HEADER as the header X-IDENTITY-HEADER",
        }
        /// A query nobody can read.
        AppQueryMalformed => {
            id: "400 app-query-readable", status: 400, class: Body::AppService,
            text: "The query cannot be read.",
            fidelity: Inferred, source: "ours",
            cause: "a parameter stands twice, or is no text",
            change: "send each parameter once, URL-encoded",
        }
        /// Another version.
        AppApiVersion => {
            id: "400 app-api-version", status: 400, class: Body::AppService,
            text: "Unsupported api-version.",
            fidelity: Inferred, source: "ours; that there are versions is said in the article on App Service",
            cause: "the request has no api-version, or another one",
            change: "ask with `api-version=2019-08-01`",
        }
        /// No resource.
        AppResourceMissing => {
            id: "400 app-resource-given", status: 400, class: Body::AppService,
            text: "The resource is missing.",
            fidelity: Inferred, source: "ours; that it is required is said in the article on App Service",
            cause: "the request does not say what the token is for",
            change: "send `resource` with the URL or application ID URI of what is called, without /.default",
        }
        /// No such identity, or none of the app's own and none named.
        AppIdentityNotFound => {
            id: "400 app-identity-assigned", status: 400, class: Body::AppService,
            text: "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
            fidelity: Observed, source: "a capture in the tests of cli-microsoft365; that it is said for an app without an identity of its own too is inferred",
            cause: "the app has no identity of its own, or not the one that was named",
            change: "assign the identity to the app, or name one that is (Azure portal: app, Identity)",
        }
        /// Entra gave none.
        AppTokenRefused => {
            id: "500 app-token", status: 500, class: Body::AppService,
            text: "An unexpected error occured while fetching the AAD Token.",
            fidelity: Inferred, source: "the tests of MSAL.NET play App Service with this body; that it is said whatever Entra refused is inferred",
            cause: "Entra refused the identity a token for this resource; the check that failed says why",
            change: "see the check that failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_where_it_comes_from_and_has_an_identifier_of_its_own() {
        let mut ids = std::collections::BTreeSet::new();
        for row in ManagedIdentityError::ROWS {
            assert!(ids.insert(row.id) && row.id.starts_with(&row.status.to_string()), "{}", row.id);
            assert!(!row.source.is_empty() && !row.cause.is_empty() && !row.change.is_empty(), "{}", row.id);
        }
    }
}
