//! The nearest valid name to one that is not valid: the hint of every error.
//!
//! Decides how near is near (letter case and separators are free, then one edit per three characters). Never decides
//! what is valid, and never looks at text of more than [`LONGEST`] characters.

use std::borrow::Cow;

use mocktenant_verdict::foreign::excerpt;

/// Longer words are not compared: the cost grows with the square.
const LONGEST: usize = 96;

/// The candidate a person most likely meant by `word`; none if nothing is near, or `word` is itself a candidate.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let folded = fold(word)?;
    let allowed = (folded.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate == word {
            return None;
        }
        let Some(other) = fold(candidate) else { continue };
        if folded.len().abs_diff(other.len()) > allowed {
            continue;
        }
        let distance = distance(&folded, &other);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The sentence around [`nearest`].
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{}`?", plain(candidate)))
}

/// [`did_you_mean`], or else the candidates themselves while they fit on a line.
pub fn one_of<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> Option<String> {
    did_you_mean(word, candidates.clone()).or_else(|| {
        let mut list = String::new();
        for candidate in candidates {
            if list.len() + candidate.len() > 160 {
                list.push_str(", ...");
                break;
            }
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push('`');
            list.push_str(&plain(candidate));
            list.push('`');
        }
        (!list.is_empty()).then(|| format!("there is {list}"))
    })
}

/// `text` cut to what fits in a message, which is one line.
pub fn clip(text: &str) -> String {
    let cut = excerpt(text, LONGEST);
    plain(&cut).into_owned()
}

/// `text` with its control characters escaped: a name in a message cannot end the line or move a cursor.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

fn fold(word: &str) -> Option<Vec<char>> {
    if word.len() > 4 * LONGEST {
        return None;
    }
    let folded: Vec<char> =
        word.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).flat_map(char::to_lowercase).collect();
    (folded.len() <= LONGEST).then_some(folded)
}

/// Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, right) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(left != right)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{clip, nearest, one_of};

    #[test]
    fn a_slip_of_the_finger_case_or_separator_finds_the_name() {
        let names = ["web_config", "wif_config", "machine", "database"];
        for (word, expected) in [
            ("webconfig", Some("web_config")),
            ("Wif-Config", Some("wif_config")),
            ("mahcine", Some("machine")),
            ("databas", Some("database")),
            ("tenants", None),
            ("machine", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), expected, "{word}");
        }
    }

    #[test]
    fn a_name_in_a_message_stays_on_its_line() {
        assert_eq!(clip("a\nb\u{1b}[2J\u{85}\u{e4}"), "a\\nb\\u{1b}[2J\\u{85}\u{e4}");
        assert_eq!(one_of("zzz", ["a\rb"]).as_deref(), Some("there is `a\\rb`"));
    }

    #[test]
    fn a_huge_word_is_near_to_nothing_and_costs_nothing() {
        assert_eq!(nearest(&"x".repeat(1 << 20), ["x"]), None);
    }

    #[test]
    fn without_a_near_name_the_names_are_listed_while_they_fit() {
        assert_eq!(one_of("zzz", ["a", "b"]).as_deref(), Some("there is `a`, `b`"));
        assert_eq!(one_of("zzz", []), None);
        let many: Vec<String> = (0..1000).map(|n| format!("name{n}")).collect();
        assert!(one_of("zzz", many.iter().map(String::as_str)).is_some_and(|text| text.len() < 220));
    }
}
