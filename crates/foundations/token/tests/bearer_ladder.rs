//! The ladder of a bearer token under a policy that is no product's: another order, other audiences, other words.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use mocktenant_keys::{Algorithm, Identity, shipped};
use mocktenant_token::bearer::{KeyFinding, SignatureFinding, TimeWindow, TrustedKey, read_authorization};
use mocktenant_token::ladder::{self, Failure, Policy, Questions, Step};
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_verdict::{
    Check, Checklist, Finding, Outcome, Question, Remedy, Role, Setting, Switches, Text,
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

const NOW: i64 = 1_700_000_000;

static PRESENT: Question = Question::new("present", Role::Token);
static READABLE: Question = Question::new("readable", Role::Token).needs(&[&PRESENT]);

static QUESTIONS: Questions = Questions {
    present: &PRESENT,
    present_expected: "a ticket",
    well_formed: &READABLE,
    well_formed_expected: "a ticket of paper",
    well_formed_held: "paper",
    steps: &[
        (Step::Time, &Question::new("time", Role::Time).needs(&[&READABLE])),
        (Step::Audience, &Question::new("gate", Role::Resource).needs(&[&READABLE])),
        (Step::Tenant, &Question::new("owner", Role::Authority).needs(&[&READABLE])),
        (Step::Issuer, &Question::new("printer", Role::Authority).needs(&[&READABLE])),
        (Step::Algorithm, &Question::new("ink", Role::Token).needs(&[&READABLE])),
        (Step::Signature, &Question::new("stamp", Role::Authority).needs(&[&READABLE])),
    ],
    algorithm_expected: "ink",
    algorithm_missing: "no ink",
    whole_header: false,
};

/// The same questions, the header judged as a whole by one of them.
static STRICT: Questions = Questions {
    steps: &[
        (Step::Algorithm, &Question::new("ink", Role::Token).needs(&[&READABLE])),
        (Step::Signature, &Question::new("stamp", Role::Authority).needs(&[&READABLE])),
        (Step::Time, &Question::new("time", Role::Time).needs(&[&READABLE])),
        (Step::Audience, &Question::new("gate", Role::Resource).needs(&[&READABLE])),
        (Step::Tenant, &Question::new("owner", Role::Authority).needs(&[&READABLE])),
        (Step::Issuer, &Question::new("printer", Role::Authority).needs(&[&READABLE])),
    ],
    present: &PRESENT,
    present_expected: "a ticket",
    well_formed: &READABLE,
    well_formed_expected: "a ticket of paper",
    well_formed_held: "paper",
    algorithm_expected: "ink",
    algorithm_missing: "no ink",
    whole_header: true,
};

/// Only whether the ticket is one for here.
static SHORT: Questions = Questions {
    present: &PRESENT,
    present_expected: "a ticket",
    well_formed: &READABLE,
    well_formed_expected: "a ticket of paper",
    well_formed_held: "paper",
    steps: &[(Step::Audience, &Question::new("gate", Role::Resource).needs(&[&READABLE]))],
    algorithm_expected: "ink",
    algorithm_missing: "no ink",
    whole_header: false,
};

/// A gate that takes any audience of a platform, two printers, and a few seconds of skew.
struct Gate(Vec<TrustedKey>, &'static Questions);

impl Policy for Gate {
    type Error = String;

    const WINDOW: TimeWindow = TimeWindow { skew: Duration::seconds(10) };

    fn questions(&self) -> &'static Questions {
        self.1
    }

    fn keys(&self) -> &[TrustedKey] {
        &self.0
    }

    fn issuer(&self) -> Text {
        "the old or the new printer".into()
    }

    fn accepts_issuer(&self, sent: &str) -> bool {
        ["old", "new"].contains(&sent)
    }

    fn accepts_audience(&self, sent: &str) -> bool {
        sent.starts_with("platform ")
    }

    fn audiences(&self, refused: bool) -> Text {
        if refused { "platform 1, platform 2".into() } else { "a platform".into() }
    }

    fn tenant(&self) -> Text {
        "adfs".into()
    }

    fn accepts_tenant(&self, sent: &str) -> bool {
        sent == "adfs"
    }

    fn any_key(&self) -> &'static str {
        "a stamp"
    }

    fn signature(&self, key: Option<&KeyFinding<'_>>, verified: Option<&SignatureFinding>) -> Text {
        match (key, verified) {
            (None, _) => self.any_key().into(),
            (Some(key), None) => key.expected(),
            (Some(_), Some(_)) => "the right stamp".into(),
        }
    }

    fn no_signature(&self, key: &KeyFinding<'_>, verified: Option<&SignatureFinding>) -> Text {
        verified.map_or_else(|| key.to_string(), ToString::to_string).into()
    }

    fn settings(&self, step: Step) -> Vec<Setting> {
        if step == Step::Audience { vec![Setting::fixed("/gate")] } else { Vec::new() }
    }

    fn shown(&self, text: &str) -> String {
        text.to_uppercase()
    }

    fn refuse(&self, actual: Text, failure: Failure<'_>) -> Finding<String> {
        let refused = Finding::fail(actual, format!("{failure:?}"));
        match failure {
            Failure::AudienceWrong { sent } => {
                let wanted = format!("platform instead of {}", sent.len());
                refused.mended_by(|| Remedy::instead([wanted]))
            }
            _ => refused,
        }
    }
}

fn describe(_error: &String) -> (&'static str, &'static str) {
    ("E", "")
}

fn judged(authorization: &str) -> (Vec<Check>, Option<String>) {
    judged_by(&QUESTIONS, authorization)
}

fn judged_by(questions: &'static Questions, authorization: &str) -> (Vec<Check>, Option<String>) {
    judged_without(&Switches::default(), questions, authorization)
}

fn judged_without(
    switches: &Switches,
    questions: &'static Questions,
    authorization: &str,
) -> (Vec<Check>, Option<String>) {
    let key = TrustedKey::of_certificate(shipped::token_signing().certificate()).unwrap();
    let gate = Gate(vec![key], questions);
    let mut list = Checklist::new(switches, describe);
    let authorization = read_authorization(Some(authorization.as_bytes()).filter(|value| !value.is_empty()));
    let now = OffsetDateTime::from_unix_timestamp(NOW).unwrap();
    let token = ladder::ask(&mut list, &gate, &authorization, now);
    let (checks, refusal) = list.finish();
    let read = checks.iter().any(|check| check.name == "readable" && check.holds());
    assert_eq!(token.is_some(), read, "a token that can be read is given back, believed or not");
    (checks, refusal)
}

fn signed(signer: &Identity, header: &Value, claims: &Value) -> String {
    let mut whole =
        json!({ "alg": "RS256", "kid": shipped::token_signing().certificate().thumbprint().base64url() });
    whole.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    let mut healthy = json!({ "iss": "new", "aud": ["x", "platform 9"], "tid": "adfs", "exp": NOW + 60 });
    healthy.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let header = HeaderSegment::new(whole.as_object().unwrap()).unwrap();
    format!("Bearer {}", mint(signer.key(), Algorithm::Rs256, &header, &healthy).unwrap())
}

fn of_claims(claims: &Value) -> String {
    signed(shipped::token_signing(), &json!({}), claims)
}

#[test]
fn questions_are_asked_in_the_policys_order_and_words() {
    let (checks, refusal) = judged(&of_claims(&json!({})));
    let asked: Vec<&str> = checks.iter().map(|check| &*check.name).collect();
    assert_eq!(asked, ["present", "readable", "time", "gate", "owner", "printer", "ink", "stamp"]);
    assert_eq!(asked, QUESTIONS.all::<8>().map(|question| question.name));
    assert!(
        checks.iter().all(|check| check.outcome == Outcome::Passed && check.settings.is_empty()),
        "{checks:?}"
    );
    assert_eq!(checks[3].expected, "a platform");
    assert_eq!(refusal, None);
}

#[test]
fn what_a_policy_leaves_out_is_not_asked() {
    assert_eq!(SHORT.all::<3>().map(|question| question.name), ["present", "readable", "gate"]);
    let (checks, refusal) =
        judged_by(&SHORT, &of_claims(&json!({ "tid": "another", "iss": "forger", "exp": 1 })));
    assert_eq!((checks.len(), refusal), (3, None));
    let (_, refusal) = judged_by(&SHORT, &of_claims(&json!({ "tid": "adfs", "aud": "street" })));
    assert_eq!(refusal.as_deref(), Some("AudienceWrong { sent: [\"street\"] }"));
}

#[test]
fn each_fault_is_one_failure_in_the_policys_words() {
    let signer = shipped::token_signing();
    for (authorization, name, actual, failure) in [
        (of_claims(&json!({ "exp": NOW - 11 })), "time", "exp 1699999989, 11 s ago", "OutOfTime"),
        (of_claims(&json!({ "aud": "street" })), "gate", "STREET", "AudienceWrong { sent: [\"street\"] }"),
        (of_claims(&json!({ "aud": null })), "gate", "no aud", "AudienceWrong { sent: [] }"),
        (of_claims(&json!({ "tid": "ADFS" })), "owner", "ADFS", "TenantWrong { sent: Some(\"ADFS\") }"),
        (
            of_claims(&json!({ "iss": "forger" })),
            "printer",
            "FORGER",
            "IssuerUnknown { sent: Some(\"forger\") }",
        ),
        (of_claims(&json!({ "tid": null })), "owner", "no tid", "TenantWrong { sent: None }"),
        (of_claims(&json!({ "iss": 5 })), "printer", "no iss", "IssuerUnknown { sent: None }"),
        (signed(signer, &json!({ "crit": ["b64"] }), &json!({})), "stamp", "crit b64", "SignatureInvalid"),
        (signed(signer, &json!({ "kid": "own" }), &json!({})), "stamp", "kid own", "SignatureInvalid"),
        (
            signed(shipped::second_client(), &json!({}), &json!({})),
            "stamp",
            "a RS256 signature that does not verify",
            "SignatureInvalid",
        ),
    ] {
        let (checks, refusal) = judged(&authorization);
        let failed: Vec<&Check> = checks.iter().filter(|check| check.failed()).collect();
        assert_eq!(failed.len(), 1, "{name}: {checks:?}");
        assert_eq!((&*failed[0].name, &*failed[0].actual), (name, actual));
        assert_eq!(refusal.as_deref(), Some(failure));
        assert_eq!(failed[0].remedy.is_some(), name == "gate", "{name}");
        assert_eq!(failed[0].settings.is_empty(), name != "gate", "{name}");
    }
}

#[test]
fn what_waits_for_something_is_skipped_for_it() {
    let skipped = |authorization: &str, name: &str| {
        let (checks, _) = judged(authorization);
        checks.into_iter().find(|check| check.name == name).unwrap().outcome
    };
    let skip = |needs: &'static str| Outcome::Skipped { needs: needs.into() };
    assert_eq!(skipped("", "readable"), skip("present"));
    assert_eq!(skipped("Basic x", "time"), skip("readable"));
    assert_eq!(skipped("Bearer x", "stamp"), skip("readable"));
    assert_eq!(judged("Bearer").1.as_deref(), Some("Malformed"));
    assert_eq!(judged("").1.as_deref(), Some("Missing"));
    let inkless = signed(shipped::token_signing(), &json!({ "alg": "none" }), &json!({}));
    assert_eq!(judged(&inkless).1.as_deref(), Some("AlgorithmRefused"));
    assert_eq!(skipped(&inkless, "stamp"), skip("ink"));
}

#[test]
fn a_token_that_is_not_there_is_not_one_that_cannot_be_read_also_where_nobody_asks_for_it() {
    for (authorization, readable) in [("", "Skipped"), ("Basic x", "Skipped"), ("Bearer", "Failed")] {
        let (checks, refusal) = judged_without(&Switches::off(["present"]), &QUESTIONS, authorization);
        assert!(format!("{:?}", checks[1].outcome).starts_with(readable), "{authorization}: {checks:?}");
        assert_eq!(refusal.is_some(), readable == "Failed", "{authorization}");
    }
}

#[test]
fn a_header_judged_as_a_whole_is_refused_where_it_is_judged() {
    let signer = shipped::token_signing();
    let seen = |questions: &'static Questions, header: &Value| -> Vec<String> {
        let (checks, _) = judged_by(questions, &signed(signer, header, &json!({})));
        let of = |name: &str| {
            let check = checks.iter().find(|check| check.name == name).unwrap();
            format!("{name} {:?} {}", check.outcome, check.actual)
        };
        vec![of("ink"), of("stamp")]
    };
    let skipped = "stamp Skipped { needs: \"ink\" } ";
    let good = ["ink Passed RS256", "stamp Passed a valid signature"];
    assert_eq!(seen(&STRICT, &json!({})), good);
    assert_eq!(seen(&QUESTIONS, &json!({})), good);
    // Its bytes are signed all the same: the stamp is judged by itself.
    assert_eq!(seen(&STRICT, &json!({ "crit": ["b64"] })), ["ink Failed RS256, crit B64", good[1]]);
    assert_eq!(seen(&QUESTIONS, &json!({ "crit": ["b64"] })), [good[0], "stamp Failed crit b64"]);
    assert_eq!(seen(&STRICT, &json!({ "alg": "none" })), ["ink Failed NONE", skipped]);
    assert_eq!(seen(&QUESTIONS, &json!({ "alg": "none" })), ["ink Failed NONE", skipped]);
    assert_eq!(seen(&STRICT, &json!({ "alg": null })), ["ink Failed no ink", skipped]);
    assert_eq!(seen(&STRICT, &json!({ "alg": null, "kid": "own" })), ["ink Failed no ink", skipped]);
    assert_eq!(
        seen(&QUESTIONS, &json!({ "alg": null, "kid": "own" })),
        ["ink Failed no ink", "stamp Failed kid own"]
    );
    assert_eq!(seen(&STRICT, &json!({ "kid": "own" })), [good[0], "stamp Failed kid own"]);
}
