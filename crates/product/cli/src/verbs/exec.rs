//! `exec`: runs a command with a lab of its own, which the command finds under Microsoft's own names.
//!
//! Decides that the lab is ready before the command starts and gone after it, what the command is told (in
//! [`crate::client_variables`]), and that nothing of ours goes to stdout: that is the command's. Its exit code is the
//! command's; if that is a failure, every call that was refused is told with its cause, on stderr.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use mocktenant_lab::journal::Record;
use mocktenant_server::{Options, Ports, Running};
use tokio::process::{Child, Command};

use crate::args::{Common, Exec};
use crate::client_variables::{Inherited, TAKEN_AWAY, variables};
use crate::console;
use crate::exchange_line::ExchangeLine;
use crate::failure::{Exit, Failure, Outcome};
use crate::find_lab::needed_state_directory;
use crate::screen::Screen;
use crate::signals::Signals;
use crate::verbs::serve::{cannot_start, default_world, last_lines};
use crate::{huge_pages, journal_file};

/// What the command left open is not waited for.
const GRACE: Duration = Duration::from_millis(200);
/// So many refusals are told; the rest is counted.
const TOLD: usize = 20;
/// What a shell says of a command that cannot be run, and of one that is not there.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Exits with the command's code.
pub(crate) async fn run(common: &Common, exec: Exec) -> Outcome {
    let journal_file = exec.journal_file.as_deref().map(journal_file::open).transpose()?;
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new(Exit::Unreachable, "cannot listen for signals").because(&error))?;
    let token = common
        .control_token
        .clone()
        .filter(|token| !token.is_empty())
        .unwrap_or_else(mocktenant_server::control_token);
    let options = Options {
        ports: Ports::Free,
        scenario: exec.scenario.clone().filter(|scenario| !scenario.is_empty()),
        control_token: Some(token.clone()),
        ..Options::new(default_world()?, needed_state_directory(common)?)
    };
    let running = tokio::select! {
        running = mocktenant_server::start(options) => running.map_err(|error| cannot_start(&error))?,
        // The command never ran: whoever reads the code must not take it for a success.
        signal = signals.which() => return Ok(signal.exit_code()),
    };
    let writers: Vec<_> = journal_file
        .map(|file| journal_file::write(file, running.lab().journal()))
        .transpose()?
        .into_iter()
        .collect();
    // What a start does is no call of the command's.
    let before = running.lab().journal().records().last().map(|record| record.sequence);
    let outcome = match start(&exec, &running, &token) {
        Ok(child) => wait(child, &mut signals).await,
        Err(error) => {
            running.stop(GRACE).await;
            last_lines(&writers).await;
            let name =
                exec.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            console::failure(&Failure::new(Exit::Usage, format!("cannot run {name}")).because(&error));
            return Ok(if missing { NOT_FOUND } else { CANNOT_RUN });
        }
    };
    let code = outcome
        .map(code_of)
        .map_err(|error| Failure::new(Exit::Unreachable, "cannot wait for the command").because(&error));
    if !matches!(code, Ok(0)) {
        tell(&running, before).await;
    }
    running.stop(GRACE).await;
    last_lines(&writers).await;
    code
}

/// Starts the command with what it has to know.
fn start(exec: &Exec, running: &Running, token: &str) -> std::io::Result<Child> {
    let settings = running.settings();
    let Some((program, arguments)) = exec.command.split_first() else {
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    for name in TAKEN_AWAY {
        command.env_remove(name);
    }
    // A lab that the command starts for itself is another one.
    for name in ["MOCKTENANT_SCENARIO", "MOCKTENANT_CREDENTIAL", "MOCKTENANT_JOURNAL_FILE"] {
        command.env_remove(name);
    }
    command.envs(variables(&settings, exec.credential, &Inherited::of_this_process()));
    command.env("MOCKTENANT_SETTINGS", running.directory().join("settings.json"));
    // The tools speak http as well: nothing has to be trusted for `mocktenant set`.
    command.env("MOCKTENANT_URL", &settings.proxy_url).env("MOCKTENANT_CONTROL_TOKEN", token);
    huge_pages::as_before();
    command.kill_on_drop(true).spawn()
}

/// Waits for the command. A signal is passed on, unless a terminal has sent it to the command as well.
async fn wait(mut child: Child, signals: &mut Signals) -> std::io::Result<ExitStatus> {
    loop {
        tokio::select! {
            biased;
            status = child.wait() => return status,
            signal = signals.which() => signal.pass_on(child.id()),
        }
    }
}

/// As a shell gives it: 128 and the signal that ended it.
fn code_of(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(1);
    // A code that does not fit is a failure all the same.
    u8::try_from(code).unwrap_or(1)
}

/// What was refused since, with its cause.
async fn tell(running: &Running, before: Option<u64>) {
    let lab = running.lab();
    let screen = Screen::of_stderr();
    let records = lab.journal().records();
    // The journal is bounded: what was first may be gone.
    let since = records.iter().filter(|record| Some(record.sequence) > before);
    let refused: Vec<_> = since.filter(|record| Record::is_refusal(record)).collect();
    if !refused.is_empty() {
        console::note("mocktenant: what was refused meanwhile:");
    }
    for record in refused.iter().take(TOLD) {
        let explanation = mocktenant_diagnosis::explain(lab, &record.id).await;
        let cause = explanation.and_then(|explanation| explanation.cause).map(|cause| cause.to_line());
        console::aside(&ExchangeLine::of(record).with_cause(cause).to_text(screen));
    }
    if refused.len() > TOLD {
        console::note(&format!("... and {} more refusals", refused.len() - TOLD));
    }
}
