//! What the endpoint says of itself: the service document and `$metadata`.

use http::Method;

use super::*;

async fn metadata() -> String {
    let bench = Bench::new().await;
    let response = bench.get("/data/$metadata").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["content-type"], "application/xml");
    String::from_utf8(response.body.to_vec()).unwrap()
}

#[tokio::test]
async fn the_service_document_lists_every_set_in_the_order_of_the_container() {
    let bench = Bench::new().await;
    for path in ["/data", "/data/"] {
        let response = bench.get(path).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.headers["content-type"], "application/json; odata.metadata=minimal");
        let document = body(&response);
        assert_eq!(document["@odata.context"], format!("{URL}/data/$metadata"));
        assert_eq!(
            document["value"][0],
            json!({ "name": "Currencies", "kind": "EntitySet", "url": "Currencies" })
        );
        let names: Vec<&str> =
            document["value"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), 16);
        assert_eq!(names[15], "LegalEntities");
    }
    let without = request(Method::GET, "/data", None, None);
    assert_eq!(bench.send(without).await.status, 401, "nobody sees it without a token");
}

#[tokio::test]
async fn metadata_begins_with_a_mark_and_is_indented_by_two() {
    let text = metadata().await;
    assert!(text.starts_with(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\r\n  <edmx:DataServices>\r\n    \
         <Schema Namespace=\"Microsoft.Dynamics.DataEntities\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\r\n"
    ));
    assert!(text.ends_with("  </edmx:DataServices>\r\n</edmx:Edmx>"), "{}", &text[text.len() - 80..]);
    for absent in ["MaxLength", "Precision", "Scale", "DefaultValue", "Unicode", "OpenType", "Alias"] {
        assert!(!text.contains(&format!(" {absent}=")), "{absent}");
    }
}

#[tokio::test]
async fn an_enumeration_stands_before_the_first_type_that_uses_it_and_only_there() {
    let text = metadata().await;
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what}"));
    assert!(place("<EnumType Name=\"RoundOffType\">") < place("<EntityType Name=\"Currency\">"));
    assert!(place("<EnumType Name=\"CustVendorBlocked\">") > place("<EntityType Name=\"Currency\">"));
    assert_eq!(text.matches("<EnumType Name=\"NoYes\">").count(), 1);
    assert_eq!(text.matches("<EntityType ").count(), 16);
    assert!(text.contains("<Member Name=\"Container\" Value=\"0\" />"), "the product's own types");
}

#[tokio::test]
async fn a_property_says_whether_it_may_be_null_and_its_notes_in_the_product_s_order() {
    let text = metadata().await;
    let core = "Microsoft.Dynamics.OData.Core.V1";
    let key = format!(
        "        <Property Name=\"CustomerAccount\" Type=\"Edm.String\" Nullable=\"false\">\r\n          \
         <Annotation Term=\"{core}.LabelId\" String=\"@SYS7149\" />\r\n          \
         <Annotation Term=\"{core}.AXType\">\r\n            \
         <EnumMember>{core}.AXType/String</EnumMember>\r\n          </Annotation>\r\n        </Property>\r\n"
    );
    assert!(text.contains(&key));
    for (name, rest) in [
        ("SalesMemo", "Type=\"Edm.String\">"),
        ("OnHoldStatus", "Type=\"Microsoft.Dynamics.DataEntities.CustVendorBlocked\">"),
        ("CreditLimit", "Type=\"Edm.Decimal\" Nullable=\"false\">"),
        ("CredManCustomerSince", "Type=\"Edm.DateTimeOffset\" Nullable=\"false\">"),
        ("AddressRecordId", "Type=\"Edm.Int64\" Nullable=\"false\">"),
        ("Enabled", "Type=\"Edm.Boolean\" Nullable=\"false\">"),
        ("SqmGUID", "Type=\"Edm.Guid\" Nullable=\"false\">"),
    ] {
        assert!(text.contains(&format!("<Property Name=\"{name}\" {rest}")), "{name}");
    }
    let read_only = format!(
        "<Property Name=\"PartyNumber\" Type=\"Edm.String\">\r\n          \
         <Annotation Term=\"{core}.LabelId\" String=\"@SYS103057\" />\r\n          \
         <Annotation Term=\"{core}.AllowEdit\" Bool=\"false\" />\r\n"
    );
    assert!(text.contains(&read_only));
    let required = format!("<Annotation Term=\"{core}.IsRequired\" Bool=\"true\" />");
    assert!(text.matches(&required).count() > 10);
}

#[tokio::test]
async fn links_lead_to_sets_that_are_served_and_each_set_binds_them() {
    let text = metadata().await;
    assert!(text.contains(
        "        <NavigationProperty Name=\"SalesOrderLines\" Type=\"Collection(Microsoft.Dynamics.DataEntities.SalesOrderLine)\" \
         Partner=\"SalesOrderHeaderV2\" />\r\n"
    ));
    assert!(text.contains(
        "        <NavigationProperty Name=\"SalesOrderHeaderV2\" Type=\"Microsoft.Dynamics.DataEntities.SalesOrderHeaderV2\" \
         Nullable=\"false\" Partner=\"SalesOrderLines\">\r\n          \
         <ReferentialConstraint Property=\"SalesOrderNumber\" ReferencedProperty=\"SalesOrderNumber\" />\r\n          \
         <ReferentialConstraint Property=\"dataAreaId\" ReferencedProperty=\"dataAreaId\" />\r\n        </NavigationProperty>"
    ));
    assert!(text.contains(
        "        <EntitySet Name=\"SalesOrderLines\" EntityType=\"Microsoft.Dynamics.DataEntities.SalesOrderLine\">\r\n          \
         <NavigationPropertyBinding Path=\"SalesOrderHeaderV2\" Target=\"SalesOrderHeadersV2\" />\r\n        </EntitySet>"
    ));
    assert!(
        text.contains(
            "<EntitySet Name=\"Companies\" EntityType=\"Microsoft.Dynamics.DataEntities.Company\" />"
        )
    );
    assert!(!text.contains("\"Prospects\""), "what is not served is no link");
}

#[tokio::test]
async fn the_first_call_of_microsoft_s_samples_tells_whom_an_application_is() {
    let bench = Bench::new().await;
    let service = "/api/services/UserSessionService/AifUserSessionService/GetUserSessionInfo";
    // no body, no content type: the samples send Content-Length 0
    let answer = bench.send(request(Method::POST, service, Some(&good_token()), None)).await;
    let session = body(&answer);
    assert_eq!(answer.status, 200, "{session}");
    for (member, value) in
        [("Company", json!("USMF")), ("AXLanguage", json!("en-US")), ("IsSysAdmin", json!(true))]
    {
        assert_eq!(session[member], value, "{member}");
    }
    let nobody = bench.send(request(Method::POST, service, None, None)).await;
    assert_eq!(nobody.status, 401);
}
