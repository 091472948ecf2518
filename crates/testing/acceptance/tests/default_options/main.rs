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
mod table;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use mocktenant_acceptance::clients_page::{self, Outcome};
use mocktenant_acceptance::programs::Program;
use mocktenant_acceptance::{binary, tools, trials};

use crate::flows::Flow;
use crate::table::{CLIENTS, Client};

/// A client and what came of its flows.
struct Row {
    client: &'static Client,
    program: OnceLock<Program>,
    page: clients_page::Row,
}

impl Row {
    fn new(client: &'static Client) -> Self {
        let Client { name, pin, language, file, flows, .. } = client;
        let version = pin.version(&folder().join(file));
        let flows = flows.iter().map(Flow::name).collect();
        let page =
            clients_page::Row::new(name, version, *language, &format!("default_options/{file}"), flows);
        Self { client, program: OnceLock::new(), page }
    }

    fn judge(&self, flow: usize) {
        let Client { does, flows, language, file, .. } = self.client;
        let program = self.program.get_or_init(|| language.program(&folder().join(file)));
        let said = flows::judge(*does, program, &flows[flow]);
        self.page.note(flow, Outcome::Ran(said));
    }
}

fn folder() -> PathBuf {
    tools::clients().join("default_options")
}

fn trials(row: &Arc<Row>) -> Vec<Trial> {
    let here = row.client.language.is_here();
    let flows = row.client.flows.iter().enumerate();
    flows
        .map(|(number, flow)| {
            let name = format!("{}::{}", trials::plain(row.client.name), trials::plain(flow.name()));
            if let Err(missing) = &here {
                row.page.note(number, Outcome::Missing(missing.why.clone()));
                return trials::skipped(&name, missing);
            }
            let row = Arc::clone(row);
            Trial::test(name, move || {
                row.judge(number);
                Ok(())
            })
        })
        .collect()
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
    let arguments = Arguments::from_args();
    let rows: Vec<Arc<Row>> = CLIENTS.iter().map(|client| Arc::new(Row::new(client))).collect();
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
    trials::run(&arguments, all, "the_page_about_clients_says_what_came_of_this_run", move || {
        // Whatever was run is looked up there, also one flow alone.
        rows.iter().any(|row| row.page.has_run()).then(|| page::is_written(&rows))
    })
}
