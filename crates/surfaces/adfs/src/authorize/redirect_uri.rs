//! Where an answer may go.
//!
//! Decides that it is a redirect URI of the client's, compared as AD FS does: exact text, host and scheme without letter case,
//! no freedom of the loopback port. Says what it differs in where one was probably meant.

use mocktenant_idp::address::{self, Policy};
use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Remedy, Role};
use mocktenant_world::{Client, pointers};

use crate::asking::{Asking, Checks, excerpt};
use crate::client_auth::REGISTERED;
use crate::errors::AdfsError;

/// AD FS's rule.
pub(crate) const REDIRECT_URIS: Policy<'static> = Policy {
    schemes: None,
    exact_text: true,
    host_case_counts: false,
    final_slash_counts: true,
    below: false,
    free_ports: &[],
    fragment: false,
};

/// Whether the answer may go where the request wants it.
pub(super) static REDIRECT_URI: Question = Question::new("redirect-uri", Role::Address).needs(&[&REGISTERED]);

pub(super) fn ask_redirect_uri(asking: &Asking<'_, '_>, list: &mut Checks<'_>) {
    let sent = asking.sent.parameter("redirect_uri");
    let settings = || asking.client.map(|client| client.redirect_uris_at.clone()).into_iter().collect();
    list.ask(&REDIRECT_URI, "a redirect URI that the application has registered", settings, || {
        let Some(client) = asking.client else { return Finding::skip(REGISTERED.name) };
        let known: Vec<&str> = client.redirect_uris.iter().map(String::as_str).collect();
        let Some(sent) = sent else {
            // With one registered, that one is meant (inferred).
            return match known.as_slice() {
                [_] => Finding::pass("none, and one is registered"),
                _ => Finding::fail("none", AdfsError::RedirectUriMissing)
                    .mended_by(|| Remedy::instead(known.iter().map(|one| (*one).to_owned()))),
            };
        };
        match address::registered(&REDIRECT_URIS, &known, sent) {
            Ok(_) => Finding::pass("registered"),
            Err(refused) => not_registered(client, &known, sent, &refused),
        }
    });
}

/// A redirect URI that is none of the application's, with the nearest it has and what it differs in.
fn not_registered(
    client: &Client,
    known: &[&str],
    sent: &str,
    refused: &address::Refused<'_>,
) -> Finding<AdfsError> {
    let error =
        AdfsError::RedirectUriUnknown { client: client.client_id.clone(), redirect_uri: sent.to_owned() };
    let actual = match refused.near {
        Some(near) => format!("{}: differs from {} in {}", excerpt(sent), excerpt(near.known), near.by),
        None => format!("{}: {refused}", excerpt(sent)),
    };
    let others: Vec<String> = match refused.near {
        Some(near) => vec![near.known.to_owned()],
        None => known.iter().map(|one| (*one).to_owned()).take(8).collect(),
    };
    Finding::fail(actual, error).mended_by(|| {
        let at = client.redirect_uris_at.clone();
        let missing = Change::missing(at.clone()).expected(excerpt(sent));
        // What is no address anywhere cannot be registered.
        let change = match refused.fault {
            address::Fault::NotRegistered => missing.edit(Edit::add(pointers::end_of(&at), sent)),
            _ => missing.need(Need::add(at, "a redirect URI that can be one")),
        };
        Remedy::here(change).or_instead(others)
    })
}
