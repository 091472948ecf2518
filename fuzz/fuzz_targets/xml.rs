//! Any bytes as XML.

#![no_main]

#[path = "../entries/xml.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::xml(data));
