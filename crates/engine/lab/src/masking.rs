//! Takes secrets and tokens out of what leaves memory.
//!
//! Decides which form fields, JSON members and header fields are secret. A JWT keeps its header and claims, which are
//! what a person needs to see, and loses its signature, without which it is worth nothing.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Names as [`sensitivity`] folds them: lower case, letters and digits alone.
const SECRET_FIELDS: &[&str] = &[
    "apikey",
    "codeverifier",
    "devicecode",
    "refreshtoken",
    "secret",
    "secrettext",
    "sharedaccesskey",
    "subscriptionkey",
];
const TOKEN_FIELDS: &[&str] = &[
    "accesstoken",
    "actortoken",
    "assertion",
    "clientassertion",
    "idtoken",
    "idtokenhint",
    "samlresponse",
    "subjecttoken",
    "token",
    "wresult",
];
/// Header fields that hold nothing but a credential.
const SECRET_HEADERS: &[&str] = &[
    "api-key",
    "cookie",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
    "x-functions-key",
    "x-zumo-auth",
];
/// Schemes that may be shown. Any other first word of an `Authorization` field may be the secret itself.
const SCHEMES: &[&str] = &[
    "AWS4-HMAC-SHA256",
    "ApiKey",
    "Basic",
    "Bearer",
    "DPoP",
    "Digest",
    "HMAC",
    "NTLM",
    "Negotiate",
    "OAuth",
    "PoP",
    "SharedKey",
];
const MASK: &str = "***";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sensitivity {
    /// Nothing of it may be seen.
    Secret,
    /// If it is a JWT, its header and claims may be seen.
    Token,
}

/// How secret a field of this (decoded) name is. Case and punctuation do not count: `client_secret`, `clientSecret`
/// and `client-secret` are one name.
fn sensitivity(name: &str) -> Option<Sensitivity> {
    let folded: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    if SECRET_FIELDS.contains(&folded.as_str())
        || folded.contains("clientsecret")
        || folded.ends_with("password")
    {
        Some(Sensitivity::Secret)
    } else if TOKEN_FIELDS.contains(&folded.as_str()) {
        Some(Sensitivity::Token)
    } else {
        None
    }
}

/// How secret a field of a form is. An authorization code is a secret there; in JSON `code` is an error's number.
fn field_sensitivity(name: &str) -> Option<Sensitivity> {
    if name.trim().eq_ignore_ascii_case("code") { Some(Sensitivity::Secret) } else { sensitivity(name) }
}

fn masked(sensitivity: Sensitivity, value: &str) -> String {
    match sensitivity {
        Sensitivity::Secret => MASK.to_owned(),
        Sensitivity::Token => token(value),
    }
}

/// A JWT's header and claims; anything else entirely masked. What stands after the claims is never shown, so that a
/// signature cannot be had from a token someone damaged either.
pub(crate) fn token(value: &str) -> String {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let mut parts = value.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(_))
            if header.starts_with("ey") && is_part(header) && is_part(claims) =>
        {
            format!("{header}.{claims}.{MASK}")
        }
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

/// Request target, or address, with secret parameters of its query and fragment masked.
pub(crate) fn target(target: &str) -> String {
    let (address, fragment) = match target.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (target, None),
    };
    let mut shown = match address.split_once('?') {
        Some((path, query)) => format!("{path}?{}", form(query)),
        None => address.to_owned(),
    };
    if let Some(fragment) = fragment {
        shown.push('#');
        shown.push_str(&form(fragment));
    }
    shown
}

/// A form, each field on its own whether `&` or a line end parts it from the one before.
fn form(fields: &str) -> String {
    fields.split('&').map(form_chunk).collect::<Vec<_>>().join("&")
}

fn form_chunk(chunk: &str) -> String {
    let mut shown = String::with_capacity(chunk.len());
    for line in chunk.split_inclusive(['\r', '\n']) {
        let Some((name, value)) = line.split_once('=') else {
            shown.push_str(line);
            continue;
        };
        // As a lenient reader of forms sees it: what is no escape stands for itself.
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        if let Some(sensitivity) = field_sensitivity(&decoded) {
            // What follows up to the next `&` may be the rest of the secret: to a form a line end is a character.
            shown.push_str(name);
            shown.push('=');
            shown.push_str(&masked(sensitivity, value));
            return shown;
        }
        shown.push_str(line);
    }
    shown
}

/// Whether every value of a repeated header field is as masking leaves it: what was masked stays as it is.
fn is_masked(value: &str, mask: impl Fn(&str) -> String) -> bool {
    value.split(", ").all(|one| mask(one) == one)
}

fn authorization(value: &str) -> String {
    if is_masked(value, one_authorization) { value.to_owned() } else { one_authorization(value) }
}

fn one_authorization(value: &str) -> String {
    let (scheme, credentials) = match value.trim().split_once(' ') {
        Some((scheme, credentials)) => (scheme, credentials.trim()),
        None => (value.trim(), ""),
    };
    if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        MASK.to_owned()
    } else if credentials.is_empty() {
        scheme.to_owned()
    } else {
        format!("{scheme} {}", token(credentials))
    }
}

/// Header lines as a JSON object, credentials and cookies masked.
pub(crate) fn header_lines(lines: &str) -> Map<String, Value> {
    let mut object = Map::new();
    for line in lines.lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        let value = match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization(value),
            // A redirect carries codes and tokens in its address.
            "location" | "referer" => target(value),
            secret if SECRET_HEADERS.contains(&secret) && !is_masked(value, |_| MASK.to_owned()) => {
                MASK.to_owned()
            }
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
    object
}

/// What a body of JSON is of whose members cannot be told apart.
const BROKEN_JSON: &str = "JSON that cannot be read to its end";

/// Whether a body is what stands for one that is not shown.
fn is_description(text: &str, kind: &str) -> bool {
    text.split_once(" bytes of ").is_some_and(|(count, of)| {
        !count.is_empty()
            && count.bytes().all(|byte| byte.is_ascii_digit())
            && (of == kind || of == BROKEN_JSON)
    })
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
    let text = String::from_utf8_lossy(body);
    // JSON sent with another content type, or none, is still JSON: mask by shape.
    let is_json = kind.contains("json") || text.trim_start().starts_with(['{', '[']);
    if is_json && let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        json(&mut value);
        return value;
    }
    if is_description(&text, &kind) {
        return Value::String(text.into_owned());
    }
    let opaque = || Value::String(format!("{} bytes of {kind}", body.len()));
    if kind.starts_with("multipart") {
        opaque()
    } else if is_json && may_hold_secrets(&text) {
        // Cut or broken JSON has no members that could be masked one by one.
        Value::String(format!("{} bytes of {BROKEN_JSON}", body.len()))
    } else if kind.contains("urlencoded") || (text.contains('=') && !text.starts_with('<')) {
        // A form sent with another content type, or none, is still a form.
        Value::String(form(&text))
    } else if kind.contains("html") {
        Value::String(hidden_fields(&text))
    } else if kind.starts_with("text") || kind.contains("xml") || kind.is_empty() || kind.contains("json") {
        Value::String(text.into_owned())
    } else {
        opaque()
    }
}

/// A page with the hidden fields of its form masked as they would be in the form it posts. Values are escaped in it, so a
/// quotation mark ends one.
fn hidden_fields(page: &str) -> String {
    const FIELD: &str = "<input type=\"hidden\" name=\"";
    const VALUE: &str = "\" value=\"";
    let mut parts = page.split(FIELD);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str(FIELD);
        let sensitive = part.split_once(VALUE).and_then(|(name, rest)| {
            let (value, after) = rest.split_at(rest.find('"').unwrap_or(rest.len()));
            Some((name, field_sensitivity(name)?, value, after))
        });
        match sensitive {
            Some((name, sensitivity, value, after)) => {
                shown.extend([name, VALUE, &*masked(sensitivity, value), after]);
            }
            None => shown.push_str(part),
        }
    }
    shown
}

/// Whether any word between quotation marks names something secret, or is escaped and so cannot be told.
fn may_hold_secrets(text: &str) -> bool {
    text.contains("\\u") || text.split('"').any(|word| sensitivity(word).is_some())
}

fn json(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter_mut() {
                match sensitivity(name) {
                    Some(sensitivity) => json_masked(sensitivity, member),
                    None => json(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(json),
        _ => {}
    }
}

/// Masks what stands under a secret's name, whatever its shape.
fn json_masked(sensitivity: Sensitivity, value: &mut Value) {
    match value {
        Value::Null => {}
        Value::String(text) => *text = masked(sensitivity, text),
        Value::Array(elements) => {
            for element in elements {
                json_masked(sensitivity, element);
            }
        }
        // `id_token` is also the name of an object that asks for claims.
        Value::Object(_) if sensitivity == Sensitivity::Token => json(value),
        other => *other = Value::String(MASK.to_owned()),
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

    #[test]
    fn a_form_field_is_masked_however_its_name_is_written() {
        let masked =
            form("client%5Fsecret=s&CLIENT%5fSECRET=s&clientSecret=s&api%2Dkey=s&%63ode=s&a%=1&%zz=2");
        assert_eq!(
            masked,
            "client%5Fsecret=***&CLIENT%5fSECRET=***&clientSecret=***&api%2Dkey=***&%63ode=***&a%=1&%zz=2"
        );
        let masked = form("subject_token=eyJ.eyK.sig&actor_token=opaque");
        assert_eq!(masked, "subject_token=eyJ.eyK.***&actor_token=***");
    }

    #[test]
    fn a_form_is_also_parted_by_line_ends() {
        assert_eq!(form("a=1\r\nclient_secret=s"), "a=1\r\nclient_secret=***");
        assert_eq!(form("client_secret=s\nrest=of&b=2"), "client_secret=***&b=2");
    }

    #[test]
    fn header_fields_that_hold_credentials_are_masked() {
        let shown = header_lines(
            "x-api-key: s\nx-zumo-auth: s\nproxy-authorization: Basic s\nset-cookie: s\ncookie: s\naccept: a\n",
        );
        for name in ["x-api-key", "x-zumo-auth", "proxy-authorization", "set-cookie", "cookie"] {
            assert_eq!(shown[name], MASK, "{name}");
        }
        assert_eq!(shown["accept"], "a");
        for (sent, expected) in [
            ("SUPERSECRET", MASK),
            ("SUPERSECRET more", MASK),
            ("Bearer", "Bearer"),
            ("bearer eyJ.eyK.sig", "bearer eyJ.eyK.***"),
            ("Bearer eyJ.eyK.sig.", "Bearer eyJ.eyK.***"),
            ("Bearer eyJ.eyK.sig, Bearer eyJ.eyK.sig.", "Bearer eyJ.eyK.***"),
        ] {
            let shown = header_lines(&format!("authorization: {sent}\n"));
            assert_eq!(shown["authorization"], expected, "{sent}");
        }
        let shown = header_lines("location: https://app/cb?code=s&state=1#id_token=eyJ.eyK.sig\n");
        assert_eq!(shown["location"], "https://app/cb?code=***&state=1#id_token=eyJ.eyK.***");
    }

    #[test]
    fn json_members_are_masked_whatever_their_case_and_shape() {
        let sent = br#"{"Client_Secret":"s","clientSecret":["s"],"API_KEY":7,"Password":{"a":"s"},"ACCESS_TOKEN":"s","refresh_token":null,"token_type":"Bearer"}"#;
        let expected = serde_json::json!({"Client_Secret": MASK, "clientSecret": [MASK], "API_KEY": MASK,
            "Password": MASK, "ACCESS_TOKEN": MASK, "refresh_token": null, "token_type": "Bearer"});
        assert_eq!(body("content-type: application/json\n", sent), expected);
        assert_eq!(body("", sent), expected);
    }

    #[test]
    fn a_body_whose_members_cannot_be_told_apart_shows_no_secret() {
        for (headers, sent) in [
            ("content-type: application/json\n", r#"{"client_secret":"SUPER"#),
            ("", r#"{"client\u005fsecret":"SUPER"#),
            ("content-type: multipart/form-data; boundary=b\n", "--b\r\nname=\"client_secret\"\r\n\r\nSUPER"),
        ] {
            assert!(!body(headers, sent.as_bytes()).to_string().contains("SUPER"), "{sent}");
        }
        assert_eq!(body("content-type: application/json\n", br#"{"a":1"#), r#"{"a":1"#);
    }
}
