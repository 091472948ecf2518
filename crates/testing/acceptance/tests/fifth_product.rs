//! A product the house has never heard of, explained without a line of the engine.
//!
//! Decides by a warehouse that stands where an organisation is declared: its gate asks about a setting of its own, its
//! keeper about the client that another product's call came as. Both are refused, and the cause, its place and its change
//! are right, because each question says its role and its remedy and the caller says how it wrote that role.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use mocktenant_aos::Aos;
use mocktenant_diagnosis::{Explanation, Kind, explain};
use mocktenant_entra::Entra;
use mocktenant_lab::caller::drive_as;
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Command, Context, Entrance, Exchange, InProcess, Lab, Machine, Refusal,
    Route, Surface, Trail, Way,
};
use mocktenant_verdict::{Change, Checklist, Finding, Question, Remedy, Role};
use mocktenant_world::{Edit, EditedBy, Errand, World, pointers};
use serde_json::{Value, json};

const KEEPER: &str = "c0117050-0000-4000-8000-00000000a002";

// ---- the product ----

static GATE_OPEN: Question = Question::new("gate-open", Role::Configuration);
static BADGE_SHOWN: Question = Question::new("badge-shown", Role::Token).needs(&[&GATE_OPEN]);
static GATE: &[&Question] = &[&GATE_OPEN, &BADGE_SHOWN];
static KEEPER_KNOWN: Question = Question::new("keeper-known", Role::Client).needs(&[&BADGE_SHOWN]);
static DESK: &[&Question] = &[&KEEPER_KNOWN];

struct Warehouse;

/// Where nobody gets in: the product's identifier and what a person would do.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the list describes errors by reference")]
fn describe(error: &u16) -> (&'static str, &'static str) {
    if *error == 503 { ("W1", "Open the gate.") } else { ("W2", "Send somebody the warehouse knows.") }
}

fn ask(exchange: &mut Exchange) -> Answer {
    let Exchange { request, context, trail, .. } = exchange;
    let at = pointers::organization("contoso");
    let open = context.world().organization("contoso").is_some_and(|one| one.name != "Closed");
    let mut gate = Checklist::new(context.switches(), describe);
    let shut = || Change::set(at.name(), "Open").expected("any name but Closed");
    gate.ask(
        &GATE_OPEN,
        "an open gate",
        || vec![at.name()],
        Finding::when(open, "the gate", || 503_u16).mended_by(shut),
    );
    let badge = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let keeper = badge.and_then(|token| {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice::<Value>(&claims).ok()?["appid"].as_str().map(str::to_owned)
    });
    gate.ask(&BADGE_SHOWN, "a badge", vec![], || Finding::when(keeper.is_some(), "a badge", || 401));
    let known = || {
        let finding =
            Finding::when(keeper.as_deref() == Some(KEEPER), keeper.clone().unwrap_or_default(), || 403);
        finding.mended_by(|| Remedy::instead([KEEPER]))
    };
    gate.ask(&KEEPER_KNOWN, "a keeper the warehouse knows", vec![], known);
    let (checks, refusal) = gate.finish();
    trail.record_checks(checks);
    match refusal {
        Some(status) => {
            Answer::json(StatusCode::from_u16(status).unwrap(), r#"{"error":{"code":"W","message":"no"}}"#)
        }
        None => Answer::json(
            StatusCode::OK,
            r#"{"value":[{"cdm_companyid":"1","msdyn_customergroupid":"2","transactioncurrencyid":"3"}]}"#,
        ),
    }
}

static ROUTES: &[Route<Warehouse>] = &[Route {
    methods: &[Method::GET, Method::POST, Method::PATCH],
    pattern: "/api/data/{version}/{shelf}",
    endpoint: "shelf",
    handler: |_, exchange| Box::pin(async move { ask(exchange) }),
}];

impl Surface for Warehouse {
    const NAME: &'static str = "warehouse";
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }
    fn fork(&self) -> Self {
        Self
    }
    fn hosts(&self, world: &World) -> Vec<(String, Entrance)> {
        world.organizations().map(|one| (one.host.clone(), Entrance::organization(&one.key))).collect()
    }
    fn at(&self, entrance: &Entrance, _: &str) -> bool {
        matches!(entrance, Entrance::Organization(_))
    }
    fn machine(&self, _: &World, _: &Way<'_>) -> Option<Machine> {
        None
    }
    fn prepare(&self, _: &World, _: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn questions() -> Vec<&'static Question> {
        [GATE, DESK].concat()
    }
    fn refuse(&self, exchange: &mut Exchange, _: Refusal) -> Answer {
        exchange.trail.record_error("W0");
        Answer::empty(StatusCode::NOT_FOUND)
    }
    fn judge(&self, _: &Context, _: &str, _: &mut Trail) {}
}

// ---- the test ----

async fn lab() -> Lab {
    let world = Arc::new(World::contoso().unwrap());
    let lab = Lab::builder(world).surface(Entra::default()).surface(Aos::new()).surface(Warehouse).build();
    lab.set_outbound(InProcess::by_world_names(&lab));
    lab.start_all().await;
    // A customer of its own each time.
    edit(&lab, vec![Edit::add(pointers::caller().count(), 1)]).await;
    lab
}

async fn edit(lab: &Lab, edits: Vec<Edit>) {
    lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
    lab.apply(Command::Restart { environment: "onebox".into(), node: None }).await.unwrap();
}

/// Lets the declared caller create its customer; gives the status and what is said about the exchange.
async fn create(lab: &Lab) -> (u16, Explanation) {
    let attempt = drive_as(lab, &InProcess::by_world_names(lab), Errand::Load, None).await.unwrap();
    (attempt.status.as_u16(), explain(lab, &attempt.exchange).await.unwrap())
}

#[tokio::test]
async fn a_product_nobody_has_heard_of_is_explained_by_what_it_says_of_its_questions() {
    let lab = lab().await;
    assert_eq!(create(&lab).await.0, 201, "healthy: the warehouse takes whatever the write is about");

    // A setting of its own.
    edit(&lab, vec![Edit::replace(pointers::organization("contoso").name(), "Closed")]).await;
    let (status, explanation) = create(&lab).await;
    let cause = explanation.cause.unwrap();
    assert_eq!((status, cause.kind), (400, Kind::Setting));
    assert_eq!(cause.setting, pointers::organization("contoso").name());
    edit(&lab, cause.change).await;
    assert_eq!(create(&lab).await.0, 201);

    // What another product's call used: an application that signs with the same certificate and is no keeper.
    let tenant = "c0117050-0000-4000-8000-000000000001";
    let own = lab.world().get(&pointers::tenant(tenant).application(KEEPER).certificates()).unwrap().clone();
    let stranger = "c0117050-0000-4000-8000-00000000a00f";
    let application = json!({ "name": "Stranger", "object_id": "c0117050-0000-4000-8000-0000000b00ff", "certificates": own });
    let realm = pointers::environment("onebox").web_config("Aad.Realm");
    edit(
        &lab,
        vec![
            Edit::add(pointers::tenant(tenant).application(stranger).setting(), application),
            Edit::replace(realm.clone(), format!("spn:{stranger}")),
        ],
    )
    .await;
    let (status, explanation) = create(&lab).await;
    let checks = &explanation.checks;
    assert!(checks.iter().any(|asked| asked.surface == "warehouse"
        && asked.check.name == "keeper-known"
        && asked.check.failed()));
    let cause = explanation.cause.unwrap();
    assert_eq!((status, cause.kind, &cause.setting), (400, Kind::Setting, &realm));
    assert_eq!(cause.whereabouts(), "web.config:38");
    assert_eq!(cause.change, [Edit::add(realm, format!("spn:{KEEPER}"))]);
    assert!(explanation.also.is_empty(), "{:?}", explanation.also);
    edit(&lab, cause.change).await;
    assert_eq!(create(&lab).await.0, 201);
}
