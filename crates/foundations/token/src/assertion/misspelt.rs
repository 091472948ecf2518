//! What a client did to the thumbprint of its certificate before it put it into `x5t` or `x5t#S256`.
//!
//! Decides only which mistake it is, of those that look right to whoever made them: the hash of the other kind, the
//! hexadecimal text a certificate dialog shows, the base64 of that text, an id. A provider looks none of them up; this is
//! for the person who asks why. Looked for only once no certificate was found.

use mocktenant_keys::{Certificate, Thumbprint, Thumbprint256};

use crate::{Header, KeyIdentifier, KeyMember};

/// A thumbprint that is not written as its member wants it.
#[derive(Clone, Debug)]
pub struct Misspelt {
    /// What the member holds instead, in a few words.
    pub holds: &'static str,
    /// What would be right, for a person.
    pub advice: &'static str,
    /// The certificate it stands for.
    pub(crate) means: Option<Means>,
}

/// A thumbprint of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    Sha1(Thumbprint),
    Sha256(Thumbprint256),
}

impl Means {
    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let sha1 = Thumbprint::try_from(bytes).ok().map(Self::Sha1);
        sha1.or_else(|| Thumbprint256::try_from(bytes).ok().map(Self::Sha256))
    }

    fn of_hex(text: &str) -> Option<Self> {
        let sha1 = Thumbprint::from_hex(text).map(Self::Sha1);
        sha1.or_else(|| Thumbprint256::from_hex(text).map(Self::Sha256))
    }

    pub(crate) fn is(self, certificate: &Certificate) -> bool {
        match self {
            Self::Sha1(own) => certificate.thumbprint() == own,
            Self::Sha256(own) => certificate.thumbprint256() == own,
        }
    }
}

impl Misspelt {
    /// The first mistake in a header; `None` where its members hold hashes of their own kind.
    pub(crate) fn of(header: Header<'_>) -> Option<Self> {
        header.key_identifiers().iter().find_map(one)
    }
}

fn one(identifier: &KeyIdentifier<'_>) -> Option<Misspelt> {
    let sha1 = match identifier.member {
        KeyMember::X5t => true,
        KeyMember::X5tS256 => false,
        KeyMember::Kid => return None,
    };
    let text = identifier.text.trim();
    let found = |means, [of_x5t, of_x5t_s256]: [&'static str; 2], advice: [&'static str; 2]| {
        let (holds, advice) = if sha1 { (of_x5t, advice[0]) } else { (of_x5t_s256, advice[1]) };
        Some(Misspelt { holds, advice, means })
    };
    if let Some(means) = Means::of_hex(text) {
        return found(
            Some(means),
            ["x5t holds the hexadecimal text itself", "x5t#S256 holds the hexadecimal text itself"],
            RIGHT,
        );
    }
    if is_guid(text) {
        return found(
            None,
            ["x5t holds a GUID, no hash of a certificate", "x5t#S256 holds a GUID, no hash of a certificate"],
            RIGHT,
        );
    }
    let Some(bytes) = identifier.bytes.as_deref() else {
        return found(None, ["x5t holds no base64", "x5t#S256 holds no base64"], RIGHT);
    };
    if let Some(means) = std::str::from_utf8(bytes).ok().and_then(|text| Means::of_hex(text.trim())) {
        return found(
            Some(means),
            [
                "x5t holds the base64 of the hexadecimal text",
                "x5t#S256 holds the base64 of the hexadecimal text",
            ],
            RIGHT,
        );
    }
    match Means::of_bytes(bytes) {
        Some(means @ Means::Sha256(_)) if sha1 => found(
            Some(means),
            ["x5t holds a SHA-256", ""],
            ["put a SHA-256 into x5t#S256, or the SHA-1 into x5t", ""],
        ),
        Some(means @ Means::Sha1(_)) if !sha1 => found(
            Some(means),
            ["", "x5t#S256 holds a SHA-1"],
            ["", "put a SHA-1 into x5t, or the SHA-256 into x5t#S256"],
        ),
        _ => None,
    }
}

/// What either member wants.
const RIGHT: [&str; 2] = [
    "x5t is the base64url of the 20 bytes of the certificate's SHA-1, not of a text",
    "x5t#S256 is the base64url of the 32 bytes of the certificate's SHA-256, not of a text",
];

/// `8-4-4-4-12` hexadecimal digits.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
