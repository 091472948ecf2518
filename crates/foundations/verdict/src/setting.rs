//! A setting: a pointer to one declared value.
//!
//! Decides how a pointer is spelt (RFC 6901 over the declaration, whose collections are maps keyed by the ids people
//! use), never where the value came from: origins live in `world`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// RFC 6901 pointer into the declaration, for instance
/// `/environments/onebox/web_config/Infrastructure.S2SCertThumbprint`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Setting(Cow<'static, str>);

impl Setting {
    /// A pointer known at compile time.
    pub const fn fixed(pointer: &'static str) -> Self {
        Self(Cow::Borrowed(pointer))
    }

    /// A pointer as someone wrote it, taken as it is.
    pub fn from_pointer(pointer: impl Into<String>) -> Self {
        Self(Cow::Owned(pointer.into()))
    }

    /// Builds a pointer from raw segments, escaping `~` and `/` as RFC 6901 section 3 asks.
    pub fn of<'s>(segments: impl IntoIterator<Item = &'s str>) -> Self {
        let mut pointer = String::with_capacity(64);
        for segment in segments {
            pointer.push('/');
            push_escaped(&mut pointer, segment);
        }
        Self(Cow::Owned(pointer))
    }

    /// This pointer with one more raw segment.
    #[must_use]
    pub fn join(&self, segment: &str) -> Self {
        let mut pointer = String::with_capacity(self.0.len() + segment.len() + 1);
        pointer.push_str(&self.0);
        pointer.push('/');
        push_escaped(&mut pointer, segment);
        Self(Cow::Owned(pointer))
    }

    /// The pointer's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The raw segments, unescaped.
    pub fn segments(&self) -> impl Iterator<Item = String> + '_ {
        self.0.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.strip_prefix(other.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

fn push_escaped(pointer: &mut String, segment: &str) {
    for character in segment.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_escaped_and_come_back() {
        let setting = Setting::of(["environments", "a/b~c", "web_config"]);
        assert_eq!(setting.as_str(), "/environments/a~1b~0c/web_config");
        assert_eq!(setting.segments().collect::<Vec<_>>(), ["environments", "a/b~c", "web_config"]);
    }

    #[test]
    fn within_means_the_same_or_below_and_never_a_longer_name() {
        let parent = Setting::fixed("/a/b");
        assert!(Setting::fixed("/a/b/c").is_within(&parent));
        assert!(Setting::fixed("/a/b").is_within(&parent));
        assert!(!Setting::fixed("/a/bc").is_within(&parent));
    }
}
