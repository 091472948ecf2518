//! Client assertions: a JWT signed with the key of a certificate of the server application (RFC 7523 section 2.2).
//!
//! Decides AD FS's policy for the ladder of `token::assertion`: that every failure is one and the same refusal, that the
//! audience is the token endpoint with or without a final slash under the service's name or the address that was called, that
//! the issuer is no audience, as AD FS 2019 has it, and that the algorithm is one that discovery lists: RS256 alone. That others
//! are refused is inferred, as are the five minutes of skew. Whatever `typ` says is taken.

use mocktenant_keys::{Algorithm, Certificate, Thumbprint256};
use mocktenant_lab::{Context, Trail};
use mocktenant_token::assertion::{Assertion, Failure, Policy, Questions};
use mocktenant_token::bearer::TimeWindow;
use mocktenant_verdict::{Change, Checklist, Edit, Finding, Need, Question, Remedy, Role, Setting, Text};
use mocktenant_world::Client;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::Adfs;
use crate::asking::{Asking, Sent, excerpt};
use crate::client_auth::{CLIENT_ID, Credential, Method, REGISTERED, ask_registered};
use crate::errors::{AdfsError, describe};
use crate::path;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// `authmethod` of a client that proved itself with a certificate: inferred.
const AUTH_METHOD: &str = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tlsclient";

static WELL_FORMED: Question = Question::new("assertion-well-formed", Role::Token);
static KIND: Question = Question::new("assertion-type", Role::Token);
static ALGORITHM: Question = Question::new("assertion-algorithm", Role::Token);
static KEY_ID: Question = Question::new("assertion-key-id", Role::Token);
static CLAIMS: Question = Question::new("assertion-claims", Role::Token);
static ISSUER: Question = Question::new("assertion-issuer", Role::Client);
static SUBJECT: Question = Question::new("assertion-subject", Role::Client);
static OWN_CLIENT_ID: Question = Question::new("assertion-client-id", Role::Client);
static AUDIENCE: Question = Question::new("assertion-audience", Role::Address);
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

static ALL: [&Question; 13] = [
    &WELL_FORMED,
    &KIND,
    &ALGORITHM,
    &KEY_ID,
    &CLAIMS,
    &ISSUER,
    &SUBJECT,
    &OWN_CLIENT_ID,
    &AUDIENCE,
    &CERTIFICATE,
    &SIGNATURE,
    &IN_DATE,
    &TIME,
];

/// The method.
pub(super) static METHOD: Method = Method {
    shown: "a client assertion",
    credential: "certificate",
    authmethod: AUTH_METHOD,
    questions: &ALL,
    client_beside: |_| None,
    read: |sent| match (sent.parameter("client_assertion"), sent.parameter("client_assertion_type")) {
        // Of another type it is nothing that could be judged: the client has presented no credential.
        (Some(token), Some(ASSERTION_TYPE)) => Some(Credential::Assertion(Assertion::read(token))),
        _ => None,
    },
    ask: |asking, credential, list| {
        if let Credential::Assertion(assertion) = credential {
            assertion.ask_token(list, &OfAdfs(asking));
            assertion.ask_client(list, &OfAdfs(asking), asking.now);
        }
    },
    facts: |asking, credential, facts| {
        if let Credential::Assertion(assertion) = credential {
            let thumbprint = assertion.thumbprint(&OfAdfs(asking));
            facts.extend(thumbprint.map(|thumbprint| ("thumbprint", thumbprint)));
            facts.extend(assertion.id().map(|id| ("jti", excerpt(id).into())));
        }
    },
};

/// AD FS's policy, for one request.
struct OfAdfs<'a, 'r, 'p>(&'a Asking<'r, 'p>);

impl OfAdfs<'_, '_, '_> {
    /// The token endpoint under the service's own name.
    fn canonical(&self) -> String {
        format!("https://{}{}", self.0.prepared.service.host, path::TOKEN)
    }
}

impl Policy for OfAdfs<'_, '_, '_> {
    type Error = AdfsError;

    const WINDOW: TimeWindow = TimeWindow { skew: Duration::minutes(5) };
    const KINDS: &'static [&'static str] = &[];
    const KINDS_EXPECTED: &'static str = "anything";
    const ALGORITHMS: &'static [Algorithm] = &[Algorithm::Rs256];
    const ALGORITHMS_EXPECTED: &'static str = "RS256";

    fn questions(&self) -> &'static Questions {
        &QUESTIONS
    }

    fn client_id(&self) -> Option<&str> {
        self.0.client_id
    }

    /// A client id can be any text.
    fn could_be_client(&self, _issuer: &str) -> bool {
        true
    }

    fn audience(&self, sole: &str) -> Finding<AdfsError> {
        let folded = sole.strip_suffix('/').unwrap_or(sole).to_ascii_lowercase();
        let called = self.0.called.map(|base| format!("{}{}", base.to_ascii_lowercase(), path::TOKEN));
        // Behind a proxy that ends TLS a client builds it from the plain address it was given.
        let plain = called
            .as_deref()
            .and_then(|called| folded.strip_prefix("http://").zip(called.strip_prefix("https://")));
        if folded == self.canonical()
            || called.as_ref() == Some(&folded)
            || plain.is_some_and(|(sent, own)| sent == own)
        {
            return Finding::pass("the token endpoint");
        }
        Finding::fail(excerpt(sole), AdfsError::ClientRefused)
    }

    fn accepted_audience(&self, refused: bool) -> Text {
        match self.0.called {
            Some(called) if refused => format!("{called}{}", path::TOKEN).into(),
            _ => self.canonical().into(),
        }
    }

    fn audience_settings(&self) -> Vec<Setting> {
        vec![self.0.prepared.service.pointer.host_name()]
    }

    fn certificates(&self) -> Option<&[Certificate]> {
        self.0.client.map(|client| {
            client.credentials.as_ref().map_or(&[][..], |credentials| credentials.certificates.as_slice())
        })
    }

    fn declared_at(&self, thumbprint: Option<&str>) -> Option<Setting> {
        let at = &self.0.client?.credentials.as_ref()?.pointer;
        Some(match thumbprint {
            Some(thumbprint) => at.certificate(thumbprint).setting(),
            None => at.certificates(),
        })
    }

    fn anybodys(&self, thumbprint: &Thumbprint256) -> Option<&Certificate> {
        let clients = self.0.prepared.service.clients.values();
        let mut all = clients.filter_map(|one| one.credentials.as_ref()).flat_map(|one| &one.certificates);
        all.find(|certificate| certificate.thumbprint256() == *thumbprint)
    }

    fn date(&self, moment: OffsetDateTime) -> String {
        moment.format(&Rfc3339).unwrap_or_default()
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<AdfsError> {
        let refused = Finding::fail(actual, AdfsError::ClientRefused);
        let remedy: Option<Remedy> = match (&failure, self.0.client) {
            (Failure::AlgorithmUnsupported { .. }, _) => Some(
                Remedy::default()
                    .advice("sign with RS256; a client library does when it is given the SHA-1 thumbprint"),
            ),
            (Failure::KeyUnknown { misspelt: Some(misspelt), .. }, _) => {
                Some(Remedy::default().advice(misspelt.advice))
            }
            (Failure::KeyUnknown { thumbprint, assertion, .. }, Some(client)) => {
                upload(client, *thumbprint, assertion).map(Into::into)
            }
            (
                Failure::CertificateExpired { certificate, .. }
                | Failure::CertificateNotYetValid { certificate, .. },
                Some(client),
            ) => another(client, certificate).map(Into::into),
            _ => None,
        };
        match remedy {
            Some(remedy) => refused.mended_by(|| remedy),
            None => refused,
        }
    }
}

/// The certificate that was signed with, and another one in its place.
fn another(client: &Client, certificate: &Certificate) -> Option<Change> {
    let what = "a certificate that is in date";
    let at = &client.credentials.as_ref()?.pointer;
    let own = at.certificate(certificate.thumbprint_text()).setting();
    Some(Change::wrong(own).expected(what).need(Need::add(at.certificates(), what)))
}

/// The certificate on the server application: at hand where the assertion brought it along.
fn upload(client: &Client, thumbprint: Option<&str>, assertion: &Assertion<'_>) -> Option<Change> {
    let at = &client.credentials.as_ref()?.pointer;
    let missing = |setting: Setting, named: &str| {
        Change::missing(setting)
            .expected(format!("certificate {named}"))
            .actual(format!("not on {}", client.name))
    };
    let leaf = assertion.leaf().filter(|leaf| leaf.public_key().is_ok());
    Some(match leaf {
        Some(leaf) => {
            let setting = at.certificate(leaf.thumbprint_text()).setting();
            let upload = Edit::add(setting.clone(), json!({ "certificate": leaf.base64_der() }));
            missing(setting, leaf.thumbprint_text()).edit(upload)
        }
        None => {
            let setting =
                thumbprint.map_or_else(|| at.certificates(), |named| at.certificate(named).setting());
            let need = Need::add(setting.clone(), "this certificate, without its key");
            missing(setting, thumbprint.unwrap_or("without a thumbprint")).need(need)
        }
    })
}

/// Judges a client assertion outside a request: the client is the one that it names itself.
pub(crate) fn judge(context: &Context, token: &str, trail: &mut Trail) {
    let assertion = Assertion::read(token);
    let id = assertion.issuer().map(str::to_owned);
    let prepared = context.prepared::<Adfs>();
    let first = context.world().federation_services().next();
    let Some(prepared) = first.and_then(|service| prepared.service(&service.id)) else { return };
    let (form, headers) = (mocktenant_idp::form::Form::default(), http::HeaderMap::new());
    let asking = Asking {
        prepared,
        client: id.as_deref().and_then(|id| prepared.service.client(id)),
        client_id: id.as_deref(),
        sent: Sent { form: &form, headers: &headers },
        context,
        now: context.now(),
        called: None,
    };
    let mut list = Checklist::new(context.switches(), describe);
    assertion.ask_token(&mut list, &OfAdfs(&asking));
    ask_registered(&asking, &mut list, |_| AdfsError::ClientUnknown);
    assertion.ask_client(&mut list, &OfAdfs(&asking), asking.now);
    let mut facts = Vec::new();
    (METHOD.facts)(&asking, &Credential::Assertion(assertion), &mut facts);
    for (name, value) in facts {
        trail.fact(name, value);
    }
    trail.record_checks(list.finish().0);
}
