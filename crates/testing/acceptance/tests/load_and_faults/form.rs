//! Which form of a test runs, from which seed, and how it says what it found.
//!
//! Decides nothing about a lab. `just prove` reads the lines that begin with `result:` and makes its table of them.

use std::cell::Cell;
use std::fmt::Display;
use std::time::{Duration, Instant};

use mocktenant_acceptance::random_world::Dice;
use mocktenant_lab::real_now;

/// Whether the long forms run.
pub(crate) fn is_long() -> bool {
    std::env::var_os("PROVE").is_some_and(|value| value == "1")
}

/// One value for each form.
pub(crate) fn either<T>(short: T, long: T) -> T {
    if is_long() { long } else { short }
}

/// Dice whose seed is said: `SEED`, else a fixed one in the short form and another each time in the long one.
pub(crate) fn dice(what: &str) -> Dice {
    let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| {
        either(0x000C_A05E, u64::try_from(real_now().unix_timestamp_nanos()).unwrap_or(1) % 1_000_000_007)
    });
    say(what, &format!("SEED={seed} plays this again"));
    Dice::new(seed)
}

/// A line for whoever watches.
#[expect(clippy::print_stderr, reason = "what goes on belongs to the test's output")]
pub(crate) fn say(what: &str, text: &str) {
    eprintln!("{what}: {text}");
}

/// A line of the table: what was found, and what was asked for.
#[expect(clippy::print_stderr, reason = "what was found belongs to the test's output")]
pub(crate) fn result(what: &str, found: impl Display, wanted: impl Display) {
    eprintln!("result: {what} | {found} | {wanted}");
}

/// Says how far a test is, every few seconds.
pub(crate) struct Progress {
    what: &'static str,
    said: Cell<Instant>,
}

impl Progress {
    pub(crate) fn of(what: &'static str) -> Self {
        Self { what, said: Cell::new(Instant::now()) }
    }

    /// The text is made only when it is due.
    pub(crate) fn at(&self, text: impl FnOnce() -> String) {
        if self.said.get().elapsed() >= Duration::from_secs(2) {
            self.said.set(Instant::now());
            say(self.what, &text());
        }
    }
}

/// The value below which this share of the values lies; sorts them.
pub(crate) fn share(values: &mut [Duration], per_cent: usize) -> Duration {
    values.sort_unstable();
    let at = (values.len() * per_cent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or_default()
}
