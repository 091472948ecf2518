//! An AOS on-premises behind AD FS, both of them real and without sockets between them: its start, its sign-in, its data.
//!
//! Each test says what a person or a program does and what the products answer. Calls go by the names of the world; that the
//! same holds over TLS, by localhost and in a browser is for other tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bearer;
mod checks;
mod farm;
mod hostile;
mod log_texts;
mod mail;
mod pairs;
mod rollover;
mod scenarios;
mod sign_in;
mod site;
mod start;
