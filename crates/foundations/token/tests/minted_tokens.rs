//! Every token we mint verifies with an independent library, and with our own reader.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use jsonwebtoken::{DecodingKey, Validation};
use mocktenant_keys::{Algorithm, shipped};
use mocktenant_token::bearer::{SignatureFinding, TrustedKey, select_key, verify_signature};
use mocktenant_token::{
    Compact, HeaderSegment, KeyMember, mint, mint_hs256, mint_raw, mint_unsigned, tampered,
};
use serde_json::{Map, Value, json};

const ALL: [(Algorithm, jsonwebtoken::Algorithm); 6] = [
    (Algorithm::Rs256, jsonwebtoken::Algorithm::RS256),
    (Algorithm::Rs384, jsonwebtoken::Algorithm::RS384),
    (Algorithm::Rs512, jsonwebtoken::Algorithm::RS512),
    (Algorithm::Ps256, jsonwebtoken::Algorithm::PS256),
    (Algorithm::Ps384, jsonwebtoken::Algorithm::PS384),
    (Algorithm::Ps512, jsonwebtoken::Algorithm::PS512),
];

fn header(algorithm: Algorithm) -> HeaderSegment {
    let kid = shipped::token_signing().certificate().thumbprint().base64url();
    let Value::Object(members) = json!({ "typ": "JWT", "alg": algorithm.name(), "x5t": kid, "kid": kid })
    else {
        unreachable!("an object literal")
    };
    HeaderSegment::new(&members).unwrap()
}

fn minted(algorithm: Algorithm, claims: &Value) -> String {
    mint(shipped::token_signing().key(), algorithm, &header(algorithm), claims).unwrap()
}

fn trusted() -> Vec<TrustedKey> {
    [shipped::sample_client(), shipped::token_signing()]
        .iter()
        .map(|identity| TrustedKey::of_certificate(identity.certificate()).unwrap())
        .collect()
}

#[test]
fn every_algorithm_verifies_with_an_independent_library() {
    let public = shipped::token_signing().key().public();
    let key = DecodingKey::from_rsa_components(&public.n_base64url(), &public.e_base64url()).unwrap();
    for (ours, theirs) in ALL {
        let claims = json!({ "zeta": 1, "aud": "https://contoso.example/", "alpha": "ä\"\\\u{1f600}" });
        let token = minted(ours, &claims);
        let mut validation = Validation::new(theirs);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let read = jsonwebtoken::decode::<Map<String, Value>>(&token, &key, &validation).unwrap();
        assert_eq!(Value::Object(read.claims), claims);
        assert_eq!(read.header.alg, theirs);
    }
}

#[test]
fn every_algorithm_verifies_with_our_own_reader() {
    let trusted = trusted();
    for (algorithm, _) in ALL {
        let token = minted(algorithm, &json!({ "a": 1 }));
        let compact = Compact::parse(&token).unwrap();
        let found = select_key(compact.header(), &trusted);
        let key = found.key().unwrap();
        assert_eq!(verify_signature(&compact, key), SignatureFinding::Valid { algorithm });
        assert_eq!(
            verify_signature(&compact, &trusted[0]),
            SignatureFinding::Mismatch { algorithm, nonce: false }
        );
        assert!(found.to_string().ends_with("by kid"));
    }
}

#[test]
fn members_keep_the_order_they_were_given_in() {
    let token = minted(Algorithm::Rs256, &json!({ "zeta": 1, "alpha": 2, "mid": 3 }));
    let compact = Compact::parse(&token).unwrap();
    assert_eq!(compact.claims().members().keys().collect::<Vec<_>>(), ["zeta", "alpha", "mid"]);
    assert_eq!(compact.header().members().keys().collect::<Vec<_>>(), ["typ", "alg", "x5t", "kid"]);
}

#[test]
fn raw_claims_are_signed_as_they_are() {
    let identity = shipped::token_signing();
    let raw = br#"{ "spaced" : "kept\/so" }"#;
    let token = mint_raw(identity.key(), Algorithm::Rs256, &header(Algorithm::Rs256), raw).unwrap();
    let middle = token.split('.').nth(1).unwrap();
    assert_eq!(middle, HeaderSegment::from_json(raw).as_str());
}

#[test]
fn a_changed_claim_no_longer_verifies() {
    let token = minted(Algorithm::Rs256, &json!({ "roles": ["reader"] }));
    let mut parts: Vec<&str> = token.split('.').collect();
    let forged = HeaderSegment::from_json(br#"{"roles":["writer"]}"#);
    parts[1] = forged.as_str();
    let token = parts.join(".");
    let finding = verify_signature(&Compact::parse(&token).unwrap(), &trusted()[1]);
    assert_eq!(finding, SignatureFinding::Mismatch { algorithm: Algorithm::Rs256, nonce: false });
}

#[test]
fn algorithms_that_no_rsa_key_verifies_are_refused_whatever_the_signature() {
    let trusted = trusted();
    let key = shipped::token_signing().key();
    for alg in ["none", "None", "HS256", "ES256", "EdDSA", "RS1", "rs256", "", &"x".repeat(5_000)] {
        let header = HeaderSegment::from_json(json!({ "alg": alg }).to_string().as_bytes());
        let token = mint_raw(key, Algorithm::Rs256, &header, b"{}").unwrap();
        let finding = verify_signature(&Compact::parse(&token).unwrap(), &trusted[1]);
        assert!(matches!(finding, SignatureFinding::AlgorithmRefused { .. }), "{alg}: {finding}");
        assert!(finding.to_string().len() < 100);
    }
    let finding_for = |header: &str| {
        let token =
            mint_raw(key, Algorithm::Rs256, &HeaderSegment::from_json(header.as_bytes()), b"{}").unwrap();
        verify_signature(&Compact::parse(&token).unwrap(), &trusted[1])
    };
    assert_eq!(finding_for("{}"), SignatureFinding::AlgorithmMissing);
    assert_eq!(finding_for(r#"{"alg":256}"#), SignatureFinding::AlgorithmMissing);
    assert_eq!(
        finding_for(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#),
        SignatureFinding::CriticalHeader { names: vec!["b64".to_owned()] }
    );
}

#[test]
fn an_unsigned_token_is_named_as_such() {
    let header = HeaderSegment::from_json(br#"{"alg":"RS256"}"#);
    let token = format!("{}.{}.", header.as_str(), HeaderSegment::from_json(b"{}").as_str());
    assert_eq!(verify_signature(&Compact::parse(&token).unwrap(), &trusted()[1]), SignatureFinding::Unsigned);
}

#[test]
fn a_key_brought_along_by_the_token_is_never_used() {
    let attacker = shipped::second_client();
    let public = attacker.key().public();
    let header = json!({
        "alg": "RS256",
        "jwk": { "kty": "RSA", "n": public.n_base64url(), "e": public.e_base64url() },
        "jku": "https://attacker.example/keys",
        "x5u": "https://attacker.example/certificate",
        "x5c": [attacker.certificate().base64_der()],
    });
    let header = HeaderSegment::from_json(header.to_string().as_bytes());
    let token = mint_raw(attacker.key(), Algorithm::Rs256, &header, b"{}").unwrap();
    let compact = Compact::parse(&token).unwrap();
    assert!(select_key(compact.header(), &trusted()).key().is_none());
}

#[test]
fn a_key_is_found_by_every_name_it_has() {
    let certificate = shipped::token_signing().certificate().clone();
    let trusted = trusted();
    let sha1 = certificate.thumbprint().base64url();
    let padded = format!("{sha1}=").replace('-', "+").replace('_', "/");
    let found_by = |header: Value| {
        let header = HeaderSegment::from_json(header.to_string().as_bytes());
        let token = format!("{}.e30.AAAA", header.as_str());
        let compact = Compact::parse(&token).unwrap();
        match select_key(compact.header(), &trusted) {
            mocktenant_token::bearer::KeyFinding::Found { key, by } => {
                assert_eq!(key.thumbprint, Some(certificate.thumbprint()));
                Some(by)
            }
            other => {
                assert!(other.expected().contains(&sha1));
                None
            }
        }
    };
    assert_eq!(found_by(json!({ "kid": sha1 })), Some(KeyMember::Kid));
    assert_eq!(found_by(json!({ "kid": certificate.thumbprint().to_string() })), Some(KeyMember::Kid));
    assert_eq!(found_by(json!({ "x5t": padded })), Some(KeyMember::X5t));
    assert_eq!(
        found_by(json!({ "x5t#S256": certificate.thumbprint256().base64url() })),
        Some(KeyMember::X5tS256)
    );
    assert_eq!(found_by(json!({ "kid": "unknown", "x5t": sha1 })), Some(KeyMember::X5t));
    assert_eq!(found_by(json!({ "kid": "unknown" })), None);
    assert_eq!(found_by(json!({ "x5t": "" })), None);
}

#[test]
fn a_shared_name_without_a_certificate_still_finds_its_key() {
    let public_key = shipped::token_signing().key().public().clone();
    let named =
        TrustedKey { kid: Some("published".into()), thumbprint: None, thumbprint256: None, public_key };
    let token = format!("{}.e30.", HeaderSegment::from_json(br#"{"kid":"published"}"#).as_str());
    let compact = Compact::parse(&token).unwrap();
    let trusted = [named];
    assert!(select_key(compact.header(), &trusted).key().is_some());
}

#[test]
fn what_an_attacker_makes_can_be_read_and_verifies_with_no_key() {
    let key = shipped::token_signing().key().clone();
    let trusted = trusted();
    let header = |alg: &str| HeaderSegment::from_json(json!({ "alg": alg }).to_string().as_bytes());
    let judged = |token: &str| verify_signature(&Compact::parse(token).unwrap(), &trusted[1]);
    let good = mint_raw(&key, Algorithm::Rs256, &header("RS256"), b"{}").unwrap();
    assert!(judged(&good).holds());
    let changed = tampered(&good);
    assert!(matches!(judged(&changed), SignatureFinding::Mismatch { .. }), "{:?}", judged(&changed));
    assert_eq!(tampered(&tampered("a.b.A")), "a.b.A");
    assert_eq!(tampered("a.b."), "a.b.");
    let unsigned = mint_unsigned(&header("none"), b"{}");
    assert!(unsigned.ends_with('.'));
    assert!(matches!(judged(&unsigned), SignatureFinding::AlgorithmRefused { .. }));
    let pem = key.public_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"));
    let confused = mint_hs256(pem.as_bytes(), &header("HS256"), b"{}");
    assert!(matches!(judged(&confused), SignatureFinding::AlgorithmRefused { .. }));
    // Whoever lets the header choose the algorithm takes it.
    let mut careless = Validation::new(jsonwebtoken::Algorithm::HS256);
    careless.required_spec_claims.clear();
    careless.validate_exp = false;
    let taken =
        jsonwebtoken::decode::<Value>(&confused, &DecodingKey::from_secret(pem.as_bytes()), &careless);
    assert!(taken.is_ok(), "{taken:?}");
}
