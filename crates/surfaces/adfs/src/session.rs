//! Sign-in sessions of AD FS and the cookies they live in.
//!
//! Decides how long a session lasts (`SsoLifetime`, and a day where somebody wants to stay signed in), and which cookies say
//! so: `MSISAuth` holds the session, sealed; `MSISAuthenticated` and `MSISLoopDetectionCookie` hold moments that anybody may
//! read. All of them are for `/adfs` of their own host, no script sees them, and from Windows Server 2019 on they go along
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
use time::Duration;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// The cookie that holds the session.
const AUTH: &str = "MSISAuth";
/// When it was made, for people.
const AUTHENTICATED: &str = "MSISAuthenticated";
/// When tokens were last issued, and how many.
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

/// The session that a browser brings, if it is one of this service's and has not ended.
pub(crate) fn of(exchange: &Exchange, service: &FederationService) -> Option<Session> {
    let cookies = Cookies::read(&exchange.request.headers);
    let sent = cookies.get(&name_for(AUTH, exchange))?;
    let owner = Scope::federation_service(&service.id);
    let sealer = Sealer::of(&exchange.context, &owner);
    let now = exchange.context.now();
    let opened = exchange
        .context
        .remember(|store| sessions(service).open(&sealer, &Ledger::new(store, &owner, now), sent));
    opened.ok()?.ok()
}

/// Sets the cookies of a session.
pub(crate) fn keep(exchange: &Exchange, service: &FederationService, session: &Session, answer: &mut Answer) {
    let owner = Scope::federation_service(&service.id);
    let sealer = Sealer::of(&exchange.context, &owner);
    let Ok(sealed) = sessions(service).seal(&sealer, session) else { return };
    let now = exchange.context.now();
    let written = |format: &[BorrowedFormatItem<'static>]| now.format(format).unwrap_or_default();
    // In seconds: whatever the lab's clock says, a browser has its own.
    let lasts = if session.kept { Keep::For(session.left(now)) } else { Keep::Session };
    let attributes = attributes(exchange, service);
    for (name, value, lasts) in [
        (AUTH, sealed, lasts),
        (AUTHENTICATED, STANDARD.encode(written(SHOWN)), Keep::Session),
        (LOOP_DETECTION, STANDARD.encode(format!("{}\\1", written(COUNTED))), Keep::Session),
    ] {
        if let Ok(cookie) = SetCookie::new(&name_for(name, exchange), &value, lasts, &attributes) {
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
