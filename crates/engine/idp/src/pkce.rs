//! Proof Key for Code Exchange: whoever redeems a code is who asked for it (RFC 7636).
//!
//! Decides what a challenge and a verifier may look like (43 to 128 unreserved characters), how one follows from the other,
//! and what is wrong by name. Compares without telling by its duration where two texts part. Never decides which methods
//! there are, whether a client has to take part, or what becomes of a code whose verifier was wrong: those are a provider's
//! policy. Mirrors RFC 7636 sections 4.1 to 4.6, and RFC 9700 section 2.1.1 where a policy asks for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::sha256;
use serde::{Deserialize, Serialize};

use crate::secret;

/// Fewest characters of a challenge or a verifier.
pub const LEAST: usize = 43;
/// Most characters of a challenge or a verifier.
pub const MOST: usize = 128;

/// How a challenge follows from its verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// It is the verifier itself.
    #[serde(rename = "plain")]
    Plain,
    /// It is the verifier's SHA-256 in URL-safe Base64 without padding.
    S256,
}

impl Method {
    /// Its registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::S256 => "S256",
        }
    }

    /// The method of that name; names have a letter case.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Plain, Self::S256].into_iter().find(|method| method.name() == name)
    }

    /// The challenge of a verifier.
    pub fn challenge(self, verifier: &str) -> String {
        match self {
            Self::Plain => verifier.to_owned(),
            // What is called the thumbprint of a certificate is the SHA-256 of whatever octets are handed in.
            Self::S256 => URL_SAFE_NO_PAD.encode(sha256(verifier)),
        }
    }
}

/// A provider's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pkce {
    /// The methods it takes.
    pub methods: &'static [Method],
    /// Whether a client has to send a challenge.
    pub required: bool,
    /// Whether a verifier is refused where there was no challenge (RFC 9700 section 2.1.1): somebody took the challenge out of
    /// the request on its way.
    pub refuses_unasked: bool,
}

/// What an authorization request challenges its redeemer with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// How it follows from its verifier.
    pub method: Method,
    /// As sent.
    pub value: String,
}

/// A text that is no challenge and no verifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misshapen {
    /// Too short or too long.
    #[error("it has {length} characters, not {LEAST} to {MOST}")]
    Length {
        /// How many it has.
        length: usize,
    },
    /// A character that is none of `A`-`Z`, `a`-`z`, `0`-`9`, `-`, `.`, `_`, `~`.
    #[error("its character {at} is {symbol:?}, which is not unreserved")]
    Symbol {
        /// The first such character.
        symbol: char,
        /// Where it stands, from 1.
        at: usize,
    },
}

/// What is wrong with the challenge of an authorization request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadChallenge {
    /// None was sent, and one is required.
    #[error("no challenge was sent, and one is required")]
    Missing,
    /// A method without a challenge.
    #[error("the method {method} was sent without a challenge")]
    MethodAlone {
        /// The method as sent.
        method: String,
    },
    /// A method that nobody has.
    #[error("{method} is no method")]
    UnknownMethod {
        /// The method as sent.
        method: String,
    },
    /// A method that this provider does not take; without a name it is `plain`.
    #[error("the method {} is not taken here{}", .method.name(), if *.named { "" } else { ", and no other was named" })]
    MethodNotTaken {
        /// The method.
        method: Method,
        /// Whether the request named it.
        named: bool,
    },
    /// It is no challenge.
    #[error("the challenge cannot be one: {0}")]
    Misshapen(#[from] Misshapen),
}

/// What is wrong with the verifier of a redemption.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadVerifier {
    /// None was sent, though there was a challenge.
    #[error("no verifier was sent, though there was a challenge")]
    Missing,
    /// One was sent, though there was no challenge.
    #[error("a verifier was sent, though there was no challenge")]
    Unasked,
    /// It is no verifier.
    #[error("the verifier cannot be one: {0}")]
    Misshapen(#[from] Misshapen),
    /// The challenge was sent where the verifier belongs.
    #[error("the challenge was sent in the place of the verifier")]
    IsTheChallenge,
    /// It is the verifier of another challenge.
    #[error("the challenge does not follow from the verifier by {}", .method.name())]
    Differs {
        /// How it should.
        method: Method,
    },
}

impl Pkce {
    /// Reads the challenge of an authorization request; an empty parameter is none.
    pub fn challenge(
        &self,
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Challenge>, BadChallenge> {
        let method = method.filter(|method| !method.is_empty());
        let Some(challenge) = challenge.filter(|challenge| !challenge.is_empty()) else {
            return match method {
                Some(method) => Err(BadChallenge::MethodAlone { method: method.to_owned() }),
                None if self.required => Err(BadChallenge::Missing),
                None => Ok(None),
            };
        };
        let named = method.is_some();
        let method = match method {
            Some(name) => {
                Method::named(name).ok_or_else(|| BadChallenge::UnknownMethod { method: name.to_owned() })?
            }
            None => Method::Plain,
        };
        if !self.methods.contains(&method) {
            return Err(BadChallenge::MethodNotTaken { method, named });
        }
        shaped(challenge)?;
        Ok(Some(Challenge { method, value: challenge.to_owned() }))
    }

    /// Judges the verifier of a redemption by the challenge that its code was asked for with; an empty parameter is none.
    pub fn verify(&self, challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), BadVerifier> {
        let verifier = verifier.filter(|verifier| !verifier.is_empty());
        match (challenge, verifier) {
            (None, None) => Ok(()),
            (None, Some(_)) if self.refuses_unasked => Err(BadVerifier::Unasked),
            (None, Some(_)) => Ok(()),
            (Some(_), None) => Err(BadVerifier::Missing),
            (Some(challenge), Some(verifier)) => challenge.verify(verifier),
        }
    }
}

impl Challenge {
    fn verify(&self, verifier: &str) -> Result<(), BadVerifier> {
        shaped(verifier)?;
        if secret::same(&self.value, &self.method.challenge(verifier)) {
            Ok(())
        } else if secret::same(&self.value, verifier) {
            Err(BadVerifier::IsTheChallenge)
        } else {
            Err(BadVerifier::Differs { method: self.method })
        }
    }
}

fn shaped(text: &str) -> Result<(), Misshapen> {
    let unreserved = |symbol: char| symbol.is_ascii_alphanumeric() || matches!(symbol, '-' | '.' | '_' | '~');
    let length = text.chars().count();
    if !(LEAST..=MOST).contains(&length) {
        return Err(Misshapen::Length { length });
    }
    match text.chars().enumerate().find(|(_, symbol)| !unreserved(*symbol)) {
        Some((at, symbol)) => Err(Misshapen::Symbol { symbol, at: at + 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    const ALL: Pkce =
        Pkce { methods: &[Method::S256, Method::Plain], required: false, refuses_unasked: true };
    const STRICT: Pkce = Pkce { methods: &[Method::S256], required: true, refuses_unasked: true };

    fn asked(method: Method) -> Challenge {
        ALL.challenge(Some(&method.challenge(VERIFIER)), Some(method.name())).unwrap().unwrap()
    }

    #[test]
    fn the_vectors_of_the_rfc_hold() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        assert_eq!(URL_SAFE_NO_PAD.encode(octets), VERIFIER);
        assert_eq!(Method::S256.challenge(VERIFIER), CHALLENGE);
        let challenge = ALL.challenge(Some(CHALLENGE), Some("S256")).unwrap();
        assert_eq!(ALL.verify(challenge.as_ref(), Some(VERIFIER)), Ok(()));
    }

    #[test]
    fn a_challenge_without_a_method_is_the_verifier_itself() {
        let challenge = ALL.challenge(Some(VERIFIER), None).unwrap();
        assert_eq!(challenge, Some(Challenge { method: Method::Plain, value: VERIFIER.to_owned() }));
        assert_eq!(challenge, ALL.challenge(Some(VERIFIER), Some("")).unwrap());
        assert_eq!(ALL.verify(challenge.as_ref(), Some(VERIFIER)), Ok(()));
    }

    #[test]
    fn what_is_wrong_with_a_challenge_has_its_name() {
        let said = |policy: &Pkce, challenge, method| policy.challenge(challenge, method).unwrap_err();
        let short = &CHALLENGE[1..];
        let (long, blank) = ("a".repeat(MOST + 1), CHALLENGE.replace('-', "+"));
        let unknown = |method: &str| BadChallenge::UnknownMethod { method: method.to_owned() };
        let untaken = |named| BadChallenge::MethodNotTaken { method: Method::Plain, named };
        assert_eq!(said(&STRICT, None, None), BadChallenge::Missing);
        assert_eq!(said(&STRICT, Some(""), None), BadChallenge::Missing);
        assert_eq!(said(&ALL, None, Some("S256")), BadChallenge::MethodAlone { method: "S256".into() });
        assert_eq!(said(&ALL, Some(CHALLENGE), Some("s256")), unknown("s256"));
        assert_eq!(said(&ALL, Some(CHALLENGE), Some("S512")), unknown("S512"));
        assert_eq!(said(&STRICT, Some(CHALLENGE), Some("plain")), untaken(true));
        assert_eq!(said(&STRICT, Some(CHALLENGE), None), untaken(false));
        for (wrong, why) in [
            (short, Misshapen::Length { length: 42 }),
            (&*long, Misshapen::Length { length: 129 }),
            (&*blank, Misshapen::Symbol { symbol: '+', at: 41 }),
        ] {
            assert_eq!(said(&ALL, Some(wrong), Some("S256")), BadChallenge::Misshapen(why));
        }
        assert_eq!(ALL.challenge(None, None), Ok(None));
        assert!(ALL.challenge(Some(&long[1..]), None).is_ok(), "128 are not too many");
        assert_eq!(untaken(false).to_string(), "the method plain is not taken here, and no other was named");
    }

    #[test]
    fn what_is_wrong_with_a_verifier_has_its_name() {
        let challenge = asked(Method::S256);
        let said = |verifier| ALL.verify(Some(&challenge), verifier).unwrap_err();
        assert_eq!(said(None), BadVerifier::Missing);
        assert_eq!(said(Some("")), BadVerifier::Missing);
        assert_eq!(said(Some(CHALLENGE)), BadVerifier::IsTheChallenge);
        let other = VERIFIER.replace('d', "e");
        assert_eq!(said(Some(&other)), BadVerifier::Differs { method: Method::S256 });
        let plain = asked(Method::Plain);
        let differs = Err(BadVerifier::Differs { method: Method::Plain });
        assert_eq!(ALL.verify(Some(&plain), Some(&other)), differs);
        assert_eq!(ALL.verify(Some(&plain), Some(CHALLENGE)), differs, "the digest is no plain verifier");
        let short = Misshapen::Length { length: 3 };
        assert_eq!(said(Some("abc")), BadVerifier::Misshapen(short));
        let umlaut = VERIFIER.replace('W', "\u{e4}");
        let symbol = Misshapen::Symbol { symbol: '\u{e4}', at: 33 };
        assert_eq!(said(Some(&umlaut)), BadVerifier::Misshapen(symbol));
    }

    #[test]
    fn a_verifier_that_nobody_asked_for_is_refused_where_the_policy_says_so() {
        assert_eq!(ALL.verify(None, Some(VERIFIER)), Err(BadVerifier::Unasked));
        let lenient = Pkce { refuses_unasked: false, ..ALL };
        assert_eq!(lenient.verify(None, Some(VERIFIER)), Ok(()));
        assert_eq!(ALL.verify(None, None), Ok(()));
        assert_eq!(ALL.verify(None, Some("")), Ok(()));
    }
}
