//! The arrow test: which crate may name which, read from `cargo metadata`.
//!
//! Decides that arrows point down, that the four products never meet below `server`, and which third-party crates may
//! enter which room. Every allowed edge stands in a table with its reason; an edge off the table fails by name. Reads
//! manifests only, never source text.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write as _;
use std::path::Path;

use cargo_metadata::{DependencyKind, FeatureName, Metadata, MetadataCommand, Package, PackageId};

/// The floors from the ground up; directories below `crates/`.
const FLOORS: [&str; 5] = ["foundations", "engine", "surfaces", "product", "testing"];

/// Named by any floor above the foundations: the words in which the rest of the house speaks.
const VOCABULARY: [(&str, &str); 4] = [
    ("verdict", "checks, settings and catalogue rows: how every crate says accepted or refused"),
    ("keys", "thumbprints, certificates and keys: what both sides of every token hold"),
    ("world", "the compiled declaration: what every decision is made from"),
    (
        "scenario",
        "broken worlds by role: products say who plays what, and whoever tells or tests one walks its steps",
    ),
];

/// The allowed arrows beyond the vocabulary: from, to, why.
const ARROWS: &[(&str, &str, &str)] = &[
    // foundations
    ("token", "keys", "signs and verifies with keys parsed once"),
    ("token", "verdict", "its findings become checks"),
    ("federation", "keys", "signs metadata and reads certificates out of it"),
    ("federation", "xml", "metadata is XML, read and written"),
    ("artefacts", "xml", "config files are XML, read and edited in place"),
    ("artefacts", "keys", "a certificate store is made of certificates"),
    ("patch", "verdict", "an edit names a setting"),
    ("declaration", "patch", "is read as a document, and says what is wrong with a clock"),
    ("declaration", "schema", "a declared table has the shape of a surface's"),
    ("declaration", "verdict", "a pointer is a setting"),
    ("world", "declaration", "compiles it, and hands its words on"),
    ("world", "patch", "an edit of the world is one of its view"),
    ("world", "artefacts", "web.config and wif.config are part of the declaration"),
    ("world", "keys", "parses every key and certificate when the world is compiled"),
    ("world", "verdict", "a declared value is a setting"),
    ("world", "zones", "a declared time zone is one there is"),
    ("scenario", "world", "edits a world, and restores what it was"),
    ("scenario", "patch", "what breaks a world is edits"),
    ("scenario", "verdict", "a pointer with roles is a setting once they have names"),
    ("query", "schema", "a condition names columns and steps by their places"),
    ("odata", "query", "what is written becomes a question of no language"),
    ("odata", "sentences", "says what cannot be read, or bound"),
    ("odata", "schema", "names become columns, and types are checked"),
    // engine
    ("tables", "schema", "rows have the shape that is compiled"),
    ("tables", "query", "answers the questions"),
    ("lab", "tables", "one room for the rows of every product, by scope"),
    ("lab", "schema", "a scope's tables, shared with whoever reads"),
    ("lab", "xml", "writes an event as the XML that Windows has it in"),
    ("idp", "lab", "counts in the store, seals with the lab's key, goes by its resets"),
    ("idp", "token", "changes tokens to order: a defect is one of a JWT, whoever issued it"),
    ("diagnosis", "lab", "reads the journal and the world as it is now"),
    // surfaces
    ("entra", "lab", "implements Surface"),
    ("entra", "idp", "reads forms and secrets, writes JSON as any provider does"),
    ("entra", "token", "judges assertions, mints tokens"),
    ("entra", "federation", "writes and signs FederationMetadata.xml"),
    ("adfs", "lab", "implements Surface"),
    ("adfs", "idp", "reads forms and secrets, seals refresh tokens, counts wrong passwords, lays out pages"),
    ("adfs", "token", "judges assertions and access tokens, mints tokens"),
    ("adfs", "federation", "writes and signs FederationMetadata.xml"),
    ("aos", "lab", "implements Surface"),
    ("aos", "token", "judges bearer tokens, mints its own assertion"),
    ("aos", "federation", "reads the metadata it fetched"),
    ("aos", "idp", "the other end of a sign-in: cookies, sealed values, guarded forms, pages"),
    ("aos", "odata", "speaks the language"),
    ("aos", "batch", "reads and answers many requests in one"),
    ("aos", "query", "puts conditions of its own beside a client's"),
    ("aos", "schema", "its tables and entities are compiled from files"),
    ("aos", "tables", "holds the environment's rows"),
    ("dataverse", "lab", "implements Surface"),
    ("dataverse", "token", "judges bearer tokens"),
    ("dataverse", "odata", "speaks the language"),
    ("dataverse", "batch", "reads and answers many requests in one"),
    ("dataverse", "xml", "FetchXML is XML"),
    ("dataverse", "query", "puts conditions of its own beside a client's"),
    ("dataverse", "schema", "its tables and entities are compiled from files"),
    ("dataverse", "tables", "holds the organisation's rows"),
    // product
    ("control", "lab", "applies commands, shows journal and world"),
    ("control", "diagnosis", "explains"),
    ("control", "patch", "finds what a short name means"),
    ("server", "entra", "mounts it"),
    ("server", "adfs", "mounts it"),
    ("server", "aos", "mounts it"),
    ("server", "dataverse", "mounts it"),
    ("server", "lab", "puts one together"),
    ("server", "control", "mounts it on the tools port"),
    ("cli", "server", "runs a lab"),
    ("cli", "lab", "follows the journal of the lab it runs"),
    ("cli", "diagnosis", "tells a chain"),
];

/// Crates of the test wing, which may name every floor; nothing outside the wing may name them.
const TEST_WING: &str = "testing";

/// A third-party crate that only the named rooms may depend on (normal and build dependencies).
const ROOMS: &[(&[&str], &[&str], &str)] = &[
    (&["socket2"], &["server"], "only `server` has sockets; the command and the tests use its client"),
    (
        &["hyper", "hyper-util", "tokio-rustls"],
        &["server", "acceptance"],
        "only `server` speaks HTTP; the load test has a bare server to measure it beside",
    ),
    (&["axum"], &["control", "server"], "no framework answers for a surface"),
    (&["tower"], &["control", "server"], "middleware of the control API, and its mount"),
    (&["tower-http"], &["control"], "middleware of the control API only"),
    (&["rustls"], &["server", "acceptance"], "only `server` speaks TLS; the load test dials it"),
    (&["clap", "tracing-subscriber"], &["cli"], "only the command reads arguments and prints"),
    (
        &["rcgen", "rsa", "rand_chacha", "p12-keystore", "x509-parser"],
        &["keys"],
        "keys are made and read in one room",
    ),
    (
        &["aws-lc-rs"],
        &["keys", "federation", "lab", "acceptance"],
        "keys sign, federation digests, lab seeds; the bench compares",
    ),
    (&["quick-xml"], &["xml"], "one room reads every XML of the house"),
    (
        &["serde-saphyr"],
        &["patch", "aos", "dataverse", "world", "scenario"],
        "one room reads documents, and says where one is wrong; build scripts read what ships, which is JSON then",
    ),
    (
        &["rustix"],
        &["server", "cli"],
        "only those two ask the system whose a file is and how many may be open",
    ),
    (&["arc-swap"], &["lab"], "one home of the snapshot"),
    (&["jiff-core"], &["zones"], "one room knows what clocks show"),
];

/// Those of them that stay in their rooms in tests too.
const IN_TESTS_TOO: &[&str] = &["quick-xml"];

/// What no foundation may reach, not even through another crate (normal and build dependencies, all the way down).
const NOT_IN_FOUNDATIONS: &[&str] = &[
    "tokio",
    "axum",
    "hyper",
    "hyper-util",
    "http-body-util",
    "tower",
    "tokio-rustls",
    "rustls",
    "socket2",
    "mio",
];

/// What nobody in the workspace may reach.
const NOWHERE: &[(&str, &str)] = &[
    ("openssl", "one crypto library: aws-lc-rs"),
    ("openssl-sys", "one crypto library: aws-lc-rs"),
    ("native-tls", "one TLS library: rustls"),
    ("ring", "one crypto library: aws-lc-rs"),
    ("reqwest", "the lab dials only its own table"),
    ("hickory-resolver", "the lab never asks DNS"),
];

/// One crate of the house.
struct Room<'m> {
    name: String,
    floor: usize,
    package: &'m Package,
}

struct House<'m> {
    rooms: BTreeMap<String, Room<'m>>,
}

impl<'m> House<'m> {
    fn of(metadata: &'m Metadata) -> Self {
        let root = metadata.workspace_root.join("crates");
        let rooms = metadata.workspace_packages().into_iter().map(|package| {
            let directory = package.manifest_path.parent().expect("a manifest stands in a directory");
            let place =
                directory.strip_prefix(&root).unwrap_or_else(|_| panic!("{directory} is not below crates/"));
            let (floor, name) = place.as_str().split_once('/').expect("crates stand on floors");
            let floor = FLOORS
                .iter()
                .position(|known| *known == floor)
                .unwrap_or_else(|| panic!("crates/{floor} is no floor of the house"));
            assert_eq!(
                package.name.as_str(),
                format!("mocktenant-{name}"),
                "packages are called mocktenant-<dir>"
            );
            (name.to_owned(), Room { name: name.to_owned(), floor, package })
        });
        Self { rooms: rooms.collect() }
    }

    /// In-house dependencies: from, to, kind.
    fn edges(&self) -> impl Iterator<Item = (&Room<'m>, &Room<'m>, DependencyKind)> {
        self.rooms.values().flat_map(move |room| {
            room.package.dependencies.iter().filter_map(move |dependency| {
                let name = dependency.name.strip_prefix("mocktenant-")?;
                let to = self
                    .rooms
                    .get(name)
                    .unwrap_or_else(|| panic!("mocktenant-{name} is no crate of the house"));
                Some((room, to, dependency.kind))
            })
        })
    }
}

fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../Cargo.toml");
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).other_options(["--offline".to_owned(), "--locked".to_owned()]);
    command.exec().or_else(|_| command.other_options([]).exec()).expect("cargo metadata answers")
}

/// Why an edge is allowed; `None` if it is not.
fn reason(from: &Room<'_>, to: &Room<'_>) -> Option<&'static str> {
    if FLOORS[from.floor] == TEST_WING {
        return Some("tests may look everywhere");
    }
    let listed = ARROWS.iter().find(|(one, other, _)| *one == from.name && *other == to.name);
    if let Some((.., reason)) = listed {
        return Some(reason);
    }
    let word = VOCABULARY.iter().find(|(word, _)| *word == to.name);
    word.filter(|_| from.floor > 0).map(|(_, reason)| *reason)
}

fn report(what: &str, problems: &BTreeSet<String>) {
    let list = problems.iter().fold(String::new(), |mut list, problem| {
        let _ = writeln!(list, "  {problem}");
        list
    });
    assert!(problems.is_empty(), "{what}:\n{list}");
}

#[test]
fn every_arrow_in_the_house_is_in_the_table() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let problems = house
        .edges()
        .filter(|(.., kind)| *kind != DependencyKind::Development)
        .filter(|(from, to, _)| reason(from, to).is_none())
        .map(|(from, to, _)| format!("{} -> {}", from.name, to.name))
        .collect();
    report(
        "arrows that are not in the table of arrows.rs (add the arrow with its reason, or take it out)",
        &problems,
    );
}

#[test]
fn arrows_never_point_up_not_even_in_tests() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let problems = house
        .edges()
        .filter(|(from, to, _)| to.floor > from.floor)
        .map(|(from, to, kind)| {
            format!(
                "{} ({}) -> {} ({}), {kind} dependency",
                from.name, FLOORS[from.floor], to.name, FLOORS[to.floor]
            )
        })
        .collect();
    report("arrows that point up", &problems);
}

#[test]
fn surfaces_never_depend_on_each_other_outside_their_tests() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let surface = |room: &Room<'_>| FLOORS[room.floor] == "surfaces";
    let problems = house
        .edges()
        .filter(|(from, to, kind)| surface(from) && surface(to) && *kind != DependencyKind::Development)
        .map(|(from, to, _)| format!("{} -> {}", from.name, to.name))
        .collect();
    report("a surface knows another one; they meet over HTTP only", &problems);
}

#[test]
fn a_third_party_crate_stays_in_its_rooms() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let mut problems = BTreeSet::new();
    for room in house.rooms.values() {
        for dependency in &room.package.dependencies {
            let banned_everywhere =
                FLOORS[room.floor] == "foundations" && NOT_IN_FOUNDATIONS.contains(&dependency.name.as_str());
            if banned_everywhere {
                problems.insert(format!(
                    "{} -> {}: foundations have no sockets and no runtime",
                    room.name, dependency.name
                ));
            }
            let in_tests_too = IN_TESTS_TOO.contains(&dependency.name.as_str());
            if dependency.kind == DependencyKind::Development && !in_tests_too {
                continue;
            }
            for (crates, rooms, why) in ROOMS {
                if crates.contains(&dependency.name.as_str()) && !rooms.contains(&room.name.as_str()) {
                    problems.insert(format!("{} -> {}: {why}", room.name, dependency.name));
                }
            }
        }
    }
    report("third-party crates in the wrong room", &problems);
}

/// Whether a dependency is built at all. `cargo metadata` also lists optional crates that only a weak feature
/// (`ring?/alloc`) mentions.
fn is_built(package: &Package, enabled: &[FeatureName], name: &str) -> bool {
    let mut listed = package.dependencies.iter().filter(|dependency| dependency.name == name).peekable();
    if listed.peek().is_none() || listed.any(|dependency| !dependency.optional) {
        return true;
    }
    let renamed = package.dependencies.iter().find(|dependency| dependency.name == name);
    let name = renamed.and_then(|dependency| dependency.rename.as_deref()).unwrap_or(name);
    let (explicit, of_it) = (format!("dep:{name}"), format!("{name}/"));
    enabled.iter().any(|feature| {
        let turns_on = package.features.get(feature.as_str());
        feature.as_str() == name
            || turns_on.into_iter().flatten().any(|item| *item == explicit || item.starts_with(&of_it))
    })
}

/// Everything `start` reaches by normal and build dependencies, with the crate through which it was reached.
fn reach<'m>(metadata: &'m Metadata, start: &'m PackageId) -> HashMap<&'m PackageId, &'m PackageId> {
    let graph = metadata.resolve.as_ref().expect("cargo metadata resolves");
    let nodes: HashMap<_, _> = graph.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut through = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let node = nodes[at];
        for next in &node.deps {
            let real = next.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
                && is_built(&metadata[at], &node.features, metadata[&next.pkg].name.as_str());
            if real && next.pkg != *start && !through.contains_key(&next.pkg) {
                through.insert(&next.pkg, at);
                queue.push_back(&next.pkg);
            }
        }
    }
    through
}

/// `token -> a -> b`, from the crate that must not reach `end` to `end`.
fn path(metadata: &Metadata, through: &HashMap<&PackageId, &PackageId>, end: &PackageId) -> String {
    let mut names = vec![metadata[end].name.to_string()];
    let mut at = end;
    while let Some(before) = through.get(at) {
        names.push(metadata[*before].name.to_string());
        at = before;
    }
    names.reverse();
    names.join(" -> ")
}

#[test]
fn foundations_reach_no_runtime_and_no_socket_however_far_down() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let mut problems = BTreeSet::new();
    for room in house.rooms.values().filter(|room| FLOORS[room.floor] == "foundations") {
        let through = reach(&metadata, &room.package.id);
        for reached in through.keys() {
            if NOT_IN_FOUNDATIONS.contains(&metadata[*reached].name.as_str()) {
                problems.insert(path(&metadata, &through, reached));
            }
        }
    }
    report("a foundation reaches a runtime or a socket", &problems);
}

#[test]
fn the_binary_has_one_crypto_library_and_no_resolver() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let through = reach(&metadata, &house.rooms["cli"].package.id);
    let mut problems = BTreeSet::new();
    for reached in through.keys() {
        if let Some((_, why)) = NOWHERE.iter().find(|(name, _)| *name == metadata[*reached].name.as_str()) {
            problems.insert(format!("{}: {why}", path(&metadata, &through, reached)));
        }
    }
    report("crates that the binary must not contain", &problems);
}

#[test]
fn every_permission_of_the_tables_is_used() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let uses = |room: &str, name: &str| {
        house.rooms.get(room).is_some_and(|room| {
            room.package
                .dependencies
                .iter()
                .any(|dependency| dependency.kind != DependencyKind::Development && dependency.name == name)
        })
    };
    let mut problems = BTreeSet::new();
    for (from, to, _) in ARROWS.iter().filter(|(from, to, _)| !uses(from, &format!("mocktenant-{to}"))) {
        problems.insert(format!("{from} -> {to}"));
    }
    for (word, _) in VOCABULARY {
        let named = |room: &Room<'_>| room.floor > 0 && uses(&room.name, &format!("mocktenant-{word}"));
        if !house.rooms.values().any(named) {
            problems.insert(format!("vocabulary: {word}"));
        }
    }
    for (crates, rooms, _) in ROOMS {
        for (name, room) in crates.iter().flat_map(|name| rooms.iter().map(move |room| (name, room))) {
            if !uses(room, name) {
                problems.insert(format!("{room} -> {name}"));
            }
        }
    }
    report("permissions of arrows.rs that no manifest uses (take them out)", &problems);
}

#[test]
fn the_table_names_only_crates_of_the_house() {
    let metadata = metadata();
    let house = House::of(&metadata);
    let mut problems = BTreeSet::new();
    for (from, to, _) in ARROWS {
        for name in [from, to] {
            if !house.rooms.contains_key(*name) {
                problems.insert(format!("{from} -> {to}: there is no crate {name}"));
            }
        }
    }
    for (_, rooms, why) in ROOMS {
        for name in rooms.iter().filter(|name| !house.rooms.contains_key(**name)) {
            problems.insert(format!("{why}: there is no crate {name}"));
        }
    }
    report("rows of the tables in arrows.rs that name nobody", &problems);
}
