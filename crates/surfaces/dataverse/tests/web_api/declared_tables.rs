//! Tables that an organisation declares, and columns it adds to the product's: served as those are, from the first request on and
//! after every edit.

use crate::support::{Bench, CLIENT, organization};
use http::Method;
use mocktenant_lab::Command;
use mocktenant_world::{Edit, EditedBy};
use serde_json::{Value, json};

const WIDGETS: &str = "/api/data/v9.2/new_widgets";
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");
const REPRESENTATION: (&str, &str) = ("prefer", "return=representation,odata.include-annotations=\"*\"");

/// A table in the shape of a file in `tables/`, and a column added to accounts.
fn tables() -> Value {
    json!({
        "new_widget": {
            "label": "Widget", "plural": "Widgets", "owner": "user", "name": "new_name",
            "keys": { "new_by_code": { "label": "By code", "columns": ["new_code"] } },
            "columns": {
                "new_widgetid": { "type": "id", "label": "Widget", "required": "system", "update": false },
                "new_name": { "type": "text", "length": 20, "label": "Name" },
                "new_code": { "type": "text", "length": 10 },
                "new_size": { "type": "whole", "least": 1, "most": 100, "default": 7 },
                "new_price": { "type": "money", "label": "Price" },
                "new_shade": { "type": "choice", "options": { "1": "Dark", "2": "Light" } },
                "new_accountid": { "type": "lookup", "label": "Account", "to": { "account": { "delete": "cascade" } } },
            },
        },
        "account": { "columns": {
            "new_size": { "type": "choice", "label": "Size", "options": { "1": "Small", "2": "Large" } },
        } },
    })
}

fn declare() -> Edit {
    Edit::replace(organization(&["tables"]), tables())
}

impl Bench {
    async fn edit(&self, edits: Vec<Edit>) -> Result<(), String> {
        let by = EditedBy::Scenario("test".into());
        self.lab.apply(Command::Edit { edits, by }).await.map(drop).map_err(|error| error.to_string())
    }

    async fn made(&self, set: &str, body: &Value) -> Value {
        let target = format!("/api/data/v9.2/{set}");
        let seen = self.call_with(Method::POST, &target, Some(&body.to_string()), &[REPRESENTATION]).await;
        assert_eq!(seen.status().as_u16(), 201, "{set}: {}", seen.message());
        seen.json()
    }
}

/// What a person does with a table of their own.
async fn a_table_is_used(bench: &Bench) {
    let account = bench.made("accounts", &json!({ "name": "Fabrikam", "new_size": 2 })).await;
    assert_eq!(account["new_size@OData.Community.Display.V1.FormattedValue"], "Large");
    let account_id = account["accountid"].as_str().unwrap();
    let body = json!({
        "new_name": "Cog", "new_code": "C-1", "new_price": 12.5, "new_shade": 1,
        "new_accountid@odata.bind": format!("/accounts({account_id})"),
    });
    let widget = bench.made("new_widgets", &body).await;
    let formatted = |name: &str| widget[format!("{name}@OData.Community.Display.V1.FormattedValue")].clone();
    assert_eq!((&widget["new_size"], &widget["new_price_base"]), (&json!(7), &json!(12.5)));
    for (name, text) in [
        ("new_shade", "Dark"),
        ("new_price", "$12.50"),
        ("_new_accountid_value", "Fabrikam"),
        ("statecode", "Active"),
        ("createdon", "3/1/2026 4:00 AM"),
        ("_ownerid_value", "# mocktenant sample client"),
    ] {
        assert_eq!(formatted(name), text, "{name}");
    }
    let row = format!("{WIDGETS}({})", widget["new_widgetid"].as_str().unwrap());
    let query =
        "?$select=new_name&$expand=new_accountid($select=name)&$filter=new_accountid/name%20eq%20'Fabrikam'";
    let list = bench.get(&format!("{WIDGETS}{query}")).await.json();
    assert_eq!(list["value"][0]["new_accountid"]["name"], "Fabrikam");
    let seen = bench.call(Method::PATCH, &row, Some(r#"{"new_size":101}"#)).await;
    assert_eq!(seen.refusal().0, 400);
    assert!(seen.message().contains("new_size"), "{}", seen.message());
    let seen =
        bench.call(Method::PATCH, &format!("{WIDGETS}(new_code='C-1')"), Some(r#"{"new_size":9}"#)).await;
    assert_eq!(seen.status().as_u16(), 204);
    assert_eq!(bench.get(&format!("{row}?$select=new_size")).await.json()["new_size"], 9);
    let back =
        bench.get(&format!("/api/data/v9.2/accounts({account_id})/new_widget_new_accountid")).await.json();
    assert_eq!(back["value"].as_array().map(Vec::len), Some(1), "{back}");
    let gone = bench.call(Method::DELETE, &format!("/api/data/v9.2/accounts({account_id})"), None).await;
    assert_eq!(gone.status().as_u16(), 204);
    assert_eq!(bench.get(&row).await.status().as_u16(), 404, "it went with its account");
}

#[tokio::test]
async fn a_declared_table_is_created_read_changed_and_deleted_like_the_product_s() {
    a_table_is_used(&Bench::edited(&[declare()]).await).await;
}

#[tokio::test]
async fn a_table_declared_while_rows_are_in_use_is_served_from_then_on_and_leaves_them_alone() {
    let bench = Bench::new().await;
    let before = bench.made("accounts", &json!({ "name": "Before" })).await;
    assert_eq!(bench.get(WIDGETS).await.refusal().0, 404);
    bench.edit(vec![declare()]).await.unwrap();
    a_table_is_used(&bench).await;
    let row = format!("/api/data/v9.2/accounts({})", before["accountid"].as_str().unwrap());
    let after = bench.get(&row).await.json();
    assert_eq!((&after["name"], &after["new_size"]), (&json!("Before"), &Value::Null));
    assert_eq!(after["@odata.etag"], before["@odata.etag"], "its version is what it was");
    bench.made("new_widgets", &json!({ "new_name": "Cog", "new_size": 3 })).await;
    let columns = organization(&["tables", "new_widget", "columns"]);
    let wider = Edit::add(columns.join("new_weight"), json!({ "type": "decimal", "precision": 2 }));
    bench.edit(vec![wider, Edit::remove(columns.join("new_size"))]).await.unwrap();
    let widget = bench.get(WIDGETS).await.json()["value"][0].clone();
    assert_eq!((&widget["new_name"], &widget["new_weight"]), (&json!("Cog"), &Value::Null));
    assert_eq!(widget.get("new_size"), None);
    bench.edit(vec![Edit::remove(organization(&["tables", "new_widget"]))]).await.unwrap();
    assert_eq!(bench.get(WIDGETS).await.refusal().0, 404);
    assert_eq!(bench.get(&row).await.json()["name"], "Before");
    bench.lab.apply(Command::Reset { scope: None }).await.unwrap();
    assert_eq!(bench.get("/api/data/v9.2/accounts?$select=new_size").await.refusal().0, 400);
}

#[tokio::test]
async fn documents_and_definitions_name_declared_tables_and_columns() {
    let bench = Bench::edited(&[declare()]).await;
    let document =
        String::from_utf8(bench.get("/api/data/v9.2/$metadata").await.response.body.to_vec()).unwrap();
    for part in [
        r#"<EntityType Name="new_widget" BaseType="mscrm.crmbaseentity">"#,
        r#"<EntitySet Name="new_widgets" EntityType="Microsoft.Dynamics.CRM.new_widget">"#,
        r#"<Property Name="new_price" Type="Edm.Decimal""#,
        r#"<NavigationProperty Name="new_widget_new_accountid""#,
    ] {
        assert!(document.contains(part), "{part}");
    }
    let account = document.split(r#"<EntityType Name="account""#).nth(1).unwrap();
    assert!(
        account
            .split("</EntityType>")
            .next()
            .unwrap()
            .contains(r#"<Property Name="new_size" Type="Edm.Int32""#)
    );
    let sets = bench.get("/api/data/v9.2/").await.json();
    assert!(sets["value"].as_array().unwrap().iter().any(|set| set["name"] == "new_widgets"));
    let definitions = "/api/data/v9.2/EntityDefinitions";
    let one = bench.get(&format!("{definitions}(LogicalName='new_widget')?$expand=Attributes")).await.json();
    assert_eq!((&one["EntitySetName"], &one["IsCustomEntity"]), (&json!("new_widgets"), &json!(true)));
    assert_eq!(one["PrimaryNameAttribute"], "new_name");
    assert!(one["Attributes"].as_array().unwrap().iter().any(|column| column["LogicalName"] == "new_shade"));
    let shade = format!(
        "{definitions}(LogicalName='account')/Attributes(LogicalName='new_size')\
         /Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet"
    );
    let shade = bench.get(&shade).await.json();
    assert_eq!(shade["OptionSet"]["Options"][1]["Label"]["UserLocalizedLabel"]["Label"], "Large");
    let plain = Bench::new().await.get("/api/data/v9.2/$metadata").await.response.body;
    assert!(!String::from_utf8_lossy(&plain).contains("new_widget"), "another organisation has none");
}

#[tokio::test]
async fn a_declared_table_has_privileges_of_its_own() {
    let user = organization(&["application_users", CLIENT, "roles"]);
    let role =
        |privileges: Value| json!({ "id": "c0117050-0000-4000-8000-0000000d3099", "privileges": privileges });
    let own = organization(&["roles", "Widget keeper"]);
    let keeper = role(json!(["prvCreatenew_widget:Basic", "prvReadnew_widget:Basic"]));
    let bench = Bench::edited(&[
        declare(),
        Edit::add(own.clone(), keeper),
        Edit::replace(user, json!(["Widget keeper"])),
    ])
    .await;
    let seen = bench.call(Method::POST, WIDGETS, Some(r#"{"new_name":"Cog"}"#)).await;
    assert_eq!(seen.status().as_u16(), 204, "{}", seen.message());
    let row = seen.header("odata-entityid").unwrap().split_once("dynamics.com").unwrap().1.to_owned();
    assert_eq!(bench.get(WIDGETS).await.json()["value"].as_array().map(Vec::len), Some(1));
    let seen = bench.call(Method::DELETE, &row, None).await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains("prvDeletenew_widget"), "{}", seen.message());
    assert_eq!(bench.failed_checks(), ["privilege"]);
    let all = role(json!(["prvReadnew_widget:Basic", "prvDeletenew_widget:Basic"]));
    bench.edit(vec![Edit::replace(own, all)]).await.unwrap();
    assert_eq!(bench.call(Method::DELETE, &row, None).await.status().as_u16(), 204);
}

#[tokio::test]
async fn records_of_declared_tables_are_rows_and_what_is_none_is_refused_with_its_place() {
    let records = |row: Value| Edit::add(organization(&["records", "new_widgets"]), json!({ "cog": row }));
    let bench =
        Bench::edited(&[declare(), records(json!({ "new_name": "Cog", "new_size": 5, "new_shade": 2 }))])
            .await;
    let list = bench.call_with(Method::GET, WIDGETS, None, &[ALL]).await.json();
    assert_eq!(list["value"][0]["new_shade@OData.Community.Display.V1.FormattedValue"], "Light");
    let at = organization(&["records", "new_widgets", "cog"]);
    for (edit, said) in [
        (
            Edit::add(at.join("new_sise"), 3),
            "/cog/new_sise: new_widgets have no column `new_sise` (did you mean `new_size`?)",
        ),
        (
            Edit::add(at.join("new_size"), "x"),
            "/cog/new_size: `\"x\"` is no value of new_size (a whole number from 1 to 100)",
        ),
        (
            Edit::add(organization(&["records", "new_wigets"]), json!({})),
            "there is no entity set `new_wigets`",
        ),
        (
            Edit::add(organization(&["tables", "new_widget", "columns", "new_x"]), "colour"),
            "/tables/new_widget/columns/new_x/type: colour is neither a type",
        ),
        (
            Edit::add(organization(&["tables", "contact"]), json!({ "label": "Person" })),
            "/tables/contact: is a table of the product",
        ),
        (Edit::add(organization(&["tables", "contact"]), json!({ "colums": {} })), "colums"),
    ] {
        let refused = bench.edit(vec![edit]).await.unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
    assert_eq!(bench.get(WIDGETS).await.json()["value"][0]["new_size"], 5, "nothing was changed");
}

#[tokio::test]
async fn rows_that_a_new_key_does_not_tell_apart_refuse_it() {
    let bench = Bench::edited(&[declare()]).await;
    for _ in 0..2 {
        bench.made("new_widgets", &json!({ "new_name": "Cog" })).await;
    }
    let key = json!({ "columns": ["new_name"] });
    let refused = bench
        .edit(vec![Edit::add(organization(&["tables", "new_widget", "keys", "new_by_name"]), key)])
        .await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("do not fit into these tables"), "{refused}");
    assert_eq!(bench.get(WIDGETS).await.json()["value"].as_array().map(Vec::len), Some(2));
}
