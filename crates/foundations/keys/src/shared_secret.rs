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
        assert_eq!(
            signature,
            [
                0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75,
                0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec,
                0x38, 0x43
            ]
        );
    }
}
