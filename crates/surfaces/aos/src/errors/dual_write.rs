//! What Dual Write says when a record does not reach Dataverse.
//!
//! Decides the composed texts. The authentication branch is observed, six lines; the others follow the documented
//! examples: where their full stops and blanks stand, where the link and the activity id sit. Which question led there the
//! product itself does not tell; the question's own remedy does.

use std::borrow::Cow;

use mocktenant_lab::outbound::CallError;
use mocktenant_verdict::catalogue;

/// Where to read on; it stands before the activity id and again behind it.
const FURTHER: &str =
    "For information on troubleshooting see https://go.microsoft.com/fwlink/?linkid=2244045.";

/// The end of every composed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Troubleshooting {
    /// The activity id of this write, in capitals.
    pub(crate) activity: String,
}

impl std::fmt::Display for Troubleshooting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{FURTHER} Activity ID for troubleshooting {{{}}}{FURTHER}.", self.activity)
    }
}

catalogue! {
    /// A write that Dual Write could not deliver.
    pub(crate) enum DualWriteError(&'static str) {
        /// No token, for whatever reason.
        AuthenticationFailed { set: String, url: String } => {
            id: "dual-write authentication", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Unable to write data to entity {set}\nAuthentication failed with error\nFailed to authenticate for {url}\nFor information on troubleshooting see\nhttps://go.microsoft.com/fwlink/?linkid=2244045\nUnable to get access token",
            fidelity: Observed, source: "field report: Dual Write Error \"Failed to authenticate\" and \"Unable to get access token\" from Tier1 Cloud-Hosted to Dynamics 365 Sales; that line feeds join the lines is inferred",
            cause: "the AOS could not get an access token for Dataverse",
            change: "Set up the certificate as the article on one-box environments says (secure-developer-vm, External integrations).",
        }
        /// Dataverse answered with an error of its own.
        WriteRefused { set: String, entity: String, status: Cow<'static, str>, code: String, message: String, troubleshooting: Troubleshooting } => {
            id: "dual-write refused", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Unable to write data to entity {set}.Writes to {entity} failed with error message Request failed with status code {status} and CDS error code : {code} response message: {message}.{troubleshooting}",
            fidelity: Documented, source: "Microsoft Learn: Dual write error messages of project operations, in the wording before its texts were edited",
            cause: "Dataverse refused the write",
            change: "Look at the Dataverse error code: application user, its security role, or the data.",
        }
        /// Dataverse refused without an error body.
        WriteRefusedBare { set: String, entity: String, status: Cow<'static, str>, reason: String, troubleshooting: Troubleshooting } => {
            id: "dual-write refused-bare", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Unable to write data to entity {set}.Writes to {entity} failed with error message Request failed with status code {status} and CDS error code : {reason}.{troubleshooting}",
            fidelity: Inferred, source: "after an older example in Microsoft Learn where the reason phrase stands for the code",
            cause: "Dataverse refused the write without naming an error code, as it does for a token it does not accept",
            change: "Compare the token's aud, tid and signature with the organisation: ExternalEnvironmentURL and the tenant of web.config.",
        }
        /// No answer from Dataverse.
        WriteUnanswered { set: String, entity: String, exception: String, troubleshooting: Troubleshooting } => {
            id: "dual-write unanswered", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Unable to write data to entity {set}.Writes to {entity} failed with error message Exception message: {exception}.{troubleshooting}",
            fidelity: Inferred, source: "\"Exception message:\" as in Microsoft Learn: Troubleshoot live synchronization issues; the .NET exception texts are believed",
            cause: "Dataverse could not be reached at ExternalEnvironmentURL",
            change: "Correct ExternalEnvironmentURL in DualWriteProjectConfiguration, or link the environment again.",
        }
        /// Reference data is not in Dataverse.
        LookupMissing { set: String, lookups: String, troubleshooting: Troubleshooting } => {
            id: "dual-write lookup", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Unable to write data to entity {set}.{lookups}.Writes to {set} failed with error message Exception message: The remote server returned an error: (400) Bad Request.{troubleshooting}",
            fidelity: Inferred, source: "after an example in Microsoft Learn: Troubleshoot live synchronization issues",
            cause: "a row the record refers to is not in Dataverse",
            change: "Run the initial synchronization of the referenced table first.",
        }
        /// No URL to write to.
        PayloadFailed { entity: String, reason: &'static str } => {
            id: "dual-write payload", status: 400, class: "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException",
            text: "Unable to generate payload for entity {entity}\nPayload creation failed with error {reason}",
            fidelity: Inferred, source: "Microsoft Learn: Troubleshoot live synchronization issues, errorMessage and verboseError of one record, joined here",
            cause: "ExternalEnvironmentURL is empty or no URL, for instance after a database restore",
            change: "Link the environment again, or set ExternalEnvironmentURL in DualWriteProjectConfiguration, then restart the AOS.",
        }
    }
}

impl DualWriteError {
    /// Identifier and change, for a checklist.
    pub(crate) fn describe(error: &Self) -> (&'static str, &'static str) {
        let row = error.row();
        (row.id, row.change)
    }

    /// One lookup that found nothing, as it stands in [`DualWriteError::LookupMissing`].
    pub(crate) fn lookup(set: &str, value: &str) -> String {
        format!("Unable to lookup {set} with values {{{value}}}")
    }

    /// The .NET exception a failed call would be, as it stands in [`DualWriteError::WriteUnanswered`].
    pub(crate) fn exception(error: &CallError) -> String {
        match error {
            CallError::UnknownHost { host, .. } => format!("The remote name could not be resolved: '{host}'"),
            CallError::Tls { .. } => "The underlying connection was closed: \
                Could not establish trust relationship for the SSL/TLS secure channel"
                .to_owned(),
            CallError::Timeout { .. } => "The operation has timed out".to_owned(),
            _ => "Unable to connect to the remote server".to_owned(),
        }
    }
}
