//! Foreign text, before it stands in a text of ours.
//!
//! Decides how what a stranger sent is cut, so that no message grows with it, and how it is made harmless, so that it
//! can steer no terminal and hide from no reader. How long a text may be is the caller's to say.

use std::borrow::Cow;

/// The first `longest` characters. Nothing marks the cut: for texts of a product.
pub fn cut(text: &str, longest: usize) -> &str {
    text.char_indices().nth(longest).map_or(text, |(end, _)| &text[..end])
}

/// The first `longest` characters, and `...` where there are more.
pub fn excerpt(text: &str, longest: usize) -> Cow<'_, str> {
    let short = cut(text, longest);
    if short.len() < text.len() { Cow::Owned(format!("{short}...")) } else { Cow::Borrowed(text) }
}

/// Characters that steer a terminal or that a reader cannot see: controls, the no-break space, zero widths and joiners,
/// line and paragraph separators, and those that set the direction of writing (UAX #9, as in "Trojan Source").
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{a0}'
                | '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// The text without control characters and invisible ones: they are shown as Rust escapes. Escaping twice changes
/// nothing.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(deceives) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if deceives(character) {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_an_excerpt_says_so() {
        assert_eq!((cut("\u{e4}\u{f6}\u{fc}", 2), cut("ab", 2), cut("", 2)), ("\u{e4}\u{f6}", "ab", ""));
        assert_eq!(excerpt("\u{e4}\u{f6}\u{fc}", 2), "\u{e4}\u{f6}...");
        assert!(matches!(excerpt("ab", 2), Cow::Borrowed("ab")));
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(harmless("a\x1b[31mb\r\nc"), "a\\u{1b}[31mb\\r\\nc");
        assert!(matches!(harmless("plain é"), Cow::Borrowed(_)));
    }

    #[test]
    fn characters_nobody_sees_are_shown() {
        let unseen = "\u{a0}\u{200b}\u{200f}\u{2028}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}";
        let shown = harmless(unseen);
        assert_eq!(shown, "\\u{a0}\\u{200b}\\u{200f}\\u{2028}\\u{202a}\\u{202e}\\u{2066}\\u{2069}\\u{feff}");
        assert_eq!(harmless(&shown), shown, "escaping twice changes nothing");
    }
}
