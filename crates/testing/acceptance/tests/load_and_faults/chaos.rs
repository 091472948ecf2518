//! Everything at once: readers, writers and callers who hang up, while a director resets, breaks, edits, restarts and kills.
//!
//! Decides what must hold afterwards by what each writer was told, and when: `ledger` keeps that. A round ends in a time in
//! which nothing is broken any more, so that both sides can be read as any client reads them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::oracle::{descriptors, memory};
use mocktenant_acceptance::random_world::Dice;
use mocktenant_acceptance::raw::{self, Answer};
use serde_json::{Value, json};

use crate::form::{Progress, dice, either, result};
use crate::ledger::{Ledger, Operation};
use crate::mixed::settled;
use crate::site::{Site, free_base};

const NAME: &str = "chaos";
const READERS: u64 = 8;
const WRITERS: u64 = 8;
/// Writers of customers; the others write to Dataverse alone.
const CUSTOMERS: u64 = 6;
const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const STOPS_WITHIN: Duration = Duration::from_secs(8);

/// What all who take part share.
struct Stage {
    site: RwLock<Arc<Site>>,
    ledger: Ledger,
    /// Counted up whenever a world begins to be broken, or a process to end: what is answered then may be anything.
    harm: AtomicU64,
    is_healthy: AtomicBool,
    is_open: AtomicBool,
    answered: AtomicU64,
    hung_up: AtomicU64,
    /// Answers that say a product is broken, in a world that is not.
    broken: Mutex<BTreeMap<String, usize>>,
}

impl Stage {
    fn site(&self) -> Arc<Site> {
        Arc::clone(&self.site.read().unwrap())
    }

    /// Does something whose answer is looked at: a whole product never says that it is broken.
    fn ask(&self, what: &str, ask: impl FnOnce(&Site) -> Option<Answer>) -> Option<Answer> {
        let (harm, healthy) = (self.harm.load(Ordering::SeqCst), self.is_healthy.load(Ordering::SeqCst));
        let answer = ask(&self.site());
        let unharmed = healthy && harm == self.harm.load(Ordering::SeqCst);
        if let Some(answer) = &answer {
            self.answered.fetch_add(1, Ordering::Relaxed);
            if unharmed && answer.status >= 500 && answer.status != 503 {
                let text = answer.text();
                let shown = text.split("<title>").nth(1).unwrap_or(&text);
                let said = format!("{what} was told {}: {shown:.120}", answer.status);
                *self.broken.lock().unwrap().entry(said).or_default() += 1;
            }
        }
        answer
    }

    fn reader(&self, lane: u64, mut dice: Dice) {
        while self.is_open.load(Ordering::SeqCst) {
            self.ask("a reader", |site| {
                let caller = &site.caller;
                let tools = |target: &str| raw::request("GET", "localhost", target, &[], b"");
                match lane {
                    0 => raw::try_send(caller.aos, &caller.to_aos("GET", "CustomersV3?$top=5", &Value::Null)),
                    1 => raw::try_send(caller.aos, &caller.to_aos("GET", "CustomerGroups", &Value::Null)),
                    2 => {
                        raw::try_send(caller.dataverse, &caller.to_dataverse("GET", "accounts", &Value::Null))
                    }
                    3 => raw::try_send(caller.dataverse, &caller.to_dataverse("GET", "WhoAmI", &Value::Null)),
                    4 => raw::try_send(site.entra, &site.secret),
                    5 => raw::try_send(site.entra, &site.certificate),
                    6 => raw::try_send(caller.tools, &tools("/v1/journal?limit=50")),
                    _ => raw::try_send(caller.tools, &tools("/v1/world")),
                }
            });
            thread::sleep(Duration::from_millis(dice.below(10)));
        }
    }

    /// Creates customers, changes and deletes its own; now and then it hangs up on whoever is about to answer.
    fn writer(&self, lane: u64, round: usize, mut dice: Dice) {
        let mut own: Vec<String> = Vec::new();
        for number in 0.. {
            if !self.is_open.load(Ordering::SeqCst) {
                return;
            }
            // Only what is known to be there since the last cut is worth a change.
            let known = (dice.below(3) == 0).then(|| own.pop()).flatten();
            let known = known.filter(|account| self.ledger.is_there(account));
            let (operation, account) = match known {
                Some(account) if dice.below(2) == 0 => (Operation::Delete, account),
                Some(account) => (Operation::Change(format!("+49 {}", dice.below(1_000_000))), account),
                None if lane >= CUSTOMERS => (Operation::CreateAlone, format!("D{round}-{lane}-{number}")),
                None => (Operation::Create, format!("C{round}-{lane}-{number}")),
            };
            // Some do not wait for the answer.
            let patience = (dice.below(6) == 0).then(|| Duration::from_millis(dice.below(80)));
            let began = self.ledger.moment();
            let answer = self.ask("a writer", |site| {
                let (port, request) = write(site, &operation, &account);
                match patience {
                    None => raw::try_send(port, &request),
                    Some(patience) => {
                        self.hung_up.fetch_add(1, Ordering::Relaxed);
                        let mut stream = raw::try_connect(port).ok()?;
                        let _ = stream.write_all(&request);
                        thread::sleep(patience);
                        None
                    }
                }
            });
            let status = answer.map(|answer| answer.status);
            self.ledger.told(&account, &operation, began, status);
            // What was not answered may still be done after the next change.
            let goes_on = matches!(operation, Operation::Create | Operation::Change(_));
            if goes_on && status.is_some() {
                own.push(account);
            }
        }
    }
}

/// Where this is asked for, and how.
fn write(site: &Site, operation: &Operation, account: &str) -> (u16, Vec<u8>) {
    let caller = &site.caller;
    let record = format!("CustomersV3(dataAreaId='usmf',CustomerAccount='{account}')");
    let request = match operation {
        Operation::CreateAlone => {
            return (caller.dataverse, caller.to_dataverse("POST", "accounts", &json!({ "name": account })));
        }
        Operation::Create => caller.to_aos("POST", "CustomersV3", &caller.customer(account)),
        Operation::Change(phone) => caller.to_aos("PATCH", &record, &json!({ "PrimaryContactPhone": phone })),
        Operation::Delete => caller.to_aos("DELETE", &record, &Value::Null),
    };
    (caller.aos, request)
}

/// Who decides what happens to the lab.
struct Director<'s> {
    stage: &'s Stage,
    dice: Dice,
    lab: Serve,
    home: &'s Path,
    base: u16,
    /// Descriptors of this process when it had nothing to do.
    idle: usize,
    done: u64,
}

impl Director<'_> {
    fn control(&mut self, method: &str, target: &str, body: &Value) -> Answer {
        self.done += 1;
        let answer = self.stage.site().caller.control(method, target, body);
        assert!(answer.status < 500, "{method} {target}: {} {}", answer.status, answer.text());
        answer
    }

    fn harmed(&self) {
        self.stage.is_healthy.store(false, Ordering::SeqCst);
        self.stage.harm.fetch_add(1, Ordering::SeqCst);
    }

    fn reset(&mut self) {
        let cut = self.stage.ledger.cut();
        let answer = self.control("POST", "/v1/reset", &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.text());
        cut.done(true);
        self.stage.is_healthy.store(true, Ordering::SeqCst);
    }

    fn reset_one(&mut self) {
        let scopes = [format!("tenant/{TENANT}"), "environment/onebox".into(), "organization/contoso".into()];
        let scope = &scopes[usize::try_from(self.dice.below(3)).unwrap()];
        let cut = self.stage.ledger.cut();
        let answer = self.control("POST", &format!("/v1/reset?scope={scope}"), &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.text());
        cut.done(false);
    }

    fn scenario(&mut self) {
        let names: Vec<_> = mocktenant_scenario::names().collect();
        let name = names[usize::try_from(self.dice.below(names.len() as u64)).unwrap()];
        self.harmed();
        let cut = self.stage.ledger.cut();
        let answer = self.control("PUT", "/v1/scenario", &json!({ "name": name }));
        assert_eq!(answer.status, 200, "{}", answer.text());
        cut.done(true);
    }

    fn restart(&mut self) {
        self.control("POST", "/v1/environments/onebox/restart", &Value::Null);
    }

    /// An edit that harms nobody; it may be refused where its row is being written.
    fn edit(&mut self) {
        let group = format!("G{}", self.dice.below(20));
        let edits = json!([{
            "op": "add",
            "path": format!("/environments/onebox/records/CustomerGroups/{group}"),
            "value": { "dataAreaId": "usmf", "CustomerGroupId": group, "Description": "Added" },
        }]);
        self.control("PATCH", "/v1/world", &edits);
    }

    /// An edit after which somebody is refused. Where the world lacks what it edits, it is refused itself.
    fn break_something(&mut self) {
        let (edits, dice) = (json!([]), self.dice.below(8));
        let replace = |path: &str, value: Value| json!([{ "op": "add", "path": path, "value": value }]);
        let tenant = format!("/tenants/{TENANT}");
        let edits = match dice {
            0 => replace("/environments/onebox/machine/clock", json!("+20m")),
            1 => replace(&format!("{tenant}/clock"), json!("-3h")),
            2 => replace("/organizations/contoso/clock", json!("+400d")),
            3 => replace(
                "/environments/onebox/web_config/Aad.Realm",
                json!("spn:00000015-0000-0000-c000-000000000000"),
            ),
            4 => replace(
                &format!("{tenant}/applications/c0117050-0000-4000-8000-00000000a002/enabled"),
                json!(false),
            ),
            5 => replace(
                "/organizations/contoso/application_users/c0117050-0000-4000-8000-00000000a002/roles",
                json!([]),
            ),
            6 => replace(&format!("{tenant}/signing_keys"), json!(["shipped:token-signing-next"])),
            _ => edits,
        };
        self.harmed();
        self.control("PATCH", "/v1/world", &edits);
    }

    /// The process ends, and another takes its place in the same directory and on the same ports.
    fn kill(&mut self) {
        let signal = if self.dice.below(2) == 0 { "KILL" } else { "TERM" };
        self.harmed();
        let cut = self.stage.ledger.cut();
        let ended = self.lab.stop(signal, STOPS_WITHIN);
        assert!(ended.is_some(), "{signal}: it did not end in {STOPS_WITHIN:?}: {}", self.lab.log());
        self.lab = Serve::start_at(binary::command_of(binary::path()), self.home, self.base);
        *self.stage.site.write().unwrap() = Arc::new(Site::of(&self.lab));
        cut.done(true);
        self.stage.harm.fetch_add(1, Ordering::SeqCst);
        self.stage.is_healthy.store(true, Ordering::SeqCst);
        self.done += 1;
    }

    /// Breaks and mends for a while, then only what leaves the world as it is.
    fn direct(&mut self, time: Duration) {
        let wild = Instant::now() + time / 2;
        while Instant::now() < wild {
            match self.dice.below(12) {
                0..2 => self.reset(),
                2 => self.reset_one(),
                3..5 => self.scenario(),
                5 => self.restart(),
                6 => self.edit(),
                7 => self.kill(),
                _ => self.break_something(),
            }
            thread::sleep(Duration::from_millis(self.dice.below(120)));
        }
        if self.dice.below(2) == 0 {
            self.kill();
        } else {
            self.reset();
        }
        let mild = Instant::now() + time / 2;
        while Instant::now() < mild {
            match self.dice.below(8) {
                0..2 => self.reset(),
                2 => self.reset_one(),
                3..5 => self.restart(),
                _ => self.edit(),
            }
            thread::sleep(Duration::from_millis(self.dice.below(200)));
        }
        // Something has to have been acknowledged since the last cut.
        thread::sleep(Duration::from_millis(300));
    }

    /// What must hold of a quiet lab. Whoever hung up is answered to the end first.
    fn judge(&mut self) -> Vec<String> {
        self.control("PATCH", "/v1/world", &json!([]));
        let caller = self.stage.site().caller.clone();
        let mut sides = caller.sides();
        let began = Instant::now();
        loop {
            thread::sleep(Duration::from_millis(150));
            let again = caller.sides();
            let quiet = again == sides;
            sides = again;
            if quiet || began.elapsed() > Duration::from_secs(10) {
                break;
            }
        }
        let mut found = self.stage.ledger.differences(&sides, &caller.accounts_alone());
        found
            .extend(caller.orphans().into_iter().map(|orphan| format!("no parent in the journal: {orphan}")));
        let broken = std::mem::take(&mut *self.stage.broken.lock().unwrap());
        found.extend(broken.into_iter().map(|(said, times)| format!("{times} x {said}")));
        let log = self.lab.log();
        if !self.lab.is_alive() || log.contains("panicked") {
            found.push(log);
        }
        settled(&self.lab, self.idle + 8);
        found
    }
}

#[test]
fn whatever_happens_both_sides_agree_and_nothing_acknowledged_is_lost() {
    let mut dice = dice(NAME);
    let (rounds, time) = either((3, Duration::from_millis(3500)), (60, Duration::from_secs(9)));
    let scratch = tempfile::tempdir().unwrap();
    let base = free_base(3);
    let lab = Serve::start_at(binary::command_of(binary::path()), scratch.path(), base);
    let stage = Stage {
        site: RwLock::new(Arc::new(Site::of(&lab))),
        ledger: Ledger::default(),
        harm: AtomicU64::new(0),
        is_healthy: AtomicBool::new(true),
        is_open: AtomicBool::new(true),
        answered: AtomicU64::new(0),
        hung_up: AtomicU64::new(0),
        broken: Mutex::default(),
    };
    let mut director = Director {
        idle: descriptors(lab.pid()).unwrap(),
        stage: &stage,
        dice: Dice::new(dice.roll()),
        lab,
        home: scratch.path(),
        base,
        done: 0,
    };
    let progress = Progress::of(NAME);
    let (mut found, mut sizes, mut judged) = (Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        stage.is_open.store(true, Ordering::SeqCst);
        thread::scope(|scope| {
            for lane in 0..READERS {
                let (stage, dice) = (&stage, Dice::new(dice.roll()));
                scope.spawn(move || stage.reader(lane, dice));
            }
            for lane in 0..WRITERS {
                let (stage, dice) = (&stage, Dice::new(dice.roll()));
                scope.spawn(move || stage.writer(lane, round, dice));
            }
            // Whatever comes of it, the others end.
            let _end = Ending(&stage.is_open);
            director.direct(time);
        });
        found.extend(director.judge().into_iter().map(|said| format!("round {round}: {said}")));
        judged += stage.ledger.judged();
        sizes.push(memory(director.lab.pid()).unwrap());
        progress.at(|| format!("round {} of {rounds}, {} differences", round + 1, found.len()));
    }
    let answered = stage.answered.load(Ordering::Relaxed);
    result(
        "chaos: acts, answers, hang-ups",
        format!("{}, {answered}, {}", director.done, stage.hung_up.load(Ordering::Relaxed)),
        "",
    );
    result("chaos: customers judged one by one", judged, "");
    result("chaos: differences", found.len(), 0);
    // What a round leaves is now this and now that, forty megabytes more or less; what is never given back is in all of them.
    let (first, kept) = (sizes[0], *sizes[sizes.len() / 2..].iter().min().unwrap());
    result(
        "chaos: memory after the first round, least of the later half",
        format!("{} and {} MiB", first / 1024, kept / 1024),
        "+ 48 MiB",
    );
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found[..found.len().min(40)].join("\n"));
    assert!(judged > 0, "no customer was judged");
    assert!(kept <= first + 48 * 1024, "KiB after each round: {sizes:?}");
}

/// Ends the others with its value.
struct Ending<'s>(&'s AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
