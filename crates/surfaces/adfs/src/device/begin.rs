//! Where a device begins: it names itself and what it wants, and is told two codes.
//!
//! Decides that the client is an application of the service and may have what it asks for, as the token endpoint would; a resource
//! that nobody has is another error here. Whether the application can prove who it is, the token endpoint asks. Members and
//! their order are as captured; the message's words, and that what is refused leaves the event of a token request, are
//! inferred.

use http::StatusCode;
use mocktenant_idp::device_code::{Begun, NotBegun};
use mocktenant_idp::form::Form;
use mocktenant_idp::json::{push_integer, push_name, push_string_escaping};
use mocktenant_idp::{Ledger, Sealer};
use mocktenant_lab::{Answer, Exchange, Scope};
use mocktenant_verdict::{Checklist, Finding, Question, Role};

use super::{DEVICE_CODE, DEVICES, INTERVAL, Wanted};
use crate::asking::{Asking, Checks, Sent, excerpt};
use crate::client_auth::{CLIENT_ID, REGISTERED, ask_registered};
use crate::errors::{AdfsError, describe};
use crate::prepared::PreparedService;
use crate::scope::{self, Granted};
use crate::{envelope, path, service, token_endpoint};

/// Whether the request can be read.
static READABLE: Question = Question::new("device-request", Role::Request);
/// Whether one more device may wait.
static BEGUN: Question = Question::new("device-may-wait", Role::Request);

/// The questions, in the order asked.
pub(crate) fn questions() -> Vec<&'static Question> {
    let asked = [&READABLE, &CLIENT_ID, &REGISTERED].into_iter();
    asked.chain(scope::QUESTIONS).chain([&BEGUN]).collect()
}

pub(super) fn answer(exchange: &mut Exchange) -> Answer {
    if envelope::is_preflight(exchange) {
        return envelope::preflight(exchange);
    }
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    let activity = envelope::activity(exchange);
    // Dispatch lets nobody without a body get here.
    let body = exchange.request.body.clone().unwrap_or_default();
    let form = token_endpoint::read_form(exchange, &body);
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    let empty = Form::default();
    let sent = Sent { form: form.as_ref().unwrap_or(&empty), headers: &exchange.request.headers };
    let client_id = sent.parameter("client_id");
    let asking = Asking {
        prepared: &prepared,
        client: client_id.and_then(|id| prepared.service.client(id)),
        client_id,
        sent,
        context: &exchange.context,
        now: exchange.context.now(),
        called: None,
    };
    let granted = ask(&asking, &mut list, form.as_ref().err());
    let begun = begun(exchange, &prepared, &mut list, client_id, granted.as_ref());
    let facts = [("client-id", "client_id"), ("resource", "resource"), ("scope", "scope")];
    let facts = facts.map(|(name, parameter)| Some((name, excerpt(sent.parameter(parameter)?))));
    let (checks, refusal) = list.finish();
    for (name, value) in facts.into_iter().flatten() {
        exchange.trail.fact(name, value);
    }
    exchange.trail.record_checks(checks);
    match (refusal, begun) {
        (None, Some(begun)) => {
            let page = format!("{}{}", exchange.own_base_url(), path::DEVICE_AUTH);
            envelope::token(exchange, StatusCode::OK, written(&begun, &page, &activity))
        }
        (refusal, _) => {
            let error = match refusal {
                Some(AdfsError::ResourceUnknown) => AdfsError::DeviceResourceUnknown,
                Some(other) => other,
                // Only a check that a test turned off leads here.
                None => AdfsError::ServerError,
            };
            envelope::refusal(exchange, &error)
        }
    }
}

fn ask(asking: &Asking<'_, '_>, list: &mut Checks<'_>, unread: Option<&AdfsError>) -> Option<Granted> {
    list.ask(&READABLE, "a form, each parameter once", Vec::new(), || match unread {
        None => Finding::pass("a form"),
        Some(error) => Finding::fail("a form that cannot be read", error.clone()),
    });
    list.ask(&CLIENT_ID, "the client id of an application", Vec::new(), || match asking.client_id {
        Some(_) => Finding::pass("a client id"),
        None => Finding::fail("none", AdfsError::ParameterMissing { name: "client_id".to_owned() }),
    });
    ask_registered(asking, list, |_| AdfsError::ClientUnknown);
    scope::ask(asking, list, None)
}

/// Begins a flow, if nothing stands against it.
fn begun(
    exchange: &Exchange,
    prepared: &PreparedService,
    list: &mut Checks<'_>,
    client_id: Option<&str>,
    granted: Option<&Granted>,
) -> Option<Begun> {
    let (None, Some(client), Some(granted)) = (list.refusal(), client_id, granted) else {
        list.skip(&BEGUN, &READABLE);
        return None;
    };
    let owner = Scope::federation_service(&prepared.service.id);
    let sealer = Sealer::of(&exchange.context, &owner);
    let wanted = Wanted { resource: granted.resource.clone(), scopes: granted.scopes.clone() };
    let asked = (&*client.to_ascii_lowercase(), &wanted);
    let begun = exchange.context.remember(|store| {
        let ledger = Ledger::new(store, &owner, exchange.context.now());
        DEVICES.begin((&sealer, &ledger), &DEVICE_CODE, exchange.context.random(), asked)
    });
    let mut out = None;
    list.ask(&BEGUN, "room for one more device that waits", Vec::new(), || match begun {
        Ok(Ok(begun)) => {
            out = Some(begun);
            Finding::pass("room")
        }
        Ok(Err(why @ NotBegun::TooLong { .. })) => Finding::fail(why.to_string(), AdfsError::FormMalformed),
        Ok(Err(why)) => Finding::fail(why.to_string(), AdfsError::ServerError),
        Err(_) => Finding::fail("a reset came over it", AdfsError::ServerError),
    });
    out
}

/// The body of a success.
fn written(begun: &Begun, page: &str, activity: &str) -> Vec<u8> {
    let user_code = &begun.user_code;
    let message = format!(
        "To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."
    );
    let complete = format!("{page}?user_code={user_code}&client-request-id={activity}");
    let mut out = Vec::with_capacity(begun.device_code.len() + 512);
    out.push(b'{');
    let mut member = |name: &str, value: Result<&str, i64>| {
        push_name(&mut out, name);
        match value {
            Ok(text) => push_string_escaping(&mut out, text, b"/"),
            Err(number) => push_integer(&mut out, number),
        }
    };
    member("device_code", Ok(&begun.device_code));
    member("expires_in", Err(DEVICES.lifetime.whole_seconds()));
    member("interval", Err(INTERVAL));
    member("message", Ok(&message));
    member("user_code", Ok(user_code));
    member("verification_uri", Ok(page));
    member("verification_uri_complete", Ok(&complete));
    member("verification_url", Ok(page));
    out.push(b'}');
    out
}
