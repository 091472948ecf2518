//! Any text as addresses that are registered and one that is sent.

#![no_main]

#[path = "../entries/address.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::address(data));
