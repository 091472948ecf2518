//! What the front-door tests share: the real binary, requests byte by byte, the machine's own tools, random worlds.
//!
//! Decides nothing about any product; tests and real clients in this package do the judging, from outside. Never
//! published.

pub mod binary;
pub mod breakages;
pub mod chromium;
pub mod clients_page;
pub mod judges;
pub mod keep_alive;
pub mod listener;
pub mod oracle;
pub mod pages;
pub mod pins;
pub mod programs;
pub mod random_world;
pub mod raw;
pub mod tools;
pub mod trials;
