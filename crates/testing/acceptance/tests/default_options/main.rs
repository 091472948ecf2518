//! Unchanged clients under Microsoft's own names: what `mocktenant exec` is for. A row per client, a test per flow.
//!
//! Each program of `clients/default_options` knows nothing of a lab: the SDK's default options, the products' real names.
//! It works in a healthy world by every credential it can have, fails in a broken one, where the cause is told, and says
//! in its own words what a user gets wrong. After the run the first part of `docs/clients.md` has to be what was seen.
//!
//! What is not on this machine is one row each that says so.

#![expect(clippy::print_stderr, reason = "a skipped test says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod flows;
mod page;
mod pins;
mod programs;
mod table;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use mocktenant_acceptance::{binary, tools};

use crate::programs::{Missing, Program, folder};
use crate::table::{CLIENTS, Client};

/// What came of a flow.
#[derive(Clone)]
enum Outcome {
    /// It ran as it should; what was seen.
    Ran(String),
    /// It cannot be run here.
    Missing(String),
}

/// A client and what came of its flows.
struct Row {
    client: &'static Client,
    program: OnceLock<Program>,
    outcomes: Mutex<BTreeMap<usize, Outcome>>,
}

impl Row {
    fn version(&self) -> String {
        self.client.pin.version(&folder().join(self.client.file))
    }

    fn outcome(&self, flow: usize) -> Option<Outcome> {
        self.outcomes.lock().unwrap().get(&flow).cloned()
    }

    fn has_run(&self) -> bool {
        self.outcomes.lock().unwrap().values().any(|outcome| matches!(outcome, Outcome::Ran(_)))
    }

    fn note(&self, flow: usize, outcome: Outcome) {
        self.outcomes.lock().unwrap().insert(flow, outcome);
    }

    fn judge(&self, flow: usize) {
        let Client { does, flows, language, file, .. } = self.client;
        let program = self.program.get_or_init(|| language.program(file));
        let said = flows::judge(*does, program, &flows[flow]);
        self.note(flow, Outcome::Ran(said));
    }
}

/// Letters and digits of a name, and one line between them.
fn plain(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_").to_ascii_lowercase()
}

fn trials(row: &Arc<Row>) -> Vec<Trial> {
    let here = row.client.language.is_here();
    let flows = row.client.flows.iter().enumerate();
    flows
        .map(|(number, flow)| {
            let name = format!("{}::{}", plain(row.client.name), plain(flow.name()));
            if let Err(missing) = &here {
                row.note(number, Outcome::Missing(missing.why.clone()));
                return skipped(&name, missing);
            }
            let row = Arc::clone(row);
            Trial::test(name, move || {
                row.judge(number);
                Ok(())
            })
        })
        .collect()
}

/// A row that says why what it stands for is not run.
fn skipped(name: &str, missing: &Missing) -> Trial {
    let why = missing.why.clone();
    let is_failure = missing.is_required && tools::are_required();
    let run = move || Err(Failed::from(format!("{why}, and MOCKTENANT_REQUIRE_CLIENTS is set")));
    Trial::test(format!("{name}: skipped, {}", missing.why), run).with_ignored_flag(!is_failure)
}

fn what_settings_prints_for_powershell_is_dot_sourced() {
    let Some(pwsh) = tools::powershell() else { return };
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("variables.ps1");
    // Inside `exec` the settings are those of its lab.
    let script = format!(
        "& '{}' settings --format ps1 | Set-Content '{}'; . '{}'; & '{}'",
        binary::path().display(),
        file.display(),
        file.display(),
        folder().join("customer.ps1").display()
    );
    let line = [pwsh.as_ref(), "-NoProfile".as_ref(), "-Command".as_ref(), script.as_ref()];
    let run = flows::exec(state.path(), &["--credential", "none"], &line, &[]);
    assert_eq!((run.code, run.stdout.trim()), (0, "Forest Wholesales"), "{}", run.stderr);
}

/// No network but loopback: nothing of it could be reached from elsewhere, and nothing elsewhere is.
fn a_whole_run_needs_no_network() {
    let Some(python) = tools::there_or_skip(tools::python()) else { return };
    let alone = ["-rn", "sh", "-c", "ip link set lo up 2>/dev/null || ifconfig lo up; exec \"$@\"", "sh"];
    let able = Command::new("unshare").args(alone).arg("true").output();
    if !able.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no namespace of one's own here");
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(alone).arg(binary::path()).args(["exec", "--state"]).arg(state.path()).arg("--");
    command.arg(python).arg(folder().join("customer.py"));
    for name in ["NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    let run = binary::run(command, Duration::from_secs(60));
    assert_eq!((run.code, run.stdout.trim()), (0, "Forest Wholesales"), "{}", run.stderr);
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let new = |client| Arc::new(Row { client, program: OnceLock::new(), outcomes: Mutex::default() });
    let rows: Vec<Arc<Row>> = CLIENTS.iter().map(new).collect();
    let of_itself = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let mut all: Vec<Trial> = rows.iter().flat_map(trials).collect();
    all.push(of_itself(
        "what_settings_prints_for_powershell_is_dot_sourced",
        what_settings_prints_for_powershell_is_dot_sourced,
    ));
    all.push(of_itself("a_whole_run_needs_no_network", a_whole_run_needs_no_network));
    let ran = libtest_mimic::run(&arguments, all);
    // Only now it is known what came of everybody. Whatever was run is looked up there, also one flow alone.
    if rows.iter().any(|row| row.has_run()) {
        arguments.filter = None;
        arguments.skip.clear();
    }
    let page = Trial::test("the_page_about_clients_says_what_came_of_this_run", move || {
        page::is_written(&rows);
        Ok(())
    });
    let written = libtest_mimic::run(&arguments, vec![page]);
    if ran.has_failed() || written.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
