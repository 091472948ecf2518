//! A product of a few routes, that tests of the dispatch point call: it echoes, calls out, never answers, and sends its callers
//! on.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use mocktenant_lab::outbound::Call;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{
    Addresses, Answer, AutoPostWords, BoxFuture, CatalogueRow, Content, Context, Entrance, Exchange, Lab,
    Machine, Refusal, Request, Route, Surface, Trail, Way,
};
use mocktenant_world::World;

pub(crate) struct Echo;

static ROUTES: &[Route<Echo>] = &[
    Route {
        methods: &[Method::GET],
        pattern: "/{tenant}/echo/{name}",
        endpoint: "echo",
        handler: |_, exchange| Box::pin(async move { echo(exchange) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/{tenant}/files/{*rest}",
        endpoint: "files",
        handler: |_, exchange| Box::pin(async move { files(exchange) }),
    },
    Route {
        methods: &[Method::POST],
        pattern: "/panic",
        endpoint: "panic",
        handler: |_, _| Box::pin(async move { panic!("a defect of ours") }),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/relay",
        endpoint: "relay",
        handler: |_, exchange| Box::pin(relay(exchange)),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/never",
        endpoint: "never",
        handler: |_, exchange| {
            exchange.trail.fact("began", "yes");
            Box::pin(std::future::pending())
        },
    },
    Route {
        methods: &[Method::GET],
        pattern: "/leave",
        endpoint: "leave",
        handler: |_, exchange| Box::pin(async move { leave(exchange) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/post",
        endpoint: "post",
        handler: |_, exchange| Box::pin(async move { post(exchange) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: "/form",
        endpoint: "form",
        handler: |_, exchange| Box::pin(async move { form(exchange) }),
    },
];

fn echo(exchange: &mut Exchange) -> Answer {
    let name = exchange.parameter("name");
    exchange.trail.fact("name", name);
    Answer::json(
        StatusCode::OK,
        format!("[\"{}\",\"{}\"]", exchange.raw_parameter("tenant"), exchange.parameter("name")),
    )
}

fn files(exchange: &mut Exchange) -> Answer {
    Answer::json(
        StatusCode::OK,
        format!(
            "[\"{}\",\"{}\",\"{}\"]",
            exchange.parameter("tenant"),
            exchange.raw_parameter("rest"),
            exchange.parameter("rest")
        ),
    )
}

async fn relay(exchange: &mut Exchange) -> Answer {
    let url = String::from("https://login.example.com/a/echo/b");
    let call = Call { method: Method::GET, url, headers: http::HeaderMap::new(), body: Bytes::new() };
    match exchange.context.call(&mut exchange.trail, call).await {
        Ok(_) => Answer::empty(StatusCode::OK),
        Err(_) => Answer::empty(StatusCode::BAD_GATEWAY),
    }
}

/// Redirects to the address in its query, as the world has it.
fn leave(exchange: &mut Exchange) -> Answer {
    let to = exchange.world_address(exchange.request.query()).into_owned();
    Answer::typed(StatusCode::FOUND, Content::Redirect { to })
}

fn post(exchange: &mut Exchange) -> Answer {
    let to = exchange.request.query().to_owned();
    let fields = vec![("id_token".into(), "eyJ.eyJ.signature".into()), ("code".into(), "0.secret".into())];
    let words = AutoPostWords { title: "Working...", notice: "Go on.", button: "Go" };
    Answer::typed(StatusCode::OK, Content::AutoPost { to, fields, words, nonce: String::from("n") })
}

/// A page whose form leads to the addresses in its query.
fn form(exchange: &mut Exchange) -> Answer {
    let actions = exchange.request.query().split(' ').map(str::to_owned).collect();
    let html = Bytes::from_static(b"<form method=\"post\" action=\"/x\"></form>");
    Answer::typed(StatusCode::OK, Content::Form { html, policy: "default-src 'none'", actions })
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
    fn plays(&self, host: &str) -> Option<Entrance> {
        let family = host.ends_with(".family.example") || host.ends_with(".family.test");
        family.then_some(Entrance::Identity)
    }
    fn hosts(&self, _world: &World) -> Vec<(String, Entrance)> {
        vec![("Login.Example.com".into(), Entrance::Identity)]
    }
    fn at(&self, entrance: &Entrance, folded_path: &str) -> bool {
        *entrance == Entrance::Identity && folded_path != "/later"
    }
    fn machine(&self, _world: &World, _way: &Way<'_>) -> Option<Machine> {
        None
    }
    fn prepare(&self, _world: &World, _addresses: &Addresses) {}
    fn catalogue(&self) -> Vec<CatalogueRow> {
        Vec::new()
    }
    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        exchange.trail.record_error("refused");
        let status = match &why {
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Body(BodyError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Body(_) => StatusCode::BAD_REQUEST,
            Refusal::Panic => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Answer::json(status, format!("{{\"why\":\"{why:?}\"}}").into_bytes())
    }
    fn judge(&self, _context: &Context, _token: &str, _trail: &mut Trail) {}
    fn starts(&self, _world: &World) -> Vec<Machine> {
        vec![Machine::node("onebox", "aos1")]
    }
    fn start<'a>(&'a self, _context: &'a Context, trail: &'a mut Trail) -> BoxFuture<'a, ()> {
        trail.fact("started", "yes");
        Box::pin(std::future::ready(()))
    }
}

pub(crate) fn lab() -> Lab {
    Lab::builder(Arc::new(World::contoso().unwrap())).surface(Echo).build()
}

pub(crate) async fn ask(lab: &Lab, method: Method, host: &str, target: &str) -> (u16, String) {
    let response = lab.answer(Request::new(method, host, target, Entrance::Identity)).await;
    (response.status.as_u16(), String::from_utf8(response.body.to_vec()).unwrap())
}
