//! The version of a client, read from where it is pinned.
//!
//! Decides nothing: a version that is not found is a mistake in the table.

use std::path::Path;

use crate::binary::must;
use crate::tools;

/// Where a version is pinned, and by which name.
#[derive(Clone, Copy, Debug)]
pub enum Pin {
    /// `python/requirements.txt`.
    Requirement(&'static str),
    /// `node/package-lock.json`.
    NodePackage(&'static str),
    /// `go.mod` of the program.
    GoModule(&'static str),
    /// `java/pom.xml`.
    Artifact(&'static str),
    /// The `#:package` line of the program.
    Package(&'static str),
    /// `Cargo.lock` of the program.
    Crate(&'static str),
    /// Not at all: it is what the machine has.
    Machine,
}

impl Pin {
    /// The version, by a program of that file.
    ///
    /// # Panics
    /// If nothing is pinned there by that name.
    pub fn version(&self, program: &Path) -> String {
        let read = |path: &Path| must(std::fs::read_to_string(path), &path.display().to_string());
        let shared = |path: &str| read(&tools::clients().join(path));
        match self {
            Self::Requirement(name) => after(&shared("python/requirements.txt"), &format!("{name}=="), "\n"),
            Self::NodePackage(name) => {
                let lock = serde_json::from_str::<serde_json::Value>(&shared("node/package-lock.json"));
                let version =
                    must(lock, "package-lock.json")["packages"][format!("node_modules/{name}")]["version"]
                        .as_str()
                        .map(str::to_owned);
                version.unwrap_or_else(|| panic!("no {name} is pinned in package-lock.json"))
            }
            Self::GoModule(name) => after(&read(&program.join("go.mod")), &format!("{name} v"), "\n"),
            Self::Artifact(name) => {
                let named = format!("<artifactId>{name}</artifactId>");
                let pom = shared("java/pom.xml");
                after(pom.split_once(&named).map_or("", |(_, rest)| rest), "<version>", "</version>")
            }
            Self::Package(name) => after(&read(program), &format!("#:package {name}@"), "\n"),
            Self::Crate(name) => {
                let lock = read(&program.join("Cargo.lock"));
                after(&lock, &format!("name = \"{name}\"\nversion = \""), "\"")
            }
            Self::Machine => String::from("the machine's"),
        }
    }
}

/// What stands between those two.
fn after(text: &str, before: &str, end: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("nothing is pinned as {before:?}"));
    rest.split(end).next().unwrap_or_default().trim().to_owned()
}
