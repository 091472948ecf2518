//! Microsoft Entra ID as applications see it: discovery, keys, federation metadata and the token endpoint.
//!
//! Decides what Entra answers for the tenants of the world: which documents it publishes, whether a client is who it says
//! it is, which resource it may have a token for, and in whose words a refusal is put. Never decides what a resource does
//! with a token, and never talks to anything: everything follows from the snapshot, the request and the clock.
//! Mirrors the public cloud's sign-in service; `v1` is `/oauth2/`, `v2` is `/oauth2/v2.0/`.

mod asking;
mod authority;
mod caller;
mod claims;
pub mod client_auth;
mod discovery;
mod envelope;
mod error_page;
pub mod errors;
mod federation_metadata;
mod forge;
pub mod grants;
mod instance;
mod issue;
pub mod managed_identity;
mod multipart;
mod prepared;
mod resource;
mod tables;
mod token_endpoint;
mod unbuilt;

use http::{Method, StatusCode};
use mocktenant_lab::forge::{ForgeError, Made, Order};
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{
    Addresses, Answer, CatalogueRow, Context, Entrance, Exchange, Machine, Refusal, Route, SecretNames,
    Surface, TokenCall, Trail, Way,
};
use mocktenant_verdict::Question;
use mocktenant_world::World;

pub use crate::asking::{Asking, Sent};
use crate::envelope::Envelope;
use crate::errors::EntraError;
pub use crate::managed_identity::ManagedIdentity;
pub use crate::prepared::Prepared;
pub use crate::resource::RESOURCE;
pub use crate::tables::Tables;

/// Microsoft Entra ID. Holds the tables it goes by and nothing else: what it knows is the world's, and what it made ready is
/// in [`Prepared`].
#[derive(Clone, Debug)]
pub struct Entra {
    tables: Tables,
}

impl Entra {
    /// With the grants and the ways to authenticate it has.
    pub fn new() -> Self {
        Self::with_tables(Tables::of_entra())
    }

    /// With others.
    pub fn with_tables(tables: Tables) -> Self {
        Self { tables }
    }
}

impl Default for Entra {
    fn default() -> Self {
        Self::new()
    }
}

/// Which of the two generations of endpoints was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `/oauth2/token` and its documents.
    V1,
    /// `/oauth2/v2.0/token` and its documents.
    V2,
}

/// The paths, as patterns. The documents print the same constants, so that they cannot name another path than the one
/// that answers.
pub(crate) mod path {
    pub(crate) const CONFIGURATION_V1: &str = "/{tenant}/.well-known/openid-configuration";
    pub(crate) const CONFIGURATION_V2: &str = "/{tenant}/v2.0/.well-known/openid-configuration";
    pub(crate) const KEYS_V1: &str = "/{tenant}/discovery/keys";
    pub(crate) const KEYS_V2: &str = "/{tenant}/discovery/v2.0/keys";
    pub(crate) const INSTANCE: &str = "/common/discovery/instance";
    pub(crate) const FEDERATION: &str = "/{tenant}/federationmetadata/2007-06/federationmetadata.xml";
    pub(crate) const ERROR: &str = "/error";
    pub(crate) const TOKEN_V1: &str = "/{tenant}/oauth2/token";
    pub(crate) const TOKEN_V2: &str = "/{tenant}/oauth2/v2.0/token";
}

const READ: &[Method] = &[Method::GET, Method::OPTIONS];
const POST: &[Method] = &[Method::POST, Method::OPTIONS];

static ROUTES: [Route<Entra>; 9] = [
    Route {
        methods: READ,
        pattern: path::CONFIGURATION_V1,
        endpoint: "openid-configuration",
        handler: |entra, exchange| {
            Box::pin(async move { discovery::configuration(&entra.tables, exchange, Version::V1) })
        },
    },
    Route {
        methods: READ,
        pattern: path::CONFIGURATION_V2,
        endpoint: "openid-configuration-v2",
        handler: |entra, exchange| {
            Box::pin(async move { discovery::configuration(&entra.tables, exchange, Version::V2) })
        },
    },
    Route {
        methods: READ,
        pattern: path::KEYS_V1,
        endpoint: "keys",
        handler: |_, exchange| Box::pin(async move { discovery::keys(exchange, Version::V1) }),
    },
    Route {
        methods: READ,
        pattern: path::KEYS_V2,
        endpoint: "keys-v2",
        handler: |_, exchange| Box::pin(async move { discovery::keys(exchange, Version::V2) }),
    },
    Route {
        methods: READ,
        pattern: path::INSTANCE,
        endpoint: "instance-discovery",
        handler: |_, exchange| Box::pin(async move { instance::discovery(exchange) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: path::FEDERATION,
        endpoint: "federation-metadata",
        handler: |_, exchange| Box::pin(async move { federation_metadata::answer(exchange) }),
    },
    Route {
        methods: &[Method::GET],
        pattern: path::ERROR,
        endpoint: "error-page",
        handler: |_, exchange| Box::pin(async move { error_page::answer(exchange) }),
    },
    Route {
        methods: POST,
        pattern: path::TOKEN_V1,
        endpoint: "token",
        handler: |entra, exchange| {
            Box::pin(async move { token_endpoint::answer(&entra.tables, exchange, Version::V1) })
        },
    },
    Route {
        methods: POST,
        pattern: path::TOKEN_V2,
        endpoint: "token-v2",
        handler: |entra, exchange| {
            Box::pin(async move { token_endpoint::answer(&entra.tables, exchange, Version::V2) })
        },
    },
];

impl Surface for Entra {
    const NAME: &'static str = "entra";
    const TITLE: &'static str = "Entra";
    const CALLS_OUT: bool = false;
    const FORGES: bool = true;

    type Prepared = Prepared;

    fn routes() -> &'static [Route<Self>] {
        &ROUTES
    }

    fn fork(&self) -> Self {
        self.clone()
    }

    fn hosts(&self, _world: &World) -> Vec<(String, Entrance)> {
        authority::WORLD_HOSTS.iter().map(|host| ((*host).to_owned(), Entrance::Identity)).collect()
    }

    fn plays(&self, host: &str) -> Option<Entrance> {
        authority::is_regional(host).then_some(Entrance::Identity)
    }

    fn at(&self, entrance: &Entrance, folded_path: &str) -> bool {
        *entrance == Entrance::Identity
            && !of_federation_service(folded_path)
            && !managed_identity::has(folded_path)
    }

    /// The tenant the first segment names, by id or domain; an alias is no machine.
    fn machine(&self, world: &World, way: &Way<'_>) -> Option<Machine> {
        let tenant = world.tenant(way.path.split('/').nth(1)?)?;
        Some(Machine::Tenant(std::sync::Arc::clone(&tenant.id)))
    }

    fn prepare(&self, world: &World, addresses: &Addresses) -> Self::Prepared {
        Prepared::new(world, addresses)
    }

    fn catalogue(&self) -> Vec<CatalogueRow> {
        errors::catalogue_rows()
    }

    fn secret_names() -> SecretNames {
        SecretNames {
            fields: &["flowToken", "samlart", "otc"],
            tokens: &["wresult", "cloud_assertion", "request_assertion", "mtk"],
            headers: &["x-ms-RefreshTokenCredential", "x-ms-DeviceCredential", "x-ms-PKeyAuth"],
        }
    }

    fn questions() -> Vec<&'static Question> {
        token_endpoint::questions(grants::GRANTS, client_auth::METHODS)
    }

    fn refuse(&self, exchange: &mut Exchange, why: Refusal) -> Answer {
        let is_token = [path::TOKEN_V1, path::TOKEN_V2]
            .iter()
            .any(|pattern| exchange.folded_path().ends_with(&pattern["/{tenant}".len()..]));
        let error = match why {
            Refusal::NotFound => {
                if let Some(missing) = unbuilt::endpoint(exchange.folded_path()) {
                    missing.record(&mut exchange.trail);
                }
                return bare(exchange, StatusCode::NOT_FOUND, "404");
            }
            Refusal::MethodNotAllowed { allow } if is_token => {
                EntraError::WrongVerb { valid: allow, used: exchange.request.method.as_str().to_owned() }
            }
            Refusal::MethodNotAllowed { allow } => {
                return bare(exchange, StatusCode::METHOD_NOT_ALLOWED, "405").with_text("allow", &allow);
            }
            Refusal::Body(BodyError::Timeout) => return bare(exchange, StatusCode::REQUEST_TIMEOUT, "408"),
            Refusal::Body(BodyError::TooLarge { .. } | BodyError::Incomplete) => EntraError::FormMalformed,
            Refusal::Panic => EntraError::TokenIssuance,
        };
        exchange.trail.record_error(error.row().id);
        Envelope::open(exchange, None).refusal(exchange, &error)
    }

    fn judge(&self, context: &Context, token: &str, trail: &mut Trail) {
        client_auth::judge(context, token, trail);
    }

    fn forge(&self, context: &Context, order: &Order, trail: &mut Trail) -> Option<Result<Made, ForgeError>> {
        forge::forge(context, order, trail)
    }

    fn token_call(&self, world: &World, resource: &str) -> Option<TokenCall> {
        caller::token_call(world, resource)
    }
}

/// A refusal the reference has no text for: a status without a body.
fn bare(exchange: &mut Exchange, status: StatusCode, id: &'static str) -> Answer {
    exchange.trail.record_error(id);
    let envelope = Envelope::open(exchange, None);
    envelope.plain(exchange, Answer::empty(status))
}

/// Paths of the identity port that are AD FS's.
fn of_federation_service(folded_path: &str) -> bool {
    folded_path == "/adfs"
        || folded_path.starts_with("/adfs/")
        || folded_path.starts_with("/federationmetadata/")
        || folded_path == "/.well-known/webfinger"
}
