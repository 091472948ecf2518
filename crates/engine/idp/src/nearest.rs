//! The registered value that is nearest to one that was sent, and what the two differ in.
//!
//! Decides which of a few differences people do not see it is: letter case, a final slash, scheme, port, path. Providers
//! compare registered identifiers and addresses as texts, so such a difference is a refusal. Never decides whether two
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
}
