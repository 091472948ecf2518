//! The fuzz corpora, replayed through the entry functions of the fuzz targets.
//!
//! Decides nothing of its own: what must hold stands in `fuzz/entries/`. Every file of a corpus is also replayed cut
//! short and with bytes turned, so that the seeds reach beyond themselves without a fuzzer.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/entries/artefact.rs"]
mod artefact;
#[path = "../../../../fuzz/entries/compact.rs"]
mod compact;
#[path = "../../../../fuzz/entries/metadata.rs"]
mod metadata;
#[path = "../../../../fuzz/entries/odata.rs"]
mod odata;
#[path = "../../../../fuzz/entries/patch.rs"]
mod patch;
#[path = "../../../../fuzz/entries/scenario.rs"]
mod scenario;
#[path = "../../../../fuzz/entries/token_form.rs"]
mod token_form;
#[path = "../../../../fuzz/entries/xml.rs"]
mod xml;

/// Replays one corpus, each file as it is and in a few damaged forms.
fn replay(target: &str, entry: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus").join(target);
    let mut seeds = 0;
    for file in fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let bytes = fs::read(file.expect("a directory is listed").path()).expect("a seed is read");
        entry(&bytes);
        let step = (bytes.len() / 40).max(1);
        for at in (0..bytes.len()).step_by(step) {
            entry(&bytes[..at]);
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x15;
            entry(&damaged);
            damaged[at] = b'%';
            entry(&damaged);
        }
        seeds += 1;
    }
    assert!(seeds > 0, "{} is empty", directory.display());
}

#[test]
fn no_text_makes_the_reader_of_tokens_panic() {
    replay("compact", compact::compact);
}

#[test]
fn no_text_makes_the_reader_of_odata_panic() {
    replay("odata", odata::odata);
}

#[test]
fn no_bytes_make_the_reader_of_config_files_panic() {
    replay("artefact", artefact::artefact);
}

#[test]
fn no_bytes_make_the_reader_of_federation_metadata_panic() {
    replay("metadata", metadata::metadata);
}

#[test]
fn no_bytes_make_the_xml_room_panic() {
    replay("xml", xml::xml);
}

#[test]
fn no_form_gets_anything_but_an_answer_of_entra() {
    replay("token_form", token_form::token_form);
}

#[test]
fn no_patch_makes_a_document_panic_or_grow_beyond_its_budgets() {
    replay("patch", patch::patch);
}

#[test]
fn no_text_makes_the_reader_of_yaml_panic() {
    replay("scenario", scenario::scenario);
}

#[test]
fn every_corpus_has_a_target_and_every_target_a_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz");
    let names = |directory: &str| {
        let entries = fs::read_dir(fuzz.join(directory)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let targets = ["artefact", "compact", "metadata", "odata", "patch", "scenario", "token_form", "xml"];
    for directory in ["fuzz_targets", "entries", "corpus"] {
        assert_eq!(names(directory), targets, "fuzz/{directory}");
    }
}
