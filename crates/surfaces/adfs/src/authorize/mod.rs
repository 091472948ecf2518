//! The authorization endpoint: who asks, and where the answer may go.
//!
//! Decides what is answered on AD FS's own page and never by a redirect: a client that no application group has, and a
//! redirect URI that the client has not registered. Registered redirect URIs are compared as texts, the letter case of scheme
//! and host aside; a port on the loopback address is as fixed as any other (inferred). What comes after these two questions,
//! the sign-in itself, is not built and says so. Mirrors [MS-OAPX] 3.2.5.1 as captures show it.

use http::Method;
use mocktenant_idp::address::{self, Policy};
use mocktenant_idp::form::Form;
use mocktenant_lab::{Answer, Exchange};
use mocktenant_verdict::{Change, Check, Checklist, Edit, Finding, Need, Question, Remedy, Role};
use mocktenant_world::{Client, pointers};

use crate::asking::{Asking, Checks, Fact, Sent, excerpt};
use crate::client_auth::{CLIENT_ID, REGISTERED, ask_registered};
use crate::errors::{AdfsError, describe};
use crate::prepared::PreparedService;
use crate::{envelope, page, service, unbuilt};

/// AD FS's rule: exact text, host without case, no freedom of the loopback port.
const REDIRECT_URIS: Policy<'static> = Policy {
    schemes: None,
    exact_text: true,
    host_case_counts: false,
    final_slash_counts: true,
    below: false,
    free_ports: &[],
    fragment: false,
};

/// Whether the request can be read.
static READABLE: Question = Question::new("authorize-request", Role::Request);
/// Whether the answer may go where the request wants it.
pub(crate) static REDIRECT_URI: Question = Question::new("redirect-uri", Role::Address).needs(&[&REGISTERED]);

/// The questions, in the order asked.
pub(crate) static QUESTIONS: [&Question; 4] = [&READABLE, &CLIENT_ID, &REGISTERED, &REDIRECT_URI];

/// Answers an authorization request.
pub(crate) fn answer(exchange: &mut Exchange) -> Answer {
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    envelope::activity(exchange);
    let sent = match exchange.request.method {
        Method::POST => exchange.request.body.clone().unwrap_or_default(),
        _ => exchange.request.query().as_bytes().to_vec().into(),
    };
    let form = Form::parse(&sent).map_err(AdfsError::from);
    let (checks, facts, refusal, name) = decide(exchange, &prepared, &form);
    for (name, value) in facts {
        exchange.trail.fact(name, value);
    }
    exchange.trail.record_checks(checks);
    match refusal {
        Some(error) => {
            exchange.trail.record_error(error.row().id);
            page::error(exchange, &error, name.as_deref())
        }
        None => {
            // Client and redirect URI are in order: what would come now is the sign-in.
            if let Some(missing) = unbuilt::endpoint(unbuilt::AUTHORIZE) {
                missing.record(&mut exchange.trail);
            }
            envelope::refusal(exchange, &AdfsError::NotFulfilled)
        }
    }
}

/// The checks, what was learnt, what it is refused for, and the display name of the relying party where that is known.
type Decision = (Vec<Check>, Vec<Fact>, Option<AdfsError>, Option<String>);

fn decide(exchange: &Exchange, prepared: &PreparedService, form: &Result<Form<'_>, AdfsError>) -> Decision {
    let empty = Form::default();
    let sent = Sent { form: form.as_ref().unwrap_or(&empty), headers: &exchange.request.headers };
    let client_id = sent.parameter("client_id");
    let asking = Asking {
        prepared,
        client: client_id.and_then(|id| prepared.service.client(id)),
        client_id,
        sent,
        context: &exchange.context,
        now: exchange.context.now(),
        called: None,
    };
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    list.ask(&READABLE, "parameters, each once", Vec::new(), || match form {
        Ok(_) => Finding::pass("parameters"),
        Err(_) => Finding::fail("parameters that cannot be read", AdfsError::AuthorizeMalformed),
    });
    list.ask(&CLIENT_ID, "the client id of an application", Vec::new(), || match client_id {
        Some(_) => Finding::pass("a client id"),
        None => Finding::fail("none", AdfsError::AuthorizeClientUnknown { client: String::new() }),
    });
    ask_registered(&asking, &mut list, |id| AdfsError::AuthorizeClientUnknown { client: id.to_owned() });
    ask_redirect_uri(&asking, &mut list);
    let mut facts: Vec<Fact> = Vec::with_capacity(4);
    for (name, parameter) in [
        ("client-id", "client_id"),
        ("redirect-uri", "redirect_uri"),
        ("response-type", "response_type"),
        ("resource", "resource"),
        ("scope", "scope"),
    ] {
        facts.extend(sent.parameter(parameter).map(|value| (name, excerpt(value).into())));
    }
    let (checks, refusal) = list.finish();
    let relying_party = sent.parameter("resource").and_then(|resource| prepared.service.web_api(resource));
    (checks, facts, refusal, relying_party.map(|web_api| web_api.name.clone()))
}

fn ask_redirect_uri(asking: &Asking<'_, '_>, list: &mut Checks<'_>) {
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
