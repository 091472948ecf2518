//! On-behalf-of: what a middle tier gets in its caller's name, and which assertions are none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mocktenant_keys::shipped;
use mocktenant_lab::{ClockChange, Command, Lab};
use mocktenant_verdict::{Setting, Switches};
use mocktenant_world::{Edit, EditedBy};
use serde_json::{Value, json};
use time::Duration;

use crate::front_door::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The group of the sample middle tier.
const MIDDLE: &str = "mocktenant on-behalf-of sample";
/// A middle tier whose client id is a URI.
pub(crate) const OWN: &str = "https://mid.contoso.com/";

fn middle() -> mocktenant_world::pointers::WebApi {
    service().application_group(MIDDLE).web_api(SERVER)
}

/// A request for a token to call the AOS with, in the name of whoever the assertion is of.
fn on_behalf<'f>(assertion: &'f str, changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let healthy = [
        ("grant_type", GRANT),
        ("requested_token_use", "on_behalf_of"),
        ("client_id", SERVER),
        ("client_secret", SECRET),
        ("assertion", assertion),
        ("resource", RESOURCE),
        ("scope", "openid"),
    ];
    changed(&healthy, changes)
}

/// What the middle tier was called with.
async fn called_with(lab: &Lab, changes: &[(&str, &str)]) -> Reply {
    let mut fields = by_password(&[("resource", SERVER), ("scope", "openid user_impersonation")]);
    fields = changed(&fields, changes);
    let reply = ask(lab, &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

async fn assertion(lab: &Lab) -> String {
    called_with(lab, &[]).await.of("access_token")
}

async fn apply(lab: &Lab, edit: Edit) {
    lab.apply(Command::Edit { edits: vec![edit], by: EditedBy::Control }).await.unwrap();
}

#[tokio::test]
async fn a_middle_tier_gets_a_token_in_the_name_of_its_caller() {
    for profile in PROFILES {
        let lab = lab_on(profile).await;
        let caller = assertion(&lab).await;
        lab.apply(Command::Clock(ClockChange::Freeze(NOW + Duration::minutes(10)))).await.unwrap();
        let reply = ask(&lab, &on_behalf(&caller, &[])).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let ids: Vec<u16> =
            lab.events(&lab.journal().records().pop().unwrap()).iter().map(|row| row.document().id).collect();
        assert_eq!(ids, [1200], "nobody signed in now");
        assert_eq!(reply.members().join(" "), "access_token token_type expires_in scope id_token");
        let claims = verified(&lab, &reply.of("access_token")).await;
        assert_eq!(claims["aud"], RESOURCE);
        assert_eq!((&claims["appid"], &claims["apptype"]), (&json!(SERVER), &json!("Confidential")));
        assert_eq!((&claims["upn"], &claims["unique_name"]), (&json!(USER), &json!("CONTOSO\\ada")));
        assert_eq!(claims["authmethod"], "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport");
        assert_eq!(claims["auth_time"], "2026-08-21T10:00:00.250Z", "when the user signed in");
        assert_eq!(claims["scp"], "openid");
        assert_eq!(verified(&lab, &reply.of("id_token")).await["auth_time"], NOW.unix_timestamp());
        let bare = ask(&lab, &on_behalf(&caller, &[("scope", "")])).await;
        assert_eq!(bare.members().join(" "), "access_token token_type expires_in");
    }
}

#[tokio::test]
async fn a_certificate_does_as_well_and_so_does_a_resource_in_scope_as_clients_send_it() {
    let lab = lab().await;
    let caller = assertion(&lab).await;
    let proof = Draft::healthy().signed();
    let by_certificate = [
        ("client_secret", ""),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", proof.as_str()),
    ];
    assert_eq!(ask(&lab, &on_behalf(&caller, &by_certificate)).await.status, 200);
    let scope = "https://ax.contoso.com//.default openid profile offline_access";
    let in_scope = [("resource", ""), ("scope", scope)];
    let reply = ask(&lab, &on_behalf(&caller, &in_scope)).await;
    assert_eq!(verified(&lab, &reply.of("access_token")).await["aud"], RESOURCE);
    let old = lab_on("2016").await;
    let caller = assertion(&old).await;
    assert_eq!(ask(&old, &on_behalf(&caller, &in_scope)).await.refusal().1, "MSIS9712");
}

#[tokio::test]
async fn a_token_that_was_given_on_behalf_of_somebody_goes_on_to_the_next_tier() {
    let lab = edited([(middle().permission(SERVER), json!(["user_impersonation"]))]).await;
    let mut token = assertion(&lab).await;
    for _ in 0..3 {
        let again = [("resource", SERVER), ("scope", "user_impersonation")];
        token = ask(&lab, &on_behalf(&token, &again)).await.of("access_token");
    }
    let last = ask(&lab, &on_behalf(&token, &[])).await.of("access_token");
    assert_eq!(verified(&lab, &last).await["upn"], USER);
}

#[tokio::test]
async fn a_native_application_acts_for_nobody() {
    let lab = lab().await;
    let caller = assertion(&lab).await;
    let native = [("client_id", NATIVE), ("client_secret", "")];
    let reply = ask(&lab, &on_behalf(&caller, &native)).await;
    assert_eq!(reply.refusal(), ("invalid_client".into(), "MSIS9622".into()));
    assert_eq!(decided(&lab), "client-credential");
}

/// What is refused, and by which question; switched off, that question lets it through.
async fn refused(
    edits: &[(Setting, Value)],
    fields: &[(&str, &str)],
    told: (&str, &str),
    check: &str,
) -> u16 {
    let lab = edited(edits.iter().cloned()).await;
    let reply = ask(&lab, fields).await;
    let expected = (told.0.to_owned(), told.1.to_owned());
    assert_eq!((reply.status, reply.refusal()), (400, expected), "{check}: {fields:?}");
    assert_eq!(decided(&lab), check, "{fields:?}");
    assert_eq!(reply.members(), ["error", "error_description"]);
    let rows = lab.events(&lab.journal().records().pop().unwrap());
    assert!(rows[0].document().id == 1021 && rows[0].document().text.contains(told.1), "{check}");
    let edits = edits.iter().map(|(setting, value)| Edit::add(setting.clone(), value.clone()));
    let off = lab_with(edits.collect(), Switches::off([check])).await;
    let reply = ask(&off, fields).await;
    assert_ne!(decided(&off), check, "turned off it still decides");
    reply.status
}

const FAILED: (&str, &str) = ("invalid_grant", "MSIS9453");

#[tokio::test]
async fn what_is_no_assertion_of_this_service_and_client_is_refused() {
    let lab = lab().await;
    let caller = called_with(&lab, &[]).await;
    let (good, id_token) = (caller.of("access_token"), caller.of("id_token"));
    let of = |changes: &'static [(&'static str, &'static str)]| called_with(&lab, changes);
    let for_the_aos = of(&[("resource", RESOURCE)]).await.of("access_token");
    let for_userinfo = of(&[("resource", "")]).await.of("access_token");
    let unasked = of(&[("scope", "openid")]).await.of("access_token");
    let parts: Vec<&str> = good.split('.').collect();
    let other_payload = for_the_aos.split('.').nth(1).unwrap();
    let swapped = format!("{}.{other_payload}.{}", parts[0], parts[2]);
    let none = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none"}"#);
    let unsigned = format!("{none}.{}.", parts[1]);
    let unsigned_signed = format!("{none}.{}.{}", parts[1], parts[2]);
    let mut forged = Draft::of(shipped::second_client());
    forged.header = header_of(&good);
    forged.claims = verified(&lab, &good).await;
    let forged = forged.signed();
    for (assertion, check) in [
        ("x", "user-assertion-well-formed"),
        ("not.a.token", "user-assertion-well-formed"),
        (&good[..good.len() - 42], "user-assertion-signature"),
        (&good[1..], "user-assertion-well-formed"),
        (&swapped, "user-assertion-signature"),
        (&unsigned_signed, "user-assertion-algorithm"),
        (&forged, "user-assertion-signature"),
        (&id_token, "user-assertion-issuer"),
        (&for_the_aos, "user-assertion-audience"),
        (&for_userinfo, "user-assertion-audience"),
    ] {
        refused(&[], &on_behalf(assertion, &[]), FAILED, check).await;
    }
    assert_eq!(ask(&lab, &on_behalf(&unsigned, &[])).await.refusal().1, "MSIS9453");
    for (assertion, check) in
        [(&good[..good.len() - 42], "user-assertion-signature"), (&*forged, "user-assertion-signature")]
    {
        assert_eq!(refused(&[], &on_behalf(assertion, &[]), FAILED, check).await, 200);
    }
    let no_scope = ("invalid_grant", "MSIS9650");
    let off = refused(&[], &on_behalf(&unasked, &[]), no_scope, "user-assertion-scope").await;
    assert_eq!(off, 200);
    let missing = ("invalid_request", "MSIS9658");
    refused(&[], &on_behalf("", &[("assertion", "")]), missing, "user-assertion-sent").await;
    let unnamed = [("requested_token_use", "")];
    let off = refused(&[], &on_behalf(&good, &unnamed), missing, "requested-token-use").await;
    assert_eq!(off, 200);
    let another = [("requested_token_use", "pigeon")];
    refused(&[], &on_behalf(&good, &another), ("invalid_request", "MSIS9604"), "requested-token-use").await;
    let nowhere = [("resource", "")];
    let off =
        refused(&[], &on_behalf(&good, &nowhere), ("invalid_request", "MSIS9601"), "resource-named").await;
    assert_eq!(off, 200);
    // Nothing is used up: the same assertion is good again and again.
    assert_eq!(ask(&lab, &on_behalf(&good, &[])).await.status, 200);
    assert_eq!(ask(&lab, &on_behalf(&good, &[])).await.status, 200);
}

#[tokio::test]
async fn every_cut_and_every_changed_letter_is_refused() {
    let lab = lab().await;
    let good = assertion(&lab).await;
    let cuts = (1..good.len()).step_by(37).map(|end| good[..end].to_owned());
    let swaps = (0..good.len() - 1).step_by(31).map(|at| {
        let swap = if &good[at..=at] == "A" { "B" } else { "A" };
        format!("{}{swap}{}", &good[..at], &good[at + 1..])
    });
    for one in cuts.chain(swaps).filter(|one| *one != good) {
        let reply = ask(&lab, &on_behalf(&one, &[])).await;
        assert_eq!((reply.status, reply.refusal().1.as_str()), (400, "MSIS9453"), "{one}");
    }
}

#[tokio::test]
async fn another_services_tokens_and_those_out_of_time_are_refused() {
    let good = assertion(&lab().await).await;
    for (setting, value, check) in [
        (service().signing_keys(), json!(["shipped:adfs-signing-next"]), "user-assertion-signature"),
        (service().m365_compatibility(), json!(false), "user-assertion-issuer"),
        (service().clock(), json!("+66m"), "user-assertion-time"),
        (service().clock(), json!("-6m"), "user-assertion-time"),
    ] {
        let edits = [(setting.clone(), value)];
        let off = refused(&edits, &on_behalf(&good, &[]), FAILED, check).await;
        assert_eq!(off, 200, "{check}");
        let lab = edited(edits).await;
        ask(&lab, &on_behalf(&good, &[])).await;
        assert!(last_check(&lab, check).settings.contains(&setting), "{setting}");
    }
    for skew in ["+64m", "-4m"] {
        let lab = edited([(service().clock(), json!(skew))]).await;
        assert_eq!(ask(&lab, &on_behalf(&good, &[])).await.status, 200, "within five minutes: {skew}");
    }
    let fabrikam = json!({
        "host_name": "sts.fabrikam.com",
        "display_name": "Fabrikam",
        "signing_keys": ["shipped:adfs-signing"],
        "decrypting_key": "shipped:adfs-decrypting",
        "application_groups": { "g": {
            "native_applications": { NATIVE: { "name": "native" } },
            "web_apis": { SERVER: {
                "name": "middle",
                "permissions": { NATIVE: ["openid", "user_impersonation"] },
                "issued_claims": [{ "type": "upn", "attribute": "userPrincipalName" }],
            } },
        } },
        "users": { USER: { "name": "Ada", "account": "FABRIKAM\\ada", "password": PASSWORD, "sid": "S-1-5-21-1" } },
    });
    let lab =
        edited([(mocktenant_world::pointers::federation_service("fabrikam").setting(), fabrikam)]).await;
    let fields = by_password(&[("resource", SERVER), ("scope", "openid user_impersonation")]);
    let theirs = send(&lab, form_request("sts.fabrikam.com", TOKEN, &fields, &[])).await.of("access_token");
    assert_eq!(ask(&lab, &on_behalf(&theirs, &[])).await.refusal().1, "MSIS9453");
    assert_eq!(decided(&lab), "user-assertion-issuer", "the same key signs for both");
}

/// A server application that is its own Web API, both by a URI, in a service whose issuers are all the same.
pub(crate) fn own_uri() -> Vec<(Setting, Value)> {
    let all = json!(["openid", "allatclaims", "user_impersonation"]);
    let middle = json!({
        "server_applications": { OWN: { "name": "middle", "secrets": { "default": SECRET } } },
        "web_apis": { OWN: {
            "name": "middle",
            "permissions": { OWN: all, NATIVE: all },
            "issued_claims": [{ "type": "upn", "attribute": "userPrincipalName" }],
        } },
    });
    vec![
        (service().m365_compatibility(), json!(false)),
        (service().application_group("own").setting(), middle),
        (web_api().permission(OWN), json!(["openid"])),
    ]
}

#[tokio::test]
async fn an_id_token_that_has_issuer_audience_scope_and_claims_of_an_access_token_is_still_none() {
    let lab = edited(own_uri()).await;
    let wants = [("resource", OWN), ("scope", "openid allatclaims user_impersonation")];
    let by_itself = [("client_id", OWN), ("client_secret", SECRET), wants[0], wants[1]];
    let answer = called_with(&lab, &by_itself).await;
    let (access, id_token) = (answer.of("access_token"), answer.of("id_token"));
    let claims = verified(&lab, &id_token).await;
    let of_access = verified(&lab, &access).await;
    for claim in ["iss", "aud", "scp", "authmethod", "upn", "apptype", "appid"] {
        assert_eq!(claims[claim], of_access[claim], "{claim}");
    }
    let own = [("client_id", OWN)];
    let off = refused(&own_uri(), &on_behalf(&id_token, &own), FAILED, "user-assertion-kind").await;
    assert_eq!(off, 200, "it is this question that tells them apart");
    assert_eq!(ask(&lab, &on_behalf(&access, &own)).await.status, 200);
}

#[tokio::test]
async fn a_clients_own_token_is_of_no_user_whatever_its_rules_issue() {
    let rules = json!([
        { "type": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "value": USER },
        { "type": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "value": "CONTOSO\\ada" },
    ]);
    let edits =
        [(middle().permission(SERVER), json!(["user_impersonation"])), (middle().issued_claims(), rules)];
    let lab = edited(edits.clone()).await;
    let wants = [("resource", SERVER), ("scope", "user_impersonation")];
    for fields in [by_secret(&wants), changed(&by_assertion(&Draft::healthy().signed()), &wants)] {
        let token = ask(&lab, &fields).await.of("access_token");
        let claims = verified(&lab, &token).await;
        assert_eq!((&claims["upn"], &claims["scp"]), (&json!(USER), &json!("user_impersonation")));
        let off = refused(&edits, &on_behalf(&token, &[]), FAILED, "user-assertion-user").await;
        assert_eq!(off, 200, "it is this question that keeps it back");
    }
    // What rules would add to say otherwise stands twice then, and nobody reads that.
    for (claim, value) in
        [("authmethod", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"), ("aud", SERVER)]
    {
        let rules = json!([{ "type": "upn", "value": USER }, { "type": claim, "value": value }]);
        apply(&lab, Edit::add(middle().issued_claims(), rules)).await;
        let token = ask(&lab, &by_secret(&wants)).await.of("access_token");
        assert_eq!(ask(&lab, &on_behalf(&token, &[])).await.refusal().1, "MSIS9453", "{claim}");
        assert_eq!(decided(&lab), "user-assertion-well-formed");
    }
}

#[tokio::test]
async fn a_user_who_is_not_named_or_may_not_sign_in_any_more_gets_nothing_done() {
    let good = assertion(&lab().await).await;
    let user = || service().user(USER);
    for (setting, value, check) in [
        (user().enabled(), json!(false), "user-enabled"),
        (user().locked(), json!(true), "user-not-locked"),
        (user().expired(), json!(true), "user-not-expired"),
        (user().password_expires(), json!("2026-08-21T10:00:00Z"), "password-in-date"),
    ] {
        let off = refused(&[(setting, value)], &on_behalf(&good, &[]), FAILED, check).await;
        assert_eq!(off, 200, "{check}");
    }
    let lab = lab_with(vec![Edit::remove(user().setting())], Switches::default()).await;
    assert_eq!(ask(&lab, &on_behalf(&good, &[])).await.refusal().1, "MSIS9453");
    assert_eq!(decided(&lab), "user-known");
    // Without a claim that names one nobody is found, and the remedy is a rule.
    let lab = edited([(middle().issued_claims(), json!([]))]).await;
    let nameless = assertion(&lab).await;
    assert_eq!(ask(&lab, &on_behalf(&nameless, &[])).await.refusal().1, "MSIS9453");
    assert_eq!(decided(&lab), "user-assertion-user");
    let at = last_check(&lab, "user-assertion-user").settings;
    assert_eq!(at, [middle().issued_claims()]);
    // `DOMAIN\name` names one too.
    let rule = json!([{ "type": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "attribute": "msDS-PrincipalName" }]);
    apply(&lab, Edit::add(middle().issued_claims(), rule)).await;
    let named = assertion(&lab).await;
    assert_eq!(ask(&lab, &on_behalf(&named, &[])).await.status, 200);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named_and_mends_it() {
    let lab = edited([(middle().permission(NATIVE), json!(["openid"]))]).await;
    let token = called_with(&lab, &[("scope", "openid user_impersonation")]).await.of("access_token");
    assert_eq!(ask(&lab, &on_behalf(&token, &[])).await.refusal().1, "MSIS9650");
    let check = last_check(&lab, "user-assertion-scope");
    let remedy = check.remedy.unwrap();
    let edits = remedy.here.unwrap().edits;
    lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap();
    let token = assertion(&lab).await;
    assert_eq!(ask(&lab, &on_behalf(&token, &[])).await.status, 200);
}

#[tokio::test]
async fn the_middle_tier_needs_its_permission_on_what_it_calls() {
    let lab = edited([(web_api().permissions(), json!({}))]).await;
    let token = assertion(&lab).await;
    assert_eq!(
        ask(&lab, &on_behalf(&token, &[])).await.refusal(),
        ("access_denied".into(), "MSIS9605".into())
    );
    assert_eq!(decided(&lab), "client-permitted");
}

#[tokio::test]
async fn the_other_uses_of_the_grant_are_said_to_be_missing() {
    let lab = lab().await;
    let good = assertion(&lab).await;
    for (change, what) in [
        (("requested_token_use", "logon_cert"), "logon certificates of AD FS"),
        (("request", "a.b.c"), "primary refresh tokens of AD FS"),
    ] {
        let reply = ask(&lab, &on_behalf(&good, &[change])).await;
        assert!(reply.text().contains("MSIS7012"), "{}", reply.text());
        let record = lab.journal().records().pop().unwrap();
        assert!(record.fact("not-built").unwrap().value.contains(what));
    }
}
