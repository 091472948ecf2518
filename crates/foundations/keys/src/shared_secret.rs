//! HMAC with SHA-256: JOSE's HS256 (RFC 7518 section 3.2).
//!
//! Decides nothing and verifies nothing: no product of the lab takes a shared secret for a token. It is here so that a test
//! can be handed the token an attacker would make, with a public key as the secret (RFC 8725 section 2.1).

use aws_lc_rs::hmac;

/// The HS256 signature of `message`.
pub fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hmac_of_rfc_4231() {
        // Section 4.3, test case 2.
        let signature = hs256(b"Jefe", b"what do ya want for nothing?");
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
