//! PFX files and PEM bundles as openssl and Python's cryptography read and write them.

#![expect(clippy::unwrap_used, reason = "a test's own preparations may fail loudly")]
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use std::path::Path;
use std::process::{Command, Output};

use mocktenant_keys::{Identity, PfxError, read_pfx, shipped, write_pfx};

/// Prints the thumbprint of each file's certificate, once its key is known to fit.
const SCRIPT: &str = r#"
import sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
for name, password in (("empty.pfx", b""), ("secret.pfx", b"secret")):
    key, certificate, _ = pkcs12.load_key_and_certificates(open(name, "rb").read(), password)
    assert key.private_numbers().public_numbers == certificate.public_key().public_numbers()
    print(certificate.fingerprint(hashes.SHA1()).hex().upper())
bundle = open("bundle.pem", "rb").read()
key = serialization.load_pem_private_key(bundle, None)
certificate = x509.load_pem_x509_certificate(bundle)
assert key.private_numbers().public_numbers == certificate.public_key().public_numbers()
print(certificate.fingerprint(hashes.SHA1()).hex().upper())
"#;

/// Whether `program` answers; a skip is printed, and is a failure where clients are required.
fn there_is(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !there {
        assert!(
            std::env::var("MOCKTENANT_REQUIRE_CLIENTS").as_deref() != Ok("1"),
            "{program} {arguments:?} is required and does not work"
        );
        println!("skipped: {program} {arguments:?} does not work");
    }
    there
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn openssl(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).current_dir(directory).output().unwrap()
}

#[test]
fn openssl_reads_a_written_pfx_with_an_empty_and_with_a_given_password() {
    if !there_is("openssl", &["version"]) {
        return;
    }
    let identity = shipped::sample_client();
    let directory = tempfile::tempdir().unwrap();
    for password in ["", "secret"] {
        std::fs::write(directory.path().join("a.pfx"), write_pfx(identity, password).unwrap()).unwrap();
        let given = format!("pass:{password}");
        let printed =
            succeeded(&openssl(directory.path(), &["pkcs12", "-in", "a.pfx", "-passin", &given, "-nodes"]));
        let read = Identity::from_pems(&printed, &printed).unwrap();
        assert_eq!(read.certificate(), identity.certificate());
        let refused =
            openssl(directory.path(), &["pkcs12", "-in", "a.pfx", "-passin", "pass:wrong", "-nodes"]);
        assert!(!refused.status.success());
    }
}

#[test]
fn a_pfx_openssl_wrote_is_read_modern_and_legacy() {
    if !there_is("openssl", &["version"]) {
        return;
    }
    let identity = shipped::onebox_s2s();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.pem"), identity.certificate_pem_bundle()).unwrap();
    let old = ["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
    let modern = ["-certpbe", "AES-256-CBC", "-keypbe", "AES-256-CBC", "-macalg", "sha256"];
    for (password, algorithms) in [("", modern), ("secret", modern), ("secret", old)] {
        let given = format!("pass:{password}");
        let mut arguments = vec!["pkcs12", "-export", "-in", "a.pem", "-out", "a.pfx", "-passout", &given];
        arguments.extend(algorithms);
        succeeded(&openssl(directory.path(), &arguments));
        let bytes = std::fs::read(directory.path().join("a.pfx")).unwrap();
        let read = read_pfx(&bytes, password).unwrap();
        assert_eq!(read.certificate(), identity.certificate(), "{password} {algorithms:?}");
        assert_eq!(read_pfx(&bytes, "wrong").unwrap_err(), PfxError::Password);
    }
}

#[test]
fn pythons_cryptography_reads_a_written_pfx_and_a_pem_bundle() {
    if !there_is("python3", &["-c", "import cryptography"]) {
        return;
    }
    let identity = shipped::sample_client();
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("empty.pfx", write_pfx(identity, "").unwrap()),
        ("secret.pfx", write_pfx(identity, "secret").unwrap()),
        ("bundle.pem", identity.certificate_pem_bundle().into_bytes()),
    ] {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    let output = Command::new("python3").args(["-c", SCRIPT]).current_dir(directory.path()).output().unwrap();
    let thumbprint = identity.certificate().thumbprint().to_string();
    assert_eq!(succeeded(&output).lines().collect::<Vec<_>>(), [&thumbprint; 3]);
}
