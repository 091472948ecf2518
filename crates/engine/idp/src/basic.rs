//! Client id and secret in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
//!
//! Decides that both are form-encoded inside it, and that what is no base64 or names no client presents nothing. A secret
//! that was put there as it is may come out as another one, and is a wrong one then.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::form::decode_lossy;

/// Client id and secret; either may be empty.
pub fn read(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let decoded = String::from_utf8_lossy(&decoded);
    let (id, secret) = decoded.split_once(':')?;
    Some((decode_lossy(id).into_owned(), decode_lossy(secret).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(read(&header("id:a%3Ab+c")), Some(("id".into(), "a:b c".into())));
        assert_eq!(read(&header("id:")), Some(("id".into(), String::new())));
        assert_eq!(read(&header("id:50%")), Some(("id".into(), "50%".into())));
        assert_eq!(read(&header("id:%zz%ff")), Some(("id".into(), "%zz\u{fffd}".into())));
        let latin = format!("Basic {}", STANDARD.encode([b'i', b':', 0xe4]));
        assert_eq!(read(&latin), Some(("i".into(), "\u{fffd}".into())));
        for bad in ["", "Basic", "Basic !!!", "Bearer eA==", &header("nocolon")] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
