//! Every command is one cut, and what began is brought to its end: resets under load, callers that hang up.
//!
//! Over real sockets and with the real binary: what is judged is what a client, the control API and both products' rows
//! say afterwards.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use mocktenant_acceptance::binary::Serve;
use mocktenant_acceptance::oracle::Caller;
use mocktenant_acceptance::raw;
use serde_json::{Value, json};

const READERS: usize = 4;
const WRITERS: usize = 4;

/// What writers and readers were told while something else went on.
#[derive(Debug, Default)]
struct Told {
    created: AtomicUsize,
    refused: AtomicUsize,
    /// 500, and whatever else says that the product is broken.
    broken: AtomicUsize,
}

impl Told {
    fn of(&self, answer: &raw::Answer) {
        let count = match answer.status {
            201 | 200 => &self.created,
            500 => &self.broken,
            _ => &self.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
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
                    told.of(&caller.create(&format!("R{round}-{writer}-{number}")).unwrap());
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
        thread::sleep(Duration::from_millis(30));
        work();
        stop.store(true, Ordering::Relaxed);
    });
    told
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
    let (mut survived, mut split, mut broken, mut lost) = (Vec::new(), Vec::new(), 0, Vec::new());
    for round in 0..20 {
        let added = json!([{
            "op": "add",
            "path": "/environments/onebox/records/CustomerGroups/added",
            "value": { "dataAreaId": "usmf", "CustomerGroupId": format!("X{round}"), "Description": "Added" },
        }]);
        let told = under_load(&caller, round, || {
            let edited = caller.control("PATCH", "/v1/world", &added);
            assert_eq!(edited.status, 200, "{}", edited.text());
            let reset = caller.control("POST", "/v1/reset", &Value::Null);
            assert_eq!(reset.status, 200, "{}", reset.text());
            survived.extend(groups(&caller).into_iter().filter(|group| !before.contains(group)));
        });
        broken += told.broken.load(Ordering::Relaxed);
        split.extend(caller.sides().differences());
        lost.extend(caller.orphans());
    }
    assert_eq!(survived, [""; 0], "rows of the edited world survive a reset");
    assert_eq!(split, [""; 0], "both sides agree");
    assert_eq!(lost, [""; 0], "what was caused has its cause");
    assert_eq!(broken, 0, "nobody is told that the product is broken");
}

#[test]
fn callers_that_hang_up_split_nothing() {
    let lab = Serve::start();
    let caller = Caller::of(&lab);
    let (posts, at_once) = (400, 8);
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
    // What was being answered goes on without its caller; a reset of nothing waits for it.
    let quiet = caller.control("PATCH", "/v1/world", &json!([]));
    assert_eq!(quiet.status, 200, "{}", quiet.text());
    let sides = caller.sides();
    assert_eq!(sides.differences(), [""; 0], "of {} customers", sides.customers.len());
    assert_eq!(caller.orphans(), [""; 0], "what was caused has its cause");
}
