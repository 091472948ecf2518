//! Any bytes as the body of a batch.

#![no_main]

#[path = "../entries/batch.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::batch(data));
