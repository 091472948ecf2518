//! What a program is run as, what has to come of it, and what the page says of that.
//!
//! Decides what a run has to leave on the screen and in the lab's journal: which credential was taken, and that a token
//! that is there is not asked for again. What it says of a run is what was seen of it.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use mocktenant_acceptance::binary;
use mocktenant_acceptance::programs::Program;
use mocktenant_keys::{Identity, SelfSigned, Subject, Validity, shipped, write_pfx};
use serde_json::Value;
use tempfile::TempDir;
use time::macros::datetime;

use crate::table::Does;

/// What is done with a program.
pub(crate) enum Flow {
    /// It works, by that credential.
    By(&'static By),
    /// It fails in a world without its user in Dataverse, and the cause is told.
    MissingUser,
    /// It says in its own words what is refused.
    Errors(&'static [&'static Failing]),
}

impl Flow {
    /// As the page and the test's name have it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::By(way) => way.name,
            Self::MissingUser => "its user is missing",
            Self::Errors(_) => "errors",
        }
    }
}

/// A credential, and how a program comes to it.
pub(crate) struct By {
    name: &'static str,
    /// The flag of `exec`.
    credential: &'static str,
    /// What else is set, in the shell's words.
    before: &'static str,
    arguments: &'static [&'static str],
    /// What the journal calls it.
    is: &'static str,
    /// The certificate itself has to be sent too.
    chain: bool,
    /// What has to be in the address of each request for a token.
    asks_for: &'static str,
}

const PLAIN: By = By {
    name: "",
    credential: "secret",
    before: ":",
    arguments: &[],
    is: "secret",
    chain: false,
    asks_for: "",
};
const A_CERTIFICATE: By = By { credential: "certificate", is: "certificate", ..PLAIN };

pub(crate) const SECRET: By = By { name: "secret", ..PLAIN };
pub(crate) const ENVIRONMENT: By =
    By { name: "secret, EnvironmentCredential", arguments: &["EnvironmentCredential"], ..PLAIN };
pub(crate) const CERTIFICATE: By = By { name: "certificate", ..A_CERTIFICATE };
pub(crate) const CHAIN: By = By {
    name: "certificate, chain sent",
    before: "export AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true",
    chain: true,
    ..A_CERTIFICATE
};
pub(crate) const PFX: By = By {
    name: "certificate as PFX",
    before: "export AZURE_CLIENT_CERTIFICATE_PATH=\"${AZURE_CLIENT_CERTIFICATE_PATH%.pem}.pfx\"",
    ..A_CERTIFICATE
};
pub(crate) const PFX_CHAIN: By = By {
    name: "certificate as PFX, chain sent",
    before: "export AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true \
             AZURE_CLIENT_CERTIFICATE_PATH=\"${AZURE_CLIENT_CERTIFICATE_PATH%.pem}.pfx\"",
    chain: true,
    ..A_CERTIFICATE
};
/// One of the machine's identities that is named by its client id, as in Azure that is assigned to several machines.
pub(crate) const USER_ASSIGNED: By = By {
    name: "managed identity, user-assigned",
    before: "export AZURE_CLIENT_ID=c0117050-0000-4000-8000-00000000a001",
    asks_for: "client_id=c0117050-0000-4000-8000-00000000a001",
    ..MANAGED_IDENTITY
};
pub(crate) const MANAGED_IDENTITY: By =
    By { name: "managed identity", credential: "managed-identity", is: "managed identity", ..PLAIN };

/// What a user gets wrong, and what it is called.
pub(crate) struct Failing {
    /// In the shell's words; what [`keys`] has is in `KEYS`.
    set: &'static str,
    code: &'static str,
}

pub(crate) const WRONG_SECRET: Failing =
    Failing { set: "export AZURE_CLIENT_SECRET=wrong", code: "AADSTS7000215" };
pub(crate) const EXPIRED: Failing = Failing {
    set: "export AZURE_CLIENT_ID=c0117050-0000-4000-8000-00000000a003 \
          AZURE_CLIENT_SECRET=contoso-expired-secret-not-secret",
    code: "AADSTS7000222",
};
pub(crate) const NOBODY: Failing =
    Failing { set: "export AZURE_CLIENT_ID=c0117050-0000-4000-8000-0000000000ff", code: "AADSTS700016" };
pub(crate) const UNKNOWN_TENANT: Failing =
    Failing { set: "export AZURE_TENANT_ID=c0117050-0000-4000-8000-0000000000ff", code: "AADSTS90002" };
pub(crate) const UNKNOWN_RESOURCE: Failing =
    Failing { set: "export AOS=https://unknown.cloud.onebox.dynamics.com", code: "AADSTS500011" };
pub(crate) const FOREIGN: Failing = Failing {
    set: "unset AZURE_CLIENT_SECRET; export AZURE_CLIENT_CERTIFICATE_PATH=\"$KEYS/foreign.pem\"",
    code: "AADSTS700027",
};
pub(crate) const FOREIGN_PFX: Failing = Failing {
    set: "unset AZURE_CLIENT_SECRET; export AZURE_CLIENT_CERTIFICATE_PATH=\"$KEYS/foreign.pfx\"",
    code: "AADSTS700027",
};

/// A program in one flow; what the page says of it.
pub(crate) fn judge(does: Does, program: &Program, flow: &Flow) -> String {
    match flow {
        Flow::By(way) => works(does, program, way),
        Flow::MissingUser => is_told_the_cause(does, program),
        Flow::Errors(cases) => says_what_is_wrong(program, cases),
    }
}

/// `exec` of a command.
pub(crate) fn exec(state: &Path, flags: &[&str], line: &[&OsStr], also: &[(&str, &Path)]) -> binary::Run {
    let mut command = binary::command();
    for name in ["NO_PROXY", "no_proxy", "JAVA_TOOL_OPTIONS", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    command.envs(also.iter().copied());
    command.arg("exec").args(flags).arg("--state").arg(state).arg("--").args(line);
    binary::run(command, Duration::from_secs(300))
}

/// The program as words of a command.
fn words(program: &Program) -> Vec<&OsStr> {
    program.line.iter().map(AsRef::as_ref).collect()
}

fn shell(script: &str) -> [&OsStr; 4] {
    ["sh", "-c", script, "sh"].map(AsRef::as_ref)
}

fn works(does: Does, program: &Program, way: &By) -> String {
    let state = tempfile::tempdir().unwrap();
    let journal = state.path().join("journal");
    let script =
        format!("{}\n\"$@\"\ncode=$?\n\"$MOCKTENANT\" journal --json >\"$JOURNAL\"\nexit $code", way.before);
    let mut line = shell(&script).to_vec();
    line.extend(words(program));
    line.extend(way.arguments.iter().map(OsStr::new));
    let also: [(&str, &Path); 2] = [("MOCKTENANT", binary::path()), ("JOURNAL", &journal)];
    let run = exec(state.path(), &["--credential", way.credential], &line, &also);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let lines: Vec<&str> = run.stdout.lines().map(str::trim_end).collect();
    let journal = Journal::read(&journal);
    let (is_right, mut said) = match does {
        Does::Customer => (lines.last() == Some(&"Forest Wholesales"), journal.calls()),
        Does::Account => (lines.last() == Some(&"Forest Wholesales, Forest Retail, gone"), journal.calls()),
        Does::Token | Does::Tokens => {
            let kept = matches!(lines.as_slice(), [.., token, "cached"] if token.starts_with("eyJ"));
            let asked = if does == Does::Token { "asked once" } else { "asked fifty times at once" };
            (kept, format!("{asked}, then kept"))
        }
    };
    assert!(is_right, "{}{}", run.stdout, run.stderr);
    let most = match does {
        Does::Customer => 2,
        Does::Account | Does::Token => 1,
        Does::Tokens => 50,
    };
    let credentials = journal.credentials();
    assert!((1..=most).contains(&credentials.len()), "asked for {} tokens", credentials.len());
    // Whoever cannot read a certificate may go on as something else, and get a token all the same.
    assert!(credentials.iter().all(|credential| *credential == way.is), "{credentials:?}");
    let addresses = journal.tokens().map(|record| record["request"]["url"].as_str().unwrap());
    assert!(addresses.into_iter().all(|url| url.contains(way.asks_for)), "{:?}", journal.0);
    if way.is == "certificate" {
        let headers = journal.assertions();
        let sent = said_of(&headers[0]);
        assert!(headers.iter().all(|header| said_of(header) == sent), "{headers:?}");
        assert!(!way.chain || sent.ends_with("x5c"), "{headers:?}");
        let _ = write!(said, "; {sent}");
    }
    format!("works: {said}")
}

/// What a client assertion was signed with, and what names the certificate.
fn said_of(header: &Value) -> String {
    let names = ["x5t", "x5t#S256", "kid", "x5c"].into_iter().filter(|name| header.get(*name).is_some());
    let names: Vec<&str> = names.collect();
    format!("{}, {}", header["alg"].as_str().unwrap(), names.join(", "))
}

/// What the program itself asked of the lab.
struct Journal(Vec<Value>);

impl Journal {
    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        Self(records.filter(|record| record["parent"].is_null() && record["kind"] == "request").collect())
    }

    /// The requests that gave a token.
    fn tokens(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(|record| {
            matches!(record["endpoint"].as_str(), Some("token-v2" | "token" | "imds-token"))
                && record["answer"]["status"] == 200
        })
    }

    fn credentials(&self) -> Vec<&str> {
        let fact = |record: &'_ Value| -> Option<usize> {
            record["facts"].as_array()?.iter().position(|fact| fact["name"] == "credential")
        };
        self.tokens()
            .map(|record| fact(record).and_then(|at| record["facts"][at]["value"].as_str()).unwrap_or("none"))
            .collect()
    }

    /// How many calls the tokens were for.
    fn calls(&self) -> String {
        let is_call = |record: &&Value| matches!(record["surface"].as_str(), Some("aos" | "dataverse"));
        let (calls, tokens) = (self.0.iter().filter(is_call).count(), self.tokens().count());
        format!("{calls} calls, {tokens} token{}", if tokens == 1 { "" } else { "s" })
    }

    /// The headers of the client assertions.
    fn assertions(&self) -> Vec<Value> {
        let header = |record: &Value| -> Option<Value> {
            let body = record["request"]["body"].as_str()?;
            let (_, assertion) =
                form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "client_assertion")?;
            let header = assertion.split('.').next()?;
            let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).ok()?;
            serde_json::from_slice(&header).ok()
        };
        self.tokens().map(|record| header(record).unwrap_or_else(|| panic!("{record}"))).collect()
    }
}

fn is_told_the_cause(does: Does, program: &Program) -> String {
    let state = tempfile::tempdir().unwrap();
    // The user that is missing is that of the one-box's own application: who asks Dataverse himself asks as that one.
    let as_it = "unset AZURE_CLIENT_SECRET; export AZURE_CLIENT_ID=c0117050-0000-4000-8000-00000000a002 \
                 AZURE_CLIENT_CERTIFICATE_PATH=\"$KEYS/onebox.pem\"; \"$@\"";
    let (mut line, said) = match does {
        Does::Account => (shell(as_it).to_vec(), "as the one-box's application it fails"),
        _ => (Vec::new(), "fails"),
    };
    line.extend(words(program));
    let run = exec(state.path(), &["--scenario", "app-user-missing"], &line, &[("KEYS", keys())]);
    assert_ne!(run.code, 0, "{}", run.stdout);
    let told = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("cause: Power Platform admin center > Environments > Contoso > Settings")
            && told.contains("c0117050-0000-4000-8000-00000000a002 is missing (no such user)"),
        "{}",
        run.stderr
    );
    format!("{said}, and `exec` tells which user is missing and where it is made")
}

/// The errors a user meets most, as the client itself says them.
fn says_what_is_wrong(program: &Program, cases: &[&Failing]) -> String {
    let state = tempfile::tempdir().unwrap();
    let said = |number: usize| state.path().join(format!("said-{number}"));
    let mut script = String::new();
    for (number, case) in cases.iter().enumerate() {
        let _ = writeln!(script, "({}; \"$@\") >'{}' 2>&1", case.set, said(number).display());
    }
    // It ends well, so that nothing but the client's own words is anywhere.
    script.push_str("true");
    let mut line = shell(&script).to_vec();
    line.extend(words(program));
    let run = exec(state.path(), &[], &line, &[("KEYS", keys())]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let mut codes = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let text = std::fs::read_to_string(said(number)).unwrap();
        let flowing = text.replace(|character: char| character.is_whitespace(), "");
        // MSAL for Python asks for the tenant's document first, and says in its own words that there is none.
        let own_words =
            case.code == UNKNOWN_TENANT.code && flowing.contains("Unabletogetauthorityconfiguration");
        assert!(flowing.contains(case.code) || own_words, "{}: {text}", case.code);
        let how = if flowing.contains(case.code) { "" } else { " (in its own words)" };
        codes.push(format!("{}{how}", case.code));
    }
    codes.join(", ")
}

/// A folder with certificates that `exec` gives to nobody: one that no application has, as PEM and PFX, and the one-box's.
fn keys() -> &'static Path {
    static KEYS: OnceLock<TempDir> = OnceLock::new();
    let made = KEYS.get_or_init(|| {
        let onebox = shipped::onebox_s2s();
        let validity = Validity {
            not_before: datetime!(2024-01-01 0:00 UTC),
            not_after: datetime!(2090-01-01 0:00 UTC),
        };
        let subject = Subject::common_name("foreign");
        let certificate = SelfSigned { subject, validity, serial: &[1] }.issue(onebox.key()).unwrap();
        let foreign = Identity::new(certificate, onebox.key().clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        file("foreign.pem", foreign.certificate_pem_bundle().as_bytes());
        file("foreign.pfx", &write_pfx(&foreign, "").unwrap());
        file("onebox.pem", onebox.certificate_pem_bundle().as_bytes());
        folder
    });
    made.path()
}
