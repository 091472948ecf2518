//! Tokens that a test orders: issued as the token endpoint issues them, then changed in exactly what the order says.
//!
//! Decides what an order's members mean at Entra and what each defect does to a token of either version. An order that
//! changes nothing gives the very token of the endpoint. Nothing is asked of the client: whoever orders is no client.
//! Mirrors what an attacker, a wrong configuration or a slow clock hands to a resource.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{Algorithm, Identity};
use mocktenant_lab::forge::{Defect, ForgeError, Made, Order};
use mocktenant_lab::{Context, Entrance, Trail};
use mocktenant_token::{Compact, HeaderSegment, mint_hs256, mint_raw, mint_unsigned, tampered};
use mocktenant_world::{Application, is_guid};
use serde_json::{Map, Value};

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
/// The key that nobody published.
const ANOTHER_KID: &str = "bm9ib2R5LXB1Ymxpc2hlZC10aGlz";
/// How long ago an expired token ran out, and how far off the beginning of another one is, in seconds.
const AWAY: i64 = 3600;
/// Ten years.
const LONGEST: u32 = 315_360_000;

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
        let signing = self.signing()?;
        let issued =
            token(self.context, self.tenant, version, &statement).map_err(|_| ForgeError::NoProvider)?;
        let token = self.changed(issued, version, base, signing)?;
        trail.fact("client-id", excerpt(&client.id));
        trail.fact("resource", excerpt(asked));
        trail.fact("audience", excerpt(audience));
        trail.fact("token-version", if version == Version::V1 { "1.0" } else { "2.0" });
        let (header, claims) = parts(&token)?;
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
        let now = self.context.now().unix_timestamp();
        let lifetime = match self.order.lifetime {
            None => LIFETIME,
            Some(seconds @ 1..=LONGEST) => i64::from(seconds),
            Some(_) => {
                return Err(ForgeError::Unfit {
                    what: "lifetime",
                    why: "is 1 to 315360000 seconds (ten years)",
                });
            }
        };
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

    /// The key that signs; `None` where it is the active one.
    fn signing(&self) -> Result<Option<&'f Identity>, ForgeError> {
        let Some(wanted) = self.order.key.as_deref() else { return Ok(None) };
        let signing = &self.tenant.tenant.signing;
        match signing.iter().find(|identity| kid(identity) == wanted) {
            Some(found) => Ok(Some(found)),
            None => Err(ForgeError::Unknown {
                what: "key",
                asked: wanted.to_owned(),
                known: signing.iter().map(kid).collect(),
            }),
        }
    }

    /// The issued token with what the order changes. One that nothing is changed of is given as it was issued.
    fn changed(
        &self,
        issued: String,
        version: Version,
        base: &str,
        signing: Option<&Identity>,
    ) -> Result<String, ForgeError> {
        let in_claims = matches!(
            self.order.defect,
            Some(
                Defect::WrongIssuer
                    | Defect::WrongAudience
                    | Defect::WrongTenant
                    | Defect::NoOid
                    | Defect::NoTid
                    | Defect::NoAppid
            )
        );
        let in_header = matches!(
            self.order.defect,
            Some(Defect::UnknownKid | Defect::AlgNone | Defect::Hs256WithPublicKey)
        );
        let issued = if in_claims || in_header || !self.order.claims.is_empty() || signing.is_some() {
            self.made_anew(&issued, version, base, signing)?
        } else {
            issued
        };
        Ok(if self.order.defect == Some(Defect::BadSignature) { tampered(&issued) } else { issued })
    }

    fn made_anew(
        &self,
        issued: &str,
        version: Version,
        base: &str,
        signing: Option<&Identity>,
    ) -> Result<String, ForgeError> {
        let (mut header, mut claims) = parts(issued)?;
        for (name, value) in &self.order.claims {
            if value.is_null() {
                claims.shift_remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        let identity = signing.or_else(|| self.tenant.signing()).ok_or(ForgeError::NoProvider)?;
        if signing.is_some() {
            name_key(&mut header, &kid(identity));
        }
        match self.order.defect {
            Some(Defect::WrongIssuer) => put(&mut claims, "iss", &issuer(version, base, ANOTHER_TENANT)),
            Some(Defect::WrongAudience) => put(&mut claims, "aud", ANOTHER_AUDIENCE[version as usize]),
            Some(Defect::WrongTenant) => put(&mut claims, "tid", ANOTHER_TENANT),
            Some(Defect::NoOid) => {
                claims.shift_remove("oid");
            }
            Some(Defect::NoTid) => {
                claims.shift_remove("tid");
            }
            Some(Defect::NoAppid) => claims.retain(|name, _| name != "appid" && name != "azp"),
            Some(Defect::UnknownKid) => name_key(&mut header, ANOTHER_KID),
            Some(Defect::AlgNone) => put(&mut header, "alg", "none"),
            Some(Defect::Hs256WithPublicKey) => put(&mut header, "alg", "HS256"),
            Some(Defect::Expired | Defect::NotYetValid | Defect::BadSignature) | None => {}
        }
        let segment = HeaderSegment::new(&header).map_err(|_| ForgeError::NoProvider)?;
        let claims = Value::Object(claims).to_string();
        match self.order.defect {
            Some(Defect::AlgNone) => Ok(mint_unsigned(&segment, claims.as_bytes())),
            Some(Defect::Hs256WithPublicKey) => {
                let secret = identity.key().public_pem().map_err(|_| ForgeError::NoProvider)?;
                Ok(mint_hs256(secret.as_bytes(), &segment, claims.as_bytes()))
            }
            _ => {
                let signed = |header: &Map<String, Value>| {
                    let header = HeaderSegment::new(header).map_err(|_| ForgeError::NoProvider)?;
                    mint_raw(identity.key(), Algorithm::Rs256, &header, claims.as_bytes())
                        .map_err(|_| ForgeError::NoProvider)
                };
                match header.get("nonce").and_then(Value::as_str).map(hidden) {
                    None => signed(&header),
                    Some(hidden) => {
                        put(&mut header, "nonce", &hidden);
                        Ok(under(&segment, &signed(&header)?))
                    }
                }
            }
        }
    }
}

/// A key's `kid` as the tenant publishes it.
fn kid(identity: &Identity) -> String {
    identity.certificate().thumbprint().base64url()
}

/// A v1 header names the key twice.
fn name_key(header: &mut Map<String, Value>, kid: &str) {
    for name in ["x5t", "kid"] {
        if header.contains_key(name) {
            put(header, name, kid);
        }
    }
}

fn put(members: &mut Map<String, Value>, name: &str, value: &str) {
    members.insert(name.to_owned(), value.into());
}

type Members = Map<String, Value>;

/// Header and claims of a token that was just made.
fn parts(token: &str) -> Result<(Members, Members), ForgeError> {
    let compact = Compact::parse(token).map_err(|_| ForgeError::Unfit {
        what: "claims",
        why: "make a token that nobody could read: too long, or too deep",
    })?;
    Ok((compact.header().members().clone(), compact.claims().members().clone()))
}
