//! Client assertions: a JWT signed with the key of a certificate of the application (RFC 7523 section 2.2).
//!
//! Decides Entra's policy for the ladder of `token::assertion`: the AADSTS code of each failure, which audiences are the
//! tenant's, that a certificate which is missing is uploaded to the application, and that Microsoft's own applications
//! hold none of a customer's. The five minutes of skew are inferred.

use mocktenant_keys::{Certificate, Thumbprint256};
use mocktenant_lab::request::HostName;
use mocktenant_token::NumericDate;
use mocktenant_token::assertion::{Assertion, Failure, Policy, Questions, hex};
use mocktenant_token::bearer::TimeWindow;
use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Remedy, Role, Setting, Text};
use mocktenant_world::{Application, is_guid};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::asking::Asking;
use crate::authority::{STS_HOST, TENANT, WORLD_HOSTS};
use crate::client_auth::{CLIENT_ID, Credential, Method, REGISTERED, Reading, excerpt};
use crate::envelope::{invariant, round_trip};
use crate::errors::EntraError;
use crate::prepared::PreparedTenant;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The host of mutual-TLS token calls.
const MTLS_HOST: &str = "mtlsauth.microsoft.com";
/// What may follow the tenant in `aud`: the two token endpoints and the v2 issuer. The v1 issuer has nothing there.
const AUDIENCE_SUFFIXES: [&str; 4] = ["/oauth2/v2.0/token", "/oauth2/token", "/v2.0", ""];

static WELL_FORMED: Question = Question::new("assertion-well-formed", Role::Token);
static KIND: Question = Question::new("assertion-type", Role::Token);
static ALGORITHM: Question = Question::new("assertion-algorithm", Role::Token);
static KEY_ID: Question = Question::new("assertion-key-id", Role::Token);
static CLAIMS: Question = Question::new("assertion-claims", Role::Token);
static ISSUER: Question = Question::new("assertion-issuer", Role::Client);
static SUBJECT: Question = Question::new("assertion-subject", Role::Client);
static OWN_CLIENT_ID: Question = Question::new("assertion-client-id", Role::Client);
static AUDIENCE: Question = Question::new("assertion-audience", Role::Address).needs(&[&TENANT]);
static CERTIFICATE: Question = Question::new("certificate-registered", Role::Key).needs(&[&REGISTERED]);
static SIGNATURE: Question = Question::new("assertion-signature", Role::Key).needs(&[&CERTIFICATE]);
static IN_DATE: Question = Question::new("certificate-in-date", Role::Key).needs(&[&CERTIFICATE]);
static TIME: Question = Question::new("assertion-time", Role::Time);

static QUESTIONS: Questions = Questions {
    well_formed: &WELL_FORMED,
    kind: &KIND,
    algorithm: &ALGORITHM,
    key_id: &KEY_ID,
    claims: &CLAIMS,
    issuer: &ISSUER,
    subject: &SUBJECT,
    client_id: &OWN_CLIENT_ID,
    audience: &AUDIENCE,
    registered: &CERTIFICATE,
    signature: &SIGNATURE,
    in_date: &IN_DATE,
    time: &TIME,
    client_named: &CLIENT_ID,
    client_known: &REGISTERED,
};

/// `appidacr` and `azpacr` of a certificate.
pub(crate) const CONTEXT_CLASS: &str = "2";

/// The method.
pub(super) static METHOD: Method = Method {
    name: "private_key_jwt",
    rank: 20,
    parameters: "client_assertion with its type",
    shown: "a client assertion",
    credential: "certificate",
    context_class: CONTEXT_CLASS,
    of_request: &QUESTIONS.of_token(),
    of_client: &QUESTIONS.of_client(),
    client_beside: |_| None,
    read: |sent| match (sent.parameter("client_assertion"), sent.parameter("client_assertion_type")) {
        (None, None) => Reading::Nothing,
        (None, Some(_)) => Reading::Incomplete { missing: "client_assertion" },
        (Some(token), Some(ASSERTION_TYPE)) => Reading::Found(Credential::Assertion(Assertion::read(token))),
        (Some(_), _) => Reading::Incomplete { missing: "client_assertion_type" },
    },
    ask_request: |asking, credential, list| {
        if let Credential::Assertion(assertion) = credential {
            assertion.ask_token(list, &Entras(asking));
        }
    },
    ask_client: |asking, credential, list| {
        if let Credential::Assertion(assertion) = credential {
            assertion.ask_client(list, &Entras(asking), asking.now);
        }
    },
    facts: |asking, credential, facts| {
        if let Credential::Assertion(assertion) = credential {
            let thumbprint = assertion.thumbprint(&Entras(asking));
            facts.extend(thumbprint.map(|thumbprint| ("thumbprint", thumbprint)));
            facts.extend(assertion.id().map(|id| ("jti", excerpt(id).into())));
        }
    },
};

/// Entra's policy, for one request.
struct Entras<'a, 'r, 'p>(&'a Asking<'r, 'p>);

impl Policy for Entras<'_, '_, '_> {
    type Error = EntraError;

    const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };
    const KINDS: &'static [&'static str] = &["JWT", "http://openid.net/specs/jwt/1.0"];
    const KINDS_EXPECTED: &'static str = "JWT, or no typ";

    fn questions(&self) -> &'static Questions {
        &QUESTIONS
    }

    fn client_id(&self) -> Option<&str> {
        self.0.client_id
    }

    /// Anything else is read as the issuer of a federated credential.
    fn could_be_client(&self, issuer: &str) -> bool {
        is_guid(issuer)
    }

    fn audience(&self, sole: &str) -> Finding<EntraError> {
        let Some(tenant) = self.0.tenant else { return Finding::skip(TENANT.name) };
        match judge_audience(sole, self.0, tenant) {
            Ok(()) => Finding::pass("a token endpoint of the tenant"),
            Err(error) => Finding::fail(excerpt(sole), error),
        }
    }

    fn accepted_audience(&self, refused: bool) -> Text {
        let Some(tenant) = self.0.tenant else { return Text::default() };
        match self.0.called {
            Some(called) if refused => {
                format!("https://{called}/{}/oauth2/v2.0/token", tenant.tenant.id).into()
            }
            _ => (&tenant.token_url).into(),
        }
    }

    fn audience_settings(&self) -> Vec<Setting> {
        self.0.tenant.map(|tenant| tenant.tenant.pointer.setting()).into_iter().collect()
    }

    fn certificates(&self) -> Option<&[Certificate]> {
        self.0.application.map(|application| application.certificates.as_slice())
    }

    fn declared_at(&self, thumbprint: Option<&str>) -> Option<Setting> {
        let at = &self.0.application?.pointer;
        Some(match thumbprint {
            Some(thumbprint) => at.certificate(thumbprint).setting(),
            None => at.certificates(),
        })
    }

    fn anybodys(&self, thumbprint: &Thumbprint256) -> Option<&Certificate> {
        let mut all = self.0.tenant?.tenant.applications.values().flat_map(|one| &one.certificates);
        all.find(|certificate| certificate.thumbprint256() == *thumbprint)
    }

    fn date(&self, moment: OffsetDateTime) -> String {
        invariant(moment)
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<EntraError> {
        let remedy: Option<Remedy> = match (&failure, self.0.application) {
            (Failure::KeyUnknown { misspelt: Some(misspelt), .. }, _) => {
                Some(Remedy::default().advice(misspelt.advice))
            }
            // Microsoft's own applications hold no keys of a customer's: the client is the wrong one.
            (Failure::KeyUnknown { thumbprint, assertion, .. }, Some(application))
                if !application.first_party =>
            {
                Some(upload(application, *thumbprint, assertion).into())
            }
            (Failure::CertificateExpired { certificate, .. }, Some(application)) => {
                Some(another(application, certificate, "a certificate that has not expired").into())
            }
            (Failure::CertificateNotYetValid { certificate, .. }, Some(application)) => {
                Some(another(application, certificate, "a certificate that is valid already").into())
            }
            _ => None,
        };
        let refused = Finding::fail(actual, self.error(failure));
        match remedy {
            Some(remedy) => refused.mended_by(|| remedy),
            None => refused,
        }
    }
}

impl Entras<'_, '_, '_> {
    fn error(&self, failure: Failure<'_>) -> EntraError {
        let app_id =
            || self.0.application.map(|application| application.client_id.clone()).unwrap_or_default();
        let dates = |certificate: &Certificate| {
            (invariant(certificate.not_before()), invariant(certificate.not_after()))
        };
        match failure {
            Failure::Malformed => EntraError::AssertionMalformed,
            Failure::KindUnsupported { .. } => EntraError::KindUnsupported,
            Failure::AlgorithmUnsupported { alg } => EntraError::AlgorithmUnsupported { alg: alg.to_owned() },
            Failure::KeyIdMissing => EntraError::KeyIdMissing,
            Failure::ClaimMissing { claim } => EntraError::FieldMissing { field: claim.to_owned() },
            Failure::IssuerExternal { issuer } => EntraError::IssuerExternal { issuer: issuer.to_owned() },
            Failure::SubjectDiffers => EntraError::SubjectDiffers,
            Failure::ClientIdDiffers => EntraError::ClientIdDiffers,
            Failure::AudienceTooMany { count } => EntraError::AudienceTooMany { count },
            Failure::KeyUnknown { sent: Some(sent), .. } => {
                EntraError::KeyNotFound { thumbprint: hex(sent), app_id: app_id() }
            }
            Failure::KeyUnknown { sent: None, .. } => EntraError::KeyNotFoundUnnamed { app_id: app_id() },
            Failure::KeyUnsupported => EntraError::KeyUnsupported,
            Failure::SignatureWrong { named, certificate } => {
                let (start, end) = dates(certificate);
                EntraError::SignatureWrong { thumbprint: named, start, end }
            }
            Failure::CertificateNotYetValid { named, certificate } => {
                let (start, end) = dates(certificate);
                EntraError::CertificateNotYetValid { thumbprint: named, start, end }
            }
            Failure::CertificateExpired { named, certificate } => {
                let (start, end) = dates(certificate);
                EntraError::CertificateExpired { thumbprint: named, start, end }
            }
            Failure::OutOfTime { from, until } => {
                // A missing nbf prints as the epoch, as it does in the real text.
                let printed = |date: Option<NumericDate>| {
                    round_trip(date.map_or(OffsetDateTime::UNIX_EPOCH, NumericDate::datetime))
                };
                EntraError::AssertionOutOfTime {
                    now: round_trip(self.0.now),
                    from: printed(from),
                    until: printed(until),
                }
            }
        }
    }
}

/// The certificate that was signed with, and another one in its place.
fn another(application: &Application, certificate: &Certificate, what: &'static str) -> Change {
    let own = application.pointer.certificate(certificate.thumbprint_text()).setting();
    let need = Need::add(application.pointer.certificates(), what);
    Change::wrong(own).expected(what).need(need)
}

/// The `.cer` on the application: at hand where the assertion brought its certificate along.
fn upload(application: &Application, thumbprint: Option<&str>, assertion: &Assertion<'_>) -> Change {
    let at = |thumbprint: Option<&str>| match thumbprint {
        Some(thumbprint) => application.pointer.certificate(thumbprint).setting(),
        None => application.pointer.certificates(),
    };
    let leaf = assertion.leaf().filter(|leaf| leaf.public_key().is_ok());
    let missing = |setting: Setting, named: &str| {
        Change::missing(setting)
            .expected(format!("certificate {named}"))
            .actual(format!("not on application {}", application.client_id))
    };
    match leaf {
        Some(leaf) => {
            let setting = at(Some(leaf.thumbprint_text()));
            let upload = Edit::add(setting.clone(), json!({ "certificate": leaf.base64_der() }));
            missing(setting, leaf.thumbprint_text()).edit(upload)
        }
        None => {
            let setting = at(thumbprint);
            let need = Need::add(setting.clone(), "the .cer of this certificate");
            missing(setting, thumbprint.unwrap_or("without a thumbprint")).need(need)
        }
    }
}

/// `https://{host}/{tenant}{suffix}`, the host any name of Entra's or the one that was called, the tenant by id or
/// domain, not necessarily as the request wrote it. A local host may have `http`: SDKs build the audience from the
/// authority they were given, and one behind a proxy that ends TLS is given that.
fn judge_audience(
    audience: &str,
    asking: &Asking<'_, '_>,
    tenant: &PreparedTenant,
) -> Result<(), EntraError> {
    let wrong = || EntraError::AudienceWrong;
    let (scheme, rest) = audience.split_once("://").ok_or_else(wrong)?;
    let (authority, path) = rest.split_once('/').ok_or_else(wrong)?;
    let authority = authority.to_ascii_lowercase();
    let host = HostName::parse(&authority).ok_or_else(wrong)?;
    let default_port = if scheme.eq_ignore_ascii_case("https") {
        ":443"
    } else if scheme.eq_ignore_ascii_case("http") && host.is_local() {
        ":80"
    } else {
        return Err(wrong());
    };
    let host = &*host.name;
    if host == MTLS_HOST {
        return Err(EntraError::AudienceMutualTls);
    }
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    let called = asking.called.is_some_and(|called| called == authority);
    // sts.windows.net is refused by the other names of the same service (msal-dotnet#3352).
    let by_name = WORLD_HOSTS.contains(&host) && host != STS_HOST;
    if !(called || by_name || asking.prepared.is_lab_authority(authority)) {
        return Err(wrong());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let (segment, suffix) = path.split_at(path.find('/').unwrap_or(path.len()));
    let named = asking.prepared.tenant(&segment.to_ascii_lowercase());
    let same = named.is_some_and(|named| named.tenant.id == tenant.tenant.id);
    let known = AUDIENCE_SUFFIXES.iter().any(|known| known.eq_ignore_ascii_case(suffix));
    if same && known { Ok(()) } else { Err(wrong()) }
}
