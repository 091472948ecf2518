//! Patterns of texts: `*` of Finance and Operations, `%`, `_` and `[..]` of SQL's `like`.
//!
//! Decides whether a text is of one, without regard to case. A text is gone through with one place to come back to, so the work
//! is bounded by the product of both lengths.

use crate::collation::fold_case;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Any characters, none included.
    Any,
    /// One character.
    One,
    /// This character.
    Exactly(char),
    /// One of these, or none of them.
    Among { ranges: Vec<(char, char)>, negated: bool },
}

impl Pattern {
    /// A pattern in which `*` stands for any characters.
    pub fn of_stars(text: &str) -> Self {
        let folded = fold_case(text);
        Self(folded.chars().map(|one| if one == '*' { Piece::Any } else { Piece::Exactly(one) }).collect())
    }

    /// A pattern as SQL Server's `like` reads one.
    pub fn of_like(text: &str) -> Self {
        let folded = fold_case(text);
        let mut letters = folded.chars();
        let mut pieces = Vec::new();
        while let Some(letter) = letters.next() {
            pieces.push(match letter {
                '%' => Piece::Any,
                '_' => Piece::One,
                '[' => match letters.as_str().split_once(']') {
                    Some((set, rest)) => {
                        letters = rest.chars();
                        among(set)
                    }
                    None => Piece::Exactly('['),
                },
                letter => Piece::Exactly(letter),
            });
        }
        Self(pieces)
    }

    /// Whether a text is of it.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let (mut at, mut piece) = (0, 0);
        // where to go on if what follows the last `Any` does not fit
        let mut back: Option<(usize, usize)> = None;
        loop {
            match (self.0.get(piece), text.get(at)) {
                (Some(Piece::Any), _) => {
                    back = Some((at, piece));
                    piece += 1;
                }
                (Some(one), Some(letter)) if one.takes(*letter) => {
                    at += 1;
                    piece += 1;
                }
                (None, None) => return true,
                _ => match back {
                    Some((from, any)) if from < text.len() => {
                        back = Some((from + 1, any));
                        at = from + 1;
                        piece = any + 1;
                    }
                    _ => return false,
                },
            }
        }
    }
}

impl Piece {
    fn takes(&self, letter: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Exactly(one) => *one == letter,
            Self::Among { ranges, negated } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter)) != *negated
            }
        }
    }
}

/// What stands between brackets: `a-f0`, `^x`.
fn among(set: &str) -> Piece {
    let negated = set.starts_with('^');
    let letters: Vec<char> = set.chars().skip(usize::from(negated)).collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(first) = letters.get(at) {
        match (letters.get(at + 1), letters.get(at + 2)) {
            (Some('-'), Some(last)) => {
                ranges.push((*first, *last));
                at += 3;
            }
            _ => {
                ranges.push((*first, *first));
                at += 1;
            }
        }
    }
    Piece::Among { ranges, negated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (text, pattern, holds) in [
            ("FID-1", "fid*", true),
            ("A FID", "fid*", false),
            ("A FID", "*fid", true),
            ("a-b-c", "a*b*c", true),
            ("ab", "a*b*b", false),
            ("aXb", "a**b", true),
            ("", "*", true),
            ("", "", true),
            ("a", "", false),
            ("50%", "50%", true),
        ] {
            assert_eq!(Pattern::of_stars(pattern).matches(text), holds, "{text} {pattern}");
        }
    }

    #[test]
    fn like_is_that_of_sql() {
        for (text, pattern, holds) in [
            ("Sample (sample) one", "%(sample)%", true),
            ("abc", "a_c", true),
            ("ac", "a_c", false),
            ("b5", "[a-c][0-9]", true),
            ("d5", "[a-c]%", false),
            ("d5", "[^a-c]%", true),
            ("a[", "a[", true),
            ("50%", "50[%]", true),
            ("500", "50[%]", false),
        ] {
            assert_eq!(Pattern::of_like(pattern).matches(text), holds, "{text} {pattern}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends_soon() {
        let pattern = Pattern::of_stars(&"*a".repeat(1_000));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(10_000))));
    }
}
