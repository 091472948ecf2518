//! The page for devices: which code, which client, who.
//!
//! Decides the order of what people are asked (code, client, sign-in: believed) and that a device gets nothing before somebody
//! said on a page of this service, in this very browser, that the client was meant. That is what the form's token is for: it is
//! bound to the flow and to the session, and where nobody is signed in yet, to the flow, and then a password has to follow. A
//! code that no device waits with is asked for again. Never decides what the device gets: that is the grant's.
//!
//! Finding and judging have no effects; that somebody approves or denies is written once everything else is decided.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use mocktenant_idp::device_code::Pending;
use mocktenant_idp::form::Form;
use mocktenant_idp::guard::FormToken;
use mocktenant_idp::session::Session;
use mocktenant_idp::{Kind, Ledger, Sealer};
use mocktenant_lab::{Answer, Exchange, Scope};
use mocktenant_verdict::{Check, Checklist, Finding, Question, Role};
use mocktenant_world::FederationUser;

use super::{DEVICES, Wanted, pages};
use crate::asking::{Asking, Checks, Fact, Sent, excerpt};
use crate::errors::{AdfsError, describe};
use crate::grants::password;
use crate::prepared::PreparedService;
use crate::sign_in::{self, OWN_FORM, Tried, Typed};
use crate::{envelope, lockout, page, path, service, session};

/// Whether the request can be read.
static READABLE: Question = Question::new("device-page-request", Role::Request);
/// Whether a device waits with the code that was typed.
static WAITS: Question = Question::new("device-waits", Role::Token);
/// Whether somebody confirmed the client on a page of this browser's.
static CONFIRMED: Question = Question::new("device-confirmed", Role::Request).needs(&[&WAITS]);
/// Whether nobody answered the device meanwhile.
static SETTLED: Question = Question::new("device-still-waits", Role::Token);

/// What a confirmation's token is sealed as.
const TOKEN: Kind<FormToken> = Kind::new("adfs-device-confirmation");

/// The questions, in the order asked.
pub(crate) fn questions() -> Vec<&'static Question> {
    let asked = [&READABLE, &OWN_FORM, &WAITS, &CONFIRMED].into_iter();
    asked.chain(password::user_questions()).chain([&lockout::LOCKOUT, &SETTLED]).collect()
}

/// Who approves.
enum Who<'p> {
    /// Whoever is signed in.
    Session(Session),
    /// Who has just typed a password.
    User(&'p Arc<FederationUser>),
}

/// What becomes of a request.
enum Outcome<'p> {
    /// The error page.
    Refused(AdfsError),
    /// Which code?
    Code { wrong: bool },
    /// Which client?
    Client(Pending<Wanted>),
    /// Who?
    SignIn { pending: Pending<Wanted>, token: String, wrong: bool },
    /// That user.
    Approved { pending: Pending<Wanted>, token: String, who: Who<'p> },
    /// No.
    Denied(Pending<Wanted>),
}

/// A request: its query, and what was posted.
struct Read<'r> {
    query: Form<'r>,
    posted: Option<Form<'r>>,
}

impl Read<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.posted.as_ref().and_then(|form| form.get(name)).or_else(|| self.query.get(name))
    }

    fn pressed(&self, button: &str) -> bool {
        self.posted.as_ref().is_some_and(|form| form.get(button).is_some())
    }

    fn typed(&self) -> Option<Typed<'_>> {
        Typed::read(self.posted.as_ref()?)
    }
}

struct Decision<'p> {
    checks: Vec<Check>,
    facts: Vec<Fact>,
    outcome: Outcome<'p>,
    /// The user whose password was judged, and whether it was right.
    tried: Option<(&'p FederationUser, bool)>,
}

pub(super) fn answer(exchange: &mut Exchange) -> Answer {
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    let activity = envelope::activity(exchange);
    let query = Bytes::copy_from_slice(exchange.request.query().as_bytes());
    let body = exchange.request.body.clone().unwrap_or_default();
    let read = Form::parse(&query).and_then(|query| {
        let posted = (exchange.request.method == Method::POST).then(|| Form::parse(&body)).transpose()?;
        Ok(Read { query, posted })
    });
    let read = read.map_err(AdfsError::from);
    let Decision { checks, facts, outcome, tried } = decide(exchange, &prepared, &read);
    let mut said = sign_in::said(&checks);
    let locked = tried.and_then(|(user, right)| lockout::count(exchange, &prepared, user, right));
    for (name, value) in facts {
        exchange.trail.fact(name, value);
    }
    let outcome = match (locked, outcome) {
        (Some(locked), Outcome::Approved { pending, token, .. } | Outcome::SignIn { pending, token, .. }) => {
            exchange.trail.record_checks(locked);
            // A user is told nothing of it.
            said = sign_in::WRONG;
            Outcome::SignIn { pending, token, wrong: true }
        }
        (_, outcome) => outcome,
    };
    exchange.trail.record_checks(checks);
    let typed = read.as_ref().ok().and_then(Read::typed);
    match outcome {
        Outcome::Refused(error) => {
            exchange.trail.record_error(error.row().id);
            page::error(exchange, &error, None)
        }
        Outcome::Code { wrong } => ask_code(exchange, &prepared, wrong, &activity),
        Outcome::Client(pending) => ask_client(exchange, &prepared, &pending),
        Outcome::SignIn { pending, token, wrong } => {
            if wrong {
                exchange.trail.record_error(AdfsError::PasswordWrong.row().id);
            }
            let said = match &typed {
                _ if wrong => said,
                Some(typed) => sign_in::missing(&prepared, typed),
                None => "",
            };
            let request = format!("user_code={}&confirmation={token}", pending.user_code);
            let action = sign_in::action(exchange, path::DEVICE_AUTH, request.as_bytes());
            let typed = typed.unwrap_or_default();
            let user = typed.user.unwrap_or_default();
            let shown = sign_in::Shown {
                action: &action,
                user,
                keep: typed.keep,
                at_password: !user.is_empty() && !typed.back,
                wrong: said,
                back_to: None,
            };
            sign_in::page(exchange, &prepared, &shown)
        }
        Outcome::Approved { pending, who, .. } => {
            let (session, new) = match who {
                Who::Session(session) => (session, false),
                Who::User(user) => {
                    let keep = typed.is_some_and(|typed| typed.keep);
                    (sign_in::begin(exchange, &prepared, user, keep), true)
                }
            };
            exchange.trail.fact("user", session.sign_in.user.clone());
            if !settled(exchange, &prepared, &pending, Some(&session)) {
                return ask_code(exchange, &prepared, true, &activity);
            }
            let mut answer = pages::end(exchange, &prepared, &pages::DONE);
            if new {
                session::keep(exchange, &prepared.service, &session, None, &mut answer);
            }
            answer
        }
        Outcome::Denied(pending) => {
            if settled(exchange, &prepared, &pending, None) {
                pages::end(exchange, &prepared, &pages::DENIED)
            } else {
                ask_code(exchange, &prepared, true, &activity)
            }
        }
    }
}

fn ask_code(exchange: &mut Exchange, prepared: &PreparedService, wrong: bool, activity: &str) -> Answer {
    let said = if wrong {
        exchange.trail.record_error(AdfsError::UserCodeUnknown.row().id);
        AdfsError::UserCodeUnknown.text()
    } else {
        String::new()
    };
    let request = format!("client-request-id={activity}");
    let action = sign_in::action(exchange, path::DEVICE_AUTH, request.as_bytes());
    pages::code(exchange, prepared, &action, &said)
}

fn ask_client(exchange: &mut Exchange, prepared: &PreparedService, pending: &Pending<Wanted>) -> Answer {
    let owner = Scope::federation_service(&prepared.service.id);
    let session = good_session(exchange, prepared);
    let bound = bound_to(pending, session.as_ref());
    let sealer = Sealer::of(&exchange.context, &owner);
    let Ok(token) = FormToken::seal(&sealer, &TOKEN, &bound, pending.expires) else {
        return envelope::refusal(exchange, &AdfsError::NotFulfilled);
    };
    let request = format!("user_code={}", pending.user_code);
    let action = sign_in::action(exchange, path::DEVICE_AUTH, request.as_bytes());
    let name = prepared.service.client(&pending.client).map_or(&*pending.client, |client| &*client.name);
    pages::client(exchange, prepared, &action, (name, &token))
}

/// What a confirmation is bound to.
fn bound_to(pending: &Pending<Wanted>, session: Option<&Session>) -> String {
    format!("{} {}", pending.user_code, session.map_or("", |session| &session.id))
}

/// The browser's session, if its user may still sign in.
fn good_session(exchange: &Exchange, prepared: &PreparedService) -> Option<Session> {
    let session = session::of(exchange, &prepared.service)?;
    let user = prepared.service.user(&session.sign_in.user)?;
    password::may_sign_in(user, exchange.context.now()).then_some(session)
}

/// Approves (with the session of whoever does) or denies; whether nobody was faster.
fn settled(
    exchange: &mut Exchange,
    prepared: &PreparedService,
    pending: &Pending<Wanted>,
    session: Option<&Session>,
) -> bool {
    let owner = Scope::federation_service(&prepared.service.id);
    let now = exchange.context.now();
    let settled = exchange.context.remember(|store| {
        let ledger = Ledger::new(store, &owner, now);
        match session {
            Some(session) => DEVICES.approve(&ledger, pending, session),
            None => DEVICES.deny(&ledger, pending),
        }
    });
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    list.ask(&SETTLED, "a device that still waits", Vec::new(), || match settled {
        Ok(Ok(())) => Finding::pass("it waited"),
        Ok(Err(why)) => Finding::fail(why.to_string(), AdfsError::UserCodeUnknown),
        Err(_) => Finding::fail("a reset came over it", AdfsError::UserCodeUnknown),
    });
    let (checks, refusal) = list.finish();
    exchange.trail.record_checks(checks);
    refusal.is_none()
}

fn decide<'p>(
    exchange: &Exchange,
    prepared: &'p PreparedService,
    read: &Result<Read<'_>, AdfsError>,
) -> Decision<'p> {
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    let mut facts: Vec<Fact> = Vec::new();
    let outcome = judge(exchange, prepared, &mut list, read, &mut facts);
    let (checks, _) = list.finish();
    let user = read.as_ref().ok().and_then(Read::typed).and_then(|typed| typed.user);
    facts.extend(user.map(|user| ("user", excerpt(user).into())));
    let tried = user.and_then(|user| prepared.service.signs_in(user));
    let tried = tried.and_then(|(user, _)| Some((user.as_ref(), password::judged(&checks)?)));
    Decision { checks, facts, outcome, tried }
}

/// Asks what there is to ask, up to the first stage that fails.
fn judge<'p>(
    exchange: &Exchange,
    prepared: &'p PreparedService,
    list: &mut Checks<'_>,
    read: &Result<Read<'_>, AdfsError>,
    facts: &mut Vec<Fact>,
) -> Outcome<'p> {
    list.ask(&READABLE, "parameters, each once", Vec::new(), || match read {
        Ok(_) => Finding::pass("each once"),
        Err(_) => Finding::fail("some that cannot be read", AdfsError::AuthorizeMalformed),
    });
    let (Ok(read), None) = (read, list.refusal()) else {
        return Outcome::Refused(AdfsError::AuthorizeMalformed);
    };
    let typed = read.typed();
    if read.posted.is_some() && typed.is_none() {
        sign_in::ask_own(exchange, list);
    }
    if let Some(error) = list.refusal() {
        return Outcome::Refused(error.clone());
    }
    let Some(code) = read.get(pages::USER_CODE) else { return Outcome::Code { wrong: false } };
    let owner = Scope::federation_service(&prepared.service.id);
    let now = exchange.context.now();
    let found =
        exchange.context.remember(|store| DEVICES.find::<Wanted>(&Ledger::new(store, &owner, now), "", code));
    let mut pending = None;
    list.ask(&WAITS, "the user code of a device that waits", Vec::new(), || match found {
        Ok(Ok(found)) => {
            pending = Some(found);
            Finding::pass("one that waits")
        }
        Ok(Err(why)) => Finding::fail(why.to_string(), AdfsError::UserCodeUnknown),
        Err(_) => Finding::fail("a reset came over it", AdfsError::UserCodeUnknown),
    });
    let Some(pending) = pending else { return Outcome::Code { wrong: true } };
    facts.push(("client-id", pending.client.clone().into()));
    facts.push(("resource", pending.asked.resource.clone().into()));
    let (confirm, cancel) = (read.pressed(pages::CONFIRM), read.pressed(pages::CANCEL));
    if typed.is_none() && !confirm && !cancel {
        return Outcome::Client(pending);
    }
    let sealer = Sealer::of(&exchange.context, &owner);
    let sent = read.get(pages::CONFIRMATION);
    let bound = |session: Option<&Session>| {
        FormToken::check(&sealer, &TOKEN, sent, &bound_to(&pending, session), now)
    };
    // A password that is typed needs no session: it makes one.
    let session = good_session(exchange, prepared).filter(|_| typed.is_none());
    let in_session = session.filter(|session| bound(Some(session)).is_ok());
    let (within, alone) = (in_session.is_some(), bound(None));
    list.ask(&CONFIRMED, "the token of a page that this browser was shown", Vec::new(), || match &alone {
        _ if within => Finding::pass("its session's"),
        Ok(_) => Finding::pass("its flow's"),
        Err(why) => Finding::fail(why.to_string(), AdfsError::AuthorizeMalformed),
    });
    if let Some(error) = list.refusal() {
        return Outcome::Refused(error.clone());
    }
    if cancel {
        return Outcome::Denied(pending);
    }
    let token = sent.unwrap_or_default().to_owned();
    if let Some(session) = in_session {
        return Outcome::Approved { pending, token, who: Who::Session(session) };
    }
    let Some(typed) = typed else { return Outcome::SignIn { pending, token, wrong: false } };
    let empty = Form::default();
    let asking = Asking {
        prepared,
        client: None,
        client_id: None,
        sent: Sent { form: &empty, headers: &exchange.request.headers },
        context: &exchange.context,
        now,
        called: None,
    };
    match sign_in::ask(exchange, &asking, list, &typed, |_| ()) {
        Tried::Refused(error) => Outcome::Refused(error),
        Tried::Unfinished => Outcome::SignIn { pending, token, wrong: false },
        Tried::Wrong => Outcome::SignIn { pending, token, wrong: true },
        Tried::Right(user) => Outcome::Approved { pending, token, who: Who::User(user) },
    }
}
