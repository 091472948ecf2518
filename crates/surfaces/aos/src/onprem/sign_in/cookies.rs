//! The cookies of a sign-in and of who is signed in.
//!
//! Decides their names and forms: `OpenIdConnect.nonce.<hash>` for one sign-in, `DynamicsOwinAuth` for who came in, cut into
//! `DynamicsOwinAuthC1`, `C2` where it is long, as OWIN's chunking cookie manager does it. Both are sealed to the environment, so
//! that every node takes them and no other environment does. Ports of localhost share a jar, so there the port is in each name.
//! Never decides how long somebody stays signed in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::SET_COOKIE;
use mocktenant_idp::cookie::{Attributes, Cookies, Keep, SameSite, SetCookie, name_for};
use mocktenant_idp::response_mode::Escapes;
use mocktenant_keys::sha256;
use mocktenant_lab::{Answer, Exchange};

/// Who is signed in.
const AUTH: &str = "DynamicsOwinAuth";
/// A value that is longer is cut.
const PIECE: usize = 2_000;
/// So many pieces are read; what is longer is none of ours.
const PIECES: usize = 8;
/// What the first cookie of several says.
const CHUNKS: &str = "chunks:";

/// What the cookie of a nonce is called: the hash in plain Base64, escaped as OWIN escapes names.
pub(super) fn nonce_name(nonce: &str) -> String {
    let mut name = String::from("OpenIdConnect.nonce.");
    Escapes { capitals: true, plus: false, bare: "-._~" }.push(&mut name, &STANDARD.encode(sha256(nonce)));
    name
}

/// The value of a cookie the browser brings.
pub(super) fn brought<'e>(exchange: &'e Exchange, name: &str) -> Option<&'e str> {
    Cookies::read(&exchange.request.headers).get(&name_for(name, exchange))
}

/// The text in `DynamicsOwinAuth`, put together.
pub(super) fn auth(exchange: &Exchange) -> Option<String> {
    let cookies = Cookies::read(&exchange.request.headers);
    let whole = cookies.get(&name_for(AUTH, exchange))?;
    let Some(chunks) = whole.strip_prefix(CHUNKS) else { return Some(whole.to_owned()) };
    let chunks: usize = chunks.parse().ok().filter(|chunks| (1..=PIECES).contains(chunks))?;
    (1..=chunks).map(|number| cookies.get(&name_for(&format!("{AUTH}C{number}"), exchange))).collect()
}

/// Sets it, and takes away what is left of a longer one.
pub(super) fn set_auth(exchange: &Exchange, value: &str, answer: &mut Answer) {
    let pieces: Vec<&[u8]> = value.as_bytes().chunks(PIECE).collect();
    if pieces.len() == 1 {
        set(exchange, AUTH, value, Keep::Session, answer);
    } else {
        set(exchange, AUTH, &format!("{CHUNKS}{}", pieces.len()), Keep::Session, answer);
        for (number, piece) in pieces.iter().enumerate() {
            // Sealed values are ASCII.
            let piece = String::from_utf8_lossy(piece);
            set(exchange, &format!("{AUTH}C{}", number + 1), &piece, Keep::Session, answer);
        }
    }
    let kept = if pieces.len() == 1 { 0 } else { pieces.len() };
    forget_from(exchange, kept, answer);
}

/// Takes away whatever of it the browser brought.
pub(super) fn forget_auth(exchange: &Exchange, answer: &mut Answer) {
    if brought(exchange, AUTH).is_some() {
        set(exchange, AUTH, "", Keep::Gone, answer);
    }
    forget_from(exchange, 0, answer);
}

fn forget_from(exchange: &Exchange, kept: usize, answer: &mut Answer) {
    for number in kept + 1..=PIECES {
        let name = format!("{AUTH}C{number}");
        if brought(exchange, &name).is_some() {
            set(exchange, &name, "", Keep::Gone, answer);
        }
    }
}

/// Sets a cookie of the whole host. Plain http to a lab has none that is `Secure`.
pub(super) fn set(exchange: &Exchange, name: &str, value: &str, keep: Keep, answer: &mut Answer) {
    let secure = exchange.request.arrival.secure;
    let same_site = secure.then_some(SameSite::None);
    let attributes = Attributes { path: "/", http_only: true, secure, same_site };
    if let Ok(cookie) = SetCookie::new(&name_for(name, exchange), value, keep, &attributes) {
        answer.headers.append(SET_COOKIE, cookie.into_value());
    }
}
