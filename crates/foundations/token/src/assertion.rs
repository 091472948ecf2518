//! The ladder of questions about a client assertion: a JWT signed with the key of a certificate of the client (RFC 7523
//! section 2.2), as any identity provider asks them.
//!
//! Decides what is asked, in which order, and what each question reads: what real SDKs write (numbers as strings and
//! floats, thumbprints in three encodings, `x5c` as one string, `aud` as string or list of one). `x5t` is looked up as a
//! SHA-1 and `x5t#S256` as a SHA-256; what else a client may have put there is said by [`Misspelt`]. The provider's
//! [`Policy`] names the questions, says whose audience it is and which certificates the client has, and puts a refusal in
//! its own words with its own remedy. `x5c` is never a key: the thumbprint has to be registered. `jti` is read, never
//! checked: SDKs send one assertion again for minutes. That every question which can be asked is asked, in this order, is
//! inferred.

mod misspelt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::{Algorithm, Certificate, PublicKey, Thumbprint, Thumbprint256};
use mocktenant_verdict::{Checklist, Finding, Question, Setting, Text, foreign};
use time::OffsetDateTime;

pub use self::misspelt::Misspelt;
use crate::bearer::{SignatureFinding, TimeFinding, TimeWindow, TrustedKey, verify_signature};
use crate::{Audience, Claims, Compact, KeyIdentifier, KeyMember, Malformed, NumericDate, X5c};

/// How much of what a client wrote a check shows, in characters.
const SHOWN: usize = 200;

/// The questions of the ladder, and the two of the provider's own that they wait for.
#[derive(Debug)]
pub struct Questions {
    /// Whether it is a JWT.
    pub well_formed: &'static Question,
    /// Whether it says to be a JWT of a kind that is taken.
    pub kind: &'static Question,
    /// Whether its algorithm is taken.
    pub algorithm: &'static Question,
    /// Whether it names a key.
    pub key_id: &'static Question,
    /// Whether it has the claims it needs.
    pub claims: &'static Question,
    /// Whether a client issued it.
    pub issuer: &'static Question,
    /// Whether it is about the one who issued it.
    pub subject: &'static Question,
    /// Whether it is the client's that asks.
    pub client_id: &'static Question,
    /// Whether it is for this provider.
    pub audience: &'static Question,
    /// Whether the client has the certificate.
    pub registered: &'static Question,
    /// Whether the signature is by that certificate's key.
    pub signature: &'static Question,
    /// Whether the certificate still holds.
    pub in_date: &'static Question,
    /// Whether it is asked in time.
    pub time: &'static Question,
    /// The provider's own: whether the request names a client.
    pub client_named: &'static Question,
    /// The provider's own: whether it knows that client.
    pub client_known: &'static Question,
}

impl Questions {
    /// Those about the assertion alone, in the order asked.
    pub const fn of_token(&self) -> [&'static Question; 8] {
        [
            self.well_formed,
            self.kind,
            self.algorithm,
            self.key_id,
            self.claims,
            self.issuer,
            self.subject,
            self.client_id,
        ]
    }

    /// Those about what the provider knows of the client, in the order asked.
    pub const fn of_client(&self) -> [&'static Question; 5] {
        [self.audience, self.registered, self.signature, self.in_date, self.time]
    }
}

/// What is wrong with an assertion.
#[derive(Debug)]
pub enum Failure<'f> {
    /// It cannot be read, or not as a whole: no JWT, a `crit` nobody knows, an `aud` or a time of another type.
    Malformed,
    /// A `typ` that is not taken.
    KindUnsupported {
        /// `typ` as sent.
        typ: &'f str,
    },
    /// An algorithm that the provider does not take.
    AlgorithmUnsupported {
        /// `alg` as sent.
        alg: &'f str,
    },
    /// None of `x5t#S256`, `x5t` and `kid`.
    KeyIdMissing,
    /// A claim it needs is not there.
    ClaimMissing {
        /// Its name.
        claim: &'static str,
    },
    /// Issued by somebody who can be no client.
    IssuerExternal {
        /// `iss`.
        issuer: &'f str,
    },
    /// `sub` is not `iss`.
    SubjectDiffers,
    /// `iss` is not the client that asks.
    ClientIdDiffers,
    /// More than one audience.
    AudienceTooMany {
        /// How many.
        count: usize,
    },
    /// The client has no such certificate.
    KeyUnknown {
        /// The bytes of the first key identifier that encodes any.
        sent: Option<&'f [u8]>,
        /// The same as a person knows it (see [`Assertion::thumbprint`]).
        thumbprint: Option<&'f str>,
        /// What is wrong with how the header writes it: then the certificate may well be there.
        misspelt: Option<&'f Misspelt>,
        /// The assertion.
        assertion: &'f Assertion<'f>,
    },
    /// The certificate has no key that can verify.
    KeyUnsupported,
    /// Signed with another key than the certificate's.
    SignatureWrong {
        /// What the header calls the certificate.
        named: String,
        /// The certificate.
        certificate: &'f Certificate,
    },
    /// The certificate has not begun.
    CertificateNotYetValid {
        /// What the header calls the certificate.
        named: String,
        /// The certificate.
        certificate: &'f Certificate,
    },
    /// The certificate has ended.
    CertificateExpired {
        /// What the header calls the certificate.
        named: String,
        /// The certificate.
        certificate: &'f Certificate,
    },
    /// Outside `nbf` and `exp`.
    OutOfTime {
        /// `nbf`, where it can be read.
        from: Option<NumericDate>,
        /// `exp`, where it can be read.
        until: Option<NumericDate>,
    },
}

/// What an identity provider has to say about client assertions.
pub trait Policy {
    /// Its own error.
    type Error;

    /// How far `nbf` and `exp` may be off.
    const WINDOW: TimeWindow;

    /// What `typ` may be, in any letter case; it may always be absent. None listed: whatever it likes.
    const KINDS: &'static [&'static str];

    /// The same as a check expects it.
    const KINDS_EXPECTED: &'static str;

    /// What it may be signed with.
    const ALGORITHMS: &'static [Algorithm] = &Algorithm::ALL;

    /// The same as a check expects it.
    const ALGORITHMS_EXPECTED: &'static str = "RS256, RS384, RS512, PS256, PS384 or PS512";

    /// Its questions.
    fn questions(&self) -> &'static Questions;

    /// The client the request names, if it names one.
    fn client_id(&self) -> Option<&str>;

    /// Whether this could be a client at all; what could not is another issuer's assertion.
    fn could_be_client(&self, issuer: &str) -> bool;

    /// Whether it is for this provider.
    fn audience(&self, sole: &str) -> Finding<Self::Error>;

    /// An audience that would be taken, shown beside one that was taken or `refused`.
    fn accepted_audience(&self, refused: bool) -> Text;

    /// What the audience depends on.
    fn audience_settings(&self) -> Vec<Setting>;

    /// The client's certificates; `None` where there is no such client.
    fn certificates(&self) -> Option<&[Certificate]>;

    /// Where the client's certificates are declared, or the one with this SHA-1 thumbprint.
    fn declared_at(&self, thumbprint: Option<&str>) -> Option<Setting>;

    /// A certificate of another client, so that a refusal can name it by SHA-1 too.
    fn anybodys(&self, thumbprint: &Thumbprint256) -> Option<&Certificate>;

    /// A date of a certificate as the provider's texts print it.
    fn date(&self, moment: OffsetDateTime) -> String;

    /// A refusal: the provider's error, and what would mend it.
    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<Self::Error>;
}

/// A client assertion, taken apart.
#[derive(Debug)]
pub struct Assertion<'r>(Result<Compact<'r>, Malformed>);

impl<'r> Assertion<'r> {
    /// Takes a token apart, believing none of it.
    pub fn read(token: &'r str) -> Self {
        Self(Compact::parse(token))
    }

    /// Its `sub`.
    pub fn subject(&self) -> Option<&str> {
        self.claim("sub")
    }

    /// Its `iss`.
    pub fn issuer(&self) -> Option<&str> {
        self.claim("iss")
    }

    /// Its `jti`.
    pub fn id(&self) -> Option<&str> {
        self.claim("jti")
    }

    fn claim(&self, name: &str) -> Option<&str> {
        self.parts()?.claims().text(name).filter(|text| !text.is_empty())
    }

    fn parts(&self) -> Option<&Compact<'r>> {
        self.0.as_ref().ok()
    }

    /// The certificate it brings along, if that is the one it names. Never a key to verify with: something to propose.
    pub fn leaf(&self) -> Option<Certificate> {
        let parts = self.parts()?;
        let X5c::Certificates(chain) = parts.header().x5c() else { return None };
        let leaf = Certificate::from_der(&STANDARD.decode(chain.first()?).ok()?).ok()?;
        parts.header().key_identifiers().iter().any(|identifier| names(identifier, &leaf)).then_some(leaf)
    }

    /// The thumbprint of the key it says it used, in upper-case hex. Windows, configuration files and portals know
    /// certificates by SHA-1: it is said that way wherever the certificate is at hand, at the client as a rule, at another
    /// one or in the assertion itself when it is refused.
    pub fn thumbprint(&self, policy: &impl Policy) -> Option<Text> {
        let parts = self.parts()?;
        let identifiers = parts.header().key_identifiers();
        let bytes = identifiers.iter().find_map(|identifier| identifier.bytes.as_deref())?;
        let own = policy.certificates().unwrap_or_default();
        if let Some(named) = own.iter().find(|one| identifiers.iter().any(|sent| names(sent, one))) {
            return Some(named.thumbprint_text().into());
        }
        let means = Misspelt::of(parts.header()).and_then(|misspelt| misspelt.means);
        if let Some(meant) = means.and_then(|means| own.iter().find(|one| means.is(one))) {
            return Some(meant.thumbprint_text().into());
        }
        let Ok(sha256) = Thumbprint256::try_from(bytes) else { return Some(excerpt(&hex(bytes))) };
        let known = own
            .iter()
            .find(|certificate| certificate.thumbprint256() == sha256)
            .or_else(|| policy.anybodys(&sha256))
            .map(|certificate| Text::from(certificate.thumbprint_text()));
        let sent = || match parts.header().x5c() {
            X5c::Certificates(chain) => chain
                .first()
                .and_then(|leaf| STANDARD.decode(leaf).ok())
                .filter(|der| Thumbprint256::of_der(der) == sha256)
                .map(|der| Thumbprint::of_der(&der).to_string().into()),
            X5c::Missing | X5c::Invalid => None,
        };
        Some(known.or_else(sent).unwrap_or_else(|| hex(bytes).into()))
    }

    /// Asks what can be asked of the assertion alone. A header with an unknown `crit` is no reason not to ask the rest:
    /// what waits for the parts waits for there being any.
    pub fn ask_token<P: Policy>(&self, list: &mut Checklist<'_, P::Error>, policy: &P) {
        let questions = policy.questions();
        list.ask(questions.well_formed, "a JWT", Vec::new(), || match &self.0 {
            Err(malformed) => policy.refuse(malformed.to_string().into(), Failure::Malformed),
            Ok(parts) => match parts.unknown_crit() {
                crit if crit.is_empty() => Finding::pass("three parts, header and claims are JSON"),
                crit => {
                    let actual = format!("a header with crit {}", excerpt(&crit.join(", ")));
                    policy.refuse(actual.into(), Failure::Malformed)
                }
            },
        });
        let parts = self.parts();
        list.ask(questions.kind, P::KINDS_EXPECTED, Vec::new(), || {
            given(parts, questions.well_formed, |parts| match parts.header().text("typ") {
                None | Some("") => Finding::pass("no typ"),
                _ if P::KINDS.is_empty() => Finding::pass("any"),
                Some(typ) if P::KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(typ)) => {
                    Finding::pass("one of them")
                }
                Some(typ) => policy.refuse(excerpt(typ), Failure::KindUnsupported { typ }),
            })
        });
        list.ask(questions.algorithm, P::ALGORITHMS_EXPECTED, Vec::new(), || {
            given(parts, questions.well_formed, |parts| {
                let alg = parts.header().alg().unwrap_or_default();
                match Algorithm::from_name(alg).filter(|algorithm| P::ALGORITHMS.contains(algorithm)) {
                    Some(algorithm) => Finding::pass(algorithm.name()),
                    None => {
                        let actual = if alg.is_empty() { "no alg".into() } else { excerpt(alg) };
                        policy.refuse(actual, Failure::AlgorithmUnsupported { alg })
                    }
                }
            })
        });
        list.ask(questions.key_id, "x5t#S256, x5t or kid", Vec::new(), || {
            given(parts, questions.well_formed, |parts| match parts.header().key_identifiers().first() {
                Some(identifier) => Finding::pass(identifier.member.name()),
                None => policy.refuse("none of them".into(), Failure::KeyIdMissing),
            })
        });
        list.ask(questions.claims, "iss, aud and exp", Vec::new(), || {
            given(parts, questions.well_formed, |parts| self.claims(parts.claims(), policy))
        });
        self.ask_names(list, policy);
    }

    fn claims<P: Policy>(&self, claims: Claims<'_>, policy: &P) -> Finding<P::Error> {
        let missing = |claim| policy.refuse(format!("no {claim}").into(), Failure::ClaimMissing { claim });
        match (self.issuer(), claims.audience(), claims.time("exp"), claims.time("nbf")) {
            (None, ..) => missing("iss"),
            (_, Audience::Missing, ..) => missing("aud"),
            (_, Audience::Invalid, ..) => policy.refuse("an aud that is no text".into(), Failure::Malformed),
            (_, Audience::Many(many), ..) if many.is_empty() => missing("aud"),
            (_, _, Ok(None), _) => missing("exp"),
            (_, _, Err(bad), _) | (_, _, _, Err(bad)) => {
                policy.refuse(bad.to_string().into(), Failure::Malformed)
            }
            (_, _, Ok(Some(_)), Ok(_)) => Finding::pass("iss, aud and exp"),
        }
    }

    /// Who issued it, about whom.
    fn ask_names<P: Policy>(&self, list: &mut Checklist<'_, P::Error>, policy: &P) {
        let questions = policy.questions();
        let wanting = if self.0.is_ok() { questions.claims } else { questions.well_formed };
        let issuer = self.issuer();
        let is_client =
            |issuer: &str| policy.client_id().is_some_and(|client_id| client_id.eq_ignore_ascii_case(issuer));
        let own = |issuer: &str| is_client(issuer) || policy.could_be_client(issuer);
        list.ask(questions.issuer, "the client id", Vec::new(), || {
            given(issuer, wanting, |issuer| {
                if own(issuer) {
                    return Finding::pass("the client id");
                }
                policy.refuse(excerpt(issuer), Failure::IssuerExternal { issuer })
            })
        });
        list.ask(questions.subject, "the same as iss", Vec::new(), || {
            given(issuer, wanting, |issuer| match self.subject().unwrap_or_default() {
                _ if !own(issuer) => Finding::not_applicable("the issuer is no client"),
                subject if subject.eq_ignore_ascii_case(issuer) => Finding::pass("the same"),
                subject => policy.refuse(excerpt(subject), Failure::SubjectDiffers),
            })
        });
        list.ask(questions.client_id, "the client_id of the request", Vec::new(), || {
            given(issuer, wanting, |issuer| match policy.client_id() {
                _ if !own(issuer) => Finding::not_applicable("the issuer is no client"),
                None => Finding::skip(questions.client_named.name),
                Some(_) if is_client(issuer) => Finding::pass("the same"),
                Some(_) => policy.refuse(excerpt(issuer), Failure::ClientIdDiffers),
            })
        });
    }

    /// Asks what can be asked of what the provider knows of the client, at `now`.
    pub fn ask_client<P: Policy>(&self, list: &mut Checklist<'_, P::Error>, policy: &P, now: OffsetDateTime) {
        let questions = policy.questions();
        let parts = self.parts();
        let finding = given(parts, questions.well_formed, |parts| {
            let audience = parts.claims().audience();
            match (audience.sole(), audience.all().len()) {
                (None, 0) => Finding::skip(questions.claims.name),
                (None, count) => {
                    policy.refuse(format!("{count} values").into(), Failure::AudienceTooMany { count })
                }
                (Some(sole), _) => policy.audience(sole),
            }
        });
        let expected = policy.accepted_audience(matches!(finding, Finding::Fail { .. }));
        list.ask(questions.audience, expected, || policy.audience_settings(), finding);
        self.ask_key(list, policy, now);
        list.ask(questions.time, P::WINDOW.expected(), Vec::new(), || {
            given(parts, questions.well_formed, |parts| time(parts.claims(), policy, now))
        });
    }

    fn ask_key<P: Policy>(&self, list: &mut Checklist<'_, P::Error>, policy: &P, now: OffsetDateTime) {
        let questions = policy.questions();
        let parts = self.parts();
        let identifiers = parts.map(|parts| parts.header().key_identifiers()).unwrap_or_default();
        let certificates = policy.certificates();
        let found = identifiers.iter().find_map(|identifier| {
            let certificate = certificates?.iter().find(|certificate| names(identifier, certificate))?;
            Some((certificate, identifier))
        });
        let expected = "a certificate of the application";
        if let Some((certificate, _)) = found {
            let settings = || declared(policy, Some(certificate.thumbprint_text()));
            list.ask(questions.registered, expected, settings, Finding::pass(certificate.thumbprint_text()));
        } else if parts.is_none() {
            list.ask(questions.registered, expected, Vec::new(), || {
                Finding::skip(questions.well_formed.name)
            });
        } else {
            let thumbprint = self.thumbprint(policy);
            let misspelt = parts.and_then(|parts| Misspelt::of(parts.header()));
            let settings = || match &misspelt {
                // The header alone is wrong.
                Some(_) => Vec::new(),
                None => declared(policy, thumbprint.as_deref()),
            };
            list.ask(questions.registered, expected, settings, || {
                if certificates.is_none() {
                    return Finding::skip(questions.client_known.name);
                }
                if identifiers.is_empty() {
                    return Finding::skip(questions.key_id.name);
                }
                let sent = identifiers.iter().find_map(|identifier| identifier.bytes.as_deref());
                let actual = match (&thumbprint, &misspelt) {
                    (Some(thumbprint), Some(misspelt)) => format!("{thumbprint}: {}", misspelt.holds).into(),
                    (Some(thumbprint), None) => thumbprint.clone(),
                    (None, Some(misspelt)) => misspelt.holds.into(),
                    (None, None) => "no thumbprint".into(),
                };
                let (thumbprint, misspelt) = (thumbprint.as_deref(), misspelt.as_ref());
                policy.refuse(actual, Failure::KeyUnknown { sent, thumbprint, misspelt, assertion: self })
            });
        }
        let settings = || {
            let own = found.and_then(|(found, _)| policy.declared_at(Some(found.thumbprint_text())));
            own.into_iter().collect::<Vec<_>>()
        };
        list.ask(questions.signature, "a signature by the certificate's key", settings, || {
            given(parts.zip(found), questions.registered, |(parts, (certificate, identifier))| {
                signature(parts, certificate, identifier, policy)
            })
        });
        list.ask(questions.in_date, "begun and not expired", settings, || {
            given(found, questions.registered, |(certificate, identifier)| {
                if now < certificate.not_before() {
                    let named = named(identifier);
                    let actual = format!("valid from {}", policy.date(certificate.not_before()));
                    return policy
                        .refuse(actual.into(), Failure::CertificateNotYetValid { named, certificate });
                }
                if now <= certificate.not_after() {
                    return Finding::pass("in date");
                }
                let named = named(identifier);
                let actual = format!("valid to {}", policy.date(certificate.not_after()));
                policy.refuse(actual.into(), Failure::CertificateExpired { named, certificate })
            })
        });
    }
}

/// Where a certificate would be declared, and where all of the client's are.
fn declared(policy: &impl Policy, thumbprint: Option<&str>) -> Vec<Setting> {
    let own = thumbprint.and_then(|thumbprint| policy.declared_at(Some(thumbprint)));
    own.into_iter().chain(policy.declared_at(None)).collect()
}

fn signature<P: Policy>(
    parts: &Compact<'_>,
    certificate: &Certificate,
    identifier: &KeyIdentifier<'_>,
    policy: &P,
) -> Finding<P::Error> {
    let key = match certificate.public_key() {
        Ok(key) => key,
        Err(error) => return policy.refuse(error.to_string().into(), Failure::KeyUnsupported),
    };
    match verify_signature(parts, &trusted(key)) {
        SignatureFinding::Valid { .. } => Finding::pass("a valid signature"),
        found => {
            let named = named(identifier);
            policy.refuse(found.to_string().into(), Failure::SignatureWrong { named, certificate })
        }
    }
}

fn time<P: Policy>(claims: Claims<'_>, policy: &P, now: OffsetDateTime) -> Finding<P::Error> {
    match P::WINDOW.judge(claims, now) {
        TimeFinding::Within { .. } => Finding::pass("within"),
        TimeFinding::ExpMissing | TimeFinding::Unreadable(_) => Finding::skip(policy.questions().claims.name),
        found => {
            let date = |name| claims.time(name).ok().flatten();
            let failure = Failure::OutOfTime { from: date("nbf"), until: date("exp") };
            policy.refuse(found.to_string().into(), failure)
        }
    }
}

/// The answer that can be given with a value; without it the question waits for the one that gives it.
fn given<T, E>(value: Option<T>, by: &'static Question, answer: impl FnOnce(T) -> Finding<E>) -> Finding<E> {
    value.map_or_else(|| Finding::skip(by.name), answer)
}

/// A key that was selected already, so that its names no longer matter.
fn trusted(key: &PublicKey) -> TrustedKey {
    TrustedKey { kid: None, thumbprint: None, thumbprint256: None, public_key: key.clone() }
}

/// Whether an identifier names a certificate: `x5t` by its SHA-1, `x5t#S256` by its SHA-256, `kid` by either.
fn names(identifier: &KeyIdentifier<'_>, certificate: &Certificate) -> bool {
    let Some(bytes) = identifier.bytes.as_deref() else { return false };
    let sha1 = || certificate.thumbprint().as_bytes() == bytes;
    let sha256 = || certificate.thumbprint256().as_bytes() == bytes;
    match identifier.member {
        KeyMember::X5t => sha1(),
        KeyMember::X5tS256 => sha256(),
        KeyMember::Kid => sha1() || sha256(),
    }
}

/// What the header calls its certificate: in hex where it is a thumbprint.
fn named(identifier: &KeyIdentifier<'_>) -> String {
    identifier.bytes.as_deref().map_or_else(|| identifier.text.to_owned(), hex)
}

fn excerpt(text: &str) -> Text {
    foreign::excerpt(text, SHOWN).into_owned().into()
}

/// Upper-case hex, as Windows prints thumbprints.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
