//! AD FS as applications see it: discovery, keys, federation metadata, the token endpoint, userinfo.
//!
//! Decides what a federation service of the world answers: which documents it publishes, whether a client and a user are who
//! they say, which Web API they may have a token for, and in whose words a refusal is put; and what its event log says of
//! all that. Never decides what a resource does with a token, and never talks to anything: everything follows from the
//! snapshot, the request and the clock. Mirrors AD FS of Windows Server 2016, 2019 and 2022.
//!
//! WS-Federation, WS-Trust and SAML are not built: `unbuilt` says so.

mod asking;
mod authorize;
mod bearer;
mod caller;
mod claims;
mod client_auth;
mod code;
mod device;
mod discovery;
mod envelope;
pub mod errors;
mod events;
mod federation_metadata;
mod forge;
mod grants;
mod id_token_hint;
mod issue;
mod lockout;
mod logout;
mod page;
mod prepared;
mod scope;
mod service;
mod session;
mod sign_in;
mod token_endpoint;
mod unbuilt;
mod userinfo;

use http::{Method, StatusCode};
use mocktenant_lab::forge::{ForgeError, Made, Order};
use mocktenant_lab::journal::Record;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Context, Entrance, EventLog, EventRow, Exchange, Machine, Refusal,
    Route, SecretNames, SignInCall, Surface, TokenCall, Trail, Way,
};
use mocktenant_token::bearer::Authorization;
use mocktenant_verdict::Question;
use mocktenant_world::World;

use crate::errors::AdfsError;
pub use crate::prepared::Prepared;

/// AD FS. Holds nothing: what it knows is the world's, what it remembers the lab's, and what it made ready is in [`Prepared`].
#[derive(Clone, Debug, Default)]
pub struct Adfs;

/// The paths, as patterns. The documents print the same constants, so that they cannot name another path than the one that
/// answers.
pub(crate) mod path {
    pub(crate) const CONFIGURATION: &str = "/adfs/.well-known/openid-configuration";
    pub(crate) const KEYS: &str = "/adfs/discovery/keys";
    pub(crate) const AUTHORIZE: &str = "/adfs/oauth2/authorize";
    pub(crate) const TOKEN: &str = "/adfs/oauth2/token";
    pub(crate) const DEVICE_CODE: &str = "/adfs/oauth2/devicecode";
    pub(crate) const DEVICE_AUTH: &str = "/adfs/oauth2/deviceauth";
    pub(crate) const LOGOUT: &str = "/adfs/oauth2/logout";
    pub(crate) const USERINFO: &str = "/adfs/userinfo";
    pub(crate) const PROBE: &str = "/adfs/probe";
    pub(crate) const WEBFINGER: &str = "/.well-known/webfinger";
    pub(crate) const METADATA: &str = "/federationmetadata/2007-06/federationmetadata.xml";
}

const READ: &[Method] = &[Method::GET, Method::OPTIONS];

const POST: &[Method] = &[Method::POST, Method::OPTIONS];

static ROUTES: [Route<Adfs>; 11] = [
    Route {
        methods: READ,
        pattern: path::CONFIGURATION,
        endpoint: "openid-configuration",
        handler: |_, exchange| Box::pin(async move { discovery::configuration(exchange) }),
    },
    Route {
        methods: READ,
        pattern: path::KEYS,
        endpoint: "keys",
        handler: |_, exchange| Box::pin(async move { discovery::keys(exchange) }),
    },
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: path::AUTHORIZE,
        endpoint: "authorize",
        handler: |_, exchange| Box::pin(async move { authorize::answer(exchange) }),
    },
    Route {
        methods: POST,
        pattern: path::TOKEN,
        endpoint: "token",
        handler: |_, exchange| Box::pin(async move { token_endpoint::answer(exchange) }),
    },
    Route {
        methods: POST,
        pattern: path::DEVICE_CODE,
        endpoint: "devicecode",
        handler: |_, exchange| Box::pin(async move { device::begin(exchange) }),
    },
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: path::DEVICE_AUTH,
        endpoint: "deviceauth",
        handler: |_, exchange| Box::pin(async move { device::confirm(exchange) }),
    },
    Route {
        methods: &[Method::GET, Method::POST],
        pattern: path::LOGOUT,
        endpoint: "logout",
        handler: |_, exchange| Box::pin(async move { logout::answer(exchange) }),
    },
    Route {
        methods: &[Method::GET, Method::POST, Method::OPTIONS],
        pattern: path::USERINFO,
        endpoint: "userinfo",
        handler: |_, exchange| Box::pin(async move { userinfo::answer(exchange) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: path::METADATA,
        endpoint: "federation-metadata",
        handler: |_, exchange| Box::pin(async move { federation_metadata::answer(exchange) }),
    },
    Route {
        methods: READ,
        pattern: path::WEBFINGER,
        endpoint: "webfinger",
        handler: |_, exchange| Box::pin(async move { discovery::webfinger(exchange) }),
    },
    Route {
        methods: READ,
        pattern: path::PROBE,
        endpoint: "probe",
        handler: |_, exchange| {
            Box::pin(async move { envelope::dressed(exchange, Answer::empty(StatusCode::OK)) })
        },
    },
];

impl Surface for Adfs {
    const NAME: &'static str = "adfs";
    const TITLE: &'static str = "AD FS";
    const CALLS_OUT: bool = false;
    const EVENT_LOGS: &'static [&'static EventLog] = events::LOGS;
    /// Until an environment has a federation service for its identity provider only clients call it.
    const CALLED: bool = false;
    const FORGES: bool = true;

    type Prepared = Prepared;

    fn routes() -> &'static [Route<Self>] {
        &ROUTES
    }

    fn fork(&self) -> Self {
        self.clone()
    }

    fn hosts(&self, world: &World) -> Vec<(String, Entrance)> {
        world.federation_services().map(|service| (service.host.clone(), Entrance::Identity)).collect()
    }

    fn at(&self, entrance: &Entrance, folded_path: &str) -> bool {
        *entrance == Entrance::Identity && service::is_of_federation_service(folded_path)
    }

    /// The service that is called by this name; on localhost the first one.
    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine> {
        service::of_host(world, way.host).map(|service| Machine::federation_service(&service.id))
    }

    fn prepare(&self, world: &World, _addresses: &Addresses) -> Self::Prepared {
        Prepared::new(world)
    }

    fn catalogue(&self) -> Vec<CatalogueRow> {
        errors::catalogue_rows()
    }

    fn secret_names() -> SecretNames {
        // What is typed on a page for another device; the rest has the names that open standards give it.
        SecretNames { fields: &["user_code", "confirmation"], ..SecretNames::default() }
    }

    fn questions() -> Vec<&'static Question> {
        let mut all = token_endpoint::questions();
        let rest = authorize::questions()
            .into_iter()
            .chain(device::begin_questions())
            .chain(device::confirm_questions())
            .chain(logout::questions())
            .chain(bearer::QUESTIONS.iter().copied());
        for question in rest {
            if !all.iter().any(|known| known.name == question.name) {
                all.push(question);
            }
        }
        all
    }

    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        if service::of(exchange).is_none() {
            return service::none(exchange);
        }
        let path = exchange.folded_path().to_owned();
        let error = match why {
            Refusal::NotFound | Refusal::MethodNotAllowed { .. } => {
                if !path.starts_with("/adfs") {
                    // Nobody listens there: the answer is of what AD FS stands on.
                    exchange.trail.record_error("404");
                    return envelope::dressed(exchange, Answer::empty(StatusCode::NOT_FOUND));
                }
                match unbuilt::endpoint(&path) {
                    Some(missing) => {
                        missing.record(&mut exchange.trail);
                        AdfsError::NotFulfilled
                    }
                    None => AdfsError::NoHandler { path: exchange.request.path().to_owned() },
                }
            }
            Refusal::Body(BodyError::Timeout) => {
                exchange.trail.record_error("408");
                return envelope::dressed(exchange, Answer::empty(StatusCode::REQUEST_TIMEOUT));
            }
            Refusal::Body(BodyError::TooLarge { .. } | BodyError::Incomplete) => AdfsError::FormMalformed,
            Refusal::Panic => AdfsError::ServerError,
        };
        envelope::refusal(exchange, &error)
    }

    fn events(&self, world: &World, record: &Record) -> Vec<EventRow> {
        events::of(world, record)
    }

    fn judge(&self, context: &Context, token: &str, trail: &mut Trail) {
        let Some(prepared) = service::of_context(context) else { return };
        if bearer::is_access_token(prepared, token) {
            // What it is refused for is on the trail.
            let _ = bearer::identify(context, trail, prepared, &Authorization::Bearer(token));
        } else {
            client_auth::judge(context, token, trail);
        }
    }

    fn token_call(&self, world: &World, resource: &str) -> Option<TokenCall> {
        caller::token_call(world, resource)
    }

    fn sign_in(&self, world: &World) -> Option<SignInCall> {
        caller::sign_in(world)
    }

    fn forge(&self, context: &Context, order: &Order, trail: &mut Trail) -> Option<Result<Made, ForgeError>> {
        forge::forge(context, order, trail)
    }
}
