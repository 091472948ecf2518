//! The toy provider: authorize, token, device, confirm, logout. Its clients are whoever says so, its users ada and eve.

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use mocktenant_idp::code::{Code, Codes, Redeeming};
use mocktenant_idp::cookie::{Attributes, Cookies, Keep, SameSite, SetCookie, name_for};
use mocktenant_idp::device_code::{DeviceCode, Devices};
use mocktenant_idp::form::Form;
use mocktenant_idp::guard::{FormToken, from_own_page};
use mocktenant_idp::pkce::{Method as Challenging, Pkce};
use mocktenant_idp::response_mode::{Escapes, OwnFragment, Responding, ResponseMode};
use mocktenant_idp::session::{Lasts, Session, Sessions, SignIn};
use mocktenant_idp::{Kind, Ledger, Sealer};
use mocktenant_lab::{
    Addresses, Answer, AutoPostWords, CatalogueRow, Content, Context, Entrance, Exchange, Machine, Refusal,
    Route, Surface, Trail, Way,
};
use mocktenant_world::World;
use serde_json::json;
use time::Duration;

const CODE: Kind<Code<SignIn>> = Kind::new("toy-code");
const DEVICE: Kind<DeviceCode> = Kind::new("toy-device-code");
const CONFIRM: Kind<FormToken> = Kind::new("toy-confirm");
const SESSIONS: Sessions = Sessions {
    kind: Kind::new("toy-session"),
    lasts: Lasts::FromSignIn(Duration::HOUR),
    kept: None,
    clients: 8,
};
const CODES: Codes = Codes {
    lifetime: Duration::minutes(10),
    pkce: Pkce { methods: &[Challenging::S256], required: true, refuses_unasked: true },
    burnt_by_wrong_verifier: true,
};
const DEVICES: Devices = Devices {
    lifetime: Duration::minutes(15),
    alphabet: "BCDFGHJKLMNPQRSTVWXZ",
    letters: 9,
    polling: None,
    guesses: None,
    capacity: 3,
    most_octets: 500,
};
const RESPONDING: Responding = Responding {
    escapes: Escapes::DOTNET,
    own_fragment: OwnFragment::Refused,
    words: AutoPostWords { title: "On", notice: "Go on", button: "On" },
};
const COOKIE: Attributes =
    Attributes { path: "/", http_only: true, secure: true, same_site: Some(SameSite::None) };

type Said = Result<Answer, (StatusCode, String)>;

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn refused(why: impl ToString) -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, why.to_string())
}

fn said(text: impl Into<String>) -> Answer {
    Answer::typed(StatusCode::OK, Content::Text(text.into().into(), "text/plain"))
}

/// What is written into the store, unless a reset came.
fn remember<R>(context: &Context, work: impl FnOnce(&Ledger<'_>) -> R) -> R {
    let owner = context.scope().unwrap();
    context.remember(|store| work(&Ledger::new(store, &owner, context.now()))).unwrap()
}

/// Reads a form or a query, and does something with it as the owner that was called.
fn with(exchange: &Exchange, work: fn(&Exchange, &Sealer<'_>, &Form<'_>) -> Said) -> Answer {
    let (owner, post) = (exchange.context.scope().unwrap(), exchange.request.method == Method::POST);
    let body = exchange.request.body.clone().unwrap();
    let form = if post && !body.is_empty() {
        Form::parse(&body)
    } else {
        Form::parse(exchange.request.query().as_bytes())
    };
    work(exchange, &Sealer::of(&exchange.context, &owner), &form.unwrap())
        .unwrap_or_else(|(status, why)| Answer::typed(status, Content::Text(why.into(), "text/plain")))
}

fn session(exchange: &Exchange, sealer: &Sealer<'_>) -> Option<Session> {
    let cookies = Cookies::read(&exchange.request.headers);
    let text = cookies.get(&name_for("ToyAuth", exchange))?;
    remember(&exchange.context, |ledger| SESSIONS.open(sealer, ledger, text)).ok()
}

fn set_cookie(exchange: &Exchange, value: &str, keep: Keep) -> http::HeaderValue {
    SetCookie::new(&name_for("ToyAuth", exchange), value, keep, &COOKIE).unwrap().into_value()
}

fn authorize(exchange: &Exchange, sealer: &Sealer<'_>, form: &Form<'_>) -> Said {
    let (context, before) = (&exchange.context, session(exchange, sealer));
    let query = Form::parse(exchange.request.query().as_bytes()).unwrap();
    let mut cookie = None;
    let session = if exchange.request.method == Method::POST {
        from_own_page(exchange).map_err(refused)?;
        let user = form.get("user").filter(|user| matches!(*user, "ada" | "eve"));
        let user = user.filter(|_| form.get("password") == Some("right"));
        let user = user.ok_or((StatusCode::UNAUTHORIZED, String::from("wrong")))?.to_owned();
        let sign_in = SignIn { user, at: context.now(), how: String::from("password") };
        let session = SESSIONS.begin(context.random(), sign_in, false, before.as_ref());
        cookie = Some(set_cookie(exchange, &SESSIONS.seal(sealer, &session).unwrap(), Keep::Session));
        session
    } else if let Some(session) = before {
        session
    } else {
        let page = "<form method=\"post\"><input name=\"user\"><input name=\"password\"></form>";
        return Ok(Answer::typed(StatusCode::OK, Content::Page(page.into())));
    };
    let challenge = CODES.pkce.challenge(query.get("code_challenge"), query.get("code_challenge_method"));
    let redirect_uri = query.get("redirect_uri").unwrap();
    let code = Code {
        client: query.get("client_id").unwrap().to_owned(),
        redirect_uri: Some(redirect_uri.to_owned()),
        challenge: challenge.map_err(refused)?,
        granted: session.sign_in,
    };
    let code = CODES.issue(sealer, &CODE, &code, context.now()).unwrap();
    let state = query.get("state").unwrap_or_default().to_owned();
    let mode = ResponseMode::named(query.get("response_mode").unwrap_or("query")).unwrap();
    let parameters = vec![("code".into(), code), ("state".into(), state)];
    let answer = RESPONDING.answer(mode, redirect_uri, parameters, context.random());
    let mut answer = answer.map_err(refused)?;
    answer.headers.extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    Ok(answer)
}

fn token(exchange: &Exchange, sealer: &Sealer<'_>, form: &Form<'_>) -> Said {
    let (context, by) = (&exchange.context, &**exchange.context.id());
    let (client, code) = (form.get("client_id").unwrap(), form.get("code").unwrap());
    let sign_in = if form.get("grant") == Some("device") {
        let opened = sealer.open(&DEVICE, code, context.now()).map_err(refused)?;
        opened.payload.of_client(client).map_err(refused)?;
        let polled = remember(context, |ledger| DEVICES.poll::<()>(ledger, &opened, by));
        polled.map_err(refused)?.sign_in
    } else {
        let (redirect_uri, verifier) = (form.get("redirect_uri"), form.get("code_verifier"));
        let redeeming = Redeeming { client, redirect_uri, verifier, by };
        remember(context, |ledger| CODES.redeem((sealer, ledger), &CODE, code, &redeeming))
            .map_err(refused)?
    };
    Ok(said(format!("token of {}", sign_in.user)))
}

fn device(exchange: &Exchange, sealer: &Sealer<'_>, form: &Form<'_>) -> Said {
    let (random, asked) = (exchange.context.random(), (form.get("client_id").unwrap(), &()));
    let begun = remember(&exchange.context, |ledger| DEVICES.begin((sealer, ledger), &DEVICE, random, asked));
    let begun = begun.map_err(refused)?;
    Ok(said(json!({ "device_code": begun.device_code, "user_code": begun.user_code }).to_string()))
}

fn confirm(exchange: &Exchange, sealer: &Sealer<'_>, form: &Form<'_>) -> Said {
    let context = &exchange.context;
    let session = session(exchange, sealer).ok_or_else(|| refused("sign in first"))?;
    let typed = form.get("user_code").unwrap_or_default();
    let found = remember(context, |ledger| DEVICES.find::<()>(ledger, &session.sign_in.user, typed));
    let pending = found.map_err(refused)?;
    let bound_to = format!("{} {}", session.id, pending.user_code);
    if exchange.request.method == Method::GET {
        let token = FormToken::seal(sealer, &CONFIRM, &bound_to, pending.expires).unwrap();
        let page = format!("<form method=\"post\"><input name=\"token\" value=\"{token}\"></form>");
        return Ok(Answer::typed(StatusCode::OK, Content::Page(page.into())));
    }
    from_own_page(exchange).map_err(refused)?;
    FormToken::check(sealer, &CONFIRM, form.get("token"), &bound_to, context.now()).map_err(refused)?;
    remember(context, |ledger| DEVICES.approve(ledger, &pending, &session)).map_err(refused)?;
    Ok(said("confirmed"))
}

fn logout(exchange: &Exchange, sealer: &Sealer<'_>, _form: &Form<'_>) -> Said {
    if let Some(session) = session(exchange, sealer) {
        remember(&exchange.context, |ledger| ledger.sign_out(&session)).map_err(refused)?;
    }
    let mut answer = said("signed out");
    answer.headers.insert(SET_COOKIE, set_cookie(exchange, "", Keep::Gone));
    Ok(answer)
}

pub(crate) struct Toy;

macro_rules! route {
    ($name:ident) => {
        Route {
            methods: &[Method::GET, Method::POST],
            pattern: concat!("/", stringify!($name)),
            endpoint: stringify!($name),
            handler: |_, exchange| Box::pin(std::future::ready(with(exchange, $name))),
        }
    };
}

static ROUTES: &[Route<Toy>] =
    &[route!(authorize), route!(token), route!(device), route!(confirm), route!(logout)];

impl Surface for Toy {
    const NAME: &'static str = "toy";
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }
    fn fork(&self) -> Self {
        Self
    }
    fn hosts(&self, _world: &World) -> Vec<(String, Entrance)> {
        Vec::new()
    }
    fn at(&self, _entrance: &Entrance, _folded_path: &str) -> bool {
        true
    }
    fn machine(&self, _world: &World, way: &Way<'_>) -> Option<Machine> {
        match way.entrance {
            Entrance::Organization(name) => Some(Machine::organization(name)),
            _ => Some(Machine::node("onebox", "aos1")),
        }
    }
    fn prepare(&self, _world: &World, _addresses: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, _exchange: &mut Exchange, _why: Refusal) -> Answer {
        Answer::empty(StatusCode::NOT_FOUND)
    }
    fn judge(&self, _context: &Context, _token: &str, _trail: &mut Trail) {}
}
