//! Why an AOS did not start, and the page it shows until it does.
//!
//! Decides the wording of the 500 page and its markup. The sentences are observed; the markup around them is not public
//! and kept plain.

use mocktenant_verdict::catalogue;

/// What stands before an AOS whose nodes are stopped (inferred: the wording is IIS's own for an application pool that is off).
pub(crate) const UNAVAILABLE: &str = "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>Service Unavailable</title></head>\n<body>\n\
    <h2>Service Unavailable</h2>\n<hr>\n<p>HTTP Error 503. The service is unavailable.</p>\n</body>\n</html>\n";

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
        /// The machine does not trust the certificate that comes with the documents.
        RootUntrusted => {
            id: "500 tls-root-trusted", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public",
            cause: "the AOS machine's LocalMachine\\Root holds no root for the certificate of whoever answers at the address in its file",
            change: "Install the root under certlm.msc > Trusted Root Certification Authorities on the AOS machine, then restart the AOS.",
        }
        /// By the machine's clock that certificate is not valid.
        ClockOff => {
            id: "500 tls-time-valid", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public",
            cause: "by the AOS machine's clock the certificate of whoever answers is not valid yet or no longer",
            change: "Set the clock of the AOS machine, then restart the AOS.",
        }
        /// The startup file lacks what a start needs.
        StartupFileIncomplete => {
            id: "500 configuration-readable on-premises", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public",
            cause: "AXSF.Package.1.0.xml does not say where AD FS is or as which client people are signed in there",
            change: "In AXSF.Package.1.0.xml set Aad / AADMetadataLocationFormat, OpenIDConnect / Metadata and OpenIDConnect / ClientID, then restart the AOS (AxService.exe).",
        }
        /// Nobody answered at the address of AD FS, or not with a document.
        ProviderUnreachable => {
            id: "500 provider-reachable", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public; that a wrong URL for AD FS gives HTTP 500: on-premises authentication article",
            cause: "the AOS could not fetch a document of AD FS from the URL in AXSF.Package.1.0.xml when it started",
            change: "In AXSF.Package.1.0.xml correct Aad / AADMetadataLocationFormat or OpenIDConnect / Metadata, then restart the AOS (AxService.exe).",
        }
        /// What came is no document of AD FS, or holds no usable key.
        ProviderUnreadable => {
            id: "500 provider-readable", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public; that a wrong URL for AD FS gives HTTP 500: on-premises authentication article",
            cause: "what answers at the URL in AXSF.Package.1.0.xml is not the document that belongs there",
            change: "In AXSF.Package.1.0.xml let Aad / AADMetadataLocationFormat name a FederationMetadata.xml and OpenIDConnect / Metadata an openid-configuration, then restart the AOS (AxService.exe).",
        }
        /// The metadata is not signed by whom the environment names.
        MetadataUnsigned => {
            id: "500 metadata-signed", status: 500, class: "start",
            text: "There is a problem with the server\nSorry, the server has encountered an error. It is either not available or it can't respond at this time. Please contact your system administrator.\nError 500.",
            fidelity: Observed, source: "wording quoted in issue 1454 of MicrosoftDocs/dynamics-365-unified-operations-public; that a node looks at the signature is inferred",
            cause: "the federation metadata is not signed by the certificate that the environment names",
            change: "Set metadata_signing_certificate of the environment to the token-signing certificate of AD FS, or leave it out; then restart the AOS.",
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
        paragraphs(&self.text())
    }
}

/// A page of a few sentences, the first its title.
pub(super) fn paragraphs(text: &str) -> String {
    let mut lines = text.lines();
    let title = lines.next().unwrap_or_default();
    let paragraphs = lines.fold(String::new(), |page, line| page + "<p>" + line + "</p>\n");
    format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n\
         {paragraphs}</body>\n</html>\n"
    )
}
