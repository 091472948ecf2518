//! The command, with the binary and labs of its own.

#![expect(clippy::print_stderr, reason = "a skipped test says why")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test they are called from")]

mod advice;
mod command;
#[cfg(target_os = "linux")]
mod container;
mod events;
mod exec;
mod federation_services;
mod screens;
mod served;
mod settings_by_name;
mod steps_by_hand;
mod tokens;
mod trust;
