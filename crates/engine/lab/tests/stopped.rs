//! A machine that is stopped, with a surface that is a federation service and one that goes on beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use mocktenant_lab::event::{EventLog, EventRow};
use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::outbound::{Call, CallError, Outbound as _};
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Command, CommandError, Context, Delivery, Entrance, Exchange, InProcess,
    Lab, Machine, Refusal, Request, Response, Route, SERVICE_RUNS, Scope, Severity, Surface, Trail, Way,
};
use mocktenant_verdict::{Outcome, Switches};
use mocktenant_world::{Edit, EditedBy, Setting, World};
use serde_json::json;

const STOPPED: &str = "/federation_services/contoso/stopped";

/// Federation services of the world by their names, the first of them at `/door` of the identity port.
struct Door;

/// Whoever else is on that port; calls whom its query names.
struct Neighbour;

static LOG: EventLog = EventLog {
    name: "door",
    channel: "Door/Admin",
    provider: "Door",
    guid: None,
    task: (0, "None"),
    user_data: None,
};

fn open<'a>(_: &'a Door, exchange: &'a mut Exchange) -> mocktenant_lab::BoxFuture<'a, Answer> {
    exchange.trail.fact("opened", "yes");
    Box::pin(std::future::ready(Answer::empty(StatusCode::OK)))
}

async fn ask(exchange: &mut Exchange) -> Answer {
    let url = exchange.request.query().to_owned();
    if url.is_empty() {
        return Answer::empty(StatusCode::OK);
    }
    let call = Call { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
    match exchange.context.call(&mut exchange.trail, call).await {
        Ok(reply) => Answer::empty(reply.status),
        Err(error) => {
            exchange.trail.fact("told", error.to_string());
            Answer::empty(StatusCode::BAD_GATEWAY)
        }
    }
}

macro_rules! plain {
    () => {
        type Prepared = ();

        fn fork(&self) -> Self {
            Self
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

impl Surface for Door {
    const NAME: &'static str = "door";
    const TITLE: &'static str = "The Door";
    const EVENT_LOGS: &'static [&'static EventLog] = &[&LOG];
    plain!();

    fn routes() -> &'static [Route<Self>] {
        &[Route { methods: &[Method::GET], pattern: "/door", endpoint: "door", handler: open }]
    }
    fn hosts(&self, world: &World) -> Vec<(String, Entrance)> {
        world.federation_services().map(|service| (service.host.clone(), Entrance::Identity)).collect()
    }
    fn at(&self, _: &Entrance, folded_path: &str) -> bool {
        folded_path.starts_with("/door")
    }
    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine> {
        let named = world.federation_services().find(|service| service.host == way.host);
        let service = named.or_else(|| world.federation_services().next())?;
        Some(Machine::federation_service(&service.id))
    }
    fn events(&self, _: &World, record: &Record) -> Vec<EventRow> {
        vec![EventRow {
            log: &LOG,
            id: 1,
            severity: Severity::Information,
            keywords: (0, ""),
            user: ("door", "S-1-5-19"),
            activity: None,
            computer: String::from("door"),
            message: "answered",
            data: vec![record.id.to_string()],
        }]
    }
}

impl Surface for Neighbour {
    const NAME: &'static str = "neighbour";
    plain!();

    fn routes() -> &'static [Route<Self>] {
        &[Route {
            methods: &[Method::GET],
            pattern: "/next",
            endpoint: "next",
            handler: |_, exchange| Box::pin(ask(exchange)),
        }]
    }
    fn hosts(&self, _: &World) -> Vec<(String, Entrance)> {
        vec![("next.example.com".into(), Entrance::Identity)]
    }
    fn at(&self, _: &Entrance, _: &str) -> bool {
        true
    }
    fn machine(&self, world: &World, _: &Way<'_>) -> Option<Machine> {
        world.tenants().next().map(|tenant| Machine::tenant(&tenant.id))
    }
}

fn lab() -> Lab {
    switched(Switches::default())
}

/// The default world with a second federation service.
fn switched(switches: Switches) -> Lab {
    let world = World::contoso().unwrap();
    let mut second = world.get(&Setting::fixed("/federation_services/contoso")).unwrap().clone();
    second["host_name"] = json!("sts.contoso.com");
    let second = Edit::add(Setting::fixed("/federation_services/second"), second);
    let world = Arc::new(world.edited(&[second], EditedBy::Control).unwrap());
    let lab = Lab::builder(world).switches(switches).surface(Door).surface(Neighbour).build();
    lab.set_outbound(InProcess::by_world_names(&lab));
    lab
}

async fn stop(lab: &Lab, of: &str) {
    lab.apply(Command::Stop { of: of.to_owned(), by: EditedBy::Control }).await.unwrap();
}

async fn start(lab: &Lab, of: &str) {
    lab.apply(Command::Start { of: of.to_owned(), by: EditedBy::Control }).await.unwrap();
}

async fn asked(lab: &Lab, host: &str, target: &str) -> Response {
    lab.answer(Request::new(Method::GET, host, target, Entrance::Identity)).await
}

/// The status, or nothing where the connection was closed.
async fn answered(lab: &Lab, host: &str, target: &str) -> Option<u16> {
    let response = asked(lab, host, target).await;
    (response.delivery == Delivery::Whole).then(|| response.status.as_u16())
}

fn newest(lab: &Lab) -> Arc<Record> {
    lab.journal().records().pop().unwrap()
}

#[tokio::test]
async fn nobody_is_answered_where_a_machine_is_stopped_and_everybody_elsewhere() {
    let lab = lab();
    assert_eq!(answered(&lab, "adfs.contoso.com", "/door").await, Some(200));
    stop(&lab, "adfs.contoso.com").await;
    for host in ["adfs.contoso.com", "ADFS.contoso.com.:443", "localhost:7443", "127.0.0.1"] {
        for target in ["/door", "/DOOR/", "/door/that/is/not/there"] {
            assert_eq!(answered(&lab, host, target).await, None, "{host}{target}");
        }
    }
    assert_eq!(answered(&lab, "adfs.contoso.com", "/next").await, None, "every path of its names");
    for (host, target) in
        [("sts.contoso.com", "/door"), ("localhost", "/next"), ("next.example.com", "/next")]
    {
        assert_eq!(answered(&lab, host, target).await, Some(200), "{host}{target}");
    }
    assert_eq!(answered(&lab, "evil.example", "/door").await, Some(421));
    start(&lab, "contoso").await;
    assert_eq!(answered(&lab, "adfs.contoso.com", "/door").await, Some(200));
    assert_eq!(answered(&lab, "localhost", "/door").await, Some(200));
}

#[tokio::test]
async fn on_a_port_of_several_the_first_declared_is_meant_whether_it_runs_or_not() {
    let lab = lab();
    stop(&lab, "second").await;
    assert_eq!(answered(&lab, "localhost", "/door").await, Some(200));
    assert_eq!(answered(&lab, "sts.contoso.com", "/door").await, None);
}

#[tokio::test]
async fn the_record_says_what_is_stopped_which_setting_says_so_and_that_nothing_was_sent() {
    let lab = lab();
    stop(&lab, "contoso").await;
    asked(&lab, "localhost", "/door").await;
    let record = newest(&lab);
    assert_eq!((record.status, record.error.as_deref()), (0, Some("stopped")));
    assert!(record.response_headers.is_empty() && record.response_body.is_empty());
    assert!(record.refused() && record.is_refusal() && record.fact("opened").is_none());
    assert_eq!(record.machine, Some(Machine::federation_service("contoso")));
    let [check] = &record.checks[..] else { panic!("{record:?}") };
    assert_eq!((&*check.name, check.outcome.clone()), (SERVICE_RUNS.name, Outcome::Failed));
    assert_eq!((&*check.expected, &*check.actual), ("a service that runs", "The Door is stopped"));
    assert_eq!(check.settings, [Setting::fixed(STOPPED)]);
    let change = check.remedy.as_ref().unwrap().here.as_ref().unwrap();
    assert_eq!(change.edits, [Edit::add(Setting::fixed(STOPPED), false)]);
    assert_eq!(check.change.as_deref(), Some("Start it: mocktenant start federation-service/contoso"));
}

#[tokio::test]
async fn who_does_not_run_writes_no_event() {
    let lab = lab();
    asked(&lab, "localhost", "/door").await;
    assert_eq!(lab.events(&newest(&lab)).len(), 1);
    stop(&lab, "contoso").await;
    asked(&lab, "localhost", "/door").await;
    assert!(lab.events(&newest(&lab)).is_empty());
}

#[tokio::test]
async fn a_call_to_a_stopped_machine_is_refused_and_on_record_as_one_that_reached_nobody() {
    let lab = lab();
    let told = async |url: &str| {
        let status = answered(&lab, "localhost", &format!("/next?{url}")).await;
        let records = lab.journal().records();
        let told = records.last().unwrap().fact("told").map(|told| told.value.to_string());
        (status.unwrap(), told, records)
    };
    assert_eq!(told("https://adfs.contoso.com/door").await.0, 200);
    stop(&lab, "contoso").await;
    let before = lab.journal().records().len();
    for url in
        ["https://adfs.contoso.com/door", "https://ADFS.contoso.com:443/door", "http://adfs.contoso.com/"]
    {
        let (status, told, records) = told(url).await;
        let port = if url.starts_with("http:") { 80 } else { 443 };
        let refused = format!("connection refused by adfs.contoso.com:{port}");
        assert_eq!((status, told.as_deref()), (502, Some(&*refused)), "{url}");
        let call = &records[records.len() - 2];
        assert_eq!((call.kind, call.error.as_deref()), (Kind::Call, Some("no-answer")), "{url}");
        assert_eq!(call.fact("call-error").unwrap().value, refused);
        assert_eq!(call.failed_check().unwrap().name, SERVICE_RUNS.name);
    }
    assert_eq!(lab.journal().records().len(), before + 6, "nothing of it arrives at the stopped one");
    assert_eq!(told("https://sts.contoso.com/door").await.0, 200);
    // Elsewhere nobody is asked whether he runs.
    let (_, _, records) = told("https://next.example.com:8443/").await;
    assert!(records[records.len() - 2].checks.is_empty());
    let way = InProcess::by_world_names(&lab);
    let call = |url: &str| Call {
        method: Method::GET,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let refused = way.call(call("https://adfs.contoso.com/door")).await.unwrap_err();
    assert_eq!(refused, CallError::Refused { host: "adfs.contoso.com".into(), port: 443 });
    start(&lab, "contoso").await;
    assert_eq!(way.call(call("https://adfs.contoso.com/door")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_reset_starts_what_was_stopped_and_a_world_may_begin_with_it_stopped() {
    let lab = lab();
    for scope in [None, Some(Scope::federation_service("contoso"))] {
        stop(&lab, "contoso").await;
        assert_eq!(answered(&lab, "localhost", "/door").await, None);
        lab.apply(Command::Reset { scope: Some(Scope::federation_service("second")) }).await.unwrap();
        assert_eq!(answered(&lab, "localhost", "/door").await, None, "another one's reset starts nothing");
        lab.apply(Command::Reset { scope }).await.unwrap();
        assert_eq!(answered(&lab, "localhost", "/door").await, Some(200));
    }
    let stopped = Edit::add(Setting::fixed(STOPPED), true);
    let world = lab.world().edited(&[stopped], EditedBy::Control).unwrap();
    let begun = Lab::builder(Arc::new(world)).surface(Door).build();
    assert_eq!(answered(&begun, "localhost", "/door").await, None);
    start(&begun, "contoso").await;
    assert_eq!(answered(&begun, "localhost", "/door").await, Some(200));
    begun.apply(Command::Reset { scope: None }).await.unwrap();
    assert_eq!(answered(&begun, "localhost", "/door").await, None, "as it began");
}

#[tokio::test]
async fn a_stop_is_an_edit_of_its_setting_and_once_is_enough() {
    let lab = lab();
    let begun = lab.world().generation();
    start(&lab, "contoso").await;
    assert_eq!(lab.world().generation(), begun, "it runs already");
    stop(&lab, "contoso").await;
    let stopped = lab.world().generation();
    stop(&lab, "adfs.contoso.com").await;
    assert_eq!(lab.world().generation(), stopped, "it is stopped already");
    let edit = Edit::add(Setting::fixed(STOPPED), false);
    lab.apply(Command::Edit { edits: vec![edit], by: EditedBy::Control }).await.unwrap();
    assert_eq!(answered(&lab, "localhost", "/door").await, Some(200), "the setting alone decides");
    let nobody = Command::Stop { of: "sts.contoso.example".into(), by: EditedBy::Control };
    let refused = lab.apply(nobody).await.unwrap_err();
    let CommandError::UnknownPlace { known, .. } = refused else { panic!("{refused}") };
    assert_eq!(
        known,
        [
            "federation-service/contoso",
            "federation-service/second",
            "onebox",
            "onprem",
            "onprem/AOS_1",
            "onprem/AOS_2",
            "onprem/AOS_3"
        ]
    );
}

#[tokio::test]
async fn with_the_question_switched_off_it_is_answered() {
    let lab = switched(Switches::off([SERVICE_RUNS.name]));
    stop(&lab, "contoso").await;
    assert_eq!(answered(&lab, "localhost", "/door").await, Some(200));
    assert_eq!(answered(&lab, "localhost", "/next?https://adfs.contoso.com/door").await, Some(200));
}
