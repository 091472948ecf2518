//! AD FS's error page.
//!
//! Decides which lines it has, their order and their ids. Never decides which error a request deserves.

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange};

use crate::envelope;
use crate::errors::AdfsError;

/// The page of a refusal; `relying_party` is the display name of whom the request was for, where that is known.
pub(crate) fn error(exchange: &mut Exchange, error: &AdfsError, relying_party: Option<&str>) -> Answer {
    let activity = envelope::activity(exchange);
    let _ = relying_party;
    let page = format!("{} {activity}", error.text());
    envelope::dressed(exchange, Answer::typed(StatusCode::OK, Content::Page(page.into())))
}
