//! `mocktenant-load`: what the released server does per CPU-second, beside the raw signature, over real connections.
//!
//! Decides nothing; measures. It starts `mocktenant serve` as a child with a state directory of its own, drives keep-alive
//! connections over loopback in rounds (every kind takes its turn, and so does the raw signature), and divides what was
//! answered by the CPU time the server spent. Bounded: each kind has its seconds and a count it cannot pass, and whatever
//! is waited for has its own limit. Missed targets are printed, errors exit 1; with `--strict` a missed target does too.

#[path = "load/client.rs"]
mod client;
#[path = "load/raw.rs"]
mod raw;
#[path = "load/server.rs"]
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use client::{Kind, Target};
use server::{Server, Start};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ROUNDS: u32 = 5;
/// Answers one kind may take in one round.
const MOST: u64 = 500_000;

const USAGE: &str = "\
usage: mocktenant-load [--seconds N] [--connections N] [--binary PATH] [--strict]
  --seconds N      seconds each kind of request is driven, all rounds together (default 10)
  --connections N  keep-alive connections (default 8)
  --binary PATH    the mocktenant to measure (default: built with `cargo build --release`)
  --strict         a missed target exits 1 too";

struct Options {
    seconds: u32,
    connections: usize,
    binary: Option<PathBuf>,
    strict: bool,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self { seconds: 10, connections: 8, binary: None, strict: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--seconds" => options.seconds = value()?.parse::<u32>()?.clamp(1, 600),
                "--connections" => options.connections = value()?.parse::<usize>()?.clamp(1, 256),
                "--binary" => options.binary = Some(value()?.into()),
                "--strict" => options.strict = true,
                _ => return Err(format!("{argument}?\n{USAGE}").into()),
            }
        }
        Ok(options)
    }
}

/// One line of the report that has a target.
struct Line {
    name: &'static str,
    found: f64,
    unit: &'static str,
    target: f64,
    /// Whether more is better.
    more: bool,
}

impl Line {
    fn met(&self) -> bool {
        if self.more { self.found >= self.target } else { self.found <= self.target }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a measuring tool prints what it found")]
fn main() -> ExitCode {
    let run = || {
        let options = Options::read(std::env::args().skip(1))?;
        let strict = options.strict;
        measure(&options).map(|lines| (lines, strict))
    };
    match run() {
        Ok((lines, strict)) => {
            println!("\n{:<44}{:>10}        target", "", "found");
            for line in &lines {
                let relation = if line.more { ">=" } else { "<=" };
                let verdict = if line.met() { "met" } else { "missed" };
                println!(
                    "{:<44}{:>10.3} {:<4} {relation} {:>6.2}   {verdict}",
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

#[expect(clippy::print_stdout, reason = "a measuring tool prints what it found")]
fn measure(options: &Options) -> Result<Vec<Line>, Failure> {
    let binary = server::binary(options.binary.as_deref())?;
    let start = Start::measure(&binary)?;
    let server = Server::start(&binary)?;
    std::thread::sleep(Duration::from_secs(1));
    let idle = server.resident()?;

    let target = Target::of(&server)?;
    let mut tallies = Kind::ALL.map(|kind| (kind, Tally::default()));
    let mut signatures = raw::Rate::default();
    let turn = Duration::from_secs(u64::from(options.seconds)) / ROUNDS;
    // Connections, caches and first tokens are not what is measured.
    for kind in Kind::ALL {
        client::drive(&target, kind, options.connections, Duration::from_millis(200), MOST)?;
    }
    for _ in 0..ROUNDS {
        for (kind, tally) in &mut tallies {
            signatures.add(Duration::from_millis(200))?;
            let (cpu, began) = (server.cpu_time()?, Instant::now());
            tally.answers += client::drive(&target, *kind, options.connections, turn, MOST)?;
            tally.real += began.elapsed();
            tally.cpu += server.cpu_time()?.saturating_sub(cpu);
        }
    }
    let loaded = server.resident()?;
    let tokens: u64 =
        tallies.iter().filter(|(kind, _)| kind.is_token()).map(|(_, tally)| tally.answers).sum();
    server.stop()?;

    let raw = signatures.per_cpu_second();
    println!("{:<44}{raw:>10.0} /CPU-s, {} threads", "raw RS256 signature", raw::threads());
    for (kind, tally) in &tallies {
        println!(
            "{:<44}{:>10.0} /CPU-s {:>8.0} /s {:>9} answers",
            kind.name(),
            tally.per_cpu_second(),
            tally.per_second(),
            tally.answers
        );
    }
    println!("{:<44}{tokens:>10}", "tokens issued by the measured server");
    let rate = |wanted: Kind| {
        tallies.iter().find(|(kind, _)| *kind == wanted).map_or(0.0, |(_, tally)| tally.per_cpu_second())
    };
    let secret = rate(Kind::Secret);
    let ratio = |name, found, target| Line { name, found, unit: "", target, more: true };
    let limit = |name, found, unit, target| Line { name, found, unit, target, more: false };
    Ok(vec![
        ratio("token by secret, http / raw", secret / raw, 0.90),
        ratio("token by certificate, http / raw", rate(Kind::Certificate) / raw, 0.85),
        ratio("token by secret, https / raw", rate(Kind::SecureSecret) / raw, 0.65),
        ratio("discovery / token by secret", rate(Kind::Discovery) / secret, 20.0),
        ratio("keys / token by secret", rate(Kind::Keys) / secret, 20.0),
        limit("start to first answer, existing state", start.existing, "ms", 20.0),
        limit("start to first answer, first start", start.first, "ms", 60.0),
        limit("resident, idle", idle, "MiB", 12.0),
        limit("resident, after the load", loaded, "MiB", 24.0),
    ])
}

/// What one kind of request came to.
#[derive(Default)]
struct Tally {
    answers: u64,
    cpu: Duration,
    real: Duration,
}

impl Tally {
    fn per_cpu_second(&self) -> f64 {
        per(self.answers, self.cpu)
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
