//! The texts of Entra's refusals, one row each.
//!
//! A table of data. `observed` texts were seen in the place named by `source`, `documented` ones are printed in
//! Microsoft's article on error codes (reference-error-codes), `inferred` ones are ours where only the number or the
//! meaning is known. Status and OAuth error are sometimes less certain than the text; the source says so.

use mocktenant_verdict::catalogue;

/// The OAuth error a row is, and whether Entra's error page has more to say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// The `error` member.
    pub error: &'static str,
    /// Whether the body has an `error_uri`.
    pub has_page: bool,
}

/// With an `error_uri`.
const fn oauth(error: &'static str) -> OAuth {
    OAuth { error, has_page: true }
}

/// Without an `error_uri`, as seen in captures of these codes.
const fn pageless(error: &'static str) -> OAuth {
    OAuth { error, has_page: false }
}

const ARTICLE: &str = "Microsoft Entra article reference-error-codes (text; OAuth error and status inferred)";

catalogue! {
    /// A refusal by Entra.
    pub enum EntraError(OAuth) {
        // --- tenant and instance ---
        /// No such tenant, at the token endpoint.
        TenantUnknown { tenant: String } => {
            id: "AADSTS90002", status: 400, class: oauth("invalid_request"),
            text: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
            fidelity: Observed, source: "azure-keyvault-emulator#324; several captures of the token endpoint",
            cause: "no tenant has this id or verified domain",
            change: "use the tenant's id or a verified domain as authority (web.config: Aad.AADTenantId; portal: Overview, Tenant ID)",
        }
        /// No such tenant, for a document: whatever the segment is.
        TenantNotFound { tenant: String } => {
            id: "AADSTS90002", status: 400, class: oauth("invalid_tenant"),
            text: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
            fidelity: Observed, source: "azure-cli#22145; several captures of discovery, single words among them",
            cause: "no tenant has this id or verified domain",
            change: "use the tenant's id or a verified domain as authority (web.config: Aad.AADTenantId; portal: Overview, Tenant ID)",
        }
        /// The zero GUID as tenant.
        TenantEmpty { tenant: String } => {
            id: "AADSTS900021", status: 400, class: oauth("invalid_request"),
            text: "Requested tenant identifier '{tenant}' is not valid. Tenant identifiers may not be an empty GUID.",
            fidelity: Observed, source: "azure-devops-mcp#570, azure-devops-mcp#587 (text; OAuth error and status inferred)",
            cause: "the tenant is the zero GUID: a setting that was never filled in",
            change: "use the tenant's id or a verified domain as authority (web.config: Aad.AADTenantId; portal: Overview, Tenant ID)",
        }
        /// The tenant segment cannot be one.
        TenantMalformed { tenant: String } => {
            id: "AADSTS900023", status: 400, class: oauth("invalid_request"),
            text: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
            fidelity: Observed, source: "microsoft/Analysis-Services#194, microsoft/aspire#4253; status: caddy-dns/azure#3",
            cause: "the first path segment is neither a GUID nor a domain; often a whole endpoint URL was used as authority",
            change: "the authority is https://HOST/TENANT and nothing after it",
        }
        /// An application alone cannot sign in to an alias.
        TenantNotImplied => {
            id: "AADSTS50059", status: 400, class: oauth("invalid_request"),
            text: "No tenant-identifying information found in either the request or implied by any provided credentials.",
            fidelity: Observed, source: "azure-docs#24064 (text; OAuth error and status inferred)",
            cause: "an application signs in without a user, so common and organizations name no tenant",
            change: "use the tenant's id or domain instead of the alias",
        }
        /// The grant does not work on this alias.
        AliasNotSupported => {
            id: "AADSTS9001023", status: 400, class: oauth("invalid_request"),
            text: "The grant type isn't supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
            fidelity: Documented, source: ARTICLE,
            cause: "the grant does not exist for personal accounts",
            change: "use the tenant's id or domain instead of the alias",
        }
        /// Instance discovery for a host that is none of Entra's.
        UnknownInstance => {
            id: "AADSTS50049", status: 400, class: oauth("invalid_instance"),
            text: "Unknown or invalid instance.",
            fidelity: Observed, source: "microsoft-authentication-library-for-go#438",
            cause: "authorization_endpoint names a host that is neither Entra's nor this lab's",
            change: "turn instance discovery off in the client, or use a host of the lab as authority",
        }
        /// Instance discovery without a usable endpoint.
        DiscoveryMalformed => {
            id: "AADSTS50050", status: 400, class: oauth("invalid_request"),
            text: "The request is malformed.",
            fidelity: Inferred, source: "name MalformedDiscoveryRequest in reference-error-codes",
            cause: "the query lacks authorization_endpoint, or it is no absolute https URL",
            change: "",
        }
        /// A token asked for at a regional host.
        Regional => {
            id: "AADSTS100007", status: 400, class: oauth("unauthorized_client"),
            text: "This request was received by an Azure AD regional authentication endpoint. Only managed identities and Microsoft internal service identities are supported. SN+I authentication is required.  All others, send your request to login.microsoftonline.com: in MSAL avoid using .WithAzureRegion(), in App Service, set REGION_NAME to null.",
            fidelity: Observed, source: "microsoft/dev-tunnels#443 of 2024-05 (text; OAuth error and status inferred)",
            cause: "REGION.login.microsoft.com serves managed identities and Microsoft's own services, no ordinary application",
            change: "leave the region out: no WithAzureRegion() in MSAL, no AZURE_REGIONAL_AUTHORITY_NAME or REGION_NAME in the environment",
        }
        /// Another method than POST on the token endpoint.
        WrongVerb { valid: String, used: String } => {
            id: "AADSTS900561", status: 400, class: oauth("invalid_request"),
            text: "The endpoint only accepts {valid} requests. Received a {used} request.",
            fidelity: Observed, source: "captures of the token endpoint, which takes POST and OPTIONS (OAuth error and status inferred)",
            cause: "the token endpoint was called with another method",
            change: "send the parameters as a form in a POST",
        }

        // --- request form ---
        /// The form cannot be read.
        FormMalformed => {
            id: "AADSTS90023", status: 400, class: oauth("invalid_request"),
            text: "Request is malformed or invalid.",
            fidelity: Inferred, source: "name InvalidRequest in reference-error-codes",
            cause: "the body is no form in UTF-8, too large, a multipart form that is cut off, or holds too many parameters",
            change: "",
        }
        /// A parameter this lab does not play: the product's words for a request it cannot make sense of.
        ParameterNotBuilt => {
            id: "AADSTS9002313", status: 400, class: oauth("invalid_request"),
            text: "Invalid request. Request is malformed or invalid.",
            fidelity: Inferred, source: "azure-activedirectory-library-for-nodejs#219 (the words, of another malformed request)",
            cause: "the real product takes this parameter and would answer another token for it; this lab does not have it yet",
            change: "leave the parameter out",
        }
        /// A parameter twice.
        ParameterDuplicated { name: String } => {
            id: "AADSTS9000411", status: 400, class: oauth("invalid_request"),
            text: "The request is not properly formatted. The parameter '{name}' is duplicated.",
            fidelity: Observed, source: "azure-sdk-for-java#31733, microsoft-authentication-library-for-android#688",
            cause: "the form holds the parameter more than once",
            change: "",
        }
        /// A parameter is not there.
        ParameterMissing { name: String } => {
            id: "AADSTS900144", status: 400, class: oauth("invalid_request"),
            text: "The request body must contain the following parameter: '{name}'.",
            fidelity: Observed, source: "microsoft-graph-docs-contrib#1369, laravel-azure-middleware#49 (400)",
            cause: "the parameter is missing or empty, the body is not form-encoded (JSON is not read), or the parameters are in the query",
            change: "send a form with Content-Type application/x-www-form-urlencoded or multipart/form-data",
        }
        /// A grant type Entra does not have.
        GrantUnsupported { grant: String } => {
            id: "AADSTS70003", status: 400, class: pageless("unsupported_grant_type"),
            text: "The app requested an unsupported grant type '{grant}'.",
            fidelity: Observed, source: "calvinchengx/entra-emulator capture of 2026-08-13",
            cause: "the grant type does not exist, or this lab does not have it yet",
            change: "",
        }

        // --- client application ---
        /// The zero GUID as client id.
        ClientIdInvalid { client_id: String } => {
            id: "AADSTS700038", status: 400, class: pageless("unauthorized_client"),
            text: "{client_id} is not a valid application identifier.",
            fidelity: Observed, source: "calvinchengx/entra-emulator capture of 2026-08-13",
            cause: "the client id is the zero GUID",
            change: "use the Application (client) ID of the app registration",
        }
        /// No such application.
        ApplicationNotFound { client_id: String, tenant: String } => {
            id: "AADSTS700016", status: 400, class: oauth("unauthorized_client"),
            text: "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11, msgraph-sdk-dotnet#454 (status inferred)",
            cause: "no application of the tenant has this client id",
            change: "register the application in this tenant, or correct the client id (web.config: Aad.Realm)",
        }
        /// A disabled application.
        ApplicationDisabled { app_id: String, name: String } => {
            id: "AADSTS7000112", status: 400, class: oauth("unauthorized_client"),
            text: "Application '{app_id}'({name}) is disabled.",
            fidelity: Observed, source: "Worklytics/psoxy#74 (status inferred)",
            cause: "the application is disabled in the tenant",
            change: "Enterprise applications, Properties, Enabled for users to sign-in: Yes",
        }
        /// A public client with a credential.
        ClientIsPublic => {
            id: "AADSTS700025", status: 401, class: oauth("invalid_client"),
            text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
            fidelity: Documented, source: ARTICLE,
            cause: "the application is a public client and holds no credential",
            change: "App registration, Certificates & secrets: add a credential; or Authentication: Allow public client flows: No",
        }
        /// No credential at all.
        CredentialMissing => {
            id: "AADSTS7000216", status: 401, class: oauth("invalid_client"),
            text: "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
            fidelity: Observed, source: "azure-docs#30777 (text; OAuth error and status inferred)",
            cause: "the request carries neither a secret nor an assertion",
            change: "send client_secret, or client_assertion with client_assertion_type",
        }

        // --- secret ---
        /// A wrong secret.
        SecretWrong { app_id: String } => {
            id: "AADSTS7000215", status: 401, class: oauth("invalid_client"),
            text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app_id}'.",
            fidelity: Observed, source: "calvinchengx/entra-emulator capture of 2026-08-13",
            cause: "no secret of the application has this value",
            change: "App registration, Certificates & secrets: use the Value of a client secret",
        }
        /// An expired secret.
        SecretsExpired { app_id: String } => {
            id: "AADSTS7000222", status: 401, class: oauth("invalid_client"),
            text: "The provided client secret keys for app '{app_id}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
            fidelity: Observed, source: "dotnet/sign#849, vsts-release-aas#119 (401)",
            cause: "the secret has expired",
            change: "App registration, Certificates & secrets: New client secret",
        }

        // --- assertion ---
        /// Not a JWT.
        AssertionMalformed => {
            id: "AADSTS50027", status: 400, class: oauth("invalid_request"),
            text: "JWT token is invalid or malformed.",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11",
            cause: "client_assertion is not three base64url parts with JSON in the first two, or names a member twice",
            change: "",
        }
        /// Another kind of JWT.
        KindUnsupported => {
            id: "AADSTS5002727", status: 400, class: oauth("invalid_request"),
            text: "Invalid JWT header type specified. Allowed types: 'JWT','http://openid.net/specs/jwt/1.0'",
            fidelity: Observed, source: "a capture of an assertion with typ at+jwt; captures of 2021 word it otherwise (status inferred)",
            cause: "the assertion's header says another typ than JWT",
            change: "set typ to JWT, or leave it out",
        }
        /// An algorithm that is not taken. The list is the one observed in 2023; PS256 is accepted all the same.
        AlgorithmUnsupported { alg: String } => {
            id: "AADSTS5002738", status: 401, class: oauth("invalid_client"),
            text: "Invalid JWT token. '{alg}' is not a supported signature algorithm. Supported signing algorithms are: 'RS256,RS384,RS512'",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11",
            cause: "the assertion is not signed with an RSA algorithm",
            change: "sign with PS256 or RS256",
        }
        /// A key of another kind than the algorithm's.
        KeyUnsupported => {
            id: "AADSTS5002730", status: 400, class: oauth("invalid_request"),
            text: "Invalid JWT token. Unsupported key for the signing algorithm.",
            fidelity: Observed, source: "microsoft-authentication-library-for-dotnet#4712",
            cause: "the registered certificate has no RSA key of 2048 to 8192 bits",
            change: "App registration, Certificates & secrets: upload a certificate with an RSA key",
        }
        /// The header names no key.
        KeyIdMissing => {
            id: "AADSTS5002723", status: 401, class: oauth("invalid_client"),
            text: "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in token header.",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11 (status inferred)",
            cause: "the header has none of x5t, x5t#S256 and kid",
            change: "",
        }
        /// A claim of the assertion, or `scope`, is not there.
        FieldMissing { field: String } => {
            id: "AADSTS90014", status: 400, class: oauth("invalid_request"),
            text: "The required field '{field}' is missing from the credential. Ensure that you have all the necessary parameters for the login request.",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11, databricks-grafana#99, oidc-cli#7",
            cause: "the assertion lacks this claim, or the request lacks its scope",
            change: "",
        }
        /// An assertion by somebody else than the client.
        IssuerExternal { issuer: String } => {
            id: "AADSTS700211", status: 401, class: pageless("invalid_client"),
            text: "No matching federated identity record found for presented assertion issuer '{issuer}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
            fidelity: Observed, source: "azure-workload-identity#1200 with the address of later captures (status inferred)",
            cause: "the assertion's iss is no client id, so it is read as a federated credential, and there is none",
            change: "set iss and sub to the client id",
        }
        /// `sub` is not `iss`.
        SubjectDiffers => {
            id: "AADSTS50048", status: 401, class: oauth("invalid_client"),
            text: "Subject must match the issuer claim in the client assertion.",
            fidelity: Observed, source: "microsoft-authentication-library-for-java#430 (text; OAuth error and status inferred)",
            cause: "the assertion's sub is not its iss",
            change: "set both to the client id",
        }
        /// The assertion is another client's.
        ClientIdDiffers => {
            id: "AADSTS700021", status: 401, class: oauth("invalid_client"),
            text: "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials .",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11 (status inferred)",
            cause: "iss and sub name another application than client_id",
            change: "set iss and sub to the client id",
        }
        /// The assertion is for somebody else.
        AudienceWrong => {
            id: "AADSTS700023", status: 401, class: oauth("invalid_client"),
            text: "Client assertion audience claim does not match Realm issuer. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials .",
            fidelity: Observed, source: "microsoft-authentication-library-for-dotnet#2746 (status inferred)",
            cause: "the assertion's aud is no token endpoint of this tenant",
            change: "set aud to the URL of the token endpoint that is called",
        }
        /// Several audiences.
        AudienceTooMany { count: usize } => {
            id: "AADSTS5002741", status: 401, class: oauth("invalid_client"),
            text: "Number of audience values in the provided client credential exceed maximum allowed. {count} audience values provided, maximum allowed is 1.",
            fidelity: Observed, source: "zitadel/oidc#887 (text; OAuth error and status inferred)",
            cause: "the assertion's aud is a list of more than one",
            change: "set aud to the URL of the token endpoint that is called",
        }
        /// The audience of the mutual-TLS host.
        AudienceMutualTls => {
            id: "AADSTS50171", status: 401, class: pageless("invalid_client"),
            text: "The given audience can only be used in Mutual-TLS token calls.",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11",
            cause: "the assertion's aud is the mutual-TLS host, the call is not",
            change: "set aud to the URL of the token endpoint that is called",
        }
        /// The certificate is not registered; its thumbprint is known.
        KeyNotFound { thumbprint: String, app_id: String } => {
            id: "AADSTS700027", status: 401, class: oauth("invalid_client"),
            text: "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app_id}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http to build a query request URL, such as 'https://graph.microsoft.com/beta/applications/{app_id}']",
            fidelity: Observed, source: "keycloak#19425, learn Q&A 5915574 (status inferred)",
            cause: "the certificate that signed is not among the application's",
            change: "App registration, Certificates & secrets, Certificates: upload the .cer; or name the registered certificate (web.config: Infrastructure.S2SCertThumbprint)",
        }
        /// The certificate is not registered; the header names no thumbprint.
        KeyNotFoundUnnamed { app_id: String } => {
            id: "AADSTS700027", status: 401, class: oauth("invalid_client"),
            text: "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app_id}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http to build a query request URL, such as 'https://graph.microsoft.com/beta/applications/{app_id}']",
            fidelity: Observed, source: "keycloak#19425 (status inferred)",
            cause: "the header's key identifier is no thumbprint of a certificate of the application",
            change: "App registration, Certificates & secrets, Certificates: upload the .cer",
        }
        /// The certificate is registered, the signature is another's.
        SignatureWrong { thumbprint: String, start: String, end: String } => {
            id: "AADSTS700027", status: 401, class: oauth("invalid_client"),
            text: "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value., Thumbprint of key used by client: '{thumbprint}', Found key 'Start={start}, End={end}']",
            fidelity: Inferred, source: "first sentence: reference-error-codes; the bracket: samples of AADSTS50013",
            cause: "the assertion was signed with another key than that of the certificate it names",
            change: "",
        }
        /// The certificate has not begun.
        CertificateNotYetValid { thumbprint: String, start: String, end: String } => {
            id: "AADSTS700027", status: 401, class: oauth("invalid_client"),
            text: "The certificate with identifier used to sign the client assertion is not yet valid on application. [Reason - The key used is not yet valid., Thumbprint of key used by client: '{thumbprint}', Found key 'Start={start}, End={end}']",
            fidelity: Inferred, source: "that it is refused; the words after those of an expired one",
            cause: "the certificate's validity has not begun",
            change: "wait for it to begin, set the clock that is off, or sign with a certificate that is valid already",
        }
        /// The certificate has ended.
        CertificateExpired { thumbprint: String, start: String, end: String } => {
            id: "AADSTS700027", status: 401, class: oauth("invalid_client"),
            text: "The certificate with identifier used to sign the client assertion is expired on application. [Reason - The key used is expired., Thumbprint of key used by client: '{thumbprint}', Found key 'Start={start}, End={end}']",
            fidelity: Inferred, source: "first sentence: several captures; the bracket: a sample of AADSTS50012",
            cause: "the certificate has expired",
            change: "make a new certificate, upload its .cer to the application and name it in the client (web.config: Infrastructure.S2SCertThumbprint)",
        }
        /// Outside the assertion's times.
        AssertionOutOfTime { now: String, from: String, until: String } => {
            id: "AADSTS700024", status: 401, class: oauth("invalid_client"),
            text: "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry time of assertion {until}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
            fidelity: Observed, source: "MSAL.NET test bodies of 2023-12-11, microsoft-authentication-library-for-dotnet#4951",
            cause: "the clock of the machine that signed differs from Entra's by more than five minutes, or an old assertion was sent again",
            change: "set the clock of the machine that signs",
        }

        // --- resource and scope ---
        /// No such resource.
        ResourceNotFound { resource: String, tenant: String } => {
            id: "AADSTS500011", status: 400, class: oauth("invalid_resource"),
            text: "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
            fidelity: Observed, source: "calvinchengx/entra-emulator capture of 2026-08-13",
            cause: "the resource is neither an application of the tenant nor the URL of one of its environments or organisations",
            change: "ask for the URL of the environment or organisation as it is (a wrong host and a wrong region are common)",
        }
        /// A disabled resource. The missing letter is Microsoft's.
        ResourceDisabled { resource: String } => {
            id: "AADSTS500014", status: 400, class: oauth("invalid_resource"),
            text: "The service principal for resource '{resource}' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it.",
            fidelity: Observed, source: "AzureAD-Attack-Defense#43 (text; OAuth error and status inferred)",
            cause: "the resource's service principal is disabled in the tenant",
            change: "Enterprise applications, Properties, Enabled for users to sign-in: Yes",
        }
        /// A resource that requires an assignment, asked for by an application without one of its roles.
        NotAssigned { app_id: String, name: String, resource_id: String, resource_name: String } => {
            id: "AADSTS501051", status: 400, class: oauth("invalid_grant"),
            text: "Application '{app_id}'({name}) is not assigned to a role for the application '{resource_id}'({resource_name}).",
            fidelity: Observed, source: "public samples that print it (they differ on the OAuth error: invalid_grant, invalid_client; status inferred)",
            cause: "the resource requires assignment, and the client has none of its application roles",
            change: "the client's API permissions: add an application permission of the resource and grant consent; or Enterprise applications, the resource, Properties, Assignment required?: No",
        }
        /// A scope that is not `/.default`.
        ScopeNotDefault { scope: String } => {
            id: "AADSTS1002012", status: 400, class: oauth("invalid_scope"),
            text: "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
            fidelity: Observed, source: "databricks-sql-nodejs#226, azure-docs#99862 (status inferred)",
            cause: "an application without a user can ask only for RESOURCE/.default",
            change: "append /.default to the resource",
        }
        /// A scope whose resource is no URI.
        ScopeMalformed { scope: String } => {
            id: "AADSTS70011", status: 400, class: oauth("invalid_scope"),
            text: "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
            fidelity: Observed, source: "DataverseDevTools#84, laravel/socialite#315 and several captures of client credentials (status inferred)",
            cause: "before /.default stands neither a URI nor a GUID",
            change: "write the resource with its scheme: https://HOST/.default",
        }
        /// Two resources in one scope.
        ScopeTwoResources { scopes: String } => {
            id: "AADSTS28000", status: 400, class: oauth("invalid_scope"),
            text: "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scopes} is not valid.",
            fidelity: Observed, source: "aad_oauth#328 (text; OAuth error inferred)",
            cause: "one token is for one resource",
            change: "ask for one token per resource",
        }
        /// `resource` at the v2 endpoint, and it is not the scope's.
        ResourceDiffers => {
            id: "AADSTS9010010", status: 400, class: oauth("invalid_target"),
            text: "The resource parameter provided in the request doesn't match with the requested scopes.",
            fidelity: Inferred, source: "captures of the authorize endpoint since early 2026; that the token endpoint says the same is concluded",
            cause: "the v2 endpoint goes by scope, and resource names something else",
            change: "send scope=RESOURCE/.default without resource, or use /oauth2/token",
        }

        // --- ours ---
        /// Our own defect, in Entra's words for its own.
        TokenIssuance => {
            id: "AADSTS50000", status: 500, class: oauth("server_error"),
            text: "There was an error issuing a token.",
            fidelity: Inferred, source: "name TokenIssuanceError in reference-error-codes",
            cause: "a defect of this lab; please report the exchange",
            change: "",
        }
    }
}
