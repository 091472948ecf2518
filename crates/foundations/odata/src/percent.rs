//! Percent-encoding (RFC 3986 section 2.1), decoded exactly once.
//!
//! Decides nothing about meaning; keeps the way back from a decoded offset to the raw one, so that an error points into
//! what the client sent.

use std::borrow::Cow;

use crate::error::{SyntaxError, SyntaxErrorKind};

/// Decodes `raw` once. With `plus_is_space`, `+` becomes a space as HTML forms write it.
pub(crate) fn decode(raw: &str, plus_is_space: bool) -> Result<Cow<'_, str>, SyntaxError> {
    if !raw.bytes().any(|byte| byte == b'%' || (plus_is_space && byte == b'+')) {
        return Ok(Cow::Borrowed(raw));
    }
    let bytes = raw.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        match byte {
            b'%' => {
                let digits = (bytes.get(position + 1), bytes.get(position + 2));
                let value = match digits {
                    (Some(&high), Some(&low)) => hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low),
                    _ => None,
                };
                let value =
                    value.ok_or_else(|| SyntaxError::new(position, SyntaxErrorKind::InvalidEscape))?;
                decoded.push(value);
                position += 3;
            }
            b'+' if plus_is_space => {
                decoded.push(b' ');
                position += 1;
            }
            other => {
                decoded.push(other);
                position += 1;
            }
        }
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|error| {
        let at = raw_offset(raw, error.utf8_error().valid_up_to());
        SyntaxError::new(at, SyntaxErrorKind::InvalidUtf8)
    })
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
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (byte.is_ascii() && keep.contains(character))
        {
            encoded.push(character);
        } else {
            encoded.push('%');
            encoded.push(DIGITS[usize::from(byte >> 4)]);
            encoded.push(DIGITS[usize::from(byte & 15)]);
        }
    }
    encoded
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
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
