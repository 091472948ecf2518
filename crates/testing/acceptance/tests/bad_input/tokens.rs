//! Tokens: client assertions for Entra, bearer tokens for the two resources.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{Algorithm, Identity, shipped};

use super::*;

/// A token with these exact texts as header and payload, signed by the identity's key.
fn signed(identity: &Identity, header: &str, payload: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = identity.key().sign(Algorithm::Rs256, input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Texts that are no token at all.
fn no_tokens() -> Vec<String> {
    let mut texts: Vec<String> =
        ["garbage", "a.b.c", "..", "...", "a.b.c.d.e", "eyJ.eyJ.", "e30.e30.e30", "%00.%00.%00", "=.=.="]
            .iter()
            .map(|text| (*text).to_owned())
            .collect();
    texts.push("a".repeat(60_000));
    texts.push(format!("{}.e30.e30", "e30".repeat(10_000)));
    texts.push(format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode("[".repeat(20_000))));
    texts.push(format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(b"\xff\xfe{}")));
    texts
}

/// Headers that make a correctly signed token unacceptable; the good one is given by its members.
fn bad_headers(good: &Value) -> Vec<(&'static str, String)> {
    let with = |name: &str, value: Value| {
        let mut header = good.clone();
        header[name] = value;
        header.to_string()
    };
    let text = good.to_string();
    vec![
        ("alg twice", text.replacen('{', "{\"alg\":\"RS256\",", 1)),
        ("alg none", with("alg", json!("none"))),
        ("alg None", with("alg", json!("NoNe"))),
        ("alg HS256", with("alg", json!("HS256"))),
        ("alg ES256 against an RSA key", with("alg", json!("ES256"))),
        ("alg PS256 over an RS256 signature", with("alg", json!("PS256"))),
        ("alg unknown", with("alg", json!("RS999"))),
        ("alg a number", with("alg", json!(256))),
        ("alg null", with("alg", Value::Null)),
        ("crit unknown", with("crit", json!(["exp", "something"]))),
        ("crit empty", with("crit", json!([]))),
        ("crit b64", with("crit", json!(["b64"])).replacen('{', "{\"b64\":false,", 1)),
        ("an array", String::from("[1,2]")),
        ("a text", String::from("\"RS256\"")),
        ("truncated", text[..text.len() - 2].to_owned()),
        ("trailing garbage", format!("{text}x")),
        ("two documents", format!("{text}{text}")),
    ]
}

/// Payloads that make a correctly signed token unacceptable.
fn bad_payloads(good: &Value) -> Vec<(&'static str, String)> {
    let text = good.to_string();
    let with = |name: &str, value: &str| {
        let mut payload = good.clone();
        payload[name] = json!("@");
        payload.to_string().replace("\"@\"", value)
    };
    let mut payloads = vec![
        ("exp twice", text.replacen('{', "{\"exp\":1,", 1)),
        ("aud twice", text.replacen('{', "{\"aud\":\"x\",", 1)),
        ("exp in the past", with("exp", "1")),
        ("exp 1e300", with("exp", "1e300")),
        ("exp beyond 64 bits", with("exp", "99999999999999999999999999")),
        ("exp negative", with("exp", "-9223372036854775808")),
        ("exp a list", with("exp", "[1]")),
        ("exp a word", with("exp", "\"tomorrow\"")),
        ("exp null", with("exp", "null")),
        ("nbf 1e300", with("nbf", "1e300")),
        ("nbf in the future", with("nbf", "4000000000")),
        ("aud a number", with("aud", "7")),
        ("aud somebody else's", with("aud", "\"https://evil.example/\"")),
        ("iss an object", with("iss", "{}")),
        ("iss a surrogate", with("iss", "\"\\ud800\"")),
        ("deep", with("deep", &format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)))),
        ("an array", String::from("[]")),
        ("nothing", String::new()),
        ("truncated", text[..text.len() - 2].to_owned()),
    ];
    payloads.push(("not UTF-8", String::from("{\"iss\":\"\u{0}\"}")));
    payloads
}

fn times() -> (i64, i64) {
    let now = mocktenant_lab::real_now().unix_timestamp();
    (now - 60, now + 600)
}

#[test]
fn client_assertions_that_are_none_are_refused_and_nothing_in_them_is_fetched() {
    let bench = Bench::new();
    let identity = shipped::sample_client();
    let thumbprint = identity.certificate().thumbprint();
    let audience = format!("{}/oauth2/v2.0/token", bench.lab.setting("/entra/authority"));
    let client = bench.lab.setting("/entra/client_id");
    let (nbf, exp) = times();
    let header = json!({ "alg": "RS256", "typ": "JWT", "x5t": thumbprint.base64url() });
    let payload =
        json!({ "aud": audience, "iss": client, "sub": client, "nbf": nbf, "exp": exp, "jti": "one" });
    let (good_header, good_payload) = (header.to_string(), payload.to_string());
    let ask = |assertion: &str| bench.ask_for_token(&bench.assertion_form(assertion));

    // The good one is accepted, so each refusal below has its one reason.
    let accepted = ask(&signed(identity, &good_header, &good_payload)).unwrap();
    assert_eq!(accepted.status, 200, "{}", accepted.text());

    for text in no_tokens() {
        Surface::Entra.assert_refused(ask(&text), &format!("{text:.30}"));
    }
    for (what, header) in bad_headers(&header) {
        Surface::Entra.assert_refused(ask(&signed(identity, &header, &good_payload)), what);
    }
    for (what, payload) in bad_payloads(&payload) {
        Surface::Entra.assert_refused(ask(&signed(identity, &good_header, &payload)), what);
    }

    // A key that comes along is never used, and its address never fetched: it names this very lab, whose journal would
    // show it.
    let other = shipped::second_client();
    let before = journal_length(&bench.lab);
    let base = bench.lab.setting("/entra/base_url");
    let jwk = json!({ "kty": "RSA", "n": other.key().public().n_base64url(), "e": other.key().public().e_base64url() });
    let mut asked = 0;
    for (member, value) in [
        ("jwk", jwk),
        ("jku", json!(format!("{base}/common/discovery/keys"))),
        ("x5u", json!(format!("{base}/common/discovery/keys"))),
        ("x5c", json!([other.certificate().base64_der()])),
        ("x5c", json!("garbage")),
        ("x5c", json!([])),
        ("x5c", json!([p256_certificate()])),
        ("x5c", json!([rsa1024_certificate()])),
        ("kid", json!("../../../etc/passwd")),
        ("kid", json!(thumbprint.to_string().repeat(1000))),
    ] {
        let mut header = header.clone();
        header[member] = value;
        // Signed by the key that comes along, under the registered thumbprint.
        Surface::Entra.assert_refused(ask(&signed(other, &header.to_string(), &good_payload)), member);
        asked += 1;
    }
    assert_eq!(journal_length(&bench.lab) - before, asked, "an assertion made the lab call somebody");
    bench.assert_unharmed();
}

fn journal_length(lab: &Serve) -> usize {
    let request = raw::request("GET", "localhost", "/v1/journal?limit=1000", &[], b"");
    let answer = raw::send(lab.port("/control_url"), &request).unwrap();
    answer.json()["records"].as_array().unwrap().len()
}

#[test]
fn bearer_tokens_that_are_none_are_refused_by_both_resources() {
    let bench = Bench::new();
    let identity = shipped::token_signing();
    for (surface, pointer, target) in [
        (Surface::Aos, "/aos/onebox/resource", "/data/CustomersV3"),
        (Surface::Dataverse, "/dataverse/resource", "/api/data/v9.2/accounts"),
    ] {
        let port = surface.port(&bench.lab);
        let get = |headers: &[(&str, &str)]| {
            raw::send(port, &raw::request("GET", "localhost", target, headers, b""))
        };
        let good = bench.token(pointer);
        let bearer = format!("Bearer {good}");
        assert_eq!(get(&[("Authorization", &bearer)]).unwrap().status, 200);

        let part = |index: usize| -> Value {
            let text = URL_SAFE_NO_PAD.decode(good.split('.').nth(index).unwrap()).unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        let (header, payload) = (part(0), part(1));
        // Signed here with the shipped key, the same claims are accepted.
        let forged = format!("Bearer {}", signed(identity, &header.to_string(), &payload.to_string()));
        assert_eq!(get(&[("Authorization", &forged)]).unwrap().status, 200, "{surface:?}");

        let mut values: Vec<(String, String)> =
            ["", "Bearer", "Bearer ", "bearer x", "Basic dTpw", "Negotiate", "Bearer a b c", "\u{0e4}"]
                .iter()
                .map(|value| ((*value).to_owned(), (*value).to_owned()))
                .collect();
        values.push(("cut".into(), format!("Bearer {}", &good[..good.len() - 10])));
        values.push(("without signature".into(), format!("Bearer {}.", good.rsplit_once('.').unwrap().0)));
        values.push(("twice in one".into(), format!("Bearer {good},Bearer {good}")));
        values.extend(no_tokens().into_iter().map(|text| (format!("{text:.30}"), format!("Bearer {text}"))));
        for (what, header) in bad_headers(&header) {
            values.push((what.into(), format!("Bearer {}", signed(identity, &header, &payload.to_string()))));
        }
        for (what, payload) in bad_payloads(&payload) {
            values.push((what.into(), format!("Bearer {}", signed(identity, &header.to_string(), &payload))));
        }
        let stranger = signed(shipped::second_client(), &header.to_string(), &payload.to_string());
        values.push(("another key under a known kid".into(), format!("Bearer {stranger}")));
        for (what, value) in &values {
            // What does not fit into a head is refused before anybody reads a token.
            if value.len() < 60_000 {
                let answer = surface.assert_refused(get(&[("Authorization", value)]), what);
                assert_eq!(answer.status, 401, "{surface:?}: {what}");
            }
        }
        let both = get(&[("Authorization", &bearer), ("Authorization", &bearer)]);
        assert_eq!(surface.assert_refused(both, "two headers").status, 401);
        assert_eq!(surface.assert_refused(get(&[]), "none").status, 401);
    }
    bench.assert_unharmed();
}
