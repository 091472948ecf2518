//! Verifiers of other people, each as an API of one's own has it: they take the provider's tokens and refuse a forged one for
//! what is wrong with it.
//!
//! Decides by a table: a row for each defect, a column for each verifier. A verifier is a program of `clients/verifiers`,
//! unmodified and pinned, that is told issuer and audience, finds the keys by discovery from the running lab, and prints what
//! its library says of each token. `jsonwebtoken`, which the testkit brings along, is judged in `forged_tokens.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use mocktenant_acceptance::tools;
use mocktenant_keys::shipped;
use mocktenant_testkit::{Defect, Lab, Order};

const API: &str = "api://contoso-api";

/// The columns of the table.
const VERIFIERS: [&str; 5] = ["PyJWT", "jose", "go-oidc", "Nimbus", "openidconnect"];

/// Whose tokens an API takes is its own to ask: the libraries accept such a token.
const ACCEPTED: &str = "";

/// What each says of each defect. Where a library says the same of two, so it is said here: go-oidc and Nimbus look for a key
/// that fits and do not tell why there is none.
const TABLE: [(Defect, [&str; VERIFIERS.len()]); 12] = [
    (
        Defect::BadSignature,
        [
            "InvalidSignatureError: ",
            "ERR_JWS_SIGNATURE_VERIFICATION_FAILED: ",
            "failed to verify signature: ",
            "Invalid signature",
            "Signature verification failed: Crypto error",
        ],
    ),
    (
        Defect::UnknownKid,
        [
            "PyJWKClientError: Unable to find a signing key that matches",
            "ERR_JWKS_NO_MATCHING_KEY: ",
            "failed to verify signature: ",
            "no matching key(s) found",
            "Signature verification failed: No matching key found",
        ],
    ),
    (
        Defect::WrongIssuer,
        [
            "InvalidIssuerError: ",
            "unexpected \"iss\" claim value",
            "id token issued by a different provider",
            "JWT iss claim value rejected",
            "Invalid issuer: expected",
        ],
    ),
    (
        Defect::WrongAudience,
        [
            "InvalidAudienceError: ",
            "unexpected \"aud\" claim value",
            "expected audience \"",
            "JWT aud claim rejected",
            "Invalid audiences: must contain",
        ],
    ),
    (
        Defect::Expired,
        [
            "ExpiredSignatureError: ",
            "ERR_JWT_EXPIRED: ",
            "token is expired",
            "Expired JWT",
            "ID token expired at",
        ],
    ),
    (
        Defect::NotYetValid,
        [
            "ImmatureSignatureError: ",
            "\"nbf\" claim timestamp check failed",
            "before the nbf (not before) time",
            "JWT before use time",
            "issued in the future",
        ],
    ),
    (
        Defect::AlgNone,
        [
            "InvalidAlgorithmError: ",
            "ERR_JOSE_ALG_NOT_ALLOWED: ",
            "unexpected signature algorithm \"none\"",
            "Unsecured (plain) JWTs are rejected",
            "Signature verification failed: No signature found",
        ],
    ),
    (
        Defect::Hs256WithPublicKey,
        [
            "InvalidAlgorithmError: ",
            "ERR_JOSE_ALG_NOT_ALLOWED: ",
            "unexpected signature algorithm \"HS256\"",
            "Another algorithm expected",
            "Disallowed signature algorithm: algorithm `HS256`",
        ],
    ),
    (Defect::WrongTenant, [ACCEPTED; VERIFIERS.len()]),
    // go-oidc and openidconnect cannot be told which claims there have to be.
    (
        Defect::NoOid,
        [
            "MissingRequiredClaimError: Token is missing the \"oid\" claim",
            "missing required \"oid\" claim",
            ACCEPTED,
            "JWT missing required claims: [oid]",
            ACCEPTED,
        ],
    ),
    (
        Defect::NoTid,
        [
            "MissingRequiredClaimError: Token is missing the \"tid\" claim",
            "missing required \"tid\" claim",
            ACCEPTED,
            "JWT missing required claims: [tid]",
            ACCEPTED,
        ],
    ),
    (
        Defect::NoAppid,
        [
            "MissingRequiredClaimError: Token is missing the \"azp\" claim",
            "missing required \"azp\" claim",
            ACCEPTED,
            "JWT missing required claims: [azp]",
            ACCEPTED,
        ],
    ),
];

#[test]
fn the_table_has_every_defect_once() {
    for defect in Defect::ALL {
        assert_eq!(TABLE.iter().filter(|(listed, _)| listed == defect).count(), 1, "{}", defect.word());
    }
}

#[test]
fn pyjwt_takes_the_providers_tokens_and_refuses_a_forged_one_for_what_is_wrong_with_it() {
    let Some(python) = tools::there_or_skip(tools::python()) else { return };
    let mut program = Command::new(python);
    program.arg("-B").arg(source("pyjwt.py"));
    judge("PyJWT", |lab| {
        program.env("SSL_CERT_FILE", &lab.settings().ca_pem);
        program
    });
}

#[test]
fn jose_takes_the_providers_tokens_and_refuses_a_forged_one_for_what_is_wrong_with_it() {
    let Some((node, modules)) = tools::there_or_skip(tools::node()) else { return };
    // An ES module finds its packages from where it lies.
    let scratch = tempfile::tempdir_in(modules.parent().unwrap()).unwrap();
    let file = scratch.path().join("jose.mjs");
    std::fs::copy(source("jose.mjs"), &file).unwrap();
    let mut program = Command::new(node);
    program.arg(file);
    judge("jose", |lab| {
        program.env("NODE_EXTRA_CA_CERTS", &lab.settings().ca_pem);
        program
    });
}

#[test]
fn go_oidc_takes_the_providers_tokens_and_refuses_a_forged_one_for_what_is_wrong_with_it() {
    let Some(go) = tools::optional("go") else { return };
    let Some(_) = tools::there_or_skip(tools::installed("go", "verifiers/go_oidc/go.sum")) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let built = scratch.path().join("go_oidc");
    let mut build = Command::new(go);
    let output =
        tools::output(build.args(["build", "-o"]).arg(&built).arg(".").current_dir(source("go_oidc")));
    assert!(output.status.success(), "{}", tools::said(&output));
    judge("go-oidc", |lab| {
        let mut program = Command::new(built);
        program.env("SSL_CERT_FILE", &lab.settings().ca_pem);
        program
    });
}

#[test]
fn nimbus_takes_the_providers_tokens_and_refuses_a_forged_one_for_what_is_wrong_with_it() {
    let Some(java) = tools::optional("java") else { return };
    let Some(_) = tools::optional("mvn") else { return };
    let Some(installed) = tools::there_or_skip(tools::installed("java", "java/pom.xml")) else { return };
    judge("Nimbus", |lab| {
        let settings = lab.settings();
        let truststore = settings.truststore_p12.as_ref().unwrap();
        let mut program = Command::new(java);
        program
            .arg(format!("-Djavax.net.ssl.trustStore={}", truststore.display()))
            .arg(format!("-Djavax.net.ssl.trustStorePassword={}", settings.truststore_password))
            .arg("-cp")
            .arg(installed.join("lib/*"))
            .arg(source("Nimbus.java"));
        program
    });
}

#[test]
fn openidconnect_takes_the_providers_tokens_and_refuses_a_forged_one_for_what_is_wrong_with_it() {
    let pins = "verifiers/openidconnect/Cargo.lock";
    let Some(installed) = tools::there_or_skip(tools::installed("rust", pins)) else { return };
    let target = installed.join("target");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--locked", "--offline", "--target-dir"]).arg(&target);
    let output = tools::output(build.current_dir(source("openidconnect")));
    assert!(output.status.success(), "{}", tools::said(&output));
    judge("openidconnect", |lab| {
        let mut program = Command::new(target.join("debug/verifier"));
        program.env("SSL_CERT_FILE", &lab.settings().ca_pem);
        program
    });
}

fn source(name: &str) -> std::path::PathBuf {
    tools::clients().join("verifiers").join(name)
}

/// Shows a verifier the tokens of the table between two good ones, and one by the provider's other key.
fn judge(verifier: &str, program: impl FnOnce(&Lab) -> Command) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lab = runtime.block_on(Lab::start());
    let column = VERIFIERS.iter().position(|name| *name == verifier).unwrap();
    let other = shipped::token_signing_next().certificate().thumbprint().base64url();
    let mut orders = vec![("nothing", Order::default(), ACCEPTED)];
    for (defect, said) in TABLE {
        orders.push((defect.word(), Order { defect: Some(defect), ..Order::default() }, said[column]));
    }
    orders.push(("nothing, by the other key", Order { key: Some(other), ..Order::default() }, ACCEPTED));
    orders.push(("nothing, once more", Order::default(), ACCEPTED));
    let forge = |order: &Order| lab.forge(&Order { resource: Some(API.to_owned()), ..order.clone() }).token;
    let tokens: Vec<String> = orders.iter().map(|(_, order, _)| forge(order)).collect();

    let settings = lab.settings();
    let mut program = program(&lab);
    program
        .arg(format!("{}/v2.0", settings.entra.authority))
        .arg(&settings.custom_api.as_ref().unwrap().client_id)
        .env_remove("SSL_CERT_DIR");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        program.env_remove(name);
    }
    let said = shown(program, &tokens);
    let verdicts: Vec<&str> = said.lines().collect();
    assert_eq!(verdicts.len(), orders.len(), "{said}");
    for ((wrong, _, expected), verdict) in orders.iter().zip(verdicts) {
        match verdict.strip_prefix("refused: ") {
            Some(reason) => {
                assert!(!expected.is_empty(), "{wrong} is no matter of {verifier}'s: {reason}");
                assert!(reason.contains(expected), "{wrong}: {reason:?} does not say {expected:?}");
            }
            None => {
                assert_eq!(*expected, ACCEPTED, "{wrong}: {verifier} says {verdict}");
                assert_eq!(verdict, "accepted Tasks.Read.All", "{wrong}");
            }
        }
    }
    for endpoint in ["/v2.0/.well-known/openid-configuration", "/discovery/v2.0/keys"] {
        let records = lab.journal().requests_to("entra");
        let asked = records.iter().any(|record| record.target.ends_with(endpoint));
        assert!(asked, "{verifier} never asked the lab for {endpoint}");
    }
}

/// What a program printed of these tokens, a line for each.
fn shown(mut program: Command, tokens: &[String]) -> String {
    let name = Path::new(program.get_program()).display().to_string();
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    child.stdin.take().unwrap().write_all((tokens.join("\n") + "\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}: {}", tools::said(&output));
    String::from_utf8(output.stdout).unwrap()
}
