//! Every defect a token can be ordered with, at everybody who judges tokens: refused by the question that is about it, and by
//! nothing else; and let through where that question is not asked.
//!
//! Decides by a table: one row for each defect, one test for each row. The judge outside is `jsonwebtoken`; verifiers of
//! other languages are judged in `verifiers.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::{Algorithm, shipped};
use mocktenant_testkit::jsonwebtoken::errors::ErrorKind;
use mocktenant_testkit::jsonwebtoken::{self as jwt, DecodingKey, Validation};
use mocktenant_testkit::{Check, Command, Defect, Edit, Kind, Lab, Order, Outcome, RecordKind, Setting};
use mocktenant_token::{HeaderSegment, mint_hs256, mint_raw, mint_unsigned, tampered};
use serde_json::{Map, Value, json};

const API: &str = "api://contoso-api";
const ANOTHER: &str = "11111111-1111-4111-8111-111111111111";

/// What becomes of one defect, at each acceptor. `None` is no question of theirs: the token is accepted, or has no such part.
struct Row {
    aos: Option<(u16, &'static str)>,
    dataverse: Option<(u16, &'static str)>,
    /// A client's assertion that has the same thing wrong with it.
    entra: Option<(u16, &'static str)>,
    /// A careful library, by the kind of its error.
    library: Option<ErrorKind>,
}

fn row(defect: Defect) -> Row {
    let both = |check| (Some((401, check)), Some((401, check)));
    let ((aos, dataverse), entra, library) = match defect {
        Defect::BadSignature => {
            (both("token-signature"), Some((401, "assertion-signature")), Some(ErrorKind::InvalidSignature))
        }
        // A library is given no key at all: see `verified`.
        Defect::UnknownKid => (both("token-signature"), Some((401, "certificate-registered")), None),
        Defect::WrongIssuer => {
            (both("token-issuer"), Some((401, "assertion-subject")), Some(ErrorKind::InvalidIssuer))
        }
        Defect::WrongAudience => {
            (both("token-audience"), Some((401, "assertion-audience")), Some(ErrorKind::InvalidAudience))
        }
        Defect::WrongTenant => (both("token-tenant"), Some((401, "assertion-audience")), None),
        Defect::Expired => {
            (both("token-time"), Some((401, "assertion-time")), Some(ErrorKind::ExpiredSignature))
        }
        Defect::NotYetValid => {
            (both("token-time"), Some((401, "assertion-time")), Some(ErrorKind::ImmatureSignature))
        }
        Defect::AlgNone => (both("token-algorithm"), Some((401, "assertion-algorithm")), None),
        Defect::Hs256WithPublicKey => {
            (both("token-algorithm"), Some((401, "assertion-algorithm")), Some(ErrorKind::InvalidAlgorithm))
        }
        Defect::NoOid => ((Some((401, "token-object-id")), None), None, None),
        Defect::NoTid => (both("token-tenant"), None, None),
        Defect::NoAppid => {
            ((Some((403, "application-mapped")), Some((403, "application-user-exists"))), None, None)
        }
    };
    Row { aos, dataverse, entra, library }
}

fn order(resource: &str, defect: impl Into<Option<Defect>>) -> Order {
    Order { resource: Some(resource.to_owned()), defect: defect.into(), ..Order::default() }
}

fn failed(checks: &[Check]) -> Option<&str> {
    checks.iter().find(|check| check.outcome == Outcome::Failed).map(|check| &*check.name)
}

/// Shows a token where it counts: status, and the check that failed.
async fn shown(lab: &Lab, place: &str, token: &str) -> (u16, Option<String>) {
    let url = match place {
        "onebox" => format!("{}/data/CustomerGroups", lab.settings().aos["onebox"].url),
        _ => format!("{}/api/data/v9.2/WhoAmI", lab.settings().dataverse.url),
    };
    let reply = lab.client().bearer(token).get(&url).await;
    let record = lab.journal().find(reply.exchange().unwrap()).unwrap();
    (reply.status, record.failed_check().map(|check| check.name.to_string()))
}

/// What a careful verifier of an API makes of a token: by discovery's issuer and the published keys, RS256 alone.
async fn verified(lab: &Lab, token: &str) -> Result<Map<String, Value>, Option<ErrorKind>> {
    let settings = lab.settings();
    let (Ok(header), keys) = (jwt::decode_header(token), lab.jwk_set().await) else { return Err(None) };
    let key = header.kid.as_deref().and_then(|kid| keys.find(kid)).ok_or(None)?;
    let mut validation = Validation::new(jwt::Algorithm::RS256);
    validation.set_audience(&[&settings.custom_api.as_ref().unwrap().client_id]);
    validation.set_issuer(&[format!("{}/v2.0", settings.entra.authority)]);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
    validation.validate_nbf = true;
    let decoded = jwt::decode::<Map<String, Value>>(token, &DecodingKey::from_jwk(key).unwrap(), &validation);
    decoded.map(|data| data.claims).map_err(|error| Some(error.into_kind()))
}

/// An assertion of the sample client with this wrong.
fn assertion(lab: &Lab, defect: Option<Defect>) -> String {
    let identity = shipped::sample_client();
    let settings = lab.settings();
    let now = lab.lab().clock().now().unix_timestamp();
    let audience = format!("{}/oauth2/v2.0/token", settings.entra.authority);
    let mut claims = json!({ "iss": settings.entra.client_id, "sub": settings.entra.client_id, "aud": audience,
        "jti": "j", "nbf": now, "exp": now + 600 });
    let mut header =
        json!({ "typ": "JWT", "alg": "RS256", "x5t": identity.certificate().thumbprint().base64url() });
    match defect {
        Some(Defect::WrongIssuer) => claims["iss"] = ANOTHER.into(),
        Some(Defect::WrongAudience) => claims["aud"] = "https://another.example/".into(),
        Some(Defect::WrongTenant) => {
            claims["aud"] = audience.replace(&settings.entra.tenant_id, ANOTHER).into();
        }
        Some(Defect::Expired) => {
            (claims["nbf"], claims["exp"]) = ((now - 7200).into(), (now - 3600).into());
        }
        Some(Defect::NotYetValid) => {
            (claims["nbf"], claims["exp"]) = ((now + 3600).into(), (now + 7200).into());
        }
        Some(Defect::UnknownKid) => {
            header["x5t"] = shipped::second_client().certificate().thumbprint().base64url().into();
        }
        Some(Defect::AlgNone) => header["alg"] = "none".into(),
        Some(Defect::Hs256WithPublicKey) => header["alg"] = "HS256".into(),
        _ => {}
    }
    let header = HeaderSegment::from_json(header.to_string().as_bytes());
    let claims = claims.to_string();
    match defect {
        Some(Defect::AlgNone) => mint_unsigned(&header, claims.as_bytes()),
        Some(Defect::Hs256WithPublicKey) => {
            mint_hs256(identity.key().public_pem().unwrap().as_bytes(), &header, claims.as_bytes())
        }
        _ => {
            let token = mint_raw(identity.key(), Algorithm::Rs256, &header, claims.as_bytes()).unwrap();
            if defect == Some(Defect::BadSignature) { tampered(&token) } else { token }
        }
    }
}

/// Shows an assertion to the token endpoint: status, and the check that failed.
async fn asserted(lab: &Lab, assertion: &str) -> (u16, Option<String>) {
    let entra = &lab.settings().entra;
    let scope = format!("{API}/.default");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &*entra.client_id),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
        ("scope", &scope),
    ];
    let reply = lab.client().post_form(&format!("{}/oauth2/v2.0/token", entra.authority), &fields).await;
    let record = lab.journal().find(reply.exchange().unwrap()).unwrap();
    (reply.status, record.failed_check().map(|check| check.name.to_string()))
}

/// One row of the table: with every check, and with the deciding one turned off.
async fn holds(defect: Defect) {
    let Row { aos, dataverse, entra, library } = row(defect);
    let lab = Lab::start().await;
    for (place, verdict) in [("onebox", aos), ("dataverse", dataverse)] {
        let token = lab.forge(&order(place, defect)).token;
        let expected = verdict.map_or((200, None), |(status, check)| (status, Some(check.to_owned())));
        assert_eq!(shown(&lab, place, &token).await, expected, "{} at {place}", defect.word());
        let judged = lab.judge(place, &token).await;
        let judged: Vec<Check> = judged.checks.into_iter().map(|explained| explained.check).collect();
        assert_eq!(failed(&judged), verdict.map(|(_, check)| check), "{} judged at {place}", defect.word());
        if let Some((_, check)) = verdict {
            let lax = Lab::builder().switch_off([check]).start().await;
            let token = lax.forge(&order(place, defect)).token;
            let (_, decided) = shown(&lax, place, &token).await;
            assert_ne!(decided.as_deref(), Some(check), "{} at {place}: nothing asks that", defect.word());
        }
    }
    if let Some((status, check)) = entra {
        let wrong = assertion(&lab, Some(defect));
        assert_eq!(asserted(&lab, &wrong).await, (status, Some(check.to_owned())), "{}", defect.word());
        let lax = Lab::builder().switch_off([check]).start().await;
        let wrong = assertion(&lax, Some(defect));
        assert_ne!(asserted(&lax, &wrong).await.1.as_deref(), Some(check), "{}", defect.word());
    }
    let seen = verified(&lab, &lab.forge(&order(API, defect)).token).await;
    match (library, defect) {
        (Some(kind), _) => assert_eq!(seen, Err(Some(kind)), "{}", defect.word()),
        (None, Defect::UnknownKid | Defect::AlgNone) => assert_eq!(seen, Err(None), "{}", defect.word()),
        // What no library asks by itself is the API's own to ask.
        (None, _) => {
            let claims = seen.unwrap();
            let named = ["oid", "tid", "azp"].iter().all(|name| claims.contains_key(*name));
            let own = claims.get("tid") == Some(&json!(lab.settings().entra.tenant_id));
            assert!(!named || !own, "{}: {claims:?}", defect.word());
        }
    }
}

macro_rules! defects {
    ($($test:ident: $defect:ident,)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                holds(Defect::$defect).await;
            }
        )+

        #[test]
        fn every_defect_of_the_list_has_a_test() {
            assert_eq!(Defect::ALL, [$(Defect::$defect),+]);
        }
    };
}

defects! {
    a_bad_signature_is_refused_by_whoever_verifies: BadSignature,
    a_key_nobody_published_is_refused: UnknownKid,
    another_issuer_is_refused: WrongIssuer,
    another_audience_is_refused: WrongAudience,
    another_tenant_is_refused: WrongTenant,
    an_expired_token_is_refused: Expired,
    a_token_that_has_not_begun_is_refused: NotYetValid,
    an_unsigned_token_is_refused: AlgNone,
    a_public_key_is_no_secret: Hs256WithPublicKey,
    without_oid_an_aos_knows_nobody_and_dataverse_does_not_ask: NoOid,
    without_tid_no_tenant_is_taken_for_granted: NoTid,
    without_a_client_there_is_no_user: NoAppid,
}

#[tokio::test]
async fn a_token_without_an_order_is_the_callers_own_and_is_accepted() {
    let lab = Lab::start().await;
    for place in ["onebox", "dataverse"] {
        let forged = lab.forge(&order(place, None));
        assert_eq!(shown(&lab, place, &forged.token).await, (200, None), "{place}");
        let judged = lab.judge(place, &forged.token).await;
        assert!(!judged.is_refused() && judged.cause.is_none(), "{}", judged.to_text(true));
    }
    assert_eq!(asserted(&lab, &assertion(&lab, None)).await, (200, None));
    let judged = lab.judge("entra", &assertion(&lab, None)).await;
    assert!(!judged.is_refused(), "{}", judged.to_text(true));
    let claims = verified(&lab, &lab.forge(&order(API, None)).token).await.unwrap();
    assert_eq!((&claims["ver"], &claims["roles"]), (&json!("2.0"), &json!(["Tasks.Read.All"])));
    // What the caller asks for by itself.
    let own = lab.forge(&Order::default());
    assert_eq!(own.claims["aud"], "https://usnconeboxax1aos.cloud.onebox.dynamics.com");
    assert_eq!(shown(&lab, "onebox", &own.token).await, (200, None));
}

#[tokio::test]
async fn whatever_is_ordered_is_in_the_token_and_nothing_else_changes() {
    let lab = Lab::start().await;
    let plain = lab.forge(&order(API, None));
    let differing = |order: Order| {
        let forged = lab.forge(&order);
        let names = plain.claims.keys().chain(forged.claims.keys());
        let mut names: Vec<&str> = names
            .filter(|name| plain.claims.get(*name) != forged.claims.get(*name))
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        // Drawn, and told by the clock.
        names.retain(|name| !["uti", "iat", "nbf"].contains(name));
        (names.into_iter().map(str::to_owned).collect::<Vec<_>>().join(" "), forged)
    };
    let (names, forged) = differing(Order { roles: Some(vec!["Any".into()]), ..order(API, None) });
    assert!(names == "roles" || names == "exp roles", "{names}");
    assert_eq!(forged.claims["roles"], json!(["Any"]));
    let (_, forged) = differing(Order { roles: Some(Vec::new()), ..order(API, None) });
    assert!(!forged.claims.contains_key("roles"));
    let (names, forged) = differing(Order { lifetime: Some(60), ..order(API, None) });
    assert_eq!(names, "exp");
    let seconds = |name: &str| forged.claims[name].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("nbf"), 360);
    let claims = json!({ "tid": null, "extn.own": [1] }).as_object().unwrap().clone();
    let (names, forged) = differing(Order { claims, ..order(API, None) });
    assert!(names.ends_with("extn.own tid"), "{names}");
    assert_eq!(forged.claims["extn.own"], json!([1]));
    let (names, forged) = differing(Order { real_names: true, ..order(API, None) });
    let microsofts = format!("https://login.microsoftonline.com/{}/v2.0", lab.settings().entra.tenant_id);
    assert_eq!((&*names, &forged.claims["iss"]), ("iss", &json!(microsofts)));
    let (_, forged) = differing(Order { version: Some(1), ..order(API, None) });
    assert_eq!((&forged.claims["ver"], &forged.claims["aud"]), (&json!("1.0"), &json!(API)));
    let next = shipped::token_signing_next().certificate().thumbprint().base64url();
    let (_, forged) = differing(Order { key: Some(next.clone()), ..order(API, None) });
    assert_eq!(forged.header["kid"], next);
    assert!(verified(&lab, &forged.token).await.is_ok(), "the other key is published too");
    let (_, forged) = differing(Order { client: Some(ANOTHER.to_uppercase()), ..order(API, None) });
    assert_eq!(forged.claims["azp"], ANOTHER);
    assert!(!forged.claims.contains_key("roles"), "nobody granted it one");
}

#[tokio::test]
async fn every_place_that_judges_tokens_has_its_names_once() {
    let lab = Lab::start().await;
    assert_eq!(lab.lab().place_names(), ["entra", "adfs", "aos", "dataverse", "onebox", "onprem", "contoso"]);
}

#[tokio::test]
async fn an_order_that_cannot_be_filled_says_what_there_is() {
    let lab = Lab::start().await;
    let refused = |order: Order| lab.try_forge(&order).unwrap_err().to_string();
    assert!(refused(order("oneboks", None)).contains("no resource \"oneboks\"; there are:"));
    let client = refused(Order { client: Some("me".into()), ..Order::default() });
    assert!(client.contains("any GUID"), "{client}");
    let key = refused(Order { key: Some("k".into()), ..Order::default() });
    assert!(key.contains(&shipped::token_signing().certificate().thumbprint().base64url()), "{key}");
    assert_eq!(refused(Order { version: Some(3), ..Order::default() }), "version is 1 or 2");
    assert!(refused(Order { lifetime: Some(0), ..Order::default() }).starts_with("lifetime is 1 to"));
    let claims = json!({ "x": "y".repeat(100_000) }).as_object().unwrap().clone();
    assert!(refused(Order { claims, ..Order::default() }).starts_with("claims make a token that nobody"));
}

#[tokio::test]
async fn a_forged_token_is_in_the_journal_as_one_and_neither_it_nor_a_judged_one_is_shown_there() {
    let lab = Lab::start().await;
    let forged = lab.forge(&order("onebox", Defect::Expired));
    let record = lab.journal().find(&forged.exchange).unwrap();
    assert_eq!((record.kind, &*record.surface, record.refused()), (RecordKind::Forged, "entra", false));
    assert_eq!(record.fact("defect").unwrap().value.to_string(), "expired");
    let judged = lab.judge("onebox", &forged.token).await;
    let record = lab.journal().find(&judged.exchange).unwrap();
    assert_eq!((record.kind, record.refused(), record.is_refusal()), (RecordKind::Judged, true, false));
    assert!(lab.explain_last().is_none(), "nobody was refused");
    let journal = format!("{:?}", lab.journal().records());
    let signature = forged.token.rsplit('.').next().unwrap();
    assert!(!journal.contains(signature) && !journal.contains(&forged.token[..60]));
    let secret = lab.settings().entra.client_secret.clone();
    lab.judge("entra", &secret).await;
    assert!(!format!("{:?}", lab.journal().records()).contains(&secret), "a secret where a token belongs");
}

#[tokio::test]
async fn a_judgement_names_the_setting_to_change() {
    let lab = Lab::start().await;
    let token = lab.forge(&order("onebox", None)).token;
    let assertion = assertion(&lab, None);
    let row = "/environments/onebox/database/SysAADClientTable/c0117050-0000-4000-8000-00000000a001";
    lab.apply([Edit::remove(Setting::fixed(row))]).await;
    let judged = lab.judge("onebox", &token).await;
    assert_eq!(judged.cause.unwrap().setting.as_str(), row);
    let user = "/organizations/contoso/application_users/c0117050-0000-4000-8000-00000000a001";
    lab.apply([Edit::remove(Setting::fixed(user))]).await;
    let token = lab.forge(&order("dataverse", None)).token;
    assert_eq!(lab.judge("contoso", &token).await.cause.unwrap().setting.as_str(), user);
    let tenant = &lab.settings().entra.tenant_id;
    let client = &lab.settings().entra.client_id;
    let certificates = Setting::of(["tenants", tenant, "applications", client, "certificates"]);
    lab.apply([Edit::replace(certificates.clone(), json!({}))]).await;
    let judged = lab.judge("entra", &assertion).await;
    assert!(judged.cause.unwrap().setting.is_within(&certificates));
    // Both of it at once, and what was mended but not read again.
    lab.command(Command::Reset { scope: None }).await;
    let token = lab.forge(&order("onebox", None)).token;
    let issuer = Setting::fixed("/environments/onebox/web_config/Aad.AADIssuerNameFormat");
    let right = lab.world().get(&issuer).unwrap().clone();
    lab.apply([Edit::replace(issuer.clone(), "https://sts.example/{0}/"), Edit::remove(Setting::fixed(row))])
        .await;
    lab.restart("onebox").await;
    let judged = lab.judge("onebox", &token).await;
    assert_eq!(judged.cause.unwrap().setting, issuer);
    assert_eq!(judged.also.iter().map(|next| next.setting.as_str()).collect::<Vec<_>>(), [row]);
    lab.apply([Edit::replace(issuer.clone(), right)]).await;
    let judged = lab.judge("onebox", &token).await;
    let cause = judged.cause.unwrap();
    assert_eq!((cause.kind, &cause.setting), (Kind::Restart, &issuer), "{}", cause.to_line());
    // A node that has not started judges nobody: what kept it from starting is told.
    let metadata = "/environments/onebox/web_config/Aad.AADMetadataLocationFormat";
    lab.apply([Edit::replace(Setting::fixed(metadata), "garbage")]).await;
    lab.restart("onebox").await;
    let judged = lab.judge("aos", &token).await;
    assert_eq!(judged.cause.unwrap().setting.as_str(), metadata);
}

#[tokio::test]
async fn a_token_can_be_ordered_and_judged_over_the_control_api() {
    let lab = Lab::start().await;
    let control = &lab.settings().control_url;
    let order = json!({ "resource": "dataverse", "defect": "no-tid" });
    let made = lab.client().post_json(&format!("{control}/v1/tokens"), &order).await.json();
    let token = made["token"].as_str().unwrap();
    assert_eq!((&made["defect"], made["claims"].get("tid")), (&json!("no-tid"), None));
    let body = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
    assert_eq!(claims, made["claims"]);
    let url = format!("{control}/v1/explain");
    let judged = lab.client().post_json(&url, &json!({ "at": "dataverse", "token": token })).await;
    assert_eq!(judged.header("x-mocktenant-refused"), Some("true"));
    let checks = judged.json()["checks"].as_array().unwrap().clone();
    assert!(checks.iter().any(|check| check["name"] == "token-tenant" && check["outcome"] == "failed"));
    for (document, status) in [
        (json!({ "at": "nowhere", "token": token }), 404),
        (json!({ "at": "onebox" }), 400),
        (json!({ "at": "onebox", "token": token, "more": 1 }), 400),
    ] {
        let refused = lab.client().post_json(&url, &document).await;
        assert_eq!(refused.status, status);
        assert!(!refused.text().contains(token), "a refusal repeats no token");
    }
    for document in [json!({ "defect": "no-aud" }), json!({ "audience": "x" }), json!([])] {
        assert_eq!(lab.client().post_json(&format!("{control}/v1/tokens"), &document).await.status, 400);
    }
    let unknown = lab.client().post_json(&format!("{control}/v1/tokens"), &json!({ "key": "k" })).await;
    assert_eq!((unknown.status, &unknown.json()["errors"][0]["pointer"]), (422, &json!("/key")));
}
