//! The bodies of both services.
//!
//! Decides members, their order and their kinds (every one is a text), and in which of the bodies a refusal stands. What
//! Entra refused IMDS hands on as it came; App Service says in words of its own that it got none. Never decides whether
//! anybody gets a token.

use http::StatusCode;
use mocktenant_lab::{Answer, CatalogueRow, Exchange};

use super::Service;
use super::asking::Ticket;
use crate::authority::v2_issuer_base;
use crate::claims::Times;
use crate::envelope::Envelope;
use crate::errors::{Body, EntraError, ManagedIdentityError};
use mocktenant_idp::json::{push_integer, push_member, push_name};

/// What IMDS says it is.
const SERVER: &str = "IMDS/150.870.65.476";

/// A token.
pub(super) fn success(service: Service, ticket: &Ticket<'_>, token: &str, times: Times) -> Answer {
    let client_id = &ticket.identity.client_id;
    let resource = &ticket.granted.asked;
    let expires_on = times.expires_on.to_string();
    let mut out = Vec::with_capacity(token.len() + 384);
    out.push(b'{');
    // A compact JWS is base64url and dots: nothing in it is escaped.
    push_member(&mut out, "access_token", token);
    match service {
        Service::Imds => {
            let expires_in = times.expires_in().to_string();
            push_member(&mut out, "client_id", client_id);
            push_member(&mut out, "expires_in", &expires_in);
            push_member(&mut out, "expires_on", &expires_on);
            push_member(&mut out, "ext_expires_in", &expires_in);
            push_member(&mut out, "not_before", &times.not_before.to_string());
            push_member(&mut out, "resource", resource);
            push_member(&mut out, "token_type", "Bearer");
        }
        Service::AppService => {
            push_member(&mut out, "expires_on", &expires_on);
            push_member(&mut out, "resource", resource);
            push_member(&mut out, "token_type", "Bearer");
            push_member(&mut out, "client_id", client_id);
        }
    }
    out.push(b'}');
    dressed(service, Answer::json(StatusCode::OK, out))
}

/// A refusal in the body of its row, recorded.
pub(super) fn refused(exchange: &mut Exchange, error: &ManagedIdentityError) -> Answer {
    let row = error.row();
    exchange.trail.record_error(row.id);
    let text = error.text();
    let mut out = Vec::with_capacity(text.len() + 128);
    out.push(b'{');
    let service = match row.class {
        Body::Imds(code) => {
            push_member(&mut out, "error", code);
            push_member(&mut out, "error_description", &text);
            Service::Imds
        }
        Body::Bare => {
            push_member(&mut out, "error", &text);
            Service::Imds
        }
        Body::AppService => {
            push_name(&mut out, "StatusCode");
            push_integer(&mut out, i64::from(row.status));
            push_member(&mut out, "Message", &text);
            let envelope = Envelope::open(exchange, None);
            push_member(&mut out, "CorrelationId", envelope.correlation_id());
            Service::AppService
        }
    };
    out.push(b'}');
    // Statuses of the catalogue are in range; a test reads them all.
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
    dressed(service, Answer::json(status, out))
}

/// What a client gets when Entra refused.
pub(super) fn refused_by_entra(exchange: &mut Exchange, service: Service, error: &EntraError) -> Answer {
    exchange.trail.record_error(error.row().id);
    match service {
        Service::AppService => refused(exchange, &ManagedIdentityError::AppTokenRefused),
        Service::Imds => {
            let envelope = Envelope::open(exchange, None);
            let base = v2_issuer_base(exchange);
            dressed(service, envelope.refused_at(exchange, error, &base))
        }
    }
}

fn dressed(service: Service, answer: Answer) -> Answer {
    match service {
        Service::Imds => answer.with("server", SERVER),
        Service::AppService => answer,
    }
}

/// The catalogue for documents and the control API.
pub(super) fn catalogue_rows() -> Vec<CatalogueRow> {
    ManagedIdentityError::ROWS
        .iter()
        .map(|row| CatalogueRow {
            id: row.id,
            status: row.status,
            class: match row.class {
                Body::Imds(code) => code.to_owned(),
                Body::Bare => String::new(),
                Body::AppService => "App Service".to_owned(),
            },
            template: row.template,
            fidelity: row.fidelity,
            source: row.source,
            cause: row.cause,
            change: row.change,
        })
        .collect()
}
