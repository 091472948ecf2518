//! Tokens to order, beside those of the endpoint. What each defect leads to elsewhere is a matter of whoever judges.

use mocktenant_lab::forge::{Defect, ForgeError, Order};
use mocktenant_lab::{Addresses, Entrance, Lab};
use mocktenant_token::{Compact, HeaderSegment, mint_hs256};
use mocktenant_verdict::{Setting, Switches};
use mocktenant_world::Edit;
use serde_json::{Map, Value};

use crate::front_door::*;

fn order(resource: &str) -> Order {
    Order { resource: Some(resource.to_owned()), ..Order::default() }
}

/// Header and claims without what is drawn for each token.
fn said(token: &str) -> (Map<String, Value>, Map<String, Value>) {
    let compact = Compact::parse(token).unwrap();
    let (mut header, mut claims) = (compact.header().members().clone(), compact.claims().members().clone());
    if let Some(nonce) = header.get_mut("nonce") {
        *nonce = Value::Null;
    }
    claims["uti"] = Value::Null;
    (header, claims)
}

async fn local_lab() -> Lab {
    let lab = lab().await;
    lab.set_addresses(Addresses::from([(Entrance::Identity, format!("https://{LOCAL}"))]));
    lab
}

#[tokio::test]
async fn without_changes_a_token_to_order_is_the_one_of_the_endpoint() {
    let lab = local_lab().await;
    for resource in [
        DATAVERSE,
        "https://usnconeboxax1aos.cloud.onebox.dynamics.com",
        "api://contoso-api",
        API,
        "https://graph.microsoft.com",
    ] {
        let scope = format!("{resource}/.default");
        let issued = post(&lab, LOCAL, &v2(), &by_secret_v2(&[("scope", &scope)])).await.token();
        let forged = lab.forge(&order(resource)).unwrap();
        assert_eq!(said(&forged.token), said(&issued), "{resource}");
        let compact = Compact::parse(&forged.token).unwrap();
        assert_eq!(&forged.header, compact.header().members());
        assert_eq!(&forged.claims, compact.claims().members());
        // Member for member: the order of claims is the product's too.
        let names = |token: &str| said(token).1.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&forged.token), names(&issued), "{resource}");
    }
}

#[tokio::test]
async fn whoever_orders_is_no_client_and_needs_no_secret() {
    let wrong = Edit::replace(Setting::fixed("/caller/client_secret"), "wrong");
    let lab = lab_with(vec![wrong], Switches::default()).await;
    assert_eq!(lab.forge(&order(DATAVERSE)).unwrap().claims["appid"], CLIENT);
}

#[tokio::test]
async fn a_defect_changes_what_it_says_and_nothing_else() {
    let lab = local_lab().await;
    for resource in [DATAVERSE, "api://contoso-api"] {
        let good = said(&lab.forge(&order(resource)).unwrap().token);
        for defect in Defect::ALL {
            let forged = lab.forge(&Order { defect: Some(*defect), ..order(resource) }).unwrap();
            let (header, claims) = said(&forged.token);
            let differing = |one: &Map<String, Value>, other: &Map<String, Value>| {
                let mut names: Vec<String> = one
                    .keys()
                    .chain(other.keys())
                    .filter(|name| one.get(*name) != other.get(*name))
                    .cloned()
                    .collect();
                names.sort();
                names.dedup();
                names.join(" ")
            };
            let v1 = claims["ver"] == "1.0";
            let expected = match defect {
                Defect::BadSignature => ("", ""),
                Defect::UnknownKid if v1 => ("kid x5t", ""),
                Defect::UnknownKid => ("kid", ""),
                Defect::WrongIssuer => ("", "iss"),
                Defect::WrongAudience => ("", "aud"),
                Defect::WrongTenant | Defect::NoTid => ("", "tid"),
                Defect::Expired | Defect::NotYetValid => ("", "exp iat nbf"),
                Defect::AlgNone | Defect::Hs256WithPublicKey => ("alg", ""),
                Defect::NoOid => ("", "oid"),
                Defect::NoAppid if v1 => ("", "appid"),
                Defect::NoAppid => ("", "azp"),
            };
            let found = (differing(&header, &good.0), differing(&claims, &good.1));
            assert_eq!((&*found.0, &*found.1), expected, "{} for {resource}", defect.word());
        }
    }
}

#[tokio::test]
async fn a_token_for_graph_stays_one_that_only_graph_can_verify() {
    let lab = local_lab().await;
    let graph = Order { lifetime: Some(60), roles: Some(Vec::new()), ..order("https://graph.microsoft.com") };
    let changed =
        Order { claims: serde_json::from_str(r#"{"app_displayname":"x"}"#).unwrap(), ..graph.clone() };
    for order in [graph, changed] {
        let forged = lab.forge(&order).unwrap();
        let compact = Compact::parse(&forged.token).unwrap();
        let key = mocktenant_keys::shipped::token_signing().key().public();
        let signed = |input: &[u8]| key.verify(mocktenant_keys::Algorithm::Rs256, input, compact.signature());
        assert!(!signed(compact.signing_input()), "the nonce that is sent is not the one that was signed");
    }
}

#[tokio::test]
async fn a_world_without_the_callers_tenant_has_nobody_who_forges() {
    let lab = lab_with(
        vec![Edit::replace(Setting::fixed("/caller/tenant"), "c0117050-0000-4000-8000-000000000009")],
        Switches::default(),
    )
    .await;
    assert_eq!(lab.forge(&order(DATAVERSE)), Err(ForgeError::NoProvider));
}

#[tokio::test]
async fn an_unsigned_token_has_no_signature_and_a_public_key_as_secret_makes_the_one_it_says() {
    let lab = local_lab().await;
    let unsigned = lab.forge(&Order { defect: Some(Defect::AlgNone), ..order(DATAVERSE) }).unwrap();
    assert!(unsigned.token.ends_with('.') && unsigned.header["alg"] == "none", "{}", unsigned.token);
    let forged = lab.forge(&Order { defect: Some(Defect::Hs256WithPublicKey), ..order(DATAVERSE) }).unwrap();
    let secret = mocktenant_keys::shipped::token_signing().key().public_pem().unwrap();
    let header = HeaderSegment::new(&forged.header).unwrap();
    let claims = Value::Object(forged.claims).to_string();
    assert_eq!(forged.token, mint_hs256(secret.as_bytes(), &header, claims.as_bytes()));
}

#[tokio::test]
async fn an_order_names_a_client_in_any_case_and_takes_claims_out() {
    let lab = local_lab().await;
    let forged = lab.forge(&Order { client: Some(CLIENT.to_uppercase()), ..order(DATAVERSE) }).unwrap();
    assert_eq!((&forged.claims["appid"], &forged.claims["oid"]), (&CLIENT.into(), &CLIENT_OBJECT.into()));
    let claims = serde_json::from_str(r#"{"tid":null}"#).unwrap();
    let forged = lab.forge(&Order { claims, ..order(DATAVERSE) }).unwrap();
    assert!(!forged.claims.contains_key("tid"), "{:?}", forged.claims);
}

#[tokio::test]
async fn a_token_lives_for_ten_years_at_the_most() {
    let lab = local_lab().await;
    let living = |seconds| lab.forge(&Order { lifetime: Some(seconds), ..order(DATAVERSE) });
    let forged = living(315_360_000).unwrap();
    assert_eq!(forged.claims["exp"], NOW.unix_timestamp() + 315_360_000);
    for seconds in [0, 315_360_001, u32::MAX] {
        assert_eq!(living(seconds).unwrap_err().member(), Some("lifetime"), "{seconds}");
    }
}

#[tokio::test]
async fn the_place_of_those_who_issue_is_no_resource_and_those_who_judge_nothing_are_no_place() {
    let lab = local_lab().await;
    let Err(ForgeError::Unknown { what, asked, .. }) = lab.forge(&order("entra")) else {
        panic!("it is one")
    };
    assert_eq!((what, &*asked), ("resource", "entra"));
    assert!(lab.judge_at("entra", "x").is_ok());
    assert_eq!(lab.judge_at("imds", "x").unwrap_err().known, lab.place_names());
    assert!(!lab.place_names().iter().any(|name| name == "imds"), "{:?}", lab.place_names());
}

#[tokio::test]
async fn a_place_that_is_called_as_a_product_is_named_once() {
    let declared = serde_json::to_value(mocktenant_world::World::contoso().unwrap().declaration()).unwrap();
    let mut environment = declared["environments"]["onebox"].clone();
    environment["host"] = "another.cloud.onebox.dynamics.com".into();
    let added = Edit::add(Setting::fixed("/environments/entra"), environment);
    let lab = lab_with(vec![added], Switches::default()).await;
    assert_eq!(lab.place_names(), ["entra", "onebox", "onprem", "contoso"]);
}
