//! The fuzz corpora, replayed through the entry functions of the fuzz targets.
//!
//! Decides nothing of its own: what must hold stands in `fuzz/entries/`. Every file of a corpus is also replayed cut
//! short and with bytes turned, so that the seeds reach beyond themselves without a fuzzer. With `FUZZ_SECONDS` each target
//! goes on from there at random for so long; what it finds becomes a file of the corpus. (`just prove`)

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../../../../fuzz/entries/address.rs"]
mod address;
#[path = "../../../../fuzz/entries/artefact.rs"]
mod artefact;
#[path = "../../../../fuzz/entries/batch.rs"]
mod batch;
#[path = "../../../../fuzz/entries/compact.rs"]
mod compact;
#[path = "../../../../fuzz/entries/fetch.rs"]
mod fetch;
#[path = "../../../../fuzz/entries/metadata.rs"]
mod metadata;
#[path = "../../../../fuzz/entries/page.rs"]
mod page;
#[path = "../../../../fuzz/entries/patch.rs"]
mod patch;
#[path = "../../../../fuzz/entries/query.rs"]
mod query;
#[path = "../../../../fuzz/entries/scenario.rs"]
mod scenario;
#[path = "../../../../fuzz/entries/sealed.rs"]
mod sealed;
#[path = "../../../../fuzz/entries/token_form.rs"]
mod token_form;
#[path = "../../../../fuzz/entries/xml.rs"]
mod xml;

/// Replays one corpus, each file as it is and in a few damaged forms.
fn replay(target: &str, entry: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus").join(target);
    let mut seeds = Vec::new();
    for file in fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let bytes = fs::read(file.expect("a directory is listed").path()).expect("a seed is read");
        entry(&bytes);
        let step = (bytes.len() / 40).max(1);
        for at in (0..bytes.len()).step_by(step) {
            entry(&bytes[..at]);
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x15;
            entry(&damaged);
            damaged[at] = b'%';
            entry(&damaged);
        }
        seeds.push(bytes);
    }
    assert!(!seeds.is_empty(), "{} is empty", directory.display());
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seconds) = number("FUZZ_SECONDS") {
        let seed = number("SEED").unwrap_or_else(|| u64::from(std::process::id()));
        wander(target, &directory, &seeds, entry, Duration::from_secs(seconds), Dice(seed | 1));
    }
}

/// No input may take longer: budgets are there to see to it.
const LONGEST: Duration = Duration::from_secs(5);
/// In bytes; what is longer is cut.
const LARGEST: usize = 64 * 1024;

/// Damages the seeds at random until the time is over.
#[expect(clippy::print_stdout, reason = "whoever lets it run for a while sees how far it is")]
fn wander(
    target: &str,
    directory: &Path,
    seeds: &[Vec<u8>],
    entry: fn(&[u8]),
    time: Duration,
    mut dice: Dice,
) {
    let (began, mut runs) = (Instant::now(), 0_u64);
    // What ends the whole process is found here.
    let last = std::env::temp_dir().join(format!("mocktenant-fuzz-{}-{target}", std::process::id()));
    let mut slowest = Duration::ZERO;
    println!("fuzz {target}: SEED={} plays this again; the input at hand is in {}", dice.0, last.display());
    let mut said = Instant::now();
    while began.elapsed() < time {
        let mut input = dice.pick(seeds).clone();
        for _ in 0..=dice.below(6) {
            dice.damage(&mut input, seeds);
        }
        input.truncate(LARGEST);
        fs::write(&last, &input).expect("the input at hand is kept");
        let started = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| entry(&input)));
        let took = started.elapsed();
        slowest = slowest.max(took);
        if ended.is_err() || took > LONGEST {
            let finding = directory.join(format!("found-{:08x}", dice.roll() >> 32));
            fs::write(&finding, &input).expect("a finding is kept");
            println!("fuzz {target}: {} is new, {took:?}", finding.display());
        }
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
        assert!(took <= LONGEST, "{target}: {took:?} for {} bytes", input.len());
        runs += 1;
        if said.elapsed() > Duration::from_secs(5) {
            said = Instant::now();
            println!("fuzz {target}: {runs} inputs");
        }
    }
    let _ = fs::remove_file(last);
    println!(
        "result: fuzz {target}, {}s | {runs} inputs, slowest {slowest:.0?} | no finding",
        time.as_secs()
    );
}

/// A small generator (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.roll() >> 16).unwrap_or(0) % sides.max(1)
    }

    fn pick<'s, T>(&mut self, from: &'s [T]) -> &'s T {
        &from[self.below(from.len())]
    }

    /// Some of these bytes, not always few.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 12 };
        start..(start + self.below(most + 1)).min(length)
    }

    fn damage(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        const EDGES: &[&[u8]] = &[
            b"\0",
            b"\xff",
            b"%",
            b"-1",
            b"4294967296",
            b"\"",
            b"'",
            b"<",
            b"&",
            b"/",
            b"~",
            b"{",
            b"[",
            b"]]>",
            b"\xe2\x82",
        ];
        let at = self.below(input.len() + 1);
        match self.below(8) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                let byte = self.roll().to_le_bytes()[0];
                input.insert(at, byte);
            }
            2 => drop(input.drain(self.range(input.len()))),
            3 => {
                // What is there again, many times.
                let part = input[self.range(input.len())].to_vec();
                let many = part.repeat(1 + self.below(64));
                input.splice(at..at, many);
            }
            4 => {
                let edge = *self.pick(EDGES);
                input.splice(at..at, edge.iter().copied());
            }
            5 => {
                // Some of another seed, here.
                let other = self.pick(seeds);
                let part = other[self.range(other.len())].to_vec();
                input.splice(at..at, part);
            }
            6 => {
                let other = self.pick(seeds);
                input.truncate(at);
                input.extend_from_slice(&other[self.below(other.len() + 1)..]);
            }
            _ => {
                let part = input[self.range(input.len())].to_vec();
                let end = (at + part.len()).min(input.len());
                input.splice(at..end, part);
            }
        }
    }
}

#[test]
fn no_text_makes_the_reader_of_tokens_panic() {
    replay("compact", compact::compact);
}

#[test]
fn no_text_makes_the_reader_of_queries_panic() {
    replay("query", query::query);
}

#[test]
fn no_bytes_make_the_reader_of_batches_panic() {
    replay("batch", batch::batch);
}

#[test]
fn no_fetch_xml_gets_anything_but_an_answer_of_dataverse() {
    replay("fetch", fetch::fetch);
}

#[test]
fn no_address_is_accepted_that_leads_elsewhere() {
    replay("address", address::address);
}

#[test]
fn no_bytes_make_the_reader_of_config_files_panic() {
    replay("artefact", artefact::artefact);
}

#[test]
fn no_bytes_make_the_reader_of_federation_metadata_panic() {
    replay("metadata", metadata::metadata);
}

#[test]
fn no_text_opens_as_a_sealed_value_but_where_it_was_sealed() {
    replay("sealed", sealed::sealed);
}

#[test]
fn no_bytes_make_the_xml_room_panic() {
    replay("xml", xml::xml);
}

#[test]
fn no_form_gets_anything_but_an_answer_of_entra() {
    replay("token_form", token_form::token_form);
}

#[test]
fn no_patch_makes_a_document_panic_or_grow_beyond_its_budgets() {
    replay("patch", patch::patch);
}

#[test]
fn no_text_makes_the_reader_of_pages_panic() {
    replay("page", page::page);
}

#[test]
fn no_text_makes_the_reader_of_yaml_panic() {
    replay("scenario", scenario::scenario);
}

#[test]
fn every_corpus_has_a_target_and_every_target_a_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz");
    let names = |directory: &str| {
        let entries = fs::read_dir(fuzz.join(directory)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let targets = [
        "address",
        "artefact",
        "batch",
        "compact",
        "fetch",
        "metadata",
        "page",
        "patch",
        "query",
        "scenario",
        "sealed",
        "token_form",
        "xml",
    ];
    for directory in ["fuzz_targets", "entries", "corpus"] {
        assert_eq!(names(directory), targets, "fuzz/{directory}");
    }
}
