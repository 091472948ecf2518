//! Shared secrets that somebody presents, beside the one that is known.
//!
//! Decides whether two are the same, and of a wrong one what was done to the right one, where that can be told. Never says
//! what either is, and never decides whether a secret is good.

use mocktenant_lab::request::percent_decoded;
use subtle::ConstantTimeEq as _;

use crate::form::decode_lossy;

/// Compares without telling by its duration where two texts part; a habit, the secrets here are published.
pub fn same(known: &str, presented: &str) -> bool {
    known.as_bytes().ct_eq(presented.as_bytes()).into()
}

/// What was done to a secret until it was what was presented, and what a person would do instead; `None` where it is another
/// one. Asked only of what was refused already.
pub fn spoilt(known: &str, presented: &str) -> Option<(&'static str, &'static str)> {
    const ENCODE_ONCE: &str = "URL-encode the secret once: a form does it by itself";
    const ENCODE: &str =
        "URL-encode the secret: sent bare, a form takes `+` for a blank and `%` for an escape";
    const AS_IT_IS: &str =
        "send the Value of the client secret as it is, without blanks, line ends or quotation marks";
    let bare = presented.trim();
    let unquoted = bare.trim_matches(['"', '\'']);
    if bare == known.trim() {
        return Some(("the secret with blanks or line ends around it", AS_IT_IS));
    }
    if unquoted == known {
        return Some(("the secret in quotation marks", AS_IT_IS));
    }
    let encoded_again = |text: &str| {
        percent_decoded(text).is_some_and(|decoded| decoded == known) || decode_lossy(text) == known
    };
    if encoded_again(bare) {
        return Some(("the secret, URL-encoded once more", ENCODE_ONCE));
    }
    if known.contains('+') && presented.replace(' ', "+") == known {
        return Some(("the secret with its `+` read as a blank", ENCODE));
    }
    if decode_lossy(known) == presented {
        return Some(("the secret, decoded once too often", ENCODE));
    }
    known.eq_ignore_ascii_case(bare).then_some(("the secret in another letter case", AS_IT_IS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_to_a_secret_is_named_and_anything_else_is_another_one() {
        let said = |known: &str, presented: &str| spoilt(known, presented).map_or("", |(said, _)| said);
        for (known, presented, expected) in [
            ("a~b", " a~b\r\n", "the secret with blanks or line ends around it"),
            ("a~b", "\"a~b\"", "the secret in quotation marks"),
            ("a+b/c", "a%2Bb%2Fc", "the secret, URL-encoded once more"),
            ("a b", "a+b", "the secret, URL-encoded once more"),
            ("a+b", "a b", "the secret with its `+` read as a blank"),
            ("a%41b+", "aAb ", "the secret, decoded once too often"),
            ("aBc", "abc", "the secret in another letter case"),
            ("abc", "abd", ""),
            ("abc", "", ""),
            ("abc", "%", ""),
        ] {
            assert_eq!(said(known, presented), expected, "{known} {presented}");
        }
    }
}
