//! What the world declares as secret, wherever it stands.
//!
//! Decides how such a value is looked for: anywhere if it is long enough to be nothing else, as a word of its own if it is
//! short, and line by line if it has lines. What was declared until a moment ago stays secret: records of that time still
//! hold it. Never decides where it is looked for.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::automaton::Automaton;

/// Shorter values are no secrets anybody could keep, and stand in everything.
const SHORTEST: usize = 4;

/// Shorter values are found as words of their own only: `secret` is also a part of `client_secret`.
const SHORTEST_ANYWHERE: usize = 8;

/// Bytes of values that are no longer declared. Beyond it the oldest goes, and with it the records of its time.
const GONE_BUDGET: usize = 1024 * 1024;

/// Finds every value at once.
#[derive(Debug)]
pub(super) struct Matcher {
    /// None for more values than can be looked for: then everything is hidden.
    automaton: Option<Automaton>,
    longest: usize,
    shortest: usize,
}

impl Matcher {
    fn new<'s>(secrets: impl Iterator<Item = &'s str>) -> Self {
        let patterns: HashSet<Vec<u8>> = secrets.flat_map(spellings).collect();
        Self {
            longest: patterns.iter().map(Vec::len).max().unwrap_or_default(),
            shortest: patterns.iter().map(Vec::len).min().unwrap_or(usize::MAX),
            automaton: Automaton::new(patterns.iter().map(Vec::as_slice).collect()),
        }
    }

    /// The length of the longest value, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The length of the shortest value, in bytes.
    pub(super) fn shortest(&self) -> usize {
        self.shortest
    }

    /// Every place where a value stands.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        let Some(automaton) = &self.automaton else {
            found.push(0..text.len());
            return;
        };
        automaton.find(text, |hit| {
            let beside = [hit.start.checked_sub(1), Some(hit.end)];
            let mut beside = beside.into_iter().flatten().filter_map(|at| text.get(at));
            let mut in_a_word =
                || beside.any(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            if hit.len() >= SHORTEST_ANYWHERE || !in_a_word() {
                found.push(hit);
            }
        });
    }
}

/// How one value may be spelt, escapes aside.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let trimmed = secret.trim();
    if trimmed.lines().count() > 1 {
        // Of a key in PEM every line is as good as secret; its first and last are the same for all.
        let lines = trimmed.lines().map(str::trim);
        let lines = lines.filter(|line| line.len() >= SHORTEST_ANYWHERE && !line.starts_with("-----"));
        return lines.flat_map(spellings).collect();
    }
    if trimmed.len() < SHORTEST {
        return Vec::new();
    }
    let mut spellings = vec![trimmed.as_bytes().to_vec()];
    if trimmed.contains(' ') {
        spellings.push(trimmed.replace(' ', "+").into_bytes());
    }
    if !trimmed.is_ascii() {
        let latin1: Result<Vec<u8>, _> =
            trimmed.chars().map(|letter| u8::try_from(u32::from(letter))).collect();
        spellings.extend(latin1);
    }
    spellings
}

/// All values a lab has to hide.
#[derive(Debug, Default)]
pub(super) struct Declared {
    now: Vec<Arc<str>>,
    /// Values that are no longer declared, and the number of the newest record when they went.
    gone: VecDeque<(Arc<str>, u64)>,
    gone_bytes: usize,
    /// Made when somebody looks.
    matcher: Option<Arc<Matcher>>,
}

impl Declared {
    /// Takes note of what is declared from now on. Gives the number of the last record that can no longer be shown, if a
    /// value it may hold is forgotten.
    pub(super) fn replace(&mut self, now: Vec<Arc<str>>, newest: u64) -> Option<u64> {
        if self.now == now {
            return None;
        }
        self.matcher = None;
        let declared: HashSet<&Arc<str>> = now.iter().collect();
        let went = self.now.iter().filter(|secret| !declared.contains(secret));
        self.gone.retain(|(secret, _)| !declared.contains(secret));
        self.gone.extend(went.map(|secret| (Arc::clone(secret), newest)));
        self.gone_bytes = self.gone.iter().map(|(secret, _)| secret.len()).sum();
        self.now = now;
        let mut forgotten = None;
        while self.gone_bytes > GONE_BUDGET
            && let Some((secret, newest)) = self.gone.pop_front()
        {
            self.gone_bytes -= secret.len();
            forgotten = Some(newest);
        }
        forgotten
    }

    /// What finds them all.
    pub(super) fn matcher(&mut self) -> Arc<Matcher> {
        let gone = self.gone.iter().map(|(secret, _)| secret);
        let all = || self.now.iter().chain(gone).map(|secret| &**secret);
        Arc::clone(self.matcher.get_or_insert_with(|| Arc::new(Matcher::new(all()))))
    }

    /// The same values for a lab that nobody else sees.
    pub(super) fn copy(&self) -> Self {
        Self {
            now: self.now.clone(),
            gone: self.gone.clone(),
            gone_bytes: self.gone_bytes,
            matcher: self.matcher.clone(),
        }
    }
}
