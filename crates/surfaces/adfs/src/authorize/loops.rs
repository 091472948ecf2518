//! Whether a browser is sent for tokens again and again.
//!
//! Decides that one token more than the service allows in its interval is refused on a page (MSIS7042), where the service looks
//! at it at all: a real one does unless told otherwise, one of a world does not. What is counted is in a cookie, so whoever
//! throws that away begins anew. The setting, its defaults and the text are observed and documented for WS-Federation; that the
//! authorization endpoint counts the same is inferred.

use mocktenant_lab::Exchange;
use mocktenant_verdict::{Finding, Question, Remedy, Role};

use crate::asking::Checks;
use crate::errors::AdfsError;
use crate::prepared::PreparedService;
use crate::session;

/// Whether tokens may be issued to this browser once more.
pub(super) static LOOP: Question = Question::new("sign-in-loop", Role::Request);

/// Asks it, where tokens are about to be issued.
pub(super) fn ask(exchange: &Exchange, prepared: &PreparedService, list: &mut Checks<'_>) {
    let Some(declared) = prepared.service.loop_detection else {
        list.ask(&LOOP, "no loop", Vec::new(), || Finding::not_applicable("nobody looks for loops"));
        return;
    };
    let counted = session::counted(exchange, &prepared.service);
    let expected =
        format!("no more than {} tokens in {} seconds", declared.maximum_tokens, declared.interval_seconds);
    list.ask(&LOOP, expected, vec![prepared.service.pointer.loop_detection()], || {
        let actual = format!("{} in {}", counted.tokens, counted.seconds);
        if counted.tokens <= declared.maximum_tokens {
            return Finding::pass(actual);
        }
        Finding::fail(actual, AdfsError::Loop { tokens: counted.tokens, seconds: counted.seconds }).mended_by(|| {
            Remedy::default().advice(
                "the application does not take what it is sent and asks anew: look at why it refuses the token",
            )
        })
    });
}
