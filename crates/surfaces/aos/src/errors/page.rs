//! Why an AOS did not start, and the page it shows until it does.
//!
//! Decides the wording of the 500 page and its markup. The sentences are observed; the markup around them is not public
//! and kept plain.

use mocktenant_verdict::catalogue;

catalogue! {
    /// Why a start failed. All of them end in the same page.
    pub(crate) enum StartError(&'static str) {
        /// The files lack what a start needs.
        ConfigurationIncomplete => {
            id: "500 configuration-readable", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public",
            cause: "web.config does not say where the federation metadata of the tenant is",
            change: "In web.config set Aad.AADMetadataLocationFormat and Aad.AADTenantId, then restart the AOS (IISRESET).",
        }
        /// Nobody answered at the metadata's address, or not with a document.
        MetadataUnreachable => {
            id: "500 metadata-reachable", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public; that a wrong metadata URL gives HTTP 500: on-premises authentication article",
            cause: "the AOS could not fetch the federation metadata from the URL in web.config when it started",
            change: "In web.config correct Aad.AADMetadataLocationFormat or Aad.AADTenantId, then restart the AOS (IISRESET).",
        }
        /// What came is no federation metadata, or holds no usable key.
        MetadataUnreadable => {
            id: "500 metadata-readable", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public",
            cause: "the document at the metadata URL of web.config is not federation metadata with a signing certificate",
            change: "In web.config let Aad.AADMetadataLocationFormat name a FederationMetadata.xml, then restart the AOS (IISRESET).",
        }
    }
}

impl StartError {
    /// Identifier and change, for a checklist.
    pub(crate) fn describe(error: &Self) -> (&'static str, &'static str) {
        let row = error.row();
        (row.id, row.change)
    }

    /// The page: the sentences in plain markup.
    pub(crate) fn page(&self) -> String {
        let text = self.text();
        let mut lines = text.lines();
        let title = lines.next().unwrap_or_default();
        let paragraphs = lines.fold(String::new(), |page, line| page + "<p>" + line + "</p>\n");
        format!(
            "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n\
             {paragraphs}</body>\n</html>\n"
        )
    }
}
