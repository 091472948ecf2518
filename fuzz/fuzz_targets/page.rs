//! Any text as a page that a browser without scripts is shown.

#![no_main]

#[path = "../entries/page.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::page(data));
