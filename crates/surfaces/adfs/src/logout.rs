//! Signing out: the end of a browser's session, wherever it was used.
//!
//! Decides that whoever comes here is signed out, with a session or without, and every copy of the session's cookie with it;
//! that the browser goes on only where an `id_token_hint` of this service says whose application wants it, to a redirect URI
//! that this application has registered, and otherwise stays on the page, which leaves event 554; and that each application
//! the session was used for is told at its `LogoutUri`, in a frame. Refresh tokens stay good. Mirrors Microsoft's page about
//! single log-out and a capture of event 554.
//!
//! Inferred: the words of the page; that `state` comes back; `iss` beside `sid` (the value that the id token has); and that a
//! browser which has frames to load goes on a second later (`Refresh`) instead of at once.

use http::{Method, StatusCode};
use mocktenant_idp::address;
use mocktenant_idp::form::Form;
use mocktenant_idp::page::people::{About, SignedOut};
use mocktenant_idp::page::{POLICY, Text};
use mocktenant_idp::session::Session;
use mocktenant_lab::caller::encoded;
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_verdict::{Change, Checklist, Edit, Finding, Question, Remedy, Role};
use mocktenant_world::{Client, pointers};

use crate::asking::{Checks, excerpt};
use crate::authorize::REDIRECT_URIS;
use crate::errors::{AdfsError, describe};
use crate::prepared::PreparedService;
use crate::{discovery, envelope, id_token_hint, page, service, session};

/// Whether the request can be read.
static READABLE: Question = Question::new("logout-request", Role::Request);
/// Whether the browser may go where the request wants it.
static REDIRECT: Question = Question::new("post-logout-redirect-uri", Role::Address);

/// The questions, in the order asked.
pub(crate) fn questions() -> Vec<&'static Question> {
    [&READABLE].into_iter().chain(id_token_hint::QUESTIONS).chain([&REDIRECT]).collect()
}

/// Answers a request to sign out.
pub(crate) fn answer(exchange: &mut Exchange) -> Answer {
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    envelope::activity(exchange);
    let query = exchange.request.query().to_owned();
    let body = exchange.request.body.clone().unwrap_or_default();
    let posted = exchange.request.method == Method::POST && query.is_empty();
    let form = if posted { Form::parse(&body) } else { Form::parse(query.as_bytes()) };
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    list.ask(&READABLE, "parameters, each once", Vec::new(), || match &form {
        Ok(_) => Finding::pass("each once"),
        Err(_) => Finding::fail("some that cannot be read", AdfsError::AuthorizeMalformed),
    });
    let form = form.unwrap_or_default();
    let mut client_id = None;
    let wanted = form.get("post_logout_redirect_uri").filter(|_| list.refusal().is_none());
    let to = wanted.and_then(|wanted| {
        let hinted = id_token_hint::ask(exchange, &prepared, &mut list, form.get("id_token_hint"));
        client_id = hinted.as_ref().map(|hinted| hinted.client.client_id.clone());
        ask_redirect(&mut list, hinted.map(|hinted| &**hinted.client), wanted);
        list.refusal().is_none().then(|| with_state(wanted, form.get("state")))
    });
    let (checks, refusal) = list.finish();
    exchange.trail.record_checks(checks);
    for (name, value) in [("client-id", client_id.as_deref()), ("post-logout-redirect-uri", wanted)] {
        if let Some(value) = value {
            exchange.trail.fact(name, excerpt(value));
        }
    }
    match refusal {
        Some(error @ AdfsError::AuthorizeMalformed) => {
            exchange.trail.record_error(error.row().id);
            return page::error(exchange, &error, None);
        }
        Some(error) => exchange.trail.record_error(error.row().id),
        None => {}
    }
    let session = session::of(exchange, &prepared.service);
    let frames = session.as_ref().map(|session| told(exchange, &prepared, session)).unwrap_or_default();
    let mut answer = match to {
        Some(to) if frames.is_empty() => Answer::typed(StatusCode::FOUND, Content::Redirect { to }),
        then => signed_out(&prepared, frames, then),
    };
    session::end(exchange, &prepared.service, session.as_ref(), &mut answer);
    envelope::dressed(exchange, answer)
}

/// Asks whether the browser may go there.
fn ask_redirect(list: &mut Checks<'_>, client: Option<&Client>, wanted: &str) {
    let settings = || client.map(|client| client.redirect_uris_at.clone()).into_iter().collect::<Vec<_>>();
    list.ask(&REDIRECT, "a redirect URI that the application has registered", settings, || {
        // Whose it would have to be, the hint says.
        let Some(client) = client else { return Finding::skip(id_token_hint::QUESTIONS[0].name) };
        let known: Vec<&str> = client.redirect_uris.iter().map(String::as_str).collect();
        match address::registered(&REDIRECT_URIS, &known, wanted) {
            Ok(_) => Finding::pass("registered"),
            Err(refused) => {
                let actual = format!("{}: {refused}", excerpt(wanted));
                Finding::fail(actual, AdfsError::LogoutStays).mended_by(|| {
                    let at = client.redirect_uris_at.clone();
                    let change = Change::missing(at.clone()).expected(excerpt(wanted));
                    Remedy::here(change.edit(Edit::add(pointers::end_of(&at), wanted)))
                        .or_instead(known.iter().take(8).map(|one| (*one).to_owned()))
                })
            }
        }
    });
}

fn with_state(to: &str, state: Option<&str>) -> String {
    match state {
        Some(state) => with_query(to, &format!("state={}", encoded(state))),
        None => to.to_owned(),
    }
}

fn with_query(to: &str, query: &str) -> String {
    format!("{to}{}{query}", if to.contains('?') { '&' } else { '?' })
}

/// Where the applications of a session are told that it is over.
fn told(exchange: &mut Exchange, prepared: &PreparedService, session: &Session) -> Vec<String> {
    let service = &prepared.service;
    let sid = service.user(&session.sign_in.user).map(|user| user.sid.clone()).unwrap_or_default();
    let issuer = discovery::issuer(prepared, exchange).into_owned();
    let query = format!("iss={}&sid={}", encoded(&issuer), encoded(&sid));
    let clients = session.clients.iter().filter_map(|id| service.client(id));
    let frames: Vec<String> =
        clients.filter_map(|client| Some(with_query(client.logout_uri.as_deref()?, &query))).collect();
    exchange.trail.fact("user", session.sign_in.user.clone());
    if !frames.is_empty() {
        exchange.trail.fact("applications-told", frames.len().to_string());
    }
    frames
}

fn signed_out(prepared: &PreparedService, frames: Vec<String>, then: Option<String>) -> Answer {
    let about = About {
        lang: "en",
        title: "Sign Out",
        provider: &prepared.service.display_name,
        area: "signOutArea",
        heading: Text::called("openingMessage", "Sign out"),
    };
    let says = [Text::called("signoutMessage", "You have successfully signed out.")];
    let html = SignedOut { says: &says, links: &[] }.page(&about);
    let content = Content::Frames { html: html.into(), policy: POLICY, frames, then };
    Answer::typed(StatusCode::OK, content).with("cache-control", "no-store")
}
