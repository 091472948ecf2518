//! A grant and a way to authenticate that no Entra has, each one line of a table: they are dispatched to, asked, and
//! listed.

use std::borrow::Cow;
use std::sync::Arc;

use mocktenant_entra::client_auth::{Checks, Credential, METHODS, Method, Reading};
use mocktenant_entra::errors::EntraError;
use mocktenant_entra::grants::{GRANT_TYPE, GRANTS, Grant, Granted};
use mocktenant_entra::{Asking, Entra, RESOURCE, Tables, Version};
use mocktenant_lab::{ClockChange, Command, Lab, Random, Surface as _};
use mocktenant_token::Compact;
use mocktenant_verdict::{Finding, Question, Role};
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::{Value, json};

use crate::front_door::*;

static WISHES: [&Grant; 2] = [GRANTS[0], &WISH];
static WAYS: [&Method; 4] = [METHODS[0], METHODS[1], METHODS[2], &KNOCK];

/// Three wishes at most.
static WISH: Grant = Grant {
    name: "urn:toy:wish",
    asks_by: |_| "wish",
    questions: &[&MODEST, &RESOURCE],
    public_clients: true,
    without_credential: || EntraError::CredentialMissing,
    listed_in: &[Version::V2],
    ask: wish,
};

static MODEST: Question = Question::new("wish-modest", Role::Request).needs(&[&GRANT_TYPE]);

fn wish<'p>(asking: &Asking<'_, 'p>, list: &mut Checks<'_>) -> Option<Granted<'p>> {
    let many = asking.sent().parameter("many").unwrap_or("1");
    list.ask(&MODEST, "three at most", Vec::new(), || {
        Finding::when(many.len() == 1, many.to_owned(), || EntraError::FormMalformed)
    });
    let missing = EntraError::ParameterMissing { name: "wish".to_owned() };
    asking.ask_resource(list, asking.sent().parameter("wish").ok_or(missing))
}

/// Three knocks at the door, by a header.
static KNOCK: Method = Method {
    name: "knock_knock",
    rank: 25,
    parameters: "a knock",
    shown: "a knock",
    credential: "knock",
    context_class: "7",
    of_request: &[],
    of_client: &[&KNOCKED],
    client_beside: |sent| sent.header("x-who-is-there").map(Cow::Borrowed),
    read: |sent| match sent.header("x-knock") {
        Some(knock) => Reading::Found(Credential::Text(Cow::Borrowed(knock))),
        None => Reading::Nothing,
    },
    ask_request: |_, _, _| {},
    ask_client: |_, credential, list| {
        let Credential::Text(knock) = credential else { return };
        list.ask(&KNOCKED, "three times", Vec::new(), || {
            Finding::when(knock == "knock knock knock", knock.to_string(), || EntraError::CredentialMissing)
        });
    },
    facts: |_, credential, facts| {
        if let Credential::Text(knock) = credential {
            facts.push(("knocks", knock.split(' ').count().to_string().into()));
        }
    },
};

static KNOCKED: Question = Question::new("knocked", Role::Secret);

async fn lab_of(edits: &[Edit]) -> Lab {
    let world = World::contoso().unwrap().edited(edits, EditedBy::Control).unwrap();
    let entra = Entra::with_tables(Tables::new(&WISHES, &WAYS));
    let lab = Lab::builder(Arc::new(world)).surface(entra).random(Random::seeded(1)).build();
    lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
    lab
}

fn asked(lab: &Lab) -> Vec<String> {
    let record = lab.journal().records().pop().unwrap();
    record.checks.iter().map(|check| check.name.to_string()).collect()
}

#[tokio::test]
async fn one_line_makes_a_grant_part_of_the_endpoint_and_of_the_document_that_wants_it() {
    let lab = lab_of(&[]).await;
    let fields = by_secret(&[("grant_type", "urn:toy:wish"), ("resource", ""), ("wish", DATAVERSE)]);
    let reply = post(&lab, HOST, &v1(), &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.description());
    assert_eq!(reply.json()["resource"], DATAVERSE);
    assert_eq!(asked(&lab)[7..], ["secret-matches", "secret-in-date", "wish-modest", "resource"]);

    let greedy = by_secret(&[("grant_type", "urn:toy:wish"), ("wish", DATAVERSE), ("many", "1000")]);
    assert_eq!(post(&lab, HOST, &v1(), &greedy).await.code(), 90023);
    assert_eq!(lab.journal().records().pop().unwrap().failed_check().unwrap().name, "wish-modest");

    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[("grant_type", "magic")])).await.code(), 70003);
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(record.failed_check().unwrap().expected, "client_credentials, urn:toy:wish");

    let document = |version: &'static str| {
        let lab = lab.clone();
        async move {
            get(&lab, HOST, &format!("/{TENANT}{version}/.well-known/openid-configuration")).await.json()
        }
    };
    assert_eq!(document("/v2.0").await["grant_types_supported"], json!(["urn:toy:wish"]));
    assert_eq!(document("").await.get("grant_types_supported"), None);
}

#[tokio::test]
async fn one_line_makes_a_way_to_authenticate_part_of_the_endpoint_and_puts_it_at_its_rank() {
    let lab = lab_of(&[]).await;
    let fields = by_secret(&[("client_secret", ""), ("client_id", "")]);
    let knocking =
        |knock| form_request(HOST, &v1(), &fields, &[("x-who-is-there", CLIENT), ("x-knock", knock)]);
    let reply = send(&lab, knocking("knock knock knock")).await;
    assert_eq!(reply.status, 200, "{}", reply.description());
    let token = reply.token();
    assert_eq!(Compact::parse(&token).unwrap().claims().text("appidacr"), Some("7"));
    let record = lab.journal().records().pop().unwrap();
    assert_eq!(
        (&*record.fact("credential").unwrap().value, &*record.fact("knocks").unwrap().value),
        ("knock", "3")
    );
    assert_eq!(asked(&lab)[7..], ["knocked", "resource", "scope"]);
    assert_eq!(send(&lab, knocking("knock")).await.code(), 7_000_216);
    // A secret in the form is looked for first.
    let fields = by_secret(&[]);
    let request = form_request(HOST, &v1(), &fields, &[("x-knock", "wrong")]);
    assert_eq!(send(&lab, request).await.status, 200);

    for version in ["", "/v2.0"] {
        let read =
            get(&lab, HOST, &format!("/{TENANT}{version}/.well-known/openid-configuration")).await.json();
        assert_eq!(
            read["token_endpoint_auth_methods_supported"],
            json!(["client_secret_post", "private_key_jwt", "knock_knock", "client_secret_basic"])
        );
    }
    assert_eq!(post(&lab, HOST, &v1(), &by_secret(&[("client_secret", "")])).await.code(), 7_000_216);
    let record = lab.journal().records().pop().unwrap();
    let expected = "client_secret, or client_assertion with its type, or a knock";
    assert_eq!(record.failed_check().unwrap().expected, expected);
}

#[tokio::test]
async fn a_public_client_needs_no_credential_where_the_grant_says_so() {
    let public = [Edit::replace(application(CLIENT, &["public_client"]), true)];
    for (edits, grant, code) in [
        (&public[..], "urn:toy:wish", 0),
        (&public[..], "client_credentials", 7_000_216),
        (&[], "urn:toy:wish", 7_000_216),
        (&[], "client_credentials", 7_000_216),
    ] {
        let lab = lab_of(edits).await;
        let fields = by_secret(&[("grant_type", grant), ("client_secret", ""), ("wish", DATAVERSE)]);
        let reply = post(&lab, HOST, &v1(), &fields).await;
        assert_eq!(reply.code(), code, "{grant}: {}", reply.description());
        if code == 0 {
            let token = reply.token();
            let claim = Compact::parse(&token).unwrap().claims().text("appidacr").map(str::to_owned);
            assert_eq!(claim.as_deref(), Some("0"));
        }
    }
    // Of a client nobody knows, nobody can say whether it is public.
    let lab = lab_of(&[]).await;
    let stranger = "c0117050-0000-4000-8000-00000000ffff";
    let fields = by_secret(&[
        ("grant_type", "urn:toy:wish"),
        ("client_secret", ""),
        ("client_id", stranger),
        ("wish", DATAVERSE),
    ]);
    assert_eq!(post(&lab, HOST, &v1(), &fields).await.code(), 700_016);
}

#[tokio::test]
async fn the_product_s_own_tables_know_neither() {
    let lab = lab().await;
    let read = get(&lab, HOST, &format!("/{TENANT}/v2.0/.well-known/openid-configuration")).await.json();
    let methods: Value = json!(["client_secret_post", "private_key_jwt", "client_secret_basic"]);
    assert_eq!(read["token_endpoint_auth_methods_supported"], methods);
    assert_eq!(read.get("grant_types_supported"), None);
    assert!(Entra::questions().iter().all(|question| !["knocked", "wish-modest"].contains(&question.name)));
}
