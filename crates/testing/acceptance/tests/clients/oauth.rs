//! OAuth clients that know nothing of Microsoft: openid-client and oauth4webapi (`clients/node/oauth.mjs`), and Authlib
//! (`clients/python/oauth.py`). One list of flows for all of them, and what only one of them has.

use mocktenant_testkit::Lab;
use serde_json::{Value, json};

use crate::Flow;
use crate::seen::{accepted, assertion, last, says, token_request, token_requests};

pub(crate) const FLOWS: &[Flow] = &[
    Flow {
        name: "discovery",
        judge: |lab, seen| {
            let authority = &lab.settings().entra.authority;
            assert_eq!(seen["issuer"], format!("{authority}/v2.0"));
            assert_eq!(seen["token_endpoint"], format!("{authority}/oauth2/v2.0/token"));
            assert_eq!(seen["jwks_uri"], format!("{authority}/discovery/v2.0/keys"));
            assert_eq!(lab.journal().requests_to("entra").len(), 1, "the description alone was asked for");
        },
    },
    Flow {
        name: "secret_post",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "1");
            assert_eq!(authorization(lab), None);
        },
    },
    Flow {
        name: "secret_basic",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "1");
            basic(lab);
        },
    },
    Flow {
        name: "certificate",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "2");
            let (header, claims) = assertion(lab);
            assert_eq!((&header["alg"], header["x5t"].is_string()), (&json!("RS256"), true), "{header}");
            audience(lab, &claims);
        },
    },
    Flow {
        name: "certificate_ps256",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "2");
            let (header, claims) = assertion(lab);
            assert_eq!((&header["alg"], header["x5t#S256"].is_string()), (&json!("PS256"), true), "{header}");
            audience(lab, &claims);
        },
    },
    Flow {
        name: "wrong_secret",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 7_000_215, 401);
            says(seen, "Invalid client secret provided.");
            says(seen, &lab.settings().entra.client_id);
        },
    },
    Flow {
        name: "wrong_secret_basic",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 7_000_215, 401);
            basic(lab);
            // A challenge would be what these clients tell instead of the body.
            assert_eq!(token_request(lab).response_header("www-authenticate"), None);
        },
    },
    Flow {
        name: "expired_secret",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 7_000_222, 401);
            says(seen, lab.settings().entra.expired_client_id.as_deref().unwrap());
        },
    },
    Flow {
        name: "unregistered_certificate",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 700_027, 401);
            says(seen, "The key was not found.");
            says(seen, seen["thumbprint"].as_str().unwrap());
        },
    },
    Flow {
        name: "unregistered_application",
        judge: |lab, seen| {
            refused(lab, seen, "unauthorized_client", 700_016, 400);
            says(seen, seen["client_id"].as_str().unwrap());
        },
    },
    Flow {
        name: "unknown_tenant",
        judge: |lab, seen| {
            // The clients' own words stand outside; what Entra said is in the answer they keep.
            let raised = seen["raised"].as_str().unwrap();
            let own = [
                "unexpected HTTP response status code",
                "unexpected HTTP status code",
                "\"issuer\" is required",
            ];
            assert!(own.iter().any(|words| raised.contains(words)), "{raised}");
            let context = seen["context"].as_str().unwrap();
            assert!(
                context.contains("AADSTS90002: Tenant '") && context.contains("invalid_tenant"),
                "{context}"
            );
            let record = last(lab);
            assert_eq!((record.status, record.error.as_deref()), (400, Some("AADSTS90002")));
            assert!(token_requests(lab).is_empty());
        },
    },
    Flow {
        name: "unknown_tenant_at_the_token_endpoint",
        judge: |lab, seen| refused(lab, seen, "invalid_request", 90002, 400),
    },
    Flow {
        name: "unknown_resource",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_resource", 500_011, 400);
            says(seen, seen["resource"].as_str().unwrap());
        },
    },
    Flow {
        name: "token_checked",
        judge: |lab, seen| {
            let entra = &lab.settings().entra;
            assert_eq!(seen["claims"]["azp"], entra.client_id, "{seen}");
            assert_eq!(seen["claims"]["iss"], format!("{}/v2.0", entra.authority));
            assert_eq!(seen["claims"]["roles"], json!(["Tasks.Read.All"]));
            let touched = seen["touched"].as_str().unwrap();
            assert!(touched.contains("signature"), "{touched}");
            let keys = |target: &str| target.ends_with("/discovery/v2.0/keys");
            assert!(lab.journal().requests_to("entra").iter().any(|record| keys(&record.target)));
        },
    },
];

/// oauth4webapi has a validator of its own, for the tokens of RFC 9068: Entra's say `JWT`, not `at+jwt`.
pub(crate) const OF_OAUTH4WEBAPI: &[Flow] = &[Flow {
    name: "own_validator",
    judge: |_, seen| {
        assert_eq!(seen["typ"], "JWT", "{seen}");
        assert_eq!(seen["said"], "unexpected JWT \"typ\" header parameter value");
    },
}];

/// Authlib can check a whole description, and asks for a member that Entra's does not have.
pub(crate) const OF_AUTHLIB: &[Flow] = &[Flow {
    name: "description_as_a_whole",
    judge: |_, seen| {
        assert_eq!(seen["misses"], "\"token_endpoint_auth_signing_alg_values_supported\" is required");
    },
}];

/// The secret was in the header alone.
fn basic(lab: &Lab) {
    assert!(authorization(lab).unwrap().starts_with("Basic "));
    assert!(!String::from_utf8_lossy(&token_request(lab).request_body).contains("client_secret"));
}

fn authorization(lab: &Lab) -> Option<String> {
    let request = token_request(lab).request().unwrap();
    request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned())
}

/// The client addressed its assertion to the issuer or to the token endpoint: both are taken.
fn audience(lab: &Lab, claims: &Value) {
    let authority = &lab.settings().entra.authority;
    let meant = [format!("{authority}/v2.0"), format!("{authority}/oauth2/v2.0/token")];
    assert!(meant.iter().any(|url| claims["aud"] == *url), "{claims}");
}

/// The journal says that this was sent, and the client handed it on: Authlib error and description, the others everything.
fn refused(lab: &Lab, seen: &Value, error: &str, code: u32, status: u16) {
    let record = token_request(lab);
    assert_eq!((record.status, record.error.as_deref()), (status, Some(&*format!("AADSTS{code}"))));
    says(seen, &format!("AADSTS{code}: "));
    let sent: Value = serde_json::from_slice(&record.response_body).unwrap();
    assert_eq!((&sent["error"], &sent["error_codes"]), (&json!(error), &json!([code])));
    match seen["name"].as_str() {
        Some(name) => {
            assert_eq!((name, &seen["status"]), ("ResponseBodyError", &json!(status)), "{seen}");
            for (member, value) in sent.as_object().unwrap() {
                assert_eq!(seen[member], *value, "{member}");
            }
        }
        None => {
            let description = sent["error_description"].as_str().unwrap();
            assert_eq!(seen["text"], format!("{error}: {description}"), "{seen}");
        }
    }
}
