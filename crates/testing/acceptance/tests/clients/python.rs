//! The flows of `clients/python/flows.py`: MSAL, managed identities by azure-identity, PyJWT, signxml and the Dataverse SDK.

use std::sync::Arc;

use mocktenant_testkit::Record;
use serde_json::{Value, json};

use crate::Flow;
use crate::seen::{
    VM, accepted, assertion, checked, identity_of, last, managed, refused, says, token_request,
    token_requests,
};

pub(crate) const FLOWS: &[Flow] = &[
    Flow {
        name: "secret",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "1");
            checked(&token_request(lab), "secret-matches");
        },
    },
    Flow {
        name: "secret_with_the_verify_parameter",
        judge: |_, seen| assert_eq!(seen["token_type"], "Bearer", "{seen}"),
    },
    Flow {
        name: "certificate_x5t",
        judge: |lab, seen| {
            accepted(lab, seen);
            assert_eq!(seen["claims"]["appidacr"], "2");
            let (header, _) = assertion(lab);
            assert_eq!((&header["alg"], header["x5t"].is_string()), (&json!("RS256"), true), "{header}");
            assert!(header.get("x5c").is_none(), "{header}");
        },
    },
    Flow {
        name: "certificate_x5t_s256_x5c",
        judge: |lab, seen| {
            accepted(lab, seen);
            let (header, _) = assertion(lab);
            assert_eq!((&header["alg"], header["x5t#S256"].is_string()), (&json!("PS256"), true), "{header}");
            assert!(header["x5c"].is_array(), "{header}");
        },
    },
    Flow {
        name: "certificate_x5t_with_x5c",
        judge: |lab, seen| {
            accepted(lab, seen);
            let (header, _) = assertion(lab);
            assert!(header["x5t"].is_string() && header["x5c"].is_array(), "{header}");
        },
    },
    Flow {
        name: "certificate_pfx",
        judge: |lab, seen| {
            accepted(lab, seen);
            let (header, _) = assertion(lab);
            assert!(header["x5t#S256"].is_string() && header.get("x5c").is_none(), "{header}");
        },
    },
    Flow {
        name: "certificate_pfx_with_x5c",
        judge: |lab, seen| {
            accepted(lab, seen);
            let (header, _) = assertion(lab);
            assert!(header["x5t#S256"].is_string() && header["x5c"].is_array(), "{header}");
        },
    },
    Flow {
        name: "cache",
        judge: |lab, seen| {
            assert_eq!(seen["first"]["token_source"], "identity_provider", "{seen}");
            assert_eq!(seen["second"]["token_source"], "cache", "{seen}");
            assert_eq!(seen["first"]["claims"], seen["second"]["claims"]);
            assert_eq!(token_requests(lab).len(), 1, "the second token comes from MSAL's cache");
        },
    },
    Flow {
        name: "wrong_secret",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 7_000_215, 401);
            says(seen, "AADSTS7000215: Invalid client secret provided.");
            says(seen, &lab.settings().entra.client_id);
        },
    },
    Flow {
        name: "expired_secret",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 7_000_222, 401);
            says(seen, "are expired");
            says(seen, lab.settings().entra.expired_client_id.as_deref().unwrap());
        },
    },
    Flow {
        name: "unregistered_certificate",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_client", 700_027, 401);
            says(seen, "The key was not found.");
            let check = lab.journal().failed_check().unwrap();
            assert_eq!(check.name, "certificate-registered");
            assert!(check.actual.contains(seen["thumbprint"].as_str().unwrap()), "{check:?}");
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
            // MSAL's own words stand outside; what Entra said is in the context of its error.
            let context = seen["context"].as_str().unwrap();
            assert!(context.contains("HTTP status: 400"), "{context}");
            assert!(context.contains("AADSTS90002") && context.contains("invalid_tenant"), "{context}");
            assert!(context.contains("\"error_codes\":[90002]"), "{context}");
            let record = last(lab);
            assert_eq!((record.status, record.error.as_deref()), (400, Some("AADSTS90002")));
            assert!(token_requests(lab).is_empty());
        },
    },
    Flow {
        name: "unknown_tenant_at_the_token_endpoint",
        judge: |lab, seen| {
            assert_eq!(seen["status"], 400);
            refused(lab, seen, "invalid_request", 90002, 400);
        },
    },
    Flow {
        name: "unknown_resource",
        judge: |lab, seen| {
            refused(lab, seen, "invalid_resource", 500_011, 400);
            says(seen, seen["resource"].as_str().unwrap());
        },
    },
    Flow { name: "managed_identity_app_service", judge: |lab, seen| managed(lab, seen, "app-service-token") },
    Flow { name: "managed_identity_imds", judge: |lab, seen| managed(lab, seen, "imds-token") },
    Flow {
        name: "managed_identity_imds_through_the_proxy",
        judge: |lab, seen| {
            managed(lab, seen, "imds-token");
            for record in lab.journal().requests_to("imds") {
                assert_eq!(&*record.host, "169.254.169.254", "{record:?}");
                assert_eq!(record.fact("via").unwrap().value, "proxy");
            }
        },
    },
    Flow {
        name: "managed_identity_by_default",
        judge: |lab, seen| {
            identity_of(lab, seen, VM);
            let requests = lab.journal().requests_to("imds");
            let statuses: Vec<u16> = requests.iter().map(|record| record.status).collect();
            assert_eq!(statuses, [400, 200], "a probe without the header, then a request");
        },
    },
    Flow {
        name: "token_v1",
        judge: |lab, seen| {
            let entra = &lab.settings().entra;
            for endpoint in ["v1_endpoint", "v2_endpoint"] {
                let verified = &seen[endpoint];
                assert_eq!(verified["claims"]["ver"], "1.0");
                assert_eq!(verified["claims"]["appid"], entra.client_id);
                let issuer = format!("https://sts.windows.net/{}/", entra.tenant_id);
                assert_eq!(verified["claims"]["iss"], issuer);
                assert_eq!(verified["header"]["kid"], verified["header"]["x5t"]);
            }
        },
    },
    Flow {
        name: "token_v2",
        judge: |lab, seen| {
            let entra = &lab.settings().entra;
            for endpoint in ["v1_endpoint", "v2_endpoint"] {
                let verified = &seen[endpoint];
                assert_eq!(verified["claims"]["ver"], "2.0");
                assert_eq!(verified["claims"]["azp"], entra.client_id);
                assert_eq!(verified["claims"]["iss"], format!("{}/v2.0", entra.authority));
                assert!(verified["header"]["kid"].is_string());
            }
        },
    },
    Flow {
        name: "token_forged",
        judge: |_, seen| assert!(seen["refused"].as_str().unwrap().contains("ignature"), "{seen}"),
    },
    Flow {
        name: "metadata_signature",
        judge: |lab, seen| {
            assert_eq!(seen["signed"], "EntityDescriptor");
            let entity = format!("https://sts.windows.net/{}/", lab.settings().entra.tenant_id);
            assert_eq!(seen["entity_id"], entity);
            assert_eq!(seen["published_key"], 0, "the active key signs");
            assert_eq!(seen["touched"], true);
            assert_ne!(seen["forged"], "accepted");
        },
    },
    Flow {
        name: "dataverse_sdk_rows",
        judge: |lab, seen| {
            assert_eq!(seen["read"]["name"], "Made by the SDK", "{seen}");
            assert_eq!(seen["read"]["customertypecode"], 3, "the SDK found the number of a label");
            assert_eq!(seen["read"]["primarycontactid"]["fullname"], "Ann Other", "{seen}");
            assert_eq!(seen["found"], json!(["SDK-1"]), "{seen}");
            assert_eq!(seen["after"]["name"], "Changed by the SDK", "{seen}");
            assert_eq!(seen["after"]["customertypecode"], 10, "{seen}");
            assert_eq!((&seen["pages"], &seen["gone"]), (&json!([1, 1]), &Value::Null), "{seen}");
            let unbuilt = |record: &&Arc<Record>| record.fact("not-built").is_some();
            let records = lab.journal().requests_to("dataverse");
            assert_eq!(records.iter().filter(unbuilt).count(), 0, "{}", lab.failure_report());
        },
    },
    Flow {
        name: "dataverse_sdk_definitions",
        judge: |_, seen| {
            let tables = seen["tables"].as_array().unwrap();
            assert!(tables.contains(&json!("account")) && tables.contains(&json!("contact")), "{seen}");
            assert_eq!((&seen["set"], &seen["id"]), (&json!("accounts"), &json!("accountid")), "{seen}");
            assert_eq!(seen["column"], "Picklist", "{seen}");
            assert!(seen["columns"].as_u64().unwrap() > 80, "{seen}");
            assert!(seen["unknown"].as_str().unwrap().contains("'acount'"), "{seen}");
        },
    },
    Flow {
        name: "dataverse_sdk_batch",
        judge: |_, seen| {
            let statuses = |name: &str| -> Vec<u64> {
                seen[name].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect()
            };
            assert_eq!(statuses("made"), [204, 204, 200, 200], "{seen}");
            assert!(seen["made"][1]["id"].is_string(), "{seen}");
            assert_eq!(seen["table"], "accounts", "{seen}");
            assert_eq!(statuses("mixed"), [412, 204], "{seen}");
            assert_eq!(seen["mixed"][0]["code"], "0x80060892", "{seen}");
            assert_eq!(seen["rows"], json!(["SDK-1", "SDK-3"]), "a change set is done as a whole: {seen}");
            assert_eq!(seen["contact"], "Other", "{seen}");
        },
    },
    Flow {
        name: "dataverse_sdk_refusals",
        judge: |lab, seen| {
            assert_eq!((&seen["status"], &seen["code"]), (&json!(400), &json!("0x80048d19")), "{seen}");
            assert_eq!(
                lab.journal().requests_to("dataverse").pop().unwrap().error.as_deref(),
                Some("0x80048d19")
            );
        },
    },
];
