//! Thumbprints: what Windows, web.config, the portal and token headers call a certificate by.
//!
//! Decides how a thumbprint is spelt (upper-case hex as in the Windows certificate dialog; base64url without padding as
//! `x5t`, `x5t#S256` and `kid`, RFC 7515 sections 4.1.7 and 4.1.8) and which spellings are read. Clients send three
//! encodings of the same bytes: base64url, base64url with padding, standard base64 with padding. Never decides
//! whether any certificate has the thumbprint.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

macro_rules! thumbprint {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $hex:literal, $chars:literal, $algorithm:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The thumbprint of a certificate in DER.
            pub fn of_der(der: &[u8]) -> Self {
                let hash = digest::digest(&digest::$algorithm, der);
                let mut bytes = [0; $bytes];
                bytes.copy_from_slice(hash.as_ref());
                Self(bytes)
            }

            /// A thumbprint from its bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            #[doc = concat!("Reads exactly ", $hex, " hex digits of either case, nothing else.")]
            pub fn from_hex(hex: &str) -> Option<Self> {
                let mut bytes = [0; $bytes];
                fill_from_hex(hex, &mut bytes).then_some(Self(bytes))
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            #[doc = concat!("base64url without padding, ", $chars, " characters.")]
            pub fn base64url(&self) -> String {
                URL_SAFE_NO_PAD.encode(self.0)
            }
        }

        #[doc = concat!($hex, " upper-case hex digits, as Windows prints them.")]
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = std::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }
    };
}

thumbprint!(
    /// SHA-1 over the certificate's DER: the Windows thumbprint, `x5t`, and the `kid` of Entra's keys.
    Thumbprint,
    20,
    "40",
    "27",
    SHA1_FOR_LEGACY_USE_ONLY
);
thumbprint!(
    /// SHA-256 over the certificate's DER: `x5t#S256`.
    Thumbprint256,
    32,
    "64",
    "43",
    SHA256
);

/// Fills `bytes` from exactly twice as many hex digits; false if `hex` is anything else.
fn fill_from_hex(hex: &str, bytes: &mut [u8]) -> bool {
    hex.len() == bytes.len() * 2
        && bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)).all(|(byte, pair)| {
            match (char::from(pair[0]).to_digit(16), char::from(pair[1]).to_digit(16)) {
                (Some(high), Some(low)) => {
                    // Two hex digits always fit a byte.
                    *byte = u8::try_from(high << 4 | low).unwrap_or_default();
                    true
                }
                _ => false,
            }
        })
}

/// Reads a `kid` of a token header to the 20 or 32 bytes of the thumbprint it may be.
///
/// Accepts base64url with or without padding, standard base64 with or without padding (client libraries differ), and
/// 40 or 64 hex digits of either case (the other spelling of `kid`). None for everything else.
pub fn decode_key_identifier(text: &str) -> Option<Vec<u8>> {
    // 64 hex digits is the longest accepted form.
    if text.len() > 64 {
        return None;
    }
    // 40 and 64 base64 characters would be 30 and 48 bytes, so the length alone tells hex apart.
    if matches!(text.len(), 40 | 64) {
        let mut bytes = vec![0; text.len() / 2];
        return fill_from_hex(text, &mut bytes).then_some(bytes);
    }
    let folded: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    URL_SAFE_NO_PAD.decode(folded).ok().filter(|bytes| matches!(bytes.len(), 20 | 32))
}

/// Reads `x5t` or `x5t#S256` of a token header: whatever its base64 stands for, in either alphabet, padded or not.
///
/// No length is asked for, because a product shows what a client put there, be it a hash or not. None for what is no
/// base64, and for nothing at all.
pub fn decode_hash_member(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    if bare.is_empty() {
        return None;
    }
    if bare.contains(['+', '/']) {
        return URL_SAFE_NO_PAD.decode(bare.replace('+', "-").replace('/', "_")).ok();
    }
    URL_SAFE_NO_PAD.decode(bare).ok()
}

/// A SHA-1 thumbprint as someone pasted it into a config file.
///
/// Spaces and letter case are accepted. A hidden character, such as the U+200E the certificate dialog puts in front of
/// the value, makes the text name no certificate; it is reported, because nobody can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastedThumbprint {
    /// What the text names to the product: None when it is no thumbprint or holds a hidden character.
    pub thumbprint: Option<Thumbprint>,
    /// Whether the text holds characters that are not visible.
    pub hidden_characters: bool,
    /// What the text would name if its hidden characters were removed; equals `thumbprint` when there are none.
    pub intended: Option<Thumbprint>,
}

impl PastedThumbprint {
    /// Reads `text`, which may be anything.
    pub fn read(text: &str) -> Self {
        let hidden_characters = text.chars().any(is_hidden);
        // One more than the accepted length is enough to refuse, so a huge text costs no memory.
        let digits: String =
            text.chars().filter(|&c| !(is_hidden(c) || c.is_ascii_whitespace())).take(41).collect();
        let intended = Thumbprint::from_hex(&digits);
        Self { thumbprint: intended.filter(|_| !hidden_characters), hidden_characters, intended }
    }
}

/// Controls (but not white space), soft hyphen, no-break spaces, zero-width and directional format characters.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !c.is_ascii_whitespace())
        || matches!(c, '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{202f}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e01ef}')
}

/// The SHA-256 of a text, where no certificate is meant.
pub fn sha256(text: &str) -> [u8; 32] {
    *Thumbprint256::of_der(text.as_bytes()).as_bytes()
}

/// The same in lower-case hex.
pub fn sha256_hex(text: &str) -> String {
    Thumbprint256(sha256(text)).to_string().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

    use super::{
        PastedThumbprint, Thumbprint, Thumbprint256, decode_hash_member, decode_key_identifier, sha256,
        sha256_hex,
    };

    const HEX: &str = "A9993E364706816ABA3E25717850C26C9CD0D89D";

    #[test]
    fn the_thumbprint_is_the_sha_hash_in_upper_case_hex_and_in_base64url() {
        let thumbprint = Thumbprint::of_der(b"abc");
        assert_eq!(thumbprint.to_string(), HEX);
        assert_eq!(thumbprint.base64url(), "qZk-NkcGgWq6PiVxeFDCbJzQ2J0");
        let thumbprint = Thumbprint256::of_der(b"abc");
        assert_eq!(
            thumbprint.to_string(),
            "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
        );
        assert_eq!(thumbprint.base64url().len(), 43);
        assert_eq!(&sha256("abc"), thumbprint.as_bytes());
        assert_eq!(sha256_hex("abc"), thumbprint.to_string().to_ascii_lowercase());
    }

    #[test]
    fn hex_is_read_in_either_case_and_nothing_else_is() {
        assert_eq!(Thumbprint::from_hex(HEX), Some(Thumbprint::of_der(b"abc")));
        assert_eq!(Thumbprint::from_hex(&HEX.to_lowercase()), Some(Thumbprint::of_der(b"abc")));
        for bad in ["", " ", &HEX[1..], &format!("{HEX} "), &format!("+{}", &HEX[1..]), &"é".repeat(20)] {
            assert_eq!(Thumbprint::from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_identifier_is_read_in_every_spelling_client_libraries_use() {
        // 0xfb and 0xff give `+`, `/`, `-` and `_` in the encodings.
        for bytes in [vec![0xfb; 20], vec![0xff; 20], vec![0xfb; 32], vec![0xff; 32]] {
            let hex = if bytes[0] == 0xfb { "fb" } else { "ff" }.repeat(bytes.len());
            for text in [
                STANDARD.encode(&bytes),
                STANDARD_NO_PAD.encode(&bytes),
                URL_SAFE.encode(&bytes),
                URL_SAFE.encode(&bytes).trim_end_matches('=').to_owned(),
                hex.to_uppercase(),
                hex,
            ] {
                assert_eq!(decode_key_identifier(&text), Some(bytes.clone()), "{text}");
            }
        }
    }

    #[test]
    fn a_hash_member_is_whatever_its_base64_stands_for() {
        let bytes: Vec<u8> = (236..=255).collect();
        for text in
            ["7O3u7_Dx8vP09fb3-Pn6-_z9_v8", "7O3u7_Dx8vP09fb3-Pn6-_z9_v8=", "7O3u7/Dx8vP09fb3+Pn6+/z9/v8="]
        {
            assert_eq!(decode_hash_member(text), Some(bytes.clone()), "{text}");
        }
        // Forty hex digits are base64 of thirty bytes, and nothing more is known of them here.
        assert_eq!(decode_hash_member(HEX).map(|bytes| bytes.len()), Some(30));
        assert_eq!(decode_hash_member(&STANDARD.encode(HEX)), Some(HEX.as_bytes().to_vec()));
        for bad in ["", "=", "{THUMBPRINT}", "A", "é"] {
            assert_eq!(decode_hash_member(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_identifier_of_another_length_or_alphabet_is_nothing() {
        for bad in [
            String::new(),
            "=".repeat(28),
            "AAAA".to_owned(),
            format!("{HEX}00"),
            "z".repeat(40),
            "qZk-NkcGgWq6PiVxeFDCbJzQ2J0!".to_owned(),
            "é".repeat(20),
            "A".repeat(1 << 20),
        ] {
            assert_eq!(decode_key_identifier(&bad), None, "{bad:.80}");
        }
    }

    #[test]
    fn a_pasted_thumbprint_may_have_spaces_and_any_case_but_no_hidden_character() {
        let expected = Some(Thumbprint::of_der(b"abc"));
        let spaced = "a9 99 3e 36 47 06 81 6a ba 3e 25 71 78 50 c2 6c 9c d0 d8 9d ";
        let read = PastedThumbprint::read(spaced);
        assert_eq!((read.thumbprint, read.hidden_characters, read.intended), (expected, false, expected));
        for hidden in ['\u{200e}', '\u{feff}', '\u{a0}', '\u{200b}', '\u{ad}', '\0'] {
            let read = PastedThumbprint::read(&format!("{hidden}{HEX}"));
            assert_eq!((read.thumbprint, read.hidden_characters, read.intended), (None, true, expected));
        }
    }

    #[test]
    fn a_text_that_is_no_thumbprint_names_nothing() {
        for bad in ["", "   ", "{THUMBPRINT}", &HEX.repeat(2), &"0".repeat(1 << 20)] {
            let read = PastedThumbprint::read(bad);
            assert_eq!((read.thumbprint, read.hidden_characters, read.intended), (None, false, None));
        }
    }
}
