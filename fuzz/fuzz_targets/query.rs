//! Any bytes as OData query options and as a resource segment.

#![no_main]

#[path = "../entries/query.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::query(data));
