//! `mocktenant-load`: what the released server does per CPU-second, beside a bare server and the raw signature.
//!
//! Decides nothing; measures. It starts `mocktenant serve` as a child with a state directory of its own, drives keep-alive
//! connections over loopback in rounds (every kind takes its turn, and so do the bare server, which signs and sends the
//! same bytes and does nothing else, and the raw signature), and divides what was answered by the CPU time that was spent. Bounded: each kind has its seconds and a count it cannot pass, and whatever
//! is waited for has its own limit. A table says whose the time of an answer is. Missed targets are printed, errors exit 1; with `--strict` a missed target does too.

#[path = "load/application.rs"]
mod application;
#[path = "load/bare.rs"]
mod bare;
#[path = "load/client.rs"]
mod client;
#[path = "load/cpu.rs"]
mod cpu;
#[path = "load/million.rs"]
mod million;
#[path = "load/people.rs"]
mod people;
#[path = "load/raw.rs"]
mod raw;
#[path = "load/rows.rs"]
mod rows;
#[path = "load/server.rs"]
mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use application::Visitor;
use client::{Kind, Target};
use cpu::{Cpu, Spent};
use people::Person;
use rows::Program;
use server::{Bare, Server, Start};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ROUNDS: u32 = 5;
/// Answers one kind may take in one round.
const MOST: u64 = 500_000;
/// Sign-ins, redemptions and refreshes in one round, at the most.
const PEOPLE: u64 = 200;
/// An environment whose gateway has one node behind it.
const ONE_NODE: &str =
    "remove:\n  - /environments/onprem/nodes/AOS_2\n  - /environments/onprem/nodes/AOS_3\n";
/// Reads with one bearer token in one round.
const READS: u64 = 4_000;
/// How many of them in a row, where they are measured beside each other.
const AT_A_TIME: u64 = 200;
/// Rows that are made in one round, of each kind.
const WRITES: u64 = 1_000;

const USAGE: &str = "\
usage: mocktenant-load [--seconds N] [--connections N] [--binary PATH] [--strict] [--rows N]
  --seconds N      seconds each kind of request is driven, all rounds together (default 10)
  --connections N  keep-alive connections (default 8)
  --binary PATH    the mocktenant to measure (default: built with `cargo build --release`)
  --strict         a missed target exits 1 too
  --rows N         nothing but what requests cost where both products have N rows (1,000,000 takes minutes)";

struct Options {
    seconds: u32,
    connections: usize,
    binary: Option<PathBuf>,
    strict: bool,
    rows: Option<u64>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self { seconds: 10, connections: 8, binary: None, strict: false, rows: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--seconds" => options.seconds = value()?.parse::<u32>()?.clamp(1, 600),
                "--connections" => options.connections = value()?.parse::<usize>()?.clamp(1, 256),
                "--binary" => options.binary = Some(value()?.into()),
                "--rows" => options.rows = Some(value()?.parse::<u64>()?.clamp(1, 1_500_000)),
                "--strict" => options.strict = true,
                _ => return Err(format!("{argument}?\n{USAGE}").into()),
            }
        }
        Ok(options)
    }
}

/// One line of the report that has a target.
struct Line {
    name: String,
    found: f64,
    unit: &'static str,
    target: f64,
    /// Whether more is better.
    more: bool,
    /// The same beside the raw signature.
    of_raw: Option<f64>,
}

impl Line {
    /// Of which more is better.
    fn ratio(name: &str, found: f64, target: f64) -> Self {
        Self { name: name.to_owned(), found, unit: "", target, more: true, of_raw: None }
    }

    /// Of which less is better.
    fn limit(name: &str, found: f64, unit: &'static str, target: f64) -> Self {
        Self { name: name.to_owned(), found, unit, target, more: false, of_raw: None }
    }

    fn met(&self) -> bool {
        if self.more { self.found >= self.target } else { self.found <= self.target }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a measuring tool prints what it found")]
fn main() -> ExitCode {
    let run = || {
        let arguments: Vec<_> = std::env::args_os().skip(1).collect();
        if let [bare, state] = &*arguments
            && bare == "--bare"
        {
            return bare::serve(Path::new(state)).map(|()| None);
        }
        let options = Options::read(std::env::args().skip(1))?;
        let strict = options.strict;
        let lines = match options.rows {
            Some(rows) => million::measure(&server::binary(options.binary.as_deref())?, rows),
            None => measure(&options),
        };
        lines.map(|lines| Some((lines, strict)))
    };
    match run() {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some((lines, strict))) => {
            println!("\n{:<44}{:>10}        target", "", "found");
            for line in &lines {
                let relation = if line.more { ">=" } else { "<=" };
                let verdict = if line.met() { "met" } else { "missed" };
                let of_raw = line.of_raw.map(|ratio| format!(" ({ratio:.3} of raw)")).unwrap_or_default();
                println!(
                    "{:<44}{:>10.3} {:<4} {relation} {:>6.2}   {verdict}{of_raw}",
                    line.name, line.found, line.unit, line.target
                );
            }
            let missed = lines.iter().any(|line| !line.met());
            ExitCode::from(u8::from(strict && missed))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// After so long a lab has given back what only its start needed.
const SETTLED: Duration = Duration::from_secs(2);

#[expect(clippy::print_stdout, reason = "a measuring tool prints what it found")]
fn measure(options: &Options) -> Result<Vec<Line>, Failure> {
    let binary = server::binary(options.binary.as_deref())?;
    let start = Start::measure(&binary)?;
    let server = Server::start(&binary)?;
    std::thread::sleep(SETTLED);
    let idle = server.resident()?;

    let ours = Target::of(&server)?;
    let bare = Bare::start(&server, &ours.answer(Kind::Secret)?)?;
    let theirs = ours.bare(&bare);
    let mut tallies = Kind::ALL.map(|kind| (kind, Tally::default(), kind.is_token().then(Tally::default)));
    let mut people = People::of(&server)?;
    let mut rows = Rows::start(&binary)?;
    let mut alone = Alone::start(&binary)?;
    let mut signatures = raw::Rate::default();
    let turn = Duration::from_secs(u64::from(options.seconds)) / ROUNDS;
    let drive = |target: &Target, kind, turn| client::drive(target, kind, options.connections, turn, MOST);
    warm_up(&ours, &theirs, options)?;
    for _ in 0..ROUNDS {
        for (kind, our, their) in &mut tallies {
            signatures.add(Duration::from_millis(200))?;
            our.add(|| server.cpu_time(), || drive(&ours, *kind, turn))?;
            if let Some(their) = their {
                their.add(|| bare.cpu_time(), || drive(&theirs, *kind, turn))?;
            }
        }
        people.take_a_turn(&server)?;
        rows.take_a_turn()?;
        alone.take_a_turn()?;
    }
    let alone_visits = alone.stop()?;
    let loaded = server.resident()?;
    let tokens: u64 =
        tallies.iter().filter(|(kind, ..)| kind.is_token()).map(|(_, tally, _)| tally.answers).sum();
    server.stop()?;

    let raw = signatures.per_cpu_second();
    println!("{:<44}{raw:>10.0} /CPU-s, {} threads", "raw RS256 signature", raw::threads());
    for (kind, our, their) in &tallies {
        line(kind.name(), our);
        if let Some(their) = their {
            line("  the bare server", their);
        }
    }
    for (name, tally) in people.tallies().into_iter().chain(rows.tallies()) {
        line(&format!("{name}, http"), tally);
    }
    line("sign-in at an AOS with one node, http", &alone_visits);
    println!("{:<44}{tokens:>10}", "tokens issued by the measured server");
    println!("{:<44}{:>10.1} ms", "start to an AOS on-premises, existing state", start.node);
    println!(
        "\n{:<44}{:>9}{:>9}{:>9}{:>10}{:>9}",
        "us of CPU per answer", "kernel", "HTTP", "ours", "signature", "all"
    );
    for (kind, our, their) in &tallies {
        println!("{:<44}{}", kind.name(), owners(our, their.as_ref(), 1e6 / raw));
    }
    for (name, tally) in people.tallies().into_iter().chain(rows.tallies()) {
        println!("{name:<44}{}", owners(tally, None, 1e6 / raw));
    }
    let People { sign_ins, redemptions, refreshes, visits, reads, .. } = &people;
    let signed = |tally: &Tally| tally.per_cpu_second() * f64::from(people::SIGNATURES) / raw;
    let beside_signatures = 1e3 / sign_ins.per_cpu_second() - 1e3 * f64::from(people::SIGNATURES) / raw;
    let [secret, certificate, secure, adfs_secret, adfs_certificate, discovery, keys] =
        tallies.map(|(_, our, their)| (our.per_cpu_second(), their.map(|their| their.per_cpu_second())));
    let (ratio, limit) = (Line::ratio, Line::limit);
    let beside = |name: &str, (ours, bare): (f64, Option<f64>), target| Line {
        of_raw: Some(ours / raw),
        ..ratio(name, ours / bare.unwrap_or_default(), target)
    };
    let mut lines = vec![
        beside("token by secret, http / bare server", secret, 0.95),
        beside("token by certificate, http / bare, verifying", certificate, 0.90),
        beside("token by secret, https / bare server, https", secure, 0.95),
        beside("AD FS token by secret / bare server", adfs_secret, 0.95),
        beside("AD FS token by certificate / bare, verifying", adfs_certificate, 0.90),
        ratio("AD FS signatures in redemptions / raw", signed(redemptions), 0.60),
        ratio("AD FS signatures in refreshes / raw", signed(refreshes), 0.60),
        limit("AD FS sign-in beside its signatures", beside_signatures, "ms", 1.0),
        limit("sign-in at an AOS through AD FS", 1e3 / visits.per_cpu_second(), "ms", 5.0),
        limit(
            "sign-in by three nodes / by one",
            alone_visits.per_cpu_second() / visits.per_cpu_second(),
            "",
            1.2,
        ),
        ratio("reads of an AOS, bearer checked, per CPU-second", reads.per_cpu_second(), 5_000.0),
        ratio("discovery / token by secret", discovery.0 / secret.0, 20.0),
        ratio("keys / token by secret", keys.0 / secret.0, 20.0),
        limit("start to first answer, existing state", start.existing, "ms", 20.0),
        limit("start to first answer, first start", start.first, "ms", 60.0),
        limit("start of each further node on-premises", start.further, "ms", 4.0),
        limit("resident, idle", idle, "MiB", 12.0),
        limit("resident, after the load", loaded, "MiB", 24.0),
    ];
    lines.extend(rows.lines());
    Ok(lines)
}

/// What came of one kind of request.
#[expect(clippy::print_stdout, reason = "a measuring tool prints what it found")]
fn line(name: &str, tally: &Tally) {
    println!(
        "{name:<44}{:>10.0} /CPU-s {:>8.0} /s {:>9} answers",
        tally.per_cpu_second(),
        tally.per_second(),
        tally.answers
    );
}

/// Connections, caches and first tokens are not what is measured.
fn warm_up(ours: &Target, theirs: &Target, options: &Options) -> Result<(), Failure> {
    for kind in Kind::ALL {
        let warm = Duration::from_millis(200);
        client::drive(ours, kind, options.connections, warm, MOST)?;
        if kind.is_token() {
            client::drive(theirs, kind, options.connections, warm, MOST)?;
        }
    }
    Ok(())
}

/// People at a gateway with one node behind it, on a server of its own.
struct Alone {
    server: Server,
    visitor: Visitor,
    visits: Tally,
}

impl Alone {
    fn start(binary: &Path) -> Result<Self, Failure> {
        let server = Server::start_with(binary, ONE_NODE)?;
        Ok(Self { visitor: Visitor::of(&server)?, server, visits: Tally::default() })
    }

    fn take_a_turn(&mut self) -> Result<(), Failure> {
        let Self { server, visitor, visits } = self;
        visits.add(|| server.cpu_time(), || visitor.visit(PEOPLE))
    }

    fn stop(self) -> Result<Tally, Failure> {
        self.server.stop()?;
        Ok(self.visits)
    }
}

/// People and a program that calls with one token: who they are, and what came of their turns.
struct People {
    person: Person,
    refresh_token: String,
    visitor: Visitor,
    bearer: String,
    sign_ins: Tally,
    redemptions: Tally,
    refreshes: Tally,
    visits: Tally,
    reads: Tally,
}

impl People {
    fn of(server: &Server) -> Result<Self, Failure> {
        let (person, visitor) = (Person::of(server)?, Visitor::of(server)?);
        let (refresh_token, bearer) = (person.refresh_token()?, visitor.token()?);
        let [sign_ins, redemptions, refreshes, visits, reads] = std::array::from_fn(|_| Tally::default());
        Ok(Self { person, refresh_token, visitor, bearer, sign_ins, redemptions, refreshes, visits, reads })
    }

    fn take_a_turn(&mut self, server: &Server) -> Result<(), Failure> {
        let Self { person, refresh_token, visitor, bearer, .. } = self;
        let cpu_time = || server.cpu_time();
        let codes = person.codes(PEOPLE)?;
        self.sign_ins.add(cpu_time, || person.sign_in(PEOPLE))?;
        self.redemptions.add(cpu_time, || person.redeem_all(&codes))?;
        self.refreshes.add(cpu_time, || person.refresh(refresh_token, PEOPLE))?;
        self.visits.add(cpu_time, || visitor.visit(PEOPLE))?;
        self.reads.add(cpu_time, || visitor.read(bearer, READS))
    }

    fn tallies(&self) -> [(&'static str, &Tally); 5] {
        [
            ("sign-in at AD FS", &self.sign_ins),
            ("redemption of a code at AD FS", &self.redemptions),
            ("refresh at AD FS", &self.refreshes),
            ("sign-in at an AOS through AD FS", &self.visits),
            ("read of an AOS with a bearer token", &self.reads),
        ]
    }
}

/// A program that works with rows, and what came of its turns, on a server of its own: rows stay, and a lab that has them is no
/// measure of what other requests leave behind.
struct Rows {
    server: Server,
    program: Program,
    who: Tally,
    some: Tally,
    all: Tally,
    accounts: Tally,
    vendor_groups: Tally,
}

impl Rows {
    fn start(binary: &Path) -> Result<Self, Failure> {
        let server = Server::start(binary)?;
        let program = Program::of(&server)?;
        let [who, some, all, accounts, vendor_groups] = std::array::from_fn(|_| Tally::default());
        Ok(Self { server, program, who, some, all, accounts, vendor_groups })
    }

    fn take_a_turn(&mut self) -> Result<(), Failure> {
        let Self { server, program, who, some, all, accounts, vendor_groups } = self;
        let cpu_time = || server.cpu_time();
        // in short turns: what else the machine does, and letting go of the records of long ago, falls on all of them alike
        for _ in 0..READS / AT_A_TIME {
            who.add(cpu_time, || program.ask_who(AT_A_TIME))?;
            some.add(cpu_time, || program.read_some(AT_A_TIME))?;
            all.add(cpu_time, || program.read_all(AT_A_TIME))?;
        }
        accounts.add(cpu_time, || program.make_accounts(WRITES))?;
        vendor_groups.add(cpu_time, || program.make_vendor_groups(WRITES))
    }

    /// What has a target: beside WhoAmI, which has a token checked and nothing else.
    fn lines(&self) -> [Line; 3] {
        [
            ("Dataverse create / WhoAmI", &self.accounts, 0.4),
            ("Dataverse retrieve by key / WhoAmI", &self.some, 0.8),
            ("AOS create without a map / WhoAmI", &self.vendor_groups, 0.3),
        ]
        .map(|(name, tally, target)| {
            Line::ratio(name, tally.per_cpu_second() / self.who.per_cpu_second(), target)
        })
    }

    fn tallies(&self) -> [(&'static str, &Tally); 5] {
        [
            ("WhoAmI", &self.who),
            ("retrieve of an account, four columns", &self.some),
            ("retrieve of an account, all columns", &self.all),
            ("create of an account", &self.accounts),
            ("create of a vendor group at an AOS", &self.vendor_groups),
        ]
    }
}

/// Whose the CPU time of one answer is. The kernel's is measured; the signature's is the raw one's; HTTP (hyper, tokio, TLS,
/// and for a certificate the verification) is what else the bare server spends outside the kernel, ours what the measured
/// server spends beyond the bare one. Without a bare server beside it, everything outside the kernel stands under ours.
fn owners(our: &Tally, their: Option<&Tally>, signature: f64) -> String {
    let each = |time: Duration, answers: u64| {
        let answers = per(answers, Duration::from_secs(1));
        if answers > 0.0 { time.as_secs_f64() * 1e6 / answers } else { 0.0 }
    };
    let (kernel, user) = (each(our.cpu.kernel(), our.answers), each(our.cpu.user(), our.answers));
    match their {
        Some(their) => {
            let bare = each(their.cpu.user(), their.answers);
            let (http, ours) = (bare - signature, user - bare);
            format!("{kernel:>9.1}{http:>9.1}{ours:>9.1}{signature:>10.1}{:>9.1}", kernel + user)
        }
        None => format!("{kernel:>9.1}{:>9}{user:>9.1}{:>10}{:>9.1}", "", "", kernel + user),
    }
}

/// What one kind of request came to.
#[derive(Default)]
struct Tally {
    answers: u64,
    cpu: Spent,
    real: Duration,
}

impl Tally {
    /// What came of one turn, by the CPU time its server had spent before and after.
    fn add(
        &mut self,
        cpu_time: impl Fn() -> Result<Cpu, Failure>,
        drive: impl FnOnce() -> Result<u64, Failure>,
    ) -> Result<(), Failure> {
        let (cpu, began) = (cpu_time()?, Instant::now());
        self.answers += drive()?;
        self.real += began.elapsed();
        self.cpu = self.cpu.plus(cpu_time()?.since(&cpu));
        Ok(())
    }

    fn per_cpu_second(&self) -> f64 {
        per(self.answers, self.cpu.all)
    }

    fn per_second(&self) -> f64 {
        per(self.answers, self.real)
    }
}

/// `count` per second of `time`; nothing in no time.
fn per(count: u64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let count = count as f64;
    if time.is_zero() { 0.0 } else { count / time.as_secs_f64() }
}
