//! Any text as a scenario and as a declaration.

#![no_main]

#[path = "../entries/scenario.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::scenario(data));
