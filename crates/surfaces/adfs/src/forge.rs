//! Tokens that a test orders: an access token as the token endpoint issues it to a server application for itself, then
//! changed in exactly what the order says.
//!
//! Decides what an order's members mean at AD FS: its tokens have one version, no application roles, and no `tid` or `oid`
//! that could be wrong. An order that changes nothing gives the very token of the endpoint, for userinfo where nothing is
//! named. Nothing is asked of the client: whoever orders is no client.

use mocktenant_idp::forge::{self, AWAY, Changes, Members};
use mocktenant_keys::{Algorithm, Identity};
use mocktenant_lab::forge::{Defect, ForgeError, Made, Order};
use mocktenant_lab::{Context, Trail};
use mocktenant_token::{HeaderSegment, mint_raw};
use mocktenant_world::{Client, is_guid};

use crate::asking::excerpt;
use crate::claims::{Statement, Times, audience};
use crate::prepared::PreparedService;
use crate::scope::{Granted, USERINFO};
use crate::{client_auth, grants, issue, service, token_endpoint};

/// The federation service that is nobody's.
const ANOTHER_ISSUER: &str = "http://another-adfs.example/adfs/services/trust";
/// The Web API that nobody has.
const ANOTHER_AUDIENCE: &str = "https://another-resource.example";

/// Makes a token as ordered; `None` in a world without a federation service.
pub(crate) fn forge(context: &Context, order: &Order, trail: &mut Trail) -> Option<Result<Made, ForgeError>> {
    let prepared = service::of_context(context)?;
    Some(made(context, prepared, order, trail))
}

fn made(
    context: &Context,
    prepared: &PreparedService,
    order: &Order,
    trail: &mut Trail,
) -> Result<Made, ForgeError> {
    if order.version.is_some_and(|version| version != 1) {
        return Err(ForgeError::Unfit { what: "version", why: "of an access token of AD FS is 1" });
    }
    if order.roles.is_some() {
        return Err(ForgeError::Unfit { what: "roles", why: "are none of AD FS's: order a claim instead" });
    }
    let granted = granted(prepared, order.resource.as_deref().unwrap_or(USERINFO))?;
    let named = order.client.as_deref().unwrap_or(&context.world().caller().client_id);
    let client = client(prepared, named)?;
    let times = times(context, order, &granted)?;
    // Whoever was given a token signed in then.
    let ago = context.now().unix_timestamp() - times.issued;
    let signed_in = grants::milliseconds(context.now()) - ago * 1000;
    let statement = Statement {
        prepared,
        client,
        client_id: if is_registered(client, named) { &client.client_id } else { named },
        granted: &granted,
        user: None,
        signed_in,
        auth_method: client_auth::SECRET_METHOD,
        times,
    };
    let signing = forge::key(order, &prepared.service.signing)?.or_else(|| prepared.signing());
    let issued = issue::access_token(&statement).map_err(|_| ForgeError::NoProvider)?;
    let token = Changes {
        order,
        signing: signing.ok_or(ForgeError::NoProvider)?,
        issuer: ANOTHER_ISSUER,
        audience: ANOTHER_AUDIENCE,
        // Nothing it could stand in.
        tenant: "",
        signed,
    }
    .made(issued)?;
    trail.fact("client-id", excerpt(statement.client_id));
    trail.fact("resource", excerpt(&granted.resource));
    trail.fact("audience", excerpt(&audience(&granted.resource)));
    let (header, claims) = forge::parts(&token)?;
    Ok(Made { token, header, claims })
}

/// What is ordered has to be one of the service's: any other audience is a claim.
fn granted(prepared: &PreparedService, asked: &str) -> Result<Granted, ForgeError> {
    let web_api = prepared.service.web_api(asked).cloned();
    if web_api.is_none() && asked != USERINFO {
        let identifiers = prepared.service.web_apis.iter().flat_map(|web_api| web_api.all_identifiers());
        let known = identifiers.map(|(identifier, _)| identifier.to_owned());
        let known = known.chain([USERINFO.to_owned()]).collect();
        return Err(ForgeError::Unknown { what: "resource", asked: asked.to_owned(), known });
    }
    Ok(Granted { resource: asked.to_owned(), web_api, scopes: Vec::new() })
}

/// The client that is named; for one that nobody registered, a server application that it is like.
fn client<'p>(prepared: &'p PreparedService, named: &str) -> Result<&'p Client, ForgeError> {
    if let Some(known) = prepared.service.client(named) {
        return Ok(known);
    }
    let mut known: Vec<&Client> = prepared.service.clients.values().map(AsRef::as_ref).collect();
    known.sort_by(|one, other| one.client_id.cmp(&other.client_id));
    let like = known.iter().copied().find(|client| client.credentials.is_some());
    like.filter(|_| is_guid(named)).ok_or_else(|| {
        let known = known.iter().map(|client| client.client_id.clone());
        let known = known.chain(["any GUID".to_owned()]).collect();
        ForgeError::Unknown { what: "client", asked: named.to_owned(), known }
    })
}

fn is_registered(client: &Client, named: &str) -> bool {
    client.client_id.eq_ignore_ascii_case(named)
}

fn times(context: &Context, order: &Order, granted: &Granted) -> Result<Times, ForgeError> {
    let usual = Times::at(context.now(), token_endpoint::lifetime(granted));
    let lifetime = forge::lifetime(order, usual.lasts())?;
    let issued = match order.defect {
        Some(Defect::Expired) => usual.issued - AWAY - lifetime,
        Some(Defect::NotYetValid) => usual.issued + AWAY,
        _ => usual.issued,
    };
    Ok(Times { issued, expires: issued + lifetime })
}

fn signed(identity: &Identity, header: &Members, claims: &[u8]) -> Result<String, ForgeError> {
    let header = HeaderSegment::new(header).map_err(|_| ForgeError::NoProvider)?;
    mint_raw(identity.key(), Algorithm::Rs256, &header, claims).map_err(|_| ForgeError::NoProvider)
}
