//! Any bytes as a form posted to the token endpoints.

#![no_main]

#[path = "../entries/token_form.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::token_form(data));
