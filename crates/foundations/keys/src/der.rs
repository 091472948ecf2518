//! The few lines of DER needed to look at a private key before handing it to the crypto library.
//!
//! Decides only whether lengths are definite and inside the input (X.690 section 10.1); never interprets more than tags.
//! It exists so that the size of a key is known, and named in the error, before any arithmetic is done on it.

/// ASN.1 INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// ASN.1 OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// ASN.1 SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;

/// Splits the first element of `input`, which must carry `tag`, into its content and what follows it.
pub(crate) fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = input.split_first()?;
    if found != tag {
        return None;
    }
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        let (digits, rest) = rest.split_at(count);
        (digits.iter().fold(0_usize, |length, &digit| (length << 8) | usize::from(digit)), rest)
    };
    (length <= rest.len()).then(|| rest.split_at(length))
}

/// `n` and `e` at the head of a PKCS#1 `RSAPublicKey` content, leading zeros removed.
fn two_integers(content: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (n, rest) = element(INTEGER, content)?;
    let (e, rest) = element(INTEGER, rest)?;
    Some((without_leading_zeros(n), without_leading_zeros(e), rest))
}

/// `n` and `e` of a PKCS#1 `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, trailing) = element(SEQUENCE, der)?;
    let (n, e, rest) = two_integers(content)?;
    (trailing.is_empty() && rest.is_empty()).then_some((n, e))
}

/// `n` of a PKCS#1 `RSAPrivateKey` (RFC 8017 appendix A.1.2) with nothing after it.
pub(crate) fn rsa_private_key_modulus(der: &[u8]) -> Option<&[u8]> {
    let (content, trailing) = element(SEQUENCE, der)?;
    let (_version, rest) = element(INTEGER, content)?;
    let (n, _, _) = two_integers(rest)?;
    trailing.is_empty().then_some(n)
}

/// The octets inside a PKCS#8 `PrivateKeyInfo` (RFC 5208 section 5) with nothing after it, and its algorithm's content.
pub(crate) fn pkcs8(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, trailing) = element(SEQUENCE, der)?;
    let (_version, rest) = element(INTEGER, content)?;
    let (algorithm, rest) = element(SEQUENCE, rest)?;
    let (octets, _attributes) = element(OCTET_STRING, rest)?;
    trailing.is_empty().then_some((algorithm, octets))
}

/// The magnitude of an unsigned big-endian integer.
pub(crate) fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{SEQUENCE, element};

    #[test]
    fn lengths_outside_the_input_and_indefinite_lengths_are_refused() {
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x01],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
            &[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0x31, 0x00],
        ] {
            assert_eq!(element(SEQUENCE, bad), None, "{bad:?}");
        }
        assert_eq!(element(SEQUENCE, &[0x30, 0x81, 0x01, 7, 8]), Some((&[7][..], &[8][..])));
    }
}
