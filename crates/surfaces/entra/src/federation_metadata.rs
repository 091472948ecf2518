//! FederationMetadata.xml of a tenant.
//!
//! Decides which tenant, keys and endpoints the document speaks of; its shape and signature are the federation crate's.
//! An AOS asks for it at its start, by the name login.windows.net. An alias prints the placeholder for its tenant and is
//! signed by the first tenant's key.

use bytes::Bytes;
use http::StatusCode;
use mocktenant_federation::{EntraMetadata, SignatureForm, Signer};
use mocktenant_keys::Certificate;
use mocktenant_lab::{Answer, Content, Exchange};

use crate::Version;
use crate::discovery::{find, issuer, refused};
use crate::envelope::Envelope;
use crate::prepared::{Document, Subject};

/// Answers the metadata.
pub(crate) fn answer(exchange: &mut Exchange) -> Answer {
    let envelope = Envelope::open(exchange, None);
    match find(exchange, Document::Federation, render) {
        Ok(body) => {
            let body: Bytes = body;
            // The media type is inferred.
            let content = Content::Xml(body, "application/xml; charset=utf-8");
            dressed(&envelope, exchange, Answer::typed(StatusCode::OK, content))
        }
        Err(error) => {
            let answer = refused(exchange, &envelope, &error);
            dressed(&envelope, exchange, answer)
        }
    }
}

/// A refusal is kept as long as the document would be.
fn dressed(envelope: &Envelope, exchange: &Exchange, answer: Answer) -> Answer {
    envelope.plain(exchange, answer).with("cache-control", "max-age=86400, private")
}

fn render(exchange: &Exchange, subject: &Subject<'_>, base: &str) -> Option<Vec<u8>> {
    let signing = subject.signing.first()?;
    let certificates: Vec<Certificate> =
        subject.signing.iter().map(|identity| identity.certificate().clone()).collect();
    let id = format!("_{}", exchange.context.random().guid());
    let metadata = EntraMetadata {
        id: &id,
        entity_id: &issuer(Version::V1, base, subject.issuer_tenant),
        endpoint_base: &format!("{base}/{}", subject.segment),
        signing_certificates: &certificates,
    };
    let signer =
        Signer { key: signing.key(), certificate: signing.certificate(), form: SignatureForm::Unprefixed };
    metadata.to_bytes(signer).ok()
}
