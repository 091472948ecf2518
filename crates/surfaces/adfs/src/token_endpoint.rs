//! The token endpoint: parse, authenticate, dispatch to a grant, respond.
//!
//! Decides the order of the questions (client, its credential, the grant, user or refresh token, resource, permission, scope:
//! the order is believed) and the shape of a success, whose members stand in the order captured. Deciding is pure; ids,
//! facts, checks and the counting of wrong passwords are around it.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use mocktenant_idp::Sealer;
use mocktenant_idp::form::Form;
use mocktenant_idp::json::{push_integer, push_member, push_name};
use mocktenant_lab::request::media_type;
use mocktenant_lab::{Answer, Exchange, Scope};
use mocktenant_verdict::{Check, Checklist, Question};
use mocktenant_world::{Client, FederationUser};

use crate::asking::{Asking, Checks, Fact, Sent, excerpt};
use crate::claims::{Beside, Statement, Times};
use crate::client_auth::{CLIENT_ID, CREDENTIAL, METHODS, Presented, REGISTERED};
use crate::errors::{AdfsError, describe};
use crate::grants::password;
use crate::grants::{self, GRANT_NAMED, GRANT_TYPE, GRANTS, REFRESH_TOKEN, Refresh, Since, Subject, Ticket};
use crate::prepared::PreparedService;
use crate::scope::Granted;
use crate::{discovery, envelope, issue, lockout, service, unbuilt};

/// Lifetime of a token for userinfo, in minutes.
const USERINFO_LIFETIME: u32 = 60;

/// What was decided, and everything learnt on the way.
struct Decision<'p> {
    checks: Vec<Check>,
    facts: Vec<Fact>,
    outcome: Result<(Ticket<'p>, Asker<'p>), AdfsError>,
    /// The user whose password was judged, and whether it was right.
    tried: Option<(&'p FederationUser, bool)>,
}

/// Who asks, once that is proved.
struct Asker<'p> {
    client: &'p Client,
    /// `authmethod` of a token for itself.
    auth_method: &'static str,
}

/// Answers a token request.
pub(crate) fn answer(exchange: &mut Exchange) -> Answer {
    if envelope::is_preflight(exchange) {
        return envelope::preflight(exchange);
    }
    let Some(prepared) = service::of(exchange).cloned() else { return service::none(exchange) };
    envelope::activity(exchange);
    // Dispatch lets nobody without a body get here.
    let body = exchange.request.body.clone().unwrap_or_default();
    let form = read_form(exchange, &body);
    if let Some(missing) = form.as_ref().ok().and_then(missing) {
        missing.record(&mut exchange.trail);
        return envelope::refusal(exchange, &AdfsError::NotFulfilled);
    }
    let base = exchange.own_base_url();
    let Decision { checks, facts, outcome, tried } = decide(exchange, &prepared, &form, &base);
    let locked = tried.and_then(|(user, right)| lockout::count(exchange, &prepared, user, right));
    let issued = match &locked {
        None => outcome.and_then(|(ticket, asker)| respond(exchange, &prepared, &ticket, &asker, &base)),
        // Whatever else is wrong: what it is would tell that the password was right.
        Some(_) => Err(AdfsError::PasswordWrong),
    };
    for (name, value) in facts {
        exchange.trail.fact(name, value);
    }
    if let Some(locked) = locked {
        exchange.trail.record_checks(locked);
    }
    exchange.trail.record_checks(checks);
    match issued {
        Ok(body) => envelope::token(exchange, StatusCode::OK, body),
        Err(error) => envelope::refusal(exchange, &error),
    }
}

/// The parameters; none, if the body is no form: nothing else is read, nor is the query.
pub(crate) fn read_form<'b>(exchange: &Exchange, body: &'b [u8]) -> Result<Form<'b>, AdfsError> {
    let content_type = exchange.request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match content_type.and_then(media_type) {
        Some(kind) if kind == mime::APPLICATION_WWW_FORM_URLENCODED => Ok(Form::parse(body)?),
        _ => Ok(Form::default()),
    }
}

/// What a request is for that the lab has not.
fn missing(form: &Form<'_>) -> Option<unbuilt::Missing> {
    let windows = form.get("use_windows_client_authentication");
    if windows.is_some_and(|sent| sent.eq_ignore_ascii_case("true")) {
        return Some(unbuilt::WINDOWS);
    }
    let named = form.get("grant_type")?;
    if named == grants::on_behalf_of::NAME {
        return match form.get("requested_token_use") {
            Some("logon_cert") => Some(unbuilt::LOGON_CERTIFICATE),
            _ => form.get("request").map(|_| unbuilt::PRIMARY_REFRESH_TOKEN),
        };
    }
    unbuilt::grant(named)
}

fn decide<'p>(
    exchange: &Exchange,
    prepared: &'p PreparedService,
    form: &Result<Form<'_>, AdfsError>,
    base: &str,
) -> Decision<'p> {
    let empty = Form::default();
    let sent = Sent { form: form.as_ref().unwrap_or(&empty), headers: &exchange.request.headers };
    let mut list: Checks<'_> = Checklist::new(exchange.context.switches(), describe);
    let mut facts: Vec<Fact> = Vec::with_capacity(8);
    let presented = Presented::read(sent);
    let client_id = presented.id.as_deref();
    let asking = Asking {
        prepared,
        client: client_id.and_then(|id| prepared.service.client(id)),
        client_id,
        sent,
        context: &exchange.context,
        now: exchange.context.now(),
        called: Some(base),
    };
    let named = sent.parameter("grant_type");
    let grant = named.and_then(|named| grants::of(named, prepared.service.profile));
    grants::ask_named(&mut list, form.as_ref().map(|_| named));
    presented.ask(&asking, &mut list, grant);
    grants::ask_known(&mut list, named, grant);
    facts.extend(named.map(|named| ("grant-type", excerpt(named).into())));
    facts.extend(client_id.map(|id| ("client-id", excerpt(id).into())));
    facts.push(("credential", presented.kind().into()));
    presented.facts(&asking, &mut facts);
    let user = sent.parameter("username").filter(|_| grant.is_some_and(|grant| grant.name == "password"));
    facts.extend(user.map(|user| ("user", excerpt(user).into())));
    let ticket = match grant {
        Some(grant) => (grant.ask)(&asking, &mut list),
        None => {
            // Of a grant nobody knows, nobody can say what would have been asked.
            for question in (GRANTS[0].questions)() {
                list.skip(question, &GRANT_TYPE);
            }
            None
        }
    };
    let resource = ticket.as_ref().map(|ticket| ticket.granted.resource.as_str());
    let resource = resource.or_else(|| sent.parameter("resource"));
    facts.extend(resource.map(|resource| ("resource", excerpt(resource).into())));
    facts.extend(sent.parameter("scope").map(|scope| ("scope", excerpt(scope).into())));
    let (checks, refusal) = list.finish();
    let tried = user.and_then(|user| prepared.service.signs_in(user));
    let tried = tried.and_then(|(user, _)| Some((user.as_ref(), password::judged(&checks)?)));
    let outcome = match (refusal, ticket, asking.client) {
        (Some(error), ..) => Err(error),
        (None, Some(ticket), Some(client)) => {
            Ok((ticket, Asker { client: client.as_ref(), auth_method: presented.auth_method() }))
        }
        // Only a check that a test turned off leads here.
        (None, ..) => Err(AdfsError::ServerError),
    };
    if let Ok((ticket, _)) = &outcome {
        facts.push(("audience", crate::claims::audience(&ticket.granted.resource).into_owned().into()));
        if let (Subject::User { user, .. }, None) = (&ticket.subject, user) {
            facts.push(("user", user.name.to_string().into()));
        }
    }
    Decision { checks, facts, outcome, tried }
}

/// How long a token lasts, in minutes.
pub(crate) fn lifetime(granted: &Granted) -> u32 {
    granted.web_api.as_ref().map_or(USERINFO_LIFETIME, |web_api| web_api.token_lifetime)
}

/// The body of a success.
fn respond(
    exchange: &Exchange,
    prepared: &PreparedService,
    ticket: &Ticket<'_>,
    asker: &Asker<'_>,
    base: &str,
) -> Result<Vec<u8>, AdfsError> {
    let now = exchange.context.now();
    let Ticket { granted, subject, refreshable } = ticket;
    let (user, since) = match subject {
        Subject::Client => (None, None),
        Subject::User { user, since } => (Some(user.as_ref()), Some(since)),
    };
    let Asker { client, auth_method } = *asker;
    let statement = Statement {
        prepared,
        client,
        client_id: &client.client_id,
        granted,
        user,
        signed_in: since.map_or_else(|| grants::milliseconds(now), |since| since.at),
        auth_method,
        times: Times::at(now, lifetime(granted)),
    };
    let token = issue::access_token(&statement)?;
    let mut out = Vec::with_capacity(token.len() + 1024);
    out.push(b'{');
    push_member(&mut out, "access_token", &token);
    push_member(&mut out, "token_type", "bearer");
    push_name(&mut out, "expires_in");
    push_integer(&mut out, statement.times.lasts());
    let (Some(user), Some(since)) = (user, since) else {
        out.push(b'}');
        return Ok(out);
    };
    if *refreshable && now < since.ends {
        push_refresh_token(&mut out, exchange, prepared, ticket, &client.client_id, (user, since))?;
    }
    if !granted.scopes.is_empty() {
        push_member(&mut out, "scope", &granted.scopes.join(" "));
    }
    if granted.has("openid") {
        let issuer = discovery::issuer_for(prepared, exchange, &client.client_id);
        let beside = Beside { issuer: &issuer, base, nonce: since.nonce.as_deref(), code: None };
        push_member(&mut out, "id_token", &issue::id_token(&statement, user, &beside)?);
    }
    out.push(b'}');
    Ok(out)
}

/// `resource`, `refresh_token` and how long that is good: what is left of the sign-in session.
fn push_refresh_token(
    out: &mut Vec<u8>,
    exchange: &Exchange,
    prepared: &PreparedService,
    ticket: &Ticket<'_>,
    client_id: &str,
    (user, since): (&FederationUser, &Since),
) -> Result<(), AdfsError> {
    let now = exchange.context.now();
    let owner = Scope::federation_service(&prepared.service.id);
    let refresh = Refresh {
        client: client_id.to_ascii_lowercase(),
        user: user.name.to_string(),
        resource: ticket.granted.resource.clone(),
        scopes: ticket.granted.scopes.clone(),
        signed_in: since.at,
    };
    let sealed = Sealer::of(&exchange.context, &owner).seal(&REFRESH_TOKEN, &refresh, since.ends);
    let sealed = sealed.map_err(|_| AdfsError::ServerError)?;
    push_member(out, "resource", &ticket.granted.resource);
    push_member(out, "refresh_token", &sealed);
    push_name(out, "refresh_token_expires_in");
    push_integer(out, (since.ends - now).whole_seconds().max(0));
    Ok(())
}

/// Every question of the endpoint, in the order asked, each once.
pub(crate) fn questions() -> Vec<&'static Question> {
    let mut all: Vec<&'static Question> = Vec::new();
    let of_methods = METHODS.iter().flat_map(|method| method.questions.iter().copied());
    let of_grants = GRANTS.iter().flat_map(|grant| (grant.questions)());
    let asked = [&GRANT_NAMED, &CLIENT_ID, &REGISTERED, &CREDENTIAL].into_iter();
    for question in asked.chain(of_methods).chain([&GRANT_TYPE]).chain(of_grants).chain([&lockout::LOCKOUT]) {
        if !all.iter().any(|known| known.name == question.name) {
            all.push(question);
        }
    }
    all
}
