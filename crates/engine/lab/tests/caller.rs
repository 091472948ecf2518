//! The caller of a world, driven through two surfaces the engine has never heard of: a provider and a product.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use mocktenant_lab::caller::{DriveError, drive, drive_as, encoded};
use mocktenant_lab::outbound::Reply;
use mocktenant_lab::{
    Addresses, Answer, Ask, CatalogueRow, Context, Entrance, Exchange, InProcess, Lab, Machine, Refusal,
    Route, Step, Surface, TokenCall, Trail, Way,
};
use mocktenant_world::{Edit, EditedBy, Errand, World, pointers};
use serde_json::json;

/// Gives everybody who knows the word `ticket-<resource>`.
struct Booth;

static BOOTH: &[Route<Booth>] = &[Route {
    methods: &[Method::POST],
    pattern: "/ticket",
    endpoint: "ticket",
    handler: |_, exchange| Box::pin(async move { ticket(exchange) }),
}];

fn ticket(exchange: &mut Exchange) -> Answer {
    let body = exchange.request.body.clone().unwrap_or_default();
    let asked = String::from_utf8_lossy(&body).into_owned();
    match asked.split_once(' ') {
        Some(("word", resource)) => {
            Answer::json(StatusCode::OK, json!(format!("ticket-{resource}")).to_string())
        }
        _ => Answer::json(StatusCode::UNAUTHORIZED, json!("who are you?").to_string()),
    }
}

/// Lets in whoever has a ticket for it, and each number once.
#[derive(Default)]
struct Fair {
    seen: Mutex<BTreeSet<String>>,
    full: usize,
}

static FAIR: &[Route<Fair>] = &[Route {
    methods: &[Method::GET],
    pattern: "/ride/{number}",
    endpoint: "ride",
    handler: |fair, exchange| Box::pin(async move { fair.ride(exchange) }),
}];

impl Fair {
    fn ride(&self, exchange: &mut Exchange) -> Answer {
        let mut seen = self.seen.lock().unwrap();
        if exchange.request.header("authorization") != Some("Bearer ticket-fair") {
            return Answer::empty(StatusCode::UNAUTHORIZED);
        }
        let fresh = seen.insert(exchange.parameter("number"));
        let status = match (fresh, seen.len() > self.full) {
            (false, _) => StatusCode::CONFLICT,
            (true, true) => StatusCode::TOO_MANY_REQUESTS,
            (true, false) => StatusCode::OK,
        };
        Answer::json(status, json!({ "rides": seen.len() }).to_string())
    }
}

macro_rules! plain {
    () => {
        type Prepared = ();

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
    };
}

impl Surface for Booth {
    const NAME: &'static str = "booth";
    plain!();

    fn routes() -> &'static [Route<Self>] {
        BOOTH
    }
    fn fork(&self) -> Self {
        Self
    }
    fn hosts(&self, _: &World) -> Vec<(String, Entrance)> {
        vec![("booth.example.com".into(), Entrance::Identity)]
    }
    fn token_call(&self, world: &World, resource: &str) -> Option<TokenCall> {
        let ask = Ask {
            method: Method::POST,
            body: format!("{} {resource}", world.caller().client_secret.as_str()).into(),
            ..Ask::get(Entrance::Identity, "booth.example.com", "/ticket".into())
        };
        let read = |reply: &Reply| serde_json::from_slice(&reply.body).ok();
        Some(TokenCall { ask, read })
    }
}

impl Surface for Fair {
    const NAME: &'static str = "fair";
    plain!();

    fn routes() -> &'static [Route<Self>] {
        FAIR
    }
    fn fork(&self) -> Self {
        Self { seen: Mutex::default(), full: self.full }
    }
    fn hosts(&self, _: &World) -> Vec<(String, Entrance)> {
        vec![("fair.example.com".into(), Entrance::environment("onebox"))]
    }
    fn step(&self, _: &World, errand: Errand, number: u32) -> Option<Step> {
        let target = format!("/ride/{number}");
        let ask = Ask::get(Entrance::environment("onebox"), "fair.example.com", target);
        (errand != Errand::DataverseRequest).then(|| Step { ask, resource: "fair".into() })
    }
}

fn world(edits: Vec<Edit>) -> Arc<World> {
    let secret = Edit::replace(pointers::caller().client_secret(), "word");
    let edits: Vec<Edit> = std::iter::once(secret).chain(edits).collect();
    Arc::new(World::contoso().unwrap().edited(&edits, EditedBy::Control).unwrap())
}

fn lab(edits: Vec<Edit>, full: usize) -> (Lab, InProcess) {
    let fair = Fair { full, ..Fair::default() };
    let lab = Lab::builder(world(edits)).surface(Booth).surface(fair).build();
    let way = InProcess::by_world_names(&lab);
    (lab, way)
}

#[tokio::test]
async fn a_token_is_asked_for_and_shown_and_the_last_answer_counts() {
    let (lab, way) = lab(Vec::new(), 9);
    let attempt = drive(&lab, &way).await.unwrap();
    assert_eq!((attempt.status, attempt.turns, attempt.refused()), (StatusCode::OK, 1, false));
    assert_eq!((attempt.json(), attempt.token.as_deref()), (json!({ "rides": 1 }), Some("ticket-fair")));
    let record = lab.journal().find(&attempt.exchange).unwrap();
    assert_eq!((&*record.surface, &*record.host), ("fair", "fair.example.com"));
    let again = drive_as(&lab, &way, Errand::ReadCustomers, attempt.token).await.unwrap();
    assert_eq!((again.status, again.json()), (StatusCode::OK, json!({ "rides": 2 })), "another number");
    let tickets = lab.journal().records().iter().filter(|record| &*record.surface == "booth").count();
    assert_eq!(tickets, 1, "whoever has a token asks for none");
}

#[tokio::test]
async fn a_load_takes_fresh_numbers_and_ends_at_the_first_refusal() {
    let load =
        || vec![Edit::replace(pointers::caller().does(), "load"), Edit::add(pointers::caller().count(), 4)];
    let (lab, way) = lab(load(), 10);
    for rides in [4, 8] {
        let attempt = drive(&lab, &way).await.unwrap();
        assert_eq!((attempt.turns, attempt.json()), (4, json!({ "rides": rides })));
    }
    let attempt = drive(&lab, &way).await.unwrap();
    assert_eq!((attempt.turns, attempt.status), (3, StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn what_the_world_says_is_sent_however_wrong_it_is() {
    let wrong = vec![Edit::add(pointers::caller().resource(), "elsewhere")];
    let (one, way) = lab(wrong, 9);
    let attempt = drive(&one, &way).await.unwrap();
    assert_eq!(
        (attempt.status, attempt.token.as_deref()),
        (StatusCode::UNAUTHORIZED, Some("ticket-elsewhere"))
    );
    let other = drive_as(&one, &way, Errand::ReadCustomers, None).await.unwrap();
    assert_eq!(other.token.as_deref(), Some("ticket-fair"), "it is said of the errand of the world alone");

    let wrong = vec![Edit::replace(pointers::caller().client_secret(), "guess")];
    let (one, way) = lab(wrong, 9);
    let attempt = drive(&one, &way).await.unwrap();
    assert_eq!((attempt.status, attempt.turns, &attempt.token), (StatusCode::UNAUTHORIZED, 0, &None));
    assert_eq!(attempt.json(), "who are you?");
}

#[tokio::test]
async fn what_no_product_is_asked_for_is_an_error_and_so_is_no_answer() {
    let (one, way) = lab(Vec::new(), 9);
    let error = drive_as(&one, &way, Errand::DataverseRequest, None).await.unwrap_err();
    assert_eq!(error.to_string(), "no product of this world is asked for dataverse-request");
    let alone = Lab::builder(world(Vec::new())).surface(Fair::default()).build();
    let error = drive(&alone, &InProcess::by_world_names(&alone)).await.unwrap_err();
    assert_eq!(error.to_string(), "no identity provider of this world is asked for a token for \"fair\"");
    drop(one);
    let error = drive(&alone, &way).await;
    assert!(matches!(error, Err(DriveError::NoProvider(_))), "{error:?}");
    let both = Lab::builder(world(Vec::new())).surface(Booth).surface(Fair::default()).build();
    assert!(
        matches!(drive(&both, &way).await, Err(DriveError::Call(_))),
        "the way leads to a lab that is gone"
    );
}

#[test]
fn texts_are_encoded_for_paths_queries_and_forms_alike() {
    assert_eq!(encoded("a-b.c_d~e").to_string(), "a-b.c_d~e");
    assert_eq!(encoded("it's 1+1 = /ü").to_string(), "it%27s%201%2B1%20%3D%20%2F%C3%BC");
}
