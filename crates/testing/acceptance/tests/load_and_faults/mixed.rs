//! A long run of mixed requests: every one is answered as it should be, and the process does not grow.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::keep_alive::KeepAlive;
use mocktenant_acceptance::oracle::{descriptors, memory};
use mocktenant_acceptance::random_world::Dice;
use mocktenant_acceptance::raw;
use serde_json::{Value, json};

use crate::form::{Progress, dice, either, is_long, result};
use crate::site::{Site, kept};

const CALLERS: usize = 8;
/// In MiB for 100,000 requests.
const SLOPE: f64 = 1.0;

/// The connections of one caller, and what it asks for.
struct Caller<'s> {
    site: &'s Site,
    name: String,
    number: u64,
    entra: KeepAlive,
    aos: KeepAlive,
    dataverse: KeepAlive,
    tools: KeepAlive,
    refused: Vec<u8>,
}

impl<'s> Caller<'s> {
    fn of(site: &'s Site, name: String) -> Self {
        let to = |port: u16| KeepAlive::plain(&format!("127.0.0.1:{port}")).unwrap();
        let secret = String::from_utf8(kept(&site.secret)).unwrap();
        Self {
            site,
            number: 0,
            entra: to(site.entra),
            aos: to(site.caller.aos),
            dataverse: to(site.caller.dataverse),
            tools: to(site.caller.tools),
            // As long as the right one.
            refused: secret.replace("client_secret=", "client_secreT=").into_bytes(),
            name,
        }
    }

    /// Asks one to four times; gives how often, or what was not answered as it should be.
    fn ask(&mut self, dice: &mut Dice) -> Result<u64, String> {
        let caller = &self.site.caller;
        let get = |target: &str| kept(&raw::request("GET", "localhost", target, &[], b""));
        let mut expect = |connection: Connection, request: &[u8], expected: u16| {
            let connection = match connection {
                Connection::Entra => &mut self.entra,
                Connection::Aos => &mut self.aos,
                Connection::Dataverse => &mut self.dataverse,
                Connection::Tools => &mut self.tools,
            };
            let answer = connection.ask(request).map_err(|error| error.to_string())?;
            if answer.get(9..12) == Some(expected.to_string().as_bytes()) {
                return Ok(1);
            }
            let line = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(700)]).into_owned();
            Err(format!("{expected} wanted of {}\nanswered {}", line(request), line(answer)))
        };
        match dice.below(100) {
            0..40 => expect(Connection::Entra, &kept(&self.site.keys), 200),
            40..48 => expect(Connection::Entra, &kept(&self.site.secret), 200),
            48..52 => expect(Connection::Entra, &kept(&self.site.certificate), 200),
            52..57 => expect(Connection::Entra, &self.refused, 401),
            57..70 => {
                let target = "accounts?$top=3&$orderby=name&$filter=statecode eq 0".replace(' ', "%20");
                expect(Connection::Dataverse, &kept(&caller.to_dataverse("GET", &target, &Value::Null)), 200)
            }
            70..80 => {
                expect(Connection::Aos, &kept(&caller.to_aos("GET", "CustomerGroups", &Value::Null)), 200)
            }
            80..85 => expect(Connection::Aos, &get("/data/CustomersV3"), 401),
            85..88 => expect(Connection::Dataverse, &get("/api/data/v9.2/accounts"), 401),
            88..92 => expect(Connection::Tools, &get("/v1/journal?limit=5"), 200),
            92..96 => expect(Connection::Tools, &get("/nowhere"), 404),
            _ => {
                // A customer comes, changes and goes, on both sides.
                self.number += 1;
                let account = format!("{}-{}", self.name, self.number);
                let record = format!("CustomersV3(dataAreaId='usmf',CustomerAccount='{account}')");
                let moved = json!({ "DeliveryAddressCity": "Elsewhere" });
                let create = caller.to_aos("POST", "CustomersV3", &caller.customer(&account));
                expect(Connection::Aos, &kept(&create), 201)?;
                expect(Connection::Aos, &kept(&caller.to_aos("PATCH", &record, &moved)), 204)?;
                let found = format!("accounts?$filter=accountnumber%20eq%20'{account}'");
                let found = kept(&caller.to_dataverse("GET", &found, &Value::Null));
                expect(Connection::Dataverse, &found, 200)?;
                expect(Connection::Aos, &kept(&caller.to_aos("DELETE", &record, &Value::Null)), 204)?;
                Ok(4)
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Connection {
    Entra,
    Aos,
    Dataverse,
    Tools,
}

/// Memory by requests, as a straight line through what was measured: MiB for 100,000.
fn slope(measured: &[(u64, u64)]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts and KiB stay far below 2^52")]
    let points: Vec<(f64, f64)> =
        measured.iter().map(|(count, kib)| (*count as f64 / 1e5, *kib as f64 / 1024.0)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred points")]
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let along: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let across: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if across > 0.0 { along / across } else { 0.0 }
}

#[test]
fn however_many_are_asked_every_request_is_answered_and_the_process_does_not_grow() {
    const NAME: &str = "mixed requests";
    let all = either(6_000, 1_000_000);
    let limit = Duration::from_secs(either(40, 480));
    let mut dice = dice(NAME);
    let progress = Progress::of(NAME);
    let mut lab = Serve::start_with(binary::command_of(binary::path()));
    let site = Site::of(&lab);
    site.assert_serves();
    let before = descriptors(lab.pid()).unwrap();
    let (asked, failed, began) = (AtomicU64::new(0), AtomicBool::new(false), Instant::now());
    let wrong = Mutex::new(Vec::new());
    let mut measured = Vec::new();
    thread::scope(|scope| {
        for lane in 0..CALLERS {
            let mut dice = Dice::new(dice.roll());
            let (site, asked, failed, wrong) = (&site, &asked, &failed, &wrong);
            scope.spawn(move || {
                let mut caller = Caller::of(site, format!("M{lane}"));
                while asked.load(Ordering::Relaxed) < all && !failed.load(Ordering::Relaxed) {
                    match caller.ask(&mut dice) {
                        Ok(count) => {
                            asked.fetch_add(count, Ordering::Relaxed);
                        }
                        Err(said) => {
                            wrong.lock().unwrap().push(said);
                            failed.store(true, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        loop {
            let count = asked.load(Ordering::Relaxed);
            let kib = memory(lab.pid()).unwrap();
            // Caches, the journal and the allocator are full by then.
            if count > all / 5 {
                measured.push((count, kib));
            }
            progress.at(|| format!("{count} of {all}, {} MiB", kib / 1024));
            if count >= all || failed.load(Ordering::Relaxed) {
                break;
            }
            if began.elapsed() > limit {
                failed.store(true, Ordering::Relaxed);
                wrong.lock().unwrap().push(format!("{count} requests after {limit:?}"));
            }
            thread::sleep(Duration::from_millis(either(50, 500)));
        }
    });
    assert!(wrong.lock().unwrap().is_empty(), "{}", wrong.lock().unwrap().join("\n"));
    assert!(lab.is_alive() && !lab.log().contains("panicked"), "{}", lab.log());
    assert_eq!(site.caller.sides().differences(), [""; 0]);
    assert_eq!(site.caller.orphans(), [""; 0]);

    let slope = slope(&measured);
    let grown = measured.last().unwrap().1.saturating_sub(measured[0].1);
    let after = settled(&lab, before);
    result("mixed requests", asked.load(Ordering::Relaxed), all);
    result("memory after warm-up", format!("{slope:.2} MiB per 100,000"), "<= 1 MiB");
    result("descriptors before and after", format!("{before} and {after}"), "equal");
    if is_long() {
        assert!(slope <= SLOPE, "{slope:.2} MiB per 100,000: {measured:?}");
    } else {
        assert!(grown <= 8 * 1024, "{grown} KiB more after warm-up: {measured:?}");
    }
}

/// Descriptors once those who asked are gone; no more than there were, but for connections that the lab keeps to itself.
pub(crate) fn settled(lab: &Serve, before: usize) -> usize {
    let began = Instant::now();
    loop {
        let now = descriptors(lab.pid()).unwrap();
        if now <= before + 2 {
            return now;
        }
        assert!(began.elapsed() < Duration::from_secs(25), "{now} descriptors where {before} were");
        thread::sleep(Duration::from_millis(100));
    }
}
