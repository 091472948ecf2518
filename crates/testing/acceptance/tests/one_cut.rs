//! Every command is one cut, and what began is brought to its end: resets, edits, scenarios and restarts under load, callers
//! that hang up.
//!
//! Over real sockets and with the real binary: what is judged is what a client, the control API and both products' rows
//! say afterwards.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::Serve;
use mocktenant_acceptance::oracle::Caller;
use mocktenant_acceptance::raw;
use serde_json::{Value, json};

const READERS: usize = 4;
const WRITERS: usize = 4;

/// What writers and readers were told while something else went on.
#[derive(Debug, Default)]
struct Told {
    /// Accounts that were created, and when the request was sent.
    created: Mutex<Vec<(Instant, String)>>,
    /// Answers of 500: that the product is broken.
    broken: AtomicUsize,
}

impl Told {
    fn of(&self, answer: &raw::Answer) {
        if answer.status == 500 {
            self.broken.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed) > 0
    }
}

/// Ends readers and writers, also where the test fails.
struct Ends<'s>(&'s AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Works while readers and writers are at it; gives what they were told. They have ended when this returns.
fn under_load(caller: &Caller, round: usize, work: impl FnOnce()) -> Told {
    let (told, stop) = (Told::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (told, stop) = (&told, &stop);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (sent, account) = (Instant::now(), format!("R{round}-{writer}-{number}"));
                    let answer = caller.create(&account).unwrap();
                    told.of(&answer);
                    if answer.status == 201 {
                        told.created.lock().unwrap().push((sent, account));
                    }
                }
            });
        }
        for reader in 0..READERS {
            let (told, stop) = (&told, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = if reader % 2 == 0 {
                        raw::send(caller.aos, &caller.to_aos("GET", "CustomerGroups", &Value::Null))
                    } else {
                        raw::send(caller.dataverse, &caller.to_dataverse("GET", "accounts", &Value::Null))
                    };
                    told.of(&answer.unwrap());
                }
            });
        }
        let _ends = Ends(&stop);
        thread::sleep(Duration::from_millis(20));
        work();
        thread::sleep(Duration::from_millis(20));
    });
    told
}

fn command(caller: &Caller, method: &str, target: &str, body: &Value) {
    let answer = caller.control(method, target, body);
    assert_eq!(answer.status, 200, "{method} {target}: {}", answer.text());
}

/// A customer group of this name, declared.
fn group(op: &str, name: &str) -> Value {
    let row = json!({ "dataAreaId": "usmf", "CustomerGroupId": name, "Description": "Added" });
    json!([{ "op": op, "path": "/environments/onebox/records/CustomerGroups/added", "value": row }])
}

fn groups(caller: &Caller) -> Vec<String> {
    let answer = raw::send(caller.aos, &caller.to_aos("GET", "CustomerGroups", &Value::Null)).unwrap();
    let rows = answer.json()["value"].as_array().unwrap().clone();
    rows.iter().map(|row| row["CustomerGroupId"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_reset_under_load_is_one_cut() {
    let lab = Serve::start();
    let caller = Caller::of(&lab);
    let before = groups(&caller);
    for round in 0..12 {
        let (mut done, mut after) = (None, Vec::new());
        let told = under_load(&caller, round, || {
            command(&caller, "PATCH", "/v1/world", &group("add", &format!("X{round}")));
            command(&caller, "POST", "/v1/reset", &Value::Null);
            done = Some(Instant::now());
            after = groups(&caller);
        });
        assert_eq!(after, before, "no row of the edited world survives");
        assert!(!told.is_broken(), "nobody is told that the product is broken");
        let sides = caller.sides();
        assert_eq!(sides.differences(), [""; 0], "both sides agree");
        assert_eq!(caller.orphans(), [""; 0], "what was caused has its cause");
        let created = told.created.into_inner().unwrap();
        let lost: Vec<_> = created
            .into_iter()
            .filter(|(sent, account)| Some(*sent) > done && !sides.customers.contains_key(account))
            .collect();
        assert!(lost.is_empty(), "created after the reset, and not there: {lost:?}");
    }
}

#[test]
fn edits_restarts_clocks_and_scenarios_under_load_split_nothing() {
    let lab = Serve::start();
    let caller = Caller::of(&lab);
    let clock = |offset: &str| json!([{ "op": "add", "path": "/environments/onebox/machine/clock", "value": offset }]);
    for round in 0..4 {
        let told = under_load(&caller, round, || {
            command(&caller, "PATCH", "/v1/world", &group("add", &format!("X{round}")));
            command(&caller, "POST", "/v1/environments/onebox/restart", &Value::Null);
            command(&caller, "PATCH", "/v1/world", &clock("+1m"));
            command(&caller, "PATCH", "/v1/world", &group("replace", &format!("Y{round}")));
            command(&caller, "PUT", "/v1/scenario", &json!({ "name": "tenant-cert-absent" }));
        });
        assert!(!told.is_broken(), "nobody is told that the product is broken");
        assert_eq!(caller.sides().differences(), [""; 0], "both sides agree");
        assert_eq!(caller.orphans(), [""; 0], "what was caused has its cause");
        command(&caller, "POST", "/v1/reset", &Value::Null);
    }
}

#[test]
fn a_reset_of_one_side_under_load_takes_whole_writes_from_it_and_nothing_from_the_other() {
    let lab = Serve::start();
    let caller = Caller::of(&lab);
    for (scope, other_has) in [("environment/onebox", "account"), ("organization/contoso", "customer")] {
        let mut created = Vec::new();
        for round in 0..4 {
            let told = under_load(&caller, round, || {
                command(&caller, "POST", &format!("/v1/reset?scope={scope}"), &Value::Null);
            });
            assert!(!told.is_broken(), "nobody is told that the product is broken");
            created.extend(told.created.into_inner().unwrap());
            let article = if other_has == "account" { "an" } else { "a" };
            for difference in caller.sides().differences() {
                assert!(
                    difference.contains(&format!("is {article} {other_has} and no")),
                    "{scope}: {difference}"
                );
            }
        }
        let sides = caller.sides();
        let other = if other_has == "account" { &sides.accounts } else { &sides.customers };
        let lost: Vec<_> = created.iter().filter(|(_, account)| !other.contains_key(account)).collect();
        assert!(lost.is_empty(), "created, and gone from the side that was not reset: {lost:?}");
        command(&caller, "POST", "/v1/reset", &Value::Null);
    }
}

#[test]
fn callers_that_hang_up_split_nothing() {
    let lab = Serve::start();
    let caller = Caller::of(&lab);
    let (posts, at_once) = (160, 8);
    thread::scope(|scope| {
        for lane in 0..at_once {
            let caller = &caller;
            scope.spawn(move || {
                for number in 0..posts / at_once {
                    let account = format!("H{lane}-{number}");
                    let mut stream = raw::connect(caller.aos);
                    stream
                        .write_all(&caller.to_aos("POST", "CustomersV3", &caller.customer(&account)))
                        .unwrap();
                    // Spread over the time a write takes.
                    let wait = (number * 37 + lane * 11) % 90;
                    thread::sleep(Duration::from_millis(u64::try_from(wait).unwrap()));
                    drop(stream);
                }
            });
        }
    });
    // What was being answered goes on without its caller.
    caller.settle();
    let sides = caller.sides();
    assert_eq!(sides.differences(), [""; 0], "of {} customers", sides.customers.len());
    assert_eq!(caller.orphans(), [""; 0], "what was caused has its cause");
    // Whoever tries again is told the truth: it is there, on both sides.
    if let Some(account) = sides.customers.keys().next() {
        assert_eq!(caller.create(account).unwrap().status, 400);
    }
}
