//! The reading head shared by the parsers: a place in bounded text.

use crate::MAX_TEXT;
use crate::error::{SyntaxError, SyntaxErrorKind};

/// A place in decoded text of at most [`MAX_TEXT`] bytes.
pub(crate) struct Cursor<'t> {
    text: &'t str,
    position: usize,
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(text: &'t str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_TEXT {
            return Err(SyntaxError::new(MAX_TEXT, SyntaxErrorKind::TooLong { limit: MAX_TEXT }));
        }
        Ok(Self { text, position: 0 })
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn rest(&self) -> &'t str {
        // The position only ever advances by whole characters, so this is never `None`.
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    /// Moves past `text`, which the caller took from [`Cursor::rest`].
    pub(crate) fn advance(&mut self, text: &str) {
        self.position += text.len();
    }

    /// Moves to an earlier place, as given by [`Cursor::position`].
    pub(crate) fn rewind(&mut self, position: usize) {
        self.position = position;
    }

    /// Moves past `character` if it is next.
    pub(crate) fn accept(&mut self, character: char) -> bool {
        let found = self.rest().starts_with(character);
        if found {
            self.position += character.len_utf8();
        }
        found
    }

    /// Moves past the longest run of characters that satisfy `wanted`.
    pub(crate) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|character| !wanted(character)).unwrap_or(rest.len());
        let run = rest.get(..end).unwrap_or_default();
        self.advance(run);
        run
    }

    /// Moves past spaces and tabs (ABNF `BWS`); says whether there were any.
    pub(crate) fn skip_space(&mut self) -> bool {
        !self.take_while(|character| matches!(character, ' ' | '\t')).is_empty()
    }

    /// Moves past an identifier (ABNF `odataIdentifier`: a letter or `_`, then up to 127 letters, digits or `_`), or
    /// gives `None` without moving.
    pub(crate) fn identifier(&mut self) -> Option<&'t str> {
        if !self.peek().is_some_and(|first| first.is_alphabetic() || first == '_') {
            return None;
        }
        let start = self.position;
        let name = self.take_while(|character| character.is_alphanumeric() || character == '_');
        if name.chars().count() > 128 {
            self.position = start;
            return None;
        }
        Some(name)
    }

    /// Moves past identifiers joined by dots, or gives `None` without moving.
    pub(crate) fn qualified_name(&mut self) -> Option<&'t str> {
        let start = self.position;
        self.identifier()?;
        loop {
            let end = self.position;
            if !self.accept('.') {
                break;
            }
            if self.identifier().is_none() {
                self.position = end;
                break;
            }
        }
        self.text.get(start..self.position)
    }

    pub(crate) fn error(&self, kind: SyntaxErrorKind) -> SyntaxError {
        SyntaxError::new(self.position, kind)
    }

    /// The error for finding anything but `expected` here.
    pub(crate) fn unexpected(&self, expected: &'static str) -> SyntaxError {
        self.error(match self.peek() {
            Some(found) => SyntaxErrorKind::Unexpected { expected, found },
            None => SyntaxErrorKind::UnexpectedEnd { expected },
        })
    }
}
