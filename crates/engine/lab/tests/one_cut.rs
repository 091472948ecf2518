//! One cut: what a command waits for, what waits for a command, and what goes on when nobody waits for it.
//!
//! A surface of two routes, and an outside that answers when it is told to: every moment of a call can be held.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use mocktenant_lab::outbound::{Call, CallError, Outbound, Reply};
use mocktenant_lab::{
    Addresses, Answer, Applied, BoxFuture, CatalogueRow, Command, CommandError, Context, Entrance, Exchange,
    Lab, Machine, OUTWARD_AT_ONCE, Refusal, Request, Response, Route, Surface, Trail, Way,
};
use mocktenant_world::{Edit, EditedBy, World, pointers};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

struct Relay;

static ROUTES: &[Route<Relay>] = &[
    Route {
        methods: &[Method::GET],
        pattern: "/ask",
        endpoint: "ask",
        handler: |_, exchange| Box::pin(ask(exchange)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/name",
        endpoint: "name",
        handler: |_, exchange| {
            let name = name_in(exchange.context.world());
            Box::pin(std::future::ready(Answer::json(StatusCode::OK, name)))
        },
    },
    Route {
        methods: &[Method::GET],
        pattern: "/never",
        endpoint: "never",
        handler: |_, _| Box::pin(std::future::pending()),
    },
];

/// The one that starts.
fn node() -> Machine {
    Machine::node("onebox", "aos1")
}

fn elsewhere() -> Call {
    let url = String::from("https://elsewhere.example.com/");
    Call { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() }
}

/// Calls outside, twice, and says what it reads of the world afterwards.
async fn ask(exchange: &mut Exchange) -> Answer {
    for _ in 0..2 {
        if let Err(error) = exchange.context.call(&mut exchange.trail, elsewhere()).await {
            return Answer::json(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
        }
    }
    Answer::json(StatusCode::OK, name_in(exchange.context.world()))
}

fn name_in(world: &World) -> String {
    world.get(&pointers::organization("contoso").name()).unwrap().as_str().unwrap().to_owned()
}

impl Surface for Relay {
    const NAME: &'static str = "relay";
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
        matches!(way.entrance, Entrance::Environment(_)).then(node)
    }
    fn prepare(&self, _world: &World, _addresses: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, _exchange: &mut Exchange, _why: Refusal) -> Answer {
        Answer::empty(StatusCode::NOT_FOUND)
    }
    fn judge(&self, _context: &Context, _token: &str, _trail: &mut Trail) {}
    fn starts(&self, _world: &World) -> Vec<Machine> {
        vec![node()]
    }
    fn start<'a>(&'a self, context: &'a Context, trail: &'a mut Trail) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            // What comes of it is on record.
            let _ = context.call(trail, elsewhere()).await;
        })
    }
}

/// An outside that answers as often as it was allowed to.
struct Outside(Arc<Semaphore>);

impl Outbound for Outside {
    fn call(&self, _call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            self.0.acquire().await.unwrap().forget();
            Ok(Reply { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() })
        })
    }
}

/// A lab and what its outside is allowed.
fn lab(patience: Duration) -> (Lab, Arc<Semaphore>) {
    let lab = Lab::builder(Arc::new(World::contoso().unwrap())).surface(Relay).grace(patience).build();
    let allowed = Arc::new(Semaphore::new(0));
    lab.set_outbound(Outside(Arc::clone(&allowed)));
    (lab, allowed)
}

fn request(target: &str) -> Request {
    Request::new(Method::GET, "localhost", target, Entrance::Identity)
}

fn asked(lab: &Lab, target: &'static str) -> JoinHandle<Response> {
    let lab = lab.clone();
    tokio::spawn(async move { lab.answer(request(target)).await })
}

fn commanded(lab: &Lab, command: Command) -> JoinHandle<Result<Applied, CommandError>> {
    let lab = lab.clone();
    tokio::spawn(async move { lab.apply(command).await })
}

fn rename() -> Command {
    let name = pointers::organization("contoso").name();
    Command::Edit { edits: vec![Edit::replace(name, "Renamed")], by: EditedBy::Control }
}

/// Long enough for whatever can go on to have gone on.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

fn text(response: &Response) -> (u16, String) {
    (response.status.as_u16(), String::from_utf8_lossy(&response.body).into_owned())
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_command_waits_for_what_is_being_answered_and_what_comes_meanwhile_for_the_command() {
    let (lab, allowed) = lab(LONG);
    let before = asked(&lab, "/ask");
    a_while().await;
    let command = commanded(&lab, rename());
    a_while().await;
    let after = asked(&lab, "/name");
    allowed.add_permits(1);
    a_while().await;
    assert!(!command.is_finished() && !after.is_finished(), "one call of two was answered");
    allowed.add_permits(1);
    assert_eq!(text(&before.await.unwrap()), (200, "Contoso".to_owned()), "of before, also after its calls");
    command.await.unwrap().unwrap();
    assert_eq!(text(&after.await.unwrap()), (200, "Renamed".to_owned()), "of after");
}

#[tokio::test]
async fn what_is_stuck_delays_a_command_for_a_while_only_and_a_reset_ends_it() {
    let (lab, allowed) = lab(Duration::from_millis(30));
    let stuck = asked(&lab, "/ask");
    a_while().await;
    tokio::time::timeout(LONG, commanded(&lab, rename())).await.unwrap().unwrap().unwrap();
    assert!(!stuck.is_finished(), "an edit makes nothing void");
    // For the start that comes with the reset, and not for what the reset has ended.
    let reset = commanded(&lab, Command::Reset { scope: None });
    let ended = tokio::time::timeout(LONG, stuck).await.unwrap().unwrap();
    assert_eq!(text(&ended), (503, "the lab was reset meanwhile".to_owned()));
    allowed.add_permits(1);
    reset.await.unwrap().unwrap();
    let records = lab.journal().records();
    let ends: Vec<&str> = records.iter().map(|record| &*record.endpoint).collect();
    assert!(ends.contains(&"ask") && ends.contains(&"start"), "{ends:?}");
    let known = |parent: &Arc<str>| records.iter().any(|record| record.id == *parent);
    assert!(records.iter().filter_map(|record| record.parent.as_ref()).all(known), "{records:?}");
}

#[tokio::test]
async fn an_exchange_that_has_called_outside_is_brought_to_its_end_without_its_caller() {
    let (lab, allowed) = lab(LONG);
    let answering = asked(&lab, "/ask");
    a_while().await;
    answering.abort();
    answering.await.unwrap_err();
    assert!(lab.journal().records().is_empty(), "it is still being answered");
    let command = commanded(&lab, rename());
    a_while().await;
    assert!(!command.is_finished(), "and a command waits for it");
    allowed.add_permits(2);
    command.await.unwrap().unwrap();
    let records = lab.journal().records();
    let statuses: Vec<(bool, u16)> =
        records.iter().map(|record| (record.parent.is_some(), record.status)).collect();
    assert_eq!(statuses, [(true, 0), (true, 0), (false, 200)], "both calls, and what caused them");
}

#[tokio::test]
async fn an_exchange_that_has_told_nobody_ends_with_its_caller_wherever_it_waits() {
    let (lab, allowed) = lab(LONG);
    let never = asked(&lab, "/never");
    let full: Vec<_> = (0..OUTWARD_AT_ONCE).map(|_| asked(&lab, "/ask")).collect();
    a_while().await;
    let placeless = asked(&lab, "/ask");
    a_while().await;
    for left in [never, placeless] {
        left.abort();
        left.await.unwrap_err();
    }
    let command = commanded(&lab, rename());
    a_while().await;
    let at_the_gate = asked(&lab, "/name");
    a_while().await;
    at_the_gate.abort();
    at_the_gate.await.unwrap_err();
    let ends = |wanted: &str| {
        let records = lab.journal().records();
        let ended =
            |record: &&Arc<mocktenant_lab::journal::Record>| record.error.as_deref() == Some("no-caller");
        records.iter().filter(ended).filter(|record| *record.target == *wanted).count()
    };
    assert_eq!([ends("/never"), ends("/ask"), ends("/name")], [1, 1, 1], "each is on record, once");
    allowed.add_permits(2 * OUTWARD_AT_ONCE);
    command.await.unwrap().unwrap();
    for one in full {
        assert_eq!(one.await.unwrap().status, 200, "nobody keeps a place that he has left");
    }
}

#[tokio::test]
async fn who_waits_for_a_place_gets_one_and_a_reset_ends_the_waiting() {
    let (lab, allowed) = lab(Duration::from_millis(30));
    let all: Vec<_> = (0..2 * OUTWARD_AT_ONCE).map(|_| asked(&lab, "/ask")).collect();
    a_while().await;
    allowed.add_permits(4 * OUTWARD_AT_ONCE);
    for one in all {
        assert_eq!(one.await.unwrap().status, 200);
    }
    let all: Vec<_> = (0..2 * OUTWARD_AT_ONCE).map(|_| asked(&lab, "/ask")).collect();
    a_while().await;
    let reset = commanded(&lab, Command::Reset { scope: None });
    for one in all {
        assert_eq!(one.await.unwrap().status, 503);
    }
    allowed.add_permits(1);
    reset.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_command_is_applied_whole_also_if_whoever_gave_it_has_gone() {
    let (lab, allowed) = lab(LONG);
    let command = commanded(&lab, Command::Reset { scope: None });
    a_while().await;
    command.abort();
    command.await.unwrap_err();
    let waiting = asked(&lab, "/name");
    a_while().await;
    assert!(!waiting.is_finished(), "the machines have not started yet");
    allowed.add_permits(1);
    assert_eq!(waiting.await.unwrap().status, 200);
    assert!(lab.journal().records().iter().any(|record| &*record.endpoint == "start"));
    tokio::time::timeout(LONG, commanded(&lab, rename())).await.unwrap().unwrap().unwrap();
}

/// Asks the node, from where its listener opens.
fn asks_the_node(lab: &Lab) -> JoinHandle<Response> {
    let lab = lab.clone();
    tokio::spawn(async move {
        let entrance = Entrance::environment("onebox");
        lab.answer(Request::new(Method::GET, "localhost", "/name", entrance)).await
    })
}

#[tokio::test]
async fn who_asks_a_machine_that_starts_waits_for_it_and_nobody_else_does() {
    let (lab, allowed) = lab(LONG);
    let (first, first_seen) = tokio::sync::oneshot::channel();
    let starting = tokio::spawn({
        let lab = lab.clone();
        async move {
            let open = || first.send(asks_the_node(&lab)).unwrap();
            lab.open_and_start_all(open).await;
        }
    });
    let first = first_seen.await.unwrap();
    let other = tokio::time::timeout(LONG, asked(&lab, "/name")).await.unwrap().unwrap();
    assert_eq!(other.status, 200, "it is no machine's");
    let late = asks_the_node(&lab);
    let command = commanded(&lab, rename());
    let gone = asks_the_node(&lab);
    a_while().await;
    gone.abort();
    gone.await.unwrap_err();
    assert!(!first.is_finished() && !late.is_finished(), "it has not started");
    assert!(!command.is_finished(), "and nothing is changed before");
    allowed.add_permits(1);
    starting.await.unwrap();
    assert_eq!((first.await.unwrap().status, late.await.unwrap().status), (StatusCode::OK, StatusCode::OK));
    command.await.unwrap().unwrap();
    let ended: Vec<_> = lab.journal().records().iter().map(|record| record.error.clone()).collect();
    assert_eq!(
        ended.iter().filter(|error| error.as_deref() == Some("no-caller")).count(),
        1,
        "who went is on record"
    );
}

#[tokio::test]
async fn a_start_that_is_given_up_lets_those_go_who_wait_for_it() {
    let (lab, _allowed) = lab(LONG);
    let starting = tokio::spawn({
        let lab = lab.clone();
        async move { lab.start_all().await }
    });
    a_while().await;
    let waiting = asks_the_node(&lab);
    a_while().await;
    assert!(!waiting.is_finished());
    starting.abort();
    assert_eq!(tokio::time::timeout(LONG, waiting).await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn nobody_is_answered_by_the_world_before_a_scenario_that_the_lab_opens_with() {
    let (lab, allowed) = lab(LONG);
    let (first, first_seen) = tokio::sync::oneshot::channel();
    let starting = tokio::spawn({
        let lab = lab.clone();
        async move {
            let open = || first.send(asked(&lab, "/name")).unwrap();
            lab.open_in_scenario(open, String::from("userinfo-missing")).await
        }
    });
    let first = first_seen.await.unwrap();
    a_while().await;
    assert!(!first.is_finished() && lab.world_and_revision().1 > 0, "it is broken, and has not started");
    allowed.add_permits(1);
    starting.await.unwrap().unwrap();
    assert_eq!(first.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_lab_is_settled_once_nothing_is_being_answered() {
    let (lab, allowed) = lab(LONG);
    assert!(lab.settled_within(Duration::ZERO).await);
    let answering = asked(&lab, "/ask");
    a_while().await;
    answering.abort();
    answering.await.unwrap_err();
    assert!(!lab.settled_within(Duration::from_millis(5)).await);
    allowed.add_permits(2);
    assert!(lab.settled_within(LONG).await);
}
