//! Sign-in sessions of AD FS and the cookies they live in.
//!
//! Decides how long a session lasts (`SsoLifetime`, and a day where somebody wants to stay signed in), and which cookies say
//! so: `MSISAuth` holds the session, sealed; `MSISAuthenticated` and `MSISLoopDetectionCookie` hold moments that anybody may
//! read and come with tokens, as a trace of WS-Federation has it. The last also counts the tokens that were issued since, and
//! begins anew when an interval is over (that its moment is the interval's beginning is inferred). All of them are for `/adfs` of their own host, no script sees them, and from Windows Server 2019 on they go along
//! from other sites (`SameSite=None`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::SET_COOKIE;
use mocktenant_idp::cookie::{Attributes, Cookies, Keep, SameSite, SetCookie, name_for};
use mocktenant_idp::session::{Lasts, Session, Sessions};
use mocktenant_idp::{Kind, Ledger, Sealer};
use mocktenant_lab::{Answer, Exchange, Scope};
use mocktenant_world::FederationService;
use mocktenant_world::declaration::Profile;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// The cookie that holds the session.
const AUTH: &str = "MSISAuth";
/// A session that is longer is cut: the rest is in `MSISAuth1` and so on (how long a piece is, is inferred).
const PIECE: usize = 2_000;
/// So many pieces are read and written; what is longer is none of ours.
const PIECES: usize = 8;
/// When tokens were issued, for people.
const AUTHENTICATED: &str = "MSISAuthenticated";
/// When an interval began, and how many tokens were issued in it.
const LOOP_DETECTION: &str = "MSISLoopDetectionCookie";

/// With "keep me signed in".
const KEPT: Duration = Duration::hours(24);
/// So many clients are remembered for a logout.
const CLIENTS: usize = 20;

/// `M/d/yyyy h:mm:ss AM`.
const SHOWN: &[BorrowedFormatItem<'static>] = format_description!(
    "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute]:[second] [period]"
);
const COUNTED: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]:[hour]:[minute]:[second]Z");

/// The sessions of a service.
pub(crate) fn sessions(service: &FederationService) -> Sessions {
    Sessions {
        kind: Kind::new("adfs-session"),
        lasts: Lasts::FromSignIn(Duration::minutes(i64::from(service.sso_lifetime))),
        kept: Some(Lasts::FromSignIn(KEPT)),
        clients: CLIENTS,
    }
}

/// What a piece of the session is called: the first as the whole.
fn piece(number: usize) -> String {
    if number == 0 { AUTH.to_owned() } else { format!("{AUTH}{number}") }
}

/// The session that a browser brings, if it is one of this service's and has not ended.
pub(crate) fn of(exchange: &Exchange, service: &FederationService) -> Option<Session> {
    let cookies = Cookies::read(&exchange.request.headers);
    let pieces = (0..PIECES).map_while(|number| cookies.get(&name_for(&piece(number), exchange)));
    let sent = &*pieces.collect::<String>();
    let owner = Scope::federation_service(&service.id);
    let sealer = Sealer::of(&exchange.context, &owner);
    let now = exchange.context.now();
    let opened = exchange
        .context
        .remember(|store| sessions(service).open(&sealer, &Ledger::new(store, &owner, now), sent));
    opened.ok()?.ok()
}

/// The tokens that a browser was issued in one interval, those that it asks for now included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// When the interval began.
    since: OffsetDateTime,
    /// How many.
    pub(crate) tokens: u32,
    /// Whole seconds since it began.
    pub(crate) seconds: i64,
}

/// Counts by what the browser brings, which whoever likes can change: what cannot be read, or is of another time, counts
/// nothing.
pub(crate) fn counted(exchange: &Exchange, service: &FederationService) -> Counted {
    let now = exchange.context.now();
    let cookies = Cookies::read(&exchange.request.headers);
    let brought = || {
        let text = STANDARD.decode(cookies.get(&name_for(LOOP_DETECTION, exchange))?).ok()?;
        let (since, tokens) = std::str::from_utf8(&text).ok()?.split_once('\\')?;
        let since = PrimitiveDateTime::parse(since, COUNTED).ok()?.assume_utc();
        Some((since, tokens.parse::<u32>().ok()?))
    };
    let interval = i64::from(service.loop_detection.unwrap_or_default().interval_seconds);
    match brought() {
        Some((since, tokens)) if since <= now && now - since <= Duration::seconds(interval) => {
            Counted { since, tokens: tokens.saturating_add(1), seconds: (now - since).whole_seconds() }
        }
        _ => Counted { since: now, tokens: 1, seconds: 0 },
    }
}

/// Sets the cookies of a session; those that come with tokens where some were `issued`.
pub(crate) fn keep(
    exchange: &Exchange,
    service: &FederationService,
    session: &Session,
    issued: Option<&Counted>,
    answer: &mut Answer,
) {
    let owner = Scope::federation_service(&service.id);
    let sealer = Sealer::of(&exchange.context, &owner);
    let Ok(sealed) = sessions(service).seal(&sealer, session) else { return };
    let now = exchange.context.now();
    // In seconds: whatever the lab's clock says, a browser has its own.
    let lasts = if session.kept { Keep::For(session.left(now)) } else { Keep::Session };
    // Sealed values are ASCII.
    let mut cookies: Vec<(String, String, Keep)> = sealed
        .as_bytes()
        .chunks(PIECE)
        .take(PIECES)
        .enumerate()
        .map(|(number, text)| (piece(number), String::from_utf8_lossy(text).into_owned(), lasts))
        .collect();
    // What is left of a longer one would spoil it.
    let brought = Cookies::read(&exchange.request.headers);
    let stale =
        (cookies.len()..PIECES).map(piece).filter(|name| brought.get(&name_for(name, exchange)).is_some());
    cookies.extend(stale.map(|name| (name, String::new(), Keep::Gone)));
    if let Some(issued) = issued {
        let counted = format!("{}\\{}", mocktenant_lab::written(issued.since, COUNTED), issued.tokens);
        cookies.push((
            AUTHENTICATED.to_owned(),
            STANDARD.encode(mocktenant_lab::written(now, SHOWN)),
            Keep::Session,
        ));
        cookies.push((LOOP_DETECTION.to_owned(), STANDARD.encode(counted), Keep::Session));
    }
    set(exchange, service, cookies, answer);
}

/// Ends a session, for every copy of its cookies too, and takes the cookies that a browser brought back.
pub(crate) fn end(
    exchange: &Exchange,
    service: &FederationService,
    session: Option<&Session>,
    answer: &mut Answer,
) {
    if let Some(session) = session {
        let owner = Scope::federation_service(&service.id);
        let now = exchange.context.now();
        // Where a reset came over it there is no session any more; where there is no room, the cookies go all the same.
        let _ = exchange.context.remember(|store| Ledger::new(store, &owner, now).sign_out(session));
    }
    let brought = Cookies::read(&exchange.request.headers);
    let names = (0..PIECES).map(piece).chain([AUTHENTICATED.to_owned(), LOOP_DETECTION.to_owned()]);
    let names = names.filter(|name| brought.get(&name_for(name, exchange)).is_some());
    set(exchange, service, names.map(|name| (name, String::new(), Keep::Gone)).collect(), answer);
}

fn set(
    exchange: &Exchange,
    service: &FederationService,
    cookies: Vec<(String, String, Keep)>,
    answer: &mut Answer,
) {
    let attributes = attributes(exchange, service);
    for (name, value, lasts) in cookies {
        if let Ok(cookie) = SetCookie::new(&name_for(&name, exchange), &value, lasts, &attributes) {
            let value: HeaderValue = cookie.into_value();
            answer.headers.append(SET_COOKIE, value);
        }
    }
}

/// The real service speaks https alone; over plain http to a lab a cookie that is `Secure` would not come back everywhere.
fn attributes(exchange: &Exchange, service: &FederationService) -> Attributes {
    let secure = exchange.request.arrival.secure;
    let same_site = (secure && service.profile >= Profile::Server2019).then_some(SameSite::None);
    Attributes { path: "/adfs", http_only: true, secure, same_site }
}
