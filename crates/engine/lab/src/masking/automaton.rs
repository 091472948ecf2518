//! Finds many texts at once.
//!
//! Decides where each of them stands in what is searched, in one pass, however many they are (the automaton of Aho and
//! Corasick). Never decides which of the places count.

use std::ops::Range;

/// Where a search begins, and where it is again after a byte no text goes on with.
const START: u32 = 0;

/// What finds them.
#[derive(Debug)]
pub(super) struct Automaton {
    /// One for every start of a text, the shortest first, and one for none after them.
    states: Vec<State>,
    /// The last byte of each.
    bytes: Vec<u8>,
    /// Where a byte leads from the empty start: most bytes of what is searched are read there.
    first: Box<[u32; 256]>,
}

/// What was read last is the start of a text, and of no longer one.
#[derive(Debug, Default)]
struct State {
    /// The first of the starts that are a byte longer. They lie side by side, before those of the next state.
    longer: u32,
    /// The longest shorter start that was read too.
    shorter: u32,
    /// How long the text is that ends here; 0 if none does.
    ends: u32,
    /// The longest shorter start that is a whole text.
    whole: u32,
}

impl Automaton {
    /// What finds these; none if they are too many. An empty text stands nowhere.
    pub(super) fn new(mut texts: Vec<&[u8]>) -> Option<Self> {
        texts.retain(|text| !text.is_empty());
        texts.sort_unstable();
        texts.dedup();
        let mut automaton =
            Self { states: vec![State::default()], bytes: vec![0], first: Box::new([START; 256]) };
        // The texts that begin with the starts of one length, and go on.
        let mut level = vec![texts.as_slice()];
        let (mut at, mut length) = (0, 0);
        while !level.is_empty() {
            let mut below = Vec::new();
            for mut texts in level {
                automaton.states[at].longer = automaton.count()?;
                while let Some(text) = texts.first() {
                    let byte = text[length];
                    let (alike, others) = texts.split_at(texts.partition_point(|text| text[length] == byte));
                    // Of those that are alike this far the shortest is the first.
                    let ends = text.len() == length + 1;
                    automaton.add(at, byte, if ends { length + 1 } else { 0 })?;
                    below.push(&alike[usize::from(ends)..]);
                    texts = others;
                }
                at += 1;
            }
            level = below;
            length += 1;
        }
        let longer = automaton.count()?;
        automaton.states.push(State { longer, ..State::default() });
        Some(automaton)
    }

    fn count(&self) -> Option<u32> {
        u32::try_from(self.states.len()).ok()
    }

    /// Adds the start that is longer than that of a state by one byte.
    fn add(&mut self, at: usize, byte: u8, ends: usize) -> Option<()> {
        let new = self.count()?;
        let shorter = if at == 0 { START } else { self.after(self.states[at].shorter, byte) };
        let whole = if self.state(shorter).ends > 0 { shorter } else { self.state(shorter).whole };
        if at == 0 {
            self.first[usize::from(byte)] = new;
        }
        self.states.push(State { longer: 0, shorter, ends: u32::try_from(ends).ok()?, whole });
        self.bytes.push(byte);
        Some(())
    }

    /// Tells every place where a text stands.
    pub(super) fn find(&self, searched: &[u8], mut found: impl FnMut(Range<usize>)) {
        let mut at = START;
        for (end, byte) in (1..).zip(searched) {
            at = if at == START { self.first[usize::from(*byte)] } else { self.after(at, *byte) };
            if at == START {
                continue;
            }
            let mut whole = if self.state(at).ends > 0 { at } else { self.state(at).whole };
            while whole != START {
                let state = self.state(whole);
                found(end - state.ends as usize..end);
                whole = state.whole;
            }
        }
    }

    /// The longest start that was read after one more byte.
    fn after(&self, mut at: u32, byte: u8) -> u32 {
        while at != START {
            let longer = self.state(at).longer;
            let bytes = &self.bytes[longer as usize..self.state(at + 1).longer as usize];
            if let Some(place) = (longer..).zip(bytes).find(|(_, other)| **other == byte) {
                return place.0;
            }
            at = self.state(at).shorter;
        }
        self.first[usize::from(byte)]
    }

    fn state(&self, at: u32) -> &State {
        &self.states[at as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Automaton;

    fn found(texts: &BTreeSet<Vec<u8>>, searched: &[u8]) -> Vec<(usize, usize)> {
        let automaton = Automaton::new(texts.iter().map(Vec::as_slice).collect()).unwrap();
        let mut places = Vec::new();
        automaton.find(searched, |place| places.push((place.start, place.end)));
        places.sort_unstable();
        places
    }

    fn looked_for_one_by_one(texts: &BTreeSet<Vec<u8>>, searched: &[u8]) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            let starts =
                searched.windows(text.len()).enumerate().filter(|(_, window)| *window == text.as_slice());
            places.extend(starts.map(|(start, _)| (start, start + text.len())));
        }
        places.sort_unstable();
        places
    }

    fn texts(texts: &[&str]) -> BTreeSet<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn one_inside_another_and_one_across_two_are_found() {
        let texts = texts(&["hers", "his", "she", "he", "er"]);
        assert_eq!(found(&texts, b"ushers"), [(1, 4), (2, 4), (2, 6), (3, 5)]);
    }

    #[test]
    fn nothing_is_found_of_nothing() {
        assert!(found(&texts(&[]), b"anything").is_empty());
        assert!(found(&texts(&[""]), b"anything").is_empty());
        assert!(found(&texts(&["a text"]), b"").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(
            texts in prop::collection::btree_set(prop::collection::vec(prop::sample::select(vec![0, b'a', 255]), 0..5), 0..12),
            searched in prop::collection::vec(prop::sample::select(vec![0, b'a', 255]), 0..60),
        ) {
            prop_assert_eq!(found(&texts, &searched), looked_for_one_by_one(&texts, &searched));
        }
    }
}
