//! The engine knows no product: nothing that a surface, a file or a portal calls by name stands in its code.
//!
//! Decides by the texts in the sources of `crates/engine` (comments and tests aside), against what the mounted products
//! say of themselves: their names, questions, paths and error texts, and the keys of every config file and table.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mocktenant_adfs::Adfs;
use mocktenant_aos::Aos;
use mocktenant_dataverse::Dataverse;
use mocktenant_entra::{Entra, ManagedIdentity};
use mocktenant_lab::Lab;
use mocktenant_world::World;
use serde_json::Value;

/// Words of the declaration and of places, which are the engine's own (a place is called so whatever lives there), and
/// names of RFC 6749 and RFC 8628 (`device_code`, folded) that are masked, or read as what an answer says, wherever they stand.
const OWN: &[&str] = &[
    "tenant",
    "environment",
    "organization",
    "identity",
    "request",
    "caller",
    "token",
    "scope",
    "error",
    "devicecode",
];

/// An attribute of event XML, which is Windows' form for any product's events, and a column too.
const EVENT_XML: &str = "Name";

fn lab() -> Lab {
    let world = Arc::new(World::contoso().unwrap());
    Lab::builder(world)
        .surface(Entra::default())
        .surface(ManagedIdentity)
        .surface(Adfs)
        .surface(Aos::new())
        .surface(Dataverse::new())
        .build()
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The texts between quotes, comments and test modules left out.
fn texts(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut texts = Vec::new();
    for line in code.lines() {
        let mut characters = line.char_indices().peekable();
        let mut text: Option<String> = None;
        while let Some((at, character)) = characters.next() {
            match (&mut text, character) {
                (None, '/') if line[at..].starts_with("//") => break,
                (None, '\'') if line[at + 1..].starts_with("\"'") => {
                    characters.nth(1);
                }
                (None, '"') => text = Some(String::new()),
                (None, _) => {}
                (Some(inside), '\\') => inside.extend(characters.next().map(|(_, escaped)| escaped)),
                (Some(inside), '"') => {
                    texts.push(std::mem::take(inside));
                    text = None;
                }
                (Some(inside), other) => inside.push(other),
            }
        }
        // A text that goes on in the next line.
        texts.extend(text);
    }
    texts
}

/// Whether a word stands in a text by itself.
fn has_word(text: &str, word: &str) -> bool {
    let part = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    text.to_lowercase().match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Members of the declaration that are a product's own names: config keys, tables, columns, flights.
fn product_keys(world: &World) -> BTreeSet<String> {
    fn collect(value: &Value, keys: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if name.chars().any(char::is_uppercase) && name.len() > 3 {
                        keys.insert(name.clone());
                    }
                    collect(member, keys);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| collect(element, keys)),
            _ => {}
        }
    }
    let mut keys = BTreeSet::new();
    collect(&world.view(), &mut keys);
    // Accounts, currencies and the like stand in rows; a name of ours there is no key.
    keys.retain(|key| key.chars().all(|character| character.is_ascii_alphanumeric() || character == '.'));
    keys
}

#[test]
fn the_engine_names_no_product_no_question_no_path_no_key_and_no_text_of_one() {
    let lab = lab();
    let questions: BTreeSet<&str> =
        lab.questions().into_iter().flat_map(|(_, asked)| asked).map(|question| question.name).collect();
    assert!(questions.len() > 35, "the products say what they ask: {}", questions.len());
    let surfaces: Vec<&str> = lab.catalogues().into_iter().map(|(name, _)| name).collect();
    let rows = || lab.catalogues().into_iter().flat_map(|(_, rows)| rows);
    let identifiers: BTreeSet<&str> = rows().map(|row| row.id).filter(|id| id.len() > 3).collect();
    let product_texts: BTreeSet<&str> =
        rows().flat_map(|row| [row.template, row.cause, row.change]).filter(|text| text.len() > 12).collect();
    let paths: BTreeSet<String> = lab
        .routes()
        .into_iter()
        .flat_map(|(_, patterns)| patterns)
        .flat_map(|pattern| pattern.split('/').map(str::to_owned).collect::<Vec<_>>())
        .filter(|segment| segment.len() > 3 && !segment.starts_with('{'))
        .collect();
    let keys = product_keys(&lab.world());
    assert!(paths.len() > 8 && identifiers.len() > 80 && keys.len() > 40, "{paths:?} {keys:?}");

    let mut files = Vec::new();
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine");
    for room in ["tables", "lab", "idp", "diagnosis"] {
        sources(&engine.join(room).join("src"), &mut files);
    }
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&engine).unwrap().display().to_string();
        for text in texts(&std::fs::read_to_string(file).unwrap()) {
            let mut blame =
                |what: &str, word: &str| wrong.push(format!("{name}: {what} {word:?} in {text:?}"));
            for surface in &surfaces {
                if has_word(&text, surface) {
                    blame("the surface", surface);
                }
            }
            for question in questions.iter().filter(|question| !OWN.contains(question)) {
                if text == **question || (question.contains('-') && has_word(&text, question)) {
                    blame("the question", question);
                }
            }
            for path in paths.iter().filter(|path| !OWN.contains(&path.as_str())) {
                if text == *path || text.contains(&format!("/{path}")) {
                    blame("the path", path);
                }
            }
            for key in keys.iter().filter(|key| *key != EVENT_XML) {
                if text == *key || (key.contains('.') && text.contains(key.as_str())) {
                    blame("the key", key);
                }
            }
            for id in &identifiers {
                if text.contains(id) {
                    blame("the identifier", id);
                }
            }
            for product in product_texts.iter().filter(|_| text.len() > 12 && text.contains(' ')) {
                if product.contains(text.as_str()) {
                    blame("a text of a product", product);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} words of products in the engine:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_reader_of_sources_finds_what_stands_between_quotes() {
    let source =
        "let a = \"one\"; // \"not\"\nlet b = ('\"', \"t\\\"wo\");\n#[cfg(test)]\nmod tests {\n\"no\"";
    assert_eq!(texts(source), ["one", "t\"wo"]);
    assert!(has_word("an AOS here", "aos") && !has_word("chaos", "aos"));
}
