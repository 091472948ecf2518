//! The caller as a browser, and as a client in one with it: it signs a user in and redeems what it is given.
//!
//! Decides what a person in front of a browser without scripts does: keeps cookies, follows redirects, fills in the form that
//! is shown, each field once (who was refused a password does not type it again), and presses its first button. Of a client of
//! its own it goes nowhere but to the origin it began at, and ends where that client waits for its answer, which nobody has to
//! listen at; the client then redeems a code. Where it opens an application of the lab's it goes wherever it is sent, and ends
//! on a page that asks for nothing more. What is asked for, what the fields are called and how a code is redeemed are the
//! surface's own words ([`crate::Surface::sign_in`]). Never decides what a provider answers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::page::{Kind, Page};
use super::{Ask, Attempt, DriveError, exchange_of, request_of};
use crate::Lab;
use crate::journal::Record;
use crate::outbound::{Call, CallError, Outbound, Reply, Target};

/// More pages and redirects than this are no way to sign in.
const TURNS: usize = 12;

/// How the caller of a world signs a user in at one provider.
#[derive(Clone, Debug)]
pub struct SignInCall {
    /// What the browser opens.
    pub ask: Ask,
    /// What is typed into fields, by their names.
    pub typed: Vec<(&'static str, String)>,
    /// The client that is signed in to; none where what is opened signs its users in itself.
    pub client: Option<OwnClient>,
    /// Cookies that the browser loses, by the beginnings of their names.
    pub loses: Vec<String>,
}

/// The client in one with the browser.
#[derive(Clone, Debug)]
pub struct OwnClient {
    /// Where it waits for its answer.
    pub redirect_uri: String,
    /// How it redeems a code: its form, but for the code, which comes last.
    pub redeem: Ask,
}

/// What came of a sign-in.
#[derive(Clone, Debug, Default)]
pub struct SignedIn {
    /// What the browser brought the client, in its order; nothing where it did not get that far.
    pub returned: Vec<(String, String)>,
    /// What a code was redeemed for; empty where it was not.
    pub tokens: Map<String, Value>,
    /// Whether an application of the lab's showed its user a page.
    pub came_in: bool,
}

impl SignedIn {
    /// A parameter the browser brought.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.returned.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The code.
    pub fn code(&self) -> Option<&str> {
        self.parameter("code")
    }

    fn token(&self, name: &str) -> Option<&str> {
        self.tokens.get(name).and_then(Value::as_str)
    }

    /// The access token.
    pub fn access_token(&self) -> Option<&str> {
        self.token("access_token")
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> Option<&str> {
        self.token("refresh_token")
    }

    /// The id token, wherever it came from.
    pub fn id_token(&self) -> Option<&str> {
        self.token("id_token").or_else(|| self.parameter("id_token"))
    }

    /// What the id token says, its signature unlooked at; `null` where there is none.
    pub fn claims(&self) -> Value {
        let payload = self.id_token().and_then(|token| token.split('.').nth(1));
        let decoded = payload.and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
        decoded.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default()
    }

    /// Whether the client, or the application, knows who signed in.
    pub fn is_done(&self) -> bool {
        self.came_in || self.id_token().is_some() || self.access_token().is_some()
    }
}

impl SignInCall {
    /// Whether a request is one of this sign-in: the browser's begin with what it opened, the client's with its form.
    pub(super) fn made(&self, record: &Record) -> bool {
        let begins = |ask: &Ask| {
            record.entrance.as_ref() == Some(&ask.entrance)
                && record.target.starts_with(&ask.target)
                && record.request_body.starts_with(&ask.body)
        };
        let Some(client) = &self.client else {
            // What it opens, and where it comes back to with what it was given elsewhere.
            let opened = self.ask.target.trim_end_matches('/');
            let at = |target: &str| target.trim_end_matches('/') == opened;
            return record.entrance.as_ref() == Some(&self.ask.entrance) && at(&record.target);
        };
        let redeem = Some(&client.redeem);
        begins(&self.ask) || redeem.is_some_and(|redeem| record.method == redeem.method && begins(redeem))
    }
}

/// A cookie, as a browser keeps it: for a host, whatever the port.
struct Cookie {
    host: String,
    name: String,
    value: String,
    path: String,
}

struct Browser<'v> {
    via: &'v dyn Outbound,
    /// Scheme, host and port of the page it is at: `https://localhost:7443`.
    origin: String,
    /// Whether it goes to other origins.
    roams: bool,
    cookies: Vec<Cookie>,
    /// Beginnings of the names of cookies that it loses.
    loses: Vec<String>,
    /// The exchanges so far.
    exchanges: Vec<String>,
}

impl Browser<'_> {
    /// Sends one request with what it was given before, and is at its origin then.
    async fn send(
        &mut self,
        method: Method,
        (origin, target): (String, String),
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, CallError> {
        self.origin = origin;
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let host = self.host();
        let kept = self.cookies.iter().filter(|cookie| cookie.host == host && path.starts_with(&cookie.path));
        let kept: Vec<String> = kept.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if !kept.is_empty()
            && let Ok(kept) = HeaderValue::from_str(&kept.join("; "))
        {
            headers.insert(COOKIE, kept);
        }
        let url = format!("{}{target}", self.origin);
        let reply = self.via.call(Call { method, url, headers, body }).await?;
        for cookie in reply.headers.get_all(SET_COOKIE) {
            if let Ok(text) = cookie.to_str() {
                self.keep(text);
            }
        }
        self.exchanges.push(exchange_of(&reply));
        Ok(reply)
    }

    /// Keeps what `Set-Cookie` says, or forgets it where its time is over (RFC 6265 section 5.2, as far as one origin and one
    /// sitting need it).
    fn keep(&mut self, text: &str) {
        let host = self.host();
        let mut parts = text.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (mut path, mut over) = ("/", false);
        for attribute in parts {
            let (attribute, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            if attribute.eq_ignore_ascii_case("path") && value.starts_with('/') {
                path = value;
            }
            if attribute.eq_ignore_ascii_case("max-age") {
                over = value == "0" || value.starts_with('-');
            }
            // The lab's clock may be anywhere: what is taken away is said with the beginning of time.
            over |= attribute.eq_ignore_ascii_case("expires") && value.contains(" 1970 ");
        }
        over |= self.loses.iter().any(|lost| name.starts_with(lost.as_str()));
        self.cookies.retain(|known| known.host != host || known.name != name || known.path != path);
        if !over {
            let (name, value, path) = (name.to_owned(), value.to_owned(), path.to_owned());
            self.cookies.push(Cookie { host, name, value, path });
        }
    }

    /// The host of the page it is at.
    fn host(&self) -> String {
        Target::parse(&self.origin).map(|target| target.host).unwrap_or_default()
    }

    /// Where a URL leads: origin, path and query; none for where it does not go.
    fn way(&self, url: &str) -> Option<(String, String)> {
        if url.starts_with('/') && !url.starts_with("//") {
            return Some((self.origin.clone(), url.to_owned()));
        }
        let (to, here) = (Target::parse(url).ok()?, Target::parse(&self.origin).ok()?);
        let same = (to.secure, &to.host, to.port) == (here.secure, &here.host, here.port);
        let scheme = if to.secure { "https" } else { "http" };
        (same || self.roams)
            .then(|| (format!("{scheme}://{}", to.authority()), to.path().as_str().to_owned()))
    }
}

/// Signs the user in, and redeems a code.
pub(super) async fn sign_in(lab: &Lab, via: &dyn Outbound, call: SignInCall) -> Result<Attempt, DriveError> {
    let SignInCall { ask, typed, client, loses } = call;
    let Call { method, headers, body, .. } = request_of(lab, ask.clone(), None);
    let origin = super::base(lab, &ask);
    let (cookies, exchanges) = (Vec::new(), Vec::new());
    let mut browser =
        Browser { via, origin: origin.clone(), roams: client.is_none(), cookies, loses, exchanges };
    let mut signed_in = SignedIn::default();
    let redirect_uri = client.as_ref().map_or("", |client| client.redirect_uri.as_str());
    let reply = browser.send(method, (origin, ask.target), headers, body).await?;
    let (mut reply, stuck) = browse(&mut browser, reply, &typed, redirect_uri, &mut signed_in).await?;
    if let (Some(code), Some(client)) = (signed_in.code(), client.as_ref()) {
        let mut call = request_of(lab, client.redeem.clone(), None);
        call.body = [&call.body, &b"&code="[..], super::encoded(code).to_string().as_bytes()].concat().into();
        reply = via.call(call).await?;
        browser.exchanges.push(exchange_of(&reply));
        if reply.status.is_success() {
            signed_in.tokens = serde_json::from_slice(&reply.body).unwrap_or_default();
        }
    }
    let exchange = browser.exchanges.pop().unwrap_or_default();
    // A page that refuses says so in the journal; one that only asks for more is not what the world's caller can go on with.
    let refused = || lab.journal().find(&exchange).is_none_or(|record| record.refused());
    if stuck && !refused() {
        return Err(DriveError::AskedForMore { exchange });
    }
    signed_in.came_in = client.is_none() && reply.status.is_success() && !refused();
    let mut attempt = Attempt::new(reply, signed_in.access_token().map(str::to_owned), 0);
    attempt.before = browser.exchanges;
    attempt.signed_in = Some(Box::new(signed_in));
    Ok(attempt)
}

/// Goes on from an answer until the client has its own, or there is nothing more to do: the last answer, and whether that is a page
/// that asks for what is not there to be typed.
async fn browse(
    browser: &mut Browser<'_>,
    mut reply: Reply,
    typed: &[(&'static str, String)],
    redirect_uri: &str,
    signed_in: &mut SignedIn,
) -> Result<(Reply, bool), DriveError> {
    let mut done: Vec<&'static str> = Vec::new();
    for _ in 0..TURNS {
        let to = reply
            .headers
            .get(LOCATION)
            .and_then(|to| to.to_str().ok())
            .filter(|_| reply.status.is_redirection());
        if let Some(to) = to {
            let Some(way) = browser.way(to).filter(|_| !is_for_client(to, redirect_uri)) else {
                let answer = to.split_once(['?', '#']).map_or("", |(_, answer)| answer);
                signed_in.returned = parameters(answer);
                return Ok((reply, false));
            };
            reply = browser.send(Method::GET, way, HeaderMap::new(), Bytes::new()).await?;
            continue;
        }
        let page = page_of(&reply.headers, &reply.body).unwrap_or_default();
        let Some(form) = page.shown_form() else { return Ok((reply, false)) };
        let Some(way) = browser.way(&form.action).filter(|_| !is_for_client(&form.action, redirect_uri))
        else {
            signed_in.returned = parameters(&form.filled(|_| None));
            return Ok((reply, false));
        };
        let asked = form.fields.iter().filter(|field| field.kind == Kind::Typed);
        let fresh: Vec<&(&'static str, String)> = asked
            .filter_map(|field| typed.iter().find(|(name, _)| *name == field.name))
            .filter(|(name, _)| !done.contains(name))
            .collect();
        // What has nothing to be typed into is sent as it is: a page on the way, where nothing runs scripts. An application that
        // shows its user a page is where it wanted to go.
        let has = |kind: Kind| form.fields.iter().any(|field| field.kind == kind);
        let on_the_way = browser.roams && form.posted && has(Kind::Sent) && !has(Kind::Typed);
        if fresh.is_empty() && !on_the_way {
            return Ok((reply, has(Kind::Typed) || !browser.roams));
        }
        done.extend(fresh.iter().map(|(name, _)| *name));
        let value =
            |name: &str| typed.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let sent = form.filled(value);
        let mut headers = HeaderMap::new();
        headers.extend(HeaderValue::from_str(&browser.origin).ok().map(|origin| (ORIGIN, origin)));
        reply = if form.posted {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            browser.send(Method::POST, way, headers, sent.into()).await?
        } else {
            let (origin, target) = way;
            let path = target.split('?').next().unwrap_or_default();
            browser.send(Method::GET, (origin, format!("{path}?{sent}")), headers, Bytes::new()).await?
        };
    }
    Ok((reply, true))
}

/// Whether a URL is the client's, whatever it carries.
fn is_for_client(url: &str, redirect_uri: &str) -> bool {
    let rest = url.strip_prefix(redirect_uri).filter(|_| !redirect_uri.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '#', '&']))
}

/// What a browser shows of an answer; none where it is no page.
pub(super) fn page_of(headers: &HeaderMap, body: &[u8]) -> Option<Page> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    kind.starts_with("text/html").then(|| Page::read(&String::from_utf8_lossy(body)))
}

/// A form-encoded text.
fn parameters(text: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}
