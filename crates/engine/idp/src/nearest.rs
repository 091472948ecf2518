//! The registered value that is nearest to one that was sent, and what the two differ in.
//!
//! Decides which of a few differences people do not see it is: letter case, a final slash, scheme, port, path, in an
//! identifier a few wrong letters. Providers compare registered identifiers and addresses as texts, so such a difference is a refusal. Never decides whether two
//! values count as the same: that is a provider's rule.

/// A registered value that was probably meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near<'k> {
    /// As registered.
    pub known: &'k str,
    /// What it differs in.
    pub by: &'static str,
}

/// A difference: its name, and whether two values have it and no other.
type Difference = (&'static str, fn(&str, &str) -> bool);

/// Differences, the smallest first.
const DIFFERENCES: [Difference; 7] = [
    ("a final slash", |sent, known| slashless(sent) == slashless(known)),
    ("letter case", str::eq_ignore_ascii_case),
    ("letter case and a final slash", |sent, known| slashless(sent).eq_ignore_ascii_case(slashless(known))),
    ("blanks around it", |sent, known| sent.trim() == known.trim()),
    ("its scheme", |sent, known| {
        let (sent, known) = (parts(sent), parts(known));
        matches!((sent, known), (Some(sent), Some(known)) if sent.1 == known.1 && slashless(sent.2) == slashless(known.2))
    }),
    ("its port", |sent, known| {
        let (sent, known) = (parts(sent), parts(known));
        matches!((sent, known), (Some(sent), Some(known))
            if host(&sent.1) == host(&known.1) && sent.0 == known.0 && slashless(sent.2) == slashless(known.2))
    }),
    ("its path", |sent, known| {
        let (sent, known) = (parts(sent), parts(known));
        matches!((sent, known), (Some(sent), Some(known)) if sent.0 == known.0 && sent.1 == known.1)
    }),
];

/// The nearest of the registered values; none where all of them are something else.
pub fn of<'k>(sent: &str, known: &[&'k str]) -> Option<Near<'k>> {
    DIFFERENCES.iter().find_map(|(by, is)| {
        let near = || known.iter().filter(|known| **known != sent && is(sent, known));
        // Of two that differ in a slash besides, the one that does not.
        let alike = near().find(|known| known.ends_with('/') == sent.ends_with('/'));
        alike.or_else(|| near().next()).map(|known| Near { known, by })
    })
}

/// Wrong letters that a person does not see in an identifier.
const LETTERS: usize = 3;

/// The registered identifier that was probably meant: one that differs in letter case, in blanks or braces around it, or in a few
/// letters that are wrong, missing, or too many; none where two are as near.
pub fn mistyped<'k>(sent: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let bare = |text: &str| text.trim_matches([' ', '{', '}']).to_ascii_lowercase().into_bytes();
    let sent = bare(sent);
    let near = known.filter_map(|one| {
        let one_bare = bare(one);
        let most = LETTERS.min(one_bare.len() / 4);
        Some((distance(&sent, &one_bare, most)?, one))
    });
    let near: Vec<(usize, &str)> = near.collect();
    let least = near.iter().map(|(distance, _)| *distance).min()?;
    let mut nearest = near.into_iter().filter(|(distance, _)| *distance == least);
    match (nearest.next(), nearest.next()) {
        (Some((_, one)), None) => Some(one),
        _ => None,
    }
}

/// Letters to change, add or take out (Levenshtein), up to so many.
fn distance(left: &[u8], right: &[u8], most: usize) -> Option<usize> {
    if left.len().abs_diff(right.len()) > most {
        return None;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().filter(|distance| *distance <= most)
}

fn slashless(text: &str) -> &str {
    text.strip_suffix('/').unwrap_or(text)
}

/// Scheme, authority in lower case, and the rest of a URL.
fn parts(url: &str) -> Option<(String, String, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some((scheme.to_ascii_lowercase(), rest[..at].to_ascii_lowercase(), &rest[at..]))
}

fn host(authority: &str) -> &str {
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_difference_is_named() {
        let known = [
            "https://ax.contoso.com/namespaces/AXSF",
            "https://ax.contoso.com",
            "urn:api",
            "https://b",
            "https://b/",
        ];
        for (sent, expected) in [
            ("https://ax.contoso.com/", Some(("https://ax.contoso.com", "a final slash"))),
            ("https://AX.contoso.com", Some(("https://ax.contoso.com", "letter case"))),
            ("https://AX.contoso.com/", Some(("https://ax.contoso.com", "letter case and a final slash"))),
            ("https://ax.contoso.com/namespaces/axsf", Some((known[0], "letter case"))),
            (" urn:api", Some(("urn:api", "blanks around it"))),
            ("http://b/", Some(("https://b/", "its scheme"))),
            ("http://ax.contoso.com", Some(("https://ax.contoso.com", "its scheme"))),
            ("https://ax.contoso.com:7445", Some(("https://ax.contoso.com", "its port"))),
            ("https://ax.contoso.com/data", Some((known[0], "its path"))),
            ("https://other.contoso.com", None),
            ("", None),
        ] {
            let found = of(sent, &known).map(|near| (near.known, near.by));
            assert_eq!(found, expected, "{sent}");
        }
    }

    #[test]
    fn an_identifier_with_a_few_wrong_letters_is_known_again() {
        let known = [
            "c0117050-0000-4000-8000-00000000a101",
            "c0117050-0000-4000-8000-00000000a001",
            "d8230a86-015d-4c14-bcd6-c7fb65176b16",
            "api",
        ];
        for (sent, expected) in [
            ("d8230a86-015d-4c14-bcd6-c7fb65176b61", Some(known[2])),
            ("{D8230A86-015D-4C14-BCD6-C7FB65176B16}", Some(known[2])),
            ("d8230a86015d-4c14-bcd6-c7fb65176b16", Some(known[2])),
            ("c0117050-0000-4000-8000-00000000a10", Some(known[0])),
            ("c0117050-0000-4000-8000-00000000a201", None),
            ("c0117050-0000-4000-8000-00000000b999", None),
            ("6f7d0213-62b1-43a8-b7f4-ff2bb8b7b452", None),
            ("app", None),
            ("", None),
        ] {
            assert_eq!(mistyped(sent, known.into_iter()), expected, "{sent}");
        }
        assert_eq!(mistyped(&"x".repeat(100_000), known.into_iter()), None);
    }
}
