//! What a JOSE header says, read as leniently as real clients write it.
//!
//! Decides how a key may be named: `x5t#S256` and `x5t` in base64url with or without padding or in standard base64,
//! because MSAL for Go and Java send standard base64 and MSAL for Python pads; `kid` in hex besides. `x5c` may be one
//! string instead of an array, as MSAL.NET writes it. Never offers `jwk`, `jku` or `x5u`: nothing a token brings along is a key.

use std::fmt;

use mocktenant_keys::{decode_hash_member, decode_key_identifier};
use serde_json::{Map, Value};

/// A view of a token's header. Members of the wrong JSON type read as absent.
#[derive(Clone, Copy, Debug)]
pub struct Header<'t>(&'t Map<String, Value>);

/// The header member a key identifier came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyMember {
    /// `x5t#S256`: SHA-256 of the certificate (RFC 7515 section 4.1.8).
    X5tS256,
    /// `x5t`: SHA-1 of the certificate (RFC 7515 section 4.1.7).
    X5t,
    /// `kid` (RFC 7515 section 4.1.4).
    Kid,
}

impl KeyMember {
    /// The member's name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X5tS256 => "x5t#S256",
            Self::X5t => "x5t",
            Self::Kid => "kid",
        }
    }
}

impl fmt::Display for KeyMember {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One way the header names its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyIdentifier<'t> {
    /// Where it stands.
    pub member: KeyMember,
    /// As it was sent.
    pub text: &'t str,
    /// What it encodes. Of `x5t#S256` and `x5t` whatever their base64 stands for, of `kid` a thumbprint of 20 or 32 bytes;
    /// `None` where it encodes nothing of the kind.
    pub bytes: Option<Vec<u8>>,
}

/// The header's `x5c`: certificates in standard base64 DER, the leaf first, not decoded and not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum X5c<'t> {
    /// There is none.
    Missing,
    /// An array of strings, or one string.
    Certificates(Vec<&'t str>),
    /// Neither: an empty array, or something other than a string in it.
    Invalid,
}

impl<'t> Header<'t> {
    /// A view of header members parsed elsewhere.
    pub fn new(members: &'t Map<String, Value>) -> Self {
        Self(members)
    }

    /// The members, in the order sent.
    pub fn members(self) -> &'t Map<String, Value> {
        self.0
    }

    /// A member that is a string.
    pub fn text(self, name: &str) -> Option<&'t str> {
        self.0.get(name)?.as_str()
    }

    /// `alg`, as sent: not necessarily an algorithm anyone knows.
    pub fn alg(self) -> Option<&'t str> {
        self.text("alg")
    }

    /// `kid`, as sent.
    pub fn kid(self) -> Option<&'t str> {
        self.text("kid")
    }

    /// `x5t`, as sent.
    pub fn x5t(self) -> Option<&'t str> {
        self.text("x5t")
    }

    /// `x5t#S256`, as sent.
    pub fn x5t_s256(self) -> Option<&'t str> {
        self.text("x5t#S256")
    }

    /// `x5c`.
    pub fn x5c(self) -> X5c<'t> {
        match self.0.get("x5c") {
            None | Some(Value::Null) => X5c::Missing,
            Some(Value::String(one)) => X5c::Certificates(vec![one]),
            Some(Value::Array(items)) if !items.is_empty() => items
                .iter()
                .map(Value::as_str)
                .collect::<Option<Vec<_>>>()
                .map_or(X5c::Invalid, X5c::Certificates),
            Some(_) => X5c::Invalid,
        }
    }

    /// The key identifiers that are present and not empty: `x5t#S256`, then `x5t`, then `kid`.
    pub fn key_identifiers(self) -> Vec<KeyIdentifier<'t>> {
        [(KeyMember::X5tS256, self.x5t_s256()), (KeyMember::X5t, self.x5t()), (KeyMember::Kid, self.kid())]
            .into_iter()
            .filter_map(|(member, text)| {
                let text = text.filter(|text| !text.is_empty())?;
                let bytes = match member {
                    KeyMember::Kid => decode_key_identifier(text),
                    KeyMember::X5tS256 | KeyMember::X5t => decode_hash_member(text),
                };
                Some(KeyIdentifier { member, text, bytes })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            _ => panic!("an object"),
        }
    }

    #[test]
    fn x5c_is_read_as_an_array_or_as_a_single_string() {
        let x5c = |value: Value| {
            let members = members(json!({ "x5c": value }));
            match Header::new(&members).x5c() {
                X5c::Certificates(all) => all.join(","),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(x5c(json!("MII")), "MII");
        assert_eq!(x5c(json!(["MII", "MIJ"])), "MII,MIJ");
        assert_eq!(x5c(json!([])), "Invalid");
        assert_eq!(x5c(json!([1])), "Invalid");
        assert_eq!(x5c(json!({})), "Invalid");
        assert_eq!(x5c(json!(null)), "Missing");
    }

    #[test]
    fn a_thumbprint_reads_the_same_in_every_spelling_clients_use() {
        let bytes: Vec<u8> = (236..=255).collect();
        let hex = "ECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF";
        let read = |member: &str, text: &str| {
            let members = members(json!({ member: text }));
            let found = Header::new(&members).key_identifiers();
            assert_eq!((found.len(), found[0].member.name()), (1, member));
            found[0].bytes.clone()
        };
        for text in
            ["7O3u7_Dx8vP09fb3-Pn6-_z9_v8", "7O3u7_Dx8vP09fb3-Pn6-_z9_v8=", "7O3u7/Dx8vP09fb3+Pn6+/z9/v8="]
        {
            for member in ["x5t", "x5t#S256", "kid"] {
                assert_eq!(read(member, text).as_ref(), Some(&bytes), "{member} {text}");
            }
        }
        // In hex it is a thumbprint as a `kid` alone: elsewhere it is base64 like any other.
        assert_eq!(read("kid", hex), Some(bytes));
        assert_eq!(read("x5t", hex).map(|bytes| bytes.len()), Some(30));
    }

    #[test]
    fn key_identifiers_come_strongest_first_and_empty_ones_do_not_count() {
        let members = members(json!({ "kid": "my-key", "x5t": "", "x5t#S256": "short", "alg": 5 }));
        let header = Header::new(&members);
        let found = header.key_identifiers();
        assert_eq!(
            found.iter().map(|id| id.member).collect::<Vec<_>>(),
            [KeyMember::X5tS256, KeyMember::Kid]
        );
        assert_eq!(found[0].bytes, None);
        assert_eq!(found[1], KeyIdentifier { member: KeyMember::Kid, text: "my-key", bytes: None });
        assert_eq!(header.alg(), None);
    }
}
