//! The shape of the house: rooms stay small, and the map names every one of them.
//!
//! Decides the limits of design: a foundation crate under 4,000 lines, a file under 600 (tables of data aside), and that
//! `ARCHITECTURE.md` mentions every crate directory. Reads directories and counts lines, nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A foundation crate with more lines than this is a sign that a room is missing. Tests are not counted.
const CRATE_LINES: usize = 4_000;

/// The same for one file, tests included.
const FILE_LINES: usize = 600;

/// Files that may be longer, because they are tables of data: path below the repository, why.
const TABLES_OF_DATA: &[(&str, &str)] = &[];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(parent)
        .expect("a directory is listed")
        .map(|entry| entry.expect("a directory is listed").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// The crates: directories with a manifest, two levels below `crates/`.
fn crates() -> Vec<PathBuf> {
    let floors = directories(&root().join("crates"));
    let rooms = floors.iter().flat_map(|floor| directories(floor));
    rooms.filter(|room| room.join("Cargo.toml").is_file()).collect()
}

/// Every `.rs` file below `directory`.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("a directory is listed").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).lines().count()
}

fn below_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

#[test]
fn a_foundation_crate_stays_under_four_thousand_lines() {
    let large: BTreeSet<String> = crates()
        .iter()
        .filter(|room| below_root(room).starts_with("crates/foundations/"))
        .map(|room| (room, sources(&room.join("src")).iter().map(|file| lines(file)).sum::<usize>()))
        .filter(|(_, lines)| *lines > CRATE_LINES)
        .map(|(room, lines)| format!("{}: {lines} lines, a room is missing", below_root(room)))
        .collect();
    assert!(large.is_empty(), "{large:#?}");
}

#[test]
fn a_file_stays_under_six_hundred_lines() {
    let excused = |path: &str| TABLES_OF_DATA.iter().any(|(table, _)| *table == path);
    let long: BTreeSet<String> = crates()
        .iter()
        .flat_map(|room| sources(room))
        .map(|file| (below_root(&file), lines(&file)))
        .filter(|(path, lines)| *lines > FILE_LINES && !excused(path))
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_list_of_tables_of_data_names_only_long_files() {
    for (path, _) in TABLES_OF_DATA {
        assert!(lines(&root().join(path)) > FILE_LINES, "{path} needs no excuse any more");
    }
}

#[test]
fn the_map_in_architecture_names_every_crate() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let missing: BTreeSet<String> = crates()
        .iter()
        .filter(|room| {
            let name = room.file_name().unwrap().to_string_lossy();
            // A line of the map begins with the directory, indented.
            let entry = format!("{name}/");
            !map.lines().any(|line| line.starts_with(' ') && line.trim_start().starts_with(&entry))
        })
        .map(|room| below_root(room))
        .collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not show: {missing:#?}");
}

#[test]
fn the_map_in_architecture_names_no_crate_that_is_gone() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let known: BTreeSet<String> =
        crates().iter().map(|room| room.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let shown = map
        .lines()
        .filter(|line| line.starts_with("    "))
        .filter_map(|line| line.trim_start().split_once('/'));
    let gone: Vec<&str> = shown.map(|(name, _)| name).filter(|name| !known.contains(*name)).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md shows crates that are not there: {gone:?}");
}
