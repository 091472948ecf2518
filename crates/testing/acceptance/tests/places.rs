//! Machines, nodes and scopes: one clock that is off, one node that was restarted, one organisation that was reset, and a
//! reset in the middle of a write.
//!
//! The first three run over real sockets; the last needs a reset between two given calls, so its lab calls itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mocktenant_aos::Aos;
use mocktenant_dataverse::Dataverse;
use mocktenant_entra::Entra;
use mocktenant_lab::caller::{ask_for_token, drive_as};
use mocktenant_lab::outbound::{Call, CallError, Outbound, Reply as CallReply};
use mocktenant_lab::{Attempt, BoxFuture, InProcess, Machine, Scope};
use mocktenant_testkit::{Client, Command, Edit, Lab, Reply, Setting};
use mocktenant_world::{EditedBy, Errand, World, pointers};
use serde_json::{Value, json};
use time::Duration;

const NODES: [&str; 3] = ["aos1", "aos2", "aos3"];

/// The default world with a one-box of several nodes, each with a name of its own.
fn farm(nodes: &[&str]) -> World {
    let named: serde_json::Map<String, Value> =
        nodes.iter().map(|node| ((*node).to_owned(), json!({ "host": host(node) }))).collect();
    let nodes = pointers::environment("onebox").join("nodes");
    World::contoso().unwrap().edited(&[Edit::add(nodes, named)], EditedBy::Control).unwrap()
}

fn host(node: &str) -> String {
    format!("{node}.onebox.test")
}

async fn authorized(lab: &Lab) -> Client {
    let token = lab.client().token(&lab.settings().aos["onebox"].resource).await;
    lab.client().bearer(&token)
}

/// Creates a customer on the node of this name.
async fn create_on(lab: &Lab, client: &Client, node: &str, account: &str) -> Reply {
    let mut customer = lab.world().caller().customer.clone();
    customer.insert("CustomerAccount".to_owned(), json!(account));
    client.post_json(&format!("https://{}/data/CustomersV3", host(node)), &Value::Object(customer)).await
}

#[tokio::test]
async fn one_machine_of_three_whose_clock_is_off_fails_alone_and_names_its_clock() {
    for (offset, text) in [(Duration::minutes(20), "+20m"), (Duration::minutes(-20), "-20m")] {
        let lab = Lab::builder().world(farm(&NODES)).start().await;
        let client = authorized(&lab).await;
        let machine = Machine::node("onebox", "aos2");
        lab.command(Command::MachineClock { machine, offset, by: EditedBy::Control }).await;
        let clock = pointers::environment("onebox").node("aos2").clock();
        assert_eq!(lab.world().get(&clock), Some(&json!(text)), "the clock is a setting");

        for node in NODES {
            let created = create_on(&lab, &client, node, &format!("SKEW-{node}")).await;
            assert_eq!(created.status == 201, node != "aos2", "{node} {text}: {}", created.text());
        }
        let refused = lab.journal().failed_check().unwrap();
        let expected = if offset.is_negative() { ["token-time"; 2] } else { ["assertion-time"; 2] };
        assert!(expected.contains(&&*refused.name), "{text}: {refused:?}");
        if !offset.is_negative() {
            let cause = lab.explain_last().unwrap().cause.unwrap();
            assert_eq!(cause.setting, clock, "{cause:?}");
            lab.apply(cause.change).await;
            assert_eq!(create_on(&lab, &client, "aos2", "SKEW-again").await.status, 201);
        }
        lab.command(Command::Reset { scope: None }).await;
        assert_eq!(lab.world().get(&clock), None, "a reset is the base world again, its clocks too");
    }
}

#[tokio::test]
async fn a_tenant_and_an_organisation_have_clocks_of_their_own() {
    let lab = Lab::start().await;
    let tenant = lab.world().tenants().next().unwrap().id.clone();
    let behind = Command::MachineClock {
        machine: Machine::Tenant(tenant),
        offset: Duration::hours(-3),
        by: EditedBy::Control,
    };
    let client = authorized(&lab).await;
    lab.command(behind).await;
    let settings = lab.settings();
    let aos = settings.aos["onebox"].url.clone();
    // Entra's clock is hours behind: what it issues now is past its end everywhere else.
    let stale = authorized(&lab).await;
    assert_eq!(stale.get(&format!("{aos}/data/CustomersV3")).await.status, 401);
    assert_eq!(client.get(&format!("{aos}/data/CustomersV3")).await.status, 200);
    lab.apply([Edit::add(pointers::organization("contoso").clock(), "-3h")]).await;
    let token = lab.client().token(&settings.dataverse.resource).await;
    let who_am_i = format!("{}/api/data/v9.2/WhoAmI", settings.dataverse.url);
    assert_eq!(lab.client().bearer(&token).get(&who_am_i).await.status, 200, "as late as Entra");
}

#[tokio::test]
async fn one_node_of_two_that_was_restarted_alone_reads_the_new_file() {
    let lab = Lab::builder().world(farm(&["aos1", "aos2"])).start().await;
    let client = authorized(&lab).await;
    let realm = pointers::environment("onebox").web_config("Aad.Realm");
    lab.apply([Edit::replace(realm.clone(), "spn:c0117050-0000-4000-8000-00000000ffff")]).await;
    for node in ["aos1", "aos2"] {
        assert_eq!(create_on(&lab, &client, node, &format!("BEFORE-{node}")).await.status, 201, "{node}");
    }
    lab.command(Command::Restart { environment: "onebox".to_owned(), node: Some("aos2".to_owned()) }).await;
    assert_eq!(create_on(&lab, &client, "aos1", "AFTER-1").await.status, 201, "it still uses what it read");
    let refused = create_on(&lab, &client, "aos2", "AFTER-2").await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let cause = lab.explain_last().unwrap().cause.unwrap();
    assert_eq!(cause.setting, realm);
    // Mended, but not read: the node that was restarted says so, the other one goes on.
    lab.apply([Edit::replace(realm.clone(), "spn:c0117050-0000-4000-8000-00000000a002")]).await;
    assert_eq!(create_on(&lab, &client, "aos2", "AFTER-3").await.status, 400);
    let cause = lab.explain_last().unwrap().cause.unwrap();
    assert_eq!((cause.kind, &cause.setting), (mocktenant_diagnosis::Kind::Restart, &realm));
    let no_such = Command::Restart { environment: "onebox".to_owned(), node: Some("aos9".to_owned()) };
    assert!(lab.try_command(no_such).await.unwrap_err().to_string().contains("aos9"));
}

/// The default world with a second organisation, linked to nothing.
fn two_organisations() -> World {
    let world = World::contoso().unwrap();
    let mut second = world.get(&pointers::organization("contoso")).unwrap().clone();
    second["id"] = json!("c0117050-0000-4000-8000-0000000d0009");
    second["name"] = json!("Fabrikam");
    second["host"] = json!("fabrikam.crm4.dynamics.com");
    second["api_host"] = json!("fabrikam.api.crm4.dynamics.com");
    let edit = Edit::add(pointers::organization("fabrikam").setting(), second);
    world.edited(&[edit], EditedBy::Control).unwrap()
}

async fn accounts(lab: &Lab, organization: &str) -> Vec<String> {
    let resource = format!("https://{organization}.crm4.dynamics.com");
    let client = lab.client().bearer(&lab.client().token(&resource).await);
    let answer = client.get(&format!("{resource}/api/data/v9.2/accounts?$select=name")).await.json();
    let rows = answer["value"].as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_reset_of_one_organisation_leaves_the_other_its_rows() {
    let lab = Lab::builder().world(two_organisations()).start().await;
    for organization in ["contoso", "fabrikam"] {
        let resource = format!("https://{organization}.crm4.dynamics.com");
        let client = lab.client().bearer(&lab.client().token(&resource).await);
        let url = format!("{resource}/api/data/v9.2/accounts");
        assert_eq!(client.post_json(&url, &json!({ "name": "Kept or not" })).await.status, 204);
    }
    let name = pointers::organization("contoso").name();
    lab.apply([Edit::replace(name.clone(), "Renamed")]).await;
    let exchanges = lab.journal().records().len();
    lab.command(Command::Reset { scope: Some(Scope::organization("contoso")) }).await;
    assert_eq!(lab.world().get(&name), Some(&json!("Contoso")), "its settings are those of the base world");
    assert!(lab.journal().records().len() >= exchanges, "the journal stays");
    assert_eq!(accounts(&lab, "contoso").await, [""; 0]);
    assert_eq!(accounts(&lab, "fabrikam").await, ["Kept or not"]);
    let nowhere = Command::Reset { scope: Some(Scope::organization("nowhere")) };
    assert!(lab.try_command(nowhere).await.is_err());
}

#[tokio::test]
async fn declared_rows_that_are_edited_after_their_first_use_take_effect_or_are_refused() {
    let lab = Lab::start().await;
    let client = authorized(&lab).await;
    let aos = lab.settings().aos["onebox"].url.clone();
    let group = format!("{aos}/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='X1')");
    assert_eq!(client.get(&group).await.status, 404, "the rows are in use from here on");
    let groups = pointers::environment("onebox").records("CustomerGroups");
    let row = |name: &str| json!({ "dataAreaId": "usmf", "CustomerGroupId": "X1", "Description": name });
    lab.apply([Edit::add(groups.join("new"), row("Added"))]).await;
    assert_eq!(client.get(&group).await.json()["Description"], "Added");
    lab.apply([Edit::replace(groups.join("new"), row("Changed"))]).await;
    assert_eq!(client.get(&group).await.json()["Description"], "Changed");
    let twice = lab.try_apply([Edit::add(groups.join("again"), row("Twice"))]).await.unwrap_err();
    assert!(twice.to_string().contains("again") && twice.to_string().contains("taken"), "{twice}");
    assert_eq!(lab.world().get(&groups.join("again")), None, "a refused edit changes nothing");
    lab.apply([Edit::remove(groups.join("new"))]).await;
    assert_eq!(client.get(&group).await.status, 404);
}

#[tokio::test]
async fn a_table_declared_by_the_control_api_is_served_from_then_on_and_goes_with_a_reset() {
    let lab = Lab::start().await;
    let patch = async |edits: Value| {
        let url = format!("{}/v1/world", lab.settings().control_url);
        let headers = [("content-type", "application/json")];
        lab.client().send(http::Method::PATCH, &url, &headers, edits.to_string()).await
    };
    let api = format!("{}/api/data/v9.2", lab.settings().dataverse.resource);
    let client = lab.client().bearer(&lab.client().token(&lab.settings().dataverse.resource).await);
    let widgets = format!("{api}/new_widgets");
    assert_eq!(client.get(&widgets).await.status, 404);
    let at = "/organizations/contoso/tables/new_widget";
    let table = json!({ "label": "Widget", "owner": "user", "columns": { "new_shade":
        { "type": "choice", "options": { "1": "Dark", "2": "Light" } } } });
    let reply = patch(json!([{ "op": "add", "path": at, "value": table }])).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(client.post_json(&widgets, &json!({ "new_name": "Cog", "new_shade": 2 })).await.status, 204);
    let prefer = [("prefer", "odata.include-annotations=\"*\"")];
    let list = client.send(http::Method::GET, &widgets, &prefer, "").await.json();
    assert_eq!(list["value"][0]["new_shade@OData.Community.Display.V1.FormattedValue"], "Light");
    for document in ["/$metadata", "/EntityDefinitions(LogicalName='new_widget')"] {
        assert!(client.get(&format!("{api}{document}")).await.text().contains("new_widgets"), "{document}");
    }
    let wrong = json!([{ "op": "add", "path": format!("{at}/columns/new_x"), "value": { "type": "text", "lenght": 3 } }]);
    let reply = patch(wrong).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert!(reply.text().contains("/columns/new_x") && reply.text().contains("length"), "{}", reply.text());
    lab.command(Command::Reset { scope: None }).await;
    assert_eq!(client.get(&widgets).await.status, 404);
}

/// A lab without sockets that is its own outside, and resets itself around one of its calls.
struct Itself {
    lab: mocktenant_lab::Lab,
    calls: AtomicUsize,
    /// Counted from 0 once armed; `usize::MAX` never.
    resets_at: AtomicUsize,
    /// Whether it resets before the call is made or once it was answered.
    after: bool,
    scope: Option<Scope>,
}

impl Itself {
    async fn reset_if(&self, at: usize, now: bool) {
        if now && self.resets_at.load(Ordering::SeqCst) == at {
            self.resets_at.store(usize::MAX, Ordering::SeqCst);
            self.lab.apply(Command::Reset { scope: self.scope.clone() }).await.unwrap();
        }
    }
}

struct Outside(Arc<Itself>);

impl Outbound for Outside {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<CallReply, CallError>> {
        let itself = Arc::clone(&self.0);
        Box::pin(async move {
            let at = itself.calls.fetch_add(1, Ordering::SeqCst);
            itself.reset_if(at, !itself.after).await;
            let answer = InProcess::by_world_names(&itself.lab).call(call).await;
            itself.reset_if(at, itself.after).await;
            answer
        })
    }
}

async fn started(after: bool, scope: Option<Scope>) -> Arc<Itself> {
    let lab = mocktenant_lab::Lab::builder(Arc::new(World::contoso().unwrap()))
        .surface(Entra::new())
        .surface(Aos::new())
        .surface(Dataverse::new())
        // The reset comes from inside the very exchange that it would wait for.
        .grace(std::time::Duration::from_millis(20))
        .build();
    let itself = Arc::new(Itself {
        lab: lab.clone(),
        calls: AtomicUsize::new(0),
        resets_at: AtomicUsize::new(usize::MAX),
        after,
        scope,
    });
    lab.set_outbound(Outside(Arc::clone(&itself)));
    lab.start_all().await;
    itself
}

/// Creates a customer, with a reset around its call number `at`. Gives its status, and the numbers of customers and
/// accounts that are there afterwards.
async fn create_with_a_reset(at: usize, after: bool, scope: Option<Scope>) -> (u16, usize, usize) {
    let itself = started(after, scope).await;
    let lab = &itself.lab;
    let way = InProcess::by_world_names(lab);
    let resource = format!("https://{}", lab.world().environment("onebox").unwrap().host);
    let (_, token) = ask_for_token(lab, &way, &resource).await.unwrap();
    let began = itself.calls.load(Ordering::SeqCst);
    itself.resets_at.store(began + at, Ordering::SeqCst);
    let created = drive_as(lab, &way, Errand::CreateCustomer, token.clone()).await.unwrap();
    assert_eq!(itself.resets_at.load(Ordering::SeqCst), usize::MAX, "no call number {at}");

    let rows = |attempt: Attempt| attempt.json()["value"].as_array().unwrap().len();
    let customers = rows(drive_as(lab, &way, Errand::ReadCustomers, token).await.unwrap());
    let accounts = rows(drive_as(lab, &way, Errand::DataverseRequest, None).await.unwrap());
    let records = lab.journal().records();
    let ids: BTreeSet<_> = records.iter().map(|record| &record.id).collect();
    assert_eq!(ids.len(), records.len(), "nothing is journaled twice");
    let parents = records.iter().filter(|record| record.target.contains("CustomersV3")).count();
    assert_eq!(parents, 2, "what was being answered is journaled once, and so is the question afterwards");
    (created.status.as_u16(), customers, accounts)
}

/// The calls of one Dual Write on a started node: the token, three lookups, the account.
const CALLS: usize = 5;

#[tokio::test]
async fn a_reset_in_the_middle_of_a_dual_write_leaves_nothing_half_written() {
    for after in [false, true] {
        for at in 0..CALLS {
            let (status, customers, accounts) = create_with_a_reset(at, after, None).await;
            assert_eq!(
                status, 503,
                "call {at}, after {after}: what was reset was not created, and may be tried again"
            );
            assert_eq!((customers, accounts), (0, 0), "call {at}, after {after}");
        }
    }
}

#[tokio::test]
async fn a_reset_of_the_environment_alone_stops_the_write_everywhere_unless_it_was_done() {
    let environment = || Some(Scope::environment("onebox"));
    for (after, at) in (0..CALLS).map(|at| (false, at)).chain((0..CALLS - 1).map(|at| (true, at))) {
        let (status, customers, accounts) = create_with_a_reset(at, after, environment()).await;
        assert_eq!(status, 503, "call {at}, after {after}");
        assert_eq!((customers, accounts), (0, 0), "call {at}, after {after}");
    }
    // Once Dataverse has the row, the order is: written, then reset.
    let (status, customers, accounts) = create_with_a_reset(CALLS - 1, true, environment()).await;
    assert_eq!(status, 503);
    assert_eq!((customers, accounts), (0, 1), "the organisation keeps what it was given before");
}

#[tokio::test]
async fn passed_checks_of_a_healthy_chain_hold_no_text_of_their_own() {
    let lab = Lab::start().await;
    let client = authorized(&lab).await;
    let mut customer = lab.world().caller().customer.clone();
    customer.insert("CustomerAccount".to_owned(), json!("SHARED"));
    let url = format!("{}/data/CustomersV3", lab.settings().aos["onebox"].url);
    assert_eq!(client.post_json(&url, &Value::Object(customer)).await.status, 201);
    let mut asked = 0;
    for record in lab.journal().records() {
        for check in record.checks.iter().filter(|check| !check.failed()) {
            asked += 1;
            let made = check.expected.is_made() || check.actual.is_made() || !check.settings.is_empty();
            assert!(!made, "{} {}: {check:?}", record.surface, check.name);
        }
    }
    assert!(asked > 60, "{asked}");
    let thumbprint = Setting::fixed("/environments/onebox/web_config/Infrastructure.S2SCertThumbprint");
    let facts: Vec<_> = lab
        .journal()
        .records()
        .iter()
        .flat_map(|record| record.facts.iter().cloned().collect::<Vec<_>>())
        .collect();
    assert!(
        facts.iter().any(|fact| fact.setting.as_ref() == Some(&thumbprint)),
        "and the facts are all there"
    );
}
