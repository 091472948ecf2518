//! `mocktenant-prove`: the long forms of the load and fault tests, and a while of fuzzing, one after another.
//!
//! Decides nothing; runs and reports. Everything is built first as this program was, every step is a process group of its own with
//! a limit, and all steps together have one: whatever is still to come then is said not to have been run. What goes on is
//! printed as it comes, and the lines that begin with `result:` are a table at the end. Exits 1 if a step failed or was
//! not run.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Of all steps together, the build aside.
const ALL: Duration = Duration::from_secs(30 * 60);
/// How long each fuzz target runs.
const FUZZ_SECONDS: u64 = 30;

const USAGE: &str = "\
usage: mocktenant-prove [--list] [WORD]
  --list  names the steps
  WORD    only the steps whose names have it";

/// The long tests, and what each may take at the most, in seconds.
const TESTS: [(&str, u64); 5] =
    [("chaos", 780), ("tables", 420), ("mixed", 540), ("starts", 420), ("dawdling", 420)];

struct Step {
    name: String,
    command: Command,
    limit: Duration,
}

/// What a step came to.
struct Outcome {
    name: String,
    took: Duration,
    /// Why it failed, if it did.
    failed: Option<String>,
    /// What was found and what was wanted, by name.
    results: Vec<String>,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool prints what it found")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, words): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with('-'));
    let lists = flags.iter().any(|flag| *flag == "--list");
    if flags.iter().any(|flag| *flag != "--list") || words.len() > 1 {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    let word = words.first().map_or("", |word| word.as_str());
    let steps = match build().and_then(|built| steps(&built)) {
        Ok(steps) => steps.into_iter().filter(|step| step.name.contains(word)),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    if lists {
        steps.for_each(|step| println!("{}", step.name));
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let outcomes: Vec<Outcome> = steps.map(|step| run(step, ALL.saturating_sub(began.elapsed()))).collect();
    println!("\n{:<60}{:<36}wanted", "", "found");
    for outcome in &outcomes {
        let verdict = if outcome.failed.is_some() { "FAILED" } else { "holds" };
        println!("{:<60}{verdict} after {:.0?}", outcome.name, outcome.took);
        for result in &outcome.results {
            let mut columns = result.split(" | ");
            let mut column = || columns.next().unwrap_or_default();
            println!("  {:<58}{:<36}{}", column(), column(), column());
        }
        for line in outcome.failed.iter().flat_map(|said| said.lines()) {
            println!("  ! {line}");
        }
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failed.is_some()).count();
    println!("{} of {} steps hold, {:.0?}", outcomes.len() - failed, outcomes.len(), began.elapsed());
    ExitCode::from(u8::from(failed > 0))
}

/// Builds as this program was built; the test executables by name.
fn build() -> Result<BTreeMap<String, PathBuf>, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
    let built = Command::new(&cargo).args(["build", "-p", "mocktenant-cli"]).args(profile).status()?;
    let tests = [
        "-p",
        "mocktenant-acceptance",
        "--test",
        "load_and_faults",
        "-p",
        "mocktenant-xtask",
        "--test",
        "corpus",
    ];
    let output = Command::new(&cargo)
        .args(["test", "--no-run", "--message-format=json-render-diagnostics"])
        .args(profile)
        .args(tests)
        .stderr(Stdio::inherit())
        .output()?;
    if !built.success() || !output.status.success() {
        return Err("the build failed".into());
    }
    let artefact = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let name = line.pointer("/target/name")?.as_str()?.to_owned();
        Some((name, PathBuf::from(line.get("executable")?.as_str()?)))
    };
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(artefact).collect())
}

fn steps(built: &BTreeMap<String, PathBuf>) -> Result<Vec<Step>, Failure> {
    let executable = |name: &str| built.get(name).ok_or_else(|| format!("no test {name} was built"));
    let tests = executable("load_and_faults")?;
    let mut steps = Vec::new();
    for (module, limit) in TESTS {
        let mut command = Command::new(tests);
        let flags = ["--nocapture", "--include-ignored", "--test-threads=1"];
        command.env("PROVE", "1").arg(format!("{module}::")).args(flags);
        steps.push(Step { name: module.to_owned(), command, limit: Duration::from_secs(limit) });
    }
    let mut command = Command::new(tests);
    command.env("PROVE", "1").args(["disk::", "--nocapture", "--include-ignored"]);
    steps.push(Step { name: String::from("disk"), command, limit: Duration::from_secs(120) });
    steps.extend(fuzz(executable("corpus")?)?);
    Ok(steps)
}

/// The fuzzer where it can be had, else the corpus test's own wanderings, which know nothing of coverage.
fn fuzz(corpus: &Path) -> Result<Vec<Step>, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize()?;
    let asked = Command::new("cargo").args(["+nightly", "fuzz", "--version"]).output();
    if !asked.is_ok_and(|output| output.status.success()) {
        let mut command = Command::new(corpus);
        command.args(["--nocapture", "--test-threads=2"]).env("FUZZ_SECONDS", FUZZ_SECONDS.to_string());
        command.current_dir(root.join("crates/testing/xtask"));
        return Ok(vec![Step { name: String::from("fuzz"), command, limit: Duration::from_secs(300) }]);
    }
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        targets.extend(entry?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    targets.sort();
    let step = |target: String| {
        let mut command = Command::new("cargo");
        // What is new goes aside: only a finding becomes a file of the corpus, by hand.
        let aside = root.join("fuzz/target/wandering").join(&target);
        let _ = std::fs::create_dir_all(&aside);
        command
            .args(["+nightly", "fuzz", "run", &target])
            .arg(aside)
            .arg(root.join("fuzz/corpus").join(&target));
        command.args(["--", &format!("-max_total_time={FUZZ_SECONDS}")]).current_dir(&root);
        // The first one builds.
        Step { name: format!("fuzz {target}"), command, limit: Duration::from_secs(FUZZ_SECONDS + 300) }
    };
    Ok(targets.into_iter().map(step).collect())
}

/// Runs a step to its end or its limit.
#[expect(clippy::print_stdout, reason = "what goes on is shown")]
fn run(mut step: Step, left: Duration) -> Outcome {
    let limit = step.limit.min(left);
    let began = Instant::now();
    let outcome =
        |failed, results| Outcome { name: step.name.clone(), took: began.elapsed(), failed, results };
    if limit.is_zero() {
        return outcome(Some(String::from("not run: the time is over")), Vec::new());
    }
    println!("\n== {} (at most {limit:.0?})", step.name);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut step.command, 0);
    let spawned = step.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return outcome(Some(error.to_string()), Vec::new()),
    };
    let lines = Arc::new(Mutex::new(Vec::new()));
    let outputs: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as _),
        child.stderr.take().map(|pipe| Box::new(pipe) as _),
    ];
    let readers = outputs.into_iter().flatten().map(|pipe| {
        let lines = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                println!("[{:>5.0?}] {line}", began.elapsed());
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if began.elapsed() <= limit => thread::sleep(Duration::from_millis(50)),
            _ => break None,
        }
    };
    // Labs and compilers of a step that is over end with it; mostly there are none.
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status();
    let _ = child.wait();
    for reader in readers {
        let _ = reader.join();
    }
    let lines = std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner));
    let results = lines.iter().filter_map(|line| found_in(line)).map(str::to_owned).collect();
    let failed = match status {
        None => Some(format!("ended after {limit:.0?}, its limit")),
        Some(status) if status.success() => None,
        Some(status) => Some(format!("{status}\n{}", panics(&lines))),
    };
    outcome(failed, results)
}

/// What a line says for the table; the harness may have begun it, and has a result of its own.
fn found_in(line: &str) -> Option<&str> {
    let (before, found) = line.split_once("result: ")?;
    (before != "test ").then_some(found)
}

/// What was said at the end of each test that failed: its place, and the first lines.
fn panics(lines: &[String]) -> String {
    let mut said = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.contains("panicked at") {
            let until = lines[at..]
                .iter()
                .position(|line| line.starts_with("stack backtrace") || line.starts_with("note:"));
            said.extend_from_slice(&lines[at..at + until.unwrap_or(6).min(12)]);
        }
    }
    said.join("\n")
}
