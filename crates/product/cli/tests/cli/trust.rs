//! `trust`: what is said, and the root of a machine put in and taken out again, in a mount namespace of its own.

use std::process::Command;

use crate::served::{Served, code, command_in, text};

#[test]
fn every_client_has_a_line_to_paste_that_says_what_it_does_to_the_roots() {
    let state = tempfile::tempdir().unwrap();
    let told = text(&command_in(state.path()).arg("trust").output().unwrap().stdout);
    for variable in
        ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "JAVA_TOOL_OPTIONS"]
    {
        let line = told.lines().find(|line| line.trim_start().starts_with(&format!("export {variable}=")));
        let value =
            line.and_then(|line| line.split_once('=')).unwrap_or_else(|| panic!("{variable}: {told}")).1;
        let file = value.split("trustStore=").last().unwrap().split(' ').next().unwrap();
        assert!(std::path::Path::new(file).is_file(), "{variable}: {file}");
    }
    assert!(told.contains("Node.js  (adds)") && told.contains("curl  (replaces)"), "{told}");
}

#[test]
fn nobody_is_given_a_root_unasked() {
    let state = tempfile::tempdir().unwrap();
    let asked = command_in(state.path()).args(["trust", "--install"]).output().unwrap();
    assert_ne!(code(&asked), 0);
    assert!(!std::path::Path::new("/usr/local/share/ca-certificates/mocktenant.crt").exists());
    assert_eq!(code(&command_in(state.path()).args(["trust", "--install", "--remove"]).output().unwrap()), 2);
}

/// Debian's own tool, on a copy of this machine's roots that nobody else sees.
#[test]
fn a_debian_machine_trusts_the_local_root_until_it_is_taken_out() {
    let script = r#"
        set -e
        mount -t tmpfs none /usr/local/share/ca-certificates
        cp -a /etc/ssl/certs "$STATE/certs"
        mount --bind "$STATE/certs" /etc/ssl/certs
        update-ca-certificates --fresh >/dev/null 2>&1
        ask() { curl -sS --noproxy '*' "$1/common/discovery/instance" -o /dev/null 2>&1 | head -n 1; }
        answer=$(ask "$URL"); echo "${answer:-trusted}"
        "$MOCKTENANT" trust --install --yes
        answer=$(ask "$URL"); echo "${answer:-trusted}"
        # Never the root that speaks for Microsoft.
        answer=$(curl -sS --noproxy '*' --connect-to "::$AT" https://login.microsoftonline.com/ -o /dev/null 2>&1 | head -n 1); echo "${answer:-trusted}"
        "$MOCKTENANT" trust --remove --yes
        answer=$(ask "$URL"); echo "${answer:-trusted}"
        "$MOCKTENANT" trust --remove --yes
    "#;
    let mut able = Command::new("unshare");
    able.args(["-m", "sh", "-c", "mount -t tmpfs none /mnt && command -v update-ca-certificates curl"]);
    if !able.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no mounts of one's own here, or not Debian");
        return;
    }
    let lab = Served::new(&[]);
    let url = lab.settings()["entra"]["base_url"].as_str().unwrap().to_owned();
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).env("URL", &url).env("AT", url.trim_start_matches("https://"));
    command.env("STATE", lab.state.path()).env("MOCKTENANT_STATE", lab.state.path());
    command.env("MOCKTENANT", env!("CARGO_BIN_EXE_mocktenant"));
    for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(code(&output), 0, "{said}{}", text(&output.stderr));
    let parts: Vec<&str> = said.lines().collect();
    let refused: Vec<bool> = parts.iter().map(|line| line.starts_with("curl: (60)")).collect();
    assert_eq!(refused, [true, false, false, true, false, true, false], "{said}");
    assert_eq!((parts[2], parts[1].contains("trusts the lab now")), ("trusted", true), "{said}");
    assert!(parts[6].contains("nothing to take out"), "{said}");
}
