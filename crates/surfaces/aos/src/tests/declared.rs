//! Data entities that an environment declares, columns it adds to the product's, and what it may not declare.

use http::Method;

use super::*;

const TABLES: &str = "/environments/onebox/tables";
const SET: &str = "/data/MyCategories";

fn tables() -> Value {
    json!({
        "MyCategories": {
            "label": "Category", "key": ["dataAreaId", "CategoryId"],
            "columns": {
                "CategoryId": { "type": "text", "length": 10, "label": "Category", "required": "mandatory" },
                "Weight": { "type": "decimal", "least": 0, "most": 100 },
                "Blocked": "NoYes",
                "VendorGroupId": { "type": "text", "length": 10 },
            },
            "relationships": { "VendorGroup": {
                "to": "VendorGroups", "columns": { "VendorGroupId": "VendorGroupId", "dataAreaId": "dataAreaId" },
                "navigation": "VendorGroup", "back": "MyCategories", "enforced": true, "delete": "restrict",
            } },
        },
        "VendorGroups": { "columns": { "MyRating": { "type": "whole" } } },
    })
}

async fn sent(bench: &Bench, method: Method, target: &str, row: Option<&Value>) -> Response {
    let text = row.map(Value::to_string);
    bench.send(request(method, target, Some(&good_token()), text.as_deref())).await
}

async fn used(bench: &Bench) {
    let group = json!({ "VendorGroupId": "90", "Description": "Parts", "MyRating": 7 });
    let made = sent(bench, Method::POST, "/data/VendorGroups", Some(&group)).await;
    assert_eq!((made.status.as_u16(), &body(&made)["MyRating"]), (201, &json!(7)));
    let category = json!({ "CategoryId": "A", "Weight": 1.5, "Blocked": "Yes", "VendorGroupId": "90" });
    let made = sent(bench, Method::POST, SET, Some(&category)).await;
    assert_eq!(made.status.as_u16(), 201, "{}", String::from_utf8_lossy(&made.body));
    let row = body(&made);
    assert_eq!(
        (&row["dataAreaId"], &row["Blocked"], &row["Weight"]),
        (&json!("usmf"), &json!("Yes"), &json!(1.5))
    );
    assert!(row["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    let query = "?$filter=Blocked%20eq%20Microsoft.Dynamics.DataEntities.NoYes'Yes'%20and%20VendorGroup/Description%20eq%20'Parts'";
    let found = body(&bench.get(&format!("{SET}{query}&$expand=VendorGroup($select=MyRating)")).await);
    assert_eq!(found["value"][0]["VendorGroup"]["MyRating"], 7, "{found}");
    let record = "/data/MyCategories(dataAreaId='usmf',CategoryId='A')";
    let changed = sent(bench, Method::PATCH, record, Some(&json!({ "Weight": 2 }))).await;
    assert_eq!(changed.status.as_u16(), 204);
    assert_eq!(body(&bench.get(&format!("{record}/Weight")).await)["value"], 2);
    let back = bench.get("/data/VendorGroups(dataAreaId='usmf',VendorGroupId='90')/MyCategories").await;
    assert_eq!(body(&back)["value"].as_array().map(Vec::len), Some(1));
    let missing = json!({ "CategoryId": "B", "VendorGroupId": "nope" });
    let refused = sent(bench, Method::POST, SET, Some(&missing)).await;
    assert_eq!(refused.status.as_u16(), 400);
    assert!(inner_message(&refused).contains("The value 'nope' in field 'VendorGroupId' is not found"));
    let group = "/data/VendorGroups(dataAreaId='usmf',VendorGroupId='90')";
    assert_eq!(
        sent(bench, Method::DELETE, group, None).await.status.as_u16(),
        400,
        "a category refers to it"
    );
    assert_eq!(sent(bench, Method::DELETE, record, None).await.status.as_u16(), 204);
    assert_eq!(sent(bench, Method::DELETE, group, None).await.status.as_u16(), 204);
}

#[tokio::test]
async fn a_declared_entity_is_served_like_the_product_s_from_the_start_or_later() {
    used(&Bench::edited(&[set(TABLES, tables())]).await).await;
    let bench = Bench::new().await;
    assert_eq!(bench.get(SET).await.status.as_u16(), 404);
    let before = body(&bench.get("/data/CustomerGroups").await);
    bench.apply(&[set(TABLES, tables())]).await;
    used(&bench).await;
    assert_eq!(body(&bench.get("/data/CustomerGroups").await), before, "other rows are what they were");
    bench.apply(&[set(TABLES, json!({}))]).await;
    assert_eq!(bench.get(SET).await.status.as_u16(), 404);
}

#[tokio::test]
async fn documents_name_declared_entities() {
    let bench = Bench::edited(&[set(TABLES, tables())]).await;
    let document = bench.get("/data/$metadata").await;
    let document = String::from_utf8_lossy(&document.body);
    for part in [
        r#"<EntityType Name="MyCategory">"#,
        r#"<EntitySet Name="MyCategories" EntityType="Microsoft.Dynamics.DataEntities.MyCategory">"#,
        r#"<Property Name="Blocked" Type="Microsoft.Dynamics.DataEntities.NoYes""#,
        r#"<Property Name="MyRating" Type="Edm.Int32" Nullable="false""#,
        r#"<NavigationProperty Name="VendorGroup" Type="Microsoft.Dynamics.DataEntities.VendorGroup""#,
    ] {
        assert!(document.contains(part), "{part}");
    }
    let sets = body(&bench.get("/data").await);
    let last = sets["value"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["name"], "MyCategories");
    let plain = Bench::new().await.get("/data/$metadata").await;
    assert!(!String::from_utf8_lossy(&plain.body).contains("MyCategor"), "another environment has none");
}

#[tokio::test]
async fn what_an_environment_cannot_declare_is_refused_with_its_place() {
    let bench = Bench::edited(&[set(TABLES, tables())]).await;
    for (at, value, said) in [
        ("/records/MyCategories", json!({ "a": { "CategoryId": "A", "Wait": 1 } }), "no column `Wait`"),
        (
            "/records/MyCategories",
            json!({ "a": { "CategoryId": "A", "Weight": "x" } }),
            "`\"x\"` is no value of Weight",
        ),
        ("/records/MyCategory", json!({}), "there is no entity set `MyCategory`"),
        ("/records/SystemUsers", json!({}), "there is no entity set `SystemUsers`"),
        (
            "/tables/VendorGroups",
            json!({ "columns": { "Description": "text" } }),
            "is a column of the product",
        ),
        ("/tables/MyOthers", json!({ "columns": { "Id": "text" } }), "/tables/MyOthers/key"),
    ] {
        let edits = vec![set(&format!("/environments/onebox{at}"), value)];
        let refused = bench.lab.apply(Command::Edit { edits, by: EditedBy::Control }).await.unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}
