//! Randomness of a lab: ids, nonces, trace ids.
//!
//! Operating-system randomness, or a seeded sequence in tests so that whole answers can be snapshotted. Keys that sign never
//! come from here; the one that seals what a lab hands out to itself does, is kept nowhere and goes with the lab.

use std::sync::Mutex;

use mocktenant_keys::{SEALING_SECRET, SealingKey};
use uuid::Uuid;

use crate::clock::lock;

/// The lab's source of randomness.
#[derive(Debug)]
pub enum Random {
    /// The operating system's.
    System,
    /// The operating system's, drawn in blocks: what a lab makes of [`Random::System`]. Every answer asks for a few bytes,
    /// and a draw costs as much as the rest of a small answer's ids.
    Blocks(Mutex<Block>),
    /// A sequence that depends on the seed alone (tests).
    Seeded(Mutex<SeededSequence>),
}

/// Bytes drawn and not yet given.
#[derive(Debug)]
pub struct Block {
    bytes: Box<[u8; BLOCK]>,
    given: usize,
}

const BLOCK: usize = 1024;

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
            // Blocks are drawn for many answers; a lab of a moment draws what it needs.
            Self::System | Self::Blocks(_) => Self::System,
            Self::Seeded(sequence) => {
                let SeededSequence { seed, counter } = *lock(sequence);
                Self::Seeded(Mutex::new(SeededSequence { seed, counter }))
            }
        }
    }

    /// The same source for a lab that runs.
    pub(crate) fn in_blocks(self) -> Self {
        match self {
            Self::System => Self::Blocks(Mutex::new(Block { bytes: Box::new([0; BLOCK]), given: BLOCK })),
            other => other,
        }
    }

    /// Fills the buffer.
    pub fn fill(&self, buffer: &mut [u8]) {
        match self {
            Self::System => mocktenant_keys::fill_from_system(buffer),
            Self::Blocks(block) if buffer.len() <= BLOCK => {
                let mut block = lock(block);
                if block.given + buffer.len() > BLOCK {
                    mocktenant_keys::fill_from_system(&mut *block.bytes);
                    block.given = 0;
                }
                let end = block.given + buffer.len();
                buffer.copy_from_slice(&block.bytes[block.given..end]);
                block.given = end;
            }
            Self::Blocks(_) => mocktenant_keys::fill_from_system(buffer),
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

    /// The key that seals the values of a lab with this randomness. A seeded sequence does not move: its key depends on the
    /// seed alone.
    pub(crate) fn sealing_key(&self) -> SealingKey {
        let mut secret = [0; SEALING_SECRET];
        match self {
            Self::System | Self::Blocks(_) => mocktenant_keys::fill_from_system(&mut secret),
            Self::Seeded(sequence) => {
                let mut input = *b"sealing\0--------";
                input[8..].copy_from_slice(&lock(sequence).seed.to_be_bytes());
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &input);
                secret.copy_from_slice(digest.as_ref());
            }
        }
        SealingKey::from_secret(&secret)
    }

    /// A version 4 GUID.
    pub fn guid(&self) -> Uuid {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seeded_lab_seals_with_the_key_of_its_seed_and_any_other_with_one_of_its_own() {
        let label = |random: &Random| random.sealing_key().label("test", "x");
        let seeded = Random::seeded(7);
        let first = seeded.guid();
        assert_eq!(label(&Random::seeded(7)), label(&seeded), "wherever its sequence is");
        assert_ne!(label(&Random::seeded(7)), label(&Random::seeded(8)));
        assert_ne!(label(&Random::System), label(&Random::System));
        let again = Random::seeded(7);
        label(&again);
        assert_eq!(again.guid(), first, "its sequence did not move");
    }

    #[test]
    fn what_is_drawn_in_blocks_is_given_once() {
        let random = Random::System.in_blocks();
        let drawn: HashSet<Uuid> = (0..1_000).map(|_| random.guid()).collect();
        assert_eq!(drawn.len(), 1_000);
        let mut long = vec![0; BLOCK + 1];
        random.fill(&mut long);
        assert!(long[BLOCK - 32..].iter().any(|byte| *byte != 0));
    }
}
