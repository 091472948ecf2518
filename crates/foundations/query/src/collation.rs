//! Text comparison as both products' SQL collations do it: without regard to case.
//!
//! Decides case only. Accents, width and kana are told apart (they are in `SQL_Latin1_General_CP1_CI_AS`); trailing
//! spaces are told apart too, although SQL Server pads them.

use std::cmp::Ordering;

/// Orders two texts by their characters, each in lower case if `ignore_case`.
pub fn compare_text(left: &str, right: &str, ignore_case: bool) -> Ordering {
    if left == right {
        Ordering::Equal
    } else if ignore_case {
        left.chars().flat_map(char::to_lowercase).cmp(right.chars().flat_map(char::to_lowercase))
    } else {
        left.cmp(right)
    }
}

/// Whether two texts are the same, without regard to case if `ignore_case`.
pub fn equal_text(left: &str, right: &str, ignore_case: bool) -> bool {
    compare_text(left, right, ignore_case) == Ordering::Equal
}

/// The text with every character in lower case: two texts are equal without regard to case exactly if their folded
/// forms are equal.
pub fn fold_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_beyond_ascii_and_accents_are_not() {
        assert!(equal_text("ÅNGSTRÖM us-001", "ångström US-001", true));
        assert!(!equal_text("resume", "résumé", true));
        assert!(!equal_text("a", "A", false));
        assert_eq!(compare_text("B", "a", true), Ordering::Greater);
    }
}
