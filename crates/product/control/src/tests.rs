//! Every rule through the whole router, with a real lab and one small surface.

use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method};
use mocktenant_lab::journal::Record;
use mocktenant_lab::outbound;
use mocktenant_lab::request::Request as LabRequest;
use mocktenant_lab::{
    Addresses, Answer, BoxFuture, CatalogueRow, Context, Entrance, EventLog, EventRow, Exchange, Machine,
    Refusal, Route, Surface, Trail, Way,
};
use mocktenant_scenario::{Cast, Part};
use mocktenant_verdict::{Check, Outcome, Setting};
use mocktenant_world::World;
use mocktenant_world::pointers::reader_at_start;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

mod budgets;
mod event_logs;
mod strangers;
mod table;
mod unwell;
mod views;
mod writes;

const METADATA: &str = "/environments/onebox/web_config/Aad.AADMetadataLocationFormat";
const THUMBPRINT: &str = "/environments/onebox/web_config/Infrastructure.S2SCertThumbprint";

/// A surface that refuses everything with one failed check, and can be started unless its metadata format is garbage.
struct Doorkeeper;

fn refuse(exchange: &mut Exchange) -> Answer {
    exchange.trail.record_checks(vec![Check {
        name: "door-open".into(),
        role: None,
        relays: false,
        remedy: None,
        expected: "open".into(),
        actual: "shut".into(),
        outcome: Outcome::Failed,
        settings: Vec::new(),
        error: Some("E1".into()),
        change: None,
    }]);
    exchange.trail.activity("request-id", "ABC-1");
    Answer::json(StatusCode::FORBIDDEN, r#"{"error":"E1"}"#)
}

impl Surface for Doorkeeper {
    const NAME: &'static str = "doorkeeper";
    const EVENT_LOGS: &'static [&'static EventLog] = event_logs::LOGS;
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        fn door<'a>(_: &'a Doorkeeper, exchange: &'a mut Exchange) -> BoxFuture<'a, Answer> {
            Box::pin(async move { refuse(exchange) })
        }
        &[Route { methods: &[Method::GET], pattern: "/door", endpoint: "door", handler: door }]
    }
    fn fork(&self) -> Self {
        Self
    }
    fn hosts(&self, _: &World) -> Vec<(String, Entrance)> {
        vec![(String::from("door.contoso.com"), Entrance::Identity)]
    }
    fn at(&self, _: &Entrance, _: &str) -> bool {
        true
    }
    fn machine(&self, _: &World, _: &Way<'_>) -> Option<Machine> {
        None
    }
    fn prepare(&self, _: &World, _: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn events(&self, _: &World, record: &Record) -> Vec<EventRow> {
        event_logs::left_by(record)
    }
    fn refuse(&self, exchange: &mut Exchange, _: Refusal) -> Answer {
        refuse(exchange)
    }
    fn judge(&self, _: &Context, _: &str, _: &mut Trail) {}
    fn cast(&self, _: &World, cast: &mut Cast) {
        cast.set(Part::App, "c0117050-0000-4000-8000-00000000a002");
        cast.set(Part::Cert, "61142666E97BF830049B4B6CB322DBA8DFFB0C4D");
    }
    fn starts(&self, _: &World) -> Vec<Machine> {
        vec![Machine::node("onebox", "aos1")]
    }
    fn start<'a>(&'a self, context: &'a Context, trail: &'a mut Trail) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let setting = Setting::from_pointer(METADATA);
            let actual = context.world().get(&setting).and_then(Value::as_str).unwrap_or_default().to_owned();
            if actual == "garbage" {
                trail.record_checks(vec![Check {
                    name: "metadata-reachable".into(),
                    role: None,
                    relays: false,
                    remedy: None,
                    expected: "200".into(),
                    actual: actual.into(),
                    outcome: Outcome::Failed,
                    settings: vec![setting],
                    error: Some("E2".into()),
                    change: None,
                }]);
            }
        })
    }
}

/// A caller that reaches nobody.
struct Nowhere;

impl Outbound for Nowhere {
    fn call(&self, _: outbound::Call) -> BoxFuture<'_, Result<outbound::Reply, outbound::CallError>> {
        Box::pin(async { Err(outbound::CallError::Refused { host: String::from("nowhere"), port: 443 }) })
    }
}

fn state() -> ControlState {
    let world = World::contoso().expect("the default world compiles");
    ControlState {
        lab: Lab::builder(Arc::new(world)).surface(Doorkeeper).build(),
        instance: String::from("i-1"),
        version: "1.2.3",
        ready: Arc::new(AtomicBool::new(true)),
        settings: {
            let published = settings::Published::default();
            published.set(settings::Settings { schema: 1, ..Default::default() });
            Arc::new(published)
        },
        caller: Arc::new(Nowhere),
        ca: Arc::new(unwell::Roots { valid: true, trouble: None }),
        port: 0,
        own_names: Arc::from([String::from("tenant")]),
        machine: String::from("tenant"),
        ca_directory: None,
        token: None,
        open: false,
    }
}

/// A request from this machine, as curl would send it.
fn request(method: Method, path: &str) -> Request {
    let mut request =
        Request::builder().method(method).uri(path).header(HOST, "localhost:7440").body(Body::empty());
    request.as_mut().unwrap().extensions_mut().insert(Peer::at("127.0.0.1:5000".parse().unwrap()));
    request.unwrap()
}

fn get(path: &str) -> Request {
    request(Method::GET, path)
}

fn with(mut request: Request, name: &'static str, value: &str) -> Request {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

fn write(method: Method, path: &str, body: impl Into<Body>) -> Request {
    let mut request = with(request(method, path), "content-type", "application/json");
    *request.body_mut() = body.into();
    request
}

async fn send(state: &ControlState, request: Request) -> Response {
    router(state.clone()).oneshot(request).await.unwrap()
}

async fn status(state: &ControlState, request: Request) -> u16 {
    send(state, request).await.status().as_u16()
}

async fn read(state: &ControlState, request: Request) -> (u16, Value, HeaderMap) {
    let response = send(state, request).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status.as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null), parts.headers)
}

async fn knock(lab: &Lab) -> String {
    let response = lab.answer(LabRequest::new(Method::GET, "localhost", "/door", Entrance::Identity)).await;
    response.headers["x-mocktenant-exchange"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn health_is_503_until_the_lab_is_ready() {
    let state = state();
    state.ready.store(false, Ordering::Release);
    let (status, body, _) = read(&state, get("/health")).await;
    assert_eq!((status, &body["status"], &body["instance"]), (503, &json!("starting"), &json!("i-1")));
    state.ready.store(true, Ordering::Release);
    let (status, body, _) = read(&state, get("/health")).await;
    assert_eq!((status, &body["status"]), (200, &json!("ok")));
}

#[tokio::test]
async fn health_version_and_ca_are_free_of_token_and_peer() {
    let state = ControlState { token: Some(String::from("t")), ..state() };
    for path in ["/health", "/version", "/ca.pem", "/ca-real-names.pem", "/proxy.pac"] {
        let mut far = get(path);
        far.extensions_mut().insert(Peer::at("10.0.0.9:1".parse().unwrap()));
        assert_eq!(status(&state, far).await, 200, "{path}");
    }
    assert_eq!(status(&state, get("/v1/settings")).await, 401);
}

#[tokio::test]
async fn only_addresses_localhost_declared_names_and_the_machines_own_are_hosts() {
    let state = state();
    for (host, expected) in [
        ("localhost", 200),
        ("LOCALHOST:7440", 200),
        ("127.0.0.1:7440", 200),
        ("[::1]:7440", 200),
        ("TENANT:7440", 200),
        ("printer:7440", 421),
        ("localhos:7440", 421),
        ("door.contoso.com", 200),
        ("evil.example", 421),
        ("localhost.evil.example:7440", 421),
        ("127.0.0.1.evil.example", 421),
        ("a b", 421),
        ("", 421),
    ] {
        let mut request = get("/health");
        request.headers_mut().insert(HOST, host.parse().unwrap());
        assert_eq!(status(&state, request).await, expected, "{host:?}");
    }
    let mut none = get("/health");
    none.headers_mut().remove(HOST);
    assert_eq!(status(&state, none).await, 421);
    assert_eq!(status(&state, with(get("/health"), "host", "localhost")).await, 421, "two hosts are none");
}

#[tokio::test]
async fn an_origin_must_be_the_very_host_of_the_request() {
    let state = state();
    for (origin, expected) in [
        ("http://localhost:7440", 200),
        ("https://LOCALHOST:7440", 200),
        ("http://localhost", 403),
        ("http://127.0.0.1:7440", 403),
        ("http://localhost:3000", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
        ("file://localhost:7440", 403),
    ] {
        assert_eq!(status(&state, with(get("/health"), "origin", origin)).await, expected, "{origin:?}");
    }
    let both = with(with(get("/health"), "origin", "http://localhost:7440"), "origin", "null");
    assert_eq!(status(&state, both).await, 403);
}

#[tokio::test]
async fn a_page_of_another_site_is_refused_by_sec_fetch_site() {
    let state = state();
    for (site, expected) in
        [("none", 200), ("same-origin", 200), ("same-site", 403), ("cross-site", 403), ("x", 403)]
    {
        assert_eq!(
            status(&state, with(get("/v1/settings"), "sec-fetch-site", site)).await,
            expected,
            "{site}"
        );
    }
}

#[tokio::test]
async fn a_write_needs_a_json_content_type_even_without_a_body() {
    let state = state();
    assert_eq!(status(&state, request(Method::POST, "/v1/reset")).await, 415);
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"]
    {
        assert_eq!(
            status(&state, with(request(Method::POST, "/v1/reset"), "content-type", kind)).await,
            415,
            "{kind}"
        );
    }
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/json-patch+json"] {
        assert_eq!(
            status(&state, with(request(Method::POST, "/v1/reset"), "content-type", kind)).await,
            200,
            "{kind}"
        );
    }
    let twice = with(write(Method::POST, "/v1/reset", ""), "content-type", "text/plain");
    assert_eq!(status(&state, twice).await, 415);
}

#[tokio::test]
async fn nothing_ever_allows_another_origin() {
    let state = state();
    let preflight = with(request(Method::OPTIONS, "/v1/world"), "origin", "http://localhost:7440");
    for request in [get("/v1/settings"), with(preflight, "access-control-request-method", "PATCH")] {
        let response = send(&state, request).await;
        let cors = response.headers().keys().any(|name| name.as_str().starts_with("access-control"));
        assert!(!cors, "{:?}", response.headers());
    }
}

#[tokio::test]
async fn without_a_token_only_this_machine_may_call() {
    let closed = state();
    let open = ControlState { open: true, ..state() };
    for (peer, expected) in [
        (Some("127.0.0.1:1"), 200),
        (Some("127.8.0.1:1"), 200),
        (Some("[::1]:1"), 200),
        (Some("[::ffff:127.0.0.1]:1"), 200),
        (Some("10.0.0.9:1"), 403),
        (Some("[::ffff:10.0.0.9]:1"), 403),
        (None, 403),
    ] {
        let mut request = get("/v1/settings");
        request
            .extensions_mut()
            .insert(peer.map_or_else(Peer::default, |peer| Peer::at(peer.parse().unwrap())));
        assert_eq!(status(&closed, request.try_clone()).await, expected, "{peer:?}");
        assert_eq!(status(&open, request).await, 200, "{peer:?}");
    }
    let mut unknown = get("/v1/settings");
    unknown.extensions_mut().clear();
    assert_eq!(status(&closed, unknown).await, 403, "no extension counts as far away");
}

trait TryClone {
    fn try_clone(&self) -> Self;
}

impl TryClone for Request {
    fn try_clone(&self) -> Self {
        let mut copy = request(self.method().clone(), &self.uri().to_string());
        *copy.headers_mut() = self.headers().clone();
        *copy.extensions_mut() = self.extensions().clone();
        copy
    }
}

#[tokio::test]
async fn a_configured_token_is_needed_even_from_this_machine() {
    let state = ControlState { token: Some(String::from("s3cret")), open: true, ..state() };
    let (status_code, body, headers) = read(&state, get("/v1/world")).await;
    assert_eq!((status_code, &headers["www-authenticate"]), (401, &HeaderValue::from_static("Bearer")));
    assert_eq!(body["status"], 401);
    for (credentials, expected) in [
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
        ("Bearer s3cre", 401),
        ("Bearer s3crets", 401),
        ("Bearer ", 401),
        ("Basic s3cret", 401),
        ("s3cret", 401),
    ] {
        assert_eq!(
            status(&state, with(get("/v1/world"), "authorization", credentials)).await,
            expected,
            "{credentials}"
        );
    }
    let empty = ControlState { token: Some(String::new()), ..state };
    assert_eq!(
        status(&empty, with(get("/v1/world"), "authorization", "Bearer ")).await,
        401,
        "an empty token opens nothing"
    );
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let state = state();
    let too_large = write(Method::PATCH, "/v1/world", vec![b' '; BODY_BUDGET + 1]);
    let mut announced = write(Method::PATCH, "/v1/world", "");
    announced.headers_mut().insert("content-length", "99999999".parse().unwrap());
    for (request, expected) in [
        (get("/nothing"), 404),
        (get("/v1/journal/x-0"), 404),
        (get("/v1/explain"), 404),
        (get("/v1/journal?colour=red"), 400),
        (get("/v1/journal?wait=1e9"), 400),
        (get("/v1/journal?wait=-1"), 400),
        (get("/v1/journal?wait=nan"), 400),
        (get("/v1/explain?format=xml"), 400),
        (get("/v1/world?pointer=/tenants/nobody"), 404),
        (get("/v1/reset"), 405),
        (write(Method::PATCH, "/v1/world", "{"), 400),
        (write(Method::PUT, "/v1/scenario", "{}"), 400),
        (write(Method::PUT, "/v1/scenario", r#"{"name":"nonsense"}"#), 422),
        (write(Method::POST, "/v1/environments/nowhere/restart", ""), 404),
        (too_large, 413),
        (announced, 413),
        (with(get("/health"), "origin", "null"), 403),
    ] {
        let shown = format!("{} {}", request.method(), request.uri());
        let (status, body, headers) = read(&state, request).await;
        assert_eq!(status, expected, "{shown}: {body}");
        assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{shown}");
        assert_eq!(body["status"], expected, "{shown}");
        assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 5), "{shown}: {body}");
    }
    let (_, _, headers) = read(&state, get("/v1/reset")).await;
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_patch_changes_the_world_and_names_the_environments_to_restart() {
    let state = state();
    let patch = json!([
        { "op": "replace", "path": THUMBPRINT, "value": "00" },
        { "op": "replace", "path": "/caller/client_secret", "value": "x" },
    ]);
    let (status, body, _) = read(&state, write(Method::PATCH, "/v1/world", patch.to_string())).await;
    assert_eq!((status, &body["restart"]), (200, &json!(["onebox"])), "{body}");
    let (_, body, _) = read(&state, get(&format!("/v1/world?pointer={THUMBPRINT}"))).await;
    assert_eq!((&body["value"], &body["restart"]), (&json!("00"), &json!("onebox")));
    assert_eq!(body["origin"]["from"], "file");
    assert!(body["place"].as_str().unwrap().starts_with("web.config"));
    let (_, body, _) = read(&state, get("/v1/world?pointer=/caller/client_secret")).await;
    assert_eq!((&body["origin"]["from"], &body["restart"]), (&json!("control"), &Value::Null));
    let (_, whole, headers) = read(&state, get("/v1/world")).await;
    assert_eq!(whole.pointer("/caller/client_secret"), Some(&json!("x")));
    assert_eq!(headers["etag"], "\"i-1.1\"");
}

#[tokio::test]
async fn a_patch_is_all_or_nothing_and_its_errors_carry_the_pointers() {
    let state = state();
    let patch = json!([
        { "op": "replace", "path": "/caller/client_secret", "value": "x" },
        { "op": "replace", "path": "/environments/onebux/host", "value": "x" },
    ]);
    let (status, body, _) = read(&state, write(Method::PATCH, "/v1/world", patch.to_string())).await;
    assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!("/environments/onebux/host")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("edit 2"));
    let unfit = json!([{ "op": "replace", "path": "/caller/client_id", "value": 7 }]);
    let (status, body, _) = read(&state, write(Method::PATCH, "/v1/world", unfit.to_string())).await;
    assert_eq!(status, 422, "{body}");
    assert!(body["errors"][0]["pointer"].as_str().unwrap().starts_with("/caller"), "{body}");
    let test = json!([{ "op": "test", "path": "/caller/environment", "value": "onprem" }]);
    assert_eq!(self::status(&state, write(Method::PATCH, "/v1/world", test.to_string())).await, 409);
    let misspelt = json!([{ "op": "replace", "path": "/caller/environment", "vlaue": "onprem" }]);
    let (status, body, _) = read(&state, write(Method::PATCH, "/v1/world", misspelt.to_string())).await;
    assert_eq!((status, &body["errors"][0]["pointer"]), (400, &json!("/0")));
    assert_eq!(state.lab.world().generation(), 0);
}

#[tokio::test]
async fn a_scenario_breaks_the_lab_and_a_reset_heals_it() {
    let state = state();
    let healthy = state.lab.world().view();
    let (_, scenarios, _) = read(&state, get("/v1/scenarios")).await;
    assert_eq!(scenarios[0]["name"], "tenant-cert-absent");
    assert_eq!(scenarios.as_array().unwrap().len(), mocktenant_scenario::names().count());
    assert!(scenarios[0].get("notes").is_none() && scenarios[0].get("expect").is_none());
    assert!(!scenarios.to_string().contains("{org}"), "roles have this lab's names where it has them");
    let (status, _, _) =
        read(&state, write(Method::PUT, "/v1/scenario", r#"{"name":"tenant-cert-absent"}"#)).await;
    assert_eq!(status, 200);
    assert_ne!(state.lab.world().view(), healthy);
    let (_, body, _) = read(&state, get("/v1/world?pointer=/environments/onebox/machine")).await;
    assert_eq!(body["restart"], "onebox");
    assert_eq!(self::status(&state, write(Method::POST, "/v1/reset", "")).await, 200);
    assert_eq!(state.lab.world().view(), healthy);
}

#[tokio::test]
async fn a_restart_starts_the_environment_again() {
    let state = state();
    let (status, body, _) = read(&state, write(Method::POST, "/v1/environments/onebox/restart", "")).await;
    let records = state.lab.journal().records();
    assert_eq!(
        (status, body),
        (200, json!({ "restarted": "onebox", "start": records[0].id, "failed": null }))
    );
    assert_eq!(records.iter().map(|record| &*record.endpoint).collect::<Vec<_>>(), ["start"]);
}

#[tokio::test]
async fn one_node_restarts_and_one_place_is_reset_by_name() {
    let state = state();
    for (path, answer) in [
        ("/v1/environments/onebox/restart?node=aos1", 200),
        ("/v1/environments/onebox/restart?node=aos9", 404),
        ("/v1/environments/onebox/restart?nod=aos1", 400),
        ("/v1/reset?scope=environment/onebox", 200),
        ("/v1/reset?scope=organization%2Fcontoso", 200),
        ("/v1/reset?scope=organization/nowhere", 404),
        ("/v1/reset?scope=contoso", 400),
        ("/v1/reset?scop=environment/onebox", 400),
    ] {
        assert_eq!(status(&state, write(Method::POST, path, "")).await, answer, "{path}");
    }
    let endpoints: Vec<_> =
        state.lab.journal().records().iter().map(|record| record.endpoint.clone()).collect();
    assert_eq!(endpoints, ["start", "start"], "the node that restarted, the environment that was reset");
}

#[tokio::test]
async fn nodes_are_told_with_what_waits_what_they_were_started_with_and_what_servicing_takes_away() {
    let state = state();
    state.lab.start_all().await;
    let (status, body, _) = read(&state, get("/v1/environments/onprem/nodes")).await;
    assert_eq!((status, &body["environment"]), (200, &json!("onprem")));
    let nodes = body["nodes"].as_array().unwrap();
    assert_eq!(
        nodes.iter().map(|node| &node["node"]).collect::<Vec<_>>(),
        ["onprem/AOS_1", "onprem/AOS_2", "onprem/AOS_3"]
    );
    let own = "/environments/onprem/nodes/AOS_2/axsf/Aad.AADTenantId";
    let edit = json!([{ "op": "add", "path": own, "value": "other" }]).to_string();
    let (_, body, _) = read(&state, write(Method::PATCH, "/v1/world", edit)).await;
    assert_eq!(body["restart"], json!(["onprem/AOS_2"]), "the one node that reads it");
    for nowhere in [
        "/v1/environments/nowhere/nodes",
        "/v1/environments/nowhere/nodes/AOS_1/current",
        "/v1/environments/onprem/nodes/AOS_9/current",
        "/v1/environments/onebox/nodes/aos1/current",
    ] {
        assert_eq!(self::status(&state, get(nowhere)).await, 404, "{nowhere}");
    }
    let serviced = "/v1/environments/onprem/servicing";
    let (status, body, _) = read(&state, write(Method::POST, serviced, "")).await;
    assert_eq!((status, &body["serviced"], &body["reverted"]), (200, &json!("onprem"), &json!([own])));
    let (_, body, _) = read(&state, write(Method::POST, serviced, "")).await;
    assert_eq!(body["reverted"], json!([]));
    let nowhere = "/v1/environments/nowhere/servicing";
    assert_eq!(self::status(&state, write(Method::POST, nowhere, "")).await, 404);
}

#[tokio::test]
async fn a_restart_whose_start_failed_says_at_which_check() {
    let state = state();
    let edit = json!([{ "op": "replace", "path": METADATA, "value": "garbage" }]).to_string();
    assert_eq!(status(&state, write(Method::PATCH, "/v1/world", edit)).await, 200);
    let (status, body, _) = read(&state, write(Method::POST, "/v1/environments/onebox/restart", "")).await;
    assert_eq!((status, &body["restarted"]), (200, &json!("onebox")));
    assert_eq!(body["failed"]["name"], "metadata-reachable");
    assert_eq!(body["failed"]["actual"], "garbage");
    assert_eq!(body["start"], json!(state.lab.journal().records()[0].id));
}

#[tokio::test]
async fn one_exchange_is_read_with_its_children_and_explained() {
    let state = state();
    let id = knock(&state.lab).await;
    let (status, record, _) = read(&state, get(&format!("/v1/journal/{id}"))).await;
    assert_eq!(
        (status, &record["children"], &record["checks"][0]["name"]),
        (200, &json!([]), &json!("door-open"))
    );
    for what in [id.as_str(), "last", "abc-1"] {
        let (status, explanation, _) = read(&state, get(&format!("/v1/explain?what={what}"))).await;
        assert_eq!(
            (status, &explanation["exchange"], &explanation["schema"]),
            (200, &json!(id), &json!(1)),
            "{what}"
        );
    }
    let response = send(&state, get("/v1/explain?format=text")).await;
    assert_eq!(response.headers()["x-mocktenant-explained"], "true");
    let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(String::from_utf8(text.to_vec()).unwrap().contains("door-open"));
}

#[test]
fn what_an_environment_reads_at_its_start_is_known_by_its_place() {
    let environment = |pointer: &str| reader_at_start(&mocktenant_verdict::Setting::from_pointer(pointer));
    for pointer in [
        THUMBPRINT,
        "/environments/onebox/wif_config/audienceUris/-",
        "/environments/onebox/machine/certificates/LocalMachine/My/00",
        "/environments/onebox/database/SysFlighting/X/Enabled",
        "/environments/onebox/database/DualWriteProjectConfiguration/ExternalEnvironmentURL",
    ] {
        assert_eq!(environment(pointer).as_deref(), Some("onebox"), "{pointer}");
    }
    for pointer in [
        "/environments/onebox/host",
        "/environments/onebox/machine/clock",
        "/environments/onebox/database/UserInfo/Admin",
        "/caller",
        "/tenants/t",
    ] {
        assert_eq!(environment(pointer), None, "{pointer}");
    }
}
