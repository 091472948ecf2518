//! The `Prefer` header (RFC 7240; OData protocol 8.2.8).
//!
//! Decides which preferences are stated. Never fails: a preference that cannot be read or is unknown is no error, it is
//! simply not applied (RFC 7240 section 2). Of one stated twice the first counts.

use crate::MAX_TEXT;

/// `return`: what the answer to a change should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// The changed row.
    Representation,
    /// Nothing beyond the headers.
    Minimal,
}

/// The preferences a request states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// `return=representation` or `return=minimal`.
    pub returning: Option<Return>,
    /// `odata.include-annotations`, the list as written: `*`, `OData.Community.Display.V1.FormattedValue`.
    pub include_annotations: Option<String>,
    /// `odata.maxpagesize`, rows per page; zero is no preference.
    pub max_page_size: Option<u64>,
    /// Every other preference in order: name in lower case, value without its quotes.
    pub others: Vec<(String, Option<String>)>,
}

impl Preferences {
    /// Reads every `Prefer` value of a request. The `odata.` prefix may be left out (protocol 4.01).
    pub fn parse<'h>(values: impl IntoIterator<Item = &'h str>) -> Self {
        let mut preferences = Self::default();
        for value in values {
            if value.len() > MAX_TEXT {
                continue;
            }
            for item in split_unquoted(value, ',') {
                // parameters after `;` belong to preferences that none of ours have
                let preference = split_unquoted(item, ';').next().unwrap_or_default();
                let (name, value) = match preference.split_once('=') {
                    Some((name, value)) => (name.trim(), Some(unquoted(value.trim()))),
                    None => (preference.trim(), None),
                };
                if !name.is_empty() {
                    preferences.state(name.to_ascii_lowercase(), value);
                }
            }
        }
        preferences
    }

    /// Whether `odata.include-annotations` asks for the annotation of that name: the most specific item of the list
    /// that matches decides, `-` excludes (protocol 8.2.8.4).
    pub fn wants_annotation(&self, name: &str) -> bool {
        let Some(list) = &self.include_annotations else { return false };
        let mut decided = (0, false);
        for item in list.split(',').map(str::trim) {
            let (pattern, wanted) = match item.strip_prefix('-') {
                Some(pattern) => (pattern, false),
                None => (item, true),
            };
            let specificity = match pattern.strip_suffix('*') {
                Some("") => 1,
                Some(prefix) if name.starts_with(prefix) => 1 + prefix.len(),
                None if pattern == name => usize::MAX,
                _ => 0,
            };
            if specificity > decided.0 {
                decided = (specificity, wanted);
            }
        }
        decided.1
    }

    fn state(&mut self, name: String, value: Option<String>) {
        match name.strip_prefix("odata.").unwrap_or(&name) {
            "return" => {
                let returning = match value.as_deref() {
                    Some("representation") => Some(Return::Representation),
                    Some("minimal") => Some(Return::Minimal),
                    _ => None,
                };
                self.returning = self.returning.or(returning);
            }
            "include-annotations" => {
                self.include_annotations = self.include_annotations.take().or(value);
            }
            "maxpagesize" => {
                let size = value.and_then(|value| value.parse().ok()).filter(|&size| size > 0);
                self.max_page_size = self.max_page_size.or(size);
            }
            _ => self.others.push((name, value)),
        }
    }
}

/// Splits at `separator` outside quoted strings; a backslash inside one escapes the next character.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character: char| {
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        } else if !quoted && character == separator {
            return true;
        }
        false
    })
}

/// Undoes a quoted string (RFC 9110 section 5.6.4); a bare token stays as it is.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferences_of_real_clients_are_read() {
        let preferences = Preferences::parse([
            "return=representation, odata.include-annotations=\"*\"",
            "odata.maxpagesize=50;x=1, respond-async, Wait=10",
        ]);
        assert_eq!(preferences.returning, Some(Return::Representation));
        assert_eq!(preferences.include_annotations.as_deref(), Some("*"));
        assert_eq!(preferences.max_page_size, Some(50));
        assert_eq!(
            preferences.others,
            [("respond-async".to_owned(), None), ("wait".to_owned(), Some("10".to_owned()))]
        );
    }

    #[test]
    fn the_first_statement_counts_and_nonsense_is_ignored() {
        let preferences = Preferences::parse([
            "return=nonsense,return=minimal,return=representation,,=,odata.maxpagesize=0",
        ]);
        assert_eq!(preferences.returning, Some(Return::Minimal));
        assert_eq!(preferences.max_page_size, None);
        assert_eq!(Preferences::parse(["return"]).returning, None);
    }

    #[test]
    fn commas_and_quotes_inside_a_quoted_value_are_its_own() {
        let preferences = Preferences::parse([r#"include-annotations="a.b,\"c\";d", return=minimal"#]);
        assert_eq!(preferences.include_annotations.as_deref(), Some(r#"a.b,"c";d"#));
        assert_eq!(preferences.returning, Some(Return::Minimal));
    }

    #[test]
    fn the_most_specific_annotation_pattern_decides() {
        let wants = |list: &str, name: &str| {
            Preferences { include_annotations: Some(list.into()), ..Preferences::default() }
                .wants_annotation(name)
        };
        assert!(wants("*", "Microsoft.PowerApps.CDS.HelpLink"));
        assert!(!wants("*,-Microsoft.*", "Microsoft.PowerApps.CDS.HelpLink"));
        assert!(wants("-Microsoft.*,Microsoft.PowerApps.CDS.HelpLink", "Microsoft.PowerApps.CDS.HelpLink"));
        assert!(!wants("OData.Community.*", "Microsoft.PowerApps.CDS.HelpLink"));
        assert!(!Preferences::default().wants_annotation("a.b"));
    }
}
