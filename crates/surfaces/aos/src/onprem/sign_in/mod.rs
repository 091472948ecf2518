//! How a browser signs in on-premises: to AD FS and back with an id_token, then a cookie.
//!
//! Decides what AD FS is asked (client id of the startup file, id_token by form_post, a nonce), what has to hold of what comes
//! back (state, id_token, the cookie of its nonce, a row of UserInfo), and what is remembered of who came in. It believes the
//! openid-configuration that the node fetched when it started, and nobody else. Mirrors OWIN's OpenIdConnect middleware; the
//! request itself is the online product's as captured, without what only Entra reads, since none of an AOS on-premises is public.

mod cookies;
mod id_token;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use mocktenant_idp::cookie::Keep;
use mocktenant_idp::form::Form;
use mocktenant_idp::response_mode::Escapes;
use mocktenant_idp::{Kind, Sealer};
use mocktenant_lab::steps::{SIGN_IN, sign_in_id};
use mocktenant_lab::{Answer, Content, Exchange, Scope};
use mocktenant_token::bearer::Authorization;
use mocktenant_token::{Compact, NumericDate, ladder};
use mocktenant_verdict::{Check, Checklist, Finding, Question, Role};
use mocktenant_world::Environment;
use serde::{Deserialize, Serialize};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::{BASE, Provider, State, advice};
use crate::bearer::{Caller, clip};
use crate::errors::{LogText, SignInError};
use crate::events::LOG;
use crate::user_info::{self, Errors, Person};

/// What came back belongs to a sign-in that began here.
static STATE_GENUINE: Question = Question::new("state-genuine", Role::Session);
/// And to this browser.
static NONCE: Question = Question::new("id-token-nonce", Role::Session).needs(&[&id_token::WELL_FORMED]);

/// The questions of a sign-in, in the order asked.
pub(crate) fn questions() -> impl Iterator<Item = &'static Question> {
    let before = std::iter::once(&STATE_GENUINE).chain(id_token::QUESTIONS.iter().copied());
    before.chain([&NONCE])
}

/// `NonceLifetime` of the middleware, for which a sign-in may be under way.
const UNDER_WAY: Duration = Duration::hours(1);
/// How long somebody stays signed in (inferred).
const SIGNED_IN: Duration = Duration::hours(12);
/// What state begins with.
const STATE: &str = "OpenIdConnect.AuthenticationProperties=";

/// What is remembered of a sign-in that is under way.
#[derive(Serialize, Deserialize)]
struct Begun {
    /// Path and query that were asked for.
    to: String,
    /// Its id in the journal.
    id: String,
}

/// What the cookie of a nonce holds.
#[derive(Serialize, Deserialize)]
struct Nonce {
    nonce: String,
}

/// Who came in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// Of this sign-in and no other: what its forms are bound to.
    pub(crate) id: String,
    /// Its id in the journal.
    pub(crate) sign_in: String,
    /// The user's name at AD FS.
    pub(crate) upn: String,
    /// What AD FS issued, for signing out.
    pub(crate) id_token: String,
}

const BEGUN: Kind<Begun> = Kind::new("aos-sign-in");
const NONCES: Kind<Nonce> = Kind::new("aos-nonce");
const TICKETS: Kind<Ticket> = Kind::new("aos-ticket");

fn owner(exchange: &Exchange) -> Scope {
    Scope::environment(exchange.context.environment().unwrap_or_default())
}

/// Sends a browser to AD FS.
pub(crate) fn challenge(exchange: &mut Exchange, environment: &Environment, state: &State) -> Answer {
    // A node that has started has one.
    let Some(provider) = &state.provider else { return refused(exchange, &SignInError::TokenMissing) };
    let (owner, now) = (owner(exchange), exchange.context.now());
    let nonce = nonce(exchange, now);
    let to = match exchange.request.query() {
        "" => exchange.request.path().to_owned(),
        query => format!("{}?{query}", exchange.request.path()),
    };
    let id = sign_in_id(&nonce);
    exchange.trail.steps(Some(&id), "1 2 3 4 5");
    let sealer = Sealer::of(&exchange.context, &owner);
    let begun = sealer.seal(&BEGUN, &Begun { to, id }, now + UNDER_WAY);
    let kept = sealer.seal(&NONCES, &Nonce { nonce: nonce.clone() }, now + UNDER_WAY);
    let (Ok(begun), Ok(kept)) = (begun, kept) else { return refused(exchange, &SignInError::StateUnknown) };
    exchange.trail.fact("client-id", state.configuration.client_id.value.clone());
    let parameters = [
        ("client_id", state.configuration.client_id.value.clone()),
        ("response_type", "id_token".to_owned()),
        ("scope", "openid profile".to_owned()),
        ("state", format!("{STATE}{begun}")),
        ("response_mode", "form_post".to_owned()),
        ("nonce", nonce.clone()),
        ("redirect_uri", advice::redirect_uri(environment)),
        ("x-client-SKU", "ID_NET472".to_owned()),
        ("x-client-ver", "8.3.0.0".to_owned()),
    ];
    let query = Escapes::RFC_3986.query(&parameters.map(|(name, value)| (name.into(), value)));
    let mark = if provider.authorization_endpoint.contains('?') { '&' } else { '?' };
    let to = format!("{}{mark}{query}", provider.authorization_endpoint);
    let mut answer = Answer::typed(StatusCode::FOUND, Content::Redirect { to });
    cookies::set(exchange, &cookies::nonce_name(&nonce), &kept, Keep::Session, &mut answer);
    answer.with("cache-control", "no-cache").with("pragma", "no-cache").with("expires", "-1")
}

/// .NET's ticks, then the Base64 of two GUIDs.
fn nonce(exchange: &Exchange, now: OffsetDateTime) -> String {
    const EPOCH: i64 = 621_355_968_000_000_000;
    let ticks = now.unix_timestamp().saturating_mul(10_000_000).saturating_add(EPOCH);
    let random = exchange.context.random();
    let text = format!("{}{}", random.guid(), random.guid());
    format!("{ticks}.{}", STANDARD.encode(text))
}

/// What a browser brings back from AD FS.
pub(crate) fn callback(exchange: &mut Exchange, environment: &Environment, state: &Arc<State>) -> Answer {
    let body = exchange.request.body.clone().unwrap_or_default();
    let form = Form::parse(&body).unwrap_or_default();
    let (owner, now) = (owner(exchange), exchange.context.now());
    let mut list = Checklist::new(exchange.context.switches(), SignInError::describe);
    let sealer = Sealer::of(&exchange.context, &owner);

    let begun = form
        .get("state")
        .ok_or_else(|| "no state".to_owned())
        .and_then(|state| state.strip_prefix(STATE).ok_or_else(|| clip(state)))
        .and_then(|state| sealer.open(&BEGUN, state, now).map_err(|refused| refused.to_string()));
    exchange.trail.steps(begun.as_ref().ok().map(|begun| &*begun.payload.id), "8 9");
    list.ask(
        &STATE_GENUINE,
        "a sign-in that began here",
        Vec::new(),
        match &begun {
            Ok(_) => Finding::pass("it did"),
            Err(why) => Finding::fail(why.clone(), SignInError::StateUnknown),
        },
    );
    if let Some(error) = form.get("error") {
        let text = form.get("error_description").unwrap_or_default();
        exchange.trail.fact(LOG, clip(&format!("{error}: {text}")));
        let (checks, _) = list.finish();
        exchange.trail.record_checks(checks);
        return refused(exchange, &SignInError::ProviderRefused { error: clip(error) });
    }
    let Some(provider) = &state.provider else { return refused(exchange, &SignInError::TokenMissing) };
    let sent = form.get("id_token");
    let authorization = sent.map_or(Authorization::Missing, Authorization::Bearer);
    let token = ladder::ask(&mut list, &id_token::IdToken { state, provider }, &authorization, now);
    let claims = token.as_ref().map(Compact::claims);

    let nonce = claims.and_then(|claims| claims.text("nonce")).unwrap_or_default();
    let name = cookies::nonce_name(nonce);
    let kept = cookies::brought(exchange, &name);
    let opened = kept.map(|kept| sealer.open(&NONCES, kept, now));
    list.ask(&NONCE, "the cookie of the id_token's nonce", Vec::new(), || match &opened {
        _ if claims.is_none() => Finding::skip(id_token::WELL_FORMED.name),
        None => Finding::fail("no such cookie", SignInError::NonceLost),
        Some(Err(why)) => Finding::fail(why.to_string(), SignInError::NonceForged),
        Some(Ok(opened)) => Finding::held(opened.payload.nonce == nonce, "it came along", || {
            ("a cookie of another nonce", SignInError::NonceForged)
        }),
    });
    let upn = claims.and_then(|claims| claims.text("upn")).unwrap_or_default().to_owned();
    ask_user(&mut list, environment, &upn, state);
    let (checks, refusal) = list.finish();
    let log = refusal.as_ref().and_then(|error| log_of(error, &checks, token.as_ref(), provider, now));
    exchange.trail.record_checks(checks);
    if let Some(log) = log {
        exchange.trail.fact(LOG, log);
    }
    if let Some(error) = refusal {
        return refused(exchange, &error);
    }
    let ticket = Ticket {
        id: exchange.context.random().guid().to_string(),
        sign_in: sign_in_id(nonce),
        upn,
        id_token: sent.unwrap_or_default().to_owned(),
    };
    let to = begun.map_or_else(|_| format!("{BASE}/"), |begun| begun.payload.to);
    let mut answer = Answer::typed(StatusCode::FOUND, Content::Redirect { to });
    let sealer = Sealer::of(&exchange.context, &owner);
    if let Ok(sealed) = sealer.seal(&TICKETS, &ticket, now + SIGNED_IN) {
        cookies::set_auth(exchange, &sealed, &mut answer);
    }
    cookies::set(exchange, &name, "", Keep::Gone, &mut answer);
    answer
}

fn ask_user<'e>(
    list: &mut Checklist<'_, SignInError>,
    environment: &'e Environment,
    upn: &str,
    state: &State,
) -> Option<(&'e str, &'e mocktenant_world::declaration::UserInfo)> {
    let errors = Errors {
        unknown: SignInError::NoSuchUser,
        provider: SignInError::OtherProvider,
        disabled: SignInError::DisabledUser,
    };
    let person = Person { upn, entity_id: &state.entity_id };
    user_info::ask(list, Some(environment), &person, errors)
}

/// What the product's own log says of a refusal.
fn log_of(
    error: &SignInError,
    checks: &[Check],
    token: Option<&Compact<'_>>,
    provider: &Provider,
    now: OffsetDateTime,
) -> Option<String> {
    let check = checks.iter().find(|check| check.failed())?;
    let (sent, expected) = (check.actual.to_string(), check.expected.to_string());
    let time = |name: &str| token?.claims().time(name).ok().flatten().map(NumericDate::datetime);
    let text = match error {
        SignInError::SignatureInvalid => {
            let keys = || provider.keys.iter().filter_map(|key| key.kid.as_deref());
            let tried = keys().map(|kid| format!("KeyId: {kid}")).collect::<Vec<_>>().join(", ");
            match token.and_then(|token| token.header().kid()) {
                None => LogText::KeyUnnamed { keys: tried },
                Some(kid) if keys().any(|known| known == kid) => LogText::Signature { keys: tried },
                Some(kid) => LogText::KeyUnknown { kid: clip(kid), keys: tried },
            }
        }
        SignInError::IssuerUnknown => LogText::Issuer { sent, expected },
        SignInError::AudienceWrong => LogText::Audience { sent, expected },
        SignInError::TimeInvalid => match (time("nbf"), time("exp")) {
            (Some(from), _) if from > now => {
                LogText::NotYetValid { from: invariant(from), now: invariant(now) }
            }
            (_, until) => {
                LogText::Expired { until: until.map(invariant).unwrap_or_default(), now: invariant(now) }
            }
        },
        SignInError::NonceLost => LogText::NonceNull,
        SignInError::NonceForged => LogText::NonceOther,
        _ => return None,
    };
    Some(text.text())
}

/// A time as .NET's invariant culture writes it.
fn invariant(time: OffsetDateTime) -> String {
    const WRITTEN: &[BorrowedFormatItem<'_>] =
        format_description!("[month]/[day]/[year] [hour]:[minute]:[second]");
    mocktenant_lab::written(time.to_offset(UtcOffset::UTC), WRITTEN)
}

/// Who the browser says that came in, if it brings a cookie at all; with the row of UserInfo as it is now.
pub(crate) fn session(
    exchange: &mut Exchange,
    environment: &Environment,
    state: &State,
) -> Option<Result<(Ticket, Caller), SignInError>> {
    let sealed = cookies::auth(exchange)?;
    let (owner, now) = (owner(exchange), exchange.context.now());
    let opened = Sealer::of(&exchange.context, &owner).open(&TICKETS, &sealed, now);
    let ticket = match opened {
        Ok(opened) => opened.payload,
        Err(why) => {
            exchange.trail.fact("session", format!("not taken: {why}"));
            return None;
        }
    };
    exchange.trail.activity(SIGN_IN, &*ticket.sign_in);
    let mut list = Checklist::new(exchange.context.switches(), SignInError::describe);
    let user = ask_user(&mut list, environment, &ticket.upn, state);
    let caller =
        Caller { user: user.map(|(id, _)| id.to_owned()), company: user.map(|(_, row)| row.company.clone()) };
    let (checks, refusal) = list.finish();
    exchange.trail.record_checks(checks);
    Some(match refusal {
        Some(error) => Err(error),
        None => Ok((ticket, caller)),
    })
}

/// Signs a browser out, here and at AD FS.
pub(crate) fn sign_out(exchange: &mut Exchange, environment: &Environment, state: &State) -> Answer {
    let (owner, now) = (owner(exchange), exchange.context.now());
    let sealed = cookies::auth(exchange);
    let ticket =
        sealed.and_then(|sealed| Sealer::of(&exchange.context, &owner).open(&TICKETS, &sealed, now).ok());
    let end = state.provider.as_ref().and_then(|provider| provider.end_session_endpoint.as_deref());
    let to = match end {
        Some(end) => {
            let hint = ticket.map(|ticket| ("id_token_hint".into(), ticket.payload.id_token));
            let back = ("post_logout_redirect_uri".into(), advice::redirect_uri(environment));
            let parameters: Vec<_> = std::iter::once(back).chain(hint).collect();
            format!("{end}?{}", Escapes::RFC_3986.query(&parameters))
        }
        None => format!("{BASE}/"),
    };
    let mut answer = Answer::typed(StatusCode::FOUND, Content::Redirect { to });
    cookies::forget_auth(exchange, &mut answer);
    answer
}

/// A sign-in that ends here.
pub(crate) fn refused(exchange: &mut Exchange, error: &SignInError) -> Answer {
    let row = error.row();
    exchange.trail.record_error(row.id);
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::typed(status, Content::Page(error.page().into()))
}

/// A form that was not posted from a page of this environment.
pub(crate) fn forbidden() -> Answer {
    Answer::empty(StatusCode::FORBIDDEN)
}
