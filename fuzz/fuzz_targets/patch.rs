//! Any bytes as a patch of a declaration.

#![no_main]

#[path = "../entries/patch.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::patch(data));
