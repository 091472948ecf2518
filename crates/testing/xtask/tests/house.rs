//! The shape of the house: rooms stay small, and the map names every one of them.
//!
//! Decides the limits of design: a foundation crate under 4,000 lines, a file under 600 (tables of data aside), that
//! `ARCHITECTURE.md` mentions every crate directory, and that one file alone spells the pointers of the declaration. Reads
//! directories, counts lines and looks for words, nothing else.

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

/// Every `.rs` file below `directory`, but for what lies in hidden folders: that was fetched, and is nobody's here.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("a directory is listed").path();
            let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if path.is_dir() && !is_hidden {
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

/// The one file that spells pointers of the declaration.
const POINTERS: &str = "crates/foundations/declaration/src/pointers.rs";

/// Every text in quotes on a line, and what stands before it.
fn quoted(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let quotes: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
    let pairs: Vec<[usize; 2]> = quotes.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    pairs.into_iter().map(move |[start, end]| (&line[..start], &line[start + 1..end]))
}

/// The lines of a source file before its tests, without comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    code.enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a line of code makes a pointer of the declaration out of literal segments.
fn spells_a_pointer(line: &str, members: &BTreeSet<&str>) -> bool {
    // The segments stand on the lines below.
    if line.ends_with("Setting::of([") {
        return true;
    }
    quoted(line).any(|(before, text)| {
        let begins = ["/tenants", "/federation_services", "/environments", "/organizations", "/caller"];
        let whole = begins.iter().any(|member| {
            text.strip_prefix(member).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let before = before.trim_end();
        whole
            || before.ends_with(".join(") && (members.contains(text) || text == "-")
            || before.rfind("Setting::of([").is_some_and(|at| !before[at..].contains(']'))
    })
}

#[test]
fn one_file_spells_the_pointers_of_the_declaration() {
    let pointers = fs::read_to_string(root().join(POINTERS)).unwrap();
    let members: BTreeSet<&str> = code_lines(&pointers)
        .flat_map(|(_, line)| quoted(line))
        .map(|(_, text)| text)
        .filter(|text| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        })
        .collect();
    assert!(["applications", "SysFlighting", "host", "web_config"].iter().all(|name| members.contains(name)));
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("/tests.rs") || path == POINTERS;
    let mut spelt = Vec::new();
    for file in crates().iter().flat_map(|room| sources(&room.join("src"))) {
        let path = below_root(&file);
        if is_test(&path) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for (index, line) in code_lines(&text).filter(|(_, line)| spells_a_pointer(line, &members)) {
            spelt.push(format!("{path}:{}: {}", index + 1, line.trim()));
        }
    }
    assert!(spelt.is_empty(), "make these with mocktenant_world::pointers: {spelt:#?}");
}

#[test]
fn a_pointer_out_of_literal_segments_is_seen_however_it_is_spelt() {
    let members = BTreeSet::from(["host", "web_config"]);
    for line in [
        r#"environment.pointer.join("host")"#,
        r#"pointer.join("web_config").join(key)"#,
        r#"roles.join("-")"#,
        r#"Setting::of(["tenants", id])"#,
        "let setting = Setting::of([",
        r#"Setting::fixed("/caller/tenant")"#,
        r#"Setting::from_pointer(format!("/environments/{id}"))"#,
    ] {
        assert!(spells_a_pointer(line, &members), "{line}");
    }
    for line in [
        r#"names.join(", ")"#,
        r#"state.join("settings.json")"#,
        "pointers::environment(id).host()",
        r#"Setting::fixed("")"#,
        r#"["environments", id] => None"#,
        r#""/callers""#,
    ] {
        assert!(!spells_a_pointer(line, &members), "{line}");
    }
}
