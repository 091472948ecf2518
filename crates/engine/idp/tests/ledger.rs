//! What is remembered of an owner: first uses, wrong guesses, polls; one after the other, and all at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::num::NonZeroU32;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

use mocktenant_idp::{
    Attempt, Kind, Ledger, Lockout, Mark, NotSpent, NotTried, Poll, Polling, Sealer, Window,
};
use mocktenant_keys::SealingKey;
use mocktenant_lab::store::{Full, STORE_BUDGET};
use mocktenant_lab::{Random, Scope, Store};
use time::{Duration, OffsetDateTime};

const BEGAN: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn at(seconds: i64) -> OffsetDateTime {
    BEGAN + Duration::seconds(seconds)
}

fn owner() -> Scope {
    Scope::environment("a")
}

/// The marks of so many values.
fn marks(count: usize) -> Vec<Mark> {
    let (key, random, owner) = (SealingKey::from_secret(&[1; 32]), Random::seeded(1), owner());
    let sealer = Sealer::new(&key, &random, &owner, 0);
    let kind = Kind::<u8>::new("code");
    let texts = (0..count).map(|_| sealer.seal(&kind, &7, at(60)).unwrap());
    texts.map(|text| sealer.open(&kind, &text, at(0)).unwrap().mark).collect()
}

fn before(by: &str) -> NotSpent {
    NotSpent::Before { by: by.to_owned() }
}

/// Does the same eight times at once.
fn eight_at_once<R: Send>(work: impl Fn(u8) -> R + Sync) -> Vec<R> {
    let barrier = Barrier::new(8);
    std::thread::scope(|threads| {
        let begun: Vec<_> = (0..8)
            .map(|number| {
                let (work, barrier) = (&work, &barrier);
                threads.spawn(move || {
                    barrier.wait();
                    work(number)
                })
            })
            .collect();
        begun.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn a_value_is_spent_once_and_who_comes_later_learns_by_whom() {
    let (store, owner, other) = (Store::default(), owner(), Scope::environment("b"));
    let marks = marks(2);
    let spend = |owner, mark, by, now| Ledger::new(&store, owner, now).spend(mark, by, at(60));
    assert_eq!(Ledger::new(&store, &owner, at(0)).spent_by(&marks[0]), None);
    assert_eq!(spend(&owner, &marks[0], "x-1", at(0)), Ok(()));
    assert_eq!(spend(&owner, &marks[0], "x-2", at(59)), Err(before("x-1")));
    assert_eq!(Ledger::new(&store, &owner, at(59)).spent_by(&marks[0]).as_deref(), Some("x-1"));
    assert_eq!(spend(&owner, &marks[1], "x-3", at(0)), Ok(()), "another value");
    assert_eq!(spend(&other, &marks[0], "x-4", at(0)), Ok(()), "another owner's");
}

#[test]
fn of_eight_who_spend_one_value_at_once_exactly_one_gets_it() {
    let owner = owner();
    for mark in marks(200) {
        let store = Store::default();
        let outcomes = eight_at_once(|number| {
            let by = number.to_string();
            (Ledger::new(&store, &owner, at(0)).spend(&mark, &by, at(60)), by)
        });
        let winners: Vec<_> = outcomes.iter().filter(|(outcome, _)| outcome.is_ok()).collect();
        assert_eq!(winners.len(), 1);
        let lost = Err(before(&winners[0].1));
        assert_eq!(outcomes.iter().filter(|(outcome, _)| *outcome == lost).count(), 7, "and all know which");
    }
}

#[test]
fn where_a_use_cannot_be_remembered_there_is_none() {
    let (store, owner) = (Store::default(), owner());
    let ledger = Ledger::new(&store, &owner, at(0));
    let long = "x".repeat(STORE_BUDGET);
    assert_eq!(ledger.spend(&marks(1)[0], &long, at(60)), Err(NotSpent::Full(Full)));
    assert_eq!(ledger.spent_by(&marks(1)[0]), None);
}

fn lockout(window: Window) -> Lockout {
    let attempts = NonZeroU32::new(3).unwrap();
    Lockout { kind: "guess", attempts, window, lasts: Duration::seconds(100) }
}

const TEN: Window = Window::FromFirst(Duration::seconds(10));

/// A wrong guess at that second: how many are left, or until when it is locked.
fn wrong(store: &Store, policy: &Lockout, who: &str, second: i64) -> Result<u32, OffsetDateTime> {
    match Ledger::new(store, &owner(), at(second)).attempt(Some(policy), who) {
        Ok(attempt) => Ok(attempt.left()),
        Err(NotTried::Locked { until }) => Err(until),
        Err(NotTried::Full(full)) => panic!("{full}"),
    }
}

#[test]
fn so_many_wrong_guesses_lock_for_so_long_and_nobody_else() {
    let (store, policy) = (Store::default(), lockout(TEN));
    let wrong = |who, second| wrong(&store, &policy, who, second);
    assert_eq!([wrong("ada", 0), wrong("ada", 1), wrong("ada", 2)], [Ok(2), Ok(1), Ok(0)]);
    assert_eq!(wrong("ada", 3), Err(at(102)), "from the guess that locked it");
    assert_eq!(wrong("ada", 101), Err(at(102)), "what is refused locks no longer");
    assert_eq!(wrong("bob", 3), Ok(2));
    let owner = owner();
    let locked = |who, second| Ledger::new(&store, &owner, at(second)).locked_until("guess", who);
    assert_eq!((locked("ada", 101), locked("bob", 101)), (Some(at(102)), None));
    assert_eq!(
        (locked("ada", 102), wrong("ada", 102)),
        (None, Ok(2)),
        "open, and counted from the beginning"
    );
    let other = Lockout { kind: "other-guess", ..policy };
    assert_eq!(Ledger::new(&store, &owner, at(3)).attempt(Some(&other), "ada").unwrap().left(), 2);
}

#[test]
fn wrong_guesses_are_counted_together_within_a_window_from_the_first_or_the_last() {
    let (store, policy) = (Store::default(), lockout(TEN));
    let seconds = [0, 5, 10, 15, 20];
    let guessed = seconds.map(|second| wrong(&store, &policy, "ada", second));
    assert_eq!(guessed, [Ok(2), Ok(1), Ok(2), Ok(1), Ok(2)], "every ten seconds it begins again");
    let policy = lockout(Window::FromLast(Duration::seconds(10)));
    let guessed = [0, 9, 18].map(|second| wrong(&store, &policy, "bob", second));
    assert_eq!(guessed, [Ok(2), Ok(1), Ok(0)], "it goes on for ever");
    let guessed = [0, 9, 19].map(|second| wrong(&store, &policy, "eve", second));
    assert_eq!(guessed, [Ok(2), Ok(1), Ok(2)], "until ten seconds without one");
}

#[test]
fn a_right_guess_forgets_the_wrong_ones_even_the_last_there_was() {
    let (store, owner, policy) = (Store::default(), owner(), lockout(TEN));
    for round in 0..3 {
        assert_eq!(wrong(&store, &policy, "ada", round), Ok(2));
        assert_eq!(wrong(&store, &policy, "ada", round), Ok(1));
        let ledger = Ledger::new(&store, &owner, at(round));
        let last = ledger.attempt(Some(&policy), "ada").unwrap();
        assert_eq!(last.left(), 0);
        assert!(wrong(&store, &policy, "ada", round).is_err(), "while it is judged nobody else guesses");
        ledger.succeeded(last);
    }
}

#[test]
fn a_right_guess_does_not_open_what_a_wrong_one_has_locked_meanwhile() {
    let (store, owner, policy) = (Store::default(), owner(), lockout(TEN));
    let ledger = Ledger::new(&store, &owner, at(0));
    let slow = ledger.attempt(Some(&policy), "ada").unwrap();
    assert_eq!([wrong(&store, &policy, "ada", 1), wrong(&store, &policy, "ada", 2)], [Ok(1), Ok(0)]);
    ledger.succeeded(slow);
    assert_eq!(wrong(&store, &policy, "ada", 3), Err(at(102)));
    ledger.unlock("guess", "ada");
    assert_eq!(wrong(&store, &policy, "ada", 3), Ok(2), "an administrator opens it");
}

#[test]
fn a_guess_that_is_taken_back_leaves_the_wrong_ones_and_what_they_have_locked() {
    let (store, owner, policy) = (Store::default(), owner(), lockout(TEN));
    let ledger = Ledger::new(&store, &owner, at(0));
    assert_eq!(wrong(&store, &policy, "ada", 0), Ok(2));
    for _ in 0..5 {
        let right = ledger.attempt(Some(&policy), "ada").unwrap();
        assert_eq!(right.left(), 1);
        ledger.take_back(right);
    }
    let slow = ledger.attempt(Some(&policy), "ada").unwrap();
    assert_eq!(wrong(&store, &policy, "ada", 1), Ok(0));
    ledger.take_back(slow);
    assert_eq!(wrong(&store, &policy, "ada", 2), Err(at(101)), "locked meanwhile");
    let uncounted = ledger.attempt(None, "ada").unwrap();
    ledger.take_back(uncounted);
}

#[test]
fn who_locks_until_somebody_unlocks_is_locked_to_the_end_of_time() {
    let policy = Lockout { lasts: Duration::MAX, attempts: NonZeroU32::MIN, ..lockout(TEN) };
    let store = Store::default();
    assert_eq!(wrong(&store, &policy, "ada", 0), Ok(0));
    assert!(wrong(&store, &policy, "ada", 200_000_000_000).is_err());
}

#[test]
fn without_a_policy_nothing_is_counted_and_nobody_is_locked() {
    let (store, owner) = (Store::default(), owner());
    let ledger = Ledger::new(&store, &owner, at(0));
    for _ in 0..100 {
        let attempt: Attempt = ledger.attempt(None, "ada").unwrap();
        assert_eq!(attempt.left(), u32::MAX);
    }
    let attempt = ledger.attempt(None, "ada").unwrap();
    ledger.succeeded(attempt);
    assert_eq!(ledger.locked_until("guess", "ada"), None);
}

#[test]
fn who_guesses_eight_at_once_has_no_more_guesses_than_one_after_the_other() {
    let (owner, policy) = (owner(), lockout(TEN));
    for _ in 0..200 {
        let store = Store::default();
        let judged = AtomicU32::new(0);
        eight_at_once(|_| {
            let ledger = Ledger::new(&store, &owner, at(0));
            for _ in 0..4 {
                if let Ok(_wrong) = ledger.attempt(Some(&policy), "ada") {
                    judged.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        assert_eq!(judged.into_inner(), 3);
        assert!(wrong(&store, &policy, "ada", 1).is_err());
    }
}

const POLLING: Polling =
    Polling { kind: "device-poll", interval: Duration::seconds(5), slow_down: Duration::seconds(5) };

fn too_early(seconds: i64) -> Poll {
    Poll::TooEarly { interval: Duration::seconds(seconds) }
}

#[test]
fn a_poll_before_its_time_makes_every_later_one_wait_longer() {
    let (store, owner) = (Store::default(), owner());
    let poll =
        |name, second| Ledger::new(&store, &owner, at(second)).poll(Some(&POLLING), name, at(900)).unwrap();
    let polled = [0, 5, 9, 19, 28, 43].map(|second| poll("one", second));
    let expected = [Poll::InTime, Poll::InTime, too_early(10), Poll::InTime, too_early(15), Poll::InTime];
    assert_eq!(polled, expected);
    assert_eq!([poll("other", 9), poll("other", 14)], [Poll::InTime, Poll::InTime], "another one's");
    assert_eq!(poll("one", 900), Poll::InTime, "what it was for has ended");
}

#[test]
fn a_provider_may_say_wait_without_making_anybody_wait_longer_or_not_care() {
    let (store, owner) = (Store::default(), owner());
    let policy = Polling { slow_down: Duration::ZERO, ..POLLING };
    let poll = |policy, second| Ledger::new(&store, &owner, at(second)).poll(policy, "one", at(900)).unwrap();
    let polled = [0, 1, 2, 7].map(|second| poll(Some(&policy), second));
    assert_eq!(polled, [Poll::InTime, too_early(5), too_early(5), Poll::InTime]);
    assert!([7, 7, 7].iter().all(|second| poll(None, *second) == Poll::InTime));
}

#[test]
fn who_polls_while_the_clock_is_put_back_is_not_too_early() {
    let (store, owner) = (Store::default(), owner());
    let poll =
        |second| Ledger::new(&store, &owner, at(second)).poll(Some(&POLLING), "one", at(9_000)).unwrap();
    assert_eq!(
        [poll(3_600), poll(0), poll(5), poll(6)],
        [Poll::InTime, Poll::InTime, Poll::InTime, too_early(10)]
    );
}

#[test]
fn of_eight_polls_at_once_one_is_in_time() {
    let owner = owner();
    for _ in 0..200 {
        let store = Store::default();
        let polled = eight_at_once(|_| {
            Ledger::new(&store, &owner, at(0)).poll(Some(&POLLING), "one", at(900)).unwrap()
        });
        assert_eq!(polled.iter().filter(|poll| **poll == Poll::InTime).count(), 1);
        assert!(polled.contains(&too_early(40)), "seven were too early, each by five seconds more");
    }
}
