//! The physical limit: RS256 by aws-lc-rs alone, on as many threads as the machine has, per CPU-second.

use std::time::{Duration, Instant};
use std::{fs, thread};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use mocktenant_keys::shipped;

use crate::{Failure, per};

/// Signatures and the CPU time they took.
#[derive(Default)]
pub(crate) struct Rate {
    signatures: u64,
    cpu: Duration,
}

/// How many threads sign: as many as the server would use.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

impl Rate {
    /// Signs for a while on every core.
    pub(crate) fn add(&mut self, turn: Duration) -> Result<(), Failure> {
        let workers: Vec<_> = (0..threads()).map(|_| thread::spawn(move || sign(turn))).collect();
        for worker in workers {
            let (signatures, cpu) = worker.join().map_err(|_| "a signing thread panicked")??;
            self.signatures += signatures;
            self.cpu += cpu;
        }
        Ok(())
    }

    /// Signatures per CPU-second.
    pub(crate) fn per_cpu_second(&self) -> f64 {
        per(self.signatures, self.cpu)
    }
}

fn sign(turn: Duration) -> Result<(u64, Duration), Failure> {
    let key = KeyPair::from_pkcs8(shipped::token_signing().key().pkcs8_der())?;
    #[expect(clippy::disallowed_methods, reason = "the raw figure is that of the library alone")]
    let random = SystemRandom::new();
    let message = vec![b'a'; 1100];
    let mut signature = vec![0; key.public_modulus_len()];
    let (cpu, began) = (cpu_time(), Instant::now());
    let mut count = 0;
    while began.elapsed() < turn {
        for _ in 0..16 {
            key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)?;
        }
        count += 16;
    }
    let real = began.elapsed();
    let spent = cpu.zip(cpu_time()).map(|(from, to)| Duration::from_nanos(to.saturating_sub(from)));
    Ok((count, spent.filter(|spent| !spent.is_zero()).unwrap_or(real)))
}

/// CPU time of this thread in nanoseconds; `None` where the system does not tell it.
fn cpu_time() -> Option<u64> {
    let schedule = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    schedule.split_ascii_whitespace().next()?.parse().ok()
}
