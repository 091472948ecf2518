//! Judges of signed metadata that are not ours: xmlsec1, signxml for Python, .NET's `SignedXml`.
//!
//! Decides how each is asked about files, once it was told whom to trust. The programs of `clients/signatures` are what a
//! consumer of metadata has, and know nothing of a lab.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use mocktenant_keys::Certificate;

use crate::binary::must;
use crate::tools;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor";

/// One of them.
#[derive(Debug)]
pub enum Judge {
    /// Asked about one file at a time.
    Xmlsec1(PathBuf),
    /// A program of `clients/signatures`, with what runs it.
    Program(Vec<OsString>),
}

/// Says which judge there is on this machine, or why not.
pub type Find = fn() -> Result<Judge, String>;

/// xmlsec1.
pub fn xmlsec1() -> Result<Judge, String> {
    tools::find("xmlsec1").map(Judge::Xmlsec1)
}

/// signxml for Python.
pub fn signxml() -> Result<Judge, String> {
    tools::python().map(|python| Judge::Program(vec![python.into(), program("signxml_python.py").into()]))
}

/// `SignedXml` of .NET, compiled.
pub fn signed_xml() -> Result<Judge, String> {
    let dotnet = tools::find_csharp()?;
    Ok(Judge::Program(tools::compiled_csharp(&dotnet, &program("signed_xml.cs"))))
}

fn program(name: &str) -> PathBuf {
    tools::clients().join("signatures").join(name)
}

impl Judge {
    /// Which of these files it takes as metadata of this issuer, signed with the key of this certificate.
    ///
    /// # Panics
    /// If it does not judge at all, or takes one as somebody else's.
    pub fn takes(&self, trusted: &Certificate, issuer: &str, files: &[PathBuf]) -> Vec<bool> {
        let scratch = must(tempfile::tempdir(), "a scratch directory");
        let certificate = scratch.path().join("certificate.pem");
        must(std::fs::write(&certificate, trusted.pem()), "a scratch file");
        match self {
            Self::Xmlsec1(program) => {
                let takes = |file| {
                    let mut command = Command::new(program);
                    command.args(["--verify", "--id-attr:ID", METADATA, "--pubkey-cert-pem"]);
                    tools::output(command.arg(&certificate).arg(file)).status.success()
                };
                files.iter().map(takes).collect()
            }
            Self::Program(line) => judged(line, &certificate, issuer, files),
        }
    }
}

/// What a program says of files that it is told of on its standard input.
fn judged(program: &[OsString], certificate: &Path, issuer: &str, files: &[PathBuf]) -> Vec<bool> {
    let list = certificate.with_file_name("list");
    let lines: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    must(std::fs::write(&list, lines.join("\n")), "a scratch file");
    let Some((first, rest)) = program.split_first() else { return Vec::new() };
    let mut command = Command::new(first);
    command.args(rest).arg(certificate).stdin(must(std::fs::File::open(list), "a scratch file"));
    let output = tools::output(&mut command);
    assert!(output.status.success(), "{}", tools::said(&output));
    let accepted = format!("accepted {issuer}");
    let verdict = |line: &str| {
        assert!(line == accepted || line.starts_with("refused: "), "{issuer}: {line}");
        line == accepted
    };
    let verdicts: Vec<_> = String::from_utf8_lossy(&output.stdout).lines().map(verdict).collect();
    assert_eq!(verdicts.len(), files.len(), "{}", tools::said(&output));
    verdicts
}
