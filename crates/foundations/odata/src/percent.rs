//! Percent-encoding (RFC 3986 section 2.1), decoded exactly once.
//!
//! Decides nothing about meaning; keeps the way back from a decoded offset to the raw one, so that an error points into
//! what the client sent.

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode_byte};

use crate::error::{SyntaxError, SyntaxErrorKind};

/// Decodes `raw` once. With `plus_is_space`, `+` becomes a space as HTML forms write it.
pub(crate) fn decode(raw: &str, plus_is_space: bool) -> Result<Cow<'_, str>, SyntaxError> {
    if !raw.bytes().any(|byte| byte == b'%' || (plus_is_space && byte == b'+')) {
        return Ok(Cow::Borrowed(raw));
    }
    // The crate lets a `%` without two hexadecimal digits stand for itself; the products refuse it.
    let whole = |at: usize| {
        raw.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if let Some((at, _)) = raw.match_indices('%').find(|(at, _)| !whole(*at)) {
        return Err(SyntaxError::new(at, SyntaxErrorKind::InvalidEscape));
    }
    let spaced = if plus_is_space { Cow::Owned(raw.replace('+', " ")) } else { Cow::Borrowed(raw) };
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|error| {
        SyntaxError::new(raw_offset(raw, error.valid_up_to()), SyntaxErrorKind::InvalidUtf8)
    })?;
    Ok(Cow::Owned(decoded.into_owned()))
}

/// The offset in `raw` of the byte that decoded to `decoded_offset`.
pub(crate) fn raw_offset(raw: &str, decoded_offset: usize) -> usize {
    let bytes = raw.as_bytes();
    let mut position = 0;
    for _ in 0..decoded_offset {
        match bytes.get(position) {
            Some(b'%') => position += 3,
            Some(_) => position += 1,
            None => break,
        }
    }
    position.min(raw.len())
}

/// Percent-encodes everything outside RFC 3986 `unreserved` and the characters of `keep`, which are ASCII.
pub fn encode(text: &str, keep: &str) -> String {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (byte.is_ascii() && keep.as_bytes().contains(&byte))
    };
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(percent_encode_byte(byte));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_happens_once_and_only_where_asked_for_plus() {
        assert_eq!(decode("a%2527+b", false).unwrap(), "a%27+b");
        assert_eq!(decode("a%2527+b", true).unwrap(), "a%27 b");
    }

    #[test]
    fn a_broken_escape_and_broken_utf8_are_named_with_their_raw_offset() {
        assert_eq!(decode("ab%2", false).unwrap_err().offset, 2);
        assert_eq!(decode("a%zz", false).unwrap_err().kind, SyntaxErrorKind::InvalidEscape);
        let error = decode("%41%ff", false).unwrap_err();
        assert_eq!((error.offset, error.kind), (3, SyntaxErrorKind::InvalidUtf8));
    }
}
