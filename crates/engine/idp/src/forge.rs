//! What an order changes of a token that its provider issued.
//!
//! Decides how each change and each defect is done to a signed JWT, whoever issued it: claims, header, signature. A token that
//! nothing is changed of stays as it was issued, and a defect of a claim that the token never had cannot be ordered. Never
//! decides what a token says otherwise; what belongs to nobody (an issuer, an audience) is handed in, because it looks
//! like the provider's own.

use mocktenant_keys::Identity;
use mocktenant_lab::forge::{Defect, ForgeError, Order};
use mocktenant_token::{Compact, HeaderSegment, mint_hs256, mint_unsigned, tampered};
use serde_json::{Map, Value};

/// The members of a header or of claims.
pub type Members = Map<String, Value>;

/// How long ago an expired token ran out, and how far off the beginning of another one is, in seconds.
pub const AWAY: i64 = 3600;
/// Ten years.
const LONGEST: u32 = 315_360_000;
/// The key that nobody published.
const ANOTHER_KID: &str = "bm9ib2R5LXB1Ymxpc2hlZC10aGlz";

/// How long an ordered token is good for, in seconds, if its provider makes them for `usual`.
pub fn lifetime(order: &Order, usual: i64) -> Result<i64, ForgeError> {
    match order.lifetime {
        None => Ok(usual),
        Some(seconds @ 1..=LONGEST) => Ok(i64::from(seconds)),
        Some(_) => Err(ForgeError::Unfit { what: "lifetime", why: "is 1 to 315360000 seconds (ten years)" }),
    }
}

/// The key that an order names among those of the provider; `None` where it is the active one.
pub fn key<'k>(order: &Order, signing: &'k [Identity]) -> Result<Option<&'k Identity>, ForgeError> {
    let Some(wanted) = order.key.as_deref() else { return Ok(None) };
    match signing.iter().find(|identity| kid(identity) == wanted) {
        Some(found) => Ok(Some(found)),
        None => Err(ForgeError::Unknown {
            what: "key",
            asked: wanted.to_owned(),
            known: signing.iter().map(kid).collect(),
        }),
    }
}

/// A key's `kid` as it is published.
fn kid(identity: &Identity) -> String {
    identity.certificate().thumbprint().base64url()
}

/// Header and claims of a token that was just made.
pub fn parts(token: &str) -> Result<(Members, Members), ForgeError> {
    let compact = Compact::parse(token).map_err(|_| ForgeError::Unfit {
        what: "claims",
        why: "make a token that nobody could read: too long, or too deep",
    })?;
    Ok((compact.header().members().clone(), compact.claims().members().clone()))
}

/// What a token is changed with.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'c> {
    /// The order.
    pub order: &'c Order,
    /// The key that signs.
    pub signing: &'c Identity,
    /// An issuer that is another's.
    pub issuer: &'c str,
    /// An audience that nobody has.
    pub audience: &'c str,
    /// A tenant that is nobody's.
    pub tenant: &'c str,
    /// How the provider signs claims under a header.
    pub signed: fn(&Identity, &Members, &[u8]) -> Result<String, ForgeError>,
}

impl Changes<'_> {
    /// The issued token with what the order changes.
    pub fn made(&self, issued: String) -> Result<String, ForgeError> {
        let Order { claims, key, defect, .. } = self.order;
        // An expired token was issued as one.
        let as_issued = matches!(defect, None | Some(Defect::BadSignature | Defect::Expired));
        let token =
            if as_issued && claims.is_empty() && key.is_none() { issued } else { self.anew(&issued)? };
        Ok(if *defect == Some(Defect::BadSignature) { tampered(&token) } else { token })
    }

    fn anew(&self, issued: &str) -> Result<String, ForgeError> {
        let (header, claims) = parts(issued)?;
        let (header, claims) = (self.header(header), Value::Object(self.claims(claims)?).to_string());
        let segment = || HeaderSegment::new(&header).map_err(|_| ForgeError::NoProvider);
        match self.order.defect {
            Some(Defect::AlgNone) => Ok(mint_unsigned(&segment()?, claims.as_bytes())),
            Some(Defect::Hs256WithPublicKey) => {
                let secret = self.signing.key().public_pem().map_err(|_| ForgeError::NoProvider)?;
                Ok(mint_hs256(secret.as_bytes(), &segment()?, claims.as_bytes()))
            }
            _ => (self.signed)(self.signing, &header, claims.as_bytes()),
        }
    }

    fn header(&self, mut header: Members) -> Members {
        if self.order.key.is_some() {
            name_key(&mut header, &kid(self.signing));
        }
        match self.order.defect {
            Some(Defect::UnknownKid) => name_key(&mut header, ANOTHER_KID),
            Some(Defect::AlgNone) => put(&mut header, "alg", "none"),
            Some(Defect::Hs256WithPublicKey) => put(&mut header, "alg", "HS256"),
            _ => {}
        }
        header
    }

    fn claims(&self, mut claims: Members) -> Result<Members, ForgeError> {
        let defect = self.order.defect;
        let about = match defect {
            Some(Defect::WrongTenant | Defect::NoTid) => Some("tid"),
            Some(Defect::NoOid) => Some("oid"),
            _ => None,
        };
        if about.is_some_and(|claim| !claims.contains_key(claim)) {
            return Err(ForgeError::Unfit {
                what: "defect",
                why: "is one of a claim that this issuer's tokens do not have",
            });
        }
        for (name, value) in &self.order.claims {
            if value.is_null() {
                claims.shift_remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        match defect {
            Some(Defect::WrongIssuer) => put(&mut claims, "iss", self.issuer),
            Some(Defect::WrongAudience) => put(&mut claims, "aud", self.audience),
            Some(Defect::WrongTenant) => put(&mut claims, "tid", self.tenant),
            Some(Defect::NoOid) => drop(claims.shift_remove("oid")),
            Some(Defect::NoTid) => drop(claims.shift_remove("tid")),
            // One that never says when it begins would begin at once.
            Some(Defect::NotYetValid) if !claims.contains_key("nbf") => {
                let issued = claims.get("iat").cloned().unwrap_or_default();
                claims.insert("nbf".to_owned(), issued);
            }
            Some(Defect::NoAppid) => claims.retain(|name, _| name != "appid" && name != "azp"),
            _ => {}
        }
        Ok(claims)
    }
}

/// A header may name the key twice.
fn name_key(header: &mut Members, kid: &str) {
    for name in ["x5t", "kid"] {
        if header.contains_key(name) {
            put(header, name, kid);
        }
    }
}

fn put(members: &mut Members, name: &str, value: &str) {
    members.insert(name.to_owned(), value.into());
}
