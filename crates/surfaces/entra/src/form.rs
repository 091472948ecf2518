//! `application/x-www-form-urlencoded` as the token endpoint reads it.
//!
//! Decides that a parameter may stand only once, that an empty value is as good as none, and that text which is not
//! UTF-8 or not percent-encoded properly makes the whole form unreadable. Bounded in bytes and in parameters. Never
//! decides which parameters there must be.

use std::borrow::Cow;

use mocktenant_lab::request::percent_decoded;

use crate::errors::EntraError;

/// Longest form that is read: 256 KiB. A client assertion has 64 KiB at most.
pub(crate) const MAX_FORM_BYTES: usize = 256 * 1024;
/// More parameters than any client sends.
pub(crate) const MAX_PARAMETERS: usize = 100;

/// The parameters of one request, in the order sent.
#[derive(Debug, Default)]
pub(crate) struct Form<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

impl<'r> Form<'r> {
    /// Reads a form or a query.
    pub(crate) fn parse(bytes: &'r [u8]) -> Result<Self, EntraError> {
        if bytes.len() > MAX_FORM_BYTES {
            return Err(EntraError::FormMalformed);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| EntraError::FormMalformed)?;
        let mut parameters: Vec<(Cow<'r, str>, Cow<'r, str>)> = Vec::with_capacity(8);
        for piece in text.split('&').filter(|piece| !piece.is_empty()) {
            if parameters.len() == MAX_PARAMETERS {
                return Err(EntraError::FormMalformed);
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(EntraError::FormMalformed);
            };
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(EntraError::ParameterDuplicated { name: name.into_owned() });
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// A parameter that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }
}

/// Decodes `+` and `%XX`; `None` for anything else that begins with `%`, and for what is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return percent_decoded(text);
    }
    percent_decoded(&text.replace('+', " ")).map(|decoded| Cow::Owned(decoded.into_owned()))
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
    fn what_cannot_be_read_is_refused_whole() {
        let long = "a".repeat(MAX_FORM_BYTES + 1);
        let many = (0..=MAX_PARAMETERS).map(|index| format!("p{index}=1")).collect::<Vec<_>>().join("&");
        for bad in
            [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%+1", b"a=%ff", b"\xff=1", long.as_bytes(), many.as_bytes()]
        {
            assert_eq!(Form::parse(bad).unwrap_err(), EntraError::FormMalformed);
        }
        assert_eq!(
            Form::parse(b"a=1&b=2&%61=1").unwrap_err(),
            EntraError::ParameterDuplicated { name: "a".to_owned() }
        );
    }
}
