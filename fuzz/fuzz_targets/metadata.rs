//! Any bytes as federation metadata.

#![no_main]

#[path = "../entries/metadata.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::metadata(data));
