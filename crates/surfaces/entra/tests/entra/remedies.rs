//! What would mend a refusal: the change on Entra's side, what could have been presented instead, and that a world with the
//! change, or with what stands in for it, gets one question further.

use mocktenant_keys::shipped;
use mocktenant_lab::{Lab, Surface as _};
use mocktenant_verdict::{Check, Edit, Fault, Remedy, Role, Setting, Switches};
use mocktenant_world::EditedBy;
use serde_json::json;

use crate::assertions::{CHECKS, of_check, run};
use crate::front_door::*;

const ERP: &str = "00000015-0000-0000-c000-000000000000";
const STRANGER: &str = "c0117050-0000-4000-8000-00000000ffff";

fn failed(lab: &Lab) -> Check {
    lab.journal().records().pop().unwrap().failed_check().unwrap().clone()
}

async fn case(check: &str) -> Check {
    let (lab, _) = run(&of_check(check), Switches::default()).await;
    failed(&lab)
}

/// What fails in a world with these edits, and in the same world once it is mended.
async fn before_and_after(edits: Vec<Edit>, target: &str, fields: &[(&str, &str)]) -> (Check, Option<Check>) {
    let lab = lab_with(edits.clone(), Switches::default()).await;
    post(&lab, HOST, target, fields).await;
    let before = failed(&lab);
    let change = before.remedy.as_ref().unwrap().here.as_ref().unwrap();
    let stand_ins = change.needs.iter().flat_map(|need| need.stand_in.iter().cloned());
    let mend: Vec<Edit> = change.edits.iter().cloned().chain(stand_ins).collect();
    assert!(!mend.is_empty(), "{change:?}");
    lab.world().edited(&mend, EditedBy::Control).unwrap_or_else(|error| panic!("{mend:?}: {error}"));
    let lab = lab_with(edits.into_iter().chain(mend).collect(), Switches::default()).await;
    post(&lab, HOST, target, fields).await;
    let after = lab.journal().records().pop().unwrap().failed_check().cloned();
    (before, after)
}

fn by_assertion<'f>(token: &'f str, changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let mut all =
        vec![("client_secret", ""), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", token)];
    all.extend_from_slice(changes);
    by_secret(&all)
}

#[test]
fn every_question_is_declared_in_the_order_it_is_asked_with_what_it_is_about() {
    let questions = mocktenant_entra::Entra::questions();
    let names: Vec<&str> = questions.iter().map(|question| question.name).collect();
    assert_eq!(names, CHECKS);
    let about = |role: Role| -> Vec<&str> {
        questions.iter().filter(|question| question.role == role).map(|question| question.name).collect()
    };
    assert_eq!(about(Role::Authority), ["tenant"]);
    assert_eq!(about(Role::Secret), ["client-credential", "secret-matches", "secret-in-date"]);
    assert_eq!(about(Role::Key), ["certificate-registered", "assertion-signature", "certificate-in-date"]);
    assert_eq!(about(Role::Resource), ["resource", "scope"]);
    assert_eq!(about(Role::Time), ["assertion-time"]);
    assert_eq!(about(Role::Address), ["assertion-audience"]);
    assert!(questions.iter().all(|question| !question.relays));
}

#[tokio::test]
async fn where_nothing_declared_here_is_wrong_there_is_no_change() {
    for check in CHECKS {
        let failed = case(check).await;
        let here = failed.remedy.as_ref().is_some_and(|remedy| remedy.here.is_some());
        let ours = [
            "application-registered",
            "application-enabled",
            "application-confidential",
            "certificate-registered",
            "certificate-in-date",
            "secret-in-date",
        ];
        assert_eq!(here, ours.contains(&check), "{check}: {:?}", failed.remedy);
        assert!(!serde_json::to_string(&failed.remedy).unwrap().contains(SECRET), "{check}");
    }
}

#[tokio::test]
async fn a_world_of_one_tenant_says_which_was_meant_at_the_token_endpoint_and_for_a_document() {
    let token = case("tenant").await;
    assert_eq!(token.remedy.as_deref(), Some(&Remedy::instead([TENANT])));
    for target in [
        "/fabrikam.com/.well-known/openid-configuration",
        "/fabrikam.com/discovery/v2.0/keys",
        "/fabrikam.com/federationmetadata/2007-06/federationmetadata.xml",
    ] {
        let lab = lab().await;
        let reply = get(&lab, HOST, target).await;
        assert_eq!(reply.code(), 90002, "{target}");
        let record = lab.journal().records().pop().unwrap();
        assert_eq!(record.checks.len(), 1, "{target}");
        let check = failed(&lab);
        assert_eq!((&*check.name, check.role), ("tenant", Some(Role::Authority)), "{target}");
        assert_eq!((check.actual.as_str(), check.error.as_deref()), ("fabrikam.com", Some("AADSTS90002")));
        assert_eq!(check.remedy, token.remedy, "{target}");
        // A document that is given asks nothing.
        assert_eq!(get(&lab, HOST, &target.replace("fabrikam", "contoso")).await.status, 200, "{target}");
        assert!(lab.journal().records().pop().unwrap().checks.is_empty(), "{target}");
    }
    // With two of them, nobody can say.
    let other = "c0117050-0000-4000-8000-0000000000ff";
    let edit = Edit::add(
        Setting::of(["tenants", other]),
        json!({ "name": "Fabrikam", "domains": ["fabrikam.onmicrosoft.com"], "region": "EU", "signing_keys": ["shipped:token-signing"] }),
    );
    let lab = lab_with(vec![edit], Switches::default()).await;
    post(&lab, HOST, "/nowhere.com/oauth2/token", &by_secret(&[])).await;
    assert_eq!(failed(&lab).remedy, None);
}

#[tokio::test]
async fn an_application_can_be_registered_switched_on_and_made_confidential() {
    let fields = by_secret(&[("client_id", STRANGER)]);
    let (before, after) = before_and_after(vec![], &v1(), &fields).await;
    let change = before.remedy.unwrap().here.unwrap();
    assert_eq!((change.fault, &change.setting), (Fault::Missing, &application(STRANGER, &[])));
    assert_eq!(change.expected.unwrap(), format!("an app registration {STRANGER}"));
    assert_eq!(change.actual.unwrap(), "not in the tenant");
    assert_eq!(change.needs[0].what, "an app registration for this client id");
    assert_eq!(after.unwrap().name, "secret-matches");

    // Nothing can stand in for what is no client id.
    let lab = lab().await;
    post(&lab, HOST, &v1(), &by_secret(&[("client_id", "MY_APP_ID_HERE")])).await;
    let needs = failed(&lab).remedy.unwrap().here.unwrap().needs;
    assert!(needs.len() == 1 && needs[0].stand_in.is_empty());

    let off = vec![Edit::replace(application(CLIENT, &["enabled"]), false)];
    let (before, after) = before_and_after(off, &v1(), &by_secret(&[])).await;
    assert_eq!((&*before.name, after), ("application-enabled", None));

    let case = of_check("application-confidential");
    let fields: Vec<(&str, &str)> = case.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (before, after) = before_and_after(case.edits.clone(), &v1(), &fields).await;
    assert_eq!(
        (&*before.name, &*after.unwrap().name),
        ("application-confidential", "certificate-registered")
    );
}

#[tokio::test]
async fn a_certificate_that_came_with_the_assertion_can_be_uploaded_as_it_is() {
    let stranger = shipped::second_client();
    let (thumbprint, der) =
        (stranger.certificate().thumbprint().to_string(), stranger.certificate().base64_der());
    let by_sha256 = stranger.certificate().thumbprint256().base64url();
    let x5t = Draft::of(stranger).header("x5c", der.as_str()).signed();
    let x5t_s256 = Draft::of(stranger)
        .header("x5t", json!(null))
        .header("x5t#S256", by_sha256)
        .header("x5c", json!([der]))
        .signed();
    for token in [x5t, x5t_s256] {
        let (before, after) = before_and_after(vec![], &v1(), &by_assertion(&token, &[])).await;
        let change = before.remedy.unwrap().here.unwrap();
        let setting = application(CLIENT, &["certificates", &thumbprint]);
        assert_eq!(change.edits, [Edit::add(setting.clone(), json!({ "certificate": der }))]);
        assert_eq!((change.fault, change.setting), (Fault::Missing, setting));
        assert_eq!(change.expected.unwrap(), format!("certificate {thumbprint}"));
        assert_eq!(change.actual.unwrap(), format!("not on application {CLIENT}"));
        assert_eq!(after, None);
    }
    // Without it, or with another one, somebody has to have the file.
    let own = shipped::sample_client().certificate().base64_der();
    for token in [Draft::of(stranger).signed(), Draft::of(stranger).header("x5c", own).signed()] {
        let lab = lab().await;
        present(&lab, &token).await;
        let change = failed(&lab).remedy.unwrap().here.unwrap();
        assert!(change.edits.is_empty());
        assert_eq!(change.needs[0].path, application(CLIENT, &["certificates", &thumbprint]));
        assert_eq!(change.needs[0].what, "the .cer of this certificate");
    }
    // Microsoft's own applications hold no keys of a customer's.
    let lab = lab().await;
    let token = Draft::healthy().claim("iss", ERP).claim("sub", ERP).signed();
    post(&lab, HOST, &v1(), &by_assertion(&token, &[("client_id", ERP)])).await;
    assert_eq!((&*failed(&lab).name, failed(&lab).remedy), ("certificate-registered", None));
}

#[tokio::test]
async fn an_expired_secret_can_last_longer() {
    let fields = by_secret(&[("client_secret", EXPIRED_SECRET)]);
    let (before, after) = before_and_after(vec![], &v1(), &fields).await;
    let change = before.remedy.unwrap().here.unwrap();
    let setting = application(CLIENT, &["secrets", "expired", "expires"]);
    assert_eq!((change.fault, change.setting), (Fault::Wrong, setting));
    assert_eq!(change.needs[0].what, "a later expiry, or a new secret");
    assert_eq!(after, None);
    // Which of those that ended was meant, nobody can say.
    let fields = by_secret(&[("client_id", RETIRED), ("client_secret", "wrong")]);
    let (before, after) = before_and_after(vec![], &v1(), &fields).await;
    assert_eq!(before.remedy.unwrap().here.unwrap().setting, application(RETIRED, &["secrets"]));
    assert_eq!(after.unwrap().name, "secret-matches");
}

#[tokio::test]
async fn a_resource_can_be_switched_on_installed_or_named_as_it_is() {
    let dataverse = "00000007-0000-0000-c000-000000000000";
    for edit in [
        Edit::replace(application(dataverse, &["enabled"]), false),
        Edit::remove(application(dataverse, &[])),
    ] {
        let (before, after) = before_and_after(vec![edit], &v1(), &by_secret(&[])).await;
        assert_eq!((&*before.name, after), ("resource", None));
    }
    for (asked, first) in [
        ("https://contoso.api.crm.dynamics.com", DATAVERSE),
        ("https://contoso.crm.dynamics.com", DATAVERSE),
        (
            "https://usnconeboxax1aos.cloud.onebox.dynamic.com",
            "https://usnconeboxax1aos.cloud.onebox.dynamics.com",
        ),
    ] {
        let lab = lab().await;
        post(&lab, HOST, &v1(), &by_secret(&[("resource", asked)])).await;
        let remedy = failed(&lab).remedy.unwrap();
        assert_eq!(remedy.here, None);
        assert_eq!((remedy.instead.len(), remedy.instead[0].as_str()), (2, first), "{asked}");
    }
}
