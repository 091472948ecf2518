//! Randomness of a lab: ids, nonces, trace ids.
//!
//! Operating-system randomness, or a seeded sequence in tests so that whole answers can be snapshotted. Keys never
//! come from here.

use std::sync::Mutex;

use uuid::Uuid;

use crate::clock::lock;

/// The lab's source of randomness.
#[derive(Debug)]
pub enum Random {
    /// The operating system's.
    System,
    /// A sequence that depends on the seed alone (tests).
    Seeded(Mutex<SeededSequence>),
}

/// `SHA-256(seed || counter)`, block by block.
#[derive(Debug)]
pub struct SeededSequence {
    seed: u64,
    counter: u64,
}

impl Random {
    /// A reproducible sequence, for tests only.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Mutex::new(SeededSequence { seed, counter: 0 }))
    }

    /// Randomness for a lab that nobody else sees: a seeded sequence goes on from where it is, without moving it.
    pub(crate) fn fork(&self) -> Self {
        match self {
            Self::System => Self::System,
            Self::Seeded(sequence) => {
                let SeededSequence { seed, counter } = *lock(sequence);
                Self::Seeded(Mutex::new(SeededSequence { seed, counter }))
            }
        }
    }

    /// Fills the buffer.
    pub fn fill(&self, buffer: &mut [u8]) {
        match self {
            Self::System => mocktenant_keys::fill_from_system(buffer),
            Self::Seeded(sequence) => {
                let mut sequence = lock(sequence);
                for chunk in buffer.chunks_mut(32) {
                    let mut input = [0_u8; 16];
                    input[..8].copy_from_slice(&sequence.seed.to_be_bytes());
                    input[8..].copy_from_slice(&sequence.counter.to_be_bytes());
                    sequence.counter += 1;
                    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &input);
                    chunk.copy_from_slice(&digest.as_ref()[..chunk.len()]);
                }
            }
        }
    }

    /// A version 4 GUID.
    pub fn guid(&self) -> Uuid {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
