//! Bearer tokens: each check alone, each check turned off, and what no token may do.

use mocktenant_keys::shipped;
use mocktenant_verdict::{Outcome, Remedy, Role};

use super::*;

const ROLES: [(&str, Role); 11] = [
    ("token-present", Role::Token),
    ("token-well-formed", Role::Token),
    ("token-algorithm", Role::Token),
    ("token-signature", Role::Authority),
    ("token-issuer", Role::Authority),
    ("token-audience", Role::Resource),
    ("token-time", Role::Time),
    ("token-tenant", Role::Authority),
    ("token-object-id", Role::Client),
    ("application-mapped", Role::User),
    ("user-enabled", Role::User),
];
const NAMES: [&str; 11] = {
    let mut names = [""; 11];
    let mut at = 0;
    while at < names.len() {
        names[at] = ROLES[at].0;
        at += 1;
    }
    names
};
const WEB_CONFIG: &str = "/environments/onebox/web_config";

/// For one check: the world's edits and the token that fail just that check, and the status.
fn case(check: &str) -> (Vec<Edit>, Option<String>, u16) {
    let mut claims = good_claims();
    let mut edits = Vec::new();
    let mut change = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
        signed(&claims)
    };
    let token = match check {
        "token-present" => return (edits, None, 401),
        "token-well-formed" => "not.a.token".to_owned(),
        "token-algorithm" => {
            let signer = shipped::token_signing();
            let mut header = header_of(signer);
            header["alg"] = json!("HS256");
            token_of(signer, &header, &claims)
        }
        "token-signature" => {
            token_of(shipped::second_client(), &header_of(shipped::token_signing()), &claims)
        }
        "token-issuer" => change("iss", json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"))),
        "token-audience" => change("aud", json!(format!("{URL}/"))),
        "token-time" => change("exp", json!(NOW.unix_timestamp() - 301)),
        "token-tenant" => change("tid", json!("c0117050-0000-4000-8000-00000000ffff")),
        "token-object-id" => {
            claims.remove("oid");
            signed(&claims)
        }
        "application-mapped" => {
            let row = format!("/environments/onebox/database/SysAADClientTable/{CLIENT}");
            edits.push(drop_setting(&row));
            return (edits, Some(good_token()), 403);
        }
        "user-enabled" => {
            edits.push(set("/environments/onebox/database/UserInfo/Admin/Enable", json!(0)));
            return (edits, Some(good_token()), 403);
        }
        other => panic!("no case for {other}"),
    };
    (edits, Some(token), 401)
}

#[tokio::test]
async fn a_good_token_passes_every_check_in_order() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("/data/CustomerGroups").await.status, 200);
    let record = bench.last();
    let names: Vec<&str> = record.checks.iter().map(|check| &*check.name).collect();
    assert_eq!(names, NAMES);
    assert!(record.checks.iter().all(|check| check.outcome == Outcome::Passed), "{:?}", record.checks);
    for name in ["host-url", "issuer", "tenant-guid", "metadata-url", "tenant-id", "audience-uris"] {
        assert!(record.fact(name).unwrap().read_at_start.is_some(), "{name}");
    }
}

#[tokio::test]
async fn what_a_person_is_shown_of_each_check_is_written_down() {
    let get = |edits: Vec<Edit>, token: Option<String>| async move {
        let bench = Bench::edited(&edits).await;
        bench.send(request(http::Method::GET, "/data/Currencies", token.as_deref(), None)).await;
        bench.last()
    };
    let mut text = String::from("--- passed\n");
    text.extend(get(Vec::new(), Some(good_token())).await.checks.iter().map(ToString::to_string));
    text += "--- failed\n";
    for name in NAMES {
        let (edits, token, _) = case(name);
        text += &get(edits, token).await.failed_check().unwrap().to_string();
    }
    text += "--- keys nobody knows\n";
    let signer = shipped::token_signing();
    let mut strange = header_of(signer);
    strange["kid"] = json!("nobody");
    strange["x5t"] = json!("nobody");
    for header in [strange, json!({ "alg": "RS256" })] {
        let token = token_of(signer, &header, &good_claims());
        text += &get(Vec::new(), Some(token)).await.failed_check().unwrap().to_string();
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn each_check_alone_refuses_with_the_p3p_header_and_a_body_only_where_there_is_no_session() {
    for name in NAMES {
        let (edits, token, status) = case(name);
        let bench = Bench::edited(&edits).await;
        let response =
            bench.send(request(http::Method::GET, "/data/Currencies", token.as_deref(), None)).await;
        assert_eq!(response.status, status, "{name}");
        if status == 403 {
            assert_eq!(response.headers["content-type"], "application/json; charset=utf-8");
            let body = body(&response);
            let members: Vec<&String> = body.as_object().unwrap().keys().collect();
            assert_eq!(members, ["Message", "ExceptionMessage", "ExceptionType", "StackTrace"]);
            assert_eq!(
                (&body["Message"], &body["ExceptionMessage"]),
                (&json!("An error has occurred."), &json!("Forbidden"))
            );
            let kind = "System.ServiceModel.Web.WebFaultException`1[[System.ComponentModel.Win32Exception, System, \
                Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089]]";
            assert_eq!(body["ExceptionType"], kind);
            let thrown =
                "   at Microsoft.Dynamics.Ax.Services.ServicesSessionProvider.ThrowSessionCreationException(";
            assert!(body["StackTrace"].as_str().unwrap().starts_with(thrown));
        } else {
            assert!(response.body.is_empty(), "{name}");
        }
        let policy = "CP=\"No P3P policy defined.  Read the Microsoft privacy statement at \
            https://go.microsoft.com/fwlink/?LinkId=271135\"";
        assert_eq!(response.headers["p3p"], policy, "{name}");
        let record = bench.last();
        assert_eq!(failed(&record), [name], "{:?}", record.checks);
        assert_eq!(record.checks.len(), NAMES.len(), "{name}: all that can be asked are recorded");
        assert!(check(&record, name).change.is_some(), "{name}");
    }
}

#[tokio::test]
async fn each_check_turned_off_no_longer_refuses_its_case() {
    for name in NAMES {
        let (edits, token, _) = case(name);
        let bench = Bench::with(Switches::off([name]), &edits).await;
        let response =
            bench.send(request(http::Method::GET, "/data/Currencies", token.as_deref(), None)).await;
        assert_eq!(response.status, 200, "{name}");
    }
}

#[tokio::test]
async fn refusals_name_the_setting_they_depend_on() {
    for (name, pointer) in [
        ("token-signature", "/environments/onebox/web_config/Aad.AADMetadataLocationFormat"),
        ("token-issuer", "/environments/onebox/web_config/Aad.AADIssuerNameFormat"),
        ("token-audience", "/environments/onebox/web_config/Infrastructure.HostUrl"),
        ("token-tenant", "/environments/onebox/web_config/Aad.TenantDomainGUID"),
        (
            "application-mapped",
            "/environments/onebox/database/SysAADClientTable/c0117050-0000-4000-8000-00000000a001",
        ),
        ("user-enabled", "/environments/onebox/database/UserInfo/Admin/Enable"),
    ] {
        let (edits, token, _) = case(name);
        let bench = Bench::edited(&edits).await;
        bench.send(request(http::Method::GET, "/data/Currencies", token.as_deref(), None)).await;
        assert_eq!(check(&bench.last(), name).settings[0].as_str(), pointer);
    }
}

#[tokio::test]
async fn the_audience_is_the_url_without_its_slash_or_the_service_itself_or_the_labs_own_address() {
    let bench = Bench::new().await;
    bench.lab.set_addresses([(onebox(), "https://localhost:7444".to_owned())].into());
    let upper = URL.replace("usnconebox", "USNCONEBOX");
    for (audience, status) in [
        (json!(URL), 200),
        (json!("00000015-0000-0000-c000-000000000000"), 200),
        (json!("spn:00000015-0000-0000-c000-000000000000"), 200),
        (json!("https://localhost:7444"), 200),
        (json!([URL]), 200),
        (json!("https://localhost:7444/"), 401),
        (json!(format!("{URL}/")), 401),
        (json!(upper), 401),
        (json!("spn:c0117050-0000-4000-8000-00000000a002"), 401),
        (json!("https://contoso.crm4.dynamics.com"), 401),
        (json!(""), 401),
        (json!(5), 401),
        (json!(null), 401),
    ] {
        let mut claims = good_claims();
        claims.insert("aud".to_owned(), audience.clone());
        let response =
            bench.send(request(http::Method::GET, "/data/Currencies", Some(&signed(&claims)), None)).await;
        assert_eq!(response.status, status, "{audience}");
    }
}

#[tokio::test]
async fn a_token_that_was_asked_for_without_a_resource_is_told_so() {
    let bench = Bench::new().await;
    let graph = "00000002-0000-0000-c000-000000000000";
    let mut claims = good_claims();
    claims.insert("aud".to_owned(), json!(graph));
    let response =
        bench.send(request(http::Method::GET, "/data/Currencies", Some(&signed(&claims)), None)).await;
    assert_eq!(response.status, 401);
    let record = bench.last();
    let check = record.failed_check().unwrap();
    let said = "a token for Azure AD Graph: it was asked for at the v1 endpoint without `resource`";
    assert_eq!((&*check.name, check.actual.as_str()), ("token-audience", &*format!("{graph}, {said}")));
    assert_eq!(check.change.as_deref(), Some(said));
}

#[tokio::test]
async fn an_environment_without_a_host_url_accepts_no_empty_audience() {
    let bench =
        Bench::edited(&[drop_setting("/environments/onebox/web_config/Infrastructure.HostUrl")]).await;
    for audience in ["", URL] {
        let mut claims = good_claims();
        claims.insert("aud".to_owned(), json!(audience));
        let response =
            bench.send(request(http::Method::GET, "/data/Currencies", Some(&signed(&claims)), None)).await;
        assert_eq!(response.status, 401, "{audience:?}");
    }
}

#[tokio::test]
async fn the_database_is_live_and_the_configuration_is_not() {
    let bench = Bench::new().await;
    let row = format!("/environments/onebox/database/SysAADClientTable/{CLIENT}");
    bench.apply(&[drop_setting(&row)]).await;
    assert_eq!(bench.get("/data/Currencies").await.status, 403);
    bench.apply(&[set(&row, json!({ "Name": "again", "UserId": "admin" }))]).await;
    assert_eq!(bench.get("/data/Currencies").await.status, 200, "user ids have no letter case");
    bench.apply(&[set(&row, json!({ "Name": "again", "UserId": "nobody" }))]).await;
    assert_eq!(bench.get("/data/Currencies").await.status, 403);
}

#[tokio::test]
async fn a_v2_token_names_its_application_in_azp() {
    let bench = Bench::new().await;
    let mut claims = good_claims();
    claims.remove("appid");
    claims.insert("azp".to_owned(), json!(CLIENT.to_uppercase()));
    let response =
        bench.send(request(http::Method::GET, "/data/Currencies", Some(&signed(&claims)), None)).await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn no_garbage_in_the_header_is_accepted_or_panics() {
    let bench = Bench::new().await;
    let signer = shipped::token_signing();
    let (header, claims) = (header_of(signer), good_claims());
    let whole = good_token();
    let unsigned = format!("{}.", whole.rsplit_once('.').unwrap().0);
    let mut none = header.clone();
    none["alg"] = json!("none");
    let mut critical = header.clone();
    critical["crit"] = json!(["exp"]);
    let mut own_key = header.clone();
    own_key["jwk"] = json!({ "kty": "RSA" });
    own_key["kid"] = json!("own");
    own_key["x5t"] = json!("own");
    let mut big = claims.clone();
    big.insert("exp".to_owned(), json!(1e300));
    let mut deep = claims.clone();
    deep.insert("x".to_owned(), (0..60).fold(json!(1), |inner, _| json!([inner])));
    let bad = [
        String::new(),
        " ".to_owned(),
        "Basic dXNlcjpwYXNz".to_owned(),
        "Bearer".to_owned(),
        "Bearer a b".to_owned(),
        format!("Bearer {}", "a".repeat(100_000)),
        format!("Bearer {unsigned}"),
        format!("Bearer {whole}a"),
        format!("Bearer {}", token_of(signer, &none, &claims)),
        format!("Bearer {}", token_of(signer, &critical, &claims)),
        format!("Bearer {}", token_of(signer, &own_key, &claims)),
        format!("Bearer {}", signed(&big)),
        format!("Bearer {}", signed(&deep)),
    ];
    for value in bad {
        let mut request = request(http::Method::GET, "/data/Currencies", None, None);
        request.headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        assert_eq!(bench.send(request).await.status, 401, "{value:.60}");
    }
    let mut twice = request(http::Method::GET, "/data/Currencies", Some(&whole), None);
    twice.headers.append(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {whole}")).unwrap());
    assert_eq!(bench.send(twice).await.status, 401);
}

#[tokio::test]
async fn every_path_asks_for_a_token_first() {
    let bench = Bench::new().await;
    for target in ["/", "/data", "/data/CustomersV3", "/data/Nothing", "/api/services", "/nowhere"] {
        let response = bench.send(request(http::Method::GET, target, None, None)).await;
        assert_eq!(response.status, 401, "{target}");
        assert!(response.headers.contains_key("p3p"), "{target}");
    }
}

#[tokio::test]
async fn a_token_is_judged_without_a_request_as_with_one() {
    let bench = Bench::new().await;
    let checks = bench.lab.judge("aos", Some(&node()), &good_token()).unwrap();
    assert!(checks.iter().all(|check| check.outcome == Outcome::Passed), "{checks:?}");
    let (_, token, _) = case("token-audience");
    let checks = bench.lab.judge("aos", Some(&node()), &token.unwrap()).unwrap();
    let refused: Vec<&str> = checks.iter().filter(|check| check.failed()).map(|check| &*check.name).collect();
    assert_eq!(refused, ["token-audience"]);
}

/// The remedy of the one check that a request fails after these edits.
async fn remedy(bench: &Bench, name: &str, token: &str) -> Option<Remedy> {
    bench.send(request(http::Method::GET, "/data/Currencies", Some(token), None)).await;
    check(&bench.last(), name).remedy.as_deref().cloned()
}

/// Does what a remedy says, stand-ins included, and starts the node again.
async fn heal(bench: &Bench, remedy: Remedy) -> Setting {
    let change = remedy.here.unwrap();
    let stand_ins = change.needs.iter().flat_map(|need| need.stand_in.iter());
    let edits: Vec<Edit> = change.edits.iter().chain(stand_ins).cloned().collect();
    assert!(!edits.is_empty(), "{change:?}");
    bench.apply(&edits).await;
    bench.restart().await;
    change.setting
}

#[tokio::test]
async fn every_failed_check_says_what_it_is_about() {
    assert_eq!(
        // Those about a user's own row are asked on-premises.
        crate::bearer::QUESTIONS
            .iter()
            .map(|asked| (asked.name, asked.role))
            .filter(|asked| ROLES.contains(asked))
            .collect::<Vec<_>>(),
        ROLES
    );
    for (name, role) in ROLES {
        let (edits, token, _) = case(name);
        let bench = Bench::edited(&edits).await;
        bench.send(request(http::Method::GET, "/data/Currencies", token.as_deref(), None)).await;
        assert_eq!(check(&bench.last(), name).role, Some(role), "{name}");
        assert!(bench.last().checks.iter().all(|check| check.failed() || check.remedy.is_none()));
    }
}

#[tokio::test]
async fn a_claim_that_is_wrong_may_be_replaced_by_what_would_be_accepted() {
    for (name, known) in [
        ("token-issuer", None),
        ("token-signature", None),
        ("token-time", None),
        ("token-object-id", None),
        ("token-audience", Some(URL)),
        ("token-tenant", Some(TENANT)),
    ] {
        let (edits, token, _) = case(name);
        let bench = Bench::edited(&edits).await;
        let remedy = remedy(&bench, name, &token.unwrap()).await;
        assert!(remedy.as_ref().is_none_or(|remedy| remedy.here.is_none()), "{name}");
        let instead = remedy.as_ref().and_then(|remedy| remedy.instead.first());
        assert_eq!(instead.map(|instead| &**instead), known, "{name}");
    }
}

#[tokio::test]
async fn a_claim_that_is_genuine_shows_which_key_of_web_config_is_wrong() {
    let other = "c0117050-0000-4000-8000-00000000ffff";
    for (name, key, wrong, right) in [
        ("token-audience", "Infrastructure.HostUrl", "https://elsewhere.example/", format!("{URL}/")),
        (
            "token-issuer",
            "Aad.AADIssuerNameFormat",
            "https://sts.example/{0}/",
            "https://sts.windows.net/{0}/".to_owned(),
        ),
        ("token-issuer", "Aad.TenantDomainGUID", other, TENANT.to_owned()),
        ("token-tenant", "Aad.TenantDomainGUID", other, TENANT.to_owned()),
    ] {
        let setting = format!("{WEB_CONFIG}/{key}");
        let bench = Bench::edited(&[set(&setting, json!(wrong))]).await;
        let remedy = remedy(&bench, name, &good_token()).await.unwrap();
        let change = remedy.here.as_ref().unwrap();
        assert_eq!(
            (change.expected.as_deref(), change.actual.as_deref()),
            (Some(&*right), Some(wrong)),
            "{name}"
        );
        assert_eq!(heal(&bench, remedy).await.as_str(), setting);
        assert_eq!(bench.get("/data/Currencies").await.status, 200, "{name} {key}");
    }
}

#[tokio::test]
async fn a_row_or_a_user_that_is_missing_or_disabled_is_put_there() {
    let database = "/environments/onebox/database";
    let row = format!("{database}/SysAADClientTable/{CLIENT}");
    let user = format!("{database}/UserInfo/Admin");
    let nobody = json!({ "Name": "a", "UserId": "nobody" });
    for (name, edits, setting) in [
        ("application-mapped", vec![drop_setting(&row)], row.clone()),
        ("application-mapped", vec![drop_setting(&row), drop_setting(&user)], row.clone()),
        // Whom it is to stand for is somebody who may sign in, whatever order they are declared in.
        (
            "application-mapped",
            vec![
                drop_setting(&row),
                set(&format!("{user}/Enable"), json!(0)),
                set(
                    &format!("{database}/UserInfo/Zoe"),
                    json!({ "Name": "Zoe", "Enable": 1, "Company": "USMF" }),
                ),
            ],
            row.clone(),
        ),
        ("user-enabled", vec![set(&format!("{user}/Enable"), json!(0))], format!("{user}/Enable")),
        ("user-enabled", vec![set(&row, nobody)], format!("{database}/UserInfo/nobody")),
    ] {
        let bench = Bench::edited(&edits).await;
        let remedy = remedy(&bench, name, &good_token()).await.unwrap();
        assert_eq!(heal(&bench, remedy).await.as_str(), setting);
        assert_eq!(bench.get("/data/Currencies").await.status, 200, "{setting}");
    }
}

#[tokio::test]
async fn what_can_be_no_client_id_is_registered_by_nobody() {
    let bench = Bench::new().await;
    let mut claims = good_claims();
    claims.insert("appid".to_owned(), json!("a client"));
    let change = remedy(&bench, "application-mapped", &signed(&claims)).await.unwrap().here.unwrap();
    assert!(change.edits.is_empty() && change.needs.iter().all(|need| need.stand_in.is_empty()));
}
