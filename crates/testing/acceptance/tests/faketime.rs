//! The binary that ships, on a machine whose clock goes on for years or steps while it runs (libfaketime).
//!
//! Moves the clock by the file that libfaketime reads the time from at every call. Without the library, or with a
//! statically linked binary, there is one line that says so; `MOCKTENANT_REQUIRE_CLIENTS=1` makes that a failure.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::tools::{self, or_skip, output, said};
use serde_json::Value;

/// libfaketime, or why it cannot be used.
fn library() -> Option<PathBuf> {
    let found = ["x86_64-linux-gnu", "aarch64-linux-gnu", "."].into_iter().find_map(|architecture| {
        let path = Path::new("/usr/lib").join(architecture).join("faketime/libfaketimeMT.so.1");
        path.is_file().then_some(path)
    });
    let why = match &found {
        None => "libfaketime is not on this machine (package libfaketime)",
        Some(_) if !is_dynamic(&binary::built()) => {
            "the binary is linked statically, so its clock cannot be moved"
        }
        Some(_) => return found,
    };
    assert!(!tools::are_required(), "{why}, and MOCKTENANT_REQUIRE_CLIENTS is set");
    #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
    {
        eprintln!("skipped: {why}");
    }
    None
}

/// Whether an ELF file names an interpreter: what is preloaded is loaded by one.
fn is_dynamic(binary: &Path) -> bool {
    let mut head = Vec::new();
    fs::File::open(binary).unwrap().take(4096).read_to_end(&mut head).unwrap();
    head.windows(4).any(|bytes| bytes == b"/ld-")
}

/// A clock that programs are started under.
struct Clock {
    library: PathBuf,
    file: tempfile::NamedTempFile,
}

impl Clock {
    fn new(library: PathBuf) -> Self {
        let clock = Self { library, file: tempfile::NamedTempFile::new().unwrap() };
        clock.set("+0d");
        clock
    }

    /// A distance (`+31d`) or a moment (`@2038-06-01 12:00:00`), for everything that runs under this clock.
    fn set(&self, time: &str) {
        fs::write(self.file.path(), format!("{time}\n")).unwrap();
    }

    fn on<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.file.path())
            .env("FAKETIME_NO_CACHE", "1")
            // Timers go on as they do when somebody sets the clock of a machine, and files keep their times.
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
    }
}

/// A lab under a clock, asked by curl under the same clock.
struct Aged {
    lab: Serve,
    clock: Clock,
    curl: PathBuf,
}

impl Aged {
    fn curl(&self, roots: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.curl);
        command.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--cacert", roots]);
        output(self.clock.on(command.args(arguments)))
    }

    fn json(&self, when: &str, roots: &str, arguments: &[&str]) -> Value {
        let output = self.curl(roots, arguments);
        assert!(output.status.success(), "{when}: {arguments:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// A token, a customer, and the account that the AOS writes to Dataverse because of it, all over https.
    fn is_healthy(&self, when: &str, account: &str) {
        let settings: Value =
            serde_json::from_slice(&fs::read(self.lab.state().join("settings.json")).unwrap()).unwrap();
        let text = |pointer: &str| settings.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let (local, bundle) = (text("/ca_pem"), text("/ca_bundle_pem"));
        assert_eq!(fs::read_to_string(&local).unwrap(), text("/ca_pem_text"), "{when}");

        let health = self.json(when, &local, &[&format!("{}/health", text("/control_url"))]);
        assert_eq!(
            (&health["status"], &health["ca"]["status"]),
            (&"ok".into(), &"ok".into()),
            "{when}: {health}"
        );

        let token = |resource: &str| {
            let answer = self.json(
                when,
                &local,
                &[
                    &format!("{}/oauth2/v2.0/token", text("/entra/authority")),
                    "-d",
                    "grant_type=client_credentials",
                    "-d",
                    &format!("client_id={}", text("/entra/client_id")),
                    "-d",
                    &format!("client_secret={}", text("/entra/client_secret")),
                    "-d",
                    &format!("scope={resource}/.default"),
                ],
            );
            format!(
                "Authorization: Bearer {}",
                answer["access_token"].as_str().unwrap_or_else(|| panic!("{when}: {answer}"))
            )
        };
        let mut customer = settings["aos"]["onebox"]["sample_customer"].clone();
        customer["CustomerAccount"] = account.into();
        let made = self.json(
            when,
            &local,
            &[
                &format!("{}/data/CustomersV3", text("/aos/onebox/url")),
                "-H",
                &token(&text("/aos/onebox/resource")),
                "-H",
                "Content-Type: application/json",
                "-d",
                &customer.to_string(),
            ],
        );
        assert_eq!(made["CustomerAccount"], account, "{when}: {made}");

        // The account is there, by Dataverse's real name, for whoever trusts the bundle.
        let url = text("/dataverse/url");
        let port = url.rsplit_once(':').unwrap().1.to_owned();
        let found = self.json(
            when,
            &bundle,
            &[
                "--resolve",
                &format!("contoso.crm4.dynamics.com:{port}:127.0.0.1"),
                &format!("https://contoso.crm4.dynamics.com:{port}/api/data/v9.2/accounts?$filter=accountnumber%20eq%20'{account}'"),
                "-H",
                &token(&text("/dataverse/resource")),
            ],
        );
        assert_eq!(found["value"].as_array().map(Vec::len), Some(1), "{when}: {found}");
    }
}

fn aged() -> Option<Aged> {
    let (curl, library) = (or_skip("curl")?, library()?);
    let clock = Clock::new(library);
    let mut command = binary::command_of(&binary::built());
    clock.on(&mut command);
    Some(Aged { lab: Serve::start_with(command), clock, curl })
}

#[test]
fn a_lab_is_healthy_after_a_month_a_year_a_step_back_and_in_2038_2050_and_2079() {
    let Some(aged) = aged() else { return };
    aged.is_healthy("at the start", "FT-000");
    for (number, time) in [
        "+31d",
        "+400d",
        "-365d",
        "@2038-01-19 03:14:00",
        "@2050-01-01 12:00:00",
        "@2079-06-01 12:00:00",
        "+0d",
    ]
    .into_iter()
    .enumerate()
    {
        aged.clock.set(time);
        renewed(&aged, time);
        if time == "+400d" {
            // What fetches metadata and begins again.
            for path in ["/v1/environments/onebox/restart", "/v1/reset"] {
                let url = format!("{}{path}", aged.lab.setting("/control_url"));
                let roots = aged.lab.state().join("ca.pem");
                let arguments = ["-X", "POST", "-H", "Content-Type: application/json", &url];
                aged.json(time, roots.to_str().unwrap(), &arguments);
            }
        }
        aged.is_healthy(time, &format!("FT-{:03}", number + 1));
    }
}

/// Waits for what a client reads first to be of now: a second after the clock has moved, whoever asks.
fn renewed(aged: &Aged, when: &str) {
    let began = Instant::now();
    let mut check = Command::new(&aged.curl);
    check.args(["--silent", "--max-time", "5", "--noproxy", "*", "--output", "/dev/null", "--cacert"]);
    check.arg(aged.lab.state().join("ca.pem")).arg(format!("{}/health", aged.lab.setting("/control_url")));
    aged.clock.on(&mut check);
    while !check.status().unwrap().success() {
        assert!(began.elapsed() < Duration::from_secs(10), "{when}: nothing was renewed\n{}", aged.lab.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_lab_that_starts_in_2079_on_the_state_of_today_is_healthy() {
    let Some(aged) = aged() else { return };
    let state = aged.lab.state();
    let Aged { lab, clock, curl } = aged;
    let scratch = lab.kept();
    clock.set("@2079-06-01 12:00:00");
    let mut command = binary::command_of(&binary::built());
    clock.on(&mut command);
    let aged = Aged { lab: Serve::start_in(command, scratch), clock, curl };
    assert_eq!(aged.lab.state(), state);
    aged.is_healthy("in 2079", "FT-100");
    assert!(aged.lab.log().contains("a new local root certificate"), "{}", aged.lab.log());
}
