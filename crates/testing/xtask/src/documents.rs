//! The generated documents: which there are, where they are kept, which of them are stale.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use mocktenant_world::World;

use crate::pages::{checks, control, errors, scenarios, settings};

const README: &str = "README.md";
const TABLE_BEGIN: &str = "<!-- scenarios: written by `cargo xtask generate` -->";
const TABLE_END: &str = "<!-- end of scenarios -->";

/// One generated document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Path below the repository's root, with forward slashes.
    pub path: &'static str,
    /// Its whole text.
    pub text: String,
}

/// Why documents could not be made or compared.
#[derive(Debug)]
pub enum GenerateError {
    /// The default world does not compile.
    World(String),
    /// The default world's chain does not run healthily.
    Chain(String),
    /// A file could not be read or written.
    File(PathBuf, io::Error),
}

impl std::fmt::Display for GenerateError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::World(why) => write!(formatter, "the default world does not compile: {why}"),
            Self::Chain(why) => write!(formatter, "the default world's chain: {why}"),
            Self::File(path, why) => write!(formatter, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for GenerateError {}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Every document as the code would have it now.
pub fn all() -> Result<Vec<Document>, GenerateError> {
    let world = World::contoso().map_err(|error| GenerateError::World(error.to_string()))?;
    let world = Arc::new(world);
    Ok(vec![
        Document { path: "docs/reference/errors.md", text: errors::page(&world) },
        Document { path: "docs/reference/checks.md", text: checks::page(&world)? },
        Document { path: "docs/reference/control.md", text: control::page() },
        Document { path: "docs/reference/scenarios.md", text: scenarios::page() },
        Document { path: "docs/reference/settings.md", text: settings::page(&world) },
        Document { path: README, text: readme()? },
    ])
}

/// The README with its generated table; the rest is a person's.
fn readme() -> Result<String, GenerateError> {
    let path = root().join(README);
    let text = fs::read_to_string(&path).map_err(|why| GenerateError::File(path.clone(), why))?;
    let parts = text.split_once(TABLE_BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(TABLE_END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| {
        GenerateError::File(path, io::Error::other("the marks of the scenarios' table are gone"))
    })?;
    Ok(format!("{before}{TABLE_BEGIN}\n{}{TABLE_END}{after}", scenarios::table()))
}

/// Writes every document.
pub fn write() -> Result<Vec<Document>, GenerateError> {
    let documents = all()?;
    for document in &documents {
        let path = root().join(document.path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|why| GenerateError::File(directory.to_owned(), why))?;
        }
        fs::write(&path, &document.text).map_err(|why| GenerateError::File(path, why))?;
    }
    Ok(documents)
}

/// Paths of the documents that are not what the code would write; a missing one is stale.
pub fn stale() -> Result<Vec<&'static str>, GenerateError> {
    let mut stale = Vec::new();
    for document in all()? {
        let path = root().join(document.path);
        // A checkout may have turned line ends; the words are what counts.
        let same = match fs::read_to_string(&path) {
            Ok(text) => text.lines().eq(document.text.lines()),
            Err(why) if why.kind() == io::ErrorKind::NotFound => false,
            Err(why) => return Err(GenerateError::File(path, why)),
        };
        if !same {
            stale.push(document.path);
        }
    }
    Ok(stale)
}
