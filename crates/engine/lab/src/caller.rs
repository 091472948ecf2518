//! The client of a world, driven: a token, then what the world's `caller` says it does.
//!
//! Decides the order alone: which product the errand is for, which provider the token is asked of, how often. How a step
//! and a token are asked for are the surfaces' own words ([`crate::Surface::step`], [`crate::Surface::token_call`]); who
//! asks, for what, and with what is the world's `caller`, so that a wrong request is a wrong world too. It reaches the
//! lab as any client would: by the lab's public addresses, or by the names of the world where there are none. How a user is
//! signed in on the way is `sign_in`'s, and what a browser sees of a page is `page`'s.

pub mod page;
mod sign_in;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use mocktenant_world::{Errand, World};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::Value;

use crate::journal::Record;
use crate::outbound::{Call, CallError, Outbound, Reply};
use crate::{EXCHANGE_HEADER, Entrance, Lab};

pub use self::sign_in::{OwnClient, SignInCall, SignedIn};

impl Lab {
    /// What the caller of a world asks its token for.
    pub(crate) fn callers_resource(&self, world: &World) -> Option<String> {
        let caller = world.caller();
        caller.resource.clone().or_else(|| step(self, world, caller.does, 0).ok().map(|step| step.resource))
    }
}

/// Everything but RFC 3986 section 2.3's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One request of the caller, before anybody knows where the lab can be reached.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where it goes in.
    pub entrance: Entrance,
    /// The world's own name for it.
    pub host: String,
    /// Whether only that name leads there: of several behind one entrance, all but the first.
    pub by_name: bool,
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Ask {
    /// A request without header fields or body.
    pub fn get(entrance: Entrance, host: &str, target: String) -> Self {
        let (method, headers) = (Method::GET, HeaderMap::new());
        Self { entrance, host: host.to_owned(), by_name: false, method, target, headers, body: Bytes::new() }
    }
}

/// What one product is asked for.
#[derive(Clone, Debug)]
pub struct Step {
    /// The request, without its token.
    pub ask: Ask,
    /// The resource a client asks a token for to make it.
    pub resource: String,
}

/// How one provider is asked for a token.
#[derive(Clone, Debug)]
pub struct TokenCall {
    /// The request.
    pub ask: Ask,
    /// Reads the token out of an answer that has one.
    pub read: fn(&Reply) -> Option<String>,
}

/// What came of it: the answer that ended it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The exchange, as the journal knows it; empty if the answer named none.
    pub exchange: String,
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The access token, if the caller got that far.
    pub token: Option<String>,
    /// The exchange in which it was asked for; empty where it was there already.
    pub token_exchange: String,
    /// Requests answered after the token.
    pub turns: u32,
    /// The exchanges of a sign-in before the one that ended it.
    pub before: Vec<String>,
    /// What came of a sign-in, if it was one.
    pub signed_in: Option<Box<SignedIn>>,
    /// How many people signed in, each with a browser of their own, and how many of them were refused.
    pub people: (u32, u32),
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// No answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No product of this lab can do it in this world.
    #[error("no product of this world is asked for {}", name(*.0))]
    NobodyToAsk(Errand),
    /// No provider of this lab gives a token for it in this world.
    #[error("no identity provider of this world is asked for a token for {0:?}")]
    NoProvider(String),
    /// A page refuses nothing, and asks for what the world's `caller` does not say.
    #[error("a page asks for more than the caller of this world types ({exchange})")]
    AskedForMore {
        /// The exchange it was shown in.
        exchange: String,
    },
}

/// What the world calls an errand.
fn name(errand: Errand) -> String {
    serde_json::to_value(errand).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Attempt {
    fn new(reply: Reply, token: Option<String>, turns: u32) -> Self {
        let exchange = exchange_of(&reply);
        let (status, headers, body) = (reply.status, reply.headers, reply.body);
        let (token_exchange, before, signed_in, people) = (String::new(), Vec::new(), None, (0, 0));
        Self { exchange, status, headers, body, token, token_exchange, turns, before, signed_in, people }
    }

    /// Whether it was refused, on the way to the token or after it. A page that refuses to sign somebody in, and a redirect with an
    /// error, have statuses of their own.
    pub fn refused(&self) -> bool {
        match &self.signed_in {
            Some(signed_in) => !signed_in.is_done(),
            None => self.status.is_client_error() || self.status.is_server_error(),
        }
    }

    /// What a person reads: the lines of a page, or the error that a browser brought. Empty where it is neither.
    pub fn shown(&self) -> Vec<String> {
        let returned = self.signed_in.iter().flat_map(|signed_in| &signed_in.returned);
        let told: Vec<String> = returned
            .filter(|(name, _)| name.starts_with("error"))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        if told.is_empty() {
            sign_in::page_of(&self.headers, &self.body).unwrap_or_default().lines
        } else {
            told
        }
    }

    /// The body as JSON; as a text where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
    }
}

/// The exchange an answer names.
fn exchange_of(reply: &Reply) -> String {
    reply.headers.get(EXCHANGE_HEADER).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned()
}

/// Lets the caller of the lab's world do what it does. A refusal ends it; `via` is how its requests travel.
pub async fn drive(lab: &Lab, via: &dyn Outbound) -> Result<Attempt, DriveError> {
    drive_as(lab, via, lab.world().caller().does, None).await
}

/// Lets the caller do something else than its world says, with a token it has if it has one. What the world says of the
/// resource is about its own errand, and counts for no other. Signing in needs no token.
pub async fn drive_as(
    lab: &Lab,
    via: &dyn Outbound,
    errand: Errand,
    token: Option<String>,
) -> Result<Attempt, DriveError> {
    let turns = lab.world().caller().turns(errand);
    run(lab, via, errand, token, turns).await
}

/// Lets the caller do once what it does, however often that was done before: whoever creates a customer creates another
/// one, under a number of its own.
pub async fn try_once(lab: &Lab, via: &dyn Outbound) -> Result<Attempt, DriveError> {
    let errand = match lab.world().caller().does {
        Errand::CreateCustomer | Errand::Load => Errand::Load,
        other => other,
    };
    run(lab, via, errand, None, 1).await
}

async fn run(
    lab: &Lab,
    via: &dyn Outbound,
    errand: Errand,
    token: Option<String>,
    wanted: u32,
) -> Result<Attempt, DriveError> {
    let world = lab.world();
    if errand.signs_in() {
        return sign_people_in(lab, via, &world, errand).await;
    }
    let caller = world.caller();
    let first = fresh_number(lab);
    let first_step = step(lab, &world, errand, first)?;
    let mut token_exchange = String::new();
    let token = match token {
        Some(token) => token,
        None => {
            let own =
                errand == caller.does || (errand == Errand::Load && caller.does == Errand::CreateCustomer);
            let declared = caller.resource.as_ref().filter(|_| own);
            match ask_for_token(lab, via, declared.unwrap_or(&first_step.resource)).await? {
                (reply, Some(token)) => {
                    token_exchange = exchange_of(&reply);
                    token
                }
                (refusal, None) => return Ok(Attempt::new(refusal, None, 0)),
            }
        }
    };
    let mut reply = send(lab, via, first_step.ask, Some(&token)).await?;
    let mut turns = 1;
    while turns < wanted && reply.status.is_success() {
        let next = step(lab, &world, errand, first.wrapping_add(turns))?;
        reply = send(lab, via, next.ask, Some(&token)).await?;
        turns += 1;
    }
    Ok(Attempt { token_exchange, ..Attempt::new(reply, Some(token), turns) })
}

/// Signs in who is to sign in, each with a browser of their own; what came of the first who was refused, else of the last.
async fn sign_people_in(
    lab: &Lab,
    via: &dyn Outbound,
    world: &World,
    errand: Errand,
) -> Result<Attempt, DriveError> {
    let call = sign_in_call(lab, world).ok_or(DriveError::NobodyToAsk(errand))?;
    let nodes = match &call.ask.entrance {
        Entrance::Environment(name) => world.environment(name).map_or(1, |found| found.nodes.len()),
        Entrance::Identity | Entrance::Organization(_) => 1,
    };
    let people = if errand == Errand::EverybodySignsIn { nodes } else { 1 };
    let mut attempt = sign_in::sign_in(lab, via, call.clone()).await?;
    let mut refused = u32::from(attempt.refused());
    for _ in 1..people {
        let next = sign_in::sign_in(lab, via, call.clone()).await?;
        refused += u32::from(next.refused());
        if !attempt.refused() {
            attempt = next;
        }
    }
    attempt.people = (u32::try_from(people).unwrap_or(u32::MAX), refused);
    Ok(attempt)
}

/// Which of its requests the caller made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// The one for its token.
    ForToken,
    /// Its errand.
    ForErrand,
    /// One of those that sign a user in.
    ToSignIn,
}

/// Which request of the declared caller this is; `None` if somebody else made it.
pub fn made(lab: &Lab, record: &Record) -> Option<Made> {
    let world = lab.world();
    if sign_in_call(lab, &world).is_some_and(|call| call.made(record)) {
        return Some(Made::ToSignIn);
    }
    let caller = world.caller();
    let Step { ask, resource } = step(lab, &world, caller.does, 0).ok()?;
    let goes_there = |ask: &Ask| {
        record.entrance.as_ref() == Some(&ask.entrance)
            && record.method == ask.method
            && *record.target == *ask.target
    };
    // What it loads has a number of its own each time.
    let same = caller.does == Errand::Load || record.request_body == ask.body;
    if goes_there(&ask) && same {
        return Some(Made::ForErrand);
    }
    let resource = caller.resource.as_ref().unwrap_or(&resource);
    let token = lab.surfaces().iter().find_map(|mounted| mounted.surface.token_call(&world, resource))?.ask;
    (goes_there(&token) && record.request_body == token.body).then_some(Made::ForToken)
}

/// Asks for a token as the caller; the answer, and the token if there is one in it.
pub async fn ask_for_token(
    lab: &Lab,
    via: &dyn Outbound,
    resource: &str,
) -> Result<(Reply, Option<String>), DriveError> {
    let world = lab.world();
    let asked = lab.surfaces().iter().find_map(|mounted| mounted.surface.token_call(&world, resource));
    let TokenCall { ask, read } = asked.ok_or_else(|| DriveError::NoProvider(resource.to_owned()))?;
    let reply = send(lab, via, ask, None).await?;
    let token = read(&reply).filter(|_| reply.status.is_success());
    Ok((reply, token))
}

/// A text as it stands in a path, a query or a form: only RFC 3986's unreserved characters stand for themselves.
pub fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

fn step(lab: &Lab, world: &World, errand: Errand, number: u32) -> Result<Step, DriveError> {
    let asked = lab.surfaces().iter().find_map(|mounted| mounted.surface.step(world, errand, number));
    asked.ok_or(DriveError::NobodyToAsk(errand))
}

fn sign_in_call(lab: &Lab, world: &World) -> Option<SignInCall> {
    lab.surfaces().iter().find_map(|mounted| mounted.surface.sign_in(world))
}

/// Scheme, host and port of where a request goes.
fn base(lab: &Lab, ask: &Ask) -> String {
    let public = lab.addresses().get(&ask.entrance).filter(|_| !ask.by_name).cloned();
    public.unwrap_or_else(|| format!("https://{}", ask.host))
}

fn request_of(lab: &Lab, ask: Ask, token: Option<&str>) -> Call {
    let base = base(lab, &ask);
    let Ask { method, target, mut headers, body, .. } = ask;
    if let Some(Ok(mut bearer)) = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}"))) {
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Call { method, url: format!("{base}{target}"), headers, body }
}

async fn send(lab: &Lab, via: &dyn Outbound, ask: Ask, token: Option<&str>) -> Result<Reply, CallError> {
    via.call(request_of(lab, ask, token)).await
}

/// A number that no errand before used, as good as certainly.
fn fresh_number(lab: &Lab) -> u32 {
    let mut bytes = [0; 4];
    lab.random().fill(&mut bytes);
    u32::from_be_bytes(bytes)
}
