//! `multipart/form-data` as the token endpoint reads it (RFC 7578).
//!
//! Decides that a part with a name and without a file name is a parameter, taken as it stands: nothing in it is decoded.
//! Parts are read as strictly as they are delimited; a body that is cut off, or no such body at all, is unreadable as a
//! whole. Never decides which parameters there must be, nor how often: that is [`Form`]'s.

use std::borrow::Cow;

use mime::Mime;

use mocktenant_idp::form::{Form, FormError, MAX_FORM_BYTES};

/// The boundary that a content type of this kind names; `None` for any other content type.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let kind: Mime = content_type.parse().ok()?;
    if kind.type_() != mime::MULTIPART || kind.subtype() != mime::FORM_DATA {
        return None;
    }
    Some(kind.get_param(mime::BOUNDARY).map(|boundary| boundary.as_str().to_owned()).unwrap_or_default())
}

/// Reads a body that is delimited by `boundary`.
pub(crate) fn parse<'r>(boundary: &str, body: &'r [u8]) -> Result<Form<'r>, FormError> {
    if boundary.is_empty() || body.len() > MAX_FORM_BYTES {
        return Err(FormError::Malformed);
    }
    let text = std::str::from_utf8(body).map_err(|_| FormError::Malformed)?;
    parts(boundary, text).ok_or(FormError::Malformed)?
}

/// `None` where the body does not end as it has to.
fn parts<'r>(boundary: &str, text: &'r str) -> Option<Result<Form<'r>, FormError>> {
    let delimiter = format!("\r\n--{boundary}");
    // What stands before the first delimiter says nothing.
    let mut left = match text.strip_prefix(&delimiter[2..]) {
        Some(left) => left,
        None => text.split_once(&delimiter)?.1,
    };
    let mut form = Form::default();
    while !left.starts_with("--") {
        let part = left.trim_start_matches([' ', '\t']);
        // A part without header fields begins with the empty line.
        let (head, content) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let (value, after) = content.split_once(&delimiter)?;
        if let Some(name) = name(head)
            && let Err(error) = form.push(name, Cow::Borrowed(value))
        {
            return Some(Err(error));
        }
        left = after;
    }
    Some(Ok(form))
}

/// The name of a part that is a parameter and no file.
fn name(head: &str) -> Option<Cow<'_, str>> {
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) =
        fields.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    let (kind, mut left) = disposition.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut found = None;
    loop {
        let (key, value) = left.split_once('=')?;
        let key = key.trim();
        let (value, rest) = match value.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, rest) =
                    value.split_once(';').map_or((value, None), |(value, rest)| (value, Some(rest)));
                (Cow::Borrowed(value.trim()), rest)
            }
        };
        if key.eq_ignore_ascii_case("filename") || key.eq_ignore_ascii_case("filename*") {
            return None;
        }
        if key.eq_ignore_ascii_case("name") {
            found = Some(value);
        }
        match rest {
            Some(rest) => left = rest,
            None => return found,
        }
    }
}

/// A quoted text behind its first quote, and what stands behind the next semicolon.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, Option<&str>)> {
    let mut escaped = false;
    let end = text.char_indices().find_map(|(at, letter)| match letter {
        _ if escaped => {
            escaped = false;
            None
        }
        '\\' => {
            escaped = true;
            None
        }
        '"' => Some(at),
        _ => None,
    })?;
    let (inside, behind) = (&text[..end], text[end + 1..].trim());
    let value = if inside.contains('\\') {
        Cow::Owned(inside.replace("\\\"", "\"").replace("\\\\", "\\"))
    } else {
        Cow::Borrowed(inside)
    };
    match behind.strip_prefix(';') {
        Some(rest) => Some((value, Some(rest))),
        None if behind.is_empty() => Some((value, None)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(head: &str, value: &str) -> String {
        format!("--b\r\n{head}\r\n\r\n{value}\r\n")
    }

    fn read(body: &str) -> Result<Vec<(String, String)>, FormError> {
        let form = parse("b", body.as_bytes())?;
        Ok(form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn a_part_with_a_name_is_a_parameter_as_it_stands() {
        let body = format!(
            "what comes first\r\n{}{}{}{}--b--\r\nwhat comes last",
            part("Content-Disposition: form-data; name=\"a\"", "1+2%41&b=c\r\n--not the end"),
            part("content-type: text/plain\r\ncontent-disposition:form-data;name=b", "ä"),
            part("Content-Disposition: form-data; name=\"c;\\\"d\"", ""),
            part("Content-Disposition: form-data; name=\"file\"; filename=\"x=y\"", "no parameter"),
        );
        let read = read(&body).unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(read, [("a", "1+2%41&b=c\r\n--not the end"), ("b", "ä"), ("c;\"d", "")]);
        for nothing in ["--b--", "--b--\r\n", "\r\n--b--"] {
            assert_eq!(parse("b", nothing.as_bytes()).unwrap().iter().count(), 0, "{nothing:?}");
        }
    }

    #[test]
    fn a_body_that_does_not_end_or_never_begins_is_refused_whole() {
        let whole = format!("{}--b--", part("Content-Disposition: form-data; name=a", "1"));
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]).unwrap_err(), FormError::Malformed, "{:?}", &whole[..end]);
        }
        for bad in ["a=1&b=2", "--bb\r\n\r\n\r\n--b--", "--b\r\nno empty line\r\n--b--"] {
            assert_eq!(read(bad).unwrap_err(), FormError::Malformed, "{bad:?}");
        }
        let twice = format!("{}{whole}", part("Content-Disposition: form-data; name=a", "2"));
        assert_eq!(read(&twice).unwrap_err(), FormError::Repeated { name: "a".to_owned() });
        assert_eq!(parse("", b"--\r\n").unwrap_err(), FormError::Malformed);
    }

    #[test]
    fn the_boundary_is_the_content_types() {
        assert_eq!(boundary("multipart/form-data; boundary=b").as_deref(), Some("b"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"b c\"").as_deref(), Some("b c"));
        assert_eq!(boundary("multipart/form-data").as_deref(), Some(""));
        for other in ["", "multipart/mixed; boundary=b", "application/json", "form-data; boundary=b"] {
            assert_eq!(boundary(other), None, "{other}");
        }
    }
}
