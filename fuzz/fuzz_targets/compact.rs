//! Any text as a compact JWS.

#![no_main]

#[path = "../entries/compact.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::compact(data));
