//! `application/x-www-form-urlencoded` as a token endpoint reads it (RFC 6749 appendix B).
//!
//! Decides that a parameter may stand only once, that an empty value is as good as none, that a `%` which begins no escape
//! is a `%`, and that text which is not UTF-8 makes the whole form unreadable. Bounded in bytes and in parameters. Never
//! decides which parameters there must be.

use std::borrow::Cow;

/// Why a form is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// It is too long, has too many parameters, or is no UTF-8.
    #[error("a form that cannot be read")]
    Malformed,
    /// A parameter stands more than once.
    #[error("the parameter {name} stands more than once")]
    Repeated {
        /// Its name.
        name: String,
    },
}

/// Longest form that is read: 256 KiB. A client assertion has 64 KiB at most.
pub const MAX_FORM_BYTES: usize = 256 * 1024;
/// More parameters than any client sends.
pub const MAX_PARAMETERS: usize = 100;

/// The parameters of one request, in the order sent.
#[derive(Debug, Default)]
pub struct Form<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

impl<'r> Form<'r> {
    /// Reads a form or a query.
    pub fn parse(bytes: &'r [u8]) -> Result<Self, FormError> {
        if bytes.len() > MAX_FORM_BYTES {
            return Err(FormError::Malformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| FormError::Malformed)?;
        let mut form = Self(Vec::with_capacity(8));
        for piece in text.split('&').filter(|piece| !piece.is_empty()) {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(FormError::Malformed);
            };
            form.push(name, value)?;
        }
        Ok(form)
    }

    /// Adds a parameter.
    pub fn push(&mut self, name: Cow<'r, str>, value: Cow<'r, str>) -> Result<(), FormError> {
        if self.0.len() == MAX_PARAMETERS {
            return Err(FormError::Malformed);
        }
        if self.0.iter().any(|(known, _)| *known == name) {
            return Err(FormError::Repeated { name: name.into_owned() });
        }
        self.0.push((name, value));
        Ok(())
    }

    /// Every parameter, empty ones too, in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// A parameter that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }
}

/// Decodes `+` and `%XX`; `None` for what is not UTF-8 then.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    match decoded(text) {
        None => Some(Cow::Borrowed(text)),
        Some(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

/// The same with a replacement character for what is not UTF-8.
pub fn decode_lossy(text: &str) -> Cow<'_, str> {
    match decoded(text) {
        None => Cow::Borrowed(text),
        Some(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
    }
}

/// The bytes a text stands for; `None` where it stands for itself.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut left = text.as_bytes();
    if !left.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return None;
    }
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(left.len());
    while let Some((&first, rest)) = left.split_first() {
        left = rest;
        match (first, rest) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    left = after;
                }
                _ => out.push(b'%'),
            },
            (byte, _) => out.push(byte),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_once_and_an_empty_value_counts_as_none() {
        let form = Form::parse(b"a=1+2%2B3&b=&c&&%C3%A4=%E2%82%AC&d=x=y").unwrap();
        assert_eq!(form.get("a"), Some("1 2+3"));
        assert_eq!((form.get("b"), form.get("c")), (None, None));
        assert_eq!(form.get("ä"), Some("€"));
        assert_eq!(form.get("d"), Some("x=y"));
        assert!(Form::parse(b"").unwrap().get("a").is_none());
    }

    #[test]
    fn a_percent_sign_that_begins_no_escape_is_a_percent_sign() {
        let form = Form::parse(b"a=%&b=%4&c=%zz&d=%+1&e=100%25%&f=%%41&g%=x").unwrap();
        let read: Vec<(&str, &str)> = form.iter().collect();
        let expected =
            [("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "% 1"), ("e", "100%%"), ("f", "%A"), ("g%", "x")];
        assert_eq!(read, expected);
        assert_eq!(decode_lossy("%ff+%"), "\u{fffd} %");
    }

    #[test]
    fn what_cannot_be_read_is_refused_whole() {
        let long = "a".repeat(MAX_FORM_BYTES + 1);
        let many = (0..=MAX_PARAMETERS).map(|index| format!("p{index}=1")).collect::<Vec<_>>().join("&");
        for bad in [&b"a=%ff"[..], b"a=%c3%", b"\xff=1", long.as_bytes(), many.as_bytes()] {
            assert_eq!(Form::parse(bad).unwrap_err(), FormError::Malformed);
        }
        assert_eq!(Form::parse(b"a=1&b=2&%61=1").unwrap_err(), FormError::Repeated { name: "a".to_owned() });
    }
}
