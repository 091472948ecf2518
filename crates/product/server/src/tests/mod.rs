//! A lab with one plain surface behind real sockets.

mod bad_input;
mod crowds;
mod documents;
mod lifecycle;
mod outbound;
mod products;
mod proxy;
mod real_names;
mod renewal;
mod settings;
mod slow;
mod stopped;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use mocktenant_lab::outbound::Call;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Content, Context, Delivery, Entrance, Exchange, Lab, Machine, Refusal,
    Route, Surface, Trail, Way,
};
use mocktenant_world::World;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::limits::Limits;
use crate::listen::{Ports, RealNames};
use crate::running::{Running, Setup, start_lab};

/// Answers with what it was sent.
struct Echo;

/// Bytes of an answer that no socket takes at once.
const LARGE: usize = 16 * 1024 * 1024;

static ROUTES: &[Route<Echo>] = &[
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: "/echo",
        endpoint: "echo",
        handler: |_, exchange| Box::pin(std::future::ready(echo(exchange))),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/call",
        endpoint: "call",
        handler: |_, exchange| Box::pin(call(exchange)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/reset",
        endpoint: "reset",
        handler: |_, _| {
            Box::pin(async { Answer { delivery: Delivery::Reset, ..Answer::empty(StatusCode::OK) } })
        },
    },
    Route {
        methods: &[Method::GET],
        pattern: "/leave",
        endpoint: "leave",
        handler: |_, exchange| {
            let to = exchange.request.query().to_owned();
            Box::pin(std::future::ready(Answer::typed(StatusCode::FOUND, Content::Redirect { to })))
        },
    },
    Route {
        methods: &[Method::GET],
        pattern: "/large",
        endpoint: "large",
        handler: |_, _| Box::pin(async { text(StatusCode::OK, &"x".repeat(LARGE)) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/slow",
        endpoint: "slow",
        handler: |_, _| {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                text(StatusCode::OK, "at last")
            })
        },
    },
];

fn text(status: StatusCode, body: &str) -> Answer {
    Answer::typed(status, Content::Text(body.to_owned().into(), "text/plain"))
}

fn echo(exchange: &mut Exchange) -> Answer {
    let request = &exchange.request;
    let scheme = if request.arrival.secure { "https" } else { "http" };
    let name = request.arrival.server_name.as_deref().unwrap_or("-");
    let body = request.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    text(StatusCode::OK, &format!("{scheme} {name} {} {} {body}", request.host, request.target))
}

/// Calls the URL in the body and answers with what came of it.
async fn call(exchange: &mut Exchange) -> Answer {
    let url = exchange.request.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
    let call = Call { method: Method::GET, url, headers: http::HeaderMap::new(), body: bytes::Bytes::new() };
    match exchange.context.call(&mut exchange.trail, call).await {
        Ok(reply) => text(reply.status, &String::from_utf8_lossy(&reply.body)),
        Err(error) => text(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

impl Surface for Echo {
    const NAME: &'static str = "echo";
    type Prepared = ();

    fn routes() -> &'static [Route<Self>] {
        ROUTES
    }
    fn fork(&self) -> Self {
        Self
    }
    fn hosts(&self, _: &World) -> Vec<(String, Entrance)> {
        vec![
            ("login.microsoftonline.com".to_owned(), Entrance::Identity),
            ("contoso.crm4.dynamics.com".to_owned(), Entrance::organization("contoso")),
            ("usnconeboxax1aos.cloud.onebox.dynamics.com".to_owned(), Entrance::environment("onebox")),
            ("ax.contoso.com".to_owned(), Entrance::environment("onprem")),
        ]
    }
    fn at(&self, _: &Entrance, _: &str) -> bool {
        true
    }
    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine> {
        match way.entrance {
            Entrance::Identity => world.tenants().next().map(|tenant| Machine::tenant(&tenant.id)),
            _ => None,
        }
    }
    fn prepare(&self, _: &World, _: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, _: &mut Exchange, why: Refusal) -> Answer {
        match why {
            Refusal::NotFound => text(StatusCode::NOT_FOUND, "not found"),
            Refusal::MethodNotAllowed { .. } => text(StatusCode::METHOD_NOT_ALLOWED, "method"),
            Refusal::Body(BodyError::TooLarge { .. }) => text(StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Refusal::Body(BodyError::Timeout) => text(StatusCode::REQUEST_TIMEOUT, "timeout"),
            Refusal::Body(BodyError::Incomplete) => text(StatusCode::BAD_REQUEST, "incomplete"),
            Refusal::Panic => text(StatusCode::INTERNAL_SERVER_ERROR, "panic"),
        }
    }
    fn judge(&self, _: &Context, _: &str, _: &mut Trail) {}
}

fn lab() -> Lab {
    Lab::builder(Arc::new(World::contoso().unwrap())).surface(Echo).build()
}

fn setup(state: &TempDir) -> Setup {
    Setup {
        scenario: None,
        state: state.path().to_owned(),
        ports: Ports::Free,
        real_names: RealNames::No,
        bind: Vec::new(),
        public_urls: std::collections::HashMap::new(),
        ca_directory: None,
        control_token: None,
        control_open: false,
        publish_settings: false,
        limits: Limits::default(),
        clock: crate::trust::RealClock::default(),
    }
}

/// Deadlines a test can wait for.
fn short() -> Limits {
    Limits {
        first_head: Duration::from_millis(400),
        next_head: Duration::from_millis(500),
        idle: Duration::from_millis(600),
        body_idle: Duration::from_millis(300),
        body_total: Duration::from_millis(900),
        body_bytes: 64 * 1024,
        write: Duration::from_secs(3),
        taken: Duration::from_secs(4),
        wait: Duration::from_millis(300),
        spared: Duration::ZERO,
        glance: Duration::from_millis(50),
        ..Limits::default()
    }
}

struct Fixture {
    running: Running,
    state: TempDir,
}

async fn started(limits: Limits) -> Fixture {
    let state = tempfile::tempdir().unwrap();
    let setup = Setup { limits, ..setup(&state) };
    let running = start_lab(lab(), setup).await.unwrap();
    Fixture { running, state }
}

impl Fixture {
    fn identity(&self) -> SocketAddr {
        address(&self.running.urls().identity)
    }

    fn tools(&self) -> SocketAddr {
        address(&self.running.urls().control)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.identity()).await.unwrap()
    }

    /// Sends bytes and reads until the lab closes, which it has to do in time.
    async fn sent(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // A lab that closes early makes this fail; what it answered counts.
        let _ = stream.write_all(bytes).await;
        read_to_end(&mut stream).await
    }

    /// A healthy request is answered.
    async fn is_healthy(&self) {
        let url = format!("{}/echo?ok", self.running.urls().identity);
        let reply = self.running.outbound_client().get(&url).await;
        assert_eq!(reply.unwrap().status, StatusCode::OK);
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    // A reset ends a connection too.
    let _ = read.expect("the lab closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

fn address(url: &str) -> SocketAddr {
    let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}
