//! Tokens a test orders: what the world's caller would be given, with exactly what the order says changed.
//!
//! Decides what can be ordered, which defects there are ([`Defect::ALL`] is the one list of them), what the caller would
//! have asked for, and that a forged token is recorded as one. How a token is made, and what a defect does to it, is the
//! provider's: [`crate::Surface::forge`]. Whoever is shown a forged token judges it as any other, and is told nothing.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::record::{Kind, Record};
use crate::{Entrance, Lab, Trail, Way};

/// A token to be made. Whatever is left out is as the provider would issue it to the world's caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    /// Who issues it: the short name of a product that does; else the one that the caller asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What it is for: a URI or client id as a client would ask for it, or the short name of an environment or organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// 1 or 2; else as the resource wants its tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u8>,
    /// The client it is issued to. One that nobody registered gets an object id that is made up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Claims added or replaced; null takes one out.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
    /// Application roles, in place of those the client was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Seconds it is good for from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u32>,
    /// `kid` of the provider's key that signs it; else the active one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// As for a client that came by names of the world; else as for one that came by the lab's own addresses.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub real_names: bool,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defect: Option<Defect>,
}

/// The one list of defects: Rust's name, everybody's word, and what is wrong, for people.
macro_rules! defects {
    ($($name:ident $word:literal $about:literal,)+) => {
        /// Something wrong with a token; all else of it is right.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Defect {
            $(#[doc = $about] $name,)+
        }

        impl Defect {
            /// Every defect, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// What is wrong, in one line.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $about,)+
                }
            }
        }
    };
}

defects! {
    BadSignature "bad-signature" "the signature's first bits are changed: no key made it",
    UnknownKid "unknown-kid" "the header names a key that is not published",
    WrongIssuer "wrong-issuer" "`iss` is that of another tenant",
    WrongAudience "wrong-audience" "`aud` is a resource nobody has",
    WrongTenant "wrong-tenant" "`tid` is another tenant",
    Expired "expired" "it ran out an hour ago",
    NotYetValid "not-yet-valid" "it begins in an hour",
    AlgNone "alg-none" "`alg` is `none`, and there is no signature",
    Hs256WithPublicKey "hs256-with-public-key" "`alg` is HS256, its secret the public key as PEM",
    NoOid "no-oid" "there is no `oid`",
    NoTid "no-tid" "there is no `tid`",
    NoAppid "no-appid" "there is no `appid`; in a v2 token, no `azp`",
}

impl Defect {
    /// The defect of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|defect| defect.word() == word)
    }
}

impl Serialize for Defect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Defect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::of(&word).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|defect| defect.word()).collect();
            de::Error::custom(format!("there is no defect {word:.40}; there are: {}", known.join(", ")))
        })
    }
}

/// A token that was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forged {
    /// The token.
    pub token: String,
    /// Its header.
    pub header: Map<String, Value>,
    /// Its claims.
    pub claims: Map<String, Value>,
    /// What is wrong with it, if that was ordered.
    pub defect: Option<Defect>,
    /// The record of it in the journal.
    pub exchange: Arc<str>,
}

/// A token as its provider made it.
#[derive(Clone, Debug)]
pub struct Made {
    /// The token.
    pub token: String,
    /// Its header.
    pub header: Map<String, Value>,
    /// Its claims.
    pub claims: Map<String, Value>,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// The order names something that is not there.
    #[error("there is no {what} {}; there are: {}", clipped(asked), known.join(", "))]
    Unknown {
        /// The member of the order.
        what: &'static str,
        /// As ordered.
        asked: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A member of the order has a value it cannot have.
    #[error("{what} {why}")]
    Unfit {
        /// The member of the order.
        what: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// No product of this lab issues tokens to the world's caller.
    #[error("nobody issues tokens to the caller of this world")]
    NoProvider,
}

impl ForgeError {
    /// The member of the order that is wrong.
    pub fn member(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { what, .. } | Self::Unfit { what, .. } => Some(what),
            Self::NoProvider => None,
        }
    }
}

fn clipped(asked: &str) -> String {
    format!("{asked:.80?}")
}

impl Lab {
    /// Makes a token as ordered, and records that it was forged.
    pub fn forge(&self, order: &Order) -> Result<Forged, ForgeError> {
        let began = Instant::now();
        let world = self.world();
        let named = order.resource.as_deref().map(|named| self.meant_resource(named));
        let own = self.callers_resource(&world);
        let path = format!("/{}", world.caller().tenant);
        for (index, mounted) in self.surfaces().iter().enumerate() {
            let surface = &mounted.surface;
            let asked_for = named.as_deref().or(own.as_deref()).unwrap_or_default();
            let is_callers = surface.token_call(&world, asked_for).is_some();
            let is_meant = order.issuer.as_deref().map_or(is_callers, |issuer| surface.name() == issuer);
            if !surface.forges() || !is_meant {
                continue;
            }
            let way = Way { entrance: &Entrance::Identity, host: "", path: &path, asker: None };
            let context = self.context(index, surface.machine(&world, &way));
            let mut trail = Trail::default();
            // What the caller wants by itself it asks of its own provider and of no other.
            let resource = named.clone().or_else(|| own.clone().filter(|_| is_callers));
            let order = Order { resource, ..order.clone() };
            let Some(made) = surface.forge(&context, &order, &mut trail) else { continue };
            let Made { token, header, claims } = made?;
            let defect = order.defect;
            trail.fact("defect", defect.map_or("none", Defect::word));
            let record = Record::of(Kind::Forged, &context, trail, began);
            let record = self.journal().commit(Record { endpoint: "forge".into(), ..record });
            return Ok(Forged { token, header, claims, defect, exchange: Arc::clone(&record.id) });
        }
        let known = || self.surfaces().iter().map(|mounted| &mounted.surface).filter(|one| one.forges());
        match &order.issuer {
            Some(asked) if !known().any(|one| one.name() == asked) => Err(ForgeError::Unknown {
                what: "issuer",
                asked: asked.clone(),
                known: known().map(|one| one.name().to_owned()).collect(),
            }),
            _ => Err(ForgeError::NoProvider),
        }
    }

    /// A short name as what a client would ask for.
    fn meant_resource(&self, named: &str) -> String {
        let host = self.place_called(named).map(|place| place.host).filter(|host| !host.is_empty());
        host.map_or_else(|| named.to_owned(), |host| format!("https://{host}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_has_a_word_of_its_own_and_is_read_by_it() {
        for defect in Defect::ALL {
            assert_eq!(Defect::of(defect.word()), Some(*defect));
            assert!(!defect.about().is_empty());
            let written = serde_json::to_string(defect).unwrap();
            assert_eq!(serde_json::from_str::<Defect>(&written).unwrap(), *defect);
        }
        let error = serde_json::from_str::<Defect>("\"no-aud\"").unwrap_err().to_string();
        assert!(error.contains("bad-signature, unknown-kid"), "{error}");
    }

    #[test]
    fn an_order_reads_back_what_it_wrote_and_knows_its_members() {
        let written = r#"{"resource":"onebox","version":2,"claims":{"a":null},"roles":[],"real_names":true,"defect":"expired"}"#;
        let order: Order = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&order).unwrap(), written);
        assert!(serde_json::from_str::<Order>(r#"{"audience":"x"}"#).is_err());
    }
}
