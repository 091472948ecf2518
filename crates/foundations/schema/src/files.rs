//! A surface's `tables/` as a constant: what its build script calls.
//!
//! Decides which files there are (every `*.yaml` in the directory, by name) and what is written where. A file that is no table,
//! or tables that do not hold together, are no build. Reads YAML with the reader it is handed, so that only builds depend on
//! one.

use std::path::Path;
use std::{env, fs};

use crate::compile::{Unset, Whose, compile};
use crate::definition::{ChoiceDefinitions, TableDefinition, TableDefinitions};
use crate::emit;
use crate::schema::Schema;

/// Where the files are.
const FOLDER: &str = "tables";

/// How a build script reads a document: text to a value, or why not.
pub struct Reader {
    /// Reads a table.
    pub table: fn(&str) -> Result<TableDefinition, String>,
    /// Reads named choices.
    pub choices: fn(&str) -> Result<ChoiceDefinitions, String>,
}

/// Compiles `tables/*.yaml` and `choices.yaml` of the crate that is built into `$OUT_DIR/schema.rs`, an expression.
///
/// What is wrong is said to cargo, and nothing is written.
#[expect(clippy::print_stdout, reason = "how a build script talks to cargo")]
pub fn build(reader: &Reader, unset: Unset) {
    println!("cargo::rerun-if-changed=tables");
    println!("cargo::rerun-if-changed=choices.yaml");
    match compiled(Path::new("."), reader, unset) {
        Ok(schema) => {
            let target = env::var_os("OUT_DIR").unwrap_or_default();
            if let Err(why) = fs::write(Path::new(&target).join("schema.rs"), emit::expression(&schema)) {
                println!("cargo::error=the target directory: {why}");
            }
        }
        Err(findings) => findings.iter().for_each(|why| println!("cargo::error={why}")),
    }
}

/// Compiles the files below a directory.
///
/// # Errors
/// What a person has to mend, with the file's name.
pub fn compiled(directory: &Path, reader: &Reader, unset: Unset) -> Result<Schema, Vec<String>> {
    let file =
        |path: &Path| fs::read_to_string(path).map_err(|why| vec![format!("{}: {why}", path.display())]);
    let mut choices = ChoiceDefinitions::new();
    let shared = directory.join("choices.yaml");
    if shared.exists() {
        choices = (reader.choices)(&file(&shared)?).map_err(|why| vec![format!("choices.yaml: {why}")])?;
    }
    let folder = directory.join(FOLDER);
    let listed = fs::read_dir(&folder).map_err(|why| vec![format!("{}: {why}", folder.display())])?;
    let mut paths: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let mut tables = TableDefinitions::new();
    for path in paths {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let table =
            (reader.table)(&file(&path)?).map_err(|why| vec![format!("tables/{name}.yaml: {why}")])?;
        tables.insert(name, table);
    }
    let schema = compile(&Schema::default(), &tables, &choices, (Whose::Product, unset));
    schema.map_err(|findings| findings.iter().map(|one| format!("tables{one}")).collect())
}
