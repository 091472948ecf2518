//! Garbage, truncated, repeated, oversized and wrongly encoded forms and assertions: Entra's own error, never a panic.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Method;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{Entrance, Request};
use serde_json::json;

use crate::front_door::*;

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn forms_that_cannot_be_read_get_entra_s_own_error() {
    let lab = lab().await;
    let healthy = form_urlencoded::Serializer::new(String::new()).extend_pairs(by_secret(&[])).finish();
    let oversized = format!("{healthy}&x={}", "a".repeat(512 * 1024));
    let crowded = format!("{healthy}{}", (0..200).fold(String::new(), |all, at| format!("{all}&p{at}=1")));
    let rows: Vec<(&str, &str, Bytes, u64)> = vec![
        ("empty", FORM, Bytes::new(), 900_144),
        (
            "JSON",
            "application/json",
            Bytes::from(json!({ "grant_type": "client_credentials" }).to_string()),
            900_144,
        ),
        ("no content type", "", Bytes::from(healthy.clone()), 900_144),
        ("multipart that is none", "multipart/form-data; boundary=x", Bytes::from(healthy.clone()), 90023),
        ("multipart without boundary", "multipart/form-data", Bytes::from(healthy.clone()), 90023),
        ("a charset", "Application/X-WWW-Form-Urlencoded; charset=utf-8", Bytes::from(healthy.clone()), 0),
        ("truncated escape", FORM, Bytes::from(format!("{healthy}&x=%2")), 0),
        ("no hex", FORM, Bytes::from(format!("{healthy}&x=%zz")), 0),
        ("not UTF-8", FORM, Bytes::from([healthy.as_bytes(), b"&x=\xff"].concat()), 90023),
        ("not UTF-8 in escapes", FORM, Bytes::from(format!("{healthy}&x=%ff%fe")), 90023),
        ("NUL", FORM, Bytes::from(format!("{healthy}&x=%00")), 0),
        ("repeated", FORM, Bytes::from(format!("{healthy}&client_id={CLIENT}")), 9_000_411),
        ("repeated by escape", FORM, Bytes::from(format!("{healthy}&%63lient_id={CLIENT}")), 9_000_411),
        ("oversized", FORM, Bytes::from(oversized), 90023),
        ("crowded", FORM, Bytes::from(crowded), 90023),
        ("garbage", FORM, Bytes::from_static(b"\x00\x01\x02&&&===&%"), 900_144),
        (
            "UTF-16",
            FORM,
            Bytes::from(healthy.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            900_144,
        ),
    ];
    for (what, content_type, body, code) in rows {
        let reply = send(&lab, posting(HOST, &v1(), content_type, body)).await;
        assert_eq!(reply.code(), code, "{what}: {}", reply.description());
        assert_eq!(reply.status, if code == 0 { 200 } else { 400 }, "{what}");
    }
    let target = format!("{}?{healthy}", v1());
    assert_eq!(send(&lab, posting(HOST, &target, FORM, Bytes::new())).await.code(), 900_144, "in the query");
}

#[tokio::test]
async fn a_multipart_form_is_taken_like_any_other_and_json_is_not() {
    let lab = lab().await;
    let multipart = |fields: &[(&str, &str)]| {
        let part = |(name, value): &(&str, &str)| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        fields.iter().map(part).collect::<String>() + "--x--\r\n"
    };
    let kind = "multipart/form-data; boundary=x";
    for (target, fields, code) in [
        (v1(), by_secret(&[]), 0),
        (v2(), by_secret_v2(&[]), 0),
        // Nothing in it is decoded.
        (v1(), by_secret(&[("resource", "https%3A%2F%2Fcontoso.crm4.dynamics.com")]), 500_011),
        (v1(), by_secret(&[("client_secret", "wrong")]), 7_000_215),
        (v1(), by_secret(&[("client_id", "")]), 900_144),
        (v1(), Vec::new(), 900_144),
    ] {
        let reply = send(&lab, posting(HOST, &target, kind, multipart(&fields))).await;
        assert_eq!(reply.code(), code, "{fields:?}: {}", reply.description());
    }
    let mut twice = by_secret(&[]);
    twice.push(("client_id", CLIENT));
    assert_eq!(send(&lab, posting(HOST, &v1(), kind, multipart(&twice))).await.code(), 9_000_411);
    let fields: serde_json::Map<_, _> =
        by_secret(&[]).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let object = serde_json::to_vec(&fields).unwrap();
    assert_eq!(send(&lab, posting(HOST, &v1(), "application/json", object)).await.code(), 900_144);
}

#[tokio::test]
async fn bodies_that_do_not_arrive_are_answered_too() {
    let lab = lab().await;
    for (error, status) in
        [(BodyError::TooLarge { limit: 1 }, 400), (BodyError::Incomplete, 400), (BodyError::Timeout, 408)]
    {
        let mut request = Request::new(Method::POST, HOST, &v1(), Entrance::Identity);
        request.body = Err(error);
        assert_eq!(send(&lab, request).await.status, status, "{error:?}");
    }
}

#[tokio::test]
async fn assertions_that_cannot_be_read_are_malformed() {
    let lab = lab().await;
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let draft = Draft::healthy();
    let signed = draft.signed();
    let claims = serde_json::to_string(&draft.claims).unwrap();
    let header = serde_json::to_string(&draft.header).unwrap();
    let twice = |json: &str, member: &str| json.replacen('{', &format!("{{{member},"), 1);
    let rows: Vec<(&str, String)> = vec![
        ("garbage", "\u{0}\u{1f600}".into()),
        ("dots", "..".into()),
        ("two parts", signed.rsplit_once('.').unwrap().0.to_owned()),
        ("five parts", format!("{signed}.a.b")),
        ("padded", format!("{signed}=")),
        ("standard base64", signed.replace(['-', '_'], "+")),
        ("too long", format!("{signed}{}", "A".repeat(70_000))),
        ("white space", format!(" {signed}")),
        ("header twice", draft.signed_raw(&encode(&twice(&header, r#""alg":"RS256""#)), &encode(&claims))),
        ("claim twice", draft.signed_raw(&encode(&header), &encode(&twice(&claims, r#""exp":1"#)))),
        ("no object", draft.signed_raw(&encode("[]"), &encode(&claims))),
        (
            "deep",
            draft.signed_raw(
                &encode(&header),
                &encode(&format!("{{\"a\":{}1{}}}", "[".repeat(9000), "]".repeat(9000))),
            ),
        ),
        ("not UTF-8", draft.signed_raw(&encode(&header), &URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}"))),
        ("unknown crit", Draft::healthy().header("crit", json!(["b64"])).header("b64", false).signed()),
        ("empty crit", Draft::healthy().header("crit", json!([])).signed()),
        ("exp a text", Draft::healthy().claim("exp", "soon").signed()),
        ("exp huge", Draft::healthy().claim("exp", 1e300).signed()),
        ("exp huger", Draft::healthy().claim("exp", u64::MAX).signed()),
        ("nbf a list", Draft::healthy().claim("nbf", json!([1])).signed()),
        ("aud a number", Draft::healthy().claim("aud", 7).signed()),
        ("aud mixed", Draft::healthy().claim("aud", json!(["a", 7])).signed()),
    ];
    for (what, token) in rows {
        let reply = present(&lab, &token).await;
        assert_eq!((reply.status, reply.code()), (400, 50027), "{what}: {}", reply.description());
    }
}

#[tokio::test]
async fn assertions_that_say_too_little_or_too_much_get_the_code_of_what_is_wrong() {
    let lab = lab().await;
    let signed = Draft::healthy().signed();
    let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
    let rows: Vec<(&str, String, u64)> = vec![
        ("none", Draft::healthy().header("alg", "none").signed(), 5_002_738),
        ("lower case", Draft::healthy().header("alg", "rs256").signed(), 5_002_738),
        ("elliptic", Draft::healthy().header("alg", "ES256").signed(), 5_002_738),
        ("no alg", Draft::healthy().header("alg", json!(null)).signed(), 5_002_738),
        ("alg a number", Draft::healthy().header("alg", 256).signed(), 5_002_738),
        ("another alg than signed", Draft::healthy().header("alg", "PS256").signed(), 700_027),
        ("unsigned", unsigned, 700_027),
        ("truncated signature", signed[..signed.len() - 6].to_owned(), 700_027),
        ("x5t a number", Draft::healthy().header("x5t", 1).signed(), 5_002_723),
        ("x5t empty", Draft::healthy().header("x5t", "").signed(), 5_002_723),
        ("x5t no thumbprint", Draft::healthy().header("x5t", "{THUMBPRINT}").signed(), 700_027),
        (
            "long kid",
            Draft::healthy().header("x5t", json!(null)).header("kid", "k".repeat(10_000)).signed(),
            700_027,
        ),
        ("no iss", Draft::healthy().claim("iss", json!(null)).signed(), 90014),
        ("iss a number", Draft::healthy().claim("iss", 1).signed(), 90014),
        ("no aud", Draft::healthy().claim("aud", json!(null)).signed(), 90014),
        ("aud empty", Draft::healthy().claim("aud", json!([])).signed(), 90014),
        ("no sub", Draft::healthy().claim("sub", json!(null)).signed(), 50048),
    ];
    for (what, token, code) in rows {
        let reply = present(&lab, &token).await;
        assert_eq!(reply.code(), code, "{what}: {}", reply.description());
        assert!(reply.body.len() < 4096, "{what}");
    }
    let named = present(&lab, &Draft::healthy().claim("aud", json!(null)).signed()).await;
    assert!(
        named
            .description()
            .starts_with("AADSTS90014: The required field 'aud' is missing from the credential.")
    );
}

#[tokio::test]
async fn the_product_repeats_a_long_text_whole_and_the_journal_cuts_it() {
    let lab = lab().await;
    let long = "Xy".repeat(2000);
    let cut = format!("{}...", &long[..200]);
    let alg = Draft::healthy().header("alg", long.as_str()).signed();
    let jti = Draft::healthy().claim("jti", long.as_str()).signed();
    let asserted = |token| {
        by_secret(&[
            ("client_secret", ""),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", token),
        ])
    };
    let elsewhere = format!("/{long}.com/oauth2/token");
    let rows = [
        (v1(), by_secret(&[("grant_type", &long)]), 70003, Some(format!("grant type '{long}'.")), None),
        (v1(), asserted(&alg), 5_002_738, Some(format!("'{long}' is not a supported signature")), None),
        (v1(), by_secret(&[("client_id", &long)]), 700_016, Some(format!("'{long}' was")), Some("client-id")),
        (
            v1(),
            by_secret(&[("resource", &long)]),
            500_011,
            Some(format!("named {long} was")),
            Some("resource"),
        ),
        (v1(), asserted(&jti), 0, None, Some("jti")),
        (elsewhere, by_secret(&[]), 900_023, Some(format!("{long}.com")), Some("tenant")),
    ];
    for (target, fields, code, said, fact) in rows {
        let reply = post(&lab, HOST, &target, &fields).await;
        assert_eq!(reply.code(), code, "{fact:?}: {}", reply.description());
        assert!(said.is_none_or(|said| reply.description().contains(&said)), "{}", reply.description());
        let record = lab.journal().records().pop().unwrap();
        if let Some(name) = fact {
            assert_eq!(record.fact(name).unwrap().value, cut, "{name}");
        }
        for fact in &record.facts {
            assert!(fact.value.len() < 300, "{}", fact.name);
        }
        for check in &record.checks {
            assert!(check.actual.len() < 300, "{}", check.name);
            assert!(check.settings.iter().all(|setting| setting.as_str().len() < 400), "{}", check.name);
        }
    }
}

#[tokio::test]
async fn no_byte_of_an_assertion_can_be_changed() {
    let lab = lab().await;
    let signed = Draft::healthy().signed();
    for at in (0..signed.len()).step_by(7) {
        let mut bytes = signed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let reply = present(&lab, &changed).await;
        assert_ne!(reply.status, 200, "byte {at}");
        assert_ne!(reply.status, 500, "byte {at}");
    }
    for length in (0..signed.len()).step_by(31) {
        let reply = present(&lab, &signed[..length]).await;
        assert!(matches!(reply.status, 400 | 401), "{length} bytes");
    }
}

#[tokio::test]
async fn texts_of_strangers_never_break_the_answer() {
    let lab = lab().await;
    for text in ["\"}\\\u{0}", "\r\nSet-Cookie: a=b", "<script>", "\u{202e}", &"x".repeat(5000)] {
        for fields in [
            by_secret(&[("resource", text)]),
            by_secret(&[("client_id", text)]),
            by_secret(&[("client_secret", text)]),
            by_secret(&[("grant_type", text)]),
        ] {
            let reply = post(&lab, HOST, &v1(), &fields).await;
            assert!(reply.code() > 0 && reply.headers.get_all("set-cookie").iter().count() == 3);
        }
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let reply = post(&lab, HOST, &format!("/{encoded}/oauth2/token"), &by_secret(&[])).await;
        assert_eq!(reply.status, 400);
    }
}
