//! A bearer token is not accepted, or whom it stands for has no session: status, headers, body.
//!
//! Decides the status of each refusal. A 401 has no body, for the real one is not public; the 403 of a session that cannot be
//! created has the body of the product's services. The P3P header that comes with both is observed, and often taken for the
//! error.

use mocktenant_verdict::catalogue;
use serde_json::json;

/// Where the session of a caller cannot be created; the capture is cut here.
const STACK: &str =
    "   at Microsoft.Dynamics.Ax.Services.ServicesSessionProvider.ThrowSessionCreationException(...)";

/// The header that accompanies every refusal (observed: issue 41 of microsoft/Dynamics-AX-Integration, issue 162 of MicrosoftDocs/dynamics-365-unified-operations-public).
pub(crate) const P3P: &str = "CP=\"No P3P policy defined.  Read the Microsoft privacy statement at https://go.microsoft.com/fwlink/?LinkId=271135\"";

catalogue! {
    /// Why a bearer token is not accepted, in the order asked.
    pub(crate) enum BearerError(&'static str) {
        /// There is no bearer token.
        TokenMissing => {
            id: "401 token-present", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot service authentication (401); the body is not public",
            cause: "the request carries no bearer token",
            change: "Let the caller send `Authorization: Bearer` with an access token for the environment's URL.",
        }
        /// What was sent is no token.
        TokenMalformed => {
            id: "401 token-well-formed", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the body is not public",
            cause: "what follows `Bearer` is not one signed token of three base64url parts",
            change: "Let the caller send the access token as it came from Entra, whole and unchanged.",
        }
        /// No RSA key verifies the header's algorithm.
        AlgorithmRefused => {
            id: "401 token-algorithm", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the body is not public",
            cause: "the token's header names an algorithm that no key of the metadata verifies",
            change: "Let the caller send an access token that Entra issued.",
        }
        /// The signature does not hold against the keys fetched at start.
        SignatureInvalid => {
            id: "401 token-signature", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the body is not public",
            cause: "the token is not signed by a key of the federation metadata the AOS fetched when it started",
            change: "Let the caller get its token from the tenant of Aad.AADTenantId; after a key rollover restart the AOS.",
        }
        /// Issued by somebody else.
        IssuerUnknown => {
            id: "401 token-issuer", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the body is not public",
            cause: "the token's issuer is not Aad.AADIssuerNameFormat filled with Aad.TenantDomainGUID",
            change: "Ask the environment's own tenant for the token, or correct Aad.AADIssuerNameFormat and Aad.TenantDomainGUID in web.config and restart.",
        }
        /// Issued for somebody else.
        AudienceWrong => {
            id: "401 token-audience", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot service authentication (401); the body is not public",
            cause: "the token's aud is not the environment's URL: no final slash, lower case, no application id of another application",
            change: "Let the caller ask for the environment's URL without its final slash as resource, or correct Infrastructure.HostUrl in web.config and restart.",
        }
        /// Expired, or not yet valid.
        TimeInvalid => {
            id: "401 token-time", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the body is not public",
            cause: "the token's nbf and exp do not hold at the AOS machine's clock, five minutes of skew allowed",
            change: "Let the caller get a fresh token, and check the clock of the AOS machine.",
        }
        /// Issued by another tenant.
        TenantWrong => {
            id: "401 token-tenant", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot service authentication (401); the body is not public",
            cause: "the token's tid is not Aad.TenantDomainGUID",
            change: "Let the caller use the authority of the environment's own tenant, not /organizations; or correct Aad.TenantDomainGUID in web.config and restart.",
        }
        /// The caller has no object in the tenant.
        ObjectIdMissing => {
            id: "401 token-object-id", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Documented, source: "Microsoft Learn, finance and operations: Troubleshoot service authentication (401); the body is not public",
            cause: "the token has no oid: the application has no service principal in the tenant",
            change: "Create the enterprise application in the environment's tenant and use /{tenant} as authority.",
        }
        /// No row in SysAADClientTable.
        ApplicationUnknown => {
            id: "403 application-mapped", status: 403, class: "System.ServiceModel.Web.WebFaultException`1[[System.ComponentModel.Win32Exception, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]",
            text: "Forbidden",
            fidelity: Observed, source: "a captured body, its stack trace shortened; operators' notes of 2026 say 401",
            cause: "the calling application has no row in SysAADClientTable",
            change: "In Finance & Operations add the client id under System administration > Setup > Microsoft Entra ID applications.",
        }
        /// The mapped user may not work.
        UserDisabled => {
            id: "403 user-enabled", status: 403, class: "System.ServiceModel.Web.WebFaultException`1[[System.ComponentModel.Win32Exception, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]",
            text: "Forbidden",
            fidelity: Observed, source: "the captured body for an application without a row; the session of a user who cannot sign in fails at the same place",
            cause: "the user of the application's SysAADClientTable row is not in UserInfo, or not enabled",
            change: "In Finance & Operations enable the user under System administration > Users, or map the application to another user.",
        }
        /// On-premises: the signature does not hold against the keys fetched at start.
        StartupSignatureInvalid => {
            id: "401 token-signature on-premises", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the body is not public",
            cause: "the token is not signed by a key of the federation metadata the AOS fetched when it started",
            change: "Let the caller get its token from the AD FS of Aad / AADMetadataLocationFormat; after a rollover of its token-signing certificate restart the AOS (AxService.exe).",
        }
        /// On-premises: issued by somebody else.
        StartupIssuerUnknown => {
            id: "401 token-issuer on-premises", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the body is not public",
            cause: "the token's issuer is not Aad / AADIssuerNameFormat filled with Aad / TenantDomainGUID",
            change: "Ask the environment's own AD FS for the token, or correct Aad / AADIssuerNameFormat in AXSF.Package.1.0.xml and restart.",
        }
        /// On-premises: issued for somebody else.
        StartupAudienceWrong => {
            id: "401 token-audience on-premises", status: 401, class: "Unauthorized",
            text: "",
            fidelity: Inferred, source: "401 as for the documented rules; the audiences are what set-up registers and field notes ask for",
            cause: "the token's aud is neither Aad / AADValidAudience, with or without its final slash, nor 00000015-0000-0000-c000-000000000000",
            change: "Let the caller ask AD FS for Aad / AADValidAudience as resource, or correct that in AXSF.Package.1.0.xml and restart.",
        }
        /// A user's token, and no such user.
        UserUnknown => {
            id: "403 user-known", status: 403, class: "System.ServiceModel.Web.WebFaultException`1[[System.ComponentModel.Win32Exception, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]",
            text: "Forbidden",
            fidelity: Inferred, source: "the captured body for an application without a row; the session of a user who cannot sign in fails at the same place",
            cause: "no row of UserInfo has the token's upn as NetworkAlias",
            change: "In Finance & Operations add the user under System administration > Users.",
        }
        /// A user's token, and the user is another identity provider's.
        UserOfAnotherProvider => {
            id: "403 user-identity-provider", status: 403, class: "System.ServiceModel.Web.WebFaultException`1[[System.ComponentModel.Win32Exception, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]",
            text: "Forbidden",
            fidelity: Inferred, source: "the captured body for an application without a row; the session of a user who cannot sign in fails at the same place",
            cause: "IdentityProvider of the user's row in UserInfo is not the Federation Service Identifier of AD FS",
            change: "In Finance & Operations set the provider of the user under System administration > Users to the Federation Service Identifier (Get-AdfsProperties).",
        }
    }
}

impl BearerError {
    /// Identifier and change, for a checklist.
    pub(crate) fn describe(error: &Self) -> (&'static str, &'static str) {
        let row = error.row();
        (row.id, row.change)
    }

    /// The body on the wire, where there is one.
    pub(crate) fn body(&self) -> Option<String> {
        let text = self.text();
        (!text.is_empty()).then(|| {
            let body = json!({
                "Message": "An error has occurred.",
                "ExceptionMessage": &*text,
                "ExceptionType": self.row().class,
                "StackTrace": STACK,
            });
            body.to_string()
        })
    }
}
