//! The one place that draws randomness from the operating system.
//!
//! Decides nothing; the lab's own `Random` is seeded or fed from here, and RSA-PSS salts and CA keys come from the same
//! source inside aws-lc-rs.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The operating system's generator, for calls of aws-lc-rs that ask for one.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that draws randomness from the operating system"
)]
pub(crate) fn system() -> SystemRandom {
    SystemRandom::new()
}

/// Fills `bytes` from the operating system's generator.
pub fn fill_from_system(bytes: &mut [u8]) {
    // aws-lc aborts the process rather than return without entropy, so this never fails; carrying on with predictable
    // bytes would be the one wrong answer.
    system().fill(bytes).expect("the operating system gives randomness");
}

#[cfg(test)]
mod tests {
    use super::fill_from_system;

    #[test]
    fn two_draws_differ_and_an_empty_draw_is_fine() {
        let (mut first, mut second) = ([0_u8; 32], [0_u8; 32]);
        fill_from_system(&mut first);
        fill_from_system(&mut second);
        fill_from_system(&mut []);
        assert_ne!(first, second);
    }
}
