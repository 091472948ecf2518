//! Device codes: two devices, one user, and strangers who guess, flood, poll and come twice.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Barrier;

use mocktenant_idp::code::OtherClient;
use mocktenant_idp::device_code::{
    Approved, Begun, DeviceCode, Devices, NotBegun, NotFound, NotSettled, NotYet, Pending,
};
use mocktenant_idp::session::{Lasts, Session, Sessions, SignIn};
use mocktenant_idp::{Kind, Ledger, Lockout, Polling, Refused, Sealer, Window};
use mocktenant_keys::SealingKey;
use mocktenant_lab::{Random, Scope, Store};
use time::{Duration, OffsetDateTime};

const DEVICE: Kind<DeviceCode> = Kind::new("toy-device-code");
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

const POLICY: Devices = Devices {
    lifetime: Duration::seconds(900),
    alphabet: "BCDFGHJKLMNPQRSTVWXZ",
    letters: 9,
    polling: None,
    guesses: Some(Lockout {
        kind: "toy-user-code",
        attempts: NonZeroU32::new(3).unwrap(),
        window: Window::FromFirst(Duration::minutes(5)),
        lasts: Duration::minutes(5),
    }),
    capacity: 3,
    most_octets: 400,
};

struct House {
    key: SealingKey,
    random: Random,
    owner: Scope,
    store: Store,
}

fn at(seconds: i64) -> OffsetDateTime {
    NOW + Duration::seconds(seconds)
}

impl House {
    fn new() -> Self {
        Self {
            key: SealingKey::from_secret(&[1; 32]),
            random: Random::seeded(1),
            owner: Scope::organization("a"),
            store: Store::default(),
        }
    }

    fn sealer(&self) -> Sealer<'_> {
        Sealer::new(&self.key, &self.random, &self.owner, 0)
    }

    fn ledger(&self, second: i64) -> Ledger<'_> {
        Ledger::new(&self.store, &self.owner, at(second))
    }

    fn begin_as(&self, policy: &Devices, asked: &str, second: i64) -> Result<Begun, NotBegun> {
        let with = (&self.sealer(), &self.ledger(second));
        policy.begin(with, &DEVICE, &self.random, ("client", &asked.to_owned()))
    }

    fn begin(&self, second: i64) -> Begun {
        self.begin_as(&POLICY, "all", second).unwrap()
    }

    fn find(&self, typed: &str, second: i64) -> Result<Pending<String>, NotFound> {
        POLICY.find(&self.ledger(second), "who", typed)
    }

    fn approve(&self, user_code: &str, user: &str, second: i64) -> Result<(), NotSettled> {
        let pending = self.find(user_code, second).unwrap();
        POLICY.approve(&self.ledger(second), &pending, &session(user))
    }

    fn poll(
        &self,
        policy: &Devices,
        begun: &Begun,
        by: &str,
        second: i64,
    ) -> Result<Approved<String>, NotYet> {
        let opened = self.sealer().open(&DEVICE, &begun.device_code, at(second)).unwrap();
        policy.poll(&self.ledger(second), &opened, by)
    }
}

fn sign_in(user: &str) -> SignIn {
    SignIn { user: user.to_owned(), at: NOW, how: "password".to_owned() }
}

fn session(user: &str) -> Session {
    let kind = Kind::new("toy-session");
    let sessions = Sessions { kind, lasts: Lasts::FromSignIn(Duration::HOUR), kept: None, clients: 1 };
    sessions.begin(&Random::seeded(2), sign_in(user), false, None)
}

#[test]
fn a_device_waits_until_its_user_approves_and_gets_it_once() {
    let house = House::new();
    let begun = house.begin(0);
    assert_eq!(begun.expires, at(900));
    assert_eq!(house.poll(&POLICY, &begun, "x-1", 1), Err(NotYet::Pending));
    let pending = house.find(&begun.user_code, 2).unwrap();
    assert_eq!((&*pending.client, &*pending.asked, pending.expires), ("client", "all", at(900)));
    POLICY.approve(&house.ledger(3), &pending, &session("ada")).unwrap();
    let approved = Approved { sign_in: sign_in("ada"), asked: String::from("all") };
    assert_eq!(house.poll(&POLICY, &begun, "x-2", 4), Ok(approved));
    let again = Err(NotYet::Redeemed { by: "x-2".into() });
    assert_eq!(house.poll(&POLICY, &begun, "x-3", 5), again);
    assert_eq!(house.find(&begun.user_code, 6), Err(NotFound::Settled));
}

#[test]
fn who_denies_ends_it_and_nobody_answers_twice() {
    let house = House::new();
    let begun = house.begin(0);
    let pending = house.find(&begun.user_code, 1).unwrap();
    POLICY.deny(&house.ledger(1), &pending).unwrap();
    assert_eq!(house.poll(&POLICY, &begun, "x-1", 2), Err(NotYet::Denied));
    let late = POLICY.approve(&house.ledger(2), &pending, &session("ada"));
    assert_eq!(late, Err(NotSettled::Settled));
    assert_eq!(house.poll(&POLICY, &begun, "x-1", 3), Err(NotYet::Denied));
    let begun = house.begin(0);
    let pending = house.find(&begun.user_code, 1).unwrap();
    assert_eq!(POLICY.approve(&house.ledger(1), &pending, &session("ada")), Ok(()));
    assert_eq!(POLICY.approve(&house.ledger(1), &pending, &session("eve")), Err(NotSettled::Settled));
    assert_eq!(POLICY.deny(&house.ledger(1), &pending), Err(NotSettled::Settled));
    assert_eq!(house.poll(&POLICY, &begun, "x-1", 2).unwrap().sign_in.user, "ada", "the first one's");
}

#[test]
fn both_codes_end_together() {
    let house = House::new();
    let begun = house.begin(0);
    let pending = house.find(&begun.user_code, 899).unwrap();
    assert_eq!(house.find(&begun.user_code, 900), Err(NotFound::Unknown));
    let over = POLICY.approve(&house.ledger(900), &pending, &session("ada"));
    assert_eq!(over, Err(NotSettled::Over));
    let opened = house.sealer().open(&DEVICE, &begun.device_code, at(900));
    assert_eq!(opened, Err(Refused::Expired { at: at(900) }));
}

#[test]
fn a_device_code_is_its_clients_and_of_its_own_flow() {
    let house = House::new();
    let begun = house.begin(0);
    let code = house.sealer().open(&DEVICE, &begun.device_code, at(0)).unwrap();
    assert_eq!(code.payload.of_client("client"), Ok(()));
    let other = OtherClient { issued_to: "client".into() };
    assert_eq!(code.payload.of_client("other"), Err(other));
    // Another lab's memory, or one that was reset: the code is genuine and nobody knows it.
    let elsewhere = Store::default();
    let nowhere = POLICY.poll::<String>(&Ledger::new(&elsewhere, &house.owner, at(1)), &code, "x-1");
    assert_eq!(nowhere, Err(NotYet::Forgotten));
    // The same user code, of another flow.
    let few = Devices { alphabet: "B", letters: 1, ..POLICY };
    let first = house.begin_as(&few, "first", 0).unwrap();
    let pending = few.find::<String>(&house.ledger(1), "who", "b").unwrap();
    let second = house.begin_as(&few, "second", 900).unwrap();
    let late = few.approve(&house.ledger(900), &pending, &session("ada"));
    assert_eq!(late, Err(NotSettled::Over), "what was approved is not what waits now");
    assert_eq!((&*first.user_code, &*second.user_code), ("B", "B"));
    let opened = house.sealer().open(&DEVICE, &first.device_code, at(0)).unwrap();
    let polled = few.poll::<String>(&house.ledger(900), &opened, "x-1");
    assert_eq!(polled, Err(NotYet::Forgotten));
}

#[test]
fn a_user_code_has_so_many_letters_of_the_alphabet_and_is_found_however_it_is_typed() {
    let house = House::new();
    let begun = house.begin(0);
    let code = &begun.user_code;
    assert_eq!(code.len(), 9);
    assert!(code.chars().all(|letter| POLICY.alphabet.contains(letter)), "{code}");
    let (one, two, three) = (&code[..3], &code[3..6], &code[6..]);
    for typed in
        [code.to_lowercase(), format!("{one}-{two}-{three}"), format!("  {one} {two}\u{a0}{three}\r\n")]
    {
        assert_eq!(&house.find(&typed, 1).unwrap().user_code, code, "{typed:?}");
    }
    let misshapen = ["", &code[1..], &format!("{code}B"), "AAAAAAAAA", &format!("{code}{}", "-".repeat(100))]
        .map(|typed| house.find(typed, 1).unwrap_err());
    assert!(misshapen.iter().all(|why| *why == NotFound::Misshapen), "{misshapen:?}");
    let digits = Devices { alphabet: "0123456789", letters: 8, ..POLICY };
    assert_eq!(digits.folded("1234-5678").as_deref(), Some("12345678"));
}

#[test]
fn every_letter_is_drawn_about_as_often_as_any_other() {
    let house = House::new();
    let many = Devices { capacity: 500, ..POLICY };
    let codes: Vec<_> = (0..500).map(|_| house.begin_as(&many, "", 0).unwrap().user_code).collect();
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 500);
    for letter in POLICY.alphabet.chars() {
        let drawn = codes.iter().flat_map(|code| code.chars()).filter(|drawn| *drawn == letter).count();
        assert!((165..290).contains(&drawn), "{letter}: {drawn} of 4500, 225 expected");
    }
    // 256 octets are two alphabets of 94 letters and 68 more: nobody may draw from those.
    let all: &'static str = ('!'..='~').collect::<String>().leak();
    let wide = Devices { alphabet: all, capacity: 1_000, ..POLICY };
    let codes: Vec<_> = (0..500).map(|_| house.begin_as(&wide, "", 0).unwrap().user_code).collect();
    let last = codes.iter().flat_map(|code| code.chars()).filter(|drawn| all[68..].contains(*drawn)).count();
    assert!((1_130..1_360).contains(&last), "{last} of 4500, 1245 expected");
}

#[test]
fn who_guesses_user_codes_is_locked_out_and_knowing_one_does_not_help() {
    let house = House::new();
    let (known, wrong) = (house.begin(0).user_code, "BBBBBBBBB");
    assert!(house.find("nonsense", 0).is_err(), "what cannot be a code is no guess");
    for second in 1..=2 {
        assert_eq!(house.find(wrong, second), Err(NotFound::Unknown));
        assert!(house.find(&known, second).is_ok());
    }
    assert_eq!(house.find(wrong, 3), Err(NotFound::Unknown), "the last one");
    let locked = Err(NotFound::Locked { until: at(303) });
    assert_eq!((house.find(wrong, 4), house.find(&known, 4)), (locked.clone(), locked));
    let another = POLICY.find::<String>(&house.ledger(4), "another", &known);
    assert!(another.is_ok(), "it is who guesses that is locked out");
    assert!(house.find(&known, 303).is_ok());
}

#[test]
fn a_right_guess_is_not_counted_even_where_it_is_the_last_there_is() {
    let house = House::new();
    let known = house.begin(0).user_code;
    for second in 0..2 {
        assert_eq!(house.find("BBBBBBBBB", second), Err(NotFound::Unknown));
    }
    for second in 2..10 {
        assert!(house.find(&known, second).is_ok(), "{second}");
    }
    assert_eq!(house.find("BBBBBBBBB", 10), Err(NotFound::Unknown));
    assert_eq!(house.find(&known, 11), Err(NotFound::Locked { until: at(310) }));
}

#[test]
fn no_more_wait_than_may_and_what_is_over_makes_room() {
    let house = House::new();
    let begun = [0, 10, 20].map(|second| house.begin(second));
    let refused = || house.begin_as(&POLICY, "all", 30).unwrap_err().to_string();
    assert_eq!(refused(), "3 device codes wait already");
    let pending = house.find(&begun[0].user_code, 30).unwrap();
    POLICY.deny(&house.ledger(30), &pending).unwrap();
    let fourth = house.begin(30);
    assert_eq!(refused(), "3 device codes wait already");
    house.approve(&fourth.user_code, "ada", 30).unwrap();
    assert_eq!(refused(), "3 device codes wait already", "what is approved waits to be redeemed");
    house.poll(&POLICY, &fourth, "x-1", 30).unwrap();
    house.begin(30);
    assert_eq!(refused(), "3 device codes wait already");
    assert!(house.begin_as(&POLICY, "all", 909).is_err());
    house.begin(910);
}

#[test]
fn what_is_asked_for_is_bounded_and_a_refused_flow_takes_no_place() {
    let house = House::new();
    for _ in 0..5 {
        let refused = house.begin_as(&POLICY, &"x".repeat(400), 0).unwrap_err();
        assert!(matches!(refused, NotBegun::TooLong { octets: 401.. }), "{refused}");
        // One user code, and it is taken.
        let one = Devices { alphabet: "B", letters: 1, capacity: 2, ..POLICY };
        let _ = house.begin_as(&one, "all", 0);
        assert!(matches!(house.begin_as(&one, "all", 0), Err(NotBegun::NoUserCode)));
    }
    house.begin(0);
    house.begin(0);
    assert!(matches!(house.begin_as(&POLICY, "all", 0), Err(NotBegun::TooMany { waiting: 3 })));
}

#[test]
fn who_polls_too_early_is_told_so_before_anything_else() {
    let house = House::new();
    let polling =
        Polling { kind: "toy-poll", interval: Duration::seconds(5), slow_down: Duration::seconds(5) };
    let policy = Devices { polling: Some(polling), ..POLICY };
    let begun = house.begin(0);
    let poll = |second| house.poll(&policy, &begun, "x-1", second);
    assert_eq!(poll(0), Err(NotYet::Pending));
    house.approve(&begun.user_code, "ada", 1).unwrap();
    assert_eq!(poll(4), Err(NotYet::TooEarly { interval: Duration::seconds(10) }));
    assert_eq!(poll(14).unwrap().sign_in.user, "ada");
}

#[test]
fn of_eight_who_poll_an_approved_code_at_once_exactly_one_gets_it() {
    for _ in 0..100 {
        let house = House::new();
        let begun = house.begin(0);
        house.approve(&begun.user_code, "ada", 0).unwrap();
        let barrier = Barrier::new(8);
        let outcomes: Vec<_> = std::thread::scope(|threads| {
            let asking: Vec<_> = (0..8)
                .map(|number| {
                    let (house, begun, barrier) = (&house, &begun, &barrier);
                    threads.spawn(move || {
                        barrier.wait();
                        let by = format!("x-{number}");
                        (house.poll(&POLICY, begun, &by, 1), by)
                    })
                })
                .collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let winners: Vec<_> = outcomes.iter().filter(|(outcome, _)| outcome.is_ok()).collect();
        assert_eq!(winners.len(), 1);
        let lost = Err(NotYet::Redeemed { by: winners[0].1.clone() });
        assert_eq!(outcomes.iter().filter(|(outcome, _)| *outcome == lost).count(), 7);
    }
}

#[test]
fn of_eight_who_begin_at_once_no_more_wait_than_may() {
    for _ in 0..50 {
        let house = House::new();
        let barrier = Barrier::new(8);
        let begun: usize = std::thread::scope(|threads| {
            let asking: Vec<_> = (0..8)
                .map(|_| {
                    let (house, barrier) = (&house, &barrier);
                    threads.spawn(move || {
                        barrier.wait();
                        usize::from(house.begin_as(&POLICY, "all", 0).is_ok())
                    })
                })
                .collect();
            asking.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(begun, 3);
    }
}
