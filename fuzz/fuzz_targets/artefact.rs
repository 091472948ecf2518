//! Any bytes as every kind of config file.

#![no_main]

#[path = "../entries/artefact.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::artefact(data));
