//! Takes secrets and tokens out of what leaves memory.
//!
//! Decides which form fields, JSON members and header fields are secret. A JWT keeps its header and claims, which are
//! what a person needs to see, and loses its signature, without which it is worth nothing.

use serde_json::{Map, Value};

const SECRET_FIELDS: &[&str] =
    &["client_secret", "password", "code_verifier", "refresh_token", "device_code"];
const TOKEN_FIELDS: &[&str] = &["client_assertion", "assertion", "access_token", "id_token", "id_token_hint"];
const MASK: &str = "***";

fn masked_value(name: &str, value: &str) -> Option<String> {
    if SECRET_FIELDS.contains(&name) {
        Some(MASK.to_owned())
    } else if TOKEN_FIELDS.contains(&name) {
        Some(token(value))
    } else {
        None
    }
}

/// A JWT without its signature; anything else entirely masked.
pub(crate) fn token(value: &str) -> String {
    match value.rsplit_once('.') {
        Some((signed, _)) if signed.contains('.') && signed.starts_with("ey") => format!("{signed}.{MASK}"),
        _ => MASK.to_owned(),
    }
}

/// A value read from a setting, private keys masked wherever they stand in it.
pub(crate) fn setting_value(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("PRIVATE KEY") => Value::String(MASK.to_owned()),
        Value::Array(elements) => Value::Array(elements.iter().map(setting_value).collect()),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, member)| (name.clone(), setting_value(member))).collect(),
        ),
        other => other.clone(),
    }
}

/// Request target with secret query parameters masked.
pub(crate) fn target(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}?{}", form(query)),
        None => target.to_owned(),
    }
}

fn form(fields: &str) -> String {
    let masked = fields.split('&').map(|field| match field.split_once('=') {
        // An authorization code is a secret in a form; in JSON `code` is an error's number.
        Some((name, _)) if name.eq_ignore_ascii_case("code") => format!("{name}={MASK}"),
        Some((name, value)) => match masked_value(&name.to_ascii_lowercase(), value) {
            Some(value) => format!("{name}={value}"),
            None => field.to_owned(),
        },
        None => field.to_owned(),
    });
    masked.collect::<Vec<_>>().join("&")
}

/// Header lines as a JSON object, credentials and cookies masked.
pub(crate) fn header_lines(lines: &str) -> Value {
    let mut object = Map::new();
    for line in lines.lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        let value = match name {
            "authorization" => match value.split_once(' ') {
                Some((scheme, credentials)) => format!("{scheme} {}", token(credentials.trim())),
                None => MASK.to_owned(),
            },
            "cookie" | "set-cookie" | "proxy-authorization" => MASK.to_owned(),
            _ => value.to_owned(),
        };
        match object.get_mut(name) {
            Some(Value::String(earlier)) => {
                earlier.push_str(", ");
                earlier.push_str(&value);
            }
            _ => {
                object.insert(name.to_owned(), Value::String(value));
            }
        }
    }
    Value::Object(object)
}

/// A body as JSON where it is JSON, else as text; secrets masked.
pub(crate) fn body(headers: &str, body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let kind = headers
        .lines()
        .find_map(|line| line.strip_prefix("content-type: "))
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.contains("json")
        && let Ok(mut value) = serde_json::from_slice::<Value>(body)
    {
        json(&mut value);
        return value;
    }
    let text = String::from_utf8_lossy(body);
    // A form sent with another content type, or none, is still a form: mask by shape.
    if kind.contains("urlencoded") || (text.contains('=') && !text.starts_with('<')) {
        Value::String(form(&text))
    } else if kind.starts_with("text") || kind.contains("xml") || kind.is_empty() || kind.contains("json") {
        Value::String(text.into_owned())
    } else {
        Value::String(format!("{} bytes of {kind}", body.len()))
    }
}

fn json(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter_mut() {
                if let Value::String(text) = member
                    && let Some(masked) = masked_value(name, text)
                {
                    *text = masked;
                } else {
                    json(member);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(json),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_never_leave_and_claims_do() {
        let masked = form("client_id=a&client_secret=s%20x&client_assertion=eyJ.eyK.sig&Client_Secret=s");
        assert_eq!(masked, "client_id=a&client_secret=***&client_assertion=eyJ.eyK.***&Client_Secret=***");
        let headers = header_lines(
            "authorization: Bearer eyJ.eyK.sig\nauthorization: Basic dXNlcjpwYXNz\ncookie: a=b\n",
        );
        assert_eq!(headers["authorization"], "Bearer eyJ.eyK.***, Basic ***");
        assert_eq!(headers["cookie"], MASK);
        let shown = body(
            "content-type: application/json\n",
            br#"{"token_type":"Bearer","access_token":"eyJ.eyK.sig"}"#,
        );
        assert_eq!(shown["access_token"], "eyJ.eyK.***");
        let shown = body("", b"grant_type=password&password=secret");
        assert_eq!(shown, "grant_type=password&password=***");
    }

    #[test]
    fn a_private_key_read_from_a_setting_is_masked() {
        let read = serde_json::json!({"private_key": {"key": "-----BEGIN PRIVATE KEY-----", "readable_by": ["SYSTEM"]}});
        let shown = setting_value(&read);
        assert_eq!(shown, serde_json::json!({"private_key": {"key": MASK, "readable_by": ["SYSTEM"]}}));
    }

    #[test]
    fn an_error_code_stays_readable() {
        let shown =
            body("content-type: application/json\n", br#"{"error":{"code":"0x80072560","message":"m"}}"#);
        assert_eq!(shown["error"]["code"], "0x80072560");
    }
}
