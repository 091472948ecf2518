//! The ladder of a client assertion under a policy that is no product's: other texts, other audiences, one error.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::{Algorithm, Certificate, Identity, Thumbprint256, shipped};
use mocktenant_token::assertion::{Assertion, Failure, Policy, Questions};
use mocktenant_token::bearer::TimeWindow;
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_verdict::{
    Change, Check, Checklist, Finding, Outcome, Question, Role, Setting, Switches, Text,
};
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

const NOW: i64 = 1_750_000_000;
const CLIENT: &str = "a name of its own";
const ENDPOINT: &str = "https://sts.example/oauth2/token";

static NAMED: Question = Question::new("named", Role::Client);
static KNOWN: Question = Question::new("known", Role::Client);
static REGISTERED: Question = Question::new("registered", Role::Key).needs(&[&KNOWN]);

static QUESTIONS: Questions = Questions {
    well_formed: &Question::new("well-formed", Role::Token),
    kind: &Question::new("kind", Role::Token),
    algorithm: &Question::new("algorithm", Role::Token),
    key_id: &Question::new("key-id", Role::Token),
    claims: &Question::new("claims", Role::Token),
    issuer: &Question::new("issuer", Role::Client),
    subject: &Question::new("subject", Role::Client),
    client_id: &Question::new("client", Role::Client),
    audience: &Question::new("audience", Role::Address),
    registered: &REGISTERED,
    signature: &Question::new("signature", Role::Key).needs(&[&REGISTERED]),
    in_date: &Question::new("in-date", Role::Key).needs(&[&REGISTERED]),
    time: &Question::new("time", Role::Time),
    client_named: &NAMED,
    client_known: &KNOWN,
};

/// A federation service: its token endpoint with or without a final slash is the audience, its issuer is not.
struct Service {
    client_id: Option<&'static str>,
    certificates: Option<Vec<Certificate>>,
    /// Whether any issuer could be a client.
    open: bool,
    /// Another client's.
    others: Vec<Certificate>,
}

impl Policy for Service {
    type Error = &'static str;

    const WINDOW: TimeWindow = TimeWindow { skew: Duration::seconds(10) };
    const KINDS: &'static [&'static str] = &["JWT", "client-authentication+jwt"];
    const KINDS_EXPECTED: &'static str = "a JWT";

    fn questions(&self) -> &'static Questions {
        &QUESTIONS
    }

    fn client_id(&self) -> Option<&str> {
        self.client_id
    }

    fn could_be_client(&self, _issuer: &str) -> bool {
        self.open
    }

    fn audience(&self, sole: &str) -> Finding<&'static str> {
        let known = sole.strip_suffix('/').unwrap_or(sole) == ENDPOINT;
        Finding::held(known, "the token endpoint", || (sole.to_owned(), "refused"))
    }

    fn accepted_audience(&self, _refused: bool) -> Text {
        ENDPOINT.into()
    }

    fn audience_settings(&self) -> Vec<Setting> {
        vec![Setting::fixed("/service")]
    }

    fn certificates(&self) -> Option<&[Certificate]> {
        self.certificates.as_deref()
    }

    fn declared_at(&self, thumbprint: Option<&str>) -> Option<Setting> {
        let all = Setting::fixed("/service/certificates");
        Some(thumbprint.map_or_else(|| all.clone(), |thumbprint| all.join(thumbprint)))
    }

    fn anybodys(&self, thumbprint: &Thumbprint256) -> Option<&Certificate> {
        self.others.iter().find(|certificate| certificate.thumbprint256() == *thumbprint)
    }

    fn date(&self, moment: OffsetDateTime) -> String {
        moment.year().to_string()
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<&'static str> {
        let named = match &failure {
            Failure::SignatureWrong { named, .. }
            | Failure::CertificateNotYetValid { named, .. }
            | Failure::CertificateExpired { named, .. } => Some(named.clone()),
            _ => None,
        };
        if let Some(named) = named {
            let key = Setting::fixed("/service/keys").join(&named);
            return Finding::fail(actual, "refused").mended_by(|| Change::wrong(key));
        }
        let Failure::KeyUnknown { thumbprint, assertion, .. } = failure else {
            return Finding::fail(actual, "refused");
        };
        let at = self.declared_at(thumbprint).unwrap();
        let leaf = assertion.leaf().map(|leaf| leaf.thumbprint().to_string());
        Finding::fail(actual, "refused")
            .mended_by(|| Change::missing(at).expected(leaf.unwrap_or_else(|| "none sent".to_owned())))
    }
}

fn service() -> Service {
    let own = shipped::sample_client().certificate().clone();
    Service { client_id: Some(CLIENT), certificates: Some(vec![own]), open: false, others: Vec::new() }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn healthy() -> Map<String, Value> {
    object(&json!({ "iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "nbf": NOW, "exp": NOW + 60 }))
}

fn signed(identity: &Identity, header: &Value, claims: &Map<String, Value>) -> String {
    let mut members =
        object(&json!({ "alg": "RS256", "x5t": identity.certificate().thumbprint().base64url() }));
    members.extend(object(header));
    mint(identity.key(), Algorithm::Rs256, &HeaderSegment::new(&members).unwrap(), claims).unwrap()
}

fn judged(service: &Service, token: &str) -> Vec<Check> {
    judged_at(service, token, NOW)
}

fn judged_at(service: &Service, token: &str, now: i64) -> Vec<Check> {
    let switches = Switches::default();
    let mut list = Checklist::new(&switches, |error| (*error, "ask the administrator"));
    let assertion = Assertion::read(token);
    assertion.ask_token(&mut list, service);
    list.ask(&KNOWN, "", Vec::new(), || Finding::when(service.certificates.is_some(), "", || "refused"));
    assertion.ask_client(&mut list, service, OffsetDateTime::from_unix_timestamp(now).unwrap());
    let (mut checks, _) = list.finish();
    checks.retain(|check| check.name != KNOWN.name);
    checks
}

/// The questions that failed, and those that could not be asked.
fn refused(service: &Service, token: &str) -> (Vec<String>, Vec<String>) {
    let checks = judged(service, token);
    let names = |wanted: fn(&Check) -> bool| {
        checks.iter().filter(|check| wanted(check)).map(|check| check.name.to_string()).collect()
    };
    (names(Check::failed), names(|check| matches!(check.outcome, Outcome::Skipped { .. })))
}

#[test]
fn every_question_is_asked_in_its_order_and_a_passed_one_makes_no_text() {
    let checks = judged(&service(), &signed(shipped::sample_client(), &json!({}), &healthy()));
    let order = QUESTIONS.of_token().into_iter().chain(QUESTIONS.of_client());
    assert!(checks.iter().map(|check| &*check.name).eq(order.map(|question| question.name)));
    for check in checks.iter().filter(|check| check.name != "time") {
        assert_eq!(check.outcome, Outcome::Passed, "{check:?}");
        assert!(
            !check.expected.is_made() && !check.actual.is_made() && check.settings.is_empty(),
            "{check:?}"
        );
    }
}

#[test]
fn the_policy_says_whose_audience_it_is_and_how_far_a_clock_may_be_off() {
    let of = |name: &str, value: Value| {
        let mut claims = healthy();
        claims.insert(name.to_owned(), value);
        refused(&service(), &signed(shipped::sample_client(), &json!({}), &claims)).0
    };
    let none: [&str; 0] = [];
    assert_eq!(of("aud", json!(format!("{ENDPOINT}/"))), none);
    assert_eq!(of("aud", json!("https://sts.example")), ["audience"]);
    assert_eq!(of("aud", json!([ENDPOINT, "https://sts.example"])), ["audience"]);
    assert_eq!(of("nbf", json!(NOW + 10)), none);
    assert_eq!(of("nbf", json!(NOW + 11)), ["time"]);
    assert_eq!(of("iss", json!("somebody else")), ["issuer"]);
    assert_eq!(of("sub", json!("somebody else")), ["subject"]);
}

#[test]
fn a_question_without_its_value_waits_for_the_one_that_gives_it() {
    let (failed, skipped) = refused(&service(), "rubbish");
    assert_eq!((failed, skipped.len()), (vec!["well-formed".to_owned()], 12));
    // A critical header nobody understands is refused, and the rest is said all the same.
    let token = signed(shipped::sample_client(), &json!({ "crit": ["b64"] }), &healthy());
    assert_eq!(refused(&service(), &token), (vec!["well-formed".into(), "signature".into()], vec![]));
    let stranger = Service { certificates: None, ..service() };
    let (failed, skipped) = refused(&stranger, &signed(shipped::sample_client(), &json!({}), &healthy()));
    assert_eq!((failed.len(), skipped), (0, vec!["registered".into(), "signature".into(), "in-date".into()]));
    let unnamed = Service { client_id: None, ..service() };
    assert_eq!(refused(&unnamed, &signed(shipped::sample_client(), &json!({}), &healthy())).0, ["issuer"]);
}

#[test]
fn what_came_with_the_assertion_is_proposed_only_if_it_is_what_the_header_names() {
    let stranger = shipped::second_client();
    let thumbprint = stranger.certificate().thumbprint().to_string();
    let proposed = |header: Value| {
        let checks = judged(&service(), &signed(stranger, &header, &healthy()));
        let check = checks.into_iter().find(|check| check.name == "registered").unwrap();
        assert_eq!(check.actual, thumbprint);
        let change = check.remedy.unwrap().here.unwrap();
        assert_eq!(change.setting, Setting::fixed("/service/certificates").join(&thumbprint));
        change.expected.unwrap()
    };
    assert_eq!(proposed(json!({ "x5c": stranger.certificate().base64_der() })), thumbprint);
    assert_eq!(proposed(json!({ "x5c": [stranger.certificate().base64_der()] })), thumbprint);
    assert_eq!(proposed(json!({ "x5c": shipped::sample_client().certificate().base64_der() })), "none sent");
    assert_eq!(proposed(json!({ "x5c": "AAAA" })), "none sent");
    assert_eq!(proposed(json!({})), "none sent");
}

#[test]
fn a_key_is_called_by_its_sha1_thumbprint_wherever_the_certificate_is_at_hand() {
    let (own, stranger) = (shipped::sample_client(), shipped::second_client());
    let called = |service: &Service, identity: &Identity, header: Value| {
        let token = signed(identity, &header, &healthy());
        Assertion::read(&token).thumbprint(service).map(|text| text.to_string())
    };
    let sha1 = |identity: &Identity| Some(identity.certificate().thumbprint().to_string());
    let by_sha256 = |identity: &Identity| json!({ "x5t": null, "x5t#S256": identity.certificate().thumbprint256().base64url() });
    let hex = |identity: &Identity| {
        let thumbprint = identity.certificate().thumbprint256();
        Some(mocktenant_token::assertion::hex(thumbprint.as_bytes()))
    };
    let with = |identity: &Identity, of: &Identity| {
        let mut header = by_sha256(identity);
        header["x5c"] = json!([of.certificate().base64_der()]);
        header
    };
    assert_eq!(called(&service(), own, json!({})), sha1(own));
    assert_eq!(called(&service(), stranger, json!({})), sha1(stranger));
    assert_eq!(called(&service(), own, by_sha256(own)), sha1(own));
    assert_eq!(called(&service(), stranger, by_sha256(stranger)), hex(stranger));
    assert_eq!(called(&service(), stranger, with(stranger, stranger)), sha1(stranger));
    assert_eq!(called(&service(), stranger, with(stranger, own)), hex(stranger));
    let neighbours = Service { others: vec![stranger.certificate().clone()], ..service() };
    assert_eq!(called(&neighbours, stranger, by_sha256(stranger)), sha1(stranger));
}

#[test]
fn a_hash_is_looked_up_as_what_its_member_says_it_is_and_what_else_stands_there_is_named() {
    let own = shipped::sample_client();
    let (sha1, sha256) = (own.certificate().thumbprint(), own.certificate().thumbprint256());
    let found = |header: Value| {
        let checks = judged(&service(), &signed(own, &header, &healthy()));
        let check = checks.into_iter().find(|check| check.name == "registered").unwrap();
        (check.actual.to_string(), check.settings.len())
    };
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let passed = (sha1.to_string(), 0);
    for header in [
        json!({ "x5t": base64(sha1.as_bytes()) }),
        json!({ "x5t": null, "x5t#S256": sha256.base64url() }),
        json!({ "x5t": null, "kid": sha1.to_string().to_lowercase() }),
        json!({ "x5t": null, "kid": sha256.base64url() }),
        json!({ "x5t": "c0117050-0000-4000-8000-00000000a001", "kid": sha1.to_string() }),
    ] {
        assert_eq!(found(header.clone()), passed, "{header}");
    }
    let known = |holds: &str| (format!("{sha1}: {holds}"), 0);
    for (header, expected) in [
        (json!({ "x5t": sha256.base64url() }), known("x5t holds a SHA-256")),
        (json!({ "x5t": null, "x5t#S256": sha1.base64url() }), known("x5t#S256 holds a SHA-1")),
        (json!({ "x5t": sha1.to_string() }), known("x5t holds the hexadecimal text itself")),
        (
            json!({ "x5t": base64(sha1.to_string().as_bytes()) }),
            known("x5t holds the base64 of the hexadecimal text"),
        ),
        (
            json!({ "x5t": null, "x5t#S256": base64(sha256.to_string().to_lowercase().as_bytes()) }),
            known("x5t#S256 holds the base64 of the hexadecimal text"),
        ),
        (json!({ "x5t": "{THUMBPRINT}" }), ("x5t holds no base64".to_owned(), 0)),
    ] {
        assert_eq!(found(header.clone()), expected, "{header}");
    }
    let guid = found(json!({ "x5t": "c0117050-0000-4000-8000-00000000a001" }));
    assert!(guid.0.ends_with(": x5t holds a GUID, no hash of a certificate"), "{guid:?}");
}

#[test]
fn a_certificate_counts_from_its_first_moment_to_its_last() {
    let (first, last) = {
        let certificate = shipped::sample_client().certificate();
        (certificate.not_before().unix_timestamp(), certificate.not_after().unix_timestamp())
    };
    for (now, fails) in [(first - 1, true), (first, false), (last, false), (last + 1, true)] {
        let mut claims = healthy();
        claims.insert("nbf".to_owned(), now.into());
        claims.insert("exp".to_owned(), (now + 60).into());
        let token = signed(shipped::sample_client(), &json!({}), &claims);
        let failed: Vec<_> = judged_at(&service(), &token, now).into_iter().filter(Check::failed).collect();
        assert_eq!(
            failed.iter().map(|check| &*check.name).collect::<Vec<_>>(),
            if fails { vec!["in-date"] } else { vec![] }
        );
    }
}

#[test]
fn a_type_is_one_the_policy_takes_or_none_at_all() {
    let of = |typ: Value| {
        refused(&service(), &signed(shipped::sample_client(), &json!({ "typ": typ }), &healthy())).0
    };
    for typ in
        [json!("JWT"), json!("jwt"), json!("client-authentication+jwt"), json!(""), json!(null), json!(5)]
    {
        assert!(of(typ.clone()).is_empty(), "{typ}");
    }
    for typ in ["at+jwt", "JOSE", "JWT "] {
        assert_eq!(of(json!(typ)), ["kind"]);
    }
}

#[test]
fn an_assertion_has_an_id_or_none() {
    let id = |value: Value| {
        let mut claims = healthy();
        claims.insert("jti".to_owned(), value);
        let token = signed(shipped::sample_client(), &json!({}), &claims);
        Assertion::read(&token).id().map(str::to_owned)
    };
    assert_eq!(id(json!("one of a kind")).as_deref(), Some("one of a kind"));
    assert_eq!((id(json!("")), id(json!(5)), id(json!(null))), (None, None, None));
}

#[test]
fn another_client_s_assertion_is_about_another_client() {
    let open = Service { open: true, ..service() };
    let of = |issuer: &str, subject: &str| {
        let mut claims = healthy();
        claims.insert("iss".to_owned(), issuer.into());
        claims.insert("sub".to_owned(), subject.into());
        refused(&open, &signed(shipped::sample_client(), &json!({}), &claims))
    };
    let none = Vec::<String>::new();
    assert_eq!(of(CLIENT, CLIENT), (none.clone(), none.clone()));
    assert_eq!(of("A NAME OF ITS OWN", "a Name of its own"), (none.clone(), none.clone()));
    assert_eq!(of("somebody", "somebody"), (vec!["client".to_owned()], none.clone()));
    assert_eq!(of("somebody", CLIENT), (vec!["subject".to_owned(), "client".to_owned()], none.clone()));
    assert_eq!(of(CLIENT, "somebody"), (vec!["subject".to_owned()], none));
}

#[test]
fn what_a_person_is_shown_of_each_refusal_is_written_down() {
    let (own, stranger) = (shipped::sample_client(), shipped::second_client());
    let mut text = String::new();
    let mut show = |service: &Service, token: &str| {
        for check in judged(service, token).iter().filter(|check| !check.holds()) {
            let change = check.remedy.as_ref().and_then(|remedy| remedy.here.as_ref());
            let change = change.map(|change| format!("  change    {}\n", change.setting)).unwrap_or_default();
            text += &check.to_string();
            text += &change;
        }
        text += "---\n";
    };
    let claims = |name: &str, value: Value| {
        let mut claims = healthy();
        claims.insert(name.to_owned(), value);
        claims
    };
    let of = |name: &str, value: Value| signed(own, &json!({}), &claims(name, value));
    for (name, value) in [
        ("iss", json!(null)),
        ("aud", json!(null)),
        ("aud", json!([])),
        ("aud", json!(5)),
        ("aud", json!([ENDPOINT, "https://sts.example"])),
        ("exp", json!(null)),
        ("exp", json!("soon")),
        ("nbf", json!("soon")),
        ("nbf", json!(NOW + 11)),
        ("exp", json!(NOW - 11)),
        ("iss", json!("x".repeat(5_000))),
    ] {
        show(&service(), &of(name, value));
    }
    for header in [
        json!({ "alg": "HS256" }),
        json!({ "alg": null }),
        json!({ "x5t": null }),
        json!({ "crit": ["b64"] }),
        json!({ "x5t": null, "kid": "nobody" }),
        json!({ "typ": "at+jwt" }),
    ] {
        show(&service(), &signed(own, &header, &healthy()));
    }
    show(&service(), &signed(stranger, &json!({}), &healthy()));
    let forged = json!({ "x5t": own.certificate().thumbprint().base64url() });
    show(&service(), &signed(stranger, &forged, &healthy()));
    insta::assert_snapshot!(text);
}
