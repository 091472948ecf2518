//! FederationMetadata.xml of a federation service.
//!
//! Decides which service, keys and endpoints the document speaks of; its shape and signature are the federation crate's. It
//! is the same to the byte until what it says changes: its ID follows from what it says. The media type is inferred, and that
//! a service of 2019 or 2022 offers the claim types of one of 2016.

use http::StatusCode;
use mocktenant_federation::{AdfsMetadata, ClaimType};
use mocktenant_keys::{Certificate, sha256_hex};
use mocktenant_lab::{Answer, Content, Exchange};

use crate::prepared::{Document, PreparedService};
use crate::{envelope, service};

/// Answers the metadata.
pub(crate) fn answer(exchange: &mut Exchange) -> Answer {
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    let base = exchange.own_base_url();
    match prepared.document(Document::Metadata, &base, || render(&prepared, &base)) {
        Some(body) => {
            let content = Content::Xml(body, "application/samlmetadata+xml");
            envelope::dressed(exchange, Answer::typed(StatusCode::OK, content))
        }
        None => envelope::refusal(exchange, &crate::errors::AdfsError::ServerError),
    }
}

fn render(prepared: &PreparedService, base: &str) -> Option<Vec<u8>> {
    let service = &prepared.service;
    let certificates: Vec<Certificate> =
        service.signing.iter().map(|identity| identity.certificate().clone()).collect();
    let claim_types: Vec<ClaimType<'_>> = ClaimType::of_2016().collect();
    let metadata = AdfsMetadata {
        id: &id(prepared, base, &certificates),
        entity_id: &prepared.identifier,
        origin: base,
        display_name: &service.display_name,
        signing_certificates: &certificates,
        decrypting_certificate: service.decrypting.as_ref()?.certificate(),
        claim_types: &claim_types,
    };
    metadata.to_bytes(prepared.signing()?.key()).ok()
}

/// `_` and a GUID, made of what the document says.
fn id(prepared: &PreparedService, base: &str, certificates: &[Certificate]) -> String {
    let mut text = format!("{}\n{base}\n{}", prepared.identifier, prepared.service.display_name);
    for certificate in certificates
        .iter()
        .chain(prepared.service.decrypting.as_ref().map(mocktenant_keys::Identity::certificate))
    {
        text.push('\n');
        text.push_str(certificate.thumbprint_text());
    }
    let hex = sha256_hex(&text);
    format!("_{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}
