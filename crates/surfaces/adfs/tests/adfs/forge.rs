//! Tokens to order, beside those of the endpoint, and what the service itself says to each of them.

use mocktenant_lab::Lab;
use mocktenant_lab::forge::{Defect, ForgeError, Order};
use mocktenant_verdict::Switches;
use mocktenant_world::pointers;
use serde_json::{Map, Value, json};

use crate::front_door::*;

const USERINFO: &str = "urn:microsoft:userinfo";

fn order(resource: &str) -> Order {
    Order { issuer: Some("adfs".into()), resource: Some(resource.to_owned()), ..Order::default() }
}

/// One that userinfo takes, but for the defect.
fn about_somebody(defect: Option<Defect>) -> Order {
    Order { claims: members(json!({ "sub": "somebody" })), defect, ..order(USERINFO) }
}

fn members(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// Defects of claims that AD FS's tokens do not have.
const NOT_HERE: [Defect; 3] = [Defect::WrongTenant, Defect::NoOid, Defect::NoTid];

#[tokio::test]
async fn without_changes_a_token_to_order_is_the_one_of_the_endpoint() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        for resource in ["", RESOURCE, WEB_API] {
            let issued = ask(&lab, &by_secret(&[("resource", resource)])).await;
            let resource = Some(resource.to_owned()).filter(|named| !named.is_empty());
            let forged = lab.forge(&Order { resource, ..order("") }).unwrap();
            assert_eq!(forged.token, issued.of("access_token"), "{profile}");
            assert_eq!(forged.header, header_of(&forged.token));
            assert_eq!(forged.claims, verified(&lab, &forged.token).await);
        }
    }
}

#[tokio::test]
async fn whoever_orders_is_no_client_and_names_any() {
    let lab = lab().await;
    let made = |client: &str| lab.forge(&Order { client: Some(client.to_owned()), ..order(RESOURCE) });
    let of = |client: &str| made(client).unwrap().claims;
    assert_eq!((&of(NATIVE)["appid"], &of(NATIVE)["apptype"]), (&json!(NATIVE), &json!("Public")));
    assert_eq!(of(&SERVER.to_uppercase())["appid"], SERVER);
    // A Web API that permits the client nothing.
    assert_eq!(ask(&lab, &by_secret(&[("resource", SERVER)])).await.refusal().1, "MSIS9605");
    let claims = lab.forge(&order(SERVER)).unwrap().claims;
    assert_eq!(claims["aud"], format!("microsoft:identityserver:{SERVER}"));
    let nobody = "0badf00d-0000-4000-8000-0000000000c1";
    assert_eq!((&of(nobody)["appid"], &of(nobody)["apptype"]), (&json!(nobody), &json!("Confidential")));
    assert_eq!(made("nobody").unwrap_err().member(), Some("client"));
}

#[tokio::test]
async fn a_defect_changes_what_it_says_and_nothing_else() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        let good = lab.forge(&about_somebody(None)).unwrap();
        for defect in Defect::ALL {
            let forged = match lab.forge(&about_somebody(Some(*defect))) {
                Err(error) => {
                    assert!(NOT_HERE.contains(defect), "{}", defect.word());
                    assert_eq!(error.member(), Some("defect"));
                    continue;
                }
                Ok(forged) => forged,
            };
            let differing = |one: &Map<String, Value>, other: &Map<String, Value>| {
                let names = one.keys().chain(other.keys()).filter(|name| one.get(*name) != other.get(*name));
                let names: std::collections::BTreeSet<String> = names.cloned().collect();
                names.into_iter().collect::<Vec<_>>().join(" ")
            };
            let named = if profile == "2016" { "x5t" } else { "kid x5t" };
            let expected = match defect {
                Defect::BadSignature => ("", ""),
                Defect::UnknownKid => (named, ""),
                Defect::WrongIssuer => ("", "iss"),
                Defect::WrongAudience => ("", "aud"),
                Defect::Expired if profile == "2016" => ("", "auth_time exp iat"),
                Defect::Expired | Defect::NotYetValid => ("", "auth_time exp iat nbf"),
                Defect::AlgNone | Defect::Hs256WithPublicKey => ("alg", ""),
                Defect::NoAppid => ("", "appid"),
                Defect::WrongTenant | Defect::NoOid | Defect::NoTid => panic!("{}", defect.word()),
            };
            let found = (differing(&forged.header, &good.header), differing(&forged.claims, &good.claims));
            assert_eq!((&*found.0, &*found.1), expected, "{} on {profile}", defect.word());
        }
    }
}

/// The check that refuses a token, if any does: judged, and shown to userinfo.
async fn refused_for(lab: &Lab, token: &str) -> Option<String> {
    let judged = lab.judge_at("adfs", token).unwrap();
    let judged = judged.failed_check().map(|check| check.name.to_string());
    let bearer = format!("Bearer {token}");
    let reply = send(lab, request(http::Method::GET, "/adfs/userinfo", &[("authorization", &bearer)])).await;
    assert_eq!(reply.status, if judged.is_none() { 200 } else { 401 });
    assert_eq!(judged.clone().unwrap_or_default(), decided(lab), "judged as shown");
    judged
}

#[tokio::test]
async fn the_service_takes_a_healthy_token_and_refuses_each_defect_for_what_it_is() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        let healthy = lab.forge(&about_somebody(None)).unwrap().token;
        assert_eq!(refused_for(&lab, &healthy).await, None, "{profile}");
        for defect in Defect::ALL.iter().filter(|defect| !NOT_HERE.contains(defect)) {
            let refused = match defect {
                Defect::BadSignature | Defect::UnknownKid => Some("token-signature"),
                Defect::WrongIssuer => Some("token-issuer"),
                Defect::WrongAudience => Some("token-audience"),
                Defect::Expired | Defect::NotYetValid => Some("token-time"),
                Defect::AlgNone | Defect::Hs256WithPublicKey => Some("token-algorithm"),
                Defect::NoAppid => None,
                Defect::WrongTenant | Defect::NoOid | Defect::NoTid => panic!("{}", defect.word()),
            };
            let token = lab.forge(&about_somebody(Some(*defect))).unwrap().token;
            assert_eq!(refused_for(&lab, &token).await.as_deref(), refused, "{} on {profile}", defect.word());
        }
        let of_the_client = lab.forge(&order(USERINFO)).unwrap().token;
        assert_eq!(refused_for(&lab, &of_the_client).await.as_deref(), Some("token-subject"));
    }
}

#[tokio::test]
async fn each_check_of_an_access_token_is_the_only_one_that_refuses_its_defect() {
    for (defect, off) in [
        (Defect::BadSignature, &["token-signature"][..]),
        (Defect::UnknownKid, &["token-signature"]),
        (Defect::WrongIssuer, &["token-issuer"]),
        (Defect::WrongAudience, &["token-audience"]),
        (Defect::Expired, &["token-time"]),
        (Defect::NotYetValid, &["token-time"]),
        (Defect::AlgNone, &["token-algorithm", "token-signature"]),
        (Defect::Hs256WithPublicKey, &["token-algorithm", "token-signature"]),
    ] {
        let token = lab().await.forge(&about_somebody(Some(defect))).unwrap().token;
        let lab = lab_with(Vec::new(), Switches::off(off.iter().copied())).await;
        assert_eq!(refused_for(&lab, &token).await, None, "{}", defect.word());
    }
}

#[tokio::test]
async fn an_order_is_refused_where_it_names_what_the_service_has_not() {
    let lab = lab().await;
    for (order, member) in [
        (Order { version: Some(2), ..order(RESOURCE) }, "version"),
        (Order { roles: Some(Vec::new()), ..order(RESOURCE) }, "roles"),
        (Order { lifetime: Some(0), ..order(RESOURCE) }, "lifetime"),
        (Order { key: Some("nobodys".into()), ..order(RESOURCE) }, "key"),
        (Order { issuer: Some("imds".into()), ..order(RESOURCE) }, "issuer"),
        (order("https://ax.contoso.com/x"), "resource"),
    ] {
        let error = lab.forge(&order).unwrap_err();
        assert_eq!(error.member(), Some(member), "{error}");
        if let ForgeError::Unknown { known, .. } = error {
            assert!(!known.is_empty(), "{member}");
        }
    }
}

#[tokio::test]
async fn another_key_of_the_service_signs_where_it_is_named_and_a_token_lives_as_long_as_ordered() {
    let keys = json!(["shipped:adfs-signing", "shipped:adfs-signing-next"]);
    let lab = edited([(service().signing_keys(), keys)]).await;
    let next = mocktenant_keys::shipped::adfs_signing_next().certificate().thumbprint().base64url();
    let alone = lab.forge(&Order { key: Some(next.clone()), ..order(RESOURCE) }).unwrap();
    assert_eq!(
        (&alone.header["kid"], &verified(&lab, &alone.token).await["aud"]),
        (&json!(next), &json!(RESOURCE))
    );
    let order = Order { key: Some(next.clone()), lifetime: Some(60), ..about_somebody(None) };
    let forged = lab.forge(&order).unwrap();
    assert_eq!((&forged.header["kid"], &forged.header["x5t"]), (&json!(next), &json!(next)));
    assert_eq!(forged.claims["exp"], NOW.unix_timestamp() + 60);
    assert_eq!(verified(&lab, &forged.token).await["sub"], "somebody");
    assert_eq!(refused_for(&lab, &forged.token).await, None);
}

#[tokio::test]
async fn who_is_not_asked_for_makes_no_token() {
    // The caller of this world asks Entra, which is not in this lab.
    assert_eq!(lab().await.forge(&Order::default()), Err(ForgeError::NoProvider));
    let lab = edited([(pointers::caller().resource(), RESOURCE.into())]).await;
    let by_itself = lab.forge(&Order { issuer: Some("adfs".into()), ..Order::default() }).unwrap();
    assert_eq!(by_itself.claims["aud"], USERINFO, "what the caller wants it does not want of AD FS");
}
