//! Any text as a sealed value.

#![no_main]

#[path = "../entries/sealed.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::sealed(data));
