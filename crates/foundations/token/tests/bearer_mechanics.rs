//! What a resource finds in a header and on the clock.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use mocktenant_token::bearer::{Authorization, TimeFinding, TimeWindow, read_authorization};
use mocktenant_token::{Claims, Compact};
use mocktenant_verdict::Finding;
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
