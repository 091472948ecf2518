//! Signatures that are known to hold or not to hold, collected by others: Project Wycheproof's JWS of RSA keys.
//!
//! Decides by the table beside it (which says its source and licence). Payloads there are no JSON, so this asks the keys
//! and not the reader of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{Algorithm, PublicKey};

const TABLE: &str = include_str!("wycheproof_jws.txt");

/// Whether a verifier that goes by the key alone takes it: three parts in base64url, one of the six algorithms.
fn holds(key: &PublicKey, jws: &str) -> bool {
    let parts: Vec<&str> = jws.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { return false };
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let (Some(header_bytes), Some(_), Some(signature)) =
        (decoded(header), decoded(payload), decoded(signature))
    else {
        return false;
    };
    let text = String::from_utf8(header_bytes).unwrap_or_default();
    let said = text.split("\"alg\"").nth(1).and_then(|rest| rest.split('"').nth(1));
    let Some(algorithm) = said.and_then(Algorithm::from_name) else { return false };
    key.verify(algorithm, format!("{header}.{payload}").as_bytes(), &signature)
}

#[test]
fn every_verdict_of_the_table_is_ours() {
    let mut key = None;
    let (mut valid, mut invalid) = (0, 0);
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [first, second, third] = words.as_slice() else { panic!("{line}") };
        if *first == "key" {
            let number = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
            key = Some(PublicKey::from_components(&number(second), &number(third)).unwrap());
            continue;
        }
        let expected = match *second {
            "valid" => true,
            "invalid" => false,
            other => panic!("case {first}: {other}"),
        };
        assert_eq!(holds(key.as_ref().unwrap(), third), expected, "case {first}");
        if expected { valid += 1 } else { invalid += 1 }
    }
    assert!(valid > 20 && invalid > 100, "{valid} valid, {invalid} invalid");
}
