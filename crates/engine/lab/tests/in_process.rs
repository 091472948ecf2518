//! Calls of a lab to itself without a socket, with a surface of two routes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use mocktenant_lab::outbound::{Call, CallError, Outbound as _, Reply};
use mocktenant_lab::request::{BODY_BYTES, BodyError};
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Content, Context, Delivery, Entrance, Exchange, HOP_LIMIT, InProcess,
    Lab, Machine, Refusal, Route, Surface, Trail, Way,
};
use mocktenant_world::World;

struct Mirror;

static ROUTES: &[Route<Mirror>] = &[
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: "/mirror",
        endpoint: "mirror",
        handler: |_, exchange| Box::pin(std::future::ready(mirror(exchange))),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/again",
        endpoint: "again",
        handler: |_, exchange| Box::pin(again(exchange)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/gone",
        endpoint: "gone",
        handler: |_, _| {
            Box::pin(async { Answer { delivery: Delivery::Reset, ..Answer::empty(StatusCode::OK) } })
        },
    },
];

fn text(status: StatusCode, text: String) -> Answer {
    Answer::typed(status, Content::Text(text.into(), "text/plain"))
}

fn mirror(exchange: &mut Exchange) -> Answer {
    let request = &exchange.request;
    let arrival = &request.arrival;
    let lines = [
        format!("{} {} at {}", request.method, request.target, arrival.entrance),
        format!("host {} {:?}", request.host, request.header("host")),
        format!("tls {} {:?}", arrival.secure, arrival.server_name),
        format!("length {:?}", request.header("content-length")),
        format!("body {:?}", request.body.as_deref().map(String::from_utf8_lossy)),
    ];
    text(StatusCode::OK, lines.join("\n"))
}

/// Calls itself until it may not.
async fn again(exchange: &mut Exchange) -> Answer {
    let called = exchange.context.call(&mut exchange.trail, get("https://one.example.com/again")).await;
    match called {
        Ok(reply) => text(StatusCode::OK, format!("{}.", String::from_utf8_lossy(&reply.body))),
        Err(error) => text(StatusCode::OK, error.to_string()),
    }
}

impl Surface for Mirror {
    const NAME: &'static str = "mirror";
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }
    fn fork(&self) -> Self {
        Self
    }
    fn hosts(&self, _world: &World) -> Vec<(String, Entrance)> {
        vec![
            ("one.example.com".into(), Entrance::Identity),
            ("two.example.com".into(), Entrance::organization("two")),
        ]
    }
    fn at(&self, _entrance: &Entrance, _folded_path: &str) -> bool {
        true
    }
    fn machine(&self, _world: &World, _way: &Way<'_>) -> Option<Machine> {
        None
    }
    fn prepare(&self, _world: &World, _addresses: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, _exchange: &mut Exchange, why: Refusal) -> Answer {
        match why {
            Refusal::Body(BodyError::TooLarge { limit }) => {
                text(StatusCode::PAYLOAD_TOO_LARGE, format!("more than {limit}"))
            }
            _ => Answer::empty(StatusCode::NOT_FOUND),
        }
    }
    fn judge(&self, _context: &Context, _token: &str, _trail: &mut Trail) {}
}

fn lab() -> Lab {
    let lab = Lab::builder(Arc::new(World::contoso().unwrap())).surface(Mirror).build();
    lab.set_outbound(InProcess::by_world_names(&lab));
    lab
}

fn get(url: &str) -> Call {
    Call { method: Method::GET, url: url.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
}

async fn called(lab: &Lab, call: Call) -> Result<Reply, CallError> {
    InProcess::by_world_names(lab).call(call).await
}

async fn body(lab: &Lab, call: Call) -> String {
    String::from_utf8(called(lab, call).await.unwrap().body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_call_arrives_as_it_would_over_a_socket() {
    let lab = lab();
    assert_eq!(
        body(&lab, get("https://Two.Example.com/mirror?a=%41#b")).await,
        "GET /mirror?a=%41 at organization/two\nhost Two.Example.com Some(\"Two.Example.com\")\n\
         tls true Some(\"two.example.com\")\nlength None\nbody Ok(\"\")"
    );
    let post = Call { method: Method::POST, body: "sent".into(), ..get("http://one.example.com:443/mirror") };
    assert_eq!(
        body(&lab, post).await,
        "POST /mirror at identity\nhost one.example.com:443 Some(\"one.example.com:443\")\n\
         tls false None\nlength Some(\"4\")\nbody Ok(\"sent\")"
    );
    let mut other = get("https://one.example.com/mirror");
    other.headers.insert("host", HeaderValue::from_static("two.example.com"));
    assert!(
        body(&lab, other).await.contains("at identity\nhost two.example.com"),
        "the caller's own Host stands"
    );
    let large = Call {
        method: Method::POST,
        body: vec![b'x'; BODY_BYTES + 1].into(),
        ..get("https://one.example.com/mirror")
    };
    assert_eq!(called(&lab, large).await.unwrap().status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_fails_over_sockets_fails_here() {
    let lab = lab();
    for (url, error) in [
        ("https://example.com/", "example.com:443 is no host of this world"),
        ("http://10.0.0.1/", "10.0.0.1:80 is no host of this world"),
        ("https://localhost/", "connection refused by localhost:443"),
        ("https://127.0.0.1:7443/", "connection refused by 127.0.0.1:7443"),
        ("https://one.example.com:7443/", "connection refused by one.example.com:7443"),
        (
            "https://two.example.com/gone",
            "broken answer from two.example.com: connection closed before message completed",
        ),
        (
            "ftp://two.example.com/",
            "\"ftp://two.example.com/\" is not an absolute http or https URL: its scheme is neither http nor https",
        ),
    ] {
        assert_eq!(called(&lab, get(url)).await.unwrap_err().to_string(), error, "{url}");
    }
}

#[tokio::test]
async fn a_lab_that_calls_itself_ends_at_the_hop_limit() {
    let lab = lab();
    let text = body(&lab, get("https://one.example.com/again")).await;
    assert_eq!(text, format!("more than {HOP_LIMIT} calls deep{}", ".".repeat(usize::from(HOP_LIMIT))));
    let depth = lab.journal().records().iter().filter(|record| record.parent.is_some()).count();
    assert_eq!(
        depth,
        usize::from(HOP_LIMIT) + 1,
        "each call is below the one that made it, the refused one too"
    );
}

#[tokio::test]
async fn a_way_out_keeps_no_lab_alive() {
    let lab = lab();
    let (weak, way) = (lab.downgrade(), InProcess::by_world_names(&lab));
    assert!(weak.upgrade().is_some() && lab.dial().is_some());
    drop(lab);
    assert!(weak.upgrade().is_none(), "its own outbound does not hold it");
    let error = way.call(get("https://one.example.com/mirror")).await.unwrap_err();
    assert_eq!(error, CallError::Refused { host: "one.example.com".into(), port: 443 });
}
