//! A GUID, as OData writes it: 8-4-4-4-12 hexadecimal digits without quotes or braces (ABNF `guidValue`).

use std::fmt;
use std::str::FromStr;

/// A GUID in network byte order; compares without regard to how its digits were cased, prints in lower case.
///
/// The order is that of its text, not SQL Server's `uniqueidentifier` order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The length of a printed GUID in bytes.
    pub const LENGTH: usize = 36;

    /// A GUID of these bytes, first printed digit first.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, first printed digit first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads exactly 36 characters, digits in either case; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != Self::LENGTH {
            return None;
        }
        let mut bytes = [0_u8; 16];
        let mut digits = 0_usize;
        for (position, &byte) in text.iter().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                b'A'..=b'F' => byte - b'A' + 10,
                _ => return None,
            };
            let slot = bytes.get_mut(digits / 2)?;
            *slot = *slot << 4 | digit;
            digits += 1;
        }
        Some(Self(bytes))
    }

    /// Its text, for who has a place for it: every answer has some, and thirty-two writes of a digit are dear.
    pub fn write<'t>(&self, to: &'t mut [u8; Self::LENGTH]) -> &'t str {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        *to = [b'-'; Self::LENGTH];
        let mut at = 0;
        for (index, byte) in self.0.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            to[at] = DIGITS[usize::from(byte >> 4)];
            to[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        // digits and hyphens are text
        std::str::from_utf8(to).unwrap_or_default()
    }
}

impl FromStr for Guid {
    type Err = NotAGuid;

    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        Self::parse(text).ok_or(NotAGuid)
    }
}

/// The text is not 8-4-4-4-12 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID of the form 00000000-0000-0000-0000-000000000000")]
pub struct NotAGuid;

impl fmt::Display for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.write(&mut [0; Self::LENGTH]))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_reads_either_case_and_prints_lower_case() {
        let guid = Guid::parse("00000015-0000-0000-C000-0000000000AB").unwrap();
        assert_eq!(guid.to_string(), "00000015-0000-0000-c000-0000000000ab");
        assert_eq!(Guid::parse(&guid.to_string()), Some(guid));
    }

    #[test]
    fn braces_wrong_lengths_and_misplaced_dashes_are_no_guid() {
        for text in [
            "",
            "{00000015-0000-0000-c000-000000000000}",
            "00000015000000000c00000000000000000-",
            "0000001-50000-0000-c000-000000000000",
            "00000015-0000-0000-c000-00000000000é",
        ] {
            assert_eq!(Guid::parse(text), None, "{text}");
        }
    }
}
