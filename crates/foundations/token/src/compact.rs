//! A compact JWS taken apart (RFC 7515 section 7.1), believing none of it.
//!
//! Decides whether a text is three base64url parts of which the first two are unambiguous JSON objects. Never verifies a
//! signature (see [`crate::bearer`]) and never obeys the header: `jwk`, `jku` and `x5u` are neither used nor fetched, the
//! accessors do not even offer them, and `crit` is only listed, because no extension is understood here.
//! Stricter than the libraries it stands in for on purpose: a duplicate member is refused, since two readers could
//! disagree about it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::strict_json::{self, Defect};
use crate::{Claims, Header};

/// Longest accepted token: 64 KiB.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A part of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The JOSE header, before the first dot.
    Header,
    /// The claims, between the dots.
    Claims,
    /// The signature, after the second dot.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}

/// Why a text is not a token at all. Foreign text in it is cut to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the token is {bytes} bytes long, more than {MAX_TOKEN_BYTES}")]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
    /// Not three parts.
    #[error("the token has {found} part(s) between dots, not three")]
    PartCount {
        /// How many parts there are.
        found: usize,
    },
    /// A part is not base64url without padding (RFC 7515 section 2); `=` is refused too.
    #[error("the {part} is not base64url without padding: {why}")]
    NotBase64Url {
        /// Which part.
        part: Part,
        /// What the decoder says.
        why: String,
    },
    /// A part is not JSON in UTF-8.
    #[error("the {part} is not JSON: {why}")]
    NotJson {
        /// Which part.
        part: Part,
        /// What the parser says, with line and column.
        why: String,
    },
    /// A part is JSON, but not an object.
    #[error("the {part} is {found}, not a JSON object")]
    NotAnObject {
        /// Which part.
        part: Part,
        /// What it is, for instance `an array`.
        found: &'static str,
    },
    /// An object in a part names one member twice.
    #[error("the {part} names the member \"{member}\" twice")]
    DuplicateMember {
        /// Which part.
        part: Part,
        /// The member.
        member: String,
    },
    /// A part nests arrays and objects more than 32 deep.
    #[error("the {part} is nested too deeply")]
    TooDeep {
        /// Which part.
        part: Part,
    },
}

/// A compact JWS in parts. Borrows the signing input from the text it was parsed from.
#[derive(Clone, Debug)]
pub struct Compact<'t> {
    signing_input: &'t str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

impl<'t> Compact<'t> {
    /// Takes a compact JWS apart. White space around it is not removed. An empty signature is accepted here, so that
    /// `alg` `none` can be named by whoever refuses it.
    pub fn parse(token: &'t str) -> Result<Self, Malformed> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Malformed::TooLarge { bytes: token.len() });
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformed::PartCount { found: token.split('.').count() });
        };
        Ok(Self {
            signing_input: &token[..header.len() + 1 + claims.len()],
            header: object(Part::Header, header)?,
            claims: object(Part::Claims, claims)?,
            signature: decode(Part::Signature, signature)?,
        })
    }

    /// The header, as untrusted as the rest.
    pub fn header(&self) -> Header<'_> {
        Header::new(&self.header)
    }

    /// The claims.
    pub fn claims(&self) -> Claims<'_> {
        Claims::new(&self.claims)
    }

    /// The bytes the signature covers: header, dot and claims as they were sent.
    pub fn signing_input(&self) -> &'t [u8] {
        self.signing_input.as_bytes()
    }

    /// The signature's bytes; empty for an unsigned token.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What the header's `crit` lists (RFC 7515 section 4.1.11). Nothing is understood here, so whatever it lists is
    /// unknown: empty exactly when the header has no `crit`. A `crit` that is not a list of names is listed as its JSON.
    pub fn unknown_crit(&self) -> Vec<String> {
        match self.header.get("crit") {
            None => Vec::new(),
            Some(Value::Array(names)) if !names.is_empty() => names
                .iter()
                .map(|name| {
                    strict_json::excerpt(&name.as_str().map_or_else(|| name.to_string(), str::to_owned))
                })
                .collect(),
            Some(other) => vec![strict_json::excerpt(&other.to_string())],
        }
    }
}

fn decode(part: Part, text: &str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| Malformed::NotBase64Url { part, why: error.to_string() })
}

fn object(part: Part, text: &str) -> Result<Map<String, Value>, Malformed> {
    strict_json::object(&decode(part, text)?).map_err(|defect| match defect {
        Defect::Syntax(why) => Malformed::NotJson { part, why },
        Defect::NotAnObject(found) => Malformed::NotAnObject { part, found },
        Defect::Duplicate(member) => Malformed::DuplicateMember { part, member },
        Defect::TooDeep => Malformed::TooDeep { part },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_signing_input_is_the_text_as_sent() {
        let text = token(r#"{ "alg" : "RS256" }"#, "{}");
        let compact = Compact::parse(&text).unwrap();
        assert_eq!(compact.signing_input(), text.rsplit_once('.').unwrap().0.as_bytes());
        assert_eq!(compact.signature(), [0, 0, 0]);
        assert_eq!(compact.header().alg(), Some("RS256"));
    }

    #[test]
    fn each_defect_is_named_with_its_part() {
        assert_eq!(Compact::parse("").unwrap_err(), Malformed::PartCount { found: 1 });
        assert_eq!(Compact::parse("a.b.c.d.e").unwrap_err(), Malformed::PartCount { found: 5 });
        assert!(matches!(
            Compact::parse("e30=.e30.").unwrap_err(),
            Malformed::NotBase64Url { part: Part::Header, .. }
        ));
        assert!(matches!(
            Compact::parse("e30.e30.+/").unwrap_err(),
            Malformed::NotBase64Url { part: Part::Signature, .. }
        ));
        assert!(matches!(
            Compact::parse(&token("{}", "nope")).unwrap_err(),
            Malformed::NotJson { part: Part::Claims, .. }
        ));
        assert_eq!(
            Compact::parse(&token("[]", "{}")).unwrap_err(),
            Malformed::NotAnObject { part: Part::Header, found: "an array" }
        );
        assert_eq!(
            Compact::parse(&token(r#"{"alg":"RS256","alg":"none"}"#, "{}")).unwrap_err(),
            Malformed::DuplicateMember { part: Part::Header, member: "alg".to_owned() }
        );
        assert_eq!(
            Compact::parse(&token("{}", r#"{"cnf":{"a":1,"a":2}}"#)).unwrap_err(),
            Malformed::DuplicateMember { part: Part::Claims, member: "a".to_owned() }
        );
    }

    #[test]
    fn a_token_over_the_limit_is_refused_before_it_is_decoded() {
        let long = "a".repeat(MAX_TOKEN_BYTES + 1);
        assert_eq!(Compact::parse(&long).unwrap_err(), Malformed::TooLarge { bytes: MAX_TOKEN_BYTES + 1 });
    }

    #[test]
    fn every_form_of_crit_counts_as_unknown() {
        let crit = |header: &str| Compact::parse(&token(header, "{}")).unwrap().unknown_crit();
        assert_eq!(crit("{}"), Vec::<String>::new());
        assert_eq!(crit(r#"{"crit":["b64","exp"]}"#), ["b64", "exp"]);
        assert_eq!(crit(r#"{"crit":[]}"#), ["[]"]);
        assert_eq!(crit(r#"{"crit":"b64"}"#), ["\"b64\""]);
        assert_eq!(crit(r#"{"crit":null}"#), ["null"]);
        assert_eq!(crit(r#"{"crit":[1]}"#), ["1"]);
    }

    #[test]
    fn an_error_never_repeats_a_long_foreign_text() {
        let name = "n".repeat(10_000);
        let error = Compact::parse(&token(&format!(r#"{{"{name}":1,"{name}":2}}"#), "{}")).unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
