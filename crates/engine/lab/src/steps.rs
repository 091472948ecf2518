//! The steps of a sign-in that goes through several products, each exchange of it marked with those it is.
//!
//! Decides what the marks are: an id that all exchanges of one sign-in share, made from its nonce, and numbers. What the numbers
//! mean is told elsewhere; a product marks what it does and knows no other. Never decides whether a step went well: the
//! exchange's checks say that. Mirrors the nine steps of "Authentication in finance and operations (on-premises) environments".

use mocktenant_keys::sha256;

use crate::Trail;

/// The fact that holds the numbers, with spaces between them.
pub const STEPS: &str = "steps";
/// What the id is called among the ids people paste.
pub const SIGN_IN: &str = "sign-in";

/// The id of a sign-in, from its nonce: `s-` and twelve hexadecimal digits.
pub fn sign_in_id(nonce: &str) -> String {
    use std::fmt::Write as _;
    let mut id = String::from("s-");
    for byte in &sha256(nonce)[..6] {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

impl Trail {
    /// Marks the exchange with the steps it is, `"1 2 3"`, of the sign-in with this id; without one they are of a sign-in that
    /// ends here.
    pub fn steps(&mut self, sign_in: Option<&str>, steps: &'static str) {
        if let Some(id) = sign_in {
            self.activity(SIGN_IN, id);
        }
        self.fact(STEPS, steps);
    }
}
