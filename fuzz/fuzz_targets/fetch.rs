//! Any bytes as FetchXML.

#![no_main]

#[path = "../entries/fetch.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::fetch(data));
