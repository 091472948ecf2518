//! Authorization codes: what each of them is bound to, in which order it is judged, and who gets it when many come.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Barrier;

use mocktenant_idp::code::{Code, Codes, NotRedeemed, OtherClient, OtherRedirectUri, Redeeming, Step};
use mocktenant_idp::pkce::{BadVerifier, Method, Pkce};
use mocktenant_idp::{Kind, Ledger, Refused, Sealer};
use mocktenant_keys::SealingKey;
use mocktenant_lab::store::{Full, STORE_BUDGET};
use mocktenant_lab::{Random, Scope, Store};
use time::{Duration, OffsetDateTime};

const CODE: Kind<Code<String>> = Kind::new("toy-code");
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const ANOTHER: &str = "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const URI: &str = "https://client.example/back";

const POLICY: Codes = Codes {
    lifetime: Duration::minutes(10),
    pkce: Pkce { methods: &[Method::S256], required: false, refuses_unasked: true },
    burnt_by_wrong_verifier: true,
};
const LENIENT: Codes = Codes { burnt_by_wrong_verifier: false, ..POLICY };

const RIGHT: Redeeming<'_> =
    Redeeming { client: "client", redirect_uri: Some(URI), verifier: Some(VERIFIER), by: "x-1" };

struct House {
    key: SealingKey,
    random: Random,
    owner: Scope,
    store: Store,
    generation: u64,
}

impl House {
    fn new() -> Self {
        Self {
            key: SealingKey::from_secret(&[1; 32]),
            random: Random::seeded(1),
            owner: Scope::organization("a"),
            store: Store::default(),
            generation: 0,
        }
    }

    fn sealer(&self) -> Sealer<'_> {
        Sealer::new(&self.key, &self.random, &self.owner, self.generation)
    }

    fn issued(&self, change: impl FnOnce(&mut Code<String>)) -> String {
        let challenge = POLICY.pkce.challenge(Some(&Method::S256.challenge(VERIFIER)), Some("S256")).unwrap();
        let mut code = Code {
            client: String::from("client"),
            redirect_uri: Some(URI.to_owned()),
            challenge,
            granted: String::from("all"),
        };
        change(&mut code);
        POLICY.issue(&self.sealer(), &CODE, &code, NOW).unwrap()
    }

    fn redeem(
        &self,
        policy: &Codes,
        code: &str,
        asked: &Redeeming<'_>,
        seconds: i64,
    ) -> Result<String, NotRedeemed> {
        let ledger = Ledger::new(&self.store, &self.owner, NOW + Duration::seconds(seconds));
        policy.redeem((&self.sealer(), &ledger), &CODE, code, asked)
    }
}

fn used(by: &str) -> NotRedeemed {
    NotRedeemed::Used { by: by.to_owned() }
}

#[test]
fn a_code_is_redeemed_once_by_who_asked_for_it() {
    let house = House::new();
    let code = house.issued(|_| {});
    assert_eq!(house.redeem(&POLICY, &code, &RIGHT, 599).as_deref(), Ok("all"));
    let again = Redeeming { by: "x-2", ..RIGHT };
    assert_eq!(house.redeem(&POLICY, &code, &again, 599), Err(used("x-1")));
    let another = house.issued(|_| {});
    assert!(house.redeem(&POLICY, &another, &again, 0).is_ok(), "another code is another");
}

#[test]
fn every_reason_not_to_redeem_has_its_name_and_its_step() {
    let house = House::new();
    let code = house.issued(|_| {});
    let expired = Refused::Expired { at: NOW + Duration::minutes(10) };
    let other = Redeeming { client: "other", ..RIGHT };
    let elsewhere = Redeeming { redirect_uri: Some("https://client.example/back/"), ..RIGHT };
    let nowhere = Redeeming { redirect_uri: None, ..RIGHT };
    let wrong = Redeeming { verifier: Some(ANOTHER), ..RIGHT };
    let asked_with = || URI.to_owned();
    for (asked, seconds, why, step) in [
        (RIGHT, 600, NotRedeemed::Refused(expired), Step::Lasts),
        (other, 0, NotRedeemed::Client(OtherClient { issued_to: "client".into() }), Step::Client),
        (
            elsewhere,
            0,
            NotRedeemed::RedirectUri(OtherRedirectUri::Another { asked_with: asked_with() }),
            Step::RedirectUri,
        ),
        (
            nowhere,
            0,
            NotRedeemed::RedirectUri(OtherRedirectUri::Missing { asked_with: asked_with() }),
            Step::RedirectUri,
        ),
        (wrong, 0, NotRedeemed::Verifier(BadVerifier::Differs { method: Method::S256 }), Step::Verifier),
        (
            Redeeming { verifier: None, ..RIGHT },
            0,
            NotRedeemed::Verifier(BadVerifier::Missing),
            Step::Verifier,
        ),
    ] {
        let refused = house.redeem(&LENIENT, &code, &asked, seconds).unwrap_err();
        assert_eq!((&refused, refused.step()), (&why, step));
        assert!(!refused.to_string().is_empty());
    }
    let refused = house.redeem(&LENIENT, &code[..code.len() - 1], &RIGHT, 0).unwrap_err();
    assert_eq!((&refused, refused.step()), (&NotRedeemed::Refused(Refused::Cut), Step::Genuine));
    assert_eq!(house.redeem(&LENIENT, &code, &RIGHT, 0).as_deref(), Ok("all"), "none of these used it");
    assert_eq!(house.redeem(&LENIENT, &code, &RIGHT, 0).unwrap_err().step(), Step::Unused);
}

#[test]
fn whoever_asks_with_everything_wrong_hears_the_first_thing() {
    let house = House::new();
    let code = house.issued(|_| {});
    let mut asked = Redeeming { client: "other", redirect_uri: None, verifier: Some("short"), by: "x-2" };
    let step =
        |asked: &Redeeming<'_>, seconds| house.redeem(&LENIENT, &code, asked, seconds).unwrap_err().step();
    assert_eq!(step(&asked, 600), Step::Lasts);
    assert_eq!(step(&asked, 0), Step::Client);
    asked.client = "client";
    assert_eq!(step(&asked, 0), Step::RedirectUri);
    asked.redirect_uri = Some(URI);
    assert_eq!(step(&asked, 0), Step::Verifier);
    house.redeem(&LENIENT, &code, &RIGHT, 0).unwrap();
    assert_eq!(step(&asked, 0), Step::Unused, "of a used code nobody learns whether a verifier is right");
    assert!(Step::ALL.is_sorted());
}

#[test]
fn a_code_without_a_redirect_uri_or_a_challenge_is_redeemed_without() {
    let house = House::new();
    let bare = Redeeming { redirect_uri: None, verifier: None, ..RIGHT };
    let code = || house.issued(|code| (code.redirect_uri, code.challenge) = (None, None));
    assert!(house.redeem(&POLICY, &code(), &bare, 0).is_ok());
    let named = Redeeming { redirect_uri: Some(URI), ..bare };
    assert_eq!(
        house.redeem(&POLICY, &code(), &named, 0),
        Err(NotRedeemed::RedirectUri(OtherRedirectUri::Unasked))
    );
    let verified = Redeeming { verifier: Some(VERIFIER), ..bare };
    assert_eq!(
        house.redeem(&POLICY, &code(), &verified, 0),
        Err(NotRedeemed::Verifier(BadVerifier::Unasked))
    );
}

#[test]
fn a_wrong_verifier_burns_a_code_where_the_policy_says_so() {
    let house = House::new();
    for verifier in [Some(ANOTHER), Some("short"), None] {
        let wrong = Redeeming { verifier, by: "x-9", ..RIGHT };
        let code = house.issued(|_| {});
        assert_eq!(house.redeem(&POLICY, &code, &wrong, 0).unwrap_err().step(), Step::Verifier);
        assert_eq!(house.redeem(&POLICY, &code, &RIGHT, 0), Err(used("x-9")), "burnt");
        assert_eq!(house.redeem(&POLICY, &code, &wrong, 0), Err(used("x-9")));
        let code = house.issued(|_| {});
        assert_eq!(house.redeem(&LENIENT, &code, &wrong, 0).unwrap_err().step(), Step::Verifier);
        assert!(house.redeem(&LENIENT, &code, &RIGHT, 0).is_ok(), "still good");
    }
    let code = house.issued(|_| {});
    let other = Redeeming { client: "other", verifier: None, ..RIGHT };
    assert!(house.redeem(&POLICY, &code, &other, 0).is_err());
    assert!(house.redeem(&POLICY, &code, &RIGHT, 0).is_ok(), "another client burns nobody's code");
}

#[test]
fn of_eight_who_redeem_a_code_at_once_exactly_one_gets_it() {
    for policy in [POLICY, LENIENT] {
        for _ in 0..100 {
            let house = House::new();
            let code = house.issued(|_| {});
            let barrier = Barrier::new(8);
            let outcomes: Vec<_> = std::thread::scope(|threads| {
                let begun: Vec<_> = (0..8)
                    .map(|number| {
                        let (house, code, barrier, policy) = (&house, &code, &barrier, &policy);
                        threads.spawn(move || {
                            barrier.wait();
                            let by = format!("x-{number}");
                            (house.redeem(policy, code, &Redeeming { by: &by, ..RIGHT }, 0), by)
                        })
                    })
                    .collect();
                begun.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let winners: Vec<_> = outcomes.iter().filter(|(outcome, _)| outcome.is_ok()).collect();
            assert_eq!(winners.len(), 1);
            let lost = Err(used(&winners[0].1));
            assert_eq!(outcomes.iter().filter(|(outcome, _)| *outcome == lost).count(), 7);
        }
    }
}

#[test]
fn a_code_is_void_after_a_reset_and_nobody_redeems_what_cannot_be_remembered() {
    let mut house = House::new();
    let code = house.issued(|_| {});
    let long = "x".repeat(STORE_BUDGET);
    let asked = Redeeming { by: &long, ..RIGHT };
    assert_eq!(house.redeem(&POLICY, &code, &asked, 0), Err(NotRedeemed::Full(Full)));
    house.generation = 1;
    assert_eq!(house.redeem(&POLICY, &code, &RIGHT, 0), Err(NotRedeemed::Refused(Refused::BeforeReset)));
}
