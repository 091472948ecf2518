//! A million rows in both products, over HTTP: what a read and a write cost beside those of an empty table, and what the rows take.
//!
//! Decides nothing; fills a server by change sets, asks it and one that is as good as empty in turns, and compares. Costs are CPU time
//! of the server; what a person waits for is the clock's. Bounded: so many requests of each kind, and as many rows as are asked for.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::keep_alive::KeepAlive;
use mocktenant_world::pointers;

use crate::application::Host;
use crate::people::{expect, headers};
use crate::rows::{API, Program};
use crate::server::Server;
use crate::{Failure, Line, Tally};

/// Requests of a change set: its answer fits into what a connection has room for.
const AT_ONCE: u64 = 200;
/// Turns of both servers.
const TURNS: u64 = 16;
/// Rows that are made, and read, in one turn of each.
const CREATES: u64 = 500;
const READS: u64 = 800;
/// Requests after which no journal holds the first of them any more.
const REMEMBERED: u64 = 60_000;
/// Times that a query is asked; the shortest counts.
const ASKED: usize = 21;
/// Contacts that go with their account.
const CASCADE: u64 = 99_999;
/// Lookups that the organisation fills in: owner, user, business unit, who made it, who changed it.
const OWN_LOOKUPS: f64 = 5.0;
/// A table that nobody writes to.
const TABLE: &str =
    "{\"label\":\"Widget\",\"owner\":\"user\",\"columns\":{\"new_size\":{\"type\":\"whole\"}}}";
const PATIENCE: Duration = Duration::from_secs(240);

/// A server with a program that works on it.
struct Side {
    server: Server,
    program: Program,
    tallies: [Tally; 5],
}

const WHO: &str = "WhoAmI";

/// What is measured in turns: name, and how.
type Kind = (&'static str, fn(&mut Program, u64) -> Result<u64, Failure>, u64);

const KINDS: [Kind; 5] = [
    (WHO, |program, count| program.ask_who(count), READS),
    ("Dataverse create", Program::make_accounts, CREATES),
    ("Dataverse retrieve by key", |program, count| program.read_some(count), READS),
    ("AOS create without a map", Program::make_vendor_groups, CREATES),
    ("AOS retrieve by key", |program, count| program.read_vendor_group(count), READS),
];

impl Side {
    fn start(binary: &Path) -> Result<Self, Failure> {
        let server = Server::start(binary)?;
        let mut program = Program::of(&server)?;
        program.make_vendor_groups(1)?;
        Ok(Self { server, program, tallies: std::array::from_fn(|_| Tally::default()) })
    }

    fn take_a_turn(&mut self) -> Result<(), Failure> {
        let Self { server, program, tallies } = self;
        for (tally, (_, work, count)) in tallies.iter_mut().zip(KINDS) {
            tally.add(|| server.cpu_time(), || work(program, count))?;
        }
        Ok(())
    }
}

/// Fills one server, measures it beside another, and says what was found.
#[expect(clippy::print_stdout, reason = "a measuring tool prints what it found")]
pub(crate) fn measure(binary: &Path, rows: u64) -> Result<Vec<Line>, Failure> {
    let began = Instant::now();
    let (mut small, mut large) = (Side::start(binary)?, Side::start(binary)?);
    let (accounts, groups) = fill(&large, rows)?;
    println!("{rows} accounts and {rows} vendor groups after {:.0?}", began.elapsed());
    // what is remembered of requests has reached its budget on both sides: from here on each pushes an older one out
    for side in [&small, &large] {
        side.program.ask_who(REMEMBERED)?;
    }
    for _ in 0..TURNS {
        small.take_a_turn()?;
        large.take_a_turn()?;
    }
    let limit = |name: String, found, unit, target| Line::limit(&name, found, unit, target);
    let mut lines = Vec::new();
    let cost = |tally: &Tally| 1e6 / tally.per_cpu_second();
    // one that touches no row: what a heap with rows in it costs whoever allocates
    let base = small.tallies.first().map_or(1.0, cost) / large.tallies.first().map_or(1.0, cost);
    for ((name, ..), (few, many)) in KINDS.into_iter().zip(small.tallies.iter().zip(&large.tallies)) {
        println!(
            "{name}: {:.1} us of CPU where there are no rows, {:.1} where they are",
            cost(few),
            cost(many)
        );
        let grown = cost(many) / cost(few);
        lines.push(limit(format!("{name}, full / empty"), grown, "", 1.2));
        if name != WHO {
            println!("{name}: {:.2} of what one grows that touches no row", grown * base);
        }
    }
    lines.push(limit("Dataverse, bytes a row beyond JSON and lookups".into(), accounts, "B", 500.0));
    lines.push(limit("AOS, bytes a row beyond its JSON".into(), groups, "B", 500.0));
    let middle = rows / 2;
    let Program { dataverse, aos, dataverse_bearer, aos_bearer, .. } = &large.program;
    let account = large.program.account.trim_start_matches(API).trim_start_matches("/accounts(");
    let account = account.trim_end_matches(')');
    for (name, filter) in [
        ("key", format!("accountid eq {account}")),
        ("lookup", format!("_parentaccountid_value eq {account}")),
        ("accountnumber", format!("accountnumber eq 'M-{middle}'")),
        ("name", format!("name eq 'Million {middle}'")),
    ] {
        let target = format!("{API}/accounts?$select=name&$filter={}", filter.replace(' ', "%20"));
        let took = ask(dataverse, dataverse_bearer, &target, ASKED)?;
        lines.push(limit(format!("Dataverse, filter on {name}"), took, "ms", 5.0));
    }
    let target = format!("/data/VendorGroups?$filter=VendorGroupId%20eq%20'm{middle}'");
    lines.push(limit("AOS, filter on its key".into(), ask(aos, aos_bearer, &target, ASKED)?, "ms", 5.0));
    let target = format!("{API}/accounts?$select=name&$orderby=telephone1%20desc&$top=50");
    let took = ask(dataverse, dataverse_bearer, &target, 5)?;
    lines.push(limit("Dataverse, $orderby without an index, $top=50".into(), took, "ms", 1_000.0));
    let target = "/data/VendorGroups?$orderby=Description%20desc&$top=50";
    let took = ask(aos, aos_bearer, target, 5)?;
    lines.push(limit("AOS, $orderby without an index, $top=50".into(), took, "ms", 1_000.0));
    lines.extend(cascade(&large)?.map(|(name, found, unit, target)| limit(name, found, unit, target)));
    let tools = Host::of(large.server.setting("/control_url")?);
    let map = pointers::environment("onebox").dual_write_map("CustomersV3");
    let table = pointers::organization("contoso").tables().join("new_widget");
    // edits of the world that change no row
    for (name, place, value) in [
        ("a map is stopped", map.setting(), "{\"State\":\"Not running\"}"),
        ("a table is added", table, TABLE),
    ] {
        let edit = format!("[{{\"op\":\"add\",\"path\":\"{place}\",\"value\":{value}}}]");
        let edit = tools.json("PATCH", "/v1/world", "", &edit);
        let (took, answer) = timed(&mut KeepAlive::plain(&tools.address)?, &edit)?;
        expect(&answer, "200")?;
        lines.push(limit(name.into(), took, "ms", 50.0));
    }
    let reset = tools.post_json("/v1/reset", "", "{}");
    let (took, answer) = timed(&mut KeepAlive::plain(&tools.address)?, &reset)?;
    expect(&answer, "20")?;
    lines.push(limit("reset of both".into(), took, "ms", 50.0));
    let counted = format!("{API}/accounts/$count");
    let answer =
        timed(&mut KeepAlive::plain(&dataverse.address)?, &dataverse.get(&counted, dataverse_bearer))?.1;
    if !expect(&answer, "200")?.ends_with("\u{feff}0") {
        return Err("rows outlived the reset".into());
    }
    println!("all of it after {:.0?}", began.elapsed());
    large.server.stop()?;
    small.server.stop()?;
    Ok(lines)
}

/// One set that is filled.
struct Filling<'f> {
    host: &'f Host,
    bearer: &'f str,
    service: &'f str,
    set: &'f str,
    row: &'f dyn Fn(u64) -> String,
}

/// Fills both products of a server; bytes that a row of each takes beyond what was sent of it, its lookups aside.
fn fill(side: &Side, rows: u64) -> Result<(f64, f64), Failure> {
    let Program { dataverse, aos, dataverse_bearer, aos_bearer, account, .. } = &side.program;
    let parent = account.trim_start_matches(API);
    let account = |n: u64| {
        // one in a thousand has an account above it
        let above =
            (n.is_multiple_of(1_000)).then(|| format!(",\"parentaccountid@odata.bind\":\"{parent}\""));
        let (above, phone) = (above.unwrap_or_default(), spread(n));
        format!("{{\"name\":\"Million {n}\",\"accountnumber\":\"M-{n}\",\"telephone1\":\"{phone}\"{above}}}")
    };
    let group = |n: u64| {
        format!("{{\"dataAreaId\":\"usmf\",\"VendorGroupId\":\"m{n}\",\"Description\":\"{}\"}}", spread(n))
    };
    let accounts =
        Filling { host: dataverse, bearer: dataverse_bearer, service: API, set: "accounts", row: &account };
    let groups =
        Filling { host: aos, bearer: aos_bearer, service: "/data", set: "VendorGroups", row: &group };
    let accounts = accounts.fill(&side.server, rows)? - 64.0 * OWN_LOOKUPS;
    Ok((accounts, groups.fill(&side.server, rows)?))
}

impl Filling<'_> {
    /// So many rows by change sets; bytes that each takes beyond what was sent.
    fn fill(&self, server: &Server, rows: u64) -> Result<f64, Failure> {
        let (before, until) = (server.resident()?, Instant::now() + PATIENCE);
        let mut connection = KeepAlive::plain(&self.host.address)?;
        let (mut made, mut sent) = (0, 0);
        while made < rows {
            let mut parts = String::new();
            for n in made..rows.min(made + AT_ONCE) {
                let row = (self.row)(n);
                sent += row.len();
                parts += &part(n, self.service, self.set, &row);
            }
            made = rows.min(made + AT_ONCE);
            let body =
                format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{parts}--c--\r\n--b--\r\n");
            let target = format!("{}/$batch", self.service);
            let request = self.host.post_kind(&target, self.bearer, "multipart/mixed; boundary=b", &body);
            let answer = connection.ask(&request)?;
            if !answer.starts_with(b"HTTP/1.1 200") || !contains(answer, b"HTTP/1.1 20") {
                return Err(String::from_utf8_lossy(&answer[..answer.len().min(2_000)]).into_owned().into());
            }
            if Instant::now() > until {
                return Err(format!("{made} rows of {} in {PATIENCE:?}", self.set).into());
            }
        }
        let grown = (server.resident()? - before) * 1024.0 * 1024.0;
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        Ok((grown - sent as f64) / rows as f64)
    }
}

/// A request of a change set.
fn part(id: u64, service: &str, set: &str, row: &str) -> String {
    format!(
        "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\n\
         POST {service}/{set} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{row}\r\n"
    )
}

/// A text of eight digits that no two rows share, in no order.
fn spread(n: u64) -> String {
    format!("{:08}", n.wrapping_mul(7_368_787) % 100_000_007)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// How long a request takes by the clock, in milliseconds, and its answer.
fn timed(connection: &mut KeepAlive, request: &[u8]) -> Result<(f64, Vec<u8>), Failure> {
    let began = Instant::now();
    let answer = connection.ask(request)?.to_vec();
    Ok((began.elapsed().as_secs_f64() * 1e3, answer))
}

/// The shortest of the times that a query takes: somebody else may have the machine.
fn ask(host: &Host, bearer: &str, target: &str, times: usize) -> Result<f64, Failure> {
    let mut connection = KeepAlive::plain(&host.address)?;
    let request = host.get(target, bearer);
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let (took, answer) = timed(&mut connection, &request)?;
        let answer = expect(&answer, "200")?;
        if !answer.contains("@odata.etag") {
            return Err(format!("{target} finds nothing").into());
        }
        all.push(took);
    }
    Ok(all.into_iter().fold(f64::INFINITY, f64::min))
}

/// An account goes with all its contacts; how long that takes, and how long others wait meanwhile.
fn cascade(side: &Side) -> Result<[(String, f64, &'static str, f64); 2], Failure> {
    let Program { dataverse, dataverse_bearer, .. } = &side.program;
    let mut connection = KeepAlive::plain(&dataverse.address)?;
    let body = "{\"name\":\"Company\"}";
    let made = dataverse.post_json(&format!("{API}/accounts"), dataverse_bearer, body);
    let answer = expect(&timed(&mut connection, &made)?.1, "204")?;
    let address = headers(&answer, "odata-entityid").next().ok_or("no address of the account")?.to_owned();
    let account = address.rsplit_once('/').map(|(_, row)| format!("/{row}")).ok_or("no path in it")?;
    let row =
        |n: u64| format!("{{\"lastname\":\"C{n}\",\"parentcustomerid_account@odata.bind\":\"{account}\"}}");
    let contacts =
        Filling { host: dataverse, bearer: dataverse_bearer, service: API, set: "contacts", row: &row };
    contacts.fill(&side.server, CASCADE)?;
    // the other one was silent for longer than a connection may be
    connection = KeepAlive::plain(&dataverse.address)?;
    let over = AtomicBool::new(false);
    let (took, longest) = thread::scope(|scope| {
        let others = scope.spawn(|| -> Result<f64, Failure> {
            let mut connection = KeepAlive::plain(&dataverse.address)?;
            let request = dataverse.get(&format!("{API}/WhoAmI"), dataverse_bearer);
            let mut longest = 0_f64;
            while !over.load(Ordering::Relaxed) {
                let (took, answer) = timed(&mut connection, &request)?;
                expect(&answer, "200")?;
                longest = longest.max(took);
                thread::sleep(Duration::from_millis(2));
            }
            Ok(longest)
        });
        thread::sleep(Duration::from_millis(50));
        let delete = dataverse.request("DELETE", &format!("{API}{account}"), dataverse_bearer);
        let deleted = timed(&mut connection, &delete);
        over.store(true, Ordering::Relaxed);
        let others = others.join().map_err(|_| "whoever waited panicked")?;
        let (took, answer) = deleted?;
        expect(&answer, "204")?;
        Ok::<_, Failure>((took, others?))
    })?;
    Ok([
        (format!("an account goes with {CASCADE} contacts"), took, "ms", 10_000.0),
        (String::from("  WhoAmI meanwhile, the longest"), longest, "ms", 100.0),
    ])
}
