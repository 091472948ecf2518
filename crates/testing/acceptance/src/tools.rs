//! Tools of the machine that judge from outside: curl, openssl, xmlsec1, Python and Node with the real
//! clients.
//!
//! Decides where they are, and that a test which needs a missing one says so and is skipped, unless
//! `MOCKTENANT_REQUIRE_CLIENTS` asks for a failure. Never installs anything.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::binary::must;

/// Whether a missing tool is a failure, as in continuous integration.
pub fn are_required() -> bool {
    std::env::var_os("MOCKTENANT_REQUIRE_CLIENTS").is_some_and(|value| !value.is_empty() && value != "0")
}

/// A program on the path, or why it cannot be used.
pub fn find(name: &str) -> Result<PathBuf, String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&paths)
        .map(|directory| directory.join(&file))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} is not on this machine"))
}

/// The folder of the real clients.
pub fn clients() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// The folder that `clients/install` set up for a language from the pins in that file, or why there is none.
pub fn installed(language: &str, pins: &str) -> Result<PathBuf, String> {
    let folder = clients().join(".clients").join(language);
    let pinned = must(std::fs::read_to_string(clients().join(pins)), pins);
    let installed = std::fs::read_to_string(folder.join("installed")).unwrap_or_default();
    if installed.is_empty() {
        Err(format!("the {language} clients are not installed; run: just clients"))
    } else if !installed.contains(pinned.trim_end()) {
        Err(format!("the {language} clients are not those of {pins}; run: just clients"))
    } else {
        Ok(folder)
    }
}

/// The Python that `clients/install` set up, or why there is none.
pub fn python() -> Result<PathBuf, String> {
    let folder = installed("python", "python/requirements.txt")?;
    Ok(folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" }))
}

/// Node and the packages that `clients/install` set up, or why there are none.
pub fn node() -> Result<(PathBuf, PathBuf), String> {
    let program = find("node")?;
    Ok((program, installed("node", "node/package-lock.json")?.join("node_modules")))
}

/// A program on the path; without it the test prints why it is skipped and gets nothing.
///
/// # Panics
/// If it is missing where it is required.
pub fn or_skip(name: &str) -> Option<PathBuf> {
    there_or_skip(find(name))
}

/// The same for anything that may not be there.
///
/// # Panics
/// If it is missing where it is required.
pub fn there_or_skip<T>(found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) if are_required() => panic!("{why}, and MOCKTENANT_REQUIRE_CLIENTS is set"),
        Err(why) => skip(&why),
    }
}

/// The same where nobody requires it: a toolchain that a continuous integration need not have.
pub fn optional(name: &str) -> Option<PathBuf> {
    find(name).map_or_else(|why| skip(&why), Some)
}

/// What compiles and runs a file-based C# program: `dotnet`, else the runner of a .NET that lies beside the repository.
pub fn csharp() -> Option<PathBuf> {
    find_csharp().map_or_else(|why| skip(&why), Some)
}

/// The same, or why there is none.
pub fn find_csharp() -> Result<PathBuf, String> {
    find("dotnet").or_else(|why| beside("run-csharp", why))
}

/// The command of a C# program, which is compiled here, before anything waits for it.
///
/// # Panics
/// If it does not compile.
pub fn compiled_csharp(dotnet: &Path, source: &Path) -> Vec<OsString> {
    let runner = is_runner(dotnet);
    let output = output(Command::new(dotnet).arg(if runner { "--compile" } else { "build" }).arg(source));
    assert!(output.status.success(), "{}", said(&output));
    if runner {
        vec![dotnet.into(), source.into()]
    } else {
        vec![dotnet.into(), "run".into(), "--no-build".into(), source.into(), "--".into()]
    }
}

/// `pwsh`, else the runner of a PowerShell that lies there.
pub fn powershell() -> Option<PathBuf> {
    find_powershell().map_or_else(|why| skip(&why), Some)
}

/// The same, or why there is none.
pub fn find_powershell() -> Result<PathBuf, String> {
    find("pwsh").or_else(|why| beside("run-powershell", why))
}

/// Whether that is a runner: it takes the program and nothing else.
pub fn is_runner(program: &Path) -> bool {
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("run-"))
}

/// The folder with the libraries `Microsoft.IdentityModel.*` of .NET; `None` (and a line that says so) where there is none.
pub fn token_library() -> Option<PathBuf> {
    let why = "no Microsoft.IdentityModel is beside the repository".to_owned();
    beside("packages", why).map_or_else(|why| skip(&why), Some)
}

fn beside(name: &str, why: String) -> Result<PathBuf, String> {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/dotnet").join(name);
    runner.canonicalize().map_err(|_| why)
}

fn skip<T>(why: &str) -> Option<T> {
    #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
    {
        eprintln!("skipped: {why}");
    }
    None
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started.
pub fn output(command: &mut Command) -> Output {
    must(command.output(), &command.get_program().display().to_string())
}

/// Both outputs of a command as one text, for messages.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
