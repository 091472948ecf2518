//! Client assertions: a JWT signed with the key of a certificate of the application (RFC 7523 section 2.2).
//!
//! Decides the order in which an assertion is judged and the AADSTS code of each failure. Reads what real SDKs write:
//! numbers as strings and floats, thumbprints in three encodings, `x5c` as one string, `aud` as string or list of one.
//! `x5c` is never a key: without subject-name-and-issuer trust the thumbprint has to be registered. `jti` is recorded,
//! never checked: SDKs send one assertion again for minutes. The order of the checks and the five minutes of skew are
//! inferred.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::{Algorithm, Certificate, PublicKey, Thumbprint, Thumbprint256};
use mocktenant_lab::request::HostName;
use mocktenant_token::bearer::{TimeFinding, TimeWindow, TrustedKey, verify_signature};
use mocktenant_token::{Audience, Compact, KeyIdentifier, Malformed, NumericDate, X5c};
use mocktenant_verdict::{Finding, Text};
use mocktenant_world::{Application, is_guid};
use time::{Duration, OffsetDateTime};

use crate::authority::{STS_HOST, WORLD_HOSTS};
use crate::client_auth::{Checks, excerpt};
use crate::envelope::{invariant, round_trip};
use crate::errors::EntraError;
use crate::prepared::{Prepared, PreparedTenant};

const WELL_FORMED: &str = "assertion-well-formed";
const ALGORITHM: &str = "assertion-algorithm";
const KEY_ID: &str = "assertion-key-id";
const CLAIMS: &str = "assertion-claims";
const ISSUER: &str = "assertion-issuer";
const SUBJECT: &str = "assertion-subject";
const CLIENT_ID: &str = "assertion-client-id";
const AUDIENCE: &str = "assertion-audience";
const REGISTERED: &str = "certificate-registered";
const SIGNATURE: &str = "assertion-signature";
const IN_DATE: &str = "certificate-in-date";
const TIME: &str = "assertion-time";

const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };
/// The host of mutual-TLS token calls.
const MTLS_HOST: &str = "mtlsauth.microsoft.com";
/// What may follow the tenant in `aud`: the two token endpoints and the v2 issuer. The v1 issuer has nothing there.
const AUDIENCE_SUFFIXES: [&str; 4] = ["/oauth2/v2.0/token", "/oauth2/token", "/v2.0", ""];

/// Where and when an assertion is judged.
pub(crate) struct Place<'p> {
    /// What Entra prepared.
    pub(crate) prepared: &'p Prepared,
    /// Entra's clock.
    pub(crate) now: OffsetDateTime,
    /// Host and port that were called, lower-case; `None` outside a request.
    pub(crate) called: Option<Cow<'p, str>>,
}

/// A client assertion, taken apart.
pub(crate) struct Assertion<'r>(Result<Compact<'r>, Malformed>);

impl<'r> Assertion<'r> {
    /// Takes a token apart, believing none of it.
    pub(crate) fn read(token: &'r str) -> Self {
        Self(Compact::parse(token))
    }

    /// Its `sub`.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.claim("sub")
    }

    /// Its `iss`.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.claim("iss")
    }

    /// Its `jti`.
    pub(crate) fn id(&self) -> Option<&str> {
        self.claim("jti")
    }

    fn claim(&self, name: &str) -> Option<&str> {
        let claims = self.0.as_ref().ok()?.claims();
        claims.text(name).filter(|text| !text.is_empty())
    }

    /// The thumbprint of the key it says it used, in upper-case hex: SHA-1 where that is known.
    pub(crate) fn thumbprint(
        &self,
        tenant: Option<&PreparedTenant>,
        application: Option<&Application>,
    ) -> Option<Text> {
        let compact = self.0.as_ref().ok()?;
        let identifiers = compact.header().key_identifiers();
        let bytes = identifiers.iter().find_map(|identifier| identifier.bytes.as_deref())?;
        let Ok(sha256) = Thumbprint256::try_from(bytes) else {
            let is_named = |certificate: &&Certificate| certificate.thumbprint().as_bytes() == bytes;
            let registered = application.and_then(|one| one.certificates.iter().find(is_named));
            return Some(registered.map_or_else(|| hex(bytes).into(), |one| one.thumbprint_text().into()));
        };
        // Windows, web.config and the portal know certificates by SHA-1: say that wherever the certificate is at hand, on
        // the application as a rule, on any other of the tenant when it is refused.
        let among = |application: &Application| {
            let mut certificates = application.certificates.iter();
            certificates
                .find(|certificate| certificate.thumbprint256() == sha256)
                .map(|certificate| Text::from(certificate.thumbprint_text()))
        };
        let registered = application
            .and_then(among)
            .or_else(|| tenant?.tenant.applications.values().find_map(|application| among(application)));
        let sent = || match compact.header().x5c() {
            X5c::Certificates(chain) => chain
                .first()
                .and_then(|leaf| STANDARD.decode(leaf).ok())
                .filter(|der| Thumbprint256::of_der(der) == sha256)
                .map(|der| Thumbprint::of_der(&der).to_string().into()),
            X5c::Missing | X5c::Invalid => None,
        };
        Some(registered.or_else(sent).unwrap_or_else(|| hex(bytes).into()))
    }

    /// What can be asked of the assertion alone.
    pub(crate) fn ask_claims(&self, list: &mut Checks<'_>, client_id: Option<&str>) {
        let compact = match &self.0 {
            Ok(compact) => {
                let crit = compact.unknown_crit();
                let finding = if crit.is_empty() {
                    Finding::pass("three parts, header and claims are JSON")
                } else {
                    Finding::fail(
                        format!("a header with crit {}", excerpt(&crit.join(", "))),
                        EntraError::AssertionMalformed,
                    )
                };
                list.ask_named(WELL_FORMED, "a JWT", Vec::new(), finding);
                compact
            }
            Err(malformed) => {
                let finding = Finding::fail(malformed.to_string(), EntraError::AssertionMalformed);
                list.ask_named(WELL_FORMED, "a JWT", Vec::new(), finding);
                for name in [ALGORITHM, KEY_ID, CLAIMS, ISSUER, SUBJECT, CLIENT_ID] {
                    list.ask_named(name, "", Vec::new(), Finding::skip(WELL_FORMED));
                }
                return;
            }
        };
        ask_header(list, compact);
        self.ask_names(list, compact, client_id);
    }

    fn ask_names(&self, list: &mut Checks<'_>, compact: &Compact<'_>, client_id: Option<&str>) {
        let claims = compact.claims();
        let missing = |field: &str| {
            Finding::fail(format!("no {field}"), EntraError::FieldMissing { field: field.to_owned() })
        };
        let finding = match (self.issuer(), claims.audience(), claims.time("exp"), claims.time("nbf")) {
            (None, ..) => missing("iss"),
            (_, Audience::Missing, ..) => missing("aud"),
            (_, Audience::Invalid, ..) => {
                Finding::fail("an aud that is no text", EntraError::AssertionMalformed)
            }
            (_, Audience::Many(many), ..) if many.is_empty() => missing("aud"),
            (_, _, Ok(None), _) => missing("exp"),
            (_, _, Err(bad), _) | (_, _, _, Err(bad)) => {
                Finding::fail(bad.to_string(), EntraError::AssertionMalformed)
            }
            (_, _, Ok(Some(_)), Ok(_)) => Finding::pass("iss, aud and exp"),
        };
        list.ask_named(CLAIMS, "iss, aud and exp", Vec::new(), finding);

        let Some(issuer) = self.issuer() else {
            for name in [ISSUER, SUBJECT, CLIENT_ID] {
                list.ask_named(name, "", Vec::new(), Finding::skip(CLAIMS));
            }
            return;
        };
        let is_client = client_id.is_some_and(|id| id.eq_ignore_ascii_case(issuer));
        let own = is_client || is_guid(issuer);
        let external = || EntraError::IssuerExternal { issuer: issuer.to_owned() };
        list.ask_named(
            ISSUER,
            "the client id",
            Vec::new(),
            Finding::held(own, "the client id", || (excerpt(issuer), external())),
        );
        if !own {
            for name in [SUBJECT, CLIENT_ID] {
                list.ask_named(name, "", Vec::new(), Finding::not_applicable("the issuer is no client"));
            }
            return;
        }
        let subject = self.subject().unwrap_or_default();
        list.ask_named(
            SUBJECT,
            "the same as iss",
            Vec::new(),
            Finding::held(subject.eq_ignore_ascii_case(issuer), "the same", || {
                (excerpt(subject), EntraError::SubjectDiffers)
            }),
        );
        let finding = match client_id {
            None => Finding::skip("client-id"),
            Some(_) => {
                Finding::held(is_client, "the same", || (excerpt(issuer), EntraError::ClientIdDiffers))
            }
        };
        list.ask_named(CLIENT_ID, "the client_id of the request", Vec::new(), finding);
    }

    /// What can be asked of the tenant's registrations.
    pub(crate) fn ask_registration(
        &self,
        list: &mut Checks<'_>,
        place: &Place<'_>,
        tenant: Option<&PreparedTenant>,
        application: Option<&Application>,
    ) {
        let Ok(compact) = &self.0 else {
            for name in [AUDIENCE, REGISTERED, SIGNATURE, IN_DATE, TIME] {
                list.ask_named(name, "", Vec::new(), Finding::skip(WELL_FORMED));
            }
            return;
        };
        ask_audience(list, compact, place, tenant);
        match application {
            Some(application) => self.ask_key(list, compact, place, tenant, application),
            None => {
                for name in [REGISTERED, SIGNATURE, IN_DATE] {
                    list.ask_named(name, "", Vec::new(), Finding::skip("application-registered"));
                }
            }
        }
        ask_time(list, compact, place.now);
    }

    fn ask_key(
        &self,
        list: &mut Checks<'_>,
        compact: &Compact<'_>,
        place: &Place<'_>,
        tenant: Option<&PreparedTenant>,
        application: &Application,
    ) {
        let identifiers = compact.header().key_identifiers();
        let registered = identifiers.iter().find_map(|identifier| {
            let certificate =
                application.certificates.iter().find(|certificate| names(identifier, certificate))?;
            Some((certificate, identifier))
        });
        let expected = "a certificate of the application";
        let Some((certificate, identifier)) = registered else {
            let thumbprint = self.thumbprint(tenant, Some(application));
            let sent = identifiers.iter().find_map(|identifier| identifier.bytes.as_deref()).map(hex);
            let app_id = application.client_id.clone();
            let error = match sent {
                Some(thumbprint) => EntraError::KeyNotFound { thumbprint, app_id },
                None => EntraError::KeyNotFoundUnnamed { app_id },
            };
            let all = application.pointer.certificates();
            let settings = match &thumbprint {
                Some(thumbprint) => vec![all.join(thumbprint), all],
                None => vec![all],
            };
            let actual = thumbprint.unwrap_or_else(|| "no thumbprint".into());
            let finding =
                if identifiers.is_empty() { Finding::skip(KEY_ID) } else { Finding::fail(actual, error) };
            list.ask_named(REGISTERED, expected, settings, finding);
            for name in [SIGNATURE, IN_DATE] {
                list.ask_named(name, "", Vec::new(), Finding::skip(REGISTERED));
            }
            return;
        };
        let setting = || application.pointer.certificate(certificate.thumbprint_text()).setting();
        list.ask_named(
            REGISTERED,
            expected,
            || vec![setting(), application.pointer.certificates()],
            Finding::pass(certificate.thumbprint_text()),
        );

        let named = || identifier.bytes.as_deref().map_or_else(|| identifier.text.to_owned(), hex);
        let (start, end) = (certificate.not_before(), certificate.not_after());
        let finding = match certificate.public_key() {
            Err(error) => Finding::fail(error.to_string(), EntraError::KeyUnsupported),
            Ok(key) => verify_signature(compact, &trusted(key)).finding(|| EntraError::SignatureWrong {
                thumbprint: named(),
                start: invariant(start),
                end: invariant(end),
            }),
        };
        list.ask_named(SIGNATURE, "a signature by the certificate's key", || vec![setting()], finding);
        list.ask_named(
            IN_DATE,
            "not expired",
            || vec![setting()],
            Finding::held(place.now <= end, "in date", || {
                let expired = EntraError::CertificateExpired {
                    thumbprint: named(),
                    start: invariant(start),
                    end: invariant(end),
                };
                (format!("valid to {}", invariant(end)), expired)
            }),
        );
    }
}

/// A key that was selected already, so that its names no longer matter.
fn trusted(key: &PublicKey) -> TrustedKey {
    TrustedKey { kid: None, thumbprint: None, thumbprint256: None, public_key: key.clone() }
}

fn ask_header(list: &mut Checks<'_>, compact: &Compact<'_>) {
    let alg = compact.header().alg().unwrap_or_default();
    list.ask_named(
        ALGORITHM,
        "RS256, RS384, RS512, PS256, PS384 or PS512",
        Vec::new(),
        match Algorithm::from_name(alg) {
            Some(algorithm) => Finding::pass(algorithm.name()),
            None => Finding::fail(excerpt(alg), EntraError::AlgorithmUnsupported { alg: alg.to_owned() }),
        },
    );
    let identifiers = compact.header().key_identifiers();
    let finding = match identifiers.first() {
        Some(identifier) => Finding::pass(identifier.member.name()),
        None => Finding::fail("none of them", EntraError::KeyIdMissing),
    };
    list.ask_named(KEY_ID, "x5t#S256, x5t or kid", Vec::new(), finding);
}

fn ask_audience(
    list: &mut Checks<'_>,
    compact: &Compact<'_>,
    place: &Place<'_>,
    tenant: Option<&PreparedTenant>,
) {
    let audience = compact.claims().audience();
    let Some(tenant) = tenant else {
        list.ask_named(AUDIENCE, "", Vec::new(), Finding::skip("tenant"));
        return;
    };
    let finding = match (audience.sole(), audience.all().len()) {
        (None, 0) => Finding::skip(CLAIMS),
        (None, count) => Finding::fail(format!("{count} values"), EntraError::AudienceTooMany { count }),
        (Some(sole), _) => match judge_audience(sole, place, tenant) {
            Ok(()) => Finding::pass("a token endpoint of the tenant"),
            Err(error) => Finding::fail(excerpt(sole), error),
        },
    };
    let expected: Text = match (&finding, place.called.as_deref()) {
        (Finding::Fail { .. }, Some(called)) => {
            format!("https://{called}/{}/oauth2/v2.0/token", tenant.tenant.id).into()
        }
        _ => (&tenant.token_url).into(),
    };
    let tenant = &tenant.tenant;
    list.ask_named(AUDIENCE, expected, || vec![tenant.pointer.setting()], finding);
}

/// `https://{host}/{tenant}{suffix}`, the host any name of Entra's or the one that was called, the tenant by id or
/// domain, not necessarily as the request wrote it. A local host may have `http`: SDKs build the audience from the
/// authority they were given, and one behind a proxy that ends TLS is given that.
fn judge_audience(audience: &str, place: &Place<'_>, tenant: &PreparedTenant) -> Result<(), EntraError> {
    let wrong = || EntraError::AudienceWrong;
    let (scheme, rest) = audience.split_once("://").ok_or_else(wrong)?;
    let (authority, path) = rest.split_once('/').ok_or_else(wrong)?;
    let authority = authority.to_ascii_lowercase();
    let default_port = if scheme.eq_ignore_ascii_case("https") {
        ":443"
    } else if scheme.eq_ignore_ascii_case("http")
        && HostName::parse(&authority).is_some_and(|host| host.is_local())
    {
        ":80"
    } else {
        return Err(wrong());
    };
    let host = authority.split_once(':').map_or(authority.as_str(), |(host, _)| host);
    if host == MTLS_HOST {
        return Err(EntraError::AudienceMutualTls);
    }
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    let called = place.called.as_deref().is_some_and(|called| called == authority);
    // sts.windows.net is refused by the other names of the same service (msal-dotnet#3352).
    let by_name = WORLD_HOSTS.contains(&host) && host != STS_HOST;
    if !(called || by_name || place.prepared.is_lab_authority(authority)) {
        return Err(wrong());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let (segment, suffix) = path.split_at(path.find('/').unwrap_or(path.len()));
    let named = place.prepared.tenant(&segment.to_ascii_lowercase());
    let same = named.is_some_and(|named| named.tenant.id == tenant.tenant.id);
    let known = AUDIENCE_SUFFIXES.iter().any(|known| known.eq_ignore_ascii_case(suffix));
    if same && known { Ok(()) } else { Err(wrong()) }
}

fn ask_time(list: &mut Checks<'_>, compact: &Compact<'_>, now: OffsetDateTime) {
    let claims = compact.claims();
    let found = WINDOW.judge(claims, now);
    let finding = match &found {
        TimeFinding::ExpMissing | TimeFinding::Unreadable(_) => Finding::skip(CLAIMS),
        _ => found.finding(|| {
            // A missing nbf prints as the epoch, as it does in the real text.
            let printed = |name| {
                let date = claims.time(name).ok().flatten().map(NumericDate::datetime);
                round_trip(date.unwrap_or(OffsetDateTime::UNIX_EPOCH))
            };
            EntraError::AssertionOutOfTime {
                now: round_trip(now),
                from: printed("nbf"),
                until: printed("exp"),
            }
        }),
    };
    list.ask_named(TIME, WINDOW.expected(), Vec::new(), finding);
}

/// Whether an identifier names a certificate: `kid` and `x5t` may hold either thumbprint, the length tells which.
fn names(identifier: &KeyIdentifier<'_>, certificate: &Certificate) -> bool {
    identifier.bytes.as_deref().is_some_and(|bytes| {
        certificate.thumbprint().as_bytes() == bytes || certificate.thumbprint256().as_bytes() == bytes
    })
}

/// Upper-case hex, as Windows prints thumbprints.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
