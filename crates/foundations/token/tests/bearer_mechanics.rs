//! What a resource finds in a header and on the clock.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{Algorithm, Identity, shipped};
use mocktenant_token::bearer::{
    Authorization, TimeFinding, TimeWindow, TrustedKey, read_authorization, select_key, verify_signature,
};
use mocktenant_token::{Claims, Compact, HeaderSegment, MAX_TOKEN_BYTES, mint};
use mocktenant_verdict::{Finding, Text};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

const NOW: i64 = 1_700_000_000;

fn authorization(values: &[&'static str]) -> Authorization<'static> {
    read_authorization(values.iter().map(|value| value.as_bytes()))
}

fn judged(claims: &Value) -> TimeFinding {
    let window = TimeWindow { skew: Duration::minutes(5) };
    let members = claims.as_object().unwrap();
    window.judge(Claims::new(members), OffsetDateTime::from_unix_timestamp(NOW).unwrap())
}

#[test]
fn the_bearer_scheme_is_read_without_case() {
    assert_eq!(authorization(&["Bearer abc.def.ghi"]), Authorization::Bearer("abc.def.ghi"));
    assert_eq!(authorization(&["bearer   abc=="]), Authorization::Bearer("abc=="));
    assert_eq!(authorization(&[" BEARER abc "]), Authorization::Bearer("abc"));
}

#[test]
fn anything_but_exactly_one_token_is_named() {
    assert_eq!(authorization(&[]), Authorization::Missing);
    assert_eq!(authorization(&["Bearer a", "Bearer b"]), Authorization::Multiple { count: 2 });
    assert_eq!(authorization(&["Basic YTpi"]), Authorization::OtherScheme("Basic"));
    assert_eq!(authorization(&["Negotiate"]), Authorization::OtherScheme("Negotiate"));
    for value in [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a, Bearer b",
        "Bearer =",
        "Bearer \"a\"",
        "",
        "Bearer \u{e9}",
    ] {
        assert_eq!(authorization(&[value]), Authorization::Malformed, "{value}");
    }
    assert_eq!(read_authorization([b"Bearer \xff".as_slice()]), Authorization::Malformed);
}

#[test]
fn a_finding_never_repeats_the_token() {
    assert!(!authorization(&["Bearer very-secret"]).to_string().contains("very-secret"));
}

#[test]
fn times_are_judged_with_skew_in_both_directions() {
    assert!(judged(&json!({ "nbf": NOW - 300, "exp": NOW + 3600 })).holds());
    assert!(judged(&json!({ "exp": NOW + 1 })).holds());
    assert!(judged(&json!({ "exp": NOW - 300 })).holds());
    assert!(matches!(judged(&json!({ "exp": NOW - 301 })), TimeFinding::Expired { .. }));
    assert!(judged(&json!({ "nbf": NOW + 300, "exp": NOW + 3600 })).holds());
    assert!(matches!(
        judged(&json!({ "nbf": NOW + 301, "exp": NOW + 3600 })),
        TimeFinding::NotYetValid { .. }
    ));
    assert!(matches!(judged(&json!({ "nbf": NOW + 2, "exp": NOW + 1 })), TimeFinding::Inverted { .. }));
    assert_eq!(judged(&json!({ "nbf": NOW })), TimeFinding::ExpMissing);
    assert!(matches!(judged(&json!({ "exp": 1e300 })), TimeFinding::Unreadable(_)));
    assert!(matches!(judged(&json!({ "nbf": true, "exp": NOW })), TimeFinding::Unreadable(_)));
}

#[test]
fn the_ends_of_time_and_a_huge_skew_never_overflow() {
    let far = json!({ "nbf": -62_135_596_800_i64, "exp": 253_402_300_799_i64 });
    for skew in [Duration::MIN, Duration::ZERO, Duration::MAX] {
        let window = TimeWindow { skew };
        for now in [-377_705_116_800_i64, NOW, 253_402_300_799] {
            let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
            let _ = window.judge(Claims::new(far.as_object().unwrap()), now).to_string();
        }
    }
}

#[test]
fn a_finding_becomes_the_answer_to_a_check() {
    let finding = judged(&json!({ "exp": NOW - 400 })).finding(|| "expired");
    assert!(
        matches!(finding, Finding::Fail { actual, error: "expired", .. } if actual.contains("400 s ago"))
    );
    assert!(matches!(judged(&json!({ "exp": NOW })).finding(|| ()), Finding::Pass { .. }));
}

proptest! {
    #[test]
    fn parsing_a_token_never_panics(text in any::<String>()) {
        let _ = Compact::parse(&text);
    }

    #[test]
    fn parsing_something_like_a_token_never_panics(header in "[ -~]{0,60}", claims in "\\{[ -~]{0,60}\\}", signature in any::<Vec<u8>>()) {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let token = format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()), encode(&signature));
        if let Ok(compact) = Compact::parse(&token) {
            let _ = (compact.unknown_crit(), compact.header().key_identifiers(), compact.header().x5c());
            let _ = (compact.claims().audience(), compact.claims().time("exp"));
        }
    }

    #[test]
    fn any_number_or_text_as_a_time_gives_an_answer(number in any::<f64>(), whole in any::<i64>(), text in any::<String>()) {
        for value in [json!(number), json!(whole), json!(text), json!(number.to_string())] {
            let _ = judged(&json!({ "nbf": value, "exp": value })).to_string();
        }
    }

    #[test]
    fn reading_an_authorization_header_never_panics(values in prop::collection::vec(any::<Vec<u8>>(), 0..3)) {
        let _ = read_authorization(values.iter().map(Vec::as_slice)).to_string();
    }
}

fn trusted(identity: &Identity) -> TrustedKey {
    TrustedKey::of_certificate(identity.certificate()).unwrap()
}

fn unsigned(header: &Value) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.AAAA", segment(header), segment(&json!({})))
}

/// Which of the trusted keys a header names, by its place, and what a person is told.
fn selected(header: &Value, keys: &[TrustedKey]) -> (Option<usize>, String) {
    let token = unsigned(header);
    let token = Compact::parse(&token).unwrap();
    let found = select_key(token.header(), keys);
    let place = found.key().map(|key| keys.iter().position(|one| std::ptr::eq(one, key)).unwrap());
    (place, format!("{found} | {}", found.expected()))
}

#[test]
fn a_trusted_key_is_shown_by_its_published_name_which_no_request_copies_unless_it_is_too_long() {
    let shown = |kid: &str| {
        let keys = [TrustedKey { kid: Some(kid.into()), ..trusted(shipped::token_signing()) }];
        let token = unsigned(&json!({ "kid": kid }));
        select_key(Compact::parse(&token).unwrap().header(), &keys).expected()
    };
    let (longest, longer) = ("k".repeat(64), "k".repeat(65));
    assert!(matches!(shown(&longest), Text::Shared(kid) if *kid == longest));
    assert_eq!(shown(&longer).as_str(), format!("{longest}..."));
}

#[test]
fn a_key_is_used_only_under_one_of_its_own_names() {
    let (first, second) = (shipped::token_signing(), shipped::second_client());
    let keys = [trusted(first), trusted(second)];
    let certificate = second.certificate();
    let (sha1, sha256) = (certificate.thumbprint().base64url(), certificate.thumbprint256().base64url());
    for header in [
        json!({ "kid": sha1 }),
        json!({ "kid": certificate.thumbprint().to_string() }),
        json!({ "x5t": sha1 }),
        json!({ "x5t#S256": sha256 }),
        json!({ "kid": "nobody", "x5t": sha1 }),
        json!({ "kid": sha1, "x5t": first.certificate().thumbprint().base64url() }),
        json!({ "x5t": sha1, "x5t#S256": first.certificate().thumbprint256().base64url() }),
    ] {
        assert_eq!(selected(&header, &keys).0, Some(1), "{header}");
    }
    for header in [
        json!({}),
        json!({ "kid": "" }),
        json!({ "kid": format!("{sha1}x") }),
        json!({ "kid": sha1.to_lowercase() }),
        json!({ "kid": 5 }),
        json!({ "jku": "https://example.com", "jwk": { "kty": "RSA" } }),
        json!({ "x5c": [certificate.base64_der()] }),
    ] {
        assert_eq!(selected(&header, &keys).0, None, "{header}");
    }
    // A published name that is no thumbprint is one as `kid` alone.
    let named =
        TrustedKey { kid: Some("my-key".into()), thumbprint: None, thumbprint256: None, ..trusted(first) };
    let keys = [named];
    assert_eq!(selected(&json!({ "kid": "my-key" }), &keys).0, Some(0));
    assert_eq!(selected(&json!({ "x5t": "my-key" }), &keys).0, None);
    assert_eq!(selected(&json!({ "kid": sha1 }), &keys).0, None);
}

#[test]
fn what_a_person_is_told_of_a_key_is_its_name_and_never_too_long() {
    let bare =
        |kid: Option<&str>| TrustedKey { kid: kid.map(Into::into), ..trusted(shipped::token_signing()) };
    let told = |header: Value, keys: &[TrustedKey]| selected(&header, keys).1;
    let thumbprint = shipped::token_signing().certificate().thumbprint();
    assert_eq!(told(json!({ "kid": "k" }), &[bare(Some("k"))]), "k by kid | k");
    assert_eq!(told(json!({ "kid": "x" }), &[bare(Some("k")), bare(Some("l"))]), "kid x | k, l");
    assert_eq!(told(json!({}), &[]), "the header names no key | no key is trusted");
    assert_eq!(told(json!({ "kid": "x" }), &[bare(None)]), format!("kid x | {thumbprint}"));
    let nameless = TrustedKey { thumbprint: None, ..bare(None) };
    assert_eq!(told(json!({ "kid": "x", "x5t": "y" }), &[nameless]), "kid x, x5t y | a key without a name");
    let (fits, long) = ("k".repeat(64), "k".repeat(65));
    assert_eq!(told(json!({ "kid": "x" }), &[bare(Some(&fits))]), format!("kid x | {fits}"));
    assert_eq!(told(json!({ "kid": "x" }), &[bare(Some(&long))]), format!("kid x | {fits}..."));
    assert_eq!(told(json!({ "kid": long }), &[]), format!("kid {fits}... | no key is trusted"));
}

#[test]
fn a_signature_holds_only_if_it_is_there_is_asked_for_and_was_made_with_the_key() {
    let signer = shipped::token_signing();
    let key = trusted(signer);
    let minted = |header: &Value| {
        let header = HeaderSegment::new(header.as_object().unwrap()).unwrap();
        mint(signer.key(), Algorithm::Rs256, &header, &json!({ "sub": "a" })).unwrap()
    };
    let found = |token: &str| {
        let finding = verify_signature(&Compact::parse(token).unwrap(), &key);
        (finding.holds(), finding.to_string())
    };
    let good = minted(&json!({ "alg": "RS256" }));
    assert_eq!(found(&good), (true, "a valid RS256 signature".to_owned()));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    assert_eq!(found(&format!("{signed}.")), (false, "an empty signature".to_owned()));
    let wrong = (false, "a RS256 signature that does not verify".to_owned());
    let other = URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256", "typ": "JWT" }).to_string());
    assert_eq!(found(&format!("{other}.{claims}.{signature}")), wrong);
    // Of what was signed under another nonce than is sent only its resource knows how to verify it.
    let other = URL_SAFE_NO_PAD.encode(json!({ "nonce": "n", "alg": "RS256" }).to_string());
    let nonce = "a RS256 signature that does not verify under a header with a nonce".to_owned();
    assert_eq!(found(&format!("{other}.{claims}.{signature}")), (false, nonce));
    let mut bent = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bent[0] ^= 1;
    assert_eq!(found(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bent))), wrong);
    for (header, told) in [
        (json!({}), "a header without alg"),
        (json!({ "alg": null }), "a header without alg"),
        (json!({ "alg": "none" }), "alg none"),
        (json!({ "alg": "HS256" }), "alg HS256"),
        (json!({ "alg": "ES256" }), "alg ES256"),
        (json!({ "alg": "rs256" }), "alg rs256"),
        (json!({ "alg": "RS256", "crit": ["exp"] }), "crit exp"),
        (json!({ "alg": "RS384" }), "a RS384 signature that does not verify"),
        (json!({ "alg": "PS256" }), "a PS256 signature that does not verify"),
    ] {
        assert_eq!(found(&minted(&header)), (false, told.to_owned()), "{header}");
    }
}

#[test]
fn what_a_person_is_told_of_a_header_and_of_times_is_what_was_there() {
    for (values, told) in [
        (&[][..], "no Authorization header"),
        (&["Bearer abc"], "a bearer token"),
        (&["Bearer a", "Bearer b"], "2 Authorization headers"),
        (&["Bearer"], "an Authorization header without exactly one token"),
    ] {
        assert_eq!(authorization(values).to_string(), told);
    }
    for (claims, told) in [
        (json!({ "exp": NOW }), format!("exp {NOW}")),
        (json!({}), "no exp".to_owned()),
        (json!({ "exp": true }), "exp is true, which is not a number of seconds".to_owned()),
        (json!({ "exp": NOW - 301 }), format!("exp {}, 301 s ago", NOW - 301)),
        (json!({ "nbf": NOW + 301, "exp": NOW + 600 }), format!("nbf {}, 301 s from now", NOW + 301)),
        (json!({ "nbf": NOW + 9, "exp": NOW + 8 }), format!("nbf {} after exp {}", NOW + 9, NOW + 8)),
    ] {
        assert_eq!(judged(&claims).to_string(), told);
    }
    assert!(judged(&json!({ "nbf": NOW, "exp": NOW })).holds(), "a moment is a window");
    let expected = |seconds| TimeWindow { skew: Duration::seconds(seconds) }.expected().to_string();
    assert_eq!(expected(300), "nbf and exp around now, within 300 s");
    assert_eq!(expected(301), "nbf and exp around now, within 301 s");
}

#[test]
fn a_text_that_is_no_token_is_told_where_it_ends_to_be_one() {
    let segment = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let object = segment("{}");
    let nested =
        |depth: usize| segment(&format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1)));
    // Exactly as long as a token may be, and one character more.
    let longest = |more: usize| {
        let rest = MAX_TOKEN_BYTES + more - object.len() * 2 - 2;
        format!("{object}.{object}.{}", "A".repeat(rest))
    };
    assert!(Compact::parse(&longest(0)).is_ok(), "{}", MAX_TOKEN_BYTES);
    for (token, told) in [
        (longest(1), "the token is 65537 bytes long, more than 65536".to_owned()),
        ("a.b".to_owned(), "the token has 2 part(s) between dots, not three".to_owned()),
        ("a.b.c.d".to_owned(), "the token has 4 part(s) between dots, not three".to_owned()),
        (format!("{}.{object}.", segment("[]")), "the header is an array, not a JSON object".to_owned()),
        (format!("{object}.{}.", segment("5")), "the claims is a number, not a JSON object".to_owned()),
        (
            format!("{object}.{}.", segment("{\"a\":1,\"a\":2}")),
            "the claims names the member \"a\" twice".to_owned(),
        ),
        (format!("{object}.{}.", nested(33)), "the claims is nested too deeply".to_owned()),
    ] {
        assert_eq!(Compact::parse(&token).unwrap_err().to_string(), told);
    }
    assert!(Compact::parse(&format!("{object}.{}.", nested(32))).is_ok(), "as deep as may be");
    for (token, part) in [
        (format!("=.{object}."), "the header is not base64url"),
        (format!("{object}.e30=."), "the claims is not base64url"),
        (format!("{object}.{object}.+/"), "the signature is not base64url"),
        (format!("{}.{object}.", segment("{")), "the header is not JSON"),
        (format!("{object}.{}.", segment("{} ")[..3].to_owned() + "_"), "the claims is not JSON"),
    ] {
        let told = Compact::parse(&token).unwrap_err().to_string();
        assert!(told.starts_with(part), "{told}");
    }
}
