//! What real organisations have and the lab has not is refused and said; what nobody has is the product's own error.

use crate::support::Bench;
use http::Method;

const ROOT: &str = "/api/data/v9.2/";
const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const ROW: &str = "/api/data/v9.2/accounts(c0117050-0000-4000-8000-0000000f0001)";

/// The fact of the last refusal.
fn said(bench: &Bench) -> Option<String> {
    let record = bench.lab.journal().last_refusal().unwrap();
    record.fact("not-built").map(|fact| fact.value.to_string())
}

#[tokio::test]
async fn a_query_option_that_is_not_built_is_refused_and_never_ignored() {
    let bench = Bench::new().await;
    for (query, what) in [
        ("fetchxml=x", "the query option fetchxml"),
        ("savedquery=00000000-0000-0000-00aa-000010001002", "the query option savedquery"),
        ("UserQuery=00000000-0000-0000-00aa-000010001002", "the query option UserQuery"),
        ("$filter=statecode%20eq%200&FETCHXML=x", "the query option FETCHXML"),
        ("partitionId=x", "the query option partitionId"),
        ("$search=x", "$search"),
        ("$format=atom", "$format"),
    ] {
        let seen = bench.get(&format!("{ACCOUNTS}?{query}")).await;
        assert_eq!(seen.refusal(), (400, "0x80040203".to_owned()), "{query}");
        assert!(said(&bench).unwrap().contains(what), "{query}: {:?}", said(&bench));
        let record = bench.lab.journal().last_refusal().unwrap();
        assert!(record.fact("built-here").is_some(), "{query}");
    }
    let seen = bench.call(Method::PATCH, &format!("{ROW}?x-ms-file-name=a"), Some("{}")).await;
    assert_eq!(seen.refusal(), (400, "0x80040203".to_owned()), "of a write too");
}

#[tokio::test]
async fn an_option_that_nobody_has_is_the_products_own_error() {
    let bench = Bench::new().await;
    let seen = bench.get(&format!("{ACCOUNTS}?$fliter=name%20eq%20'x'")).await;
    assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()));
    assert_eq!(seen.message(), "The query parameter '$fliter' is not supported.");
    assert_eq!(said(&bench), None);
    let seen = bench.get(&format!("{ACCOUNTS}?$filter=cntains(name,'x')")).await;
    assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()));
    assert_eq!(said(&bench), None);
    let seen = bench.get(&format!("{ACCOUNTS}?tag=x&anything=y")).await;
    assert_eq!(seen.status().as_u16(), 200, "OData leaves options without $ to whoever wants them");
}

#[tokio::test]
async fn entity_sets_of_the_product_are_told_from_misspelt_ones() {
    let bench = Bench::new().await;
    for set in ["leads", "opportunities", "msdyn_parties", "annotations(1)"] {
        let seen = bench.get(&format!("{ROOT}{set}")).await;
        assert_eq!(seen.refusal(), (404, "0x80060888".to_owned()), "{set}");
        let name = set.split('(').next().unwrap();
        assert_eq!(said(&bench).unwrap(), format!("the entity set {name}"));
    }
    for set in ["acounts", "account", "Accounts", "lead", "WhoIAm"] {
        let seen = bench.get(&format!("{ROOT}{set}")).await;
        assert_eq!(seen.refusal(), (404, "0x80060888".to_owned()), "{set}");
        assert_eq!(seen.message(), format!("Resource not found for the segment '{set}'."));
        assert_eq!(said(&bench), None, "{set}");
    }
}

#[tokio::test]
async fn other_metadata_and_the_writing_of_definitions_are_said_not_to_be_built() {
    let bench = Bench::new().await;
    for (method, path) in [
        (Method::POST, "EntityDefinitions"),
        (Method::PUT, "EntityDefinitions(LogicalName='account')"),
        (Method::GET, "GlobalOptionSetDefinitions"),
        (Method::GET, "RelationshipDefinitions"),
    ] {
        let seen = bench.call(method.clone(), &format!("{ROOT}{path}"), Some("x")).await;
        assert_eq!(seen.status().as_u16(), 501, "{method} {path}");
        let name = path.split(['(', '/']).next().unwrap();
        assert!(said(&bench).unwrap().starts_with(name), "{path}: {:?}", said(&bench));
    }
}

#[tokio::test]
async fn a_function_that_is_not_there_or_called_with_the_wrong_verb_has_no_http_resource() {
    let bench = Bench::new().await;
    for (method, path, built) in [
        (Method::POST, "WhoAmI", true),
        (Method::POST, "WhoAmI()", true),
        (Method::DELETE, "RetrieveVersion", true),
        (Method::GET, "Nonsense()", true),
        (Method::GET, "whoami()", true),
        (Method::GET, "Microsoft.Dynamics.CRM.Nonsense", true),
        (Method::GET, "accounts/Microsoft.Dynamics.CRM.Nonsense()", true),
        (Method::GET, "RetrieveCurrentOrganization(AccessType='Default')", false),
        (Method::GET, "RetrieveCurrentOrganization(AccessType=@p1)?@p1=x", false),
        (Method::POST, "BulkDelete", false),
        (Method::POST, "accounts/Microsoft.Dynamics.CRM.CreateMultiple", false),
        (Method::GET, "RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[%22account%22]", false),
    ] {
        let seen = bench.call(method.clone(), &format!("{ROOT}{path}"), Some("{}")).await;
        assert_eq!(seen.status().as_u16(), 404, "{method} {path}");
        assert_eq!(
            seen.json(),
            serde_json::json!({ "error": {
                "code": "",
                "message": format!(
                    "No HTTP resource was found that matches the request URI 'https://contoso.crm4.dynamics.com/api/data/v9.2/{path}'."
                ),
            } }),
            "{method} {path}"
        );
        assert_eq!(said(&bench).is_none(), built, "{path}: {:?}", said(&bench));
    }
    let stranger = bench.send(Method::POST, &format!("{ROOT}WhoAmI"), Some("{}"), &[]).await;
    assert_eq!(stranger.status().as_u16(), 401, "a stranger learns nothing");
}

#[tokio::test]
async fn writes_of_users_are_said_not_to_be_built() {
    let bench = Bench::new().await;
    for (method, path, status) in [(Method::POST, "systemusers", 405)] {
        let seen = bench.call(method.clone(), &format!("{ROOT}{path}"), Some("{}")).await;
        assert_eq!(seen.status().as_u16(), status, "{path}");
        assert!(said(&bench).unwrap().contains(path.split('(').next().unwrap()), "{:?}", said(&bench));
    }
}

#[tokio::test]
async fn a_preference_or_header_that_would_change_the_meaning_is_refused() {
    let bench = Bench::new().await;
    for (name, value, what) in [
        ("prefer", "odata.track-changes", "Prefer: odata.track-changes"),
        ("prefer", "respond-async, odata.maxpagesize=3", "Prefer: respond-async"),
        ("x-ms-transfer-mode", "chunked", "the header x-ms-transfer-mode"),
        ("X-HTTP-Method-Override", "PATCH", "the header x-http-method-override"),
    ] {
        let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[(name, value)]).await;
        assert_eq!(seen.refusal(), (400, "0x80040203".to_owned()), "{name}: {value}");
        assert_eq!(said(&bench).unwrap(), what);
    }
}

#[tokio::test]
async fn headers_that_mean_nothing_here_and_preferences_nobody_has_change_nothing() {
    let bench = Bench::new().await;
    for (name, value) in [
        ("MSCRM.SuppressDuplicateDetection", "false"),
        ("MSCRM.BypassCustomPluginExecution", "true"),
        ("MSCRM.BypassBusinessLogicExecution", "CustomSync,CustomAsync"),
        ("MSCRM.SolutionUniqueName", "x"),
        ("MSCRM.MergeLabels", "true"),
        ("Consistency", "Strong"),
        ("If-None-Match", "null"),
        ("prefer", "odata.nonsense, wait=5, return=minimal"),
    ] {
        let seen = bench.call_with(Method::POST, ACCOUNTS, Some("{}"), &[(name, value)]).await;
        assert_eq!(seen.status().as_u16(), 204, "{name}: {value}");
    }
}
