//! A flow of a program against a lab of its own.
//!
//! Decides what the program is told and what surrounds it: on localhost the lab's root and a proxy that reaches nobody, by
//! the world's name what `mocktenant exec` sets. Judges nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mocktenant_acceptance::programs::Program;
use mocktenant_acceptance::{binary, tools, trials};
use mocktenant_testkit::Lab;
use serde_json::Value;

use crate::Flow;
use crate::seen::Seen;

/// How AD FS is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the lab's address.
    Localhost,
    /// By the name it has in the world.
    Name,
}

/// Runs it.
pub(crate) fn seen(program: &Program, flow: &Flow) -> Seen {
    match flow.way {
        Way::Localhost => on_localhost(program, flow),
        Way::Name => by_name(program, flow),
    }
}

fn on_localhost(program: &Program, flow: &Flow) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lab = runtime.block_on(Lab::start());
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("settings.json");
    let settings = serde_json::to_value(lab.settings()).unwrap();
    std::fs::write(&file, settings.to_string()).unwrap();
    let mut command = Command::new(&program.line[0]);
    command.args(&program.line[1..]).arg(trials::plain(flow.name)).arg(&file);
    for name in ["REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"] {
        command.env(name, &lab.settings().ca_pem);
    }
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, "localhost");
    }
    for name in ["ALL_PROXY", "all_proxy", "SSL_CERT_DIR", "NODE_OPTIONS"] {
        command.env_remove(name);
    }
    with_person(&mut command);
    // Java reads no such variable.
    command.env("JAVA_TOOL_OPTIONS", "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9");
    let output = tools::output(&mut command);
    assert!(output.status.success(), "{}\n{}", tools::said(&output), lab.failure_report());
    let said = read(&output.stdout);
    let journal = lab.journal();
    let records = journal.records().iter().map(|record| serde_json::to_value(record.document()).unwrap());
    Seen { said, settings, records: records.collect() }
}

/// What a program calls that has to sign somebody in.
fn with_person(command: &mut Command) {
    if let Ok(python) = tools::python() {
        command.env("PYTHON", python);
        command.env("PERSON", Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/adfs/person.py"));
    }
}

fn by_name(program: &Program, flow: &Flow) -> Seen {
    let scratch = tempfile::tempdir().unwrap();
    let [state, settings, said, journal] =
        ["state", "settings.json", "said.json", "journal"].map(|name| scratch.path().join(name));
    // Told where AD FS is as its administrator would tell it, and nothing of the lab's address.
    let script = "\"$MOCKTENANT\" settings | sed 's#https://localhost:[0-9]*/adfs\"#https://ADFS.contoso.com/adfs\"#' \\
                  >\"$SETTINGS\"\n\"$@\" \"$SETTINGS\" >\"$SAID\"\n\
                  code=$?\n\"$MOCKTENANT\" journal --json >\"$JOURNAL\"\nexit $code";
    let mut command = binary::command();
    for name in ["NO_PROXY", "no_proxy", "JAVA_TOOL_OPTIONS", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    with_person(&mut command);
    command
        .env("MOCKTENANT", binary::path())
        .env("SETTINGS", &settings)
        .env("SAID", &said)
        .env("JOURNAL", &journal);
    command
        .args(["exec", "--credential", "none", "--state"])
        .arg(state)
        .args(["--", "sh", "-c", script, "sh"]);
    command.args(&program.line).arg(trials::plain(flow.name));
    let run = binary::run(command, Duration::from_secs(300));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let read_file = |path: &Path| std::fs::read(path).unwrap();
    let journal = String::from_utf8(read_file(&journal)).unwrap();
    let records = journal.lines().map(|line| read(line.as_bytes())).collect();
    Seen { said: read(&read_file(&said)), settings: read(&read_file(&settings)), records }
}

fn read(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)))
}
