//! `$expand`: which related rows come with a row, and what is asked of them (URL conventions 5.1.2).
//!
//! Decides the items and their options, one level at a time: what an item expands in turn stays text until it is asked for,
//! so that depth is the caller's to bound. Whether there is such a navigation property is the surface's to know.

use crate::error::{QueryError, QueryErrorKind, SyntaxErrorKind, excerpt};
use crate::query::QueryOptions;
use crate::{MAX_DEPTH, MAX_EXPAND, MAX_TEXT};

/// One item of `$expand`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expand {
    /// The navigation property, with what follows it (`/$ref`) as written.
    pub navigation: String,
    /// What stands in its parentheses.
    pub options: QueryOptions,
}

impl Expand {
    /// Reads a percent-decoded list of at most [`crate::MAX_TEXT`] bytes and [`crate::MAX_EXPAND`] items.
    pub fn parse(text: &str) -> Result<Vec<Self>, QueryError> {
        let fail = |kind: QueryErrorKind| QueryError { option: "$expand".to_owned(), offset: 0, kind };
        if text.len() > MAX_TEXT {
            return Err(fail(SyntaxErrorKind::TooLong { limit: MAX_TEXT }.into()));
        }
        let parts = split(text, ',').map_err(|kind| fail(kind.into()))?;
        if parts.len() > MAX_EXPAND {
            return Err(fail(SyntaxErrorKind::TooManyItems { limit: MAX_EXPAND }.into()));
        }
        parts.into_iter().map(Self::item).collect()
    }

    fn item(text: &str) -> Result<Self, QueryError> {
        let fail = |expected: &'static str| QueryError {
            option: "$expand".to_owned(),
            offset: 0,
            kind: SyntaxErrorKind::UnexpectedEnd { expected }.into(),
        };
        let text = text.trim();
        let (navigation, inner) = match text.split_once('(') {
            None => (text, None),
            Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(')').ok_or_else(|| fail("')'"))?)),
        };
        let named = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '/' | '$' | '*');
        if navigation.is_empty() || !navigation.chars().all(named) {
            let text = excerpt(navigation);
            let kind = if text.is_empty() {
                SyntaxErrorKind::UnexpectedEnd { expected: "a navigation property" }
            } else {
                SyntaxErrorKind::UnsupportedName { text }
            };
            return Err(QueryError { option: "$expand".to_owned(), offset: 0, kind: kind.into() });
        }
        let options = match inner {
            None => QueryOptions::default(),
            Some(inner) => {
                let pairs = split(inner, ';').map_err(|kind| QueryError {
                    option: "$expand".to_owned(),
                    offset: 0,
                    kind: kind.into(),
                })?;
                QueryOptions::nested(&pairs)?
            }
        };
        Ok(Self { navigation: navigation.to_owned(), options })
    }
}

/// Splits at a character that stands outside quotes and parentheses.
fn split(text: &str, separator: char) -> Result<Vec<&str>, SyntaxErrorKind> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            // a doubled quote closes and opens again
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' if depth >= MAX_DEPTH => return Err(SyntaxErrorKind::TooDeep { limit: MAX_DEPTH }),
            '(' => depth += 1,
            ')' if depth == 0 => {
                return Err(SyntaxErrorKind::Unexpected { expected: "a navigation property", found: ')' });
            }
            ')' => depth -= 1,
            _ if letter == separator && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    if quoted {
        return Err(SyntaxErrorKind::UnterminatedString);
    }
    if depth > 0 {
        return Err(SyntaxErrorKind::UnexpectedEnd { expected: "')'" });
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        Expand::parse(text).unwrap().into_iter().map(|item| item.navigation).collect()
    }

    #[test]
    fn items_have_their_options_and_keep_what_is_nested_in_them() {
        let items = Expand::parse(
            "a($select=x,y;$filter=n eq 'a;b,(c' and m eq 1;$expand=b($select=z;$expand=c)),d, e",
        )
        .unwrap();
        assert_eq!(items.len(), 3);
        assert_eq!(items[0].options.select.as_deref(), Some(&["x".to_owned(), "y".to_owned()][..]));
        assert_eq!(items[0].options.filter.as_ref().unwrap().to_string(), "n eq 'a;b,(c' and m eq 1");
        assert_eq!(items[0].options.expand.as_deref(), Some("b($select=z;$expand=c)"));
        assert_eq!(items[1], Expand { navigation: "d".to_owned(), options: QueryOptions::default() });
        assert_eq!(names("a,b/$ref , c"), ["a", "b/$ref", "c"]);
    }

    #[test]
    fn what_is_no_list_of_navigation_properties_is_refused() {
        for text in
            ["", "a,", "a(", "a)", "a(($select=x)", "a($select=x))", "a b", "a($select='x)", "a($top=x)"]
        {
            assert!(Expand::parse(text).is_err(), "{text}");
        }
        assert!(Expand::parse(&"(".repeat(5_000)).is_err());
        assert!(Expand::parse(&vec!["a"; MAX_EXPAND + 1].join(",")).is_err());
    }
}
