//! The caller signs in at a provider the engine has never heard of: cookies, forms, redirects, and a code redeemed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use mocktenant_lab::caller::{DriveError, Made, drive_as, made};
use mocktenant_lab::{
    Addresses, Answer, Ask, Attempt, CatalogueRow, Content, Context, Entrance, Exchange, InProcess, Lab,
    Machine, OwnClient, Refusal, Route, SignInCall, Surface, Trail, Way,
};
use mocktenant_world::{Edit, EditedBy, Errand, World, pointers};
use serde_json::json;

const HOST: &str = "door.example.com";

/// Knows one word, and answers as its name says.
struct Door {
    manner: &'static str,
}

static DOOR: &[Route<Door>] = &[
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: "/knock",
        endpoint: "knock",
        handler: |door, exchange| Box::pin(async move { door.knock(exchange) }),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/swap",
        endpoint: "swap",
        handler: |_, exchange| Box::pin(async move { swap(exchange) }),
    },
];

fn redirect(to: &str) -> Answer {
    Answer::typed(StatusCode::FOUND, Content::Redirect { to: to.to_owned() })
}

fn page(text: &str) -> Answer {
    Answer::typed(StatusCode::OK, Content::Page(Bytes::copy_from_slice(text.as_bytes())))
}

fn body(exchange: &Exchange) -> String {
    String::from_utf8(exchange.request.body.clone().unwrap_or_default().to_vec()).unwrap()
}

fn swap(exchange: &mut Exchange) -> Answer {
    match body(exchange).as_str() {
        "as=toy&code=a%20b" => {
            // {"sub":"tom"}
            Answer::json(StatusCode::OK, json!({ "id_token": "e30.eyJzdWIiOiJ0b20ifQ.x" }).to_string())
        }
        _ => Answer::json(StatusCode::BAD_REQUEST, "{}".to_owned()),
    }
}

impl Door {
    fn knock(&self, exchange: &mut Exchange) -> Answer {
        let cookie = exchange.request.header("cookie").unwrap_or_default().to_owned();
        match (self.manner, &*body(exchange)) {
            // The cookie of this path, without the one that was taken back.
            ("redirects", _) if cookie == "in=1" => redirect("http://client.example/cb?code=a+b&state=%C3%BC"),
            ("redirects", "who=tom&pass=w%26rd&asked=1") => {
                assert_eq!(exchange.request.header("origin"), Some("https://door.example.com"));
                redirect("https://door.example.com/knock?again")
                    .with("set-cookie", "in=1; Path=/knock")
                    .with("set-cookie", "out=1; Path=/elsewhere")
                    .with("set-cookie", "gone=; max-age=0")
            }
            ("posts", "who=tom&pass=w%26rd&asked=1") => page(
                "<form method=POST action='http://client.example/cb'><input type=hidden name=id_token \
                 value='e30.eyJzdWIiOiJ0b20ifQ.x'><noscript><button>Go</button></noscript></form>",
            ),
            ("loops", _) => redirect("/knock?again"),
            ("strays", _) => redirect("https://elsewhere.example/knock"),
            ("errs", _) => redirect("http://client.example/cb#error=denied&error_description=not%20today"),
            ("is silent", _) => page("<h1>Hello</h1>"),
            ("asks for more", "") => page("<form method=post action=/knock><input name=shoe></form>"),
            (_, "") => page(
                "<form hidden><input name=pass></form><form method=post action=/knock><input name=who>\
                 <input type=password name=pass><input type=hidden name=asked value=1><button>In</button></form>",
            )
            .with("set-cookie", "gone=1"),
            _ => {
                exchange.trail.record_error("door-1");
                page("<p>No.</p><form method=post action=/knock><input name=who><input name=pass></form>")
            }
        }
    }
}

impl Surface for Door {
    const NAME: &'static str = "door";
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        DOOR
    }
    fn fork(&self) -> Self {
        Self { manner: self.manner }
    }
    fn hosts(&self, _: &World) -> Vec<(String, Entrance)> {
        vec![(HOST.into(), Entrance::Identity)]
    }
    fn at(&self, _: &Entrance, _: &str) -> bool {
        false
    }
    fn machine(&self, _: &World, _: &Way<'_>) -> Option<Machine> {
        None
    }
    fn prepare(&self, _: &World, _: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, _: &mut Exchange, _: Refusal) -> Answer {
        Answer::empty(StatusCode::NOT_FOUND)
    }
    fn judge(&self, _: &Context, _: &str, _: &mut Trail) {}
    fn sign_in(&self, world: &World) -> Option<SignInCall> {
        let wanted = world.caller().sign_in.as_ref()?;
        Some(SignInCall {
            ask: Ask::get(Entrance::Identity, HOST, "/knock?here".into()),
            typed: vec![("who", wanted.user.clone()), ("pass", "w&rd".into())],
            client: Some(OwnClient {
                redirect_uri: wanted.redirect_uri.clone(),
                redeem: Ask {
                    method: Method::POST,
                    headers: HeaderMap::new(),
                    body: "as=toy".into(),
                    ..Ask::get(Entrance::Identity, HOST, "/swap".into())
                },
            }),
            loses: Vec::new(),
        })
    }
}

fn lab(manner: &'static str) -> (Lab, InProcess) {
    let sign_in = pointers::caller().sign_in();
    let edits = [
        Edit::replace(sign_in.user(), "tom"),
        Edit::replace(sign_in.redirect_uri(), "http://client.example/cb"),
    ];
    let world = World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap();
    let lab = Lab::builder(Arc::new(world)).surface(Door { manner }).build();
    let way = InProcess::by_world_names(&lab);
    (lab, way)
}

async fn tried(manner: &'static str) -> (Lab, Result<Attempt, DriveError>) {
    let (lab, way) = lab(manner);
    let attempt = drive_as(&lab, &way, Errand::SignIn, None).await;
    (lab, attempt)
}

#[tokio::test]
async fn cookies_are_kept_forms_filled_in_redirects_followed_and_the_code_redeemed() {
    let (lab, attempt) = tried("redirects").await;
    let attempt = attempt.unwrap();
    assert!(!attempt.refused() && attempt.shown().is_empty());
    let signed_in = attempt.signed_in.unwrap();
    assert_eq!((signed_in.code(), signed_in.parameter("state")), (Some("a b"), Some("\u{fc}")));
    assert_eq!(signed_in.claims(), json!({ "sub": "tom" }));
    let targets: Vec<String> =
        lab.journal().records().iter().map(|record| record.target.to_string()).collect();
    assert_eq!(targets, ["/knock?here", "/knock", "/knock?again", "/swap"]);
    assert_eq!(attempt.before.len(), 3);
    // What begins as it began is its own, and so is what the client sent.
    let own: Vec<Option<Made>> = lab.journal().records().iter().map(|record| made(&lab, record)).collect();
    assert_eq!(own, [Some(Made::ToSignIn), None, None, Some(Made::ToSignIn)]);
}

#[tokio::test]
async fn what_a_page_posts_to_the_client_is_taken_and_sent_to_nobody() {
    let (lab, attempt) = tried("posts").await;
    let attempt = attempt.unwrap();
    assert!(!attempt.refused());
    assert_eq!(attempt.signed_in.unwrap().claims(), json!({ "sub": "tom" }));
    assert_eq!(lab.journal().records().len(), 2);
}

#[tokio::test]
async fn what_leads_nowhere_ends_it() {
    for (manner, requests) in [("loops", 13), ("strays", 1), ("errs", 1), ("is silent", 1), ("refuses", 2)] {
        let (lab, attempt) = tried(manner).await;
        assert_eq!(lab.journal().records().len(), requests, "{manner}");
        if manner == "loops" {
            assert!(matches!(attempt, Err(DriveError::AskedForMore { .. })), "{attempt:?}");
            continue;
        }
        let attempt = attempt.unwrap();
        assert!(attempt.refused(), "{manner}");
        let shown: &[&str] = match manner {
            "errs" => &["error: denied", "error_description: not today"],
            "is silent" => &["Hello"],
            "refuses" => &["No."],
            _ => &[],
        };
        assert_eq!(attempt.shown(), shown, "{manner}");
    }
    let (_, attempt) = tried("asks for more").await;
    let error = attempt.unwrap_err().to_string();
    assert!(error.starts_with("a page asks for more than the caller of this world types"), "{error}");
}
