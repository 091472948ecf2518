//! Load and faults: chaos, a long run of mixed requests, starts and stops, slow connections, full disks.
//!
//! Each is there in two forms: a short one for every test run, and with `PROVE=1` (`just prove`) a long one. What is asked
//! is the same; only counts, seconds and the strictness of what a noisy machine disturbs differ. The real binary is
//! judged from outside, over real sockets, by what a client, the control API and the system say of it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod chaos;
mod dawdling;
mod disk;
mod form;
mod ledger;
mod mixed;
mod site;
mod starts;
mod tables;
