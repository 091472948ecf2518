//! Nine kinds of slow connections on every port: whoever is healthy does not notice, and each is closed in its time.
//!
//! Decides the times by the budgets that ARCHITECTURE.md states, and by what the system says whether a connection is still
//! held: a caller who does not read cannot see an end.

use std::collections::HashSet;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::raw;
use serde_json::Value;

use crate::form::{Progress, either, is_long, result, say, share};
use crate::site::{Site, kept};

/// Beyond the stated time, for a machine that is busy.
const SLACK: Duration = Duration::from_secs(5);

/// How a slow connection is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Silent,
    HalfHead,
    DrippingHead,
    HalfBody,
    DrippingBody,
    SlowReader,
    IdleKeepAlive,
    HalfHandshake,
    SilentHttp2,
    UnfinishedStreams,
    IdleHttp2,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Silent,
        Self::HalfHead,
        Self::DrippingHead,
        Self::HalfBody,
        Self::DrippingBody,
        Self::SlowReader,
        Self::IdleKeepAlive,
        Self::HalfHandshake,
        Self::SilentHttp2,
        Self::UnfinishedStreams,
        Self::IdleHttp2,
    ];

    /// Those whose time is too long for the short form.
    const LONG: [Self; 2] = [Self::UnfinishedStreams, Self::IdleHttp2];

    /// When it is closed at the latest, by the budgets of ARCHITECTURE.md.
    fn closed_within(self) -> Duration {
        Duration::from_secs(match self {
            // Accept to complete head.
            Self::Silent | Self::HalfHead | Self::DrippingHead | Self::HalfHandshake | Self::SilentHttp2 => {
                10
            }
            // The body's idle time, the answer, and the wait for the next head.
            Self::HalfBody => 10 + 14,
            Self::DrippingBody => 30 + 14,
            Self::IdleKeepAlive => 14,
            // Until every buffer is full, and then 30 s in which nothing is taken.
            Self::SlowReader => 10 + 30,
            // The body's idle time, then that of an HTTP/2 connection and its farewell.
            Self::UnfinishedStreams => 10 + 120 + 5,
            Self::IdleHttp2 => 120 + 5,
        })
    }
}

const HEAD: &[u8] =
    b"POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// HEADERS of stream 1 without its end: POST http://localhost/.
const UNFINISHED: &[u8] = b"\x00\x00\x0e\x01\x04\x00\x00\x00\x01\x83\x86\x84\x01\x09localhost";

/// The same with its end, as GET.
const FINISHED: &[u8] = b"\x00\x00\x0e\x01\x05\x00\x00\x00\x01\x82\x86\x84\x01\x09localhost";

/// One connection that is slow.
struct Slow {
    kind: Kind,
    stream: TcpStream,
    /// The lab's port and ours.
    ports: (u16, u16),
    /// What is sent over and over.
    asked: Vec<u8>,
    dripped: usize,
    opened: Instant,
}

impl Slow {
    fn open(kind: Kind, port: u16, site: &Site) -> Self {
        let asked = kept(&match port {
            port if port == site.entra => site.keys.clone(),
            port if port == site.caller.aos => site.caller.to_aos("GET", "CustomersV3", &Value::Null),
            port if port == site.caller.dataverse => {
                site.caller.to_dataverse("GET", "accounts", &Value::Null)
            }
            _ => raw::request("GET", "localhost", "/v1/settings", &[], b""),
        });
        let mut stream = raw::connect(port);
        let ports = (port, stream.local_addr().unwrap().port());
        let first: &[u8] = match kind {
            Kind::Silent | Kind::DrippingHead | Kind::SlowReader => b"",
            Kind::HalfHead => &HEAD[..50],
            Kind::HalfBody | Kind::DrippingBody => HEAD,
            Kind::IdleKeepAlive => &asked,
            Kind::HalfHandshake => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            Kind::SilentHttp2 => PREFACE,
            Kind::UnfinishedStreams => &[PREFACE, UNFINISHED].concat(),
            Kind::IdleHttp2 => &[PREFACE, FINISHED].concat(),
        };
        stream.write_all(first).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { kind, stream, ports, asked, dripped: 0, opened: Instant::now() }
    }

    /// Once a second: what this kind does while it is slow.
    fn drip(&mut self) {
        let mut sink = [0; 16 * 1024];
        match self.kind {
            Kind::DrippingHead => {
                let _ = self.stream.write(&HEAD[self.dripped..=self.dripped]);
                self.dripped += 1;
            }
            Kind::DrippingBody => {
                let _ = self.stream.write(b"x");
            }
            Kind::SlowReader => {
                // Asks for more than any buffer takes, and takes a byte.
                let many = self.asked.repeat(64 * 1024 / self.asked.len());
                for _ in 0..8 {
                    if self.stream.write(&many).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
                        break;
                    }
                }
                let _ = self.stream.read(&mut sink[..1]);
                return;
            }
            _ => {}
        }
        while self.stream.read(&mut sink).is_ok_and(|count| count > 0) {}
    }
}

/// Which connections, as the lab's port and the caller's, a process still holds.
fn held() -> HashSet<(u16, u16)> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        // What nobody holds any more has no inode.
        (*fields.get(9)? != "0").then_some((port(fields.get(1)?)?, port(fields.get(2)?)?))
    };
    table.lines().skip(1).filter_map(line).collect()
}

/// A lab with rows enough that a page of them fills buffers.
fn lab() -> (Serve, Site) {
    let lab = Serve::start_with(binary::command_of(binary::path()));
    let site = Site::of(&lab);
    for number in 0..20 {
        assert_eq!(site.caller.create(&format!("S{number}")).unwrap().status, 201);
    }
    (lab, site)
}

/// How long each of so many healthy requests takes, one after another and to every product.
fn healthy(site: &Site, requests: usize) -> Vec<Duration> {
    let health = raw::request("GET", "localhost", "/health", &[], b"");
    let groups = site.caller.to_aos("GET", "CustomerGroups", &Value::Null);
    let accounts = site.caller.to_dataverse("GET", "accounts?$top=1", &Value::Null);
    let asked = [
        (site.entra, &site.secret),
        (site.entra, &site.keys),
        (site.caller.aos, &groups),
        (site.caller.dataverse, &accounts),
        (site.caller.tools, &health),
    ];
    let took = |(port, request): (u16, &Vec<u8>)| {
        let began = Instant::now();
        let answer = raw::send(port, request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        began.elapsed()
    };
    asked.into_iter().cycle().take(requests).map(took).collect()
}

/// The middle one of several rounds: what disturbs one of them is the machine.
fn rounds(site: &Site, requests: usize, per_cent: usize, mut between: impl FnMut()) -> Duration {
    let round = |_| {
        between();
        share(&mut healthy(site, requests), per_cent)
    };
    share(&mut (0..5).map(round).collect::<Vec<_>>(), 50)
}

/// Opens so many of a kind on each of these ports.
fn open(kind: Kind, each: usize, ports: &[u16], site: &Site) -> Vec<Slow> {
    let many = ports.iter().flat_map(|port| (0..each).map(move |_| *port));
    let mut slow: Vec<Slow> = many.map(|port| Slow::open(kind, port, site)).collect();
    slow.iter_mut().for_each(Slow::drip);
    slow
}

#[test]
fn each_is_closed_in_its_time_on_every_port() {
    const NAME: &str = "slow connections";
    let (mut lab, site) = lab();
    let progress = Progress::of(NAME);
    let ports = site.ports().map(|(_, port)| port);
    let kinds = Kind::ALL.into_iter().filter(|kind| is_long() || !Kind::LONG.contains(kind));
    let mut open: Vec<Slow> = kinds.flat_map(|kind| open(kind, 3, &ports, &site)).collect();
    // Until it was accepted nobody holds a connection.
    thread::sleep(Duration::from_secs(1));
    let (mut late, mut looks) = (Vec::new(), 0_u32);
    let mut closed = std::collections::BTreeMap::new();
    while !open.is_empty() {
        let held = held();
        open.retain_mut(|slow| {
            let age = slow.opened.elapsed();
            if !held.contains(&slow.ports) {
                let longest = closed.entry(slow.kind).or_insert(age);
                *longest = age.max(*longest);
                return false;
            }
            let in_time = age < slow.kind.closed_within() + SLACK;
            if !in_time {
                let (door, _) = site.ports().into_iter().find(|(_, port)| *port == slow.ports.0).unwrap();
                late.push(format!("{:?} on {door}", slow.kind));
            }
            in_time
        });
        progress.at(|| format!("{} are still open", open.len()));
        // Buffers fill as fast as they can, all else goes byte by byte.
        let due = |slow: &&mut Slow| looks % 4 == 0 || slow.kind == Kind::SlowReader;
        open.iter_mut().filter(due).for_each(Slow::drip);
        looks += 1;
        thread::sleep(Duration::from_millis(250));
    }
    for (kind, longest) in closed {
        result(
            &format!("closed: {kind:?}"),
            format!("{longest:.0?}"),
            format!("{:?}, and {SLACK:?} of grace", kind.closed_within()),
        );
    }
    late.sort();
    late.dedup();
    assert!(late.is_empty(), "still held after their time: {late:?}");
    site.assert_serves();
    assert!(lab.is_alive() && !lab.log().contains("panicked"), "{}", lab.log());
}

#[test]
fn nobody_healthy_notices_those_who_are_slow() {
    const NAME: &str = "beside slow connections";
    let (_lab, site) = lab();
    let ports = site.ports().map(|(_, port)| port);
    healthy(&site, 50);
    let (requests, per_cent) = either((20, 50), (400, 99));
    let kinds =
        Kind::ALL.into_iter().filter(|kind| is_long() || !matches!(kind, Kind::HalfHead | Kind::SilentHttp2));
    for kind in kinds {
        let each = if kind == Kind::SlowReader { either(2, 10) } else { either(10, 60) };
        let (mut quiet, mut beside) = (Duration::ZERO, Duration::ZERO);
        // A machine that others share is given three tries.
        for _ in 0..3 {
            quiet = rounds(&site, requests, per_cent, || {});
            let mut slow = open(kind, each, &ports, &site);
            // Until buffers are full a slow reader is only a caller like others.
            thread::sleep(Duration::from_millis(if kind == Kind::SlowReader { 1000 } else { 0 }));
            beside = rounds(&site, requests, per_cent, || slow.iter_mut().for_each(Slow::drip));
            if beside <= allowed(quiet) {
                break;
            }
        }
        let found = format!("{beside:.1?} beside {quiet:.1?}");
        say(NAME, &format!("{kind:?}: {found}"));
        assert!(beside <= allowed(quiet), "{kind:?}: {found}");
        result(&format!("healthy p{per_cent} under {kind:?}"), found, "<= 2 x");
    }
}

/// Twice as long, and what a clock and a scheduler add.
fn allowed(quiet: Duration) -> Duration {
    quiet * 2 + Duration::from_millis(either(5, 1))
}
