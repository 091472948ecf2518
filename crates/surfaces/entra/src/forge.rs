//! Tokens that a test orders: issued as the token endpoint issues them, then changed in exactly what the order says.
//!
//! Decides what an order's members mean at Entra and what each defect does to a token of either version. An order that
//! changes nothing gives the very token of the endpoint. Nothing is asked of the client: whoever orders is no client.
//! Mirrors what an attacker, a wrong configuration or a slow clock hands to a resource.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_idp::forge::{self, AWAY, Changes, Members};
use mocktenant_keys::{Algorithm, Identity};
use mocktenant_lab::forge::{Defect, ForgeError, Made, Order};
use mocktenant_lab::{Context, Entrance, Trail};
use mocktenant_token::{HeaderSegment, MintError, mint_raw};
use mocktenant_world::{Application, is_guid};
use serde_json::Value;

use crate::authority::CANONICAL_BASE;
use crate::claims::{AppOnly, BACKDATING, LIFETIME, Times};
use crate::client_auth::{SECRET_CLASS, excerpt, made_up_object_id};
use crate::discovery::issuer;
use crate::issue::{audience, granted_roles, hidden, token, under, version_for};
use crate::prepared::PreparedTenant;
use crate::resource::AZURE_AD_GRAPH;
use crate::{Entra, Version};

/// The tenant that is meant by nobody.
const ANOTHER_TENANT: &str = "0badf00d-0000-4000-8000-000000000001";
/// The resource that nobody has, as a v1 and as a v2 token would name it.
const ANOTHER_AUDIENCE: [&str; 2] =
    ["https://another-resource.example", "0badf00d-0000-4000-8000-0000000000a4"];

/// Makes a token as ordered; `None` where the caller's tenant is not here.
pub(crate) fn forge(context: &Context, order: &Order, trail: &mut Trail) -> Option<Result<Made, ForgeError>> {
    let prepared = context.prepared::<Entra>();
    let tenant = prepared.tenant(&context.world().caller().tenant.to_ascii_lowercase())?;
    Some(Forge { context, tenant, order }.made(trail))
}

/// Whom a token is issued to.
struct Client<'f> {
    id: Cow<'f, str>,
    object_id: Cow<'f, str>,
    /// Granted on the resource.
    roles: &'f [String],
}

struct Forge<'f> {
    context: &'f Context,
    tenant: &'f PreparedTenant,
    order: &'f Order,
}

impl<'f> Forge<'f> {
    fn made(&self, trail: &mut Trail) -> Result<Made, ForgeError> {
        let order = self.order;
        let asked = order.resource.as_deref().unwrap_or(AZURE_AD_GRAPH);
        let resource = self.resource(asked)?;
        let version = match order.version {
            None => version_for(resource),
            Some(1) => Version::V1,
            Some(2) => Version::V2,
            Some(_) => return Err(ForgeError::Unfit { what: "version", why: "is 1 or 2" }),
        };
        let client = self.client(resource)?;
        let audience = audience(version, resource, asked);
        let own = self.context.public_address(&Entrance::Identity).filter(|_| !order.real_names);
        let base = own.unwrap_or(CANONICAL_BASE);
        let mut id = [0_u8; 16];
        self.context.random().fill(&mut id);
        let statement = AppOnly {
            tenant: &self.tenant.tenant.id,
            region: &self.tenant.tenant.region,
            client_id: &client.id,
            object_id: &client.object_id,
            managed_identity: None,
            roles: order.roles.as_deref().unwrap_or(client.roles),
            resource_id: &resource.client_id,
            audience,
            context_class: SECRET_CLASS,
            times: self.times()?,
            id: &URL_SAFE_NO_PAD.encode(id),
            issuer_base: base,
        };
        let signing = forge::key(order, &self.tenant.tenant.signing)?;
        let issued =
            token(self.context, self.tenant, version, &statement).map_err(|_| ForgeError::NoProvider)?;
        let token = Changes {
            order,
            signing: signing.or_else(|| self.tenant.signing()).ok_or(ForgeError::NoProvider)?,
            issuer: &issuer(version, base, ANOTHER_TENANT),
            audience: ANOTHER_AUDIENCE[version as usize],
            tenant: ANOTHER_TENANT,
            signed,
        }
        .made(issued)?;
        trail.fact("client-id", excerpt(&client.id));
        trail.fact("resource", excerpt(asked));
        trail.fact("audience", excerpt(audience));
        trail.fact("token-version", if version == Version::V1 { "1.0" } else { "2.0" });
        let (header, claims) = forge::parts(&token)?;
        Ok(Made { token, header, claims })
    }

    /// What is ordered has to be one of the tenant's resources: any other audience is a claim.
    fn resource(&self, asked: &str) -> Result<&'f Application, ForgeError> {
        let found = self.tenant.resources.find(asked).and_then(|entry| entry.application.as_deref());
        found.ok_or_else(|| ForgeError::Unknown {
            what: "resource",
            asked: asked.to_owned(),
            known: self.tenant.resources.names(),
        })
    }

    fn client(&self, resource: &Application) -> Result<Client<'f>, ForgeError> {
        let named = self.order.client.as_deref().unwrap_or(&self.context.world().caller().client_id);
        let applications = &self.tenant.tenant.applications;
        match applications.get(&named.to_ascii_lowercase()) {
            Some(known) => Ok(Client {
                id: Cow::Borrowed(&known.client_id),
                object_id: Cow::Borrowed(&known.object_id),
                roles: granted_roles(known, resource),
            }),
            None if is_guid(named) => {
                let named = named.to_ascii_lowercase();
                let object_id = made_up_object_id(&named);
                Ok(Client { id: Cow::Owned(named), object_id: Cow::Owned(object_id), roles: &[] })
            }
            None => {
                let mut known: Vec<String> = applications.keys().cloned().collect();
                known.sort();
                known.push("any GUID".to_owned());
                Err(ForgeError::Unknown { what: "client", asked: named.to_owned(), known })
            }
        }
    }

    fn times(&self) -> Result<Times, ForgeError> {
        let lifetime = forge::lifetime(self.order, LIFETIME)?;
        let now = self.context.now().unix_timestamp();
        Ok(match self.order.defect {
            Some(Defect::Expired) => {
                let expires_on = now - AWAY;
                Times { not_before: expires_on - lifetime - BACKDATING, expires_on }
            }
            Some(Defect::NotYetValid) => {
                let not_before = now + AWAY;
                Times { not_before, expires_on: not_before + lifetime }
            }
            _ => Times { not_before: now - BACKDATING, expires_on: now + lifetime },
        })
    }
}

/// Signs under a header; a nonce in it is sent as it is and signed hidden.
fn signed(identity: &Identity, header: &Members, claims: &[u8]) -> Result<String, ForgeError> {
    let under_header = |header: &Members| {
        let header = HeaderSegment::new(header)?;
        let token = mint_raw(identity.key(), Algorithm::Rs256, &header, claims)?;
        Ok::<_, MintError>((header, token))
    };
    let (sent, token) = under_header(header).map_err(|_| ForgeError::NoProvider)?;
    let Some(nonce) = header.get("nonce").and_then(Value::as_str).map(hidden) else { return Ok(token) };
    let mut header = header.clone();
    header.insert("nonce".to_owned(), nonce.into());
    let (_, token) = under_header(&header).map_err(|_| ForgeError::NoProvider)?;
    Ok(under(&sent, &token))
}
