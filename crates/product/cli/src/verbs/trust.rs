//! `trust`: how a client comes to trust the lab, and the root of this machine, put in and taken out again.
//!
//! Decides for each client which variable names its roots, and whether that *adds* to those it has or *replaces* them: who
//! replaces them with one root alone can reach nothing else. A machine is only ever given the `local` root, which speaks for
//! no name of Microsoft's; nobody is given it unasked. Which variable does what was measured with the clients
//! themselves or stands in their own documentation.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use mocktenant_server::Settings;

use crate::args::Common;
use crate::console::{self, quoted};
use crate::failure::{Exit, Failure, Outcome};
use crate::screen::{Paint, Screen};
use crate::verbs::settings::document;

/// `trust`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
ca.pem is a root for localhost, reserved and declared names: a machine may trust it.
ca-bundle.pem holds it, a root for the world's Microsoft names, and the system's: that is for
one program. `mocktenant exec -- COMMAND` sets every variable for one command.

Examples:
  mocktenant trust                              what to set, client by client
  mocktenant trust --install                    let this machine trust ca.pem; asks before it does
  mocktenant trust --remove                     take it out again")]
pub(crate) struct Trust {
    /// Let this machine trust the local root
    #[arg(long, conflicts_with = "remove")]
    install: bool,

    /// Take it out again
    #[arg(long)]
    remove: bool,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What a variable does to the roots a client has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Adds,
    Replaces,
    /// There is no variable.
    System,
}

impl Effect {
    fn word(self) -> &'static str {
        match self {
            Self::Adds => "adds",
            Self::Replaces => "replaces",
            Self::System => "system",
        }
    }
}

/// A client, what it is told with, and what a person has to know of that.
struct Row {
    client: &'static str,
    effect: Effect,
    variable: &'static str,
    note: &'static str,
}

const ROWS: [Row; 9] = [
    Row {
        client: "curl",
        effect: Effect::Replaces,
        variable: "CURL_CA_BUNDLE",
        note: "where curl was built with Windows' or macOS' own TLS, it asks the system instead",
    },
    Row {
        client: "Python: requests, msal, azure-identity",
        effect: Effect::Replaces,
        variable: "REQUESTS_CA_BUNDLE",
        note: "it wins over what a program says itself (msal's verify=)",
    },
    Row {
        client: "Node.js",
        effect: Effect::Adds,
        variable: "NODE_EXTRA_CA_CERTS",
        note: "read when the process starts",
    },
    Row {
        client: "OpenSSL, Go on Linux, Ruby, PHP, Rust with native roots",
        effect: Effect::Replaces,
        variable: "SSL_CERT_FILE",
        note: "Go on macOS and Windows asks the system alone",
    },
    Row {
        client: ".NET and PowerShell on Linux",
        effect: Effect::Replaces,
        variable: "SSL_CERT_FILE",
        note: "read when the process starts; on Windows and macOS the system alone is asked",
    },
    Row { client: "git", effect: Effect::Replaces, variable: "GIT_SSL_CAINFO", note: "" },
    Row { client: "Deno", effect: Effect::Adds, variable: "DENO_CERT", note: "" },
    Row {
        client: "Java",
        effect: Effect::Replaces,
        variable: "JAVA_TOOL_OPTIONS",
        note: "the store holds the system's roots too, so that Maven still finds its repository",
    },
    Row {
        client: "browsers; .NET, Go and PowerShell on Windows and macOS",
        effect: Effect::System,
        variable: "",
        note: "mocktenant trust --install; Firefox has a store of its own",
    },
];

/// Exits 0 if it was said or done, 1 if the machine would not have it.
pub(crate) async fn run(common: &Common, trust: Trust) -> Outcome {
    let settings = Settings::read(&document(common).await?)
        .map_err(|error| Failure::new(Exit::Finding, "the lab's settings cannot be read").because(&error))?;
    if trust.install || trust.remove {
        return machine(&settings.ca_pem, &trust);
    }
    console::line(&told(&settings, Screen::of_stdout()))?;
    Ok(0)
}

/// One paste line for each client.
fn told(settings: &Settings, screen: Screen) -> String {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let bundle = settings.ca_bundle_pem.as_deref().map(path).unwrap_or_default();
    let mut text = String::from(
        "one line for each client; `mocktenant exec -- COMMAND` sets them all for one command\n\n",
    );
    // Writing to a String cannot fail.
    for Row { client, effect, variable, note } in ROWS {
        text.push_str(&screen.paint(Paint::Strong, client));
        let _ = writeln!(text, "  ({})", effect.word());
        let value = match (variable, &settings.truststore_p12) {
            ("", _) => None,
            ("JAVA_TOOL_OPTIONS", Some(store)) => {
                let store = store.to_string_lossy();
                let password = &settings.truststore_password;
                let options = format!(
                    "-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={password}"
                );
                Some(quoted(&options))
            }
            ("JAVA_TOOL_OPTIONS", None) => None,
            _ => Some(bundle.clone()),
        };
        if let Some(value) = value {
            let set = if cfg!(windows) {
                format!("$env:{variable} = {value}")
            } else {
                format!("export {variable}={value}")
            };
            let _ = writeln!(text, "  {set}");
        }
        if !note.is_empty() {
            text.push_str(&screen.wrapped("  ", "  ", note));
            text.push('\n');
        }
    }
    let effects = "adds: the client keeps its own roots. replaces: it has these alone, which is why the file holds the \
                   system's too.";
    text.push('\n');
    text.push_str(&screen.wrapped("", "", effects));
    let _ = write!(text, "\nthe root a machine may trust: {}", path(&settings.ca_pem));
    text
}

/// Where Debian and its descendants keep what an administrator adds, and what takes it up.
const DEBIAN: &str = "/usr/local/share/ca-certificates";
const DEBIAN_FILE: &str = "mocktenant.crt";
const DEBIAN_UPDATE: &str = "update-ca-certificates";

/// The system's own store.
fn machine(ca: &Path, trust: &Trust) -> Outcome {
    let debian = Path::new(DEBIAN).is_dir() && on_path(DEBIAN_UPDATE).is_some();
    if !debian {
        console::line(&elsewhere(ca, trust.install))?;
        return Ok(1);
    }
    let file = Path::new(DEBIAN).join(DEBIAN_FILE);
    if !trust.install && !file.exists() {
        console::line("this machine does not trust a lab: there is nothing to take out")?;
        return Ok(0);
    }
    let what = if trust.install {
        format!(
            "Let every program of this machine trust {} (localhost, reserved and declared names)?",
            ca.display()
        )
    } else {
        format!("Take {} out?", file.display())
    };
    if !trust.yes && !agreed(&what)? {
        console::line("nothing was changed")?;
        return Ok(1);
    }
    let done = if trust.install { std::fs::copy(ca, &file).map(|_| ()) } else { std::fs::remove_file(&file) };
    let updated = done.and_then(|()| {
        let flags: &[&str] = if trust.install { &[] } else { &["--fresh"] };
        let output = Command::new(DEBIAN_UPDATE).args(flags).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(std::io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    });
    updated.map_err(|error| {
        let failure = Failure::new(Exit::Finding, "this machine's roots were not changed").because(&error);
        failure.hint(format!("as root: {}", debian_commands(ca, trust.install)))
    })?;
    console::line(if trust.install {
        "this machine trusts the lab now; back: mocktenant trust --remove"
    } else {
        "this machine does not trust the lab any more"
    })?;
    Ok(0)
}

fn debian_commands(ca: &Path, install: bool) -> String {
    let ca = quoted(&ca.to_string_lossy());
    if install {
        format!("cp {ca} {DEBIAN}/{DEBIAN_FILE} && {DEBIAN_UPDATE}")
    } else {
        format!("rm {DEBIAN}/{DEBIAN_FILE} && {DEBIAN_UPDATE} --fresh")
    }
}

/// What a person does on systems where this program does not do it itself.
fn elsewhere(ca: &Path, install: bool) -> String {
    let ca = quoted(&ca.to_string_lossy());
    let commands = if install {
        [
            (
                "Fedora, RHEL",
                format!(
                    "sudo cp {ca} /etc/pki/ca-trust/source/anchors/mocktenant.pem && sudo update-ca-trust"
                ),
            ),
            (
                "macOS",
                format!(
                    "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {ca}"
                ),
            ),
            ("Windows", format!("certutil -user -addstore Root {ca}")),
        ]
    } else {
        [
            (
                "Fedora, RHEL",
                String::from(
                    "sudo rm /etc/pki/ca-trust/source/anchors/mocktenant.pem && sudo update-ca-trust",
                ),
            ),
            ("macOS", format!("security remove-trusted-cert {ca}")),
            ("Windows", String::from("certutil -user -delstore Root mocktenant")),
        ]
    };
    let lines = commands.iter().map(|(system, command)| format!("{system}:\n  {command}"));
    let intro =
        "this is done by hand on this system (none of these is run by this project's tests):".to_owned();
    std::iter::once(intro).chain(lines).collect::<Vec<_>>().join("\n")
}

/// A question that only a person answers.
fn agreed(question: &str) -> Result<bool, Failure> {
    let mut stdin = std::io::stdin().lock();
    if !stdin.is_terminal() {
        let failure = Failure::new(Exit::Usage, "nobody is there to agree");
        return Err(failure.hint("--yes does it without a question"));
    }
    let mut stderr = std::io::stderr().lock();
    // Without a stderr there is nobody to ask.
    let _ = write!(stderr, "{question} [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    stdin.read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&paths).chain(usual).map(|folder| folder.join(name)).find(|file| file.is_file())
}
