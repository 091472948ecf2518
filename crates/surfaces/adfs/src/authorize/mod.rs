//! The authorization endpoint: who asks, where the answer may go, who signs in, and what is sent back.
//!
//! Decides the order of the questions. A client that no application group has and a redirect URI that the client has not
//! registered are answered on AD FS's own page and never by a redirect; whatever else is wrong goes back to the client as
//! `error`, `error_description`, `state` and `client-request-id`, in the order and spelling captured. Registered redirect URIs
//! are compared as texts, the letter case of scheme and host aside; a port on the loopback address is as fixed as any other
//! (inferred). Whose browser has no session that is good enough signs in on a page (`sign_in`), unless `prompt=none` forbids
//! to ask. Mirrors [MS-OAPX] 3.2.5.1 as captures show it; that a right password is answered with a redirect to the same
//! request, which the session then answers, is as a trace of WS-Federation has it.
//!
//! Deciding is pure; cookies, the counting of wrong passwords and the record are around it.

mod loops;
mod redirect_uri;
mod wanted;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use mocktenant_idp::Sealer;
use mocktenant_idp::code::Code;
use mocktenant_idp::form::Form;
use mocktenant_idp::response_mode::{Escapes, OwnFragment, Parameters, Responding, ResponseMode};
use mocktenant_idp::session::Session;
use mocktenant_lab::steps::sign_in_id;
use mocktenant_lab::{Answer, AutoPostWords, Content, Exchange, Scope};
use mocktenant_verdict::{Check, Checklist, Finding, Question, Role};
use mocktenant_world::{Client, FederationUser};

pub(crate) use self::redirect_uri::REDIRECT_URIS;
use self::redirect_uri::{REDIRECT_URI, ask_redirect_uri};
use self::wanted::{Prompt, Wanted};
use crate::asking::{Asking, Checks, Fact, Sent, excerpt};
use crate::claims::{Beside, Statement, Times};
use crate::client_auth::{CLIENT_ID, REGISTERED, ask_registered};
use crate::code::{CODE, CODES, SignedIn};
use crate::errors::{AdfsError, Told, describe};
use crate::grants::{milliseconds, password};
use crate::prepared::PreparedService;
use crate::scope::{self, Granted};
use crate::sign_in::{self, OWN_FORM, Tried, Typed};
use crate::unbuilt::{self, Missing};
use crate::{
    discovery, envelope, id_token_hint, issue, lockout, page, path, service, session, token_endpoint,
};

/// Whether the request can be read.
static READABLE: Question = Question::new("authorize-request", Role::Request);
/// Whether somebody may be asked, where nobody is signed in.
static INTERACTION: Question = Question::new("interaction-allowed", Role::User);

/// The questions, in the order asked.
pub(crate) fn questions() -> Vec<&'static Question> {
    [&READABLE, &CLIENT_ID, &REGISTERED, &REDIRECT_URI]
        .into_iter()
        .chain(wanted::QUESTIONS)
        .chain(scope::QUESTIONS)
        .chain([&INTERACTION, &OWN_FORM])
        .chain(password::user_questions())
        .chain([&loops::LOOP])
        .collect()
}

/// How answers travel.
const RESPONDING: Responding = Responding {
    escapes: Escapes::DOTNET,
    own_fragment: OwnFragment::Refused,
    words: AutoPostWords {
        title: "Working...",
        notice: "Script is disabled. Click Submit to continue.",
        button: "Submit",
    },
};

/// What a request is, and what was typed on the page that an earlier one was answered with.
struct Read {
    /// The request's parameters, form-encoded.
    asked: Bytes,
    /// The filled-in form.
    typed: Option<Bytes>,
}

impl Read {
    /// A filled-in form carries its request in the query; a request may be posted itself, and then has none there.
    fn from(exchange: &Exchange) -> Self {
        let query = exchange.request.query();
        let body = || exchange.request.body.clone().unwrap_or_default();
        match exchange.request.method {
            Method::POST if query.is_empty() => Self { asked: body(), typed: None },
            Method::POST => Self { asked: Bytes::copy_from_slice(query.as_bytes()), typed: Some(body()) },
            _ => Self { asked: Bytes::copy_from_slice(query.as_bytes()), typed: None },
        }
    }
}

/// Where a client's answer goes.
#[derive(Clone, Debug)]
struct Return {
    mode: ResponseMode,
    redirect_uri: String,
    state: Option<String>,
}

/// What becomes of a request.
enum Outcome<'p> {
    /// AD FS's own page, with the display name of the relying party where that is known.
    Page(AdfsError, Option<String>),
    /// What was asked for is not built.
    NotBuilt(Missing),
    /// Back to the client with an error.
    Refused(AdfsError, Return),
    /// Somebody is to sign in; with `wrong`, what was typed is not right.
    Ask { back: Return, wrong: bool },
    /// Somebody signed in.
    SignedIn { back: Return, user: &'p Arc<FederationUser>, asks_again: bool, issue: Box<Issue<'p>> },
    /// The session answers.
    Issue { back: Return, session: Box<Session>, user: &'p Arc<FederationUser>, issue: Box<Issue<'p>> },
}

/// What is issued once it is known who signed in.
struct Issue<'p> {
    client: &'p Arc<Client>,
    wanted: Wanted,
    granted: Granted,
    /// The redirect URI as the request had it.
    sent_redirect_uri: Option<String>,
}

struct Decision<'p> {
    checks: Vec<Check>,
    facts: Vec<Fact>,
    outcome: Outcome<'p>,
    /// Whose id token came along as a hint.
    hinted: Option<&'p Arc<FederationUser>>,
    /// The user whose password was judged, and whether it was right.
    tried: Option<(&'p FederationUser, bool)>,
}

/// Answers an authorization request.
pub(crate) fn answer(exchange: &mut Exchange) -> Answer {
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    envelope::activity(exchange);
    let read = Read::from(exchange);
    let form = Form::parse(&read.asked).map_err(AdfsError::from);
    let typed_form = read.typed.as_ref().map_or_else(|| Ok(Form::default()), |body| Form::parse(body));
    let form = typed_form.as_ref().map_err(|error| AdfsError::from(error.clone())).and(form);
    let typed = typed_form.as_ref().ok().and_then(Typed::read);
    let brought = session::of(exchange, &prepared.service);
    let Decision { checks, facts, outcome, hinted, tried } =
        decide(exchange, &prepared, &form, typed, brought);
    let mut said = sign_in::said(&checks);
    let nonce = form.as_ref().ok().and_then(|form| form.get("nonce")).map(sign_in_id);
    let locked = tried.and_then(|(user, right)| lockout::count(exchange, &prepared, user, right));
    for (name, value) in facts {
        exchange.trail.fact(name, value);
    }
    let outcome = match (locked, outcome) {
        (Some(locked), Outcome::SignedIn { back, .. } | Outcome::Ask { back, .. }) => {
            exchange.trail.record_checks(locked);
            // A user is told nothing of it.
            said = sign_in::WRONG;
            Outcome::Ask { back, wrong: true }
        }
        (_, outcome) => outcome,
    };
    exchange.trail.record_checks(checks);
    if let Some(id) = &nonce {
        let answered = matches!(outcome, Outcome::SignedIn { .. } | Outcome::Issue { .. });
        exchange.trail.steps(Some(id), if answered { "7" } else { "6" });
    }
    match outcome {
        Outcome::Page(error, relying_party) => {
            exchange.trail.record_error(error.row().id);
            // The log has the same text, whole.
            exchange.trail.fact("error-description", error.text());
            page::error(exchange, &error, relying_party.as_deref())
        }
        Outcome::NotBuilt(missing) => {
            missing.record(&mut exchange.trail);
            envelope::refusal(exchange, &AdfsError::NotFulfilled)
        }
        Outcome::Refused(error, back) => refused(exchange, &error, &back),
        Outcome::Ask { back, wrong } => {
            if wrong {
                exchange.trail.record_error(AdfsError::PasswordWrong.row().id);
            }
            let action = sign_in::action(exchange, path::AUTHORIZE, &read.asked);
            let hint = form.as_ref().ok().and_then(|form| form.get("login_hint").or(form.get("username")));
            let said = match typed {
                _ if wrong => said,
                Some(typed) => sign_in::missing(&prepared, &typed),
                None => "",
            };
            let typed = typed.unwrap_or_default();
            let hinted = hinted.map(|user| &*user.name);
            let user = typed.user.or(hint).or(hinted).unwrap_or_default();
            let shown = sign_in::Shown {
                action: &action,
                user,
                at_password: !user.is_empty() && !typed.back,
                keep: typed.keep,
                wrong: said,
                back_to: Some(&back.redirect_uri),
            };
            sign_in::page(exchange, &prepared, &shown)
        }
        Outcome::SignedIn { back, user, asks_again, issue } => {
            let keep = typed.is_some_and(|typed| typed.keep);
            let session = sign_in::begin(exchange, &prepared, user, keep);
            if asks_again {
                // Sent to the same request, whoever has just signed in would be asked again.
                return issued(exchange, &prepared, session, user, &issue, &back);
            }
            let own = if exchange.request.arrival.secure { exchange.own_base_url() } else { String::new() };
            let to = own + &sign_in::action(exchange, path::AUTHORIZE, &read.asked);
            let mut answer = Answer::typed(StatusCode::FOUND, Content::Redirect { to });
            session::keep(exchange, &prepared.service, &session, None, &mut answer);
            envelope::dressed(exchange, answer)
        }
        Outcome::Issue { back, session, user, issue } => {
            exchange.trail.fact("user", user.name.to_string());
            issued(exchange, &prepared, *session, user, &issue, &back)
        }
    }
}

/// Back to the client, with an error.
fn refused(exchange: &mut Exchange, error: &AdfsError, back: &Return) -> Answer {
    let row = error.row();
    exchange.trail.record_error(row.id);
    let Told::OAuth(code) = row.class else { return page::error(exchange, error, None) };
    let mut parameters: Parameters = vec![("error".into(), code.to_owned())];
    let text = error.text();
    if !text.is_empty() {
        exchange.trail.fact("error-description", text.clone());
        parameters.push(("error_description".into(), text));
    }
    send_back(exchange, parameters, back)
}

/// Back to the client, whatever with.
fn send_back(exchange: &mut Exchange, mut parameters: Parameters, back: &Return) -> Answer {
    parameters.extend(back.state.clone().map(|state| (Cow::Borrowed("state"), state)));
    parameters.push(("client-request-id".into(), envelope::activity(exchange)));
    match RESPONDING.answer(back.mode, &back.redirect_uri, parameters, exchange.context.random()) {
        Ok(answer) => envelope::dressed(exchange, answer.with("cache-control", "no-store")),
        // What has a fragment is not registered.
        Err(_) => envelope::refusal(exchange, &AdfsError::NotFulfilled),
    }
}

/// Code and id token, and the cookies of the session that they follow from.
fn issued(
    exchange: &mut Exchange,
    prepared: &PreparedService,
    mut session: Session,
    user: &Arc<FederationUser>,
    issue: &Issue<'_>,
    back: &Return,
) -> Answer {
    let policy = session::sessions(&prepared.service);
    policy.visited(&mut session, &issue.client.client_id);
    let parameters = match parameters(exchange, prepared, &session, user, issue) {
        Ok(parameters) => parameters,
        Err(error) => return refused(exchange, &error, back),
    };
    let mut answer = send_back(exchange, parameters, back);
    let counted = session::counted(exchange, &prepared.service);
    session::keep(exchange, &prepared.service, &session, Some(&counted), &mut answer);
    answer
}

fn parameters(
    exchange: &Exchange,
    prepared: &PreparedService,
    session: &Session,
    user: &Arc<FederationUser>,
    issue: &Issue<'_>,
) -> Result<Parameters, AdfsError> {
    let Issue { client, wanted, granted, sent_redirect_uri } = issue;
    let now = exchange.context.now();
    let signed_in = milliseconds(session.sign_in.at);
    let mut out = Parameters::with_capacity(4);
    if wanted.code {
        let code = Code {
            client: client.client_id.to_ascii_lowercase(),
            redirect_uri: sent_redirect_uri.clone(),
            challenge: wanted.challenge.clone(),
            granted: SignedIn {
                user: user.name.to_string(),
                at: signed_in,
                ends: session.ends,
                resource: granted.resource.clone(),
                scopes: granted.scopes.clone(),
                nonce: wanted.nonce.clone(),
            },
        };
        let owner = Scope::federation_service(&prepared.service.id);
        let sealer = Sealer::of(&exchange.context, &owner);
        let code = CODES.issue(&sealer, &CODE, &code, now).map_err(|_| AdfsError::ServerError)?;
        out.push(("code".into(), code));
    }
    if wanted.id_token {
        let statement = Statement {
            prepared,
            client: client.as_ref(),
            client_id: &client.client_id,
            granted,
            user: Some(user.as_ref()),
            signed_in,
            auth_method: "",
            times: Times::at(now, token_endpoint::lifetime(granted)),
        };
        let issuer = discovery::issuer_for(prepared, exchange, &client.client_id);
        let code = out.first().map(|(_, code)| code.as_str());
        let base = exchange.own_base_url();
        let beside = Beside { issuer: &issuer, base: &base, nonce: wanted.nonce.as_deref(), code };
        let token = issue::id_token(&statement, user, &beside)?;
        out.push(("id_token".into(), token));
    }
    Ok(out)
}

fn decide<'p>(
    exchange: &Exchange,
    prepared: &'p PreparedService,
    form: &Result<Form<'_>, AdfsError>,
    typed: Option<Typed<'_>>,
    brought: Option<Session>,
) -> Decision<'p> {
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
    let mut facts: Vec<Fact> = Vec::with_capacity(8);
    for (name, parameter) in [
        ("client-id", "client_id"),
        ("redirect-uri", "redirect_uri"),
        ("response-type", "response_type"),
        ("resource", "resource"),
        ("scope", "scope"),
    ] {
        facts.extend(sent.parameter(parameter).map(|value| (name, excerpt(value).into())));
    }
    if let Some(user) = typed.and_then(|typed| typed.user) {
        facts.push(("user", excerpt(user).into()));
    }
    let hinted = sent.parameter("id_token_hint").map(|hint| {
        // Asked apart: what is no hint of this service's is passed over.
        let mut apart = Checklist::new(exchange.context.switches(), describe);
        id_token_hint::ask(exchange, prepared, &mut apart, Some(hint)).and_then(|hinted| hinted.user)
    });
    facts.extend(hinted.map(|user| match user {
        Some(user) => ("id-token-hint", user.name.to_string().into()),
        None => ("id-token-hint", "none of this service's, and passed over".into()),
    }));
    // Where a claims provider is asked for: there is the directory alone.
    facts.extend(sent.parameter("domain_hint").map(|hint| ("domain-hint", excerpt(hint).into())));
    let hinted = hinted.flatten();
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    let outcome = judge(
        exchange,
        &asking,
        &mut list,
        form,
        typed,
        brought.filter(|session| hinted.is_none_or(|user| *user.name == *session.sign_in.user)),
    );
    let (checks, _) = list.finish();
    let tried = typed.and_then(|typed| prepared.service.signs_in(typed.user?));
    let tried = tried.and_then(|(user, _)| Some((user.as_ref(), password::judged(&checks)?)));
    Decision { checks, facts, outcome, hinted, tried }
}

/// Asks what there is to ask, up to the first stage that fails.
fn judge<'p>(
    exchange: &Exchange,
    asking: &Asking<'_, 'p>,
    list: &mut Checks<'_>,
    form: &Result<Form<'_>, AdfsError>,
    typed: Option<Typed<'_>>,
    brought: Option<Session>,
) -> Outcome<'p> {
    let sent = asking.sent;
    list.ask(&READABLE, "parameters, each once", Vec::new(), || match form {
        Ok(_) => Finding::pass("parameters"),
        Err(_) => Finding::fail("parameters that cannot be read", AdfsError::AuthorizeMalformed),
    });
    list.ask(&CLIENT_ID, "the client id of an application", Vec::new(), || match asking.client_id {
        Some(_) => Finding::pass("a client id"),
        None => Finding::fail("none", AdfsError::AuthorizeClientUnknown { client: String::new() }),
    });
    ask_registered(asking, list, |id| AdfsError::AuthorizeClientUnknown { client: id.to_owned() });
    ask_redirect_uri(asking, list);
    let relying_party = || {
        let web_api = asking.prepared.service.web_api(sent.parameter("resource")?)?;
        Some(web_api.name.clone())
    };
    if let Some(error) = list.refusal() {
        return Outcome::Page(error.clone(), relying_party());
    }
    let sent_redirect_uri = sent.parameter("redirect_uri").map(str::to_owned);
    // Only a check that a test turned off leaves these open.
    let Some(client) = asking.client else { return Outcome::Page(AdfsError::NotFulfilled, None) };
    let only = || client.redirect_uris.first().cloned();
    let Some(redirect_uri) = sent_redirect_uri.clone().or_else(only) else {
        return Outcome::Page(AdfsError::NotFulfilled, None);
    };
    let wanted = wanted::ask(asking, list);
    let granted = scope::ask(asking, list, None);
    let state = sent.parameter("state").map(str::to_owned);
    let back = Return { mode: wanted.mode, redirect_uri, state };
    if let Some(error) = list.refusal() {
        return Outcome::Refused(error.clone(), back);
    }
    if wanted.token {
        return Outcome::NotBuilt(unbuilt::IMPLICIT);
    }
    let Some(granted) = granted else { return Outcome::Refused(AdfsError::ServerError, back) };
    let silent = wanted.prompt == Prompt::None;
    let asks_again = wanted.prompt == Prompt::Login || wanted.max_age.is_some();
    let good = brought.filter(|session| wanted.is_good_enough(session, asking.now));
    let issue = Box::new(Issue { client, wanted, granted, sent_redirect_uri });
    let known = good.filter(|_| typed.is_none()).and_then(|session| {
        let user = asking.prepared.service.user(&session.sign_in.user)?;
        password::may_sign_in(user, asking.now).then_some((session, user))
    });
    if let Some((session, user)) = known {
        loops::ask(exchange, asking.prepared, list);
        if let Some(error) = list.refusal() {
            return Outcome::Page(error.clone(), relying_party());
        }
        return Outcome::Issue { back, session: Box::new(session), user, issue };
    }
    list.ask(&INTERACTION, "a session, or leave to ask", Vec::new(), || {
        if silent {
            Finding::fail("prompt=none, and no session that is good enough", AdfsError::InteractionRequired)
        } else {
            Finding::pass("somebody is asked to sign in")
        }
    });
    if let Some(error) = list.refusal() {
        return Outcome::Refused(error.clone(), back);
    }
    let Some(typed) = typed else { return Outcome::Ask { back, wrong: false } };
    let loops = |list: &mut Checks<'_>| {
        if asks_again {
            // What a loop is told says nothing about the password.
            loops::ask(exchange, asking.prepared, list);
        }
    };
    match sign_in::ask(exchange, asking, list, &typed, loops) {
        Tried::Refused(error) => Outcome::Page(error, relying_party()),
        // Nothing is wrong with that, and it is asked again.
        Tried::Unfinished => Outcome::Ask { back, wrong: false },
        Tried::Wrong => Outcome::Ask { back, wrong: true },
        Tried::Right(user) => Outcome::SignedIn { back, user, asks_again, issue },
    }
}
