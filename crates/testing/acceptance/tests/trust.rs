//! Trust from outside: curl verifies what a lab serves, under local and under world names, and openssl refuses what its
//! issuing CA must never have signed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mocktenant_acceptance::binary::port_of;
use mocktenant_acceptance::tools::{or_skip, output, said};
use mocktenant_keys::{Branch, CaFiles, LabCa, Leaf, LeafPurpose};
use mocktenant_testkit::Lab;
use serde_json::Value;

fn curl(program: &Path, lab: &Lab, arguments: &[&str]) -> Output {
    curl_with(program, lab.settings().ca_bundle_pem.as_deref().unwrap(), arguments)
}

fn curl_with(program: &Path, roots: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--cacert"]);
    output(command.arg(roots).args(arguments))
}

fn document(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn curl_verifies_the_discovery_document_under_localhost_and_under_the_real_name() {
    let Some(program) = or_skip("curl") else { return };
    let lab = Lab::start().await;
    let entra = &lab.settings().entra;
    let port = port_of(&entra.base_url);
    let path = format!("{}/v2.0/.well-known/openid-configuration", entra.tenant_id);

    let local = document(&curl(&program, &lab, &[&format!("https://localhost:{port}/{path}")]));
    assert_eq!(local["issuer"], format!("{}/v2.0", entra.authority));

    let resolve = format!("login.microsoftonline.com:{port}:127.0.0.1");
    let url = format!("https://login.microsoftonline.com:{port}/{path}");
    let real = document(&curl(&program, &lab, &["--resolve", &resolve, &url]));
    assert_eq!(real["issuer"], format!("https://login.microsoftonline.com/{}/v2.0", entra.tenant_id));
}

#[tokio::test]
async fn whoever_trusts_ca_pem_takes_nobody_for_microsoft() {
    let Some(program) = or_skip("curl") else { return };
    let lab = Lab::start().await;
    let settings = lab.settings();
    let port = port_of(&settings.entra.base_url);
    let resolve = format!("login.microsoftonline.com:{port}:127.0.0.1");
    let (local, real) =
        (format!("https://localhost:{port}/"), format!("https://login.microsoftonline.com:{port}/"));
    let code =
        |roots: &Path, url: &str| curl_with(&program, roots, &["--resolve", &resolve, url]).status.code();
    // 60 is curl's code for an unknown issuer.
    assert_eq!((code(&settings.ca_pem, &local), code(&settings.ca_pem, &real)), (Some(0), Some(60)));
    let real_names = settings.ca_real_names_pem.as_deref().unwrap();
    assert_eq!((code(real_names, &local), code(real_names, &real)), (Some(60), Some(0)));
}

#[tokio::test]
async fn curl_verifies_every_entrance_by_address_and_by_world_name_and_speaks_http_and_http2() {
    let Some(program) = or_skip("curl") else { return };
    let lab = Lab::start().await;
    let settings = lab.settings();
    let entrances = [
        (&settings.entra.base_url, "login.windows.net"),
        (&settings.aos["onebox"].url, "usnconeboxax1aos.cloud.onebox.dynamics.com"),
        (&settings.dataverse.url, "contoso.crm4.dynamics.com"),
        (&settings.dataverse.url, "contoso.api.crm4.dynamics.com"),
    ];
    for (url, name) in entrances {
        let port = port_of(url);
        let resolve = format!("{name}:{port}:127.0.0.1");
        let by_name = format!("https://{name}:{port}/");
        for arguments in [
            vec![format!("https://127.0.0.1:{port}/")],
            vec![format!("https://localhost:{port}/"), "--http1.1".into()],
            vec![format!("http://localhost:{port}/")],
            vec!["--resolve".into(), resolve.clone(), by_name.clone()],
        ] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = curl(&program, &lab, &arguments);
            assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        }
        // A name that resolves here but is none of this world gets no certificate.
        let stranger = format!("--resolve=evil.example:{port}:127.0.0.1");
        let stranger = stranger.split_once('=').unwrap().1.to_owned();
        let output =
            curl(&program, &lab, &["--resolve", &stranger, &format!("https://evil.example:{port}/")]);
        assert!(!output.status.success(), "evil.example was served");
    }
}

#[tokio::test]
async fn nobody_trusts_a_lab_without_its_own_roots() {
    let Some(program) = or_skip("curl") else { return };
    let lab = Lab::start().await;
    let other = Lab::start().await;
    let output = curl(&program, &other, &[&lab.settings().entra.authority]);
    assert_eq!(output.status.code(), Some(60), "curl's code for an unknown issuer: {}", said(&output));
}

/// The lab's own CA, read from its state directory as the lab saved it.
fn saved_ca(state: &Path) -> LabCa {
    let bundle = std::fs::read_to_string(state.join("ca-keys.pem")).unwrap();
    LabCa::from_files(&CaFiles::from_bundle(&bundle).unwrap()).unwrap()
}

struct Verifier {
    openssl: PathBuf,
    scratch: tempfile::TempDir,
}

impl Verifier {
    fn verify(&self, roots: &Path, leaf: &Leaf, more: &[&str]) -> Output {
        let armour = |der: &[u8]| pem::encode(&pem::Pem::new("CERTIFICATE", der));
        let (leaf_file, issuing_file) =
            (self.scratch.path().join("leaf.pem"), self.scratch.path().join("issuing.pem"));
        std::fs::write(&leaf_file, armour(&leaf.chain_der[0])).unwrap();
        std::fs::write(&issuing_file, armour(&leaf.chain_der[1])).unwrap();
        let mut command = Command::new(&self.openssl);
        command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(roots);
        output(command.args(more).arg("-untrusted").arg(issuing_file).arg(leaf_file))
    }
}

#[tokio::test]
async fn openssl_refuses_what_the_issuing_ca_must_never_sign() {
    let Some(openssl) = or_skip("openssl") else { return };
    let state = tempfile::tempdir().unwrap();
    let lab = Lab::builder().state(state.path()).start().await;
    let scratch = tempfile::tempdir().unwrap();
    let roots = scratch.path().join("roots.pem");
    std::fs::write(&roots, lab.settings().ca_pem_text.clone() + &lab.settings().ca_real_names_pem_text)
        .unwrap();
    let ca = saved_ca(state.path());
    let now = mocktenant_lab::real_now();
    let verifier = Verifier { openssl, scratch: tempfile::tempdir().unwrap() };

    // What it may sign, openssl accepts: the refusals below are not for another reason.
    for host in ["localhost", "127.0.0.1", "::1", "anything.test", "login.microsoftonline.com"] {
        let leaf = ca.leaf(host, now).unwrap();
        let output = verifier.verify(&roots, &leaf, &["-purpose", "sslserver"]);
        assert!(output.status.success(), "{host}: {}", said(&output));
    }

    let local = [
        "evil.example",
        "www.microsoft.com",
        "login.microsoftonline.com",
        "localhost.evil.example",
        "evillocalhost",
        "8.8.8.8",
        "10.0.0.1",
        "192.168.1.1",
        "fd00::1",
        "2001:db8::1",
    ];
    let real = [
        "evil.example",
        "localhost",
        "www.microsoft.com",
        "microsoftonline.com",
        "evil.dynamics.com",
        "127.0.0.1",
        "8.8.8.8",
        "::1",
    ];
    let outside = local
        .iter()
        .map(|host| (Branch::Local, *host))
        .chain(real.iter().map(|host| (Branch::RealNames, *host)));
    for (branch, host) in outside {
        let leaf = ca.leaf_unchecked(branch, &[host], LeafPurpose::ServerAuth, now).unwrap();
        let output = verifier.verify(&roots, &leaf, &["-purpose", "sslserver"]);
        assert!(!output.status.success(), "{branch}: {host} was accepted");
        let why = said(&output);
        assert!(why.contains("subtree"), "{branch}: {host}: {why}");
    }

    // A good name beside a bad one does not help.
    let mixed = ca
        .leaf_unchecked(Branch::Local, &["localhost", "evil.example"], LeafPurpose::ServerAuth, now)
        .unwrap();
    assert!(!verifier.verify(&roots, &mixed, &["-purpose", "sslserver"]).status.success());

    // Nor may it sign for anything but servers.
    let client = ca.leaf_unchecked(Branch::Local, &["localhost"], LeafPurpose::ClientAuth, now).unwrap();
    let output = verifier.verify(&roots, &client, &["-purpose", "sslclient"]);
    assert!(!output.status.success(), "a client certificate was accepted: {}", said(&output));
}
