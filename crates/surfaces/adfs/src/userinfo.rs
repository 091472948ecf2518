//! Userinfo: who an access token is of.
//!
//! Decides the body of a success, `sub` and nothing else whatever scopes were granted, as AD FS has it. Whether a token is
//! taken is decided in [`crate::bearer`]. A token in the query or in a form is not read (inferred).

use http::StatusCode;
use http::header::AUTHORIZATION;
use mocktenant_idp::json::push_member;
use mocktenant_lab::{Answer, Exchange};
use mocktenant_token::bearer::read_authorization;

use crate::{bearer, envelope, service};

/// Answers it.
pub(crate) fn answer(exchange: &mut Exchange) -> Answer {
    if envelope::is_preflight(exchange) {
        return envelope::preflight(exchange);
    }
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    envelope::activity(exchange);
    let Exchange { request, context, trail, .. } = exchange;
    let sent = request.headers.get_all(AUTHORIZATION).iter().map(http::HeaderValue::as_bytes);
    match bearer::identify(context, trail, &prepared, &read_authorization(sent)) {
        Ok(subject) => {
            let mut body = b"{".to_vec();
            push_member(&mut body, "sub", &subject);
            body.push(b'}');
            envelope::token(exchange, StatusCode::OK, body)
        }
        Err(error) => envelope::refusal(exchange, &error),
    }
}
