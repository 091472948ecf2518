//! What stood once already.
//!
//! Decides how it is remembered which names an element has used: by looking through the few there usually are, and by hash
//! from there on, so that a plain element costs no table and a hostile one no square.

use std::collections::HashSet;
use std::hash::Hash;

/// The most that are looked through.
const FEW: usize = 16;

/// A set for which being small is usual.
pub(crate) struct Seen<T> {
    few: Vec<T>,
    many: HashSet<T>,
}

impl<T: Copy + Eq + Hash> Seen<T> {
    pub(crate) fn new() -> Self {
        Self { few: Vec::new(), many: HashSet::new() }
    }

    /// Takes an item in; false if it was in already.
    pub(crate) fn insert(&mut self, item: T) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(item);
        }
        if self.few.contains(&item) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(item);
        } else {
            self.many.extend(self.few.drain(..));
            self.many.insert(item);
        }
        true
    }

    /// How many are in.
    pub(crate) fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_new_once_however_many_there_are() {
        let mut seen = Seen::new();
        for item in 0..100 {
            assert!(seen.insert(item));
            assert!((0..=item).all(|item| !seen.insert(item)));
            assert_eq!(seen.len(), item + 1);
        }
    }
}
